"""
Mistakes in what is kept of an order that Dojo creates: its sums and what they are made of.
"""

from __future__ import annotations

from epos_conformance.reference.defects.order_keeps import SUMS, UNUSUAL
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json, Order, worth


def without(body: Json, *names: str) -> Json:
    return {key: value for key, value in body.items() if key not in names}


class Storing(ReferenceEpos):
    """
    A till that does something to a new order before it puts it away.
    """

    def store_order(self, body: Json) -> Order:
        return super().store_order(self.kept(body))

    def kept(self, body: Json) -> Json:
        return body


# Sums


@defect("new-total-is-without-modifiers", breaks=["CreateOrder.keeps-the-total"], also=SUMS)
class NewTotalIsWithoutModifiers(Storing):
    """
    The total of a new order is reckoned anew, without modifiers.
    """

    def kept(self, body: Json) -> Json:
        plain = worth([without(each, "modifiers") for each in body["items"]])
        less = worth(body["items"]) - plain
        total = body["totalAmount"]
        return {**body, "totalAmount": {**total, "value": total["value"] - less}}


@defect("new-total-is-before-discounts", breaks=["CreateOrder.keeps-the-total"], also=SUMS)
class NewTotalIsBeforeDiscounts(Storing):
    """
    The total of a new order is reckoned anew, and nobody thought of discounts.
    """

    def kept(self, body: Json) -> Json:
        total = body["totalAmount"]
        more = sum(each["amountTotal"]["value"] for each in body.get("discounts", ()))
        return {**body, "totalAmount": {**total, "value": total["value"] + more}}


@defect(
    "new-total-includes-tips",
    breaks=["CreateOrder.keeps-the-total"],
    also=["GetOrderById.total-*", "CreateOrder.is-found-by-search", "GetOrderBillById.*", *UNUSUAL],
)
class NewTotalIncludesTips(Storing):
    """
    The tips that were paid with a new order are on its total.
    """

    def kept(self, body: Json) -> Json:
        total = body["totalAmount"]
        tips = sum(each["tipsAmount"]["value"] for each in body["payments"] if "tipsAmount" in each)
        return {**body, "totalAmount": {**total, "value": total["value"] + tips}}


@defect("new-total-goes-through-floats", breaks=["CreateOrder.keeps-the-total"], also=SUMS)
class NewTotalGoesThroughFloats(Storing):
    """
    The total of a new order is added up in pounds and cut to pence: some lose one.
    """

    def kept(self, body: Json) -> Json:
        total = body["totalAmount"]
        return {**body, "totalAmount": {**total, "value": int(total["value"] * 1.1 / 1.1 / 100 * 100)}}


@defect("discounts-are-dropped", breaks=["CreateOrder.keeps-the-discounts"], also=SUMS)
class DiscountsAreDropped(Storing):
    """
    The discounts of a new order are in its total, and nowhere else.
    """

    def kept(self, body: Json) -> Json:
        return without(body, "discounts")


@defect("last-discount-counts", breaks=["CreateOrder.keeps-the-discounts"], also=SUMS)
class LastDiscountCounts(Storing):
    """
    An order has one discount, the last.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "discounts": body["discounts"][-1:]} if "discounts" in body else body


@defect("discounts-are-of-the-whole", breaks=["CreateOrder.keeps-the-discounts"], also=UNUSUAL)
class DiscountsAreOfTheWhole(Storing):
    """
    Which item a discount is for is not saved.
    """

    def kept(self, body: Json) -> Json:
        if "discounts" not in body:
            return body
        return {**body, "discounts": [without(each, "affectedPlu") for each in body["discounts"]]}


@defect("percentages-are-whole", breaks=["CreateOrder.keeps-the-discounts"], also=UNUSUAL)
class PercentagesAreWhole(Storing):
    """
    The percentage of a discount is kept without its two decimals.
    """

    def kept(self, body: Json) -> Json:
        lines = [
            {**each, "amountPercentage": each["amountPercentage"] // 100} if "amountPercentage" in each else each
            for each in body.get("discounts", ())
        ]
        return {**body, "discounts": lines} if lines else body


@defect("discounts-need-a-percentage", breaks=["CreateOrder.keeps-the-discounts"], also=["CreateOrder.*"])
class DiscountsNeedAPercentage(Storing):
    """
    A discount that is an amount, and no percentage, crashes.
    """

    def kept(self, body: Json) -> Json:
        lines = [{**each, "amountPercentage": each["amountPercentage"]} for each in body.get("discounts", ())]
        return {**body, "discounts": lines}


@defect("service-charge-is-dropped", breaks=["CreateOrder.keeps-the-service-charge"], also=SUMS)
class ServiceChargeIsDropped(Storing):
    """
    The service charge of a new order is in its total, and nowhere else.
    """

    def kept(self, body: Json) -> Json:
        return without(body, "serviceChargeAmount")


@defect("service-charge-is-a-tenth", breaks=["CreateOrder.keeps-the-service-charge"], also=SUMS)
class ServiceChargeIsATenth(Storing):
    """
    The service charge of a new order is the house's rate, whatever was charged.
    """

    def kept(self, body: Json) -> Json:
        if not body.get("serviceChargeAmount", {}).get("value"):
            return body
        return {**body, "serviceChargeAmount": self.tenth(body)}

    def tenth(self, body: Json) -> Json:
        return {**body["serviceChargeAmount"], "value": worth(body["items"]) // 10}


@defect("tax-lines-are-dropped", breaks=["CreateOrder.keeps-the-tax-lines"], also=SUMS)
class TaxLinesAreDropped(Storing):
    """
    The taxes of a new order are not saved.
    """

    def kept(self, body: Json) -> Json:
        return without(body, "taxLines")


@defect("tax-lines-are-one", breaks=["CreateOrder.keeps-the-tax-lines"], also=SUMS)
class TaxLinesAreOne(Storing):
    """
    The taxes of a new order are added up to one line.
    """

    def kept(self, body: Json) -> Json:
        lines = body.get("taxLines")
        if not lines:
            return body
        whole = sum(each["amountTotal"]["value"] for each in lines)
        return {**body, "taxLines": [{"name": "VAT", "amountTotal": {**lines[0]["amountTotal"], "value": whole}}]}


@defect("new-payments-are-dropped", breaks=["CreateOrder.keeps-the-payments"], also=UNUSUAL)
class NewPaymentsAreDropped(Storing):
    """
    An order that is paid for already is not.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "payments": []}


@defect("first-payment-counts", breaks=["CreateOrder.keeps-the-payments"], also=UNUSUAL)
class FirstPaymentCounts(Storing):
    """
    Of the payments that come with an order the first is kept.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "payments": body["payments"][:1]}


@defect("new-payments-include-tips", breaks=["CreateOrder.keeps-the-payments"], also=UNUSUAL)
class NewPaymentsIncludeTips(Storing):
    """
    The paidAmount of payments that come with an order is kept with the tip.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "payments": [self.with_tip(each) for each in body["payments"]]}

    def with_tip(self, payment: Json) -> Json:
        paid, tip = payment["paidAmount"], payment.get("tipsAmount", {"value": 0})
        return {**payment, "paidAmount": {**paid, "value": paid["value"] + tip["value"]}}


@defect("new-payments-lose-tips", breaks=["CreateOrder.keeps-the-payments"], also=UNUSUAL)
class NewPaymentsLoseTips(Storing):
    """
    The tips of payments that come with an order are not saved.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "payments": [without(each, "tipsAmount") for each in body["payments"]]}
