"""
What a certificate says of its run is what the run was asked for, whoever signed it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from epos_conformance._settings import REFERENCE, DojoSettings, Settings
from epos_conformance.report.rederiving import rederive
from epos_conformance.sandbox import catalogue
from epos_conformance.verdict import Outcome

from .signed import (
    CHECKED,
    URL,
    Document,
    entry,
    made,
    part,
)


Edit = Callable[[Document], object]

LATER = "2999-01-01"
RULE = "SearchTables.answer-matches-schema"


def set_to(name: str, value: Any) -> Edit:
    return lambda it: it["settings"].update({name: value})


def dojo(**told: Any) -> Edit:
    """With a Dojo that says this of itself, for settings that name a sandbox."""

    def edit(it: Document) -> None:
        it["settings"].update(Settings(dojo=DojoSettings())._dojo_shown(DojoSettings()))
        it["dojo"] = {"url": "http://127.0.0.1:8080", "sandbox": True, "flows": ["Get Order"], **told}

    return edit


def both(one: Edit, other: Edit) -> Edit:
    def edit(it: Document) -> None:
        one(it)
        other(it)

    return edit


def of_the_reference(it: Document) -> None:
    it["settings"]["partner-url"] = REFERENCE


def without_a_transport(it: Document) -> None:
    it["partner"]["transports"] = []
    it["settings"]["partner-url"] = None


def changed(**told: Any) -> Edit:
    check = {"id": "ListAreas.answer-matches-schema", "case": "minimal", "transport": "rest", "level": "must"}
    since = {"finishedAt": "2026-01-01T00:00:00Z", "verdict": "conformant", "suite": "1"}

    def edit(it: Document) -> None:
        one = {**check, "kind": "fixed", "before": "violates", "after": "conforms", **told}
        it["changes"] = {"since": since, "worse": False, "checks": [one]}

    return edit


def waiver(state: str, until: str = LATER, rule: str = "ListAreas.answer-matches-schema") -> Edit:
    return lambda it: it["waivers"].append({"rule": rule, "reason": "known", "until": until, "state": state})


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (without_a_transport, "the transports are none"),
        (lambda it: it["partner"].update(url="https://elsewhere.example"), "the partner is at https://elsewhere"),
        (lambda it: it["settings"].pop("depth"), "the settings leave out depth"),
        (lambda it: it["settings"].clear(), "the settings leave out allure-report, capabilities"),
        (set_to("dojo-api", "sandbox"), "the settings leave out allow-production, allow-production-changes"),
        (set_to("dojo-api", "sandbox"), "the settings name Dojo's API at sandbox, and there is none"),
        (set_to("dojo-api", "https://dojo.example"), "the settings name Dojo's API at https://dojo.example"),
        (set_to("capabilities", "all"), "the settings: capabilities is no list"),
        (set_to("product", "all"), "the settings: product is no list"),
        (set_to("product", ["bookings"]), "the partner's products are not those of the settings"),
        (lambda it: it["partner"].update(products=["bookings"]), "the partner's products are not those"),
        (
            both(set_to("product", ["qr-pay"]), lambda it: it["partner"].update(products=["qr-pay"])),
            "qr-pay is claimed, and without GetOrderById, RecordOrderPaymentById, SearchOrders",
        ),
        (set_to("capabilities", ["ListAreas"]), "offered over rest and not claimed: SearchTables"),
        (lambda it: it["partner"].update(offer="registered"), "the offer is what was registered, and there is no Dojo"),
        (lambda it: it.update(dojo={"url": URL, "sandbox": False, "flows": []}), "and the settings name none"),
        (dojo(sandbox=False), "the settings name a sandbox, and the certificate Dojo itself"),
        (both(dojo(), set_to("dojo-api", "https://dojo.example")), "Dojo's API is at http://127.0.0.1:8080, and the"),
        (
            both(dojo(url="https://api.dojo.tech"), set_to("dojo-api", "https://api.dojo.tech")),
            "Dojo's own API is no sandbox",
        ),
        (dojo(flows=["Get Order", "Get Tips"]), "the sandbox has no flow 'Get Tips'"),
        (dojo(flows=["List Areas"]), "the sandbox lists 'Get Order', too"),
        (both(dojo(), lambda it: it["partner"].update(offer="registered")), "the sandbox lists 'List Areas', too"),
        (both(dojo(flows=[*catalogue.flows()][:5]), of_the_reference), ", too"),
        (both(of_the_reference, both(dojo(), set_to("register", True))), "the sandbox lists 'List Areas', too"),
        (both(dojo(), set_to("register", True)), "the sandbox lists 'List Areas', too"),
        (both(dojo(), set_to("flows", False)), "the flows are listed, and none were asked for"),
        (both(dojo(), set_to("read-only", True)), "the flows are listed, and none were asked for"),
        (dojo(blocked="nobody there"), "the flows are listed, and none were asked for"),
        (lambda it: it.update(finishedAt="2020-01-01T00:00:00Z"), "the run finished before it started"),
        (waiver("used"), "the waiver of ListAreas.answer-matches-schema: used, which is wrong"),
        (waiver("ended"), "the waiver of ListAreas.answer-matches-schema: ended, which is wrong"),
        (waiver("not-examined"), "the waiver of ListAreas.answer-matches-schema: not-examined, which is wrong"),
        (waiver("unused", rule=RULE), f"the waiver of {RULE}: unused, which is wrong"),
        (waiver("unused", rule="a.b"), "the waiver of a.b: unused, which is wrong"),
        (changed(id="ListAreas.nonsense"), "rest-ListAreas.nonsense@minimal is said to be conforms, and it is left"),
        (changed(after="violates"), "is said to be violates, and it is conforms"),
        (changed(kind="violated"), "is said to be violated, and it is conforms"),
        (changed(kind="gone"), "is said to be gone, and it is conforms"),
        (changed(level="info"), "the changes: the level of rest-ListAreas.answer-matches-schema@minimal is not that"),
    ],
)
def test_what_was_never_asked_for_is_no_run(edit: Edit, said: str) -> None:
    document = part()
    assert rederive(document).faults == []
    edit(document)
    assert said in "\n".join(rederive(document).faults)


def of_two_transports(it: Document) -> None:
    """As if SearchTables had been claimed over REST alone."""
    for each in it["checks"]:
        if each["capability"] == "SearchTables" and each["transport"] == "ws":
            each.update(outcome="not-offered", message="SearchTables isn't claimed", exchanges=[])
    del next(each for each in it["capabilities"] if each["name"] == "SearchTables")["transports"]["ws"]


def test_what_is_claimed_is_claimed_over_each_transport() -> None:
    document = made(("rest", "ws"), only=".answer-matches-schema")
    assert rederive(document).faults == []
    of_two_transports(document)
    assert "claimed and not offered over ws: SearchTables" in rederive(document).faults


def test_of_runs_as_one_each_may_have_claimed_its_own() -> None:
    document = made(("rest", "ws"), only=".answer-matches-schema")
    of_two_transports(document)
    document["settings"]["partner-ws-timeout"] = [None, 60.0]
    assert not any("over ws" in each for each in rederive(document).faults)


@pytest.mark.parametrize(
    "edit",
    [
        dojo(),
        both(dojo(flows=[]), set_to("flows", False)),
        dojo(flows=[], blocked="nobody there"),
        both(dojo(flows=["Get Order", "List Areas", "Search Tables"]), set_to("register", True)),
        both(dojo(flows=[*catalogue.flows()]), of_the_reference),
        both(dojo(sandbox=True), set_to("dojo-api", "http://127.0.0.1:8080")),
        both(dojo(sandbox=False, flows=["Anything"]), set_to("dojo-api", "http://127.0.0.1:8080")),
        both(dojo(), set_to("dojo-api", [None, "sandbox"])),
        waiver("unused"),
        waiver("not-examined", rule=RULE),
        waiver("ended", "2020-01-01"),
        waiver("unknown", rule="a.b"),
        changed(),
        changed(id="ListAreas.nonsense", kind="gone", after=None),
        changed(id=RULE, kind="gone", before="conforms", after=None),
    ],
)
def test_what_can_be_is_not_doubted(edit: Edit) -> None:
    document = part()
    edit(document)
    # The flows, the other transport and whatever else comes with it: nothing of that is there.
    doubts = ("left out", "the transports are", "the selection is said", "leave out")
    assert [each for each in rederive(document).faults if not any(known in each for known in doubts)] == []


def test_what_is_newly_violated_makes_it_worse() -> None:
    document = made(only="SearchTables.answer-matches", change={CHECKED: {"outcome": Outcome.VIOLATES, "message": "x"}})
    since = {"finishedAt": "2026-01-01T00:00:00Z", "verdict": "conformant", "suite": "1"}
    told = {name: entry(document)[name] for name in ("id", "case", "transport", "level")}
    one = {**told, "kind": "violated", "before": "conforms", "after": "violates"}
    document["changes"] = {"since": since, "worse": True, "checks": [one]}
    assert rederive(document).faults == []
    document["changes"]["worse"] = False
    assert rederive(document).faults == ["the changes: something is newly violated, and nothing is said to be worse"]


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_run_at_the_end_of_time_is_no_crash(instant: str) -> None:
    waived = {"outcome": Outcome.VIOLATES, "message": "x", "waiver": {"reason": "known", "until": LATER}}
    document = made(only="SearchTables.answer-matches", change={CHECKED: waived})
    document["waivers"] = [{"rule": RULE, "reason": "known", "until": LATER, "state": "used"}]
    assert rederive(document).faults == []
    for name in ("startedAt", "finishedAt"):
        document[name] = instant
    assert isinstance(rederive(document).faults, list)
