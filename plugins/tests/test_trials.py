"""
What becomes of an unusual body: taken, refused, a crash, or something else than was sent.
"""

from __future__ import annotations

import json

from collections.abc import Callable
from typing import Any

import pytest

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from epos_conformance import _contracts, usual
from epos_conformance.exceptions import BrokenAnswer, Inconclusive
from epos_conformance.exchange import Exchange, Sent
from epos_conformance.partner import Partner
from epos_conformance.trials import CRASH, Outcome, Problem, Subject

from .place import Place, refusing, variants


def subject(partner: Partner, name: str) -> Subject:
    return usual.prepare(partner, _contracts.capabilities()[name])


def saying(place: Place, asked: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Have the EPOS answer *asked* otherwise."""

    def instead(what: str) -> Any:
        return _Changed(place, change) if what.startswith(asked) else None

    place.instead = instead


class _Changed:
    """The EPOS's answer, changed."""

    def __init__(self, place: Place, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.place = place
        self.change = change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""

        async def keep(message: Any) -> None:
            nonlocal body
            body += message.get("body", b"")

        await self.place.shell(scope, receive, keep)
        await Response(json.dumps(self.change(json.loads(body))), 200)(scope, receive, send)


def hang_up(partner: Partner, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have the EPOS hang up so many *times* on what makes a party."""
    left, ask = [times], partner.call

    def call(name: str, params: Any = None) -> Exchange:
        if name != "CreateParty" or not left[0]:
            return ask(name, params)
        left[0] -= 1
        sent = Sent(method="POST", url="http://till.example/v1/parties", headers=(), body=b"{}")
        failure = BrokenAnswer("the connection was closed", nothing_came=True)
        partner.exchanges.append(Exchange(capability=name, transport="rest", sent=sent, failure=failure))
        raise failure

    monkeypatch.setattr(partner, "call", call)


def only(outcome: Outcome) -> Problem:
    (problem,) = outcome.problems.values()
    return problem


# In order


@pytest.mark.parametrize(
    "name", ["CreateOrder", "CreateParty", "UpdateParty", "CreateReservation", "UpdateReservation"]
)
def test_what_is_taken_is_kept_and_nothing_of_it_stays(place: Place, name: str) -> None:
    partner = place.partner()
    found = subject(partner, name)
    before = {kind: set(getattr(place.epos, kind)) for kind in ("parties", "reservations")}
    for variation in ({"$.name": "é🍷"}, {"$.guestRequests": " '\n"}, {"$.covers": 128}, {"$.items": 60}):
        known = {each.where for each in found.leaves}
        assert found.send({where: value for where, value in variation.items() if where in known}) == Outcome(True)
    assert {kind: set(getattr(place.epos, kind)) for kind in before} == before
    partner.clean_up()
    assert partner.leftovers == []


def test_a_refusal_is_no_problem(place: Place) -> None:
    found = subject(place.partner(), "CreateParty")
    place.instead = refusing("POST /v1/parties", times=1)
    assert found.send({"$.name": "é"}) == Outcome(False)


def test_each_body_has_ids_of_its_own(place: Place) -> None:
    found = subject(place.partner(), "CreateOrder")
    place.bodies.clear()
    found.send({"$.note": "é"})
    found.send({"$.reference": "a"})
    first, second = (each for each in place.bodies if each and "dojoOrderId" in each)
    assert first["dojoOrderId"] != second["dojoOrderId"]
    assert second["reference"] == "a"


def test_how_long_it_takes_is_known(place: Place) -> None:
    assert 0 < subject(place.partner(), "CreateParty").seconds < 5


def test_where_nothing_removes_it_that_is_known(place: Place) -> None:
    session = place.session()
    session.offered = session.offered - {"DeletePartyById"}
    assert not subject(Partner(session), "CreateParty").removable
    assert subject(Partner(session), "UpdateParty").removable
    assert subject(place.partner(), "CreateOrder").removable


# Crashes


def test_a_server_error_is_a_crash(place: Place) -> None:
    found = subject(place.partner(), "CreateParty")
    place.instead = refusing("POST /v1/parties", times=1, status=500)
    problem = only(found.send({"$.name": "é", "$.covers": None}))
    assert problem.where == 'CreateParty with $.name "é", without $.covers'
    assert problem.expected == "it carried out, or refused in good order"
    assert "status 500" in problem.seen
    assert len(problem.exchanges) == 1


def test_an_overload_is_none(place: Place) -> None:
    found = subject(place.partner(), "CreateParty")
    place.instead = refusing("POST /v1/parties", times=1, status=503)
    assert found.send({"$.name": "é"}) == Outcome(False)


def test_a_read_that_crashes_is_one(place: Place) -> None:
    found = subject(place.partner(), "CreateReservation")
    place.instead = refusing("GET /v1/reservations", status=500)
    outcome = found.send({"$.hostNotes": ""})
    assert outcome.accepted
    assert outcome.problems[CRASH].where == 'GetReservationById after CreateReservation with $.hostNotes ""'
    assert len(outcome.problems[CRASH].exchanges) == 2


def test_hanging_up_twice_is_one_and_once_is_chance(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    found = subject(place.partner(), "CreateParty")
    hang_up(found.partner, monkeypatch, 1)
    assert found.send({"$.name": "é"}) == Outcome(True)
    hang_up(found.partner, monkeypatch, 2)
    outcome = found.send({"$.name": "é"})
    assert only(outcome).seen == "the partner hung up (the connection was closed)"


def test_hanging_up_on_the_usual_body_too_is_not_its_fault(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    found = subject(place.partner(), "CreateParty")
    hang_up(found.partner, monkeypatch, 3)
    with pytest.raises(BrokenAnswer):
        found.send({"$.name": "é"})


def test_an_answer_that_is_too_long_for_us_is_none(place: Place) -> None:
    found = subject(place.partner(max_reply=20_000), "CreateOrder")
    assert found.send({"$.items": 250}) == Outcome(False)


def test_no_answer_is_inconclusive(place: Place) -> None:
    found = subject(place.partner(), "CreateParty")
    place.vanish()
    with pytest.raises(Inconclusive):
        found.send({"$.name": "é"})


# What is altered


def test_what_the_answer_alters_is_told_with_what_was_sent(place: Place) -> None:
    found = subject(place.partner(), "CreateParty")
    saying(place, "POST /v1/parties", lambda party: {**party, "name": "?"})
    outcome = found.send({"$.name": "é"})
    assert set(outcome.problems) == {"texts $.name"}
    problem = only(outcome)
    assert (problem.where, problem.expected, problem.seen) == ("the answer to CreateParty, $.name", '"é"', '"?"')
    assert problem.hint == "characters outside ASCII seem to be lost"


def test_what_else_was_unusual_is_told_too(place: Place) -> None:
    found = subject(place.partner(), "CreateParty")
    saying(place, "POST /v1/parties", lambda party: {**party, "name": "?"})
    assert only(found.send({"$.name": "é", "$.covers": 128})).seen == '"?", sent with $.name "é" and $.covers 128'


def test_what_a_read_alters_is_told_of_the_read(place: Place) -> None:
    found = subject(place.partner(), "CreateReservation")
    saying(place, "GET /v1/reservations", lambda row: {**row, "guestRequests": row["guestRequests"].strip()})
    outcome = found.send({"$.guestRequests": " nuts "})
    assert set(outcome.problems) == {"guest-requests $.guestRequests"}
    assert only(outcome).where == "GetReservationById after CreateReservation, $.guestRequests"


def test_what_is_altered_of_the_usual_body_is_not_told(place: Place) -> None:
    saying(place, "POST /v1/parties", lambda party: {**party, "name": "?"})
    found = subject(place.partner(), "CreateParty")
    assert "$.name" not in {each.where for each in found._answered}
    assert found.send({"$.name": "é"}) == Outcome(True)


def test_what_is_altered_of_an_update_is_judged_by_the_read_alone(place: Place) -> None:
    found = subject(place.partner(), "UpdateParty")
    saying(place, "PUT /v1/parties", lambda party: {**party, "name": "?"})
    assert found.send({"$.name": "é"}) == Outcome(True)
    saying(place, "GET /v1/parties", lambda party: {**party, "name": "?"})
    assert set(found.send({"$.name": "é"}).problems) == {"texts $.name"}


@pytest.mark.parametrize(
    ("variation", "where"),
    [
        ({"$.items[0].quantity": 128}, "$.items[0].quantity"),
        ({"$.items": 60}, "$.items"),
        ({"$.items": 60, "$.items[0].quantity": 128}, "$.items"),
        ({"$.note": "é"}, "$.items"),
    ],
)
def test_lost_pieces_are_told_once(place: Place, variation: dict[str, Any], where: str) -> None:
    found = subject(place.partner(), "CreateOrder")
    saying(place, "POST /v1/orders", lambda order: {**order, "items": []})
    problems = found.send(variation).problems
    assert [each for each in problems if "note" not in each] == [f"values {where}"]


def test_what_no_rule_is_about_is_not_told(place: Place) -> None:
    found = subject(place.partner(), "CreateParty")
    saying(place, "POST /v1/parties", lambda party: {**party, "status": "Seated"})
    assert found.send({"$.status": "Dessert"}) == Outcome(True)


def test_the_rules_that_something_is_shown_of_are_known(place: Place) -> None:
    assert subject(place.partner(), "CreateParty").shown == {"texts", "values", "guest-requests"}
    assert subject(place.partner(), "CreateOrder").shown == {"texts", "values"}


def test_without_a_read_the_answer_counts(place: Place) -> None:
    session = place.session()
    session.offered = session.offered - {"GetPartyById"}
    found = subject(Partner(session), "CreateParty")
    place.asked.clear()
    assert found.send({"$.name": "é"}) == Outcome(True)
    assert not any(each.startswith("GET") for each in place.asked)


# Late reads


@variants("bookings-lag")
@pytest.mark.parametrize("name", ["UpdateParty", "UpdateReservation", "CreateReservation"])
def test_reads_that_lag_behind_are_waited_for(place: Place, name: str) -> None:
    found = subject(place.partner(), name)
    for text in ("é", "🍷", "é"):
        assert found.send({"$.name": text}) == Outcome(True)
        assert found.send({"$.name": text}, careful=True) == Outcome(True)


def test_where_reads_never_agree_waiting_has_an_end(place: Place) -> None:
    found = subject(place.partner(settle=0.1), "UpdateReservation")
    # As if an earlier update were read, again and again.
    saying(place, "GET /v1/reservations", lambda row: {**row, "name": "Conformance Guests"})
    assert set(found.send({"$.name": "é"}).problems) == {"texts $.name"}
    assert set(found.send({"$.name": "é"}, careful=True).problems) == {"texts $.name"}
    found._immediate = False
    outcomes = [bool(found.send({"$.name": f"é{each}"}).problems) for each in range(5)]
    assert outcomes == [True, True, True, False, False]
