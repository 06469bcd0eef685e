"""
Freedoms of WebSocket: when replies come, what stands around them, and how they travel.
"""

from __future__ import annotations

import asyncio
import json

from collections.abc import Iterator
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from epos_conformance._contracts import Capability
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import Message, Request, SocketShell


# When


class _Queueing(SocketShell):
    """
    Has one thing at a time to do it with.
    """

    def __init__(self, epos: ReferenceEpos, **details: Any) -> None:
        super().__init__(epos, **details)
        self.one = asyncio.Lock()
        self.stack: list[tuple[ClientConnection, Message]] = []
        self.numbers = count(1)


@variant("ws-one-at-a-time")
class OneAtATime(_Queueing):
    """
    A request is begun when the one before it has been answered.
    """

    async def respond(self, session: ClientConnection, message: Message) -> None:
        async with self.one:
            await super().respond(session, message)

    async def pause(self, request: Request) -> None:
        await asyncio.sleep(0.005)


@variant("ws-last-come-first-served")
class LastComeFirstServed(_Queueing):
    """
    Requests that come together are answered from the last to the first.
    """

    def take(self, session: ClientConnection, message: Message) -> None:
        if not self.stack:
            self.begin(self.serve())
        self.stack.append((session, message))

    async def serve(self) -> None:
        await asyncio.sleep(0.01)
        while self.stack:
            await self.respond(*self.stack.pop())


@variant("ws-slow-but-fine")
class SlowButFine(SocketShell):
    """
    Every answer takes 0.3 seconds, and many are under way at a time.
    """

    async def pause(self, request: Request) -> None:
        await asyncio.sleep(0.3)


@variant("ws-now-fast-now-slow")
class NowFastNowSlow(_Queueing):
    """
    Every other answer takes a tenth of a second, so that later ones overtake it.
    """

    async def pause(self, request: Request) -> None:
        await asyncio.sleep(0.1 * (next(self.numbers) % 2))


@variant("ws-dials-again-after-a-second")
class DialsAgainAfterASecond(SocketShell):
    """
    The EPOS takes a second before it dials again.
    """

    def wait_before_dialling(self, failures: int) -> float:
        return 1.0


# The handshake


@variant("ws-no-reseller-id")
class NoResellerId(SocketShell):
    """
    The handshake has no reseller-id: there is no reseller.
    """

    def handshake_headers(self) -> dict[str, str]:
        headers = super().handshake_headers()
        del headers["reseller-id"]
        return headers


@variant("ws-more-handshake-headers")
class MoreHandshakeHeaders(SocketShell):
    """
    The handshake has headers of the till's own, and its names are in capitals.
    """

    def handshake_headers(self) -> dict[str, str]:
        headers = {name.upper(): value for name, value in super().handshake_headers().items()}
        return {**headers, "X-TILL-VERSION": "7.4", "ORIGIN": "http://till.local"}


# Around results and errors


@variant("ws-replies-without-a-method")
class RepliesWithoutAMethod(SocketShell):
    """
    A reply does not tell what was asked.
    """

    def method_of(self, request: Request) -> Json:
        return {}


@variant("ws-no-error-is-null")
class NoErrorIsNull(SocketShell):
    """
    Beside a result stands error, which is null.
    """

    def outcome(self, request: Request, capability: Capability, result: Any) -> Json:
        return {**super().outcome(request, capability, result), "error": None}


@variant("ws-more-members-in-replies")
class MoreMembersInReplies(SocketShell):
    """
    A reply tells the till's version and how long it took.
    """

    def envelope(self, request: Request, outcome: Json) -> Json:
        return {**super().envelope(request, outcome), "tillVersion": "7.4", "took": {"milliseconds": 3}}


@variant("ws-errors-with-a-code")
class ErrorsWithACode(SocketShell):
    """
    Every error has JSON-RPC's code and message beside the members of an EPOSError.
    """

    def error_outcome(self, request: Request, error: Any) -> Json:
        return super().error_outcome(request, {"code": -32000, "message": error.get("debugMessage"), **error})


@variant("ws-envelope-comes-last")
class EnvelopeComesLast(SocketShell):
    """
    The result comes first, and then what stands around it.
    """

    def envelope(self, request: Request, outcome: Json) -> Json:
        return dict(reversed(super().envelope(request, outcome).items()))


