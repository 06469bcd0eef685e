"""
RecordOrderPaymentById: amounts that nobody can have paid, and orders on which nothing, or not as much, is owed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from epos_conformance import (
    Finding,
    Inconclusive,
    NotOffered,
    Partner,
    Violation,
    answers,
    check,
    money,
    paying,
    payoff,
    split_bill,
)
from epos_conformance.following import Row
from epos_conformance.paying import READ, Payment


INVALID = "InvalidRequest"

#: Above what four bytes hold. A till may say that nobody pays that much before it looks at the order.
HUGE = 2**31


# Amounts that are none


@check("RecordOrderPaymentById.refuses-a-zero-amount")
def test_refuses_a_zero_amount(partner: Partner) -> None:
    """A payment of 0 is refused with InvalidRequest."""
    require_invalid(partner, [(0, None)])


@check("RecordOrderPaymentById.refuses-a-negative-amount")
def test_refuses_a_negative_amount(partner: Partner) -> None:
    """A negative payment is refused with InvalidRequest."""
    require_invalid(partner, [(-1, None), (-100, 1)])


@check("RecordOrderPaymentById.refuses-a-fractional-amount")
def test_refuses_a_fractional_amount(partner: Partner) -> None:
    """A payment of a fraction of a minor unit is refused with InvalidRequest."""
    require_invalid(partner, [(1.5, None), (0.5, None), (2.01, None)])


@check("RecordOrderPaymentById.refuses-a-stringly-amount")
def test_refuses_a_stringly_amount(partner: Partner) -> None:
    """A payment whose value is a string is refused with InvalidRequest."""
    require_invalid(partner, [("1", None), ("1.00", None), ("one", None), ("", None)])


@check("RecordOrderPaymentById.refuses-a-negative-tip")
def test_refuses_a_negative_tip(partner: Partner) -> None:
    """A payment with a negative tip is refused with InvalidRequest."""
    require_invalid(partner, [(2, -1), (2, -100)])


@check("RecordOrderPaymentById.refuses-a-fractional-tip")
def test_refuses_a_fractional_tip(partner: Partner) -> None:
    """A payment with a tip of a fraction of a minor unit is refused with InvalidRequest."""
    require_invalid(partner, [(2, 0.5), (2, 1.5)])


@check("RecordOrderPaymentById.refuses-a-stringly-tip")
def test_refuses_a_stringly_tip(partner: Partner) -> None:
    """A payment with a tip whose value is a string is refused with InvalidRequest."""
    require_invalid(partner, [(2, "1"), (2, "one")])


def require_invalid(partner: Partner, amounts: Iterable[tuple[Any, Any]]) -> None:
    """
    Demand that a payment of each of the *amounts*, ``(amount, tip)``, is refused with InvalidRequest.
    """
    order, intent = partner.order(), partner.intent()
    accepted: list[Finding] = []
    mistyped: list[Finding] = []
    for amount, tip in amounts:
        payment = bad(partner, order, amount, tip, intent)
        accepted += answers.require_refusal(payment.exchange, payment.what)
        error = payment.exchange.error
        if payment.exchange.refused and error is not None and error.type != INVALID:
            mistyped.append(Finding(payment.what, INVALID, payment.exchange.seen))
    if mistyped and not accepted:
        # What every payment meets, this one has met before its amount was looked at.
        paying.require(paying.pay(partner, order, 1, what="an ordinary payment"))
    answers.violate(accepted + mistyped)


def bad(partner: Partner, order: Row, amount: Any, tip: Any, intent: str) -> Payment:
    what = f"a payment of {amount!r}" + (f" with a tip of {tip!r}" if tip is not None else "")
    sent = paying.params(partner, order, amount, tip, intent=intent)
    return Payment(
        params=sent, before=order, what=what, exchange=partner.dare(lambda: partner.call(paying.RECORD, sent))
    )


@check("RecordOrderPaymentById.records-nothing-for-a-bad-amount")
def test_records_nothing_for_a_bad_amount(partner: Partner) -> None:
    """A payment that is refused for its amount leaves the order as it was."""
    order, intent, seen = partner.order(), partner.intent(), []
    for amount, tip in ((0, None), (-1, None), (1.5, None), ("1", None), (2, -1), (2, 0.5), (2, "1")):
        payment = bad(partner, order, amount, tip, intent)
        if payment.exchange.succeeded:
            # Another rule's business; but after it, nothing can be said of the others.
            raise Inconclusive(f"{payment.what} was accepted: {payment.exchange.seen}")
        seen.append(payment)
    answers.violate(
        paying.untouched(partner, seen[-1]), hint="the payment is recorded before it has been checked to its end"
    )


# Another currency


@check("RecordOrderPaymentById.refuses-another-currency")
def test_refuses_another_currency(partner: Partner) -> None:
    """A payment in another currency than the order's is refused."""
    answers.violate(paying.require_refusal(foreign(partner, partner.order())))


