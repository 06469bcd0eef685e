"""
Locks on orders: asked for, extended, released and paid under, in the few steps that checks about them are made of.
"""

from __future__ import annotations

import datetime
import uuid

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from epos_conformance import money, paying
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.exchange import Exchange
from epos_conformance.following import Row
from epos_conformance.intents import INTENTS_HINT
from epos_conformance.partner import Partner
from epos_conformance.paying import Payment
from epos_conformance.settling import settled
from epos_conformance.supply import LEASE_WAIT
from epos_conformance.venue import Venue, instant
from epos_conformance.verdict import Finding


#: Seconds that a lock is asked for: it is live by a clock that is 90 s off, and lapses soon where nothing releases it.
LASTS = 180.0

#: Seconds to try where that is refused: an EPOS may find an expiry too near or too far.
OTHERS = (60.0, 600.0)

#: What was granted in the place of `LASTS`, by venue.
_GRANTED: WeakKeyDictionary[Venue, float] = WeakKeyDictionary()


def new_id() -> str:
    """An id for a lock, as Dojo makes them."""
    return str(uuid.uuid4())


def until(seconds: float, *, zone: datetime.timezone = datetime.UTC) -> str:
    """The expiry that is so many *seconds* from now by our clock, written with the offset of *zone*."""
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return instant(moment) if zone is datetime.UTC else moment.astimezone(zone).isoformat(timespec="milliseconds")


def lasts(partner: Partner) -> float:
    """Seconds that the partner grants a lock for, as far as it is known by now."""
    return _GRANTED.get(partner.venue, LASTS)


def usual(partner: Partner, times: float = 1.0) -> str:
    """An expiry as the partner grants it; *times* as far away."""
    return until(times * lasts(partner))


def require_offered(partner: Partner, *names: str) -> None:
    """Raise `NotOffered` where one of the capabilities of those *names* is not."""
    for name in names:
        if not partner.offers(name):
            raise NotOffered(f"needs {name}, which isn't offered")


@dataclass(frozen=True, slots=True)
class Lock:
    """
    A lock of ours that was granted.
    """

    order: Row
    id: str
    granted: Exchange

    @property
    def order_id(self) -> str:
        return id_of(self.order)


def id_of(order: Row) -> str:
    return str(order["id"])


# Asking


def ask(partner: Partner, order: Row, lock_id: str, expiry: str | None = None) -> Exchange:
    """Ask for a lock on *order*, with the `usual` expiry where none is given."""
    params = {"orderId": id_of(order), "lockId": lock_id, "expiry": expiry or usual(partner)}
    return partner.call("CreateOrderLock", params)


def extend(partner: Partner, lock: Lock, expiry: str | None = None) -> Exchange:
    """Ask for *lock* to last longer, until *expiry* where it is given."""
    params = {"orderId": lock.order_id, "lockId": lock.id, "expiry": expiry or usual(partner, 1.25)}
    return partner.call("ExtendOrderLock", params)


def release(partner: Partner, order: Row, lock_id: str) -> Exchange:
    return partner.call("DeleteOrderLock", {"orderId": id_of(order), "lockId": lock_id})


def rival(partner: Partner, order: Row) -> Exchange:
    """
    What a second lock on *order* is answered; given back where it is granted, and all before it have lapsed.
    """
    id = new_id()
    exchange = ask(partner, order, id)
    if exchange.succeeded and partner.offers("DeleteOrderLock"):
        release(partner, order, id)
        forget(partner, order)
    return exchange


def forget(partner: Partner, order: Row) -> None:
    """Keep nothing in mind of the locks on *order*: there is none that has to be removed."""
    partner.forget(lambda made: made.kind == "lock" and made.ids["orderId"] == id_of(order))


def lock(partner: Partner, order: Row) -> Lock:
    """
    A lock on *order*, released when the check ends.

    Raises `Inconclusive` with the partner's words where it is refused, whenever it is to end.
    """
    require_offered(partner, "CreateOrderLock")
    for seconds in dict.fromkeys((lasts(partner), LASTS, *OTHERS)):
        id = new_id()
        exchange = ask(partner, order, id, until(seconds))
        if exchange.succeeded:
            _GRANTED[partner.venue] = seconds
            return Lock(order, id, exchange)
        if exchange.error is None or exchange.error.type not in ("InvalidRequest", "Conflict"):
            break
    raise Inconclusive(f"needs a locked order, but CreateOrderLock was not carried out: {exchange.seen}")


