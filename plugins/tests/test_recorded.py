"""
What an order says of its payments is compared with what was sent, one thing at a time.
"""

from __future__ import annotations

import json

from collections.abc import Iterable
from typing import Any

from epos_conformance import money, recorded
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.paying import Payment
from epos_conformance.verdict import Finding


def listed(intent: str | None, paid: int, tip: int = 0, code: str = "GBP") -> dict[str, Any]:
    """A payment as an order lists it."""
    named = {} if intent is None else {"paymentIntentId": intent}
    return {**named, "paidAmount": money.of(paid, code), "tipsAmount": money.of(tip, code)}


def order(total: int, *payments: dict[str, Any]) -> dict[str, Any]:
    paid = sum(each["paidAmount"]["value"] for each in payments)
    return {
        "id": "7",
        "totalAmount": money.of(total, "GBP"),
        "paidAmount": money.of(paid, "GBP"),
        "payments": list(payments),
    }


def sent(intent: str, paid: int, tip: int = 0, *, before: dict[str, Any], after: dict[str, Any]) -> Payment:
    """A payment of £1.00 or so, and the order around it."""
    exchange = Exchange(
        capability="RecordOrderPaymentById",
        transport="rest",
        sent=Sent(method="POST", url="https://till.example", headers=(), body=None),
        answer=Answer(status=200, headers=(), body=json.dumps(after).encode()),
        duration=0.0,
    )
    params = {"orderId": "7", **listed(intent, paid, tip)}
    return Payment(params=params, before=before, exchange=exchange)


def told(findings: Iterable[Finding]) -> list[str]:
    return [str(each) for each in findings]


NOTHING_PAID = order(1000)


def test_a_payment_that_is_listed_as_it_was_sent_has_no_findings() -> None:
    payment = sent("pi_1", 100, 10, before=NOTHING_PAID, after=order(1000, listed("pi_1", 100, 10)))
    every = (
        recorded.unlisted(payment),
        recorded.listed(payment, "paidAmount"),
        recorded.listed(payment, "tipsAmount"),
        recorded.total_changed(payment),
        recorded.earlier_changed(payment),
        recorded.unread([payment], payment.after, "read"),
        recorded.unsummed([payment], payment.after, "read"),
    )
    assert [told(each) for each in every] == [[]] * len(every)


def test_a_payment_that_is_not_listed_is_told_once() -> None:
    payment = sent("pi_1", 100, before=NOTHING_PAID, after=order(1000, listed("pi_2", 100)))
    (said,) = told(recorded.unlisted(payment))
    assert "expected one of pi_1, saw payments of pi_2" in said
    assert told(recorded.listed(payment, "paidAmount")) == []
    (said,) = told(recorded.unread([payment], order(1000), "read"))
    assert "read, $.payments: expected one of pi_1, saw no payments" in said


def test_an_amount_in_another_currency_is_told() -> None:
    payment = sent("pi_1", 100, before=NOTHING_PAID, after=order(1000, listed("pi_1", 100, code="EUR")))
    (said,) = told(recorded.listed(payment, "paidAmount"))
    assert "$.payments.paidAmount.currencyCode: expected GBP, saw EUR" in said


def test_a_total_that_grows_by_the_tip_or_falls_by_the_payment_is_told_with_the_cause() -> None:
    tipped = sent("pi_1", 100, 10, before=NOTHING_PAID, after=order(1010, listed("pi_1", 100, 10)))
    (finding,) = recorded.total_changed(tipped)
    assert "the tip seems to be added to it" in (finding.hint or "")
    rest = sent("pi_1", 100, before=NOTHING_PAID, after=order(900, listed("pi_1", 100)))
    (finding,) = recorded.total_changed(rest)
    assert "what is left to pay, not what the order costs" in (finding.hint or "")
    assert told(recorded.total_changed(sent("pi_1", 100, before={"id": "7"}, after=order(900)))) == []


def test_earlier_payments_that_are_lost_or_altered_are_told_but_for_cash() -> None:
    before = order(1000, listed("pi_1", 100, 10), listed("pi_2", 50), listed(None, 20))
    after = order(1000, listed("pi_1", 110, 0), listed("pi_3", 30))
    *altered, lost = told(recorded.earlier_changed(sent("pi_3", 30, before=before, after=after)))
    assert "expected one of pi_2, as before" in lost
    assert [each.partition("expected ")[2].partition(" ")[0] for each in altered] == ["100", "10"]


def test_payments_add_up_with_those_of_before() -> None:
    before = order(1000, listed("pi_0", 300))
    payments = [
        sent(f"pi_{number}", 100 * number, before=before, after=order(1000, listed(f"pi_{number}", 100 * number)))
        for number in (1, 2)
    ]
    whole = order(1000, listed("pi_0", 300), listed("pi_1", 100), listed("pi_2", 200))
    assert told(recorded.unsummed(payments, whole, "read")) == []
    missing, short = told(recorded.unsummed(payments, order(1000, listed("pi_0", 300), listed("pi_2", 200)), "read"))
    assert "expected all 2, saw 1 of them" in missing
    assert "expected 600 (£6.00), the sum of 100 and 200 paid, saw 500 (£5.00)" in short


def test_how_an_order_was_read_is_told_by_the_number_of_payments() -> None:
    payment = sent("pi_1", 100, before=NOTHING_PAID, after=NOTHING_PAID)
    assert recorded.last_read([payment]) == "GetOrderById after the payment"
    assert recorded.last_read([payment, payment]) == "GetOrderById after the payments"