@variant("ws-odd-ids-are-echoed")
class OddIdsAreEchoed(SocketShell):
    """
    An id comes back as it is, also where it is a number or null.
    """

    def is_id(self, id: Any) -> bool:
        return id is None or isinstance(id, (str, int, float))

    def read(self, found: Json) -> Request:
        return super().read({"id": None, **found})


# How they travel


@variant("ws-pretty-printed")
class PrettyPrinted(SocketShell):
    """
    Replies are indented, and letters beyond ASCII are escaped.
    """

    def dumps(self, reply: Json) -> str:
        return json.dumps(reply, indent=4) + "\r\n"


@variant("ws-binary-frames")
class BinaryFrames(SocketShell):
    """
    Replies travel as binary messages.
    """

    async def transmit(self, session: ClientConnection, text: str) -> None:
        await session.send(text.encode())


@variant("ws-fragmented-replies")
class FragmentedReplies(SocketShell):
    """
    Replies travel in fragments of a hundred characters.
    """

    async def transmit(self, session: ClientConnection, text: str) -> None:
        await session.send(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), 100):
        yield text[start : start + 100]


@variant("ws-uncompressed")
class Uncompressed(SocketShell):
    """
    The EPOS asks for no compression.
    """

    def options(self) -> dict[str, Any]:
        return {**super().options(), "compression": None}


# What nobody asked for


@variant("ws-bad-json-is-not-answered")
class BadJsonIsNotAnswered(SocketShell):
    """
    A frame that is not JSON is passed over in silence.
    """

    async def not_json(self, session: ClientConnection, reason: Exception) -> Json | None:
        return None


@variant("ws-what-is-no-request-is-not-answered")
class WhatIsNoRequestIsNotAnswered(SocketShell):
    """
    JSON that is no request is passed over in silence, and so is what is not JSON.
    """

    async def not_json(self, session: ClientConnection, reason: Exception) -> Json | None:
        return None

    async def no_request(self, session: ClientConnection, found: Any) -> Json | None:
        return None


@variant("ws-notifies")
class Notifies(SocketShell):
    """
    The EPOS says by itself that it is well: a message with a method and no id, at first and every half a second.
    """

    async def accompany(self, session: ClientConnection) -> None:
        while True:
            try:
                await session.send(self.dumps({"jsonrpc": "2.0", "method": "tillIsWell", "params": {"version": "7.4"}}))
            except ConnectionClosed:
                return
            await asyncio.sleep(0.5)


@variant("ws-pings")
class Pings(SocketShell):
    """
    The EPOS pings every second.
    """

    def options(self) -> dict[str, Any]:
        return {**super().options(), "ping_interval": 1.0}


# What is offered, and over what


class _EventsAlone(ReferenceEpos):
    """
    Dojo's events are all that is offered.
    """

    def offered(self) -> frozenset[str]:
        return frozenset({"HandleEvent"})


@variant("ws-events-alone", layers=[_EventsAlone])
class EventsAlone(SocketShell):
    """
    The EPOS is told of Dojo's events, and can't be asked for anything.
    """


class _AreasAlone(ReferenceEpos):
    """
    The areas are all that is offered.
    """

    def offered(self) -> frozenset[str]:
        return frozenset({"ListAreas"})


@variant("ws-areas-alone", layers=[_AreasAlone])
class AreasAlone(SocketShell):
    """
    The EPOS can be asked for its areas, and for nothing else.
    """


@variant("ws-asks-for-a-subprotocol")
class AsksForASubprotocol(SocketShell):
    """
    The client library asks for a subprotocol, and hangs up where it gets none.
    """

    def options(self) -> dict[str, Any]:
        return {**super().options(), "subprotocols": ["jsonrpc-2.0"]}

    async def dial(self) -> ClientConnection:
        session = await super().dial()
        if session.subprotocol is None:
            await session.close(1002)
            raise InvalidHandshake("no subprotocol")
        return session


@variant("ws-bad-line")
class BadLine(SocketShell):
    """
    The line breaks every five seconds; the EPOS dials again at once.
    """

    async def accompany(self, session: ClientConnection) -> None:
        await asyncio.sleep(5)
        session.transport.abort()
