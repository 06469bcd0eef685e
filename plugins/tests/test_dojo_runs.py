"""
Dojo's side in runs as users have them: whatever the tester tool does, each flow ends in one clear outcome.
"""

from __future__ import annotations

import contextlib
import json

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from starlette.responses import JSONResponse, Response

from epos_conformance import _dojo_reach, _suite
from epos_conformance._dojo_reach import DojoReach
from epos_conformance._record import Access
from epos_conformance._settings import REFERENCE, DojoSettings, Settings
from epos_conformance.reference import launch
from epos_conformance.reference.server import Running

from . import fake_dojo
from .fake_dojo import (
    FLOWS,
    HOUSE,
    ID,
    INTEGRATIONS,
    KEY,
    PRODUCTION_KEY,
    FakeDojo,
    capabilities,
    flow,
    id_of,
    problem,
    step,
)
from .fake_dojo import result as told
from .support import Run, lines, run_suite


CLAIMED = "--capabilities=SearchOrders,GetOrderById"


@pytest.fixture(scope="module")
def epos() -> Iterator[Running]:
    """An EPOS that has never heard of Dojo."""
    with launch.start() as running:
        yield running


@pytest.fixture
def dojo(request: pytest.FixtureRequest) -> FakeDojo:
    return fake_dojo.put_up(request)


def run(
    folder: Path, epos: Running, *arguments: str, dojo: str | None = None, key: str = KEY, select: str = "flows"
) -> Run:
    """A run against *epos* with Dojo at *dojo*."""
    there = [f"--dojo-api={dojo}", f"--partner-api-key={key}", f"--software-house-id={HOUSE}"] if dojo else []
    partner = [f"--partner-url={epos.url}", f"--partner-auth={epos.auth}", CLAIMED]
    found = run_suite(folder, *partner, *there, "-k", select, *arguments)
    schema = _suite.read_json(_suite.REPORTS / "certificate.schema.json")
    jsonschema.Draft202012Validator(schema).validate(found.certificate)
    assert "INTERNALERROR" not in found.output, found.output
    assert "Traceback" not in found.output, found.output
    assert "fault of the suite" not in found.output, found.output
    assert key not in found.output
    assert key not in (folder / "reports" / "certificate.json").read_text(encoding="utf-8")
    return found


def only(run: Run) -> dict[str, Any]:
    """The result of the one flow."""
    found: dict[str, Any]
    (found,) = [each for each in run.certificate["checks"] if each["id"] == "flows.ends-in-success"]
    return found


def outcome(run: Run) -> tuple[str, str]:
    found = only(run)
    return found["outcome"], found["message"]


def allure(run: Run) -> list[dict[str, Any]]:
    paths = (run.folder / "reports" / "allure-results").glob("*-result.json")
    return [json.loads(each.read_bytes()) for each in paths]


# Flows that end in every way there is, by one process and by two


NAMES = ('[x]: "a/b"\n\N{SNOWMAN}', '[x]: "a/b"\n\N{UMBRELLA}', "]", "-k", "a" * 300)

CHECKED = "Check whether {} has been registered"


def scripts() -> dict[str, list[Any] | Response]:
    """What becomes of each flow."""
    bare = Response(id_of("Succeeds"), media_type="text/plain")
    return {
        **{each: [told("SUCCESS")] for each in NAMES},
        "Succeeds": [told("IN_PROGRESS"), told("SUCCESS", step("Call GetOrder", "SUCCESS"))],
        "Has a bare id": bare,
        "Fails": [
            told(
                "FAILURE",
                step(CHECKED.format("GetOrder"), "SUCCESS"),
                step("Call GetOrder", "FAILURE", "The EPOS answered 500.", f"Check the key {KEY}."),
                step("Compare", "IN_PROGRESS", finishedAt=None),
            )
        ],
        "Fails without a word": [{"status": "FAILURE", "steps": None, "flowName": None}],
        "Times out": [told("TIMED_OUT", step("Call GetOrder", "TIMED_OUT", "No answer within 30 s."))],
        "Is not offered": [told("FAILURE", step(CHECKED.format("CreateOrder"), "FAILURE", "Register it."))],
        "Is offered": [told("FAILURE", step(CHECKED.format("GetOrder"), "FAILURE", "Register it."))],
        "Never ends": [told("IN_PROGRESS", step("Wait for the waiter", "IN_PROGRESS"))],
        "Is forgotten": [problem(404, "Not Found")],
        "Tells no status": [{"flowID": ID}],
        "Tells no id": JSONResponse({}),
        "Crashes": problem(500, "Internal Server Error"),
    }


