"""
Freedoms in taking payments, and venues that have few orders to pay.
"""

from __future__ import annotations

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Json, Order, Venue


def payable(epos: ReferenceEpos, venue: Venue, most: int) -> list[Order]:
    """The first orders of *venue* on which nothing is paid yet."""
    return [each for each in venue.orders if epos.is_payable(each) and not each.payments][:most]


class _OwnOrdersAlone(ReferenceEpos):
    """A till that makes no orders for Dojo."""

    def offered(self) -> frozenset[str]:
        return super().offered() - {"CreateOrder", "CancelOrderById"}


@variant("one-order-no-creation")
class OneOrderNoCreation(_OwnOrdersAlone):
    """
    A single order can be paid, and none can be made.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        venue.orders = payable(self, venue, 1)
        return venue


@variant("no-order-at-all")
class NoOrderAtAll(_OwnOrdersAlone):
    """
    Nobody has ordered anything, and Dojo can't either.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        venue.orders = []
        return venue


@variant("orders-being-edited")
class OrdersBeingEdited(_OwnOrdersAlone):
    """
    A waiter is working on every other order: what is paid on those is refused meanwhile.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        super().check_may_pay(order, body)
        if order.number % 2:
            raise conflict(f"order {order.id!r} is being edited at the till")

    def check_lockable(self, order: Order, lock_id: str) -> None:
        super().check_lockable(order, lock_id)
        if order.number % 2:
            raise conflict(f"order {order.id!r} is being edited at the till")


@variant("created-orders-are-not-payable")
class CreatedOrdersAreNotPayable(ReferenceEpos):
    """
    An order that Dojo makes is paid for there already; only what waiters open is paid at the table.
    """

    def is_payable(self, order: Order) -> bool:
        return super().is_payable(order) and order.dojo_order_id is None


@variant("tips-are-limited")
class TipsAreLimited(ReferenceEpos):
    """
    A tip of more than half the payment is taken for a mistake.
    """

    def check_owed(self, order: Order, body: Json) -> None:
        super().check_owed(order, body)
        if body.get("tipsAmount", {"value": 0})["value"] * 2 > body["paidAmount"]["value"]:
            raise conflict("that is a lot of tip")


@variant("no-tip-is-not-shown")
class NoTipIsNotShown(ReferenceEpos):
    """
    A payment without a tip is listed without tipsAmount.
    """

    def present_payment(self, payment: Json) -> Json:
        found = super().present_payment(payment)
        if found.get("tipsAmount", {"value": 0})["value"] == 0:
            found.pop("tipsAmount", None)
        return found


@variant("one-payment-at-a-time")
class OnePaymentAtATime(ReferenceEpos):
    """
    A payment that comes while another one is being recorded on the order waits for it.
    """

    side_by_side = True
