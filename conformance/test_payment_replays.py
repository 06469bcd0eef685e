"""
RecordOrderPaymentById: Dojo repeats a request whose answer it did not get, and the guest has paid once.
"""

from __future__ import annotations

from epos_conformance import Finding, Inconclusive, Partner, answers, check, money, paying, payoff
from epos_conformance.paying import READ, Payment
from epos_conformance.venue import Row


@check("RecordOrderPaymentById.counts-a-replay-once")
def test_counts_a_replay_once(partner: Partner) -> None:
    """A payment that comes again does not raise paidAmount again."""
    answers.violate(replayed_twice(partner, "paidAmount"))


@check("RecordOrderPaymentById.counts-the-tip-of-a-replay-once")
def test_counts_the_tip_of_a_replay_once(partner: Partner) -> None:
    """A payment that comes again does not raise tipsAmount again."""
    answers.violate(replayed_twice(partner, "tipsAmount"))


def replayed_twice(partner: Partner, member: str) -> list[Finding]:
    found = payoff.replays(partner)
    findings = counted_twice(found.first, found.first.after, found.replay.after, found.replay.where(member), member)
    if found.read is not None:
        findings += counted_twice(found.first, found.first.after, found.read, f"{READ} then, $.{member}", member)
    return findings


def counted_twice(payment: Payment, once: Row, now: Row, where: str, member: str) -> list[Finding]:
    """Whether *now* the order's *member* is above what it was when *payment* was there *once*."""
    of = money.paid if member == "paidAmount" else paying.tips
    due, seen = of(once), of(now)
    if due is None or seen is None or seen <= due or (not now):
        return []
    hint = "the guest is charged twice: a paymentIntentId that is recorded already has to change nothing"
    return [Finding(where, f"{payment.shown(due)}, as after the first", payment.shown(seen), hint)]


@check("RecordOrderPaymentById.lists-a-replay-once")
def test_lists_a_replay_once(partner: Partner) -> None:
    """A payment that comes again is listed once."""
    found = payoff.replays(partner)

    findings: list[Finding] = []
    shown = ((found.replay.where("payments"), found.replay.after), (f"{READ} then, $.payments", found.read))
    late = ((found.late.where("payments"), found.late.after), (f"{READ} in the end, $.payments", found.read_late))
    for where, order in (*shown, *late):
        times = [each.get("paymentIntentId") for each in money.payments(order or {})].count(found.first.intent)
        if times > 1:
            findings.append(Finding(where, f"one of {found.first.intent}", f"{times}"))
    answers.violate(findings)


@check("RecordOrderPaymentById.counts-a-late-replay-once")
def test_counts_a_late_replay_once(partner: Partner) -> None:
    """A payment that comes again after another one is still counted once."""
    found = payoff.replays(partner)

    if not found.other.exchange.succeeded:
        raise Inconclusive(f"needs another payment in between, but saw {found.other.exchange.seen}")
    findings: list[Finding] = []
    for member in ("paidAmount", "tipsAmount"):
        last = found.other.after
        findings += counted_twice(found.first, last, found.late.after, found.late.where(member), member)
        if found.read_late is not None:
            where = f"{READ} in the end, $.{member}"
            findings += counted_twice(found.first, last, found.read_late, where, member)
    answers.violate(findings)


@check("RecordOrderPaymentById.counts-a-replay-on-a-paid-order-once")
def test_counts_a_replay_on_a_paid_order_once(partner: Partner) -> None:
    """The payment that paid an order off is counted once when it comes again."""
    found = payoff.payoff(partner)

    replay, rest = found.replay, found.rest
    if replay is None or rest is None or not rest.exchange.succeeded:
        raise Inconclusive("the order could not be paid off")
    before = found.read_more or {**rest.after, **(found.more.after if found.more else {})}
    findings = counted_twice(rest, before, replay.after, replay.where("paidAmount"), "paidAmount")
    if found.read_replay is not None:
        findings += counted_twice(rest, before, found.read_replay, f"{READ} then, $.paidAmount", "paidAmount")
    answers.violate(findings)


# What is answered

_HINT = "Dojo takes an error for a payment that was not recorded, and gives the guest the money back"


@check("RecordOrderPaymentById.answers-a-replay-with-success")
def test_answers_a_replay_with_success(partner: Partner) -> None:
    """A payment that comes again is answered with success."""
    found = payoff.replays(partner)

    answers.violate(unsuccessful(found.replay) + unsuccessful(found.late))


def unsuccessful(payment: Payment) -> list[Finding]:
    if payment.exchange.succeeded:
        return []
    return [Finding(payment.what, "a success, as the first time", payment.exchange.seen, _HINT)]


@check("RecordOrderPaymentById.answers-a-replay-with-the-unchanged-order")
def test_answers_a_replay_with_the_unchanged_order(partner: Partner) -> None:
    """A payment that comes again is answered with the order as it stands."""
    found = payoff.replays(partner)

    findings: list[Finding] = []
    for replay, order in ((found.replay, found.first.after), (found.late, found.other.after)):
        if not replay.exchange.succeeded or not order:
            continue
        for member in ("id", "totalAmount", "paidAmount", "tipsAmount", "payable"):
            due, seen = order.get(member), replay.after.get(member)
            if plain(due) != plain(seen):
                expected = f"{money.shown(due) if isinstance(due, dict) else due}, as before"
                shown = money.shown(seen) if isinstance(seen, dict) else str(seen)
                findings.append(Finding(replay.where(member), expected, shown))
        entries, listed = len(money.payments(order)), len(money.payments(replay.after))
        if entries != listed:
            findings.append(Finding(replay.where("payments"), f"{entries}, as before", str(listed)))
    answers.violate(findings)


def plain(value: object) -> object:
    return (money.value(value), money.currency(value)) if isinstance(value, dict) else value


@check("RecordOrderPaymentById.answers-a-replay-on-a-paid-order-with-success")
def test_answers_a_replay_on_a_paid_order_with_success(partner: Partner) -> None:
    """The payment that paid an order off is answered with success when it comes again."""
    found = payoff.payoff(partner)

    if found.replay is None:
        raise Inconclusive("the order could not be paid off")
    answers.violate(unsuccessful(found.replay))
