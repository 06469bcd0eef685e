"""
Searches for orders that tell the most of an EPOS: which values to ask for, and which filters to ask for together.
"""

from __future__ import annotations

import functools
import itertools

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from epos_conformance import _contracts, bodies, searching, shown
from epos_conformance.exceptions import Inconclusive
from epos_conformance.filters import BY_ID, Filter, Narrowing
from epos_conformance.following import Row
from epos_conformance.partner import Partner
from epos_conformance.settling import settled


#: Values that each filter is tried with.
MOST_VALUES = 4

#: Of each filter, the values that combinations are made of, and how many of those are looked at.
_MOST_COMBINED = 8
_MOST_PRODUCTS = 200

#: Member of ``dineIn`` -> its filter.
FILTERS: Mapping[str, Filter] = {each.name.rpartition(".")[2]: each for each in BY_ID["SearchOrders"]}


def _is_payable(row: Row) -> bool | None:
    said = row.get("payable")
    if isinstance(said, bool):
        return said
    # It may be left out; some orders can't be paid whatever they say.
    return False if row.get("status") in ("Canceled", "Failed") or shown.is_fully_paid(row) else None


PAYABLE = Narrowing("payableOnly", {"payableOnly": True}, _is_payable)


# What there is to search for


def rows_of_venue(partner: Partner) -> list[Row]:
    """
    The orders that a search without filters shows; where it shows none, one that we make.
    """
    rows = [row for row in partner.venue.orders if isinstance(row.get("id"), str)]
    if rows:
        return rows
    id = partner.make("order").ids["orderId"]
    rows = settled(
        partner, lambda: searching.search(partner, {}), lambda found: any(each["id"] == id for each in found)
    )
    if not rows:
        raise Inconclusive("a search without filters shows no order, not even one that was just created")
    return rows


def rows_with(partner: Partner, name: str) -> list[Row]:
    """
    The orders of the venue; where none has what the filter *name* asks for, with one that we make for it, if we can.
    """
    rows = rows_of_venue(partner)
    if FILTERS[name].seen(rows) or partner.settings.read_only or not partner.offers("CreateOrder"):
        return rows
    venue = partner.venue
    known = {
        "tableId": venue.table_ids,
        "waiterId": [venue.waiter_id] if venue.waiter_id else [],
        "partyId": venue.ids("party"),
        "reservationId": venue.ids("reservation"),
    }
    if not known[name]:
        return rows
    dine_in = {**({"tableId": venue.table_ids[0]} if venue.table_ids else {}), name: known[name][0]}
    capability = _contracts.capabilities()["CreateOrder"]
    details = {"details": {"orderType": "DineIn", "dineIn": dine_in}}
    made = partner.attempt(capability, capability.examples[0], extra=details)
    if not isinstance(made.result, dict) or not isinstance(id := made.result.get("id"), str):
        return rows
    row = settled(partner, lambda: searching.row_of(partner, id), lambda found: found is not None)
    return [*rows, row] if row is not None else rows


# What to search for


def values(name: str, rows: Sequence[Row]) -> list[str]:
    """
    Values of the filter *name* that *rows* show: of many orders and of one, of the newest and of the oldest, odd ones.
    """
    seen = FILTERS[name].seen(rows)
    by_count = [value for value, _ in seen.most_common()]
    odd = [value for value in seen if quote(value, safe="") != value]
    return list(dict.fromkeys([*by_count[:1], *odd[:1], *by_count[-1:], *seen, *odd]))[:MOST_VALUES]


def strangers(name: str, rows: Sequence[Row]) -> list[str]:
    """
    Values that no order has: one like those that are there, the beginning of one, for filters that compare parts, and
    patterns of one, for filters that compare with LIKE.
    """
    seen = FILTERS[name].seen(rows)
    beginnings = (value[:-1] for value in seen if value[:-1].strip() and value[:-1] not in seen)
    return [bodies.unlike(list(seen)), *itertools.islice(beginnings, 1), *bodies.patterns(seen)]


def together(parts: Sequence[Narrowing]) -> Narrowing:
    """All *parts* in one search."""
    return functools.reduce(Narrowing.and_, parts)


def all_of(row: Row) -> list[Narrowing]:
    """Every filter that *row* passes."""
    found = [each.at(value) for each in FILTERS.values() for value in each.values(row) or ()]
    return [*found, PAYABLE] if PAYABLE.passes(row) else found


def combinations(rows: Sequence[Row]) -> Iterator[Narrowing]:
    """
    Filters that tell more together than each tells alone: two that no order meets both of, though some meet each; two
    of which one leaves out what the other finds; and a third on top of them.
    """
    every = {name: [each.at(value) for value, _ in each.seen(rows).most_common()] for name, each in FILTERS.items()}
    every["payableOnly"] = [PAYABLE]
    found = {
        name: [_Found(each, frozenset(row["id"] for row in rows if each.passes(row))) for each in some[:_MOST_COMBINED]]
        for name, some in every.items()
    }
    pairs = itertools.combinations(found, 2)
    # The last of three is the one that would be forgotten; the order of the others is no matter.
    triples = (each for each in itertools.permutations(found, 3) if each[0] < each[1])
    for names in itertools.chain(pairs, triples):
        products = itertools.islice(itertools.product(*(found[name] for name in names)), _MOST_PRODUCTS)
        ranked = [(rank, each) for each in products if (rank := _rank([part.ids for part in each]))]
        if ranked:
            yield together([part.wanted for part in min(ranked, key=lambda each: each[0])[1]])


@dataclass(frozen=True, slots=True)
class _Found:
    """A filter, and the orders that it finds by itself."""

    wanted: Narrowing
    ids: frozenset[str]


def _rank(parts: Sequence[frozenset[str]]) -> int | None:
    """How much it tells to search for all *parts* together, the most first; None where nothing."""
    *others, last = parts
    first = others[0].intersection(*others)
    both = first & last
    if not first or not last or both == first:
        return None
    # Whichever were forgotten, or if any of them were enough, orders would be found that must not be.
    return 1 if not both else 2 if both != last else 3
