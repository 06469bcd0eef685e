"""
Mistakes in what is recorded of a payment.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order


PAY = "RecordOrderPaymentById"

#: What shows amounts of an order, wherever it is shown.
SUMS = ("GetOrderById.*-amount-is-the-sum-of-*", "SearchOrders.rows-agree-with-the-order")


def more(amount: Json, by: int) -> Json:
    return {**amount, "value": amount["value"] + by}


@defect(
    "payment-is-not-listed",
    breaks=over("shows-the-payment", PAY),
    also=[f"{PAY}.*", "GetOrderById.*", "SearchOrders.*", "GetOrderBillById.*", "*OrderLock.*"],
)
class PaymentIsNotListed(ReferenceEpos):
    """
    The answer to a payment shows the order as it was loaded before.
    """

    def record_order_payment_by_id(self, call: Call) -> Json:
        before = self.present_order(self.find_order(call.ids["orderId"]))
        super().record_order_payment_by_id(call)
        return before


@defect(
    "payments-are-forgotten",
    breaks=over("payment-is-read-back", PAY),
    also=[f"{PAY}.*", "*OrderLock.*", "*.follows-a-payment"],
)
class PaymentsAreForgotten(ReferenceEpos):
    """
    A payment is put on a copy of the order that is answered and never saved.
    """

    def record_order_payment_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        kept, status = order.payments, order.status
        try:
            return super().record_order_payment_by_id(call)
        finally:
            order.payments, order.status = kept, status


@defect(
    "five-payments-are-shown",
    breaks=over("split-payments-add-up", PAY),
    also=[f"{PAY}.*", *SUMS, "GetOrderById.tips-amount-is-the-sum-of-tips"],
)
class FivePaymentsAreShown(ReferenceEpos):
    """
    The payments are read with the page size of a list on the screen.
    """

    def present_order(self, order: Order) -> Json:
        found = super().present_order(order)
        return {**found, "payments": found["payments"][-5:]}


@defect("paid-amount-is-rounded", breaks=over("keeps-the-paid-amount", PAY), also=[f"{PAY}.*", *SUMS])
class PaidAmountIsRounded(ReferenceEpos):
    """
    Amounts are kept in pounds as floating point numbers, and cut off on the way back.
    """

    def payment_of(self, body: Json) -> Json:
        found = super().payment_of(body)
        amount = found["paidAmount"]
        return {**found, "paidAmount": {**amount, "value": int(amount["value"] / 100 * 100)}}


@defect("large-payments-are-cut", breaks=over("keeps-the-paid-amount", PAY), also=[f"{PAY}.*", *SUMS])
class LargePaymentsAreCut(ReferenceEpos):
    """
    The column for amounts holds four digits.
    """

    def payment_of(self, body: Json) -> Json:
        found = super().payment_of(body)
        return {**found, "paidAmount": {**found["paidAmount"], "value": found["paidAmount"]["value"] % 10_000}}


@defect(
    "tips-are-dropped",
    breaks=over("keeps-the-tip", PAY),
    also=[f"{PAY}.tips-amount-grows-by-the-tip", f"{PAY}.payment-is-read-back"],
)
class TipsAreDropped(ReferenceEpos):
    """
    Tips are read from a member of another name.
    """

    def payment_of(self, body: Json) -> Json:
        return super().payment_of({name: value for name, value in body.items() if name != "tipsAmount"})


@defect(
    "tips-are-in-the-paid-amount",
    breaks=over("keeps-tips-out-of-the-paid-amount", PAY),
    also=[f"{PAY}.*", *SUMS],
)
class TipsAreInThePaidAmount(ReferenceEpos):
    """
    A payment is recorded as what the card was charged: amount and tip together.
    """

    def payment_of(self, body: Json) -> Json:
        found = super().payment_of(body)
        return {**found, "paidAmount": more(found["paidAmount"], found["tipsAmount"]["value"])}


@defect(
    "paid-amount-counts-tips",
    breaks=over("paid-amount-grows-by-the-payment", PAY),
    also=[f"{PAY}.*", "GetOrderById.*", "SearchOrders.payable-*"],
)
class PaidAmountCountsTips(ReferenceEpos):
    """
    The order's paidAmount sums up payments with their tips.
    """

    def paid_amount(self, order: Order) -> int:
        return super().paid_amount(order) + self.tips_amount(order)


@defect(
    "paid-amount-misses-the-third-payment",
    breaks=over("paid-amount-grows-by-the-payment", PAY),
    also=[f"{PAY}.*", *SUMS],
)
class PaidAmountMissesTheThirdPayment(ReferenceEpos):
    """
    There are two columns for payments, cash and card, and the sum is over both.
    """

    def paid_amount(self, order: Order) -> int:
        return sum(each["paidAmount"]["value"] for each in order.payments[:2])


@defect(
    "tips-amount-is-the-last-tip",
    breaks=over("tips-amount-grows-by-the-tip", PAY),
    also=[f"{PAY}.*", "GetOrderById.tips-amount-is-the-sum-of-tips"],
)
class TipsAmountIsTheLastTip(ReferenceEpos):
    """
    tipsAmount is overwritten by each payment.
    """

    def tips_amount(self, order: Order) -> int:
        return order.payments[-1].get("tipsAmount", {"value": 0})["value"] if order.payments else 0


@defect(
    "total-is-what-is-left",
    breaks=over("keeps-the-total", PAY),
    also=[f"{PAY}.*", "GetOrderById.*", "SearchOrders.*", "CreateOrder.*", "GetOrderBillById.*", "CancelOrderById.*"],
)
class TotalIsWhatIsLeft(ReferenceEpos):
    """
    totalAmount is what is left to pay.
    """

    def total_amount(self, order: Order) -> Json:
        return self.money(order.total - self.paid_amount(order), order)


@defect(
    "total-includes-tips",
    breaks=over("keeps-the-total-when-tipped", PAY),
    also=[f"{PAY}.*", "GetOrderById.*", "CreateOrder.*"],
)
class TotalIncludesTips(ReferenceEpos):
    """
    A tip is added to totalAmount.
    """

    def total_amount(self, order: Order) -> Json:
        return more(super().total_amount(order), self.tips_amount(order))


@defect(
    "only-the-last-payment-is-kept",
    breaks=over("keeps-earlier-payments", PAY),
    also=[f"{PAY}.*", "*OrderLock.*"],
)
class OnlyTheLastPaymentIsKept(ReferenceEpos):
    """
    A payment replaces those before it.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        order.payments = ()
        super().apply_payment(order, payment)


