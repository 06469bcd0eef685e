"""
Mistakes with events.
"""

from __future__ import annotations

import contextlib
import time

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from epos_conformance import schema
from epos_conformance._contracts import Capability
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json
from epos_conformance.reference.times import parse_time


#: Events are sent to be answered with other examples, too.
_ALSO = ("HandleEvent.*",)


@defect(
    "created-events-are-refused",
    breaks=["HandleEvent.accepts-payment-intent-created", "HandleEvent.accepts-status-created"],
    also=_ALSO,
)
class CreatedEventsAreRefused(ReferenceEpos):
    """
    Of the two types of events, one is known.
    """

    def note_event(self, event: Json) -> None:
        if event["event"] == "payment_intent.created":
            raise invalid(f"no handler for {event['event']}")
        super().note_event(event)


@defect(
    "updates-need-their-creation",
    breaks=["HandleEvent.accepts-events-in-any-order"],
    also=["HandleEvent.answer-matches-schema"],
)
class UpdatesNeedTheirCreation(ReferenceEpos):
    """
    A status of a payment intent that has not been created yet is refused.
    """

    def note_event(self, event: Json) -> None:
        intent = event["data"]["paymentIntentId"]
        known = {each["data"]["paymentIntentId"] for each in self.events.values()}
        if event["event"] == "payment_intent.status_updated" and intent not in known:
            raise conflict(f"{intent} has not been created")
        super().note_event(event)


@defect(
    "updates-crash",
    breaks=["HandleEvent.accepts-payment-intent-status-updated", "HandleEvent.accepts-status-authorized"],
    also=_ALSO,
)
class UpdatesCrash(ReferenceEpos):
    """
    The order that a payment intent belongs to is looked up, and there need not be one.
    """

    def note_event(self, event: Json) -> None:
        if event["event"] == "payment_intent.status_updated":
            intent = event["data"]["paymentIntentId"]
            next(each for each in self.orders.values() if any(p["paymentIntentId"] == intent for p in each.payments))
        super().note_event(event)


class _Statuses(ReferenceEpos):
    """
    Knows the statuses in `KNOWN` alone.
    """

    KNOWN: tuple[str, ...] = ()

    def note_event(self, event: Json) -> None:
        status = event["data"]["paymentStatus"]
        if status not in self.KNOWN:
            self.puzzled(status)
        super().note_event(event)

    def puzzled(self, status: str) -> None:
        raise invalid(f"paymentStatus {status!r} is not known")


@defect("created-is-no-status", breaks=["HandleEvent.accepts-status-created"], also=_ALSO)
class CreatedIsNoStatus(_Statuses):
    """
    A payment intent that was just created is taken for one that has no status yet.
    """

    KNOWN = ("Authorized", "Captured", "Reversed", "Refunded", "Canceled")


@defect("authorized-crashes", breaks=["HandleEvent.accepts-status-authorized"], also=_ALSO)
class AuthorizedCrashes(_Statuses):
    """
    Statuses are looked up in a table without Authorized, as the merchant captures automatically.
    """

    KNOWN = ("Created", "Captured", "Reversed", "Refunded", "Canceled")

    def puzzled(self, status: str) -> None:
        raise KeyError(status)


@defect("captured-is-spelt-settled", breaks=["HandleEvent.accepts-status-captured"], also=_ALSO)
class CapturedIsSpeltSettled(_Statuses):
    """
    The status of captured money has another name in the till.
    """

    KNOWN = ("Created", "Authorized", "Settled", "Reversed", "Refunded", "Canceled")


@defect(
    "money-comes-in-alone",
    breaks=["HandleEvent.accepts-status-reversed", "HandleEvent.accepts-status-refunded"],
    also=_ALSO,
)
class MoneyComesInAlone(_Statuses):
    """
    Money that goes back is booked by hand, and refused here.
    """

    KNOWN = ("Created", "Authorized", "Captured", "Canceled")

    def puzzled(self, status: str) -> None:
        raise conflict(f"{status} is booked by hand")


@defect("cancelled-has-two-ls", breaks=["HandleEvent.accepts-status-canceled"], also=_ALSO)
class CancelledHasTwoLs(_Statuses):
    """
    Canceled is spelt Cancelled.
    """

    KNOWN = ("Created", "Authorized", "Captured", "Reversed", "Refunded", "Cancelled")


@defect("automatic-capture-is-refused", breaks=["HandleEvent.accepts-capture-mode-auto"], also=_ALSO)
class AutomaticCaptureIsRefused(ReferenceEpos):
    """
    captureMode is read as a flag that is set for Manual, and has to be set.
    """

    def note_event(self, event: Json) -> None:
        if event["data"]["captureMode"] != "Manual":
            raise invalid("captureMode is missing")
        super().note_event(event)


@defect(
    "manual-refunds-crash",
    breaks=["HandleEvent.accepts-capture-mode-manual", "HandleEvent.accepts-status-refunded"],
    also=_ALSO,
)
class ManualRefundsCrash(ReferenceEpos):
    """
    Where capture is manual, a refund looks for the till that captured.
    """

    def note_event(self, event: Json) -> None:
        data = event["data"]
        if (data["captureMode"], data["paymentStatus"]) == ("Manual", "Refunded"):
            event["data"]["capturedBy"]
        super().note_event(event)


