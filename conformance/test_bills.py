"""
The printable bill of an order: header, order and footer, and whether the order on it is the one that is meant.
"""

from __future__ import annotations

import functools
import itertools

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from epos_conformance import (
    Exchange,
    Finding,
    Inconclusive,
    NotOffered,
    Partner,
    _contracts,
    answers,
    check,
    money,
    sameness,
    shown,
)
from epos_conformance.intents import INTENTS_HINT
from epos_conformance.settling import settled
from epos_conformance.shown import words


#: Bills of different orders that are asked for, once in a run.
MOST_BILLS = 12

#: Findings that are told of one rule: a line that is wrong is wrong on every bill.
MOST_FAULTS = 10

#: Orders that are told of: each was looked at again for the settle time.
MOST_AGAIN = 2

#: lineType -> the member that such a line carries.
CONTENTS = {
    "Image": "image",
    "Logo": "logo",
    "MerchantAddress": "merchantAddress",
    "MerchantEmailAddress": "merchantEmailAddress",
    "MerchantName": "merchantName",
    "MerchantPhoneNumber": "merchantPhoneNumber",
    "Text": "text",
    "URL": "url",
    "HorizontalLine": "horizontalLine",
    "TaxNumber": "taxNumber",
}

SIZES = ("Body", "Header1", "Header2")


