"""
An EPOS that really runs, and several processes' dealings with it, in one process.
"""

from __future__ import annotations

import contextlib
import json

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from epos_conformance._leases import Leases
from epos_conformance._session import Session
from epos_conformance._settings import Settings
from epos_conformance.partner import Partner
from epos_conformance.reference import faults
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.rest import RestShell
from epos_conformance.rest import RestTransport

from .support import SERVER


REFUSED = b'{"errorType": "Conflict", "debugMessage": "not today"}'


@dataclass(slots=True)
class Place:
    """
    A running EPOS, and what it was asked.
    """

    epos: ReferenceEpos
    shell: RestShell
    leases: Leases
    url: str
    #: ``POST /v1/orders``, and the bodies.
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    #: Answers a request in the EPOS's stead, given what was asked; None leaves it to the EPOS.
    instead: Callable[[str], Response | None] = lambda _: None
    sessions: list[Session] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        asked = f"{scope['method']} {scope['path']}"
        self.asked.append(asked)
        self.bodies.append(json.loads(body) if body else None)
        answer: Any = self.instead(asked) or self.shell

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        await answer(scope, again, send)

    def session(self, **settings: Any) -> Session:
        """Another process's dealings with it."""
        chosen = Settings(**{"url": self.url, "fail_after": 5, **settings})
        transport = RestTransport(chosen, self.url, "dojo:reference")
        found = Session(chosen, transport, self.epos.offered(), self.leases, seed=len(self.sessions))
        self.sessions.append(found)
        return found

    def partner(self, **settings: Any) -> Partner:
        return Partner(self.session(**settings))

    def vanish(self) -> None:
        """Be at an address where nobody is."""
        self.url = "http://127.0.0.1:1"
        for each in self.sessions:
            each.transport.url = self.url


@contextlib.contextmanager
def opened(folder: Path, *variants: str) -> Iterator[Place]:
    epos, shell = faults.build([], variants)
    SERVER.app = place = Place(epos, shell, Leases(folder), SERVER.url)
    yield place
    for each in place.sessions:
        each.transport.close()


def variants(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", [names], ids=["+".join(names)], indirect=True)


def refusing(*asked: str, times: int = 10**6, status: int = 409) -> Callable[[str], Response | None]:
    """Says no so many *times* to what begins or ends like one of *asked*."""
    left = [times]

    def instead(what: str) -> Response | None:
        if not (what.startswith(asked) or what.endswith(asked)) or left[0] == 0:
            return None
        left[0] -= 1
        return Response(REFUSED, status, media_type="application/json")

    return instead
