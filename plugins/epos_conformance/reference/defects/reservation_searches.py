"""
Mistakes with searches for reservations.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import not_found
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json


_TABLE = "SearchReservations.table-filter-narrows"
_FROM = "SearchReservations.from-time-narrows"
_TO = "SearchReservations.to-time-narrows"
_BETWEEN = "SearchReservations.finds-what-lies-between"
_COMBINE = "SearchReservations.filters-combine"
_OFFSET = "SearchReservations.reads-times-with-an-offset"
_MOVES = "UpdateReservation.moves-the-reservation-in-searches"
_FOUND = ("SearchReservations.*", "UpdateReservation.moves-*", "CreateReservation.is-found-*")


class _Wants(ReferenceEpos):
    """
    An EPOS that reads the filters of a search in its own way.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        return super().is_wanted_reservation(reservation, self.reread(wanted))

    def reread(self, wanted: Json) -> Json:
        return wanted


def _without(wanted: Json, *names: str) -> Json:
    return {name: each for name, each in wanted.items() if name not in names}


# Tables


@defect("reservations-of-any-table", breaks=[_TABLE, _COMBINE])
class ReservationsOfAnyTable(_Wants):
    """
    Nobody looks at tableId.
    """

    def reread(self, wanted: Json) -> Json:
        return _without(wanted, "tableId")


@defect("reservations-at-their-first-table", breaks=["SearchReservations.finds-a-reservation-at-each-of-its-tables"])
class ReservationsAtTheirFirstTable(ReferenceEpos):
    """
    A search by table looks at the first table of a reservation.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        first = {**reservation.given, "tableIds": reservation.given["tableIds"][:1]}
        return super().is_wanted_reservation(replace(reservation, given=first), wanted)


@defect("joined-tables-are-nowhere", breaks=["SearchReservations.finds-a-reservation-at-each-of-its-tables"])
class JoinedTablesAreNowhere(ReferenceEpos):
    """
    A search by table compares it with the whole list of tables.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        joined = {**reservation.given, "tableIds": [",".join(reservation.given["tableIds"])]}
        return super().is_wanted_reservation(replace(reservation, given=joined), wanted)


# Times


@defect("from-time-is-ignored", breaks=[_FROM], also=[_COMBINE, _OFFSET, _MOVES])
class FromTimeIsIgnored(_Wants):
    """
    A search goes up to toTime, from the first reservation there is.
    """

    def reread(self, wanted: Json) -> Json:
        return _without(wanted, "fromTime")


@defect("from-time-is-a-date", breaks=[_FROM], also=[_OFFSET])
class FromTimeIsADate(_Wants):
    """
    A search looks at the date of fromTime.
    """

    def reread(self, wanted: Json) -> Json:
        return {**wanted, "fromTime": f"{wanted['fromTime'][:10]}T00:00:00Z"} if "fromTime" in wanted else wanted


@defect("from-time-needs-a-to-time", breaks=[_FROM, _TO])
class FromTimeNeedsAToTime(_Wants):
    """
    An interval counts where both ends are given.
    """

    def reread(self, wanted: Json) -> Json:
        return wanted if {"fromTime", "toTime"} <= set(wanted) else _without(wanted, "fromTime", "toTime")


@defect("to-time-is-ignored", breaks=[_TO], also=[_COMBINE, _OFFSET, _MOVES])
class ToTimeIsIgnored(_Wants):
    """
    A search starts at fromTime and never ends.
    """

    def reread(self, wanted: Json) -> Json:
        return _without(wanted, "toTime")


@defect("to-time-is-the-end-of-the-day", breaks=[_TO], also=[_OFFSET, _COMBINE])
class ToTimeIsTheEndOfTheDay(_Wants):
    """
    A search goes on to the end of the day of toTime.
    """

    def reread(self, wanted: Json) -> Json:
        return {**wanted, "toTime": f"{wanted['toTime'][:10]}T23:59:59Z"} if "toTime" in wanted else wanted


@defect("to-time-is-in-the-past", breaks=[_TO, _BETWEEN], also=_FOUND)
class ToTimeIsInThePast(_Wants):
    """
    fromTime and toTime are taken for one another.
    """

    def reread(self, wanted: Json) -> Json:
        swapped = {"fromTime": "toTime", "toTime": "fromTime"}
        return {swapped.get(name, name): each for name, each in wanted.items()}


@defect("searches-start-the-day-after", breaks=[_BETWEEN], also=_FOUND)
class SearchesStartTheDayAfter(_Wants):
    """
    A search finds what comes after the day of fromTime.
    """

    def reread(self, wanted: Json) -> Json:
        if "fromTime" not in wanted:
            return wanted
        day = datetime.fromisoformat(wanted["fromTime"]).replace(hour=0, minute=0)
        return {**wanted, "fromTime": (day + timedelta(days=1)).isoformat()}


