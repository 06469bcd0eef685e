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

from epos_conformance import _certificate, _suite
from epos_conformance._console import say
from epos_conformance._settings import SigningKey
from epos_conformance.report import allure, joining, reading, signing
from epos_conformance.report.folder import PAGE, RESULTS, Reports
from epos_conformance.report.reading import BadReport, Commands, Document, title
from epos_conformance.report.shards import Shards
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
        default=os.environ.get(signing.ENVIRONMENT),
        metavar="FILE",
        help=f"sign each certificate with this Ed25519 key (environment: {signing.ENVIRONMENT}, the PEM text itself)",
    )
    parser.add_argument(
        "--public-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="take none but certificates that are signed by this key; repeatable",
    )
    reading.take_folders(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """
    One certificate for each partner with its page, the Allure results of all, and an index where there are several.

    Of a single partner the certificate lies in the folder itself, of several each in a folder of its own.
    """
    into: Path = options.into
    shards = Shards(_key(options.signing_key), options.public_key)
    # A fleet's night is more than fits into memory: one partner at a time, and of the others what is said of all.
    about = {each: {**reading.read(each), "checks": []} for each in reading.folders(options.folders)}
    groups = reading.grouped(about)
    for folders in groups:
        addresses = joining.addresses([about[each] for each in folders])
        about |= {each: {**about[each], "settings": {**about[each]["settings"], **addresses}} for each in folders}
    several = len(groups) > 1
    places = _places([title(about[folders[0]]) for folders in groups]) if several else [""]
    entries = []
    for name, folders in zip(places, groups, strict=True):
        place = into / name
        document = merged([shards.read(each) for each in folders])
        place.mkdir(parents=True, exist_ok=True)
        reports = Reports(place, shards.key)
        reports.write(document, reports.previous(document["settings"], document["partner"]["pos"]))
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
    groups = reading.grouped(dict(enumerate(documents)))
    if len(groups) > 1:
        one, other = (title(documents[each[0]]) for each in groups[:2])
        raise BadReport(f"{one} and {other} are two partners: a certificate is about one")
    if any(_versions(each) != _versions(first) for each in others):
        raise BadReport(f"{title(first)} was checked by different versions of the suite: their results don't add up")
    if first["suite"]["version"] != _suite.version():
        raise BadReport(
            f"{title(first)} was checked by version {first['suite']['version']} of the suite, and this is "
            f"{_suite.version()}: merge with that version, which knows the checks"
        )
    offers, settings, dojo = joining.offers(documents), joining.settings(documents), joining.dojo(documents)
    expected = _expected.examinations(offers, dojo.get("dojo", {}).get("flows", ()))
    facts = Facts(offers=offers, settings=settings, dojo=bool(dojo))
    entries: dict[str, Any] = {}
    for each in documents:
        results = [_certificate.result(entry) for entry in each["checks"]]
        # Where one run had no reason to examine what is offered in another, it says nothing of that; nor of the flows
        # of a Dojo that it didn't ask. A violation is never left out.
        stale = unexcused(results, expected, facts)
        for result, entry in zip(results, each["checks"], strict=True):
            name = result.name
            if name in stale or (name not in expected and result.outcome is not Outcome.VIOLATES):
                continue
            if name not in entries or _rank(entry) < _rank(entries[name]):
                entries[name] = entry
    results = sorted(map(_certificate.result, entries.values()), key=_certificate.place)
    return {
        **first,
        "partner": joining.partner(documents, offers),
        **dojo,
        "startedAt": min(each["startedAt"] for each in documents),
        "finishedAt": max(each["finishedAt"] for each in documents),
        "selection": joining.selection(documents, len(expected.keys() - entries.keys())),
        "settings": settings,
        **_certificate.concluded(results, offers),
        "checks": [entries[each.name] for each in results],
        "waivers": joining.waivers(documents, results),
        "leftovers": [left for each in documents for left in each["leftovers"]],
        "notes": joining.union(each["notes"] for each in documents),
    }


def _versions(document: Document) -> tuple[Any, Any]:
    return document["suite"], document["contract"]["digests"]


def _rank(entry: Any) -> tuple[int, bool, bool]:
    """The less, the more it tells: of two violations the one that nobody waived, and of two reasons the better one."""
    return _TELLING.index(Outcome(entry["outcome"])), "waiver" in entry, reading.not_run(entry)
