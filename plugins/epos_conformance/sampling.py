"""
Requests that every EPOS can answer, for checks of the session itself.
"""

from __future__ import annotations

import uuid

from collections.abc import Iterator, Sequence
from typing import Any

from epos_conformance import _contracts
from epos_conformance._contracts import Capability
from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import Exchange
from epos_conformance.following import rows_of
from epos_conformance.partner import Partner
from epos_conformance.transports import DOJO_HEADERS
from epos_conformance.websocket.exchanges import RpcExchange


def plain(partner: Partner) -> list[RpcExchange]:
    """
    Requests for which nothing has to be known: lists and searches for everything, then reads of what isn't there.

    Raises `Inconclusive` where the partner offers nothing that can be asked so.
    """
    found = [request(partner, each, params) for each, params in _asked(partner)]
    if not found:
        raise Inconclusive("nothing is offered that can be asked without changing anything at the partner")
    return found


def request(
    partner: Partner, capability: Capability, params: dict[str, Any], *, id: str | None = None, **more: Any
) -> RpcExchange:
    """A request of *capability* with Dojo's usual headers, still to be sent."""
    return partner.socket.request(capability, params, DOJO_HEADERS, id=id, **more)


def _asked(partner: Partner) -> Iterator[tuple[Capability, dict[str, Any]]]:
    known = [each for name, each in _contracts.capabilities().items() if partner.offers(name)]
    known.sort(key=lambda each: bool(each.ids))
    for each in known:
        if not each.changes and not each.requires_members:
            yield each, {member.name: f"conformance-{uuid.uuid4().hex[:12]}" for member in each.ids}
    if all(each.name == "HandleEvent" for each in known):
        for each in known:
            yield each, partner.request(each)


def answering(partner: Partner) -> RpcExchange:
    """
    A plain request that the partner has just answered; raises why it answers none.
    """
    exchange = partner.calls(plain(partner)[0])[0]
    if exchange.failure is not None:
        raise exchange.failure
    return exchange


def again(partner: Partner, exchange: RpcExchange, **more: Any) -> RpcExchange:
    """The request of *exchange* once more, under an id of its own, still to be sent."""
    capability = _contracts.capabilities()[exchange.capability or ""]
    params = {each.name: f"conformance-{uuid.uuid4().hex[:12]}" for each in capability.ids}
    return request(partner, capability, params, **more)


def gist(exchange: Exchange) -> Any:
    """
    What tells the answer to one request from that to another: ids, or the kind of error.
    """
    if exchange.error is not None:
        return "error"
    result = exchange.result
    if isinstance(result, dict) and "id" in result:
        return result["id"]
    rows: Sequence[Any] = rows_of(result) or (result if isinstance(result, list) else [])
    return [type(result).__name__, *(row.get("id") if isinstance(row, dict) else row for row in rows[:3])]
