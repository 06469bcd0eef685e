"""
The client of Dojo's API: one call, one `DojoExchange`, whatever comes of it.

What may be tried again is: refusals that say "later", and failures before the request was sent. A POST that may have
been carried out is never sent twice. With a production key nothing but GET is sent, unless the user allowed it twice.
"""

from __future__ import annotations

import time

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpcore
import httpx

from epos_conformance import _masking
from epos_conformance._settings import Listen, production
from epos_conformance.dojo.exchanges import DojoExchange
from epos_conformance.exceptions import BrokenAnswer, Inconclusive, NotOffered, Unanswered, Unauthorized, Unreachable
from epos_conformance.exchange import Answer, Sent
from epos_conformance.rest import Deadline, encode


if TYPE_CHECKING:
    from tenacity import RetryCallState

#: Seconds for one answer, to connect included, and to connect.
LIMIT, CONNECTING = 15.0, 5.0

#: Seconds in which a call is tried again, by default.
PATIENCE = 20.0

#: Calls in a row without any answer, after which nothing is tried again.
_MOST_FAILURES = 2

#: Bytes of an answer.
MOST = 4 * 2**20

#: Statuses after which any request may be sent again, and after which only one that may be carried out twice.
_LATER, _MAYBE_DONE = frozenset({429}), frozenset({502, 503, 504})


@dataclass(slots=True)
class Account:
    """
    Where Dojo's API is, and who asks. Plain values: it is sent to other processes.
    """

    #: Base URL without a slash at its end.
    url: str
    key: str = field(repr=False)
    software_house_id: str
    reseller_id: str | None
    #: ``yyyy-mm-dd``.
    version: str
    #: Whether more than GET may be sent.
    changes: bool = True


