"""
Why a check may say ``not-offered``: each reason that the suite gives, and what has to be so for it.
"""

from __future__ import annotations

import re

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from epos_conformance import _contracts
from epos_conformance._checks import DOJO, Examination


#: How the reason ends that leaves out most.
READ_ONLY = "the run is --read-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """
    What a certificate says of its run.
    """

    #: Transport -> the capabilities offered over it.
    offers: Mapping[str, Collection[str]]
    settings: Mapping[str, Any]
    #: Whether Dojo, or a sandbox in its place, was asked.
    dojo: bool

    def had(self, name: str, *values: object) -> bool:
        """Whether the setting *name* was one of *values*, in any of the runs that were merged."""
        value = self.settings.get(name)
        return any(each in values for each in (value if isinstance(value, list) else [value]))

    def dials(self) -> bool:
        """Whether the suite dials the EPOS."""
        value = self.settings.get("partner-ws")
        return any(str(each).startswith(("ws:", "wss:")) for each in (value if isinstance(value, list) else [value]))

    def offered(self, transport: str) -> Collection[str]:
        """What is offered over *transport*; at Dojo, over any."""
        if transport == DOJO:
            return {name for each in self.offers.values() for name in each}
        return self.offers.get(transport, ())


def excused(message: str, examination: Examination, facts: Facts) -> bool:
    """
    Whether *message* is a reason for *examination* to be ``not-offered``, given the *facts*.
    """
    return any(
        found is not None and holds(found, examination, facts)
        for pattern, holds in EXCUSES
        if (found := pattern.fullmatch(message)) is not None
    )


Holds = Callable[["re.Match[str]", Examination, Facts], bool]


def _absent(found: re.Match[str], examination: Examination, facts: Facts) -> bool:
    """What is named is a capability and not offered."""
    offered, known = facts.offered(examination.transport), _contracts.capabilities()
    return all(name in known and name not in offered for name in found["absent"].split(", "))


def _absent_where_told(found: re.Match[str], examination: Examination, facts: Facts) -> bool:
    """Of a flow the tool says what isn't registered, and it may say more than that."""
    return examination.transport == DOJO and _absent(found, examination, facts)


def _shows_no_orders(_: re.Match[str], examination: Examination, facts: Facts) -> bool:
    return not {"GetOrderById", "SearchOrders"} & {*facts.offered(examination.transport)}


def _read_only(_: re.Match[str], examination: Examination, facts: Facts) -> bool:
    return examination.changes and facts.had("read-only", True)


def _production(_: re.Match[str], examination: Examination, facts: Facts) -> bool:
    return examination.transport == DOJO and facts.had("allow-production-changes", False)


def _no_dojo(_: re.Match[str], __: Examination, facts: Facts) -> bool:
    return not facts.dojo or facts.had("dojo-api", None)


def _no_flows(_: re.Match[str], examination: Examination, facts: Facts) -> bool:
    return examination.rule.id.startswith("flows.") and facts.had("flows", False)


def _no_depth(_: re.Match[str], __: Examination, facts: Facts) -> bool:
    return facts.had("depth", 0)


def _dialled(_: re.Match[str], examination: Examination, facts: Facts) -> bool:
    return examination.rule.transport == "ws" and facts.dials()


def _nothing_left_to_ask_for(_: re.Match[str], examination: Examination, facts: Facts) -> bool:
    offered = facts.offered(examination.transport)
    others = [each for name, each in _contracts.capabilities().items() if name not in offered]
    unasked = all(each.changes for each in others) and facts.had("read-only", True)
    return examination.rule.id == "ws.capability-not-offered-is-an-error" and (not others or unasked)


def _of(*templates: str) -> Holds:
    """The partner's data decide it, and nothing but the rules whose template begins like one of *templates*."""

    def holds(_: re.Match[str], examination: Examination, __: Facts) -> bool:
        return any(examination.rule.template.startswith(each) for each in templates)

    return holds


def _excuse(pattern: str, holds: Holds) -> tuple[re.Pattern[str], Holds]:
    return re.compile(pattern, re.DOTALL), holds


_NAME = r"(?P<absent>[A-Za-z]+)"
_NAMES = r"(?P<absent>[A-Za-z]+(?:, [A-Za-z]+)*)"

#: Those that depend on the offer come first: they are nearly all.
EXCUSES = (
    _excuse(rf"{_NAME} isn't (?:claimed|offered)", _absent),
    _excuse(rf"(?:needs|takes) {_NAME}, which isn't offered", _absent),
    _excuse(rf"[\w ,]+ needs {_NAMES}, which (?:isn't|aren't) offered", _absent),
    _excuse(rf"only {_NAME} shows what [\w ]+, and it isn't offered", _absent),
    _excuse(rf"there is no (?:party|reservation) to order for, and {_NAME} isn't offered", _absent),
    _excuse(rf"needs a canceled order, but {_NAME} isn't offered", _absent),
    _excuse(rf"{_NAMES} isn't offered: the flow .+ ended with .+", _absent_where_told),
    _excuse(r"nothing that shows an order is offered", _shows_no_orders),
    _excuse(rf"not examined: it may change something at the partner, and {READ_ONLY}", _read_only),
    _excuse(
        r"not examined: [A-Z]+ \S+ may change something in production; see --allow-production-changes", _production
    ),
    _excuse(r"not examined: there is no Dojo API in this run; .+", _no_dojo),
    _excuse(r"not examined: .+; pass --flows to insist", _no_dojo),
    _excuse(r"not examined: --no-flows", _no_flows),
    _excuse(r"not examined: unusual bodies are switched off \(--depth=0\)", _no_depth),
    _excuse(r"not examined: the suite dials this EPOS[;,] .+", _dialled),
    _excuse(r"not examined: the partner offers every capability that could be asked for", _nothing_left_to_ask_for),
    _excuse(
        r"not examined: there is one thing only that this EPOS can be asked", _of("ws.keeps-concurrent-replies-apart")
    ),
    _excuse(r"orders made with CreateOrder are not payable: .+", _of("journeys.order-and-pay-later")),
    _excuse(
        r"nothing of the kind is shown by \w+ or by reads, even of usual bodies", _of("*.keeps-unusual-", "*.survives-")
    ),
    _excuse(
        r"(?:items with modifiers|set menus) are not sold, and no order shows any \(.*\); .+",
        _of("CreateOrder.keeps-the-modifiers", "CreateOrder.keeps-the-sub-items"),
    ),
    _excuse(r"no order carries \w+, which is optional", _of("GetOrderById.paid-amount-", "GetOrderById.tips-amount-")),
    _excuse(r"no other status is known that the partner takes: .+", _of("UpdateParty.changes-the-status")),
    _excuse(r"nothing is sold for collection: .+", _of("CreateOrder.keeps-the-collection-details")),
    _excuse(r"nothing is registered(?: over REST)?", _of("registration.")),
    _excuse(
        r"only GetOrderById shows what is recorded, and it shows nothing",
        _of("RecordOrderPaymentById.records-nothing-on-a-fully-paid-order"),
    ),
)
