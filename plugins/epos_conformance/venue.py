"""
What the partner's venue holds: seen through its own searches, and named in ``partner.toml``.

Real tills refuse tables, items and currencies that they don't know, so requests are built from what is there. Each
list is asked for once and kept; what could not be learnt has its reason in `Venue.unknown`.
"""

from __future__ import annotations

import datetime
import itertools
import random
import uuid

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from typing import Any, TypeGuard
from urllib.parse import quote

from epos_conformance import arithmetic, following
from epos_conformance._settings import KnownData
from epos_conformance.arithmetic import Arithmetic, Parts
from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import Exchange
from epos_conformance.following import PAGE, Row, rows_of
from epos_conformance.intents import Intents


#: Payable orders among those seen, with which no more are looked for.
_ENOUGH_PAYABLE = 10
#: Enough of a busy venue to find what is needed, few enough not to burden it; an EPOS may have small pages.
_MOST_ROWS = 300
_MOSTPAGES = 30

#: Sold nowhere; used where the venue shows no item and none is named.
_INVENTED_ITEM = {"plu": "CONFORMANCE-1", "name": "Conformance item", "amount": 250}


#: As the examples of the documentation have it.
_DOCUMENTED_STATUS = "Ordered"

#: Things with ids -> what lists of them are called, in `Venue` and in ``partner.toml``.
PLURALS = {"order": "orders", "party": "parties", "reservation": "reservations"}


