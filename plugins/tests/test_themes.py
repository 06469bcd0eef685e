"""
Each kind of unusual body has values of its own, and gets its share of the bodies.
"""

from __future__ import annotations

import itertools

from collections.abc import Iterator
from typing import Any

import pytest

from epos_conformance import themes
from epos_conformance.themes import AS_IS, LEFT_OUT, THEMES, Choice, Theme


CHOICES = [(theme, kind, choice) for theme in THEMES for kind, choice in theme.choices.items()]

for_each_choice = pytest.mark.parametrize("chosen", CHOICES, ids=[f"{theme.name}-{kind}" for theme, kind, _ in CHOICES])


def values(choice: Choice) -> Iterator[Any]:
    """Everything that *choice* can become."""
    for bits in itertools.product((False, True), repeat=choice.bits):
        yield choice.pick(bits)


@for_each_choice
def test_without_a_bit_nothing_changes_and_with_all_of_them_something_does(chosen: tuple[Theme, str, Choice]) -> None:
    _, _, choice = chosen
    assert choice.pick([False] * choice.bits) is AS_IS
    assert choice.pick([True] * choice.bits) is not AS_IS


@for_each_choice
def test_values_are_of_the_type_that_their_kind_has(chosen: tuple[Theme, str, Choice]) -> None:
    _, kind, choice = chosen
    types = {"text": str, "mail": str, "status": str, "time": dict}
    for value in values(choice):
        assert value is AS_IS or isinstance(value, types.get(kind, int))


@for_each_choice
def test_texts_are_what_utf_8_can_hold_and_databases_too_where_they_have_to(chosen: tuple[Theme, str, Choice]) -> None:
    theme, _, choice = chosen
    for value in values(choice):
        if isinstance(value, str):
            assert value.encode().decode() == value
            assert not theme.kept or all(each.isprintable() or each.isspace() for each in value)


def test_amounts_are_what_every_language_can_hold() -> None:
    found = [value for _, kind, choice in CHOICES if kind == "amount" for value in values(choice) if value is not AS_IS]
    assert max(found) < 2**53


def test_nothing_is_longer_than_a_till_has_room_for() -> None:
    texts = [value for _, _, choice in CHOICES for value in values(choice) if isinstance(value, str)]
    assert {300, 1001, 5000} <= {len(each) for each in texts}
    assert max(map(len, texts)) == 5000


def test_a_member_is_left_out_half_of_the_time() -> None:
    assert list(values(LEFT_OUT)) == [AS_IS, None]


def test_themes_have_names_of_their_own() -> None:
    assert len({each.name for each in THEMES}) == len(THEMES)


# Shares


@pytest.mark.parametrize("number", [0, 1, 5, len(THEMES), 30, 200])
def test_every_body_belongs_to_a_theme(number: int) -> None:
    assert sum(themes.shares(number, THEMES)) == number


def test_where_there_are_few_bodies_the_first_themes_get_one_each() -> None:
    assert themes.shares(2, THEMES[:3]) == [1, 1, 0]


def test_where_there_are_many_they_are_shared_out_by_weight() -> None:
    found = themes.shares(10 * sum(each.weight for each in THEMES), THEMES)
    assert found == [10 * each.weight for each in THEMES]


def test_of_no_themes_there_are_no_shares() -> None:
    assert themes.shares(30, []) == []
