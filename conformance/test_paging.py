"""
Pages: what every search owes about limit, after and before.
"""

from __future__ import annotations

import datetime
import functools

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from epos_conformance import (
    Capability,
    Exchange,
    Finding,
    Inconclusive,
    Partner,
    Violation,
    answers,
    bodies,
    check,
    filters,
    surveying,
    told,
    turning,
    walking,
)
from epos_conformance.following import Row
from epos_conformance.turning import Turns


# Walks


@check("*.keeps-to-the-limit")
def test_keeps_to_the_limit(partner: Partner, capability: Capability) -> None:
    """No page has more rows than were asked for."""
    surveying.require(partner, capability.name, surveying.OVERFULL)
    require_turns(partner, capability, turning.OVERFULL)


@check("*.walks-each-row-once")
def test_walks_each_row_once(partner: Partner, capability: Capability) -> None:
    """Walking by after gives no row a second time, whatever the limit."""
    surveying.require(partner, capability.name, surveying.REPEATS)


@check("*.walk-leaves-out-no-row")
def test_walk_leaves_out_no_row(partner: Partner, capability: Capability) -> None:
    """Walking by after gives every row, whatever the limit."""
    surveying.require(partner, capability.name, surveying.MISSING)


@check("*.walk-comes-to-an-end")
def test_walk_comes_to_an_end(partner: Partner, capability: Capability) -> None:
    """Walking by after comes to a last page, whatever the limit."""
    surveying.require(partner, capability.name, surveying.ENDLESS)


@check("*.empty-page-carries-no-after")
def test_empty_page_carries_no_after(partner: Partner, capability: Capability) -> None:
    """A page that nothing is on names no next one."""
    surveying.require(partner, capability.name, surveying.LEFT_OPEN)


@check("*.filter-holds-on-every-page")
def test_filter_holds_on_every_page(partner: Partner, capability: Capability) -> None:
    """A filter holds on the pages behind the first, too."""
    survey = surveying.require(partner, capability.name, surveying.UNFILTERED)

    if not any(each.query and any(page.rows for page in each.pages[1:]) for each in survey.walks):
        raise Inconclusive(f"no filter of {capability.name} finds two rows: take a venue that has more")


def require_turns(partner: Partner, capability: Capability, fact: str) -> Turns:
    return told.require(partner, lambda: turning.turns(partner, capability.name), fact)


@check("*.before-walks-back")
def test_before_walks_back(partner: Partner, capability: Capability) -> None:
    """The before of a later page leads back to the rows of the page before it."""
    turns = require_turns(partner, capability, turning.ASTRAY)

    # before is optional in an answer: an EPOS that never names one promises no way back, and nobody can ask for it.
    partner.notes.append(f"{turns.steps} steps back" if turns.steps else "no page names a before: there is no way back")


@check("*.after-leads-on-from-a-page-reached-by-before")
def test_after_leads_on_from_a_page_reached_by_before(partner: Partner, capability: Capability) -> None:
    """The after of a page that before led to leads on to the page that was left."""
    turns = require_turns(partner, capability, turning.LOST)

    partner.notes.append(f"{turns.on} steps on again")


# Rows that appear


@check("*.new-rows-repeat-none", changes=True)
def test_new_rows_repeat_none(partner: Partner, capability: Capability) -> None:
    """A row that appears during a walk makes no other come twice."""
    judge_appearance(partner, capability, turning.REPEATED)


@check("*.new-rows-hide-none", changes=True)
def test_new_rows_hide_none(partner: Partner, capability: Capability) -> None:
    """A row that appears during a walk makes no other stay away."""
    judge_appearance(partner, capability, turning.HIDDEN)


def judge_appearance(partner: Partner, capability: Capability, fact: str) -> None:
    surveying.require_maker(partner, capability.name)
    hint = "the cursor counts rows from the beginning: it has to name one"
    seen = told.require(partner, lambda: turning.appearance(partner, capability.name), fact, hint=hint)

    partner.notes.append(f"{len(seen.walk.pages)} pages, two rows made on the way")


# The limit


@check("*.refuses-a-limit-of-zero")
def test_refuses_a_limit_of_zero(partner: Partner, capability: Capability) -> None:
    """A limit of 0 is refused."""
    require_refused_limits(partner, capability, 0)


@check("*.refuses-a-negative-limit")
def test_refuses_a_negative_limit(partner: Partner, capability: Capability) -> None:
    """A limit below 0 is refused."""
    require_refused_limits(partner, capability, -1, -100)


@check("*.refuses-a-limit-over-a-hundred")
def test_refuses_a_limit_over_a_hundred(partner: Partner, capability: Capability) -> None:
    """A limit above 100 is refused."""
    require_refused_limits(partner, capability, 101, 1000, 2**31)


