"""
Freedoms in how locks are granted and end, and by which clock.
"""

from __future__ import annotations

import asyncio

from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from epos_conformance._contracts import Capability
from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Json, Lock, Order
from epos_conformance.reference.rest import RestShell
from epos_conformance.reference.times import parse_time


# Whose lock it is


@variant("locks-are-flags")
class LocksAreFlags(ReferenceEpos):
    """
    An order is locked or not: a second lock is refused whoever asks, and lockId matters nowhere.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        super().check_lockable(order, lock_id)
        if order.id in self.locks and self.is_live(self.locks[order.id]):
            raise conflict(f"order {order.id!r} is locked")

    def check_may_pay(self, order: Order, body: Json) -> None:
        held = self.locks.get(order.id)
        super().check_may_pay(order, {**body, "lockId": held.id} if held else body)

    def find_lock(self, order: Order, lock_id: str) -> Lock:
        found = self.locks.get(order.id)
        return found or Lock(id=lock_id, expiry=self.now())


@variant("locks-are-flags-for-ever")
class LocksAreFlagsForEver(LocksAreFlags):
    """
    An order is locked or not until it is unlocked: neither lockId nor expiry matters.
    """

    def is_live(self, lock: Lock) -> bool:
        return True


@variant("locks-are-asked-for-once")
class LocksAreAskedForOnce(ReferenceEpos):
    """
    A lock that is asked for again by its own id is refused while it is live.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        super().check_lockable(order, lock_id)
        if order.id in self.locks and self.is_live(self.locks[order.id]):
            raise conflict(f"order {order.id!r} is locked")


@variant("last-lock-wins")
class LastLockWins(ReferenceEpos):
    """
    A second lock takes the place of the first.
    """

    def check_lockable(self, order: Order, lock_id: str) -> None:
        super().check_lockable(order, self.locks[order.id].id if order.id in self.locks else lock_id)


@variant("locks-are-not-deleted")
class LocksAreNotDeleted(ReferenceEpos):
    """
    Locks can be asked for and are left to lapse.
    """

    def offered(self) -> frozenset[str]:
        return super().offered() - {"DeleteOrderLock", "ExtendOrderLock"}


# When it ends


@variant("locks-end-at-full-seconds")
class LocksEndAtFullSeconds(ReferenceEpos):
    """
    Expiries and the clock that they are compared with have no parts of a second.
    """

    def is_live(self, lock: Lock) -> bool:
        return lock.expiry.replace(microsecond=0) >= self.now().replace(microsecond=0)


@variant("locks-are-swept")
class LocksAreSwept(ReferenceEpos):
    """
    Lapsed locks are freed every two seconds.
    """

    def is_live(self, lock: Lock) -> bool:
        seconds = self.now().timestamp()
        return lock.expiry.timestamp() > seconds - seconds % 2


@variant("long-locks-are-refused")
class LongLocksAreRefused(ReferenceEpos):
    """
    No lock is granted or extended for more than two minutes, nor one that is past.
    """

    def create_order_lock(self, call: Call) -> Json:
        self.check_length(call)
        return super().create_order_lock(call)

    def extend_order_lock(self, call: Call) -> Json:
        self.check_length(call)
        return super().extend_order_lock(call)

    def check_length(self, call: Call) -> None:
        if not timedelta(0) < parse_time(call.body["expiry"]) - self.now() <= timedelta(minutes=2):
            raise invalid("a lock lasts for two minutes at most")


@variant("extensions-are-later")
class ExtensionsAreLater(ReferenceEpos):
    """
    An extension to a time that is not after the lock's expiry is refused.
    """

    def extend_order_lock(self, call: Call) -> Json:
        lock = self.find_lock(self.find_order(call.ids["orderId"]), call.ids["lockId"])
        if parse_time(call.body["expiry"]) <= lock.expiry:
            raise conflict("the lock lasts longer than that")
        return super().extend_order_lock(call)


@variant("short-locks-are-refused")
class ShortLocksAreRefused(LongLocksAreRefused):
    """
    No lock is granted or extended for less than half a minute.
    """

    def check_length(self, call: Call) -> None:
        if parse_time(call.body["expiry"]) - self.now() < timedelta(seconds=30):
            raise invalid("a lock lasts for half a minute at least")


# By which clock


@variant("clock-ahead-and-strict")
class ClockAheadAndStrict(ReferenceEpos):
    """
    The till's clock is 95 seconds early, and a lock that is past by it is refused.
    """

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=95)

    def create_order_lock(self, call: Call) -> Json:
        if parse_time(call.body["expiry"]) <= self.now():
            raise invalid("the expiry is past")
        return super().create_order_lock(call)


class NoDate(RestShell):
    """
    No answer says what time it is.
    """

    async def send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        if "date" in response.headers:
            del response.headers["date"]
        await super().send(response, scope, receive, send)


@variant("clock-ahead-without-date", layers=[NoDate])
class ClockAheadWithoutDate(ReferenceEpos):
    """
    The till's clock is 95 seconds early, and no Date says so.
    """

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=95)


@variant("clock-behind-without-date", layers=[NoDate])
class ClockBehindWithoutDate(ReferenceEpos):
    """
    The till's clock is 95 seconds late, and no Date says so.
    """

    def now(self) -> datetime:
        return super().now() - timedelta(seconds=95)


class DateOfAProxy(RestShell):
    """
    The Date is that of a proxy, whose clock is right.
    """

    async def send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        response.headers["date"] = times.utc_now().strftime("%a, %d %b %Y %H:%M:%S GMT")
        await super().send(response, scope, receive, send)


@variant("clock-behind-a-proxy", layers=[DateOfAProxy])
class ClockBehindAProxy(ReferenceEpos):
    """
    The till's clock is 95 seconds late, the Date is right, and new orders don't say when they were made.
    """

    def now(self) -> datetime:
        return super().now() - timedelta(seconds=95)

    def present_order(self, order: Order) -> Json:
        found = super().present_order(order)
        if order.dojo_order_id is None:
            return found
        return {name: value for name, value in found.items() if name not in ("createdAt", "updatedAt")}


@variant("clock-ahead-of-a-proxy", layers=[DateOfAProxy])
class ClockAheadOfAProxy(ClockBehindAProxy):
    """
    The till's clock is 95 seconds early, the Date is right, and new orders don't say when they were made.
    """

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=190)


# How long an answer takes


@variant("slow-locks")
class SlowLocks(RestShell):
    """
    The locks are kept by a server far away: each call about them takes a tenth of a second.
    """

    async def pause(self, capability: Capability) -> Any:
        if capability.page == "order locks":
            await asyncio.sleep(0.1)
