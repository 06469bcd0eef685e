"""
Freedoms in what a venue is and has: ids, currency, furniture, orders, the clock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict
from epos_conformance.reference.faults import variant
from epos_conformance.reference.menu import money
from epos_conformance.reference.records import Json, Order, Venue


_NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


@variant("uuid-ids")
class UuidIds(ReferenceEpos):
    """
    All ids are UUIDs.
    """

    def spell_id(self, kind: str, plain: str) -> str:
        return str(uuid5(_NAMESPACE, f"{kind}/{plain}"))


@variant("odd-ids")
class OddIds(ReferenceEpos):
    """
    All ids have spaces, accents, colons and what else is reserved in a path.
    """

    def spell_id(self, kind: str, plain: str) -> str:
        return f"Caisse nº1: {kind} {plain}+%2F?#&é"


@variant("number-ids")
class NumberIds(ReferenceEpos):
    """
    All ids are texts that look like numbers.
    """

    def spell_id(self, kind: str, plain: str) -> str:
        return str(1000 + uuid5(_NAMESPACE, f"{kind}/{plain}").int % 10**9)


@variant("ids-come-back")
class IdsComeBack(ReferenceEpos):
    """
    A new party or reservation takes the lowest id that is free.
    """

    def new_id(self, kind: str) -> str:
        taken = {*self.orders, *self.parties, *self.reservations}
        place = 1
        while (found := self.spell_id(kind, f"new-{kind}-{place}")) in taken:
            place += 1
        return found


@variant("small-pages")
class SmallPages(ReferenceEpos):
    """
    A page has five rows unless more are asked for.
    """

    page_size = 5


@variant("euro-venue")
class EuroVenue(ReferenceEpos):
    """
    The venue trades in EUR.
    """

    def currency(self) -> str:
        return "EUR"


@variant("empty-venue")
class EmptyVenue(ReferenceEpos):
    """
    The venue has no tables, areas, orders, parties and reservations.
    """

    def open_venue(self) -> Venue:
        return Venue(currency=self.currency())


@variant("euros-before-the-first-order")
class EurosBeforeTheFirstOrder(ReferenceEpos):
    """
    The venue takes EUR alone, and has no order yet that would show it.
    """

    def currency(self) -> str:
        return "EUR"

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        venue.orders = []
        return venue

    def check_new_order(self, body: Json) -> None:
        if body["totalAmount"]["currencyCode"] != self.currency():
            raise conflict(f"orders are taken in {self.currency()}")
        super().check_new_order(body)


@variant("tax-on-top")
class TaxOnTop(ReferenceEpos):
    """
    Tax is added to the prices of the items.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        # What has been paid for stays as it was paid.
        venue.orders = [each if each.payments else _taxed(each) for each in venue.orders]
        return venue


def _taxed(order: Order) -> Order:
    tax = order.total // 5
    line = {"name": "Sales tax", "amountPercentage": 20, "amountTotal": money(tax, order.currency)}
    total = money(order.total + tax, order.currency)
    return replace(order, given={**order.given, "taxLines": [line], "totalAmount": total})


@variant("three-orders-no-creation")
class ThreeOrdersNoCreation(ReferenceEpos):
    """
    The till makes no orders for Dojo, and three of its own can be paid.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        venue.orders = [each for each in venue.orders if self.is_payable(each) and not each.payments][:3]
        return venue

    def offered(self) -> frozenset[str]:
        return super().offered() - {"CreateOrder", "CancelOrderById"}


@variant("pay-at-table-only")
class PayAtTableOnly(ReferenceEpos):
    """
    The least that Pay at Table needs is offered; every other path is unknown.
    """

    def offered(self) -> frozenset[str]:
        return frozenset({"SearchOrders", "GetOrderById", "RecordOrderPaymentById"})


@variant("clock-behind")
class ClockBehind(ReferenceEpos):
    """
    The till's clock is a minute late.
    """

    def now(self) -> datetime:
        return super().now() - timedelta(minutes=1)


@variant("clock-ahead")
class ClockAhead(ReferenceEpos):
    """
    The till's clock is a minute early.
    """

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=1)
