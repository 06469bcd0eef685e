"""
Walks that turn round: back through the pages by ``before``, and on again by ``after``; and walks during which rows
appear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from epos_conformance import amiss, filters, surveying, walking
from epos_conformance.exceptions import Inconclusive
from epos_conformance.settling import settled
from epos_conformance.told import Camera, Told
from epos_conformance.verdict import Finding
from epos_conformance.walking import Page, Walk


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: Pages that are walked before turning round.
_FORWARD = 4

#: The facts that are looked for.
ASTRAY, LOST, OVERFULL = "astray", "lost", "overfull"
REPEATED, HIDDEN = "repeated", "hidden"


@dataclass(frozen=True, slots=True)
class Step:
    """
    From one page back to the one before it, and on again.
    """

    #: Place in the walk forward, from 1 on, of the page that was left.
    place: int
    #: Where its ``before`` leads; None where it names none.
    back: Page | None
    #: Where the ``after`` of that leads; None where it names none, or was not followed.
    on: Page | None


@dataclass(kw_only=True)
class Return:
    """
    A walk forward, and the steps back.
    """

    forward: Walk
    steps: list[Step]


@dataclass(kw_only=True)
class Turns(Told):
    """
    What is known of going back.
    """

    #: Steps that were taken; 0 where no later page names a ``before``.
    steps: int = 0
    #: Whether there was a later page at all.
    later: bool = False
    #: Steps on again.
    on: int = 0


def turns(partner: Partner, capability: str) -> Turns:
    """
    What comes of going back in *capability*, found out once in a run.
    """
    return partner.once(f"turns {capability}", lambda: _turns(partner, capability))


def _turns(partner: Partner, capability: str) -> Turns:
    found, camera = Turns(), Camera(partner)
    everything = surveying.everything(partner, capability)
    total = len(everything.rows)
    for limit in dict.fromkeys((1, 2, min(walking.LARGEST, -(-total // 3) or 1))):
        _turn(partner, capability, limit, {}, found, camera)
    for narrowing in filters.narrowings(capability, everything.rows)[:1]:
        _turn(partner, capability, 1, narrowing.query, found, camera)
    found.add(OVERFULL, camera.take(lambda: too_long_with_less(partner, capability)), camera.latest)
    if not found.later and total > 1:
        raise Inconclusive(f"no walk through the {total} rows of {capability} came to a second page")
    if not found.later:
        raise Inconclusive(surveying.too_few(partner, capability, total))
    return found


def _turn(
    partner: Partner, capability: str, limit: int, query: Mapping[str, Any], found: Turns, camera: Camera
) -> None:
    go = partial(camera.take, partial(go_and_return, partner, capability, limit, query))
    try:
        seen = go()
    except walking.Refused:
        return  # such pages can't be asked for
    found.later = found.later or sum(bool(page.rows) for page in seen.forward.pages) > 1
    found.steps += sum(each.back is not None for each in seen.steps)
    found.on += sum(each.on is not None for each in seen.steps)
    found.add(OVERFULL, too_long_behind(seen), camera.latest)
    for fact, fault in ((ASTRAY, astray), (LOST, lost)):
        if not fault(seen, seen.forward, seen.forward) or found.findings.get(fact):
            continue
        findings = amiss.persistent(fault, go, lambda: walking.whole(partner, capability, query))
        found.add(fact, findings, camera.latest)


def go_and_return(partner: Partner, capability: str, limit: int, query: Mapping[str, Any]) -> Return:
    """
    Walk a few pages forward, then back page by page, each time with the ``before`` of the page that was reached.
    """
    forward = walking.walk(partner, capability, limit, query, most=_FORWARD)
    pages = forward.pages
    last = len(pages)
    # Behind the last row there is nothing to go back from.
    while last > 1 and not pages[last - 1].rows:
        last -= 1
    steps: list[Step] = []
    here = pages[last - 1]
    for place in range(last, 1, -1):
        back = walking.back(partner, capability, here, limit, query)
        on = None
        if back is not None and back.after is not None and len(steps) < 2:
            on = walking.ask(partner, capability, query, {"limit": limit, "after": back.after})
        steps.append(Step(place, back, on))
        went_well = back is not None and back.before is not None and walking.is_same(pages[place - 2].keys, back.keys)
        here = back if went_well and back is not None else pages[place - 2]
    return Return(forward=forward, steps=steps)


def astray(seen: Return, before: Walk, after: Walk) -> list[Finding]:  # noqa: ARG001 - as all faults are asked
    """Steps back that lead elsewhere than to the page before."""
    findings = []
    named = {step.place for step in seen.steps if step.back is not None}
    for step in seen.steps:
        expected = seen.forward.pages[step.place - 2].keys
        where = f"before of page {step.place} of {seen.forward}"
        if step.back is None:
            if named:
                others = f"none, though page {min(named)} names one"
                findings.append(Finding(where, "a cursor for the page before", others))
        elif step.back.refusal:
            findings.append(Finding(where, f"page {step.place - 1} again", step.back.refusal))
        elif not walking.is_same(expected, step.back.keys):
            findings.append(
                Finding(
                    where,
                    f"the rows of page {step.place - 1}: {walking.listed(expected)}",
                    walking.listed(step.back.keys),
                    _cause(seen, step),
                )
            )
    return findings[:3]


def _cause(seen: Return, step: Step) -> str | None:
    """The likely reason for going astray at *step*."""
    assert step.back is not None
    keys, pages = step.back.keys, seen.forward.pages
    if keys and walking.is_same(keys, pages[0].keys):
        return "before leads to the first page: the rows that come first are taken, not those nearest to the cursor"
    if keys and walking.is_same(keys, pages[step.place - 1].keys):
        return "before leads to the page that it is on"
    if set(keys) & set(pages[step.place - 1].keys):
        return "the row that before names is answered again"
    if not keys:
        return "before is compared like after"
    return None


def lost(seen: Return, before: Walk, after: Walk) -> list[Finding]:  # noqa: ARG001 - as all faults are asked
    """Steps on again that lead elsewhere than to the page that was left."""
    findings = []
    for step in seen.steps:
        if step.on is None or step.back is None:
            continue
        behind, left = seen.forward.pages[step.place - 2].keys, seen.forward.pages[step.place - 1].keys
        if not walking.is_same(behind, step.back.keys) or walking.is_same(left, step.on.keys):
            continue  # gone astray already, or home again
        where = f"after of page {step.place - 1}, reached by the before of page {step.place} of {seen.forward}"
        expected = f"the rows of page {step.place}: {walking.listed(left)}"
        findings.append(Finding(where, expected, step.on.refusal or walking.listed(step.on.keys)))
    return findings[:3]


def too_long_behind(seen: Return) -> list[Finding]:
    """Pages reached by ``before`` that have more rows than were asked for."""
    limit = seen.forward.limit or walking.LARGEST
    return [
        Finding(f"before of page {step.place} of {seen.forward}", f"at most {limit} rows", f"{size} rows")
        for step in seen.steps
        if step.back is not None
        for _, size in amiss.too_long([step.back], limit)
    ]


def too_long_with_less(partner: Partner, capability: str) -> list[Finding]:
    """A second page that has more rows than were asked for where the first was asked for with a larger limit."""
    page = walking.ask(partner, capability, {}, {"limit": 2})
    if page.refusal or page.after is None:
        return []
    # An EPOS may refuse to change the size on the way, but not answer another one.
    second = walking.ask(partner, capability, {}, {"limit": 1, "after": page.after})
    where = "page 2 with limit 1, of a walk whose first page was asked for with limit 2"
    return [Finding(where, "at most 1 row", f"{size} rows") for _, size in amiss.too_long([second], 1)]


# Rows that appear


@dataclass(kw_only=True)
class _Appearing:
    """
    A walk during which rows of ours appear.
    """

    partner: Partner
    capability: str
    #: Ids of the rows made on the latest walk.
    fresh: set[str] = field(default_factory=set)

    def walk(self, limit: int) -> Walk:
        """Walk with *limit*, making a row after the first page and another further on."""
        self.fresh.clear()
        return walking.walk(self.partner, self.capability, limit, most=30, between=self._between)

    def _between(self, seen: Walk) -> None:
        if len(seen.pages) in (1, 3):
            self.fresh.add(self._make(seen))

    def _make(self, seen: Walk) -> str:
        """A row like the one that the walk began with: in most orders it comes before what is still to come."""
        like = surveying.times_of(seen.rows[0]) if seen.rows and len(seen.pages) == 1 else {}
        return str(surveying.make_one(self.partner, self.capability, like)["id"])


@dataclass(kw_only=True)
class Appearance(Told):
    """
    What rows that appear do to the others.
    """

    walk: Walk


def appearance(partner: Partner, capability: str) -> Appearance:
    """
    What rows that appear do to a walk through *capability*, found out once in a run.
    """
    return partner.once(f"appearance {capability}", lambda: _appearance(partner, capability))


def _appearance(partner: Partner, capability: str) -> Appearance:
    appearing, camera = _Appearing(partner=partner, capability=capability), Camera(partner)
    whole: Callable[[], Walk] = partial(walking.whole, partner, capability)
    before = whole()
    if len(before.rows) < 3:
        own = surveying.make_some(partner, capability)
        before = settled(partner, whole, lambda seen: {*own} <= {*seen.keys})
    if len(before.rows) < 2:
        raise Inconclusive(surveying.too_few(partner, capability, len(before.rows)))
    limit = min(walking.LARGEST, max(1, len(before.rows) // 5))
    go = partial(camera.take, partial(appearing.walk, limit))
    found = Appearance(walk=go())
    after = whole()
    for fact, fault in ((REPEATED, _but_for(appearing, amiss.repeated_ids)), (HIDDEN, amiss.left_out)):
        if fault(found.walk, before, after):
            found.add(fact, amiss.persistent(fault, go, whole, growing=True), camera.latest)
    return found


def _but_for(appearing: _Appearing, fault: amiss.Fault[Walk]) -> amiss.Fault[Walk]:
    """*fault* in the rows that were there: what becomes of the new ones is free."""

    def found(seen: Walk, before: Walk, after: Walk) -> list[Finding]:
        pages = [
            Page(
                cursor=page.cursor,
                rows=[row for row in page.rows if walking.key(row) not in appearing.fresh],
                sizes=page.sizes,
                before=page.before,
                after=page.after,
                refusal=page.refusal,
            )
            for page in seen.pages
        ]
        return fault(Walk(query=seen.query, limit=seen.limit, pages=pages, end=seen.end), before, after)

    return found
