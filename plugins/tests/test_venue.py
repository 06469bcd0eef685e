"""
Test data is what the partner names, else what its searches show, and fits together.
"""

from __future__ import annotations

import datetime
import json
import re

from collections.abc import Mapping
from typing import Any

import pytest

from epos_conformance import _contracts, schema
from epos_conformance._settings import KnownData
from epos_conformance.exceptions import Unanswered
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.following import rows_of
from epos_conformance.venue import PLACEHOLDERS, Venue, instant

from . import examples


SEARCHES = frozenset({"SearchOrders", "SearchTables", "SearchParties", "SearchReservations", "ListAreas"})


class Till:
    """
    A partner that answers what it is told to, page by page, and keeps what it was asked.
    """

    def __init__(self, **answers: Any) -> None:
        self._answers = {name: list(each) for name, each in answers.items()}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def __call__(self, name: str, query: Mapping[str, Any]) -> Exchange:
        self.asked.append((name, query))
        answers = self._answers.get(name) or [{"data": []}]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        status = 400 if isinstance(answer, dict) and "errorType" in answer else 200
        return Exchange(
            capability=name,
            transport="rest",
            sent=Sent(method="POST", url=f"https://till.example/{name}", headers=(), body=None),
            answer=Answer(status=status, headers=(), body=json.dumps(answer).encode()),
        )


def answered(answer: Any) -> Exchange:
    """An order of ours, and what came of it."""
    return Till(CreateOrder=[answer])("CreateOrder", {})


def venue(
    known: KnownData | None = None, *, offered: frozenset[str] = SEARCHES, seed: int = 0, **answers: Any
) -> Venue:
    return Venue(Till(**answers), offered, known or KnownData(), seed)


def page(*rows: Any, **more: Any) -> dict[str, Any]:
    return {"data": list(rows), **more}


def order(id: str, total: int = 1000, paid: int = 0, currency: str = "GBP", **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "payable": paid < total,
        "totalAmount": {"value": total, "currencyCode": currency},
        "paidAmount": {"value": paid, "currencyCode": currency},
        **more,
    }


def item(plu: str, value: int = 250, currency: str = "GBP", **more: Any) -> dict[str, Any]:
    return {
        "plu": plu,
        "name": plu.title(),
        "quantity": 3,
        "amountPerItem": {"value": value, "currencyCode": currency},
        **more,
    }


REFUSAL = {"errorType": "InvalidRequest", "debugMessage": "no"}


# Searching


@pytest.mark.parametrize(
    ("result", "rows"),
    [
        ({"data": [{"id": 1}, "x", None]}, [{"id": 1}]),
        ([{"data": [{"id": 1}]}, {"data": [{"id": 2}]}, {"data": None}, 7], [{"id": 1}, {"id": 2}]),
        ({"rows": []}, []),
        ("text", []),
        (None, []),
    ],
)
def test_rows_are_found_in_one_page_and_in_several(result: Any, rows: list[Any]) -> None:
    assert rows_of(result) == rows


def test_a_search_is_made_once() -> None:
    till = Till(SearchOrders=[page(order("o-1"))])
    found = Venue(till, SEARCHES, KnownData(), 0)
    assert [row["id"] for row in found.orders] == ["o-1"]
    assert found.orders is found.orders
    assert till.asked == [("SearchOrders", {"cursor": {"limit": 100}})]


def test_a_search_follows_the_pages_but_not_for_ever() -> None:
    till = Till(SearchOrders=[page(order(f"o-{n}"), after=f"c-{n}") for n in range(40)])
    assert [row["id"] for row in Venue(till, SEARCHES, KnownData(), 0).orders] == [f"o-{n}" for n in range(30)]
    assert [query["cursor"].get("after") for _, query in till.asked][:3] == [None, "c-0", "c-1"]


def test_three_hundred_rows_of_a_busy_venue_are_enough() -> None:
    till = Till(SearchOrders=[page(*(order(f"{n}-{row}") for row in range(100)), after=f"c-{n}") for n in range(9)])
    assert len(Venue(till, SEARCHES, KnownData(), 0).orders) == 300


