"""
Whether the orders that SearchOrders answers are those that GetOrderById shows.
"""

from __future__ import annotations

import functools

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance import (
    Finding,
    Inconclusive,
    NotOffered,
    Partner,
    _contracts,
    answers,
    check,
    paying,
    sameness,
    searching,
    shown,
    split_bill,
)
from epos_conformance.exchange import Exchange
from epos_conformance.following import Row
from epos_conformance.settling import settled
from epos_conformance.shown import words
from epos_conformance.walking import listed


#: Findings that are told: an EPOS that forgets a member forgets it in every order.
MOST_FAULTS = 10

#: Orders that are told of: each was looked at again for the settle time.
MOST_AGAIN = 2


def compared(partner: Partner) -> list[tuple[Row, shown.Shown]]:
    """
    Rows of a search, each with what GetOrderById answers to its id.
    """
    if not partner.offers("GetOrderById"):
        raise NotOffered("GetOrderById isn't offered")
    rows = {row["id"]: row for row in shown.rows(partner)}
    if not rows:
        made = partner.make("order").ids["orderId"]
        row = settled(partner, lambda: searching.row_of(partner, made), lambda each: each is not None)
        read = partner.call("GetOrderById", {"orderId": made})
        if row is not None:
            return [(row, shown.Shown(made, _shown(read), "GetOrderById"))]
    found = [(rows[each.id], each) for each in shown.read(partner) if each.id in rows]
    if not found:
        raise Inconclusive("no order could be seen both in a search and by GetOrderById")
    return found


def _shown(exchange: Exchange) -> Any:
    return exchange.result if isinstance(exchange.result, dict) else exchange.seen


@check("SearchOrders.rows-can-be-fetched")
def test_rows_can_be_fetched(partner: Partner) -> None:
    """Every order that a search answers can be fetched by its id."""
    capability = _contracts.capabilities()["GetOrderById"]
    findings: list[Finding] = []
    for row, each in compared(partner):
        if isinstance(each.order, Mapping) or len(findings) >= MOST_AGAIN:
            continue
        # It may have been on its way into the one, or out of the other.
        look = functools.partial(partner.read, capability, row["id"])
        exchange = settled(partner, look, lambda found: found is None or found.succeeded)
        if exchange is not None:
            exchange.require_answer()
        if exchange is not None and not exchange.succeeded and searching.row_of(partner, row["id"]) is not None:
            findings.append(
                Finding(f"GetOrderById of {row['id']!r}, a row of SearchOrders", "the order", exchange.seen)
            )

    answers.violate(findings)


@dataclass(frozen=True, slots=True)
class Pair:
    """
    An order as a search and as GetOrderById show it; None where the one does not.
    """

    id: str
    row: Row | None
    order: Any

    @property
    def differences(self) -> Sequence[sameness.Difference]:
        """What the two say differently."""
        if self.row is None or not isinstance(self.order, Mapping):
            return ()
        return sameness.differences(self.row, self.order, needed=sameness.NEEDED)


@check("SearchOrders.rows-agree-with-the-order")
def test_rows_agree_with_the_order(partner: Partner) -> None:
    """Every order that a search answers says the same as GetOrderById."""
    suspects = [each.id for row, each in compared(partner) if Pair(each.id, row, each.order).differences]
    findings: list[Finding] = []
    wrong = 0
    for id in suspects:
        found = settled(partner, functools.partial(_pair, partner, id), lambda each: not each.differences)
        findings += (_finding(id, each) for each in found.differences)
        wrong += bool(found.differences)
        if wrong >= MOST_AGAIN:
            break

    answers.violate(findings[:MOST_FAULTS])


def _pair(partner: Partner, id: str) -> Pair:
    """Row and order, the row as it is between two reads that say the same: an order may change meanwhile."""
    order = partner.call("GetOrderById", {"orderId": id}).result
    row = searching.row_of(partner, id)
    if not Pair(id, row, order).differences:
        return Pair(id, row, order)
    again = partner.call("GetOrderById", {"orderId": id}).result
    return Pair(id, row, again if again == order else None)


def _finding(id: str, each: sameness.Difference) -> Finding:
    where = f"SearchOrders, the row of {id!r}, {each.where}"
    return Finding(where, f"the same as GetOrderById: {words(each.other)}", words(each.one))


@check("SearchOrders.open-orders-show-different-names")
def test_open_orders_show_different_names(partner: Partner) -> None:
    """No two payable orders show the same name on the terminal."""
    names: dict[str, list[str]] = {}
    # Ours are all called the same.
    for row in searching.search(partner, {"payableOnly": True}):
        name = shown.name_on_terminal(row)[1][: shown.LONGEST_NAME]
        if row.get("payable") is True and name != "Conformance":
            names.setdefault(name, []).append(row["id"])

    answers.violate(
        [
            Finding(f"SearchOrders with payableOnly, {name!r}", "one order of that name", f"{len(ids)}: {listed(ids)}")
            for name, ids in names.items()
            if len(ids) > 1
        ][:MOST_FAULTS]
    )


@check("SearchOrders.follows-a-payment", changes=True)
def test_follows_a_payment(partner: Partner) -> None:
    """A search after a payment shows the order with that payment."""
    if not partner.offers("RecordOrderPaymentById"):
        raise NotOffered("RecordOrderPaymentById isn't offered")
    told = [each for each in split_bill.split_bills(partner) if each.recorded]
    bills = [each for each in told if each.row is not None]
    lost = [each for each in told if each.is_lost]

    answers.violate([_lost(each.recorded[-1]) for each in lost])
    if not bills:
        raise Inconclusive("the search doesn't find the orders that were paid")
    findings = [finding for each in bills if each.row for finding in split_bill.stale(each.recorded[-1], each.row)]
    answers.violate(findings, hint="the search shows the order as it was before: an index or a cache lags behind")


def _lost(last: paying.Payment) -> Finding:
    where = f"SearchOrders after {last.what}"
    return Finding(
        where, f"the order {last.order_id}, as before: {paying.READ} answers that it is payable", "no such row"
    )
