"""
The sandbox over HTTP: who is let in, registration, payment intents, and what a refusal looks like.
"""

from __future__ import annotations

import base64

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from epos_conformance import _suite

from .sandboxes import KEY, OTHER_KEY, Dojo, account, connected, listed, rest_body, sandbox


REST = "/epos/integrations/rest"
WS = "/epos/integrations/ws"
INTENTS = "/payment-intents"

INTENT = {"amount": {"value": 1000, "currencyCode": "GBP"}, "reference": "Order 7"}


@pytest.fixture(scope="module")
def running() -> Iterator[Dojo]:
    with sandbox() as found:
        yield found


@pytest.fixture
def dojo(running: Dojo, request: pytest.FixtureRequest) -> Iterator[Dojo]:
    """An account that nothing is registered for."""
    with account(running, request.node.name) as found:
        yield found


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem details of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["type"]
    assert found["title"]
    assert found["traceId"]
    return found


# Who is let in


@pytest.mark.parametrize(
    ("authorization", "said"),
    [
        ("", "missing"),
        ("Basic", "no key"),
        ("Bearer sk_sandbox_x", "another scheme"),
        ("sk_sandbox_x", "another scheme"),
        (f"Basic {base64.b64encode(KEY.encode()).decode()}", "Base64"),
        (f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}", "Base64"),
        ("Basic sk_prod_x", "production"),
        ("Basic sk_sandbox_", "not known"),
        ("Basic something", "does not begin"),
        ("Basic \xe9\xff", "does not begin"),
    ],
)
def test_a_key_that_is_wrong_is_refused_with_what_is_wrong(running: Dojo, authorization: str, said: str) -> None:
    answer = running.client.get("/epos/integrations", headers=[(b"authorization", authorization.encode("latin-1"))])
    assert said in problem(answer, 401)["detail"]
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_only_the_keys_that_were_named_are_taken() -> None:
    with sandbox(keys=[KEY]) as found:
        assert found.get(REST).status_code == 200
        problem(found.get(REST, Authorization="Basic sk_sandbox_another"), 401)


@pytest.mark.parametrize("path", ["/epos/integrations", REST, WS, "/epos-tester-tool/flows", f"{INTENTS}/x"])
def test_everything_of_dojos_asks_for_the_software_house(dojo: Dojo, path: str) -> None:
    found = problem(dojo.get(path, **{"software-house-id": ""}), 400)
    assert list(found["errors"]) == ["software-house-id"]


@pytest.mark.parametrize("version", ["2026", "2026-02-30", "1.0.0", "2026-2-7", ""])
def test_a_version_is_a_date_wherever_it_is_sent(dojo: Dojo, version: str) -> None:
    assert list(problem(dojo.get("/epos/integrations", version=version), 400)["errors"]) == ["version"]


def test_payment_intents_need_a_version(running: Dojo) -> None:
    with connected(running.running, without="version") as client:
        found = problem(client.post(INTENTS, json=INTENT), 400)
        assert found["errors"] == {"version": ["The header is required."]}
        assert client.get("/epos/integrations").status_code == 200


@pytest.mark.parametrize("path", ["/", "/epos", "/epos/integrations/soap", "/sandbox/nothing", "/payment-intents/a/b"])
def test_there_is_nothing_elsewhere(dojo: Dojo, path: str) -> None:
    problem(dojo.get(path), 426 if path == "/epos" else 404)
    problem(dojo.get(path, Authorization="Basic wrong"), 401)


def test_a_path_tells_the_methods_that_it_has(dojo: Dojo) -> None:
    answer = dojo.client.delete(REST)
    assert "GET, PUT" in problem(answer, 405)["detail"]
    assert answer.headers["allow"] == "GET, PUT"
    assert dojo.client.patch(f"{INTENTS}/x").headers["allow"] == "DELETE, GET"


def test_the_sandbox_says_what_it_is(dojo: Dojo) -> None:
    assert dojo.get("/sandbox").json() == {
        "format": "dojo-sandbox/1",
        "suite": {"name": _suite.NAME, "version": _suite.version()},
    }
    problem(dojo.get("/sandbox", Authorization=""), 401)


# Registration


def test_nothing_is_registered_at_first(dojo: Dojo) -> None:
    assert dojo.get("/epos/integrations").json() == {
        "restIntegrations": [],
        "wsIntegrations": [],
        "dojoManagedIntegrations": [],
    }
    assert dojo.get(REST).json() == dojo.get(WS).json() == dojo.get("/epos/integrations/dojo").json() == []


