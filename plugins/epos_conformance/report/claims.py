"""
What a certificate says of its run, held to what the run was asked for: settings, transports, Dojo's side, the offer,
waivers, times, and what changed since the last one.
"""

from __future__ import annotations

import datetime

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from epos_conformance import _contracts, _rules
from epos_conformance._settings import DOJO_API, REFERENCE, SANDBOX, DojoSettings, Settings
from epos_conformance.report.reading import Document
from epos_conformance.sandbox import catalogue
from epos_conformance.verdict import Outcome, Result


#: Settings that are lists in a single run, too; any other list holds what each of several runs had.
_LISTS = ("capabilities", "product")

#: How far a clock may be set back in a run.
_SET_BACK = datetime.timedelta(hours=1)
_DAY = datetime.timedelta(days=1)


def contradictions(
    document: Document, results: Sequence[Result], offers: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """What *document*, whose checks are *results*, says of its run that can't be; *offers* are by transport."""
    # Interrupted before anybody knew which checks there are: nothing is known of the partner or of Dojo.
    reached = bool(results) or not document["selection"]["interrupted"]
    yield from _of_settings(document["settings"])
    yield from _of_transports(document)
    yield from _of_times(document)
    if reached:
        yield from _of_dojo(document, results, offers)
        yield from _of_offer(document, offers)
    yield from _of_waivers(document, results)
    yield from _of_changes(document, results)


def _of_settings(settings: Mapping[str, Any]) -> Iterator[str]:
    """Each that a run tells of is there."""
    ours = {*Settings().shown()}
    if _has(settings, "dojo-api"):
        ours |= {*Settings(dojo=DojoSettings()).shown()}
    if missing := sorted(ours - settings.keys()):
        yield f"the settings leave out {', '.join(missing)}"
    for name in _LISTS:
        if not isinstance(settings.get(name), (list, type(None))):
            yield f"the settings: {name} is no list"


def _values(settings: Mapping[str, Any], name: str) -> list[Any]:
    """What the setting *name* was, in each of the runs that were merged."""
    value = settings.get(name)
    return value if isinstance(value, list) else [value]


def _has(settings: Mapping[str, Any], name: str) -> bool:
    return any(each is not None for each in _values(settings, name))


def _merged(document: Document) -> bool:
    """Whether it is of several runs that differ in what they were asked for."""
    settings = document["settings"]
    lists = any(isinstance(each, list) for name, each in settings.items() if name not in _LISTS)
    return lists or settings.get("merged") is True


def _of_transports(document: Document) -> Iterator[str]:
    """Each address that was named is examined, and no other one."""
    settings, partner = document["settings"], document["partner"]
    named = {"rest": settings.get("partner-url"), "ws": settings.get("partner-ws")}
    ours = [name for name, where in named.items() if where is not None]
    if named["rest"] == REFERENCE:
        ours = [*named]
    told = partner["transports"]
    if not told:
        yield f"the transports are none, and the settings name {' and '.join(ours) or 'none'}"
    elif told != ours:
        yield f"the transports are {' and '.join(told)}, and the settings name {' and '.join(ours) or 'none'}"
    elif told[0] == "rest" and named["rest"] != REFERENCE and partner["url"] != named["rest"]:
        yield f"the partner is at {partner['url']}, and the settings name {named['rest']}"


def _of_times(document: Document) -> Iterator[str]:
    started, finished = _instant(document["startedAt"]), _instant(document["finishedAt"])
    if started is None or finished is None:
        yield "the run started or finished at no time"
    elif started - finished > _SET_BACK:
        yield "the run finished before it started"


def _of_dojo(document: Document, results: Sequence[Result], offers: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Dojo, or the sandbox in its place, is the one that was asked for, and lists what it has to list."""
    settings, dojo = document["settings"], document.get("dojo")
    asked = [each for each in _values(settings, "dojo-api") if each is not None]
    ours = [each for each in asked if _is_sandbox(each)]
    if dojo is None:
        # A key alone has Dojo asked, and where it doesn't answer goes without.
        if any(each != DOJO_API for each in asked):
            yield f"the settings name Dojo's API at {asked[0]}, and there is none"
        if document["partner"]["offer"] == "registered":
            yield "the offer is what was registered, and there is no Dojo"
        return
    if not asked:
        yield "there is a Dojo, and the settings name none"
    elif not ours and dojo["url"] not in asked:
        yield f"Dojo's API is at {dojo['url']}, and the settings name {asked[0]}"
    elif dojo["sandbox"] and dojo["url"] == DOJO_API:
        yield "Dojo's own API is no sandbox"
    elif len(ours) == len(asked):
        if not dojo["sandbox"]:
            yield "the settings name a sandbox, and the certificate Dojo itself"
        else:
            yield from _of_flows(document, results, offers)


def _is_sandbox(value: object) -> bool:
    """Whether the setting is a sandbox of the run's own."""
    return str(value).partition(":")[0] == SANDBOX


def _of_flows(document: Document, results: Sequence[Result], offers: Mapping[str, Collection[str]]) -> Iterator[str]:
    """The sandbox of a run lists what the registration is good for, as far as that is known."""
    settings, told = document["settings"], document["dojo"]["flows"]
    known = catalogue.flows()
    if unknown := [each for each in told if each not in known]:
        yield f"the sandbox has no flow {unknown[0]!r}"
    off = "blocked" in document["dojo"] or _all(settings, "flows", False) or _all(settings, "read-only", True)
    if off and told:
        yield "the flows are listed, and none were asked for"
    if off or _merged(document):
        return
    examined = [each for each in results if each.outcome in (Outcome.CONFORMS, Outcome.VIOLATES)]
    if not told:
        # Where the list can't be had, nobody can say how flows end.
        if any(each.id == "flows.ends-in-success" for each in examined):
            yield "flows are judged, and none is listed"
        return
    registered: set[str] = set()
    first = next(iter(offers), None)
    if document["partner"]["offer"] == "registered" and first is not None:
        registered = {*offers[first]}
    elif settings.get("register") is True:
        # Nothing is, where the partner could not be reached.
        there = settings.get("partner-url") == REFERENCE or first in {each.transport for each in examined}
        registered = {*(settings.get("capabilities") or ())} if there else set()
    elif settings.get("partner-url") == REFERENCE:
        registered = {*_contracts.capabilities()}
    able = [name for name, each in known.items() if name == "Get Order" or {*each.needs} <= registered]
    if missing := [each for each in able if each not in told]:
        yield f"the sandbox lists {missing[0]!r}, too"


def _all(settings: Mapping[str, Any], name: str, value: bool) -> bool:
    """Whether *name* was *value* in each of the runs that were merged."""
    return all(each is value for each in _values(settings, name))


def _of_offer(document: Document, offers: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What was claimed is what is offered, over each transport, and has all that a product needs."""
    settings, partner = document["settings"], document["partner"]
    offered = {name for each in offers.values() for name in each}
    if {*partner["capabilities"]} != offered:
        yield "the capabilities offered are not those that are offered over the transports"
    products = settings.get("product") or []
    if partner["products"] != products:
        yield "the partner's products are not those of the settings"
    claimed = settings.get("capabilities")
    if not isinstance(claimed, list) or not isinstance(products, list):
        if products:
            yield "products are claimed, and no capabilities"
        return
    for product in products:
        needed = [each.name for each, need in _members(product) if need == "required"]
        if lacking := [each for each in needed if each not in claimed]:
            yield f"{product} is claimed, and without {', '.join(lacking)}"
    if unoffered := [str(each) for each in claimed if each not in offered]:
        yield f"claimed and not offered: {', '.join(sorted(unoffered))}"
    if _merged(document):
        return
    for transport, names in offers.items():
        if lacking := [str(each) for each in claimed if each in offered and each not in names]:
            yield f"claimed and not offered over {transport}: {', '.join(sorted(lacking))}"
        if more := [each for each in names if each not in claimed]:
            yield f"offered over {transport} and not claimed: {', '.join(sorted(more))}"


def _members(product: object) -> Sequence[tuple[_contracts.Capability, str]]:
    return [*_contracts.members_of(product)] if isinstance(product, str) and product in _contracts.products() else []


def _of_waivers(document: Document, results: Sequence[Result]) -> Iterator[str]:
    """Each waived violation has a waiver that counts, and of each waiver is told what became of it."""
    # Days are those of where the run was, and times are UTC: a day more or less is nobody's fault.
    first, last = _day(document["startedAt"], -_DAY), _day(document["finishedAt"], _DAY)
    violated = {each.id for each in results if each.outcome is Outcome.VIOLATES}
    examined = violated | {each.id for each in results if each.outcome is Outcome.CONFORMS}
    known = {(each["rule"], each["reason"], each["until"]) for each in document["waivers"]}
    for each in results:
        if each.waiver is None:
            continue
        if (each.id, each.waiver["reason"], each.waiver["until"]) not in known:
            yield f"{each.name}: waived by nothing that is among the waivers"
        elif _day(each.waiver["until"]) < first:
            yield f"{each.name}: its waiver had ended on {each.waiver['until']}, before the run"
    for waiver in document["waivers"]:
        rule, told = waiver["rule"], waiver["state"]
        if rule not in _rules.rules():
            ours = {"unknown"}
        else:
            ours = {"used" if rule in violated else "unused" if rule in examined else "not-examined"}
            # It may have ended in the run itself, at midnight.
            if _day(waiver["until"]) <= last:
                ours.add("ended")
        if told not in ours:
            yield f"the waiver of {rule}: {told}, which is wrong"


def _of_changes(document: Document, results: Sequence[Result]) -> Iterator[str]:
    """What is said to have changed since the last certificate is as the checks have it now."""
    if (changes := document.get("changes")) is None:
        return
    now = {(each.id, each.case, each.transport): each for each in results}
    worse = False
    for each in changes["checks"]:
        place = f"{each['transport']}-{each['id']}" + (f"@{each['case']}" if "case" in each else "")
        found = now.get((each["id"], each.get("case"), each["transport"]))
        after = None if found is None else "waived" if found.waived else str(found.outcome)
        if each["after"] != after:
            yield f"the changes: {place} is said to be {each['after'] or 'left out'}, and it is {after or 'left out'}"
        elif after not in _AFTER[each["kind"]]:
            yield f"the changes: {place} is said to be {each['kind']}, and it is {after or 'left out'}"
        elif found is not None and each["kind"] != "gone" and each["level"] != found.level:
            yield f"the changes: the level of {place} is not that of the rule"
        worse = worse or (each["kind"] == "violated" and after == "violates" and each["level"] != "info")
    if worse and not changes["worse"]:
        yield "the changes: something is newly violated, and nothing is said to be worse"


#: How a check may end that changed so.
_AFTER: Mapping[str, tuple[str | None, ...]] = {
    "violated": ("violates", "waived"),
    "fixed": ("conforms",),
    "examined": ("conforms",),
    "inconclusive": ("inconclusive",),
    "gone": (None, "not-offered"),
}


def _instant(text: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _day(text: str, more: datetime.timedelta = datetime.timedelta()) -> datetime.date:
    """The day of *text* and some *more*; where that is none, one that is long past."""
    try:
        return datetime.date.fromisoformat(text[:10]) + more
    except (ValueError, OverflowError):
        return datetime.date.min
