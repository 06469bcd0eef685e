"""
One conversation that most rules about payments are judged by: a guest after another pays a part of an order.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from epos_conformance import _contracts, answers, creating, money, order_places, ordering, paying, searching
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.following import Row
from epos_conformance.intents import INTENTS_HINT
from epos_conformance.partner import MOST_ATTEMPTS, Partner
from epos_conformance.paying import Payment
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding


Plan = Sequence[tuple[int, int | None]]

#: ``(amount, tip)`` of each payment. On orders of our own: amounts that floating point gets wrong (0.29 * 100 is
#: 28.999999999999996), and one above a hundred pounds; more of them than guests at most tables, for lists are cut.
#: On the venue's: the smallest that tell amount and tip apart.
OWN: Plan = ((29, None), (115, 29), (57, 11), (58, 0), (1, None), (2, None), (31, 7))
LARGE: Plan = ((10_115, 1_029), (1, None))
SMALL: Plan = ((3, None), (4, 1), (5, 2), (2, 0))
LEAST: Plan = ((1, None),)

#: Pieces of the dearest dish that a till may find too many.
_MOST_PIECES = 40


@dataclass(frozen=True, slots=True)
class SplitBill:
    """
    Payments on one order, and how it was read afterwards.
    """

    recorded: tuple[Payment, ...]
    refused: tuple[Payment, ...]
    #: None where GetOrderById isn't offered, or doesn't answer.
    read: Row | None
    #: The order as SearchOrders shows it then; None where it doesn't.
    row: Row | None = None
    #: Whether a search has shown the order before, and shows it no more, though it can be read and is payable.
    is_lost: bool = False


def split_bills(partner: Partner) -> list[SplitBill]:
    """
    Orders on which payments were recorded: one of any kind, and a large one where the partner lets us create orders.

    Raises `Inconclusive` where no payment was recorded.
    """
    found = partner.once("split bills", lambda: _tell(partner))
    if not any(each.recorded for each in found):
        seen = found[-1].refused[-1].exchange.seen
        why = "first payments of a minor unit were taken" if partner.first_payments else INTENTS_HINT
        raise Inconclusive(f"the EPOS refuses every payment that was tried: {seen}; {why}")
    return found


def _tell(partner: Partner) -> list[SplitBill]:
    found: list[SplitBill] = []
    for _ in range(MOST_ATTEMPTS):
        try:
            order = partner.order(1)
        except Inconclusive:
            if not found:
                raise
            break  # the venue has no other
        found.append(_split(partner, order, _plan(partner, order)))
        if found[-1].recorded:
            break
    if (large := large_order(partner)) is not None:
        found.append(_split(partner, large, LARGE))
    if (collected := collection(partner)) is not None:
        found.append(_split(partner, collected, SMALL))
    return found


def _plan(partner: Partner, order: Row) -> Plan:
    owed = money.owed(order) or 0
    # Payment intents that the user names are few.
    many = (*OWN[:4], OWN[-1]) if partner.settings.intents.ids else OWN
    plans = (many, SMALL) if partner.owns(str(order["id"])) else (SMALL,)
    return next((plan for plan in plans if sum(amount for amount, _ in plan) < owed), LEAST)


def collection(partner: Partner) -> Row | None:
    """An order of our own to be collected, that `SMALL` fits in; None where the till doesn't take it."""
    if not partner.offers("CreateOrder"):
        return None
    partner.settle_currency()
    version = next(iter(order_places.collections(ordering.of(partner.venue))), None)
    made = partner.call("CreateOrder", version.body).result if version is not None else None
    enough = sum(amount for amount, _ in SMALL) + 1
    return made if isinstance(made, dict) and "id" in made and (money.owed(made) or 0) >= enough else None


def large_order(partner: Partner) -> Row | None:
    """An order of our own that `LARGE` fits in; None where the till doesn't take it."""
    if not partner.offers("CreateOrder"):
        return None
    create = _contracts.capabilities()["CreateOrder"]
    item = max(partner.venue.items, key=lambda each: each["amountPerItem"]["value"])
    price = item["amountPerItem"]["value"]
    pieces = sum(amount for amount, _ in LARGE) // price + 1
    if pieces > _MOST_PIECES:
        return None
    amount = {**item["amountPerItem"], "value": pieces * price}
    extra = {"items": [{**item, "quantity": pieces}], "totalAmount": amount}
    made = partner.attempt(create, create.examples[-1], extra=extra).result
    return made if isinstance(made, dict) and (money.owed(made) or 0) >= pieces * price else None


def _split(partner: Partner, order: Row, plan: Plan) -> SplitBill:
    was_listed = partner.was_listed(str(order["id"]))
    if partner.offers("SearchOrders"):
        # A till that keeps what it has shown is to show it.
        was_listed = searching.row_of(partner, str(order["id"])) is not None or was_listed
    recorded: list[Payment] = []
    refused: list[Payment] = []
    for number, (amount, tip) in enumerate(plan, 1):
        # Intents that differ in case alone are different ones; databases often think otherwise.
        twin = None
        if recorded and number == len(plan):
            twin = partner.venue.intents.twin(recorded[0].intent, amount, recorded[0].currency, tip or 0)
        payment = paying.pay(partner, order, amount, tip, what=f"payment {number}", intent=twin)
        if payment.exchange.succeeded:
            recorded.append(payment)
            order = {**order, **payment.after}
        else:
            refused.append(payment)
            if len(refused) == number == 2:
                break  # nothing goes here: the venue may have other orders
    read = None
    if recorded:
        with contextlib.suppress(Inconclusive, NotOffered):  # whoever needs it says so
            read = paying.read(partner, recorded[-1].order_id, paying.lists(recorded[-1].intent))
    row, is_lost = None, False
    if recorded and partner.offers("SearchOrders"):
        row = _row(partner, recorded[-1], was_listed=was_listed)
        is_lost = was_listed and row is None and _is_lost(partner, recorded[-1].order_id)
    return SplitBill(tuple(recorded), tuple(refused), read, row, is_lost)