class Venue:
    """
    Test data of one partner.

    *ask* sends a request that belongs to no check: ``ask("SearchOrders", {...})``.
    """

    def __init__(
        self,
        ask: Callable[[str, Mapping[str, Any]], Exchange],
        offered: frozenset[str],
        known: KnownData,
        seed: int,
        intents: Intents | None = None,
    ) -> None:
        self._ask = ask
        self._offered = offered
        self.known = known
        self.intents = intents or Intents()
        #: Statuses that the partner answered for parties that the suite made.
        self.given_statuses: list[str] = []
        #: The currency where nothing tells it, and whether an order in it was taken.
        self._guessed, self._takes_guessed = "GBP", False
        #: What could not be learnt -> why.
        self.unknown: dict[str, str] = {}
        # Workers start at different places, so that they don't want the same table at the same time.
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self._turn = itertools.count(seed)

    def _search(self, capability: str, query: Mapping[str, Any]) -> list[Row]:
        """
        The first rows that *capability* finds; a capability that isn't offered or fails finds none.
        """
        if capability not in self._offered:
            self.unknown[capability] = f"{capability} isn't offered"
            return []
        found: list[Row] = []
        try:
            for exchange in following.pages(partial(self._ask, capability), query, most=_MOSTPAGES):
                if not exchange.succeeded:
                    self.unknown[capability] = str(exchange)
                    return found
                found += rows_of(exchange.result)
                if len(found) >= _MOST_ROWS:
                    break
        except Inconclusive as error:
            self.unknown[capability] = str(error)
            return found
        if not found:
            self.unknown.setdefault(capability, f"{capability} finds nothing")
        return found

    @cached_property
    def orders(self) -> list[Row]:
        """
        Orders, payable or not: in a till that keeps whatever was canceled, the open ones may lie behind hundreds.
        """
        found = self._search("SearchOrders", {})
        if len(found) < PAGE or sum(row.get("payable") is True for row in found) >= _ENOUGH_PAYABLE:
            return found
        seen = {row.get("id") for row in found}
        return [
            *(row for row in self._search("SearchOrders", {"payableOnly": True}) if row.get("id") not in seen),
            *found,
        ]

    @cached_property
    def tables(self) -> list[Row]:
        return self._search("SearchTables", {})

    @cached_property
    def areas(self) -> list[Row]:
        if "ListAreas" not in self._offered:
            return []
        try:
            result = self._ask("ListAreas", {}).result
        except Inconclusive as error:
            self.unknown["ListAreas"] = str(error)
            return []
        return [row for row in result if isinstance(row, dict)] if isinstance(result, list) else []

    @cached_property
    def parties(self) -> list[Row]:
        """Parties that have not left."""
        return self._search("SearchParties", {})

    def hear_status(self, party: Any) -> None:
        """Remember the status that the partner answered for a *party* of ours."""
        status = party.get("status") if isinstance(party, Mapping) else None
        if is_status(status) and status not in self.given_statuses:
            self.given_statuses.append(status)

    @property
    def statuses(self) -> list[str]:
        """What the partner calls the statuses of parties: of our own, then of the venue's."""
        seen = (row.get("status") for row in self.parties)
        return list(dict.fromkeys([*self.given_statuses, *(each for each in seen if is_status(each))]))

    @cached_property
    def reservations(self) -> list[Row]:
        return self._search("SearchReservations", {})

    def payable_orders(self) -> list[str]:
        """
        Ids of orders that may be paid a little: those named, else those seen payable, the largest first.
        """
        if self.known.orders:
            return list(self.known.orders)
        payable = [row for row in self.orders if row.get("payable") is True and isinstance(row.get("id"), str)]
        return [row["id"] for row in sorted(payable, key=_owed, reverse=True)]

    @property
    def currency(self) -> str:
        """
        The currency that the venue trades in: named, else the one most orders are in, else GBP until `hear_of_order`.
        """
        if self.known.currency:
            return self.known.currency
        seen = self._currencies
        return seen.most_common(1)[0][0] if seen else self._guessed

    @cached_property
    def _currencies(self) -> Counter[str]:
        return Counter(
            total["currencyCode"]
            for row in self.orders
            if isinstance(total := row.get("totalAmount"), dict) and isinstance(total.get("currencyCode"), str)
        )

    @property
    def guesses_currency(self) -> bool:
        """Whether nothing tells the currency: nobody named it, no order shows it, and none of ours was taken."""
        return not (self.known.currency or self._takes_guessed or self._currencies)

    @property
    def currency_hint(self) -> str:
        """What to name beside other data where no order of ours is taken: the currency, if it is a guess."""
        return ", and data.currency" if self.guesses_currency else ""

    def hear_of_order(self, exchange: Exchange) -> None:
        """
        Learn the currency from what came of an order of ours; where it is guessed and refused, the other one is next.
        """
        if exchange.succeeded:
            self._takes_guessed = True
        elif exchange.refused and self.guesses_currency:
            self._guessed = "EUR" if self._guessed == "GBP" else "GBP"
            # What was made with it is in it.
            self.__dict__.pop("items", None)

    @cached_property
    def way(self) -> Arithmetic:
        """How the venue adds up, as its orders do that were not given up."""
        return arithmetic.learnt(row for row in self.orders if row.get("status") not in ("Canceled", "Failed"))

    @cached_property
    def items(self) -> list[dict[str, Any]]:
        """
        Order items that the venue sells, one piece each, plain ones only: named, else seen in orders, else invented.

        Those seen with modifiers or sub-items alone are taken without, where there are no others.
        """
        if self.known.items:
            return [self._item(each) for each in self.known.items]
        rows = [item for row in self.orders for item in row.get("items") or () if _is_sold(item, self.currency)]
        seen: dict[str, dict[str, Any]] = {}
        for item in [each for each in rows if _is_plain(each)] or rows:
            seen.setdefault(item["plu"], {key: item[key] for key in ("plu", "name", "amountPerItem")} | {"quantity": 1})
        return list(seen.values()) or [self._item(_INVENTED_ITEM)]

    def _item(self, named: Mapping[str, Any]) -> dict[str, Any]:
        amount = {"value": named["amount"], "currencyCode": self.currency}
        return {"plu": named["plu"], "name": named["name"], "amountPerItem": amount, "quantity": 1}

    @cached_property
    def table_ids(self) -> list[str]:
        """
        Tables to sit two people at: named, else found by searching, else seen in orders; the free ones first.
        """
        if self.known.tables:
            return list(self.known.tables)
        found = [row["id"] for row in self.tables if isinstance(row.get("id"), str) and _seats(row, 2)]
        if not found:
            places = (_dine_in(row).get("tableId") for row in self.orders)
            found = list(dict.fromkeys(each for each in places if isinstance(each, str) and each))
        taken = {each for row in self.parties for each in row.get("tableIds") or () if isinstance(each, str)}
        return [each for each in found if each not in taken] or found

    @cached_property
    def waiter_id(self) -> str | None:
        """A waiter of the venue whose id a header can carry."""
        if self.known.waiters:
            return self.known.waiters[0]
        serving = itertools.chain.from_iterable(row.get("waiterIds") or () for row in (*self.tables, *self.areas))
        taking = (_dine_in(row).get("waiterId") for row in self.orders)
        return next(
            (
                each
                for each in itertools.chain(serving, taking)
                if isinstance(each, str) and each.isascii() and each.isprintable() and each
            ),
            None,
        )

    def ids(self, kind: str) -> list[str]:
        """
        Ids of existing orders, parties or reservations (*kind*), to read: named, else found by searching.

        Plain ones first: whether others survive in a URL is a rule of its own.
        """
        if named := getattr(self.known, PLURALS[kind]):
            return list(named)
        rows: list[Row] = getattr(self, PLURALS[kind])
        found = [row["id"] for row in rows if isinstance(row.get("id"), str) and row["id"]]
        return sorted(found, key=lambda each: quote(each, safe="") != each)

    def is_gone(self, kind: str, id: str) -> bool:
        """
        Whether what was seen under *id* is no longer there: a venue lives, and other processes of a run tidy up.
        """
        name = PLURALS[kind]
        before: list[Row] = getattr(self, name)
        if not any(row.get("id") == id for row in before):
            return False  # never seen: named by the user, or our own
        self.__dict__.pop(name)
        now: list[Row] = getattr(self, name)
        # A search that finds nothing any more has failed, more likely.
        return bool(now) and not any(row.get("id") == id for row in now)

    def variety(self, kind: str, most: int) -> list[str]:
        """
        Ids as `ids` gives, at most *most*, of things that differ: a fault may show in some rows only.
        """
        ids = self.ids(kind)
        rows = {row["id"]: row for row in getattr(self, PLURALS[kind]) if isinstance(row.get("id"), str)}
        left = {each: _features(rows.get(each, {})) for each in ids}
        chosen: list[str] = []
        while left and len(chosen) < most:
            # Whichever shows the most that none before it has shown; what shows nothing new comes in its own order.
            best = max(left, key=lambda each: len(left[each]))
            news = left.pop(best)
            chosen.append(best)
            left = {each: features - news for each, features in left.items()}
        return chosen

    def named(self, values: Iterable[Any]) -> str | None:
        """The first of *values* that is an id of an order, party or reservation named by the user."""
        known = {*self.known.orders, *self.known.parties, *self.known.reservations}
        return next((each for each in values if isinstance(each, str) and each in known), None)

    def fill(self, template: Any, attempt: int = 0) -> Any:
        """
        *template* with its ``{placeholders}`` replaced by test data; members that there is no data for are left out.

        A higher *attempt* chooses other tables, items and times, after the partner refused the first ones.
        """
        return _fill(template, _Choice(self, next(self._turn), attempt))


