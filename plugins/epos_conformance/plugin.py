"""
The pytest plugin: its options, and what they switch on.

Loaded by every pytest run of the environment that it is installed in, so it imports little and does nothing until a
partner is named. Fixtures live in ``conformance/conftest.py``, where only the checks can see them.
"""

from __future__ import annotations

import os

import pytest

from epos_conformance._options import OPTIONS


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("EPOS conformance")
    for option in OPTIONS:
        if not option.shared:
            group.addoption(option.name, **option.declare())


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    named = (config.option.epos_partner_url, config.option.epos_partner_ws, config.option.epos_partner)
    if not (any(named) or os.environ.get("PARTNER_URL") or os.environ.get("PARTNER_WS")):
        return
    # Only now: the imports cost more than an idle plugin may.
    from epos_conformance import _setup

    _setup.switch_on(config)
