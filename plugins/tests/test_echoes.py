"""
What comes back is held against what was sent as strictly as the contract asks, and no stricter.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance import echoes
from epos_conformance.strategies import Leaf


NAME = Leaf(("name",), "text", True)
NOTES = Leaf(("hostNotes",), "text", True)
GUESTS = Leaf(("guestRequests",), "text", True)
START = Leaf(("startTime",), "time")
COVERS = Leaf(("covers",), "count", True)
DEPOSIT = Leaf(("deposit", "totalAmount"), "amount")
INTENTS = Leaf(("deposit", "paymentIntentIds"), "intents")
LINES = Leaf(("items",), "lines")
QUANTITY = Leaf(("items", 0, "quantity"), "quantity")
ITEM_NOTE = Leaf(("items", 0, "note"), "text", True)
MAIL = Leaf(("customer", "emailAddress"), "mail", True)


def pounds(value: Any, currency: str = "GBP") -> dict[str, Any]:
    return {"value": value, "currencyCode": currency}


def line(plu: str, quantity: Any, **more: Any) -> dict[str, Any]:
    return {"plu": plu, "quantity": quantity, **more}


def body(leaf: Leaf, value: Any) -> dict[str, Any]:
    """A body with *value* at *leaf*."""
    for step in reversed([each for each in leaf.path if isinstance(each, str)]):
        value = {step: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    ("leaf", "sent", "found"),
    [
        (NAME, "O'Neil 🍷", "O'Neil 🍷"),
        (NAME, " a\r\nb\u00a0 c ", "a b c"),
        (NAME, "e\u0301", "\u00e9"),
        (NAME, "", None),
        (NAME, "  ", None),
        (NAME, "", ""),
        (GUESTS, " nuts\n", " nuts\n"),
        (GUESTS, "a\r\nb", "a\nb"),
        (GUESTS, "", None),
        (NOTES, " a\r\nb ", "a\nb"),
        (NOTES, "e\u0301", "\u00e9"),
        (MAIL, "O'Neil@Example.com", "o'neil@example.com"),
        (START, "2026-06-01T12:00:00.001+05:30", "2026-06-01T06:30:00.001Z"),
        (START, "2026-06-01T12:00:00Z", "2026-06-01T12:00:00.000+00:00"),
        (COVERS, 128, 128),
        (COVERS, 128, 128.0),
        (DEPOSIT, pounds(29), pounds(29)),
        (INTENTS, ["a", "b"], ["b", "a"]),
        (INTENTS, [], None),
    ],
)
def test_the_same_comes_back(leaf: Leaf, sent: Any, found: Any) -> None:
    assert echoes.comes_back(leaf, body(leaf, sent), {} if found is None else body(leaf, found))


@pytest.mark.parametrize(
    ("leaf", "sent", "found"),
    [
        (NAME, "🍷", "?"),
        (NAME, "a", None),
        (NAME, "a", 1),
        (NAME, "aß", "aSS"),
        (NOTES, "a\nb", "a b"),
        (NOTES, "a\nb", "a"),
        (GUESTS, " nuts", "nuts"),
        (GUESTS, "e\u0301", "\u00e9"),
        (GUESTS, "a  b", "a b"),
        (GUESTS, "x" * 256, "x" * 255),
        (MAIL, "o'neil@example.com", "oneil@example.com"),
        (START, "2026-06-01T12:00:00.001+05:30", "2026-06-01T12:00:00.001Z"),
        (START, "2026-06-01T12:00:00.999Z", "2026-06-01T12:00:00Z"),
        (START, "2026-06-01T12:00:00.999Z", "2026-06-01T12:00:00.999"),
        (START, "2026-06-01T12:00:00.999Z", 0),
        (COVERS, 128, -128),
        (COVERS, 1, True),
        (COVERS, 1, "1"),
        (DEPOSIT, pounds(29), pounds(28)),
        (DEPOSIT, pounds(29), pounds(29, "EUR")),
        (DEPOSIT, pounds(29), pounds("29")),
        (DEPOSIT, pounds(29), 29),
        (INTENTS, ["a", "b"], ["a"]),
        (INTENTS, ["a", "b"], ["a", "b", "c"]),
        (INTENTS, ["a", "b"], "ab"),
    ],
)
def test_anything_else_does_not(leaf: Leaf, sent: Any, found: Any) -> None:
    assert not echoes.comes_back(leaf, body(leaf, sent), {} if found is None else body(leaf, found))


@pytest.mark.parametrize("found", [None, [], "an order", 7, {"deposit": None}, {"deposit": "5"}, {"items": [1]}])
@pytest.mark.parametrize("leaf", [NAME, START, COVERS, DEPOSIT, INTENTS, LINES, QUANTITY, ITEM_NOTE, MAIL])
def test_an_answer_of_any_shape_can_be_looked_at(leaf: Leaf, found: Any) -> None:
    sent = {
        "name": "a",
        "startTime": "2026-06-01T12:00:00Z",
        "covers": 1,
        "deposit": {"totalAmount": pounds(1), "paymentIntentIds": ["a"]},
        "items": [line("1", 1, note="a")],
        "customer": {"emailAddress": "a@example.com"},
    }
    assert not echoes.comes_back(leaf, sent, found)
    assert isinstance(echoes.told(leaf, found), str)
    assert echoes.hint(leaf, sent, found) is None


def test_what_was_not_sent_can_not_be_lost() -> None:
    assert echoes.comes_back(NAME, {}, {})
    assert echoes.comes_back(NAME, {}, {"name": "a name of the till's own"})


# Lines


@pytest.mark.parametrize(
    ("found", "same"),
    [
        ([line("1", 2), line("1", 2)], True),
        ([line("1", 4)], True),
        ([line("1", 1)] * 4, True),
        ([line("1", 4.0)], True),
        ([line("1", 2)], False),
        ([line("1", 2), line("2", 2)], False),
        ([line("1", "4")], False),
        ([line("1", True)] * 4, False),
        ([{"quantity": 4}], False),
        ([], False),
    ],
)
def test_lines_may_be_joined_or_split_but_not_lost(found: Any, same: bool) -> None:
    sent = {"items": [line("1", 2), line("1", 2)]}
    assert echoes.comes_back(LINES, sent, {"items": found}) is same
    assert echoes.comes_back(QUANTITY, sent, {"items": found}) is same


def test_the_note_of_a_line_is_found_in_any_of_them() -> None:
    sent = {"items": [line("1", 2, note="aé"), line("1", 2, note="b")]}
    assert echoes.comes_back(ITEM_NOTE, sent, {"items": [line("1", 2, note="b"), line("1", 2, note="aé ")]})
    assert not echoes.comes_back(ITEM_NOTE, sent, {"items": [line("1", 2, note="b"), line("1", 2, note="a?")]})


# Rules


@pytest.mark.parametrize(
    ("leaf", "rule"),
    [
        (NAME, "texts"),
        (MAIL, "texts"),
        (GUESTS, "guest-requests"),
        (START, "values"),
        (LINES, "values"),
        (INTENTS, "values"),
        (Leaf(("status",), "status"), None),
    ],
)
def test_what_is_kept_falls_under_the_rule_about_its_kind(leaf: Leaf, rule: str | None) -> None:
    assert echoes.rule_of(leaf) == rule


# Telling


@pytest.mark.parametrize(
    ("leaf", "value", "told"),
    [
        (NAME, "a\n'", '"a\\n\'"'),
        (NAME, "", '""'),
        (NAME, "x" * 30 + "y" * 250, f'"{"x" * 30}" … "{"y" * 20}" (280 characters)'),
        (DEPOSIT, pounds(1150), "1150 (£11.50)"),
        (COVERS, 128, "128"),
        (START, "2026-06-01T12:00:00Z", '"2026-06-01T12:00:00Z"'),
        (LINES, [line("1", 2), line("1", 3), line("2", 1)], "5 of '1', 1 of '2' in 3 lines"),
        (LINES, [{}], "items without a plu or a quantity in 1 line"),
        (LINES, [], "none in 0 lines"),
    ],
)
def test_values_are_told_in_a_line(leaf: Leaf, value: Any, told: str) -> None:
    assert echoes.told(leaf, body(leaf, value)) == told


def test_the_notes_of_lines_are_told_together() -> None:
    assert echoes.told(ITEM_NOTE, {"items": [line("1", 1, note="a")]}) == '"a"'
    assert echoes.told(ITEM_NOTE, {"items": [line("1", 1, note="a"), line("1", 1)]}) == '["a", null]'
    assert echoes.told(NAME, {}) == "nothing there"


@pytest.mark.parametrize(
    ("leaf", "sent", "found", "hint"),
    [
        (NAME, " a", "a", "trimmed"),
        (NAME, "x" * 256, "x" * 255, "cut"),
        (NAME, "aB", "AB", "upper and lower case"),
        (NAME, "a'", "a&#x27;", "escaped for HTML"),
        (NAME, "&amp;", "&", "read as such"),
        (NAME, "é", "Ã©", "another encoding"),
        (NAME, "a漢", "a?", "outside ASCII"),
        (NAME, "a", "b", None),
        (START, "2026-06-01T12:00:00.001+05:30", "2026-06-01T12:00:00.001Z", "offset"),
        (START, "2026-06-01T12:00:00.999Z", "2026-06-01T12:00:00Z", "milliseconds seem to be dropped"),
        (START, "2026-06-01T12:00:00.999Z", "2026-06-01T12:00:00.997Z", "milliseconds seem to be rounded"),
        (START, "2026-06-01T12:00:00Z", "2026-06-01T12:00:00", "no offset"),
        (START, "2026-06-01T12:00:00Z", "2026-06-02T12:00:00Z", None),
        (DEPOSIT, pounds(29), pounds(28), "floating point, where 0.29 * 100 is 28.9"),
        (DEPOSIT, pounds(2**31 + 1), pounds(-(2**31) + 1), "32 bits"),
        (DEPOSIT, pounds(16777219), pounds(16777218), "too few digits"),
        (COVERS, 128, -128, "8 bits"),
        (COVERS, 1000, 255, "8 bits"),
        (COVERS, 1000, 999, None),
        (LINES, [line("1", 1)] * 60, [line("1", 1)] * 50, "after line 50"),
        (LINES, [line("1", 300)], [line("1", 44)], "8 bits"),
    ],
)
def test_the_cause_is_guessed_where_it_can_be(leaf: Leaf, sent: Any, found: Any, hint: str | None) -> None:
    guessed = echoes.hint(leaf, body(leaf, sent), body(leaf, found))
    assert guessed is None if hint is None else guessed is not None and hint in guessed
