"""
Mistakes with what is kept of a party: names, numbers, tables, statuses and times.
"""

from __future__ import annotations

from datetime import datetime

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json


#: What follows where a member is lost whenever a party is written.
_WRITTEN = (
    "*.keeps-unusual-*",
    "UpdateParty.changes-*",
    "UpdateParty.answers-the-party-as-updated",
    "UpdateParty.leaves-other-*",
)


class _Kept(ReferenceEpos):
    """
    An EPOS that does something with what it keeps of a party.
    """

    def kept_of_party(self, body: Json) -> Json:
        given = super().kept_of_party(body)
        return {**given, **self.altered(given)}

    def altered(self, given: Json) -> Json:
        return {}


class _New(ReferenceEpos):
    """
    An EPOS that does something with what it keeps of a new party.
    """

    def new_party(self, body: Json) -> Json:
        given = super().new_party(body)
        return {**given, **self.altered(given)}

    def altered(self, given: Json) -> Json:
        return {}


# Names and numbers


@defect("party-names-are-ascii", breaks=["CreateParty.keeps-the-name", "UpdateParty.changes-the-name"], also=_WRITTEN)
class PartyNamesAreAscii(_Kept):
    """
    The column of the name holds plain letters only.
    """

    def altered(self, given: Json) -> Json:
        return {"name": given["name"].encode("ascii", "replace").decode()} if "name" in given else {}


@defect("party-names-are-cut", breaks=["CreateParty.keeps-the-name"], also=_WRITTEN)
class PartyNamesAreCut(_Kept):
    """
    A name is as long as the line on the kitchen's printer.
    """

    def altered(self, given: Json) -> Json:
        return {"name": given["name"][:40]} if "name" in given else {}


@defect("party-of-one-has-no-covers", breaks=["CreateParty.keeps-the-covers"], also=["CreateParty.keeps-*", *_WRITTEN])
class PartyOfOneHasNoCovers(ReferenceEpos):
    """
    A single guest is what a party is where nothing else is said.
    """

    def new_party(self, body: Json) -> Json:
        given = super().new_party(body)
        return given if given.get("covers", 0) > 1 else {name: each for name, each in given.items() if name != "covers"}


@defect(
    "covers-follow-the-tables",
    breaks=["CreateParty.keeps-the-covers"],
    also=["*.keeps-unusual-*", "*Part*.leaves-other-*"],
)
class CoversFollowTheTables(_New):
    """
    A table is laid for two, whoever comes.
    """

    def altered(self, given: Json) -> Json:
        return {"covers": 2 * len(given["tableIds"])}


# Tables


@defect(
    "party-at-its-first-table",
    breaks=["CreateParty.keeps-all-tables", "SearchParties.finds-a-party-at-each-of-its-tables"],
)
class PartyAtItsFirstTable(_New):
    """
    A party has one table in the database.
    """

    def altered(self, given: Json) -> Json:
        return {"tableIds": given["tableIds"][:1]}


@defect(
    "party-at-its-last-table",
    breaks=["CreateParty.keeps-all-tables", "UpdateParty.changes-the-tables"],
    also=["SearchParties.finds-a-party-at-each-of-its-tables", *_WRITTEN],
)
class PartyAtItsLastTable(_Kept):
    """
    Each table of a party is written over the one before.
    """

    def altered(self, given: Json) -> Json:
        return {"tableIds": given["tableIds"][-1:]}


@defect("party-of-two-tables", breaks=["CreateParty.keeps-all-tables"], also=["UpdateParty.changes-the-tables"])
class PartyOfTwoTables(_Kept):
    """
    The form has a field for the table and one for the table that is put beside it.
    """

    def altered(self, given: Json) -> Json:
        return {"tableIds": given["tableIds"][:2]}


# Notes


@defect("party-notes-share-a-column", breaks=["CreateParty.keeps-the-host-notes"], also=["*Part*.*"])
class PartyNotesShareAColumn(_Kept):
    """
    What the guests asked for is written where the host's notes are.
    """

    def altered(self, given: Json) -> Json:
        return {"hostNotes": given["guestRequests"]} if {"hostNotes", "guestRequests"} <= given.keys() else {}


# Statuses


@defect("new-parties-are-seated", breaks=["CreateParty.keeps-the-status"], also=["SearchParties.rows-agree-*"])
class NewPartiesAreSeated(_New):
    """
    Whatever status a new party was sent with, it has just sat down.
    """

    def altered(self, given: Json) -> Json:
        return {"status": "Seated"}


