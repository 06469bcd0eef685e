"""
Dojo's go-live checklist, filled in as far as a run can: scenario, steps, expected outcome, and what was observed.
"""

from __future__ import annotations

import re

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance import _rules
from epos_conformance.report.page import words


Check = Mapping[str, Any]

#: States of a row, in words.
STATES = {
    "shown": "Shown by the run",
    "recorded": "Recorded",
    "broken": "Broken",
    "advised": "Shown, with a recommendation",
    "waived": "Broken, and waived",
    "unproven": "Not proven",
    "partly": "Shown in part",
    "absent": "Not offered",
    "unasked": "Not examined in this run",
    "missing": "To be recorded",
    "uat": "To be shown in the UAT",
}

#: What a row amounts to: the state of the first kind that is among its checks.
_STATES = (
    ("violated", "broken"),
    ("unproven", "unproven"),
    ("unexamined", "unproven"),
    ("waived", "waived"),
    ("recommended", "advised"),
)

_RANKS = [*words.KINDS]

_MOST_STEPS = 60
_MOST_FLOWS = 200

#: How a flow that is run over both transports names its steps.
_OVER = re.compile(r" over (?:REST|WebSocket)$")

_NOT_OFFERED = re.compile(r"n't (?:offered|claimed)$")


@dataclass(frozen=True, slots=True)
class Step:
    """
    One step of a story, and how it ended.
    """

    name: str
    #: A key of `words.KINDS`; None where it wasn't taken in this run.
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """
    What was seen over one transport.
    """

    over: str
    word: str
    anchor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    A line of the checklist.
    """

    scenario: str
    steps: Sequence[Step]
    expected: str
    #: A key of `STATES`.
    state: str
    observed: Sequence[Observed] = ()
    remark: str | None = None

    @property
    def word(self) -> str:
        return STATES[self.state]


@dataclass(frozen=True, slots=True)
class Part:
    """
    The rows about one matter.
    """

    title: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """
    A row that rules of the catalogue answer.
    """

    scenario: str
    steps: Sequence[str]
    expected: str
    rules: Sequence[str]
    #: What is left to show by hand even where the rules are kept.
    by_hand: str | None = None


_SET_UP = (
    _Asked(
        scenario="The registered capabilities can be retrieved",
        steps=("Ask Dojo for the integrations of this key and software-house-id",),
        expected="The capabilities of the EPOS are listed.",
        rules=("registration.can-be-retrieved",),
    ),
    _Asked(
        scenario="What is registered is what the EPOS answers",
        steps=("Call each registered capability as Dojo does",),
        expected="Every registered capability is answered; all that is offered is registered.",
        rules=("registration.registered-capabilities-answer", "registration.covers-what-the-epos-offers"),
    ),
    _Asked(
        scenario="The POS identifies itself to Dojo",
        steps=("Let the POS dial in", "Read the headers of its handshake"),
        expected="The raw API key after the word Basic, and the software-house-id.",
        rules=(
            "ws.authorization-names-the-basic-scheme",
            "ws.authorization-carries-the-raw-key",
            "ws.sends-the-software-house-id",
        ),
    ),
    _Asked(
        scenario="The EPOS refuses callers without its credentials",
        steps=("Call without a password", "Call with a wrong user name, and a wrong password"),
        expected="Each is refused.",
        rules=(
            "rest.refuses-missing-credentials",
            "rest.refuses-a-wrong-password",
            "rest.refuses-a-wrong-username",
        ),
    ),
    _Asked(
        scenario="A dropped session is dialled again",
        steps=("Drop the session", "Wait for the POS"),
        expected="The POS dials in again by itself.",
        rules=(
            "ws.redials-a-dropped-session",
            "ws.redials-after-going-away",
            "ws.redials-after-a-restart-of-the-service",
        ),
    ),
    _Asked(
        scenario="The API version is hard-coded",
        steps=("Show where the POS sets the version", "Show that no setting or user of the POS can change its header"),
        expected="The version can't be manipulated from outside.",
        rules=("registration.version-is-the-documented-one",),
        by_hand="A run sees the version that is registered, not how the POS comes by it: show the code or the build.",
    ),
    _Asked(
        scenario="A wrong API key makes the POS show an error",
        steps=("Set a wrong API key in the POS", "Let it connect, or ask Dojo something"),
        expected="The POS shows its user an error that says so.",
        rules=(),
        by_hand="A run can't see the screen of the POS: show it.",
    ),
)

_TITLES = {
    "pay-at-table-without-locks": "Pay at Table without order locking",
    "pay-at-table-with-locks": "Pay at Table with order locking",
    "pay-at-table-with-lock-extension": "Pay at Table with a lock that is extended",
    "split-bill-with-tips": "A bill that is split, with tips",
    "abandoned-payment": "A payment that is abandoned",
    "qr-by-table": "QR Pay by table",
    "order-and-pay": "Order and Pay",
    "order-and-pay-later": "Order now, pay later",
    "bookings": "Bookings",
}


def parts(document: Mapping[str, Any], anchors: Mapping[Any, str]) -> list[Part]:
    """
    The checklist for *document*; *anchors* say where each check is told of (`findings.Findings`).
    """
    by_rule: dict[str, list[Check]] = {}
    for each in document["checks"]:
        by_rule.setdefault(each["id"], []).append(each)

    def seen(checks: Sequence[Check]) -> list[Observed]:
        return [*_observed(checks, anchors)]

    found = [
        Part("Set-up", [*_recorded(document["partner"]), *(_asked(each, by_rule, seen) for each in _SET_UP)]),
        Part("Journeys", [*_journeys(by_rule, seen)]),
    ]
    if flows := [*_flows(by_rule.get("flows.ends-in-success", ()), seen)]:
        found.append(Part("Flows of the EPOS tester tool", flows))
    return found


def told(parts: Sequence[Part]) -> str:
    """How many rows are in each state, in words."""
    states = Counter(row.state for part in parts for row in part.rows)
    return ", ".join(f"{states[each]} {text[0].lower()}{text[1:]}" for each, text in STATES.items() if states[each])


def _recorded(partner: Mapping[str, Any]) -> Iterator[Row]:
    pos, version = partner["pos"].get("name"), partner["pos"].get("minimum-version")
    yield Row(
        scenario="The minimum POS version is recorded and shared",
        steps=[Step("Name the POS and the first version that has the integration")],
        expected="The version is known to Dojo.",
        state="recorded" if version else "missing",
        remark=f"{pos or 'The POS'}, version {version} or newer" if version
        else "Write minimum-version under [pos] in partner.toml, or record it in the UAT.",
    )  # fmt: skip
    transports = words.listed(map(words.transport, partner["transports"]))
    yield Row(
        scenario="REST, WebSocket or both is recorded",
        steps=[Step("Name the transports of the integration")],
        expected="Dojo knows how it reaches the EPOS.",
        state="recorded",
        remark=f"{transports}, as in this run",
    )


def _asked(asked: _Asked, by_rule: Mapping[str, Sequence[Check]], seen: Callable[..., list[Observed]]) -> Row:
    checks = [each for rule in asked.rules for each in by_rule.get(rule, ())]
    state = _state(checks) if checks else "unasked"
    left = [rule for rule in asked.rules if all(words.kind(each) == "left-out" for each in by_rule.get(rule, ()))]
    told = _why(checks, state)
    if left and state not in ("broken", "unproven", "absent", "unasked"):
        state, told = "partly", f"Not examined: {words.listed(left)}"
    return Row(
        scenario=asked.scenario,
        steps=[*map(Step, asked.steps)],
        expected=asked.expected,
        state="uat" if asked.by_hand and state not in ("broken", "unproven") else state,
        observed=seen(checks),
        remark=asked.by_hand or told,
    )


def _journeys(by_rule: Mapping[str, Sequence[Check]], seen: Callable[..., list[Observed]]) -> Iterator[Row]:
    for id, rule in _rules.rules().items():
        if rule.page != "journeys":
            continue
        checks = by_rule.get(id, [])
        name = id.partition(".")[2]
        title = _TITLES.get(name, name.replace("-", " ").capitalize())
        yield _story(title, rule.sentence, checks, seen(checks))


def _flows(checks: Sequence[Check], seen: Callable[..., list[Observed]]) -> Iterator[Row]:
    by_flow: dict[str, list[Check]] = {}
    for each in checks:
        by_flow.setdefault(each.get("case") or "All flows", []).append(each)
    for name, found in [*by_flow.items()][:_MOST_FLOWS]:
        yield _story(words.clip(name, 200), "The flow ends in success.", found, seen(found))


def _story(title: str, expected: str, checks: Sequence[Check], observed: list[Observed]) -> Row:
    state = _state(checks) if checks else "unasked"
    told = [Step(words.clip(name, 300), kind) for name, kind in _steps(checks).items()][:_MOST_STEPS]
    return Row(
        scenario=title, steps=told, expected=expected, state=state, observed=observed, remark=_why(checks, state)
    )


def _steps(checks: Sequence[Check]) -> dict[str, str]:
    """
    The steps of *checks*, which are one story: name -> the worst kind.

    Each is told once, be it taken over one transport or over both; one that went wrong says over which.
    """
    found: dict[str, str] = {}
    for check in checks:
        for each in check.get("steps", ()):
            kind = words.kind({"outcome": each["outcome"], "level": "must"})
            name = _OVER.sub("", each["name"]) if kind == "kept" else each["name"]
            found[name] = min(found.get(name, kind), kind, key=_RANKS.index)
    return found


def _state(checks: Sequence[Check]) -> str:
    kinds = {words.kind(each) for each in checks}
    for kind, state in _STATES:
        if kind in kinds:
            return state
    if kinds != {"left-out"}:
        return "shown"
    return "absent" if any(_NOT_OFFERED.search(each["message"]) for each in checks) else "unasked"


def _why(checks: Sequence[Check], state: str) -> str | None:
    """Why it isn't shown, where there is no finding to read it in."""
    if state in ("absent", "unasked") and checks:
        return words.clip(checks[0]["message"].removeprefix("not examined: "), 300)
    return "It was left out of this run." if state == "unasked" else None


def _observed(checks: Sequence[Check], anchors: Mapping[Any, str]) -> Iterator[Observed]:
    """
    How *checks* ended: over each transport the worst of those that were examined, where any was.
    """
    for transport in dict.fromkeys(each["transport"] for each in checks):
        found = [each for each in checks if each["transport"] == transport]
        examined = [each for each in found if words.kind(each) != "left-out"]
        over = words.over([transport])
        if not examined:
            absent = any(_NOT_OFFERED.search(each["message"]) for each in found)
            yield Observed(over=over, word="not offered" if absent else "not examined", anchor=None)
            continue
        worst = min(examined, key=lambda each: _RANKS.index(words.kind(each)))
        yield Observed(over=over, word=words.KINDS[words.kind(worst)], anchor=anchors.get(words.key(worst)))
