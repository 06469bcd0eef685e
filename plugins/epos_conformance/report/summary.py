"""
The outcome of one or several runs on half a page of Markdown, for the page of a CI job.
"""

from __future__ import annotations

import argparse
import os
import re

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from epos_conformance._console import say
from epos_conformance._terminal import CHANGED
from epos_conformance.report import reading
from epos_conformance.report.reading import Commands, Document, title


#: Reasons told of one partner and one kind, and checks of one reason.
_MOST, _NAMED = 15, 3

_KINDS = (
    ("Violated", "violates", "must"),
    ("Not proven", "inconclusive", "must"),
    ("Recommended", "violates", "should"),
)

GRANTED = ("conformant", "conformant-with-recommendations")

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#])")


def declare(commands: Commands) -> None:
    """Declare ``epos-report summary``."""
    parser = commands.add_parser(
        "summary", help="print a summary in Markdown; exit 1 where a certificate is refused or not proven"
    )
    reading.take_folders(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    documents = [reading.read(each) for each in reading.folders(options.folders)]
    text = markdown(documents)
    say(text.removesuffix("\n"))
    to_job(lambda: text, os.environ)
    return 0 if all(map(granted, documents)) else 1


def to_job(text: Callable[[], str], environ: Mapping[str, str]) -> None:
    """
    Show *text* on the page of the job, where *environ* tells of one. Raises OSError where it can't be written.
    """
    if page := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text())


def granted(document: Document) -> bool:
    """Whether the certificate is granted."""
    return document["verdict"] in GRANTED


def markdown(documents: Iterable[Document]) -> str:
    """The summary of *documents*, one of each partner."""
    every = list(documents)
    lines = [
        "# EPOS conformance",
        "",
        "| Partner | Verdict | Kept | Violated | Recommended | Inconclusive |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for each in every:
        counts = each["counts"]
        broken = counts["violates"] - counts["recommendations"] - counts["notes"] - counts["waived"]
        lines.append(
            f"| {_plain(title(each))} | **{each['verdict']}** | {counts['conforms']} | {broken} | "
            f"{counts['recommendations']} | {counts['inconclusive']} |"
        )
    for each in every:
        found = [line for kind in _KINDS for line in _told(each, *kind)]
        found += _changed(each)
        if each["selection"]["interrupted"]:
            found.insert(0, "The run was interrupted.")
        if found:
            lines += ["", f"## {_plain(title(each))}", "", *found]
    return "\n".join(lines) + "\n"


def ended(document: Mapping[str, Any], outcome: str, level: str) -> list[Mapping[str, Any]]:
    """The checks of *document* of that *level* that ended so, but for those that are waived."""
    return [
        each
        for each in document["checks"]
        if (each["outcome"], each["level"]) == (outcome, level) and "waiver" not in each
    ]


def _told(document: Document, heading: str, outcome: str, level: str) -> list[str]:
    checks = ended(document, outcome, level)
    if not checks:
        return []
    # What ended for the same reason is told once: of a partner who is down that is everything.
    groups: dict[str, list[str]] = {}
    for each in checks:
        case = f" ({_plain(each['case'])})" if "case" in each else ""
        first = each["message"].splitlines()[0] if each["message"] else ""
        groups.setdefault(_plain(first)[:300], []).append(f"`{each['id']}`{case} over {each['transport']}")
    lines = [f"### {heading}", ""]
    for message, names in list(groups.items())[:_MOST]:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        lines.append(f"* {', '.join(names[:_NAMED])}{more}: {message}")
    if len(groups) > _MOST:
        lines.append(f"* and {sum(map(len, list(groups.values())[_MOST:]))} more")
    return [*lines, ""]


def _changed(document: Document) -> list[str]:
    """What got worse or better since the partner's certificate before."""
    changes = document.get("changes", {"checks": []})
    lines = []
    for kind, word in CHANGED.items():
        names = list(dict.fromkeys(f"`{each['id']}`" for each in changes["checks"] if each["kind"] == kind))
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        if names:
            lines.append(f"* {word}: {', '.join(names[:_MOST])}{more}")
    return [f"### Since {changes['since']['finishedAt'][:10]}", "", *lines, ""] if lines else []


def _plain(text: str) -> str:
    """*text*, which may be the partner's, without a meaning in Markdown or HTML."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
