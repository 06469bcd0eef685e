"""
What a person reads in the terminal: how each check ended, and at the end what it all means.
"""

from __future__ import annotations

import re

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from epos_conformance import _rules, _suite
from epos_conformance._certificate import Certificate
from epos_conformance._record import Plan, Record
from epos_conformance.verdict import Level, Outcome, Result, Verdict


if TYPE_CHECKING:
    import pytest


#: Violations told in full; the rest is in the certificate.
_MOST_TOLD = 25
#: Checks named under one reason.
_MOST_NAMED = 6

_WORDS = {
    Verdict.CONFORMANT: "conformant: every rule that was examined is kept",
    Verdict.WITH_RECOMMENDATIONS: "conformant, with recommendations",
    Verdict.NOT_CONFORMANT: "not conformant: a rule that the contract insists on is broken",
    Verdict.NOT_PROVEN: "not proven: nothing is broken that was seen, but not everything could be examined",
}


def header(record: Record) -> list[str]:
    """
    The settings in force, for the head of the output.
    """
    shown = ", ".join(
        f"{name}={_brief(value)}" for name, value in record.settings.shown().items() if value not in (None, [], False)
    )
    lines = [f"{_suite.NAME} {_suite.version()}: {shown}"]
    if record.plan is not None:
        lines += _offers(record.plan)
        lines += _dojo(record.plan)
        lines += record.notes
        lines += [each.blocked for each in record.plan.access.values() if each.blocked]
    return lines


def _dojo(plan: Plan) -> list[str]:
    """Dojo's side, and whom the EPOS has to be there."""
    dojo = plan.dojo
    if dojo is None:
        return []
    if dojo.blocked is not None:
        return [f"Dojo at {dojo.account.url}: {dojo.blocked}"]
    what = f"{len(dojo.flows)} flow{'s' if len(dojo.flows) > 1 else ''}" if dojo.flows else f"no flows: {dojo.no_flows}"
    return [
        f"{'Dojo sandbox' if dojo.sandbox else 'Dojo'} at {dojo.account.url}, software-house-id "
        f"{dojo.account.software_house_id}; {what}"
    ]


def _offers(plan: Plan) -> list[str]:
    """What is offered, said once where it is the same over all transports."""
    known = {name: each for name, each in plan.access.items() if each.offered or not each.blocked}
    offers = {name: ", ".join(each.offered) or "none" for name, each in known.items()}
    if not offers:
        return []
    if len({*offers.values()}) == 1:
        return [f"capabilities ({plan.how_offered}): {next(iter(offers.values()))}"]
    return [f"capabilities over {name} ({plan.access[name].how_offered}): {each}" for name, each in offers.items()]


def _brief(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)


def status(result: Result, strict: bool) -> tuple[str, str, str]:
    """
    Category, letter and word of *result*, as pytest's terminal counts and shows them.
    """
    if result.outcome is Outcome.CONFORMS:
        return "passed", ".", "CONFORMS"
    if result.outcome is Outcome.NOT_OFFERED:
        return "not offered", "-", "NOT OFFERED"
    if result.outcome is Outcome.INCONCLUSIVE:
        return ("error", "E", "INCONCLUSIVE") if result.unproven else ("inconclusive", "?", "INCONCLUSIVE")
    if result.waived:
        return "waived", "w", "WAIVED"
    if result.refuses or (strict and result.recommends):
        return "failed", "F", "VIOLATES"
    return ("recommendations", "r", "RECOMMENDATION") if result.level is Level.SHOULD else ("notes", "i", "NOTE")


def explain(result: Result) -> str:
    """
    *result* in full: the rule and its sentence, what was seen, the exchange and how to replay it.
    """
    case = f" ({result.case})" if result.case else ""
    lines = [
        f"{result.id}{case} over {result.transport}: {result.outcome}, {result.level}, {result.basis}",
        f"  {result.sentence}",
        *(f"  {line}" for line in result.message.splitlines()),
    ]
    if result.waiver:
        lines.append(f"  waived until {result.waiver['until']}: {result.waiver['reason']}")
    if result.exchanges and result.outcome is not Outcome.CONFORMS:
        # The last one says how it ended, where none is known to be at fault.
        found = next((each for each in result.exchanges if "fault" in each), result.exchanges[-1])
        lines.append(f"  {brief(found)}")
        if "replay" in found:
            lines.append(f"  replay: {found['replay']}")
    lines.append(f"  source: {'; '.join(_rules.cite(each) for each in result.source)}")
    return "\n".join(lines)


