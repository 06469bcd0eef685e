"""
Searches for orders are made of what the orders have, and tell something.
"""

from __future__ import annotations

from typing import Any

import pytest

from starlette.responses import Response

from epos_conformance import order_filters
from epos_conformance.exceptions import Inconclusive
from epos_conformance.following import Row
from epos_conformance.order_filters import FILTERS, PAYABLE

from .place import Place, variants


def row(id: str, table: str | None = None, payable: Any = True, **dine_in: str) -> Row:
    place = {**({"tableId": table} if table else {}), **dine_in}
    return {"id": id, "payable": payable, "details": {"orderType": "DineIn", "dineIn": place}}


def test_values_are_of_many_orders_of_one_and_odd_ones() -> None:
    tables = ["7", "1", "1", "1", "2", "3", "4", "Café 9"]
    rows = [row(str(place), each) for place, each in enumerate(tables)]
    assert order_filters.values("tableId", rows) == ["1", "Café 9", "7", "2"]
    assert order_filters.values("partyId", rows) == []


def test_strangers_are_written_like_values_and_are_none() -> None:
    rows = [row("1", "table-12"), row("2", "table-1"), row("3", "x")]
    stranger, *others = order_filters.strangers("tableId", rows)
    assert stranger not in ("table-12", "table-1", "x")
    assert others == ["table-", "table-1_", "table-1%"]
    assert len(order_filters.strangers("partyId", rows)) == 1


def test_payable_is_what_says_so_or_can_be() -> None:
    money = {"value": 5, "currencyCode": "GBP"}
    assert PAYABLE.passes({"payable": True}) is True
    assert PAYABLE.passes({"payable": False}) is False
    assert PAYABLE.passes({}) is None
    assert PAYABLE.passes({"payable": "yes"}) is None
    assert PAYABLE.passes({"status": "Canceled"}) is False
    assert PAYABLE.passes({"totalAmount": money, "paidAmount": money}) is False


def test_all_filters_of_an_order_find_it_together() -> None:
    found = row("1", "t", waiterId="w", partyId="p", reservationId="r")
    parts = order_filters.all_of(found)
    assert [each.name.rpartition(".")[2] for each in parts] == [*FILTERS, "payableOnly"]
    everything = order_filters.together(parts)
    assert everything.query["dineIn"] == {"tableId": "t", "waiterId": "w", "partyId": "p", "reservationId": "r"}
    assert everything.query["payableOnly"] is True
    assert everything.passes(found) is True
    assert order_filters.all_of(row("2", payable=False)) == []


def combined(*rows: Row) -> list[dict[str, Any]]:
    return [dict(each.query) for each in order_filters.combinations(rows)]


def test_filters_that_no_order_meets_both_of_are_combined_first() -> None:
    rows = [row("1", "t-1", waiterId="w-1"), row("2", "t-2", waiterId="w-2"), row("3", "t-2", waiterId="w-1")]
    assert combined(*rows)[0] == {"dineIn": {"tableId": "t-1", "waiterId": "w-2"}}


def test_else_filters_that_find_less_together_are_combined() -> None:
    rows = [
        *(row("1", "t-1", waiterId="w-1"), row("2", "t-2", waiterId="w-1")),
        *(row("3", "t-1", waiterId="w-2"), row("4", "t-2", waiterId="w-2")),
    ]
    assert combined(*rows)[0] == {"dineIn": {"tableId": "t-1", "waiterId": "w-1"}}


def test_a_third_filter_has_to_tell_something_on_top() -> None:
    rows = [
        row("1", "t-1", waiterId="w-1", partyId="p-1"),
        row("2", "t-1", waiterId="w-1", partyId="p-2", payable=False),
    ]
    queries = combined(*rows)
    assert {"dineIn": {"partyId": "p-2"}, "payableOnly": True} in queries
    assert {"dineIn": {"tableId": "t-1", "waiterId": "w-1", "partyId": "p-1"}} in queries
    assert all(each["dineIn"] for each in queries)


def test_orders_that_filters_can_not_tell_apart_combine_to_nothing() -> None:
    assert combined(row("1", "t", waiterId="w")) == []
    assert combined() == []


# Orders that are made for it


def test_the_orders_of_the_venue_will_do(place: Place) -> None:
    partner = place.partner()
    assert len(order_filters.rows_of_venue(partner)) == len(place.epos.venue.orders)
    assert order_filters.rows_with(partner, "tableId") == order_filters.rows_of_venue(partner)
    assert "POST /v1/orders" not in place.asked


@variants("empty-venue")
def test_where_there_is_no_order_one_is_made(place: Place) -> None:
    partner = place.partner()
    (made,) = order_filters.rows_of_venue(partner)
    assert partner.owns(str(made["id"]))
    assert order_filters.rows_with(place.partner(read_only=True), "tableId")


@variants("empty-venue")
def test_one_that_is_not_found_is_of_no_use(place: Place) -> None:
    empty = '{"data": []}'
    place.instead = lambda asked: Response(empty, media_type="application/json") if "search" in asked else None
    with pytest.raises(Inconclusive, match="shows no order, not even one that was just created"):
        order_filters.rows_of_venue(place.partner(settle=0.1))


def without(place: Place, name: str) -> None:
    for each in place.epos.orders.values():
        each.dine_in.pop(name, None)


@pytest.mark.parametrize("name", FILTERS)
def test_an_order_is_made_for_a_filter_that_no_order_passes(place: Place, name: str) -> None:
    without(place, name)
    partner = place.partner()
    *_, made = order_filters.rows_with(partner, name)
    assert partner.owns(str(made["id"]))
    assert order_filters.values(name, [made])


def test_where_it_is_refused_the_others_have_to_do(place: Place) -> None:
    without(place, "partyId")
    place.instead = lambda asked: Response("{}", 409) if asked == "POST /v1/orders" else None
    assert len(order_filters.rows_with(place.partner(), "partyId")) == len(place.epos.venue.orders)


def test_where_there_are_no_parties_none_is_made_up(place: Place) -> None:
    without(place, "partyId")
    place.epos.parties.clear()
    assert len(order_filters.rows_with(place.partner(), "partyId")) == len(place.epos.venue.orders)


def test_a_till_that_leaves_the_party_out_shows_no_such_order(place: Place) -> None:
    without(place, "partyId")
    partner = place.partner(settle=0.1)
    assert partner.venue.orders
    empty = '{"data": []}'

    def instead(asked: str) -> Response | None:
        made = "POST /v1/orders" in place.asked
        return Response(empty, media_type="application/json") if made and asked == "POST /v1/orders/search" else None

    place.instead = instead
    assert len(order_filters.rows_with(partner, "partyId")) == len(place.epos.venue.orders)
