"""
How a venue adds up is learnt from its orders.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from epos_conformance import arithmetic
from epos_conformance.arithmetic import Arithmetic, Parts, Share, learnt, share


def gbp(value: Any) -> dict[str, Any]:
    return {"value": value, "currencyCode": "GBP"}


def item(value: Any = 1000, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {"plu": "1", "name": "Tea", "quantity": quantity, "amountPerItem": gbp(value), **more}


def extra(value: int, quantity: int = 1) -> dict[str, Any]:
    return {"plu": "2", "name": "Milk", "quantity": quantity, "amountPerModifier": gbp(value)}


def order(total: int, *items: Any, discount: int = 0, tax: int = 0, charge: int = 0, **more: Any) -> dict[str, Any]:
    found = {"totalAmount": gbp(total), "items": list(items), **more}
    if discount:
        found["discounts"] = [{"name": "Regular", "amountTotal": gbp(discount)}]
    if tax:
        found["taxLines"] = [{"name": "VAT", "amountPercentage": 2000, "affectedPlu": "1", "amountTotal": gbp(tax)}]
    if charge:
        found["serviceChargeAmount"] = gbp(charge)
    return found


# Shares


@pytest.mark.parametrize(
    ("pairs", "rate", "rounding"),
    [
        ([(1000, 125), (804, 100)], Fraction(1, 8), "down"),
        ([(1000, 125), (804, 101)], Fraction(1, 8), "half up"),
        ([(1000, 125), (801, 101)], Fraction(1, 8), "up"),
        ([(1000, 125), (804, 100), (812, 102)], Fraction(1, 8), "half even"),
        ([(1000, 55)], Fraction(1, 20), "up"),
        ([(1000, 125), (1000, 125), (1000, 777)], Fraction(1, 8), "half up"),
    ],
)
def test_a_share_is_the_simplest_that_makes_the_parts(
    pairs: list[tuple[int, int]], rate: Fraction, rounding: str
) -> None:
    found = share(pairs)
    assert found is not None
    assert sum(found.of(base) == part for base, part in pairs) > len(pairs) / 2
    if len(pairs) > 1:
        assert found == Share(rate, rounding)


@pytest.mark.parametrize("pairs", [[], [(0, 5)], [(100, 0)], [(1000, 10), (1000, 20), (1000, 30), (1000, 40)]])
def test_no_share_is_found_where_nothing_explains_most(pairs: list[tuple[int, int]]) -> None:
    assert share(pairs) is None


# Worth


@pytest.mark.parametrize(
    ("items", "value"),
    [
        (None, 0),
        ([], 0),
        ([item(250, 2)], 500),
        ([item(250, 2, modifiers=[extra(30, 2)])], 620),
        ([item(200, 2, subItems=[item(100, modifiers=[extra(50)])])], 700),
        ([item(500), item(-200)], 300),
        ("items", None),
        (7, None),
        (["tea"], None),
        ([item(2.5)], None),
        ([item(250, "2")], None),
        ([item(250, True)], None),
        ([item(250, modifiers="milk")], None),
        ([item(250, modifiers=[extra(30) | {"quantity": None}])], None),
    ],
)
def test_items_are_worth_their_modifiers_and_sub_items_too(items: Any, value: int | None) -> None:
    assert arithmetic.worth(items) == value


def test_parts_of_an_order() -> None:
    parts = Parts.of(order(0, item(), discount=100, tax=50, charge=25))
    assert parts == Parts(items=1000, discounts=100, charge=25, taxes=50)


@pytest.mark.parametrize(
    "more",
    [
        {"items": "tea"},
        {"serviceChargeAmount": "much"},
        {"discounts": {"name": "Regular"}},
        {"discounts": ["Regular"]},
        {"discounts": [{"name": "Regular"}]},
        {"taxLines": 7},
    ],
)
def test_an_order_that_is_not_understood_has_no_parts(more: dict[str, Any]) -> None:
    assert Parts.of({**order(0, item()), **more}) is None


# Learning


def test_without_orders_the_contract_is_followed() -> None:
    way = learnt([])
    assert way == Arithmetic()
    parts = Parts(items=1000, discounts=100, charge=50, taxes=150)
    assert way.total(parts) == 950
    assert way.taxes(parts) == 0


def test_taxes_are_learnt_to_be_inside() -> None:
    way = learnt([order(1000, item(), tax=166), order(500, item(500), tax=83), order(700, item(700))])
    assert (way.tax_on_top, way.tax_line) == (False, {"name": "VAT", "amountPercentage": 2000})
    assert way.taxes(Parts(items=1200, discounts=0, charge=0, taxes=0)) == 200
    assert way.explains(order(1000, item(), tax=166))
    assert not way.explains(order(1166, item(), tax=166))
    assert not way.explains(order(1000, "tea"))


@pytest.mark.parametrize(("taxed_charge", "due"), [(True, 220), (False, 200)])
def test_taxes_are_learnt_to_be_on_top(taxed_charge: bool, due: int) -> None:
    orders = []
    for value in (1000, 755, 333):
        charge = value // 10
        tax = (value + charge if taxed_charge else value) // 5
        orders.append(order(value + charge + tax, item(value), charge=charge, tax=tax))
    way = learnt(orders)
    assert (way.tax_on_top, way.service_is_taxed) == (True, taxed_charge)
    assert way.service == Share(Fraction(1, 10), "down")
    parts = Parts(items=1000, discounts=0, charge=100, taxes=0)
    assert way.taxes(parts) == due
    assert way.total(Parts(items=1000, discounts=0, charge=100, taxes=due)) == 1100 + due


def test_discounts_are_learnt_to_be_below_zero() -> None:
    way = learnt([order(900, item(), discount=-100), order(450, item(500), discount=-50)])
    assert (way.discounts_below_zero, way.discount(30)) == (True, -30)
    assert way.total(Parts(items=1000, discounts=-100, charge=0, taxes=0)) == 900


def test_orders_of_several_taxes_teach_no_rate() -> None:
    lines = [{"name": "VAT", "amountTotal": gbp(10)}, {"name": "Levy", "amountTotal": gbp(20)}]
    way = learnt([order(1030, item(), taxLines=lines), order(1030, item(), taxLines=lines)])
    assert (way.tax_on_top, way.tax) == (True, None)


def test_taxes_that_no_rate_explains_teach_none() -> None:
    odd = [order(1000 + tax, item(), tax=tax) for tax in (10, 23, 47, 111)]
    assert learnt(odd).tax is None
