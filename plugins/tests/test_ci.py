"""
GitHub shows what a run found where people look: beside the change, and on the page of the job.
"""

from __future__ import annotations

import re

from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _ci, _rules
from epos_conformance._certificate import build
from epos_conformance.report import summary
from epos_conformance.verdict import Level, Outcome, Result

from .support import run_suite
from .test_certificate import BROKEN, KEPT, of_rule, record
from .test_verdict import WAIVER


NOTED = next(id for id, each in _rules.rules().items() if each.level is Level.INFO)
RECOMMENDED = "SearchOrders.answers-promptly"


def certificate(*results: Result) -> dict[str, Any]:
    return build(record(*results), interrupted=False).document


def broken(message: str, **more: Any) -> Result:
    return of_rule(BROKEN, Outcome.VIOLATES, message=message, **more)


def test_a_violation_is_an_error_and_what_is_less_a_warning() -> None:
    found = certificate(
        broken("at status: expected 404, saw 500"),
        of_rule(RECOMMENDED, Outcome.VIOLATES, message="took 3 s"),
        of_rule(KEPT, Outcome.INCONCLUSIVE, message="no orders"),
        of_rule("ListAreas.answer-matches-schema"),
    )
    assert list(_ci.commands(found)) == [
        f"::error title={BROKEN} over rest::at status: expected 404, saw 500",
        f"::warning title={KEPT} over rest::no orders",
        f"::warning title={RECOMMENDED} over rest::took 3 s",
    ]


def test_a_rule_that_is_broken_over_both_transports_is_told_once() -> None:
    found = certificate(broken("x"), broken("x", transport="ws"))
    assert list(_ci.commands(found)) == [f"::error title={BROKEN} over rest and ws::x"]


def test_one_reason_is_told_once() -> None:
    """Where a partner is down nothing can be examined: ten times the same would say less."""
    ids = [id for id, each in _rules.rules().items() if each.level is Level.MUST][:40]
    found = certificate(*(of_rule(id, Outcome.INCONCLUSIVE, message="can't connect") for id in ids))
    first, *others = [each["id"] for each in found["checks"]]
    assert list(_ci.commands(found)) == [f"::warning title={first} over rest and 39 more rules::can't connect"]
    names = f"`{first}` over rest, `{others[0]}` over rest, `{others[1]}` over rest"
    assert f"### Not proven\n\n* {names} and 37 more: can't connect\n\n" in f"{summary.markdown([found])}\n"


def test_the_summary_has_no_end_of_reasons_left_out_silently() -> None:
    found = certificate(*(broken(f"message {number}", case=f"c{number}") for number in range(18)))
    text = summary.markdown([found])
    assert text.count(f"* `{BROKEN}` (c") == 15
    assert "\n* and 3 more\n" in text


def test_what_is_waived_or_noted_is_no_annotation() -> None:
    found = certificate(broken("x", waiver=WAIVER), of_rule(NOTED, Outcome.VIOLATES, message="x"))
    assert list(_ci.commands(found)) == []


def test_the_words_of_a_partner_are_no_command() -> None:
    found = certificate(broken("at $: saw x\n::set-output name=a::b\r100%"))
    (line,) = _ci.commands(found)
    assert line.endswith("::at $: saw x%0A::set-output name=a::b%0D100%25")


def test_no_more_is_told_than_github_shows() -> None:
    found = certificate(*(broken(f"message {number}", case=f"c{number}") for number in range(30)))
    lines = list(_ci.commands(found))
    assert len(lines) == 10
    (line,) = _ci.commands(certificate(broken("x" * 100_000)))
    assert len(line) < 1200


def test_elsewhere_nothing_is_told() -> None:
    said: list[str] = []
    _ci.tell(certificate(broken("x")), {}, said.append)
    _ci.tell(certificate(broken("x")), {"GITHUB_ACTIONS": "false"}, said.append)
    assert said == []


def test_the_summary_says_what_changed_the_worst_first() -> None:
    found = certificate(broken("x"))
    since = {"finishedAt": "2026-11-21T07:08:09.000Z", "verdict": "conformant", "suite": "1"}
    kinds = {KEPT: "fixed", BROKEN: "violated"}
    changes = [{"id": id, "kind": kind} for id, kind in kinds.items()]
    found["changes"] = {"since": since, "worse": True, "checks": changes}
    text = summary.markdown([found])
    assert f"### Since 2026-11-21\n\n* newly violated: `{BROKEN}`\n* fixed: `{KEPT}`\n" in text
    found["changes"]["checks"] = []
    assert "Since" not in summary.markdown([found])


def test_a_summary_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    _ci.tell(certificate(broken("x")), {"GITHUB_STEP_SUMMARY": str(tmp_path)}, said.append)
    assert said == ["the summary of the job could not be written: Is a directory"]


@pytest.mark.parametrize("arguments", [[], ["-q"], ["-n2"]])
def test_a_run_at_github_has_annotations_and_a_summary(arguments: list[str], tmp_path: Path) -> None:
    """A partner that is down: one must of each kind is enough to see."""
    page = tmp_path / "page.md"
    run = run_suite(
        tmp_path,
        "--partner-url=http://127.0.0.1:9",
        "--capabilities=ListAreas",
        "-k",
        "ListAreas.answer-matches",
        *arguments,
        environment={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)},
    )
    assert run.status == 1, run.output
    assert re.search(r"(?m)^::warning title=ListAreas.answer-matches-schema over rest::", run.output), run.output
    assert "**not-proven**" in page.read_text("utf-8")