def require_refused_limits(partner: Partner, capability: Capability, *wrong: int) -> None:
    """
    Demand that each of these limits is refused, on the first page and on one that a real cursor leads to.
    """
    after = walking.ask(partner, capability.name, {}, {"limit": 1}).after
    findings: list[Finding] = []
    for limit in wrong:
        findings += refusal(partner, capability, {"limit": limit}, f"a cursor.limit of {limit}")
    if after is not None:
        limit = wrong[0]
        findings += refusal(
            partner, capability, {"limit": limit, "after": after}, f"a cursor.limit of {limit} with after"
        )
    answers.violate(findings)


def refusal(partner: Partner, capability: Capability, cursor: Mapping[str, Any], what: str) -> Iterator[Finding]:
    return answers.require_refusal(dare(partner, capability, {"cursor": cursor}), what)


def dare(partner: Partner, capability: Capability, query: Mapping[str, Any]) -> Exchange:
    return partner.dare(functools.partial(partner.call, capability.name, query))


@check("*.accepts-a-limit-of-a-hundred")
def test_accepts_a_limit_of_a_hundred(partner: Partner, capability: Capability) -> None:
    """The largest limit is accepted."""
    require_accepted_limit(partner, capability, 100)


@check("*.accepts-a-limit-of-one")
def test_accepts_a_limit_of_one(partner: Partner, capability: Capability) -> None:
    """The smallest limit is accepted."""
    require_accepted_limit(partner, capability, 1)


def require_accepted_limit(partner: Partner, capability: Capability, limit: int) -> None:
    """
    Demand that *limit* is accepted, on the first page and on the next one.
    """
    exchange = partner.call(capability.name, {"cursor": {"limit": limit}})
    answers.require_success(exchange, capability)
    if (after := walking.page_of(exchange).after) is not None:
        answers.require_success(partner.call(capability.name, {"cursor": {"limit": limit, "after": after}}), capability)


# Cursors


@check("*.refuses-both-cursors")
def test_refuses_both_cursors(partner: Partner, capability: Capability) -> None:
    """A cursor with both before and after is refused."""
    first = walking.ask(partner, capability.name, {}, {"limit": 1})
    second = walking.ask(partner, capability.name, {}, {"limit": 1, "after": first.after}) if first.after else first
    after = second.after or first.after or "conformance"
    before = second.before or first.before or after

    findings: list[Finding] = []
    for limit in ({"limit": 1}, {}):
        cursor = {**limit, "before": before, "after": after}
        findings += refusal(partner, capability, cursor, f"a cursor with before and after, {limit or 'without limit'}")
    answers.violate(findings)
    if first.after is None:
        partner.notes.append("no page names a cursor: made-up ones were sent")


#: Cursors that no EPOS has given out.
UNKNOWN = (
    "conformance",
    "MTIzNDU2Nzg5",
    "0",
    "-1",
    "99999999999999999999",
    "2026-02-30T25:00:00Z",
    '{"offset": -5}',
    "' OR 1=1 --",
    "naïve ☕ курсор 🧾",
    "e" * 2000,
)


@check("*.unknown-cursor-is-no-crash")
def test_unknown_cursor_is_no_crash(partner: Partner, capability: Capability) -> None:
    """A cursor that was never given out does not crash the EPOS."""
    findings: list[Finding] = []
    for name, cursor, what in unknown_cursors(partner, capability):
        exchange = dare(partner, capability, {"cursor": {"limit": 2, name: cursor}})
        error = exchange.error
        if exchange.crashed or (error is not None and error.type == "UnexpectedError"):
            shown = cursor if len(cursor) <= 60 else f"{cursor[:57]}..."
            findings.append(Finding(f"cursor.{name} {shown!r}, {what}", "a refusal or a page", exchange.seen))
    answers.violate(findings[:5], hint="what a cursor holds is read before it is known to be one of yours")


