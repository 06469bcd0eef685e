"""
The console script ``epos-reference``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
import threading

from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import nullcontext, suppress
from types import FrameType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from epos_conformance._console import say
from epos_conformance.reference import faults
from epos_conformance.reference.dojo import DojoLink, NotRegisteredError, Over
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.rest import RestShell
from epos_conformance.reference.server import Server, listen, url_of
from epos_conformance.reference.sockets import KEY, RESELLER, SOFTWARE_HOUSE, SocketShell


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command; answers its exit status.
    """
    options = _parser().parse_args(arguments)
    if options.command == "defects":
        return _list(faults.defects().values())
    if options.command == "variants":
        return _list(faults.variants().values())
    return _dial(options) if options.command == "dial" else _serve(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="epos-reference", description="An EPOS that keeps Dojo's EPOS Data contract, to try the checks on."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer over HTTP until interrupted")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    serve.add_argument("--port", type=int, default=8099, help="0 takes any free one (%(default)s)")
    serve.add_argument("--auth", default="dojo:reference", metavar="USER:PASSWORD", help="credentials (%(default)s)")
    serve.add_argument("--dial", metavar="URL", help="dial this gateway (ws:// or wss://) as well")
    serve.add_argument("--public-url", metavar="URL", help="what Dojo calls it by (where it listens)")
    serve.add_argument("--over", choices=("rest", "ws"), help="what it registers for (whatever it answers over)")
    dial = commands.add_parser("dial", help="dial a gateway and answer over WebSocket until interrupted")
    dial.add_argument("--url", required=True, help="the gateway (ws:// or wss://)")
    for each in (serve, dial):
        each.add_argument("--dojo-api", metavar="URL", help="register there, tell of changes, look payment intents up")
        each.add_argument("--key", default=KEY, help="the API key for Dojo (%(default)s)")
        each.add_argument("--software-house-id", default=SOFTWARE_HOUSE, metavar="ID", help="(%(default)s)")
        each.add_argument("--reseller-id", default=RESELLER, metavar="ID", help="(%(default)s)")
        each.add_argument("--ca", metavar="FILE", help="trust the authority in this file for wss://")
        each.add_argument("--defect", action="append", default=[], metavar="NAME", help="break rules; repeatable")
        each.add_argument("--variant", action="append", default=[], metavar="NAME", help="use a freedom; repeatable")
        each.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    commands.add_parser("defects", help="list the defects and the rules they break")
    commands.add_parser("variants", help="list the variants")
    return parser


def _list(entries: Iterable[faults.Variant]) -> int:
    for each in entries:
        say(f"{each.name}: {each.summary}")
        if isinstance(each, faults.Defect):
            say(f"    breaks {', '.join(each.breaks)}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    user, colon, _ = options.auth.partition(":")
    if not colon:
        return _refuse("--auth takes USER:PASSWORD")
    try:
        epos, app = faults.build(options.defect, options.variant, auth=options.auth)
        shell = _shell(options, options.dial, epos) if options.dial is not None else None
        link = _link(options, epos)
        listening = listen(options.host, options.port)
    except (faults.UnknownNameError, _BadOptionError) as error:
        return _refuse(str(error))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        return _refuse(f"cannot listen on {options.host}:{options.port}: {reason}")
    url = url_of(listening)
    registrations = [_Registration("rest", options.public_url or url, options.auth)]
    registrations += [_Registration("ws")] if shell is not None else []
    registrations = [each for each in registrations if options.over in (None, each.over)]
    _prepare()

    async def settle() -> None:
        await _register(epos, link, registrations)
        say(f"reference EPOS on {url} (user {user})")
        if shell is not None:
            await shell.run()

    with link or nullcontext():
        asyncio.run(_serve_and_settle(listening, app, settle, options.until_stdin_closes))
    return 0


async def _serve_and_settle(
    listening: socket.socket, app: RestShell, settle: Callable[[], Coroutine[Any, Any, None]], until_stdin_closes: bool
) -> None:
    settling: list[asyncio.Task[None]] = []
    server = Server(app, lambda: settling.append(asyncio.ensure_future(settle())))
    if until_stdin_closes:
        _when_stdin_closes(lambda: setattr(server, "should_exit", True))
    try:
        await server.serve([listening])
    finally:
        for each in settling:
            each.cancel()
        await asyncio.gather(*settling, return_exceptions=True)


def _dial(options: argparse.Namespace) -> int:
    try:
        epos, _ = faults.build(options.defect, options.variant)
        shell = _shell(options, options.url, epos)
        link = _link(options, epos)
    except (faults.UnknownNameError, _BadOptionError) as error:
        return _refuse(str(error))
    _prepare()

    async def settle() -> None:
        await _register(epos, link, [_Registration("ws")])
        await shell.run()

    with link or nullcontext():
        asyncio.run(_settle_until_told(settle, options.until_stdin_closes))
    return 0


async def _settle_until_told(settle: Callable[[], Coroutine[Any, Any, None]], until_stdin_closes: bool) -> None:
    loop = asyncio.get_running_loop()
    dialling = asyncio.ensure_future(settle())
    # Windows has no such handlers: there the process ends without closing its session.
    with suppress(NotImplementedError):
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, dialling.cancel)
    if until_stdin_closes:
        _when_stdin_closes(lambda: loop.call_soon_threadsafe(dialling.cancel))
    with suppress(asyncio.CancelledError):
        await dialling


class _BadOptionError(ValueError):
    """
    An option that cannot be.
    """


def _shell(options: argparse.Namespace, url: str, epos: ReferenceEpos) -> SocketShell:
    """What dials *url* for *epos*."""
    try:
        secure = parse_uri(url).secure
    except (InvalidURI, ValueError):
        raise _BadOptionError(f"{url} is not a ws:// or wss:// URL") from None
    try:
        # No context for ws://, which the library insists on.
        context = ssl.create_default_context(cafile=options.ca) if secure else None
    except OSError as error:
        raise _BadOptionError(f"cannot read {options.ca}: {error.strerror or error}") from None
    shell = faults.build_socket(
        epos,
        options.defect,
        options.variant,
        url=url,
        key=options.key,
        software_house_id=options.software_house_id,
        reseller_id=options.reseller_id,
        ssl=context,
    )
    shell.say = say
    return shell


def _link(options: argparse.Namespace, epos: ReferenceEpos) -> DojoLink | None:
    """What speaks to Dojo for *epos*, which uses it from now on; None where it is not to."""
    if options.dojo_api is None:
        return None
    if urlsplit(options.dojo_api).scheme not in ("http", "https") or not urlsplit(options.dojo_api).hostname:
        raise _BadOptionError(f"{options.dojo_api} is not an http:// or https:// URL")
    link = faults.build_link(
        options.defect,
        options.variant,
        url=options.dojo_api,
        key=options.key,
        software_house_id=options.software_house_id,
        reseller_id=options.reseller_id,
    )
    link.say = _warn
    epos.dojo = link
    return link


class _Registration(NamedTuple):
    """
    One of the ways to this EPOS; address and ``user:password`` are REST's.
    """

    over: Over
    url: str = ""
    auth: str = ""


async def _register(epos: ReferenceEpos, link: DojoLink | None, registrations: Iterable[_Registration]) -> None:
    """Makes each of *registrations*, where there is a *link*, or tells why Dojo does not take it."""
    if link is None:
        return
    for over, url, auth in registrations:
        try:
            # In a thread: who registers is called back at once, it may be.
            await asyncio.to_thread(link.register, epos.offered(), over, url=url, auth=auth)
        except NotRegisteredError as reason:
            _warn(f"not registered over {over} at {link.url}: {reason}")


def _prepare() -> None:
    # Signals that come before or after anybody's own handlers are at work end this process all the same.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _leave)
    # What goes wrong in a broken EPOS is what it was started for.
    logging.disable(logging.CRITICAL)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _when_stdin_closes(do: Callable[[], object]) -> None:
    """Does *do* when whoever started us closes our stdin, which dying does too."""

    def follow() -> None:
        # Unbuffered: a thread inside a buffered read would make Python abort at its exit.
        while os.read(sys.stdin.fileno(), 4096):
            pass
        do()

    threading.Thread(target=follow, daemon=True).start()


def _refuse(why: str) -> int:
    _warn(why)
    return 2


def _warn(line: str) -> None:
    sys.stderr.write(f"epos-reference: {line}\n")
