"""
Flows of the sandbox: they really call the EPOS that is registered, and say what came of it.
"""

from __future__ import annotations

import socket
import threading
import time

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _contracts
from epos_conformance._settings import KnownData, Settings
from epos_conformance.journeys import JOURNEYS
from epos_conformance.sandbox import catalogue

from .sandboxes import Dojo, Epos, account, connected, reference, said_of, sandbox, steps
from .support import partner_that
from .tills import desk


FLOWS = "/epos-tester-tool/flows"

#: What takes longest, and what changes most, comes with the journeys.
CAPABILITIES = [each.name for each in catalogue.flows().values() if len(each.needs) == 1]


@pytest.fixture(scope="module")
def running() -> Iterator[Dojo]:
    with sandbox() as found:
        yield found


@pytest.fixture(scope="module")
def everywhere(running: Dojo) -> Iterator[tuple[Dojo, Epos]]:
    """The reference EPOS, registered over both transports."""
    with reference(dial=running.running.ws_url, key=running.key) as epos:
        running.register_rest(epos.url)
        running.register_ws()
        yield running, epos


@pytest.fixture
def dojo(running: Dojo, request: pytest.FixtureRequest) -> Iterator[Dojo]:
    """An account that nothing is registered for."""
    with account(running, request.node.name) as found:
        yield found


# What there is


def test_the_published_flow_comes_first(dojo: Dojo) -> None:
    first = dojo.get(FLOWS).json()[0]
    assert first["name"] == "Get Order"
    assert [(each["name"], each["type"], each["required"]) for each in first["params"]] == [("orderId", "string", True)]


def test_there_is_a_flow_for_each_capability_and_each_journey(dojo: Dojo) -> None:
    listed = [each["name"] for each in dojo.get(f"{FLOWS}?all=true").json()]
    assert len(listed) == len(set(listed)) == len(_contracts.capabilities()) + len(JOURNEYS)
    assert {"Search Orders", "Record Order Payment By Id", "Handle Event"} <= set(listed)
    assert {each.title for each in JOURNEYS.values()} <= set(listed)


def test_only_what_the_registration_is_good_for_is_listed(dojo: Dojo) -> None:
    assert [each["name"] for each in dojo.get(FLOWS).json()] == ["Get Order"]
    dojo.register_rest("https://till.example", ["SearchOrders", "RecordOrderPayment", "GetOrder"])
    names = [each["name"] for each in dojo.get(FLOWS).json()]
    assert names == ["Get Order", "Record Order Payment By Id", "Search Orders"]
    assert len(dojo.get(f"{FLOWS}?all=true").json()) > len(names)


def test_what_a_flow_destroys_or_rewrites_cannot_be_named() -> None:
    for each in catalogue.flows().values():
        if each.name.startswith(("Cancel", "Delete Party", "Delete Reservation", "Update")):
            assert {param.name for param in each.params} <= {"tableId"}, each.name


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "flow"),
        ({"flow": 1}, "flow"),
        ({"flow": "Get Orders", "params": {}}, "flow"),
        ({"flow": "Get Order"}, "params.orderId"),
        ({"flow": "Get Order", "params": {"orderId": ""}}, "params.orderId"),
        ({"flow": "Get Order", "params": {"orderId": 7}}, "params.orderId"),
        ({"flow": "Search Orders", "params": {"orderId": "x"}}, "params.orderId"),
        ({"flow": "Search Orders", "params": []}, "params"),
    ],
)
def test_what_cannot_be_started_is_refused(dojo: Dojo, body: Any, member: str) -> None:
    answer = dojo.post(FLOWS, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])


def test_a_run_is_its_accounts_alone(dojo: Dojo) -> None:
    id = dojo.start("List Areas")
    assert dojo.ended(id.upper())["flowID"] == id
    with connected(dojo.running, "sk_sandbox_another") as client:
        assert client.get(f"{FLOWS}/{id}").status_code == 404
    assert dojo.get(f"{FLOWS}/nothing").status_code == 404


# An EPOS that is in order


@pytest.mark.parametrize("flow", CAPABILITIES)
def test_each_capability_succeeds_over_both_transports(everywhere: tuple[Dojo, Epos], flow: str) -> None:
    dojo, epos = everywhere
    result = dojo.run(flow, **({"orderId": epos.order} if flow == "Get Order" else {}))
    assert result["status"] == "SUCCESS", result
    told = steps(result)
    assert set(told.values()) == {"SUCCESS"}
    for over in ("REST", "WebSocket"):
        assert any(each.endswith(f"is answered over {over}") for each in told)
        assert any(each.startswith("The answer satisfies") and each.endswith(over) for each in told)


