"""
What the filters of SearchOrders leave out and what they find: each alone, several together, and payableOnly.
"""

from __future__ import annotations

import itertools

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from epos_conformance import Finding, Inconclusive, Partner, Violation, answers, check, searching, shown
from epos_conformance.filters import Narrowing
from epos_conformance.following import Row
from epos_conformance.order_filters import (
    FILTERS,
    PAYABLE,
    all_of,
    combinations,
    rows_of_venue,
    rows_with,
    strangers,
    together,
    values,
)
from epos_conformance.settling import settled
from epos_conformance.shown import words
from epos_conformance.walking import listed, told


#: Searches with several filters, of two and of three.
MOST_COMBINED = 24

#: Searches that are told of one rule.
MOST_TOLD = 2

#: Rows that don't say what they were found for, and whose orders are read.
MOST_DOUBTFUL = 3

#: Orders that a search with all their filters has to find.
MOST_FOUND = 4


# Narrowing


@check("SearchOrders.table-filter-narrows")
def test_table_filter_narrows(partner: Partner) -> None:
    """A search for a table answers orders of that table only."""
    require_narrowing(partner, "tableId")


@check("SearchOrders.waiter-filter-narrows")
def test_waiter_filter_narrows(partner: Partner) -> None:
    """A search for a waiter answers orders of that waiter only."""
    require_narrowing(partner, "waiterId")


@check("SearchOrders.party-filter-narrows")
def test_party_filter_narrows(partner: Partner) -> None:
    """A search for a party answers orders of that party only."""
    require_narrowing(partner, "partyId")


@check("SearchOrders.reservation-filter-narrows")
def test_reservation_filter_narrows(partner: Partner) -> None:
    """A search for a reservation answers orders of that reservation only."""
    require_narrowing(partner, "reservationId")


def require_narrowing(partner: Partner, name: str) -> None:
    """
    Demand that a search with the filter *name* answers orders alone that have what was asked for.
    """
    rows = rows_with(partner, name)
    wanted = [FILTERS[name].at(each) for each in (*values(name, rows), *strangers(name, rows))]
    wanted = [each for each in wanted if is_answered(partner, each, rows)]
    if not wanted:
        raise Inconclusive(f"no order could be seen that has a {name}; name one as data.orders in partner.toml")
    answers.violate(first(narrowed(partner, each, len(rows)) for each in wanted))


def is_answered(partner: Partner, wanted: Narrowing, rows: Sequence[Row]) -> bool:
    """
    Whether a search has to be answered, or is: what none of *rows* has may be refused, and is told of the pages if so.
    """
    expected = any(map(wanted.passes, rows))
    return expected or partner.call("SearchOrders", wanted.query).succeeded


def first(found: Iterable[list[Finding]]) -> list[Finding]:
    """
    The findings of a few searches: each was repeated for the settle time.
    """
    findings: list[Finding] = []
    for each in found:
        findings += each
        if len(findings) >= MOST_TOLD:
            break
    return findings


def narrowed(partner: Partner, wanted: Narrowing, all_rows: int) -> list[Finding]:
    """
    Findings where a search answers orders that are not *wanted*, and goes on to.
    """
    found, wrong = settled(partner, lambda: _answered(partner, wanted), lambda each: not each[1])
    if not wrong:
        return []
    ids = listed([str(each["id"]) for each in wrong])
    hint = None
    if len(found) >= all_rows and len(found) > 1:
        hint = "the filter seems to be ignored: all orders are answered"
    seen = f"{len(wrong)} of {len(found)} rows are others: {ids}; the first is of {_said(wanted, wrong[0])}"
    return [Finding(f"SearchOrders with {told(wanted.query)}", "only orders that match", seen, hint)]


def _answered(partner: Partner, wanted: Narrowing) -> tuple[list[Row], list[Row]]:
    """The rows that a search answers, and those of them that are not *wanted*."""
    found = searching.search(partner, wanted.query, demanded=True)
    wrong = [row for row in found if wanted.passes(row) is False]
    # Where rows don't say it, the orders may.
    doubtful = [] if wrong else [row for row in found if wanted.passes(row) is None][:MOST_DOUBTFUL]
    return found, wrong or [row for row in doubtful if not _is_wanted(partner, wanted, row)]


