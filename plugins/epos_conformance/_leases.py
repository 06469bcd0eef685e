"""
Exclusive use of what the partner has only one of, across the worker processes of a run.

A lease is a file lock: the operating system frees it when its process dies, however it dies.
"""

from __future__ import annotations

import hashlib

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


class Leases:
    """
    The leases of one run, kept in *folder*, which all its processes share.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, key: str, *, wait: float = 0) -> FileLock | None:
        """
        A lease on *key*, or None where another process held it for *wait* seconds. Call ``release`` on it.
        """
        lock = FileLock(self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock")
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            return None
        return lock

    @contextmanager
    def any_of(self, keys: Iterable[str], *, wait: float) -> Iterator[str | None]:
        """
        Hold the first of *keys* that is free, or the first one at all after at most *wait* seconds; else None.
        """
        wanted = list(keys)
        for key in wanted:
            if lock := self.take(key):
                break
        else:
            key = wanted[0] if wanted else ""
            lock = self.take(key, wait=wait) if wanted else None
        try:
            yield key if lock else None
        finally:
            if lock:
                lock.release()
