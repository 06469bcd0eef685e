"""
Freedoms in what is made of events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, not_found
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Json
from epos_conformance.reference.rest import RestShell


@variant("events-are-answered-with-nothing")
class EventsAreAnsweredWithNothing(RestShell):
    """
    An event is acknowledged by an answer without a body.
    """

    def has_no_content(self, capability: Capability) -> bool:
        return capability.name == "HandleEvent" or super().has_no_content(capability)


@variant("events-are-receipted")
class EventsAreReceipted(ReferenceEpos):
    """
    An event is acknowledged by the till's own receipt.
    """

    def handle_event(self, call: Call) -> Json:
        return {**super().handle_event(call), "id": call.body["id"], "received": True, "status": "queued"}


@variant("strict-events")
class StrictEvents(ReferenceEpos):
    """
    Types, statuses and capture modes that are not in the contract are InvalidRequests.
    """

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        if capability.name != "HandleEvent" or capability.request is None:
            return super().request_schema(capability)
        kinds = {"enum": ["payment_intent.created", "payment_intent.status_updated"]}
        return {"allOf": [capability.request, {"properties": {"event": kinds}}]}


#: What a payment intent may become.
_FOLLOWS = {
    "Created": ("Created", "Authorized", "Captured", "Canceled"),
    "Authorized": ("Authorized", "Captured", "Reversed", "Canceled"),
    "Captured": ("Captured", "Refunded", "Reversed"),
    "Reversed": ("Reversed",),
    "Refunded": ("Refunded",),
    "Canceled": ("Canceled",),
}


@variant("orderly-events")
class OrderlyEvents(ReferenceEpos):
    """
    A payment intent that the till has heard of can't get a status that does not follow from the one it has.
    """

    def note_event(self, event: Json) -> None:
        data = event["data"]
        known = [each["data"] for each in self.events.values()]
        past = [each for each in known if each["paymentIntentId"] == data["paymentIntentId"]]
        if event["id"] not in self.events and past:
            last = past[-1]["paymentStatus"]
            if data["paymentStatus"] not in _FOLLOWS.get(last, (data["paymentStatus"],)):
                raise conflict(f"{last} does not become {data['paymentStatus']}")
        super().note_event(event)


@variant("events-of-known-intents")
class EventsOfKnownIntents(ReferenceEpos):
    """
    An event about a payment intent that paid for nothing here is NotFound.
    """

    def note_event(self, event: Json) -> None:
        intent = event["data"]["paymentIntentId"]
        if not any(each.get("paymentIntentId") == intent for order in self.orders.values() for each in order.payments):
            raise not_found("payment intent", intent)
        super().note_event(event)
