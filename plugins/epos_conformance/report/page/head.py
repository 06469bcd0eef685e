"""
What a reader sees first: the verdict in words, who was examined, and where everything else is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance.report import reading
from epos_conformance.report.page import words
from epos_conformance.report.page.findings import Findings, Group


Document = Mapping[str, Any]

#: Tones of the page by verdict.
TONES = {
    "conformant": "good",
    "conformant-with-recommendations": "advice",
    "not-conformant": "bad",
    "not-proven": "open",
    "not-offered": "off",
}

#: Sections of findings, in the order of the page: kind -> its heading, and what it is counted in.
SECTIONS = {
    "violated": ("Violated", "rule"),
    "recommended": ("Recommended", "rule"),
    "waived": ("Waived", "rule"),
    "noted": ("Worth knowing", "rule"),
    "unproven": ("Not proven", "check"),
    "unexamined": ("Could not be examined", "check"),
    "left-out": ("Not offered, left out", "check"),
}


#: Reasons that fit into one sentence: one for each transport, and one for Dojo.
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """
    The verdict, as it is printed.
    """

    title: str
    #: Whether it is a certificate: of a whole run, and good.
    granted: bool
    #: ``granted``, ``refused``…, as the seal says it.
    word: str
    tone: str
    sentence: str
    #: What limits it: a run in parts, an interruption.
    limits: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """
    One of Dojo's products.
    """

    title: str
    word: str
    tone: str
    missing: Sequence[str]
    capabilities: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    A line of the contents.
    """

    title: str
    #: ``6 rules``, ``none``.
    number: str
    #: None where there is nothing to go to.
    anchor: str | None
    tone: str = "off"


def conclusion(document: Document, findings: Findings) -> Conclusion:
    """What *document* amounts to."""
    verdict, selection = document["verdict"], document["selection"]
    ran, partial = len(document["checks"]), _partial(document)
    granted = verdict in words.GRANTED and not partial and not selection["interrupted"]
    word, tone = seal(document)
    return Conclusion(
        title="Certificate of conformance" if granted else "Certification report",
        granted=granted,
        word=word,
        tone=tone,
        sentence=_nothing(document) or _sentence(verdict, findings, partial=partial, ran=ran),
        limits=[*_limits(document, ran, partial=partial)],
    )


def seal(document: Document) -> tuple[str, str]:
    """The word for *document*, and its tone; its checks need not be there."""
    verdict = document["verdict"]
    if document["selection"]["interrupted"]:
        return "Interrupted", "bad" if verdict == "not-conformant" else "open"
    if _partial(document) and verdict in words.GRANTED:
        return "Partial run", "open"
    return words.SEALS[verdict], TONES[verdict]


def _partial(document: Document) -> bool:
    return document["selection"]["deselected"] > 0 or not document["selection"]["complete"]


def _nothing(document: Document) -> str | None:
    """Why nothing at all could be examined, where a few words tell."""
    asked = [each for each in document["checks"] if each["outcome"] != "not-offered"]
    reasons = dict.fromkeys(each["message"].removeprefix("the partner can't be examined: ") for each in asked)
    if document["selection"]["interrupted"] or any(each["outcome"] != "inconclusive" for each in asked):
        return None
    if not 1 <= len(reasons) <= _FEW:
        return None
    told = "; ".join(reasons)
    return f"Nothing could be examined: {told}{'' if told.endswith(('.', '?')) else '.'}"


def _sentence(verdict: str, findings: Findings, *, partial: bool, ran: int) -> str:
    groups = findings.groups
    scope = f"of the {words.count(ran, 'check')} that were asked for" if partial else "for what is offered"
    kept = f"Every rule that the contract insists on, {scope}, was examined and is kept"
    if verdict == "conformant":
        return f"{kept}."
    if verdict == "conformant-with-recommendations":
        advised, waived = rules(groups["recommended"]), rules(groups["waived"])
        pairs = ((advised, "recommendation"), (waived, "waiver"))
        told = words.listed(words.count(number, noun) for number, noun in pairs if number)
        stand = "stands" if advised + waived == 1 else "stand"
        return f"{kept}{' or waived' if waived else ''}; {told} {stand} open."
    if verdict == "not-conformant":
        number = rules(groups["violated"])
        are = "is" if number == 1 else "are"
        return f"{words.count(number, 'rule').capitalize()} that the contract insists on {are} broken."
    number = groups["unproven"].number
    if not number:
        return "Nothing was examined, so nothing is proven."
    return (
        f"Nothing that the contract insists on was seen to be broken, but {words.count(number, 'check')} that the "
        "certificate needs could not be made."
    )


