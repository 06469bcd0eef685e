"""
Freedoms in how parties and reservations are kept, told and guarded.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from epos_conformance.reference import times
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Booking, Json, Venue
from epos_conformance.reference.times import parse_time
from epos_conformance.reference.variants.strict_till import StrictTill


# In what is told


@variant("trims-notes")
class TrimsNotes(ReferenceEpos):
    """
    Blanks around names and notes go; what guests wrote stays as it is.
    """

    def kept_of_party(self, body: Json) -> Json:
        return _trimmed(super().kept_of_party(body))

    def kept_of_reservation(self, body: Json) -> Json:
        return _trimmed(super().kept_of_reservation(body))


def _trimmed(given: Json) -> Json:
    named = ("name", "hostNotes", "status")
    return {name: value.strip() if name in named else value for name, value in given.items()}


@variant("fine-times")
class FineTimes(ReferenceEpos):
    """
    Times are written to a tenth of a microsecond.
    """

    def spell_time(self, instant: datetime) -> str:
        return super().spell_time(instant).replace("Z", "0000Z")


@variant("tables-in-any-order")
class TablesInAnyOrder(ReferenceEpos):
    """
    The tables of a party or a reservation are a set, and come in another order.
    """

    def present_party(self, party: Booking) -> Json:
        shown = super().present_party(party)
        return {**shown, "tableIds": shown["tableIds"][::-1]}

    def present_reservation(self, reservation: Booking) -> Json:
        shown = super().present_reservation(reservation)
        return {**shown, "tableIds": shown["tableIds"][::-1]}


@variant("lean-creations")
class LeanCreations(ReferenceEpos):
    """
    What was made is answered with what a party or a reservation cannot be without.
    """

    def create_party(self, call: Call) -> Json:
        return _only(super().create_party(call), "id", "startTime", "status", "tableIds")

    def create_reservation(self, call: Call) -> Json:
        needed = ("id", "name", "covers", "startTime", "endTime", "tableIds")
        return _only(super().create_reservation(call), *needed)


def _only(shown: Json, *members: str) -> Json:
    return {name: shown[name] for name in members}


@variant("empty-texts")
class EmptyTexts(ReferenceEpos):
    """
    Notes and requests that nobody wrote are empty ones.
    """

    def present_party(self, party: Booking) -> Json:
        return {"hostNotes": "", "guestRequests": "", **super().present_party(party)}

    def present_reservation(self, reservation: Booking) -> Json:
        return {"hostNotes": "", "guestRequests": "", **super().present_reservation(reservation)}


# In when and what is shown


@variant("bookings-lag")
class BookingsLag(ReferenceEpos):
    """
    Parties and reservations are read from a copy that is a tenth of a second behind.
    """

    LAG = 0.1

    def __init__(self, *, clock: Callable[[], datetime] = times.utc_now) -> None:
        super().__init__(clock=clock)
        #: Kind and id -> until when readers see what was there before, which may be nothing.
        self.earlier: dict[tuple[str, str], tuple[float, Booking | None]] = {}

    def perform(self, call: Call) -> Any:
        page = call.capability.page
        if page not in ("parties", "reservations"):
            return super().perform(call)
        kept: dict[str, Booking] = getattr(self, page)
        if call.capability.changes:
            before = {id: Booking(id=id, number=each.number, given=each.given) for id, each in kept.items()}
            try:
                return super().perform(call)
            finally:
                for id in {*before, *kept}:
                    if id not in before or id not in kept or before[id].given is not kept[id].given:
                        self.earlier.setdefault((page, id), (time.monotonic() + self.LAG, before.get(id)))
        setattr(self, page, self.as_read(page, kept))
        try:
            return super().perform(call)
        finally:
            setattr(self, page, kept)

    def as_read(self, page: str, kept: dict[str, Booking]) -> dict[str, Booking]:
        """What readers see of *kept*."""
        now = time.monotonic()
        self.earlier = {key: each for key, each in self.earlier.items() if each[0] > now}
        found: dict[str, Booking | None] = {**kept}
        found.update((id, each) for (its, id), (_, each) in self.earlier.items() if its == page)
        return dict(sorted(((id, each) for id, each in found.items() if each), key=lambda pair: pair[1].number))


@variant("coming-week")
class ComingWeek(ReferenceEpos):
    """
    A search for reservations that names no time shows those of the coming week.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        soon = reservation.given["startTime"] < self.now() + timedelta(days=7)
        return super().is_wanted_reservation(reservation, wanted) and (
            soon or {"fromTime", "toTime"} & set(wanted) != set()
        )


# In what is refused


@variant("quarter-hours")
class QuarterHours(ReferenceEpos):
    """
    Reservations start and end on the quarter of an hour.
    """

    def check_reservation(self, body: Json, reservation: Booking | None) -> None:
        super().check_reservation(body, reservation)
        for name in ("startTime", "endTime"):
            moment = parse_time(body[name])
            if moment.minute % 15 or moment.second or moment.microsecond:
                raise invalid(f"{name} is no quarter of an hour")


