"""
What every EPOS with locks owes those who lock, whether it enforces locks or not.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable
from typing import Any

from epos_conformance import Finding, Inconclusive, Partner, Violation, answers, check, money, sameness
from epos_conformance.exchange import preview
from epos_conformance.locking import (
    OTHERS,
    Lock,
    carried_out,
    expect_two,
    extend,
    freed,
    granted_when_free,
    hold,
    lacks,
    lock,
    lockable,
    new_id,
    pay,
    read_with,
    release,
    require_released,
    rival,
    shown_in,
    unrecorded,
    until,
    usual,
)
from epos_conformance.paying import Payment
from epos_conformance.settling import settled


#: What a terminal can't do without, of the order that a lock answers.
NEEDED = ("items", "totalAmount", "paidAmount")

#: What a lock may change, or a till may tell others than its holder.
PASSING = ("updatedAt", "status", "payable", "displayName")


def another(partner: Partner) -> list[Lock]:
    """A lock on one more order; none where there is no other, or it can't be locked."""
    try:
        return [lock(partner, partner.order())]
    except Inconclusive:
        return []


def require_twice(look: Callable[[], list[Finding]], *, hint: str | None = None) -> None:
    """Demand that *look* finds nothing, at the second time at the latest: a venue lives."""
    findings = look()
    if not findings:
        return
    with contextlib.suppress(Inconclusive):  # what was found may have used up what there was to look at
        findings = look()
    answers.violate(findings, hint=hint)


# What a lock answers


@check("CreateOrderLock.answers-the-order-it-locks")
def test_answers_the_order_it_locks(partner: Partner) -> None:
    """A granted lock answers the order that was asked for."""
    expect_two(partner)
    first = hold(partner)
    locks = [first, *another(partner)]
    if partner.offers("DeleteOrderLock") and release(partner, first.order, first.id).succeeded:
        locks.append(lock(partner, first.order))

    if not any(isinstance(each.granted.result, dict) for each in locks):
        raise Inconclusive(f"needs a lock that answers an order, but saw {first.granted.seen}")
    answers.violate([finding for each in locks for finding in another_order(partner, each)])


def another_order(partner: Partner, held: Lock) -> list[Finding]:
    """Findings where a lock answers an order that it was not asked for, or one that is worth something else."""
    answer = held.granted.result
    if not isinstance(answer, dict):
        return []
    if "id" in answer and answer["id"] != held.order_id:
        return [Finding("the answer to a lock, $.id", held.order_id, str(answer["id"]))]
    total, expected = money.total(answer), money.total(held.order)
    if total is None or expected is None or total == expected or not partner.offers("GetOrderById"):
        return []
    read = partner.call("GetOrderById", {"orderId": held.order_id}).result
    if not isinstance(read, dict) or money.total(read) == total:
        return []
    shown = money.shown(answer["totalAmount"])
    return [Finding("the answer to a lock, $.totalAmount", f"{money.shown(expected)}, as in GetOrderById", shown)]


@check("CreateOrderLock.answers-the-latest-order")
def test_answers_the_latest_order(partner: Partner) -> None:
    """A granted lock answers the order with the payment made before it."""

    def stale() -> list[Finding]:
        payment = paid_between_locks(partner)
        known = what_is_known(partner, payment)
        held = lock(partner, payment.before)
        return [
            *lacks(held.granted.result, payment, known, "the answer to a lock after a payment"),
            *disagreeing(partner, held),
        ]

    require_twice(stale, hint="the order is answered from a copy that was made earlier")


def disagreeing(partner: Partner, held: Lock) -> list[Finding]:
    """Findings where the answer to a lock contradicts GetOrderById, or lacks what a terminal needs and it shows."""
    answer = held.granted.result
    if not isinstance(answer, dict) or not partner.offers("GetOrderById"):
        return []

    def look() -> list[sameness.Difference]:
        read = partner.call("GetOrderById", {"orderId": held.order_id}).result
        if not isinstance(read, dict):
            return []
        lacking = [each for each in NEEDED if read.get(each) and not answer.get(each)]
        missing = [sameness.Difference(f"$.{each}", read[each], "nothing") for each in lacking]
        return [*missing, *sameness.differences(read, answer, but=PASSING)]

    return [
        Finding(f"the answer to a lock, {each.where}", f"{preview(each.one)}, as in GetOrderById", preview(each.other))
        for each in settled(partner, look, lambda found: not found)
    ]


def paid_between_locks(partner: Partner) -> Payment:
    """A payment on an order that was locked before and is free."""
    order = partner.order(3)
    if partner.offers("DeleteOrderLock"):
        require_released(partner, lock(partner, order))
    payment = pay(partner, order)
    if payment.exchange.succeeded or not partner.offers("DeleteOrderLock"):
        return carried_out(payment, "on an order that is not locked")
    # An EPOS that takes payments under locks alone breaks another rule.
    held = lock(partner, order)
    payment = carried_out(pay(partner, order, held.id), "under a lock")
    require_released(partner, held)
    return payment


