"""
The reference EPOS by itself: orders, payments, locks, pages, parties, reservations and events.
"""

from __future__ import annotations

import threading

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from epos_conformance import schema
from epos_conformance._contracts import capabilities
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError
from epos_conformance.reference.records import total_of


class Clock:
    """
    A clock that is moved by hand.
    """

    def __init__(self) -> None:
        self.time = datetime(2027, 3, 2, 19, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def after(self, seconds: float) -> str:
        return (self.time + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def epos(clock: Clock) -> ReferenceEpos:
    return ReferenceEpos(clock=clock)


def pounds(value: int, currency: str = "GBP") -> dict[str, Any]:
    return {"value": value, "currencyCode": currency}


def pay(epos: ReferenceEpos, value: int, intent: str, order: str = "ord-1005", **more: Any) -> Any:
    params = {"orderId": order, "paymentIntentId": intent, "paidAmount": pounds(value), **more}
    return epos.answer("RecordOrderPaymentById", params)


def refused(kind: str) -> Any:
    return pytest.raises(EposError, match=f"^{kind}: ")


def walk(epos: ReferenceEpos, capability: str, limit: int, **filters: Any) -> Iterator[dict[str, Any]]:
    """The pages that ``after`` leads through."""
    cursor: dict[str, Any] = {"limit": limit}
    while True:
        page = epos.answer(capability, {"cursor": cursor, **filters})
        yield page
        if "after" not in page:
            return
        cursor = {"limit": limit, "after": page["after"]}


ORDER = {
    "details": {"orderType": "DineIn", "dineIn": {"tableId": "tbl-1", "waiterId": "w-anna"}},
    "items": [
        {
            "plu": "2001",
            "name": "Fish & Chips",
            "quantity": 2,
            "amountPerItem": pounds(1795),
            "modifiers": [{"plu": "7005", "name": "Chips", "quantity": 2, "amountPerModifier": pounds(475)}],
        }
    ],
    "totalAmount": pounds(5490),
    "dojoOrderId": "dojo-1",
    "payments": [],
}


def test_the_seed_is_a_credible_evening(epos: ReferenceEpos) -> None:
    """
    The venue has what checks need, and every order of it adds up.
    """
    orders = epos.answer("SearchOrders", {"cursor": {"limit": 100}})["data"]
    payable = [each for each in orders if each["payable"]]
    shown = [each.get("displayName") or each["details"]["dineIn"]["tableId"] for each in payable]
    parties = epos.answer("SearchParties", {})["data"]
    seated = [table for each in parties for table in each["tableIds"]]
    tables = {each["id"] for each in epos.answer("SearchTables", {})["data"]}

    assert len(orders) == 30
    assert len(payable) >= 12
    assert all(each["totalAmount"]["value"] == total_of(each) for each in orders)
    assert all(each["createdAt"] <= each["updatedAt"] for each in orders)
    assert {each["status"] for each in orders} >= {"New", "Finalized", "Canceled", "Ready"}
    assert {each["details"]["orderType"] for each in orders} == {"DineIn", "Collection"}
    assert all(each["paidAmount"] == each["totalAmount"] for each in orders if each["status"] == "Finalized")
    assert any(item["amountPerItem"]["value"] < 0 for each in orders for item in each["items"])
    assert any("subItems" in item for each in orders for item in each["items"])
    assert len(set(shown)) == len(shown)
    assert max(map(len, shown)) <= 24
    assert len(set(seated)) == len(seated)
    assert set(seated) < tables
    assert len(tables) == 14


@pytest.mark.parametrize("name", [each for each in capabilities() if each.startswith(("Search", "List"))])
def test_the_seed_keeps_the_contract(epos: ReferenceEpos, name: str) -> None:
    """
    What a search or a list answers satisfies its response schema, to the last page.
    """
    contract = capabilities()[name]
    pages = walk(epos, name, 7) if name.startswith("Search") else [epos.answer(name, {})]

    assert [
        schema.problems(contract.response["rest"], page)
        for page in pages
        if schema.problems(contract.response["rest"], page)
    ] == []


# -- orders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("tableId", "tbl-2"), ("waiterId", "w-chloé"), ("partyId", "pty-3"), ("reservationId", "res-0")],
)
def test_order_filters_narrow(epos: ReferenceEpos, name: str, value: str) -> None:
    """
    A filter answers the orders that it means, all of them, and combines with payableOnly.
    """
    everything = epos.answer("SearchOrders", {"cursor": {"limit": 100}})["data"]
    wanted = [each for each in everything if each["details"].get("dineIn", {}).get(name) == value]

    assert 0 < len(wanted) < len(everything)
    assert epos.answer("SearchOrders", {"dineIn": {name: value}})["data"] == wanted
    assert epos.answer("SearchOrders", {"dineIn": {name: value}, "payableOnly": True})["data"] == [
        each for each in wanted if each["payable"]
    ]


def test_a_created_order_is_kept(epos: ReferenceEpos) -> None:
    """
    An order keeps what was sent, is found at once, and is one however often Dojo sends it.
    """
    made = epos.answer("CreateOrder", {**ORDER, "unknown": 1})
    again = epos.answer("CreateOrder", ORDER)

    assert {name: made[name] for name in ("details", "items", "totalAmount", "payments")} == {
        name: ORDER[name] for name in ("details", "items", "totalAmount", "payments")
    }
    assert "unknown" not in made
    assert again == made == epos.answer("GetOrderById", {"orderId": made["id"]})
    assert epos.answer("SearchOrders", {})["data"][0] == made
    assert epos.answer("CreateOrder", {**ORDER, "dojoOrderId": "dojo-2"})["id"] != made["id"]


def test_an_order_contradicts_itself_in_vain(epos: ReferenceEpos) -> None:
    """
    Two currencies, or details of another type, are refused.
    """
    with refused("InvalidRequest"):
        epos.answer("CreateOrder", {**ORDER, "totalAmount": pounds(5490, "EUR")})
    with refused("InvalidRequest"):
        epos.answer("CreateOrder", {**ORDER, "details": {"orderType": "Collection", "dineIn": {}}})


def test_a_canceled_order_is_over(epos: ReferenceEpos, clock: Clock) -> None:
    """
    A canceled order can be read, and neither paid nor locked.
    """
    clock.wait(5)
    canceled = epos.answer("CancelOrderById", {"orderId": "ord-1005"})

    assert (canceled["status"], canceled["payable"]) == ("Canceled", False)
    assert canceled == epos.answer("GetOrderById", {"orderId": "ord-1005"})
    assert canceled == epos.answer("CancelOrderById", {"orderId": "ord-1005"})
    with refused("Conflict"):
        pay(epos, 1, "pi_1")
    with refused("Conflict"):
        epos.answer("CreateOrderLock", {"orderId": "ord-1005", "lockId": "l", "expiry": clock.after(60)})


def test_a_bill_shows_the_order(epos: ReferenceEpos) -> None:
    """
    The bill satisfies the contract and holds the order as it stands.
    """
    pay(epos, 100, "pi_1")
    bill = epos.answer("GetOrderBillById", {"orderId": "ord-1005"})

    assert schema.problems(capabilities()["GetOrderBillById"].response["rest"], bill) == []
    assert bill["order"] == epos.answer("GetOrderById", {"orderId": "ord-1005"})


# -- payments -----------------------------------------------------------------------------------------------------


def test_payments_add_up(epos: ReferenceEpos) -> None:
    """
    Payments and tips add up apart from each other, the total stays, and the last penny closes the order.
    """
    total = epos.answer("GetOrderById", {"orderId": "ord-1005"})["totalAmount"]
    pay(epos, 1000, "pi_1", tipsAmount=pounds(150))
    almost = pay(epos, total["value"] - 1001, "pi_2")
    paid = pay(epos, 1, "pi_3", tipsAmount=pounds(50))

    assert (almost["payable"], almost["paidAmount"]["value"]) == (True, total["value"] - 1)
    assert (paid["payable"], paid["paidAmount"], paid["totalAmount"]) == (False, total, total)
    assert paid["tipsAmount"] == pounds(200)
    assert [each["paymentIntentId"] for each in paid["payments"]] == ["pi_1", "pi_2", "pi_3"]
    assert pay(epos, 1, "pi_3") == paid


def test_a_replay_counts_once(epos: ReferenceEpos, clock: Clock) -> None:
    """
    A payment intent that comes again is answered with the unchanged order, whatever has happened since.
    """
    pay(epos, 100, "pi_1")
    before = pay(epos, 200, "pi_2")
    clock.wait(1)
    epos.answer("CreateOrderLock", {"orderId": "ord-1005", "lockId": "l", "expiry": clock.after(60)})

    assert pay(epos, 100, "pi_1") == before
    with refused("Conflict"):
        pay(epos, 100, "pi_1", "ord-1006")


@pytest.mark.parametrize("value", [0, -1, 1.5, "1", None, True, 2**63])
def test_bad_amounts_are_invalid(epos: ReferenceEpos, value: Any) -> None:
    """
    An amount that nobody can have paid is an InvalidRequest, and nothing is recorded.
    """
    before = epos.answer("GetOrderById", {"orderId": "ord-1005"})
    with refused("InvalidRequest"):
        pay(epos, value, "pi_1")

    assert epos.answer("GetOrderById", {"orderId": "ord-1005"}) == before


def test_more_than_owed_is_a_conflict(epos: ReferenceEpos) -> None:
    """
    One unit too much, another currency, and anything on a paid order are refused; a tip is not owed.
    """
    total = epos.answer("GetOrderById", {"orderId": "ord-1005"})["totalAmount"]["value"]
    with refused("Conflict"):
        pay(epos, total + 1, "pi_1")
    with refused("Conflict"):
        epos.answer(
            "RecordOrderPaymentById",
            {"orderId": "ord-1005", "paymentIntentId": "pi_1", "paidAmount": pounds(1, "EUR")},
        )
    with refused("InvalidRequest"):
        pay(epos, 1, "pi_1", tipsAmount=pounds(-1))

    assert pay(epos, total, "pi_1", tipsAmount=pounds(500))["payable"] is False
    with refused("Conflict"):
        pay(epos, 1, "pi_2")


def together(calls: list[Any]) -> list[Any]:
    """What *calls* answer or raise when they start at the same instant."""
    gate = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int) -> None:
        gate.wait()
        try:
            results[place] = calls[place]()
        except EposError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(calls))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return results


