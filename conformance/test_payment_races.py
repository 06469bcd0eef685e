"""
RecordOrderPaymentById: payments that arrive at the same instant.

Between looking whether a payment may be recorded and recording it, another one slips through: an EPOS that has no
transaction around both is right whenever it is asked one thing at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from epos_conformance import Exchange, Finding, Inconclusive, Partner, answers, check, money, paying, racing
from epos_conformance.following import Row
from epos_conformance.paying import READ, RECORD


#: Copies of one payment that are sent at once, and what is paid and tipped with it.
COPIES = 4
AMOUNT, TIP = 3, 1


ONE_TRANSACTION = "look and record in one transaction, or lock the order's row first"
ONE_ANSWER = "the payment that comes second is not recorded, and has to be told so: with Conflict, Dojo reverses it"


@dataclass(frozen=True, slots=True)
class Race:
    """
    Calls that were released at the same instant, and the order before and after.
    """

    before: Row
    exchanges: list[Exchange]
    after: Row | None
    intents: list[str] = field(default_factory=list)

    @property
    def recorded(self) -> int:
        """How many were answered with success."""
        return sum(each.succeeded for each in self.exchanges)

    def grown(self) -> int | None:
        """Minor units that the order's paidAmount grew by, as it is read."""
        before, after = money.paid(self.before), money.paid(self.after or {})
        return None if self.after is None or before is None or after is None else after - before

    @property
    def listed(self) -> int | None:
        """How many of the payments the order lists, as it is read."""
        if self.after is None or not isinstance(self.after.get("payments"), list):
            return None
        return sum(money.payment(self.after, each) is not None for each in self.intents)

    def but_listed(self) -> str:
        """How many are listed, where that is not what was answered."""
        return "" if self.listed in (None, self.recorded) else f", though the order then lists {self.listed} of them"

    @property
    def seen(self) -> str:
        return "; ".join(each.seen for each in self.exchanges)


def race(partner: Partner, order: Row, *payments: dict[str, object]) -> Race:
    """
    Send *payments* for *order* at the same instant, and read it once what was recorded shows.
    """
    found = partner.at_once(*((RECORD, each) for each in payments))
    intents = [str(each["paymentIntentId"]) for each in payments]
    recorded = [intent for intent, each in zip(intents, found, strict=True) if each.succeeded]

    def shows(now: Row) -> bool:
        return all(money.payment(now, each) is not None for each in recorded)

    after = paying.read(partner, str(order["id"]), shows) if partner.offers(READ) else None
    return Race(order, found, after, intents)


@check("RecordOrderPaymentById.records-one-of-two-full-payments-at-once")
def test_records_one_of_two_full_payments_at_once(partner: Partner) -> None:
    """Of two payments at the same instant, each of all that is owed, at most one is recorded."""
    for number in racing.rounds(partner):
        try:
            order = partner.spend("race")
        except Inconclusive:
            if number == 1:
                raise
            partner.notes.append("no more orders to pay off")
            break
        owed = money.owed(order)
        if owed is None:
            raise Inconclusive("the order doesn't say what is owed: totalAmount or paidAmount is missing")
        found = race(partner, order, *(paying.params(partner, order, owed) for _ in range(2)))
        if not found.recorded and found.grown() == 0:
            paying.require(paying.pay(partner, order, owed, what="a payment of all that is owed"))
        where, expected = f"round {number}: two payments of {money.shown(owed, code(order))} at once", "one recorded"
        findings = []
        if found.recorded > 1:
            findings.append(Finding(where, expected, f"{found.recorded} successes{found.but_listed()}"))
        if (grown := found.grown()) is not None and grown > owed:
            seen = f"paidAmount grew by {money.shown(grown, code(order))}"
            findings.append(Finding(f"{where}, $.paidAmount then", expected, seen))
        told = found.listed == 1 and (grown is None or grown <= owed)
        answers.violate(findings, hint=ONE_ANSWER if told else ONE_TRANSACTION)


def code(order: Row) -> str:
    return money.currency(order.get("totalAmount")) or ""


# Retries of one payment


