"""
Payment intents that Dojo knows, for an EPOS that looks each one up there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from epos_conformance.dojo.api import DojoApi
from epos_conformance.intents import Intents


INTENTS = "/payment-intents"

#: Failures in a row after which Dojo isn't asked again.
_PATIENCE = 2

_NONE: Mapping[str, str] = MappingProxyType({})


class DojoIntents(Intents):
    """
    Intents created at Dojo, or at a sandbox, which takes them for captured.

    Where none can be created they are made up, as ever: an EPOS that asks nobody takes those as well.
    """

    def __init__(self, api: DojoApi, *, sandbox: bool) -> None:
        self._api = api
        self._sandbox = sandbox
        self._failures = 0

    def new(self, amount: int, currency: str, tip: int = 0) -> str:
        return self._create(amount, currency, tip) or super().new(amount, currency, tip)

    def twin(self, id: str, amount: int, currency: str, tip: int = 0) -> str | None:
        # Dojo chooses its ids itself.
        wanted = super().twin(id, amount, currency, tip)
        return self._create(amount, currency, tip, {"sandbox-id": wanted}) if self._sandbox and wanted else None

    def unknown(self) -> str:
        # Written like those that it knows: there is more to look at than that.
        return super().new(1, "GBP")

    def _create(self, amount: int, currency: str, tip: int, instructions: Mapping[str, str] = _NONE) -> str | None:
        """The id of a new intent; None where there is none to be had."""
        if self._failures >= _PATIENCE:
            return None
        # What nobody pays (nothing, or less) is asked for as little.
        body: dict[str, Any] = {
            "amount": {"value": max(1, amount), "currencyCode": currency},
            "reference": "EPOS conformance",
            "captureMode": "Auto",
        }
        if self._sandbox:
            body["metadata"] = {**instructions, **({"sandbox-tip": str(tip)} if tip > 0 else {})}
        exchange = self._api.post(INTENTS, body)
        id = exchange.json.get("id") if exchange.succeeded and isinstance(exchange.json, dict) else None
        self._failures = 0 if isinstance(id, str) else self._failures + 1
        return id if isinstance(id, str) else None
