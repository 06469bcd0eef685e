"""
The client of Dojo's API sends what it is asked to, again only where that does no harm, and gives nothing away.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pickle
import shutil
import socket
import subprocess
import threading
import time

from collections.abc import Iterator
from typing import Any

import pytest

from starlette.responses import JSONResponse, Response

from epos_conformance.dojo import api as module
from epos_conformance.dojo.api import DojoApi, require
from epos_conformance.dojo.exchanges import DojoExchange
from epos_conformance.dojo.exchanges import problem as said
from epos_conformance.exceptions import BrokenAnswer, Inconclusive, NotOffered, Unanswered, Unreachable

from . import fake_dojo
from .fake_dojo import HOUSE, KEY, PRODUCTION_KEY, VERSION, Asked, FakeDojo, problem
from .support import Talk, answer, partner_that, read_request


PASSWORD = "hunter2-of-the-till"
OK = "HTTP/1.1 200 OK\ncontent-type: application/json\n"

client = contextlib.contextmanager(fake_dojo.connected)


@pytest.fixture
def dojo(request: pytest.FixtureRequest) -> FakeDojo:
    return fake_dojo.put_up(request)


@pytest.fixture
def api(dojo: FakeDojo) -> Iterator[DojoApi]:
    yield from fake_dojo.connected(dojo.url, secrets=(PASSWORD,))


def send(api: DojoApi, method: str) -> DojoExchange:
    if method == "GET":
        return api.get("/thing")
    return {"PUT": api.put, "POST": api.post}[method]("/thing", {"a": 1})


@contextlib.contextmanager
def counting(talk: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """A server that does *talk*, and the requests that reached its socket."""
    came: list[bytes] = []

    def count(connection: socket.socket) -> None:
        came.append(connection.recv(65536, socket.MSG_PEEK))
        talk(connection)

    with partner_that(count) as url:
        yield url, came


@contextlib.contextmanager
def a_free_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found: int = server.getsockname()[1]
    yield found


# What is sent


def test_the_key_goes_as_it_is_with_the_ids_and_the_version(dojo: FakeDojo) -> None:
    with client(dojo.url, reseller_id="reseller-1") as api:
        api.get("/thing")
        api.put("/thing", {"a": "é"})
    got, put = dojo.asked
    for each in (got, put):
        headers = {name: each.headers.get(name) for name in ("authorization", "software-house-id", "version")}
        assert headers == {"authorization": f"Basic {KEY}", "software-house-id": HOUSE, "version": VERSION}
        assert each.headers["reseller-id"] == "reseller-1"
        assert each.headers["accept"] == "application/json"
    assert "content-type" not in got.headers
    assert (put.headers["content-type"], put.body) == ("application/json", {"a": "é"})


def test_a_reseller_goes_where_there_is_one(dojo: FakeDojo, api: DojoApi) -> None:
    api.get("/thing")
    assert "reseller-id" not in dojo.asked[0].headers


def test_places_of_a_path_are_encoded(dojo: FakeDojo, api: DojoApi) -> None:
    assert api.get("/thing/{}", "a/b?c é").sent.url == f"{dojo.url}/thing/a%2Fb%3Fc%20%C3%A9"


def test_redirects_are_not_followed(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead["GET /thing"] = Response(status_code=302, headers={"location": "/elsewhere"})
    assert api.get("/thing").status == 302
    assert [each.path for each in dojo.asked] == ["/thing"]


def test_each_exchange_is_told(dojo: FakeDojo, api: DojoApi) -> None:
    heard: list[DojoExchange] = []
    api.heard = heard.append
    assert heard == [api.get("/thing")]
    assert dojo.asked


def test_who_never_asked_can_be_closed() -> None:
    DojoApi(fake_dojo.account("http://127.0.0.1:1")).close()


# Proxies


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    dojo: FakeDojo, api: DojoApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert api.get("/epos/integrations").succeeded
    assert dojo.asked


def test_a_proxy_is_asked_for_what_is_out_there(dojo: FakeDojo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", dojo.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with client("http://dojo.invalid") as api:
        assert api.get("/epos/integrations").succeeded
    assert dojo.asked[0].headers["host"] == "dojo.invalid"


# What is tried again


@pytest.mark.parametrize(
    ("method", "status"),
    [*((method, status) for method in ("GET", "PUT") for status in (429, 502, 503, 504)), ("POST", 429)],
)
def test_what_comes_to_no_harm_is_tried_again(dojo: FakeDojo, api: DojoApi, method: str, status: int) -> None:
    dojo.instead[f"{method} /thing"] = [problem(status, "Later"), JSONResponse({})]
    exchange = send(api, method)
    assert exchange.succeeded
    assert len(dojo.asked) == 2
    (note,) = exchange.notes
    assert note.startswith(f"status {status}, Later; traceId 00-4bf9-00f0-00; tried again after ")


@pytest.mark.parametrize(
    ("method", "status"),
    [
        *(("POST", status) for status in (502, 503, 504)),
        *((method, status) for method in ("GET", "PUT", "POST") for status in (301, 400, 401, 403, 404, 409, 500)),
    ],
)
def test_what_may_have_been_done_or_is_hopeless_is_not(dojo: FakeDojo, api: DojoApi, method: str, status: int) -> None:
    dojo.instead[f"{method} /thing"] = [problem(status, "No", {"retry-after": "0"}), JSONResponse({})]
    assert send(api, method).status == status
    assert len(dojo.asked) == 1


def hang_up(connection: socket.socket) -> None:
    read_request(connection)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_connection_that_breaks_off_after_the_request(method: str) -> None:
    with counting(hang_up) as (url, came), client(url, patience=0.6) as api:
        exchange = send(api, method)
    assert isinstance(exchange.failure, BrokenAnswer)
    assert (len(came) == 1) is (method == "POST")


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_an_answer_that_breaks_off_after_the_request(method: str) -> None:
    half = answer(f"{OK}content-length: 100\n", b'{"id": ')
    with counting(half) as (url, came), client(url, patience=0.6) as api:
        exchange = send(api, method)
    assert isinstance(exchange.failure, BrokenAnswer)
    assert str(exchange.failure).startswith(f"the answer of {url}/thing broke off: ")
    assert (len(came) == 1) is (method == "POST")


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_an_answer_that_does_not_come_is_not_asked_for_again(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 0.2)
    with counting(lambda _: time.sleep(1)) as (url, came), client(url) as api:
        exchange = api.get("/thing", limit=0.2) if method == "GET" else api._send(method, "/thing", {}, 0.2)
    assert isinstance(exchange.failure, Unanswered)
    assert len(came) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_who_is_not_there_yet_is_waited_for(method: str) -> None:
    """Nobody has heard of a request that found no connection: a POST, too, may be sent again."""
    came: list[bytes] = []
    heard: list[DojoExchange] = []

    def serve(port: int) -> None:
        while not heard or heard[0].failure is None:
            time.sleep(0.005)
        with socket.create_server(("127.0.0.1", port)) as server:
            connection, _ = server.accept()
            with connection:
                came.append(read_request(connection))
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

    with a_free_port() as port, client(f"http://127.0.0.1:{port}") as api:
        api.heard = heard.append
        later = threading.Thread(target=serve, args=[port], daemon=True)
        later.start()
        exchange = send(api, method)
        later.join(5)
    assert exchange.succeeded, exchange.seen
    assert len(came) == 1
    assert "can't connect to" in exchange.notes[0]


def test_nobody_there_is_given_up_when_patience_ends() -> None:
    started = time.monotonic()
    with a_free_port() as port, client(f"http://127.0.0.1:{port}", patience=0.6) as api:
        exchange = api.get("/thing")
    assert isinstance(exchange.failure, Unreachable)
    assert str(exchange.failure).startswith(f"can't connect to http://127.0.0.1:{port}/thing: ")
    assert time.monotonic() - started < 2


def test_without_patience_nothing_is_tried_again(dojo: FakeDojo) -> None:
    dojo.instead["GET /thing"] = problem(503, "Later")
    with client(dojo.url, patience=0.0) as api:
        assert api.get("/thing").status == 503
    assert len(dojo.asked) == 1


@pytest.mark.parametrize("host", ["dojo..example", "dojo.invalid", "x" * 70])
def test_hosts_that_can_not_be(host: str) -> None:
    with client(f"http://{host}", patience=0.0) as api:
        assert isinstance(api.get("/thing").failure, Unreachable)


# Retry-After


def test_retry_after_is_kept_to(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead["POST /thing"] = [problem(429, "Later", {"retry-after": "1"}), JSONResponse({})]
    started = time.monotonic()
    assert api.post("/thing", {}).succeeded
    assert 1 <= time.monotonic() - started < 3


@pytest.mark.parametrize("asked", ["3600", "9" * 400])
def test_nobody_waits_beyond_their_patience(dojo: FakeDojo, api: DojoApi, asked: str) -> None:
    dojo.instead["GET /thing"] = [problem(429, "Later", {"retry-after": asked}), JSONResponse({})]
    started = time.monotonic()
    exchange = api.get("/thing")
    assert (exchange.status, exchange.notes) == (429, [])
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("asked", ["Fri, 31 Dec 2077 23:59:59 GMT", "-1", "1.5", "soon", "\xb2", ""])
def test_a_retry_after_that_is_no_number_of_seconds_is_left_alone(dojo: FakeDojo, api: DojoApi, asked: str) -> None:
    dojo.instead["GET /thing"] = [problem(503, "Later", {"retry-after": asked}), JSONResponse({})]
    assert api.get("/thing").succeeded


def test_a_retry_after_of_nothing_is_no_leave_to_ask_without_end(dojo: FakeDojo) -> None:
    dojo.instead["GET /thing"] = problem(429, "Later", {"retry-after": "0"})
    with client(dojo.url, patience=1.0) as api:
        api.get("/thing")
    assert 1 < len(dojo.asked) < 20


# Bounds


def hang(connection: socket.socket) -> None:
    read_request(connection)
    time.sleep(3)


def speak_something_else(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize(
    ("talk", "kind", "words"),
    [
        (hang, Unanswered, "no complete answer from"),
        (answer(f"{OK}content-length: 100000\n", forever=b" ", pause=0.1), Unanswered, "no complete answer from"),
        (answer("HTTP/1.1 200 OK\nx: ", forever=b"a", pause=0.1), Unanswered, "no complete answer from"),
        (answer(f"{OK}content-length: {2**30}\n", forever=b" " * 2**16), BrokenAnswer, "larger than 4194304 bytes"),
        (
            answer(f"{OK}content-encoding: gzip\n", gzip.compress(b" " * 2**26, 9)),
            BrokenAnswer,
            "larger than 4194304 bytes",
        ),
        (answer(f"{OK}content-encoding: gzip\n", b"no gzip at all"), BrokenAnswer, "broke off"),
        (speak_something_else, BrokenAnswer, "broke off"),
    ],
    ids=["hangs", "dribbles", "dribbles its head", "has no end", "unpacks to much", "packs nonsense", "is no HTTP"],
)
def test_no_answer_is_too_much(talk: Talk, kind: type[Inconclusive], words: str) -> None:
    started = time.monotonic()
    with partner_that(talk) as url, client(url, patience=0.0) as api:
        exchange = api.get("/thing", limit=0.5)
    assert type(exchange.failure) is kind
    assert words in str(exchange.failure)
    assert time.monotonic() - started < 2


def test_after_a_bad_answer_the_next_is_read_as_it_is(dojo: FakeDojo, api: DojoApi) -> None:
    big = Response(b" " * (module.MOST + 1))
    dojo.instead["GET /thing"] = [big, JSONResponse({"a": 1})]
    exchange = api.get("/thing")
    assert exchange.json == {"a": 1}
    assert "larger than" in exchange.notes[0]


# Problem details


TRACE = "00-4bf9-00f0-00"


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"title": "Unauthorized"}, "Unauthorized"),
        (
            {"title": "Bad Request", "detail": "No amount.", "traceId": TRACE},
            f"Bad Request: No amount.; traceId {TRACE}",
        ),
        (
            {"title": "Invalid", "errors": {"Amount.Value": ["too small", "odd"], "Reference": ["missing"]}},
            "Invalid: Amount.Value: too small: Amount.Value: odd: Reference: missing",
        ),
        ({"title": "Invalid", "errors": ["one", {"field": "two"}, 3, None]}, "Invalid: one: field: two"),
        ({"title": "Invalid", "errors": "as it is"}, "Invalid: as it is"),
        ({"title": "Same", "detail": "Same"}, "Same"),
        ({"title": "Gone", "extensions": {"traceId": TRACE}}, f"Gone; traceId {TRACE}"),
        (
            {"title": "Invalid", "extensions": {"traceId": TRACE, "errors": {"url": ["no URL"]}}},
            f"Invalid: url: no URL; traceId {TRACE}",
        ),
        ({"title": None, "detail": "All members may be null.", "status": None}, "All members may be null."),
        ({"detail": "No title."}, "No title."),
        ({"title": "In\r\nlines\t ", "detail": " of\n text", "traceId": "a\nb"}, "In lines: of text; traceId a b"),
        ({"title": "x" * 400}, f"{'x' * 297}..."),
        ({"title": "Odd", "errors": 7, "detail": False, "extensions": "none", "traceId": 7}, "Odd; traceId 7"),
        ({}, None),
        ({"message": "Forbidden"}, None),
        ({"title": 7, "traceId": TRACE}, None),
        ([{"title": "a"}], None),
        ("Unauthorized", None),
        (None, None),
    ],
)
def test_problem_details_are_one_line(document: Any, line: str | None) -> None:
    assert said(document) == line


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (
            problem(401, "Unauthorized", errors={"key": ["unknown"]}),
            f"status 401, Unauthorized: key: unknown; traceId {TRACE}",
        ),
        (Response("<html>\n  Bad   Gateway", 500), "status 500, <html> Bad Gateway"),
        (JSONResponse({"message": "Forbidden"}, 403), 'status 403, {"message":"Forbidden"}'),
        (Response(status_code=404), "status 404, an empty body"),
        (Response(b"\xff\xfe", 400), "status 400, \ufffd\ufffd"),
        (Response("y" * 500, 400), f"status 400, {'y' * 117}..."),
    ],
)
def test_what_was_refused_is_seen_in_a_line(dojo: FakeDojo, api: DojoApi, answer: Response, seen: str) -> None:
    dojo.instead["GET /thing"] = answer
    exchange = api.get("/thing")
    assert exchange.seen == seen
    assert exchange.error is None


# What is required


def test_what_is_required_is_the_json_of_a_success(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead["GET /thing"] = JSONResponse([1, 2], 201)
    assert require(api.get("/thing"), "the thing") == [1, 2]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_comes_with_advice(dojo: FakeDojo, api: DojoApi, status: int) -> None:
    dojo.instead["GET /thing"] = problem(status, "No")
    with pytest.raises(Inconclusive) as caught:
        require(api.get("/thing"), "the thing")
    assert str(caught.value) == (
        f"the thing can't be examined: {dojo.url}/thing answered status {status}, No; traceId {TRACE}; check the key "
        "(--partner-api-key, DOJO_API_KEY) and --software-house-id"
    )


def test_no_answer_stays_what_it_is() -> None:
    with client("http://127.0.0.1:1", patience=0.0) as api, pytest.raises(Unreachable) as caught:
        require(api.get("/thing"), "the thing")
    assert str(caught.value).startswith("the thing can't be examined: can't connect to http://127.0.0.1:1/thing: ")


# Secrets


def indiscreet(asked: Asked) -> Response:
    """Repeats all that it was told."""
    body = {"title": f"unknown key {KEY}", "detail": PASSWORD, "you": [dict(asked.headers), asked.body]}
    return JSONResponse(body, 400, headers={"x-said": f"{KEY} {PASSWORD}", "set-cookie": f"key={KEY}"})


def test_secrets_are_in_no_form_of_an_exchange(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead["PUT /thing"] = indiscreet
    exchange = api.put("/thing", {"key": KEY, "auth": {"password": PASSWORD}})
    exchange.notes.append(f"by {KEY}")
    with pytest.raises(Inconclusive) as caught:
        require(exchange, "the thing")
    texts = [
        exchange.as_text(),
        exchange.as_text(pretty=False),
        json.dumps(exchange.to_json()),
        json.dumps(exchange.to_json(bodies=False)),
        str(exchange),
        exchange.seen,
        exchange.replay(),
        str(caught.value),
        repr(api.account),
        str(pickle.loads(pickle.dumps(exchange)).sent.headers),  # noqa: S301 - ours
    ]
    for text in texts:
        assert KEY not in text
        assert PASSWORD not in text
    assert "*****" in exchange.seen


def test_a_replay_takes_the_key_from_the_environment(dojo: FakeDojo, api: DojoApi) -> None:
    exchange = api.put("/thing", {"it": "isn't"})
    replay = exchange.replay()
    assert '-H "Authorization: Basic $DOJO_API_KEY"' in replay
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    subprocess.run(["/bin/sh", "-c", replay], env={**os.environ, "DOJO_API_KEY": KEY}, check=True, capture_output=True)
    first, again = dojo.asked
    assert again.body == first.body
    for name in ("authorization", "software-house-id", "version", "content-type"):
        assert again.headers[name] == first.headers[name]


# Production


def polite(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")


def test_with_a_production_key_nothing_but_get_reaches_the_socket() -> None:
    with counting(polite) as (url, came), client(url, key=PRODUCTION_KEY, changes=False) as api:
        for method in ("PUT", "POST"):
            with pytest.raises(NotOffered) as caught:
                send(api, method)
            assert str(caught.value) == (
                f"not examined: {method} /thing may change something in production; see --allow-production-changes"
            )
        with pytest.raises(NotOffered):
            api._send("DELETE", "/thing", None)
        time.sleep(0.1)
        assert came == []
        assert send(api, "GET").succeeded
    assert [each.split(b" ")[0] for each in came] == [b"GET"]


@pytest.mark.parametrize(("key", "changes"), [(PRODUCTION_KEY, True), (KEY, True), (KEY, False)])
def test_with_leave_or_a_sandbox_key_everything_does(key: str, changes: bool) -> None:
    with counting(polite) as (url, came), client(url, key=key, changes=changes) as api:
        assert all(send(api, method).succeeded for method in ("GET", "PUT", "POST"))
    assert [each.split(b" ")[0] for each in came] == [b"GET", b"PUT", b"POST"]
