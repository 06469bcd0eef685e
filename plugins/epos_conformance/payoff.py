"""
Two more conversations about payments: one that comes again, and an order that is paid to its last unit.

They record what happened; the checks judge it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from epos_conformance import money, paying
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.paying import Payment
from epos_conformance.settling import unchanged


if TYPE_CHECKING:
    from epos_conformance.partner import Partner
    from epos_conformance.venue import Row


@dataclass(frozen=True, slots=True)
class Replays:
    """
    A payment that came again, at once and after another one. Orders are as they were read; None where they weren't.
    """

    first: Payment
    replay: Payment
    read: Row | None
    other: Payment
    late: Payment
    read_late: Row | None


@dataclass(frozen=True, slots=True)
class Payoff:
    """
    An order that is paid but for one unit, then that unit, then once more. Later steps are None where an earlier one
    was refused.
    """

    #: All that is owed but one unit.
    most: Payment
    read_most: Row | None = None
    #: What was left then.
    rest: Payment | None = None
    read_rest: Row | None = None
    #: A new payment of one unit on the order that is paid.
    more: Payment | None = None
    read_more: Row | None = None
    #: The payment of the rest, again.
    replay: Payment | None = None
    read_replay: Row | None = None


def replays(partner: Partner) -> Replays:
    """
    The story of a payment that comes again. Raises `Inconclusive` where no payment is recorded.
    """

    def tell() -> Replays:
        first = paying.paid(partner, 3, 1, owed=8, what="the first payment")
        replay = paying.again(partner, first, "the first payment sent again")
        read = look(partner, first)
        order = {**first.before, **first.after, **replay.after}
        other = paying.pay(partner, order, 2, what="another payment")
        late = paying.again(partner, first, "the first payment sent again after another one")
        return Replays(first, replay, read, other, late, look(partner, other))

    return partner.once("replays", tell)


def payoff(partner: Partner) -> Payoff:
    """
    The story of an order that is paid off. Raises `Inconclusive` where there is none that may be, or it can't be paid.
    """

    def tell() -> Payoff:
        order = partner.spend("payoff")
        owed = money.owed(order)
        if owed is None:
            raise Inconclusive("the order doesn't say what is owed: totalAmount or paidAmount is missing")
        most = paying.require(paying.pay(partner, order, owed - 1, what="the payment of all but one unit"))
        found = Payoff(most, look(partner, most))
        order = {**order, **most.after, **(found.read_most or {})}
        rest = paying.pay(partner, order, 1, what="the payment of the last unit")
        if not rest.exchange.succeeded:
            return Payoff(most, found.read_most, rest)
        read_rest = look(partner, rest)
        order = {**order, **rest.after, **(read_rest or {})}
        more = paying.pay(partner, order, 1, what="a payment on the paid order")
        read_more = look(partner, rest)
        replay = paying.again(partner, rest, "the payment of the last unit sent again")
        read_replay = look(partner, rest)
        return Payoff(most, found.read_most, rest, read_rest, more, read_more, replay, read_replay)

    return partner.once("payoff", tell)


def look(partner: Partner, payment: Payment) -> Row | None:
    """The order as it is read once *payment* shows; of a partner that lags, not before the settle time is over."""
    try:
        return paying.read(partner, payment.order_id, paying.lists(payment.intent), look=unchanged)
    except (Inconclusive, NotOffered):
        return None
