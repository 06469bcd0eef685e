"""
Mistakes of filters that take an id for a pattern.
"""

from __future__ import annotations

import re

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json, Order


def is_like(value: object, pattern: str) -> bool:
    """Whether SQL's LIKE takes *value* for one of *pattern*."""
    parts = {"%": ".*", "_": "."}
    return re.fullmatch("".join(parts.get(each) or re.escape(each) for each in pattern), str(value)) is not None


@defect("order-filters-are-patterns", breaks=["SearchOrders.table-filter-narrows"], also=["SearchOrders.*-narrows"])
class OrderFiltersArePatterns(ReferenceEpos):
    """
    Orders are looked for with LIKE, as the till's own search box does.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return name in order.dine_in and is_like(order.dine_in[name], value)


@defect("table-filters-are-patterns", breaks=["SearchTables.area-filter-narrows"])
class TableFiltersArePatterns(ReferenceEpos):
    """
    The tables of an area are looked for with LIKE.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        if "areaId" in wanted and is_like(table["areaId"], wanted["areaId"]):
            wanted = {**wanted, "areaId": table["areaId"]}
        return super().is_wanted_table(table, wanted)


def at_table(guests: Booking, wanted: Json) -> Json:
    """*wanted*, with the table of the *guests* that its own is like."""
    like = (each for each in guests.given["tableIds"] if is_like(each, wanted.get("tableId", "")))
    return {**wanted, "tableId": table} if (table := next(like, None)) else wanted


@defect("guests-are-searched-by-patterns", breaks=["SearchParties.table-filter-narrows"])
class GuestsAreSearchedByPatterns(ReferenceEpos):
    """
    The guests of a table are looked for with LIKE in a list of tables.
    """

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        return super().is_wanted_party(party, at_table(party, wanted))


@defect("reservations-are-searched-by-patterns", breaks=["SearchReservations.table-filter-narrows"])
class ReservationsAreSearchedByPatterns(ReferenceEpos):
    """
    The reservations of a table are looked for with LIKE in a list of tables.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        return super().is_wanted_reservation(reservation, at_table(reservation, wanted))
