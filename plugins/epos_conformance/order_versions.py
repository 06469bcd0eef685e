"""
Orders with some feature, in a few versions to try in turn: like one that the venue has had, and made-up ones.

A till may refuse what is made up, so no version has to be taken. They differ because faults do: one loses the modifiers
of the second item, another those that cost nothing.
"""

from __future__ import annotations

import uuid

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import islice

from epos_conformance import money
from epos_conformance.arithmetic import Parts, Share
from epos_conformance.following import Row
from epos_conformance.intents import Intents
from epos_conformance.ordering import Json, Ordering, Version, times


Versions = Iterator[Version]

#: Makes the versions of one feature.
Feature = Callable[[Ordering], Versions]

#: Characters that get lost on the way: accents, quotes, what HTML escapes, what Latin-1 lacks.
ODD = "Zoë & O'Neill: “crème brûlée” <1/2>, £5 or 5 €"


#: Lines of the longest order that is made up of dishes.
_MANY = 10


def simple(ordering: Ordering) -> Versions:
    """Two pieces of one dish."""
    yield Version(title="one item", body=ordering.body([times(ordering.dishes[0], 2)]))


# Items


def items(ordering: Ordering) -> Versions:
    """Several items, of all kinds."""
    plain = ordering.dishes
    found = [*plain[-1:], *plain[:-1]][:_MANY]
    yield Version(
        title=_many(found, "different item"),
        body=ordering.body([times(each, 1 + number % 3) for number, each in enumerate(found)]),
    )
    if len(found) > 3:
        some = [times(each, 1) for each in plain[:3]]
        yield Version(title="three items", body=ordering.body(some))
    adorned = [*ordering.dressed[:2], *ordering.menus[:1]]
    if adorned:
        mixed = [plain[0], *adorned, *plain[1:2]]
        yield Version(title="items with and without modifiers and sub-items", body=ordering.body(mixed))
    below_zero = ordering.copies(partial(_is_plain_with_a_voucher, ordering))
    yield from (Version(title="an item with an amount below zero", body=each) for each in islice(below_zero, 1))


def _is_plain_with_a_voucher(ordering: Ordering, row: Row) -> bool:
    """Whether *row* has an item below zero, and nothing that a till may list among the items as well."""
    return any(_price(each) < 0 for each in row["items"]) and not ordering.discounts(row) and not ordering.charge(row)


def quantities(ordering: Ordering) -> Versions:
    """Items in other numbers than one."""
    cheap = sorted(ordering.dishes, key=_price)[:3]
    yield Version(
        title="items in quantities of 12, 1 and 2",
        body=ordering.body([times(each, count) for each, count in zip(cheap, (12, 1, 2), strict=False)]),
    )
    between = [times(each, 1) for each in cheap[1:2]]
    yield Version(
        title="the same item in two lines",
        body=ordering.body([times(cheap[0], 2), *between, times(cheap[0], 3)]),
    )
    if adorned := [times(each, 3) for each in (*ordering.dressed[:1], *ordering.menus[:1])]:
        yield Version(title="items with modifiers and sub-items in quantities of 3", body=ordering.body(adorned))
    # More than two digits have room for; a till may refuse to sell so much.
    yield Version(title="120 pieces of an item", body=ordering.body([times(cheap[0], 120)]))


def prices(ordering: Ordering) -> Versions:
    """Items whose prices are easily spoiled."""
    risky = sorted(ordering.dishes, key=lambda each: not _is_risky(_price(each)))
    yield Version(title="items of several prices", body=ordering.body([*risky[:6], times(risky[0], 3)]))
    if ordering.dressed:
        yield Version(title="items with modifiers", body=ordering.body(ordering.dressed[:3]))
    if ordering.menus:
        yield Version(title="items with sub-items", body=ordering.body(ordering.menus[:2]))
    yield Version(title="made-up items", body=ordering.body(ordering.invented), made_up=True)


def modifiers(ordering: Ordering) -> Versions:
    """Items with modifiers: several, in several numbers, for money and for nothing."""
    seen, plain = ordering.dressed[:6], ordering.dishes[:2]
    if seen:
        counted = [times(each, 1 + (number + 1) % 3) for number, each in enumerate(seen)]
        yield Version(
            title=f"{_many(seen, 'item')} with modifiers, between others",
            body=ordering.body([plain[0], *counted, *plain[1:]]),
        )
        main = max(seen, key=lambda each: len(each["modifiers"]))
        doubled = [times(each, each["quantity"] + 1) for each in main["modifiers"]]
        # Less of them: half of what somebody wanted is no odd wish.
        fewer = [{**main, "modifiers": main["modifiers"][-1:]}] if len(doubled) > 1 else []
        yield Version(
            title="the same item twice, with other modifiers and more of them",
            body=ordering.body([{**main, "modifiers": doubled, "quantity": 2}, *fewer, *seen[1:2]]),
        )
    extra = {
        "plu": "CONFORMANCE-M1",
        "name": "Conformance sauce",
        "quantity": 2,
        "amountPerModifier": ordering.money(55),
    }
    without = {"plu": "CONFORMANCE-M2", "name": "Without", "quantity": 1, "amountPerModifier": ordering.money(0)}
    yield Version(
        title="two items with made-up modifiers",
        body=ordering.body([{**plain[0], "modifiers": [extra]}, {**plain[-1], "modifiers": [without, extra]}]),
        made_up=True,
    )