class _Choice:
    """
    The values of one request's placeholders; what belongs together (items and their total) is chosen together.
    """

    def __init__(self, venue: Venue, turn: int, attempt: int) -> None:
        self._venue = venue
        self._turn = turn
        self._attempt = attempt
        self._now = datetime.datetime.now(datetime.UTC)
        # An hour at which most restaurants are open; some do lunches only, some dinners, some no bookings far ahead.
        days = venue.random.randint(2, 20) if attempt < 2 else attempt - 1
        self._booking = self._evening(days, venue.random.choice(((18, 19, 20), (12, 13))[attempt % 2]))

    def _evening(self, days: int, hour: int) -> datetime.datetime:
        return (self._now + datetime.timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)

    def value(self, name: str) -> Any:
        """The value for ``{name}``; None where the venue has none."""
        made = _MAKERS[name](self)
        return instant(made) if isinstance(made, datetime.datetime) else made

    def table(self) -> str | None:
        ids = self._venue.table_ids
        return ids[self._turn % len(ids)] if ids else None

    def area(self) -> str | None:
        ids = [row["id"] for row in self._venue.areas if isinstance(row.get("id"), str)]
        named = self._venue.known.areas
        return named[0] if named else ids[0] if ids else None

    def items(self) -> list[dict[str, Any]]:
        items = self._venue.items
        return [{**items[(self._turn + self._attempt) % len(items)], "quantity": 2}]

    def total(self) -> dict[str, Any]:
        return self.money(self._worth() + self._tax())

    def tax_lines(self) -> list[dict[str, Any]]:
        """None where taxes are inside the prices: those needn't be told."""
        tax = self._tax()
        return [{**(self._venue.way.tax_line or {}), "amountTotal": self.money(tax)}] if tax else []

    def _worth(self) -> int:
        return sum(each["amountPerItem"]["value"] * each["quantity"] for each in self.items())

    def _tax(self) -> int:
        """What the venue puts on the prices; every other attempt goes without, as a body may not tell of taxes."""
        way = self._venue.way
        if self._attempt % 2:
            return 0
        return way.taxes(Parts(items=self._worth(), discounts=0, charge=0, taxes=0)) if way.tax_on_top else 0

    def money(self, value: int) -> dict[str, Any]:
        return {"value": value, "currencyCode": self._venue.currency}

    def intent(self) -> str:
        """For the smallest payment."""
        return self._venue.intents.new(1, self._venue.currency)

    def some_intent(self) -> str:
        return self._venue.intents.any(1, self._venue.currency)

    def party_start(self) -> datetime.datetime:
        """Now, as parties are seated; a till whose clock is ahead, or that is closed now, is offered later times."""
        soon = self._now + datetime.timedelta(minutes=2)
        return (self._now, soon, self._evening(1, 13), self._evening(1, 19))[min(self._attempt, 3)]

    def seated(self) -> str | None:
        """What a new party is; every other attempt leaves it to the partner, which may have words of its own."""
        return None if self._attempt % 2 else "Seated"

    def status(self) -> str:
        """What a party may be: as the partner called one of ours, as the documentation has it, as others are."""
        given = self._venue.given_statuses[:1]
        if not self._attempt:
            return (given or [_DOCUMENTED_STATUS])[0]
        known = list(dict.fromkeys([*given, _DOCUMENTED_STATUS, *self._venue.statuses]))
        return known[self._attempt % len(known)]

    def after_now(self, seconds: float) -> datetime.datetime:
        return self._now + datetime.timedelta(seconds=seconds)

    def booking(self, hours: float) -> datetime.datetime:
        return self._booking + datetime.timedelta(hours=hours)


