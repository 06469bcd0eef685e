"""
Faulty bodies have the one fault they are named after, wherever in the body it is.
"""

from __future__ import annotations

import re
import uuid

from collections.abc import Iterator
from typing import Any

import pytest

from epos_conformance import _contracts, bodies, schema
from epos_conformance._contracts import Capability
from epos_conformance.bodies import Fault, Maker

from . import examples


REQUESTS = [pytest.param(*each, id=each[0].name) for each in examples.full_requests()]

for_each_request = pytest.mark.parametrize(("capability", "body"), REQUESTS)
for_each_maker = pytest.mark.parametrize(
    "make", [bodies.missing, bodies.wrong_types, bodies.coercible], ids=lambda each: each.__name__
)


def places(found: Any, value: Any) -> set[str]:
    """Where *value* breaks the schema *found*; what lacks a member is named by that member."""
    return {
        f"{each.json_path}.{name}" if (name := _lacking(each)) else each.json_path
        for each in schema._explainer(schema._text(found)).iter_errors(value)
    }


def _lacking(error: Any) -> str | None:
    return str(error.message).split("'")[1] if error.validator == "required" else None


def faults(name: str, *makers: Maker) -> Iterator[Fault]:
    capability = _contracts.capabilities()[name]
    assert capability.request is not None
    for make in makers:
        yield from make(capability.request, examples.venue().fill(capability.examples[-1].request))


# Faults


@for_each_request
@for_each_maker
def test_a_faulty_body_breaks_its_schema_in_the_one_place_it_names(
    capability: Capability, body: dict[str, Any], make: Maker
) -> None:
    assert capability.request is not None
    for fault in make(capability.request, body):
        assert places(capability.request, fault.body) == {fault.where}, str(fault)


@for_each_request
@for_each_maker
def test_both_libraries_refuse_a_faulty_body(capability: Capability, body: dict[str, Any], make: Maker) -> None:
    assert capability.request is not None
    for fault in make(capability.request, body):
        assert not schema.is_valid(capability.request, fault.body), str(fault)


@for_each_request
@for_each_maker
def test_faults_differ(capability: Capability, body: dict[str, Any], make: Maker) -> None:
    assert capability.request is not None
    told = [str(fault) for fault in make(capability.request, body)]
    assert len(set(told)) == len(told)


@for_each_request
@for_each_maker
def test_the_body_that_was_given_stays_as_it_is(capability: Capability, body: dict[str, Any], make: Maker) -> None:
    assert capability.request is not None
    before = repr(body)
    list(make(capability.request, body))
    assert repr(body) == before


@for_each_request
def test_each_required_member_is_missing_once_and_null_once(capability: Capability, body: dict[str, Any]) -> None:
    assert capability.request is not None
    told = {str(fault) for fault in bodies.missing(capability.request, body)}
    for name, required in capability.members.items():
        assert (f"$.{name} is missing" in told) is required
        assert (f"$.{name} is null" in told) is required


@for_each_request
def test_each_member_has_a_wrong_type_once(capability: Capability, body: dict[str, Any]) -> None:
    assert capability.request is not None
    found = [fault.where for fault in bodies.wrong_types(capability.request, body)]
    open_ones = {"$.deposit"}  # nothing published says that it is an object
    assert {f"$.{name}" for name in capability.members} - open_ones <= set(found)
    assert not open_ones & set(found)


@pytest.mark.parametrize(
    "fault",
    [
        "$.items[0].amountPerItem.currencyCode is missing",
        "$.items[0].amountPerItem.value is null",
        "$.details.orderType is missing",
        "$.items[0].quantity is a word instead of an integer",
        "$.items[0].quantity is a text of digits instead of an integer",
        "$.totalAmount.value is a fraction instead of an integer",
        "$.details.dineIn.tableId is an object instead of a text",
    ],
)
def test_faults_reach_into_what_an_order_holds(fault: str) -> None:
    assert fault in map(str, faults("CreateOrder", bodies.missing, bodies.wrong_types, bodies.coercible))


