"""
Surveys of a search: it is walked through in pages of several sizes, alone and filtered, and whatever looks amiss is
looked at again until it is certain.

A venue lives. A row that came or went during a walk may shift the others, and so does every order that another process
of the run makes. So a fault counts only where it shows each time, and at least twice while nothing moved.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from epos_conformance import _contracts, filters, walking
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.filters import Narrowing
from epos_conformance.settling import settled
from epos_conformance.venue import Row
from epos_conformance.verdict import Finding
from epos_conformance.walking import End, Walk


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: What each search finds, where it can be made.
MAKES = {
    "SearchOrders": ("order", "CreateOrder"),
    "SearchParties": ("party", "CreateParty"),
    "SearchReservations": ("reservation", "CreateReservation"),
}

#: Why something could not be settled.
UNSETTLED = "rows come and go all the time: try again while the venue is quiet"

#: How often a fault is looked at again.
_MOST_ROUNDS = 5
#: Times that it has to show while the rows stayed where they were, or at least stayed.
_STILL, _QUIET = 2, 3

#: Pages that a filtered walk is followed for.
_FILTERED_PAGES = 8
#: Filters that are walked with.
_MOST_FILTERS = 3

#: Findings that are told of one rule; they look alike.
_MOST_FINDINGS = 3

#: The facts that a survey looks for.
REPEATS, MISSING, ENDLESS, OVERFULL, UNFILTERED, LEFT_OPEN = (
    "repeats",
    "missing",
    "endless",
    "overfull",
    "unfiltered",
    "left open",
)

T = TypeVar("T")

#: Gives what is amiss in a walk, beside the rows that were there before it and after it.
Fault = Callable[[T, Walk, Walk], list[Finding]]


@dataclass(kw_only=True)
class Survey:
    """
    What is known about the pages of one search.
    """

    #: Rows that the search finds, as far as they were read.
    rows: list[Row]
    walks: list[Walk] = field(default_factory=list)
    #: Fact -> where it was found.
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    #: Fact -> why it could not be settled.
    unsettled: dict[str, str] = field(default_factory=dict)
    #: Fact -> the exchanges of the walk that shows it first, counted from the survey's first one.
    evidence: dict[str, slice] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        pages = sum(len(each.pages) for each in self.walks)
        ends = sum(each.end is not End.CUT for each in self.walks)
        return f"{len(self.walks)} walks, {ends} of them to the end, {pages} pages, {len(self.rows)} rows"

    def add(self, fact: str, findings: Sequence[Finding], evidence: slice) -> None:
        known = self.findings.setdefault(fact, [])
        if findings and not known:
            self.evidence[fact] = evidence
        known += list(findings)[: max(0, _MOST_FINDINGS - len(known))]


def survey(partner: Partner, capability: str) -> Survey:
    """
    The survey of *capability*, made once in a run; `Inconclusive` where there is too little to walk through.
    """
    return partner.once(f"survey {capability}", lambda: _Surveyor(partner, capability).survey())


def require(partner: Partner, capability: str, fact: str) -> Survey:
    """
    The survey of *capability*, where it shows nothing of *fact*; raises `Violation` or `Inconclusive` otherwise.
    """
    start = len(partner.exchanges)
    found = survey(partner, capability)
    if findings := found.findings.get(fact):
        # What is told of a violation are its last exchanges: those of the walk that shows it.
        partner.exchanges += partner.exchanges[start:][found.evidence[fact]]
        raise Violation(*findings)
    if fact in found.unsettled:
        raise Inconclusive(found.unsettled[fact])
    partner.notes.append(found.summary)
    return found


class _Surveyor:
    def __init__(self, partner: Partner, capability: str) -> None:
        self._partner = partner
        self._capability = capability
        self._start = len(partner.exchanges)
        #: The exchanges of the latest walk.
        self._latest = slice(0, 0)

    def _step(self, limit: int | None, query: Mapping[str, object], most: int) -> Walk:
        start = len(self._partner.exchanges)
        try:
            return walking.walk(self._partner, self._capability, limit, query, most=most)
        finally:
            self._latest = slice(start - self._start, len(self._partner.exchanges) - self._start)

    def survey(self) -> Survey:
        """Walk, look again at what is amiss, and tell."""
        own = make_some(self._partner, self._capability)
        everything = self._whole({}, own)
        found = Survey(rows=everything.rows, walks=[everything])
        for limit in walking.limits(max(1, len(everything.rows))):
            self._walk(found, limit, everything)
        for narrowing in filters.narrowings(self._capability, everything.rows)[:_MOST_FILTERS]:
            with contextlib.suppress(walking.Refused):
                self._filtered(found, narrowing)
        self._large_pages(found, everything)
        if len(everything.rows) < 2 and not any(found.findings.values()):  # noqa: PLR2004 - one row is no walk
            raise Inconclusive(too_few(self._partner, self._capability, len(everything.rows)))
        return found

    def _whole(self, query: Mapping[str, Any], own: Sequence[str] = ()) -> Walk:
        """All rows, as soon as they show what we made."""
        return settled(
            self._partner,
            lambda: walking.whole(self._partner, self._capability, query),
            lambda seen: set(own) <= set(seen.keys),
        )

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
        if findings := unfiltered(walked, narrowing):
            found.add(UNFILTERED, findings, self._latest)
        elif strangers(walked, everything, everything):
            again = partial(self._step, walked.limit, narrowing.query, _FILTERED_PAGES)
            self._look_again(found, UNFILTERED, strangers, again, lambda: self._whole(narrowing.query))

    def _walk(self, found: Survey, limit: int | None, everything: Walk) -> Walk | None:
        """A walk in pages of *limit*, and what is amiss in it."""
        most = _FILTERED_PAGES if everything.query else 12
        try:
            seen = self._step(limit, everything.query, most)
        except walking.Refused:
            return None  # whether small pages may be asked for, or any at all, is other rules' business
        found.walks.append(seen)
        found.add(OVERFULL, overfull(seen), self._latest)
        if seen.end is End.EMPTY:
            found.add(LEFT_OPEN, left_open(seen), self._latest)
        again = partial(self._step, limit, everything.query, most)
        for fact, fault in _FAULTS.items():
            if fault(seen, everything, everything):
                self._look_again(found, fact, fault, again, lambda: self._whole(everything.query))
        return seen

    def _large_pages(self, found: Survey, everything: Walk) -> None:
        """The large pages in turn, which all other walks were held to: small ones may show what they hide."""
        small = [each for each in found.walks[1:] if not each.query and each.is_whole]
        hidden = [each for each in small if walking.missing(everything, each.keys)]
        found.add(OVERFULL, overfull(everything), slice(0, len(everything.pages)))
        for fact, fault in _FAULTS.items():
            against = hidden[0] if fact == MISSING and hidden and everything.is_whole else everything
            if fault(everything, against, against):
                self._look_again(
                    found,
                    fact,
                    fault,
                    partial(self._step, everything.limit, {}, walking.MOST_PAGES),
                    lambda: self._like(against),
                )

    def _like(self, other: Walk) -> Walk:
        return walking.walk(self._partner, self._capability, other.limit, other.query, most=2 * len(other.pages) + 2)

    def _look_again(
        self, found: Survey, fact: str, fault: Fault[Walk], again: Callable[[], Walk], others: Callable[[], Walk]
    ) -> None:
        """Tell of *fault* if it persists."""
        if len(found.findings.get(fact, ())) >= _MOST_FINDINGS:
            return
        findings = persistent(fault, again, others)
        if findings is None:
            found.unsettled.setdefault(fact, UNSETTLED)
        else:
            found.add(fact, findings, self._latest)


def persistent(
    fault: Fault[T], again: Callable[[], T], others: Callable[[], Walk], own: Callable[[], Collection[str]] = tuple
) -> list[Finding] | None:
    """
    What is amiss each time in a walk that *again* takes; nothing where it is in order once, None where it can't be told.

    *others* gives the rows that there are, asked before and after each walk; *own* of them come of the walk itself.
    """
    still = quiet = 0
    before = others()
    for _ in range(_MOST_ROUNDS):
        seen = again()
        after = others()
        findings = fault(seen, before, after)
        if not findings:
            return []
        ours = own()
        stayed = [each for each in after.keys if each not in ours]
        still += [each for each in before.keys if each not in ours] == stayed
        quiet += {*before.keys} - {*ours} == {*stayed}
        if still >= _STILL or quiet >= _QUIET:
            return findings
        before = after
    return None


def make_some(partner: Partner, capability: str) -> list[str]:
    """
    Make two rows for *capability* to find, as alike as they can be, where the partner lets us; their ids.

    What was made in the same second, or begins at the same time, is where cursors made of times go wrong.
    """
    kind, maker = MAKES.get(capability, ("", ""))
    if not kind or not partner.offers(maker) or partner.settings.read_only:
        return []
    try:
        first = partner.make(kind)
    except Inconclusive:
        return []
    ids = [*first.ids.values()]
    times = {name: value for name, value in first.sent.items() if name.endswith("Time")}
    creation = _contracts.capabilities()[maker]
    if times:
        second = partner.attempt(creation, creation.examples[-1], extra=times)
        if second.succeeded and isinstance(second.result, dict) and isinstance(second.result.get("id"), str):
            return [*ids, second.result["id"]]
    with contextlib.suppress(Inconclusive):
        ids += partner.make(kind).ids.values()
    return ids


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


# Faults


def overfull(seen: Walk) -> list[Finding]:
    """Pages with more rows than were asked for."""
    if seen.limit is None:
        return []
    return [
        Finding(f"page {place} of {seen}", f"at most {seen.limit} rows", f"{size} rows")
        for place, size in walking.too_long(seen.pages, seen.limit)
    ]


def left_open(seen: Walk) -> list[Finding]:
    """An empty page that names a next one."""
    last = seen.pages[-1]
    where = f"page {len(seen.pages)} of {seen}"
    return [Finding(where, "no after on a page that has no rows", f"after {last.after!r}")]


def unfiltered(seen: Walk, narrowing: Narrowing) -> list[Finding]:
    """Rows on later pages that don't pass."""
    return [
        Finding(
            f"page {place} of {seen}",
            "only rows that pass the filter, as on the first page",
            f"row {walking.key(row)}, which does not",
            "the filter is applied to the first page only",
        )
        for place, page in enumerate(seen.pages[1:], 2)
        for row in page.rows
        if narrowing.passes(row) is False
    ]


