"""
Which checks a run has to have, without asking pytest: the same that pytest collects.
"""

from __future__ import annotations

import re

from pathlib import Path

import pytest

from epos_conformance import _certificate, _checks, _expected, _rules, _suite
from epos_conformance._checks import DOJO

from .support import run_suite


@pytest.mark.parametrize(
    ("arguments", "transports"),
    [
        (["--partner-url=http://till.example"], ("rest",)),
        (["--partner-ws=127.0.0.1:0"], ("ws",)),
        (["--partner-url=reference"], ("rest", "ws")),
    ],
)
def test_what_is_expected_is_what_pytest_collects(
    arguments: list[str], transports: tuple[str, ...], tmp_path: Path
) -> None:
    run = run_suite(tmp_path, *arguments, "--collect-only", "-q")
    collected = re.findall(r"::test_\w+\[(.+)\]$", run.output, re.MULTILINE)
    assert len(collected) > 600
    assert len({*collected}) == len(collected)
    assert {*collected} == _expected.names(transports)


def test_the_flows_of_a_run_are_expected_each_by_its_name(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--partner-url=reference", "--dojo-api=sandbox", "-k", "ListAreas or registration")
    document = run.certificate
    flows = document["dojo"]["flows"]
    expected = _expected.names(document["partner"]["transports"], flows)
    there = {_certificate.result(each).name for each in document["checks"]}
    assert there < expected
    assert len(there) + document["selection"]["deselected"] == len(expected)
    assert len(flows) > 20
    assert {f"dojo-flows.ends-in-success@{each}" for each in flows} < expected
    assert "dojo-flows.ends-in-success" not in expected


def test_flows_of_one_name_are_told_apart_as_in_a_run() -> None:
    flows = [each for each in _expected.names(["rest"], ["Pay\n[1]", "Pay\n[1]"]) if "flows." in each]
    assert sorted(flows) == ["dojo-flows.ends-in-success@Pay_1_", "dojo-flows.ends-in-success@Pay_1_ 2"]


def test_where_there_are_no_flows_their_rule_is_expected_once() -> None:
    assert [each for each in _expected.names(["ws"]) if "flows." in each] == ["dojo-flows.ends-in-success"]


def test_every_rule_that_is_not_pending_is_expected() -> None:
    examined = {each.rule.id for each in _expected.examinations(("rest", "ws")).values()}
    pending = (_suite.CHECKS / "pending.txt").read_text("utf-8").split()
    templates = {each.template for id, each in _rules.rules().items() if id not in examined}
    assert templates <= {*pending}


def test_a_check_is_expected_over_its_own_transport_only() -> None:
    found = _expected.examinations(("rest", "ws"))
    assert "rest-rest.accepts-a-charset" in found
    assert "ws-rest.accepts-a-charset" not in found
    assert all(each.rule.transport in (None, each.transport) for each in found.values())
    assert {each.transport for each in _expected.examinations(("ws",)).values()} == {"ws", DOJO}


def test_asking_what_is_expected_leaves_no_declarations_behind() -> None:
    before = {*_checks._DECLARED}
    _expected._marks.cache_clear()
    _expected.names(["rest"])
    assert before == _checks._DECLARED


def test_asking_what_is_expected_costs_a_run_nothing_of_its_checks(tmp_path: Path) -> None:
    """Asked before pytest imports the checks, as a plugin would, they can be imported by pytest all the same."""
    (tmp_path / "conftest.py").write_text(
        "from epos_conformance import _expected\n"
        "def pytest_sessionstart():\n"
        "    assert len(_expected.names(['rest'])) > 600\n",
        encoding="utf-8",
    )
    run = run_suite(tmp_path, "--partner-url=http://till.example", "--collect-only", "-q", "-p", "conftest",
                    environment={"PYTHONPATH": f"{tmp_path}:{Path(_checks.__file__).parents[1]}"})  # fmt: skip
    assert run.status == 0, run.output
    assert len(re.findall(r"::test_\w+\[", run.output)) == len(_expected.names(["rest"]))
