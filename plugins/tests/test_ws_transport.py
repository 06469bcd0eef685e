"""
A call over WebSocket is an exchange like any other, whatever the reply looks like, and shows no secret.
"""

from __future__ import annotations

import json
import pickle

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _contracts
from epos_conformance._contracts import Capability
from epos_conformance._leases import Leases
from epos_conformance._masking import MASK, Masker
from epos_conformance._session import Session
from epos_conformance._settings import Settings
from epos_conformance.exceptions import Astray, BrokenAnswer, Inconclusive, SessionLost, Unanswered, Unreachable
from epos_conformance.exchange import MOST_SHOWN, NOT_JSON, Answer, Sent
from epos_conformance.transports import DOJO_HEADERS
from epos_conformance.websocket.exchanges import RpcExchange
from epos_conformance.websocket.lines import RemoteLine
from epos_conformance.websocket.transport import WebSocketTransport

from .tills import ANYWHERE, KEY, PATIENCE, Desk, Till, desk, meeting, till


CAPABILITIES = _contracts.capabilities()
LIST_AREAS, GET_ORDER = CAPABILITIES["ListAreas"], CAPABILITIES["GetOrderById"]

ERROR = {"errorType": "NotFound", "debugMessage": "there is none", "traceId": "t-1"}


def exchange(reply: Any, **more: Any) -> RpcExchange:
    """An exchange that brought *reply*: a text, or the members beside the usual ones."""
    text = reply if isinstance(reply, str) else json.dumps({"id": "1", "jsonrpc": "2.0", **reply})
    request = '{"id": "1", "method": "GetOrderByIdV1", "params": {"orderId": "o"}}'
    sent = Sent(method="GetOrderByIdV1", url="ws://127.0.0.1:9/epos", headers=(), body=request.encode())
    answer = Answer(status=0, headers=(), body=text.encode("utf-8", "surrogatepass"))
    given: dict[str, Any] = {"answer": answer, "duration": 0.25, "session": 3, "id": "1", **more}
    return RpcExchange(capability="GetOrderById", transport="ws", sent=sent, **given)


# Replies


@pytest.mark.parametrize("result", [{}, {"id": "o"}, [], None, 0, "text", False])
@pytest.mark.parametrize("more", [{}, {"error": None}])
def test_a_result_is_a_success(result: Any, more: dict[str, Any]) -> None:
    found = exchange({"result": result, **more})
    assert found.succeeded
    assert found.error is None
    assert found.json == found.result == result
    assert not found.crashed
    assert not found.refused
    assert found.status == 0


@pytest.mark.parametrize("more", [{}, {"result": None}, {"result": {"id": "o"}}])
def test_an_error_is_an_error_whatever_comes_with_it(more: dict[str, Any]) -> None:
    found = exchange({"error": ERROR, **more})
    assert not found.succeeded
    assert found.result is NOT_JSON
    assert found.json == ERROR
    assert found.error is not None
    assert (found.error.type, found.error.debug_message, found.error.trace_id) == ("NotFound", "there is none", "t-1")
    assert found.refused
    assert found.seen == "NotFound: there is none"
    assert str(found) == (
        "GetOrderByIdV1 over ws://127.0.0.1:9/epos, session 3 -> error NotFound: there is none in 0.250 s"
    )


@pytest.mark.parametrize("error", [{}, {"code": -32601, "message": "Method not found"}, "text", 7, False, []])
def test_an_error_that_is_no_epos_error_is_an_error(error: Any) -> None:
    found = exchange({"error": error})
    assert not found.succeeded
    assert found.json == error
    assert found.error is not None
    assert found.error.type is None
    assert found.seen.startswith('{"id": "1", "jsonrpc": "2.0", "error": ')
    assert "error an error without errorType" in str(found)


def test_an_error_hidden_in_the_result_is_an_error() -> None:
    found = exchange({"result": ERROR})
    assert not found.succeeded
    assert found.error is not None
    assert found.error.type == "NotFound"
    assert exchange({"result": {**ERROR, "id": "o"}}).succeeded


@pytest.mark.parametrize("reply", [{}, {"error": None}, {"method": "GetOrderByIdV1"}])
def test_neither_result_nor_error_is_no_success(reply: dict[str, Any]) -> None:
    found = exchange(reply)
    assert not found.succeeded
    assert found.json is NOT_JSON
    assert found.result is NOT_JSON
    assert found.error is not None
    assert found.error.type is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7"])
