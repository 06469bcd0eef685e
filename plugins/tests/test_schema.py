"""
Values are held to the contracts' schemas by two libraries with one verdict, and faults are told in words for people.
"""

from __future__ import annotations

import itertools
import json

from collections.abc import Iterator
from typing import Any

import pytest

from epos_conformance import _contracts, bodies, schema
from epos_conformance.schema import Problem

from . import examples


DATE_TIME = {"type": "string", "format": "date-time"}
MONEY = {"$ref": "urn:epos:common#/$defs/Money"}
DETAILS = {"$ref": "urn:epos:orders#/$defs/OrderDetails"}


def explained(found: Any, value: Any) -> bool:
    """Whether the library that explains finds *value* valid."""
    return schema._explainer(schema._text(found)).is_valid(value)


def schemas() -> Iterator[tuple[str, Any, Any]]:
    """Every schema of the contracts, with its name and a value that satisfies it."""
    for capability, body in examples.full_requests():
        yield f"{capability.name}-request", capability.request, body
    for each in _contracts.capabilities().values():
        for transport, found in each.response.items():
            if isinstance(found, dict):
                plain = found["anyOf"][0] if "anyOf" in found else found
                yield f"{each.name}-{transport}", found, bodies.sample(plain)


for_each_schema = pytest.mark.parametrize(
    ("found", "value"), [pytest.param(found, value, id=name) for name, found, value in schemas()]
)


# Deciding


@for_each_schema
def test_both_libraries_accept_a_valid_value(found: Any, value: Any) -> None:
    assert schema.is_valid(found, value)
    assert explained(found, value)
    assert schema.problems(found, value) == []


@for_each_schema
def test_both_libraries_agree_on_faulty_values(found: Any, value: Any) -> None:
    makers = (bodies.missing, bodies.wrong_types, bodies.coercible)
    faulty = [fault.body for make in makers for fault in make(found, value)] if isinstance(value, dict) else []
    for each in (*faulty, None, [], {}, "text", 12, 1.5, True):
        assert schema.is_valid(found, each) == explained(found, each), each


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01T12:00:00Z",
        "2026-06-01T12:00:00.000Z",
        "2026-06-01T12:00:00.1234567Z",
        "2026-06-01T12:00:00+00:00",
        "2026-06-01T14:00:00.5-02:00",
        "2024-02-29T00:00:00Z",
    ],
)
def test_instants_are_date_times(text: str) -> None:
    assert schema.is_valid(DATE_TIME, text)
    assert explained(DATE_TIME, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-13-99",
        "2026-06-01",
        "2026-06-01T12:00:00",
        "2026-06-01T12:00Z",
        "2026-06-01 12:00",
        "2026-13-01T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2026-06-01T25:00:00Z",
        "2026-06-01T12:00:00+0000",
        "01/06/2026 12:00",
        "1780315200",
    ],
)
def test_other_texts_are_no_date_times(text: str) -> None:
    assert not schema.is_valid(DATE_TIME, text)
    assert not explained(DATE_TIME, text)


def test_where_the_libraries_disagree_the_one_that_decides_is_right() -> None:
    leap_second = "2026-06-30T23:59:60Z"
    assert schema.is_valid(DATE_TIME, leap_second) != explained(DATE_TIME, leap_second)
    assert schema.problems(DATE_TIME, leap_second) == []


@pytest.mark.parametrize("value", [0, -1, 2**63 - 1, -(2**63)])
def test_amounts_fit_into_64_bits(value: int) -> None:
    assert schema.is_valid(MONEY, {"value": value, "currencyCode": "GBP"})


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30, 10**400, 12.5, "12", True, None, float("nan")])
def test_other_amounts_are_none(value: Any) -> None:
    money = {"value": value, "currencyCode": "GBP"}
    assert not schema.is_valid(MONEY, money)
    assert not explained(MONEY, money)
    assert schema.problems(MONEY, money)


def test_true_allows_everything() -> None:
    assert schema.is_valid(True, object.__name__)
    assert schema.problems(True, None) == []


def test_half_a_character_is_held_to_the_schema_like_any_text() -> None:
    half = json.loads(r'"\ud800"')
    assert schema.is_valid({"type": "string"}, half)
    assert schema.is_valid({"type": "object"}, {half: half})
    assert not schema.is_valid(DATE_TIME, half)
    assert schema.problems({"enum": ["DineIn"]}, half) == [Problem("$", r"'\ud800' is not one of ['DineIn']")]


def test_a_value_as_deep_as_a_parser_takes_it_is_decided() -> None:
    deep = json.loads("[" * 900 + "]" * 900)
    assert schema.is_valid({"type": "array"}, deep)


def test_a_schema_is_told_from_another_at_the_same_address() -> None:
    for kind, value in itertools.islice(itertools.cycle([("string", "a"), ("integer", 1)]), 200):
        assert schema.is_valid({"type": kind}, value)


# Explaining


def test_a_problem_says_where_it_is_and_what_was_seen() -> None:
    order = bodies.sample({"$ref": "urn:epos:orders#/$defs/Order"})
    order["items"] = [{"name": "Tea", "plu": "TEA", "quantity": "two", "amountPerItem": {"value": 1}}]
    found = schema.problems({"$ref": "urn:epos:orders#/$defs/Order"}, order)
    assert Problem("$.items[0].quantity", "'two' is not of type 'integer'") in found
    assert Problem("$.items[0].amountPerItem", "'currencyCode' is a required property") in found


def test_missing_alternatives_are_named() -> None:
    assert schema.problems(DETAILS, {"orderType": "DineIn"}) == [
        Problem("$", "has none of the members 'dineIn', 'collection'")
    ]


def test_of_several_shapes_the_nearest_miss_is_told() -> None:
    found = _contracts.capabilities()["SearchTables"].response["rest"]
    (problem,) = schema.problems(found, {"data": [{"id": "t", "name": 7}]})
    assert problem.where == "$.data[0].name"
    assert problem.message == (
        "fits none of the shapes allowed here; the nearest miss is at $.data[0].name: 7 is not of type 'string'"
    )


def test_a_value_with_a_thousand_faults_is_told_by_the_first_few() -> None:
    assert len(schema.problems({"items": {"type": "string"}}, list(range(1000)))) == schema.MOST_PROBLEMS


def test_a_huge_value_is_told_in_part() -> None:
    (problem,) = schema.problems({"type": "integer"}, "x" * 10_000)
    assert len(problem.message) <= 200
    assert problem.message.endswith("is not of type 'integer'")


@pytest.mark.parametrize(
    ("text", "expected"), [("abc", "abc"), ("a" * 20, "a" * 20), ("a" * 15 + "b" * 15, "aaaaaaa ... bbbbbbb")]
)
def test_a_long_text_loses_its_middle(text: str, expected: str) -> None:
    assert schema.shorten(text, 20) == expected


# References


def test_a_reference_is_followed_into_its_document() -> None:
    found, base = schema.resolve({"$ref": "urn:epos:orders#/$defs/Payment"})
    assert found["required"] == ["paidAmount"]
    assert base is not None
    assert base["$id"] == "urn:epos:orders"


def test_a_local_reference_is_followed_in_the_document_it_stands_in() -> None:
    _, base = schema.resolve({"$ref": "urn:epos:orders#/$defs/Order"})
    found, _ = schema.resolve({"$ref": "#/$defs/OrderStatus"}, base)
    assert "Finalized" in found["enum"]


def test_what_refers_to_nothing_is_itself() -> None:
    assert schema.resolve({"type": "string"}) == ({"type": "string"}, None)
