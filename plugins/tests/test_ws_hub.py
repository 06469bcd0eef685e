"""
Calls and replies over real sessions: what is matched, what is kept as evidence, and what becomes of calls whose EPOS
leaves, comes back, or answers something else.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from websockets.exceptions import ConnectionClosed

from epos_conformance.websocket.evidence import (
    DOUBLE,
    LATE,
    MOST_KEPT,
    MOST_SHOWN,
    UNASKED,
    UNMATCHED,
    UNREAD,
    UNREADABLE,
)
from epos_conformance.websocket.hub import MOST_SESSIONS
from epos_conformance.websocket.outcomes import ASTRAY, AWAY, BROKEN, DROPPED, TIMEOUT

from .tills import PATIENCE, Desk, Till, bare, desk, frame, head_of, meeting, till, until


#: Seconds that a call waits where nobody is going to answer it.
BRIEF = 0.3


@pytest.fixture
def met() -> Iterator[tuple[Desk, Till]]:
    with meeting() as found:
        yield found


Met = tuple[Desk, Till]


def replies(found: list[dict[str, Any]]) -> list[Any]:
    return [json.loads(each["reply"])["result"] for each in found]


# Matching


def test_a_reply_is_that_to_its_call(met: Met) -> None:
    here, there = met
    pending = here.calling("a")
    asked = there.hear()
    assert asked == {"id": "a", "method": "ListAreasV1", "jsonrpc": "2.0", "params": {}}
    there.answer("a", ["area"])
    (found,) = pending.result(PATIENCE)
    assert json.loads(found["reply"])["result"] == ["area"]
    assert (found["failure"], found["session"], found["notes"]) == (None, 1, [])
    assert 0 < found["took"] < PATIENCE


@pytest.mark.parametrize("order", ["abcdef", "fedcba", "cfaebd"])
def test_replies_come_in_any_order(met: Met, order: str) -> None:
    here, there = met
    pending = here.calling(*"abcdef")
    assert sorted(there.hear()["id"] for _ in order) == list("abcdef")
    for id in order:
        there.answer(id, f"to {id}")
    assert replies(pending.result(PATIENCE)) == [f"to {id}" for id in "abcdef"]
    assert here.strays() == []


def test_calls_of_several_callers_share_the_session(met: Met) -> None:
    here, there = met
    pending = {id: here.calling(id) for id in "abc"}
    heard = [there.hear()["id"] for _ in pending]
    for id in reversed(heard):
        there.answer(id, f"to {id}")
    assert {id: replies(each.result(PATIENCE)) for id, each in pending.items()} == {id: [f"to {id}"] for id in "abc"}


@pytest.mark.parametrize(
    ("sent", "answered"), [("1701", 1701), ("00042", 42), ("Ab-Cd", "AB-CD"), ("7e3", 7000), ("x", " x ")]
)
def test_a_careless_id_is_matched_and_kept_as_a_fault(met: Met, sent: str, answered: Any) -> None:
    here, there = met
    pending = here.calling(sent)
    there.hear()
    there.answer(answered)
    assert pending.result(PATIENCE)[0]["failure"] is None
    assert [method for method, _ in here.evidence["malformed"]["ws.reply-carries-the-id"]] == ["ListAreasV1"]


def test_a_binary_frame_is_read_like_a_text(met: Met) -> None:
    here, there = met
    pending = here.calling("a")
    there.hear()
    there.send(b'{"id": "a", "jsonrpc": "2.0", "result": "\xc3\xa9"}')
    assert replies(pending.result(PATIENCE)) == ["é"]


def test_a_reply_in_fragments_is_one_reply(met: Met) -> None:
    here, there = met
    pending = here.calling("a")
    there.hear()
    there.send_parts(['{"id": "a", "jso', 'nrpc": "2.0", "res', "", 'ult": 7}'])
    assert replies(pending.result(PATIENCE)) == [7]


def test_a_call_may_go_out_in_fragments(met: Met) -> None:
    here, there = met
    pending = here.calling("a", text=['{"id": "a', '", "method": "é', 'ñ"}'])
    assert there.hear() == {"id": "a", "method": "éñ"}
    there.answer("a")
    assert pending.result(PATIENCE)[0]["failure"] is None


def test_calls_wait_for_one_that_goes_out_in_fragments(met: Met) -> None:
    here, there = met
    parts = ['{"id": "a", "x": "', *["y" * 1_000] * 500, '"}']
    pending = [here.calling("a", text=parts), here.calling("b"), here.calling("c")]
    assert sorted(there.hear()["id"] for _ in pending) == ["a", "b", "c"]
    for id in "abc":
        there.answer(id)
    assert all(each.result(PATIENCE)[0]["failure"] is None for each in pending)


# Evidence


def ended(here: Desk, there: Till, id: str = "in order") -> None:
    """A call and its reply: whatever was sent before has been seen then."""
    pending = here.calling(id)
    until(lambda: there.hear()["id"] == id)
    there.answer(id)
    assert pending.result(PATIENCE)[0]["failure"] is None


def test_a_reply_after_the_time_limit_is_late(met: Met) -> None:
    here, there = met
    found = here.call("a", limit=BRIEF)
    assert found["failure"] == [TIMEOUT, f"no answer within {BRIEF:g} s"]
    assert there.hear()["id"] == "a"
    there.answer("a")
    ended(here, there)
    assert here.strays() == [(LATE, "a")]


@pytest.mark.parametrize("id", ["a-1", "A-1"])
def test_a_second_reply_is_double(met: Met, id: str) -> None:
    here, there = met
    pending = here.calling("a-1")
    there.hear()
    there.answer(id)
    there.answer(id)
    assert pending.result(PATIENCE)[0]["failure"] is None
    ended(here, there)
    assert here.strays() == [(DOUBLE, "a-1")]


def test_a_late_or_double_reply_with_a_careless_id_ends_no_other_call(met: Met) -> None:
    here, there = met
    assert here.call("Ab", limit=BRIEF)["failure"][0] == TIMEOUT
    there.hear()
    pending = here.calling("next")
    assert there.hear()["id"] == "next"
    there.answer("AB")
    there.answer("AB")
    there.answer("next")
    assert pending.result(PATIENCE)[0]["failure"] is None
    assert here.strays() == [(LATE, "Ab"), (DOUBLE, "Ab")]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"id": "never", "result": 1}, UNMATCHED),
        ({"result": 1}, UNMATCHED),
        ({}, UNMATCHED),
        ({"id": {"a": 1}, "error": {}}, UNMATCHED),
        ({"id": True, "result": 1}, UNMATCHED),
        ({"id": "x", "method": "OrderUpdated", "params": {}}, UNASKED),
        ({"method": "ping"}, UNASKED),
        ([], UNREADABLE),
        ([{"id": "a", "result": 1}], UNREADABLE),
        (42, UNREADABLE),
        (None, UNREADABLE),
        ("", UNREADABLE),
        ("hello", UNREADABLE),
        ('{"id": "a", "result": ', UNREADABLE),
        ('{"id": "a", "result": NaN}', UNREADABLE),
        ("[" * 50_000, UNREADABLE),
        (b"\x00\xff\xfe", UNREADABLE),
    ],
    ids=repr,
)
def test_what_nobody_waited_for_is_kept_with_its_kind(met: Met, sent: Any, kind: str) -> None:
    here, there = met
    there.send(sent)
    ended(here, there)
    assert [(each["kind"], each["session"]) for each in here.evidence["strays"]] == [(kind, 1)]
    assert here.evidence["counts"] == {"sessions": 1, kind: 1}


def test_evidence_is_bounded_and_counts_are_exact(met: Met) -> None:
    here, there = met
    many = MOST_KEPT * 3
    for number in range(many):
        there.send({"method": f"event {number}", "params": {"filler": "x" * 3_000}})
    ended(here, there)
    found = here.evidence
    assert found["counts"][UNASKED] == many
    assert len(found["strays"]) == MOST_KEPT
    assert f"event {many - 1}" in found["strays"][-1]["frame"]
    assert {len(each["frame"]) for each in found["strays"]} == {MOST_SHOWN}


# Replies astray


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"id": "another", "result": 1}, "another id than its request"),
        ({"id": None, "result": 1}, "no id"),
        ({"result": 1}, "no id"),
        ({"id": [], "error": {"errorType": "NotFound"}}, "another id than its request"),
        ({"id": None, "error": {"errorType": "NotFound"}}, "no id"),
    ],
)
def test_a_reply_astray_ends_the_one_call_in_flight(met: Met, sent: Any, told: str) -> None:
    here, there = met
    pending = here.calling("a")
    there.hear()
    there.send(sent)
    kind, text = pending.result(PATIENCE)[0]["failure"]
    assert kind == ASTRAY
    assert text == f"the reply carries {told}"
    assert [method for method, _ in here.evidence["malformed"]["ws.reply-carries-the-id"]] == ["ListAreasV1"]


def test_a_reply_astray_is_told_briefly_however_long_it_is(met: Met) -> None:
    here, there = met
    pending = here.calling("a")
    there.hear()
    there.answer(["x" * 100_000])
    kind, text = pending.result(PATIENCE)[0]["failure"]
    assert kind == ASTRAY
    assert len(text) < 1_000


def test_a_reply_astray_ends_none_of_several_calls(met: Met) -> None:
    here, there = met
    pending = here.calling("a", "b", limit=1.0)
    there.hear()
    there.hear()
    there.answer("another")
    there.answer("b")
    first, second = pending.result(PATIENCE)
    assert first["failure"] == [
        TIMEOUT,
        "no answer within 1 s; 1 replies came in the meantime that carry no id of ours",
    ]
    assert second["failure"] is None


@pytest.mark.parametrize("sent", [{"id": "x", "method": "M"}, {"id": "x"}, {"id": "x", "error": None}, "rubbish"])
def test_what_answers_nothing_ends_no_call(met: Met, sent: Any) -> None:
    here, there = met
    pending = here.calling("a")
    there.hear()
    there.send(sent)
    there.answer("a")
    assert pending.result(PATIENCE)[0]["failure"] is None


@pytest.mark.parametrize(
    ("garbage", "error"),
    [
        ("this is no JSON", {"id": None, "error": {"errorType": "InvalidRequest"}}),
        ("this is no JSON", {"error": {"code": -32700}}),
        ("this is no JSON", {"id": "", "error": {"errorType": "InvalidRequest"}}),
        ('{"jsonrpc": "2.0", "id": "of the garbage"}', {"id": "of the garbage", "error": {"code": -32600}}),
    ],
)
def test_an_error_that_answers_garbage_ends_no_call(met: Met, garbage: str, error: Any) -> None:
    here, there = met
    assert here.ask("send", text=garbage, limit=PATIENCE) == 1
    pending = here.calling("a")
    assert there.connection.recv(PATIENCE) == garbage
    assert there.hear()["id"] == "a"
    there.send(error)
    there.answer("a")
    assert pending.result(PATIENCE)[0]["failure"] is None
    assert here.strays() == [(UNREAD, None)]


def test_garbage_excuses_one_error_and_no_more(met: Met) -> None:
    here, there = met
    here.ask("send", text="garbage", limit=PATIENCE)
    pending = here.calling("a")
    assert there.connection.recv(PATIENCE) == "garbage"
    assert there.hear()["id"] == "a"
    for _ in range(2):
        there.send({"id": None, "error": {"errorType": "InvalidRequest"}})
    assert pending.result(PATIENCE)[0]["failure"][0] == ASTRAY


def test_garbage_excuses_no_result(met: Met) -> None:
    here, there = met
    here.ask("send", text="garbage", limit=PATIENCE)
    pending = here.calling("a")
    assert there.connection.recv(PATIENCE) == "garbage"
    assert there.hear()["id"] == "a"
    there.send({"id": None, "result": {}})
    assert pending.result(PATIENCE)[0]["failure"][0] == ASTRAY


# Sessions that end


def test_a_call_whose_session_is_dropped_is_not_sent_again(met: Met) -> None:
    here, there = met
    pending = here.calling("a")
    there.hear()
    there.drop()
    kind, text = pending.result(PATIENCE)[0]["failure"]
    assert kind == DROPPED
    assert text == "the session was closed (code 1006)"
    with till(here.url) as other:
        ended(here, other)
        assert here.strays() == []


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1011, "the till is on fire"), (4000, "é")])
def test_a_close_is_told_with_its_code(met: Met, code: int, reason: str) -> None:
    here, there = met
    pending = here.calling("a")
    there.hear()
    there.connection.close(code, reason)
    kind, text = pending.result(PATIENCE)[0]["failure"]
    assert kind == DROPPED
    assert text == f"the session was closed (code {code}{f', {reason!r}' if reason else ''})"
    until(lambda: here.evidence["sessions"][0]["closed"])
    (record,) = here.evidence["sessions"]
    assert (record["code"], record["reason"], record["ours"]) == (code, reason, False)
    assert record["closed"] >= record["opened"]


def test_a_read_whose_session_is_lost_is_sent_again_on_the_next(met: Met) -> None:
    here, there = met
    pending = here.calling("a", again=True)
    there.hear()
    there.drop()
    with till(here.url) as other:
        assert other.hear()["id"] == "a"
        other.answer("a")
        (found,) = pending.result(PATIENCE)
    assert found["failure"] is None
    assert found["session"] == 2
    assert found["notes"] == ["the session was closed (code 1006); sent again on the next one"]
    assert here.strays() == []


def test_a_read_is_sent_again_once(met: Met) -> None:
    here, there = met
    pending = here.calling("a", again=True)
    there.hear()
    there.drop()
    with till(here.url) as other:
        other.hear()
        other.drop()
        (found,) = pending.result(PATIENCE)
    assert found["failure"][0] == DROPPED
    assert found["session"] == 2
    assert len(found["notes"]) == 1


def test_all_calls_in_flight_end_with_their_session(met: Met) -> None:
    here, there = met
    pending = here.calling(*"abcd")
    for _ in range(4):
        there.hear()
    there.answer("b")
    there.drop()
    kinds = [(each["failure"] or [None])[0] for each in pending.result(PATIENCE)]
    assert kinds == [DROPPED, None, DROPPED, DROPPED]


def test_a_call_made_while_the_epos_is_away_waits_for_it(met: Met) -> None:
    here, there = met
    there.drop()
    here.seen(0)
    pending = here.calling("a")
    with till(here.url) as other:
        assert other.hear()["id"] == "a"
        other.answer("a")
        assert pending.result(PATIENCE)[0]["session"] == 2


def test_a_call_waits_for_an_epos_that_is_away_no_longer_than_that() -> None:
    with meeting(ws_timeout=BRIEF) as (here, there):
        there.drop()
        here.seen(0)
        found = here.call("a")
        assert found["failure"] == [AWAY, f"the EPOS holds no session, and dialled none for {BRIEF:g} s"]
        assert found["session"] == 0
        # Time counts from when it left: the second call needn't wait.
        started = time.monotonic()
        assert here.call("b")["failure"][0] == AWAY
        assert time.monotonic() - started < BRIEF


def test_frames_and_pings_for_nobody_are_told_so() -> None:
    with desk(ws_timeout=BRIEF) as here:
        assert here.ask("send", text="x", limit=1) == 0
        assert here.ask("ping", data="x", limit=1)["session"] == 0
        assert here.ask("ping", data="x", limit=1)["answered"] is False
        assert here.ask("await", after=0, limit=0) == 0
        assert here.ask("open") == []


def test_a_session_that_is_being_closed_is_not_called() -> None:
    """A call waits for the next session then, also where it changes something: it hasn't been sent."""
    with desk() as here, bare(here.url) as closing:
        head_of(closing)
        here.seen(1)
        # It says that it closes, and leaves the connection open when we answer.
        closing.sendall(frame(b"\x03\xe8", opcode=8))
        assert closing.recv(4) == b"\x88\x02\x03\xe8"
        pending = here.calling("a")
        with till(here.url) as other:
            other.serve()
            (found,) = pending.result(PATIENCE)
    assert (found["failure"], found["session"], found["notes"]) == (None, 2, [])


