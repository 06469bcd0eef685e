"""
Whatever is sent to the sandbox, it refuses in good order, and goes on for everybody else.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from .sandboxes import HEADERS, PATIENCE, Dojo, sandbox


REST = "/epos/integrations/rest"

#: The head of a request, without the empty line at its end.
HEAD = "\r\n".join(f"{name}: {value}" for name, value in {**HEADERS, "Host": "sandbox"}.items())


@pytest.fixture(scope="module")
def dojo() -> Iterator[Dojo]:
    with sandbox() as found:
        yield found


@contextlib.contextmanager
def connection(dojo: Dojo) -> Iterator[socket.socket]:
    parts = urlsplit(dojo.running.url)
    assert parts.port is not None
    with socket.create_connection((str(parts.hostname), parts.port), timeout=PATIENCE) as found:
        yield found


def everything(found: socket.socket) -> bytes:
    """What comes until the other side hangs up, or says no more."""
    parts = []
    with contextlib.suppress(ConnectionError, TimeoutError):
        while part := found.recv(65536):
            parts.append(part)
    return b"".join(parts)


def is_well(dojo: Dojo) -> None:
    started = time.monotonic()
    assert dojo.get("/epos/integrations").status_code == 200
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"\xff\xfe",
        b"NaN",
        b'{"url": Infinity}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 5_000,
        b'{"url": 1e999}',
        b'"' + b"x" * 900_000 + b'"',
        b'{"url": "\\ud800", "capabilities": [], "auth": {}}',
        b'{"url": "https://till.example/\\u0000", "capabilities": [{"name": "\\ud800", "version": "v1"}]}',
        json.dumps({"url": "https://till.example", "capabilities": [{}] * 50_000}).encode(),
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", REST),
        ("POST", "/epos/events"),
        ("POST", "/payment-intents"),
        ("POST", "/epos-tester-tool/flows"),
        ("PUT", "/sandbox/payment-intents/x"),
    ],
)
def test_a_body_that_is_nonsense_is_a_bad_request(dojo: Dojo, method: str, path: str, body: bytes) -> None:
    answer = dojo.client.request(method, path, content=body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 10_000
    answer.json()
    assert answer.elapsed.total_seconds() < 2


@pytest.mark.parametrize("path", [REST, "/epos/events"])
def test_a_body_that_is_too_long_is_refused(dojo: Dojo, path: str) -> None:
    method = "PUT" if path == REST else "POST"
    with connection(dojo) as found:
        found.sendall(f"{method} {path} HTTP/1.1\r\n{HEAD}\r\nContent-Length: 99000000\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            found.sendall(b"x" * 2_000_000)
        head = found.recv(65536)
    assert b" 413 " in head
    assert b"problem+json" in head
    is_well(dojo)


def test_chunks_without_end_are_refused(dojo: Dojo) -> None:
    with connection(dojo) as found:
        found.sendall(f"PUT {REST} HTTP/1.1\r\n{HEAD}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        with contextlib.suppress(ConnectionError):
            for _ in range(40):
                found.sendall(chunk)
        assert b" 413 " in found.recv(65536)


def test_a_body_that_does_not_come_is_not_waited_for(dojo: Dojo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epos_conformance.sandbox.requests.MOST_SECONDS", 0.2)
    with connection(dojo) as found:
        found.sendall(f"PUT {REST} HTTP/1.1\r\n{HEAD}\r\nContent-Length: 10\r\n\r\nabc".encode())
        assert b" 408 " in found.recv(65536)


def test_who_hangs_up_on_the_way_does_no_harm(dojo: Dojo) -> None:
    for sent in (
        f"PUT {REST} HTTP/1.1\r\n{HEAD}\r\nContent-Length: 10\r\n\r\nabc",
        "GET",
        "",
        f"GET / HTTP/1.1\r\n{HEAD}",
    ):
        for way in (None, socket.SHUT_WR):
            with connection(dojo) as found:
                found.sendall(sent.encode())
                if way is not None:
                    found.shutdown(way)
                    found.settimeout(1)
                    everything(found)
    is_well(dojo)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["tls", "words", "two-hosts", "no-colon", "length", "long-header", "long-path"],
)
def test_what_is_no_http_is_refused_likewise(dojo: Dojo, sent: bytes) -> None:
    with connection(dojo) as found:
        with contextlib.suppress(ConnectionError):
            found.sendall(sent)
        answer = everything(found)
    assert not answer or (b" 400 " in answer and b"problem+json" in answer)
    is_well(dojo)


@pytest.mark.parametrize("upgrade", ["h2c", "TLS/1.0", "WebSocket, h2c"])
def test_other_upgrades_are_not_followed(dojo: Dojo, upgrade: str) -> None:
    assert dojo.get("/epos/integrations", Upgrade=upgrade, Connection="Upgrade").status_code == 200


@pytest.mark.parametrize("path", ["/payment-intents/%00", "/payment-intents/%ff%fe", "/%2e%2e/%2e%2e", "//", "/\u00e9"])
def test_paths_may_be_anything(dojo: Dojo, path: str) -> None:
    assert dojo.get(path).status_code == 404


def test_requests_in_a_row_are_answered_in_a_row(dojo: Dojo) -> None:
    with connection(dojo) as found:
        found.sendall(f"GET /sandbox HTTP/1.1\r\n{HEAD}\r\n\r\n".encode() * 3)
        found.settimeout(1)
        assert everything(found).count(b"HTTP/1.1 200") == 3


def test_many_slow_heads_keep_nobody_waiting_and_end_with_it() -> None:
    with sandbox() as dojo, contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(connection(dojo)).sendall(b"GET /epos HTTP/1.1\r\nHost:")
        is_well(dojo)
        started = time.monotonic()
        dojo.running.stop()
        assert time.monotonic() - started < 5


def test_many_at_once_are_all_answered(dojo: Dojo) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: dojo.get("/sandbox").status_code, range(200)))
    assert set(answers) == {200}
