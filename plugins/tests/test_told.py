"""
What a conversation tells is raised in each check that asks, with the exchanges that show it at its end.
"""

from __future__ import annotations

import pytest

from epos_conformance import told
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.told import Camera, Told
from epos_conformance.verdict import Finding

from .place import Place


FOUND = [Finding(f"page {number}", "this", "that") for number in range(5)]


def test_the_first_findings_of_a_fact_are_taken_down_with_their_evidence() -> None:
    seen = Told()
    seen.add("repeats", [], slice(0, 1))
    seen.add("repeats", FOUND[:2], slice(1, 2))
    seen.add("repeats", FOUND[2:], slice(2, 3))
    seen.add("missing", None, slice(3, 4))
    assert seen.findings == {"repeats": FOUND[:3]}
    assert seen.evidence == {"repeats": slice(1, 2)}
    assert seen.unsettled == {"missing"}


def test_a_violation_ends_with_the_exchanges_that_show_it(place: Place) -> None:
    partner = place.partner()
    partner.call("ListAreas")

    def tell() -> Told:
        camera, seen = Camera(partner), Told()
        partner.call("SearchTables")
        camera.take(lambda: partner.call("SearchOrders"))
        seen.add("repeats", FOUND[:1], camera.latest)
        partner.call("SearchParties")
        return seen

    with pytest.raises(Violation) as raised:
        told.require(partner, tell, "repeats", hint="the cursor")
    assert [each.capability for each in partner.exchanges] == [
        *("ListAreas", "SearchTables", "SearchOrders", "SearchParties", "SearchOrders")
    ]
    assert "likely cause: the cursor" in str(raised.value)
    assert told.require(partner, tell, "missing").findings


def test_what_nobody_can_tell_is_inconclusive(place: Place) -> None:
    with pytest.raises(Inconclusive, match="rows come and go all the time"):
        told.require(place.partner(), lambda: Told(unsettled={"missing"}), "missing")
