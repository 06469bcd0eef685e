"""
Orders are judged wherever they are shown, and what is found has to show again.
"""

from __future__ import annotations

import json

from collections.abc import Iterator
from typing import Any

import pytest

from starlette.responses import Response

from epos_conformance import money, shown
from epos_conformance._settings import IntentSource, KnownData
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.following import Row
from epos_conformance.shown import Shown
from epos_conformance.verdict import Finding

from .place import Place, refusing, variants


def by(found: list[Shown], capability: str) -> list[str]:
    return [each.id for each in found if each.capability == capability]


def test_orders_are_read_once_for_all_checks_and_rows_come_along(place: Place) -> None:
    first, second = place.partner(), place.partner()
    found = shown.orders(first)
    reads = [each for each in place.asked if each.startswith("GET /v1/orders/")]
    assert len(by(found, "GetOrderById")) == len(reads) == shown.MOST_READ + 2
    assert len(by(found, "SearchOrders")) == len(place.epos.venue.orders)
    assert by(shown.orders(second), "GetOrderById") == by(found, "GetOrderById")
    assert [each for each in place.asked if each.startswith("GET /v1/orders/")] == reads


def test_one_of_them_is_made_by_us_and_removed_again(place: Place) -> None:
    partner = place.partner()
    own, paid = [each for each in shown.read(partner) if each.own]
    assert own.order["id"] == own.id == paid.id
    assert (money.paid(own.order), money.paid(paid.order)) == (0, 1)
    partner.clean_up()
    assert place.epos.orders[own.id].status == "Canceled"


@pytest.mark.parametrize("how", [{"read_only": True}, {}])
def test_none_is_made_where_that_is_forbidden_or_refused(place: Place, how: dict[str, Any]) -> None:
    place.instead = refusing("POST /v1/orders ", "POST /v1/orders")
    if how:
        place.instead = lambda _: None
    else:
        place.instead = lambda asked: refusing("POST /v1/orders")(asked) if asked == "POST /v1/orders" else None
    assert not [each for each in shown.read(place.partner(**how)) if each.own]


@variants("big-venue")
def test_of_a_big_venue_a_telling_variety_is_read(place: Place) -> None:
    partner = place.partner()
    found = [each.order for each in shown.read(partner) if not each.own]
    assert len(found) == shown.MOST_READ
    assert any(len(money.payments(each)) > 1 for each in found)
    assert any(each["details"]["orderType"] == "Collection" for each in found)
    assert any(shown.is_fully_paid(each) for each in found)
    assert {partner.venue.orders[0]["id"], partner.venue.orders[-1]["id"]} <= {each["id"] for each in found}


def test_an_order_that_is_gone_is_not_read(place: Place) -> None:
    partner = place.partner()
    assert partner.venue.orders
    del place.epos.orders["ord-1017"]
    assert "ord-1017" not in {each.id for each in shown.read(partner)}


def test_orders_that_the_user_names_are_read_first(place: Place) -> None:
    partner = place.partner(data=KnownData(orders=("ord-1015", "ord-1006")))
    assert [each.id for each in shown.read(partner)][:2] == ["ord-1015", "ord-1006"]


@variants("empty-venue")
def test_in_an_empty_venue_one_is_made(place: Place) -> None:
    assert {each.capability for each in shown.orders(place.partner())} == {"GetOrderById"}


def test_where_none_can_be_read_nothing_is_said(place: Place) -> None:
    place.instead = refusing("GET /v1/orders/", status=500)
    with pytest.raises(Inconclusive, match="GetOrderById shows no order: status 500"):
        shown.orders(place.partner())


def test_intents_that_the_user_supplies_are_kept_for_payments(place: Place) -> None:
    partner = place.partner(intents=IntentSource(ids=("pi_1",)))
    assert len([each for each in shown.read(partner) if each.own]) == 1


# Judging


def ready(order: Row) -> Iterator[Finding]:
    if order["status"] == "Ready":
        yield Finding("$.status", "another", "Ready")


def test_a_finding_names_the_answer_that_shows_it_once_for_each_order(place: Place) -> None:
    with pytest.raises(Violation) as raised:
        shown.require(place.partner(), ready)
    assert [each.where for each in raised.value.findings] == ["GetOrderById of 'ord-1017', $.status"]


def test_what_only_a_row_shows_is_told_of_the_row(place: Place) -> None:
    partner = place.partner()
    shown.read(partner)
    place.epos.orders["ord-1010"].status = "Ready"
    place.instead = lambda asked: Response('{"id": "ord-1010", "status": "New"}') if "ord-1010" in asked else None
    partner.venue.__dict__.pop("orders", None)
    with pytest.raises(Violation) as raised:
        shown.require(partner, ready)
    assert "SearchOrders, the row of 'ord-1010', $.status" in [each.where for each in raised.value.findings]


