"""
The console script ``dojo-sandbox``.
"""

from __future__ import annotations

import argparse
import logging
import re
import signal
import sys
import threading

from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from epos_conformance._console import say
from epos_conformance._settings import Settings
from epos_conformance.dojo.access import DEFAULT_KEY
from epos_conformance.sandbox import launch
from epos_conformance.sandbox.keys import PREFIX
from epos_conformance.sandbox.store import BrokenState


_KEY = re.compile(rf"{PREFIX}[!-~]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command; answers its exit status.
    """
    options = _parser().parse_args(arguments)
    if wrong := next((each for each in options.key if not _KEY.fullmatch(each)), None):
        known = "a key of production" if wrong.startswith("sk_prod_") else "no key"
        return _refuse(f"--key takes {PREFIX} and more printable characters; this is {known}")
    if options.ca is not None and not options.ca.is_file():
        return _refuse(f"there is no file {str(options.ca)!r}")
    ended = threading.Event()
    _end_by_signal(ended)
    # What is wrong with a request is told to whoever sent it.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    try:
        running = launch.start(
            host=options.host,
            port=options.port,
            keys=options.key,
            settings=Settings(ca=options.ca, fail_after=options.fail_after),
            state=options.state,
            say=say,
        )
    except BrokenState as error:
        return _refuse(str(error))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        return _refuse(f"cannot listen on {options.host}:{options.port}: {reason}")
    with running:
        say(f"Dojo sandbox on {running.url}; an EPOS dials {running.ws_url}")
        if options.key:
            say(f"Authorization: Basic and the key that was named ({len(options.key)}); software-house-id: any")
        else:
            any_key = f"any key that begins with {PREFIX} is an account"
            say(f"Authorization: Basic {DEFAULT_KEY} ({any_key}); software-house-id: any")
        # In slices: on Windows a signal doesn't end a wait.
        while not ended.wait(0.5):
            pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dojo-sandbox",
        description="A Dojo to develop against without a key: registration, payment intents, events, the tester tool.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer over HTTP and WebSocket until interrupted")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    serve.add_argument("--port", type=int, default=8900, help="0 takes any free one (%(default)s)")
    serve.add_argument(
        "--key", action="append", default=[], metavar=f"{PREFIX}...", help="take this key alone; repeatable (any)"
    )
    serve.add_argument("--state", type=Path, metavar="FILE", help="keep everything in this file")
    serve.add_argument("--ca", type=Path, metavar="FILE", help="trust the authority in this file for https://")
    serve.add_argument(
        "--fail-after", type=float, default=10.0, metavar="SECONDS", help="for an EPOS to answer (%(default)g)"
    )
    return parser


def _end_by_signal(ended: threading.Event) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        if ended.is_set():
            raise SystemExit(0)  # twice: whoever is still busy is left
        ended.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)


def _refuse(why: str) -> int:
    sys.stderr.write(f"dojo-sandbox: {why}\n")
    return 2
