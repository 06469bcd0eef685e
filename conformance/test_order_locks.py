"""
What every EPOS with locks owes those who lock, whether it enforces locks or not.
"""

from __future__ import annotations

import contextlib
import datetime
import functools

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from epos_conformance import Capability, Exchange, Finding, Inconclusive, Partner, Violation, answers, check, money
from epos_conformance.exchange import ERROR_TYPES, preview
from epos_conformance.locking import (
    LASTS,
    OTHERS,
    Lock,
    Payment,
    ask,
    carried_out,
    extend,
    freed,
    granted_when_free,
    hold,
    id_of,
    lacks,
    lock,
    new_id,
    pay,
    read_with,
    release,
    require_offered,
    require_released,
    shown_in,
    unrecorded,
    until,
)
from epos_conformance.settling import settled
from epos_conformance.venue import Row, rows_of


#: How far a search is walked to find an order.
MOST_PAGES = 5

#: What an order that nobody touches keeps, locked or not, and what it goes on showing.
KEPT = ("items", "details", "totalAmount")
SHOWN = (*KEPT, "paidAmount", "payments", "payable", "status")


def another(partner: Partner, owed: int = 1) -> list[Row]:
    """One more order of this check's own; none where there is no other."""
    try:
        return [partner.order(owed)]
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
    first = hold(partner)
    locks = [first, *(lock(partner, order) for order in another(partner))]
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
        answer = lock(partner, payment.order).granted.result
        return lacks(answer, payment, known, "the answer to a lock after a payment")

    require_twice(stale, hint="the order is answered from a copy that was made earlier")


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


# Reading what is locked


@dataclass(frozen=True, slots=True)
class Look:
    """
    What a reader sees of one order.
    """

    exchange: Exchange
    #: None where the answer has it not.
    order: Row | None

    def differs(self, usual: Look) -> Finding | None:
        """What is not as *usual*."""
        where = f"{self.exchange.capability} while the order is locked"
        if not self.exchange.succeeded:
            return Finding(where, "a success, as before", self.exchange.seen)
        if self.order is None or usual.order is None:
            return Finding(where, f"order {usual.order and usual.order['id']}, as before", "it isn't there")
        for name in SHOWN:
            if name in usual.order and name not in self.order:
                return Finding(f"{where}, $.{name}", "there, as before", "missing")
        for name in KEPT:
            if name in usual.order and usual.order[name] != self.order[name]:
                expected, seen = preview(usual.order[name]), preview(self.order[name])
                return Finding(f"{where}, $.{name}", f"{expected}, as before", seen)
        return None


@check("*.answers-while-the-order-is-locked", changes=True)
def test_answers_while_the_order_is_locked(partner: Partner, capability: Capability) -> None:
    """A locked order is read as usual."""
    require_offered(partner, "CreateOrderLock")
    order = partner.order(1)
    look = READERS[capability.name]
    usual = settled(partner, lambda: look(partner, order), lambda each: each.order is not None)
    if usual.order is None:
        raise Inconclusive(f"needs an order that {capability.name} shows, but saw {usual.exchange.seen}")

    held = lock(partner, order)
    finding = settled(partner, lambda: look(partner, order).differs(usual), lambda each: each is None)
    if finding is None:
        return
    # Not because it is locked, if it is so without the lock.
    require_released(partner, held)
    if settled(partner, lambda: look(partner, order).differs(usual), lambda each: each is None):
        raise Inconclusive(f"{capability.name} has changed what it shows of the order, and not because of a lock")
    lock(partner, order)
    if again := look(partner, order).differs(usual):
        raise Violation(again)


def read(partner: Partner, order: Row) -> Look:
    exchange = partner.call("GetOrderById", {"orderId": id_of(order)})
    return Look(exchange, same(exchange.result, order))


def read_bill(partner: Partner, order: Row) -> Look:
    exchange = partner.call("GetOrderBillById", {"orderId": id_of(order)})
    bill = exchange.result
    return Look(exchange, same(bill.get("order") if isinstance(bill, dict) else None, order))


