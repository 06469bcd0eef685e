"""
Requests of the contracts, filled with the test data of a venue that needs nobody to be asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from epos_conformance import _contracts
from epos_conformance._contracts import Capability, Example
from epos_conformance._settings import KnownData
from epos_conformance.exchange import Exchange
from epos_conformance.venue import Venue


#: What a partner that names everything has in its ``partner.toml``.
KNOWN = KnownData(
    currency="GBP",
    orders=("order 1",),
    cancelable_orders=("order 2",),
    tables=("table 1", "table 2"),
    areas=("bar",),
    waiters=("anna",),
    parties=("party 1",),
    reservations=("reservation 1",),
    items=({"plu": "TEA", "name": "Tea", "amount": 250}, {"plu": "CAKE", "name": "Cake", "amount": 475}),
)


def nobody(name: str, query: Mapping[str, Any]) -> Exchange:
    """Where a venue asks the partner, and these tests have none."""
    raise AssertionError(f"{name} was asked for {query}")


def venue(known: KnownData = KNOWN, seed: int = 1) -> Venue:
    """A venue of which everything is known from the start."""
    return Venue(nobody, frozenset(), known, seed)


def every_example() -> Iterator[tuple[Capability, Example]]:
    """The example requests of all contracts."""
    for capability in _contracts.capabilities().values():
        for example in capability.examples:
            yield capability, example


def full_requests() -> Iterator[tuple[Capability, dict[str, Any]]]:
    """Of every capability that takes a body, its most telling example, filled."""
    for capability in _contracts.capabilities().values():
        if capability.request is not None:
            yield capability, venue().fill(capability.examples[-1].request)
