"""
Unusual bodies are valid, keep what a till knows by heart, and can be made smaller.
"""

from __future__ import annotations

import copy

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from epos_conformance import _contracts, depth, schema, strategies
from epos_conformance._contracts import Capability
from epos_conformance.strategies import Leaf, Variation
from epos_conformance.themes import PLAIN_SPELLING, THEMES, Theme

from . import examples


KEEPERS = ("CreateOrder", "CreateParty", "UpdateParty", "CreateReservation", "UpdateReservation")

for_each_keeper = pytest.mark.parametrize("name", KEEPERS)
for_each_theme = pytest.mark.parametrize("theme", THEMES, ids=lambda each: each.name)


def of(name: str) -> tuple[Capability, dict[str, Any], list[Leaf]]:
    """A capability, a usual body of it, and what may vary there."""
    capability = _contracts.capabilities()[name]
    assert capability.request is not None
    body = examples.venue().fill(capability.examples[-1].request)
    return capability, body, strategies.leaves(capability.request, body)


def drawn(theme: Theme, leaves: list[Leaf], number: int = 12) -> list[Variation]:
    """Some variations of *theme*."""
    found: list[Variation] = []
    strategy = strategies.variations(theme, leaves)
    if strategy is not None:
        depth._hypothesize(strategy, found.append, "a seed", number)
    return found


# What may vary


def test_what_guests_and_hosts_write_varies_and_what_a_till_knows_does_not() -> None:
    _, _, leaves = of("CreateOrder")
    assert {each.where: each.kind for each in leaves} == {
        "$.items": "lines",
        "$.items[0].quantity": "quantity",
        "$.note": "text",
        "$.customer.emailAddress": "mail",
        "$.customer.name": "text",
        "$.totalAmount": "total",
        "$.serviceChargeAmount": "amount",
        "$.reference": "text",
        "$.displayName": "text",
    }


def test_times_covers_and_deposits_vary_and_tables_and_ids_do_not() -> None:
    _, _, leaves = of("CreateParty")
    assert {each.where: each.kind for each in leaves} == {
        "$.name": "text",
        "$.covers": "count",
        "$.status": "status",
        "$.startTime": "time",
        "$.expectedEndTime": "time",
        "$.hostNotes": "text",
        "$.guestRequests": "text",
        "$.deposit.totalAmount": "amount",
        "$.deposit.description": "text",
        "$.deposit.paymentIntentIds": "intents",
    }
    assert {each.where for each in leaves if not each.optional} == {
        "$.startTime",
        "$.deposit.totalAmount",
        "$.deposit.paymentIntentIds",
    }


def test_a_text_that_the_contract_bounds_keeps_to_that() -> None:
    request = {"type": "object", "properties": {"label": {"type": "string", "maxLength": 40}}}
    leaves = strategies.leaves(request, {"label": "short"})
    long = next(each for each in THEMES if each.name == "long")
    assert leaves == [Leaf(("label",), "text", True, 40)]
    assert {len(each["$.label"]) for each in drawn(long, leaves) if each} == {40}


def test_a_new_member_of_a_contract_varies_by_being_there() -> None:
    request = {
        "type": "object",
        "required": ["seats"],
        "properties": {
            "allergies": {"type": "array", "items": {"type": "object", "properties": {"what": {"type": "string"}}}},
            "seats": {"type": "integer"},
            "tables": {"type": "array", "items": {"type": "string"}},
            "kind": {"type": "string", "enum": ["Lunch", "Dinner"]},
            "inside": {"type": "boolean"},
        },
    }
    body = {"allergies": [{"what": "nuts"}], "seats": 2, "tables": ["1"], "kind": "Lunch", "inside": True}
    found = {each.where: each.kind for each in strategies.leaves(request, body)}
    assert found == {"$.allergies[0].what": "text", "$.seats": "count"}
    assert strategies.leaves(request, {"allergies": [], "seats": 2})[0].where == "$.seats"


# Bodies


@for_each_keeper
@for_each_theme
def test_unusual_bodies_satisfy_the_contract(name: str, theme: Theme) -> None:
    capability, body, leaves = of(name)
    before = copy.deepcopy(body)
    for variation in drawn(theme, leaves):
        made = strategies.applied(body, leaves, variation)
        assert capability.request is not None
        assert schema.problems(capability.request, made) == [], variation
    assert body == before


@for_each_keeper
def test_nothing_varies_but_what_is_said_to(name: str) -> None:
    _, body, leaves = of(name)
    for theme in THEMES:
        for variation in drawn(theme, leaves, 3):
            made = strategies.applied(body, leaves, variation)
            assert variation.keys() <= {each.where for each in leaves}
            for each in body.keys() - {"totalAmount"}:
                varies = any(where.startswith(f"$.{each}") for where in variation)
                assert varies or made[each] == body[each]


@for_each_theme
def test_the_total_of_an_order_follows(theme: Theme) -> None:
    _, body, leaves = of("CreateOrder")
    for variation in drawn(theme, leaves):
        made = strategies.applied(body, leaves, variation)
        assert made["totalAmount"]["value"] == strategies.worth(made)


