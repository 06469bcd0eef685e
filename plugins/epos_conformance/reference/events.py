"""
Dojo events: they come at least once, and of kinds that nobody has heard of yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from epos_conformance import schema
from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call, Core
from epos_conformance.reference.records import Json


@cache
def _lenient_schema() -> Mapping[str, Any]:
    """The event of the contract, with any text for the statuses that Dojo may add to."""
    event, base = schema.resolve({"$ref": "urn:epos:events#/$defs/Event"})
    data, _ = schema.resolve({"$ref": "#/$defs/PaymentIntentEvent"}, base)
    text = {"type": "string"}
    lenient = {**data, "properties": dict.fromkeys(data["properties"], text)}
    return {**event, "properties": {**event["properties"], "data": lenient}}


class Events(Core):
    """
    HandleEvent.
    """

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        return _lenient_schema() if capability.name == "HandleEvent" else super().request_schema(capability)

    def handle_event(self, call: Call) -> Json:
        self.note_event(call.body)
        return {}

    def note_event(self, event: Json) -> None:
        """Keeps *event*; one that comes again is the same one."""
        self.events[event["id"]] = event
