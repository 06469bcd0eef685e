"""
The WebSocket transport: one request, one `RpcExchange`, whatever the EPOS does. Nothing here judges an answer.
"""

from __future__ import annotations

import uuid

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from epos_conformance import _masking
from epos_conformance._contracts import Capability
from epos_conformance._settings import Settings
from epos_conformance.exceptions import Astray, Inconclusive, ProtocolBroken, SessionLost, Unanswered, Unreachable
from epos_conformance.exchange import Answer, Sent
from epos_conformance.websocket import messages, outcomes
from epos_conformance.websocket.exchanges import HandshakeExchange, RpcExchange


if TYPE_CHECKING:
    # What a run over REST alone has no use for takes as long to import as twenty exchanges.
    from epos_conformance.websocket.lines import Line


#: What became of a call -> the reason that there is no answer.
_FAILURES: dict[str, type[Inconclusive]] = {
    outcomes.AWAY: Unreachable,
    outcomes.TIMEOUT: Unanswered,
    outcomes.DROPPED: SessionLost,
    outcomes.BROKEN: ProtocolBroken,
    outcomes.ASTRAY: Astray,
}


class WebSocketTransport:
    """
    The session that the EPOS holds, as one process uses it.
    """

    name = "ws"
    #: Credentials are the EPOS's to send here.
    auth: str | None = None

    def __init__(self, settings: Settings, url: str, line: Line, secrets: Sequence[str] = ()) -> None:
        self.url = url
        self.line = line
        self.mask = _masking.Masker([*settings.secrets, *secrets])
        self._settings = settings
        self._has_turn = False

    def close(self) -> None:
        self.line.close()

    # Calls

    def call(self, capability: Capability, params: Mapping[str, Any], headers: Mapping[str, str]) -> RpcExchange:
        """
        Send a request as Dojo would. Never raises: a request without a reply is an `Exchange` with a failure.
        """
        return self.calls([self.request(capability, params, headers)])[0]

    def at_once(
        self,
        asked: Sequence[tuple[Capability, Mapping[str, Any]]],
        headers: Mapping[str, str],
        opening: tuple[Capability, Mapping[str, Any]] | None = None,  # noqa: ARG002 - the session is open
    ) -> list[RpcExchange]:
        """
        Send requests back to back, none waiting for the answer to another.
        """
        return self.calls([self.request(capability, params, headers) for capability, params in asked])

    def request(
        self,
        capability: Capability,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        *,
        id: str | None = None,
        **more: Any,
    ) -> RpcExchange:
        """
        A request that is still to be sent; *more* are members of it beside the usual ones.
        """
        id = id or str(uuid.uuid4())
        text = messages.request(id, capability.ws_method, messages.params_of(capability, params, headers), **more)
        return self.raw(id, capability.ws_method, text, capability.name)

    def raw(self, id: str, method: str, text: str, capability: str | None = None) -> RpcExchange:
        """A request of exactly this *text*, still to be sent."""
        sent = Sent(method=method, url=self.url, headers=(), body=text.encode("utf-8", "surrogatepass"))
        return RpcExchange(capability=capability, transport=self.name, sent=sent, mask=self.mask, id=id)

    def calls(
        self, exchanges: Sequence[RpcExchange], *, fragments: int = 1, limit: float | None = None
    ) -> list[RpcExchange]:
        """
        Send requests back to back, each in so many *fragments*, and wait for their replies.

        *limit* is seconds for a reply; of several, since the one before.
        """
        calls = [
            {
                "id": each.id,
                # What Dojo never calls may be answered in a library's own words.
                "method": each.sent.method if each.capability else "",
                "text": _parted((each.sent.body or b"").decode("utf-8", "surrogatepass"), fragments),
                "again": _reads(each.capability),
            }
            for each in exchanges
        ]
        try:
            found = self.line.ask("call", calls=calls, limit=limit or self._settings.fail_after)
        except Unreachable as error:
            for each in exchanges:
                each.failure = error
            return list(exchanges)
        for each, told in zip(exchanges, found, strict=True):
            each.session, each.duration = told["session"], told["took"]
            each.notes += told["notes"]
            if told["failure"] is not None:
                kind, text = told["failure"]
                each.failure = _FAILURES[kind](text)
            else:
                each.answer = Answer(status=0, headers=(), body=told["reply"].encode("utf-8", "surrogatepass"))
        return list(exchanges)

    # The session itself

    def take_turn(self, *, alone: bool) -> None:
        """Wait until the session may be used: beside others, or *alone*."""
        self.line.ask("take", mode="alone" if alone else "shared")
        self._has_turn = True

    def end_turn(self) -> None:
        """Let others have it."""
        if self._has_turn:
            self._has_turn = False
            self.line.ask("drop")

    def send(self, text: str) -> RpcExchange:
        """
        Send a frame of exactly this *text*, which nobody waits for an answer to.
        """
        exchange = self.raw("", "a frame", text)
        exchange.session = self.line.ask("send", text=text, limit=self._settings.fail_after)
        return exchange

    def ping(self, data: str) -> dict[str, Any]:
        """Ping the EPOS: ``{answered, took, session}``."""
        found: dict[str, Any] = self.line.ask("ping", data=data, limit=self._settings.fail_after)
        return found

    def end_sessions(self, code: int | None) -> int:
        """End what is open with close *code*, or drop the connection where it is None; the number of the last one."""
        return int(self.line.ask("close", code=code))

    def await_session(self, after: int, limit: float) -> int:
        """The number of the newest session, once it is above *after*; 0 where that takes more than *limit* seconds."""
        return int(self.line.ask("await", after=after, limit=limit))

    def open_sessions(self) -> list[int]:
        """The numbers of the sessions that are open, newest last."""
        return list(self.line.ask("open"))

    def evidence(self) -> dict[str, Any]:
        """What happened on the wire beside the calls: see `Evidence.told`."""
        found: dict[str, Any] = self.line.ask("evidence")
        return found

    def handshake(self, told: Mapping[str, Any]) -> HandshakeExchange:
        """A handshake of the evidence as an exchange."""
        refused = told["refused"]
        return HandshakeExchange(
            capability=None,
            transport=self.name,
            sent=Sent(
                method="GET", url=self.url, headers=tuple((name, value) for name, value in told["headers"]), body=None
            ),
            answer=Answer(
                status=refused[0] if refused else 101, headers=(), body=(refused[1] if refused else "").encode()
            ),
            mask=self.mask,
        )


def _parted(text: str, fragments: int) -> str | list[str]:
    if fragments == 1:
        return text
    size = -(-len(text) // fragments)
    return [text[start : start + size] for start in range(0, len(text), size)]


def _reads(capability: str | None) -> bool:
    return capability is not None and capability.startswith(("Search", "Get", "List"))
