"""
RecordOrderPaymentById: a payment is recorded exactly as it was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from epos_conformance import (
    Finding,
    Inconclusive,
    Partner,
    Violation,
    answers,
    check,
    money,
    paying,
    payoff,
    recorded,
    second_payments,
    split_bill,
)
from epos_conformance.exchange import preview
from epos_conformance.following import Row
from epos_conformance.paying import READ, Payment
from epos_conformance.split_bill import SplitBill


@check("RecordOrderPaymentById.shows-the-payment")
def test_shows_the_payment(partner: Partner) -> None:
    """The order answered lists the payment."""
    split_bill.judge(partner, recorded.unlisted)
    found = payoff.settled_bill(partner)
    more = found.more if found is not None else None
    # Not recorded it may be, but not with a success: Dojo then takes the guest's money for an order that was paid.
    read = found.read_more if found is not None else None
    if more is not None and more.exchange.succeeded and (read is None or money.payment(read, more.intent) is None):
        answers.violate(list(recorded.unlisted(more)), hint="what is not recorded is refused: with Conflict")


@check("RecordOrderPaymentById.payment-is-read-back")
def test_payment_is_read_back(partner: Partner) -> None:
    """GetOrderById lists the payments as they were sent."""
    split_bill.judge_read(
        partner, lambda bill, order: recorded.unread(bill.recorded, order, f"{READ} after the payments")
    )


@check("RecordOrderPaymentById.keeps-the-paid-amount")
def test_keeps_the_paid_amount(partner: Partner) -> None:
    """The payment is listed with the paidAmount sent."""
    split_bill.judge(partner, lambda each: recorded.listed(each, "paidAmount"))


@check("RecordOrderPaymentById.keeps-the-tip")
def test_keeps_the_tip(partner: Partner) -> None:
    """The payment is listed with the tipsAmount sent."""
    split_bill.judge(partner, lambda each: recorded.listed(each, "tipsAmount"))
    require_tips(partner)


@check("RecordOrderPaymentById.keeps-tips-out-of-the-paid-amount")
def test_keeps_tips_out_of_the_paid_amount(partner: Partner) -> None:
    """A tip raises neither the payment's paidAmount nor the order's."""
    split_bill.judge(partner, tip_inside, tipped=True)


def tip_inside(payment: Payment) -> Iterator[Finding]:
    entry, both = payment.entry, payment.amount + payment.tip
    if entry is not None and money.value(entry.get("paidAmount")) == both:
        yield from split_bill.entry_amounts(payment, entry, payment.where("payments"), "paidAmount")
    after = money.paid(payment.after)
    if after is not None and after - (money.paid(payment.before) or 0) == both:
        yield from split_bill.growth(payment, "paidAmount")


@check("RecordOrderPaymentById.paid-amount-grows-by-the-payment")
def test_paid_amount_grows_by_the_payment(partner: Partner) -> None:
    """The order's paidAmount grows by exactly what was paid."""
    split_bill.judge(partner, lambda each: split_bill.growth(each, "paidAmount"))


@check("RecordOrderPaymentById.tips-amount-grows-by-the-tip")
def test_tips_amount_grows_by_the_tip(partner: Partner) -> None:
    """The order's tipsAmount grows by exactly the tip."""
    split_bill.judge(partner, lambda each: split_bill.growth(each, "tipsAmount"))
    require_tips(partner)


def require_tips(partner: Partner) -> None:
    if not any(each.tip for bill in split_bill.split_bills(partner) for each in bill.recorded):
        raise Inconclusive("no payment with a tip was recorded")


@check("RecordOrderPaymentById.keeps-the-total")
def test_keeps_the_total(partner: Partner) -> None:
    """A payment without a tip leaves totalAmount as it was."""
    split_bill.judge(partner, recorded.total_changed, tipped=False)


@check("RecordOrderPaymentById.keeps-the-total-when-tipped")
def test_keeps_the_total_when_tipped(partner: Partner) -> None:
    """A payment with a tip leaves totalAmount as it was."""
    split_bill.judge(partner, recorded.total_changed, tipped=True)


@check("RecordOrderPaymentById.keeps-earlier-payments")
def test_keeps_earlier_payments(partner: Partner) -> None:
    """A payment leaves the earlier payments of the order as they were."""
    if not any(money.payments(each.before) for bill in split_bill.split_bills(partner) for each in bill.recorded):
        raise Inconclusive("no order had a payment before: only one payment could be recorded on each")
    split_bill.judge(partner, recorded.earlier_changed)


@check("RecordOrderPaymentById.keeps-the-items")
def test_keeps_the_items(partner: Partner) -> None:
    """A payment leaves the order's items as they were."""
    split_bill.judge(partner, items_changed)
    paid_off = partner.offers("CreateOrder") and payoff.payoff(partner).last
    if paid_off:
        answers.violate(list(items_changed(paid_off)))


