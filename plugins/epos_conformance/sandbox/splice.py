"""
Two protocols on one port: what asks for a WebSocket is handed on to the gateway, byte for byte, by uvicorn itself.
"""

from __future__ import annotations

import asyncio

from typing import Any, cast


class _Half(asyncio.Protocol):
    """
    One of two connections: what comes is written to the other one, as fast as that takes it.
    """

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Half | None = None
        #: What came before the other one was there.
        self.early: list[bytes] = []
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)
        else:
            self.early.append(data)

    def eof_received(self) -> bool:
        # A WebSocket says goodbye by a frame; who is half closed has left without one.
        return False

    def connection_lost(self, _: Exception | None) -> None:
        self.gone = True
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.gone:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.gone:
            self.other.transport.resume_reading()


def splicing(port: int) -> type[asyncio.Protocol]:
    """
    What uvicorn makes of a connection that becomes a WebSocket (its setting ``ws``): a way to *port* of this machine.
    """

    class Splice(_Half):
        def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:  # noqa: ARG002 - uvicorn's call
            super().__init__()

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            # Until the other end is there: who sends without waiting for an answer is not listened to.
            cast("asyncio.Transport", transport).pause_reading()
            self._dialling = asyncio.ensure_future(self._dial())

        async def _dial(self) -> None:
            assert self.transport is not None
            loop = asyncio.get_running_loop()
            try:
                _, other = await loop.create_connection(_Half, "127.0.0.1", port)
            except OSError:
                self.transport.close()
                return
            self.other, other.other = other, self
            assert other.transport is not None
            if self.gone:
                other.transport.close()
                return
            for each in self.early:
                other.transport.write(each)
            self.early.clear()
            self.transport.resume_reading()

    return Splice
