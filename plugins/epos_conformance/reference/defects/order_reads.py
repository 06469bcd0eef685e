"""
Mistakes in what GetOrderById says of an order.
"""

from __future__ import annotations

from datetime import timedelta

from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import ORDERS
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order, Venue


READ = "GetOrderById"

#: What compares GetOrderById with what others say of the order.
COMPARED = ("SearchOrders.rows-agree-with-the-order", "GetOrderBillById.order-agrees-with-the-order")

SCHEMA = "*.answer-matches-schema"


# Which order


@defect("closed-orders-show-the-table", breaks=over("answers-the-order-asked-for", READ), also=ORDERS)
class ClosedOrdersShowTheTable(ReferenceEpos):
    """
    Asked for an order that is finalized, GetOrderById answers the latest one of that table.
    """

    def get_order_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        if order.status != "Finalized" or not order.dine_in:
            return self.present_order(order)
        here = [each for each in self.newest_orders() if each.dine_in.get("tableId") == order.dine_in["tableId"]]
        return self.present_order(here[0])


@defect("ids-lose-their-prefix", breaks=over("answers-the-order-asked-for", READ), also=ORDERS)
class IdsLoseTheirPrefix(ReferenceEpos):
    """
    GetOrderById shows the key of the table in the database, not the id that Dojo knows.
    """

    def get_order_by_id(self, call: Call) -> Json:
        shown = super().get_order_by_id(call)
        return {**shown, "id": shown["id"].rpartition("-")[2]}


# Status and kind


@defect("new-orders-are-created", breaks=over("status-is-a-known-one", READ), also=[SCHEMA, *ORDERS])
class NewOrdersAreCreated(ReferenceEpos):
    """
    An order that nobody has looked at has the status Created, as in an example of the documentation.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return {**shown, "status": "Created" if order.status == "New" else order.status}


@defect("done-orders-are-completed", breaks=over("status-is-a-known-one", READ), also=[SCHEMA, *ORDERS])
class DoneOrdersAreCompleted(ReferenceEpos):
    """
    An order that is paid off has the status Completed, the till's own word.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return {**shown, "status": "Completed" if order.status == "Finalized" else order.status}


class _OtherDetails(ReferenceEpos):
    """
    An EPOS that has its own way with the details of an order.
    """

    def retold(self, details: Json) -> Json:
        raise NotImplementedError  # each of the classes below has its own

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return {**shown, "details": self.retold(shown["details"])}


@defect("collections-are-takeaways", breaks=over("order-type-is-a-known-one", READ), also=[SCHEMA, *ORDERS])
class CollectionsAreTakeaways(_OtherDetails):
    """
    An order that is taken away has the orderType Takeaway.
    """

    def retold(self, details: Json) -> Json:
        return {**details, "orderType": "Takeaway"} if details["orderType"] == "Collection" else details


@defect("order-types-in-small-letters", breaks=over("order-type-is-a-known-one", READ), also=[SCHEMA, *ORDERS])
class OrderTypesInSmallLetters(_OtherDetails):
    """
    The orderType begins with a small letter, like the member that belongs to it.
    """

    def retold(self, details: Json) -> Json:
        return {**details, "orderType": {"DineIn": "dineIn", "Collection": "collection"}[details["orderType"]]}


@defect("parties-are-collections", breaks=over("dine-in-order-has-dine-in-details", READ), also=ORDERS)
class PartiesAreCollected(_OtherDetails):
    """
    The details of orders of a party stand under collection.
    """

    def retold(self, details: Json) -> Json:
        if "partyId" not in details.get("dineIn", {}):
            return details
        return {"orderType": "DineIn", "collection": {"asap": True}}


@defect("collections-dine-in", breaks=over("collection-order-has-collection-details", READ), also=ORDERS)
class CollectionsDineIn(_OtherDetails):
    """
    Every order has the details of one at a table, that of a collection empty ones.
    """

    def retold(self, details: Json) -> Json:
        return details if "dineIn" in details else {"orderType": details["orderType"], "dineIn": {}}


# Dates


