"""
Dojo's API and its tester tool, well-behaved or as odd as a test wants them, over real HTTP.
"""

from __future__ import annotations

import json
import threading
import uuid

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from epos_conformance.dojo.api import Account, DojoApi

from .support import SERVER


KEY = "sk_sandbox_0123456789abcdef"
PRODUCTION_KEY = "sk_prod_0123456789abcdef"
HOUSE = "house-1"
VERSION = "2026-02-27"

FLOWS, INTEGRATIONS, INTENTS = "/epos-tester-tool/flows", "/epos/integrations", "/payment-intents"

ID = "0c8b9d9e-6e0f-4f0c-9b1a-3f5f5d0d7a11"

GET_ORDER: Mapping[str, Any] = {
    "name": "Get Order",
    "params": [{"name": "orderId", "type": "string", "required": True, "description": "An order."}],
}


@dataclass(frozen=True, slots=True)
class Asked:
    """
    One request as it arrived.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


#: What is answered instead: always the same, one after the other (the last one stays), or what comes of a function.
Instead = Response | list[Response] | Callable[[Asked], Response]


@dataclass(slots=True)
class FakeDojo:
    """
    Dojo on this machine. It keeps what is registered, and tells of a flow what the test has in store for it.
    """

    url: str
    asked: list[Asked] = field(default_factory=list)
    #: ``GET /epos/integrations`` -> what is answered in the place of the usual.
    instead: dict[str, Instead] = field(default_factory=dict)
    integrations: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"rest": [], "ws": []})
    flows: Any = field(default_factory=lambda: [GET_ORDER])
    #: Told at one look after the other; the last one stays.
    results: list[Any] = field(default_factory=lambda: [result("SUCCESS", step("Check the order", "SUCCESS"))])
    #: The same for the flows of these names; a `Response` is what starting one is answered with.
    by_flow: dict[str, list[Any] | Response] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        asked = Asked(request.method, request.url.path, dict(request.headers), json.loads(body) if body else None)
        with self._lock:
            self.asked.append(asked)
            answer = self._answer(asked)
        await answer(scope, receive, send)

    def seen(self, method: str, path: str = "") -> list[Asked]:
        """What arrived by *method* at *path*, or below it."""
        return [each for each in self.asked if each.method == method and each.path.startswith(path)]

    def _answer(self, asked: Asked) -> Response:
        instead = self.instead.get(str(asked))
        if isinstance(instead, list):
            return instead.pop(0) if len(instead) > 1 else instead[0]
        if instead is not None:
            return instead if isinstance(instead, Response) else instead(asked)
        match asked.method, asked.path.rpartition("/")[2]:
            case "GET", "integrations":
                rest, ws = self.integrations["rest"], self.integrations["ws"]
                return JSONResponse({"restIntegrations": rest, "wsIntegrations": ws, "dojoManagedIntegrations": []})
            case "PUT", ("rest" | "ws") as transport:
                self.integrations[transport] = [registered(asked.body)]
                return JSONResponse(self.integrations[transport])
            case "GET", "flows":
                return JSONResponse(self.flows)
            case "POST", "flows":
                return self._start(asked.body["flow"])
            case "POST", "payment-intents":
                return JSONResponse({"id": f"pi_sandbox_{len(self.asked):022}", "status": "Captured"})
            case "GET", _ if asked.path.startswith(FLOWS):
                found = self._look(asked.path.rpartition("/")[2])
                return found if isinstance(found, Response) else JSONResponse(found)
        return problem(404, "Not found")

    def _start(self, name: str) -> Response:
        planned = self.by_flow.get(name)
        if isinstance(planned, Response):
            return planned
        return Response(f'"{id_of(name) if planned else ID}"', media_type="application/json")

    def _look(self, id: str) -> Any:
        planned = next((each for name, each in self.by_flow.items() if id_of(name) == id), self.results)
        assert isinstance(planned, list)
        return planned.pop(0) if len(planned) > 1 else planned[0]


def id_of(name: str) -> str:
    """The id that a flow of that name has."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def put_up(request: pytest.FixtureRequest) -> FakeDojo:
    """Dojo at the address of the tests' server."""
    request.getfixturevalue("server")
    SERVER.app = found = FakeDojo(SERVER.url)
    return found


def account(url: str, key: str = KEY, **more: Any) -> Account:
    values = {"software_house_id": HOUSE, "reseller_id": None, "version": VERSION, **more}
    return Account(url=url, key=key, **values)


def connected(url: str, *, patience: float = 5.0, secrets: tuple[str, ...] = (), **more: Any) -> Iterator[DojoApi]:
    """A client of the API at *url*, closed in the end."""
    found = DojoApi(account(url, **more), patience=patience, secrets=secrets)
    yield found
    found.close()


def problem(status: int, title: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A refusal as Dojo words it."""
    document = {"type": "about:blank", "title": title, "status": status, "traceId": "00-4bf9-00f0-00", **more}
    return JSONResponse(document, status, headers=headers, media_type="application/problem+json")


def registered(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a registration that *body* made: no password."""
    found: dict[str, Any] = {
        "capabilities": [{**each, "updatedAt": "2026-03-30T12:00:00Z"} for each in body["capabilities"]],
        "createdAt": "2026-03-30T12:00:00Z",
    }
    if "url" in body:
        found |= {
            "url": body["url"],
            "auth": {"authType": "basic", "basic": {"username": body["auth"]["basic"]["username"]}},
        }
    return found


def capabilities(*names: str, version: str = "v1") -> list[dict[str, str]]:
    return [{"name": each, "version": version, "updatedAt": "2026-03-30T12:00:00Z"} for each in names]


def flow(name: str, *params: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "params": list(params)}


def result(status: Any, *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What the tool tells of a flow."""
    return {
        "flowID": ID,
        "flowName": "Get Order through EPOS Data API",
        "status": status,
        "startedAt": "2026-03-30T12:00:00Z",
        "steps": list(steps),
        **more,
    }


def step(name: Any, status: Any, *advice: str, **more: Any) -> dict[str, Any]:
    found = {
        "name": name,
        "status": status,
        "startedAt": "2026-03-30T12:00:00Z",
        "finishedAt": "2026-03-30T12:00:01.5Z",
    }
    return {**found, **({"additionalInformation": list(advice)} if advice else {}), **more}
