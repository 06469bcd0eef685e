"""
The certificate is whole whatever happened: complete, valid by its published schema, and written in one piece.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import stat
import sys

from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _certificate, _contracts, _rules, _suite, schema
from epos_conformance._certificate import Certificate
from epos_conformance._record import Access, Plan, Record
from epos_conformance._settings import Settings, Waiver
from epos_conformance.verdict import Level, Outcome, Result, Verdict

from .test_verdict import WAIVER, result


URL = "http://till.example"
PLAN = Plan({"rest": Access(URL, "dojo:secret", ("GetOrderById", "SearchOrders"))}, "leases")
KEPT = "SearchOrders.answer-matches-schema"
BROKEN = "GetOrderById.unknown-id-is-not-found"


def record(*results: Result, **settings: Any) -> Record:
    found = Record(Settings(**{"url": URL, "auth": "dojo:secret", **settings}), PLAN)
    found.results = {each.name: each for each in results}
    return found


def of_rule(id: str, outcome: Outcome = Outcome.CONFORMS, **more: Any) -> Result:
    rule = _rules.rules()[id]
    return result(
        outcome,
        rule.level,
        **{"id": id, "capability": rule.capability, "page": rule.page, "source": rule.sources, **more},
    )


def built(found: Record, *, interrupted: bool = False) -> Certificate:
    """The certificate, held to its published schema."""
    certificate = _certificate.build(found, interrupted=interrupted)
    shape = _suite.read_json(_suite.REPORTS / "certificate.schema.json")
    assert schema.problems(shape, json.loads(json.dumps(certificate.document))) == []
    return certificate


# Built


def test_a_certificate_tells_the_whole_run() -> None:
    found = record(of_rule(KEPT), of_rule(BROKEN, Outcome.VIOLATES, message="at status: expected 404, saw 500"))
    found.leftovers, found.notes = ["party p"], ["a note"]
    certificate = built(found)
    document = certificate.document
    assert certificate.verdict is Verdict.NOT_CONFORMANT
    assert document["verdict"] == "not-conformant"
    assert (document["counts"]["conforms"], document["counts"]["violates"]) == (1, 1)
    assert [each["id"] for each in document["checks"]] == [BROKEN, KEPT]
    assert (document["leftovers"], document["notes"]) == (["party p"], ["a note"])
    assert document["partner"]["url"] == URL
    assert document["partner"]["capabilities"] == ["GetOrderById", "SearchOrders"]
    assert "secret" not in json.dumps(document)
    verdicts = {each["name"]: each["verdict"] for each in document["capabilities"]}
    assert verdicts["SearchOrders"] == "conformant"
    assert verdicts["GetOrderById"] == "not-conformant"
    assert verdicts["CreateOrder"] == "not-offered"
    assert set(verdicts) == set(_contracts.capabilities())
    products = {each["name"]: each for each in document["products"]}
    assert products["pay-at-table"]["verdict"] == "not-offered"
    assert products["pay-at-table"]["missing"] == ["RecordOrderPaymentById"]
    assert document["startedAt"] <= document["finishedAt"]
    assert document["startedAt"].endswith("Z")


def test_of_who_could_not_be_reached_nobody_knows_what_is_offered() -> None:
    down = of_rule(KEPT, Outcome.INCONCLUSIVE, message="can't connect", cause="unreachable")
    found = record(down)
    found.plan = Plan({"rest": Access(URL, blocked="can't connect")}, "leases")
    document = built(found).document
    assert document["partner"]["capabilities"] == []
    assert {each["verdict"] for each in document["capabilities"]} == {"not-proven"}
    assert {(each["verdict"], *each["missing"]) for each in document["products"]} == {("not-proven",)}


def test_a_run_without_results_is_a_certificate_too() -> None:
    certificate = built(record())
    assert certificate.verdict is Verdict.NOT_PROVEN
    assert certificate.document["checks"] == []


@pytest.mark.parametrize(
    ("interrupted", "reason"),
    [(False, "not run: its process ended before"), (True, "not run: the run was interrupted")],
)
def test_what_was_selected_and_never_ran_is_inconclusive(interrupted: bool, reason: str) -> None:
    found = record(of_rule(KEPT, case="minimal"))
    found.selected = {f"rest-{KEPT}@minimal", f"rest-{KEPT}@full", "rest-nobodys.rule-at-all"}
    document = built(found, interrupted=interrupted).document
    missing, ran = document["checks"]
    assert (ran["case"], ran["outcome"]) == ("minimal", "conforms")
    assert (missing["id"], missing["case"], missing["capability"]) == (KEPT, "full", "SearchOrders")
    assert (missing["outcome"], missing["message"], missing["cause"]) == ("inconclusive", reason, "not-run")
    assert document["verdict"] == "not-proven"
    assert document["selection"] == {"complete": True, "deselected": 0, "interrupted": interrupted}


def test_a_part_of_the_checks_is_no_complete_selection() -> None:
    found = record(of_rule(KEPT))
    found.deselected = 3
    assert built(found).document["selection"] == {"complete": False, "deselected": 3, "interrupted": False}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"rest-{KEPT}", (KEPT, None, "SearchOrders", "rest")),
        (f"ws-{KEPT}@full", (KEPT, "full", "SearchOrders", "ws")),
        (
            "rest-rest.refuses-an-empty-body@CreateOrder",
            ("rest.refuses-an-empty-body", "CreateOrder", "CreateOrder", "rest"),
        ),
        ("rest-rest.unknown-path-is-not-found", ("rest.unknown-path-is-not-found", None, None, "rest")),
    ],
)
def test_what_never_ran_is_known_by_its_name(name: str, expected: tuple[Any, ...]) -> None:
    found = _certificate.not_run(name, "why")
    assert found is not None
    assert (found.id, found.case, found.capability, found.transport) == expected
    assert found.name == name
    assert found.level is _rules.rules()[expected[0]].level
    assert found.source == _rules.rules()[expected[0]].sources


@pytest.mark.parametrize("name", ["", "rest-", "rest-no.such-rule", "test_something", KEPT])
def test_a_name_of_nobodys_is_no_result(name: str) -> None:
    assert _certificate.not_run(name, "why") is None


# Entries


@pytest.mark.parametrize(
    "each",
    [
        result(Outcome.CONFORMS),
        result(Outcome.INCONCLUSIVE, Level.SHOULD, case="full", capability=None, cause="data", message="no tables"),
        result(Outcome.VIOLATES, Level.INFO, waiver=WAIVER, source=["a: b"], duration=0.5, exchanges=[{"a": 1}]),
    ],
)
def test_an_entry_becomes_the_same_result_again(each: Result) -> None:
    sent = json.loads(json.dumps(_certificate.entry(each)))
    again = _certificate.result(sent)
    assert _certificate.entry(again) == sent
    assert (again.name, again.level, again.basis, again.outcome) == (each.name, each.level, each.basis, each.outcome)
    assert (again.cause, again.message, again.waiver, again.capability) == (
        each.cause,
        each.message,
        each.waiver,
        each.capability,
    )


def test_an_entry_has_only_what_there_is() -> None:
    entry = _certificate.entry(result(Outcome.CONFORMS))
    assert not {"case", "cause", "waiver"} & set(entry)


# Waivers


def waiver(rule: str, days: int = 10) -> Waiver:
    return Waiver(rule=rule, reason="agreed", until=datetime.date.today() + datetime.timedelta(days=days))


@pytest.mark.parametrize(
    ("outcome", "given", "state"),
    [
        (Outcome.VIOLATES, waiver(KEPT), "used"),
        (Outcome.VIOLATES, waiver(KEPT, 0), "used"),
        (Outcome.CONFORMS, waiver(KEPT), "unused"),
        (Outcome.INCONCLUSIVE, waiver(KEPT), "not-examined"),
        (Outcome.NOT_OFFERED, waiver(KEPT), "not-examined"),
        (Outcome.VIOLATES, waiver(KEPT, -1), "ended"),
        (Outcome.CONFORMS, waiver(KEPT, -1), "ended"),
        (Outcome.CONFORMS, waiver(BROKEN), "not-examined"),
        (Outcome.CONFORMS, waiver("SearchOrders.no-such-rule"), "unknown"),
        (Outcome.CONFORMS, waiver("SearchOrders.no-such-rule", -1), "unknown"),
    ],
)
def test_what_became_of_a_waiver_is_told(outcome: Outcome, given: Waiver, state: str) -> None:
    (found,) = built(record(of_rule(KEPT, outcome), waivers=(given,))).document["waivers"]
    assert found == {"rule": given.rule, "reason": "agreed", "until": given.until.isoformat(), "state": state}


def test_a_waiver_is_used_where_one_of_several_cases_violates() -> None:
    found = record(of_rule(KEPT, case="minimal"), of_rule(KEPT, Outcome.VIOLATES, case="full"), waivers=(waiver(KEPT),))
    assert built(found).document["waivers"][0]["state"] == "used"


# Two transports


def both(*results: Result) -> Record:
    found = record(*results)
    offered = ("GetOrderById", "SearchOrders")
    found.plan = Plan({"rest": Access(URL, offered=offered), "ws": Access("ws://till", offered=offered[:1])}, "leases")
    return found


def test_each_transport_has_a_column_of_its_own() -> None:
    document = built(both(of_rule(BROKEN), of_rule(BROKEN, Outcome.VIOLATES, transport="ws"), of_rule(KEPT))).document
    columns = {each["name"]: each["transports"] for each in document["capabilities"]}
    order = columns["GetOrderById"]
    assert document["partner"]["transports"] == ["rest", "ws"]
    assert {name: each["verdict"] for name, each in order.items()} == {"rest": "conformant", "ws": "not-conformant"}
    assert order["ws"]["counts"]["violates"] == 1
    assert list(columns["SearchOrders"]) == ["rest"]
    assert columns["ListAreas"] == {}


def test_what_holds_over_one_transport_alone_is_a_difference() -> None:
    found = both(
        of_rule(BROKEN),
        of_rule(BROKEN, Outcome.VIOLATES, transport="ws"),
        of_rule(KEPT, case="minimal"),
        of_rule(KEPT, Outcome.INCONCLUSIVE, case="minimal", transport="ws"),
    )
    assert built(found).document["differences"] == [
        {"id": BROKEN, "outcomes": {"rest": "conforms", "ws": "violates"}},
    ]


def test_cases_differ_by_themselves() -> None:
    found = both(
        of_rule(KEPT, case="minimal"),
        of_rule(KEPT, Outcome.VIOLATES, case="full"),
        of_rule(KEPT, Outcome.VIOLATES, case="minimal", transport="ws"),
        of_rule(KEPT, Outcome.VIOLATES, case="full", transport="ws"),
    )
    (difference,) = built(found).document["differences"]
    assert difference["case"] == "minimal"


# The last certificate


def test_rules_that_the_last_complete_certificate_did_not_know_are_marked() -> None:
    found = record(of_rule(KEPT), of_rule(BROKEN))
    found.known = {KEPT}
    assert {each["id"]: each.get("new") for each in built(found).document["checks"]} == {KEPT: None, BROKEN: True}


def test_without_a_last_certificate_nothing_is_new() -> None:
    assert not any("new" in each for each in built(record(of_rule(KEPT))).document["checks"])


# Written


def test_a_certificate_is_written_whole_wherever_it_belongs(tmp_path: Path) -> None:
    certificate = built(record(of_rule(KEPT, message="é 食")))
    path = tmp_path / "new" / "folder" / "certificate.json"
    _certificate.write(certificate.document, path)
    _certificate.write(certificate.document, path)
    assert json.loads(path.read_text("utf-8")) == json.loads(json.dumps(certificate.document))
    assert "é 食" in path.read_text("utf-8")
    assert [each.name for each in path.parent.iterdir()] == ["certificate.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_others_may_read_it(tmp_path: Path) -> None:
    _certificate.write(built(record()).document, tmp_path / "certificate.json")
    assert stat.S_IMODE((tmp_path / "certificate.json").stat().st_mode) == 0o644


def test_where_it_can_not_be_written_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    certificate = built(record())
    _certificate.write(certificate.document, path)
    before = path.read_bytes()
    certificate.document["notes"] = [object()]
    with pytest.raises(TypeError):
        _certificate.write(certificate.document, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["certificate.json"]  # noqa: PTH208 - hidden files, too


def test_what_no_encoding_holds_is_escaped(tmp_path: Path) -> None:
    """
    JSON can spell half a surrogate pair, which UTF-8 can not.
    """
    message = json.loads('"half: \\ud800, whole: \\ud83d\\ude00"')
    path = tmp_path / "certificate.json"
    _certificate.write(built(record(of_rule(KEPT, message=message))).document, path)
    text = path.read_bytes().decode("utf-8")
    assert "half: \\ud800, whole: \N{GRINNING FACE}" in text
    assert json.loads(text)["checks"][0]["message"] == message


# Digests


def test_what_the_partner_was_held_to_is_told_file_by_file() -> None:
    found = _certificate.digests()
    assert {"contracts/SearchOrders.json", "rules/rest.toml", "sources.toml"} <= set(found)
    assert not any("\\" in name or name.startswith("/") for name in found)
    for name, digest in found.items():
        assert hashlib.sha256((_suite.FIXTURES / name).read_bytes()).hexdigest() == digest
    assert list(found) == sorted(found, key=lambda name: (_suite.FIXTURES / name).parts)
    assert built(record()).document["contract"]["digests"] == found
