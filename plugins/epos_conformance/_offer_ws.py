"""
Which capabilities the EPOS offers over WebSocket, where nobody claims any.

Asked as over REST, by calls that change nothing; what is not offered is answered like a method that certainly doesn't
exist, or not at all. All are in flight together, so that an EPOS which leaves some unanswered costs the time of one.
"""

from __future__ import annotations

import re
import uuid

from collections.abc import Iterable
from typing import Any

from epos_conformance import _contracts
from epos_conformance._contracts import Capability
from epos_conformance._offer import SHOWS, Offer
from epos_conformance._settings import Settings
from epos_conformance.exceptions import Astray, BrokenAnswer, Unreachable
from epos_conformance.following import rows_of
from epos_conformance.transports import DOJO_HEADERS
from epos_conformance.websocket import messages
from epos_conformance.websocket.exchanges import RpcExchange
from epos_conformance.websocket.transport import WebSocketTransport


#: Search -> the id that its rows show.
_SHOWN_BY = {search: member for member, search in SHOWS.items()}

#: JSON-RPC's own word for a method that isn't there.
_METHOD_NOT_FOUND = -32601


def find_out(settings: Settings, transport: WebSocketTransport) -> Offer:
    """
    What the EPOS offers: what is claimed for it, else what answers.
    """
    if settings.capabilities is not None:
        return Offer(settings.capabilities, "claimed")
    return probe(settings, transport)


def probe(settings: Settings, transport: WebSocketTransport) -> Offer:
    """
    What answers, whatever is claimed.
    """
    every = [each for each in _contracts.capabilities().values() if not (each.changes and settings.read_only)]
    nonsense = f"conformance-{uuid.uuid4().hex[:12]}"
    control = [_unknown(transport), _unknown(transport)]
    searches = [each for each in every if "search" in each.selectors]
    found = _ask(transport, searches, {})
    transport.calls(control)
    seen = {_SHOWN_BY[each.name]: id for each in searches if each.name in _SHOWN_BY and (id := _id(found[each.name]))}
    found |= _ask(transport, [each for each in every if each not in searches], seen, nonsense)

    offered, unsure = set(), []
    for name, exchange in found.items():
        known = _offers(exchange, control)
        if known is None:
            unsure.append(name)
        elif known:
            offered.add(name)
    return Offer.probed(offered, unsure, found, lambda: _why_nothing(found.values()))


def _ask(
    transport: WebSocketTransport, wanted: Iterable[Capability], seen: dict[str, str], nonsense: str = ""
) -> dict[str, RpcExchange]:
    asked = {}
    for each in wanted:
        # A deletion only of what doesn't exist; of the others, existing ids tell more.
        known = {} if each.changes and each.request is None else seen
        ids = {member.name: known.get(member.name, nonsense) for member in each.ids}
        asked[each.name] = transport.request(each, ids, DOJO_HEADERS)
        # What isn't offered may be refused in the words of a JSON-RPC library: it is nobody's evidence.
        asked[each.name].capability = None
    transport.calls(list(asked.values()))
    return asked


def _unknown(transport: WebSocketTransport) -> RpcExchange:
    id, method = str(uuid.uuid4()), f"Conformance{uuid.uuid4().hex[:8]}V1"
    return transport.raw(id, method, messages.request(id, method, {"headers": {}}))


def _id(exchange: RpcExchange) -> str | None:
    return next((row["id"] for row in rows_of(exchange.result) if isinstance(row.get("id"), str) and row["id"]), None)


def _offers(exchange: RpcExchange, control: list[RpcExchange]) -> bool | None:
    """Whether the reply is that of somebody who knows the method; None where that can't be told."""
    if exchange.answer is None:
        # A session that is dropped, or a reply astray, is the work of somebody who tried.
        return isinstance(exchange.failure, (BrokenAnswer, Astray))
    if exchange.succeeded:
        return True
    error = exchange.reply.get("error")
    if isinstance(error, dict) and error.get("code") == _METHOD_NOT_FOUND:
        return False
    if _said(exchange) not in [_said(each) for each in control if each.answer is not None]:
        return True
    # The same words for both: where nothing is said at all, it may be either.
    return None if exchange.error is not None and not exchange.error.debug_message else False


_VARYING = re.compile(r"[0-9a-f-]{8,}")


def _said(exchange: RpcExchange) -> Any:
    """What a reply says, apart from the method, ids of ours and what is new every time."""
    error = exchange.error
    text = str(error.debug_message or "") if error else ""
    for own in (exchange.sent.method, exchange.sent.method.removesuffix("V1")):
        text = text.replace(own, "")
    return str(error.type) if error else None, _VARYING.sub("", text.lower())


def _why_nothing(asked: Iterable[RpcExchange]) -> str:
    *_, last = asked
    if last.failure is not None:
        what = "nobody dialled" if isinstance(last.failure, Unreachable) else "the EPOS answers nothing"
        return f"the partner can't be examined: {what} ({last.failure})"
    return f"nothing that the EPOS answers is of the EPOS Data API (the last answer: {last.seen})"
