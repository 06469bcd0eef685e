"""
Journeys: the products' own stories, each told as a whole.

What is asked of the EPOS on the way is in `epos_conformance.journeys`; the first wrong step names the rule it breaks.
"""

from __future__ import annotations

from epos_conformance import Partner, check
from epos_conformance.journeys import JOURNEYS


@check("journeys.pay-at-table-without-locks", changes=True)
def test_pay_at_table_without_locks(partner: Partner) -> None:
    """An order is found, opened, paid in part and read, without a lock."""
    JOURNEYS["pay-at-table-without-locks"].run(partner)


@check("journeys.pay-at-table-with-locks", changes=True)
def test_pay_at_table_with_locks(partner: Partner) -> None:
    """Two card machines lock an order one after the other, and take a payment each."""
    JOURNEYS["pay-at-table-with-locks"].run(partner)


@check("journeys.pay-at-table-with-lock-extension", changes=True)
def test_pay_at_table_with_lock_extension(partner: Partner) -> None:
    """A lock is extended before each of two payments."""
    JOURNEYS["pay-at-table-with-lock-extension"].run(partner)


@check("journeys.split-bill-with-tips", changes=True)
def test_split_bill_with_tips(partner: Partner) -> None:
    """Three guests pay until nothing is left, two of them with tips."""
    JOURNEYS["split-bill-with-tips"].run(partner)


@check("journeys.abandoned-payment", changes=True)
def test_abandoned_payment(partner: Partner) -> None:
    """A lock is left to lapse, and the order is paid by another card machine."""
    JOURNEYS["abandoned-payment"].run(partner)


@check("journeys.qr-by-table", changes=True)
def test_qr_by_table(partner: Partner) -> None:
    """A guest finds the orders of a table, and pays a part of one."""
    JOURNEYS["qr-by-table"].run(partner)


@check("journeys.order-and-pay", changes=True)
def test_order_and_pay(partner: Partner) -> None:
    """A guest's order comes with its payment, which is captured; then it is canceled."""
    JOURNEYS["order-and-pay"].run(partner)


@check("journeys.order-and-pay-later", changes=True)
def test_order_and_pay_later(partner: Partner) -> None:
    """A guest's order is paid at the table after the meal."""
    JOURNEYS["order-and-pay-later"].run(partner)


@check("journeys.bookings", changes=True)
def test_bookings(partner: Partner) -> None:
    """A reservation is made and moved, its party is seated, moves, orders and leaves."""
    JOURNEYS["bookings"].run(partner)
