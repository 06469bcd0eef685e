"""
What the sandbox answers is what Dojo's published descriptions say, and it takes their examples for requests.
"""

from __future__ import annotations

import json

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import httpx
import jsonschema
import pytest

from .sandboxes import Dojo, account, listed, reference, rest_body, sandbox
from .test_published_specifications import SPECIFICATIONS


DOJO = SPECIFICATIONS / "dojo-api-epos.openapi.json"
TOOL = SPECIFICATIONS / "epos-tester-tool.openapi.json"

pytestmark = pytest.mark.skipif(
    not (DOJO.is_file() and TOOL.is_file()), reason="the published specifications are not beside this checkout"
)

INTEGRATIONS = "/epos/integrations"
FLOWS = "/epos-tester-tool/flows"


@cache
def document(tool: bool) -> dict[str, Any]:
    found: dict[str, Any] = _modern(json.loads((TOOL if tool else DOJO).read_text(encoding="utf-8")))
    return found


def _modern(value: Any) -> Any:
    """OpenAPI 3.0's schemas as JSON Schema has them: what may be null is said by its type."""
    if isinstance(value, list):
        return [_modern(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _modern(each) for name, each in value.items()}
    if found.pop("nullable", False) is True:
        return {"anyOf": [found, {"type": "null"}]}
    return found


@pytest.fixture(scope="module")
def running() -> Iterator[Dojo]:
    with sandbox() as found:
        yield found


@pytest.fixture
def dojo(running: Dojo, request: pytest.FixtureRequest) -> Iterator[Dojo]:
    with account(running, request.node.name) as found:
        yield found


def agrees(answer: httpx.Response, path: str, method: str, *, status: str = "200") -> Any:
    """The body of *answer*, which is as published for *path*."""
    tool = path.startswith("/flows")
    operation = document(tool)["paths"][path][method]
    published = operation["responses"].get(status, {}).get("content", {}).get("application/json", {}).get("schema")
    assert str(answer.status_code) == status, answer.text
    assert published is not None, f"nothing is published for {status} of {method} {path}"
    # References are relative to the whole document.
    schema = {**published, "components": document(tool)["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(answer.json())
    return answer.json()


def schema_example(name: str) -> Any:
    return document(tool=False)["components"]["schemas"][name]["example"]


# Registration


def test_registrations(dojo: Dojo) -> None:
    for filled in (False, True):
        if filled:
            agrees(dojo.put(f"{INTEGRATIONS}/rest", rest_body("https://till.example")), f"{INTEGRATIONS}/rest", "put")
            agrees(dojo.put(f"{INTEGRATIONS}/ws", {"capabilities": listed(["X"])}), f"{INTEGRATIONS}/ws", "put")
        for end in ("", "/rest", "/ws", "/dojo"):
            agrees(dojo.get(f"{INTEGRATIONS}{end}"), f"{INTEGRATIONS}{end}", "get")


@pytest.mark.parametrize(("name", "path"), [("RestIntegrationRequest", "/rest"), ("WsIntegrationRequest", "/ws")])
def test_the_published_examples_of_registrations_are_taken(dojo: Dojo, name: str, path: str) -> None:
    example = schema_example(name)
    (found,) = agrees(dojo.put(f"{INTEGRATIONS}{path}", example), f"{INTEGRATIONS}{path}", "put")
    assert [each["name"] for each in found["capabilities"]] == [each["name"] for each in example["capabilities"]]


# Payment intents and events


def test_the_published_examples_of_intents_are_taken(dojo: Dojo) -> None:
    path = "/payment-intents"
    one = f"{path}/{{paymentIntentId}}"
    content = document(tool=False)["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        found = agrees(dojo.post(path, example["value"]), path, "post")
        agrees(dojo.get(f"{path}/{found['id']}"), one, "get")
    assert found["status"] == "Authorized"
    agrees(dojo.client.delete(f"{path}/{found['id']}"), one, "delete")


def test_refusals_of_intents(dojo: Dojo) -> None:
    path = "/payment-intents"
    one = f"{path}/{{paymentIntentId}}"
    agrees(dojo.post(path, {}), path, "post", status="400")
    agrees(dojo.post(path, {}, Authorization=""), path, "post", status="401")
    agrees(dojo.get(f"{path}/x", version="x"), one, "get", status="400")
    agrees(dojo.get(f"{path}/x", Authorization=""), one, "get", status="401")
    agrees(dojo.get(f"{path}/x"), one, "get", status="404")
    agrees(dojo.client.delete(f"{path}/x"), one, "delete", status="404")


def test_events(dojo: Dojo) -> None:
    for type, id in (("OrderUpdated", "orderId"), ("PartyUpdated", "partyId"), ("ReservationUpdated", "reservationId")):
        answer = dojo.post("/epos/events", {"eventType": type, "event": {id: "x"}})
        agrees(answer, "/epos/events", "post")


# The tester tool


def test_flows(dojo: Dojo) -> None:
    with reference() as epos:
        # The text says that all are listed, the schema speaks of one.
        listed_flows = dojo.get(FLOWS)
        description = document(tool=True)["components"]["schemas"]["FlowDescription"]
        schema = {"type": "array", "items": description, "components": document(tool=True)["components"]}
        jsonschema.Draft202012Validator(schema).validate(listed_flows.json())
        for registered in (False, True):
            if registered:
                dojo.register_rest(epos.url)
            body = {"flow": "Get Order", "params": {"orderId": epos.order}}
            id = agrees(dojo.post(FLOWS, body), "/flows", "post")
            _whole(agrees(dojo.get(f"{FLOWS}/{id}"), "/flows/{flowId}", "get"))
            dojo.ended(id)
            result = agrees(dojo.get(f"{FLOWS}/{id}"), "/flows/{flowId}", "get")
            _whole(result)
            assert result["status"] == ("SUCCESS" if registered else "FAILURE")


def _whole(result: Mapping[str, Any]) -> None:
    """A result has what the published example has, and no more."""
    assert set(result) - {"finishedAt"} == {"flowID", "flowName", "status", "startedAt", "steps"}
    for each in result["steps"]:
        assert set(each) <= {"name", "status", "startedAt", "finishedAt", "additionalInformation"}
