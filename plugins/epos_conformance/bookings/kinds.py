"""
Parties and reservations, and what one of our own is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from epos_conformance import _contracts
from epos_conformance._contracts import Capability
from epos_conformance.bookings import keeping
from epos_conformance.bookings.slots import Slot
from epos_conformance.following import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """
    Parties, or reservations.
    """

    name: str
    create: str
    get: str
    update: str
    delete: str
    search: str
    #: What its id is called in requests.
    id: str
    #: Dojo's own id, which requests carry for reference.
    dojo_id: str
    #: The member that says until when it is expected to stay.
    end: str

    @property
    def members(self) -> list[str]:
        """The members that an update takes, without Dojo's own id."""
        return [each for each in capability(self.update).members if each != self.dojo_id]


PARTY = Kind(
    name="party",
    create="CreateParty",
    get="GetPartyById",
    update="UpdateParty",
    delete="DeletePartyById",
    search="SearchParties",
    id="partyId",
    dojo_id="dojoPartyId",
    end="expectedEndTime",
)

RESERVATION = Kind(
    name="reservation",
    create="CreateReservation",
    get="GetReservationById",
    update="UpdateReservation",
    delete="DeleteReservationById",
    search="SearchReservations",
    id="reservationId",
    dojo_id="dojoReservationId",
    end="endTime",
)

Members = Mapping[str, Any]

#: Members to send: given, or made to fit the slot that is tried.
Choice = Members | Callable[[Slot], Members]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """
    A party or a reservation that the check made, as it was sent last.
    """

    kind: Kind
    id: str
    sent: Members
    #: The answer to its creation, or to its last update.
    answer: Row
    #: What was given for the members that were to be tried.
    chosen: Members
    slot: Slot

    @property
    def ids(self) -> dict[str, str]:
        return {self.kind.id: self.id}

    @property
    def start(self) -> Any:
        """The instant it starts at, as sent."""
        return keeping.instant(self.sent["startTime"])

    @property
    def end(self) -> Any:
        return keeping.instant(self.sent[self.kind.end])

    @property
    def tables(self) -> list[str]:
        return list(self.sent["tableIds"])

    @property
    def body(self) -> dict[str, Any]:
        """What an update sends that changes nothing."""
        status = self.answer.get("status")
        body = {name: self.sent[name] for name in (self.kind.dojo_id, *self.kind.members) if name in self.sent}
        if self.kind is PARTY and "status" not in body:
            body["status"] = status if isinstance(status, str) and status else "Seated"
        return body


def capability(name: str) -> Capability:
    """The capability of that *name*."""
    return _contracts.capabilities()[name]


def named(members: Members) -> str:
    """The names of *members*, for messages."""
    return " and ".join(members) or "these members"