def brief(exchange: Any) -> str:
    """One line for an exchange of the certificate's form."""
    asked = f"{exchange['request']['method']} {exchange['request']['url']}"
    answer = exchange["answer"]
    if answer is None:
        return f"{asked} -> {exchange.get('failure', 'no answer')}"
    said = " ".join([str(answer.get("status", "")), *str(answer.get("body", "")).split()]).strip()
    return f"{asked} -> {said[:164]}{'...' if len(said) > 164 else ''} ({exchange['duration']:.3f} s)"


def summarize(
    record: Record, certificate: Certificate, reporter: pytest.TerminalReporter, written: Iterable[str] = ()
) -> None:
    """
    Everything that the run found, worst first, what it amounts to, and what was *written* of it.
    """
    results, document = certificate.results, certificate.document
    write = reporter.write_line
    reporter.write_sep("=", "EPOS conformance", bold=True)
    violations = [each for each in results if each.outcome is Outcome.VIOLATES]
    _violations(reporter, "violated", [each for each in violations if each.refuses], red=True)
    _violations(
        reporter, "recommended", [each for each in violations if each.recommends and not each.waived], yellow=True
    )
    _violations(reporter, "waived", [each for each in violations if each.waived], yellow=True)
    notes = [each for each in violations if each.level is Level.INFO and not each.waived]
    for each in notes if reporter.verbosity > 0 else ():
        write(f"noted: {each.id}: {each.message.splitlines()[0]}")
    _reasons(reporter, "not proven", [each for each in results if each.unproven])
    _reasons(
        reporter,
        "could not be examined",
        [each for each in results if each.outcome is Outcome.INCONCLUSIVE and not each.unproven],
    )
    # What isn't offered at all is told with the capabilities.
    forbidden = [each for each in results if each.outcome is Outcome.NOT_OFFERED and not _ABSENT.search(each.message)]
    _reasons(reporter, "left out", forbidden)
    _differences(reporter, document)
    for remark in record.remarks:
        write(f"on the session: {remark}")
    for done in record.afterwards:
        write(done)
    for waiver in document["waivers"]:
        if waiver["state"] != "used":
            reporter.write_line(f"waiver of {waiver['rule']} is {_STATES[waiver['state']]}", yellow=True)
    for left in document["leftovers"]:
        reporter.write_line(f"left behind at the partner: {left}", yellow=True)
    if new := {each["id"] for each in document["checks"] if each.get("new")}:
        reporter.write_line(f"new since the last certificate ({len(new)} rules): {_names(sorted(new))}")
    write("")
    _capabilities(write, document)
    write("")
    _changes(reporter, document)
    _verdict(certificate, reporter, len(notes))
    for line in written:
        write(line)


_ABSENT = re.compile(r"isn't (offered|claimed)$")

_STATES = {
    "unused": "no longer needed: the rule is kept; remove it",
    "ended": "over: its date has passed",
    "unknown": "for nothing: there is no such rule",
    "not-examined": "without effect: the rule was not examined",
}


def _violations(reporter: pytest.TerminalReporter, title: str, found: Sequence[Result], **color: bool) -> None:
    for number, each in enumerate(found):
        if number == _MOST_TOLD:
            names = ", ".join(dict.fromkeys(each.id for each in found[number:]))
            reporter.write_line(f"{title}, {len(found) - number} more: {names}", **color)
            break
        first, *rest = explain(each).splitlines()
        reporter.write_line(f"{title}: {first}", **color)
        for line in rest:
            reporter.write_line(line)


def _reasons(reporter: pytest.TerminalReporter, title: str, found: Sequence[Result]) -> None:
    """Inconclusive results, told once for each reason."""
    by_reason: dict[str, list[Result]] = {}
    for each in found:
        by_reason.setdefault(each.message, []).append(each)
    for reason, results in sorted(by_reason.items(), key=lambda each: -len(each[1])):
        checks = "1 check" if len(results) == 1 else f"{len(results)} checks"
        reporter.write_line(f"{title} ({checks}): {reason.removeprefix('not examined: ')}", yellow=True)
        reporter.write_line(f"  {_names(each.id for each in results)}")


def _names(ids: Iterable[str]) -> str:
    names = list(dict.fromkeys(ids))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _differences(reporter: pytest.TerminalReporter, document: dict[str, Any]) -> None:
    """What holds over one transport and not over the other: a fault of one of its two front doors."""
    for each in document["differences"][:_MOST_TOLD]:
        case = f" ({each['case']})" if "case" in each else ""
        told = ", ".join(f"{outcome} over {name}" for name, outcome in each["outcomes"].items())
        reporter.write_line(f"differs between the transports: {each['id']}{case}: {told}", yellow=True)
    if more := document["differences"][_MOST_TOLD:]:
        reporter.write_line(f"differs between the transports, {len(more)} more", yellow=True)


