"""
Mistakes with what a lock is for: who may pay, which orders it is about, and what its end brings.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, not_found
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json, Lock, Order


PAID_UNDER_A_LOCK = ("CreateOrderLock.lets-the-holder-pay", "ExtendOrderLock.lets-the-holder-pay-afterwards")


# The holder


@defect("holder-is-kept-out", breaks=PAID_UNDER_A_LOCK, also=["CreateOrderLock.lets-another-order-be-paid"])
class HolderIsKeptOut(ReferenceEpos):
    """
    A locked order takes no payment, whoever has locked it.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        super().check_may_pay(order, {**body, "lockId": None})


@defect("lock-is-good-for-one-payment", breaks=PAID_UNDER_A_LOCK, also=["DeleteOrderLock.*"])
class LockIsGoodForOnePayment(ReferenceEpos):
    """
    A lockId that was paid under is used up.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        super().check_may_pay(order, body)
        used: set[str] = vars(self).setdefault("used", set())
        if body.get("lockId") in used:
            raise conflict("the lock is used up")
        if "lockId" in body:
            used.add(body["lockId"])


@defect(
    "payments-under-a-lock-are-kept-aside", breaks=PAID_UNDER_A_LOCK, also=["CreateOrderLock.*", "DeleteOrderLock.*"]
)
class PaymentsUnderALockAreKeptAside(ReferenceEpos):
    """
    What is paid under a lock is answered, and kept in a draft that nobody saves.
    """

    def record_order_payment_by_id(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        before = order.payments
        found = super().record_order_payment_by_id(call)
        if order.id in self.locks and "lockId" in call.body:
            order.payments = before
        return found


@defect(
    "refused-lock-drops-the-holder",
    breaks=["CreateOrderLock.lets-the-holder-pay"],
    also=["CreateOrderLock.*", "ExtendOrderLock.*", "DeleteOrderLock.*", "RecordOrderPaymentById.*-lock*"],
)
class RefusedLockDropsTheHolder(ReferenceEpos):
    """
    The lock is overwritten before it is found that somebody has it.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        held = self.is_held_by_another(order, lock_id)
        if held:
            self.locks[order.id] = Lock(id=lock_id, expiry=self.locks[order.id].expiry)
            raise conflict(f"order {order.id!r} is locked")
        super().check_lockable(order, lock_id)


@defect(
    "extension-changes-the-lock-id",
    breaks=["ExtendOrderLock.lets-the-holder-pay-afterwards"],
    also=["ExtendOrderLock.*", "DeleteOrderLock.*"],
)
class ExtensionChangesTheLockId(ReferenceEpos):
    """
    An extended lock is a new one, with an id that the till makes.
    """

    def extend_order_lock(self, call: Call) -> Json:
        found = super().extend_order_lock(call)
        lock = self.locks[call.ids["orderId"]]
        self.locks[call.ids["orderId"]] = Lock(id=self.new_id("lock"), expiry=lock.expiry)
        return found


# Paying under the lock of another


PAID_BY_ANOTHER = (
    "RecordOrderPaymentById.refuses-the-lock-of-another",
    "RecordOrderPaymentById.records-nothing-under-another-lock",
)


@defect("old-locks-pay", breaks=PAID_BY_ANOTHER)
class OldLocksPay(ReferenceEpos):
    """
    The lockId of a payment is looked up among all locks that the order ever had.
    """

    def create_order_lock(self, call: Call) -> Json:
        found = super().create_order_lock(call)
        vars(self).setdefault("ever", set()).add((call.ids["orderId"], call.body["lockId"]))
        return found

    def check_may_pay(self, order: Order, body: Json) -> None:
        if (order.id, body.get("lockId")) in vars(self).get("ever", ()):
            body = {**body, "lockId": self.locks[order.id].id} if order.id in self.locks else body
        super().check_may_pay(order, body)


