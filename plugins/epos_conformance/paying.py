"""
Recording payments: what was sent, how the order stood before and after, and what may be said of the difference.

Amounts are integers in minor units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from epos_conformance import answers, money
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.exchange import Exchange
from epos_conformance.following import Row
from epos_conformance.intents import INTENTS_HINT, MADE_UP
from epos_conformance.partner import MOST_ATTEMPTS, Partner
from epos_conformance.settling import settled, unchanged
from epos_conformance.verdict import Finding


RECORD = "RecordOrderPaymentById"
READ = "GetOrderById"

Look = Callable[[Partner, Callable[[], Exchange], Callable[[Exchange], bool]], Exchange]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """
    A payment that was sent, and the order around it.
    """

    #: ``orderId``, ``paymentIntentId``, ``paidAmount``, ``tipsAmount``, ``lockId``, as sent.
    params: Mapping[str, Any]
    #: The order as it was shown last before.
    before: Row
    exchange: Exchange
    #: Which it is in its conversation: ``the first payment``.
    what: str = "the payment"

    @property
    def order_id(self) -> str:
        return str(self.params["orderId"])

    @property
    def intent(self) -> str:
        return str(self.params["paymentIntentId"])

    @property
    def amount(self) -> int:
        return money.value(self.params["paidAmount"]) or 0

    @property
    def tip(self) -> int:
        return money.value(self.params.get("tipsAmount")) or 0

    @property
    def currency(self) -> str:
        return money.currency(self.params["paidAmount"]) or ""

    @property
    def after(self) -> Row:
        """The order as the answer shows it; empty where it shows none."""
        result = self.exchange.result
        return result if isinstance(result, dict) else {}

    @property
    def entry(self) -> Row | None:
        """The payment as the answer lists it."""
        return money.payment(self.after, self.intent)

    def shown(self, amount: Any) -> str:
        return money.shown(amount, self.currency)

    def where(self, member: str) -> str:
        return f"{RECORD}, the answer to {self.what}, $.{member}"

    def __str__(self) -> str:
        tip = f" and a tip of {self.shown(self.tip)}" if "tipsAmount" in self.params else ""
        return f"{self.what} of {self.shown(self.amount)}{tip}"


def params(
    partner: Partner,
    order: Row,
    amount: Any = 1,
    tip: Any = None,
    *,
    intent: str | None = None,
    currency: str | None = None,
    lock: str | None = None,
) -> dict[str, Any]:
    """
    A payment for *order* in its currency; *amount* and *tip* in minor units, or whatever is to be refused.
    """
    code = currency or money.currency(order.get("totalAmount")) or partner.venue.currency
    found: dict[str, Any] = {
        "orderId": order["id"],
        "paymentIntentId": intent
        or partner.intent(amount if isinstance(amount, int) else 1, tip if isinstance(tip, int) else 0),
        "paidAmount": {"value": amount, "currencyCode": code},
    }
    if tip is not None:
        found["tipsAmount"] = {"value": tip, "currencyCode": code}
    if lock is not None:
        found["lockId"] = lock
    return found


def pay(partner: Partner, order: Row, amount: int = 1, tip: int | None = None, **more: Any) -> Payment:
    """
    Send a payment for *order*, whatever comes of it. *more* is as in `params`, and ``what``.
    """
    what = more.pop("what", "the payment")
    sent = params(partner, order, amount, tip, **more)
    return Payment(params=sent, before=order, exchange=partner.call(RECORD, sent), what=what)


def again(partner: Partner, payment: Payment, what: str) -> Payment:
    """Send *payment* once more, to the letter."""
    return Payment(
        params=payment.params, before=payment.before, exchange=partner.call(RECORD, payment.params), what=what
    )


def paid(partner: Partner, amount: int = 1, tip: int | None = None, *, owed: int | None = None, **more: Any) -> Payment:
    """
    A payment that is recorded, on an order that owes at least *owed* (by default twice the amount).

    Where it is refused, other orders are tried: a waiter may be editing the first. Raises `Inconclusive`.
    """
    for _ in range(MOST_ATTEMPTS):
        found = pay(partner, partner.order(max(owed or 0, 2 * amount)), amount, tip, **more)
        if found.exchange.succeeded or found.exchange.crashed:
            break
    return require(found)


def refusal_hint(payment: Payment) -> str:
    """Why *payment* may have been refused without the EPOS being at fault; where it took another, that tells more."""
    if any(str(each.get("paymentIntentId")).startswith(MADE_UP) for each in money.payments(payment.before)):
        return "the order took a payment with a made-up intent before"
    return INTENTS_HINT


def require(payment: Payment) -> Payment:
    """
    *payment*, if it was recorded: without it there is nothing to examine. Raises `Inconclusive`.
    """
    if not payment.exchange.succeeded:
        hint = f"; {refusal_hint(payment)}" if payment.exchange.refused else ""
        raise Inconclusive(f"needs {payment} to be recorded, but saw {payment.exchange.seen}{hint}")
    return payment


def read(partner: Partner, order_id: str, agrees: Callable[[Row], bool] = bool, *, look: Look = settled) -> Row:
    """
    The order as GetOrderById shows it, as soon as it *agrees* with what was written, or after the settle time; *look*
    is `settling.unchanged` where nothing was to be written.

    Raises `NotOffered` and `Inconclusive`.
    """
    if not partner.offers(READ):
        raise NotOffered(f"only {READ} shows what is recorded, and it isn't offered")
    exchange = look(
        partner,
        lambda: partner.call(READ, {"orderId": order_id}),
        lambda each: isinstance(each.result, dict) and agrees(each.result),
    )
    if not isinstance(exchange.result, dict):
        raise Inconclusive(f"needs the order after the payment, but {READ} answered {exchange.seen}")
    return exchange.result


def lists(intent: str) -> Callable[[Row], bool]:
    """Whether an order lists the payment intent."""
    return lambda order: money.payment(order, intent) is not None


# What a payment has to leave as it was


def traces(payment: Payment, now: Row, where: str) -> list[Finding]:
    """
    Findings where a payment that was refused, or is no new one, has left a trace in the order as it is *now*.
    """
    before, found = payment.before, []
    # A payment in another currency leaves amounts in the order's own.
    code = money.currency(before.get("totalAmount")) or payment.currency
    for member, of in (("paidAmount", money.paid), ("tipsAmount", tips)):
        was, is_ = of(before), of(now)
        if was != is_ and None not in (was, is_):
            expected = f"{money.shown(was, code)}, as before"
            found.append(Finding(f"{where}, $.{member}", expected, money.shown(is_, code)))
    entries = len(money.payments(now))
    if entries != len(money.payments(before)):
        found.append(
            Finding(f"{where}, $.payments", f"{len(money.payments(before))}, as before", f"{entries} payments")
        )
    return found


def tips(order: Row) -> int | None:
    """The tips of *order*: what it says, else what its payments come to."""
    if "tipsAmount" in order:
        return money.value(order["tipsAmount"])
    return money.summed(each.get("tipsAmount") for each in money.payments(order))


def untouched(partner: Partner, payment: Payment) -> list[Finding]:
    """
    Findings where *payment*, which was refused, has left a trace that is read back.

    The order may have been read before it had settled: what differs is read again after the settle time.
    """
    now = read(partner, payment.order_id, lambda order: not traces(payment, order, ""), look=unchanged)
    said = "accepted" if payment.exchange.succeeded else "refused"
    return traces(payment, now, f"{READ} after {payment.what}, {said} with {payment.exchange.seen}")


def require_refusal(payment: Payment, *types: str) -> list[Finding]:
    """
    Findings where *payment* was accepted, crashed the partner, or was refused with another errorType than *types*.
    """
    found = list(answers.require_refusal(payment.exchange, str(payment)))
    error = payment.exchange.error
    if not found and types and (error is None or error.type not in types):
        found.append(Finding(str(payment), f"a refusal with {' or '.join(types)}", payment.exchange.seen))
    return found
