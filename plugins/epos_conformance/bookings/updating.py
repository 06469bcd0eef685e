"""
What parties and reservations are asked alike when they are updated.
"""

from __future__ import annotations

import itertools

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from epos_conformance import answers
from epos_conformance.bookings import changing, creating, keeping, making, reading, slots, wishes
from epos_conformance.bookings.creating import Round, each_round, fetch
from epos_conformance.bookings.kinds import PARTY, Choice, Kind, Members, Own
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.settling import settled
from epos_conformance.venue import instant
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner


def changes(
    partner: Partner,
    kind: Kind,
    member: str,
    *rounds: Callable[[Own], Sequence[Members]],
    made: Sequence[Choice] = (),
    together: Members | None = None,
) -> None:
    """
    One is made and updated in *rounds*, each with the first of its choices that is taken: *member* is read back.

    From the second round on, *together* changes other members along with it, and what hosts and guests write is there,
    which it may be mixed up with.
    """
    reading.require_offered(partner, kind.update)
    own = making.make(partner, kind, *made)

    def one(place: int) -> None:
        nonlocal own
        choices = rounds[place](own)
        if place:
            others = creating.companies(partner, kind, member)[-1]
            full, few = {**others, **(together or {})}, together or {}
            choices = [{**more, **each} for more in (full, few) for each in choices]
        own = changing.update(partner, own, *choices)
        reading.require_kept(partner, own, member, after=kind.update)

    each_round(partner, [lambda place=place: one(place) for place in range(len(rounds))])  # type: ignore[misc]


def shifted(member: str, millisecond: int, *minutes: int, second: int = 0) -> Callable[[Own], Sequence[Members]]:
    """A round that moves a time by so many *minutes*, the first that is taken."""

    def choices(own: Own) -> Sequence[Members]:
        origin = own.start if member == "startTime" else own.end
        return wishes.moments(member, origin, *minutes, second=second, millisecond=millisecond)

    return choices


def given(member: str, values: Sequence[Any]) -> Callable[[Own], Sequence[Members]]:
    """A round of the same choices, whatever it is that is updated."""
    return lambda _: [{member: each} for each in values]


def changes_offset_times(partner: Partner, kind: Kind) -> None:
    """Times ahead of UTC and behind it keep their instants in an update."""
    reading.require_offered(partner, kind.update)
    own = making.make(partner, kind)
    for hours, minutes in ((5.5, 15), (-8, 30)):
        start, end = own.start + timedelta(minutes=minutes), own.end + timedelta(minutes=minutes)
        local = {"startTime": wishes.spelled(start, hours), kind.end: wishes.spelled(end, hours)}
        exchange = changing.put(partner, own, local)
        if not exchange.succeeded:
            _require_offsets_taken(partner, own, {"startTime": instant(start), kind.end: instant(end)}, local)
            raise Inconclusive(f"the partner takes no {kind.update} with such times: {exchange.seen}")
        own = replace(own, sent={**own.sent, **local})
        reading.require_kept(partner, own, "startTime", kind.end, after=kind.update)


def _require_offsets_taken(partner: Partner, own: Own, plain: Members, local: Members) -> None:
    """Raise `Violation` where an update to the *plain* instants is taken, and refused where they are *local* times."""
    if not changing.put(partner, own, plain).succeeded:
        return
    exchange = changing.put(partner, own, local)
    error = exchange.error
    if error is not None and error.type in ("InvalidRequest", "Conflict"):
        where = f"{own.kind.update}, $.startTime {local['startTime']}"
        raise Violation(
            Finding(where, f"a success, as with {plain['startTime']}, the same instant", exchange.seen),
            hint="times are read with Z alone, or as local ones",
        )


def changes_the_tables(partner: Partner, kind: Kind) -> None:
    """An update moves it to another table, to two and to three: the old ones leave and all new ones stay."""
    reading.require_offered(partner, kind.update)
    own = making.make(partner, kind, {"covers": 1})
    others = other_tables(partner, own)

    def move(*targets: list[str]) -> None:
        nonlocal own
        tomorrow = {
            "startTime": instant(own.start + timedelta(days=1)),
            kind.end: instant(own.end + timedelta(days=1)),
        }
        choices = [{"tableIds": each, **times} for times in ({}, tomorrow) for each in targets if each]
        own = changing.update(partner, own, *choices)
        reading.require_kept(partner, own, "tableIds", after=kind.update)

    pairs = [list(each) for each in itertools.pairwise(others)] or [[*own.tables, *others]]
    rounds: list[Round] = [lambda: move(*([each] for each in others)), lambda: move(*pairs)]
    if len(others) > 2:
        rounds.append(lambda: move(others))
    each_round(partner, [*rounds, lambda: move(others[:1])])


