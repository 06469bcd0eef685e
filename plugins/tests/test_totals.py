"""
What an order can come to, and which slip explains a total that it can't.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance import totals
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.totals import DISCOUNTS, MODIFIERS, SERVICE, SUB_ITEMS


def gbp(value: int | float) -> dict[str, Any]:
    return {"value": value, "currencyCode": "GBP"}


def item(amount: int, quantity: int | float = 1, **more: Any) -> dict[str, Any]:
    return {"plu": "1", "name": "Tea", "quantity": quantity, "amountPerItem": gbp(amount), **more}


def extra(amount: int, quantity: int = 1) -> dict[str, Any]:
    return {"plu": "2", "name": "Milk", "quantity": quantity, "amountPerModifier": gbp(amount)}


def order(total: int | float, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "1", "totalAmount": gbp(total), "items": list(items), **more}


def discount(amount: int, **more: Any) -> dict[str, Any]:
    return {"name": "Happy hour", "amountTotal": gbp(amount), **more}


def tax(amount: int, **more: Any) -> dict[str, Any]:
    return {"name": "VAT", "amountTotal": gbp(amount), **more}


def reckon(found: dict[str, Any]) -> totals.Reckoning:
    reckoning = totals.reckon(found)
    assert reckoning is not None
    return reckoning


RIGHT = {
    "one item": order(250, item(250)),
    "several of it": order(500.0, item(250, 2.0)),
    "nothing to pay": order(0, item(0)),
    "a voucher": order(300, item(500), item(-200)),
    "two for one": order(500, item(500, 2), item(500, -1)),
    "a modifier on each": order(620, item(250, 2, modifiers=[extra(30, 2)])),
    "sub-items on each": order(600, item(200, 2, subItems=[item(100)])),
    "sub-items counted in all": order(600, item(200, 2, subItems=[item(100, 2)])),
    "sub-items with modifiers": order(700, item(200, 2, subItems=[item(100, modifiers=[extra(50)])])),
    "a discount": order(400, item(500), discounts=[discount(100)]),
    "a discount below zero": order(400, item(500), discounts=[discount(-100)]),
    "a discount that is taken back": order(500, item(500), discounts=[discount(100), discount(-100)]),
    "a discount that is an item too": order(400, item(500), item(-100), discounts=[discount(100)]),
    "a service charge": order(550, item(500), serviceChargeAmount=gbp(50)),
    "a service charge that is an item too": order(550, item(500), item(50), serviceChargeAmount=gbp(50)),
    "tax inside": order(600, item(600), taxLines=[tax(100)]),
    "tax added": order(600, item(500), taxLines=[tax(100)]),
    "taxes rounded line by line": order(601, item(500), taxLines=[tax(50), tax(50)]),
    "tax on the service charge": order(
        560, item(500), serviceChargeAmount=gbp(50), taxLines=[tax(93, amountPercentage=2000)]
    ),
    "tax on the service charge, its percentage written plainly": order(
        560, item(500), serviceChargeAmount=gbp(50), taxLines=[tax(93, amountPercentage=20)]
    ),
    "three for a round sum": order(1000, item(333, 3)),
    "tips and payments beside it": order(500, item(500), tipsAmount=gbp(70), paidAmount=gbp(200)),
    "amounts of the till's own": order(500, item(500, points={"value": 5, "currencyCode": "STARS"})),
}


@pytest.mark.parametrize("found", RIGHT.values(), ids=RIGHT)
def test_any_reading_of_the_descriptions_is_right(found: dict[str, Any]) -> None:
    reckoning = reckon(found)
    assert reckoning.agrees
    assert not reckoning.slips
    assert reckoning.hint is None


CHIPS = item(200, 2, subItems=[item(100, 2, modifiers=[extra(30)])])
BURGER = item(500, 2, modifiers=[extra(50, 2)])

WRONG = {
    "sub-items left out": (order(400, CHIPS), SUB_ITEMS, "sub-items seem to be left out"),
    "their modifiers left out": (order(800, CHIPS), SUB_ITEMS, "modifiers of sub-items"),
    "their quantities ignored": (order(990, CHIPS | {"quantity": 3}), SUB_ITEMS, "quantities of sub-items"),
    "modifiers left out": (order(1000, BURGER), MODIFIERS, "modifiers seem to be left out"),
    "modifiers once": (order(1150, item(500, 2, modifiers=[extra(50, 3)])), MODIFIERS, "however many items"),
    "single modifiers": (order(1100, item(500, 2, modifiers=[extra(50, 3)])), MODIFIERS, "quantities of modifiers"),
    "discount left out": (order(500, item(500), discounts=[discount(90)]), DISCOUNTS, "left out"),
    "discount added": (order(590, item(500), discounts=[discount(90)]), DISCOUNTS, "added"),
    "discount below zero added": (order(590, item(500), discounts=[discount(-90)]), DISCOUNTS, "added"),
    "one discount": (order(410, item(500), discounts=[discount(90), discount(40)]), DISCOUNTS, "only one"),
    "service left out": (order(500, item(500), serviceChargeAmount=gbp(60)), SERVICE, "left out"),
    "service taken off": (order(440, item(500), serviceChargeAmount=gbp(60)), SERVICE, "taken off"),
    "service twice": (order(620, item(500), serviceChargeAmount=gbp(60)), None, "counted twice"),
    "quantities ignored": (order(500, item(500, 2)), None, "quantities of items"),
    "vouchers ignored": (order(500, item(500), item(-70)), None, "negative amounts"),
    "tax taken off": (order(400, item(500), taxLines=[tax(100)]), None, "taxes seem to be taken off"),
    "tips included": (order(570, item(500), tipsAmount=gbp(70)), None, "the tips of 70"),
    "what is left to pay": (order(300, item(500), paidAmount=gbp(200)), None, "what is paid already, 200"),
    "whole pounds": (order(5, item(500)), None, "whole pounds"),
}


@pytest.mark.parametrize(("found", "of", "hint"), WRONG.values(), ids=WRONG)
def test_a_single_slip_is_recognised(found: dict[str, Any], of: str | None, hint: str) -> None:
    reckoning = reckon(found)
    assert not reckoning.agrees
    if hint:
        assert (of, True) in [(slip.of, hint in slip.hint) for slip in reckoning.slips]
        assert hint in str(reckoning.hint)


def test_a_penny_is_noticed_and_not_explained() -> None:
    reckoning = reckon(order(501, item(500, 1)))
    assert not reckoning.agrees
    assert not reckoning.slips
    assert reckoning.expected == "500 (£5.00)"


def test_both_ways_of_taxing_are_told() -> None:
    assert reckon(order(1, item(500), taxLines=[tax(100)])).expected == "500 (£5.00) or 600 (£6.00)"


def test_the_parts_of_an_order_are_those_that_make_a_difference() -> None:
    assert reckon(order(500, item(500, modifiers=[extra(0)]), discounts=[])).parts == frozenset()
    every = order(
        760,
        item(500, modifiers=[extra(50)], subItems=[item(200)]),
        discounts=[discount(90)],
        serviceChargeAmount=gbp(100),
    )
    assert reckon(every).parts == {SUB_ITEMS, MODIFIERS, DISCOUNTS, SERVICE}


DEEP: dict[str, Any] = item(1)
for _ in range(2000):
    DEEP = item(1, subItems=[DEEP])


@pytest.mark.parametrize(
    "found",
    [
        {},
        order(5),
        {"items": [item(5)]},
        {"totalAmount": gbp(5), "items": "tea"},
        {"totalAmount": gbp(5), "items": ["tea"]},
        {"totalAmount": gbp(5), "items": [item(5), 7]},
        {"totalAmount": {"value": "5"}, "items": [item(5)]},
        order(5, item(5, quantity="two")),  # type: ignore[arg-type]
        order(5, item(5, quantity=1.5)),
        order(5, item(5, quantity=True)),
        order(5, {"quantity": 1}),
        order(5, item(5, modifiers={"a": 1})),
        order(5, item(5, modifiers=[{"quantity": 1}])),
        order(5, item(5, amountPerItem={"value": 5, "currencyCode": "EUR"})),
        order(5, item(5), serviceChargeAmount=7),
        order(5, item(5), taxLines=[{}]),
        order(5, item(5), discounts=[discount(0, amountPercentage=1000)]),
        order(5, DEEP),
    ],
    ids=range(18),
)
def test_of_what_cannot_be_added_up_nothing_is_said(found: dict[str, Any]) -> None:
    assert totals.reckon(found) is None


def test_amounts_are_found_where_the_contract_has_them() -> None:
    found = order(
        5, item(5, modifiers=[extra(1), "x"]), payments=[{"paidAmount": gbp(1), "points": gbp(2)}], fee=gbp(3)
    )
    assert [where for where, _ in totals.amounts(found)] == [
        "$.totalAmount",
        "$.items[0].amountPerItem",
        "$.items[0].modifiers[0].amountPerModifier",
        "$.payments[0].paidAmount",
    ]


def test_every_order_of_the_reference_adds_up() -> None:
    epos = ReferenceEpos()
    assert all(reckon(epos.present_order(each)).agrees for each in epos.orders.values())
