"""
What a partner offers is found out without changing anything, whatever its framework answers to addresses that it does
not know.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import html
import json
import socket
import uuid

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from epos_conformance import _contracts, _offer
from epos_conformance._offer import Offer
from epos_conformance._settings import Settings
from epos_conformance.reference import faults, launch
from epos_conformance.reference.rest import RestShell
from epos_conformance.rest import RestTransport

from .support import SERVER, answer, partner_that


EVERYTHING = tuple(_contracts.capabilities())
PAY_AT_TABLE = ("GetOrderById", "RecordOrderPaymentById", "SearchOrders")

#: Given a request and its body, the answer in the EPOS's stead; None leaves it to the EPOS.
Instead = Callable[[Request, bytes], Response | None]
#: Given a request and what the EPOS answered, what is sent.
Rewrite = Callable[[Request, Response], Response]


class Front:
    """
    A web framework in front of an EPOS.
    """

    def __init__(self, shell: RestShell, instead: Instead, rewrite: Rewrite) -> None:
        self.shell = shell
        self.instead = instead
        self.rewrite = rewrite
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(f"{request.method} {request.url.path}")
        found = self.instead(request, await request.body())
        if found is None:
            found = self.rewrite(request, await self.shell.respond(request))
        if found.status_code == SILENCE:
            await asyncio.sleep(1)
        await found(scope, receive, send)


#: Stands for no answer at all.
SILENCE = 599


def probe(url: str, auth: str | None = "dojo:reference", **settings: Any) -> Offer:
    chosen = Settings(**{"url": url, "fail_after": 5, **settings})
    with contextlib.closing(RestTransport(chosen, url, auth)) as transport:
        return _offer.find_out(chosen, transport)


def leave(_request: Request, _body: bytes) -> None:
    """Leaves everything to the EPOS."""


def as_is(_: Request, response: Response) -> Response:
    return response


pytestmark = pytest.mark.usefixtures("server")


@contextlib.contextmanager
def front(*variants: str, instead: Instead = leave, rewrite: Rewrite = as_is) -> Iterator[tuple[str, Front]]:
    _, shell = faults.build([], variants)
    SERVER.app = found = Front(shell, instead, rewrite)
    yield SERVER.url, found


def always(*arguments: Any, **more: Any) -> Instead:
    """The same answer to everything."""
    return lambda _request, _body: Response(*arguments, **more)


# Claimed


def test_what_is_claimed_is_not_doubted() -> None:
    found = probe("http://127.0.0.1:1", capabilities=("SearchOrders", "ListAreas"))
    assert found == Offer(("SearchOrders", "ListAreas"), "claimed")


# Probed


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        ((), EVERYTHING),
        (("empty-venue",), EVERYTHING),
        (("odd-ids",), EVERYTHING),
        (("bad-request-is-422", "without-trace-ids"), EVERYTHING),
        (("unknown-methods-are-not-found",), EVERYTHING),
        (("tables-in-pages", "gzipped-bodies"), EVERYTHING),
        (("three-orders-no-creation",), tuple(n for n in EVERYTHING if n not in ("CreateOrder", "CancelOrderById"))),
        (("pay-at-table-only",), PAY_AT_TABLE),
        (("pay-at-table-only", "empty-venue"), PAY_AT_TABLE),
        (("pay-at-table-only", "unknown-methods-are-not-found", "odd-ids"), PAY_AT_TABLE),
    ],
    ids=lambda value: "+".join(value) or "plain" if value != EVERYTHING else None,
)
def test_what_answers_like_an_epos_is_offered(variants: tuple[str, ...], expected: tuple[str, ...]) -> None:
    with front(*variants) as (url, _):
        found = probe(url)
    assert (found.capabilities, found.how, found.blocked) == (expected, "probed", None)
    if expected == EVERYTHING:
        assert found.notes == []


def test_probing_changes_nothing() -> None:
    with front() as (url, there):
        epos = there.shell.epos
        held = ("orders", "locks", "parties", "reservations", "events")
        before = copy.deepcopy({name: getattr(epos, name) for name in held})
        probe(url)
        assert {name: getattr(epos, name) for name in held} == before
    assert len(there.asked) > len(EVERYTHING) // 2


def test_nothing_that_exists_is_ever_asked_to_be_deleted() -> None:
    """
    Not even where the EPOS would do more than it is asked.
    """
    with front() as (url, there):
        probe(url)
    deleted = [each for each in there.asked if each.startswith("DELETE")]
    assert len(deleted) >= sum(each.http_method == "DELETE" for each in _contracts.capabilities().values())
    exists = {*there.shell.epos.orders, *there.shell.epos.parties, *there.shell.epos.reservations}
    assert not [each for each in deleted if exists & {*each.split("/")}]


def test_reading_only_probes_nothing_that_changes() -> None:
    with front() as (url, there):
        found = probe(url, read_only=True)
    assert found.capabilities == tuple(name for name, each in _contracts.capabilities().items() if not each.changes)
    assert {each.split()[0] for each in there.asked} <= {"GET", "POST"}
    assert all(each.startswith("GET") or each.endswith("/search") for each in there.asked)


def generic(_: Request, response: Response) -> Response:
    """One page for everything that isn't there."""
    return Response("not found", 404) if response.status_code == 404 else response