def test_races_come_out_right(epos: ReferenceEpos, clock: Clock) -> None:
    """
    Of two full payments one is recorded, of many replays one counts, and of two locks one is granted.
    """
    expiry = clock.after(60)
    payments = together([lambda each=each: pay(epos, 3075, f"pi_{each}") for each in range(8)])
    replays = together([lambda: pay(epos, 100, "pi_same", "ord-1006") for _ in range(8)])
    locks = together([
        lambda each=each: epos.answer(
            "CreateOrderLock", {"orderId": "ord-1007", "lockId": f"l-{each}", "expiry": expiry}
        )
        for each in range(8)
    ])

    assert sum(isinstance(each, dict) for each in payments) == 1
    assert epos.answer("GetOrderById", {"orderId": "ord-1005"})["paidAmount"]["value"] == 3075
    assert {each["paidAmount"]["value"] for each in replays} == {100}
    assert sum(isinstance(each, dict) for each in locks) == 1


# -- locks --------------------------------------------------------------------------------------------------------


def lock(epos: ReferenceEpos, lock_id: str, expiry: str, order: str = "ord-1005") -> Any:
    return epos.answer("CreateOrderLock", {"orderId": order, "lockId": lock_id, "expiry": expiry})


def test_a_lock_keeps_others_out(epos: ReferenceEpos, clock: Clock) -> None:
    """
    While a lock is live its holder pays, others neither lock nor pay, and everybody reads.
    """
    locked = lock(epos, "mine", clock.after(60))

    assert locked == epos.answer("GetOrderById", {"orderId": "ord-1005"})
    with refused("Conflict"):
        lock(epos, "theirs", clock.after(60))
    with refused("Conflict"):
        pay(epos, 100, "pi_1", lockId="theirs")
    with refused("Conflict"):
        pay(epos, 100, "pi_1")
    assert lock(epos, "mine", clock.after(90)) == locked
    assert lock(epos, "theirs", clock.after(60), "ord-1006")["id"] == "ord-1006"
    assert pay(epos, 100, "pi_1", lockId="mine")["paidAmount"] == pounds(100)


