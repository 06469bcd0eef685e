"""
Mistakes that only unusual numbers and times show: few bits, floating point, offsets, fractions of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from epos_conformance.reference import parties, reservations
from epos_conformance.reference.defects.depth import MEMBERS, PARTIES, RESERVATIONS, SURVIVES, VALUES
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Booking, Json, Order


def _requantified(body: Json, change: Callable[[int], int]) -> Json:
    return {**body, "items": [{**each, "quantity": change(each["quantity"])} for each in body["items"]]}


@defect("quantities-are-bytes", breaks=over(VALUES, "CreateOrder"), also=MEMBERS)
class QuantitiesAreBytes(ReferenceEpos):
    """
    The quantity of an item is stored in eight bits.
    """

    def store_order(self, body: Json) -> Order:
        return super().store_order(_requantified(body, lambda each: (each + 128) % 256 - 128))


@defect("quantities-have-a-largest", breaks=over(VALUES, "CreateOrder"), also=MEMBERS)
class QuantitiesHaveALargest(ReferenceEpos):
    """
    More than 999 of an item become 999, and nobody is told.
    """

    def store_order(self, body: Json) -> Order:
        return super().store_order(_requantified(body, lambda each: min(each, 999)))


@defect("fifty-lines-and-no-more", breaks=over(VALUES, "CreateOrder"), also=MEMBERS)
class FiftyLinesAndNoMore(ReferenceEpos):
    """
    An order keeps its first fifty lines.
    """

    def store_order(self, body: Json) -> Order:
        return super().store_order({**body, "items": body["items"][:50]})


@defect("service-charges-are-floats", breaks=over(VALUES, "CreateOrder"), also=[*MEMBERS, "*.total-*"])
class ServiceChargesAreFloats(ReferenceEpos):
    """
    A service charge is kept in pounds, and turned into pence by cutting.
    """

    def store_order(self, body: Json) -> Order:
        if "serviceChargeAmount" in body:
            charge = body["serviceChargeAmount"]
            body = {**body, "serviceChargeAmount": {**charge, "value": int(charge["value"] / 100 * 100)}}
        return super().store_order(body)


@defect("deposits-are-single-precision", breaks=over(VALUES, *PARTIES), also=MEMBERS)
class DepositsAreSinglePrecision(ReferenceEpos):
    """
    A deposit larger than sixteen millions loses its last digit, in a column of type real.
    """

    def kept_of_party(self, body: Json) -> Json:
        if "deposit" in body:
            amount = body["deposit"]["totalAmount"]
            body = {
                **body,
                "deposit": {**body["deposit"], "totalAmount": {**amount, "value": _single(amount["value"])}},
            }
        return super().kept_of_party(body)


def _single(value: int) -> int:
    lost = max(0, abs(value).bit_length() - 24)
    return value >> lost << lost


@defect("large-totals-crash", breaks=over(SURVIVES, "CreateOrder"), also=MEMBERS)
class LargeTotalsCrash(ReferenceEpos):
    """
    The total of an order is an integer of 32 bits.
    """

    def store_order(self, body: Json) -> Order:
        body["totalAmount"]["value"].to_bytes(4, signed=True)
        return super().store_order(body)


# Times


@defect(
    "offsets-are-ignored",
    breaks=over(VALUES, *RESERVATIONS),
    also=["*.keeps-the-instant-of-an-offset-time", "UpdateReservation.*", "SearchReservations.*"],
)
class OffsetsAreIgnored(ReferenceEpos):
    """
    The hours of a reservation are taken as they stand.
    """

    def kept_of_reservation(self, body: Json) -> Json:
        given = super().kept_of_reservation(body)
        for name in reservations.TIMES & set(given):
            given[name] = datetime.fromisoformat(body[name]).replace(tzinfo=UTC)
        return given


@defect("times-without-milliseconds-crash", breaks=over(SURVIVES, *PARTIES), also=["CreateParty.*", "UpdateParty.*"])
class TimesWithoutMillisecondsCrash(ReferenceEpos):
    """
    Times are read with a format that has three digits after the point, and Z.
    """

    def check_party(self, body: Json, party: Booking | None) -> None:
        super().check_party(body, party)
        for name in parties.TIMES & set(body):
            datetime.strptime(body[name], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
