"""
A card machine that is walked away from: it never deletes its lock, which lapses by itself.

The moment is told by the partner's own clock, as in `epos_conformance.lapsing`.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from typing import TYPE_CHECKING

from epos_conformance import lapsing, locking
from epos_conformance.enforcing import Enforcement, enforcement, excused
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.following import Row
from epos_conformance.journeys.journey import require_carried_out
from epos_conformance.journeys.machine import LOCK, CardMachine
from epos_conformance.journeys.pay_at_table import ENOUGH
from epos_conformance.journeys.screen import SEARCH
from epos_conformance.lapsing import MOST_WAITED, OVERDUE, PATIENCE, PAUSE, Clock
from epos_conformance.locking import Lock
from epos_conformance.order_filters import PAYABLE
from epos_conformance.paying import READ
from epos_conformance.searching import row_of
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

FREES = f"{LOCK}.frees-the-order-after-the-expiry"


def abandoned_payment(partner: Partner) -> None:
    """A payment is given up; when the lock has lapsed, the next machine finds the order, locks it and is paid."""
    with partner.steps.take("it is found out whether locks are enforced"):
        found = enforcement(partner)
    if (lead := lapsing.lead_of(found.pace)) > MOST_WAITED:
        raise Inconclusive(f"a lock takes {found.pace:.1f} s to be answered: waiting for one to lapse takes too long")
    clock = Clock()
    with partner.steps.take("there is an order to pay"):
        machine = CardMachine(partner, lapsing.order_heard(partner, clock, ENOUGH))
    machine.finds_it_among_the_payable_orders()
    machine.opens_it()
    was_listed = row_of(partner, machine.id, PAYABLE.query) is not None

    expiry = clock.second_after(lead)
    with partner.steps.take("the order is locked for a moment", rule=f"{LOCK}.answer-matches-schema"):
        abandoned = lapsing.short(partner, machine.order, expiry)
    with partner.steps.take("the card machine is given up, and the lock lapses"):
        time.sleep(max(0.0, clock.surely(expiry) - time.time()))
    # Some tills sweep.
    patience = clock.surely(expiry) + PATIENCE
    after = f"after a lock has lapsed at {lapsing.spelt(expiry)}"

    with partner.steps.take("the order is among the payable ones", rule=f"{SEARCH}.payable-only-finds-payable-orders"):
        if was_listed and not _until(patience, lambda: row_of(partner, machine.id, PAYABLE.query) is not None):
            if _is_excused(partner, found, abandoned, clock):
                return
            where = f"{SEARCH} with payableOnly {after}"
            raise Violation(Finding(where, f"the order {machine.id}, as before", "no such row"))
    with partner.steps.take("the order can be paid still", rule=FREES):
        was_payable = machine.order.get("payable") is True
        if was_payable and not _until(patience, lambda: _read(partner, machine).get("payable") is not False):
            if _is_excused(partner, found, abandoned, clock):
                return
            raise Violation(Finding(f"{READ} {after}, $.payable", "true, as before", "false"))
    with partner.steps.take("another card machine locks it", rule=FREES):
        if (lock := _next_lock(partner, machine, patience)) is None:
            refused = partner.exchanges[-1].seen
            if _is_excused(partner, found, abandoned, clock):
                return
            raise Violation(Finding(f"a new lock {after}", "a success", refused), hint=OVERDUE)
    machine.has_locked(lock)
    machine.pays(1)
    machine.unlocks_it()
    machine.reads_it_back()


def _until(deadline: float, is_so: Callable[[], bool]) -> bool:
    """Whether *is_so* by *deadline*, in seconds since the epoch; asked once in any case."""
    while not (so := is_so()) and time.time() + PAUSE < deadline:
        time.sleep(PAUSE)
    return so


def _read(partner: Partner, machine: CardMachine) -> Row:
    found = partner.call(READ, {"orderId": machine.id}).result
    return found if isinstance(found, dict) else {}


def _next_lock(partner: Partner, machine: CardMachine, deadline: float) -> Lock | None:
    """A lock of the next machine's own, as soon as it is granted; None where it isn't by *deadline*."""
    granted: list[Lock] = []

    def ask() -> bool:
        id = locking.new_id()
        exchange = locking.ask(partner, machine.order, id)
        if exchange.crashed:
            require_carried_out(exchange)
        if exchange.succeeded:
            granted.append(Lock(machine.order, id, exchange))
        return exchange.succeeded

    return granted[0] if _until(deadline, ask) else None


def _is_excused(partner: Partner, found: Enforcement, abandoned: Lock, clock: Clock) -> bool:
    """
    Whether the EPOS may go on as if the order were locked, since it locks orders and ignores expiries, with a note.

    Raises `Inconclusive` where its clock may be late, and the lock not have lapsed by it.
    """
    if excused(partner, found):
        return True
    if not (clock.own or lapsing.is_overdue(partner, abandoned, clock)):
        raise Inconclusive("the abandoned lock is live still, which the EPOS's clock may explain")
    return False
