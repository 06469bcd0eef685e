"""
How a venue adds up, learnt from its own orders: what is ordered has to come to what its till makes of it.

Orders that tell no sum, or one that nothing explains, teach nothing. Where nothing is learnt, amounts add up as the
contract says: discounts are taken off, the service charge is put on, taxes are inside the prices.
"""

from __future__ import annotations

import itertools
import math

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from epos_conformance import money


_ROUNDINGS: Mapping[str, Callable[[Fraction], int]] = {
    "half up": lambda exact: math.floor(exact + Fraction(1, 2)),
    "down": math.floor,
    "up": math.ceil,
    "half even": round,
}

#: Orders that are enough to learn from.
_ENOUGH = 30

#: Denominators of the rates that people use: an eighth of the bill, VAT as a sixth of it, 5.5 %.
_DENOMINATORS = (8, 10, 12, 20, 25, 40, 50, 100, 200, 400, 1000, 10000)


@dataclass(frozen=True, slots=True)
class Share:
    """
    A part of an amount, in minor units, as a till computes it.
    """

    rate: Fraction
    rounding: str = "half up"

    def of(self, base: int) -> int:
        return _ROUNDINGS[self.rounding](base * self.rate)


def share(pairs: Iterable[tuple[int, int]]) -> Share | None:
    """
    What makes each second number of the first, as of most *pairs*; None where nothing does.
    """
    known = [(base, part) for base, part in pairs if base > 0 and part > 0][:_ENOUGH]
    rates = {
        Fraction(part, base).limit_denominator(most): None for base, part in known for most in _DENOMINATORS
    }  # a dict: in the order found
    best, hits = None, 0
    for rate, rounding in itertools.product(sorted(rates, key=lambda each: each.denominator), _ROUNDINGS):
        candidate = Share(rate, rounding)
        explained = sum(candidate.of(base) == part for base, part in known)
        if explained > hits:
            best, hits = candidate, explained
        if hits == len(known):
            break  # nothing explains more; there are many rates to try
    return best if 2 * hits > len(known) else None


def worth(items: Any) -> int | None:
    """
    What *items* come to: modifiers count once for each single item, sub-items likewise; None where one doesn't say.
    """
    if not isinstance(items, Sequence) or isinstance(items, str):
        return 0 if items is None else None
    found = 0
    for each in items:
        if not isinstance(each, Mapping) or type(count := each.get("quantity")) is not int:
            return None
        parts = [
            money.value(each.get("amountPerItem", each.get("amountPerModifier"))),
            worth(each.get("modifiers")),
            worth(each.get("subItems")),
        ]
        if None in parts:
            return None
        found += count * sum(part for part in parts if part is not None)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """
    What an order consists of, in minor units.
    """

    items: int
    discounts: int
    charge: int
    taxes: int

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> Parts | None:
        """The parts of *order*; None where one of them can't be read."""
        items, charge = worth(order.get("items")), order.get("serviceChargeAmount")
        discounts, taxes = (_added(order.get(name)) for name in ("discounts", "taxLines"))
        charged = 0 if charge is None else money.value(charge)
        if items is None or discounts is None or charged is None or taxes is None:
            return None
        return cls(items=items, discounts=discounts, charge=charged, taxes=taxes)


def _added(lines: Any) -> int | None:
    if not isinstance(lines, (list, tuple)):
        return 0 if lines is None else None
    amounts = [each.get("amountTotal", ()) if isinstance(each, Mapping) else () for each in lines]
    return money.summed(amounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """
    One venue's way from the parts of an order to its total.
    """

    #: Whether taxes are added to the prices; else they are inside.
    tax_on_top: bool = False
    #: Whether discounts are told as amounts below zero.
    discounts_below_zero: bool = False
    #: What is charged for service, of what is left after the discounts.
    service: Share | None = None
    #: The tax: of the total where it is inside, else of what is taxed.
    tax: Share | None = None
    #: Whether a tax on top is on the service charge, too.
    service_is_taxed: bool = True
    #: The members of a tax line beside its amount.
    tax_line: Mapping[str, Any] | None = None

    def discount(self, value: int) -> int:
        """*value* minor units off, as they are told."""
        return -value if self.discounts_below_zero else value

    def before_charge(self, parts: Parts) -> int:
        """What is left after the discounts."""
        return parts.items - self.discount(parts.discounts)

    def total(self, parts: Parts) -> int:
        """What an order of those *parts* comes to."""
        return self.before_charge(parts) + parts.charge + (parts.taxes if self.tax_on_top else 0)

    def taxed(self, parts: Parts) -> int:
        """What the tax is reckoned from."""
        charge = parts.charge if self.service_is_taxed or not self.tax_on_top else 0
        return self.before_charge(parts) + charge

    def taxes(self, parts: Parts) -> int:
        """The tax that *parts* without any have to carry; 0 where it isn't known."""
        return self.tax.of(self.taxed(parts)) if self.tax is not None else 0

    def explains(self, order: Mapping[str, Any]) -> bool:
        """Whether the total of *order* is what it comes to."""
        parts = Parts.of(order)
        return parts is not None and self.total(parts) == money.total(order)


def learnt(orders: Iterable[Mapping[str, Any]]) -> Arithmetic:
    """
    The arithmetic that explains most of *orders*.
    """
    known = [(order, parts) for order in orders if (parts := Parts.of(order)) and parts.items]
    ways = [
        Arithmetic(tax_on_top=on_top, discounts_below_zero=below)
        for below, on_top in itertools.product((False, True), repeat=2)
    ]
    hits = Counter({way: sum(way.total(parts) == money.total(order) for order, parts in known) for way in ways})
    best = max(ways, key=lambda way: hits[way])  # the first of equals: what the contract says
    fitting = [(order, parts) for order, parts in known if best.total(parts) == money.total(order)]
    return _with_taxes(_with_service(best, fitting), fitting)


_Known = Sequence[tuple[Mapping[str, Any], Parts]]


def _with_service(way: Arithmetic, known: _Known) -> Arithmetic:
    pairs = [(way.before_charge(parts), parts.charge) for _, parts in known]
    return replace(way, service=share(pairs))


def _with_taxes(way: Arithmetic, known: _Known) -> Arithmetic:
    taxed = [(order, parts) for order, parts in known if len(order.get("taxLines") or ()) == 1 and parts.taxes > 0]
    if not taxed:
        return way
    kinds = Counter(repr(sorted(_line(order).items())) for order, _ in taxed)
    usual, _ = kinds.most_common(1)[0]
    alike = [each for each in taxed if repr(sorted(_line(each[0]).items())) == usual]
    found: list[tuple[int, int, Arithmetic]] = []
    for service_is_taxed in (True, False) if way.tax_on_top else (True,):
        other = replace(way, service_is_taxed=service_is_taxed, tax_line=_line(alike[0][0]))
        pairs = [(other.taxed(parts), parts.taxes) for _, parts in alike]
        if tax := share(pairs):
            misses = sum(tax.of(base) != part for base, part in pairs)
            found.append((misses, tax.rate.denominator, replace(other, tax=tax)))
    return min(found, key=lambda each: each[:2])[-1] if found else way


def _line(order: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the first tax line of *order* that would fit another order, too."""
    line = order["taxLines"][0]
    return {name: line[name] for name in ("name", "amountPercentage") if name in line}
