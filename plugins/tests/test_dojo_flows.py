"""
Flows are read in every form that the tester tool tells them in, and followed to their end or to the bound.
"""

from __future__ import annotations

import json
import re
import time

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from starlette.responses import JSONResponse, Response

from epos_conformance.dojo import flows
from epos_conformance.dojo.api import DojoApi
from epos_conformance.dojo.flows import Flow, Param, Ran, StepTold
from epos_conformance.exceptions import Inconclusive, Unreachable

from . import fake_dojo
from .fake_dojo import FLOWS, GET_ORDER, ID, FakeDojo, flow, problem, result, step
from .test_published_specifications import SPECIFICATIONS


TOOL = SPECIFICATIONS / "epos-tester-tool.openapi.json"

where_published = pytest.mark.skipif(
    not TOOL.is_file(), reason="the published specifications are not beside this checkout"
)


@pytest.fixture
def dojo(request: pytest.FixtureRequest) -> FakeDojo:
    return fake_dojo.put_up(request)


@pytest.fixture
def api(dojo: FakeDojo) -> Iterator[DojoApi]:
    yield from fake_dojo.connected(dojo.url, patience=0.0)


def text(body: str, status: int = 200, kind: str = "application/json") -> Response:
    return Response(body, status, media_type=kind)


# What is listed


def test_a_list_of_flows_and_a_single_flow_are_read_alike() -> None:
    """The tool's schema says one object, its text says all."""
    expected = (Flow("Get Order", (Param("orderId", "string", True, "An order."),)),)
    assert flows.described([GET_ORDER]) == flows.described(GET_ORDER) == expected


def test_flows_keep_their_order_and_the_first_of_a_name_counts() -> None:
    found = flows.described([flow("b"), flow("a", {"name": "x"}), flow("a"), flow(" a ")])
    assert [each.name for each in found] == ["b", "a", " a "]
    assert [len(each.params) for each in found] == [0, 1, 0]


@pytest.mark.parametrize("name", ['[x]: "a/b"\n\N{SNOWMAN}', "]", "🍕", "a" * 500, "-k all", "\x00\x1b[31m"])
def test_a_flow_may_be_called_anything(name: str) -> None:
    (found,) = flows.described([flow(name)])
    assert found.name == name


@pytest.mark.parametrize(
    "document",
    [None, [], {}, "Get Order", 7, ["Get Order"], [{"title": "x"}], {"name": None}, {"name": " "}, [[GET_ORDER]]],
)
def test_what_describes_no_flow_lists_none(document: Any) -> None:
    assert flows.described(document) == ()


@pytest.mark.parametrize("params", [None, {}, "orderId", {"orderId": {"type": "string"}}, [None, "orderId", [], {}]])
def test_params_that_are_none_are_left_out(params: Any) -> None:
    assert Flow.from_json({"name": "a", "params": params}) == Flow("a")


@pytest.mark.parametrize(
    ("told", "param"),
    [
        ({"name": "a"}, Param("a", "string", False, "")),
        ({"name": "a", "type": None, "required": None, "description": None, "default": None}, Param("a")),
        ({"name": "a", "type": ["x"], "required": "true", "description": 7}, Param("a", "['x']", True, "7")),
        ({"name": "a", "required": "false", "default": 0}, Param("a", default=0)),
        ({"name": "a", "required": 1, "default": {"b": [1]}}, Param("a", default={"b": [1]})),
    ],
)
def test_params_of_odd_types_are_read_as_far_as_they_go(told: Mapping[str, Any], param: Param) -> None:
    assert Flow.from_json({"name": "f", "params": [told]}).params == (param,)


