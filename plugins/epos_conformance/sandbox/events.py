"""
What the EPOS tells Dojo: everything that arrives is kept, refused or not, for whoever tests with the sandbox.
"""

from __future__ import annotations

import asyncio
import json

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from epos_conformance.sandbox import requests
from epos_conformance.sandbox.context import context
from epos_conformance.sandbox.keys import KEYS, Keys, require_headers
from epos_conformance.sandbox.problems import Problem
from epos_conformance.sandbox.store import Json, instant


#: Seconds for which an answer is held at most.
MOST_WAITED = 30.0

#: Characters that are kept of a body that is not JSON, and of a header.
_MOST_KEPT, _MOST_OF_A_HEADER = 10_000, 200


class Bell:
    """
    Rings in the server's loop when an event has arrived, and when it all ends.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self.ended = False

    async def ring(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def end(self) -> None:
        """Nobody is kept waiting any more."""
        self.ended = True
        await self.ring()

    async def wait(self, seconds: float) -> bool:
        """Wait for the next ring, *seconds* at most; whether there was one."""
        if self.ended:
            return False
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait()
        except TimeoutError:
            return False
        return True


async def send(request: Request) -> Response:
    """``POST /epos/events``: admitted here, since what is refused is kept as well."""
    keys: Keys = request.app.state.keys
    authorization = request.headers.get("authorization")
    raw, value, refusal = b"", None, None
    try:
        raw = await requests.raw(request)
        keys.account(authorization)
        require_headers(request.headers, version=False)
        value = requests.parsed(raw)
        requests.check("event", value, size=len(raw))
        requests.check(value["eventType"], value["event"], "event")
    except Problem as problem:
        refusal = problem
    kept = {
        "at": instant(),
        "status": refusal.status if refusal else 200,
        **_content(raw, value),
        "headers": {
            "authorization": keys.spelt(authorization),
            **{name: _shown(request.headers.get(name)) for name in ("software-house-id", "version")},
        },
    }
    request.app.state.store.record(keys.owner(authorization), kept)
    await request.app.state.bell.ring()
    if refusal is not None:
        raise refusal
    return JSONResponse(value)


def _content(raw: bytes, value: Any) -> Json:
    """``eventType`` and ``event`` as sent, and the ``body`` as text where it is no object, or its event isn't."""
    if value is None:
        try:
            value = requests.parsed(raw)
        except Problem:
            value = None
    told = value if isinstance(value, dict) else {}
    found: Json = {"eventType": told.get("eventType"), "event": told.get("event")}
    if not isinstance(found["event"], dict):
        found["body"] = KEYS.sub("*****", raw[:_MOST_KEPT].decode("utf-8", "backslashreplace"))
    return found


def _shown(header: str | None) -> str | None:
    return None if header is None else KEYS.sub("*****", header)[:_MOST_OF_A_HEADER]


async def arrived(request: Request) -> Response:
    """``GET /sandbox/events?after=N&wait=SECONDS``: those above the number N, waited for where there are none yet."""
    store, account = context(request)
    after = int(_number(request, "after", 2**53))
    clock = asyncio.get_running_loop()
    until = clock.time() + _number(request, "wait", MOST_WAITED)
    while not (found := store.events(account, after)):
        left = until - clock.time()
        if left <= 0 or not await request.app.state.bell.wait(left):
            break
    return Response(json.dumps({"events": found, "latest": store.latest}).encode(), media_type="application/json")


def _number(request: Request, name: str, most: float) -> float:
    """The parameter *name* of the query, a number from 0 on; more than *most* is *most*."""
    text = request.query_params.get(name, "0")
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not found >= 0:
        raise Problem(400, errors={name: ["A number from 0 on is expected."]})
    return min(found, most)
