"""
Mistakes with where a new order can be found, and with the ids of orders.
"""

from __future__ import annotations

import contextlib
import time

from contextlib import AbstractContextManager
from typing import Any

from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import ORDERS
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import not_found
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json, Order


#: What follows where one of our orders is not to be seen.
_UNSEEN = ("SearchOrders.*", "CreateOrder.is-found-by-search")


def is_made_by_dojo(order: Order) -> bool:
    return order.dojo_order_id is not None


# Reading


@defect("new-orders-answer-dojos-id", breaks=["CreateOrder.can-be-fetched"], also=ORDERS)
class NewOrdersAnswerDojosId(ReferenceEpos):
    """
    CreateOrder answers Dojo's own id of the order, which nothing else knows.
    """

    def create_order(self, call: Call) -> Json:
        return {**super().create_order(call), "id": call.body["dojoOrderId"]}


@defect("new-orders-show-when-paid", breaks=["CreateOrder.can-be-fetched"], also=ORDERS)
class NewOrdersShowWhenPaid(ReferenceEpos):
    """
    Orders of Dojo's stay in a basket until something is paid.
    """

    def find_order(self, order_id: str) -> Order:
        order = super().find_order(order_id)
        if is_made_by_dojo(order) and not order.payments:
            raise not_found("order", order_id)
        return order


@defect("paid-orders-are-archived", breaks=["CreateOrder.can-be-fetched"], also=ORDERS)
class PaidOrdersAreArchived(ReferenceEpos):
    """
    An order that comes with its payment goes to the archive at once, where it can't be read.
    """

    def get_order_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        if is_made_by_dojo(order) and self.paid_amount(order) >= order.total:
            raise not_found("order", order.id)
        return super().get_order_by_id(call)


@defect("collections-have-no-table", breaks=["CreateOrder.can-be-fetched"], also=["CreateOrder.keeps-*"])
class CollectionsHaveNoTable(ReferenceEpos):
    """
    New orders are read together with their table: one to collect has none, and is not found.
    """

    def get_order_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        if is_made_by_dojo(order) and "tableId" not in order.dine_in:
            raise not_found("order", order.id)
        return super().get_order_by_id(call)


# Searching


@defect("search-hides-new-orders", breaks=["CreateOrder.is-found-by-search"], also=ORDERS)
class SearchHidesNewOrders(ReferenceEpos):
    """
    Searches show what was keyed in at the till, and not what came from Dojo.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return not is_made_by_dojo(order) and super().is_wanted_order(order, wanted)


@defect("search-hides-new-collections", breaks=["CreateOrder.is-found-by-search"], also=ORDERS)
class SearchHidesNewCollections(ReferenceEpos):
    """
    New orders are searched together with their table, which those to collect don't have.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        if is_made_by_dojo(order) and "tableId" not in order.dine_in:
            return False
        return super().is_wanted_order(order, wanted)


@defect("table-index-is-of-the-morning", breaks=["CreateOrder.is-found-by-search"], also=_UNSEEN)
class TableIndexIsOfTheMorning(ReferenceEpos):
    """
    Which order is at which table is looked up in an index that new orders don't get into.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        return not (name == "tableId" and is_made_by_dojo(order)) and super().has_detail(order, name, value)


@defect("payable-only-forgets-new-orders", breaks=["CreateOrder.is-found-by-search"], also=_UNSEEN)
class PayableOnlyForgetsNewOrders(ReferenceEpos):
    """
    A search for payable orders shows those that a waiter has printed the bill of.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        printed = not is_made_by_dojo(order) or not wanted.get("payableOnly")
        return printed and super().is_wanted_order(order, wanted)


@defect("new-orders-are-searched-as-theirs", breaks=["CreateOrder.is-found-by-search"], also=_UNSEEN)
class NewOrdersAreSearchedAsTheirs(ReferenceEpos):
    """
    A search by waiter knows all new orders as Dojo's.
    """

    def has_detail(self, order: Order, name: str, value: str) -> bool:
        if name == "waiterId" and is_made_by_dojo(order):
            return value == "dojo"
        return super().has_detail(order, name, value)


# Ids

