"""
How each defect and each variant of the link to Dojo differs from the reference, by what Dojo hears of a till's life.
"""

from __future__ import annotations

import socket

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from epos_conformance import _suite
from epos_conformance._contracts import capabilities
from epos_conformance.reference import faults
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import KEY

from .hearing_dojo import EVERY_NAME, Dojo, Story, linked, new_order, opened, pay, story


Edit = Callable[[Story], Story]


def without(*places: int) -> Edit:
    """The story without the events at those *places*."""

    def edit(told: Story) -> Story:
        kept = [place for place in range(len(told.events)) if place not in places]
        return replace(told, events=[told.events[each] for each in kept], headers=[told.headers[each] for each in kept])

    return edit


def spelt(change: Callable[[Json], Json]) -> Edit:
    """The story with each event as *change* makes it."""
    return lambda told: replace(told, events=[change(each) for each in told.events])


def introduced(**members: str | None) -> Edit:
    """The story with other headers; those of None are missing."""
    changed = {name.replace("_", "-"): value for name, value in members.items()}

    def edit(told: Story) -> Story:
        headers = [{**each, **changed} for each in told.headers]
        return replace(told, headers=[{n: v for n, v in each.items() if v is not None} for each in headers])

    return edit


def listed(change: Callable[[list[str]], list[str]], version: str = "v1") -> Edit:
    """The story with the registered names as *change* makes them."""
    names = [{"name": each, "version": version} for each in change(EVERY_NAME)]
    return lambda told: replace(told, registered={"rest": {**told.registered["rest"], "capabilities": names}})


def lacking(*names: str) -> Edit:
    return listed(lambda every: [each for each in every if each not in names])


def at(url: str) -> Edit:
    return lambda told: replace(told, registered={"rest": {**told.registered["rest"], "url": url}})


def typed(*types: str) -> Edit:
    """The story with those types of the first events."""

    def edit(told: Story) -> Story:
        events = [{**each, "eventType": given} for each, given in zip(told.events, types, strict=False)]
        return replace(told, events=[*events, *told.events[len(types) :]])

    return edit


def named(id: str, *types: str) -> Callable[[Json], Json]:
    """An event of one of *types* with *id*."""

    def change(event: Json) -> Json:
        wanted = event["eventType"] in types
        return {**event, "event": dict.fromkeys(event["event"], id)} if wanted else event

    return change


def _small(event: Json) -> Json:
    kind = event["eventType"]
    return {**event, "eventType": kind[0].lower() + kind[1:]}


def _under(name: str) -> Callable[[Json], Json]:
    return lambda event: {**event, "event": {name: next(iter(event["event"].values()))}}


def _legacy(names: list[str]) -> list[str]:
    old = {
        "GetOrderBillById": "GetOrderBill",
        "RecordOrderPaymentById": "RecordOrderPayment",
        "UpdateParty": "UpdatePartyById",
        "UpdateReservation": "UpdateReservationById",
    }
    return [old.get(each, each) for each in names]


def _password(told: Story) -> Story:
    auth = {"authType": "basic", "basic": {"username": "dojo", "password": "reference-of-last-year"}}
    return replace(told, registered={"rest": {**told.registered["rest"], "auth": auth}})


def _versions(told: Story) -> Story:
    other = [{**each, "version": "2025-09-10"} if place % 2 else each for place, each in enumerate(told.headers)]
    return replace(told, headers=other)


def _nothing_known(told: Story) -> Story:
    return replace(told, registered={})


#: How the story of each defect differs from that of the reference.
DIFFERENCES: dict[str, Edit] = {
    "dojo-hears-nothing-of-new-orders": without(0),
    "dojo-hears-nothing-of-payments": without(1),
    "dojo-hears-of-closed-orders-alone": without(1),
    "dojo-hears-nothing-of-cancellations": without(2),
    "dojo-hears-nothing-of-new-parties": without(3),
    "dojo-hears-nothing-of-changed-parties": without(4),
    "dojo-hears-nothing-of-deleted-parties": without(5),
    "dojo-hears-nothing-of-new-reservations": without(6),
    "dojo-hears-nothing-of-changed-reservations": without(7),
    "dojo-hears-nothing-of-deleted-reservations": without(8),
    "dojo-hears-of-created-orders": typed("OrderCreated", "OrderPaid", "OrderCanceled"),
    "dojo-hears-in-camel-case": spelt(_small),
    "dojo-hears-of-orders-alone": spelt(_under("orderId")),
    "dojo-hears-a-plain-id": spelt(_under("id")),
    "dojo-hears-its-own-order-ids": spelt(named("dojo-1", "OrderUpdated")),
    "dojo-hears-table-names": spelt(named("tbl-1", "PartyUpdated", "ReservationUpdated")),
    "dojo-hears-a-key-in-base64": introduced(authorization="Basic c2tfc2FuZGJveF9yZWZlcmVuY2U="),
    "dojo-hears-a-bearer": introduced(authorization=f"Bearer {KEY}"),
    "dojo-hears-no-software-house": introduced(software_house_id=None),
    "dojo-hears-no-version": introduced(version=None),
    "dojo-hears-a-version-number": introduced(version="v1"),
    "dojo-hears-two-versions": _versions,
    "dojo-knows-nothing": _nothing_known,
    "dojo-knows-an-empty-list": listed(lambda _: []),
    "dojo-knows-it-by-another-key": _nothing_known,
    "dojo-knows-a-plan-that-is-not": lambda told: told,
    "dojo-knows-no-areas": lacking("ListAreas"),
    "dojo-knows-what-is-paid-at-tables": listed(
        lambda every: [e for e in every if e in ("GetOrderById", "RecordOrderPaymentById", "SearchOrders")]
    ),
    "dojo-knows-legacy-names": listed(_legacy),
    "dojo-knows-menus": listed(lambda every: [*every, "SearchMenus"]),
    "dojo-knows-what-nobody-knows": listed(lambda every: [*every, "GetOrders"]),
    "dojo-knows-methods": listed(lambda _: [each.ws_method for each in capabilities().values()]),
    "dojo-knows-half-the-locks": lacking("ExtendOrderLock", "DeleteOrderLock"),
    "dojo-knows-a-full-version": listed(list, "1.0.0"),
    "dojo-knows-no-search": lacking("SearchOrders"),
    "dojo-knows-a-secret-in-the-address": at("http://127.0.0.1:8099/?token=4711"),
    "dojo-knows-a-template-of-its-own": at("http://127.0.0.1:8099/{venueId}"),
    "dojo-knows-a-plain-address": at(f"http://{socket.gethostname()}:8099"),
    "dojo-knows-a-wrong-path": at("http://127.0.0.1:8099/dojo"),
    "dojo-knows-an-old-password": _password,
}

