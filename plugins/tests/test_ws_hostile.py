"""
Tills that are broken or hostile over WebSocket: each costs little time and memory and ends in one clear outcome, with a
complete certificate.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from websockets.exceptions import ConnectionClosed, WebSocketException

from epos_conformance import _suite
from epos_conformance.websocket.evidence import MOST_KEPT, UNASKED
from epos_conformance.websocket.outcomes import BROKEN

from .support import Run, lines, run_suite
from .test_reach import free_port
from .tills import PATIENCE, Till, bare, desk, fine, frame, head_of, meeting, till, until


#: What a till does with its session, until that ends.
Behave = Callable[[Till], None]


@contextlib.contextmanager
def redialling(url: str, behave: Behave) -> Iterator[None]:
    """A till that dials *url* again and again."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            # Packing what is big would take longer than sending it.
            with contextlib.suppress(OSError, WebSocketException, EOFError), till(url, compression=None) as found:
                behave(found)
            ended.wait(0.01)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE)


def each_request(there: Till) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(ConnectionClosed):
        for text in there.connection:
            message = NOTHING
            with contextlib.suppress(ValueError):
                message = json.loads(text)
            if isinstance(message, dict) and "method" in message:
                yield message


NOTHING: Any = None


def answer(there: Till, request: dict[str, Any]) -> None:
    """As an EPOS without any areas does."""
    if request["method"] == "ListAreasV1":
        there.send(fine(request, result={"data": [], "totalCount": 0}))
    else:
        error = {"errorType": "InvalidRequest", "debugMessage": "unknown method", "traceId": request["id"]}
        there.send(fine(request, error=error))


def conform(there: Till) -> None:
    for each in each_request(there):
        answer(there, each)


def send_a_huge_frame(there: Till) -> None:
    for _request in each_request(there):
        # Past the library, which would keep all of it.
        there.connection.socket.sendall(frame(b"", length=100_000_000))
        for _ in range(100):
            there.connection.socket.sendall(b"x" * 1_000_000)


def say_much_unasked(there: Till) -> None:
    for number in range(10_000):
        there.send({"method": "OrderUpdatedV1", "params": {"number": number, "filler": "x" * 200}})
    conform(there)


def answer_garbage(there: Till) -> None:
    garbage = itertools.cycle(["<html>", b"\x00\xff" * 500, "[" * 20_000, "null", '"' + "x" * 100_000])
    for _ in each_request(there):
        there.send(next(garbage))


def answer_nothing(there: Till) -> None:
    for _ in each_request(there):
        pass


def answer_too_late(there: Till) -> None:
    timers = []
    for each in each_request(there):

        def late(request: dict[str, Any] = each) -> None:
            with contextlib.suppress(ConnectionClosed):
                answer(there, request)

        timers.append(threading.Timer(0.8, late))
        timers[-1].start()
    for timer in timers:
        timer.join()


def flood(there: Till) -> None:
    for each in each_request(there):
        for number in range(50):
            there.send({"method": f"event {number}", "params": "x" * 1_000})
            there.send("rubbish")
        answer(there, each)


def hang_up(there: Till) -> None:
    for _ in each_request(there):
        there.drop()


def answer_without_ids(there: Till) -> None:
    for _ in each_request(there):
        there.send({"jsonrpc": "2.0", "result": {}})


def open_and_close(_: Till) -> None:
    """Some fifty times a second."""


@dataclass(frozen=True)
class Case:
    behave: Behave
    #: What happened, in the certificate's words.
    words: str
    #: Whether anything can be examined all the same.
    examined: bool = False


CASES = {
    "sends huge frames": Case(send_a_huge_frame, "the answer is longer than 1000000 bytes"),
    "says much unasked": Case(
        say_much_unasked, "frames that were requests or notifications of the EPOS: 10000", examined=True
    ),
    "answers garbage": Case(answer_garbage, "no answer within 0.5 s"),
    "answers nothing": Case(answer_nothing, "no answer within 0.5 s"),
    "answers too late": Case(answer_too_late, "no answer within 0.5 s"),
    "floods": Case(flood, "frames that were no JSON objects: ", examined=True),
    "hangs up": Case(hang_up, "the session was closed (code 1006)"),
    "answers without ids": Case(answer_without_ids, "the reply carries no id"),
    "opens and closes": Case(open_and_close, "sessions ended without the suite's doing"),
}


#: Notes the most memory that the process ever had.
_PEAK = """
import atexit, pathlib

status = pathlib.Path("/proc/self/status")
if status.exists():
    peak = pathlib.Path("peak.txt").absolute()
    atexit.register(lambda: peak.write_text(status.read_text()))
"""


def megabytes(folder: Path) -> float:
    """The most memory that the run in *folder* had; 0 where this system doesn't tell."""
    if not (folder / "peak.txt").exists():
        return 0.0
    (line,) = lines((folder / "peak.txt").read_text(), ["VmHWM:"])
    return int(line.split()[1]) / 1024


