"""
Whether what was sent of a party or a reservation is kept: members compared as the contract means them.

Times are instants to the millisecond, whatever their offset; tables are sets; what guests wrote is word for word.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from epos_conformance import money
from epos_conformance.verdict import Finding


TIMES = frozenset({"startTime", "expectedEndTime", "endTime"})

#: What the EPOS may not edit. Elsewhere blanks at the ends may go, and line ends may be written another way.
VERBATIM = frozenset({"guestRequests"})

_MILLISECOND = timedelta(milliseconds=1)
_MOST_SHOWN = 140


def instant(text: Any) -> datetime | None:
    """The instant that *text* names; None where it is no RFC 3339 date-time with an offset."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def texts(value: Any) -> list[str]:
    """The texts in *value* that is a list."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def at(found: Any, path: str) -> Any:
    """The member of *found* at the dotted *path*; None where there is none, or nothing is in it."""
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return None if found in ("", [], {}) else found


def same(name: str, sent: Any, found: Any) -> bool:
    """Whether the member *name* was *sent* and *found* with the same meaning."""
    return _COMPARED.get(name, _same_value)(sent, found)


def _same_time(sent: Any, found: Any) -> bool:
    one, other = instant(sent), instant(found)
    return one is not None and other is not None and abs(one - other) < _MILLISECOND


def _same_tables(sent: Any, found: Any) -> bool:
    return isinstance(found, list) and len(texts(found)) == len(found) and set(texts(sent)) == set(texts(found))


def _same_intents(sent: Any, found: Any) -> bool:
    return isinstance(found, list) and len(texts(found)) == len(found) and sorted(texts(sent)) == sorted(texts(found))


def _same_value(sent: Any, found: Any) -> bool:
    # True is an int in Python, and 2.0 is an integer in JSON.
    return isinstance(sent, bool) == isinstance(found, bool) and bool(sent == found)


def _same_text(sent: Any, found: Any) -> bool:
    return isinstance(found, str) and _plain(sent) == _plain(found)


def _plain(text: Any) -> str:
    return unicodedata.normalize("NFC", str(text).replace("\r\n", "\n").strip())


def _same_amount(sent: Any, found: Any) -> bool:
    return money.value(sent) == money.value(found) and money.currency(sent) == money.currency(found)


def _same_deposit(sent: Any, found: Any) -> bool:
    return isinstance(found, Mapping) and all(
        name not in sent or same(f"deposit.{name}", sent[name], found.get(name))
        for name in ("totalAmount", "paymentIntentIds", "description")
    )


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(TIMES, _same_time),
    "tableIds": _same_tables,
    "name": _same_text,
    "status": _same_text,
    "hostNotes": _same_text,
    "deposit": _same_deposit,
    "deposit.totalAmount": _same_amount,
    "deposit.description": _same_text,
    "deposit.paymentIntentIds": _same_intents,
}


def differences(
    sent: Any, found: Any, members: Iterable[str], step: str, *, absent_is_fine: bool = False
) -> list[Finding]:
    """
    Where *found* (*step* says of what answer) says other than was *sent*, of these *members*.

    With *absent_is_fine* a member that *found* leaves out is passed over: an answer need not say everything.
    """
    findings = []
    for path in members:
        wanted, seen = at(sent, path), at(found, path)
        if wanted is None or (seen is None and absent_is_fine):
            continue
        if not same(path, wanted, seen):
            findings.append(Finding(f"{step}, $.{path}", shown(path, wanted), shown(path, seen), hint(wanted, seen)))
    return findings


def shown(path: str, value: Any) -> str:
    """*value* of the member *path*, for findings."""
    if value is None:
        return "nothing there"
    if path == "deposit.totalAmount":
        return money.shown(value)
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _MOST_SHOWN:
        return text
    return f"{text[: _MOST_SHOWN - 40]} … {text[-30:]} ({len(value)} characters)" if isinstance(value, str) else text


def hint(sent: Any, found: Any) -> str | None:
    """What probably became of what was *sent*, where that can be guessed."""
    if isinstance(sent, list) and isinstance(found, list):
        lost = [each for each in sent if each not in found]
        return f"only {len(sent) - len(lost)} of {len(sent)} are kept" if lost else None
    if not isinstance(sent, str) or not isinstance(found, str):
        return None
    if instant(sent) is not None:
        return _hint_of_time(sent, found)
    return next((said for said, is_it in _MANGLED if is_it(sent, found)), None)


def _hint_of_time(sent: str, found: str) -> str | None:
    one, other = instant(sent), instant(found)
    if one is None or other is None:
        return None
    off = other - one
    digits = one.replace(tzinfo=None) - other.replace(tzinfo=None)
    if one.utcoffset() and (not digits or off == one.utcoffset()):
        return "the offset of the time seems to be dropped"
    if abs(off) < timedelta(seconds=1):
        # .041 written without its leading zero is .41
        return "the milliseconds seem to be " + ("dropped" if not other.microsecond else "rounded, or written unpadded")
    if abs(off) < timedelta(minutes=1) and not other.second:
        return "the time seems to be cut to the minute"
    if not off % timedelta(minutes=15) and abs(off) <= timedelta(hours=14):
        return f"the time is off by {off / timedelta(hours=1):+g} h: a local time seems to be taken for UTC"
    return None


_MANGLED: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("blanks at the ends seem to be trimmed", lambda sent, found: found == sent.strip()),
    ("the text seems to be cut", lambda sent, found: bool(found) and sent.startswith(found.removesuffix("..."))),
    ("upper and lower case seem to be changed", lambda sent, found: sent.lower() == found.lower()),
    ("the text seems to be escaped for HTML", lambda sent, found: html.unescape(found) == sent or "&amp;" in found),
    ("line ends seem to be rewritten", lambda sent, found: sent.split() == found.split()),
    ("what looks like HTML seems to be removed", lambda sent, found: re.sub(r"<[^>]*>", "", sent) == found),
    ("UTF-8 seems to be taken for another encoding", lambda sent, found: "Ã" in found and "Ã" not in sent),
    ("characters outside ASCII seem to be lost", lambda sent, found: _ascii(sent) == _ascii(found)),
)


def _ascii(text: str) -> str:
    return "".join(each for each in text if each.isascii() and each != "?")
