"""
Following a search from page to page, to see what a partner has.

For reading alone: how a partner pages is judged by `walking`, which forgives nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from epos_conformance.exchange import Exchange


#: A row of a search, an order, a party: JSON as the partner sent it.
Row = Mapping[str, Any]

#: Rows asked for at a time: the most that the contract allows.
PAGE = 100


def rows_of(result: Any) -> list[Row]:
    """
    The rows of a search's result: of one page, or of SearchTables' array of pages. Whatever is no object is left out.
    """
    pages = result if isinstance(result, list) else [result]
    return [
        row
        for page in pages
        if isinstance(page, dict) and isinstance(page.get("data"), list)
        for row in page["data"]
        if isinstance(row, dict)
    ]


def pages(ask: Callable[[dict[str, Any]], Exchange], query: Mapping[str, Any], *, most: int) -> Iterator[Exchange]:
    """
    The answers to *query*, page by page, *most* of them; *ask* sends a search. One that is no success is the last.

    An EPOS may allow less than the contract does: where it refuses the first page, it is asked for the pages that it
    gives by itself. A cursor that comes again may stand for a search that it keeps: it leads on while rows are new.
    """
    size: dict[str, Any] = {"limit": PAGE}
    cursor, seen, known = size, set[str](), set[str]()
    again = False
    for page in range(most):
        exchange = ask({**query, "cursor": cursor})
        if not exchange.succeeded and page == 0:
            exchange, size = ask(dict(query)), {}
        new = {row["id"] for row in rows_of(exchange.result) if isinstance(row.get("id"), str)} - known
        if again and exchange.succeeded and not new:
            return
        yield exchange
        after = exchange.result.get("after") if isinstance(exchange.result, dict) else None
        if not isinstance(after, str) or not after:
            return
        known |= new
        again = after in seen
        seen.add(after)
        cursor = {**size, "after": after}
