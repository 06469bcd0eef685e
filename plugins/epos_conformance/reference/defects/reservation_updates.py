"""
Mistakes with reservations that are changed, or deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import RESERVATIONS
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json


_ANSWERED = (
    "*.keeps-unusual-*",
    "UpdateReservation.answers-the-reservation-as-updated",
    "UpdateReservation.keeps-the-instant-*",
)


class _Forgets(ReferenceEpos):
    """
    An EPOS that forgot a member in what an update writes.
    """

    forgotten: tuple[str, ...] = ()

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        given = super().updated_reservation(reservation, body)
        before = {name: reservation.given[name] for name in self.forgotten if name in reservation.given}
        return {**{name: each for name, each in given.items() if name not in self.forgotten}, **before}


@defect(
    "reservation-keeps-its-name",
    breaks=["UpdateReservation.changes-the-name"],
    also=[*_ANSWERED, "UpdateReservation.keeps-the-id"],
)
class ReservationKeepsItsName(_Forgets):
    """
    A reservation is in the name that it was made in.
    """

    forgotten = ("name",)


@defect("reservation-keeps-its-covers", breaks=["UpdateReservation.changes-the-covers"], also=_ANSWERED)
class ReservationKeepsItsCovers(_Forgets):
    """
    How many come was said once.
    """

    forgotten = ("covers",)


@defect("reservation-keeps-its-tables", breaks=["UpdateReservation.changes-the-tables"], also=_ANSWERED)
class ReservationKeepsItsTables(_Forgets):
    """
    The tables of an update are for the host to decide.
    """

    forgotten = ("tableIds",)


@defect("reservation-gets-more-tables", breaks=["UpdateReservation.changes-the-tables"], also=_ANSWERED)
class ReservationGetsMoreTables(ReferenceEpos):
    """
    The tables of an update come to those that a reservation has.
    """

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        tables = dict.fromkeys([*reservation.given["tableIds"], *body["tableIds"]])
        return {**super().updated_reservation(reservation, body), "tableIds": list(tables)}


@defect("reservation-moves-to-two-tables", breaks=["UpdateReservation.changes-the-tables"], also=_ANSWERED)
class ReservationMovesToTwoTables(ReferenceEpos):
    """
    An update has a field for the table, and one for the table that is put beside it.
    """

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        given = super().updated_reservation(reservation, body)
        return {**given, "tableIds": given["tableIds"][:2]}


@defect("reservation-update-mixes-up-notes", breaks=["UpdateReservation.changes-the-host-notes"], also=_ANSWERED)
class ReservationUpdateMixesUpNotes(ReferenceEpos):
    """
    What the guests asked for is written over what the host noted.
    """

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        given = super().updated_reservation(reservation, body)
        return {**given, "hostNotes": given["guestRequests"]} if "guestRequests" in given else given


@defect(
    "reservation-keeps-its-start",
    breaks=["UpdateReservation.changes-the-start-time", "UpdateReservation.moves-the-reservation-in-searches"],
    also=["UpdateReservation.changes-the-end-time", *_ANSWERED],
)
class ReservationKeepsItsStart(_Forgets):
    """
    Whoever comes at another time has to reserve anew.
    """

    forgotten = ("startTime", "endTime")


@defect(
    "reservation-keeps-its-end",
    breaks=["UpdateReservation.changes-the-end-time"],
    also=["UpdateReservation.moves-the-reservation-in-searches", *_ANSWERED],
)
class ReservationKeepsItsEnd(_Forgets):
    """
    An update has no endTime in the till's own form.
    """

    forgotten = ("endTime",)


@defect("reservation-keeps-its-length", breaks=["UpdateReservation.changes-the-end-time"], also=["UpdateReservation.*"])
class ReservationKeepsItsLength(ReferenceEpos):
    """
    A reservation that is moved takes as long as before, whatever end it is given.
    """

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        given = super().updated_reservation(reservation, body)
        length = reservation.given["endTime"] - reservation.given["startTime"]
        return {**given, "endTime": given["startTime"] + length}


@defect("reservation-collects-notes", breaks=["UpdateReservation.changes-the-host-notes"], also=["UpdateReservation.*"])
class ReservationCollectsNotes(ReferenceEpos):
    """
    Notes of an update come after those that are there.
    """

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        given = super().updated_reservation(reservation, body)
        notes = [each["hostNotes"] for each in (reservation.given, given) if "hostNotes" in each]
        return {**given, "hostNotes": "\n".join(dict.fromkeys(notes))} if notes else given


@defect("reservation-keeps-its-requests", breaks=["UpdateReservation.changes-the-guest-requests"], also=_ANSWERED)
class ReservationKeepsItsRequests(_Forgets):
    """
    Guests say once what they want.
    """

    forgotten = ("guestRequests",)


# What an update answers, and what it changes


@defect(
    "reservation-updates-are-lost",
    breaks=[
        "UpdateReservation.changes-the-name",
        "UpdateReservation.changes-the-covers",
        "UpdateReservation.changes-the-tables",
        "UpdateReservation.changes-the-start-time",
        "UpdateReservation.changes-the-end-time",
        "UpdateReservation.changes-the-guest-requests",
    ],
    also=["UpdateReservation.*", "SearchReservations.*"],
)
class ReservationUpdatesAreLost(ReferenceEpos):
    """
    An update changes a copy, and nobody saves it.
    """

    def update_reservation(self, call: Call) -> Json:
        found = self.find_reservation(call.ids["reservationId"])
        return self.present_reservation(replace(found, given=self.updated_reservation(found, call.body)))


@defect("second-updates-are-lost", breaks=["UpdateReservation.changes-the-name"], also=["UpdateReservation.*"])
class SecondUpdatesAreLost(ReferenceEpos):
    """
    A reservation that was updated a moment ago is answered from memory, and not written again.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.written: set[str] = set()

    def update_reservation(self, call: Call) -> Json:
        found = self.find_reservation(call.ids["reservationId"])
        if found.id in self.written:
            return self.present_reservation(replace(found, given=self.updated_reservation(found, call.body)))
        self.written.add(found.id)
        return super().update_reservation(call)


