"""
Mistakes with what is kept of a reservation.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json


#: What follows where a member is lost whenever a reservation is written.
_WRITTEN = (
    "*.keeps-unusual-*",
    "UpdateReservation.changes-*",
    "UpdateReservation.answers-the-reservation-as-updated",
    "UpdateReservation.leaves-other-*",
    "DeleteReservationById.leaves-other-*",
)


class _Kept(ReferenceEpos):
    """
    An EPOS that does something with what it keeps of a reservation.
    """

    def kept_of_reservation(self, body: Json) -> Json:
        given = super().kept_of_reservation(body)
        return {**given, **self.altered(given)}

    def altered(self, given: Json) -> Json:
        return {}


class _New(ReferenceEpos):
    """
    An EPOS that does something with what it keeps of a new reservation.
    """

    def new_reservation(self, body: Json) -> Json:
        given = super().new_reservation(body)
        return {**given, **self.altered(given)}

    def altered(self, given: Json) -> Json:
        return {}


@defect(
    "reservations-are-in-capitals",
    breaks=["CreateReservation.keeps-the-name"],
    also=[*_WRITTEN, "UpdateReservation.keeps-the-id"],
)
class ReservationsAreInCapitals(_Kept):
    """
    The booking sheet has names in capitals.
    """

    def altered(self, given: Json) -> Json:
        return {"name": given["name"].upper()}


@defect(
    "reservation-names-are-latin-1",
    breaks=["CreateReservation.keeps-the-name", "UpdateReservation.changes-the-name"],
    also=_WRITTEN,
)
class ReservationNamesAreLatin1(_Kept):
    """
    The UTF-8 of a name is read as another encoding.
    """

    def altered(self, given: Json) -> Json:
        return {"name": given["name"].encode().decode("latin-1")}


@defect(
    "reservations-are-for-two",
    breaks=["CreateReservation.keeps-the-covers"],
    also=["*.keeps-unusual-*", "*Reservation*.leaves-other-*"],
)
class ReservationsAreForTwo(_New):
    """
    A new reservation is for two until the host has called back.
    """

    def altered(self, given: Json) -> Json:
        return {"covers": 2}


@defect("reservations-are-for-even-numbers", breaks=["CreateReservation.keeps-the-covers"], also=_WRITTEN)
class ReservationsAreForEvenNumbers(_Kept):
    """
    Chairs come in pairs.
    """

    def altered(self, given: Json) -> Json:
        return {"covers": given["covers"] + given["covers"] % 2}


@defect(
    "reservation-of-its-first-table",
    breaks=["CreateReservation.keeps-all-tables", "UpdateReservation.changes-the-tables"],
    also=["SearchReservations.finds-a-reservation-at-each-of-its-tables", *_WRITTEN],
)
class ReservationOfItsFirstTable(_Kept):
    """
    A reservation has one table in the database.
    """

    def altered(self, given: Json) -> Json:
        return {"tableIds": given["tableIds"][:1]}


@defect(
    "reservations-start-on-the-minute",
    breaks=["CreateReservation.keeps-the-start-time", "UpdateReservation.changes-the-start-time"],
    also=["*.keeps-the-instant-*", *_WRITTEN],
)
class ReservationsStartOnTheMinute(_Kept):
    """
    Nobody reserves for a second.
    """

    def altered(self, given: Json) -> Json:
        return {"startTime": given["startTime"].replace(second=0, microsecond=0)}


@defect(
    "reservations-start-a-bit-late",
    breaks=["CreateReservation.keeps-the-start-time"],
    also=["*.keeps-the-instant-*", *_WRITTEN],
)
class ReservationsStartABitLate(_Kept):
    """
    startTime goes through a column that counts in three hundredths of a second.
    """

    def altered(self, given: Json) -> Json:
        start = given["startTime"]
        ticks = round(start.microsecond * 300 / 1_000_000)
        return {"startTime": start.replace(microsecond=0) + timedelta(milliseconds=round(ticks * 1000 / 300))}


@defect(
    "reservations-take-two-hours",
    breaks=["CreateReservation.keeps-the-end-time"],
    also=["*.keeps-the-instant-*", "*Reservation*.leaves-other-*"],
)
class ReservationsTakeTwoHours(_New):
    """
    A new reservation ends two hours after it starts.
    """

    def altered(self, given: Json) -> Json:
        return {"endTime": given["startTime"] + timedelta(hours=2)}


@defect(
    "reservations-end-on-the-second",
    breaks=["CreateReservation.keeps-the-end-time", "UpdateReservation.changes-the-end-time"],
    also=["*.keeps-the-instant-*", *_WRITTEN],
)
class ReservationsEndOnTheSecond(_Kept):
    """
    endTime is rounded to the second.
    """

    def altered(self, given: Json) -> Json:
        end = given["endTime"] + timedelta(milliseconds=500)
        return {"endTime": end.replace(microsecond=0)}


@defect("reservations-end-on-their-day", breaks=["CreateReservation.keeps-the-end-time"])
class ReservationsEndOnTheirDay(_Kept):
    """
    A reservation has one date, and two hours.
    """

    def altered(self, given: Json) -> Json:
        return {"endTime": datetime.combine(given["startTime"].date(), given["endTime"].timetz())}


# Notes


@defect("reservation-requests-are-notes", breaks=["CreateReservation.keeps-the-host-notes"], also=["*Reservation*.*"])
class ReservationRequestsAreNotes(_New):
    """
    What the guests asked for is written over what the host noted.
    """

    def altered(self, given: Json) -> Json:
        return {"hostNotes": given["guestRequests"]} if "guestRequests" in given else {}


# Ids


@defect(
    "reservations-are-known-tomorrow",
    breaks=["CreateReservation.can-be-fetched"],
    also=["*Reservation*.*", "CreateParty.keeps-the-reservation"],
)
class ReservationsAreKnownTomorrow(ReferenceEpos):
    """
    A reservation can be read once the nightly job has put it where it is read from.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.nightly = set(self.reservations)

    def find_reservation(self, reservation_id: str) -> Booking:
        return super().find_reservation(
            reservation_id if reservation_id in self.nightly else f"tomorrow/{reservation_id}"
        )