@defect(
    "statuses-are-the-tills-own",
    breaks=["CreateParty.keeps-the-status", "UpdateParty.changes-the-status"],
    also=_WRITTEN,
)
class StatusesAreTheTillsOwn(_Kept):
    """
    A status that the till has no button for is the first one.
    """

    def altered(self, given: Json) -> Json:
        known = ("Seated", "Ordered", "Left")
        return {"status": given["status"] if given["status"] in known else "Seated"} if "status" in given else {}


@defect(
    "status-starts-empty",
    breaks=["CreateParty.fills-in-a-status", "GetPartyById.status-is-not-empty"],
    also=["*Part*.answer-matches-schema"],
)
class StatusStartsEmpty(ReferenceEpos):
    """
    The status of a new party is an empty text, as strings are initialised.
    """

    def new_party(self, body: Json) -> Json:
        return {**super().new_party(body), "status": body.get("status", "")}


@defect("status-is-padded", breaks=["CreateParty.fills-in-a-status", "GetPartyById.status-is-not-empty"])
class StatusIsPadded(ReferenceEpos):
    """
    The column of the status is filled up with blanks, and has nothing else where none was sent.
    """

    def new_party(self, body: Json) -> Json:
        return {**super().new_party(body), "status": f"{body.get('status', ''):10}"}


# Times


@defect(
    "parties-sit-down-on-the-second",
    breaks=["CreateParty.keeps-the-start-time", "UpdateParty.changes-the-start-time"],
    also=["UpdateParty.answers-the-party-as-updated", "*Part*.leaves-other-*", "*.keeps-the-instant-*"],
)
class PartiesSitDownOnTheSecond(_Kept):
    """
    A party's startTime goes into a column without fractions.
    """

    def altered(self, given: Json) -> Json:
        return {"startTime": given["startTime"].replace(microsecond=0)}


@defect(
    "parties-sit-down-when-told",
    breaks=["CreateParty.keeps-the-start-time"],
    also=["*Part*.leaves-other-*", "CreateParty.keeps-the-instant-*", "SearchParties.one-party-per-table"],
)
class PartiesSitDownWhenTold(_New):
    """
    A party sits down when the till hears of it.
    """

    def altered(self, given: Json) -> Json:
        return {"startTime": times.parse_time(times.spell_time(self.now()))}


@defect(
    "party-milliseconds-are-unpadded",
    breaks=[
        "CreateParty.keeps-the-start-time",
        "CreateParty.keeps-the-expected-end-time",
        "UpdateParty.sets-the-end-time",
    ],
    also=[
        "CreateParty.keeps-unusual-values",
        "UpdateParty.*",
        "*Part*.leaves-other-*",
        "CreateParty.keeps-the-instant-*",
    ],
)
class PartyMillisecondsAreUnpadded(ReferenceEpos):
    """
    Times are put together from their numbers, and 41 milliseconds are .41.
    """

    def present_party(self, party: Booking) -> Json:
        shown = super().present_party(party)
        return {name: _unpadded(each) if name.endswith("Time") else each for name, each in shown.items()}


def _unpadded(time: str) -> str:
    start, _, fraction = time.removesuffix("Z").partition(".")
    return f"{start}.{int(fraction)}Z"


@defect(
    "parties-leave-on-the-minute",
    breaks=["CreateParty.keeps-the-expected-end-time", "UpdateParty.changes-the-expected-end-time"],
    also=["UpdateParty.answers-the-party-as-updated", "*Part*.leaves-other-*", "*.keeps-the-instant-*"],
)
class PartiesLeaveOnTheMinute(_Kept):
    """
    expectedEndTime is kept as hours and minutes.
    """

    def altered(self, given: Json) -> Json:
        end: datetime | None = given.get("expectedEndTime")
        return {"expectedEndTime": end.replace(second=0, microsecond=0)} if end else {}


# Where it belongs


@defect("reservation-of-a-party-is-lost", breaks=["CreateParty.keeps-the-reservation"])
class ReservationOfAPartyIsLost(ReferenceEpos):
    """
    A new party comes from nowhere.
    """

    def new_party(self, body: Json) -> Json:
        return {name: each for name, each in super().new_party(body).items() if name != "reservationId"}


@defect("reservation-of-a-party-is-dojos", breaks=["CreateParty.keeps-the-reservation"])
class ReservationOfAPartyIsDojos(_New):
    """
    A party that came from a reservation names Dojo's party for it.
    """

    def create_party(self, call: Call) -> Json:
        self.dojo_id = call.body["dojoPartyId"]
        return super().create_party(call)

    def altered(self, given: Json) -> Json:
        return {"reservationId": self.dojo_id} if "reservationId" in given else {}
