"""
Unusual bodies are bounded, the same for the same seed, and made small where they show something.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _contracts, depth
from epos_conformance._contracts import Capability
from epos_conformance.depth import Story, _Search
from epos_conformance.exceptions import Inconclusive, NotOffered, Unreachable, Violation
from epos_conformance.exchange import Exchange, Sent
from epos_conformance.partner import Partner
from epos_conformance.strategies import Leaf, Variation
from epos_conformance.trials import CRASH, Outcome, Problem
from epos_conformance.verdict import Finding

from .place import Place, refusing
from .support import CHECKOUT


LEAVES = [
    Leaf(("name",), "text", True),
    Leaf(("hostNotes",), "text", True),
    Leaf(("covers",), "count", True),
    Leaf(("startTime",), "time"),
]

SENT = Sent(method="POST", url="http://till.example", headers=(), body=None)


def capability(name: str = "CreateParty") -> Capability:
    return _contracts.capabilities()[name]


def problem(where: str = "$.name") -> Problem:
    return Problem(where=where, expected="this", seen="that", exchanges=(_exchange(),))


def _exchange() -> Exchange:
    return Exchange(capability="CreateParty", transport="rest", sent=SENT)


class Epos:
    """
    A subject that needs no partner: *judge* says what a variation leads to.
    """

    removable = True
    seconds = 0.001
    shown = frozenset({"texts", "values"})

    def __init__(self, judge: Callable[[Variation], Outcome] = lambda _: Outcome(True)) -> None:
        self.leaves = LEAVES
        self.capability = capability()
        self.judge = judge
        self.sent: list[Variation] = []

    def send(self, variation: Variation, *, careful: bool = False) -> Outcome:
        del careful
        self.sent.append(variation)
        return self.judge(variation)

    def usual(self, where: str) -> int | None:
        return 2 if where == "$.covers" else None


def searched(epos: Epos, seed: int = 0, number: int = 30) -> Story:
    search = _Search(epos, seed, number)  # type: ignore[arg-type] # all of a subject that is needed
    search.explore()
    search.shrink()
    return search.story()


def crashing(on: Callable[[Variation], bool]) -> Callable[[Variation], Outcome]:
    return lambda variation: Outcome(False, {CRASH: problem(str(dict(variation)))}) if on(variation) else Outcome(True)


# Finding


def test_as_many_bodies_are_tried_as_asked_for_and_no_two_alike() -> None:
    epos = Epos()
    story = searched(epos)
    assert story.note == f"{len(epos.sent)} of {len(epos.sent)} unusual bodies were taken; --seed=0"
    assert 25 <= len(epos.sent) <= 30
    assert len({str(sorted(each.items(), key=str)) for each in epos.sent}) == len(epos.sent)
    assert {} not in epos.sent
    assert not story.findings


def test_the_same_seed_gives_the_same_bodies_and_another_one_others() -> None:
    first, again, other = Epos(), Epos(), Epos()
    searched(first, 7)
    random.seed(1)
    searched(again, 7)
    searched(other, 8)
    assert first.sent == again.sent
    assert first.sent != other.sent


def test_the_randomness_of_others_is_left_alone() -> None:
    random.seed(1)
    before = random.getstate()
    searched(Epos())
    assert random.getstate() == before


def test_nothing_is_written_to_where_the_user_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    searched(Epos(crashing(lambda variation: "$.name" in variation)))
    assert list(tmp_path.iterdir()) == []


def test_there_is_an_end_to_it_for_a_partner_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth, "SECONDS", 0.2)

    def slowly(variation: Variation) -> Outcome:
        del variation
        time.sleep(0.05)
        return Outcome(True)

    epos = Epos(slowly)
    searched(epos)
    assert len(epos.sent) < 8


def test_where_no_answer_comes_it_stops_and_says_why() -> None:
    error = Unreachable("nobody is there")

    def judge(variation: Variation) -> Outcome:
        if "$.covers" in variation:
            raise error
        return Outcome(True)

    epos = Epos(judge)
    story = searched(epos)
    assert story.stopped is error
    assert sum("$.covers" in each for each in epos.sent) == 1


# Making smaller


def test_a_problem_is_told_with_the_smallest_body_that_shows_it() -> None:
    story = searched(Epos(crashing(lambda variation: len(variation.get("$.hostNotes") or "") > 255)))
    (finding,) = story.findings["survives"]
    assert finding.where == str({"$.hostNotes": f"{LONG[:255]}."})
    assert re.fullmatch(r"that \(\d of \d\d unusual bodies; --seed=0 sends them again\)", finding.seen)
    assert story.exchanges["survives"]


LONG = "A long story about a table by the window. " * 7


def test_what_takes_two_members_is_told_with_two() -> None:
    story = searched(
        Epos(crashing(lambda variation: all("'" in (variation.get(each) or "") for each in ("$.name", "$.hostNotes"))))
    )
    assert story.findings["survives"][0].where == str({"$.name": "'", "$.hostNotes": "'"})


def test_a_number_is_told_by_its_border() -> None:
    story = searched(Epos(crashing(lambda variation: (variation.get("$.covers") or 0) > 127)))
    assert story.findings["survives"][0].where == str({"$.covers": 128})


def test_a_spelling_is_told_by_what_matters_of_it() -> None:
    story = searched(
        Epos(crashing(lambda variation: variation.get("$.startTime", {}).get("offset", "Z") not in ("Z", "+00:00")))
    )
    where = story.findings["survives"][0].where
    assert "'milliseconds': None, 'digits': 3" in where


def test_making_smaller_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth, "MOST_SHRINKING", 3)
    epos = Epos(crashing(lambda variation: "'" in (variation.get("$.name") or "")))
    story = searched(epos)
    assert story.findings["survives"]
    assert len(epos.sent) <= 30 + 3 + 2


def test_few_members_of_a_rule_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth, "MOST_TOLD", 1)
    altered = {f"texts {each}": problem() for each in ("$.name", "$.hostNotes")}
    story = searched(Epos(lambda variation: Outcome(True, altered) if variation else Outcome(True)))
    assert len(story.findings["texts"]) == 1


# Doubt


def test_what_shows_once_and_not_again_is_no_finding() -> None:
    left = [1]

    def judge(variation: Variation) -> Outcome:
        if "$.name" in variation and left[0]:
            left[0] -= 1
            return Outcome(False, {CRASH: problem()})
        return Outcome(True)

    story = searched(Epos(judge))
    assert not story.findings
    assert "that (1 of" in story.unsure["survives"]


def test_a_crash_that_came_twice_needs_no_proof() -> None:
    left = [2]

    def judge(variation: Variation) -> Outcome:
        if "$.name" not in variation:
            return Outcome(True)
        left[0] -= 1
        return Outcome(left[0] < 0, {CRASH: problem()} if left[0] >= 0 else {})

    assert "that (2 of" in searched(Epos(judge)).findings["survives"][0].seen


def test_a_crash_that_takes_the_partner_along_is_told_if_it_came_twice() -> None:
    crashes: list[bool] = []

    def judge(variation: Variation) -> Outcome:
        if len(crashes) == 2:
            raise Unreachable("nobody is there any more")
        if "$.name" in variation:
            crashes.append(True)
            return Outcome(False, {CRASH: problem()})
        return Outcome(True)

    story = searched(Epos(judge))
    assert story.findings["survives"]
    assert story.stopped is not None


def test_a_crash_that_the_usual_body_brings_by_now_is_no_finding() -> None:
    broken: list[bool] = []

    def judge(variation: Variation) -> Outcome:
        if "$.name" in variation:
            broken.append(True)
        return Outcome(False, {CRASH: problem()}) if broken else Outcome(True)

    story = searched(Epos(judge))
    assert not story.findings
    assert "survives" in story.unsure


def test_control_characters_have_a_rule_of_their_own() -> None:
    story = searched(Epos(crashing(lambda variation: "\0" in (variation.get("$.name") or ""))))
    assert set(story.findings) == {"control-characters"}


def test_what_becomes_of_control_characters_is_nobodys_business() -> None:
    def judge(variation: Variation) -> Outcome:
        lost = any(isinstance(each, str) and "\x1b" in each for each in variation.values())
        return Outcome(True, {"texts $.name": problem()} if lost else {})

    assert not searched(Epos(judge)).findings


# Judging


def told(monkeypatch: pytest.MonkeyPatch, **story: Any) -> None:
    whole = {"note": "so", "findings": {}, "exchanges": {}, "unsure": {}, "shown": frozenset({"texts"}), **story}
    monkeypatch.setattr(depth, "tell", lambda *_: Story(**whole))


def test_a_finding_violates_and_shows_its_exchanges_last(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    partner, exchange = place.partner(), _exchange()
    told(monkeypatch, findings={"texts": (Finding("$.name", "a", "b"),)}, exchanges={"texts": (exchange,)})
    with pytest.raises(Violation, match="expected a, saw b"):
        depth.require(partner, capability(), "texts")
    assert partner.exchanges[-1] is exchange
    assert exchange.mask is partner.transport.mask


def test_doubt_is_inconclusive(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, unsure={"texts": "at $.name"})
    with pytest.raises(Inconclusive, match=r"seen once and not again: at \$.name"):
        depth.require(place.partner(), capability(), "texts")


def test_an_early_end_is_inconclusive(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, stopped=Unreachable("gone"))
    with pytest.raises(Unreachable, match="gone"):
        depth.require(place.partner(), capability(), "texts")


def test_a_kept_rule_says_how_many_bodies_there_were(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    partner = place.partner()
    told(monkeypatch)
    depth.require(partner, capability(), "texts")
    assert partner.notes == ["so"]


def test_where_nothing_is_shown_nothing_is_judged(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch)
    with pytest.raises(NotOffered, match="nothing of the kind is shown"):
        depth.require(place.partner(), capability(), "values")


def test_it_can_be_switched_off(place: Place) -> None:
    partner = place.partner(depth=0)
    with pytest.raises(NotOffered, match="--depth=0"):
        depth.require(partner, capability(), "survives")
    assert place.asked == []


# At a partner


def test_a_capability_is_asked_once_for_all_of_its_rules(place: Place) -> None:
    partner = place.partner(depth=5)
    depth.require(partner, capability(), "survives")
    asked = len(place.asked)
    depth.require(partner, capability(), "texts")
    assert len(place.asked) == asked
    assert partner.notes[0].startswith("5 of 5 unusual bodies were taken")


def test_what_says_nothing_is_not_reported(place: Place) -> None:
    partner = place.partner(depth=10)
    depth.require(partner, capability("UpdateReservation"), "values")
    assert 0 < len(partner.exchanges) < 8
    assert len(place.asked) > 20


def test_where_nothing_can_be_removed_little_is_made(place: Place) -> None:
    session = place.session()
    session.offered = session.offered - {"CancelOrderById"}
    depth.require(Partner(session), capability("CreateOrder"), "survives")
    assert place.asked.count("POST /v1/orders") <= depth.MOST_LEFT + 2


def test_a_slow_partner_is_asked_less(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth, "SECONDS", 0.05)
    partner = place.partner()
    depth.require(partner, capability(), "survives")
    assert place.asked.count("POST /v1/parties") < 25


def test_a_real_crash_is_a_violation_with_the_body_at_fault(place: Place) -> None:
    def instead(asked: str) -> Any:
        sent = place.bodies[-1]
        bad = sent and "'" in sent.get("name", "")
        return refusing("POST /v1/parties", status=500)(asked) if bad else None

    place.instead = instead
    partner = place.partner()
    with pytest.raises(Violation) as caught:
        depth.require(partner, capability(), "survives")
    assert 'CreateParty with $.name "\'": expected it carried out, or refused in good order' in str(caught.value)
    body = partner.exchanges[-1].sent.body
    assert body is not None
    assert b'"name":"\'"' in body
    depth.require(place.partner(), capability(), "texts")


def test_any_process_draws_the_same_bodies(tmp_path: Path) -> None:
    program = (
        "from tests.test_depth import Epos, searched\n"
        "epos = Epos()\n"
        "searched(epos, 3)\n"
        "print([sorted(each.items(), key=str) for each in epos.sent])\n"
    )
    told = []
    for salt in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": str(CHECKOUT / "plugins")}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        told.append(done.stdout)
    epos = Epos()
    searched(epos, 3)
    assert told == [f"{[sorted(each.items(), key=str) for each in epos.sent]}\n"] * 2
