"""
Payment intents are made up, named by the user, or printed by the user's command.
"""

from __future__ import annotations

import sys

from collections.abc import Iterable

import pytest

from epos_conformance import intents
from epos_conformance.exceptions import Inconclusive
from epos_conformance.intents import Commanded, Intents, Supplied


def script(text: str) -> Commanded:
    return Commanded([sys.executable, "-c", text])


def test_made_up_intents_differ() -> None:
    assert len({Intents().new(1, "GBP") for _ in range(50)}) == 50


def test_supplied_intents_are_used_up_and_one_of_them_is_spoken_of() -> None:
    used: list[str] = []

    def use_up(ids: Iterable[str], _: str) -> str:
        found = next(each for each in ids if each not in used)
        used.append(found)
        return found

    found = Supplied(["pi_1", "pi_2"], use_up)
    assert [found.any(1, "GBP"), found.new(1, "GBP"), found.new(1, "GBP"), found.any(1, "GBP")] == [
        "pi_1",
        "pi_1",
        "pi_2",
        "pi_1",
    ]


def test_a_command_is_told_amount_and_currency() -> None:
    found = script("import os; print('made pi_' + os.environ['AMOUNT'] + os.environ['CURRENCY'])")
    assert found.new(250, "EUR") == "pi_250EUR"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; print('no key', file=sys.stderr); sys.exit(3)", "status 3, saying: no key"),
        ("pass", "status 0, saying: nothing"),
    ],
    ids=["fails", "silent"],
)
def test_a_command_that_fails_says_why(text: str, said: str) -> None:
    with pytest.raises(Inconclusive, match=said):
        script(text).new(1, "GBP")


def test_a_command_that_is_not_there_is_told() -> None:
    with pytest.raises(Inconclusive, match="can't be run"):
        Commanded(["/no/such/command"]).new(1, "GBP")


def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intents, "MOST_SECONDS", 0.2)
    with pytest.raises(Inconclusive, match=r"longer than 0\.2 s"):
        script("import time; time.sleep(9)").new(1, "GBP")
