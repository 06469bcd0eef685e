"""
Mistakes in the money of an order: its currencies, what is paid of it, and what it comes to.
"""

from __future__ import annotations

from epos_conformance.reference.defects.groups import ORDERS
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order, Venue, total_of, worth


READ = "GetOrderById"

ADDS_UP = f"{READ}.total-adds-up"


# Currencies


@defect("charges-in-small-letters", breaks=over("currency-is-gbp-or-eur", READ), also=[f"{READ}.has-one-currency"])
class ChargesInSmallLetters(ReferenceEpos):
    """
    The currency of the service charge is written gbp.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        charge = shown.get("serviceChargeAmount")
        return {**shown, "serviceChargeAmount": {**charge, "currencyCode": "gbp"}} if charge else shown


@defect(
    "modifiers-in-dollars",
    breaks=[f"{READ}.currency-is-gbp-or-eur", f"{READ}.has-one-currency"],
    also=["CreateOrder.*"],
)
class ModifiersInDollars(ReferenceEpos):
    """
    Modifiers that cost nothing are in the currency that the till was installed with.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        return {**shown, "items": [_in_dollars(each) for each in shown["items"]]}


def _in_dollars(item: Json) -> Json:
    modifiers = [
        each
        if each["amountPerModifier"]["value"]
        else {**each, "amountPerModifier": {"value": 0, "currencyCode": "USD"}}
        for each in item.get("modifiers", ())
    ]
    return {**item, "modifiers": modifiers} if modifiers else item


@defect("tips-in-euros", breaks=over("has-one-currency", READ), also=ORDERS)
class TipsInEuros(ReferenceEpos):
    """
    tipsAmount is in EUR where there are no tips.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        tips = shown["tipsAmount"]
        return shown if tips["value"] else {**shown, "tipsAmount": {**tips, "currencyCode": "EUR"}}


# What is paid


@defect("paid-with-tips", breaks=over("paid-amount-is-the-sum-of-payments", READ), also=ORDERS)
class PaidWithTips(ReferenceEpos):
    """
    paidAmount is what came from the cards, tips included.
    """

    def paid_amount(self, order: Order) -> int:
        return super().paid_amount(order) + self.tips_amount(order)


@defect("paid-by-the-last-payment", breaks=over("paid-amount-is-the-sum-of-payments", READ), also=ORDERS)
class PaidByTheLastPayment(ReferenceEpos):
    """
    Each payment replaces the paidAmount of the one before.
    """

    def paid_amount(self, order: Order) -> int:
        return order.payments[-1]["paidAmount"]["value"] if order.payments else 0


@defect("closed-orders-are-paid", breaks=over("paid-amount-is-the-sum-of-payments", READ), also=ORDERS)
class CanceledOrdersArePaid(ReferenceEpos):
    """
    The paidAmount of a canceled order is its total, so that nobody asks for it.
    """

    def paid_amount(self, order: Order) -> int:
        return order.total if order.status == "Canceled" else super().paid_amount(order)


@defect("tips-of-the-first-payment", breaks=over("tips-amount-is-the-sum-of-tips", READ), also=ORDERS)
class TipsOfTheFirstPayment(ReferenceEpos):
    """
    tipsAmount is what the first guest tipped, as often as guests paid.
    """

    def tips_amount(self, order: Order) -> int:
        return len(order.payments) * order.payments[0]["tipsAmount"]["value"] if order.payments else 0


@defect("tips-are-not-summed", breaks=over("tips-amount-is-the-sum-of-tips", READ), also=ORDERS)
class TipsAreNotSummed(ReferenceEpos):
    """
    tipsAmount stays at nothing.
    """

    def tips_amount(self, order: Order) -> int:
        return 0


@defect("only-canceled-orders-are-unpayable", breaks=over("fully-paid-order-is-not-payable", READ), also=ORDERS)
class OnlyCanceledOrdersAreUnpayable(ReferenceEpos):
    """
    Whatever was not canceled can be paid.
    """

    def is_payable(self, order: Order) -> bool:
        return order.status != "Canceled"


@defect("tipped-orders-stay-payable", breaks=over("fully-paid-order-is-not-payable", READ), also=ORDERS)
class TippedOrdersStayPayable(ReferenceEpos):
    """
    Tips are taken for what is still owed.
    """

    def is_payable(self, order: Order) -> bool:
        return order.status != "Canceled" and self.paid_amount(order) < order.total + self.tips_amount(order)


# What it comes to


class _Adding(ReferenceEpos):
    """
    A till that adds its orders up in its own way.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        for each in venue.orders:
            total = {**each.given["totalAmount"], "value": self.sum_of(each)}
            each.given = {**each.given, "totalAmount": total}
        return venue

    def sum_of(self, order: Order) -> int:
        """What the till makes of *order*."""
        raise NotImplementedError  # each of the classes below has its own


