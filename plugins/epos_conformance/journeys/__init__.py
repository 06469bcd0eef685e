"""
Journeys: what Dojo's products do with an EPOS, from the first search to the last read.

Each is told by a check of the suite, and by a flow of the sandbox, with a `Partner` of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from epos_conformance import _contracts
from epos_conformance.journeys import abandonment, guests, order_and_pay, pay_at_table
from epos_conformance.journeys.journey import Journey


__all__ = ["JOURNEYS", "Journey"]


def _needs(product: str, *more: str) -> tuple[str, ...]:
    """What *product* can't do without, and *more*."""
    required = [each.name for each, how in _contracts.members_of(product) if how == "required"]
    return tuple(dict.fromkeys((*required, *more)))


_PAY, _QR, _ORDER, _BOOK = "pay-at-table", "qr-pay", "order-and-pay", "bookings"
_LOCKS = ("CreateOrderLock", "DeleteOrderLock")

_ALL = (
    Journey(
        id="pay-at-table-without-locks",
        title="Pay at Table without locks",
        product=_PAY,
        needs=_needs(_PAY),
        story=pay_at_table.without_locks,
    ),
    Journey(
        id="pay-at-table-with-locks",
        title="Pay at Table with locks",
        product=_PAY,
        needs=_needs(_PAY, *_LOCKS),
        story=pay_at_table.with_locks,
    ),
    Journey(
        id="pay-at-table-with-lock-extension",
        title="Pay at Table with a lock that is extended",
        product=_PAY,
        needs=_needs(_PAY, *_LOCKS, "ExtendOrderLock"),
        story=pay_at_table.with_lock_extension,
    ),
    Journey(
        id="split-bill-with-tips",
        title="A bill that is split, with tips",
        product=_PAY,
        needs=_needs(_PAY),
        story=pay_at_table.split_bill,
    ),
    Journey(
        id="abandoned-payment",
        title="A payment that is abandoned",
        product=_PAY,
        needs=_needs(_PAY, *_LOCKS),
        story=abandonment.abandoned_payment,
    ),
    Journey(id="qr-by-table", title="QR Pay by table", product=_QR, needs=_needs(_QR), story=pay_at_table.by_table),
    Journey(
        id="order-and-pay",
        title="Order and Pay",
        product=_ORDER,
        needs=_needs(_ORDER),
        story=order_and_pay.order_and_pay,
    ),
    Journey(
        id="order-and-pay-later",
        title="Order now, pay later",
        product=_ORDER,
        needs=_needs(_ORDER, "RecordOrderPaymentById"),
        story=order_and_pay.order_and_pay_later,
    ),
    Journey(id="bookings", title="Bookings", product=_BOOK, needs=_needs(_BOOK), story=guests.bookings),
)

#: By id, in the order in which products build upon each other.
JOURNEYS: Mapping[str, Journey] = MappingProxyType({each.id: each for each in _ALL})