#: Judged by tests of their own.
ELSEWHERE = {"dojo-hears-row-numbers", "dojo-is-asked-and-not-heard"}


def test_every_defect_is_told_of() -> None:
    """
    Each defect of the link is judged here, and each rule about events and registration has one.
    """
    names = {name for name, each in faults.defects().items() if "defects.dojo_" in each.layers[0].__module__}
    rules = {rule for name in names for rule in faults.defects()[name].breaks}
    pages = ("pos_events", "registration", "flows")
    text = "".join((_suite.FIXTURES / "rules" / f"{each}.toml").read_text("utf-8") for each in pages)
    due = {line.split('"')[1] for line in text.splitlines() if line.startswith("id = ")}

    assert set(DIFFERENCES) | ELSEWHERE == names
    assert due - rules == set()


@pytest.fixture(scope="module")
def usual() -> Iterator[tuple[Dojo, Story]]:
    """A Dojo for many stories, and the one of the reference."""
    with opened() as found:
        yield found, story(found)


@pytest.fixture
def there() -> Iterator[Dojo]:
    with opened() as found:
        yield found


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_a_defect_differs_as_it_says(name: str, usual: tuple[Dojo, Story]) -> None:
    """
    A defect changes what Dojo hears in its own way, and nothing else.
    """
    there, reference = usual

    assert story(there, name) == DIFFERENCES[name](reference)


def test_row_numbers_are_no_ids(usual: tuple[Dojo, Story]) -> None:
    """
    An event with the number of a row names nothing that Dojo can read.
    """
    there, reference = usual
    found = story(there, "dojo-hears-row-numbers")
    ids = [next(iter(each["event"].values())) for each in found.events]

    assert all(each.isdigit() for each in ids)
    assert [each["eventType"] for each in found.events] == [each["eventType"] for each in reference.events]


def test_a_plan_is_registered_that_is_not_there(there: Dojo) -> None:
    """
    What can't tell areas and tables registers them.
    """
    with linked(there.url, "dojo-knows-a-plan-that-is-not") as (epos, link):
        link.register(epos.offered(), "ws")
        known = {each["name"] for each in there.registered["ws"]["capabilities"]}

        assert known - epos.offered() >= {"ListAreas", "SearchTables"}


@pytest.mark.parametrize("name", ["dojo-is-asked-and-not-heard", "any-intent-is-taken"])
def test_intents_that_nobody_knows_are_taken(name: str, there: Dojo) -> None:
    """
    Who does not hear what Dojo says takes an intent that nobody made.
    """
    with linked(there.url, name) as (epos, _):
        assert pay(epos, new_order(epos), "no-such-intent")["paidAmount"]["value"] == 100
    assert there.asked == (["no-such-intent"] if name.startswith("dojo-") else [])


#: How the story of each variant differs from that of the reference.
FREEDOMS: dict[str, Edit] = {
    "dojo-is-not-asked": lambda told: told,
    "dojo-hears-everything-twice": lambda told: replace(
        told, events=[e for e in told.events for _ in range(2)], headers=[e for e in told.headers for _ in range(2)]
    ),
    "dojo-hears-of-locks": lambda told: replace(
        told, events=[*[told.events[0]] * 3, *told.events], headers=[*told.headers[:3], *told.headers]
    ),
    "dojo-hears-late": lambda told: told,
    "dojo-hears-no-reseller": introduced(reseller_id=None),
    "dojo-knows-a-folder": at("http://127.0.0.1:8099/"),
}


@pytest.mark.parametrize("name", sorted(FREEDOMS))
def test_a_variant_differs_as_it_says(name: str, usual: tuple[Dojo, Story]) -> None:
    """
    A variant uses its freedom and no other.
    """
    there, reference = usual
    there.asked.clear()

    assert story(there, variants=(name,)) == FREEDOMS[name](reference)
    assert bool(there.asked) == (name != "dojo-is-not-asked")
    assert set(FREEDOMS) == {each for each in faults.variants() if each.startswith("dojo-")}
