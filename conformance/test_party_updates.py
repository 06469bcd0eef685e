"""
Parties: whether they are changed as sent, and gone when deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from epos_conformance import Finding, Inconclusive, NotOffered, Partner, Violation, answers, check
from epos_conformance.bookings import (
    changing,
    deleting,
    deposits,
    keeping,
    making,
    reading,
    refusing,
    updating,
    wishes,
)
from epos_conformance.bookings.changing import NoneTaken
from epos_conformance.bookings.creating import covers
from epos_conformance.bookings.kinds import PARTY, Members, Own
from epos_conformance.bookings.leaving import PAST, ends
from epos_conformance.bookings.updating import given, shifted
from epos_conformance.venue import instant


# Updating


@check("UpdateParty.changes-the-name")
def test_changes_the_name(partner: Partner) -> None:
    """A party is called what the last update said."""
    rounds = given("name", wishes.OTHER_NAMES), given("name", wishes.OTHER_NAMES[2:])
    updating.changes(partner, PARTY, "name", *rounds, together={"hostNotes": "Renamed"})


@check("UpdateParty.changes-the-covers")
def test_changes_the_covers(partner: Partner) -> None:
    """A party is of as many people as the last update said."""
    rounds = given("covers", [1]), given("covers", [2])
    updating.changes(
        partner, PARTY, "covers", *rounds, made=[{"covers": 2}, covers], together={"name": "Conformance Two"}
    )


@check("UpdateParty.changes-the-tables")
def test_changes_the_tables(partner: Partner) -> None:
    """A party sits at the tables of the last update, all of them and no others."""
    updating.changes_the_tables(partner, PARTY)


@check("UpdateParty.changes-the-status")
def test_changes_the_status(partner: Partner) -> None:
    """A party has the status of the last update."""
    known = wishes.known_statuses(partner)

    def other(first: Sequence[str]) -> Callable[[Own], Sequence[Members]]:
        return lambda own: wishes.texts("status", [each for each in (*first, *known) if each != own.body["status"]])

    rounds = other(wishes.OTHER_STATUSES), other(wishes.STATUSES)
    try:
        updating.changes(partner, PARTY, "status", *rounds, together={"name": "Conformance Two"})
    except NoneTaken as error:
        raise NotOffered(f"no other status is known that the partner takes: {error}") from None


@check("UpdateParty.changes-the-start-time")
def test_changes_the_start_time(partner: Partner) -> None:
    """A party sat down when the last update says, to the millisecond."""
    rounds = shifted("startTime", 608, -7, 1), shifted("startTime", 41, -3, 2, second=9)
    updating.changes(partner, PARTY, "startTime", *rounds, together={"name": "Conformance Two"})


@check("UpdateParty.changes-the-expected-end-time")
def test_changes_the_expected_end_time(partner: Partner) -> None:
    """A party is expected to leave when the last update says, to the millisecond."""
    rounds = shifted("expectedEndTime", 904, 17, 5), shifted("expectedEndTime", 8, -25, -10, second=31)
    updating.changes(partner, PARTY, "expectedEndTime", *rounds, together={"name": "Conformance Two"})


@check("UpdateParty.keeps-the-instant-of-an-offset-time")
def test_keeps_the_instant_of_an_offset_time_updated(partner: Partner) -> None:
    """A time in an update is the same instant, whatever offset it is written with."""
    updating.changes_offset_times(partner, PARTY)


@check("UpdateParty.sets-the-end-time")
def test_sets_the_end_time(partner: Partner) -> None:
    """A party has left when the update says, to the millisecond."""
    own = making.make(partner, PARTY, lambda slot: {} if slot.lean else {"startTime": instant(slot.start - PAST)}, {})
    own = changing.update(partner, own, *ends(own))
    try:
        reading.require_kept(partner, own, "endTime", after=PARTY.update)
    except Inconclusive:
        # A party that has left may be filed elsewhere.
        row = reading.find(partner, own, {"completedOnly": True}) if partner.offers(PARTY.search) else None
        shown = own.answer if row is None else row
        answers.violate(keeping.differences(own.sent, shown, ["endTime"], "after UpdateParty"))


@check("UpdateParty.changes-the-host-notes")
def test_changes_the_host_notes(partner: Partner) -> None:
    """A party has the notes of the last update."""
    rounds = given("hostNotes", wishes.OTHER_NOTES), given("hostNotes", wishes.NOTES[2:]), ends
    updating.changes(partner, PARTY, "hostNotes", *rounds, together={"name": "Conformance Two"})


@check("UpdateParty.changes-the-guest-requests")
def test_changes_the_guest_requests(partner: Partner) -> None:
    """A party has the requests of the last update, word for word."""
    made = wishes.texts("guestRequests", wishes.LONG_REQUESTS[1:])
    rounds = given("guestRequests", wishes.OTHER_REQUESTS), given("guestRequests", wishes.SHORT_REQUESTS), ends
    updating.changes(partner, PARTY, "guestRequests", *rounds, made=[*made, {}], together={"name": "Conformance Two"})


@check("UpdateParty.changes-the-deposit")
def test_changes_the_deposit(partner: Partner) -> None:
    """A party has the deposit of the last update, all its payment intents and its amount."""
    first = deposits.choices(partner, wishes.AMOUNTS[0], wishes.DESCRIPTIONS[1])
    again = deposits.choices(partner, wishes.AMOUNTS[1])
    rounds = (lambda _: first), (lambda _: again), ends
    updating.changes(partner, PARTY, "deposit", *rounds, together={"name": "Conformance Two"})


@check("UpdateParty.answers-the-party-as-updated")
def test_answers_the_party_as_updated(partner: Partner) -> None:
    """The answer to an update shows what was given."""
    status = {"status": wishes.OTHER_STATUSES[0]}
    full = {**status, "deposit": deposits.deposit(partner, wishes.AMOUNTS[0])}
    updating.answers_as_updated(partner, PARTY, full, status)


@check("UpdateParty.keeps-the-id")
def test_keeps_the_id(partner: Partner) -> None:
    """An updated party is still the same."""
    updating.keeps_the_id(partner, PARTY)


@check("UpdateParty.moves-the-party-in-searches")
def test_moves_the_party_in_searches(partner: Partner) -> None:
    """A party that has moved is found where it sits."""
    reading.require_offered(partner, PARTY.update, PARTY.search)
    own = making.make(partner, PARTY, {"covers": 1}, {})
    old = own.tables[0]
    own = changing.update(partner, own, *({"tableIds": [each]} for each in updating.other_tables(partner, own)))
    new = own.tables[0]

    if not reading.appears(partner, own, {"tableId": new}):
        raise Violation(Finding(f"SearchParties with tableId {new!r}", f"{own.id!r}, moved there", "no such row"))
    if not reading.vanishes(partner, own, {"tableId": old}):
        raise Violation(Finding(f"SearchParties with tableId {old!r}", f"no {own.id!r}, moved to {new!r}", "one"))


@check("UpdateParty.drops-what-is-left-out")
def test_drops_what_is_left_out(partner: Partner) -> None:
    """An update without notes leaves none."""
    updating.drops_what_is_left_out(partner, PARTY)


@check("UpdateParty.leaves-other-parties-alone")
def test_update_leaves_other_parties_alone(partner: Partner) -> None:
    """An update changes one party and no other."""
    change = {"name": "Conformance Other", "hostNotes": "Moved"}
    updating.leaves_others_alone(partner, PARTY, lambda own: changing.update(partner, own, change))


@check("UpdateParty.changes-nothing-that-it-refuses")
def test_changes_nothing_that_it_refuses(partner: Partner) -> None:
    """A party that can't move since somebody sits there stays as it was."""
    refusing.changes_nothing_refused(partner, PARTY)


