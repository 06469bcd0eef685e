"""
What a journey is: a story that one of Dojo's products goes through with the EPOS, told step by step.

A story asks for what it needs and says `Refused` where the till has reasons of its own business against the order it
was tried with: it is told again with another one. What is wrong with an order of the venue's has to be wrong with
another one too, for a waiter may be busy with the first.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from epos_conformance import _contracts, _rules, answers
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.exchange import Exchange
from epos_conformance.intents import INTENTS_HINT
from epos_conformance.partner import MOST_ATTEMPTS, Partner
from epos_conformance.verdict import Finding


class Refused(Inconclusive):
    """
    The till refuses a step for reasons of its business: another order may do.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """
    One product, in one of its variants, as Dojo drives it.
    """

    #: As in the catalogue, ``journeys.<id>``.
    id: str
    title: str
    #: As in ``fixtures/products.json``.
    product: str
    #: The capabilities that it can't do without.
    needs: tuple[str, ...]
    #: Takes the steps; raises as a check does.
    story: Callable[[Partner], None] = field(repr=False)

    def missing(self, partner: Partner) -> list[str]:
        """What it needs and *partner* doesn't offer."""
        return [each for each in self.needs if not partner.offers(each)]

    def run(self, partner: Partner) -> None:
        """
        Tell the story with *partner*, whose steps it takes.

        Raises `NotOffered` naming everything that is missing, `Violation` for the first step that goes wrong, and
        `Inconclusive` with the partner's words where it refuses what was tried, `MOST_ATTEMPTS` times.
        """
        if missing := self.missing(partner):
            verb = "isn't" if len(missing) == 1 else "aren't"
            raise NotOffered(f"{self.title} needs {', '.join(missing)}, which {verb} offered")
        first: Inconclusive | None = None
        wrong: Violation | None = None
        for _ in range(MOST_ATTEMPTS):
            start = len(partner.steps)
            try:
                self.story(partner)
            except Refused as refused:
                first = first or refused
            except Inconclusive as error:
                # What was tried before may have used up what there was.
                raise wrong or first or error from None
            except Violation as violation:
                if wrong or not _is_the_venues(partner):
                    raise
                wrong = violation
            else:
                told = (" ".join(str(each).splitlines()) for each in (first, wrong) if each)
                partner.notes += [f"not so with another order: {each}" for each in told]
                return
            again = partner.steps[start:]
            del partner.steps[start:]
        partner.steps += again
        raise wrong or first or AssertionError


def _is_the_venues(partner: Partner) -> bool:
    """Whether what the story was told with may be what others are busy with."""
    return bool(partner.venue.known.orders) or not partner.offers("CreateOrder")


# Steps


@contextlib.contextmanager
def asking(partner: Partner, step: str, name: str) -> Iterator[None]:
    """
    A step that asks for the capability *name*: it is wrong where that crashes, or an answer hasn't the form it has to
    have.
    """
    with partner.steps.take(step, rule=f"{name}.answer-matches-schema"):
        start = len(partner.exchanges)
        try:
            yield
        except Inconclusive:
            last = partner.exchanges[start:][-1:]
            # To hang up between two requests is a server's right, and may cross with the second.
            if not any(each.crashed and each.answer for each in last if each.capability == name):
                raise
            raise Violation(Finding(name, "a success", last[0].seen)) from None
        response = _contracts.capabilities()[name].response[partner.transport.name]
        for each in partner.exchanges[start:]:
            if each.capability == name and each.succeeded:
                answers.violate(list(answers.schema_findings(each, response)))


def require_carried_out(exchange: Exchange, hint: str | None = None) -> None:
    """
    Raise `Refused` with the partner's words where a change was refused in good order, `Violation` where it crashed, or
    a query was refused; *hint* is why a change may have been.
    """
    if exchange.succeeded:
        return
    name = str(exchange.capability)
    # Nothing in a till's business can keep it from answering a query.
    if refuses(exchange) and _contracts.capabilities()[name].changes:
        if hint is None and name == "RecordOrderPaymentById":
            hint = INTENTS_HINT
        raise Refused(f"the partner refuses {name}: {exchange.seen}{f'; {hint}' if hint else ''}")
    raise Violation(Finding(name, "a success", exchange.seen))


def refuses(exchange: Exchange) -> bool:
    """Whether the partner said no in good order; raises `Inconclusive` where it only put it off."""
    exchange.require_answer()
    return exchange.refused


def judged(partner: Partner, step: str, *rules: tuple[str, Iterable[Finding]]) -> None:
    """
    A step that looks at what is there already: it names the first of *rules* that has findings.
    """
    found = [(rule, list(findings)) for rule, findings in rules]
    assert all(each in _rules.rules() for each, _ in found), found
    rule, findings = next((each for each in found if each[1]), found[0])
    with partner.steps.take(step, rule=rule):
        answers.violate(findings)


def remark(partner: Partner, findings: Sequence[Finding]) -> None:
    """Note what is only recommended: it ends no journey."""
    partner.notes += map(str, findings)