def sub_items(ordering: Ordering) -> Versions:
    """Items with sub-items: several, with modifiers of their own."""
    seen, plain = ordering.menus[:3], ordering.dishes[:2]
    if seen:
        counted = [times(each, count) for each, count in zip(seen, (1, 2, 1), strict=False)]
        yield Version(
            title=f"{_many(seen, 'item')} with sub-items, beside another",
            body=ordering.body([plain[0], *counted]),
        )
    free = {**plain[0], "amountPerItem": ordering.money(0), "quantity": 2}
    dear = {**plain[-1], "quantity": 1}
    if ordering.dressed:
        dear["modifiers"] = ordering.dressed[0]["modifiers"]
    yield Version(
        title="a made-up menu",
        body=ordering.body([plain[0], {**times(plain[-1], 2), "subItems": [free, dear]}]),
        made_up=True,
    )


def _many(items: Sequence[Json], what: str) -> str:
    return f"{len(items)} {what}{'s' if len(items) != 1 else ''}"


def _price(item: object) -> int:
    return money.value(item.get("amountPerItem")) or 0 if isinstance(item, Mapping) else 0


def _is_risky(value: int) -> bool:
    """Whether an amount is another one after it was a binary fraction for a moment."""
    return int(value / 100 * 100) != value


# Sums


