"""
What an order can come to by the published descriptions, and which slip explains a total that none of them gives.

A price is that of a single item; modifiers count once for each single item; discounts come off, the service charge goes
on top, and taxes are inside the prices or added to them. Where the descriptions leave it open, every reading is right:
whether a sub-item's quantity is for one item or for all of them, whether a discount is written as a positive or as a
negative amount, whether the service charge is taxed, and whether it or a discount is listed among the items as well.
"""

from __future__ import annotations

import functools
import itertools

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance import money


#: What a total is made of besides the items themselves.
SUB_ITEMS, MODIFIERS, DISCOUNTS, SERVICE = "sub-items", "modifiers", "discounts", "service charge"

#: From so many pieces on, the price of one may be a rounded share: three for £10.
_SHARED_PRICE = 3
#: How far such shares may put a total out.
_MOST_ROUNDING = 2


@dataclass(frozen=True, slots=True)
class Slip:
    """
    A way to get a total wrong.
    """

    #: What is not counted as it should be, one of the constants above; None for other mistakes.
    of: str | None
    #: What seems to have happened, as the end of "… seem to be".
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """
    The total of an order, beside what it can be.
    """

    said: int
    currency: str
    #: What the order comes to, by each reading; the plainest first.
    possible: Sequence[int]
    #: How far rounded shares of prices may put it out.
    tolerance: int
    #: The parts that the order has, such that leaving one out is noticed.
    parts: frozenset[str]
    #: Single slips that explain *said*; none where it is right.
    slips: Sequence[Slip]

    @property
    def agrees(self) -> bool:
        return _fits(self.said, self.possible, self.tolerance)

    @property
    def expected(self) -> str:
        """The totals that would be right, for a finding."""
        plain = list(dict.fromkeys(self.possible))[:3]
        return " or ".join(money.shown(each, self.currency) for each in plain)

    @property
    def hint(self) -> str | None:
        """The likely cause, where there is one."""
        # What is forgotten altogether is likelier than what is counted oddly.
        return self.slips[0].hint if self.slips else None


def reckon(order: Mapping[str, Any]) -> Reckoning | None:
    """
    The total of *order*, which may hold anything; None where nothing can be said of it.

    That is so without items or a total, where an amount or a quantity can't be read (the schema's business), with
    several currencies, and where a discount says no more than its percentage.
    """
    said, items = money.total(order), order.get("items")
    if said is None or not isinstance(items, list) or not items:
        return None
    if len({money.currency(each) for _, each in amounts(order)}) > 1:
        return None
    try:
        return _reckoned(order, said)
    except (_Unreadable, RecursionError):
        return None


#: The amounts of an order, and the lists of what has amounts in turn.
_AMOUNTS = (
    *("totalAmount", "paidAmount", "tipsAmount", "serviceChargeAmount"),
    *("amountPerItem", "amountPerModifier", "amountTotal"),
)
_LISTS = ("items", "subItems", "modifiers", "discounts", "taxLines", "payments")

#: Sub-items have no sub-items of their own; whatever a partner makes of it must not exhaust us.
_DEEPEST = 4


def amounts(order: Mapping[str, Any], where: str = "$", deepest: int = _DEEPEST) -> Iterator[tuple[str, Any]]:
    """
    Every amount of *order* that the contract knows, with its path; a till may have others of its own besides.
    """
    for name in _AMOUNTS:
        if order.get(name) is not None:
            yield f"{where}.{name}", order[name]
    for name in _LISTS if deepest else ():
        found = order.get(name)
        for place, each in enumerate(found if isinstance(found, list) else ()):
            if isinstance(each, Mapping):
                yield from amounts(each, f"{where}.{name}[{place}]", deepest - 1)


class _Unreadable(Exception):
    """An amount or a quantity is not what the schema says."""


#: A choice within one part of the sum: what it is, and the slip that it would be; None where it is a right reading.
_Choice = tuple[Any, Slip | None]


@dataclass(frozen=True, slots=True)
class _Goods:
    """A way to add up the items."""

    items: str = "each"
    sub_items: str = "each"
    modifiers: str = "each"