def test_a_reply_that_is_no_object_has_no_members(text: str) -> None:
    found = exchange(text)
    assert found.reply == {}
    assert not found.succeeded
    assert found.json is NOT_JSON
    json.dumps(found.to_json())


def test_a_crash_is_told_from_a_refusal() -> None:
    assert exchange({"error": {"errorType": "UnexpectedError"}}).crashed
    assert not exchange({"error": {"errorType": "UnexpectedError"}}).refused
    assert not exchange({"error": {"errorType": "Conflict"}}).crashed
    assert exchange("", answer=None, failure=BrokenAnswer("gone")).crashed
    assert not exchange("", answer=None, failure=Unanswered("late")).crashed


def test_without_an_answer_there_is_a_reason() -> None:
    found = exchange("", answer=None, failure=Unanswered("no answer within 1 s"))
    assert not found.succeeded
    assert found.error is None
    assert found.reply == {}
    assert found.json is NOT_JSON
    assert found.seen == "no answer within 1 s"
    assert str(found).endswith("session 3 -> no answer within 1 s")
    assert found.to_json()["failure"] == "no answer within 1 s"
    assert found.to_json()["answer"] is None
    assert "< no answer: no answer within 1 s" in found.as_text()


def test_a_frame_that_nobody_waited_for_an_answer_to_is_told_so() -> None:
    assert exchange("", answer=None).seen == "no answer was waited for"
    assert str(exchange("", answer=None)).endswith("-> no answer was waited for")


# Shown


def test_an_exchange_is_shown_whole() -> None:
    text = exchange({"result": {"id": "o"}}, notes=["sent again"]).as_text(pretty=False)
    assert text.splitlines() == [
        "> GetOrderByIdV1 over ws://127.0.0.1:9/epos, session 3",
        "",
        '{"id": "1", "method": "GetOrderByIdV1", "params": {"orderId": "o"}}',
        "",
        "< after 0.250 s",
        "",
        '{"id": "1", "jsonrpc": "2.0", "result": {"id": "o"}}',
        "(sent again)",
        "",
        'replay: send {"id": "1", "method": "GetOrderByIdV1", "params": {"orderId": "o"}}',
    ]
    assert '\n  "result": {\n    "id": "o"\n' in exchange({"result": {"id": "o"}}).as_text()


def test_an_exchange_is_told_to_machines() -> None:
    found = exchange({"error": ERROR}).to_json()
    assert json.loads(json.dumps(found)) == found
    assert found["request"]["method"] == "GetOrderByIdV1"
    assert found["transport"] == "ws"
    # There is no HTTP status here.
    assert "status" not in found["answer"]
    assert json.loads(found["answer"]["body"])["error"] == ERROR
    assert found["replay"].startswith("send {")
    assert set(exchange({"error": ERROR}).to_json(bodies=False)["request"]) == {"method", "url"}


def test_what_is_long_is_cut() -> None:
    found = exchange({"result": "x" * 10 * MOST_SHOWN})
    assert len(found.as_text()) < 2 * MOST_SHOWN
    assert len(json.dumps(found.to_json())) < 2 * MOST_SHOWN
    assert len(found.seen) <= 120


def test_secrets_are_masked_wherever_they_are() -> None:
    secret = "sk_sandbox_hush"
    failure = Inconclusive(f"closed: {secret}")
    for found in (
        exchange({"error": {"errorType": "Conflict", "debugMessage": f"key {secret}"}}, mask=Masker([secret])),
        exchange({"result": secret}, mask=Masker([secret]), notes=[f"note {secret}"]),
        exchange("", answer=None, failure=failure, mask=Masker([secret])),
    ):
        for text in (str(found), found.as_text(), json.dumps(found.to_json()), found.replay()):
            assert secret not in text
        assert MASK in found.as_text()


def test_an_exchange_travels_between_processes() -> None:
    found = pickle.loads(pickle.dumps(exchange({"error": ERROR})))  # noqa: S301 - ours
    assert found.error == exchange({"error": ERROR}).error
    assert found.session == 3


@pytest.mark.parametrize("text", ['{"id": "1", "result": "\\ud800"}', '{"id": "1", "result": "\ud800"}'])
def test_half_a_surrogate_pair_can_be_shown(text: str) -> None:
    found = exchange(text)
    assert found.result == "\ud800"
    found.as_text().encode()
    json.dumps(found.to_json(), ensure_ascii=False).encode()


# The transport


