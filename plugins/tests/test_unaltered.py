"""
What an order loses is told, and what a till may change about it is not.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance import money, unaltered


DISH = {"plu": "P1", "name": "Soup", "quantity": 2, "amountPerItem": money.of(500, "GBP")}
COFFEE = {"plu": "P2", "name": "Coffee", "quantity": 1, "amountPerItem": money.of(300, "GBP")}

ORDER: dict[str, Any] = {
    "id": "7",
    "status": "Accepted",
    "payable": True,
    "items": [DISH, COFFEE],
    "discounts": [{"name": "Loyalty", "amountTotal": money.of(100, "GBP")}],
    "serviceChargeAmount": money.of(150, "GBP"),
    "note": "No onions",
    "details": {"orderType": "DineIn", "dineIn": {"tableId": "T1", "waiterId": "W1"}},
    "paidAmount": money.of(0, "GBP"),
}


def dine_in(**members: str) -> dict[str, Any]:
    return {"details": {"orderType": "DineIn", "dineIn": members}}


@pytest.mark.parametrize(
    "now",
    [
        {
            "status": "Preparing",
            "payable": False,
            "paidAmount": money.of(1, "GBP"),
            "displayName": "Table 1, paid",
        },
        {"items": [COFFEE, DISH]},
        {"items": [DISH, COFFEE, COFFEE]},
        {"note": "No onions. 1 paid."},
        dine_in(tableId="T1", waiterId="W2"),
        dine_in(tableId="T1", waiterId="W1", partyId="party-1"),
    ],
)
def test_what_a_till_may_change_is_no_loss(now: dict[str, Any]) -> None:
    assert list(unaltered.lost(ORDER, {**ORDER, **now}, "then")) == []


@pytest.mark.parametrize(
    ("now", "where"),
    [
        ({"items": [DISH]}, "$.items"),
        ({"items": []}, "$.items"),
        ({"items": [{**DISH, "quantity": 1}, COFFEE]}, "$.items[0].quantity"),
        ({"discounts": None}, "$.discounts"),
        ({"serviceChargeAmount": None}, "$.serviceChargeAmount"),
        ({"serviceChargeAmount": money.of(15, "GBP")}, "$.serviceChargeAmount.value"),
        ({"note": "Onions"}, "$.note"),
        (dine_in(tableId="T1"), "$.details.dineIn.waiterId"),
        (dine_in(tableId="T1", waiterId=""), "$.details.dineIn.waiterId"),
        (dine_in(tableId="T2", waiterId="W1"), "$.details.dineIn.tableId"),
    ],
)
def test_what_is_lost_is_told(now: dict[str, Any], where: str) -> None:
    findings = list(unaltered.lost(ORDER, {**ORDER, **now}, "then"))

    assert [each.where for each in findings] == [f"then, {where}"]


def test_a_service_charge_of_nothing_and_an_empty_list_are_nothing_to_lose() -> None:
    before = {**ORDER, "serviceChargeAmount": money.of(0, "GBP"), "discounts": []}
    after = {name: each for name, each in before.items() if name not in ("serviceChargeAmount", "discounts")}

    assert list(unaltered.lost(before, after, "then")) == []
