"""
The reference EPOS against the built-in sandbox: both sides as they are started for a run, over real sockets.
"""

from __future__ import annotations

import time

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from epos_conformance._contracts import capabilities
from epos_conformance.reference import launch
from epos_conformance.reference.sockets import KEY
from epos_conformance.sandbox import launch as sandbox


EVERY_NAME = [name for each in capabilities().values() for name in each.registered]

HEADERS = {"Authorization": f"Basic {KEY}", "software-house-id": "house", "version": "2026-02-27"}


@pytest.fixture(scope="module")
def dojo() -> Iterator[sandbox.Running]:
    with sandbox.start(keys=[KEY]) as running:
        yield running


@pytest.fixture
def desk(dojo: sandbox.Running) -> Iterator[httpx.Client]:
    """Whoever tests with the sandbox."""
    with httpx.Client(base_url=dojo.url, headers=HEADERS, timeout=30) as client:
        yield client


def run_flow(desk: httpx.Client, name: str, **params: str) -> dict[str, Any]:
    """The result of a flow."""
    id = desk.post("/epos-tester-tool/flows", json={"flow": name, "params": params}).raise_for_status().json()
    end = time.monotonic() + 20
    while True:
        found: dict[str, Any] = desk.get(f"/epos-tester-tool/flows/{id}").raise_for_status().json()
        if found["status"] != "IN_PROGRESS":
            return found
        assert time.monotonic() < end, found
        time.sleep(0.02)


def test_registration_flows_intents_and_events(dojo: sandbox.Running, desk: httpx.Client) -> None:
    """
    It has registered itself over both, answers a flow, records what Dojo has captured alone, and tells of it.
    """
    with launch.start(dojo_api=dojo.url, dial=dojo.ws_url) as epos:
        everything = desk.get("/epos/integrations").json()
        names = [
            [each["name"] for each in everything[member][0]["capabilities"]]
            for member in ("restIntegrations", "wsIntegrations")
        ]
        assert names == [EVERY_NAME, EVERY_NAME]
        assert everything["restIntegrations"][0]["url"] == epos.url
        assert run_flow(desk, "Get Order", orderId="ord-1005")["status"] == "SUCCESS"
        latest = desk.get("/sandbox/events").json()["latest"]

        given = {"amount": {"value": 100, "currencyCode": "GBP"}, "reference": "these tests"}
        intents = [
            desk.post("/payment-intents", json={**given, "metadata": more}).json()["id"]
            for more in ({"sandbox-status": "Created"}, {"sandbox-tip": "20"})
        ]
        statuses = [
            httpx.post(
                f"{epos.url}/v1/orders/ord-1005/record-payment",
                json={"paymentIntentId": each, "paidAmount": given["amount"]},
                auth=("dojo", "reference"),
            ).status_code
            for each in ("pi_sandbox_that-nobody-has-made", *intents)
        ]
        arrived = desk.get("/sandbox/events", params={"after": latest, "wait": 10}).json()["events"]

    assert statuses == [404, 409, 200]
    assert [(each["status"], each["eventType"], each["event"]) for each in arrived] == [
        (200, "OrderUpdated", {"orderId": "ord-1005"})
    ]


@pytest.mark.parametrize(
    ("defect", "status"),
    [("dojo-hears-a-key-in-base64", 401), ("dojo-hears-no-software-house", 400), ("dojo-hears-in-camel-case", 400)],
)
def test_what_it_refuses_it_has_heard(defect: str, status: int, dojo: sandbox.Running, desk: httpx.Client) -> None:
    """
    Events of a till that introduces itself wrongly are refused, and recorded.
    """
    latest = desk.get("/sandbox/events").json()["latest"]
    with launch.start(dojo_api=dojo.url, defects=[defect]) as epos:
        httpx.delete(f"{epos.url}/v1/orders/ord-1005", auth=("dojo", "reference")).raise_for_status()
        [found] = desk.get("/sandbox/events", params={"after": latest, "wait": 10}).json()["events"]

    assert found["status"] == status
    assert found["event"] == {"orderId": "ord-1005"}


@pytest.mark.parametrize("defect", ["dojo-knows-a-wrong-path", "dojo-knows-an-old-password", "dojo-knows-no-search"])
def test_a_wrong_registration_is_found_by_a_flow(defect: str, dojo: sandbox.Running, desk: httpx.Client) -> None:
    """
    A flow calls what is registered as it is registered.
    """
    with launch.start(dojo_api=dojo.url, defects=[defect]):
        # Another EPOS may have been there: what is registered over WebSocket is called as well.
        desk.put("/epos/integrations/ws", json={"capabilities": [{"name": "ListAreas", "version": "v1"}]})
        name = "Search Orders" if defect == "dojo-knows-no-search" else "Get Order"
        found = run_flow(desk, name, **({"orderId": "ord-1005"} if name == "Get Order" else {}))

    assert found["status"] == "FAILURE"
    assert found["steps"][-1]["additionalInformation"]