# Several sessions


def test_the_newest_session_is_used(met: Met) -> None:
    here, _ = met
    with till(here.url) as newer:
        here.seen(2)
        pending = here.calling("a")
        newer.serve()
        assert pending.result(PATIENCE)[0]["session"] == 2
    here.seen(1)


def test_when_the_newest_ends_the_one_before_is_used(met: Met) -> None:
    here, there = met
    with till(here.url):
        here.seen(2)
    here.seen(1)
    pending = here.calling("a")
    there.serve()
    assert pending.result(PATIENCE)[0]["session"] == 1


def test_a_reply_over_another_session_ends_no_call_there(met: Met) -> None:
    here, there = met
    first = here.calling("a", limit=2.0)
    there.hear()
    with till(here.url) as newer:
        here.seen(2)
        second = here.calling("b")
        newer.hear()
        newer.answer("a")
        newer.answer("b")
        assert second.result(PATIENCE)[0]["failure"] is None
        assert here.strays() == [(UNMATCHED, "a")]
        there.answer("a")
        assert first.result(PATIENCE)[0]["failure"] is None


def test_two_sessions_that_both_answer_overlap(met: Met) -> None:
    here, _ = met
    with till(here.url):
        until(lambda: here.evidence["overlaps"])
        assert here.evidence["overlaps"] == [[1, 2]]


