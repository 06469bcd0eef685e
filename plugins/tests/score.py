"""
What the suite is worth: which defects it finds under which rules, and which conforming variants it accuses.

Gathered from the defect matrix, over all processes of a run, and told at its end.
"""

from __future__ import annotations

import os

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


#: Properties of the matrix's tests.
FOUND, MISSED, ACCUSED, UNACCUSED = "score-found", "score-missed", "score-accused", "score-unaccused"


@dataclass(slots=True)
class Score:
    """
    Rules by the defects that break them, and variants.
    """

    #: Template of a rule -> defect -> whether it was found.
    rules: dict[str, dict[str, bool]] = field(default_factory=dict)
    #: Variant -> whether it was accused of anything.
    variants: dict[str, bool] = field(default_factory=dict)

    def add(self, properties: Iterable[tuple[str, object]]) -> None:
        for name, value in properties:
            if name in (FOUND, MISSED) and isinstance(value, (list, tuple)):
                rule, defect = value
                self.rules.setdefault(rule, {})[defect] = name == FOUND
            elif name in (ACCUSED, UNACCUSED):
                self.variants[str(value)] = name == ACCUSED

    @property
    def defects(self) -> set[str]:
        return {defect for each in self.rules.values() for defect in each}

    @property
    def missed(self) -> set[str]:
        """Defects that were not found under each rule they break."""
        return {defect for each in self.rules.values() for defect, found in each.items() if not found}

    def __str__(self) -> str:
        found, accused = len(self.defects) - len(self.missed), sum(self.variants.values())
        return (
            f"{len(self.rules)} rules; {found} of {len(self.defects)} defects found under every rule they break; "
            f"{accused} of {len(self.variants)} conforming variants accused"
        )

    def table(self) -> Iterator[str]:
        """Rule by rule, the defects that break it; one that was missed is marked."""
        width = max(map(len, self.rules), default=0)
        for rule, defects in sorted(self.rules.items()):
            names = ", ".join(name if found else f"MISSED {name}" for name, found in sorted(defects.items()))
            yield f"{rule:<{width}}  {names}"


class Teller:
    """
    Hooks that gather the score and tell it.
    """

    def __init__(self) -> None:
        self.score = Score()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.score.add(report.user_properties)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.score.rules and not self.score.variants:
            return
        terminalreporter.section("score")
        terminalreporter.line(str(self.score))
        # The table is longer than everything else that the tests print: where nobody asked for it, it would bury them.
        if path := os.environ.get("SCORE"):
            terminalreporter.section("rule x defect")
            for line in self.score.table():
                terminalreporter.line(line)
            Path(path).write_text("\n".join([str(self.score), "", *self.score.table(), ""]), encoding="utf-8")