_MAKERS: Mapping[str, Callable[[_Choice], Any]] = {
    "unique": lambda _: str(uuid.uuid4()),
    "paymentIntentId": _Choice.intent,
    "someIntentId": _Choice.some_intent,
    "displayName": lambda _: "Conformance",
    "tableId": _Choice.table,
    "areaId": _Choice.area,
    "items": _Choice.items,
    "itemsTotal": _Choice.total,
    "taxLines": _Choice.tax_lines,
    "smallestAmount": lambda choice: choice.money(1),
    "noAmount": lambda choice: choice.money(0),
    "depositAmount": lambda choice: choice.money(1000),
    "now": lambda choice: choice.after_now(0),
    # Ahead by a clock that is 90 s early, too, and not too far for a till that grants two minutes.
    "expiry": lambda choice: choice.after_now(105),
    "laterExpiry": lambda choice: choice.after_now(115),
    "seated": _Choice.seated,
    "partyStatus": _Choice.status,
    "partyStart": _Choice.party_start,
    "partyEnd": lambda choice: choice.party_start() + datetime.timedelta(minutes=90),
    "bookingStart": lambda choice: choice.booking(0),
    "bookingEnd": lambda choice: choice.booking(1.5),
    "dayStart": lambda choice: choice.booking(-12),
    "dayEnd": lambda choice: choice.booking(12),
}

PLACEHOLDERS = frozenset(_MAKERS)


def is_status(value: Any) -> TypeGuard[str]:
    """Whether *value* can be the status of a party."""
    return isinstance(value, str) and bool(value.strip())


def instant(moment: datetime.datetime) -> str:
    """*moment* as the contract writes it: UTC, to the millisecond."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _fill(template: Any, choice: _Choice) -> Any:
    if isinstance(template, str):
        name = template[1:-1]
        return choice.value(name) if template == f"{{{name}}}" and name in PLACEHOLDERS else template
    if isinstance(template, Mapping):
        filled = ((name, _fill(each, choice)) for name, each in template.items())
        return {name: value for name, value in filled if value is not None}
    if isinstance(template, list):
        return [value for each in template if (value := _fill(each, choice)) is not None]
    return template


def _features(row: Any, path: str = "") -> frozenset[str]:
    """What is to be seen in *row*: its members at every depth, and the values of those that are one of a few words."""
    found = {path}
    if isinstance(row, dict):
        for name, value in row.items():
            found |= _features(value, f"{path}.{name}")
            if name in ("status", "orderType", "payable") or isinstance(value, bool):
                found.add(f"{path}.{name}={value}")
    elif isinstance(row, list):
        for each in row:
            found |= _features(each, f"{path}[]")
    return frozenset(found)


def _dine_in(row: Row) -> Mapping[str, Any]:
    details = row.get("details")
    dine_in = details.get("dineIn") if isinstance(details, dict) else None
    return dine_in if isinstance(dine_in, dict) else {}


def _seats(table: Row, people: int) -> bool:
    most = table.get("maxCovers")
    return not isinstance(most, int) or most >= people


def _owed(row: Row) -> int:
    """Minor units still to pay; 0 where the order doesn't say."""
    values = []
    for name in ("totalAmount", "paidAmount"):
        amount = row.get(name)
        value = amount.get("value") if isinstance(amount, dict) else None
        values.append(value if isinstance(value, int) else 0)
    return values[0] - values[1]


def _is_plain(item: Row) -> bool:
    """Whether *item* has no modifiers that its price might depend on."""
    return not item.get("modifiers") and not item.get("subItems")


def _is_sold(item: Any, currency: str) -> bool:
    """Whether *item* is well-formed and costs something."""
    if not isinstance(item, dict):
        return False
    amount = item.get("amountPerItem")
    return (
        isinstance(item.get("plu"), str)
        and isinstance(item.get("name"), str)
        and isinstance(amount, dict)
        and type(amount.get("value")) is int
        and amount["value"] >= 10
        and amount.get("currencyCode") == currency
    )
