"""
The usual body is the richest that a partner takes, whatever it refuses.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance import _contracts, usual
from epos_conformance._settings import KnownData
from epos_conformance.exceptions import Inconclusive
from epos_conformance.partner import Partner
from epos_conformance.trials import Subject

from .place import Place, refusing, variants


def prepared(partner: Partner, name: str) -> Subject:
    return usual.prepare(partner, _contracts.capabilities()[name])


def places(subject: Subject) -> set[str]:
    return {each.where for each in subject.leaves}


# Creations


def test_an_order_has_what_no_example_has(place: Place) -> None:
    found = places(prepared(place.partner(), "CreateOrder"))
    assert {"$.items[0].note", "$.discounts[0].name", "$.details.dineIn.readyAt", "$.customer.name"} <= found


def test_what_made_it_is_removed_again(place: Place) -> None:
    before = set(place.epos.parties)
    prepared(place.partner(), "CreateParty")
    assert set(place.epos.parties) == before


def test_what_is_refused_together_is_tried_one_by_one(place: Place) -> None:
    def instead(asked: str) -> Any:
        sent = place.bodies[-1]
        return refusing("POST /v1/orders")(asked) if sent and sent.get("discounts") else None

    place.instead = instead
    found = places(prepared(place.partner(), "CreateOrder"))
    assert {"$.items[0].note", "$.details.dineIn.readyAt"} <= found
    assert "$.discounts[0].name" not in found


@variants("verifies-deposits")
def test_a_deposit_that_is_refused_is_done_without(place: Place) -> None:
    found = places(prepared(place.partner(), "CreateParty"))
    assert {"$.name", "$.guestRequests"} <= found
    assert "$.deposit.totalAmount" not in found


def test_where_all_is_refused_the_partners_words_are_told(place: Place) -> None:
    place.instead = refusing("POST /v1/reservations")
    with pytest.raises(Inconclusive, match=r"needs a CreateReservation that is carried out.*not today"):
        prepared(place.partner(), "CreateReservation")


def test_a_partner_that_crashes_over_the_usual_is_not_asked_often(place: Place) -> None:
    place.instead = refusing("POST /v1/reservations", status=500)
    with pytest.raises(Inconclusive, match="status 500"):
        prepared(place.partner(), "CreateReservation")
    assert place.asked.count("POST /v1/reservations") == 2


# Updates


@variants("strict-till")
def test_an_update_of_our_own_changes_neither_place_nor_time(place: Place) -> None:
    partner = place.partner()
    subject = prepared(partner, "UpdateParty")
    made = place.epos.parties[subject.ids["partyId"]]
    assert subject.body["tableIds"] == made.given["tableIds"]
    assert subject.body["name"] == "Conformance Guests"
    assert subject.original is None
    partner.clean_up()
    assert subject.ids["partyId"] not in place.epos.parties


@variants("known-statuses")
def test_a_status_is_one_that_the_till_knows(place: Place) -> None:
    assert prepared(place.partner(), "UpdateParty").body["status"]


def test_what_is_named_by_the_user_is_put_back_as_it_was(place: Place) -> None:
    id, party = next(iter(place.epos.parties.items()))
    before = dict(party.given)
    session = place.session(data=KnownData(parties=(id,)))
    session.offered = session.offered - {"CreateParty"}
    subject = prepared(Partner(session), "UpdateParty")
    subject.send({"$.name": "é"})
    assert place.epos.parties[id].given["name"] == "é"
    subject.restore()
    assert {name: place.epos.parties[id].given[name] for name in before} == before


def test_what_can_not_be_put_back_is_not_touched(place: Place) -> None:
    session = place.session(data=KnownData(parties=(next(iter(place.epos.parties)),)))
    session.offered = session.offered - {"CreateParty", "GetPartyById"}
    with pytest.raises(Inconclusive, match="put back as it was"):
        prepared(Partner(session), "UpdateParty")
    assert not any(each.startswith("PUT") for each in place.asked)


def test_an_update_that_is_refused_is_inconclusive(place: Place) -> None:
    place.instead = refusing("PUT /v1/parties")
    with pytest.raises(Inconclusive, match=r"needs a UpdateParty that is carried out.*not today"):
        prepared(place.partner(), "UpdateParty")
