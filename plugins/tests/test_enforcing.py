"""
Whether an EPOS enforces locks is found out by what it refuses and grants, and never taken for granted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from starlette.responses import Response

from epos_conformance import enforcing
from epos_conformance._leases import Leases
from epos_conformance.exceptions import Inconclusive
from epos_conformance.reference import faults

from .place import REFUSED, Place, variants
from .support import SERVER


def test_the_reference_enforces_locks_and_tells_their_ids_apart(place: Place) -> None:
    partner = place.partner()
    found = enforcing.enforcement(partner)
    assert (found.enforced, found.early, found.tells_ids_apart) == (True, False, True)
    assert found.second.status == 409
    assert found.pace > 0
    assert enforcing.enforced(partner) == found
    assert not enforcing.excused(partner, found)
    assert place.epos.locks == {}
    assert partner.leftovers == partner.notes == []


def test_it_is_found_out_once(place: Place) -> None:
    partner = place.partner()
    enforcing.enforcement(partner)
    asked = len(place.asked)
    enforcing.enforcement(partner)
    enforcing.enforcement(place.partner())
    assert len(place.asked) == asked


@pytest.mark.parametrize("place", [["locks-that-lock-nothing"], ["last-lock-wins"]], indirect=True)
def test_a_second_lock_that_is_granted_enforces_nothing(place: Place) -> None:
    partner = place.partner()
    assert enforcing.enforced(partner) is None
    assert partner.notes == ["locks are not enforced: a second one is granted while the first is live"]
    assert place.epos.locks == {}
    assert partner.leftovers == []


@variants("locks-are-asked-for-once")
def test_ids_are_told_apart_by_who_may_delete(place: Place) -> None:
    assert enforcing.enforcement(place.partner()).tells_ids_apart


@variants("locks-are-flags")
def test_an_epos_may_ignore_ids_and_lock_all_the_same(place: Place) -> None:
    partner = place.partner()
    found = enforcing.enforcement(partner)
    assert (found.enforced, found.tells_ids_apart) == (True, False)
    assert enforcing.excused(partner, found)
    assert partner.notes == ["an order is locked or not, and lockId makes no difference"]


@variants("locks-are-not-deleted")
def test_where_no_lock_is_deleted_the_second_is_granted_on_another_order(place: Place) -> None:
    assert enforcing.enforcement(place.partner()).enforced


def test_a_lock_that_is_refused_anyway_proves_nothing(place: Place) -> None:
    granted: list[str] = []

    def instead(asked: str) -> Response | None:
        if not asked.endswith("/lock"):
            return None
        granted.append(asked)
        return Response(REFUSED, 409, media_type="application/json") if len(granted) > 1 else None

    place.instead = instead
    partner = place.partner(settle=0.05)
    with pytest.raises(Inconclusive, match="can't be told: a second lock is refused, and so it is on an order"):
        enforcing.enforcement(partner)


@pytest.mark.usefixtures("server")
def test_an_expiry_that_is_misread_by_hours_is_no_lack_of_enforcement(tmp_path: Path) -> None:
    epos, shell = faults.build(["expiry-is-local-time-east"])
    SERVER.app = place = Place(epos, shell, Leases(tmp_path), SERVER.url)
    partner = place.partner()
    found = enforcing.enforced(partner, early=True)
    assert found is not None
    assert (found.early, found.second.status) == (True, 409)
    with pytest.raises(Inconclusive, match="enforced for days only"):
        enforcing.enforced(partner)
    assert partner.leftovers == []
    for each in place.sessions:
        each.transport.close()
