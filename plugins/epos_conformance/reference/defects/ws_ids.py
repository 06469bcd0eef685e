"""
Mistakes with the ids of requests, and with whose reply is whose.
"""

from __future__ import annotations

import asyncio

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection

from epos_conformance._contracts import Capability
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import Request, SocketShell


#: A reply without its request's id is no answer to anything.
_UNANSWERED = ["*"]

#: What else is seen where replies are confused.
_CONFUSED = ["ws.*", "*at-once*"]

#: Seconds that work takes, so that requests meet.
A_MOMENT = 0.02


# Ids


@defect("ws-ids-become-numbers", breaks=["ws.reply-carries-the-id"], also=_UNANSWERED)
class IdsBecomeNumbers(SocketShell):
    """
    An id of digits is parsed, and comes back as a number.
    """

    def id_of(self, request: Request) -> Any:
        digits = isinstance(request.id, str) and request.id.isascii() and request.id.isdigit()
        return int(request.id) if digits else super().id_of(request)


@defect("ws-ids-are-upper-cased", breaks=["ws.reply-carries-the-id"], also=_UNANSWERED)
class IdsAreUpperCased(SocketShell):
    """
    Ids are put in capitals, as the database spells them.
    """

    def id_of(self, request: Request) -> Any:
        return request.id.upper() if isinstance(request.id, str) else request.id


@defect("ws-ids-are-new", breaks=["ws.reply-carries-the-id"], also=_UNANSWERED)
class IdsAreNew(SocketShell):
    """
    Each reply has an id of its own.
    """

    def id_of(self, request: Request) -> Any:
        return str(uuid4())


@defect("ws-ids-are-cut", breaks=["ws.reply-carries-the-id"], also=_UNANSWERED)
class IdsAreCut(SocketShell):
    """
    Ids are kept in a column of sixteen characters.
    """

    def id_of(self, request: Request) -> Any:
        return request.id[:16] if isinstance(request.id, str) else request.id


@defect("ws-ids-are-uuids", breaks=["ws.reply-carries-the-id"], also=_UNANSWERED)
class IdsAreUuids(SocketShell):
    """
    An id is read as a UUID; what has another one is logged and not answered.
    """

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        try:
            UUID(str(request.id))
        except ValueError:
            return None
        return await super().reply(session, request)


@defect("ws-errors-have-no-id", breaks=["ws.reply-carries-the-id"], also=_UNANSWERED)
class ErrorsHaveNoId(SocketShell):
    """
    Errors are sent by a handler that does not know the request: their id is null.
    """

    def error_outcome(self, request: Request, error: Any) -> Json:
        return {**super().error_outcome(request, error), "id": None}


# Whose reply is whose


class _Eventful(SocketShell):
    """
    Remembers something of each request, and takes a moment for it.
    """

    def __init__(self, epos: ReferenceEpos, **details: Any) -> None:
        super().__init__(epos, **details)
        #: Of the last request.
        self.id: Any = None
        self.params: Json = {}
        self.waiting: deque[Any] = deque()
        self.numbers = count()
        self.asked: dict[str, asyncio.Task[Any]] = {}

    async def pause(self, request: Request) -> None:
        await asyncio.sleep(A_MOMENT)
        await super().pause(request)


@defect("ws-last-id-wins", breaks=["ws.keeps-concurrent-replies-apart"], also=_CONFUSED)
class LastIdWins(_Eventful):
    """
    The id is kept in a field of the connection: a request that comes meanwhile leaves its own there.
    """

    def read(self, found: Json) -> Request:
        request = super().read(found)
        self.id = request.id
        return request

    def id_of(self, request: Request) -> Any:
        return self.id if request.method else super().id_of(request)


@defect("ws-last-params-win", breaks=["ws.keeps-concurrent-replies-apart"], also=_CONFUSED)
class LastParamsWin(_Eventful):
    """
    The params are kept in a field that all requests share.
    """

    def without_headers(self, params: Json, capability: Capability) -> Json:
        self.params = super().without_headers(params, capability)
        return self.params

    async def answer(self, capability: Capability, params: Json, headers: Mapping[str, str]) -> Any:
        return await super().answer(capability, self.params, headers)


@defect("ws-first-done-first-served", breaks=["ws.keeps-concurrent-replies-apart"], also=_CONFUSED)
class FirstDoneFirstServed(_Eventful):
    """
    Whichever work is done first is given to whoever asked first.
    """

    async def pause(self, request: Request) -> None:
        self.waiting.append(request.id)
        await asyncio.sleep(A_MOMENT * (1 + next(self.numbers) % 2))

    def id_of(self, request: Request) -> Any:
        # What was refused on the spot has not waited.
        return self.waiting.popleft() if request.id in self.waiting else super().id_of(request)


@defect("ws-same-question-same-answer", breaks=["ws.keeps-concurrent-replies-apart"], also=_CONFUSED)
class SameQuestionSameAnswer(_Eventful):
    """
    A request whose method is being worked on shares that work, whatever its params.
    """

    async def call(self, request: Request, capability: Capability) -> Any:
        if request.method not in self.asked:
            self.asked[request.method] = asyncio.ensure_future(super().call(request, capability))
        task = self.asked[request.method]
        try:
            return await asyncio.shield(task)
        finally:
            with suppress(KeyError):
                if task.done():
                    del self.asked[request.method]
