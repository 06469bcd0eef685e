"""
What parties and reservations are asked alike: whether what is sent is kept, updated and gone when deleted.

A check names the `Kind`, the member and the values; each function ends as a check does.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from epos_conformance import answers, bookings, keeping, slots, wishes
from epos_conformance.bookings import Choice, Kind, Members, Own
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.exchange import Exchange
from epos_conformance.settling import settled
from epos_conformance.slots import Slot
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
    partner: Partner, kind: Kind, member: str, *groups: Sequence[Choice], count: int = 1, people: Sequence[int] = ()
) -> None:
    """
    One is made with each of *groups* (its first choice that is taken), or for each number of *people*: *member* is kept.
    """

    def one(choices: Sequence[Choice], size: int | None = None) -> None:
        own = bookings.make(partner, kind, *choices, count=count, people=size)
        bookings.require_kept(partner, own, member)
        bookings.discard(partner, own)

    rounds: list[Round] = [lambda group=group: one(group) for group in groups]  # type: ignore[misc]
    rounds += [lambda size=size: one([covers], size) for size in people]  # type: ignore[misc]
    each_round(partner, rounds)


def covers(slot: Slot) -> Members:
    """As many guests as the slot is for."""
    return {"covers": slot.covers}


def at(member: str, millisecond: int, *, second: int = 0, minutes: int = 0) -> list[Choice]:
    """Choices of a time: the slot's, to the millisecond, or to the minute for a till that takes no other."""

    def exact(slot: Slot) -> Members:
        return wishes.moments(member, _origin(slot, member), minutes, second=second, millisecond=millisecond)[0]

    def whole(slot: Slot) -> Members:
        return wishes.moments(member, _origin(slot, member), minutes, millisecond=millisecond)[-1]

    return [exact, whole]


def _origin(slot: Slot, member: str) -> Any:
    return slot.start if member == "startTime" else slot.end


def keeps_offset_times(partner: Partner, kind: Kind) -> None:
    """Times ahead of UTC and behind it keep their instants, in a party or reservation that is made."""

    def ahead(hours: float) -> Choice:
        return lambda slot: {
            "startTime": wishes.spelled(slot.start, hours),
            kind.end: wishes.spelled(slot.end, hours),
        }

    def one(hours: float) -> None:
        try:
            own = bookings.make(partner, kind, ahead(hours))
        except Inconclusive as error:
            _require_offsets_taken(partner, kind, ahead(hours), str(error))
            raise
        bookings.require_kept(partner, own, "startTime", kind.end)
        bookings.discard(partner, own)

    each_round(partner, [lambda: one(5.5), lambda: one(-8), lambda: one(1)])


def _require_offsets_taken(partner: Partner, kind: Kind, choice: Choice, why: str) -> None:
    """
    Raise `Violation` where the very instants that the partner takes with Z are an InvalidRequest with an offset.
    """
    own = bookings.make(partner, kind)
    bookings.discard(partner, own)
    chosen = choice(replace(own.slot)) if callable(choice) else choice
    exchange = partner.call(kind.create, {**own.sent, **chosen})
    error = exchange.error
    if error is not None and error.type == "InvalidRequest":
        raise Violation(
            Finding(
                f"{kind.create}, $.startTime {chosen['startTime']}",
                f"a success, as with {own.sent['startTime']}, the same instant",
                exchange.seen,
                "times are read with Z alone",
            )
        ) from None
    if exchange.succeeded and isinstance(exchange.result, dict):
        return
    raise Inconclusive(why)


def can_be_fetched(partner: Partner, kind: Kind) -> None:
    """What is made can be read under the id answered, also when another one is made after it."""
    bookings.require_offered(partner, kind.get)
    owns = [bookings.make(partner, kind)]
    _fetch(partner, owns[0], f"{kind.get} after {kind.create}")
    with contextlib.suppress(Inconclusive):
        owns.append(bookings.make(partner, kind, avoid=owns[0].tables))
    for own in owns[1:] and owns:
        _fetch(partner, own, f"{kind.get} after another {kind.create}")