def test_what_the_tool_lists(dojo: FakeDojo, api: DojoApi) -> None:
    found = flows.listed(api)
    assert [each.name for each in found.flows] == ["Get Order"]
    assert found.why is None
    assert [str(each) for each in dojo.asked] == [f"GET {FLOWS}"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (JSONResponse([]), "the EPOS tester tool lists no flows"),
        (JSONResponse({}), "the EPOS tester tool lists no flows"),
        (JSONResponse({"items": []}), 'the EPOS tester tool answered status 200, {"items":[]}, which lists no flow'),
        (text("<html>", kind="text/html"), "the EPOS tester tool answered status 200, <html>, which lists no flow"),
        (text(""), "the EPOS tester tool answered status 200, an empty body, which lists no flow"),
        (Response(status_code=204), "the EPOS tester tool answered status 204, an empty body, which lists no flow"),
    ],
)
def test_where_no_flow_is_listed_it_is_said_why(dojo: FakeDojo, api: DojoApi, answer: Response, why: str) -> None:
    dojo.instead[f"GET {FLOWS}"] = answer
    found = flows.listed(api)
    assert (found.flows, found.why) == ((), why)


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_a_tool_that_refuses_lists_nothing(dojo: FakeDojo, api: DojoApi, status: int) -> None:
    dojo.instead[f"GET {FLOWS}"] = problem(status, "No")
    found = flows.listed(api)
    assert found.flows == ()
    assert found.why is not None
    assert f"answered status {status}, No; traceId" in found.why


# Started


@pytest.mark.parametrize(
    "body", [f'"{ID}"', ID, f" {ID}\n", f"'{ID}'", ID.upper(), ID.replace("-", ""), "1" * 32, f'"{"1" * 32}"']
)
def test_an_id_is_read_with_and_without_quotes(dojo: FakeDojo, api: DojoApi, body: str) -> None:
    dojo.instead[f"POST {FLOWS}"] = text(body)
    assert flows.start(api, Flow("Get Order"), {"orderId": "o"}) == body.strip().strip("\"'")
    assert dojo.asked[0].body == {"flow": "Get Order", "params": {"orderId": "o"}}


@pytest.mark.parametrize("name", ["id", "flowID", "flowId"])
def test_an_id_is_found_in_an_object(dojo: FakeDojo, api: DojoApi, name: str) -> None:
    """No page has it so, and it is clear all the same."""
    dojo.instead[f"POST {FLOWS}"] = JSONResponse({"name": "Get Order", name: ID})
    assert flows.start(api, Flow("Get Order"), {}) == ID


@pytest.mark.parametrize(
    "body", ["", "null", "{}", '{"id": null}', '"started"', "[]", "true", f'"{ID}x"', "12", "<html>"]
)
def test_an_answer_that_is_no_id_is_said(dojo: FakeDojo, api: DojoApi, body: str) -> None:
    dojo.instead[f"POST {FLOWS}"] = text(body)
    with pytest.raises(Inconclusive) as caught:
        flows.start(api, Flow("Get Order"), {})
    assert str(caught.value) == (
        f"the EPOS tester tool started 'Get Order' without telling its id: it answered status 200, "
        f"{body or 'an empty body'}"
    )


