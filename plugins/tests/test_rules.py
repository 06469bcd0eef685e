"""
The rule catalogue is sound, and no rule of it goes without a check unnoticed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from epos_conformance import _contracts, _rules, _suite
from epos_conformance.verdict import Basis, Level


PATHS = sorted((_suite.FIXTURES / "rules").glob("*.toml"))

#: Prefixes of rules that are about no capability: a transport, or a whole of several.
WHOLES = {"rest", "ws", "flows", "paging", "registration", "pos-events", "journeys"}

for_each_file = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def entries() -> list[dict[str, Any]]:
    """The rules as they are written."""
    return [entry for path in PATHS for entry in read(path)["rule"]]


@cache
def rules_form() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(_suite.read_json(_suite.FIXTURES / "rules" / "rules.schema.json"))


# Files


@for_each_file
def test_a_file_of_rules_has_the_form_of_such_files(path: Path) -> None:
    rules_form().validate(read(path))


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "SearchOrders.Payable"},
        {"id": "SearchOrders.pages-of-100"},
        {"id": "SearchOrders"},
        {"id": "*.keeps-ids"},
        {"applies-to": "every"},
        {"level": "may"},
        {"basis": "guessed"},
        {"source": []},
        {"source": ["rest-spec"]},
        {"sentence": "Ids should be kept."},
        {"sentence": "Ids are kept"},
        {"sentence": f"{'Very ' * 40}long."},
        {"transport": "carrier pigeon"},
        {"severity": "high"},
    ],
    ids=json.dumps,
)
def test_a_file_of_another_form_is_refused(broken: dict[str, Any]) -> None:
    rule = {
        "id": "SearchOrders.keeps-ids",
        "level": "must",
        "basis": "documented",
        "source": ["rest-spec: Order.id"],
        "sentence": "Ids are kept.",
    }
    assert rules_form().is_valid({"page": "orders", "rule": [rule]})
    assert not rules_form().is_valid({"page": "orders", "rule": [{**rule, **broken}]})


# Rules


def test_the_catalogue_is_as_large_as_the_contract() -> None:
    assert len(_rules.rules()) >= 150
    assert len(_rules.by_template()) >= 150


def test_rule_ids_follow_the_grammar() -> None:
    for id in _rules.rules():
        prefix, _, fact = id.partition(".")
        assert prefix in WHOLES or prefix in _contracts.capabilities(), id
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", fact), id


def test_rule_ids_are_written_once() -> None:
    ids = [entry["id"] for entry in entries()]
    assert len(set(ids)) == len(ids)


def test_rules_are_found_by_the_id_they_were_written_under() -> None:
    assert set(_rules.by_template()) == {entry["id"] for entry in entries()}
    assert sum(map(len, _rules.by_template().values())) == len(_rules.rules())


def test_a_rule_of_every_capability_is_one_of_each() -> None:
    found = {rule.capability: rule for rule in _rules.by_template()["*.answer-matches-schema"]}
    assert set(found) == set(_contracts.capabilities())
    rule = found["ListAreas"]
    assert rule.id == "ListAreas.answer-matches-schema"
    assert rule.page == "areas"
    assert "{capability}" not in rule.sentence
    assert "ListAreas" in rule.sentence


def test_every_rule_stands_on_a_transport_that_exists() -> None:
    assert {rule.transport for rule in _rules.rules().values()} == {None, "rest", "ws", "dojo"}
    for id, rule in _rules.rules().items():
        if id.startswith(("rest.", "ws.")):
            assert rule.transport == id.partition(".")[0], id


def test_the_rules_use_every_level_and_basis() -> None:
    assert {rule.level for rule in _rules.rules().values()} == set(Level)
    assert {rule.basis for rule in _rules.rules().values()} == set(Basis)


def test_sources_are_known() -> None:
    for id, rule in _rules.rules().items():
        assert rule.sources, id
        for source in rule.sources:
            assert source.partition(": ")[0] in _rules.sources(), id


def test_a_derived_rule_says_what_it_is_derived_from() -> None:
    for id, rule in _rules.rules().items():
        documented = any(not source.startswith("derived: ") for source in rule.sources)
        assert documented or rule.basis is Basis.DERIVED, id


def test_a_source_is_cited_by_its_title() -> None:
    assert _rules.cite("http: section 15") == "RFC 9110, HTTP Semantics, section 15"
    assert _rules.cite("http") == "RFC 9110, HTTP Semantics"


def test_every_source_is_cited() -> None:
    cited = {source.partition(": ")[0] for rule in _rules.rules().values() for source in rule.sources}
    cited |= {source.partition(": ")[0] for each in _contracts.capabilities().values() for source in each.sources}
    assert cited == set(_rules.sources())


# Sentences


def test_sentences_differ() -> None:
    seen: dict[str, str] = {}
    for entry in entries():
        assert entry["sentence"] not in seen, f"{entry['id']} and {seen.get(entry['sentence'])}"
        seen[entry["sentence"]] = entry["id"]


def test_sentences_are_short_and_state_facts_whatever_the_capability() -> None:
    for id, rule in _rules.rules().items():
        assert len(rule.sentence) <= 160, id
        assert rule.sentence.endswith("."), id
        assert not re.search(r"\b(should|must)\b", rule.sentence, re.I), id


# Selectors


def test_the_selectors_used_exist() -> None:
    known = frozenset().union(*(each.selectors for each in _contracts.capabilities().values()))
    for entry in entries():
        for key in ("applies-to", "per"):
            selector = entry.get(key)
            if isinstance(selector, str):
                assert selector in known, entry["id"]
            elif selector is not None:
                assert set(selector) <= set(_contracts.capabilities()), entry["id"]


def test_the_selectors_that_exist_are_used() -> None:
    known = frozenset().union(*(each.selectors for each in _contracts.capabilities().values()))
    used = {entry.get(key) for entry in entries() for key in ("applies-to", "per") if isinstance(entry.get(key), str)}
    assert used == known


# Checks

_SHOW_CHECKS = """
import importlib, json, sys

from epos_conformance import _checks

for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted(_checks._DECLARED)))
"""


@cache
def checked() -> frozenset[str]:
    """The templates that a check examines; asked in a process of its own, for importing the checks declares them."""
    installed = (_suite.CHECKS.parent / "verdict.py").exists()
    package = "epos_conformance.conformance" if installed else "conformance"
    modules = [f"{package}.{path.stem}" for path in sorted(_suite.CHECKS.glob("test_*.py"))]
    done = subprocess.run(
        [sys.executable, "-c", _SHOW_CHECKS, *modules],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_suite.CHECKS.parent), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    return frozenset(json.loads(done.stdout))


def pending() -> list[str]:
    """The templates whose checks are still to be written, as listed; none where the list is gone."""
    path = _suite.CHECKS / "pending.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def test_every_rule_has_a_check_or_waits_for_one() -> None:
    missing = sorted(set(_rules.by_template()) - checked() - set(pending()))
    assert not missing, "neither checked nor in conformance/pending.txt:\n" + "\n".join(missing)


def test_no_rule_with_a_check_waits_for_one() -> None:
    done = sorted(checked() & set(pending()))
    assert not done, "checked, take them out of conformance/pending.txt:\n" + "\n".join(done)


def test_the_list_of_pending_checks_has_rules_only() -> None:
    assert set(pending()) <= set(_rules.by_template())
    assert len(set(pending())) == len(pending())
