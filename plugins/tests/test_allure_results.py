"""
A result as Allure is told of it, from values alone.
"""

from __future__ import annotations

import pytest

from epos_conformance.report import allure_results
from epos_conformance.report.allure_results import CATEGORIES, SEVERITIES, STATUSES, category, described
from epos_conformance.verdict import Level, Outcome, Result

from .test_verdict import (
    BROKEN_INFO,
    BROKEN_MUST,
    BROKEN_SHOULD,
    CONFORMS,
    NOT_OFFERED,
    UNSEEN_MUST,
    WAIVED_MUST,
    WAIVED_SHOULD,
    result,
)


def unseen(cause: str | None, level: Level = Level.MUST) -> Result:
    return result(Outcome.INCONCLUSIVE, level, cause=cause)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (CONFORMS, None),
        (NOT_OFFERED, None),
        (BROKEN_MUST, "Contract violated"),
        (BROKEN_SHOULD, "Recommendation"),
        (BROKEN_INFO, "Recommendation"),
        (WAIVED_MUST, "Waived"),
        (WAIVED_SHOULD, "Waived"),
        (UNSEEN_MUST, "Inconclusive"),
        (unseen("data"), "Inconclusive"),
        (unseen("credentials"), "Inconclusive"),
        (unseen("not-run"), "Inconclusive"),
        (unseen("unreachable"), "Partner unreachable"),
        (unseen("unreachable", Level.INFO), "Partner unreachable"),
        (unseen("suite"), "Fault of the suite"),
    ],
)
def test_a_category_says_whose_turn_it_is(told: Result, expected: str | None) -> None:
    assert category(told) == expected
    found = described(told)
    labels = [each["value"] for each in found["labels"] if each["name"] == "category"]
    assert labels == ([expected] if expected else [])
    if expected:
        assert found["status"] == CATEGORIES[expected]
        assert found["statusDetails"]["trace"].startswith(f"{expected}: SearchOrders.keeps-ids over rest")


def test_every_outcome_and_level_is_known() -> None:
    assert set(STATUSES) == set(Outcome)
    assert set(SEVERITIES) == set(Level)


@pytest.mark.parametrize(
    ("outcome", "message", "details"),
    [
        (Outcome.CONFORMS, "", None),
        (Outcome.CONFORMS, "0.1 s", ("0.1 s", None)),
        (Outcome.VIOLATES, "broken", ("broken", "Contract violated: SearchOrders.keeps-ids over rest")),
        (Outcome.INCONCLUSIVE, "unknown", ("unknown", "Inconclusive: SearchOrders.keeps-ids over rest")),
        (Outcome.NOT_OFFERED, "absent", ("absent", "SearchOrders.keeps-ids over rest")),
    ],
)
def test_what_is_kept_needs_no_explanation(
    outcome: Outcome, message: str, details: tuple[str, str | None] | None
) -> None:
    found = described(result(outcome, message=message))["statusDetails"]
    if details is None:
        assert found is None
        return
    assert found["message"] == details[0]
    assert found.get("trace", "").startswith(details[1] or "")
    assert ("trace" in found) is (details[1] is not None)


def test_a_rule_over_each_transport_has_a_history_of_its_own() -> None:
    rest, ws = described(BROKEN_MUST), described(result(Outcome.VIOLATES, transport="ws"))
    assert rest["testCaseId"] == ws["testCaseId"]
    assert rest["historyId"] != ws["historyId"]
    assert rest["name"] != ws["name"]
    assert described(CONFORMS)["historyId"] == rest["historyId"]


def test_text_without_end_is_cut() -> None:
    found = described(result(Outcome.VIOLATES, message="x" * 1_000_000))["statusDetails"]
    assert len(found["message"]) < 21_000
    assert len(found["trace"]) < 21_000
    assert "characters more" in found["message"]


def test_names_of_any_kind_have_an_identity() -> None:
    assert described(result(Outcome.CONFORMS, case="\ud800"))["historyId"]
    assert allure_results.described(result(Outcome.CONFORMS, case="a"))["parameters"] == [
        {"name": "transport", "value": "rest"},
        {"name": "case", "value": "a"},
    ]