@check("RecordOrderPaymentById.records-nothing-in-another-currency")
def test_records_nothing_in_another_currency(partner: Partner) -> None:
    """A payment in another currency leaves the order as it was."""
    answers.violate(paying.untouched(partner, foreign(partner, partner.order())))


def foreign(partner: Partner, order: Row) -> Payment:
    own = money.currency(order.get("totalAmount")) or partner.venue.currency
    other = "EUR" if own == "GBP" else "GBP"
    return paying.pay(partner, order, 1, currency=other, what=f"a payment in {other} on an order in {own}")


# More than is owed


@check("RecordOrderPaymentById.refuses-more-than-the-total")
def test_refuses_more_than_the_total(partner: Partner) -> None:
    """A payment of far more than the total is refused with Conflict."""
    order = partner.order()
    total = known(order, money.total(order), "totalAmount")
    findings: list[Finding] = []
    intent = partner.intent(2 * total + 1)
    for amount in (2 * total + 1, total + 100_000, HUGE, 10**12):
        allowed = ("Conflict", INVALID) if amount >= HUGE else ("Conflict",)
        findings += paying.require_refusal(paying.pay(partner, order, amount, intent=intent), *allowed)
    violate_overpayment(partner, order, findings)


@check("RecordOrderPaymentById.refuses-one-unit-too-much")
def test_refuses_one_unit_too_much(partner: Partner) -> None:
    """A payment of one unit more than is owed is refused with Conflict, on small orders and large ones."""
    order = partner.order()
    findings: list[Finding] = []
    for each in (order, split_bill.large_order(partner), split_bill.collection(partner)):
        if each is None:
            continue
        owed = known(each, money.owed(each), "what is owed")
        for tip in (None, 1):
            what = f"a payment of one unit more than the {owed} owed"
            findings += paying.require_refusal(paying.pay(partner, each, owed + 1, tip, what=what), "Conflict")
    violate_overpayment(partner, order, findings)


@check("RecordOrderPaymentById.refuses-more-than-is-left")
def test_refuses_more_than_is_left(partner: Partner) -> None:
    """A payment of more than is left of a partly paid order is refused with Conflict."""
    payment = paying.paid(partner, 3, owed=12)
    total = known(payment.before, money.total(payment.before), "totalAmount")
    left = known(payment.before, money.owed(payment.before), "what is owed") - payment.amount
    for number in (1, 2):
        order = {**payment.before, **payment.after}
        # Between what is left and the total: looked at alone, neither amount is too much.
        what = f"a payment of more than the {left} left after {number} of them"
        excess = paying.pay(partner, order, min(left + 1, total), what=what)
        violate_overpayment(partner, order, paying.require_refusal(excess, "Conflict"))
        if number == 1:
            payment = paying.require(paying.pay(partner, order, 2, what="a second part payment"))
            left -= payment.amount


def violate_overpayment(partner: Partner, order: Row, findings: list[Finding]) -> None:
    """
    Raise `Violation` with *findings*; one about an errorType alone not where every payment is refused.
    """
    accepted = any(each.capability == paying.RECORD and each.succeeded for each in partner.exchanges)
    if findings and not accepted:
        paying.require(paying.pay(partner, order, 1, what="an ordinary payment"))
    answers.violate(findings)


def known(order: Row, value: int | None, what: str) -> int:
    if value is None:
        raise Inconclusive(f"order {order['id']} doesn't say {what}")
    return value


@check("RecordOrderPaymentById.records-nothing-of-an-overpayment")
def test_records_nothing_of_an_overpayment(partner: Partner) -> None:
    """A payment of more than is owed leaves the order as it was."""
    order = partner.order()
    owed = known(order, money.owed(order), "what is owed")
    for amount in (owed + 1, 2 * owed + 100):
        payment = paying.pay(partner, order, amount, what=f"a payment of {amount} where {owed} is owed")
        answers.violate(paying.untouched(partner, payment))


# To the last unit


@check("RecordOrderPaymentById.stays-payable-one-unit-short")
def test_stays_payable_one_unit_short(partner: Partner) -> None:
    """An order of which all but one unit is paid stays payable."""
    found = payoff.payoff(partner)

    findings: list[Finding] = []
    for where, order in ((found.most.where(""), found.most.after), (f"{READ} then, $.", found.read_most or {})):
        if order.get("payable") is False:
            findings.append(Finding(f"{where}payable", "true, with one unit left to pay", "false"))
        if order.get("status") in ("Finalized", "Canceled", "Failed"):
            findings.append(Finding(f"{where}status", "one of an open order", str(order["status"])))
    if "payable" not in {**found.most.after, **(found.read_most or {})} and not findings:
        raise Inconclusive("the order doesn't say whether it is payable")
    answers.violate(findings)


