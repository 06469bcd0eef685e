"""
Mistakes of SearchOrders: rows that are not the order that GetOrderById shows.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import ORDERS
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import not_found
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order


SEARCH = "SearchOrders"


@defect("closed-orders-cannot-be-fetched", breaks=over("rows-can-be-fetched", SEARCH), also=ORDERS)
class ClosedOrdersCannotBeFetched(ReferenceEpos):
    """
    GetOrderById knows the orders of the floor; the search shows the archive as well.
    """

    def get_order_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        if order.status == "Finalized":
            raise not_found("order", order.id)
        return self.present_order(order)


@defect("collections-crash-the-read", breaks=over("rows-can-be-fetched", SEARCH), also=ORDERS)
class CollectionsCrashTheRead(ReferenceEpos):
    """
    GetOrderById looks the table of each order up, also of those that have none.
    """

    def get_order_by_id(self, call: Call) -> Json:
        shown = super().get_order_by_id(call)
        assert shown["details"]["dineIn"] is not None
        return shown


class _OtherRows(ReferenceEpos):
    """
    An EPOS whose search shows something else of an order than GetOrderById.
    """

    def retold(self, shown: Json, order: Order) -> Json:
        raise NotImplementedError  # each of the classes below has its own

    def present_row(self, order: Order) -> Json:
        return self.retold(super().present_row(order), order)


@defect("rows-without-items", breaks=over("rows-agree-with-the-order", SEARCH), also=ORDERS)
class RowsWithoutItems(_OtherRows):
    """
    The rows of a search are light: they have no items.
    """

    def retold(self, shown: Json, order: Order) -> Json:
        return {name: each for name, each in shown.items() if name != "items"}


@defect("rows-without-modifiers", breaks=over("rows-agree-with-the-order", SEARCH), also=ORDERS)
class RowsWithoutModifiers(_OtherRows):
    """
    The items of rows lack what is loaded from another table.
    """

    def retold(self, shown: Json, order: Order) -> Json:
        items = [{name: each for name, each in item.items() if name != "modifiers"} for item in shown["items"]]
        return {**shown, "items": items}


@defect("rows-total-what-is-owed", breaks=over("rows-agree-with-the-order", SEARCH), also=ORDERS)
class RowsTotalWhatIsOwed(_OtherRows):
    """
    The total of a row is what is left to pay.
    """

    def retold(self, shown: Json, order: Order) -> Json:
        return {**shown, "totalAmount": self.money(order.total - self.paid_amount(order), order)}


@defect("rows-name-the-tables-waiter", breaks=over("rows-agree-with-the-order", SEARCH), also=ORDERS)
class RowsNameTheTablesWaiter(_OtherRows):
    """
    The waiter of a row is who serves the table, not who took the order.
    """

    def retold(self, shown: Json, order: Order) -> Json:
        serving = {each["id"]: each["waiterIds"][0] for each in self.venue.tables}
        table = order.dine_in.get("tableId")
        if table not in serving:
            return shown
        details = {**shown["details"], "dineIn": {**order.dine_in, "waiterId": serving[table]}}
        return {**shown, "details": details}


@defect("orders-called-by-their-table", breaks=over("open-orders-show-different-names", SEARCH), also=["CreateOrder.*"])
class OrdersCalledByTheirTable(ReferenceEpos):
    """
    Every order is called by its table, however many are open there.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return {**shown, "displayName": f"Table {order.dine_in['tableId']}"} if "tableId" in order.dine_in else shown
