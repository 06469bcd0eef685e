"""
The reference EPOS and Dojo: what it registers, tells and asks, in this process and in one of its own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from epos_conformance import _suite
from epos_conformance._loops import until_hung_up
from epos_conformance.reference import cli, dojo, launch, server
from epos_conformance.reference.dojo import NotRegisteredError
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError
from epos_conformance.reference.faults import build, build_link
from epos_conformance.reference.sockets import KEY, RESELLER, SOFTWARE_HOUSE

from .hearing_dojo import EVERY_NAME, INTENT, TOLD, Dojo, free_port, linked, live, money, new_order, opened, pay, story
from .support import partner_that
from .tills import until


COMMAND = [sys.executable, "-m", "epos_conformance.reference"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(_suite.__file__).parents[1])}


@pytest.fixture
def there() -> Iterator[Dojo]:
    with opened() as found:
        yield found


def refused(epos: ReferenceEpos, order_id: str, **more: Any) -> str:
    """How a payment is refused."""
    with pytest.raises(EposError) as found:
        pay(epos, order_id, **more)
    return str(found.value)


# -- registration -------------------------------------------------------------------------------------------------


def test_registers_the_full_list(there: Dojo) -> None:
    """
    Over either transport all that is offered is registered, by the names that Dojo has for it.
    """
    with linked(there.url, variants=("one-order-no-creation",)) as (epos, link):
        link.register(ReferenceEpos().offered(), "rest", url="https://till.example/dojo", auth="till:pa:ss")
        link.register(epos.offered(), "ws")

    every = [{"name": each, "version": "v1"} for each in EVERY_NAME]
    fewer = [each for each in every if each["name"] not in ("CreateOrder", "CancelOrderById")]
    assert "HandleEvent:payment_intent.created" in EVERY_NAME
    assert there.registered == {
        "rest": {
            "url": "https://till.example/dojo",
            "auth": {"authType": "basic", "basic": {"username": "till", "password": "pa:ss"}},
            "capabilities": every,
        },
        "ws": {"capabilities": fewer},
    }


def test_a_refused_registration_is_a_line(there: Dojo) -> None:
    """
    What Dojo says to a wrong key, and silence, are told in a line without the key.
    """
    with build_link(url=there.url, key="sk_sandbox_wrong") as link:
        with pytest.raises(NotRegisteredError, match="HTTP 401 Unauthorized") as found:
            link.register(["ListAreas"], "ws")
        assert "sk_" not in str(found.value)
    nobody = f"http://127.0.0.1:{free_port()}"
    with build_link(url=nobody) as link, pytest.raises(NotRegisteredError, match="no connection"):
        link.register(["ListAreas"], "ws")


# -- events -------------------------------------------------------------------------------------------------------


def test_tells_what_changes(there: Dojo) -> None:
    """
    What is made, changed and removed is told in that order; locks, reads, repeats and refusals are not.
    """
    found = story(there)

    [order] = {each["event"].get("orderId") for each in found.events} - {None}
    [party] = {each["event"].get("partyId") for each in found.events} - {None}
    [reservation] = {each["event"].get("reservationId") for each in found.events} - {None}
    assert found.events == [
        *[{"eventType": "OrderUpdated", "event": {"orderId": order}}] * 3,
        *[{"eventType": "PartyUpdated", "event": {"partyId": party}}] * 3,
        *[{"eventType": "ReservationUpdated", "event": {"reservationId": reservation}}] * 3,
    ]
    headers = (f"Basic {KEY}", SOFTWARE_HOUSE, RESELLER, dojo.VERSION)
    assert found.headers == [dict(zip(TOLD, headers, strict=True))] * 9


def test_without_a_link_nothing_is_said() -> None:
    """
    A till on its own tells nobody and asks nobody, and its calls need no threads.
    """
    epos = ReferenceEpos()
    live(epos)

    assert epos.dojo is None
    assert not epos.in_threads


def test_telling_neither_delays_nor_fails_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A Dojo that is not there, or that takes connections and says nothing, costs a call nothing; the end is bounded.
    """
    monkeypatch.setattr(dojo, "PATIENCE", 0.4)
    monkeypatch.setattr(dojo, "LAST_WORDS", 0.6)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port, why in ((free_port(), "no connection"), (silent.getsockname()[1], "no answer within 0.4 s")):
            said: list[str] = []
            started = time.monotonic()
            with linked(f"http://127.0.0.1:{port}") as (epos, link):
                link.say = said.append
                for number in range(5):
                    new_order(epos, f"dojo-{number}")
                assert time.monotonic() - started < 0.3
            assert time.monotonic() - started < 2
            assert said == [f"cannot tell Dojo of events: {why}"]


