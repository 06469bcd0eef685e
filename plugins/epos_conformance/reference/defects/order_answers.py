"""
Mistakes in what an order looks like, and in what is answered in its place.
"""

from __future__ import annotations

from datetime import datetime

from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import (
    ORDER_ANSWERS,
    ORDERS,
    PARTIES,
    PARTY_ANSWERS,
    RESERVATION_ANSWERS,
    RESERVATIONS,
)
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order


@defect("totals-are-texts", breaks=over("answer-matches-schema", *ORDER_ANSWERS), also=ORDERS)
class TotalsAreTexts(ReferenceEpos):
    """
    totalAmount is a decimal text, as the database driver returns it.
    """

    def total_amount(self, order: Order) -> Json:
        return {**super().total_amount(order), "value": f"{order.total / 100:.2f}"}


@defect("totals-are-pounds", breaks=over("answer-matches-schema", "GetOrderById", "CreateOrder"), also=ORDERS)
class TotalsArePounds(ReferenceEpos):
    """
    totalAmount is in pounds, not in pence.
    """

    def total_amount(self, order: Order) -> Json:
        return {**super().total_amount(order), "value": order.total / 100}


@defect("status-is-missing", breaks=over("answer-matches-schema", *ORDER_ANSWERS), also=ORDERS)
class StatusIsMissing(ReferenceEpos):
    """
    Orders carry no status.
    """

    def present_order(self, order: Order) -> Json:
        return {name: value for name, value in super().present_order(order).items() if name != "status"}


@defect(
    "absent-is-null",
    breaks=over("answer-matches-schema", "CreateOrder", "SearchOrders"),
    also=[*over("answer-matches-schema", *ORDER_ANSWERS), *ORDERS],
)
class AbsentIsNull(ReferenceEpos):
    """
    Members that an order does not have are null.
    """

    def present_order(self, order: Order) -> Json:
        optional = ("note", "customer", "discounts", "serviceChargeAmount", "reference", "displayName")
        return {**dict.fromkeys(optional), **super().present_order(order)}


@defect(
    "cancelled-with-two-ls",
    breaks=over("answer-matches-schema", "CancelOrderById"),
    also=[*over("answer-matches-schema", "SearchOrders", "GetOrderById"), *ORDERS],
)
class CancelledWithTwoLs(ReferenceEpos):
    """
    A canceled order has the status Cancelled.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return {**shown, "status": "Cancelled"} if order.status == "Canceled" else shown


@defect("statuses-are-capitals", breaks=over("answer-matches-schema", *ORDER_ANSWERS), also=ORDERS)
class StatusesAreCapitals(ReferenceEpos):
    """
    The names of statuses and order types are written like constants.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        details = {
            **shown["details"],
            "orderType": {"DineIn": "DINE_IN"}.get(shown["details"]["orderType"], "COLLECTION"),
        }
        return {**shown, "status": order.status.upper(), "details": details}


@defect(
    "times-without-offset",
    breaks=over("answer-matches-schema", *ORDER_ANSWERS, *PARTY_ANSWERS, *RESERVATION_ANSWERS),
    also=[*ORDERS, *PARTIES, *RESERVATIONS],
)
class TimesWithoutOffset(ReferenceEpos):
    """
    Times are local ones, without an offset.
    """

    def spell_time(self, instant: datetime) -> str:
        return instant.replace(tzinfo=None).isoformat(timespec="milliseconds")


@defect("details-are-cut-short", breaks=over("answer-matches-schema", "CreateOrder"), also=ORDERS)
class DetailsAreFlattened(ReferenceEpos):
    """
    A new order says its type and leaves the table's details out.
    """

    def store_order(self, body: Json) -> Order:
        return super().store_order({**body, "details": {"orderType": body["details"]["orderType"]}})


@defect(
    "modifiers-have-item-prices",
    breaks=over("answer-matches-schema", "SearchOrders"),
    also=[*over("answer-matches-schema", *ORDER_ANSWERS), *ORDERS],
)
class ModifiersHaveItemPrices(ReferenceEpos):
    """
    Modifiers carry amountPerItem, as an old example of the documentation has it.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return {**shown, "items": [_with_item_prices(each) for each in shown["items"]]}


def _with_item_prices(item: Json) -> Json:
    modifiers = [
        {("amountPerItem" if name == "amountPerModifier" else name): value for name, value in each.items()}
        for each in item.get("modifiers", ())
    ]
    return {**item, "modifiers": modifiers}


@defect("locks-answer-nothing", breaks=over("answer-matches-schema", "CreateOrderLock"), also=["CreateOrderLock.*"])
class LocksAnswerNothing(ReferenceEpos):
    """
    A granted lock is answered with an empty object in place of the order.
    """

    def locked_answer(self, order: Order) -> Json:
        return {}


@defect(
    "unlocking-answers-nothing", breaks=over("answer-matches-schema", "DeleteOrderLock"), also=["DeleteOrderLock.*"]
)
class UnlockingAnswersNothing(ReferenceEpos):
    """
    A deleted lock is answered with an empty object in place of the order.
    """

    def delete_order_lock(self, call: Call) -> Json:
        super().delete_order_lock(call)
        return {}


@defect("extension-answers-true", breaks=over("answer-matches-schema", "ExtendOrderLock"), also=["ExtendOrderLock.*"])
class ExtensionAnswersTrue(ReferenceEpos):
    """
    An extended lock is answered with a bare true.
    """

    def extend_order_lock(self, call: Call) -> Json:
        super().extend_order_lock(call)
        return True  # type: ignore[return-value]


@defect(
    "payment-answers-a-receipt",
    breaks=over("answer-matches-schema", "RecordOrderPaymentById"),
    also=["RecordOrderPaymentById.*", "CreateOrderLock.lets-the-holder-pay", "ExtendOrderLock.*"],
)
class PaymentAnswersAReceipt(ReferenceEpos):
    """
    A recorded payment is answered with a receipt in place of the order.
    """

    def recorded_answer(self, order: Order) -> Json:
        return {"success": True, "receipt": f"R-{len(order.payments)}"}


@defect(
    "bill-text-without-content",
    breaks=over("answer-matches-schema", "GetOrderBillById"),
    also=["GetOrderBillById.*"],
)
class BillTextWithoutContent(ReferenceEpos):
    """
    The empty line of a bill is a Text without a text.
    """

    def bill_footer(self, order: Order) -> list[Json]:
        return [*super().bill_footer(order), {"lineType": "Text"}]


@defect("bill-text-in-points", breaks=over("answer-matches-schema", "GetOrderBillById"), also=["GetOrderBillById.*"])
class BillTextInPoints(ReferenceEpos):
    """
    The size of a bill's text is a number of points.
    """

    def bill_header(self) -> list[Json]:
        return [*super().bill_header(), {"lineType": "Text", "text": {"size": "12pt", "value": "VAT receipt"}}]


@defect("bill-without-footer", breaks=over("answer-matches-schema", "GetOrderBillById"), also=["GetOrderBillById.*"])
class BillWithoutFooter(ReferenceEpos):
    """
    A bill without closing words has no footer at all.
    """

    def present_bill(self, order: Order) -> Json:
        return {name: value for name, value in super().present_bill(order).items() if name != "footer"}