def test_a_cursor_that_leads_to_itself_is_not_followed() -> None:
    till = Till(SearchOrders=[page(order("o-1"), after="c"), page(order("o-2"), after="c")])
    assert [row["id"] for row in Venue(till, SEARCHES, KnownData(), 0).orders] == ["o-1", "o-2"]


@pytest.mark.parametrize("after", [None, "", 7])
def test_a_search_ends_where_no_cursor_leads_on(after: Any) -> None:
    till = Till(SearchOrders=[page(order("o-1"), after=after)])
    assert len(Venue(till, SEARCHES, KnownData(), 0).orders) == 1
    assert len(till.asked) == 1


def test_a_till_that_allows_smaller_pages_is_asked_for_its_own() -> None:
    till = Till(SearchTables=[REFUSAL, page({"id": "t-1"}, after="c"), page({"id": "t-2"})])
    assert Venue(till, SEARCHES, KnownData(), 0).table_ids == ["t-1", "t-2"]
    assert till.asked[1:3] == [("SearchTables", {}), ("SearchTables", {"cursor": {"after": "c"}})]
    assert till.asked[:2] == [("SearchTables", {"cursor": {"limit": 100}}), ("SearchTables", {})]


def test_what_is_not_offered_is_not_asked_for() -> None:
    till = Till()
    found = Venue(till, frozenset(), KnownData(), 0)
    assert found.orders == found.areas == found.parties == found.reservations == found.tables == []
    assert till.asked == []
    assert found.unknown["SearchOrders"] == "SearchOrders isn't offered"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page(), "SearchOrders finds nothing"),
        (REFUSAL, "POST https://till.example/SearchOrders -> 400 InvalidRequest: no in 0.000 s"),
        (Unanswered("no complete answer within 10 s"), "no complete answer within 10 s"),
    ],
    ids=["nothing", "a refusal", "no answer"],
)
def test_what_can_not_be_learnt_has_its_reason(answer: Any, reason: str) -> None:
    found = venue(SearchOrders=[answer])
    assert found.orders == []
    assert found.unknown == {"SearchOrders": reason}


def test_an_answer_that_fails_later_keeps_the_rows_so_far() -> None:
    found = venue(SearchOrders=[page(order("o-1"), after="c"), Unanswered("gone")])
    assert [row["id"] for row in found.orders] == ["o-1"]
    assert found.unknown == {"SearchOrders": "gone"}


def test_areas_are_a_list() -> None:
    assert venue(ListAreas=[[{"id": "bar", "name": "Bar"}, 7]]).areas == [{"id": "bar", "name": "Bar"}]
    assert venue(ListAreas=[{"data": []}]).areas == []


def test_areas_that_can_not_be_listed_have_their_reason() -> None:
    found = venue(ListAreas=[Unanswered("gone")])
    assert found.areas == []
    assert found.unknown == {"ListAreas": "gone"}


# What there is


def test_what_is_named_is_not_searched_for() -> None:
    found = examples.venue()
    assert found.ids("order") == found.payable_orders() == ["order 1"]
    assert found.ids("party") == ["party 1"]
    assert found.ids("reservation") == ["reservation 1"]
    assert found.table_ids == ["table 1", "table 2"]
    assert found.waiter_id == "anna"
    assert found.currency == "GBP"
    assert [each["plu"] for each in found.items] == ["TEA", "CAKE"]


def test_ids_are_found_by_searching() -> None:
    found = venue(SearchParties=[page({"id": "p-1"}, {"id": ""}, {"id": 7}, {})])
    assert found.ids("party") == ["p-1"]
    assert found.ids("reservation") == []


def test_orders_to_pay_are_payable_and_the_largest_come_first() -> None:
    found = venue(
        SearchOrders=[
            page(order("small", 100), order("paid", 500, 500), order("large", 900, 100), order("odd") | {"payable": 1})
        ]
    )
    assert found.payable_orders() == ["large", "small"]


def test_an_order_without_amounts_counts_as_nothing_to_pay() -> None:
    found = venue(SearchOrders=[page({"id": "o-1", "payable": True, "totalAmount": "free"}, order("o-2"))])
    assert found.payable_orders() == ["o-2", "o-1"]


def test_the_currency_is_that_of_most_orders() -> None:
    found = venue(
        SearchOrders=[page(order("1", currency="EUR"), order("2"), order("3", currency="EUR"), {"totalAmount": 7})]
    )
    assert found.currency == "EUR"
    assert venue().currency == "GBP"


