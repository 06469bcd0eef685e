"""
Parties: whether what is sent of them is kept, as sent.
"""

from __future__ import annotations

from epos_conformance import Finding, Inconclusive, Partner, Violation, answers, check
from epos_conformance.bookings import (
    creating,
    deposits,
    making,
    reading,
    refusing,
    wishes,
)
from epos_conformance.bookings.creating import at
from epos_conformance.bookings.kinds import PARTY, RESERVATION, Choice, Members, Own, capability


# Creating


@check("CreateParty.keeps-the-name")
def test_keeps_the_name(partner: Partner) -> None:
    """A party keeps its name, whatever letters are in it."""
    creating.keeps(partner, PARTY, "name", wishes.texts("name", wishes.NAMES))


@check("CreateParty.keeps-the-covers")
def test_keeps_the_covers(partner: Partner) -> None:
    """A party is of as many people as were sent."""
    creating.keeps(partner, PARTY, "covers", people=(3, 2, 1))


@check("CreateParty.keeps-all-tables")
def test_keeps_all_tables(partner: Partner) -> None:
    """A party at two tables has both, and one at three has all."""
    creating.keeps(partner, PARTY, "tableIds", [{"covers": 1}, {}], counts=(2, 3))


@check("CreateParty.keeps-the-status")
def test_keeps_the_status(partner: Partner) -> None:
    """A party has the status that was sent, whatever it says."""
    known = wishes.known_statuses(partner)
    creating.keeps(
        partner,
        PARTY,
        "status",
        wishes.texts("status", [*wishes.STATUSES, *known]),
        wishes.texts("status", [*wishes.OTHER_STATUSES, *reversed(known)]),
    )


@check("CreateParty.fills-in-a-status")
def test_fills_in_a_status(partner: Partner) -> None:
    """A party that was sent without a status has one."""
    own = making.make(partner, PARTY)

    findings = [
        Finding(f"{step}, $.status", "a status that is not empty", repr(status))
        for step, status in statuses(partner, own)
        if not isinstance(status, str) or not status.strip()
    ]
    answers.violate(findings)


def statuses(partner: Partner, own: Own) -> list[tuple[str, object]]:
    """The status of *own* wherever it is told."""
    found: list[tuple[str, object]] = [(f"the answer to {PARTY.create}", own.answer.get("status"))]
    if (name := reading.reader(partner, PARTY)) and (row := reading.read(partner, own)) is not None:
        found.append((f"{name} after {PARTY.create}", row.get("status")))
    return found


@check("CreateParty.keeps-the-start-time")
def test_keeps_the_start_time(partner: Partner) -> None:
    """A party sat down when it was said to, to the millisecond."""
    # 41 is .41 where the milliseconds are written without their leading zero.
    creating.keeps(partner, PARTY, "startTime", at("startTime", 41), at("startTime", 986, second=23))


@check("CreateParty.keeps-the-expected-end-time")
def test_keeps_the_expected_end_time(partner: Partner) -> None:
    """A party is expected to leave when it was said to, to the millisecond."""
    creating.keeps(
        partner,
        PARTY,
        "expectedEndTime",
        at("expectedEndTime", 8, minutes=3),
        at("expectedEndTime", 992, second=59),
    )


@check("CreateParty.keeps-the-instant-of-an-offset-time")
def test_keeps_the_instant_of_an_offset_time(partner: Partner) -> None:
    """A time is the same instant, whatever offset it is written with."""
    creating.keeps_offset_times(partner, PARTY)


@check("CreateParty.keeps-the-host-notes")
def test_keeps_the_host_notes(partner: Partner) -> None:
    """A party keeps what the host noted."""
    creating.keeps(partner, PARTY, "hostNotes", wishes.texts("hostNotes", wishes.NOTES))


@check("CreateParty.keeps-the-guest-requests")
def test_keeps_the_guest_requests(partner: Partner) -> None:
    """A party keeps what its guests asked for, word for word."""
    creating.keeps(
        partner,
        PARTY,
        "guestRequests",
        wishes.texts("guestRequests", wishes.LONG_REQUESTS),
        wishes.texts("guestRequests", wishes.ODD_REQUESTS),
    )


@check("CreateParty.keeps-the-reservation")
def test_keeps_the_reservation(partner: Partner) -> None:
    """A party belongs to the reservation that was named."""
    creating.keeps(partner, PARTY, "reservationId", reservation_choices(partner))


