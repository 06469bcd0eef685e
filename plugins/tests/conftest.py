"""
Fixtures of several test files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from epos_conformance.reference import launch

from . import browsing
from .place import Place, opened
from .score import Teller
from .support import SERVER


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Teller(), "epos_conformance.tests.score")


@pytest.fixture(scope="session")
def server() -> Iterator[None]:
    with launch.in_thread(SERVER) as running:
        SERVER.url = running.url
        yield


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """The reference EPOS, with the variants that the test names."""
    request.getfixturevalue("server")
    with opened(tmp_path, *getattr(request, "param", ())) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[browsing.Browser]:
    """A real browser. Not for longer: as long as it is there, its thread can't run another event loop."""
    with browsing.opened() as found:
        yield found
