"""
Orders that a strict till takes: of what its venue sells, at tables that it has, with sums that fit.

What is sold is what ``partner.toml`` names and what the venue's own orders show: dishes, dishes with modifiers and with
sub-items as somebody ordered them, vouchers. Where none is known, some are made up, and may be refused. What an order
can have beside is in `epos_conformance.order_versions`.
"""

from __future__ import annotations

import itertools
import uuid

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from epos_conformance import arithmetic, money, schema
from epos_conformance.arithmetic import Parts
from epos_conformance.following import Row
from epos_conformance.venue import Venue


Json = dict[str, Any]

#: Sold nowhere: plu, name and price. The prices are some that binary fractions cannot hold.
_INVENTED = (
    ("CONFORMANCE-1", "Conformance item", 435),
    ("CONFORMANCE-2", "Second conformance item", 1999),
    ("CONFORMANCE-3", "Third conformance item", 110),
)

_ITEM = {"$ref": "urn:epos:orders#/$defs/OrderItem"}
_DISCOUNTS = {"type": "array", "minItems": 1, "items": {"$ref": "urn:epos:orders#/$defs/Discount"}}
_TAX_LINES = {"type": "array", "minItems": 1, "items": {"$ref": "urn:epos:orders#/$defs/TaxLine"}}

_DISCOUNT_MEMBERS = ("name", "affectedPlu", "discountReference", "code", "amountPercentage")
_TAX_MEMBERS = ("id", "name", "affectedPlu", "amountPercentage")

#: Orders of more single items are not copied: they would only cost paper.
_MOST_COPIED = 60

#: After them, nothing can be learnt of a till's business.
_UNDONE = ("Canceled", "Failed")

