"""
Parties and reservations of our own: made with what the partner takes, changed, read back once they have settled, and
removed.
"""

from __future__ import annotations

import datetime

from collections.abc import Callable
from typing import Any

import pytest

from starlette.responses import Response

from epos_conformance import _contracts
from epos_conformance.bookings import (
    changing,
    creating,
    deleting,
    deposits,
    keeping,
    leaving,
    making,
    reading,
    slots,
    updating,
    wishes,
)
from epos_conformance.bookings.kinds import PARTY, RESERVATION, Kind
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.verdict import Finding

from .place import Place, refusing, variants


both = pytest.mark.parametrize("kind", [PARTY, RESERVATION], ids=lambda kind: kind.name)


def reason(do: Callable[[], object]) -> str:
    """Why *do* is inconclusive."""
    with pytest.raises(Inconclusive) as caught:
        do()
    return str(caught.value)


def findings(do: Callable[[], object]) -> list[Finding]:
    with pytest.raises(Violation) as caught:
        do()
    return list(caught.value.findings)


# Where and when


def test_a_party_is_seated_at_free_tables_about_now_and_then_on_other_days(place: Place) -> None:
    tries = slots.for_party(place.partner())
    first = [next(tries) for _ in range(6)]
    taken = {
        each
        for party in place.epos.parties.values()
        if "endTime" not in party.given
        for each in party.given["tableIds"]
    }
    assert not {each.tables[0] for each in first[:3]} & taken
    assert len({each.tables for each in first[:3]}) == 3
    now = datetime.datetime.now(datetime.UTC)
    assert [abs(each.start - now) < datetime.timedelta(minutes=5) for each in first] == [True] * 3 + [False] * 3


def test_checks_do_not_seat_parties_at_the_same_table_now(place: Place) -> None:
    one, other = place.partner(), place.partner()
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    taken: list[tuple[str, ...]] = []
    for partner in (one, other):
        tries = slots.for_party(partner)
        taken += [each.tables for each in (next(tries), next(tries)) if each.start < now]
    assert len(taken) == len(set(taken)) == 4


def test_two_tables_are_of_one_area_where_they_can_be(place: Place) -> None:
    partner = place.partner()
    areas = {row["id"]: row["areaId"] for row in partner.venue.tables}
    for find in (slots.for_party, slots.for_reservation):
        assert len({areas[each] for each in next(find(partner, count=2)).tables}) == 1


def test_tables_seat_as_many_as_come(place: Place) -> None:
    partner = place.partner()
    tries = slots.for_reservation(partner, people=7)
    assert all(slots.capacities(partner)[next(tries).tables[0]] >= 7 for _ in range(5))


def test_tables_to_avoid_are_avoided(place: Place) -> None:
    partner = place.partner()
    every = [row["id"] for row in partner.venue.tables]
    tries = slots.for_reservation(partner, avoid=every[1:])
    assert {next(tries).tables for _ in range(2)} == {(every[0],)}


@variants("empty-venue")
def test_a_venue_without_tables_says_what_to_name(place: Place) -> None:
    assert reason(lambda: next(slots.for_party(place.partner(), count=2))) == (
        "needs 2 tables to book, none seen (SearchTables finds nothing); name some as data.tables in partner.toml"
    )


def test_reservations_are_tried_as_others_are(place: Place) -> None:
    tries = slots.for_reservation(place.partner(), hours=(3,))
    first = [next(tries) for _ in range(3)]
    assert [each.start.hour for each in first[:2]] == [3, 3]
    seen = {each.given["startTime"].time() for each in place.epos.reservations.values()}
    assert first[2].start.time() in seen
    assert first[2].start > datetime.datetime.now(datetime.UTC)


# Making


@both
def test_what_is_made_is_removed(place: Place, kind: Kind) -> None:
    partner = place.partner()
    kept = place.epos.parties if kind is PARTY else place.epos.reservations
    before = set(kept)
    own, other = making.make(partner, kind), making.make(partner, kind)
    assert set(kept) - before == {own.id, other.id}
    making.discard(partner, own)
    partner.clean_up()
    assert set(kept) == before