def discounts(order: Order) -> int:
    return int(sum(each["amountTotal"]["value"] for each in order.given.get("discounts", ())))


def charge(order: Order) -> int:
    return int(order.given.get("serviceChargeAmount", {"value": 0})["value"])


@defect("courses-for-nothing", breaks=[ADDS_UP, f"{READ}.total-counts-sub-items"], also=[f"{READ}.*", "SearchOrders.*"])
class CoursesForNothing(_Adding):
    """
    The total counts items and their modifiers, not what comes with them.
    """

    def sum_of(self, order: Order) -> int:
        items = [{**each, "subItems": []} for each in order.given["items"]]
        return total_of({**order.given, "items": items})


@defect("second-helpings-for-nothing", breaks=[ADDS_UP, f"{READ}.total-counts-sub-items"], also=[f"{READ}.*"])
class SecondHelpingsForNothing(_Adding):
    """
    The total counts each kind of sub-item once, however many there are.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        for each in venue.orders:
            items = [{**item, "subItems": _doubled(item.get("subItems", []))} for item in each.given["items"]]
            each.given = {**each.given, "items": items}
        return venue

    def sum_of(self, order: Order) -> int:
        return total_of(order.given)


def _doubled(courses: list[Json]) -> list[Json]:
    return [{**each, "quantity": 2} for each in courses]


@defect("extras-once-per-line", breaks=[ADDS_UP, f"{READ}.total-counts-modifiers-per-item"], also=[f"{READ}.*"])
class ExtrasOncePerLine(_Adding):
    """
    The modifiers of two burgers are counted as those of one.
    """

    def sum_of(self, order: Order) -> int:
        too_many = sum(
            (each["quantity"] - 1) * (worth([{**each, "quantity": 1}]) - each["amountPerItem"]["value"])
            for each in order.given["items"]
            if "subItems" not in each
        )
        return int(total_of(order.given) - too_many)


@defect("double-cheese-is-cheese", breaks=[ADDS_UP, f"{READ}.total-counts-modifiers-per-item"], also=[f"{READ}.*"])
class DoubleCheeseIsCheese(_Adding):
    """
    A modifier counts once for each item, whatever its own quantity.
    """

    def sum_of(self, order: Order) -> int:
        items = [{**each, "modifiers": _single(each.get("modifiers", []))} for each in order.given["items"]]
        return total_of({**order.given, "items": items})


def _single(modifiers: list[Json]) -> list[Json]:
    return [{**each, "quantity": 1} for each in modifiers]


@defect("total-before-discounts", breaks=[ADDS_UP, f"{READ}.total-is-after-discounts"], also=[f"{READ}.*"])
class TotalBeforeDiscounts(_Adding):
    """
    totalAmount is what was ordered; discounts come off at the till.
    """

    def sum_of(self, order: Order) -> int:
        return total_of(order.given) + discounts(order)


@defect("discounts-are-added", breaks=[ADDS_UP, f"{READ}.total-is-after-discounts"], also=[f"{READ}.*"])
class DiscountsAreAdded(_Adding):
    """
    Discounts are summed like everything else.
    """

    def sum_of(self, order: Order) -> int:
        return total_of(order.given) + 2 * discounts(order)


@defect("service-not-included", breaks=[ADDS_UP, f"{READ}.total-includes-the-service-charge"], also=[f"{READ}.*"])
class ServiceNotIncluded(_Adding):
    """
    The service charge is told beside the total.
    """

    def sum_of(self, order: Order) -> int:
        return total_of(order.given) - charge(order)


@defect("service-charged-twice", breaks=[ADDS_UP], also=[f"{READ}.*"])
class ServiceChargedTwice(_Adding):
    """
    The service charge is put on a total that has it already.
    """

    def sum_of(self, order: Order) -> int:
        return total_of(order.given) + charge(order)


@defect("vouchers-are-left-out", breaks=[ADDS_UP], also=[f"{READ}.*"])
class VouchersAreLeftOut(_Adding):
    """
    Only what costs something is summed.
    """

    def sum_of(self, order: Order) -> int:
        items = [each for each in order.given["items"] if each["amountPerItem"]["value"] >= 0]
        return total_of({**order.given, "items": items})


@defect("pennies-get-lost", breaks=[ADDS_UP], also=[f"{READ}.*"])
class PenniesGetLost(_Adding):
    """
    Sums are made in pounds, the tax taken off and put on again, and cut to pence.
    """

    def sum_of(self, order: Order) -> int:
        net = total_of(order.given) / 100 / 1.2
        return int(round(net, 2) * 1.2 * 100)


@defect("totals-without-tax", breaks=[ADDS_UP], also=[f"{READ}.*"])
class TotalsWithoutTax(_Adding):
    """
    totalAmount is net, the prices are gross.
    """

    def sum_of(self, order: Order) -> int:
        return total_of(order.given) - int(sum(each["amountTotal"]["value"] for each in order.given["taxLines"]))
