"""
Orders as the partner shows them: a variety of them read once in a run, and the rows of its search.

An order is an order wherever it is answered, so what is true of orders is judged in both places. Nothing counts that
is not so when it is asked for again: a venue lives.
"""

from __future__ import annotations

import contextlib
import functools
import itertools

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from epos_conformance import _contracts, answers, money, searching
from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import preview
from epos_conformance.following import Row
from epos_conformance.partner import Partner
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding


#: Orders of different kinds that are read by their ids, once in a run.
MOST_READ = 30
#: How many of them are chosen by the variety of their members; the others by what has been seen to go wrong.
_BY_MEMBERS = 16
#: Of each kind that is looked for.
_OF_A_KIND = 2

#: Orders that are told of one rule, and that are asked for again before it is told.
MOST_TOLD = 5
_MOST_AGAIN = 20

#: What of an order's name the terminal shows.
LONGEST_NAME = 24

#: Statuses of orders that nothing is done about any more.
CLOSED = frozenset({"Finalized", "Canceled", "Failed"})

Judge = Callable[[Row], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Shown:
    """
    An order, and what it was answered by.
    """

    id: str
    order: Any
    capability: str
    #: Whether the suite made it and nobody else changes it.
    own: bool = False

    @property
    def where(self) -> str:
        """For findings."""
        row = "the row of " if self.capability == "SearchOrders" else ""
        return f"{self.capability}, {row}{self.id!r}" if row else f"{self.capability} of {self.id!r}"


def orders(partner: Partner) -> list[Shown]:
    """
    The orders that were read, then the rows of the search.

    Raises `Inconclusive` where there is no order to be read.
    """
    found = [each for each in read(partner) if isinstance(each.order, dict)]
    if not found:
        raise Inconclusive(f"GetOrderById shows no order: {partner.exchanges[-1].seen}")
    return [*found, *(Shown(row["id"], row, "SearchOrders") for row in rows(partner))]


def read(partner: Partner) -> list[Shown]:
    """
    A variety of orders, as GetOrderById shows them: once in a run. `Shown.order` is whatever was answered.
    """
    if partner not in _READ:
        _READ[partner] = partner.once("orders that are read", lambda: _read(partner))
    return _READ[partner]


#: By check, so that the conversation is told once in each.
_READ: WeakKeyDictionary[Partner, list[Shown]] = WeakKeyDictionary()


def _read(partner: Partner) -> list[Shown]:
    capability = _contracts.capabilities()["GetOrderById"]
    found = []
    for id in _choice(partner) or [partner.existing("order")]:
        exchange = partner.read(capability, id)
        if exchange is not None:
            result = exchange.result
            found.append(Shown(id, result if isinstance(result, dict) else exchange.seen, capability.name))
    return [*found, *_read_own(partner)]


def _read_own(partner: Partner) -> list[Shown]:
    """An order that Dojo has created, and the same with a payment: none where it can't."""
    if not partner.offers("CreateOrder") or partner.settings.read_only:
        return []
    found: list[Shown] = []
    with contextlib.suppress(Inconclusive):
        made = partner.make("order")
        id = made.ids["orderId"]
        look = functools.partial(partner.call, "GetOrderById", {"orderId": id})
        exchange = settled(partner, look, lambda each: isinstance(each.result, dict))
        if isinstance(exchange.result, dict):
            found.append(Shown(id, exchange.result, "GetOrderById", own=True))
        # Intents that the user supplies are kept for the rules about payments.
        if partner.offers("RecordOrderPaymentById") and not partner.settings.intents.ids:
            found += _pay(partner, id, made.answer, 1, 1)
    return found


def rows(partner: Partner) -> list[Row]:
    """The first orders that a search shows, those that have an id."""
    return [row for row in partner.venue.orders if isinstance(row.get("id"), str) and row["id"]]


def _choice(partner: Partner) -> list[str]:
    """Ids of orders that differ."""
    every = rows(partner)
    ids = {row["id"] for row in every}
    # An id that is part of another's, that a search for texts might take for it.
    parts = {each for each in ids if any(each in other for other in ids - {each})}
    chosen = [*partner.venue.known.orders, *(row["id"] for row in (*every[:1], *every[-1:]))]
    for tells in _TELLING:
        chosen += itertools.islice((row["id"] for row in every if tells(row)), _OF_A_KIND)
    chosen += itertools.islice((row["id"] for row in every if row["id"] in parts), _OF_A_KIND)
    by_members = partner.venue.variety("order", MOST_READ)
    first = [*chosen[: MOST_READ - _BY_MEMBERS], *by_members[:_BY_MEMBERS]]
    return list(dict.fromkeys([*first, *chosen, *by_members]))[:MOST_READ]


def is_fully_paid(order: Row) -> bool:
    """Whether *order* cost something, and all of it is paid."""
    total, paid = money.total(order), money.paid(order)
    return total is not None and paid is not None and total > 0 and paid >= total


def name_on_terminal(order: Row) -> tuple[str, str]:
    """The path of the member that *order* is called by on the terminal, and what it is called."""
    named = (("$.displayName", order), ("$.details.dineIn.tableId", dine_in(order)), ("$.id", order))
    for where, holder in named:
        name = holder.get(where.rpartition(".")[2])
        if isinstance(name, str) and name:
            return where, name
    return "$.id", ""


def listed(holder: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects in the list *name* of *holder*, whatever that is."""
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def dine_in(order: Row) -> Mapping[str, Any]:
    """``details.dineIn`` of *order*; empty where there is none."""
    details = order.get("details")
    found = details.get("dineIn") if isinstance(details, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _has_multiplied_extras(row: Row) -> bool:
    return any(each.get("quantity") != 1 and listed(each, "modifiers") for each in listed(row, "items"))


#: Rows of which something may be wrong that is right in plain ones.
_TELLING: Sequence[Callable[[Row], bool]] = (
    lambda row: len(money.payments(row)) > 1,
    lambda row: any(money.value(each.get("tipsAmount")) for each in money.payments(row)),
    is_fully_paid,
    lambda row: bool(money.payments(row)) and not is_fully_paid(row),
    _has_multiplied_extras,
    lambda row: any(listed(each, "subItems") for each in listed(row, "items")),
    lambda row: bool(listed(row, "discounts")),
    lambda row: bool(money.value(row.get("serviceChargeAmount"))),
    lambda row: quote(row["id"], safe="") != row["id"],
)


# Judging


def require(
    partner: Partner,
    judge: Judge,
    *,
    among: Callable[[Row], bool] = lambda _: True,
    lacking: str = "no order could be seen",
    besides: Iterable[Shown] = (),
    in_rows: bool = True,
) -> list[Shown]:
    """
    Demand that *judge* finds nothing in the orders *among* those shown, nor in those *besides*; these orders.

    *in_rows* says whether the rows of the search count. Raises `Inconclusive` with what is *lacking* where there is
    none. A finding has to show again.
    """
    every = [each for each in (*besides, *orders(partner)) if among(each.order)]
    every = [each for each in every if in_rows or each.capability != "SearchOrders"]
    if not every:
        raise Inconclusive(f"{lacking}; open one at the till, or name it as data.orders in partner.toml")
    answers.violate(findings(partner, every, lambda each: judge(each.order)))
    return every


def findings(partner: Partner, every: Iterable[Shown], judge: Callable[[Shown], Iterable[Finding]]) -> list[Finding]:
    """
    What *judge* finds in *every* order, and finds when it is asked for again; of a few orders.
    """
    found: list[Finding] = []
    told: set[str] = set()
    for each in itertools.islice((each for each in every if any(judge(each))), _MOST_AGAIN):
        if each.id in told or len(told) >= MOST_TOLD:
            continue
        now = each if each.own else again(partner, each)
        if now is not None and (seen := list(judge(now))):
            told.add(each.id)
            found += (replace(finding, where=f"{now.where}, {finding.where}") for finding in seen)
    return found


def again(partner: Partner, shown: Shown) -> Shown | None:
    """
    The same order, asked for again; None where it is gone.
    """
    if shown.capability == "SearchOrders":
        found = searching.row_of(partner, shown.id)
        return None if found is None else replace(shown, order=found)
    exchange = partner.read(_contracts.capabilities()[shown.capability], shown.id)
    if exchange is None or not isinstance(exchange.result, dict):
        return None
    return replace(shown, order=exchange.result)


# Orders with payments


def paid(partner: Partner) -> list[Shown]:
    """
    An order of which the smallest amount was paid with the smallest tip: none where no payment can be recorded.

    For rules about payments, at a venue where no order has any.
    """
    if partner.settings.read_only or not partner.offers("RecordOrderPaymentById"):
        return []
    try:
        return partner.once("an order with a payment", lambda: _paid(partner, 2, 1, 1))
    except Inconclusive:
        return []


def paid_off(partner: Partner) -> list[Shown]:
    """
    An order of our own that is paid to the last unit: none where orders can't be made and paid.
    """
    if partner.settings.read_only or not (partner.offers("RecordOrderPaymentById") and partner.offers("CreateOrder")):
        return []
    try:
        return partner.once("an order of our own, paid off", lambda: _paid(partner, 1, None, 0))
    except Inconclusive:
        return []


def _paid(partner: Partner, owed: int, amount: int | None, tip: int) -> list[Shown]:
    order = partner.order(owed)
    id = str(order["id"])
    if amount is None:
        # What the venue is owed stays owed.
        amount = money.owed(order) if partner.owns(id) else None
    return _pay(partner, id, order, amount, tip) if amount else []


def _pay(partner: Partner, id: str, order: Any, amount: int, tip: int) -> list[Shown]:
    """The *order* of that *id* with a payment more, as GetOrderById shows it: none where it isn't recorded."""
    total = order.get("totalAmount") if isinstance(order, Mapping) else None
    code = money.currency(total) or partner.venue.currency
    intent = partner.intent(amount)
    params = {"orderId": id, "paymentIntentId": intent, "paidAmount": money.of(amount, code)}
    params |= {"tipsAmount": money.of(tip, code)} if tip else {}
    if not partner.call("RecordOrderPaymentById", params).succeeded:
        return []
    found = settled(
        partner,
        lambda: partner.call("GetOrderById", {"orderId": id}).result,
        lambda each: isinstance(each, dict) and money.payment(each, intent) is not None,
    )
    return [Shown(id, found, "GetOrderById", own=True)] if isinstance(found, dict) else []


def words(value: Any) -> str:
    """*value* in a few words, for findings."""
    if isinstance(value, Mapping) and money.value(value) is not None:
        return money.shown(value)
    return "nothing there" if value is None else preview(value, 120)
