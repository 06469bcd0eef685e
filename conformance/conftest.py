"""
What the checks share.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from epos_conformance import Partner, _run


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
