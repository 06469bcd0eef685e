"""
The side that the EPOS dials: Dojo's ``/epos``, on this machine.
"""

from __future__ import annotations

import contextlib
import json
import logging
import ssl

from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from epos_conformance.websocket import handshakes
from epos_conformance.websocket.handshakes import Expected, Handshake
from epos_conformance.websocket.hub import MOST_SESSIONS, Hub


PATH = "/epos"

#: Nobody's business: what goes wrong in a session is told by the hub.
SILENT = logging.getLogger("epos_conformance.websocket")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
SILENT.setLevel(logging.CRITICAL + 1)

#: Seconds for the EPOS to answer a close.
_CLOSING = 2.0


class Gateway:
    """
    Lets an EPOS in: whoever dials the right path, or with *guarded* whoever knows the key, too.

    *notice* is told each handshake.
    """

    def __init__(self, hub: Hub, expected: Expected, *, guarded: bool, notice: Callable[[Handshake], None]) -> None:
        self._hub = hub
        self._expected = expected
        self._guarded = guarded
        self._notice = notice
        self._opening: WeakKeyDictionary[ServerConnection, Handshake] = WeakKeyDictionary()

    @contextlib.asynccontextmanager
    async def listening(self, host: str, port: int, secure: ssl.SSLContext | None) -> AsyncIterator[Server]:
        """
        Accept sessions; raises `OSError` where the address is taken.
        """
        async with serve(
            self._serve,
            host,
            port,
            ssl=secure,
            process_request=self._judge,
            max_size=self._hub.most,
            # Dojo names none, but a client that asks for one hangs up where it gets none.
            select_subprotocol=lambda _, offered: offered[0] if offered else None,
            # An EPOS that leaves pings unanswered breaks a rule; it doesn't lose its session for it.
            ping_interval=None,
            close_timeout=_CLOSING,
            logger=SILENT,
        ) as server:
            yield server

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        handshake = handshakes.read(request.path, request.headers.raw_items(), self._expected)
        handshake.refused = self._refusal(request, handshake)
        self._notice(handshake)
        if handshake.refused is None:
            self._opening[connection] = handshake
            return None
        self._hub.evidence.handshakes.append(handshake.to_json())
        return _problem(*handshake.refused)

    def _refusal(self, request: Request, handshake: Handshake) -> tuple[int, str] | None:
        if request.path.partition("?")[0].rstrip("/") != PATH:
            return 404, f"there is nothing at {handshake.path[:100]}: dial {PATH}"
        if not any("websocket" in each.lower() for each in request.headers.get_all("upgrade")):
            return 426, "this is no WebSocket handshake: the header 'Upgrade: websocket' is missing"
        if self._guarded and not handshake.authentic:
            fault = handshake.faults.get(handshakes.KEY) or handshake.faults.get(handshakes.SCHEME)
            seen = fault[2] if fault else "another key"
            return 401, f"the Authorization header has to be 'Basic' and the API key; it has {seen}"
        if len(self._hub.sessions) >= MOST_SESSIONS:
            return 503, f"{MOST_SESSIONS} sessions are open already; an EPOS holds one"
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        handshake = self._opening.pop(connection, None)
        if handshake is not None:
            handshake.session = self._hub.evidence.counts["sessions"] + 1
            self._hub.evidence.handshakes.append(handshake.to_json())
        await self._hub.serve(connection)


def _problem(status: int, detail: str) -> Response:
    """A refusal as Dojo words it: RFC 7807."""
    phrase = HTTPStatus(status).phrase
    body = json.dumps({"type": "about:blank", "title": phrase, "status": status, "detail": detail}).encode()
    headers = Headers({
        "content-type": "application/problem+json",
        "content-length": str(len(body)),
        "connection": "close",
    })
    return Response(status, phrase, headers, body)
