"""
The reference EPOS over real HTTP, served in a thread of this process.
"""

from __future__ import annotations

import json
import threading

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from epos_conformance import schema
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import build
from epos_conformance.reference.launch import in_thread


EPOS_ERROR = {"$ref": "urn:epos:common#/$defs/EPOSError"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with in_thread(ReferenceEpos()) as running:
        yield running.url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, auth=("dojo", "reference")) as found:
        yield found


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and errorType, of an error that is an EPOSError through and through."""
    body = response.json()
    assert schema.problems(EPOS_ERROR, body) == []
    assert body["debugMessage"]
    assert body["traceId"]
    assert response.headers["content-type"] == "application/json"
    return response.status_code, body["errorType"]


def test_ids_are_percent_decoded(client: httpx.Client) -> None:
    """
    Ids with slashes, spaces and accents are found, encoded as a whole or not.
    """
    order = client.get(f"/v1/orders/{quote('T7/2 é', safe='')}")
    bill = client.get(f"/v1/orders/{quote('T7/2 é', safe='')}/bill")
    plain = client.get("/v1/orders/%6Frd-1005")

    assert order.json()["id"] == bill.json()["order"]["id"] == "T7/2 é"
    assert plain.json()["id"] == "ord-1005"
    assert error_of(client.get("/v1/orders/T7/2")) == (404, "NotFound")
    assert error_of(client.get("/v1/orders/%FF")) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic ZG9qbw==",
        "Bearer ZG9qbzpyZWZlcmVuY2U=",
        "Basic ZG9qbzp3cm9uZw==",
        "Basic éé",
    ],
)
def test_strangers_are_refused_first(url: str, authorization: str | None) -> None:
    """
    Without the right credentials every request, known or not, is refused with 401.
    """
    headers = {} if authorization is None else {b"authorization": authorization.encode()}
    for method, path in (("GET", "/v1/areas"), ("POST", "/v1/orders"), ("GET", "/nothing"), ("PATCH", "/v1/areas")):
        response = httpx.request(method, url + path, headers=headers)

        assert error_of(response) == (401, "InvalidRequest")
        assert response.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b" ", b"null", b"\xff", b'{"items": NaN}', b"[" * 100_000])
def test_bodies_are_json_objects(client: httpx.Client, body: bytes) -> None:
    """
    Whatever is no object is refused where members are required; nothing at all is an empty search.
    """
    searched = client.post("/v1/orders/search", content=body)

    assert error_of(client.post("/v1/orders", content=body)) == (400, "InvalidRequest")
    if body.strip():
        assert error_of(searched) == (400, "InvalidRequest")
    else:
        assert searched.json()["data"]


def test_odd_values_are_no_crash(client: httpx.Client) -> None:
    """
    Texts that no encoding holds and numbers without end are refused; 5.0 is five.
    """
    lonely = b'{"dineIn": {"tableId": "\\ud800"}}'

    assert client.post("/v1/orders/search", content=lonely).status_code in (200, 400)
    assert error_of(client.post("/v1/orders", content=lonely)) == (400, "InvalidRequest")
    assert error_of(client.post("/v1/orders/search", content=b'{"cursor": {"limit": 1e999}}'))[0] == 400
    assert error_of(client.post("/v1/orders/search", content=b'{"cursor": {"limit": ' + b"9" * 5000 + b"}}"))[0] == 400
    assert len(client.post("/v1/orders/search", content=b'{"cursor": {"limit": 5.0}}').json()["data"]) == 5


def test_unknown_addresses_are_told(client: httpx.Client) -> None:
    """
    An unknown path is 404, an unknown method 405 with those that are known.
    """
    wrong = client.put("/v1/orders/search", json={})

    assert error_of(client.get("/v1/nothing")) == (404, "NotFound")
    assert error_of(client.get("/v1/orders/")) == (404, "NotFound")
    assert error_of(wrong) == (405, "InvalidRequest")
    assert set(wrong.headers["allow"].split(", ")) == {"POST", "GET", "DELETE"}
    assert client.head("/v1/areas").status_code == 405


def test_answers_are_as_published(client: httpx.Client) -> None:
    """
    SearchTables answers one page, deletions an empty body, events an empty object.
    """
    party = {"startTime": "2027-03-02T20:30:00Z", "tableIds": ["tbl-6"], "dojoPartyId": "p-1"}
    made = client.post("/v1/parties", json=party).json()
    deleted = client.delete(f"/v1/parties/{made['id']}")
    event = {
        "id": "e",
        "accountId": "a",
        "event": "payment_intent.created",
        "data": {"paymentIntentId": "pi", "paymentStatus": "Created", "captureMode": "Auto"},
        "createdAt": "2027-03-02T20:30:00Z",
    }

    assert len(client.post("/v1/tables/search", json={}).json()["data"]) == 14
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert client.post("/v1/events", json=event).json() == {}
    assert error_of(client.delete(f"/v1/parties/{made['id']}")) == (404, "NotFound")


@pytest.mark.parametrize("side_by_side", [False, True])
def test_races_over_http(side_by_side: bool) -> None:
    """
    Of full payments at the same instant one is recorded, the others are conflicts.
    """
    epos = ReferenceEpos()
    epos.side_by_side = side_by_side
    gate = threading.Barrier(6)

    def pay(place: int) -> int:
        body: dict[str, Any] = {"paymentIntentId": f"pi_{place}", "paidAmount": {"value": 3075, "currencyCode": "GBP"}}
        with httpx.Client(auth=("dojo", "reference")) as client:
            gate.wait()
            return client.post(f"{running.url}/v1/orders/ord-1005/record-payment", json=body).status_code

    with in_thread(epos) as running, ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(pay, range(6)))

    assert statuses == [200, 409, 409, 409, 409, 409]
    assert len(epos.orders["ord-1005"].payments) == 1


def test_a_crash_is_an_unexpected_error() -> None:
    """
    An exception of the till's own is told as UnexpectedError, with status 500.
    """
    with in_thread(build(["deletions-crash"])[1]) as running:
        response = httpx.delete(f"{running.url}/v1/parties/pty-1", auth=("dojo", "reference"))

        assert error_of(response) == (500, "UnexpectedError")


@pytest.mark.parametrize("name", ["chunked-bodies", "gzipped-bodies", "odd-header-case", "closing-connections"])
def test_the_wire_varies(name: str) -> None:
    """
    However a body travels, a client reads the same.
    """
    with in_thread(build([], [name])[1]) as running, httpx.Client(auth=("dojo", "reference")) as client:
        response = client.get(f"{running.url}/v1/areas")
        deleted = client.delete(f"{running.url}/v1/parties/pty-1")
        sent = {
            "chunked-bodies": response.headers.get("transfer-encoding") == "chunked",
            "gzipped-bodies": response.headers.get("content-encoding") == "gzip",
            "odd-header-case": any(key == b"CONTENT-TYPE" for key, _ in response.headers.raw),
            "closing-connections": response.headers.get("connection") == "close",
        }

        assert sent[name]
        assert json.loads(response.text)[0]["id"] == "area-main"
        assert (deleted.status_code, deleted.content) == (200, b"")


def test_the_date_is_by_the_tills_clock() -> None:
    """
    The header Date tells the time that locks lapse by.
    """
    with in_thread(build([], ["clock-ahead"])[1]) as ahead, in_thread(build([], ["clock-behind"])[1]) as behind:
        dates = [httpx.get(f"{each.url}/v1/areas").headers["date"] for each in (ahead, behind)]

    assert dates[0] != dates[1]
