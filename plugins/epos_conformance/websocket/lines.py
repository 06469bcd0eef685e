"""
How a process reaches the hub: directly where it lives, and over a connection of this machine from elsewhere.

The other processes are pytest-xdist's workers. They know a token; nobody else is answered.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import secrets

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection, connect

from epos_conformance.exceptions import Unreachable
from epos_conformance.websocket.gateway import SILENT
from epos_conformance.websocket.hub import Hub


_ENDED = "the session has ended with the run"


class Line(Protocol):
    """
    A way to have the hub do something.
    """

    def ask(self, op: str, **more: Any) -> Any:
        """Have the operation *op* carried out: see `Hub`. Raises `Unreachable` where the hub is gone."""

    def close(self) -> None:
        """Hang up; a turn that was taken is given back."""


class LocalLine:
    """
    To a hub of this process, in the loop of another thread.
    """

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        self._hub = hub
        self._loop = loop

    def ask(self, op: str, **more: Any) -> Any:
        if self._loop.is_closed():
            raise Unreachable(_ENDED)
        work = asyncio.run_coroutine_threadsafe(self._hub.do(id(self), {"op": op, **more}), self._loop)
        try:
            return work.result()
        except concurrent.futures.CancelledError:
            raise Unreachable(_ENDED) from None

    def close(self) -> None:
        if not self._loop.is_closed():
            self.ask("drop")


class RemoteLine:
    """
    To a hub of another process of this machine.
    """

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._token = token
        self._socket: ClientConnection | None = None
        self._stack = contextlib.ExitStack()

    def ask(self, op: str, **more: Any) -> Any:
        try:
            if self._socket is None:
                self._socket = self._stack.enter_context(
                    connect(
                        self._address,
                        additional_headers={"Authorization": f"Bearer {self._token}"},
                        compression=None,
                        max_size=None,
                        ping_interval=None,
                        proxy=None,
                        logger=SILENT,
                    )
                )
            self._socket.send(json.dumps({"op": op, **more}))
            answer = json.loads(self._socket.recv())
        except (OSError, WebSocketException) as error:
            self.close()
            raise Unreachable(f"the process that holds the session is gone: {error}") from None
        except BaseException:
            # Interrupted: the answer that is still to come isn't that to the next request.
            self.close()
            raise
        if "fault" in answer:
            raise RuntimeError(answer["fault"])
        return answer["found"]

    def close(self) -> None:
        self._socket = None
        self._stack.close()


@contextlib.asynccontextmanager
async def answering(hub: Hub) -> AsyncIterator[tuple[str, str]]:
    """
    Answer the lines of other processes; gives the address and the token that they need.
    """
    token = secrets.token_urlsafe(24)

    def judge(connection: ServerConnection, request: Request) -> Response | None:
        given = request.headers.get("Authorization", "")
        if secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return None
        return connection.respond(HTTPStatus.UNAUTHORIZED, "this is for the suite's own processes\n")

    async def serve_one(connection: ServerConnection) -> None:
        try:
            # One operation at a time: a process waits for the answer to one before it asks for another.
            async for frame in connection:
                await connection.send(json.dumps(await _carry_out(hub, connection, frame)))
        except ConnectionClosed:
            pass
        finally:
            await hub.do(connection.id, {"op": "drop"})

    async with serve(
        serve_one,
        "127.0.0.1",
        0,
        process_request=judge,
        compression=None,
        max_size=None,
        ping_interval=None,
        close_timeout=1,
        logger=SILENT,
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/", token


async def _carry_out(hub: Hub, connection: ServerConnection, frame: str | bytes) -> dict[str, Any]:
    work = asyncio.create_task(hub.do(connection.id, json.loads(frame)))
    gone = asyncio.create_task(connection.wait_closed())
    await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not work.done():
        work.cancel()  # of a worker that died while it waited for its turn, or of a run that ends
        await asyncio.wait([work])
    if work.cancelled():
        return {"fault": _ENDED}
    try:
        return {"found": work.result()}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}
