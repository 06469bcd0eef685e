"""
What one conversation tells about many rules: findings by what they show, and the exchanges that show it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

T = TypeVar("T")

#: Findings that are told of one rule; they look alike.
MOST_FINDINGS = 3

#: Why something could not be settled.
UNSETTLED = "rows come and go all the time: try again while the venue is quiet"


@dataclass(kw_only=True)
class Told:
    """
    What came of a conversation that is held once in a run.
    """

    #: Fact -> where it was found.
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    #: Facts that nobody can tell.
    unsettled: set[str] = field(default_factory=set)
    #: Fact -> the exchanges that show it first, counted from the beginning of the conversation.
    evidence: dict[str, slice] = field(default_factory=dict)

    def add(self, fact: str, findings: Sequence[Finding] | None, evidence: slice) -> None:
        """Take down *findings* of *fact*, the first few of many; None where it can't be told."""
        if findings is None:
            self.unsettled.add(fact)
            return
        known = self.findings.setdefault(fact, [])
        if findings and not known:
            self.evidence[fact] = evidence
        known += list(findings)[: max(0, MOST_FINDINGS - len(known))]


ToldT = TypeVar("ToldT", bound=Told)


class Camera:
    """
    Takes down which exchanges of a conversation belong to the latest of its parts.
    """

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self._start = len(partner.exchanges)
        self.latest = slice(0, 0)

    def take(self, act: Callable[[], T]) -> T:
        """What *act* gives."""
        start = len(self._partner.exchanges)
        try:
            return act()
        finally:
            self.latest = slice(start - self._start, len(self._partner.exchanges) - self._start)


def require(partner: Partner, tell: Callable[[], ToldT], fact: str, *, hint: str | None = None) -> ToldT:
    """
    What *tell* tells, where it shows nothing of *fact*; raises `Violation` or `Inconclusive` otherwise.
    """
    start = len(partner.exchanges)
    told = tell()
    if findings := told.findings.get(fact):
        # What is shown of a violation are its last exchanges: those that show it.
        partner.exchanges += partner.exchanges[start:][told.evidence[fact]]
        raise Violation(*findings, hint=hint)
    if fact in told.unsettled:
        raise Inconclusive(UNSETTLED)
    return told