@dataclass(frozen=True, slots=True)
class Bill:
    """
    The bill of the order *id*, whatever was answered.
    """

    id: str
    content: Mapping[str, Any]

    def lines(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The lines above and below the order, with their place for findings."""
        for section in ("header", "footer"):
            for place, line in enumerate(shown.listed(self.content.get(section), "lines")):
                yield f"bill of {self.id!r}, $.{section}.lines[{place}]", line


def bills(partner: Partner) -> list[Bill]:
    """
    The bills of orders that differ.
    """
    return partner.once("bills", lambda: _bills(partner))


def _bills(partner: Partner) -> list[Bill]:
    capability = _contracts.capabilities()["GetOrderBillById"]
    found = []
    for id in partner.venue.variety("order", MOST_BILLS) or [partner.existing("order")]:
        exchange = partner.read(capability, id)
        if exchange is not None and isinstance(exchange.result, dict):
            found.append(Bill(id, exchange.result))
    if not found:
        seen = f": {partner.exchanges[-1].seen}" if partner.exchanges else ""
        raise Inconclusive(f"needs a bill, but none could be had{seen}")
    return found


@check("GetOrderBillById.has-header-order-and-footer")
def test_has_header_order_and_footer(partner: Partner) -> None:
    """A bill has a header, an order and a footer."""
    findings = [
        Finding(f"bill of {each.id!r}, $.{name}", "an object", words(each.content.get(name)))
        for each in bills(partner)
        for name in ("header", "order", "footer")
        if not isinstance(each.content.get(name), Mapping)
    ]
    answers.violate(findings[:MOST_FAULTS])


@check("GetOrderBillById.line-types-are-known-ones")
def test_line_types_are_known_ones(partner: Partner) -> None:
    """Every line of a bill has one of the ten lineTypes."""
    findings = [
        Finding(f"{where}.lineType", f"one of {', '.join(CONTENTS)}", words(kind), _spelling(kind, CONTENTS))
        for where, line in lines(partner)
        if not isinstance(kind := line.get("lineType"), str) or kind not in CONTENTS
    ]
    answers.violate(findings[:MOST_FAULTS])


@check("GetOrderBillById.lines-carry-their-content")
def test_lines_carry_their_content(partner: Partner) -> None:
    """Every line of a bill carries what its lineType names."""
    findings = []
    for where, line in lines(partner):
        kind = line.get("lineType")
        name = CONTENTS.get(kind) if isinstance(kind, str) else None
        if name is not None and not isinstance(line.get(name), Mapping):
            others = [each for each in line if each != "lineType"]
            hint = f"it stands there as {others[0]}" if others and line.get(name) is None else None
            findings.append(Finding(f"{where}.{name}", f"the content of a {kind} line", words(line.get(name)), hint))
    answers.violate(findings[:MOST_FAULTS])


@check("GetOrderBillById.text-size-is-a-known-one")
def test_text_size_is_a_known_one(partner: Partner) -> None:
    """Every text of a bill has the size Body, Header1 or Header2."""
    findings = [
        Finding(f"{where}.text.size", f"one of {', '.join(SIZES)}", words(text.get("size")), _spelling(text, SIZES))
        for where, line in lines(partner)
        if isinstance(text := line.get("text"), Mapping) and text.get("size") not in SIZES
    ]
    answers.violate(findings[:MOST_FAULTS])


def lines(partner: Partner) -> list[tuple[str, Mapping[str, Any]]]:
    """
    The lines of all bills that were asked for.
    """
    found = [line for each in bills(partner) for line in each.lines()]
    if not found:
        raise Inconclusive("the bills have no lines in header and footer")
    return found


def _spelling(value: Any, known: Any) -> str | None:
    text = value.get("size") if isinstance(value, Mapping) else value
    small = text.replace(" ", "").replace("_", "").lower() if isinstance(text, str) else None
    meant = next((each for each in known if each.lower() == small), None)
    return f"it is spelt {meant}" if meant else None


# The order on it


@check("GetOrderBillById.is-for-the-order-asked-for")
def test_is_for_the_order_asked_for(partner: Partner) -> None:
    """The order of a bill is the one asked for."""
    found = [(each.id, each.content["order"]) for each in bills(partner) if _has_order(each)]
    if not found:
        raise Inconclusive("none of the bills has an order")

    answers.violate([
        Finding(f"bill of {id!r}, $.order.id", repr(id), words(order.get("id")))
        for id, order in found
        if order.get("id") != id
    ])


def _has_order(bill: Bill) -> bool:
    return isinstance(bill.content.get("order"), Mapping)


@check("GetOrderBillById.order-agrees-with-the-order")
def test_order_agrees_with_the_order(partner: Partner) -> None:
    """The order of a bill says the same as GetOrderById."""
    if not partner.offers("GetOrderById"):
        raise NotOffered("GetOrderById isn't offered")
    compared: list[Both | None] = []
    for each in bills(partner):
        if _has_order(each) and sum(bool(_contradictions(both)) for both in compared) < MOST_AGAIN:
            look = functools.partial(_both, partner, each.id)
            compared.append(settled(partner, look, lambda both: not _contradictions(both)))
    findings = list(itertools.chain.from_iterable(map(_contradictions, compared)))
    if not any(compared):
        raise Inconclusive("no order could be seen both on a bill and by GetOrderById")
    answers.violate(findings[:MOST_FAULTS])


Both = tuple[str, Mapping[str, Any], Mapping[str, Any]]


def _both(partner: Partner, id: str) -> Both | None:
    """The order *id* on its bill, and as GetOrderById shows it; None where it can't be had."""
    bill = partner.call("GetOrderBillById", {"orderId": id}).result
    order = partner.call("GetOrderById", {"orderId": id}).result
    printed = bill.get("order") if isinstance(bill, dict) else None
    return (id, printed, order) if isinstance(printed, dict) and isinstance(order, dict) else None


def _contradictions(both: Both | None) -> list[Finding]:
    if both is None:
        return []
    id, printed, order = both
    return [
        Finding(
            f"bill of {id!r}, $.order{each.where[1:]}",
            f"the same as GetOrderById: {words(each.other)}",
            words(each.one),
        )
        for each in sameness.differences(printed, order, needed=sameness.NEEDED)
    ]


@check("GetOrderBillById.follows-a-payment", changes=True)
def test_follows_a_payment(partner: Partner) -> None:
    """A bill asked for after a payment shows the payment."""
    if not partner.offers("RecordOrderPaymentById"):
        raise NotOffered("RecordOrderPaymentById isn't offered")
    order = partner.order(2)
    id, intent = str(order["id"]), partner.intent()
    before = _bill(partner, id)
    if not before.succeeded:
        raise Inconclusive(f"needs the bill of a payable order, but saw {before.seen}")
    amount = money.of(1, money.currency(order.get("totalAmount")) or partner.venue.currency)
    payment = {"orderId": id, "paymentIntentId": intent, "paidAmount": amount}
    exchange = partner.call("RecordOrderPaymentById", payment)
    if not exchange.succeeded:
        raise Inconclusive(f"needs a payment, but it was not carried out: {exchange.seen}; {INTENTS_HINT}")
    was = _printed(before)
    after = settled(partner, lambda: _bill(partner, id), lambda each: not _missing(was, _printed(each), intent))

    answers.require_success(after, _contracts.capabilities()["GetOrderBillById"])
    now = _printed(after)
    if now is None or (now.get("payments") is None and money.value(now.get("paidAmount")) is None):
        raise Inconclusive("the bill doesn't say what is paid")
    answers.violate(_missing(was, now, intent))


def _bill(partner: Partner, id: str) -> Exchange:
    return partner.call("GetOrderBillById", {"orderId": id})


def _printed(exchange: Exchange) -> Mapping[str, Any] | None:
    """The order on a bill; None where there is none."""
    found = exchange.result.get("order") if isinstance(exchange.result, dict) else None
    return found if isinstance(found, dict) else None


def _missing(before: Any, after: Any, intent: str) -> list[Finding]:
    """What the bill lacks of the payment of 1 with *intent*."""
    if before is None or after is None:
        return []
    where, findings = "the bill after a payment of 1", []
    was, now = money.value(before.get("paidAmount")), money.value(after.get("paidAmount"))
    if was is not None and now is not None and now != was + 1:
        hint = "the bill seems to be kept from before the payment" if now == was else None
        expected = f"{was + 1}, after {was} before"
        findings.append(Finding(f"{where}, $.order.paidAmount", expected, words(after["paidAmount"]), hint))
    if isinstance(after.get("payments"), list) and money.payment(after, intent) is None:
        ids = [each.get("paymentIntentId") for each in money.payments(after)]
        findings.append(Finding(f"{where}, $.order.payments", f"the payment {intent}", words(ids)))
    return findings
