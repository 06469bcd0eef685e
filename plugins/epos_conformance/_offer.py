"""
Which capabilities the partner offers, where nobody claims any: found out by calls that change nothing.

A capability counts as offered where its address answers like an EPOS does, and not like the partner's answer to an
address that certainly doesn't exist. Requests that would change something are sent without any of their members, or
for ids that don't exist, which every EPOS refuses.
"""

from __future__ import annotations

import re
import uuid

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

from epos_conformance import _contracts
from epos_conformance._contracts import Capability
from epos_conformance._settings import Settings
from epos_conformance.exceptions import BrokenAnswer, Unanswered
from epos_conformance.exchange import ERROR_TYPES, Exchange
from epos_conformance.following import rows_of
from epos_conformance.rest import RestTransport, encode
from epos_conformance.transports import DOJO_HEADERS


@dataclass(slots=True)
class Offer:
    """
    What the partner offers, and how that is known.
    """

    #: Canonical names.
    capabilities: tuple[str, ...]
    #: ``claimed`` or ``probed``.
    how: str
    #: Why nothing can be examined at all; None where something can.
    blocked: str | None = None
    #: What the user might want to know of the guesses.
    notes: list[str] = field(default_factory=list)
    #: Those that may be offered or not.
    unsure: tuple[str, ...] = ()
    #: Capability -> what was asked for it last.
    said: Mapping[str, Exchange] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def probed(
        cls, found: Collection[str], unsure: Sequence[str], said: Mapping[str, Exchange], why_nothing: Callable[[], str]
    ) -> Self:
        """An offer that was found out by asking."""
        names = tuple(name for name in _contracts.capabilities() if name in found)
        notes = [f"unclear whether these are offered, claim them with --capabilities: {', '.join(unsure)}"]
        return cls(names, "probed", None if names else why_nothing(), notes if unsure else [], tuple(unsure), said)


#: Searches that show an id to ask for.
SHOWS = {"orderId": "SearchOrders", "partyId": "SearchParties", "reservationId": "SearchReservations"}

#: Calls in a row without an answer, after which the rest is not tried.
_PATIENCE = 2


def find_out(settings: Settings, transport: RestTransport) -> Offer:
    """
    What the partner offers: what is claimed for it, else what answers.
    """
    if settings.capabilities is not None:
        return Offer(settings.capabilities, "claimed")
    return probe(settings, transport)


def probe(settings: Settings, transport: RestTransport) -> Offer:
    """
    What answers, whatever is claimed.
    """
    return _Probe(settings, transport).offer()


