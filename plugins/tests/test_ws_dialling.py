"""
The suite dials an EPOS that listens, again whenever the session is lost, and says why where it can't.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import trustme

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from epos_conformance._settings import Dial

from .support import partner_that
from .tills import KEY, PATIENCE, Desk, desk, until


class Listening:
    """
    An EPOS that is dialled, and answers everything.
    """

    def __init__(self, *refusals: HTTPStatus) -> None:
        self.url = ""
        self.sessions: Queue[ServerConnection] = Queue()
        #: Statuses to refuse handshakes with, the next one first.
        self.refusals = list(refusals)
        self.loop: asyncio.AbstractEventLoop

    def _judge(self, connection: ServerConnection, _: Request) -> Response | None:
        return connection.respond(self.refusals.pop(0), "not\nnow") if self.refusals else None

    async def _talk(self, connection: ServerConnection) -> None:
        self.sessions.put(connection)
        with suppress(ConnectionClosed):
            async for frame in connection:
                await connection.send(json.dumps({"id": json.loads(frame)["id"], "jsonrpc": "2.0", "result": "fine"}))

    async def _main(self, port: int, secure: ssl.SSLContext | None, ready: threading.Event) -> None:
        self.loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with serve(
            self._talk, "127.0.0.1", port, ssl=secure, process_request=self._judge, close_timeout=1
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            self.url = f"{'wss://localhost' if secure else 'ws://127.0.0.1'}:{port}/epos?venue=1"
            ready.set()
            await self._ended.wait()

    @contextmanager
    def open(self, port: int = 0, secure: ssl.SSLContext | None = None) -> Iterator[Listening]:
        ready = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._main(port, secure, ready)), daemon=True)
        thread.start()
        assert ready.wait(PATIENCE)
        try:
            yield self
        finally:
            self.loop.call_soon_threadsafe(self._ended.set)
            thread.join(PATIENCE)

    def end(self, session: ServerConnection, code: int | None) -> None:
        if code is None:
            self.loop.call_soon_threadsafe(session.transport.abort)
        else:
            asyncio.run_coroutine_threadsafe(session.close(code), self.loop)


def listening(*refusals: HTTPStatus, secure: ssl.SSLContext | None = None) -> AbstractContextManager[Listening]:
    return Listening(*refusals).open(secure=secure)


def called(here: Desk, id: str) -> Any:
    return here.calling(id).result(PATIENCE)[0]


def test_the_suite_dials_with_what_it_was_told() -> None:
    with (
        listening() as there,
        desk(Dial(there.url), api_key=KEY, software_house_id="house", reseller_id="reseller") as here,
    ):
        request = there.sessions.get(timeout=PATIENCE).request
        assert request is not None
        assert request.path == "/epos?venue=1"
        assert request.headers["authorization"] == f"Basic {KEY}"
        assert request.headers["software-house-id"] == "house"
        assert request.headers["reseller-id"] == "reseller"
        assert called(here, "a")["failure"] is None
        assert here.url == there.url


def test_what_nobody_said_is_not_sent() -> None:
    with listening() as there, desk(Dial(there.url)) as here:
        here.seen(1)
        request = there.sessions.get(timeout=PATIENCE).request
        assert request is not None
        assert not {"authorization", "software-house-id", "reseller-id"} & {name.lower() for name in request.headers}


@pytest.mark.parametrize("code", [1000, 1012, None])
def test_a_session_that_ends_is_dialled_again(code: int | None) -> None:
    with listening() as there, desk(Dial(there.url)) as here:
        first = there.sessions.get(timeout=PATIENCE)
        assert called(here, "a")["session"] == 1
        there.end(first, code)
        there.sessions.get(timeout=PATIENCE)
        until(lambda: here.ask("open") == [2])
        assert called(here, "b")["session"] == 2


def test_a_session_that_the_suite_ends_is_dialled_again() -> None:
    with listening() as there, desk(Dial(there.url)) as here:
        here.seen(1)
        last = here.ask("close", code=1001)
        assert here.ask("await", after=last, limit=PATIENCE) == 2


def test_one_session_is_dialled() -> None:
    with listening() as there, desk(Dial(there.url)) as here:
        here.seen(1)
        assert called(here, "a")["failure"] is None
        assert here.evidence["counts"] == {"sessions": 1}


def test_the_end_says_goodbye() -> None:
    with listening() as there:
        with desk(Dial(there.url)) as here:
            session = there.sessions.get(timeout=PATIENCE)
            here.seen(1)
        until(lambda: session.state is State.CLOSED)
        assert session.close_code == 1001


# Where it can't


def test_a_refused_handshake_is_told_and_dialled_again() -> None:
    with listening(HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN) as there, desk(Dial(there.url)) as here:
        until(lambda: here.ask("open"))
        assert list(here.station.news) == ["the EPOS answers the handshake with status 403: not now"]


def test_an_epos_that_is_not_there_yet_is_dialled_until_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with desk(Dial(f"ws://127.0.0.1:{port}/")) as here:
        until(lambda: here.station.news)
        assert here.station.news[0].startswith(f"can't dial ws://127.0.0.1:{port}/: ")
        with Listening().open(port):
            until(lambda: here.ask("open"))


@pytest.mark.parametrize(
    "url", ["ws://nowhere.invalid/", f"ws://{'x' * 70}/", "ws://127.0.0.1:1/", "wss://127.0.0.1:1/"]
)
def test_an_address_that_can_not_be_dialled_is_told(url: str) -> None:
    with desk(Dial(url)) as here:
        until(lambda: here.station.news)
        assert here.station.news[0].startswith(f"can't dial {url}: ")
        assert here.ask("open") == []


@pytest.mark.parametrize("answer", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
def test_who_speaks_no_websocket_is_told(answer: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with partner_that(talk) as url, desk(Dial(url.replace("http:", "ws:"))) as here:
        until(lambda: here.station.news)
        assert "can't dial" in here.station.news[0] or "status 200" in here.station.news[0]
        assert here.ask("open") == []


# TLS


def test_the_certificate_is_examined(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    with listening(secure=context) as there:
        with desk(Dial(there.url), ca=trusted) as here:
            until(lambda: here.ask("open"))
            assert called(here, "a")["failure"] is None
        with desk(Dial(there.url)) as here:
            until(lambda: here.station.news)
            assert "CERTIFICATE_VERIFY_FAILED" in here.station.news[0]
            assert here.ask("open") == []