@defect(
    "payments-are-merged",
    breaks=over("split-payments-add-up", PAY),
    also=[f"{PAY}.*", "*.follows-a-payment"],
)
class PaymentsAreMerged(ReferenceEpos):
    """
    From the third payment on, amounts are added to the entry before, under its intent.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        super().apply_payment(order, payment)
        if len(order.payments) > 2:
            *kept, last, new = order.payments
            amount = more(last["paidAmount"], new["paidAmount"]["value"])
            order.payments = (*kept, {**last, "paidAmount": amount})


@defect(
    "second-payments-are-refused",
    breaks=over("split-payments-add-up", PAY),
    also=[f"{PAY}.*", "*OrderLock.*", "*.follows-a-payment"],
)
class SecondPaymentsAreRefused(ReferenceEpos):
    """
    An order has a field for one payment.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        super().check_may_pay(order, body)
        if order.payments:
            raise conflict(f"order {order.id!r} is paid already")


@defect(
    "tables-pay-once",
    breaks=over("split-payments-add-up", PAY),
    also=[f"{PAY}.*", "*.follows-a-payment"],
)
class TablesPayOnce(ReferenceEpos):
    """
    A till that makes no orders for Dojo: a bill whose payment has begun is handed over to the terminal that began it.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        super().apply_payment(order, payment)
        self.begun().add(order.id)

    def check_may_pay(self, order: Order, body: Json) -> None:
        super().check_may_pay(order, body)
        if order.id in self.begun():
            raise conflict(f"order {order.id!r} is with another terminal")

    def begun(self) -> set[str]:
        """Orders whose payment has begun."""
        found: set[str] = self.__dict__.setdefault("begun_orders", set())
        return found


@defect(
    "begun-bills-are-closed",
    breaks=over("part-payment-leaves-the-order-payable", PAY),
    also=[f"{PAY}.*", "SearchOrders.payable-*"],
)
class BegunBillsAreClosed(ReferenceEpos):
    """
    A till that makes no orders for Dojo: a bill is open, or it has a payment.
    """

    def is_payable(self, order: Order) -> bool:
        return super().is_payable(order) and not any(
            each.get("paymentIntentId", "").startswith("pi_") for each in order.payments
        )


@defect("a-tip-is-required", breaks=over("works-without-a-tip", PAY), also=[f"{PAY}.*", "*OrderLock.*", "*.*"])
class ATipIsRequired(ReferenceEpos):
    """
    A payment without tipsAmount is invalid.
    """

    def check_amounts(self, body: Json) -> None:
        super().check_amounts(body)
        if "tipsAmount" not in body:
            raise invalid("tipsAmount is missing")


@defect(
    "tips-are-refused", breaks=over("works-with-a-tip", PAY), also=[f"{PAY}.tip-is-no-overpayment", f"{PAY}.*-at-once*"]
)
class TipsAreRefused(ReferenceEpos):
    """
    The till knows no tips.
    """

    def check_amounts(self, body: Json) -> None:
        super().check_amounts(body)
        if body.get("tipsAmount", {"value": 0})["value"] > 0:
            raise conflict("tips are settled in cash")


@defect(
    "no-tip-is-an-error",
    breaks=over("works-with-a-tip-of-zero", PAY),
    also=[f"{PAY}.*", "*.optional-members-are-optional"],
)
class NoTipIsAnError(ReferenceEpos):
    """
    A tip is checked like an amount: above zero.
    """

    def check_amounts(self, body: Json) -> None:
        super().check_amounts(body)
        if body.get("tipsAmount", {"value": 1})["value"] <= 0:
            raise invalid("tipsAmount is not above zero")


@defect("a-lock-is-required", breaks=over("works-without-a-lock", PAY), also=[f"{PAY}.*", "*.*"])
class ALockIsRequired(ReferenceEpos):
    """
    Only the holder of a lock may pay.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        super().check_may_pay(order, body)
        lock = self.locks.get(order.id)
        if lock is None or lock.id != body.get("lockId"):
            raise conflict(f"order {order.id!r} is not locked")