def what_is_known(partner: Partner, payment: Payment) -> Any:
    """An answer of before that shows *payment*: its own, or else what GetOrderById comes to show."""
    if shown_in(payment.exchange.result, payment):
        return payment.exchange.result
    read = read_with(partner, payment)
    if shown_in(read, payment):
        return read
    raise Inconclusive(f"needs a payment that is shown, but {payment.intent} is neither in its answer nor read")


@check("DeleteOrderLock.answers-the-latest-order")
def test_delete_answers_the_latest_order(partner: Partner) -> None:
    """Deleting a lock answers the order with the payment made under it."""

    def stale() -> list[Finding]:
        held = hold(partner)
        payment = carried_out(pay(partner, held.order, held.id), "under a lock")
        known = what_is_known(partner, payment)
        answer = require_released(partner, held).result
        if not isinstance(answer, dict):
            raise Inconclusive("needs an order as answer to DeleteOrderLock")
        if "id" in answer and answer["id"] != held.order_id:
            return [Finding("the answer to DeleteOrderLock, $.id", held.order_id, str(answer["id"]))]
        return lacks(answer, payment, known, "the answer to DeleteOrderLock after a payment")

    require_twice(stale, hint="the order is answered as it was when it was locked")


# The holder


@check("CreateOrderLock.lets-the-holder-pay")
def test_lets_the_holder_pay(partner: Partner) -> None:
    """Payments that carry the lockId of the live lock are recorded."""
    held = hold(partner, 4)
    for step in ("a payment under the lock", "a second payment under the lock"):
        require_payment(partner, held, step)
    # Where locks are enforced, one that is refused takes nothing from the holder.
    if not rival(partner, held.order).succeeded:
        require_payment(partner, held, "a payment under the lock after another lock was refused")


def require_payment(partner: Partner, held: Lock, step: str) -> None:
    """Demand that the holder's payment is recorded; where none is without a lock either, the lock isn't to blame."""
    payment = pay(partner, held.order, held.id)
    if payment.exchange.succeeded:
        answers.violate(unrecorded(partner, payment, step))
        return
    carried_out(pay(partner, freed(partner, held)), "without a lock")
    raise Violation(Finding(f"{step}, with its lockId", "a success, as without a lock", payment.exchange.seen))


@check("ExtendOrderLock.extends-a-live-lock")
def test_extends_a_live_lock(partner: Partner) -> None:
    """The holder of a live lock can extend it."""
    held = hold(partner)
    refused = []
    # An EPOS may find an expiry too far.
    for expiry in (usual(partner, 1.25), usual(partner, 1.05), *map(until, OTHERS)):
        exchange = extend(partner, held, expiry)
        if exchange.succeeded:
            return
        refused.append(Finding(f"extending a live lock to {expiry}", "a success", exchange.seen))
    raise Violation(*refused)


@check("ExtendOrderLock.lets-the-holder-pay-afterwards")
def test_extension_lets_the_holder_pay_afterwards(partner: Partner) -> None:
    """After an extension, payments that carry the same lockId are recorded."""
    held = hold(partner, 4)
    extended = extend(partner, held)
    if not extended.succeeded:
        raise Inconclusive(f"needs a lock that is extended, but ExtendOrderLock was not carried out: {extended.seen}")

    require_payment(partner, held, "a payment after the extension")
    extend(partner, held, usual(partner, 1.5))
    require_payment(partner, held, "a payment after a second extension")


# Released


@check("DeleteOrderLock.lets-a-new-lock-be-granted")
def test_lets_a_new_lock_be_granted(partner: Partner) -> None:
    """After a lock is deleted, a new one with another lockId is granted, whatever was done under the first."""
    require_twice(lambda: still_locked(partner, "a lock is deleted"))
    if partner.offers("RecordOrderPaymentById"):
        require_twice(lambda: still_locked(partner, "a lock is deleted that was paid under", paid=True))
    if partner.offers("ExtendOrderLock"):
        require_twice(lambda: still_locked(partner, "a lock is deleted that was extended", extended=True))


def still_locked(partner: Partner, what: str, *, paid: bool = False, extended: bool = False) -> list[Finding]:
    held = hold(partner)
    if paid:
        pay(partner, held.order, held.id)
    if extended:
        extend(partner, held)
    # Of a lock that can't be deleted any more, the order has to be free.
    _ = release(partner, held.order, held.id) if paid or extended else require_released(partner, held)
    next = granted_when_free(partner, held.order, new_id())
    partner.clean_up()
    return [] if next.succeeded else [Finding(f"a new lock after {what}", "a success", next.seen)]


@check("DeleteOrderLock.lets-payments-be-made-again")
def test_lets_payments_be_made_again(partner: Partner) -> None:
    """After a lock is deleted, a payment without lockId is recorded as on an order that was never locked."""
    order = lockable(partner)
    payment = pay(partner, order)
    if payment.exchange.succeeded:
        answers.violate(unrecorded(partner, payment, "a payment after the lock was deleted"))
        return
    carried_out(pay(partner, partner.order()), "on an order that was never locked")
    again = pay(partner, lockable(partner))
    if not again.exchange.succeeded:
        raise Violation(
            Finding("a payment without lockId after the lock was deleted", "a success", again.exchange.seen)
        )
