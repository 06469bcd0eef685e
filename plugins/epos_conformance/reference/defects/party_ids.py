"""
Mistakes with the ids of parties: under which they are answered, kept and read.
"""

from __future__ import annotations

import itertools

from collections.abc import Callable
from datetime import datetime

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json


@defect("party-answers-dojos-id", breaks=["CreateParty.can-be-fetched"], also=["*Part*.*", "*.keeps-the-party"])
class PartyAnswersDojosId(ReferenceEpos):
    """
    A new party is answered under the id that Dojo sent, and kept under another.
    """

    def create_party(self, call: Call) -> Json:
        return {**super().create_party(call), "id": call.body["dojoPartyId"]}


@defect("parties-are-kept-by-name", breaks=["CreateParty.can-be-fetched"], also=["*Part*.*"])
class PartiesAreKeptByName(ReferenceEpos):
    """
    Two parties in the same name are taken for one that was entered twice.
    """

    def create_party(self, call: Call) -> Json:
        for each in list(self.parties.values()):
            if "name" in call.body and each.given.get("name") == call.body["name"]:
                del self.parties[each.id]
        return super().create_party(call)


@defect(
    "parties-are-counted",
    breaks=["CreateParty.gives-each-party-its-own-id"],
    also=["*Part*.*"],
)
class PartiesAreCounted(ReferenceEpos):
    """
    A new party's id is one more than there are parties.
    """

    def new_id(self, kind: str) -> str:
        return f"party-{len(self.parties) + 1}" if kind == "party" else super().new_id(kind)


@defect("parties-are-called-by-name", breaks=["CreateParty.gives-each-party-its-own-id"], also=["*Part*.*"])
class PartiesAreCalledByName(ReferenceEpos):
    """
    A new party's id is made of its name.
    """

    def create_party(self, call: Call) -> Json:
        self.slug = call.body.get("name", "guest").lower().replace(" ", "-")
        return super().create_party(call)

    def new_id(self, kind: str) -> str:
        return self.slug if kind == "party" else super().new_id(kind)


@defect(
    "new-parties-are-not-searched",
    breaks=["CreateParty.is-found-by-search"],
    also=["SearchParties.*", "UpdateParty.moves-*"],
)
class NewPartiesAreNotSearched(ReferenceEpos):
    """
    Searches go through the list that was loaded when the till was switched on.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.loaded = set(self.parties)

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        return party.id in self.loaded and super().is_wanted_party(party, wanted)


@defect(
    "search-shows-the-first-parties",
    breaks=["CreateParty.is-found-by-search"],
    also=["SearchParties.*", "paging.*", "UpdateParty.moves-*"],
)
class SearchShowsTheFirstParties(ReferenceEpos):
    """
    Searches show the parties that came before all others, and there is no second page.
    """

    def search_parties(self, call: Call) -> Json:
        wanted = (each for each in self.parties.values() if self.is_wanted_party(each, call.body))
        return {"data": [self.present_party(each) for each in itertools.islice(wanted, 8)]}


# Reading


@defect(
    "the-latest-party-is-read",
    breaks=["GetPartyById.answers-the-party-asked-for"],
    also=["*Part*.*"],
)
class TheLatestPartyIsRead(ReferenceEpos):
    """
    Whichever party is asked for, the one on the screen is answered.
    """

    def get_party_by_id(self, call: Call) -> Json:
        self.find_party(call.ids["partyId"])
        return self.present_party(list(self.parties.values())[-1])


@defect("parties-are-cached-by-half-an-id", breaks=["GetPartyById.answers-the-party-asked-for"], also=["*Part*.*"])
class PartiesAreCachedByHalfAnId(ReferenceEpos):
    """
    What was read of a party is kept for a while, by the first six characters of its id.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.cache: dict[str, Json] = {}

    def get_party_by_id(self, call: Call) -> Json:
        shown = super().get_party_by_id(call)
        return {**self.cache.setdefault(shown["id"][:6], shown), "id": shown["id"]}
