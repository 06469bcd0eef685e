"""
What a run tells the CI server that it runs on: annotations, and half a page for the job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from epos_conformance.report import summary


#: GitHub shows no more than this of one kind for each step.
_MOST = 10
#: Characters of a message.
_LONG = 1000


def tell(document: Mapping[str, Any], environ: Mapping[str, str], write: Callable[[str], None]) -> None:
    """
    Tell GitHub Actions what *document*, a certificate, says; nothing anywhere else. *write* takes lines of the log.
    """
    try:
        summary.to_job(lambda: summary.markdown([dict(document)]), environ)
    except OSError as error:
        write(f"the summary of the job could not be written: {error.strerror}")
    if environ.get("GITHUB_ACTIONS") == "true":
        for line in commands(document):
            write(line)


def commands(document: Mapping[str, Any]) -> Iterable[str]:
    """
    GitHub's workflow commands for *document*: an error for each violated must, a warning for each recommendation and
    for each must that is not proven; what has one message is told once, whatever the transports and cases.
    """
    for kind, outcome, level in _KINDS:
        found: dict[str, dict[str, list[str]]] = {}
        for each in summary.ended(document, outcome, level):
            found.setdefault(each["message"], {}).setdefault(each["id"], []).append(each["transport"])
        for message, rules in list(found.items())[:_MOST]:
            id, transports = next(iter(rules.items()))
            title = f"{id} over {' and '.join(dict.fromkeys(transports))}"
            if len(rules) > 1:
                title += f" and {len(rules) - 1} more rule{'s' if len(rules) > 2 else ''}"
            yield f"::{kind} title={_escaped(title, ':,')}::{_escaped(message[:_LONG])}"


_KINDS = (("error", "violates", "must"), ("warning", "inconclusive", "must"), ("warning", "violates", "should"))


def _escaped(text: str, more: str = "") -> str:
    """*text* as workflow commands have it: in one line, without a meaning of its own."""
    for each in "%\r\n" + more:
        text = text.replace(each, f"%{ord(each):02X}")
    return text
