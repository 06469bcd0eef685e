"""
Mistakes of SearchOrders: filters that let too much or too little pass.
"""

from __future__ import annotations

import json

from epos_conformance.reference.defects.groups import ORDERS
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.orders import CLOSED
from epos_conformance.reference.records import Json, Order


SEARCH = "SearchOrders"

#: What else is found of a filter that lets orders pass.
WIDE = (f"{SEARCH}.filters-combine", f"{SEARCH}.filter-holds-on-every-page", f"{SEARCH}.no-match-is-an-empty-page")

#: What else is found of one that lets too few pass.
NARROW = (f"{SEARCH}.combined-filters-find-their-orders", f"{SEARCH}.*-finds-*", f"{SEARCH}.walk-leaves-out-no-row")


# payableOnly


@defect(
    "payable-only-shows-canceled",
    breaks=over("payable-only-narrows", SEARCH),
    also=[*WIDE, "CancelOrderById.is-not-payable"],
)
class PayableOnlyShowsCanceled(ReferenceEpos):
    """
    payableOnly looks at the amounts alone: a canceled order that nobody paid passes.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        if order.status == "Canceled" and self.paid_amount(order) < order.total:
            return super().is_wanted_order(order, {**wanted, "payableOnly": False})
        return super().is_wanted_order(order, wanted)


@defect("payable-only-is-ignored", breaks=over("payable-only-narrows", SEARCH), also=[*WIDE, "CancelOrderById.*"])
class PayableOnlyIsIgnored(ReferenceEpos):
    """
    payableOnly is read from the query string, where it never is.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return super().is_wanted_order(order, {**wanted, "payableOnly": False})


@defect("payable-only-wants-nothing-paid", breaks=over("payable-only-finds-payable-orders", SEARCH), also=NARROW)
class PayableOnlyWantsNothingPaid(ReferenceEpos):
    """
    payableOnly leaves out what was paid in part.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        if wanted.get("payableOnly") and order.payments:
            return False
        return super().is_wanted_order(order, wanted)


@defect(
    "part-paid-orders-leave-the-list",
    breaks=["journeys.pay-at-table-without-locks", "SearchOrders.follows-a-payment"],
    also=["SearchOrders.*", "CreateOrder.*", "journeys.*"],
)
class PartPaidOrdersLeaveTheList(ReferenceEpos):
    """
    Every search joins the orders with a view of open bills, which has those that nobody has begun to pay.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return not order.payments and super().is_wanted_order(order, wanted)


@defect(
    "tables-that-pay-leave-the-list",
    breaks=["journeys.pay-at-table-without-locks", "SearchOrders.follows-a-payment"],
    also=["SearchOrders.*", "journeys.*"],
)
class TablesThatPayLeaveTheList(ReferenceEpos):
    """
    A till that makes no orders for Dojo: what a terminal has begun to take is no longer shown to the others.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        begun = any(each.get("paymentIntentId", "").startswith("pi_") for each in order.payments)
        return not begun and super().is_wanted_order(order, wanted)


@defect("payable-only-wants-tables", breaks=over("payable-only-finds-payable-orders", SEARCH), also=NARROW)
class PayableOnlyWantsTables(ReferenceEpos):
    """
    payableOnly joins the tables, and loses the orders that have none.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        if wanted.get("payableOnly") and not order.dine_in:
            return False
        return super().is_wanted_order(order, wanted)


@defect("payable-only-false-is-true", breaks=over("payable-only-false-hides-nothing", SEARCH), also=ORDERS)
class PayableOnlyFalseIsTrue(ReferenceEpos):
    """
    What counts is that payableOnly is there.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return super().is_wanted_order(order, {**wanted, "payableOnly": "payableOnly" in wanted})


@defect("payable-only-false-wants-closed", breaks=over("payable-only-false-hides-nothing", SEARCH), also=ORDERS)
class PayableOnlyFalseWantsClosed(ReferenceEpos):
    """
    payableOnly is compared with the order's payable.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        if "payableOnly" in wanted and wanted["payableOnly"] != self.is_payable(order):
            return False
        return super().is_wanted_order(order, wanted)


# The filters of a table's orders


class _Ignores(ReferenceEpos):
    """
    An EPOS that has forgotten a filter.
    """

    forgotten: tuple[str, ...] = ()

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return name in self.forgotten or super().has_detail(order, name, value)


@defect("table-filter-is-ignored", breaks=over("table-filter-narrows", SEARCH), also=WIDE)
class TableFilterIsIgnored(_Ignores):
    """
    dineIn.tableId filters nothing.
    """

    forgotten = ("tableId",)


@defect("waiter-filter-is-ignored", breaks=over("waiter-filter-narrows", SEARCH), also=WIDE)
class WaiterFilterIsIgnored(_Ignores):
    """
    dineIn.waiterId filters nothing: the waiter is taken from the header.
    """

    forgotten = ("waiterId",)


@defect(
    "bookings-filters-are-ignored",
    breaks=[f"{SEARCH}.party-filter-narrows", f"{SEARCH}.reservation-filter-narrows"],
    also=WIDE,
)
class BookingsFiltersAreIgnored(_Ignores):
    """
    dineIn.partyId and dineIn.reservationId filter nothing.
    """

    forgotten = ("partyId", "reservationId")


