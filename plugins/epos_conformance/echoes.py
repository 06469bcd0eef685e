"""
Whether a value comes back as it was sent, as strictly as the contract asks: what guests ask for word for word,
other texts but for blanks and Unicode normalisation, times as instants, amounts and numbers exactly.
"""

from __future__ import annotations

import html
import unicodedata

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from epos_conformance import money
from epos_conformance.exchange import preview
from epos_conformance.strategies import Leaf


#: Where there is nothing.
ABSENT = object()

#: Members that no EPOS may edit.
VERBATIM = frozenset({"guestRequests"})

#: Members that are shown on one line.
_ONE_LINE = frozenset({"name", "displayName", "reference", "description"})

_MILLISECOND = timedelta(milliseconds=1)


def rule_of(leaf: Leaf) -> str | None:
    """
    Which rule *leaf* falls under: ``guest-requests``, ``texts`` or ``values``; None where none asks for it to be kept.
    """
    if leaf.kind == "status":
        return None  # a till may know its own ones only
    if leaf.kind in ("text", "mail"):
        return "guest-requests" if leaf.path[-1] in VERBATIM else "texts"
    return "values"


def at(found: Any, path: Sequence[str | int]) -> Any:
    """What is in *found* at *path*, or `ABSENT`."""
    for step in path:
        if isinstance(step, str) and isinstance(found, Mapping):
            found = found.get(step, ABSENT)
        elif isinstance(step, int) and isinstance(found, list) and len(found) > step:
            found = found[step]
        else:
            return ABSENT
    return ABSENT if found is None else found


def comes_back(leaf: Leaf, sent: Any, found: Any) -> bool:
    """
    Whether *found*, a whole answer, says of *leaf* what *sent*, a whole body, does; what was not sent can't come back.
    """
    wanted = at(sent, leaf.path)
    if wanted is ABSENT:
        return True
    if _items_of(leaf) is not None:
        return _COMPARED[leaf.kind](leaf, sent, found)
    seen = at(found, leaf.path)
    if seen is ABSENT:
        # Nothing said is nothing kept.
        return wanted in ("", []) or (leaf.kind == "text" and not wanted.strip())
    return _COMPARED[leaf.kind](leaf, wanted, seen)


def _items_of(leaf: Leaf) -> tuple[str | int, ...] | None:
    """
    The path of the list of lines that *leaf* is, or is in; None elsewhere.

    Lines may come back in any order, and equal ones as one.
    """
    if leaf.kind == "lines":
        return leaf.path
    return leaf.path[:-2] if len(leaf.path) > 2 and leaf.path[-3:-1] == ("items", 0) else None


def _lines(leaf: Leaf, answer: Any) -> list[Mapping[str, Any]]:
    found = at(answer, _items_of(leaf) or ())
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def pieces(lines: Iterable[Mapping[str, Any]]) -> Counter[str] | None:
    """How many of each plu *lines* come to; None where they don't say."""
    found: Counter[str] = Counter()
    for each in lines:
        quantity, plu = each.get("quantity"), each.get("plu")
        if isinstance(quantity, bool) or not isinstance(quantity, (int, float)) or not isinstance(plu, str):
            return None
        found[plu] += quantity  # type: ignore[assignment] # 12.0 is an integer in JSON
    return found


def _same_pieces(leaf: Leaf, sent: Any, found: Any) -> bool:
    return pieces(_lines(leaf, sent)) == pieces(_lines(leaf, found))


def _same_text(leaf: Leaf, sent: Any, found: Any) -> bool:
    if _items_of(leaf) is not None:
        # The same line may have become several, or one of many.
        wanted = at(sent, leaf.path)
        seen = [each.get(str(leaf.path[-1])) for each in _lines(leaf, found)]
        return not wanted.strip() or any(_is_text(leaf, wanted, each) for each in seen)
    return _is_text(leaf, sent, found)


def _is_text(leaf: Leaf, sent: str, found: Any) -> bool:
    if not isinstance(found, str):
        return False
    # What ends a line differs from system to system, and none can be told from the other on paper.
    one, other = sent.replace("\r\n", "\n"), str(found).replace("\r\n", "\n")
    if leaf.path[-1] in VERBATIM:
        return one == other
    one_line = leaf.path[-1] in _ONE_LINE
    return _tidy(one, one_line=one_line) == _tidy(other, one_line=one_line)


