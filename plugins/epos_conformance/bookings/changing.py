"""
Updating what is our own: PUT replaces, so everything is sent as it was, but for what is changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from epos_conformance import answers
from epos_conformance.bookings.kinds import Members, Own, named
from epos_conformance.bookings.reading import require_offered
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.exchange import Exchange
    from epos_conformance.partner import Partner


class NoneTaken(Inconclusive):
    """
    The partner takes an update that changes nothing, and refuses each of the changes in good order.
    """


def update(partner: Partner, own: Own, *choices: Members) -> Own:
    """
    Update *own* with the members of the first of *choices* that the partner takes, everything else as it was sent.

    Raises as `make` does, `NoneTaken` where it is what was chosen that is refused.
    """
    require_offered(partner, own.kind.update)
    refused: list[tuple[Members, Exchange]] = []
    for choice in choices:
        exchange = put(partner, own, choice)
        if exchange.succeeded:
            break
        refused.append((choice, exchange))
        if answers.is_not_found(exchange):
            raise Inconclusive(f"{own.kind.update} doesn't find {own.kind.name} {own.id!r}, made a moment ago")
    else:
        choice, exchange = {}, put(partner, own, {})
    crashed = next((each for each, seen in refused if seen.crashed), None)
    if crashed is not None and exchange.succeeded and (again := put(partner, own, crashed)).crashed:
        where = f"{own.kind.update} with {named(crashed)}"
        raise Violation(Finding(where, "a success, as with others, or a refusal in good order", again.seen))
    if not exchange.succeeded or not choice:
        tail = "; it takes one that changes nothing" if exchange.succeeded else ""
        chosen, first = refused[0] if refused else ({}, exchange)
        fair = exchange.succeeded and all(each.refused for _, each in refused)
        kind = NoneTaken if fair else Inconclusive
        raise kind(f"the partner takes no {own.kind.update} with such {named(chosen)}: {first.seen}{tail}")
    answer = exchange.result if isinstance(exchange.result, dict) else {}
    return replace(own, sent={**own.sent, **own.body, **choice}, answer=answer, chosen=choice)


def put(partner: Partner, own: Own, changed: Members) -> Exchange:
    """Update *own* with *changed*; what was made a moment ago may not be known at once."""
    params = {**own.ids, **own.body, **changed}
    return settled(partner, lambda: partner.call(own.kind.update, params), lambda each: not answers.is_not_found(each))
