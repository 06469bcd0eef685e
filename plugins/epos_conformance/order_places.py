"""
Orders for guests somewhere, at some time: at tables, of waiters, parties and reservations, to collect.

Like `epos_conformance.order_versions`: versions to try in turn, of which none has to be taken.
"""

from __future__ import annotations

import datetime

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from epos_conformance.following import Row
from epos_conformance.order_versions import Versions, everything, payments, simple
from epos_conformance.ordering import NAME, Json, Ordering, Version, place, times
from epos_conformance.venue import instant


#: Members of details.dineIn that say where.
_PLACES = ("tableId", "waiterId", "partyId", "reservationId")

#: Tables that are ordered at for their own sake.
MOST_TABLES = 6

#: A table and a waiter, where the venue shows none: whether it has them can't be known.
MADE_UP = "Conformance-1"


def collections(ordering: Ordering) -> Versions:
    """Orders to collect: as soon as possible, soon, tomorrow."""
    now = datetime.datetime.now(datetime.UTC)
    for title, collection in (
        ("an order to collect as soon as possible", {"asap": True}),
        ("an order to collect soon", _collected(_quarter(now + datetime.timedelta(minutes=50)))),
        ("an order to collect tomorrow evening", _collected(_at(now, 1, 19))),
        ("an order to collect tomorrow", _collected(_at(now, 1, 12, 30))),
    ):
        details = {"orderType": "Collection", "collection": collection}
        yield Version(title=title, body=ordering.body([times(ordering.dishes[0], 2)], details=details), anywhere=False)


def order_types(ordering: Ordering) -> Versions:
    """An order to eat in, and one to collect."""
    yield from simple(ordering)
    yield from islice(collections(ordering), 2)


def kinds(ordering: Ordering) -> Versions:
    """Orders of all kinds, to eat in and to collect, unpaid and paid."""
    for each, most in ((simple, 1), (everything, 1), (waiters, 1), (collections, 2), (payments, 1)):
        yield from islice(each(ordering), most)


def _collected(moment: datetime.datetime) -> Json:
    return {"asap": False, "collectAt": instant(moment)}


def _quarter(moment: datetime.datetime) -> datetime.datetime:
    """*moment*, on the next quarter of an hour: kitchens have slots."""
    late = datetime.timedelta(minutes=moment.minute % 15, seconds=moment.second, microseconds=moment.microsecond)
    return moment - late + datetime.timedelta(minutes=15)


def _at(now: datetime.datetime, days: int, hour: int, minute: int = 0) -> datetime.datetime:
    day = now + datetime.timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


# Places


def tables(ordering: Ordering) -> Versions:
    """Orders at tables: those with the oddest ids, and one of each area."""
    ids = ordering.venue.table_ids
    odd = sorted(ids, key=_oddity, reverse=True)[:2]
    areas = {str(row.get("areaId")): row["id"] for row in ordering.venue.tables if row.get("id") in ids}
    if not ids:
        yield replace(placed(ordering, {"tableId": MADE_UP}), unknown=True)
    chosen = dict.fromkeys([*odd, *ordering.tables[:1], *areas.values()])
    yield from (placed(ordering, {"tableId": each}) for each in islice(chosen, MOST_TABLES))


def waiters(ordering: Ordering) -> Versions:
    """Orders of waiters at tables that they serve, those with the oddest ids first."""
    found: dict[str, Json] = {}
    for each in _serving(ordering):
        found.setdefault(each["waiterId"], each)
    if named := ordering.venue.known.waiters:
        found = {each: found.get(each, {**ordering.table(), "waiterId": each}) for each in named}
    if not found:
        yield replace(placed(ordering, {**ordering.table(), "waiterId": MADE_UP}), unknown=True)
    odd = sorted(found.values(), key=lambda each: _oddity(each["waiterId"]), reverse=True)
    yield from (placed(ordering, each) for each in odd[:3])
    yield from (placed(ordering, each) for each in _nowhere("waiterId", odd))


def _nowhere(name: str, places: Sequence[Json]) -> list[Json]:
    """The first of *places* without its table: whoever is to be served has not sat down, or stands at the bar."""
    return [{name: each[name]} for each in places[:1] if "tableId" in each]


def _serving(ordering: Ordering) -> Iterator[Json]:
    """Tables and waiters that belong together, as details.dineIn."""
    venue = ordering.venue
    usable = set(venue.table_ids)
    for table in venue.tables:
        areas = [area for area in venue.areas if area.get("id") == table.get("areaId")]
        ids = next((found for row in (table, *areas) if (found := _texts(row.get("waiterIds")))), [])
        if isinstance(table.get("id"), str) and table["id"] in usable:
            yield from ({"tableId": table["id"], "waiterId": each} for each in ids)
    for row in ordering.orders:
        seen = place(row)
        if _texts([seen.get("waiterId")]):
            tables = _texts([seen.get("tableId")])
            yield {**({"tableId": tables[0]} if tables else {}), "waiterId": seen["waiterId"]}


