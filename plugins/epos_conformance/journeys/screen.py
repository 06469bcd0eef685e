"""
What the screen of a card machine or a phone shows: orders to choose from, one that is open, its bill.

Each method is a step of the journey, or a few; what a till may do otherwise becomes a note.
"""

from __future__ import annotations

import functools

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from epos_conformance import _contracts, answers, money, paying, searching, split_bill
from epos_conformance.creating import search, sought
from epos_conformance.exceptions import Violation
from epos_conformance.exchange import Exchange
from epos_conformance.filters import Narrowing
from epos_conformance.following import Row
from epos_conformance.journeys.journey import Refused, asking, judged, remark, require_carried_out
from epos_conformance.order_filters import FILTERS, PAYABLE
from epos_conformance.partner import Partner
from epos_conformance.paying import READ, Payment
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding
from epos_conformance.walking import listed, told


SEARCH = "SearchOrders"
BILL = "GetOrderBillById"

_STILL = "payable-only-finds-payable-orders"

#: Members of an order that a list of orders shows.
_OWED = ("totalAmount", "paidAmount")


class Screen:
    """
    One screen, and the order that is chosen on it.
    """

    def __init__(self, partner: Partner, order: Row) -> None:
        self.partner = partner
        #: The order as it is known by now.
        self.order = order
        #: As a search has shown it.
        self.row: Row | None = None
        #: The payments that were recorded, in their order.
        self.payments: list[Payment] = []

    @property
    def id(self) -> str:
        return str(self.order["id"])

    @property
    def is_ours(self) -> bool:
        """Whether the suite made the order, and nobody else is busy with it."""
        return self.partner.owns(self.id)

    # Finding the order

    def finds_it_among_the_payable_orders(self) -> None:
        """The machine lists what there is to pay."""
        rows = self._listed("the payable orders are listed", PAYABLE.query)
        wrong = self._others(rows, PAYABLE, "payable orders alone")
        judged(self.partner, "all of them are payable", (f"{SEARCH}.payable-only-narrows", wrong))
        self.is_found("the order is among them", PAYABLE.query, rows)

    def finds_it_at_its_table(self, table: str, *, again: str = "") -> None:
        """A guest's phone lists the orders of *table*; *again* says that it was done before."""
        wanted = FILTERS["tableId"].at(table)
        rows = self._listed(f"the orders of the table are listed{again}", wanted.query)
        wrong = self._others(rows, wanted, f"orders of {table!r} alone")
        judged(self.partner, f"all of them are of that table{again}", (f"{SEARCH}.table-filter-narrows", wrong))
        self.is_found(f"the order is among them{again}", wanted.query, rows)

    def finds_it_still(self) -> None:
        """The next guest pays the rest: an order that was listed before, and is payable by what is read, is found."""
        partner = self.partner
        if self.row is None and not partner.was_listed(self.id):
            return

        def look() -> str | None:
            query = next((each for each in (PAYABLE.query, {}) if self._is_missing(each)), None)
            return None if query is None or not split_bill.is_still_owed(partner, self.id) else told(query)

        with partner.steps.take("it is among the payable orders still", rule=f"{SEARCH}.{_STILL}"):
            missed = settled(partner, look, lambda query: query is None)
            if missed is not None:
                where = f"{SEARCH} with {missed} after the payment"
                expected = f"the order {self.id}, as before: {READ} answers that it is payable"
                raise Violation(Finding(where, expected, "no such row"))

    def _is_missing(self, query: Mapping[str, Any]) -> bool:
        row, unsure = search(self.partner, self.id, dict(query))
        return row is None and unsure is None

    def _listed(self, step: str, query: Mapping[str, Any]) -> list[Row]:
        with asking(self.partner, step, SEARCH):
            return searching.search(self.partner, query, demanded=True)

    def _others(self, rows: list[Row], wanted: Narrowing, expected: str) -> list[Finding]:
        """Findings where a search answered *rows* that it must not, and goes on to."""
        found = [rows]

        def look() -> list[Row]:
            answered = found.pop() if found else searching.search(self.partner, wanted.query)
            return [row for row in answered if wanted.passes(row) is False]

        wrong = settled(self.partner, look, lambda others: not others)
        ids = listed([str(row["id"]) for row in wrong])
        return [Finding(f"{SEARCH} with {told(wanted.query)}", expected, f"others as well: {ids}")] if wrong else []

    def is_found(self, step: str, query: Mapping[str, Any], rows: Sequence[Row] = ()) -> None:
        """
        An order of ours has to be found somehow; that the filter of *query* finds it is only recommended. It may be
        among *rows*, which that search answered.
        """
        with self.partner.steps.take(step, rule="CreateOrder.is-found-by-search"):
            self.row = next((row for row in rows if row["id"] == self.id), None)
            unsure = None
            if self.row is None:
                self.row, unsure = sought(self.partner, self.id, dict(query))
            if self.row is None and query:
                remark(self.partner, [Finding(f"{SEARCH} with {told(query)}", f"the order {self.id}", "no such row")])
                self.row, unsure = sought(self.partner, self.id, {})
            if self.row is None and unsure is None and self.is_ours:
                raise Violation(Finding(f"{SEARCH} after CreateOrder", f"the order {self.id}", "it isn't found"))

    # Looking at it

    def opens_it(self) -> None:
        """The guest sees what is to be paid."""
        self.reads_it("the order is opened")
        self._row_agrees()

    def reads_it(
        self,
        step: str,
        agrees: Callable[[Row], bool] | None = None,
        *,
        rule: str | None = None,
        look: paying.Look = settled,
    ) -> Row:
        """
        The order as it is read, as soon as it *agrees* with what was written (lists all payments) or has had time to.

        *rule* is the one that it breaks not to be found, where there is a special one; *look* is as in `paying.read`.
        """
        partner = self.partner
        agrees = agrees or self._lists_all_payments
        known = "CreateOrder.can-be-fetched" if self.is_ours else f"{SEARCH}.rows-can-be-fetched"
        with partner.steps.take(step, rule=rule or known):
            exchange = look(
                partner,
                functools.partial(partner.call, READ, {"orderId": self.id}),
                lambda each: isinstance(each.result, dict) and agrees(each.result),
            )
            exchange.require_answer()
            if not exchange.succeeded:
                if partner.venue.is_gone("order", self.id):
                    raise Refused(f"the order {self.id} is gone: {exchange.seen}")
                raise Violation(Finding(f"{READ} of {self.id!r}", "the order", exchange.seen))
        found = self._the_one(exchange)
        if agrees(found):
            self.order = {**self.order, **found}
        return found

    def _lists_all_payments(self, order: Row) -> bool:
        return all(money.payment(order, each.intent) is not None for each in self.payments)

    def _the_one(self, exchange: Exchange) -> Row:
        """The order that was read, if it is the one asked for."""
        response = _contracts.capabilities()[READ].response[self.partner.transport.name]
        found: Any = exchange.result
        other = []
        if isinstance(found, dict) and found.get("id") != self.id:
            other = [Finding(f"{READ} of {self.id!r}, $.id", self.id, str(found.get("id")))]
        rules = (
            (f"{READ}.answer-matches-schema", list(answers.schema_findings(exchange, response))),
            (f"{READ}.answers-the-order-asked-for", other),
        )
        if any(findings for _, findings in rules):
            judged(self.partner, "it is the order asked for", *rules)
        return cast("Row", found)

    def _row_agrees(self) -> None:
        """What the list says is owed is what the order says."""
        seen = [(self.row, self.order)]

        def look() -> list[Finding]:
            row, order = seen.pop() if seen else (searching.row_of(self.partner, self.id), self._as_it_is())
            if row is None:
                return []
            pairs = ((name, money.value(row.get(name)), money.value(order.get(name))) for name in _OWED)
            return [
                Finding(f"{SEARCH}, the row of {self.id!r}, $.{name}", f"{due}, as in {READ}", str(shown))
                for name, shown, due in pairs
                if None not in (shown, due) and shown != due
            ]

        step, rule = "the list says the same of what it costs", f"{SEARCH}.rows-agree-with-the-order"
        with self.partner.steps.take(step, rule=rule):
            answers.violate(settled(self.partner, look, lambda findings: not findings))

    def _as_it_is(self) -> Row:
        """The order, read once more; empty where it can't be."""
        found = self.partner.call(READ, {"orderId": self.id}).result
        return found if isinstance(found, dict) else {}

    def shows_the_bill(self) -> None:
        """The bill is printed, where the till has one."""
        if not self.partner.offers(BILL):
            return
        with asking(self.partner, "the bill is printed", BILL):
            exchange = self.partner.call(BILL, {"orderId": self.id})
            require_carried_out(exchange)
            found = exchange.result.get("order") if isinstance(exchange.result, dict) else None
            if isinstance(found, dict) and found.get("id", self.id) != self.id:
                remark(self.partner, [Finding(f"{BILL}, $.order.id", self.id, str(found["id"]))])
