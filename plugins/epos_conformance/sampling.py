"""
Requests that every EPOS can answer, for checks of the session itself.
"""

from __future__ import annotations

import json
import uuid

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from epos_conformance import _contracts
from epos_conformance._contracts import Capability
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.exchange import Exchange, preview
from epos_conformance.following import rows_of
from epos_conformance.partner import Partner
from epos_conformance.transports import DOJO_HEADERS
from epos_conformance.websocket import messages
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


def again(partner: Partner, exchange: RpcExchange, *, id: str | None = None, **more: Any) -> RpcExchange:
    """The request of *exchange* once more, under another id, still to be sent; *more* are members beside the others."""
    id = id or str(uuid.uuid4())
    message = {**json.loads(exchange.sent.body or b"{}"), "id": id, **more}
    return partner.socket.raw(id, exchange.sent.method, messages.encode(message), exchange.capability)


def gist(exchange: Exchange) -> str:
    """
    What tells the answer to one request from that to another: ids, or that it is an error.
    """
    if exchange.failure is not None or exchange.error is not None:
        return "an error" if exchange.failure is None else "no answer"
    result = exchange.result
    if isinstance(result, dict) and "id" in result:
        return f"the one with the id {preview(result['id'])}"
    rows: Sequence[Any] = rows_of(result) or (result if isinstance(result, list) else [])
    ids = [row.get("id") if isinstance(row, dict) else row for row in rows[:3]]
    kind = "a list" if isinstance(result, list) else "a page"
    return f"{kind} that begins with {preview(ids)}" if ids else f"{kind} of nothing"


def session_of(partner: Partner, exchange: RpcExchange) -> Mapping[str, Any] | None:
    """What the evidence tells of the session of *exchange*; None where it has forgotten it."""
    sessions = partner.socket.evidence()["sessions"]
    return next((each for each in sessions if each["number"] == exchange.session), None)


def how_closed(session: Mapping[str, Any]) -> str:
    """How a *session* of the evidence ended: ``closed (code 1006)``."""
    reason = f", {session['reason']!r}" if session["reason"] else ""
    return f"closed (code {session['code']}{reason})"


def others_are_answered(partner: Partner, capability: Capability) -> bool:
    """Whether the session bears what has nothing to do with *capability*: then that is what ends it."""
    try:
        asked = [each for each in plain(partner) if each.capability != capability.name]
        return bool(asked) and all(partner.calls(each)[0].failure is None for each in asked)
    except Inconclusive:
        return False


def shown_twice(examine: Callable[[], None]) -> None:
    """
    Demand what *examine* demands, if need be again: a network that fails once looks like an EPOS that does.
    """
    try:
        examine()
    except Violation as violation:
        try:
            examine()
        except Inconclusive:
            raise violation from None  # what was done to it lasts
