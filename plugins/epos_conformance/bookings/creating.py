"""
What parties and reservations are asked alike: whether what is sent is kept, and read under its id.

A check names the `Kind`, the member and the values; each function ends as a check does.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from epos_conformance import answers
from epos_conformance.bookings import deposits, making, reading, wishes
from epos_conformance.bookings.kinds import PARTY, Choice, Kind, Members, Own, capability
from epos_conformance.bookings.slots import Slot
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.settling import settled
from epos_conformance.venue import instant
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner


#: One round of a check: makes something and judges it.
Round = Callable[[], None]


def each_round(partner: Partner, rounds: Sequence[Round]) -> None:
    """
    Run *rounds*; what the partner refuses in one is a note where another one could be judged.
    """
    reasons: list[Inconclusive] = []
    for each in rounds:
        try:
            each()
        except Inconclusive as error:
            reasons.append(error)
    if len(reasons) == len(rounds):
        raise reasons[0]
    partner.notes += map(str, reasons)


# Creating


def keeps(
    partner: Partner,
    kind: Kind,
    member: str,
    *groups: Sequence[Choice],
    counts: Sequence[int] = (1,),
    people: Sequence[int] = (),
) -> None:
    """
    *member* is kept: of one made with each of *groups*, the first choice that is taken, and each number of *people*.

    It is kept at so many tables as *counts* say, and beside all other members, which another one may be mixed up with.
    """

    def one(choices: Sequence[Choice], size: int | None = None, count: int = 1) -> None:
        own = making.make(partner, kind, *choices, count=count, people=size)
        reading.require_kept(partner, own, member)
        making.discard(partner, own)

    rounds: list[Round] = [
        lambda group=group, count=count: one(group, count=count)  # type: ignore[misc]
        for group in groups
        for count in counts
    ]
    rounds += [lambda size=size: one([covers], size) for size in people]  # type: ignore[misc]
    # The plainest choice: a till that refuses long texts may mix up short ones.
    plain = groups[0][-1] if groups else covers
    rounds.append(lambda: one(beside(partner, kind, member, plain), count=counts[0]))
    each_round(partner, rounds)


def beside(partner: Partner, kind: Kind, member: str, choice: Choice) -> list[Choice]:
    """The *choice* of *member* along with all other members, then with what guests and hosts write alone."""

    def along(more: Members) -> Choice:
        return lambda slot: {**more, **(choice(slot) if callable(choice) else choice)}

    return [along(each) for each in companies(partner, kind, member)]


def companies(partner: Partner, kind: Kind, member: str) -> list[Members]:
    """What a *member* may be sent along with, the most first: no two are alike, and any till can keep them."""
    words = {name: text for name, text in wishes.PLAIN.items() if name != member}
    if kind is PARTY and not member.startswith("deposit"):
        return [{**words, "deposit": deposits.deposit(partner, description=wishes.DESCRIPTIONS[2])}, words]
    return [words]


def over_midnight(slot: Slot) -> Members:
    """A late evening, which ends on another day by UTC and by the clocks of an hour or two ahead of it."""
    start = slot.start.replace(hour=21, minute=45)
    return {"startTime": instant(start), "endTime": instant(start + timedelta(hours=2, minutes=30))}


def covers(slot: Slot) -> Members:
    """As many guests as the slot is for."""
    return {"covers": slot.covers}


def at(member: str, millisecond: int, *, second: int = 0, minutes: int = 0) -> list[Choice]:
    """Choices of a time: the slot's and so many *minutes*, to the millisecond, to the minute; then the slot's own."""

    def origin(slot: Slot) -> datetime:
        return slot.start if member == "startTime" else slot.end

    def exact(slot: Slot) -> Members:
        return wishes.moments(member, origin(slot), minutes, second=second, millisecond=millisecond)[0]

    def whole(slot: Slot) -> Members:
        return wishes.moments(member, origin(slot), minutes, millisecond=millisecond)[-1]

    return [exact, whole, lambda slot: {member: instant(origin(slot))}]


def keeps_offset_times(partner: Partner, kind: Kind) -> None:
    """Times ahead of UTC and behind it keep their instants, in a party or reservation that is made."""

    def ahead(hours: float) -> Callable[[Slot], Members]:
        return lambda slot: {
            "startTime": wishes.spelled(slot.start, hours),
            kind.end: wishes.spelled(slot.end, hours),
        }

    def one(hours: float) -> None:
        try:
            own = making.make(partner, kind, ahead(hours))
        except Inconclusive:
            _require_offsets_taken(partner, kind, ahead(hours))
            raise
        reading.require_kept(partner, own, "startTime", kind.end)
        making.discard(partner, own)

    each_round(partner, [lambda: one(5.5), lambda: one(-8), lambda: one(1)])


def _require_offsets_taken(partner: Partner, kind: Kind, choice: Callable[[Slot], Members]) -> None:
    """
    Raise `Violation` where the very instants that the partner takes with Z are refused with an offset, twice.
    """
    for _ in range(2):
        own = making.make(partner, kind)
        making.discard(partner, own)
        chosen = choice(own.slot)
        exchange = partner.call(kind.create, {**own.sent, **chosen})
        error = exchange.error
        if error is None or error.type not in ("InvalidRequest", "Conflict"):
            return
    expected = f"a success, as with {own.sent['startTime']}, the same instant"
    where = f"{kind.create}, $.startTime {chosen['startTime']}"
    raise Violation(Finding(where, expected, exchange.seen), hint="times are read with Z alone, or as local ones")


def can_be_fetched(partner: Partner, kind: Kind) -> None:
    """What is made can be read under the id answered, also when another one is made after it."""
    reading.require_offered(partner, kind.get)
    own = making.make(partner, kind)
    fetch(partner, own, f"{kind.get} after {kind.create}")
    try:
        other = making.make(partner, kind, avoid=own.tables)
    except Inconclusive as error:
        partner.notes.append(str(error))
        return
    fetch(partner, other, f"{kind.get} after a second {kind.create}")
    fetch(partner, own, f"{kind.get} for the first after a second {kind.create}")


def fetch(partner: Partner, own: Own, step: str) -> None:
    exchange = settled(
        partner, lambda: partner.call(own.kind.get, own.ids), lambda each: not answers.is_not_found(each)
    )
    exchange.require_answer()
    if not exchange.succeeded:
        raise Violation(Finding(f"{step}, id {own.id!r}", f"the {own.kind.name}", exchange.seen))


def is_found_by_search(partner: Partner, kind: Kind, *queries: Callable[[Own], Members]) -> None:
    """What is made is found by a search without filters, or with one of *queries*, which only narrow."""
    reading.require_offered(partner, kind.search)
    own = making.make(partner, kind)
    if reading.appears(partner, own, {}):
        return
    if kind is PARTY and own.start > datetime.now(UTC) + timedelta(minutes=10):
        raise Inconclusive("the partner seats nobody now, and a party of another day needn't be a current one")
    if any(reading.appears(partner, own, query(own)) for query in queries):
        partner.notes.append(f"{kind.search} finds it with a filter only")
        return
    raise Violation(Finding(f"{kind.search} after {kind.create}", f"a row with the id {own.id!r}", "none"))


def gives_own_ids(partner: Partner, kind: Kind, second: Callable[[Own], Sequence[Choice]]) -> None:
    """Ids differ: of two that are alike, and of one made after another was deleted."""
    first = making.make(partner, kind)
    try:
        other = making.make(partner, kind, *second(first))
    except Inconclusive:
        other = making.make(partner, kind, avoid=first.tables)
    _require_other(kind, first, other, f"the answer to a second {kind.create}")
    if not partner.offers(kind.delete):
        return
    making.discard(partner, first)
    third = making.make(partner, kind, avoid=other.tables)
    _require_other(kind, other, third, f"the answer to a {kind.create} after a {kind.delete}")


def _require_other(kind: Kind, one: Own, other: Own, step: str) -> None:
    if one.id == other.id:
        expected = f"an id that no other {kind.name} has"
        raise Violation(Finding(f"{step}, $.id", expected, f"{other.id!r}, which another one has too"))


# Reading


def answers_the_one_asked_for(partner: Partner, kind: Kind) -> None:
    """Each one read carries the id asked for; of own ones, it is the one that was made under it."""
    owns: list[Own] = []
    with contextlib.suppress(Inconclusive):
        for _ in range(2):
            name = {"name": f"Conformance {'AB'[len(owns)]}", "covers": 1}
            owns.append(making.make(partner, kind, name, avoid=[each for own in owns for each in own.tables]))
    seen = partner.venue.variety(kind.name, 6)
    for id in dict.fromkeys([*(own.id for own in owns), *seen]):
        exchange = partner.read(capability(kind.get), id)
        if exchange is None or not isinstance(exchange.result, dict):
            continue  # gone, or another rule's business
        if exchange.result.get("id") != id:
            raise Violation(Finding(f"{kind.get} for {id!r}, $.id", repr(id), repr(exchange.result.get("id"))))
    told = [{**(reading.read(partner, own) or {"name": own.id}), "id": None} for own in owns]
    if len(told) > 1 and told[0] == told[1]:
        names = " and ".join(str(own.sent["name"]) for own in owns)
        raise Violation(Finding(f"{kind.get} for two that are called {names}", "each of them", f"twice {told[0]}"))
    if not owns and not seen:
        raise Inconclusive(f"no {kind.name} to read: name some under [data] in partner.toml")
