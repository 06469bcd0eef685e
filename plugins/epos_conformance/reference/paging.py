"""
Pages: cut by the place of a row in the order of arrival, so that rows which come or go in between move no others.
"""

from __future__ import annotations

import json

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from epos_conformance.reference.core import Core
from epos_conformance.reference.errors import invalid
from epos_conformance.reference.records import Json


Row = TypeVar("Row")


class Paging(Core):
    """
    What every search does with its rows.
    """

    #: Rows of a page when the request names no limit.
    page_size = 20

    def page(
        self,
        kind: str,
        rows: Sequence[tuple[int, Row]],
        cursor: Json,
        present: Callable[[Row], Any],
    ) -> Json:
        """
        One page of *rows*, which are sorted by their keys.
        """
        self.check_cursor(cursor)
        limit = self.limit_of(cursor)
        after = self.read_cursor(kind, cursor["after"]) if "after" in cursor else None
        before = self.read_cursor(kind, cursor["before"]) if "before" in cursor else None
        start, end = self.cut([key for key, _ in rows], limit, after, before)
        found: Json = {"data": [present(row) for _, row in rows[start:end]]}
        if 0 < start < len(rows):
            # An empty page behind the last row names no row of its own to go back from.
            found["before"] = self.write_cursor(kind, rows[start][0])
        if 0 < end < len(rows):
            found["after"] = self.write_cursor(kind, rows[end - 1][0])
        return found

    def check_cursor(self, cursor: Json) -> None:
        """Either end may be named, not both."""
        if "before" in cursor and "after" in cursor:
            raise invalid("cursor.before and cursor.after exclude each other")

    def limit_of(self, cursor: Json) -> int:
        """How many rows are wanted; the schema has seen to it that it is 1 to 100."""
        return int(cursor.get("limit", self.page_size))

    def cut(self, keys: Sequence[int], limit: int, after: int | None, before: int | None) -> tuple[int, int]:
        """Where the page starts and ends in *keys*."""
        if before is not None:
            end = sum(key < before for key in keys)
            return max(0, end - limit), end
        start = 0 if after is None else sum(key <= after for key in keys)
        return start, min(len(keys), start + limit)

    def write_cursor(self, kind: str, key: int) -> str:
        """A row's place, as an opaque text."""
        return urlsafe_b64encode(json.dumps([kind, key]).encode()).decode().rstrip("=")

    def read_cursor(self, kind: str, text: str) -> int:
        """The place that a cursor of ours names."""
        try:
            owner, key = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, TypeError, RecursionError) as reason:
            raise invalid(f"{text!r} is no cursor of this till") from reason
        if owner != kind or not isinstance(key, int):
            raise invalid(f"{text!r} is no cursor of this search")
        return key