def test_a_flow_that_is_not_started_is_said(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[f"POST {FLOWS}"] = problem(400, "Invalid", errors={"params.orderId": ["is required"]})
    with pytest.raises(Inconclusive, match=r"the flow 'Get Order' can't be examined: .*params\.orderId: is required"):
        flows.start(api, Flow("Get Order"), {})


def test_a_flow_is_never_started_twice(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[f"POST {FLOWS}"] = problem(503, "Later")
    with pytest.raises(Inconclusive):
        flows.start(api, Flow("Get Order"), {})
    assert len(dojo.asked) == 1


# Followed


def test_a_flow_is_followed_to_its_end(dojo: FakeDojo, api: DojoApi) -> None:
    going, done = result("IN_PROGRESS", step("a", "IN_PROGRESS")), result("SUCCESS", step("a", "SUCCESS"))
    dojo.results = [going, going, done]
    told: list[str] = []
    ran = flows.follow(api, ID, 5, lambda each: told.append(each.about))
    assert (ran.id, ran.status) == (ID, "SUCCESS")
    assert told == ["IN_PROGRESS, step 1: a"] * 2 + ["SUCCESS, step 1: a"]
    assert {each.path for each in dojo.asked} == {f"{FLOWS}/{ID}"}


def test_a_flow_that_does_not_end_is_given_up_at_the_bound(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.results = [result("IN_PROGRESS")]
    started = time.monotonic()
    ran = flows.follow(api, ID, 0.5, lambda _: None)
    assert ran.status == "IN_PROGRESS"
    # Looked at until then, with longer and longer pauses.
    assert 0.5 <= time.monotonic() - started < 1.5
    assert 3 <= len(dojo.asked) < 10


def test_a_flow_that_ends_just_before_the_bound_is_seen(dojo: FakeDojo, api: DojoApi) -> None:
    started = time.monotonic()
    dojo.instead[f"GET {FLOWS}/{ID}"] = lambda _: JSONResponse(
        result("SUCCESS" if time.monotonic() - started > 0.9 else "IN_PROGRESS")
    )
    assert flows.follow(api, ID, 1.0, lambda _: None).status == "SUCCESS"


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_flow_that_the_tool_has_forgotten_is_said(dojo: FakeDojo, api: DojoApi, status: int) -> None:
    dojo.instead[f"GET {FLOWS}/{ID}"] = [JSONResponse(result("IN_PROGRESS")), problem(status, "Gone")]
    with pytest.raises(Inconclusive, match=rf"the result of the flow {ID} can't be examined: .* status {status}, Gone"):
        flows.follow(api, ID, 5, lambda _: None)


def test_a_tool_that_goes_away_is_said(dojo: FakeDojo) -> None:
    del dojo
    for api in fake_dojo.connected("http://127.0.0.1:1", patience=0.0):
        with pytest.raises(Unreachable, match="the result of the flow"):
            flows.follow(api, ID, 5, lambda _: None)


# What it says


def test_steps_are_read_with_their_times_and_advice() -> None:
    document = result("FAILURE", step("first", "SUCCESS"), step("second", "FAILURE", "register it", "then again"))
    ran = flows.read(document, ID)
    assert ran.name == "Get Order through EPOS Data API"
    assert ran.steps == (
        StepTold("first", "SUCCESS", 1774872000.0, 1774872001.5),
        StepTold("second", "FAILURE", 1774872000.0, 1774872001.5, ("register it", "then again")),
    )
    assert ran.wrong == ran.steps[1]
    assert ran.about == "FAILURE, step 2: second"


@pytest.mark.parametrize("steps", [None, [], "none", {}, 7, [None, "a step", []]])
@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "TIMED_OUT", "IN_PROGRESS"])
def test_a_result_without_steps_has_none(status: str, steps: Any) -> None:
    for document in ({"status": status}, {"status": status, "steps": steps, "flowName": None, "flowID": None}):
        ran = flows.read(document, ID)
        assert (ran.status, ran.name, ran.steps, ran.wrong, ran.about) == (status, "", (), None, status)


@pytest.mark.parametrize(
    "document",
    [None, [], "SUCCESS", {}, result(None), result("CANCELED"), result(["SUCCESS"]), result({})],
)
def test_a_result_of_no_known_status_is_said(document: Any) -> None:
    with pytest.raises(Inconclusive, match=f"the EPOS tester tool tells no status of the flow {ID}: "):
        flows.read(document, ID)


def test_a_status_is_read_in_any_case() -> None:
    assert flows.read(result("success"), ID).status == "SUCCESS"


def test_a_question_is_no_word_of_a_registration() -> None:
    step = failed("Get the order", "The order could not be found by GetOrder, is it registered in your system?")
    assert flows.unregistered(ran(step)) == set()


def test_a_step_of_nulls_is_a_step() -> None:
    nulls = dict.fromkeys(("name", "status", "startedAt", "finishedAt", "additionalInformation"))
    (found,) = flows.read(result("FAILURE", nulls), ID).steps
    assert (found.name, found.status, found.advice) == ("a step without a name", "no status", ())
    assert abs(found.started - time.time()) < 5
    assert found.finished == found.started


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("2024-03-30T12:00:00Z", 1711800000.0),
        ("2024-03-30T12:00:00.1234567Z", 1711800000.123456),
        ("2024-03-30T13:00:00+01:00", 1711800000.0),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("yesterday", None),
        ("", None),
        (1711800000, None),
        (None, None),
    ],
)
def test_times_are_read_as_far_as_they_are_times(told: Any, seconds: float | None) -> None:
    (found,) = flows.read(result("SUCCESS", step("a", "SUCCESS", startedAt=told, finishedAt=told)), ID).steps
    if seconds is None:
        assert found.started > time.time() - 5
    else:
        assert found.started == seconds
    assert found.finished >= found.started


