"""
Reads after writes are repeated until they agree, for as long as the user allows.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from epos_conformance._settings import Settings
from epos_conformance.partner import Partner
from epos_conformance.settling import settled, unchanged


@dataclass
class Watched:
    """As much of a partner as settling knows."""

    settings: Settings = field(default_factory=lambda: Settings(url="http://x", settle=0.3))
    notes: list[str] = field(default_factory=list)
    lag: float = 0.0


def watched(**more: Any) -> Partner:
    return cast("Partner", Watched(**more))


def later(seconds: float) -> tuple[list[float], Callable[[], bool]]:
    """Something that comes true in so many *seconds*, and the times it was looked at."""
    due, looks = time.monotonic() + seconds, list[float]()

    def look() -> bool:
        looks.append(time.monotonic())
        return time.monotonic() >= due

    return looks, look


def test_what_agrees_at_once_is_looked_at_once() -> None:
    partner = watched()
    looks, look = later(0)
    assert settled(partner, look, bool)
    assert (len(looks), partner.notes, partner.lag) == (1, [], 0.0)


def test_what_agrees_later_is_waited_for_and_told() -> None:
    partner = watched()
    looks, look = later(0.1)
    assert settled(partner, look, bool)
    assert 2 <= len(looks) <= 8
    assert partner.notes == ["settled after 0.1 s"]
    assert partner.lag >= 0.1


def test_what_never_agrees_is_shown_after_the_settle_time() -> None:
    partner = watched()
    looks, look = later(99)
    assert settled(partner, look, bool) is False
    assert looks[-1] - looks[0] >= 0.3
    assert partner.notes == []


def test_without_a_settle_time_one_look_decides() -> None:
    partner = watched(settings=Settings(url="http://x", settle=0))
    looks, look = later(99)
    assert settled(partner, look, bool) is False
    assert len(looks) == 1


def test_of_a_partner_that_lags_what_is_unchanged_is_looked_at_late() -> None:
    prompt, slow = watched(), watched(lag=0.1)
    started = time.monotonic()
    assert unchanged(prompt, lambda: True, bool)
    assert time.monotonic() - started < 0.3
    assert unchanged(slow, lambda: True, bool)
    assert time.monotonic() - started >= 0.3
