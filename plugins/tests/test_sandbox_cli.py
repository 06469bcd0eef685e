"""
The sandbox as a process: started, found wanting, ended, and started again where it left off.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from epos_conformance import _suite
from epos_conformance.dojo.access import DEFAULT_KEY
from epos_conformance.sandbox import launch
from epos_conformance.sandbox.store import BrokenState

from .sandboxes import HEADERS, Dojo, reference, rest_body, sandbox


COMMAND = [sys.executable, "-m", "epos_conformance.sandbox", "serve"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(_suite.__file__).parents[1])}

REST = "/epos/integrations/rest"


def refused(*arguments: str) -> str:
    """What is said where the command doesn't start."""
    done = subprocess.run(
        [*COMMAND, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command at work, and the two lines that it begins with."""
    child = subprocess.Popen(
        [*COMMAND, "--port=0", *arguments],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdout is not None
    try:
        yield child, [child.stdout.readline(), child.stdout.readline()]
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_it_says_where_it_is_and_tells_each_call(tmp_path: Path) -> None:
    with serving(f"--state={tmp_path / 'state.json'}") as (child, said):
        url = said[0].split()[3].rstrip(";")
        assert said[0].startswith("Dojo sandbox on http://127.0.0.1:")
        assert "ws://127.0.0.1:" in said[0]
        assert DEFAULT_KEY in said[1]
        headers = {"Authorization": f"Basic {DEFAULT_KEY}", "software-house-id": "x"}
        assert httpx.get(f"{url}/epos/integrations", headers=headers, verify=False).status_code == 200  # noqa: S501
        assert httpx.put(f"{url}{REST}", json=rest_body("https://a.example"), headers=headers).status_code == 200
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read() if child.stdout else ""
        assert child.wait(10) == 0
    assert rest.splitlines()[0].startswith("GET /epos/integrations -> 200 in ")
    assert "Traceback" not in rest
    kept = json.loads((tmp_path / "state.json").read_text())
    assert len(kept["accounts"]) == 1


def test_keys_that_are_named_are_not_repeated() -> None:
    with serving("--key=sk_sandbox_s3cret", "--key=sk_sandbox_another") as (child, said):
        assert "s3cret" not in "".join(said)
        child.terminate()
        assert child.wait(10) == 0


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused(f"--port={port}").startswith(f"dojo-sandbox: cannot listen on 127.0.0.1:{port}: ")


@pytest.mark.parametrize("key", ["sk_prod_x", "sk_sandbox_", "secret", "sk_sandbox_a b"])
def test_a_key_that_is_none_of_a_sandbox_is_refused(key: str) -> None:
    said = refused(f"--key={key}")
    assert said.startswith("dojo-sandbox: --key takes sk_sandbox_")
    assert key == "sk_sandbox_" or key not in said


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": "another"}', '{"format": "dojo-sandbox-state/1"}', '{"accounts": {}}']
)
def test_a_state_that_is_broken_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(BrokenState, match=r"state\.json is (no state|of the format)"):
        launch.start(state=path)
    assert path.read_text() == text


def test_a_broken_state_ends_the_command(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    assert "is no state of a sandbox" in refused(f"--state={tmp_path / 'state.json'}", "--port=0")
    assert "cannot write" in refused(f"--state={tmp_path / 'nowhere' / 'state.json'}", "--port=0")


def test_what_is_kept_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with sandbox(state=path) as dojo, reference() as epos:
        dojo.register_rest(epos.url, auth="dojo:reference")
        dojo.register_ws(["ListAreas"])
        intent = dojo.post("/payment-intents", {"amount": {"value": 7, "currencyCode": "GBP"}, "reference": "7"}).json()
        dojo.post("/epos/events", {"eventType": "OrderUpdated", "event": {"orderId": "O"}})
        result = dojo.run("Get Order", orderId=epos.order)
        before = everything_of(dojo, intent["id"], result["flowID"])
        dojo.running.stop()
        with sandbox(state=path) as again:
            assert everything_of(again, intent["id"], result["flowID"]) == before
            # With the password that it was given once.
            over_rest = again.run("Search Tables")
            assert over_rest["status"] == "SUCCESS"
            assert again.events(after=1) == []
            again.post("/epos/events", {"eventType": "OrderUpdated", "event": {"orderId": "O"}})
            assert [each["number"] for each in again.events(after=1)] == [2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert HEADERS["Authorization"].split()[1] not in path.read_text()
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


def everything_of(dojo: Dojo, intent: str, flow: str) -> list[Any]:
    paths = ("/epos/integrations", f"/payment-intents/{intent}", f"/epos-tester-tool/flows/{flow}", "/sandbox/events")
    return [dojo.get(each).json() for each in paths]


def test_a_flow_that_was_cut_off_has_come_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with sandbox(state=path, fail_after=10) as dojo, socket.create_server(("127.0.0.1", 0)) as silent:
        dojo.register_rest(f"http://127.0.0.1:{silent.getsockname()[1]}")
        id = dojo.start("List Areas")
        dojo.register_rest("https://till.example")  # writes the file
        kept = path.read_text()
        assert '"IN_PROGRESS"' in kept
        (tmp_path / "copy.json").write_text(kept)
    with sandbox(state=tmp_path / "copy.json") as again:
        result = again.result(id)
        assert result["status"] == "FAILURE"
        assert "finishedAt" in result
