"""
Searching for orders, page by page, as a means: whether the pages are right is for others to find out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from epos_conformance import following
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.following import Row, rows_of
from epos_conformance.verdict import Finding
from epos_conformance.walking import told


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: How far a search is followed; an EPOS may have small pages.
MOST_ROWS = 1000
MOST_PAGES = 30


def pages(partner: Partner, query: Mapping[str, Any], *, demanded: bool = False) -> Iterator[list[Row]]:
    """
    The pages of a search for orders, at most `MOST_PAGES` of them and `MOST_ROWS` rows.

    Raises `Inconclusive` where they are not answered; a `Violation` where that is *demanded*.
    """
    count = 0
    for exchange in following.pages(partial(partner.call, "SearchOrders"), query, most=MOST_PAGES):
        exchange.require_answer()
        if not exchange.succeeded:
            what = f"SearchOrders with {told(query)}" if query else "SearchOrders"
            if not demanded:
                raise Inconclusive(f"needs {what}, but saw {exchange.seen}")
            raise Violation(Finding(what, "a success", exchange.seen))
        rows = [row for row in rows_of(exchange.result) if isinstance(row.get("id"), str)]
        yield rows
        count += len(rows)
        if count >= MOST_ROWS:
            return


def search(partner: Partner, query: Mapping[str, Any], *, demanded: bool = False) -> list[Row]:
    """
    The rows of a search for orders, of all its pages; see `pages`.
    """
    return [row for page in pages(partner, query, demanded=demanded) for row in page]


def row_of(partner: Partner, id: str, query: Mapping[str, Any] | None = None) -> Row | None:
    """
    The row of the order *id* in a search; None where it isn't there.
    """
    for page in pages(partner, query or {}):
        for row in page:
            if row["id"] == id:
                return row
    return None
