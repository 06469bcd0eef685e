"""
What is registered is read as far as it can be, put as it is published, compared in a few words, and put back.
"""

from __future__ import annotations

import json

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema
import pytest

from starlette.responses import JSONResponse, Response

from epos_conformance import _contracts
from epos_conformance.dojo import registration
from epos_conformance.dojo.api import DojoApi
from epos_conformance.dojo.registration import Registered, Registration
from epos_conformance.exceptions import Inconclusive, NotOffered

from . import fake_dojo
from .fake_dojo import INTEGRATIONS, PRODUCTION_KEY, FakeDojo, capabilities, problem
from .test_published_specifications import SPECIFICATIONS


DOJO = SPECIFICATIONS / "dojo-api-epos.openapi.json"

where_published = pytest.mark.skipif(
    not DOJO.is_file(), reason="the published specifications are not beside this checkout"
)

URL, AUTH = "https://till.example/dojo", "dojo:hunter2:of-the-till"

THREE = ("SearchOrders", "GetOrderById", "RecordOrderPaymentById")


@pytest.fixture
def dojo(request: pytest.FixtureRequest) -> FakeDojo:
    return fake_dojo.put_up(request)


@pytest.fixture
def api(dojo: FakeDojo) -> Iterator[DojoApi]:
    yield from fake_dojo.connected(dojo.url, patience=0.0)


def answer(rest: Any = (), ws: Any = ()) -> dict[str, Any]:
    return {"restIntegrations": list(rest), "wsIntegrations": list(ws), "dojoManagedIntegrations": []}


# Names


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("GetOrderById", "GetOrderById"),
        ("GetOrder", "GetOrderById"),
        ("RecordPayment", "RecordOrderPaymentById"),
        ("RecordOrderPayment", "RecordOrderPaymentById"),
        ("GetOrderBill", "GetOrderBillById"),
        ("UpdatePartyById", "UpdateParty"),
        ("HandleEvent:payment_intent.created", "HandleEvent"),
        ("AddOrderItems", None),
        ("Teapot", None),
        ("getorderbyid", None),
        ("", None),
    ],
)
def test_a_registered_name_has_one_here_where_it_has_a_contract(name: str, canonical: str | None) -> None:
    assert registration.canonical(name) == Registered(name).canonical == canonical


def test_names_are_told_in_the_order_of_the_contracts_and_once() -> None:
    found = Registration("ws", tuple(map(Registered, ("SearchOrders", "GetOrder", "Teapot", "GetOrderById"))))
    assert found.names == ("GetOrderById", "SearchOrders")
    several = [
        found,
        Registration("ws", (Registered("CreateOrder"),)),
        Registration("rest", (Registered("ListAreas"),)),
    ]
    assert registration.over(several, "ws") == ("CreateOrder", "GetOrderById", "SearchOrders")
    assert registration.over(several, "rest") == ("ListAreas",)
    assert registration.over([], "rest") == ()


# Read


def test_what_is_registered_is_read() -> None:
    rest = {"url": URL, "capabilities": capabilities("GetOrderById"), "auth": {}, "createdAt": "x"}
    ws = {"capabilities": capabilities("SearchOrders", "Teapot", version="1.0.0"), "createdAt": "x"}
    assert registration.parsed(answer([rest], [ws])) == (
        Registration("rest", (Registered("GetOrderById", "v1"),), URL),
        Registration("ws", (Registered("SearchOrders", "1.0.0"), Registered("Teapot", "1.0.0"))),
    )


@pytest.mark.parametrize(
    "document",
    [
        answer(),
        {},
        {"restIntegrations": None, "wsIntegrations": None},
        {"restIntegrations": 7, "wsIntegrations": "none"},
        {"restIntegrations": {}, "wsIntegrations": [None, "ws", []]},
        {"rest": [{"capabilities": []}]},
    ],
)
def test_where_nothing_is_registered_there_is_nothing(document: Any) -> None:
    assert registration.parsed(document) == ()


