"""
Mistakes below the requests: with frames, sizes, text that is no request, and pings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import Message, SocketShell


_FRAGMENTS = "ws.takes-a-request-in-fragments"
_BIG = "ws.takes-a-big-request"
_NOT_JSON = "ws.survives-a-frame-that-is-not-json"
_NO_REQUEST = "ws.survives-json-that-is-not-a-request"
_PING = "ws.answers-a-ping"

#: Other rules about requests that are large.
_LARGE = ["ws.*", "*unusual*", "*control-characters*"]

#: A session that ends or goes deaf is seen by whoever comes next.
_ENDED = ["ws.*"]


# Fragments


class _FrameByFrame(SocketShell):
    """
    Reads frames, which are parts of messages.
    """

    async def parts(self, session: ClientConnection) -> list[Message]:
        """The frames of the next message."""
        return [each async for each in session.recv_streaming()]


@defect("ws-frames-are-messages", breaks=[_FRAGMENTS], also=_ENDED)
class FramesAreMessages(_FrameByFrame):
    """
    Each frame is taken for a whole message.
    """

    async def messages(self, session: ClientConnection) -> AsyncIterator[Message]:
        with suppress(ConnectionClosed):
            while True:
                for each in await self.parts(session):
                    yield each


@defect("ws-first-frame-only", breaks=[_FRAGMENTS], also=_ENDED)
class FirstFrameOnly(_FrameByFrame):
    """
    The first frame is taken for the message, and what follows is not looked at.
    """

    async def messages(self, session: ClientConnection) -> AsyncIterator[Message]:
        with suppress(ConnectionClosed):
            while True:
                yield (await self.parts(session))[0]


@defect("ws-fragments-end-the-session", breaks=[_FRAGMENTS], also=_ENDED)
class FragmentsEndTheSession(_FrameByFrame):
    """
    A message in several frames ends the session: the library was told to expect none.
    """

    async def messages(self, session: ClientConnection) -> AsyncIterator[Message]:
        with suppress(ConnectionClosed):
            while True:
                found = await self.parts(session)
                if len(found) > 1:
                    await session.close(1003, "fragments are not supported")
                yield found[0]


# Size


@defect("ws-buffer-of-8-kilobytes", breaks=[_BIG], also=_LARGE)
class BufferOf8Kilobytes(SocketShell):
    """
    Messages are read into a buffer of 8 KiB, once: what does not fit is cut off.
    """

    def loads(self, message: Message) -> Any:
        return super().loads(message[:8192])


@defect("ws-messages-up-to-64-kilobytes", breaks=[_BIG], also=_LARGE)
class MessagesUpTo64Kilobytes(SocketShell):
    """
    A message above 64 KiB ends the session, as the library does unless it is told otherwise.
    """

    def options(self) -> dict[str, Any]:
        return {**super().options(), "max_size": 65536}


@defect("ws-big-requests-are-ignored", breaks=[_BIG], also=_LARGE)
class BigRequestsAreIgnored(SocketShell):
    """
    A message above 32 KiB is thrown away.
    """

    def take(self, session: ClientConnection, message: Message) -> None:
        if len(message) <= 32768:
            super().take(session, message)


# What is no request


class _Fragile(SocketShell):
    """
    Can be put out of its stride for the rest of a session.
    """

    def __init__(self, epos: ReferenceEpos, **details: Any) -> None:
        super().__init__(epos, **details)
        self.deaf: WeakSet[ClientConnection] = WeakSet()

    def take(self, session: ClientConnection, message: Message) -> None:
        if session not in self.deaf:
            super().take(session, message)


@defect("ws-bad-json-ends-the-session", breaks=[_NOT_JSON], also=_ENDED)
class BadJsonEndsTheSession(SocketShell):
    """
    A frame that is not JSON ends the session: the exception leaves the loop that reads.
    """

    async def not_json(self, session: ClientConnection, reason: Exception) -> Json | None:
        await session.close(1011, "internal error")
        return None


@defect("ws-bad-json-is-answered-and-ends-the-session", breaks=[_NOT_JSON], also=_ENDED)
class BadJsonIsAnsweredAndEndsTheSession(SocketShell):
    """
    A frame that is not JSON is answered with an error, and then the session is closed.
    """

    async def not_json(self, session: ClientConnection, reason: Exception) -> Json | None:
        reply = await super().not_json(session, reason)
        if reply is not None:
            await self.send(session, reply)
        await session.close(1007, "invalid payload")
        return None


@defect("ws-bad-json-stops-the-reading", breaks=[_NOT_JSON], also=_ENDED)
class BadJsonStopsTheReading(_Fragile):
    """
    A frame that is not JSON ends the task that reads; the session stays open, and nobody listens.
    """

    async def not_json(self, session: ClientConnection, reason: Exception) -> Json | None:
        self.deaf.add(session)
        return None


@defect("ws-arrays-and-numbers-end-the-session", breaks=[_NO_REQUEST], also=_ENDED)
class ArraysAndNumbersEndTheSession(SocketShell):
    """
    JSON that is no object cannot be cast to a request, and ends the session.
    """

    async def no_request(self, session: ClientConnection, found: Any) -> Json | None:
        if isinstance(found, dict):
            return await super().no_request(session, found)
        await session.close(1011, "invalid cast")
        return None


@defect("ws-no-method-ends-the-session", breaks=[_NO_REQUEST], also=_ENDED)
class NoMethodEndsTheSession(SocketShell):
    """
    An object without a method ends the session: null has no name to look up.
    """

    async def no_request(self, session: ClientConnection, found: Any) -> Json | None:
        if not isinstance(found, dict) or found.get("method") is not None:
            return await super().no_request(session, found)
        await session.close(1011, "object reference not set to an instance")
        return None


@defect("ws-what-is-no-request-stops-the-reading", breaks=[_NO_REQUEST], also=_ENDED)
class WhatIsNoRequestStopsTheReading(_Fragile):
    """
    JSON that is no request ends the task that reads; the session stays open, and nobody listens.
    """

    async def no_request(self, session: ClientConnection, found: Any) -> Json | None:
        self.deaf.add(session)
        return None


# Pings


class _OwnPongs(ClientConnection):
    """
    A connection whose pongs are `pong_for` their pings.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        send = self.protocol.send_frame

        def send_other(frame: Frame) -> None:
            other = self.pong_for(frame) if frame.opcode is Opcode.PONG else frame
            if other is not None:
                send(other)

        self.protocol.send_frame = send_other  # type: ignore[method-assign]

    def pong_for(self, pong: Frame) -> Frame | None:
        """What is sent in place of *pong*: nothing."""
        return None


class _EmptyPongs(_OwnPongs):
    def pong_for(self, pong: Frame) -> Frame | None:
        return Frame(Opcode.PONG, b"")


class _TextPongs(_OwnPongs):
    def pong_for(self, pong: Frame) -> Frame | None:
        return Frame(Opcode.PONG, b"pong")


@defect("ws-pings-are-ignored", breaks=[_PING], also=_ENDED)
class PingsAreIgnored(SocketShell):
    """
    Pings are not answered.
    """

    connection = _OwnPongs


@defect("ws-pongs-are-empty", breaks=[_PING], also=_ENDED)
class PongsAreEmpty(SocketShell):
    """
    A ping is answered with an empty pong.
    """

    connection = _EmptyPongs


@defect("ws-pongs-say-pong", breaks=[_PING], also=_ENDED)
class PongsSayPong(SocketShell):
    """
    A ping is answered with a pong that says so, whatever the ping said.
    """

    connection = _TextPongs
