"""
Parties and reservations that are refused since their table is taken: what was refused is neither stored nor changed.

A till may as well take them: then there is nothing to examine, and nothing to be held against it.
"""

from __future__ import annotations

import uuid

from typing import TYPE_CHECKING

from epos_conformance import answers
from epos_conformance.bookings import changing, keeping, making, reading
from epos_conformance.bookings.kinds import RESERVATION, Kind, Members, Own
from epos_conformance.exceptions import Inconclusive
from epos_conformance.settling import settled, unchanged
from epos_conformance.venue import instant
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.exchange import Exchange
    from epos_conformance.following import Row
    from epos_conformance.partner import Partner


#: What a refused update may have moved; a status is the till's own business, too.
_MEMBERS = ("name", "tableIds", "startTime", "expectedEndTime", "endTime", "covers", "hostNotes", "guestRequests")

_HINT = "it is stored before it is known whether the table is free"


def stores_nothing_refused(partner: Partner, kind: Kind) -> None:
    """A second one at the table and time of another is not found, where it was refused."""
    reading.require_offered(partner, kind.search)
    own = making.make(partner, kind)
    mark = _mark()
    exchange = partner.call(kind.create, {**own.sent, kind.dojo_id: str(uuid.uuid4()), "name": mark})
    if not _was_refused(partner, exchange, kind.create):
        return

    for query in _queries(own):
        rows = unchanged(
            partner,
            lambda query=query: [row for row in reading.walk(partner, kind, query) if row.get("name") == mark],  # type: ignore[misc]
            lambda rows: not rows,
        )
        if rows:
            where = f"{kind.search} after a {kind.create} at the tables of {own.id!r}, refused with {exchange.seen}"
            answers.violate([Finding(where, f"no {kind.name} named {mark!r}", f"{rows[0].get('id')!r}")], hint=_HINT)


def changes_nothing_refused(partner: Partner, kind: Kind) -> None:
    """One that is moved to the table and time of another is as it was, where that was refused."""
    reading.require_offered(partner, kind.update)
    if (name := reading.reader(partner, kind)) is None:
        raise Inconclusive(f"neither {kind.get} nor {kind.search} is offered to see what an update leaves")
    other = making.make(partner, kind)
    own = making.make(partner, kind, avoid=other.tables)
    before = _settled_row(partner, own)
    taken = {each: other.sent[each] for each in ("tableIds", "startTime", kind.end)}
    exchange = changing.put(partner, own, {**taken, "name": _mark()})
    if not _was_refused(partner, exchange, kind.update):
        return

    step = f"{name} after an {kind.update} to the tables of {other.id!r}, refused with {exchange.seen}"
    row = unchanged(
        partner,
        lambda: reading.read(partner, own),
        lambda row: row is not None and not keeping.differences(before, row, _MEMBERS, step),
    )
    if row is None:
        answers.violate([Finding(f"{step}, {own.id!r}", f"the {kind.name}, as before", "that it isn't found any more")])
        return
    answers.violate(keeping.differences(before, row, _MEMBERS, step), hint=_HINT)


def _mark() -> str:
    return f"Conformance {uuid.uuid4().hex[:8]}"


def _was_refused(partner: Partner, exchange: Exchange, name: str) -> bool:
    """Whether the partner said no in good order: what became of anything else is for other rules to say."""
    exchange.require_answer()
    if exchange.refused:
        return True
    partner.notes.append(f"{name} at a table that is taken is not refused: there is nothing to examine")
    return False


def _queries(own: Own) -> list[Members]:
    """Searches that would find what was made in the place of *own*."""
    if own.kind is RESERVATION:
        return [{}, {"fromTime": instant(own.start), "toTime": instant(own.end)}]
    return [{}]


def _settled_row(partner: Partner, own: Own) -> Row:
    """*own* as it is read before anything else happens to it."""
    row = settled(
        partner,
        lambda: reading.read(partner, own),
        lambda row: row is not None and not keeping.differences(own.sent, row, _MEMBERS, ""),
    )
    if row is None:
        raise Inconclusive(f"{own.kind.name} {own.id!r} isn't found, made a moment ago")
    return row
