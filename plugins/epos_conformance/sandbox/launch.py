"""
Starting the sandbox in threads of this process, and ending it for certain.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import socket
import tempfile
import threading

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import h11
import uvicorn

from uvicorn.protocols.http.h11_impl import H11Protocol

from epos_conformance._leases import Leases
from epos_conformance._loops import until_hung_up
from epos_conformance._settings import Settings
from epos_conformance.reference.server import PATIENCE, Serving, listen, url_of
from epos_conformance.sandbox import app
from epos_conformance.sandbox.calling import Caller
from epos_conformance.sandbox.door import Door
from epos_conformance.sandbox.events import Bell
from epos_conformance.sandbox.flows import Tool
from epos_conformance.sandbox.keys import Keys
from epos_conformance.sandbox.problems import MEDIA_TYPE, Problem
from epos_conformance.sandbox.run import BOUND
from epos_conformance.sandbox.splice import splicing
from epos_conformance.sandbox.store import Store
from epos_conformance.websocket.gateway import PATH
from epos_conformance.websocket.lines import Line


#: Seconds for flows that are still at it when the sandbox is ended.
_FAREWELL = 3.0


class Running(Serving):
    """
    A sandbox; an EPOS dials `ws_url`.
    """

    def __init__(self, url: str, ws_url: str, stop: Callable[[], None]) -> None:
        super().__init__(url, stop)
        self.ws_url = ws_url


def start(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    keys: Iterable[str] = (),
    settings: Settings | None = None,
    leases: Path | None = None,
    line: Line | Callable[[], Line] | None = None,
    line_url: str = "",
    state: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    bound: float = BOUND,
) -> Running:
    """
    Start the sandbox; raises `OSError` where the address is taken, and `BrokenState`.

    *keys* are those that are accepted, any sandbox key where there are none. *settings* are those of the suite: limits,
    test data, authorities; address and credentials are the registered ones. *leases* is the folder of a run's leases:
    flows agree with its checks on who uses what. With *line*, flows over WebSocket go down a session that is held
    elsewhere, where the EPOS has dialled *line_url*. *state* is the file that everything is kept in. *say* is told each
    call in a line. *bound* is the number of seconds that a flow may take.
    """
    store = Store(state)
    store.save()
    listening = listen(host, port)
    try:
        return _Server(store, Keys(keys), settings or Settings(), listening, say).start(leases, line, line_url, bound)
    except BaseException:
        listening.close()
        raise


class _Server:
    """
    The thread that the sandbox lives in.
    """

    def __init__(
        self, store: Store, keys: Keys, settings: Settings, listening: socket.socket, say: Callable[[str], None]
    ) -> None:
        self._store = store
        self._keys = keys
        self._settings = settings
        self._listening = listening
        self._say = say
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._uvicorn: uvicorn.Server | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="dojo-sandbox-", ignore_cleanup_errors=True)

    def start(
        self, leases: Path | None, line: Line | Callable[[], Line] | None, line_url: str, bound: float
    ) -> Running:
        url = url_of(self._listening)
        door = None if line is not None else Door(self._keys, self._settings.max_reply, self._say)
        dial = line_url if line is not None else f"{url.replace('http', 'ws', 1)}{PATH}"
        lines = door.line if door is not None else _lines(line)
        caller = Caller(
            self._store,
            self._settings,
            lines,
            Path(self._folder.name),
            dial=dial,
            leases=None if leases is None else Leases(leases),
        )
        self._tool = Tool(self._store, caller, self._say, bound=bound)
        self._thread = threading.Thread(target=self._run, args=(door, dial), name="Dojo sandbox", daemon=True)
        self._thread.start()
        running = Running(url, dial, self._stop)
        if not self._ready.wait(PATIENCE) or self._failure is not None:
            running.stop()
            raise RuntimeError(f"the sandbox did not start: {self._failure or 'it takes too long'}")
        return running

    def _stop(self) -> None:
        self._tool.end(_FAREWELL)
        with contextlib.suppress(RuntimeError, AttributeError):  # it has ended by itself, or never began
            self._loop.call_soon_threadsafe(self._end)
        self._thread.join(PATIENCE)
        self._listening.close()
        self._folder.cleanup()

    def _end(self) -> None:
        self._ending = asyncio.ensure_future(self._bell.end())
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    # In the thread

    def _run(self, door: Door | None, dial: str) -> None:
        try:
            asyncio.run(until_hung_up(self._main(door, dial)))
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self, door: Door | None, dial: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._bell = Bell()
        application = app.build(
            self._store, self._keys, self._tool, self._bell, dial=dial, elsewhere=door is None, say=self._say
        )
        async with contextlib.AsyncExitStack() as stack:
            upgrade: Any = "none"
            if door is not None:
                upgrade = splicing(await stack.enter_async_context(door.listening()))
            self._uvicorn = server = _Uvicorn(application, upgrade, self._ready.set)
            await server.serve([self._listening])


class _Http(H11Protocol):
    """
    HTTP/1.1, refusing what it can't read as everything else is refused.
    """

    def send_400_response(self, _: str) -> None:
        problem = Problem(400, "this is no HTTP request, or its head is too long")
        headers = [("content-type", MEDIA_TYPE), ("connection", "close")]
        for each in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=problem.body()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(each) or b"")
        self.transport.close()


class _Uvicorn(uvicorn.Server):
    """
    uvicorn, telling when it is ready; *upgrade* is what becomes of a connection that asks for a WebSocket.
    """

    def __init__(self, application: Any, upgrade: Any, when_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=_Http,
                ws=upgrade,
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
                timeout_keep_alive=75,
            )
        )
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_ready()


def _lines(line: Line | Callable[[], Line] | None) -> Callable[[str], Line]:
    """A line for each flow: who shares one shares its turn as well. A copy of a `LocalLine` is a line of its own."""
    assert line is not None
    if callable(line):
        make = line
        return lambda _: make()
    return lambda _: copy.copy(line)