def worded_alike(_: Request, response: Response) -> Response:
    """One EPOSError for everything that isn't there."""
    alike = Response('{"errorType": "NotFound", "debugMessage": "not found"}', 404, media_type="application/json")
    return alike if response.status_code == 404 else response


def numbered(_: Request, response: Response) -> Response:
    """One page for everything that isn't there, and a number for each request."""
    return Response(f"not found ({uuid.uuid4()})", 404) if response.status_code == 404 else response


@pytest.mark.parametrize("rewrite", [generic, numbered])
@pytest.mark.parametrize("variants", [(), ("pay-at-table-only",)], ids=["everything", "pay at table"])
def test_where_everything_unknown_is_answered_alike_what_else_is_known_of_the_address_counts(
    variants: tuple[str, ...], rewrite: Rewrite
) -> None:
    with front(*variants, rewrite=rewrite) as (url, _):
        found = probe(url)
    assert found.blocked is None
    assert found.capabilities == (PAY_AT_TABLE if variants else EVERYTHING)
    assert variants or found.notes == []


def test_what_stays_unclear_is_told() -> None:
    with front("empty-venue", "pay-at-table-only", rewrite=worded_alike) as (url, _):
        found = probe(url)
    (note,) = found.notes
    assert note.startswith("unclear whether these are offered, claim them with --capabilities: ")
    assert "GetOrderById" in note
    assert "GetOrderById" not in found.capabilities
    assert "SearchOrders" in found.capabilities


def bad_json(_: Request, body: bytes) -> Response | None:
    """As Express does: the body is parsed before anybody looks at the address."""
    try:
        json.loads(body or b"{}")
    except ValueError:
        return Response("<pre>SyntaxError: Unexpected token</pre>", 400, media_type="text/html")
    return None


def cannot(request: Request, response: Response) -> Response:
    """As Express does: the page for unknown addresses repeats them."""
    path = html.escape(request.scope["raw_path"].decode())
    if response.status_code == 405 or b"there is nothing" in bytes(response.body):
        return Response(f"<pre>Cannot {request.method} {path}</pre>", 404, media_type="text/html")
    return response


@pytest.mark.parametrize("variants", [(), ("odd-ids",)], ids=["plain ids", "odd ids"])
def test_a_framework_that_parses_first_and_repeats_the_address_offers_no_more_than_it_does(
    variants: tuple[str, ...],
) -> None:
    with front("pay-at-table-only", *variants, instead=bad_json, rewrite=cannot) as (url, _):
        found = probe(url)
    assert (found.capabilities, found.blocked) == (PAY_AT_TABLE, None)


def at(path: str, found: Response) -> Instead:
    return lambda request, _: found if request.url.path == path else None


@pytest.mark.parametrize(
    ("found", "offered"),
    [
        (Response(status_code=500), True),
        (Response(status_code=503), True),
        (Response(status_code=400), True),
        (Response(status_code=409), True),
        (Response(status_code=422), True),
        (Response(b"", 200), True),
        (Response(b"[]", 200), True),
        (Response(b"<html>", 200), False),
        (Response(status_code=401), False),
        (Response(status_code=403), False),
        (Response(status_code=404), False),
        (Response(status_code=405), False),
        (Response(status_code=501), False),
        (Response(status_code=302), False),
    ],
    ids=lambda value: f"{value.status_code}{bytes(value.body).decode()}" if isinstance(value, Response) else None,
)
def test_one_address_is_judged_by_what_it_answers(
    found: Response, offered: bool, reference: _Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "instead", at("/v1/areas", found))
    monkeypatch.setattr(_contracts, "capabilities", _few("ListAreas", "SearchTables"))
    result = probe(reference.url, read_only=True)
    assert result.capabilities == (("ListAreas", "SearchTables") if offered else ("SearchTables",))