def test_a_refusal_is_answered_with_other_data(place: Place) -> None:
    refuse = refusing("POST /v1/parties", times=3)
    place.instead = lambda asked: None if asked.endswith("/search") else refuse(asked)
    making.make(place.partner(), PARTY)
    sent = [body for asked, body in zip(place.asked, place.bodies, strict=True) if asked == "POST /v1/parties"]
    assert len({body["tableIds"][0] + body["startTime"] for body in sent}) == 4
    assert len({body["dojoPartyId"] for body in sent}) == 4


@variants("short-fields")
def test_plainer_members_are_tried_next(place: Place) -> None:
    own = making.make(place.partner(), PARTY, *wishes.texts("guestRequests", wishes.LONG_REQUESTS))
    assert own.chosen == {"guestRequests": wishes.LONG_REQUESTS[-1]}


@both
def test_a_till_that_refuses_everything_is_quoted(place: Place, kind: Kind) -> None:
    place.instead = refusing(f"POST /v1/{bookings_path(kind)}")
    assert reason(lambda: making.make(place.partner(), kind)) == (
        f"the partner refuses every {kind.create} that was tried: status 409, Conflict: not today; "
        "name tables that it knows under [data] in partner.toml"
    )
    assert place.asked.count(f"POST /v1/{bookings_path(kind)}") == 4


def bookings_path(kind: Kind) -> str:
    return "parties" if kind is PARTY else "reservations"


@variants("verifies-deposits")
def test_a_till_that_refuses_a_member_is_told_apart(place: Place) -> None:
    partner = place.partner()
    said = reason(lambda: making.make(partner, PARTY, *deposits.choices(partner)))
    assert said.startswith("the partner takes no party with such deposit: status 409, Conflict: Dojo knows no payment")
    assert said.endswith("; it takes one without")


@variants("one-table-each")
def test_a_till_that_joins_no_tables_is_told_apart(place: Place) -> None:
    assert reason(lambda: making.make(place.partner(), RESERVATION, count=2)) == (
        "the partner takes no reservation at 2 tables: status 409, Conflict: tables can't be joined here; "
        "it takes one at one"
    )


def crash(text: str) -> Callable[[dict[str, Any]], Response | None]:
    """A till that crashes over *text* in the notes."""

    def instead(body: dict[str, Any]) -> Response | None:
        return Response(b"{}", 500) if body.get("hostNotes") == text else None

    return instead


@both
def test_a_till_that_crashes_over_a_member_alone_breaks_the_rule(place: Place, kind: Kind) -> None:
    crashes = crash("odd")
    place.instead = lambda _: crashes(place.bodies[-1] or {})
    found = findings(lambda: making.make(place.partner(), kind, {"hostNotes": "odd"}, {"hostNotes": "plain"}))
    assert [each.where for each in found] == [f"{kind.create} with hostNotes"]
    found = findings(lambda: making.make(place.partner(), kind, {"hostNotes": "odd"}))
    assert [each.where for each in found] == [f"{kind.create} with hostNotes"]


def test_a_till_that_crashes_always_is_another_rules_business(place: Place) -> None:
    place.instead = refusing("POST /v1/parties", status=500)
    said = reason(lambda: making.make(place.partner(), PARTY, {"hostNotes": "odd"}))
    assert said.startswith("the partner refuses every CreateParty that was tried: status 500")


def test_nothing_is_made_where_that_is_forbidden(place: Place) -> None:
    partner = place.partner(read_only=True)
    assert reason(lambda: making.make(partner, PARTY)) == "needs an own party, which --read-only forbids"
    assert place.asked == []


# Changing


