"""
Refusals that the state of an order brings about: what a till says to a good request that comes at the wrong time.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from epos_conformance import locking, money, paying
from epos_conformance._contracts import Capability
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.exchange import Exchange
from epos_conformance.following import Row


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

CANCEL, LOCK = "CancelOrderById", "CreateOrderLock"

#: What may be refused because of the state that an order is in.
STATEFUL = frozenset({CANCEL, LOCK, paying.RECORD})

#: What a request was about, and what came of it.
Told = list[tuple[str, Exchange]]


def refusals(partner: Partner, capability: Capability) -> Told:
    """
    What *capability* was refused because of the state of an order, each with what provoked it; told once in a run.

    Of orders of our own alone: where a till carries out what it had better refuse, nobody loses an order by it.
    """
    if capability.name not in STATEFUL or not partner.offers("CreateOrder"):
        return []
    try:
        told = partner.once("refusals because of states", partial(_tell, partner))
    except (Inconclusive, NotOffered):
        return []
    # To be put off is no refusal, and a crash is another rule's business.
    return [(what, each) for what, each in told if each.capability == capability.name and _is_refusal(each)]


def _is_refusal(exchange: Exchange) -> bool:
    return exchange.refused and exchange.status not in (429, 503)


def _tell(partner: Partner) -> Told:
    told: Told = []
    for part in (_canceled, _locked, _paid):
        # What came before there was no going on is told all the same.
        with contextlib.suppress(Inconclusive, NotOffered):
            part(partner, lambda what, exchange: told.append((what, exchange)))
    return told


def _canceled(partner: Partner, tell: Callable[[str, Exchange], None]) -> None:
    if not partner.offers(CANCEL):
        return
    made = partner.make("order")
    first = partner.call(CANCEL, made.ids)
    tell("cancelling a new order", first)
    if first.succeeded:
        _asked(partner, made.answer, "a canceled order", tell)
        tell("cancelling a canceled order", partner.call(CANCEL, made.ids))


def _locked(partner: Partner, tell: Callable[[str, Exchange], None]) -> None:
    if not partner.offers(LOCK):
        return
    order = partner.make("order").answer
    if locking.ask(partner, order, locking.new_id()).succeeded:
        _asked(partner, order, "a locked order", tell)


def _paid(partner: Partner, tell: Callable[[str, Exchange], None]) -> None:
    # Payment intents that the user names are too few to spend on this.
    if not partner.offers(paying.RECORD) or partner.settings.intents.ids:
        return
    made = partner.make("order")
    owed = money.owed(made.answer)
    if owed is None or owed < 1:
        return
    tell("a payment of more than is owed", paying.pay(partner, made.answer, owed + 1).exchange)
    if paying.pay(partner, made.answer, owed).exchange.succeeded:
        _asked(partner, made.answer, "a paid order", tell)
        if partner.offers(CANCEL):
            tell("cancelling a paid order", partner.call(CANCEL, made.ids))


def _asked(partner: Partner, order: Row, what: str, tell: Callable[[str, Exchange], None]) -> None:
    """Ask for a payment and a lock of *order*, which is in a state that speaks against both."""
    if partner.offers(paying.RECORD) and not partner.settings.intents.ids:
        tell(f"a payment of {what}", paying.pay(partner, order).exchange)
    if partner.offers(LOCK):
        tell(f"a lock on {what}", locking.ask(partner, order, locking.new_id()))
