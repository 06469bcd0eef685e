"""
What parties and reservations are asked alike when they are deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from epos_conformance import answers
from epos_conformance.bookings import changing, making, reading
from epos_conformance.bookings.kinds import Kind, Members, Own
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.exchange import Exchange
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner


def deleted(partner: Partner, own: Own) -> Exchange:
    """Delete *own*; raises `Inconclusive` where that is refused."""
    reading.require_offered(partner, own.kind.delete)
    exchange = settled(
        partner, lambda: partner.call(own.kind.delete, own.ids), lambda each: not answers.is_not_found(each)
    )
    if not exchange.succeeded:
        raise Inconclusive(f"{own.kind.delete} was not carried out: {exchange.seen}")
    return exchange


def cannot_be_fetched_afterwards(partner: Partner, kind: Kind) -> None:
    """A deleted one is not found, once it has been; nor is one that was updated before."""
    reading.require_offered(partner, kind.get)
    own = making.make(partner, kind)
    reading.read(partner, own)
    deleted(partner, own)
    exchange = settled(partner, lambda: partner.call(kind.get, own.ids), answers.is_not_found)
    exchange.require_answer()
    if not answers.is_not_found(exchange):
        raise Violation(Finding(f"{kind.get} after {kind.delete}", "NotFound", exchange.seen))


def cannot_be_updated_afterwards(partner: Partner, kind: Kind) -> None:
    """An update that was taken a moment ago is NotFound for a deleted one, and brings nothing back."""
    reading.require_offered(partner, kind.update)
    own = making.make(partner, kind)
    changed = changing.update(partner, own, {"name": "Conformance Guest Two"})
    deleted(partner, own)
    params = {**own.ids, **changed.body}
    exchange = settled(partner, lambda: partner.call(kind.update, params), answers.is_not_found)
    exchange.require_answer()
    if answers.is_not_found(exchange):
        return
    if exchange.succeeded:
        making.discard(partner, own)
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
    reading.require_offered(partner, kind.search)
    own = making.make(partner, kind)
    reading.appears(partner, own, {})
    deleted(partner, own)
    for query in ({}, *(each(own) for each in queries)):
        if not reading.vanishes(partner, own, query):
            filters = " and ".join(query) or "no filter"
            raise Violation(Finding(f"{kind.search} with {filters} after {kind.delete}", f"no row {own.id!r}", "one"))


def answers_with_nothing(partner: Partner, kind: Kind) -> None:
    """The answer to a deletion is empty."""
    exchange = deleted(partner, making.make(partner, kind))
    body = exchange.answer.body if exchange.answer else b""
    if body.strip() and exchange.json not in ({}, None):
        raise Violation(Finding(f"the answer to {kind.delete}", "an empty body, or {}", exchange.seen))
