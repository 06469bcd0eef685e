"""
An EPOS that dials in is waited for, is told how, and whoever is refused or never comes is told of in the end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from websockets.exceptions import WebSocketException

from epos_conformance import _contracts, _suite
from epos_conformance._reach import Reach, connect
from epos_conformance._record import Access
from epos_conformance._settings import Dial, Listen, Settings
from epos_conformance.websocket.transport import WebSocketTransport

from .support import INTERRUPTIBLE, Run, lines, run_suite
from .tills import KEY, PATIENCE, answering, fine, till, until


class Reporter:
    """
    What of pytest's terminal reporter is used: lines, and a line that is written over.
    """

    def __init__(self, *, tty: bool = False) -> None:
        self.isatty = tty
        self.told: list[str] = []
        self.over: list[str] = []

    def write_line(self, line: str) -> None:
        self.told.append(line)

    def rewrite(self, line: str, *, erase: bool) -> None:
        assert erase
        self.over.append(line)

    def flush(self) -> None:
        pass


class Arriving:
    """
    A partner who is being reached, in the background.
    """

    def __init__(self, settings: Settings, stack: contextlib.ExitStack, reporter: Reporter) -> None:
        self.reporter = reporter
        self.found: dict[str, Access] = {}
        self.reach = Reach(settings, stack, Path(), reporter)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=lambda: self.found.update(self.reach.find()), daemon=True)
        self._thread.start()

    def url(self) -> str:
        """What the EPOS has to dial, once it is told."""
        until(lambda: lines("\n".join(self.reporter.told), ["ws://"]))
        return lines("\n".join(self.reporter.told), ["ws://"])[0].strip()

    def access(self) -> Access:
        """How it is reached, in the end."""
        self._thread.join(PATIENCE)
        return self.found["ws"]


@contextlib.contextmanager
def arriving(*, tty: bool = False, **settings: Any) -> Iterator[Arriving]:
    given = {"ws": Listen("127.0.0.1", 0), "ws_timeout": PATIENCE, "capabilities": ("ListAreas",), **settings}
    with contextlib.ExitStack() as stack:
        yield Arriving(Settings(**given), stack, Reporter(tty=tty))


# Told


def test_what_to_configure_is_told() -> None:
    with arriving(ws_timeout=PATIENCE) as found:
        url = found.url()
        assert found.reporter.told[:4] == [
            f"waiting for the EPOS, {PATIENCE:g} s at most; it has to dial",
            f"    {url}",
            "    Authorization: Basic <API key>",
            "    software-house-id: <your id at Dojo>",
        ]
        with till(url):
            assert found.access().blocked is None
    assert not lines("\n".join(found.reporter.told), ["reseller-id"])


def test_what_was_said_is_told_but_for_the_key() -> None:
    with arriving(api_key=KEY, software_house_id="house", reseller_id="reseller") as found:
        with till(found.url()):
            found.access()
        assert "    Authorization: Basic <the key of --partner-api-key>" in found.reporter.told
        assert "    software-house-id: house" in found.reporter.told
        assert "    reseller-id: reseller" in found.reporter.told
        assert KEY not in "".join(found.reporter.told)


@pytest.mark.parametrize("tty", [False, True])
def test_the_seconds_are_counted_down(tty: bool) -> None:
    with arriving(ws_timeout=1.5, tty=tty) as found:
        access = found.access()
    assert access.blocked == f"no EPOS dialled {access.url} within 1.5 s"
    if tty:
        assert found.reporter.over[0] == "   2 s left "
        assert found.reporter.over[-2:] == ["   0 s left ", ""]
        assert sorted(found.reporter.over[:-1], reverse=True) == found.reporter.over[:-1]
        assert not lines("\n".join(found.reporter.told), ["s left"])
    else:
        # A line each would fill the log of a pipeline.
        assert lines("\n".join(found.reporter.told), ["s left"]) == ["   2 s left"]
        assert found.reporter.over == []


def test_a_refused_handshake_is_told_at_once_and_again_in_the_end() -> None:
    with arriving(ws_timeout=2.0) as found:
        wrong = found.url().replace("/epos", f"/{KEY}")
        for _ in range(3):
            with pytest.raises(WebSocketException), till(wrong):
                pass
        until(lambda: lines("\n".join(found.reporter.told), ["404"]))
        access = found.access()
    news = "refused a handshake with status 404: there is nothing at /*****: dial /epos"
    assert found.reporter.told.count(news) == 1
    assert access.blocked == f"no EPOS dialled {access.url} within 2 s; {news}"


def test_who_is_refused_may_come_again() -> None:
    with arriving() as found:
        with pytest.raises(WebSocketException), till(found.url().replace("/epos", "/")):
            pass
        with till(found.url()):
            assert found.access().blocked is None


def test_without_a_reporter_nothing_is_told() -> None:
    """As with --quiet or another plugin's terminal."""
    with contextlib.ExitStack() as stack:
        chosen = Settings(ws=Listen("127.0.0.1", 0), ws_timeout=0.2, capabilities=("ListAreas",))
        access = Reach(chosen, stack, Path(), None).find()["ws"]
    assert str(access.blocked).startswith("no EPOS dialled ws://127.0.0.1:")