def test_a_lock_lapses(epos: ReferenceEpos, clock: Clock) -> None:
    """
    A lock frees the order at its expiry, an extended one at the later one.
    """
    lock(epos, "mine", clock.after(10))
    clock.wait(9)
    epos.answer("ExtendOrderLock", {"orderId": "ord-1005", "lockId": "mine", "expiry": clock.after(30)})
    clock.wait(20)
    with refused("Conflict"):
        lock(epos, "theirs", clock.after(60))
    clock.wait(10)

    assert lock(epos, "theirs", clock.after(60))["id"] == "ord-1005"
    with refused("NotFound"):
        epos.answer("ExtendOrderLock", {"orderId": "ord-1005", "lockId": "mine", "expiry": clock.after(30)})


def test_a_deleted_lock_is_gone(epos: ReferenceEpos, clock: Clock) -> None:
    """
    After a deletion the next lock is granted, and the old one is unknown.
    """
    params = {"orderId": "ord-1005", "lockId": "mine"}
    lock(epos, "mine", clock.after(10))
    with refused("NotFound"):
        epos.answer("DeleteOrderLock", {**params, "lockId": "theirs"})

    assert epos.answer("DeleteOrderLock", params)["id"] == "ord-1005"
    assert lock(epos, "theirs", clock.after(60))["id"] == "ord-1005"
    with refused("NotFound"):
        epos.answer("DeleteOrderLock", params)


