"""
A Dojo that remembers what a till tells it, asks it and registers, and a till that has something to tell.
"""

from __future__ import annotations

import contextlib
import socket

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from epos_conformance._contracts import capabilities
from epos_conformance.reference import launch
from epos_conformance.reference.dojo import DojoLink, NotRegisteredError
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError
from epos_conformance.reference.faults import build, build_link
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import KEY


EVERY_NAME = [name for each in capabilities().values() for name in each.registered]

INTENT = "pi_sandbox_of-these-tests"


class Dojo:
    """
    Dojo's API for one account, as far as an EPOS has to do with it.
    """

    def __init__(self) -> None:
        self.url = ""
        self.registered: dict[str, Json] = {}
        #: Events with the headers that they came with, refused or not.
        self.heard: list[tuple[Json, Mapping[str, str]]] = []
        self.intents: dict[str, Json] = {}
        self.asked: list[str] = []
        #: Answered instead of anything else.
        self.status: int | None = None
        #: Done before an intent is told.
        self.meanwhile: Callable[[], object] = lambda: None
        routes = [
            Route("/epos/integrations/{over}", self._register, methods=["PUT"]),
            Route("/epos/events", self._hear, methods=["POST"]),
            Route("/payment-intents/{id:path}", self._tell, methods=["GET"]),
        ]
        self.app = Starlette(routes=routes)

    @property
    def events(self) -> list[Json]:
        return [event for event, _ in self.heard]

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the last event."""
        return self.heard[-1][1]

    def has(self, status: str = "Captured", value: int = 100, currency: str = "GBP", id: str = INTENT) -> str:
        """Keeps a payment intent; answers its id."""
        self.intents[id] = {"id": id, "status": status, "amount": {"value": value, "currencyCode": currency}}
        return id

    def _refusal(self, request: Request) -> Response | None:
        if self.status is not None:
            return _problem(self.status, "Not now")
        if request.headers.get("authorization") != f"Basic {KEY}":
            return _problem(401, "Unauthorized")
        missing = [name for name in ("software-house-id", "version") if name not in request.headers]
        return _problem(400, "Bad Request", errors={missing[0]: ["is missing"]}) if missing else None

    async def _register(self, request: Request) -> Response:
        refused = self._refusal(request)
        if refused is None:
            self.registered[request.path_params["over"]] = await request.json()
        return refused or JSONResponse([await request.json()])

    async def _hear(self, request: Request) -> Response:
        self.heard.append((await request.json(), request.headers))
        return self._refusal(request) or JSONResponse(self.heard[-1][0])

    async def _tell(self, request: Request) -> Response:
        id = unquote(request.scope["raw_path"].decode()).removeprefix("/payment-intents/")
        self.asked.append(id)
        await run_in_threadpool(self.meanwhile)
        found = self.intents.get(id)
        return self._refusal(request) or (JSONResponse(found) if found else _problem(404, "Not Found"))


def _problem(status: int, title: str, **more: Any) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "traceId": "00-1", **more}
    return JSONResponse(body, status, media_type="application/problem+json")


@contextlib.contextmanager
def opened() -> Iterator[Dojo]:
    """A Dojo that answers."""
    found = Dojo()
    with launch.in_thread(found.app) as running:
        found.url = running.url
        yield found


@contextlib.contextmanager
def linked(url: str, *defects: str, variants: tuple[str, ...] = ()) -> Iterator[tuple[ReferenceEpos, DojoLink]]:
    """An EPOS with a link to the Dojo at *url*."""
    epos, _ = build(defects, variants)
    with build_link(defects, variants, url=url) as link:
        epos.dojo = link
        yield epos, link


SEEN_TO = "2030-05-01T19:00:00.000Z"
PARTY = {"startTime": SEEN_TO, "tableIds": ["tbl-1"], "dojoPartyId": "d-1", "status": "Seated"}
RESERVATION = {
    "dojoReservationId": "d-2",
    "name": "Gauss",
    "covers": 2,
    "startTime": SEEN_TO,
    "endTime": "2030-05-01T21:00:00.000Z",
    "tableIds": ["tbl-1"],
}


def money(value: int, currency: str = "GBP") -> Json:
    return {"value": value, "currencyCode": currency}


def new_order(epos: ReferenceEpos, dojo_order_id: str = "dojo-1", total: int = 500) -> str:
    item = {"plu": "2001", "name": "Fish & Chips", "quantity": 1, "amountPerItem": money(total), "modifiers": []}
    body = {
        "details": {"orderType": "DineIn", "dineIn": {"tableId": "tbl-1"}},
        "items": [item],
        "totalAmount": money(total),
        "dojoOrderId": dojo_order_id,
        "payments": [],
    }
    return str(epos.answer("CreateOrder", body)["id"])


def pay(epos: ReferenceEpos, order_id: str, intent: str = INTENT, paid: Json | None = None, **more: Any) -> Json:
    body = {"orderId": order_id, "paymentIntentId": intent, "paidAmount": paid or money(100), **more}
    found: Json = epos.answer("RecordOrderPaymentById", body)
    return found


def live(epos: ReferenceEpos) -> None:
    """One of each change, and what is none in between."""
    order = new_order(epos)
    new_order(epos)
    lock = {"orderId": order, "lockId": "lock-1", "expiry": SEEN_TO}
    epos.answer("CreateOrderLock", lock)
    epos.answer("ExtendOrderLock", lock)
    epos.answer("DeleteOrderLock", {name: lock[name] for name in ("orderId", "lockId")})
    for _ in range(2):
        pay(epos, order)
    epos.answer("GetOrderById", {"orderId": order})
    for _ in range(2):
        epos.answer("CancelOrderById", {"orderId": order})
    with contextlib.suppress(EposError):
        pay(epos, order, "pi_sandbox_another")
    party = epos.answer("CreateParty", PARTY)["id"]
    epos.answer("UpdateParty", {**PARTY, "partyId": party, "name": "Emmy"})
    epos.answer("DeletePartyById", {"partyId": party})
    reservation = epos.answer("CreateReservation", RESERVATION)["id"]
    epos.answer("UpdateReservation", {**RESERVATION, "reservationId": reservation, "covers": 3})
    epos.answer("DeleteReservationById", {"reservationId": reservation})


@dataclass(frozen=True)
class Story:
    """
    What Dojo heard of a till that was switched on, lived, and was switched off.
    """

    events: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    registered: dict[str, Json] = field(default_factory=dict)


#: Those that an event is judged by.
TOLD = ("authorization", "software-house-id", "reseller-id", "version")


def story(there: Dojo, *defects: str, variants: tuple[str, ...] = ()) -> Story:
    there.heard.clear()
    there.registered.clear()
    there.has()
    with linked(there.url, *defects, variants=variants) as (epos, link):
        with contextlib.suppress(NotRegisteredError):
            link.register(epos.offered(), "rest", url="http://127.0.0.1:8099", auth="dojo:reference")
        live(epos)
        assert link.flush(5)
        headers = [{name: given[name] for name in TOLD if name in given} for _, given in there.heard]
        return Story(there.events, headers, dict(there.registered))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found
