"""
Why a check may be ``not-offered``: the suite's reasons are known, and each is held to what has to be so.
"""

from __future__ import annotations

import ast
import re

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _certificate, _contracts, _expected, _suite
from epos_conformance._settings import Dial
from epos_conformance.report import merging
from epos_conformance.report.excuses import EXCUSES, Facts
from epos_conformance.report.rederiving import rederive, unexcused
from epos_conformance.verdict import Outcome

from .signed import (
    made,
)


def raised() -> Iterator[tuple[str, str]]:
    """Each reason that the suite's own code gives for ``not-offered``, with stand-ins for what is filled in."""
    package = Path(_suite.__file__).parent
    paths = [*package.rglob("*.py"), *_suite.CHECKS.glob("test_*.py")]
    for path in paths:
        if {"tests", "sandbox", "reference"} & {*path.relative_to(package.parents[1]).parts}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            if getattr(node.exc.func, "id", "") == "NotOffered" and isinstance(
                node.exc.args[0], (ast.Constant, ast.JoinedStr)
            ):
                yield f"{path.name}:{node.lineno}", said(node.exc.args[0])


def said(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    parts = []
    for each in node.values:
        if isinstance(each, ast.Constant):
            parts.append(str(each.value))
        else:
            assert isinstance(each, ast.FormattedValue)
            parts.append(STAND_INS.get(ast.unparse(each.value), "CreateOrder"))
    return "".join(parts)


STAND_INS = {
    "verb": "aren't",
    "', '.join(missing)": "CreateOrder, ListAreas",
    "self.title": "Pay at Table with locks",
    "'claimed' if access.how_offered == 'claimed' else 'offered'": "offered",
    "thing": "party",
    "what": "set menus",
    "READ": "GetOrderById",
    "paying.READ": "GetOrderById",
    "name": "CreateOrder",
    "method": "PUT",
    "path": "/epos/integrations",
}


def test_every_reason_that_the_suite_gives_is_known() -> None:
    reasons = [*raised()]
    assert len(reasons) > 25
    for where, reason in reasons:
        assert any(pattern.fullmatch(reason) for pattern, _ in EXCUSES), f"{where}: {reason}"


def test_every_reason_that_is_known_is_given() -> None:
    """One that nobody gives would be there for forgers alone."""
    reasons = [reason for _, reason in raised()]
    elsewhere = {r"not examined: there is no Dojo API in this run; .+", r"not examined: .+; pass --flows to insist"}
    for pattern, _ in EXCUSES:
        if pattern.pattern not in elsewhere:
            assert any(pattern.fullmatch(each) for each in reasons), pattern.pattern


NOT_ASKED_TO = "not examined: it may change something at the partner, and the run is --read-only"
UNUSUAL = "rest-CreateOrder.keeps-unusual-texts"
CREATED = "rest-CreateOrder.answer-matches-schema@minimal"
SESSION = "ws-ws.keeps-one-session-at-a-time"


def excused_so(message: str, name: str, offered: tuple[str, ...] = ("CreateOrder",), **settings: Any) -> list[str]:
    """What there is to say against a certificate whose check *name* is not-offered, with this *message*."""
    change = {name: {"outcome": Outcome.NOT_OFFERED, "message": message, "exchanges": []}}
    transport = name.partition("-")[0]
    transports = ("rest",) if transport == "dojo" else (transport,)
    return [*rederive(made(transports, offered=offered, change=change, **settings)).faults]


@pytest.mark.parametrize(
    ("message", "name", "settings"),
    [
        (NOT_ASKED_TO, CREATED, {"read_only": True}),
        ("not examined: unusual bodies are switched off (--depth=0)", UNUSUAL, {"depth": 0}),
        ("nothing of the kind is shown by CreateOrder or by reads, even of usual bodies", UNUSUAL, {}),
        ("only GetOrderById shows what CreateOrder stores, and it isn't offered", CREATED, {}),
        ("needs CreateOrderLock, which isn't offered", CREATED, {}),
        ("A bill, and more needs GetOrderById, ListAreas, which aren't offered", "rest-journeys.bookings", {}),
        ("not examined: the suite dials this EPOS, and dials once", SESSION, {"ws": Dial("wss://till.example")}),
        (
            "not examined: the partner offers every capability that could be asked for",
            "ws-ws.capability-not-offered-is-an-error",
            {"offered": tuple(_contracts.capabilities())},
        ),
        ("GetOrderById isn't offered: the flow 'Get\nOrder' ended with FAILURE", "dojo-flows.ends-in-success", {}),
    ],
)
def test_a_reason_that_holds_is_one(message: str, name: str, settings: dict[str, Any]) -> None:
    assert excused_so(message, name, **settings) == []


@pytest.mark.parametrize(
    ("message", "name", "settings"),
    [
        (NOT_ASKED_TO, CREATED, {}),
        (NOT_ASKED_TO, "rest-SearchTables.answer-matches-schema@minimal", {"read_only": True}),
        ("not examined: unusual bodies are switched off (--depth=0)", UNUSUAL, {"depth": 1}),
        ("nothing of the kind is shown by CreateOrder or by reads, even of usual bodies", CREATED, {}),
        ("only CreateOrder shows what CreateOrder stores, and it isn't offered", CREATED, {}),
        ("A bill needs GetOrderById, CreateOrder, which aren't offered", "rest-journeys.bookings", {}),
        ("not examined: the suite dials this EPOS, and dials once", SESSION, {}),
        (
            "not examined: the partner offers every capability that could be asked for",
            "ws-ws.capability-not-offered-is-an-error",
            {},
        ),
        ("GetOrderById isn't offered: the flow 'x' ended with FAILURE", CREATED, {}),
        ("not examined: --no-flows", "dojo-flows.ends-in-success", {}),
    ],
)
def test_a_reason_that_does_not_hold_is_none(message: str, name: str, settings: dict[str, Any]) -> None:
    offered = ("CreateOrder", "SearchTables")
    assert excused_so(message, name, offered, **settings) == [
        f"{name}: not-offered for a reason that doesn't hold: {message}"
    ]


def test_what_held_in_its_own_run_may_not_hold_for_several_as_one() -> None:
    one, two = (made(offered=[each], only=each) for each in ("ListAreas", "SearchTables"))
    document = merging.merged([one, two])
    results = [_certificate.result(each) for each in document["checks"]]
    facts = Facts(offers={"rest": ["ListAreas", "SearchTables"]}, settings=document["settings"], dojo=False)
    assert unexcused(results, _expected.examinations(["rest"]), facts) == set()

    results = [_certificate.result(each) for each in made(offered=["ListAreas"])["checks"]]
    stale = unexcused(results, _expected.examinations(["rest"]), facts)
    assert len(stale) > 20
    assert all("SearchTables" in each or "journeys" in each for each in stale)


def test_what_is_wrong_with_many_checks_is_told_once() -> None:
    names = [each for each in _expected.names(["rest"]) if "-SearchTables." in each]
    change = {each: {"outcome": Outcome.NOT_OFFERED, "message": "closed", "exchanges": []} for each in names}
    (fault,) = rederive(made(change=change)).faults
    assert re.fullmatch(rf"\S+ and {len(names) - 1} more: not-offered for a reason that doesn't hold: closed", fault)