class _Probe:
    def __init__(self, settings: Settings, transport: RestTransport) -> None:
        self._settings = settings
        self._transport = transport
        self._nonsense = f"conformance-{uuid.uuid4().hex[:12]}"
        self._seen: dict[str, str] = {}
        self._failures = 0
        self._answered = False
        self._last: Exchange | None = None
        self._found: set[str] = set()
        self._unsure: list[str] = []
        self._said: dict[str, Exchange] = {}

    def offer(self) -> Offer:
        # Searches first: they show ids, and an id that exists tells more than one that doesn't. Deletions last: they
        # are only sent for ids that don't exist, so that it helps to know what else is at their addresses.
        every = sorted(
            _contracts.capabilities().values(),
            key=lambda each: ("search" not in each.selectors, each.changes, each.http_method == "DELETE", each.name),
        )
        for capability in every:
            if capability.changes and self._settings.read_only:
                continue
            if self._offers(capability):
                self._found.add(capability.name)
            if self._failures >= _PATIENCE and not self._answered:
                break
        if self._is_website():
            self._found = set()
        return Offer.probed(self._found, self._unsure, self._said, self._why_nothing)

    def _why_nothing(self) -> str:
        last = self._last
        assert last is not None
        if last.failure is not None and not self._answered:
            return f"the partner can't be examined: {last.failure}"
        if last.status in (401, 403):
            hint = "check --partner-auth" if self._transport.auth else "pass --partner-auth=USER:PASSWORD"
            return f"the partner refuses the credentials (status {last.status}): {hint}"
        kind = last.answer.header("content-type") if last.answer else None
        return (
            f"nothing at {self._transport.url} answers like an EPOS (the last answer: status {last.status}, "
            f"{kind or 'no content type'}): is it the base URL of the EPOS Data API?"
        )

    def _offers(self, capability: Capability) -> bool:
        ids = {each.name: self._seen.get(each.name, self._nonsense) for each in capability.ids}
        if capability.changes and capability.request is None:
            ids = dict.fromkeys(ids, self._nonsense)  # a DELETE: never of something that exists
        exchange = self._ask(capability.http_method, self._transport.address(capability, ids), capability)
        self._said[capability.name] = exchange
        if exchange.answer is None:
            # Slow or broken is not absent: whoever takes the request offers it.
            return isinstance(exchange.failure, (Unanswered, BrokenAnswer)) and self._answered
        if exchange.succeeded:
            if capability.name.startswith("Search"):
                self._note_ids(capability.name, exchange)
            return self._speaks_json(exchange)
        if exchange.status in (401, 403, 405, 501):
            return False
        if exchange.status == 404:
            return self._knows_the_address(capability, exchange)
        error = exchange.error
        return (
            exchange.status in (400, 409, 422)
            or exchange.status >= 500
            or (error is not None and error.type in ERROR_TYPES)
        )

    def _is_website(self) -> bool:
        """Whether pages are answered, and nothing else: who then breaks off once has shown nothing of an EPOS."""
        pages = any(each.succeeded and not self._speaks_json(each) for each in self._said.values())
        return pages and all(self._said[name].answer is None for name in self._found)

    def _knows_the_address(self, capability: Capability, exchange: Exchange) -> bool:
        """
        Whether a 404 means a thing that isn't there, rather than an address that isn't.
        """
        if not capability.ids:
            return False
        first, second = self._control(capability), self._control(capability)
        # Where two answers to what isn't there differ, words prove nothing.
        if first == second and first != _said(exchange):
            return True
        # The partner words both alike. An address that another verb is known for might have answered 405.
        siblings = {each.name for each in _contracts.capabilities().values() if each.path == capability.path}
        if siblings & self._found and self._tells_verbs(capability):
            return True
        if exchange.error is not None and exchange.error.type == "NotFound":
            self._unsure.append(capability.name)  # a framework's own 404 page leaves no doubt
        return False

    def _tells_verbs(self, capability: Capability) -> bool:
        """Whether a verb that the contract doesn't know is answered 405; many frameworks answer 404 to it."""
        url = self._transport.address(capability, dict.fromkeys((each.name for each in capability.ids), self._nonsense))
        return self._ask("PATCH", url, None).status == 405

    def _control(self, capability: Capability) -> Any:
        """What the partner says to an address that is like that of *capability*, and certainly isn't there."""
        ids = {each.name: self._nonsense for each in capability.ids}  # a sloppy router may take it for a DELETE
        segments = (self._settings.urls.get(capability.name) or capability.path).split("/")
        (*_, last) = (place for place, each in enumerate(segments) if each and "{" not in each)
        segments[last] = f"conformance-{uuid.uuid4().hex[:12]}"
        path = capability.url_path(ids, "/".join(segments))
        url = path if path.startswith(("http:", "https:")) else self._transport.url + path
        return _said(self._ask(capability.http_method, url, None))

    def _ask(self, method: str, url: str, capability: Capability | None) -> Exchange:
        body = encode({}) if method in ("POST", "PUT") else None
        exchange = self._transport.send(
            method, url, body, DOJO_HEADERS, capability=capability.name if capability else None
        )
        if exchange.failure is not None:
            self._failures += 1
        elif exchange.failure is None:
            self._answered = True
        self._last = exchange
        return exchange

    def _note_ids(self, name: str, exchange: Exchange) -> None:
        member = next((member for member, search in SHOWS.items() if search == name), None)
        ids = [row["id"] for row in rows_of(exchange.result) if isinstance(row.get("id"), str) and row["id"]]
        if member and ids:
            # A plain one, if there is: whether others survive in a URL is a rule of its own.
            self._seen[member] = min(ids, key=lambda each: quote(each, safe="") != each)

    @staticmethod
    def _speaks_json(exchange: Exchange) -> bool:
        """Whether a success is meant as JSON, broken or not, or is nothing at all (some answers are empty)."""
        assert exchange.answer is not None
        kind = exchange.answer.header("content-type") or ""
        return "json" in kind or exchange.answer.body.lstrip()[:1] in (b"{", b"[", b"")


#: Trace ids and the like.
_HEX = re.compile(r"[0-9a-f-]{8,}")
_NO_LETTERS = re.compile(r"[^a-z]+")


def _said(exchange: Exchange) -> Any:
    """What an answer says apart from the ids in it and what is new every time, whether or not it is an EPOSError."""
    if exchange.answer is None:
        return None
    error = exchange.error
    text = exchange.answer.body.decode("utf-8", "replace").lower()
    if error is not None and error.debug_message:
        text = str(error.debug_message).lower()
    segments = urlsplit(exchange.sent.url).path.lower().split("/")
    for part in sorted({*segments, *map(unquote, segments)}, key=len, reverse=True):
        text = text.replace(part, "") if len(part) > 1 else text
    # Times, counts and trace ids come last: ids of ours have hexadecimal digits, too.
    return exchange.status, str(error.type) if error else None, _NO_LETTERS.sub("", _HEX.sub("", text))
