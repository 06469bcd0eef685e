"""
What the checks share.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from epos_conformance import Partner, _run
from epos_conformance.dojo.side import Dojo, Events


def pytest_configure(config: pytest.Config) -> None:
    if _run.of(config) is None and not (config.option.collectonly or config.option.help):
        raise pytest.UsageError("no partner to check: pass --partner-url=URL (or --partner-url=reference)")


@pytest.fixture
def partner(request: pytest.FixtureRequest) -> Iterator[Partner]:
    """
    The partner under test, for one check; what the check makes is removed when it ends.
    """
    run = _run.of(request.config)
    assert run is not None
    found = run.partner(request.param)
    yield found
    found.end()


@pytest.fixture
def dojo(request: pytest.FixtureRequest) -> Iterator[Dojo]:
    """
    Dojo's side, for one check that is about it.
    """
    run = _run.of(request.config)
    assert run is not None
    found = run.dojo(request.param)
    yield found
    found.end()


@pytest.fixture
def events(request: pytest.FixtureRequest) -> Events:
    """
    What the EPOS tells the sandbox from now on.
    """
    run = _run.of(request.config)
    assert run is not None
    return run.events()