@pytest.mark.parametrize("expiry", [None, "soon", "2027-03-02T19:30:00", "2027-02-30T19:30:00Z", 5])
def test_an_expiry_is_a_time(epos: ReferenceEpos, expiry: Any) -> None:
    """
    An expiry that is missing or malformed is an InvalidRequest.
    """
    with refused("InvalidRequest"):
        epos.answer("CreateOrderLock", {"orderId": "ord-1005", "lockId": "l", "expiry": expiry})
    with refused("InvalidRequest"):
        epos.answer("CreateOrderLock", {"orderId": "ord-1005", "lockId": "l"})


# -- pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [each for each in capabilities() if each.startswith("Search")])
@pytest.mark.parametrize("limit", [1, 4, 100])
def test_a_walk_meets_each_row_once(epos: ReferenceEpos, name: str, limit: int) -> None:
    """
    ``after`` leads through every row to an end, and ``before`` back through the same pages.
    """
    pages = list(walk(epos, name, limit))
    rows = [row["id"] for page in pages for row in page["data"]]
    back = [pages[-1]]
    while "before" in back[0]:
        back.insert(0, epos.answer(name, {"cursor": {"limit": limit, "before": back[0]["before"]}}))

    assert len(set(rows)) == len(rows) == len(epos.answer(name, {"cursor": {"limit": 100}})["data"])
    assert all(len(page["data"]) <= limit for page in pages)
    assert back == pages


def test_a_walk_stands_changes(epos: ReferenceEpos) -> None:
    """
    Rows that come and go during a walk make it repeat and hide no others.
    """
    expected = [each["id"] for each in epos.answer("SearchReservations", {})["data"]]
    seen = []
    for page in walk(epos, "SearchReservations", 2):
        seen += [each["id"] for each in page["data"]]
        epos.answer("CreateReservation", {**RESERVATION, "dojoReservationId": f"d-{len(seen)}"})
        epos.answer("DeleteReservationById", {"reservationId": seen[-1]})

    assert seen == expected


@pytest.mark.parametrize("name", [each for each in capabilities() if each.startswith("Search")])
def test_bad_cursors_are_invalid(epos: ReferenceEpos, name: str) -> None:
    """
    Both ends at once, limits outside 1 to 100, and cursors of another's making are refused.
    """
    areas = {"SearchOrders": "SearchTables"}.get(name, "SearchOrders")
    foreign = epos.answer(areas, {"cursor": {"limit": 1}})["after"]
    own = epos.answer(name, {"cursor": {"limit": 1}})["after"]
    bad: list[dict[str, Any]] = [{"limit": 0}, {"limit": 101}, {"limit": -1}, {"before": own, "after": own}]
    bad += [{"after": each} for each in ("garbage", "", "é", "W10", foreign)]

    for cursor in bad:
        with refused("InvalidRequest"):
            epos.answer(name, {"cursor": cursor})


# -- tables, parties, reservations, events ------------------------------------------------------------------------