def test_events_survive_a_connection_that_fails() -> None:
    """
    A Dojo that comes a moment later is told all the same, and in order.
    """
    found, port = Dojo(), free_port()
    with linked(f"http://127.0.0.1:{port}") as (epos, link):
        ids = [new_order(epos, "dojo-1"), new_order(epos, "dojo-2")]
        time.sleep(0.2)
        listening = server.listen("127.0.0.1", port)
        serving = server.Server(found.app, lambda: None)
        thread = threading.Thread(target=lambda: asyncio.run(until_hung_up(serving.serve([listening]))), daemon=True)
        thread.start()
        assert link.flush(5)
        serving.should_exit = True
        thread.join(5)
        listening.close()

    assert [each["event"]["orderId"] for each in found.events] == ids


def test_refused_events_are_told_once(there: Dojo) -> None:
    """
    However many events Dojo refuses for one reason, it is a line.
    """
    said: list[str] = []
    there.status = 403
    with linked(there.url) as (epos, link):
        link.say = said.append
        live(epos)

    assert sorted(said) == [
        "Dojo refused an event: HTTP 403 Not now",
        "cannot ask Dojo for a payment intent: HTTP 403 Not now",
    ]


def test_what_is_still_to_be_told_is_told_at_the_end(there: Dojo) -> None:
    """
    Switched off, a till that collects its events tells them at once; who comes later is not heard.
    """
    started = time.monotonic()
    with linked(there.url, variants=("dojo-hears-late",)) as (epos, link):
        order = new_order(epos)
        assert there.events == []
    link.tell("OrderUpdated", "too-late")

    assert time.monotonic() - started < 0.9
    assert [each["event"] for each in there.events] == [{"orderId": order}]


# -- payment intents ----------------------------------------------------------------------------------------------


def test_intents_are_looked_up(there: Dojo) -> None:
    """
    A payment is recorded where Dojo has captured that amount, without the tip; otherwise it is refused in words.
    """
    with linked(there.url) as (epos, _):
        order = new_order(epos)
        told = [refused(epos, order)]
        for given in (("Created", 100, "GBP"), ("Captured", 101, "GBP"), ("Captured", 100, "EUR")):
            there.has(*given)
            told.append(refused(epos, order))
        there.has(value=100)
        paid = pay(epos, order, tipsAmount=money(20))

    assert told == [
        f"NotFound: there is no payment intent '{INTENT}'",
        f"Conflict: payment intent '{INTENT}' is Created at Dojo, not Captured",
        f"Conflict: payment intent '{INTENT}' took 101 GBP at Dojo, not 100 GBP",
        f"Conflict: payment intent '{INTENT}' took 100 EUR at Dojo, not 100 GBP",
    ]
    assert (paid["paidAmount"]["value"], paid["tipsAmount"]["value"]) == (100, 20)


def test_a_replay_is_answered_whatever_became_of_the_intent(there: Dojo) -> None:
    """
    A payment that is recorded stays recorded when Dojo sends it again, also where the money has gone back meanwhile.
    """
    with linked(there.url) as (epos, _):
        order = new_order(epos)
        pay(epos, order, there.has())
        there.has("Refunded")

        assert pay(epos, order)["paidAmount"]["value"] == 100


def test_ids_are_encoded(there: Dojo) -> None:
    """
    An intent is asked for by exactly its id.
    """
    odd = there.has(id="pi_1/2?x=é %41")
    with linked(there.url) as (epos, _):
        pay(epos, new_order(epos), odd)

    assert there.asked == [odd]


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_payments_are_taken_where_dojo_cannot_be_asked(there: Dojo, status: int) -> None:
    """
    The guest has paid: what keeps Dojo from saying so is no reason to refuse.
    """
    there.status = status
    with linked(there.url) as (epos, _):
        assert pay(epos, new_order(epos))["paidAmount"]["value"] == 100


