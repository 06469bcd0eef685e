"""
Mistakes with cursors: rows that come twice or never, and walks without an end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import SEARCHES
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import not_found
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.paging import Row
from epos_conformance.reference.records import Booking, Json, Order


#: What depends on where cursors lead.
WALKS = (
    *over("walks-each-row-once", *SEARCHES),
    *over("walk-leaves-out-no-row", *SEARCHES),
    *over("walk-comes-to-an-end", *SEARCHES),
    *over("filter-holds-on-every-page", *SEARCHES),
    *over("empty-page-carries-no-after", *SEARCHES),
    *over("new-rows-repeat-none", *SEARCHES),
    *over("new-rows-hide-none", *SEARCHES),
)

WAYS_BACK = (
    *over("before-walks-back", *SEARCHES),
    *over("after-leads-on-from-a-page-reached-by-before", *SEARCHES),
)


class Pages(ReferenceEpos):
    """
    Gives each search its `rows`, in the order of their keys, and a way to go over the finished page.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        found = super().page(kind, rows, cursor, present)
        return self.finished(kind, [key for key, _ in rows], cursor, found)

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        return page


# Rows that come twice


@defect("after-is-inclusive", breaks=["*.walks-each-row-once", "*.walk-comes-to-an-end"], also=[*WALKS, *WAYS_BACK])
class AfterIsInclusive(ReferenceEpos):
    """
    The next page begins with the row that ended the last one: >= where > was meant.
    """

    def cut(self, keys: Sequence[int], limit: int, after: int | None, before: int | None) -> tuple[int, int]:
        return super().cut(keys, limit, None if after is None else after - 1, before)


@defect("orders-come-with-their-payments", breaks=over("walks-each-row-once", "SearchOrders"), also=["SearchOrders.*"])
class OrdersComeWithTheirPayments(ReferenceEpos):
    """
    Orders are joined with their payments: one that was paid in two parts is found twice.
    """

    def search_orders(self, call: Call) -> Json:
        rows: list[tuple[int, Order]] = []
        for each in self.newest_orders():
            if self.is_wanted_order(each, call.body):
                rows += [(-each.number, each)] * max(1, len(each.payments))
        return self.page("orders", rows, call.body.get("cursor", {}), self.present_order)


@defect("pages-overlap-at-limit-one", breaks=["*.walks-each-row-once"], also=[*WALKS, *WAYS_BACK])
class PagesOverlapAtLimitOne(Pages):
    """
    after names the row before the last of its page, which a page of one row has not.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        if "after" in page and cursor.get("limit") == 1:
            key = self.read_cursor(kind, page["after"])
            return {**page, "after": self.write_cursor(kind, key - 1)}
        return page


# Rows that never come


@defect("last-page-is-dropped", breaks=["*.walk-leaves-out-no-row"], also=WALKS)
class LastPageIsDropped(Pages):
    """
    after is left out where the next page would not be full.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        if "after" in page:
            behind = sum(key > self.read_cursor(kind, page["after"]) for key in keys)
            if behind < len(page["data"]):
                return {name: value for name, value in page.items() if name != "after"}
        return page


@defect("row-behind-the-cursor-is-skipped", breaks=["*.walk-leaves-out-no-row"], also=[*WALKS, *WAYS_BACK])
class RowBehindTheCursorIsSkipped(ReferenceEpos):
    """
    The cursor counts from 1 and the list from 0.
    """

    def cut(self, keys: Sequence[int], limit: int, after: int | None, before: int | None) -> tuple[int, int]:
        start, end = super().cut(keys, limit, after, before)
        return (start, end) if after is None else (min(start + 1, len(keys)), min(len(keys), end + 1))


