"""
Which exchange of a conversation a finding is about.
"""

from __future__ import annotations

import re

from collections.abc import Mapping, Sequence
from typing import Any


_STATUS = re.compile(r"status (\d{3})")
_AMOUNT = re.compile(r"\d{1,12}\b")
_QUOTED = re.compile(r"'([^']{3,80})'")


def at_fault(exchanges: Sequence[Mapping[str, Any]], where: str, expected: str, seen: str) -> int:
    """
    The number of the one of *exchanges* (a certificate's, not none) that a finding is about: the last one, but for
    conversations that several checks judge.

    There it is the last of those that agree best: by capability, by status, and by what was expected, seen or quoted.
    """
    told = f"{where} {expected} {seen}"
    status = _STATUS.search(told)
    ids = [each for each in _QUOTED.findall(told) if each.strip()][:5]
    sent, came = (_AMOUNT.match(each) for each in (expected, seen))

    def agreement(number: int) -> tuple[int, int]:
        found = exchanges[number]
        asked, answer = found["request"], found["answer"] or {}
        code, text = answer.get("status"), answer.get("body", "")
        request = f"{asked['url']} {asked.get('body', '')}"
        points = (
            4 * bool(found["capability"] and found["capability"] in told),
            4 * (str(code) == status[1] if status else code is None or code < 400),
            2 * bool(sent and _said(sent[0], request)) + bool(came and _said(came[0], text)),
            any(each in request for each in ids),
        )
        return sum(points), number

    return max(range(len(exchanges)), key=agreement)


def _said(number: str, text: str) -> bool:
    return re.search(rf":\s*{number}\b", text) is not None