@pytest.mark.parametrize("journey", [each.title for each in JOURNEYS.values()])
def test_each_journey_succeeds(everywhere: tuple[Dojo, Epos], journey: str) -> None:
    result = everywhere[0].run(journey)
    assert result["status"] == "SUCCESS", result
    assert len(result["steps"]) > 3


def test_flows_leave_the_venue_as_it_was(everywhere: tuple[Dojo, Epos]) -> None:
    dojo, epos = everywhere

    def held() -> list[Any]:
        found = (
            epos.epos.answer("SearchParties", {}, {})["data"],
            epos.epos.answer("SearchReservations", {}, {})["data"],
        )
        return [{each["id"] for each in rows} for rows in found]

    before = held()
    for flow in ("Create Party", "Update Party", "Delete Party By Id", "Create Reservation", "Update Reservation"):
        assert dojo.run(flow)["status"] == "SUCCESS"
    assert held() == before


def test_many_flows_at_the_same_time_keep_out_of_each_others_way(everywhere: tuple[Dojo, Epos]) -> None:
    dojo, _ = everywhere
    wanted = [each for each in CAPABILITIES if each != "Get Order"]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(dojo.run, wanted))
    assert {each["status"] for each in results} == {"SUCCESS"}, [
        each for each in results if each["status"] != "SUCCESS"
    ]


def test_get_order_is_told_as_it_is_published(everywhere: tuple[Dojo, Epos]) -> None:
    dojo, epos = everywhere
    result = dojo.run("Get Order", orderId=epos.order)
    assert result["flowName"] == "Get Order through EPOS Data API"
    assert result["steps"][0]["name"] == "Check whether GetOrder has been registered"
    assert result["finishedAt"] >= result["steps"][-1]["finishedAt"] >= result["startedAt"]


def test_steps_of_one_transport_are_called_by_what_they_are(dojo: Dojo) -> None:
    with reference() as epos:
        dojo.register_rest(epos.url)
        assert list(steps(dojo.run("Create Order Lock", orderId=epos.order))) == [
            "Check whether CreateOrderLock has been registered",
            "CreateOrderLock is answered",
            "The answer satisfies the contract of CreateOrderLock",
            "The flow removes what it made",
        ]


@pytest.mark.parametrize("end", ["", "/", "/v1/orders/{orderID}", "/v1/orders/{orderId}/record-payment"])
def test_an_address_is_a_base_or_a_template(dojo: Dojo, end: str) -> None:
    with reference() as epos:
        dojo.register_rest(f"{epos.url}{end}")
        assert dojo.run("Get Order", orderId=epos.order)["status"] == "SUCCESS"
        assert dojo.run("Search Tables")["status"] == "SUCCESS"


def test_legacy_names_are_routed(dojo: Dojo) -> None:
    with reference() as epos:
        dojo.register_rest(epos.url, ["RecordOrderPayment", "CreateOrder", "SearchOrders", "CancelOrderById"])
        assert dojo.run("Record Order Payment By Id")["status"] == "SUCCESS"


@pytest.mark.parametrize("event", ["payment_intent.created", "payment_intent.status_updated"])
def test_only_events_that_are_registered_are_sent(dojo: Dojo, event: str) -> None:
    heard: list[Any] = []
    with reference() as epos:
        till: Any = epos.epos
        real = till.answer

        def listening(name: str, params: Any, *more: Any) -> Any:
            heard.append(params["event"])
            return real(name, params, *more)

        till.answer = listening
        dojo.register_rest(epos.url, [f"HandleEvent:{event}"])
        assert dojo.run("Handle Event")["status"] == "SUCCESS"
    assert heard == [event]


def test_test_data_of_the_settings_is_used() -> None:
    with reference() as epos, sandbox(settings=Settings(data=KnownData(orders=("no such order",)))) as dojo:
        dojo.register_rest(epos.url)
        assert "no such order" in " ".join(said_of(dojo.run("Get Order Bill By Id")))
        assert dojo.run("Get Order Bill By Id", orderId=epos.order)["status"] == "SUCCESS"


def test_payments_are_recorded_with_intents_that_are_there(dojo: Dojo) -> None:
    with reference() as epos:
        dojo.register_rest(epos.url, ["SearchOrders", "GetOrderById", "RecordOrderPaymentById"])
        result = dojo.run("Record Order Payment By Id", orderId=epos.order)
        assert result["status"] == "SUCCESS", result
        # Nothing removes a payment from an order of the venue's: that is told, and nobody's fault.
        (left,) = result["steps"][-1]["additionalInformation"]
        paid = epos.epos.answer("GetOrderById", {"orderId": epos.order}, {})["payments"][-1]["paymentIntentId"]
        assert paid in left
        intent = dojo.get(f"/payment-intents/{paid}").json()
        assert (intent["status"], intent["amount"]["value"]) == ("Captured", 1)


