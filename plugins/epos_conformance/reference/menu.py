"""
What the restaurant sells, in minor units.
"""

from __future__ import annotations

from epos_conformance.reference.records import Json


#: PLU -> name and price of one.
DISHES = {
    "1001": ("Sourdough & Butter", 450),
    "1002": ("Ham Hock Terrine", 950),
    "1003": ("Beetroot Salad", 875),
    "2001": ("Fish & Chips", 1795),
    "2002": ("Ribeye Steak", 2950),
    "2003": ("Wild Mushroom Pie", 1650),
    "2004": ("Sunday Roast", 2150),
    "2005": ("Crème Brûlée", 815),
    "3001": ("Sticky Toffee Pudding", 795),
    "3002": ("Cheese Board", 1150),
    "4001": ("Flat White", 360),
    "4002": ("Pot of Tea", 310),
    "5001": ("House Red 175 ml", 725),
    "5002": ("Pale Ale Pint", 640),
    "5003": ("Sparkling Water", 395),
    "6001": ("Set Lunch", 2400),
    "6002": ("Set Lunch Course", 0),
    "9001": ("Gift Voucher", -2000),
    "9002": ("Two for One", -1795),
}

#: PLU -> name and price, per single item.
EXTRAS = {
    "7001": ("Extra Shot", 60),
    "7002": ("Oat Milk", 50),
    "7003": ("Peppercorn Sauce", 325),
    "7004": ("Medium Rare", 0),
    "7005": ("Side of Chips", 475),
    "7006": ("No Onions", 0),
}


def money(value: int, currency: str) -> Json:
    return {"value": value, "currencyCode": currency}


def modifier(plu: str, currency: str, quantity: int = 1) -> Json:
    """That extra, *quantity* times on each single item."""
    name, price = EXTRAS[plu]
    return {"plu": plu, "name": name, "quantity": quantity, "amountPerModifier": money(price, currency)}


def dish(line: str, currency: str) -> Json:
    """
    The item that a till operator would key in as *line*.

    ``2 x 4001 +7001 +7002*2 /6002+7005`` is two of the first, each with an extra shot and two oat milks, and a sub-item
    with chips.
    """
    count, _, rest = line.partition(" x ")
    main, *courses = rest.split("/")
    item = _part(main, currency, int(count))
    if courses:
        item["subItems"] = [_part(each, currency, 1) for each in courses]
    return item


def _part(text: str, currency: str, quantity: int) -> Json:
    plu, *extras = text.replace(" ", "").split("+")
    name, price = DISHES[plu]
    item: Json = {"plu": plu, "name": name, "quantity": quantity, "amountPerItem": money(price, currency)}
    if extras:
        item["modifiers"] = [
            modifier(each, currency, int(times or 1)) for each, _, times in (extra.partition("*") for extra in extras)
        ]
    return item
