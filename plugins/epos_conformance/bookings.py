"""
Parties and reservations of our own: made with particular members, changed, read back and searched for.

The two pages of the contract are near-twins, so a check says which `Kind` it is about and shares the rest. A refusal is
answered with other data; what stays refused is inconclusive, with the partner's own words.
"""

from __future__ import annotations

import itertools
import uuid

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from epos_conformance import _contracts, answers, keeping, slots
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.settling import settled
from epos_conformance.slots import Slot
from epos_conformance.venue import Row, instant, rows_of
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.exchange import Exchange
    from epos_conformance.partner import Partner

#: Tries for the first choice of members, and for each further one.
_TRIES, _MORE_TRIES = 4, 2

#: How far a search is walked: own rows are among the newest or the oldest.
_MOST_PAGES = 10

_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """
    Parties, or reservations.
    """

    name: str
    create: str
    get: str
    update: str
    delete: str
    search: str
    #: What its id is called in requests.
    id: str
    #: Dojo's own id, which requests carry for reference.
    dojo_id: str
    #: The member that says until when it is expected to stay.
    end: str

    @property
    def members(self) -> list[str]:
        """The members that an update takes, without Dojo's own id."""
        return [each for each in _contracts.capabilities()[self.update].members if each != self.dojo_id]


PARTY = Kind(
    name="party",
    create="CreateParty",
    get="GetPartyById",
    update="UpdateParty",
    delete="DeletePartyById",
    search="SearchParties",
    id="partyId",
    dojo_id="dojoPartyId",
    end="expectedEndTime",
)

RESERVATION = Kind(
    name="reservation",
    create="CreateReservation",
    get="GetReservationById",
    update="UpdateReservation",
    delete="DeleteReservationById",
    search="SearchReservations",
    id="reservationId",
    dojo_id="dojoReservationId",
    end="endTime",
)

Members = Mapping[str, Any]

#: Members to send: given, or made to fit the slot that is tried.
Choice = Members | Callable[[Slot], Members]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """
    A party or a reservation that the check made, as it was sent last.
    """

    kind: Kind
    id: str
    sent: Members
    #: The answer to its creation, or to its last update.
    answer: Row
    #: What was given for the members that were to be tried.
    chosen: Members
    slot: Slot

    @property
    def ids(self) -> dict[str, str]:
        return {self.kind.id: self.id}

    @property
    def start(self) -> Any:
        """The instant it starts at, as sent."""
        return keeping.instant(self.sent["startTime"])

    @property
    def end(self) -> Any:
        return keeping.instant(self.sent[self.kind.end])

    @property
    def tables(self) -> list[str]:
        return list(self.sent["tableIds"])

    @property
    def body(self) -> dict[str, Any]:
        """What an update sends that changes nothing."""
        status = self.answer.get("status")
        body = {name: self.sent[name] for name in (self.kind.dojo_id, *self.kind.members) if name in self.sent}
        if self.kind is PARTY and "status" not in body:
            body["status"] = status if isinstance(status, str) and status else "Seated"
        return body


# Making


def base(kind: Kind, slot: Slot) -> dict[str, Any]:
    """
    A valid request for *slot*; a lean one says no more than is required, and when guests will leave.
    """
    body: dict[str, Any] = {
        kind.dojo_id: str(uuid.uuid4()),
        "tableIds": list(slot.tables),
        "startTime": instant(slot.start),
        kind.end: instant(slot.end),
    }
    if kind is RESERVATION or not slot.lean:
        body |= {"name": "Conformance Guest", "covers": slot.covers}
    return body


def make(
    partner: Partner,
    kind: Kind,
    *choices: Choice,
    count: int = 1,
    people: int | None = None,
    avoid: Collection[str] = (),
    hours: Sequence[int] = (),
) -> Own:
    """
    Make one with the members of the first of *choices* that the partner takes, at *count* tables for so many *people*.

    *avoid* names tables that others of the check are at, *hours* (UTC) when to reserve by preference.

    Raises `Inconclusive` with the partner's words where all are refused, and `Violation` where the partner crashes over
    what was chosen and not without it.
    """
    _require_maker(partner, kind)
    if kind is PARTY:
        tries = slots.for_party(partner, count=count, people=people, avoid=avoid)
    else:
        tries = slots.for_reservation(partner, count=count, people=people, avoid=avoid, hours=hours)
    refused: list[tuple[Members, Exchange]] = []
    for place, choice in enumerate(choices or ({},)):
        for _ in range(_MORE_TRIES if place else _TRIES):
            own, chosen, exchange = _try(partner, kind, choice, next(tries))
            if own is not None:
                return _not_crashed(partner, own, refused, tries)
            refused.append((chosen, exchange))
            if exchange.crashed:
                break  # once is enough to know; it is asked again later
    return _without(partner, kind, refused, tries)


