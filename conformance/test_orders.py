"""
What an order says of itself: its id, its status, its kind, its dates and what Pay at Table needs of it.
"""

from __future__ import annotations

import difflib

from collections.abc import Iterator, Mapping
from typing import Any

from epos_conformance import Finding, Partner, answers, check, money, shown
from epos_conformance.following import Row
from epos_conformance.sameness import Moment
from epos_conformance.shown import words


@check("GetOrderById.answers-the-order-asked-for")
def test_answers_the_order_asked_for(partner: Partner) -> None:
    """The order read carries the id that was asked for."""
    others = {each.id for each in shown.orders(partner)}

    def judge(each: shown.Shown) -> Iterator[Finding]:
        id = each.order.get("id")
        if id != each.id:
            yield Finding("$.id", repr(each.id), words(id), _hint_of_id(each.id, id, others))

    answers.violate(shown.findings(partner, shown.orders(partner), judge))


def _hint_of_id(asked: str, seen: Any, others: set[str]) -> str | None:
    if isinstance(seen, int) and str(seen) == asked:
        return "the id is sent as a number"
    return "another order is answered" if seen in others else None


# Status and kind

STATUSES = (
    *("New", "Submitted", "Confirmed", "Accepted", "Preparing", "Prepared", "Ready"),
    *("Finalized", "Canceled", "Failed"),
)

#: What they are called elsewhere, in small letters.
_OTHER_STATUSES = {
    "cancelled": "it is spelt Canceled, with one l",
    "created": "Created stands in published examples and is no status: New is",
    "open": "New, Accepted and others are the statuses of an open order",
    "pending": "New or Submitted is an order that nobody has confirmed",
    "inprogress": "Preparing is one that is being made",
    "closed": "Finalized is an order that is done with",
    "completed": "Finalized is an order that is done with",
    "complete": "Finalized is an order that is done with",
    "paid": "Finalized is an order that is done with",
    "finalised": "it is spelt Finalized, with a z",
    "voided": "Canceled is an order that was given up",
    "rejected": "Failed is an order that could not be taken",
}


@check("GetOrderById.status-is-a-known-one")
def test_status_is_a_known_one(partner: Partner) -> None:
    """An order's status is one of the ten."""

    def judge(order: Row) -> Iterator[Finding]:
        yield from _unknown("$.status", order.get("status"), STATUSES, _OTHER_STATUSES)

    shown.require(partner, judge)


KINDS = ("DineIn", "Collection")

_OTHER_KINDS = {
    **dict.fromkeys(("takeaway", "takeout", "pickup", "delivery"), "an order that is taken away is a Collection"),
    **dict.fromkeys(("eatin", "table", "dine_in", "dine-in", "dine in"), "an order at a table is DineIn, in one word"),
}


@check("GetOrderById.order-type-is-a-known-one")
def test_order_type_is_a_known_one(partner: Partner) -> None:
    """An order is DineIn or Collection."""

    def judge(order: Row) -> Iterator[Finding]:
        yield from _unknown("$.details.orderType", _details(order).get("orderType"), KINDS, _OTHER_KINDS)

    shown.require(partner, judge)


def _details(order: Row) -> Mapping[str, Any]:
    found = order.get("details")
    return found if isinstance(found, Mapping) else {}


def _unknown(where: str, value: Any, known: tuple[str, ...], others: Mapping[str, str]) -> Iterator[Finding]:
    """A finding where *value* is none of the *known* words; *others* are those that are mistaken for them."""
    if isinstance(value, str) and value in known:
        return
    hint = None
    if isinstance(value, str):
        small = value.strip().lower()
        exact = next((each for each in known if each.lower() == small.replace("_", "").replace("-", "")), None)
        near = difflib.get_close_matches(value, known, 1, 0.8)
        hint = f"it is spelt {exact}" if exact else others.get(small) or (f"it is spelt {near[0]}" if near else None)
    yield Finding(where, f"one of {', '.join(known)}", words(value), hint)


@check("GetOrderById.dine-in-order-has-dine-in-details")
def test_dine_in_order_has_dine_in_details(partner: Partner) -> None:
    """An order at a table carries details.dineIn."""
    require_details(partner, "DineIn", "dineIn")


@check("GetOrderById.collection-order-has-collection-details")
def test_collection_order_has_collection_details(partner: Partner) -> None:
    """An order to be collected carries details.collection."""
    require_details(partner, "Collection", "collection")


def require_details(partner: Partner, kind: str, name: str) -> None:
    def judge(order: Row) -> Iterator[Finding]:
        if not isinstance(_details(order).get(name), Mapping):
            there = [each for each in _details(order) if each != "orderType"]
            hint = f"what belongs there stands in details itself: {', '.join(there)}" if "tableId" in there else None
            seen = f"only {', '.join(there)}" if there else "nothing besides orderType"
            yield Finding(f"$.details.{name}", f"the details of a {kind} order", seen, hint)

    shown.require(
        partner,
        judge,
        among=lambda order: _details(order).get("orderType") == kind,
        lacking=f"no {kind} order could be seen",
    )


