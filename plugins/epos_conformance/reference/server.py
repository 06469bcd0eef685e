"""
Serving an application over real HTTP, in this thread or in one of its own.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn

from epos_conformance._loops import until_hung_up
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.rest import RestShell


#: Seconds that a server may take to be ready, or to end.
PATIENCE = 15.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises `OSError` where the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where it is told that this is TCP; with it each answer takes 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # On Windows the option would let two servers share the port.
    if sys.platform != "win32":
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(256)
    except (OSError, OverflowError):
        found.close()
        raise
    return found


def url_of(listening: socket.socket) -> str:
    """The base URL of a server on *listening*."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """
    uvicorn, telling when it is ready.
    """

    def __init__(self, app: Any, when_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=getattr(app, "http", "h11"),
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # The till tells the time by its own clock.
                date_header=False,
                timeout_graceful_shutdown=1,
                timeout_keep_alive=75,
            )
        )
        self.when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.when_ready()


class Serving:
    """
    A server that answers at `url` until it is stopped.
    """

    def __init__(self, url: str, stop: Callable[[], None]) -> None:
        self.url = url
        self._stop: Callable[[], None] | None = stop

    def stop(self) -> None:
        """Ends it; a second time does nothing."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"


class Running(Serving):
    """
    An EPOS.
    """

    def __init__(self, url: str, auth: str, stop: Callable[[], None]) -> None:
        super().__init__(url, stop)
        #: ``user:password``.
        self.auth = auth


def in_thread(what: ReferenceEpos | Any, *, auth: str = "dojo:reference", host: str = "127.0.0.1") -> Running:
    """
    Serves an EPOS, or any ASGI application, in a thread of this process.
    """
    user, _, password = auth.partition(":")
    app = RestShell(what, user=user, password=password) if isinstance(what, ReferenceEpos) else what
    listening = listen(host, 0)
    ready = threading.Event()
    server = Server(app, ready.set)

    def run() -> None:
        try:
            asyncio.run(until_hung_up(server.serve([listening])))
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="reference EPOS", daemon=True)

    def stop() -> None:
        server.should_exit = True
        thread.join(PATIENCE)
        listening.close()

    thread.start()
    running = Running(url_of(listening), auth, stop)
    if not ready.wait(PATIENCE) or not server.started:
        running.stop()
        raise RuntimeError("the reference EPOS did not start")
    return running
