"""
The same payment again, and several at the same instant.
"""

from __future__ import annotations

import contextlib
import time

from contextlib import AbstractContextManager
from typing import Any

from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.payments import PAY
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order


COUNTS = tuple(
    f"{PAY}.{rule}"
    for rule in (
        "counts-*",
        "lists-a-replay-once",
        "answers-a-replay-*",
    )
)


@defect(
    "pays-twice",
    breaks=[f"{PAY}.counts-a-replay-once", f"{PAY}.counts-the-tip-of-a-replay-once", f"{PAY}.lists-a-replay-once"],
    also=COUNTS,
)
class PaysTwice(ReferenceEpos):
    """
    A payment intent that comes again is counted again.
    """

    def is_replay(self, order: Order, body: Json) -> bool:
        return False

    def check_intent(self, order: Order, intent_id: str) -> None:
        """Nobody asks where the intent was used before."""
        if not intent_id.startswith("pi_"):
            super().check_intent(order, intent_id)


@defect("late-replays-are-paid", breaks=over("counts-a-late-replay-once", PAY), also=COUNTS)
class LateReplaysArePaid(PaysTwice):
    """
    Only the latest payment is compared.
    """

    def is_replay(self, order: Order, body: Json) -> bool:
        return bool(order.payments) and order.payments[-1].get("paymentIntentId") == body["paymentIntentId"]


@defect(
    "replays-on-paid-orders-are-paid",
    breaks=over("counts-a-replay-on-a-paid-order-once", PAY),
    also=COUNTS,
)
class ReplaysOnPaidOrdersArePaid(PaysTwice):
    """
    Once an order is closed, its payments are in the archive, where nobody looks.
    """

    def is_replay(self, order: Order, body: Json) -> bool:
        return order.status != "Finalized" and ReferenceEpos.is_replay(self, order, body)

    def check_may_pay(self, order: Order, body: Json) -> None:
        if not (order.status == "Finalized" and ReferenceEpos.is_replay(self, order, body)):
            super().check_may_pay(order, body)

    def check_owed(self, order: Order, body: Json) -> None:
        if not (order.status == "Finalized" and ReferenceEpos.is_replay(self, order, body)):
            super().check_owed(order, body)


@defect("replay-is-listed-again", breaks=over("lists-a-replay-once", PAY), also=COUNTS)
class ReplayIsListedAgain(ReferenceEpos):
    """
    A payment that comes again is not added to the sums, but logged.
    """

    def record_order_payment_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        replayed = self.is_replay(order, call.body)
        found = super().record_order_payment_by_id(call)
        if replayed:
            found["payments"] = [*found["payments"], self.payment_of(call.body)]
        return found


