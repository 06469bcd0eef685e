"""
The REST transport sends exactly what it is told, takes whatever comes back, and never more of it, or for longer, than
it was allowed. Partners are real servers.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import queue
import shutil
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
import zlib

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from epos_conformance import _contracts, rest
from epos_conformance._settings import Settings
from epos_conformance.exceptions import BrokenAnswer, Unanswered, Unreachable
from epos_conformance.exchange import Exchange
from epos_conformance.rest import RestTransport

from .support import Talk, answer, partner_that


AUTH = 'dojo:s3cret/wörd+"x y"'
SECRET = AUTH.partition(":")[2]
TOKEN = base64.b64encode(AUTH.encode()).decode()

JSON = "HTTP/1.1 200 OK\ncontent-type: application/json\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    A request as the server read it.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


@dataclass(slots=True)
class Seen:
    """
    What a server saw.
    """

    url: str = ""
    connections: int = 0
    requests: list[Request] = field(default_factory=list)


def reply(body: bytes | str = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    raw = body if isinstance(body, bytes) else body.encode()
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"content-length: {len(raw)}"])
    return head.encode("latin-1") + b"\r\n\r\n" + raw


@contextlib.contextmanager
def serving(*replies: bytes) -> Iterator[Seen]:
    """
    A server that keeps its connections and answers with *replies* in turn, the last one again and again.
    """
    seen = Seen()

    def talk(connection: socket.socket) -> None:
        seen.connections += 1
        stream = connection.makefile("rb")
        while (request := read(stream)) is not None:
            seen.requests.append(request)
            connection.sendall(replies[min(len(seen.requests), len(replies)) - 1])

    with partner_that(talk) as url:
        seen.url = url
        yield seen


def read(stream: Any) -> Request | None:
    first = stream.readline().decode("latin-1").split()
    if not first:
        return None
    headers: list[tuple[str, str]] = []
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return Request(method=first[0], target=first[1], headers=headers, body=stream.read(length))


@contextlib.contextmanager
def transport(url: str, auth: str | None = AUTH, **settings: Any) -> Iterator[RestTransport]:
    found = RestTransport(Settings(**{"url": url, "fail_after": 5, **settings}), url, auth)
    with contextlib.closing(found):
        yield found


def ask(url: str, **settings: Any) -> Exchange:
    """One GET to *url*."""
    with transport(url, **settings) as found:
        return found.send("GET", f"{url}/v1/areas")


def ask_one_that(talk: Talk, **settings: Any) -> Exchange:
    with partner_that(talk) as url:
        return ask(url, **settings)


def capability(name: str) -> _contracts.Capability:
    return _contracts.capabilities()[name]


# What is sent


def test_one_connection_serves_many_calls() -> None:
    with serving(reply()) as seen, transport(seen.url) as found:
        statuses = [found.send("POST", f"{seen.url}/v1/orders/search", b"{}").status for _ in range(20)]
    assert statuses == [200] * 20
    assert len(seen.requests) == 20
    assert seen.connections == 1


def test_nothing_is_opened_before_the_first_call() -> None:
    with serving(reply()) as seen:
        with transport(seen.url):
            time.sleep(0.05)
        assert seen.connections == 0


def test_a_call_is_addressed_by_its_ids_and_carries_the_rest_as_its_body() -> None:
    params = {"orderId": "o 1", "paymentIntentId": "pi", "paidAmount": {"value": 1, "currencyCode": "GBP"}, "note": "é"}
    with serving(reply()) as seen, transport(seen.url) as found:
        exchange = found.call(capability("RecordOrderPaymentById"), params, {"waiter-id": "anna"})
    request = seen.requests[0]
    assert (request.method, request.target) == ("POST", "/v1/orders/o%201/record-payment")
    assert json.loads(request.body) == {name: value for name, value in params.items() if name != "orderId"}
    assert "é".encode() in request.body
    assert request.values("content-type") == ["application/json"]
    assert request.values("accept") == ["application/json"]
    assert request.values("waiter-id") == ["anna"]
    assert request.values("authorization") == [f"Basic {TOKEN}"]
    assert exchange.capability == "RecordOrderPaymentById"
    assert exchange.sent.authenticated
    assert exchange.sent.body == request.body


@pytest.mark.parametrize(("name", "method"), [("GetOrderById", "GET"), ("CancelOrderById", "DELETE")])
def test_where_the_contract_has_no_body_none_is_sent(name: str, method: str) -> None:
    with serving(reply()) as seen, transport(seen.url) as found:
        found.call(capability(name), {"orderId": "1"}, {})
    request = seen.requests[0]
    assert (request.method, request.target, request.body) == (method, "/v1/orders/1", b"")
    assert request.values("content-type") == []


@pytest.mark.parametrize(
    ("id", "written"),
    [
        ("a/b", "a%2Fb"),
        ("café 7", "caf%C3%A9%207"),
        ("100%", "100%25"),
        ("%2F", "%252F"),
        ("a?b#c&d=e+f", "a%3Fb%23c%26d%3De%2Bf"),
        ("{x}[y]:@", "%7Bx%7D%5By%5D%3A%40"),
        ("plain-id_1.~", "plain-id_1.~"),
    ],
)
def test_ids_arrive_percent_encoded_whatever_is_in_them(id: str, written: str) -> None:
    with serving(reply()) as seen, transport(seen.url) as found:
        found.call(capability("GetOrderBillById"), {"orderId": id}, {})
    assert seen.requests[0].target == f"/v1/orders/{written}/bill"


def test_a_relative_template_replaces_the_path_below_the_base_url() -> None:
    urls = {"GetOrderById": "/api/bestellung/{orderID}?full=1"}
    with serving(reply()) as seen, transport(f"{seen.url}/dojo", urls=urls) as found:
        found.call(capability("GetOrderById"), {"orderId": "a/1"}, {})
        found.call(capability("GetOrderBillById"), {"orderId": "a/1"}, {})
    assert [each.target for each in seen.requests] == [
        "/dojo/api/bestellung/a%2F1?full=1",
        "/dojo/v1/orders/a%2F1/bill",
    ]


@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_an_absolute_template_replaces_the_base_url_too(spell: Any) -> None:
    with serving(reply()) as base, serving(reply()) as other:
        urls = {"GetOrderById": f"{spell('http')}{other.url.removeprefix('http')}/x/{{orderId}}"}
        with transport(base.url, urls=urls) as found:
            exchange = found.call(capability("GetOrderById"), {"orderId": "1"}, {})
    assert exchange.status == 200
    assert base.requests == []
    assert [each.target for each in other.requests] == ["/x/1"]


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_headers_that_are_given_replace_ours_in_whatever_case(spell: Any) -> None:
    given = {spell(name): value for name, value in OWN_HEADERS.items()}
    with serving(reply()) as seen, transport(seen.url) as found:
        exchange = found.send("POST", f"{seen.url}/", b"x", given)
    request = seen.requests[0]
    assert {name: request.values(name) for name in OWN_HEADERS} == {
        name: [value] for name, value in OWN_HEADERS.items()
    }
    assert not exchange.sent.authenticated


OWN_HEADERS = {"accept": "text/plain", "content-type": "application/json; charset=utf-8", "authorization": "Bearer x"}


def test_other_credentials_or_none_are_sent_where_a_check_says_so() -> None:
    with serving(reply()) as seen, transport(seen.url) as found:
        found.send("GET", f"{seen.url}/")
        other = found.send("GET", f"{seen.url}/", authorization="Basic eDp5")
        nobody = found.send("GET", f"{seen.url}/", authorization=None)
    assert [each.values("authorization") for each in seen.requests] == [[f"Basic {TOKEN}"], ["Basic eDp5"], []]
    assert not other.sent.authenticated
    assert not nobody.sent.authenticated


def test_without_credentials_none_are_sent() -> None:
    with serving(reply()) as seen, transport(seen.url, auth=None) as found:
        exchange = found.send("GET", f"{seen.url}/")
    assert seen.requests[0].values("authorization") == []
    assert not exchange.sent.authenticated


def test_headers_carry_more_than_ascii_both_ways() -> None:
    """
    UTF-8 goes out; whatever comes back is kept.
    """
    head = b"HTTP/1.1 200 OK\r\nx-waiter: Chlo\xe9 \xff\r\ncontent-length: 2\r\n\r\n{}"
    with serving(head) as seen, transport(seen.url) as found:
        exchange = found.send("GET", f"{seen.url}/", headers={"waiter-id": "w-chloé 食"})
    assert seen.requests[0].values("waiter-id")[0].encode("latin-1").decode() == "w-chloé 食"
    assert exchange.answer is not None
    assert exchange.answer.header("x-waiter") == "Chloé ÿ"
    assert "waiter-id: w-chloé 食" in exchange.as_text()


def test_no_cookie_of_the_partner_is_sent_back() -> None:
    """
    With a session's cookie, a request without credentials would be let in.
    """
    with serving(reply(b"{}", "set-cookie: session=abc; path=/")) as seen, transport(seen.url) as found:
        found.send("GET", f"{seen.url}/")
        found.send("GET", f"{seen.url}/", authorization=None)
    assert [each.values("cookie") for each in seen.requests] == [[], []]


# Overload


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_an_overload_is_waited_out_as_long_as_asked(status: str) -> None:
    busy = reply(b'{"busy": true}', "retry-after: 0.2", status=status)
    with serving(busy, busy, reply(b'{"busy": false}')) as seen, transport(seen.url) as found:
        started = time.monotonic()
        exchange = found.send("POST", f"{seen.url}/", b"{}")
        took = time.monotonic() - started
    assert exchange.status == 200
    assert exchange.json == {"busy": False}
    assert took >= 0.4
    assert exchange.duration < 0.4
    assert exchange.notes == [f"answered {status[:3]}, tried again after 0.2 s"] * 2
    assert [each.body for each in seen.requests] == [b"{}"] * 3


@pytest.mark.parametrize("value", ["Wed, 21 Oct 2037 07:28:00 GMT", "soon", ""])
def test_a_date_is_no_reason_to_trust_two_clocks(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "_DEFAULT_RETRY", 0.1)
    with serving(reply(b"", f"retry-after: {value}", status="503 Busy"), reply()) as seen:
        exchange = ask(seen.url)
    assert exchange.status == 200
    assert exchange.notes == ["answered 503, tried again after 0.1 s"]


def test_too_many_requests_are_tried_again_also_without_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "_DEFAULT_RETRY", 0.1)
    with serving(reply(status="429 Busy"), reply()) as seen:
        assert ask(seen.url).notes == ["answered 429, tried again after 0.1 s"]


@pytest.mark.parametrize("status", ["503 Service Unavailable", "500 Oops", "409 Conflict", "200 OK"])
def test_an_answer_that_asks_for_no_other_try_is_one(status: str) -> None:
    headers = () if status.startswith("503") else ("retry-after: 0.05",)
    with serving(reply(b"{}", *headers, status=status)) as seen:
        exchange = ask(seen.url)
    assert exchange.status == int(status[:3])
    assert exchange.notes == []
    assert len(seen.requests) == 1


@pytest.mark.parametrize("value", ["31", "86400", "inf", "1e300"])
def test_who_asks_for_too_long_is_not_waited_for(value: str) -> None:
    with serving(reply(b"", f"retry-after: {value}", status="429 Busy")) as seen:
        started = time.monotonic()
        exchange = ask(seen.url)
    assert time.monotonic() - started < 3
    assert exchange.status == 429
    assert exchange.notes == []
    assert len(seen.requests) == 1


@pytest.mark.parametrize("value", ["0", "-5", "nan", "0.2"])
def test_who_is_never_done_is_waited_for_within_bounds(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MOST_WAITED", 0.3)
    with serving(reply(b"", f"retry-after: {value}", status="429 Busy")) as seen:
        started = time.monotonic()
        exchange = ask(seen.url)
    assert time.monotonic() - started < 3
    assert exchange.status == 429
    assert 1 < len(seen.requests) <= 7
    assert len(exchange.notes) == len(seen.requests) - 1


def test_to_be_put_off_slowly_counts_as_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MOST_WAITED", 0.5)
    asked = 0

    def talk(connection: socket.socket) -> None:
        nonlocal asked
        while connection.recv(65536):
            asked += 1
            time.sleep(0.3)
            connection.sendall(reply(b"", "retry-after: 0", status="503 Busy"))

    assert ask_one_that(talk).status == 503
    assert asked == 2


# Time


@pytest.mark.parametrize(
    "talk",
    [
        answer(f"{JSON}content-length: 100000\n", forever=b" ", pause=0.1),
        answer("HTTP/1.1 200 OK\nx: ", forever=b"a", pause=0.1),
        answer(f"{JSON}transfer-encoding: chunked\n", forever=b"1\r\n \r\n", pause=0.1),
        lambda _: time.sleep(2),
    ],
    ids=["body", "head", "chunks", "nothing"],
)
def test_the_limit_is_one_for_the_whole_exchange(talk: Talk) -> None:
    started = time.monotonic()
    exchange = ask_one_that(talk, fail_after=0.3)
    took = time.monotonic() - started
    assert isinstance(exchange.failure, Unanswered)
    assert str(exchange.failure) == "no complete answer within 0.3 s"
    assert 0.25 < took < 1.8
    assert exchange.answer is None
    assert exchange.duration == pytest.approx(took, abs=0.3)


def test_an_answer_that_begins_late_has_no_more_time_than_another() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        time.sleep(0.9)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
        time.sleep(2)

    started = time.monotonic()
    assert isinstance(ask_one_that(talk, fail_after=1).failure, Unanswered)
    assert time.monotonic() - started < 1.7


def test_a_request_that_nobody_reads_ends_in_time() -> None:
    with partner_that(lambda _: time.sleep(2)) as url, transport(url, fail_after=0.3) as found:
        started = time.monotonic()
        exchange = found.send("POST", f"{url}/", b" " * 2**25)
    assert time.monotonic() - started < 2
    assert isinstance(exchange.failure, Unanswered)


def test_the_limit_is_a_new_one_for_each_call() -> None:
    with serving(reply()) as seen, transport(seen.url, fail_after=0.5) as found:
        for _ in range(3):
            assert found.send("GET", f"{seen.url}/").status == 200
            time.sleep(0.3)
    assert seen.connections == 1


# Size


def test_an_answer_may_be_as_long_as_is_allowed() -> None:
    with serving(reply(b"x" * 1000)) as seen:
        exchange = ask(seen.url, max_reply=1000)
    assert exchange.answer is not None
    assert exchange.answer.body == b"x" * 1000


@pytest.mark.parametrize(
    "raw",
    [
        reply(b"x" * 1001),
        reply(b"x" * 10**6),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n",
        reply(gzip.compress(b"x" * 1001), "content-encoding: gzip"),
        reply(zlib.compress(b"x" * 1001), "content-encoding: deflate"),
    ],
    ids=["by one", "by far", "in chunks", "gzip", "deflate"],
)
def test_longer_than_that_it_is_broken(raw: bytes) -> None:
    chunk = b"100\r\n" + b"x" * 256 + b"\r\n"

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(raw)
        while b"chunked" in raw:
            connection.sendall(chunk)

    exchange = ask_one_that(talk, max_reply=1000)
    assert isinstance(exchange.failure, BrokenAnswer)
    assert str(exchange.failure) == "the answer is longer than 1000 bytes; the rest was not read (--max-reply)"
    assert exchange.answer is None


def test_a_packed_bomb_is_never_unpacked_whole() -> None:
    bomb = gzip.compress(bytes(2**26), 9)
    tracemalloc.start()
    try:
        exchange = ask_one_that(answer(f"{JSON}content-encoding: gzip\ncontent-length: {len(bomb)}\n", bomb))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(exchange.failure, BrokenAnswer)
    assert f"longer than {10 * 2**20} bytes" in str(exchange.failure)
    assert most < 2**25


def test_what_is_not_read_is_hung_up_on() -> None:
    heard: queue.Queue[bytes] = queue.Queue()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"x" * 5000)
        with contextlib.suppress(ConnectionError):
            heard.put(connection.recv(65536))
        heard.put(b"")

    with partner_that(talk) as url, transport(url, max_reply=1000) as found:
        first = found.send("GET", f"{url}/")
        assert isinstance(first.failure, BrokenAnswer)
        assert heard.get(timeout=3) == b""


# Encodings


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"a": 1}')),
        ("x-gzip", gzip.compress(b'{"a": 1}')),
        ("GZip ", gzip.compress(b'{"a": 1}')),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("identity", b'{"a": 1}'),
        ("", b'{"a": 1}'),
    ],
    ids=["gzip", "x-gzip", "capitals", "deflate", "identity", "nothing"],
)
def test_what_was_asked_for_is_unpacked(encoding: str, body: bytes) -> None:
    with serving(reply(body, f"content-encoding: {encoding}")) as seen:
        exchange = ask(seen.url)
    assert exchange.json == {"a": 1}
    assert exchange.answer is not None
    assert exchange.answer.body == b'{"a": 1}'
    assert seen.requests[0].values("accept-encoding") == ["gzip"]


def test_nothing_is_asked_for_that_can_not_be_unpacked_within_bounds() -> None:
    with serving(reply()) as seen, transport(seen.url) as found:
        found.send("GET", f"{seen.url}/", headers={"Accept-Encoding": "br"})
    assert seen.requests[0].values("accept-encoding") == ["gzip"]


def test_what_ends_before_its_compression_does_is_broken() -> None:
    with serving(reply(gzip.compress(b'{"a": 1}')[:-6], "content-encoding: gzip")) as seen:
        exchange = ask(seen.url)
    assert isinstance(exchange.failure, BrokenAnswer)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
def test_what_was_not_asked_for_is_broken(encoding: str) -> None:
    with serving(reply(gzip.compress(b"{}"), f"content-encoding: {encoding}")) as seen:
        exchange = ask(seen.url)
    assert isinstance(exchange.failure, BrokenAnswer)
    assert str(exchange.failure) == f"the answer is encoded as {encoding!r}, which was not asked for"


def test_what_can_not_be_unpacked_is_broken() -> None:
    with serving(reply(b"{}", "content-encoding: gzip")) as seen:
        exchange = ask(seen.url)
    assert isinstance(exchange.failure, BrokenAnswer)
    assert "can't be unpacked" in str(exchange.failure)


# Redirects


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    with serving(reply()) as other, serving(reply(b"", f"location: {other.url}/", status=status)) as seen:
        exchange = ask(seen.url)
    assert exchange.status == int(status[:3])
    assert other.connections == 0


# No answer


def test_a_refused_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    exchange = ask(url)
    assert isinstance(exchange.failure, Unreachable)
    assert str(exchange.failure).startswith(f"can't connect to {url}/v1/areas: ")
    assert "refused" in str(exchange.failure)


@pytest.mark.parametrize("url", ["http://till.invalid", "http://till..example", f"http://{'a' * 70}.example"])
def test_a_host_that_is_none_is_unreachable(url: str) -> None:
    exchange = ask(url)
    assert isinstance(exchange.failure, Unreachable)
    assert f"can't connect to {url}/v1/areas: " in str(exchange.failure)


def test_a_host_that_takes_no_connection_is_unreachable_rather_than_slow() -> None:
    """
    As behind a firewall that drops what it does not like.
    """
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # nobody accepts them: the queue is full
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(server.getsockname())
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        probe = stack.enter_context(socket.socket())
        probe.settimeout(0.2)
        try:
            probe.connect(server.getsockname())
            pytest.skip("this system takes connections that nobody accepts")
        except OSError:
            exchange = ask(url, fail_after=0.5)
    assert isinstance(exchange.failure, Unreachable)
    assert str(exchange.failure) == f"can't connect to {url}/v1/areas within 0.5 s"


@pytest.mark.parametrize(
    "raw",
    [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", b"SSH-2.0-OpenSSH_9.2\r\n"],
    ids=["at once", "in the head", "in the body", "no HTTP"],
)
def test_a_connection_that_is_dropped_breaks_the_answer_off(raw: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(raw)

    exchange = ask_one_that(talk)
    assert isinstance(exchange.failure, BrokenAnswer)
    assert str(exchange.failure).startswith("the answer broke off: ")
    assert len(str(exchange.failure)) > len("the answer broke off: ")


def test_a_call_after_a_dropped_one_connects_anew() -> None:
    with serving(reply(b"{}", "connection: close")) as seen, transport(seen.url) as found:
        assert [found.send("GET", f"{seen.url}/").status for _ in range(3)] == [200] * 3


# TLS


class Hello(BaseHTTPRequestHandler):
    """
    Answers an empty object.
    """

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Secured:
    """
    A server with a certificate of a private authority.
    """

    port: int
    ca: Path


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    authority = trustme.CA()
    ca = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Secured(server.server_port, ca)
        server.shutdown()
        thread.join()


def test_a_private_authority_is_trusted_where_it_is_named(secured: Secured) -> None:
    assert ask(f"https://localhost:{secured.port}", ca=secured.ca).status == 200


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_certificates_of_unknown_authorities_are_refused(secured: Secured, scheme: str) -> None:
    url = f"{scheme}://localhost:{secured.port}"
    exchange = ask(url)
    assert isinstance(exchange.failure, Unreachable)
    assert str(exchange.failure).startswith(f"can't connect to {url}/v1/areas: ")
    assert "certificate verify failed" in str(exchange.failure).lower()


def test_certificates_of_another_authority_than_the_named_one_are_refused(secured: Secured, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    exchange = ask(f"https://localhost:{secured.port}", ca=tmp_path / "other.pem")
    assert isinstance(exchange.failure, Unreachable)
    assert "certificate verify failed" in str(exchange.failure).lower()


def test_certificates_are_for_their_host_alone(secured: Secured) -> None:
    exchange = ask(f"https://127.0.0.1:{secured.port}", ca=secured.ca)
    assert isinstance(exchange.failure, Unreachable)
    assert "127.0.0.1" in str(exchange.failure)


def test_an_absolute_template_is_verified_too(secured: Secured) -> None:
    with serving(reply()) as base:
        urls = {"ListAreas": f"https://localhost:{secured.port}/areas"}
        for ca, status in ((None, 0), (secured.ca, 200)):
            with transport(base.url, urls=urls, ca=ca) as found:
                exchange = found.call(capability("ListAreas"), {}, {})
                assert exchange.status == status
                assert found.send("GET", f"{base.url}/").status == 200


def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("-----BEGIN NOTHING-----\n", encoding="utf-8")
    exchange = ask("https://localhost:1", ca=ca)
    assert isinstance(exchange.failure, Unreachable)
    assert str(exchange.failure).startswith(f"{ca} has no certificates (--partner-ca): ")


def test_a_server_without_tls_is_told() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(reply(status="400 Bad Request"))

    with partner_that(talk) as url:
        exchange = ask(url.replace("http:", "https:"))
    assert isinstance(exchange.failure, Unreachable)
    assert "SSL" in str(exchange.failure)


# Secrets


def dotnet(text: str) -> str:
    """As System.Text.Json writes it."""
    for each in '"+ö':
        text = text.replace(each, f"\\u{ord(each):04X}")
    return text


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        "s3cret%2Fw%C3%B6rd%2B%22x%20y%22",
        's3cret/w\\u00f6rd+\\"x y\\"',
        's3cret/wörd+\\"x y\\"',
        's3cret\\/w\\u00f6rd+\\"x y\\"',
        "s3cret/wörd+&quot;x y&quot;",
        dotnet(SECRET),
        TOKEN,
        TOKEN.replace("/", "\\/"),
        dotnet(TOKEN),
    ],
)
def test_no_form_of_a_secret_gets_out(form: str) -> None:
    """
    Whatever an EPOS repeats of its credentials, in whatever form its libraries write it.
    """
    headers = ("x-echo: " + form.encode().decode("latin-1"), f"www-authenticate: Basic {TOKEN}")
    body = f'{{"errorType": "NotFound", "debugMessage": "{form}"}}'
    with serving(reply(body, *headers, status="404 No")) as seen, transport(seen.url) as found:
        exchange = found.send("POST", f"{seen.url}/v1/{form}", form.encode(), {"x-own": form})
    exchange.notes.append(form)
    assert exchange.status == 404
    texts = [str(exchange), exchange.as_text(), exchange.as_text(pretty=False), exchange.curl()]
    documents = [exchange.to_json(), exchange.to_json(bodies=False)]
    for text in (*texts, *_strings(documents)):
        assert form not in text
        assert SECRET not in text
        assert TOKEN not in text


def _strings(value: Any) -> Iterator[str]:
    """Every text inside *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _strings(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


# Replays


def _replay(exchange: Exchange) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    command = ["bash", "-c", f"{exchange.curl()} --silent --show-error --max-time 10"]
    done = subprocess.run(
        command, env={**environment, "PARTNER_AUTH": AUTH}, capture_output=True, timeout=20, check=True
    )
    return done.stdout.decode()


ADDED_BY_CLIENTS = {"host", "user-agent", "accept-encoding", "connection", "content-length"}


@pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None, reason="curl or bash isn't installed here"
)
@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "/v1/orders/a%2Fb%20%C3%A9", None, {}),
        ("DELETE", "/v1/parties/1", None, {"waiter-id": "anna o'neill"}),
        ("POST", "/v1/orders/search", b"{}", {"Content-Type": "application/json; charset=utf-8"}),
        ("POST", "/v1/orders", '{"note": "it\'s $HOME `id`\\n \u00e9\u98df !\\\\ @x"}\n\r\n '.encode(), {}),
        ("PUT", "/v1/parties/%7Bx%7D?a=b&c=%25", b"@not-a-file", {"x-dollar": "$PATH"}),
        ("POST", "/v1/orders", b"", {}),
        ("GET", "/v1/areas", b'{"a": 1}', {}),
    ],
)
def test_the_printed_command_sends_the_same_again(
    method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> None:
    with serving(reply(b'{"answer": 42}', status="409 Conflict")) as seen, transport(seen.url) as found:
        printed = _replay(found.send(method, f"{seen.url}{path}", body, headers))
    ours, again = seen.requests
    assert "409" in printed.splitlines()[0]
    assert printed.endswith('{"answer": 42}')
    assert (again.method, again.target, again.body) == (ours.method, ours.target, ours.body)
    assert _own(again) == _own(ours)
    assert again.values("authorization") == [f"Basic {TOKEN}"]


def _own(request: Request) -> list[tuple[str, str]]:
    return sorted((name.lower(), value) for name, value in request.headers if name.lower() not in ADDED_BY_CLIENTS)


@pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None, reason="curl or bash isn't installed here"
)
def test_what_a_check_sent_without_credentials_is_replayed_without() -> None:
    with serving(reply()) as seen, transport(seen.url) as found:
        _replay(found.send("GET", f"{seen.url}/v1/areas", authorization=None))
    assert [each.values("authorization") for each in seen.requests] == [[], []]