def test_no_step_ends_before_it_began() -> None:
    told = step("a", "SUCCESS", startedAt="2024-03-30T12:00:00Z", finishedAt="2024-03-30T11:00:00Z")
    (found,) = flows.read(result("SUCCESS", told), ID).steps
    assert found.finished == found.started


@pytest.mark.parametrize(
    ("told", "advice"), [("register it", ("register it",)), (["a", None, "", 7], ("a", "7")), ([], ()), (0, ())]
)
def test_advice_is_a_text_or_texts(told: Any, advice: tuple[str, ...]) -> None:
    (found,) = flows.read(result("FAILURE", step("a", "FAILURE", additionalInformation=told)), ID).steps
    assert found.advice == advice


# What it failed for


def ran(*steps: StepTold) -> Ran:
    return Ran(ID, "Get Order", "FAILURE", steps)


def failed(name: str, *advice: str, status: str = "FAILURE") -> StepTold:
    return StepTold(name, status, 0, 0, advice)


@pytest.mark.parametrize(
    ("steps", "missing"),
    [
        ([failed("Check whether GetOrder has been registered", "Register the capability.")], {"GetOrderById"}),
        ([failed("Check the registration", "CreateOrder is not registered")], {"CreateOrder"}),
        ([failed("Check it", "HandleEvent:payment_intent.created isn't registered")], {"HandleEvent"}),
        ([failed("Check it", "Register HandleEvent:payment_intent.created.")], {"HandleEvent"}),
        (
            [failed("What it needs is registered", "register CreateOrderLock, DeleteOrderLock")],
            {"CreateOrderLock", "DeleteOrderLock"},
        ),
        ([failed("Check whether GetOrder has been registered", status="TIMED_OUT")], {"GetOrderById"}),
        ([failed("Check whether Teapot has been registered")], set()),
        ([failed("Call GetOrder", "status 500")], set()),
        ([failed("a", status="SUCCESS"), failed("b")], set()),
        ([failed("Check whether GetOrder has been registered", status="SUCCESS")], set()),
        ([], set()),
    ],
)
def test_capabilities_that_are_not_registered_are_told_from_the_words(steps: list[StepTold], missing: set[str]) -> None:
    assert flows.unregistered(ran(*steps)) == missing


def test_the_first_wrong_step_counts() -> None:
    steps = [
        failed("a", status="SUCCESS"),
        failed("b", status="no status"),
        failed("c", status="TIMED_OUT"),
        failed("d"),
    ]
    wrong = ran(*steps).wrong
    assert wrong is not None
    assert wrong.name == "c"


# As published


def published(name: str) -> Mapping[str, Any]:
    """A schema of the tester tool's description."""
    document = json.loads(TOOL.read_text(encoding="utf-8"))
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


@where_published
@pytest.mark.parametrize("params", [{}, {"orderId": "o-1", "amount": 1, "tags": ["a"], "table": {"id": 1}}])
def test_what_starts_a_flow_is_as_published(dojo: FakeDojo, api: DojoApi, params: Mapping[str, Any]) -> None:
    flows.start(api, Flow("Get Order"), params)
    jsonschema.validate(dojo.asked[0].body, published("RunFlowRequest"))


@where_published
def test_what_the_fake_tool_answers_is_as_published() -> None:
    """So that what is read here is what Dojo writes."""
    jsonschema.validate(GET_ORDER, published("FlowDescription"))
    for status in ("SUCCESS", "FAILURE", "TIMED_OUT", "IN_PROGRESS"):
        jsonschema.validate(result(status, step("a", status, "advice")), published("FlowResult"))
    assert re.fullmatch("[0-9a-f-]{36}", ID)


@where_published
def test_where_the_tool_is_asked_is_where_it_is_published(dojo: FakeDojo, api: DojoApi) -> None:
    flows.listed(api)
    flows.follow(api, flows.start(api, Flow("Get Order"), {}), 5, lambda _: None)
    paths = json.loads(Path(TOOL).read_text(encoding="utf-8"))["paths"]
    known = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    base = "/epos-tester-tool"
    asked = {(each.method, each.path.removeprefix(base).replace(ID, "{flowId}")) for each in dojo.asked}
    assert asked == known