def require_complete(run: Run) -> None:
    """Every selected check is in the certificate, and none failed by the suite's own fault."""
    schema = _suite.read_json(_suite.REPORTS / "certificate.schema.json")
    jsonschema.Draft202012Validator(schema).validate(run.certificate)
    counted = re.findall(r"(\d+) (?!deselected)[a-z]+", run.output.splitlines()[-1].partition(" in ")[0])
    assert len(run.certificate["checks"]) == sum(map(int, counted)) > 5
    assert "Traceback" not in run.output
    assert "INTERNALERROR" not in run.output
    assert not [each for each in run.certificate["checks"] if each.get("cause") == "suite"]
    assert (run.folder / "reports" / "certificate.json").stat().st_size < 5_000_000


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_till_ends_in_a_clear_outcome(tmp_path: Path, name: str) -> None:
    case, port = CASES[name], free_port()
    limit = 10 if case.examined else 0.5
    (tmp_path / "conftest.py").write_text(_PEAK, encoding="utf-8")
    with redialling(f"ws://127.0.0.1:{port}/epos", case.behave):
        run = run_suite(
            tmp_path,
            f"--partner-ws={port}",
            "--partner-ws-timeout=3",
            "--capabilities=ListAreas",
            "--slow-after=0.5",
            f"--fail-after={limit}",
            "--settle=0",
            "--max-reply=1000000",
            "-k",
            "ListAreas or ws.answers-every-request or ws.reply-carries",
            timeout=100,
        )

    require_complete(run)
    assert run.seconds < 60
    assert megabytes(tmp_path) < 300
    told = " ".join(str(each.get("message")) for each in run.certificate["checks"]) + run.output
    if case.examined:
        assert "ws.answers-every-request-in-flight" in run.rules("conforms"), run.output
    else:
        assert run.status == 1, run.output
        assert run.certificate["verdict"] in ("not-conformant", "not-proven")
        assert "ws.answers-every-request-in-flight" not in run.rules("conforms")
        assert "ListAreas.answer-matches-schema" not in run.rules("conforms")
    assert case.words in told


# What is bounded in the hub


def test_a_frame_that_only_says_how_long_it_is_ends_the_session_at_once() -> None:
    """A terabyte isn't waited for."""
    with desk(max_reply=1_000_000) as here, bare(here.url) as there:
        head_of(there)
        here.seen(1)
        pending = here.calling("a")
        assert there.recv(1)  # the request
        there.sendall(frame(b"x" * 1_000, length=2**40))
        kind, text = pending.result(PATIENCE)[0]["failure"]
        assert kind == BROKEN
        assert text.startswith("the answer is longer than 1000000 bytes")


@pytest.mark.parametrize("count", [3, 2_000])
def test_fragments_are_counted_together(count: int) -> None:
    with desk(max_reply=1_000_000) as here, bare(here.url) as there:
        head_of(there)
        here.seen(1)
        pending = here.calling("a")
        assert there.recv(1)  # the request
        with contextlib.suppress(OSError):
            there.sendall(frame(b"x" * (1_200_000 // count), fin=False))
            for _ in range(count):
                there.sendall(frame(b"x" * (1_200_000 // count), opcode=0, fin=False))
        assert pending.result(PATIENCE)[0]["failure"][1].startswith("the answer is longer than 1000000 bytes")


def test_what_unpacks_to_much_is_too_long() -> None:
    with meeting(max_reply=1_000_000) as (here, there):
        pending = here.calling("a")
        there.hear()
        with contextlib.suppress(ConnectionClosed):
            there.answer("a", "x" * 20_000_000)
        assert pending.result(PATIENCE)[0]["failure"][1].startswith("the answer is longer than 1000000 bytes")


def test_calls_are_answered_in_the_midst_of_a_flood() -> None:
    with meeting() as (here, there):
        pending = here.calling("a")
        there.hear()
        for number in range(10_000):
            there.send({"method": "OrderUpdatedV1", "params": {"number": number}})
        there.answer("a")
        assert pending.result(PATIENCE)[0]["failure"] is None
        found = here.evidence
        assert found["counts"][UNASKED] == 10_000
        assert len(found["strays"]) == MOST_KEPT
        assert len(json.dumps(found)) < 1_000_000


def test_fifty_sessions_leave_nothing_but_their_record() -> None:
    with desk() as here:
        for _ in range(50):
            with till(here.url):
                pass
        here.seen(0)
        found = here.evidence
        assert found["counts"] == {"sessions": 50}
        assert [each["number"] for each in found["sessions"]] == list(range(1, 51))
        assert {each["code"] for each in found["sessions"]} == {1000}
        assert found["overlaps"] == []
        until(lambda: not here.station._hub._tasks)


@pytest.mark.parametrize(
    "rubbish",
    [b"\x00" * 100, frame(b"x", opcode=3), frame(b"\xff\xfe"), frame(b"x" * 200, opcode=9)],
    ids=["unmasked", "unknown kind", "no UTF-8", "a long ping"],
)
def test_a_protocol_that_is_broken_ends_the_session(rubbish: bytes) -> None:
    with desk() as here, bare(here.url) as there:
        head_of(there)
        here.seen(1)
        pending = here.calling("a")
        assert there.recv(1)  # the request
        there.sendall(rubbish)
        assert pending.result(PATIENCE)[0]["failure"][0] == BROKEN
        here.seen(0)