def search(partner: Partner, order: Row) -> Look:
    """Look for *order* at its table, or among all."""
    details = order.get("details")
    dine_in = details.get("dineIn") if isinstance(details, dict) else None
    table = dine_in.get("tableId") if isinstance(dine_in, dict) else None
    query = {"dineIn": {"tableId": table}} if table else {}
    cursor: dict[str, Any] = {"limit": 100}
    for _ in range(MOST_PAGES):
        exchange = partner.call("SearchOrders", {**query, "cursor": cursor})
        found = next((row for row in rows_of(exchange.result) if same(row, order)), None)
        after = exchange.result.get("after") if isinstance(exchange.result, dict) else None
        if found is not None or not after:
            break
        cursor = {"limit": 100, "after": after}
    return Look(exchange, found)


READERS = {"GetOrderById": read, "GetOrderBillById": read_bill, "SearchOrders": search}


def same(found: Any, order: Row) -> Row | None:
    """*found* if it is *order*."""
    return found if isinstance(found, dict) and found.get("id", order["id"]) == order["id"] else None


# The holder


@check("CreateOrderLock.lets-the-holder-pay")
def test_lets_the_holder_pay(partner: Partner) -> None:
    """Payments that carry the lockId of the live lock are recorded."""
    held = hold(partner, 4)
    for step in ("a payment under the lock", "a second payment under the lock"):
        require_payment(partner, held, step)
    # Where locks are enforced, one that is refused takes nothing from the holder.
    if not ask(partner, held.order, new_id()).succeeded:
        require_payment(partner, held, "a payment under the lock after another lock was refused")


def require_payment(partner: Partner, held: Lock, step: str) -> None:
    """Demand that the holder's payment is recorded; where none is without the lock either, it isn't the lock's fault."""
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
    for seconds in (LASTS * 1.5, LASTS + 10, *OTHERS):
        exchange = extend(partner, held, until(seconds))
        if exchange.succeeded:
            return
        refused.append(Finding(f"extending a live lock to {seconds:g} s from now", "a success", exchange.seen))
    raise Violation(*refused)


@check("ExtendOrderLock.lets-the-holder-pay-afterwards")
def test_extension_lets_the_holder_pay_afterwards(partner: Partner) -> None:
    """After an extension, payments that carry the same lockId are recorded."""
    held = hold(partner, 4)
    extended = extend(partner, held, until(LASTS * 1.5))
    if not extended.succeeded:
        raise Inconclusive(f"needs a lock that is extended, but ExtendOrderLock was not carried out: {extended.seen}")

    require_payment(partner, held, "a payment after the extension")
    extend(partner, held, until(LASTS * 2))
    require_payment(partner, held, "a payment after a second extension")


# Other orders


@check("CreateOrderLock.lets-another-order-be-locked")
def test_lets_another_order_be_locked(partner: Partner) -> None:
    """While one order is locked, another one can be locked."""
    held = hold(partner)
    order = partner.order()
    id = new_id()
    second = ask(partner, order, id)
    if second.succeeded:
        return
    require_released(partner, held)
    alone = granted_when_free(partner, order, id)
    if not alone.succeeded:
        raise Inconclusive(f"needs a second order that can be locked, but saw {alone.seen}")
    release(partner, order, id)
    lock(partner, held.order)
    again = ask(partner, order, id)
    if not again.succeeded:
        where = f"a lock on order {id_of(order)} while order {held.order_id} is locked"
        raise Violation(Finding(where, "a success, as when no order is locked", again.seen))


@check("CreateOrderLock.lets-another-order-be-paid")
def test_lets_another_order_be_paid(partner: Partner) -> None:
    """While one order is locked, another one can be paid, without a lock and under its own."""
    held = hold(partner)
    order = partner.order(4)
    require_paid_beside(partner, held, order, None)
    own = new_id()
    if ask(partner, order, own).succeeded:
        require_paid_beside(partner, held, order, own)


def require_paid_beside(partner: Partner, held: Lock, order: Row, lock_id: str | None) -> None:
    how = "without a lock" if lock_id is None else "under a lock of its own"
    step = f"a payment on order {id_of(order)}, {how}, while order {held.order_id} is locked"
    payment = pay(partner, order, lock_id)
    if payment.exchange.succeeded:
        answers.violate(unrecorded(partner, payment, step))
        return
    require_released(partner, held)
    carried_out(pay(partner, order, lock_id), f"{how}, while no other order is locked")
    raise Violation(Finding(step, "a success, as when no other order is locked", payment.exchange.seen))


# Expiries that are none


def tomorrow() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)