@defect("payments-ignore-locks", breaks=PAID_BY_ANOTHER)
class PaymentsIgnoreLocks(ReferenceEpos):
    """
    Locks keep out other locks, and no payments.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        if not self.is_payable(order):
            raise conflict(f"order {order.id!r} has nothing left to pay")


@defect("any-lock-will-do", breaks=PAID_BY_ANOTHER)
class AnyLockWillDo(ReferenceEpos):
    """
    The lock of a payment is looked up by its id alone, on whichever order it is.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        known = any(each.id == body.get("lockId") for each in self.locks.values())
        super().check_may_pay(
            order, {**body, "lockId": self.locks[order.id].id} if known and order.id in self.locks else body
        )


@defect("any-lock-id-will-do", breaks=PAID_BY_ANOTHER)
class AnyLockIdWillDo(ReferenceEpos):
    """
    A payment on a locked order has to have some lockId.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        if order.id in self.locks and body.get("lockId"):
            body = {**body, "lockId": self.locks[order.id].id}
        super().check_may_pay(order, body)


@defect("locks-are-looked-up-after-paying", breaks=["RecordOrderPaymentById.records-nothing-under-another-lock"])
class LocksAreLookedUpAfterPaying(ReferenceEpos):
    """
    A payment under the lock of another is recorded, and refused then.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        if self.is_payable(order) and self.is_held_by_another(order, body.get("lockId")):
            self.apply_payment(order, self.payment_of(body))
        super().check_may_pay(order, body)


@defect("lock-of-another-crashes", breaks=["RecordOrderPaymentById.refuses-the-lock-of-another"])
class LockOfAnotherCrashes(ReferenceEpos):
    """
    A payment under the lock of another ends in an exception of the business layer that nobody translates.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        if body.get("lockId") and self.is_held_by_another(order, body["lockId"]):
            raise PermissionError("lock owner mismatch")
        super().check_may_pay(order, body)


@defect("payment-ends-the-lock", breaks=["CreateOrderLock.outlasts-a-payment"], also=PAID_UNDER_A_LOCK)
class PaymentEndsTheLock(ReferenceEpos):
    """
    With the first payment the terminal is expected to be done.
    """

    def recorded_answer(self, order: Order) -> Json:
        self.release(order)
        return super().recorded_answer(order)


@defect("anybody-may-unlock", breaks=["DeleteOrderLock.keeps-the-lock-of-another"])
class AnybodyMayUnlock(ReferenceEpos):
    """
    A deletion looks for the lock by the order alone.
    """

    def delete_order_lock(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        self.release(order)
        return self.present_order(order)


# Other orders


@defect(
    "one-lock-for-the-house",
    breaks=["CreateOrderLock.lets-another-order-be-locked", "CreateOrderLock.lets-another-order-be-paid"],
    also=["CreateOrderLock.*", "DeleteOrderLock.*"],
)
class OneLockForTheHouse(ReferenceEpos):
    """
    While an order is locked, the whole till is.
    """

    def is_held_by_another(self, order: Order, lock_id: str | None) -> bool:
        return any(self.is_live(each) and each.id != lock_id for each in self.locks.values())


@defect("one-lock-for-each-device", breaks=["CreateOrderLock.lets-another-order-be-locked"], also=["CreateOrderLock.*"])
class OneLockForEachDevice(ReferenceEpos):
    """
    A terminal that has locked an order cannot lock another.
    """

    def create_order_lock(self, call: Call) -> Json:
        holders: dict[str, str] = vars(self).setdefault("holders", {})
        device = call.headers.get("deviceId", "")
        held = self.locks.get(holders.get(device, ""))
        if held and self.is_live(held) and holders[device] != call.ids["orderId"]:
            raise conflict("this terminal has locked another order")
        found = super().create_order_lock(call)
        holders[device] = call.ids["orderId"]
        return found


@defect(
    "payments-look-at-the-last-lock",
    breaks=["CreateOrderLock.lets-another-order-be-paid"],
    also=["RecordOrderPaymentById.*"],
)
class PaymentsLookAtTheLastLock(ReferenceEpos):
    """
    Whether a payment may go through is looked up in the lock that was made last.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        last = next(reversed(self.locks.values()), None)
        if last and self.is_live(last) and last.id != body.get("lockId"):
            raise conflict("the order is locked")
        super().check_may_pay(order, body)


