"""
Short locks are watched by the partner's clock, as far as its answers tell what that says.
"""

from __future__ import annotations

import datetime
import json
import time

from email.utils import format_datetime
from typing import Any

import pytest

from epos_conformance import enforcing, lapsing
from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.lapsing import Clock, Story

from .place import Place, variants


def told(capability: str = "GetOrderById", *, date: str | None = None, duration: float = 0.0, **order: Any) -> Exchange:
    """An exchange that ended just now."""
    return Exchange(
        capability=capability,
        transport="rest",
        sent=Sent(method="GET", url="https://till.example", headers=(), body=None),
        answer=Answer(status=200, headers=(("Date", date),) if date else (), body=json.dumps(order).encode()),
        duration=duration,
    )


def at(seconds: float = 0) -> datetime.datetime:
    """So many *seconds* from now."""
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)


def date(seconds: float = 0) -> str:
    return format_datetime(at(seconds), usegmt=True)


# The clock


def test_nothing_is_known_of_a_clock_that_nobody_told() -> None:
    clock = Clock()
    clock.hear(told(createdAt=at(90).isoformat()))  # of an order that was only read
    assert (clock.known, clock.own, clock.low, clock.high) == (False, False, -0.5, 0.5)


@pytest.mark.parametrize("ahead", [-90, 0, 90])
def test_the_date_tells_the_clock_to_the_second(ahead: float) -> None:
    clock = Clock()
    clock.hear(told(date=date(ahead)))
    assert (clock.known, clock.own) == (True, False)
    assert clock.low <= ahead <= clock.high
    assert clock.width < 1.3


def test_several_dates_tell_more_than_one() -> None:
    clock = Clock()
    clock.hear(told(date=date(), duration=0.8))
    width = clock.width
    clock.hear(told(date=date()))
    assert clock.width < width


def test_a_new_order_tells_the_clock_better_than_the_date() -> None:
    clock = Clock()
    clock.hear(told("CreateOrder", date=date(), createdAt=at(90).isoformat()))
    clock.hear(told(date=date()))
    assert clock.own
    assert clock.low <= 90 <= clock.high
    assert clock.width < 0.2


@pytest.mark.parametrize("said", ["2020-01-01T00:00:00Z", "yesterday", 12, None, "2026-11-21T12:00:00"])
def test_times_that_make_no_sense_are_not_heard(said: Any) -> None:
    clock = Clock()
    clock.hear(told("CreateOrder", date="some day", createdAt=said))
    assert not clock.known


def test_a_clock_without_parts_of_a_second_is_heard_as_such() -> None:
    clock = Clock()
    clock.hear(told("CreateOrder", updatedAt=at().replace(microsecond=0).isoformat()))
    assert clock.low <= 0 <= clock.high
    assert clock.width > 1


def test_expiries_are_whole_seconds_of_the_partners() -> None:
    clock = Clock()
    clock.hear(told("CreateOrder", updatedAt=at(90).isoformat()))
    moment = clock.second_after(2)
    assert moment.is_integer()
    assert 91 < moment - time.time() < 94
    assert clock.surely_not(moment) <= clock.surely(moment)
    assert 1 < clock.surely_not(moment) - time.time() < 4


# The story


def story(place: Place, **settings: Any) -> Story:
    partner = place.partner(**settings)
    found = lapsing.lapsing(partner, enforcing.enforcement(partner))
    assert not [each for each in partner.leftovers if each.startswith("lock")]
    assert place.epos.locks == {}
    return found


@pytest.mark.parametrize(
    "place",
    [[], ["clock-ahead"], ["clock-behind-without-date"], ["locks-end-at-full-seconds"], ["three-orders-no-creation"]],
    ids=" ".join,
    indirect=True,
)
def test_locks_lapse_by_the_partners_clock(place: Place) -> None:
    started = time.monotonic()
    found = story(place)
    assert time.monotonic() - started < 6
    assert not found.plain.held.succeeded
    assert found.plain.after.succeeded
    assert found.extended is not None
    assert found.extended.after.succeeded
    assert found.between is not None
    assert not found.between.succeeded
    # Where locks end late, the extended one may have ended as well.
    assert found.telling or found.plain.late > 0.5
    assert found.overdue is None


@variants("locks-are-not-deleted")
def test_without_extensions_one_lock_is_watched(place: Place) -> None:
    partner = place.partner()
    found = lapsing.lapsing(partner, enforcing.enforcement(partner))
    assert found.plain.after.succeeded
    assert (found.extended, found.between, found.why_not) == (None, None, "ExtendOrderLock isn't offered")


@variants("locks-are-flags-for-ever")
def test_a_lock_that_does_not_lapse_is_overdue(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lapsing, "PATIENCE", 0.2)
    found = story(place)
    assert not found.plain.after.succeeded
    assert found.overdue


@variants("clock-behind-a-proxy")
def test_a_clock_that_nobody_tells_may_explain_a_late_lock(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lapsing, "PATIENCE", 0.2)
    found = story(place)
    assert not found.plain.after.succeeded
    assert found.overdue is None


@variants("short-locks-are-refused")
def test_where_short_locks_are_refused_there_is_no_story(place: Place) -> None:
    partner = place.partner()
    found = enforcing.enforcement(partner)
    for _ in range(2):
        with pytest.raises(Inconclusive, match=r"needs a lock that lapses soon, .* half a minute at least"):
            lapsing.lapsing(partner, found)


def test_where_answers_take_long_nothing_is_waited_for(place: Place) -> None:
    partner = place.partner()
    found = enforcing.enforcement(partner)
    slow = enforcing.Enforcement(second=found.second, enforced=True, pace=2.5)
    with pytest.raises(Inconclusive, match=r"a lock takes 2\.5 s"):
        lapsing.lapsing(partner, slow)