def test_a_look_up_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A Dojo that is not there, that hangs or that talks nonsense holds a payment up for its time and no longer.
    """
    monkeypatch.setattr(dojo, "PATIENCE", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as silent, partner_that(_nonsense) as nonsense:
        hangs = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for url in (f"http://127.0.0.1:{free_port()}", hangs, nonsense):
            with build_link(url=url) as link:
                started = time.monotonic()

                assert link.find_intent(INTENT) is None
                assert time.monotonic() - started < 1.5


def _nonsense(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n<html/>")


def test_dojo_may_call_back_while_it_is_asked(there: Dojo) -> None:
    """
    A payment that waits for Dojo keeps nobody else waiting, and least of all Dojo.
    """
    epos, app = build()
    with launch.in_thread(app) as running, build_link(url=there.url) as link, httpx.Client() as client:
        order, read = new_order(epos), []
        epos.dojo = link
        path = f"{running.url}/v1/orders/{order}"
        there.meanwhile = lambda: read.append(httpx.get(path, auth=("dojo", "reference"), timeout=5).status_code)
        started = time.monotonic()
        answer = client.post(
            f"{path}/record-payment",
            json={"paymentIntentId": there.has(), "paidAmount": money(100)},
            auth=("dojo", "reference"),
        )

        assert (answer.status_code, read) == (200, [200])
        assert answer.json()["paidAmount"]["value"] == 100
        assert time.monotonic() - started < dojo.PATIENCE


# -- the process --------------------------------------------------------------------------------------------------


def test_a_started_epos_has_registered_itself(there: Dojo) -> None:
    """
    Who starts it finds it registered over both transports, tells it a payment, and has heard of it when it ends.
    """
    gateway = free_port()
    with launch.start(dial=f"ws://127.0.0.1:{gateway}/epos", dojo_api=there.url, variants=["dojo-hears-late"]) as epos:
        assert there.registered["rest"]["url"] == epos.url
        assert there.registered["rest"]["auth"]["basic"] == {"username": "dojo", "password": "reference"}
        assert len(there.registered["ws"]["capabilities"]) == len(EVERY_NAME)
        paid = {"paymentIntentId": there.has(value=1), "paidAmount": money(1)}
        path = f"{epos.url}/v1/orders/ord-1005/record-payment"
        assert httpx.post(path, json=paid, auth=("dojo", "reference")).status_code == 200

    assert there.asked == [INTENT]
    assert there.events == [{"eventType": "OrderUpdated", "event": {"orderId": "ord-1005"}}]


def test_a_refused_epos_serves_all_the_same(there: Dojo) -> None:
    """
    What Dojo refuses is a line on stderr; the EPOS answers whoever calls.
    """
    options = ["serve", "--port=0", f"--dojo-api={there.url}", "--key=sk_sandbox_wrong", "--until-stdin-closes"]
    with subprocess.Popen(
        [*COMMAND, *options],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        url = child.stdout.readline().split()[3]
        assert httpx.get(f"{url}/v1/areas", auth=("dojo", "reference")).status_code == 200
        _, errors = child.communicate(timeout=10)

    assert errors == f"epos-reference: not registered over rest at {there.url}: HTTP 401 Unauthorized\n"
    assert child.returncode == 0


def test_an_epos_that_dials_registers_so(there: Dojo) -> None:
    """
    ``dial`` registers for WebSocket alone; ``--public-url`` is what ``serve`` registers.
    """
    for options in (
        ["dial", f"--url=ws://127.0.0.1:{free_port()}/epos"],
        ["serve", "--port=0", "--public-url=https://till.example"],
    ):
        there.registered.clear()
        with subprocess.Popen(
            [*COMMAND, *options, f"--dojo-api={there.url}", "--until-stdin-closes"],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as child:
            until(lambda: there.registered)
            child.communicate(timeout=10)

        assert child.returncode == 0
        assert list(there.registered) == ["ws" if options[0] == "dial" else "rest"]
    assert there.registered["rest"]["url"] == "https://till.example"


@pytest.mark.parametrize("url", ["api.dojo.tech", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    An address that can't be Dojo's is a line and exit status 2.
    """
    assert cli.main(["serve", "--port=0", f"--dojo-api={url}"]) == 2
    assert capsys.readouterr().err == f"epos-reference: {url} is not an http:// or https:// URL\n"
