"""
An EPOS that dials the sandbox: on the port that everything else is at, with the key of its account.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time

from collections.abc import Iterator
from typing import Any

import pytest

from websockets.exceptions import ConnectionClosed, InvalidStatus

from .sandboxes import KEY, OTHER_KEY, Dojo, connected, reference, sandbox
from .tills import HANDSHAKE, answering, bare, fine, frame, head_of, till, until


@pytest.fixture
def dojo() -> Iterator[Dojo]:
    with sandbox() as found:
        yield found


def areas(name: str) -> Any:
    """A till that answers ListAreas with one area of that *name*."""
    return lambda request: [fine(request, result=[{"id": "A", "name": name}])]


def test_who_dials_is_called_over_the_session(dojo: Dojo) -> None:
    dojo.register_ws(["ListAreas"])
    with answering(dojo.running.ws_url, areas("Bar")) as heard:
        assert dojo.run("List Areas")["status"] == "SUCCESS"
        assert [each["method"] for each in heard] == ["ListAreasV1"]
    until(lambda: "a session has ended" in dojo.said)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/epos", {"Authorization": "Basic c2tfc2FuZGJveF94"}, 401),
        ("/epos", {"Authorization": "Basic sk_prod_x"}, 401),
        ("/epos", {"Authorization": ""}, 401),
        ("/epos", {"software-house-id": ""}, 400),
        ("/elsewhere", {}, 404),
    ],
)
def test_a_handshake_that_is_wrong_is_refused_with_problem_details(
    dojo: Dojo, path: str, headers: dict[str, str], status: int
) -> None:
    given = {name: value for name, value in {**HANDSHAKE, **headers}.items() if value}
    with pytest.raises(InvalidStatus) as refused, till(dojo.running.ws_url.replace("/epos", path), given):
        pass
    response = refused.value.response
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "traceId"} <= set(json.loads(response.body))


def test_only_the_keys_that_were_named_may_dial() -> None:
    with sandbox(keys=[OTHER_KEY]) as dojo, pytest.raises(InvalidStatus), till(dojo.running.ws_url):
        pass


def test_a_session_is_its_accounts_alone(dojo: Dojo) -> None:
    other_headers = {**HANDSHAKE, "Authorization": f"Basic {OTHER_KEY}"}
    with (
        connected(dojo.running, OTHER_KEY) as client,
        answering(dojo.running.ws_url, areas("ours")) as ours,
        answering(dojo.running.ws_url, areas("theirs"), headers=other_headers) as theirs,
    ):
        other = Dojo(dojo.running, client)
        for each in (dojo, other):
            each.register_ws(["ListAreas"])
        assert dojo.run("List Areas")["status"] == "SUCCESS"
        assert (len(ours), len(theirs)) == (1, 0)
        assert other.run("List Areas")["status"] == "SUCCESS"
        assert (len(ours), len(theirs)) == (1, 1)


def test_who_comes_late_is_waited_for(dojo: Dojo) -> None:
    dojo.register_ws(["ListAreas"])
    id = dojo.start("List Areas")
    time.sleep(0.2)
    assert dojo.result(id)["status"] == "IN_PROGRESS"
    with answering(dojo.running.ws_url, areas("Bar")):
        assert dojo.ended(id)["status"] == "SUCCESS"


def test_long_answers_come_through(dojo: Dojo) -> None:
    dojo.register_ws(["ListAreas"])
    rows = [{"id": f"A-{number}", "name": "x" * 10_000} for number in range(300)]
    with answering(dojo.running.ws_url, lambda request: [fine(request, result=rows)]):
        assert dojo.run("List Areas")["status"] == "SUCCESS"


def test_what_breaks_the_protocol_costs_its_session_alone(dojo: Dojo) -> None:
    dojo.register_ws(["ListAreas"])
    with bare(dojo.running.ws_url) as first, answering(dojo.running.ws_url, areas("Bar")):
        assert head_of(first).startswith(b"HTTP/1.1 101")
        first.sendall(frame(b"\xff\xff") + b"\x00" * 100)
        assert dojo.run("List Areas")["status"] == "SUCCESS"


def test_who_leaves_without_a_word_is_gone(dojo: Dojo) -> None:
    for _ in range(20):
        with bare(dojo.running.ws_url) as found:
            head_of(found)
    # Not even the answer is waited for.
    for _ in range(20):
        with bare(dojo.running.ws_url):
            pass
    until(lambda: dojo.said.count("a session has ended") == dojo.said.count("a session is open") >= 20)


def test_no_more_sessions_than_an_epos_can_use_are_open(dojo: Dojo) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(till(dojo.running.ws_url))
        with pytest.raises(InvalidStatus, match="503"):
            stack.enter_context(till(dojo.running.ws_url))


def test_sessions_end_with_the_sandbox() -> None:
    with sandbox() as dojo, till(dojo.running.ws_url) as found:
        until(lambda: "a session is open" in dojo.said)
        started = time.monotonic()
        dojo.running.stop()
        assert time.monotonic() - started < 5
        with pytest.raises(ConnectionClosed) as closed:
            found.connection.recv(5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


def test_a_flow_may_outlive_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epos_conformance.sandbox.launch._FAREWELL", 0.1)
    before = threading.active_count()
    with sandbox() as dojo:
        dojo.register_ws()
        for flow in ("List Areas", "Search Orders", "Create Party"):
            dojo.start(flow)
        time.sleep(0.1)  # they wait for an EPOS to dial
        dojo.running.stop()
    until(lambda: threading.active_count() <= before)
    assert len([each for each in dojo.said if " -> FAILURE in " in each]) == 3


def test_without_an_upgrade_it_is_said_how_to_dial(dojo: Dojo) -> None:
    answer = dojo.get("/epos")
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
    assert dojo.running.ws_url in answer.json()["detail"]


def test_the_reference_epos_dials_it(dojo: Dojo) -> None:
    dojo.register_ws()
    with reference(dial=dojo.running.ws_url) as epos:
        assert dojo.run("Get Order", orderId=epos.order)["status"] == "SUCCESS"
        assert KEY not in str(dojo.said)