def test_a_session_left_behind_dead_is_no_overlap() -> None:
    with desk() as here, bare(here.url) as dead:
        head_of(dead)
        here.seen(1)
        with till(here.url), till(here.url):
            # The two that live overlap; by then the dead one has been asked, too.
            until(lambda: here.evidence["overlaps"])
            time.sleep(1)
            assert here.evidence["overlaps"] == [[2, 3]]


def test_a_session_that_ends_when_the_next_begins_is_no_overlap(met: Met) -> None:
    here, there = met
    with till(here.url), till(here.url):
        there.connection.close()
        until(lambda: here.evidence["overlaps"])
        assert here.evidence["overlaps"] == [[2, 3]]


def test_so_many_sessions_are_let_in_and_no_more() -> None:
    with desk() as here, contextlib.ExitStack() as stack:
        for _ in range(MOST_SESSIONS):
            stack.enter_context(till(here.url))
        here.seen(MOST_SESSIONS)
        with bare(here.url) as refused:
            assert b" 503 " in head_of(refused)
        here.seen(MOST_SESSIONS)
        refusal = here.evidence["handshakes"][-1]
        assert refusal["refused"] == [503, "10 sessions are open already; an EPOS holds one"]
        assert refusal["session"] == 0


def test_when_one_leaves_another_is_let_in() -> None:
    with desk() as here, contextlib.ExitStack() as stack:
        opened = [stack.enter_context(till(here.url)) for _ in range(MOST_SESSIONS)]
        here.seen(MOST_SESSIONS)
        opened[3].connection.close()
        here.seen(MOST_SESSIONS - 1)
        with till(here.url) as late:
            here.seen(MOST_SESSIONS)
            pending = here.calling("a")
            late.serve()
            assert pending.result(PATIENCE)[0]["session"] == MOST_SESSIONS + 1


