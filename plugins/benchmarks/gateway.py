"""
What a call costs through the gateway, beside a bare round trip over the same kind of connection to the same EPOS.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
import uuid

from collections.abc import Iterator
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from epos_conformance import _contracts
from epos_conformance._settings import Listen, Settings
from epos_conformance.reference import launch
from epos_conformance.transports import DOJO_HEADERS
from epos_conformance.websocket import messages
from epos_conformance.websocket.lines import Line, RemoteLine
from epos_conformance.websocket.station import Station
from epos_conformance.websocket.transport import WebSocketTransport


CALLS = 1_000
WORKERS = 4

_AREAS = _contracts.capabilities()["ListAreas"]


def rates() -> dict[str, float]:
    """Calls a second: bare, from the process that holds the session, and from others."""
    return {"bare": asyncio.run(_bare()), **dict(_through_the_gateway())}


async def _bare() -> float:
    found: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def session(socket: ServerConnection) -> None:
        started = time.perf_counter()
        for _ in range(CALLS):
            await socket.send(messages.request(str(uuid.uuid4()), _AREAS.ws_method, {"headers": {}}))
            await socket.recv()
        if not found.done():
            found.set_result(CALLS / (time.perf_counter() - started))

    async with serve(session, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with await asyncio.to_thread(launch.start, dial=f"ws://127.0.0.1:{port}/epos"):
            return await found


def _through_the_gateway() -> Iterator[tuple[str, float]]:
    settings = Settings(ws=Listen("127.0.0.1", 0))
    with Station(settings, Listen("127.0.0.1", 0)) as station, launch.start(dial=station.url):
        station.wait(10, lambda _: None)
        yield "in process", CALLS / _calls(station.line(), CALLS)
        for count in (1, WORKERS):
            context = multiprocessing.get_context("spawn")
            start, done = context.Barrier(count + 1), context.Barrier(count + 1)
            workers = [
                context.Process(target=_work, args=(*station.control, CALLS // count, start, done))
                for _ in range(count)
            ]
            for each in workers:
                each.start()
            start.wait()
            started = time.perf_counter()
            done.wait()
            yield f"from {count}", CALLS / (time.perf_counter() - started)
            for each in workers:
                each.join()


def _work(address: str, token: str, count: int, start: Any, done: Any) -> None:
    line = RemoteLine(address, token)
    _calls(line, 10)
    start.wait()
    _calls(line, count)
    done.wait()


def _calls(line: Line, count: int) -> float:
    transport = WebSocketTransport(Settings(), "", line)
    started = time.perf_counter()
    for _ in range(count):
        assert transport.call(_AREAS, {}, DOJO_HEADERS).succeeded
    return time.perf_counter() - started
