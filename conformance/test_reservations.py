"""
Reservations: whether what is sent of them is kept, changed and gone, as sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from epos_conformance import Finding, Partner, Violation, check
from epos_conformance.bookings import (
    changing,
    creating,
    deleting,
    intervals,
    making,
    reading,
    refusing,
    updating,
    wishes,
)
from epos_conformance.bookings.creating import at, covers
from epos_conformance.bookings.kinds import RESERVATION, Members, Own
from epos_conformance.bookings.updating import given, shifted
from epos_conformance.venue import instant


# Creating


@check("CreateReservation.keeps-the-name")
def test_keeps_the_name(partner: Partner) -> None:
    """A reservation keeps its name, whatever letters are in it."""
    creating.keeps(partner, RESERVATION, "name", wishes.texts("name", wishes.NAMES))


@check("CreateReservation.keeps-the-covers")
def test_keeps_the_covers(partner: Partner) -> None:
    """A reservation is for as many people as were sent."""
    creating.keeps(partner, RESERVATION, "covers", people=(3, 2, 1))


@check("CreateReservation.keeps-all-tables")
def test_keeps_all_tables(partner: Partner) -> None:
    """A reservation of two tables has both, and one of three has all."""
    creating.keeps(partner, RESERVATION, "tableIds", [{}], counts=(2, 3))


@check("CreateReservation.keeps-the-start-time")
def test_keeps_the_start_time(partner: Partner) -> None:
    """A reservation starts when it was said to, to the millisecond."""
    # 41 is .41 where the milliseconds are written without their leading zero.
    creating.keeps(partner, RESERVATION, "startTime", at("startTime", 41), at("startTime", 986, second=23))


@check("CreateReservation.keeps-the-end-time")
def test_keeps_the_end_time(partner: Partner) -> None:
    """A reservation ends when it was said to, to the millisecond, be it on the next day."""
    creating.keeps(
        partner,
        RESERVATION,
        "endTime",
        at("endTime", 8, minutes=3),
        at("endTime", 992, second=59, minutes=-4),
        [creating.over_midnight],
    )


@check("CreateReservation.keeps-the-instant-of-an-offset-time")
def test_keeps_the_instant_of_an_offset_time(partner: Partner) -> None:
    """A time is the same instant, whatever offset it is written with."""
    creating.keeps_offset_times(partner, RESERVATION)


@check("CreateReservation.keeps-the-host-notes")
def test_keeps_the_host_notes(partner: Partner) -> None:
    """A reservation keeps what the host noted."""
    creating.keeps(partner, RESERVATION, "hostNotes", wishes.texts("hostNotes", wishes.NOTES))


@check("CreateReservation.keeps-the-guest-requests")
def test_keeps_the_guest_requests(partner: Partner) -> None:
    """A reservation keeps what its guests asked for, word for word."""
    creating.keeps(
        partner,
        RESERVATION,
        "guestRequests",
        wishes.texts("guestRequests", wishes.LONG_REQUESTS),
        wishes.texts("guestRequests", wishes.ODD_REQUESTS),
    )


@check("CreateReservation.can-be-fetched")
def test_can_be_fetched(partner: Partner) -> None:
    """A reservation can be read under the id that was answered."""
    creating.can_be_fetched(partner, RESERVATION)


@check("CreateReservation.is-found-by-search")
def test_is_found_by_search(partner: Partner) -> None:
    """A reservation that has just been made is found."""
    day = timedelta(days=1)
    creating.is_found_by_search(partner, RESERVATION, lambda own: intervals.window(own.start - day, own.end + day))


@check("CreateReservation.gives-each-reservation-its-own-id")
def test_gives_each_reservation_its_own_id(partner: Partner) -> None:
    """No two reservations have the same id, though of one name, table and day, or one before them was deleted."""
    creating.gives_own_ids(partner, RESERVATION, same_day)


def same_day(own: Own) -> Sequence[Members]:
    """What is like *own* at another hour."""
    hours = (timedelta(hours=each) for each in (2, -2, 24))
    return [
        {"startTime": instant(own.start + each), "endTime": instant(own.end + each), "tableIds": own.tables}
        for each in hours
    ]


@check("CreateReservation.stores-nothing-that-it-refuses")
def test_stores_nothing_that_it_refuses(partner: Partner) -> None:
    """A reservation that is refused since its table is taken is not there."""
    refusing.stores_nothing_refused(partner, RESERVATION)


# Reading


@check("GetReservationById.answers-the-reservation-asked-for")
def test_answers_the_reservation_asked_for(partner: Partner) -> None:
    """The reservation that is answered is the one that was asked for."""
    creating.answers_the_one_asked_for(partner, RESERVATION)


# Updating


@check("UpdateReservation.changes-the-name")
def test_changes_the_name(partner: Partner) -> None:
    """A reservation is in the name that the last update said."""
    rounds = given("name", wishes.OTHER_NAMES), given("name", wishes.OTHER_NAMES[2:])
    updating.changes(partner, RESERVATION, "name", *rounds, together={"hostNotes": "Renamed"})


@check("UpdateReservation.changes-the-covers")
def test_changes_the_covers(partner: Partner) -> None:
    """A reservation is for as many people as the last update said."""
    rounds = given("covers", [1]), given("covers", [2])
    updating.changes(
        partner, RESERVATION, "covers", *rounds, made=[{"covers": 2}, covers], together={"name": "Conformance Two"}
    )


@check("UpdateReservation.changes-the-tables")
def test_changes_the_tables(partner: Partner) -> None:
    """A reservation has the tables of the last update, all of them and no others."""
    updating.changes_the_tables(partner, RESERVATION)


@check("UpdateReservation.changes-the-start-time")
def test_changes_the_start_time(partner: Partner) -> None:
    """A reservation starts when the last update says, to the millisecond."""
    rounds = shifted("startTime", 608, 7, 15), shifted("startTime", 41, -5, 15, second=9)
    updating.changes(partner, RESERVATION, "startTime", *rounds, together={"name": "Conformance Two"})


@check("UpdateReservation.changes-the-end-time")
def test_changes_the_end_time(partner: Partner) -> None:
    """A reservation ends when the last update says, to the millisecond."""
    rounds = shifted("endTime", 904, 17, 15), shifted("endTime", 8, -26, -15, second=31)
    updating.changes(partner, RESERVATION, "endTime", *rounds, together={"name": "Conformance Two"})


@check("UpdateReservation.keeps-the-instant-of-an-offset-time")
def test_keeps_the_instant_of_an_offset_time_updated(partner: Partner) -> None:
    """A time in an update is the same instant, whatever offset it is written with."""
    updating.changes_offset_times(partner, RESERVATION)


@check("UpdateReservation.changes-the-host-notes")
def test_changes_the_host_notes(partner: Partner) -> None:
    """A reservation has the notes of the last update."""
    rounds = given("hostNotes", wishes.OTHER_NOTES), given("hostNotes", wishes.NOTES[2:])
    updating.changes(partner, RESERVATION, "hostNotes", *rounds, together={"name": "Conformance Two"})


@check("UpdateReservation.changes-the-guest-requests")
def test_changes_the_guest_requests(partner: Partner) -> None:
    """A reservation has the requests of the last update, word for word."""
    made = wishes.texts("guestRequests", wishes.LONG_REQUESTS[1:])
    rounds = given("guestRequests", wishes.OTHER_REQUESTS), given("guestRequests", wishes.SHORT_REQUESTS)
    updating.changes(
        partner, RESERVATION, "guestRequests", *rounds, made=[*made, {}], together={"name": "Conformance Two"}
    )


@check("UpdateReservation.answers-the-reservation-as-updated")
def test_answers_the_reservation_as_updated(partner: Partner) -> None:
    """The answer to an update shows what was given."""
    updating.answers_as_updated(partner, RESERVATION)


@check("UpdateReservation.keeps-the-id")
def test_keeps_the_id(partner: Partner) -> None:
    """An updated reservation is still the same."""
    updating.keeps_the_id(partner, RESERVATION)


@check("UpdateReservation.moves-the-reservation-in-searches")
def test_moves_the_reservation_in_searches(partner: Partner) -> None:
    """A reservation that has moved is found on its new day, and on the old one no more."""
    reading.require_offered(partner, RESERVATION.update, RESERVATION.search)
    own = making.make(partner, RESERVATION)
    old = intervals.window(own.start - timedelta(hours=6), own.end + timedelta(hours=6))
    days = (timedelta(days=each) for each in (3, 7, 1, 2))
    own = changing.update(
        partner, own, *({"startTime": instant(own.start + each), "endTime": instant(own.end + each)} for each in days)
    )
    new = intervals.window(own.start - timedelta(hours=6), own.end + timedelta(hours=6))

    intervals.require_found(partner, own, new)
    if not reading.vanishes(partner, own, old):
        where = f"SearchReservations from {old['fromTime']} to {old['toTime']}"
        raise Violation(Finding(where, f"no {own.id!r}, moved to {own.sent['startTime']}", "one"))


@check("UpdateReservation.drops-what-is-left-out")
def test_drops_what_is_left_out(partner: Partner) -> None:
    """An update without notes leaves none."""
    updating.drops_what_is_left_out(partner, RESERVATION)


@check("UpdateReservation.leaves-other-reservations-alone")
def test_update_leaves_other_reservations_alone(partner: Partner) -> None:
    """An update changes one reservation and no other."""
    change = {"name": "Conformance Other", "hostNotes": "Moved"}
    updating.leaves_others_alone(partner, RESERVATION, lambda own: changing.update(partner, own, change))


@check("UpdateReservation.changes-nothing-that-it-refuses")
def test_changes_nothing_that_it_refuses(partner: Partner) -> None:
    """A reservation that can't move since the table is taken stays as it was."""
    refusing.changes_nothing_refused(partner, RESERVATION)


