"""
Other processes reach the session over a line of their own: with a token, one request at a time, and a turn ends with
the process that has it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from websockets.sync.client import connect

from epos_conformance.exceptions import Unreachable
from epos_conformance.websocket import messages
from epos_conformance.websocket.lines import RemoteLine

from .tills import PATIENCE, Desk, desk, meeting, till, until


#: A worker: carries out what it reads, a line of JSON each, and writes what came of it.
_WORKER = """
import json, sys

from epos_conformance.exceptions import Unreachable
from epos_conformance.websocket.lines import RemoteLine

line = RemoteLine(sys.argv[1], sys.argv[2])
for text in sys.stdin:
    print("asking", flush=True)
    try:
        print(json.dumps(line.ask(**json.loads(text))), flush=True)
    except Unreachable as error:
        print(json.dumps(f"unreachable: {error}"), flush=True)
"""


class Worker:
    """
    Another process with a line to the session.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def begin(self, op: str, **more: object) -> None:
        """Asks, and waits for nothing."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"op": op, **more}) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "asking\n"

    def end(self) -> object:
        """What came of it."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, op: str, **more: object) -> object:
        self.begin(op, **more)
        return self.end()

    def die(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


@contextlib.contextmanager
def worker(here: Desk) -> Iterator[Worker]:
    with subprocess.Popen(
        [sys.executable, "-c", _WORKER, *here.station.control],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


def call(id: str) -> dict[str, object]:
    text = messages.request(id, "ListAreasV1", {})
    return {"id": id, "method": "ListAreasV1", "text": text, "again": False}


# Another process


def test_a_worker_calls_the_epos() -> None:
    with meeting() as (here, there), worker(here) as other:
        other.begin("call", calls=[call("é-1"), call("2")], limit=PATIENCE)
        there.serve(2)
        found = other.end()
        assert isinstance(found, list)
        assert [json.loads(each["reply"])["id"] for each in found] == ["é-1", "2"]
        assert other.ask("open") == [1]
        assert other.ask("evidence") == here.evidence


def test_a_worker_that_dies_gives_its_turn_back() -> None:
    with desk() as here, worker(here) as other:
        other.ask("take", mode="alone")
        pending = here.asking("take", mode="shared")
        assert not pending.done()
        other.die()
        pending.result(PATIENCE)


def test_a_worker_that_dies_while_it_waits_for_its_turn_holds_up_nobody() -> None:
    with desk() as here, worker(here) as other:
        here.ask("take", mode="shared")
        other.begin("take", mode="alone")
        third = here.station.line()
        until(lambda: waits(here))
        pending = here.pool.submit(third.ask, "take", mode="shared")
        other.die()
        pending.result(PATIENCE)
        third.close()


def waits(here: Desk) -> bool:
    return bool(here.station._hub.turns._queue)


def test_a_worker_that_dies_in_mid_call_ends_no_call_of_others() -> None:
    with meeting() as (here, there):
        with worker(here) as other:
            other.begin("call", calls=[call("of the dead")], limit=PATIENCE)
            assert there.hear()["id"] == "of the dead"
            other.die()
        until(lambda: not here.station._hub.sessions[0].waiting)
        pending = here.calling("a")
        assert there.hear()["id"] == "a"
        there.answer("of the dead")
        there.answer("a")
        assert pending.result(PATIENCE)[0]["failure"] is None
        assert here.strays() == [("late", "of the dead")]


def test_turns_are_kept_between_processes() -> None:
    with desk() as here, worker(here) as first, worker(here) as second:
        first.ask("take", mode="shared")
        second.ask("take", mode="shared")
        pending = here.asking("take", mode="alone")
        first.ask("drop")
        assert not pending.done()
        second.ask("drop")
        pending.result(PATIENCE)


def test_a_worker_is_told_when_the_run_has_ended() -> None:
    with contextlib.ExitStack() as stack:
        with desk() as here:
            other = stack.enter_context(worker(here))
            assert other.ask("open") == []
        for _ in range(2):
            assert str(other.ask("open")).startswith("unreachable: the process that holds the session is gone")


def test_a_worker_that_waits_is_told_when_the_run_ends() -> None:
    with contextlib.ExitStack() as stack:
        with desk() as here:
            other = stack.enter_context(worker(here))
            other.begin("await", after=0, limit=600)
        assert str(other.end()).startswith("unreachable: the process that holds the session is gone")


# Tokens


def test_nobody_is_answered_without_the_token() -> None:
    with desk() as here:
        address, token = here.station.control
        for wrong in ("", "x", token[:-1], f"{token}x"):
            with pytest.raises(Unreachable, match="401"):
                RemoteLine(address, wrong).ask("open")
        with pytest.raises(Exception, match="401"), connect(address, proxy=None):
            pass
        line = RemoteLine(address, token)
        assert line.ask("open") == []
        line.close()


def test_tokens_differ_from_run_to_run() -> None:
    with desk() as here, desk() as there:
        assert here.station.control[1] != there.station.control[1]
        assert len(here.station.control[1]) >= 32


def test_lines_of_others_end_on_this_machine() -> None:
    with desk() as here:
        assert here.station.control[0].startswith("ws://127.0.0.1:")


# Lines in this process


@pytest.fixture
def line() -> Iterator[tuple[Desk, RemoteLine]]:
    with desk() as here:
        found = RemoteLine(*here.station.control)
        yield here, found
        found.close()


def test_an_operation_that_fails_is_told_and_the_line_goes_on(line: tuple[Desk, RemoteLine]) -> None:
    _, found = line
    with pytest.raises(RuntimeError, match=r"AttributeError: .*do_nothing"):
        found.ask("nothing")
    assert found.ask("open") == []


def test_hanging_up_gives_the_turn_back_and_the_line_can_be_used_again(line: tuple[Desk, RemoteLine]) -> None:
    here, found = line
    found.ask("take", mode="alone")
    pending = here.asking("take", mode="shared")
    found.close()
    pending.result(PATIENCE)
    assert found.ask("open") == []


def test_an_answer_that_came_too_late_is_not_that_to_the_next_request(
    line: tuple[Desk, RemoteLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt between request and answer, by the user or by a plugin that limits the time of tests."""
    here, found = line
    assert found.ask("open") == []
    assert found._socket is not None

    def interrupted() -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(found._socket, "recv", interrupted)
        with pytest.raises(KeyboardInterrupt):
            found.ask("evidence")
    assert found.ask("open") == []
    with till(here.url):
        here.seen(1)
        assert found.ask("open") == [1]


def test_a_local_line_is_told_when_the_run_has_ended() -> None:
    with ThreadPoolExecutor() as pool:
        with desk() as here:
            line = here.station.line()
            pending = pool.submit(line.ask, "await", after=0, limit=600)
            until(pending.running)
            until(lambda: here.station._hub._changed._waiters)
        with pytest.raises(Unreachable, match="the session has ended with the run"):
            pending.result(PATIENCE)
        with pytest.raises(Unreachable, match="the session has ended with the run"):
            line.ask("open")
        line.close()
