"""
Freedoms in how an order adds up, how it is told, and what a search shows of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import invalid
from epos_conformance.reference.faults import variant
from epos_conformance.reference.menu import dish, money
from epos_conformance.reference.records import Json, Order, Venue, total_of


class _OtherSums(ReferenceEpos):
    """
    An EPOS whose unpaid orders add up another way.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        for each in venue.orders:
            if not each.payments:
                each.given = {**each.given, **self.told(each.given, each.currency)}
        return venue

    def told(self, given: Json, currency: str) -> Json:
        """The members of an order that are told another way."""
        raise NotImplementedError  # each of the classes below has its own


@variant("discounts-below-zero")
class DiscountsBelowZero(_OtherSums):
    """
    Discounts are written as negative amounts.
    """

    def told(self, given: Json, currency: str) -> Json:
        return {
            "discounts": [
                {**each, "amountTotal": money(-each["amountTotal"]["value"], currency)}
                for each in given.get("discounts", ())
            ]
        }


@variant("discounts-in-percent")
class DiscountsInPercent(_OtherSums):
    """
    Some orders have a discount of ten percent, whose amount is told in the total alone.
    """

    def told(self, given: Json, currency: str) -> Json:
        if "discounts" not in given:
            return {}
        off = {"name": "Happy hour", "amountPercentage": 1000, "amountTotal": money(0, currency)}
        return {"discounts": [off], "totalAmount": money(round(total_of({**given, "discounts": []}) * 0.9), currency)}


@variant("courses-counted-in-all")
class CoursesCountedInAll(_OtherSums):
    """
    The quantity of a sub-item is that of all its items together.
    """

    def told(self, given: Json, currency: str) -> Json:
        if not any("subItems" in each for each in given["items"]):
            return {}
        menu = {**dish("2 x 6001/6002+7005/4001", currency)}
        for each in menu["subItems"]:
            each["quantity"] = 2
        side = 2 * (475 + 360)
        return {"items": [menu], "totalAmount": money(2 * 2400 + side, currency)}