@pytest.mark.parametrize(
    "fault",
    [
        "$.items[0].modifiers[0].quantity is missing",
        "$.items[0].subItems[0].modifiers[0].amountPerModifier.value is missing",
        "$.payments[0].paidAmount is missing",
        "$.discounts[0].name is missing",
        "$.details.collection.asap is a word instead of a boolean",
    ],
)
def test_faults_reach_into_optional_members_that_the_body_lacks(fault: str) -> None:
    assert fault in map(str, faults("CreateOrder", bodies.missing, bodies.wrong_types))


def test_the_fault_is_in_the_body() -> None:
    found = {str(fault): fault.body for fault in faults("CreateOrder", bodies.missing, bodies.coercible)}
    assert "currencyCode" not in found["$.items[0].amountPerItem.currencyCode is missing"]["items"][0]["amountPerItem"]
    assert found["$.dojoOrderId is null"]["dojoOrderId"] is None
    assert found["$.items[0].quantity is a text of digits instead of an integer"]["items"][0]["quantity"] == "12"


def test_a_search_lacks_nothing() -> None:
    assert not list(faults("SearchOrders", bodies.missing))


def test_a_schema_that_contains_itself_comes_to_an_end() -> None:
    node: dict[str, Any] = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    node["properties"]["child"] = node
    found = list(bodies.missing(node, {"name": "root"}))
    assert "$.child.child.name is missing" in map(str, found)
    assert len(found) < 100


# Samples


def shapes() -> Iterator[Any]:
    for document in schema._shapes().values():
        for name in document["$defs"]:
            yield pytest.param({"$ref": f"{document['$id']}#/$defs/{name}"}, id=name)


@pytest.mark.parametrize("shape", list(shapes()))
def test_a_sample_satisfies_its_schema(shape: dict[str, Any]) -> None:
    assert not schema.problems(shape, bodies.sample(shape))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"type": "string"}, "conformance"),
        ({"enum": ["b", "a"]}, "b"),
        ({"type": "string", "examples": ["GBP"]}, "GBP"),
        ({"type": "integer", "minimum": 1}, 1),
        ({"type": "integer", "minimum": -5}, 0),
        ({"type": "boolean"}, False),
        ({"type": "array", "minItems": 2, "items": {"type": "string"}}, ["conformance", "conformance"]),
        ({"required": ["a"], "properties": {"a": {"type": "number"}, "b": {}}}, {"a": 0}),
        ({}, None),
    ],
)
def test_a_sample_is_as_plain_as_can_be(found: dict[str, Any], expected: Any) -> None:
    assert bodies.sample(found) == expected


# Ids


def test_an_id_is_a_uuid_where_none_is_known() -> None:
    assert uuid.UUID(bodies.unlike([])).version == 4


def test_an_id_is_a_uuid_where_those_are() -> None:
    known = str(uuid.uuid4())
    assert bodies.unlike([known]) != known
    assert uuid.UUID(bodies.unlike([known])).version == 4


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("17", r"9\d{8}"),
        ("1234567890", r"9\d{9}"),
        ("ORD-2026-000017", r"[A-Z]{3}-\d{4}-\d{6}"),
        ("ord:ab/7", r"[a-z]{3}:[a-z]{2}/\d+"),
        ("tisch é 3", r"[a-z]{5} é \d+"),
        ("a", r"[a-z]{9}"),
        ("???", r"\?{3}\d{9}"),
    ],
)
def test_an_id_is_written_like_those_that_are_known(model: str, shape: str) -> None:
    for _ in range(50):
        found = bodies.unlike([model])
        assert found != model
        assert re.fullmatch(shape, found), found


def test_no_known_id_is_met() -> None:
    found = {bodies.unlike(["AA-1"]) for _ in range(200)}
    assert len(found) == 200