def _tidy(text: str, *, one_line: bool) -> str:
    """*text* without what a tidy till may tidy: blanks, and how letters with accents are composed."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join(composed.split()) if one_line else composed.strip()


def _same_mail(_: Leaf, sent: str, found: Any) -> bool:
    return isinstance(found, str) and sent.strip().casefold() == found.strip().casefold()


def _same_time(_: Leaf, sent: str, found: Any) -> bool:
    one, other = _instant(sent), _instant(found)
    return one is not None and other is not None and abs(one - other) < _MILLISECOND


def _instant(text: Any) -> datetime | None:
    """The instant that *text* names; None where it names none."""
    try:
        found = datetime.fromisoformat(text.upper())
    except (AttributeError, ValueError):
        return None
    return found if found.tzinfo is not None else None


def _same_amount(_: Leaf, sent: Any, found: Any) -> bool:
    return money.value(sent) == money.value(found) and money.currency(sent) == money.currency(found)


def _same_number(_: Leaf, sent: int, found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool) and sent == found


def _same_intents(_: Leaf, sent: list[str], found: Any) -> bool:
    return isinstance(found, list) and len(found) == len(sent) and sorted(sent) == sorted(map(str, found))


_COMPARED: Mapping[str, Callable[[Leaf, Any, Any], bool]] = {
    "text": _same_text,
    "mail": _same_mail,
    "status": _same_text,
    "time": _same_time,
    "count": _same_number,
    "quantity": _same_pieces,
    "lines": _same_pieces,
    "amount": _same_amount,
    "total": _same_amount,
    "intents": _same_intents,
}


# Telling


def told(leaf: Leaf, answer: Any) -> str:
    """What *answer*, or a body, says of *leaf*, for findings."""
    if leaf.kind in ("quantity", "lines"):
        lines = _lines(leaf, answer)
        counted = pieces(lines)
        some = (
            "items without a plu or a quantity"
            if counted is None
            else ", ".join(f"{count:g} of {plu!r}" for plu, count in counted.items())
        )
        return f"{some or 'none'} in {len(lines)} line{'' if len(lines) == 1 else 's'}"
    if _items_of(leaf) is not None:
        found: Any = [each.get(str(leaf.path[-1])) for each in _lines(leaf, answer)]
        return shown(found[0] if len(found) == 1 else found)
    return shown(at(answer, leaf.path))


def shown(value: Any) -> str:
    """*value* in one line; of a long text its ends and its length."""
    if value is ABSENT or value is None:
        return "nothing there"
    if isinstance(value, Mapping):
        return money.shown(value)
    if isinstance(value, str) and len(value) > 80:
        return f"{preview([value[:30]])[1:-1]} … {preview([value[-20:]])[1:-1]} ({len(value)} characters)"
    return preview([value])[1:-1]


def hint(leaf: Leaf, sent: Any, found: Any) -> str | None:
    """What probably happened to *leaf*, where that can be guessed."""
    if leaf.kind in ("quantity", "lines"):
        wanted, seen = pieces(_lines(leaf, sent)), pieces(_lines(leaf, found))
        if wanted is None or seen is None:
            return None
        if 0 < len(_lines(leaf, found)) < len(_lines(leaf, sent)) and seen.total() < wanted.total():
            return f"the lines of an order after line {len(_lines(leaf, found))} seem to be lost"
        return _hint_of_number(wanted.total(), seen.total())
    one, other = at(sent, leaf.path), at(found, leaf.path)
    if leaf.kind in ("amount", "total"):
        one, other = money.value(one), money.value(other)
        if isinstance(one, int) and isinstance(other, int):
            return _hint_of_amount(one, other)
    if leaf.kind == "count" and isinstance(other, int):
        return _hint_of_number(one, other)
    if leaf.kind == "time":
        return _hint_of_time(one, other)
    if leaf.kind == "text" and isinstance(one, str) and isinstance(other, str):
        return next((said for said, is_it in _MANGLED if is_it(one, other)), None)
    return None


def _hint_of_amount(sent: int, found: int) -> str | None:
    if found == int(sent / 100 * 100) != sent:
        return f"amounts seem to pass through floating point, where {sent / 100} * 100 is {sent / 100 * 100!r}"
    return _hint_of_number(sent, found)


def _hint_of_number(sent: int, found: int) -> str | None:
    for bits in (8, 16, 32):
        largest = 2 ** (bits - 1) - 1, 2**bits - 1
        wrapped = (sent - found) % 2**bits == 0 and -(2 ** (bits - 1)) <= found < 2**bits
        if wrapped or (found in largest and sent > found):
            return f"the number seems to be kept in {bits} bits"
    if isinstance(found, float) or abs(sent - found) < sent / 10**6:
        return "the number seems to pass through floating point of too few digits"
    return None


def _hint_of_time(sent: Any, found: Any) -> str | None:
    one, other = _instant(sent), _instant(found)
    if one is None or other is None:
        return "it has no offset" if isinstance(found, str) else None
    off = other - one
    if abs(off) < timedelta(seconds=1):
        return "milliseconds seem to be dropped" if not other.microsecond else "milliseconds seem to be rounded"
    if one.utcoffset() and abs(off) == abs(one.utcoffset() or off):
        return "the offset of the time seems to be dropped"
    return None


_MANGLED: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("blanks at the ends seem to be trimmed", lambda sent, found: found == sent.strip()),
    ("HTML in the text seems to be read as such", lambda sent, found: html.unescape(sent) == found),
    ("the text seems to be cut", lambda sent, found: bool(found) and sent.startswith(found.removesuffix("..."))),
    ("upper and lower case seem to be changed", lambda sent, found: sent.lower() == found.lower()),
    ("the text seems to be escaped for HTML", lambda sent, found: html.unescape(found) == sent or "&amp;" in found),
    ("UTF-8 seems to be taken for another encoding", lambda sent, found: "Ã" in found and "Ã" not in sent),
    ("characters outside ASCII seem to be lost", lambda sent, found: _ascii(sent) == _ascii(found)),
)


def _ascii(text: str) -> str:
    return "".join(each for each in text if each.isascii() and each not in "?\ufffd")