def _fetch(partner: Partner, own: Own, step: str) -> None:
    exchange = settled(
        partner, lambda: partner.call(own.kind.get, own.ids), lambda each: each.succeeded or not _unknown(each)
    )
    if not exchange.succeeded:
        raise Violation(Finding(f"{step}, id {own.id!r}", f"the {own.kind.name}", exchange.seen))


def _unknown(exchange: Exchange) -> bool:
    return answers.is_not_found(exchange)


def is_found_by_search(partner: Partner, kind: Kind, *queries: Callable[[Own], Members]) -> None:
    """What is made is found by a search without filters, or with one of *queries*, which only narrow."""
    bookings.require_offered(partner, kind.search)
    own = bookings.make(partner, kind)
    if bookings.appears(partner, own, {}):
        return
    if own.slot.lean and kind is bookings.PARTY:
        raise Inconclusive("the partner seats nobody now, and a party of another day needn't be a current one")
    if any(bookings.appears(partner, own, query(own)) for query in queries):
        partner.notes.append(f"{kind.search} finds it with a filter only")
        return
    raise Violation(Finding(f"{kind.search} after {kind.create}", f"a row with the id {own.id!r}", "none"))


def gives_own_ids(partner: Partner, kind: Kind, second: Callable[[Own], Sequence[Choice]]) -> None:
    """Ids differ: of two that are alike, and of one made after another was deleted."""
    first = bookings.make(partner, kind)
    try:
        other = bookings.make(partner, kind, *second(first))
    except Inconclusive:
        other = bookings.make(partner, kind, avoid=first.tables)
    _require_other(kind, first, other, f"the answer to a second {kind.create}")
    if not partner.offers(kind.delete):
        return
    bookings.discard(partner, first)
    third = bookings.make(partner, kind, avoid=other.tables)
    _require_other(kind, other, third, f"the answer to a {kind.create} after a {kind.delete}")


def _require_other(kind: Kind, one: Own, other: Own, step: str) -> None:
    if one.id == other.id:
        expected = f"an id that no other {kind.name} has"
        raise Violation(Finding(f"{step}, $.id", expected, f"{other.id!r}, which another one has too"))


# Reading


def answers_the_one_asked_for(partner: Partner, kind: Kind) -> None:
    """Each one read carries the id asked for; of own ones, it is the one that was made under it."""
    capability = bookings.capability(kind.get)
    owns: list[Own] = []
    with contextlib.suppress(Inconclusive):
        for _ in range(2):
            name = {"name": f"Conformance {'AB'[len(owns)]}", "covers": 1}
            owns.append(bookings.make(partner, kind, name, avoid=[each for own in owns for each in own.tables]))
    seen = partner.venue.variety(kind.name, 6)
    for id in dict.fromkeys([*(own.id for own in owns), *seen]):
        exchange = partner.read(capability, id)
        if exchange is None or not isinstance(exchange.result, dict):
            continue  # gone, or another rule's business
        if exchange.result.get("id") != id:
            raise Violation(Finding(f"{kind.get} for {id!r}, $.id", repr(id), repr(exchange.result.get("id"))))
    names = [own.sent["name"] for own in owns]
    for own in owns:
        found = bookings.read(partner, own) or {}
        if found.get("name") in names and found.get("name") != own.sent["name"]:
            raise Violation(
                Finding(f"{kind.get} for {own.id!r}, $.name", own.sent["name"], f"{found['name']}, of another {kind.name}")
            )
    if not owns and not seen:
        raise Inconclusive(f"no {kind.name} to read: name some under [data] in partner.toml")


