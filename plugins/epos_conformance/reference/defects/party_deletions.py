"""
Mistakes with parties that are deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json
from epos_conformance.reference.rest import RestShell


class _Archives(ReferenceEpos):
    """
    An EPOS that throws no party away.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.archive: dict[str, Booking] = {}

    def remove_party(self, party: Booking) -> None:
        self.archive[party.id] = party
        super().remove_party(party)


@defect("deleted-parties-stay-readable", breaks=["DeletePartyById.cannot-be-fetched-afterwards"])
class DeletedPartiesStayReadable(_Archives):
    """
    A deleted party is still in the archive, and is read from there.
    """

    def get_party_by_id(self, call: Call) -> Json:
        archived = self.archive.get(call.ids["partyId"])
        return self.present_party(archived) if archived else super().get_party_by_id(call)


@defect("updates-bring-parties-back", breaks=["DeletePartyById.cannot-be-updated-afterwards"])
class UpdatesBringPartiesBack(_Archives):
    """
    An update of a deleted party makes it again.
    """

    def update_party(self, call: Call) -> Json:
        archived = self.archive.pop(call.ids["partyId"], None)
        if archived:
            self.parties[archived.id] = archived
        return super().update_party(call)


@defect(
    "deleted-parties-have-left",
    breaks=["DeletePartyById.drops-out-of-searches"],
    also=["SearchParties.rows-can-be-fetched", "SearchParties.table-filter-narrows"],
)
class DeletedPartiesHaveLeft(_Archives):
    """
    A deleted party is among those that have left.
    """

    def search_parties(self, call: Call) -> Json:
        page = super().search_parties(call)
        if call.body.get("completedOnly") and "after" not in page:
            gone = [
                {**self.present_party(each), "endTime": self.spell_time(self.now())} for each in self.archive.values()
            ]
            return {**page, "data": [*page["data"], *gone]}
        return page


@defect(
    "deleting-ends-a-party",
    breaks=[
        "DeletePartyById.cannot-be-fetched-afterwards",
        "DeletePartyById.cannot-be-updated-afterwards",
        "DeletePartyById.drops-out-of-searches",
    ],
)
class DeletingEndsAParty(ReferenceEpos):
    """
    To delete a party is to say that it has left.
    """

    def remove_party(self, party: Booking) -> None:
        party.given = {**party.given, "endTime": self.now()}


@defect(
    "deleting-clears-the-name",
    breaks=["DeletePartyById.leaves-other-parties-alone"],
    also=["*Part*.*"],
)
class DeletingClearsTheName(ReferenceEpos):
    """
    A deletion removes everybody of that name.
    """

    def remove_party(self, party: Booking) -> None:
        for each in list(self.parties.values()):
            if each is party or each.given.get("name", "") == party.given.get("name"):
                del self.parties[each.id]


class _Tells(RestShell):
    """
    A web service whose deletions have something to tell.
    """

    def has_no_content(self, capability: Capability) -> bool:
        return False


@defect("a-deleted-party-is-answered", breaks=["DeletePartyById.answers-with-nothing"], layers=[_Tells])
class ADeletedPartyIsAnswered(ReferenceEpos):
    """
    A deletion answers what was deleted.
    """

    def delete_party_by_id(self, call: Call) -> Any:
        shown = self.present_party(self.find_party(call.ids["partyId"]))
        super().delete_party_by_id(call)
        return shown
