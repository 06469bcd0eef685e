"""
Pay at Table and QR Pay: the guests of a table pay at their seats, with a card machine or with their own phones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from epos_conformance import following, ordering, shown
from epos_conformance.exceptions import Inconclusive
from epos_conformance.following import Row, rows_of
from epos_conformance.journeys.journey import asking, require_carried_out
from epos_conformance.journeys.machine import SHARE, CardMachine
from epos_conformance.money import owed
from epos_conformance.partner import MOST_ATTEMPTS


if TYPE_CHECKING:
    from epos_conformance.exchange import Exchange
    from epos_conformance.partner import Partner

#: What an order has to owe: a payment, and something that is left.
ENOUGH = SHARE[0] + 1

TABLES = "SearchTables"

#: Pages of tables that are looked through.
_MOST_PAGES = 10

#: How the tips of a party that goes Dutch are reckoned: one part in so many.
_TIP = 10


def at_the_table(partner: Partner, owes: int = ENOUGH) -> CardMachine:
    """A card machine that has found an order, opened it and shown its bill."""
    with partner.steps.take("there is an order to pay"):
        machine = CardMachine(partner, partner.order(owes))
    machine.finds_it_among_the_payable_orders()
    machine.opens_it()
    machine.shows_the_bill()
    return machine


def without_locks(partner: Partner) -> None:
    """The flow that always works: find, open, pay, read, and find it again for the next guest."""
    machine = at_the_table(partner)
    machine.pays(*SHARE)
    machine.reads_it_back()
    machine.finds_it_still()


def with_locks(partner: Partner) -> None:
    """Two card machines, one after the other, lock the order while they take a payment."""
    machine = at_the_table(partner, 2 * SHARE[0] + 1)
    machine.locks_it()
    machine.reads_it_while_it_is_locked()
    machine.pays(*SHARE, "the first payment")
    machine.unlocks_it()
    machine.reads_it_back()
    machine.locks_it_again()
    machine.pays(2, None, "the second payment")
    machine.unlocks_it()
    machine.reads_it_back()


def with_lock_extension(partner: Partner) -> None:
    """The guests take long: the lock is extended before each payment."""
    machine = at_the_table(partner, 2 * SHARE[0] + 1)
    machine.locks_it()
    machine.extends_the_lock("the lock is extended", 1.25)
    machine.pays(*SHARE, "the first payment")
    machine.extends_the_lock("the lock is extended once more", 1.5)
    machine.reads_it_while_it_is_locked()
    machine.pays(2, None, "the second payment")
    machine.unlocks_it()
    machine.reads_it_back()
    machine.locks_it_again()
    machine.unlocks_it()


# Until nothing is left


def split_bill(partner: Partner) -> None:
    """Three guests share a bill, and two of them tip; the last one pays what is left, where it may be paid off."""
    with partner.steps.take("there is an order to share"):
        order, to_the_end = _to_share(partner)
    machine = CardMachine(partner, order)
    machine.finds_it_among_the_payable_orders()
    machine.opens_it()
    machine.shows_the_bill()
    left = owed(machine.order)
    if left is None:
        raise Inconclusive("the order doesn't say what is owed: totalAmount or paidAmount is missing")
    share = max(1, left // 3) if to_the_end else SHARE[0]
    machine.pays(share, _tip(share), "the first guest's payment")
    machine.pays(share, None, "the second guest's payment")
    rest = left - 2 * share if to_the_end else SHARE[0] - 1
    machine.pays(rest, _tip(rest), "the last guest's payment", last=True)
    machine.reads_it_back()
    if owed(machine.order) == 0 and machine.order.get("payable") is True:
        partner.notes.append("the order is payable still, though nothing is left to pay")


def _to_share(partner: Partner) -> tuple[Row, bool]:
    """An order, and whether it may be paid off: a venue that makes none for Dojo may have too few."""
    try:
        return partner.spend("shares"), True
    except Inconclusive as error:
        order = partner.order(3 * SHARE[0])
        partner.notes.append(f"the bill is not paid to its end: {error}")
        return order, False


def _tip(share: int) -> int:
    return max(1, share // _TIP)


# By table


def by_table(partner: Partner) -> None:
    """A guest scans the code of the table, sees what is on it, and pays a part."""
    with partner.steps.take("there is an order at a table"):
        order, table = _order_at_a_table(partner)
    phone = CardMachine(partner, order)
    _lists_the_tables(partner, table)
    phone.finds_it_at_its_table(table)
    phone.opens_it()
    phone.shows_the_bill()
    phone.pays(*SHARE)
    phone.reads_it_back()
    phone.is_told_of_the_capture()
    phone.finds_it_at_its_table(table, again=" again")


def _order_at_a_table(partner: Partner) -> tuple[Row, str]:
    """An order to pay that is at a table, and which."""
    tried: list[Row] = []
    while len(tried) < MOST_ATTEMPTS:
        try:
            order = partner.order(ENOUGH)
        except Inconclusive:
            if not tried:
                raise
            break  # the venue has no other
        table = ordering.place(order).get("tableId")
        if isinstance(table, str) and table:
            return order, table
        tried.append(order)
    raise Inconclusive(
        f"needs an order at a table, but none of {len(tried)} that may be paid names one "
        f"({shown.words(tried[0].get('details'))}); open one at a table, and name it as data.orders in partner.toml"
    )


def _lists_the_tables(partner: Partner, table: str) -> None:
    """The codes on the tables are made from their list."""

    def ask(query: dict[str, Any]) -> Exchange:
        return partner.call(TABLES, query)

    ids: set[Any] = set()
    with asking(partner, "the tables are listed", TABLES):
        for exchange in following.pages(ask, {}, most=_MOST_PAGES):
            require_carried_out(exchange)
            ids |= {row.get("id") for row in rows_of(exchange.result)}
    if table not in ids:
        partner.notes.append(f"{TABLES} doesn't list {table!r}, where an order is")