_ITEMS: tuple[_Choice, ...] = (
    ("each", None),
    ("once", Slip(None, "the quantities of items seem to be ignored")),
    ("positive", Slip(None, "items with negative amounts seem to be left out")),
)
_SUB_ITEMS: tuple[_Choice, ...] = (
    ("each", None),
    ("in all", None),
    ("none", Slip(SUB_ITEMS, "sub-items seem to be left out")),
    ("bare", Slip(SUB_ITEMS, "the modifiers of sub-items seem to be left out")),
    ("single", Slip(SUB_ITEMS, "the quantities of sub-items seem to be ignored")),
)
_MODIFIERS: tuple[_Choice, ...] = (
    ("each", None),
    ("none", Slip(MODIFIERS, "modifiers seem to be left out")),
    ("line", Slip(MODIFIERS, "modifiers seem to be counted once, however many items there are")),
    ("single", Slip(MODIFIERS, "the quantities of modifiers seem to be ignored")),
)


def _reckoned(order: Mapping[str, Any], said: int) -> Reckoning:
    items = _objects(order, "items")
    parts: list[Sequence[_Choice]] = [*_ways(items), *map(_each_once, _adjustments(order))]

    @functools.cache
    def worth(how: _Goods) -> int:
        return _worth(items, how)

    def totals(choices: Sequence[Sequence[_Choice]]) -> Iterator[tuple[int, list[Slip]]]:
        for each in itertools.product(*choices):
            goods = _Goods(*(value for value, _ in each[:3]))
            yield worth(goods) + sum(value for value, _ in each[3:]), [slip for _, slip in each if slip]

    right = [[each for each in part if each[1] is None] for part in parts]
    possible = [total for total, _ in totals(right)]
    wrong: list[tuple[int, Slip]] = []
    for place, part in enumerate(parts):
        slips = [each for each in part if each[1] is not None]
        wrong += ((total, slip) for total, (slip,) in totals([*right[:place], slips, *right[place + 1 :]]))
    tolerance = _tolerance(items)
    return Reckoning(
        said=said,
        currency=money.currency(order.get("totalAmount")) or "",
        possible=list(dict.fromkeys(possible)),
        tolerance=tolerance,
        parts=frozenset(slip.of for total, slip in wrong if slip.of and not _fits(total, possible, tolerance)),
        slips=_explanations(said, possible, wrong, tolerance),
    )


def _ways(items: Sequence[Mapping[str, Any]]) -> tuple[Sequence[_Choice], ...]:
    """The ways to add up *items*, as far as they make a difference."""
    below = [each for item in items for each in _objects(item, "subItems")]
    extras = any(_objects(each, "modifiers") for each in (*items, *below))
    return _ITEMS, _SUB_ITEMS if below else _SUB_ITEMS[:1], _MODIFIERS if extras else _MODIFIERS[:1]


def _each_once(choices: Sequence[_Choice]) -> Sequence[_Choice]:
    """*choices* of amounts: right readings each once, and no slip that makes no difference."""
    right = dict.fromkeys(value for value, slip in choices if slip is None)
    return [*((value, None) for value in right), *(each for each in choices if each[1] and each[0] not in right)]


def _explanations(
    said: int, possible: Sequence[int], wrong: Sequence[tuple[int, Slip]], tolerance: int
) -> Sequence[Slip]:
    if _fits(said, possible, tolerance):
        return ()
    found = [slip for total, slip in wrong if total == said]
    if said * 100 in possible:
        found.append(Slip(None, "the total seems to be in whole pounds or euros"))
    return list(dict.fromkeys(found))


def _fits(said: int, possible: Sequence[int], tolerance: int) -> bool:
    return any(abs(said - each) <= tolerance for each in possible)


# The items


def _worth(items: Sequence[Mapping[str, Any]], how: _Goods, *, sub: bool = False) -> int:
    total = 0
    for item in items:
        quantity = _quantity(item)
        if how.items == "once" and not sub:
            quantity = 1
        if how.sub_items == "single" and sub:
            quantity = 1
        found = quantity * _amount(item, "amountPerItem")
        if not (sub and how.sub_items == "bare"):
            found += _extras(item, quantity, how.modifiers)
        below = _worth(_objects(item, "subItems"), how, sub=True)
        if how.sub_items != "none":
            found += below if how.sub_items == "in all" else quantity * below
        if how.items == "positive" and not sub and found < 0:
            continue
        total += found
    return total


