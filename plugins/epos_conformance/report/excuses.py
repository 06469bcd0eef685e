"""
Why a check may say ``not-offered``: each reason that the suite gives, and what has to be so for it.
"""

from __future__ import annotations

import re

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from epos_conformance import _contracts
from epos_conformance._checks import DOJO, Examination
from epos_conformance._masking import MASK
from epos_conformance._settings import DOJO_API
from epos_conformance.journeys import JOURNEYS
from epos_conformance.report.needs import needed


#: How the reason ends that leaves out most.
READ_ONLY = "the run is --read-only"

#: Reasons that the user gave, not the partner.
SWITCHED_OFF = ("not examined: --no-flows", "not examined: unusual bodies are switched off (--depth=0)")

#: Characters of a reason that is compared though something in it is masked.
_LONG = 10_000


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
        # In Python false is 0, too.
        return any(each == other and type(each) is type(other) for each in self._each(name) for other in values)

    def dials(self) -> bool:
        """Whether the suite dials the EPOS."""
        return any(str(each).startswith(("ws:", "wss:")) for each in self._each("partner-ws"))

    def masks(self) -> bool:
        """Whether there were secrets that the suite masks: the user's, or those of a handshake."""
        named = any(each is not None for name in ("partner-auth", "partner-api-key") for each in self._each(name))
        return named or "ws" in self.offers

    def offered(self, transport: str) -> Collection[str]:
        """What is offered over *transport*; at Dojo, over any."""
        if transport == DOJO:
            return {name for each in self.offers.values() for name in each}
        return self.offers.get(transport, ())

    def _each(self, name: str) -> list[Any]:
        value = self.settings.get(name)
        return value if isinstance(value, list) else [value]


def excused(message: str, examination: Examination, facts: Facts) -> bool:
    """
    Whether *message* is a reason for *examination* to be ``not-offered``, given the *facts*.

    A word of it may be a secret of the partner's, and masked: what is left has to be a reason.
    """
    if MASK in message and not (facts.masks() and len(message) <= _LONG):
        return False
    compared = _meet if MASK in message else _matches
    return any(compared(form, message) for form in _forms(examination, facts)) or _flow_excused(
        message, examination, facts
    )


def _forms(examination: Examination, facts: Facts) -> Iterator[str]:
    """The reasons that hold for *examination*; what is free in them is `MASK`."""
    offered = facts.offered(examination.transport)
    if (own := examination.capability) is not None and own.name not in offered:
        yield f"{own.name} isn't claimed"
        yield f"{own.name} isn't offered"
    for name in needed(examination):
        if name not in offered:
            yield from (each.format(absent=name, own=own.name if own else "") for each in ABSENT)
    if examination.rule.id.startswith("journeys."):
        yield from _of_journey(examination.rule.id.removeprefix("journeys."), offered)
    yield from (each.form for each in EXCUSES if each.about(examination) and each.holds(examination, facts))


def _of_journey(id: str, offered: Collection[str]) -> Iterator[str]:
    journey = JOURNEYS[id]
    if missing := [each for each in journey.needs if each not in offered]:
        verb = "isn't" if len(missing) == 1 else "aren't"
        yield f"{journey.title} needs {', '.join(missing)}, which {verb} offered"


def _flow_excused(message: str, examination: Examination, facts: Facts) -> bool:
    """Of a flow the tool says what isn't registered: all that it names is not offered."""
    if examination.rule.id != "flows.ends-in-success" or not facts.dojo:
        return False
    known, offered = _contracts.capabilities(), facts.offered(DOJO)
    if MASK in message:
        return not {*known} <= {*offered} and _meet(FLOW.format(absent=MASK), message)
    absent = message.partition(" isn't")[0]
    return all(each in known and each not in offered for each in absent.split(", ")) and _matches(
        FLOW.format(absent=absent), message
    )


#: Of the one rule that is about flows, whose tool names what it misses.
FLOW = f"{{absent}} isn't offered: the flow {MASK} ended with {MASK}"

#: Where a capability that a check needs, *absent*, isn't offered.
ABSENT = (
    "{absent} isn't offered",
    "needs {absent}, which isn't offered",
    "takes {absent}, which isn't offered",
    "only {absent} shows what {own} stores, and it isn't offered",
    "only {absent} shows what is recorded, and it isn't offered",
    "there is no party to order for, and {absent} isn't offered",
    "there is no reservation to order for, and {absent} isn't offered",
    "needs a canceled order, but {absent} isn't offered",
)


Holds = Callable[[Examination, Facts], bool]


@dataclass(frozen=True, slots=True)
class Excuse:
    """
    A reason that doesn't depend on what a check needs.
    """

    #: What it says; `MASK` stands for any text.
    form: str
    #: How the rules begin that it is for, as they are declared; none for all.
    templates: tuple[str, ...]
    holds: Holds

    def about(self, examination: Examination) -> bool:
        """Whether it is for the rule of *examination*."""
        return not self.templates or examination.rule.template.startswith(self.templates)


def _anyway(_: Examination, __: Facts) -> bool:
    """The partner's data decide it."""
    return True


def _shows_no_orders(examination: Examination, facts: Facts) -> bool:
    return not {"GetOrderById", "SearchOrders"} & {*facts.offered(examination.transport)}


def _read_only(examination: Examination, facts: Facts) -> bool:
    return examination.changes and facts.had("read-only", True)


def _production(examination: Examination, facts: Facts) -> bool:
    production = facts.had("allow-production", True) and facts.had("allow-production-changes", False)
    return examination.transport == DOJO and facts.dojo and production


