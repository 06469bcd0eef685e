"""
What is amiss in a walk: rows that come twice or never, pages without an end, rows that no filter lets pass.

A venue lives while it is walked through: a row that comes or goes may shift the others. So `persistent` takes for a
fault what shows each time, and more than once while nothing moved.
"""

from __future__ import annotations

import json

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from epos_conformance.filters import Narrowing
from epos_conformance.following import Row
from epos_conformance.told import MOST_FINDINGS
from epos_conformance.verdict import Finding
from epos_conformance.walking import End, Page, Walk, key, listed


#: How often a fault is looked at again.
_MOST_ROUNDS = 5
#: Times that it has to show while the rows stayed where they were, or at least stayed.
_STILL, _QUIET = 2, 3

T = TypeVar("T")

#: Gives what is amiss in a walk, beside the rows that were there before it and after it.
Fault = Callable[[T, Walk, Walk], list[Finding]]


# Looking


@dataclass(frozen=True, slots=True)
class Repeat:
    """
    A row that came a second time.
    """

    key: str
    #: Places of its pages in the walk, from 1 on.
    first: int
    again: int
    #: Whether it ended the one page and began the other.
    at_the_seam: bool


def repeats(found: Walk, exempt: Collection[str] = ()) -> list[Repeat]:
    """
    The rows that came more than once, but for those in *exempt*.
    """
    places: dict[str, tuple[int, int]] = {}
    repeated: list[Repeat] = []
    for number, page in enumerate(found.pages, 1):
        for index, each in enumerate(page.keys):
            if each in exempt:
                continue
            if each in places:
                earlier, place = places[each]
                ended = place == len(found.pages[earlier - 1].rows) - 1
                repeated.append(Repeat(each, earlier, number, index == 0 and number == earlier + 1 and ended))
            places[each] = number, index
    return repeated


def ambiguous(rows: Iterable[Row]) -> set[str]:
    """
    Ids that rows with different contents have: whether one of those came twice can't be told.
    """
    contents: dict[str, set[str]] = {}
    for row in rows:
        contents.setdefault(key(row), set()).add(json.dumps(row, sort_keys=True))
    return {each for each, different in contents.items() if len(different) > 1}


def missing(found: Walk, *others: Iterable[str]) -> list[str]:
    """
    The keys that all *others* have and the walk has not.
    """
    there = set.intersection(*(set(each) for each in others))
    seen = set(found.keys)
    return [each for each in dict.fromkeys(others[0]) if each in there and each not in seen]


def due(found: Walk, other: Walk) -> list[str]:
    """
    The keys of *other* that a walk has to have come by: all, or those up to where it was cut off, if both go one way.
    """
    if found.is_whole:
        return other.keys
    places = {each: place for place, each in reversed(list(enumerate(other.keys)))}
    way = [places[each] for each in found.keys if each in places]
    if found.end is not End.CUT or not way or way != sorted(way):
        return []
    return other.keys[: way[-1]]


def too_long(pages: Iterable[Page], limit: int) -> list[tuple[int, int]]:
    """Places from 1 on, and sizes, of the *pages* that have more rows than *limit*."""
    return [(place, max(page.sizes)) for place, page in enumerate(pages, 1) if page.sizes and max(page.sizes) > limit]


# Telling


def persistent(
    fault: Fault[T], again: Callable[[], T], others: Callable[[], Walk], *, growing: bool = False
) -> list[Finding] | None:
    """
    What is amiss each time in a walk that *again* takes: nothing where it is in order once, None where nobody can tell.

    *others* gives the rows that there are, asked before and after each walk. With *growing*, rows may appear.
    """
    still = quiet = 0
    before = others()
    for _ in range(_MOST_ROUNDS):
        seen = again()
        after = others()
        findings = fault(seen, before, after)
        if not findings:
            return []
        known = {*before.keys}
        stayed = [each for each in after.keys if each in known] if growing else after.keys
        still += before.keys == stayed
        quiet += known == {*stayed}
        if still >= _STILL or quiet >= _QUIET:
            return findings
        before = after
    return None


def overfull(seen: Walk) -> list[Finding]:
    """Pages with more rows than were asked for."""
    if seen.limit is None:
        return []
    return [
        Finding(f"page {place} of {seen}", f"at most {seen.limit} rows", f"{size} rows")
        for place, size in too_long(seen.pages, seen.limit)
    ]


