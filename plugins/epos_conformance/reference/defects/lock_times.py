"""
Mistakes with when a lock ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json, Lock, Order
from epos_conformance.reference.times import parse_time, spell_time


# Locks that do not lapse, or too early

LAPSES = ("CreateOrderLock.frees-the-order-after-the-expiry", "ExtendOrderLock.frees-the-order-after-the-new-expiry")


@defect("locks-never-lapse", breaks=LAPSES, also=["CreateOrderLock.reads-an-expiry-with-an-offset"])
class LocksNeverLapse(ReferenceEpos):
    """
    A lock is live until it is deleted.
    """

    def is_live(self, lock: Lock) -> bool:
        return True


@defect("locks-last-ten-minutes", breaks=LAPSES)
class LocksLastTenMinutes(ReferenceEpos):
    """
    A lock lasts as long as the till's setting says, whatever its expiry is.
    """

    def create_order_lock(self, call: Call) -> Json:
        return super().create_order_lock(self.lengthened(call))

    def extend_order_lock(self, call: Call) -> Json:
        return super().extend_order_lock(self.lengthened(call))

    def lengthened(self, call: Call) -> Call:
        parse_time(call.body["expiry"])
        call.body["expiry"] = spell_time(self.now() + timedelta(minutes=10))
        return call


@defect("expiry-is-local-time-west", breaks=LAPSES, also=["CreateOrderLock.reads-an-expiry-with-an-offset"])
class ExpiryIsLocalTimeWest(ReferenceEpos):
    """
    The Z of an expiry is cut off, and what remains is local time, which is behind UTC.
    """

    HOURS = -5

    def create_order_lock(self, call: Call) -> Json:
        return super().create_order_lock(self.misread(call))

    def extend_order_lock(self, call: Call) -> Json:
        return super().extend_order_lock(self.misread(call))

    def misread(self, call: Call) -> Call:
        found = datetime.fromisoformat(call.body["expiry"][:19]).replace(tzinfo=timezone(timedelta(hours=self.HOURS)))
        call.body["expiry"] = spell_time(found)
        return call


@defect(
    "expiry-is-local-time-east",
    breaks=["CreateOrderLock.keeps-the-order-until-the-expiry"],
    also=["CreateOrderLock.reads-an-expiry-with-an-offset"],
)
class ExpiryIsLocalTimeEast(ExpiryIsLocalTimeWest):
    """
    The Z of an expiry is cut off, and what remains is local time, which is ahead of UTC.
    """

    HOURS = 2


@defect("offset-of-an-expiry-is-cut-off", breaks=["CreateOrderLock.reads-an-expiry-with-an-offset"])
class OffsetOfAnExpiryIsCutOff(ExpiryIsLocalTimeWest):
    """
    Every expiry is taken for UTC, whatever its offset is.
    """

    HOURS = 0


@defect("expiries-are-compared-as-texts", breaks=["CreateOrderLock.reads-an-expiry-with-an-offset"])
class ExpiriesAreComparedAsTexts(ReferenceEpos):
    """
    The expiry is kept as it came, and compared letter by letter.
    """

    def create_order_lock(self, call: Call) -> Json:
        found = super().create_order_lock(call)
        self.spelt()[call.body["lockId"]] = call.body["expiry"]
        return found

    def extend_order_lock(self, call: Call) -> Json:
        found = super().extend_order_lock(call)
        self.spelt()[call.ids["lockId"]] = call.body["expiry"]
        return found

    def spelt(self) -> dict[str, str]:
        known: dict[str, str] = vars(self).setdefault("spelt_expiries", {})
        return known

    def is_live(self, lock: Lock) -> bool:
        return self.spelt()[lock.id] > self.spell_time(self.now())


# Extensions


@defect("locked-orders-are-not-extended", breaks=["ExtendOrderLock.extends-a-live-lock"], also=["ExtendOrderLock.*"])
class LockedOrdersAreNotExtended(ReferenceEpos):
    """
    An extension is checked like a new lock, and the order is locked already.
    """

    def extend_order_lock(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        self.find_lock(order, call.ids["lockId"])
        if self.is_held_by_another(order, None):
            raise conflict(f"order {order.id!r} is locked")
        return super().extend_order_lock(call)


@defect("extension-wants-the-lock-id-again", breaks=["ExtendOrderLock.extends-a-live-lock"], also=["ExtendOrderLock.*"])
class ExtensionWantsTheLockIdAgain(ReferenceEpos):
    """
    The lock of an extension is looked for in its body, too.
    """

    def extend_order_lock(self, call: Call) -> Json:
        if "lockId" not in call.body:
            raise invalid("lockId is missing")
        return super().extend_order_lock(call)


@defect("extension-is-kept-elsewhere", breaks=["ExtendOrderLock.keeps-the-order-beyond-the-first-expiry"])
class ExtensionIsKeptElsewhere(ReferenceEpos):
    """
    The new expiry is written to a column that nobody reads.
    """

    def extend_order_lock(self, call: Call) -> Json:
        order = self.find_order(call.ids["orderId"])
        lock = self.find_lock(order, call.ids["lockId"])
        first = lock.expiry
        found = super().extend_order_lock(call)
        lock.expiry = first
        return found


@defect("extension-takes-the-earlier-expiry", breaks=["ExtendOrderLock.keeps-the-order-beyond-the-first-expiry"])
class ExtensionTakesTheEarlierExpiry(ReferenceEpos):
    """
    Of the two expiries the wrong one is taken.
    """

    def extend_order_lock(self, call: Call) -> Json:
        lock = self.find_lock(self.find_order(call.ids["orderId"]), call.ids["lockId"])
        call.body["expiry"] = spell_time(min(lock.expiry, parse_time(call.body["expiry"])))
        return super().extend_order_lock(call)


@defect(
    "extension-frees-the-order",
    breaks=["ExtendOrderLock.keeps-the-order-beyond-the-first-expiry"],
    also=["ExtendOrderLock.*", "DeleteOrderLock.*"],
)
class ExtensionFreesTheOrder(ReferenceEpos):
    """
    The old lock is deleted, and the new one is never made.
    """

    def extend_order_lock(self, call: Call) -> Json:
        found = super().extend_order_lock(call)
        self.release(self.find_order(call.ids["orderId"]))
        return found


@defect("extended-locks-never-lapse", breaks=["ExtendOrderLock.frees-the-order-after-the-new-expiry"])
class ExtendedLocksNeverLapse(ReferenceEpos):
    """
    The job that frees orders passes over locks that were extended.
    """

    def extend_order_lock(self, call: Call) -> Json:
        vars(self).setdefault("extended", set()).add(call.ids["lockId"])
        return super().extend_order_lock(call)

    def is_live(self, lock: Lock) -> bool:
        return lock.id in vars(self).get("extended", ()) or super().is_live(lock)


@defect("extensions-are-five-minutes", breaks=["ExtendOrderLock.frees-the-order-after-the-new-expiry"])
class ExtensionsAreFiveMinutes(ReferenceEpos):
    """
    An extension adds five minutes, whatever it asks for.
    """

    def extended_answer(self, order: Order) -> Json:
        self.locks[order.id].expiry += timedelta(minutes=5)
        return super().extended_answer(order)
