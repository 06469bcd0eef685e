"""
Payments that are taken though nobody can have paid them, or though less was owed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.payments import PAY, SUMS
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, conflict, invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order


FORM = ("RecordOrderPaymentById.*",)


@defect("pays-nothing", breaks=over("refuses-a-zero-amount", PAY), also=over("records-nothing-for-a-bad-amount", PAY))
class PaysNothing(ReferenceEpos):
    """
    A payment of 0 is taken: only negative ones are looked for.
    """

    def check_amounts(self, body: Json) -> None:
        if body["paidAmount"]["value"] == 0:
            return
        super().check_amounts(body)


@defect("pays-less-than-nothing", breaks=over("refuses-a-negative-amount", PAY))
class PaysLessThanNothing(ReferenceEpos):
    """
    A negative payment is taken for a refund.
    """

    def check_amounts(self, body: Json) -> None:
        if body["paidAmount"]["value"] < 0:
            return
        super().check_amounts(body)


@defect(
    "negative-amounts-are-conflicts",
    breaks=over("refuses-a-negative-amount", PAY),
    also=over("refuses-a-zero-amount", PAY) + over("refuses-a-negative-tip", PAY),
)
class NegativeAmountsAreConflicts(ReferenceEpos):
    """
    Whatever is wrong with an amount is a Conflict, for which Dojo reverses the payment.
    """

    def check_amounts(self, body: Json) -> None:
        try:
            super().check_amounts(body)
        except EposError as error:
            raise conflict(error.debug_message) from error


def loose(name: str) -> Mapping[str, Any]:
    """Money for the member *name* as a lenient framework reads it."""
    anything: Json = {"type": "object", "required": ["value", "currencyCode"]}
    money = {"$ref": "urn:epos:common#/$defs/Money"}
    members = {
        "paidAmount": money,
        "tipsAmount": money,
        "paymentIntentId": {"type": "string"},
        "lockId": {"type": "string"},
    }
    return {"type": "object", "required": ["paymentIntentId", "paidAmount"], "properties": {**members, name: anything}}


class _Lenient(ReferenceEpos):
    """A till whose framework makes an integer of what it gets for one member."""

    member: str

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        return loose(self.member) if capability.name == PAY else super().request_schema(capability)

    def validate(self, call: Call) -> None:
        super().validate(call)
        if call.capability.name == PAY and self.member in call.body:
            amount = call.body[self.member]
            call.body[self.member] = {**amount, "value": self.whole(amount["value"])}

    def whole(self, value: Any) -> int:
        return int(value)


class _Rounding(_Lenient):
    def whole(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise invalid(f"{value!r} is no amount")
        return round(value + 0.01)


class _Reading(_Lenient):
    def whole(self, value: Any) -> int:
        if isinstance(value, float):
            raise invalid(f"{value!r} is no amount")
        try:
            return int(value)
        except (TypeError, ValueError) as reason:
            raise invalid(f"{value!r} is no amount") from reason


@defect("fractions-are-rounded", breaks=over("refuses-a-fractional-amount", PAY), also=FORM)
class FractionsAreRounded(_Rounding):
    """
    A payment of 1.5 is taken for one of 2.
    """

    member = "paidAmount"


@defect("texts-are-amounts", breaks=over("refuses-a-stringly-amount", PAY), also=FORM)
class TextsAreAmounts(_Reading):
    """
    A payment of "1" is taken for one of 1.
    """

    member = "paidAmount"


@defect("tips-are-rounded", breaks=over("refuses-a-fractional-tip", PAY), also=FORM)
class TipsAreRounded(_Rounding):
    """
    A tip of 1.5 is taken for one of 2.
    """

    member = "tipsAmount"


@defect("texts-are-tips", breaks=over("refuses-a-stringly-tip", PAY), also=FORM)
class TextsAreTips(_Reading):
    """
    A tip of "1" is taken for one of 1.
    """

    member = "tipsAmount"


@defect("negative-tips-are-taken", breaks=over("refuses-a-negative-tip", PAY))
class NegativeTipsAreTaken(ReferenceEpos):
    """
    Nobody thought of tips below zero.
    """

    def check_amounts(self, body: Json) -> None:
        super().check_amounts({name: value for name, value in body.items() if name != "tipsAmount"})


@defect("bad-amounts-are-stored", breaks=over("records-nothing-for-a-bad-amount", PAY), also=[f"{PAY}.*", *SUMS])
class BadAmountsAreStored(ReferenceEpos):
    """
    A payment is recorded first, and checked then.
    """

    def check_amounts(self, body: Json) -> None:
        self._last = body
        super().check_amounts(body)

    def record_order_payment_by_id(self, call: Call) -> Json:
        try:
            return super().record_order_payment_by_id(call)
        except EposError as error:
            if error.error_type == "InvalidRequest":
                order = self.find_order(call.ids["orderId"])
                order.payments = (*order.payments, self.payment_of(call.body))
            raise


# More than is owed, or on what is closed


@defect(
    "currencies-are-not-compared",
    breaks=over("refuses-another-currency", PAY),
    also=over("records-nothing-in-another-currency", PAY),
)
class CurrenciesAreNotCompared(ReferenceEpos):
    """
    A euro is as good as a pound.
    """

    def check_owed(self, order: Order, body: Json) -> None:
        own = {"currencyCode": order.currency}
        amounts: Json = {name: {**body[name], **own} for name in ("paidAmount", "tipsAmount") if name in body}
        super().check_owed(order, {**body, **amounts})


class _Storing(ReferenceEpos):
    """A till that refuses what it has recorded."""

    def stores(self, order: Order, body: Json, error: EposError) -> bool:
        raise NotImplementedError  # each of the classes below has its own

    def record_order_payment_by_id(self, call: Call) -> Json:
        try:
            return super().record_order_payment_by_id(call)
        except EposError as error:
            order = self.orders.get(call.ids["orderId"])
            if error.error_type == "Conflict" and order is not None and self.stores(order, call.body, error):
                order.payments = (*order.payments, self.payment_of(call.body))
            raise


@defect("refused-currencies-are-stored", breaks=over("records-nothing-in-another-currency", PAY), also=[f"{PAY}.*"])
class RefusedCurrenciesAreStored(_Storing):
    """
    A payment in another currency is refused and kept.
    """

    def stores(self, order: Order, body: Json, error: EposError) -> bool:
        return bool(body["paidAmount"]["currencyCode"] != order.currency)


@defect("overpayments-are-stored", breaks=over("records-nothing-of-an-overpayment", PAY), also=[f"{PAY}.*"])
class OverpaymentsAreStored(_Storing):
    """
    What is refused because it is too much is on the order all the same.
    """

    def stores(self, order: Order, body: Json, error: EposError) -> bool:
        return self.is_payable(order) and bool(body["paidAmount"]["value"] > self.owed(order))


@defect("late-payments-are-stored", breaks=over("records-nothing-on-a-fully-paid-order", PAY), also=[f"{PAY}.*"])
class LatePaymentsAreStored(_Storing):
    """
    A payment for an order that is paid already is refused and kept.
    """

    def stores(self, order: Order, body: Json, error: EposError) -> bool:
        return order.status == "Finalized"


@defect("payments-for-canceled-orders-are-stored", breaks=over("records-nothing-on-a-canceled-order", PAY))
class PaymentsForCanceledOrdersAreStored(_Storing):
    """
    A payment for a canceled order is refused and kept.
    """

    def stores(self, order: Order, body: Json, error: EposError) -> bool:
        return order.status == "Canceled"


@defect(
    "any-amount-is-taken",
    breaks=over("refuses-more-than-the-total", PAY),
    also=[f"{PAY}.refuses-*", f"{PAY}.records-*", f"{PAY}.tip-is-no-overpayment"],
)
class AnyAmountIsTaken(ReferenceEpos):
    """
    Nobody looks at what is owed.
    """

    def owed(self, order: Order) -> int:
        return 10**15


@defect(
    "one-unit-too-much-is-taken",
    breaks=over("refuses-one-unit-too-much", PAY),
    also=[f"{PAY}.records-nothing-of-an-overpayment", f"{PAY}.refuses-more-than-is-left"],
)
class OneUnitTooMuchIsTaken(ReferenceEpos):
    """
    A comparison is off by one.
    """

    def check_owed(self, order: Order, body: Json) -> None:
        amount = body["paidAmount"]
        super().check_owed(order, {**body, "paidAmount": {**amount, "value": amount["value"] - 1}})


@defect(
    "payments-are-compared-with-the-total",
    breaks=over("refuses-more-than-is-left", PAY),
    also=over("records-one-of-two-full-payments-at-once", PAY),
)
class PaymentsAreComparedWithTheTotal(ReferenceEpos):
    """
    What has been paid already is not subtracted.
    """

    def owed(self, order: Order) -> int:
        return order.total if self.is_payable(order) else super().owed(order)

    def apply_payment(self, order: Order, payment: Json) -> None:
        super().apply_payment(order, payment)
        if self.paid_amount(order) >= order.total:
            order.status = "Finalized"


@defect("too-much-is-an-invalid-request", breaks=over("refuses-one-unit-too-much", PAY), also=[f"{PAY}.refuses-*"])
class TooMuchIsAnInvalidRequest(ReferenceEpos):
    """
    Whatever doesn't fit is an InvalidRequest.
    """

    def check_owed(self, order: Order, body: Json) -> None:
        try:
            super().check_owed(order, body)
        except EposError as error:
            raise invalid(error.debug_message) from error


@defect("tips-count-as-owed", breaks=over("tip-is-no-overpayment", PAY))
class TipsCountAsOwed(ReferenceEpos):
    """
    Amount and tip together may not be more than is owed.
    """

    def check_owed(self, order: Order, body: Json) -> None:
        super().check_owed(order, body)
        if body["paidAmount"]["value"] + body.get("tipsAmount", {"value": 0})["value"] > self.owed(order):
            raise conflict("more than is owed")


@defect(
    "nearly-paid-is-paid",
    breaks=over("stays-payable-one-unit-short", PAY),
    also=over("accepts-exactly-what-is-owed", PAY),
)
class NearlyPaidIsPaid(ReferenceEpos):
    """
    Sums are compared with a tolerance of a penny.
    """

    def is_payable(self, order: Order) -> bool:
        return super().is_payable(order) and self.owed(order) > 1


@defect("the-last-unit-is-refused", breaks=over("accepts-exactly-what-is-owed", PAY), also=[f"{PAY}.*"])
class TheLastUnitIsRefused(ReferenceEpos):
    """
    A payment has to be below what is owed.
    """

    def check_owed(self, order: Order, body: Json) -> None:
        super().check_owed(order, body)
        if body["paidAmount"]["value"] >= self.owed(order):
            raise conflict("too much")


@defect(
    "paid-orders-stay-payable",
    breaks=[*over("exact-payoff-ends-payability", PAY), "GetOrderById.fully-paid-order-is-not-payable"],
    also=[f"{PAY}.refuses-a-fully-paid-order", "SearchOrders.*", "CreateOrderLock.*"],
)
class PaidOrdersStayPayable(ReferenceEpos):
    """
    payable is whether the order is open, and paid orders stay open.
    """

    def is_payable(self, order: Order) -> bool:
        return order.status not in ("Canceled", "Failed")


@defect("paid-is-a-status", breaks=over("answer-matches-schema", PAY))
class PaidIsAStatus(ReferenceEpos):
    """
    The answer to the last payment of an order has the till's own word for its status.
    """

    def recorded_answer(self, order: Order) -> Json:
        status = "Paid" if order.status == "Finalized" else order.status
        return {**super().recorded_answer(order), "status": status}


@defect(
    "paid-orders-take-more",
    breaks=over("refuses-a-fully-paid-order", PAY),
    also=[
        f"{PAY}.records-*",
        f"{PAY}.refuses-more-than-*",
        f"{PAY}.refuses-one-*",
        "CancelOrderById.*",
        "CreateOrderLock.*",
    ],
)
class PaidOrdersTakeMore(ReferenceEpos):
    """
    Whether an order is closed is left to the terminal.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        if order.status != "Finalized":
            super().check_may_pay(order, body)

    def check_owed(self, order: Order, body: Json) -> None:
        if order.status != "Finalized":
            super().check_owed(order, body)