# Reached


def test_what_is_offered_is_found_out_over_the_session() -> None:
    def respond(request: dict[str, Any]) -> list[Any]:
        if request["method"] == "ListAreasV1":
            return [fine(request, result=[])]
        return [fine(request, error={"errorType": "InvalidRequest", "debugMessage": "unknown method"})]

    with arriving(capabilities=None, fail_after=5.0) as found, answering(found.url(), respond):
        access = found.access()
        assert (access.offered, access.how_offered, access.blocked) == (("ListAreas",), "probed", None)


def test_other_processes_have_a_line() -> None:
    with arriving() as found, answering(found.url(), lambda request: [fine(request, result=[])]):
        access = found.access()
        chosen = Settings(ws=Listen("127.0.0.1", 0), fail_after=5.0)
        transport = connect(chosen, "ws", access)
        assert isinstance(transport, WebSocketTransport)
        assert transport.open_sessions() == [1]
        transport.close()


def test_the_keys_of_those_who_dialled_are_known() -> None:
    with arriving() as found, till(found.url(), {"Authorization": "Basic sk_prod_of-the-till"}):
        assert found.access().secrets == ("sk_prod_of-the-till",)


def test_an_epos_that_can_not_be_dialled_is_told_with_the_reason() -> None:
    with arriving(ws=Dial("ws://127.0.0.1:1/epos"), ws_timeout=0.7) as found:
        access = found.access()
    assert str(access.blocked).startswith(
        "no session with ws://127.0.0.1:1/epos within 0.7 s; can't dial ws://127.0.0.1:1/epos: "
    )
    # There is nothing to configure.
    assert not lines("\n".join(found.reporter.told), ["it has to dial"])


def test_an_address_that_is_taken_blocks_the_session_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = Listen("127.0.0.1", taken.getsockname()[1])
        with arriving(ws=where, url="http://127.0.0.1:1") as found:
            found.access()
    assert str(found.found["ws"].blocked).startswith(f"can't listen on {where} (--partner-ws): ")
    assert found.found["rest"].blocked is None
    assert found.found["ws"].offered == ("ListAreas",)


