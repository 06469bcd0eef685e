"""
Items of an order are compared by plu and per piece: in any order, merged and split.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from epos_conformance import kept_items
from epos_conformance.kept import Comparison


def gbp(value: Any, currency: str = "GBP") -> dict[str, Any]:
    return {"value": value, "currencyCode": currency}


def item(plu: str, value: int = 250, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {"plu": plu, "name": plu.title(), "quantity": quantity, "amountPerItem": gbp(value), **more}


def extra(plu: str, value: int = 50, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"plu": plu, "name": plu.title(), "quantity": quantity, "amountPerModifier": gbp(value), **more}


def order(*items: Any) -> dict[str, Any]:
    return {"items": list(items)}


Told = list[tuple[str, str, str]]


def told(compare: Comparison, sent: dict[str, Any], shown: dict[str, Any]) -> Told:
    return [(each.where, each.expected, each.seen) for each in compare(sent, shown)]


def hint_of(compare: Comparison, sent: dict[str, Any], shown: dict[str, Any]) -> str | None:
    (found,) = compare(sent, shown)
    return found.hint


EVERY: tuple[Callable[..., Any], ...] = (
    kept_items.items,
    kept_items.quantities,
    kept_items.prices,
    kept_items.modifiers,
    kept_items.sub_items,
    kept_items.item_notes,
)

MIXED = (
    item("tea", 250, 3, modifiers=[extra("milk", 50, 2), extra("sugar", 0)], note="hot"),
    item("menu", 2400, 2, subItems=[item("soup", 0, 2, modifiers=[extra("bread")], note="first"), item("pie", 100)]),
    item("tea", 250, 1),
    item("voucher", -500),
)

SPLIT = (
    *[item("menu", 2400, 1, subItems=[item("pie", 100), *[MIXED[1]["subItems"][0] | {"quantity": 1}] * 2])] * 2,
    item("voucher", -500, 1.0, served=True),
    item("tea", 250, 1),
    *[item("tea", 250, 1, modifiers=[extra("sugar", 0), extra("milk"), extra("milk")], note="hot")] * 3,
)


@pytest.mark.parametrize("compare", EVERY)
@pytest.mark.parametrize(("sent", "shown"), [(MIXED, MIXED), (MIXED, SPLIT), (SPLIT, MIXED), (MIXED, MIXED[::-1])])
def test_the_same_is_the_same_merged_split_and_shuffled(
    compare: Comparison, sent: tuple[Any, ...], shown: tuple[Any, ...]
) -> None:
    assert told(compare, order(*sent), order(*shown)) == []


# Items


def test_lost_and_added_items_are_told() -> None:
    sent, shown = order(item("tea"), item("pie"), item("cake")), order(item("pie"), item("water"))
    assert told(kept_items.items, sent, shown) == [
        ("$.items", "plu tea (Tea), plu cake (Cake) among the items", "only plu pie (Pie), plu water (Water)"),
        ("$.items", "only what was sent", "plu water (Water) too"),
    ]


@pytest.mark.parametrize("shown", [{}, {"items": None}, {"items": "tea"}, {"items": ["tea"]}])
def test_no_items_at_all_are_told(shown: dict[str, Any]) -> None:
    assert told(kept_items.items, order(item("tea")), shown) == [
        ("$.items", "plu tea (Tea) among the items", "only none")
    ]


def test_parts_that_became_items_are_recognised() -> None:
    sent = order(item("menu", subItems=[item("soup", modifiers=[extra("bread")])]))
    assert hint_of(kept_items.items, sent, order(item("menu"), item("bread"))) == (
        "parts of an item seem to have become items"
    )


def test_names_are_compared_where_they_are_known() -> None:
    sent, shown = order(item("tea"), item("pie")), order(item("tea", name="Tee"), item("pie", name="Pi"))
    assert told(kept_items.items, sent, shown) == []
    assert told(partial(kept_items.items, known={"tea"}), sent, shown) == [("$.items, plu tea, name", "'Tea'", "'Tee'")]


# Quantities and prices


def test_quantities_are_compared_by_plu() -> None:
    sent = order(item("tea", quantity=2), item("pie", quantity=12), item("tea", quantity=3), item("cake"))
    shown = order(item("tea", quantity=3), item("pie", quantity="12"))
    found = list(kept_items.quantities(sent, shown))
    assert [(each.where, each.expected, each.seen, each.hint) for each in found] == [
        ("$.items, plu tea (Tea), quantity", "5", "3", "of 2 lines with this plu, 1 is left"),
        ("$.items, plu pie (Pie), quantity", "12", '["12"]', None),
    ]


@pytest.mark.parametrize(
    ("sent", "shown", "hint"),
    [
        (item("tea", 435), item("tea", 434), None),
        (item("tea", 435), item("tea", amountPerItem=435), None),
        (item("tea", 435, 3), item("tea", 1305, 3), "the price seems to be that of the whole line"),
        (item("tea", 435), item("tea", amountPerItem=gbp(435, "EUR")), "the currency is another one"),
        (
            item("tea", 435, 2, modifiers=[extra("milk", 50, 2)]),
            item("tea", 535, 2),
            "the price seems to include modifiers or sub-items: amountPerItem is without them",
        ),
        (
            item("tea", 435, 2, modifiers="milk"),
            item("tea", 400, 2),
            None,
        ),
    ],
)
def test_other_prices_are_told(sent: dict[str, Any], shown: dict[str, Any], hint: str | None) -> None:
    assert hint_of(kept_items.prices, order(sent), order(shown)) == hint


def test_prices_of_lost_items_are_not_told() -> None:
    assert told(kept_items.prices, order(item("tea")), order(item("pie"))) == []


# Modifiers and sub-items


def test_modifiers_are_told_as_they_are_read() -> None:
    sent = order(item("tea", 250, 2, modifiers=[extra("milk", 50, 2)]), item("tea"))
    shown = order(item("tea", 250, 3))
    assert told(kept_items.modifiers, sent, shown) == [
        (
            "$.items, plu tea (Tea), modifiers",
            "2 pieces with 2 x milk at 50 (£0.50); 1 piece with none",
            "3 pieces with none",
        )
    ]
    assert told(kept_items.modifiers, sent, order(item("pie"))) == []


def test_names_of_modifiers_are_compared_where_they_are_known() -> None:
    sent, shown = order(item("tea", modifiers=[extra("milk")])), order(item("tea", modifiers=[extra("milk", name="M")]))
    assert told(kept_items.modifiers, sent, shown) == []
    assert told(partial(kept_items.modifiers, known={"milk"}), sent, shown) == [
        ("$.items, plu tea (Tea), modifiers", "1 x milk Milk at 50 (£0.50)", "1 x milk M at 50 (£0.50)")
    ]


def test_where_pieces_are_lost_the_rest_has_to_be_right() -> None:
    milk, sugar = [extra("milk")], [extra("sugar")]
    sent = order(item("tea", 250, 12, modifiers=milk), item("tea", 250, 3, modifiers=sugar))
    assert told(kept_items.modifiers, sent, order(item("tea", modifiers=milk), item("tea", modifiers=sugar))) == []
    swapped = order(item("tea", 250, 12, modifiers=sugar), item("tea", 250, 3, modifiers=milk))
    assert len(told(kept_items.modifiers, sent, swapped)) == 1


@pytest.mark.parametrize(
    ("shown", "hint"),
    [
        ([], "none of them is left"),
        ([extra("milk", 50, 2)], "what costs nothing seems to be left out"),
        ([extra("milk"), extra("well", 0)], "their quantities seem to be reset to 1"),
        (
            [extra("milk", 50, 6), extra("well", 0, 3)],
            "their quantities seem to be multiplied by the item's: they are per single item",
        ),
        ([extra("milk", 50, 5), extra("well", 0, 3)], None),
        ([extra("milk", 40, 2), extra("well", 0)], None),
    ],
)
def test_what_became_of_modifiers_is_guessed(shown: list[Any], hint: str | None) -> None:
    sent = order(item("tea", 250, 3, modifiers=[extra("milk", 50, 2), extra("well", 0)]))
    assert hint_of(kept_items.modifiers, sent, order(item("tea", 250, 3, modifiers=shown))) == hint


def test_sub_items_are_compared_with_what_is_on_them() -> None:
    sent = order(item("menu", subItems=[item("soup", 0, modifiers=[extra("bread")])]))
    shown = order(item("menu", subItems=[item("soup", 0)]))
    assert told(kept_items.sub_items, sent, shown) == [
        (
            "$.items, plu menu (Menu), subItems",
            "1 x soup at 0 (£0.00) [1 x bread at 50 (£0.50)]",
            "1 x soup at 0 (£0.00)",
        )
    ]


# Notes


def test_notes_of_items_and_sub_items_are_told() -> None:
    sent = order(item("tea", note="hot"), item("menu", subItems=[item("soup", note="first")]), item("cake", note="c"))
    shown = order(item("tea", note="HOT"), item("menu", subItems=[item("soup")]))
    assert told(kept_items.item_notes, sent, shown) == [
        ("$.items, plu tea (Tea), note", "'hot'", "'HOT'"),
        ("$.items, plu menu (Menu), subItems, plu soup, note", "'first'", "none"),
    ]


def test_a_note_of_another_item_is_told() -> None:
    sent = order(item("tea", note="hot"), item("pie"), item("cake"))
    shown = order(item("tea", note="hot"), item("pie", note="hot"), item("cake", note="by the till"))
    found = list(kept_items.item_notes(sent, shown))
    assert [(each.where, each.expected, each.seen, each.hint) for each in found] == [
        ("$.items, plu pie (Pie), note", "none, as sent", "'hot'", "it is another item's")
    ]
