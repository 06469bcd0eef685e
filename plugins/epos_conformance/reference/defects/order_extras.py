"""
Mistakes in what is kept of an order that Dojo creates: modifiers and sub-items.
"""

from __future__ import annotations

from epos_conformance.reference.defects.order_keeps import SUMS, UNUSUAL, Keeping, without
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json


@defect(
    "modifiers-are-dropped",
    breaks=["CreateOrder.keeps-the-modifiers"],
    also=["CreateOrder.keeps-the-sub-items", *SUMS],
)
class ModifiersAreDropped(Keeping):
    """
    The modifiers of new items are not saved.
    """

    def kept_item(self, item: Json) -> Json:
        return without(item, "modifiers")


@defect("modifiers-of-first-item-only", breaks=["CreateOrder.keeps-the-modifiers"], also=SUMS)
class ModifiersOfFirstItemOnly(Keeping):
    """
    Modifiers are saved for the first item that has some.
    """

    def kept_items(self, items: list[Json]) -> list[Json]:
        first = next((each for each in items if each.get("modifiers")), None)
        return [each if each is first else without(each, "modifiers") for each in items]


class _Modifying(Keeping):
    def kept_item(self, item: Json) -> Json:
        if "modifiers" not in item:
            return item
        return {**item, "modifiers": self.kept_modifiers(item["modifiers"], item)}

    def kept_modifiers(self, modifiers: list[Json], item: Json) -> list[Json]:
        return modifiers


@defect("modifiers-count-once", breaks=["CreateOrder.keeps-the-modifiers"], also=SUMS)
class ModifiersCountOnce(_Modifying):
    """
    A modifier is there or not: its quantity is always 1.
    """

    def kept_modifiers(self, modifiers: list[Json], item: Json) -> list[Json]:
        return [{**each, "quantity": 1} for each in modifiers]


@defect("modifiers-count-for-the-line", breaks=["CreateOrder.keeps-the-modifiers"], also=SUMS)
class ModifiersCountForTheLine(_Modifying):
    """
    The quantity of a modifier is told for the whole line, not per item.
    """

    def kept_modifiers(self, modifiers: list[Json], item: Json) -> list[Json]:
        return [{**each, "quantity": each["quantity"] * item["quantity"]} for each in modifiers]


@defect("free-modifiers-are-dropped", breaks=["CreateOrder.keeps-the-modifiers"], also=UNUSUAL)
class FreeModifiersAreDropped(_Modifying):
    """
    Modifiers that cost nothing don't get onto the order, and so not into the kitchen.
    """

    def kept_modifiers(self, modifiers: list[Json], item: Json) -> list[Json]:
        return [each for each in modifiers if each["amountPerModifier"]["value"]]


@defect(
    "sub-items-are-dropped",
    breaks=["CreateOrder.keeps-the-sub-items"],
    also=["CreateOrder.keeps-the-item-notes", *SUMS],
)
class SubItemsAreDropped(Keeping):
    """
    The sub-items of new items are not saved.
    """

    def kept_item(self, item: Json) -> Json:
        return without(item, "subItems")


@defect("sub-items-lose-modifiers", breaks=["CreateOrder.keeps-the-sub-items"], also=SUMS)
class SubItemsLoseModifiers(Keeping):
    """
    The modifiers of sub-items are not saved.
    """

    def kept_item(self, item: Json) -> Json:
        if "subItems" not in item:
            return item
        return {**item, "subItems": [without(each, "modifiers") for each in item["subItems"]]}


@defect(
    "sub-items-are-unique",
    breaks=["CreateOrder.keeps-the-sub-items"],
    also=["CreateOrder.keeps-the-item-notes", *SUMS],
)
class SubItemsAreUnique(Keeping):
    """
    Of two sub-items with the same plu the last one is saved.
    """

    def kept_item(self, item: Json) -> Json:
        if "subItems" not in item:
            return item
        return {**item, "subItems": list({each["plu"]: each for each in item["subItems"]}.values())}


@defect("sub-items-crash", breaks=["CreateOrder.keeps-the-sub-items"], also=["CreateOrder.keeps-*", *UNUSUAL])
class SubItemsCrash(Keeping):
    """
    Sub-items are looked up by a member that most of them don't have.
    """

    def kept_item(self, item: Json) -> Json:
        return {**item, "courses": [each["note"] for each in item["subItems"]]} if "subItems" in item else item
