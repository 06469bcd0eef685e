"""
A card machine at a table: it locks the order that is chosen on its screen, where the till has locks, and takes payments
on it.

Each method is a step of the journey, or a few; what a till may do otherwise becomes a note.
"""

from __future__ import annotations

from typing import Any

from epos_conformance import _contracts, locking, paying, recorded, split_bill
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.following import Row
from epos_conformance.journeys.journey import Refused, asking, judged, refuses, remark, require_carried_out
from epos_conformance.journeys.screen import Screen
from epos_conformance.locking import Lock
from epos_conformance.partner import Partner
from epos_conformance.paying import READ, RECORD, Payment
from epos_conformance.settling import unchanged
from epos_conformance.verdict import Finding


LOCK, EXTEND, RELEASE = "CreateOrderLock", "ExtendOrderLock", "DeleteOrderLock"
EVENT = "HandleEvent"

#: What a guest pays, and tips, where it is no matter how much: the least that tells the two apart.
SHARE = (3, 1)


class CardMachine(Screen):
    """
    One card machine, or a phone that does as well.
    """

    def __init__(self, partner: Partner, order: Row) -> None:
        super().__init__(partner, order)
        self.lock: Lock | None = None
        self.is_extended = False

    # Locks

    def locks_it(self, step: str = "the order is locked") -> None:
        """Nobody else is to take payments meanwhile."""
        with asking(self.partner, step, LOCK):
            try:
                self.lock = locking.lock(self.partner, self.order)
            except Inconclusive as error:
                require_carried_out(self.partner.exchanges[-1])
                raise Refused(str(error)) from None
        self._lock_answers()

    def locks_it_again(self) -> None:
        """Another machine locks it, once it is free."""
        with self.partner.steps.take("another card machine locks it", rule=f"{RELEASE}.lets-a-new-lock-be-granted"):
            id = locking.new_id()
            exchange = locking.granted_when_free(self.partner, self.order, id)
            exchange.require_answer()
            if not exchange.succeeded:
                raise Violation(Finding("a new lock after the first was deleted", "a success", exchange.seen))
            self.has_locked(Lock(self.order, id, exchange))
        self._lock_answers()

    def has_locked(self, lock: Lock) -> None:
        """The order is locked by *lock*: those before it are gone, whatever became of them."""
        self.lock = lock
        self.partner.forget(
            lambda made: made.kind == "lock" and made.ids["orderId"] == self.id and made.ids["lockId"] != lock.id
        )

    def _lock_answers(self) -> None:
        assert self.lock is not None
        answer: Any = self.lock.granted.result
        other = []
        if isinstance(answer, dict) and answer.get("id", self.id) != self.id:
            other = [Finding("the answer to the lock, $.id", self.id, str(answer["id"]))]
        behind = [
            finding
            for each in self.payments
            for finding in locking.lacks(answer, each, self.order, "the answer to the lock")
        ]
        judged(
            self.partner,
            "the lock answers the order as it stands",
            (f"{LOCK}.answers-the-order-it-locks", other),
            (f"{LOCK}.answers-the-latest-order", behind),
        )

    def reads_it_while_it_is_locked(self) -> None:
        """Everybody may look."""
        rule = f"{READ}.answers-while-the-order-is-locked"
        self.reads_it("the locked order can be read", rule=rule)

    def extends_the_lock(self, step: str, times: float) -> None:
        """The guest takes long; to be locked longer is only recommended, so what follows needs it."""
        assert self.lock is not None
        with asking(self.partner, step, EXTEND):
            exchange = locking.extend(self.partner, self.lock, locking.usual(self.partner, times))
            if refuses(exchange):
                raise Refused(f"needs a lock that is extended, but {EXTEND} was not carried out: {exchange.seen}")
            require_carried_out(exchange)
        self.is_extended = True

    def unlocks_it(self) -> None:
        """The machine is done; a till may have freed the order when it was paid."""
        assert self.lock is not None
        with asking(self.partner, "the order is unlocked", RELEASE):
            exchange = locking.release(self.partner, self.order, self.lock.id)
            if refuses(exchange):
                self.partner.notes.append(f"the lock can't be deleted after the payment: {exchange.seen}")
            else:
                require_carried_out(exchange)
        for each in self.payments:
            remark(self.partner, locking.lacks(exchange.result, each, self.order, f"the answer to {RELEASE}"))
        self.lock = None

    # Payments

    def pays(self, amount: int, tip: int | None = None, what: str = "the payment", *, last: bool = False) -> None:
        """
        A guest pays *amount*, and tips; the answer shows it. That the *last* one can is only recommended.
        """
        try:
            with asking(self.partner, f"{what} is recorded", RECORD):
                payment = self._sent(amount, tip, what, last=last)
        except Refused as refused:
            self._blames_the_lock(what, amount, refused)
            raise
        if payment is None:
            return
        judged(
            self.partner,
            f"the order answered shows {what}",
            (f"{RECORD}.shows-the-payment", recorded.unlisted(payment)),
            (f"{RECORD}.keeps-the-paid-amount", recorded.listed(payment, "paidAmount")),
            (f"{RECORD}.keeps-the-tip", recorded.listed(payment, "tipsAmount")),
            (f"{RECORD}.keeps-earlier-payments", recorded.earlier_changed(payment)),
            (f"{RECORD}.paid-amount-grows-by-the-payment", split_bill.growth(payment, "paidAmount")),
            (f"{RECORD}.tips-amount-grows-by-the-tip", split_bill.growth(payment, "tipsAmount")),
            (
                f"{RECORD}.keeps-the-total-when-tipped" if payment.tip else f"{RECORD}.keeps-the-total",
                recorded.total_changed(payment),
            ),
        )
        self.payments.append(payment)
        self.order = {**payment.before, **payment.after}

    def _sent(self, amount: int, tip: int | None, what: str, *, last: bool) -> Payment | None:
        lock = self.lock.id if self.lock else None
        payment = paying.pay(self.partner, self.order, amount, tip, what=what, lock=lock)
        if refuses(payment.exchange) and tip:
            plain = paying.pay(self.partner, self.order, amount, what=what, lock=lock)
            if plain.exchange.succeeded:
                self.partner.notes.append(f"{payment} is refused, and recorded without a tip: {payment.exchange.seen}")
                payment = plain
        if last and refuses(payment.exchange):
            self.partner.notes.append(f"{payment}, which is what is left, is refused: {payment.exchange.seen}")
            return None
        require_carried_out(payment.exchange, paying.refusal_hint(payment))
        return payment

    def _blames_the_lock(self, what: str, amount: int, refused: Refused) -> None:
        """
        Raise `Violation` where the same is paid without the lock that the order has, or under one though it has none.
        """
        partner, held = self.partner, self.lock
        if not (partner.offers(LOCK) and partner.offers(RELEASE)):
            return
        if paying.pay(partner, self.order, amount, lock=held.id if held else None).exchange.succeeded:
            return  # a waiter has finished
        if held is not None:
            rule = f"{EXTEND}.lets-the-holder-pay-afterwards" if self.is_extended else f"{LOCK}.lets-the-holder-pay"
            locking.release(partner, self.order, held.id)
            other, expected = paying.pay(partner, self.order, amount), "a success, as without a lock"
        else:
            try:
                lock = locking.lock(partner, self.order)
            except Inconclusive:
                return
            rule, expected = f"{RECORD}.works-without-a-lock", "a success, as under a lock"
            other = paying.pay(partner, self.order, amount, lock=lock.id)
            locking.release(partner, self.order, lock.id)
        if other.exchange.succeeded:
            with partner.steps.take("the lock makes no difference to the payment", rule=rule):
                raise Violation(Finding(what, expected, str(refused)))

    def reads_it_back(self) -> None:
        """The order says what was paid."""
        found = self.reads_it("the order is read again")
        where = recorded.last_read(self.payments)
        judged(
            self.partner,
            f"it lists {'all payments' if len(self.payments) > 1 else 'the payment'} and what they come to",
            (f"{RECORD}.payment-is-read-back", recorded.unread(self.payments, found, where)),
            (f"{RECORD}.split-payments-add-up", recorded.unsummed(self.payments, found, where)),
        )

    def is_told_of_the_capture(self) -> None:
        """Dojo tells that the money has come, where the till listens: nothing is paid twice by it."""
        if not self.partner.offers(EVENT):
            return
        last = self.payments[-1]
        with asking(self.partner, "the till is told that the payment was captured", EVENT):
            exchange = self.partner.call(EVENT, captured(self.partner, last.intent))
            if refuses(exchange):
                self.partner.notes.append(f"the event is refused: {exchange.seen}")
                return
            require_carried_out(exchange)
        before = paying.Payment(params=last.params, before=self.order, exchange=exchange, what="the event")
        where = f"{READ} after the event that {last.what} was captured"
        found = self.reads_it(
            "the order is read after the event", lambda order: not paying.traces(before, order, where), look=unchanged
        )
        judged(
            self.partner,
            "the payment counts once",
            (f"{RECORD}.counts-a-replay-once", paying.traces(before, found, where)),
        )


def captured(partner: Partner, intent: str, status: str = "Captured") -> dict[str, Any]:
    """The event that *intent* was captured, or has another *status*."""
    capability = _contracts.capabilities()[EVENT]
    body = partner.body(capability, capability.examples[0 if status == "Created" else -1])
    return {**body, "data": {"paymentIntentId": intent, "paymentStatus": status, "captureMode": "Auto"}}
