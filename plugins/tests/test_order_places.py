"""
Orders are for tables, waiters and guests that belong together, and for times that make sense.
"""

from __future__ import annotations

import datetime

from typing import Any

import pytest

from epos_conformance import order_places
from epos_conformance._settings import KnownData
from epos_conformance.order_versions import Versions
from epos_conformance.ordering import Ordering
from epos_conformance.ordering import place as place_of

from .test_ordering import book, row, seat, tables
from .test_venue import item, page


NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def where(versions: Versions) -> list[dict[str, Any]]:
    return [dict(place_of(each.body)) for each in versions]


def guest(id: str, *sat: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": id.title(), "tableIds": list(sat), **more}


def guests(*orders: Any, known: KnownData | None = None, parties: Any = (), reservations: Any = ()) -> Ordering:
    return book(
        *orders,
        known=known,
        SearchTables=tables("t-9"),
        SearchParties=[page(*parties)],
        SearchReservations=[page(*reservations)],
    )


# Tables


def test_tables_are_the_oddest_and_one_of_each_area() -> None:
    plain = [{"id": f"t-{n}", "areaId": f"area-{n % 3}", "maxCovers": 2} for n in range(9)]
    found = book(SearchTables=[page(*plain, {"id": "Café 1", "areaId": "area-0", "maxCovers": 2})])
    ids = [each["tableId"] for each in where(order_places.tables(found))]
    assert ids[0] == "Café 1"
    assert {each for each in ids if each in ("t-7", "t-8")} == {"t-7", "t-8"}
    assert len(ids) == len(set(ids)) <= order_places.MOST_TABLES


def test_a_table_that_may_not_exist_is_tried_where_none_is_known() -> None:
    (version,) = order_places.tables(book())
    assert (dict(place_of(version.body)), version.unknown) == ({"tableId": order_places.MADE_UP}, True)


# Waiters


def test_waiters_are_at_the_tables_that_they_serve() -> None:
    areas = [{"id": "a", "waiterIds": ["dora"]}, {"id": "b", "waiterIds": ["Émile"]}]
    rows = [
        {"id": "t-1", "areaId": "a", "waiterIds": ["anna", "ben"]},
        {"id": "t-2", "areaId": "b"},
        {"id": "t-3", "areaId": "c", "waiterIds": []},
    ]
    served = row("1", item("pie"), details=seat("t-3", waiterId="cleo"))
    taken = row("2", item("pie"), details={"orderType": "DineIn", "dineIn": {"waiterId": "zoe"}})
    found = book(served, taken, SearchTables=[page(*rows)])
    found.venue.__dict__["areas"] = areas
    assert where(order_places.waiters(found)) == [
        {"tableId": "t-2", "waiterId": "Émile"},
        {"tableId": "t-1", "waiterId": "anna"},
        {"tableId": "t-1", "waiterId": "ben"},
        {"waiterId": "Émile"},
    ]


def test_named_waiters_are_the_only_ones() -> None:
    rows = [{"id": "t-1", "waiterIds": ["anna", "ben"]}]
    found = book(known=KnownData(waiters=("ben", "zoe")), SearchTables=[page(*rows)])
    assert where(order_places.waiters(found)) == [
        {"tableId": "t-1", "waiterId": "ben"},
        {"tableId": "t-1", "waiterId": "zoe"},
        {"waiterId": "ben"},
    ]


def test_a_waiter_who_serves_no_table_is_not_asked_for_twice() -> None:
    details = {"orderType": "DineIn", "dineIn": {"waiterId": "zoe"}}
    assert where(order_places.waiters(book(row("1", item("pie"), details=details)))) == [{"waiterId": "zoe"}]


def test_a_waiter_who_may_not_exist_is_tried_where_none_is_known() -> None:
    (version,) = order_places.waiters(book(SearchTables=tables("t-1")))
    assert version.unknown
    assert dict(place_of(version.body)) == {"tableId": "t-1", "waiterId": order_places.MADE_UP}


# Guests


def test_parties_are_at_their_tables_and_first_as_somebody_ordered_for_them() -> None:
    served = row("1", item("pie"), details=seat("t-2", waiterId="anna", partyId="p-2", note="x"))
    left = row("2", item("pie"), details=seat("t-7", partyId="p-7"))
    found = guests(served, left, parties=[guest("p-1", "t-1"), guest("p-2", "t-5"), guest("p-3", "t-3", endTime="x")])
    assert where(order_places.parties(found)) == [
        {"tableId": "t-2", "waiterId": "anna", "partyId": "p-2"},
        {"tableId": "t-1", "partyId": "p-1"},
        {"partyId": "p-2"},
    ]


def test_guests_of_our_own_come_last() -> None:
    found = guests(reservations=[guest("r-1", "t-1", name="Conformance Guest"), guest("r-2", "t-2")])
    assert where(order_places.reservations(found)) == [
        {"tableId": "t-2", "reservationId": "r-2"},
        {"tableId": "t-1", "reservationId": "r-1"},
        {"reservationId": "r-2"},
    ]


def test_named_guests_are_the_only_ones() -> None:
    known = KnownData(parties=("p-2", "p-3"))
    found = guests(known=known, parties=[guest("p-1", "t-1"), guest("p-2", "t-2")])
    assert where(order_places.parties(found)) == [
        {"tableId": "t-2", "partyId": "p-2"},
        {"tableId": "t-9", "partyId": "p-3"},
        {"partyId": "p-2"},
    ]


def test_guests_that_no_search_shows_are_those_of_orders() -> None:
    orders = [row(f"{n}", item("pie"), details=seat(f"t-{n}", partyId=f"p-{n}")) for n in range(5)]
    assert len(where(order_places.parties(guests(*orders)))) == 4


def test_guests_without_a_table_get_one() -> None:
    found = guests()
    assert order_places.seat(found, "partyId", "p-1", "nobody") == {"tableId": "t-9", "partyId": "p-1"}
    assert order_places.seat(found, "partyId", "p-1", {"tableIds": []}) == {"tableId": "t-9", "partyId": "p-1"}


# Times


def test_pre_orders_are_ready_when_guests_come() -> None:
    later, soon, past = (NOW + datetime.timedelta(days=days) for days in (3, 1, -1))
    rows = [
        guest("r-1", "t-1", startTime=later.isoformat()),
        guest("r-2", "t-2", startTime=soon.isoformat()),
        guest("r-3", "t-3", startTime=past.isoformat()),
        guest("r-4", "t-4", startTime="soon"),
        guest("r-5", "t-5", startTime=(later + datetime.timedelta(days=1)).isoformat()),
    ]
    found = where(order_places.ready_times(guests(reservations=rows)))
    assert [each.get("reservationId") for each in found] == ["r-2", "r-1", None, None, None]
    for each in found:
        ready = datetime.datetime.fromisoformat(each["readyAt"])
        assert NOW < ready < NOW + datetime.timedelta(days=4)
        assert ready.second == ready.microsecond == 0


@pytest.mark.parametrize("start", [None, "", "soon", "0001-01-01T00:00:00+14:00", 7])
def test_a_start_may_not_be_told(start: Any) -> None:
    assert order_places.start_of({"startTime": start}) is None


def test_orders_are_collected_now_soon_and_tomorrow() -> None:
    details = [each.body["details"] for each in order_places.collections(book())]
    assert {each["orderType"] for each in details} == {"Collection"}
    assert details[0]["collection"] == {"asap": True}
    times = [datetime.datetime.fromisoformat(each["collection"]["collectAt"]) for each in details[1:]]
    assert all(each > NOW + datetime.timedelta(minutes=40) for each in times[:1])
    # Slots of a quarter of an hour: whether a collection keeps its seconds is the till's business.
    assert all(each.minute % 15 == each.second == 0 for each in times)
    assert [each.hour for each in times[1:]] == [19, 12]