def test_what_does_not_show_again_is_not_told(place: Place) -> None:
    partner = place.partner()
    shown.orders(partner)
    place.epos.orders["ord-1017"].status = "Preparing"
    assert shown.require(partner, ready)


def test_what_is_gone_meanwhile_is_not_told(place: Place) -> None:
    partner = place.partner()
    shown.orders(partner)
    del place.epos.orders["ord-1017"]
    shown.require(partner, ready)
    place.instead = refusing("GET /v1/orders/")
    assert shown.again(partner, Shown("ord-1001", {}, "GetOrderById")) is None


def test_rows_can_be_left_out_and_own_orders_added(place: Place) -> None:
    own = Shown("ours", {"status": "Ready"}, "GetOrderById", own=True)
    with pytest.raises(Violation, match="GetOrderById of 'ours'"):
        shown.require(place.partner(), ready, among=lambda order: "id" not in order, besides=[own])
    found = shown.require(place.partner(), lambda _: (), in_rows=False)
    assert {each.capability for each in found} == {"GetOrderById"}


def test_what_no_order_has_is_said(place: Place) -> None:
    with pytest.raises(Inconclusive, match=r"no order on fire; open one at the till, or name it as data\.orders"):
        shown.require(place.partner(), ready, among=lambda _: False, lacking="no order on fire")


def test_a_few_are_told_of_many(place: Place) -> None:
    with pytest.raises(Violation) as raised:
        shown.require(place.partner(), lambda _: [Finding("$", "nothing", "an order")])
    assert len(raised.value.findings) == shown.MOST_TOLD


# Payments


def test_an_order_is_paid_a_little_with_a_tip(place: Place) -> None:
    (found,) = shown.paid(place.partner())
    assert (money.paid(found.order), money.value(found.order["tipsAmount"])) == (1, 1)
    assert found.own


def test_an_order_of_our_own_is_paid_off(place: Place) -> None:
    (found,) = shown.paid_off(place.partner())
    assert shown.is_fully_paid(found.order)
    assert found.order["payable"] is False


def test_where_nothing_can_be_paid_there_is_none(place: Place) -> None:
    place.instead = lambda asked: Response("{}", 409) if asked.endswith("/record-payment") else None
    assert shown.paid(place.partner()) == []
    assert shown.paid_off(place.partner()) == []
    assert shown.paid(place.partner(read_only=True)) == []
    assert shown.paid_off(place.partner(read_only=True)) == []


def test_orders_of_the_venue_are_not_paid_off(place: Place) -> None:
    partner = place.partner()
    place.instead = lambda asked: Response("{}", 409) if asked == "POST /v1/orders" else None
    assert shown.paid_off(partner) == []
    amounts = [each["paidAmount"]["value"] for each in place.bodies if each and "paidAmount" in each]
    assert all(each == 1 for each in amounts)


@variants("empty-venue")
def test_where_there_is_nothing_to_pay_off_there_is_none(place: Place) -> None:
    place.instead = lambda asked: Response("{}", 409) if asked == "POST /v1/orders" else None
    assert shown.paid_off(place.partner()) == []


@variants("no-order-at-all")
def test_without_any_order_there_is_none(place: Place) -> None:
    assert shown.paid(place.partner()) == []


def test_an_order_that_costs_nothing_is_not_paid_off(place: Place) -> None:
    partner = place.partner()
    body = json.dumps({"id": "free", "payable": True, "status": "New", "details": {}})
    place.instead = lambda asked: Response(body, media_type="application/json") if asked == "POST /v1/orders" else None
    assert shown.paid_off(partner) == []


# Helpers


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"id": "7", "displayName": "Window"}, ("$.displayName", "Window")),
        ({"id": "7", "displayName": "", "details": {"dineIn": {"tableId": "t"}}}, ("$.details.dineIn.tableId", "t")),
        ({"id": "7", "displayName": 9, "details": []}, ("$.id", "7")),
        ({}, ("$.id", "")),
    ],
)
def test_the_name_on_the_terminal(order: Row, named: tuple[str, str]) -> None:
    assert shown.name_on_terminal(order) == named


def test_values_are_shown_in_a_few_words() -> None:
    assert shown.words(None) == "nothing there"
    assert shown.words(money.of(250, "GBP")) == "250 (£2.50)"
    assert shown.words(["a"]) == '["a"]'
    assert shown.listed({"a": [1, {}]}, "a") == [{}]
    assert shown.listed(None, "a") == shown.listed({"a": 1}, "a") == []
