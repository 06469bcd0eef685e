"""
What was found, grouped as it is read: each rule that is broken once, each reason that something is unproven once.
"""

from __future__ import annotations

import re

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from epos_conformance.report.page import evidence, words
from epos_conformance.report.page.evidence import Evidence


Check = Mapping[str, Any]

#: Rules that are told in full, by kind; of the others the names say where to read on.
MOST_TOLD = {"violated": 100, "recommended": 60, "waived": 60, "noted": 60}

#: Reasons of one kind, and names that are listed under one of them or under what is not told in full.
MOST_REASONS = 60
MOST_NAMED = 400

#: Characters of one line of a message, and lines of it.
_MOST_TEXT = 1_500
_MOST_LINES = 12

_CAUSE = "likely cause: "
_STEP = re.compile(r"step \d+, ")
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
class Fact:
    """
    One difference between what was promised and what came.
    """

    where: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """
    What was seen over one transport, or over several alike.
    """

    transports: Sequence[str]
    #: The step of a story that went wrong.
    step: str | None
    facts: Sequence[Fact]
    #: What the message says beside them.
    remarks: Sequence[str]
    causes: Sequence[str]
    steps: Sequence[Mapping[str, Any]]
    exchanges: Sequence[Mapping[str, Any]] = field(repr=False)

    @property
    def over(self) -> str:
        return words.over(self.transports)

    @property
    def evidence(self) -> Evidence | None:
        # Made when it is written: it is the bulk of the page, and need not be there all at once.
        first = self.facts[0] if self.facts else Fact("", "", "")
        return evidence.of(self.exchanges, first.where, first.expected, first.seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    A rule that is broken, in full.
    """

    anchor: str
    check: Check
    sources: Sequence[Mapping[str, str | None]]
    occurrences: Sequence[Occurrence]

    @property
    def case(self) -> str | None:
        """Where one rule has several checks, which of them."""
        return self.check.get("case")

    @property
    def waiver(self) -> Mapping[str, str] | None:
        return self.check.get("waiver")

    @property
    def new(self) -> bool:
        """Whether the partner's last certificate did not know the rule."""
        return "new" in self.check

    @property
    def over(self) -> str:
        return words.over(each for one in self.occurrences for each in one.transports)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """
    Why some checks could not be made, told once for all of them.
    """

    anchor: str
    text: str
    #: What would help; told with the first of those that the same would help.
    help: str | None
    number: int
    names: Sequence[str]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    All findings of one kind.
    """

    kind: str
    #: Checks.
    number: int
    told: Sequence[Told] = ()
    reasons: Sequence[Reason] = ()
    #: What is only named.
    names: Sequence[str] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """
    What was found, by kind, and where on the page each check is told of.
    """

    groups: Mapping[str, Group]
    #: (rule, case, transport) -> anchor.
    anchors: Mapping[tuple[str, str | None, str], str]


def collect(document: Mapping[str, Any]) -> Findings:
    """
    The findings of the certificate *document*.
    """
    by_kind: dict[str, list[Check]] = {each: [] for each in words.KINDS}
    for check in document["checks"]:
        by_kind[words.kind(check)].append(check)
    anchors: dict[tuple[str, str | None, str], str] = {}
    groups = {}
    for kind, checks in by_kind.items():
        if kind == "kept":
            groups[kind] = Group(kind=kind, number=len(checks))
        elif kind in MOST_TOLD:
            groups[kind] = _told(kind, checks, document["contract"]["sources"], anchors)
        else:
            groups[kind] = _reasons(kind, checks, anchors)
    return Findings(groups, anchors)


def key(check: Check) -> tuple[str, str | None, str]:
    """What *check* is known by among others."""
    return check["id"], check.get("case"), check["transport"]


def name(check: Check) -> str:
    """The rule of *check* with its case."""
    return f"{check['id']} ({words.clip(check['case'], 120)})" if check.get("case") else check["id"]


def _told(kind: str, checks: Sequence[Check], sources: Mapping[str, Any], anchors: dict[Any, str]) -> Group:
    by_rule: dict[tuple[str, str | None], list[Check]] = {}
    for each in checks:
        by_rule.setdefault((each["id"], each.get("case")), []).append(each)
    told, names = [], []
    for number, same in enumerate(by_rule.values(), 1):
        if number > MOST_TOLD[kind]:
            anchor = f"{kind}-others"
            names.append(f"{name(same[0])} {words.over(each['transport'] for each in same)}")
        else:
            anchor = f"{kind}-{number}"
            cited = [cite(each, sources) for each in same[0]["source"]]
            found = [*_occurrences(same)]
            told.append(Told(anchor=anchor, check=same[0], sources=cited, occurrences=found))
        anchors.update((key(each), anchor) for each in same)
    kept, more = names[:MOST_NAMED], len(names[MOST_NAMED:])
    return Group(kind=kind, number=len(checks), told=told, names=kept, more=more)


def cite(source: str, sources: Mapping[str, Any]) -> Mapping[str, str | None]:
    """``{text, url}`` of ``rest-spec: POST /v1/orders``; the url is None where there is none to follow."""
    found, _, place = source.partition(": ")
    known = sources.get(found)
    if known is None:
        return {"text": source, "url": None}
    return {"text": f"{known['title']}, {place}" if place else known["title"], "url": words.link(known["url"])}


def _occurrences(checks: Iterable[Check]) -> Iterator[Occurrence]:
    """What *checks* of one rule saw: once where that is the same over both transports."""
    by_message: dict[str, list[Check]] = {}
    for each in checks:
        by_message.setdefault(each["message"], []).append(each)
    for message, same in by_message.items():
        yield occurrence(message, same)


def occurrence(message: str, checks: Sequence[Check]) -> Occurrence:
    """
    *message* taken apart, as a check's findings write it.
    """
    step, facts, remarks, causes = None, [], [], []
    lines = message.split("\n")
    for line in lines[:_MOST_LINES]:
        text = words.clip(line, _MOST_TEXT)
        where, found, rest = text.partition(": expected ")
        expected, seen, came = rest.rpartition(", saw ") if rest.count(", saw ") == 1 else rest.partition(", saw ")
        if line.startswith("at ") and found and seen:
            facts.append(Fact(where.removeprefix("at "), expected, came))
        elif line.startswith(_CAUSE):
            causes.append(text.removeprefix(_CAUSE))
        elif _STEP.match(line) and step is None and not facts:
            step = text
        elif line.strip():
            remarks.append(text)
    if len(lines) > _MOST_LINES:
        remarks.append(f"… ({words.count(len(lines) - _MOST_LINES, 'line')} more, in certificate.json)")
    return Occurrence(
        transports=[*dict.fromkeys(each["transport"] for each in checks)],
        step=step,
        facts=facts,
        remarks=remarks,
        causes=causes,
        steps=checks[0].get("steps", ()),
        exchanges=checks[0]["exchanges"],
    )


def _reasons(kind: str, checks: Sequence[Check], anchors: dict[Any, str]) -> Group:
    """Told once for each reason, the most frequent first."""
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
        anchors.update((key(each), anchor) for each in same)
        by_name: dict[str, list[str]] = {}
        for each in same:
            absent = _ABSENT.fullmatch(each["message"]) if kind == "left-out" else None
            by_name.setdefault(absent[1] if absent else name(each), []).append(each["transport"])
        told = [f"{each} {words.over(transports)}" for each, transports in by_name.items()]
        if number > MOST_REASONS:
            names += told
            continue
        found.append(
            Reason(
                anchor=anchor,
                text=ABSENT if pattern == ABSENT else _reason(same[0]["message"]),
                help=HELP.get(cause) if cause != last else None,
                number=len(same),
                names=told[:MOST_NAMED],
                more=max(0, len(told) - MOST_NAMED),
            )
        )
        last = cause
    kept, more = names[:MOST_NAMED], len(names[MOST_NAMED:])
    return Group(kind=kind, number=len(checks), reasons=found, names=kept, more=more)


def _reason(message: str) -> str:
    """*message* as the heading of what it is the reason for."""
    text = words.clip(message.removeprefix("not examined: "), _MOST_TEXT).strip()
    return f"{text[:1].upper()}{text[1:]}" or "No reason is given"
