"""
Mistakes that show where many requests come at once, and replies that come more than once.
"""

from __future__ import annotations

import asyncio

from typing import Any

from websockets.asyncio.client import ClientConnection

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import Message, Request, SocketShell


_EVERY = "ws.answers-every-request-in-flight"
_ONCE = "ws.answers-a-request-once"

#: Where requests are lost, nothing that needs several at once can be told.
_LOST = ["ws.*", "*at-once*"]

#: Seconds that work takes, so that requests meet.
A_MOMENT = 0.01


class _Busy(SocketShell):
    """
    Takes a moment for each request, and knows how many it is at.
    """

    def __init__(self, epos: ReferenceEpos, **details: Any) -> None:
        super().__init__(epos, **details)
        self.begun = 0
        self.inbox: asyncio.Queue[tuple[ClientConnection, Message]] = asyncio.Queue(8)
        self.latest: dict[str, Request] = {}

    async def pause(self, request: Request) -> None:
        await asyncio.sleep(A_MOMENT)
        await super().pause(request)

    async def reply_to(self, session: ClientConnection, message: Message) -> Json | None:
        try:
            return await super().reply_to(session, message)
        finally:
            self.begun -= 1


@defect("ws-busy-means-deaf", breaks=[_EVERY], also=_LOST)
class BusyMeansDeaf(_Busy):
    """
    What comes while a request is worked on is dropped.
    """

    def take(self, session: ClientConnection, message: Message) -> None:
        if self.begun == 0:
            self.begun += 1
            super().take(session, message)


@defect("ws-sixteen-at-a-time", breaks=[_EVERY], also=_LOST)
class SixteenAtATime(_Busy):
    """
    There are sixteen places for requests, and the seventeenth is thrown away.
    """

    def take(self, session: ClientConnection, message: Message) -> None:
        if self.begun < 16:
            self.begun += 1
            super().take(session, message)


@defect("ws-small-inbox", breaks=[_EVERY], also=_LOST)
class SmallInbox(_Busy):
    """
    One worker empties a queue of eight; what finds it full is gone.
    """

    def take(self, session: ClientConnection, message: Message) -> None:
        if not self.inbox.full():
            self.inbox.put_nowait((session, message))

    async def accompany(self, session: ClientConnection) -> None:
        while True:
            await self.respond(*await self.inbox.get())


@defect("ws-only-the-latest-counts", breaks=[_EVERY], also=_LOST)
class OnlyTheLatestCounts(_Busy):
    """
    A request replaces the one of the same method that is worked on, as in a search box while somebody types.
    """

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        self.latest[request.method] = request
        found = await super().reply(session, request)
        return found if self.latest[request.method] is request else None


# More than one reply


@defect("ws-answers-twice", breaks=[_ONCE], also=["ws.*"])
class AnswersTwice(SocketShell):
    """
    A reply is sent again after a moment, since nobody has acknowledged it.
    """

    async def send(self, session: ClientConnection, reply: Json) -> None:
        await super().send(session, reply)
        await asyncio.sleep(0.05)
        await super().send(session, reply)


@defect("ws-errors-are-sent-twice", breaks=[_ONCE], also=["ws.*"])
class ErrorsAreSentTwice(SocketShell):
    """
    A refusal is sent where it is found and again where the exception is caught.
    """

    async def send(self, session: ClientConnection, reply: Json) -> None:
        await super().send(session, reply)
        if "error" in reply:
            await super().send(session, reply)


@defect("ws-acknowledges-first", breaks=[_ONCE], also=["*"])
class AcknowledgesFirst(SocketShell):
    """
    A request is acknowledged with an empty result, and the real one follows.
    """

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        await self.send(session, self.envelope(request, {"result": {}}))
        return await super().reply(session, request)