_OWN_ID = "CreateOrder.gives-each-order-its-own-id"
_ONE = "CreateOrder.same-dojo-order-id-is-one-order"


@defect("order-ids-are-seconds", breaks=[_OWN_ID], also=[*ORDERS, "*.refused-requests-store-nothing"])
class OrderIdsAreSeconds(ReferenceEpos):
    """
    The id of a new order is made of the time, to the second.
    """

    def new_id(self, kind: str) -> str:
        return f"ord-{self.now():%H%M%S}" if kind == "order" else super().new_id(kind)


@defect("order-ids-are-tables", breaks=[_OWN_ID], also=[*ORDERS, "*.refused-requests-store-nothing"])
class OrderIdsAreTables(ReferenceEpos):
    """
    A new order is called like its table, and takes the place of the one before.
    """

    def store_order(self, body: Json) -> Order:
        order = super().store_order(body)
        del self.orders[order.id]
        order.id = f"tab {order.dine_in.get('tableId', 'collection')}"
        self.orders[order.id] = order
        return order


@defect("order-ids-count-open-orders", breaks=[_OWN_ID], also=[*ORDERS, "*.refused-requests-store-nothing"])
class OrderIdsCountOpenOrders(ReferenceEpos):
    """
    The id of a new order is the number of orders that are open, and one.
    """

    def new_id(self, kind: str) -> str:
        if kind != "order":
            return super().new_id(kind)
        return f"open-{1 + sum(each.status != 'Canceled' for each in self.orders.values())}"


@defect("equal-orders-are-one", breaks=[_OWN_ID], also=[*ORDERS, "*.refused-requests-store-nothing"])
class EqualOrdersAreOne(ReferenceEpos):
    """
    An order that is like another one is taken for the same, sent twice.
    """

    def known_order(self, body: Json) -> Order | None:
        def is_alike(order: Order) -> bool:
            return all(order.given.get(name) == body[name] for name in ("items", "details", "totalAmount"))

        alike = (each for each in self.orders.values() if is_alike(each) and each.status != "Canceled")
        return super().known_order(body) or next(alike, None)


@defect("new-orders-lock-the-database", breaks=[_OWN_ID], also=["CreateOrder.same-dojo-order-id-is-one-order"])
class NewOrdersLockTheDatabase(ReferenceEpos):
    """
    Two orders are written at the same instant, and nobody waits for the database that the first one locks.
    """

    side_by_side = True
    writing = 0

    def exclusively(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext()

    def store_order(self, body: Json) -> Order:
        if self.writing:
            raise RuntimeError("database is locked")
        self.writing += 1
        try:
            time.sleep(0.02)
            return super().store_order(body)
        finally:
            self.writing -= 1


@defect("order-ids-race", breaks=[_OWN_ID], also=[*ORDERS, "*.refused-requests-store-nothing"])
class OrderIdsRace(ReferenceEpos):
    """
    The next id is read from the database, and written when the order is.
    """

    side_by_side = True

    def exclusively(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext()

    def store_order(self, body: Json) -> Order:
        number = len(self.orders)
        time.sleep(0.02)
        with self.turn:
            order = super().store_order(body)
            del self.orders[order.id]
            order.id = f"ord-{2000 + number}"
            self.orders[order.id] = order
        return order


@defect("dojo-order-ids-are-ignored", breaks=[_ONE])
class DojoOrderIdsAreIgnored(ReferenceEpos):
    """
    An order that is sent twice is two orders.
    """

    def known_order(self, body: Json) -> Order | None:
        return None


@defect("dojo-order-ids-are-kept-for-the-open", breaks=[_ONE])
class DojoOrderIdsAreKeptForTheOpen(ReferenceEpos):
    """
    An order is only known again at its own table once a payment names it.
    """

    def known_order(self, body: Json) -> Order | None:
        known = super().known_order(body)
        return known if known is not None and known.payments else None


@defect("same-orders-race", breaks=[_ONE], also=[_OWN_ID])
class SameOrdersRace(ReferenceEpos):
    """
    Whether an order is known is looked up before the transaction begins.
    """

    side_by_side = True

    def exclusively(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext()

    def store_order(self, body: Json) -> Order:
        time.sleep(0.02)
        with self.turn:
            return super().store_order(body)
