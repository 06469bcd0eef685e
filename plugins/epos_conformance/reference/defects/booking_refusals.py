"""
Mistakes of a till that refuses taken tables: what it refuses is there all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json
from epos_conformance.reference.times import parse_time


class _TakesOneEach(ReferenceEpos):
    """
    An EPOS whose tables have one party, and one reservation at a time.
    """

    def check_party(self, body: Json, party: Booking | None) -> None:
        super().check_party(body, party)
        if "endTime" not in body:
            there = (each for each in self.parties.values() if each is not party and "endTime" not in each.given)
            self.check_free(body, there)

    def check_reservation(self, body: Json, reservation: Booking | None) -> None:
        super().check_reservation(body, reservation)
        start, end = parse_time(body["startTime"]), parse_time(body["endTime"])
        others = (each for each in self.reservations.values() if each is not reservation)
        self.check_free(
            body, (each for each in others if each.given["startTime"] < end and start < each.given["endTime"])
        )

    def check_free(self, body: Json, others: Iterable[Booking]) -> None:
        """Refuses tables that one of *others* has."""
        for each in others:
            if set(body["tableIds"]) & set(each.given["tableIds"]):
                raise conflict(f"the table is taken by {each.id!r}")


@defect("refused-parties-sit-down", breaks=["CreateParty.stores-nothing-that-it-refuses"], also=["SearchParties.*"])
class RefusedPartiesSitDown(_TakesOneEach):
    """
    A party is saved, and then the plan of the tables finds that there is no room.
    """

    def create_party(self, call: Call) -> Json:
        party = Booking(id=self.new_id("party"), number=self.next_number(), given=self.new_party(call.body))
        self.parties[party.id] = party
        self.check_party(call.body, party)
        return self.present_party(party)


@defect("refused-parties-move", breaks=["UpdateParty.changes-nothing-that-it-refuses"])
class RefusedPartiesMove(_TakesOneEach):
    """
    An update is written member by member; the tables come last, and are refused.
    """

    def update_party(self, call: Call) -> Json:
        party = self.find_party(call.ids["partyId"])
        given = self.updated_party(party, call.body)
        party.given = {**given, "tableIds": party.given["tableIds"]}
        return super().update_party(call)


@defect(
    "refused-reservations-are-booked",
    breaks=["CreateReservation.stores-nothing-that-it-refuses"],
    also=["SearchReservations.*"],
)
class RefusedReservationsAreBooked(_TakesOneEach):
    """
    A reservation is saved, and then the diary finds that the table is taken.
    """

    def create_reservation(self, call: Call) -> Json:
        number = self.next_number()
        made = Booking(id=self.new_id("reservation"), number=number, given=self.new_reservation(call.body))
        self.reservations[made.id] = made
        self.check_reservation(call.body, made)
        return self.present_reservation(made)


@defect("refused-reservations-move", breaks=["UpdateReservation.changes-nothing-that-it-refuses"])
class RefusedReservationsMove(_TakesOneEach):
    """
    A reservation has its new time before the diary is asked whether the table is free, and nobody puts it back.
    """

    def update_reservation(self, call: Call) -> Json:
        reservation = self.find_reservation(call.ids["reservationId"])
        times = {name: parse_time(call.body[name]) for name in ("startTime", "endTime")}
        reservation.given = {**reservation.given, **times}
        return super().update_reservation(call)
