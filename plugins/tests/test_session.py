"""
A session stops asking where waiting again would teach nothing, tells refused credentials from refused calls, and
removes what was made.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from starlette.requests import Request
from starlette.responses import Response

from epos_conformance import _contracts
from epos_conformance._leases import Leases
from epos_conformance._session import Made, Session
from epos_conformance._settings import Settings
from epos_conformance.exceptions import BrokenAnswer, Inconclusive, Unanswered, Unauthorized, Unreachable
from epos_conformance.exchange import Exchange
from epos_conformance.partner import Partner
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.rest import RestShell
from epos_conformance.rest import RestTransport
from epos_conformance.transports import DOJO_HEADERS

from .support import SERVER, partner_that


EVERYTHING = tuple(_contracts.capabilities())

#: What the shell does with a request instead of answering it: None answers it after all.
Instead = Callable[[Request], Response | None]


class Till(RestShell):
    """
    The reference, doing something else with some requests, and remembering all of them.
    """

    def __init__(self, epos: ReferenceEpos, **credentials: str) -> None:
        super().__init__(epos, **credentials)
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        #: Paths that are answered too late.
        self.silent: set[str] = set()
        self.instead: Instead = lambda _: None

    async def respond(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.url.path}")
        self.headers.append(dict(request.headers))
        if request.url.path in self.silent:
            await asyncio.sleep(1.5)
        return self.instead(request) or await super().respond(request)


pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def till() -> Till:
    return Till(ReferenceEpos())


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(tmp_path)


def session(url: str, leases: Leases, *, auth: str | None = "dojo:reference", **settings: Any) -> Session:
    chosen = Settings(**{"url": url, "auth": auth, "fail_after": 5, **settings})
    return Session(chosen, RestTransport(chosen, url, auth), chosen.capabilities or EVERYTHING, leases)


@contextlib.contextmanager
def at(till: Till, leases: Leases, **more: Any) -> Iterator[Session]:
    """A session at *till*."""
    SERVER.app = till
    found = session(SERVER.url, leases, **more)
    try:
        yield found
    finally:
        found.transport.close()


def refusal(found: Session, name: str, params: dict[str, Any] | None = None, **more: Any) -> Inconclusive:
    """What is raised instead of an answer."""
    with pytest.raises(Inconclusive) as caught:
        found.ask(name, params or {}, **more)
    return caught.value


# Asking


def test_an_answer_is_handed_out_and_kept(till: Till, leases: Leases) -> None:
    log: list[Exchange] = []
    with at(till, leases) as found:
        exchange = found.ask("ListAreas", {}, log=log)
        missing = found.ask("GetOrderById", {"orderId": "none"}, log=log)
    assert exchange.succeeded
    assert missing.status == 404
    assert log == [exchange, missing]


def test_dojos_headers_are_sent_unless_a_check_has_its_own(till: Till, leases: Leases) -> None:
    with at(till, leases) as found:
        found.ask("ListAreas", {})
        found.ask("ListAreas", {}, {"waiter-id": "anna"})
        found.ask("ListAreas", {}, {})
    usual, own, none = till.headers
    assert {name: usual.get(name) for name in DOJO_HEADERS} == DOJO_HEADERS
    assert own["waiter-id"] == "anna"
    assert not {*DOJO_HEADERS} & {*own}
    assert not {*DOJO_HEADERS, "waiter-id"} & {*none}


# Health


def counting(connections: list[int]) -> Callable[[socket.socket], None]:
    """Hangs up on everybody in the middle of an answer."""

    def talk(connection: socket.socket) -> None:
        connections.append(1)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[")

    return talk


def test_three_calls_that_reach_nobody_block_the_rest(leases: Leases) -> None:
    log: list[Exchange] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    found = session(f"http://127.0.0.1:{address[1]}", leases)
    for name in ("ListAreas", "SearchOrders", "SearchTables"):
        assert found.blocked is None
        assert isinstance(refusal(found, name, log=log), Unreachable)
    assert found.blocked is not None
    assert len(log) == 3
    # Even where somebody is there again: each of a thousand checks would wait.
    accepted: list[int] = []
    with partner_that(counting(accepted)) as url:
        found.transport.url = url
        for name in ("ListAreas", "GetOrderById", "SearchParties"):
            error = refusal(found, name, {"orderId": "1"}, log=log)
            assert type(error) is Unreachable
            assert str(error).startswith("the partner has been unreachable for 3 calls in a row (can't connect to ")
    assert accepted == []
    assert len(log) == 3


def test_two_calls_that_reach_nobody_block_nothing(till: Till, leases: Leases) -> None:
    with at(till, leases) as found:
        url = found.transport.url
        for _ in range(3):
            found.transport.url = "http://127.0.0.1:1"
            for name in ("ListAreas", "SearchOrders"):
                assert isinstance(refusal(found, name), Unreachable)
            found.transport.url = url
            assert found.ask("SearchTables", {}).succeeded
    assert found.blocked is None


def test_an_error_is_an_answer_like_any_other(till: Till, leases: Leases) -> None:
    with at(till, leases) as found:
        url = found.transport.url
        for _ in range(2):
            found.transport.url = "http://127.0.0.1:1"
            for name in ("ListAreas", "SearchOrders"):
                refusal(found, name)
            found.transport.url = url
            assert found.ask("GetOrderById", {"orderId": "none"}).status == 404
    assert found.blocked is None


def test_what_hangs_twice_is_not_asked_a_third_time_and_everything_else_is(till: Till, leases: Leases) -> None:
    till.silent = {"/v1/areas"}
    with at(till, leases, fail_after=0.3) as found:
        for _ in range(2):
            assert str(refusal(found, "ListAreas")) == "no complete answer within 0.3 s"
        assert found.ask("SearchOrders", {}).succeeded
        error = refusal(found, "ListAreas")
        assert found.ask("SearchOrders", {}).succeeded
    assert type(error) is Unanswered
    assert str(error) == "ListAreas wasn't answered within 0.3 s 2 times in a row; not asked again"
    assert till.asked.count("GET /v1/areas") == 2
    assert found.blocked is None


def test_what_hangs_now_and_then_is_asked_again(till: Till, leases: Leases) -> None:
    with at(till, leases, fail_after=0.3) as found:
        for _ in range(2):
            till.silent = {"/v1/areas"}
            assert isinstance(refusal(found, "ListAreas"), Unanswered)
            till.silent = set()
            assert found.ask("ListAreas", {}).succeeded
    assert len(till.asked) == 4


def test_three_different_calls_that_hang_block_the_rest(till: Till, leases: Leases) -> None:
    till.silent = {"/v1/areas", "/v1/orders/search", "/v1/tables/search"}
    with at(till, leases, fail_after=0.3) as found:
        for name in ("ListAreas", "SearchOrders", "SearchTables"):
            assert isinstance(refusal(found, name), Unanswered)
        error = refusal(found, "SearchParties")
    assert type(error) is Unanswered
    assert "unreachable for 3 calls in a row (no complete answer within 0.3 s)" in str(error)
    assert len(till.asked) == 3


def test_answers_that_break_off_show_that_somebody_is_there(leases: Leases) -> None:
    accepted: list[int] = []
    with partner_that(counting(accepted)) as url:
        found = session(url, leases)
        for _ in range(5):
            assert isinstance(refusal(found, "ListAreas"), BrokenAnswer)
    assert len(accepted) == 5
    assert found.blocked is None


def test_a_raw_request_of_no_capability_is_watched_too(leases: Leases) -> None:
    found = session("http://127.0.0.1:1", leases)
    for _ in range(3):
        exchange = Partner(found).rest.send("GET", "http://127.0.0.1:1/v1/nothing")
        with pytest.raises(Unreachable):
            found.watch(exchange)
    with pytest.raises(Unreachable, match="3 calls in a row"):
        found.refuse_to_wait(None)


def test_who_is_blocked_from_the_start_asks_nobody(till: Till, leases: Leases) -> None:
    SERVER.app = till
    chosen = Settings(url=SERVER.url)
    found = Session(chosen, RestTransport(chosen, SERVER.url, None), EVERYTHING, leases, blocked="nobody is there")
    assert str(refusal(found, "ListAreas")) == "nobody is there"
    assert till.asked == []


# Credentials


@pytest.mark.parametrize(
    ("auth", "hint"),
    [("dojo:wrong-one", "check --partner-auth"), (None, "pass --partner-auth=USER:PASSWORD")],
)
def test_refused_credentials_are_told_with_what_to_do(till: Till, leases: Leases, auth: str | None, hint: str) -> None:
    log: list[Exchange] = []
    with at(till, leases, auth=auth) as found:
        error = refusal(found, "ListAreas", log=log)
        again = refusal(found, "SearchOrders")
    assert isinstance(error, Unauthorized)
    assert not error.elsewhere
    assert str(error) == str(again) == f"the partner refuses the credentials (status 401): {hint}"
    assert log[0].status == 401


def refuse_areas(status: int) -> Instead:
    return lambda request: Response(status_code=status) if request.url.path == "/v1/areas" else None


def test_credentials_that_were_good_before_are_not_the_users_mistake(till: Till, leases: Leases) -> None:
    till.instead = refuse_areas(401)
    with at(till, leases) as found:
        first = refusal(found, "ListAreas")
        found.ask("GetOrderById", {"orderId": "none"})  # to be answered 404 shows nothing yet
        second = refusal(found, "ListAreas")
        assert found.ask("SearchOrders", {}).succeeded
        third = refusal(found, "ListAreas")
    assert isinstance(first, Unauthorized)
    assert isinstance(second, Unauthorized)
    assert isinstance(third, Unauthorized)
    assert (first.elsewhere, second.elsewhere, third.elsewhere) == (False, False, True)
    assert str(third) == "ListAreas answers 401 to the credentials that the partner accepts elsewhere"


def test_a_refusal_of_a_checks_own_headers_is_an_answer(till: Till, leases: Leases) -> None:
    with at(till, leases) as found:
        exchange = found.ask("ListAreas", {}, {"authorization": "Basic eDp5"})
    assert exchange.status == 401


def test_forbidden_is_an_answer(till: Till, leases: Leases) -> None:
    till.instead = refuse_areas(403)
    with at(till, leases) as found:
        assert found.ask("ListAreas", {}).status == 403


def test_a_redirect_is_told_with_where_it_goes(till: Till, leases: Leases) -> None:
    till.instead = lambda _: Response(status_code=302, headers={"location": "https://login.example/"})
    with at(till, leases) as found:
        error = refusal(found, "ListAreas")
    assert type(error) is Inconclusive
    assert str(error) == "the partner redirects to https://login.example/; not followed: check --partner-url"


# Removing


def test_what_was_made_is_removed_once(till: Till, leases: Leases) -> None:
    with at(till, leases) as found:
        assert found.remove(Made("party", {"partyId": "pty-1"}, "DeletePartyById")) is None
        # Gone already: nothing is left.
        assert found.remove(Made("party", {"partyId": "pty-1"}, "DeletePartyById")) is None
    assert "pty-1" not in till.epos.parties


def test_a_lock_that_can_not_be_found_is_left(till: Till, leases: Leases) -> None:
    with at(till, leases) as found:
        left = found.remove(Made("lock", {"orderId": "ord-1005", "lockId": "l-1"}, "DeleteOrderLock"))
    assert left is not None
    assert left.startswith("lock orderId ord-1005, lockId l-1 (DeleteOrderLock answered status 404, NotFound: ")


def test_what_nothing_removes_is_left(leases: Leases) -> None:
    found = session("http://127.0.0.1:1", leases, capabilities=("ListAreas",))
    payment = Made("payment", {"orderId": "o", "paymentIntentId": "pi"}, None)
    assert found.remove(payment) == "payment orderId o, paymentIntentId pi (nothing removes it)"
    order = Made("order", {"orderId": "o"}, "CancelOrderById")
    assert found.remove(order) == "order orderId o (CancelOrderById isn't offered)"


def test_what_is_not_removed_is_left_with_the_partners_reason(till: Till, leases: Leases) -> None:
    till.instead = lambda _: Response('{"errorType": "Conflict", "debugMessage": "closed"}', 409)
    with at(till, leases) as found:
        assert found.remove(Made("order", {"orderId": "o"}, "CancelOrderById")) == (
            "order orderId o (CancelOrderById answered status 409, Conflict: closed)"
        )


def test_a_partner_that_is_gone_leaves_everything(leases: Leases) -> None:
    found = session("http://127.0.0.1:1", leases)
    left = found.remove(Made("party", {"partyId": "p"}, "DeletePartyById"))
    assert left is not None
    assert left.startswith("party partyId p (DeletePartyById: can't connect to ")


def test_in_the_end_what_checks_shared_is_removed_and_the_rest_told(till: Till, leases: Leases) -> None:
    with at(till, leases) as found:
        found.pool["order"] = Made("order", {"orderId": "ord-1005"}, "CancelOrderById")
        found.pool["reservation"] = "there is none"
        found.spent.append(Made("order", {"orderId": "ord-1006"}, "CancelOrderById"))
        found.spent.append(Made("payment", {"orderId": "o", "paymentIntentId": "pi"}, None))
        assert found.close() == ["payment orderId o, paymentIntentId pi (nothing removes it)"]
        assert found.pool == {}
    assert till.asked == ["DELETE /v1/orders/ord-1005", "DELETE /v1/orders/ord-1006"]
    assert till.epos.orders["ord-1005"].status == till.epos.orders["ord-1006"].status == "Canceled"


def test_the_end_hangs_up(leases: Leases) -> None:
    heard: queue.Queue[bytes] = queue.Queue()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")
        heard.put(connection.recv(65536))

    with partner_that(talk) as url:
        found = session(url, leases)
        assert found.ask("ListAreas", {}).succeeded
        assert heard.empty()
        found.close()
        assert heard.get(timeout=5) == b""
