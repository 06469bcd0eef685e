"""
Surveys are made once, find what is amiss and show the walk that it is seen in, and take back what they made.
"""

from __future__ import annotations

import pytest

from epos_conformance import surveying, walking
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.reference import faults

from .place import Place, refusing, variants


FACTS = (
    surveying.REPEATS,
    surveying.MISSING,
    surveying.ENDLESS,
    surveying.OVERFULL,
    surveying.UNFILTERED,
    surveying.LEFT_OPEN,
)


def broken(place: Place, *defects: str) -> None:
    place.epos, place.shell = faults.build(defects)


@pytest.mark.parametrize("capability", walking.SEARCHES)
def test_a_till_that_keeps_the_rules_is_found_to(place: Place, capability: str) -> None:
    found = surveying.survey(place.partner(), capability)
    assert not any(found.findings.values())
    assert not found.unsettled
    assert any(each.query for each in found.walks)
    assert f"{len(found.rows)} rows" in found.summary


def test_a_survey_is_made_once_and_counts_for_all(place: Place) -> None:
    first, second = place.partner(), place.partner()
    surveying.survey(first, "SearchTables")
    asked = len(place.asked)
    surveying.survey(second, "SearchTables")
    assert len(place.asked) == asked
    assert len(second.exchanges) == len(first.exchanges)


@pytest.mark.parametrize(
    ("defect", "capability", "fact"),
    [
        ("after-is-inclusive", "SearchTables", surveying.REPEATS),
        ("last-page-is-dropped", "SearchTables", surveying.MISSING),
        ("last-page-leads-to-itself", "SearchTables", surveying.ENDLESS),
        ("limit-is-one-off", "SearchTables", surveying.OVERFULL),
        ("tables-filter-is-for-the-first-page", "SearchTables", surveying.UNFILTERED),
        ("completed-is-for-the-first-page", "SearchParties", surveying.UNFILTERED),
        ("empty-page-leads-on", "SearchTables", surveying.LEFT_OPEN),
    ],
)
def test_a_fault_is_told_with_the_walk_that_shows_it(place: Place, defect: str, capability: str, fact: str) -> None:
    broken(place, defect)
    partner = place.partner()
    with pytest.raises(Violation) as told:
        surveying.require(partner, capability, fact)
    assert 1 <= len(told.value.findings) <= 3
    count = len(surveying.survey(place.partner(), capability).findings[fact])
    assert count == len(told.value.findings)
    # The conversation ends with the walk.
    assert partner.exchanges[-1].capability == capability
    assert partner.exchanges[-1] in partner.exchanges[:-1]


def test_a_fact_that_is_not_found_is_noted(place: Place) -> None:
    partner = place.partner()
    for each in FACTS:
        surveying.require(partner, "SearchTables", each)
    assert len(partner.notes) == len(FACTS)


def test_what_could_not_be_settled_is_inconclusive(place: Place) -> None:
    surveying.survey(place.partner(), "SearchTables")
    partner = place.partner()
    surveying.survey(partner, "SearchTables").unsettled.add(surveying.REPEATS)
    with pytest.raises(Inconclusive, match="rows come and go all the time"):
        surveying.require(partner, "SearchTables", surveying.REPEATS)


def test_large_pages_are_held_to_small_ones(place: Place) -> None:
    broken(place, "pages-end-at-twenty")
    assert surveying.survey(place.partner(), "SearchOrders").findings[surveying.MISSING]


@variants("empty-venue")
def test_without_rows_there_is_nothing_to_walk_through(place: Place) -> None:
    with pytest.raises(Inconclusive, match="SearchTables finds no rows, and a walk takes two at least; take a venue"):
        surveying.survey(place.partner(), "SearchTables")
    place.instead = refusing("POST /v1/orders", "POST /v1/parties")
    with pytest.raises(Inconclusive):
        surveying.survey(place.partner(), "SearchParties")


# Rows of our own


@pytest.mark.parametrize("capability", surveying.MAKES)
def test_rows_that_were_made_are_alike_and_go_again(place: Place, capability: str) -> None:
    partner = place.partner()
    own = surveying.make_some(partner, capability)
    rows = {walking.key(row): row for row in walking.whole(partner, capability).rows}
    assert len(own) == 2
    assert surveying.times_of(rows[own[0]]) == surveying.times_of(rows[own[1]])
    partner.clean_up()
    left = walking.whole(partner, capability).rows
    assert all(row.get("status") == "Canceled" for row in left if row["id"] in own)


def test_nothing_is_made_where_it_may_not_be_or_would_stay(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert surveying.make_some(place.partner(read_only=True), "SearchOrders") == []
    assert surveying.make_some(place.partner(), "SearchTables") == []
    monkeypatch.setattr(place.epos, "offered", lambda: faults.build()[0].offered() - {"CancelOrderById"})
    assert surveying.make_some(place.partner(), "SearchOrders") == []


def test_what_can_not_be_made_is_done_without(place: Place) -> None:
    place.instead = refusing("POST /v1/parties", times=8)
    partner = place.partner()
    place.instead = lambda asked: refusing(asked)(asked) if asked == "POST /v1/parties" else None
    assert surveying.make_some(partner, "SearchParties") == []
    with pytest.raises(Inconclusive, match="needs an own party"):
        surveying.make_one(partner, "SearchParties")


@variants("verifies-deposits")
def test_a_plain_row_is_made_where_a_full_one_is_refused(place: Place) -> None:
    assert "deposit" not in surveying.make_one(place.partner(), "SearchParties")


def test_what_is_not_offered_is_not_made(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    surveying.require_maker(place.partner(), "SearchOrders")
    monkeypatch.setattr(place.epos, "offered", lambda: frozenset({"SearchOrders"}))
    with pytest.raises(NotOffered):
        surveying.require_maker(place.partner(), "SearchOrders")
    assert "CreateOrder isn't offered" in surveying.too_few(place.partner(), "SearchOrders", 1)
