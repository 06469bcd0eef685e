"""
Switching the suite on in a pytest that was asked to check a partner.
"""

from __future__ import annotations

import pytest

from epos_conformance import _allure, _loading, _values
from epos_conformance._run import ConformanceRun


_MARKERS = (
    "check(id, cases, changes, alone, order, anyway): examines a rule of the catalogue",
    "must: a rule that a certificate depends on",
    "should: a rule whose violation is a recommendation",
    "info: a rule that is never held against anybody",
    "rest: a check over REST",
    "ws: a check over WebSocket",
    "dojo: a check at Dojo, or at a sandbox in its place",
)


def switch_on(config: pytest.Config) -> None:
    """
    Register the run with *config*. Raises `pytest.UsageError` with one sentence where the settings make no sense.
    """
    for each in _MARKERS:
        config.addinivalue_line("markers", each)
    try:
        settings = _loading.load(vars(config.option))
    except _values.BadSetting as error:
        raise pytest.UsageError(str(error)) from None
    if settings is None:
        return
    if not config.option.collectonly:
        try:
            settings.reports.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"can't write results to {settings.reports}: {error.strerror}") from None
    run = ConformanceRun(config, settings)
    config.pluginmanager.register(run, "epos_conformance.run")
    _allure.switch_on(config, run)
