"""
What a sandbox of ours has heard from the EPOS: the events at ``/epos/events``.
"""

from __future__ import annotations

import time

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from epos_conformance._masking import Masker
from epos_conformance.dojo.api import DojoApi, require
from epos_conformance.dojo.exchanges import DojoExchange
from epos_conformance.exchange import Answer, Sent, preview
from epos_conformance.rest import encode


SANDBOX = "/sandbox"

#: Seconds that the sandbox holds an answer back at most.
_LONGEST = 5.0


@dataclass(kw_only=True)
class EventExchange(DojoExchange):
    """
    The EPOS telling Dojo: what it sent is what was ``sent``, the sandbox's answer the ``answer``.
    """

    def replay(self) -> str:
        return "have the EPOS do again what it told of"


@dataclass(frozen=True, slots=True)
class Heard:
    """
    One event as it arrived, refused or not.
    """

    number: int
    #: What the sandbox answered.
    status: int
    #: As sent, whatever it is.
    type: Any
    event: Any
    #: ``authorization`` is ``raw``, ``base64``, ``missing`` or ``other``, the others as sent.
    headers: Mapping[str, str | None]
    body: Any = None

    def tells_of(self, type: str, member: str, id: str) -> bool:
        """Whether it is an event of that *type* about the thing of that *id*."""
        return self.type == type and isinstance(self.event, dict) and self.event.get(member) == id

    def exchange(self, url: str, mask: Masker) -> EventExchange:
        """The event as it arrived at the sandbox *url*, and the answer it got; *mask* is for what is shown of it."""
        body = self.body if isinstance(self.body, str) else {"eventType": self.type, "event": self.event}
        shown = tuple((name, "" if value is None else value) for name, value in self.headers.items())
        return EventExchange(
            capability=None,
            transport="dojo",
            sent=Sent(method="POST", url=f"{url}/epos/events", headers=shown, body=encode(body)),
            answer=Answer(status=self.status, headers=(), body=b""),
            mask=mask,
        )

    def __str__(self) -> str:
        if self.event is None and self.body is not None:
            return f"event {self.number}: {preview(self.body)}"
        return f"event {self.number}: {self.type!r}, {self.event!r}"


def is_sandbox(api: DojoApi) -> bool:
    """Whether the API is a sandbox of ours."""
    exchange = api.get(SANDBOX)
    return (
        exchange.succeeded
        and isinstance(exchange.json, dict)
        and str(exchange.json.get("format")).startswith("dojo-sandbox/")
    )


def since(api: DojoApi, number: int, wait: float = 0.0) -> list[Heard]:
    """
    Events above *number*; where there is none yet, as soon as there is, *wait* seconds at most. Raises `Inconclusive`.
    """
    document = require(api.get(f"{SANDBOX}/events?after={number}&wait={wait:g}"), "what the sandbox has heard")
    return [
        Heard(
            number=each["number"],
            status=each["status"],
            type=each.get("eventType"),
            event=each.get("event"),
            headers=each.get("headers", {}),
            body=each.get("body"),
        )
        for each in document["events"]
    ]


def latest(api: DojoApi) -> int:
    """The number of the latest event; 0 where there is none."""
    return int(require(api.get(f"{SANDBOX}/events?after={10**12}"), "what the sandbox has heard")["latest"])


def awaited(
    api: DojoApi, number: int, limit: float, wanted: Callable[[Heard], bool]
) -> tuple[Heard | None, list[Heard]]:
    """
    The first *wanted* event above *number* within *limit* seconds, and all that came until then.
    """
    until, came = time.monotonic() + limit, list[Heard]()
    while True:
        left = max(0.0, until - time.monotonic())
        for each in since(api, came[-1].number if came else number, min(left, _LONGEST)):
            came.append(each)
            if wanted(each):
                return each, came
        if left <= 0:
            return None, came