def rules(group: Group) -> int:
    """How many rules (and cases of rules) *group* tells of."""
    return len(group.told) + len(group.names) + group.more


def _limits(document: Document, ran: int, *, partial: bool) -> Iterator[str]:
    selection, settings = document["selection"], document["settings"]
    if selection["interrupted"]:
        yield "The run was interrupted: what was not reached any more counts as not proven."
    if partial:
        total = ran + selection["deselected"]
        yield f"A verdict on {ran:,} of {total:,} checks only: it says nothing about the others."
    if document["verdict"] == "conformant-with-recommendations" and settings.get("strict") is True:
        yield "The run was strict: recommendations fail it."
    if settings.get("read-only") is True:
        yield "The run was read-only: nothing that changes something at the partner was examined."
    if settings.get("partner-url") == "reference":
        yield "What was examined is the reference EPOS of the suite, not a partner's."


def products(document: Document) -> Iterator[Product]:
    """The products and what they amount to."""
    partial = not document["selection"]["complete"]
    for each in document["products"]:
        told = not partial or each["verdict"] == "not-offered"
        yield Product(
            title=each["title"],
            word=words.VERDICTS[each["verdict"]] if told else "Not concluded: partial run",
            tone=TONES[each["verdict"]] if told else "open",
            missing=each["missing"],
            capabilities=each["capabilities"],
        )


def contents(document: Document, findings: Findings) -> Iterator[Entry]:
    """Where each kind of finding is told, with how many there are."""
    for kind, (title, noun) in SECTIONS.items():
        group = findings.groups[kind]
        number = rules(group) if noun == "rule" else group.number
        yield _entry(title, number, noun, kind)
    changes = document.get("changes")
    yield _entry("Differences between transports", len(document.get("differences", ())), "check", "differences")
    if changes is None:
        yield Entry(title="Changes since the previous run", number="no previous run", anchor=None)
    else:
        yield _entry("Changes since the previous run", len(changes["checks"]), "check", "changes")
    waivers = document["waivers"]
    idle = sum(each["state"] != "used" for each in waivers)
    yield _entry("Waivers", len(waivers), "waiver", "waivers", f", {idle} without effect" if idle else "")
    yield _entry("Left behind at the partner", len(document["leftovers"]), "thing", "leftovers")
    yield _entry("Notes on the run", len(document["notes"]), "note", "notes")


def _entry(title: str, number: int, noun: str, anchor: str, more: str = "") -> Entry:
    tones = {"violated": "bad", "recommended": "advice", "waived": "advice", "unproven": "open"}
    return Entry(
        title=title,
        number=words.count(number, noun) + more if number else "none",
        anchor=anchor if number else None,
        tone=tones.get(anchor, "plain") if number else "off",
    )


def called(document: Document) -> str:
    """The partner, as people call it."""
    partner = document["partner"]
    return words.clip(partner["pos"].get("name") or reading.title(dict(document)) or partner["url"], 200)


def addresses(document: Document) -> Iterator[tuple[str, str]]:
    """Transport -> where the EPOS is called over it, or dials in."""
    partner = document["partner"]
    place = document["settings"].get("partner-ws")
    for number, transport in enumerate(partner["transports"]):
        # The url is that of the first; over WebSocket the EPOS dials in at a place of the suite.
        if transport == "ws" and place:
            yield words.transport(transport), f"the EPOS dials in at {words.setting(place)}"
        elif number == 0:
            yield words.transport(transport), partner["url"]
        else:
            yield words.transport(transport), "the EPOS dials in at an address that the run chose"


def lasted(document: Document) -> str | None:
    """How long the run took; None where that can't be told."""
    began, ended = words.instant(document["startedAt"]), words.instant(document["finishedAt"])
    if began is None or ended is None or ended < began:
        return None
    return words.lasted((ended - began).total_seconds())
