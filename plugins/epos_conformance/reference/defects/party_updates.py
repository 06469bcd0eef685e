"""
Mistakes with parties that are changed, or deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import PARTIES
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json


_ANSWERED = ("*.keeps-unusual-*", "UpdateParty.answers-the-party-as-updated", "UpdateParty.keeps-the-instant-*")


class _Forgets(ReferenceEpos):
    """
    An EPOS that forgot a member in what an update writes.
    """

    forgotten: tuple[str, ...] = ()

    def updated_party(self, party: Booking, body: Json) -> Json:
        given = super().updated_party(party, body)
        before = {name: party.given[name] for name in self.forgotten if name in party.given}
        return {**{name: each for name, each in given.items() if name not in self.forgotten}, **before}


@defect(
    "update-forgets-the-name",
    breaks=["UpdateParty.changes-the-name"],
    also=[*_ANSWERED, "UpdateParty.keeps-the-id", "SearchParties.rows-agree-*"],
)
class UpdateForgetsTheName(_Forgets):
    """
    A party keeps the name that it came with.
    """

    forgotten = ("name",)


@defect("update-forgets-the-covers", breaks=["UpdateParty.changes-the-covers"], also=_ANSWERED)
class UpdateForgetsTheCovers(_Forgets):
    """
    A party has as many guests as when it came.
    """

    forgotten = ("covers",)


@defect("covers-only-grow", breaks=["UpdateParty.changes-the-covers"], also=_ANSWERED)
class CoversOnlyGrow(ReferenceEpos):
    """
    Guests may join a party, and nobody ever goes home early.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        given = super().updated_party(party, body)
        most = max(given.get("covers", 0), party.given.get("covers", 0))
        return {**given, "covers": most} if most else given


@defect(
    "update-forgets-the-tables",
    breaks=["UpdateParty.changes-the-tables", "UpdateParty.moves-the-party-in-searches"],
    also=_ANSWERED,
)
class UpdateForgetsTheTables(_Forgets):
    """
    A party stays where it sat down.
    """

    forgotten = ("tableIds",)


@defect(
    "update-adds-tables",
    breaks=["UpdateParty.changes-the-tables", "UpdateParty.moves-the-party-in-searches"],
    also=_ANSWERED,
)
class UpdateAddsTables(ReferenceEpos):
    """
    The tables of an update come to those that a party has.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        tables = dict.fromkeys([*party.given["tableIds"], *body["tableIds"]])
        return {**super().updated_party(party, body), "tableIds": list(tables)}


@defect("update-forgets-the-status", breaks=["UpdateParty.changes-the-status"], also=_ANSWERED)
class UpdateForgetsTheStatus(_Forgets):
    """
    A status is changed by the till's own buttons alone.
    """

    forgotten = ("status",)


@defect("update-forgets-the-start", breaks=["UpdateParty.changes-the-start-time"], also=_ANSWERED)
class UpdateForgetsTheStart(_Forgets):
    """
    When a party sat down can't change any more.
    """

    forgotten = ("startTime",)


@defect("update-cuts-the-start", breaks=["UpdateParty.changes-the-start-time"], also=_ANSWERED)
class UpdateCutsTheStart(ReferenceEpos):
    """
    An update writes startTime to the second.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        given = super().updated_party(party, body)
        return {**given, "startTime": given["startTime"].replace(microsecond=0)}


@defect("update-forgets-the-expected-end", breaks=["UpdateParty.changes-the-expected-end-time"], also=_ANSWERED)
class UpdateForgetsTheExpectedEnd(_Forgets):
    """
    When a party was to leave was decided when it came.
    """

    forgotten = ("expectedEndTime",)


@defect("stays-only-get-longer", breaks=["UpdateParty.changes-the-expected-end-time"], also=_ANSWERED)
class StaysOnlyGetLonger(ReferenceEpos):
    """
    An expectedEndTime before the one that is known is taken for an old message.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        given = super().updated_party(party, body)
        known = [each["expectedEndTime"] for each in (given, party.given) if "expectedEndTime" in each]
        return {**given, "expectedEndTime": max(known)} if known else given


@defect("nobody-ever-leaves", breaks=["UpdateParty.sets-the-end-time"], also=["SearchParties.*-ended-*"])
class NobodyEverLeaves(_Forgets):
    """
    The endTime of an update was never thought of.
    """

    forgotten = ("endTime",)


@defect("parties-leave-when-told", breaks=["UpdateParty.sets-the-end-time"])
class PartiesLeaveWhenTold(ReferenceEpos):
    """
    A party has left when the till hears of it.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        given = super().updated_party(party, body)
        return {**given, "endTime": times.parse_time(times.spell_time(self.now()))} if "endTime" in given else given


@defect(
    "update-forgets-the-notes",
    breaks=["UpdateParty.changes-the-host-notes"],
    also=["UpdateParty.*", "SearchParties.rows-agree-*"],
)
class UpdateForgetsTheNotes(_Forgets):
    """
    Notes are written once.
    """

    forgotten = ("hostNotes",)


@defect("update-forgets-the-requests", breaks=["UpdateParty.changes-the-guest-requests"], also=_ANSWERED)
class UpdateForgetsTheRequests(_Forgets):
    """
    What guests wrote may not be edited, not even by them.
    """

    forgotten = ("guestRequests",)


