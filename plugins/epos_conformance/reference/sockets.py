"""
The reference EPOS over WebSocket: it dials out, keeps the session open, and answers what is asked down it.

Each behaviour is one short method, as it is in `rest`; what goes wrong on the wire is a subclass that replaces it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import threading

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from epos_conformance._contracts import Capability, capabilities
from epos_conformance._loops import until_hung_up
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError
from epos_conformance.reference.records import Json
from epos_conformance.reference.rest import HEADERS, number, refused
from epos_conformance.reference.server import PATIENCE, Running


log = logging.getLogger(__name__)

#: A text or a binary message.
Message = str | bytes

#: A key that no Dojo account has.
KEY = "sk_sandbox_reference"

SOFTWARE_HOUSE = "reference-software-house"

RESELLER = "reference-reseller"

#: Seconds before the first and between later attempts to dial again.
FIRST_WAIT, LONGEST_WAIT = 0.05, 2.0

#: JSON-RPC's own codes.
NOT_JSON, NO_REQUEST, UNKNOWN_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What came in one message.
    """

    #: None where there is none that a reply could carry.
    id: Any
    #: Empty where the message is no request.
    method: str
    #: As sent: an object with ``headers`` in it, if it is one at all; None where there are none.
    params: Any
    #: The whole message.
    document: Any


class ProtocolFault(EposError):
    """
    A message that JSON-RPC has a code for.
    """

    def __init__(self, code: int, debug_message: str) -> None:
        super().__init__("InvalidRequest", debug_message)
        self.code = code


@cache
def methods() -> Mapping[str, Capability]:
    """The capabilities by the methods that call them."""
    return {each.ws_method: each for each in capabilities().values()}