def test_a_currency_that_is_guessed_is_another_one_after_a_refusal() -> None:
    found = venue()
    assert found.guesses_currency
    assert found.items[0]["amountPerItem"]["currencyCode"] == "GBP"

    found.hear_of_order(answered({"errorType": "Conflict"}))

    assert found.currency == "EUR"
    assert found.items[0]["amountPerItem"]["currencyCode"] == "EUR"


def test_a_currency_that_an_order_was_taken_in_is_no_longer_guessed() -> None:
    found = venue()
    found.hear_of_order(answered({"id": "1"}))
    found.hear_of_order(answered({"errorType": "Conflict"}))

    assert not found.guesses_currency
    assert found.currency == "GBP"


def test_a_currency_that_orders_show_is_not_guessed() -> None:
    found = venue(SearchOrders=[page(order("1"))])
    found.hear_of_order(answered({"errorType": "Conflict"}))

    assert found.currency == "GBP"


def test_items_are_the_plain_ones_that_orders_show() -> None:
    strange = [
        item("TEA"),
        item("TEA", 999),
        item("FREE", 0),
        item("PENNY", 9),
        item("TRUE", True),
        item("EURO", currency="EUR"),
        item("WITH", modifiers=[{"plu": "X"}]),
        item("SET", subItems=[{"plu": "X"}]),
        item("CAKE", 475) | {"name": None},
        "no item",
    ]
    found = venue(
        SearchOrders=[page(order("1", items=strange), order("2", items=None), order("3", items=[item("PIE", 700)]))]
    )
    assert found.items == [
        {"plu": "TEA", "name": "Tea", "quantity": 1, "amountPerItem": {"value": 250, "currencyCode": "GBP"}},
        {"plu": "PIE", "name": "Pie", "quantity": 1, "amountPerItem": {"value": 700, "currencyCode": "GBP"}},
    ]


def test_where_no_item_is_seen_one_is_invented_in_the_currency_of_the_venue() -> None:
    (found,) = venue(KnownData(currency="EUR")).items
    assert found["amountPerItem"] == {"value": 250, "currencyCode": "EUR"}


def test_free_tables_for_two_come_before_taken_ones() -> None:
    tables = page({"id": "bar", "maxCovers": 1}, {"id": "t-1", "maxCovers": 2}, {"id": "t-2"}, {"id": 3})
    found = venue(SearchTables=[tables], SearchParties=[page({"id": "p", "tableIds": ["t-1"]}, {"tableIds": None})])
    assert found.table_ids == ["t-2"]


def test_where_every_table_is_taken_they_are_used_all_the_same() -> None:
    found = venue(SearchTables=[page({"id": "t-1"})], SearchParties=[page({"id": "p", "tableIds": ["t-1"]})])
    assert found.table_ids == ["t-1"]


def test_tables_are_seen_in_orders_where_no_search_shows_them() -> None:
    dine_in = [
        {"dineIn": {"tableId": "t-1"}},
        {"dineIn": {"tableId": "t-1"}},
        {"dineIn": None},
        None,
        {"dineIn": {"tableId": ""}},
    ]
    found = venue(SearchOrders=[page(*(order(str(n), details=each) for n, each in enumerate(dine_in)))])
    assert found.table_ids == ["t-1"]


def test_a_waiter_is_one_who_serves_or_takes_orders() -> None:
    assert venue(SearchTables=[page({"id": "t"}, {"id": "u", "waiterIds": ["anna"]})]).waiter_id == "anna"
    assert venue(SearchOrders=[page(order("1", details={"dineIn": {"waiterId": "ben"}}))]).waiter_id == "ben"
    assert venue().waiter_id is None


# Filling


@pytest.mark.parametrize("name", sorted(PLACEHOLDERS))
def test_a_placeholder_becomes_a_value(name: str) -> None:
    filled = examples.venue().fill({"member": f"{{{name}}}"})
    assert filled["member"] is not None
    assert "{" not in str(filled["member"]) or not isinstance(filled["member"], str)