def retries(partner: Partner) -> list[Race]:
    """
    Rounds of one payment sent several times at once.
    """

    def tell() -> list[Race]:
        found: list[Race] = []
        order = partner.order(AMOUNT)
        for _ in racing.rounds(partner):
            if (money.owed(order) or AMOUNT) < AMOUNT:
                break
            payment = paying.params(partner, order, AMOUNT, TIP)
            found.append(race(partner, order, *[payment] * COPIES))
            if not found[-1].recorded and not found[-1].grown():
                paying.require(paying.pay(partner, order, 1, what="an ordinary payment"))
            order = {**order, **(found[-1].after or last(found[-1]))}
        return found

    found = partner.once("retries at once", tell)
    partner.notes.append(f"{len(found)} rounds of {COPIES}")
    return found


def last(found: Race) -> Row:
    """The order as the answer with the most payments shows it."""
    shown = [each.result for each in found.exchanges if isinstance(each.result, dict)]
    return max(shown, key=lambda each: len(money.payments(each)), default={})


@check("RecordOrderPaymentById.counts-a-replay-at-once-once")
def test_counts_a_replay_at_once_once(partner: Partner) -> None:
    """One payment that comes several times at the same instant is counted once."""
    findings: list[Finding] = []
    for number, found in enumerate(retries(partner), 1):
        order = found.after or last(found)
        where = f"round {number}: {COPIES} times the same payment at once"
        times = [each.get("paymentIntentId") for each in money.payments(order)].count(found.intents[0])
        if times > 1:
            findings.append(Finding(f"{where}, $.payments then", "it is listed once", f"{times} times"))
        for member, of, sent in (("paidAmount", money.paid, AMOUNT), ("tipsAmount", paying.tips, TIP)):
            before, after = of(found.before), of(order)
            if before is not None and after is not None and after - before > sent:
                seen = money.shown(after, code(found.before))
                expected = f"{money.shown(before + sent, code(found.before))}, with {sent} more"
                findings.append(Finding(f"{where}, $.{member} then", expected, seen))
    answers.violate(findings, hint="make the paymentIntentId unique in the database, and record in one transaction")


@check("RecordOrderPaymentById.answers-a-replay-at-once-with-success")
def test_answers_a_replay_at_once_with_success(partner: Partner) -> None:
    """One payment that comes several times at the same instant is answered with success each time."""
    findings = [
        Finding(f"round {number}: {COPIES} times the same payment at once", "successes", found.seen)
        for number, found in enumerate(retries(partner), 1)
        if found.recorded < COPIES
    ]
    answers.violate(findings, hint="Dojo takes an error for a payment that was not recorded, and reverses it")


# Two different payments

OVERWRITTEN = "the later of two writes seems to overwrite the earlier one"
COUNTED_APART = "both are listed: paidAmount is kept beside them, and seems to be read before the other one is added"


@check("RecordOrderPaymentById.keeps-both-of-two-payments-at-once")
def test_keeps_both_of_two_payments_at_once(partner: Partner) -> None:
    """Two part payments at the same instant are both listed and both counted."""
    order = partner.order(3)
    both = 0
    for number in racing.rounds(partner):
        if money.owed(order) in (0, 1):
            break
        found = race(partner, order, *(paying.params(partner, order, 1) for _ in range(2)))
        now = found.after or last(found)
        both += found.recorded == 2
        where = f"round {number}: two payments of 1 at once"
        kept = [each for each, done in zip(found.intents, found.exchanges, strict=True) if done.succeeded]
        lost = [each for each in kept if money.payment(now, each) is None]
        findings = [Finding(f"{where}, $.payments then", f"{each}, as answered", "not there") for each in lost]
        before, after = money.paid(order), money.paid(now)
        if before is not None and after is not None and after - before < len(kept):
            expected = money.shown(before + len(kept), code(order))
            findings.append(Finding(f"{where}, $.paidAmount then", expected, money.shown(after, code(order))))
        answers.violate(findings, hint=OVERWRITTEN if lost else COUNTED_APART)
        if broken := [each for each in found.exchanges if each.crashed or each.answer is None]:
            answers.violate([Finding(where, "two answers", each.seen) for each in broken])
        if not found.recorded:
            paying.require(paying.pay(partner, order, 1, what="an ordinary payment"))
        order = {**order, **now}
    partner.notes.append(f"both recorded in {both}")
