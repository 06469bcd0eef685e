"""
The parameters of a flow are filled by their names, from the user, from the EPOS or from their defaults.
"""

from __future__ import annotations

from typing import Any

import pytest

from starlette.responses import Response

from epos_conformance._settings import KnownData
from epos_conformance.dojo.filling import filled
from epos_conformance.dojo.flows import Flow, Param
from epos_conformance.exceptions import Inconclusive

from .place import REFUSED, Place, refusing


def flow(*params: Param) -> Flow:
    return Flow("Get Order", params)


def required(name: str, type: str = "string", **more: Any) -> Param:
    return Param(name, type, required=True, **more)


# From the user


@pytest.mark.parametrize("name", ["orderId", "orderID", "order_id", "ORDER-ID", "Order Id"])
def test_the_users_values_go_by_name_however_it_is_written(name: str) -> None:
    for given in ("orderId", "order_id", name):
        assert filled(flow(required(name)), {given: "o-1"}, []) == {name: "o-1"}


@pytest.mark.parametrize("value", ["o-1", 7, 1.5, True, [1, "a"], {"a": {"b": 1}}, "", 0, False])
def test_a_users_value_goes_as_it_is(value: Any) -> None:
    found = filled(flow(required("thing", "integer")), {"thing": value}, [])["thing"]
    assert found == value
    assert type(found) is type(value)


def test_what_is_not_required_goes_where_the_user_names_it() -> None:
    given = {"a": 1, "elsewhere": 2}
    params = [Param("a"), Param("b", default="x"), Param("orderId")]
    assert filled(flow(*params), given, []) == {"a": 1}


def test_a_flow_without_parameters_needs_nobody() -> None:
    assert filled(flow(), {"orderId": "o-1"}, []) == {}


# From the EPOS


def test_ids_are_those_of_things_that_the_epos_has(place: Place) -> None:
    names = ("orderId", "partyId", "reservationId", "tableId", "areaId", "waiterId", "paymentIntentId", "currency")
    partner = place.partner(data=KnownData(waiters=("w-1",)))
    found = filled(flow(*map(required, names)), {}, [partner])
    assert list(found) == list(names)
    assert all(isinstance(each, str) and each for each in found.values())
    for name, capability in (
        ("orderId", "GetOrderById"),
        ("partyId", "GetPartyById"),
        ("reservationId", "GetReservationById"),
    ):
        assert partner.call(capability, {name: found[name]}).succeeded
    assert found["tableId"] in partner.venue.table_ids
    assert found["areaId"] in [each["id"] for each in partner.venue.areas]
    assert (found["waiterId"], found["currency"]) == ("w-1", "GBP")
    assert found["paymentIntentId"].startswith("pi_sandbox_")


def test_what_was_made_for_a_flow_is_removed_after_it(place: Place) -> None:
    partner = place.partner()
    found = filled(flow(required("orderId"), required("partyId")), {}, [partner])
    partner.clean_up()
    assert place.epos.orders[found["orderId"]].status == "Canceled"
    assert not partner.call("GetPartyById", {"partyId": found["partyId"]}).succeeded


def test_where_none_can_be_made_one_of_the_venues_does(place: Place) -> None:
    place.instead = lambda asked: Response(REFUSED, 409) if asked == "POST /v1/orders" else None
    partner = place.partner()
    found = filled(flow(required("orderId"), required("tableId")), {}, [partner])
    assert found["orderId"] in {each.id for each in place.epos.venue.orders}


@pytest.mark.parametrize(("type", "value"), [("integer", 2), ("number", 2), ("string", "2"), ("Text", "2")])
def test_a_number_is_of_the_type_that_is_asked_for(place: Place, type: str, value: Any) -> None:
    assert filled(flow(required("covers", type)), {}, [place.partner()]) == {"covers": value}


def test_where_one_transport_shows_nothing_another_one_does(place: Place) -> None:
    """An EPOS may offer little over one of them."""
    place.instead = refusing("POST /v1/orders")
    silent = place.partner()
    with pytest.raises(Inconclusive):
        filled(flow(required("orderId")), {}, [silent])
    place.instead = lambda _: None
    assert filled(flow(required("orderId")), {}, [silent, place.partner()])["orderId"]


# From its default


@pytest.mark.parametrize(
    ("type", "default", "value"),
    [
        ("string", "10", "10"),
        ("uuid", "10", "10"),
        ("integer", "10", 10),
        ("Number", "1.5", 1.5),
        ("boolean", "true", True),
        ("array", '["a"]', ["a"]),
        ("object", '{"a": 1}', {"a": 1}),
        ("integer", "ten", "ten"),
        ("integer", 10, 10),
        ("string", 10, 10),
        ("string", "", ""),
        ("boolean", False, False),
        ("whatever", "null", None),
    ],
)
def test_a_default_that_is_a_text_is_of_the_type_of_its_parameter(type: str, default: Any, value: Any) -> None:
    assert filled(flow(required("thing", type, default=default)), {}, []) == {"thing": value}


def test_the_epos_goes_before_a_default_and_that_before_nothing() -> None:
    assert filled(flow(required("orderId", default="o-9")), {}, []) == {"orderId": "o-9"}


def test_a_thing_of_the_epos_goes_before_a_default(place: Place) -> None:
    assert filled(flow(required("orderId", default="o-9")), {}, [place.partner()])["orderId"] != "o-9"


# Missing


def test_what_is_missing_is_named_with_what_is_known_of_it() -> None:
    with pytest.raises(Inconclusive) as caught:
        filled(flow(required("colour", "string", description="Of the teapot.")), {"size": 1}, [])
    assert str(caught.value) == (
        "the flow 'Get Order' can't be started, a required parameter is missing: colour (string: Of the teapot.; its "
        "name says nothing to the suite); name it under [flow-params] in partner.toml"
    )


def test_everything_that_is_missing_is_named() -> None:
    with pytest.raises(Inconclusive) as caught:
        filled(flow(required("colour"), required("orderId"), Param("size"), required("tableId", default="t")), {}, [])
    text = str(caught.value)
    assert "required parameters are missing: colour (string; " in text
    assert "orderId (string; the partner can't be asked)" in text
    assert "size" not in text
    assert "tableId" not in text


def test_what_the_epos_refuses_is_said_in_its_words(place: Place) -> None:
    place.instead = refusing("POST", "GET")
    names = ("orderId", "partyId", "reservationId")
    with pytest.raises(Inconclusive) as caught:
        filled(flow(*map(required, names)), {}, [place.partner()])
    text = str(caught.value)
    assert all(f"{each} (string; " in text for each in names)
    assert text.count("Conflict: not today") >= len(names)


def test_what_is_found_out_about_the_venue_has_its_default(place: Place) -> None:
    place.instead = refusing("POST /v1/tables", "GET /v1/tables", "POST /v1/areas", "GET /v1/areas")
    params = [required("areaId", default="a-9"), required("waiterId", default="w-9")]
    assert filled(flow(*params), {}, [place.partner()])["areaId"] == "a-9"
