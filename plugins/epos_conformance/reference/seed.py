"""
A Tuesday evening at The Copper Kettle: the same restaurant every time, at times relative to the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from epos_conformance.reference.menu import dish, money
from epos_conformance.reference.records import Booking, Json, Order, Venue, total_of


#: kind and plain id -> id.
Spell = Callable[[str, str], str]

WAITERS = ("w-anna", "w-ben", "w-chloé", "w-dev", "w-emma")

AREAS = (
    ("area-main", "Dining Room", ("w-anna", "w-ben")),
    ("area-bar", "Bar", ("w-chloé",)),
    ("area-garden", "Garden", ("w-dev", "w-emma")),
)

#: id, name, covers, area, waiters
TABLES = (
    ("tbl-1", "1", 2, "area-main", ("w-anna",)),
    ("tbl-2", "2", 2, "area-main", ("w-anna",)),
    ("tbl-3", "3", 4, "area-main", ("w-anna", "w-ben")),
    ("tbl-4", "4", 4, "area-main", ("w-ben",)),
    ("tbl-5", "5", 6, "area-main", ("w-ben",)),
    ("tbl-6", "6", 8, "area-main", ("w-anna", "w-ben")),
    ("Café 7/a", "Window", 4, "area-main", ("w-ben",)),
    ("bar-1", "1", 2, "area-bar", ("w-chloé",)),
    ("bar-2", "2", 2, "area-bar", ("w-chloé",)),
    ("bar-3", "3", 3, "area-bar", ("w-chloé",)),
    ("gdn-1", "1", 4, "area-garden", ("w-dev",)),
    ("gdn-2", "2", 4, "area-garden", ("w-dev", "w-emma")),
    ("gdn-3", "3", 6, "area-garden", ("w-emma",)),
    ("gdn-4", "Long Table", 12, "area-garden", ("w-emma",)),
)

#: Per order: table and waiter (none: a collection), items, and what is remarkable about it.
ORDERS: tuple[tuple[str, str, tuple[str, ...], Json], ...] = (
    ("tbl-1", "w-anna", ("2 x 2001", "1 x 5001"), {"paid": [(4315, 450)], "status": "Finalized"}),
    ("tbl-4", "w-ben", ("1 x 6001/6002+7005/6002", "1 x 4002"), {"status": "Canceled"}),
    ("gdn-1", "w-dev", ("3 x 5002",), {"paid": [(1000, 0), (920, 100)], "status": "Finalized"}),
    ("", "", ("1 x 2001 +7005", "1 x 5003"), {"collect": 40, "name": "Collection Okafor"}),
    ("tbl-1", "w-anna", ("2 x 2001", "1 x 9002", "2 x 5002"), {"party": "pty-1", "name": "Table 1"}),
    (
        "tbl-2",
        "w-anna",
        ("1 x 2002 +7003 +7004", "2 x 5001"),
        {"party": "pty-2", "reservation": "res-0", "service": True},
    ),
    (
        "tbl-3",
        "w-ben",
        ("4 x 6001", "1 x 9001"),
        {"party": "pty-3", "note": "One at a time, please", "name": "Table 3"},
    ),
    ("tbl-3", "w-anna", ("2 x 4001 +7001 +7002*2",), {"party": "pty-3", "name": "Table 3 coffees"}),
    ("tbl-4", "w-ben", ("2 x 2003", "1 x 3002"), {"party": "party 4/é", "discount": 500, "paid": [(1500, 200)]}),
    ("tbl-5", "w-ben", ("6 x 2004 +7005", "6 x 5003"), {"party": "pty-5", "service": True, "paid": [(5000, 0)]}),
    ("Café 7/a", "w-ben", ("1 x 1002", "1 x 2005"), {"name": "Window seat", "id": "T7/2 é"}),
    ("Café 7/a", "w-anna", ("2 x 4002",), {"name": "Window tea"}),
    ("bar-1", "w-chloé", ("2 x 5002",), {"name": "Bar 1"}),
    ("bar-1", "w-chloé", ("1 x 5001", "1 x 1001"), {"name": "Bar 1 second"}),
    ("bar-2", "w-chloé", ("4 x 5002", "2 x 1001"), {"paid": [(1730, 0)], "status": "Preparing", "name": "Bar 2"}),
    ("bar-3", "w-chloé", ("1 x 4001 +7002",), {"customer": True, "name": "Bar 3"}),
    ("gdn-1", "w-dev", ("2 x 2001 +7006", "2 x 5003"), {"party": "pty-6", "status": "Ready", "name": "Garden 1"}),
    ("gdn-2", "w-dev", ("3 x 2003", "3 x 3001"), {"discount": 795, "service": True, "name": "Garden 2"}),
    ("gdn-2", "w-emma", ("2 x 5001",), {"name": "Garden 2 wine"}),
    ("gdn-3", "w-emma", ("1 x 6001/6002+7005*2/6002", "1 x 5003"), {"party": "pty-7", "name": "Garden 3"}),
    ("gdn-4", "w-emma", ("10 x 6001", "10 x 5001"), {"party": "pty-8", "service": True, "name": "Long table"}),
    ("gdn-4", "w-dev", ("12 x 4001",), {"party": "pty-8", "name": "Long table coffees"}),
    ("tbl-6", "w-anna", ("8 x 2001", "2 x 9002"), {"discount": 1000, "name": "Table 6"}),
    ("tbl-6", "w-ben", ("8 x 5003",), {"name": "Table 6 water"}),
    ("tbl-2", "w-anna", ("2 x 3001",), {"party": "pty-2", "reservation": "res-0", "name": "Table 2 pudding"}),
    ("tbl-2", "w-ben", ("1 x 4001",), {"party": "pty-2", "status": "New", "name": "Table 2 coffee"}),
    ("", "", ("2 x 2003 +7005",), {"collect": 25, "name": "Collection Silva", "customer": True}),
    ("tbl-1", "w-ben", ("2 x 4002", "1 x 3002"), {"party": "pty-1", "name": "Table 1 pudding"}),
    ("bar-2", "w-anna", ("1 x 1003",), {"status": "Confirmed", "name": "Bar 2 salad"}),
    ("bar-3", "w-chloé", ("2 x 5002 +7006",), {"paid": [(640, 60), (640, 0)], "status": "Finalized"}),
)

#: id, name, covers, tables, sat down so many minutes ago, left so many minutes ago
PARTIES: tuple[tuple[str, str, int, tuple[str, ...], int, int | None], ...] = (
    ("pty-old-1", "Ferreira", 2, ("tbl-1",), 300, 200),
    ("pty-old-2", "Nowak", 4, ("tbl-3",), 290, 180),
    ("pty-old-3", "Hughes", 3, ("gdn-1",), 260, 190),
    ("pty-old-4", "Mbeki", 6, ("tbl-5", "tbl-4"), 250, 150),
    ("pty-1", "Patel", 2, ("tbl-1",), 95, None),
    ("pty-2", "Clarke", 2, ("tbl-2",), 90, None),
    ("pty-3", "O'Neill", 4, ("tbl-3",), 80, None),
    ("party 4/é", "Lefèvre", 3, ("tbl-4",), 75, None),
    ("pty-5", "Wilson", 6, ("tbl-5",), 60, None),
    ("pty-6", "Yildiz", 2, ("gdn-1",), 45, None),
    ("pty-7", "Rossi", 1, ("gdn-3",), 40, None),
    ("pty-8", "Office outing", 10, ("gdn-4",), 30, None),
)

#: id, name, covers, table, in so many days, at so many minutes past noon
RESERVATIONS = (
    ("res-0", "Clarke", 2, "tbl-2", 0, 0),
    ("res-1", "Thompson", 4, "tbl-3", 1, 420),
    ("res-2", "García", 2, "tbl-1", 1, 450),
    ("res-3", "Evans", 6, "tbl-5", 2, 30),
    ("res 4/é", "Dubois", 4, "Café 7/a", 2, 390),
    ("res-5", "Khan", 8, "tbl-6", 3, 60),
    ("res-6", "Jones", 4, "tbl-3", 5, 400),
    ("res-7", "Smith", 2, "bar-1", 7, 420),
    ("res-8", "Taylor", 12, "gdn-4", 9, 90),
)


def restaurant(now: datetime, *, currency: str, spell: Spell, number: Callable[[], int]) -> Venue:
    """
    The venue as it is at *now*, its ids spelt by *spell* and its records counted by *number*.
    """
    return Venue(
        currency=currency,
        areas=[
            {"id": spell("area", area), "name": name, "waiterIds": [spell("waiter", each) for each in waiters]}
            for area, name, waiters in AREAS
        ],
        tables=[
            {
                "id": spell("table", table),
                "name": name,
                "maxCovers": covers,
                "areaId": spell("area", area),
                "waiterIds": [spell("waiter", each) for each in waiters],
            }
            for table, name, covers, area, waiters in TABLES
        ],
        orders=list(_orders(now, currency, spell, number)),
        parties=list(_parties(now, currency, spell, number)),
        reservations=list(_reservations(now, spell, number)),
    )


def _orders(now: datetime, currency: str, spell: Spell, number: Callable[[], int]) -> Iterator[Order]:
    for place, (table, waiter, lines, remarks) in enumerate(ORDERS):
        created = now - timedelta(minutes=4 * (len(ORDERS) - place))
        given: Json = {
            "items": [dish(each, currency) for each in lines],
            "details": _details(table, waiter, remarks, created, spell),
        }
        if "name" in remarks:
            given["displayName"] = remarks["name"]
        if "note" in remarks:
            given["note"] = remarks["note"]
        if "customer" in remarks:
            given["customer"] = {"name": "Sam Okafor", "phoneNumber": "+441632960789"}
        if "discount" in remarks:
            amount = money(remarks["discount"], currency)
            given["discounts"] = [{"name": "Manager's discount", "code": "MGR", "amountTotal": amount}]
        if "service" in remarks:
            given["serviceChargeAmount"] = money(total_of(given) // 8, currency)
        total = total_of(given)
        given["totalAmount"] = money(total, currency)
        # VAT of 20 % is inside the prices, which makes it a sixth of them.
        given["taxLines"] = [{"name": "VAT", "amountPercentage": 20, "amountTotal": money(total // 6, currency)}]
        plain = remarks.get("id", f"ord-{1001 + place}")
        given["reference"] = f"check {1001 + place}"
        yield Order(
            id=spell("order", plain),
            number=number(),
            given=given,
            created=created,
            updated=created + timedelta(minutes=2 if "paid" in remarks else 0),
            status=remarks.get("status", "Accepted"),
            payments=tuple(
                {
                    "paymentIntentId": f"pi_seed_{1001 + place}_{part}",
                    "paidAmount": money(paid, currency),
                    "tipsAmount": money(tip, currency),
                }
                for part, (paid, tip) in enumerate(remarks.get("paid", ()), 1)
            ),
        )


def _details(table: str, waiter: str, remarks: Json, created: datetime, spell: Spell) -> Json:
    if not table:
        collect_at = created + timedelta(minutes=remarks["collect"])
        return {"orderType": "Collection", "collection": {"asap": False, "collectAt": collect_at.isoformat()}}
    dine_in: Json = {"tableId": spell("table", table), "waiterId": spell("waiter", waiter)}
    if "party" in remarks:
        dine_in["partyId"] = spell("party", remarks["party"])
    if "reservation" in remarks:
        dine_in["reservationId"] = spell("reservation", remarks["reservation"])
    return {"orderType": "DineIn", "dineIn": dine_in}


def _parties(now: datetime, currency: str, spell: Spell, number: Callable[[], int]) -> Iterator[Booking]:
    for party, name, covers, tables, sat, left in PARTIES:
        start = (now - timedelta(minutes=sat)).replace(microsecond=0)
        given: dict[str, Any] = {
            "name": name,
            "covers": covers,
            "tableIds": [spell("table", each) for each in tables],
            "status": "Seated" if left is None else "Left",
            "startTime": start,
            "expectedEndTime": start + timedelta(minutes=150),
        }
        if left is not None:
            given["endTime"] = (now - timedelta(minutes=left)).replace(microsecond=0)
        if party == "pty-2":
            given |= {"reservationId": spell("reservation", "res-0"), "guestRequests": "Nut allergy"}
        if party == "pty-8":
            given["deposit"] = {
                "totalAmount": money(10000, currency),
                "description": "Deposit for ten",
                "paymentIntentIds": ["pi_seed_deposit_1", "pi_seed_deposit_2"],
            }
        yield Booking(id=spell("party", party), number=number(), given=given)


def _reservations(now: datetime, spell: Spell, number: Callable[[], int]) -> Iterator[Booking]:
    now = now.replace(microsecond=0)
    noon = now.replace(hour=12, minute=0, second=0)
    for reservation, name, covers, table, days, minutes in RESERVATIONS:
        # The party of today's only one has come already.
        start = noon + timedelta(days=days, minutes=minutes) if days else now - timedelta(minutes=90)
        given: dict[str, Any] = {
            "name": name,
            "covers": covers,
            "startTime": start,
            "endTime": start + timedelta(minutes=105),
            "tableIds": [spell("table", table)],
        }
        if covers > 6:
            given["hostNotes"] = "Ask for a pre-order"
        yield Booking(id=spell("reservation", reservation), number=number(), given=given)
