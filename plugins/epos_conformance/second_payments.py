"""
A second payment on an order that took a first one: a conversation of its own, for tills that take no other.

Where an EPOS makes no orders for Dojo, each of the venue's is paid a minor unit first (`supply`): a till that wants a
bill paid at once takes no other payment from then on.
"""

from __future__ import annotations

import time

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from epos_conformance import locking, money, paying
from epos_conformance.exceptions import Inconclusive
from epos_conformance.following import Row
from epos_conformance.partner import Partner
from epos_conformance.paying import READ, RECORD, Payment
from epos_conformance.settling import settled
from epos_conformance.supply import LEASE_WAIT
from epos_conformance.verdict import Finding


#: What is tried after one another: amounts of their own, for a till may take the same one again for a mistake.
AMOUNTS = (2, 3)

#: One more, under a lock.
LOCKED = 4

#: Orders that it has to be so with, where there are as many: a waiter may be editing one.
_LEAST = 2


@dataclass(frozen=True, slots=True)
class _Tried:
    """
    What an order that took a first payment made of more; *refused* is empty where nothing can be said of it.
    """

    refused: tuple[Payment, ...] = ()
    was_taken: bool = False


def refused(partner: Partner) -> list[Finding]:
    """
    Findings where orders that took one payment refuse any other, though they say that they are payable: all that were
    tried, and more than one where there are more.
    """
    # Which of the user's own intents fits which amount isn't known.
    if partner.settings.intents.ids or partner.settings.read_only or not partner.offers(READ):
        return []
    told = partner.once("second payments", lambda: _tell(partner))
    if any(each.was_taken for each in told):
        return []
    found = [each.refused[0] for each in told if each.refused]
    if len(found) < min(_LEAST, max(len(told), len(partner.paid_orders))):
        return []
    return [_finding(each) for each in found]


def _finding(payment: Payment) -> Finding:
    order = payment.before
    paid, whole = (payment.shown(of(order)) for of in (money.paid, money.total))
    return Finding(
        f"{RECORD}, {payment} on {payment.order_id!r}, of which {paid} of {whole} is paid",
        f"a success, as of the first payment: {READ} answers that it is payable",
        payment.exchange.seen,
        "the till seems to take one payment for an order, and no second: guests who share a bill can't pay",
    )


def _tell(partner: Partner) -> list[_Tried]:
    found: list[_Tried] = []
    for order_id in islice(_orders(partner), _LEAST + 1):
        found.append(_try(partner, order_id))
        if found[-1].was_taken or sum(bool(each.refused) for each in found) == _LEAST:
            break
    return found


def _orders(partner: Partner) -> Iterator[str]:
    """Orders that have taken a payment of ours, held for this check."""
    firsts = partner.paid_orders
    if firsts:
        busy = []
        for each in firsts:
            if partner.hold(each):
                yield each
            else:
                busy.append(each)
        # One is waited for: in a run that is short on orders, others wait for those that are held here.
        yield from (each for each in busy[:1] if partner.hold(each, wait=LEASE_WAIT))
        return
    for _ in range(_LEAST):
        try:
            order = partner.order(sum(AMOUNTS) + LOCKED + 2)
        except Inconclusive:
            return
        if not partner.owns(str(order["id"])) or not paying.pay(partner, order).exchange.succeeded:
            return
        yield str(order["id"])


def _try(partner: Partner, order_id: str) -> _Tried:
    payments: list[Payment] = []
    for amount in AMOUNTS:
        if (order := _payable(partner, order_id, amount)) is None:
            return _Tried()
        payments.append(paying.pay(partner, order, amount, what="a second payment"))
        payments[-1].exchange.require_answer()
        if not payments[-1].exchange.refused:
            return _Tried(was_taken=payments[-1].exchange.succeeded)
        time.sleep(partner.settings.settle)  # whoever is busy with it may be done
    if (order := _payable(partner, order_id, LOCKED)) is None:
        return _Tried()
    if partner.offers("CreateOrderLock") and partner.offers("DeleteOrderLock"):
        return _try_locked(partner, order, payments)
    return _Tried(tuple(payments))


def _try_locked(partner: Partner, order: Row, payments: list[Payment]) -> _Tried:
    """Somebody else's lock, or one that the till wants, is another rule's business."""
    try:
        lock = locking.lock(partner, order)
    except Inconclusive:
        return _Tried()
    under = paying.pay(partner, order, LOCKED, lock=lock.id, what="a second payment under a lock")
    locking.release(partner, order, lock.id)
    return _Tried(tuple(payments)) if under.exchange.refused else _Tried(was_taken=under.exchange.succeeded)


def _payable(partner: Partner, order_id: str, amount: int) -> Row | None:
    """The order as it is read, where it says that it is payable and owes more than *amount*."""
    try:
        order = paying.read(partner, order_id, lambda each: each.get("payable") is True)
    except Inconclusive:
        return None
    is_payable = order.get("payable") is True and (money.owed(order) or 0) > amount
    return {"id": order_id, **order} if is_payable else None


def closed(partner: Partner) -> list[Finding]:
    """
    Findings where all orders that took a minor unit, and owed more, are no longer payable by their answers, and by what
    is read of them now.
    """
    part_paid = [each for each in partner.first_payments if (money.owed(each.after) or 0) > 0]
    if not part_paid or not all(each.after.get("payable") is False for each in part_paid):
        return []
    findings = []
    for each in part_paid[:_LEAST]:
        if partner.offers(READ) and not _is_closed(partner, each.order_id):
            return []
        left = money.shown(money.owed(each.after), money.currency(each.after.get("totalAmount")))
        where = f"{RECORD}, the answer to the first payment of one minor unit on {each.order_id!r}, $.payable"
        findings.append(Finding(where, f"true, with {left} left to pay", "false"))
    return findings


def _is_closed(partner: Partner, order_id: str) -> bool:
    exchange = settled(
        partner,
        lambda: partner.call(READ, {"orderId": order_id}),
        lambda each: isinstance(each.result, dict) and each.result.get("payable") is True,
    )
    order = exchange.result
    return isinstance(order, dict) and order.get("payable") is False and (money.owed(order) or 0) > 0
