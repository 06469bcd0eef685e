"""
What a lock leaves as it is: reading the order, and everything about other orders.
"""

from __future__ import annotations

import contextlib

from dataclasses import dataclass
from typing import Any

from epos_conformance import (
    Capability,
    Exchange,
    Finding,
    Inconclusive,
    Partner,
    Violation,
    answers,
    check,
    creating,
    unaltered,
)
from epos_conformance.exchange import preview
from epos_conformance.following import Row, rows_of
from epos_conformance.locking import (
    Lock,
    ask,
    carried_out,
    expect_two,
    granted_when_free,
    hold,
    id_of,
    lock,
    new_id,
    pay,
    release,
    require_offered,
    require_released,
    unrecorded,
)
from epos_conformance.ordering import times
from epos_conformance.settling import settled


#: How far a search is walked to find an order.
MOST_PAGES = 5

#: What an order that nobody touches keeps, locked or not, and what it goes on showing.
KEPT = ("items", "details", "totalAmount")
SHOWN = (*KEPT, "paidAmount", "payments", "payable", "status")


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
            return Finding(where, "the order, as before", "it isn't there")
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
    return Look(exchange, same(bill.get("order", {}), order) if isinstance(bill, dict) else None)


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


# The rest of the order


@check("*.leaves-the-rest-of-the-order")
def test_leaves_the_rest_of_the_order(partner: Partner, capability: Capability) -> None:
    """Locking, unlocking and paying an order leave everything else about it as it was."""
    answers.violate(unaltered.findings(partner, capability.name), hint="the order is written back without it")


# Other orders


@check("CreateOrderLock.lets-another-order-be-locked")
def test_lets_another_order_be_locked(partner: Partner) -> None:
    """While one order is locked, another one can be locked."""
    expect_two(partner)
    require_locked_beside(partner, hold(partner), partner.order())
    with contextlib.suppress(Inconclusive):
        require_locked_beside(partner, *at_one_table(partner))


def require_locked_beside(partner: Partner, held: Lock, order: Row) -> None:
    """Demand that *order* can be locked, if it can be while no order is."""
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
        hint = "locks are kept for the till, or for who asks, and not for the order"
        raise Violation(Finding(where, "a success, as when no order is locked", again.seen), hint=hint)


@check("CreateOrderLock.lets-another-order-be-paid")
def test_lets_another_order_be_paid(partner: Partner) -> None:
    """While one order is locked, another one can be paid, without a lock and under its own."""
    expect_two(partner)
    held = hold(partner)
    order = partner.order(4)
    require_paid_beside(partner, held, order, None)
    own = new_id()
    if ask(partner, order, own).succeeded:
        require_paid_beside(partner, held, order, own)
    with contextlib.suppress(Inconclusive):
        require_paid_beside(partner, *at_one_table(partner), None)


def at_one_table(partner: Partner) -> tuple[Lock, Row]:
    """A lock on an order, and another order at the same table; `Inconclusive` where the till makes no two there."""
    made: list[Row] = []
    if partner.offers("CreateOrder") and not partner.venue.known.orders:
        book = creating.book(partner)
        place = book.table()
        for _ in range(2 if place else 0):
            row = partner.call("CreateOrder", book.body([times(book.dishes[0], 2)], place=place)).result
            if isinstance(row, dict) and "id" in row and row.get("payable") is not False:
                made.append(row)
    # A till may put both on one bill.
    if len({id_of(each) for each in made}) < 2:
        raise Inconclusive("needs two orders at one table")
    return lock(partner, made[0]), made[1]


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
