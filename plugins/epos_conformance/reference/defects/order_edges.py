"""
Mistakes in what is kept of an order that Dojo creates, which usual orders don't show.
"""

from __future__ import annotations

from epos_conformance.reference.defects.order_creation import Storing
from epos_conformance.reference.defects.order_keeps import SUMS, UNUSUAL, Keeping
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json


@defect("percents-are-whole", breaks=["CreateOrder.keeps-the-discounts"], also=UNUSUAL)
class PercentsAreWhole(Storing):
    """
    The column for the percentage of a discount has room for whole percents.
    """

    def kept(self, body: Json) -> Json:
        if "discounts" not in body:
            return body
        return {**body, "discounts": [self.rounded(each) for each in body["discounts"]]}

    def rounded(self, discount: Json) -> Json:
        percents = {name: each // 100 * 100 for name, each in discount.items() if name == "amountPercentage"}
        return {**discount, **percents}


@defect("quantities-have-two-digits", breaks=["CreateOrder.keeps-the-quantities"], also=SUMS)
class QuantitiesHaveTwoDigits(Keeping):
    """
    There is room for two digits in front of an item, and 99 is the most that is put there.
    """

    def kept_item(self, item: Json) -> Json:
        return {**item, "quantity": min(item["quantity"], 99)}


@defect(
    "guests-come-with-their-table",
    breaks=["CreateOrder.keeps-the-waiter", "CreateOrder.keeps-the-party", "CreateOrder.keeps-the-reservation"],
    also=UNUSUAL,
)
class GuestsComeWithTheirTable(Storing):
    """
    Who is served is a row of the table that they sit at: where there is none, it is lost.
    """

    def kept(self, body: Json) -> Json:
        dine_in = body["details"].get("dineIn", {})
        if "tableId" in dine_in or not dine_in:
            return body
        known = {name: each for name, each in dine_in.items() if name == "readyAt"}
        return {**body, "details": {**body["details"], "dineIn": known}}
