"""
The exchange at fault, cut to what a reader takes in.
"""

from __future__ import annotations

import hashlib
import json
import re

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance.report.page import words


#: Lines and characters of a body that are shown.
_MOST_LINES = 80
_MOST = 4_000

#: Characters of a header's value, of an address, and of a command.
_MOST_VALUE = 300
_MOST_URL = 1_000
_MOST_REPLAY = 12_000

#: Headers that are shown, and exchanges before the one at fault.
_MOST_HEADERS = 30
_MOST_BEFORE = 8

#: Levels that are indented.
_DEEPEST = 12

#: Texts, whole or cut; what sets JSON out; blanks in between are left out; the rest.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    One exchange, and in a line each those around it.
    """

    request: str
    answer: str
    #: How long the answer took.
    took: str
    notes: Sequence[str]
    replay: str | None
    #: Whether the replay is what is sent over a session, not a command.
    frame: bool
    before: Sequence[str]
    #: Those of the conversation that are not even named here.
    earlier: int
    later: int


def of(exchanges: Sequence[Mapping[str, Any]]) -> Evidence | None:
    """
    The one of *exchanges* that is marked as at fault, or the last, and what is told of it. None where there is none.
    """
    if not exchanges:
        return None
    number = _at_fault(exchanges)
    before, found = exchanges[:number], exchanges[number]
    replay = found.get("replay")
    return Evidence(
        request=_message(_asked(found), found["request"]),
        answer=_answer(found),
        took=words.seconds(found["duration"]),
        notes=[words.clip(each, _MOST_VALUE) for each in found.get("notes", [])[:_MOST_BEFORE]],
        replay=words.clip(replay, _MOST_REPLAY) if replay else None,
        frame=found["transport"] == "ws",
        before=[brief(each) for each in before[-_MOST_BEFORE:]],
        earlier=max(0, len(before) - _MOST_BEFORE),
        later=len(exchanges) - number - 1,
    )


def digest(exchanges: Sequence[Mapping[str, Any]]) -> str | None:
    """What tells the one of *exchanges* that `of` shows from others. None where there is none."""
    if not exchanges:
        return None
    found = exchanges[_at_fault(exchanges)]
    told = [found[each] for each in ("transport", "request", "answer", "duration")]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _at_fault(exchanges: Sequence[Mapping[str, Any]]) -> int:
    return next((number for number, each in enumerate(exchanges) if "fault" in each), len(exchanges) - 1)


def brief(exchange: Mapping[str, Any]) -> str:
    """*exchange* in one line."""
    return f"{words.clip(_asked(exchange), _MOST_VALUE)} → {_status(exchange)}, {words.seconds(exchange['duration'])}"


def _asked(exchange: Mapping[str, Any]) -> str:
    asked = exchange["request"]
    return f"{asked['method']} {words.clip(asked['url'], _MOST_URL)}"


def _status(exchange: Mapping[str, Any]) -> str:
    answer = exchange["answer"]
    if answer is None:
        return words.clip(exchange.get("failure", "no answer"), _MOST_URL)
    return f"status {answer['status']}" if "status" in answer else "a reply"


def _answer(exchange: Mapping[str, Any]) -> str:
    answer = exchange["answer"]
    return _message(_status(exchange), answer or {})


def _message(first: str, message: Mapping[str, Any]) -> str:
    headers = message.get("headers", [])
    lines = [first, *(f"{name}: {words.clip(value, _MOST_VALUE)}" for name, value in headers[:_MOST_HEADERS])]
    if len(headers) > _MOST_HEADERS:
        lines.append(f"… ({words.count(len(headers) - _MOST_HEADERS, 'header')} more)")
    if message.get("body"):
        lines += ["", pretty(message["body"])]
    return "\n".join(lines)


def pretty(body: str) -> str:
    """*body* set out in lines where it is JSON, and cut with a note."""
    try:
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        body = _set_out(body)
    lines = body[:_MOST].split("\n")
    if len(body) <= _MOST and len(lines) <= _MOST_LINES:
        return body
    kept = "\n".join(lines[:_MOST_LINES])
    return f"{kept}\n… ({words.count(len(body) - len(kept), 'character')} more, in certificate.json)"


def _set_out(body: str) -> str:
    """*body* in lines, as far as it is shown, where it begins like JSON: the record has cut off its end."""
    if body[:1] not in ("{", "["):
        return body
    lines, depth = [""], 0
    for piece in _TOKENS.findall(body[:_MOST]):
        if piece in "{[":
            depth += 1
            lines[-1] += piece
            lines.append("  " * min(depth, _DEEPEST))
        elif piece in "}]":
            depth = max(0, depth - 1)
            lines += ["  " * min(depth, _DEEPEST) + piece]
        elif piece == ",":
            lines[-1] += piece
            lines.append("  " * min(depth, _DEEPEST))
        else:
            lines[-1] += ": " if piece == ":" else piece
    return "\n".join(each for each in lines if each.strip()) + body[_MOST:]