# What is not registered


def test_without_a_registration_get_order_fails_with_advice(dojo: Dojo) -> None:
    result = dojo.run("Get Order", orderId="any")
    assert result["status"] == "FAILURE"
    assert steps(result) == {"Check whether GetOrder has been registered": "FAILURE"}
    said = " ".join(said_of(result))
    assert "PUT /epos/integrations/rest" in said
    assert "PUT /epos/integrations/ws" in said


def test_the_advice_names_what_is_missing_and_what_is_misspelt(dojo: Dojo) -> None:
    dojo.register_rest("https://till.example", ["SearchOrder", "ListAreas"])
    said = said_of(dojo.run("Search Orders"))
    assert said[0].startswith("SearchOrders is not registered")
    assert said[-1] == "No capability is called SearchOrder."
    bookings = " ".join(said_of(dojo.run("Bookings")))
    assert "CreateParty" in bookings
    assert "ListAreas" not in bookings


def test_a_journey_needs_all_of_it_over_one_transport(dojo: Dojo) -> None:
    dojo.register_rest("https://till.example", ["SearchOrders", "GetOrderById"])
    dojo.register_ws(["RecordOrderPaymentById"])
    assert "not all of them over one transport" in " ".join(said_of(dojo.run("Pay at Table without locks")))


# An EPOS that is not in order


def test_an_answer_that_breaks_the_contract_fails_with_the_finding(dojo: Dojo) -> None:
    with reference("totals-are-texts", dial=dojo.running.ws_url, key=dojo.key) as epos:
        dojo.register_rest(epos.url)
        dojo.register_ws()
        result = dojo.run("Get Order", orderId=epos.order)
    assert result["status"] == "FAILURE"
    for over in ("REST", "WebSocket"):
        assert steps(result)[f"GetOrderById is answered over {over}"] == "SUCCESS"
        assert steps(result)[f"The answer satisfies the contract of GetOrderById over {over}"] == "FAILURE"
    said = said_of(result)
    assert "$.totalAmount" in said[0]
    assert "GET " in said[-1]


def test_a_journey_names_the_rule_that_is_broken(dojo: Dojo) -> None:
    with reference("payments-are-forgotten") as epos:
        dojo.register_rest(epos.url)
        result = dojo.run("Pay at Table without locks")
    assert result["status"] == "FAILURE"
    assert not said_of(result)[0].startswith("not examined")


def test_another_order_than_the_one_asked_for_is_found(dojo: Dojo) -> None:
    with reference() as epos:
        till: Any = epos.epos
        real, asked = till.answer, epos.order
        wrong = next(each for each in real("SearchOrders", {}, {})["data"] if each["id"] != asked)
        till.answer = lambda name, *more: wrong if name == "GetOrderById" else real(name, *more)
        dojo.register_rest(epos.url)
        assert "at $.id" in said_of(dojo.run("Get Order", orderId=asked))[0]


def test_an_order_that_is_not_known_is_told_in_the_words_of_the_epos(dojo: Dojo) -> None:
    with reference() as epos:
        dojo.register_rest(epos.url)
        assert "NotFound" in " ".join(said_of(dojo.run("Get Order", orderId="no such order")))


def test_nothing_is_paid_on_to_find_out_what_may_be(dojo: Dojo) -> None:
    with reference() as epos:
        before = [each["payments"] for each in epos.epos.answer("SearchOrders", {}, {})["data"]]
        dojo.register_rest(epos.url, ["SearchOrders", "GetOrderById", "RecordOrderPaymentById"])
        assert dojo.run("Record Order Payment By Id")["status"] == "SUCCESS"
        after = [each["payments"] for each in epos.epos.answer("SearchOrders", {}, {})["data"]]
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_a_journey_that_does_not_fit_the_epos_is_held_against_nobody(dojo: Dojo) -> None:
    with reference(variants=["created-orders-are-not-payable"]) as epos:
        dojo.register_rest(epos.url)
        assert said_of(dojo.run("Order now, pay later"))[0].startswith("not examined: ")


def test_what_is_missing_is_told_and_held_against_nobody(dojo: Dojo) -> None:
    with reference() as epos:
        dojo.register_rest(epos.url, ["CancelOrderById"])
        said = said_of(dojo.run("Cancel Order By Id"))
    assert said[0].startswith("not examined: needs an own order, but CreateOrder isn't offered")


