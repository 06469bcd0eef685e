"""
The hub at work: in a thread of the controlling process, reached by the EPOS and by every process of the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time

from collections import deque
from collections.abc import Callable
from typing import Self

from epos_conformance._loops import until_hung_up
from epos_conformance._settings import Dial, Listen, Settings
from epos_conformance.exceptions import Unreachable
from epos_conformance.websocket import dialling
from epos_conformance.websocket.gateway import PATH, Gateway
from epos_conformance.websocket.handshakes import Expected, Handshake
from epos_conformance.websocket.hub import Hub
from epos_conformance.websocket.lines import LocalLine, answering


#: Seconds that a call waits, at most, for an EPOS that has left.
MOST_AWAY = 30.0

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on

#: Seconds for the thread to start or end.
_PATIENCE = 10.0

#: Seconds to close a session that the suite dialled.
_GOODBYE = 3.0


class Station:
    """
    Where the EPOS's session ends, while the run lasts.
    """

    def __init__(self, settings: Settings, where: Listen | Dial) -> None:
        self._settings = settings
        self._where = where
        #: What the EPOS dials, or what the suite does.
        self.url = ""
        #: Address and token for the lines of other processes.
        self.control = ("", "")
        #: Handshakes and failures that nobody has been told of yet.
        self.news: deque[str] = deque(maxlen=100)
        #: Secrets learnt from handshakes.
        self.secrets: set[str] = set()
        self._failure: Exception | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="EPOS session", daemon=True)

    def __enter__(self) -> Self:
        """Raises `Unreachable` where it can't be listened, or the certificate can't be read."""
        self._thread.start()
        self._ready.wait(_PATIENCE)
        if self._failure is not None:
            raise Unreachable(str(self._failure)) from None
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_PATIENCE)

    def line(self) -> LocalLine:
        """A line for this process."""
        return LocalLine(self._hub, self._loop)

    def wait(self, limit: float, tell: Callable[[float], None]) -> bool:
        """
        Wait *limit* seconds for a session; *tell* is called now and then with the seconds that are left.
        """
        line, until = self.line(), time.monotonic() + limit
        while True:
            left = until - time.monotonic()
            tell(max(0.0, left))
            if line.ask("await", after=0, limit=max(0.0, min(left, 0.5))):
                tell(max(0.0, until - time.monotonic()))
                return True
            if left <= 0:
                return False

    # In the thread

    def _run(self) -> None:
        try:
            asyncio.run(until_hung_up(self._main()))
        except (OSError, OverflowError, ValueError) as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        settings, where = self._settings, self._where
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._hub = Hub(away=min(settings.ws_timeout, MOST_AWAY), most=settings.max_reply)
        async with contextlib.AsyncExitStack() as stack:
            if isinstance(where, Listen):
                await self._listen(stack, where)
            else:
                self._dial(stack, where)
            self.control = await stack.enter_async_context(answering(self._hub))
            self._ready.set()
            await self._ended.wait()

    async def _listen(self, stack: contextlib.AsyncExitStack, where: Listen) -> None:
        settings, secure = self._settings, None
        if settings.ws_tls is not None:
            secure = _server_tls(*settings.ws_tls)
        expected = Expected(
            key=settings.api_key, software_house_id=settings.software_house_id, reseller_id=settings.reseller_id
        )
        gateway = Gateway(self._hub, expected, guarded=not where.loopback, notice=self._notice)
        try:
            server = await stack.enter_async_context(gateway.listening(where.host, where.port, secure))
        except (OSError, OverflowError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OSError(f"can't listen on {where.host}:{where.port} (--partner-ws): {reason}") from None
        port = next(iter(server.sockets)).getsockname()[1]
        # On every interface: the EPOS has to name one that leads here.
        host = socket.gethostname() if where.host in _EVERYWHERE else where.host
        host = f"[{host}]" if ":" in host else host
        self.url = f"{'wss' if secure else 'ws'}://{host}:{port}{PATH}"

    def _dial(self, stack: contextlib.AsyncExitStack, where: Dial) -> None:
        settings = self._settings
        headers = {
            "Authorization": f"Basic {settings.api_key}" if settings.api_key else None,
            "software-house-id": settings.software_house_id,
            "reseller-id": settings.reseller_id,
        }
        secure = None
        if where.url.lower().startswith("wss:"):
            secure = ssl.create_default_context(cafile=settings.ca)
        self.url = where.url
        work = dialling.keep_dialling(
            self._hub, where.url, {name: value for name, value in headers.items() if value}, secure, self._failed
        )
        task = asyncio.create_task(work)

        async def hang_up() -> None:
            task.cancel()
            await asyncio.wait([task], timeout=_GOODBYE)

        stack.push_async_callback(hang_up)

    def _failed(self, why: str) -> None:
        if not self.news or self.news[-1] != why:
            self.news.append(why)

    def _notice(self, handshake: Handshake) -> None:
        self.secrets.update(handshake.secrets)
        if handshake.refused is not None:
            self._failed(f"refused a handshake with status {handshake.refused[0]}: {handshake.refused[1]}")


def _server_tls(certificate: object, key: object) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password of ours, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(str(certificate), str(key), password="")
    except OSError as error:
        raise OSError(f"{certificate} and {key} are no certificate and its key (--partner-ws-tls): {error}") from None
    return context