@defect("pages-end-at-twenty", breaks=["*.walk-leaves-out-no-row"], also=["*"])
class PagesEndAtTwenty(Pages):
    """
    A search looks at the first 20 rows alone, and then hands them out in pages.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        return super().page(kind, rows[:20] if cursor.get("limit", 20) < 20 else rows, cursor, present)


def _ties(rows: Sequence[tuple[int, Any]]) -> list[int]:
    """A key for each row, which those of one time share."""
    moments: dict[datetime | int, int] = {}
    found = []
    for key, row in rows:
        moment: datetime | int = key
        if isinstance(row, Order):
            moment = row.created.replace(microsecond=0)
        elif isinstance(row, Booking):
            moment = row.given["startTime"].replace(microsecond=0)
        found.append(moments.setdefault(moment, key))
    return found


@defect(
    "cursor-is-a-time",
    breaks=over("walk-leaves-out-no-row", "SearchOrders", "SearchReservations"),
    also=[*WALKS, *WAYS_BACK],
)
class CursorIsATime(ReferenceEpos):
    """
    A cursor names the second that the last row is of; of those of the same second, the rest is skipped.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        shared = _ties(rows)
        ordered = sorted(zip(shared, (row for _, row in rows), strict=True), key=lambda each: each[0])
        return super().page(kind, ordered, cursor, present)


@defect(
    "second-page-crashes",
    breaks=["*.walk-comes-to-an-end", "*.walk-leaves-out-no-row"],
    also=[*WALKS, *WAYS_BACK, "Search*.accepts-a-limit-of-one"],
)
class SecondPageCrashes(ReferenceEpos):
    """
    The name of the key changed, and the reading of cursors did not.
    """

    def read_cursor(self, kind: str, text: str) -> int:
        return {"row": super().read_cursor(kind, text)}["key"]


# Walks without an end


@defect("last-page-leads-to-itself", breaks=["*.walk-comes-to-an-end"], also=[*WALKS, *WAYS_BACK])
class LastPageLeadsToItself(Pages):
    """
    Where there is no next page, after names this one.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        if "after" in page or not page["data"] or "after" not in cursor:
            return page
        return {**page, "after": cursor["after"]}


@defect("last-page-leads-to-the-first", breaks=["*.walk-comes-to-an-end"], also=[*WALKS, *WAYS_BACK])
class LastPageLeadsToTheFirst(Pages):
    """
    Where the last page is full, after names the place before the first row: the count modulo the limit.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        if "after" not in page and "limit" in cursor and len(page["data"]) == cursor["limit"]:
            return {**page, "after": self.write_cursor(kind, keys[0] - 1)}
        return page


@defect("empty-page-leads-on", breaks=["*.empty-page-carries-no-after"])
class EmptyPageLeadsOn(Pages):
    """
    Every page names a next one, also those that nothing is on.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        last = page.get("after") or cursor.get("after")
        if page["data"] and keys:
            last = page.get("after") or self.write_cursor(kind, keys[-1])
        return {**page, "after": last} if last else page


# Rows that appear


@defect("cursors-count-rows", breaks=["*.new-rows-repeat-none"], also=WALKS)
class CursorsCountRows(ReferenceEpos):
    """
    Cursors are offsets: a new order at the top shifts all others to the next page.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        return super().page(kind, [(place, row) for place, (_, row) in enumerate(rows)], cursor, present)


@defect(
    "cursor-dies-with-a-change",
    breaks=over("new-rows-hide-none", "SearchOrders", "SearchParties", "SearchReservations"),
    also=[*WALKS, *WAYS_BACK],
)
class CursorDiesWithAChange(ReferenceEpos):
    """
    A cursor belongs to a snapshot, and is NotFound as soon as a new row has come.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        newest = min((key for key, _ in rows), default=0)
        for name in ("after", "before"):
            if name in cursor:
                stamp, _, rest = cursor[name].partition(".")
                if kind != "tables" and stamp != f"{newest}":
                    raise not_found("cursor", cursor[name])
                cursor = {**cursor, name: rest}
        found = super().page(kind, rows, cursor, present)
        return {name: f"{newest}.{value}" if name != "data" else value for name, value in found.items()}


@defect(
    "cursor-counts-from-the-end",
    breaks=over("new-rows-hide-none", "SearchOrders", "SearchParties", "SearchReservations"),
    also=[*WALKS, *WAYS_BACK],
)
class CursorCountsFromTheEnd(ReferenceEpos):
    """
    A cursor counts the rows that are left, in a list whose first page is cut where the shift ended it.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        counted = [(place - 2 * len(rows), row) for place, (_, row) in enumerate(rows)]
        return super().page(kind, counted, cursor, present)
