"""
One call over WebSocket, and one handshake, as `Exchange`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from epos_conformance.exchange import NOT_JSON, EposError, Exchange, is_error_object, preview
from epos_conformance.websocket import messages


@dataclass(kw_only=True)
class RpcExchange(Exchange):
    """
    A JSON-RPC request and the reply to it; the answer's body is the whole reply.
    """

    #: The number of the session it went over; 0 where there was none.
    session: int = 0
    #: The id of the request.
    id: str = ""

    @cached_property
    def reply(self) -> dict[str, Any]:
        """The reply's members; none where there is no reply."""
        found = NOT_JSON if self.answer is None else messages.read(self.answer.body.decode("utf-8", "surrogatepass"))
        return found if isinstance(found, dict) else {}

    @property
    def json(self) -> Any:
        """The error of the reply, else its result; `NOT_JSON` where it has neither."""
        error = self.reply.get("error")
        return error if error is not None else self.reply.get("result", NOT_JSON)

    @property
    def succeeded(self) -> bool:
        """Whether there is a result and no error; null stands for no error."""
        return "result" in self.reply and self.reply.get("error") is None and not is_error_object(self.json)

    @property
    def seen(self) -> str:
        if self.answer is None:
            return str(self.failure or "no answer was waited for")
        if self.error is not None and self.error.type is not None:
            return preview(str(self.error))
        return preview(" ".join(self.answer.body[:400].decode("utf-8", "replace").split()), 120)

    def __str__(self) -> str:
        if self.answer is None:
            return f"{self._asked()} -> {self.mask(self.seen)}"
        error = self.error
        said = f"error {self.mask(str(error))}" if error else "result"
        return f"{self._asked()} -> {said} in {self.duration:.3f} s"

    def replay(self) -> str:
        """The frame to send."""
        return f"send {self.mask((self.sent.body or b'').decode('utf-8', 'backslashreplace'))}"

    def _asked(self) -> str:
        return f"{self.sent.method} over {self.mask(self.sent.url)}, session {self.session}"

    def _answered(self) -> str:
        return f"after {self.duration:.3f} s"


@dataclass(kw_only=True)
class HandshakeExchange(Exchange):
    """
    An EPOS dialling: what it asked for is what was ``sent``, our answer the ``answer``.
    """

    @property
    def error(self) -> EposError | None:
        return None

    def replay(self) -> str:
        return "have the EPOS dial again"