@pytest.fixture
def met() -> Iterator[tuple[Desk, Till]]:
    with meeting() as found:
        yield found


Met = tuple[Desk, Till]


def transport(here: Desk, **settings: Any) -> WebSocketTransport:
    chosen = Settings(**{"ws": ANYWHERE, "fail_after": 1.0, **settings})
    return WebSocketTransport(chosen, here.url, here.line, ["sk_sandbox_hush"])


def test_a_call_is_what_dojo_sends(met: Met) -> None:
    here, there = met
    pending = here.pool.submit(transport(here).call, GET_ORDER, {"orderId": "T7/2 é"}, DOJO_HEADERS)
    asked = there.hear()
    assert set(asked) == {"id", "method", "jsonrpc", "params"}
    assert (asked["method"], asked["jsonrpc"]) == (GET_ORDER.ws_method, "2.0")
    assert asked["params"]["orderId"] == "T7/2 é"
    assert asked["params"]["headers"]["dojoRequestingProduct"] == DOJO_HEADERS["dojo-requesting-product"]
    there.answer(asked["id"], {"id": "T7/2 é"})
    found = pending.result(PATIENCE)
    assert found.succeeded
    assert found.result == {"id": "T7/2 é"}
    assert (found.id, found.session, found.capability, found.transport) == (asked["id"], 1, "GetOrderById", "ws")
    assert found.duration > 0


def test_every_call_has_an_id_of_its_own(met: Met) -> None:
    here, there = met
    asked: list[tuple[Capability, dict[str, Any]]] = [(LIST_AREAS, {})] * 20
    pending = here.pool.submit(transport(here).at_once, asked, {})
    there.serve(20)
    found = pending.result(PATIENCE)
    assert len({each.id for each in found}) == 20
    assert all(each.succeeded for each in found)
    assert {each.capability for each in found} == {"ListAreas"}


def test_replies_belong_to_the_exchanges_that_asked(met: Met) -> None:
    here, there = met
    wire = transport(here)
    asked = [wire.request(GET_ORDER, {"orderId": str(number)}, {}) for number in range(5)]
    pending = here.pool.submit(wire.calls, asked)
    for heard in reversed([there.hear() for _ in asked]):
        there.answer(heard["id"], heard["params"]["orderId"])
    assert [each.result for each in pending.result(PATIENCE)] == ["0", "1", "2", "3", "4"]


def test_a_request_in_fragments_is_the_same_request(met: Met) -> None:
    here, there = met
    wire = transport(here)
    request = wire.request(LIST_AREAS, {}, {"waiter-id": "é漢"})
    pending = here.pool.submit(wire.calls, [request], fragments=4)
    asked = there.hear()
    assert asked == json.loads(request.sent.body or b"")
    there.answer(asked["id"])
    assert pending.result(PATIENCE)[0].succeeded


def test_members_beside_the_usual_ones_are_sent(met: Met) -> None:
    here, there = met
    wire = transport(here)
    pending = here.pool.submit(wire.calls, [wire.request(LIST_AREAS, {}, {}, id="7e3", extra=[1])])
    asked = there.hear()
    assert (asked["id"], asked["extra"]) == ("7e3", [1])
    there.answer("7e3")
    assert pending.result(PATIENCE)[0].succeeded


@pytest.mark.parametrize(
    ("what", "failure"),
    [("silence", Unanswered), ("drop", SessionLost), ("astray", Astray)],
)
def test_a_call_without_a_reply_has_a_failure(met: Met, what: str, failure: type[Inconclusive]) -> None:
    here, there = met
    pending = here.pool.submit(transport(here).call, CAPABILITIES["CreateOrder"], {}, {})
    there.hear()
    if what == "drop":
        there.drop()
    elif what == "astray":
        there.answer("nobody")
    found = pending.result(PATIENCE)
    assert type(found.failure) is failure
    assert found.answer is None
    assert found.session == 1
    assert found.duration > 0


def test_an_epos_that_loses_its_session_under_each_call_is_given_up(tmp_path: Path) -> None:
    with desk() as here:
        session = Session(here.station._settings, transport(here), ["CreateOrder"], Leases(tmp_path))
        for _ in range(8):
            with till(here.url) as there:
                here.seen(1)
                pending = here.pool.submit(session.ask, "CreateOrder", {})
                there.hear()
                there.drop()
                with pytest.raises(SessionLost):
                    pending.result(PATIENCE)
            here.seen(0)
        with pytest.raises(Unreachable, match="lost its session under 8 calls in a row"):
            session.ask("CreateOrder", {})


