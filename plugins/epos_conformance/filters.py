"""
The filters of each search, with values that the venue's own rows show.
"""

from __future__ import annotations

import datetime

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance.following import Row


#: Filters of SearchOrders that are members of ``dineIn``.
DINE_IN = ("tableId", "waiterId", "partyId", "reservationId")

#: What lies this far outside an interval does so however its ends are read.
_CLEARLY = datetime.timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """
    A filter with a value.
    """

    #: As people read it: ``dineIn.tableId``.
    name: str
    query: Mapping[str, Any]
    #: Whether a row passes; None where the row does not say.
    passes: Callable[[Row], bool | None]

    def and_(self, other: Narrowing) -> Narrowing:
        """Both together."""
        query = dict(self.query)
        for name, value in other.query.items():
            inner = query.get(name)
            query[name] = {**inner, **value} if isinstance(inner, Mapping) else value

        def passes(row: Row) -> bool | None:
            found = (self.passes(row), other.passes(row))
            return False if False in found else None if None in found else True

        return Narrowing(f"{self.name}, {other.name}", query, passes)


@dataclass(frozen=True, slots=True)
class Filter:
    """
    A member of a search's request that rows have one or several values for.
    """

    name: str
    #: The values of a row; None where it does not say.
    values: Callable[[Row], Collection[str] | None]

    def at(self, value: str) -> Narrowing:
        """The filter with *value*."""
        outer, _, inner = self.name.rpartition(".")
        query = {outer: {inner: value}} if outer else {inner: value}

        def passes(row: Row) -> bool | None:
            found = self.values(row)
            return None if found is None else value in found

        return Narrowing(self.name, query, passes)

    def seen(self, rows: Sequence[Row]) -> Counter[str]:
        """The values of *rows*, and how many rows have each."""
        return Counter(value for row in rows for value in set(self.values(row) or ()))


def texts(value: Any) -> list[str] | None:
    """The texts in a list of the partner's; None where it is no list."""
    return [each for each in value if isinstance(each, str) and each] if isinstance(value, list) else None


def _one(value: Any) -> list[str] | None:
    return [value] if isinstance(value, str) and value else None


def _dine_in(member: str) -> Callable[[Row], Collection[str] | None]:
    def values(row: Row) -> Collection[str] | None:
        details = row.get("details")
        if not isinstance(details, Mapping):
            return None
        if details.get("orderType") == "Collection" and "dineIn" not in details:
            return ()
        place = details.get("dineIn")
        return _one(place.get(member)) if isinstance(place, Mapping) else None

    return values


AREA = Filter("areaId", lambda row: _one(row.get("areaId")))
WAITER = Filter("waiterId", lambda row: texts(row.get("waiterIds")))
_TABLES = Filter("tableId", lambda row: texts(row.get("tableIds")))

#: Per search, the filters that take an id.
BY_ID: Mapping[str, tuple[Filter, ...]] = {
    "SearchOrders": tuple(Filter(f"dineIn.{each}", _dine_in(each)) for each in DINE_IN),
    "SearchTables": (AREA, WAITER),
    "SearchParties": (_TABLES,),
    "SearchReservations": (_TABLES,),
}


def _says(member: str, row: Row) -> bool | None:
    found = row.get(member)
    return found if isinstance(found, bool) else None


def _is_payable(row: Row) -> bool | None:
    return _says("payable", row)


def _has_ended(row: Row) -> bool | None:
    # Whether a search for those that have left shows the others as well is unclear: any row passes.
    return True if row.get("endTime") else None


#: Per search, the filters that are switched on.
SWITCHES: Mapping[str, tuple[Narrowing, ...]] = {
    "SearchOrders": (Narrowing("payableOnly", {"payableOnly": True}, _is_payable),),
    "SearchParties": (Narrowing("completedOnly", {"completedOnly": True}, _has_ended),),
}


def narrowings(capability: str, rows: Sequence[Row]) -> list[Narrowing]:
    """
    Filters of *capability* that at least two of *rows* pass, those first that tell the most: some rows don't pass them,
    and few pages show all that do.
    """
    found = []
    for each in BY_ID[capability]:
        seen = each.seen(rows)
        fitting = [value for value, count in seen.items() if count > 1]
        found += [
            each.at(value) for value in sorted(fitting, key=lambda value: (seen[value] == len(rows), seen[value]))[:1]
        ]
    others = _intervals(rows) if capability == "SearchReservations" else []
    others += [
        each
        for each in SWITCHES.get(capability, ())
        # Rows that have ended are hidden from the others: how many there are shows only when they are asked for.
        if each.name == "completedOnly" or sum(each.passes(row) is True for row in rows) > 1
    ]
    found[1:1] = others
    return sorted(found, key=lambda each: all(each.passes(row) is True for row in rows))


def unmatched(
    capability: str, rows: Sequence[Row], known: Mapping[str, Collection[str]], now: datetime.datetime
) -> list[Narrowing]:
    """
    Queries of values that exist and that none of *rows* passes, as far as can be seen.

    *known* has the values that the venue is known to have: ``tableId`` -> the ids of its tables.
    """
    found = []
    plain = [each for each in BY_ID[capability] if each.name.rpartition(".")[2] in known]
    for each in plain:
        seen = each.seen(rows)
        values = known[each.name.rpartition(".")[2]]
        found += [each.at(value) for value in values if value not in seen][:2]
    if len(plain) > 1:
        found += _pairs(plain[0], plain[1], rows, known)[:2]
    if capability == "SearchReservations":
        last = max((end for row in rows if (end := moment(row.get("endTime")))), default=now)
        start = max(last, now) + datetime.timedelta(days=30)
        times = {"fromTime": start, "toTime": start + datetime.timedelta(days=1)}
        found.append(Narrowing("fromTime, toTime", {name: _text(each) for name, each in times.items()}, lambda _: None))
    return found


def _pairs(first: Filter, second: Filter, rows: Sequence[Row], known: Mapping[str, Collection[str]]) -> list[Narrowing]:
    """Values of two filters, each of which rows pass, and none both."""
    together = {(one, other) for row in rows for one in first.values(row) or () for other in second.values(row) or ()}
    return [
        first.at(one).and_(second.at(other))
        for one in first.seen(rows)
        for other in second.seen(rows)
        if (one, other) not in together
        and one in known[first.name.rpartition(".")[2]]
        and other in known[second.name.rpartition(".")[2]]
    ]


def moment(value: Any) -> datetime.datetime | None:
    """The instant that a text of the partner's names; None where it names none."""
    try:
        found = datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def _intervals(rows: Sequence[Row]) -> list[Narrowing]:
    """An interval from which on at least two reservations are, and before which clearly others."""
    spans = [(moment(row.get("startTime")), moment(row.get("endTime"))) for row in rows]
    starts = sorted(start for start, _ in spans if start is not None)
    ends = sorted(end for _, end in spans if end is not None)
    for start in reversed(starts[:-1]):
        since = start - _CLEARLY
        if any(end < since - _CLEARLY for end in ends):
            return [_since(since)]
    return []


def _since(instant: datetime.datetime) -> Narrowing:
    def passes(row: Row) -> bool | None:
        end = moment(row.get("endTime"))
        return None if end is None else end >= instant - _CLEARLY

    return Narrowing("fromTime", {"fromTime": _text(instant)}, passes)


def _text(instant: datetime.datetime) -> str:
    return instant.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
