"""
Orders are made of what a venue sells, where there is room for them, with sums that fit.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from epos_conformance import money, ordering
from epos_conformance._settings import KnownData
from epos_conformance.ordering import Ordering, place, times

from .test_venue import SEARCHES, item, page, venue


def gbp(value: int) -> dict[str, Any]:
    return {"value": value, "currencyCode": "GBP"}


def extra(plu: str, value: int = 50, quantity: int = 1) -> dict[str, Any]:
    return {"plu": plu, "name": plu.title(), "quantity": quantity, "amountPerModifier": gbp(value)}


def row(id: str, *items: Any, total: Any = None, **more: Any) -> dict[str, Any]:
    """An order of the venue; its total is that of plain items where it isn't given."""
    if total is None:
        total = sum(each["quantity"] * each["amountPerItem"]["value"] for each in items)
    return {"id": id, "payable": True, "items": list(items), "totalAmount": gbp(total), **more}


def seat(table: str, **more: str) -> dict[str, Any]:
    return {"orderType": "DineIn", "dineIn": {"tableId": table, **more}}


def book(*orders: Any, known: KnownData | None = None, **answers: Any) -> Ordering:
    return Ordering(venue(known, SearchOrders=[page(*orders)], **answers))


def tables(*ids: str) -> list[dict[str, Any]]:
    return [page(*({"id": each, "name": each, "maxCovers": 4} for each in ids))]


# What is sold


def test_items_are_those_that_were_ordered_without_what_was_noted_and_added() -> None:
    noted = item("tea", note="hot", served=True, amountPerItem={**gbp(250), "net": 200}, modifiers=[])
    found = book(row("1", noted, item("pie"))).seen
    assert found == [
        {"plu": "tea", "name": "Tea", "quantity": 1, "amountPerItem": gbp(250)},
        {"plu": "pie", "name": "Pie", "quantity": 1, "amountPerItem": gbp(250)},
    ]


@pytest.mark.parametrize(
    "odd",
    [
        "tea",
        item("tea", name=None),
        item("tea", quantity=0),
        item("tea", currency="EUR"),
        item("tea", modifiers=[extra("milk") | {"amountPerModifier": {"value": 5, "currencyCode": "EUR"}}]),
        item("tea", modifiers=["milk"]),
    ],
)
def test_items_that_cannot_be_ordered_are_left_out(odd: Any) -> None:
    found = book(row("1", item("pie"), odd, total=100))
    assert [each["plu"] for each in found.seen] == ["pie"]


def test_dishes_are_plain_ones_that_cost_something_those_with_accents_last() -> None:
    found = book(
        row("1", item("crème", 300), item("pie", 400), item("voucher", -500), item("water", 0)),
        row("2", item("tea", modifiers=[extra("milk")]), item("pie", 450)),
    )
    assert [each["plu"] for each in found.dishes] == ["pie", "crème"]


def test_what_the_user_names_comes_first() -> None:
    known = KnownData(items=({"plu": "soup", "name": "Soup", "amount": 500},))
    found = book(row("1", item("pie")), known=known)
    assert [each["plu"] for each in found.dishes] == ["soup", "pie"]
    assert found.known == {"soup", "pie"}


def test_where_nobody_orders_dishes_plain_they_are_taken_without_what_was_on_them() -> None:
    found = book(row("1", item("tea", 300, modifiers=[extra("milk")]), item("menu", subItems=[item("soup", 0)])))
    plain = [times(item("tea", 300), 1), times(item("menu"), 1)]
    assert found.dishes == found.venue.items == plain


def test_dishes_are_made_up_where_none_is_known() -> None:
    found = book()
    assert [each["plu"] for each in found.dishes] == ["CONFORMANCE-1", "CONFORMANCE-2", "CONFORMANCE-3"]
    assert found.known == frozenset()


def test_adorned_dishes_are_varied_and_the_richest_come_first() -> None:
    milk, sugar = extra("milk"), extra("sugar")
    found = book(
        row("1", item("tea", modifiers=[milk]), item("tea", modifiers=[milk, sugar]), item("cocoa", modifiers=[milk])),
        row("2", item("menu", subItems=[item("soup", 0, modifiers=[milk])])),
    )
    assert [(each["plu"], len(each["modifiers"])) for each in found.dressed] == [("tea", 2), ("cocoa", 1), ("tea", 1)]
    assert [each["plu"] for each in found.menus] == ["menu"]
    assert found.known == {"tea", "cocoa", "milk", "sugar", "menu", "soup"}


def test_orders_being_served_come_first_and_our_own_only_where_there_are_no_others() -> None:
    done, closed = row("1", payable=False), row("2", payable=False, status="Canceled")
    ours = row("4", displayName=f"{ordering.NAME} 1")
    assert [each["id"] for each in book(closed, done, row("3"), ours, {"id": "5"}).orders] == ["3", "1", "2"]
    assert [each["id"] for each in book(ours).orders] == ["4"]


# Bodies


def test_a_body_comes_to_what_its_items_do() -> None:
    found = book(row("1", item("pie", 300)), SearchTables=tables("t-1"))
    body = found.body([times(found.dishes[0], 3)], note="quick")
    assert body["totalAmount"] == gbp(900)
    assert body["details"] == seat("t-1")
    assert (body["note"], body["payments"], "taxLines" in body) == ("quick", [], False)
    other = found.body([found.dishes[0]], place={})
    assert other["details"]["dineIn"] == {}
    assert body["dojoOrderId"] != other["dojoOrderId"]
    assert body["displayName"] != other["displayName"]


