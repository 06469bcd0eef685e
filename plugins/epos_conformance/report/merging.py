"""
Several runs against one partner as one: the union of what they examined, and the verdict that follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from epos_conformance import _certificate, _contracts
from epos_conformance.report.reading import BadReport, Document, partner, title
from epos_conformance.verdict import Outcome, Result


#: Of two runs of one check the one that says more counts, and of two that say something the worse.
_TELLING = (Outcome.VIOLATES, Outcome.CONFORMS, Outcome.INCONCLUSIVE, Outcome.NOT_OFFERED)


def by_partner(documents: Iterable[Document]) -> list[list[Document]]:
    """*documents* by the partner that they are about."""
    found: dict[tuple[str | None, ...], list[Document]] = {}
    for each in documents:
        found.setdefault(partner(each), []).append(each)
    return list(found.values())


def merged(documents: Sequence[Document]) -> Document:
    """
    One certificate for certificates of one partner. Raises `BadReport` where they don't belong together.
    """
    first, *others = documents
    if not others:
        return first
    for each in others:
        if partner(each) != partner(first):
            raise BadReport(f"{title(first)} and {title(each)} are two partners: a certificate is about one")
        if (each["suite"], each["contract"]["digests"]) != (first["suite"], first["contract"]["digests"]):
            raise BadReport(
                f"{title(first)} was checked by different versions of the suite: their results don't add up"
            )
    entries: dict[str, Any] = {}
    for each in documents:
        for entry in each["checks"]:
            name = _certificate.result(entry).name
            if name not in entries or _rank(entry) < _rank(entries[name]):
                entries[name] = entry
    results = sorted((_certificate.result(each) for each in entries.values()), key=_certificate.place)
    offers = _offers(documents)
    return {
        **first,
        "partner": {
            **first["partner"],
            "transports": _union(each["partner"]["transports"] for each in documents),
            "products": _union(each["partner"]["products"] for each in documents),
            "capabilities": _known(name for each in offers.values() for name in each),
        },
        **_dojo(documents),
        "startedAt": min(each["startedAt"] for each in documents),
        "finishedAt": max(each["finishedAt"] for each in documents),
        "selection": _selection(documents, results),
        "settings": _settings(documents),
        **_certificate.concluded(results, offers),
        "checks": [entries[each.name] for each in results],
        "waivers": _waivers(documents),
        "leftovers": [left for each in documents for left in each["leftovers"]],
        "notes": _union(each["notes"] for each in documents),
    }


def _rank(entry: Any) -> int:
    return _TELLING.index(Outcome(entry["outcome"]))


def _union(lists: Iterable[Iterable[Any]]) -> list[Any]:
    return list(dict.fromkeys(each for one in lists for each in one))


def _known(names: Iterable[str]) -> list[str]:
    found = set(names)
    return [name for name in _contracts.capabilities() if name in found]


def _offers(documents: Iterable[Document]) -> dict[str, list[str]]:
    """Transport -> what is offered over it in any of the runs."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for transport in document["partner"]["transports"]:
            found.setdefault(transport, set())
        for each in document["capabilities"]:
            for transport in each.get("transports", {}):
                found.setdefault(transport, set()).add(each["name"])
    return {transport: _known(names) for transport, names in found.items()}


def _dojo(documents: Iterable[Document]) -> dict[str, Any]:
    told = next((each["dojo"] for each in documents if "dojo" in each), None)
    return {"dojo": told} if told else {}


def _selection(documents: Sequence[Document], results: Sequence[Result]) -> dict[str, Any]:
    """
    What is missing from the union: a check that one run left out may have been run by another.
    """
    # A run knows how many checks there were for it: those that it ran, and those that it left out.
    there = max(len(each["checks"]) + each["selection"]["deselected"] for each in documents)
    deselected = max(0, there - len(results))
    return {
        "complete": not deselected or any(each["selection"]["complete"] for each in documents),
        "deselected": deselected,
        "interrupted": any(each["selection"]["interrupted"] for each in documents),
    }


def _settings(documents: Sequence[Document]) -> dict[str, Any]:
    """The settings; those that differ from run to run as lists of what each had."""
    found: dict[str, Any] = {}
    for name in _union(each["settings"] for each in documents):
        values = [each["settings"].get(name) for each in documents]
        if all(each == values[0] for each in values):
            found[name] = values[0]
        elif any(isinstance(each, list) for each in values):
            found[name] = _union(each or () for each in values)
        else:
            found[name] = values
    return found


#: What became of a waiver, the more telling first.
_STATES = ("used", "unused", "not-examined", "ended", "unknown")


def _waivers(documents: Iterable[Document]) -> list[Any]:
    found: dict[str, Any] = {}
    for document in documents:
        for each in document["waivers"]:
            known = found.get(each["rule"])
            if known is None or _STATES.index(each["state"]) < _STATES.index(known["state"]):
                found[each["rule"]] = each
    return list(found.values())
