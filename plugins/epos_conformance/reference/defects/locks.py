"""
Mistakes with locks: whom they keep out, what they answer, and who may read meanwhile.
"""

from __future__ import annotations

import contextlib
import time

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from epos_conformance._contracts import Capability
from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, conflict, invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Lock, Order
from epos_conformance.reference.rest import RestShell


# What a lock answers


@defect(
    "lock-answers-the-newest-order", breaks=["CreateOrderLock.answers-the-order-it-locks"], also=["CreateOrderLock.*"]
)
class LockAnswersTheNewestOrder(ReferenceEpos):
    """
    A granted lock answers the order that was opened last.
    """

    def locked_answer(self, order: Order) -> Json:
        return self.present_order(next(iter(self.newest_orders())))


@defect(
    "lock-answers-the-first-one-asked-for",
    breaks=["CreateOrderLock.answers-the-order-it-locks"],
    also=["CreateOrderLock.*"],
)
class LockAnswersTheFirstOneAskedFor(ReferenceEpos):
    """
    The answer to a lock is kept, and the key that it is kept by lacks the order.
    """

    def locked_answer(self, order: Order) -> Json:
        kept: Json = vars(self).setdefault("kept_answer", self.present_order(order))
        return kept


@defect("lock-answers-a-snapshot", breaks=["CreateOrderLock.answers-the-latest-order"])
class LockAnswersASnapshot(ReferenceEpos):
    """
    The order is read from a cache that the first lock has filled.
    """

    def locked_answer(self, order: Order) -> Json:
        kept: dict[str, Json] = vars(self).setdefault("snapshots", {})
        return kept.setdefault(order.id, self.present_order(order))


@defect("lock-answers-without-payments", breaks=["CreateOrderLock.answers-the-latest-order"])
class LockAnswersWithoutPayments(ReferenceEpos):
    """
    The payments are not loaded along with the order that is locked.
    """

    def locked_answer(self, order: Order) -> Json:
        return {**self.present_order(order), "payments": [], "paidAmount": self.money(0, order)}


@defect("lock-answers-without-items", breaks=["CreateOrderLock.answers-the-latest-order"])
class LockAnswersWithoutItems(ReferenceEpos):
    """
    The lines are not loaded along with the order that is locked.
    """

    def locked_answer(self, order: Order) -> Json:
        return {name: each for name, each in super().locked_answer(order).items() if name != "items"}


@defect("unlocking-answers-the-order-as-locked", breaks=["DeleteOrderLock.answers-the-latest-order"])
class UnlockingAnswersTheOrderAsLocked(ReferenceEpos):
    """
    A deleted lock answers the order as it was when it was locked.
    """

    def locked_answer(self, order: Order) -> Json:
        found = super().locked_answer(order)
        vars(self).setdefault("as_locked", {})[order.id] = found
        return found

    def delete_order_lock(self, call: Call) -> Json:
        found = super().delete_order_lock(call)
        known: dict[str, Json] = vars(self).get("as_locked", {})
        return known.get(call.ids["orderId"], found)


@defect("unlocking-answers-another-order", breaks=["DeleteOrderLock.answers-the-latest-order"])
class UnlockingAnswersAnotherOrder(ReferenceEpos):
    """
    A deleted lock answers the order that is to be paid next.
    """

    def delete_order_lock(self, call: Call) -> Json:
        super().delete_order_lock(call)
        return self.present_order(next(each for each in self.orders.values() if self.is_payable(each)))


# Reading what is locked


def _is_locked(epos: ReferenceEpos, order: Order) -> bool:
    return epos.is_held_by_another(order, None)


@defect("locked-orders-are-not-read", breaks=over("answers-while-the-order-is-locked", "GetOrderById"))
class LockedOrdersAreNotRead(ReferenceEpos):
    """
    A locked order is locked for readers too.
    """

    def get_order_by_id(self, call: Call) -> Json:
        if _is_locked(self, self.find_order(call.ids["orderId"])):
            raise conflict("the order is locked")
        return super().get_order_by_id(call)


