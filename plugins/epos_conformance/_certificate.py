"""
``certificate.json``: the whole run for machines, described by ``reports/certificate.schema.json``.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import time

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epos_conformance import _contracts, _rules, _suite, verdict
from epos_conformance._files import whole
from epos_conformance._record import Plan, Record
from epos_conformance.verdict import Basis, Level, Outcome, Result, Verdict


FORMAT = "dojo-epos-conformance/certificate/1"

NOT_OFFERED = "not-offered"


@dataclass(slots=True)
class Certificate:
    """
    The document, and what the terminal needs of it.
    """

    verdict: Verdict
    results: list[Result]
    document: dict[str, Any]


def write(document: Mapping[str, Any], path: Path) -> None:
    """
    Write *document* to *path*: whole, or not at all.
    """
    with whole(path) as file:
        # In one line: laying it out takes as long as thirty checks.
        file.write(json.dumps(document, ensure_ascii=False) + "\n")


def entry(result: Result) -> dict[str, Any]:
    """
    *result* as an element of ``checks``.
    """
    found: dict[str, Any] = {
        "id": result.id,
        "case": result.case,
        "capability": result.capability,
        "page": result.page,
        "transport": result.transport,
        "level": str(result.level),
        "basis": str(result.basis),
        "sentence": result.sentence,
        "outcome": str(result.outcome),
        "message": result.message,
        "source": list(result.source),
        "duration": result.duration,
        "exchanges": list(result.exchanges),
    }
    if result.case is None:
        del found["case"]
    if result.cause is not None:
        found["cause"] = result.cause
    if result.steps:
        found["steps"] = list(result.steps)
    if result.waiver is not None:
        found["waiver"] = dict(result.waiver)
    return found


def result(entry: Mapping[str, Any]) -> Result:
    """
    The result that *entry*, an element of ``checks``, tells of.
    """
    known = {name: entry[name] for name in _FIELDS if name in entry}
    known.update(level=Level(entry["level"]), basis=Basis(entry["basis"]), outcome=Outcome(entry["outcome"]))
    return Result(**{"case": None, **known})


_FIELDS = (
    "id", "case", "capability", "page", "transport", "sentence", "message", "source", "duration", "exchanges", "cause",
    "waiver", "steps",
)  # fmt: skip


def not_run(name: str, reason: str) -> Result | None:
    """
    The result of the check *name* (see `Result.name`), which was selected and never ran; None for a name of nobody's.
    """
    transport, _, rest = name.partition("-")
    id, _, case = rest.partition("@")
    rule = _rules.rules().get(id)
    if rule is None:
        return None
    return Result(
        id=id,
        case=case or None,
        capability=rule.capability or (case if rule.per else None),
        page=rule.page,
        transport=transport,
        level=rule.level,
        basis=rule.basis,
        sentence=rule.sentence,
        source=rule.sources,
        outcome=Outcome.INCONCLUSIVE,
        message=reason,
        cause="not-run",
    )


def digests() -> dict[str, str]:
    """
    What the partner was held to: file below ``fixtures/`` -> its SHA-256.
    """
    # The form of partner.toml and its example are nobody's contract.
    files = sorted(
        path
        for path in _suite.FIXTURES.rglob("*")
        if path.suffix in (".json", ".toml") and not path.name.startswith("partner.")
    )
    return {
        path.relative_to(_suite.FIXTURES).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def build(record: Record, *, interrupted: bool) -> Certificate:
    """
    The certificate of a run, complete even where the run was cut short.
    """
    assert record.plan is not None
    reason = "not run: the run was interrupted" if interrupted else "not run: its process ended before"
    missing = (not_run(name, reason) for name in sorted(record.selected - record.results.keys()))
    results = [*record.results.values(), *(each for each in missing if each)]
    results.sort(key=place)
    whole = verdict.verdict(results)
    settings, plan = record.settings, record.plan
    document: dict[str, Any] = {
        "format": FORMAT,
        "suite": {"name": _suite.NAME, "version": _suite.version()},
        "partner": {
            "url": next(each.url for each in plan.access.values()),
            "transports": list(plan.access),
            "products": list(settings.products),
            "capabilities": list(plan.offered),
            "offer": plan.how_offered,
            "pos": dict(settings.pos),
        },
        **_dojo(plan),
        "startedAt": _instant(record.started),
        "finishedAt": _instant(time.time()),
        "selection": {"complete": not record.deselected, "deselected": record.deselected, "interrupted": interrupted},
        "settings": settings.shown(),
        **concluded(results, {name: access.offered for name, access in plan.access.items()}),
        "checks": [_marked(entry(each), record.known) for each in results],
        "waivers": waivers(record, results),
        "leftovers": record.leftovers,
        "notes": [*record.notes, *record.remarks, *record.afterwards],
        "contract": {
            "sources": {key: dict(each) for key, each in _rules.sources().items()},
            "digests": digests(),
        },
    }
    return Certificate(whole, results, document)


def place(result: Result) -> tuple[str, ...]:
    """Where *result* stands among others."""
    return result.page, result.capability or "", result.id, result.case or "", result.transport


def concluded(results: list[Result], offers: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """
    What follows from *results* alone, given what is offered over each transport: verdicts, counts and differences.

    Where nothing is offered, nobody answered: what there would have been is not known, and not proven.
    """
    grouped = verdict.by_capability(results)
    offered = {name for each in offers.values() for name in each}
    return {
        "verdict": str(verdict.verdict(results)),
        "counts": verdict.counts(results),
        "products": _products(offered, grouped),
        "capabilities": _capabilities(offers, offered, grouped),
        "differences": [_difference(*each) for each in verdict.differences(results)],
    }


def _dojo(plan: Plan) -> dict[str, Any]:
    if plan.dojo is None:
        return {}
    told: dict[str, Any] = {
        "url": plan.dojo.account.url,
        "sandbox": plan.dojo.sandbox,
        "flows": [each.name for each in plan.dojo.flows],
    }
    return {"dojo": told if plan.dojo.blocked is None else {**told, "blocked": plan.dojo.blocked}}


def _difference(id: str, case: str | None, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": id, "outcomes": {name: str(each) for name, each in outcomes.items()}}
    return told if case is None else {**told, "case": case}


def _marked(check: dict[str, Any], known: set[str] | None) -> dict[str, Any]:
    """*check*, marked where its rule is new to this partner: an upgrade must not change a verdict silently."""
    return {**check, "new": True} if known is not None and check["id"] not in known else check


def _products(offered: Collection[str], grouped: Mapping[str, list[Result]]) -> list[dict[str, Any]]:
    found = []
    for name, product in _contracts.products().items():
        members = {each.name: need for each, need in _contracts.members_of(name)}
        conclusion, missing = verdict.of_product(members, offered, grouped) if offered else (Verdict.NOT_PROVEN, [])
        found.append({
            "name": name,
            "title": product["title"],
            "verdict": str(conclusion) if conclusion else NOT_OFFERED,
            "missing": missing,
            "capabilities": [each for each in members if each in offered],
        })
    return found


def _capabilities(
    offers: Mapping[str, Collection[str]], offered: Collection[str], grouped: Mapping[str, list[Result]]
) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "page": each.page,
            **_concluded(grouped.get(each.name, []), offered=each.name in offered or not offered),
            "transports": {
                name: _concluded([one for one in grouped.get(each.name, ()) if one.transport == name], offered=True)
                for name, names in offers.items()
                if each.name in names
            },
        }
        for each in _contracts.capabilities().values()
    ]


def _concluded(results: list[Result], *, offered: bool) -> dict[str, Any]:
    return {"verdict": str(verdict.verdict(results)) if offered else NOT_OFFERED, "counts": verdict.counts(results)}


def waivers(record: Record, results: list[Result]) -> list[dict[str, Any]]:
    """
    Each waiver and what became of it: ``used``, ``unused`` (the violation no longer occurs), ``ended``, ``unknown``.
    """
    violated = {each.id for each in results if each.outcome is Outcome.VIOLATES}
    examined = {each.id for each in results if each.outcome in (Outcome.VIOLATES, Outcome.CONFORMS)}
    found = []
    for each in record.settings.waivers:
        if each.rule not in _rules.rules():
            state = "unknown"
        elif each.ended():
            state = "ended"
        elif each.rule in violated:
            state = "used"
        else:
            state = "unused" if each.rule in examined else "not-examined"
        found.append({"rule": each.rule, "reason": each.reason, "until": each.until.isoformat(), "state": state})
    return found


def _instant(seconds: float) -> str:
    return (
        datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
