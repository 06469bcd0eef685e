"""
Mistakes with searches for parties.
"""

from __future__ import annotations

from dataclasses import replace

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import not_found
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json, Venue


_HIDES = "SearchParties.hides-ended-parties"
_SHOWS = "SearchParties.completed-only-shows-ended-parties"
_FALSE = "SearchParties.completed-only-false-hides-ended-parties"


class _Wants(ReferenceEpos):
    """
    An EPOS that reads the filters of a search in its own way.
    """

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        return super().is_wanted_party(party, self.reread(party, wanted))

    def reread(self, party: Booking, wanted: Json) -> Json:
        return wanted


@defect("parties-that-are-leaving-are-current", breaks=[_HIDES, _FALSE])
class PartiesThatAreLeavingAreCurrent(ReferenceEpos):
    """
    A party has left when its endTime is over by the till's clock.
    """

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        if "endTime" in party.given and party.given["endTime"] > self.now() and not wanted.get("completedOnly"):
            return "tableId" not in wanted or wanted["tableId"] in party.given["tableIds"]
        return super().is_wanted_party(party, wanted)


@defect("ended-parties-are-current", breaks=[_HIDES, _FALSE], also=["SearchParties.one-party-per-table"])
class EndedPartiesAreCurrent(_Wants):
    """
    A party that has left is shown like any other.
    """

    def reread(self, party: Booking, wanted: Json) -> Json:
        return {**wanted, "completedOnly": "endTime" in party.given}


@defect("ended-parties-are-nowhere", breaks=[_SHOWS])
class EndedPartiesAreNowhere(_Wants):
    """
    A party that has left is shown to nobody.
    """

    def reread(self, party: Booking, wanted: Json) -> Json:
        return {**wanted, "completedOnly": False}


@defect("completed-only-is-inverted", breaks=[_HIDES, _SHOWS, _FALSE], also=["CreateParty.is-found-*", "*Part*.*"])
class CompletedOnlyIsInverted(_Wants):
    """
    completedOnly is taken for its opposite.
    """

    def reread(self, party: Booking, wanted: Json) -> Json:
        return {**wanted, "completedOnly": not wanted.get("completedOnly")}


@defect("completed-only-is-there-or-not", breaks=[_FALSE], also=["SearchParties.table-filter-narrows"])
class CompletedOnlyIsThereOrNot(_Wants):
    """
    It is enough to name completedOnly.
    """

    def reread(self, party: Booking, wanted: Json) -> Json:
        return {**wanted, "completedOnly": "completedOnly" in wanted}


@defect("left-today-is-current", breaks=[_HIDES, _FALSE])
class LeftTodayIsCurrent(_Wants):
    """
    A party that has left in the last quarter of an hour is still shown: the table is being cleared.
    """

    def reread(self, party: Booking, wanted: Json) -> Json:
        just = "endTime" in party.given and (self.now() - party.given["endTime"]).total_seconds() < 900
        return {**wanted, "completedOnly": True} if just else wanted


@defect(
    "completed-at-a-table-is-nobody",
    breaks=[_SHOWS],
)
class CompletedAtATableIsNobody(_Wants):
    """
    completedOnly is forgotten where there is a table to search by.
    """

    def reread(self, party: Booking, wanted: Json) -> Json:
        return {**wanted, "completedOnly": False} if "tableId" in wanted else wanted


@defect(
    "parties-of-any-table",
    breaks=["SearchParties.table-filter-narrows"],
    also=["UpdateParty.moves-the-party-in-searches"],
)
class PartiesOfAnyTable(_Wants):
    """
    Nobody looks at tableId.
    """

    def reread(self, party: Booking, wanted: Json) -> Json:
        return {name: each for name, each in wanted.items() if name != "tableId"}


@defect(
    "parties-of-tables-of-that-number",
    breaks=["SearchParties.table-filter-narrows"],
    also=["UpdateParty.moves-the-party-in-searches"],
)
class PartiesOfTablesOfThatNumber(ReferenceEpos):
    """
    Table 1 of the bar and table 1 of the garden are the same to a search.
    """

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        if "tableId" not in wanted:
            return super().is_wanted_party(party, wanted)
        given = {**party.given, "tableIds": [each[-1:] for each in party.given["tableIds"]]}
        return super().is_wanted_party(replace(party, given=given), {**wanted, "tableId": wanted["tableId"][-1:]})


