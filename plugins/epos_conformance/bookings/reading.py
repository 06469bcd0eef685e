"""
Reading and searching for what is our own, with time to settle after a write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from epos_conformance import answers, following
from epos_conformance.bookings import keeping
from epos_conformance.bookings.kinds import Kind, Members, Own, named
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.following import Row, rows_of
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: How far a search is walked: own rows are among the newest or the oldest.
_MOST_PAGES = 10


def require_offered(partner: Partner, *names: str) -> None:
    """Raise `NotOffered` where one of *names* isn't claimed."""
    for each in names:
        if not partner.offers(each):
            raise NotOffered(f"needs {each}, which isn't offered")


def read(partner: Partner, own: Own) -> Row | None:
    """
    *own* as it is read by its id, or as the search shows it where that is not offered; None where it isn't found.
    """
    if not partner.offers(own.kind.get):
        require_offered(partner, own.kind.search)
        return find(partner, own)
    exchange = partner.call(own.kind.get, own.ids)
    if isinstance(exchange.result, dict):
        return exchange.result
    if answers.is_not_found(exchange):
        return None
    raise Inconclusive(f"{own.kind.name} {own.id!r} can't be read: {exchange.seen}")


def reader(partner: Partner, kind: Kind) -> str | None:
    """The capability that shows one of *kind*; None where nothing does."""
    return next((each for each in (kind.get, kind.search) if partner.offers(each)), None)


def unkept(partner: Partner, own: Own, *members: str, after: str | None = None) -> list[Finding]:
    """
    Findings where *members* of *own* are not read back as sent.

    The answer to the last write counts too where it contradicts, unless *after* says what that was: it has rules of its
    own then.
    """
    findings = []
    if after is None:
        step = f"the answer to {own.kind.create}"
        findings = keeping.differences(own.sent, own.answer, members, step, absent_is_fine=True)
    name = reader(partner, own.kind)
    if findings or name is None:
        return findings or keeping.differences(
            own.sent, own.answer, members, f"the answer to {after or own.kind.create}"
        )
    step = f"{name} after {after or own.kind.create}"
    row = settled(
        partner,
        lambda: read(partner, own),
        lambda row: row is not None and not keeping.differences(own.sent, row, members, step),
    )
    if row is None:
        raise Inconclusive(f"{name} doesn't find {own.kind.name} {own.id!r}, made a moment ago")
    return keeping.differences(own.sent, row, members, step)


def require_kept(partner: Partner, own: Own, *members: str, after: str | None = None) -> None:
    """Raise `Violation` where *members* of *own* are not read back as sent: see `unkept`."""
    answers.violate(unkept(partner, own, *members, after=after))


# Searching


def walk(partner: Partner, kind: Kind, query: Members) -> Iterator[Row]:
    """
    The rows of a search for *query*, page by page, `_MOST_PAGES` at most. Raises `Inconclusive` where it is refused.
    """
    for exchange in following.pages(partial(partner.call, kind.search), query, most=_MOST_PAGES):
        if not exchange.succeeded:
            raise Inconclusive(f"a {kind.search} with {named(query) if query else 'no filter'} fails: {exchange.seen}")
        yield from rows_of(exchange.result)


def find(partner: Partner, own: Own, query: Members | None = None) -> Row | None:
    """The row of *own* in a search for *query*; None where there is none."""
    return next((row for row in walk(partner, own.kind, query or {}) if row.get("id") == own.id), None)


def appears(partner: Partner, own: Own, query: Members) -> bool:
    """Whether a search for *query* finds *own*, given time to settle."""
    return settled(partner, lambda: find(partner, own, query) is not None, lambda there: there)


def vanishes(partner: Partner, own: Own, query: Members) -> bool:
    """Whether a search for *query* doesn't find *own*, given time to settle."""
    return settled(partner, lambda: find(partner, own, query) is None, lambda gone: gone)


def offenders(partner: Partner, kind: Kind, query: Members, offends: Callable[[Row], bool]) -> list[Row]:
    """
    The rows of a search for *query* that *offends* says should not be there, after a time to settle.
    """
    return settled(partner, lambda: [row for row in walk(partner, kind, query) if offends(row)], lambda rows: not rows)