@defect("locked-orders-are-read-without-items", breaks=over("answers-while-the-order-is-locked", "GetOrderById"))
class LockedOrdersAreReadWithoutItems(ReferenceEpos):
    """
    The lines of a locked order are being edited and left out.
    """

    def get_order_by_id(self, call: Call) -> Json:
        found = super().get_order_by_id(call)
        return {**found, "items": []} if _is_locked(self, self.orders[found["id"]]) else found


@defect("search-hides-locked-orders", breaks=over("answers-while-the-order-is-locked", "SearchOrders"))
class SearchHidesLockedOrders(ReferenceEpos):
    """
    A terminal is shown only what it could lock.
    """

    def is_wanted_order(self, order: Order, wanted: Json) -> bool:
        return super().is_wanted_order(order, wanted) and not _is_locked(self, order)


@defect("bill-of-a-locked-order-crashes", breaks=over("answers-while-the-order-is-locked", "GetOrderBillById"))
class BillOfALockedOrderCrashes(ReferenceEpos):
    """
    The bill wants a row lock for itself and gets none.
    """

    def get_order_bill_by_id(self, call: Call) -> Json:
        if _is_locked(self, self.find_order(call.ids["orderId"])):
            raise TimeoutError("lock wait timeout exceeded")
        return super().get_order_bill_by_id(call)


# A second lock


@defect("second-lock-takes-over", breaks=["CreateOrderLock.enforces-locks"])
class SecondLockTakesOver(ReferenceEpos):
    """
    The lock that comes last has the order.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        super().check_lockable(order, self.locks[order.id].id if order.id in self.locks else lock_id)


@defect(
    "second-lock-crashes",
    breaks=["CreateOrderLock.refuses-a-second-lock-with-conflict"],
    also=["CreateOrderLock.refuses-a-second-lock-with-http-conflict"],
)
class SecondLockCrashes(ReferenceEpos):
    """
    The locks have a unique index on the order, and nobody catches its error.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        if self.is_held_by_another(order, lock_id):
            raise KeyError("duplicate key value violates unique constraint")
        super().check_lockable(order, lock_id)


