"""
Which checks a run has to have: derived from the checks themselves, the contracts and the rules, without pytest.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

from collections.abc import Iterable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from epos_conformance import _checks, _suite
from epos_conformance._checks import Examination
from epos_conformance.dojo.access import named
from epos_conformance.dojo.flows import Flow


#: Where the checks are imported from: their place in the wheel, which is free in a checkout.
_PACKAGE = f"{__package__}.conformance"


def names(transports: Iterable[str], flows: Iterable[str] = ()) -> set[str]:
    """
    The names, as in `Result.name`, of all checks of a run over *transports*, at whose Dojo there are *flows*.
    """
    return {*examinations(transports, flows)}


def examinations(transports: Iterable[str], flows: Iterable[str] = ()) -> Mapping[str, Examination]:
    """
    What is examined in a run over *transports*, at whose Dojo there are *flows*, by `Examination.name`.

    *flows* are named as the tester tool lists them.
    """
    over, cases = [*transports], [*named([Flow(each) for each in flows])]
    return {each.name: each for mark in _marks() for each in _checks.examinations(mark, over, cases)}


@cache
def _marks() -> tuple[pytest.Mark, ...]:
    """How each check is declared. The first call imports the checks, which takes some tenths of a second."""
    return tuple(
        mark
        for module in _modules()
        for name, function in vars(module).items()
        if name.startswith("test")
        for mark in getattr(function, "pytestmark", ())
        if mark.name == "check"
    )


def _modules() -> list[ModuleType]:
    # In a checkout pytest imports them by another name: each import declares the checks, and neither is to hear of
    # the other's.
    before = {*_checks._DECLARED}
    _checks.forget()
    # Nor is it for a pytest that happens to run here, somebody else's perhaps, to say which marks there are.
    marks: Any = pytest.mark
    config, marks._config = marks._config, None
    try:
        if _PACKAGE not in sys.modules:
            _import_package()
        return [importlib.import_module(f"{_PACKAGE}.{path.stem}") for path in sorted(_suite.CHECKS.glob("test_*.py"))]
    finally:
        marks._config = config
        _checks.forget()
        _checks._DECLARED.update(before)


def _import_package() -> None:
    """Import the checks' package from where it is, which is not below this one in a checkout."""
    where = [str(_suite.CHECKS)]
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, _suite.CHECKS / "__init__.py", submodule_search_locations=where
    )
    assert spec is not None, "a file ending in .py has a spec"
    assert spec.loader is not None, "and a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = module
    spec.loader.exec_module(module)
