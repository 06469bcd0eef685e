"""
A lease is held by one process at a time, and freed when its process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

from collections.abc import Iterator
from pathlib import Path

import pytest

from epos_conformance._leases import Leases


_HOLD = """
import sys, time
from pathlib import Path

from epos_conformance._leases import Leases

held = Leases(Path(sys.argv[1])).take(sys.argv[2])
assert held is not None
print("held", flush=True)
time.sleep(float(sys.argv[3]))
"""


@contextlib.contextmanager
def held_elsewhere(folder: Path, key: str, seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease on *key* for *seconds*, or until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder), key, str(seconds)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(tmp_path)


def test_a_lease_is_free_until_it_is_taken(leases: Leases) -> None:
    first = leases.take("order 1")
    assert first is not None
    assert leases.take("order 1") is None
    first.release()
    second = leases.take("order 1")
    assert second is not None
    second.release()


def test_leases_on_other_things_are_others(leases: Leases) -> None:
    held = [leases.take(key) for key in ("order 1", "order 2", "a/b", "../../etc", "é" * 300)]
    assert all(held)
    for each in held:
        assert each is not None
        each.release()


def test_another_process_can_not_take_what_is_held(tmp_path: Path, leases: Leases) -> None:
    with held_elsewhere(tmp_path, "order 1"):
        started = time.monotonic()
        assert leases.take("order 1", wait=0.2) is None
        assert time.monotonic() - started >= 0.2


def test_a_process_that_is_killed_frees_its_lease(tmp_path: Path, leases: Leases) -> None:
    with held_elsewhere(tmp_path, "order 1") as process:
        process.kill()
        process.wait()
        freed = leases.take("order 1", wait=5)
        assert freed is not None
        freed.release()


def test_waiting_ends_when_the_lease_is_free(tmp_path: Path, leases: Leases) -> None:
    with held_elsewhere(tmp_path, "order 1", seconds=0.3):
        freed = leases.take("order 1", wait=10)
        assert freed is not None
        freed.release()
