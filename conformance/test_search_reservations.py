"""
SearchReservations: which are shown, by table and by time.

Whether the ends of an interval belong to it is not said anywhere, so only what lies well inside or well outside counts.
"""

from __future__ import annotations

from datetime import timedelta

from epos_conformance import Finding, Inconclusive, Partner, Violation, answers, check
from epos_conformance.bookings import (
    intervals,
    making,
    reading,
    searching,
    wishes,
)
from epos_conformance.bookings.intervals import WELL, is_outside, require_found, require_narrow, window
from epos_conformance.bookings.kinds import RESERVATION, Own
from epos_conformance.bookings.searching import tables_of
from epos_conformance.venue import instant


_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@check("SearchReservations.table-filter-narrows")
def test_table_filter_narrows(partner: Partner) -> None:
    """A search by table answers the reservations of that table."""
    searching.narrows_by_table(partner, RESERVATION)


@check("SearchReservations.from-time-narrows")
def test_from_time_narrows(partner: Partner) -> None:
    """A search from some time on answers nothing that is long over by then."""
    # At lunch, so that the evening of the same day is well after it.
    own, times = intervals.own_or_seen(partner, (12, 13))
    starts = [own.end + each for each in (WELL, 3 * _DAY)] if own else []
    starts += [each + 2 * _DAY for each in times[len(times) // 2 :][:1]]
    for start in starts:
        gone = [own] if own and own.end <= start - WELL else []
        require_narrow(partner, window(start, None), start, None, *gone)
        require_narrow(partner, window(start, start + 60 * _DAY), start, start + 60 * _DAY, *gone)
    if own:
        require_found(partner, own, window(own.start - _DAY, None))


@check("SearchReservations.to-time-narrows")
def test_to_time_narrows(partner: Partner) -> None:
    """A search up to some time answers nothing that starts long after it."""
    own, times = intervals.own_or_seen(partner, (18, 19, 20))
    ends = [own.start - each for each in (WELL, 3 * _DAY)] if own else []
    ends += [each - 2 * _DAY for each in times[len(times) // 2 :][:1]]
    for end in ends:
        gone = [own] if own and own.start >= end + WELL else []
        require_narrow(partner, window(None, end), None, end, *gone)
        require_narrow(partner, window(end - 60 * _DAY, end), end - 60 * _DAY, end, *gone)
    if own:
        require_found(partner, own, window(None, own.end + _DAY))


@check("SearchReservations.finds-what-lies-between")
def test_finds_what_lies_between(partner: Partner) -> None:
    """A reservation is found by a search around it, narrow or wide, or open at one end."""
    own = making.make(partner, RESERVATION)
    for before, after in ((2, 2), (1, 12), (12, 1), (49, 49)):
        require_found(partner, own, window(own.start - before * _HOUR, own.end + after * _HOUR))
    for query in (window(own.start - _DAY, None), window(None, own.end + _DAY)):
        require_found(partner, own, query)


@check("SearchReservations.filters-combine")
def test_filters_combine(partner: Partner) -> None:
    """A search by table and time answers what meets both."""
    own = making.make(partner, RESERVATION)
    others = neighbours(partner, own)
    start, end = own.start - 3 * _HOUR, own.end + 3 * _HOUR
    query = {"tableId": own.tables[0], **window(start, end)}
    require_found(partner, own, query)
    hidden = {each.id for each in others}
    wrong = reading.offenders(
        partner,
        RESERVATION,
        query,
        lambda row: row.get("id") in hidden or own.tables[0] not in tables_of(row) or is_outside(row, start, end),
    )

    answers.violate([
        Finding(
            f"SearchReservations with tableId {own.tables[0]!r} from {query['fromTime']} to {query['toTime']}",
            "what meets all three filters",
            f"{row.get('id')!r}, tables {', '.join(tables_of(row))}, from {row.get('startTime')}",
        )
        for row in wrong[:3]
    ])


def neighbours(partner: Partner, own: Own) -> list[Own]:
    """Reservations that meet one of the filters for *own*: another table at that time, that table another day."""
    found: list[Own] = []
    reasons: list[str] = []
    times = {name: own.sent[name] for name in ("startTime", "endTime")}
    later = [
        {
            "tableIds": own.tables,
            "startTime": instant(own.start + each * _DAY),
            "endTime": instant(own.end + each * _DAY),
        }
        for each in (2, 7, 3)
    ]
    for choices, avoid in (([times], own.tables), (later, [])):
        try:
            found.append(making.make(partner, RESERVATION, *choices, avoid=avoid))
        except Inconclusive as error:
            reasons.append(str(error))
    if not found:
        raise Inconclusive(f"needs a second reservation to tell one filter from several: {reasons[0]}")
    return found


@check("SearchReservations.reads-times-with-an-offset")
def test_reads_times_with_an_offset(partner: Partner) -> None:
    """The interval is the same, whatever offset its ends are written with."""
    own = making.make(partner, RESERVATION)
    inside = (own.start - 2 * _HOUR, own.end + 2 * _HOUR)
    # Where these would lie if the offset were not read.
    after = (own.end + WELL, own.end + 12 * _HOUR)
    before = (own.start - 12 * _HOUR, own.start - WELL)
    require_found(partner, own, window(*inside))
    for hours, end_hours in ((5.5, 5.5), (-8, -8), (5.5, -8), (-8, 5.5)):
        answered(partner, window(*inside, hours, end_hours))
        require_found(partner, own, window(*inside, hours, end_hours))
    for hours in (5.5, -8):
        for outside in (after, before):
            require_narrow(partner, window(*outside, hours), *outside, own)


def answered(partner: Partner, query: dict[str, str]) -> None:
    """Demand an answer to *query*, which says in another way what was answered before."""
    exchange = partner.call(RESERVATION.search, query)
    exchange.require_answer()
    if not exchange.succeeded:
        where = f"SearchReservations from {query['fromTime']} to {query['toTime']}"
        raise Violation(Finding(where, "a success, as with Z", exchange.seen))


@check("SearchReservations.finds-a-reservation-at-each-of-its-tables")
def test_finds_a_reservation_at_each_of_its_tables(partner: Partner) -> None:
    """A reservation of two tables is one of either."""
    searching.found_at_each_table(partner, RESERVATION)


@check("SearchReservations.rows-can-be-fetched")
def test_rows_can_be_fetched(partner: Partner) -> None:
    """A reservation that is listed can be read."""
    searching.rows_can_be_fetched(partner, RESERVATION)


@check("SearchReservations.rows-agree-with-the-reservation")
def test_rows_agree_with_the_reservation(partner: Partner) -> None:
    """A reservation is the same whether it is listed or read."""
    words = {"hostNotes": wishes.NOTES[1], "guestRequests": wishes.ODD_REQUESTS[2], "name": wishes.NAMES[1]}
    searching.rows_agree(partner, RESERVATION, lambda: making.make(partner, RESERVATION, words, {}))
