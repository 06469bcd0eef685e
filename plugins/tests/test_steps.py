"""
The steps of a story are told with their outcomes and times, and the first wrong one ends it with the rule it breaks.
"""

from __future__ import annotations

import time

import pytest

from epos_conformance import _rules
from epos_conformance.exceptions import Inconclusive, NotOffered, Unreachable, Violation
from epos_conformance.steps import Step, Steps
from epos_conformance.verdict import Finding, Outcome


RULE = "SearchOrders.answer-matches-schema"


def test_steps_are_kept_in_order_with_their_times() -> None:
    steps, before = Steps(), time.time()
    with steps.take("find the order"):
        time.sleep(0.01)
    with steps.take("pay it") as second:
        second.messages.append("paid 100")
    assert [(each.name, each.outcome) for each in steps] == [
        ("find the order", Outcome.CONFORMS),
        ("pay it", Outcome.CONFORMS),
    ]
    first = steps[0]
    assert first.finished is not None
    assert before <= first.started < first.finished <= second.started
    assert first.finished - first.started >= 0.01


def test_a_violation_names_the_step_and_the_rule() -> None:
    steps = Steps()
    with steps.take("find the order"):
        pass
    with pytest.raises(Violation) as caught, steps.take("pay it", rule=RULE):
        raise Violation(Finding("status", "200", "500"), hint="the till is off")
    assert str(caught.value).splitlines()[0] == (f"step 2, 'pay it', breaks {RULE}: {_rules.rules()[RULE].sentence}")
    assert steps[1].outcome is Outcome.VIOLATES
    # In the step, what was found; which step it is, is plain there.
    assert steps[1].messages == [str(Violation(Finding("status", "200", "500"), hint="the till is off"))]
    assert steps[1].finished is not None


def test_a_violation_of_no_rule_in_particular_names_the_step() -> None:
    with pytest.raises(Violation, match=r"^step 1, 'pay it', went wrong\n"), Steps().take("pay it"):
        raise Violation(Finding("status", "200", "500"))


@pytest.mark.parametrize("kind", [Inconclusive, Unreachable])
def test_what_can_not_be_examined_names_the_step_and_stays_what_it_is(kind: type[Inconclusive]) -> None:
    steps = Steps()
    with pytest.raises(kind) as caught, steps.take("pay it"):
        raise kind("no intents")
    assert str(caught.value) == "step 1, 'pay it': no intents"
    assert (steps[0].outcome, steps[0].messages) == (Outcome.INCONCLUSIVE, ["no intents"])


def test_what_is_not_offered_ends_the_story_without_blame() -> None:
    steps = Steps()
    with pytest.raises(NotOffered, match=r"^CreateOrder isn't offered$"), steps.take("order tea"):
        raise NotOffered("CreateOrder isn't offered")
    assert steps[0].outcome is Outcome.NOT_OFFERED


@pytest.mark.parametrize("error", [KeyError("id"), KeyboardInterrupt()])
def test_a_fault_of_the_suite_proves_nothing(error: BaseException) -> None:
    steps = Steps()
    with pytest.raises(type(error)), steps.take("pay it"):
        raise error
    assert steps[0].outcome is Outcome.INCONCLUSIVE
    assert steps[0].finished is not None


def test_a_step_for_machines() -> None:
    assert Step("a", 1.23456, 2.0).to_json() == {"name": "a", "outcome": "conforms", "started": 1.235, "finished": 2.0}
    told = Step("a", 1.0, None, Outcome.VIOLATES, ["why"]).to_json()
    assert told == {"name": "a", "outcome": "violates", "started": 1.0, "finished": 1.0, "messages": ["why"]}