@defect(
    "reservations-are-kept-by-name",
    breaks=["CreateReservation.can-be-fetched"],
    also=["*Reservation*.*", "CreateParty.keeps-the-reservation"],
)
class ReservationsAreKeptByName(ReferenceEpos):
    """
    A new reservation replaces the one before in the same name: somebody has called again.
    """

    def create_reservation(self, call: Call) -> Json:
        for each in list(self.reservations.values()):
            if each.given["name"] == call.body["name"]:
                del self.reservations[each.id]
        return super().create_reservation(call)


@defect(
    "new-reservations-wait-for-confirmation",
    breaks=["CreateReservation.is-found-by-search"],
    also=["SearchReservations.*", "UpdateReservation.moves-*"],
)
class NewReservationsWaitForConfirmation(ReferenceEpos):
    """
    Searches show what the host has confirmed.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        confirmed = reservation.number < 100 and not reservation.id.startswith("res-10")
        return confirmed and super().is_wanted_reservation(reservation, wanted)


@defect(
    "reservations-are-called-by-table",
    breaks=["CreateReservation.gives-each-reservation-its-own-id"],
    also=["*Reservation*.*"],
)
class ReservationsAreCalledByTable(ReferenceEpos):
    """
    The id of a reservation is made of its day and its table.
    """

    def create_reservation(self, call: Call) -> Json:
        self.called = f"{call.body['startTime'][:10]}-{call.body['tableIds'][0]}"
        return super().create_reservation(call)

    def new_id(self, kind: str) -> str:
        return self.called if kind == "reservation" else super().new_id(kind)


@defect(
    "reservations-are-counted", breaks=["CreateReservation.gives-each-reservation-its-own-id"], also=["*Reservation*.*"]
)
class ReservationsAreCounted(ReferenceEpos):
    """
    A new reservation's id is one more than there are reservations.
    """

    def new_id(self, kind: str) -> str:
        return f"booking-{len(self.reservations) + 1}" if kind == "reservation" else super().new_id(kind)


# Reading


@defect(
    "the-next-reservation-is-read",
    breaks=["GetReservationById.answers-the-reservation-asked-for"],
    also=["*Reservation*.*"],
)
class TheNextReservationIsRead(ReferenceEpos):
    """
    Whichever reservation is asked for, the next one to come is answered.
    """

    def get_reservation_by_id(self, call: Call) -> Json:
        self.find_reservation(call.ids["reservationId"])
        return self.present_reservation(min(self.reservations.values(), key=lambda each: each.given["startTime"]))


@defect(
    "reservations-are-read-without-case",
    breaks=["GetReservationById.answers-the-reservation-asked-for"],
    also=["*Reservation*.*"],
)
class ReservationsAreReadWithoutCase(ReferenceEpos):
    """
    What is read carries its id as the till's database has it, in capitals.
    """

    def get_reservation_by_id(self, call: Call) -> Json:
        shown = super().get_reservation_by_id(call)
        return {**shown, "id": shown["id"].upper()}
