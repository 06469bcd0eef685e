"""
Kinds of unusual bodies, each with what values become in it.

Apart from each other, so that a till that refuses, say, emoji is tried with everything else, too.
"""

from __future__ import annotations

import itertools

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """
    What a number of *bits* chooses; none of them set changes nothing.

    Bits, because they are all that Hypothesis draws alike wherever it runs: into numbers and texts it mixes constants
    of the modules that happen to be loaded, and writes them to a folder.
    """

    bits: int
    pick: Callable[[Sequence[bool]], Any]


#: Chosen where a member stays as it is.
AS_IS = object()


def _mixed(*features: str, before: str = "a") -> Choice:
    """A text of some of *features*, one after the other: each is there seven times out of eight."""

    def pick(bits: Sequence[bool]) -> Any:
        there = [any(three) for three in zip(bits, (*bits[1:], *bits[:1]), (*bits[2:], *bits[:2]), strict=True)]
        return before + "".join(itertools.compress(features, there)) if any(there) else AS_IS

    return Choice(len(features), pick)


def _one_of(*values: Any) -> Choice:
    """One of *values*; how many there are is a power of two."""
    bits = len(values).bit_length() - 1
    assert len(values) == 2**bits, values
    return Choice(bits, lambda found: values[_number(found)])


#: Leaving a member out, half of the time.
LEFT_OUT = _one_of(AS_IS, None)


def _mostly(value: Any) -> Choice:
    return _one_of(AS_IS, *[value] * 15)


def _long(characters: int) -> Choice:
    text = "A long story about a table by the window. " * (characters // 42 + 1)
    return _mostly(f"{text[: characters - 1]}.")


def _number(bits: Sequence[bool]) -> int:
    return int("".join("1" if each else "0" for each in bits), 2)


def _with_offset(bits: Sequence[bool]) -> Any:
    if not any(bits):
        return AS_IS
    return _spelt(_OFFSETS[_number(bits[:3])], (None, 1, 999, 500)[_number(bits[3:])], 3)


_OFFSETS = ("Z", "+00:00", "+01:00", "-05:00", "+05:30", "+14:00", "-11:00", "+12:45")


def _spelt(offset: str, milliseconds: int | None, digits: int) -> Json:
    """How a time is spelt: its offset, other milliseconds, and how many digits its fraction of a second has."""
    return {"offset": offset, "milliseconds": milliseconds, "digits": digits}


#: The time as it was, spelt as the contract does.
PLAIN_SPELLING = _spelt("Z", None, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """
    A kind of unusual body.
    """

    name: str
    #: How many of 33 bodies, where there is something of each kind to vary.
    weight: int
    #: By `Leaf.kind`.
    choices: Mapping[str, Choice]
    #: Whether optional members may be left out.
    leaves_out: bool = False
    #: Whether what is accepted has to be kept: what control characters become is the till's own business.
    kept: bool = True


THEMES = (
    Theme(name="letters", weight=3, choices={"text": _mixed("é", "ß", "œ", "€", "İ", "Ñ", "e\u0301", "\u2019")}),
    Theme(
        name="markup",
        weight=3,
        choices={
            "text": _mixed("'", '"', "<b>", "&", "&amp;", "\\", "%s", "{0}"),
            "mail": _mostly("o'neil+conformance@example.com"),
        },
    ),
    Theme(name="long", weight=2, choices={"text": _long(300)}),
    Theme(name="offsets", weight=2, choices={"time": Choice(5, _with_offset)}),
    Theme(
        name="amounts",
        weight=2,
        choices={
            # All of these lose a penny as a binary fraction of a pound.
            "amount": _one_of(AS_IS, 29, 58, 115, 203, 435, 812, 937),
            "quantity": _one_of(AS_IS, 1, 3, 12),
            "count": _one_of(AS_IS, 1),
            "intents": _one_of(AS_IS, 2, 3, 21),
        },
    ),
    Theme(
        name="many",
        weight=2,
        choices={
            "amount": _one_of(
                *(AS_IS, 16777217, 16777219, 33333333, 99999999, 123456789, 2**31 - 1, 2**31 + 1),
                *(2**32 - 1, 2**32 + 1, 5 * 10**9 + 1, 10**10 - 1, 10**10 + 1, 10**11 - 1, 10**11 + 1, 2**40 + 1),
            ),
            # No more: a till may make a line of each piece, and show them all in every search.
            "quantity": _one_of(AS_IS, 100, 128, 255, 300, 1000, 1000, 1000),
            "count": _one_of(AS_IS, 3, 128, 255, 256, 1000, 32768, 100000),
        },
    ),
    Theme(name="lines", weight=2, choices={"lines": Choice(8, lambda bits: 1 + _number(bits) if any(bits) else AS_IS)}),
    Theme(name="world", weight=2, choices={"text": _mixed("漢字", "مرحبا", "שלום", "ก ำ", "Ω", "ﬁ", "Ж", "☕")}),
    Theme(name="emoji", weight=2, choices={"text": _mixed("🍷", "🇬🇧", "\U0001d49c", "👍🏽", "𠮷", "😀", "🦞", "𐍈")}),
    Theme(name="empty", weight=2, choices={"text": _mostly("")}),
    Theme(
        name="blanks",
        weight=2,
        choices={"text": _mixed(" a", "a\nb", "a\tb", "a\r\nb", "a  b", "a\u00a0b", "a\u2028b", "a ", before="")},
    ),
    Theme(
        name="control characters",
        weight=1,
        choices={"text": _mixed("\0", "\1", "\b", "\v", "\f", "\x1b", "\x1f", "\x7f")},
        kept=False,
    ),
    Theme(
        name="fractions",
        weight=2,
        choices={
            "time": _one_of(
                AS_IS,
                *(_spelt(offset, 0, 0) for offset in ("Z", "+00:00", "+01:00")),
                *(_spelt(offset, 999, 7) for offset in ("Z", "+00:00", "+01:00")),
                _spelt("Z", 500, 6),
            )
        },
    ),
    Theme(name="left out", weight=1, choices={}, leaves_out=True),
    Theme(name="longer", weight=1, choices={"text": _long(1001)}),
    Theme(name="longest", weight=1, choices={"text": _long(5000)}),
    Theme(name="code", weight=1, choices={"text": _mixed(";", "--", ",", "|", "=1+1", "${a}", "`", "\\u0041")}),
    Theme(
        name="words", weight=1, choices={"text": _one_of(AS_IS, "0", "null", "false", "-", "1e5", "007", "2026-06-01")}
    ),
    Theme(
        name="statuses",
        weight=1,
        choices={"status": _one_of(AS_IS, "Dessert", "Entrées servies", "waiting for the bill, since 20:15")},
    ),
)


def shares(number: int, themes: Sequence[Theme]) -> list[int]:
    """How many of *number* bodies each of *themes* gets: one at least, as far as they go, and else by weight."""
    found = [1 if place < number else 0 for place in range(len(themes))]
    while sum(found) < number and themes:
        # Whichever has the fewest for its weight.
        place = min(range(len(themes)), key=lambda each: (found[each] / themes[each].weight, each))
        found[place] += 1
    return found
