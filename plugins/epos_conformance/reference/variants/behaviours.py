"""
Freedoms in how locks, payments and reads behave.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from datetime import datetime
from typing import Any

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Json, Lock, Order


@variant("locks-that-lock-nothing")
class LocksThatLockNothing(ReferenceEpos):
    """
    Locks are granted whoever asks, and neither lockId nor expiry matters.
    """

    def is_held_by_another(self, order: Order, lock_id: str | None) -> bool:
        return False

    def find_lock(self, order: Order, lock_id: str) -> Lock:
        return Lock(id=lock_id, expiry=self.now())


@variant("verifies-intents")
class VerifiesIntents(ReferenceEpos):
    """
    A payment intent that Dojo does not know is refused; it knows those named pi_real_… here.
    """

    def check_intent(self, order: Order, intent_id: str) -> None:
        if not intent_id.startswith("pi_real_"):
            raise conflict(f"Dojo knows no payment intent {intent_id!r}")
        super().check_intent(order, intent_id)


@variant("reads-lag")
class ReadsLag(ReferenceEpos):
    """
    GetOrderById and SearchOrders show a payment or a cancellation 0.4 seconds late.
    """

    LAG = 0.4

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.earlier: dict[str, tuple[float, Json]] = {}

    def remember(self, order: Order) -> None:
        if self.as_read(order) is None:
            self.earlier[order.id] = time.monotonic() + self.LAG, self.present_order(order)

    def as_read(self, order: Order) -> Json | None:
        """What readers still see of *order*."""
        until, shown = self.earlier.get(order.id, (0.0, None))
        return shown if until > time.monotonic() else None

    def apply_payment(self, order: Order, payment: Json) -> None:
        self.remember(order)
        super().apply_payment(order, payment)

    def cancel(self, order: Order) -> None:
        self.remember(order)
        super().cancel(order)

    def get_order_by_id(self, call: Call) -> Json:
        return self.as_read(self.find_order(call.ids["orderId"])) or super().get_order_by_id(call)

    def search_orders(self, call: Call) -> Json:
        page = super().search_orders(call)
        return {**page, "data": [self.as_read(self.orders[each["id"]]) or each for each in page["data"]]}


@variant("short-texts")
class ShortTexts(ReferenceEpos):
    """
    Texts of more than 500 characters and numbers of more than nine digits are refused.
    """

    def validate(self, call: Call) -> None:
        super().validate(call)
        if _is_extreme(call.body):
            raise invalid("that is more than the till can store")


def _is_extreme(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_extreme, value.values()))
    if isinstance(value, list):
        return len(value) > 500 or any(map(_is_extreme, value))
    if isinstance(value, str):
        return len(value) > 500
    return isinstance(value, int) and abs(value) >= 10**9
