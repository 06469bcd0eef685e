"""
Orders with a feature come in a few versions, all of them valid, which a till may take or refuse.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance import _contracts, money, order_places, order_versions, schema
from epos_conformance.arithmetic import Parts
from epos_conformance.intents import Intents
from epos_conformance.order_versions import Feature
from epos_conformance.ordering import Ordering
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError

from .place import Place, variants
from .test_ordering import book, extra, gbp, row
from .test_venue import item


FEATURES: tuple[Feature, ...] = (
    order_versions.simple,
    order_versions.items,
    order_versions.quantities,
    order_versions.prices,
    order_versions.modifiers,
    order_versions.sub_items,
    order_versions.discounts,
    order_versions.service_charges,
    order_versions.tax_lines,
    order_versions.everything,
    order_versions.payments,
    order_versions.notes,
    order_versions.item_notes,
    order_versions.customers,
    order_versions.references,
    order_versions.display_names,
    order_places.collections,
    order_places.order_types,
    order_places.kinds,
    order_places.tables,
    order_places.waiters,
    order_places.parties,
    order_places.reservations,
    order_places.ready_times,
)

#: Variants that refuse what isn't theirs.
STRICT = [("strict-till",), ("strict-till-with-tax-on-top",), ("strict-till-with-discounts-below-zero",)]

#: Features that an empty venue has nothing for.
OF_GUESTS = (order_places.parties, order_places.reservations)


def name(feature: Feature) -> str:
    return feature.__name__


def taken(epos: ReferenceEpos, body: dict[str, Any]) -> bool:
    try:
        epos.answer("CreateOrder", body)
    except EposError:
        return False
    return True


@pytest.mark.parametrize("feature", FEATURES, ids=name)
@variants()
def test_versions_are_valid_and_come_to_their_totals(place: Place, feature: Feature) -> None:
    ordering = Ordering(place.partner().venue)
    wanted = _contracts.capabilities()["CreateOrder"].request
    assert wanted is not None
    versions = list(feature(ordering))
    assert 1 <= len(versions) <= 6
    assert len({each.title for each in versions}) == len(versions)
    for each in versions:
        assert schema.problems(wanted, each.body) == []
        parts = Parts.of(each.body)
        assert parts is not None
        assert ordering.way.total(parts) == money.total(each.body)
        assert taken(place.epos, each.body)


@pytest.mark.parametrize("feature", FEATURES, ids=name)
@pytest.mark.parametrize("place", STRICT, ids="+".join, indirect=True)
def test_a_strict_till_takes_one_of_them_at_least(place: Place, feature: Feature) -> None:
    versions = list(feature(Ordering(place.partner().venue)))
    assert [each.title for each in versions if taken(place.epos, each.body)]


@pytest.mark.parametrize("feature", [each for each in FEATURES if each not in OF_GUESTS], ids=name)
@variants("empty-venue")
def test_where_nothing_is_known_it_is_made_up(place: Place, feature: Feature) -> None:
    versions = list(feature(Ordering(place.partner().venue)))
    assert [each.title for each in versions if taken(place.epos, each.body)]


@pytest.mark.parametrize("feature", OF_GUESTS, ids=name)
@variants("empty-venue")
def test_guests_are_not_made_up(place: Place, feature: Feature) -> None:
    assert list(feature(Ordering(place.partner().venue))) == []


@pytest.mark.parametrize("feature", FEATURES, ids=name)
def test_whatever_the_venue_shows_there_are_versions(feature: Feature) -> None:
    odd: list[Any] = [
        {"id": {}, "items": ["tea", None, {"amountPerItem": 5}], "details": "here", "totalAmount": 7, "payable": True},
        {"id": "2", "items": [item("pie")], "details": {"dineIn": {"tableId": {}, "waiterId": ["anna"]}}},
        {"id": "3", "items": [], "discounts": [7], "taxLines": 7, "serviceChargeAmount": [], "status": []},
    ]
    guests = {"id": "g", "tableIds": "t-1", "startTime": 7, "name": None}
    places = [{"data": [{"id": ["t"], "areaId": {}, "waiterIds": [7]}, {"id": "t-1", "waiterIds": "anna"}]}]
    found = book(*odd, SearchTables=places, SearchParties=[{"data": [guests]}], SearchReservations=[{"data": [guests]}])
    assert list(feature(found))


def test_modifiers_and_sub_items_are_those_that_were_seen_before_any_are_made_up() -> None:
    found = book(
        row("1", item("tea", modifiers=[extra("milk"), extra("sugar", 0)]), item("cocoa", modifiers=[extra("cream")])),
        row("2", item("menu", subItems=[item("soup", 0)])),
    )
    mixed, doubled, made_up = order_versions.modifiers(found)
    assert [each.get("modifiers", [{}])[0].get("plu") for each in mixed.body["items"]][1:3] == ["milk", "cream"]
    tea = doubled.body["items"]
    assert [(each["plu"], len(each["modifiers"])) for each in tea] == [("tea", 2), ("tea", 1), ("cocoa", 1)]
    assert {each["quantity"] for each in tea[0]["modifiers"]} == {2}
    assert [each.made_up for each in (mixed, doubled, made_up)] == [False, False, True]
    menus, made_up = order_versions.sub_items(found)
    assert [each["plu"] for each in menus.body["items"]] == ["tea", "menu"]
    assert made_up.body["items"][1]["subItems"][1]["modifiers"]


def test_discounts_that_the_venue_gives_are_given_again() -> None:
    regular = {"name": "Regular", "amountTotal": gbp(100)}
    found = book(row("1", item("pie"), total=650, discounts=[regular]), row("2", item("tea", 9000)))
    titles = {each.title: each.body["discounts"] for each in order_versions.discounts(found)}
    assert titles["the discounts of an order of the venue"] == [regular]
    assert titles["a discount that the venue has given"] == [regular]
    assert len(titles["two discounts"]) == 2
    (whole,) = order_versions.everything(found)
    assert whole.body["discounts"] == [regular]


class Real(Intents):
    """Payment intents that Dojo knows."""


@pytest.mark.parametrize(("intents", "made_up"), [(Intents(), True), (Real(), False)])
def test_payments_are_of_the_whole_order_or_of_a_part_with_tips_beside(intents: Intents, made_up: bool) -> None:
    found = book(row("1", item("pie", 500)))
    found.venue.intents = intents
    two, one, part = order_versions.payments(found)
    assert {each.made_up for each in (two, one, part)} == {made_up}
    for version, amounts, tips in ((two, [500, 500], 225), (one, [1000], 0), (part, [333], 50)):
        payments = version.body["payments"]
        assert [money.value(each["paidAmount"]) for each in payments] == amounts
        assert money.summed(each.get("tipsAmount") for each in payments) == tips
        assert money.total(version.body) == 1000
    assert len({each["paymentIntentId"] for each in two.body["payments"]}) == 2


def test_prices_that_fractions_cannot_hold_come_first() -> None:
    found = book(row("1", item("pie", 500), item("tea", 435), item("cake", 1999)))
    first = next(order_versions.prices(found)).body["items"]
    assert [each["plu"] for each in first] == ["tea", "cake", "pie", "tea"]