# Time limits


def test_the_limit_of_a_burst_counts_from_the_latest_reply(met: Met) -> None:
    """A till that answers one at a time has a queue: each answer in time, the last long after the limit."""
    here, there = met
    started = time.monotonic()
    pending = here.calling(*"abcde", limit=1.0)
    for _ in "abcde":
        id = there.hear()["id"]
        time.sleep(0.4)
        there.answer(id)
    assert all(each["failure"] is None for each in pending.result(PATIENCE))
    assert time.monotonic() - started > 1.5


def test_a_burst_ends_when_nothing_comes_any_more(met: Met) -> None:
    here, there = met
    pending = here.calling(*"abc", limit=BRIEF)
    there.answer(there.hear()["id"])
    found = pending.result(PATIENCE)
    assert [(each["failure"] or [None])[0] for each in found] == [None, TIMEOUT, TIMEOUT]


def test_the_limit_of_one_call_is_not_put_off_by_others(met: Met) -> None:
    here, there = met
    pending = here.calling("a", limit=BRIEF)
    there.hear()
    while not pending.done():
        other = here.calling("b")
        there.serve()
        assert other.result(PATIENCE)[0]["failure"] is None
    assert pending.result()[0]["failure"][0] == TIMEOUT


def test_an_epos_that_takes_no_request_is_told() -> None:
    """Its buffers are full, since it reads nothing: some megabytes on this machine."""
    with desk() as here, bare(here.url) as deaf:
        head_of(deaf)
        here.seen(1)
        found = here.call("a", limit=1.0, text=json.dumps({"id": "a", "filler": "x" * 30_000_000}))
        assert found["failure"] == [TIMEOUT, "the EPOS doesn't take the request within 1 s"]
        # Neither can it be told goodbye.
        started = time.monotonic()
        assert here.ask("close", code=1001) == 1
        assert time.monotonic() - started < PATIENCE
        assert here.ask("open") == []


