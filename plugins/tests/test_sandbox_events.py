"""
Events at the sandbox: everything that arrives is kept, and can be waited for.
"""

from __future__ import annotations

import base64
import threading
import time

from collections.abc import Iterator

import pytest

from .sandboxes import KEY, OTHER_KEY, PATIENCE, Dojo, connected, sandbox


EVENTS = "/epos/events"
UPDATED = {"eventType": "OrderUpdated", "event": {"orderId": "O-1"}}


@pytest.fixture
def dojo() -> Iterator[Dojo]:
    with sandbox(keys=[KEY, OTHER_KEY]) as found:
        yield found


def test_an_event_is_answered_with_itself_and_kept(dojo: Dojo) -> None:
    answer = dojo.post(EVENTS, UPDATED)
    assert (answer.status_code, answer.json()) == (200, UPDATED)
    (found,) = dojo.events()
    assert found.pop("at").endswith("Z")
    assert found == {
        "number": 1,
        "status": 200,
        **UPDATED,
        "headers": {"authorization": "raw", "software-house-id": "house", "version": "2026-02-27"},
    }


@pytest.mark.parametrize(
    ("type", "member"),
    [("OrderUpdated", "orderId"), ("PartyUpdated", "partyId"), ("ReservationUpdated", "reservationId")],
)
def test_each_type_has_its_own_id(dojo: Dojo, type: str, member: str) -> None:
    assert dojo.post(EVENTS, {"eventType": type, "event": {member: "x"}}).status_code == 200
    answer = dojo.post(EVENTS, {"eventType": type, "event": {"id": "x"}})
    assert answer.json()["errors"] == {f"event.{member}": ["The member is required."]}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"no JSON", {"eventType": None, "event": None, "body": "no JSON"}),
        (b'"\\ud800"', {"eventType": None, "event": None, "body": '"\\ud800"'}),
        (b"[1]", {"eventType": None, "event": None, "body": "[1]"}),
        (b"\xff", {"eventType": None, "event": None, "body": "\\xff"}),
        (b"", {"eventType": None, "event": None, "body": ""}),
        (b'{"eventType": "OrderCreated", "event": {}}', {"eventType": "OrderCreated", "event": {}}),
        (b'{"eventType": ["OrderUpdated"]}', {"eventType": ["OrderUpdated"], "event": None}),
    ],
)
def test_what_is_no_event_is_refused_and_kept(dojo: Dojo, body: bytes, kept: dict[str, object]) -> None:
    assert dojo.client.post(EVENTS, content=body).status_code == 400
    (found,) = dojo.events()
    assert found["status"] == 400
    assert {name: found[name] for name in kept} == kept


@pytest.mark.parametrize(
    ("headers", "status", "spelt"),
    [
        ({"Authorization": f"Basic {base64.b64encode(KEY.encode()).decode()}"}, 401, "base64"),
        ({"Authorization": f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"}, 401, "base64"),
        ({"Authorization": ""}, 401, "missing"),
        ({"Authorization": "Basic sk_sandbox_of-nobody"}, 401, "other"),
        ({"Authorization": f"Bearer {KEY}"}, 401, "other"),
        ({"software-house-id": ""}, 400, "raw"),
        ({"version": "soon"}, 400, "raw"),
    ],
)
def test_what_is_wrong_with_the_headers_is_kept(dojo: Dojo, headers: dict[str, str], status: int, spelt: str) -> None:
    assert dojo.post(EVENTS, UPDATED, **headers).status_code == status
    (found,) = dojo.events()
    assert (found["status"], found["headers"]["authorization"]) == (status, spelt)
    assert found["event"] == UPDATED["event"]
    assert KEY not in str(found)


def test_headers_that_are_missing_are_null(dojo: Dojo) -> None:
    with connected(dojo.running, without="software-house-id") as client:
        assert client.post(EVENTS, json=UPDATED).status_code == 400
    (found,) = dojo.events()
    assert found["headers"] == {"authorization": "raw", "software-house-id": None, "version": "2026-02-27"}


def test_an_event_is_its_accounts_alone_or_everybodys(dojo: Dojo) -> None:
    with connected(dojo.running, OTHER_KEY) as client:
        other = Dojo(dojo.running, client)
        other.post(EVENTS, UPDATED)
        dojo.post(EVENTS, UPDATED, Authorization="Basic sk_sandbox_of-nobody")
        dojo.post(EVENTS, UPDATED)
        assert [each["number"] for each in other.events()] == [1, 2]
        assert [each["number"] for each in dojo.events()] == [2, 3]
        assert dojo.get("/sandbox/events?after=2").json()["latest"] == 3


def test_events_are_waited_for(dojo: Dojo) -> None:
    dojo.post(EVENTS, UPDATED)
    started = time.monotonic()
    assert dojo.events(after=1, wait=0.2) == []
    assert time.monotonic() - started >= 0.2
    timer = threading.Timer(0.1, dojo.post, (EVENTS, UPDATED))
    timer.start()
    (found,) = dojo.events(after=1, wait=PATIENCE)
    assert found["number"] == 2
    assert time.monotonic() - started < PATIENCE / 2
    timer.join()


def test_nobody_is_kept_waiting_when_it_ends(dojo: Dojo) -> None:
    timer = threading.Timer(0.1, dojo.running.stop)
    timer.start()
    started = time.monotonic()
    assert dojo.events(wait=PATIENCE) == []
    assert time.monotonic() - started < 5
    timer.join()


@pytest.mark.parametrize("query", ["after=x", "wait=-1", "wait=nan", "after=1e"])
def test_a_query_that_is_no_number_is_refused(dojo: Dojo, query: str) -> None:
    answer = dojo.get(f"/sandbox/events?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [query.partition("=")[0]])