#: Every order of ours is called that, and a few letters of its own.
NAME = "Conformance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """
    One way to order with some feature.
    """

    #: What is told of it: ``two items with modifiers``.
    title: str
    body: Json
    #: Whether it names goods or payment intents that the EPOS can't know: not even crashing on them is held against it.
    made_up: bool = False
    #: Whether it is for somebody or something that may not exist: an EPOS may leave that out.
    unknown: bool = False
    #: Whether it may be ordered at another table as well.
    anywhere: bool = True


class Ordering:
    """
    What can be ordered at one venue, and where.
    """

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.currency = venue.currency
        self._turn = itertools.count(venue.random.randrange(100))
        #: Tables that an order was taken at, and those that one was refused at.
        self._proven: list[str] = []
        self._doubtful: set[str] = set()

    # What the venue shows

    @cached_property
    def orders(self) -> list[Row]:
        """The venue's own orders, those first that are still being served; ours only where there are no others."""
        rows = [row for row in self.venue.orders if isinstance(row.get("items"), list)]
        own = [row for row in rows if str(row.get("displayName", "")).startswith(NAME)]
        others = [row for row in rows if row not in own]
        return sorted(others or own, key=lambda row: (row.get("status") in _UNDONE, row.get("payable") is not True))

    @property
    def way(self) -> arithmetic.Arithmetic:
        """How the venue adds up."""
        return self.venue.way

    @cached_property
    def seen(self) -> list[Json]:
        """Items of the venue's orders, one piece of each, whatever is on them."""
        found: dict[str, Json] = {}
        for row in self.orders:
            for each in row["items"]:
                if item := self.cleaned(each):
                    found.setdefault(repr({**item, "quantity": 1}), {**item, "quantity": 1})
        return list(found.values())

    def cleaned(self, item: Any) -> Json | None:
        """*item* with the members that the contract knows, but no notes; None where it can't be ordered."""
        if not schema.is_valid(_ITEM, item) or item["quantity"] < 1:
            return None
        if {money.currency(each) for _, each in money.every(item)} != {self.currency}:
            return None
        return _bare(item)

    def discounts(self, order: Row) -> list[Json]:
        """The discounts of *order*, fit to be sent."""
        found: Any = order.get("discounts")
        return [_line(each, _DISCOUNT_MEMBERS) for each in found] if schema.is_valid(_DISCOUNTS, found) else []

    def tax_lines(self, order: Row) -> list[Json]:
        """The tax lines of *order*, fit to be sent."""
        found: Any = order.get("taxLines")
        return [_line(each, _TAX_MEMBERS) for each in found] if schema.is_valid(_TAX_LINES, found) else []

    def charge(self, order: Row) -> Json | None:
        """The service charge of *order*; None where there is none."""
        found: Any = order.get("serviceChargeAmount")
        return _amount(found) if (money.value(found) or 0) > 0 else None

    def _named_or(self, seen: Sequence[Json]) -> list[Json]:
        """The plain ones among *seen*, each plu once; what the user names comes before."""
        named = self.venue.items if self.venue.known.items else []
        plain = {each["plu"]: each for each in (*named, *seen) if not each.keys() & {"modifiers", "subItems"}}
        first = dict.fromkeys(each["plu"] for each in named)
        return [plain[plu] for plu in dict.fromkeys([*first, *plain])]

    @cached_property
    def dishes(self) -> list[Json]:
        """
        Dishes that cost something, without modifiers and sub-items; those with accents last.

        Where nobody has ordered one so, those that somebody wanted more with are taken without it.
        """
        stripped = [
            {name: value for name, value in each.items() if name not in ("modifiers", "subItems")}
            for each in (*self.dressed, *self.menus)
        ]
        for known in (self.seen, stripped):
            found = [each for each in self._named_or(known) if (money.value(each["amountPerItem"]) or 0) > 0]
            if found:
                return sorted(found, key=lambda each: not f"{each['plu']}{each['name']}".isascii())
        return self.invented

    @property
    def invented(self) -> list[Json]:
        """Dishes that nobody sells."""
        return [self.dish(*each) for each in _INVENTED]

    @cached_property
    def dressed(self) -> list[Json]:
        """Dishes with modifiers, as somebody ordered them: different ones first, and those with the most."""
        return _varied([each for each in self.seen if "modifiers" in each and "subItems" not in each], "modifiers")

    @cached_property
    def menus(self) -> list[Json]:
        """Dishes with sub-items, as somebody ordered them: different ones first, and those with the most."""
        return _varied([each for each in self.seen if "subItems" in each], "subItems")

    @property
    def known(self) -> frozenset[str]:
        """The plus whose names the till has shown or the user has told."""
        parts = [part for each in self.seen for part in (each, *each.get("subItems", ()))]
        extras = [extra for part in parts for extra in part.get("modifiers", ())]
        return frozenset(str(each["plu"]) for each in (*self.venue.known.items, *parts, *extras))

    # Making bodies

    def dish(self, plu: str, name: str, price: int) -> Json:
        return {"plu": plu, "name": name, "quantity": 1, "amountPerItem": self.money(price)}

    def money(self, value: int) -> Json:
        return money.of(value, self.currency)

    def body(self, items: Sequence[Json], *, place: Mapping[str, Any] | None = None, **members: Any) -> Json:
        """
        The body of an order of *items*, at a table where *place* is not given, with *members* beside.

        ``totalAmount`` is what the venue makes of it; taxes are on it where they are part of that.
        """
        dine_in = dict(place) if place is not None else self.table()
        body: Json = {
            "dojoOrderId": str(uuid.uuid4()),
            "displayName": f"{NAME} {uuid.uuid4().hex[:6]}",
            "details": {"orderType": "DineIn", "dineIn": dine_in},
            "items": list(items),
            "payments": [],
            **members,
        }
        if "totalAmount" not in body:
            if self.way.tax_on_top and "taxLines" not in body and (line := self.tax_line(body)):
                body["taxLines"] = [line]
            body["totalAmount"] = self.money(self.total(body))
        return body

    def total(self, body: Mapping[str, Any]) -> int:
        """What *body* comes to in this venue."""
        parts = Parts.of(body)
        assert parts is not None
        return self.way.total(parts)

    def tax_line(self, body: Mapping[str, Any]) -> Json | None:
        """The one tax line of *body*, which has none yet; None where the venue shows no tax that can be reckoned."""
        parts = Parts.of(body)
        if self.way.tax is None or parts is None:
            return None
        return {**(self.way.tax_line or {}), "amountTotal": self.money(self.way.taxes(parts))}

    def copies(self, fits: Callable[[Row], bool], **members: Any) -> Iterator[Json]:
        """
        Bodies like those orders of the venue that *fits* is true of, the shortest first; *members* replace theirs.

        Their sums are the venue's own.
        """
        rows = [row for row in self.orders if row.get("status") not in _UNDONE and fits(row)]
        copied = [(row, [item for each in row["items"] if (item := self.cleaned(each))]) for row in rows]
        for row, items in sorted(copied, key=lambda pair: (not self.way.explains(pair[0]), _pieces(pair[1]))):
            total = row.get("totalAmount")
            if len(items) < len(row["items"]) or not 0 < _pieces(items) <= _MOST_COPIED:
                continue
            if money.currency(total) != self.currency or (money.value(total) or 0) <= 0:
                continue
            beside = {
                "discounts": self.discounts(row),
                "taxLines": self.tax_lines(row),
                "serviceChargeAmount": self.charge(row),
            }
            kept = {name: each for name, each in beside.items() if each}
            yield self.body(items, **{**kept, "totalAmount": _amount(total), **members})

    # Tables

    def table(self) -> Json:
        """Where to sit, as details.dineIn; another one each time it is asked for."""
        found = self.tables
        return {"tableId": found[next(self._turn) % len(found)]} if found else {}

    @property
    def tables(self) -> list[str]:
        """Tables to order at; those without orders where there are any, so that nobody's are added to."""
        every = [each for each in self.venue.table_ids if each not in self._doubtful] or self.venue.table_ids
        busy = [place(row).get("tableId") for row in self.orders if row.get("payable") is True]
        return [each for each in every if each not in busy] or list(every)

    def taken_at(self, body: Mapping[str, Any], *refused: Mapping[str, Any]) -> None:
        """Remember that an order like the *refused* ones was taken as *body*: their tables were the reason."""
        self._proven += [place(body).get("tableId", "")]
        self._doubtful |= {place(each).get("tableId", "") for each in refused}

    def elsewhere(self, body: Json) -> Json | None:
        """
        *body* at another table, as another order; None where its own table has proved good, or there is no other.
        """
        here = place(body).get("tableId", "")
        others = [each for each in (*self._proven[-1:], *self.tables) if each and each != here]
        if here in self._proven or not others:
            return None
        chosen = others[0] if self._proven else others[next(self._turn) % len(others)]
        dine_in = {**place(body), "tableId": chosen}
        return {**body, "dojoOrderId": str(uuid.uuid4()), "details": {**body["details"], "dineIn": dine_in}}


