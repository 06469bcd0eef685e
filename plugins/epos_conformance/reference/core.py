"""
The centre of the reference EPOS: what it knows, and how a call becomes an answer.

Rule 1: each behaviour is one short method, so that a defect or a variant replaces exactly one.
Rule 2: nothing here knows HTTP or WebSocket.
"""

from __future__ import annotations

import re

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count
from threading import RLock
from typing import Any, Protocol
from uuid import uuid4

from epos_conformance._contracts import Capability, capabilities
from epos_conformance.reference import forms, seed, times
from epos_conformance.reference.errors import EposError, invalid
from epos_conformance.reference.records import Booking, Json, Lock, Order, Venue


_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One request, whichever way it came.
    """

    capability: Capability
    #: The ids that address it: ``orderId``, ``lockId``, ``partyId``, ``reservationId``.
    ids: Mapping[str, str]
    #: The business members.
    body: Json
    #: ``waiterId``, ``dojoRequestingProduct``, ``deviceId`` and ``deviceType``, where given.
    headers: Mapping[str, str]
    #: The payment intent that it names, as Dojo has it: empty where Dojo has none such, None where it was not asked.
    intent: Json | None = None


class Dojo(Protocol):
    """
    What the till has to say to Dojo of its own accord.
    """

    def tell(self, event_type: str, id: str) -> None:
        """Tells that the order, party or reservation of that *id* changed; returns at once, whatever comes of it."""

    def find_intent(self, intent_id: str) -> Json | None:
        """The payment intent of that id; empty where there is none, None where Dojo can't be asked."""


@cache
def operation(capability: str) -> str:
    """The method that answers *capability*: ``SearchOrders`` -> ``search_orders``."""
    return _WORD_START.sub("_", capability).lower()


class Core:
    """
    The till's memory, its clock and its one door.
    """

    #: Whether calls run in threads of their own. Each takes an instant, so a transport answers it on the spot; what
    #: waits in the middle of a call, and what is meant to race, says True.
    side_by_side = False

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        self.clock = clock
        self.turn = RLock()
        self._numbers = count(1)
        self.venue = self.open_venue()
        self.orders: dict[str, Order] = {each.id: each for each in self.venue.orders}
        self.locks: dict[str, Lock] = {}
        self.parties: dict[str, Booking] = {each.id: each for each in self.venue.parties}
        self.reservations: dict[str, Booking] = {each.id: each for each in self.venue.reservations}
        self.events: dict[str, Json] = {}
        #: Whom changes are told to and intents are looked up at; None where the till is on its own.
        self.dojo: Dojo | None = None

    @property
    def in_threads(self) -> bool:
        """Whether a transport has to give each call a thread: also where calls wait for Dojo."""
        return self.side_by_side or self.dojo is not None

    # -- from a call to an answer ---------------------------------------------------------------------------------

    def answer(self, capability: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """
        The result of *capability*, as JSON values.

        *params* are the members of the body together with the ids of the path; raises `EposError`.
        """
        call = self.read(capabilities()[capability], params, headers or {})
        self.check_headers(call)
        self.validate(call)
        call = self.inquire(call)
        with self.exclusively():
            return self.perform(call)

    def read(self, capability: Capability, params: Mapping[str, Any], headers: Mapping[str, str]) -> Call:
        """*params*, parted into ids and business members."""
        body = dict(params)
        ids = {}
        for each in capability.ids:
            found = body.pop(each.name, None)
            if not isinstance(found, str):
                raise invalid(f"{each.name} is a text, not {found!r}")
            ids[each.name] = found
        return Call(capability=capability, ids=ids, body=body, headers=headers)

    def check_headers(self, call: Call) -> None:
        """All four headers are optional, and any value will do."""

    def validate(self, call: Call) -> None:
        """Refuses a body that breaks the contract's request schema."""
        wanted = self.request_schema(call.capability)
        if wanted is None:
            return
        try:
            found = forms.faults_in(wanted, call.body)
        except ValueError as reason:
            # Half a surrogate pair, say: JSON can spell what no text can hold.
            raise invalid(f"the body cannot be read: {reason}") from reason
        if found:
            raise invalid("; ".join(found))

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        """What the body of *capability* has to satisfy."""
        return capability.request

    def inquire(self, call: Call) -> Call:
        """*call* with what Dojo knows of it: asked before the till is entered, so that nobody else waits for Dojo."""
        return call

    def perform(self, call: Call) -> Any:
        """Does what *call* asks for; nobody else is in the till meanwhile."""
        return getattr(self, operation(call.capability.name))(call)

    def exclusively(self) -> AbstractContextManager[Any]:
        """One call at a time: looking and changing are never torn apart."""
        return self.turn

    def error_body(self, error: EposError) -> Any:
        """*error* as the EPOSError that travels."""
        return {"errorType": error.error_type, "debugMessage": error.debug_message, "traceId": uuid4().hex}

    # -- from a change to an event --------------------------------------------------------------------------------

    def tell(self, event_type: str, record: Order | Booking) -> None:
        """Tells Dojo, where there is a link to it, that *record* changed."""
        if self.dojo is not None:
            self.dojo.tell(event_type, self.id_in_events(record))

    def id_in_events(self, record: Order | Booking) -> str:
        """The id that Dojo reads *record* by."""
        return record.id

    # -- what the till is -----------------------------------------------------------------------------------------

    def offered(self) -> frozenset[str]:
        """The capabilities this EPOS implements."""
        return frozenset(capabilities())

    def open_venue(self) -> Venue:
        """The restaurant when the till is switched on."""
        return seed.restaurant(self.now(), currency=self.currency(), spell=self.spell_id, number=self.next_number)

    def currency(self) -> str:
        """The currency of the venue."""
        return "GBP"

    def now(self) -> datetime:
        """The time by the till's clock."""
        return self.clock()

    def spell_time(self, instant: datetime) -> str:
        """*instant* as it is sent."""
        return times.spell_time(instant)

    def next_number(self) -> int:
        """A number that no record has had before."""
        return next(self._numbers)

    def new_id(self, kind: str) -> str:
        """An id for a new record of *kind* (``order``, ``party`` or ``reservation``)."""
        return self.spell_id(kind, f"{kind[:3]}-{1000 + self.next_number()}")

    def spell_id(self, kind: str, plain: str) -> str:
        """What the till makes of the *plain* id of an area, waiter, table, order, party or reservation."""
        return plain
