"""
The console script ``epos-reference``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading

from collections.abc import Iterable, Sequence
from types import FrameType

from epos_conformance.reference import faults
from epos_conformance.reference.server import Server, listen, url_of


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command; answers its exit status.
    """
    options = _parser().parse_args(arguments)
    if options.command == "defects":
        return _list(faults.defects().values())
    if options.command == "variants":
        return _list(faults.variants().values())
    return _serve(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="epos-reference", description="An EPOS that keeps Dojo's EPOS Data contract, to try the checks on."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer over HTTP until interrupted")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    serve.add_argument("--port", type=int, default=8099, help="0 takes any free one (%(default)s)")
    serve.add_argument("--auth", default="dojo:reference", metavar="USER:PASSWORD", help="credentials (%(default)s)")
    serve.add_argument("--defect", action="append", default=[], metavar="NAME", help="break rules; repeatable")
    serve.add_argument("--variant", action="append", default=[], metavar="NAME", help="use a freedom; repeatable")
    serve.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    commands.add_parser("defects", help="list the defects and the rules they break")
    commands.add_parser("variants", help="list the variants")
    return parser


def _list(entries: Iterable[faults.Variant]) -> int:
    for each in entries:
        _say(f"{each.name}: {each.summary}")
        if isinstance(each, faults.Defect):
            _say(f"    breaks {', '.join(each.breaks)}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    user, colon, _ = options.auth.partition(":")
    if not colon:
        return _refuse("--auth takes USER:PASSWORD")
    try:
        _, app = faults.build(options.defect, options.variant, auth=options.auth)
        listening = listen(options.host, options.port)
    except faults.UnknownNameError as error:
        return _refuse(str(error))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        return _refuse(f"cannot listen on {options.host}:{options.port}: {reason}")
    # Signals that come before or after uvicorn's own handlers are at work end this process all the same.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _leave)
    # What goes wrong in a broken EPOS is what it was started for.
    logging.disable(logging.CRITICAL)
    server = Server(app, lambda: _say(f"reference EPOS on {url_of(listening)} (user {user})"))
    if options.until_stdin_closes:
        threading.Thread(target=_follow_stdin, args=[server], daemon=True).start()
    asyncio.run(server.serve([listening]))
    return 0


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _follow_stdin(server: Server) -> None:
    """Ends *server* when whoever started it closes our stdin, which dying does too."""
    # Unbuffered: a thread inside a buffered read would make Python abort at its exit.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True


def _refuse(why: str) -> int:
    sys.stderr.write(f"epos-reference: {why}\n")
    return 2


def _say(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`); Python would complain once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