# Again


@defect(
    "repeats-are-conflicts",
    breaks=["HandleEvent.acknowledges-a-repeat"],
    also=["HandleEvent.acknowledges-a-repeat-at-once"],
)
class RepeatsAreConflicts(ReferenceEpos):
    """
    An event whose id has been seen is a Conflict.
    """

    def note_event(self, event: Json) -> None:
        if event["id"] in self.events:
            raise conflict(f"event {event['id']} was handled already")
        super().note_event(event)


@defect(
    "intents-are-told-of-once",
    breaks=["HandleEvent.accepts-payment-intent-status-updated", "HandleEvent.accepts-status-captured"],
    also=_ALSO,
)
class IntentsAreToldOfOnce(ReferenceEpos):
    """
    Events are stored under their payment intent, and a second one violates the key of the table.
    """

    def note_event(self, event: Json) -> None:
        intent = event["data"].get("paymentIntentId")
        known = {each["data"].get("paymentIntentId") for each in self.events.values() if each["id"] != event["id"]}
        if intent is not None and intent in known:
            raise conflict(f"{intent} is known already")
        super().note_event(event)


@defect(
    "event-data-is-closed", breaks=over("unknown-members-are-ignored", "HandleEvent"), also=["HandleEvent.survives-*"]
)
class EventDataIsClosed(ReferenceEpos):
    """
    What an event tells of a payment intent is read into a class that takes no more members.
    """

    def note_event(self, event: Json) -> None:
        if more := set(event["data"]) - {"paymentIntentId", "paymentStatus", "captureMode"}:
            raise invalid(f"data has the unknown members {sorted(more)}")
        super().note_event(event)


@defect("older-repeats-crash", breaks=["HandleEvent.acknowledges-a-repeat"])
class OlderRepeatsCrash(ReferenceEpos):
    """
    Only the latest event is known to have been handled; one that comes again later violates the key of the table.
    """

    def note_event(self, event: Json) -> None:
        if event["id"] in self.events and event["id"] != next(reversed(self.events)):
            raise KeyError(event["id"])
        super().note_event(event)


@defect("simultaneous-repeats-crash", breaks=["HandleEvent.acknowledges-a-repeat-at-once"])
class SimultaneousRepeatsCrash(ReferenceEpos):
    """
    Whether an event is new is asked before it is stored, and stored it can be once.
    """

    side_by_side = True

    def exclusively(self) -> Any:
        return contextlib.nullcontext()

    def note_event(self, event: Json) -> None:
        if event["id"] in self.events:
            return
        time.sleep(0.005)
        with self.turn:
            if event["id"] in self.events:
                raise KeyError(event["id"])
            super().note_event(event)


@defect("old-events-are-refused", breaks=["HandleEvent.accepts-an-old-event"])
class OldEventsAreRefused(ReferenceEpos):
    """
    An event older than a day is taken for a forgery.
    """

    def note_event(self, event: Json) -> None:
        if parse_time(event["createdAt"]) < self.now() - timedelta(days=1):
            raise invalid("the event is too old")
        super().note_event(event)


# Unknown


@defect("unknown-statuses-crash", breaks=["HandleEvent.survives-an-unknown-status"])
class UnknownStatusesCrash(_Statuses):
    """
    Statuses are looked up in a table of those that there are today.
    """

    KNOWN = ("Created", "Authorized", "Captured", "Reversed", "Refunded", "Canceled")

    def puzzled(self, status: str) -> None:
        raise KeyError(status)


@defect("unknown-statuses-hang", breaks=["HandleEvent.survives-an-unknown-status"], also=["*.answers-*"])
class UnknownStatusesHang(_Statuses):
    """
    A payment intent in no final status is waited for.
    """

    KNOWN = ("Created", "Authorized", "Captured", "Reversed", "Refunded", "Canceled")
    side_by_side = True

    def puzzled(self, status: str) -> None:
        time.sleep(3)


@defect("unknown-capture-modes-crash", breaks=["HandleEvent.survives-an-unknown-capture-mode"])
class UnknownCaptureModesCrash(ReferenceEpos):
    """
    captureMode is turned into an enumeration of two.
    """

    def note_event(self, event: Json) -> None:
        ("Auto", "Manual").index(event["data"]["captureMode"])
        super().note_event(event)


@defect("unknown-events-crash", breaks=["HandleEvent.survives-an-unknown-event-type"])
class UnknownEventsCrash(ReferenceEpos):
    """
    Handlers are looked up by the type of the event.
    """

    def note_event(self, event: Json) -> None:
        {"payment_intent.created": 1, "payment_intent.status_updated": 2}[event["event"]]
        super().note_event(event)


@defect(
    "strange-data-crashes", breaks=["HandleEvent.survives-an-unknown-event-type"], also=["HandleEvent.*-are-refused"]
)
class StrangeDataCrashes(ReferenceEpos):
    """
    Before its type is looked at, an event is filed under its payment intent.
    """

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        if capability.name == "HandleEvent":
            event, _ = schema.resolve({"$ref": "urn:epos:events#/$defs/Event"})
            return {**event, "properties": {**event["properties"], "data": {"type": "object"}}}
        return super().request_schema(capability)

    def note_event(self, event: Json) -> None:
        event["data"]["paymentIntentId"]
        super().note_event(event)
