"""
Mistakes with tables and areas.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json


# Ids and names


@defect(
    "table-ids-count-within-the-area",
    breaks=["SearchTables.ids-are-unique"],
    also=["SearchTables.*", "SearchOrders.*", "*Part*", "*Reservation*"],
)
class TableIdsCountWithinTheArea(ReferenceEpos):
    """
    Tables are numbered within their area, and the number is their id.
    """

    def present_table(self, table: Json) -> Json:
        area = [each["id"] for each in self.venue.tables if each["areaId"] == table["areaId"]]
        return {**super().present_table(table), "id": f"{area.index(table['id']) + 1}"}


@defect(
    "tables-come-with-their-waiters",
    breaks=["SearchTables.ids-are-unique"],
    also=["SearchTables.*"],
)
class TablesComeWithTheirWaiters(ReferenceEpos):
    """
    Tables are joined with their waiters: one that two serve is found twice, with one waiter each.
    """

    def search_tables(self, call: Call) -> Json:
        rows = [
            (10 * place + number, {**each, "waiterIds": [waiter]})
            for place, each in enumerate(self.venue.tables, 1)
            for number, waiter in enumerate(each["waiterIds"])
            if self.is_wanted_table({**each, "waiterIds": [waiter]}, call.body)
        ]
        return self.page("tables", rows, call.body.get("cursor", {}), self.present_table)


@defect("tables-are-named-after-their-size", breaks=["SearchTables.names-are-unique-within-an-area"])
class TablesAreNamedAfterTheirSize(ReferenceEpos):
    """
    The name is made of the number of covers.
    """

    def present_table(self, table: Json) -> Json:
        return {**super().present_table(table), "name": f"Table for {table['maxCovers']}"}


@defect("names-are-cut-short", breaks=["SearchTables.names-are-unique-within-an-area"])
class NamesAreCutShort(ReferenceEpos):
    """
    Names are cut at the eight characters that the old displays had.
    """

    def present_table(self, table: Json) -> Json:
        return {
            **super().present_table(table),
            "name": f"Station {table['name']}"[:8] if table["maxCovers"] > 5 else table["name"],
        }


@defect("areas-come-with-their-waiters", breaks=["ListAreas.ids-are-unique"])
class AreasComeWithTheirWaiters(ReferenceEpos):
    """
    Areas are joined with their waiters: one that two serve is listed twice.
    """

    def list_areas(self, call: Call) -> list[Json]:
        return [{**each, "waiterIds": [waiter]} for each in super().list_areas(call) for waiter in each["waiterIds"]]


@defect("area-ids-are-floors", breaks=["ListAreas.ids-are-unique"], also=["SearchTables.areas-are-listed"])
class AreaIdsAreFloors(ReferenceEpos):
    """
    Areas on the same floor have its id.
    """

    def present_area(self, area: Json) -> Json:
        return {**super().present_area(area), "id": "floor-0"}


@defect("quiet-areas-are-left-out", breaks=["SearchTables.areas-are-listed"])
class QuietAreasAreLeftOut(ReferenceEpos):
    """
    An area that a single waiter serves is not listed.
    """

    def list_areas(self, call: Call) -> list[Json]:
        return [each for each in super().list_areas(call) if len(each["waiterIds"]) > 1]


@defect("tables-name-their-area", breaks=["SearchTables.areas-are-listed"], also=["SearchTables.*"])
class TablesNameTheirArea(ReferenceEpos):
    """
    The areaId of a table is the name of its area.
    """

    def present_table(self, table: Json) -> Json:
        names = {each["id"]: each["name"] for each in self.venue.areas}
        return {**super().present_table(table), "areaId": names[table["areaId"]]}


@defect("tables-in-an-array", breaks=["SearchTables.answers-one-page"])
class TablesInAnArray(ReferenceEpos):
    """
    SearchTables answers an array of one page.
    """

    def search_tables(self, call: Call) -> Json:
        return [super().search_tables(call)]  # type: ignore[return-value]


# Filters


@defect("area-filter-is-ignored", breaks=["SearchTables.area-filter-narrows"], also=["SearchTables.filters-combine"])
class AreaFilterIsIgnored(ReferenceEpos):
    """
    areaId is not read.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        return super().is_wanted_table(table, {name: value for name, value in wanted.items() if name != "areaId"})