@defect("open-searches-end-today", breaks=[_BETWEEN], also=[_FROM])
class OpenSearchesEndToday(_Wants):
    """
    A search without toTime shows the day of its fromTime.
    """

    def reread(self, wanted: Json) -> Json:
        if "fromTime" not in wanted or "toTime" in wanted:
            return wanted
        return {**wanted, "toTime": (datetime.fromisoformat(wanted["fromTime"]) + timedelta(hours=12)).isoformat()}


@defect("tables-outdo-times", breaks=[_COMBINE], also=[_TABLE])
class TablesOutdoTimes(_Wants):
    """
    A search by table has a query of its own, without times.
    """

    def reread(self, wanted: Json) -> Json:
        return _without(wanted, "fromTime", "toTime") if "tableId" in wanted else wanted


@defect("table-or-time", breaks=[_COMBINE], also=[_TABLE])
class TableOrTime(ReferenceEpos):
    """
    A reservation that meets one of the filters is found.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        by_time = super().is_wanted_reservation(reservation, _without(wanted, "tableId"))
        if "tableId" not in wanted:
            return by_time
        by_table = wanted["tableId"] in reservation.given["tableIds"]
        return by_table or (by_time and bool({"fromTime", "toTime"} & set(wanted)))


@defect("times-are-compared-as-texts", breaks=[_OFFSET])
class TimesAreComparedAsTexts(ReferenceEpos):
    """
    Times are compared letter by letter.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        start, end = (self.spell_time(reservation.given[name]) for name in ("startTime", "endTime"))
        if "fromTime" in wanted and end < wanted["fromTime"]:
            return False
        if "toTime" in wanted and start > wanted["toTime"]:
            return False
        return super().is_wanted_reservation(reservation, _without(wanted, "fromTime", "toTime"))


@defect("search-times-lose-their-offset", breaks=[_OFFSET])
class SearchTimesLoseTheirOffset(_Wants):
    """
    The times of a search are the till's local ones, whatever offset they have.
    """

    def reread(self, wanted: Json) -> Json:
        return {
            name: f"{each[:23]}Z" if name.endswith("Time") and len(each) > 24 else each for name, each in wanted.items()
        }


@defect("offsets-crash-a-search", breaks=[_OFFSET])
class OffsetsCrashASearch(_Wants):
    """
    A search knows one way to write a time.
    """

    def reread(self, wanted: Json) -> Json:
        for name in ("fromTime", "toTime"):
            if name in wanted:
                datetime.strptime(wanted[name][19:], ".%fZ")
        return wanted


# Rows


@defect("arrived-reservations-are-not-read", breaks=["SearchReservations.rows-can-be-fetched"])
class ArrivedReservationsAreNotRead(ReferenceEpos):
    """
    A reservation whose guests have come is listed and can't be read.
    """

    def get_reservation_by_id(self, call: Call) -> Json:
        found = self.find_reservation(call.ids["reservationId"])
        if found.given["startTime"] < self.now():
            raise not_found("reservation", found.id)
        return super().get_reservation_by_id(call)


@defect(
    "reservations-with-notes-are-not-read", breaks=["SearchReservations.rows-can-be-fetched"], also=["*Reservation*.*"]
)
class ReservationsWithNotesAreNotRead(ReferenceEpos):
    """
    A reservation with notes is joined with who wrote them, and not found where that is nobody.
    """

    def get_reservation_by_id(self, call: Call) -> Json:
        found = self.find_reservation(call.ids["reservationId"])
        if found.given.get("hostNotes") == "Ask for a pre-order":
            raise not_found("reservation", found.id)
        return super().get_reservation_by_id(call)


class _Rows(ReferenceEpos):
    """
    An EPOS whose rows are made apart from what is read by id.
    """

    def search_reservations(self, call: Call) -> Json:
        page = super().search_reservations(call)
        return {**page, "data": [self.row(self.reservations[each["id"]], each) for each in page["data"]]}

    def row(self, reservation: Booking, shown: Json) -> Json:
        return shown


@defect("reservation-rows-are-short", breaks=["SearchReservations.rows-agree-with-the-reservation"])
class ReservationRowsAreShort(_Rows):
    """
    A row of a search has no notes: the list is narrow.
    """

    def row(self, reservation: Booking, shown: Json) -> Json:
        return _without(shown, "hostNotes")


@defect(
    "reservation-rows-are-as-first-seen",
    breaks=["SearchReservations.rows-agree-with-the-reservation"],
    also=["UpdateReservation.keeps-the-id"],
)
class ReservationRowsAreAsFirstSeen(_Rows):
    """
    A row is kept from the first search that showed it.
    """

    def row(self, reservation: Booking, shown: Json) -> Json:
        cache: dict[str, Json] = self.__dict__.setdefault("rows", {})
        return cache.setdefault(reservation.id, shown)


@defect(
    "reservation-rows-are-for-six",
    breaks=["SearchReservations.rows-agree-with-the-reservation"],
    also=["SearchReservations.*"],
)
class ReservationRowsAreForSix(_Rows):
    """
    A row has a picture for one to six guests.
    """

    def row(self, reservation: Booking, shown: Json) -> Json:
        return {**shown, "covers": min(shown["covers"], 6)}