@defect(
    "locks-are-on-tables",
    breaks=["CreateOrderLock.lets-another-order-be-locked", "CreateOrderLock.lets-another-order-be-paid"],
    also=["*Lock*", "*lock*"],
)
class LocksAreOnTables(ReferenceEpos):
    """
    What is locked is the table, with all the orders at it.
    """

    def is_held_by_another(self, order: Order, lock_id: str | None) -> bool:
        table = order.dine_in.get("tableId")
        return super().is_held_by_another(order, lock_id) or any(
            self.is_live(lock) and lock.id != lock_id and self.orders[id].dine_in.get("tableId") == table
            for id, lock in self.locks.items()
            if table is not None and id != order.id
        )


# The end of a lock


@defect("deleted-locks-stay", breaks=["DeleteOrderLock.lets-a-new-lock-be-granted"], also=["*Order*"])
class DeletedLocksStay(ReferenceEpos):
    """
    A deleted lock is marked, and nobody looks at the mark.
    """

    def release(self, order: Order) -> None:
        pass


@defect("paid-locks-stay", breaks=["DeleteOrderLock.lets-a-new-lock-be-granted"])
class PaidLocksStay(ReferenceEpos):
    """
    Deleting a lock looks for the order as it was when it was locked, and does not find it after a payment.
    """

    def release(self, order: Order) -> None:
        if not order.payments:
            super().release(order)


@defect(
    "paid-locks-cannot-be-deleted", breaks=["DeleteOrderLock.lets-a-new-lock-be-granted"], also=["DeleteOrderLock.*"]
)
class PaidLocksCannotBeDeleted(ReferenceEpos):
    """
    The first payment uses the lock up, so that it is not found when it is deleted.
    """

    def delete_order_lock(self, call: Call) -> Json:
        if self.find_order(call.ids["orderId"]).payments:
            raise not_found("lock called", call.ids["lockId"])
        return super().delete_order_lock(call)


@defect("extended-locks-stay", breaks=["DeleteOrderLock.lets-a-new-lock-be-granted"], also=["ExtendOrderLock.*"])
class ExtendedLocksStay(ReferenceEpos):
    """
    An extension is a second row in the table of locks, and a deletion removes one.
    """

    def extend_order_lock(self, call: Call) -> Json:
        vars(self).setdefault("rows", []).append(call.ids["orderId"])
        return super().extend_order_lock(call)

    def release(self, order: Order) -> None:
        rows: list[str] = vars(self).get("rows", [])
        if order.id in rows:
            rows.remove(order.id)
        else:
            super().release(order)


@defect(
    "deletion-frees-every-order",
    breaks=["DeleteOrderLock.leaves-other-orders-locked"],
    also=["ExtendOrderLock.keeps-the-order-beyond-the-first-expiry"],
)
class DeletionFreesEveryOrder(ReferenceEpos):
    """
    The statement that deletes a lock lacks its condition.
    """

    def release(self, order: Order) -> None:
        self.locks.clear()


@defect("once-locked-always-locked", breaks=["DeleteOrderLock.lets-payments-be-made-again"], also=["DeleteOrderLock.*"])
class OnceLockedAlwaysLocked(ReferenceEpos):
    """
    Whoever has locked an order once is expected to pay under a lock.
    """

    def check_may_pay(self, order: Order, body: Json) -> None:
        super().check_may_pay(order, body)
        if order.id in vars(self).get("ever_locked", ()) and "lockId" not in body:
            raise conflict("the order is paid under locks")

    def locked_answer(self, order: Order) -> Json:
        vars(self).setdefault("ever_locked", set()).add(order.id)
        return super().locked_answer(order)
