"""
Bookings: guests reserve, change their minds, come, move to another table, order, and leave.

That searches follow is recommended and no more, so it becomes a note; what is kept of guests, their tables and their
deposit is a must.
"""

from __future__ import annotations

import datetime
import functools
import itertools

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from epos_conformance import answers, creating, following, kept, order_places, searching
from epos_conformance.bookings import changing, deposits, intervals, keeping, leaving, making, reading, slots, wishes
from epos_conformance.bookings.creating import fetch
from epos_conformance.bookings.kinds import PARTY, RESERVATION, Choice, Kind, Members, Own
from epos_conformance.bookings.updating import other_tables
from epos_conformance.exceptions import Inconclusive, Violation
from epos_conformance.filters import BY_ID
from epos_conformance.journeys.journey import asking, judged, refuses, require_carried_out
from epos_conformance.journeys.order_and_pay import CREATE, Guest
from epos_conformance.settling import settled
from epos_conformance.venue import instant
from epos_conformance.verdict import Finding
from epos_conformance.walking import listed


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: Pages of tables that are asked for.
_MOST_PAGES = 10

#: What a deposit is, in minor units.
_DEPOSIT = 1999

_DAY = datetime.timedelta(days=1)

#: Member -> the fact of the rule that it is kept, or changed: ``CreateParty.keeps-the-…``.
_FACTS: Mapping[str, str] = {
    "name": "the-name",
    "covers": "the-covers",
    "tableIds": "the-tables",
    "startTime": "the-start-time",
    "endTime": "the-end-time",
    "expectedEndTime": "the-expected-end-time",
    "guestRequests": "the-guest-requests",
    "deposit.paymentIntentIds": "the-deposit-intents",
    "deposit.totalAmount": "the-deposit-amount",
    "reservationId": "the-reservation",
}


def bookings(partner: Partner) -> None:
    """The whole of an evening, from the reservation to the empty table."""
    _looks_at_the_floor(partner)
    reservation = _moved(partner, _reserved(partner))
    party = _moved_to_another_table(partner, _seated(partner, reservation))
    order = _ordered(partner, party)
    _leaves(partner, party)
    if order is not None:
        order.reads_it("their order is read after they have left")
    _is_removed(partner, party, {"tableId": party.tables[0]}, {"completedOnly": True})
    _is_removed(partner, reservation, {"tableId": reservation.tables[0]}, _window(reservation))


# Before they come


def _looks_at_the_floor(partner: Partner) -> None:
    with asking(partner, "the areas are listed", "ListAreas"):
        require_carried_out(partner.call("ListAreas"))
    with asking(partner, "the tables are listed", "SearchTables"):
        for exchange in following.pages(functools.partial(partner.call, "SearchTables"), {}, most=_MOST_PAGES):
            require_carried_out(exchange)


def _reserved(partner: Partner) -> Own:
    with asking(partner, "a table is reserved", RESERVATION.create):
        own = making.make(partner, RESERVATION, *wishes.texts("guestRequests", wishes.LONG_REQUESTS[-1:]), {})
    _is_kept(partner, own, "the reservation")
    _follows(partner, own, "the table is taken then", [_window(own)], [])
    return own


def _moved(partner: Partner, own: Own) -> Own:
    """The guests want to come another day, and sit elsewhere: where somebody can sit down at once."""
    before = own
    others = (each for each in slots.tables(partner, 2) if each not in own.tables and partner.hold(f"table {each}"))
    with asking(partner, "the reservation is moved", RESERVATION.update):
        own = changing.update(partner, own, *_other_days(own, list(itertools.islice(others, 2))))
    _is_kept(partner, own, "the moved reservation", RESERVATION.update)
    _follows(
        partner, own, "the table is taken on the new day, and free on the old one", [_window(own)], [_window(before)]
    )
    return own


def _other_days(own: Own, tables: Sequence[str]) -> Iterator[Members]:
    for place in (*({"tableIds": [each]} for each in tables), {}):
        for days in (3, 7, 1):
            start, end = own.start + days * _DAY, own.end + days * _DAY
            yield {"startTime": instant(start), "endTime": instant(end), **place}


