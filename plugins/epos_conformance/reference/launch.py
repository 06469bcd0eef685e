"""
Starting the reference EPOS as a process of its own, and ending it for certain.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading

from collections.abc import Iterable
from pathlib import Path
from typing import IO

from epos_conformance import _suite
from epos_conformance.reference.server import PATIENCE, Running, in_thread
from epos_conformance.reference.sockets import KEY, RESELLER, SOFTWARE_HOUSE


__all__ = ["Running", "in_thread", "start"]


def start(
    *,
    defects: Iterable[str] = (),
    variants: Iterable[str] = (),
    auth: str = "dojo:reference",
    dial: str | None = None,
    dojo_api: str | None = None,
    over: str | None = None,
    key: str = KEY,
    software_house_id: str = SOFTWARE_HOUSE,
    reseller_id: str = RESELLER,
) -> Running:
    """
    Starts the EPOS on a free port of this machine and waits until it answers; raises `RuntimeError`.

    With *dial*, the same EPOS dials the gateway at that URL with *key* as well. With *dojo_api*, it has registered
    itself at that URL before this returns, or was refused there, and works with it; *over* is ``rest`` or ``ws`` where
    Dojo can call it one way alone.
    """
    command = [sys.executable, "-m", "epos_conformance.reference", "serve", "--port=0", f"--auth={auth}"]
    command += [f"--defect={each}" for each in defects] + [f"--variant={each}" for each in variants]
    command += [f"--key={key}", f"--software-house-id={software_house_id}", f"--reseller-id={reseller_id}"]
    command += [f"--dial={dial}"] if dial is not None else []
    command += [f"--dojo-api={dojo_api}"] if dojo_api is not None else []
    command += [f"--over={over}"] if over is not None else []
    # A pipe for stderr would have to be emptied all the time; a file never fills.
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [*command, "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment(),
            # A Ctrl-C is for the run, which still has things to remove here; this child ends when its stdin is closed.
            start_new_session=True,
        )
        line = _first_line(child)
        if line.startswith("reference EPOS on "):
            return Running(line.split()[3], auth, lambda: _end(child))
        _end(child)
        errors.seek(0)
        told = errors.read().decode(errors="replace").strip()
    raise RuntimeError(f"the reference EPOS did not start: {told or f'no word of it in {PATIENCE:g} s'}")


def _environment() -> dict[str, str]:
    """Ours, with this very package first on the child's path: it need not be installed."""
    home = str(Path(_suite.__file__).parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([home, path] if path else [home])}


def _first_line(child: subprocess.Popen[bytes]) -> str:
    """The first thing that *child* says, or nothing where it is silent for too long."""
    said: list[str] = []
    output: IO[bytes] | None = child.stdout
    assert output is not None
    heard = threading.Event()

    def read() -> None:
        said.append(output.readline().decode())
        heard.set()
        # What it tells of its sessions: a pipe that nobody empties would stop it in the end.
        while output.read1(4096):  # type: ignore[attr-defined]
            pass

    threading.Thread(target=read, daemon=True).start()
    heard.wait(PATIENCE)
    return said[0] if said else ""


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asks *child* to end by closing its stdin, insists if it must, and reaps it."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdout.close()
