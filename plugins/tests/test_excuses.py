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

from epos_conformance import _certificate, _contracts, _expected, _rules, _suite
from epos_conformance._masking import MASK, Masker
from epos_conformance._settings import Dial, DojoSettings
from epos_conformance.report import merging
from epos_conformance.report.excuses import ABSENT, EXCUSES, FLOW, Facts, _matches, excused
from epos_conformance.report.needs import by_template
from epos_conformance.report.rederiving import rederive, unexcused
from epos_conformance.verdict import Outcome

from .needing import needed
from .signed import (
    NO_DOJO,
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


#: Of a capability of its own, and of a journey; both are put together where they are compared.
OWN = ("CreateOrder isn't offered", f"{MASK} needs CreateOrder, ListAreas, which aren't offered")
FORMS = [
    *OWN,
    FLOW.format(absent="CreateOrder"),
    *(each.format(absent=name, own="CreateOrder") for each in ABSENT for name in _contracts.capabilities()),
    *(each.form for each in EXCUSES),
    "no order carries CreateOrder, which is optional",
]


def test_every_reason_that_the_suite_gives_is_known() -> None:
    reasons = [*raised()]
    assert len(reasons) > 25
    for where, reason in reasons:
        assert any(_matches(form, reason) for form in FORMS), f"{where}: {reason}"


def test_every_reason_that_is_known_is_given() -> None:
    """One that nobody gives would be there for forgers alone."""
    reasons = [reason for _, reason in raised()]
    given_elsewhere = ("there is no Dojo API in this run", "pass --flows to insist")
    for form in (each.form for each in EXCUSES):
        if not any(each in form for each in given_elsewhere):
            assert any(_matches(form, each) or _matches(_told(form), each) for each in reasons), form
    for form in ABSENT:
        filled = [form.format(absent=each, own="CreateOrder") for each in _contracts.capabilities()]
        assert any(each in reasons for each in filled) or "reservation" in form, form


def _told(form: str) -> str:
    """*form* as `raised` has it, where it is of two members of an order."""
    return form.replace("paidAmount", "CreateOrder").replace("tipsAmount", "CreateOrder")


def test_what_a_check_needs_is_read_off_the_checks() -> None:
    """Whatever a check may miss excuses it, and nothing else does."""
    read = needed()
    table = by_template()
    assert len(table) > 80
    assert {name: {*each} for name, each in table.items()} == read
    assert {*table} <= {*_rules.by_template()}


NOT_ASKED_TO = "not examined: it may change something at the partner, and the run is --read-only"
PRODUCTION = "not examined: POST /epos may change something in production; see --allow-production-changes"
FLOW_ENDED = "dojo-flows.ends-in-success"
UNUSUAL = "rest-CreateOrder.keeps-unusual-texts"
LOCKED = "rest-GetOrderById.answers-while-the-order-is-locked"
STORED = "rest-CreateOrder.refused-requests-store-nothing"
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
        ("only SearchOrders shows what CreateOrder stores, and it isn't offered", STORED, {}),
        ("GetOrderById isn't offered", "rest-CreateOrder.can-be-fetched", {}),
        ("needs CreateOrderLock, which isn't offered", LOCKED, {"offered": ("GetOrderById",)}),
        (
            "Bookings needs CreateParty, UpdateParty, which aren't offered",
            "rest-journeys.bookings",
            {"offered": tuple({*_contracts.capabilities()} - {"CreateParty", "UpdateParty"})},
        ),
        ("not examined: the suite dials this EPOS, and dials once", SESSION, {"ws": Dial("wss://till.example")}),
        (
            "not examined: the partner offers every capability that could be asked for",
            "ws-ws.capability-not-offered-is-an-error",
            {"offered": tuple(_contracts.capabilities())},
        ),
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
        ("only SearchOrders shows what CreateOrder stores, and it isn't offered", CREATED, {}),
        ("CreateParty isn't claimed", CREATED, {}),
        ("GetOrderById isn't claimed", "rest-CreateOrder.can-be-fetched", {}),
        ("needs CreateParty, which isn't offered", CREATED, {}),
        ("Bookings needs CreateParty, which isn't offered", "rest-journeys.bookings", {}),
        ("Bookings needs CreateParty, which isn't offered", CREATED, {}),
        (NO_DOJO, CREATED, {}),
        ("not examined: nobody is there; pass --flows to insist", FLOW_ENDED, {}),
        (PRODUCTION, FLOW_ENDED, {"dojo": DojoSettings()}),
        ("not examined: unusual bodies are switched off (--depth=0)", CREATED, {"depth": 0}),
        (f"not examined: {MASK} are switched off", CREATED, {"auth": "till:unusual bodies"}),
        (MASK, CREATED, {"auth": "till:CreateParty isn't claimed"}),
        ("nothing that shows an order is offered", CREATED, {}),
        ("not examined: the suite dials this EPOS, and dials once", SESSION, {}),
        (
            "not examined: the partner offers every capability that could be asked for",
            "ws-ws.capability-not-offered-is-an-error",
            {},
        ),
        ("GetOrderById isn't offered: the flow 'x' ended with FAILURE", CREATED, {}),
        ("GetOrderById isn't offered: the flow 'x' ended with FAILURE", FLOW_ENDED, {}),
        ("not examined: --no-flows", FLOW_ENDED, {}),
    ],
)
def test_a_reason_that_does_not_hold_is_none(message: str, name: str, settings: dict[str, Any]) -> None:
    offered = ("CreateOrder", "SearchTables")
    fault = f"{name}: not-offered for a reason that doesn't hold: {message}"
    assert fault in excused_so(message, name, offered, **settings)