@defect("reservation-update-answers-what-was", breaks=["UpdateReservation.answers-the-reservation-as-updated"])
class ReservationUpdateAnswersWhatWas(ReferenceEpos):
    """
    An update answers the reservation that it found.
    """

    def update_reservation(self, call: Call) -> Json:
        before = self.present_reservation(self.find_reservation(call.ids["reservationId"]))
        super().update_reservation(call)
        return before


@defect("reservation-update-books-anew", breaks=["UpdateReservation.keeps-the-id"], also=RESERVATIONS)
class ReservationUpdateBooksAnew(ReferenceEpos):
    """
    An updated reservation is a new one, and the old one is canceled.
    """

    def update_reservation(self, call: Call) -> Json:
        old = self.find_reservation(call.ids["reservationId"])
        shown = super().update_reservation(call)
        new = Booking(id=self.new_id("reservation"), number=self.next_number(), given=old.given)
        self.remove_reservation(old)
        self.reservations[new.id] = new
        return {**shown, "id": new.id}


@defect("reservations-stay-on-their-day", breaks=["UpdateReservation.moves-the-reservation-in-searches"])
class ReservationsStayOnTheirDay(ReferenceEpos):
    """
    The page of the diary that a reservation stands on is chosen when it is made.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.diary: dict[str, Json] = {}

    def create_reservation(self, call: Call) -> Json:
        shown = super().create_reservation(call)
        given = self.reservations[shown["id"]].given
        self.diary[shown["id"]] = {name: given[name] for name in ("startTime", "endTime")}
        return shown

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        given = {**reservation.given, **self.diary.get(reservation.id, {})}
        return super().is_wanted_reservation(replace(reservation, given=given), wanted)


@defect("reservation-updates-are-merged", breaks=["UpdateReservation.drops-what-is-left-out"])
class ReservationUpdatesAreMerged(ReferenceEpos):
    """
    What an update leaves out stays.
    """

    def updated_reservation(self, reservation: Booking, body: Json) -> Json:
        return {**reservation.given, **super().updated_reservation(reservation, body)}


@defect(
    "reservation-update-without-a-where",
    breaks=["UpdateReservation.leaves-other-reservations-alone"],
    also=["UpdateReservation.*"],
)
class ReservationUpdateWithoutAWhere(ReferenceEpos):
    """
    An update changes the name of all reservations that were in it.
    """

    def update_reservation(self, call: Call) -> Json:
        name = self.find_reservation(call.ids["reservationId"]).given["name"]
        for each in self.reservations.values():
            if each.given["name"] == name:
                each.given = {**each.given, "name": call.body["name"]}
        return super().update_reservation(call)
