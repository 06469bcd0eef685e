"""
What an order says of its money: currencies, what is paid and tipped, and what it comes to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from epos_conformance import Finding, NotOffered, Partner, check, money, shown, totals
from epos_conformance.following import Row
from epos_conformance.shown import words


# Currencies

CURRENCIES = ("GBP", "EUR")

_SIGNS = {"£": "GBP", "€": "EUR", "826": "GBP", "978": "EUR", "EURO": "EUR", "UKP": "GBP"}


@check("GetOrderById.currency-is-gbp-or-eur")
def test_currency_is_gbp_or_eur(partner: Partner) -> None:
    """Every amount of an order is in GBP or EUR."""

    def judge(order: Row) -> Iterator[Finding]:
        for where, amount in totals.amounts(order):
            code = money.currency(amount)
            if code is not None and code not in CURRENCIES:
                meant = _SIGNS.get(code.strip().upper(), code.strip().upper())
                hint = f"it is spelt {meant}" if meant in CURRENCIES else None
                yield Finding(f"{where}.currencyCode", "GBP or EUR", repr(code), hint)

    require_amounts(partner, judge)


@check("GetOrderById.has-one-currency")
def test_has_one_currency(partner: Partner) -> None:
    """All amounts of an order are in one currency."""

    def judge(order: Row) -> Iterator[Finding]:
        first, code = None, None
        for where, amount in totals.amounts(order):
            found = money.currency(amount)
            first, code = (first, code) if code else (where, found)
            if found not in (None, code):
                yield Finding(where, f"{code}, as in {first}", words(amount))
                return

    require_amounts(partner, judge)


def require_amounts(partner: Partner, judge: shown.Judge) -> None:
    def has_amounts(order: Row) -> bool:
        return any(money.currency(amount) for _, amount in totals.amounts(order))

    shown.require(partner, judge, among=has_amounts, lacking="no order could be seen that has an amount")


# What is paid


@check("GetOrderById.paid-amount-is-the-sum-of-payments")
def test_paid_amount_is_the_sum_of_payments(partner: Partner) -> None:
    """An order's paidAmount is the sum of its payments, without tips."""
    require_sum(partner, "paidAmount", lambda order: bool(money.payments(order)))


@check("GetOrderById.tips-amount-is-the-sum-of-tips")
def test_tips_amount_is_the_sum_of_tips(partner: Partner) -> None:
    """An order's tipsAmount is the sum of its payments' tips."""
    require_sum(partner, "tipsAmount", lambda order: bool(money.summed(_each(order, "tipsAmount"))))


def require_sum(partner: Partner, name: str, tells: Callable[[Row], bool]) -> None:
    """
    Demand that the member *name* of each order is the sum of that of its payments; *tells* says in which it shows.
    """

    def judge(order: Row) -> Iterator[Finding]:
        said, summed = money.value(order.get(name)), _sum(order, name)
        if said is None or summed is None or said == summed:
            return
        code = money.currency(order.get(name))
        parts = " + ".join(str(money.value(each) or 0) for each in _each(order, name)) or "no payments"
        seen = f"{money.shown(said, code)}; a difference of {money.shown(said - summed, code)}"
        hint = _hint_of_sum(order, name, said, summed)
        yield Finding(f"$.{name}", f"{money.shown(summed, code)}, the sum of $.payments: {parts}", seen, hint)

    def can_be_summed(order: Row) -> bool:
        return money.value(order.get(name)) is not None and _sum(order, name) is not None

    seen = shown.orders(partner)
    telling = any(tells(each.order) and can_be_summed(each.order) for each in seen)
    besides = [] if telling else shown.paid(partner)
    if not any(can_be_summed(each.order) for each in (*seen, *besides)) and any(
        tells(each.order) for each in (*seen, *besides)
    ):
        raise NotOffered(f"no order carries {name}, which is optional")
    if not telling and not any(tells(each.order) for each in besides):
        partner.notes.append(f"no order could be seen with a payment that {name} counts")
    shown.require(
        partner,
        judge,
        among=can_be_summed,
        lacking=f"no order could be seen that has payments and {name}",
        besides=besides,
    )


def _each(order: Row, name: str) -> list[object]:
    return [each.get(name) for each in money.payments(order)]


def _sum(order: Row, name: str) -> int | None:
    """The sum of *name* over the payments of *order*; None where they can't be told or added."""
    if order.get("payments") is None:
        # Where there are none, they may be left out.
        return 0 if money.value(order.get(name)) == 0 else None
    amounts = _each(order, name)
    codes = {money.currency(each) for each in (order.get(name), *amounts) if each is not None}
    if len(codes) > 1 or (name == "paidAmount" and None in amounts):
        return None
    return money.summed(amounts)


