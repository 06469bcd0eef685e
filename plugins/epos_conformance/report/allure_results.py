"""
How Allure is told of a result: its identity, its place in each tree, its category and what it says. Plain values.

Allure 2 sorts results into categories by their status and by expressions over their texts, Allure 3 by labels: so that
both can, the text begins with the category, and a label repeats it.
"""

from __future__ import annotations

import hashlib

from typing import Any

from epos_conformance import _rules, _terminal
from epos_conformance.exchange import cut
from epos_conformance.verdict import Level, Outcome, Result


SEVERITIES = {Level.MUST: "critical", Level.SHOULD: "minor", Level.INFO: "trivial"}

STATUSES = {
    Outcome.CONFORMS: "passed",
    Outcome.VIOLATES: "failed",
    Outcome.INCONCLUSIVE: "broken",
    Outcome.NOT_OFFERED: "skipped",
}

VIOLATED, RECOMMENDED, WAIVED = "Contract violated", "Recommendation", "Waived"
UNREACHABLE, INCONCLUSIVE, FAULT = "Partner unreachable", "Inconclusive", "Fault of the suite"

#: Category -> the status of its results, the most pressing first.
CATEGORIES = {
    VIOLATED: "failed",
    UNREACHABLE: "broken",
    INCONCLUSIVE: "broken",
    RECOMMENDED: "failed",
    WAIVED: "failed",
    FAULT: "broken",
}

_CAUSES = {"unreachable": UNREACHABLE, "suite": FAULT}


def category(result: Result) -> str | None:
    """Which of `CATEGORIES` *result* belongs to; None for what nobody has to look at."""
    if result.outcome is Outcome.INCONCLUSIVE:
        return _CAUSES.get(result.cause or "", INCONCLUSIVE)
    if result.outcome is not Outcome.VIOLATES:
        return None
    if result.waived:
        return WAIVED
    return VIOLATED if result.level is Level.MUST else RECOMMENDED


def described(result: Result) -> dict[str, Any]:
    """
    *result* as members of Allure's result: all but its uuid, its times and its steps.
    """
    identity = result.id + (f"@{result.case}" if result.case else "")
    whole = f"{result.transport}: {identity}"
    feature = result.capability or result.transport
    sorted_into = category(result)
    labels = [
        ("epic", result.page),
        ("feature", feature),
        ("story", result.id),
        ("severity", SEVERITIES[result.level]),
        ("parentSuite", result.page),
        ("suite", feature),
        ("subSuite", result.id),
        ("outcome", str(result.outcome)),
        *([("category", sorted_into)] if sorted_into else []),
        ("tag", str(result.level)),
        ("tag", str(result.basis)),
        ("tag", result.transport),
    ]
    parameters = [("transport", result.transport), *([("case", result.case)] if result.case else [])]
    return {
        # Of one rule there are several: the tree shows them side by side.
        "name": f"{identity} over {result.transport}",
        "fullName": whole,
        "testCaseId": _md5(identity),
        "historyId": _md5(whole),
        "description": result.sentence,
        "titlePath": [result.page, feature],
        "parameters": [{"name": name, "value": value} for name, value in parameters],
        "labels": [{"name": name, "value": value} for name, value in labels],
        "links": [
            {"type": "link", "url": _rules.sources()[each.partition(": ")[0]]["url"], "name": _rules.cite(each)}
            for each in result.source
        ],
        "status": STATUSES[result.outcome],
        "statusDetails": _details(result, sorted_into),
    }


def _details(result: Result, sorted_into: str | None) -> dict[str, Any] | None:
    said = cut(result.message)
    if result.outcome is Outcome.CONFORMS:
        return {"message": said} if said else None
    trace = cut(_terminal.explain(result))
    return {"message": said, "trace": f"{sorted_into}: {trace}" if sorted_into else trace}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "backslashreplace"), usedforsecurity=False).hexdigest()
