"""
What a way to reach the partner has to be able to do, whichever it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from epos_conformance._contracts import Capability
from epos_conformance._masking import Masker
from epos_conformance.exchange import Exchange


#: What Dojo's products send with every request, as REST spells it; the waiter is added where one is known.
DOJO_HEADERS = {
    "dojo-requesting-product": "Pay at Table",
    "device-id": "tm_sandbox_conformance",
    "device-type": "Dojo Terminal",
}


class Transport(Protocol):
    """
    The partner's end of one transport, as one process uses it.
    """

    name: str
    #: Where the partner is.
    url: str
    #: ``user:password``, where the suite sends credentials.
    auth: str | None
    mask: Masker

    def call(self, capability: Capability, params: Mapping[str, Any], headers: Mapping[str, str]) -> Exchange:
        """Send a request as Dojo would: the ids and members in *params*, and Dojo's *headers* as REST spells them."""

    def at_once(
        self,
        asked: Sequence[tuple[Capability, Mapping[str, Any]]],
        headers: Mapping[str, str],
        opening: tuple[Capability, Mapping[str, Any]] | None = None,
    ) -> Sequence[Exchange]:
        """Send requests so that they arrive together; *opening* is a read that may be sent before, to be ready."""

    def take_turn(self, *, alone: bool) -> None:
        """Wait until a check may begin: beside others, or *alone* where it disturbs them."""

    def end_turn(self) -> None:
        """The check has ended."""

    def close(self) -> None:
        """Hang up."""
