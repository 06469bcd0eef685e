"""
Several runs against one partner as one: the union of what they examined, and the verdict that follows from it.
"""

from __future__ import annotations

import argparse
import os
import re

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from epos_conformance import _certificate, _contracts, _suite
from epos_conformance._console import say
from epos_conformance._settings import SigningKey
from epos_conformance.report import allure, reading
from epos_conformance.report.folder import PAGE, RESULTS, Reports
from epos_conformance.report.reading import BadReport, Commands, Document, partner, title
from epos_conformance.verdict import Outcome


#: Of several partners: whose certificates there are.
INDEX = "index.html"

#: Of two runs of one check the one that says more counts, and of two that say something the worse.
_TELLING = (Outcome.VIOLATES, Outcome.CONFORMS, Outcome.INCONCLUSIVE, Outcome.NOT_OFFERED)


def declare(commands: Commands) -> None:
    """Declare ``epos-report merge``."""
    parser = commands.add_parser("merge", help="merge the results of several runs: shards, transports, partners")
    parser.add_argument("--into", type=Path, default=Path("merged"), metavar="FOLDER", help="(%(default)s)")
    parser.add_argument("--allure-report", action="store_true", help="make Allure's HTML of all results, too")
    parser.add_argument(
        "--signing-key",
        default=os.environ.get("EPOS_SIGNING_KEY"),
        metavar="FILE",
        help="sign each certificate with this Ed25519 key (environment: EPOS_SIGNING_KEY, the PEM text itself)",
    )
    reading.take_folders(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """
    One certificate for each partner with its page, the Allure results of all, and an index where there are several.

    Of a single partner the certificate lies in the folder itself, of several each in a folder of its own.
    """
    into: Path = options.into
    key = _key(options.signing_key)
    # A fleet's night is more than fits into memory: one partner at a time, and of the others what is said of all.
    partners: dict[tuple[str | None, ...], list[Path]] = {}
    about: dict[Path, Document] = {}
    for folder in reading.folders(options.folders):
        document = reading.read(folder)
        partners.setdefault(partner(document), []).append(folder)
        about[folder] = {**document, "checks": []}
    several = len(partners) > 1
    places = _places([title(about[folders[0]]) for folders in partners.values()]) if several else [""]
    entries = []
    for name, folders in zip(places, partners.values(), strict=True):
        place = into / name
        document = merged([reading.read(each) for each in folders])
        place.mkdir(parents=True, exist_ok=True)
        reports = Reports(place, key)
        reports.write(document, reports.previous(document["settings"]))
        say(f"{title(document)}: {document['verdict']}")
        _say_all(reports.lines)
        entries.append(({**document, "checks": []}, (Path(name) / PAGE).as_posix()))
    named = [(folder, title(document) if several else None) for folder, document in about.items()]
    count = allure.gather(named, into / RESULTS)
    say(f"{count} Allure results")
    reports = Reports(into)
    reports.tell_allure(into / RESULTS, list(about.values()))
    if options.allure_report:
        reports.make_allure(into / RESULTS, say)
    _say_all(reports.lines)
    if several:
        from epos_conformance.report import page

        page.index(entries, into / INDEX)
        say(f"index: {into / INDEX}")
    return 0


def _places(titles: Sequence[str]) -> list[str]:
    """A folder for each partner, of the same name every night."""
    found: list[str] = []
    for each in titles:
        name = _NO_NAME.sub("-", each.lower()).strip("-")[:60] or "partner"
        again = sum(1 for other in found if other == name or re.fullmatch(rf"{re.escape(name)}-\d+", other))
        found.append(f"{name}-{again + 1}" if again else name)
    return found


_NO_NAME = re.compile(r"[^a-z0-9]+")


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        say(f"  {line}")


def _key(named: str | None) -> SigningKey | None:
    from epos_conformance.report import signing

    try:
        return signing.key(named) if named else None
    except ValueError as error:
        raise BadReport(str(error)) from None


def merged(documents: Sequence[Document]) -> Document:
    """
    One certificate for certificates of one partner. Raises `BadReport` where they don't belong together.
    """
    # Costly to import: the checks come along.
    from epos_conformance import _expected
    from epos_conformance.report.excuses import Facts
    from epos_conformance.report.rederiving import unexcused

    first, *others = documents
    # Of the runs, not of what they are merged to.
    first = {name: each for name, each in first.items() if name not in ("changes", "signature")}
    if not others:
        return first
    for each in others:
        if partner(each) != partner(first):
            raise BadReport(f"{title(first)} and {title(each)} are two partners: a certificate is about one")
        if (each["suite"], each["contract"]["digests"]) != (first["suite"], first["contract"]["digests"]):
            raise BadReport(
                f"{title(first)} was checked by different versions of the suite: their results don't add up"
            )
    if first["suite"]["version"] != _suite.version():
        raise BadReport(
            f"{title(first)} was checked by version {first['suite']['version']} of the suite, and this is "
            f"{_suite.version()}: merge with that version, which knows the checks"
        )
    entries: dict[str, Any] = {}
    for each in documents:
        for entry in each["checks"]:
            name = _certificate.result(entry).name
            if name not in entries or _rank(entry) < _rank(entries[name]):
                entries[name] = entry
    offers, settings, dojo = _offers(documents), _settings(documents), _dojo(documents)
    results = [_certificate.result(each) for each in entries.values()]
    # Of the flows of one Dojo, or of none, nothing can be said where another counts; and where one run had no reason to
    # examine what is offered in another, nobody examined it.
    expected = _expected.examinations(offers, dojo.get("dojo", {}).get("flows", ()))
    stale = unexcused(results, expected, Facts(offers=offers, settings=settings, dojo=bool(dojo)))
    results = sorted((each for each in results if each.name in expected.keys() - stale), key=_certificate.place)
    return {
        **first,
        "partner": {
            **first["partner"],
            "transports": _union(each["partner"]["transports"] for each in documents),
            "products": _union(each["partner"]["products"] for each in documents),
            "capabilities": _known(name for each in offers.values() for name in each),
        },
        **dojo,
        "startedAt": min(each["startedAt"] for each in documents),
        "finishedAt": max(each["finishedAt"] for each in documents),
        "selection": _selection(documents, len(expected) - len(results)),
        "settings": settings,
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


def _selection(documents: Sequence[Document], left_out: int) -> dict[str, Any]:
    """What is missing from the union: a check that one run left out may have been run by another."""
    return {
        "complete": not left_out,
        "deselected": left_out,
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