def test_what_is_no_placeholder_stays() -> None:
    template = {"a": "{nothing}", "b": "x {unique}", "c": [1, None, True], "d": {"e": 1.5}}
    assert examples.venue().fill(template) == {"a": "{nothing}", "b": "x {unique}", "c": [1, True], "d": {"e": 1.5}}


def test_members_without_test_data_are_left_out() -> None:
    assert venue().fill({"tableIds": ["{tableId}"], "areaId": "{areaId}", "name": "Guest"}) == {
        "tableIds": [],
        "name": "Guest",
    }


def test_the_total_is_that_of_the_items() -> None:
    for attempt in range(4):
        filled = examples.venue().fill({"items": "{items}", "total": "{itemsTotal}"}, attempt)
        (only,) = filled["items"]
        assert filled["total"]["value"] == only["quantity"] * only["amountPerItem"]["value"]


def test_another_attempt_takes_another_item_and_another_time() -> None:
    found = examples.venue()
    template = {"items": "{items}", "start": "{partyStart}"}
    first, second = (examples.venue().fill(template, attempt) for attempt in (0, 1))
    assert first["items"] != second["items"]
    assert first["start"] < second["start"]
    assert found.fill(template, 3)["start"] == found.fill(template, 9)["start"]


def test_a_party_has_the_status_that_the_partner_gave_one_of_ours() -> None:
    found = venue(SearchParties=[page({"id": "p", "status": "Platziert"}, {"id": "q", "status": " "})])

    def statuses() -> list[str]:
        return [found.fill("{partyStatus}", attempt) for attempt in range(4)]

    assert statuses() == ["Ordered", "Platziert", "Ordered", "Platziert"]
    for party in ({"status": "Erwartet"}, {"status": 7}, None, {"status": "Erwartet"}):
        found.hear_status(party)
    assert statuses() == ["Erwartet", "Ordered", "Platziert", "Erwartet"]
    assert found.statuses == ["Erwartet", "Platziert"]


def test_every_other_attempt_leaves_the_status_of_a_new_party_to_the_partner() -> None:
    template = {"status": "{seated}"}
    assert [venue().fill(template, attempt) for attempt in range(3)] == [{"status": "Seated"}, {}, {"status": "Seated"}]


def test_the_next_request_takes_the_next_table() -> None:
    found = examples.venue()
    tables = [found.fill({"tableId": "{tableId}"})["tableId"] for _ in range(4)]
    assert tables == ["table 2", "table 1", "table 2", "table 1"]


def test_workers_start_at_different_tables() -> None:
    tables = {examples.venue(seed=seed).fill(["{tableId}"])[0] for seed in (0, 1)}
    assert tables == {"table 1", "table 2"}


def test_unique_values_are_unique() -> None:
    found = examples.venue()
    assert len({found.fill("{unique}") for _ in range(50)}) == 50
    assert len({found.fill("{paymentIntentId}") for _ in range(50)}) == 50


def test_times_are_in_their_order_and_ahead() -> None:
    now = instant(datetime.datetime.now(datetime.UTC))
    for seed in range(20):
        filled = examples.venue(seed=seed).fill({name: f"{{{name}}}" for name in PLACEHOLDERS})
        assert now <= filled["now"] < filled["expiry"] < filled["laterExpiry"]
        assert now <= filled["partyStart"] < filled["partyEnd"]
        assert now < filled["dayStart"] < filled["bookingStart"] < filled["bookingEnd"] < filled["dayEnd"]


def test_bookings_are_made_for_lunch_or_dinner() -> None:
    hours = {examples.venue(seed=seed).fill("{bookingStart}")[11:19] for seed in range(50)}
    assert hours <= {"12:00:00", "13:00:00", "18:00:00", "19:00:00", "20:00:00"}
    assert len(hours) > 1


def test_an_instant_is_utc_to_the_millisecond() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert instant(datetime.datetime(2026, 6, 1, 12, 0, 0, 7999, tzinfo=zone)) == "2026-06-01T10:00:00.007Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", examples.venue().fill("{now}"))


def test_requests_without_any_test_data_are_valid_where_none_is_needed() -> None:
    for name in ("CreateOrder", "SearchTables", "RecordOrderPaymentById", "HandleEvent"):
        capability = _contracts.capabilities()[name]
        assert capability.request is not None
        for example in capability.examples:
            assert not schema.problems(capability.request, venue().fill(example.request))
