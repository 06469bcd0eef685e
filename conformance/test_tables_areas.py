"""
Tables and areas: what they are told by, and the filters of SearchTables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from epos_conformance import (
    Finding,
    Inconclusive,
    NotOffered,
    Partner,
    Violation,
    answers,
    bodies,
    check,
    walking,
)
from epos_conformance._contracts import capabilities
from epos_conformance.filters import AREA, WAITER, Filter, Narrowing
from epos_conformance.following import Row


#: Areas or waiters that are searched for.
MOST_VALUES = 6


def tables(partner: Partner, query: Mapping[str, Any] | None = None, *, some: bool = True) -> list[Row]:
    """
    The tables that a search finds, each once.

    Raises `Inconclusive` where the search for all tables finds none, `Violation` where one is refused that is due to
    find *some*.
    """
    found: dict[str, Row] = {}
    try:
        walked = walking.whole(partner, "SearchTables", query)
    except walking.Refused as refused:
        if not query:
            raise
        if not some:
            return []
        raise Violation(Finding(f"a search for {walking.told(query)}", "a page", refused.seen)) from None
    for row in walked.rows:
        found.setdefault(walking.key(row), row)
    if not found and not query:
        raise Inconclusive("the venue has no tables: take one that has some")
    return list(found.values())


def twice(look: Callable[[], list[Finding]], hint: str | None = None) -> None:
    """
    Demand that *look* finds nothing; a table may be moved between two requests, so what it finds has to show again.
    """
    if look():
        answers.violate(look(), hint=hint)


# Ids and names


@check("SearchTables.ids-are-unique")
def test_ids_are_unique(partner: Partner) -> None:
    """No two tables have the same id."""
    count = len(tables(partner))

    twice(lambda: shared_ids("the tables", walking.whole(partner, "SearchTables").pages))
    partner.notes.append(f"{count} tables")


def shared_ids(what: str, pages: Iterable[walking.Page]) -> list[Finding]:
    """
    Ids that several rows of a page have, or different rows of several pages: that a row comes again is paging's fault.
    """
    known: dict[str, tuple[int, Row]] = {}
    findings = []
    for number, page in enumerate(pages):
        for row in page.rows:
            id = row.get("id")
            if not isinstance(id, str):
                continue
            before, other = known.setdefault(id, (number, row))
            if other is not row and (before == number or other != row):
                seen = f"{id!r} for {named(other)} and for {named(row)}"
                findings.append(Finding(what, "an id for each", seen))
    return findings[:5]


def named(row: Row) -> str:
    return f"{row.get('name')!r}" + (f" in area {row['areaId']!r}" if "areaId" in row else "")


@check("SearchTables.names-are-unique-within-an-area")
def test_names_are_unique_within_an_area(partner: Partner) -> None:
    """No two tables of one area have the same name."""

    def look() -> list[Finding]:
        known: dict[tuple[str, str], str] = {}
        findings = []
        for row in tables(partner):
            area, name, id = row.get("areaId"), row.get("name"), row.get("id")
            # A table that is in no area shares none; one without a name or an id breaks the schema.
            if not (isinstance(area, str) and isinstance(name, str) and isinstance(id, str)):
                continue
            other = known.setdefault((area, name), id)
            if other != id:
                seen = f"{name!r} for {other!r} and for {id!r}"
                findings.append(Finding(f"the tables of area {area!r}", "a name for each", seen))
        return findings[:5]

    twice(look, "the card machine shows the name: a waiter could not tell these tables apart")


@check("SearchTables.areas-are-listed")
def test_areas_are_listed(partner: Partner) -> None:
    """The area of each table is one of those that ListAreas answers."""
    if not partner.offers("ListAreas"):
        raise NotOffered("takes ListAreas, which isn't offered")

    count = 0

    def look() -> list[Finding]:
        nonlocal count
        seen = AREA.seen(tables(partner))
        count = len(seen)
        known = {row.get("id") for row in areas(partner)}
        shown = walking.listed(sorted(each for each in known if isinstance(each, str)))
        return [
            Finding(f"areaId of {tables_in_it} tables", f"an area that ListAreas answers: {shown}", repr(value))
            for value, tables_in_it in seen.items()
            if value not in known
        ]

    twice(look)
    partner.notes.append(f"{count} areas")


def areas(partner: Partner) -> list[Row]:
    """The areas that ListAreas answers."""
    exchange = partner.call("ListAreas")
    if not isinstance(exchange.result, list):
        raise Inconclusive(f"needs a list of areas, but saw {exchange.seen}")
    return [row for row in exchange.result if isinstance(row, dict)]


@check("ListAreas.ids-are-unique")
def test_area_ids_are_unique(partner: Partner) -> None:
    """No two areas have the same id."""

    def look() -> list[Finding]:
        seen = areas(partner)
        page = walking.Page(cursor=None, rows=seen, sizes=(len(seen),), before=None, after=None)
        return shared_ids("the areas", [page])

    twice(look, "areas are multiplied by what they are joined with, their waiters for example")


@check("SearchTables.answers-one-page")
def test_answers_one_page(partner: Partner) -> None:
    """SearchTables answers one page, with or without a cursor."""
    for query in ({}, {"cursor": {"limit": 2}}):
        exchange = partner.call("SearchTables", query)
        answers.require_success(exchange, capabilities()["SearchTables"])
        if isinstance(exchange.result, list):
            seen = f"an array of {len(exchange.result)}"
            raise Violation(Finding("the answer", 'one page, {"data": [...]}', seen))


# Filters


@check("SearchTables.area-filter-narrows")
def test_area_filter_narrows(partner: Partner) -> None:
    """A search with areaId answers only tables of that area."""
    require_narrow(partner, AREA, listed_areas(partner))


@check("SearchTables.waiter-filter-narrows")
def test_waiter_filter_narrows(partner: Partner) -> None:
    """A search with waiterId answers only tables that the waiter serves."""
    require_narrow(partner, WAITER, ())


def listed_areas(partner: Partner) -> list[str]:
    return [row["id"] for row in partner.venue.areas if isinstance(row.get("id"), str)]


def require_narrow(partner: Partner, by: Filter, more: Iterable[str]) -> None:
    """
    Demand that a search with the filter *by* answers only what passes it: for values that tables have, for *more* that
    the venue knows, and for some that nothing has.
    """
    every = tables(partner)
    seen = by.seen(every)
    values = [*seen][:MOST_VALUES] + [each for each in more if each not in seen][:2]

    def look() -> list[Finding]:
        findings = []
        for value in values:
            findings += outsiders(by.at(value), tables(partner, by.at(value).query, some=value in seen), ())
        for value in absent(seen, more):
            # A till may refuse what it doesn't know, too.
            found = tables(partner, by.at(value).query, some=False)
            findings += outsiders(by.at(value), found, {walking.key(row) for row in every})
        return findings[:5]

    twice(look)
    partner.notes.append(f"{len(values)} values of {by.name}")


def absent(seen: Iterable[str], more: Iterable[str]) -> list[str]:
    """Values that no table has: a made-up one, the beginning of one that some have, and patterns of one."""
    known = [*seen, *more]
    cut = next((each[:-1] for each in known if len(each) > 1 and each[:-1] not in known), None)
    return [bodies.unlike(known), *([cut] if cut else []), *bodies.patterns(known)]


def outsiders(narrowing: Narrowing, found: Iterable[Row], others: Collection[str]) -> list[Finding]:
    """
    Tables that don't pass, or are among *others*, which can't.
    """
    return [
        Finding(
            f"a search for {walking.told(narrowing.query)}",
            f"only tables of {narrowing.query[narrowing.name]!r}",
            f"table {row.get('id')!r}, {shown(row, narrowing.name)}",
        )
        for row in found
        if narrowing.passes(row) is False or walking.key(row) in others
    ]


def shown(row: Row, *names: str) -> str:
    """What *row* says about each filter."""
    members = {"areaId": "areaId", "waiterId": "waiterIds"}
    return ", ".join(f"{members[name]} {row.get(members[name], 'absent')!r}" for name in names)


@check("SearchTables.area-filter-finds-its-tables")
def test_area_filter_finds_its_tables(partner: Partner) -> None:
    """A search with areaId finds every table of that area."""
    require_all_found(partner, AREA)


@check("SearchTables.waiter-filter-finds-its-tables")
def test_waiter_filter_finds_its_tables(partner: Partner) -> None:
    """A search with waiterId finds every table that the waiter serves."""
    require_all_found(partner, WAITER)


def require_all_found(partner: Partner, by: Filter) -> None:
    """
    Demand that a search with the filter *by* finds all tables that pass it.
    """
    values = [*by.seen(tables(partner))][:MOST_VALUES]
    if not values:
        raise Inconclusive(f"no table says what is searched for by {by.name}: take a venue whose tables do")

    def look() -> list[Finding]:
        findings = []
        before = tables(partner)
        found = {value: {walking.key(row) for row in tables(partner, by.at(value).query)} for value in values}
        after = {walking.key(row): row for row in tables(partner)}
        for value in values:
            due = [row for row in before if value in (by.values(row) or ())]
            due = [row for row in due if value in (by.values(after.get(walking.key(row), {})) or ())]
            missing = [row for row in due if walking.key(row) not in found[value]]
            if missing:
                findings.append(
                    Finding(
                        f"a search for {by.name} {value}",
                        f"the {len(due)} tables that say so",
                        f"{len(found[value])}; missing: {walking.listed(map(walking.key, missing))}, "
                        f"{shown(missing[0], by.name)}",
                    )
                )
        return findings[:5]

    twice(look)
    partner.notes.append(f"{len(values)} values of {by.name}")


@check("SearchTables.filters-combine")
def test_filters_combine(partner: Partner) -> None:
    """A search with areaId and waiterId answers only tables that meet both."""
    every = tables(partner)
    pairs = telling(every, *([*by.seen(every)][:MOST_VALUES] for by in (AREA, WAITER)))
    if not pairs:
        raise Inconclusive("no tables say both their areaId and their waiterIds: take a venue whose tables do")

    def look() -> list[Finding]:
        findings = []
        for area, waiter in pairs:
            both = AREA.at(area).and_(WAITER.at(waiter))
            expected = any(both.passes(row) is True for row in every)
            for row in tables(partner, both.query, some=expected):
                if both.passes(row) is False:
                    seen = f"table {row.get('id')!r}, {shown(row, 'areaId', 'waiterId')}"
                    where = f"a search for {walking.told(both.query)}"
                    findings.append(Finding(where, "only tables that meet both", seen, "one filter replaces the other"))
        return findings[:5]

    twice(look)
    partner.notes.append(f"{len(pairs)} pairs")


def telling(rows: Sequence[Row], some: Sequence[str], others: Sequence[str]) -> list[tuple[str, str]]:
    """
    Pairs of an area and a waiter: some that tables have, where either filter alone finds more, and some that none has.
    """
    found: dict[bool, list[tuple[int, tuple[str, str]]]] = {True: [], False: []}
    for area in some:
        for waiter in others:
            inside = [AREA.at(area).passes(row) is True for row in rows]
            served = [WAITER.at(waiter).passes(row) is True for row in rows]
            both = sum(a and b for a, b in zip(inside, served, strict=True))
            found[both > 0].append((both - min(sum(inside), sum(served)), (area, waiter)))
    return [pair for each in found.values() for _, pair in sorted(each)[:3]]
