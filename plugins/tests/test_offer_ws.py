"""
What an EPOS offers over WebSocket is found out without changing anything, whatever it answers to methods that it does
not know.
"""

from __future__ import annotations

import time

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from epos_conformance import _contracts, _offer_ws
from epos_conformance._offer import Offer
from epos_conformance._settings import Settings
from epos_conformance.websocket.transport import WebSocketTransport

from .tills import ANYWHERE, PATIENCE, answering, desk, fine


CAPABILITIES = _contracts.capabilities()
EVERYTHING = tuple(CAPABILITIES)
PAY_AT_TABLE = ("GetOrderById", "RecordOrderPaymentById", "SearchOrders")

BY_METHOD = {each.ws_method: name for name, each in CAPABILITIES.items()}

#: Answers a request for what is offered, and one for what isn't.
Answer = Callable[[Mapping[str, Any]], list[Any]]


def error(request: Mapping[str, Any], type: str, message: str | None = None, **more: Any) -> list[Any]:
    told = {"errorType": type, **({} if message is None else {"debugMessage": message}), **more}
    return [fine(request, error=told)]


def known(request: Mapping[str, Any]) -> list[Any]:
    """As an EPOS without any data does."""
    name = BY_METHOD[request["method"]]
    if name.startswith("Search"):
        return [fine(request, result={"data": [], "totalCount": 0})]
    if name == "ListAreas":
        return [fine(request, result=[])]
    if name.startswith(("Create", "Update", "Handle")):
        return error(request, "InvalidRequest", "the member 'name' is missing")
    return error(request, "NotFound", "there is no order of this id")


def not_found(request: Mapping[str, Any]) -> list[Any]:
    return error(request, "InvalidRequest", f"there is no method {request['method']}")


def find_out(
    offered: tuple[str, ...], unknown: Answer, usual: Answer = known, **settings: Any
) -> tuple[Offer, list[Any]]:
    """What is found out of an EPOS that offers so much, and the requests that it heard."""

    def respond(request: Mapping[str, Any]) -> list[Any]:
        return usual(request) if BY_METHOD.get(request["method"]) in offered else unknown(request)

    chosen = Settings(**{"ws": ANYWHERE, "fail_after": PATIENCE, **settings})
    with desk(ws_timeout=chosen.ws_timeout) as here, answering(here.url, respond) as heard:
        here.seen(1)
        found = _offer_ws.find_out(chosen, WebSocketTransport(chosen, here.url, here.line))
    return found, heard


def of_a_library(request: Mapping[str, Any]) -> list[Any]:
    return [{"id": request["id"], "jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}}]


def with_a_trace(request: Mapping[str, Any]) -> list[Any]:
    """Words that differ each time."""
    trace = request["id"]
    return error(request, "NotFound", f"unknown: {request['method']} (trace {trace})", traceId=trace)


def without_version(request: Mapping[str, Any]) -> list[Any]:
    return error(request, "UnexpectedError", f"no handler for '{request['method'].removesuffix('V1')}'")


def all_the_same(request: Mapping[str, Any]) -> list[Any]:
    return error(request, "InvalidRequest", "unknown method")


def test_what_is_claimed_is_not_doubted() -> None:
    found, heard = find_out((), not_found, capabilities=("SearchOrders", "ListAreas"))
    assert found == Offer(("SearchOrders", "ListAreas"), "claimed")
    assert heard == []


@pytest.mark.parametrize("unknown", [not_found, of_a_library, with_a_trace, without_version, all_the_same])
@pytest.mark.parametrize("offered", [EVERYTHING, PAY_AT_TABLE, ("ListAreas",), ("HandleEvent",)], ids=len)
def test_what_is_offered_is_found_out(offered: tuple[str, ...], unknown: Answer) -> None:
    found, heard = find_out(offered, unknown)
    assert found.capabilities == offered
    assert (found.how, found.blocked, found.notes) == ("probed", None, [])
    # One after the other it would take long, where some are left unanswered.
    assert len(heard) == len(EVERYTHING) + 2


def test_what_is_left_unanswered_is_not_offered_and_costs_little() -> None:
    started = time.monotonic()
    found, _ = find_out(PAY_AT_TABLE, lambda _: [], fail_after=0.3)
    assert found.capabilities == PAY_AT_TABLE
    assert time.monotonic() - started < 10


def test_nothing_is_changed() -> None:
    _, heard = find_out(EVERYTHING, not_found)
    for each in heard:
        name = BY_METHOD.get(each["method"])
        if name is None or not CAPABILITIES[name].changes:
            continue
        ids = {member.ws for member in CAPABILITIES[name].ids}
        assert set(each["params"]) == {*ids, "headers"}, name
        assert all(each["params"][member].startswith("conformance-") for member in ids), name


def test_read_only_asks_for_nothing_that_changes() -> None:
    found, heard = find_out(EVERYTHING, not_found, read_only=True)
    assert found.capabilities == tuple(name for name, each in CAPABILITIES.items() if not each.changes)
    assert {each["method"] for each in heard if each["method"] in BY_METHOD} == {
        each.ws_method for each in CAPABILITIES.values() if not each.changes
    }


def test_ids_that_searches_show_are_asked_for() -> None:
    def usual(request: Mapping[str, Any]) -> list[Any]:
        if request["method"] == CAPABILITIES["SearchOrders"].ws_method:
            return [fine(request, result={"data": [{"id": "o-17"}], "totalCount": 1})]
        return known(request)

    _, heard = find_out(EVERYTHING, not_found, usual)
    asked = {BY_METHOD.get(each["method"]): each["params"] for each in heard}
    (member,) = CAPABILITIES["GetOrderById"].ids
    assert asked["GetOrderById"][member.ws] == "o-17"


def test_the_same_words_for_everything_are_no_offer() -> None:
    found, _ = find_out((), lambda request: error(request, "UnexpectedError", "internal server error"))
    assert found.capabilities == ()
    assert found.blocked is not None
    assert found.blocked.startswith("nothing that the EPOS answers is of the EPOS Data API (the last answer: Unexp")


def test_an_error_without_words_may_be_either() -> None:
    def usual(request: Mapping[str, Any]) -> list[Any]:
        return known(request) if "Search" in request["method"] else error(request, "NotFound")

    found, _ = find_out(("SearchOrders", "GetOrderById"), lambda request: error(request, "NotFound"), usual)
    assert found.capabilities == ("SearchOrders",)
    (note,) = found.notes
    assert note.startswith("unclear whether these are offered, claim them with --capabilities: ")
    assert "GetOrderById" in note


def test_an_epos_that_answers_nothing_is_told() -> None:
    found, _ = find_out((), lambda _: [], fail_after=0.2)
    assert found.capabilities == ()
    assert found.blocked == ("the partner can't be examined: the EPOS answers nothing (no answer within 0.2 s)")


def test_nobody_is_told() -> None:
    chosen = Settings(ws=ANYWHERE, fail_after=0.2)
    with desk(ws_timeout=0.2) as here:
        found = _offer_ws.find_out(chosen, WebSocketTransport(chosen, here.url, here.line))
    assert found.capabilities == ()
    assert str(found.blocked).startswith("the partner can't be examined: nobody dialled (the EPOS holds no session")


def test_ids_that_are_written_otherwise_are_matched_while_it_is_found_out() -> None:
    def usual(request: Mapping[str, Any]) -> list[Any]:
        return [{**each, "id": request["id"].upper()} for each in known(request)]

    found, _ = find_out(PAY_AT_TABLE, not_found, usual)
    assert found.capabilities == PAY_AT_TABLE