@both
def test_an_update_sends_everything_and_changes_one_thing(place: Place, kind: Kind) -> None:
    partner = place.partner()
    own = making.make(partner, kind, {"hostNotes": "as made"})
    updated = changing.update(partner, own, {"name": "Somebody else"})
    sent = place.bodies[-1]
    assert sent == {**own.body, "name": "Somebody else"}
    assert sent["hostNotes"] == "as made"
    assert updated.answer["name"] == "Somebody else"
    assert reading.unkept(partner, updated, "name", "hostNotes", after=kind.update) == []


@variants("known-statuses")
def test_an_update_is_tried_with_other_values(place: Place) -> None:
    partner = place.partner()
    own = making.make(partner, PARTY)
    assert changing.update(partner, own, {"status": "Waiting"}, {"status": "Paying"}).chosen == {"status": "Paying"}
    assert reason(lambda: changing.update(partner, own, {"status": "Waiting"})) == (
        "the partner takes no UpdateParty with such status: status 400, InvalidRequest: there is no status 'Waiting'; "
        "it takes one that changes nothing"
    )


@variants("known-statuses")
def test_an_update_that_is_refused_for_what_it_changes_is_told_apart(place: Place) -> None:
    partner = place.partner()
    own = making.make(partner, PARTY)
    with pytest.raises(changing.NoneTaken):
        changing.update(partner, own, {"status": "Waiting"})
    place.instead = refusing("PUT")
    with pytest.raises(Inconclusive) as caught:
        changing.update(partner, own, {"status": "Waiting"})
    assert not isinstance(caught.value, changing.NoneTaken)


@variants("one-status")
def test_what_the_partner_calls_its_parties_is_what_they_are_updated_with(place: Place) -> None:
    partner = place.partner()
    update = _contracts.capabilities()["UpdateParty"]
    unknown = partner.unknown(update)
    assert unknown["status"] == partner.request(update)["status"] == "Am Tisch"
    assert wishes.known_statuses(partner)[0] == "Am Tisch"
    for example in update.examples:
        assert partner.attempt(update, example).succeeded


def test_an_update_of_what_is_gone_is_not_tried_again(place: Place) -> None:
    partner = place.partner(settle=0)
    own = making.make(partner, PARTY)
    del place.epos.parties[own.id]
    place.asked.clear()
    said = reason(lambda: changing.update(partner, own, {"name": "A"}, {"name": "B"}))
    assert said == f"UpdateParty doesn't find party {own.id!r}, made a moment ago"
    assert len(place.asked) == 1


def test_a_till_that_crashes_over_an_update_breaks_the_rule(place: Place) -> None:
    partner = place.partner()
    own, crashes = making.make(partner, RESERVATION), crash("odd")
    place.instead = lambda _: crashes(place.bodies[-1] or {})
    found = findings(lambda: changing.update(partner, own, {"hostNotes": "odd"}, {"hostNotes": "plain"}))
    assert [each.where for each in found] == ["UpdateReservation with hostNotes"]


# Reading


@both
@variants("bookings-lag")
def test_what_is_read_is_given_time_to_settle(place: Place, kind: Kind) -> None:
    partner = place.partner(settle=2)
    own = making.make(partner, kind)
    assert reading.unkept(partner, own, "tableIds", "startTime") == []
    assert reading.appears(partner, own, {})
    making.discard(partner, own)
    assert reading.vanishes(partner, own, {})


@variants("lean-creations")
def test_an_answer_that_leaves_members_out_says_nothing(place: Place) -> None:
    partner = place.partner()
    own = making.make(partner, PARTY, {"hostNotes": "here"})
    assert "hostNotes" not in own.answer
    assert reading.unkept(partner, own, "hostNotes") == []


def test_an_answer_that_contradicts_is_a_finding(place: Place) -> None:
    partner = place.partner()
    own = making.make(partner, PARTY, {"hostNotes": "here"})
    answered = {**own.answer, "hostNotes": "there"}
    wrong = type(own)(**{name: getattr(own, name) for name in own.__slots__} | {"answer": answered})
    assert [each.where for each in reading.unkept(partner, wrong, "hostNotes")] == [
        "the answer to CreateParty, $.hostNotes"
    ]