def test_what_the_epos_does_not_remove_is_told(dojo: Dojo) -> None:
    with reference() as epos:
        till: Any = epos.epos
        real = till.answer

        def stubborn(name: str, *more: Any) -> Any:
            if name == "DeletePartyById":
                raise RuntimeError
            return real(name, *more)

        till.answer = stubborn
        dojo.register_rest(epos.url)
        result = dojo.run("Create Party")
    assert result["status"] == "SUCCESS"
    assert result["steps"][-1]["additionalInformation"][0].startswith("left behind: party")


def test_credentials_that_are_refused_fail(dojo: Dojo) -> None:
    with reference() as epos:
        dojo.register_rest(epos.url, auth="dojo:s3cret-that-is-old")
        result = dojo.run("Search Orders")
    assert result["status"] == "FAILURE"
    said = " ".join(said_of(result))
    assert "401" in said
    assert "PUT /epos/integrations/rest" in said
    assert "s3cret" not in str(result)


def test_an_epos_that_is_down_fails(dojo: Dojo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    dojo.register_rest(f"http://127.0.0.1:{port}")
    result = dojo.run("Search Orders")
    assert result["status"] == "FAILURE"
    assert said_of(result)[0].startswith("can't connect")


def test_an_epos_that_has_not_dialled_fails_saying_where_to(dojo: Dojo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epos_conformance.sandbox.door.AWAY", 0.2)
    dojo.register_ws()
    result = dojo.run("List Areas")
    assert result["status"] == "FAILURE"
    assert said_of(result)[0].startswith("not examined: the EPOS holds no session")
    assert dojo.running.ws_url in said_of(result)[-1]


def test_an_epos_that_hangs_times_out() -> None:
    with sandbox(fail_after=0.3) as dojo, partner_that(lambda _: time.sleep(5)) as url:
        dojo.register_rest(url)
        result = dojo.run("Search Orders")
    assert result["status"] == "TIMED_OUT"
    assert "no complete answer within 0.3 s" in said_of(result, "TIMED_OUT")[0]


def test_a_flow_that_takes_too_long_times_out_and_is_seen_on_its_way() -> None:
    heard = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        heard.set()
        time.sleep(2)

    with sandbox(fail_after=1, bound=0.4) as dojo, partner_that(talk) as url:
        dojo.register_rest(url)
        id = dojo.start("Search Orders")
        assert heard.wait(5)
        early = dojo.result(id)
        assert (early["status"], "finishedAt" in early) == ("IN_PROGRESS", False)
        assert list(steps(early).values()) == ["SUCCESS", "IN_PROGRESS"]
        result = dojo.ended(id)
        assert result["status"] == "TIMED_OUT"
        assert list(steps(result).values()) == ["SUCCESS", "TIMED_OUT"]
        # What comes of it later changes nothing any more.
        time.sleep(1)
        assert dojo.result(id) == result


def test_too_many_flows_at_once_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epos_conformance.sandbox.flows.MOST_RUNNING", 1)
    with sandbox(fail_after=0.5) as dojo, partner_that(lambda _: time.sleep(2)) as url:
        dojo.register_rest(url)
        id = dojo.start("List Areas")
        answer = dojo.post(FLOWS, {"flow": "List Areas"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        dojo.ended(id)
        assert dojo.run("List Areas")["status"] == "TIMED_OUT"


def test_a_fault_of_the_sandbox_is_told_as_one(dojo: Dojo, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("epos_conformance.sandbox.catalogue._examine", broken)
    dojo.register_rest("https://till.example")
    said = said_of(dojo.run("List Areas"))
    assert said == ["not examined: a fault of the sandbox, not of the EPOS: ZeroDivisionError: oops"]


# A session that is held elsewhere


def test_flows_use_a_session_of_the_suites(tmp_path: Path) -> None:
    with desk() as found, reference(dial=found.url):
        found.seen(1)
        with sandbox(line=found.line, line_url=found.url, leases=tmp_path) as dojo:
            dojo.register_ws()
            # Whoever starts a flow has a turn, and somebody waits to be alone.
            found.ask("take", mode="shared")
            alone = found.pool.submit(found.station.line().ask, "take", mode="alone")
            assert dojo.run("List Areas")["status"] == "SUCCESS"
            assert not alone.done()
            found.ask("drop")
            alone.result(5)
            answer = dojo.get("/epos")
            assert (answer.status_code, answer.json()["detail"]) == (404, f"an EPOS dials {found.url}")
