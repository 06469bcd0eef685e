"""
Mistakes with limits, filters and empty pages.
"""

from __future__ import annotations

import copy

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import SEARCHES
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import invalid, not_found
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.paging import Row
from epos_conformance.reference.records import Booking, Json, Order


# Limits


@defect("limit-is-one-off", breaks=["*.keeps-to-the-limit"])
class LimitIsOneOff(ReferenceEpos):
    """
    Rows are taken BETWEEN two places, both of which are included.
    """

    def cut(self, keys: Sequence[int], limit: int, after: int | None, before: int | None) -> tuple[int, int]:
        return super().cut(keys, limit + 1, after, before)


@defect(
    "limit-is-for-the-first-page",
    breaks=["*.keeps-to-the-limit"],
    also=over("before-walks-back", *SEARCHES) + over("after-leads-on-from-a-page-reached-by-before", *SEARCHES),
)
class LimitIsForTheFirstPage(ReferenceEpos):
    """
    The pages that a cursor leads to have the usual size, whatever was asked for.
    """

    def limit_of(self, cursor: Json) -> int:
        return self.page_size if "after" in cursor or "before" in cursor else super().limit_of(cursor)


@defect("limit-is-in-the-cursor", breaks=["*.keeps-to-the-limit"])
class LimitIsInTheCursor(ReferenceEpos):
    """
    A cursor carries the limit of the search that it belongs to, and the one of the request is not looked at again.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        known: Json = {}
        for name in ("after", "before"):
            if isinstance(cursor.get(name), str) and "~" in cursor[name]:
                text, _, limit = cursor[name].rpartition("~")
                known = {name: text, "limit": int(limit)}
        found = super().page(kind, rows, {**cursor, **known}, present)
        limit = known.get("limit", self.limit_of(cursor))
        return {name: each if name == "data" else f"{each}~{limit}" for name, each in found.items()}


@defect("limit-is-not-for-the-way-back", breaks=["*.keeps-to-the-limit"], also=over("before-walks-back", *SEARCHES))
class LimitIsNotForTheWayBack(ReferenceEpos):
    """
    Everything before the cursor is answered, not just a page of it.
    """

    def limit_of(self, cursor: Json) -> int:
        return 1000 if "before" in cursor else super().limit_of(cursor)


class _AnyLimit(ReferenceEpos):
    """
    Limits are not validated by the schema.
    """

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        wanted = super().request_schema(capability)
        if wanted is None or "cursor" not in wanted.get("properties", {}):
            return wanted
        free = copy.deepcopy(dict(wanted))
        text = {"type": "string"}
        members = {"limit": {"type": "integer"}, "before": text, "after": text}
        free["properties"]["cursor"] = {"type": "object", "properties": members}
        return free


@defect("limit-of-zero-is-none", breaks=["*.refuses-a-limit-of-zero"])
class LimitOfZeroIsNone(_AnyLimit):
    """
    A limit of 0 is falsy, and so as good as absent.
    """

    def limit_of(self, cursor: Json) -> int:
        limit = cursor.get("limit") or self.page_size
        if not 1 <= limit <= 100:
            raise invalid("cursor.limit is 1 to 100")
        return int(limit)


@defect("limit-of-zero-divides", breaks=["*.refuses-a-limit-of-zero"])
class LimitOfZeroDivides(_AnyLimit):
    """
    The number of pages is worked out before the limit is looked at.
    """

    def limit_of(self, cursor: Json) -> int:
        limit = cursor.get("limit", self.page_size)
        divmod(len(self.orders), limit)
        if not 1 <= limit <= 100:
            raise invalid("cursor.limit is 1 to 100")
        return int(limit)


@defect("negative-limit-cuts-the-end", breaks=["*.refuses-a-negative-limit"])
class NegativeLimitCutsTheEnd(_AnyLimit):
    """
    A limit below 0 is handed to a slice, which drops that many rows from the end.
    """

    def limit_of(self, cursor: Json) -> int:
        limit = int(cursor.get("limit", self.page_size))
        if limit == 0 or limit > 100:
            raise invalid("cursor.limit is 1 to 100")
        return limit

    def cut(self, keys: Sequence[int], limit: int, after: int | None, before: int | None) -> tuple[int, int]:
        return super().cut(keys, limit if limit > 0 else len(keys) + limit, after, before)


@defect("negative-limit-is-checked-at-first", breaks=["*.refuses-a-negative-limit"])
class NegativeLimitIsCheckedAtFirst(_AnyLimit):
    """
    The limit is validated where there is no cursor; behind one it is taken as it comes.
    """

    def limit_of(self, cursor: Json) -> int:
        limit = int(cursor.get("limit", self.page_size))
        if not 1 <= limit <= 100 and not (limit < 0 and "after" in cursor):
            raise invalid("cursor.limit is 1 to 100")
        return abs(limit)


@defect("large-limits-are-cut-down", breaks=["*.refuses-a-limit-over-a-hundred"])
class LargeLimitsAreCutDown(_AnyLimit):
    """
    A limit above 100 is taken for 100.
    """

    def limit_of(self, cursor: Json) -> int:
        limit = int(cursor.get("limit", self.page_size))
        if limit < 1:
            raise invalid("cursor.limit is at least 1")
        return min(limit, 100)


@defect("limit-is-a-small-integer", breaks=["*.refuses-a-limit-over-a-hundred"])
class LimitIsASmallInteger(_AnyLimit):
    """
    A limit that does not fit into four bytes crashes the database driver.
    """

    def limit_of(self, cursor: Json) -> int:
        limit = int(cursor.get("limit", self.page_size))
        limit.to_bytes(4, "big", signed=True)
        if not 1 <= limit <= 100:
            raise invalid("cursor.limit is 1 to 100")
        return limit


@defect(
    "limit-is-below-a-hundred", breaks=["*.accepts-a-limit-of-a-hundred"], also=over("answer-matches-schema", *SEARCHES)
)
class LimitIsBelowAHundred(ReferenceEpos):
    """
    A limit of 100 is refused: it has to be less.
    """

    def limit_of(self, cursor: Json) -> int:
        if cursor.get("limit", 0) >= 100:
            raise invalid("cursor.limit is less than 100")
        return super().limit_of(cursor)


@defect("limit-is-above-one", breaks=["*.accepts-a-limit-of-one"], also=["*.unknown-cursor-is-no-crash"])
class LimitIsAboveOne(ReferenceEpos):
    """
    A limit of 1 is refused: it has to be more.
    """

    def limit_of(self, cursor: Json) -> int:
        if "limit" in cursor and cursor["limit"] <= 1:
            raise invalid("cursor.limit is more than 1")
        return super().limit_of(cursor)


@defect(
    "no-page-without-a-limit",
    breaks=["*.works-without-a-cursor"],
    also=over("walk-leaves-out-no-row", *SEARCHES),
)
class NoPageWithoutALimit(ReferenceEpos):
    """
    A search that names no limit is answered with no rows.
    """

    page_size = 0


@defect(
    "cursor-is-required",
    breaks=["*.works-without-a-cursor"],
    also=["Search*", "*.answers-*", "rest.survives-an-empty-query"],
)
class CursorIsRequired(ReferenceEpos):
    """
    A search without a cursor is refused.
    """

    def validate(self, call: Call) -> None:
        super().validate(call)
        if call.capability.name.startswith("Search") and "cursor" not in call.body:
            raise invalid("cursor is required")


# Nothing found


@defect("no-match-is-not-found", breaks=["*.no-match-is-an-empty-page"], also=["Search*.answer-matches-schema"])
class NoMatchIsNotFound(ReferenceEpos):
    """
    A search that nothing matches is NotFound.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        if not rows:
            raise not_found(kind, "that matches")
        return super().page(kind, rows, cursor, present)


