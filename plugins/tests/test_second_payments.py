"""
A till that takes one payment for an order is found, and one whose waiters are busy isn't.
"""

from __future__ import annotations

import pytest

from epos_conformance import paying, second_payments
from epos_conformance._settings import IntentSource, KnownData
from epos_conformance.exceptions import Inconclusive
from epos_conformance.partner import Partner
from epos_conformance.reference import faults

from .place import Place, refusing, variants


FEW = variants("three-orders-no-creation")
ONE = variants("one-order-no-creation")


def tried(place: Place, *defects: str, variant: str = "three-orders-no-creation") -> Partner:
    """A check that has begun to pay at the venue."""
    place.epos, place.shell = faults.build(defects, [variant] if variant else [])
    found = place.partner(settle=0.05)
    found.order()
    return found


@FEW
def test_what_takes_second_payments_is_not_accused(place: Place) -> None:
    found = tried(place)
    assert second_payments.refused(found) == second_payments.closed(found) == []


@FEW
def test_second_payments_that_all_orders_refuse_are_found(place: Place) -> None:
    first, second = second_payments.refused(tried(place, "tables-pay-once"))
    assert "a second payment of 2" in first.where
    assert "is with another terminal" in first.seen
    assert first.where != second.where


@ONE
def test_the_only_order_there_is_has_to_refuse_twice(place: Place) -> None:
    found = tried(place, "tables-pay-once", variant="one-order-no-creation")
    (finding,) = second_payments.refused(found)
    assert "is with another terminal" in finding.seen


@ONE
def test_a_waiter_who_is_done_soon_is_not_held_against_it(place: Place) -> None:
    found = tried(place, variant="one-order-no-creation")
    place.instead = refusing("record-payment", times=1)
    assert second_payments.refused(found) == []


@FEW
def test_one_order_of_several_that_refuses_is_not_held_against_it(place: Place) -> None:
    found = tried(place)
    first = found.first_payments[0].order_id
    place.instead = refusing(f"{first}/record-payment")
    assert second_payments.refused(found) == []


def test_orders_of_our_own_are_paid_twice(place: Place) -> None:
    found = tried(place, "second-payments-are-refused", variant="")
    assert found.first_payments == []
    assert len(second_payments.refused(found)) == 2


@FEW
def test_the_users_own_intents_prove_nothing(place: Place) -> None:
    place.epos, place.shell = faults.build(["tables-pay-once"], ["three-orders-no-creation"])
    found = place.partner(settle=0.05, intents=IntentSource(ids=("pi_1", "pi_2", "pi_3")))
    assert second_payments.refused(found) == []


@FEW
def test_a_part_payment_that_closes_every_order_is_found(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.epos, place.shell = faults.build(["begun-bills-are-closed"], ["three-orders-no-creation"])
    found = place.partner(settle=0.05)
    with pytest.raises(Inconclusive, match="is not payable"):
        found.order()
    first, _ = second_payments.closed(found)
    assert "left to pay" in first.expected
    monkeypatch.setattr(place.epos, "is_payable", lambda _: True)
    assert second_payments.closed(found) == []


@FEW
def test_the_only_order_that_is_named_has_taken_one_payment(place: Place) -> None:
    place.epos, place.shell = faults.build(["tables-pay-once"], ["three-orders-no-creation"])
    id = next(iter(place.epos.orders))
    one, other = (place.partner(settle=0.05, data=KnownData(orders=(id,))) for _ in range(2))
    assert paying.pay(one, one.order()).exchange.succeeded
    one.clean_up()
    assert len(second_payments.refused(other)) == 1