def strangers(seen: Walk, before: Walk, after: Walk) -> list[Finding]:
    """Rows on later pages that a large page of the same search shows neither before nor after."""
    if not before.is_whole or not after.is_whole:
        return []
    known = {*before.keys, *after.keys, *seen.pages[0].keys}
    return [
        Finding(
            f"page {place} of {seen}",
            f"only rows that {before} finds: {walking.listed(before.keys)}",
            f"row {each}",
            "the filter is applied to the first page only",
        )
        for place, page in enumerate(seen.pages[1:], 2)
        for each in page.keys
        if each not in known
    ]


def repeated(seen: Walk, before: Walk, after: Walk) -> list[Finding]:
    """Rows that came a second time."""
    found = walking.repeats(seen, walking.ambiguous([*before.rows, *after.rows]))
    findings = []
    for each in found[:_MOST_FINDINGS]:
        there = f"page {each.first}" if each.first != each.again else "the same page"
        findings.append(
            Finding(
                f"page {each.again} of {seen}",
                "rows that have not come yet",
                f"row {each.key} a second time, after {there}",
                _seam(each),
            )
        )
    return findings


def _seam(each: walking.Repeat) -> str | None:
    if each.first == each.again:
        return "rows are multiplied by what they are joined with: an order by its payments, a table by its waiters"
    return (
        "the next page begins with the row that after names, instead of the one behind it" if each.at_the_seam else None
    )


