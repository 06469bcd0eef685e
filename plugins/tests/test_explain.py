"""
What ``--explain``, ``--list-rules`` and ``--list-capabilities`` print, without a partner.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import textwrap
import tomllib

from pathlib import Path
from typing import Any

import pytest

from epos_conformance import (
    _answering,
    _asked,
    _contracts,
    _explain,
    _lists,
    _rules,
    _samples,
    _scenes,
    _suite,
    _wholes,
    schema,
    venue,
)
from epos_conformance._contracts import Capability
from epos_conformance.journeys import JOURNEYS
from epos_conformance.reference import faults

from .support import CHECKOUT, run_suite


RULE = "SearchOrders.payable-only-narrows"


def rule(id: str) -> _rules.Rule:
    return _rules.rules()[id]


# One rule


def test_a_rule_is_explained_with_all_that_is_known_of_it() -> None:
    said = _explain.explain(RULE)

    assert said.startswith(f"{RULE}\n  must: breaking it refuses the certificate\n  documented:")
    assert "A search with payableOnly true answers only orders whose payable is true." in said
    assert "POST /v1/orders/search, payableOnly" in said
    assert "https://docs.dojo.tech/api" in said
    assert "> POST /v1/orders/search" in said
    assert '"payableOnly": true' in said
    assert '"method": "SearchOrdersV1"' in said
    assert faults.defects()["payable-only-shows-canceled"].summary in said
    assert "epos-reference serve --defect=payable-only-shows-canceled" in said
    assert faults.variants()["canceled-orders-are-archived"].summary in " ".join(said.split())
    assert f"-k {RULE}" in said
    assert f'rule = "{RULE}"' in said


def test_every_rule_can_be_explained() -> None:
    for each in _rules.rules().values():
        said = _explain.told(each)
        assert each.sentence in " ".join(said.split()), each.id
        assert "still to be written" not in said, each.id
        for line in said.splitlines():
            assert line == line.rstrip(), each.id
            assert len(line) <= 160, each.id


def test_the_waiver_that_is_shown_is_one() -> None:
    said = _explain.explain(RULE)
    shown = textwrap.dedent(said[said.index("  [[waivers]]") :])

    (waiver,) = tomllib.loads(shown)["waivers"]
    assert waiver["rule"] == RULE
    assert set(waiver) == {"rule", "reason", "until"}


def test_a_rule_that_is_held_against_nobody_needs_no_waiver() -> None:
    assert "waive" not in _explain.explain("CreateOrderLock.enforces-locks")


def test_contradictions_of_the_sources_are_told_with_what_the_suite_makes_of_them() -> None:
    said = " ".join(_explain.explain("CreateOrderLock.enforces-locks").split())

    (found,) = _asked.contradictions_of(rule("CreateOrderLock.enforces-locks"))
    assert found.id == "locks-that-need-not-lock"
    assert found.sentence in said
    assert f"Here: {found.decision}" in said
    assert not _asked.contradictions_of(rule(RULE))


@pytest.mark.parametrize(
    ("id", "error_type"),
    [
        (RULE, None),
        ("GetOrderById.unknown-id-is-not-found", "NotFound"),
        ("GetOrderById.errors-are-epos-errors", "NotFound"),
        ("CreateOrder.error-status-fits-its-type", "InvalidRequest"),
        ("RecordOrderPaymentById.refuses-a-fully-paid-order", "Conflict"),
        ("CreateOrder.missing-members-are-refused", "InvalidRequest"),
        ("CreateOrder.refused-requests-store-nothing", "InvalidRequest"),
        ("SearchOrders.refuses-a-limit-of-zero", "InvalidRequest"),
        ("CreateOrderLock.enforces-locks", "Conflict"),
        ("DeletePartyById.cannot-be-fetched-afterwards", "NotFound"),
        ("HandleEvent.survives-an-unknown-status", None),
    ],
)
def test_a_rule_about_a_refusal_is_shown_with_a_request_that_is_refused(id: str, error_type: str | None) -> None:
    said = kept(id)

    assert {*re.findall(r'"errorType": "(\w+)"', said)} == ({error_type} if error_type else set())
    statuses = [line.split()[1] for line in said.splitlines() if re.match(r"    < \d{3} ", line)]
    assert statuses[-1] == (str(_samples.STATUSES[error_type]) if error_type else "200")


def test_what_is_refused_is_not_what_a_good_request_asks() -> None:
    assert "> GET /v1/orders/nobody-has-this" in kept("GetOrderById.unknown-id-is-not-found")
    assert '"details"' not in kept("CreateOrder.missing-members-are-refused").replace('"details\\"', "").split("400")[0]
    assert '"limit": 0' in kept("SearchOrders.refuses-a-limit-of-zero")
    assert '"paidAmount": {"value": 10.5,' in kept("RecordOrderPaymentById.refuses-a-fractional-amount")
    assert '"tipsAmount": {"value": "100",' in kept("RecordOrderPaymentById.refuses-a-stringly-tip")
    assert '"expiry"' not in kept("ExtendOrderLock.refuses-a-missing-expiry").split("< 400")[0]


REFUSALS = [
    each
    for each in _rules.rules().values()
    if each.capability
    and re.search(r"refuse|\.errors?-|is-not-found|coerced|invalid-requests|cannot-be", each.id)
    and not each.id.endswith("drops-out-of-searches")
]


@pytest.mark.parametrize("template", sorted({each.template for each in REFUSALS}))
def test_every_rule_about_a_refusal_has_a_scene_with_one(template: str) -> None:
    for each in _rules.by_template()[template]:
        scene = _scenes.scene(each)
        assert scene, each.id
        (refused,) = [one for one in scene if one.error_type]
        assert refused.what
        named = next((one for one in ("NotFound", "InvalidRequest", "Conflict") if one in each.sentence), None)
        assert named in (None, refused.error_type), each.id


def test_every_rule_shows_what_keeping_it_looks_like() -> None:
    for each in _rules.rules().values():
        lines = kept(each.id).splitlines()
        assert len(lines) > 1, each.id
        assert all(re.match(r" {2,4}\S", line) for line in lines[1:]), each.id


def test_scenes_and_texts_are_of_rules_that_there_are() -> None:
    known = _rules.rules()
    assert set(_scenes._OWN) <= set(known)
    assert set(_scenes._EVERY) <= set(_rules.by_template())
    for prefix, texts in (("rest", _wholes._REST), ("ws", _wholes._WS)):
        assert {f"{prefix}.{name}" for name in texts} == {each for each in known if each.startswith(f"{prefix}.")}
    changes = {f"pos-events.tells-of-{article}-{each}" for each in _wholes._CHANGES for article in ("a", "an")}
    assert {each for each in known if each.startswith("pos-events.tells-of")} <= changes


def test_whole_rules_are_shown_by_what_is_said() -> None:
    assert kept("rest.refuses-missing-credentials").endswith("< 401 Unauthorized     (or 403 Forbidden)")
    assert "Authorization" not in kept("rest.refuses-missing-credentials")
    assert "> Content-Type: application/json; charset=utf-8" in kept("rest.accepts-a-charset")
    assert "< 404 Not Found" in kept("rest.unknown-path-is-not-found")
    assert '{"eventType": "PartyUpdated", "event": {"partyId": "par-1052"}}' in kept(
        "pos-events.tells-of-an-updated-party"
    )
    assert '{"name": "ExtendOrderLock", "version": "v1"}' in kept("registration.has-the-lock-capabilities-together")
    assert '"status": "SUCCESS"' in kept("flows.ends-in-success")
    assert "> close 1012, service restart" in kept("ws.redials-after-a-restart-of-the-service")


def test_frames_that_are_shown_are_json_and_answer_each_other() -> None:
    for name in _wholes._WS:
        asked, answered = set(), []
        for line in kept(f"ws.{name}").splitlines():
            mark, _, text = line.strip().partition(" ")
            if mark in ("<", ">") and text.startswith('{"id"') and "..." not in text and text.endswith("}"):
                frame = json.loads(text)
                assert frame["jsonrpc"] == "2.0", name
                asked |= {frame["id"]} if mark == ">" else set()
                answered += [frame["id"]] if mark == "<" else []
        assert len(answered) == len({*answered}), name
        assert {*answered} <= asked | {"1"}, name


@pytest.mark.parametrize("scheme", ["dXNlcjpwYXNzd29yZA==", "dXNlcjp3cm9uZw==", "d3Jvbmc6cGFzc3dvcmQ="])
def test_credentials_that_are_shown_are_what_is_said_beside_them(scheme: str) -> None:
    texts = "\n".join(_wholes._REST.values())
    assert f"Basic {scheme}     ({base64.b64decode(scheme).decode()})" in texts


def test_journeys_are_told_with_the_steps_that_they_take(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--partner-url=reference", "-k", "journeys")

    told = {each["id"]: [step["name"] for step in each["steps"]] for each in run.checks("conforms")}
    assert set(told) == {f"journeys.{each}" for each in JOURNEYS}
    for id, steps in told.items():
        heading, *shown = kept(id).splitlines()[1:]
        assert heading == "  every step succeeds:"
        assert [line.partition(". ")[2] for line in shown] == steps


def kept(id: str) -> str:
    """The part of an explanation about what keeping the rule looks like."""
    said = _explain.explain(id)
    return said[said.index("What keeping it looks like") :].partition("\n\n")[0]


def test_a_rule_of_a_transport_says_what_it_is_examined_with() -> None:
    said = _explain.explain("rest.refuses-an-empty-body")

    assert "over REST alone" in said
    assert "Once for each of these that is offered: CreateOrder," in said
    assert "Once for each capability that is offered." in _explain.explain("rest.refuses-a-wrong-password")
    assert "Once for each flow" in _explain.explain("flows.ends-in-success")
    assert "--partner-ws=PORT" in _explain.explain("ws.answers-a-ping")
    assert "--dojo-api=sandbox" in _explain.explain("registration.url-is-https")


@pytest.mark.parametrize("name", ["*.unknown-id-is-not-found", "SearchOrders.payable-*", "ws.", "searchorders"])
def test_a_name_that_fits_several_rules_lists_them(name: str) -> None:
    found = _explain.matching(name)

    assert len(found) > 1
    assert _explain.explain(name).splitlines() == [_lists.line(each) for each in found]


def test_a_name_in_other_letters_or_its_beginning_is_understood() -> None:
    assert _explain.explain(RULE.lower()) == _explain.explain(RULE)
    assert _explain.explain("ListAreas.ids") == _explain.explain("ListAreas.ids-are-unique")


def test_a_rule_that_is_unknown_is_told_with_those_that_are_near() -> None:
    with pytest.raises(_explain.UnknownRule, match=rf"'SearchOrder.payable-only-narow'; did you mean {RULE} or"):
        _explain.explain("SearchOrder.payable-only-narow")
    with pytest.raises(_explain.UnknownRule, match="--list-rules lists them all"):
        _explain.explain("\x1b[31m" + "x" * 10**5)


# What it draws on


def test_every_rule_has_a_check_that_is_found_as_text() -> None:
    assert set(_asked.checks()) == set(_rules.by_template())
    check = _asked.check_of(rule(RULE))
    assert check is not None
    line = (CHECKOUT / check.file).read_text(encoding="utf-8").splitlines()[check.line - 1]
    assert line.startswith(f"def {check.name}(")
    assert all(each.text for each in _asked.checks().values())


def test_defects_of_a_rule_are_those_that_break_it() -> None:
    for each in _asked.defects_of(rule("GetOrderById.unknown-id-is-not-found")):
        assert each.explains("GetOrderById.unknown-id-is-not-found") or "*.unknown-id-is-not-found" in each.breaks


def test_freedoms_are_few_and_differ_where_the_defects_do() -> None:
    found = _asked.freedoms_of(rule("GetOrderById.total-adds-up"))

    assert 1 <= len(found) <= 6
    assert "tax-on-top" in {each.name for each in found}
    assert not _asked.freedoms_of(rule("ws.answers-a-ping"))


def test_every_placeholder_has_a_value_to_show() -> None:
    assert _samples.PLACEHOLDERS == venue.PLACEHOLDERS


@pytest.mark.parametrize("capability", _contracts.capabilities().values(), ids=lambda each: each.name)
def test_what_is_shown_satisfies_the_contract(capability: Capability) -> None:
    for example in capability.examples:
        sample = _samples.sample(capability.name, example.title)
        assert "{" not in sample.path
        assert not schema.problems(capability.request or {}, dict(sample.body))
        for transport in ("rest", "ws"):
            assert not schema.problems(capability.response[transport], sample.answer)
        asked, answered = (json.loads(each) for each in sample.ws)
        assert asked["method"] == capability.ws_method
        assert {each.ws for each in capability.ids} <= set(asked["params"])
        assert answered["result"] == sample.answer


def test_the_example_of_a_rule_has_the_members_that_it_speaks_of() -> None:
    orders = _contracts.capabilities()["SearchOrders"]

    assert _samples.example_for(orders, rule(RULE)).title == "full"
    assert "limit" in str(_samples.example_for(orders, rule("SearchOrders.accepts-a-limit-of-one")).request)


def test_json_is_laid_out_in_lines_that_fit() -> None:
    value = {"a": list(range(60)), "b": {"c": "x" * 60, "d": ["y" * 40]}, "e": []}
    text = _samples.laid_out(value)

    assert json.loads(text) == value
    assert max(map(len, text.splitlines())) <= 100
    assert _samples.laid_out({"a": 1}) == '{"a": 1}'


# Lists


def test_the_list_of_rules_has_a_line_for_each() -> None:
    lines = _lists.rules().splitlines()

    assert [line.split()[1] for line in lines] == list(_rules.rules())
    assert {line.split()[0] for line in lines} == {"must", "should", "info"}


@pytest.mark.parametrize(
    ("keywords", "marks"),
    [
        ("ws.redials or test_bills", ""),
        ("rest-ListAreas", "must"),
        ("CreateParty and rest.refuses-an-empty-body", ""),
        ("not rest", "not (must or should)"),
    ],
)
def test_the_list_holds_the_rules_that_a_run_would_examine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keywords: str, marks: str
) -> None:
    _answering.answer(None, "json", None, keywords=keywords, marks=marks)
    listed = {each["id"] for each in json.loads(capsys.readouterr().out) if each["transport"] != "dojo"}

    partners = ["--partner-url=http://127.0.0.1:9", "--partner-ws=8765", "--no-flows"]
    run = run_suite(tmp_path, *partners, "--collect-only", "-q", "-k", keywords, "-m", marks)
    # Cases that only a contract knows are left alone here.
    selected = {each.rpartition("[")[2].partition("-")[2].rstrip("]").partition("@")[0] for each in nodes(run.output)}
    assert {each for each in selected if not each.startswith(("flows.", "registration."))} == listed


def nodes(output: str) -> list[str]:
    """The node ids of the checks in what pytest printed."""
    return [line for line in output.splitlines() if "::test_" in line and line.endswith("]")]


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="Wrong expression passed to '-m'"):
        _answering.answer(None, "text", None, marks="must and")
    with pytest.raises(pytest.UsageError, match="call parameters"):
        _answering.answer(None, "text", None, keywords="must(level=1)")


def test_rules_as_json_have_the_documented_form() -> None:
    found: list[dict[str, Any]] = json.loads(_lists.rules("json"))

    assert [each["id"] for each in found] == list(_rules.rules())
    members = {"id", "level", "basis", "sentence", "page", "capability", "transport", "sources", "examined"}
    assert all(set(each) == members for each in found)
    (told,) = [each for each in found if each["id"] == RULE]
    assert told["examined"] == "conformance/test_search_orders.py::test_payable_only_narrows"
    assert told["transport"] is None
    assert {each["transport"] for each in found} == {None, "rest", "ws", "dojo"}


def test_capabilities_as_json_have_the_documented_form() -> None:
    found: list[dict[str, Any]] = json.loads(_lists.capabilities("json"))

    assert [each["name"] for each in found] == list(_contracts.capabilities())
    members = {"name", "registered", "legacy", "page", "rest", "ws", "changes", "products", "rules"}
    assert all(set(each) == members for each in found)
    (told,) = [each for each in found if each["name"] == "UpdateParty"]
    assert (told["rest"], told["ws"], told["changes"]) == ("PUT /v1/parties/{partyId}", "UpdatePartyV1", True)
    assert told["legacy"] == ["UpdatePartyById"]
    assert told["products"] == {"bookings": "required"}
    assert told["rules"] == sum(each.capability == "UpdateParty" for each in _rules.rules().values())


# As the options of pytest


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--explain", RULE], 0, "What keeping it looks like"),
        (["--explain=ListAreas.*"], 0, "must   ListAreas.answer-matches-schema "),
        (["--explain=nobody"], 4, "ERROR: there is no rule called 'nobody'; --list-rules lists them all"),
        (["--list-rules"], 0, "No two areas have the same id."),
        (["--list-capabilities"], 0, "ListAreas                GET    /v1/areas"),
        (["--list-capabilities=json"], 0, '"ws": "ListAreasV1"'),
        (["--list-rules=yaml"], 4, "invalid choice: 'yaml'"),
    ],
)
def test_the_options_work_without_a_partner(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    run = run_suite(tmp_path, *arguments)

    assert run.status == status, run.output
    assert said in run.output
    assert "Traceback" not in run.output
    assert "test session starts" not in run.output
    assert not (tmp_path / "reports").exists()


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--list-rules"]
    if not (Path(sys.executable).parent / "epos-report").exists():
        command += ["-p", "epos_conformance.plugin"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(_suite.__file__).rpartition("/epos_conformance/")[0]},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()  # far from its end: the rest doesn't fit into a pipe
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_run_that_asks_for_nothing_imports_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    ours = {each for each in sys.modules if each.startswith('epos_conformance.')}\n"
        "    assert ours == {'epos_conformance.plugin', 'epos_conformance._options'}\n",
        encoding="utf-8",
    )
    run = run_suite(tmp_path)

    assert run.status == 0, run.output
