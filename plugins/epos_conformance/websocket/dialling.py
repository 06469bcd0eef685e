"""
The other way round: the suite dials an EPOS that listens, for relays and test harnesses.
"""

from __future__ import annotations

import asyncio
import ssl

from collections.abc import Callable, Mapping

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from epos_conformance.websocket.gateway import SILENT
from epos_conformance.websocket.hub import Hub


#: Seconds between attempts: the first one, and the most.
_FIRST, _MOST = 0.1, 5.0


async def keep_dialling(
    hub: Hub, url: str, headers: Mapping[str, str], secure: ssl.SSLContext | None, failed: Callable[[str], None]
) -> None:
    """
    Hold a session with the EPOS at *url* until canceled; *failed* is told why an attempt failed.
    """
    pause = _FIRST
    while True:
        try:
            # A proxy of the environment is for the web, not for the till next door.
            async with connect(
                url,
                additional_headers=headers,
                ssl=secure,
                max_size=hub.most,
                ping_interval=None,
                close_timeout=2,
                proxy=None,
                logger=SILENT,
            ) as socket:
                pause = _FIRST
                try:
                    await hub.serve(socket)
                except asyncio.CancelledError:
                    # As a gateway says goodbye; the library's own word for it is 1011, an error of ours.
                    await socket.close(1001)
                    raise
        except InvalidStatus as error:
            said = " ".join(error.response.body.decode("utf-8", "replace").split())[:200] if error.response.body else ""
            failed(
                f"the EPOS answers the handshake with status {error.response.status_code}{f': {said}' if said else ''}"
            )
        except (OSError, TimeoutError, UnicodeError, WebSocketException) as error:
            failed(f"can't dial {url}: {error or type(error).__name__}")
        await asyncio.sleep(pause)
        pause = min(_MOST, pause * 2)
