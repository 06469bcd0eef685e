"""
Mistakes in what becomes of a canceled order.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order
from epos_conformance.reference.rest import RestShell


CANCEL = "CancelOrderById"


@defect(
    "cancel-answers-the-order-before", breaks=over("status-is-canceled", CANCEL), also=over("is-not-payable", CANCEL)
)
class CancelAnswersTheOrderBefore(ReferenceEpos):
    """
    Cancelling answers the order as it was loaded before.
    """

    def cancel_order_by_id(self, call: Call) -> Json:
        before = self.present_order(self.find_order(call.ids["orderId"]))
        super().cancel_order_by_id(call)
        return before


@defect("canceled-orders-are-finalized", breaks=[f"{CANCEL}.status-is-canceled", f"{CANCEL}.stays-canceled-when-read"])
class CanceledOrdersAreFinalized(ReferenceEpos):
    """
    Cancelling closes an order like any other.
    """

    def cancel(self, order: Order) -> None:
        order.status = "Finalized"
        self.touch(order)


@defect("cancelling-is-not-saved", breaks=over("stays-canceled-when-read", CANCEL), also=[f"{CANCEL}.*"])
class CancellingIsNotSaved(ReferenceEpos):
    """
    The order is canceled on a copy that is answered.
    """

    def cancel_order_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        return {**self.present_order(order), "status": "Canceled", "payable": False}


@defect("canceled-orders-are-deleted", breaks=over("stays-canceled-when-read", CANCEL), also=[f"{CANCEL}.*"])
class CanceledOrdersAreDeleted(ReferenceEpos):
    """
    A canceled order is gone.
    """

    def cancel(self, order: Order) -> None:
        super().cancel(order)
        self.orders.pop(order.id)


@defect(
    "canceled-orders-are-open-in-searches",
    breaks=over("stays-canceled-when-read", CANCEL),
    also=[f"{CANCEL}.is-not-payable", "SearchOrders.*", "GetOrderById.total-adds-up"],
)
class CanceledOrdersAreOpenInSearches(ReferenceEpos):
    """
    The index that searches use is not told of a cancellation.
    """

    def present_row(self, order: Order) -> Json:
        shown = super().present_row(order)
        if order.status != "Canceled" or not order.dojo_order_id:
            return shown
        return {**shown, "status": "Accepted", "payable": True}

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        if order.status == "Canceled" and order.dojo_order_id:
            wanted = {**wanted, "payableOnly": False}
        return super().is_wanted_order(order, wanted)


@defect("canceled-orders-stay-payable", breaks=over("is-not-payable", CANCEL), also=[f"{CANCEL}.*", "SearchOrders.*"])
class CanceledOrdersStayPayable(ReferenceEpos):
    """
    payable says whether something is owed, whatever the status.
    """

    def is_payable(self, order: Order) -> bool:
        return self.paid_amount(order) < order.total


@defect(
    "canceled-orders-are-paid",
    breaks=over("refuses-payments-afterwards", CANCEL),
    also=["RecordOrderPaymentById.*-canceled-*"],
)
class CanceledOrdersArePaid(ReferenceEpos):
    """
    A payment looks at what is owed, not at the status.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        if order.status != "Canceled":
            super().check_may_pay(order, body)


@defect(
    "canceled-orders-are-invalid-to-pay",
    breaks=over("refuses-payments-afterwards", CANCEL),
    also=["RecordOrderPaymentById.*"],
)
class CanceledOrdersAreInvalidToPay(ReferenceEpos):
    """
    A payment on a canceled order is refused as InvalidRequest, as if the terminal had erred.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        if order.status == "Canceled":
            raise invalid(f"order {order.id!r} is canceled")
        super().check_may_pay(order, body)


@defect("canceled-orders-are-locked", breaks=over("refuses-locks-afterwards", CANCEL))
class CanceledOrdersAreLocked(ReferenceEpos):
    """
    A lock is granted whatever became of the order.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        if order.status != "Canceled":
            super().check_lockable(order, lock_id)


@defect(
    "closed-orders-are-unprocessable",
    breaks=over("refuses-locks-afterwards", CANCEL),
    also=["*.error-status-fits-its-type", "CreateOrderLock.*"],
)
class ClosedOrdersAreUnprocessable(RestShell):
    """
    What contradicts the state of an order is called a Conflict, and told with the status of a bad request.
    """

    def error_status(self, error: EposError) -> int:
        is_closed = error.error_type == "Conflict" and "nothing left to pay" in str(error)
        return 422 if is_closed else super().error_status(error)


@defect("canceled-orders-crash-locks", breaks=over("refuses-locks-afterwards", CANCEL))
class CanceledOrdersCrashLocks(ReferenceEpos):
    """
    A lock looks the order up among the open ones, where a canceled one is missing.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        open_orders = {each.id: each for each in self.orders.values() if each.status != "Canceled"}
        super().check_lockable(open_orders[order.id], lock_id)
