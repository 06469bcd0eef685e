"""
Mistakes with what Dojo is told of changes: they show where the EPOS has a link to Dojo.
"""

from __future__ import annotations

from base64 import b64encode
from itertools import cycle
from typing import Any

from epos_conformance.reference.dojo import DojoLink
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Order


#: What is told wrongly may count as not told.
_UNTOLD = ("pos-events.tells-of-*",)


# What is told


@defect("dojo-hears-nothing-of-new-orders", breaks=["pos-events.tells-of-a-created-order"])
class DojoHearsNothingOfNewOrders(ReferenceEpos):
    """
    Orders that Dojo makes are not told to it: it knows them already.
    """

    def tell_of_new_order(self, order: Order) -> None:
        pass


@defect("dojo-hears-nothing-of-payments", breaks=["pos-events.tells-of-a-paid-order"])
class DojoHearsNothingOfPayments(ReferenceEpos):
    """
    Payments are kept in a table of their own, and changes are watched in that of the orders.
    """

    def tell_of_payment(self, order: Order) -> None:
        pass


@defect("dojo-hears-of-closed-orders-alone", breaks=["pos-events.tells-of-a-paid-order"])
class DojoHearsOfClosedOrdersAlone(ReferenceEpos):
    """
    A payment is told when it is the last one, which closes the order.
    """

    def tell_of_payment(self, order: Order) -> None:
        if order.status == "Finalized":
            super().tell_of_payment(order)


@defect("dojo-hears-nothing-of-cancellations", breaks=["pos-events.tells-of-a-canceled-order"])
class DojoHearsNothingOfCancellations(ReferenceEpos):
    """
    What tells of changes reads the open orders, and a canceled one is among them no more.
    """

    def tell_of_cancellation(self, order: Order) -> None:
        pass


@defect("dojo-hears-nothing-of-new-parties", breaks=["pos-events.tells-of-a-created-party"])
class DojoHearsNothingOfNewParties(ReferenceEpos):
    """
    PartyUpdated is taken at its word: a new party has not been updated.
    """

    def tell_of_new_party(self, party: Booking) -> None:
        pass


@defect("dojo-hears-nothing-of-changed-parties", breaks=["pos-events.tells-of-an-updated-party"])
class DojoHearsNothingOfChangedParties(ReferenceEpos):
    """
    UpdateParty was written later than the rest, and nobody thought of telling.
    """

    def tell_of_party_update(self, party: Booking) -> None:
        pass


@defect("dojo-hears-nothing-of-deleted-parties", breaks=["pos-events.tells-of-a-deleted-party"])
class DojoHearsNothingOfDeletedParties(ReferenceEpos):
    """
    A party is looked for once more before it is told of, and one that was deleted is not there.
    """

    def tell_of_party_removal(self, party: Booking) -> None:
        if party.id in self.parties:
            super().tell_of_party_removal(party)


@defect("dojo-hears-nothing-of-new-reservations", breaks=["pos-events.tells-of-a-created-reservation"])
class DojoHearsNothingOfNewReservations(ReferenceEpos):
    """
    Reservations are told of by whoever takes them on the telephone, and these came another way.
    """

    def tell_of_new_reservation(self, reservation: Booking) -> None:
        pass


@defect("dojo-hears-nothing-of-changed-reservations", breaks=["pos-events.tells-of-an-updated-reservation"])
class DojoHearsNothingOfChangedReservations(ReferenceEpos):
    """
    UpdateReservation returns before the line that tells.
    """

    def tell_of_reservation_update(self, reservation: Booking) -> None:
        pass


@defect("dojo-hears-nothing-of-deleted-reservations", breaks=["pos-events.tells-of-a-deleted-reservation"])
class DojoHearsNothingOfDeletedReservations(ReferenceEpos):
    """
    A reservation that is deleted is looked for before it is told of, in vain.
    """

    def tell_of_reservation_removal(self, reservation: Booking) -> None:
        if reservation.id in self.reservations:
            super().tell_of_reservation_removal(reservation)


# How it is told


@defect("dojo-hears-of-created-orders", breaks=["pos-events.event-type-is-a-known-one"], also=_UNTOLD)
class DojoHearsOfCreatedOrders(ReferenceEpos):
    """
    Each kind of change has a type of its own: OrderCreated, OrderPaid, OrderCanceled.
    """

    def tell_of_new_order(self, order: Order) -> None:
        self.tell("OrderCreated", order)

    def tell_of_payment(self, order: Order) -> None:
        self.tell("OrderPaid", order)

    def tell_of_cancellation(self, order: Order) -> None:
        self.tell("OrderCanceled", order)


