"""
Creating orders for a check, reading what became of them, and demanding that they were kept.
"""

from __future__ import annotations

import uuid

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from epos_conformance import answers, following, order_versions, ordering
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.exchange import Exchange, preview
from epos_conformance.following import rows_of
from epos_conformance.kept import Comparison
from epos_conformance.ordering import Json, Ordering, Version
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

T = TypeVar("T")

#: Versions that are judged, of those that are taken; when twice as many are refused, it is given up.
MOST_JUDGED = 4

#: Differences that are told of one order.
MOST_FINDINGS = 6

#: Pages of a search that an order is looked for on.
MOST_PAGES = 30

#: What helps where nothing is taken.
HINT = "name what there is under [data] in partner.toml"

#: Headers to send a version with, where they are not the usual ones.
Headers = Callable[[Version], Mapping[str, str] | None]


def book(partner: Partner) -> Ordering:
    """What can be ordered at this partner's venue."""
    partner.settle_currency()
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


def renewed(body: Json) -> Json:
    """*body*, as another order."""
    return {**body, "dojoOrderId": str(uuid.uuid4())}


def require_no_crash(partner: Partner, version: Version, crashed: Exchange) -> None:
    """
    Raise `Violation` where *version*, on which the partner *crashed*, crashes it again, and a plain order doesn't.
    """
    if version.made_up:
        return
    plain = partner.call("CreateOrder", next(order_versions.simple(book(partner))).body)
    again = partner.call("CreateOrder", renewed(version.body))
    if plain.succeeded and again.crashed:
        raise Violation(Finding(f"CreateOrder ({version.title})", "an order, or a refusal", crashed.seen))


def taken(
    partner: Partner,
    versions: Iterable[Version],
    *,
    headers: Headers | None = None,
    most: int = MOST_JUDGED,
    crashing: bool = True,
    room: Callable[[], bool] = lambda: False,
    hint: str = HINT,
) -> Iterator[tuple[Version, Json, Exchange]]:
    """
    Those of *versions* that the partner takes, with what was sent and what came; *room* makes room for another where
    it can.

    Raises `Inconclusive` with its words and a *hint* where it takes none, `Violation` where it crashes and not even
    that is allowed (*crashing*).
    """
    words: list[str] = []
    refused: list[Exchange] = []
    number = 0
    for version in versions:
        held = headers(version) if headers else None
        body, exchange = create(partner, version, held)
        if exchange.error is not None and exchange.error.type == "Conflict" and room():
            body, exchange = create(partner, replace(version, body=renewed(version.body)), held)
        if exchange.succeeded:
            number += 1
            yield version, body, exchange
        else:
            if exchange.crashed and not crashing:
                require_no_crash(partner, version, exchange)
            words.append(f"{version.title}: {exchange.seen}")
            refused.append(exchange)
        if number == most or len(words) == 2 * most:
            break
    if not words and not number:
        raise Inconclusive(f"nothing is known that could be ordered so; {hint}")
    if not number:
        tried = "; ".join(words[:3])
        message = f"no order of this kind is taken ({tried}); {hint}{partner.venue.currency_hint}"
        if all(each.refused for each in refused):
            raise NoneTaken(message, refused[0].seen)
        raise Inconclusive(message)
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
    count = 0
    for exchange in following.pages(partial(partner.call, "SearchOrders"), query, most=MOST_PAGES):
        if not exchange.succeeded:
            return None, exchange.seen
        if row := next((each for each in rows_of(exchange.result) if each.get("id") == id), None):
            return row, None
        count += 1
    return None, f"it is not on the first {MOST_PAGES} pages" if count == MOST_PAGES else None


class NoneTaken(Inconclusive):
    """
    The partner takes no order of a kind, and refuses each that was tried in good order.
    """

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        #: What it says to the first.
        self.words = words


class _Keeping:
    """
    Whether orders are kept: those answered are looked at together, after as short a while as an EPOS needs for one.
    """

    def __init__(self, partner: Partner, member: str, compare: Comparison) -> None:
        self._partner = partner
        self._member = member
        self._compare = compare
        self._waiting: list[tuple[Version, Json, Exchange]] = []
        #: Orders that can't be read are another rule's business, and waited for once.
        self._readable = True
        self.seen = False

    def answered(self, version: Version, body: Json, exchange: Exchange) -> None:
        """Judge the answer; it may leave the member out that the rule is about."""
        shown = exchange.result
        if isinstance(shown, dict) and self._member in shown:
            self.seen = True
            if list(self._compare(body, shown)):
                self._read(version, body, exchange, settle=False)
        self._waiting.append((version, body, exchange))

    def look(self) -> bool:
        """Read what was made, judge it and cancel it; whether there was something."""
        found = bool(self._waiting)
        while self._waiting:
            version, body, exchange = self._waiting.pop(0)
            self._read(version, body, exchange, settle=self._readable)
            cancel(self._partner, exchange)
        return found

    def _read(self, version: Version, body: Json, exchange: Exchange, *, settle: bool) -> None:
        shown = exchange.result if isinstance(exchange.result, dict) else {}
        steps: dict[str, list[Finding]] = {}
        if self._member in shown:
            steps["CreateOrder's answer"] = list(self._compare(body, shown))
        if isinstance(id := shown.get("id"), str) and self._readable:
            agrees = partial(is_kept, self._compare, body) if settle else lambda _: True
            how, found = read(self._partner, id, agrees)
            if isinstance(found, dict):
                steps[how] = list(self._compare(body, found))
            self._readable = isinstance(found, dict)
        self.seen = self.seen or bool(steps)
        require_kept(version, steps)


def judge(
    partner: Partner,
    member: str,
    compare: Comparison,
    versions: Iterable[Version],
    *,
    headers: Headers | None = None,
    most: int = MOST_JUDGED,
    crashing: bool = False,
    hint: str = HINT,
) -> None:
    """
    Demand that orders of *versions* are kept: *compare* finds nothing in the answer, nor when they are read.

    An answer may leave the *member* out that it is about, if it shows when the order is read.
    """
    keeping = _Keeping(partner, member, compare)
    for each in taken(partner, versions, headers=headers, most=most, crashing=crashing, room=keeping.look, hint=hint):
        keeping.answered(*each)
    keeping.look()
    if not keeping.seen:
        raise Inconclusive(f"orders don't show their {member}, neither in the answer nor when they are read")


def judge_if_sold(
    partner: Partner, part: str, what: str, compare: Comparison, versions: Iterable[Version], *, hint: str = HINT
) -> None:
    """
    `judge` items with a *part* (``subItems``), which make them *what* the venue may not sell.

    Raises `NotOffered` where no order shows any, all of ours with some are refused in good order, and one without is
    taken.
    """
    try:
        judge(partner, "items", compare, versions, hint=hint)
    except NoneTaken as error:
        if any(_has(part, each) for row in book(partner).orders for each in row["items"]):
            raise
        _, plain = create(partner, next(order_versions.simple(book(partner))))
        if not plain.succeeded:
            raise
        cancel(partner, plain)
        help = "if they are, open an order with some at the till"
        raise NotOffered(f"{what} are not sold, and no order shows any ({error.words}); {help}") from None


def _has(part: str, item: Any) -> bool:
    """Whether *item*, or one of its sub-items, has any *part*."""
    if not isinstance(item, Mapping):
        return False
    below = item.get("subItems")
    return bool(item.get(part)) or (isinstance(below, list) and any(_has(part, each) for each in below))


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
        row, unsure = sought(partner, id, queries[0])  # fewer to look through
        why = unsure if row is not None or works(partner, queries[0], controls) else why
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