@defect(
    "filters-match-beginnings",
    breaks=[f"{SEARCH}.table-filter-narrows", f"{SEARCH}.waiter-filter-narrows"],
    also=[*WIDE, f"{SEARCH}.party-filter-narrows", f"{SEARCH}.reservation-filter-narrows"],
)
class FiltersMatchBeginnings(ReferenceEpos):
    """
    Ids are compared with LIKE and a wildcard behind.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return str(order.dine_in.get(name, "")).startswith(value)


@defect(
    "unknown-values-are-ignored",
    breaks=[f"{SEARCH}.party-filter-narrows", f"{SEARCH}.table-filter-narrows"],
    also=[*WIDE, f"{SEARCH}.*-filter-narrows"],
)
class UnknownValuesAreIgnored(ReferenceEpos):
    """
    A filter with a value that the till can't look up is left out.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        known = any(super(UnknownValuesAreIgnored, self).has_detail(each, name, value) for each in self.orders.values())
        return super().has_detail(order, name, value) or not known


@defect("orders-without-party-pass", breaks=over("party-filter-narrows", SEARCH), also=WIDE)
class OrdersWithoutPartyPass(ReferenceEpos):
    """
    An order that has no party passes the filter for any.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return super().has_detail(order, name, value) or (name == "partyId" and name not in order.dine_in)


@defect("reservations-by-party", breaks=over("reservation-filter-narrows", SEARCH), also=[*WIDE, *NARROW])
class ReservationsByParty(ReferenceEpos):
    """
    A search for a reservation answers all orders that have one.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        if name == "reservationId":
            return name in order.dine_in
        return super().has_detail(order, name, value)


@defect("tables-show-their-latest-order", breaks=over("table-filter-finds-its-orders", SEARCH), also=NARROW)
class TablesShowTheirLatestOrder(ReferenceEpos):
    """
    A search for a table finds its latest order: a table has one order, doesn't it.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        if not super().has_detail(order, name, value):
            return False
        return name != "tableId" or order is next(
            each for each in self.newest_orders() if each.dine_in.get("tableId") == value
        )


@defect("tables-show-open-orders", breaks=over("table-filter-finds-its-orders", SEARCH), also=NARROW)
class TablesShowOpenOrders(ReferenceEpos):
    """
    A search for a table leaves out what is finalized or canceled.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return super().has_detail(order, name, value) and not (name == "tableId" and order.status in CLOSED)


@defect("odd-waiters-find-nothing", breaks=over("waiter-filter-finds-its-orders", SEARCH), also=NARROW)
class OddWaitersFindNothing(ReferenceEpos):
    """
    Waiters whose ids have accents are not found.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return super().has_detail(order, name, value) and (name != "waiterId" or value.isascii())


@defect("odd-parties-find-nothing", breaks=over("party-filter-finds-its-orders", SEARCH), also=NARROW)
class OddPartiesFindNothing(ReferenceEpos):
    """
    The id of a party is quoted once too often before it is looked up.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return super().has_detail(order, name, json.dumps(value)[1:-1] if name == "partyId" else value)


@defect("reservations-find-nothing", breaks=over("reservation-filter-finds-its-orders", SEARCH), also=NARROW)
class ReservationsFindNothing(ReferenceEpos):
    """
    A search for a reservation looks for it among the parties.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return super().has_detail(order, "partyId" if name == "reservationId" else name, value)


# Several filters


@defect("any-filter-will-do", breaks=over("filters-combine", SEARCH), also=[f"{SEARCH}.no-match-is-an-empty-page"])
class AnyFilterWillDo(ReferenceEpos):
    """
    Of several filters under dineIn one is enough.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        alone = [{**wanted, "dineIn": {name: value}} for name, value in wanted.get("dineIn", {}).items()]
        return any(super(AnyFilterWillDo, self).is_wanted_order(order, each) for each in alone or [wanted])


@defect("last-filter-wins", breaks=over("filters-combine", SEARCH), also=[f"{SEARCH}.no-match-is-an-empty-page"])
class LastFilterWins(ReferenceEpos):
    """
    Each filter under dineIn replaces the one before.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        last = dict(list(wanted.get("dineIn", {}).items())[-1:])
        return super().is_wanted_order(order, {**wanted, "dineIn": last})


@defect("payable-only-alone", breaks=over("filters-combine", SEARCH), also=WIDE)
class PayableOnlyAlone(ReferenceEpos):
    """
    payableOnly is forgotten where orders are searched for by party.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        if "partyId" in wanted.get("dineIn", {}) or "tableId" in wanted.get("dineIn", {}):
            wanted = {**wanted, "payableOnly": False}
        return super().is_wanted_order(order, wanted)


@defect("third-filter-is-ignored", breaks=over("filters-combine", SEARCH), also=WIDE)
class ThirdFilterIsIgnored(ReferenceEpos):
    """
    There is a query for one filter, and one for two.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        two = dict(list(wanted.get("dineIn", {}).items())[:2])
        return super().is_wanted_order(order, {**wanted, "dineIn": two})


@defect("two-filters-find-nothing", breaks=over("combined-filters-find-their-orders", SEARCH), also=NARROW)
class TwoFiltersFindNothing(ReferenceEpos):
    """
    The values of several filters are bound to the first one's place.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return super().is_wanted_order(order, wanted) and len(wanted.get("dineIn", {})) < 2
