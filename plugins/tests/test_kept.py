"""
What became of an order that was sent is told where it differs, with a cause that can be guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from epos_conformance import kept
from epos_conformance.kept import Comparison, spoilt


def gbp(value: Any) -> dict[str, Any]:
    return {"value": value, "currencyCode": "GBP"}


def item(value: int = 1000, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"plu": "1", "name": "Tea", "quantity": quantity, "amountPerItem": gbp(value), **more}


def told(compare: Comparison, sent: Mapping[str, Any], shown: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(each.where, each.expected, each.seen) for each in compare(sent, shown)]


def hints(compare: Comparison, sent: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str | None]:
    return [each.hint for each in compare(sent, shown)]


# Texts


@pytest.mark.parametrize(
    ("sent", "shown", "hint"),
    [
        ("tea", "tea", None),
        (7, "tea", None),
        ("tea", None, None),
        ("tea", "", None),
        ("tea", "coffee", None),
        ("Tea for two", "TEA FOR TWO", "letter case seems to be changed"),
        ("Tea for two", "Tea for", "the text seems to be cut"),
        ("Tea for two", "Tea…", "the text seems to be cut"),
        ("Tea & two", "Tea &amp; two", "HTML seems to be escaped"),
        ("0042", "42", "zeros seem to be taken off, as from a number"),
        ("Zoë's tea", "Zo's tea", "characters beyond ASCII seem to be lost"),
        ("Zoë's tea", "Zo?'s tea", "characters beyond ASCII seem to be lost"),
        ("Zoë", "ZoÃ«", "bytes of UTF-8 seem to be read as Latin-1"),
        ("5 €", "5 \u00e2\u201a\u00ac", "bytes of UTF-8 seem to be read as Latin-1"),
        ("a-b", "ab", "spaces or signs seem to be lost"),
    ],
)
def test_what_became_of_a_text_is_guessed(sent: Any, shown: Any, hint: str | None) -> None:
    assert spoilt(sent, shown) == hint


def test_a_member_is_compared_as_a_whole() -> None:
    note = kept.member("note")
    assert told(note, {"note": "Crème"}, {"note": "Cre\u0300me"}) == []
    assert told(note, {"note": "tea"}, {}) == [("$.note", "'tea'", "none")]
    charge = kept.member("serviceChargeAmount")
    assert told(charge, {"serviceChargeAmount": gbp(125)}, {"serviceChargeAmount": gbp(125.0)}) == []
    assert told(charge, {"serviceChargeAmount": gbp(125)}, {"serviceChargeAmount": gbp(124)}) == [
        ("$.serviceChargeAmount", "125 (£1.25)", "124 (£1.24)")
    ]
    assert told(charge, {"serviceChargeAmount": gbp(125)}, {"serviceChargeAmount": 125}) == [
        ("$.serviceChargeAmount", "125 (£1.25)", "125")
    ]


def test_a_customer_is_compared_by_what_was_sent() -> None:
    sent = {"customer": {"name": "Zoë", "phoneNumber": "+44"}}
    assert told(kept.customer, sent, {"customer": {"id": "c-1", **sent["customer"]}}) == []
    assert told(kept.customer, sent, {"customer": "Zoë"}) == [
        ("$.customer.name", "'Zoë'", "none"),
        ("$.customer.phoneNumber", "'+44'", "none"),
    ]


# Places and times


def eaten(**place: Any) -> dict[str, Any]:
    return {"details": {"orderType": "DineIn", "dineIn": place}}


def test_the_type_of_an_order() -> None:
    sent = {"details": {"orderType": "Collection"}}
    assert told(kept.order_type, sent, sent) == []
    assert told(kept.order_type, sent, eaten()) == [("$.details.orderType", "'Collection'", "'DineIn'")]
    assert told(kept.order_type, sent, {"details": "here"}) == [("$.details.orderType", "'Collection'", "none")]


def test_a_place_is_compared_to_the_letter() -> None:
    table = kept.dine_in("tableId")
    assert told(table, eaten(tableId="T 1"), eaten(tableId="T 1", waiterId="anna")) == []
    assert told(table, eaten(tableId="T 1"), eaten(tableId="t 1")) == [("$.details.dineIn.tableId", "'T 1'", "'t 1'")]
    assert hints(table, eaten(tableId="T 1"), eaten(tableId="t 1")) == ["letter case seems to be changed"]
    waiter = kept.dine_in("waiterId", header="ben")
    assert hints(waiter, eaten(waiterId="anna"), eaten(waiterId="ben")) == ["it seems to be taken from the header"]
    assert hints(waiter, eaten(waiterId="anna"), eaten()) == [None]


NOON = "2026-06-01T12:00:00.000Z"


@pytest.mark.parametrize("shown", [NOON, "2026-06-01T13:00:00+01:00", "2026-06-01T12:00:00Z"])
def test_the_instant_of_a_time_counts(shown: str) -> None:
    assert told(kept.ready_time, eaten(readyAt=NOON), eaten(readyAt=shown)) == []


@pytest.mark.parametrize(
    ("shown", "hint"),
    [
        ("2026-06-01T13:00:00Z", "1 h apart: a local time seems to be taken for UTC, or the other way round"),
        ("2026-06-01T06:30:00Z", "5.5 h apart: a local time seems to be taken for UTC, or the other way round"),
        ("2026-05-29T12:00:00Z", "the date seems to be lost"),
        ("2026-06-01T12:00:30Z", None),
        ("2026-06-01T12:00:00", None),
        ("noon", None),
        (None, None),
    ],
)
def test_another_time_is_told(shown: Any, hint: str | None) -> None:
    (found,) = kept.ready_time(eaten(readyAt=NOON), eaten(readyAt=shown))
    assert (found.where, found.hint) == ("$.details.dineIn.readyAt", hint)


def collected(**collection: Any) -> dict[str, Any]:
    return {"details": {"orderType": "Collection", "collection": collection}}


@pytest.mark.parametrize(
    ("sent", "shown", "where"),
    [
        ({"asap": True}, {"asap": True}, []),
        ({"asap": True}, {"asap": True, "collectAt": NOON}, []),
        ({"asap": False, "collectAt": NOON}, {"collectAt": NOON}, []),
        ({"asap": True}, {}, ["$.details.collection.asap"]),
        (
            {"asap": False, "collectAt": NOON},
            {"asap": True},
            ["$.details.collection.asap", "$.details.collection.collectAt"],
        ),
    ],
)
def test_a_collection_is_kept(sent: dict[str, Any], shown: dict[str, Any], where: list[str]) -> None:
    assert [each.where for each in kept.collection(collected(**sent), collected(**shown))] == where


def test_a_collection_may_be_lost() -> None:
    assert told(kept.collection, collected(asap=True), eaten()) == [("$.details.collection", '{"asap": true}', "none")]


# Lists


def off(name: str, value: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "amountTotal": gbp(value), **more}


def test_discounts_are_found_in_any_order_with_more_about_them() -> None:
    sent = {"discounts": [off("A", 10, code="X"), off("B", 20)]}
    shown = {"discounts": [off("B", 20.0, by="anna"), off("A", 10, code="X"), off("C", 0)]}  # type: ignore[arg-type]
    assert told(kept.discounts, sent, shown) == []


def test_discounts_that_changed_are_told_by_what_did() -> None:
    sent = {"discounts": [off("A", 10, code="x-1"), off("B", 20, amountPercentage=1000)]}
    shown = {"discounts": [off("B", 20, amountPercentage=10), off("A", 10, code="X-1")]}
    assert told(kept.discounts, sent, shown) == [
        ("$.discounts[0].code", "'x-1'", "'X-1'"),
        ("$.discounts[1].amountPercentage", "1000", "10"),
    ]


@pytest.mark.parametrize(
    ("shown", "left"), [([off("B", 20)], "1 of 2 left"), ("A", "0 of 2 left"), (None, "0 of 2 left")]
)
def test_discounts_that_are_lost_are_counted(shown: Any, left: str) -> None:
    sent = {"discounts": [off("A", 10), off("B", 20)]}
    found = told(kept.discounts, sent, {"discounts": shown})
    assert found[0] == ("$.discounts[0]", '{"name": "A", "amountTotal": {"value": 10, "currencyCode": "GBP"}}', left)


def test_discounts_that_were_not_sent_are_told() -> None:
    sent, shown = {"discounts": [off("A", 10)]}, {"discounts": [off("A", 10), off("B", 20)]}
    assert told(kept.discounts, sent, shown) == [("$.discounts", "only what was sent", '["A", "B"]')]


def test_tax_lines_may_be_more() -> None:
    sent, shown = {"taxLines": [off("VAT", 10)]}, {"taxLines": [off("Levy", 1), off("VAT", 10)]}
    assert told(kept.tax_lines, sent, shown) == []
    assert told(kept.tax_lines, shown, sent) == [
        ("$.taxLines[0]", '{"name": "Levy", "amountTotal": {"value": 1, "currencyCode": "GBP"}}', "1 of 2 left")
    ]


# Payments


def paid(intent: str, value: int, tip: int | None = None) -> dict[str, Any]:
    found = {"paymentIntentId": intent, "paidAmount": gbp(value)}
    return found if tip is None else {**found, "tipsAmount": gbp(tip)}


PAID = {"totalAmount": gbp(1000), "payments": [paid("pi_1", 600, 50), paid("pi_2", 400)]}


@pytest.mark.parametrize(
    "shown",
    [
        PAID,
        {"payments": [paid("pi_2", 400, 0), paid("pi_1", 600, 50)]},
        {**PAID, "paidAmount": gbp(1000), "tipsAmount": gbp(50)},
    ],
)
def test_payments_are_kept(shown: dict[str, Any]) -> None:
    assert told(kept.payments, PAID, shown) == []


def test_payments_that_are_lost_doubled_or_added_are_told() -> None:
    one = paid("pi_1", 600, 50)
    assert told(kept.payments, PAID, {"payments": [one, one, one]}) == [
        ("$.payments", "one payment with the paymentIntentId pi_1", "3 of them among 3 payments"),
        ("$.payments", "one payment with the paymentIntentId pi_2", "0 of them among 3 payments"),
        ("$.payments", "2 payments, as sent", "3"),
    ]


def test_tips_inside_are_guessed() -> None:
    shown = {
        "payments": [paid("pi_1", 650, 50), paid("pi_2", 400, 1)],
        "paidAmount": gbp(1050),
        "tipsAmount": gbp(0),
    }
    found = list(kept.payments(PAID, shown))
    assert [(each.where, each.expected, each.seen, each.hint) for each in found] == [
        ("$.payments, pi_1, paidAmount", "600 (£6.00)", "650 (£6.50)", "the tip of 50 seems to be included"),
        ("$.payments, pi_2, tipsAmount", "none", "1 (£0.01)", None),
        (
            "$.paidAmount",
            "1000 (£10.00), the sum of the payments",
            "1050 (£10.50)",
            "the tip of 50 seems to be included",
        ),
        ("$.tipsAmount", "50 (£0.50), the sum of the payments", "0 (£0.00)", None),
    ]


# The total

WHOLE = {
    "items": [item(1000, 2, modifiers=[{**item(30), "amountPerModifier": gbp(30)}], subItems=[item(7)])],
    "discounts": [off("A", 100)],
    "serviceChargeAmount": gbp(20),
    "taxLines": [off("VAT", 333)],
    "payments": [paid("pi_1", 600, 50)],
    "totalAmount": gbp(2004),
}


@pytest.mark.parametrize(
    ("total", "hint"),
    [
        (2104, "the discounts of 100 seem to be left out or counted twice"),
        (1984, "the service charge of 20 seems to be left out or counted twice"),
        (2337, "the taxes of 333 seem to be left out or counted twice"),
        (2054, "the tips of 50 seem to be left out or counted twice"),
        (1944, "the modifiers of 60 seem to be left out or counted twice"),
        (1990, "the sub-items of 14 seem to be left out or counted twice"),
        (2003, "one unit seems to be lost in a fraction"),
        (7, None),
    ],
)
def test_what_went_wrong_with_a_total_is_guessed(total: int, hint: str | None) -> None:
    (found,) = kept.total(WHOLE, {"totalAmount": gbp(total)})
    assert (found.where, found.hint) == ("$.totalAmount", hint)


@pytest.mark.parametrize("shown", [{}, {"totalAmount": {"value": 2004, "currencyCode": "EUR"}}])
def test_a_total_may_be_none_or_in_another_currency(shown: dict[str, Any]) -> None:
    assert hints(kept.total, WHOLE, shown) == [None]
    assert told(kept.total, WHOLE, {"totalAmount": gbp(2004)}) == []


def test_no_cause_is_guessed_of_what_cannot_be_added_up() -> None:
    assert hints(kept.total, {**WHOLE, "items": [item(1, 1, modifiers="milk")]}, {"totalAmount": gbp(2104)}) == [None]