def test_a_call_to_nobody_is_unreachable() -> None:
    with desk(ws_timeout=0.2) as here:
        found = transport(here).call(LIST_AREAS, {}, {})
        assert type(found.failure) is Unreachable
        assert found.session == 0


def test_a_call_after_the_end_of_the_run_is_unreachable() -> None:
    with desk() as here:
        local = transport(here)
        remote = WebSocketTransport(Settings(ws=ANYWHERE), here.url, RemoteLine(*here.station.control))
    for wire in (local, remote):
        assert type(wire.call(LIST_AREAS, {}, {}).failure) is Unreachable
        wire.close()


@pytest.mark.parametrize(
    ("name", "times"), [("ListAreas", 2), ("GetOrderById", 2), ("SearchOrders", 2), ("CreateOrder", 1)]
)
def test_reads_are_sent_again_after_a_drop_and_writes_are_not(met: Met, name: str, times: int) -> None:
    here, there = met
    pending = here.pool.submit(transport(here).call, CAPABILITIES[name], {}, {})
    first = there.hear()
    there.drop()
    with till(here.url) as other:
        if times == 2:
            assert other.hear() == first
            other.answer(first["id"])
        found = pending.result(PATIENCE)
    assert found.succeeded is (times == 2)
    assert len(found.notes) == times - 1


def test_every_capability_either_reads_or_changes() -> None:
    """Sending again is for what changes nothing."""
    from epos_conformance.websocket.transport import _reads

    assert [name for name, each in CAPABILITIES.items() if _reads(name) and each.changes] == []


def test_keys_of_the_handshake_are_masked(met: Met) -> None:
    here, there = met
    pending = here.pool.submit(transport(here, api_key=KEY).call, LIST_AREAS, {}, {})
    asked = there.hear()
    there.answer(asked["id"], f"sk_sandbox_hush and {KEY}")
    found = pending.result(PATIENCE)
    assert f"{MASK} and {MASK}" in found.as_text()
    assert KEY not in json.dumps(found.to_json())


def test_frames_are_sent_as_they_are(met: Met) -> None:
    here, there = met
    found = transport(here).send("no JSON é")
    assert there.connection.recv(PATIENCE) == "no JSON é"
    assert found.session == 1
    assert found.seen == "no answer was waited for"
    assert found.replay() == "send no JSON é"


def test_sessions_are_ended_and_waited_for(met: Met) -> None:
    here, _ = met
    wire = transport(here)
    assert wire.open_sessions() == [1]
    assert wire.ping("x")["answered"] is True
    last = wire.end_sessions(1001)
    assert last == 1
    assert wire.open_sessions() == []
    assert wire.await_session(last, 0.05) == 0
    with till(here.url):
        assert wire.await_session(last, PATIENCE) == 2


def test_turns_are_taken_and_given_back() -> None:
    with desk() as here, ThreadPoolExecutor(2) as pool:
        first, second = transport(here), transport(here)
        second.line = here.station.line()
        first.take_turn(alone=True)
        pending = pool.submit(second.take_turn, alone=False)
        assert not pending.done()
        first.end_turn()
        pending.result(PATIENCE)
        # Nobody's turn but its own is given back.
        first.end_turn()
        third = transport(here)
        third.line = here.station.line()
        waiting = pool.submit(third.take_turn, alone=True)
        first.end_turn()
        assert not waiting.done()
        second.end_turn()
        waiting.result(PATIENCE)
        third.close()


def test_a_handshake_is_an_exchange_without_the_key(met: Met) -> None:
    here, _ = met
    with till(here.url, {"Authorization": "Bearer sk_sandbox_hush"}):
        here.seen(2)
    wire = transport(here)
    found = [wire.handshake(each) for each in wire.evidence()["handshakes"]]
    assert [each.status for each in found] == [101, 101]
    text = found[1].as_text()
    assert "sk_sandbox_hush" not in text
    assert "> GET ws://127.0.0.1" in text
    assert found[1].error is None
    assert "replay: have the EPOS dial again" in text
    json.dumps(found[1].to_json())


def test_a_refused_handshake_is_an_exchange_too(met: Met) -> None:
    here, _ = met
    told = {"headers": [["Authorization", MASK]], "refused": [401, "wrong key"]}
    found = transport(here).handshake(told)
    assert found.status == 401
    assert "wrong key" in found.as_text()
