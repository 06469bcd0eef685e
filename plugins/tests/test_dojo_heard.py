"""
What a sandbox has heard is asked of it, as soon as there is something, and no longer than need be.
"""

from __future__ import annotations

import json
import time

from collections.abc import Iterator
from typing import Any

import pytest

from starlette.responses import JSONResponse, Response

from epos_conformance._dojo_reach import events_of
from epos_conformance._masking import Masker
from epos_conformance.dojo import heard
from epos_conformance.dojo.access import DojoAccess
from epos_conformance.dojo.api import DojoApi
from epos_conformance.dojo.heard import Heard
from epos_conformance.dojo.side import Events
from epos_conformance.exceptions import Inconclusive, NotOffered, Unreachable

from . import fake_dojo
from .fake_dojo import KEY, FakeDojo, problem


EVENTS = "GET /sandbox/events"

MASKED = Masker()

HEADERS = {"authorization": "raw", "software-house-id": "house", "version": None}


def event(number: int, id: str = "o-1", **more: Any) -> dict[str, Any]:
    """An event as the sandbox tells it."""
    usual = {"number": number, "at": "2026-03-30T12:00:00Z", "status": 200, "headers": HEADERS}
    return {**usual, "eventType": "OrderUpdated", "event": {"orderId": id}, **more}


def told(*events: dict[str, Any]) -> Response:
    return JSONResponse({"events": list(events), "latest": events[-1]["number"] if events else 0})


@pytest.fixture
def dojo(request: pytest.FixtureRequest) -> FakeDojo:
    return fake_dojo.put_up(request)


@pytest.fixture
def api(dojo: FakeDojo) -> Iterator[DojoApi]:
    yield from fake_dojo.connected(dojo.url, patience=0.0)


# Whether it is one


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (JSONResponse({"format": "dojo-sandbox/1", "suite": {}}), True),
        (JSONResponse({"format": "dojo-sandbox/2"}), True),
        (JSONResponse({"format": 1}), False),
        (JSONResponse({"format": "dojo-sandbox/1"}, 404), False),
        (JSONResponse(["dojo-sandbox/1"]), False),
        (Response("<html>"), False),
        (problem(401, "Unauthorized"), False),
    ],
)
def test_a_sandbox_says_that_it_is_one(dojo: FakeDojo, api: DojoApi, answer: Response, expected: bool) -> None:
    dojo.instead["GET /sandbox"] = answer
    assert heard.is_sandbox(api) is expected


def test_who_is_not_there_is_no_sandbox() -> None:
    for api in fake_dojo.connected("http://127.0.0.1:1", patience=0.0):
        assert not heard.is_sandbox(api)


# What it heard


def test_events_are_read_as_they_arrived(dojo: FakeDojo, api: DojoApi) -> None:
    odd = {"number": 2, "status": 400, "body": "no JSON"}
    dojo.instead[EVENTS] = told(event(1), odd)
    first, second = heard.since(api, 0)
    assert first == Heard(1, 200, "OrderUpdated", {"orderId": "o-1"}, HEADERS)
    assert second == Heard(2, 400, None, None, {}, "no JSON")
    assert str(first) == "event 1: 'OrderUpdated', {'orderId': 'o-1'}"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),
        ({"eventType": "PartyUpdated"}, False),
        ({"event": {"orderId": "o-2"}}, False),
        ({"event": {"partyId": "o-1"}}, False),
        ({"event": "o-1"}, False),
        ({"event": None}, False),
    ],
)
def test_an_event_is_about_one_thing(dojo: FakeDojo, api: DojoApi, more: dict[str, Any], expected: bool) -> None:
    dojo.instead[EVENTS] = told(event(1, **more))
    (found,) = heard.since(api, 0)
    assert found.tells_of("OrderUpdated", "orderId", "o-1") is expected


def test_a_sandbox_that_does_not_tell_is_inconclusive(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[EVENTS] = problem(500, "Oops")
    for ask in (lambda: heard.since(api, 0), lambda: heard.latest(api)):
        with pytest.raises(Inconclusive, match=r"what the sandbox has heard can't be examined: .*status 500, Oops"):
            ask()


def test_an_event_is_shown_as_the_exchange_it_was(dojo: FakeDojo) -> None:
    exchange = Heard(1, 400, "OrderUpdated", {"orderId": "o-1"}, HEADERS).exchange(dojo.url, MASKED)
    assert (exchange.sent.method, exchange.sent.url, exchange.status) == ("POST", f"{dojo.url}/epos/events", 400)
    assert json.loads(exchange.sent.body or b"") == {"eventType": "OrderUpdated", "event": {"orderId": "o-1"}}
    assert exchange.replay() == "have the EPOS do again what it told of"
    text = Heard(1, 400, None, None, HEADERS, "no JSON").exchange(dojo.url, MASKED).as_text()
    assert "no JSON" in text
    assert "raw" not in text


def test_an_epos_that_tells_its_key_does_not_have_it_told_on(dojo: FakeDojo, api: DojoApi) -> None:
    exchange = Heard(1, 200, "OrderUpdated", {"orderId": KEY}, HEADERS).exchange(dojo.url, Events(api).mask)
    assert KEY not in exchange.as_text()
    assert KEY not in json.dumps(exchange.to_json())


# Waited for


def test_the_wanted_event_is_waited_for_among_others(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[EVENTS] = [told(), told(event(4, "o-9")), told(event(5, "o-1"), event(6, "o-1"))]
    found, came = heard.awaited(api, 3, 5, lambda each: each.tells_of("OrderUpdated", "orderId", "o-1"))
    assert found is not None
    assert found.number == 5
    assert [each.number for each in came] == [4, 5]


def test_what_does_not_come_is_given_up(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[EVENTS] = [told(event(1)), told()]
    started = time.monotonic()
    found, came = heard.awaited(api, 0, 0.3, lambda each: each.number == 7)
    assert found is None
    assert [each.number for each in came] == [1]
    assert 0.3 <= time.monotonic() - started < 2


def test_events_of_one_check_begin_at_its_mark(dojo: FakeDojo, api: DojoApi) -> None:
    events = Events(api)
    dojo.instead[EVENTS] = [told(event(1), event(2)), told(event(3, "o-2")), told(event(4)), told()]
    mark = events.mark()
    assert mark == 2
    found, came = events.of(mark, "OrderUpdated", "orderId", "o-1", 1)
    assert found is not None
    assert [each.number for each in came] == [3, 4]
    assert not events.any(4, 0.1)
    assert events.url == dojo.url


# Whether there is somebody to ask


def test_events_are_heard_by_a_sandbox_alone() -> None:
    account = fake_dojo.account("http://127.0.0.1:1")
    with pytest.raises(NotOffered, match="no key"):
        events_of(None, "no key")
    with pytest.raises(Unreachable, match="down"):
        events_of(DojoAccess(account, sandbox=True, blocked="down"), "")
    with pytest.raises(Inconclusive, match="Dojo doesn't tell which events it was sent"):
        events_of(DojoAccess(account), "")
    assert events_of(DojoAccess(account, sandbox=True), "").account == account
