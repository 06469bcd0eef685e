"""
What the EPOS tells Dojo of its own accord: that an order, a party or a reservation has changed.

It shows where the EPOS is pointed at the built-in sandbox. No page says how soon an event is to come, or that it comes
once: the checks wait some seconds, and take it as often as it comes.
"""

from __future__ import annotations

import re

from collections.abc import Callable
from typing import Any

from epos_conformance import Finding, Inconclusive, NotOffered, Partner, Violation, check, paying
from epos_conformance.bookings import changing, making
from epos_conformance.bookings.kinds import PARTY, RESERVATION, Kind
from epos_conformance.bookings.reading import require_offered
from epos_conformance.dojo.heard import Heard
from epos_conformance.dojo.side import Events


#: eventType -> the member of its event, and the capability that Dojo reads it with.
TYPES = {
    "OrderUpdated": ("orderId", "GetOrderById"),
    "PartyUpdated": ("partyId", "GetPartyById"),
    "ReservationUpdated": ("reservationId", "GetReservationById"),
}

THINGS = {"order": "OrderUpdated", "party": "PartyUpdated", "reservation": "ReservationUpdated"}

#: Events shown of many.
SHOWN = 3

VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


def require_told(partner: Partner, events: Events, type: str, id: str, mark: int, what: str) -> None:
    """An event of *type* about *id* arrives after *mark*; *what* happened to it."""
    member, _ = TYPES[type]
    require_pointed(partner, events)
    found, came = events.of(mark, type, member, id)
    partner.exchanges += [each.exchange(events.url, events.mask) for each in ([found] if found else came[-SHOWN:])]
    if found is not None:
        return
    seen = "; ".join(map(str, came[-SHOWN:])) or "nothing"
    raise Violation(
        Finding(f"POST /epos/events after {what}", f"{type} with {member} {id!r} within {events.LIMIT:g} s", seen)
    )


def require_pointed(partner: Partner, events: Events) -> None:
    """Raise `Inconclusive` where the EPOS tells the sandbox nothing at all, whatever happens: nothing is waited for."""
    if events.every():
        return
    if partner.once("events", lambda: _provoked(partner, events)):
        return
    raise Inconclusive(
        f"the EPOS has sent no event at all: is it pointed at the sandbox, {events.url}/epos/events, with its key?"
    )


def _provoked(partner: Partner, events: Events) -> bool:
    """Whether any of the changes that Dojo can make brings an event."""
    mark, changed = events.mark(), False
    for thing in THINGS:
        try:
            partner.make(thing)
            changed = True
        except Inconclusive:
            continue
    try:
        paying.paid(partner)
        changed = True
    except (Inconclusive, NotOffered):
        pass
    if not changed:
        raise Inconclusive("nothing could be changed that an EPOS would tell of")
    return events.any(mark)


def quiet(events: Events, begin: int, type: str, id: str, limit: float) -> int:
    """
    Let the event arrive that a change of *id* after the mark *begin* brings, if it comes within *limit* seconds; the
    mark that later ones begin at.
    """
    events.of(begin, type, TYPES[type][0], id, limit)
    return events.mark()


@check("pos-events.tells-of-a-created-order", changes=True, order=1)
def test_tells_of_a_created_order(partner: Partner, events: Events) -> None:
    """CreateOrder, then OrderUpdated."""
    require_offered(partner, "CreateOrder")
    mark = events.mark()
    id = partner.make("order").ids["orderId"]
    require_told(partner, events, "OrderUpdated", id, mark, "CreateOrder")


@check("pos-events.tells-of-a-paid-order", changes=True, order=1)
def test_tells_of_a_paid_order(partner: Partner, events: Events) -> None:
    """RecordOrderPaymentById, then OrderUpdated."""
    require_offered(partner, paying.RECORD)
    order = partner.order(2)
    # It may be known for long: what an earlier check did to it was told then.
    mark = quiet(events, 0, "OrderUpdated", str(order["id"]), 0.5)
    paying.require(paying.pay(partner, order))
    require_told(partner, events, "OrderUpdated", str(order["id"]), mark, paying.RECORD)