@defect(
    "second-lock-is-invalid",
    breaks=["CreateOrderLock.refuses-a-second-lock-with-conflict"],
    also=["CreateOrderLock.refuses-a-second-lock-with-http-conflict"],
)
class SecondLockIsInvalid(ReferenceEpos):
    """
    A locked order is told like a mistake in the request.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        if self.is_held_by_another(order, lock_id):
            raise invalid(f"order {order.id!r} is locked")
        super().check_lockable(order, lock_id)


@defect(
    "second-lock-after-an-extension-crashes",
    breaks=["CreateOrderLock.refuses-a-second-lock-with-conflict"],
    also=["CreateOrderLock.refuses-a-second-lock-with-http-conflict"],
)
class SecondLockAfterAnExtensionCrashes(ReferenceEpos):
    """
    The message for a lock that was extended names a waiter, and there is none.
    """

    def extend_order_lock(self, call: Call) -> Json:
        vars(self).setdefault("extended", set()).add(call.ids["lockId"])
        return super().extend_order_lock(call)

    def check_lockable(self, order: Order, lock_id: str) -> None:
        lock = self.locks.get(order.id)
        if lock and self.is_held_by_another(order, lock_id) and lock.id in vars(self).get("extended", ()):
            raise AttributeError("'NoneType' object has no attribute 'name'")
        super().check_lockable(order, lock_id)


@defect("second-lock-is-status-423", breaks=["CreateOrderLock.refuses-a-second-lock-with-http-conflict"])
class SecondLockIsStatus423(RestShell):
    """
    A locked order is answered with the status that WebDAV has for it.
    """

    def failure(self, error: EposError, capability: Capability | None) -> Response:
        response = super().failure(error, capability)
        if capability and capability.name == "CreateOrderLock" and error.error_type == "Conflict":
            response.status_code = 423
        return response


@defect("second-lock-is-status-400", breaks=["CreateOrderLock.refuses-a-second-lock-with-http-conflict"])
class SecondLockIsStatus400(RestShell):
    """
    Whatever a lock is refused for, the status is 400.
    """

    def failure(self, error: EposError, capability: Capability | None) -> Response:
        response = super().failure(error, capability)
        if capability and capability.name == "CreateOrderLock" and error.error_type == "Conflict":
            response.status_code = 400
        return response


@defect(
    "lock-is-kept-before-its-expiry-is-read",
    breaks=["CreateOrderLock.a-refused-lock-holds-nothing"],
    also=["CreateOrderLock.bad-requests-*", "CreateOrderLock.errors-*"],
)
class LockIsKeptBeforeItsExpiryIsRead(ReferenceEpos):
    """
    The lock is taken first, so that nobody comes between, and its body is read later.
    """

    def validate(self, call: Call) -> None:
        if call.capability.name == "CreateOrderLock" and isinstance(lock_id := call.body.get("lockId"), str):
            order = self.find_order(call.ids["orderId"])
            self.check_lockable(order, lock_id)
            self.locks[order.id] = Lock(id=lock_id, expiry=self.now() + timedelta(minutes=1))
        super().validate(call)


# Two at the same instant


class _Unguarded(ReferenceEpos):
    """
    Each call has a thread of its own, and nothing keeps them apart.
    """

    side_by_side = True

    def exclusively(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext()


@defect("two-locks-at-once", breaks=["CreateOrderLock.grants-one-of-two-at-once"], also=["*at-once*"])
class TwoLocksAtOnce(_Unguarded):
    """
    Whether the order is free is looked up in one transaction, and locked in the next.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        super().check_lockable(order, lock_id)
        time.sleep(0.01)


@defect("second-of-two-locks-at-once-crashes", breaks=["CreateOrderLock.grants-one-of-two-at-once"], also=["*at-once*"])
class SecondOfTwoLocksAtOnceCrashes(TwoLocksAtOnce):
    """
    Only the database sees that the order was locked in between, and nobody catches its error.
    """

    def create_order_lock(self, call: Call) -> Json:
        before = self.locks.get(call.ids["orderId"])
        self.check_lockable(self.find_order(call.ids["orderId"]), call.body["lockId"])
        if self.locks.get(call.ids["orderId"]) is not before:
            raise RuntimeError("could not serialize access due to concurrent update")
        return super(TwoLocksAtOnce, self).create_order_lock(call)


@defect(
    "locks-that-are-gone-crash",
    breaks=["ExtendOrderLock.survives-a-delete-at-once"],
    also=["*at-once*", "ExtendOrderLock.*", "DeleteOrderLock.*"],
)
class LocksThatAreGoneCrash(ReferenceEpos):
    """
    An order that was found is taken to have a lock.
    """

    def find_lock(self, order: Order, lock_id: str) -> Lock:
        found = self.locks[order.id]
        return found if found.id == lock_id else super().find_lock(order, lock_id)


@defect("extension-crosses-with-a-deletion", breaks=["ExtendOrderLock.survives-a-delete-at-once"], also=["*at-once*"])
class ExtensionCrossesWithADeletion(_Unguarded):
    """
    A lock that was found is taken to be there a moment later.
    """

    def find_lock(self, order: Order, lock_id: str) -> Lock:
        found = super().find_lock(order, lock_id)
        time.sleep(0.005)
        return found

    def extend_order_lock(self, call: Call) -> Json:
        super().extend_order_lock(call)
        time.sleep(0.01)
        order = self.find_order(call.ids["orderId"])
        self.locks[order.id].expiry = times.parse_time(call.body["expiry"])
        return self.extended_answer(order)
