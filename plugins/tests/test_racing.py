"""
Calls that are released together arrive together, each over a connection of its own.
"""

from __future__ import annotations

import contextlib
import time

from contextlib import AbstractContextManager
from typing import Any

import pytest

from epos_conformance import _contracts, money, racing
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos

from .place import Place


class Counting(ReferenceEpos):
    """
    Counts how many calls are inside at the same time.
    """

    side_by_side = True
    inside = most = 0
    arrived: list[float]

    def exclusively(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext()

    def perform(self, call: Call) -> Any:
        with self.turn:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.arrived.append(time.perf_counter())
        time.sleep(0.05)
        try:
            with self.turn:
                return super().perform(call)
        finally:
            self.inside -= 1


@pytest.fixture
def counting(place: Place) -> Counting:
    place.epos.__class__ = type("Counting", (Counting, type(place.epos)), {})
    assert isinstance(place.epos, Counting)
    place.epos.arrived = []
    return place.epos


def test_calls_with_a_body_arrive_together(place: Place, counting: Counting) -> None:
    found = place.partner()
    order = found.order()
    counting.arrived.clear()
    calls = [
        (
            "RecordOrderPaymentById",
            {"orderId": order["id"], "paymentIntentId": f"pi_{n}", "paidAmount": money.of(1, "GBP")},
        )
        for n in range(4)
    ]
    exchanges = found.at_once(*calls)
    assert [each.succeeded for each in exchanges] == [True] * 4
    assert counting.most == 4
    assert max(counting.arrived) - min(counting.arrived) < 0.05
    assert found.exchanges[-4:] == exchanges


def test_calls_without_a_body_arrive_together(place: Place, counting: Counting) -> None:
    found = place.partner()
    first, second = found.order(), found.order()
    counting.most = 0
    both = [("CancelOrderById", {"orderId": each["id"]}) for each in (first, second)]
    assert all(each.succeeded for each in found.at_once(*both))
    assert counting.most == 2


def test_what_arrives_together_is_cleaned_up(place: Place) -> None:
    found = place.partner()
    capability = "CreateOrder"
    requests = [found.request(_contracts.capabilities()[capability]) for _ in range(2)]
    made = [each.result["id"] for each in found.at_once(*((capability, each) for each in requests))]
    found.clean_up()
    assert [place.epos.orders[each].status for each in made] == ["Canceled"] * 2


def test_whoever_cannot_connect_lets_the_others_go(place: Place) -> None:
    found = place.partner()
    order = found.order()
    found.at_once(*[("GetOrderById", {"orderId": order["id"]})] * 2)
    transport = found.rest
    transport._racers[1].url = "http://127.0.0.1:1"
    started = time.monotonic()
    exchanges = transport.at_once(
        [(_contracts.capabilities()["RecordOrderPaymentById"], payment(order["id"], n)) for n in range(2)], {}
    )
    assert time.monotonic() - started < 4
    assert exchanges[0].succeeded
    assert exchanges[1].answer is None


def payment(order_id: str, number: int) -> dict[str, Any]:
    return {"orderId": order_id, "paymentIntentId": f"pi_{number}", "paidAmount": money.of(1, "GBP")}


def test_rounds_are_counted_and_told(place: Place) -> None:
    found = place.partner(race_rounds=3)
    assert list(racing.rounds(found)) == [1, 2, 3]
    assert found.notes == ["3 rounds"]


def test_rounds_end_early_where_they_take_long(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(racing, "MOST_SECONDS", 0.0)
    assert list(racing.rounds(place.partner(race_rounds=9))) == [1, 2]
