"""
Mistakes by which an order loses what a lock or a payment is not about.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order


REST = "leaves-the-rest-of-the-order"
PAY = "RecordOrderPaymentById"


def drop(order: Order, *members: str) -> None:
    """Forget those *members* of *order*."""
    order.given = {name: each for name, each in order.given.items() if name not in members}


@defect("locks-drop-the-note", breaks=over(REST, "CreateOrderLock"))
class LocksDropTheNote(ReferenceEpos):
    """
    Who locks an order writes its name where the note was, and the name is not for Dojo.
    """

    def locked_answer(self, order: Order) -> Json:
        drop(order, "note")
        return super().locked_answer(order)


@defect("extensions-drop-the-service-charge", breaks=over(REST, "ExtendOrderLock"))
class ExtensionsDropTheServiceCharge(ReferenceEpos):
    """
    An extension saves the whole order by a form that has no service charge; the total is a column of its own.
    """

    def extended_answer(self, order: Order) -> Json:
        drop(order, "serviceChargeAmount")
        return super().extended_answer(order)


@defect("unlocking-drops-the-discounts", breaks=over(REST, "DeleteOrderLock"))
class UnlockingDropsTheDiscounts(ReferenceEpos):
    """
    Unlocking brings the lines back from a copy that was made without the discounts.
    """

    def delete_order_lock(self, call: Call) -> Json:
        drop(self.find_order(call.ids["orderId"]), "discounts")
        return super().delete_order_lock(call)


@defect("unlocking-drops-the-last-item", breaks=over(REST, "DeleteOrderLock"))
class UnlockingDropsTheLastItem(ReferenceEpos):
    """
    Unlocking saves the lines, counted from one.
    """

    def delete_order_lock(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        order.given = {**order.given, "items": order.given["items"][:-1]}
        return super().delete_order_lock(call)


@defect("payments-drop-the-discounts", breaks=over(REST, PAY))
class PaymentsDropTheDiscounts(ReferenceEpos):
    """
    A payment saves the order without the lines of other tables.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        drop(order, "discounts")
        super().apply_payment(order, payment)


@defect("payments-drop-the-waiter", breaks=over(REST, PAY))
class PaymentsDropTheWaiter(ReferenceEpos):
    """
    Who served the order is overwritten by who took the payment: nobody.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        details = order.given["details"]
        dine_in = {name: each for name, each in order.dine_in.items() if name != "waiterId"}
        order.given = {**order.given, "details": {**details, **({"dineIn": dine_in} if dine_in else {})}}
        super().apply_payment(order, payment)


@defect("part-paid-orders-lack-the-service-charge", breaks=over(REST, PAY))
class PartPaidOrdersLackTheServiceCharge(ReferenceEpos):
    """
    The service charge is shown on bills that nothing, or everything, is paid of.
    """

    def present_order(self, order: Order) -> Json:
        found = super().present_order(order)
        if order.payments and self.is_payable(order):
            found.pop("serviceChargeAmount", None)
        return found
