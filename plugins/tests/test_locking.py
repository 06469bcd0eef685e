"""
Locks are asked for as the partner grants them, and what an order says of a payment is read with care.
"""

from __future__ import annotations

import datetime

from collections.abc import Callable
from typing import Any

import pytest

from starlette.responses import Response

from epos_conformance import locking
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.paying import Payment

from .place import REFUSED, Place, variants


def payment(intent: str = "pi_1") -> Payment:
    """A payment that was answered."""
    sent = Sent(method="POST", url="https://till.example", headers=(), body=None)
    answer = Answer(status=200, headers=(), body=b"{}")
    exchange = Exchange(capability="RecordOrderPaymentById", transport="rest", sent=sent, answer=answer)
    return Payment(params={"orderId": "o-1", "paymentIntentId": intent}, before={"id": "o-1"}, exchange=exchange)


def order(*intents: str | None, paid: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"id": "o-1", "payments": [{"paymentIntentId": each} if each else {} for each in intents]}
    return found if paid is None else {**found, "paidAmount": {"value": paid, "currencyCode": "GBP"}}


def refusing_locks(times: int, body: bytes = REFUSED) -> Callable[[str], Response | None]:
    """Refuses so many locks."""
    left = [times]

    def instead(asked: str) -> Response | None:
        if not asked.endswith("/lock") or not left[0]:
            return None
        left[0] -= 1
        return Response(body, 409, media_type="application/json")

    return instead


def locks_asked_for(place: Place) -> int:
    return sum(each.endswith("/lock") for each in place.asked)


# Expiries


def test_an_expiry_is_ahead_of_our_clock_and_written_in_utc_or_another_zone() -> None:
    east = datetime.timezone(datetime.timedelta(hours=5))
    plain, odd = locking.until(60), locking.until(60, zone=east)
    assert plain.endswith("Z")
    assert odd.endswith("+05:00")
    moments = [datetime.datetime.fromisoformat(each) for each in (plain, odd)]
    assert abs(moments[1] - moments[0]) < datetime.timedelta(seconds=5)
    ahead = moments[0] - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(seconds=50) < ahead < datetime.timedelta(seconds=61)


@variants("long-locks-are-refused")
def test_where_long_locks_are_refused_shorter_ones_are_asked_for_from_then_on(place: Place) -> None:
    found = place.partner()
    first = locking.hold(found)
    assert locks_asked_for(place) == 2
    assert locking.extend(found, first).succeeded
    assert not locking.rival(found, first.order).succeeded
    locking.hold(found)
    assert locks_asked_for(place) == 4


# Holding


def test_where_a_lock_is_refused_another_order_is_locked(place: Place) -> None:
    place.instead = refusing_locks(3)
    found = place.partner()
    held = locking.hold(found)
    assert place.epos.locks[held.order_id].id == held.id
    assert len({each for each in place.asked if each.endswith("/lock")}) == 2
    found.clean_up()
    assert place.epos.locks == {}
    assert found.leftovers == []


def test_where_every_lock_is_refused_the_partners_words_are_told(place: Place) -> None:
    place.instead = refusing_locks(99)
    with pytest.raises(Inconclusive, match=r"needs a locked order, .* Conflict: not today"):
        locking.hold(place.partner())


def test_a_lock_that_is_not_a_matter_of_its_expiry_is_asked_for_once(place: Place) -> None:
    place.instead = refusing_locks(99, b'{"errorType": "UnexpectedError"}')
    with pytest.raises(Inconclusive):
        locking.hold(place.partner())
    assert locks_asked_for(place) == 2


@variants("pay-at-table-only")
def test_where_locks_are_not_offered_nothing_is_asked(place: Place) -> None:
    with pytest.raises(NotOffered, match="needs CreateOrderLock"):
        locking.hold(place.partner())
    assert place.asked == []


def test_a_rival_is_given_back_where_it_is_granted(place: Place) -> None:
    found = place.partner()
    held = locking.hold(found)
    assert not locking.rival(found, held.order).succeeded
    place.epos.locks[held.order_id].expiry -= datetime.timedelta(days=1)
    assert locking.rival(found, held.order).succeeded
    assert place.epos.locks == {}
    found.clean_up()
    assert found.leftovers == []


def test_an_order_is_freed_or_another_one_is_taken(place: Place) -> None:
    found = place.partner()
    held = locking.hold(found)
    assert locking.freed(found, held) == held.order
    assert locking.freed(found, held) != held.order


@variants("locks-are-not-deleted")
def test_where_nothing_releases_locks_another_order_is_free(place: Place) -> None:
    found = place.partner()
    held = locking.hold(found)
    assert locking.freed(found, held) != held.order
    with pytest.raises(NotOffered):
        locking.require_released(found, held)


def test_a_lock_has_to_be_released(place: Place) -> None:
    found = place.partner()
    held = locking.hold(found)
    place.epos.locks.clear()
    with pytest.raises(Inconclusive, match=r"needs a lock that is deleted, .* NotFound"):
        locking.require_released(found, held)


# Paying


def test_the_smallest_amount_is_paid_under_a_lock_or_without(place: Place) -> None:
    found = place.partner()
    held = locking.hold(found)
    assert locking.pay(found, held.order, held.id).exchange.succeeded
    refused = locking.pay(found, held.order)
    assert not refused.exchange.succeeded
    with pytest.raises(Inconclusive, match=r"none was carried out without a lock: .*payment-intents"):
        locking.carried_out(refused, "without a lock")
    assert [each["paidAmount"]["value"] for each in place.epos.orders[held.order_id].payments] == [1]


def test_a_payment_that_is_recorded_is_found(place: Place) -> None:
    found = place.partner()
    done = locking.pay(found, found.order())
    assert locking.unrecorded(found, done, "the payment") == []
    place.epos.orders[done.order_id].payments = ()
    found.settings = found.settings.__class__(url=place.url, settle=0.05)
    (finding,) = locking.unrecorded(found, done, "the payment")
    assert str(finding) == (
        f"at GetOrderById after the payment, $.payments: expected the payment {done.intent}, saw it isn't there"
    )


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (order("pi_1", "pi_2"), True),
        (order("pi_2"), False),
        (order(), False),
        (order(None), None),
        ({"id": "o-1"}, None),
        ({"payments": "many"}, None),
        ("an order", None),
        (None, None),
    ],
)
def test_a_payment_is_known_by_its_intent(found: Any, shown: bool | None) -> None:
    assert locking.shown_in(found, payment()) is shown


@pytest.mark.parametrize(
    ("answer", "known", "where"),
    [
        (order("pi_1", paid=5), order("pi_1", paid=5), []),
        (order("pi_1", paid=9), order("pi_1", paid=5), []),
        (order(paid=4), order("pi_1", paid=5), ["$.payments", "$.paidAmount"]),
        (order("pi_0", paid=5), order("pi_1", paid=5), ["$.payments"]),
        (order(None, paid=5), order("pi_1", paid=5), []),
        ({"id": "o-1"}, order("pi_1", paid=5), []),
        (order(paid=4), order(), []),
        (None, order("pi_1"), []),
    ],
)
def test_an_answer_may_not_know_less_than_one_before(answer: Any, known: Any, where: list[str]) -> None:
    findings = locking.lacks(answer, payment(), known, "the answer")
    assert [each.where for each in findings] == [f"the answer, {each}" for each in where]