def _changes(reporter: pytest.TerminalReporter, document: dict[str, Any]) -> None:
    """What differs from the last complete certificate."""
    if (changes := document.get("changes")) is None:
        return
    counts = Counter(each["kind"] for each in changes["checks"])
    told = [f"{counts[kind]} {word}" for kind, word in CHANGED.items() if counts[kind]]
    before, selection = changes["since"]["verdict"], document["selection"]
    if before != document["verdict"]:
        told.insert(0, f"{before} before")
    part = " of what was examined" if selection["interrupted"] or not selection["complete"] else ""
    since = f"since {changes['since']['finishedAt'][:16].replace('T', ' ')} UTC"
    reporter.write_line(f"{since}{part}: {', '.join(told) or 'nothing changed'}", yellow=changes["worse"])


#: Kinds of changes in words, the worst first.
CHANGED = {
    "violated": "newly violated",
    "inconclusive": "newly inconclusive",
    "gone": "no longer examined",
    "fixed": "fixed",
    "examined": "newly examined",
}


def _capabilities(write: Any, document: dict[str, Any]) -> None:
    partial = not document["selection"]["complete"]
    offered = [
        each
        for each in document["capabilities"]
        if each["verdict"] != "not-offered" and (any(each["counts"].values()) or not partial)
    ]
    names = document["partner"]["transports"]
    known = answered(document)
    if not known:
        write("  nobody knows which capabilities are offered")
        offered = []
    absent = {name: "not offered" if name in known else "not examined" for name in names}
    told = [[_told(each["transports"].get(name), absent[name]) for name in names] for each in offered]
    first = max((len(each["name"]) for each in offered), default=0)
    widths = [max((len(row[column]) for row in told), default=0) for column in range(len(names))]
    for each, row in zip(offered, told, strict=True):
        # One column for each transport.
        cells = [f"{name} {cell:<{width}}" for name, cell, width in zip(names, row, widths, strict=True)]
        text = row[0] if len(row) == 1 else "   ".join(cells).rstrip()
        write(f"  {each['name']:<{first}}  {each['verdict']}: {text}")
    if lacking := [each["name"] for each in document["capabilities"] if each["verdict"] == "not-offered"]:
        write(f"  not offered: {', '.join(lacking)}")
    # What a product amounts to can't be told from some of its checks.
    for product in document["products"] if not partial else ():
        missing = f"; missing {', '.join(product['missing'])}" if product["missing"] else ""
        write(f"  product {product['title']}: {product['verdict']}{missing}")


def answered(document: Mapping[str, Any]) -> set[str]:
    """The transports that something is offered over: of the others nothing is known, as nobody answered."""
    return {transport for each in document["capabilities"] for transport in each.get("transports", ())}


def _told(part: dict[str, Any] | None, absent: str) -> str:
    """How the checks of one capability over one transport ended; *absent* where there is no such capability."""
    if part is None:
        return absent
    counts = dict(part["counts"])
    if not any(counts.values()):
        return "-"
    counts["broken"] = counts["violates"] - counts["recommendations"] - counts["notes"] - counts["waived"]
    return ", ".join([
        f"{counts['conforms']} kept",
        *(f"{counts[key]} {text}" for key, text in _COUNTED if counts[key]),
    ])


_COUNTED = (
    ("broken", "broken"),
    ("recommendations", "recommended"),
    ("notes", "noted"),
    ("inconclusive", "not examined"),
    ("waived", "waived"),
)


def _verdict(certificate: Certificate, reporter: pytest.TerminalReporter, notes: int) -> None:
    conclusion, document = certificate.verdict, certificate.document
    counts = document["counts"]
    good = conclusion in (Verdict.CONFORMANT, Verdict.WITH_RECOMMENDATIONS)
    counted = f"{counts['conforms']} kept, {counts['violates']} broken"
    counted += f" (of these {counts['recommendations']} recommendations, {notes} notes, {counts['waived']} waived)"
    counted += f", {counts['inconclusive']} inconclusive, {counts['not-offered']} not offered"
    reporter.write_line(f"checks: {counted}")
    reporter.write_line(f"verdict: {_WORDS[conclusion]}", bold=True, green=good, red=not good)
    if deselected := document["selection"]["deselected"]:
        reporter.write_line(f"{deselected} checks were deselected: this is a verdict on the others alone", yellow=True)
