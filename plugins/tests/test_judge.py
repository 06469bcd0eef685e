"""
However a check ends, its result says whose doing it is, and nothing of the user's secrets.
"""

from __future__ import annotations

import datetime
import json

from typing import Any

import pytest

from epos_conformance import _checks, _contracts, _judge, _rules
from epos_conformance._checks import Examination
from epos_conformance._masking import MASK, Masker
from epos_conformance._settings import Waiver
from epos_conformance.exceptions import (
    BrokenAnswer,
    Inconclusive,
    NotOffered,
    Unanswered,
    Unauthorized,
    Unreachable,
    Violation,
)
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.partner import Partner
from epos_conformance.steps import Steps
from epos_conformance.verdict import Finding, Outcome, Result


SECRET = "s3cret-word"
MASKED = Masker([SECRET])


@pytest.fixture(autouse=True)
def nothing_declared(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """The real checks may have been declared in this process."""
    monkeypatch.setattr(_checks, "_DECLARED", set())
    pytestconfig.addinivalue_line("markers", "check: as in a run")


def examination(id: str = "*.answer-matches-schema", capability: str = "SearchOrders") -> Examination:
    _checks.forget()
    mark = _checks.check(id, cases=lambda _: ["minimal"]).mark
    return next(
        each for each in _checks.examinations(mark, ["rest"]) if each.capability and each.capability.name == capability
    )


class Conversation(Partner):
    """
    A partner with whom so many words were changed.
    """

    def __init__(self, number: int) -> None:
        self.notes = []
        self.steps = Steps()
        self.exchanges = [
            Exchange(
                capability="SearchOrders",
                transport="rest",
                sent=Sent(method="POST", url=f"http://till/{each}", headers=(), body=SECRET.encode()),
                answer=Answer(status=200, headers=(), body=b"{}"),
                mask=MASKED,
            )
            for each in range(number)
        ]


def judged(error: BaseException | None, number: int = 1, **more: Any) -> Result:
    return _judge.judge(examination(), error, 0.12345678, Conversation(number), more.get("waiver"), MASKED)


def test_a_result_is_of_its_examination() -> None:
    found = judged(None)
    rule = _rules.rules()["SearchOrders.answer-matches-schema"]
    assert (found.id, found.case, found.capability, found.page, found.transport) == (
        "SearchOrders.answer-matches-schema",
        "minimal",
        "SearchOrders",
        _contracts.capabilities()["SearchOrders"].page,
        "rest",
    )
    assert (found.level, found.basis, found.sentence, found.source) == (
        rule.level,
        rule.basis,
        rule.sentence,
        rule.sources,
    )
    assert found.duration == 0.123457
    assert found.waiver is None


@pytest.mark.parametrize(
    ("error", "outcome", "cause"),
    [
        (None, Outcome.CONFORMS, None),
        (Violation(Finding("status", "200", "201")), Outcome.VIOLATES, None),
        (NotOffered("not claimed"), Outcome.NOT_OFFERED, None),
        (Inconclusive("no tables"), Outcome.INCONCLUSIVE, "data"),
        (BrokenAnswer("broke off"), Outcome.INCONCLUSIVE, "data"),
        (Unauthorized("refused"), Outcome.INCONCLUSIVE, "credentials"),
        (Unauthorized("refused", elsewhere=True), Outcome.INCONCLUSIVE, "credentials"),
        (Unreachable("no connection"), Outcome.INCONCLUSIVE, "unreachable"),
        (Unanswered("late"), Outcome.INCONCLUSIVE, "unreachable"),
        (KeyError("id"), Outcome.INCONCLUSIVE, "suite"),
        (AssertionError("can't be"), Outcome.INCONCLUSIVE, "suite"),
        (RecursionError(), Outcome.INCONCLUSIVE, "suite"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_how_a_check_ends_is_what_it_means(error: BaseException | None, outcome: Outcome, cause: str | None) -> None:
    found = judged(error)
    assert (found.outcome, found.cause) == (outcome, cause)
    if error is not None and cause != "suite":
        assert found.message == str(error)


def test_who_asked_nothing_has_proven_nothing() -> None:
    for partner in (Conversation(0), None):
        found = _judge.judge(examination(), None, 0, partner, None, MASKED)
        assert (found.outcome, found.cause) == (Outcome.INCONCLUSIVE, "suite")
        assert found.message == "the check asked the partner nothing"


def test_who_violates_without_having_asked_violates() -> None:
    assert judged(Violation(Finding("a", "b", "c")), 0).outcome is Outcome.VIOLATES


def test_a_rule_that_is_kept_tells_what_was_seen_on_the_way() -> None:
    partner = Conversation(1)
    partner.notes += ["0.01 s", f"with {SECRET}"]
    assert _judge.judge(examination(), None, 0, partner, None, MASKED).message == f"0.01 s; with {MASK}"


def test_a_fault_of_the_suite_is_told_with_its_place() -> None:
    try:
        raise ZeroDivisionError(f"by {SECRET}")
    except ZeroDivisionError as error:
        found = judged(error)
    assert found.message.startswith(f"fault of the suite: ZeroDivisionError: by {MASK} (test_judge.py:")
    assert "fault of the suite: KeyError: 'id'" in judged(KeyError("id")).message


@pytest.mark.parametrize("error", [None, Violation(Finding("a", "b", SECRET)), Inconclusive(SECRET), KeyError(SECRET)])
def test_no_secret_is_in_a_result(error: BaseException | None) -> None:
    found = judged(error)
    assert SECRET not in found.message
    assert SECRET not in json.dumps(list(found.exchanges))


def test_no_secret_is_in_a_step() -> None:
    partner = Conversation(1)
    with partner.steps.take(f"pay with {SECRET}") as step:
        step.messages.append(f"paid with {SECRET}")
    (told,) = _judge.judge(examination(), None, 0, partner, None, MASKED).steps
    assert (told["name"], told["messages"]) == (f"pay with {MASK}", [f"paid with {MASK}"])


@pytest.mark.parametrize(
    ("error", "bodies"),
    [(None, False), (NotOffered("x"), False), (Inconclusive("x"), True), (Violation(Finding("a", "b", "c")), True)],
)
def test_bodies_are_kept_where_somebody_will_want_them(error: BaseException | None, bodies: bool) -> None:
    (shown,) = judged(error).exchanges
    assert ("replay" in shown) is bodies
    assert ("body" in shown["request"]) is bodies


@pytest.mark.parametrize(("error", "number"), [(None, 30), (Violation(Finding("a", "b", "c")), 20)])
def test_of_a_long_conversation_the_end_is_kept(error: BaseException | None, number: int) -> None:
    shown = judged(error, 30).exchanges
    assert len(shown) == number
    assert shown[-1]["request"]["url"] == "http://till/29"


def test_the_exchange_at_fault_is_kept_and_marked_however_long_ago_it_was() -> None:
    finding = Finding("SearchOrders of 'http://till/3'", "a", "b")
    shown = judged(Violation(finding), 25).exchanges
    assert [each["request"]["url"] for each in shown] == [f"http://till/{number}" for number in range(4)]
    assert [each.get("fault") for each in shown] == [None, None, None, True]


def test_without_a_finding_no_exchange_is_at_fault() -> None:
    assert not any("fault" in each for error in (None, Inconclusive("x")) for each in judged(error, 3).exchanges)


def test_a_waiver_is_kept_with_its_reason_and_end() -> None:
    waiver = Waiver(rule="x", reason="agreed", until=datetime.date(2027, 1, 31))
    found = judged(Violation(Finding("a", "b", "c")), waiver=waiver)
    assert found.waiver == {"reason": "agreed", "until": "2027-01-31"}
    assert found.waived


def test_a_rule_of_the_transport_as_a_whole_has_no_capability() -> None:
    (whole,) = _checks.examinations(_checks.check("rest.unknown-path-is-not-found").mark, ["rest"])
    assert _judge.judge(whole, None, 0, Conversation(1), None, MASKED).capability is None
