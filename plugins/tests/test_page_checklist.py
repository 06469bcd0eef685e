"""
Dojo's go-live checklist, as far as a run fills it in.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance import _rules
from epos_conformance.report.page import checklist
from epos_conformance.report.page.findings import collect

from .pages import check, document, step


def rows(checks: list[dict[str, Any]], **more: Any) -> dict[str, checklist.Row]:
    """Scenario -> row of the checklist for *checks*."""
    found = document(checks, **more)
    return {row.scenario: row for part in checklist.parts(found, collect(found).anchors) for row in part.rows}


def test_every_rule_that_a_row_asks_for_is_in_the_catalogue() -> None:
    asked = {rule for each in checklist._SET_UP for rule in each.rules}

    assert len(asked) > 10
    assert asked <= {*_rules.rules()}


def test_every_journey_is_a_row() -> None:
    journeys = [each for each in _rules.rules().values() if each.page == "journeys"]
    found = rows([])

    assert len(journeys) == len(checklist._TITLES)
    assert {each.sentence for each in journeys} <= {each.expected for each in found.values()}


def test_the_version_of_the_pos_is_recorded_or_asked_for() -> None:
    partner = {**document()["partner"], "pos": {}}

    assert rows([])["The minimum POS version is recorded and shared"].remark == "Till & Table, version 4.2 or newer"
    assert rows([], partner=partner)["The minimum POS version is recorded and shared"].state == "missing"


def test_the_transports_are_recorded() -> None:
    assert rows([])["REST, WebSocket or both is recorded"].remark == "REST and WebSocket, as in this run"


@pytest.mark.parametrize(
    ("outcome", "message", "state"),
    [
        ("conforms", "", "shown"),
        ("violates", "at the registration: expected one, saw none", "advised"),
        ("inconclusive", "Dojo did not answer", "unproven"),
        ("not-offered", "not examined: there is no Dojo API in this run", "unasked"),
        (None, "", "unasked"),
    ],
)
def test_a_row_says_what_the_run_saw(outcome: str | None, message: str, state: str) -> None:
    checks = [check("registration.can-be-retrieved", outcome, message, "dojo")] if outcome else []

    assert rows(checks)["The registered capabilities can be retrieved"].state == state


def test_a_row_with_a_broken_rule_leads_to_the_finding() -> None:
    found = rows([
        check("rest.refuses-missing-credentials", case="SearchOrders", capability="SearchOrders"),
        check("rest.refuses-a-wrong-password", "violates", "at x: expected a, saw b", case="SearchOrders"),
    ])["The EPOS refuses callers without its credentials"]

    assert (found.state, found.word) == ("broken", "Broken")
    assert [(each.over, each.word, each.anchor) for each in found.observed] == [("over REST", "broken", "violated-1")]


CREDENTIALS = "The EPOS refuses callers without its credentials"


def test_steps_that_nobody_took_are_not_shown_by_the_run() -> None:
    found = rows([check("rest.refuses-missing-credentials", case="SearchOrders", capability="SearchOrders")])[
        CREDENTIALS
    ]

    assert (found.state, found.word) == ("partly", "Shown in part")
    assert found.remark == "Not examined: rest.refuses-a-wrong-password and rest.refuses-a-wrong-username"


def test_a_row_is_shown_where_each_of_its_rules_was_examined() -> None:
    names = ("refuses-missing-credentials", "refuses-a-wrong-password", "refuses-a-wrong-username")
    absent = {"case": "CreateParty", "outcome": "not-offered", "message": "CreateParty isn't claimed"}
    checks = [check(f"rest.{name}", **more) for name in names for more in ({"case": "SearchOrders"}, absent)]
    found = rows(checks)[CREDENTIALS]

    assert (found.state, found.remark) == ("shown", None)
    assert [(each.over, each.word) for each in found.observed] == [("over REST", "kept")]


def test_a_rule_that_was_left_out_altogether_was_not_examined() -> None:
    names = ("refuses-missing-credentials", "refuses-a-wrong-password")
    absent = check("rest.refuses-a-wrong-username", "not-offered", "not examined: the run is --read-only")
    found = rows([*(check(f"rest.{name}") for name in names), absent])[CREDENTIALS]

    assert (found.state, found.remark) == ("partly", "Not examined: rest.refuses-a-wrong-username")


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("not examined: there is no Dojo API in this run", "not examined"),
        ("QR Pay by table needs SearchTables, which isn't offered", "not offered"),
    ],
)
def test_what_nobody_asked_for_is_told_from_what_is_not_offered(message: str, word: str) -> None:
    found = rows([check("registration.can-be-retrieved", "not-offered", message, "dojo")])

    assert [each.word for each in found["The registered capabilities can be retrieved"].observed] == [word]


@pytest.mark.parametrize("scenario", ["A wrong API key makes the POS show an error", "The API version is hard-coded"])
def test_what_no_run_can_see_is_left_to_the_uat(scenario: str) -> None:
    version = check("registration.version-is-the-documented-one", transport="dojo")
    found = rows([version])[scenario]

    assert found.word == "To be shown in the UAT"
    assert found.remark is not None
    assert "show" in found.remark


def test_a_journey_has_its_steps_and_both_transports() -> None:
    steps = [step("the order is found"), step("it is paid")]
    wrong = [step("the order is found"), step("it is paid", "violates")]
    found = rows([
        check("journeys.qr-by-table", steps=steps),
        check("journeys.qr-by-table", "violates", "step 2, 'it is paid', went wrong", "ws", steps=wrong),
    ])["QR Pay by table"]

    assert [(each.name, each.kind) for each in found.steps] == [
        ("the order is found", "kept"),
        ("it is paid", "violated"),
    ]
    assert found.state == "broken"
    assert [each.word for each in found.observed] == ["kept", "broken"]


def test_a_journey_that_needs_more_than_is_offered_says_what() -> None:
    message = "QR Pay by table needs SearchTables, which isn't offered"
    found = rows([check("journeys.qr-by-table", "not-offered", message)])["QR Pay by table"]

    assert (found.state, found.remark) == ("absent", message)


def test_a_flow_tells_each_step_once_but_for_those_that_went_wrong() -> None:
    steps = [
        step("SearchTables is answered over REST"),
        step("SearchTables is answered over WebSocket"),
        step("It satisfies the contract over REST"),
        step("It satisfies the contract over WebSocket", "violates"),
    ]
    found = rows([check("flows.ends-in-success", "violates", "x", "dojo", case="Search Tables", steps=steps)])

    assert [(each.name, each.kind) for each in found["Search Tables"].steps] == [
        ("SearchTables is answered", "kept"),
        ("It satisfies the contract", "kept"),
        ("It satisfies the contract over WebSocket", "violated"),
    ]


def test_the_states_of_all_rows_are_counted() -> None:
    found = document([check("journeys.qr-by-table"), check("journeys.bookings")])
    told = checklist.told(checklist.parts(found, {}))

    assert told.startswith("2 shown by the run, 2 recorded, ")
    assert told.endswith(" to be shown in the UAT")


def test_a_tool_with_flows_without_end_does_not_fill_the_page() -> None:
    flows = [check("flows.ends-in-success", transport="dojo", case=f"flow {number}") for number in range(500)]

    assert len([each for each in rows(flows) if each.startswith("flow ")]) == 200