# Deleting


@check("DeleteReservationById.cannot-be-fetched-afterwards")
def test_cannot_be_fetched_afterwards(partner: Partner) -> None:
    """A deleted reservation is not found."""
    deleting.cannot_be_fetched_afterwards(partner, RESERVATION)


@check("DeleteReservationById.cannot-be-updated-afterwards")
def test_cannot_be_updated_afterwards(partner: Partner) -> None:
    """A deleted reservation is not found by an update."""
    deleting.cannot_be_updated_afterwards(partner, RESERVATION)


@check("DeleteReservationById.drops-out-of-searches")
def test_drops_out_of_searches(partner: Partner) -> None:
    """A deleted reservation is no row of a search, by table or by time."""
    hour = timedelta(hours=1)
    deleting.drops_out_of_searches(
        partner,
        RESERVATION,
        lambda own: {"tableId": own.tables[0]},
        lambda own: intervals.window(own.start - hour, own.end + hour),
    )


@check("DeleteReservationById.leaves-other-reservations-alone")
def test_delete_leaves_other_reservations_alone(partner: Partner) -> None:
    """A deletion removes one reservation and no other."""
    reading.require_offered(partner, RESERVATION.delete)
    updating.leaves_others_alone(partner, RESERVATION, lambda own: deleting.deleted(partner, own))


@check("DeleteReservationById.answers-with-nothing")
def test_answers_with_nothing(partner: Partner) -> None:
    """A deletion has nothing to tell."""
    deleting.answers_with_nothing(partner, RESERVATION)
