"""
Walks through the pages of a search: forward by ``after`` and back by ``before``, each within bounds.

What is amiss in them is for `amiss` to tell.
"""

from __future__ import annotations

import json

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import Exchange
from epos_conformance.following import Row, rows_of


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

SEARCHES = ("SearchOrders", "SearchTables", "SearchParties", "SearchReservations")

#: The largest page that may be asked for.
LARGEST = 100

#: Rows and pages that are read of a big venue; the rest of it is not looked at.
MOST_ROWS = 600
MOST_PAGES = 40

#: Pages in a row that bring nothing, before a walk that names ever new cursors is given up.
_MOST_EMPTY = 30

#: Pages in a row that bring nothing new, before a walk goes in a circle: one may be due to a row that came meanwhile.
_MOST_STALE = 3


class Refused(Inconclusive):
    """
    A search was not answered with a page.
    """

    def __init__(self, what: str, seen: str) -> None:
        super().__init__(f"{what} does not begin: {seen}")
        self.seen = seen


class End(StrEnum):
    """How a walk ended."""

    #: The last page names no ``after``.
    LAST = "a last page without after"
    #: A page without rows that leads to itself.
    EMPTY = "an empty page"
    #: The pages bring the same rows again.
    CIRCLE = "the same rows again"
    #: A page that an ``after`` leads to is not answered.
    REFUSED = "an error"
    #: There was more than we wanted to see.
    CUT = "more pages than were asked for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    One answer of a search.
    """

    #: As it was sent; None where none was.
    cursor: Mapping[str, Any] | None
    rows: list[Row]
    #: How many rows each page of it has: over REST, SearchTables may answer several at once.
    sizes: tuple[int, ...]
    before: str | None
    after: str | None
    #: What came instead of a page.
    refusal: str | None = None

    @property
    def keys(self) -> list[str]:
        return [key(row) for row in self.rows]


@dataclass(kw_only=True)
class Walk:
    """
    The pages of a search, from the first one on.
    """

    query: Mapping[str, Any]
    #: None where the EPOS chose it.
    limit: int | None
    pages: list[Page] = field(default_factory=list)
    end: End = End.CUT

    @property
    def rows(self) -> list[Row]:
        return [row for page in self.pages for row in page.rows]

    @property
    def keys(self) -> list[str]:
        return [each for page in self.pages for each in page.keys]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is behind its last page."""
        return self.end in (End.LAST, End.EMPTY)

    def __str__(self) -> str:
        size = "without a limit" if self.limit is None else f"with limit {self.limit}"
        return f"a walk {size}{_told(self.query)}"


def key(row: Row) -> str:
    """What a row is told by: its id, or all of it where it has none."""
    id = row.get("id")
    return id if isinstance(id, str) and id else json.dumps(row, sort_keys=True, ensure_ascii=False)


def told(query: Mapping[str, Any]) -> str:
    """*query* in a few words: ``dineIn.tableId table-7``."""
    found = []
    for name, value in query.items():
        if isinstance(value, Mapping):
            found += [f"{name}.{told({inner: each})}" for inner, each in value.items()]
        else:
            found.append(f"{name} {value if isinstance(value, str) else json.dumps(value)}")
    return ", ".join(found)


def _told(query: Mapping[str, Any]) -> str:
    return f" and {told(query)}" if query else ""


# Asking


def ask(partner: Partner, capability: str, query: Mapping[str, Any], cursor: Mapping[str, Any] | None = None) -> Page:
    """
    The page of *capability* for *query* and *cursor*, or the refusal that came instead.

    Raises `Inconclusive` where the partner is overloaded.
    """
    exchange = partner.call(capability, dict(query) if cursor is None else {**query, "cursor": dict(cursor)})
    return page_of(exchange, cursor)


def page_of(exchange: Exchange, cursor: Mapping[str, Any] | None = None) -> Page:
    """The answer of a search as a page."""
    exchange.require_answer()
    result = exchange.result
    parts = [each for each in result if isinstance(each, dict)] if isinstance(result, list) else [result]
    is_page = isinstance(result, list) or (isinstance(result, dict) and isinstance(result.get("data"), list))
    refusal = None if is_page else exchange.seen
    return Page(
        cursor=cursor,
        rows=rows_of(result),
        sizes=tuple(len(rows_of(each)) for each in parts),
        before=_cursor(parts[0], "before") if parts else None,
        after=_cursor(parts[-1], "after") if parts else None,
        refusal=refusal,
    )