@defect("updated-at-is-local", breaks=over("created-before-updated", READ), also=ORDERS)
class UpdatedAtIsLocal(ReferenceEpos):
    """
    updatedAt is written by another part of the till, in local time, four hours behind.
    """

    def present_order(self, order: Order) -> Json:
        return {**super().present_order(order), "updatedAt": self.spell_time(order.updated - timedelta(hours=4))}


@defect("never-updated", breaks=over("created-before-updated", READ), also=ORDERS)
class NeverUpdated(ReferenceEpos):
    """
    updatedAt of an order that was not changed yet is the first day of the calendar.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return shown if order.updated > order.created else {**shown, "updatedAt": "0001-01-01T00:00:00Z"}


@defect("created-when-asked", breaks=over("created-before-updated", READ), also=ORDERS)
class CreatedWhenAsked(ReferenceEpos):
    """
    createdAt of collections is the time of the answer: the field's default.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return shown if order.dine_in else {**shown, "createdAt": self.spell_time(self.now())}


# What Pay at Table needs


class _LeavesOut(ReferenceEpos):
    """
    An EPOS whose orders lack a member now and then.
    """

    lacking = ""

    def lacks(self, order: Order) -> bool:
        raise NotImplementedError  # each of the classes below has its own

    def get_order_by_id(self, call: Call) -> Json:
        shown = super().get_order_by_id(call)
        lacks = self.lacks(self.find_order(call.ids["orderId"]))
        return {name: each for name, each in shown.items() if name != self.lacking or not lacks}


@defect("new-orders-have-no-total", breaks=over("carries-a-total", READ), also=[*COMPARED, f"{READ}.*"])
class NewOrdersHaveNoTotal(_LeavesOut):
    """
    GetOrderById leaves the total out until the kitchen has an order.
    """

    lacking = "totalAmount"

    def lacks(self, order: Order) -> bool:
        return order.status in ("New", "Confirmed")


@defect("unpaid-orders-have-no-paid-amount", breaks=over("carries-a-paid-amount", READ), also=ORDERS)
class UnpaidOrdersHaveNoPaidAmount(ReferenceEpos):
    """
    An order that nothing was paid of has no paidAmount.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        if not order.payments:
            del shown["paidAmount"]
        return shown


@defect("payable-is-left-out", breaks=over("carries-payable", READ), also=[*COMPARED, f"{READ}.*"])
class PayableIsLeftOut(_LeavesOut):
    """
    GetOrderById knows of no payable where a part is paid.
    """

    lacking = "payable"

    def lacks(self, order: Order) -> bool:
        return bool(order.payments)


@defect("items-with-the-bill-only", breaks=over("carries-its-items", READ), also=ORDERS)
class ItemsWithTheBillOnly(_LeavesOut):
    """
    GetOrderById leaves the items to the bill.
    """

    lacking = "items"

    def lacks(self, order: Order) -> bool:
        return True


# Names and payments


@defect(
    "names-with-the-waiter",
    breaks=over("display-name-fits-the-terminal", READ),
    also=["SearchOrders.open-orders-show-different-names"],
)
class NamesWithTheWaiter(ReferenceEpos):
    """
    The name of an order in the till tells the table, the waiter and the guest.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        for each in venue.orders:
            if "waiterId" in each.dine_in:
                name = each.given.get("displayName", "Table")
                each.given = {**each.given, "displayName": f"{name} - served by {each.dine_in['waiterId']}"}
        return venue


@defect("cash-has-no-intent", breaks=over("payments-name-their-intent", READ), also=["RecordOrderPaymentById.*"])
class CashHasNoIntent(ReferenceEpos):
    """
    What was paid at the till, in cash, has no paymentIntentId.
    """

    def present_payment(self, payment: Json) -> Json:
        cash = payment["paymentIntentId"].startswith("pi_seed_") and payment["tipsAmount"]["value"] == 0
        return {name: each for name, each in payment.items() if name != "paymentIntentId" or not cash}


@defect("tipped-payments-have-empty-intents", breaks=over("payments-name-their-intent", READ), also=ORDERS)
class TippedPaymentsHaveEmptyIntents(ReferenceEpos):
    """
    A payment with a tip is shown by a form that has no room for its paymentIntentId.
    """

    def present_payment(self, payment: Json) -> Json:
        return {**payment, "paymentIntentId": ""} if payment["tipsAmount"]["value"] else payment
