"""
What becomes of an order that is canceled.
"""

from __future__ import annotations

import datetime
import uuid

from typing import Any

from epos_conformance import (
    Exchange,
    Finding,
    Inconclusive,
    NotOffered,
    Partner,
    Violation,
    answers,
    check,
    money,
    searching,
)
from epos_conformance.exchange import ERROR_TYPES
from epos_conformance.following import Row
from epos_conformance.intents import INTENTS_HINT
from epos_conformance.settling import settled
from epos_conformance.shown import words
from epos_conformance.venue import instant


#: A till may refuse to cancel an order that it has just sent to the kitchen.
MOST_ATTEMPTS = 2


def canceled(partner: Partner) -> tuple[str, Exchange]:
    """
    An order of ours that was just canceled, and the answer to it.
    """
    for _ in range(MOST_ATTEMPTS):
        id = partner.existing("own-order")
        exchange = partner.call("CancelOrderById", {"orderId": id})
        if exchange.succeeded:
            return id, exchange
    raise Inconclusive(f"needs an order that is canceled, but saw {exchange.seen}")


def read(partner: Partner, id: str, status: str = "Canceled") -> Exchange:
    """
    GetOrderById of the order *id* once it shows *status*, or when the settle time is over.
    """
    return settled(
        partner,
        lambda: partner.call("GetOrderById", {"orderId": id}),
        lambda each: isinstance(each.result, dict) and each.result.get("status") == status,
    )


def row(partner: Partner, id: str, is_right: Any) -> Row | None:
    """
    The row of the order *id* in a search once it *is_right* or gone, or when the settle time is over.
    """
    return settled(partner, lambda: searching.row_of(partner, id), lambda each: each is None or is_right(each))


@check("CancelOrderById.status-is-canceled")
def test_status_is_canceled(partner: Partner) -> None:
    """Cancelling answers the order with status Canceled."""
    _, exchange = canceled(partner)

    if not isinstance(exchange.result, dict):
        raise Violation(Finding("the answer", "the canceled order", exchange.seen))
    answers.violate(_not_canceled("the answer", exchange.result.get("status")))


def _not_canceled(where: str, status: Any) -> list[Finding]:
    if status == "Canceled":
        return []
    small = str(status).lower()
    hint = "it is spelt Canceled, with one l" if small == "cancelled" else None
    hint = hint or ("it is spelt Canceled" if small == "canceled" else None)
    return [Finding(f"{where}, $.status", "Canceled", words(status), hint)]


@check("CancelOrderById.stays-canceled-when-read")
def test_stays_canceled_when_read(partner: Partner) -> None:
    """A canceled order is Canceled when it is read again, and when it is searched for."""
    if not partner.offers("GetOrderById") and not partner.offers("SearchOrders"):
        raise NotOffered("nothing that shows an order is offered")
    id, _ = canceled(partner)
    findings: list[Finding] = []
    if partner.offers("GetOrderById"):
        exchange = read(partner, id)
        if isinstance(exchange.result, dict):
            findings += _not_canceled("GetOrderById after cancelling", exchange.result.get("status"))
        else:
            hint = "the order seems to be deleted, not canceled" if answers.is_not_found(exchange) else None
            findings.append(Finding("GetOrderById after cancelling", "the canceled order", exchange.seen, hint))
    if partner.offers("SearchOrders"):
        # A search may leave canceled orders out.
        found = row(partner, id, lambda each: each.get("status") == "Canceled")
        findings += _not_canceled("SearchOrders after cancelling", found.get("status")) if found else []

    answers.violate(findings)


