"""
A till that guards its business: it refuses what is valid by schema alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid
from epos_conformance.reference.faults import variant
from epos_conformance.reference.menu import DISHES, EXTRAS
from epos_conformance.reference.records import Booking, Json, total_of
from epos_conformance.reference.times import parse_time


#: The hours (UTC) that reservations start and end in.
OPENS, CLOSES = 12, 23

FAR_AHEAD = timedelta(days=60)

#: How long ago a party may have sat down, and how soon it has to.
LATE, SOON = timedelta(hours=12), timedelta(days=3)

#: How long a party stays that does not say it.
STAY = timedelta(hours=3)


@variant("strict-till")
class StrictTill(ReferenceEpos):
    """
    Unknown dishes, prices and places, wrong totals, occupied tables and odd hours are refused.
    """

    # -- orders ---------------------------------------------------------------------------------------------------

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        if body["details"]["orderType"] != "DineIn":
            raise conflict("nothing is sold for collection here")
        if body["totalAmount"]["currencyCode"] != self.currency():
            raise conflict(f"the till trades in {self.currency()}")
        for each in body["items"]:
            self.check_item(each)
        if total_of(body) != body["totalAmount"]["value"]:
            raise invalid(f"the order comes to {total_of(body)}")
        self.check_place(body["details"]["dineIn"])

    def check_item(self, item: Json) -> None:
        """Refuses what is not on the menu, at that price."""
        if DISHES.get(item["plu"]) != (item["name"], item["amountPerItem"]["value"]) or item["quantity"] < 1:
            raise conflict(f"no {item['name']!r} is sold as {item['plu']!r} at that price")
        for each in item.get("modifiers", ()):
            if EXTRAS.get(each["plu"]) != (each["name"], each["amountPerModifier"]["value"]):
                raise conflict(f"{each['name']!r} is no extra at that price")
        for each in item.get("subItems", ()):
            self.check_item(each)

    def check_place(self, dine_in: Json) -> None:
        """Refuses tables, waiters, parties and reservations that nobody knows."""
        known = {
            "tableId": self.seats(),
            "waiterId": {waiter for table in self.venue.tables for waiter in table["waiterIds"]},
            "partyId": self.parties,
            "reservationId": self.reservations,
        }
        for name, names in known.items():
            if name in dine_in and dine_in[name] not in names:
                raise conflict(f"there is no {name} {dine_in[name]!r}")

    # -- tables ---------------------------------------------------------------------------------------------------

    def seats(self) -> dict[str, int]:
        """The covers of each table."""
        return {each["id"]: each["maxCovers"] for each in self.venue.tables}

    def check_tables(self, body: Json) -> None:
        """Refuses unknown tables, and more guests than fit."""
        seats = self.seats()
        for each in body["tableIds"]:
            if each not in seats:
                raise conflict(f"there is no table {each!r}")
        room = sum(seats[each] for each in body["tableIds"])
        if not 1 <= body.get("covers", 1) <= room:
            raise conflict(f"{body['covers']} guests do not fit where there is room for {room}")

    def check_free(self, body: Json, others: Iterable[Booking]) -> None:
        """Refuses tables that one of *others* has."""
        for each in others:
            if set(body["tableIds"]) & set(each.given["tableIds"]):
                raise conflict(f"the table is taken by {each.id!r}")

    # -- parties and reservations ---------------------------------------------------------------------------------

    def check_party(self, body: Json, party: Booking | None) -> None:
        start = parse_time(body["startTime"])
        end = parse_time(body["expectedEndTime"]) if "expectedEndTime" in body else start + STAY
        if not -LATE < start - self.now() < SOON:
            raise invalid("parties sit down about now")
        if end <= start:
            raise invalid("a party leaves after it has come")
        if body.get("reservationId") is not None and body["reservationId"] not in self.reservations:
            raise conflict(f"there is no reservation {body['reservationId']!r}")
        self.check_tables(body)
        if "endTime" not in body:
            others = (each for each in self.parties.values() if each is not party)
            self.check_free(body, (each for each in others if _is_there(each.given, start, end)))

    def check_reservation(self, body: Json, reservation: Booking | None) -> None:
        start, end = parse_time(body["startTime"]), parse_time(body["endTime"])
        self.check_hours(start, end)
        self.check_tables(body)
        others = (each for each in self.reservations.values() if each is not reservation)
        self.check_free(
            body, (each for each in others if each.given["startTime"] < end and start < each.given["endTime"])
        )

    def check_hours(self, start: datetime, end: datetime) -> None:
        """Refuses times that are past, far ahead, reversed or outside the opening hours."""
        now = self.now()
        # A clock that is a minute off is no reason to turn guests away.
        if start < now - timedelta(minutes=2) or start > now + FAR_AHEAD:
            raise invalid(f"bookings are for the next {FAR_AHEAD.days} days")
        closing = start.replace(hour=CLOSES, minute=0, second=0, microsecond=0)
        if start.hour < OPENS or not start < end <= closing:
            raise invalid(f"the restaurant is open from {OPENS} to {CLOSES}")


def _is_there(party: Json, start: datetime, end: datetime) -> bool:
    """Whether *party* sits at its tables at some time between *start* and *end*."""
    leaves = party.get("expectedEndTime", party["startTime"] + STAY)
    return "endTime" not in party and bool(party["startTime"] < end and start < leaves)