# Updating


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

    From the second round on, *together* changes other members along with it.
    """
    bookings.require_offered(partner, kind.update)
    own = bookings.make(partner, kind, *made)

    def one(place: int) -> None:
        nonlocal own
        more = (together or {}) if place else {}
        own = bookings.update(partner, own, *({**more, **each} for each in rounds[place](own)))
        bookings.require_kept(partner, own, member, after=kind.update)

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
    bookings.require_offered(partner, kind.update)
    own = bookings.make(partner, kind)
    for hours, minutes in ((5.5, 5), (-8, 10)):
        start, end = own.start + timedelta(minutes=minutes), own.end + timedelta(minutes=minutes)
        local = {"startTime": wishes.spelled(start, hours), kind.end: wishes.spelled(end, hours)}
        exchange = bookings.put(partner, own, local)
        if not exchange.succeeded:
            plain = bookings.put(partner, own, {"startTime": instant(start), kind.end: instant(end)})
            error = exchange.error
            if plain.succeeded and error is not None and error.type == "InvalidRequest":
                expected = f"a success, as with {instant(start)}, the same instant"
                raise Violation(
                    Finding(f"{kind.update}, $.startTime {local['startTime']}", expected, exchange.seen)
                )
            raise Inconclusive(f"the partner takes no {kind.update} with such times: {exchange.seen}")
        own = replace(own, sent={**own.sent, **local})
        bookings.require_kept(partner, own, "startTime", kind.end, after=kind.update)


def changes_the_tables(partner: Partner, kind: Kind) -> None:
    """An update moves it to another table, then to two: the old ones leave and all new ones stay."""
    bookings.require_offered(partner, kind.update)
    own = bookings.make(partner, kind, {"covers": 1})
    others = other_tables(partner, own)

    def move(*targets: list[str]) -> None:
        nonlocal own
        own = bookings.update(partner, own, *({"tableIds": each} for each in targets))
        bookings.require_kept(partner, own, "tableIds", after=kind.update)

    pairs = [list(each) for each in zip(others, others[1:], strict=False)] or [[*own.tables, *others]]
    back = own.tables
    each_round(partner, [lambda: move(*([each] for each in others[:3])), lambda: move(*pairs[:3]), lambda: move(back)])


def other_tables(partner: Partner, own: Own) -> list[str]:
    """Tables that *own* may move to; of a party, those that no other check of the run is about to take."""
    found = [each for each in slots.tables(partner, 2, free=own.kind is bookings.PARTY) if each not in own.tables]
    slots.require_tables(partner, 2, [*own.tables, *found])
    if own.kind is bookings.PARTY:
        held = [each for each in found if partner.hold(f"table {each}")][:3]
        return held or found[:3]
    return found[:3]


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
    own = bookings.make(partner, kind)
    own = bookings.update(partner, own, *({**each, **extra} for extra in (*more, {}) for each in everything(own)))
    step = f"the answer to {kind.update}"
    answers.violate(keeping.differences(own.sent, own.answer, [*own.chosen, "tableIds"], step))
    again = bookings.update(partner, own, *wishes.texts("name", wishes.OTHER_NAMES[2:]))
    answers.violate(keeping.differences(again.sent, again.answer, [*own.chosen, "tableIds"], f"{step}, the second"))


def keeps_the_id(partner: Partner, kind: Kind) -> None:
    """An update answers the same id, it is still read under it, and no second one has come of it."""
    own = bookings.make(partner, kind)
    mark = f"Conformance {own.sent[kind.dojo_id][:8]}"
    updated = bookings.update(partner, own, {"name": mark})
    if (answered := updated.answer.get("id")) not in (None, own.id):
        raise Violation(Finding(f"the answer to {kind.update}, $.id", repr(own.id), repr(answered)))
    if partner.offers(kind.get):
        _fetch(partner, updated, f"{kind.get} after {kind.update}")
    if partner.offers(kind.search):
        twins = [row.get("id") for row in bookings.walk(partner, kind, {}) if row.get("name") == mark]
        if any(each != own.id for each in twins):
            raise Violation(
                Finding(f"{kind.search} after {kind.update}", f"{own.id!r} alone to be called {mark!r}", f"{twins}")
            )


def drops_what_is_left_out(partner: Partner, kind: Kind) -> None:
    """An update without hostNotes leaves none."""
    own = bookings.make(partner, kind, *wishes.texts("hostNotes", wishes.NOTES[1:]))
    bare = replace(own, sent={name: value for name, value in own.sent.items() if name != "hostNotes"})
    updated = bookings.update(partner, bare, {"name": "Conformance Guest Two"})
    row = settled(partner, lambda: bookings.read(partner, updated), lambda row: not (row or {}).get("hostNotes"))
    if notes := (row or {}).get("hostNotes"):
        raise Violation(
            Finding(f"$.hostNotes after an {kind.update} without them", "nothing there", repr(notes)),
            hint="an update is merged into what was there, where PUT replaces it",
        )


# Leaving others alone


def leaves_others_alone(partner: Partner, kind: Kind, change: Callable[[Own], object]) -> None:
    """*change* does something to one of two that are alike; the other one is as it was."""
    note = {"hostNotes": "Conformance twin"}
    other = bookings.make(partner, kind, note, {})
    own = bookings.make(partner, kind, note, {}, avoid=other.tables)
    change(own)
    name = bookings.reader(partner, kind)
    if name is None:
        raise Inconclusive(f"neither {kind.get} nor {kind.search} is offered to see the other one with")
    members = [each for each in other.sent if each not in (kind.dojo_id, "hostNotes")]
    step = f"{name} for another {kind.name}"
    row = settled(
        partner,
        lambda: bookings.read(partner, other),
        lambda row: row is not None and not keeping.differences(other.sent, row, members, step),
    )
    if row is None:
        raise Violation(Finding(f"{step}, {other.id!r}", f"the {kind.name}, as before", "that it isn't found any more"))
    answers.violate(keeping.differences(other.sent, row, members, step))


# Deleting


def deleted(partner: Partner, own: Own) -> Exchange:
    """Delete *own*; raises `Inconclusive` where that is refused."""
    bookings.require_offered(partner, own.kind.delete)
    exchange = settled(
        partner, lambda: partner.call(own.kind.delete, own.ids), lambda each: not answers.is_not_found(each)
    )
    if not exchange.succeeded:
        raise Inconclusive(f"{own.kind.delete} was not carried out: {exchange.seen}")
    return exchange


def cannot_be_fetched_afterwards(partner: Partner, kind: Kind) -> None:
    """A deleted one is not found, once it has been; nor is one that was updated before."""
    bookings.require_offered(partner, kind.get)
    own = bookings.make(partner, kind)
    bookings.read(partner, own)
    deleted(partner, own)
    exchange = settled(partner, lambda: partner.call(kind.get, own.ids), answers.is_not_found)
    if not answers.is_not_found(exchange):
        raise Violation(Finding(f"{kind.get} after {kind.delete}", "NotFound", exchange.seen))


def cannot_be_updated_afterwards(partner: Partner, kind: Kind) -> None:
    """An update that was taken a moment ago is NotFound for a deleted one, and brings nothing back."""
    bookings.require_offered(partner, kind.update)
    own = bookings.make(partner, kind)
    changed = bookings.update(partner, own, {"name": "Conformance Guest Two"})
    deleted(partner, own)
    params = {**own.ids, **changed.body}
    exchange = settled(partner, lambda: partner.call(kind.update, params), answers.is_not_found)
    if answers.is_not_found(exchange):
        return
    error = exchange.error
    if error is not None and error.type == "Conflict" and not _is_free(partner, changed):
        raise Inconclusive(f"whether it is known any more can't be seen: {exchange.seen}")
    raise Violation(Finding(f"{kind.update} after {kind.delete}", "NotFound", exchange.seen))


def _is_free(partner: Partner, own: Own) -> bool:
    """Whether nobody else is where *own* was: one like it can be made, and a Conflict has another reason."""
    exchange = partner.call(own.kind.create, {name: each for name, each in own.sent.items() if name != "status"})
    return exchange.succeeded


def drops_out_of_searches(partner: Partner, kind: Kind, *queries: Callable[[Own], Members]) -> None:
    """No search answers a deleted one, whatever the filters."""
    bookings.require_offered(partner, kind.search)
    own = bookings.make(partner, kind)
    bookings.appears(partner, own, {})
    deleted(partner, own)
    for query in ({}, *(each(own) for each in queries)):
        if not bookings.vanishes(partner, own, query):
            filters = " and ".join(query) or "no filter"
            raise Violation(Finding(f"{kind.search} with {filters} after {kind.delete}", f"no row {own.id!r}", "one"))


def answers_with_nothing(partner: Partner, kind: Kind) -> None:
    """The answer to a deletion is empty."""
    exchange = deleted(partner, bookings.make(partner, kind))
    body = exchange.answer.body if exchange.answer else b""
    if body.strip() and exchange.json not in ({}, None):
        raise Violation(Finding(f"the answer to {kind.delete}", "an empty body, or {}", exchange.seen))