def other_tables(partner: Partner, own: Own) -> list[str]:
    """Tables that *own* may move to; of a party, those that no other check of the run is about to take."""
    every = [each for each in slots.tables(partner, 2, free=False) if each not in own.tables]
    slots.require_tables(partner, 2, [*own.tables, *every])
    if own.kind is PARTY:
        free = [each for each in slots.tables(partner, 2) if each not in own.tables]
        held = (each for each in free if partner.hold(f"table {each}"))
        return list(itertools.islice(held, 3)) or (free or every)[:3]
    return every[:3]


def everything(own: Own) -> list[Members]:
    """Updates that change all there is, the most telling first."""
    times = {
        "startTime": instant(own.start + timedelta(minutes=5, milliseconds=41)),
        own.kind.end: instant(own.end + timedelta(minutes=10)),
    }
    words = {"hostNotes": wishes.OTHER_NOTES[1], "guestRequests": wishes.OTHER_REQUESTS[1]}
    name = {"name": wishes.OTHER_NAMES[1], "covers": 1}
    return [{**times, **words, **name}, {**words, **name}, {**name, "hostNotes": "Moved"}, {"covers": 1}]


def answers_as_updated(partner: Partner, kind: Kind, *more: Members) -> None:
    """The answer to an update says what was given, twice in a row."""
    own = making.make(partner, kind)
    own = changing.update(partner, own, *({**each, **extra} for extra in (*more, {}) for each in everything(own)))
    step = f"the answer to {kind.update}"
    answers.violate(keeping.differences(own.sent, own.answer, [*own.chosen, "tableIds"], step))
    again = changing.update(partner, own, *wishes.texts("name", wishes.OTHER_NAMES[2:]))
    answers.violate(keeping.differences(again.sent, again.answer, [*own.chosen, "tableIds"], f"{step}, the second"))


def keeps_the_id(partner: Partner, kind: Kind) -> None:
    """An update answers the same id, it is still read under it, and no second one has come of it."""
    own = making.make(partner, kind)
    mark = f"Conformance {own.sent[kind.dojo_id][:8]}"
    updated = changing.update(partner, own, {"name": mark})
    if (answered := updated.answer.get("id")) not in (None, own.id):
        raise Violation(Finding(f"the answer to {kind.update}, $.id", repr(own.id), repr(answered)))
    if partner.offers(kind.get):
        fetch(partner, updated, f"{kind.get} after {kind.update}")
    if partner.offers(kind.search):
        twins = [row.get("id") for row in reading.walk(partner, kind, {}) if row.get("name") == mark]
        if any(each != own.id for each in twins):
            raise Violation(
                Finding(f"{kind.search} after {kind.update}", f"{own.id!r} alone to be called {mark!r}", f"{twins}")
            )


def drops_what_is_left_out(partner: Partner, kind: Kind) -> None:
    """An update without hostNotes leaves none."""
    own = making.make(partner, kind, *wishes.texts("hostNotes", wishes.NOTES[1:]))
    bare = replace(own, sent={name: value for name, value in own.sent.items() if name != "hostNotes"})
    updated = changing.update(partner, bare, {"name": "Conformance Guest Two"})
    row = settled(
        partner, lambda: reading.read(partner, updated), lambda row: row is not None and not row.get("hostNotes")
    )
    if row is None:
        raise Inconclusive(f"{kind.name} {own.id!r} isn't found after {kind.update}")
    if notes := row.get("hostNotes"):
        raise Violation(
            Finding(f"$.hostNotes after an {kind.update} without them", "nothing there", repr(notes)),
            hint="an update is merged into what was there, where PUT replaces it",
        )


# Leaving others alone


def leaves_others_alone(partner: Partner, kind: Kind, change: Callable[[Own], object]) -> None:
    """*change* does something to one of two that are alike; the other one is as it was."""
    note = {"hostNotes": "Conformance twin"}
    other = making.make(partner, kind, note, {})
    own = making.make(partner, kind, note, {}, avoid=other.tables)
    change(own)
    name = reading.reader(partner, kind)
    if name is None:
        raise Inconclusive(f"neither {kind.get} nor {kind.search} is offered to see the other one with")
    members = [each for each in other.sent if each not in (kind.dojo_id, "hostNotes")]
    step = f"{name} for another {kind.name}"
    row = settled(
        partner,
        lambda: reading.read(partner, other),
        lambda row: row is not None and not keeping.differences(other.sent, row, members, step),
    )
    if row is None:
        raise Violation(Finding(f"{step}, {other.id!r}", f"the {kind.name}, as before", "that it isn't found any more"))
    answers.violate(keeping.differences(other.sent, row, members, step))
