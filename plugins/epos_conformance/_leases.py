"""
What the worker processes of a run share: exclusive use of what the partner has only one of, and what is done once.

A lease is a file lock: the operating system frees it when its process dies, however it dies.
"""

from __future__ import annotations

import hashlib
import pickle

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from filelock import FileLock, Timeout


T = TypeVar("T")


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
        lock = FileLock(self._path(key, "lock"))
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            return None
        return lock

    def once(self, key: str, make: Callable[[], T]) -> T:
        """
        What *make* gives in the process that asks first; the others wait for it and get a copy.
        """
        path = self._path(key, "once")
        with FileLock(path.with_suffix(".making")):
            if path.exists():
                return cast("T", _read(path))
            found = make()
            _write(path, found)
            return found

    def note(self, key: str, value: Any) -> None:
        """Let all processes know *value* by *key*; the latest counts. For a key that the caller holds a lease on."""
        _write(self._path(key, "note"), value)

    def noted(self, key: str) -> Any:
        """What was noted by *key* last; None where nothing was."""
        path = self._path(key, "note")
        return _read(path) if path.exists() else None

    def _path(self, key: str, suffix: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.{suffix}"


def _read(path: Path) -> Any:
    return pickle.loads(path.read_bytes())  # noqa: S301 - written by this run, into a folder of its own


def _write(path: Path, value: Any) -> None:
    new = path.with_suffix(f"{path.suffix}.new")
    new.write_bytes(pickle.dumps(value))
    new.replace(path)
