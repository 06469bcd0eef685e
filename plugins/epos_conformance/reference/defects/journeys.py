"""
Mistakes that no single call shows: what one step does to the work of another.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json, Order


PAY = "RecordOrderPaymentById"


# Paying at the table


@defect(
    "printed-orders-are-frozen",
    breaks=["journeys.pay-at-table-without-locks"],
    also=["journeys.*", "GetOrderBillById.*", f"{PAY}.*", "GetOrderById.*", "SearchOrders.*"],
)
class PrintedOrdersAreFrozen(ReferenceEpos):
    """
    Once its bill is printed an order is read from what was printed.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.printed: dict[str, Json] = {}

    def bill_order(self, order: Order) -> Json:
        self.printed[order.id] = super().bill_order(order)
        return self.printed[order.id]

    def get_order_by_id(self, call: Call) -> Json:
        return self.printed.get(call.ids["orderId"]) or super().get_order_by_id(call)


@defect("each-lock-has-its-own-payments", breaks=["journeys.pay-at-table-with-locks"])
class EachLockHasItsOwnPayments(ReferenceEpos):
    """
    Payments are kept with the lock that they were made under, and the order has those of the latest.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        lock = self.locks.get(order.id)
        if lock is not None:
            order.payments = tuple(each for each in order.payments if each.get("lock", lock.id) == lock.id)
            payment = {**payment, "lock": lock.id}
        super().apply_payment(order, payment)

    def present_payment(self, payment: Json) -> Json:
        return {name: each for name, each in payment.items() if name != "lock"}


@defect("extending-saves-what-was-locked", breaks=["journeys.pay-at-table-with-lock-extension"])
class ExtendingSavesWhatWasLocked(ReferenceEpos):
    """
    A lock holds the order as it was then, and is saved whole when it is extended.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.copies: dict[str, tuple[Json, ...]] = {}

    def locked_answer(self, order: Order) -> Json:
        self.copies[order.id] = order.payments
        return super().locked_answer(order)

    def extended_answer(self, order: Order) -> Json:
        order.payments = self.copies[order.id]
        return super().extended_answer(order)


@defect("closing-keeps-one-payment", breaks=["journeys.split-bill-with-tips"], also=[f"{PAY}.*", "GetOrderById.*"])
class ClosingKeepsOnePayment(ReferenceEpos):
    """
    An order that is closed keeps the payment that closed it, with what all of them came to.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        super().apply_payment(order, payment)
        if order.status == "Finalized":
            sums = {"paidAmount": self.paid_amount(order), "tipsAmount": self.tips_amount(order)}
            order.payments = ({**payment, **{name: self.money(value, order) for name, value in sums.items()}},)


@defect("lapsed-locks-leave-the-list", breaks=["journeys.abandoned-payment"])
class LapsedLocksLeaveTheList(ReferenceEpos):
    """
    The list of orders to pay leaves out those that are locked, and looks at no expiry.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return not (wanted.get("payableOnly") and order.id in self.locks) and super().is_wanted_order(order, wanted)


@defect("lapsed-locks-keep-orders-from-being-paid", breaks=["journeys.abandoned-payment"], also=["*OrderLock.*"])
class LapsedLocksKeepOrdersFromBeingPaid(ReferenceEpos):
    """
    An order whose lock was not deleted is not payable, until somebody locks it again.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        lock = self.locks.get(order.id)
        return shown if lock is None or self.is_live(lock) else {**shown, "payable": False}


# At a table, and from a phone


@defect("payments-move-the-order", breaks=["journeys.qr-by-table"], also=["SearchOrders.table-filter-narrows"])
class PaymentsMoveTheOrder(ReferenceEpos):
    """
    An order that a phone pays on is put to the till's own table for such; the list of each table is older.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        super().apply_payment(order, payment)
        details = order.given["details"]
        if "dineIn" in details:
            here = details["dineIn"].get("tableId")
            moved = {**details["dineIn"], "tableId": "online", "before": details["dineIn"].get("before", here)}
            order.given = {**order.given, "details": {**details, "dineIn": moved}}

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        if name == "tableId":
            return bool(order.dine_in.get("before", order.dine_in.get("tableId")) == value)
        return super().has_detail(order, name, value)


