"""
Freedoms in how pages are cut, ordered and named.
"""

from __future__ import annotations

import itertools
import random

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, invalid
from epos_conformance.reference.faults import variant
from epos_conformance.reference.paging import Row
from epos_conformance.reference.records import Json, Order


class _Pages(ReferenceEpos):
    """
    A way to go over the finished page.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        found = super().page(kind, rows, cursor, present)
        return self.finished(kind, [key for key, _ in rows], cursor, found)

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        return page


@variant("cursors-at-both-ends")
class CursorsAtBothEnds(_Pages):
    """
    Every page that has rows names both its neighbours, also where those are empty.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        if not page["data"]:
            return {"data": []}
        ends = {"before": self.write_cursor(kind, keys[0]), "after": self.write_cursor(kind, keys[-1])}
        return {**ends, **page}


@variant("empty-pages-lead-on")
class EmptyPagesLeadOn(CursorsAtBothEnds):
    """
    An empty page names the cursor that led to it: there may be more later.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        found = super().finished(kind, keys, cursor, page)
        return {**found, "after": cursor["after"]} if not page["data"] and "after" in cursor else found


@variant("no-way-back")
class NoWayBack(_Pages):
    """
    No page names a before.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        return {name: value for name, value in page.items() if name != "before"}


@variant("way-back-is-reversed")
class WayBackIsReversed(_Pages):
    """
    Pages that before leads to are told from their end.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        return {**page, "data": page["data"][::-1]} if "before" in cursor else page


@variant("cursors-are-empty-texts")
class CursorsAreEmptyTexts(_Pages):
    """
    Where there is no neighbour, the cursor is an empty text.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        return {"before": "", "after": "", **page}


@variant("three-rows-a-page")
class ThreeRowsAPage(ReferenceEpos):
    """
    A page has three rows at most, however many are asked for.
    """

    def limit_of(self, cursor: Json) -> int:
        return min(3, super().limit_of(cursor))


@variant("long-cursors")
class LongCursors(ReferenceEpos):
    """
    Cursors are two thousand characters of all kinds.
    """

    PADDING = "é☕=/+ '\"" * 250

    def write_cursor(self, kind: str, key: int) -> str:
        return self.PADDING + super().write_cursor(kind, key)

    def read_cursor(self, kind: str, text: str) -> int:
        if not text.startswith(self.PADDING):
            raise invalid("that is no cursor of this till")
        return super().read_cursor(kind, text.removeprefix(self.PADDING))


@variant("unknown-cursors-start-over")
class UnknownCursorsStartOver(ReferenceEpos):
    """
    A cursor that means nothing leads to the first page.
    """

    def read_cursor(self, kind: str, text: str) -> int:
        try:
            return super().read_cursor(kind, text)
        except EposError:
            return -(10**9)


@variant("filters-after-cutting")
class FiltersAfterCutting(ReferenceEpos):
    """
    A page is cut first and filtered then: it may be short, or empty, and yet not be the last.
    """

    def search_orders(self, call: Call) -> Json:
        rows = [(-each.number, each) for each in self.newest_orders()]
        page = self.page("orders", rows, call.body.get("cursor", {}), lambda each: each)
        wanted: list[Order] = [each for each in page["data"] if self.is_wanted_order(each, call.body)]
        return {**page, "data": [self.present_order(each) for each in wanted]}

    def search_tables(self, call: Call) -> Json:
        rows = list(enumerate(self.venue.tables, 1))
        page = self.page("tables", rows, call.body.get("cursor", {}), lambda each: each)
        return {
            **page,
            "data": [self.present_table(each) for each in page["data"] if self.is_wanted_table(each, call.body)],
        }


@variant("searches-are-kept")
class SearchesAreKept(ReferenceEpos):
    """
    A cursor is the name of a search that the till keeps, and stays the same from page to page; none leads back.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.names = itertools.count(1)
        self.kept: dict[str, list[Any]] = {}

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        self.check_cursor(cursor)
        limit = self.limit_of(cursor)
        name = cursor.get("after", f"{kind}-{next(self.names)}")
        if "before" in cursor or ("after" in cursor and (name not in self.kept or not name.startswith(kind))):
            raise invalid("there is no such search")
        left: list[Any] = self.kept[name] if "after" in cursor else self.found(rows)
        self.kept[name] = left[limit:]
        found: Json = {"data": [present(row) for row in left[:limit]]}
        return {**found, "after": name} if self.kept[name] else found

    def found(self, rows: Sequence[tuple[int, Row]]) -> list[Row]:
        return [row for _, row in rows]


@variant("searches-are-shuffled")
class SearchesAreShuffled(SearchesAreKept):
    """
    Each search has an order of its own, which its pages keep to.
    """

    def found(self, rows: Sequence[tuple[int, Row]]) -> list[Row]:
        return random.sample(super().found(rows), len(rows))


@variant("sorted-by-time")
class SortedByTime(ReferenceEpos):
    """
    Parties and reservations come in the order of their times, so that new ones come in between.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        if kind in ("parties", "reservations"):
            rows = sorted(((self.place(row), row) for _, row in rows), key=lambda each: each[0])
        return super().page(kind, rows, cursor, present)

    def place(self, row: Any) -> int:
        return int(row.given["startTime"].timestamp() * 1000) * 10**6 + int(row.number)


@variant("guests-come-and-go")
class GuestsComeAndGo(ReferenceEpos):
    """
    Every few searches a new order arrives, and an older one of those is taken out of the till.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.searches = 0
        self.guests: list[str] = []

    def search_orders(self, call: Call) -> Json:
        self.searches += 1
        if self.searches % 7 == 0:
            self.arrive()
        if self.searches % 11 == 0 and len(self.guests) > 3:
            self.orders.pop(self.guests.pop(0))
        return super().search_orders(call)

    def arrive(self) -> None:
        """A guest orders what somebody else had."""
        model = self.venue.orders[self.searches % len(self.venue.orders)]
        body = {**model.given, "payments": [], "dojoOrderId": f"till-{self.searches}"}
        body.pop("reference", None)
        self.guests.append(self.store_order(body).id)
