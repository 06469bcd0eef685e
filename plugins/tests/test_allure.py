"""
Allure shows each result by its rule: whose doing it is, how much it matters, and where the rule comes from.
"""

from __future__ import annotations

import hashlib
import json
import re

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from allure_commons import model2

from epos_conformance import _allure, _rules
from epos_conformance.reference import faults, launch
from epos_conformance.report.allure_results import CATEGORIES

from .support import Run, run_suite


RESULTS = Path("reports") / "allure-results"

WAIVER = """
[[waivers]]
rule = "rest.unknown-method-is-refused"
reason = "agreed"
until = 2999-12-31
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """
    A run that ends in every way: areas in order, a party that can't be made, an order that isn't there, plain errors, a
    door that stands open, and a violation that is waived.
    """
    _, shell = faults.build(
        ["unknown-paths-are-plain", "no-header-is-no-check", "unknown-methods-crash"], ["empty-venue"]
    )
    folder = tmp_path_factory.mktemp("allure")
    (folder / "partner.toml").write_text(WAIVER, encoding="utf-8")
    (folder / RESULTS).mkdir(parents=True)
    (folder / RESULTS / "old-result.json").write_text("{}", encoding="utf-8")
    with launch.in_thread(shell) as running:
        return run_suite(
            folder,
            f"--partner-url={running.url}",
            f"--partner-auth={running.auth}",
            "--capabilities=ListAreas,GetOrderById",
            "-kListAreas or GetOrderById.answer or CreateParty.answer or rest.unknown or rest.refuses-missing",
            environment={"GITLAB_CI": "true", "CI_PIPELINE_IID": "7", "GITHUB_ACTIONS": ""},
        )


@pytest.fixture(scope="module")
def results(run: Run) -> dict[str, dict[str, Any]]:
    """Allure's results by their full names."""
    return told(run)


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
    assert kinds == {"result.json", "attachment.txt", "environment.properties", "executor.json", "categories.json"}
    assert not (run.folder / RESULTS / "old-result.json").exists()


def test_a_result_is_known_by_its_rule(run: Run, results: dict[str, dict[str, Any]]) -> None:
    check = of(run, "inconclusive")
    found, rule = results[f"rest: {identity(check)}"], _rules.rules()[check["id"]]
    assert identity(check) == f"{check['id']}@{check['case']}"
    assert found["name"] == f"{identity(check)} over rest"
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
    assert labels(found, "tag") == [str(rule.level), str(rule.basis), "rest"]
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


def test_each_kind_of_trouble_has_its_category(run: Run, results: dict[str, dict[str, Any]]) -> None:
    """By label, as Allure 3 sorts, and by what is said, as Allure 2 does."""
    rules = json.loads((run.folder / RESULTS / "categories.json").read_text("utf-8"))
    sorted_into: dict[str, set[str]] = {}
    for check in run.certificate["checks"]:
        found = results[f"rest: {identity(check)}"]
        trace = found.get("statusDetails", {}).get("trace", "")
        told = [
            each["name"]
            for each in rules
            if found["status"] in each["matchedStatuses"] and re.fullmatch(each["traceRegex"], trace)
        ]
        assert told == labels(found, "category")
        sorted_into.setdefault(told[0] if told else check["outcome"], set()).add(check["id"])
    assert sorted_into["Contract violated"] == {"rest.refuses-missing-credentials"}
    assert sorted_into["Recommendation"] == {"rest.unknown-path-answers-an-epos-error"}
    assert sorted_into["Waived"] == {"rest.unknown-method-is-refused"}
    assert sorted_into["Inconclusive"] == run.rules("inconclusive")
    assert sorted_into["conforms"] >= run.rules("conforms") - run.rules("violates")
    assert [each["name"] for each in rules] == list(CATEGORIES)


def test_what_is_violated_shows_its_conversation_in_steps(run: Run, results: dict[str, dict[str, Any]]) -> None:
    check = of(run, "violates")
    found = results[f"rest: {identity(check)}"]
    assert len(found["steps"]) == len(check["exchanges"])
    for step, exchange in zip(found["steps"], check["exchanges"], strict=True):
        marked = "at fault: " if exchange.get("fault") else ""
        assert step["name"].startswith(f"{marked}{exchange['request']['method']} /v1/")
        assert step["status"] == ("failed" if marked else "passed")
        assert f" -> {exchange['answer']['status']}" in step["name"]
        assert step["stop"] >= step["start"] >= found["start"]
        (attachment,) = step["attachments"]
        assert (attachment["name"], attachment["type"]) == ("request and answer", "text/plain")
        text = (run.folder / RESULTS / attachment["source"]).read_text("utf-8")
        assert "replay: curl" in text
        assert text.startswith(f"> {exchange['request']['method']} ")
    assert [each["status"] for each in found["steps"]].count("failed") == 1


