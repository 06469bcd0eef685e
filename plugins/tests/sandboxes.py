"""
Sandboxes that really run, EPOSes that are registered there, and whoever asks for flows.
"""

from __future__ import annotations

import contextlib
import hashlib
import time

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from epos_conformance import _contracts
from epos_conformance._settings import Settings
from epos_conformance.reference import faults, sockets
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.server import in_thread
from epos_conformance.sandbox import launch
from epos_conformance.sandbox.launch import Running


KEY = "sk_sandbox_of-these-tests"
OTHER_KEY = "sk_sandbox_of-somebody-else"

HEADERS = {"Authorization": f"Basic {KEY}", "software-house-id": "house", "version": "2026-02-27"}

#: Seconds for whatever is waited for: generous, since it is there in milliseconds.
PATIENCE = 20.0

#: Every name that can be registered.
EVERYTHING = [name for each in _contracts.capabilities().values() for name in each.registered]


@dataclass(slots=True)
class Dojo:
    """
    A sandbox, and a client of it.
    """

    running: Running
    client: httpx.Client
    #: The account's.
    key: str = KEY
    #: What the sandbox has told, a line each.
    said: list[str] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.client.put(path, json=body, headers=headers)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers=headers)

    def register_rest(self, url: str, names: Iterable[str] = EVERYTHING, auth: str = "dojo:reference") -> None:
        assert self.put("/epos/integrations/rest", rest_body(url, names, auth)).status_code == 200

    def register_ws(self, names: Iterable[str] = EVERYTHING) -> None:
        assert self.put("/epos/integrations/ws", {"capabilities": listed(names)}).status_code == 200

    def start(self, flow: str, **params: str) -> str:
        answer = self.post("/epos-tester-tool/flows", {"flow": flow, "params": params})
        assert answer.status_code == 200, answer.text
        return str(answer.json())

    def result(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/epos-tester-tool/flows/{id}").json()
        return found

    def ended(self, id: str) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while (found := self.result(id))["status"] == "IN_PROGRESS":
            assert time.monotonic() < until, found
            time.sleep(0.01)
        return found

    def run(self, flow: str, **params: str) -> dict[str, Any]:
        return self.ended(self.start(flow, **params))

    def events(self, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/sandbox/events?after={after}&wait={wait:g}").json()["events"]
        return found


def listed(names: Iterable[str], version: str = "v1") -> list[dict[str, str]]:
    return [{"name": each, "version": version} for each in names]


def rest_body(url: str, names: Iterable[str] = EVERYTHING, auth: str = "dojo:reference") -> dict[str, Any]:
    user, _, password = auth.partition(":")
    basic = {"username": user, "password": password}
    return {"url": url, "capabilities": listed(names), "auth": {"authType": "basic", "basic": basic}}


def connected(running: Running, key: str = KEY, *, without: str = "") -> httpx.Client:
    """A client with *key*, *without* one of the headers, and without the certificates that it has no use for."""
    headers = {**HEADERS, "Authorization": f"Basic {key}"}
    headers.pop(without, None)
    return httpx.Client(base_url=running.url, headers=headers, timeout=PATIENCE, verify=False)  # noqa: S501


@contextlib.contextmanager
def sandbox(*, fail_after: float = 5.0, **options: Any) -> Iterator[Dojo]:
    """A sandbox that takes any key, unless *options* of `launch.start` say otherwise."""
    said: list[str] = []
    given = {"settings": Settings(fail_after=fail_after), "say": said.append, **options}
    with (
        launch.start(**given) as running,
        connected(running) as client,
    ):
        yield Dojo(running, client, said=said)


@contextlib.contextmanager
def account(of: Dojo, name: str) -> Iterator[Dojo]:
    """An account of its own at the sandbox of another: to start one takes longer than most tests."""
    key = f"sk_sandbox_{hashlib.sha256(name.encode()).hexdigest()[:20]}"
    with connected(of.running, key) as client:
        yield Dojo(of.running, client, key, of.said)


@dataclass(slots=True)
class Epos:
    """
    The reference EPOS, over REST and, where it dials, over WebSocket.
    """

    epos: ReferenceEpos
    url: str

    @property
    def order(self) -> str:
        """The id of an order that it has, and that may be paid."""
        found = self.epos.answer("SearchOrders", {"payableOnly": True}, {})
        return str(found["data"][0]["id"])


@contextlib.contextmanager
def reference(*defects: str, variants: Iterable[str] = (), dial: str | None = None, key: str = KEY) -> Iterator[Epos]:
    """The reference EPOS with *defects*; it dials the gateway at *dial* with *key*."""
    epos, shell = faults.build(defects, variants)
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(in_thread(shell))
        if dial is not None:
            dialling = faults.build_socket(epos, defects, variants, url=dial, key=key)
            stack.enter_context(sockets.in_thread(dialling))
        yield Epos(epos, running.url)


def steps(result: Mapping[str, Any]) -> dict[str, str]:
    """The steps of a result by name: their status."""
    return {each["name"]: each["status"] for each in result["steps"]}


def said_of(result: Mapping[str, Any], status: str = "FAILURE") -> list[str]:
    """What the first step that has *status* says."""
    found = next(each for each in result["steps"] if each["status"] == status)
    told: list[str] = found.get("additionalInformation", [])
    return told