def _extras(item: Mapping[str, Any], quantity: int, how: str) -> int:
    modifiers = _objects(item, "modifiers")
    times = 1 if how == "line" else quantity
    found = sum((1 if how == "single" else _quantity(each)) * _amount(each, "amountPerModifier") for each in modifiers)
    return 0 if how == "none" else times * found


def _tolerance(items: Sequence[Mapping[str, Any]]) -> int:
    return min(_MOST_ROUNDING, sum(abs(_quantity(each)) >= _SHARED_PRICE for each in items))


# What comes on top, and what comes off


def _adjustments(order: Mapping[str, Any]) -> Iterator[Sequence[_Choice]]:
    lines = [_worth([item], _Goods()) for item in _objects(order, "items")]
    charge = _optional(order, "serviceChargeAmount")
    yield _discounts(order, lines)
    yield _service(charge, lines)
    yield _taxes(order, charge)
    yield _payments(order)


def _discounts(order: Mapping[str, Any], lines: Sequence[int]) -> Sequence[_Choice]:
    given = []
    for each in _objects(order, "discounts"):
        given.append(_amount(each, "amountTotal"))
        if not given[-1] and each.get("amountPercentage"):
            raise _Unreadable  # it says its percentage alone
    off = [abs(each) for each in given]
    found: list[_Choice] = [
        (-sum(given if any(each > 0 for each in given) else off), None),
        (-sum(off), None),
        # A voucher that is an item with a negative amount, and told among the discounts too.
        (-sum(each for each in off if -each not in lines), None),
        (0, Slip(DISCOUNTS, "discounts seem to be left out")),
        (sum(off), Slip(DISCOUNTS, "discounts seem to be added")),
    ]
    if len(off) > 1:
        found += [(-each, Slip(DISCOUNTS, "only one of the discounts seems to come off")) for each in (off[0], off[-1])]
    return found


def _service(charge: int, lines: Sequence[int]) -> Sequence[_Choice]:
    found: list[_Choice] = [(charge, None)]
    if charge in lines:
        found.append((0, None))  # it is one of the items as well
    return [
        *found,
        (0, Slip(SERVICE, "the service charge seems to be left out")),
        (-charge, Slip(SERVICE, "the service charge seems to be taken off")),
        (2 * charge, Slip(None, "the service charge seems to be counted twice")),
    ]


def _taxes(order: Mapping[str, Any], charge: int) -> Sequence[_Choice]:
    lines = _objects(order, "taxLines")
    total = sum(_amount(each, "amountTotal") for each in lines)
    found: list[_Choice] = [(0, None), (total, None)]
    # Taxes rounded line by line may miss those of the whole.
    found += [(total + out, None) for out in range(1 - len(lines), len(lines)) if out]
    for each in lines:
        percentage = each.get("amountPercentage")
        if charge and type(percentage) is int:
            # Prices have their tax inside, the service charge has it on top; 20 % is written 2000, or 20 by mistake.
            found.append((round(charge * percentage / (10_000 if percentage > 100 else 100)), None))
    return [*found, (-total, Slip(None, "the taxes seem to be taken off"))]


def _payments(order: Mapping[str, Any]) -> Sequence[_Choice]:
    tips, paid = money.value(order.get("tipsAmount")) or 0, money.value(order.get("paidAmount")) or 0
    return (
        (0, None),
        (tips, Slip(None, f"the tips of {tips} seem to be included")),
        (-paid, Slip(None, f"what is paid already, {paid}, seems to be taken off")),
    )


# Reading


def _objects(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = holder.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise _Unreadable
    return found


def _amount(holder: Mapping[str, Any], name: str) -> int:
    found = money.value(holder.get(name))
    if found is None:
        raise _Unreadable
    return found


def _optional(holder: Mapping[str, Any], name: str) -> int:
    return 0 if holder.get(name) is None else _amount(holder, name)


def _quantity(holder: Mapping[str, Any]) -> int:
    found = holder.get("quantity")
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if type(found) is not int:
        raise _Unreadable
    return found