def _cursor(page: Any, name: str) -> str | None:
    """A cursor of *page*; an empty one is none."""
    found = page.get(name) if isinstance(page, dict) else None
    return found if isinstance(found, str) and found else None


def walk(
    partner: Partner,
    capability: str,
    limit: int | None,
    query: Mapping[str, Any] | None = None,
    *,
    most: int = 12,
    between: Callable[[Walk], None] | None = None,
) -> Walk:
    """
    Follow ``after`` from the first page on, for at most *most* pages that bring rows, and `MOST_ROWS` of these.

    *between* two pages is time for something to happen.

    Raises `Refused` where there is no first page.
    """
    found = Walk(query=query or {}, limit=limit)
    cursor: dict[str, Any] | None = None if limit is None else {"limit": limit}
    asked: set[str] = set()
    seen: set[str] = set()
    empty = stale = 0
    while True:
        page = ask(partner, capability, found.query, cursor)
        if page.refusal and not found.pages:
            raise Refused(str(found), page.refusal)
        found.pages.append(page)
        news = {*page.keys} - seen
        seen |= news
        empty = 0 if page.rows else empty + 1
        stale = 0 if news or not page.rows else stale + 1
        if end := _end(found, page, asked, empty, stale, most):
            found.end = end
            return found
        assert page.after is not None
        asked.add(page.after)
        if between is not None:
            between(found)
        cursor = {**({} if limit is None else {"limit": limit}), "after": page.after}


def _end(found: Walk, page: Page, asked: set[str], empty: int, stale: int, most: int) -> End | None:
    """How the walk ends with *page*; None where it goes on."""
    if page.refusal:
        return End.REFUSED
    if page.after is None:
        return End.LAST
    if not page.rows and page.after in asked:
        return End.EMPTY
    if empty >= _MOST_EMPTY:
        return End.CUT  # of pages that are filtered after they were cut, many may be empty
    # A cursor that comes again may be the name of a search that the EPOS keeps track of, as long as rows come.
    if stale and (page.after in asked or stale >= _MOST_STALE):
        return End.CIRCLE
    is_enough = sum(bool(each.rows) for each in found.pages) >= most or len(found.rows) >= MOST_ROWS
    return End.CUT if is_enough else None


def whole(partner: Partner, capability: str, query: Mapping[str, Any] | None = None) -> Walk:
    """
    The rows of a search, in pages as large as the EPOS makes them; of a big venue only the first ones.
    """
    try:
        return walk(partner, capability, LARGEST, query, most=MOST_PAGES)
    except Refused:
        # An EPOS may allow less than the contract does: take the pages that it gives by itself.
        return walk(partner, capability, None, query, most=MOST_PAGES)


def limits(total: int) -> list[int | None]:
    """
    The page sizes to walk through *total* rows with: small ones, one that they fill to the last page, one that leaves a
    single row for it, all of them at once, and the EPOS's own.
    """
    full = next((total // pages for pages in (2, 3, 4, 5, 6, 7) if total % pages == 0), total)
    single = next(((total - 1) // pages for pages in (2, 3, 4, 5, 6) if (total - 1) % pages == 0), 2)
    fitting = [each for each in (full, single, total) if 1 <= each <= LARGEST]
    return [*dict.fromkeys([1, 2, 3, *fitting]), None]


def back(partner: Partner, capability: str, start: Page, limit: int | None, query: Mapping[str, Any]) -> Page | None:
    """
    The page that the ``before`` of *start* leads to; None where it names none.
    """
    if start.before is None:
        return None
    return ask(partner, capability, query, {**({} if limit is None else {"limit": limit}), "before": start.before})


# Comparing


def is_same(expected: Sequence[str], seen: Sequence[str]) -> bool:
    """Whether two pages have the same rows, in any order: a page reached by ``before`` may be told from its end."""
    return Counter(expected) == Counter(seen)


def listed(keys: Iterable[str], most: int = 5) -> str:
    """*keys* in one line, the first few of many."""
    every = list(keys)
    if not every:
        return "no rows"
    shown = ", ".join(each if len(each) <= 60 else f"{each[:57]}..." for each in every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"
