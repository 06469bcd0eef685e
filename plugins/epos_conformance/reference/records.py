"""
What the till keeps: the venue, and the records of its orders, locks, parties and reservations.

Records hold the members that Dojo sent, as it sent them. What is derived from them (sums, whether it is payable) is not
stored but told when the record is shown. Nested values are replaced and never changed, so that answers may share them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Order:
    """
    One bill of one table, or one collection.
    """

    id: str
    #: Its place in the order of arrival, which pages are cut by.
    number: int
    #: items, details, totalAmount, discounts…: whatever was given for it.
    given: Json
    created: datetime
    updated: datetime
    status: str = "Accepted"
    payments: tuple[Json, ...] = ()
    dojo_order_id: str | None = None

    @property
    def currency(self) -> str:
        return str(self.given["totalAmount"]["currencyCode"])

    @property
    def total(self) -> int:
        return int(self.given["totalAmount"]["value"])

    @property
    def dine_in(self) -> Json:
        """Table, waiter, party and reservation; empty for a collection."""
        return self.given["details"].get("dineIn") or {}


@dataclass(slots=True, kw_only=True)
class Lock:
    """
    Dojo's hold on an order while a guest pays.
    """

    id: str
    expiry: datetime


@dataclass(slots=True, kw_only=True)
class Booking:
    """
    A party at its tables, or a reservation: both are what was given for them and an id.
    """

    id: str
    number: int
    #: Times are kept as instants, everything else as sent.
    given: Json


@dataclass(slots=True, kw_only=True)
class Venue:
    """
    The restaurant when the till is switched on.
    """

    currency: str
    areas: list[Json] = field(default_factory=list)
    tables: list[Json] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    parties: list[Booking] = field(default_factory=list)
    reservations: list[Booking] = field(default_factory=list)


def worth(items: Iterable[Json]) -> int:
    """What *items* come to: modifiers count once per single item, sub-items once per item."""
    return sum(
        int(each["quantity"])
        * (
            each["amountPerItem"]["value"]
            + sum(extra["quantity"] * extra["amountPerModifier"]["value"] for extra in each.get("modifiers", ()))
            + worth(each.get("subItems", ()))
        )
        for each in items
    )


def total_of(given: Json) -> int:
    """What an order comes to: items, less discounts, with the service charge; taxes are inside the prices."""
    discounts = sum(each["amountTotal"]["value"] for each in given.get("discounts", ()))
    charge = given.get("serviceChargeAmount", {"value": 0})["value"]
    return int(worth(given["items"]) - discounts + charge)
