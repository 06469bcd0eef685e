"""
The reference EPOS as a process: started, found wanting, stopped, orphaned.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

from pathlib import Path

import httpx
import pytest

from epos_conformance import _suite
from epos_conformance.reference import cli, launch
from epos_conformance.reference.server import in_thread


PLUGINS = Path(_suite.__file__).parents[1]
COMMAND = [sys.executable, "-m", "epos_conformance.reference"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PLUGINS)}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=20, check=False
    )


def has_ended(pid: int, within: float = 5.0) -> bool:
    """Whether process *pid* is gone, or a zombie that its new parent has yet to reap."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            if " Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_start_and_stop(capfd: pytest.CaptureFixture[str]) -> None:
    """
    A started EPOS answers, takes variants and credentials, and is gone when stopped; it prints nothing of its own.
    """
    with launch.start(variants=["euro-venue"], auth="till:pa:ss") as running:
        order = httpx.get(f"{running.url}/v1/orders/ord-1005", auth=("till", "pa:ss")).json()

        assert order["totalAmount"]["currencyCode"] == "EUR"
        assert running.auth == "till:pa:ss"
    running.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url)
    assert capfd.readouterr() == ("", "")


def test_start_tells_what_is_wrong() -> None:
    """
    What does not start says why.
    """
    with pytest.raises(RuntimeError, match="no defect called 'nonsense'"):
        launch.start(defects=["nonsense"])


def test_stopping_waits_for_no_hanging_call() -> None:
    """
    A server with a call that never ends is stopped all the same.
    """
    from epos_conformance.reference.faults import build

    with in_thread(build(["everything-hangs"])[1]) as running, pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{running.url}/v1/areas", auth=("dojo", "reference"), timeout=0.1)
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(number: signal.Signals) -> None:
    """
    One line when it is ready, none more, and exit status 0.
    """
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        url = line.split()[3]
        httpx.get(url)
        child.send_signal(number)
        output, errors = child.communicate(timeout=10)

        assert line == f"reference EPOS on {url} (user dojo)\n"
        assert (child.returncode, output, errors) == (0, "", "")


def test_an_orphan_ends() -> None:
    """
    An EPOS whose starter is killed ends with it.
    """
    script = (
        "import sys, time; from epos_conformance.reference import launch; "
        "running = launch.start(); print(running.url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        if not children.exists():
            parent.kill()
            pytest.skip("this system does not tell the children of a process")
        child = int(children.read_text().split()[0])
        assert httpx.get(url).status_code == 401
        parent.kill()
        parent.wait()

        assert has_ended(child)


def test_names_and_ports_are_refused_in_a_line() -> None:
    """
    An unknown name and a busy port are one line on stderr each, and exit status 2.
    """
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        results = [
            run("serve", "--port", "0", "--defect", "totals-are-text"),
            run("serve", "--port", port),
        ]

    told = [each.stderr for each in results]
    assert [each.returncode for each in results] == [2, 2]
    assert told[0] == "epos-reference: there is no defect called 'totals-are-text'; did you mean totals-are-texts?\n"
    assert told[1] == f"epos-reference: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_lists_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Defects are listed with the rules they break, variants with what they are.
    """
    assert cli.main(["defects"]) == 0
    defects = capsys.readouterr().out
    assert cli.main(["variants"]) == 0
    variants = capsys.readouterr().out

    assert "totals-are-texts: totalAmount is a decimal text" in defects
    assert "    breaks *.unknown-id-is-not-found" in defects
    assert "euro-venue: The venue trades in EUR." in variants


def test_bad_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Credentials without a password and an address that is none are refused.
    """
    assert cli.main(["serve", "--auth", "dojo"]) == 2
    assert cli.main(["serve", "--port", "70000"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
