"""
The end of the session that is ours: calls matched to replies by id, over whichever connection the EPOS holds.

Everything here runs in one event loop. A request of a `Line` is an operation: ``{"op": name, …}``, plain JSON values in
and out, so that it is the same from this process and from another.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close
from websockets.protocol import State

from epos_conformance.websocket import messages
from epos_conformance.websocket.evidence import UNASKED, UNMATCHED, UNREAD, UNREADABLE, Evidence, Opened
from epos_conformance.websocket.outcomes import ASTRAY, AWAY, BROKEN, DROPPED, TIMEOUT
from epos_conformance.websocket.turns import Turns


#: Seconds for which two sessions are both alive before they count as two at a time.
_TOGETHER = 1.0

#: More at the same time are refused.
MOST_SESSIONS = 10

#: Seconds between two looks at whether a connection is being closed, and for the EPOS to hang up then.
_LOOK, _GOODBYE = 0.25, 2.0

#: Seconds in which a close has to come through.
_CLOSING = 3.0

#: Close codes: what came can't be taken.
_BAD_FRAME, _NO_TEXT, _TOO_BIG = 1002, 1007, 1009


class Lost(Exception):
    """
    A call that brings no reply: *kind* and what to say of it.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(eq=False, slots=True)
class Session:
    """
    A connection with the EPOS.
    """

    socket: Connection
    record: Opened
    #: Calls in flight on it, and the methods they are of.
    waiting: dict[str, asyncio.Future[str]] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    #: When the latest reply to one of them came, by the loop's clock.
    latest: float = 0.0


class _Burst:
    """
    Requests that are to arrive together: where the system can do so, it holds them back until the last one is written.
    """

    def __init__(self, session: Session | None, ids: list[str]) -> None:
        self.count = len(ids)
        self._unwritten = set(ids)
        self._session = session if self.count > 1 else None

    def written(self, id: str) -> None:
        """The request *id* is on its way, or never will be."""
        self._unwritten.discard(id)
        if not self._unwritten:
            self._hold(0)

    def __enter__(self) -> Self:
        self._hold(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._hold(0)

    def _hold(self, on: int) -> None:
        # Linux alone knows the option; elsewhere they follow each other closely.
        if self._session is not None and hasattr(socket, "TCP_CORK"):
            found = self._session.socket.transport.get_extra_info("socket")
            with contextlib.suppress(OSError, AttributeError):  # it is closed
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, on)


