"""
The REST transport: one request, one `Exchange`, whatever the partner does.

Bounded in every direction: one deadline for the whole exchange, a cap on the unpacked body, no redirects. Nothing
here judges an answer.
"""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
import time
import zlib

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from epos_conformance import _masking
from epos_conformance._contracts import Capability
from epos_conformance._settings import Settings
from epos_conformance.exceptions import BrokenAnswer, Inconclusive, Unanswered, Unreachable
from epos_conformance.exchange import Answer, Exchange, Sent


#: Seconds that Retry-After may cost one call in all. An overload is waited out, not judged.
MOST_WAITED = 30.0
_DEFAULT_RETRY = 1.0

_TIMED_OUT = (httpx.TimeoutException, httpcore.TimeoutException)


class Deadline(httpcore.NetworkBackend):
    """
    Bounds a whole exchange, where httpx's timeouts bound each read: a partner may send a byte every few seconds.
    """

    def __init__(self) -> None:
        self.at = float("inf")

    def left(self, timeout: float | None) -> float:
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left if timeout is None else min(left, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = httpcore.SyncBackend().connect_tcp(host, port, self.left(timeout), local_address, socket_options)
        return _BoundStream(stream, self)


class _BoundStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _BoundStream(
            self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class RestTransport:
    """
    A keep-alive connection to the partner's REST endpoints.
    """

    name = "rest"

    def __init__(self, settings: Settings, url: str, auth: str | None) -> None:
        self.url = url
        self.auth = auth
        self._settings = settings
        #: For requests that are to arrive together, each with a connection of its own.
        self._racers: list[RestTransport] = []
        self._hold: threading.Barrier | None = None
        self.mask = _masking.Masker(_masking.of_basic(auth) if auth else ())
        #: The header of the credentials that the suite was given.
        self.authorization = basic(auth) if auth else None
        self._deadline = Deadline()

    @cached_property
    def _client(self) -> httpx.Client:
        # Built at the first call: the SSL context alone costs as much as twenty exchanges, and plain HTTP needs none.
        secure = any(each.lower().startswith("https:") for each in (self.url, *self._settings.urls.values()))
        transport = httpx.HTTPTransport(verify=self._trust() if secure else False)
        # httpx offers no way to hand in a network backend, httpcore no total timeout.
        transport._pool._network_backend = self._deadline
        self._pool = transport._pool
        # A cookie of the partner's would go with requests that are meant to carry nothing of the kind.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        return httpx.Client(
            transport=transport, follow_redirects=False, timeout=self._settings.fail_after, cookies=no_cookies
        )

    def _trust(self) -> ssl.SSLContext:
        if self._settings.ca is None:
            return httpx.create_ssl_context()
        try:
            return ssl.create_default_context(cafile=self._settings.ca)
        except OSError as error:
            raise Unreachable(f"{self._settings.ca} has no certificates (--partner-ca): {_reason(error)}") from None

    def take_turn(self, *, alone: bool) -> None:
        """Requests of several checks don't disturb each other."""

    def end_turn(self) -> None:
        """There is nothing to give back."""

    def close(self) -> None:
        for each in self._racers:
            each.close()
        if "_client" in self.__dict__:
            self._client.close()

    def address(self, capability: Capability, ids: Mapping[str, str]) -> str:
        """
        The URL of *capability*: published path or the user's template, under the base URL.
        """
        path = capability.url_path(ids, self._settings.urls.get(capability.name))
        return path if path.lower().startswith(("http:", "https:")) else self.url + path

    def call(self, capability: Capability, params: Mapping[str, Any], headers: Mapping[str, str]) -> Exchange:
        """
        Send a request as Dojo would. *params* are the ids of the path and the members of the body.
        """
        ids = {each.name: str(params[each.name]) for each in capability.ids}
        body = None
        if capability.request is not None:
            body = encode({name: value for name, value in params.items() if name not in ids})
        return self.send(
            capability.http_method, self.address(capability, ids), body, headers, capability=capability.name
        )

    def at_once(
        self,
        asked: Sequence[tuple[Capability, Mapping[str, Any]]],
        headers: Mapping[str, str],
        opening: tuple[Capability, Mapping[str, Any]] | None = None,
    ) -> list[Exchange]:
        """
        Send requests as `call` does, each over a connection of its own, in such a way that they arrive together.

        The connections are open and all but the last byte of each body is sent before any request is completed. For
        requests without a body, *opening* is called first: a read that leaves the connection open.
        """
        while len(self._racers) < len(asked):
            self._racers.append(RestTransport(self._settings, self.url, self.auth))
        start = threading.Barrier(len(asked), timeout=self._settings.fail_after)

        def run(racer: RestTransport, capability: Capability, params: Mapping[str, Any]) -> Exchange:
            if capability.request is None and opening is not None:
                racer.call(*opening, headers)
            racer._hold = start
            try:
                return racer.call(capability, params, headers)
            finally:
                racer._hold = None
                start.abort()  # whoever still waits, waits for nobody

        with ThreadPoolExecutor(len(asked)) as threads:
            runs = [threads.submit(run, racer, *each) for racer, each in zip(self._racers, asked, strict=False)]
            return [each.result() for each in runs]

    def send(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        capability: str | None = None,
        authorization: str | None = "",
    ) -> Exchange:
        """
        Send exactly this. *authorization* replaces the header of the user's credentials; None leaves it out.

        Overload (429, or 503 with Retry-After) is waited out, for `MOST_WAITED` seconds in all. Never raises: a
        request without an answer is an `Exchange` with a failure.
        """
        given = {name.lower() for name in headers or {}}
        usual = {"accept": "application/json", "content-type": "application/json" if body is not None else None}
        complete = {name: value for name, value in usual.items() if value and name not in given} | dict(headers or {})
        sent_auth = self.authorization if authorization == "" else authorization
        if sent_auth is not None and "authorization" not in given:
            complete["authorization"] = sent_auth
        exchange = Exchange(
            capability=capability,
            transport=self.name,
            sent=Sent(
                method=method,
                url=url,
                headers=tuple(complete.items()),
                body=body,
                authenticated=self.authorization is not None and self.authorization in complete.values(),
            ),
            mask=self.mask,
        )
        started = time.monotonic()
        while True:
            self._once(exchange, complete)
            if _hung_up(exchange):
                self._once(exchange, complete)
                exchange.notes.append("the partner hung up without an answer; sent again on a new connection")
            pause = _retry_after(exchange.answer)
            # By the clock: to be put off takes its time, too.
            if pause is None or time.monotonic() - started + pause > MOST_WAITED:
                return exchange
            time.sleep(pause)
            exchange.notes.append(f"answered {exchange.status}, tried again after {pause:g} s")

    def _once(self, exchange: Exchange, headers: Mapping[str, str]) -> None:
        limit = self._settings.fail_after
        started = time.perf_counter()
        self._deadline.at = time.monotonic() + limit
        exchange.forget_answer()
        nothing_came = True
        # Held back once: what is sent again after an overload races with nobody.
        hold, self._hold = self._hold, None
        try:
            request = self._client.build_request(
                exchange.sent.method, exchange.sent.url, **_content(exchange.sent.body, headers, hold)
            )
            # Only what can be unpacked within bounds is asked for; of deflate there are two kinds that look alike.
            request.headers["accept-encoding"] = "gzip"
            response = self._client.send(request, stream=True)
            nothing_came = False
            try:
                exchange.answer = Answer(
                    status=response.status_code,
                    headers=tuple(
                        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
                    ),
                    body=self._body(response),
                )
            finally:
                response.close()
        except httpx.ConnectTimeout:
            exchange.failure = Unreachable(f"can't connect to {exchange.sent.url} within {limit:g} s")
        except _TIMED_OUT:
            exchange.failure = Unanswered(f"no complete answer within {limit:g} s")
        except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
            # A UnicodeError is about a host that can't be one: ``till..example``.
            exchange.failure = Unreachable(f"can't connect to {exchange.sent.url}: {_reason(error)}")
        except httpx.TransportError as error:
            exchange.failure = BrokenAnswer(f"the answer broke off: {_reason(error)}", nothing_came=nothing_came)
        except (BrokenAnswer, Unreachable) as error:
            exchange.failure = error
        exchange.duration = time.perf_counter() - started
        if exchange.answer is None or exchange.status >= 500:
            self._hang_up()  # many servers do, after an error; what is sent next must not cross with it

    def _hang_up(self) -> None:
        """Close the connection; the next request opens another."""
        if "_client" in self.__dict__:
            for connection in self._pool.connections:
                connection.close()

    def _body(self, response: httpx.Response) -> bytes:
        most = self._settings.max_reply
        unpack = _unpacker(response.headers.get("content-encoding", "identity").strip().lower())
        parts, size = [], 0
        for chunk in response.iter_raw():
            part = chunk if unpack is None else _unpacked(unpack, chunk, most - size + 1)
            size += len(part)
            if size > most:
                raise BrokenAnswer(f"the answer is longer than {most} bytes; the rest was not read (--max-reply)")
            parts.append(part)
        if unpack is not None and size and not unpack.eof:
            raise BrokenAnswer("the answer ends before its compression does")
        return b"".join(parts)


def basic(credentials: str) -> str:
    """The Authorization header of ``user:password``."""
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def encode(body: Any) -> bytes:
    """*body* as JSON, the way it goes over the wire."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", errors="surrogatepass")


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """*headers* as bytes: httpx takes ASCII alone for text, and a waiter may be called Chloé."""
    return [(name.encode(), value.encode("utf-8", errors="surrogatepass")) for name, value in headers.items()]


def _content(body: bytes | None, headers: Mapping[str, str], hold: threading.Barrier | None) -> dict[str, Any]:
    """
    *body* and *headers* for httpx; with *hold*, the body's last byte waits for the other requests, in a body's place
    the whole request does.
    """
    encoded = _encoded(headers)
    if hold is None:
        return {"content": body, "headers": encoded}
    if not body:
        _wait(hold)
        return {"content": body, "headers": encoded}
    return {"content": _held(body, hold), "headers": [*encoded, (b"content-length", b"%d" % len(body))]}


def _held(body: bytes, hold: threading.Barrier) -> Iterator[bytes]:
    yield body[:-1]
    _wait(hold)
    yield body[-1:]


def _wait(hold: threading.Barrier) -> None:
    # Broken is a barrier whose other side could not connect, or is through already.
    with contextlib.suppress(threading.BrokenBarrierError):
        hold.wait()


def _unpacker(encoding: str) -> Any:
    if encoding in ("identity", ""):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=47)  # zlib or gzip, told apart by its header
    raise BrokenAnswer(f"the answer is encoded as {encoding!r}, which was not asked for")


def _unpacked(unpack: Any, chunk: bytes, most: int) -> bytes:
    try:
        return bytes(unpack.decompress(chunk, most))
    except zlib.error as error:
        raise BrokenAnswer(f"the answer can't be unpacked: {error}") from None


def _hung_up(exchange: Exchange) -> bool:
    """
    Whether the partner hung up on a read without a byte of an answer: a server may do so between two requests.
    """
    failure = exchange.failure
    reads = exchange.sent.method == "GET" or (exchange.capability or "").startswith("Search")
    return isinstance(failure, BrokenAnswer) and failure.nothing_came and reads


def _retry_after(answer: Answer | None) -> float | None:
    """Seconds to wait where *answer* is an overload; None where it is an answer."""
    if answer is None or answer.status not in (429, 503):
        return None
    value = answer.header("retry-after")
    if value is None:
        return _DEFAULT_RETRY if answer.status == 429 else None
    try:
        return max(0.05, float(value))
    except ValueError:
        return _DEFAULT_RETRY  # a date: the partner's clock is not ours


def _reason(error: Inconclusive | Exception) -> str:
    return str(error) or type(error).__name__
