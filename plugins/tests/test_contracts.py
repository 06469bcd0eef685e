"""
The contract files keep their own contract, and say what the published pages say.
"""

from __future__ import annotations

import json
import re

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from epos_conformance import _contracts, _rules, _suite, schema
from epos_conformance._contracts import Capability, Example
from epos_conformance.venue import PLACEHOLDERS

from . import examples


PATHS = sorted(path for path in _contracts.CONTRACTS.glob("*.json") if not path.name.endswith(".schema.json"))
SHAPES = sorted((_contracts.CONTRACTS / "shapes").glob("*.json"))

#: Formats that are really checked; any other one would be passed over in silence.
FORMATS = {"date-time"}

for_each_file = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
for_each_capability = pytest.mark.parametrize(
    "capability", _contracts.capabilities().values(), ids=lambda each: each.name
)
for_each_example = pytest.mark.parametrize(
    ("capability", "example"),
    [pytest.param(*each, id=f"{each[0].name}-{each[1].title}") for each in examples.every_example()],
)


def walk(value: Any, where: str = "$") -> Iterator[tuple[str, Any]]:
    """*value* and everything in it, each with its place."""
    yield where, value
    if isinstance(value, dict):
        for name, each in value.items():
            yield from walk(each, f"{where}.{name}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from walk(each, f"{where}[{index}]")


def schemas_of(capability: Capability) -> list[Any]:
    found = [capability.response["rest"], capability.response["ws"]]
    return found if capability.request is None else [capability.request, *found]


# Files


@for_each_file
def test_a_contract_has_the_form_of_contracts(path: Path) -> None:
    shape = _suite.read_json(_contracts.CONTRACTS / "contract.schema.json")
    jsonschema.Draft202012Validator(shape).validate(_suite.read_json(path))


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "searchOrders"},
        {"nickname": "Search"},
        {"rest": {"method": "FETCH", "path": "/v1/orders"}},
        {"rest": {"method": "GET", "path": "v1/orders"}},
        {"ids": {"orderId": {"kind": "any-order"}}},
        {"products": {"pay-at-table": "maybe"}},
        {"request": {"type": "objekt", "properties": {}}},
        {"response": {"rest": {"type": "object"}}},
        {"examples": []},
        {"sources": ["rest-spec"]},
    ],
    ids=json.dumps,
)
def test_a_file_of_another_form_is_no_contract(broken: dict[str, Any]) -> None:
    shape = _suite.read_json(_contracts.CONTRACTS / "contract.schema.json")
    document = {**_suite.read_json(_contracts.CONTRACTS / "SearchOrders.json"), **broken}
    assert not jsonschema.Draft202012Validator(shape).is_valid(document)


@for_each_file
def test_a_file_is_named_like_its_capability(path: Path) -> None:
    assert _suite.read_json(path)["name"] == path.stem


def test_every_published_capability_has_a_contract() -> None:
    assert len(_contracts.capabilities()) == len(PATHS) == 22


def test_every_published_name_can_be_registered() -> None:
    registered = [name for each in _contracts.capabilities().values() for name in each.registered]
    assert len(set(registered)) == len(registered) == 23


def test_no_contract_says_should_or_must() -> None:
    for path in (*PATHS, *SHAPES, _suite.FIXTURES / "products.json"):
        for where, value in walk(_suite.read_json(path)):
            assert not (isinstance(value, str) and re.search(r"\b(should|must)\b", value, re.I)), f"{path.name} {where}"


@for_each_capability
def test_sources_are_known(capability: Capability) -> None:
    assert {source.partition(": ")[0] for source in capability.sources} <= set(_rules.sources())


# Names and addresses


def test_a_legacy_name_means_the_capability_of_today() -> None:
    legacy = {name: each.name for each in _contracts.capabilities().values() for name in each.legacy}
    assert legacy == {
        "GetOrderBill": "GetOrderBillById",
        "RecordOrderPayment": "RecordOrderPaymentById",
        "UpdatePartyById": "UpdateParty",
        "UpdateReservationById": "UpdateReservation",
    }
    assert legacy.items() <= _contracts.names().items()


def test_both_events_mean_the_capability_that_handles_them() -> None:
    for event in ("created", "status_updated"):
        assert _contracts.names()[f"HandleEvent:payment_intent.{event}"] == "HandleEvent"


