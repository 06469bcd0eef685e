"""
Why checks could not be made, each reason told once, with what would help.
"""

from __future__ import annotations

import re

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance.report.page import words


Check = Mapping[str, Any]

#: Reasons of one kind, and names that are listed under one of them.
MOST_REASONS = 60
MOST_NAMED = 400

#: Characters of a reason.
_MOST_TEXT = 1_500

#: The reason for most that is left out.
ABSENT = "The capability isn't offered"

#: What differs from check to check, or from transport to transport, where the reason is the same.
_OWN = re.compile(r"'[^']*'|status \d+, ")
_ABSENT = re.compile(r"(\S+) isn't (?:offered|claimed)$")

#: What would prove it, by the cause of what is inconclusive; its message says more where it can.
HELP = {
    "unreachable": "Run it again while the EPOS can be reached and answers in time.",
    "credentials": "Give credentials that the EPOS accepts, and run it again.",
    "data": "Give the run what it lacks (known data under [data] in partner.toml, payment intents, orders to pay) "
    "and run it again.",
    "suite": "A fault of the suite, which the partner can't mend: tell those who maintain it.",
    "not-run": "Run it again, to the end.",
}


@dataclass(frozen=True, slots=True)
class First:
    """
    Capabilities that break the contract, because of which checks could not be made.
    """

    #: How many checks, of how many.
    follow: int
    number: int
    #: Capability -> where the first of its violations is told.
    broken: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """
    Why some checks could not be made, told once for all of them.
    """

    anchor: str
    text: str
    #: What would help; told with the first of those that the same would help.
    help: str | None
    #: What is to be mended before that, told there as well.
    first: First | None
    number: int
    names: Sequence[str]
    more: int


def collect(
    kind: str, checks: Sequence[Check], anchors: dict[Any, str], broken: Mapping[str, str]
) -> tuple[list[Reason], list[str]]:
    """
    The reasons for *checks*, the most frequent first, and the names of the checks that are too many to tell why.

    *anchors* are given the place of each; *broken* are the capabilities with a violation, and where it is told.
    """
    by_reason: dict[tuple[str, str], list[Check]] = {}
    for each in checks:
        absent = _ABSENT.fullmatch(each["message"]) if kind == "left-out" else None
        # Which order it was is different for each check, and the reason is the same.
        text = ABSENT if absent else _OWN.sub("", each["message"])
        by_reason.setdefault((each.get("cause", ""), text), []).append(each)
    # What helps alike stands together.
    weights = Counter(each.get("cause", "") for each in checks)
    ordered = sorted(by_reason.items(), key=lambda each: (-weights[each[0][0]], each[0][0], -len(each[1])))
    found, names = [], []
    last: str | None = None
    for number, ((cause, pattern), same) in enumerate(ordered, 1):
        anchor = f"{kind}-{number}" if number <= MOST_REASONS else f"{kind}-others"
        anchors.update((words.key(each), anchor) for each in same)
        by_name: dict[str, list[str]] = {}
        for each in same:
            absent = _ABSENT.fullmatch(each["message"]) if kind == "left-out" else None
            by_name.setdefault(absent[1] if absent else words.name(each), []).append(each["transport"])
        told = [f"{each} {words.over(transports)}" for each, transports in by_name.items()]
        if number > MOST_REASONS:
            names += told
            continue
        found.append(
            Reason(
                anchor=anchor,
                text=ABSENT if pattern == ABSENT else _reason(same[0]["message"]),
                help=HELP.get(cause) if cause != last else None,
                first=_first([each for each in checks if each.get("cause") == cause], broken)
                if cause == "data" and cause != last
                else None,
                number=len(same),
                names=told[:MOST_NAMED],
                more=max(0, len(told) - MOST_NAMED),
            )
        )
        last = cause
    return found, names


def _first(checks: Sequence[Check], broken: Mapping[str, str]) -> First | None:
    """What of *broken* the *checks* ask for as well, or name as what failed them; None where it is nothing."""
    named = [
        {each["capability"]} & broken.keys() or {name for name in broken if name in each["message"]} for each in checks
    ]
    found = {name: anchor for name, anchor in broken.items() if any(name in each for each in named)}
    return First(sum(map(bool, named)), len(checks), found) if found else None


def _reason(message: str) -> str:
    """*message* as the heading of what it is the reason for."""
    text = words.clip(message.removeprefix("not examined: "), _MOST_TEXT).strip()
    return f"{text[:1].upper()}{text[1:]}" or "No reason is given"
