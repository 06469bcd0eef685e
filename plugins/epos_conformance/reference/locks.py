"""
Locks: while one is live, only its holder pays.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.errors import conflict, not_found
from epos_conformance.reference.orders import Orders
from epos_conformance.reference.records import Json, Lock, Order
from epos_conformance.reference.times import parse_time


class Locks(Orders):
    """
    CreateOrderLock, ExtendOrderLock and DeleteOrderLock.
    """

    def create_order_lock(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        wanted = Lock(id=call.body["lockId"], expiry=parse_time(call.body["expiry"]))
        self.check_lockable(order, wanted.id)
        self.locks[order.id] = wanted
        return self.locked_answer(order)

    def check_lockable(self, order: Order, lock_id: str) -> None:
        """Refuses a lock that could serve no payment; its holder may ask for it again."""
        if not self.is_payable(order):
            raise conflict(f"order {order.id!r} has nothing left to pay")
        if self.is_held_by_another(order, lock_id):
            raise conflict(f"order {order.id!r} is locked")

    def is_held_by_another(self, order: Order, lock_id: str | None) -> bool:
        """Whether a live lock with another id is on *order*."""
        lock = self.locks.get(order.id)
        return lock is not None and self.is_live(lock) and lock.id != lock_id

    def is_live(self, lock: Lock) -> bool:
        """Whether *lock* has not lapsed yet."""
        return lock.expiry > self.now()

    def locked_answer(self, order: Order) -> Json:
        """What a granted lock is answered with: the latest state of *order*."""
        return self.present_order(order)

    def extend_order_lock(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        lock = self.find_lock(order, call.ids["lockId"])
        # A lapsed lock that nobody took meanwhile is good again: Dojo's extension was a moment late.
        lock.expiry = parse_time(call.body["expiry"])
        return self.extended_answer(order)

    def extended_answer(self, order: Order) -> Json:
        return self.present_order(order)

    def delete_order_lock(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        self.find_lock(order, call.ids["lockId"])
        self.release(order)
        return self.present_order(order)

    def find_lock(self, order: Order, lock_id: str) -> Lock:
        """The lock of that id on *order*, lapsed or not."""
        lock = self.locks.get(order.id)
        if lock is None or lock.id != lock_id:
            raise not_found(f"lock on order {order.id!r} called", lock_id)
        return lock

    def release(self, order: Order) -> None:
        """Frees *order*."""
        self.locks.pop(order.id, None)
