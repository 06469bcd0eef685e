"""
Tables and areas: they are as the restaurant was furnished.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.paging import Paging
from epos_conformance.reference.records import Json


class Tables(Paging):
    """
    SearchTables and ListAreas.
    """

    def search_tables(self, call: Call) -> Json:
        rows = [
            (place, each) for place, each in enumerate(self.venue.tables, 1) if self.is_wanted_table(each, call.body)
        ]
        return self.page("tables", rows, call.body.get("cursor", {}), self.present_table)

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        """Whether *table* passes all the filters."""
        if "areaId" in wanted and table.get("areaId") != wanted["areaId"]:
            return False
        return "waiterId" not in wanted or wanted["waiterId"] in table.get("waiterIds", ())

    def present_table(self, table: Json) -> Json:
        return dict(table)

    def list_areas(self, call: Call) -> list[Json]:
        return [self.present_area(each) for each in self.venue.areas]

    def present_area(self, area: Json) -> Json:
        return dict(area)
