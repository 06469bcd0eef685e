"""
Mistakes with cursors: ways back that lead elsewhere, and cursors that nobody was given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from epos_conformance.reference.defects.paging_cursors import WAYS_BACK, Pages
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, invalid
from epos_conformance.reference.faults import defect
from epos_conformance.reference.paging import Row
from epos_conformance.reference.records import Json


# Ways back


@defect("before-starts-at-the-first-row", breaks=["*.before-walks-back"], also=WAYS_BACK)
class BeforeStartsAtTheFirstRow(ReferenceEpos):
    """
    Before the cursor, the rows that come first are taken instead of the nearest: the order was not reversed.
    """

    def cut(self, keys: Sequence[int], limit: int, after: int | None, before: int | None) -> tuple[int, int]:
        if before is not None:
            return 0, min(limit, sum(key < before for key in keys))
        return super().cut(keys, limit, after, before)


@defect("before-is-inclusive", breaks=["*.before-walks-back"], also=WAYS_BACK)
class BeforeIsInclusive(ReferenceEpos):
    """
    The page before ends with the row that the cursor names.
    """

    def cut(self, keys: Sequence[int], limit: int, after: int | None, before: int | None) -> tuple[int, int]:
        return super().cut(keys, limit, after, None if before is None else before + 1)


@defect("before-is-ignored", breaks=["*.before-walks-back"], also=[*WAYS_BACK, "Search*.refuses-both-cursors"])
class BeforeIsIgnored(ReferenceEpos):
    """
    before is not read: it leads to the first page.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        return super().page(kind, rows, {name: value for name, value in cursor.items() if name != "before"}, present)


@defect("before-names-the-last-row", breaks=["*.before-walks-back"], also=WAYS_BACK)
class BeforeNamesTheLastRow(Pages):
    """
    Both cursors of a page are made of its last row.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        return {**page, "before": page["after"]} if "before" in page and "after" in page else page


@defect("before-is-for-the-second-page", breaks=["*.before-walks-back"], also=WAYS_BACK)
class BeforeIsForTheSecondPage(Pages):
    """
    A page that begins further on than one page behind the first names no before.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        if "before" in page and len(page["data"]) < keys.index(self.read_cursor(kind, page["before"])):
            return {name: value for name, value in page.items() if name != "before"}
        return page


@defect("after-of-the-way-back-is-askew", breaks=["*.after-leads-on-from-a-page-reached-by-before"])
class AfterOfTheWayBackIsAskew(Pages):
    """
    On a page that before led to, after names its first row: the rows were reversed, and the cursors were not.
    """

    def finished(self, kind: str, keys: Sequence[int], cursor: Json, page: Json) -> Json:
        if "before" in cursor and "after" in page:
            place = keys.index(self.read_cursor(kind, page["after"]))
            return {**page, "after": self.write_cursor(kind, keys[max(0, place - 1)])}
        return page


# Misused cursors


@defect("both-cursors-are-taken", breaks=["*.refuses-both-cursors"])
class BothCursorsAreTaken(ReferenceEpos):
    """
    Where both cursors come, before is used and after ignored.
    """

    def check_cursor(self, cursor: Json) -> None:
        if "before" in cursor:
            cursor.pop("after", None)


@defect("both-cursors-crash", breaks=["*.refuses-both-cursors"])
class BothCursorsCrash(ReferenceEpos):
    """
    That one cursor comes at most is asserted.
    """

    def check_cursor(self, cursor: Json) -> None:
        assert not {"before", "after"} <= set(cursor)


@defect("unknown-cursor-crashes", breaks=["*.unknown-cursor-is-no-crash"], also=["Search*.refuses-both-cursors"])
class UnknownCursorCrashes(ReferenceEpos):
    """
    A cursor is taken for what the till wrote itself.
    """

    def read_cursor(self, kind: str, text: str) -> int:
        try:
            return super().read_cursor(kind, text)
        except EposError as reason:
            raise RuntimeError(text) from reason


@defect("foreign-cursor-crashes", breaks=["*.unknown-cursor-is-no-crash"])
class ForeignCursorCrashes(ReferenceEpos):
    """
    A cursor of another search crashes: its row is looked for in the wrong table.
    """

    def read_cursor(self, kind: str, text: str) -> int:
        for other in ("orders", "tables", "parties", "reservations"):
            try:
                key = super().read_cursor(other, text)
            except EposError:
                continue
            if other != kind:
                raise KeyError(f"{kind} {key}")
            return key
        raise invalid(f"{text!r} is no cursor")