# Deleting


@check("DeletePartyById.cannot-be-fetched-afterwards")
def test_cannot_be_fetched_afterwards(partner: Partner) -> None:
    """A deleted party is not found."""
    deleting.cannot_be_fetched_afterwards(partner, PARTY)


@check("DeletePartyById.cannot-be-updated-afterwards")
def test_cannot_be_updated_afterwards(partner: Partner) -> None:
    """A deleted party is not found by an update."""
    deleting.cannot_be_updated_afterwards(partner, PARTY)


@check("DeletePartyById.drops-out-of-searches")
def test_drops_out_of_searches(partner: Partner) -> None:
    """A deleted party is no row of a search, nor one of those that have left."""
    deleting.drops_out_of_searches(
        partner,
        PARTY,
        lambda own: {"tableId": own.tables[0]},
        lambda _: {"completedOnly": True},
    )


@check("DeletePartyById.leaves-other-parties-alone")
def test_delete_leaves_other_parties_alone(partner: Partner) -> None:
    """A deletion removes one party and no other."""
    reading.require_offered(partner, PARTY.delete)
    updating.leaves_others_alone(partner, PARTY, lambda own: deleting.deleted(partner, own))


@check("DeletePartyById.answers-with-nothing")
def test_answers_with_nothing(partner: Partner) -> None:
    """A deletion has nothing to tell."""
    deleting.answers_with_nothing(partner, PARTY)
