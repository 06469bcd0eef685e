"""
What searches for parties and reservations are asked alike: filters by table, and whether rows are what is read by id.

Others come and go meanwhile, so whatever looks wrong is looked at again until the settle time is over.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from epos_conformance import answers, bodies
from epos_conformance.bookings import changing, keeping, making, reading, wishes
from epos_conformance.bookings.kinds import PARTY, Kind, Members, Own, capability
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.following import Row
from epos_conformance.settling import settled
from epos_conformance.venue import instant
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner


#: Rows that are read one by one: a fault may be in some only.
_MOST_READ = 6
#: Tables that are searched by.
_MOST_TABLES = 3


# Tables


def tables_of(row: Row) -> list[str]:
    return keeping.texts(row.get("tableIds"))


def narrows_by_table(partner: Partner, kind: Kind, *with_it: Members) -> None:
    """A search by a table, alone and *with_it* other filters, answers rows of that table only."""
    rows: list[Row] = getattr(partner.venue, f"{capability(kind.search).page}")
    owns = _at_two_tables(partner, kind, rows)
    seen = sorted({each for row in rows for each in tables_of(row)})
    # An id that is part of another one tells more.
    alike = [each for each in seen if any(each != other and each in other for other in seen)]
    wanted = list(dict.fromkeys([*(each for own in owns for each in own.tables[:1]), *alike, *seen]))[:_MOST_TABLES]
    every = {*seen, *(each for own in owns for each in own.tables)}
    if len(every) < 2:
        raise Inconclusive(f"needs {kind.name} rows of two tables to tell a filter from none")
    for table in wanted:
        for more in ({}, *with_it):
            _require_narrow_by_table(partner, kind, {"tableId": table, **more})
    for table in bodies.patterns(every):
        # There is no such table, which a till may say.
        if partner.call(kind.search, {"tableId": table}).succeeded:
            _require_narrow_by_table(partner, kind, {"tableId": table})


def _require_narrow_by_table(partner: Partner, kind: Kind, query: Members) -> None:
    table = query["tableId"]
    wrong = reading.offenders(partner, kind, query, lambda row: table not in tables_of(row))
    answers.violate([
        Finding(f"{kind.search} with {said(query)}", f"rows of table {table!r} alone", told(row, "tableIds"))
        for row in wrong[:3]
    ])


def _at_two_tables(partner: Partner, kind: Kind, rows: Sequence[Row]) -> list[Own]:
    """Own ones, as many as it takes to have rows of two tables."""
    owns: list[Own] = []
    with contextlib.suppress(Inconclusive):
        owns.append(making.make(partner, kind))
        if not any(set(tables_of(row)) - set(owns[0].tables) for row in rows):
            owns.append(making.make(partner, kind, avoid=owns[0].tables))
    return owns


def found_at_each_table(partner: Partner, kind: Kind) -> None:
    """One of two tables is found by either."""
    try:
        own = making.make(partner, kind, {"covers": 1}, {}, count=2)
    except Inconclusive as error:
        _seen_at_each_table(partner, kind, error)
        return
    for table in own.tables:
        # A search for reservations that names no time may show the next days only.
        if not any(reading.appears(partner, own, {"tableId": table, **more}) for more in _around(own)):
            expected = f"a row with the id {own.id!r}, of the tables {', '.join(own.tables)}"
            raise Violation(
                Finding(f"{kind.search} with tableId {table!r}", expected, "none"),
                hint="the filter seems to look at the first table only" if table != own.tables[0] else None,
            )


def _around(own: Own) -> list[Members]:
    """Filters that a search for *own* may need."""
    if own.kind is PARTY:
        return [{}]
    day = timedelta(days=1)
    return [{}, {"fromTime": instant(own.start - day), "toTime": instant(own.end + day)}]


def _seen_at_each_table(partner: Partner, kind: Kind, why: Inconclusive) -> None:
    """The same of a row of the venue, where the partner lets us have none of two tables."""
    rows = [
        row for row in reading.walk(partner, kind, {}) if len(tables_of(row)) > 1 and isinstance(row.get("id"), str)
    ]
    if not rows:
        own = making.make(partner, kind)
        if not any(reading.appears(partner, own, {"tableId": own.tables[0], **more}) for more in _around(own)):
            where = f"{kind.search} with tableId {own.tables[0]!r}"
            raise Violation(Finding(where, f"a row with the id {own.id!r}", "none"))
        raise why
    for table in tables_of(rows[0]):
        id = rows[0]["id"]

        def there(table: str = table, id: str = id) -> bool:
            by_table = any(row.get("id") == id for row in reading.walk(partner, kind, {"tableId": table}))
            # It may have left, or moved, since.
            return by_table or not any(
                row.get("id") == id and table in tables_of(row) for row in reading.walk(partner, kind, {})
            )

        if not settled(partner, there, bool):
            raise Violation(Finding(f"{kind.search} with tableId {table!r}", f"a row with the id {id!r}", "none"))


# Rows and what is read by their ids


def _some_rows(partner: Partner, kind: Kind, *queries: Members) -> dict[str, tuple[Row, Members]]:
    """
    Rows to compare, by their ids, each with the query that shows it: own ones, and some of the venue's that differ.
    """
    found: dict[str, tuple[Row, Members]] = {}
    for query in ({}, *queries):
        rows = [row for row in reading.walk(partner, kind, query) if isinstance(row.get("id"), str) and row["id"]]
        # The newest and the oldest, and what has the most members.
        rich = sorted(rows, key=len, reverse=True)
        for row in (*rows[:2], *rows[-2:], *rich[:2])[:_MOST_READ]:
            found.setdefault(row["id"], (row, query))
    return found


def rows_can_be_fetched(partner: Partner, kind: Kind, *queries: Members) -> None:
    """What a search answers is known by its id."""
    reading.require_offered(partner, kind.get)
    with contextlib.suppress(Inconclusive):
        making.make(partner, kind)
    rows = _some_rows(partner, kind, *queries)
    if not rows:
        raise Inconclusive(f"{kind.search} finds nothing to read")
    for id, (_, query) in rows.items():

        def fine(id: str = id, query: Members = query) -> bool:
            exchange = partner.call(kind.get, {kind.id: id})
            exchange.require_answer()
            return exchange.succeeded or not _is_listed(partner, kind, id, query)

        if not settled(partner, fine, bool):
            seen = next(each for each in reversed(partner.exchanges) if each.capability == kind.get).seen
            raise Violation(Finding(f"{kind.get} for {id!r}, which {kind.search} answers", f"the {kind.name}", seen))


def _is_listed(partner: Partner, kind: Kind, id: str, query: Members) -> bool:
    return any(row.get("id") == id for row in reading.walk(partner, kind, query))


def rows_agree(partner: Partner, kind: Kind, rich: Callable[[], Own], *queries: Members) -> None:
    """
    Rows say what is read by their ids: those of the venue, and one that *rich* makes, also after an update.
    """
    reading.require_offered(partner, kind.get)
    own: Own | None = None
    with contextlib.suppress(Inconclusive):
        own = rich()
    rows = _some_rows(partner, kind, *queries)
    if not rows:
        raise Inconclusive(f"{kind.search} finds nothing to compare")
    for id, (row, query) in rows.items():
        answers.violate(_disagreements(partner, kind, id, row, query))
    if own is not None and partner.offers(kind.update):
        with contextlib.suppress(Inconclusive):
            own = changing.update(
                partner, own, {"name": wishes.OTHER_NAMES[1], "hostNotes": "Moved"}, {"name": "Guest"}
            )
        reading.unkept(partner, own, "name", after=kind.update)  # gives it time to settle
        if (found := reading.find(partner, own)) is not None:
            answers.violate(_disagreements(partner, kind, own.id, found, {}))


def _disagreements(partner: Partner, kind: Kind, id: str, row: Row, query: Members) -> list[Finding]:
    """Where the row of *id* says other than what is read by it; none where either is gone."""
    step = f"the row of {id!r} in {kind.search}"
    first = [row]

    def look() -> list[Finding]:
        read = partner.call(kind.get, {kind.id: id}).result
        shown = (
            first.pop()
            if first
            else next((each for each in reading.walk(partner, kind, query) if each.get("id") == id), None)
        )
        if not isinstance(read, dict) or shown is None:
            return []
        return disagreements(kind, read, shown, step)

    return settled(partner, look, lambda findings: not findings)


def disagreements(kind: Kind, read: Row, row: Row, step: str) -> list[Finding]:
    """Findings where *row* says other than what was *read*, or one of them says nothing."""
    members = ["id", *kind.members, *(["reservationId"] if kind is PARTY else [])]
    findings = keeping.differences(read, row, members, step)
    return findings + [
        Finding(f"{step}, $.{name}", f"nothing there, as in {kind.get}", keeping.shown(name, row[name]))
        for name in members
        if keeping.at(read, name) is None and keeping.at(row, name) is not None
    ]


# Telling


def said(query: Members) -> str:
    return " and ".join(f"{name} {_text(value)}" for name, value in query.items()) or "no filter"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def told(row: Row, name: str) -> str:
    return f"{row.get('id')!r} with {name} {row.get(name)}"
