"""
Dojo's side as one run knows it. Plain values: each of its processes is sent them.
"""

from __future__ import annotations

import re

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from epos_conformance.dojo.api import Account
from epos_conformance.dojo.flows import Flow, Param


#: For a sandbox on this machine, where the user names none: that of the reference EPOS.
DEFAULT_KEY = "sk_sandbox_reference"

#: What a name of pytest's may have without being changed on its way between processes.
_PLAIN = re.compile(r"[^A-Za-z0-9 .,_()-]+")


@dataclass(slots=True)
class DojoAccess:
    """
    How Dojo is reached, and what it has to offer.
    """

    account: Account
    #: Whether it is a sandbox of ours, which tells what it was told.
    sandbox: bool = False
    #: Why nothing can be asked of it; None where something can.
    blocked: str | None = None
    flows: tuple[Flow, ...] = ()
    #: Why there are no flows to run.
    no_flows: str | None = None

    def cases(self) -> Mapping[str, Flow]:
        """The flows by the names that their checks have: unique, and plain enough for a command line."""
        return named(self.flows)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """The access that another process wrote with `dataclasses.asdict`."""
        flows = tuple(Flow(each["name"], tuple(Param(**param) for param in each["params"])) for each in told["flows"])
        return cls(**{**told, "account": Account(**told["account"]), "flows": flows})


def named(flows: Sequence[Flow]) -> dict[str, Flow]:
    """*flows* by plain names of their own, told apart by a number where they would be alike."""
    found: dict[str, Flow] = {}
    for each in flows:
        plain = " ".join(_PLAIN.sub("_", each.name).split())[:80].rstrip() or "_"
        name, number = plain, 1
        while name in found:
            number += 1
            name = f"{plain} {number}"
        found[name] = each
    return found