@check("RecordOrderPaymentById.accepts-exactly-what-is-owed")
def test_accepts_exactly_what_is_owed(partner: Partner) -> None:
    """A payment of exactly what is owed is recorded."""
    found = payoff.payoff(partner)

    if found.last is None:
        tried = [each for each in (found.rest, found.plain_rest) if each is not None]
        raise Violation(*(Finding(f"{each}, exactly what is owed", "a success", each.exchange.seen) for each in tried))


@check("RecordOrderPaymentById.exact-payoff-ends-payability")
def test_exact_payoff_ends_payability(partner: Partner) -> None:
    """After a payment of exactly what is owed the order is no longer payable."""
    found = payoff.payoff(partner)

    rest = paid_off(found)
    findings: list[Finding] = []
    for where, order in ((rest.where("payable"), rest.after), (f"{READ} then, $.payable", found.read_rest or {})):
        if order.get("payable") is True:
            findings.append(Finding(where, "false, with nothing left to pay", "true"))
    if "payable" not in {**rest.after, **(found.read_rest or {})}:
        raise Inconclusive("the order doesn't say whether it is payable")
    answers.violate(findings)


def paid_off(found: payoff.Payoff) -> Payment:
    if found.last is None:
        raise Inconclusive("the order could not be paid off")
    return found.last


@check("RecordOrderPaymentById.refuses-a-fully-paid-order")
def test_refuses_a_fully_paid_order(partner: Partner) -> None:
    """A new payment for a fully paid order is refused with Conflict."""
    found = payoff.payoff(partner)

    paid_off(found)
    assert found.more is not None
    answers.violate(paying.require_refusal(found.more, "Conflict"))


@check("RecordOrderPaymentById.records-nothing-on-a-fully-paid-order")
def test_records_nothing_on_a_fully_paid_order(partner: Partner) -> None:
    """A new payment for a fully paid order leaves the order as it was."""
    found = payoff.payoff(partner)

    paid_off(found)
    if found.more is None or found.read_more is None:
        raise NotOffered(f"only {READ} shows what is recorded, and it shows nothing")
    answers.violate(paying.traces(found.more, found.read_more, f"{READ} after {found.more.what}"))


@check("RecordOrderPaymentById.tip-is-no-overpayment")
def test_tip_is_no_overpayment(partner: Partner) -> None:
    """A payment of exactly what is owed with a tip on top is recorded."""
    found = payoff.payoff(partner)

    assert found.rest is not None
    if not found.rest.exchange.succeeded:
        paid_off(found)
        # As much tip on as little has to go through where more is owed, or it is the tip that is refused.
        paying.require(paying.pay(partner, partner.order(5), 1, 1, what="a payment with as much tip"))
        raise Violation(Finding(str(found.rest), "a success, as without a tip", found.rest.exchange.seen))


# Canceled orders and unknown intents


@check("RecordOrderPaymentById.records-nothing-on-a-canceled-order")
def test_records_nothing_on_a_canceled_order(partner: Partner) -> None:
    """A payment for a canceled order leaves the order as it was."""
    if not partner.offers("CancelOrderById"):
        raise NotOffered("needs a canceled order, but CancelOrderById isn't offered")
    id = partner.existing("own-order")
    canceled = partner.call("CancelOrderById", {"orderId": id})
    if not canceled.succeeded:
        raise Inconclusive(f"needs a canceled order, but CancelOrderById answered {canceled.seen}")
    order = paying.read(partner, id, lambda each: each.get("status") == "Canceled")
    payment = paying.pay(partner, {**order, "id": id}, 2, 1, what="a payment on a canceled order")
    answers.violate(paying.untouched(partner, payment))


@check("RecordOrderPaymentById.refuses-an-intent-dojo-does-not-know")
def test_refuses_an_intent_dojo_does_not_know(partner: Partner) -> None:
    """A payment whose intent Dojo does not know is refused."""
    require_lookup(partner)


@check("RecordOrderPaymentById.looks-the-intent-up")
def test_looks_the_intent_up(partner: Partner) -> None:
    """A payment is recorded after its intent was looked up at Dojo."""
    require_lookup(partner)


def require_lookup(partner: Partner) -> None:
    """
    Demand that an intent that nobody made is refused where others are taken.
    """

    def tell() -> tuple[Payment, Payment]:
        order = partner.order(3)
        unknown = paying.pay(partner, order, 1, intent=partner.venue.intents.unknown(), what="a payment")
        return unknown, paying.pay(partner, order, 1, what="an ordinary payment")

    unknown, usual = partner.once("unknown intent", tell)
    if unknown.exchange.succeeded:
        raise Violation(
            Finding(f"a payment with the intent {unknown.intent}", "a refusal", unknown.exchange.seen),
            hint="whoever can reach the EPOS can have orders paid without money: look the intent up at Dojo",
        )
    paying.require(usual)