def test_a_reply_that_is_too_long_ends_the_session() -> None:
    with meeting(max_reply=10_000) as (here, there):
        pending = here.calling("a")
        there.hear()
        with contextlib.suppress(OSError):
            there.answer("a", "x" * 20_000)
        kind, text = pending.result(PATIENCE)[0]["failure"]
        assert kind == BROKEN
        assert text == "the answer is longer than 10000 bytes; the session was closed (--max-reply)"
        here.seen(0)
        assert here.evidence["sessions"][0]["ours"] is True


def test_a_reply_that_is_no_text_ends_the_session_and_is_told() -> None:
    with desk() as here, bare(here.url) as connection:
        head_of(connection)
        here.seen(1)
        pending = here.calling("a")
        connection.recv(4096)
        connection.sendall(frame(b'{"id": "a", "result": "\xff\xfe"}'))
        found = pending.result(PATIENCE)[0]
    assert found["failure"] == [BROKEN, "the answer is no UTF-8; the session was closed (code 1007)"]


@pytest.mark.skipif(not hasattr(socket, "TCP_CORK"), reason="the system can't hold data back")
def test_requests_of_a_burst_arrive_together() -> None:
    with desk() as here, bare(here.url) as connection:
        head_of(connection)
        here.seen(1)
        ids = [f"request-{number}" for number in range(30)]
        pending = here.calling(*ids)
        came = connection.recv(2**20)
        assert sum(each.encode() in came for each in ids) == len(ids)
        for each in ids:
            connection.sendall(frame(json.dumps({"id": each, "jsonrpc": "2.0", "result": {}}).encode()))
        assert all(each["failure"] is None for each in pending.result(PATIENCE))