def parties(ordering: Ordering) -> Versions:
    """Orders of parties at their tables, and of one that has none yet."""
    rows = [row for row in ordering.venue.parties if "endTime" not in row]
    found = _guests(ordering, "partyId", rows, ordering.venue.known.parties)[:3]
    yield from (placed(ordering, each) for each in (*found, *_nowhere("partyId", found)))


def reservations(ordering: Ordering) -> Versions:
    """Pre-orders for reservations, also for one whose table is still to be found."""
    rows, known = ordering.venue.reservations, ordering.venue.known.reservations
    found = _guests(ordering, "reservationId", rows, known)[:3]
    yield from (placed(ordering, each) for each in (*found, *_nowhere("reservationId", found)))


def ready_times(ordering: Ordering) -> Versions:
    """Pre-orders that are to be ready when the guests come."""
    now = datetime.datetime.now(datetime.UTC)
    times_of = [(start, row) for row in ordering.venue.reservations if (start := start_of(row)) and start > now]
    for start, row in sorted(times_of, key=lambda pair: pair[0])[:2]:
        if guests := _guests(ordering, "reservationId", [row], ()):
            yield pre_order(ordering, guests[-1], start)
    for moment in (_at(now, 1, 19), _at(now, 2, 12, 30), _quarter(now + datetime.timedelta(minutes=50))):
        yield pre_order(ordering, ordering.table(), moment)


def start_of(row: Mapping[str, Any]) -> datetime.datetime | None:
    """``startTime`` of *row*, on the full minute; None where it tells none."""
    try:
        found = datetime.datetime.fromisoformat(str(row.get("startTime")))
        return found.astimezone(datetime.UTC).replace(second=0, microsecond=0)
    except (ValueError, OverflowError):
        return None


def _guests(ordering: Ordering, name: str, rows: Sequence[Row], known: Sequence[str]) -> list[Json]:
    """
    Where guests sit, as details.dineIn: those of *known* ids and of *rows*, whose id is called *name* there.

    What the suite made itself comes last: it may be gone by now.
    """
    found: dict[str, Json] = {}
    own = [row for row in rows if str(row.get("name", "")).startswith(NAME)]
    for row in (*(row for row in rows if row not in own), *own):
        found.update({id: seat(ordering, name, id, row) for id in _texts([row.get("id")])})
    if known:
        return [found.get(each, {**ordering.table(), name: each}) for each in known]
    # As somebody ordered for them already, in every detail; by now they may have left.
    served = [place(row) for row in ordering.orders if row.get("payable") is True]
    seen = [{key: value for key, value in each.items() if key in _PLACES and _texts([value])} for each in served]
    first = {each[name]: each for each in reversed(seen) if name in each and (each[name] in found or not rows)}
    head = list(first)[: 1 if rows else 3]
    return [*(first[id] for id in head), *(each for id, each in found.items() if id not in head)]


def seat(ordering: Ordering, name: str, id: str, row: Any) -> Json:
    """Where the guests *row* of that *id*, called *name*, sit, as details.dineIn."""
    sat = _texts(row.get("tableIds"))[:1] if isinstance(row, Mapping) else []
    return {**({"tableId": sat[0]} if sat else ordering.table()), name: id}


def pre_order(ordering: Ordering, where: Json, ready: datetime.datetime) -> Version:
    """An order at *where* that is to be ready at some time."""
    version = placed(ordering, where, readyAt=instant(ready))
    return replace(version, title=f"{version.title}, ready at {ready:%Y-%m-%dT%H:%MZ}")


def placed(ordering: Ordering, where: Json, **details: Any) -> Version:
    """An order at *where*, as details.dineIn has it."""
    body = ordering.body([times(ordering.dishes[0], 2)], place={**where, **details})
    said = ", ".join(f"{name} {value!r}" for name, value in where.items()) or "no table"
    return Version(title=f"an order of {said}", body=body, anywhere=False)


def _texts(values: Any) -> list[str]:
    return [each for each in values if isinstance(each, str) and each] if isinstance(values, list) else []


def _oddity(id: str) -> int:
    """How much there is in *id* that a careless till changes."""
    return sum(not (each.isascii() and (each.islower() or each.isdigit() or each == "-")) for each in id)