def _hint_of_sum(order: Row, name: str, said: int, summed: int) -> str | None:
    paid = [money.value(each.get("paidAmount")) or 0 for each in money.payments(order)]
    tips = [money.value(each.get("tipsAmount")) or 0 for each in money.payments(order)]
    amounts, other = (paid, tips) if name == "paidAmount" else (tips, paid)
    guesses = [
        (sum(paid) + sum(tips), "paidAmount and tips seem to be added up together"),
        *([(amounts[-1], "only the last payment seems to be counted")] if len(amounts) > 1 else []),
        *([(amounts[0], "only the first payment seems to be counted")] if len(amounts) > 1 else []),
        (sum(paid) - sum(tips), "tips seem to be taken off"),
        (0, "the payments seem not to be counted"),
        (2 * summed, "every payment seems to be counted twice"),
        ((money.total(order) or 0) - summed, "it seems to be what is left to pay"),
        (money.total(order), "it seems to be the total, whatever is paid"),
        (sum(other), f"the payments' {'tipsAmount' if name == 'paidAmount' else 'paidAmount'} seems to be counted"),
        (len(amounts), "the payments seem to be counted, not added up"),
    ]
    return next((hint for guess, hint in guesses if guess == said and said != summed), None)


@check("GetOrderById.fully-paid-order-is-not-payable")
def test_fully_paid_order_is_not_payable(partner: Partner) -> None:
    """An order that is fully paid is not payable."""

    def judge(order: Row) -> Iterator[Finding]:
        if order.get("payable") is True:
            paid, total = money.paid(order), money.total(order)
            hint = "what is paid beyond the total seems to go unnoticed" if paid != total else None
            expected = f"false, as {words(order.get('totalAmount'))} is paid"
            yield Finding("$.payable", expected, f"true, at a paidAmount of {paid}", hint)

    seen = any(shown.is_fully_paid(each.order) for each in shown.orders(partner))
    shown.require(
        partner,
        judge,
        among=shown.is_fully_paid,
        lacking="no order could be seen that is fully paid",
        besides=() if seen else shown.paid_off(partner),
    )


# What it comes to


@check("GetOrderById.total-adds-up")
def test_total_adds_up(partner: Partner) -> None:
    """An order's total is what its items, discounts and charges come to."""
    shown.require(
        partner,
        _wrong_total,
        among=lambda order: totals.reckon(order) is not None,
        lacking="no order could be seen whose total can be added up from its items",
    )


def _wrong_total(order: Row) -> Iterator[Finding]:
    found = totals.reckon(order)
    if found is not None and not found.agrees:
        yield Finding("$.totalAmount", found.expected, money.shown(found.said, found.currency), found.hint)


@check("GetOrderById.total-counts-sub-items")
def test_total_counts_sub_items(partner: Partner) -> None:
    """An order's total counts the sub-items of its items."""
    require_counted(partner, totals.SUB_ITEMS)


@check("GetOrderById.total-counts-modifiers-per-item")
def test_total_counts_modifiers_per_item(partner: Partner) -> None:
    """An order's total counts a modifier once for each single item that has it."""
    require_counted(partner, totals.MODIFIERS)


@check("GetOrderById.total-is-after-discounts")
def test_total_is_after_discounts(partner: Partner) -> None:
    """An order's total is what is left after its discounts."""
    require_counted(partner, totals.DISCOUNTS)


@check("GetOrderById.total-includes-the-service-charge")
def test_total_includes_the_service_charge(partner: Partner) -> None:
    """An order's total includes its service charge."""
    require_counted(partner, totals.SERVICE)


def require_counted(partner: Partner, part: str) -> None:
    """
    Demand that no order's total is wrong because *part* is not counted as it has to be.
    """
    reckoned = [totals.reckon(each.order) for each in shown.orders(partner)]
    # What comes out right elsewhere explains nothing that has another explanation.
    sound = {part for each in reckoned if each is not None and each.agrees for part in each.parts}

    def is_due_to_it(order: Row) -> bool:
        found = totals.reckon(order)
        causes = {slip.of for slip in found.slips if slip.of} if found else set()
        return part in causes and (len(causes) == 1 or part not in sound)

    def judge(order: Row) -> Iterator[Finding]:
        if (found := totals.reckon(order)) and is_due_to_it(order):
            hint = next(slip.hint for slip in found.slips if slip.of == part)
            yield Finding("$.totalAmount", found.expected, money.shown(found.said, found.currency), hint)

    def tells(order: Row) -> bool:
        found = totals.reckon(order)
        return found is not None and ((found.agrees and part in found.parts) or is_due_to_it(order))

    shown.require(partner, judge, among=tells, lacking=f"no order could be seen whose total depends on {_PARTS[part]}")


_PARTS = {
    totals.SUB_ITEMS: "sub-items",
    totals.MODIFIERS: "modifiers",
    totals.DISCOUNTS: "a discount",
    totals.SERVICE: "a service charge",
}