def hold(partner: Partner, owed: int = 2) -> Lock:
    """
    A lock on an order that this check has to itself, with at least *owed* minor units to pay.
    """
    require_offered(partner, "CreateOrderLock")
    try:
        return lock(partner, partner.order(owed))
    except Inconclusive as error:
        refused = error
    try:
        # A waiter may be editing the first.
        return lock(partner, partner.order(owed))
    except Inconclusive:
        raise refused from None


def expect_two(partner: Partner) -> None:
    """
    Say that two orders are needed at a time, before the first is taken: where they are the venue's few, processes that
    have one each would wait for each other in vain.
    """
    if partner.venue.known.orders or not partner.offers("CreateOrder"):
        partner.hold("two orders", wait=LEASE_WAIT)


def granted_when_free(partner: Partner, order: Row, lock_id: str) -> Exchange:
    """Ask for a lock on *order*, which was released just now; the release may take its time to be seen."""
    return settled(partner, lambda: ask(partner, order, lock_id), lambda each: each.succeeded)


def require_released(partner: Partner, held: Lock) -> Exchange:
    """Release *held*; raises `Inconclusive` where that is not carried out."""
    require_offered(partner, "DeleteOrderLock")
    exchange = release(partner, held.order, held.id)
    if not exchange.succeeded:
        raise Inconclusive(f"needs a lock that is deleted, but DeleteOrderLock was not carried out: {exchange.seen}")
    return exchange


def lockable(partner: Partner, owed: int = 2) -> Row:
    """An order of this check's own that was locked a moment ago, and is free."""
    require_offered(partner, "DeleteOrderLock")
    held = hold(partner, owed)
    require_released(partner, held)
    return held.order


def freed(partner: Partner, held: Lock) -> Row:
    """An order that nobody has locked: the one of *held* where it can be released, else another one."""
    if partner.offers("DeleteOrderLock") and release(partner, held.order, held.id).succeeded:
        return held.order
    return partner.order()


# Paying


def pay(partner: Partner, order: Row, lock_id: str | None = None) -> Payment:
    """Pay one minor unit on *order*, under *lock_id* where one is given."""
    require_offered(partner, paying.RECORD)
    return paying.pay(partner, order, lock=lock_id)


def carried_out(payment: Payment, where: str) -> Payment:
    """*payment*; raises `Inconclusive` where it is refused, though no lock is in its way (*where* says so)."""
    if payment.exchange.succeeded:
        return payment
    raise Inconclusive(f"needs a payment, but none was carried out {where}: {payment.exchange.seen}; {INTENTS_HINT}")


def shown_in(order: Any, payment: Payment) -> bool | None:
    """Whether *order*, as answered, has *payment* among its payments; None where it names none by their intents."""
    if not isinstance(order, Mapping):
        return None
    intents = [each.get("paymentIntentId") for each in money.payments(order)]
    return payment.intent in intents if any(intents) or order.get("payments") == [] else None


def read_with(partner: Partner, payment: Payment) -> Any:
    """
    The order as GetOrderById shows it as soon as *payment* is there, or the settle time is over; without
    GetOrderById, as the payment was answered.
    """
    if not partner.offers("GetOrderById"):
        return payment.exchange.result
    return settled(
        partner,
        lambda: partner.call("GetOrderById", {"orderId": payment.order_id}).result,
        lambda found: shown_in(found, payment) is True,
    )


def unrecorded(partner: Partner, payment: Payment, step: str) -> list[Finding]:
    """Findings where *payment*, made in *step*, was answered with a success and is not to be found."""
    found = read_with(partner, payment)
    if shown_in(found, payment) is not False:
        return []
    return [Finding(f"GetOrderById after {step}, $.payments", f"the payment {payment.intent}", "it isn't there")]


def lacks(answer: Any, payment: Payment, known: Any, where: str) -> list[Finding]:
    """
    Where *answer* knows less of *payment* than *known*, an answer from before it.
    """
    if not isinstance(answer, Mapping) or not isinstance(known, Mapping):
        return []
    found = []
    if shown_in(known, payment) and shown_in(answer, payment) is False:
        found.append(Finding(f"{where}, $.payments", f"the payment {payment.intent} made before", "it isn't there"))
    sums = money.value(known.get("paidAmount")), money.value(answer.get("paidAmount"))
    if sums[0] is not None and sums[1] is not None and sums[1] < sums[0]:
        shown = [money.shown(each["paidAmount"]) for each in (known, answer)]
        found.append(Finding(f"{where}, $.paidAmount", f"{shown[0]}, as after the payment before", shown[1]))
    return found