@defect(
    "replayed-tips-are-counted",
    breaks=over("counts-the-tip-of-a-replay-once", PAY),
    also=[*COUNTS, "GetOrderById.tips-amount-is-the-sum-of-tips"],
)
class ReplayedTipsAreCounted(ReferenceEpos):
    """
    Tips are counted where the request is received, payments where they are recorded.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.again: dict[str, int] = {}

    def record_order_payment_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        if self.is_replay(order, call.body):
            tip = call.body.get("tipsAmount", {"value": 0})["value"]
            self.again[order.id] = self.again.get(order.id, 0) + tip
        return super().record_order_payment_by_id(call)

    def tips_amount(self, order: Order) -> int:
        again: dict[str, int] = getattr(self, "again", {})
        return super().tips_amount(order) + again.get(order.id, 0)


@defect(
    "replay-is-a-conflict",
    breaks=over("answers-a-replay-with-success", PAY),
    also=over("answers-a-replay-at-once-with-success", PAY),
)
class ReplayIsAConflict(ReferenceEpos):
    """
    A payment that is recorded already is refused.
    """

    def record_order_payment_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        if self.is_replay(order, call.body) and order.status != "Finalized":
            raise conflict("recorded already")
        return super().record_order_payment_by_id(call)


@defect("replay-on-a-paid-order-is-a-conflict", breaks=over("answers-a-replay-on-a-paid-order-with-success", PAY))
class ReplayOnAPaidOrderIsAConflict(ReferenceEpos):
    """
    Whether the order is open is asked before whether the payment is known.
    """

    def record_order_payment_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        if order.status == "Finalized":
            raise conflict("the order is paid")
        return super().record_order_payment_by_id(call)


@defect(
    "replay-is-answered-with-the-order-before",
    breaks=over("answers-a-replay-with-the-unchanged-order", PAY),
    also=[f"{PAY}.counts-*"],
)
class ReplayIsAnsweredWithTheOrderBefore(ReferenceEpos):
    """
    A payment that comes again gets the answer of an order without payments.
    """

    def record_order_payment_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        replayed = self.is_replay(order, call.body)
        found = super().record_order_payment_by_id(call)
        if replayed:
            nothing = self.money(0, order)
            found |= {"payments": [], "paidAmount": nothing, "tipsAmount": nothing, "payable": True}
        return found


# Between looking and recording


class _Racing(ReferenceEpos):
    """A till that looks, waits for its database, and writes."""

    side_by_side = True

    #: Seconds that the database takes.
    pause = 0.02

    def exclusively(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext()

    def apply_payment(self, order: Order, payment: Json) -> None:
        time.sleep(self.pause)
        with self.turn:
            super().apply_payment(order, payment)


@defect(
    "full-payments-race",
    breaks=over("records-one-of-two-full-payments-at-once", PAY),
    also=[f"{PAY}.refuses-more-than-the-total", "*.*-at-once*"],
)
class FullPaymentsRace(_Racing):
    """
    What is owed is looked at before the transaction begins.
    """

    def is_replay(self, order: Order, body: Json) -> bool:
        with self.turn:
            seen = self.__dict__.setdefault("seen", set())
            replayed = body["paymentIntentId"] in seen or super().is_replay(order, body)
            seen.add(body["paymentIntentId"])
        return replayed


@defect(
    "replays-race",
    breaks=over("counts-a-replay-at-once-once", PAY),
    also=[f"{PAY}.*-at-once*", "*.*-at-once*"],
)
class ReplaysRace(_Racing):
    """
    Whether a payment is known is looked up before the transaction begins.
    """


@defect(
    "replays-at-once-are-conflicts", breaks=over("answers-a-replay-at-once-with-success", PAY), also=["*.*-at-once*"]
)
class ReplaysAtOnceAreConflicts(_Racing):
    """
    The database refuses the second row of a payment, and that becomes an error.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        time.sleep(self.pause)
        with self.turn:
            if any(each.get("paymentIntentId") == payment["paymentIntentId"] for each in order.payments):
                raise conflict("duplicate key")
            if self.owed(order) < payment["paidAmount"]["value"]:
                raise conflict("paid meanwhile")
            ReferenceEpos.apply_payment(self, order, payment)


@defect(
    "payments-overwrite-each-other",
    breaks=over("keeps-both-of-two-payments-at-once", PAY),
    also=[f"{PAY}.*-at-once*", "*.*-at-once*"],
)
class PaymentsOverwriteEachOther(_Racing):
    """
    The order is read, changed and written back as a whole.
    """

    def apply_payment(self, order: Order, payment: Json) -> None:
        kept = order.payments
        time.sleep(self.pause)
        with self.turn:
            order.payments = kept
            ReferenceEpos.apply_payment(self, order, payment)


@defect("replays-under-a-lock-are-paid", breaks=over("counts-a-replay-once", PAY), also=COUNTS)
class ReplaysUnderALockArePaid(PaysTwice):
    """
    What is paid under a lock is trusted: only payments without one are looked up.
    """

    def is_replay(self, order: Order, body: Json) -> bool:
        return "lockId" not in body and ReferenceEpos.is_replay(self, order, body)


@defect("replays-are-compared-with-their-amount", breaks=over("counts-a-replay-once", PAY), also=COUNTS)
class ReplaysAreComparedWithTheirAmount(PaysTwice):
    """
    A payment is known by its intent and its amount together.
    """

    def is_replay(self, order: Order, body: Json) -> bool:
        return any(
            (each.get("paymentIntentId"), each["paidAmount"]) == (body["paymentIntentId"], body["paidAmount"])
            for each in order.payments
        )