def _row(partner: Partner, last: Payment, *, was_listed: bool) -> Row | None:
    def follows(row: Row | None) -> bool:
        return not was_listed if row is None else not list(stale(last, row))

    return settled(partner, lambda: searching.row_of(partner, last.order_id), follows)


def _is_lost(partner: Partner, order_id: str) -> bool:
    """Whether a search was walked to its end without the order, of which something is owed still."""
    return creating.search(partner, order_id, {}) == (None, None) and is_still_owed(partner, order_id)


def is_still_owed(partner: Partner, order_id: str) -> bool:
    """Whether the order can be read, says that it is payable, and owes something; False where none can be read."""
    if not partner.offers(paying.READ):
        return False
    found = partner.call(paying.READ, {"orderId": order_id}).result
    return isinstance(found, dict) and found.get("payable") is True and (money.owed(found) or 0) > 0


def stale(last: Payment, row: Row) -> Iterator[Finding]:
    """
    Findings where *row* doesn't show the order as the *last* payment left it; what the row leaves out is not told.
    """
    for member in ("paidAmount", "tipsAmount"):
        due, seen = money.value(last.after.get(member)), money.value(row.get(member))
        if due is not None and seen is not None and due != seen:
            yield Finding(f"SearchOrders after {last.what}, $.{member}", last.shown(due), last.shown(seen))
    if isinstance(row.get("payments"), list) and money.payment(row, last.intent) is None:
        yield Finding(f"SearchOrders after {last.what}, $.payments", f"one of {last.intent}", "not there")


def judge(partner: Partner, findings: Callable[[Payment], Iterable[Finding]], *, tipped: bool | None = None) -> None:
    """
    Demand that no recorded payment has *findings*; with *tipped*, of those with a tip above zero, or without one.
    """
    payments = [
        each for bill in split_bills(partner) for each in bill.recorded if tipped is None or bool(each.tip) is tipped
    ]
    if not payments:
        raise Inconclusive(f"no payment {'with' if tipped else 'without'} a tip was recorded")
    answers.violate([finding for each in payments for finding in findings(each)])
    partner.notes.append(f"{len(payments)} payments")


def judge_read(partner: Partner, findings: Callable[[SplitBill, Row], Iterable[Finding]]) -> None:
    """
    Demand that no order has *findings* as it is read after its payments.
    """
    if not partner.offers(paying.READ):
        raise NotOffered(f"only {paying.READ} shows what is recorded, and it isn't offered")
    bills = [each for each in split_bills(partner) if each.read is not None]
    if not bills:
        raise Inconclusive(f"{paying.READ} doesn't show the order after the payments")
    answers.violate([finding for each in bills if each.read for finding in findings(each, each.read)])


def entry_amounts(payment: Payment, entry: Row, where: str, *members: str) -> Iterator[Finding]:
    """
    Findings where *entry*, the payment as it is listed, has other amounts than were sent.
    """
    for member in members:
        sent = payment.amount if member == "paidAmount" else payment.tip
        shown = money.value(entry.get(member))
        if shown is None and member == "tipsAmount" and not sent and entry.get(member) is None:
            continue  # no tip may be said by saying nothing
        if shown != sent:
            hint = grown(payment, member, shown or 0)
            yield Finding(f"{where}.{member}", payment.shown(sent), payment.shown(entry.get(member)), hint)


def growth(payment: Payment, member: str) -> Iterator[Finding]:
    """
    A finding where the order's *member* (``paidAmount`` or ``tipsAmount``) did not grow by what was sent.
    """
    of = money.paid if member == "paidAmount" else paying.tips
    sent = payment.amount if member == "paidAmount" else payment.tip
    before, after = of(payment.before) or 0, of(payment.after)
    if after is None:
        if payment.after.get(member) is not None or sent:
            yield Finding(payment.where(member), payment.shown(before + sent), f"{payment.after.get(member)!r}")
        return
    if after - before != sent:
        yield Finding(
            payment.where(member),
            f"{payment.shown(before + sent)}: {payment.shown(before)} before, and {payment.shown(sent)} more",
            payment.shown(after),
            grown(payment, member, after - before),
        )


def grown(payment: Payment, member: str, by: int) -> str | None:
    """The likely cause where *member* grew *by* something else than was sent."""
    sent, other = (payment.amount, payment.tip) if member == "paidAmount" else (payment.tip, payment.amount)
    grew = f"{member} grew by {payment.shown(by)} where {payment.shown(sent)} was sent"
    if other and by == sent + other:
        extra = "the tip" if member == "paidAmount" else "the amount"
        return f"{grew}: {extra} of {payment.shown(other)} seems to be included"
    if sent and by == 2 * sent:
        return f"{grew}: it seems to be counted twice"
    if sent and by == 0:
        return f"{grew}: it seems not to be counted"
    if sent and by == 100 * sent:
        return f"{grew}: minor units seem to be taken for whole ones"
    if abs(by - sent) == 1:
        return f"{grew}: a fraction seems to be lost, as with floating point numbers; count in minor units"
    return None
