"""
The suite judged by EPOS systems whose faults are known: each defect is found under the rules that it breaks and under
no other, and no variant that conforms is accused of anything.

Every one is a real server, judged by the real checks over real HTTP, in this process because there are so many.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _contracts, _rules
from epos_conformance.reference import faults, launch

from .score import ACCUSED, FOUND, MISSED, UNACCUSED


RecordProperty = Callable[[str, object], None]

#: Slow in itself: judged with limits and capabilities that fit.
SPECIAL: dict[str, list[str]] = {
    "every-answer-is-slow": ["--capabilities=ListAreas,GetOrderById", "--slow-after=0.5"],
    "bill-is-slow": ["--capabilities=GetOrderBillById,GetOrderById,SearchOrders", "--slow-after=0.5"],
    "bill-hangs": ["--capabilities=GetOrderBillById,GetOrderById,SearchOrders", "--fail-after=1", "--slow-after=0.5"],
    "unknown-statuses-hang": ["--capabilities=HandleEvent", "--fail-after=1", "--slow-after=0.5"],
    "everything-hangs": ["--fail-after=1", "--slow-after=0.5"],
    "slow-but-fine": ["--capabilities=ListAreas,GetOrderById,SearchOrders"],
    "busy-now-and-then": ["--capabilities=ListAreas,GetOrderById,SearchOrders"],
}

#: What these can't prove is theirs to prove: no test data, or payment intents that nobody can look up.
UNPROVEN = {
    "clock-ahead-of-a-proxy",
    "clock-behind-a-proxy",
    "empty-venue",
    "events-of-known-intents",
    "lean-orders",
    "no-order-at-all",
    "nobody-waits",
    "nothing-to-take-away",
    "one-order-no-creation",
    "one-room",
    "one-table-each",
    "prepaid-orders-are-refused",
    "short-locks-are-refused",
    "strict-till",
    "three-orders-no-creation",
    "tips-are-limited",
    "verifies-deposits",
    "verifies-intents",
    "waiters-are-kept-quiet",
}

#: Enough rounds and bodies for faults that are meant to be seen.
BRIEF = ("--race-rounds=4", "--depth=12")

EVERY = ",".join(_contracts.capabilities())


def judge(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    defects: Sequence[str] = (),
    variants: Sequence[str] = (),
) -> dict[str, Any]:
    """The certificate of the reference EPOS with these *defects* and *variants*."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    _, app = faults.build(defects, variants)
    output = io.StringIO()
    with launch.in_thread(app) as running, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        pytest.main([
            *("-q", "-p", "no:cacheprovider", "-p", "no:allure_pytest", "-p", "epos_conformance.plugin"),
            *(f"--partner-url={running.url}", f"--partner-auth={running.auth}", *arguments),
        ])
    path = folder / "reports" / "certificate.json"
    assert path.exists(), output.getvalue()
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def violated(certificate: dict[str, Any]) -> set[str]:
    return {each["id"] for each in certificate["checks"] if each["outcome"] == "violates"}


def examined() -> set[str]:
    """Templates of the rules that have a check."""
    pending = (Path(__file__).parents[2] / "conformance" / "pending.txt").read_text("utf-8").splitlines()
    return set(_rules.by_template()) - {line.strip() for line in pending}


@pytest.mark.parametrize("name", faults.defects())
def test_defect_is_found_under_its_rules_and_no_other(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: RecordProperty
) -> None:
    defect = faults.defects()[name]
    due = {each for each in defect.breaks if _template(each) in examined()}
    if not due:
        pytest.skip("breaks only rules that have no check yet")
    special = SPECIAL.get(name, [])
    claimed = [] if any(each.startswith("--capabilities") for each in special) else [claim(due)]
    certificate = judge(tmp_path, monkeypatch, *BRIEF, *claimed, *special, *select(due), defects=[name])
    found = violated(certificate)
    for rule in sorted(due):
        record_property(FOUND if _ids(rule) & found else MISSED, [_template(rule), name])

    assert not {each for each in due if not _ids(each) & found}
    assert not {each for each in found if not defect.explains(each)}