def unknown_cursors(partner: Partner, capability: Capability) -> Iterator[tuple[str, str, str]]:
    """
    Cursors that lead nowhere: made up, damaged, and given out by another search.
    """
    for each in UNKNOWN:
        yield "after", each, "which is made up"
    for each in UNKNOWN[:4]:
        yield "before", each, "which is made up"
    if (real := walking.ask(partner, capability.name, {}, {"limit": 1}).after) is not None:
        yield "after", real[:-1], "one of yours that lacks its end"
        yield "after", real[1:], "one of yours that lacks its beginning"
        yield "after", bodies.unlike([real]), "one of yours with other letters"
        yield "before", real[: len(real) // 2], "half of one of yours"
    for other in walking.SEARCHES:
        if other == capability.name or not partner.offers(other):
            continue
        if (foreign := walking.ask(partner, other, {}, {"limit": 1}).after) is not None:
            yield "after", foreign, f"one that {other} gave out"


# Without cursors, without matches


@check("*.works-without-a-cursor")
def test_works_without_a_cursor(partner: Partner, capability: Capability) -> None:
    """A search without a cursor answers a first page."""
    queries: dict[str, dict[str, Any]] = {"without a cursor": {}, "with a cursor that has no members": {"cursor": {}}}
    for what, query in queries.items():
        for _ in range(2):
            exchange = partner.call(capability.name, query)
            answers.require_success(exchange, capability)
            page = walking.page_of(exchange)
            some = walking.whole(partner, capability.name)
            if page.rows or not some.rows:
                break  # rows may have come in between
        else:
            expected = f"some of the {len(some.rows)} rows that there are"
            raise Violation(Finding(f"a search {what}", expected, page.refusal or "an empty page"))


@check("*.no-match-is-an-empty-page")
def test_no_match_is_an_empty_page(partner: Partner, capability: Capability) -> None:
    """A search that nothing matches is answered with an empty data list."""
    everything = walking.whole(partner, capability.name)
    seen = int(not everything.rows)
    for each in filters.unmatched(
        capability.name, everything.rows, known(partner), datetime.datetime.now(datetime.UTC)
    ):
        exchange = partner.call(capability.name, {**each.query, "cursor": {"limit": 10}})
        if not (exchange.refused and is_excused(partner, exchange, each.query)):
            seen += require_empty(exchange, f"a search for {walking.told(each.query)}, which nothing matches")

    refused = []
    for by_id in filters.BY_ID[capability.name]:
        query = by_id.at(bodies.unlike(sorted(by_id.seen(everything.rows)))).query
        exchange = partner.call(capability.name, query)
        if exchange.refused:
            refused.append(f"{walking.told(query)}: {exchange.seen}")  # a till may refuse what it doesn't know
        else:
            seen += require_empty(exchange, f"a search for {walking.told(query)}, which does not exist")
    answers.violate(crashing(partner, capability, everything.rows))
    if not seen:
        raise Inconclusive(f"every search that could have found nothing found something, or was refused: {refused}")
    partner.notes += [f"refused: {each}" for each in refused]


def crashing(partner: Partner, capability: Capability, rows: Sequence[Row]) -> list[Finding]:
    """
    Findings where a search for something with quotes in its id, which does not exist, crashes the partner.
    """
    findings = []
    for by_id in filters.BY_ID[capability.name]:
        query = by_id.at(f"{bodies.unlike(sorted(by_id.seen(rows)))}{bodies.QUOTES}").query
        if crashed := answers.crash(partner, functools.partial(partner.call, capability.name, query)):
            what = f"a search for {walking.told(query)}, which does not exist"
            findings.append(
                Finding(what, 'an empty page: {"data": []}', crashed.seen, "the value seems to be pasted into a query")
            )
    return findings


def require_empty(exchange: Exchange, what: str) -> bool:
    """
    Demand that an answer is no error and no misshapen page; whether it is a page that nothing is on.
    """
    page = walking.page_of(exchange)
    if page.refusal:
        raise Violation(Finding(what, 'an empty page: {"data": []}', page.refusal))
    return not page.rows


def is_excused(partner: Partner, exchange: Exchange, query: Mapping[str, Any]) -> bool:
    """
    Whether a search may be refused: it is about times that are far ahead, or a party that has left in the meantime.
    """
    error = exchange.error
    if "fromTime" in query and error is not None and error.type in ("InvalidRequest", "Conflict"):
        return True
    wanted = query.get("dineIn", {})
    return any(
        name in wanted and partner.venue.is_gone(kind, wanted[name])
        for kind, name in (("party", "partyId"), ("reservation", "reservationId"))
    )


def known(partner: Partner) -> dict[str, list[str]]:
    """
    Tables, areas, waiters, parties and reservations that the venue has, by the names of the filters for them.
    """
    venue = partner.venue
    rows = (*venue.tables, *venue.areas)
    return {
        "tableId": [row["id"] for row in venue.tables if isinstance(row.get("id"), str)],
        "areaId": [row["id"] for row in venue.areas if isinstance(row.get("id"), str)],
        "partyId": partner.venue.ids("party"),
        "reservationId": partner.venue.ids("reservation"),
        "waiterId": sorted({each for row in rows for each in filters.texts(row.get("waiterIds")) or ()}),
    }
