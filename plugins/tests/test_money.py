"""
Amounts are read with care, and shown in minor units and as money.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance import money


def gbp(value: Any) -> dict[str, Any]:
    return {"value": value, "currencyCode": "GBP"}


@pytest.mark.parametrize(
    ("amount", "minor"),
    [(gbp(1150), 1150), (gbp(-5), -5), (gbp(12.0), 12), (gbp(1.5), None), (gbp("12"), None), (gbp(True), None)],
    ids=str,
)
def test_value_is_minor_units_or_nothing(amount: Any, minor: int | None) -> None:
    assert money.value(amount) == minor


@pytest.mark.parametrize("amount", [None, 12, "12", [], {}, {"value": None}], ids=repr)
def test_what_is_no_money_has_no_value(amount: Any) -> None:
    assert money.value(amount) is None
    assert money.currency(amount) is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (gbp(1150), "1150 (£11.50)"),
        ({"value": 5, "currencyCode": "EUR"}, "5 (€0.05)"),
        (gbp(-250), "-250 (-£2.50)"),
        ({"value": 100, "currencyCode": "USD"}, "100 (1.00 USD)"),
        (None, "none"),
        ("12", "'12'"),
    ],
    ids=str,
)
def test_an_amount_is_shown_in_minor_units_and_as_money(amount: Any, text: str) -> None:
    assert money.shown(amount) == text


def test_minor_units_are_shown_in_a_currency() -> None:
    assert money.shown(99, "EUR") == "99 (€0.99)"


def test_what_is_owed_is_the_total_less_what_is_paid() -> None:
    assert money.owed({"totalAmount": gbp(1000), "paidAmount": gbp(300)}) == 700


def test_where_the_order_does_not_say_what_is_paid_its_payments_do() -> None:
    payments = [{"paidAmount": gbp(300), "tipsAmount": gbp(50)}, {"paidAmount": gbp(100)}]
    assert money.owed({"totalAmount": gbp(1000), "payments": payments}) == 600


@pytest.mark.parametrize("order", [{}, {"totalAmount": "10"}, {"totalAmount": gbp(5), "paidAmount": "1"}], ids=str)
def test_what_is_owed_is_unknown_where_the_order_does_not_say(order: dict[str, Any]) -> None:
    assert money.owed(order) is None


def test_a_payment_is_found_by_its_intent() -> None:
    order = {"payments": ["cash", {"paymentIntentId": "pi_1"}, {"paymentIntentId": "pi_2", "n": 2}]}
    assert money.payment(order, "pi_2") == {"paymentIntentId": "pi_2", "n": 2}
    assert money.payment(order, "pi_3") is None


def test_a_sum_is_unknown_where_a_part_is() -> None:
    assert money.summed([gbp(1), None, gbp(2)]) == 3
    assert money.summed([gbp(1), "2"]) is None
    assert money.summed([]) == 0


def test_every_amount_is_found_with_its_path() -> None:
    order = {"totalAmount": gbp(1), "items": [{"amountPerItem": gbp(2)}], "note": "x"}
    assert [where for where, _ in money.every(order)] == ["$.totalAmount", "$.items[0].amountPerItem"]