def test_tables_narrow(epos: ReferenceEpos) -> None:
    """
    Tables are found by area, by waiter and by both; their areas are listed.
    """
    areas = {each["id"] for each in epos.answer("ListAreas", {})}
    both = epos.answer("SearchTables", {"areaId": "area-garden", "waiterId": "w-dev"})["data"]

    assert [each["id"] for each in both] == ["gdn-1", "gdn-2"]
    assert {each["areaId"] for each in epos.answer("SearchTables", {})["data"]} == areas
    assert epos.answer("SearchTables", {"areaId": "roof"})["data"] == []


PARTY = {"startTime": "2027-03-02T20:30:00.123456+01:00", "tableIds": ["tbl-6", "gdn-2"], "dojoPartyId": "p-1"}


def test_a_party_lives(epos: ReferenceEpos) -> None:
    """
    A party is seated, found at each of its tables, moved, ended and deleted.
    """
    made = epos.answer("CreateParty", {**PARTY, "status": "", "guestRequests": "nuts!"})
    by_id = {"partyId": made["id"]}

    assert (made["startTime"], made["status"]) == ("2027-03-02T19:30:00.123Z", "Seated")
    assert made["tableIds"] == PARTY["tableIds"]
    for table in PARTY["tableIds"]:
        assert made in epos.answer("SearchParties", {"tableId": table})["data"]
    ended = epos.answer("UpdateParty", {**PARTY, **by_id, "status": "Left", "endTime": "2027-03-02T21:00:00Z"})
    assert "guestRequests" not in ended
    assert ended == epos.answer("GetPartyById", by_id)
    assert ended in epos.answer("SearchParties", {"completedOnly": True})["data"]
    assert ended not in epos.answer("SearchParties", {})["data"]
    assert epos.answer("DeletePartyById", by_id) == {}
    for name, params in (("GetPartyById", {}), ("UpdateParty", {**PARTY, "status": "x"}), ("DeletePartyById", {})):
        with refused("NotFound"):
            epos.answer(name, {**params, **by_id})


RESERVATION = {
    "dojoReservationId": "r-1",
    "name": "Gauss",
    "covers": 2,
    "startTime": "2027-03-10T19:00:00.5Z",
    "endTime": "2027-03-10T21:00:00Z",
    "tableIds": ["bar-1"],
}


def test_a_reservation_lives(epos: ReferenceEpos) -> None:
    """
    A reservation is made, found by table and time, moved and deleted.
    """
    made = epos.answer("CreateReservation", RESERVATION)
    by_id = {"reservationId": made["id"]}
    day = {"fromTime": "2027-03-10T00:00:00+01:00", "toTime": "2027-03-10T23:59:00-01:00"}

    assert made["startTime"] == "2027-03-10T19:00:00.500Z"
    assert made in epos.answer("SearchReservations", {**day, "tableId": "bar-1"})["data"]
    moved = epos.answer(
        "UpdateReservation",
        {**RESERVATION, **by_id, "startTime": "2027-03-11T19:00:00Z", "endTime": "2027-03-11T20:00:00Z"},
    )
    assert epos.answer("SearchReservations", {**day, "tableId": "bar-1"})["data"] == []
    assert epos.answer("GetReservationById", by_id) == moved
    epos.answer("DeleteReservationById", by_id)
    with refused("NotFound"):
        epos.answer("GetReservationById", by_id)


def test_events_come_at_least_once(epos: ReferenceEpos) -> None:
    """
    An event is acknowledged however often it comes, and whatever it is about.
    """
    data = {"paymentIntentId": "pi", "paymentStatus": "Pending", "captureMode": "Auto"}
    event = {
        "id": "e",
        "accountId": "a",
        "event": "payment_intent.sung",
        "data": data,
        "createdAt": "2027-03-02T19:00:00Z",
    }

    assert epos.answer("HandleEvent", event) == epos.answer("HandleEvent", event) == {}
    with refused("InvalidRequest"):
        epos.answer("HandleEvent", {**event, "data": {**data, "paymentStatus": 5}})


def test_ids_are_texts(epos: ReferenceEpos) -> None:
    """
    An id that is missing or no text is an InvalidRequest; leap seconds are times that the till cannot keep.
    """
    for params in ({}, {"orderId": 5}):
        with refused("InvalidRequest"):
            epos.answer("GetOrderById", params)
    with refused("InvalidRequest"):
        epos.answer("SearchReservations", {"fromTime": "2016-12-31T23:59:60Z"})
