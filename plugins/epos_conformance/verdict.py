"""
What was concluded. Nothing here knows of pytest, HTTP or Allure.

A check ends in an `Outcome`; a `Result` is that outcome with everything a reader needs to believe it. Verdicts of
capabilities, products and the whole run follow from results alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How much the contract insists."""

    #: Breaking it refuses the certificate.
    MUST = "must"
    #: Breaking it is a recommendation.
    SHOULD = "should"
    #: Worth knowing, never held against anybody.
    INFO = "info"


class Basis(StrEnum):
    """Where a rule comes from."""

    #: A published page says so.
    DOCUMENTED = "documented"
    #: No page says so, but the contract can't work otherwise.
    DERIVED = "derived"


class Outcome(StrEnum):
    """How a check ended."""

    CONFORMS = "conforms"
    VIOLATES = "violates"
    #: The capability isn't claimed, or the user forbade examining it.
    NOT_OFFERED = "not-offered"
    #: Could not be examined; the message says why.
    INCONCLUSIVE = "inconclusive"


class Verdict(StrEnum):
    """What the outcomes amount to."""

    CONFORMANT = "conformant"
    WITH_RECOMMENDATIONS = "conformant-with-recommendations"
    NOT_CONFORMANT = "not-conformant"
    #: No must is violated, but one could not be examined, or nothing was.
    NOT_PROVEN = "not-proven"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One difference between what was promised and what came.
    """

    #: Where in the answer or the request: ``$.items[0].quantity``, ``status``.
    where: str
    expected: str
    seen: str
    #: The likely cause, where it can be guessed.
    hint: str | None = None

    def __str__(self) -> str:
        return f"at {self.where}: expected {self.expected}, saw {self.seen}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    The outcome of one check of one rule, over one transport.
    """

    id: str
    case: str | None
    #: The capability it was examined with; None for rules of a transport as a whole.
    capability: str | None
    page: str
    transport: str
    level: Level
    basis: Basis
    sentence: str
    outcome: Outcome
    #: Why, for everything but ``conforms``; there it may say what was seen on the way.
    message: str = ""
    #: Inconclusive for one of a few common causes (``unreachable``, ``credentials``…), so that a reader is told once.
    cause: str | None = None
    source: Sequence[str] = ()
    #: Seconds.
    duration: float = 0.0
    #: The conversation, masked: see `Exchange.to_json`.
    exchanges: Sequence[Mapping[str, Any]] = ()
    #: Of a story, its steps: see `Step.to_json`.
    steps: Sequence[Mapping[str, Any]] = ()
    #: The reason a violation is waived for.
    waiver: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The rule with its case and transport: unique in a run."""
        return f"{self.transport}-{self.id}" + (f"@{self.case}" if self.case else "")

    @property
    def waived(self) -> bool:
        return self.outcome is Outcome.VIOLATES and self.waiver is not None

    @property
    def refuses(self) -> bool:
        """Whether it refuses the certificate."""
        return self.outcome is Outcome.VIOLATES and self.level is Level.MUST and not self.waived

    @property
    def recommends(self) -> bool:
        """Whether it is a recommendation: a should that is broken, or a must that is waived."""
        if self.outcome is not Outcome.VIOLATES:
            return False
        return self.level is Level.SHOULD or (self.level is Level.MUST and self.waived)

    @property
    def unproven(self) -> bool:
        """Whether it leaves the certificate unproven."""
        return self.outcome is Outcome.INCONCLUSIVE and self.level is Level.MUST


def verdict(results: Iterable[Result]) -> Verdict:
    """
    What *results* amount to; ``not-proven`` where nothing was examined.
    """
    seen = [each for each in results if each.outcome is not Outcome.NOT_OFFERED]
    if any(each.refuses for each in seen):
        return Verdict.NOT_CONFORMANT
    if any(each.unproven for each in seen) or all(each.outcome is Outcome.INCONCLUSIVE for each in seen):
        return Verdict.NOT_PROVEN
    if any(each.recommends for each in seen):
        return Verdict.WITH_RECOMMENDATIONS
    return Verdict.CONFORMANT


def counts(results: Iterable[Result]) -> dict[str, int]:
    """
    How many results ended how: the four outcomes, and of the violations the recommendations, notes and waived ones.
    """
    found: Counter[str] = Counter()
    for each in results:
        found[each.outcome] += 1
        if each.waived:
            found["waived"] += 1
        elif each.outcome is Outcome.VIOLATES and each.level is not Level.MUST:
            found["recommendations" if each.level is Level.SHOULD else "notes"] += 1
    return {key: found[key] for key in (*Outcome, "recommendations", "notes", "waived")}


def differences(results: Iterable[Result]) -> list[tuple[str, str | None, dict[str, Outcome]]]:
    """
    Where one transport shows a violation and another none: rule, case, and the outcome over each transport.
    """
    found: dict[tuple[str, str | None], dict[str, Outcome]] = {}
    for each in results:
        found.setdefault((each.id, each.case), {})[each.transport] = each.outcome
    telling = {Outcome.VIOLATES, Outcome.CONFORMS}
    return [(id, case, outcomes) for (id, case), outcomes in found.items() if telling <= {*outcomes.values()}]


def by_capability(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Results by the capability they were examined with; those of no capability are left out."""
    found: dict[str, list[Result]] = {}
    for each in results:
        if each.capability is not None:
            found.setdefault(each.capability, []).append(each)
    return found


def of_product(
    members: Mapping[str, str], claimed: Iterable[str], results: Mapping[str, Sequence[Result]]
) -> tuple[Verdict | None, list[str]]:
    """
    The verdict of a product and the required capabilities that are missing.

    *members* maps its capabilities to ``required`` or ``optional``. A product with something missing has no verdict.
    """
    offered = set(claimed)
    missing = [name for name, need in members.items() if need == "required" and name not in offered]
    if missing:
        return None, missing
    return verdict(each for name in members if name in offered for each in results.get(name, ())), []
