"""
Who may use the session: many checks side by side, or one that disturbs it, alone.
"""

from __future__ import annotations

import asyncio

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal


Mode = Literal["shared", "alone"]


@dataclass(slots=True)
class _Waiting:
    owner: Hashable
    mode: Mode
    granted: asyncio.Future[None] = field(repr=False)


class Turns:
    """
    A lock for readers and a writer, first come, first served: one that wants to be alone isn't passed by others.

    For one event loop. An owner holds at most one turn.
    """

    def __init__(self) -> None:
        self._sharing: set[Hashable] = set()
        self._alone: Hashable | None = None
        self._queue: deque[_Waiting] = deque()

    async def take(self, owner: Hashable, mode: Mode) -> None:
        """Waits until *owner* has a turn. A caller that is canceled leaves the queue."""
        waiting = _Waiting(owner, mode, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._grant()
        try:
            await waiting.granted
        except asyncio.CancelledError:
            self.drop(owner)
            raise

    def drop(self, owner: Hashable) -> None:
        """Ends the turn of *owner*, or its waiting for one; does nothing where there is neither."""
        self._sharing.discard(owner)
        if self._alone == owner:
            self._alone = None
        self._queue = deque(each for each in self._queue if each.owner != owner)
        self._grant()

    def _grant(self) -> None:
        while self._queue and self._alone is None:
            first = self._queue[0]
            if first.mode == "alone" and self._sharing:
                return
            self._queue.popleft()
            if first.mode == "alone":
                self._alone = first.owner
            else:
                self._sharing.add(first.owner)
            if not first.granted.done():
                first.granted.set_result(None)
