"""
What several runs against one partner say of themselves, as one: where it was reached, how, what it offers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from epos_conformance import _contracts
from epos_conformance.report import reading
from epos_conformance.report.reading import Document
from epos_conformance.verdict import Outcome, Result


#: In the order in which a certificate names them.
_TRANSPORTS = ("rest", "ws")

#: Settings that are lists in a single run, too; any other list holds what each of several runs had.
_LISTS = ("capabilities", "product")


def union(lists: Iterable[Iterable[Any]]) -> list[Any]:
    """Each once, in the order of their first occurrence."""
    return list(dict.fromkeys(each for one in lists for each in one))


def addresses(documents: Iterable[Document]) -> dict[str, str | None]:
    """Where the partner was reached over REST and in a session, as settings; None where in none of the runs."""
    rest, session, _, _ = zip(*map(reading.partner, documents), strict=True)
    return {
        "partner-url": next((each for each in rest if each is not None), None),
        "partner-ws": next((each for each in session if each is not None), None),
    }


def partner(documents: Sequence[Document], offers: dict[str, list[str]]) -> dict[str, Any]:
    """Who was checked, given what is offered over each transport."""
    transports = [*offers]
    # Its address is that of the first transport.
    url = next(each["partner"]["url"] for each in documents if each["partner"]["transports"][:1] == transports[:1])
    return {
        **documents[0]["partner"],
        "url": url,
        "transports": transports,
        "products": union(each["partner"]["products"] for each in documents),
        "capabilities": _known(name for each in offers.values() for name in each),
    }


def offers(documents: Iterable[Document]) -> dict[str, list[str]]:
    """Transport -> what is offered over it in any of the runs."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for transport in document["partner"]["transports"]:
            found.setdefault(transport, set())
        for each in document["capabilities"]:
            for transport in each.get("transports", {}):
                found.setdefault(transport, set()).add(each["name"])
    return {transport: _known(found[transport]) for transport in _TRANSPORTS if transport in found}


def _known(names: Iterable[str]) -> list[str]:
    found = set(names)
    return [name for name in _contracts.capabilities() if name in found]


def dojo(documents: Iterable[Document]) -> dict[str, Any]:
    """
    Dojo's side, as the member of a certificate, where one of the runs had one: the flows of all of them.

    Nothing could be asked there where no run could. Where some had a sandbox in its place, so says the certificate.
    """
    told = [each["dojo"] for each in documents if "dojo" in each]
    told.sort(key=lambda each: ("blocked" in each, not each["sandbox"]))
    if not told:
        return {}
    flows: list[str] = []
    for each in told:
        known = Counter(flows)
        # Several may be called alike.
        for name in each["flows"]:
            known[name] -= 1
            if known[name] < 0:
                flows.append(name)
    return {"dojo": {**told[0], "flows": flows}}


def selection(documents: Iterable[Document], left_out: int) -> dict[str, Any]:
    """What is missing from the union: a check that one run left out may have been run by another."""
    return {
        "complete": not left_out,
        "deselected": left_out,
        "interrupted": any(each["selection"]["interrupted"] for each in documents),
    }


def settings(documents: Sequence[Document]) -> dict[str, Any]:
    """
    The settings; those that differ from run to run as lists of what there was.

    ``merged`` tells that those which are lists anyway differed: what one run claimed another need not have asked for.
    """
    found: dict[str, Any] = {}
    for name in union(each["settings"] for each in documents):
        values = [each["settings"][name] for each in documents if name in each["settings"]]
        if name in _LISTS and all(each == values[0] for each in values):
            found[name] = values[0]
            continue
        # Of runs that were merged before, a list.
        distinct = _distinct(one for each in values for one in (each if isinstance(each, list) else [each]))
        if name in _LISTS:
            found[name], found["merged"] = [each for each in distinct if each is not None], True
        else:
            found[name] = distinct[0] if len(distinct) == 1 else distinct
    return {**found, **addresses(documents)}


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Each of *values* once; in Python true is 1, too."""
    found: list[Any] = []
    for each in values:
        if not any(each == other and isinstance(each, bool) == isinstance(other, bool) for other in found):
            found.append(each)
    return found


def waivers(documents: Iterable[Document], results: Sequence[Result]) -> list[dict[str, Any]]:
    """Each waiver, and what became of it in *results*; one that had ended in some of the runs counted in others."""
    violated = {each.id for each in results if each.outcome is Outcome.VIOLATES}
    examined = violated | {each.id for each in results if each.outcome is Outcome.CONFORMS}
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for document in documents:
        for each in document["waivers"]:
            key = each["rule"], each["reason"], each["until"]
            if key not in found or found[key]["state"] == "ended":
                found[key] = each
    return [
        each
        if each["state"] in ("ended", "unknown")
        else {**each, "state": _state(each["rule"] in violated, each["rule"] in examined)}
        for each in found.values()
    ]


def _state(violated: bool, examined: bool) -> str:
    if violated:
        return "used"
    return "unused" if examined else "not-examined"