def reservation_choices(partner: Partner) -> list[Choice]:
    """A reservation to seat a party for: wherever there is room, or as it was reserved."""
    try:
        own = making.make(partner, RESERVATION)
        row: Members = {**own.sent, "id": own.id}
    except Inconclusive as error:
        seen = next((each for each in partner.venue.reservations if isinstance(each.get("id"), str)), None)
        known = [*partner.venue.known.reservations, *(each.get("reservationId") for each in partner.venue.parties)]
        id = next((each for each in known if isinstance(each, str)), None)
        if seen is None and id is None:
            raise Inconclusive(f"no reservation to seat a party for: {error}") from None
        row = seen or {"id": id}
    named = {"reservationId": row["id"]}
    place = {name: row[name] for name in ("tableIds", "covers", "name") if name in row}
    times = {"startTime": row["startTime"], "expectedEndTime": row["endTime"]} if "endTime" in row else {}
    return [named, {**named, **place}, {**named, **place, **times}]


@check("CreateParty.keeps-the-deposit-intents")
def test_keeps_the_deposit_intents(partner: Partner) -> None:
    """A party keeps all payment intents that its deposit was made with."""
    creating.keeps(partner, PARTY, "deposit.paymentIntentIds", deposits.choices(partner))


@check("CreateParty.keeps-the-order-of-deposit-intents")
def test_keeps_the_order_of_deposit_intents(partner: Partner) -> None:
    """The payment intents of a deposit stay in the order in which they were sent."""
    own = making.make(partner, PARTY, *deposits.choices(partner))
    reading.unkept(partner, own, "deposit.paymentIntentIds")  # gives it time to settle
    row = reading.read(partner, own) if reading.reader(partner, PARTY) else own.answer
    wanted = own.sent["deposit"]["paymentIntentIds"]
    found = (row or {}).get("deposit") or {}
    seen = found.get("paymentIntentIds") if isinstance(found, dict) else None

    if not isinstance(seen, list) or len(wanted) < 2 or sorted(map(str, seen)) != sorted(wanted):
        raise Inconclusive(f"there is no order to see in {seen}")
    if seen != wanted:
        raise Violation(Finding("$.deposit.paymentIntentIds", f"{wanted}", f"{seen}"))


@check("CreateParty.keeps-the-deposit-amount")
def test_keeps_the_deposit_amount(partner: Partner) -> None:
    """A party's deposit is of the amount that was sent."""
    groups = (deposits.choices(partner, amount) for amount in wishes.AMOUNTS)
    creating.keeps(partner, PARTY, "deposit.totalAmount", *groups)


@check("CreateParty.keeps-the-deposit-description")
def test_keeps_the_deposit_description(partner: Partner) -> None:
    """A party's deposit is described as it was sent."""
    described = [{"deposit": deposits.deposit(partner, description=each)} for each in wishes.DESCRIPTIONS]
    creating.keeps(partner, PARTY, "deposit.description", described)


@check("CreateParty.can-be-fetched")
def test_can_be_fetched(partner: Partner) -> None:
    """A party can be read under the id that was answered."""
    creating.can_be_fetched(partner, PARTY)


@check("CreateParty.is-found-by-search")
def test_is_found_by_search(partner: Partner) -> None:
    """A party that has just sat down is among the current ones."""
    creating.is_found_by_search(partner, PARTY)


@check("CreateParty.gives-each-party-its-own-id")
def test_gives_each_party_its_own_id(partner: Partner) -> None:
    """No two parties have the same id, though they have the same name, or one before them was deleted."""
    creating.gives_own_ids(partner, PARTY, lambda _: ())


@check("CreateParty.stores-nothing-that-it-refuses")
def test_stores_nothing_that_it_refuses(partner: Partner) -> None:
    """A party that is refused since somebody sits at its table is not there."""
    refusing.stores_nothing_refused(partner, PARTY)


# Reading


@check("GetPartyById.answers-the-party-asked-for")
def test_answers_the_party_asked_for(partner: Partner) -> None:
    """The party that is answered is the one that was asked for."""
    creating.answers_the_one_asked_for(partner, PARTY)


@check("GetPartyById.status-is-not-empty")
def test_status_is_not_empty(partner: Partner) -> None:
    """Every party has a status."""
    found: list[tuple[str, object]] = []
    try:
        found += statuses(partner, making.make(partner, PARTY))
    except Inconclusive:
        if not partner.venue.ids("party"):
            raise
    for id in partner.venue.variety("party", 8):
        exchange = partner.read(capability(PARTY.get), id)
        if exchange is not None and isinstance(exchange.result, dict):
            found.append((f"{PARTY.get} for {id!r}", exchange.result.get("status")))

    answers.violate([
        Finding(f"{step}, $.status", "a status that is not empty", repr(status))
        for step, status in found
        if not isinstance(status, str) or not status.strip()
    ])
