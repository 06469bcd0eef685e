"""
Journeys are told step by step: the first wrong one names its rule, what a till may do otherwise ends none, and nothing
is left behind.
"""

from __future__ import annotations

import contextlib
import re

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from epos_conformance import _contracts, _rules
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.journeys import JOURNEYS, abandonment
from epos_conformance.partner import MOST_ATTEMPTS, Partner
from epos_conformance.reference import faults
from epos_conformance.reference.core import Call
from epos_conformance.reference.errors import conflict
from epos_conformance.reference.records import Json, Order
from epos_conformance.steps import Step, Steps
from epos_conformance.verdict import Outcome

from .place import Place, refusing, variants


NO_LOCKS, LOCKS, EXTENSION = (f"pay-at-table-{each}" for each in ("without-locks", "with-locks", "with-lock-extension"))

FREES = "CreateOrderLock.frees-the-order-after-the-expiry"

for_each_journey = pytest.mark.parametrize("id", JOURNEYS)


def told(place: Place, id: str, **settings: Any) -> Partner:
    """Who went through the journey."""
    found = place.partner(**settings)
    JOURNEYS[id].run(found)
    return found


def broken(place: Place, id: str, **settings: Any) -> tuple[Partner, Violation]:
    """Who went through the journey, and what went wrong."""
    found = place.partner(**settings)
    with pytest.raises(Violation) as caught:
        JOURNEYS[id].run(found)
    return found, caught.value


def breaks(violation: Violation) -> str:
    """The rule that the step broke."""
    found = re.search(r"breaks (\S+):", violation.within or "")
    assert found is not None, violation
    return found[1]


# What they are


def test_every_rule_about_journeys_has_its_journey() -> None:
    rules = {rule.id for rule in _rules.rules().values() if rule.page == "journeys"}
    assert {f"journeys.{each}" for each in JOURNEYS} == rules


def test_journeys_are_of_products_and_need_what_those_need() -> None:
    for each in JOURNEYS.values():
        required = {name.name for name, how in _contracts.members_of(each.product) if how == "required"}
        assert required <= set(each.needs) <= set(_contracts.capabilities())


@for_each_journey
def test_a_journey_is_told_in_steps_that_conform(place: Place, id: str) -> None:
    found = told(place, id)
    assert len(found.steps) > 5
    assert {each.outcome for each in found.steps} == {Outcome.CONFORMS}
    assert len({each.name for each in found.steps}) > 5
    assert found.notes == []


