"""
Mistakes with reservations that are deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json
from epos_conformance.reference.rest import RestShell


class _Archives(ReferenceEpos):
    """
    An EPOS that throws no reservation away.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.archive: dict[str, Booking] = {}

    def remove_reservation(self, reservation: Booking) -> None:
        self.archive[reservation.id] = reservation
        super().remove_reservation(reservation)


@defect("canceled-reservations-stay-readable", breaks=["DeleteReservationById.cannot-be-fetched-afterwards"])
class CanceledReservationsStayReadable(_Archives):
    """
    A deleted reservation is marked as canceled, and read like any other.
    """

    def get_reservation_by_id(self, call: Call) -> Json:
        archived = self.archive.get(call.ids["reservationId"])
        return self.present_reservation(archived) if archived else super().get_reservation_by_id(call)


@defect("updates-bring-reservations-back", breaks=["DeleteReservationById.cannot-be-updated-afterwards"])
class UpdatesBringReservationsBack(_Archives):
    """
    PUT makes what is not there.
    """

    def update_reservation(self, call: Call) -> Json:
        archived = self.archive.pop(call.ids["reservationId"], None)
        if archived:
            self.reservations[archived.id] = archived
        return super().update_reservation(call)


@defect("updates-of-the-deleted-are-fine", breaks=["DeleteReservationById.cannot-be-updated-afterwards"])
class UpdatesOfTheDeletedAreFine(_Archives):
    """
    An update of a deleted reservation changes no row, and nobody looks how many it changed.
    """

    def update_reservation(self, call: Call) -> Json:
        archived = self.archive.get(call.ids["reservationId"])
        if archived:
            return self.present_reservation(replace(archived, given=self.kept_of_reservation(call.body)))
        return super().update_reservation(call)


@defect(
    "deleted-reservations-stay-listed",
    breaks=["DeleteReservationById.drops-out-of-searches"],
    also=["SearchReservations.*"],
)
class DeletedReservationsStayListed(_Archives):
    """
    The index that searches by table use is not told of deletions.
    """

    def search_reservations(self, call: Call) -> Json:
        page = super().search_reservations(call)
        if "tableId" not in call.body or "after" in page:
            return page
        gone = [each for each in self.archive.values() if self.is_wanted_reservation(each, call.body)]
        return {**page, "data": [*page["data"], *map(self.present_reservation, gone)]}


@defect(
    "deleting-clears-a-name",
    breaks=["DeleteReservationById.leaves-other-reservations-alone"],
    also=["*Reservation*.*"],
)
class DeletingClearsAName(ReferenceEpos):
    """
    A deletion removes all reservations in that name.
    """

    def remove_reservation(self, reservation: Booking) -> None:
        for each in list(self.reservations.values()):
            if each.given["name"] == reservation.given["name"]:
                del self.reservations[each.id]


class _Tells(RestShell):
    """
    A web service whose deletions have something to tell.
    """

    def has_no_content(self, capability: Capability) -> bool:
        return False


@defect("a-deletion-says-it-is-done", breaks=["DeleteReservationById.answers-with-nothing"], layers=[_Tells])
class ADeletionSaysItIsDone(ReferenceEpos):
    """
    A deletion answers that it succeeded.
    """

    def delete_reservation_by_id(self, call: Call) -> Any:
        super().delete_reservation_by_id(call)
        return {"success": True}