@check("pos-events.tells-of-a-canceled-order", changes=True, order=1)
def test_tells_of_a_canceled_order(partner: Partner, events: Events) -> None:
    """CancelOrderById, then OrderUpdated."""
    require_offered(partner, "CancelOrderById")
    begin = events.mark()
    id = partner.existing("own-order")
    mark = quiet(events, begin, "OrderUpdated", id, 1)
    require_done(partner, "CancelOrderById", {"orderId": id})
    require_told(partner, events, "OrderUpdated", id, mark, "CancelOrderById")


def require_done(partner: Partner, name: str, params: dict[str, Any]) -> None:
    """Raise `Inconclusive` where *name* isn't carried out."""
    exchange = partner.call(name, params)
    if not exchange.succeeded:
        raise Inconclusive(f"needs {name} to be carried out, but saw {exchange.seen}")


def require_told_of_creation(partner: Partner, events: Events, kind: Kind) -> None:
    """What is new is told."""
    require_offered(partner, kind.create)
    mark = events.mark()
    own = making.make(partner, kind)
    require_told(partner, events, THINGS[kind.name], own.id, mark, kind.create)


def require_told_of_update(partner: Partner, events: Events, kind: Kind) -> None:
    """An update is told like anything else."""
    require_offered(partner, kind.create, kind.update)
    begin = events.mark()
    own = making.make(partner, kind)
    mark = quiet(events, begin, THINGS[kind.name], own.id, 1)
    changing.update(partner, own, {"hostNotes": "Window seat"}, {"covers": own.sent["covers"] + 1}, {"hostNotes": ""})
    require_told(partner, events, THINGS[kind.name], own.id, mark, kind.update)


def require_told_of_deletion(partner: Partner, events: Events, kind: Kind) -> None:
    """What is gone is told, too: Dojo shows it until then."""
    require_offered(partner, kind.create, kind.delete)
    begin = events.mark()
    own = making.make(partner, kind)
    mark = quiet(events, begin, THINGS[kind.name], own.id, 1)
    require_done(partner, kind.delete, own.ids)
    require_told(partner, events, THINGS[kind.name], own.id, mark, kind.delete)


@check("pos-events.tells-of-a-created-party", changes=True, order=1)
def test_tells_of_a_created_party(partner: Partner, events: Events) -> None:
    """CreateParty, then PartyUpdated."""
    require_told_of_creation(partner, events, PARTY)


@check("pos-events.tells-of-an-updated-party", changes=True, order=1)
def test_tells_of_an_updated_party(partner: Partner, events: Events) -> None:
    """UpdateParty, then PartyUpdated."""
    require_told_of_update(partner, events, PARTY)


@check("pos-events.tells-of-a-deleted-party", changes=True, order=1)
def test_tells_of_a_deleted_party(partner: Partner, events: Events) -> None:
    """DeletePartyById, then PartyUpdated."""
    require_told_of_deletion(partner, events, PARTY)


@check("pos-events.tells-of-a-created-reservation", changes=True, order=1)
def test_tells_of_a_created_reservation(partner: Partner, events: Events) -> None:
    """CreateReservation, then ReservationUpdated."""
    require_told_of_creation(partner, events, RESERVATION)


@check("pos-events.tells-of-an-updated-reservation", changes=True, order=1)
def test_tells_of_an_updated_reservation(partner: Partner, events: Events) -> None:
    """UpdateReservation, then ReservationUpdated."""
    require_told_of_update(partner, events, RESERVATION)


@check("pos-events.tells-of-a-deleted-reservation", changes=True, order=1)
def test_tells_of_a_deleted_reservation(partner: Partner, events: Events) -> None:
    """DeleteReservationById, then ReservationUpdated."""
    require_told_of_deletion(partner, events, RESERVATION)


# How it is told: judged by all that arrived


def require_all(partner: Partner, events: Events, expected: str, fault: Callable[[Heard], str | None]) -> list[Heard]:
    """No event of this run has a *fault*, which says what is seen of it."""
    require_pointed(partner, events)
    every = events.every()
    faulty = [(each, said) for each in every if (said := fault(each)) is not None]
    partner.exchanges += [
        each.exchange(events.url, events.mask) for each in [*every[:SHOWN], *(one for one, _ in faulty[:1])]
    ]
    if faulty:
        raise Violation(*(Finding(f"POST /epos/events, {each}", expected, said) for each, said in faulty[:SHOWN]))
    return every