@dataclass(frozen=True, slots=True)
class Seen:
    """
    A run of all these flows, and Dojo that saw it.
    """

    run: Run
    dojo: FakeDojo

    def ended(self, case: str) -> tuple[str, str]:
        found = self.entry(case)
        return found["outcome"], found["message"]

    def entry(self, case: str) -> dict[str, Any]:
        found: dict[str, Any]
        (found,) = [each for each in self.run.certificate["checks"] if each["case"] == case]
        return found


@pytest.fixture(scope="module", params=[[], ["-n", "2"]], ids=["alone", "parallel"])
def seen(request: pytest.FixtureRequest, epos: Running, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    dojo = fake_dojo.put_up(request)
    dojo.by_flow = scripts()
    # Asked once, whatever it says the next time.
    listed = JSONResponse([flow(each) for each in dojo.by_flow])
    dojo.instead[f"GET {FLOWS}"] = [listed, problem(500, "Internal Server Error")]
    folder = tmp_path_factory.mktemp("flows")
    return Seen(run(folder, epos, "--flow-timeout=1.5", *request.param, dojo=dojo.url), dojo)


def test_each_flow_is_run_once_under_its_own_name(seen: Seen) -> None:
    assert sorted(each.body["flow"] for each in seen.dojo.seen("POST", FLOWS)) == sorted(scripts())
    assert len([each for each in seen.dojo.asked if str(each) == f"GET {FLOWS}"]) == 1
    assert seen.run.certificate["dojo"]["flows"] == list(scripts())
    assert seen.run.status == 1
    assert f"Dojo at {seen.dojo.url}, software-house-id {HOUSE}; {len(scripts())} flows" in seen.run.output


def test_each_flow_ends_in_one_outcome(seen: Seen) -> None:
    assert {each["case"]: each["outcome"] for each in seen.run.certificate["checks"]} == {
        **dict.fromkeys(["_x_ _a_b_", "_x_ _a_b_ 2", "_", "-k", "a" * 80], "conforms"),
        **dict.fromkeys(["Succeeds", "Has a bare id"], "conforms"),
        **dict.fromkeys(["Fails", "Fails without a word", "Times out", "Is offered"], "violates"),
        "Is not offered": "not-offered",
        **dict.fromkeys(["Never ends", "Is forgotten", "Tells no status", "Tells no id", "Crashes"], "inconclusive"),
    }


def test_allure_knows_each_flow(seen: Seen) -> None:
    found = allure(seen.run)
    assert len({each["historyId"] for each in found}) == len(found) == len(scripts())


def test_a_failure_shows_the_step_its_advice_and_its_times(seen: Seen) -> None:
    entry = seen.entry("Fails")
    assert "flow 'Fails', step 'Call GetOrder'" in entry["message"]
    assert "FAILURE: The EPOS answered 500. Check the key *****." in entry["message"]
    assert [(each["name"], each["outcome"]) for each in entry["steps"]] == [
        (CHECKED.format("GetOrder"), "conforms"),
        ("Call GetOrder", "violates"),
        ("Compare", "inconclusive"),
    ]
    failed = entry["steps"][1]
    assert failed["messages"] == ["FAILURE", "The EPOS answered 500.", "Check the key *****."]
    assert (failed["started"], failed["finished"]) == (1774872000.0, 1774872001.5)
    assert "The EPOS answered 500." in seen.run.output


def test_a_failures_steps_are_steps_of_allures(seen: Seen) -> None:
    (shown,) = [each for each in allure(seen.run) if each["name"] == "flows.ends-in-success@Fails over dojo"]
    assert [(each["name"], each["status"]) for each in shown["steps"][:3]] == [
        (CHECKED.format("GetOrder"), "passed"),
        ("Call GetOrder", "failed"),
        ("Compare", "broken"),
    ]
    failed = shown["steps"][1]
    assert (failed["start"], failed["stop"]) == (1774872000000, 1774872001500)
    assert "The EPOS answered 500." in failed["statusDetails"]["message"]
    assert KEY not in json.dumps(shown)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("Succeeds", ["Get Order through EPOS Data API: 1 steps"]),
        ("Fails without a word", ["flow 'Fails without a word'", "FAILURE, without a word on why"]),
        ("Times out", ["step 'Call GetOrder'", "TIMED_OUT: No answer within 30 s."]),
        ("Is not offered", ["CreateOrder isn't offered: the flow 'Is not offered' ended with FAILURE"]),
        ("Is offered", ["FAILURE: Register it.", "likely cause: it is offered but not registered"]),
        ("Never ends", ["'Never ends' did not end within 1.5 s (--flow-timeout): IN_PROGRESS, step 1: Wait for the"]),
        (
            "Is forgotten",
            [f"result of the flow {id_of('Is forgotten')} can't be examined: ", "status 404, Not Found"],
        ),
        ("Tells no status", ["the EPOS tester tool tells no status of the flow "]),
        (
            "Tells no id",
            ["tool started 'Tells no id' without telling its id: it answered status 200, {}"],
        ),
        ("Crashes", ["the flow 'Crashes' can't be examined: ", "status 500, Internal Server Error; traceId"]),
    ],
)
def test_what_became_of_a_flow_is_told(seen: Seen, case: str, words: list[str]) -> None:
    message = seen.entry(case)["message"]
    assert all(each in message for each in words), message


