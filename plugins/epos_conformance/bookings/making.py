"""
Making parties and reservations: a refusal is answered with other data, and what stays refused is inconclusive.
"""

from __future__ import annotations

import uuid

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from epos_conformance.bookings import slots
from epos_conformance.bookings.kinds import PARTY, RESERVATION, Choice, Kind, Members, Own, named
from epos_conformance.bookings.slots import Slot
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.venue import instant
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.exchange import Exchange
    from epos_conformance.partner import Partner

#: Tries for the first choice of members, and for each further one.
_TRIES, _MORE_TRIES = 4, 2


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
    plain = slots.for_party(partner) if kind is PARTY else slots.for_reservation(partner)
    return _without(partner, kind, refused, plain if count > 1 else tries, count)


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
    if kind is PARTY and "status" not in sent:
        partner.venue.hear_status(answer)
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
    where = f"{own.kind.create} with {named(chosen)}"
    raise Violation(Finding(where, "a success, as with others, or a refusal in good order", first.seen))


def _without(
    partner: Partner, kind: Kind, refused: list[tuple[Members, Exchange]], tries: Iterator[Slot], count: int
) -> Own:
    """Tell whether the partner refuses what was chosen, or everything."""
    chosen, exchange = refused[0]
    if chosen or count > 1:
        for _ in range(_MORE_TRIES):
            own, _, plain = _try(partner, kind, {}, next(tries))
            if own is not None:
                _not_crashed(partner, own, refused, tries)
                what = f"no {kind.name} " + (f"at {count} tables" if count > 1 else f"with such {named(chosen)}")
                raise Inconclusive(
                    f"the partner takes {what}: {exchange.seen}; it takes one {'at one' if count > 1 else 'without'}"
                )
        exchange = plain
    raise Inconclusive(
        f"the partner refuses every {kind.create} that was tried: {exchange.seen}; "
        "name tables that it knows under [data] in partner.toml"
    )


def discard(partner: Partner, own: Own) -> None:
    """Remove *own* before the check ends, to have its table free again; where that fails it is tried again later."""
    if partner.offers(own.kind.delete):
        partner.call(own.kind.delete, own.ids)
