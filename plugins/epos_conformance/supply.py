"""
Orders for checks that pay: own ones where the partner lets us create them, else the venue's own, which are few.

Of the venue's orders each is used by one check at a time, paid the smallest amounts, and left for the next. A few are
set aside to be paid off, as soon as enough are left for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from epos_conformance import money
from epos_conformance._session import Session
from epos_conformance.exceptions import Inconclusive
from epos_conformance.following import Row
from epos_conformance.settling import settled


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: What orders of the venue are paid off for, the most important first: over one transport, and over two.
USES = ("payoff", "race", "shares", "shares", "race", "race")
USES_OF_TWO = ("payoff", "race", "payoff", "race", "shares", "shares", "race", "race", "race")

#: What the orders that may be paid are told by, once in a run.
PAYABLE = "payable orders"

#: Seconds that a check waits for the only order it could use, while another process uses it.
LEASE_WAIT = 30.0


#: Orders of the venue that are tried: more are hardly needed.
_MOST_TRIED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """
    The first payment of a run on one of the venue's orders, which took it: one minor unit.
    """

    order_id: str
    intent: str
    #: The order as a search showed it before; None where none did.
    before: Row | None
    #: The order as it was answered.
    after: Row


class Supply:
    """
    The orders of one check.
    """

    def __init__(self, partner: Partner, session: Session) -> None:
        self._partner = partner
        self._session = session
        self._held: list[str] = []
        self._unfit: list[str] = []

    def order(self, owed: int) -> Row:
        """See `Partner.order`."""
        own = self._own(owed)
        return own if own is not None else self._leased(owed)

    def spend(self, use: str) -> Row:
        """See `Partner.spend`."""
        own = self._own(4)
        if own is not None:
            return own
        every = self.payable
        uses = USES_OF_TWO if len(self._session.settings.transports) > 1 else USES
        # The smallest ones: what is paid off is the venue's loss.
        aside = [id for id, each in zip(reversed(every[1:]), uses, strict=False) if each == use]
        if not aside:
            missing = uses.index(use) + 2 - len(every)
            raise Inconclusive(
                f"needs an order to pay off: {missing} more than the {len(every)} that may be paid "
                f"{'are' if missing > 1 else 'is'} missing; {self._why_none()}"
            )
        what = f"orders to pay off ({use})"
        leases = self._session.leases
        try:
            id = self._session.use_up(aside, what)
        except Inconclusive:
            # Those that are spent stay held until the run ends: only what another check pays on comes free.
            left = [each for each in aside if not leases.noted(f"spent {each}")]
            if not left:
                raise
            id = self._session.use_up(left, what, wait=LEASE_WAIT)
        leases.note(f"spent {id}", True)
        return self._read(id, 4)

    @property
    def payable(self) -> list[str]:
        """
        Orders of the venue that may be paid, as the first process saw them.

        The last ones are set aside, the same in all processes: they are lent as well, until they are paid off.
        """
        return self._session.leases.once(PAYABLE, self._fit)

    @property
    def firsts(self) -> list[First]:
        """The first payments that orders of the venue took, where some were tried by now."""
        return self._session.leases.noted("first payments") or []

    @property
    def paid(self) -> list[str]:
        """Orders of the venue that have taken a payment in this run, but for those that are paid off."""
        noted, named = self._session.leases.noted, self._partner.venue.known.orders
        taken = [each.order_id for each in self.firsts] or [each for each in named if noted(f"paid {each}")]
        return [each for each in taken if not noted(f"spent {each}")]

    def _fit(self) -> list[str]:
        """
        Orders that take a payment of one minor unit. A waiter may be editing some; where none takes it, it isn't them.
        """
        partner = self._partner
        every = partner.venue.payable_orders()[:_MOST_TRIED]
        # Payment intents that the user names are too few to spend on this.
        spared = partner.settings.read_only or bool(partner.settings.intents.ids)
        # The only one that is named is the one, whatever it takes.
        spared = spared or (len(every) < 2 and bool(partner.venue.known.orders))
        if spared or not partner.offers("RecordOrderPaymentById"):
            return every
        rows = {row.get("id"): row for row in partner.venue.orders}
        fit: list[str] = []
        firsts: list[First] = []
        for each in every:
            before = rows.get(each)
            left = money.owed(before) if before is not None else None
            if left is not None and left < 2:
                continue  # it would be paid off
            intent, amount = partner.intent(), money.of(1, partner.venue.currency)
            sent = {"orderId": each, "paymentIntentId": intent, "paidAmount": amount}
            exchange = partner.call("RecordOrderPaymentById", sent)
            if exchange.succeeded:
                fit.append(each)
                after = exchange.result if isinstance(exchange.result, dict) else {}
                firsts.append(First(order_id=each, intent=intent, before=before, after=after))
                # What follows may be refused because of them.
                self._session.leases.note("first payments", firsts)
            elif not fit and each == every[min(3, len(every) - 1)]:
                return every  # payments are refused for another reason
        return fit or every

    def _own(self, owed: int) -> Row | None:
        pool = self._session.pool
        if self._partner.venue.known.orders or not self._partner.offers("CreateOrder") or "unpayable" in pool:
            return None
        try:
            made = self._partner.make("order")
        except Inconclusive as error:
            pool["unpayable"] = str(error)
            return None
        if made.answer.get("payable") is False:
            pool["unpayable"] = "orders made with CreateOrder are not payable"
            return None
        left = money.owed(made.answer)
        return None if left is not None and left < owed else cast("Row", made.answer)

    def _leased(self, owed: int) -> Row:
        leases = self._session.leases
        candidates = [each for each in self.payable if each not in self._held and not leases.noted(f"spent {each}")]
        wanted = [each for each in candidates if each not in self._unfit] or candidates
        reasons: list[str] = []
        for each in self._partner.free(wanted):
            try:
                found = self._read(each, owed)
            except Inconclusive as error:
                reasons.append(str(error))
                self._unfit.append(each)
                continue
            self._held.append(each)
            return found
        if reasons:
            raise Inconclusive(f"no order that may be paid: {reasons[0]}; {self._why_none()}")
        raise Inconclusive(self.none_free(wanted))

    def none_free(self, wanted: Sequence[str]) -> str:
        """Why there is no order to pay on, though *wanted* might have been."""
        if wanted:
            return (
                f"no order that may be paid was free within {LEASE_WAIT:g} s: other checks use all {len(wanted)}; "
                "name more as data.orders in partner.toml, or run fewer processes"
            )
        more = f"{len(self._held) + 1} are needed beside those that are paid off; " if self._held else ""
        return f"no order that may be paid: {more}{self._why_none()}"

    def _read(self, id: str, owed: int) -> Row:
        """The order *id* as it is by now; raises `Inconclusive` where it can't be paid."""
        found = self._look(id)
        left = money.owed(found)
        if found.get("payable") is False:
            raise Inconclusive(f"order {id} is not payable")
        if left is not None and left < owed:
            raise Inconclusive(f"order {id} has {money.shown(left, self._partner.venue.currency)} left to pay")
        return found

    def _look(self, id: str) -> Row:
        partner = self._partner
        if not partner.offers("GetOrderById"):
            return next((row for row in partner.venue.orders if row.get("id") == id), {"id": id})
        # An earlier check has paid on it, and a read may lag behind.
        paid = self._session.leases.noted(f"paid {id}")
        exchange = settled(
            partner,
            lambda: partner.call("GetOrderById", {"orderId": id}),
            lambda each: paid is None or not isinstance(each.result, dict) or (money.paid(each.result) or 0) >= paid,
        )
        if not isinstance(exchange.result, dict):
            raise Inconclusive(f"order {id} can't be read: {exchange.seen}")
        return {"id": id, **exchange.result}

    def _why_none(self) -> str:
        why = [str(each) for each in (self._session.pool.get("unpayable"),) if each]
        searched = self._partner.venue.unknown.get("SearchOrders")
        if searched and not self.payable:
            why.append(searched)
        return "; ".join([*why, "name some as data.orders in partner.toml"])
