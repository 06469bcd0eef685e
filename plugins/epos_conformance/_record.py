"""
What is known of a run while it goes on: the plan that all its processes follow, and what they found.
"""

from __future__ import annotations

import time

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from epos_conformance._settings import Settings
from epos_conformance.dojo.access import DojoAccess
from epos_conformance.verdict import Result


@dataclass(slots=True)
class Access:
    """
    How the partner is reached over one transport, and what it offers there.
    """

    #: Where the partner is; for the reference EPOS, where it was started; for one that dials in, what it dials.
    url: str
    auth: str | None = field(default=None, repr=False)
    #: Canonical names of the capabilities to examine.
    offered: tuple[str, ...] = ()
    #: ``claimed``, ``registered`` or ``probed``.
    how_offered: str = "claimed"
    #: Why nothing can be examined; None where something can.
    blocked: str | None = None
    #: Over WebSocket, address and token of the process that holds the session, and secrets of its handshake.
    control: tuple[str, str] | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class Plan:
    """
    What holds for the whole run, wherever its checks run. Plain values: it is sent to other processes.
    """

    #: Transport -> the partner there.
    access: dict[str, Access]
    #: The folder of the leases.
    leases: str
    #: Dojo's side; where there is none, why.
    dojo: DojoAccess | None = None
    no_dojo: str = ""

    @property
    def offered(self) -> tuple[str, ...]:
        """What is offered over any transport."""
        return tuple(dict.fromkeys(name for each in self.access.values() for name in each.offered))

    @property
    def how_offered(self) -> str:
        return next((each.how_offered for each in self.access.values()), "claimed")

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Plan:
        """The plan that another process wrote with `dataclasses.asdict`."""
        access = {
            name: Access(**{**each, "offered": tuple(each["offered"]), "secrets": tuple(each["secrets"])})
            for name, each in told["access"].items()
        }
        dojo = None if told["dojo"] is None else DojoAccess.from_json(told["dojo"])
        return cls(access, told["leases"], dojo, told["no_dojo"])


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
    #: What the user might want to know: before the checks began, and when they had ended.
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    #: What was done when they had ended.
    afterwards: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.time)
