"""
Checks that pay get orders of their own where the partner makes them, and share the venue's where it doesn't.
"""

from __future__ import annotations

import pytest

from filelock import FileLock
from starlette.responses import Response

from epos_conformance import money
from epos_conformance._settings import KnownData
from epos_conformance.exceptions import Inconclusive
from epos_conformance.partner import Partner

from .place import REFUSED, Place, variants


FEW = variants("three-orders-no-creation")


def paid(found: Partner, order_id: str, amount: int = 1) -> None:
    exchange = found.call(
        "RecordOrderPaymentById",
        {
            "orderId": order_id,
            "paymentIntentId": found.intent(),
            "paidAmount": money.of(amount, found.venue.currency),
        },
    )
    assert exchange.succeeded, exchange.seen


def test_each_order_is_a_new_one_of_our_own_and_is_removed(place: Place) -> None:
    found = place.partner()
    first, second = found.order(), found.order()
    assert first["id"] != second["id"]
    assert found.owns(str(first["id"]))
    found.clean_up()
    assert {place.epos.orders[str(each["id"])].status for each in (first, second)} == {"Canceled"}


def test_where_orders_cannot_be_made_the_venue_lends_its_own(place: Place) -> None:
    place.instead = lambda asked: Response(REFUSED, 409) if asked == "POST /v1/orders" else None
    found = place.partner()
    order = found.order(owed=500)
    assert order["id"] in {each.id for each in place.epos.venue.orders}
    assert (money.owed(order) or 0) >= 500
    assert not found.owns(str(order["id"]))


@FEW
def test_an_order_of_the_venue_is_lent_to_one_check_at_a_time(place: Place) -> None:
    one, other = place.partner(), place.partner()
    assert one.order()["id"] != other.order()["id"]


@FEW
def test_how_many_orders_are_missing_is_said(place: Place) -> None:
    found = place.partner()
    for _ in range(3):
        found.order()
    with pytest.raises(Inconclusive, match=r"no order that may be paid: 4 are needed beside .*data\.orders"):
        found.order()


@FEW
def test_orders_are_paid_off_in_order_of_importance(place: Place) -> None:
    found = place.partner()
    spent = [found.spend("payoff")["id"], found.spend("race")["id"]]
    assert len(set(spent)) == 2
    with pytest.raises(Inconclusive, match="are used up"):
        found.spend("payoff")


@FEW
def test_what_is_paid_off_is_never_lent(place: Place) -> None:
    one, other = place.partner(), place.partner()
    spent = one.spend("payoff")["id"]
    one.clean_up()
    assert spent not in {other.order()["id"], other.order()["id"]}


@FEW
def test_an_order_with_too_little_left_is_not_lent(place: Place) -> None:
    found = place.partner()
    with pytest.raises(Inconclusive, match="left to pay"):
        found.order(owed=10**9)


@variants("three-orders-no-creation", "reads-lag")
def test_the_next_check_sees_what_the_last_one_paid(place: Place) -> None:
    one = place.partner(data=KnownData(orders=tuple(place.epos.orders)[:1]))
    order = one.order()
    paid(one, str(order["id"]))
    one.clean_up()
    other = place.partner(data=KnownData(orders=(str(order["id"]),)))
    assert money.paid(other.order()) == (money.paid(order) or 0) + 1


def test_what_is_told_once_counts_for_all(place: Place) -> None:
    one, other = place.partner(), place.partner()
    told: list[str] = []

    def tell() -> str:
        told.append("once")
        return str(one.call("ListAreas").status)

    assert one.once("areas", tell) == other.once("areas", tell) == one.once("areas", tell) == "200"
    assert told == ["once"]
    assert len(one.exchanges) == 2
    assert [each.capability for each in other.exchanges] == ["ListAreas"]


def test_what_is_told_elsewhere_carries_no_credentials(place: Place) -> None:
    one, other = place.partner(), place.partner()
    one.once("areas", lambda: one.call("ListAreas").status)
    other.once("areas", lambda: 0)
    (exchange,) = other.exchanges
    assert dict(exchange.sent.headers)["authorization"] == "*****"
    assert '-u "$PARTNER_AUTH"' in exchange.curl()


def test_why_nothing_could_be_told_is_raised_for_all(place: Place) -> None:
    one, other = place.partner(), place.partner()

    def tell() -> None:
        one.call("ListAreas")
        raise Inconclusive("nobody is hungry")

    for each in (one, other, one):
        with pytest.raises(Inconclusive, match="nobody is hungry"):
            each.once("story", tell)
    assert len(other.exchanges) == 1


@FEW
def test_nobody_waits_for_orders_that_are_paid_off(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    one, other = place.partner(), place.partner()
    one.spend("payoff")
    take = place.leases.take

    def noted(key: str, *, wait: float = 0) -> FileLock | None:
        waited.append(wait)
        return take(key, wait=0)

    monkeypatch.setattr(place.leases, "take", noted)
    with pytest.raises(Inconclusive, match="are used up"):
        other.spend("payoff")
    assert waited == [0]


@FEW
def test_what_first_payments_answered_is_kept_for_all(place: Place) -> None:
    one, other = place.partner(), place.partner()
    assert one.first_payments == []
    order = str(one.order()["id"])
    assert [each.order_id for each in other.first_payments] == [each.order_id for each in one.first_payments]
    assert one.was_listed(order)
    assert not one.was_listed("another")
    (first,) = [each for each in other.first_payments if each.order_id == order]
    assert first.before is not None
    assert money.paid(first.after) == (money.paid(first.before) or 0) + 1
