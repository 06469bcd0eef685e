"""
Reservations by time: whether the ends of an interval belong to it is said nowhere, so only clear cases count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from epos_conformance import answers
from epos_conformance.bookings import keeping, making, reading, wishes
from epos_conformance.bookings.kinds import RESERVATION, Members, Own
from epos_conformance.bookings.searching import said, told
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.following import Row
from epos_conformance.venue import instant
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner


#: How far outside an interval something has to lie before it counts.
WELL = timedelta(hours=4)
_DAY = timedelta(days=1)


def window(
    start: datetime | None, end: datetime | None, hours: float | None = None, end_hours: float | None = None
) -> dict[str, str]:
    """The filter for an interval, spelt with an offset of so many *hours*; open where an end is None."""
    found = {}
    for name, moment, offset in (
        ("fromTime", start, hours),
        ("toTime", end, hours if end_hours is None else end_hours),
    ):
        if moment is not None:
            found[name] = instant(moment) if offset is None else wishes.spelled(moment, offset)
    return found


def is_outside(row: Row, start: datetime | None, end: datetime | None, by: timedelta = _DAY) -> bool:
    """Whether a reservation lies outside an interval, by more than *by*; not where it doesn't tell its times."""
    begins, leaves = keeping.instant(row.get("startTime")), keeping.instant(row.get("endTime"))
    if begins is None or leaves is None:
        return False
    return (start is not None and leaves < start - by) or (end is not None and begins > end + by)


def require_narrow(partner: Partner, query: Members, start: datetime | None, end: datetime | None, *own: Own) -> None:
    """A search for *query*, which names that interval, answers nothing well outside, and not *own*."""
    hidden = {each.id for each in own}
    wrong = reading.offenders(
        partner, RESERVATION, query, lambda row: row.get("id") in hidden or is_outside(row, start, end)
    )
    answers.violate([
        Finding(
            f"SearchReservations with {said(query)}",
            "reservations inside alone",
            f"{told(row, 'startTime')} to {row.get('endTime')}",
        )
        for row in wrong[:3]
    ])


def require_found(partner: Partner, own: Own, query: Members) -> None:
    """A search for *query* finds *own*."""
    if not reading.appears(partner, own, query):
        lies = f"from {own.sent['startTime']} to {own.sent['endTime']}, tables {', '.join(own.tables)}"
        raise Violation(
            Finding(f"SearchReservations with {said(query)}", f"the reservation {own.id!r}, {lies}", "no such row")
        )


def seen_times(rows: Iterable[Row]) -> list[datetime]:
    """When the reservations *rows* start, in order."""
    return sorted(found for row in rows if (found := keeping.instant(row.get("startTime"))))


def own_or_seen(partner: Partner, hours: Sequence[int]) -> tuple[Own | None, list[datetime]]:
    """
    A reservation of ours at about these *hours*, and when those of the venue start; raises `Inconclusive` without any.
    """
    times = seen_times(partner.venue.reservations)
    try:
        return making.make(partner, RESERVATION, hours=hours), times
    except Inconclusive:
        if not times:
            raise
        return None, times