class SocketShell:
    """
    Dialling, messages and envelopes; everything else is the EPOS's.
    """

    #: What the library makes of a connection.
    connection: type[ClientConnection] = ClientConnection

    def __init__(
        self,
        epos: ReferenceEpos,
        *,
        url: str,
        key: str = KEY,
        software_house_id: str = SOFTWARE_HOUSE,
        reseller_id: str = RESELLER,
        ssl: ssl.SSLContext | None = None,
    ) -> None:
        self.epos = epos
        self.url = url
        self.key = key
        self.software_house_id = software_house_id
        self.reseller_id = reseller_id
        self.ssl = ssl
        #: Told what becomes of the session, in a line each.
        self.say: Callable[[str], None] = lambda _: None
        self.tasks: set[asyncio.Task[Any]] = set()
        self._trouble = ""

    # -- the session ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keeps a session open until cancelled."""
        try:
            await self.keep_dialling()
        finally:
            for each in self.tasks:
                each.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def keep_dialling(self) -> None:
        """One session after the other."""
        failures = 0
        while True:
            try:
                session = await self.dial()
            except (OSError, InvalidHandshake) as reason:
                self.cannot_dial(reason)
            else:
                self.opened(session)
                if await self.attend(session):
                    failures = 0
                self.ended(session)
                if not self.dials_again_after(session):
                    await asyncio.Event().wait()
            await asyncio.sleep(self.wait_before_dialling(failures))
            failures += 1

    async def dial(self) -> ClientConnection:
        """A new session; raises `OSError` or `InvalidHandshake`."""
        return await connect(self.address(), **self.options())

    def address(self) -> str:
        """Where the gateway is."""
        return self.url

    def options(self) -> dict[str, Any]:
        """What the library is told about a connection."""
        found: dict[str, Any] = {
            "additional_headers": self.handshake_headers(),
            "user_agent_header": "reference EPOS",
            "create_connection": self.connection,
            "proxy": None,
            "max_size": 2**25,
            "close_timeout": 0.5,
        }
        return found if self.ssl is None else {**found, "ssl": self.ssl}

    def handshake_headers(self) -> dict[str, str]:
        """The headers that we introduce ourselves with."""
        return {
            "Authorization": self.authorization(),
            "software-house-id": self.software_house_id,
            "reseller-id": self.reseller_id,
        }

    def authorization(self) -> str:
        """The word Basic and the key as it is; base64 is not asked for."""
        return f"Basic {self.key}"

    def wait_before_dialling(self, failures: int) -> float:
        """Seconds until the next attempt, after so many in a row that led to nothing."""
        return min(FIRST_WAIT * (1 << min(failures, 10)), LONGEST_WAIT)

    def dials_again_after(self, session: ClientConnection) -> bool:
        """Whether the end of *session* is followed by another."""
        return True

    async def attend(self, session: ClientConnection) -> bool:
        """Answers what comes until *session* ends; tells whether anything came."""
        company = asyncio.ensure_future(self.accompany(session))
        worked = False
        try:
            async for message in self.messages(session):
                worked = True
                self.take(session, message)
        finally:
            company.cancel()
            await self.leave(session)
        return worked

    async def accompany(self, session: ClientConnection) -> None:
        """What the EPOS does by itself while *session* lasts: nothing."""

    async def leave(self, session: ClientConnection) -> None:
        """Closes *session*, if it is not closed already."""
        await session.close(1001, "the till is switched off")

    async def messages(self, session: ClientConnection) -> AsyncIterator[Message]:
        """The messages of *session* until it ends."""
        with suppress(ConnectionClosed):
            while True:
                yield await session.recv()

    def take(self, session: ClientConnection, message: Message) -> None:
        """Answers *message* in a task of its own: nobody waits for anybody."""
        self.begin(self.respond(session, message))

    def begin(self, work: Any) -> None:
        """Does *work*, a coroutine, beside everything else."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def respond(self, session: ClientConnection, message: Message) -> None:
        """Sends the reply to *message*, where there is one."""
        reply = await self.reply_to(session, message)
        if reply is not None:
            await self.send(session, reply)

    async def send(self, session: ClientConnection, reply: Json) -> None:
        """Puts *reply* on the wire; who has hung up meanwhile goes without."""
        with suppress(ConnectionClosed):
            await self.transmit(session, self.dumps(reply))

    async def transmit(self, session: ClientConnection, text: str) -> None:
        """Sends *text* as one message."""
        await session.send(text)

    # -- requests -------------------------------------------------------------------------------------------------

    async def reply_to(self, session: ClientConnection, message: Message) -> Json | None:
        """The reply to *message*, whatever it holds."""
        try:
            found = self.loads(message)
        except (ValueError, RecursionError) as reason:
            return await self.not_json(session, reason)
        if not self.is_request(found):
            return await self.no_request(session, found)
        return await self.reply(session, self.read(found))

    def loads(self, message: Message) -> Any:
        """The JSON value of *message*; 5.0 is the integer it equals, and NaN is none."""
        return json.loads(message, parse_float=number, parse_constant=refused)

    def is_request(self, found: Any) -> bool:
        """Whether *found* asks for something."""
        return isinstance(found, dict) and isinstance(found.get("method"), str) and self.is_id(found.get("id"))

    def is_id(self, id: Any) -> bool:
        """Whether a reply can carry *id*: the contract has texts."""
        return isinstance(id, str)

    def read(self, found: Json) -> Request:
        """The request that *found* is."""
        return Request(id=found["id"], method=found["method"], params=found.get("params"), document=found)

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        """The reply to *request*."""
        try:
            capability = methods().get(request.method)
            if capability is None:
                return await self.unknown_method(session, request)
            if capability.name not in self.epos.offered():
                return await self.not_offered(session, request)
            return self.success(request, capability, await self.call(request, capability))
        except EposError as error:
            return self.failure(request, error)
        except Exception as reason:
            log.exception("%s failed", request.method)
            return self.crash(request, reason)

    async def call(self, request: Request, capability: Capability) -> Any:
        """The result of *capability*."""
        given = self.params_of(request)
        headers = self.headers_of(request, given)
        params = self.without_headers(given, capability)
        await self.pause(request)
        return await self.answer(capability, params, headers)

    def params_of(self, request: Request) -> Json:
        """The params of *request*; none will do where nothing is required."""
        if "params" not in request.document:
            return {}
        if not isinstance(request.params, dict):
            raise ProtocolFault(BAD_PARAMS, "params is not a JSON object")
        return request.params

    def headers_of(self, request: Request, params: Json) -> dict[str, str]:
        """Those of Dojo's headers that were sent."""
        given = params.get("headers")
        if not isinstance(given, dict):
            return {}
        return {name: given[name] for name in HEADERS.values() if isinstance(given.get(name), str)}

    def without_headers(self, params: Json, capability: Capability) -> Json:
        """The business members of *params*, and the ids by the names that REST has for them."""
        names = {"headers"} | {name for each in capability.ids for name in (each.name, each.ws)}
        members = {name: value for name, value in params.items() if name not in names}
        return {**members, **{each.name: params[each.ws] for each in capability.ids if each.ws in params}}

    async def pause(self, request: Request) -> None:
        """The work that *request* takes elsewhere: none."""

    async def answer(self, capability: Capability, params: Json, headers: Mapping[str, str]) -> Any:
        """What the EPOS answers; in a thread of its own where it may have to wait."""
        if self.epos.in_threads:
            return await asyncio.to_thread(self.epos.answer, capability.name, params, headers)
        return self.epos.answer(capability.name, params, headers)

    # -- replies --------------------------------------------------------------------------------------------------

    def success(self, request: Request, capability: Capability, result: Any) -> Json | None:
        """The reply to a call that went well."""
        return self.envelope(request, self.outcome(request, capability, result))

    def outcome(self, request: Request, capability: Capability, result: Any) -> Json:
        """What a reply holds of a *result*."""
        return {"result": result}

    def failure(self, request: Request, error: EposError) -> Json | None:
        """The reply to a call that was refused."""
        return self.envelope(request, self.error_outcome(request, self.error_body(error)))

    def error_outcome(self, request: Request, error: Any) -> Json:
        """What a reply holds of an *error*."""
        return {"error": error}

    def error_body(self, error: EposError) -> Any:
        """*error* as it travels: an EPOSError, with JSON-RPC's code where it has one."""
        body = self.epos.error_body(error)
        if isinstance(error, ProtocolFault) and isinstance(body, dict):
            return {**body, "code": error.code, "message": error.debug_message}
        return body

    def crash(self, request: Request, reason: Exception) -> Json | None:
        """The reply to a call that an error of ours ended."""
        return self.failure(request, EposError("UnexpectedError", f"{type(reason).__name__} in the till"))

    def envelope(self, request: Request, outcome: Json) -> Json:
        """The reply to *request* around its *outcome*."""
        return {"id": self.id_of(request), **self.version(), **self.method_of(request), **outcome}

    def id_of(self, request: Request) -> Any:
        """The id that the reply to *request* carries."""
        return request.id

    def version(self) -> Json:
        """The member that tells the version of JSON-RPC."""
        return {"jsonrpc": "2.0"}

    def method_of(self, request: Request) -> Json:
        """The member that tells what was asked."""
        return {"method": request.method} if request.method else {}

    def dumps(self, reply: Json) -> str:
        """*reply* as text."""
        return json.dumps(reply, ensure_ascii=False, separators=(",", ":"))

    # -- what is no call ------------------------------------------------------------------------------------------

    async def not_json(self, session: ClientConnection, reason: Exception) -> Json | None:
        """The reply to a message that is not JSON."""
        nothing = Request(id=None, method="", params=None, document=None)
        return self.failure(nothing, ProtocolFault(NOT_JSON, f"the message is not JSON: {reason}"))

    async def no_request(self, session: ClientConnection, found: Any) -> Json | None:
        """The reply to JSON that is no request, under its id if it has one."""
        id = found.get("id") if isinstance(found, dict) else None
        odd = Request(id=id if isinstance(id, (str, int)) else None, method="", params=None, document=found)
        return self.failure(odd, ProtocolFault(NO_REQUEST, "the message is not a request"))

    async def unknown_method(self, session: ClientConnection, request: Request) -> Json | None:
        """The reply to a method that nobody has."""
        return self.failure(request, ProtocolFault(UNKNOWN_METHOD, f"there is no method {request.method!r}"))

    async def not_offered(self, session: ClientConnection, request: Request) -> Json | None:
        """The reply to a capability that others have."""
        return self.failure(request, ProtocolFault(UNKNOWN_METHOD, f"{request.method} is not offered"))

    # -- what is told ---------------------------------------------------------------------------------------------

    def opened(self, session: ClientConnection) -> None:
        self._trouble = ""
        self.say(f"reference EPOS: session with {self.url}")

    def ended(self, session: ClientConnection) -> None:
        told = f" {session.close_reason}" if session.close_reason else ""
        self.say(f"reference EPOS: session ended ({session.close_code}{told})")

    def cannot_dial(self, reason: Exception) -> None:
        """Tells why, once for each reason."""
        line = f"reference EPOS: cannot dial {self.url}: {_in_words(reason)}"
        if line != self._trouble:
            self._trouble = line
            self.say(line)


def _in_words(reason: Exception) -> str:
    """Why there is no session."""
    if isinstance(reason, InvalidStatus):
        text = " ".join(bytes(reason.response.body or b"").decode(errors="replace").split())
        return f"HTTP {reason.response.status_code} {text[:300]}".strip()
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"certificate refused: {reason.verify_message}"
    # Where a name has several addresses, asyncio tells them all in one OSError without a number.
    if isinstance(reason, ConnectionRefusedError) or "Connect call failed" in str(reason):
        return "connection refused"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def in_thread(shell: SocketShell) -> Running:
    """
    Runs *shell* in a thread of its own, with a loop of its own, until it is stopped.
    """
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []

    async def main() -> None:
        loops.append((asyncio.get_running_loop(), asyncio.ensure_future(shell.run())))
        ready.set()
        with suppress(asyncio.CancelledError):
            await loops[0][1]

    thread = threading.Thread(target=lambda: asyncio.run(until_hung_up(main())), name="dialling EPOS", daemon=True)

    def stop() -> None:
        loop, task = loops[0]
        # A loop that has ended by itself is closed.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
        thread.join(PATIENCE)

    thread.start()
    ready.wait(PATIENCE)
    return Running(shell.url, shell.key, stop)
