"""
What the sandbox keeps has bounds, and is written whole or not at all.
"""

from __future__ import annotations

import contextlib
import json

from pathlib import Path

import pytest

from epos_conformance.sandbox import store
from epos_conformance.sandbox.store import BrokenState, Store, instant


def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_INTENTS", 2)
    kept = Store()
    for number in range(4):
        with kept.changing("a") as account:
            account.intents[f"pi_{number}"] = {"id": f"pi_{number}"}
    with kept.reading("a") as account:
        assert list(account.intents) == ["pi_2", "pi_3"]


def test_events_are_numbered_on_when_the_oldest_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_EVENTS", 2)
    kept = Store()
    assert [kept.record("a", {}) for _ in range(4)] == [1, 2, 3, 4]
    assert [each["number"] for each in kept.events("a", 0)] == [3, 4]


def test_what_fails_on_the_way_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    kept = Store(path)
    with kept.changing("a") as account:
        account.ws = {"capabilities": [], "createdAt": instant()}
    before = path.read_text()
    with contextlib.suppress(ZeroDivisionError), kept.changing("a") as account:
        account.ws = None
        raise ZeroDivisionError
    assert path.read_text() == before


def test_reading_makes_no_account(tmp_path: Path) -> None:
    kept = Store(tmp_path / "state.json")
    with kept.reading("nobody") as account:
        assert account.registered("rest") == []
    kept.save()
    assert json.loads((tmp_path / "state.json").read_text())["accounts"] == {}


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(BrokenState, match="cannot read"):
        Store(tmp_path)
    with pytest.raises(BrokenState, match="cannot write"):
        Store(tmp_path / "nowhere" / "state.json").save()


def test_times_are_told_to_the_millisecond() -> None:
    assert instant(0.0015) == "1970-01-01T00:00:00.001Z"