class DojoApi:
    """
    A keep-alive connection to Dojo's API; *secrets* are masked beside the key.
    """

    def __init__(self, account: Account, *, patience: float = PATIENCE, secrets: Iterable[str] = ()) -> None:
        self.account = account
        self.mask = _masking.Masker([account.key, *secrets])
        self._patience = patience
        self._failures = 0
        self._deadline = Deadline()
        #: Told each exchange.
        self.heard: Callable[[DojoExchange], None] = lambda _: None

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> httpx.Client:
        # httpx takes the usual authorities, and proxies from the environment: Dojo is out there, a sandbox is not.
        url = self.account.url
        found = httpx.Client(
            follow_redirects=False, verify=url.lower().startswith("https:"), trust_env=not _on_this_machine(url)
        )
        for each in (found._transport, *found._mounts.values()):
            if isinstance(each, httpx.HTTPTransport):
                # As in `rest`: httpx bounds each read, a dribbling answer is none too long for it.
                each._pool._network_backend = self._deadline
        return found

    def get(self, path: str, *places: str, limit: float = LIMIT) -> DojoExchange:
        """GET *path*, its ``{}`` filled with *places*; *limit* is seconds for the answer."""
        return self._send("GET", path.format(*(quote(each, safe="") for each in places)), None, limit)

    def put(self, path: str, body: Any) -> DojoExchange:
        return self._send("PUT", path, body)

    def post(self, path: str, body: Any) -> DojoExchange:
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: Any, limit: float = LIMIT) -> DojoExchange:
        """
        Send a request until it is answered or patience ends. Never raises but `NotOffered`, where it is forbidden.
        """
        if method != "GET" and production(self.account.key) and not self.account.changes:
            raise NotOffered(
                f"not examined: {method} {path} may change something in production; see --allow-production-changes"
            )
        exchange = DojoExchange(
            capability=None,
            transport="dojo",
            sent=Sent(
                method=method,
                url=self.account.url + path,
                headers=tuple(self._headers(body is not None).items()),
                body=None if body is None else encode(body),
                authenticated=True,
            ),
            mask=self.mask,
        )
        self.heard(exchange)
        # Only where Dojo is asked: a run without it has no use for the import.
        from tenacity import Retrying, retry_if_result, stop_before_delay, wait_random_exponential

        backoff = wait_random_exponential(multiplier=0.5, max=8)

        def note(state: RetryCallState) -> None:
            exchange.notes.append(f"{exchange.seen}; tried again after {state.upcoming_sleep:.1f} s")

        def wait(state: RetryCallState) -> float:
            asked = (exchange.answer.header("retry-after") if exchange.answer else None) or ""
            # At least the pause of our own: who asks for none is asked again and again.
            return max(float(asked) if asked.isascii() and asked.isdigit() else 0.0, backoff(state))

        Retrying(
            retry=retry_if_result(lambda _: worth_trying_again(exchange)),
            wait=wait,
            # With the pause to come: Retry-After may be an hour.
            stop=stop_before_delay(self._patience if self._failures < _MOST_FAILURES else 0.0),
            before_sleep=note,
            retry_error_callback=lambda _: None,
        )(self._once, exchange, limit)
        self._failures = 0 if exchange.failure is None else self._failures + 1
        return exchange

    def _headers(self, body: bool) -> dict[str, str]:
        account = self.account
        found = {
            "accept": "application/json",
            "authorization": f"Basic {account.key}",
            "software-house-id": account.software_house_id,
            "version": account.version,
        }
        if account.reseller_id:
            found["reseller-id"] = account.reseller_id
        return {**found, "content-type": "application/json"} if body else found

    def _once(self, exchange: DojoExchange, limit: float) -> None:
        started = time.perf_counter()
        self._deadline.at = time.monotonic() + limit
        exchange.forget_answer()
        sent = exchange.sent
        try:
            with self._client.stream(
                sent.method,
                sent.url,
                content=sent.body,
                headers=dict(sent.headers),
                timeout=httpx.Timeout(limit, connect=CONNECTING),
            ) as response:
                headers = tuple(response.headers.items())
                body = _read(response)
            exchange.answer = Answer(status=response.status_code, headers=headers, body=body)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
            UnicodeError,  # of a host that can't be one: ``dojo..example``
        ) as error:
            exchange.failure = Unreachable(f"can't connect to {sent.url}: {_reason(error)}")
        except (httpx.TimeoutException, httpcore.TimeoutException):
            exchange.failure = Unanswered(f"no complete answer from {sent.url} within {limit:g} s")
        except httpx.HTTPError as error:
            exchange.failure = BrokenAnswer(f"the answer of {sent.url} broke off: {_reason(error)}")
        except BrokenAnswer as error:
            exchange.failure = error
        exchange.duration = time.perf_counter() - started


def worth_trying_again(exchange: DojoExchange) -> bool:
    """Whether *exchange* may be repeated without harm, and with hope."""
    once_only = exchange.sent.method == "POST"
    if exchange.answer is None:
        # Nobody heard of it.
        return isinstance(exchange.failure, Unreachable) or (
            not once_only and isinstance(exchange.failure, BrokenAnswer)
        )
    return exchange.status in _LATER or (not once_only and exchange.status in _MAYBE_DONE)


def require(exchange: DojoExchange, what: str) -> Any:
    """
    The JSON of a successful answer. Raises `Inconclusive`, saying *what* couldn't be done, for anything else, and
    `Unauthorized` where it is the key.
    """
    if exchange.failure is not None:
        raise type(exchange.failure)(f"{what} can't be examined: {exchange.failure}")
    why = f"{what} can't be examined: {exchange.sent.url} answered {exchange.seen}"
    if exchange.status in (401, 403):
        raise Unauthorized(f"{why}; check the key (--partner-api-key, DOJO_API_KEY) and --software-house-id")
    if not exchange.succeeded:
        raise Inconclusive(why)
    return exchange.json


def _read(response: httpx.Response) -> bytes:
    found = bytearray()
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) > MOST:
            raise BrokenAnswer(f"the answer is larger than {MOST} bytes")
    return bytes(found)


def _on_this_machine(url: str) -> bool:
    return Listen(urlsplit(url).hostname or "", 0).loopback


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
