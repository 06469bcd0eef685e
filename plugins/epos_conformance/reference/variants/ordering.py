"""
Freedoms in how orders that Dojo creates are kept, shown and refused.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid, not_found
from epos_conformance.reference.faults import variant
from epos_conformance.reference.menu import DISHES, EXTRAS, money
from epos_conformance.reference.records import Json, Order, Venue, total_of
from epos_conformance.reference.times import parse_time
from epos_conformance.reference.variants.strict_till import StrictTill
from epos_conformance.reference.variants.venues import TaxOnTop


# Items


@variant("equal-lines-are-merged")
class EqualLinesAreMerged(ReferenceEpos):
    """
    Lines of an order that differ in nothing but their quantity become one, and stand in the order of the menu.
    """

    def store_order(self, body: Json) -> Order:
        merged: dict[str, Json] = {}
        for each in body["items"]:
            key = repr({name: value for name, value in each.items() if name != "quantity"})
            before = merged[key]["quantity"] if key in merged else 0
            merged[key] = {**each, "quantity": before + each["quantity"]}
        return super().store_order({**body, "items": sorted(merged.values(), key=lambda item: str(item["plu"]))})


@variant("pieces-are-lines")
class PiecesAreLines(ReferenceEpos):
    """
    Each piece of an item is a line of its own, and so is each modifier.
    """

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        if any(each["quantity"] > 100 for each in body["items"]):
            raise invalid("no table can carry that")

    def store_order(self, body: Json) -> Order:
        items = [{**self.split(each), "quantity": 1} for each in body["items"] for _ in range(each["quantity"])]
        return super().store_order({**body, "items": items[::-1]})

    def split(self, item: Json) -> Json:
        if "modifiers" not in item:
            return item
        pieces = [{**each, "quantity": 1} for each in item["modifiers"] for _ in range(each["quantity"])]
        return {**item, "modifiers": pieces}


@variant("names-are-the-menus")
class NamesAreTheMenus(ReferenceEpos):
    """
    Items are called as in the till's own menu, whatever Dojo calls them; what isn't in it is an open item.
    """

    def store_order(self, body: Json) -> Order:
        return super().store_order({**body, "items": [self.named(each) for each in body["items"]]})

    def named(self, item: Json) -> Json:
        name, _ = DISHES.get(item["plu"], EXTRAS.get(item["plu"], ("Open item", 0)))
        below: Json = {part: list(map(self.named, item[part])) for part in ("modifiers", "subItems") if part in item}
        return {**item, "name": name, **below}


@variant("nothing-is-left-out")
class NothingIsLeftOut(ReferenceEpos):
    """
    Charges and tips of nothing are not told, nor are lists without anything.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        zero = {"value": 0, "currencyCode": order.currency}
        return {name: value for name, value in shown.items() if name == "paidAmount" or value not in ([], zero)}


# Sums


@variant("strict-till-with-tax-on-top")
class StrictTillWithTaxOnTop(StrictTill, TaxOnTop):
    """
    A strict till whose prices are without tax: it is in the total of each order, and in a line where there is one.
    """

    def check_taxes(self, body: Json) -> None:
        lines = body.get("taxLines", ())
        if lines and sum(each["amountTotal"]["value"] for each in lines) != self.tax(body):
            raise conflict(f"the tax is {self.tax(body)}")

    def total_due(self, body: Json) -> int:
        return total_of(body) + self.tax(body)

    def tax(self, body: Json) -> int:
        """A fifth, rounded."""
        return (2 * total_of(body) + 5) // 10