@pytest.mark.parametrize(
    ("secret", "message", "name"),
    [
        ("Dojo", NO_DOJO, FLOW_ENDED),
        ("isn't", "CreateParty isn't claimed", "rest-CreateParty.answer-matches-schema@minimal"),
        ("GetOrderById", "needs GetOrderById, which isn't offered", "rest-CreateOrder.can-be-fetched"),
        ("which", "Bookings needs {}, which aren't offered", "rest-journeys.bookings"),
        ("the", "no other status is known that the partner takes: the end", "rest-UpdateParty.changes-the-status"),
    ],
)
def test_a_secret_that_is_a_word_of_a_reason_leaves_it_one(secret: str, message: str, name: str) -> None:
    offered = tuple({*_contracts.capabilities()} - {"GetOrderById", "CreateParty"})
    missing = "CreateParty, GetOrderById"
    masked = Masker([secret])(message.format(missing))
    assert MASK in masked
    assert excused_so(masked, name, offered, auth=f"till:{secret}") == []
    fault = f"{name}: not-offered for a reason that doesn't hold: {masked}"
    assert excused_so(masked, name, offered) == [fault]


@pytest.mark.parametrize(
    ("message", "holds"),
    [
        ("GetOrderById isn't offered: the flow 'Get\nOrder' ended with FAILURE", True),
        ("CreateParty, GetOrderById isn't offered: the flow 'x' ended with FAILURE", True),
        (f"GetOrderById {MASK} offered: the flow 'x' ended with FAILURE", True),
        ("CreateOrder isn't offered: the flow 'x' ended with FAILURE", False),
        ("CreateOrder, GetOrderById isn't offered: the flow 'x' ended with FAILURE", False),
        ("Nothing isn't offered: the flow 'x' ended with FAILURE", False),
    ],
)
def test_a_flow_is_excused_by_what_is_not_offered(message: str, holds: bool) -> None:
    examination = _expected.examinations(["rest"], ["Get Order"])["dojo-flows.ends-in-success@Get Order"]
    facts = Facts(offers={"rest": ["CreateOrder"]}, settings={"partner-auth": f"till:{MASK}"}, dojo=True)
    assert excused(message, examination, facts) is holds


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
