"""
A check's partner finds or makes what the check needs, says what is missing, and takes away what was made: at real
EPOS systems of several kinds.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import threading
import time

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from starlette.responses import Response

from epos_conformance import _contracts, supply
from epos_conformance._contracts import Capability
from epos_conformance._session import Session
from epos_conformance._settings import KnownData
from epos_conformance.exceptions import Inconclusive, Unauthorized, Unreachable
from epos_conformance.partner import MOST_ATTEMPTS, Partner
from epos_conformance.rest import encode

from .place import Place, refusing, variants


def capability(name: str) -> Capability:
    return _contracts.capabilities()[name]


def missing(found: Partner, kind: str) -> str:
    """Why there is no *kind*."""
    with pytest.raises(Inconclusive) as caught:
        found.existing(kind)
    return str(caught.value)


# What is made is removed


@pytest.mark.parametrize(("thing", "kept_in"), [("party", "parties"), ("reservation", "reservations")])
def test_what_is_made_is_there_for_the_check_and_gone_after_it(place: Place, thing: str, kept_in: str) -> None:
    found, before = place.partner(), set(getattr(place.epos, kept_in))
    id = found.make(thing).ids[f"{thing}Id"]
    assert set(getattr(place.epos, kept_in)) - before == {id}
    assert found.existing(f"own-{thing}") != id
    found.clean_up()
    assert set(getattr(place.epos, kept_in)) == before
    assert found.leftovers == []


def test_an_order_that_is_made_is_canceled(place: Place) -> None:
    found = place.partner()
    id = found.existing("own-order")
    assert place.epos.orders[id].status != "Canceled"
    found.clean_up()
    assert place.epos.orders[id].status == "Canceled"


def test_the_newest_goes_first(place: Place) -> None:
    found = place.partner()
    made = [found.make("reservation").ids["reservationId"], found.make("party").ids["partyId"]]
    place.asked.clear()
    found.clean_up()
    assert place.asked == [f"DELETE /v1/parties/{made[1]}", f"DELETE /v1/reservations/{made[0]}"]
    found.clean_up()
    assert len(place.asked) == 2


def test_what_a_check_sends_raw_is_removed_too(place: Place) -> None:
    found = place.partner()
    body = found.request(capability("CreateParty"))
    id = found.send_to(capability("CreateParty"), {}, encode(body)).json["id"]
    assert id in place.epos.parties
    found.clean_up()
    assert id not in place.epos.parties


def test_what_a_check_has_removed_itself_is_not_removed_again(place: Place) -> None:
    found = place.partner()
    found.call("DeletePartyById", found.ids(capability("DeletePartyById")))
    asked = len(place.asked)
    found.clean_up()
    assert len(place.asked) == asked


def test_a_removal_that_is_refused_does_not_count(place: Place) -> None:
    found = place.partner()
    id = found.existing("own-party")
    place.instead = refusing("DELETE", times=1)
    assert found.call("DeletePartyById", {"partyId": id}).refused
    found.clean_up()
    assert id not in place.epos.parties


def test_what_can_not_be_removed_is_told_and_the_rest_is_removed(place: Place) -> None:
    found = place.partner()
    party, reservation = found.existing("own-party"), found.existing("own-reservation")
    place.instead = refusing("DELETE /v1/reservations")
    found.clean_up()
    assert found.leftovers == [
        f"reservation reservationId {reservation} (DeleteReservationById answered status 409, Conflict: not today)"
    ]
    assert party not in place.epos.parties


def test_a_check_that_fails_leaves_nothing_behind(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, original = set(place.epos.parties), place.shell.success

    def miscounted(capability: Capability, result: Any) -> Response:
        return original(capability, {**result, "covers": "two"} if capability.name == "CreateParty" else result)

    monkeypatch.setattr(place.shell, "success", miscounted)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([
            *("-q", "-p", "no:cacheprovider", "-p", "no:allure_pytest", "-p", "epos_conformance.plugin"),
            *(f"--partner-url={place.url}", "--partner-auth=dojo:reference", "-k", "CreateParty.answer-matches-schema"),
            "--capabilities=CreateParty,DeletePartyById,SearchTables,SearchParties",
        ])
    certificate = json.loads((tmp_path / "reports" / "certificate.json").read_text("utf-8"))
    outcomes = {each["outcome"]: each["message"] for each in certificate["checks"]}
    assert list(outcomes) == ["violates"], outcomes
    assert "POST /v1/parties" in place.asked
    assert set(place.epos.parties) == before
    assert certificate["leftovers"] == []


def test_cleaning_up_fails_nothing_where_the_partner_is_gone(place: Place) -> None:
    found = place.partner()
    id = found.existing("own-party")
    place.vanish()
    found.clean_up()
    assert len(found.leftovers) == 1
    assert found.leftovers[0].startswith(f"party partyId {id} (DeletePartyById: ")


def test_a_party_that_nothing_removes_is_told(place: Place) -> None:
    session = place.session()
    session.offered = session.offered - {"DeletePartyById"}
    found = Partner(session)
    id = found.existing("own-party")
    found.clean_up()
    assert found.leftovers == [f"party partyId {id} (DeletePartyById isn't offered)"]


# One order for many checks


def test_an_own_order_is_made_once_and_used_by_every_check(place: Place) -> None:
    session = place.session()
    used = set()
    for _ in range(3):
        found = Partner(session)
        used |= {found.existing("payable-order"), found.existing("payable-order")}
        found.clean_up()
        assert found.leftovers == []
    (id,) = used
    assert place.asked.count("POST /v1/orders") == 1
    assert place.epos.orders[id].status != "Canceled"
    assert session.close() == []
    assert place.epos.orders[id].status == "Canceled"


@pytest.mark.parametrize("thing", ["party", "reservation"])
def test_a_changeable_thing_is_made_once_too(place: Place, thing: str) -> None:
    session = place.session()
    ids = {Partner(session).existing(f"changeable-{thing}") for _ in range(3)}
    assert len(ids) == 1
    session.close()
    assert not ids & {*place.epos.parties, *place.epos.reservations}


def test_payments_on_an_own_order_go_with_it(place: Place) -> None:
    found = place.partner()
    assert found.attempt(capability("RecordOrderPaymentById"), capability("RecordOrderPaymentById").examples[0]).status
    found.clean_up()
    assert place.asked[-1].endswith("/record-payment")
    assert found.leftovers == []


@variants("three-orders-no-creation")
def test_payments_on_an_order_of_the_venues_stay(place: Place) -> None:
    found = place.partner()
    exchange = found.attempt(capability("RecordOrderPaymentById"), capability("RecordOrderPaymentById").examples[0])
    assert exchange.succeeded
    found.clean_up()
    # Those that showed which orders take payments at all stay, too.
    assert len(found.leftovers) == 1 + 3
    for left in found.leftovers:
        assert re.fullmatch(r"payment orderId ord-\d+, paymentIntentId pi_sandbox_\w+ \(nothing removes it\)", left)


@variants("three-orders-no-creation")
def test_orders_of_the_venue_are_used_by_one_check_at_a_time(place: Place) -> None:
    """
    Six processes, as it were, want one of three orders, again and again.
    """
    sessions = [place.session() for _ in range(6)]
    guard, using, most, used = threading.Lock(), set[str](), [0], set[str]()

    def work(session: Session) -> None:
        for _ in range(4):
            found = Partner(session)
            id = found.existing("payable-order")
            with guard:
                assert id not in using
                using.add(id)
                used.add(id)
                most[0] = max(most[0], len(using))
            time.sleep(0.03)
            with guard:
                using.remove(id)
            found.clean_up()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, sessions))
    assert most[0] > 1
    assert used <= set(place.epos.orders)
    assert "POST /v1/orders" not in place.asked


@variants("three-orders-no-creation")
def test_where_every_order_is_in_use_the_check_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply, "LEASE_WAIT", 0.1)
    others = [place.partner() for _ in range(3)]
    assert len({each.existing("payable-order") for each in others}) == 3
    late = place.partner()
    assert missing(late, "payable-order") == (
        "no order that may be paid was free within 0.1 s: other checks use all 3; name more as data.orders in "
        "partner.toml, or run fewer processes"
    )
    others[1].clean_up()
    assert late.existing("payable-order")


@variants("three-orders-no-creation")
def test_the_lease_ends_also_where_cleaning_up_reaches_nobody(place: Place) -> None:
    found = place.partner()
    id = found.lock().ids["orderId"]
    place.vanish()
    found.clean_up()
    assert [each.partition(" ")[0] for each in found.leftovers] == ["lock", *["payment"] * 3]
    lease = place.leases.take(id)
    assert lease is not None
    lease.release()


@variants("three-orders-no-creation")
def test_orders_that_are_named_are_the_ones_that_are_used(place: Place) -> None:
    *_, last = place.epos.orders
    found = place.partner(data=KnownData(orders=(last,)))
    assert found.existing("payable-order") == found.existing("order") == last
    assert place.asked == []


def test_orders_that_are_named_are_preferred_to_own_ones(place: Place) -> None:
    found = place.partner(data=KnownData(orders=("ord-1005",)))
    assert found.existing("payable-order") == "ord-1005"
    assert place.asked == []


# Locks


def test_a_lock_is_held_once_and_released(place: Place) -> None:
    found = place.partner()
    held = found.lock()
    assert found.lock() is held
    assert found.ids(capability("ExtendOrderLock")) == held.ids
    assert place.epos.locks[held.ids["orderId"]].id == held.ids["lockId"]
    found.clean_up()
    assert place.epos.locks == {}
    assert found.leftovers == []


def test_before_another_lock_the_first_is_released(place: Place) -> None:
    found = place.partner()
    first = found.lock()
    create = capability("CreateOrderLock")
    assert found.attempt(create, create.examples[0]).succeeded
    assert [each.id for each in place.epos.locks.values()] != [first.ids["lockId"]]
    assert place.asked.count("POST /v1/orders") == 1
    found.clean_up()
    assert place.epos.locks == {}


def test_a_lock_that_is_refused_is_told_in_the_partners_words(place: Place) -> None:
    place.instead = refusing("POST /v1/orders/")
    with pytest.raises(Inconclusive) as caught:
        place.partner().lock()
    # The search is at such a path, too.
    assert str(caught.value) == (
        "needs a locked order, but CreateOrderLock was not carried out: status 409, Conflict: not today"
    )


@variants("pay-at-table-only")
def test_a_lock_needs_somebody_who_locks(place: Place) -> None:
    with pytest.raises(Inconclusive, match="but CreateOrderLock isn't offered"):
        place.partner().lock()


def test_an_order_that_stays_locked_is_not_used_again(place: Place) -> None:
    session = place.session()
    found = Partner(session)
    locked = found.lock().ids["orderId"]
    place.instead = refusing(f"DELETE /v1/orders/{locked}/")
    found.clean_up()
    assert len(found.leftovers) == 1
    assert Partner(session).existing("payable-order") != locked
    session.close()
    assert place.epos.orders[locked].status == "Canceled"


# Read-only


@pytest.mark.parametrize(
    ("kind", "thing", "plural"),
    [
        ("own-order", "order", "orders"),
        ("own-party", "party", "parties"),
        ("changeable-reservation", "reservation", "reservations"),
    ],
)
def test_reading_only_makes_nothing(place: Place, kind: str, thing: str, plural: str) -> None:
    reason = missing(place.partner(read_only=True), kind)
    assert reason == f"needs an own {thing}, which --read-only forbids; name {plural} under [data] in partner.toml"
    assert place.asked == []


def test_reading_only_reads_what_is_there(place: Place) -> None:
    found = place.partner(read_only=True)
    assert found.existing("party") in place.epos.parties
    assert found.existing("payable-order") in place.epos.orders
    assert all(each.endswith("/search") for each in place.asked)


# Ids that do not exist


@pytest.mark.parametrize(
    ("place", "form"),
    [
        ((), r"[a-z]{3}-\d{4}\d+"),
        (("uuid-ids",), r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        (("number-ids",), r"9\d+"),
    ],
    ids=["words", "uuids", "numbers"],
    indirect=["place"],
)
@pytest.mark.parametrize("name", ["GetOrderById", "RecordOrderPaymentById"])
def test_an_unknown_id_is_written_like_a_known_one(place: Place, form: str, name: str) -> None:
    found = place.partner()
    params = found.unknown(capability(name))
    assert re.fullmatch(form, params["orderId"])
    assert params["orderId"] not in place.epos.orders
    assert set(params) == {"orderId", *found.body(capability(name))}
    exchange = found.call(name, params)
    assert exchange.error is not None
    assert exchange.error.type == "NotFound"


def test_unknown_ids_differ_every_time(place: Place) -> None:
    found = place.partner()
    assert len({found.unknown(capability("GetPartyById"))["partyId"] for _ in range(20)}) == 20


def test_an_unknown_lock_is_of_an_unknown_order(place: Place) -> None:
    ids = place.partner().unknown(capability("DeleteOrderLock"))
    assert set(ids) == {"orderId", "lockId"}
    assert "POST" not in {each.partition(" ")[0] for each in place.asked if not each.endswith("/search")}


# Attempts


def test_refused_data_is_followed_by_other_data(place: Place) -> None:
    place.instead = refusing("POST /v1/parties", times=MOST_ATTEMPTS - 1)
    found, create = place.partner(), capability("CreateParty")
    place.instead = _but_searches(place.instead)
    exchange = found.attempt(create, create.examples[-1])
    assert exchange.succeeded
    sent = [body for asked, body in zip(place.asked, place.bodies, strict=True) if asked == "POST /v1/parties"]
    assert len(sent) == MOST_ATTEMPTS
    assert len({tuple(each["tableIds"]) for each in sent}) == MOST_ATTEMPTS
    assert len({each["startTime"][: len("2027-03-02T20:15")] for each in sent}) == MOST_ATTEMPTS


def _but_searches(instead: Callable[[str], Response | None]) -> Callable[[str], Response | None]:
    return lambda asked: None if asked.endswith("/search") else instead(asked)


def test_after_some_refusals_it_is_given_up(place: Place) -> None:
    place.instead = _but_searches(refusing("POST /v1/parties"))
    found = place.partner()
    with pytest.raises(Inconclusive) as caught:
        found.make("party")
    assert str(caught.value) == (
        "needs an own party, but CreateParty was not carried out: status 409, Conflict: not today; "
        "name parties under [data] in partner.toml"
    )
    assert place.asked.count("POST /v1/parties") == MOST_ATTEMPTS


def test_a_crash_is_no_refusal_and_is_not_tried_again(place: Place) -> None:
    place.instead = lambda asked: Response("oops", 500) if asked == "POST /v1/parties" else None
    found, create = place.partner(), capability("CreateParty")
    assert found.attempt(create, create.examples[0]).crashed
    assert place.asked.count("POST /v1/parties") == 1


def test_a_read_that_is_refused_is_not_tried_again(place: Place) -> None:
    place.instead = refusing("POST /v1/orders/search")
    found, search = place.partner(), capability("SearchOrders")
    assert found.attempt(search, search.examples[0]).refused
    assert place.asked.count("POST /v1/orders/search") == 1


def test_of_a_body_some_members_are_sent_and_others_added(place: Place) -> None:
    found, pay = place.partner(), capability("RecordOrderPaymentById")
    exchange = found.attempt(
        pay, pay.examples[-1], only={"paymentIntentId", "paidAmount"}, extra={"more": 1}, headers={"device-id": "d"}
    )
    assert exchange.succeeded
    assert set(place.bodies[-1]) == {"paymentIntentId", "paidAmount", "more"}
    assert "dojo-requesting-product" not in dict(exchange.sent.headers)


@variants("strict-till")
def test_a_till_that_knows_its_business_takes_what_is_made(place: Place) -> None:
    session = place.session()
    for _ in range(3):
        found = Partner(session)
        for thing in ("order", "party", "reservation", "party", "reservation"):
            found.make(thing)
        found.clean_up()
        assert found.leftovers == []


@variants("euro-venue")
def test_prices_are_in_the_venues_currency(place: Place) -> None:
    found = place.partner()
    order = place.epos.orders[found.existing("payable-order")]
    assert order.currency == "EUR"
    payment = found.request(capability("RecordOrderPaymentById"))
    assert payment["paidAmount"] == {"value": 1, "currencyCode": "EUR"}
    assert found.call("RecordOrderPaymentById", payment).succeeded


# What is missing is named


@variants("empty-venue")
def test_a_venue_without_tables_is_asked_to_name_some(place: Place) -> None:
    found = place.partner()
    with pytest.raises(Inconclusive) as caught:
        found.request(capability("CreateParty"))
    reason = str(caught.value)
    assert reason.startswith("no test data for a valid CreateParty request (")
    assert "tableIds" in reason
    assert "SearchTables finds nothing; " in reason
    assert reason.endswith("name some under [data] in partner.toml")


@variants("empty-venue", "pay-at-table-only")
def test_a_venue_without_orders_is_asked_to_name_some(place: Place) -> None:
    session = place.session()
    expected = "needs an own order, but CreateOrder isn't offered; name orders under [data] in partner.toml"
    assert missing(Partner(session), "order") == expected
    assert missing(Partner(session), "own-order") == expected
    assert missing(Partner(session), "payable-order").startswith("no order that may be paid: ")
    assert place.asked == ["POST /v1/orders/search"]


@variants("empty-venue", "pay-at-table-only")
def test_without_a_payable_order_the_search_is_what_is_told(place: Place) -> None:
    assert missing(place.partner(), "payable-order") == (
        "no order that may be paid: SearchOrders finds nothing; name some as data.orders in partner.toml"
    )


def test_what_could_not_be_made_once_is_not_tried_by_every_check(place: Place) -> None:
    place.instead = _but_searches(refusing("POST /v1/reservations"))
    session = place.session()
    reasons = {missing(Partner(session), "changeable-reservation") for _ in range(3)}
    assert len(reasons) == 1
    assert place.asked.count("POST /v1/reservations") == MOST_ATTEMPTS


@variants("pay-at-table-only")
def test_who_offers_little_is_read_from_what_there_is(place: Place) -> None:
    found = place.partner()
    assert found.offers("SearchOrders")
    assert not found.offers("CreateOrder")
    assert found.existing("order") in place.epos.orders
    assert place.epos.is_payable(place.epos.orders[found.existing("payable-order")])


@pytest.mark.parametrize(
    ("name", "data"),
    [("GetOrderById", {"orders": ("ghost",)}), ("UpdateParty", {"parties": ("ghost",)})],
)
def test_a_named_id_that_is_not_known_is_the_users_mistake(place: Place, name: str, data: dict[str, Any]) -> None:
    found = place.partner(data=KnownData(**data))
    with pytest.raises(Inconclusive) as caught:
        found.attempt(capability(name), capability(name).examples[0])
    assert str(caught.value).startswith("'ghost', named in partner.toml, is not known to the EPOS: status 404")


# Asking


def test_every_exchange_of_the_check_is_kept(place: Place) -> None:
    found = place.partner()
    first = found.call("ListAreas")
    second = found.send("GET", f"{place.url}/v1/nothing")
    assert found.exchanges == [first, second]
    place.vanish()
    with pytest.raises(Inconclusive):
        found.call("SearchOrders", {})
    assert len(found.exchanges) == 3
    assert found.exchanges[-1].failure is not None


def test_credentials_of_the_checks_own_may_be_refused(place: Place) -> None:
    found = place.partner()
    assert found.send("GET", f"{place.url}/v1/areas", authorization=None).status == 401
    assert found.send("GET", f"{place.url}/v1/areas", authorization="Basic eDp5").status == 401
    found.rest.authorization = "Basic eDp5"
    with pytest.raises(Unauthorized):
        found.send("GET", f"{place.url}/v1/areas")
    with pytest.raises(Unauthorized):
        found.call("ListAreas")


def test_a_partner_that_is_gone_is_gone_for_raw_requests_too(place: Place) -> None:
    found = place.partner()
    place.vanish()
    for _ in range(3):
        with pytest.raises(Unreachable):
            found.send("GET", f"{place.url}/v1/areas", authorization=None)
    with pytest.raises(Unreachable, match="3 calls in a row"):
        found.send("GET", f"{place.url}/v1/areas", authorization=None)
    assert len(found.exchanges) == 3


def test_the_waiter_is_one_of_the_venues(place: Place) -> None:
    headers = place.partner().all_headers()
    assert headers["waiter-id"] in {waiter for table in place.epos.venue.tables for waiter in table["waiterIds"]}
    assert len(headers) == 4


@variants("empty-venue")
def test_where_no_waiter_is_known_none_is_named(place: Place) -> None:
    assert "waiter-id" not in place.partner().all_headers()