def test_a_registration_is_answered_without_its_password(dojo: Dojo) -> None:
    body = rest_body("https://till.example/dojo", ["SearchOrders", "GetOrderById"], "till:s3cret")
    (found,) = dojo.put(REST, body).json()
    assert found["url"] == "https://till.example/dojo"
    assert found["auth"] == {"authType": "basic", "basic": {"username": "till"}}
    assert [(each["name"], each["version"]) for each in found["capabilities"]] == [
        ("SearchOrders", "v1"),
        ("GetOrderById", "v1"),
    ]
    assert dojo.get(REST).json() == dojo.get("/epos/integrations").json()["restIntegrations"] == [found]
    assert "s3cret" not in dojo.get("/epos/integrations").text


def test_a_registration_replaces_the_one_before_whole(dojo: Dojo) -> None:
    (first,) = dojo.put(REST, rest_body("https://a.example", ["SearchOrders", "ListAreas"])).json()
    (second,) = dojo.put(REST, rest_body("https://b.example", ["ListAreas", "Whatever"])).json()
    assert second["url"] == "https://b.example"
    assert [each["name"] for each in second["capabilities"]] == ["ListAreas", "Whatever"]
    assert second["capabilities"][0] == first["capabilities"][1]
    assert second["createdAt"] == first["createdAt"]


def test_an_empty_list_changes_nothing(dojo: Dojo) -> None:
    assert dojo.put(REST, rest_body("https://a.example", [])).json() == []
    before = dojo.put(REST, rest_body("https://a.example", ["ListAreas"])).json()
    assert dojo.put(REST, rest_body("https://b.example", [])).json() == before
    assert dojo.put(WS, {"capabilities": []}).json() == []


def test_a_name_that_comes_twice_is_registered_once(dojo: Dojo) -> None:
    body = {"capabilities": [*listed(["ListAreas"], "1.0.0"), *listed(["ListAreas"], "v1")]}
    (found,) = dojo.put(WS, body).json()
    assert [(each["name"], each["version"]) for each in found["capabilities"]] == [("ListAreas", "v1")]


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"url": None}, "url"),
        ({"url": "till.example/dojo"}, "url"),
        ({"url": "ftp://till.example"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"url": "https://till.example:port"}, "url"),
        ({"capabilities": "SearchOrders"}, "capabilities"),
        ({"capabilities": [{"name": "SearchOrders"}]}, "capabilities[0].version"),
        ({"capabilities": [{"name": 7, "version": "v1"}]}, "capabilities[0].name"),
        ({"auth": {"authType": "basic"}}, "auth.basic"),
        ({"auth": {"authType": "oauth", "basic": {"username": "u", "password": "p"}}}, "auth.authType"),
        ({"auth": {"authType": "basic", "basic": {"username": "u"}}}, "auth.basic.password"),
        ({"auth": {"authType": "basic", "basic": {"username": "a:b", "password": "p"}}}, "auth.basic.username"),
    ],
)
def test_a_body_that_is_wrong_is_refused_by_member(dojo: Dojo, change: dict[str, Any], member: str) -> None:
    found = problem(dojo.put(REST, {**rest_body("https://till.example", ["ListAreas"]), **change}), 400)
    assert list(found["errors"]) == [member]
    assert dojo.get(REST).json() == []


def test_members_that_are_missing_are_named(dojo: Dojo) -> None:
    required = ["The member is required."]
    assert problem(dojo.put(REST, {}), 400)["errors"] == dict.fromkeys(("url", "capabilities", "auth"), required)
    assert list(problem(dojo.put(REST, []), 400)["errors"]) == ["body"]


# Payment intents


def test_an_intent_is_captured_at_once(dojo: Dojo) -> None:
    found = dojo.post(INTENTS, INTENT).json()
    assert found["id"].startswith("pi_sandbox_")
    assert len(found["id"]) == len("pi_sandbox_") + 22
    assert (found["status"], found["captureMode"]) == ("Captured", "Auto")
    assert found["amount"] == found["totalAmount"] == INTENT["amount"]
    assert found["reference"] == "Order 7"
    assert dojo.get(f"{INTENTS}/{found['id']}").json() == found


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"captureMode": "Manual"}, "Authorized"),
        ({"amount": {"value": 99901, "currencyCode": "EUR"}}, "Created"),
        ({"amount": {"value": 99902, "currencyCode": "GBP"}}, "Authorized"),
        ({"amount": {"value": 99903, "currencyCode": "GBP"}}, "Reversed"),
        ({"amount": {"value": 99904, "currencyCode": "GBP"}}, "Refunded"),
        ({"metadata": {"sandbox-status": "Created"}}, "Created"),
        ({"amount": {"value": 99901, "currencyCode": "GBP"}, "metadata": {"sandbox-status": "Captured"}}, "Captured"),
    ],
)
def test_the_amount_or_an_instruction_chooses_the_status(dojo: Dojo, change: dict[str, Any], status: str) -> None:
    id = dojo.post(INTENTS, {**INTENT, **change}).json()["id"]
    assert dojo.get(f"{INTENTS}/{id}").json()["status"] == status


