"""
Surveys of a search: it is walked through in pages of several sizes, alone and filtered, and whatever looks amiss is
looked at again until it is certain.

A venue lives. A row that came or went during a walk may shift the others, and so does every order that another process
of the run makes. So a fault counts only where it shows each time, and at least twice while nothing moved.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast

from epos_conformance import _contracts, amiss, filters, told, walking
from epos_conformance.amiss import Fault
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.exchange import Exchange
from epos_conformance.filters import Narrowing
from epos_conformance.following import Row
from epos_conformance.settling import settled
from epos_conformance.told import Camera, Told
from epos_conformance.walking import End, Walk


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: What each search finds, where it can be made.
MAKES = {
    "SearchOrders": ("order", "CreateOrder"),
    "SearchParties": ("party", "CreateParty"),
    "SearchReservations": ("reservation", "CreateReservation"),
}

#: Pages that a filtered walk is followed for.
_FILTERED_PAGES = 8
#: Filters that are walked with.
_MOST_FILTERS = 3

#: The facts that a survey looks for.
REPEATS, MISSING, ENDLESS, OVERFULL, UNFILTERED, LEFT_OPEN = (
    "repeats",
    "missing",
    "endless",
    "overfull",
    "unfiltered",
    "left open",
)


@dataclass(kw_only=True)
class Survey(Told):
    """
    What is known about the pages of one search.
    """

    #: Rows that the search finds, as far as they were read.
    rows: list[Row]
    walks: list[Walk] = field(default_factory=list)

    @property
    def summary(self) -> str:
        pages = sum(len(each.pages) for each in self.walks)
        ends = sum(each.end is not End.CUT for each in self.walks)
        return f"{len(self.walks)} walks, {ends} of them to the end, {pages} pages, {len(self.rows)} rows"


def survey(partner: Partner, capability: str) -> Survey:
    """
    The survey of *capability*, made once in a run; `Inconclusive` where there is too little to walk through.
    """
    return partner.once(f"survey {capability}", lambda: _Surveyor(partner, capability).survey())


def require(partner: Partner, capability: str, fact: str) -> Survey:
    """
    The survey of *capability*, where it shows nothing of *fact*; raises `Violation` or `Inconclusive` otherwise.
    """
    found = told.require(partner, lambda: survey(partner, capability), fact)
    partner.notes.append(found.summary)
    return found


class _Surveyor:
    def __init__(self, partner: Partner, capability: str) -> None:
        self._partner = partner
        self._capability = capability
        self._camera = Camera(partner)

    def _step(self, limit: int | None, query: Mapping[str, object], most: int) -> Walk:
        return self._camera.take(lambda: walking.walk(self._partner, self._capability, limit, query, most=most))

    def survey(self) -> Survey:
        """Walk, look again at what is amiss, and tell."""
        rows = everything(self._partner, self._capability)
        found = Survey(rows=rows.rows, walks=[rows])
        for limit in walking.limits(max(1, len(rows.rows))):
            self._walk(found, limit, rows)
        for narrowing in filters.narrowings(self._capability, rows.rows)[:_MOST_FILTERS]:
            with contextlib.suppress(walking.Refused):
                self._filtered(found, narrowing)
        self._large_pages(found, rows)
        if len(rows.rows) < 2 and not any(found.findings.values()):
            raise Inconclusive(too_few(self._partner, self._capability, len(rows.rows)))
        return found

    def _whole(self, query: Mapping[str, object]) -> Walk:
        return walking.whole(self._partner, self._capability, query)

    def _filtered(self, found: Survey, narrowing: Narrowing) -> None:
        everything = self._whole(narrowing.query)
        if len(everything.rows) > 1:
            for limit in (1, 2):
                walked = self._walk(found, limit, everything)
                if walked is not None:
                    self._look_out(found, walked, narrowing, everything)

    def _look_out(self, found: Survey, walked: Walk, narrowing: Narrowing, everything: Walk) -> None:
        """Look for rows that don't belong: they say so, or are not among those that one page shows."""
        if any(narrowing.passes(row) is False for row in everything.pages[0].rows):
            return  # the filter never held: that is another rule's business
        if findings := amiss.unfiltered(walked, narrowing):
            found.add(UNFILTERED, findings, self._camera.latest)
        elif amiss.strangers(walked, everything, everything):
            again = partial(self._step, walked.limit, narrowing.query, _FILTERED_PAGES)
            self._look_again(found, UNFILTERED, amiss.strangers, again, lambda: self._whole(narrowing.query))

    def _walk(self, found: Survey, limit: int | None, everything: Walk) -> Walk | None:
        """A walk in pages of *limit*, and what is amiss in it."""
        most = _FILTERED_PAGES if everything.query else 12
        try:
            seen = self._step(limit, everything.query, most)
        except walking.Refused:
            return None  # whether small pages may be asked for, or any at all, is other rules' business
        found.walks.append(seen)
        found.add(OVERFULL, amiss.overfull(seen), self._camera.latest)
        if seen.end is End.EMPTY:
            found.add(LEFT_OPEN, amiss.left_open(seen), self._camera.latest)
        again = partial(self._step, limit, everything.query, most)
        for fact, fault in faults(self._capability).items():
            if fault(seen, everything, everything):
                self._look_again(found, fact, fault, again, lambda: self._whole(everything.query))
        return seen

    def _large_pages(self, found: Survey, everything: Walk) -> None:
        """The large pages in turn, which all other walks were held to: small ones may show what they hide."""
        small = [each for each in found.walks[1:] if not each.query and each.is_whole]
        hidden = [each for each in small if amiss.missing(everything, each.keys)]
        found.add(OVERFULL, amiss.overfull(everything), slice(0, len(everything.pages)))
        for fact, fault in faults(self._capability).items():
            against = hidden[0] if fact == MISSING and hidden and everything.is_whole else everything
            if fault(everything, against, against):
                self._look_again(
                    found,
                    fact,
                    fault,
                    partial(self._step, everything.limit, {}, walking.MOST_PAGES),
                    partial(self._like, against),
                )

    def _like(self, other: Walk) -> Walk:
        return walking.walk(self._partner, self._capability, other.limit, other.query, most=2 * len(other.pages) + 2)

    def _look_again(
        self, found: Survey, fact: str, fault: Fault[Walk], again: Callable[[], Walk], others: Callable[[], Walk]
    ) -> None:
        """Tell of *fault* if it persists."""
        if len(found.findings.get(fact, ())) >= told.MOST_FINDINGS:
            return
        found.add(fact, amiss.persistent(fault, again, others), self._camera.latest)


