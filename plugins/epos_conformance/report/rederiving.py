"""
What a certificate owes to the facts in it: which checks had to be there, what each of them is about, and what they
amount to. The contracts and rules are those of this suite.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance import _certificate, _contracts, _expected, _rules
from epos_conformance._checks import DOJO, Examination
from epos_conformance.report.claims import contradictions
from epos_conformance.report.excuses import READ_ONLY, SWITCHED_OFF, Facts, excused
from epos_conformance.report.reading import Document
from epos_conformance.verdict import Outcome, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Rederived:
    """
    What is to be said of a certificate, given nothing but itself and this suite.
    """

    #: What is not as it had to be.
    faults: Sequence[str]
    #: How many checks there are of those that had to be there, which were left out where the user wanted it.
    there: int
    asked: int
    #: How many of them were not examined as they may change something, and the run is read-only.
    spared: int
    #: How many were not examined as the user switched them off: unusual bodies, or Dojo's flows.
    switched_off: int


def rederive(document: Document) -> Rederived:
    """
    Compare *document*, which has the form of a certificate and was made by this version of the suite, with what
    follows from its own facts.
    """
    results = [_certificate.result(each) for each in document["checks"]]
    expected = _examinations(document)
    names = Counter(each.name for each in results)
    facts = _facts(document)
    there = len(expected.keys() & names.keys())
    faults = [
        *_of_digests(document),
        *contradictions(document, results, facts.offers),
        *_of_presence(document, expected, names),
        *_of_checks(results, expected, facts),
        *_of_conclusion(document, results, facts.offers),
    ]
    unsaid = [each.message for each in results if each.outcome is Outcome.NOT_OFFERED]
    return Rederived(
        faults=faults,
        there=there,
        asked=len(expected),
        spared=sum(each.endswith(READ_ONLY) for each in unsaid),
        switched_off=sum(each in SWITCHED_OFF for each in unsaid),
    )


def unexcused(results: Iterable[Result], expected: Mapping[str, Examination], facts: Facts) -> set[str]:
    """
    Which of *results* say ``not-offered`` for a reason that doesn't hold, given the *facts*, by `Result.name`: of
    several runs as one, those whose reason held in their own run.
    """
    return {
        each.name
        for each in results
        if each.outcome is Outcome.NOT_OFFERED
        and each.name in expected
        and not excused(each.message, expected[each.name], facts)
    }


def _examinations(document: Document) -> Mapping[str, Examination]:
    """What had to be examined, by name."""
    return _expected.examinations(document["partner"]["transports"], document.get("dojo", {}).get("flows", ()))


def _facts(document: Document) -> Facts:
    return Facts(offers=_offers(document), settings=document["settings"], dojo="dojo" in document)


def _offers(document: Document) -> dict[str, list[str]]:
    """Transport -> what is offered over it."""
    return {
        transport: [each["name"] for each in document["capabilities"] if transport in each.get("transports", {})]
        for transport in document["partner"]["transports"]
    }


def _of_digests(document: Document) -> Iterator[str]:
    told, ours = document["contract"]["digests"], _certificate.digests()
    for name in sorted(told.keys() | ours.keys()):
        if name not in ours:
            yield f"the contract: {name} is no file of this version"
        elif name not in told:
            yield f"the contract: the digest of {name} is missing"
        elif told[name] != ours[name]:
            yield f"the contract: {name} has another digest in this version"
    if document["contract"]["sources"] != {key: dict(each) for key, each in _rules.sources().items()}:
        yield "the contract: its sources are not those of this version"


def _of_presence(document: Document, expected: Mapping[str, Examination], names: Counter[str]) -> Iterator[str]:
    """Each check that belongs to the run is there once, or the certificate owns up to having left it out."""
    for name, count in names.items():
        if name not in expected:
            yield f"{name}: no check of this version for what the certificate is about"
        if count > 1:
            yield f"{name}: there {count} times"
    selection = document["selection"]
    missing = [name for name in expected if name not in names]
    # Interrupted before anybody knew which checks there are: then there is none, and nothing that they amount to.
    if not names and selection["interrupted"]:
        return
    if len(missing) != selection["deselected"]:
        owned = f"the certificate owns up to {selection['deselected']}"
        yield f"{len(missing)} of {len(expected)} checks are left out, and {owned}{_such_as(missing)}"
    if selection["complete"] != (not missing):
        said = "complete" if selection["complete"] else "not complete"
        yield f"the selection is said to be {said}, and {len(missing)} of {len(expected)} checks are left out"


def _such_as(names: Sequence[str]) -> str:
    return f": {', '.join(names[:3])}{'…' if len(names) > 3 else ''}" if names else ""


def _of_checks(results: Sequence[Result], expected: Mapping[str, Examination], facts: Facts) -> Iterator[str]:
    """What is wrong with single checks, each fault once: what is wrong with one is wrong with many, often."""
    found: dict[str, list[str]] = {}
    for each in results:
        if each.name in expected:
            for fault in _of_check(each, expected[each.name], facts):
                found.setdefault(fault, []).append(each.name)
    for fault, names in found.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{names[0]}{more}: {fault}"


def _of_check(result: Result, examination: Examination, facts: Facts) -> Iterator[str]:
    rule, capability = examination.rule, examination.capability
    ours = {
        "level": rule.level,
        "basis": rule.basis,
        "sentence": rule.sentence,
        "page": rule.page,
        "source": [*rule.sources],
        "capability": capability.name if capability else None,
    }
    for member, value in ours.items():
        told = getattr(result, member)
        if (list(told) if member == "source" else told) != value:
            yield f"its {member} is not that of the rule"
    if result.outcome is Outcome.NOT_OFFERED:
        if not excused(result.message, examination, facts):
            yield f"not-offered for a reason that doesn't hold: {result.message or 'none is given'}"
        return
    if result.outcome is Outcome.INCONCLUSIVE:
        return
    if capability is not None and capability.name not in facts.offered(result.transport):
        yield f"{result.outcome}, and {capability.name} isn't offered"
    if result.transport == DOJO and not facts.dojo:
        yield f"{result.outcome}, and there was no Dojo in the run"
    if result.outcome is Outcome.CONFORMS and not result.exchanges:
        yield "conforms, and nothing was exchanged"
    elif result.outcome is Outcome.CONFORMS and all(each["answer"] is None for each in result.exchanges):
        yield "conforms, and nothing was answered"


def _of_conclusion(document: Document, results: list[Result], offers: Mapping[str, Collection[str]]) -> Iterator[str]:
    ours = _certificate.concluded(results, offers)
    if document["verdict"] != ours["verdict"]:
        yield f"the verdict is {document['verdict']}, and the checks amount to {ours['verdict']}"
    for member, value in ours.items():
        if member != "verdict" and not _same(document.get(member, []), value):
            yield f"{member}: not what the checks amount to{_where(document.get(member), value)}"
    listed = [each["name"] for each in document["capabilities"]]
    if listed != [*_contracts.capabilities()]:
        yield "the capabilities listed are not those of this version"


def _same(told: Any, ours: Any) -> bool:
    """Whether both are the same JSON; in Python true is 1, too."""
    if isinstance(told, dict) and isinstance(ours, dict):
        return told.keys() == ours.keys() and all(_same(told[key], ours[key]) for key in ours)
    if isinstance(told, list) and isinstance(ours, list):
        return len(told) == len(ours) and all(map(_same, told, ours))
    return type(told) is type(ours) and bool(told == ours)


def _where(told: Any, ours: Any) -> str:
    """Of lists of things with names, the first name that differs."""
    if isinstance(told, list) and isinstance(ours, list):
        for theirs, each in zip(told, ours, strict=False):
            if not _same(theirs, each):
                return f" ({each.get('name') or each.get('id')})"
    return ""
