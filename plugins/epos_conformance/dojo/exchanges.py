"""
One call to Dojo's API as an `Exchange`, and what Dojo says of it when it refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from epos_conformance.exchange import EposError, Exchange, preview


@dataclass(kw_only=True)
class DojoExchange(Exchange):
    """
    A request to Dojo's API and its answer.
    """

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    @property
    def error(self) -> EposError | None:
        """Dojo's own errors are no EPOSErrors: see `problem`."""
        return None

    @property
    def seen(self) -> str:
        if self.answer is None or self.succeeded:
            return self.mask(super().seen)
        return self.mask(f"status {self.status}, {problem(self.json) or preview(' '.join(self._text().split()), 120)}")

    def _text(self) -> str:
        return (self.answer.body if self.answer else b"")[:400].decode("utf-8", "replace") or "an empty body"

    def _credentials(self) -> str:
        return ' -H "Authorization: Basic $DOJO_API_KEY"'


def problem(document: Any) -> str | None:
    """
    Problem details (RFC 7807, as Dojo words them) in one line: ``Unauthorized: the key is unknown; traceId 00-4b…``.

    None for anything else.
    """
    if not isinstance(document, dict):
        return None
    # Published is a member of that name; the usual libraries write what it has beside the others.
    extensions = document.get("extensions")
    found = {**(extensions if isinstance(extensions, dict) else {}), **document}
    said = [text for name in ("title", "errors", "detail") for text in _said(found.get(name))]
    if not said:
        return None
    line = preview(": ".join(dict.fromkeys(" ".join(each.split()) for each in said)), 300)
    trace = found.get("traceId")
    return f"{line}; traceId {preview(' '.join(str(trace).split()), 80)}" if trace else line


def _said(value: Any) -> list[str]:
    """What ``errors`` or ``detail`` say: a text, texts, or texts by the name of a field."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for each in value for text in _said(each)]
    if isinstance(value, dict):
        return [f"{name}: {text}" for name, each in value.items() for text in _said(each)]
    return []
