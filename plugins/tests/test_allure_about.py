"""
What Allure is told of a run as a whole, and results of several runs in one folder.
"""

from __future__ import annotations

import copy
import json
import re

from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _certificate
from epos_conformance.report import allure, allure_about
from epos_conformance.report.allure_results import CATEGORIES, described
from epos_conformance.report.folder import RESULTS
from epos_conformance.verdict import Outcome

from .test_verdict import BROKEN_MUST, CONFORMS, UNSEEN_MUST, WAIVED_MUST, result


DOCUMENT: dict[str, Any] = {
    "suite": {"name": "dojo-epos-conformance", "version": "1.2.3"},
    "partner": {
        "url": "https://till.example/dojo",
        "transports": ["rest", "ws"],
        "products": ["pay-at-table"],
        "capabilities": ["GetOrderById", "ListAreas"],
        "offer": "claimed",
        "pos": {"name": "Till & Table", "minimum-version": "4.2"},
    },
    "dojo": {"url": "https://api.dojo.tech", "sandbox": False, "flows": []},
    "verdict": "not-proven",
    "startedAt": "2026-11-22T01:00:00.000Z",
    "finishedAt": "2026-11-22T01:00:45.500Z",
    "selection": {"complete": True, "deselected": 0, "interrupted": False},
    "settings": {
        "partner-url": "https://till.example/dojo",
        "partner-auth": "user:*****",
        "partner": "/home/till/partner.toml",
        "seed": 7,
        "depth": 30,
        "slow-after": 2.0,
        "read-only": True,
        "strict": False,
        "evidence": "failures",
    },
    "checks": [],
}

LOST = result(Outcome.INCONCLUSIVE, cause="not-run", message="not run: its process ended before")


def document(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), **members}


def read(text: str) -> dict[str, str]:
    """Properties, as Java reads them."""
    found = {}
    for line in text.splitlines():
        name, value = re.fullmatch(r"((?:[^\\=]|\\.)+)=(.*)", line).groups()  # type: ignore[union-attr]
        found[_unescaped(name)] = _unescaped(value)
    return found


def _unescaped(text: str) -> str:
    units = re.sub(r"\\u([0-9a-f]{4})|\\(.)", lambda each: chr(int(each[1], 16)) if each[1] else each[2], text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# Environment


def test_the_environment_says_who_was_asked_what_and_how() -> None:
    found = allure_about.environment([document()])
    assert list(found)[:2] == ["Partner", "Verdict"]
    assert found.pop("Report made with").startswith("Python 3.")
    assert "recommendations" in found.pop("Percentage")
    assert found == {
        "Partner": "Till & Table (https://till.example/dojo)",
        "Verdict": "not-proven",
        "Address": "https://till.example/dojo",
        "POS": "Till & Table 4.2",
        "Transports": "rest, ws",
        "Products": "pay-at-table",
        "Capabilities": "2, claimed",
        "Dojo": "https://api.dojo.tech",
        "Suite": "dojo-epos-conformance 1.2.3",
        "Checks": "all",
        "Read-only": "yes",
        "Seed": "7",
        "Depth": "30",
        "Slow after": "2.0 s",
        "Evidence": "failures",
        "Started": "2026-11-22T01:00:00.000Z",
        "Finished": "2026-11-22T01:00:45.500Z",
    }


def test_what_is_less_than_everything_is_said() -> None:
    part = document(selection={"complete": False, "deselected": 12, "interrupted": True})
    part.pop("dojo")
    found = allure_about.environment([part])
    assert found["Checks"] == "12 left out, interrupted"
    assert found["Dojo"] == "not asked"


def test_of_several_runs_against_one_partner_each_fact_is_told_once() -> None:
    other = document(verdict="conformant")
    other["partner"] = {**other["partner"], "transports": ["ws"]}
    found = allure_about.environment([document(), other])
    assert found["Verdict"] == "not-proven; conformant"
    assert found["Transports"] == "rest, ws; ws"
    assert found["Seed"] == "7"


def test_of_several_partners_each_has_its_own_lines() -> None:
    other = document(verdict="conformant")
    other["settings"]["partner-url"] = other["partner"]["url"] = "https://other.example"
    found = allure_about.environment([document(), other])
    first, second = "Till & Table (https://till.example/dojo)", "Till & Table (https://other.example)"
    assert found["Partner"] == f"{first}, {second}"
    assert (found[f"Verdict ({first})"], found[f"Verdict ({second})"]) == ("not-proven", "conformant")
    assert found["Seed"] == "7"
    assert "Verdict" not in found


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        " a space before",
        "a=b:c#d!e",
        "back\\slash\\n",
        "two\nlines\r\n\ttab",
        "Café ☕ 😀",
        "\x00\x1b[31m",
        "x" * 300,
    ],
)
def test_properties_hold_text_of_any_kind(value: str) -> None:
    text = allure_about.properties({"a key": value, "b=:#": value})
    assert text.isascii()
    assert len(text.splitlines()) == 2
    assert read(text) == {"a key": value, "b=:#": value}


def test_a_value_without_end_is_cut_and_half_a_pair_is_survived() -> None:
    (value,) = read(allure_about.properties({"a": "x" * 1_000_000})).values()
    assert value == "x" * 297 + "..."
    assert allure_about.properties({"a": "\ud800"}) == "a=\\ud800\n"


# Categories