@defect(
    "dojo-hears-in-camel-case",
    breaks=["pos-events.event-type-is-a-known-one"],
    also=[*_UNTOLD, "pos-events.event-carries-the-id-of-its-type", "pos-events.id-is-the-one-dojo-reads"],
)
class DojoHearsInCamelCase(DojoLink):
    """
    The types begin with a small letter, as everything does that the till's library spells.
    """

    def type_in_event(self, event_type: str) -> str:
        return event_type[:1].lower() + event_type[1:]


@defect(
    "dojo-hears-of-orders-alone",
    breaks=["pos-events.event-carries-the-id-of-its-type"],
    also=[*_UNTOLD, "pos-events.id-is-the-one-dojo-reads"],
)
class DojoHearsOfOrdersAlone(DojoLink):
    """
    The events of parties and reservations were copied from that of orders, with its orderId.
    """

    def id_member(self, event_type: str) -> str:
        return "orderId"


@defect(
    "dojo-hears-a-plain-id",
    breaks=["pos-events.event-carries-the-id-of-its-type"],
    also=[*_UNTOLD, "pos-events.id-is-the-one-dojo-reads"],
)
class DojoHearsAPlainId(DojoLink):
    """
    Every event carries an id.
    """

    def id_member(self, event_type: str) -> str:
        return "id"


@defect("dojo-hears-its-own-order-ids", breaks=["pos-events.id-is-the-one-dojo-reads"], also=_UNTOLD)
class DojoHearsItsOwnOrderIds(ReferenceEpos):
    """
    An order that Dojo made is told by its dojoOrderId.
    """

    def id_in_events(self, record: Order | Booking) -> str:
        return getattr(record, "dojo_order_id", None) or super().id_in_events(record)


@defect("dojo-hears-row-numbers", breaks=["pos-events.id-is-the-one-dojo-reads"], also=_UNTOLD)
class DojoHearsRowNumbers(ReferenceEpos):
    """
    Records are told by their number in the database.
    """

    def id_in_events(self, record: Order | Booking) -> str:
        return str(record.number)


@defect("dojo-hears-table-names", breaks=["pos-events.id-is-the-one-dojo-reads"], also=_UNTOLD)
class DojoHearsTableNames(ReferenceEpos):
    """
    Parties and reservations are told by the table they have.
    """

    def id_in_events(self, record: Order | Booking) -> str:
        tables = record.given.get("tableIds")
        return str(tables[0]) if tables else super().id_in_events(record)


# How the till introduces itself


@defect("dojo-hears-a-key-in-base64", breaks=["pos-events.sends-the-raw-key"], also=_UNTOLD)
class DojoHearsAKeyInBase64(DojoLink):
    """
    The library that sends events encodes credentials, as Basic authentication has it elsewhere.
    """

    def event_headers(self) -> dict[str, str]:
        return {**super().event_headers(), "Authorization": f"Basic {b64encode(self.key.encode()).decode()}"}


@defect("dojo-hears-a-bearer", breaks=["pos-events.sends-the-raw-key"], also=_UNTOLD)
class DojoHearsABearer(DojoLink):
    """
    The key is sent as a Bearer token.
    """

    def event_headers(self) -> dict[str, str]:
        return {**super().event_headers(), "Authorization": f"Bearer {self.key}"}


@defect("dojo-hears-no-software-house", breaks=["pos-events.sends-the-software-house-id"], also=_UNTOLD)
class DojoHearsNoSoftwareHouse(DojoLink):
    """
    Events are sent without a software-house-id.
    """

    def event_headers(self) -> dict[str, str]:
        return {name: value for name, value in super().event_headers().items() if name != "software-house-id"}


@defect("dojo-hears-no-version", breaks=["pos-events.sends-the-version"], also=_UNTOLD)
class DojoHearsNoVersion(DojoLink):
    """
    Events are sent without a version.
    """

    def event_headers(self) -> dict[str, str]:
        return {name: value for name, value in super().event_headers().items() if name != "version"}


@defect("dojo-hears-a-version-number", breaks=["pos-events.sends-the-version"], also=_UNTOLD)
class DojoHearsAVersionNumber(DojoLink):
    """
    The version is that of the capabilities.
    """

    def event_headers(self) -> dict[str, str]:
        return {**super().event_headers(), "version": "v1"}


@defect("dojo-hears-two-versions", breaks=["pos-events.sends-one-version"])
class DojoHearsTwoVersions(DojoLink):
    """
    Two workers of different releases take turns at sending, each with the version that it was written for.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.versions = cycle(["2026-02-27", "2025-09-10"])

    def event_headers(self) -> dict[str, str]:
        return {**super().event_headers(), "version": next(self.versions)}