def _window(own: Own) -> Members:
    hours = datetime.timedelta(hours=6)
    return intervals.window(own.start - hours, own.end + hours)


# While they are there


def _seated(partner: Partner, reservation: Own) -> Own:
    """They sit down where they reserved, or where there is room; a till may refuse deposits that it can't look up."""
    with asking(partner, "the guests are seated", PARTY.create):
        own = making.make(partner, PARTY, *_seatings(partner, reservation))
    for name, what in (("reservationId", "a reservation"), ("deposit", "a deposit"), ("guestRequests", "requests")):
        if name not in own.chosen:
            partner.notes.append(f"no party with {what} is taken")
    _is_kept(partner, own, "the party")
    _follows(partner, own, "the table is taken now", [{}, {"tableId": own.tables[0]}], [])
    return own


def _seatings(partner: Partner, reservation: Own) -> list[Choice]:
    of = {"reservationId": reservation.id}
    there = {**of, "tableIds": reservation.tables, "covers": reservation.sent["covers"]}
    then = {**there, "startTime": reservation.sent["startTime"], "expectedEndTime": reservation.sent["endTime"]}
    wished = {"guestRequests": wishes.OTHER_REQUESTS[-1]}
    paid = {"deposit": deposits.deposit(partner, _DEPOSIT)}
    return [
        *({**place, **wished, **paid} for place in (there, of, then)),
        *({**place, **wished} for place in (there, of, then)),
        {**wished, **paid},
        wished,
        {},
    ]


def _moved_to_another_table(partner: Partner, own: Own) -> Own:
    """The sun is in their eyes; what they wished and paid stays with them."""
    before = own.tables
    try:
        others = other_tables(partner, own)
    except Inconclusive as error:
        partner.notes.append(f"the party stays where it is: {error}")
        return own
    with asking(partner, "the party moves to another table", PARTY.update):
        try:
            own = changing.update(partner, own, *({"tableIds": [each]} for each in others))
        except Inconclusive as error:
            if partner.exchanges[-1].crashed:
                raise
            # Others may be on their way there.
            partner.notes.append(f"the party stays where it is: {error}")
            return own
    _is_kept(partner, own, "the moved party", PARTY.update)
    gone = [{"tableId": each} for each in before]
    _follows(partner, own, "the new table is taken, and the old one free", [{"tableId": own.tables[0]}], gone)
    return own


def _ordered(partner: Partner, party: Own) -> Guest | None:
    """An order is taken for the party, where Dojo can make one; None where it can't."""
    table = {"tableId": party.tables[0], "partyId": party.id}
    guest = None
    if partner.offers(CREATE):
        try:
            guest = Guest(partner, order_places.placed(creating.book(partner), table))
        except Inconclusive as error:
            partner.notes.append(f"no order is taken for the party: {error}")
            # Orders are no part of the bookings product: that none is taken is no step of it.
            partner.steps.pop()
    if guest is not None:
        compare = kept.dine_in("partyId")
        found = guest.reads_it("the party's order is read", lambda order: not list(compare(guest.body, dict(order))))
        judged(partner, "it is the party's", ("CreateOrder.keeps-the-party", compare(guest.body, dict(found))))
    wanted = next(each for each in BY_ID["SearchOrders"] if each.name == "dineIn.partyId").at(party.id)
    with asking(partner, "the orders of the party are listed", "SearchOrders"):
        searching.search(partner, wanted.query, demanded=True)

    def strangers() -> list[str]:
        rows = searching.search(partner, wanted.query)
        return [str(row["id"]) for row in rows if wanted.passes(row) is False]

    ids = settled(partner, strangers, lambda found: not found)
    others = [Finding("SearchOrders with partyId", f"orders of {party.id!r} alone", f"others as well: {listed(ids)}")]
    judged(partner, "they are of that party, all of them", ("SearchOrders.party-filter-narrows", others if ids else []))
    if guest is not None:
        guest.is_found("its order is among them", wanted.query)
    return guest


# After they have left


