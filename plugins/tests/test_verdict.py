"""
What outcomes amount to: for a check, a capability, a product and a run.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance.verdict import (
    Basis,
    Finding,
    Level,
    Outcome,
    Result,
    Verdict,
    by_capability,
    counts,
    of_product,
    verdict,
)


WAIVER = {"reason": "agreed", "until": "2027-01-01"}


def result(outcome: Outcome, level: Level = Level.MUST, **more: Any) -> Result:
    return Result(**{
        "id": "SearchOrders.keeps-ids",
        "case": None,
        "capability": "SearchOrders",
        "page": "orders",
        "transport": "rest",
        "level": level,
        "basis": Basis.DOCUMENTED,
        "sentence": "Ids are kept.",
        "outcome": outcome,
        **more,
    })


CONFORMS = result(Outcome.CONFORMS)
NOT_OFFERED = result(Outcome.NOT_OFFERED)
BROKEN_MUST = result(Outcome.VIOLATES)
BROKEN_SHOULD = result(Outcome.VIOLATES, Level.SHOULD)
BROKEN_INFO = result(Outcome.VIOLATES, Level.INFO)
WAIVED_MUST = result(Outcome.VIOLATES, waiver=WAIVER)
WAIVED_SHOULD = result(Outcome.VIOLATES, Level.SHOULD, waiver=WAIVER)
UNSEEN_MUST = result(Outcome.INCONCLUSIVE)
UNSEEN_SHOULD = result(Outcome.INCONCLUSIVE, Level.SHOULD)
UNSEEN_INFO = result(Outcome.INCONCLUSIVE, Level.INFO)


# One result


@pytest.mark.parametrize("each", [CONFORMS, NOT_OFFERED, UNSEEN_MUST, BROKEN_SHOULD, BROKEN_INFO, WAIVED_MUST])
def test_only_a_must_that_is_violated_and_not_waived_refuses_the_certificate(each: Result) -> None:
    assert BROKEN_MUST.refuses
    assert not each.refuses


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        (CONFORMS, False),
        (NOT_OFFERED, False),
        (UNSEEN_SHOULD, False),
        (BROKEN_MUST, False),
        (BROKEN_SHOULD, True),
        (BROKEN_INFO, False),
        (WAIVED_MUST, True),
    ],
)
def test_a_recommendation_is_a_broken_should_or_a_waived_must(each: Result, expected: bool) -> None:
    assert each.recommends is expected


@pytest.mark.parametrize("each", [CONFORMS, NOT_OFFERED, UNSEEN_SHOULD, UNSEEN_INFO, BROKEN_MUST])
def test_only_a_must_that_was_not_seen_leaves_the_certificate_unproven(each: Result) -> None:
    assert UNSEEN_MUST.unproven
    assert not each.unproven


@pytest.mark.parametrize("outcome", [Outcome.CONFORMS, Outcome.NOT_OFFERED, Outcome.INCONCLUSIVE])
def test_only_a_violation_can_be_waived(outcome: Outcome) -> None:
    assert WAIVED_MUST.waived
    assert not result(outcome, waiver=WAIVER).waived


@pytest.mark.parametrize(
    ("case", "name"),
    [(None, "rest-SearchOrders.keeps-ids"), ("ListAreas", "rest-SearchOrders.keeps-ids@ListAreas")],
)
def test_a_result_is_named_by_transport_rule_and_case(case: str | None, name: str) -> None:
    assert result(Outcome.CONFORMS, case=case).name == name


def test_a_finding_says_where_it_is_and_what_was_expected_and_seen() -> None:
    assert str(Finding("status", "200", "500")) == "at status: expected 200, saw 500"


# Verdicts


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], Verdict.NOT_PROVEN),
        ([NOT_OFFERED], Verdict.NOT_PROVEN),
        ([UNSEEN_INFO, UNSEEN_SHOULD], Verdict.NOT_PROVEN),
        ([UNSEEN_SHOULD, NOT_OFFERED], Verdict.NOT_PROVEN),
        ([CONFORMS], Verdict.CONFORMANT),
        ([CONFORMS, NOT_OFFERED], Verdict.CONFORMANT),
        ([CONFORMS, BROKEN_INFO], Verdict.CONFORMANT),
        ([CONFORMS, UNSEEN_SHOULD], Verdict.CONFORMANT),
        ([CONFORMS, UNSEEN_INFO], Verdict.CONFORMANT),
        ([CONFORMS, BROKEN_SHOULD], Verdict.WITH_RECOMMENDATIONS),
        ([CONFORMS, WAIVED_MUST], Verdict.WITH_RECOMMENDATIONS),
        ([CONFORMS, UNSEEN_MUST], Verdict.NOT_PROVEN),
        ([CONFORMS, UNSEEN_MUST, BROKEN_SHOULD], Verdict.NOT_PROVEN),
        ([CONFORMS, UNSEEN_MUST, BROKEN_MUST], Verdict.NOT_CONFORMANT),
        ([BROKEN_MUST], Verdict.NOT_CONFORMANT),
    ],
    ids=lambda value: "-".join(f"{each.level}:{each.outcome}" for each in value) if isinstance(value, list) else None,
)
def test_the_worst_outcome_decides(results: list[Result], expected: Verdict) -> None:
    assert verdict(results) is expected
    assert verdict(reversed(results)) is expected


def test_verdicts_are_words_in_json() -> None:
    assert [str(each) for each in Verdict] == [
        "conformant",
        "conformant-with-recommendations",
        "not-conformant",
        "not-proven",
    ]


def test_results_are_counted_by_outcome_and_violations_by_level() -> None:
    results = [CONFORMS, CONFORMS, NOT_OFFERED, UNSEEN_MUST, BROKEN_MUST, BROKEN_SHOULD, BROKEN_INFO, WAIVED_MUST]
    assert counts(results) == {
        "conforms": 2,
        "violates": 4,
        "not-offered": 1,
        "inconclusive": 1,
        "recommendations": 1,
        "notes": 1,
        "waived": 1,
    }


def test_a_waived_violation_is_counted_once_beside_the_outcome() -> None:
    assert counts([WAIVED_SHOULD]) == {**counts([]), "violates": 1, "waived": 1}


def test_nothing_counts_as_nothing() -> None:
    assert set(counts([]).values()) == {0}


# Capabilities and products


def test_results_are_grouped_by_capability_in_their_order() -> None:
    lists = result(Outcome.VIOLATES, capability="ListAreas")
    whole = result(Outcome.CONFORMS, capability=None)
    assert by_capability([CONFORMS, lists, whole, BROKEN_MUST]) == {
        "SearchOrders": [CONFORMS, BROKEN_MUST],
        "ListAreas": [lists],
    }


MEMBERS = {"SearchOrders": "required", "GetOrderById": "required", "GetOrderBillById": "optional"}


def test_a_product_with_something_missing_has_no_verdict() -> None:
    found = of_product(MEMBERS, ["SearchOrders", "GetOrderBillById"], {"SearchOrders": [CONFORMS]})
    assert found == (None, ["GetOrderById"])


def test_a_product_is_judged_by_its_claimed_members_alone() -> None:
    results = {"SearchOrders": [CONFORMS], "GetOrderById": [BROKEN_SHOULD], "GetOrderBillById": [BROKEN_MUST]}
    claimed = ["SearchOrders", "GetOrderById"]
    assert of_product(MEMBERS, claimed, results) == (Verdict.WITH_RECOMMENDATIONS, [])
    assert of_product(MEMBERS, [*claimed, "GetOrderBillById"], results) == (Verdict.NOT_CONFORMANT, [])
    assert of_product(MEMBERS, [*claimed, "ListAreas"], {**results, "ListAreas": [BROKEN_MUST]}) == (
        Verdict.WITH_RECOMMENDATIONS,
        [],
    )


def test_a_product_of_which_nothing_was_examined_is_not_proven() -> None:
    assert of_product(MEMBERS, ["SearchOrders", "GetOrderById"], {}) == (Verdict.NOT_PROVEN, [])
