"""
Whether two answers say the same of one thing, member by member, as far as the contract knows its members.

Times are compared as instants, 12 and 12.0 are one number, what is absent says nothing, like null and an empty list;
lists are compared whatever their order. A till's own members are its own business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from epos_conformance import schema


ORDER: Mapping[str, Any] = {"$ref": "urn:epos:orders#/$defs/Order"}

#: What Pay at Table needs of an order wherever it is shown.
NEEDED = ("totalAmount", "paidAmount", "payable", "items")


@dataclass(frozen=True, slots=True)
class Difference:
    """
    A member of which the one says this and the other says that; None where one says nothing.
    """

    #: JSON path: ``$.items[0].quantity``.
    where: str
    one: Any
    other: Any


def differences(
    one: Any, other: Any, *, needed: Collection[str] = (), but: Collection[str] = ("updatedAt",)
) -> list[Difference]:
    """
    Where two orders contradict each other.

    What one of them leaves out is no contradiction, except for what is *needed* and for everything in it. The members
    of *but* are passed over.
    """
    return list(_compared(ORDER, None, one, other, "$", needed=needed, but=but))


def _compared(
    wanted: Mapping[str, Any],
    base: Mapping[str, Any] | None,
    one: Any,
    other: Any,
    where: str,
    *,
    whole: bool = False,
    needed: Collection[str] = (),
    but: Collection[str] = (),
) -> Iterator[Difference]:
    """*whole* says whether leaving something out counts."""
    if _is_nothing(one) or _is_nothing(other):
        if whole and not (_is_nothing(one) and _is_nothing(other)):
            yield Difference(where, one, other)
        return
    wanted, base = schema.resolve(wanted, base)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name, each in wanted.get("properties", {}).items():
            if name not in but:
                yield from _compared(
                    each, base, one.get(name), other.get(name), f"{where}.{name}", whole=whole or name in needed
                )
    elif isinstance(one, list) and isinstance(other, list):
        yield from _compared_lists(wanted.get("items", {}), base, one, other, where, whole=whole)
    elif not _same_value(wanted, one, other):
        yield Difference(where, one, other)


def _compared_lists(
    wanted: Mapping[str, Any],
    base: Mapping[str, Any] | None,
    one: list[Any],
    other: list[Any],
    where: str,
    *,
    whole: bool,
) -> Iterator[Difference]:
    left = list(enumerate(one))
    missing = []
    for each in other:
        equal = next((at for at in left if not any(_compared(wanted, base, at[1], each, "", whole=whole))), None)
        if equal is None:
            missing.append(each)
        else:
            left.remove(equal)
    if len(one) != len(other):
        yield Difference(where, one, other)
        return
    for (place, mine), theirs in zip(left, missing, strict=True):
        yield from _compared(wanted, base, mine, theirs, f"{where}[{place}]", whole=whole)


def _same_value(wanted: Mapping[str, Any], one: Any, other: Any) -> bool:
    if wanted.get("format") == "date-time" and isinstance(one, str) and isinstance(other, str):
        times = Moment.of(one), Moment.of(other)
        if times[0] is not None and times[1] is not None:
            return times[0].rounded(times[1]) == times[1].rounded(times[0])
    # True is an int in Python.
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _is_nothing(value: Any) -> bool:
    return value is None or value == []


@dataclass(frozen=True, slots=True)
class Moment:
    """
    A point in time, as precisely as it was written.
    """

    instant: datetime
    #: Digits of the fraction of a second.
    digits: int

    @classmethod
    def of(cls, text: Any) -> Moment | None:
        """The moment that an RFC 3339 *text* names; None where it names none, or leaves the offset out."""
        if not isinstance(text, str):
            return None
        try:
            found = datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        naive = datetime.fromisoformat(text.upper()).tzinfo is None
        fraction = text.partition(".")[2]
        digits = len(fraction) - len(fraction.lstrip("0123456789"))
        return None if naive else cls(found, min(digits, 6))

    def rounded(self, other: Moment) -> datetime:
        """The instant, cut to what *other* was written with where that is less: 10:00:00 may stand for 10:00:00.4."""
        unit = 10 ** (6 - min(self.digits, other.digits))
        return self.instant.replace(microsecond=self.instant.microsecond // unit * unit)
