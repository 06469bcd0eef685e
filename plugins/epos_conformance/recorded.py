"""
What an order says of the payments that were recorded on it: findings where it isn't what was sent.

Each is about one thing, so that a rule can be named for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epos_conformance import money, paying, split_bill
from epos_conformance.exchange import preview
from epos_conformance.following import Row
from epos_conformance.paying import Payment
from epos_conformance.verdict import Finding


def intents(order: Row) -> str:
    """Who paid *order*, for findings."""
    found = [str(each.get("paymentIntentId")) for each in money.payments(order)]
    return preview(f"payments of {', '.join(found)}" if found else "no payments")


# The answer to a payment


def unlisted(payment: Payment) -> Iterator[Finding]:
    """Where the answer doesn't list *payment*."""
    if payment.entry is None:
        yield Finding(payment.where("payments"), f"one of {payment.intent}", intents(payment.after))


def listed(payment: Payment, member: str) -> Iterator[Finding]:
    """Where the answer lists *payment* with another *member* (``paidAmount`` or ``tipsAmount``) than was sent."""
    entry = payment.entry
    if entry is None:
        return  # another rule's business
    where = payment.where("payments")
    yield from split_bill.entry_amounts(payment, entry, where, member)
    sent = payment.params.get(member)
    if isinstance(sent, dict) and isinstance(entry.get(member), dict):
        code = money.currency(entry[member])
        if code != payment.currency:
            yield Finding(f"{where}.{member}.currencyCode", payment.currency, str(code))


def total_changed(payment: Payment) -> Iterator[Finding]:
    """Where the answer has another totalAmount than before."""
    before, after = money.total(payment.before), money.total(payment.after)
    if None in (before, after) or before == after:
        return
    by, hint = (after or 0) - (before or 0), None
    if payment.tip and by == payment.tip:
        hint = f"totalAmount grew by {payment.shown(by)}: the tip seems to be added to it"
    elif by == -payment.amount:
        hint = f"totalAmount fell by {payment.shown(-by)}: it seems to be what is left to pay, not what the order costs"
    yield Finding(payment.where("totalAmount"), f"{payment.shown(before)}, as before", payment.shown(after), hint)


def earlier_changed(payment: Payment) -> Iterator[Finding]:
    """Where the answer has lost or altered payments of before."""
    for earlier in money.payments(payment.before):
        intent = earlier.get("paymentIntentId")
        if not isinstance(intent, str):
            continue  # cash has none: nothing tells it from other cash
        now = money.payment(payment.after, intent)
        if now is None:
            yield Finding(payment.where("payments"), f"one of {intent}, as before", intents(payment.after))
            continue
        for member in ("paidAmount", "tipsAmount"):
            was, is_ = money.value(earlier.get(member)) or 0, money.value(now.get(member)) or 0
            if was != is_:
                where = payment.where(f"payments, that of {intent}, {member}")
                yield Finding(where, f"{payment.shown(was)}, as before", payment.shown(is_))


# The order as it is read afterwards


def unread(payments: Sequence[Payment], order: Row, where: str) -> Iterator[Finding]:
    """Where *order* (*where* says how it was read) doesn't list *payments* as they were sent."""
    for payment in payments:
        entry = money.payment(order, payment.intent)
        if entry is None:
            yield Finding(f"{where}, $.payments", f"one of {payment.intent}", intents(order))
        else:
            yield from split_bill.entry_amounts(payment, entry, f"{where}, $.payments", "paidAmount", "tipsAmount")


def unsummed(payments: Sequence[Payment], order: Row, where: str) -> Iterator[Finding]:
    """Where *order* doesn't list all *payments*, or its paidAmount isn't what they come to with those of before."""
    first = payments[0]
    found = [each for each in payments if money.payment(order, each.intent) is not None]
    if len(found) < len(payments):
        yield Finding(f"{where}, $.payments", f"all {len(payments)}", f"{len(found)} of them")
    parts = [each.amount for each in payments]
    due = (money.paid(first.before) or 0) + sum(parts)
    if (paid := money.paid(order)) != due:
        expected = f"{first.shown(due)}, the sum of {' and '.join(map(str, parts))} paid"
        yield Finding(
            f"{where}, $.paidAmount", expected, first.shown(order.get("paidAmount") if paid is None else paid)
        )


def last_read(payments: Sequence[Payment]) -> str:
    """How an order was read after *payments*, for findings."""
    return f"{paying.READ} after the payment{'s' if len(payments) > 1 else ''}"