def _require_maker(partner: Partner, kind: Kind) -> None:
    if partner.settings.read_only:
        raise Inconclusive(f"needs an own {kind.name}, which --read-only forbids")
    if not partner.offers(kind.create):
        raise Inconclusive(f"needs an own {kind.name}, but {kind.create} isn't offered")


def _try(partner: Partner, kind: Kind, choice: Choice, slot: Slot) -> tuple[Own | None, Members, Exchange]:
    chosen = choice(slot) if callable(choice) else choice
    sent = {**base(kind, slot), **chosen}
    exchange = partner.call(kind.create, sent)
    if not exchange.succeeded:
        return None, chosen, exchange
    answer = exchange.result
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str) or not answer["id"]:
        raise Inconclusive(f"{kind.create} answers no id: {exchange.seen}")
    return Own(kind=kind, id=answer["id"], sent=sent, answer=answer, chosen=chosen, slot=slot), chosen, exchange


def _not_crashed(partner: Partner, own: Own, refused: list[tuple[Members, Exchange]], tries: Iterator[Slot]) -> Own:
    """
    *own*; raises `Violation` where the partner crashes again over an earlier choice, now that another one was taken.
    """
    chosen, first = next(((chosen, each) for chosen, each in refused if each.crashed), ({}, None))
    if first is None or not chosen:
        return own
    if any(not _try(partner, own.kind, chosen, next(tries))[2].crashed for _ in range(_MORE_TRIES)):
        return own
    where = f"{own.kind.create} with {_named(chosen)}"
    raise Violation(Finding(where, "a success, as with others, or a refusal in good order", first.seen))


def _without(partner: Partner, kind: Kind, refused: list[tuple[Members, Exchange]], tries: Iterator[Slot]) -> Own:
    """Tell whether the partner refuses what was chosen, or everything."""
    chosen, exchange = refused[0]
    if chosen:
        for _ in range(_MORE_TRIES):
            own, _, plain = _try(partner, kind, {}, next(tries))
            if own is not None:
                _not_crashed(partner, own, refused, tries)
                raise Inconclusive(
                    f"the partner takes no {kind.name} with such {_named(chosen)}: {exchange.seen}; it takes one without"
                )
        exchange = plain
    raise Inconclusive(
        f"the partner refuses every {kind.create} that was tried: {exchange.seen}; "
        "name tables that it knows under [data] in partner.toml"
    )


def _named(members: Members) -> str:
    return " and ".join(members) or "these members"


def discard(partner: Partner, own: Own) -> None:
    """Remove *own* before the check ends, to have its table free again; where that fails it is tried again later."""
    if partner.offers(own.kind.delete):
        partner.call(own.kind.delete, own.ids)


# Changing


def update(partner: Partner, own: Own, *choices: Members) -> Own:
    """
    Update *own* with the members of the first of *choices* that the partner takes, everything else as it was sent.

    Raises as `make` does.
    """
    require_offered(partner, own.kind.update)
    refused: list[tuple[Members, Exchange]] = []
    for choice in choices:
        exchange = put(partner, own, choice)
        if exchange.succeeded:
            break
        refused.append((choice, exchange))
    else:
        choice, exchange = {}, put(partner, own, {})
    crashed = next((each for each, seen in refused if seen.crashed), None)
    if crashed is not None and exchange.succeeded and (again := put(partner, own, crashed)).crashed:
        where = f"{own.kind.update} with {_named(crashed)}"
        raise Violation(Finding(where, "a success, as with others, or a refusal in good order", again.seen))
    if not exchange.succeeded or not choice:
        tail = "; it takes one that changes nothing" if exchange.succeeded else ""
        chosen, first = refused[0] if refused else ({}, exchange)
        raise Inconclusive(f"the partner takes no {own.kind.update} with such {_named(chosen)}: {first.seen}{tail}")
    answer = exchange.result if isinstance(exchange.result, dict) else {}
    return replace(own, sent={**own.sent, **own.body, **choice}, answer=answer, chosen=choice)


