"""
Two more conversations about payments: one that comes again, and an order that is paid to its last unit.

They record what happened; the checks judge it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from epos_conformance import money, paying, split_bill
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.paying import Payment
from epos_conformance.settling import unchanged


if TYPE_CHECKING:
    from epos_conformance.exchange import Exchange
    from epos_conformance.following import Row
    from epos_conformance.partner import Partner


@dataclass(frozen=True, slots=True)
class Replay:
    """
    A payment that came again. Orders are as they were read then; None where they weren't.
    """

    #: The order as it was last shown before the replay.
    before: Row
    first: Payment
    again: Payment
    read: Row | None


@dataclass(frozen=True, slots=True)
class Payoff:
    """
    An order that is paid but for one unit, then that unit, then once more. Later steps are None where an earlier one
    was refused.
    """

    #: All that is owed but one unit, with a tip of two.
    most: Payment
    read_most: Row | None = None
    #: What was left then, with a tip on top.
    rest: Payment | None = None
    #: The same without a tip, where it was refused with one.
    plain_rest: Payment | None = None
    read_rest: Row | None = None
    #: A new payment of one unit on the order that is paid.
    more: Payment | None = None
    read_more: Row | None = None
    #: The payment of the rest, again.
    replay: Replay | None = None

    @property
    def last(self) -> Payment | None:
        """The payment that paid the order off."""
        tried = (self.rest, self.plain_rest)
        return next((each for each in tried if each is not None and each.exchange.succeeded), None)


def replays(partner: Partner) -> list[Replay]:
    """
    Payments that come again: at once, after another one, with another amount, and under a lock.

    Raises `Inconclusive` where no payment is recorded.
    """

    def tell() -> list[Replay]:
        first = paying.paid(partner, 3, 1, owed=14, what="the first payment")
        found = [_replay(partner, first, first.after, "the first payment sent again")]
        order = {**first.before, **first.after, **found[-1].again.after}
        other = paying.pay(partner, order, 2, what="another payment")
        if other.exchange.succeeded:
            what = "the first payment sent again after another one"
            found.append(_replay(partner, first, other.after, what))
            order = {**order, **found[-1].again.after}
        altered = paying.pay(partner, order, 4, 1, intent=first.intent, what="the first payment's intent with 4")
        found.append(Replay(order, first, altered, look(partner, first)))
        if partner.offers("CreateOrderLock"):
            found += _locked(partner)
        if (collected := split_bill.collection(partner)) is not None:
            first = paying.pay(partner, collected, 3, 1, what="a payment of an order to collect")
            if first.exchange.succeeded:
                what = "the payment of an order to collect sent again"
                found.append(_replay(partner, first, first.after, what))
        return found

    return partner.once("replays", tell)


def _replay(partner: Partner, first: Payment, before: Row, what: str) -> Replay:
    again = paying.again(partner, first, what)
    return Replay(before, first, again, look(partner, first))


def _locked(partner: Partner) -> list[Replay]:
    """The same as Dojo does it where orders are locked; nothing where that can't be done."""
    try:
        lock = partner.lock()
        order = paying.read(partner, lock.ids["orderId"])
    except (Inconclusive, NotOffered):
        return []
    first = paying.pay(partner, order, 3, 1, lock=lock.ids["lockId"], what="a payment under a lock")
    if not first.exchange.succeeded:
        return []
    return [_replay(partner, first, first.after, "the payment under a lock sent again")]


def payoff(partner: Partner) -> Payoff:
    """
    The story of an order that is paid off. Raises `Inconclusive` where there is none that may be, or it can't be paid.
    """

    def tell() -> Payoff:
        order = partner.spend("payoff")
        owed = money.owed(order)
        if owed is None:
            raise Inconclusive("the order doesn't say what is owed: totalAmount or paidAmount is missing")
        most = paying.pay(partner, order, owed - 1, 2, what="the payment of all but one unit")
        if not most.exchange.succeeded:
            most = paying.pay(partner, order, owed - 1, what="the payment of all but one unit")
        paying.require(most)
        found = Payoff(most, look(partner, most))
        order = {**order, **most.after, **(found.read_most or {})}
        found = replace(found, rest=paying.pay(partner, order, 1, 1, what="the payment of the last unit"))
        if found.last is None:
            found = replace(found, plain_rest=paying.pay(partner, order, 1, what="the payment of the last unit"))
        last = found.last
        if last is None:
            return found
        found = replace(found, read_rest=look(partner, last))
        order = {**order, **last.after, **(found.read_rest or {})}
        more = paying.pay(partner, order, 1, what="a payment on the paid order")
        found = replace(found, more=more, read_more=look(partner, last))
        before = {**order, **more.after, **(found.read_more or {})}
        return replace(found, replay=_replay(partner, last, before, "the payment of the last unit sent again"))

    return partner.once("payoff", tell)


def settled_bill(partner: Partner) -> Payoff | None:
    """The same for who has other things to judge, too: of an order of our own; None where there is none."""
    if not partner.offers("CreateOrder"):
        return None
    try:
        return payoff(partner)
    except (Inconclusive, NotOffered):
        return None


def settling_answers(partner: Partner) -> list[Exchange]:
    """The successes on the way to an order of ours that is paid off, and those that come again then."""
    found = settled_bill(partner)
    if found is None:
        return []
    told = (found.most, found.rest, found.plain_rest, found.replay and found.replay.again)
    return [each.exchange for each in told if each and each.exchange.succeeded]


def look(partner: Partner, payment: Payment) -> Row | None:
    """The order as it is read once *payment* shows; of a partner that lags, not before the settle time is over."""
    try:
        return paying.read(partner, payment.order_id, paying.lists(payment.intent), look=unchanged)
    except (Inconclusive, NotOffered):
        return None
