"""
Freedoms of HTTP: how bodies and headers travel, and when.
"""

from __future__ import annotations

import asyncio
import gzip

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from epos_conformance._contracts import Capability
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError
from epos_conformance.reference.faults import variant
from epos_conformance.reference.rest import RestShell


@variant("chunked-bodies")
class ChunkedBodies(RestShell):
    """
    Bodies are sent in chunks, without a Content-Length.
    """

    async def send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        chunked = StreamingResponse(_chunks(bytes(response.body)), response.status_code, headers)
        await super().send(chunked, scope, receive, send)


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 100):
        yield body[start : start + 100]


@variant("gzipped-bodies")
class GzippedBodies(RestShell):
    """
    Bodies are compressed for whoever accepts it.
    """

    async def send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = Request(scope).headers.get("accept-encoding", "")
        if response.body and "gzip" in accepted:
            response.body = gzip.compress(bytes(response.body))
            response.headers["content-length"] = str(len(response.body))
            response.headers["content-encoding"] = "gzip"
        await super().send(response, scope, receive, send)


@variant("odd-header-case")
class OddHeaderCase(RestShell):
    """
    Header names are sent in capitals.
    """

    async def send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        async def shout(message: Message) -> None:
            if "headers" in message:
                message["headers"] = [(name.upper(), value) for name, value in message["headers"]]
            await send(message)

        await super().send(response, scope, receive, shout)


@variant("closing-connections")
class ClosingConnections(RestShell):
    """
    Every answer closes its connection.
    """

    async def send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        response.headers["connection"] = "close"
        await super().send(response, scope, receive, send)


@variant("slow-but-fine")
class SlowButFine(RestShell):
    """
    Every answer takes 0.3 seconds.
    """

    async def pause(self, capability: Capability) -> None:
        await asyncio.sleep(0.3)


@variant("busy-now-and-then")
class BusyNowAndThen(RestShell):
    """
    Every twentieth request is put off for a second with status 429.
    """

    def __init__(self, epos: ReferenceEpos, **credentials: Any) -> None:
        super().__init__(epos, **credentials)
        self.requests = count(1)

    async def respond(self, request: Request) -> Response:
        if next(self.requests) % 20 == 0:
            body = self.epos.error_body(EposError("UnexpectedError", "too many requests"))
            return self.json(body, 429, {"retry-after": "1"})
        return await super().respond(request)