class Hub:
    """
    Sessions, calls in flight, evidence, turns.

    *away* is how many seconds a call waits for an EPOS that isn't there, counted from when it left; *most* is the
    number of bytes that a reply may have.
    """

    def __init__(self, *, away: float, most: int) -> None:
        self.away = away
        self.most = most
        self.evidence = Evidence()
        self.turns = Turns()
        self.sessions: list[Session] = []
        self._changed = asyncio.Condition()
        self._left_at = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        #: Frames sent that may be answered without an id: what can't be read has none.
        self._unreadable = 0
        self._pings = itertools.count(1)

    # Sessions

    async def serve(self, socket: Connection) -> None:
        """
        Take part in the session on *socket* until it ends.
        """
        session = Session(socket, self.evidence.opening(_peer(socket)))
        for older in self.sessions:
            task = asyncio.create_task(self._compare(older, session))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.sessions.append(session)
        await self._tell()
        watching = asyncio.create_task(_hang_up(socket))
        try:
            async for frame in socket:
                self._take(session, frame)
        except ConnectionClosed:
            pass
        finally:
            watching.cancel()
            self._end(session)
            await self._tell()

    def _end(self, session: Session) -> None:
        self.sessions.remove(session)
        self._left_at = time.monotonic()
        record, socket = session.record, session.socket
        record.closed = time.time()
        record.code, record.reason = socket.close_code, socket.close_reason or ""
        lost = Lost(
            DROPPED, f"the session was closed (code {record.code}{f', {record.reason!r}' if record.reason else ''})"
        )
        sent = socket.protocol.close_sent
        if sent is not None and not record.ours and (why := self._why_broken(sent)):
            record.ours = sent.code == _TOO_BIG  # a limit of ours, where the others are the protocol's
            lost = Lost(BROKEN, why)
        for each in session.waiting.values():
            if not each.done():
                each.set_exception(lost)

    def _why_broken(self, sent: Close) -> str | None:
        """What was wrong with what came, where that is why we *sent* a close frame."""
        reasons = {
            _BAD_FRAME: f"the EPOS breaks the WebSocket protocol ({sent.reason}); the session was closed (code 1002)",
            _NO_TEXT: "the answer is no UTF-8; the session was closed (code 1007)",
            _TOO_BIG: f"the answer is longer than {self.most} bytes; the session was closed (--max-reply)",
        }
        return reasons.get(sent.code)

    async def _compare(self, older: Session, newer: Session) -> None:
        """Find out whether the EPOS holds two sessions, or left one behind that it has lost."""
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(_TOGETHER):
                await (await older.socket.ping())
            await asyncio.sleep(_TOGETHER / 2)
            if older in self.sessions and newer in self.sessions:
                self.evidence.overlaps.append((older.record.number, newer.record.number))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _session(self, after: int, until: float) -> Session | None:
        """The newest session if it is newer than number *after*, waited for until *until* by the monotonic clock."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - time.monotonic())), self._changed:
                await self._changed.wait_for(lambda: (new := self._newest()) is not None and new.record.number > after)
        found = self._newest()
        return found if found is not None and found.record.number > after else None

    def _newest(self) -> Session | None:
        """Of the sessions that can be used: one that is being closed has nothing more to say."""
        return next((each for each in reversed(self.sessions) if each.socket.state is State.OPEN), None)

    def _patience(self) -> float:
        """Until when an EPOS that isn't there is waited for."""
        return (time.monotonic() if self.sessions else self._left_at) + self.away

    # Frames

    def _take(self, session: Session, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else frame.decode("utf-8", "backslashreplace")
        message = messages.read(text)
        number = session.record.number
        if not isinstance(message, dict):
            self.evidence.stray(number, text, None, UNREADABLE)
            return
        id = message.get("id")
        wanted = messages.answered(id, session.waiting)
        if wanted is not None:
            session.latest = asyncio.get_running_loop().time()
            self.evidence.reply(wanted, session.methods[wanted], text, message)
            self.evidence.ended(wanted, answered=True)  # at once: the next frame may be the same
            session.waiting.pop(wanted).set_result(text)
            return
        if not messages.is_reply(message):
            self.evidence.stray(number, text, None, UNASKED)
            return
        known = self.evidence.was_sent(id) or self._asked_elsewhere(id)
        if known is None and self._unreadable and "result" not in message:
            self._unreadable -= 1
            self.evidence.stray(number, text, None, UNREAD)
            return
        self.evidence.stray(number, text, known, UNMATCHED)
        if known is None and len(session.waiting) == 1 and _answers(message):
            # Nothing else was asked: it can only be the answer to this.
            ((asked, future),) = session.waiting.items()
            del session.waiting[asked]
            self.evidence.reply(asked, session.methods[asked], text, message)
            told = "no id" if id is None else "another id than its request"
            future.set_exception(Lost(ASTRAY, f"the reply carries {told}"))

    def _asked_elsewhere(self, id: Any) -> str | None:
        """The id of the call that is in flight on another session and that a reply with *id* is for."""
        return next((found for each in self.sessions if (found := messages.answered(id, each.waiting))), None)

    # Operations

    async def do(self, owner: Hashable, operation: Mapping[str, Any]) -> Any:
        """
        Carry out the *operation* that *owner* asks for: to ``take`` or ``drop`` a turn, or one of those below.
        """
        match dict(operation):
            case {"op": "take", "mode": mode}:
                return await self.turns.take(owner, mode)
            case {"op": "drop"}:
                return self.turns.drop(owner)
            case {"op": name, **given}:
                return await getattr(self, f"do_{name}")(**given)

    async def do_call(self, calls: list[dict[str, Any]], limit: float) -> list[dict[str, Any]]:
        """
        Send requests back to back, and wait *limit* seconds for the replies; of several, for each from the one before.

        A call is ``{id, method, text, again}``: the frame's text, or a list of fragments; *again* allows it to be sent
        a second time after the session was lost. Answers for each ``{reply, failure: [kind, text], took, session,
        notes}``.
        """
        with _Burst(self._newest(), [each["id"] for each in calls]) as burst:
            found = await asyncio.gather(*(self._call(limit, burst, **each) for each in calls))
        return list(found)

    async def _call(
        self, limit: float, burst: _Burst, id: str, method: str, text: str | list[str], *, again: bool
    ) -> dict[str, Any]:
        notes: list[str] = []
        while True:
            started = time.perf_counter()
            told: dict[str, Any] = {"reply": None, "failure": None, "took": 0.0, "session": 0, "notes": notes}
            session = await self._session(0, self._patience())
            if session is None:
                told["failure"] = [AWAY, f"the EPOS holds no session, and dialled none for {self.away:g} s"]
                return told
            told["session"] = session.record.number
            if notes:
                started = time.perf_counter()
            try:
                session.methods[id] = method
                told["reply"] = await self._ask(session, id, text, limit, burst)
            except Lost as lost:
                if lost.kind == DROPPED and again:
                    again = False
                    notes.append(f"{lost}; sent again on the next one")
                    continue
                told["failure"] = [lost.kind, str(lost)]
            finally:
                # Also where nobody waits any more, because a worker died: the reply may still come.
                self.evidence.ended(id, answered=told["reply"] is not None)
            told["took"] = time.perf_counter() - started
            return told

    async def _ask(self, session: Session, id: str, text: str | list[str], limit: float, burst: _Burst) -> str:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        session.waiting[id] = future
        before = self.evidence.counts[UNMATCHED]
        sent = loop.time()
        try:
            try:
                async with asyncio.timeout(limit):
                    await session.socket.send(text)
            finally:
                burst.written(id)
            until = sent + limit
            while True:
                done, _ = await asyncio.wait([future], timeout=until - loop.time())
                if done:
                    return future.result()
                # A till that answers one at a time has a queue: time counts from what it answered last.
                later = min(session.latest, sent + limit * (burst.count - 1)) + limit
                if later <= until:
                    break
                until = later
        except TimeoutError:
            raise Lost(TIMEOUT, f"the EPOS doesn't take the request within {limit:g} s") from None
        except ConnectionClosed as error:
            if future.done():
                return future.result()
            raise Lost(DROPPED, f"the session was closed ({error})") from None
        finally:
            session.waiting.pop(id, None)
            session.methods.pop(id, None)
            if future.done() and not future.cancelled():
                future.exception()  # seen, whether or not anybody asked
        astray = self.evidence.counts[UNMATCHED] - before
        hint = f"; {astray} replies came in the meantime that carry no id of ours" if astray else ""
        raise Lost(TIMEOUT, f"no answer within {limit:g} s{hint}")

    async def do_send(self, text: str | list[str], limit: float) -> int:
        """Send a frame that nobody waits for an answer to; the number of its session, 0 where there is none."""
        session = await self._session(0, self._patience())
        if session is None:
            return 0
        self._unreadable += 1
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(limit):
                await session.socket.send(text)
        return session.record.number

    async def do_ping(self, data: str, limit: float) -> dict[str, Any]:
        """Ping the EPOS: ``{answered, took, session}``."""
        session = await self._session(0, self._patience())
        if session is None:
            return {"answered": False, "took": 0.0, "session": 0}
        started, answered = time.perf_counter(), True
        try:
            async with asyncio.timeout(limit):
                # No two pings may be the same while the first waits for its pong.
                await (await session.socket.ping(f"{data} {next(self._pings)}"))
        except (ConnectionClosed, TimeoutError):
            answered = False
        return {"answered": answered, "took": time.perf_counter() - started, "session": session.record.number}

    async def do_close(self, code: int | None) -> int:
        """
        End every session with *code*, or by dropping its connection where that is None; the number of the last one.
        """
        # What is dialled from now on, perhaps before the last one has ended, is newer.
        last, closing = self.evidence.counts["sessions"], list(self.sessions)
        for each in closing:
            each.record.ours = True
        await asyncio.gather(*(_close(each.socket, code) for each in closing))
        async with self._changed:
            await self._changed.wait_for(lambda: not any(each in self.sessions for each in closing))
        return last

    async def do_await(self, after: int, limit: float) -> int:
        """The number of the newest session, once it is above *after*; 0 where that takes more than *limit* seconds."""
        session = await self._session(after, time.monotonic() + limit)
        return session.record.number if session else 0

    async def do_open(self) -> list[int]:
        """The numbers of the sessions that are open."""
        return [each.record.number for each in self.sessions]

    async def do_evidence(self) -> dict[str, Any]:
        """See `Evidence.told`."""
        return self.evidence.told()


async def _hang_up(socket: Connection) -> None:
    """Ends a connection that is being closed: the library waits for the EPOS to hang up, however long that takes."""
    while socket.state is State.OPEN:
        await asyncio.sleep(_LOOK)
    await asyncio.sleep(_GOODBYE)
    socket.transport.abort()


async def _close(socket: Connection, code: int | None) -> None:
    if code is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await socket.close(code)
    # Also where an EPOS that reads nothing doesn't take the frame.
    socket.transport.abort()


def _answers(message: Mapping[str, Any]) -> bool:
    return "result" in message or message.get("error") is not None


def _peer(socket: Connection) -> str:
    address = socket.remote_address
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address or "")
