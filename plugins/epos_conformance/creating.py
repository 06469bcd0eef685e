"""
Creating orders for a check, reading what became of them, and demanding that they were kept.
"""

from __future__ import annotations

import uuid

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from epos_conformance import answers, order_versions, ordering
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.exchange import Exchange, preview
from epos_conformance.kept import Comparison
from epos_conformance.ordering import Json, Ordering, Version
from epos_conformance.settling import settled
from epos_conformance.venue import rows_of
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: Versions that are judged, of those that are taken; when twice as many are refused, it is given up.
MOST_JUDGED = 4

#: Differences that are told of one order.
MOST_FINDINGS = 6

#: Pages of a search that an order is looked for on.
MOST_PAGES = 30

#: Headers to send a version with, where they are not the usual ones.
Headers = Callable[[Version], Mapping[str, str] | None]


def book(partner: Partner) -> Ordering:
    """What can be ordered at this partner's venue."""
    return ordering.of(partner.venue)


# Creating


def create(partner: Partner, version: Version, headers: Mapping[str, str] | None = None) -> tuple[Json, Exchange]:
    """
    Order *version*, where it may be at another table if it is refused; what was sent, and what came.
    """
    order, body = book(partner), version.body
    refused: list[Json] = []
    exchange = partner.call("CreateOrder", body, headers=headers)
    while exchange.refused and version.anywhere and len(refused) < 2 and (other := order.elsewhere(body)):
        refused.append(body)
        body = other
        exchange = partner.call("CreateOrder", body, headers=headers)
    if exchange.succeeded:
        order.taken_at(body, *refused)
    return body, exchange


def require_no_crash(partner: Partner, version: Version, crashed: Exchange) -> None:
    """
    Raise `Violation` where *version*, on which the partner *crashed*, crashes it again, and a plain order doesn't.
    """
    if version.made_up:
        return
    plain = partner.call("CreateOrder", next(order_versions.simple(book(partner))).body)
    again = partner.call("CreateOrder", {**version.body, "dojoOrderId": str(uuid.uuid4())})
    if plain.succeeded and again.crashed:
        raise Violation(Finding(f"CreateOrder ({version.title})", "an order, or a refusal", crashed.seen))


def taken(
    partner: Partner,
    versions: Iterable[Version],
    *,
    headers: Headers | None = None,
    most: int = MOST_JUDGED,
    keep: bool = False,
    crashing: bool = True,
) -> Iterator[tuple[Version, Json, Exchange]]:
    """
    Those of *versions* that the partner takes, with what was sent and what came; canceled again unless *keep* says so.

    Raises `Inconclusive` with its words where it takes none, `Violation` where it crashes and not even that is
    allowed (*crashing*).
    """
    words: list[str] = []
    number = 0
    for version in versions:
        body, exchange = create(partner, version, headers(version) if headers else None)
        if exchange.succeeded:
            number += 1
            yield version, body, exchange
            if not keep:
                cancel(partner, exchange)
        else:
            if exchange.crashed and not crashing:
                require_no_crash(partner, version, exchange)
            words.append(f"{version.title}: {exchange.seen}")
        if number == most or len(words) == 2 * most:
            break
    if not words and not number:
        raise Inconclusive("nothing is known that could be ordered so; name what there is under [data] in partner.toml")
    if not number:
        tried = "; ".join(words[:3])
        raise Inconclusive(f"no order of this kind is taken ({tried}); name what there is under [data] in partner.toml")
    partner.notes += [f"not taken: {each}" for each in words]


def cancel(partner: Partner, made: Exchange) -> None:
    """Cancel the order *made*, where that is offered: a till may have room for one order at a table."""
    if partner.offers("CancelOrderById") and isinstance(made.result, dict) and isinstance(made.result.get("id"), str):
        partner.call("CancelOrderById", {"orderId": made.result["id"]})


def id_of(exchange: Exchange) -> str:
    """The id of the order answered."""
    found = exchange.result.get("id") if isinstance(exchange.result, dict) else None
    if not isinstance(found, str):
        raise Inconclusive(f"the answer carries no id of the order: {exchange.seen}")
    return found


# Reading


def read(partner: Partner, id: str, agrees: Callable[[Any], bool]) -> tuple[str, Any]:
    """
    How and as what the order *id* can be read, as soon as it *agrees* or the settle time is over; None where it can't.
    """
    if partner.offers("GetOrderById"):
        exchange = settled(
            partner, lambda: partner.call("GetOrderById", {"orderId": id}), lambda each: agrees(each.result)
        )
        return "GetOrderById afterwards", exchange.result
    if partner.offers("SearchOrders"):
        row, _ = settled(partner, lambda: search(partner, id, {}), lambda seen: agrees(seen[0]))
        return "SearchOrders afterwards", row
    return "", None


