"""
The reference EPOS as a client of Dojo: it registers itself, tells what changed, and looks payment intents up.

Each behaviour is one short method, as it is in `rest`; what a till says wrongly to Dojo is a subclass that replaces it.
"""

from __future__ import annotations

import re
import threading
import time

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from tenacity import Retrying, retry_if_exception_type, sleep_using_event, stop_after_attempt, wait_exponential

from epos_conformance._contracts import capabilities
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import KEY, RESELLER, SOFTWARE_HOUSE


#: The version of the Dojo API that this till was written for.
VERSION = "2026-02-27"

#: Seconds that one request may wait for Dojo; a call of Dojo's that needs the answer waits as long.
PATIENCE = 2.0

#: Seconds that the events which are still to be told may take when the till is switched off.
LAST_WORDS = 2.0

#: How often a connection is tried, and the seconds before the second time.
ATTEMPTS, FIRST_WAIT = 4, 0.1

_FIRST_WORD = re.compile("[A-Z][a-z]+")

Over = Literal["rest", "ws"]


class NotRegisteredError(Exception):
    """
    Dojo did not take a registration; the message is one line that says why.
    """


class DojoLink:
    """
    Registration, events and look-ups; what changed and what is paid is the EPOS's business.
    """

    def __init__(
        self, *, url: str, key: str = KEY, software_house_id: str = SOFTWARE_HOUSE, reseller_id: str = RESELLER
    ) -> None:
        self.url = url
        self.key = key
        self.software_house_id = software_house_id
        self.reseller_id = reseller_id
        #: Told what Dojo refuses, in a line each.
        self.say: Callable[[str], None] = lambda _: None
        self._client = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)
        # One thread: events arrive in the order of what they tell of.
        self._postman = ThreadPoolExecutor(1, "events for Dojo")
        self._closing = threading.Event()
        self._complaints: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Tells what is still to be told, as far as it is quickly done; a second time does nothing."""
        if not self._closing.is_set():
            self._closing.set()
            self.flush(LAST_WORDS)
            self._postman.shutdown(wait=False, cancel_futures=True)
            self._client.close()

    def flush(self, seconds: float) -> bool:
        """Waits until Dojo has been told everything so far; answers whether it has within *seconds*."""
        told: Future[int] = self._postman.submit(int)
        with suppress(NotDone):
            told.result(seconds)
        return told.done()

    # -- how Dojo is asked ----------------------------------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        """The headers that every request introduces us with."""
        return {
            "Authorization": self.authorization(),
            "software-house-id": self.software_house_id,
            "reseller-id": self.reseller_id,
            "version": VERSION,
        }

    def authorization(self) -> str:
        """The word Basic and the key as it is; base64 is not asked for."""
        return f"Basic {self.key}"

    def send(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> httpx.Response:
        """
        Dojo's response, whatever it says; raises `httpx.TransportError`.

        Only a connection that fails is tried again: all that is sent may come twice without harm, but what waits for
        Dojo should not wait for long.
        """
        again = Retrying(
            retry=retry_if_exception_type((httpx.NetworkError, httpx.RemoteProtocolError)),
            stop=stop_after_attempt(1 if self._closing.is_set() else ATTEMPTS),
            wait=wait_exponential(FIRST_WAIT, max=1),
            sleep=sleep_using_event(self._closing),
            reraise=True,
        )
        return again(self._client.request, method, path, headers=headers, json=body)

    def complain(self, line: str) -> None:
        """Tells what went wrong, once for each reason."""
        if line not in self._complaints:
            self._complaints.add(line)
            self.say(line)

    # -- registration ---------------------------------------------------------------------------------------------

    def register(self, offered: Collection[str], over: Over, *, url: str = "", auth: str = "") -> None:
        """
        Registers the capabilities *offered*: over REST with the base *url* and *auth* (``user:password``).

        Raises `NotRegisteredError`.
        """
        body: Json = {"capabilities": self.registered(offered)}
        if over == "rest":
            body |= {"url": self.registered_url(url), "auth": self.registered_auth(auth)}
        self.put_registration(over, body)

    def registered(self, offered: Collection[str]) -> list[Json]:
        """The full list, as every registration has to carry it."""
        return [{"name": each, "version": self.capability_version(each)} for each in self.names(offered)]

    def names(self, offered: Collection[str]) -> list[str]:
        """The names that Dojo has for the capabilities *offered*."""
        return [each for name, known in capabilities().items() if name in offered for each in known.registered]

    def capability_version(self, name: str) -> str:
        return "v1"

    def registered_url(self, url: str) -> str:
        """The address that Dojo is to call."""
        return url

    def registered_auth(self, auth: str) -> Json:
        """The credentials that Dojo is to call with."""
        user, _, password = auth.partition(":")
        return {"authType": "basic", "basic": {"username": user, "password": password}}

    def put_registration(self, over: Over, body: Json) -> None:
        """Puts *body* in the place of what was registered before; raises `NotRegisteredError`."""
        try:
            response = self.send("PUT", f"/epos/integrations/{over}", self.registration_headers(), body)
        except httpx.TransportError as reason:
            raise NotRegisteredError(in_words(reason)) from reason
        if not response.is_success:
            raise NotRegisteredError(in_words(response))

    def registration_headers(self) -> dict[str, str]:
        """The headers that a registration is sent with."""
        return self.headers()

    # -- events ---------------------------------------------------------------------------------------------------

    def tell(self, event_type: str, id: str) -> None:
        """Tells Dojo of a change, in the background; neither a delay nor a failure reaches the caller."""
        event, due = self.event(event_type, id), time.monotonic() + self.postponement()
        # After the end there is nobody to tell it.
        with suppress(RuntimeError):
            self._postman.submit(self.deliver, event, due)

    def event(self, event_type: str, id: str) -> Json:
        """The body that tells of a change."""
        return {"eventType": self.type_in_event(event_type), "event": {self.id_member(event_type): id}}

    def type_in_event(self, event_type: str) -> str:
        return event_type

    def id_member(self, event_type: str) -> str:
        """The member that carries the id in an event of *event_type*: ``OrderUpdated`` -> ``orderId``."""
        kind = _FIRST_WORD.match(event_type)
        return f"{kind[0].lower()}Id" if kind else "id"

    def postponement(self) -> float:
        """Seconds that an event waits before it is sent: none."""
        return 0.0

    def deliver(self, event: Json, due: float) -> None:
        """Sends *event*, not before it is *due* by the monotonic clock."""
        self._closing.wait(max(0.0, due - time.monotonic()))
        try:
            response = self.send("POST", "/epos/events", self.event_headers(), event)
        except (httpx.TransportError, RuntimeError) as reason:
            # RuntimeError: the client was closed before this was told.
            self.complain(f"cannot tell Dojo of events: {in_words(reason)}")
        else:
            if not response.is_success:
                self.complain(f"Dojo refused an event: {in_words(response)}")

    def event_headers(self) -> dict[str, str]:
        """The headers that an event is sent with."""
        return self.headers()

    # -- payment intents ------------------------------------------------------------------------------------------

    def find_intent(self, intent_id: str) -> Json | None:
        """The payment intent of that id; empty where Dojo has none, None where it can't be asked."""
        try:
            response = self.send("GET", f"/payment-intents/{quote(intent_id, safe='')}", self.headers())
            if self.means_unknown(response.status_code):
                return {}
            found = response.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as reason:
            self.complain(f"cannot ask Dojo for a payment intent: {in_words(reason)}")
            return None
        return found if isinstance(found, dict) else None

    def means_unknown(self, status: int) -> bool:
        """Whether *status* says that Dojo has no such intent, nor ever had; the others say that it is not our turn."""
        return status in (400, 404, 410, 422)


def in_words(trouble: httpx.Response | Exception) -> str:
    """What went wrong, in one line without the key."""
    if isinstance(trouble, httpx.HTTPStatusError):
        return in_words(trouble.response)
    if isinstance(trouble, httpx.Response):
        return f"HTTP {trouble.status_code} {_problem(trouble)}".strip()
    if isinstance(trouble, httpx.TimeoutException):
        return f"no answer within {PATIENCE:g} s"
    if isinstance(trouble, httpx.ConnectError):
        return "no connection"
    return " ".join(str(trouble).split()) or type(trouble).__name__


def _problem(response: httpx.Response) -> str:
    """What the problem details of *response* say, or the beginning of what it holds instead."""
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return " ".join(response.text.split())[:200]
    told = [str(found[name]) for name in ("title", "detail", "errors") if found.get(name)]
    return "; ".join(told)[:300]