def test_progress_is_told_meanwhile(seen: Seen) -> None:
    assert lines(seen.run.output, ["Never ends: IN_PROGRESS, step 1: Wait for the waiter ("]), seen.run.output
    assert not lines(seen.run.output, ["Succeeds: "])


# The parties to it


def test_a_single_flow_is_understood(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    dojo.flows = dict(fake_dojo.GET_ORDER)
    found = run(tmp_path, epos, dojo=dojo.url)
    assert found.status == 0, found.output
    assert only(found)["case"] == "Get Order"
    assert dojo.seen("POST", FLOWS)[0].body["params"]["orderId"]


def test_a_partner_that_registered_nothing_is_told_what_to_do(tmp_path: Path, epos: Running) -> None:
    """As in the published example: the advice is the sandbox's."""
    found = run(tmp_path, epos, "--dojo-api=sandbox", select="flows and Order")
    (entry,) = [each for each in found.certificate["checks"] if each["case"] == "Get Order"]
    assert found.status == 1
    assert entry["outcome"] == "violates"
    assert "step 'Check whether GetOrder has been registered'" in entry["message"]
    (step,) = entry["steps"]
    assert step["messages"][0] == "FAILURE"
    advice = " ".join(step["messages"][1:])
    assert "/epos/integrations" in advice
    assert advice in entry["message"]
    assert advice in found.output


# A tool that doesn't work


def test_a_tool_that_refuses_the_key_is_told_once(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    dojo.instead[f"GET {FLOWS}"] = problem(401, "Unauthorized", detail=f"{KEY} is unknown")
    found = run(tmp_path, epos, dojo=dojo.url)
    kind, message = outcome(found)
    assert (kind, found.status) == ("inconclusive", 1)
    assert message == (
        f"the EPOS tester tool can't be examined: {dojo.url}{FLOWS} answered status 401, Unauthorized: ***** is "
        "unknown; traceId 00-4bf9-00f0-00; check the key (--partner-api-key, DOJO_API_KEY) and --software-house-id"
    )


def test_an_epos_that_is_down_breaks_no_flow(tmp_path: Path) -> None:
    """Dojo can't reach it either, and that says nothing of how it would answer."""
    down = Running("http://127.0.0.1:9", "dojo:reference", lambda: None)
    found = run(tmp_path, down, "--dojo-api=sandbox", "--register", select="flows")
    assert {each["outcome"] for each in found.certificate["checks"] if each["page"] == "flows"} == {"inconclusive"}
    assert any("the EPOS can't be reached from here: " in each["message"] for each in found.checks("inconclusive"))


def test_flows_are_run_where_the_registration_cannot_be_read(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    """The tester tool is a service of its own."""
    dojo.instead[f"GET {INTEGRATIONS}"] = problem(404, "Not Found")
    found = run(tmp_path, epos, dojo=dojo.url, select="flows or registration")
    assert {each["outcome"] for each in found.certificate["checks"] if each["page"] == "flows"} == {"conforms"}
    assert {each["outcome"] for each in found.certificate["checks"] if each["page"] == "registration"} == {
        "inconclusive"
    }


def test_dojo_that_refuses_the_key_is_told_once(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    dojo.instead[f"GET {INTEGRATIONS}"] = problem(401, "Unauthorized", detail=f"{KEY} is unknown")
    found = run(tmp_path, epos, dojo=dojo.url, select="flows or registration")
    assert found.status == 1
    (message,) = {each["message"] for each in found.checks("inconclusive")}
    assert "answered status 401, Unauthorized: ***** is unknown" in message
    assert "blocked" in found.certificate["dojo"]


def test_a_tool_that_lists_no_flows_is_inconclusive(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    dojo.flows = []
    found = run(tmp_path, epos, dojo=dojo.url)
    assert (*outcome(found), found.status) == ("inconclusive", "the EPOS tester tool lists no flows", 1)


# Parameters


def test_an_unknown_parameter_is_named_and_then_given(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    colour = {"name": "teapotColour", "type": "string", "required": True, "description": "Of the teapot."}
    dojo.flows = [flow("Make tea", colour)]
    missing = run(tmp_path, epos, dojo=dojo.url)
    assert outcome(missing) == (
        "inconclusive",
        "the flow 'Make tea' can't be started, a required parameter is missing: teapotColour (string: Of the teapot.; "
        "its name says nothing to the suite); name it under [flow-params] in partner.toml",
    )
    assert not dojo.seen("POST", FLOWS)
    (tmp_path / "partner.toml").write_text('[flow-params]\nteapotColour = "blue"\n', encoding="utf-8")
    given = run(tmp_path, epos, dojo=dojo.url)
    assert given.status == 0, given.output
    assert dojo.seen("POST", FLOWS)[0].body == {"flow": "Make tea", "params": {"teapotColour": "blue"}}


# What is left out


def test_flows_can_be_left_out(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    found = run(tmp_path, epos, "--no-flows", dojo=dojo.url)
    assert outcome(found) == ("not-offered", "not examined: --no-flows")
    assert not dojo.seen("GET", FLOWS)


def test_a_run_that_only_reads_runs_no_flows(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    found = run(tmp_path, epos, "--read-only", dojo=dojo.url)
    kind, message = outcome(found)
    assert kind == "not-offered"
    assert "--read-only" in message
    assert {each.method for each in dojo.asked} == {"GET"}


def test_in_production_nothing_but_get_arrives(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    """Of the whole suite, with all that wants to change something."""
    dojo.integrations["rest"] = [{"url": epos.url, "capabilities": capabilities("GetOrderById")}]
    found = run(
        tmp_path,
        epos,
        "--allow-production",
        "--flows",
        "--register",
        dojo=dojo.url,
        key=PRODUCTION_KEY,
        select="flows or registration or Payment or GetOrderById or journeys or pos-events",
    )
    assert dojo.asked
    assert {each.method for each in dojo.asked} == {"GET"}
    assert {each.headers["authorization"] for each in dojo.asked} == {f"Basic {PRODUCTION_KEY}"}
    assert found.certificate["settings"]["allow-production"] is True
    assert "may change something in production; see --allow-production-changes" in found.output


def test_production_is_refused_unless_allowed(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    found = run_suite(
        tmp_path,
        f"--partner-url={epos.url}",
        f"--dojo-api={dojo.url}",
        f"--partner-api-key={PRODUCTION_KEY}",
        f"--software-house-id={HOUSE}",
    )
    assert found.status == 4
    assert "the key is one for production (sk_prod_)" in found.output
    assert PRODUCTION_KEY not in found.output
    assert dojo.asked == []


# Registration


def test_what_is_claimed_is_registered_and_what_was_there_put_back(
    tmp_path: Path, epos: Running, dojo: FakeDojo
) -> None:
    before = {"url": "https://till.example/dojo", "capabilities": capabilities("GetOrder", "ListAreas", version="1")}
    dojo.integrations["rest"] = [before]
    found = run(tmp_path, epos, "--register", "--restore-registration", dojo=dojo.url, select="registration")
    put, back = (each.body for each in dojo.seen("PUT"))
    user, _, password = epos.auth.partition(":")
    credentials = {"authType": "basic", "basic": {"username": user, "password": password}}
    assert put == {
        "url": epos.url,
        "auth": credentials,
        "capabilities": [{"name": each, "version": "v1"} for each in ("GetOrderById", "SearchOrders")],
    }
    assert back == {
        "url": "https://till.example/dojo",
        "auth": credentials,
        "capabilities": [{"name": each, "version": "1"} for each in ("GetOrder", "ListAreas")],
    }
    assert "registered over rest: added SearchOrders; removed ListAreas" in found.output
    assert "put back what was registered over rest before" in found.output
    assert "registration.can-be-retrieved" in found.rules("conforms")


def test_every_fault_of_a_registration_is_found(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    names = ("GetOrderBill", "CreateOrderLock", "Teapot", "AddOrderItems", "SearchTables")
    dojo.integrations["rest"] = [
        {"url": "http://till.example/{teapotId}", "capabilities": capabilities(*names, version="1.0.0")}
    ]
    found = run(tmp_path, epos, dojo=dojo.url, select="registration and not answer and not offers")
    assert found.rules("violates") == {
        f"registration.{each}"
        for each in (
            "has-only-known-names",
            "has-no-preview-capability",
            "uses-the-current-names",
            "version-is-the-documented-one",
            "has-the-lock-capabilities-together",
            "url-is-https",
            "url-is-base-or-template",
            "completes-a-product",
        )
    }
    assert found.rules("conforms") == {"registration.can-be-retrieved"}
    assert not found.checks("inconclusive")


def test_a_registration_in_good_order_has_no_fault(tmp_path: Path, epos: Running, dojo: FakeDojo) -> None:
    names = ("SearchOrders", "GetOrderById", "RecordOrderPaymentById")
    dojo.integrations["rest"] = [{"url": epos.url, "capabilities": capabilities(*names)}]
    dojo.integrations["ws"] = [{"capabilities": []}]
    found = run(tmp_path, epos, "--no-flows", dojo=dojo.url, select="registration and not covers")
    assert {each["outcome"] for each in found.certificate["checks"]} == {"conforms"}, found.output
    assert found.status == 0


# Reaching it, in this process: there is no run that may ask Dojo itself


TILL = Access("http://till.example", "dojo:hunter2-of-the-till")


@pytest.mark.parametrize(
    ("url", "is_near"),
    [("http://127.0.0.1:8900", True), ("http://localhost:8900", True), ("https://dojo.example", False)],
)
def test_the_reference_has_no_business_with_a_dojo_elsewhere(url: str, is_near: bool, tmp_path: Path) -> None:
    """It would take the place of what the partner registered there."""
    settings = Settings(url=REFERENCE, api_key=KEY, software_house_id=HOUSE, dojo=DojoSettings(url=url, register=True))
    with contextlib.ExitStack() as stack:
        found = DojoReach(settings, stack)
        found.open(tmp_path, None, "")
    assert found.nearby == (url if is_near else None)


def test_the_reference_is_registered_nowhere_else(
    tmp_path: Path, dojo: FakeDojo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DojoReach, "nearby", None)
    settings = Settings(
        url=REFERENCE, api_key=KEY, software_house_id=HOUSE, dojo=DojoSettings(url=dojo.url, register=True)
    )
    with contextlib.ExitStack() as stack:
        found = DojoReach(settings, stack)
        found.open(tmp_path, None, "")
        found.register({"rest": TILL})
    assert not dojo.seen("PUT", f"{INTEGRATIONS}/rest")
    assert "nothing is registered: the reference EPOS is for a sandbox on this machine alone" in found.notes


def reach(url: str, folder: Path, *, key: str = KEY, claimed: tuple[str, ...] | None = None, **more: Any) -> DojoReach:
    """Dojo as a run reaches it."""
    settings = Settings(
        url=TILL.url,
        auth=TILL.auth,
        api_key=key,
        software_house_id=HOUSE,
        capabilities=claimed,
        dojo=DojoSettings(url=url, **more),
    )
    with contextlib.ExitStack() as stack:
        found = DojoReach(settings, stack)
        found.open(folder, None, "")
        found.register({"rest": TILL})
    return found


def test_what_is_registered_stays_unless_it_is_to_be_put_back(tmp_path: Path, dojo: FakeDojo) -> None:
    found = reach(dojo.url, tmp_path, claimed=("GetOrderById",), register=True)
    assert found.notes == ["registered over rest: added GetOrderById"]
    assert found.restore() == []
    assert len(dojo.seen("PUT")) == 1


def test_where_nothing_was_registered_nothing_can_be_put_back(tmp_path: Path, dojo: FakeDojo) -> None:
    found = reach(dojo.url, tmp_path, claimed=("GetOrderById",), register=True, restore=True)
    assert found.restore() == ["nothing was registered over rest before, and Dojo has no way to go back to that"]
    assert len(dojo.seen("PUT")) == 1


def test_what_can_not_be_put_back_is_told(tmp_path: Path, dojo: FakeDojo) -> None:
    dojo.integrations["rest"] = [{"url": "https://till.example", "capabilities": capabilities("GetOrder")}]
    found = reach(dojo.url, tmp_path, claimed=("GetOrderById",), register=True, restore=True)
    dojo.instead[f"PUT {INTEGRATIONS}/rest"] = problem(500, "Oops")
    (note,) = found.restore()
    assert note.startswith("what was registered over rest before could not be put back: ")
    assert "status 500, Oops" in note


def test_who_claims_nothing_registers_nothing(tmp_path: Path, dojo: FakeDojo) -> None:
    found = reach(dojo.url, tmp_path, register=True)
    assert found.notes == ["nothing is registered: --register takes what is claimed with --capabilities or --product"]
    assert not dojo.seen("PUT")


def test_a_registration_that_is_refused_is_told_without_the_password(tmp_path: Path, dojo: FakeDojo) -> None:
    dojo.instead[f"PUT {INTEGRATIONS}/rest"] = lambda asked: problem(400, "Invalid", detail=json.dumps(asked.body))
    found = reach(dojo.url, tmp_path, claimed=("GetOrderById",), register=True, restore=True)
    assert found.access is not None
    assert found.access.blocked is not None
    assert "answered status 400, Invalid: " in found.access.blocked
    assert "*****" in found.access.blocked
    assert "hunter2-of-the-till" not in found.access.blocked
    assert found.restore() == []


def test_dojo_that_is_down_is_told_once_it_was_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dojo_reach, "PATIENCE", 0.2)
    found = reach("http://127.0.0.1:1", tmp_path)
    assert found.access is not None
    assert found.access.blocked is not None
    assert found.access.blocked.startswith(
        "the registration can't be examined: can't connect to http://127.0.0.1:1/epos/integrations: "
    )
    assert found.notes == []


def test_a_key_alone_holds_nothing_against_anybody(tmp_path: Path) -> None:
    found = reach("http://127.0.0.1:1", tmp_path, asked=False)
    assert found.access is None
    assert found.why.startswith("not examined: the registration can't be examined: can't connect to http://127.0.0.1:1")
    assert found.why.endswith("; pass --flows to insist")
    (note,) = found.notes
    assert note.startswith("Dojo isn't asked: the registration can't be examined: can't connect to")


def test_a_key_alone_that_is_refused_is_a_note(tmp_path: Path, dojo: FakeDojo) -> None:
    dojo.instead[f"GET {INTEGRATIONS}"] = problem(401, "Unauthorized", detail=KEY)
    found = reach(dojo.url, tmp_path, asked=False)
    assert found.access is None
    (note,) = found.notes
    assert "status 401, Unauthorized: *****" in note
    assert len(dojo.asked) == 1


def test_a_key_alone_that_is_good_runs_the_flows(tmp_path: Path, dojo: FakeDojo) -> None:
    dojo.integrations["rest"] = [{"capabilities": capabilities("GetOrder")}]
    found = reach(dojo.url, tmp_path, asked=False)
    assert found.access is not None
    assert list(found.access.cases()) == ["Get Order"]
    assert found.registered("rest") == ("GetOrderById",)
    assert found.notes == []
    assert found.restore() == []