@defect("no-match-crashes", breaks=["*.no-match-is-an-empty-page"], also=["Search*.answer-matches-schema"])
class NoMatchCrashes(ReferenceEpos):
    """
    The cursors are made of the first and the last row, though there may be none.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        rows[0], rows[-1]
        return super().page(kind, rows, cursor, present)


@defect(
    "no-match-has-no-data",
    breaks=over("no-match-is-an-empty-page", "SearchReservations"),
    also=["Search*.answer-matches-schema"],
)
class NoMatchHasNoData(ReferenceEpos):
    """
    An empty list of reservations is left out of the answer, as all empty members are.
    """

    def search_reservations(self, call: Call) -> Json:
        found = super().search_reservations(call)
        return {name: value for name, value in found.items() if value}


# Filters


@defect(
    "orders-filter-is-for-the-first-page",
    breaks=over("filter-holds-on-every-page", "SearchOrders"),
    also=["SearchOrders.*"],
)
class OrdersFilterIsForTheFirstPage(ReferenceEpos):
    """
    The cursor of SearchOrders leads on through all orders, whatever was searched for.
    """

    def search_orders(self, call: Call) -> Json:
        if "after" in call.body.get("cursor", {}):
            call.body.pop("dineIn", None)
            call.body.pop("payableOnly", None)
        return super().search_orders(call)


@defect(
    "only-the-table-is-remembered",
    breaks=over("filter-holds-on-every-page", "SearchOrders"),
    also=["SearchOrders.*"],
)
class OnlyTheTableIsRemembered(ReferenceEpos):
    """
    Behind a cursor, SearchOrders narrows by table alone.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        if "after" in wanted.get("cursor", {}):
            table = wanted.get("dineIn", {}).get("tableId")
            wanted = {"dineIn": {"tableId": table}} if table is not None else {}
        return super().is_wanted_order(order, wanted)


@defect(
    "tables-filter-is-for-the-first-page",
    breaks=over("filter-holds-on-every-page", "SearchTables"),
    also=["SearchTables.*"],
)
class TablesFilterIsForTheFirstPage(ReferenceEpos):
    """
    Behind a cursor, SearchTables forgets the area and the waiter.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        return super().is_wanted_table(table, {} if "after" in wanted.get("cursor", {}) else wanted)


@defect(
    "completed-is-for-the-first-page",
    breaks=over("filter-holds-on-every-page", "SearchParties"),
    also=["SearchParties.*"],
)
class CompletedIsForTheFirstPage(ReferenceEpos):
    """
    Behind a cursor, SearchParties starts over with those that are there, whoever was asked for.
    """

    def search_parties(self, call: Call) -> Json:
        if call.body.get("completedOnly") and "after" in call.body.get("cursor", {}):
            return super().search_parties(
                replace(call, body={"cursor": {"limit": call.body["cursor"].get("limit", 20)}})
            )
        return super().search_parties(call)


@defect(
    "interval-is-for-the-first-page",
    breaks=over("filter-holds-on-every-page", "SearchReservations"),
    also=["SearchReservations.*"],
)
class IntervalIsForTheFirstPage(ReferenceEpos):
    """
    Behind a cursor, SearchReservations narrows neither by table nor by time.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        return super().is_wanted_reservation(reservation, {} if "after" in wanted.get("cursor", {}) else wanted)
