"""
What was found, grouped as it is read: each rule that is broken once, each reason that something is unproven once.
"""

from __future__ import annotations

import re

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from epos_conformance.report.page import evidence, order, reasons, words
from epos_conformance.report.page.evidence import Evidence
from epos_conformance.report.page.reasons import Reason


Check = Mapping[str, Any]

#: Rules that are told in full, by kind; of the others the names say where to read on.
MOST_TOLD = {"violated": 100, "recommended": 60, "waived": 60, "noted": 60}

#: Names that are listed of what is not told in full.
MOST_NAMED = 400

#: Characters of one line of a message, and lines of it.
_MOST_TEXT = 1_500
_MOST_LINES = 12

_CAUSE = "likely cause: "
_STEP = re.compile(r"step \d+, ")


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
    #: Where its exchange is shown, and the rule that it is shown with where that is another one.
    anchor: str | None = None
    elsewhere: str | None = None

    @property
    def over(self) -> str:
        return words.over(self.transports)

    @property
    def evidence(self) -> Evidence | None:
        # Made when it is written: it is the bulk of the page, and need not be there all at once.
        return evidence.of(self.exchanges)


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
    shown: dict[str, tuple[str, str]] = {}
    blocked = {each["capability"] for each in by_kind["unproven"]}
    for kind, checks in by_kind.items():
        if kind == "kept":
            groups[kind] = Group(kind=kind, number=len(checks))
        elif kind in MOST_TOLD:
            told = _told(kind, checks, document["contract"]["sources"], anchors, shown, blocked)
            groups[kind] = told
        else:
            why, names = reasons.collect(kind, checks, anchors, _broken(groups["violated"]))
            kept, more = names[:MOST_NAMED], len(names[MOST_NAMED:])
            groups[kind] = Group(kind=kind, number=len(checks), reasons=why, names=kept, more=more)
    return Findings(groups, anchors)


def _told(
    kind: str,
    checks: Sequence[Check],
    sources: Mapping[str, Any],
    anchors: dict[Any, str],
    shown: dict[str, tuple[str, str]],
    blocked: Iterable[str | None],
) -> Group:
    by_rule: dict[tuple[str, str | None], list[Check]] = {}
    for each in checks:
        by_rule.setdefault((each["id"], each.get("case")), []).append(each)
    told, names = [], []
    for number, (_, same) in enumerate(order.ordered(by_rule.items(), blocked), 1):
        if number > MOST_TOLD[kind]:
            anchor = f"{kind}-others"
            names.append(f"{words.name(same[0])} {words.over(each['transport'] for each in same)}")
        else:
            anchor = f"{kind}-{number}"
            cited = [cite(each, sources) for each in same[0]["source"]]
            found = [_placed(each, words.name(same[0]), shown) for each in _occurrences(same)]
            told.append(Told(anchor=anchor, check=same[0], sources=cited, occurrences=found))
        anchors.update((words.key(each), anchor) for each in same)
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


def _placed(found: Occurrence, rule: str, shown: dict[str, tuple[str, str]]) -> Occurrence:
    """*found*, with the place of its exchange: each is *shown* once, as digest -> (anchor, rule)."""
    digest = evidence.digest(found.exchanges)
    if digest is None:
        return found
    if digest in shown:
        anchor, elsewhere = shown[digest]
        return replace(found, anchor=anchor, elsewhere=elsewhere)
    anchor, _ = shown[digest] = f"exchange-{len(shown) + 1}", rule
    return replace(found, anchor=anchor)


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


def _broken(group: Group) -> Mapping[str, str]:
    """Capability -> where the first of its violations in *group* is told."""
    found: dict[str, str] = {}
    for each in group.told:
        if each.check["capability"]:
            found.setdefault(each.check["capability"], each.anchor)
    return found