@variant("known-statuses")
class KnownStatuses(ReferenceEpos):
    """
    A party has one of the statuses that the till's buttons have.
    """

    def check_party(self, body: Json, party: Booking | None) -> None:
        super().check_party(body, party)
        if body.get("status", "Seated") not in ("Seated", "Ordered", "Starters", "Paying", "Left"):
            raise invalid(f"there is no status {body['status']!r}")


@variant("one-status")
class OneStatus(ReferenceEpos):
    """
    The till calls the status of every party by one word of its own, and takes no other.
    """

    WORD = "Am Tisch"

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        for each in venue.parties:
            each.given["status"] = self.WORD
        return venue

    def check_party(self, body: Json, party: Booking | None) -> None:
        super().check_party(body, party)
        if body.get("status", self.WORD) != self.WORD:
            raise invalid(f"there is no status {body['status']!r}")

    def new_party(self, body: Json) -> Json:
        return {**super().new_party(body), "status": self.WORD}


@variant("deposits-have-no-type")
class DepositsHaveNoType(ReferenceEpos):
    """
    A deposit is held to the letter of what is published, which any text satisfies; one that is no object is left out.
    """

    def validate(self, call: Call) -> None:
        if call.capability.page == "parties" and not isinstance(call.body.get("deposit", {}), dict):
            call = replace(call, body={name: each for name, each in call.body.items() if name != "deposit"})
        super().validate(call)

    def kept_of_party(self, body: Json) -> Json:
        kept = super().kept_of_party(body)
        return {name: each for name, each in kept.items() if name != "deposit" or isinstance(each, dict)}


@variant("short-fields")
class ShortFields(ReferenceEpos):
    """
    Texts of parties and reservations fit the printer: 80 characters of Latin-1 in one line, or they are refused.
    """

    def validate(self, call: Call) -> None:
        super().validate(call)
        for name in ("name", "hostNotes", "guestRequests"):
            text = call.body.get(name, "") if call.capability.page in ("parties", "reservations") else ""
            if len(text) > 80 or "\n" in text or text != text.encode("latin-1", "replace").decode("latin-1"):
                raise invalid(f"{name} does not fit the printer")


@variant("seats-as-reserved")
class SeatsAsReserved(StrictTill):
    """
    A strict till that seats the party of a reservation nowhere but where it was reserved.
    """

    def check_party(self, body: Json, party: Booking | None) -> None:
        super().check_party(body, party)
        reserved = self.reservations.get(body.get("reservationId", ""))
        if reserved and set(body["tableIds"]) != set(reserved.given["tableIds"]):
            raise conflict(f"{reserved.given['name']} reserved another table")


@variant("full-house")
class FullHouse(StrictTill):
    """
    A strict till in the rush hour: somebody sits at every table but three.
    """

    def open_venue(self) -> Venue:
        venue = super().open_venue()
        taken = {each for party in venue.parties if "endTime" not in party.given for each in party.given["tableIds"]}
        free = [each["id"] for each in venue.tables if each["id"] not in taken]
        for table in free[3:]:
            given = {"name": "Walk-in", "covers": 1, "tableIds": [table], "status": "Seated", "startTime": self.now()}
            venue.parties.append(
                Booking(id=self.spell_id("party", f"pty-{table}"), number=self.next_number(), given=given)
            )
        return venue


@variant("one-table-each")
class OneTableEach(ReferenceEpos):
    """
    Tables can't be joined: a party or a reservation has one.
    """

    def check_party(self, body: Json, party: Booking | None) -> None:
        super().check_party(body, party)
        _check_one(body)

    def check_reservation(self, body: Json, reservation: Booking | None) -> None:
        super().check_reservation(body, reservation)
        _check_one(body)


def _check_one(body: Json) -> None:
    if len(body["tableIds"]) > 1:
        raise conflict("tables can't be joined here")


@variant("verifies-deposits")
class VerifiesDeposits(ReferenceEpos):
    """
    A deposit of payment intents that Dojo does not know is refused.
    """

    def check_party(self, body: Json, party: Booking | None) -> None:
        super().check_party(body, party)
        for each in body.get("deposit", {"paymentIntentIds": ()})["paymentIntentIds"]:
            if not each.startswith("pi_real_"):
                raise conflict(f"Dojo knows no payment intent {each!r}")


@variant("ended-parties-are-filed")
class EndedPartiesAreFiled(ReferenceEpos):
    """
    A party that has left can be read and searched for, and not be changed any more.
    """

    def update_party(self, call: Call) -> Json:
        if "endTime" in self.find_party(call.ids["partyId"]).given:
            raise conflict("the party has left")
        return super().update_party(call)
