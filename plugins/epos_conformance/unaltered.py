"""
One conversation about what a lock and a payment leave alone: an order with a discount, a service charge, a note and a
waiter is locked, paid a part of and unlocked, and read after each step.
"""

from __future__ import annotations

import contextlib
import itertools

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from epos_conformance import creating, locking, money, order_versions, paying, sameness
from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import preview
from epos_conformance.following import Row
from epos_conformance.intents import INTENTS_HINT
from epos_conformance.ordering import Version, place
from epos_conformance.partner import Partner
from epos_conformance.paying import READ, RECORD
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding


#: What is neither locked nor paid: sums follow from it, and names and references a till may make anew.
KEPT = ("items", "discounts", "serviceChargeAmount", "note", "details")

#: Minor units that it has to owe: a payment of one leaves something.
_OWED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    Something that was done to the order: what it was answered where it was refused, else what the order lost by it.
    """

    #: The capability.
    name: str
    refused: str = ""
    lost: tuple[Finding, ...] = ()


def findings(partner: Partner, name: str) -> list[Finding]:
    """
    What the order lost by the capability of that *name*.

    Raises `NotOffered`, and `Inconclusive` where it was not carried out.
    """
    locking.require_offered(partner, *([] if name == RECORD else ["CreateOrderLock"]), READ)
    step = next((each for each in partner.once("unaltered", lambda: _tell(partner)) if each.name == name), None)
    if step is None or step.refused:
        seen = f": {step.refused}" if step else ""
        hint = f"; {INTENTS_HINT}" if name == RECORD else ""
        raise Inconclusive(f"needs {name} to be carried out on an order that can be read, but it was not{seen}{hint}")
    return list(step.lost)


def _tell(partner: Partner) -> list[Step]:
    order = _rich(partner)
    first = _steps(partner, order)
    if not any(each.lost for each in first):
        return first
    # An order of the venue may have been changed by a waiter: what is lost is lost again.
    try:
        again = _steps(partner, _rich(partner))
    except Inconclusive:
        is_own = partner.owns(str(order["id"]))
        return first if is_own else [replace(each, lost=()) for each in first]
    lost = {each.name for each in again if each.lost}
    return [each if each.name in lost else replace(each, lost=()) for each in first]


# The order


def _rich(partner: Partner) -> Row:
    """An order with as much beside its items as the venue takes; one of the venue's where none can be made."""
    if partner.offers("CreateOrder") and not partner.venue.known.orders and not partner.settings.read_only:
        with contextlib.suppress(Inconclusive):
            for _, _, made in creating.taken(partner, _versions(partner)):
                row = made.result
                if not isinstance(row, dict) or "id" not in row or row.get("payable") is False:
                    continue
                owed = money.owed(row)  # what was made may be answered briefly
                if owed is None or owed >= _OWED:
                    return row
    return partner.order(_OWED)


def _versions(partner: Partner) -> Iterator[Version]:
    """Orders with everything, or as much of it as a till may take, with a note and for a waiter."""
    ordering, waiter = creating.book(partner), partner.venue.waiter_id
    features = (order_versions.everything, order_versions.discounts, order_versions.service_charges)
    for each in itertools.chain.from_iterable(islice(feature(ordering), 2) for feature in features):
        dine_in = {**place(each.body), **({"waiterId": waiter} if waiter else {})}
        details = {**each.body["details"], "dineIn": dine_in}
        yield replace(each, body={**each.body, "note": "No onions, please", "details": details})


# What is done to it


def _steps(partner: Partner, order: Row) -> list[Step]:
    """The order is locked, the lock is extended, a part is paid under it, and it is unlocked."""
    id, found = str(order["id"]), list[Step]()
    before = paying.read(partner, id)
    lock_id: str | None = None

    def took(name: str, refused: str) -> None:
        nonlocal before
        if refused:
            found.append(Step(name=name, refused=refused))
            return
        after = _read(partner, id, before)
        found.append(Step(name=name, lost=tuple(lost(before, after, f"{READ} after {name}"))))
        before = after

    with contextlib.suppress(Inconclusive):
        if partner.offers("CreateOrderLock"):
            held = locking.lock(partner, {**order, "id": id})
            lock_id = held.id
            took("CreateOrderLock", "")
            if partner.offers("ExtendOrderLock"):
                extended = locking.extend(partner, held)
                took("ExtendOrderLock", "" if extended.succeeded else extended.seen)
    if partner.offers(RECORD):
        took(RECORD, _pay(partner, {**order, **before, "id": id}, lock_id))
    if lock_id is not None and partner.offers("DeleteOrderLock"):
        released = locking.release(partner, {"id": id}, lock_id)
        took("DeleteOrderLock", "" if released.succeeded else released.seen)
    return found


def _pay(partner: Partner, order: Row, lock_id: str | None) -> str:
    """Pay a minor unit; empty as soon as it is read, else why it was not paid."""
    try:
        payment = paying.pay(partner, order, lock=lock_id)
    except Inconclusive as error:  # the user's payment intents may be used up
        return str(error)
    if not payment.exchange.succeeded:
        return payment.exchange.seen
    with contextlib.suppress(Inconclusive):
        paying.read(partner, payment.order_id, paying.lists(payment.intent))
    return ""


def _read(partner: Partner, id: str, before: Row) -> Row:
    """The order as it is read when it lacks nothing of *before*, or the settle time is over."""
    found: Row = settled(
        partner,
        lambda: paying.read(partner, id),
        lambda each: not list(lost(before, each, "")),
    )
    return found


def lost(before: Row, after: Row, where: str) -> Iterator[Finding]:
    """
    Findings where *after* lacks, or says otherwise, what *before* said; what it says besides is the till's business.
    """
    said = {name: before[name] for name in KEPT if name in before}
    now = {name: after[name] for name in KEPT if name in after}
    for each in sameness.differences(said, now, needed=KEPT):
        if not _is_gain(each):
            yield Finding(f"{where}, {each.where}", f"{_shown(each.one)}, as before", _shown(each.other))


def _is_gain(found: sameness.Difference) -> bool:
    one, other = found.one, found.other
    if one is None or one == [] or money.value(one) == 0:
        return True
    if isinstance(one, list) and isinstance(other, list):
        return len(other) > len(one)  # a line that is split, one that is put on
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    # A till may add to a note, and have the order served by whoever takes the payment.
    return one.strip() in other or (bool(other) and found.where.endswith(".waiterId"))


def _shown(value: Any) -> str:
    return "nothing" if value is None else preview(value)