def test_previews_are_no_capabilities() -> None:
    assert not _contracts.PREVIEW & set(_contracts.names())


def test_methods_over_websocket_differ() -> None:
    assert len({each.ws_method for each in _contracts.capabilities().values()}) == 22


def test_addresses_over_rest_differ() -> None:
    assert len({(each.http_method, each.path) for each in _contracts.capabilities().values()}) == 22


@for_each_capability
def test_the_method_over_websocket_is_the_name_and_the_version(capability: Capability) -> None:
    assert capability.ws_method == f"{capability.name}V1"


@for_each_capability
def test_the_ids_are_those_of_the_path(capability: Capability) -> None:
    assert [each.name for each in capability.ids] == re.findall(r"\{(\w+)\}", capability.path)


@for_each_capability
def test_only_the_verbs_that_change_something_are_said_to(capability: Capability) -> None:
    reads = capability.http_method == "GET" or capability.path.endswith("/search")
    assert capability.changes is not reads


def test_ids_are_percent_encoded_into_the_path() -> None:
    capability = _contracts.capabilities()["DeleteOrderLock"]
    path = capability.url_path({"orderId": "tisch 7/ü:?#", "lockId": "a%2F"})
    assert path == "/v1/orders/tisch%207%2F%C3%BC%3A%3F%23/locks/a%252F"


@pytest.mark.parametrize("place", ["{orderId}", "{orderID}", "{ORDERID}"])
def test_a_template_may_spell_the_id_in_any_case(place: str) -> None:
    capability = _contracts.capabilities()["GetOrderById"]
    found = capability.url_path({"orderId": "a/b"}, f"https://till.example/orders/{place}?full=1")
    assert found == "https://till.example/orders/a%2Fb?full=1"


# Schemas


@for_each_capability
def test_the_schemas_are_json_schema(capability: Capability) -> None:
    for each in schemas_of(capability):
        jsonschema.Draft202012Validator.check_schema(each)


@pytest.mark.parametrize("path", SHAPES, ids=lambda path: path.stem)
def test_the_shapes_are_json_schema(path: Path) -> None:
    document = _suite.read_json(path)
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["$id"] == f"urn:epos:{path.stem}"


def test_every_reference_leads_somewhere() -> None:
    documents = [(_suite.read_json(path), None) for path in PATHS]
    documents += [(document, document) for document in map(_suite.read_json, SHAPES)]
    for document, base in documents:
        for where, value in walk(document):
            if isinstance(value, dict) and isinstance(value.get("$ref"), str):
                found, _ = schema.resolve(value, base)
                assert found, where


def test_every_shape_is_used() -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (*PATHS, *SHAPES))
    for path in SHAPES:
        for name in _suite.read_json(path)["$defs"]:
            if name not in ("EPOSError", "EventType"):  # answers of no capability; named by rules
                assert f'#/$defs/{name}"' in texts, f"{path.name} {name}"


def test_only_formats_that_are_checked_are_asked_for() -> None:
    for path in (*PATHS, *SHAPES):
        for where, value in walk(_suite.read_json(path)):
            if where.endswith(".format") and isinstance(value, str):
                assert value in FORMATS, f"{path.name} {where}"


def test_required_members_are_described() -> None:
    for path in (*PATHS, *SHAPES):
        for where, value in walk(_suite.read_json(path)):
            if isinstance(value, dict) and isinstance(value.get("required"), list) and "properties" in value:
                assert set(value["required"]) <= set(value["properties"]), f"{path.name} {where}"


# Examples


@for_each_example
def test_a_filled_example_is_a_valid_request(capability: Capability, example: Example) -> None:
    filled = examples.venue().fill(example.request)
    if capability.request is None:
        assert filled == {}
    else:
        assert not schema.problems(capability.request, filled)


@for_each_example
def test_a_filled_example_has_every_member_of_the_template(capability: Capability, example: Example) -> None:
    filled = examples.venue().fill(example.request)
    assert set(filled) == set(example.request), capability.name


@for_each_example
def test_placeholders_are_known(capability: Capability, example: Example) -> None:
    for where, value in walk(dict(example.request)):
        if isinstance(value, str) and set(value) & set("{}"):
            assert value.startswith("{"), f"{capability.name} {where}"
            assert value.endswith("}"), f"{capability.name} {where}"
            assert value[1:-1] in PLACEHOLDERS, f"{capability.name} {where}"


