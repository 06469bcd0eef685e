"""
A till that guards its business: it refuses what is valid by schema alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
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


#: The extras that go with a dish, and the courses of a menu.
FITTING = {
    "2001": {"7005", "7006"},
    "2002": {"7003", "7004", "7005"},
    "2003": {"7005"},
    "2004": {"7005"},
    "4001": {"7001", "7002"},
    "5002": {"7006"},
    "6002": {"7005"},
}
COURSES = {"6001": {"6002"}}

#: The only discount that the till has a button for.
DISCOUNT = "Manager's discount"

#: More of one thing is a mistake.
MOST_PIECES = 20

LONGEST_NOTE = 200


@variant("strict-till")
class StrictTill(ReferenceEpos):
    """
    Unknown dishes, extras, prices, discounts and places, wrong sums, occupied tables and odd hours are refused.
    """

    # -- orders ---------------------------------------------------------------------------------------------------

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        if body["totalAmount"]["currencyCode"] != self.currency():
            raise conflict(f"the till trades in {self.currency()}")
        for each in body["items"]:
            self.check_item(each, DISHES.keys() - {"6002"})
        self.check_sums(body)
        if len(body.get("note", "")) > LONGEST_NOTE:
            raise invalid(f"a note has at most {LONGEST_NOTE} characters")
        if body["details"]["orderType"] == "DineIn":
            self.check_place(body["details"]["dineIn"])
        else:
            self.check_collection(body["details"]["collection"])

    def check_item(self, item: Json, sold: Collection[str]) -> None:
        """Refuses what is not on the menu, at that price, with those extras."""
        plu = item["plu"]
        if plu not in sold or DISHES[plu] != (item["name"], item["amountPerItem"]["value"]):
            raise conflict(f"no {item['name']!r} is sold as {plu!r} at that price")
        if not 1 <= item["quantity"] <= MOST_PIECES:
            raise conflict(f"{item['quantity']} pieces are not to be had")
        for each in item.get("modifiers", ()):
            price = each["amountPerModifier"]["value"]
            if each["plu"] not in FITTING.get(plu, ()) or EXTRAS[each["plu"]] != (each["name"], price):
                raise conflict(f"{each['name']!r} is no extra of {item['name']!r} at that price")
        for each in item.get("subItems", ()):
            self.check_item(each, COURSES.get(plu, ()))

    def check_sums(self, body: Json) -> None:
        """Refuses what does not add up, and discounts, charges and taxes that the till would not make."""
        total = self.total_due(body)
        if not 0 < total == body["totalAmount"]["value"]:
            raise invalid(f"the order comes to {total}")
        if any(each["name"] != DISCOUNT for each in body.get("discounts", ())):
            raise conflict(f"there is no discount but the {DISCOUNT}")
        charge = body.get("serviceChargeAmount", {"value": 0})["value"]
        before = total_of({**body, "serviceChargeAmount": {"value": 0}})
        if charge not in (0, before // 8):
            raise conflict(f"the service charge is {before // 8}, if any")
        self.check_taxes(body)
        if sum(each["paidAmount"]["value"] for each in body["payments"]) not in (0, total):
            raise conflict("an order is paid at once, or later")

    def total_due(self, body: Json) -> int:
        """What an order comes to."""
        return total_of(body)

    def check_taxes(self, body: Json) -> None:
        """Refuses taxes that are not what is inside the prices."""
        lines = body.get("taxLines", ())
        inside = body["totalAmount"]["value"] // 6
        if lines and sum(each["amountTotal"]["value"] for each in lines) != inside:
            raise invalid(f"the taxes inside are {inside}")

    def check_place(self, dine_in: Json) -> None:
        """Refuses tables, waiters, parties and reservations that nobody knows, or that do not belong together."""
        table = next((each for each in self.venue.tables if each["id"] == dine_in.get("tableId")), None)
        if table is None:
            raise conflict(f"there is no table {dine_in.get('tableId')!r}")
        if dine_in.get("waiterId", table["waiterIds"][0]) not in table["waiterIds"]:
            raise conflict(f"{dine_in['waiterId']!r} does not serve at {table['id']!r}")
        for name, guests in (("partyId", self.parties), ("reservationId", self.reservations)):
            if name in dine_in:
                found = guests.get(dine_in[name])
                has_left = name == "partyId" and found is not None and "endTime" in found.given
                if found is None or has_left or table["id"] not in found.given["tableIds"]:
                    raise conflict(f"there is no {name} {dine_in[name]!r} at {table['id']!r}")
        if "readyAt" in dine_in:
            self.check_ready(dine_in)

    def check_ready(self, dine_in: Json) -> None:
        """Refuses what is to be ready for nobody, or when nobody is there."""
        reservation = self.reservations.get(dine_in.get("reservationId", ""))
        if reservation is None:
            raise conflict("only guests who have booked order ahead")
        if not reservation.given["startTime"] <= parse_time(dine_in["readyAt"]) <= reservation.given["endTime"]:
            raise conflict("nobody is there at that time")

    def check_collection(self, collection: Json) -> None:
        """Refuses to have food ready while the kitchen is closed, or on other days than today and tomorrow."""
        if "collectAt" not in collection:
            raise conflict("orders are collected at a time that is agreed upon")
        at, now = parse_time(collection["collectAt"]), self.now()
        if not now < at < now + timedelta(days=2) or not OPENS <= at.hour < CLOSES:
            raise conflict(f"food is collected from {OPENS} to {CLOSES}, today or tomorrow")

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
