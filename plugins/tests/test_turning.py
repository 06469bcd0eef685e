"""
Ways back are walked page by page, and rows that appear on the way are let alone.
"""

from __future__ import annotations

import pytest

from epos_conformance import turning, walking
from epos_conformance.exceptions import Inconclusive
from epos_conformance.following import Row
from epos_conformance.reference import faults
from epos_conformance.turning import Return, Step
from epos_conformance.walking import End, Page, Walk

from .place import Place, variants


def page(ids: str, refusal: str | None = None) -> Page:
    rows: list[Row] = [{"id": each} for each in ids]
    return Page(cursor=None, rows=rows, sizes=(len(rows),), before=None, after=None, refusal=refusal)


FORWARD = Walk(query={}, limit=2, pages=[page("ab"), page("cd"), page("ef")], end=End.LAST)


def astray(*steps: Step) -> list[tuple[str, str, str | None]]:
    seen = Return(forward=FORWARD, steps=[*steps])
    return [(each.where, each.seen, each.hint) for each in turning.astray(seen, FORWARD, FORWARD)]


def test_a_way_back_leads_over_the_same_pages_in_any_order() -> None:
    assert astray(Step(3, page("dc"), None), Step(2, page("ab"), None)) == []
    assert astray(Step(3, None, None), Step(2, None, None)) == []


@pytest.mark.parametrize(
    ("back", "hint"),
    [
        ("ab", "the rows that come first are taken"),
        ("ef", "leads to the page that it is on"),
        ("de", "the row that before names is answered again"),
        ("", "before is compared like after"),
    ],
)
def test_a_way_back_that_leads_elsewhere_is_told_with_the_likely_cause(back: str, hint: str) -> None:
    ((where, seen, cause),) = astray(Step(3, page(back), None))
    assert where == "before of page 3 of a walk with limit 2"
    assert seen == (", ".join(back) or "no rows")
    assert hint in f"{cause}"


def test_a_way_back_may_lead_astray_for_reasons_unknown() -> None:
    assert astray(Step(3, page("xy"), None)) == [("before of page 3 of a walk with limit 2", "x, y", None)]


def test_a_way_back_that_is_refused_or_ends_early_is_told() -> None:
    ((_, seen, _),) = astray(Step(3, page("", "status 500"), None))
    assert seen == "status 500"
    ((_, seen, _),) = astray(Step(3, None, None), Step(2, page("ab"), None))
    assert seen == "none, though page 2 names one"


def test_from_a_page_that_was_gone_back_to_the_way_leads_on() -> None:
    steps = [
        Step(3, page("cd"), page("ef")),
        Step(3, page("cd"), page("cd")),
        Step(3, page("ab"), page("cd")),
        Step(2, page("ab"), page("", "status 404")),
        Step(2, page("ab"), None),
    ]
    seen = turning.lost(Return(forward=FORWARD, steps=steps), FORWARD, FORWARD)
    assert [each.seen for each in seen] == ["c, d", "status 404"]


def test_pages_on_the_way_back_are_held_to_the_limit() -> None:
    seen = Return(forward=FORWARD, steps=[Step(3, page("abcd"), None), Step(2, None, None)])
    assert [each.seen for each in turning.too_long_behind(seen)] == ["4 rows"]


# At an EPOS


@pytest.mark.parametrize("capability", walking.SEARCHES)
def test_a_till_that_keeps_the_rules_leads_back(place: Place, capability: str) -> None:
    found = turning.turns(place.partner(), capability)
    assert not any(found.findings.values())
    assert found.steps >= found.on > 0


@variants("no-way-back")
def test_a_till_that_names_no_way_back_is_not_asked_for_one(place: Place) -> None:
    found = turning.turns(place.partner(), "SearchTables")
    assert (found.steps, found.later) == (0, True)
    assert not any("before" in (each or {}).get("cursor", {}) for each in place.bodies)


@pytest.mark.parametrize(
    ("defect", "fact"),
    [
        ("before-starts-at-the-first-row", turning.ASTRAY),
        ("after-of-the-way-back-is-askew", turning.LOST),
        ("limit-is-not-for-the-way-back", turning.OVERFULL),
    ],
)
def test_ways_back_that_are_broken_are_found(place: Place, defect: str, fact: str) -> None:
    place.epos, place.shell = faults.build([defect])
    assert turning.turns(place.partner(), "SearchTables").findings[fact]


@variants("empty-venue")
def test_without_a_second_page_there_is_no_way_back(place: Place) -> None:
    with pytest.raises(Inconclusive, match="finds no rows"):
        turning.turns(place.partner(), "SearchTables")
    with pytest.raises(Inconclusive, match="finds no rows"):
        turning.appearance(place.partner(), "SearchParties")


def test_where_no_page_leads_on_there_is_no_way_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.epos, "limit_of", lambda _: 100)
    with pytest.raises(Inconclusive, match="no walk through the 14 rows of SearchTables came to a second page"):
        turning.turns(place.partner(), "SearchTables")


def test_rows_that_appear_repeat_and_hide_none(place: Place) -> None:
    partner = place.partner()
    found = turning.appearance(partner, "SearchOrders")
    assert not found.findings
    assert not found.unsettled
    assert place.asked.count("POST /v1/orders") == 2


@pytest.mark.parametrize(
    ("defect", "fact"), [("cursors-count-rows", turning.REPEATED), ("cursor-dies-with-a-change", turning.HIDDEN)]
)
def test_rows_that_shift_others_are_found(place: Place, defect: str, fact: str) -> None:
    place.epos, place.shell = faults.build([defect])
    assert turning.appearance(place.partner(), "SearchReservations").findings[fact]
