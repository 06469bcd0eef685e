"""
The evidence of a run in sentences: what happened on the session that is no check's business, and may explain some.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from epos_conformance.exchange import preview
from epos_conformance.websocket.evidence import DOUBLE, LATE, UNASKED, UNMATCHED, UNREADABLE


_WORDS = {
    LATE: "came after their time was up",
    DOUBLE: "answered a request for the second time",
    UNMATCHED: "carried no id of ours",
    UNREADABLE: "were no JSON objects",
    UNASKED: "were requests or notifications of the EPOS",
}


def remarks(told: Mapping[str, Any]) -> Iterator[str]:
    """
    A sentence for each thing worth knowing; *told* is what `Evidence.told` tells.
    """
    lost = Counter(each["code"] for each in told["sessions"] if each["closed"] is not None and not each["ours"])
    if lost:
        codes = ", ".join(f"code {code}{f' {count} times' if count > 1 else ''}" for code, count in lost.items())
        yield f"{lost.total()} of {told['counts']['sessions']} sessions ended without the suite's doing ({codes})"
    refused = [each["refused"] for each in told["handshakes"] if each["refused"]]
    if refused:
        yield f"{len(refused)} handshakes were refused, the last one with status {refused[-1][0]}: {refused[-1][1]}"
    for kind, words in _WORDS.items():
        if count := told["counts"].get(kind):
            latest = next((each["frame"] for each in reversed(told["strays"]) if each["kind"] == kind), None)
            example = f", such as {preview(latest)}" if latest is not None else ""
            yield f"frames that {words}: {count}{example}"