def test_what_is_kept_has_steps_and_no_attachments(run: Run, results: dict[str, dict[str, Any]]) -> None:
    for check in run.checks("conforms"):
        found = results[f"rest: {identity(check)}"]
        assert len(found["steps"]) == len(check["exchanges"]) > 0
        assert not any("attachments" in each for each in [found, *found["steps"]])
    for check in run.checks("not-offered"):
        assert "steps" not in results[f"rest: {identity(check)}"]


def test_no_credentials_are_written(run: Run) -> None:
    written = "".join(path.read_text("utf-8") for path in (run.folder / RESULTS).iterdir())
    assert "authorization: *****" in written.lower()
    assert "dojo:reference" not in written
    assert "ZG9qbzpyZWZlcmVuY2U=" not in written


def test_the_run_as_a_whole_is_told_of(run: Run) -> None:
    executor = json.loads((run.folder / RESULTS / "executor.json").read_text("utf-8"))
    assert (executor["name"], executor["type"], executor["buildOrder"]) == ("GitLab CI", "gitlab", 7)
    environment = (run.folder / RESULTS / "environment.properties").read_text("ascii")
    assert f"\nVerdict={run.certificate['verdict']}\n" in environment
    assert f"\nAddress={run.certificate['partner']['url']}\n" in environment


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that keeps everything, of a story and a check that is none, in two processes."""
    folder = tmp_path_factory.mktemp("whole")
    return run_suite(
        folder, "--partner-url=reference", "--evidence=all", "-n2", "-mrest", "-kListAreas.answer or journeys"
    )


def test_all_evidence_is_kept_where_it_is_asked_for(whole: Run) -> None:
    found = told(whole)["rest: ListAreas.answer-matches-schema@minimal"]
    assert found["status"] == "passed"
    (attachment,) = found["attachments"]
    text = (whole.folder / RESULTS / attachment["source"]).read_text("utf-8")
    assert text.startswith("> GET ")
    assert text.count("replay: curl") == len(found["steps"])


def test_a_story_has_its_own_steps_with_the_conversation_beside_them(whole: Run) -> None:
    stories = [each for each in whole.certificate["checks"] if each.get("steps") and each["exchanges"]]
    assert stories
    for check in stories:
        *steps, conversation = told(whole)[f"rest: {identity(check)}"]["steps"]
        assert [each["name"] for each in steps] == [each["name"] for each in check["steps"]]
        assert conversation["name"].startswith(f"the conversation: {len(check['exchanges'])} exchange")
        assert len(conversation["steps"]) == min(len(check["exchanges"]), 61)


def told(run: Run) -> dict[str, dict[str, Any]]:
    """Allure's results of *run* by their full names."""
    found = [json.loads(path.read_text("utf-8")) for path in (run.folder / RESULTS).glob("*-result.json")]
    return {each["fullName"]: each for each in found}


def test_a_partner_out_of_reach_has_a_category(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--partner-url=http://127.0.0.1:9", "--capabilities=ListAreas", "-kListAreas.answer")
    found = [*told(run).values()]
    assert found
    assert {tuple(labels(each, "category")) for each in found} == {("Partner unreachable",)}


class Told:
    """
    What a run is to the adapter.
    """

    def __init__(self, *results: Any, evidence: str = "failures") -> None:
        self.record = self.settings = self
        self.results = {each.name: each for each in results}
        self.evidence = evidence


def test_a_check_that_came_to_no_end_is_left_to_the_certificate(tmp_path: Path) -> None:
    adapter, writer = _allure._Adapter(Told()), _allure._Results(str(tmp_path))  # type: ignore[arg-type, no-untyped-call]
    adapter._current = SimpleNamespace(name="rest-x", partner=None)  # type: ignore[assignment]
    theirs = model2.TestResult(uuid="1", name="node id", status="skipped")
    adapter.report_result(theirs)
    writer.report_result(theirs)
    assert list(tmp_path.iterdir()) == []
    # What the suite knows nothing of is somebody else's test.
    writer.report_result(model2.TestResult(uuid="2", name="theirs"))
    assert [path.name.endswith("-result.json") for path in tmp_path.iterdir()] == [True]


def test_half_a_surrogate_pair_costs_nothing(tmp_path: Path) -> None:
    writer = _allure._Results(str(tmp_path))  # type: ignore[no-untyped-call]
    writer.report_result(model2.TestResult(uuid="1", name="\ud800", labels=[model2.Label("x", "\udfff")]))
    writer.report_attached_data("\ud800", "a-attachment.txt")
    (written,) = (json.loads(path.read_text("utf-8")) for path in tmp_path.glob("*-result.json"))
    assert written == {"uuid": "1", "name": "\ud800", "labels": [{"name": "x", "value": "\udfff"}]}
    assert (tmp_path / "a-attachment.txt").read_bytes() == b"\\ud800"


def test_the_writer_leaves_containers_out(tmp_path: Path) -> None:
    writer = _allure._Results(str(tmp_path))  # type: ignore[no-untyped-call]
    writer.report_container(object())
    assert list(tmp_path.iterdir()) == []