@defect(
    "paid-a-little-is-paid",
    breaks=over("part-payment-leaves-the-order-payable", PAY),
    also=[f"{PAY}.*", "*OrderLock.*", "GetOrderBillById.*", "SearchOrders.payable-*"],
)
class PaidALittleIsPaid(ReferenceEpos):
    """
    An order with a payment is done.
    """

    def is_payable(self, order: Order) -> bool:
        return super().is_payable(order) and not order.payments


@defect(
    "payment-is-in-the-other-currency",
    breaks=over("keeps-the-paid-amount", PAY),
    also=["GetOrderById.has-one-currency", f"{PAY}.*"],
)
class PaymentIsInTheOtherCurrency(ReferenceEpos):
    """
    Payments are shown in the currency that the developer's own till trades in.
    """

    def present_payment(self, payment: Json) -> Json:
        other = "GBP" if self.currency() == "EUR" else "EUR"
        return {**payment, "paidAmount": {**payment["paidAmount"], "currencyCode": other}}


@defect("items-are-cleared", breaks=over("keeps-the-items", PAY), also=[f"{PAY}.*", "GetOrderById.*", "*OrderLock.*"])
class ItemsAreCleared(ReferenceEpos):
    """
    An order that is paid is printed, and its items are moved to the journal.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        super().apply_payment(order, payment)
        if order.status == "Finalized":
            order.given = {**order.given, "items": []}


@defect(
    "tipped-payments-are-refused-and-kept",
    breaks=over("records-nothing-that-it-refuses", PAY),
    also=[f"{PAY}.*", "*.follows-a-payment"],
)
class TippedPaymentsAreRefusedAndKept(ReferenceEpos):
    """
    What the tip is entered for fails after the payment was saved.
    """

    def recorded_answer(self, order: Order) -> Json:
        if order.payments and order.payments[-1]["tipsAmount"]["value"]:
            raise conflict("no account for tips")
        return super().recorded_answer(order)


@defect(
    "intents-are-compared-in-any-case", breaks=over("shows-the-payment", PAY), also=[f"{PAY}.*", "*.follows-a-payment"]
)
class IntentsAreComparedInAnyCase(ReferenceEpos):
    """
    The database compares texts regardless of case, and takes one intent for another's replay.
    """

    def is_replay(self, order: Order, body: Json) -> bool:
        known = {str(each.get("paymentIntentId")).lower() for each in order.payments}
        return body["paymentIntentId"].lower() in known


@defect("collected-payments-include-tips", breaks=over("keeps-tips-out-of-the-paid-amount", PAY), also=[f"{PAY}.*"])
class CollectedPaymentsIncludeTips(ReferenceEpos):
    """
    The counter's own program records what the card was charged.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        if order.given["details"]["orderType"] == "Collection":
            payment = {**payment, "paidAmount": more(payment["paidAmount"], payment["tipsAmount"]["value"])}
        super().apply_payment(order, payment)


@defect("search-rows-are-kept", breaks=["SearchOrders.follows-a-payment"], also=["SearchOrders.*", f"{PAY}.*"])
class SearchRowsAreKept(ReferenceEpos):
    """
    What a search has shown of an order once, it shows until the till is restarted.
    """

    def search_orders(self, call: Call) -> Json:
        found = super().search_orders(call)
        kept: dict[str, Json] = self.__dict__.setdefault("shown", {})
        return {**found, "data": [kept.setdefault(each["id"], each) for each in found["data"]]}
