"""
The reference EPOS as it dials a gateway: what it says, and what it does when the line goes dead.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
import threading
import time

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import trustme

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response as HttpResponse
from websockets.protocol import State

from epos_conformance import _suite, schema
from epos_conformance._contracts import capabilities
from epos_conformance.reference import cli, launch, sockets
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import build, build_socket
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import SocketShell


FoundT = TypeVar("FoundT")

PLUGINS = Path(_suite.__file__).parents[1]
COMMAND = [sys.executable, "-m", "epos_conformance.reference"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PLUGINS)}

EPOS_ERROR = {"$ref": "urn:epos:common#/$defs/EPOSError"}

FULL = {"waiterId": "w-anna", "dojoRequestingProduct": "PayAtTable", "deviceId": "d-1", "deviceType": "Pax"}


def _unasked(message: Any) -> bool:
    return isinstance(message, dict) and "method" in message and "id" not in message


class Gateway:
    """
    A server that EPOS systems dial: it sends what a test says, and remembers what comes back.
    """

    def __init__(self) -> None:
        self.sessions: list[ServerConnection] = []
        #: Messages of each session.
        self.heard: dict[ServerConnection, list[Any]] = {}
        self.most_at_once = 0
        self.url = ""
        self.context: ssl.SSLContext | None = None
        #: Told instead of a session.
        self.refusal: tuple[HTTPStatus, str] | None = None
        self.attempts: list[float] = []
        #: Seconds to wait for a reply.
        self.patience = 1.0
        self.epos = ReferenceEpos()
        self._number = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Gateway]:
        async with serve(
            self._handle,
            "127.0.0.1",
            0,
            process_request=self._admit,
            ping_interval=None,
            close_timeout=0.5,
            ssl=self.context,
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            self.url = f"wss://localhost:{port}/epos" if self.context else f"ws://127.0.0.1:{port}/epos"
            yield self

    def _admit(self, session: ServerConnection, _request: HttpRequest) -> HttpResponse | None:
        self.attempts.append(time.monotonic())
        if self.refusal is not None:
            return session.respond(*self.refusal)
        return None

    async def _handle(self, session: ServerConnection) -> None:
        self.heard[session] = []
        self.sessions.append(session)
        self.most_at_once = max(self.most_at_once, len(self.live))
        with suppress(ConnectionClosed):
            async for message in session:
                self.heard[session].append(json.loads(message))

    @property
    def live(self) -> list[ServerConnection]:
        return [each for each in self.sessions if each.state is State.OPEN]

    @property
    def session(self) -> ServerConnection:
        """The last one that is open, or that was."""
        return (self.live or self.sessions)[-1]

    @property
    def handshake(self) -> Headers:
        request = self.session.request
        assert request is not None
        return request.headers

    @property
    def messages(self) -> list[Any]:
        """All that was ever heard."""
        return [each for session in self.sessions for each in self.heard[session]]

    def new_id(self) -> str:
        self._number += 1
        return f"request-number-{self._number}-of-this-test"

    async def until(self, is_so: Callable[[], object], seconds: float | None = None) -> bool:
        """Waits until *is_so*; tells whether it came to that."""
        end = time.monotonic() + (self.patience if seconds is None else seconds)
        while not is_so():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.005)
        return True

    async def next_session(self, known: int = 0, seconds: float = 3.0) -> bool:
        """Waits for one session more than *known*."""
        return await self.until(lambda: len(self.sessions) > known and self.live, seconds)

    async def send(self, message: str | bytes | Iterable[str]) -> None:
        with suppress(ConnectionClosed):
            await self.session.send(message)

    async def ask_raw(self, message: str | Iterable[str], count: int = 1) -> list[Any]:
        """What comes after *message*, until there are *count* messages beside those that the EPOS sends unasked."""
        before = len(self.messages)
        await self.send(message)
        await self.until(lambda: len([each for each in self.messages[before:] if not _unasked(each)]) >= count)
        return self.messages[before:]

    def spell(self, method: str, params: Mapping[str, Any] | None, id: str, **members: Any) -> str:
        given = {} if params is None else {"params": params}
        return json.dumps({"id": id, "method": method, "jsonrpc": "2.0", **given, **members})

    async def ask(
        self, method: str, params: Mapping[str, Any] | None = None, id: str | None = None, **members: Any
    ) -> Json | None:
        """The reply under the id of a request; None where there is none in time."""
        id = id or self.new_id()
        await self.send(self.spell(method, params, id, **members))
        await self.until(lambda: self.replies(id))
        found = self.replies(id)
        return found[0] if found else None

    def replies(self, id: object) -> list[Json]:
        return [each for each in self.messages if isinstance(each, dict) and each.get("id") == id]


@asynccontextmanager
async def meeting(
    defects: Iterable[str] = (), variants: Iterable[str] = (), *, layer: type[SocketShell] | None = None, **details: Any
) -> AsyncIterator[Gateway]:
    """A gateway and an EPOS that dials it, in this loop."""
    gateway = Gateway()
    async with gateway.open():
        gateway.epos, _ = build(defects, variants)
        given = {"url": gateway.url, **details}
        shell = layer(gateway.epos, **given) if layer else build_socket(gateway.epos, defects, variants, **given)
        running = asyncio.ensure_future(shell.run())
        try:
            assert await gateway.next_session()
            yield gateway
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def meet(story: Callable[[Gateway], Awaitable[FoundT]], **arguments: Any) -> FoundT:
    """Runs *story* with a gateway that an EPOS has dialled."""

    async def main() -> FoundT:
        async with meeting(**arguments) as gateway:
            return await story(gateway)

    return asyncio.run(main())


def error_of(reply: Json | None) -> str:
    """The errorType of a reply with an error that is an EPOSError through and through."""
    assert reply is not None
    assert set(reply) <= {"id", "jsonrpc", "method", "error"}
    assert reply["jsonrpc"] == "2.0"
    assert schema.problems(EPOS_ERROR, reply["error"]) == []
    assert reply["error"]["debugMessage"]
    return str(reply["error"]["errorType"])


def result_of(reply: Json | None) -> Any:
    assert reply is not None
    assert set(reply) == {"id", "jsonrpc", "method", "result"}, reply
    assert reply["jsonrpc"] == "2.0"
    return reply["result"]


def test_the_handshake() -> None:
    """
    The key travels as it is, with the ids of software house and reseller.
    """

    async def story(gateway: Gateway) -> Headers:
        return gateway.handshake

    headers = meet(story, key="sk_sandbox_abc", software_house_id="house", reseller_id="reseller")

    assert headers["authorization"] == "Basic sk_sandbox_abc"
    assert headers["software-house-id"] == "house"
    assert headers["reseller-id"] == "reseller"


def test_capabilities_are_answered() -> None:
    """
    Params are parted into ids, business members and headers, and what comes back has the shape of the contract.
    """

    async def story(gateway: Gateway) -> None:
        known = capabilities()
        asked: dict[str, Json] = {
            "SearchOrders": {"payableOnly": True, "headers": {}},
            "GetOrderById": {"orderId": "T7/2 é", "headers": FULL},
            "GetOrderBillById": {"orderId": "ord-1005"},
            "CreateOrderLock": {"orderId": "ord-1005", "lockId": "lock-1", "expiry": "2999-01-01T00:00:00Z"},
            "ExtendOrderLock": {"orderId": "ord-1005", "lockId": "lock-1", "expiry": "2999-01-02T00:00:00Z"},
            "DeleteOrderLock": {"orderId": "ord-1005", "lockId": "lock-1"},
            "SearchTables": {"areaId": "area-bar", "cursor": {"limit": 2.0}},
            "ListAreas": {},
            "UpdateParty": {
                "id": "pty-1",
                "dojoPartyId": "dojo-1",
                "status": "Seated",
                "name": "Patel",
                "covers": 3,
                "tableIds": ["tbl-1"],
                "startTime": "2026-01-01T12:00:00Z",
            },
            "DeletePartyById": {"partyId": "pty-2"},
            "DeleteReservationById": {"reservationId": "res-1"},
        }
        for name, params in asked.items():
            result = result_of(await gateway.ask(known[name].ws_method, params))
            assert schema.problems(known[name].response["ws"], result) == [], name
        assert result_of(await gateway.ask("GetOrderByIdV1", {"orderId": "T7/2 é"}))["id"] == "T7/2 é"
        assert result_of(await gateway.ask("GetPartyByIdV1", {"partyId": "pty-1"}))["covers"] == 3
        assert result_of(await gateway.ask("DeletePartyByIdV1", {"partyId": "pty-3"})) == {}
        assert len(result_of(await gateway.ask("ListAreasV1"))) == 3

    meet(story)


def test_refusals_are_epos_errors() -> None:
    """
    What cannot be done is an EPOSError, with JSON-RPC's code where there is one.
    """

    async def story(gateway: Gateway) -> None:
        ask = gateway.ask
        assert error_of(await ask("GetOrderByIdV1", {"orderId": "nobody's"})) == "NotFound"
        assert error_of(await ask("GetOrderByIdV1", {})) == "InvalidRequest"
        assert error_of(await ask("GetOrderByIdV1")) == "InvalidRequest"
        assert error_of(await ask("GetOrderByIdV1", {"orderId": 7})) == "InvalidRequest"
        assert error_of(await ask("UpdatePartyV1", {"partyId": "pty-1", "name": "x"})) == "InvalidRequest"
        assert error_of(await ask("SearchOrdersV1", {"payableOnly": "yes"})) == "InvalidRequest"
        unknown = await ask("NothingV1", {})
        assert error_of(unknown) == "InvalidRequest"
        assert unknown is not None
        assert unknown["error"]["code"] == -32601
        assert unknown["error"]["message"]
        listed = (await gateway.ask_raw('{"id": "7", "jsonrpc": "2.0", "method": "SearchOrdersV1", "params": [1]}'))[0]
        assert error_of(listed) == "InvalidRequest"
        assert listed["error"]["code"] == -32602
        assert (listed["id"], listed["method"]) == ("7", "SearchOrdersV1")

    meet(story)


def test_what_is_not_offered_is_an_error() -> None:
    """
    A capability that this EPOS lacks is refused like a method that nobody has.
    """

    async def story(gateway: Gateway) -> None:
        assert error_of(await gateway.ask("CreateOrderV1", {})) == "InvalidRequest"
        assert isinstance(result_of(await gateway.ask("ListAreasV1")), list)

    meet(story, variants=["three-orders-no-creation"])


def test_a_crash_is_an_unexpected_error() -> None:
    """
    An error of the EPOS's own is told as one, and the session goes on.
    """

    class Crashing(SocketShell):
        async def pause(self, request: sockets.Request) -> None:
            if request.method == "ListAreasV1":
                raise KeyError("area")

    async def story(gateway: Gateway) -> None:
        assert error_of(await gateway.ask("ListAreasV1")) == "UnexpectedError"
        assert result_of(await gateway.ask("SearchTablesV1", {}))

    meet(story, layer=Crashing)


@pytest.mark.parametrize(
    ("message", "id", "code"),
    [
        ("{not json", None, -32700),
        ("", None, -32700),
        ('{"id": "7", "method": "ListAreasV1", "params": NaN}', None, -32700),
        ("[" * 100_000, None, -32700),
        ("[]", None, -32600),
        ("5", None, -32600),
        ("null", None, -32600),
        ('{"id": "7"}', "7", -32600),
        ('{"id": "7", "method": null}', "7", -32600),
        ('{"id": 7, "method": "ListAreasV1"}', 7, -32600),
        ('{"method": "ListAreasV1"}', None, -32600),
    ],
)
def test_what_is_no_request_is_answered(message: str, id: object, code: int) -> None:
    """
    A message that is no request is answered with an error under its id, if it has one, and the session goes on.
    """

    async def story(gateway: Gateway) -> None:
        reply = (await gateway.ask_raw(message))[0]
        assert error_of(reply) == "InvalidRequest"
        assert reply["id"] == id
        assert reply["error"]["code"] == code
        assert result_of(await gateway.ask("ListAreasV1"))
        assert len(gateway.sessions) == 1

    meet(story)


def test_many_at_once() -> None:
    """
    Requests that wait keep nobody waiting: replies come in any order, each under its id.
    """

    class Waiting(SocketShell):
        async def pause(self, request: sockets.Request) -> None:
            await asyncio.sleep(0.3 if request.params["orderId"] == "ord-1005" else 0)

    async def story(gateway: Gateway) -> list[str]:
        orders = ["ord-1005", *list(gateway.epos.orders)[5:45]]
        for each in orders:
            await gateway.send(gateway.spell("GetOrderByIdV1", {"orderId": each}, f"id of {each}"))
        assert await gateway.until(lambda: len(gateway.messages) == len(orders), 5)
        assert all(each["id"] == f"id of {each['result']['id']}" for each in gateway.messages)
        return [each["result"]["id"] for each in gateway.messages]

    assert meet(story, layer=Waiting)[-1] == "ord-1005"


def test_calls_that_race_have_threads() -> None:
    """
    An EPOS whose calls run side by side is given a thread for each, which leaves the session alone.
    """
    seen: set[str] = set()
    both = threading.Barrier(2, timeout=5)

    class SideBySide(ReferenceEpos):
        side_by_side = True

        def answer(self, capability: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
            seen.add(threading.current_thread().name)
            both.wait()
            return super().answer(capability, params, headers)

    async def main() -> None:
        gateway = Gateway()
        async with gateway.open():
            running = asyncio.ensure_future(SocketShell(SideBySide(), url=gateway.url).run())
            assert await gateway.next_session()
            replies = await asyncio.gather(gateway.ask("ListAreasV1"), gateway.ask("ListAreasV1"))
            assert [len(result_of(each)) for each in replies] == [3, 3]
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())

    assert len(seen) == 2


@pytest.mark.parametrize("ending", [1000, 1001, 1012, 1006, 4000])
def test_it_dials_again(ending: int) -> None:
    """
    Whatever ends a session, there is another at once, and it answers.
    """

    async def story(gateway: Gateway) -> None:
        for number in range(1, 4):
            assert result_of(await gateway.ask("ListAreasV1"))
            if ending == 1006:
                gateway.session.transport.abort()
            else:
                await gateway.session.close(ending)
            assert await gateway.next_session(number, 1.0)
        assert gateway.most_at_once == 1

    meet(story)


def test_it_dials_less_and_less_often() -> None:
    """
    A gateway that admits nobody is tried again after longer and longer waits.
    """
    shell = SocketShell(ReferenceEpos(), url="ws://127.0.0.1:1/epos")

    waits = [shell.wait_before_dialling(each) for each in (0, 1, 2, 5, 6, 5000)]

    assert waits == [0.05, 0.1, 0.2, 1.6, 2.0, 2.0]


def test_what_becomes_of_it_is_told_once() -> None:
    """
    A refusal is told with its words, once while it stays the same; sessions are told as they come and go.
    """
    lines: list[str] = []

    async def main() -> str:
        gateway = Gateway()
        gateway.refusal = (HTTPStatus.UNAUTHORIZED, "the key is\nwrong\n")
        async with gateway.open():
            shell = SocketShell(ReferenceEpos(), url=gateway.url)
            shell.say = lines.append
            running = asyncio.ensure_future(shell.run())
            assert await gateway.until(lambda: len(gateway.attempts) == 3)
            gateway.refusal = None
            assert await gateway.next_session()
            await gateway.session.close(1012, "back soon")
            assert await gateway.next_session(1)
            # What the gateway has seen the EPOS tells a moment later.
            await gateway.until(lambda: len(lines) == 4)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return gateway.url

    url = asyncio.run(main())

    assert lines == [
        f"reference EPOS: cannot dial {url}: HTTP 401 the key is wrong",
        f"reference EPOS: session with {url}",
        "reference EPOS: session ended (1012 back soon)",
        f"reference EPOS: session with {url}",
    ]


def test_reasons_are_put_into_words() -> None:
    """
    Why there is no session is told as a person would.
    """
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    untrusted.verify_message = "self-signed certificate"
    reasons = {
        "connection refused": OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 9)"),
        "certificate refused: self-signed certificate": untrusted,
        "Name or service not known": OSError(-2, "Name or service not known"),
        "timed out during opening handshake": TimeoutError("timed out during opening handshake"),
        "ConnectionResetError": ConnectionResetError(),
    }

    told: list[str] = []
    for reason in reasons.values():
        shell = SocketShell(ReferenceEpos(), url="ws://127.0.0.1:1/epos")
        shell.say = told.append
        shell.cannot_dial(reason)

    assert told == [f"reference EPOS: cannot dial ws://127.0.0.1:1/epos: {each}" for each in reasons]


def test_in_a_thread() -> None:
    """
    A thread of its own keeps the session open; stopping it takes no time, wherever it is.
    """

    async def main() -> None:
        gateway = Gateway()
        async with gateway.open():
            with sockets.in_thread(SocketShell(ReferenceEpos(), url=gateway.url)) as running:
                assert await gateway.next_session()
                assert result_of(await gateway.ask("ListAreasV1"))
                session = gateway.session
                started = time.monotonic()
                await asyncio.to_thread(running.stop)
                assert time.monotonic() - started < 1
                assert await gateway.until(lambda: session.close_code == 1001)
            running.stop()

    asyncio.run(main())
    running = sockets.in_thread(SocketShell(ReferenceEpos(), url="ws://127.0.0.1:1/epos"))
    started = time.monotonic()
    running.stop()
    assert time.monotonic() - started < 1
    assert running.url == "ws://127.0.0.1:1/epos"


def test_hanging_calls_do_not_keep_it() -> None:
    """
    An EPOS in the middle of a call that never ends is stopped all the same, even if its gateway is dead.
    """

    class Hanging(SocketShell):
        async def pause(self, request: sockets.Request) -> None:
            await asyncio.sleep(3600 if request.method else 0)

    async def story(gateway: Gateway) -> float:
        await gateway.send(gateway.spell("ListAreasV1", None, "1"))
        await asyncio.sleep(0.05)
        # From here on nothing is read, not even a closing frame.
        gateway.session.transport.pause_reading()
        return time.monotonic()

    started = meet(story, layer=Hanging)
    assert time.monotonic() - started < 1.5


# -- the command --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def command(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    child = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.communicate()


async def line_of(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None
    return (await asyncio.wait_for(child.stdout.readline(), 15)).decode()


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 60))


def test_the_command_dials() -> None:
    """
    ``epos-reference dial`` tells of its sessions, dials again, and ends with a clean close when it is interrupted.
    """

    async def story() -> None:
        gateway = Gateway()
        async with (
            gateway.open(),
            command("dial", f"--url={gateway.url}", "--key=sk_prod_x", "--software-house-id=house") as child,
        ):
            assert await line_of(child) == f"reference EPOS: session with {gateway.url}\n"
            assert gateway.handshake["authorization"] == "Basic sk_prod_x"
            assert gateway.handshake["software-house-id"] == "house"
            assert result_of(await gateway.ask("ListAreasV1"))
            await gateway.session.close(1001)
            assert await line_of(child) == "reference EPOS: session ended (1001)\n"
            assert await line_of(child) == f"reference EPOS: session with {gateway.url}\n"
            assert await gateway.next_session(1)
            session = gateway.session
            child.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(child.communicate(), 5) == (b"", b"")
            assert child.returncode == 0
            assert session.close_code == 1001

    run(story())


def test_the_command_tells_why_it_cannot_dial() -> None:
    """
    Nobody there, and a key that is refused, are a line each however often it is tried.
    """

    async def story() -> None:
        gateway = Gateway()
        gateway.refusal = (HTTPStatus.UNAUTHORIZED, "who are you?")
        async with gateway.open(), command("dial", f"--url={gateway.url}") as child:
            assert await line_of(child) == f"reference EPOS: cannot dial {gateway.url}: HTTP 401 who are you?\n"
            await gateway.until(lambda: len(gateway.attempts) > 2, 5)
            child.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(child.communicate(), 5) == (b"", b"")
        async with command("dial", f"--url={gateway.url}") as child:
            assert await line_of(child) == f"reference EPOS: cannot dial {gateway.url}: connection refused\n"

    run(story())


def test_the_command_trusts_an_authority(tmp_path: Path) -> None:
    """
    ``wss://`` is dialled with the authority that ``--ca`` names, and refused without.
    """
    authority = trustme.CA()
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)

    async def story() -> None:
        gateway = Gateway()
        gateway.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(gateway.context)
        async with gateway.open():
            async with command("dial", f"--url={gateway.url}", f"--ca={file}") as child:
                assert await line_of(child) == f"reference EPOS: session with {gateway.url}\n"
                assert result_of(await gateway.ask("ListAreasV1"))
            async with command("dial", f"--url={gateway.url}") as child:
                assert "certificate refused" in await line_of(child)

    run(story())


def test_one_epos_serves_and_dials() -> None:
    """
    ``serve --dial`` is one EPOS for both: what is paid over one is told over the other.
    """

    async def story() -> None:
        gateway = Gateway()
        async with (
            gateway.open(),
            command("serve", "--port=0", f"--dial={gateway.url}", "--variant=ws-replies-without-a-method") as child,
        ):
            url = (await line_of(child)).split()[3]
            assert await line_of(child) == f"reference EPOS: session with {gateway.url}\n"
            paid = {
                "paymentIntentId": "pi_1",
                "paidAmount": {"value": 1, "currencyCode": "GBP"},
                "tipsAmount": {"value": 0, "currencyCode": "GBP"},
            }
            reply = await gateway.ask("RecordOrderPaymentByIdV1", {"orderId": "ord-1005", **paid})
            assert reply is not None
            assert set(reply) == {"id", "jsonrpc", "result"}
            async with httpx.AsyncClient(auth=("dojo", "reference")) as client:
                order = (await client.get(f"{url}/v1/orders/ord-1005")).json()
            assert order == reply["result"]
            assert order["paidAmount"]["value"] == 1
            child.send_signal(signal.SIGTERM)
            await asyncio.wait_for(child.communicate(), 5)
            assert child.returncode == 0

    run(story())


def test_the_launcher_passes_it_on() -> None:
    """
    An EPOS that is started may dial as well, and is gone from both when it is stopped.
    """

    async def story() -> None:
        gateway = Gateway()
        async with gateway.open():
            running = await asyncio.to_thread(lambda: launch.start(dial=gateway.url, key="sk_sandbox_started"))
            try:
                assert await gateway.next_session(seconds=10)
                assert gateway.handshake["authorization"] == "Basic sk_sandbox_started"
                assert result_of(await gateway.ask("ListAreasV1"))
            finally:
                await asyncio.to_thread(running.stop)
            assert await gateway.until(lambda: not gateway.live)

    run(story())


def test_what_cannot_be_dialled_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """
    An address that is none, an authority that is not there and an unknown name are a line and exit status 2.
    """
    missing = tmp_path / "missing.pem"
    for arguments in (
        ["dial", "--url", "http://127.0.0.1/epos"],
        ["serve", "--port=0", "--dial", "nowhere"],
        ["dial", "--url", "wss://127.0.0.1/epos", f"--ca={missing}"],
        ["dial", "--url", "ws://127.0.0.1/epos", "--defect", "ws-key-in-base65"],
    ):
        assert cli.main(arguments) == 2

    assert capsys.readouterr().err.splitlines() == [
        "epos-reference: http://127.0.0.1/epos is not a ws:// or wss:// URL",
        "epos-reference: nowhere is not a ws:// or wss:// URL",
        f"epos-reference: cannot read {missing}: No such file or directory",
        "epos-reference: there is no defect called 'ws-key-in-base65'; did you mean ws-key-in-base64?",
    ]
