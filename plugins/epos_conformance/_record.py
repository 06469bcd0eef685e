"""
What is known of a run while it goes on: the plan that all its processes follow, and what they found.
"""

from __future__ import annotations

import time

from dataclasses import dataclass, field

from epos_conformance._settings import Settings
from epos_conformance.verdict import Result


@dataclass(slots=True)
class Plan:
    """
    What holds for the whole run, wherever its checks run. Plain values: it is sent to other processes.
    """

    #: Where the partner is; for the reference EPOS, where it was started.
    url: str
    auth: str | None = field(repr=False)
    #: Canonical names of the capabilities to examine.
    offered: tuple[str, ...]
    #: ``claimed`` or ``probed``.
    how_offered: str
    #: Why nothing can be examined; None where something can.
    blocked: str | None
    #: The folder of the leases.
    leases: str


@dataclass(slots=True)
class Record:
    """
    What a run found so far.
    """

    settings: Settings
    #: None until it is made, and where nobody is asked anything.
    plan: Plan | None = None
    #: By `Result.name`.
    results: dict[str, Result] = field(default_factory=dict)
    #: Names of the checks that are to be run, and how many were left out.
    selected: set[str] = field(default_factory=set)
    deselected: int = 0
    #: The rules that the partner's last certificate knew; None where there is none to compare with.
    known: set[str] | None = None
    leftovers: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.time)