def _is_wanted(partner: Partner, wanted: Narrowing, row: Row) -> bool:
    """Whether the order of *row*, which doesn't say it, is what was *wanted*."""
    places = wanted.query.get("dineIn", {})
    if not places or not partner.offers("GetOrderById"):
        return True
    order = partner.call("GetOrderById", {"orderId": row["id"]}).result
    # An order that says nothing of its table isn't of the one that was asked for; payable may be left out.
    return not isinstance(order, dict) or all(shown.dine_in(order).get(name) == each for name, each in places.items())


def _said(wanted: Narrowing, row: Row) -> str:
    """What *row* has of what was *wanted*."""
    found = [f"{name} {words(shown.dine_in(row).get(name))}" for name in wanted.query.get("dineIn", {})]
    if PAYABLE.name in wanted.query:
        found.append(f"payable {words(row.get('payable'))}")
    return ", ".join(found)


# Finding


@check("SearchOrders.table-filter-finds-its-orders")
def test_table_filter_finds_its_orders(partner: Partner) -> None:
    """A search for a table finds the orders of that table."""
    require_finding(partner, "tableId")


@check("SearchOrders.waiter-filter-finds-its-orders")
def test_waiter_filter_finds_its_orders(partner: Partner) -> None:
    """A search for a waiter finds the orders of that waiter."""
    require_finding(partner, "waiterId")


@check("SearchOrders.party-filter-finds-its-orders")
def test_party_filter_finds_its_orders(partner: Partner) -> None:
    """A search for a party finds the orders of that party."""
    require_finding(partner, "partyId")


@check("SearchOrders.reservation-filter-finds-its-orders")
def test_reservation_filter_finds_its_orders(partner: Partner) -> None:
    """A search for a reservation finds the orders of that reservation."""
    require_finding(partner, "reservationId")


def require_finding(partner: Partner, name: str) -> None:
    """
    Demand that a search with the filter *name* finds the orders that are seen without it.
    """
    rows = rows_with(partner, name)
    found = values(name, rows)
    if not found:
        raise Inconclusive(f"no order could be seen that has a {name}; open one at the till that has")
    answers.violate(first(missed(partner, FILTERS[name].at(each), rows) for each in found))


def missed(partner: Partner, wanted: Narrowing, rows: Sequence[Row]) -> list[Finding]:
    """
    Findings where a search doesn't find those of *rows* that are *wanted*, though they are still there.
    """
    expected = {str(row["id"]) for row in rows if wanted.passes(row) is True}

    def look() -> list[Row]:
        found = {row["id"] for row in searching.search(partner, wanted.query, demanded=True)}
        if expected <= found:
            return []
        # Orders come and go, and may change places.
        return [row for row in searching.search(partner, {}) if row["id"] in expected - found and wanted.passes(row)]

    missing = settled(partner, look, lambda each: not each)
    if not missing:
        return []
    hint = None
    if all(row.get("status") in shown.CLOSED for row in missing) and wanted.name != PAYABLE.name:
        hint = "orders that are closed seem to be left out"
    seen = f"{len(expected) - len(missing)} of {len(expected)}; missing: {listed([str(row['id']) for row in missing])}"
    return [Finding(f"SearchOrders with {told(wanted.query)}", f"{len(expected)} orders that match", seen, hint)]


# Several filters


@check("SearchOrders.filters-combine")
def test_filters_combine(partner: Partner) -> None:
    """A search with several filters answers orders that meet all of them only."""
    rows = rows_of_venue(partner)
    found = [each for each in itertools.islice(combinations(rows), MOST_COMBINED) if is_answered(partner, each, rows)]
    if not found:
        raise Inconclusive("no two filters could be seen that tell the orders apart; open orders at several tables")
    answers.violate(first(narrowed(partner, each, len(rows)) for each in found))