class _Kept(Front):
    url = ""


@pytest.fixture(scope="module")
def reference() -> Iterator[_Kept]:
    found = _Kept(faults.build()[1], leave, as_is)
    with launch.in_thread(found) as running:
        found.url = running.url
        yield found


def _few(*names: str) -> Callable[[], dict[str, _contracts.Capability]]:
    """Contracts of these *names* alone."""
    chosen = {name: _contracts.capabilities()[name] for name in names}
    return lambda: chosen


def test_what_is_slow_is_there(reference: _Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "instead", at("/v1/areas", Response(status_code=SILENCE)))
    monkeypatch.setattr(_contracts, "capabilities", _few("ListAreas", "SearchTables", "SearchOrders"))
    assert "ListAreas" in probe(reference.url, fail_after=0.5).capabilities


# Nothing at all


def test_pages_for_people_are_no_epos() -> None:
    with front(instead=always("<html>", media_type="text/html")) as (url, _):
        found = probe(url)
    assert found.capabilities == ()
    assert found.blocked == (
        f"nothing at {url} answers like an EPOS (the last answer: status 200, text/html; charset=utf-8): "
        "is it the base URL of the EPOS Data API?"
    )


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("auth", "hint"), [("a:bcd", "check --partner-auth"), (None, "pass --partner-auth=USER:PASSWORD")]
)
def test_who_lets_nobody_in_is_told_so(status: int, auth: str | None, hint: str) -> None:
    with front(instead=always(status_code=status)) as (url, _):
        found = probe(url, auth)
    assert found.capabilities == ()
    assert found.blocked == f"the partner refuses the credentials (status {status}): {hint}"


def test_redirects_are_no_epos() -> None:
    with front(instead=always(status_code=302, headers={"location": "https://login.example/"})) as (url, _):
        found = probe(url)
    assert found.capabilities == ()
    assert found.blocked is not None
    assert "the last answer: status 302, no content type" in found.blocked


@pytest.mark.parametrize("broken", ["ListAreas", "CreateReservation"])
def test_a_website_that_breaks_off_is_no_epos(broken: str) -> None:
    path = _contracts.capabilities()[broken].path
    asked = 0

    def page(request: Request, _: bytes) -> Response | None:
        nonlocal asked
        asked += 1
        if request.url.path.endswith(path) and asked > 1:
            return Response(status_code=SILENCE)
        return Response("<!doctype html><title>Welcome</title>", media_type="text/html")

    with front(instead=page) as (url, _):
        found = probe(url, fail_after=0.3)
    assert found.capabilities == ()
    assert found.blocked is not None
    assert "answers like an EPOS" in found.blocked


def test_one_who_is_slow_is_there_where_nobody_else_is() -> None:
    path = _contracts.capabilities()["ListAreas"].path

    def alone(request: Request, _: bytes) -> Response | None:
        return Response("", SILENCE if request.url.path.endswith(path) else 404)

    with front(instead=alone) as (url, _):
        found = probe(url, fail_after=0.3)
    assert found.capabilities == ("ListAreas",)


def test_unknown_everywhere_is_no_epos() -> None:
    with front(instead=always("not found", 404)) as (url, _):
        found = probe(url)
    assert found.capabilities == ()
    assert found.blocked is not None
    assert "answers like an EPOS" in found.blocked


def test_who_is_down_is_asked_no_more_than_twice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    found = probe(url)
    assert found.capabilities == ()
    assert found.blocked is not None
    assert found.blocked.startswith(f"the partner can't be examined: can't connect to {url}/")


def test_who_never_answers_is_asked_no_more_than_twice() -> None:
    with front(instead=always(status_code=SILENCE)) as (url, there):
        found = probe(url, fail_after=0.3)
    assert found.capabilities == ()
    assert found.blocked == "the partner can't be examined: no complete answer within 0.3 s"
    assert len(there.asked) == 2


def test_who_speaks_something_else_can_not_be_examined() -> None:
    with partner_that(answer("SSH-2.0-OpenSSH_9.2\n")) as url:
        found = probe(url)
    assert found.capabilities == ()
    assert found.blocked is not None
    assert found.blocked.startswith("the partner can't be examined: the answer broke off: ")