def items_changed(payment: Payment) -> Iterator[Finding]:
    before, after = sold(payment.before), sold(payment.after)
    if before and "items" in payment.after and before != after:
        yield Finding(payment.where("items"), f"{preview(before)}, as before", preview(after))


def sold(order: Row) -> list[str]:
    """What is on *order*, whatever its sequence."""
    items = order.get("items")
    found = [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []
    return sorted(f"{each.get('quantity')} x {each.get('plu')}" for each in found)


@check("RecordOrderPaymentById.records-nothing-that-it-refuses")
def test_records_nothing_that_it_refuses(partner: Partner) -> None:
    """A payment that is answered with an error is not recorded."""
    split_bill.judge_read(partner, recorded_all_the_same)


def recorded_all_the_same(bill: SplitBill, order: Row) -> Iterator[Finding]:
    for payment in bill.refused:
        if money.payment(order, payment.intent) is not None:
            where = f"{READ} after {payment}, $.payments"
            yield Finding(
                where, f"none of {payment.intent}: {payment.exchange.seen}", recorded.intents(order), _REVERSED
            )


_REVERSED = "Dojo gives the guest the money back, and the till counts it"


@check("RecordOrderPaymentById.split-payments-add-up")
def test_split_payments_add_up(partner: Partner) -> None:
    """Several payments are taken, are all listed, and add up in paidAmount."""
    try:
        bills = [each for each in split_bill.split_bills(partner) if len(each.recorded) > 1]
    except Inconclusive:
        answers.violate(second_payments.refused(partner))
        raise
    if not bills:
        answers.violate(second_payments.refused(partner))
        raise Inconclusive("needs two payments on one order, but only one was recorded")
    findings: list[Finding] = []
    for bill in bills:
        findings += recorded.unsummed(
            bill.recorded, bill.recorded[-1].after, f"{paying.RECORD}, the answer to the last payment"
        )
        if bill.read is not None:
            findings += recorded.unsummed(bill.recorded, bill.read, f"{READ} after the payments")
    answers.violate(findings)


# What a payment may come with or without


@check("RecordOrderPaymentById.works-without-a-tip")
def test_works_without_a_tip(partner: Partner) -> None:
    """A payment without tipsAmount is recorded."""
    require_one(partner, "without tipsAmount", lambda each: "tipsAmount" not in each.params)


@check("RecordOrderPaymentById.works-with-a-tip")
def test_works_with_a_tip(partner: Partner) -> None:
    """A payment with a tip is recorded."""
    require_one(partner, "with a tip", lambda each: each.tip > 0)


@check("RecordOrderPaymentById.works-with-a-tip-of-zero")
def test_works_with_a_tip_of_zero(partner: Partner) -> None:
    """A payment with a tipsAmount of 0 is recorded."""
    require_one(partner, "with a tipsAmount of 0", lambda each: "tipsAmount" in each.params and not each.tip)


def require_one(partner: Partner, what: str, chosen: Callable[[Payment], bool]) -> None:
    """
    Demand that of the payments *chosen* one was recorded, as others were.
    """
    bills = split_bill.split_bills(partner)
    if any(chosen(each) for bill in bills for each in bill.recorded):
        return
    refused = [each for bill in bills if bill.recorded for each in bill.refused if chosen(each)]
    if not refused:
        raise Inconclusive(f"no payment {what} was tried: the order owed too little")
    raise Violation(*(Finding(f"a payment {what}", "a success, as of others", each.exchange.seen) for each in refused))


@check("RecordOrderPaymentById.works-without-a-lock")
def test_works_without_a_lock(partner: Partner) -> None:
    """A payment without lockId is recorded on an order that is not locked."""
    try:
        split_bill.split_bills(partner)
    except Inconclusive:
        if not partner.offers("CreateOrderLock"):
            raise
        refused = paying.pay(partner, partner.order())
        held = partner.lock()
        locked = paying.pay(partner, {"id": held.ids["orderId"]}, lock=held.ids["lockId"])
        if refused.exchange.succeeded or not locked.exchange.succeeded:
            raise
        where = "a payment without lockId on an order that is not locked"
        raise Violation(Finding(where, "a success, as with a lock", refused.exchange.seen)) from None


@check("RecordOrderPaymentById.part-payment-leaves-the-order-payable")
def test_part_payment_leaves_the_order_payable(partner: Partner) -> None:
    """An order of which a part is paid stays payable."""
    try:
        split_bill.judge(partner, unpayable)
    except Inconclusive:
        answers.violate(second_payments.closed(partner))
        raise
    if not any("payable" in each.after for bill in split_bill.split_bills(partner) for each in bill.recorded):
        raise Inconclusive("the orders answered don't say whether they are payable")


def unpayable(payment: Payment) -> Iterator[Finding]:
    owed = (money.owed(payment.before) or 0) - payment.amount
    if owed > 0 and payment.after.get("payable") is False:
        yield Finding(payment.where("payable"), f"true, with {payment.shown(owed)} left to pay", "false")
