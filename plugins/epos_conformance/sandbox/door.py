"""
``/epos`` over WebSocket: the EPOS of an account dials in with the account's key, and flows go down its session.

Each account has a hub of its own: a session is nobody else's business.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading

from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from epos_conformance.exceptions import Unreachable
from epos_conformance.sandbox.keys import Keys, require_headers
from epos_conformance.sandbox.problems import MEDIA_TYPE, Problem
from epos_conformance.websocket.gateway import PATH, SILENT
from epos_conformance.websocket.hub import MOST_SESSIONS, Hub
from epos_conformance.websocket.lines import Line


#: Seconds that a flow waits for an EPOS that isn't there, and for one that doesn't answer a close.
AWAY, _CLOSING = 5.0, 1.0

_ENDED = "the sandbox has ended"


class Door:
    """
    Lets in whoever dials `PATH` with a key that is taken; *most* is the number of bytes that a reply may have.
    """

    def __init__(self, keys: Keys, most: int, say: Callable[[str], None]) -> None:
        self._keys = keys
        self._most = most
        self._say = say
        self._hubs: dict[str, Hub] = {}
        self._accounts: WeakKeyDictionary[ServerConnection, str] = WeakKeyDictionary()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._ended = False

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """
        Accept sessions on a port of this machine alone, which is given; `splicing` leads there.
        """
        self._loop = asyncio.get_running_loop()
        async with serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._judge,
            max_size=self._most,
            select_subprotocol=lambda _, offered: offered[0] if offered else None,
            ping_interval=None,
            close_timeout=_CLOSING,
            logger=SILENT,
        ) as server:
            try:
                yield next(iter(server.sockets)).getsockname()[1]
            finally:
                with self._lock:
                    self._ended = True

    def line(self, account: str) -> Line:
        """A line to the session of *account*, from any thread."""
        return _DoorLine(partial(self._begin, self._hub(account)))

    def _begin(self, hub: Hub, owner: Hashable, operation: Mapping[str, Any]) -> concurrent.futures.Future[Any]:
        """Have *operation* begun; raises `Unreachable` where nothing is any more."""
        assert self._loop is not None
        # What is begun under the lock is begun before the loop ends, and is told of that.
        with self._lock:
            if self._ended:
                raise Unreachable(_ENDED)
            return asyncio.run_coroutine_threadsafe(hub.do(owner, operation), self._loop)

    def _hub(self, account: str) -> Hub:
        return self._hubs.setdefault(account, Hub(away=AWAY, most=self._most))

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        try:
            account = self._admit(request)
        except Problem as problem:
            self._say(f"a handshake -> {problem.status}")
            return _refusal(problem)
        self._accounts[connection] = account
        return None

    def _admit(self, request: Request) -> str:
        if request.path.partition("?")[0].rstrip("/") != PATH:
            raise Problem(404, f"there is nothing here for a WebSocket: dial {PATH}")
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        account = self._keys.account(headers.get("authorization"))
        require_headers(headers, version=False)
        if len(self._hub(account).sessions) >= MOST_SESSIONS:
            raise Problem(503, f"{MOST_SESSIONS} sessions are open already; an EPOS holds one")
        return account

    async def _serve(self, connection: ServerConnection) -> None:
        self._say("a session is open")
        try:
            await self._hub(self._accounts[connection]).serve(connection)
        finally:
            self._say("a session has ended")


class _DoorLine:
    """
    A line for one flow, which may outlive the sandbox.
    """

    def __init__(self, begin: Callable[[Hashable, Mapping[str, Any]], concurrent.futures.Future[Any]]) -> None:
        self._begin = begin

    def ask(self, op: str, **more: Any) -> Any:
        try:
            return self._begin(id(self), {"op": op, **more}).result()
        except concurrent.futures.CancelledError:
            raise Unreachable(_ENDED) from None

    def close(self) -> None:
        """There is no turn to give back."""


def _refusal(problem: Problem) -> Response:
    body = problem.body()
    headers = Headers({
        **problem.headers,
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
    })
    return Response(problem.status, HTTPStatus(problem.status).phrase, headers, body)
