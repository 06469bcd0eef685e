"""
What an EPOS owes its locks if it enforces them; one that doesn't keeps these rules by having nothing to break.
"""

from __future__ import annotations

import datetime
import time

from typing import Any

from epos_conformance import Exchange, Finding, Inconclusive, Partner, Violation, answers, check, money
from epos_conformance.lapsing import lapsing
from epos_conformance.locking import (
    LASTS,
    Lock,
    Payment,
    ask,
    carried_out,
    enforced,
    enforcement,
    excused,
    extend,
    granted_when_free,
    hold,
    id_of,
    lock,
    new_id,
    pay,
    read_with,
    release,
    require_offered,
    require_released,
    shown_in,
    until,
)
from epos_conformance.venue import Row


#: Seconds after which a race is not started again.
LONGEST_RACE = 6.0

#: An expiry of long ago, in seconds.
LONG_AGO = -900.0


# A second lock


@check("CreateOrderLock.enforces-locks")
def test_enforces_locks(partner: Partner) -> None:
    """A second lock with another lockId is refused while the first is live."""
    found = enforcement(partner)
    if not found.enforced:
        raise Violation(Finding("a second lock with another lockId", "a refusal", f"it is granted ({found.second.seen})"))


@check("CreateOrderLock.refuses-a-second-lock-with-conflict")
def test_refuses_a_second_lock_with_conflict(partner: Partner) -> None:
    """A second lock is refused with errorType Conflict, whatever was done under the first."""
    answers.violate([
        Finding(what, "Conflict", each.seen)
        for what, each in second_locks(partner)
        if each.error is None or each.error.type != "Conflict"
    ])


@check("CreateOrderLock.refuses-a-second-lock-with-http-conflict")
def test_refuses_a_second_lock_with_http_conflict(partner: Partner) -> None:
    """A second lock is refused with status 409, whatever was done under the first."""
    answers.violate([
        Finding(what, "status 409", each.seen) for what, each in second_locks(partner) if each.status != 409
    ])


def second_locks(partner: Partner) -> list[tuple[str, Exchange]]:
    """Second locks that are refused, with what was done under the first before."""
    facts = enforced(partner)
    if facts is None:
        return []
    held = hold(partner)
    found = [("a second lock", facts.second), ("a second lock", ask(partner, held.order, new_id()))]
    if partner.offers("RecordOrderPaymentById") and pay(partner, held.order, held.id).exchange.succeeded:
        found.append(("a second lock after a payment under the first", ask(partner, held.order, new_id())))
    if partner.offers("ExtendOrderLock") and extend(partner, held, until(LASTS * 1.5)).succeeded:
        found.append(("a second lock after the first was extended", ask(partner, held.order, new_id())))
    return [(what, each) for what, each in found if not each.succeeded]


@check("CreateOrderLock.a-refused-lock-holds-nothing")
def test_a_refused_lock_holds_nothing(partner: Partner) -> None:
    """A lock that is refused for its expiry does not lock the order."""
    if not enforced(partner):
        return
    held = hold(partner)
    require_released(partner, held)
    findings, refused = [], 0
    for what, body in (("no expiry", {}), ("a word", {"expiry": "soon"}), ("a month 13", {"expiry": "2042-13-01T12:00:00Z"})):
        params = {"orderId": held.order_id, "lockId": new_id(), **body}
        if partner.call("CreateOrderLock", params).succeeded:
            require_released(partner, Lock(held.order, params["lockId"], held.granted))
            continue
        refused += 1
        id = new_id()
        next = granted_when_free(partner, held.order, id)
        if not next.succeeded:
            findings.append(Finding(f"a lock after one with {what} was refused", "a success", next.seen))
            release(partner, held.order, params["lockId"])
            break
        release(partner, held.order, id)
    answers.violate(findings, hint="the lock is kept before its expiry has been read")
    if not refused:
        raise Inconclusive("needs a lock that is refused, but every expiry is accepted")


# Two at the same instant


@check("CreateOrderLock.grants-one-of-two-at-once")
def test_grants_one_of_two_at_once(partner: Partner) -> None:
    """Of two locks that are asked for at the same instant, at most one is granted."""
    if not enforced(partner):
        return
    order = hold_and_release(partner)
    for turn in rounds(partner):
        ids = [new_id(), new_id()]
        asked = partner.at_once(*(("CreateOrderLock", locking(order, id)) for id in ids))
        granted = [id for id, each in zip(ids, asked, strict=True) if each.succeeded]
        if len(granted) == len(ids):
            raise Violation(
                Finding(
                    f"two locks on order {id_of(order)} at the same instant, in round {turn}",
                    "at most one of them granted",
                    f"both: {' and '.join(granted)}",
                    hint="whether the order is free is looked up before it is locked, and another request comes between",
                )
            )
        give_back(partner, order, ids, asked)


def locking(order: Row, lock_id: str) -> dict[str, Any]:
    return {"orderId": id_of(order), "lockId": lock_id, "expiry": until(LASTS)}


def give_back(partner: Partner, order: Row, ids: list[str], asked: list[Exchange]) -> None:
    """Release what was granted, or may have been."""
    for id, each in zip(ids, asked, strict=True):
        if each.succeeded or each.answer is None:
            release(partner, order, id)


def hold_and_release(partner: Partner) -> Row:
    require_offered(partner, "DeleteOrderLock")
    held = hold(partner)
    require_released(partner, held)
    return held.order


def rounds(partner: Partner) -> Any:
    """The numbers of the rounds of a race; how many there were is among the check's notes."""
    started, turn = time.monotonic(), 0
    while turn < partner.settings.race_rounds and time.monotonic() - started < LONGEST_RACE:
        turn += 1
        yield turn
    partner.notes.append(f"{turn} rounds")


@check("ExtendOrderLock.survives-a-delete-at-once")
def test_survives_a_delete_at_once(partner: Partner) -> None:
    """A lock that is extended and deleted at the same instant ends in good order."""
    order = hold_and_release(partner)
    hung_up = []
    for turn in rounds(partner):
        held = lock(partner, order)
        ids = {"orderId": held.order_id, "lockId": held.id}
        both = ("ExtendOrderLock", {**ids, "expiry": until(LASTS * 1.5)}), ("DeleteOrderLock", ids)
        crashed = [
            Finding(f"{each.capability} at the same instant as the other, in round {turn}", "no server error", each.seen)
            for each in partner.at_once(*both)
            if each.crashed
        ]
        # A connection may have been closed between two rounds, for once.
        answers.violate([*hung_up, *crashed] if hung_up or partner.exchanges[-1].answer else [])
        hung_up = crashed
        release(partner, order, held.id)
        id = new_id()
        free = granted_when_free(partner, order, id)
        if not free.succeeded:
            where = f"a new lock after extending and deleting one at the same instant, in round {turn}"
            raise Violation(Finding(where, "a success, once the old one is deleted again", free.seen))
        release(partner, order, id)
