"""
Conformance checks for EPOS systems that implement Dojo's EPOS Data API.

What authors of checks use; the rest of the package is the suite's own business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from epos_conformance._checks import check
    from epos_conformance._contracts import Capability
    from epos_conformance.exceptions import (
        BrokenAnswer,
        Inconclusive,
        NotOffered,
        Unanswered,
        Unauthorized,
        Violation,
    )
    from epos_conformance.exchange import Exchange
    from epos_conformance.partner import Partner
    from epos_conformance.verdict import Finding

__all__ = [
    "BrokenAnswer",
    "Capability",
    "Exchange",
    "Finding",
    "Inconclusive",
    "NotOffered",
    "Partner",
    "Unanswered",
    "Unauthorized",
    "Violation",
    "check",
]

_HOMES = {
    "BrokenAnswer": "exceptions",
    "Capability": "_contracts",
    "Exchange": "exchange",
    "Finding": "verdict",
    "Inconclusive": "exceptions",
    "NotOffered": "exceptions",
    "Partner": "partner",
    "Unanswered": "exceptions",
    "Unauthorized": "exceptions",
    "Violation": "exceptions",
    "check": "_checks",
}


def __getattr__(name: str) -> Any:
    # Lazy, because pytest imports this package at every start of the environment it is installed in.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
