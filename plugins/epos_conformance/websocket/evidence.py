"""
What an EPOS did on the wire that no call shows: frames nobody waited for, sessions that ended, handshakes.

Bounded, however much there is: counts are exact, contents are kept of the latest.
"""

from __future__ import annotations

import time

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from epos_conformance.websocket import envelopes, messages


#: How many of each are kept, and how much of a frame, in characters.
MOST_KEPT = 200
MOST_SHOWN = 2_000

#: Replies kept for each rule of their envelope.
MOST_MALFORMED = 5

#: Replies are told late or double for as many calls as this.
_REMEMBERED = 5_000

#: What a frame is that no call waited for.
LATE, DOUBLE, UNMATCHED, UNREADABLE, UNASKED = "late", "double", "unmatched", "unreadable", "unasked"
#: The error without an id that a frame of ours deserved, which was no request.
UNREAD = "unread"


@dataclass(slots=True)
class Stray:
    """
    A frame that no call waited for.
    """

    number: int
    kind: str
    session: int
    frame: str
    #: The id of the request that it answers late or twice.
    id: str | None = None


@dataclass(slots=True)
class Opened:
    """
    A session, from its handshake to its end.
    """

    number: int
    peer: str
    #: Seconds since the epoch.
    opened: float
    closed: float | None = None
    #: WebSocket close code; 1006 where the connection ended without one.
    code: int | None = None
    reason: str = ""
    #: Whether the suite ended it.
    ours: bool = False


@dataclass(slots=True)
class Evidence:
    """
    Everything of the kind that one run saw.
    """

    counts: Counter[str] = field(default_factory=Counter)
    strays: deque[Stray] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    sessions: deque[Opened] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    #: Handshakes as `handshakes.Handshake.to_json` tells them, refused ones too.
    handshakes: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    #: Rule -> replies that break it, with the method that was asked for.
    malformed: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    #: Pairs of sessions that were open and answering at the same time.
    overlaps: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    #: Ids of calls that have ended, loosely -> as they were sent, and whether they were answered.
    _ended: OrderedDict[str | float, tuple[str, bool]] = field(default_factory=OrderedDict)

    def ended(self, id: str, *, answered: bool) -> None:
        """The call *id* waits no more."""
        self._ended[messages.loosely(id)] = id, answered
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)

    def stray(self, session: int, frame: str, id: str | None, kind: str) -> None:
        """A frame that no call waited for; *id* is that of its request, where it has one that was ever sent."""
        if id is not None and (loosely := messages.loosely(id)) in self._ended:
            kind = DOUBLE if self._ended[loosely][1] else LATE
            self._ended[loosely] = id, True
        self.counts[kind] += 1
        self.strays.append(Stray(self.counts.total(), kind, session, frame[:MOST_SHOWN], id))

    def reply(self, id: str, method: str, frame: str, message: Mapping[str, Any]) -> None:
        """A *message* that answers the request *id* of *method*: is its envelope in order?"""
        for rule in envelopes.broken(id, method, message):
            kept = self.malformed.setdefault(rule, [])
            if len(kept) < MOST_MALFORMED:
                kept.append((method, frame[:MOST_SHOWN]))

    def was_sent(self, id: Any) -> str | None:
        """The id of the call that has ended and that a reply with *id* is for; None where there is none."""
        if not isinstance(id, (str, int, float)) or isinstance(id, bool):
            return None
        known = self._ended.get(messages.loosely(id))
        return known[0] if known else None

    def opening(self, peer: str) -> Opened:
        self.counts["sessions"] += 1
        found = Opened(self.counts["sessions"], peer, time.time())
        self.sessions.append(found)
        return found

    def told(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "counts": dict(self.counts),
            "strays": [asdict(each) for each in self.strays],
            "sessions": [asdict(each) for each in self.sessions],
            "handshakes": list(self.handshakes),
            "malformed": {rule: [list(each) for each in kept] for rule, kept in self.malformed.items()},
            "overlaps": [list(each) for each in self.overlaps],
        }
