"""
Several runs as one: what the union of their checks amounts to, and what the summary says of it.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from epos_conformance import _suite
from epos_conformance.report import merging, summary
from epos_conformance.report.cli import main
from epos_conformance.report.reading import BadReport

from .support import run_suite


SCHEMA = _suite.read_json(_suite.REPORTS / "certificate.schema.json")


#: Every check is in one of them.
SHARDS = {
    "one": "must and not ws",
    "two": "not must and not ws",
    "three": "must and ws",
    "four": "not must and ws",
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four shards of a run and the whole of it, each in a folder."""
    folder = tmp_path_factory.mktemp("shards")
    for name, chosen in {**SHARDS, "whole": ""}.items():
        arguments = ["-m", chosen] if chosen else []
        run = run_suite(
            folder,
            "--partner-url=reference",
            "--capabilities=ListAreas,SearchTables",
            f"--reports={folder / name}",
            "-q",
            *arguments,
        )
        assert run.status == 0, run.output
    return folder


@pytest.fixture
def whole(shards: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shards / "whole" / "certificate.json").read_text("utf-8"))
    return found


def violating(document: dict[str, Any], id: str, message: str = "at $: expected a, saw b") -> dict[str, Any]:
    """*document* with a must that is violated."""
    found = copy.deepcopy(document)
    (check, *_) = [each for each in found["checks"] if each["id"] == id]
    check.update(outcome="violates", message=message)
    return found


#: Seconds and ids that the suite or the EPOS make up.
_MADE_UP = re.compile(r"[\d.]+|[0-9a-f]{8,}|[a-z]{3}-[a-z0-9]+")


def but_for_times(document: dict[str, Any]) -> dict[str, Any]:
    """*document* without what differs from run to run of the same EPOS: times, its port, the folder of the results."""
    found = copy.deepcopy(document)
    for name in ("startedAt", "finishedAt"):
        del found[name]
    del found["settings"]["reports"], found["partner"]["url"]
    for check in found["checks"]:
        del check["duration"]
        check["message"] = _MADE_UP.sub("…", check["message"])
        check["exchanges"] = [(each["capability"], each["transport"]) for each in check["exchanges"]]
    found["notes"] = [_MADE_UP.sub("…", each) for each in found["notes"]]
    return found


def test_four_shards_are_the_whole_run_but_for_times(shards: Path, whole: dict[str, Any], tmp_path: Path) -> None:
    assert main(["merge", *(str(shards / name) for name in SHARDS), "--into", str(tmp_path)]) == 0

    found = json.loads((tmp_path / "certificate.json").read_text("utf-8"))
    jsonschema.validate(found, SCHEMA)
    assert but_for_times(found) == but_for_times(whole)
    results = [each for each in (tmp_path / "allure-results").iterdir() if each.name.endswith("-result.json")]
    assert len(results) == len(whole["checks"])
    assert (tmp_path / "certificate.html").is_file()


def test_one_shard_alone_is_not_complete(shards: Path) -> None:
    document = json.loads((shards / "one" / "certificate.json").read_text("utf-8"))
    found = merging.merged([document, document])

    assert not found["selection"]["complete"]
    assert found["selection"]["deselected"] == document["selection"]["deselected"]


def test_what_one_run_violates_is_violated(whole: dict[str, Any]) -> None:
    worse = violating(whole, "ListAreas.ids-are-unique")
    for order in ([whole, worse], [worse, whole]):
        found = merging.merged(order)
        assert found["verdict"] == "not-conformant"
        assert found["counts"]["violates"] == 1
        (areas,) = [each for each in found["capabilities"] if each["name"] == "ListAreas"]
        assert areas["verdict"] == "not-conformant"


def test_what_was_examined_counts_more_than_what_was_not(whole: dict[str, Any]) -> None:
    lacking = copy.deepcopy(whole)
    lacking["checks"][0].update(outcome="inconclusive", message="no test data", cause="data")

    assert merging.merged([lacking, whole])["verdict"] == "conformant"


def test_runs_of_two_partners_or_suites_do_not_add_up(whole: dict[str, Any]) -> None:
    other = copy.deepcopy(whole)
    other["settings"]["partner-url"] = "https://other.example"
    with pytest.raises(BadReport, match="two partners"):
        merging.merged([whole, other])
    newer = copy.deepcopy(whole)
    newer["suite"]["version"] = "99"
    with pytest.raises(BadReport, match="different versions"):
        merging.merged([whole, newer])


def test_partners_are_kept_apart(shards: Path, whole: dict[str, Any], tmp_path: Path) -> None:
    """Each has a certificate of its own, and Allure doesn't take one for a retry of the other."""
    other = tmp_path / "in" / "other"
    (other / "allure-results").mkdir(parents=True)
    named = {**whole, "partner": {**whole["partner"], "pos": {"name": "Till | 9"}}}
    (other / "certificate.json").write_text(json.dumps(named), encoding="utf-8")
    for each in (shards / "whole" / "allure-results").glob("*-result.json"):
        (other / "allure-results" / f"0{each.name}").write_bytes(each.read_bytes())

    assert main(["merge", str(shards / "whole"), str(other), "--into", str(tmp_path / "out")]) == 0

    out = {each.name for each in (tmp_path / "out").iterdir()}
    assert out == {"allure-results", "index.html", "reference", "till-9-reference"}
    for name in ("reference", "till-9-reference"):
        assert (tmp_path / "out" / name / "certificate.html").is_file()
        assert f'href="{name}/certificate.html"' in (tmp_path / "out" / "index.html").read_text("utf-8")
    results = [json.loads(each.read_text("utf-8")) for each in (tmp_path / "out").glob("allure-results/*-result.json")]
    assert len({each["historyId"] for each in results}) == len(results) == 2 * len(whole["checks"])


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is not JSON"), ("[]", "is no certificate"), ('{"format": "x"}', "is no certificate of the format")],
)
def test_what_is_no_certificate_is_told_in_a_sentence(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "certificate.json").write_text(text, encoding="utf-8")

    assert main(["summary", str(tmp_path)]) == 4
    assert said in capsys.readouterr().err


def test_a_folder_without_a_certificate_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", str(tmp_path)]) == 4
    assert "there is no certificate.json" in capsys.readouterr().err


def test_the_summary_names_what_is_violated_and_fails(
    whole: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    worse = merging.merged([whole, violating(whole, "ListAreas.ids-are-unique", "at $[1].id: <script> | x")])
    (tmp_path / "certificate.json").write_text(json.dumps(worse), encoding="utf-8")

    assert main(["summary", str(tmp_path)]) == 1

    told = capsys.readouterr().out
    assert page.read_text("utf-8") == told
    assert "| reference | **not-conformant** |" in told
    assert "* `ListAreas.ids-are-unique` over rest: at $\\[1\\].id: \\<script\\>" in told


def test_the_summary_of_what_is_granted_is_short(whole: dict[str, Any]) -> None:
    text = summary.markdown([whole])

    assert summary.granted(whole)
    assert len(text.splitlines()) == 5


def test_the_command_runs_as_a_module(shards: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "epos_conformance.report", "summary", str(shards / "whole")],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(_suite.__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    assert "**conformant**" in done.stdout
