"""
Parties that leave: ours are made to have sat down a while ago, and updated with an endTime.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from epos_conformance import answers
from epos_conformance.bookings import changing, keeping, making, reading
from epos_conformance.bookings.kinds import PARTY, Members, Own
from epos_conformance.bookings.searching import said, told
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.following import Row
from epos_conformance.venue import instant
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner


#: How long ago a party that is to leave sat down, and left.
PAST = timedelta(minutes=25)
_AGO = timedelta(minutes=3)

#: How far ahead a party that is about to leave does so.
_AHEAD = timedelta(minutes=4)


def ended(partner: Partner) -> Own:
    """
    A party of ours that has left: one that sat down a while ago, where the partner takes such, updated with an endTime.
    """
    reading.require_offered(partner, PARTY.update)
    own = making.make(partner, PARTY, lambda slot: {} if slot.lean else {"startTime": instant(slot.start - PAST)}, {})
    return changing.update(partner, own, *ends(own))


def ends(own: Own) -> list[Members]:
    """Choices of an endTime after the start, past ones first, with milliseconds and without."""
    now = datetime.now(UTC)
    exact = timedelta(milliseconds=41)
    found = []
    if own.start < now - 2 * _AGO:
        whole = now.replace(microsecond=0) - _AGO
        found = [whole + exact, whole]
    elif own.start < now:
        found = [own.start + (now - own.start) / 2, now]
    later = own.start.replace(microsecond=0) + _AGO
    return [{"endTime": instant(each)} for each in (*found, later + exact, later, own.end)]


def left(partner: Partner) -> Own:
    """A party of ours that has left, and says so when it is read; raises `Inconclusive` where there is none."""
    own = ended(partner)
    said = keeping.instant(own.sent["endTime"])
    if said is None or said > datetime.now(UTC):
        raise Inconclusive("the partner takes no endTime that is not in the future")
    if reading.read(partner, own) is not None and reading.unkept(partner, own, "endTime", after=PARTY.update):
        raise Inconclusive("the party of ours that was to leave has no endTime after the update")
    return own


def has_ended(row: Row) -> bool:
    return row.get("endTime") is not None


def hides_ended(partner: Partner, query: Members) -> None:
    """A search for *query* shows no party that has left: not our own, and no other one."""
    own, why = None, None
    try:
        own = left(partner)
    except Inconclusive as error:
        why = error
    for more in ({}, {"tableId": own.tables[0]}) if own else ({},):
        full = {**query, **more}
        wrong = reading.offenders(
            partner,
            PARTY,
            full,
            lambda row: has_ended(row) or (own is not None and row.get("id") == own.id),
        )
        answers.violate([
            Finding(f"SearchParties with {said(full)}", "only parties without endTime", told(row, "endTime"))
            for row in wrong[:3]
        ])
    _hides_leaving(partner, query)
    if why is not None and not any(map(has_ended, reading.walk(partner, PARTY, {"completedOnly": True}))):
        raise why


def _hides_leaving(partner: Partner, query: Members) -> None:
    """The same of a party of ours whose endTime is a few minutes ahead: it has one, whatever the till's clock says."""
    try:
        own = making.make(partner, PARTY)
        whole = max(own.start, datetime.now(UTC)).replace(microsecond=0) + _AHEAD
        own = changing.update(partner, own, {"endTime": instant(whole)})
    except Inconclusive as error:
        partner.notes.append(str(error))
        return
    wrong = reading.offenders(partner, PARTY, query, lambda row: row.get("id") == own.id and has_ended(row))
    answers.violate([
        Finding(f"SearchParties with {said(query)}", "only parties without endTime", told(row, "endTime"))
        for row in wrong[:1]
    ])


def shows_ended(partner: Partner) -> None:
    """A search with completedOnly true shows a party that has left; so does one by its table."""
    try:
        own = left(partner)
    except Inconclusive:
        if any(map(has_ended, reading.walk(partner, PARTY, {"completedOnly": True}))):
            return
        raise
    for query in ({"completedOnly": True}, {"completedOnly": True, "tableId": own.tables[0]}):
        if not reading.appears(partner, own, query):
            expected = f"the party {own.id!r} with its endTime {own.sent['endTime']}"
            raise Violation(Finding(f"SearchParties with {said(query)}", expected, "no such row"))