@defect(
    "paid-orders-nod",
    breaks=over("shows-the-payment", PAY),
    also=[f"{PAY}.refuses-*", f"{PAY}.records-*"],
)
class PaidOrdersNod(PaidOrdersTakeMore):
    """
    Where nothing is owed, the order is answered as it is: there is nothing to record.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        if order.status != "Finalized":
            super().apply_payment(order, payment)


@defect(
    "any-intent-is-taken",
    breaks=[*over("looks-the-intent-up", PAY), *over("refuses-an-intent-dojo-does-not-know", PAY)],
)
class AnyIntentIsTaken(ReferenceEpos):
    """
    Nobody asks Dojo whether a payment intent exists.
    """

    def check_intent(self, order: Order, intent_id: str) -> None:
        super().check_intent(order, f"pi_{intent_id}")

    def inquire(self, call: Call) -> Call:
        return call


@defect("tips-close-orders", breaks=over("stays-payable-one-unit-short", PAY), also=[f"{PAY}.*"])
class TipsCloseOrders(ReferenceEpos):
    """
    An order is closed as soon as payments and tips together reach its total.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        super().apply_payment(order, payment)
        if self.paid_amount(order) + self.tips_amount(order) >= order.total:
            order.status = "Finalized"


@defect("tipped-payments-may-be-too-much", breaks=over("refuses-one-unit-too-much", PAY), also=[f"{PAY}.*"])
class TippedPaymentsMayBeTooMuch(ReferenceEpos):
    """
    A payment with a tip is not compared with what is owed.
    """

    def check_owed(self, order: Order, body: Json) -> None:
        if not body.get("tipsAmount", {"value": 0})["value"]:
            super().check_owed(order, body)


@defect("large-orders-are-not-watched", breaks=over("refuses-one-unit-too-much", PAY))
class LargeOrdersAreNotWatched(ReferenceEpos):
    """
    What is owed is compared for small orders alone.
    """

    def check_owed(self, order: Order, body: Json) -> None:
        if order.total < 10_000:
            super().check_owed(order, body)
