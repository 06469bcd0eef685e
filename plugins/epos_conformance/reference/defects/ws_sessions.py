"""
Mistakes with the life of a session: when it ends, how many there are, and what comes after.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import Message, SocketShell


_OPEN = "ws.keeps-the-session-open"
_ONE = "ws.keeps-one-session-at-a-time"
_DROPPED = "ws.redials-a-dropped-session"
_GONE = "ws.redials-after-going-away"
_RESTART = "ws.redials-after-a-restart-of-the-service"

#: A session that ends in the middle may take any reply with it.
_CUT_OFF = ["*"]

#: Each names one rule, though some break all three: who stays away after the first can't be seen to after another.
_ALONE = ["ws.*"]

#: Seconds without a request.
IDLE = 0.5

#: Seconds until a session is renewed, and that the old one stays beside the new one.
RENEWAL, OVERLAP = 0.5, 2.5

#: Seconds of a wait that nobody waits for.
TOMORROW = 86400.0


# Ending it


@defect("ws-closes-after-each-answer", breaks=[_OPEN], also=_CUT_OFF)
class ClosesAfterEachAnswer(SocketShell):
    """
    A session is for one request, as with HTTP: it is closed after the answer and dialled again.
    """

    async def send(self, session: ClientConnection, reply: Json) -> None:
        await super().send(session, reply)
        await session.close(1000)


@defect("ws-closes-after-a-few-answers", breaks=[_OPEN], also=_CUT_OFF)
class ClosesAfterAFewAnswers(SocketShell):
    """
    Every third answer closes the session, lest it grow old.
    """

    def __init__(self, epos: ReferenceEpos, **details: Any) -> None:
        super().__init__(epos, **details)
        self.numbers = count(1)

    async def send(self, session: ClientConnection, reply: Json) -> None:
        await super().send(session, reply)
        if next(self.numbers) % 3 == 0:
            await session.close(1000)


@defect("ws-closes-when-idle", breaks=[_OPEN], also=["ws.*"])
class ClosesWhenIdle(SocketShell):
    """
    A session without a request for half a second is closed: somebody meant it for a pool of connections.
    """

    async def messages(self, session: ClientConnection) -> AsyncIterator[Message]:
        with suppress(ConnectionClosed):
            while True:
                try:
                    message = await asyncio.wait_for(session.recv(), IDLE)
                except TimeoutError:
                    await session.close(1000, "idle")
                    return
                yield message


# More than one


@defect("ws-one-session-per-worker", breaks=[_ONE], also=["ws.*"])
class OneSessionPerWorker(SocketShell):
    """
    The service runs with two workers, and each dials.
    """

    async def keep_dialling(self) -> None:
        await asyncio.gather(super().keep_dialling(), super().keep_dialling())


@defect("ws-dials-before-hanging-up", breaks=[_ONE], also=["ws.*"])
class DialsBeforeHangingUp(SocketShell):
    """
    A session is renewed now and then, and the old one is closed some time after the new one is open.
    """

    async def attend(self, session: ClientConnection) -> bool:
        attending = asyncio.ensure_future(super().attend(session))
        self.tasks.add(attending)
        attending.add_done_callback(self.tasks.discard)
        await asyncio.wait([attending], timeout=RENEWAL)
        if not attending.done():
            self.begin(self.retire(session))
        return True

    async def retire(self, session: ClientConnection) -> None:
        await asyncio.sleep(OVERLAP)
        await session.close(1000)


@defect("ws-every-error-dials-again", breaks=[_ONE], also=["ws.*"])
class EveryErrorDialsAgain(SocketShell):
    """
    Every error opens a session more and closes none, up to five.
    """

    def __init__(self, epos: ReferenceEpos, **details: Any) -> None:
        super().__init__(epos, **details)
        self.more = 0

    async def send(self, session: ClientConnection, reply: Json) -> None:
        if "error" in reply and self.more < 5:
            self.more += 1
            self.begin(self.open_another())
        await super().send(session, reply)

    async def open_another(self) -> None:
        try:
            with suppress(OSError, InvalidHandshake):
                await self.attend(await self.dial())
        finally:
            self.more -= 1


# What comes after


@defect("ws-never-dials-again", breaks=[_DROPPED], also=_ALONE)
class NeverDialsAgain(SocketShell):
    """
    The EPOS dials when it starts, and never again.
    """

    def dials_again_after(self, session: ClientConnection) -> bool:
        return False


@defect("ws-dials-again-tomorrow", breaks=[_GONE], also=_ALONE)
class DialsAgainTomorrow(SocketShell):
    """
    A job at night dials again where there is no session.
    """

    def wait_before_dialling(self, failures: int) -> float:
        return TOMORROW


@defect("ws-a-drop-is-the-end", breaks=[_DROPPED], also=_ALONE)
class ADropIsTheEnd(SocketShell):
    """
    The EPOS dials again where it is told that the session ends, but not where the connection breaks.
    """

    def dials_again_after(self, session: ClientConnection) -> bool:
        return session.close_code != 1006


@defect("ws-a-close-is-the-end", breaks=[_GONE], also=_ALONE)
class ACloseIsTheEnd(SocketShell):
    """
    The EPOS dials again where the connection breaks, but not where the session is closed in order.
    """

    def dials_again_after(self, session: ClientConnection) -> bool:
        return session.close_code == 1006


@defect("ws-going-away-is-the-end", breaks=[_GONE], also=_ALONE)
class GoingAwayIsTheEnd(SocketShell):
    """
    The EPOS dials again after errors only, and codes 1000 and 1001 are none.
    """

    def dials_again_after(self, session: ClientConnection) -> bool:
        return session.close_code not in (1000, 1001)


@defect("ws-a-restart-is-the-end", breaks=[_RESTART], also=_ALONE)
class ARestartIsTheEnd(SocketShell):
    """
    The EPOS dials again after the codes that it knows, and 1012 is not among them.
    """

    def dials_again_after(self, session: ClientConnection) -> bool:
        return session.close_code in (1000, 1001, 1006)


@defect("ws-answers-into-the-old-session", breaks=[_RESTART], also=_ALONE)
class AnswersIntoTheOldSession(SocketShell):
    """
    The EPOS dials again, and goes on writing its answers to the session it had first.
    """

    def __init__(self, epos: ReferenceEpos, **details: Any) -> None:
        super().__init__(epos, **details)
        self.first: ClientConnection | None = None

    async def send(self, session: ClientConnection, reply: Json) -> None:
        self.first = self.first or session
        await super().send(self.first, reply)
