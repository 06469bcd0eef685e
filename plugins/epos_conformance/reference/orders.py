"""
Orders: found, read, made and canceled.
"""

from __future__ import annotations

from collections.abc import Iterator

from epos_conformance.reference.core import Call
from epos_conformance.reference.errors import invalid, not_found
from epos_conformance.reference.paging import Paging
from epos_conformance.reference.records import Json, Order


#: The members of an order that are kept as they were sent.
KEPT = (
    "items",
    "note",
    "customer",
    "discounts",
    "totalAmount",
    "taxLines",
    "serviceChargeAmount",
    "reference",
    "details",
    "displayName",
)

#: Statuses after which nothing is owed any more.
CLOSED = frozenset({"Finalized", "Canceled", "Failed"})


class Orders(Paging):
    """
    SearchOrders, GetOrderById, CreateOrder and CancelOrderById.
    """

    def search_orders(self, call: Call) -> Json:
        rows = [(-each.number, each) for each in self.newest_orders() if self.is_wanted_order(each, call.body)]
        return self.page("orders", rows, call.body.get("cursor", {}), self.present_row)

    def newest_orders(self) -> Iterator[Order]:
        """Every order, the latest first."""
        return reversed(self.orders.values())

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        """Whether *order* passes all the filters."""
        if wanted.get("payableOnly") and not self.is_payable(order):
            return False
        return all(self.has_detail(order, name, value) for name, value in wanted.get("dineIn", {}).items())

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        """Whether *order* is of that ``tableId``, ``waiterId``, ``partyId`` or ``reservationId``."""
        if name not in ("tableId", "waiterId", "partyId", "reservationId"):
            # A filter of tomorrow's contract narrows nothing today.
            return True
        return bool(order.dine_in.get(name) == value)

    def get_order_by_id(self, call: Call) -> Json:
        return self.present_order(self.find_order(call.ids["orderId"]))

    def find_order(self, order_id: str) -> Order:
        """The order of that id."""
        if order_id not in self.orders:
            raise not_found("order", order_id)
        return self.orders[order_id]

    # -- made and unmade ------------------------------------------------------------------------------------------

    def create_order(self, call: Call) -> Json:
        known = self.known_order(call.body)
        if known is not None:
            return self.present_order(known)
        self.check_new_order(call.body)
        order = self.store_order(call.body)
        self.tell_of_new_order(order)
        return self.present_order(order)

    def tell_of_new_order(self, order: Order) -> None:
        self.tell("OrderUpdated", order)

    def known_order(self, body: Json) -> Order | None:
        """The order that the same ``dojoOrderId`` made before."""
        return next((each for each in self.orders.values() if each.dojo_order_id == body["dojoOrderId"]), None)

    def check_new_order(self, body: Json) -> None:
        """Refuses an order that contradicts itself; the reference sells whatever it is asked for."""
        currencies = {each["currencyCode"] for each in _amounts(body)}
        if len(currencies) > 1:
            raise invalid(f"an order has one currency, not {' and '.join(sorted(currencies))}")
        kind = body["details"]["orderType"]
        if {"DineIn": "dineIn", "Collection": "collection"}[kind] not in body["details"]:
            raise invalid(f"details of a {kind} order lack the member of that name")

    def store_order(self, body: Json) -> Order:
        """Puts a new order into the till."""
        now = self.now()
        number = self.next_number()
        order = Order(
            id=self.new_id("order"),
            number=number,
            given={name: body[name] for name in KEPT if name in body},
            created=now,
            updated=now,
            payments=tuple(body["payments"]),
            dojo_order_id=body["dojoOrderId"],
        )
        self.orders[order.id] = order
        return order

    def cancel_order_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        self.check_cancel(order)
        self.cancel(order)
        return self.present_order(order)

    def check_cancel(self, order: Order) -> None:
        """Any order may be canceled, also twice: the second time changes nothing."""

    def cancel(self, order: Order) -> None:
        """Takes *order* out of business."""
        if order.status != "Canceled":
            order.status = "Canceled"
            self.touch(order)
            self.tell_of_cancellation(order)
        self.locks.pop(order.id, None)

    def tell_of_cancellation(self, order: Order) -> None:
        self.tell("OrderUpdated", order)

    def touch(self, order: Order) -> None:
        """Notes that *order* changed; a clock that is put back does not make it older than it is."""
        order.updated = max(self.now(), order.created)

    # -- shown ----------------------------------------------------------------------------------------------------

    def paid_amount(self, order: Order) -> int:
        """What the payments come to, without tips."""
        return sum(each["paidAmount"]["value"] for each in order.payments)

    def tips_amount(self, order: Order) -> int:
        """What the tips come to."""
        return sum(each["tipsAmount"]["value"] for each in order.payments if "tipsAmount" in each)

    def is_payable(self, order: Order) -> bool:
        """Whether anything can be paid on *order* still."""
        return order.status not in CLOSED and self.paid_amount(order) < order.total

    def total_amount(self, order: Order) -> Json:
        """What *order* comes to, whatever has been paid or tipped."""
        return self.money(order.total, order)

    def money(self, value: int, order: Order) -> Json:
        """*value* in the currency of *order*."""
        return {"value": value, "currencyCode": order.currency}

    def present_order(self, order: Order) -> Json:
        """*order* as Dojo sees it."""
        return {
            "id": order.id,
            "status": order.status,
            "createdAt": self.spell_time(order.created),
            "updatedAt": self.spell_time(order.updated),
            "payable": self.is_payable(order),
            **order.given,
            "totalAmount": self.total_amount(order),
            "paidAmount": self.money(self.paid_amount(order), order),
            "tipsAmount": self.money(self.tips_amount(order), order),
            "payments": [self.present_payment(each) for each in order.payments],
        }

    def present_row(self, order: Order) -> Json:
        """*order* as a search shows it."""
        return self.present_order(order)

    def present_payment(self, payment: Json) -> Json:
        return dict(payment)


def _amounts(value: object) -> Iterator[Json]:
    """Every amount inside *value*."""
    if isinstance(value, dict):
        if "currencyCode" in value:
            yield value
        for each in value.values():
            yield from _amounts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _amounts(each)