def _leaves(partner: Partner, own: Own) -> None:
    with asking(partner, "the party leaves", PARTY.update):
        own = changing.update(partner, own, *leaving.ends(own))
    with partner.steps.take("it is read as one that has left", rule=f"{PARTY.update}.sets-the-end-time"):
        reading.require_kept(partner, own, "endTime", after=PARTY.update)
    table = {"tableId": own.tables[0]}
    _follows(partner, own, "the table is free", [{**table, "completedOnly": True}], [{}, table])


def _is_removed(partner: Partner, own: Own, *queries: Members) -> None:
    """It is deleted, where the till deletes what guests have come for; then it is nowhere any more."""
    kind = own.kind
    with asking(partner, f"the {kind.name} is deleted", kind.delete):
        exchange = partner.call(kind.delete, own.ids)
        if refuses(exchange):
            partner.notes.append(f"the {kind.name} is not deleted: {exchange.seen}")
            return
        require_carried_out(exchange)
    with partner.steps.take(
        f"the {kind.name} is not found any more", rule=f"{kind.delete}.cannot-be-fetched-afterwards"
    ):
        exchange = settled(partner, lambda: partner.call(kind.get, own.ids), answers.is_not_found)
        exchange.require_answer()
        if not answers.is_not_found(exchange):
            raise Violation(Finding(f"{kind.get} after {kind.delete}", "NotFound", exchange.seen))
    with partner.steps.take(f"no search shows the {kind.name}", rule=f"{kind.delete}.drops-out-of-searches"):
        for query in ({}, *queries):
            if not reading.vanishes(partner, own, query):
                where = f"{kind.search} with {' and '.join(query) or 'no filter'} after {kind.delete}"
                raise Violation(Finding(where, f"no row {own.id!r}", "one"))


# What is kept, and what follows


def _is_kept(partner: Partner, own: Own, what: str, after: str | None = None) -> None:
    """*own* can be read as it was sent: the first member that can't names its rule."""
    with partner.steps.take(f"{what} can be read", rule=f"{own.kind.create}.can-be-fetched"):
        fetch(partner, own, f"{own.kind.get} after {after or own.kind.create}")
    members = [each for each in _FACTS if each in _members(own) and keeping.at(own.sent, each) is not None]
    findings = reading.unkept(partner, own, *members, after=after)
    if after is not None:
        # An update can't name the reservation: whether it stays is said nowhere.
        partner.notes += [str(each) for each in findings if each.where.endswith(".reservationId")]
        findings = [each for each in findings if not each.where.endswith(".reservationId")]
    rules = {
        _rule(own.kind, each, after): [finding for finding in findings if finding.where.endswith(f"$.{each}")]
        for each in members
    }
    judged(partner, f"{what} is as it was {'changed' if after else 'made'}", *rules.items())


def _members(own: Own) -> Sequence[str]:
    """The members that *own* may have, deposits in their parts."""
    if own.kind is RESERVATION:
        return [each for each in _FACTS if each in RESERVATION.members]
    return [each for each in _FACTS if each.partition(".")[0] in (*PARTY.members, "reservationId")]


def _rule(kind: Kind, member: str, after: str | None) -> str:
    """The rule that *member* is kept by a creation, or changed by an update."""
    if after is None:
        fact = "all-tables" if member == "tableIds" else _FACTS[member]
        return f"{kind.create}.keeps-{fact}"
    if member == "reservationId":
        return f"{kind.create}.keeps-{_FACTS[member]}"
    fact = "the-deposit" if member.startswith("deposit") else _FACTS[member]
    return f"{kind.update}.{'sets' if kind is PARTY and member == 'endTime' else 'changes'}-{fact}"


def _follows(partner: Partner, own: Own, step: str, shown: Sequence[Members], hidden: Sequence[Members]) -> None:
    """A step for the searches that are to show *own*, and those that are not to; what they do instead is a note."""
    search = own.kind.search
    with asking(partner, step, search):
        for queries, look, seen in ((shown, reading.appears, "no such row"), (hidden, reading.vanishes, "one")):
            for query in queries:
                if not look(partner, own, query):
                    due = f"{'the' if look is reading.appears else 'no'} row {own.id!r}"
                    partner.notes.append(str(Finding(f"{search} with {_said(query)}: {step}", due, seen)))


def _said(query: Mapping[str, Any]) -> str:
    return " and ".join(query) or "no filter"