@check("CancelOrderById.is-not-payable")
def test_is_not_payable(partner: Partner) -> None:
    """A canceled order is not payable, wherever it is shown."""
    id, exchange = canceled(partner)
    seen: list[tuple[str, Any]] = [("the answer", exchange.result)]
    if partner.offers("GetOrderById"):
        again = settled(
            partner, lambda: partner.call("GetOrderById", {"orderId": id}).result, lambda each: not _is_payable(each)
        )
        seen.append(("GetOrderById after cancelling", again))
    payable = None
    if partner.offers("SearchOrders"):
        seen.append(("SearchOrders after cancelling", row(partner, id, lambda each: not _is_payable(each))))
        payable = settled(
            partner, lambda: searching.row_of(partner, id, {"payableOnly": True}), lambda each: each is None
        )

    findings = [Finding(f"{where}, $.payable", "false", "true") for where, each in seen if _is_payable(each)]
    if payable is not None:
        findings.append(
            Finding("SearchOrders with payableOnly after cancelling", "that the order is not there", "it is")
        )
    answers.violate(findings)


def _is_payable(order: Any) -> bool:
    return isinstance(order, dict) and order.get("payable") is True


# Refusals


@check("CancelOrderById.refuses-payments-afterwards")
def test_refuses_payments_afterwards(partner: Partner) -> None:
    """A payment for a canceled order is refused with Conflict."""
    if not partner.offers("RecordOrderPaymentById"):
        raise NotOffered("RecordOrderPaymentById isn't offered")
    id, exchange = canceled_for_good(partner)
    amount = money.of(1, _currency(partner, exchange.result))
    refused = partner.call(
        "RecordOrderPaymentById", {"orderId": id, "paymentIntentId": partner.intent(), "paidAmount": amount}
    )

    refused.require_answer()
    if is_conflict(refused):
        return
    if not refused.succeeded:
        # An EPOS that looks payment intents up first has not come to the order.
        other = partner.order(2)
        amount = money.of(1, _currency(partner, other))
        usual = {"orderId": str(other["id"]), "paymentIntentId": partner.intent(), "paidAmount": amount}
        paid = partner.call("RecordOrderPaymentById", usual)
        if not paid.succeeded:
            raise Inconclusive(f"no payment is carried out, whatever the order: {paid.seen}; {INTENTS_HINT}")
    raise Violation(Finding("a payment of 1 on the canceled order", "a refusal with Conflict", _seen(refused)))


@check("CancelOrderById.refuses-locks-afterwards")
def test_refuses_locks_afterwards(partner: Partner) -> None:
    """A lock on a canceled order is refused with Conflict."""
    if not partner.offers("CreateOrderLock"):
        raise NotOffered("CreateOrderLock isn't offered")
    id, _ = canceled_for_good(partner)
    expiry = instant(datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=2))
    refused = partner.call("CreateOrderLock", {"orderId": id, "lockId": str(uuid.uuid4()), "expiry": expiry})

    refused.require_answer()
    if not is_conflict(refused):
        if not refused.succeeded:
            partner.lock()  # raises where no lock is granted at all
        raise Violation(Finding("a lock on the canceled order", "a refusal with Conflict", _seen(refused)))
    # Of locks alone the contract says it in so many words.
    if refused.status and refused.status != 409:
        raise Violation(Finding("a lock on the canceled order", "status 409, as of a Conflict", refused.seen))


def canceled_for_good(partner: Partner) -> tuple[str, Exchange]:
    """
    As `canceled`, once a read shows it: a till may need a moment for it.
    """
    id, exchange = canceled(partner)
    if partner.offers("GetOrderById"):
        read(partner, id)
    return id, exchange


def is_conflict(exchange: Exchange) -> bool:
    """
    Whether the answer says that the state of things forbids it; how well it says so is other rules' business.
    """
    error = exchange.error
    if error is None:
        return False
    return error.type == "Conflict" or (error.type not in ERROR_TYPES and exchange.status == 409)


def _seen(exchange: Exchange) -> str:
    return f"it was accepted ({exchange.seen})" if exchange.succeeded else exchange.seen


def _currency(partner: Partner, order: Any) -> str:
    total = order.get("totalAmount") if isinstance(order, dict) else None
    return money.currency(total) or partner.venue.currency
