"""
Parties: the guests at the tables.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.errors import not_found
from epos_conformance.reference.paging import Paging
from epos_conformance.reference.records import Booking, Json
from epos_conformance.reference.times import parse_time


KEPT = (
    "name",
    "covers",
    "tableIds",
    "status",
    "startTime",
    "expectedEndTime",
    "endTime",
    "hostNotes",
    "guestRequests",
    "reservationId",
    "deposit",
)

TIMES = frozenset({"startTime", "expectedEndTime", "endTime"})


class Parties(Paging):
    """
    CreateParty, GetPartyById, UpdateParty, DeletePartyById and SearchParties.
    """

    def create_party(self, call: Call) -> Json:
        self.check_party(call.body, None)
        party = Booking(id=self.new_id("party"), number=self.next_number(), given=self.new_party(call.body))
        self.parties[party.id] = party
        self.tell_of_new_party(party)
        return self.present_party(party)

    def check_party(self, body: Json, party: Booking | None) -> None:
        """The reference seats anybody anywhere; *party* is the one that is updated."""

    def new_party(self, body: Json) -> Json:
        """What is kept of a party as sent: one without a status has just sat down."""
        given = self.kept_of_party(body)
        given["status"] = given.get("status") or "Seated"
        return given

    def updated_party(self, party: Booking, body: Json) -> Json:
        """What is kept when *body* replaces *party*: an update cannot name the reservation it came from."""
        given = self.kept_of_party(body)
        if "reservationId" in party.given:
            given.setdefault("reservationId", party.given["reservationId"])
        return given

    def kept_of_party(self, body: Json) -> Json:
        """The members of *body* that a party has, times as instants."""
        given = {name: body[name] for name in KEPT if name in body}
        return {name: parse_time(value) if name in TIMES else value for name, value in given.items()}

    def get_party_by_id(self, call: Call) -> Json:
        return self.present_party(self.find_party(call.ids["partyId"]))

    def update_party(self, call: Call) -> Json:
        party = self.find_party(call.ids["partyId"])
        self.check_party(call.body, party)
        party.given = self.updated_party(party, call.body)
        self.tell_of_party_update(party)
        return self.present_party(party)

    def delete_party_by_id(self, call: Call) -> Json:
        party = self.find_party(call.ids["partyId"])
        self.remove_party(party)
        self.tell_of_party_removal(party)
        return {}

    def remove_party(self, party: Booking) -> None:
        del self.parties[party.id]

    def tell_of_new_party(self, party: Booking) -> None:
        self.tell("PartyUpdated", party)

    def tell_of_party_update(self, party: Booking) -> None:
        self.tell("PartyUpdated", party)

    def tell_of_party_removal(self, party: Booking) -> None:
        self.tell("PartyUpdated", party)

    def find_party(self, party_id: str) -> Booking:
        """The party of that id."""
        if party_id not in self.parties:
            raise not_found("party", party_id)
        return self.parties[party_id]

    def search_parties(self, call: Call) -> Json:
        rows = [
            (-each.number, each) for each in reversed(self.parties.values()) if self.is_wanted_party(each, call.body)
        ]
        return self.page("parties", rows, call.body.get("cursor", {}), self.present_party)

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        """Whether *party* passes all the filters: those that have left show only where they are asked for."""
        if ("endTime" in party.given) != bool(wanted.get("completedOnly")):
            return False
        return "tableId" not in wanted or wanted["tableId"] in party.given["tableIds"]

    def present_party(self, party: Booking) -> Json:
        """*party* as Dojo sees it."""
        shown = {name: self.spell_time(value) if name in TIMES else value for name, value in party.given.items()}
        return {"id": party.id, **shown}
