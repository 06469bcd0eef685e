"""
Reservations: the guests to come.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.errors import not_found
from epos_conformance.reference.paging import Paging
from epos_conformance.reference.records import Booking, Json
from epos_conformance.reference.times import parse_time


KEPT = ("name", "covers", "startTime", "endTime", "tableIds", "hostNotes", "guestRequests")

TIMES = frozenset({"startTime", "endTime"})


class Reservations(Paging):
    """
    CreateReservation, GetReservationById, UpdateReservation, DeleteReservationById and SearchReservations.
    """

    def create_reservation(self, call: Call) -> Json:
        self.check_reservation(call.body, None)
        made = Booking(id=self.new_id("reservation"), number=self.next_number(), given=self.new_reservation(call.body))
        self.reservations[made.id] = made
        self.tell_of_new_reservation(made)
        return self.present_reservation(made)

    def check_reservation(self, body: Json, reservation: Booking | None) -> None:
        """The reference takes any booking; *reservation* is the one that is updated."""

    def new_reservation(self, body: Json) -> Json:
        """What is kept of a reservation as sent."""
        return self.kept_of_reservation(body)

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        """What is kept when *body* replaces *reservation*."""
        return self.kept_of_reservation(body)

    def kept_of_reservation(self, body: Json) -> Json:
        """The members of *body* that a reservation has, times as instants."""
        given = {name: body[name] for name in KEPT if name in body}
        return {name: parse_time(value) if name in TIMES else value for name, value in given.items()}

    def get_reservation_by_id(self, call: Call) -> Json:
        return self.present_reservation(self.find_reservation(call.ids["reservationId"]))

    def update_reservation(self, call: Call) -> Json:
        reservation = self.find_reservation(call.ids["reservationId"])
        self.check_reservation(call.body, reservation)
        reservation.given = self.updated_reservation(reservation, call.body)
        self.tell_of_reservation_update(reservation)
        return self.present_reservation(reservation)

    def delete_reservation_by_id(self, call: Call) -> Json:
        reservation = self.find_reservation(call.ids["reservationId"])
        self.remove_reservation(reservation)
        self.tell_of_reservation_removal(reservation)
        return {}

    def remove_reservation(self, reservation: Booking) -> None:
        del self.reservations[reservation.id]

    def tell_of_new_reservation(self, reservation: Booking) -> None:
        self.tell("ReservationUpdated", reservation)

    def tell_of_reservation_update(self, reservation: Booking) -> None:
        self.tell("ReservationUpdated", reservation)

    def tell_of_reservation_removal(self, reservation: Booking) -> None:
        self.tell("ReservationUpdated", reservation)

    def find_reservation(self, reservation_id: str) -> Booking:
        """The reservation of that id."""
        if reservation_id not in self.reservations:
            raise not_found("reservation", reservation_id)
        return self.reservations[reservation_id]

    def search_reservations(self, call: Call) -> Json:
        rows = [
            (-each.number, each)
            for each in reversed(self.reservations.values())
            if self.is_wanted_reservation(each, call.body)
        ]
        return self.page("reservations", rows, call.body.get("cursor", {}), self.present_reservation)

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        """Whether *reservation* passes all the filters: it counts as inside an interval that it overlaps."""
        given = reservation.given
        if "tableId" in wanted and wanted["tableId"] not in given["tableIds"]:
            return False
        if "fromTime" in wanted and given["endTime"] < parse_time(wanted["fromTime"]):
            return False
        return "toTime" not in wanted or given["startTime"] <= parse_time(wanted["toTime"])

    def present_reservation(self, reservation: Booking) -> Json:
        """*reservation* as Dojo sees it."""
        shown = {name: self.spell_time(value) if name in TIMES else value for name, value in reservation.given.items()}
        return {"id": reservation.id, **shown}