def test_more_lines_are_like_the_first_as_it_was() -> None:
    _, body, leaves = of("CreateOrder")
    made = strategies.applied(body, leaves, {"$.items": 3, "$.items[0].quantity": 7})
    assert [each["quantity"] for each in made["items"]] == [7, 2, 2]
    assert made["totalAmount"]["value"] == 11 * body["items"][0]["amountPerItem"]["value"]


def test_what_is_left_out_is_not_there() -> None:
    _, body, leaves = of("CreateReservation")
    assert "hostNotes" not in strategies.applied(body, leaves, {"$.hostNotes": None})


def test_a_theme_with_nothing_to_vary_has_no_variations() -> None:
    _, _, leaves = of("CreateReservation")
    lines = next(each for each in THEMES if each.name == "lines")
    assert strategies.variations(lines, leaves) is None


# Times


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+05:30", "-11:00", "+14:00"])
@pytest.mark.parametrize(("milliseconds", "digits"), [(None, 3), (1, 3), (999, 7), (0, 0), (500, 6), (None, 0)])
def test_a_time_spelt_another_way_is_the_same_instant(offset: str, milliseconds: int | None, digits: int) -> None:
    spelling = {"offset": offset, "milliseconds": milliseconds, "digits": digits}
    text = strategies.respelt("2026-06-01T12:30:00.250Z", spelling)
    expected = datetime.fromisoformat("2026-06-01T12:30:00.250Z")
    if milliseconds is not None:
        expected = expected.replace(microsecond=1000 * milliseconds)
    assert datetime.fromisoformat(text) - expected == timedelta(0)
    assert text.endswith(offset)
    assert schema.is_valid({"type": "string", "format": "date-time"}, text)


def test_a_fraction_is_left_out_only_where_there_is_none() -> None:
    spelling = {"offset": "Z", "milliseconds": None, "digits": 0}
    assert strategies.respelt("2026-06-01T12:30:00.000Z", spelling) == "2026-06-01T12:30:00Z"
    assert strategies.respelt("2026-06-01T12:30:00.250Z", spelling) == "2026-06-01T12:30:00.250Z"


# Smaller


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a'b", ["a", "'", "b"]),
        ("&amp;<b>%s{0}", ["&amp;", "<b>", "%s", "{0}"]),
        ("e\u0301🇬🇧👍🏽", ["e\u0301", "🇬🇧", "👍🏽"]),
        ("a\r\n\nb", ["a", "\r\n", "\n", "b"]),
        ("", []),
    ],
)
def test_a_text_falls_into_parts_that_mean_something(text: str, parts: list[str]) -> None:
    assert strategies.parts(text) == parts


def lessened(value: Any, usual: int | None, shows: Callable[[Any], bool]) -> Any:
    """The least unusual value that *shows*."""
    seen = [value]

    def remembering(value: Any) -> bool:
        if shows(value):
            seen.append(value)
            return True
        return False

    strategies.lessen(value, usual, remembering)
    return min(seen, key=lambda each: strategies.size({"": each}))


@pytest.mark.parametrize(
    ("value", "usual", "shows", "least"),
    [
        ("x" * 5000, None, lambda text: len(text) > 255, 256),
        ("x" * 5000, None, lambda text: len(text) > 4999, 5000),
        ("aé'漢", None, lambda text: "é" in text, "é"),
        ("a&amp;b", None, lambda text: "&amp;" in text, "&amp;"),
        ("ab", None, lambda _: True, ""),
        (100000, 2, lambda number: number > 127, 128),
        (1, 2, lambda number: number < 2, 1),
        (
            {"offset": "+05:30", "milliseconds": 999, "digits": 7},
            None,
            lambda each: each["offset"] == "+05:30",
            {**PLAIN_SPELLING, "offset": "+05:30"},
        ),
        (True, None, lambda _: True, True),
    ],
)
def test_a_value_is_made_as_usual_as_still_shows(
    value: Any, usual: int | None, shows: Callable[[Any], bool], least: Any
) -> None:
    found = lessened(value, usual, shows)
    assert (len(found) if isinstance(least, int) and isinstance(found, str) else found) == least


def sizes() -> Iterator[Variation]:
    """From small to large."""
    yield {}
    yield {"$.hostNotes": None}
    yield {"$.name": "a"}
    yield {"$.name": "b"}
    yield {"$.name": "aa"}
    yield {"$.covers": 128}
    yield {"$.name": "", "$.hostNotes": ""}


def test_fewer_members_are_smaller_than_more_and_short_ones_than_long_ones() -> None:
    assert [strategies.size(each) for each in sizes()] == sorted(strategies.size(each) for each in sizes())


def test_the_same_variations_have_the_same_key() -> None:
    assert strategies.key({"a": 1, "b": None}) == strategies.key({"b": None, "a": 1})
    assert strategies.key({"a": 1}) != strategies.key({"a": "1"})