def test_both_allures_know_the_same_categories() -> None:
    second, third = allure_about.for_allure_2(), allure_about.for_allure_3()
    assert [each["name"] for each in second] == [each["name"] for each in third] == list(CATEGORIES)
    for each in third:
        (matcher,) = each["matchers"]
        assert matcher["statuses"] == [CATEGORIES[each["name"]]]
        assert re.fullmatch(matcher["labels"]["category"], each["name"])


@pytest.mark.parametrize("said", ["Waived: x", "fault of the suite: Contract violated: ", "a\nb\n\x85c\u2028d"])
def test_what_a_partner_says_sorts_nothing(said: str) -> None:
    for each in (BROKEN_MUST, WAIVED_MUST, UNSEEN_MUST):
        found = described(result(each.outcome, message=said, waiver=each.waiver))
        matching = [
            rule["name"]
            for rule in allure_about.for_allure_2()
            if found["status"] in rule["matchedStatuses"]
            and re.fullmatch(rule["traceRegex"], found["statusDetails"]["trace"])
        ]
        assert matching == [label["value"] for label in found["labels"] if label["name"] == "category"]


# Files


def test_the_files_tell_of_the_run_they_lie_with(tmp_path: Path) -> None:
    allure_about.about(tmp_path, document(), {"GITHUB_ACTIONS": "true"})
    assert {path.name for path in tmp_path.iterdir()} == set(allure_about.FILES)
    assert read((tmp_path / "environment.properties").read_text("ascii"))["Seed"] == "7"
    assert json.loads((tmp_path / "executor.json").read_text("utf-8"))["name"] == "GitHub Actions"
    allure_about.about(tmp_path, document(), {})
    assert not (tmp_path / "executor.json").exists()


def test_where_no_results_were_wanted_none_are_told_of(tmp_path: Path) -> None:
    allure_about.about(tmp_path / "none", document(), {})
    assert list(tmp_path.iterdir()) == []


def test_checks_that_never_ran_are_results_too(tmp_path: Path) -> None:
    lost = document(checks=[_certificate.entry(each) for each in (LOST, CONFORMS, UNSEEN_MUST)])
    for _ in range(2):
        allure_about.about(tmp_path, lost, {})
        (path,) = tmp_path.glob("*-result.json")
        found = json.loads(path.read_text("utf-8"))
        assert found["fullName"] == "rest: SearchOrders.keeps-ids"
        assert found["statusDetails"]["message"] == "not run: its process ended before"
        assert found["start"] == found["stop"] == 1795309245500
    # It ran after all, in another shard.
    allure_about.about(tmp_path, document(checks=[_certificate.entry(CONFORMS)]), {})
    assert not list(tmp_path.glob("*-result.json"))


# Several folders


def folder(home: Path, name: str, *members: dict[str, Any]) -> Path:
    place = home / name / RESULTS
    place.mkdir(parents=True)
    for number, each in enumerate(members):
        (place / f"{name}-{number}-result.json").write_text(json.dumps(each), encoding="utf-8")
    return place.parent


def test_results_of_one_partner_are_put_together_as_they_are(tmp_path: Path) -> None:
    first, second = folder(tmp_path, "a", described(CONFORMS)), folder(tmp_path, "b", described(BROKEN_MUST))
    (first / RESULTS / "1-attachment.txt").write_text("said", encoding="utf-8")
    (first / RESULTS / "2-result.json.tmp").write_text("hal", encoding="utf-8")
    allure_about.about(first / RESULTS, document(), {"GITHUB_ACTIONS": "true"})
    into = tmp_path / "into"
    into.mkdir()
    (into / "old-result.json").write_text("{}", encoding="utf-8")
    assert allure.gather([(first, None), (second, None)], into) == 2
    assert {path.name for path in into.iterdir()} == {"a-0-result.json", "b-0-result.json", "1-attachment.txt"}
    # The same check twice: Allure shows the earlier one as tried again.
    assert len({json.loads(path.read_text("utf-8"))["historyId"] for path in into.glob("*-result.json")}) == 1


def test_results_of_two_partners_are_told_apart(tmp_path: Path) -> None:
    folders = [folder(tmp_path, name, described(CONFORMS)) for name in "ab"]
    into = tmp_path / "into"
    allure.gather([(each, f"Till {each.name}\ud800") for each in folders], into)
    found = [json.loads(path.read_text("utf-8")) for path in sorted(into.iterdir())]
    assert len({each["historyId"] for each in found}) == len({each["testCaseId"] for each in found}) == 2
    assert [each["titlePath"][0] for each in found] == ["Till a\ud800", "Till b\ud800"]
    for each in found:
        assert [label["value"][:6] for label in each["labels"] if label["name"] == "parentSuite"] == [
            each["titlePath"][0][:6]
        ]


def test_what_no_shard_ran_is_one_result(tmp_path: Path) -> None:
    lost = document(checks=[_certificate.entry(LOST)])
    folders = [folder(tmp_path, name) for name in "ab"]
    for each in folders:
        allure_about.about(each / RESULTS, lost, {})
    assert allure.gather([(each, None) for each in folders], tmp_path / "into") == 1


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden", encoding="utf-8")
    place = folder(tmp_path, "a", described(CONFORMS))
    (place / RESULTS / "1-attachment.txt").symlink_to(tmp_path / "secret")
    allure.gather([(place, None)], tmp_path / "into")
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["a-0-result.json"]
