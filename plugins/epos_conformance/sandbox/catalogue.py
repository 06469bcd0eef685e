"""
The flows that there are: one for each capability, and one for each journey of a product.
"""

from __future__ import annotations

import re

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from epos_conformance import _contracts
from epos_conformance._contracts import Capability, Example
from epos_conformance.answers import require_success, schema_findings, violate
from epos_conformance.exchange import Exchange
from epos_conformance.partner import Partner
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.journeys import Journey


_PARAMS = {
    "orderId": "An order that the EPOS has.",
    "tableId": "A table that the EPOS has.",
    "partyId": "A party that the EPOS has.",
    "reservationId": "A reservation that the EPOS has.",
}

#: What is only read may be anybody's; what is paid on or locked may be named, as it stays.
_NAMEABLE = ("order", "payable-order", "locked-order", "party", "reservation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """
    A parameter of a flow.
    """

    name: str
    required: bool = False

    def to_json(self) -> dict[str, Any]:
        found = _PARAMS[self.name]
        told = found if self.required else f"{found} One is found or made where none is given."
        return {"name": self.name, "type": "string", "required": self.required, "description": told}


class Play(Protocol):
    """
    What a flow does with the partner, over one transport.
    """

    def __call__(self, partner: Partner, params: Mapping[str, str], registered: Collection[str]) -> None:
        """Takes steps; raises what a check raises. *registered* are the names that the partner is called by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """
    A flow, as it is listed.
    """

    name: str
    #: What its result calls itself.
    title: str
    params: tuple[Param, ...] = ()
    #: Canonical names of the capabilities it calls.
    needs: tuple[str, ...]
    #: What the first step checks the registration of.
    subject: str
    play: Play = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "params": [each.to_json() for each in self.params]}


def flows() -> dict[str, Flow]:
    """Every flow by its name, the published one first."""
    known = _contracts.capabilities()
    rest = (each for name, each in known.items() if name != "GetOrderById")
    found = [_get_order(known["GetOrderById"]), *map(_of_capability, rest), *_journeys()]
    return {each.name: each for each in found}


# Capabilities


def _get_order(capability: Capability) -> Flow:
    def play(partner: Partner, params: Mapping[str, str], registered: Collection[str]) -> None:  # noqa: ARG001
        _examine(partner, capability, partial(partner.call, capability.name, {"orderId": params["orderId"]}), params)

    return Flow(
        name="Get Order",
        title="Get Order through EPOS Data API",
        params=(Param(name="orderId", required=True),),
        needs=(capability.name,),
        subject="GetOrder",
        play=play,
    )


def _of_capability(capability: Capability) -> Flow:
    def play(partner: Partner, params: Mapping[str, str], registered: Collection[str]) -> None:
        ask = partial(partner.attempt, capability, _example(capability, registered))
        _examine(partner, capability, ask, params)

    name = " ".join(re.findall(r"[A-Z][a-z]*", capability.name))
    return Flow(
        name=name,
        title=f"{name} through EPOS Data API",
        params=tuple(_params(capability)),
        needs=(capability.name,),
        subject=capability.name,
        play=play,
    )


def _example(capability: Capability, registered: Collection[str]) -> Example:
    """The first request of *capability*; of events, the first that is registered."""
    return next(
        (each for each in capability.examples if f"{capability.name}:{each.request.get('event')}" in registered),
        capability.examples[0],
    )


def _params(capability: Capability) -> Iterator[Param]:
    """What may be named: never what the flow destroys or rewrites."""
    for each in capability.ids:
        if each.name in _PARAMS and each.kind in _NAMEABLE:
            yield Param(name=each.name)
    if "{tableId}" in str(capability.examples[0].request):
        yield Param(name="tableId")


def _examine(partner: Partner, capability: Capability, ask: Callable[[], Exchange], params: Mapping[str, str]) -> None:
    asked = next((params[each.name] for each in capability.ids if each.name in params), None)
    with partner.steps.take(f"{capability.name} is answered"):
        exchange = ask()
        require_success(exchange, capability)
    with partner.steps.take(f"The answer satisfies the contract of {capability.name}"):
        violate(list(schema_findings(exchange, capability.response[partner.transport.name])))
        found = exchange.result.get("id", asked) if isinstance(exchange.result, dict) else asked
        if asked is not None and not capability.changes and found != asked:
            violate([Finding("$.id", asked, str(found))])


# Journeys


def _journeys() -> Iterator[Flow]:
    """What a card machine or the booking product does, as the checks do it."""
    # Imported where flows are asked for: the stories are of no use to a sandbox that only keeps registrations.
    from epos_conformance.journeys import JOURNEYS

    for each in JOURNEYS.values():
        yield Flow(
            name=each.title,
            title=each.title,
            params=tuple(_journey_params(each.needs)),
            needs=each.needs,
            subject=f"what {each.title} needs",
            play=partial(_travel, each),
        )


def _journey_params(needs: tuple[str, ...]) -> Iterator[Param]:
    if "RecordOrderPaymentById" in needs and "CreateOrder" not in needs:
        yield Param(name="orderId")
    yield Param(name="tableId")


def _travel(
    journey: Journey,
    partner: Partner,
    params: Mapping[str, str],  # noqa: ARG001 - test data by now
    registered: Collection[str],  # noqa: ARG001 - the partner offers what they stand for
) -> None:
    journey.run(partner)