def test_a_tip_is_on_top_of_the_amount(dojo: Dojo) -> None:
    found = dojo.post(INTENTS, {**INTENT, "metadata": {"sandbox-tip": "100"}}).json()
    values = [found[name]["value"] for name in ("amount", "tipsAmount", "totalAmount")]
    assert values == [1000, 100, 1100]
    tips = {"value": 50, "currencyCode": "GBP"}
    assert dojo.post(INTENTS, {**INTENT, "tipsAmount": tips}).json()["totalAmount"]["value"] == 1050


def test_an_id_is_given_where_it_is_asked_for_once(dojo: Dojo) -> None:
    asked = {**INTENT, "metadata": {"sandbox-id": "pi_sandbox_mine"}}
    assert dojo.post(INTENTS, asked).json()["id"] == "pi_sandbox_mine"
    assert list(problem(dojo.post(INTENTS, asked), 400)["errors"]) == ["metadata.sandbox-id"]


def test_an_intent_can_be_canceled_until_it_is_captured(dojo: Dojo) -> None:
    captured = dojo.post(INTENTS, INTENT).json()["id"]
    assert "Captured" in problem(dojo.client.delete(f"{INTENTS}/{captured}"), 400)["detail"]
    created = dojo.post(INTENTS, {**INTENT, "metadata": {"sandbox-status": "Created"}}).json()["id"]
    assert dojo.client.delete(f"{INTENTS}/{created}").json()["status"] == "Canceled"
    problem(dojo.get(f"{INTENTS}/{created}"), 404)
    assert dojo.get(f"{INTENTS}/{created}?returnCanceled=true").json()["status"] == "Canceled"


def test_whoever_tests_moves_an_intent_on(dojo: Dojo) -> None:
    id = dojo.post(INTENTS, INTENT).json()["id"]
    assert dojo.put(f"/sandbox{INTENTS}/{id}", {"status": "Refunded"}).json()["refundedAmount"] == 1000
    assert dojo.get(f"{INTENTS}/{id}").json()["status"] == "Refunded"
    assert list(problem(dojo.put(f"/sandbox{INTENTS}/{id}", {"status": "Lost"}), 400)["errors"]) == ["status"]
    problem(dojo.put(f"/sandbox{INTENTS}/pi_sandbox_none", {"status": "Captured"}), 404)


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"amount": {"value": 0, "currencyCode": "GBP"}}, "amount.value"),
        ({"amount": {"value": 9.5, "currencyCode": "GBP"}}, "amount.value"),
        ({"amount": {"value": "1000", "currencyCode": "GBP"}}, "amount.value"),
        ({"amount": {"value": 2**63, "currencyCode": "GBP"}}, "amount.value"),
        ({"amount": {"value": 1000, "currencyCode": "USD"}}, "amount.currencyCode"),
        ({"reference": ""}, "reference"),
        ({"captureMode": "Later"}, "captureMode"),
        ({"metadata": {"sandbox-status": "Paid"}}, "metadata.sandbox-status"),
        ({"metadata": {"sandbox-tip": "-1"}}, "metadata.sandbox-tip"),
    ],
)
def test_an_intent_that_cannot_be_is_refused(dojo: Dojo, change: dict[str, Any], member: str) -> None:
    assert list(problem(dojo.post(INTENTS, {**INTENT, **change}), 400)["errors"]) == [member]


def test_accounts_are_kept_apart(dojo: Dojo) -> None:
    dojo.register_rest("https://till.example")
    id = dojo.post(INTENTS, INTENT).json()["id"]
    with connected(dojo.running, OTHER_KEY) as client:
        other = Dojo(dojo.running, client)
        assert other.get(REST).json() == []
        problem(other.get(f"{INTENTS}/{id}"), 404)


def test_a_line_tells_each_call_without_its_secrets(dojo: Dojo) -> None:
    dojo.put(REST, rest_body("https://till.example", ["ListAreas"], "till:s3cret"))
    dojo.get(f"{INTENTS}/sk_sandbox_by-mistake?key=sk_sandbox_again")
    lines = "\n".join(dojo.said)
    assert f"PUT {REST} -> 200" in lines
    assert f"GET {INTENTS}/***** -> 404" in lines
    assert "sk_sandbox" not in lines
    assert "s3cret" not in lines