@variant("service-is-taxed")
class ServiceIsTaxed(_OtherSums):
    """
    Prices have their tax inside, and the service charge has it on top.
    """

    def told(self, given: Json, currency: str) -> Json:
        if "serviceChargeAmount" not in given:
            return {}
        tax = round(given["serviceChargeAmount"]["value"] * 0.2)
        line = {"name": "VAT", "amountPercentage": 2000, "amountTotal": money(total_of(given) // 6 + tax, currency)}
        return {"taxLines": [line], "totalAmount": money(total_of(given) + tax, currency)}


@variant("everything-is-an-item")
class EverythingIsAnItem(_OtherSums):
    """
    Discounts and the service charge are items as well.
    """

    def told(self, given: Json, currency: str) -> Json:
        lines = [("Service", given.get("serviceChargeAmount", {"value": 0})["value"])]
        lines += [(each["name"], -each["amountTotal"]["value"]) for each in given.get("discounts", ())]
        more = [
            {"plu": f"99{place}", "name": name, "quantity": 1, "amountPerItem": money(value, currency)}
            for place, (name, value) in enumerate(lines)
            if value
        ]
        return {"items": [*given["items"], *more]}


@variant("three-for-ten")
class ThreeForTen(_OtherSums):
    """
    Some things are three for a round sum, which no price of one piece gives.
    """

    def told(self, given: Json, currency: str) -> Json:
        if "note" not in given:
            return {}
        tapas = {"plu": "2009", "name": "Tapas", "quantity": 3, "amountPerItem": money(333, currency)}
        return {"items": [tapas], "totalAmount": money(1000, currency), "taxLines": []}


@variant("tables-just-opened")
class TablesJustOpened(_OtherSums):
    """
    Some tables have ordered nothing yet; the waiter can open the payment all the same.
    """

    def told(self, given: Json, currency: str) -> Json:
        if "displayName" not in given or "2" not in given["displayName"]:
            return {}
        return {
            "items": [],
            "totalAmount": money(0, currency),
            "discounts": [],
            "serviceChargeAmount": money(0, currency),
        }

    def is_payable(self, order: Order) -> bool:
        return super().is_payable(order) or (order.total == 0 and order.status in ("Accepted", "New"))


# How it is told


@variant("points-and-stamps")
class PointsAndStamps(ReferenceEpos):
    """
    Orders carry amounts of the till's own: points, and what they are worth elsewhere.
    """

    def present_order(self, order: Order) -> Json:
        own = {"loyalty": {"value": order.total // 100, "currencyCode": "POINTS"}}
        items = [{**each, "perKilo": money(1999, "USD")} for each in order.given["items"]]
        return {**super().present_order(order), **own, "items": items, "shownAt": self.spell_time(self.now())}


@variant("light-rows")
class LightRows(ReferenceEpos):
    """
    The rows of a search leave out notes, guests and references, list things in their own order, tell local time to the
    second, and write amounts with a fraction of nothing.
    """

    def present_row(self, order: Order) -> Json:
        shown = super().present_row(order)
        local = timezone(timedelta(hours=2))
        for name in ("createdAt", "updatedAt"):
            instant = datetime.fromisoformat(shown[name])
            shown[name] = instant.astimezone(local).isoformat(timespec="seconds")
        kept = {name: each for name, each in shown.items() if name not in ("note", "customer", "reference", "taxLines")}
        total = {**shown["totalAmount"], "value": float(shown["totalAmount"]["value"])}
        return {**kept, "totalAmount": total, "items": shown["items"][::-1], "payments": shown["payments"][::-1]}


@variant("canceled-orders-say-little")
class CanceledOrdersSayLittle(ReferenceEpos):
    """
    Canceled orders say nothing of what was ordered, what it cost and whether it can be paid.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        if order.status != "Canceled":
            return shown
        return {
            name: each for name, each in shown.items() if name in ("id", "status", "details", "createdAt", "updatedAt")
        }


# What a search shows


@variant("canceled-orders-are-archived")
class CanceledOrdersAreArchived(ReferenceEpos):
    """
    Canceled orders can be read, and searches leave them out.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return order.status != "Canceled" and super().is_wanted_order(order, wanted)


@variant("unknown-values-are-refused")
class UnknownValuesAreRefused(ReferenceEpos):
    """
    A search for orders of a table, waiter, party or reservation that nobody knows is refused.
    """

    def search_orders(self, call: Call) -> Json:
        known = {
            "tableId": {each["id"] for each in self.venue.tables},
            "waiterId": {waiter for each in self.venue.tables for waiter in each["waiterIds"]},
            "partyId": set(self.parties),
            "reservationId": set(self.reservations),
        }
        for name, value in call.body.get("dineIn", {}).items():
            seen = {each.dine_in.get(name) for each in self.orders.values()}
            if name in known and value not in known[name] | seen:
                raise invalid(f"there is no {name} {value!r}")
        return super().search_orders(call)


@variant("waiters-go-on")
class WaitersGoOn(ReferenceEpos):
    """
    Meanwhile waiters sell coffees, change tables and hand orders over to each other.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.calls = count(1)

    def perform(self, call: Call) -> Any:
        turn = next(self.calls)
        theirs = [
            each for each in self.orders.values() if not each.dojo_order_id and not each.payments and each.dine_in
        ]
        if theirs and turn % 3 == 0:
            order = theirs[turn % len(theirs)]
            if self.is_payable(order):
                self.sell_on(order, turn)
        return super().perform(call)

    def sell_on(self, order: Order, turn: int) -> None:
        """Changes *order* as a waiter would."""
        if turn % 4:
            given = {**order.given, "items": [*order.given["items"], dish("1 x 4001", order.currency)]}
            total = order.total + 360
            order.given = {**given, "totalAmount": money(total, order.currency), "taxLines": []}
        else:
            table = self.venue.tables[turn % len(self.venue.tables)]
            place = {**order.dine_in, "tableId": table["id"], "waiterId": table["waiterIds"][0]}
            order.given = {**order.given, "details": {**order.given["details"], "dineIn": place}}
        self.touch(order)