def everything(partner: Partner, capability: str) -> Walk:
    """
    All rows of *capability*, those among them that `make_some` makes.
    """
    own = make_some(partner, capability)
    return settled(partner, lambda: walking.whole(partner, capability), lambda seen: {*own} <= {*seen.keys})


def make_some(partner: Partner, capability: str) -> list[str]:
    """
    Make two rows for *capability* to find, as alike as they can be, where the partner lets us; their ids.

    What was made in the same second, or begins at the same time, is where cursors made of times go wrong.
    """
    kind, maker = MAKES.get(capability, ("", ""))
    if not kind or not partner.offers(maker) or partner.settings.read_only:
        return []
    removal = _contracts.capabilities()[maker].removed_by
    if not (removal and partner.offers(removal)) and len(partner.venue.ids(kind)) > 2:
        return []  # they would stay, and there are others
    try:
        first = make_one(partner, capability)
    except Inconclusive:
        return []
    with contextlib.suppress(Inconclusive):
        return [first["id"], make_one(partner, capability, times_of(first))["id"]]
    return [first["id"]]


def times_of(row: Row) -> dict[str, str]:
    """When *row* begins and ends, as far as it says so."""
    names = ("startTime", "endTime", "expectedEndTime")
    return {name: row[name] for name in names if isinstance(row.get(name), str)}


def make_one(partner: Partner, capability: str, like: Mapping[str, object] | None = None) -> Row:
    """
    Make a row for *capability* to find, with members *like* these if the EPOS takes them.

    Raises `Inconclusive` with its words where it takes neither a row with all that one may have nor a plain one.
    """
    kind, maker = MAKES[capability]
    creation = _contracts.capabilities()[maker]
    if like and (row := _made(partner.attempt(creation, creation.examples[-1], extra=like))):
        return row
    try:
        return cast("Row", partner.make(kind).answer)
    except Inconclusive:
        if row := _made(partner.attempt(creation, creation.examples[0])):
            return row
        raise


def _made(exchange: Exchange) -> Row | None:
    result = exchange.result
    return result if isinstance(result, dict) and isinstance(result.get("id"), str) else None


def require_maker(partner: Partner, capability: str) -> None:
    """Raise `NotOffered` where what *capability* finds can't be made."""
    _, maker = MAKES[capability]
    if not partner.offers(maker):
        raise NotOffered(f"takes {maker}, which isn't offered")


def too_few(partner: Partner, capability: str, count: int) -> str:
    """Why there is nothing to walk through, and what would help."""
    _, maker = MAKES.get(capability, ("", ""))
    why = f"{maker} isn't offered; " if maker and not partner.offers(maker) else ""
    return (
        f"{capability} finds {count or 'no'} row{'' if count == 1 else 's'}, and a walk takes two at least; "
        f"{why}take a venue that has more"
    )


def faults(capability: str) -> Mapping[str, Fault[Walk]]:
    """
    Fact -> what shows it in a walk through *capability*.
    """
    # Tables and parties have a rule of their own about ids that several have.
    by_id = capability in ("SearchTables", "SearchParties")
    return {REPEATS: amiss.repeated if by_id else amiss.repeated_ids, MISSING: amiss.left_out, ENDLESS: amiss.endless}
