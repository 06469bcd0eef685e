"""
The sandbox over HTTP: who may ask, where things are, and what a refusal looks like.
"""

from __future__ import annotations

import logging
import time

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from epos_conformance import _suite
from epos_conformance.sandbox import events, flows, integrations, intents
from epos_conformance.sandbox.events import Bell
from epos_conformance.sandbox.flows import Tool
from epos_conformance.sandbox.keys import KEYS, Keys, require_headers
from epos_conformance.sandbox.problems import Problem
from epos_conformance.sandbox.store import Store
from epos_conformance.websocket.gateway import PATH


log = logging.getLogger(__name__)

FORMAT = "dojo-sandbox/1"

Endpoint = Callable[[Request], Awaitable[Response]]

#: How much of an address is shown, in characters.
_MOST_SHOWN = 120


def build(
    store: Store, keys: Keys, tool: Tool, bell: Bell, *, dial: str, elsewhere: bool, say: Callable[[str], None]
) -> ASGIApp:
    """
    The application; *dial* is where an EPOS dials, *elsewhere* whether that is another server's business.
    """

    async def wants_websocket(_: Request) -> Response:
        raise Problem(404 if elsewhere else 426, f"an EPOS dials {dial}", headers=_upgrade(elsewhere))

    app = Starlette(
        routes=[
            *_dojo_routes(),
            Route("/sandbox", _open(_about)),
            Route("/sandbox/events", _open(events.arrived)),
            Route("/sandbox/payment-intents/{id}", _open(intents.move), methods=["PUT"]),
            Route(PATH, _guarded(wants_websocket)),
        ],
        exception_handlers={Problem: _refuse, HTTPException: _unroutable, Exception: _fault},
    )
    app.state.store, app.state.keys, app.state.tool, app.state.bell = store, keys, tool, bell
    return _Watched(app, say)


def _dojo_routes() -> list[Route]:
    """What Dojo has, too."""
    intent = partial(_guarded, version=True)
    return [
        Route("/epos/integrations", _guarded(integrations.everything)),
        Route("/epos/integrations/rest", _guarded(integrations.rest)),
        Route("/epos/integrations/rest", _guarded(integrations.register_rest), methods=["PUT"]),
        Route("/epos/integrations/ws", _guarded(integrations.ws)),
        Route("/epos/integrations/ws", _guarded(integrations.register_ws), methods=["PUT"]),
        Route("/epos/integrations/dojo", _guarded(integrations.dojo)),
        # Lets in by itself, to keep what it refuses.
        Route("/epos/events", events.send, methods=["POST"]),
        Route("/payment-intents", intent(intents.create), methods=["POST"]),
        Route("/payment-intents/{id}", intent(intents.show)),
        Route("/payment-intents/{id}", intent(intents.cancel), methods=["DELETE"]),
        Route("/epos-tester-tool/flows", _guarded(flows.listed)),
        Route("/epos-tester-tool/flows", _guarded(flows.start), methods=["POST"]),
        Route("/epos-tester-tool/flows/{id}", _guarded(flows.result)),
    ]


def _guarded(endpoint: Endpoint, *, version: bool = False) -> Endpoint:
    """*endpoint* for those with a key and Dojo's headers, the *version* among them where it is needed."""

    async def respond(request: Request) -> Response:
        request.state.account = _account(request)
        require_headers(request.headers, version=version)
        return await endpoint(request)

    return respond


def _open(endpoint: Endpoint) -> Endpoint:
    """*endpoint* of the sandbox's own: for those with a key."""

    async def respond(request: Request) -> Response:
        request.state.account = _account(request)
        return await endpoint(request)

    return respond


def _account(request: Request) -> str:
    keys: Keys = request.app.state.keys
    return keys.account(request.headers.get("authorization"))


async def _about(_: Request) -> Response:
    """``GET /sandbox``"""
    return JSONResponse({"format": FORMAT, "suite": {"name": _suite.NAME, "version": _suite.version()}})


def _upgrade(elsewhere: bool) -> dict[str, str]:
    return {} if elsewhere else {"upgrade": "websocket", "connection": "upgrade"}


# Refusals


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _unroutable(request: Request, error: Exception) -> Response:
    """No such path, or no such method for it; who has no key isn't told."""
    assert isinstance(error, HTTPException)
    try:
        _account(request)
    except Problem as problem:
        return problem.response()
    if error.status_code != 405:
        return Problem(error.status_code, "there is nothing at this path").response()
    methods = _methods(request)
    return Problem(405, f"this path answers to {methods}", headers={"allow": methods}).response()


def _methods(request: Request) -> str:
    """The methods that the path of *request* is known with: there may be a route for each."""
    known: set[str] = set()
    for each in request.app.routes:
        if each.path_regex.match(request.scope["path"]):
            known |= each.methods
    return ", ".join(sorted(known - {"HEAD"}))


async def _fault(_: Request, error: Exception) -> Response:
    log.error("the sandbox is at fault", exc_info=error)
    return Problem(500, f"a fault of the sandbox: {type(error).__name__}").response()


class _Watched:
    """
    The application, with a line for each call.
    """

    def __init__(self, app: ASGIApp, say: Callable[[str], None]) -> None:
        self._app = app
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started, status = time.perf_counter(), 0

        async def watch(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            pass
        except Exception:
            # Told by now, and answered.
            if not status:
                raise
        finally:
            took = (time.perf_counter() - started) * 1000
            path = KEYS.sub("*****", ascii(scope["path"])[1:-1])[:_MOST_SHOWN]
            self._say(f"{scope['method']} {path} -> {status or 'no answer'} in {took:.0f} ms")
