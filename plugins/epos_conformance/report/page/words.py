"""
How outcomes, times and names are put into words, and what a partner sent is made harmless to read.
"""

from __future__ import annotations

import datetime
import re

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from epos_conformance.verdict import Level, Outcome


#: How a check counts on the page, the worse first: kind -> the word in a cell.
KINDS = {
    "violated": "broken",
    "unproven": "not proven",
    "recommended": "recommended",
    "waived": "waived",
    "unexamined": "not examined",
    "noted": "noted",
    "left-out": "not offered",
    "kept": "kept",
}

_TRANSPORTS = {"rest": "REST", "ws": "WebSocket", "dojo": "Dojo"}

#: What the verdict on the whole run makes of the certificate.
SEALS = {
    "conformant": "Granted",
    "conformant-with-recommendations": "Granted with recommendations",
    "not-conformant": "Refused",
    "not-proven": "Not proven",
}

#: The verdict on a capability or a product.
VERDICTS = {
    "conformant": "Conformant",
    "conformant-with-recommendations": "Conformant, with recommendations",
    "not-conformant": "Not conformant",
    "not-proven": "Not proven",
    "not-offered": "Not offered",
}

GRANTED = ("conformant", "conformant-with-recommendations")

#: What has no shape of its own, or turns the direction of what follows: shown by its number instead.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
    "|[\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """*text* with control characters, turns of direction and half surrogates as ``\\x00`` and the like."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def clip(text: str, most: int) -> str:
    """*text*, ended with how much is missing where it is longer than *most* characters."""
    return text if len(text) <= most else f"{text[:most]} … ({count(len(text) - most, 'character')} more)"


def kind(check: Mapping[str, Any]) -> str:
    """How *check*, an element of ``checks``, counts: a key of `KINDS`."""
    outcome, level = check["outcome"], check["level"]
    if outcome == Outcome.CONFORMS:
        return "kept"
    if outcome == Outcome.NOT_OFFERED:
        return "left-out"
    if outcome == Outcome.INCONCLUSIVE:
        return "unproven" if level == Level.MUST else "unexamined"
    if "waiver" in check:
        return "waived"
    return {Level.MUST: "violated", Level.SHOULD: "recommended"}.get(level, "noted")


def key(check: Mapping[str, Any]) -> tuple[str, str | None, str]:
    """What *check* is known by among others."""
    return check["id"], check.get("case"), check["transport"]


def name(check: Mapping[str, Any]) -> str:
    """The rule of *check* with its case."""
    return f"{check['id']} ({clip(check['case'], 120)})" if check.get("case") else check["id"]


def transport(name: str) -> str:
    """``ws`` as people call it."""
    return _TRANSPORTS.get(name, name)


def over(names: Iterable[str]) -> str:
    """Where it was seen: ``over REST and WebSocket``, ``at Dojo``."""
    found = [*dict.fromkeys(names)]
    told = [f"over {listed(transport(each) for each in found if each != 'dojo')}"] if found != ["dojo"] else []
    return listed([*told, *(["at Dojo"] if "dojo" in found else [])])


def listed(names: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *rest, last = [*names] or [""]
    return f"{', '.join(rest)} and {last}" if rest else last


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 check``, ``1,554 checks``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def seconds(value: float) -> str:
    """A time as it is said: ``3.2 ms``, ``1.25 s``."""
    if value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} s" if value < 100 else f"{value:,.0f} s"


def lasted(value: float) -> str:
    """How long a run took: ``38 seconds``, ``2 minutes 5 seconds``."""
    whole = round(value)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = [(hours, "hour"), (minutes, "minute"), (rest, "second")]
    return " ".join(count(number, noun) for number, noun in parts if number) or "less than a second"


def when(text: str) -> str:
    """An instant as it is written: ``22 November 2026, 07:24 UTC``; what is none stays as it is."""
    found = instant(text)
    return f"{found.day} {found:%B %Y, %H:%M} UTC" if found else text


def instant(text: str) -> datetime.datetime | None:
    """The instant *text* tells, in UTC; None where it tells none."""
    try:
        return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def link(url: str) -> str | None:
    """*url* where it may be followed; None for anything but ``http(s)``."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def setting(value: Any) -> str:
    """The value of a setting in force."""
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(setting(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def number(value: Any, otherwise: float) -> float:
    """A setting that is a number of seconds; of several runs' the first; *otherwise* where it is none."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, (int, float)) and not isinstance(each, bool) and 0 < each < 1e9:
            return float(each)
    return otherwise
