"""
Freedoms in how a restaurant is furnished, and in what is told of it.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import not_found
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Json, Venue
from epos_conformance.reference.rest import RestShell


@variant("one-room")
class OneRoom(ReferenceEpos):
    """
    There are no areas, nobody is told which tables are theirs, and two tables are called the same.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        venue.areas = []
        hidden = ("areaId", "waiterIds")
        venue.tables = [{name: value for name, value in each.items() if name not in hidden} for each in venue.tables]
        return venue


@variant("waiters-are-kept-quiet")
class WaitersAreKeptQuiet(ReferenceEpos):
    """
    A search by waiter works, and no table says who serves it.
    """

    def present_table(self, table: Json) -> Json:
        return {name: value for name, value in super().present_table(table).items() if name != "waiterIds"}


@variant("unknown-places-are-not-found")
class UnknownPlacesAreNotFound(ReferenceEpos):
    """
    A search for a table, an area or a waiter that there is not is NotFound.
    """

    def search_tables(self, call: Call) -> Json:
        self.check_place(call.body)
        return super().search_tables(call)

    def search_orders(self, call: Call) -> Json:
        self.check_place(call.body.get("dineIn", {}))
        return super().search_orders(call)

    def search_parties(self, call: Call) -> Json:
        self.check_place(call.body)
        return super().search_parties(call)

    def search_reservations(self, call: Call) -> Json:
        self.check_place(call.body)
        return super().search_reservations(call)

    def check_place(self, wanted: Json) -> None:
        venue = self.venue
        known = {
            "tableId": {each["id"] for each in venue.tables},
            "areaId": {each["id"] for each in venue.areas},
            "waiterId": {waiter for each in (*venue.tables, *venue.areas) for waiter in each.get("waiterIds", ())},
        }
        for name, names in known.items():
            if name in wanted and wanted[name] not in names:
                raise not_found(name, wanted[name])


@variant("big-venue")
class BigVenue(ReferenceEpos):
    """
    A stadium with 900 tables in 18 areas.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        for number in range(900):
            area = f"stand-{number // 50}"
            if number % 50 == 0:
                venue.areas.append({"id": area, "name": f"Stand {number // 50}"})
            venue.tables.append({
                "id": f"seat-{number}",
                "name": f"{number % 50}",
                "maxCovers": 4,
                "areaId": area,
                "waiterIds": [f"steward-{number % 70}"],
            })
        return venue


@variant("several-pages-at-once")
class SeveralPagesAtOnce(RestShell):
    """
    SearchTables answers its page in halves, as an array of pages, over REST; nothing at all is an empty array.
    """

    def success(self, capability: Capability, result: Any) -> Response:
        if capability.name == "SearchTables":
            rows, more = result["data"], {name: value for name, value in result.items() if name != "data"}
            half = len(rows) // 2
            parts = [{"data": rows[:half]}, {"data": rows[half:]}] if half else [{"data": rows}] if rows else []
            if parts and "before" in more:
                parts[0]["before"] = more["before"]
            if parts and "after" in more:
                parts[-1]["after"] = more["after"]
            result = parts
        return super().success(capability, result)
