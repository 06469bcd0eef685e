"""
RecordOrderPaymentById: Dojo repeats a request whose answer it did not get, and the guest has paid once.
"""

from __future__ import annotations

from collections.abc import Iterator

from epos_conformance import Finding, Inconclusive, Partner, answers, check, money, paying, payoff
from epos_conformance.paying import READ, Payment
from epos_conformance.payoff import Replay


_TWICE = "the guest is charged twice: a paymentIntentId that is recorded already has to change nothing"
_REVERSED = "Dojo takes an error for a payment that was not recorded, and gives the guest the money back"


@check("RecordOrderPaymentById.counts-a-replay-once")
def test_counts_a_replay_once(partner: Partner) -> None:
    """A payment that comes again does not raise paidAmount again."""
    at_once = [each for each in payoff.replays(partner) if not is_late(each)]

    answers.violate([finding for each in at_once for finding in counted_again(each, "paidAmount")], hint=_TWICE)


@check("RecordOrderPaymentById.counts-the-tip-of-a-replay-once")
def test_counts_the_tip_of_a_replay_once(partner: Partner) -> None:
    """A payment that comes again does not raise tipsAmount again."""
    at_once = [each for each in payoff.replays(partner) if not is_late(each)]

    answers.violate([finding for each in at_once for finding in counted_again(each, "tipsAmount")], hint=_TWICE)


@check("RecordOrderPaymentById.counts-a-late-replay-once")
def test_counts_a_late_replay_once(partner: Partner) -> None:
    """A payment that comes again after another one is still counted once."""
    late = [each for each in payoff.replays(partner) if is_late(each)]

    if not late:
        raise Inconclusive("needs another payment in between, and none was recorded")
    findings = [
        finding for each in late for member in ("paidAmount", "tipsAmount") for finding in counted_again(each, member)
    ]
    answers.violate(findings, hint=_TWICE)


def is_late(replay: Replay) -> bool:
    return replay.again.what.endswith("after another one")


def counted_again(replay: Replay, member: str) -> Iterator[Finding]:
    """
    Findings where the order's *member* has grown by what was sent again.

    By less or more than that it may have: an EPOS may take another amount for a correction.
    """
    of, by = (money.paid, replay.again.amount) if member == "paidAmount" else (paying.tips, replay.again.tip)
    was, payment = of(replay.before), replay.again
    shown = ((payment.where(member), replay.again.after), (f"{READ} after {payment.what}, $.{member}", replay.read))
    for where, order in shown:
        now = of(order) if order else None
        if was is None or now is None or now <= was:
            continue
        if is_altered(replay) and now - was != by:
            continue
        yield Finding(where, f"{payment.shown(was)}, as before", payment.shown(now))


def is_altered(replay: Replay) -> bool:
    return replay.again.amount != replay.first.amount


@check("RecordOrderPaymentById.lists-a-replay-once")
def test_lists_a_replay_once(partner: Partner) -> None:
    """A payment that comes again is listed once."""
    findings: list[Finding] = []
    for each in payoff.replays(partner):
        payment, intent = each.again, each.first.intent
        read = f"{READ} after {payment.what}, $.payments"
        for where, order in ((payment.where("payments"), payment.after), (read, each.read)):
            times = [entry.get("paymentIntentId") for entry in money.payments(order or {})].count(intent)
            if times > 1:
                findings.append(Finding(where, f"one of {intent}", str(times)))
    answers.violate(findings)


@check("RecordOrderPaymentById.counts-a-replay-on-a-paid-order-once")
def test_counts_a_replay_on_a_paid_order_once(partner: Partner) -> None:
    """The payment that paid an order off is counted once when it comes again."""
    answers.violate(list(counted_again(of_paid_order(partner), "paidAmount")), hint=_TWICE)


def of_paid_order(partner: Partner) -> Replay:
    found = payoff.payoff(partner).replay
    if found is None:
        raise Inconclusive("the order could not be paid off")
    return found


# What is answered


@check("RecordOrderPaymentById.answers-a-replay-with-success")
def test_answers_a_replay_with_success(partner: Partner) -> None:
    """A payment that comes again is answered with success."""
    same = [each.again for each in payoff.replays(partner) if not is_altered(each)]

    answers.violate([finding for each in same for finding in unsuccessful(each)], hint=_REVERSED)


def unsuccessful(payment: Payment) -> list[Finding]:
    if payment.exchange.succeeded:
        return []
    return [Finding(payment.what, "a success, as the first time", payment.exchange.seen)]


@check("RecordOrderPaymentById.answers-a-replay-on-a-paid-order-with-success")
def test_answers_a_replay_on_a_paid_order_with_success(partner: Partner) -> None:
    """The payment that paid an order off is answered with success when it comes again."""
    answers.violate(unsuccessful(of_paid_order(partner).again), hint=_REVERSED)


@check("RecordOrderPaymentById.answers-a-replay-with-the-unchanged-order")
def test_answers_a_replay_with_the_unchanged_order(partner: Partner) -> None:
    """A payment that comes again is answered with the order as it stands."""
    same = [each for each in payoff.replays(partner) if each.again.exchange.succeeded and not is_altered(each)]

    answers.violate([finding for each in same if each.before for finding in changed(each)])


def changed(replay: Replay) -> Iterator[Finding]:
    payment, order = replay.again, replay.before
    for member in ("id", "totalAmount", "paidAmount", "tipsAmount", "payable"):
        due, seen = order.get(member), payment.after.get(member)
        if plain(due) != plain(seen):
            yield Finding(payment.where(member), f"{shown(due)}, as before", shown(seen))
    entries, listed = len(money.payments(order)), len(money.payments(payment.after))
    if entries != listed:
        yield Finding(payment.where("payments"), f"{entries}, as before", str(listed))


def plain(value: object) -> object:
    return (money.value(value), money.currency(value)) if isinstance(value, dict) else value


def shown(value: object) -> str:
    return money.shown(value) if isinstance(value, dict) else str(value)