def put(partner: Partner, own: Own, changed: Members) -> Exchange:
    """Update *own* with *changed*; what was made a moment ago may not be known at once."""
    params = {**own.ids, **own.body, **changed}
    return settled(partner, lambda: partner.call(own.kind.update, params), lambda each: not answers.is_not_found(each))


def require_offered(partner: Partner, *names: str) -> None:
    """Raise `NotOffered` where one of *names* isn't claimed."""
    for each in names:
        if not partner.offers(each):
            raise NotOffered(f"needs {each}, which isn't offered")


# Reading


def read(partner: Partner, own: Own) -> Row | None:
    """
    *own* as it is read by its id, or as the search shows it where that is not offered; None where it isn't found.
    """
    if not partner.offers(own.kind.get):
        require_offered(partner, own.kind.search)
        return find(partner, own)
    exchange = partner.call(own.kind.get, own.ids)
    if isinstance(exchange.result, dict):
        return exchange.result
    if answers.is_not_found(exchange):
        return None
    raise Inconclusive(f"{own.kind.name} {own.id!r} can't be read: {exchange.seen}")


def reader(partner: Partner, kind: Kind) -> str | None:
    """The capability that shows one of *kind*; None where nothing does."""
    return next((each for each in (kind.get, kind.search) if partner.offers(each)), None)


def unkept(partner: Partner, own: Own, *members: str, after: str | None = None) -> list[Finding]:
    """
    Findings where *members* of *own* are not read back as sent.

    The answer to the last write counts too where it contradicts, unless *after* says what that was: it has rules of its
    own then.
    """
    findings = []
    if after is None:
        step = f"the answer to {own.kind.create}"
        findings = keeping.differences(own.sent, own.answer, members, step, absent_is_fine=True)
    name = reader(partner, own.kind)
    if findings or name is None:
        return findings or keeping.differences(own.sent, own.answer, members, f"the answer to {after or own.kind.create}")
    step = f"{name} after {after or own.kind.create}"
    row = settled(
        partner,
        lambda: read(partner, own),
        lambda row: row is not None and not keeping.differences(own.sent, row, members, step),
    )
    if row is None:
        raise Inconclusive(f"{name} doesn't find {own.kind.name} {own.id!r}, made a moment ago")
    return keeping.differences(own.sent, row, members, step)


def require_kept(partner: Partner, own: Own, *members: str, after: str | None = None) -> None:
    """Raise `Violation` where *members* of *own* are not read back as sent: see `unkept`."""
    answers.violate(unkept(partner, own, *members, after=after))


# Searching


def walk(partner: Partner, kind: Kind, query: Members) -> Iterator[Row]:
    """
    The rows of a search for *query*, page by page, `_MOST_PAGES` at most. Raises `Inconclusive` where it is refused.
    """
    cursor: dict[str, Any] = {"limit": _PAGE}
    seen: set[str] = set()
    for page in itertools.count(1):
        exchange = partner.call(kind.search, {**query, "cursor": cursor})
        if not exchange.succeeded:
            raise Inconclusive(f"a {kind.search} with {_named(query) if query else 'no filter'} fails: {exchange.seen}")
        yield from rows_of(exchange.result)
        after = exchange.result.get("after") if isinstance(exchange.result, dict) else None
        if not isinstance(after, str) or not after or after in seen or page >= _MOST_PAGES:
            return
        seen.add(after)
        cursor = {"limit": _PAGE, "after": after}


def find(partner: Partner, own: Own, query: Members | None = None) -> Row | None:
    """The row of *own* in a search for *query*; None where there is none."""
    return next((row for row in walk(partner, own.kind, query or {}) if row.get("id") == own.id), None)


def appears(partner: Partner, own: Own, query: Members) -> bool:
    """Whether a search for *query* finds *own*, given time to settle."""
    return settled(partner, lambda: find(partner, own, query) is not None, lambda there: there)


def vanishes(partner: Partner, own: Own, query: Members) -> bool:
    """Whether a search for *query* doesn't find *own*, given time to settle."""
    return settled(partner, lambda: find(partner, own, query) is None, lambda gone: gone)


def offenders(partner: Partner, kind: Kind, query: Members, offends: Callable[[Row], bool]) -> list[Row]:
    """
    The rows of a search for *query* that *offends* says should not be there, after a time to settle.
    """
    return settled(
        partner, lambda: [row for row in walk(partner, kind, query) if offends(row)], lambda rows: not rows
    )


def capability(name: str) -> _contracts.Capability:
    """The capability of that *name*."""
    return _contracts.capabilities()[name]
