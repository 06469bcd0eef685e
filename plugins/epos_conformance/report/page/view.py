"""
What the templates are given, made of one certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epos_conformance._terminal import answered
from epos_conformance.report import reading
from epos_conformance.report.page import checklist, findings, head, matrix, order, reasons, timing, words


#: Of a list that a partner or a run can make as long as it likes, this much is shown.
MOST_LISTED = 300

#: How a check changed, in words.
CHANGES = {
    "violated": "newly violated",
    "inconclusive": "newly inconclusive",
    "gone": "no longer examined",
    "examined": "newly examined",
    "fixed": "fixed",
}

WAIVERS = {
    "used": "in force: the rule is broken, and waived",
    "unused": "no longer needed: the rule is kept; remove it",
    "ended": "over: its date has passed",
    "unknown": "for nothing: there is no such rule",
    "not-examined": "without effect: the rule was not examined",
}

OUTCOMES = {
    "conforms": "kept",
    "violates": "broken",
    "inconclusive": "inconclusive",
    "not-offered": "not offered",
    None: "not there",
}

OFFERS = {
    "claimed": "claimed for this run",
    "registered": "registered at Dojo",
    "probed": "found by asking: nothing was claimed",
}


def of(document: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
    """Everything that the page of *document* shows; *digest* is that of the file it is from."""
    found = findings.collect(document)
    parts = checklist.parts(document, found.anchors)
    return {
        "document": document,
        "digest": digest,
        "called": head.called(document),
        "conclusion": head.conclusion(document, found),
        "products": [*head.products(document)],
        "contents": [*head.contents(document, found)],
        "sections": head.SECTIONS,
        "groups": found.groups,
        "absent": reasons.ABSENT,
        "ordered": order.TOLD,
        "rules": head.rules,
        "lasted": head.lasted(document),
        "signature": document.get("signature") or {"state": "unsigned"},
        "addresses": [*head.addresses(document)],
        "answered": answered(document),
        "offer": OFFERS[document["partner"]["offer"]],
        "dojo": document.get("dojo"),
        "differences": document.get("differences", []),
        "changes": document.get("changes"),
        "change_words": CHANGES,
        "waiver_words": WAIVERS,
        "outcomes": OUTCOMES,
        "kinds": words.KINDS,
        "verdicts": words.VERDICTS,
        "seals": words.SEALS,
        "tones": head.TONES,
        "broken": broken,
        "parts": parts,
        "checklist": checklist.told(parts),
        # A table at a time, as it is written.
        "tables": matrix.tables(document, found.anchors),
        "chart": timing.chart(document),
        "most": MOST_LISTED,
        "new": sorted({each["id"] for each in document["checks"] if "new" in each}),
    }


def broken(counts: Mapping[str, int]) -> int:
    """Of the violations in *counts* those of a must that nobody waived."""
    return counts["violates"] - counts["recommendations"] - counts["notes"] - counts["waived"]


def summary(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    """
    What a list of certificates says of *document*, whose page is at *where*; its checks need not be there.
    """
    word, tone = head.seal(document)
    counts = document["counts"]
    numbers = (
        (counts["conforms"], "kept"),
        (broken(counts), "broken"),
        (counts["recommendations"], "recommended"),
        (counts["waived"], "waived"),
        (counts["inconclusive"], "inconclusive"),
    )
    return {
        "called": words.clip(reading.title(dict(document)) or document["partner"]["url"], 200),
        "where": where,
        "word": word,
        "tone": tone,
        "counted": ", ".join(f"{number:,} {text}" for number, text in numbers if number) or "nothing examined",
        "products": [*head.products(document)],
        "finished": document["finishedAt"],
        "suite": document["suite"]["version"],
        "signed": document.get("signature", {}).get("state") == "signed",
    }