@variant("strict-till-with-discounts-below-zero")
class StrictTillWithDiscountsBelowZero(StrictTill):
    """
    A strict till that tells discounts as amounts below zero.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        venue.orders = [replace(each, given={**each.given, **self.turned(each.given)}) for each in venue.orders]
        return venue

    def turned(self, given: Json) -> Json:
        """The discounts of *given*, with the other sign."""
        lines = [
            {**each, "amountTotal": money(-each["amountTotal"]["value"], each["amountTotal"]["currencyCode"])}
            for each in given.get("discounts", ())
        ]
        return {"discounts": lines} if lines else {}

    def check_sums(self, body: Json) -> None:
        super().check_sums({**body, **self.turned(body)})


# Answers


@variant("creation-is-answered-briefly")
class CreationIsAnsweredBriefly(ReferenceEpos):
    """
    CreateOrder answers what an order has to have; the rest is to be read.
    """

    def create_order(self, call: Call) -> Json:
        shown = super().create_order(call)
        return {name: shown[name] for name in ("id", "status", "details", "totalAmount", "payable")}


@variant("new-orders-lag")
class NewOrdersLag(ReferenceEpos):
    """
    GetOrderById and SearchOrders know a new order 0.4 seconds after it was made.
    """

    LAG = 0.4

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.hidden: dict[str, float] = {}

    def store_order(self, body: Json) -> Order:
        order = super().store_order(body)
        self.hidden[order.id] = time.monotonic() + self.LAG
        return order

    def is_hidden(self, order: Order) -> bool:
        return self.hidden.get(order.id, 0) > time.monotonic()

    def get_order_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        if self.is_hidden(order):
            raise not_found("order", order.id)
        return super().get_order_by_id(call)

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return not self.is_hidden(order) and super().is_wanted_order(order, wanted)


@variant("order-times-are-local")
class OrderTimesAreLocal(ReferenceEpos):
    """
    When an order is to be ready or is collected is told with the offset of the place, to the second.
    """

    def store_order(self, body: Json) -> Order:
        details = {
            name: {key: self.local(value) if key in ("readyAt", "collectAt") else value for key, value in part.items()}
            if isinstance(part, dict)
            else part
            for name, part in body["details"].items()
        }
        if "collectAt" in details.get("collection", {}):
            # Where there is a time, it goes without saying that it isn't now.
            details["collection"].pop("asap", None)
        return super().store_order({**body, "details": details})

    def local(self, text: str) -> str:
        return parse_time(text).astimezone(timezone(timedelta(hours=-5))).isoformat(timespec="seconds")


@variant("taxes-are-the-tills")
class TaxesAreTheTills(ReferenceEpos):
    """
    The till adds tax lines of its own to orders that come with none.
    """

    def store_order(self, body: Json) -> Order:
        total = body["totalAmount"]
        line = {"name": "VAT", "amountTotal": {**total, "value": total["value"] // 6}}
        return super().store_order({**body, "taxLines": body.get("taxLines") or [line]})


# Refusals


@variant("repeated-orders-are-conflicts")
class RepeatedOrdersAreConflicts(ReferenceEpos):
    """
    An order that is sent again is refused: there is one already.
    """

    def create_order(self, call: Call) -> Json:
        known = self.known_order(call.body)
        if known is not None:
            raise conflict(f"this is order {known.id!r}")
        return super().create_order(call)


@variant("one-order-at-a-table")
class OneOrderAtATable(ReferenceEpos):
    """
    Where an order of Dojo's is open, there is no second one.
    """

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        table = body["details"].get("dineIn", {}).get("tableId")
        for each in self.orders.values():
            if each.dojo_order_id and self.is_payable(each) and each.dine_in.get("tableId", each.id) == table:
                raise conflict(f"table {table!r} has order {each.id!r}")


@variant("paid-orders-stay")
class PaidOrdersStay(ReferenceEpos):
    """
    An order that comes with its payment is done, and can't be canceled.
    """

    def store_order(self, body: Json) -> Order:
        order = super().store_order(body)
        if self.paid_amount(order) >= order.total:
            order.status = "Finalized"
        return order

    def check_cancel(self, order: Order) -> None:
        super().check_cancel(order)
        if order.dojo_order_id and order.payments:
            raise conflict(f"order {order.id!r} is paid for")


@variant("prepaid-orders-are-refused")
class PrepaidOrdersAreRefused(ReferenceEpos):
    """
    Orders are paid when they are made, and not before.
    """

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        if body["payments"]:
            raise conflict("Dojo knows no such payment intent")


@variant("nothing-but-dishes")
class NothingButDishes(ReferenceEpos):
    """
    Neither set menus nor extras are sold.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        venue.orders = [each for each in venue.orders if not any(map(_adorned, each.given["items"]))]
        return venue

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        if any(map(_adorned, body["items"])):
            raise invalid("dishes are sold as they are")


def _adorned(item: Json) -> bool:
    return bool(item.get("modifiers") or item.get("subItems"))


@variant("extras-with-everything")
class ExtrasWithEverything(ReferenceEpos):
    """
    Only the dishes of the menu are sold, and nobody has ordered one without extras.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        venue.orders = [self.thinned(each) for each in venue.orders if any(map(_has_extras, each.given["items"]))]
        return venue

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        for each in body["items"]:
            if DISHES.get(each["plu"]) != (each["name"], each["amountPerItem"]["value"]):
                raise invalid(f"no {each['name']!r} is sold as {each['plu']!r} at that price")

    def thinned(self, order: Order) -> Order:
        """*order* without its plain dishes, and unpaid."""
        given = {**order.given, "items": list(filter(_has_extras, order.given["items"]))}
        given.pop("taxLines", None)
        total = total_of(given)
        given["totalAmount"] = money(total, order.currency)
        return replace(order, given=given, payments=())


def _has_extras(item: Json) -> bool:
    return bool(item.get("modifiers"))


@variant("nothing-to-take-away")
class NothingToTakeAway(ReferenceEpos):
    """
    Orders are eaten at a table.
    """

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        if body["details"]["orderType"] == "Collection":
            raise conflict("nothing is sold for collection here")


@variant("nobody-waits")
class NobodyWaits(ReferenceEpos):
    """
    There are no waiters in the till, and one that Dojo names is left out.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        for each in (*venue.tables, *venue.areas):
            del each["waiterIds"]
        for order in venue.orders:
            order.dine_in.pop("waiterId", None)
        return venue

    def store_order(self, body: Json) -> Order:
        body["details"].get("dineIn", {}).pop("waiterId", None)
        return super().store_order(body)
