"""
Mistakes in what is kept of an order that Dojo creates: its items, and what is on them.
"""

from __future__ import annotations

from typing import Any

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json, Order


#: What follows where unusual orders suffer the same.
UNUSUAL = ("CreateOrder.keeps-unusual-*",)

#: What follows where the items of an order no longer come to its total.
SUMS = ("GetOrderById.total-*", "GetOrderBillById.*", *UNUSUAL)


class Keeping(ReferenceEpos):
    """
    A till that does something to the items of a new order before it puts them away.
    """

    def store_order(self, body: Json) -> Order:
        return super().store_order({**body, "items": self.kept_items(body["items"])})

    def kept_items(self, items: list[Json]) -> list[Json]:
        return [self.kept_item(each) for each in items]

    def kept_item(self, item: Json) -> Json:
        return item


def without(item: Json, name: str) -> Json:
    return {key: value for key, value in item.items() if key != name}


# Items


@defect("new-order-keeps-first-item", breaks=["CreateOrder.keeps-the-items"], also=["CreateOrder.keeps-*", *SUMS])
class NewOrderKeepsFirstItem(Keeping):
    """
    The loop over the items of a new order returns after the first.
    """

    def kept_items(self, items: list[Json]) -> list[Json]:
        return items[:1]


@defect("new-order-loses-tenth-item", breaks=["CreateOrder.keeps-the-items"], also=["CreateOrder.keeps-*", *SUMS])
class NewOrderLosesTenthItem(Keeping):
    """
    A ticket has nine lines, and so has every new order.
    """

    def kept_items(self, items: list[Json]) -> list[Json]:
        return items[:9]


@defect("new-items-are-keyed-by-price", breaks=["CreateOrder.keeps-the-items"], also=["CreateOrder.keeps-*", *SUMS])
class NewItemsAreKeyedByPrice(Keeping):
    """
    Items that cost less than nothing are taken for mistakes and skipped.
    """

    def kept_items(self, items: list[Json]) -> list[Json]:
        return [each for each in items if each["amountPerItem"]["value"] > 0]


@defect(
    "new-items-lose-accents", breaks=["CreateOrder.keeps-the-items"], also=["CreateOrder.keeps-the-sub-items", *UNUSUAL]
)
class NewItemsLoseAccents(Keeping):
    """
    The names of items go through an ASCII column.
    """

    def kept_item(self, item: Json) -> Json:
        return {**item, "name": item["name"].encode("ascii", "replace").decode()}


@defect(
    "sub-items-become-items",
    breaks=["CreateOrder.keeps-the-items", "CreateOrder.keeps-the-sub-items"],
    also=["CreateOrder.keeps-*", *SUMS],
)
class SubItemsBecomeItems(Keeping):
    """
    The sub-items of a new order are lines like all others.
    """

    def kept_items(self, items: list[Json]) -> list[Json]:
        flat = []
        for each in items:
            below = [{**sub, "quantity": sub["quantity"] * each["quantity"]} for sub in each.get("subItems", ())]
            flat += [without(each, "subItems"), *below]
        return flat


@defect(
    "equal-plus-are-one-line",
    breaks=["CreateOrder.keeps-the-quantities"],
    also=[
        "CreateOrder.keeps-the-item-notes",
        "CreateOrder.keeps-the-modifiers",
        "CreateOrder.keeps-the-sub-items",
        *SUMS,
    ],
)
class EqualPlusAreOneLine(Keeping):
    """
    Items are put into a dictionary by plu: of two lines with the same plu the last one is left.
    """

    def kept_items(self, items: list[Json]) -> list[Json]:
        return list({each["plu"]: each for each in items}.values())


@defect("quantities-are-digits", breaks=["CreateOrder.keeps-the-quantities"], also=SUMS)
class QuantitiesAreDigits(Keeping):
    """
    The quantity of a new item is kept in one digit.
    """

    def kept_item(self, item: Json) -> Json:
        return {**item, "quantity": min(item["quantity"], 9)}


@defect(
    "adorned-items-are-single",
    breaks=["CreateOrder.keeps-the-quantities"],
    also=["CreateOrder.keeps-the-modifiers", "CreateOrder.keeps-the-sub-items", *SUMS],
)
class AdornedItemsAreSingle(Keeping):
    """
    An item with modifiers or sub-items is one piece, whatever its quantity says.
    """

    def kept_item(self, item: Json) -> Json:
        return {**item, "quantity": 1} if item.get("modifiers") or item.get("subItems") else item


@defect(
    "prices-go-through-floats",
    breaks=["CreateOrder.keeps-the-item-prices"],
    also=["CreateOrder.keeps-the-sub-items", *SUMS],
)
class PricesGoThroughFloats(Keeping):
    """
    Prices are kept in pounds and cut when they are shown: 4.35 is 434 pence.
    """

    def kept_item(self, item: Json) -> Json:
        amount = item["amountPerItem"]
        return {**item, "amountPerItem": {**amount, "value": int(amount["value"] / 100 * 100)}}


@defect(
    "prices-include-modifiers",
    breaks=["CreateOrder.keeps-the-item-prices"],
    also=["CreateOrder.keeps-the-sub-items", *SUMS],
)
class PricesIncludeModifiers(Keeping):
    """
    The price of a new item is told with its modifiers.
    """

    def kept_item(self, item: Json) -> Json:
        amount = item["amountPerItem"]
        extra = sum(each["quantity"] * each["amountPerModifier"]["value"] for each in item.get("modifiers", ()))
        return {**item, "amountPerItem": {**amount, "value": amount["value"] + extra}}


@defect("prices-are-line-prices", breaks=["CreateOrder.keeps-the-item-prices"], also=SUMS)
class PricesAreLinePrices(Keeping):
    """
    amountPerItem of a new order is what the line comes to.
    """

    def kept_item(self, item: Json) -> Json:
        amount = item["amountPerItem"]
        return {**item, "amountPerItem": {**amount, "value": amount["value"] * item["quantity"]}}


# Notes of items


@defect("item-notes-are-dropped", breaks=["CreateOrder.keeps-the-item-notes"], also=UNUSUAL)
class ItemNotesAreDropped(Keeping):
    """
    The notes of new items are not saved.
    """

    def kept_item(self, item: Json) -> Json:
        return without(item, "note")


@defect("item-notes-are-cut", breaks=["CreateOrder.keeps-the-item-notes"], also=UNUSUAL)
class ItemNotesAreCut(Keeping):
    """
    The note of an item has 50 characters.
    """

    def kept_item(self, item: Json) -> Json:
        return {**item, "note": item["note"][:50]} if "note" in item else item


@defect("item-notes-are-shared", breaks=["CreateOrder.keeps-the-item-notes"], also=UNUSUAL)
class ItemNotesAreShared(Keeping):
    """
    The last note of a plu is written on all its lines.
    """

    def kept_items(self, items: list[Json]) -> list[Json]:
        notes: dict[str, Any] = {each["plu"]: each["note"] for each in items if "note" in each}
        return [{**each, "note": notes[each["plu"]]} if each["plu"] in notes else each for each in items]


@defect("only-items-have-notes", breaks=["CreateOrder.keeps-the-item-notes"], also=UNUSUAL)
class OnlyItemsHaveNotes(Keeping):
    """
    The notes of sub-items are not saved.
    """

    def kept_item(self, item: Json) -> Json:
        if "subItems" not in item:
            return item
        return {**item, "subItems": [without(each, "note") for each in item["subItems"]]}
