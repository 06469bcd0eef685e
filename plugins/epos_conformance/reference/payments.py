"""
Payments: each payment intent counts once, and never for more than is owed.
"""

from __future__ import annotations

from dataclasses import replace

from epos_conformance.reference.core import Call
from epos_conformance.reference.errors import conflict, invalid, not_found
from epos_conformance.reference.locks import Locks
from epos_conformance.reference.records import Json, Order


class Payments(Locks):
    """
    RecordOrderPaymentById.
    """

    def inquire(self, call: Call) -> Call:
        intent_id = call.body.get("paymentIntentId")
        if self.dojo is None or call.capability.name != "RecordOrderPaymentById" or not isinstance(intent_id, str):
            return call
        return replace(call, intent=self.dojo.find_intent(intent_id))

    def record_order_payment_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        self.check_amounts(call.body)
        if self.is_replay(order, call.body):
            # An error here would make Dojo give back money that was well received.
            return self.present_order(order)
        self.check_intent(order, call.body["paymentIntentId"])
        self.check_may_pay(order, call.body)
        self.check_owed(order, call.body)
        self.check_at_dojo(call)
        self.apply_payment(order, self.payment_of(call.body))
        self.tell_of_payment(order)
        return self.recorded_answer(order)

    def check_amounts(self, body: Json) -> None:
        """Refuses amounts that nobody can have paid."""
        if body["paidAmount"]["value"] <= 0:
            raise invalid("paidAmount is not above zero")
        if body.get("tipsAmount", {"value": 0})["value"] < 0:
            raise invalid("tipsAmount is below zero")

    def is_replay(self, order: Order, body: Json) -> bool:
        """Whether this payment intent is on *order* already."""
        return any(each.get("paymentIntentId") == body["paymentIntentId"] for each in order.payments)

    def check_intent(self, order: Order, intent_id: str) -> None:
        """
        Refuses an intent that paid for something else, or that Dojo can't know by how it is written.
        """
        if not intent_id.startswith("pi_"):
            raise not_found("payment intent", intent_id)
        for each in self.orders.values():
            if any(payment.get("paymentIntentId") == intent_id for payment in each.payments):
                raise conflict(f"payment intent {intent_id!r} is recorded on order {each.id!r}")

    def check_may_pay(self, order: Order, body: Json) -> None:
        """Refuses a payment on an order that is closed, or locked by somebody else."""
        if not self.is_payable(order):
            raise conflict(f"order {order.id!r} has nothing left to pay")
        if self.is_held_by_another(order, body.get("lockId")):
            raise conflict(f"order {order.id!r} is locked")

    def check_owed(self, order: Order, body: Json) -> None:
        """Refuses another currency, and more than is owed."""
        for name in ("paidAmount", "tipsAmount"):
            if name in body and body[name]["currencyCode"] != order.currency:
                raise conflict(f"{name} is in {body[name]['currencyCode']}, order {order.id!r} in {order.currency}")
        if body["paidAmount"]["value"] > self.owed(order):
            raise conflict(f"order {order.id!r} owes {self.owed(order)}, less than {body['paidAmount']['value']}")

    def check_at_dojo(self, call: Call) -> None:
        """
        Refuses an intent that Dojo does not know, or that did not take what is to be recorded.

        Where Dojo can't be asked the payment is taken: whoever asked for it has our credentials, the guest has paid,
        and an error would make Dojo give the money back after the meal.
        """
        if call.intent is None:
            return
        if not call.intent:
            raise not_found("payment intent", call.body["paymentIntentId"])
        self.check_captured(call.intent)
        self.check_taken(call.intent, call.body["paidAmount"])

    def check_captured(self, intent: Json) -> None:
        """Refuses an *intent* whose money Dojo does not have, or has given back."""
        if intent.get("status") != "Captured":
            raise conflict(f"payment intent {intent.get('id')!r} is {intent.get('status')} at Dojo, not Captured")

    def check_taken(self, intent: Json, paid: Json) -> None:
        """Refuses an *intent* for another amount than *paid*; a tip is in neither."""
        taken = intent.get("amount") or {}
        if (taken.get("value"), taken.get("currencyCode")) != (paid["value"], paid["currencyCode"]):
            at_dojo = f"{taken.get('value')} {taken.get('currencyCode')}"
            wanted = f"{paid['value']} {paid['currencyCode']}"
            raise conflict(f"payment intent {intent.get('id')!r} took {at_dojo} at Dojo, not {wanted}")

    def owed(self, order: Order) -> int:
        """What is left to pay on *order*."""
        return order.total - self.paid_amount(order)

    def payment_of(self, body: Json) -> Json:
        """What is kept of a payment: without a tip, one of nothing."""
        paid = body["paidAmount"]
        nothing = {"value": 0, "currencyCode": paid["currencyCode"]}
        return {
            "paymentIntentId": body["paymentIntentId"],
            "paidAmount": paid,
            "tipsAmount": body.get("tipsAmount", nothing),
        }

    def apply_payment(self, order: Order, payment: Json) -> None:
        """Counts *payment*, and closes *order* with the last penny."""
        order.payments = (*order.payments, payment)
        self.touch(order)
        if self.owed(order) <= 0:
            order.status = "Finalized"

    def tell_of_payment(self, order: Order) -> None:
        self.tell("OrderUpdated", order)

    def recorded_answer(self, order: Order) -> Json:
        return self.present_order(order)
