"""
Which exchange of a conversation a finding is about.
"""

from __future__ import annotations

import re

from collections.abc import Sequence

from epos_conformance.exchange import Exchange
from epos_conformance.verdict import Finding


_STATUS = re.compile(r"status (\d{3})")
#: Amounts, and other numbers that were tried: 29 (£0.29), -1, 2.01.
_NUMBER = re.compile(r"(?<![\w.'-])-?\d{1,12}(?:\.\d+)?(?![\w.'-]*[\w'-])")
#: Names of members and parameters: payableOnly, tableId.
_MEMBER = re.compile(r"\b[a-z]+[A-Z]\w*")
#: In quotes, or a word with a digit behind a dash: ord-1487, pi_sandbox_x9.
_ID = re.compile(r"'([^']{3,80})'|\b([A-Za-z0-9]+[-_][\w-]*\d[\w-]*)")

#: Characters that an answer has to be described with before the description tells it from others.
_TELLING = 12

#: What tidies up after a check, as a rule.
_TIDYING = ("Delete", "Cancel")


def at_fault(exchanges: Sequence[Exchange], finding: Finding, *, first: bool = False) -> int:
    """
    The number of the one of *exchanges* (not none) that *finding* is about: the last one that agrees best with its
    words, or the *first*, where several findings of one kind were made one after the other.

    A guess, for conversations that several checks judge: most end with what is wrong, and there it is the last one.
    """
    told = f"{finding.where} {finding.expected} {finding.seen}"
    status = _STATUS.search(told)
    ids = {quoted or plain for quoted, plain in _ID.findall(told)}
    members = {*_MEMBER.findall(finding.where)}
    sent = {*_NUMBER.findall(f"{finding.where} {finding.expected}")}
    came = _NUMBER.match(finding.seen)

    def agreement(number: int) -> int:
        found = exchanges[number]
        request = found.sent.url + (found.sent.body or b"").decode("utf-8", "replace")
        answer = found.answer.body.decode("utf-8", "replace") if found.answer else ""
        named = bool(found.capability and found.capability in told)
        tidies = bool(found.capability and found.capability.startswith(_TIDYING) and not named)
        described = (found.seen, str(found.error) if found.error else "")
        points = (
            8 * any(len(each) >= _TELLING and each in told for each in described),
            2 * named + 2 * bool(found.capability and found.capability in finding.where),
            4 * (str(found.status) == status[1] if status else found.status < 400),
            2 * any(_said(each, request) for each in sent) + bool(came and _said(came[0], answer)),
            3 * any(each in request or each in answer for each in ids),
            sum(each in request for each in members),
            -6 * tidies,
        )
        return sum(points)

    numbers = range(len(exchanges)) if first else range(len(exchanges) - 1, -1, -1)
    return max(numbers, key=agreement)


def _said(number: str, text: str) -> bool:
    return re.search(rf":\s*{re.escape(number)}(?![\w.])", text) is not None