@lru_cache(maxsize=4)
def of(venue: Venue) -> Ordering:
    """
    The `Ordering` of *venue*: what it shows is looked through once.
    """
    return Ordering(venue)


def place(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """``details.dineIn`` of *order*; empty where it has none."""
    details = order.get("details")
    found = details.get("dineIn") if isinstance(details, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def times(item: Mapping[str, Any], quantity: int) -> Json:
    """*quantity* pieces of *item*."""
    return {**item, "quantity": quantity}


def _pieces(items: Sequence[Json]) -> int:
    return sum(each["quantity"] for each in items)


def _bare(item: Mapping[str, Any]) -> Json:
    """*item* with the members of the contract that say what it is and costs; empty lists are left out."""
    found = {name: item[name] for name in ("plu", "name", "quantity")}
    found["amountPerItem"] = _amount(item["amountPerItem"])
    if item.get("modifiers"):
        found["modifiers"] = [
            {
                **{name: each[name] for name in ("plu", "name", "quantity")},
                "amountPerModifier": _amount(each["amountPerModifier"]),
            }
            for each in item["modifiers"]
        ]
    if item.get("subItems"):
        found["subItems"] = [_bare(each) for each in item["subItems"]]
    return found


def _line(line: Mapping[str, Any], members: Sequence[str]) -> Json:
    """A discount or tax line with those *members* of it that the contract knows."""
    return {**{name: line[name] for name in members if name in line}, "amountTotal": _amount(line["amountTotal"])}


def _amount(amount: Any) -> Json:
    return money.of(money.value(amount) or 0, money.currency(amount) or "")


def _varied(items: Sequence[Json], member: str) -> list[Json]:
    """*items*, the first of each plu before the second of any, and those with the most of *member* before others."""
    seen: Counter[str] = Counter()
    ranked = []
    for each in sorted(items, key=lambda item: -len(item[member])):
        seen[each["plu"]] += 1
        ranked.append((seen[each["plu"]], each))
    return [each for _, each in sorted(ranked, key=lambda ranking: ranking[0])]