#: Judge with the whole of the checks what is otherwise judged with those that it is about; it takes an hour.
WHOLE = os.environ.get("DEFECTS") == "whole"


def select(rules: set[str]) -> list[str]:
    """
    The arguments that run the checks of *rules*.

    What a defect does beside is seen where it is judged by all of them.
    """
    ids = {each for rule in rules for each in _ids(rule) if "*" not in each}
    files = {homes()[_template(each)] for each in rules}
    # To collect all the checks takes longer than to run a few.
    return [] if WHOLE else ["-c", "pytest.ini", "-k", " or ".join(sorted(ids)), *sorted(files)]


@functools.cache
def homes() -> dict[str, str]:
    """Template of a rule -> the file that its check stands in."""
    return {
        template: str(path)
        for path in (Path(__file__).parents[2] / "conformance").glob("test_*.py")
        for template in re.findall(r'@check\(\s*"([^"]+)"', path.read_text("utf-8"))
    }


#: What variants are about, by the module that they stand in; all others are judged by all checks.
ABOUT = {
    "bookings": "Party or Parties or Reservation",
    "depth": "unusual or control-characters or answer-matches-schema",
    "events": "HandleEvent",
    "locks": "Lock or lock or RecordOrderPayment",
    "ordering": "CreateOrder or GetOrder",
    "orders": "SearchOrders or GetOrder or CancelOrder",
    "paging": "Search",
    "payments": "RecordOrderPayment or GetOrder or Lock",
    "tables_areas": "SearchTables or ListAreas",
}


def about(variant: faults.Variant) -> list[str]:
    """
    The options that run the checks that *variant* is about; of one that is about everything, those of musts.
    """
    if WHOLE:
        return []
    module = variant.layers[0].__module__.rpartition(".")[2]
    # Time is what there is least of: the later option counts.
    return ["--race-rounds=2", "--depth=4", *(["-k", ABOUT[module]] if module in ABOUT else ["-m", "must"])]


def claim(rules: set[str]) -> str:
    """
    The option that claims what *rules* are about: the pages of their capabilities, or everything.

    Claimed, because an EPOS that is broken enough looks as if it offered nothing.
    """
    known = _contracts.capabilities()
    prefixes = {each.partition(".")[0] for each in rules}
    if not prefixes <= set(known):
        return f"--capabilities={EVERY}"
    pages = {known[each].page for each in prefixes} | {"tables", "areas", "orders", "order locks"}
    return "--capabilities=" + ",".join(name for name, each in known.items() if each.page in pages)


def _template(id: str) -> str:
    rule = _rules.rules().get(id)
    return rule.template if rule else id


def _ids(written: str) -> set[str]:
    return {rule.id for rule in _rules.by_template().get(written, ())} | {written}


@pytest.mark.parametrize("name", faults.variants())
def test_variant_is_accused_of_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: RecordProperty
) -> None:
    chosen = about(faults.variants()[name])
    certificate = judge(tmp_path, monkeypatch, *BRIEF, *SPECIAL.get(name, []), *chosen, variants=[name])
    accused = [each for each in certificate["checks"] if each["outcome"] == "violates" and each["level"] != "info"]
    record_property(ACCUSED if accused else UNACCUSED, name)

    assert not accused
    assert not [each for each in certificate["checks"] if each.get("cause") == "suite"]
    if name not in UNPROVEN:
        assert certificate["verdict"] == "conformant"
        assert not [each for each in certificate["checks"] if each["outcome"] == "inconclusive"]


def test_every_rule_that_is_examined_has_a_defect() -> None:
    broken = {_template(id) for defect in faults.defects().values() for id in defect.breaks}

    assert examined() - broken == set()
