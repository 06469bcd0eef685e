"""
Tills that dial in over a real connection, and the desk that calls them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import struct
import threading
import time

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from epos_conformance._settings import Dial, Listen, Settings
from epos_conformance.websocket import messages
from epos_conformance.websocket.station import Station


KEY = "sk_sandbox_of-these-tests"

#: What a till says when it dials.
HANDSHAKE = {"Authorization": f"Basic {KEY}", "software-house-id": "house", "reseller-id": "reseller"}

ANYWHERE = Listen("127.0.0.1", 0)

#: Seconds for whatever is waited for: generous, since it is there in milliseconds.
PATIENCE = 20.0


class Desk:
    """
    Dojo's side: a station, and calls that go on in the background.
    """

    def __init__(self, station: Station, pool: ThreadPoolExecutor) -> None:
        self.station = station
        self.url = station.url
        self.line = station.line()
        self.pool = pool

    def ask(self, op: str, **more: Any) -> Any:
        return self.line.ask(op, **more)

    def asking(self, op: str, **more: Any) -> Future[Any]:
        """The same in the background."""
        return self.pool.submit(self.ask, op, **more)

    def calling(
        self,
        *ids: str,
        limit: float = PATIENCE,
        again: bool = False,
        method: str = "ListAreasV1",
        text: str | list[str] | None = None,
    ) -> Future[list[dict[str, Any]]]:
        """Calls under *ids*, in the background."""
        calls = [
            {"id": id, "method": method, "text": text or messages.request(id, method, {}), "again": again} for id in ids
        ]
        return self.asking("call", calls=calls, limit=limit)

    def call(self, id: str, **more: Any) -> dict[str, Any]:
        """A call that ends without anybody's answering."""
        (found,) = self.calling(id, **more).result(PATIENCE)
        return found

    @property
    def evidence(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("evidence")
        return found

    def strays(self) -> list[tuple[str, str | None]]:
        """What each frame is that nobody waited for, and the id of the request that it belongs to."""
        return [(each["kind"], each["id"]) for each in self.evidence["strays"]]

    def seen(self, count: int) -> None:
        """Waits for so many sessions to be open."""
        until(lambda: len(self.ask("open")) == count)


@contextlib.contextmanager
def desk(where: Listen | Dial = ANYWHERE, **settings: Any) -> Iterator[Desk]:
    chosen = Settings(**{"ws": where, "fail_after": 5.0, "ws_timeout": 5.0, **settings})
    with ThreadPoolExecutor(16) as pool, Station(chosen, where) as station:
        yield Desk(station, pool)


class Till:
    """
    An EPOS that does as it is told.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def hear(self) -> dict[str, Any]:
        """The next request."""
        found: dict[str, Any] = json.loads(self.connection.recv(PATIENCE))
        return found

    def send(self, frame: Any) -> None:
        """A frame: JSON for whatever isn't a text, bytes or fragments."""
        self.connection.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    def send_parts(self, parts: Sequence[str]) -> None:
        self.connection.send(list(parts))

    def answer(self, id: Any, result: Any = "fine", **more: Any) -> None:
        self.send({"id": id, "jsonrpc": "2.0", "method": "ListAreasV1", "result": result, **more})

    def serve(self, count: int = 1) -> None:
        """Answers so many requests."""
        for _ in range(count):
            self.answer(self.hear()["id"])

    def drop(self) -> None:
        """Ends the connection without a word."""
        self.connection.socket.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def till(url: str, headers: Mapping[str, str] | None = None, **more: Any) -> Iterator[Till]:
    """A till that dials *url*."""
    given: dict[str, Any] = {"proxy": None, "close_timeout": 1, "max_size": None, "ping_interval": None, **more}
    with connect(url, additional_headers=HANDSHAKE if headers is None else headers, **given) as connection:
        yield Till(connection)


@contextlib.contextmanager
def meeting(**settings: Any) -> Iterator[tuple[Desk, Till]]:
    """A desk, and a till that has dialled it."""
    with desk(**settings) as found, till(found.url) as first:
        found.seen(1)
        yield found, first


def until(is_so: Callable[[], object]) -> None:
    """Waits until *is_so*."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


# Without a library


@contextlib.contextmanager
def bare(url: str, path: str | None = None, **headers: str) -> Iterator[socket.socket]:
    """A connection that has asked for a session and does nothing by itself, not even answer pings."""
    parts = urlsplit(url)
    assert parts.port is not None
    with socket.create_connection((str(parts.hostname), parts.port), timeout=PATIENCE) as connection:
        given = {
            "Host": parts.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            **HANDSHAKE,
            **headers,
        }
        lines = [f"GET {path or parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        yield connection


def head_of(connection: socket.socket) -> bytes:
    """The head of an answer."""
    found = b""
    while b"\r\n\r\n" not in found:
        part = connection.recv(1)
        assert part, found
        found += part
    return found


def frame(payload: bytes, opcode: int = 1, *, fin: bool = True, length: int | None = None) -> bytes:
    """A frame as a client sends it; *length* is what it says of itself."""
    length = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 2**16:
        head += bytes([0x80 | 126]) + struct.pack(">H", length)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", length)
    return head + bytes(4) + payload  # masked by zeros


# Tills that go on by themselves

#: What a till does with a request: the frame or frames that it sends, none for none.
Respond = Callable[[dict[str, Any]], Any]


def fine(request: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """A reply in good order."""
    return {"id": request["id"], "jsonrpc": "2.0", "method": request["method"], **members}


@contextlib.contextmanager
def answering(url: str, respond: Respond, **more: Any) -> Iterator[list[Any]]:
    """A till that answers whatever is asked with what *respond* says; gives the requests that it heard."""
    heard: list[Any] = []

    def work(connection: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for text in connection:
                heard.append(json.loads(text))
                for each in respond(heard[-1]):
                    connection.send(each if isinstance(each, (str, bytes)) else json.dumps(each))

    with till(url, **more) as found:
        thread = threading.Thread(target=work, args=(found.connection,), daemon=True)
        thread.start()
        yield heard
    thread.join(PATIENCE)
