"""
Where and when to seat a party or to take a reservation: free tables, sensible times, as many guests as fit.

A till guards its business, so each try after a refusal is another table and another time. Processes of a run keep out
of each other's way: a table that a party sits down at now is held.
"""

from __future__ import annotations

import datetime
import itertools

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from epos_conformance.bookings import keeping
from epos_conformance.exceptions import Inconclusive


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: Hours (UTC) at which most restaurants take guests.
_HOURS = (12, 13, 18, 19, 20)

_MINUTE = datetime.timedelta(minutes=1)
_DAY = datetime.timedelta(days=1)

#: How long guests stay.
STAY = 90 * _MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """
    A place and a time for some people.
    """

    tables: tuple[str, ...]
    start: datetime.datetime
    end: datetime.datetime
    covers: int
    #: Whether only what is required should be said: the rest may be what was refused.
    lean: bool = False


def capacities(partner: Partner) -> dict[str, int]:
    """How many people the tables seat that say it."""
    return {
        row["id"]: row["maxCovers"]
        for row in partner.venue.tables
        if isinstance(row.get("id"), str) and type(row.get("maxCovers")) is int
    }


def tables(partner: Partner, people: int = 2, *, free: bool = True) -> list[str]:
    """
    Tables for so many *people*: named, else seen, the *free* ones where it matters.
    """
    venue = partner.venue
    if venue.known.tables:
        return list(venue.known.tables)
    most = capacities(partner)
    seen = [] if free else [row["id"] for row in venue.tables if isinstance(row.get("id"), str)]
    found = seen or venue.table_ids or _booked(partner)
    return [each for each in found if most.get(each, people) >= people]


def _booked(partner: Partner) -> list[str]:
    """Tables that are seen in reservations, and in parties: for want of a list of them; the free ones first."""
    taken = {each for row in partner.venue.parties for each in keeping.texts(row.get("tableIds"))}
    reserved = {each for row in partner.venue.reservations for each in keeping.texts(row.get("tableIds"))}
    return [*sorted(reserved - taken), *sorted(taken)]


def _areas(partner: Partner) -> dict[str, Any]:
    return {row["id"]: row.get("areaId") for row in partner.venue.tables if isinstance(row.get("id"), str)}


def _groups(partner: Partner, found: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """Tables to be taken together, *count* each: those of one area first, which can be joined more likely."""
    if count == 1:
        return [(each,) for each in found]
    area = _areas(partner)
    together = itertools.combinations(found, count)
    return sorted(itertools.islice(together, 500), key=lambda group: len({str(area.get(each)) for each in group}))


def require_tables(partner: Partner, count: int, found: Sequence[str]) -> None:
    """Raise `Inconclusive` where fewer than *count* tables were *found*."""
    if len(found) >= count:
        return
    why = partner.venue.unknown.get("SearchTables")
    known = f"only {len(found)} seen" if found else "none seen"
    reason = f" ({why})" if why else ""
    raise Inconclusive(
        f"needs {'a table' if count == 1 else f'{count} tables'} to book, {known}{reason}; "
        "name some as data.tables in partner.toml"
    )


def evening(partner: Partner, now: datetime.datetime, days: int, hours: Sequence[int] = _HOURS) -> datetime.datetime:
    """A quarter of an hour at which restaurants are open, in so many *days*."""
    chance = partner.venue.random
    return (now + days * _DAY).replace(
        hour=chance.choice(hours), minute=chance.choice((0, 15, 30, 45)), second=0, microsecond=0
    )


def for_party(
    partner: Partner, *, count: int = 1, people: int | None = None, avoid: Collection[str] = ()
) -> Iterator[Slot]:
    """
    Slots to seat a party in, one for each try: at *count* tables, none of which is one to *avoid*, about now.
    """
    free = [each for each in tables(partner, people or 2) if each not in avoid]
    every = [each for each in tables(partner, people or 2, free=False) if each not in avoid]
    require_tables(partner, count, every)
    chance = partner.venue.random
    now = datetime.datetime.now(datetime.UTC)
    # A till's clock may differ from ours, and what sits down in its future, or too long ago, may be refused.
    abouts = iter((now, now - 2 * _MINUTE, now + 2 * _MINUTE))
    for group in _groups(partner, chance.sample(free, len(free)), count):
        if all(partner.hold(f"table {each}") for each in group):
            about = next(abouts, None)
            if about is None:
                break
            first = about is now
            yield Slot(
                tables=group, start=about, end=about + STAY, covers=people or (2 if first else 1), lean=about > now
            )
    groups = _groups(partner, chance.sample(every, len(every)), count)
    for days in itertools.count(1):
        start = evening(partner, now, min(days, 2))
        group = groups[days % len(groups)]
        yield Slot(tables=group, start=start, end=start + STAY, covers=people or 1, lean=days > 1)


def for_reservation(
    partner: Partner,
    *,
    count: int = 1,
    people: int | None = None,
    avoid: Collection[str] = (),
    hours: Sequence[int] = (),
) -> Iterator[Slot]:
    """
    Slots to reserve, one for each try: some days ahead, at these *hours* first; then as others were seen; then soon.
    """
    found = [each for each in tables(partner, people or 2, free=False) if each not in avoid]
    require_tables(partner, count, found)
    chance = partner.venue.random
    groups = _groups(partner, chance.sample(found, len(found)), count)
    now = datetime.datetime.now(datetime.UTC)
    for attempt in itertools.count():
        group = groups[attempt % len(groups)]
        wanted = hours if hours and attempt < 2 else _HOURS
        start = evening(partner, now, chance.randint(2, 20) if attempt < 3 else 1, wanted)
        covers = people or (2 if attempt == 0 else 1)
        slot = Slot(tables=group, start=start, end=start + STAY, covers=covers, lean=attempt > 0)
        yield (
            (_like_one_seen(partner, slot, now, exact=people is None and count == 1) or slot) if attempt == 2 else slot
        )


def _like_one_seen(partner: Partner, slot: Slot, now: datetime.datetime, *, exact: bool) -> Slot | None:
    """*slot* at the hours of a reservation of the venue, some weeks later; *exact* with its table and covers too."""
    for row in partner.venue.random.sample(partner.venue.reservations, len(partner.venue.reservations)):
        start, end = keeping.instant(row.get("startTime")), keeping.instant(row.get("endTime"))
        if start is None or end is None or not start < end:
            continue
        weeks = max(0, (now + _DAY - start) // (7 * _DAY) + 1) + partner.venue.random.randint(1, 2)
        group, covers = keeping.texts(row.get("tableIds")), row.get("covers")
        later = weeks * 7 * _DAY
        return Slot(
            tables=tuple(group) if exact and group else slot.tables,
            start=start + later,
            end=end + later,
            covers=covers if exact and type(covers) is int else slot.covers,
            lean=True,
        )
    return None
