"""
Mistakes in the printable bill.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order


BILL = "GetOrderBillById"

SCHEMA = f"{BILL}.answer-matches-schema"


@defect("bill-of-canceled-order-is-bare", breaks=over("has-header-order-and-footer", BILL), also=[SCHEMA])
class BillOfCanceledOrderIsBare(ReferenceEpos):
    """
    The bill of a canceled order is the order alone.
    """

    def present_bill(self, order: Order) -> Json:
        bill = super().present_bill(order)
        return {"order": bill["order"]} if order.status == "Canceled" else bill


@defect("bill-lists-its-header", breaks=over("has-header-order-and-footer", BILL), also=[f"{BILL}.*"])
class BillListsItsHeader(ReferenceEpos):
    """
    header and footer are lists of lines.
    """

    def present_bill(self, order: Order) -> Json:
        bill = super().present_bill(order)
        return {**bill, "header": bill["header"]["lines"], "footer": bill["footer"]["lines"]}


@defect("bill-prints-barcodes", breaks=over("line-types-are-known-ones", BILL), also=[SCHEMA])
class BillPrintsBarcodes(ReferenceEpos):
    """
    A bill with a discount ends with a line of a type of the till's own.
    """

    def bill_footer(self, order: Order) -> list[Json]:
        lines = super().bill_footer(order)
        if "discounts" in order.given:
            lines.append({"lineType": "Barcode", "text": {"size": "Body", "value": order.id}})
        return lines


@defect("bill-line-types-in-small-letters", breaks=over("line-types-are-known-ones", BILL), also=[SCHEMA])
class BillLineTypesInSmallLetters(ReferenceEpos):
    """
    The lineType of an address on the web is Url.
    """

    def bill_footer(self, order: Order) -> list[Json]:
        return [
            {**each, "lineType": {"URL": "Url"}.get(each["lineType"], each["lineType"])}
            for each in super().bill_footer(order)
        ]


@defect("bill-logo-is-an-image", breaks=over("lines-carry-their-content", BILL))
class BillLogoIsAnImage(ReferenceEpos):
    """
    The content of a Logo stands under image.
    """

    def bill_header(self) -> list[Json]:
        return [
            {"lineType": each["lineType"], "image": each["logo"]} if "logo" in each else each
            for each in super().bill_header()
        ]


@defect("bill-thanks-without-text", breaks=over("lines-carry-their-content", BILL))
class BillThanksWithoutText(ReferenceEpos):
    """
    What is printed of an order with tips says Text and carries a horizontal line.
    """

    def bill_footer(self, order: Order) -> list[Json]:
        lines = super().bill_footer(order)
        if any(each["tipsAmount"]["value"] for each in order.payments):
            lines.append({"lineType": "Text", "horizontalLine": {"line": "Single"}})
        return lines


@defect("bill-text-is-large", breaks=over("text-size-is-a-known-one", BILL), also=[SCHEMA])
class BillTextIsLarge(ReferenceEpos):
    """
    The size of the closing words on a paid bill is Large.
    """

    def bill_footer(self, order: Order) -> list[Json]:
        lines = super().bill_footer(order)
        if order.status == "Finalized":
            lines.append({"lineType": "Text", "text": {"size": "Large", "value": "PAID"}})
        return lines


@defect("bill-text-is-bold-only", breaks=over("text-size-is-a-known-one", BILL), also=[SCHEMA])
class BillTextIsBoldOnly(ReferenceEpos):
    """
    A text that is bold has no size.
    """

    def bill_footer(self, order: Order) -> list[Json]:
        lines = super().bill_footer(order)
        thanks = {"lineType": "Text", "text": {"value": "See you soon", "bold": True}}
        return [*lines, thanks]


@defect("bill-of-the-table", breaks=over("is-for-the-order-asked-for", BILL), also=[f"{BILL}.*"])
class BillOfTheTable(ReferenceEpos):
    """
    The bill is that of the first order that is open at the table.
    """

    def get_order_bill_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        here = [each for each in self.orders.values() if each.dine_in.get("tableId") == order.dine_in.get("tableId")]
        return self.present_bill(next((each for each in here if self.is_payable(each)), order))


@defect("bill-before-discounts", breaks=over("order-agrees-with-the-order", BILL), also=[f"{BILL}.*"])
class BillBeforeDiscounts(ReferenceEpos):
    """
    The order on the bill has no discounts, and the total without them.
    """

    def bill_order(self, order: Order) -> Json:
        shown = super().bill_order(order)
        off = sum(each["amountTotal"]["value"] for each in shown.pop("discounts", ()))
        return {**shown, "totalAmount": self.money(order.total + off, order)}


@defect("bill-with-tips-as-paid", breaks=over("order-agrees-with-the-order", BILL), also=[f"{BILL}.*"])
class BillWithTipsAsPaid(ReferenceEpos):
    """
    paidAmount on the bill is what the guests gave, with tips.
    """

    def bill_order(self, order: Order) -> Json:
        paid = self.paid_amount(order) + self.tips_amount(order)
        return {**super().bill_order(order), "paidAmount": self.money(paid, order)}


@defect("bill-is-kept", breaks=over("follows-a-payment", BILL), also=[f"{BILL}.order-agrees-with-the-order", "*Lock.*"])
class BillIsKept(ReferenceEpos):
    """
    A bill that was printed once is printed again as it was.
    """

    def present_bill(self, order: Order) -> Json:
        kept: dict[str, Json] = self.__dict__.setdefault("bills", {})
        return kept.setdefault(order.id, super().present_bill(order))


@defect("bill-crashes-on-part-payments", breaks=over("follows-a-payment", BILL), also=[f"{BILL}.*", "*Lock.*"])
class BillCrashesOnPartPayments(ReferenceEpos):
    """
    The bill of an order that is paid by a card looks a voucher up that isn't there.
    """

    def present_bill(self, order: Order) -> Json:
        for each in order.payments:
            if not each["paymentIntentId"].startswith("pi_seed"):
                assert each["voucher"]
        return super().present_bill(order)