@check("pos-events.event-type-is-a-known-one", order=1)
def test_event_type_is_a_known_one(partner: Partner, events: Events) -> None:
    """OrderUpdated, PartyUpdated or ReservationUpdated."""
    require_all(
        partner,
        events,
        "eventType OrderUpdated, PartyUpdated or ReservationUpdated",
        lambda each: None if each.type in TYPES else repr(each.type),
    )


@check("pos-events.event-carries-the-id-of-its-type", order=1)
def test_event_carries_the_id_of_its_type(partner: Partner, events: Events) -> None:
    """orderId, partyId or reservationId, a text."""

    def fault(each: Heard) -> str | None:
        if each.type not in TYPES:
            return None  # a rule of its own
        member, _ = TYPES[each.type]
        id = each.event.get(member) if isinstance(each.event, dict) else None
        return None if isinstance(id, str) and id else repr(each.event)

    require_all(partner, events, "the id that its eventType calls for", fault)


@check("pos-events.sends-the-raw-key", order=1)
def test_sends_the_raw_key(partner: Partner, events: Events) -> None:
    """The key as it is, after the word Basic."""
    words = {
        "base64": "the key encoded as base64",
        "missing": "no Authorization header",
        "other": "something else than Basic and the key",
    }
    require_all(
        partner,
        events,
        "Authorization: Basic, and the API key as it is",
        lambda each: words.get(str(each.headers.get("authorization"))),
    )


@check("pos-events.sends-the-software-house-id", order=1)
def test_sends_the_software_house_id(partner: Partner, events: Events) -> None:
    """Whose EPOS it is."""
    require_all(
        partner,
        events,
        "a software-house-id header",
        lambda each: None if each.headers.get("software-house-id") else "none",
    )


@check("pos-events.sends-the-version", order=1)
def test_sends_the_version(partner: Partner, events: Events) -> None:
    """Which version of the API it was written for."""

    def fault(each: Heard) -> str | None:
        version = each.headers.get("version")
        return None if VERSION.fullmatch(version or "") else repr(version) if version else "none"

    require_all(partner, events, "a version header, yyyy-mm-dd", fault)


@check("pos-events.sends-one-version", order=1)
def test_sends_one_version(partner: Partner, events: Events) -> None:
    """The version that an EPOS was written for doesn't change from call to call."""
    every = require_all(partner, events, "", lambda _: None)
    versions = sorted({str(each.headers.get("version")) for each in every})
    if len(versions) > 1:
        raise Violation(Finding("POST /epos/events, the version header", "always the same", ", ".join(versions)))


@check("pos-events.id-is-the-one-dojo-reads", changes=True, order=1)
def test_id_is_the_one_dojo_reads(partner: Partner, events: Events) -> None:
    """What an event is about can be fetched under its id."""
    require_pointed(partner, events)
    examined, reasons = False, []
    for thing, type in THINGS.items():
        member, reader = TYPES[type]
        if not partner.offers(reader):
            continue
        mark = events.mark()
        try:
            id = changed(partner, thing)
        except (Inconclusive, NotOffered) as error:
            reasons.append(str(error))
            continue
        found, came = events.of(mark, type, member, id)
        examined = examined or bool(came)
        if found is None:
            require_fetched(partner, type, came)
    if not examined:
        raise Inconclusive(f"no event came of what the check made; {'; '.join(reasons)}".rstrip("; "))


def changed(partner: Partner, thing: str) -> str:
    """The id of an order, party or reservation that has just been made; of an order, else one that was paid on."""
    if thing == "order" and not partner.offers("CreateOrder"):
        require_offered(partner, paying.RECORD)
        return paying.require(paying.pay(partner, partner.order(2))).order_id
    (id,) = partner.make(thing).ids.values()
    return id


def require_fetched(partner: Partner, type: str, came: list[Heard]) -> None:
    """Every event of *type* among those that *came* is about something that can be fetched."""
    member, reader = TYPES[type]
    for each in came:
        id = each.event.get(member) if isinstance(each.event, dict) else None
        if each.type != type or not isinstance(id, str):
            continue
        exchange = partner.call(reader, {member: id})
        if exchange.error is not None and exchange.error.type == "NotFound":
            raise Violation(
                Finding(
                    f"POST /epos/events, {each}", f"an id that {reader} knows", f"{reader} answers {exchange.seen}"
                ),
                hint="the event carries another number of the EPOS's than the one it tells Dojo as id",
            )