def test_taxes_are_on_orders_where_the_venue_adds_them() -> None:
    line = {"id": "t-1", "name": "VAT", "amountPercentage": 2000}
    found = book(
        row("1", item("pie", 300) | {"quantity": 1}, total=360, taxLines=[{**line, "amountTotal": gbp(60)}]),
        row("2", item("tea", 200) | {"quantity": 1}, total=240, taxLines=[{**line, "amountTotal": gbp(40)}]),
    )
    body = found.body([found.dishes[0]])
    assert body["taxLines"] == [{"name": "VAT", "amountPercentage": 2000, "amountTotal": gbp(60)}]
    assert body["totalAmount"] == gbp(360)
    assert found.tax_line({"items": "pie"}) is None


def test_the_contracts_examples_have_the_taxes_that_the_venue_adds() -> None:
    line = {"name": "VAT", "amountTotal": gbp(60)}
    found = book(row("1", item("pie", 300) | {"quantity": 1}, total=360, taxLines=[line])).venue
    example = found.fill({"items": "{items}", "taxLines": "{taxLines}", "totalAmount": "{itemsTotal}"})
    assert (example["taxLines"], example["totalAmount"]) == ([{"name": "VAT", "amountTotal": gbp(120)}], gbp(720))
    assert book(row("1", item("pie", 300))).venue.fill(["{taxLines}", "{itemsTotal}"]) == [[], gbp(600)]


def test_no_tax_is_made_up() -> None:
    assert book().tax_line({"items": []}) is None


def test_copies_are_of_orders_that_fit_those_first_that_add_up_and_are_short() -> None:
    discount = {"name": "Regular", "amountTotal": gbp(50), "approvedBy": "anna"}
    tax = {"name": "VAT", "amountTotal": gbp(40)}
    found = book(
        row("1", item("pie", 300), item("tea", 200), total=1450, discounts=[discount], taxLines=[tax]),
        row("2", item("pie", 300) | {"quantity": 1}, total=330, serviceChargeAmount=gbp(30)),
        row("3", item("pie"), status="Canceled"),
        row("4", item("pie") | {"quantity": 100}),
        row("5", item("pie"), "tea", total=750),
        row("6", item("pie"), total=-750),
        row("7", item("pie"), total=1),
        row("8", item("pie"), discounts=["Regular"], taxLines="VAT", serviceChargeAmount=gbp(0)),
    )
    copies = list(found.copies(lambda order: order["id"] != "9", note="quick"))
    assert [money.total(each) for each in copies] == [330, 1450, 1, 750]
    assert copies[0]["serviceChargeAmount"] == gbp(30)
    assert copies[1]["discounts"] == [{"name": "Regular", "amountTotal": gbp(50)}]
    assert copies[1]["taxLines"] == [tax]
    assert not copies[3].keys() & {"discounts", "taxLines", "serviceChargeAmount"}
    assert {each["note"] for each in copies} == {"quick"}
    assert not list(found.copies(lambda order: order["id"] == "3"))


# Tables


def test_tables_without_orders_are_taken_in_turn() -> None:
    found = book(row("1", item("pie"), details=seat("t-1")), SearchTables=tables("t-1", "t-2", "t-3"))
    assert {found.table()["tableId"] for _ in range(4)} == {"t-2", "t-3"}


def test_where_all_tables_have_orders_any_will_do() -> None:
    found = book(row("1", item("pie"), details=seat("t-1")), SearchTables=tables("t-1"))
    assert found.table() == {"tableId": "t-1"}


def test_without_tables_an_order_is_nowhere() -> None:
    assert book().table() == {}
    assert book().elsewhere(book().body([])) is None


def test_an_order_is_tried_elsewhere_until_a_table_has_proved_good() -> None:
    found = book(row("1", item("pie")), SearchTables=tables("t-1", "t-2"))
    body = found.body([found.dishes[0]], place={"tableId": "t-1", "waiterId": "anna"})
    other = found.elsewhere(body)
    assert other is not None
    assert place(other) == {"tableId": "t-2", "waiterId": "anna"}
    assert other["dojoOrderId"] != body["dojoOrderId"]
    found.taken_at(other, body)
    assert found.elsewhere(other) is None
    assert found.tables == ["t-2"]
    again = found.elsewhere(body)
    assert again is not None
    assert place(again)["tableId"] == "t-2"


@pytest.mark.parametrize("details", [None, {"dineIn": None}, "here"])
def test_an_order_may_have_no_place(details: Any) -> None:
    assert place({"details": details}) == {}


def test_a_venue_is_looked_through_once() -> None:
    one = venue()
    assert ordering.of(one) is ordering.of(one)
    assert ordering.of(venue()) is not ordering.of(one)


def test_searches_that_fail_leave_a_venue_without_anything() -> None:
    found = Ordering(venue(offered=SEARCHES - {"SearchOrders", "SearchTables"}))
    assert (found.orders, found.menus, found.dressed, list(islice(found.copies(bool), 1))) == ([], [], [], [])