@check("SearchOrders.combined-filters-find-their-orders")
def test_combined_filters_find_their_orders(partner: Partner) -> None:
    """A search with several filters finds an order that meets all of them."""
    rows = rows_of_venue(partner)
    every = sorted((parts for row in rows if len(parts := all_of(row)) > 1), key=len)
    # Those of the most filters, each kind of them once.
    kinds = {tuple(each.name for each in parts): together(parts) for parts in every}
    chosen = list(kinds.values())[-MOST_FOUND:]
    if not chosen:
        raise Inconclusive("no order could be seen that two filters find; open one at a table, with a waiter")
    answers.violate(first(missed(partner, each, rows) for each in chosen))


# Payable orders


@check("SearchOrders.payable-only-narrows")
def test_payable_only_narrows(partner: Partner) -> None:
    """A search with payableOnly true answers payable orders only."""
    rows = rows_with_unpayable(partner)
    findings = narrowed(partner, PAYABLE, len(rows))
    # A row may be said to be payable because it was searched for.
    unpayable = {row["id"] for row in rows if PAYABLE.passes(row) is False}

    def look() -> list[str]:
        return [row["id"] for row in searching.search(partner, PAYABLE.query) if row["id"] in unpayable]

    doubtful = [] if findings else settled(partner, look, lambda each: not each)
    for id in doubtful[: shown.MOST_TOLD]:
        row = searching.row_of(partner, id)
        if row is not None and PAYABLE.passes(row) is False:
            said = "it is there, as a payable one"
            findings.append(
                Finding(f"SearchOrders with payableOnly, the row of {id!r}", "none: payable is false", said)
            )

    answers.violate(findings)


def rows_with_unpayable(partner: Partner) -> list[Row]:
    """
    The orders of the venue; where all of them are payable, with one that we cancel, if we can.
    """
    rows = rows_of_venue(partner)
    able = partner.offers("CreateOrder") and partner.offers("CancelOrderById") and not partner.settings.read_only
    if any(PAYABLE.passes(row) is False for row in rows):
        return rows
    row = None
    if able:
        id = partner.existing("own-order")
        partner.call("CancelOrderById", {"orderId": id})
        row = settled(
            partner,
            lambda: searching.row_of(partner, id),
            lambda each: each is not None and PAYABLE.passes(each) is False,
        )
    if row is None or PAYABLE.passes(row) is not False:
        partner.notes.append("no order could be seen that is not payable")
        return rows
    return [*rows, row]


@check("SearchOrders.payable-only-finds-payable-orders")
def test_payable_only_finds_payable_orders(partner: Partner) -> None:
    """A search with payableOnly true finds the payable orders."""
    rows = rows_of_venue(partner)
    if not any(map(PAYABLE.passes, rows)):
        raise Inconclusive("no order could be seen that is payable; open one at the till")
    answers.violate(missed(partner, PAYABLE, rows))


@check("SearchOrders.payable-only-false-hides-nothing")
def test_payable_only_false_hides_nothing(partner: Partner) -> None:
    """A search with payableOnly false finds what one without it finds."""
    rows_with_unpayable(partner)
    without, off = _ids(partner, {}), _ids(partner, {"payableOnly": False})
    if without <= off:
        return

    # Orders come and go, and may change pages: only what is hidden whenever it is there is hidden.
    hidden = settled(
        partner,
        lambda: (without - off - _ids(partner, {"payableOnly": False})) & _ids(partner, {}),
        lambda each: not each,
    )
    if hidden:
        rows = [row for row in partner.venue.orders if row.get("id") in hidden]
        hint = None
        if rows and not any(map(PAYABLE.passes, rows)):
            hint = "false seems to be taken for true: the orders that are hidden are not payable"
        elif rows and all(map(PAYABLE.passes, rows)):
            hint = "false seems to ask for the orders that are not payable"
        seen = f"{len(hidden)} of them are missing: {listed(sorted(hidden))}"
        raise Violation(
            Finding("SearchOrders with payableOnly false", f"the {len(without)} orders found without it", seen, hint)
        )


def _ids(partner: Partner, query: Mapping[str, Any]) -> set[str]:
    return {row["id"] for row in searching.search(partner, query, demanded=True)}
