"""
Allure shows each result by its rule: whose doing it is, how much it matters, and where the rule comes from.
"""

from __future__ import annotations

import hashlib
import json

from pathlib import Path
from typing import Any

import pytest

from allure_commons import model2

from epos_conformance import _allure, _rules
from epos_conformance.reference import faults, launch
from epos_conformance.verdict import Level, Outcome

from .support import Run, run_suite
from .test_verdict import result


RESULTS = Path("reports") / "allure-results"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """
    A run that ends in every way: areas in order, a party that can't be made, an order that isn't there, plain errors.
    """
    _, shell = faults.build(["unknown-paths-are-plain"], ["empty-venue"])
    folder = tmp_path_factory.mktemp("allure")
    (folder / RESULTS).mkdir(parents=True)
    (folder / RESULTS / "old-result.json").write_text("{}", encoding="utf-8")
    with launch.in_thread(shell) as running:
        return run_suite(
            folder,
            f"--partner-url={running.url}",
            f"--partner-auth={running.auth}",
            "--capabilities=ListAreas,GetOrderById",
            "-kListAreas or GetOrderById.answer or CreateParty.answer or rest.unknown-path",
        )


@pytest.fixture(scope="module")
def results(run: Run) -> dict[str, dict[str, Any]]:
    """Allure's results by their full names."""
    found = [json.loads(path.read_text("utf-8")) for path in (run.folder / RESULTS).glob("*-result.json")]
    return {each["fullName"]: each for each in found}


def labels(found: dict[str, Any], name: str) -> list[str]:
    return [each["value"] for each in found["labels"] if each["name"] == name]


def of(run: Run, outcome: str) -> dict[str, Any]:
    """A check of the certificate that ended so."""
    return run.checks(outcome)[0]


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - as Allure makes its ids


def identity(check: dict[str, Any]) -> str:
    return str(check["id"]) + (f"@{check['case']}" if "case" in check else "")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("conforms", "passed"), ("violates", "failed"), ("inconclusive", "broken"), ("not-offered", "skipped")],
)
def test_a_status_says_whose_doing_it_is(
    outcome: str, status: str, run: Run, results: dict[str, dict[str, Any]]
) -> None:
    checks = run.checks(outcome)
    assert checks
    for check in checks:
        found = results[f"rest: {identity(check)}"]
        assert found["status"] == status
        assert labels(found, "outcome") == [outcome]
        if outcome != "conforms":
            assert found["statusDetails"]["message"] == check["message"]
            assert check["sentence"] in found["statusDetails"]["trace"]


def test_each_check_is_one_result_and_nothing_else_is_written(run: Run, results: dict[str, dict[str, Any]]) -> None:
    assert set(results) == {f"rest: {identity(each)}" for each in run.certificate["checks"]}
    kinds = {path.name.rpartition("-")[2] for path in (run.folder / RESULTS).iterdir()}
    assert kinds == {"result.json", "attachment.txt"}
    assert not (run.folder / RESULTS / "old-result.json").exists()


def test_a_result_is_known_by_its_rule(run: Run, results: dict[str, dict[str, Any]]) -> None:
    check = of(run, "inconclusive")
    found, rule = results[f"rest: {identity(check)}"], _rules.rules()[check["id"]]
    assert found["name"] == identity(check) == f"{check['id']}@{check['case']}"
    assert found["testCaseId"] == md5(identity(check))
    assert found["historyId"] == md5(found["fullName"])
    assert found["description"] == rule.sentence
    assert found["titlePath"] == [rule.page, rule.capability]
    assert found["parameters"] == [{"name": "transport", "value": "rest"}, {"name": "case", "value": check["case"]}]
    for name, value in {
        "epic": rule.page,
        "feature": rule.capability,
        "story": rule.id,
        "parentSuite": rule.page,
        "suite": rule.capability,
        "subSuite": rule.id,
    }.items():
        assert labels(found, name) == [value]
    assert labels(found, "tag") == [str(rule.level), str(rule.basis)]
    assert not labels(found, "package")


def test_a_rule_of_the_transport_is_filed_under_it(results: dict[str, dict[str, Any]]) -> None:
    found = results["rest: rest.unknown-path-is-not-found"]
    assert (labels(found, "feature"), found["titlePath"]) == (["rest"], ["rest", "rest"])


def test_links_lead_to_where_the_rule_comes_from(run: Run, results: dict[str, dict[str, Any]]) -> None:
    for check in run.certificate["checks"]:
        rule = _rules.rules()[check["id"]]
        assert [(each["url"], each["name"]) for each in results[f"rest: {identity(check)}"]["links"]] == [
            (_rules.sources()[each.partition(": ")[0]]["url"], _rules.cite(each)) for each in rule.sources
        ]
        assert rule.sources


def test_severities_follow_the_levels(run: Run, results: dict[str, dict[str, Any]]) -> None:
    seen = set()
    for check in run.certificate["checks"]:
        (severity,) = labels(results[f"rest: {identity(check)}"], "severity")
        assert severity == {"must": "critical", "should": "minor", "info": "trivial"}[check["level"]]
        seen.add(severity)
    assert len(seen) > 1
    assert set(_allure.SEVERITIES) == set(Level)


def test_the_conversation_is_attached(run: Run, results: dict[str, dict[str, Any]]) -> None:
    def attached(outcome: str) -> list[tuple[str, str]]:
        found = results[f"rest: {identity(of(run, outcome))}"]
        return [
            (each["name"], (run.folder / RESULTS / each["source"]).read_text("utf-8"))
            for each in found.get("attachments", ())
        ]

    assert [name for name, _ in attached("conforms")] == ["exchanges"]
    (name, text), *_ = attached("violates")
    assert " -> 404" in name
    assert "replay: curl" in text
    assert attached("not-offered") == []
    written = "".join(path.read_text("utf-8") for path in (run.folder / RESULTS).iterdir())
    assert "reference" not in written.replace("not-offered", "")
    assert "ZG9qbzpyZWZlcmVuY2U=" not in written


@pytest.mark.parametrize(
    ("outcome", "message", "details"),
    [
        (Outcome.CONFORMS, "", None),
        (Outcome.CONFORMS, "0.1 s", ("0.1 s", None)),
        (Outcome.VIOLATES, "broken", ("broken", "trace")),
        (Outcome.INCONCLUSIVE, "unknown", ("unknown", "trace")),
        (Outcome.NOT_OFFERED, "absent", ("absent", "trace")),
    ],
)
def test_details_replace_those_of_pytest(
    outcome: Outcome, message: str, details: tuple[str, str | None] | None
) -> None:
    theirs = model2.TestResult()
    theirs.status, theirs.statusDetails = model2.Status.UNKNOWN, "a traceback"
    _allure._state(theirs, result(outcome, message=message))
    if details is None:
        assert theirs.statusDetails is None
        return
    assert theirs.statusDetails.message == details[0]
    assert (theirs.statusDetails.trace is not None) is (details[1] is not None)


def test_the_writer_leaves_containers_out(tmp_path: Path) -> None:
    writer = _allure._Results(str(tmp_path))  # type: ignore[no-untyped-call]
    writer.report_container(object())
    assert list(tmp_path.iterdir()) == []