def test_what_is_read_but_not_found_is_no_finding(place: Place) -> None:
    partner = place.partner(settle=0)
    own = making.make(partner, PARTY)
    del place.epos.parties[own.id]
    assert reason(lambda: reading.require_kept(partner, own, "name")) == (
        f"GetPartyById doesn't find party {own.id!r}, made a moment ago"
    )


@both
def test_a_search_is_walked_to_the_row(place: Place, kind: Kind) -> None:
    partner = place.partner()
    own = making.make(partner, kind)
    place.epos.limit_of = lambda cursor: 3  # type: ignore[method-assign]  # noqa: ARG005 - as it is called
    assert reading.find(partner, own) == own.answer
    ids = [row["id"] for row in reading.walk(partner, kind, {})]
    assert len(ids) == len(set(ids))


def test_a_search_that_takes_no_limit_is_asked_without(place: Place) -> None:
    place.instead = refusing("POST /v1/parties/search", times=1, status=400)
    assert list(reading.walk(place.partner(), PARTY, {}))


def test_a_search_that_fails_is_quoted(place: Place) -> None:
    place.instead = refusing("POST /v1/parties/search")
    said = reason(lambda: list(reading.walk(place.partner(), PARTY, {"tableId": "a"})))
    assert said == "a SearchParties with tableId fails: status 409, Conflict: not today"


def test_what_is_not_offered_is_said(place: Place) -> None:
    with pytest.raises(NotOffered, match="needs SearchMenus, which isn't offered"):
        reading.require_offered(place.partner(), "SearchParties", "SearchMenus")


# What is asked alike


def test_one_round_of_several_is_enough_to_judge_by(place: Place) -> None:
    partner = place.partner()

    def refused() -> None:
        raise Inconclusive("not this one")

    creating.each_round(partner, [refused, lambda: None])
    assert partner.notes == ["not this one"]
    assert reason(lambda: creating.each_round(partner, [refused, refused])) == "not this one"


@both
def test_a_deletion_that_deletes_is_believed(place: Place, kind: Kind) -> None:
    partner = place.partner(settle=0)
    deleting.cannot_be_fetched_afterwards(partner, kind)
    deleting.cannot_be_updated_afterwards(partner, kind)
    deleting.answers_with_nothing(partner, kind)


@both
def test_an_update_of_the_deleted_that_conflicts_is_found_where_nothing_is_in_the_way(place: Place, kind: Kind) -> None:
    partner = place.partner(settle=0)
    gone: list[str] = []

    def instead(asked: str) -> Response | None:
        verb, _, path = asked.partition(" ")
        if verb == "DELETE":
            gone.append(path)
        return refusing("PUT")(asked) if path in gone else None

    place.instead = instead
    found = findings(lambda: deleting.cannot_be_updated_afterwards(partner, kind))
    assert [(each.where, each.expected) for each in found] == [(f"{kind.update} after {kind.delete}", "NotFound")]


def test_a_party_that_leaves_has_been_there(place: Place) -> None:
    own = leaving.left(place.partner())
    end, now = keeping.instant(own.sent["endTime"]), datetime.datetime.now(datetime.UTC)
    assert end is not None
    assert own.start < end < now


def test_a_party_that_has_just_come_can_leave_too(place: Place) -> None:
    own = making.make(place.partner(), PARTY)
    first = keeping.instant(leaving.ends(own)[0]["endTime"])
    assert first is not None
    assert own.start <= first <= datetime.datetime.now(datetime.UTC)


def test_a_party_moves_to_tables_that_are_free(place: Place) -> None:
    partner = place.partner()
    own = making.make(partner, PARTY)
    taken = {
        each
        for party in place.epos.parties.values()
        if "endTime" not in party.given
        for each in party.given["tableIds"]
    }
    assert not set(updating.other_tables(partner, own)) & taken
