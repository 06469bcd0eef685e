"""
Searches follow the pages, say what was searched for in vain, and take an overload for no answer.
"""

from __future__ import annotations

import json

import pytest

from starlette.responses import Response

from epos_conformance import searching
from epos_conformance.exceptions import Inconclusive, Violation

from .place import Place, refusing, variants


SEARCH = "POST /v1/orders/search"


@variants("three-rows-a-page")
def test_all_pages_are_followed_in_their_order(place: Place) -> None:
    rows = searching.search(place.partner(), {})
    assert [row["id"] for row in rows] == [each.id for each in place.epos.newest_orders()]


def test_a_row_is_looked_for_no_further_than_it_is_found(place: Place) -> None:
    partner = place.partner()
    newest = next(place.epos.newest_orders()).id
    row = searching.row_of(partner, newest)
    assert row is not None
    assert row["id"] == newest
    assert searching.row_of(partner, "nobody's") is None
    assert searching.row_of(partner, newest, {"dineIn": {"tableId": "nowhere"}}) is None


def test_a_till_that_takes_no_limit_is_asked_for_its_own_pages(place: Place) -> None:
    place.instead = refusing(SEARCH, times=1)
    assert searching.search(place.partner(), {"payableOnly": True})
    assert place.bodies[1] == {"payableOnly": True}
    assert place.bodies[-1]["cursor"].keys() == {"after"}


def test_cursors_that_come_again_end_a_search(place: Place) -> None:
    page = json.dumps({"data": [{"id": "1"}, {"id": 2}], "after": "c"})
    place.instead = lambda _: Response(page, media_type="application/json")
    assert [row["id"] for row in searching.search(place.partner(), {})] == ["1", "1"]


@variants("three-rows-a-page")
def test_a_big_venue_is_not_searched_to_its_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_PAGES", 2)
    assert len(searching.search(place.partner(), {})) == 6


def test_a_search_that_is_refused_ends_the_check_that_needs_it(place: Place) -> None:
    place.instead = refusing(SEARCH)
    with pytest.raises(Inconclusive, match="needs SearchOrders, but saw status 409, Conflict: not today"):
        searching.search(place.partner(), {})


def test_a_search_that_is_demanded_has_to_be_answered(place: Place) -> None:
    place.instead = refusing(SEARCH)
    with pytest.raises(Violation, match=r"at SearchOrders with dineIn.tableId t-1: expected a success, saw status 409"):
        searching.search(place.partner(), {"dineIn": {"tableId": "t-1"}}, demanded=True)


def test_an_overload_is_no_answer(place: Place) -> None:
    place.instead = lambda _: Response("", 503)
    with pytest.raises(Inconclusive, match="the partner is overloaded: status 503"):
        searching.search(place.partner(), {}, demanded=True)
