"""
SearchParties: who is shown, and to which filters.
"""

from __future__ import annotations

import contextlib

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from epos_conformance import Finding, Inconclusive, Partner, Violation, answers, check
from epos_conformance.bookings import (
    keeping,
    leaving,
    making,
    reading,
    searching,
    wishes,
)
from epos_conformance.bookings.kinds import PARTY, Own
from epos_conformance.bookings.leaving import PAST, has_ended
from epos_conformance.bookings.searching import tables_of
from epos_conformance.settling import settled


@check("SearchParties.hides-ended-parties")
def test_hides_ended_parties(partner: Partner) -> None:
    """A party that has left is no current one."""
    leaving.hides_ended(partner, {})


@check("SearchParties.completed-only-shows-ended-parties")
def test_completed_only_shows_ended_parties(partner: Partner) -> None:
    """A party that has left is found by whoever asks for those."""
    leaving.shows_ended(partner)


@check("SearchParties.completed-only-false-hides-ended-parties")
def test_completed_only_false_hides_ended_parties(partner: Partner) -> None:
    """completedOnly false means what leaving it out means."""
    leaving.hides_ended(partner, {"completedOnly": False})


@check("SearchParties.table-filter-narrows")
def test_table_filter_narrows(partner: Partner) -> None:
    """A search by table answers the parties at that table, current or not."""
    searching.narrows_by_table(partner, PARTY, {"completedOnly": True}, {"completedOnly": False})


@check("SearchParties.finds-a-party-at-each-of-its-tables")
def test_finds_a_party_at_each_of_its_tables(partner: Partner) -> None:
    """A party at two tables is at both."""
    searching.found_at_each_table(partner, PARTY)


@check("SearchParties.rows-can-be-fetched")
def test_rows_can_be_fetched(partner: Partner) -> None:
    """A party that is listed can be read."""
    searching.rows_can_be_fetched(partner, PARTY, {"completedOnly": True})


@check("SearchParties.rows-agree-with-the-party")
def test_rows_agree_with_the_party(partner: Partner) -> None:
    """A party is the same whether it is listed or read."""
    searching.rows_agree(partner, PARTY, lambda: rich(partner), {"completedOnly": True})


def rich(partner: Partner) -> Own:
    """A party with all that one can have."""
    words = {
        "hostNotes": wishes.NOTES[1],
        "guestRequests": wishes.ODD_REQUESTS[2],
        "name": wishes.NAMES[1],
        "status": wishes.STATUSES[2],
    }
    deposit = {
        "totalAmount": {"value": wishes.AMOUNTS[0], "currencyCode": partner.venue.currency},
        "paymentIntentIds": [partner.venue.intents.any(1, partner.venue.currency)],
        "description": wishes.DESCRIPTIONS[2],
    }
    return making.make(partner, PARTY, {**words, "deposit": deposit}, words, {"name": "Guest"})


@check("SearchParties.ids-are-unique")
def test_ids_are_unique(partner: Partner) -> None:
    """No two parties that are here have the same id."""
    with contextlib.suppress(Inconclusive):
        first = making.make(partner, PARTY, {"name": "Conformance A"})
        making.make(partner, PARTY, {"name": "Conformance B"}, avoid=first.tables)

    twins = settled(partner, lambda: different_twins(partner), lambda found: not found)
    answers.violate([
        Finding(f"SearchParties, id {id!r}", "one party", f"two: {one} and {other}") for id, one, other in twins[:3]
    ])


def different_twins(partner: Partner) -> list[tuple[str, str, str]]:
    """Ids of two rows that are not the same one, come twice because others came or went between two pages."""
    seen: dict[str, tuple[str, str]] = {}
    found = []
    rows = 0
    for row in reading.walk(partner, PARTY, {}):
        rows += 1
        id = row.get("id")
        if not isinstance(id, str):
            continue
        told = f"{row.get('name')!r} at {', '.join(tables_of(row))} since {row.get('startTime')}"
        if id in seen and seen[id][1] != told:
            found.append((id, seen[id][1], told))
        seen[id] = (id, told)
    if not rows:
        raise Inconclusive("SearchParties finds nobody")
    return found


#: Whoever sat down later may be a guest of ours.
_OURS = PAST + timedelta(minutes=3)


@check("SearchParties.one-party-per-table")
def test_one_party_per_table(partner: Partner) -> None:
    """A table has one party at a time."""
    now = datetime.now(UTC)
    at: dict[str, list[str]] = defaultdict(list)
    for row in reading.walk(partner, PARTY, {}):
        since = keeping.instant(row.get("startTime"))
        if since is not None and since < now - _OURS and not has_ended(row):
            for table in tables_of(row):
                at[table].append(str(row.get("id")))

    shared = {table: ids for table, ids in at.items() if len(set(ids)) > 1}
    if shared:
        raise Violation(*(Finding(f"table {table!r}", "one party", ", ".join(ids)) for table, ids in shared.items()))
    if not at:
        raise Inconclusive("SearchParties shows no party that has been at a table for a while")
