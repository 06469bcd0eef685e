"""
Event loops in threads: how they end.
"""

from __future__ import annotations

import asyncio

from collections.abc import Coroutine
from typing import Any


async def until_hung_up(work: Coroutine[Any, Any, None]) -> None:
    """
    *work*, and in the end no connection that is left over: one that came while a server was ending is in nobody's list.
    """
    try:
        await work
    finally:
        # Only the loop knows them, and it has no public word for them; other kinds of loops don't leave any.
        for each in list(getattr(asyncio.get_running_loop(), "_transports", {}).values()):
            each.abort()
        await asyncio.sleep(0)