@defect(
    "captured-payments-are-recorded-again",
    breaks=["journeys.qr-by-table", "journeys.order-and-pay", "journeys.order-and-pay-later"],
)
class CapturedPaymentsAreRecordedAgain(ReferenceEpos):
    """
    When Dojo tells that a payment was captured, it is booked on its order, which has it already.
    """

    def note_event(self, event: Json) -> None:
        super().note_event(event)
        intent = event["data"]["paymentIntentId"]
        if event["data"]["paymentStatus"] != "Captured":
            return
        for order in self.orders.values():
            paid = next((each for each in order.payments if each.get("paymentIntentId") == intent), None)
            if paid is not None:
                order.payments = (*order.payments, paid)


@defect("captured-orders-fail", breaks=["journeys.order-and-pay"], also=["journeys.*", "HandleEvent.*"])
class CapturedOrdersFail(ReferenceEpos):
    """
    Whatever Dojo tells of the payment of an order means that something is wrong with it.
    """

    def note_event(self, event: Json) -> None:
        super().note_event(event)
        intent = event["data"]["paymentIntentId"]
        for order in self.orders.values():
            if any(each.get("paymentIntentId") == intent for each in order.payments):
                order.status = "Failed"


@defect("captured-orders-are-archived", breaks=["journeys.order-and-pay"], also=["journeys.*"])
class CapturedOrdersAreArchived(ReferenceEpos):
    """
    An order that is paid for goes to the archive when Dojo tells that the money has come, where nobody looks.
    """

    def note_event(self, event: Json) -> None:
        super().note_event(event)
        intent = event["data"]["paymentIntentId"]
        for order in list(self.orders.values()):
            paid = any(each.get("paymentIntentId") == intent for each in order.payments)
            if paid and event["data"]["paymentStatus"] == "Captured" and self.paid_amount(order) >= order.total:
                del self.orders[order.id]


@defect("a-captured-payment-pays-the-order", breaks=["journeys.order-and-pay-later"], also=["journeys.qr-by-table"])
class ACapturedPaymentPaysTheOrder(ReferenceEpos):
    """
    When Dojo tells that a payment was captured its order is paid, whatever the payment came to.
    """

    def note_event(self, event: Json) -> None:
        super().note_event(event)
        intent = event["data"]["paymentIntentId"]
        for order in self.orders.values():
            if any(each.get("paymentIntentId") == intent for each in order.payments):
                self.settle(order, event["data"]["paymentStatus"])

    def settle(self, order: Order, status: str) -> None:
        """Closes *order*, if that is what the *status* of a payment says."""
        left = self.owed(order)
        if status == "Captured" and left > 0:
            self.apply_payment(order, {"paidAmount": self.money(left, order)})


# Bookings


@defect("moved-reservations-stay-on-the-old-day", breaks=["journeys.bookings"])
class MovedReservationsStayOnTheOldDay(ReferenceEpos):
    """
    The diary gets a line for each day that a reservation was moved to, and deleting it takes out the oldest.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.moves: dict[str, int] = {}

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        given = super().updated_reservation(reservation, body)
        if abs(given["startTime"] - reservation.given["startTime"]) >= timedelta(days=1):
            self.moves[reservation.id] = self.moves.get(reservation.id, 0) + 1
        return given

    def remove_reservation(self, reservation: Booking) -> None:
        if self.moves.pop(reservation.id, 0) == 0:
            super().remove_reservation(reservation)


@defect("moving-a-party-takes-the-wishes-of-its-reservation", breaks=["journeys.bookings"])
class MovingAPartyTakesTheWishesOfItsReservation(ReferenceEpos):
    """
    A party that moves is filled in anew from its reservation.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        given = super().updated_party(party, body)
        booked = self.reservations.get(given.get("reservationId", ""))
        if booked is None or given["tableIds"] == party.given["tableIds"]:
            return given
        return {**given, **{name: booked.given[name] for name in ("guestRequests",) if name in booked.given}}


@defect("a-move-starts-a-new-deposit", breaks=["journeys.bookings"], also=["UpdateParty.changes-the-deposit"])
class AMoveStartsANewDeposit(ReferenceEpos):
    """
    The deposit belongs to the bill of a table, and stays there when the party moves.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        given = super().updated_party(party, body)
        if given["tableIds"] != party.given["tableIds"]:
            given.pop("deposit", None)
        return given


@defect("parties-take-their-orders-along", breaks=["journeys.bookings"])
class PartiesTakeTheirOrdersAlong(ReferenceEpos):
    """
    When a party leaves its orders are cleared from the till, paid or not.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        if "endTime" in body:
            self.orders = {id: each for id, each in self.orders.items() if each.dine_in.get("partyId") != party.id}
        return super().updated_party(party, body)
