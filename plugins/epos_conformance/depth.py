"""
Unusual but valid bodies sent to a partner: found by Hypothesis, and made as small as still shows the problem.

One conversation for each capability is judged by all rules about it. It varies a body that the partner takes, so that
what is refused or lost anyway is nobody's business here, and clears up after each. It is bounded in number and in time,
and the same ``--seed`` gives the same bodies in whatever process.
"""

from __future__ import annotations

import contextlib
import time

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from epos_conformance import strategies
from epos_conformance._contracts import Capability
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.exchange import Exchange
from epos_conformance.strategies import Variation
from epos_conformance.themes import THEMES, Theme, shares
from epos_conformance.trials import CRASH, Outcome, Subject
from epos_conformance.usual import prepare
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from epos_conformance.partner import Partner

#: Seconds after which no further bodies are tried, and seconds that all shrinking may take.
SECONDS, SHRINKING_SECONDS = 6.0, 5.0

#: Bodies to make one problem smaller with.
MOST_SHRINKING = 60

#: Bodies that are tried where nothing removes what they make.
MOST_LEFT = 6

#: Members that are told of one rule.
MOST_TOLD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    What became of the unusual bodies of one capability.
    """

    #: How it went, for people.
    note: str
    #: By rule: what is wrong, and the exchanges that show it.
    findings: Mapping[str, tuple[Finding, ...]]
    exchanges: Mapping[str, tuple[Exchange, ...]]
    #: By rule: what was seen once and not again.
    unsure: Mapping[str, str]
    #: The rules that this partner's answers show something about.
    shown: frozenset[str]
    #: Why it ended before its time.
    stopped: Inconclusive | None = None


def require(partner: Partner, capability: Capability, rule: str) -> None:
    """
    Demand of the unusual bodies of *capability* what *rule* says: ``survives``, ``control-characters``, or of what is
    kept ``guest-requests``, ``texts`` or ``values``.
    """
    if not partner.settings.depth:
        raise NotOffered("not examined: unusual bodies are switched off (--depth=0)")
    story = partner.once(f"unusual bodies of {capability.name}", lambda: tell(partner, capability))
    partner.notes.append(story.note)
    if found := story.findings.get(rule):
        for each in story.exchanges.get(rule, ()):
            each.mask = partner.transport.mask
            partner.exchanges.append(each)
        raise Violation(*found)
    if rule in story.unsure:
        raise Inconclusive(f"seen once and not again: {story.unsure[rule]}; try more with --depth")
    if story.stopped is not None:
        raise story.stopped
    if rule not in story.shown:
        raise NotOffered(f"nothing of the kind is shown by {capability.name} or by reads, even of usual bodies")


def tell(partner: Partner, capability: Capability) -> Story:
    """
    Try unusual bodies of *capability* and make the problems small.

    Raises `Inconclusive` where the partner takes no usual body.
    """
    subject = prepare(partner, capability)
    told = len(partner.exchanges)
    notes = len(partner.notes)
    search = _Search(subject, partner.settings.seed, _number(partner, subject))
    try:
        search.explore()
        search.shrink()
    finally:
        with contextlib.suppress(Inconclusive):
            subject.restore()
        # Hundreds of exchanges that say nothing would bury the few that do.
        del partner.exchanges[told:]
        del partner.notes[notes:]
    return search.story()


def _number(partner: Partner, subject: Subject) -> int:
    """How many bodies to try, given how long the usual one took."""
    most = min(partner.settings.depth, int(SECONDS / max(subject.seconds, 0.001)) + 1)
    return most if subject.removable else min(most, MOST_LEFT)


class _Enough(BaseException):
    """
    No more bodies are wanted. No `Exception`, so that Hypothesis lets it pass.
    """


class _Shown(Exception):
    """
    The problem that is made smaller shows.
    """


@dataclass(slots=True)
class _Failure:
    """A problem, the theme it was met in, and the smallest body that shows it."""

    theme: Theme
    #: How many bodies of the theme were tried.
    share: int
    variation: Variation
    count: int = 0


@dataclass(slots=True)
class _Search:
    """
    The search for problems of one capability.
    """

    subject: Subject
    seed: int
    number: int
    started: float = field(default_factory=time.monotonic)
    known: dict[str, Outcome] = field(default_factory=dict)
    tried: int = 0
    taken: int = 0
    failures: dict[tuple[str, str], _Failure] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    exchanges: dict[str, list[Exchange]] = field(default_factory=dict)
    unsure: dict[str, str] = field(default_factory=dict)
    stopped: Inconclusive | None = None

    def outcome(self, variation: Variation) -> Outcome:
        """What comes of *variation*; the same is not sent twice."""
        key = strategies.key(variation)
        if key not in self.known:
            try:
                self.known[key] = self.subject.send(variation)
            except Inconclusive as error:
                self.stopped = error
                raise _Enough from None
        return self.known[key]

    # Finding

    def explore(self) -> None:
        """Try each theme, as often as its weight says."""
        leaves = self.subject.leaves
        themes = [(each, chosen) for each in THEMES if (chosen := strategies.variations(each, leaves)) is not None]
        for (theme, strategy), share in zip(themes, shares(self.number, [each for each, _ in themes]), strict=True):
            if share and self.stopped is None:
                self._explore(theme, strategy, share)

    def _explore(self, theme: Theme, strategy: SearchStrategy[Variation], share: int) -> None:
        enough = self.tried + share

        def test(variation: Variation) -> None:
            if not variation or strategies.key(variation) in self.known:
                return
            if time.monotonic() - self.started > SECONDS:
                raise _Enough
            self.tried += 1
            outcome = self.outcome(variation)
            self.taken += outcome.accepted
            for problem in outcome.problems:
                rule = _rule(problem, theme)
                if rule is None:
                    continue
                failure = self.failures.setdefault((rule, problem), _Failure(theme, share, variation))
                failure.count += 1
            if self.tried == enough:
                raise _Enough

        _hypothesize(strategy, test, self._seed(theme), share)

    def _seed(self, theme: Theme) -> str:
        return f"{self.seed} {self.subject.capability.name} {theme.name}"

    # Making smaller

    def shrink(self) -> None:
        """Make each problem smaller, and see whether it shows again."""
        self.started = time.monotonic()
        for (rule, problem), failure in self.failures.items():
            if len(self.findings.get(rule, ())) >= MOST_TOLD:
                continue
            with contextlib.suppress(_Enough):
                if self.stopped is None:
                    self._shrink(problem, failure)
            self._conclude(rule, problem, failure)

    def _shrink(self, problem: str, failure: _Failure) -> None:
        most = len(self.known) + MOST_SHRINKING

        def shows(variation: Variation) -> bool:
            return self._shows(problem, failure, variation, most)

        # One member is to blame, nearly always.
        if not any(shows({name: value}) for name, value in failure.variation.items()):
            strategy = strategies.variations(failure.theme, self.subject.leaves)
            assert strategy is not None

            def test(variation: Variation) -> None:
                if variation and shows(variation):
                    raise _Shown

            _hypothesize(strategy, test, self._seed(failure.theme), failure.share, shrink=True)
        for name in list(failure.variation):
            self._lessen(name, failure, shows)

    def _lessen(self, name: str, failure: _Failure, shows: Callable[[Variation], bool]) -> None:
        strategies.lessen(
            failure.variation[name],
            self.subject.usual(name),
            lambda value: shows({**failure.variation, name: value}),
        )

    def _shows(self, problem: str, failure: _Failure, variation: Variation, most: int) -> bool:
        """Whether *problem* shows with *variation*; the smallest that does is remembered."""
        unknown = strategies.key(variation) not in self.known
        if unknown and (len(self.known) >= most or time.monotonic() - self.started > SHRINKING_SECONDS):
            raise _Enough
        shows = problem in self.outcome(variation).problems
        if shows and strategies.size(variation) < strategies.size(failure.variation):
            failure.variation = variation
        return shows

    # Telling

    def _conclude(self, rule: str, problem: str, failure: _Failure) -> None:
        """Tell of *failure* if it shows again."""
        outcome, again, usual = self.known[strategies.key(failure.variation)], False, True
        if self.stopped is None:
            with contextlib.suppress(Inconclusive):
                again = problem in self.subject.send(failure.variation, careful=True).problems
                usual = problem != CRASH or self.subject.send({}).accepted
        # A crash that came more than once needs no further proof; what every body crashes is no matter of this one.
        again = usual and (again or (problem == CRASH and failure.count > 1))
        found = outcome.problems[problem]
        where = f" ({failure.count} of {self.tried} unusual bodies; --seed={self.seed} sends them again)"
        finding = Finding(found.where, found.expected, found.seen + where, found.hint)
        if not again:
            self.unsure.setdefault(rule, str(finding))
            return
        self.findings.setdefault(rule, []).append(finding)
        self.exchanges.setdefault(rule, []).extend(found.exchanges)

    def story(self) -> Story:
        return Story(
            note=f"{self.taken} of {self.tried} unusual bodies were taken; --seed={self.seed}",
            findings={rule: tuple(each) for rule, each in self.findings.items()},
            exchanges={rule: tuple(each) for rule, each in self.exchanges.items()},
            unsure=self.unsure,
            shown=self.subject.shown | {"survives", "control-characters"},
            stopped=self.stopped,
        )


def _rule(problem: str, theme: Theme) -> str | None:
    """The rule that *problem* of a body of *theme* is about; None for none."""
    if problem == CRASH:
        return "survives" if theme.kept else "control-characters"
    return problem.partition(" ")[0] if theme.kept else None


def _hypothesize(
    strategy: SearchStrategy[Variation],
    test: Callable[[Variation], None],
    seed: str,
    most: int,
    *,
    shrink: bool = False,
) -> None:
    """
    Let Hypothesis find variations to *test*, and make one that fails smaller.
    """
    import hypothesis

    from hypothesis import HealthCheck, Phase, Verbosity

    # Everything that a profile of the user's project might say otherwise. No database: nothing is written to their
    # folder. No health checks: a partner far away is slow, and that is no fault of the strategy's.
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=max(9, 2 * most),  # of ten and more it makes the first ones small
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @hypothesis.given(strategy)
    def example(variation: Variation) -> None:
        test(variation)

    with contextlib.suppress(_Enough, _Shown):
        example()