# The whole run


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def dialling(url: str, *arguments: str) -> Iterator[None]:
    """The reference EPOS in a process of its own, which dials *url* until somebody is there."""
    home = str(Path(_suite.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-m", "epos_conformance.reference", "dial", "--url", url, "--until-stdin-closes", *arguments],
        env={**os.environ, "PYTHONPATH": home},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


#: A run of little: one capability, and brief limits.
LITTLE = ("--capabilities=ListAreas", "--slow-after=1", "--fail-after=1")


def require_complete(run: Run) -> None:
    schema = _suite.read_json(_suite.REPORTS / "certificate.schema.json")
    jsonschema.Draft202012Validator(schema).validate(run.certificate)
    assert "Traceback" not in run.output
    assert "INTERNALERROR" not in run.output


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "parallel"])
def test_an_epos_that_dials_is_examined(tmp_path: Path, workers: list[str]) -> None:
    port = free_port()
    with dialling(f"ws://127.0.0.1:{port}/epos", f"--key={KEY}"):
        run = run_suite(tmp_path, f"--partner-ws={port}", *LITTLE, "-k", "ListAreas or authorization", *workers)

    assert run.status == 0, run.output
    require_complete(run)
    assert f"    ws://127.0.0.1:{port}/epos" in run.output.splitlines()
    assert {each["transport"] for each in run.certificate["checks"]} == {"ws"}
    assert {"ListAreas.answer-matches-schema", "ws.authorization-carries-the-raw-key"} <= run.rules("conforms")
    for path in (tmp_path / "reports").rglob("*"):
        assert not path.is_file() or KEY not in path.read_text("utf-8")
    assert KEY not in run.output


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "parallel"])
def test_where_nobody_dials_the_certificate_is_complete(tmp_path: Path, workers: list[str]) -> None:
    port = free_port()
    run = run_suite(tmp_path, f"--partner-ws={port}", "--partner-ws-timeout=1", *LITTLE, *workers)

    assert run.status == 1, run.output
    require_complete(run)
    assert run.certificate["verdict"] == "not-proven"
    assert len(run.certificate["checks"]) > 400
    known = [
        each
        for each in run.certificate["checks"]
        if each["capability"] == "ListAreas" or each["id"].startswith(("ws.", "paging."))
    ]
    # What isn't claimed is no loss, nor is Dojo's side, which nobody asked for.
    unoffered = {each["capability"] for each in run.checks("not-offered")} - {None}
    assert unoffered == {*_contracts.capabilities()} - {"ListAreas"}
    assert {each["outcome"] for each in known} == {"inconclusive"}
    message = f"no EPOS dialled ws://127.0.0.1:{port}/epos within 1 s"
    assert {each["message"] for each in run.checks("inconclusive")} == {message, "nobody has dialled"}
    assert message in run.output
    assert run.seconds < 60


def test_a_till_with_the_wrong_key_is_told_why_nothing_was_examined(tmp_path: Path) -> None:
    port = free_port()
    with dialling(f"ws://127.0.0.1:{port}/epos", "--key=sk_sandbox_another-one"):
        run = run_suite(
            tmp_path,
            f"--partner-ws=0.0.0.0:{port}",
            "--partner-ws-timeout=3",
            *LITTLE,
            "-k",
            "ListAreas.answer or authorization",
            environment={"DOJO_API_KEY": KEY},
        )

    assert run.status == 1, run.output
    require_complete(run)
    assert "refused a handshake with status 401" in run.output
    # What is wrong with the key is found out all the same.
    assert "ws.authorization-carries-the-raw-key" in run.rules("violates")
    assert "ws.authorization-names-the-basic-scheme" in run.rules("conforms")
    assert "sk_sandbox_another-one" not in run.output
    assert KEY not in run.output


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = run_suite(tmp_path, f"--partner-ws={port}", *LITTLE, "-k", "ListAreas.answer")

    assert run.status == 1, run.output
    require_complete(run)
    assert f"can't listen on 127.0.0.1:{port} (--partner-ws): " in run.output


def test_collecting_listens_to_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = run_suite(tmp_path, f"--partner-ws={taken.getsockname()[1]}", "--collect-only", "-q")

    assert run.status == 0, run.output
    assert "ws-ws.reply-carries-the-id" in run.output
    assert not (tmp_path / "reports").exists()


def test_who_tires_of_waiting_has_a_certificate_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    port, home = free_port(), str(Path(_suite.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "-p", "epos_conformance.plugin", f"--partner-ws={port}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": home},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().endswith("s left"):
                break
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()

    run = Run(process.returncode, output, tmp_path, 0)
    assert run.status == 2, output
    require_complete(run)
    assert run.certificate["verdict"] == "not-proven"
    assert run.certificate["selection"]["interrupted"] is True
    assert run.certificate["checks"] == []