def discounts(ordering: Ordering) -> Versions:
    """Discounts: of the whole order and of an item, in percent and as amounts."""
    copies = ordering.copies(lambda row: bool(ordering.discounts(row)))
    yield from (Version(title="the discounts of an order of the venue", body=each) for each in islice(copies, 1))
    dish = _dearest(ordering)
    if usual := _usual_discount(ordering):
        body = ordering.body([times(dish, 3), ordering.dishes[0]], discounts=[usual])
        yield Version(title="a discount that the venue has given", body=body)
    lines = [
        {
            "name": "Loyalty & friends",
            "code": "CONF-12",
            "discountReference": uuid.uuid4().hex[:12],
            # Not all are of whole percents.
            "amountPercentage": 1250,
            "amountTotal": ordering.money(ordering.way.discount(Share(Fraction(1, 8)).of(3 * _price(dish)))),
        },
        {
            "name": "Spoiled dish",
            "affectedPlu": dish["plu"],
            "amountTotal": ordering.money(ordering.way.discount(_price(dish) // 3)),
        },
    ]
    yield Version(title="two discounts", body=ordering.body([times(dish, 3)], discounts=lines))
    yield Version(title="one discount", body=ordering.body([times(dish, 3)], discounts=lines[1:]))


def _usual_discount(ordering: Ordering) -> Json | None:
    """A discount that somebody was given on a whole order, less than a few dishes cost; None where nobody was."""
    given = (each for row in ordering.orders for each in ordering.discounts(row))
    most = _price(_dearest(ordering))
    fits = (
        each for each in given if "affectedPlu" not in each and 0 < abs(money.value(each["amountTotal"]) or 0) < most
    )
    return next(fits, None)


def service_charges(ordering: Ordering) -> Versions:
    """A service charge."""
    copies = ordering.copies(lambda row: ordering.charge(row) is not None)
    yield from (Version(title="the service charge of an order of the venue", body=each) for each in islice(copies, 1))
    rate = ordering.way.service or Share(Fraction(1, 8))
    ordered = [times(_dearest(ordering), 1), times(ordering.dishes[0], 2)]
    parts = Parts.of({"items": ordered})
    assert parts is not None
    charge = ordering.money(rate.of(ordering.way.before_charge(parts)))
    yield Version(title="a service charge", body=ordering.body(ordered, serviceChargeAmount=charge))


def tax_lines(ordering: Ordering) -> Versions:
    """Taxes, in one line and in two."""
    copies = ordering.copies(lambda row: bool(ordering.tax_lines(row)))
    yield from (Version(title="the taxes of an order of the venue", body=each) for each in islice(copies, 1))
    ordered = [times(_dearest(ordering), 2), times(ordering.dishes[0], 1)]
    if line := ordering.tax_line({"items": ordered}):
        yield Version(title="one tax line", body=ordering.body(ordered, taxLines=[line]))
    inside = Share(Fraction(1, 6))
    lines = [
        {
            "id": f"tax-{number}",
            "name": f"VAT on {each['name']}"[:100],
            "affectedPlu": each["plu"],
            "amountPercentage": 2000,
            "amountTotal": ordering.money(inside.of(each["quantity"] * _price(each))),
        }
        for number, each in enumerate(ordered, 1)
    ]
    yield Version(title="two tax lines", body=ordering.body(ordered, taxLines=lines))


def everything(ordering: Ordering) -> Versions:
    """All that adds up at once: items of all kinds, a discount, a service charge and taxes."""
    main = _dearest(ordering)
    ordered = [times(main, 3), *ordering.dressed[:2], *ordering.menus[:1]]
    made_up = {"name": "Loyalty", "amountTotal": ordering.money(ordering.way.discount(_price(main) // 3))}
    off = _usual_discount(ordering) or made_up
    parts = Parts.of({"items": ordered, "discounts": [off]})
    assert parts is not None
    rate = ordering.way.service or Share(Fraction(1, 8))
    charge = ordering.money(rate.of(ordering.way.before_charge(parts)))
    beside: Json = {"discounts": [off], "serviceChargeAmount": charge}
    if line := ordering.tax_line({"items": ordered, **beside}):
        beside["taxLines"] = [line]
    yield Version(title="a discount, a service charge and taxes", body=ordering.body(ordered, **beside))


def payments(ordering: Ordering) -> Versions:
    """Orders that are paid for already: whole, in two parts with tips, in part."""
    for title, shares in (
        ("two payments with tips", ((1, 2, 150), (1, 1, 75))),
        ("one payment", ((1, 1, None),)),
        ("a part paid", ((1, 3, 50),)),
    ):
        body = ordering.body([times(ordering.dishes[0], 2)])
        left, paid = money.value(body["totalAmount"]) or 0, []
        for part, of, tip in shares:
            amount = left * part // of
            left -= amount
            payment: Json = {
                "paymentIntentId": ordering.venue.intents.new(amount + (tip or 0), ordering.currency),
                "paidAmount": ordering.money(amount),
            }
            paid.append(payment if tip is None else {**payment, "tipsAmount": ordering.money(tip)})
        made_up = type(ordering.venue.intents) is Intents
        yield Version(title=title, body={**body, "payments": paid}, made_up=made_up)


def _dearest(ordering: Ordering) -> Json:
    """One of the first dishes that much can be taken off."""
    return max(ordering.dishes[:5], key=_price)


# Texts


def notes(ordering: Ordering) -> Versions:
    """A note: long, odd, plain."""
    long = f"{ODD}. " + "No nuts for the lady, the sauce apart for the child; " * 6
    for title, text in (("a long note", long.strip("; ")), ("an odd note", ODD), ("a note", "No onions, please")):
        yield Version(title=title, body=ordering.body([ordering.dishes[0]], note=text))


def item_notes(ordering: Ordering) -> Versions:
    """Notes of items: different ones, also of the same item and of sub-items."""
    first, last = ordering.dishes[0], ordering.dishes[:2][-1]
    noted = [{**first, "note": ODD}, last, {**times(first, 2), "note": "Well done. " * 8 + "Thanks"}]
    yield Version(title="the same item with different notes", body=ordering.body(noted))
    if ordering.menus:
        menu = ordering.menus[0]
        courses = [{**each, "note": f"Course {n}"} for n, each in enumerate(menu["subItems"], 1)]
        whole = {**menu, "note": "All at once", "subItems": courses}
        yield Version(title="an item and its sub-items with notes", body=ordering.body([first, whole]))
    yield Version(title="an item with a note", body=ordering.body([{**first, "note": "No onions"}]))


def customers(ordering: Ordering) -> Versions:
    """A customer that no till knows yet: those known may get their own name back. Nobody has these numbers."""
    number = uuid.uuid4()
    address = {
        "emailAddress": f"guest+{number.hex[:10]}@example.com",
        "phoneNumber": f"+447700900{number.int % 1000:03}",
    }
    for title, customer in (
        ("an odd customer", {"name": "Zoë O'Neill-Łuczak", **address}),
        ("a customer", {"name": "Conformance Guest", **address}),
        ("a customer's name", {"name": "Conformance Guest"}),
    ):
        yield Version(title=title, body=ordering.body([ordering.dishes[0]], customer=customer))


def references(ordering: Ordering) -> Versions:
    """A reference: with zeros before a number, with letters of both cases."""
    number = f"{uuid.uuid4().int % 10**6:06}"
    for title, text in (
        ("a reference that begins with zeros", f"00{number}"),
        ("a reference with letters", f"Conf-Zoë/{number} a"),
        ("a plain reference", f"CONF{number}"),
    ):
        yield Version(title=title, body=ordering.body([ordering.dishes[0]], reference=text))


def display_names(ordering: Ordering) -> Versions:
    """A display name that fits the terminal to the letter."""
    number = f"{uuid.uuid4().int % 10**6:06}"
    for title, text in (
        ("an odd display name", f"Conformance Zoë & {number}"),
        ("a plain display name", f"Conformance {number}"),
    ):
        yield Version(title=title, body=ordering.body([ordering.dishes[0]], displayName=text))
