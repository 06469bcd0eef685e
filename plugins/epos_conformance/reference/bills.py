"""
The bill: the order between what the restaurant prints above and below it.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.orders import Orders
from epos_conformance.reference.records import Json, Order


#: A black square, for want of a logo.
_LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8H0z"/></svg>'


class Bills(Orders):
    """
    GetOrderBillById.
    """

    def get_order_bill_by_id(self, call: Call) -> Json:
        return self.present_bill(self.find_order(call.ids["orderId"]))

    def present_bill(self, order: Order) -> Json:
        return {
            "header": {"lines": self.bill_header()},
            "order": self.bill_order(order),
            "footer": {"lines": self.bill_footer(order)},
        }

    def bill_order(self, order: Order) -> Json:
        """The order on the bill: the very one that GetOrderById shows."""
        return self.present_order(order)

    def bill_header(self) -> list[Json]:
        return [
            {"lineType": "Logo", "logo": {"svgImage": _LOGO}},
            {"lineType": "MerchantName", "merchantName": {"name": "The Copper Kettle"}},
            {
                "lineType": "MerchantAddress",
                "merchantAddress": {"addressLines": ["12 Market Row", "Ludlow"], "postcode": "SY8 1AA"},
            },
            {"lineType": "MerchantPhoneNumber", "merchantPhoneNumber": {"phoneNumber": "+441632960123"}},
            {"lineType": "MerchantEmailAddress", "merchantEmailAddress": {"emailAddress": "hello@example.com"}},
            {"lineType": "TaxNumber", "taxNumber": {"name": "VAT", "number": "GB 000 0000 00"}},
            {"lineType": "HorizontalLine", "horizontalLine": {"line": "Double"}},
        ]

    def bill_footer(self, order: Order) -> list[Json]:
        return [
            {"lineType": "HorizontalLine", "horizontalLine": {"line": "Single"}},
            {"lineType": "Text", "text": {"size": "Header2", "value": "Thank you!", "align": "Center", "bold": True}},
            {"lineType": "Text", "text": {"size": "Body", "value": f"Order {order.id}", "align": "Center"}},
            {
                "lineType": "URL",
                "url": {
                    "url": "https://example.com/feedback",
                    "description": "Tell us",
                    "showQr": True,
                    "showUrl": True,
                },
            },
            {"lineType": "Image", "image": {"svgImage": _LOGO, "align": "Center"}},
        ]