@pytest.mark.parametrize("listed", [None, 7, "GetOrderById", {"name": "GetOrderById"}, [None, "a", {}, {"name": 7}]])
def test_capabilities_that_are_none_are_left_out(listed: Any) -> None:
    (found,) = registration.parsed(answer([{"url": 7, "capabilities": listed}]))
    assert found == Registration("rest", ())


def test_a_version_that_is_no_text_is_none() -> None:
    (found,) = registration.parsed(answer([], [{"capabilities": [{"name": "a", "version": 1}, {"name": "b"}]}]))
    assert found.capabilities == (Registered("a"), Registered("b"))


@pytest.mark.parametrize("document", [None, [], "none", 7])
def test_an_answer_that_is_no_registration_is_said(document: Any) -> None:
    with pytest.raises(Inconclusive, match=r"the registration can't be read: Dojo answered .*, not an object"):
        registration.parsed(document)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (problem(401, "Unauthorized"), "status 401, Unauthorized; traceId .*; check the key"),
        (problem(500, "Oops"), "status 500, Oops"),
        (Response("<html>", media_type="text/html"), "the registration can't be read"),
    ],
)
def test_a_registration_that_can_not_be_had_is_said(dojo: FakeDojo, api: DojoApi, answer: Response, words: str) -> None:
    dojo.instead[f"GET {INTEGRATIONS}"] = answer
    with pytest.raises(Inconclusive, match=words):
        registration.read(api)


# Put


def test_what_is_put_is_read_again(dojo: FakeDojo, api: DojoApi) -> None:
    registration.put(api, "rest", registration.body(THREE, URL, AUTH))
    registration.put(api, "ws", registration.body(("HandleEvent",)))
    rest, ws = registration.read(api)
    assert (rest.url, set(rest.names)) == (URL, set(THREE))
    assert [each.name for each in ws.capabilities] == [
        "HandleEvent:payment_intent.created",
        "HandleEvent:payment_intent.status_updated",
    ]
    assert {each.version for each in (*rest.capabilities, *ws.capabilities)} == {"v1"}
    sent = dojo.seen("PUT", f"{INTEGRATIONS}/rest")[0].body
    assert sent["auth"] == {"authType": "basic", "basic": {"username": "dojo", "password": "hunter2:of-the-till"}}
    assert set(dojo.seen("PUT", f"{INTEGRATIONS}/ws")[0].body) == {"capabilities"}


def test_without_credentials_they_are_empty() -> None:
    assert registration.body((), URL)["auth"]["basic"] == {"username": "", "password": ""}


def test_a_registration_that_is_refused_is_said_without_the_password(dojo: FakeDojo) -> None:
    dojo.instead[f"PUT {INTEGRATIONS}/rest"] = lambda asked: problem(
        400, "Invalid", errors={"auth": [asked.body["auth"]["basic"]["password"]]}
    )
    password = AUTH.partition(":")[2]
    for api in fake_dojo.connected(dojo.url, secrets=(password,)):
        with pytest.raises(Inconclusive) as caught:
            registration.put(api, "rest", registration.body(THREE, URL, AUTH))
    assert "status 400, Invalid: auth: *****; traceId" in str(caught.value)
    assert password not in str(caught.value)


def test_nothing_is_registered_in_production_unless_it_may_be(dojo: FakeDojo) -> None:
    for api in fake_dojo.connected(dojo.url, key=PRODUCTION_KEY, changes=False):
        with pytest.raises(NotOffered, match="may change something in production"):
            registration.put(api, "ws", registration.body(THREE))
    assert dojo.asked == []


# Compared, and put back


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ((), (), "nothing changed"),
        (THREE, THREE, "nothing changed"),
        ((), ("A", "B"), "added A, B"),
        (("A", "B"), (), "removed A, B"),
        (("A", "B"), ("B", "C"), "added C; removed A"),
    ],
)
def test_a_difference_is_a_few_words(before: tuple[str, ...], after: tuple[str, ...], words: str) -> None:
    assert registration.difference(before, after) == words