@for_each_capability
def test_the_first_example_has_the_required_members_only(capability: Capability) -> None:
    assert set(capability.examples[0].request) == {name for name, required in capability.members.items() if required}


@for_each_capability
def test_the_titles_of_the_examples_differ(capability: Capability) -> None:
    titles = [each.title for each in capability.examples]
    assert len(set(titles)) == len(titles)


@for_each_capability
def test_marks_are_text_members_of_the_full_request(capability: Capability) -> None:
    filled = examples.venue().fill(capability.examples[-1].request)
    for mark in capability.marks:
        assert capability.request is not None
        assert schema.is_valid(capability.request, {**filled, mark: "conformance"})
        assert not schema.is_valid(capability.request, {**filled, mark: 1})


@for_each_capability
def test_other_capabilities_are_named_as_they_are(capability: Capability) -> None:
    for name in (capability.removed_by, capability.observed_by):
        assert name is None or name in _contracts.capabilities()
    if capability.removed_by:
        assert _contracts.capabilities()[capability.removed_by].http_method == "DELETE"
    if capability.observed_by:
        assert not _contracts.capabilities()[capability.observed_by].changes


# Products


def members(product: str, need: str) -> set[str]:
    return {each.name for each, its_need in _contracts.members_of(product) if its_need == need}


def test_products_need_what_the_pages_list() -> None:
    pay_at_table = {"SearchOrders", "GetOrderById", "RecordOrderPaymentById"}
    verbs = ("Create{}", "Get{}ById", "Update{}", "Delete{}ById")
    both = {verb.format(thing) for thing in ("Party", "Reservation") for verb in verbs}
    assert members("pay-at-table", "required") == pay_at_table
    assert members("qr-pay", "required") == {*pay_at_table, "SearchTables"}
    assert members("order-and-pay", "required") == {"CreateOrder", "SearchOrders", "GetOrderById", "HandleEvent"}
    assert members("bookings", "required") == {
        *both,
        "SearchParties",
        "SearchReservations",
        "SearchTables",
        "ListAreas",
        "SearchOrders",
        "GetOrderById",
    }


def test_locks_and_the_bill_are_optional() -> None:
    locks = {"CreateOrderLock", "ExtendOrderLock", "DeleteOrderLock"}
    assert members("pay-at-table", "optional") == {*locks, "GetOrderBillById"}
    assert members("qr-pay", "optional") == {*locks, "GetOrderBillById", "HandleEvent"}
    assert members("order-and-pay", "optional") == {*locks, "RecordOrderPaymentById"}
    assert not members("bookings", "optional")


def test_products_of_contracts_and_products_are_the_same() -> None:
    assert {name for each in _contracts.capabilities().values() for name in each.products} == set(_contracts.products())


@pytest.mark.parametrize("product", _contracts.products())
def test_a_product_says_what_it_is(product: str) -> None:
    found = _contracts.products()[product]
    assert set(found) == {"title", "source", "together", "note"}
    assert found["source"].partition(": ")[0] in _rules.sources()
    for group in found["together"]:
        assert set(group) <= members(product, "optional")


# Selectors


def test_selectors_tell_capabilities_apart() -> None:
    found = {each.name: each.selectors for each in _contracts.capabilities().values()}
    assert found["ListAreas"] == {"every"}
    assert found["GetOrderById"] == {"every", "takes-id", "can-refuse", "reads-by-id"}
    assert found["SearchTables"] == {"every", "takes-body", "optional-body", "optional-members", "open-body", "search"}
    assert found["ExtendOrderLock"] == {"every", "takes-id", "takes-body", "requires-members", "can-refuse"}
    assert "observable" in found["CreateOrder"]


def test_members_are_those_at_the_top_of_the_body() -> None:
    assert _contracts.capabilities()["CreateOrderLock"].members == {"lockId": True, "expiry": True}
    assert _contracts.capabilities()["SearchTables"].members == {"cursor": False, "areaId": False, "waiterId": False}
    assert _contracts.capabilities()["HandleEvent"].members["createdAt"] is True
    assert _contracts.capabilities()["ListAreas"].members == {}