#: What an expiry may not be, and why; all would be in the future for software that makes sense of them.
MALFORMED: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("a word", lambda: "soon"),
    ("an empty text", lambda: ""),
    ("a date without a time", lambda: f"{tomorrow():%Y-%m-%d}"),
    ("a time without a date", lambda: "23:59:59Z"),
    ("seconds since 1970 as a number", lambda: int(tomorrow().timestamp())),
    ("seconds since 1970 as a text", lambda: str(int(tomorrow().timestamp()))),
    ("a month 13", lambda: f"{tomorrow():%Y}-13-01T12:00:00Z"),
    ("the 30th of February", lambda: f"{tomorrow().year + 1}-02-30T12:00:00Z"),
    ("an hour 25", lambda: f"{tomorrow():%Y-%m-%d}T25:00:00Z"),
    ("a date as people write it", lambda: f"{tomorrow():%d/%m/%Y %H:%M}"),
)


@check("*.refuses-a-missing-expiry")
def test_refuses_a_missing_expiry(partner: Partner, capability: Capability) -> None:
    """A lock without an expiry is refused with InvalidRequest."""
    require_invalid(partner, capability, [("no expiry", {}), ("an expiry of null", {"expiry": None})])


@check("*.refuses-a-malformed-expiry")
def test_refuses_a_malformed_expiry(partner: Partner, capability: Capability) -> None:
    """A lock whose expiry is no date-time is refused with InvalidRequest."""
    require_invalid(partner, capability, [(what, {"expiry": make()}) for what, make in MALFORMED])


def require_invalid(partner: Partner, capability: Capability, bodies: list[tuple[str, dict[str, Any]]]) -> None:
    """
    Demand that each of *bodies* is refused as an InvalidRequest, where a valid one would be carried out.
    """
    held = hold(partner)
    creates = capability.name == "CreateOrderLock"
    order = freed(partner, held) if creates else held.order
    findings = []
    for what, body in bodies:
        params = {"orderId": id_of(order), "lockId": new_id() if creates else held.id, **body}
        exchange = partner.dare(functools.partial(partner.call, capability.name, params))
        findings += not_invalid(exchange, f"{what} ({preview(body['expiry'])})" if body else what)
        if exchange.succeeded and creates:
            require_released(partner, Lock(order, params["lockId"], exchange))
    answers.violate(findings)


def not_invalid(exchange: Exchange, what: str) -> list[Finding]:
    if findings := list(answers.require_refusal(exchange, what)):
        return findings
    error = exchange.error
    if error is None or error.type not in ERROR_TYPES or error.type == "InvalidRequest":
        return []  # that an error is an EPOSError is another rule's business
    return [Finding(what, "InvalidRequest", exchange.seen)]


# Released


@check("DeleteOrderLock.lets-a-new-lock-be-granted")
def test_lets_a_new_lock_be_granted(partner: Partner) -> None:
    """After a lock is deleted, a new one with another lockId is granted, whatever was done under the first."""
    require_twice(lambda: still_locked(partner, "a lock is deleted"))
    if partner.offers("RecordOrderPaymentById"):
        require_twice(lambda: still_locked(partner, "a lock is deleted under which was paid", paid=True))
    if partner.offers("ExtendOrderLock"):
        require_twice(lambda: still_locked(partner, "a lock is deleted that was extended", extended=True))


def still_locked(partner: Partner, what: str, *, paid: bool = False, extended: bool = False) -> list[Finding]:
    held = hold(partner)
    if paid:
        pay(partner, held.order, held.id)
    if extended:
        extend(partner, held, until(LASTS * 1.5))
    require_released(partner, held)
    next = granted_when_free(partner, held.order, new_id())
    partner.clean_up()
    return [] if next.succeeded else [Finding(f"a new lock after {what}", "a success", next.seen)]


@check("DeleteOrderLock.lets-payments-be-made-again")
def test_lets_payments_be_made_again(partner: Partner) -> None:
    """After a lock is deleted, a payment without lockId is recorded as on an order that was never locked."""
    order = hold_and_release(partner)
    payment = pay(partner, order)
    if payment.exchange.succeeded:
        answers.violate(unrecorded(partner, payment, "a payment after the lock was deleted"))
        return
    carried_out(pay(partner, partner.order()), "on an order that was never locked")
    again = pay(partner, hold_and_release(partner))
    if not again.exchange.succeeded:
        raise Violation(
            Finding("a payment without lockId after the lock was deleted", "a success", again.exchange.seen)
        )


def hold_and_release(partner: Partner) -> Row:
    held = hold(partner)
    require_released(partner, held)
    return held.order