@defect(
    "unknown-areas-have-all-tables",
    breaks=["SearchTables.area-filter-narrows"],
    also=["SearchTables.no-match-is-an-empty-page"],
)
class UnknownAreasHaveAllTables(ReferenceEpos):
    """
    An area that is not known narrows nothing.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        if wanted.get("areaId") not in {each["id"] for each in self.venue.areas}:
            wanted = {name: value for name, value in wanted.items() if name != "areaId"}
        return super().is_wanted_table(table, wanted)


@defect("area-filter-compares-beginnings", breaks=["SearchTables.area-filter-narrows"])
class AreaFilterComparesBeginnings(ReferenceEpos):
    """
    Areas are looked for with LIKE, and a percent sign at the end.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        if "areaId" in wanted and table["areaId"].startswith(wanted["areaId"]):
            wanted = {**wanted, "areaId": table["areaId"]}
        return super().is_wanted_table(table, wanted)


@defect(
    "tables-waiter-filter-is-ignored",
    breaks=["SearchTables.waiter-filter-narrows", "SearchTables.filters-combine"],
    also=["SearchTables.no-match-is-an-empty-page"],
)
class WaiterFilterIsIgnored(ReferenceEpos):
    """
    waiterId is not read.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        return super().is_wanted_table(table, {name: value for name, value in wanted.items() if name != "waiterId"})


@defect(
    "tables-waiter-filter-is-for-areas",
    breaks=["SearchTables.waiter-filter-narrows"],
    also=["SearchTables.filters-combine"],
)
class WaiterFilterIsForAreas(ReferenceEpos):
    """
    A waiter's tables are all those of the areas that the waiter works in.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        if "waiterId" in wanted:
            area = next(each for each in self.venue.areas if each["id"] == table["areaId"])
            table = {**table, "waiterIds": area["waiterIds"]}
        return super().is_wanted_table(table, wanted)


@defect(
    "table-filters-are-alternatives",
    breaks=["SearchTables.filters-combine"],
    also=["SearchTables.no-match-is-an-empty-page"],
)
class FiltersAreAlternatives(ReferenceEpos):
    """
    Tables that pass either filter are found.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        given = [name for name in ("areaId", "waiterId") if name in wanted]
        if len(given) > 1:
            return any(
                super(FiltersAreAlternatives, self).is_wanted_table(table, {name: wanted[name]}) for name in given
            )
        return super().is_wanted_table(table, wanted)


@defect(
    "area-goes-before-waiter", breaks=["SearchTables.filters-combine"], also=["SearchTables.no-match-is-an-empty-page"]
)
class AreaGoesBeforeWaiter(ReferenceEpos):
    """
    Where an area is named, the waiter is not looked at: if and elif.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        if "areaId" in wanted:
            wanted = {"areaId": wanted["areaId"]}
        return super().is_wanted_table(table, wanted)


@defect(
    "area-filter-wants-names",
    breaks=["SearchTables.area-filter-finds-its-tables"],
    also=["SearchTables.filter-holds-on-every-page"],
)
class AreaFilterWantsNames(ReferenceEpos):
    """
    The name of the area is compared, not its id.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        if "areaId" in wanted:
            names = {each["id"]: each["name"] for each in self.venue.areas}
            wanted = {**wanted, "areaId": table["areaId"] if names[table["areaId"]] == wanted["areaId"] else ""}
        return super().is_wanted_table(table, wanted)


@defect("area-filter-hides-large-tables", breaks=["SearchTables.area-filter-finds-its-tables"])
class AreaFilterHidesLargeTables(ReferenceEpos):
    """
    With an area, tables that take large parties only are left out.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        return super().is_wanted_table(table, wanted) and ("areaId" not in wanted or table["maxCovers"] <= 8)


@defect("tables-first-waiter-alone-counts", breaks=["SearchTables.waiter-filter-finds-its-tables"])
class FirstWaiterAloneCounts(ReferenceEpos):
    """
    A table is taken for its first waiter's.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        return super().is_wanted_table({**table, "waiterIds": table["waiterIds"][:1]}, wanted)


@defect(
    "tables-waiter-filter-crashes",
    breaks=["SearchTables.waiter-filter-finds-its-tables", "SearchTables.waiter-filter-narrows"],
    also=["SearchTables.*"],
)
class WaiterFilterCrashes(ReferenceEpos):
    """
    The list of waiters is taken for a text.
    """

    def is_wanted_table(self, table: Json, wanted: Json) -> bool:
        return super().is_wanted_table(table, wanted) and ("waiterId" not in wanted or table["waiterIds"].strip())