def _no_dojo(examination: Examination, facts: Facts) -> bool:
    ours = examination.transport == DOJO or examination.rule.id.startswith("pos-events.")
    return ours and (not facts.dojo or facts.had("dojo-api", None))


def _not_answered(examination: Examination, facts: Facts) -> bool:
    """Only where a key alone had Dojo asked does it go without saying that it isn't."""
    return _no_dojo(examination, facts) and facts.had("dojo-api", DOJO_API)


def _no_flows(_: Examination, facts: Facts) -> bool:
    return facts.had("flows", False)


def _no_depth(_: Examination, facts: Facts) -> bool:
    return facts.had("depth", 0)


def _dialled(_: Examination, facts: Facts) -> bool:
    return facts.dials()


def _nothing_left_to_ask_for(examination: Examination, facts: Facts) -> bool:
    offered = facts.offered(examination.transport)
    others = [each for name, each in _contracts.capabilities().items() if name not in offered]
    return not others or (all(each.changes for each in others) and facts.had("read-only", True))


_UNUSUAL = ("*.keeps-unusual-", "*.survives-")
_HANDSHAKE = ("ws.authorization-", "ws.key-has-", "ws.sends-")
_SOLD = ("CreateOrder.keeps-the-modifiers", "CreateOrder.keeps-the-sub-items")

#: In the order in which they are frequent.
EXCUSES = (
    Excuse(f"not examined: it may change something at the partner, and {READ_ONLY}", (), _read_only),
    Excuse(f"not examined: there is no Dojo API in this run; {MASK}", (), _no_dojo),
    Excuse(f"not examined: {MASK}; pass --flows to insist", (), _not_answered),
    Excuse(f"not examined: {MASK} may change something in production; see --allow-production-changes", (), _production),
    Excuse(SWITCHED_OFF[0], ("flows.",), _no_flows),
    Excuse(SWITCHED_OFF[1], _UNUSUAL, _no_depth),
    Excuse(f"nothing of the kind is shown by {MASK} or by reads, even of usual bodies", _UNUSUAL, _anyway),
    Excuse("nothing that shows an order is offered", ("CancelOrderById.stays-canceled-when-read",), _shows_no_orders),
    Excuse("not examined: the suite dials this EPOS; a handshake is seen where the EPOS dials", _HANDSHAKE, _dialled),
    Excuse("not examined: the suite dials this EPOS, and dials again itself", ("ws.redials-",), _dialled),
    Excuse("not examined: the suite dials this EPOS, and dials once", ("ws.keeps-one-session-",), _dialled),
    Excuse(
        "not examined: the partner offers every capability that could be asked for",
        ("ws.capability-not-offered-is-an-error",),
        _nothing_left_to_ask_for,
    ),
    Excuse(
        "not examined: there is one thing only that this EPOS can be asked",
        ("ws.keeps-concurrent-replies-apart",),
        _anyway,
    ),
    Excuse(
        "orders made with CreateOrder are not payable: they are not paid for later",
        ("journeys.order-and-pay-later",),
        _anyway,
    ),
    Excuse(f"{MASK} are not sold, and no order shows any ({MASK}); {MASK}", _SOLD, _anyway),
    Excuse("no order carries paidAmount, which is optional", ("GetOrderById.paid-amount-",), _anyway),
    Excuse("no order carries tipsAmount, which is optional", ("GetOrderById.tips-amount-",), _anyway),
    Excuse(f"no other status is known that the partner takes: {MASK}", ("UpdateParty.changes-the-status",), _anyway),
    Excuse(
        "nothing is sold for collection: data.order-types in partner.toml doesn't name it",
        ("CreateOrder.keeps-the-collection-details",),
        _anyway,
    ),
    Excuse("nothing is registered", ("registration.",), _anyway),
    Excuse("nothing is registered over REST", ("registration.url-is-",), _anyway),
    Excuse(
        "only GetOrderById shows what is recorded, and it shows nothing",
        ("RecordOrderPaymentById.records-nothing-on-a-fully-paid-order",),
        _anyway,
    ),
)


def _matches(form: str, message: str) -> bool:
    """Whether *message* is of that *form*."""
    pattern = ".+".join(map(re.escape, form.split(MASK)))
    return re.fullmatch(pattern, message, re.DOTALL) is not None


def _meet(form: str, message: str) -> bool:
    """Whether there is a text that is of that *form* and becomes *message* by masking."""
    ours, theirs = _symbols(form), _symbols(message)
    # How much of the form there may be, symbol by symbol of the message.
    reached = _skipping({0}, ours)
    for each in theirs:
        if each is None:
            reached = set(range(min(reached), len(ours) + 1))
        else:
            moved = {place for place in reached if place < len(ours) and ours[place] is None}
            moved |= {place + 1 for place in reached if place < len(ours) and ours[place] == each}
            reached = _skipping(moved, ours)
        if not reached:
            return False
    return len(ours) in reached


def _skipping(places: Iterable[int], symbols: list[str | None]) -> set[int]:
    """*places*, and those behind what may stand for nothing."""
    found = set(places)
    for place, each in enumerate(symbols):
        if each is None and place in found:
            found.add(place + 1)
    return found


def _symbols(text: str) -> list[str | None]:
    """The characters of *text*; None where it is masked."""
    first, *others = text.split(MASK)
    found: list[str | None] = [*first]
    for each in others:
        found += [None, *each]
    return found