def search(partner: Partner, id: str, query: Json) -> tuple[Any, str | None]:
    """
    The row of the order *id* in what *query* finds, None where it isn't there; and why that is no proof, if it is none.
    """
    cursor: Json = {"limit": 100}
    for _ in range(MOST_PAGES):
        exchange = partner.call("SearchOrders", {**query, "cursor": cursor})
        if not exchange.succeeded and "after" not in cursor:
            exchange = partner.call("SearchOrders", query)  # an EPOS may allow less than the contract does
        if not exchange.succeeded:
            return None, exchange.seen
        rows = rows_of(exchange.result)
        if row := next((each for each in rows if each.get("id") == id), None):
            return row, None
        after = exchange.result.get("after") if isinstance(exchange.result, dict) else None
        if not isinstance(after, str) or not after or not rows:
            return None, None
        cursor = {"limit": 100, "after": after}
    return None, f"it is not on the first {MOST_PAGES} pages"


def judge(
    partner: Partner,
    member: str,
    compare: Comparison,
    versions: Iterable[Version],
    *,
    headers: Headers | None = None,
    most: int = MOST_JUDGED,
    crashing: bool = False,
) -> None:
    """
    Demand that orders of *versions* are kept: *compare* finds nothing in the answer, nor when they are read.

    An answer may leave the *member* out that it is about, if it shows when the order is read.
    """
    seen = False
    for version, body, exchange in taken(partner, versions, headers=headers, most=most, crashing=crashing):
        shown = exchange.result
        steps: dict[str, list[Finding]] = {}
        if isinstance(shown, dict) and member in shown:
            steps["CreateOrder's answer"] = list(compare(body, shown))
        how, found = read(partner, id_of(exchange), partial(is_kept, compare, body))
        if isinstance(found, dict):
            steps[how] = list(compare(body, found))
        seen = seen or bool(steps)
        require_kept(version, steps)
    if not seen:
        raise Inconclusive(f"orders don't show their {member}, neither in the answer nor when they are read")


def is_kept(compare: Comparison, body: Json, order: Any) -> bool:
    return isinstance(order, dict) and not list(compare(body, order))


def require_kept(version: Version, steps: Mapping[str, list[Finding]]) -> None:
    """Raise `Violation` with what was found at each of the *steps*, what is the same at two of them once."""
    where: dict[Finding, list[str]] = {}
    for step, findings in steps.items():
        for each in findings:
            where.setdefault(each, []).append(step)
    told = [replace(each, where=f"{' and '.join(where[each])} ({version.title}), {each.where}") for each in where]
    if told and version.unknown:
        raise Inconclusive(f"{version.title} may not exist, and wasn't kept; name one that does in partner.toml")
    answers.violate(told[:MOST_FINDINGS])


# Searching


def require_found(
    partner: Partner, version: Version, body: Json, exchange: Exchange, controls: Sequence[Mapping[str, Any]]
) -> None:
    """
    Demand that the order created is found by every search that fits it.

    Whether filters work at all is for other rules: one that finds no *controls*, orders of before, proves nothing.
    """
    id = id_of(exchange)
    row, why = sought(partner, id, {})
    by_place = {name: value for name, value in ordering.place(body).items() if name in FILTERS}
    queries: list[Json] = [{"dineIn": {name: value}} for name, value in by_place.items()]
    if row is None and why is not None and queries:
        row, why = sought(partner, id, queries[0])  # fewer to look through
    if row is None:
        if why is not None:
            raise Inconclusive(f"the search can't be walked to its end: {why}")
        raise Violation(
            Finding(f"SearchOrders after CreateOrder ({version.title})", f"the order {id}", "it isn't found")
        )
    if row.get("payable") is True:
        queries.append({"payableOnly": True})
    for query in queries:
        found, why = sought(partner, id, query)
        if found is None and why is None and works(partner, query, controls):
            where = f"SearchOrders with {preview(query)} after CreateOrder ({version.title})"
            raise Violation(Finding(where, f"the order {id}, which a search without filters finds", "it isn't found"))


FILTERS = ("tableId", "waiterId", "partyId", "reservationId")


def sought(partner: Partner, id: str, query: Json) -> tuple[Any, str | None]:
    """What `search` finds as soon as it finds the order, or the settle time is over."""
    return settled(partner, lambda: search(partner, id, query), lambda seen: seen[0] is not None)


def works(partner: Partner, query: Json, controls: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the filter of *query* finds one of a few orders of before that fit it."""
    fitting: list[tuple[str, Json]] = []
    for row in controls:
        name = next(iter(query.get("dineIn", ())), None)
        own = ordering.place(row).get(name) if name else None
        if isinstance(own, str):
            fitting.append((str(row.get("id")), {"dineIn": {name: own}}))
        elif name is None and row.get("payable") is True:
            fitting.append((str(row.get("id")), query))
    return any(search(partner, id, each)[0] is not None for id, each in fitting[:3])