@for_each_journey
def test_the_rules_of_steps_are_in_the_catalogue(place: Place, id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, take = [], Steps.take

    @contextlib.contextmanager
    def noted(steps: Steps, name: str, rule: str | None = None) -> Iterator[Step]:
        seen.append(rule)
        with take(steps, name, rule) as step:
            yield step

    monkeypatch.setattr(Steps, "take", noted)
    told(place, id)
    assert {each for each in seen if each is not None} <= set(_rules.rules())


@for_each_journey
def test_nothing_is_left_behind(place: Place, id: str) -> None:
    orders, parties, reservations = (
        set(each) for each in (place.epos.orders, place.epos.parties, place.epos.reservations)
    )
    found = told(place, id)
    found.clean_up()
    assert found.leftovers == []
    own = [each for each in place.epos.orders.values() if each.id not in orders]
    assert {each.status for each in own} <= {"Canceled", "Finalized"}
    assert place.epos.locks == {}
    assert (set(place.epos.parties), set(place.epos.reservations)) == (parties, reservations)


# What is missing


@variants("pay-at-table-only")
def test_what_is_missing_is_named_and_nothing_is_asked(place: Place) -> None:
    found = place.partner()
    with pytest.raises(
        NotOffered, match=r"Pay at Table with locks needs CreateOrderLock, DeleteOrderLock, which aren't"
    ):
        JOURNEYS[LOCKS].run(found)
    with pytest.raises(NotOffered, match=r"QR Pay by table needs SearchTables, which isn't offered"):
        JOURNEYS["qr-by-table"].run(found)
    assert found.exchanges == []
    assert found.steps == []
    assert JOURNEYS[NO_LOCKS].missing(found) == []


@variants("created-orders-are-not-payable")
def test_orders_that_are_paid_when_they_are_made_are_not_paid_for_later(place: Place) -> None:
    with pytest.raises(NotOffered, match="are not paid for later"):
        told(place, "order-and-pay-later")


@variants("no-order-at-all")
def test_bookings_can_do_without_orders(place: Place) -> None:
    found = told(place, "bookings")
    assert "the orders of the party are listed" in [each.name for each in found.steps]
    assert "the guest's order is taken" not in [each.name for each in found.steps]


# What goes wrong


def test_the_first_wrong_step_names_its_rule_and_is_the_last(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(order: Order) -> Json:
        return {**place.epos.present_order(order), "payments": []}

    monkeypatch.setattr(place.epos, "recorded_answer", without)
    found, violation = broken(place, NO_LOCKS)
    last = found.steps[-1]
    assert (last.name, last.outcome) == ("the order answered shows the payment", Outcome.VIOLATES)
    assert violation.within is not None
    assert violation.within.startswith(f"step {len(found.steps)}, 'the order answered shows the payment', breaks")
    assert breaks(violation) == "RecordOrderPaymentById.shows-the-payment"
    assert [each.outcome for each in found.steps[:-1]] == [Outcome.CONFORMS] * (len(found.steps) - 1)


def test_locks_are_released_though_a_step_failed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.epos, "total_amount", lambda order: place.epos.money(1000 + len(order.payments), order))
    found, violation = broken(place, LOCKS)
    assert breaks(violation) == "RecordOrderPaymentById.keeps-the-total-when-tipped"
    assert place.epos.locks
    found.clean_up()
    assert place.epos.locks == {}
    assert found.leftovers == []


@pytest.mark.parametrize("status", [500, 502])
def test_a_crash_is_a_wrong_step(place: Place, status: int) -> None:
    place.instead = refusing("record-payment", status=status)
    _, violation = broken(place, NO_LOCKS)
    assert breaks(violation) == "RecordOrderPaymentById.answer-matches-schema"


@pytest.mark.parametrize(
    ("ends", "id"), [("/v1/orders/search", NO_LOCKS), ("/lock", LOCKS), ("/v1/parties", "bookings")]
)
def test_a_crash_of_anything_else_is_one_too(place: Place, ends: str, id: str) -> None:
    place.instead = refusing(ends, status=500)
    _, violation = broken(place, id)
    assert breaks(violation).endswith(".answer-matches-schema")


def test_an_answer_of_another_form_is_a_wrong_step(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.epos, "locked_answer", lambda _: {"id": 12})
    _, violation = broken(place, EXTENSION)
    assert breaks(violation) == "CreateOrderLock.answer-matches-schema"


@pytest.mark.parametrize(
    ("defect", "id", "rule"),
    [
        ("printed-orders-are-frozen", NO_LOCKS, "RecordOrderPaymentById.payment-is-read-back"),
        ("each-lock-has-its-own-payments", LOCKS, "RecordOrderPaymentById.keeps-earlier-payments"),
        ("extending-saves-what-was-locked", EXTENSION, "RecordOrderPaymentById.keeps-earlier-payments"),
        ("closing-keeps-one-payment", "split-bill-with-tips", "RecordOrderPaymentById.keeps-the-paid-amount"),
        ("lapsed-locks-leave-the-list", "abandoned-payment", "SearchOrders.payable-only-finds-payable-orders"),
        ("lapsed-locks-keep-orders-from-being-paid", "abandoned-payment", FREES),
        ("locks-never-lapse", "abandoned-payment", FREES),
        ("payments-move-the-order", "qr-by-table", "SearchOrders.table-filter-narrows"),
        ("captured-payments-are-recorded-again", "qr-by-table", "RecordOrderPaymentById.counts-a-replay-once"),
        ("captured-payments-are-recorded-again", "order-and-pay", "RecordOrderPaymentById.counts-a-replay-once"),
        ("captured-orders-are-archived", "order-and-pay", "CreateOrder.can-be-fetched"),
        ("a-captured-payment-pays-the-order", "order-and-pay-later", "RecordOrderPaymentById.counts-a-replay-once"),
        ("moved-reservations-stay-on-the-old-day", "bookings", "DeleteReservationById.cannot-be-fetched-afterwards"),
        (
            "moving-a-party-takes-the-wishes-of-its-reservation",
            "bookings",
            "UpdateParty.changes-the-guest-requests",
        ),
        ("a-move-starts-a-new-deposit", "bookings", "UpdateParty.changes-the-deposit"),
        ("parties-take-their-orders-along", "bookings", "CreateOrder.can-be-fetched"),
    ],
)
def test_mistakes_that_show_in_the_whole_are_found_at_their_step(
    place: Place, monkeypatch: pytest.MonkeyPatch, defect: str, id: str, rule: str
) -> None:
    monkeypatch.setattr(abandonment, "PATIENCE", 0.3)
    place.epos, place.shell = faults.build([defect])
    _, violation = broken(place, id, settle=0.1)
    assert breaks(violation) == rule


def test_an_order_that_no_search_finds_is_a_wrong_step(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    find = place.epos.is_wanted_order
    monkeypatch.setattr(
        place.epos, "is_wanted_order", lambda order, wanted: order.dojo_order_id is None and find(order, wanted)
    )
    found, violation = broken(place, NO_LOCKS, settle=0.1)
    assert breaks(violation) == "CreateOrder.is-found-by-search"
    assert "no such row" in found.notes[0]


def test_an_order_that_costs_otherwise_in_the_list_is_a_wrong_step(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dearer(order: Order) -> Json:
        return {**place.epos.present_order(order), "totalAmount": place.epos.money(order.total + 1, order)}

    monkeypatch.setattr(place.epos, "present_row", dearer)
    _, violation = broken(place, NO_LOCKS, settle=0.1)
    assert breaks(violation) == "SearchOrders.rows-agree-with-the-order"


def test_another_order_than_was_asked_for_is_a_wrong_step(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(iter(place.epos.orders.values()))
    monkeypatch.setattr(place.epos, "get_order_by_id", lambda _: place.epos.present_order(first))
    _, violation = broken(place, NO_LOCKS)
    assert breaks(violation) == "GetOrderById.answers-the-order-asked-for"


def test_orders_of_others_among_those_of_the_party_are_a_wrong_step(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.epos, "has_detail", lambda *_: True)
    _, violation = broken(place, "bookings", settle=0.1)
    assert breaks(violation) == "SearchOrders.party-filter-narrows"


def test_a_lock_that_answers_another_order_is_a_wrong_step(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(iter(place.epos.orders.values()))
    monkeypatch.setattr(place.epos, "locked_answer", lambda _: place.epos.present_order(first))
    _, violation = broken(place, LOCKS)
    assert breaks(violation) == "CreateOrderLock.answers-the-order-it-locks"


def test_an_order_that_stays_locked_is_a_wrong_step(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.epos, "release", lambda _: None)
    _, violation = broken(place, LOCKS, settle=0.1)
    assert breaks(violation) == "DeleteOrderLock.lets-a-new-lock-be-granted"


# Whose fault it is that a payment is refused


def refusing_payments(place: Place, monkeypatch: pytest.MonkeyPatch, refused: Callable[[Order, Json], bool]) -> None:
    check = place.epos.check_may_pay

    def checked(order: Order, body: Json) -> None:
        if refused(order, body):
            raise conflict("not so")
        check(order, body)

    monkeypatch.setattr(place.epos, "check_may_pay", checked)


def test_an_epos_that_takes_payments_under_locks_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing_payments(place, monkeypatch, lambda _, body: "lockId" not in body)
    found, violation = broken(place, NO_LOCKS)
    assert breaks(violation) == "RecordOrderPaymentById.works-without-a-lock"
    assert "not so" in str(violation)
    found.clean_up()
    assert place.epos.locks == {}


def test_an_epos_that_takes_no_payment_from_the_holder(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing_payments(place, monkeypatch, lambda _, body: "lockId" in body)
    _, violation = broken(place, LOCKS)
    assert breaks(violation) == "CreateOrderLock.lets-the-holder-pay"


def test_an_epos_that_takes_none_after_an_extension(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    extended: set[str] = set()
    extend = place.epos.extend_order_lock

    def extending(call: Call) -> Json:
        extended.add(call.ids["lockId"])
        return extend(call)

    monkeypatch.setattr(place.epos, "extend_order_lock", extending)
    refusing_payments(place, monkeypatch, lambda _, body: body.get("lockId") in extended)
    _, violation = broken(place, EXTENSION)
    assert breaks(violation) == "ExtendOrderLock.lets-the-holder-pay-afterwards"


def test_an_epos_that_takes_none_at_all_proves_nothing(place: Place) -> None:
    place.instead = refusing("record-payment")
    found = place.partner()
    with pytest.raises(Inconclusive, match=r"'the first payment is recorded'.*not today.*payment-intents"):
        JOURNEYS[LOCKS].run(found)
    assert found.steps[-1].outcome is Outcome.INCONCLUSIVE
    assert len([each for each in place.asked if each == "POST /v1/orders"]) == MOST_ATTEMPTS
    found.clean_up()
    assert place.epos.locks == {}


# Another order


def test_where_an_order_is_refused_another_one_is_tried(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[str] = []

    def is_first(order: Order, _: Json) -> bool:
        first.append(order.id)
        return order.id == first[0]

    refusing_payments(place, monkeypatch, is_first)
    found = told(place, "split-bill-with-tips")
    (note,) = found.notes
    assert note.startswith('not so with another order: step 8, "the first guest\'s payment is recorded": ')
    assert [each.name for each in found.steps].count("there is an order to share") == 1
    assert {each.outcome for each in found.steps} == {Outcome.CONFORMS}


@variants("pay-at-table-only")
def test_what_is_wrong_with_an_order_of_the_venue_has_to_be_wrong_twice(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    present, wrong = place.epos.present_order, 1

    def forgetful(order: Order) -> Json:
        nonlocal wrong
        wrong -= 1
        return {**present(order), "payments": []} if wrong >= 0 else present(order)

    found = place.partner()
    found.order()  # the venue's are looked through with small payments first
    monkeypatch.setattr(place.epos, "recorded_answer", forgetful)
    JOURNEYS[NO_LOCKS].run(found)
    assert "shows-the-payment" in found.notes[0]
    wrong = 2
    with pytest.raises(Violation, match="shows-the-payment"):
        JOURNEYS[NO_LOCKS].run(found)


# What a till may do otherwise


def test_a_tip_that_is_refused_is_a_note(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing_payments(place, monkeypatch, lambda _, body: "tipsAmount" in body)
    found = told(place, NO_LOCKS)
    assert [each for each in found.notes if "recorded without a tip" in each]


def test_that_what_is_left_can_be_paid_is_only_recommended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing_payments(place, monkeypatch, lambda order, body: body["paidAmount"]["value"] >= place.epos.owed(order))
    found = told(place, "split-bill-with-tips")
    (note,) = found.notes
    assert re.match(r"the last guest's payment of .*, which is what is left, is refused: .* not so", note)


def test_a_bill_that_is_refused_is_a_wrong_step(place: Place) -> None:
    place.instead = refusing("/bill")
    _, violation = broken(place, NO_LOCKS)
    assert breaks(violation) == "GetOrderBillById.answer-matches-schema"


def test_a_lock_that_ends_with_the_payment_is_a_note(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = place.epos.apply_payment

    def freeing(order: Order, payment: Json) -> None:
        apply(order, payment)
        place.epos.locks.pop(order.id, None)

    monkeypatch.setattr(place.epos, "apply_payment", freeing)
    found = told(place, LOCKS)
    assert len([each for each in found.notes if "can't be deleted after the payment" in each]) == 2


@pytest.mark.parametrize(
    ("defect", "note"),
    [
        ("canceled-orders-are-finalized", "CancelOrderById, $.status: expected Canceled, saw Finalized"),
        ("canceled-orders-are-deleted", "CancelOrderById: expected the canceled order, saw status 404, NotFound"),
    ],
)
def test_what_becomes_of_a_canceled_order_is_a_note(place: Place, defect: str, note: str) -> None:
    place.epos, place.shell = faults.build([defect])
    (found,) = told(place, "order-and-pay", settle=0.1).notes
    assert note in found


@variants("prepaid-orders-are-refused")
def test_a_canceled_order_that_can_be_paid_is_a_note(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.epos, "is_payable", lambda order: place.epos.owed(order) > 0)
    (found,) = told(place, "order-and-pay", settle=0.1).notes
    assert found.startswith("at GetOrderById after CancelOrderById, $.payable: expected false, saw true")


def test_a_till_that_knows_no_other_event_than_the_capture(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_status(event: Json) -> None:
        if event["event"].endswith("created"):
            raise conflict("never heard of it")

    monkeypatch.setattr(place.epos, "note_event", of_status)
    (note,) = told(place, "order-and-pay").notes
    assert note.startswith("the event payment_intent.created is refused: ")


def test_events_that_are_refused_are_a_note_where_the_product_can_do_without(place: Place) -> None:
    place.instead = refusing("/v1/events")
    found = told(place, "qr-by-table")
    assert found.notes == ["the event is refused: status 409, Conflict: not today"]
    with pytest.raises(Inconclusive, match="the partner refuses HandleEvent"):
        told(place, "order-and-pay")


def test_an_event_that_is_acknowledged_once_alone_is_a_wrong_step(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(event: Json) -> None:
        if event["id"] in place.epos.events:
            raise conflict("known already")
        place.epos.events[event["id"]] = event

    monkeypatch.setattr(place.epos, "note_event", once)
    _, violation = broken(place, "order-and-pay")
    assert breaks(violation) == "HandleEvent.acknowledges-a-repeat"


@variants("prepaid-orders-are-refused")
def test_an_order_may_have_to_come_unpaid(place: Place) -> None:
    found = told(place, "order-and-pay")
    assert found.steps[-1].name == "it is read as a canceled order"


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ("DELETE /v1/orders", "the order is not canceled: status 409"),
        ("DELETE /v1/parties", "the party is not deleted: status 409"),
        ("DELETE /v1/reservations", "the reservation is not deleted: status 409"),
    ],
)
def test_what_can_not_be_taken_back_is_a_note(place: Place, asked: str, note: str) -> None:
    place.instead = refusing(asked)
    found = told(place, "bookings" if "orders" not in asked else "order-and-pay")
    assert [each for each in found.notes if each.startswith(note)]


def test_searches_that_do_not_follow_are_notes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.epos, "is_wanted_party", lambda party, _: "endTime" not in party.given)
    found = told(place, "bookings", settle=0.05)
    assert [each for each in found.notes if each.startswith("at SearchParties with tableId: the new table is taken")]


@variants("locks-are-flags-for-ever")
def test_a_lock_that_never_lapses_is_excused_where_it_is_a_flag(place: Place) -> None:
    found = told(place, "abandoned-payment")
    assert found.notes == ["an order is locked or not, and lockId makes no difference"]


@variants("locks-are-flags-for-ever")
@pytest.mark.parametrize("payable", [True, False])
def test_neither_has_such_an_order_to_be_shown_as_payable(
    place: Place, monkeypatch: pytest.MonkeyPatch, payable: bool
) -> None:
    wanted, present = place.epos.is_wanted_order, place.epos.present_order

    def is_listed(order: Order, query: Json) -> bool:
        return wanted(order, query) and not (query.get("payableOnly") and order.id in place.epos.locks and payable)

    def shown(order: Order) -> Json:
        return {**present(order), **({} if payable or order.id not in place.epos.locks else {"payable": False})}

    monkeypatch.setattr(abandonment, "PATIENCE", 0.2)
    monkeypatch.setattr(place.epos, "is_wanted_order", is_listed)
    monkeypatch.setattr(place.epos, "present_order", shown)
    found = told(place, "abandoned-payment", settle=0.1)
    assert found.notes[-1] == "an order is locked or not, and lockId makes no difference"
    assert found.steps[-1].name == ("the order is among the payable ones" if payable else "the order can be paid still")


@variants("short-locks-are-refused")
def test_a_till_that_grants_no_short_locks_proves_nothing(place: Place) -> None:
    with pytest.raises(Inconclusive, match="'the order is locked for a moment': needs a lock that lapses soon"):
        told(place, "abandoned-payment")


@variants("one-order-no-creation")
def test_a_guest_sits_at_a_table(place: Place) -> None:
    (order,) = place.epos.orders.values()
    order.given = {**order.given, "details": {"orderType": "Collection", "collection": {"asap": True}}}
    with pytest.raises(Inconclusive, match="needs an order at a table, but none of 1 that may be paid names one"):
        told(place, "qr-by-table")


@variants("empty-venue")
def test_a_venue_without_tables_seats_nobody(place: Place) -> None:
    with pytest.raises(Inconclusive, match="'a table is reserved': needs a table to book"):
        told(place, "bookings")


@variants("three-orders-no-creation")
def test_a_bill_is_split_where_none_may_be_paid_off(place: Place) -> None:
    """A venue with few orders, which makes none for Dojo: two of the three are spoken for."""
    found = told(place, "split-bill-with-tips")

    assert any(each.startswith("the bill is not paid to its end: needs an order to pay off") for each in found.notes)
    assert found.steps[-1].outcome is Outcome.CONFORMS