def test_what_was_there_before_is_put_back_name_by_name() -> None:
    before = [
        Registration("rest", (Registered("GetOrder", "1.0.0"), Registered("Teapot")), URL),
        Registration("ws", (Registered("ListAreas", "v2"),)),
    ]
    assert registration.restoring(before, "rest", AUTH) == {
        "capabilities": [{"name": "GetOrder", "version": "1.0.0"}, {"name": "Teapot", "version": "v1"}],
        "url": URL,
        "auth": {"authType": "basic", "basic": {"username": "dojo", "password": "hunter2:of-the-till"}},
    }
    assert registration.restoring(before, "ws", None) == {"capabilities": [{"name": "ListAreas", "version": "v2"}]}


def test_nothing_can_not_be_put_back() -> None:
    """An empty list changes nothing at Dojo."""
    assert registration.restoring([], "rest", AUTH) is None
    assert registration.restoring([Registration("rest", (), URL)], "rest", AUTH) is None
    assert registration.restoring([Registration("ws", (Registered("ListAreas"),))], "rest", AUTH) is None


# As published


@cache
def document() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(DOJO.read_text(encoding="utf-8"))
    return found


def published(name: str) -> Mapping[str, Any]:
    """A schema of the API's description."""
    return {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}


@where_published
@pytest.mark.parametrize("names", [(), THREE, tuple(_contracts.capabilities())])
def test_what_is_put_is_as_published(dojo: FakeDojo, api: DojoApi, names: tuple[str, ...]) -> None:
    registration.put(api, "rest", registration.body(names, URL, AUTH))
    registration.put(api, "ws", registration.body(names))
    before = registration.read(api)
    for transport, schema in (("rest", "RestIntegrationRequest"), ("ws", "WsIntegrationRequest")):
        (asked,) = dojo.seen("PUT", f"{INTEGRATIONS}/{transport}")
        jsonschema.validate(asked.body, published(schema))
        again = registration.restoring(before, transport, AUTH)
        assert again == (asked.body if names else None)


@where_published
def test_every_name_that_is_put_is_a_published_one_or_its_successor() -> None:
    listed = document()["components"]["schemas"]["CapabilityName"]["description"].partition("(")[2].rstrip(")")
    known = {registration.canonical(each.strip()) for each in listed.split(",")}
    assert known == set(_contracts.capabilities())


@where_published
def test_what_the_fake_dojo_answers_is_as_published(dojo: FakeDojo, api: DojoApi) -> None:
    registration.put(api, "rest", registration.body(THREE, URL, AUTH))
    registration.put(api, "ws", registration.body(THREE))
    jsonschema.validate(api.get(INTEGRATIONS).json, published("AllIntegrationsResponse"))
    assert len(dojo.asked) == 3


@where_published
def test_every_published_example_of_an_answer_is_read(dojo: FakeDojo, api: DojoApi) -> None:
    schemas = document()["components"]["schemas"]
    everything = schemas["AllIntegrationsResponse"]["example"]
    dojo.instead[f"GET {INTEGRATIONS}"] = JSONResponse(everything)
    rest, ws = registration.read(api)
    assert (rest.url, rest.names) == (everything["restIntegrations"][0]["url"], ("SearchOrders",))
    assert ws.names == ("GetOrderById", "RecordOrderPaymentById")
    for name, member in (("RestIntegrationResponse", "rest"), ("WsIntegrationResponse", "ws")):
        (found,) = registration.parsed(answer(**{member: [schemas[name]["example"]]}))
        assert found.names == ("GetOrderById", "RecordOrderPaymentById")
        assert {each.version for each in found.capabilities} == {"1.0.0"}


@where_published
def test_what_is_asked_is_published(dojo: FakeDojo, api: DojoApi) -> None:
    registration.put(api, "rest", registration.body(THREE, URL, AUTH))
    registration.put(api, "ws", registration.body(THREE))
    registration.read(api)
    paths = document()["paths"]
    assert all(each.method.lower() in paths[each.path] for each in dojo.asked)
