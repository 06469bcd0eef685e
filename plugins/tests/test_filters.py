"""
Filters are tried with values that the venue shows, those first that tell the most.
"""

from __future__ import annotations

import datetime

from typing import Any

import pytest

from epos_conformance import filters
from epos_conformance.filters import AREA, BY_ID, WAITER


NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)


def order(id: str, payable: bool = True, **dine_in: str) -> dict[str, Any]:
    return {"id": id, "payable": payable, "details": {"orderType": "DineIn", "dineIn": dine_in}}


def booking(id: str, day: int, *tables: str) -> dict[str, Any]:
    start = NOW + datetime.timedelta(days=day)
    end = start + datetime.timedelta(hours=2)
    return {"id": id, "startTime": start.isoformat(), "endTime": end.isoformat(), "tableIds": [*tables]}


@pytest.mark.parametrize(
    ("row", "passes"),
    [
        (order("1", tableId="t"), True),
        (order("1", tableId="u"), False),
        (order("1", waiterId="t"), None),
        ({"details": {"orderType": "Collection", "collection": {}}}, False),
        ({"details": {"orderType": "DineIn"}}, None),
        ({"details": "t"}, None),
        ({}, None),
        ({"details": {"dineIn": {"tableId": 5}}}, None),
    ],
)
def test_orders_pass_by_what_they_say_of_their_place(row: dict[str, Any], passes: bool | None) -> None:
    narrowing = BY_ID["SearchOrders"][0].at("t")
    assert narrowing.query == {"dineIn": {"tableId": "t"}}
    assert narrowing.passes(row) is passes


def test_two_filters_come_together_in_one_query() -> None:
    table, waiter = BY_ID["SearchOrders"][:2]
    both = table.at("t").and_(waiter.at("w"))
    assert both.query == {"dineIn": {"tableId": "t", "waiterId": "w"}}
    assert both.passes(order("1", tableId="t", waiterId="w")) is True
    assert both.passes(order("1", tableId="t", waiterId="v")) is False
    assert both.passes(order("1", tableId="t")) is None
    assert AREA.at("a").and_(WAITER.at("w")).query == {"areaId": "a", "waiterId": "w"}


def test_lists_are_read_with_care() -> None:
    assert filters.texts(["a", 5, "", "b"]) == ["a", "b"]
    assert filters.texts("ab") is None


def names(found: list[filters.Narrowing]) -> list[Any]:
    return [each.query for each in found]


def test_values_of_few_rows_come_before_those_of_all() -> None:
    rows = [order("1", tableId="t", waiterId="w"), order("2", tableId="t", waiterId="w")]
    rows += [order("3", payable=False, tableId="u", waiterId="w")]
    assert names(filters.narrowings("SearchOrders", rows)) == [
        {"dineIn": {"tableId": "t"}},
        {"payableOnly": True},
        {"dineIn": {"waiterId": "w"}},
    ]


def test_a_filter_that_one_row_passes_leads_to_no_second_page() -> None:
    rows = [order("1", payable=False, tableId="t"), order("2", tableId="u")]
    assert filters.narrowings("SearchOrders", rows) == []


def test_parties_that_left_are_always_worth_a_search() -> None:
    (found,) = filters.narrowings("SearchParties", [])
    assert found.query == {"completedOnly": True}
    assert found.passes({"endTime": "2026-06-01T12:00:00Z"}) is True
    assert found.passes({}) is None


def test_an_interval_begins_clearly_behind_others() -> None:
    rows = [booking("1", 1), booking("2", 3), booking("3", 3)]
    (found,) = filters.narrowings("SearchReservations", rows)
    assert found.query == {"fromTime": "2026-06-04T09:00:00.000Z"}
    assert [found.passes(row) for row in (*rows, {})] == [False, True, True, None]
    assert filters.narrowings("SearchReservations", rows[1:]) == []
    assert filters.narrowings("SearchReservations", [{"startTime": 5}, {"startTime": "soon"}]) == []


def test_what_nothing_matches_is_known_to_the_venue() -> None:
    rows = [order("1", tableId="t", waiterId="w"), order("2", tableId="u", waiterId="v")]
    known = {"tableId": ["t", "u", "free"], "waiterId": ["v", "w"], "partyId": ["p"]}
    assert names(filters.unmatched("SearchOrders", rows, known, NOW)) == [
        {"dineIn": {"tableId": "free"}},
        {"dineIn": {"partyId": "p"}},
        {"dineIn": {"tableId": "t", "waiterId": "v"}},
        {"dineIn": {"tableId": "u", "waiterId": "w"}},
    ]


def test_nothing_is_booked_long_after_the_last_reservation() -> None:
    (found,) = filters.unmatched("SearchReservations", [booking("1", 4, "t")], {"tableId": ["t"]}, NOW)
    assert found.query == {"fromTime": "2026-07-05T14:00:00.000Z", "toTime": "2026-07-06T14:00:00.000Z"}
    assert found.passes({}) is None
    (empty,) = filters.unmatched("SearchReservations", [], {"tableId": []}, NOW)
    assert empty.query["fromTime"] == "2026-07-01T12:00:00.000Z"


@pytest.mark.parametrize("value", [None, 5, "", "tomorrow", "2026-06-01T12:00:00"])
def test_what_is_no_instant_is_none(value: Any) -> None:
    assert filters.moment(value) is None