# Pings


def test_a_ping_is_answered_or_not() -> None:
    with desk() as here, bare(here.url) as silent:
        head_of(silent)
        here.seen(1)
        # Twice the same: the first is still waited for when the second goes out.
        for _ in range(2):
            told = here.ask("ping", data="conformance", limit=BRIEF)
            assert (told["answered"], told["session"]) == (False, 1)
        with till(here.url):
            here.seen(2)
            told = here.ask("ping", data="conformance", limit=PATIENCE)
            assert (told["answered"], told["session"]) == (True, 2)


# Ending them


@pytest.mark.parametrize(("code", "seen"), [(1001, 1001), (1012, 1012), (None, 1006)])
def test_sessions_are_ended_with_a_code_or_dropped(met: Met, code: int | None, seen: int) -> None:
    here, _ = met
    with till(here.url) as second:
        here.seen(2)
        assert here.ask("close", code=code) == 2
        assert here.ask("open") == []
        with pytest.raises(ConnectionClosed):
            second.connection.recv(PATIENCE)
        assert second.connection.close_code == seen
    assert [(each["ours"], each["code"]) for each in here.evidence["sessions"]] == [(True, seen)] * 2


def test_a_till_that_dials_before_the_last_session_has_ended_is_newer_than_it() -> None:
    """What is dialled while the old one is still being closed counts as dialled again."""
    with desk() as here, bare(here.url) as slow:
        head_of(slow)
        here.seen(1)
        pending = here.asking("close", code=1012)
        assert slow.recv(4)[2:4] == b"\x03\xf4"  # 1012 arrives, and isn't answered
        with till(here.url):
            last = pending.result(PATIENCE)
            assert last == 1
            assert here.ask("await", after=last, limit=PATIENCE) == 2


def test_the_next_session_is_waited_for(met: Met) -> None:
    here, _ = met
    assert here.ask("await", after=0, limit=0) == 1
    assert here.ask("await", after=1, limit=0.05) == 0
    pending = here.asking("await", after=1, limit=PATIENCE)
    with till(here.url):
        assert pending.result(PATIENCE) == 2


# Handshakes


def test_each_handshake_is_kept_with_its_session(met: Met) -> None:
    here, _ = met
    with till(here.url, {"Authorization": "Bearer sk_sandbox_x"}):
        here.seen(2)
    first, second = here.evidence["handshakes"]
    assert (first["session"], first["faults"], first["refused"]) == (1, {}, None)
    assert second["session"] == 2
    assert "ws.authorization-names-the-basic-scheme" in second["faults"]
    assert [each["peer"].split(":")[0] for each in here.evidence["sessions"]] == ["127.0.0.1"] * 2


# Turns


def test_turns_are_those_of_a_line() -> None:
    with desk() as here:
        other = here.station.line()
        here.ask("take", mode="shared")
        pending = here.pool.submit(other.ask, "take", mode="alone")
        here.ask("drop")
        pending.result(PATIENCE)
        third: Callable[..., Any] = here.station.line().ask
        waiting = here.pool.submit(third, "take", mode="shared")
        assert not waiting.done()
        other.close()
        waiting.result(PATIENCE)