@defect("completed-at-any-table", breaks=["SearchParties.table-filter-narrows"])
class CompletedAtAnyTable(_Wants):
    """
    A search for parties that have left has a query of its own, without the table.
    """

    def reread(self, party: Booking, wanted: Json) -> Json:
        return {"completedOnly": True} if wanted.get("completedOnly") else wanted


@defect("parties-at-their-first-table", breaks=["SearchParties.finds-a-party-at-each-of-its-tables"])
class PartiesAtTheirFirstTable(ReferenceEpos):
    """
    A search by table looks at the first table of a party.
    """

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        first = {**party.given, "tableIds": party.given["tableIds"][:1]}
        return super().is_wanted_party(replace(party, given=first), wanted)


@defect(
    "left-parties-are-not-found", breaks=["SearchParties.rows-can-be-fetched"], also=["UpdateParty.sets-the-end-time"]
)
class LeftPartiesAreNotFound(ReferenceEpos):
    """
    A party that has left can be searched for and not be read.
    """

    def get_party_by_id(self, call: Call) -> Json:
        party = self.find_party(call.ids["partyId"])
        if "endTime" in party.given:
            raise not_found("party", party.id)
        return super().get_party_by_id(call)


@defect("reading-wants-a-reserved-party", breaks=["SearchParties.rows-can-be-fetched"], also=["*Part*.*"])
class ReadingWantsAReservedParty(ReferenceEpos):
    """
    A party is joined with its deposit or its expected end, and not found without either.
    """

    def get_party_by_id(self, call: Call) -> Json:
        party = self.find_party(call.ids["partyId"])
        if party.given.get("covers", 2) > 4 and "deposit" not in party.given:
            raise not_found("party", party.id)
        return super().get_party_by_id(call)


class _Rows(ReferenceEpos):
    """
    An EPOS whose rows are made apart from what is read by id.
    """

    def search_parties(self, call: Call) -> Json:
        page = super().search_parties(call)
        return {**page, "data": [self.row(self.parties[each["id"]], each) for each in page["data"]]}

    def row(self, party: Booking, shown: Json) -> Json:
        return shown


@defect("party-rows-are-short", breaks=["SearchParties.rows-agree-with-the-party"])
class PartyRowsAreShort(_Rows):
    """
    A row of a search has no requests: the list is narrow.
    """

    def row(self, party: Booking, shown: Json) -> Json:
        return {name: each for name, each in shown.items() if name != "guestRequests"}


@defect(
    "party-rows-are-as-first-seen",
    breaks=["SearchParties.rows-agree-with-the-party"],
    also=["SearchParties.*", "UpdateParty.*"],
)
class PartyRowsAreAsFirstSeen(_Rows):
    """
    A row is kept from the first search that showed it.
    """

    def row(self, party: Booking, shown: Json) -> Json:
        cache: dict[str, Json] = self.__dict__.setdefault("rows", {})
        return {**cache.setdefault(party.id, shown), "tableIds": shown["tableIds"]}


@defect("party-rows-start-on-the-second", breaks=["SearchParties.rows-agree-with-the-party"])
class PartyRowsStartOnTheSecond(_Rows):
    """
    The times of a row are to the second.
    """

    def row(self, party: Booking, shown: Json) -> Json:
        return {**shown, "startTime": self.spell_time(party.given["startTime"].replace(microsecond=0))}


@defect("party-ids-are-cut-in-rows", breaks=["SearchParties.ids-are-unique"], also=["*Part*.*", "rest.*"])
class PartyIdsAreCutInRows(_Rows):
    """
    The column of the id in the list has four characters.
    """

    def row(self, party: Booking, shown: Json) -> Json:
        return {**shown, "id": shown["id"][:4]}


@defect("tables-are-shared", breaks=["SearchParties.one-party-per-table"])
class TablesAreShared(ReferenceEpos):
    """
    Two parties sit at one table, and the till has them both.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        first = next(each for each in venue.parties if "endTime" not in each.given)
        given = {**first.given, "name": "Strangers"}
        venue.parties.append(Booking(id=self.spell_id("party", "pty-9"), number=self.next_number(), given=given))
        return venue