@defect("update-forgets-the-deposit", breaks=["UpdateParty.changes-the-deposit"], also=_ANSWERED)
class UpdateForgetsTheDeposit(_Forgets):
    """
    A deposit is made before a party comes.
    """

    forgotten = ("deposit",)


@defect("deposits-add-up", breaks=["UpdateParty.changes-the-deposit"], also=_ANSWERED)
class DepositsAddUp(ReferenceEpos):
    """
    The payment intents of an update come to those that are known.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        given = super().updated_party(party, body)
        if "deposit" in given and "deposit" in party.given:
            ids = [*party.given["deposit"]["paymentIntentIds"], *given["deposit"]["paymentIntentIds"]]
            given["deposit"] = {**given["deposit"], "paymentIntentIds": ids}
        return given


# What an update answers, and whom it changes


@defect(
    "party-updates-are-answered-and-lost",
    breaks=[
        "UpdateParty.changes-the-name",
        "UpdateParty.changes-the-covers",
        "UpdateParty.changes-the-tables",
        "UpdateParty.changes-the-status",
        "UpdateParty.changes-the-start-time",
        "UpdateParty.changes-the-deposit",
        "UpdateParty.sets-the-end-time",
    ],
    also=["UpdateParty.*", "SearchParties.*"],
)
class PartyUpdatesAreAnsweredAndLost(ReferenceEpos):
    """
    An update changes a copy, and nobody saves it.
    """

    def update_party(self, call: Call) -> Json:
        party = self.find_party(call.ids["partyId"])
        return self.present_party(replace(party, given=self.updated_party(party, call.body)))


@defect("update-answers-what-was", breaks=["UpdateParty.answers-the-party-as-updated"])
class UpdateAnswersWhatWas(ReferenceEpos):
    """
    An update answers the party that it found.
    """

    def update_party(self, call: Call) -> Json:
        before = self.present_party(self.find_party(call.ids["partyId"]))
        super().update_party(call)
        return before


@defect("update-answers-little", breaks=["UpdateParty.answers-the-party-as-updated"])
class UpdateAnswersLittle(ReferenceEpos):
    """
    An update answers what is required, its notes and requests left out.
    """

    def update_party(self, call: Call) -> Json:
        shown = super().update_party(call)
        return {name: each for name, each in shown.items() if name not in ("hostNotes", "guestRequests")}


@defect("update-seats-anew", breaks=["UpdateParty.keeps-the-id"], also=PARTIES)
class UpdateSeatsAnew(ReferenceEpos):
    """
    An updated party is a new one, and the old one is gone.
    """

    def update_party(self, call: Call) -> Json:
        old = self.find_party(call.ids["partyId"])
        shown = super().update_party(call)
        new = Booking(id=self.new_id("party"), number=self.next_number(), given=old.given)
        self.remove_party(old)
        self.parties[new.id] = new
        return {**shown, "id": new.id}


@defect("update-keeps-the-old-version", breaks=["UpdateParty.keeps-the-id"], also=["UpdateParty.*", "SearchParties.*"])
class UpdateKeepsTheOldVersion(ReferenceEpos):
    """
    Every version of a party is a row, with an id of its own.
    """

    def update_party(self, call: Call) -> Json:
        shown = super().update_party(call)
        given = self.find_party(call.ids["partyId"]).given
        copy = Booking(id=self.new_id("party"), number=self.next_number(), given=given)
        self.parties[copy.id] = copy
        return shown


@defect("moved-parties-are-found-where-they-were", breaks=["UpdateParty.moves-the-party-in-searches"])
class MovedPartiesAreFoundWhereTheyWere(ReferenceEpos):
    """
    The index of parties by table is written when a party comes.
    """

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        self.index: dict[str, list[str]] = {}

    def create_party(self, call: Call) -> Json:
        shown = super().create_party(call)
        self.index[shown["id"]] = shown["tableIds"]
        return shown

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        indexed = self.index.get(party.id, party.given["tableIds"])
        return super().is_wanted_party(replace(party, given={**party.given, "tableIds": indexed}), wanted)


@defect("updates-are-merged", breaks=["UpdateParty.drops-what-is-left-out"])
class UpdatesAreMerged(ReferenceEpos):
    """
    What an update leaves out stays.
    """

    def updated_party(self, party: Booking, body: Json) -> Json:
        return {**party.given, **super().updated_party(party, body)}


@defect(
    "update-without-a-where",
    breaks=["UpdateParty.leaves-other-parties-alone"],
    also=["UpdateParty.*", "SearchParties.*"],
)
class UpdateWithoutAWhere(ReferenceEpos):
    """
    An update changes all parties that came from Dojo with the same notes.
    """

    def update_party(self, call: Call) -> Json:
        party = self.find_party(call.ids["partyId"])
        alike = [each for each in self.parties.values() if each.given.get("hostNotes") == party.given.get("hostNotes")]
        for each in alike:
            if "hostNotes" in each.given and each is not party:
                each.given = {**each.given, "name": call.body.get("name", "")}
        return super().update_party(call)
