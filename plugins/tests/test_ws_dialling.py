"""
The suite dials an EPOS that listens, again whenever the session is lost, and says why where it can't.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import trustme

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from epos_conformance._settings import Dial

from .support import partner_that
from .tills import KEY, PATIENCE, Desk, desk, until


class Listening:
    """
    An EPOS that is dialled, and answers everything with the number of its session.
    """

    def __init__(self) -> None:
        self.url = ""
        self.sessions: Queue[ServerConnection] = Queue()
        #: Statuses to refuse handshakes with, the next one first.
        self.refusals: list[HTTPStatus] = []

    def judge(self, connection: ServerConnection, _: Request) -> Response | None:
        return connection.respond(self.refusals.pop(0), "not\nnow") if self.refusals else None

    def talk(self, connection: ServerConnection) -> None:
        self.sessions.put(connection)
        try:
            for frame in connection:
                connection.send(json.dumps({"id": json.loads(frame)["id"], "jsonrpc": "2.0", "result": "fine"}))
        except ConnectionClosed:
            pass


@contextmanager
def listening(secure: ssl.SSLContext | None = None, *refusals: HTTPStatus) -> Iterator[Listening]:
    found = Listening()
    found.refusals += refusals
    with serve(found.talk, "127.0.0.1", 0, ssl=secure, process_request=found.judge, close_timeout=1) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = server.socket.getsockname()[1]
        found.url = f"{'wss' if secure else 'ws'}://localhost:{port}/epos?venue=1"
        found.url = found.url.replace("localhost", "127.0.0.1") if not secure else found.url
        try:
            yield found
        finally:
            server.shutdown()
            thread.join(PATIENCE)


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
    with listening() as there, desk(Dial(there.url)):
        request = there.sessions.get(timeout=PATIENCE).request
        assert request is not None
        assert not {"authorization", "software-house-id", "reseller-id"} & {name.lower() for name in request.headers}


@pytest.mark.parametrize("code", [1000, 1012, None])
def test_a_session_that_ends_is_dialled_again(code: int | None) -> None:
    with listening() as there, desk(Dial(there.url)) as here:
        first = there.sessions.get(timeout=PATIENCE)
        assert called(here, "a")["session"] == 1
        if code is None:
            first.socket.shutdown(socket.SHUT_RDWR)
        else:
            first.close(code)
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


# Where it can't


def test_a_refused_handshake_is_told_and_dialled_again() -> None:
    with listening(None, HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN) as there, desk(Dial(there.url)) as here:
        until(lambda: here.ask("open"))
        assert list(here.station.news) == ["the EPOS answers the handshake with status 403: not now"]


def test_an_epos_that_is_not_there_yet_is_dialled_until_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    found = Listening()
    with desk(Dial(f"ws://127.0.0.1:{port}/")) as here:
        until(lambda: here.station.news)
        assert here.station.news[0].startswith(f"can't dial ws://127.0.0.1:{port}/: ")
        with serve(found.talk, "127.0.0.1", port, close_timeout=1) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            until(lambda: here.ask("open"))
            server.shutdown()
            thread.join(PATIENCE)


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
    with listening(context) as there:
        with desk(Dial(there.url), ca=trusted) as here:
            until(lambda: here.ask("open"))
            assert called(here, "a")["failure"] is None
        with desk(Dial(there.url)) as here:
            until(lambda: here.station.news)
            assert "CERTIFICATE_VERIFY_FAILED" in here.station.news[0]
            assert here.ask("open") == []
