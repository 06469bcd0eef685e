"""
What the suite's own tests share: runs of the suite as a user starts them, and partners that misbehave on the wire.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send


CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Run:
    """
    One run of the suite: what it printed, its exit status, and the folder it ran in.
    """

    status: int
    output: str
    folder: Path
    seconds: float

    @property
    def certificate(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "reports" / "certificate.json").read_text(encoding="utf-8"))
        return found

    def checks(self, outcome: str) -> list[dict[str, Any]]:
        return [each for each in self.certificate["checks"] if each["outcome"] == outcome]

    def rules(self, outcome: str, *levels: str) -> set[str]:
        """Ids of the rules whose checks ended with *outcome*, of these *levels* or of any."""
        return {each["id"] for each in self.checks(outcome) if not levels or each["level"] in levels}


def run_suite(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, timeout: float = 120) -> Run:
    """
    Run ``pytest`` with *arguments* in *folder*, as a partner's engineer does, in a process of its own.

    Where the suite isn't installed, the checkout's package is found by path.
    """
    started = time.monotonic()
    unwanted = ("PARTNER_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    installed = (Path(sys.executable).parent / "epos-reference").exists()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    if not installed:
        command += ["-p", "epos_conformance.plugin"]
        clean["PYTHONPATH"] = str(CHECKOUT / "plugins")
    # An own configuration file keeps pytest from climbing up to somebody else's.
    if not any((folder / name).exists() for name in ("pytest.ini", "pyproject.toml", "tox.ini")):
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**clean, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Run(done.returncode, done.stdout, folder, time.monotonic() - started)


#: pytest in a process of its own that can be interrupted: whoever runs these tests in the background of a shell ignores
#: the signal, and children take after their parents.
INTERRUPTIBLE = (
    "import signal, sys, pytest; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "sys.exit(pytest.main(sys.argv[1:]))"
)


Talk = Callable[[socket.socket], None]


@contextlib.contextmanager
def partner_that(talk: Talk) -> Iterator[str]:
    """
    A server that does *talk* with every connection; yields its URL.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server, talk), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def _serve(server: socket.socket, talk: Talk) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_one, args=(connection, talk), daemon=True).start()


def _one(connection: socket.socket, talk: Talk) -> None:
    with connection, contextlib.suppress(OSError):
        connection.settimeout(30)
        talk(connection)


def read_request(connection: socket.socket) -> bytes:
    """A request, whole: who hangs up before it has been read resets the connection, and its answer is lost."""
    found = b""
    while not _is_whole(found):
        part = connection.recv(65536)
        if not part:
            raise ConnectionError
        found += part
    return found


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)


def answer(head: str, *parts: bytes, forever: bytes = b"", pause: float = 0) -> Talk:
    """
    Answers every request with *head* and *parts*, then *forever* again and again, or hangs up.
    """

    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n")
        for part in parts:
            connection.sendall(part)
        while forever:
            connection.sendall(forever)
            time.sleep(pause)

    return talk


def lines(text: str, wanted: Sequence[str]) -> list[str]:
    """The lines of *text* that contain each of *wanted*."""
    return [line for line in text.splitlines() if all(each in line for each in wanted)]


class Switch:
    """
    One address for many systems, one after the other: to start a server and to end it takes longer than most tests.
    """

    url = ""
    app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


SERVER = Switch()