@check("GetOrderById.created-before-updated")
def test_created_before_updated(partner: Partner) -> None:
    """An order is not created after it was updated."""

    def judge(order: Row) -> Iterator[Finding]:
        created, updated = Moment.of(order.get("createdAt")), Moment.of(order.get("updatedAt"))
        # One may be told to the second, the other to the millisecond.
        if created and updated and created.rounded(updated) > updated.rounded(created):
            seen = f"{order['updatedAt']}, createdAt being {order['createdAt']}"
            yield Finding("$.updatedAt", "createdAt or later", seen, _hint_of_dates(created, updated))

    def is_dated(order: Row) -> bool:
        return Moment.of(order.get("createdAt")) is not None and Moment.of(order.get("updatedAt")) is not None

    if not any(is_dated(each.order) for each in shown.orders(partner)):
        partner.notes.append("no order has both createdAt and updatedAt: there is nothing to compare")
        return
    shown.require(partner, judge, among=is_dated)


def _hint_of_dates(created: Moment, updated: Moment) -> str | None:
    apart = (created.instant - updated.instant).total_seconds()
    if updated.instant.year < 2000:
        return "updatedAt seems never to have been set"
    quarters = apart / 900
    if round(quarters) and abs(apart - 900 * round(quarters)) < 60 and abs(apart) <= 14 * 3600:
        return f"one of them seems to be local time: they are {round(quarters) / 4:g} h apart"
    return None


# What Pay at Table needs


def is_at_the_table(order: Row) -> bool:
    """Whether somebody may still want to pay *order* where they sit."""
    return _details(order).get("orderType") != "Collection" and order.get("status") not in shown.CLOSED


@check("GetOrderById.carries-a-total")
def test_carries_a_total(partner: Partner) -> None:
    """An order at a table says what it comes to."""
    require_member(partner, "totalAmount")


@check("GetOrderById.carries-a-paid-amount")
def test_carries_a_paid_amount(partner: Partner) -> None:
    """An order at a table says how much of it is paid."""
    require_member(partner, "paidAmount")


@check("GetOrderById.carries-payable")
def test_carries_payable(partner: Partner) -> None:
    """An order at a table says whether it can be paid."""
    require_member(partner, "payable")


def require_member(partner: Partner, name: str) -> None:
    def judge(order: Row) -> Iterator[Finding]:
        if order.get(name) is None:
            yield Finding(f"$.{name}", "that it is there", "null" if name in order else "nothing there")

    require_at_the_table(partner, judge)


@check("GetOrderById.carries-its-items")
def test_carries_its_items(partner: Partner) -> None:
    """An order at a table says what was ordered."""

    def judge(order: Row) -> Iterator[Finding]:
        total = order.get("totalAmount")
        # A table that was only just opened has ordered nothing.
        if not order.get("items") and money.value(total) != 0:
            yield Finding("$.items", "what was ordered", f"{words(order.get('items'))}; the total is {words(total)}")

    require_at_the_table(partner, judge)


def require_at_the_table(partner: Partner, judge: shown.Judge) -> None:
    # What the rows of a search leave out is another rule's business.
    shown.require(
        partner, judge, among=is_at_the_table, lacking="no open order at a table could be seen", in_rows=False
    )


# Names and payments


@check("GetOrderById.display-name-fits-the-terminal")
def test_display_name_fits_the_terminal(partner: Partner) -> None:
    """The name shown for an order has at most 24 characters."""

    def judge(order: Row) -> Iterator[Finding]:
        if order.get("status") in ("Canceled", "Failed"):
            return  # no terminal shows it; some of ours have long names
        member, name = shown.name_on_terminal(order)
        if len(name) > shown.LONGEST_NAME:
            seen = f"{len(name)}: {name!r}, of which {name[: shown.LONGEST_NAME]!r} is shown"
            yield Finding(member, f"at most {shown.LONGEST_NAME} characters", seen)

    shown.require(partner, judge)


@check("GetOrderById.payments-name-their-intent")
def test_payments_name_their_intent(partner: Partner) -> None:
    """Every payment of an order carries its paymentIntentId."""

    def judge(order: Row) -> Iterator[Finding]:
        for place, each in enumerate(shown.listed(order, "payments")):
            intent = each.get("paymentIntentId")
            if not isinstance(intent, str) or not intent:
                yield Finding(f"$.payments[{place}].paymentIntentId", "the payment intent", words(intent))

    def has_payments(order: Row) -> bool:
        return bool(shown.listed(order, "payments"))

    seen = any(has_payments(each.order) for each in shown.orders(partner))
    shown.require(
        partner,
        judge,
        among=has_payments,
        lacking="no order could be seen that has a payment",
        besides=() if seen else shown.paid(partner),
    )