def left_out(seen: Walk, before: Walk, after: Walk) -> list[Finding]:
    """Rows that were there before and after the walk and did not come in it."""
    if seen.end is End.REFUSED:
        return [Finding(f"page {len(seen.pages)} of {seen}", "the rows that are left", f"{seen.pages[-1].refusal}")]
    due = [walking.due(seen, each) for each in (before, after)]
    missing = walking.missing(seen, *due)
    if not missing:
        return []
    whole = before if before.limit != seen.limit else after
    return [
        Finding(
            f"{seen}",
            f"each of the {len({*due[0]} & {*due[1]})} rows that {whole} finds{'' if seen.is_whole else ' so far'}",
            f"{len({*seen.keys})} rows; missing: {walking.listed(missing)}",
            _gap(seen, missing, before),
        )
    ]


def _gap(seen: Walk, missing: Sequence[str], whole: Walk) -> str | None:
    """What leaves out *missing* rows: those behind the last page, or those between two pages."""
    came = [each for each in whole.keys if each in set(seen.keys)]
    if came and missing and whole.keys.index(missing[0]) > whole.keys.index(came[-1]):
        return f"page {len(seen.pages)} names no after, as if it were the last one"
    return "rows that share the time of the last one of a page are skipped, or a row is lost between two pages"


def endless(seen: Walk, before: Walk, after: Walk) -> list[Finding]:  # noqa: ARG001 - as all faults are asked
    """A walk that comes to no end."""
    last = seen.pages[-1]
    place = f"page {len(seen.pages)} of {seen}"
    if seen.end is End.REFUSED:
        return [Finding(place, "a page, as the one before it names an after", f"{last.refusal}")]
    if seen.end is not End.CIRCLE:
        return []
    hint = "the last page names an after, which leads to rows that came already"
    return [Finding(place, "new rows, or a last page without after", f"{walking.listed(last.keys)} again", hint)]


_FAULTS: Mapping[str, Fault[Walk]] = {REPEATS: repeated, MISSING: left_out, ENDLESS: endless}