def left_open(seen: Walk) -> list[Finding]:
    """An empty page that names a next one."""
    last = seen.pages[-1]
    where = f"page {len(seen.pages)} of {seen}"
    return [Finding(where, "no after on a page that has no rows", f"after {last.after!r}")]


def unfiltered(seen: Walk, narrowing: Narrowing) -> list[Finding]:
    """Rows on later pages that don't pass."""
    return [
        Finding(
            f"page {place} of {seen}",
            "only rows that pass the filter, as on the first page",
            f"row {key(row)}, which does not",
            "the filter is applied to the first page only",
        )
        for place, page in enumerate(seen.pages[1:], 2)
        for row in page.rows
        if narrowing.passes(row) is False
    ]


def strangers(seen: Walk, before: Walk, after: Walk) -> list[Finding]:
    """Rows on later pages that a large page of the same search shows neither before nor after."""
    if not before.is_whole or not after.is_whole:
        return []
    known = {*before.keys, *after.keys, *seen.pages[0].keys}
    return [
        Finding(
            f"page {place} of {seen}",
            f"only rows that {before} finds: {listed(before.keys)}",
            f"row {each}",
            "the filter is applied to the first page only",
        )
        for place, page in enumerate(seen.pages[1:], 2)
        for each in page.keys
        if each not in known
    ]


def repeated(seen: Walk, before: Walk, after: Walk) -> list[Finding]:
    """Rows that came a second time."""
    return _told(seen, repeats(seen, ambiguous([*before.rows, *after.rows])))


def repeated_ids(seen: Walk, before: Walk, after: Walk) -> list[Finding]:  # noqa: ARG001 - as all faults are asked
    """Rows that came a second time, different as they may be: an id is that of one."""
    return _told(seen, repeats(seen))


def _told(seen: Walk, found: Sequence[Repeat]) -> list[Finding]:
    findings = []
    for each in found[:MOST_FINDINGS]:
        there = f"page {each.first}" if each.first != each.again else "the same page"
        findings.append(
            Finding(
                f"page {each.again} of {seen}",
                "rows that have not come yet",
                f"row {each.key} a second time, after {there}",
                _seam(each),
            )
        )
    return findings


def _seam(each: Repeat) -> str | None:
    if each.first == each.again:
        return "rows are multiplied by what they are joined with: an order by its payments, a table by its waiters"
    return (
        "the next page begins with the row that after names, instead of the one behind it" if each.at_the_seam else None
    )


def left_out(seen: Walk, before: Walk, after: Walk) -> list[Finding]:
    """Rows that were there before and after the walk and did not come in it."""
    if seen.end is End.REFUSED:
        return [Finding(f"page {len(seen.pages)} of {seen}", "the rows that are left", f"{seen.pages[-1].refusal}")]
    wanted = [due(seen, each) for each in (before, after)]
    absent = missing(seen, *wanted)
    if not absent:
        return []
    count, so_far = len({*wanted[0]} & {*wanted[1]}), "" if seen.is_whole else " so far"
    return [
        Finding(
            f"{seen}",
            f"each of the {count} rows that {before} finds{so_far}",
            f"{len({*seen.keys})} rows; missing: {listed(absent)}",
            _gap(seen, absent, before),
        )
    ]


def _gap(seen: Walk, absent: Sequence[str], whole: Walk) -> str | None:
    """What leaves out *absent* rows: those behind the last page, or those between two pages."""
    came = [each for each in whole.keys if each in set(seen.keys)]
    if came and absent and whole.keys.index(absent[0]) > whole.keys.index(came[-1]):
        return f"page {len(seen.pages)} names no after, as if it were the last one"
    return "rows that share the time of the last one of a page are skipped, or a row is lost between two pages"


def endless(seen: Walk, before: Walk, after: Walk) -> list[Finding]:  # noqa: ARG001 - as all faults are asked
    """A walk that comes to no end."""
    last = seen.pages[-1]
    place = f"page {len(seen.pages)} of {seen}"
    if seen.end is End.REFUSED:
        return [Finding(place, "a page, as the one before it names an after", f"{last.refusal}")]
    if seen.end is not End.CIRCLE:
        return []
    hint = "the last page names an after, which leads to rows that came already"
    return [Finding(place, "new rows, or a last page without after", f"{listed(last.keys)} again", hint)]
