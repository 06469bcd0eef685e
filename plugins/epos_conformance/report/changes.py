"""
What differs between two certificates, as values: `difference` finds it, `diff` tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from epos_conformance.verdict import Level


class Kind(StrEnum):
    """How a check changed."""

    #: Newly violated.
    VIOLATED = "violated"
    #: It was violated and conforms now.
    FIXED = "fixed"
    #: Newly inconclusive.
    INCONCLUSIVE = "inconclusive"
    #: No longer examined.
    GONE = "gone"
    #: Newly examined, and it conforms.
    EXAMINED = "examined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    A check that ended otherwise than before.
    """

    id: str
    case: str | None
    transport: str
    #: As it is now; of what is gone, as it was.
    level: Level
    kind: Kind
    #: The outcome, ``waived`` for a violation that is; None where the check was not there.
    before: str | None
    after: str | None
    worse: bool
    sentence: str
    #: What was seen; the partner's words, it may be.
    message: str = ""
    #: What is not the partner's doing: a rule that is new, a level that was raised.
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """As an element of ``changes.checks`` of a certificate."""
        found: dict[str, Any] = {"id": self.id, "case": self.case, "transport": self.transport}
        found |= {"level": str(self.level), "kind": str(self.kind), "before": self.before, "after": self.after}
        return {name: value for name, value in found.items() if name != "case" or value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChange:
    """
    A verdict that is another: of a product, or of the whole.
    """

    #: The product's title; None for the whole.
    product: str | None
    before: str
    after: str
    worse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """
    What differs, the worse first.
    """

    #: ``{finishedAt, verdict, suite}`` of the older and the newer certificate, the suite being its version.
    since: Mapping[str, str]
    until: Mapping[str, str]
    checks: tuple[Change, ...]
    verdicts: tuple[VerdictChange, ...]
    #: What the older and the newer one are about, as people call it, where that differs: two partners, it may be.
    partners: tuple[str, str] | None = None
    #: What a reader has to know of the comparison itself, a sentence each.
    remarks: tuple[str, ...] = field(default=())

    @property
    def worse(self) -> bool:
        """Whether anything got worse."""
        return any(each.worse for each in self.checks) or any(each.worse for each in self.verdicts)

    def of(self, kind: Kind) -> list[Change]:
        """The changes of one *kind*."""
        return [each for each in self.checks if each.kind is kind]

    def to_json(self) -> dict[str, Any]:
        """As ``changes`` of a certificate."""
        return {"since": dict(self.since), "worse": self.worse, "checks": [each.to_json() for each in self.checks]}
