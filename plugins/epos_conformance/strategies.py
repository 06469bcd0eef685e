"""
Unusual but valid bodies, derived from the JSON Schema of a contract: what may vary in a body that the partner takes.

A strict till refuses dishes, prices, tables and ids that it does not know, so those stay. What varies is what guests and
hosts write, how times are spelt, amounts that nobody knows by heart, and numbers of things. Bodies come in *themes*, so
that a till that refuses, say, emoji is tried with everything else too.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import uuid

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from epos_conformance import money, schema


if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Json = dict[str, Any]

#: Path of a varied member -> its value: a text, a number, how a time is spelt; None where it is left out.
Variation = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """
    A place in a body where something may vary, or follows from what does.
    """

    path: tuple[str | int, ...]
    #: ``text``, ``mail``, ``status``, ``time``, ``count``, ``quantity``, ``amount``, ``lines``, ``intents``; ``total``
    #: follows from the others.
    kind: str
    optional: bool = False
    #: The most characters of a text.
    most: int | None = None

    @property
    def where(self) -> str:
        """JSON path: ``$.items[0].note``."""
        return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)


def leaves(request: Mapping[str, Any], body: Mapping[str, Any]) -> list[Leaf]:
    """
    What may vary in *body*, which satisfies the schema *request*.
    """
    return list(_leaves(request, None, body, (), optional=False))


def _leaves(
    found: Mapping[str, Any], base: Mapping[str, Any] | None, value: Any, path: tuple[str | int, ...], *, optional: bool
) -> Iterator[Leaf]:
    found, base = schema.resolve(found, base)
    members = found.get("properties", {})
    name = str(path[-1]) if path else ""
    if {"value", "currencyCode"} <= set(members):
        if path == ("totalAmount",):
            yield Leaf(path, "total")
        elif not name.startswith(("amountPer", "amountTotal")):
            yield Leaf(path, "amount", optional)
    elif isinstance(value, Mapping):
        needed = {*found.get("required", ()), *(each for one in found.get("anyOf", ()) for each in one["required"])}
        for member in members:
            if member in value and not _is_known(member, goods="plu" in members):
                yield from _leaves(members[member], base, value[member], (*path, member), optional=member not in needed)
    elif isinstance(value, list) and value:
        items, _ = schema.resolve(found["items"], base)
        if name.endswith("IntentIds"):
            yield Leaf(path, "intents")
        if isinstance(value[0], Mapping):
            if "quantity" in items.get("properties", {}):
                yield Leaf(path, "lines")
            yield from _leaves(found["items"], base, value[0], (*path, 0), optional=False)
    elif kind := _kind(name, found):
        yield Leaf(path, kind, optional, found.get("maxLength"))


def _is_known(name: str, *, goods: bool) -> bool:
    """Whether a till may have a list of what *name* can be: ids, and the names of what it sells."""
    return name.endswith(("Id", "Plu")) or name in ("id", "plu", "code") or (goods and name == "name")


def _kind(name: str, found: Mapping[str, Any]) -> str | None:
    if "enum" in found or name == "phoneNumber":
        return None
    if found.get("type") == "integer":
        return "quantity" if name == "quantity" else "count"
    if found.get("type") != "string":
        return None
    if found.get("format") == "date-time":
        return "time"
    return {"status": "status", "emailAddress": "mail"}.get(name, "text")


# What values are drawn from


@dataclass(frozen=True, slots=True)
class Choice:
    """
    What a number of *bits* chooses; none of them set changes nothing.

    Bits, because they are all that Hypothesis draws alike wherever it runs: into numbers and texts it mixes constants of
    the modules that happen to be loaded.
    """

    bits: int
    pick: Callable[[Sequence[bool]], Any]


#: Chosen where a member stays as it is.
AS_IS = object()


def _mixed(*features: str, before: str = "a") -> Choice:
    """A text of some of *features*, one after the other: each is there three times out of four."""

    def pick(bits: Sequence[bool]) -> Any:
        there = [one or other for one, other in zip(bits, (*bits[1:], bits[0]), strict=True)]
        return before + "".join(itertools.compress(features, there)) if any(there) else AS_IS

    return Choice(len(features), pick)


def _one_of(*values: Any) -> Choice:
    """One of *values*; how many there are is a power of two."""
    bits = len(values).bit_length() - 1
    assert len(values) == 2**bits, values
    return Choice(bits, lambda found: values[_number(found)])


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
    Theme(name="letters", weight=3, choices={"text": _mixed("é", "ß", "œ", "€", "İ", "Ñ", "e\u0301", "’")}),
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
            # Of most of these a binary fraction of a pound loses a penny; the last is one too many for single precision.
            "amount": _one_of(AS_IS, 29, 57, 113, 435, 1015, 1999, 16777217),
            "quantity": _one_of(AS_IS, 1, 3, 12),
            "count": _one_of(AS_IS, 1),
            "intents": _one_of(AS_IS, 2, 3, 21),
        },
    ),
    Theme(
        name="many",
        weight=2,
        choices={
            "amount": _one_of(AS_IS, 99999, 16777219, 99999999, 2**31 - 1, 2**31 + 1, 2**32 + 1, 10**11),
            "quantity": _one_of(AS_IS, 99, 128, 255, 256, 1000, 32768, 100000),
            "count": _one_of(AS_IS, 3, 128, 255, 256, 1000, 32768, 100000),
        },
    ),
    Theme(name="lines", weight=2, choices={"lines": Choice(8, lambda bits: 1 + _number(bits) if any(bits) else AS_IS)}),
    Theme(name="world", weight=2, choices={"text": _mixed("漢字", "مرحبا", "שלום", "ก ำ", "Ω", "ﬁ", "Ж", "☕")}),
    Theme(name="emoji", weight=2, choices={"text": _mixed("🍷", "🇬🇧", "𝒜", "👍🏽", "𠮷", "😀", "🦞", "𐍈")}),
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
                *(_spelt(offset, 0, 0) for offset in ("Z", "+00:00", "+01:00", "-05:00")),
                _spelt("Z", 999, 7),
                _spelt("+00:00", 1, 7),
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


def _varied(theme: Theme, found: Sequence[Leaf]) -> list[tuple[Leaf, Choice]]:
    """The leaves that *theme* varies, each with what it may become."""
    if theme.leaves_out:
        return [(leaf, _one_of(AS_IS, None)) for leaf in found if leaf.optional]
    return [(leaf, theme.choices[leaf.kind]) for leaf in found if leaf.kind in theme.choices]


def variations(theme: Theme, found: Sequence[Leaf]) -> SearchStrategy[Variation] | None:
    """
    The variations of *theme*; None where there is nothing for it to vary.
    """
    # Heavy, and needed by few checks.
    from hypothesis import strategies

    chosen = _varied(theme, found)
    if not chosen:
        return None
    bit = strategies.booleans()
    return strategies.tuples(*(strategies.tuples(*[bit] * choice.bits) for _, choice in chosen)).map(
        lambda drawn: _variation(chosen, drawn)
    )


def _variation(chosen: Sequence[tuple[Leaf, Choice]], drawn: Sequence[Sequence[bool]]) -> Variation:
    variation = {}
    for (leaf, choice), bits in zip(chosen, drawn, strict=True):
        value = choice.pick(bits)
        if value is not AS_IS:
            variation[leaf.where] = value[: leaf.most] if isinstance(value, str) else value
    return variation


def key(variation: Variation) -> str:
    """*variation* as text: the same for the same."""
    return json.dumps(variation, sort_keys=True)


#: What a reader takes for one: an entity, a tag, a letter with its accents, a flag, a person with a colour of skin.
_PART = re.compile(
    "&\\w+;|<\\w+>|%\\w|\\$?\\{\\w+\\}|\\\\u\\w{4}|--|\r\n|[\U0001f1e6-\U0001f1ff]{2}|.[\u0300-\u036f\U0001f3fb-\U0001f3ff]*",
    re.DOTALL,
)


def parts(text: str) -> list[str]:
    """*text* in the smallest parts that mean something."""
    return _PART.findall(text)


# Bodies


def applied(body: Mapping[str, Any], found: Sequence[Leaf], variation: Variation) -> Json:
    """
    A copy of *body* that varies as *variation* says, its total following.
    """
    made: Json = copy.deepcopy(dict(body))
    for leaf in found:
        if leaf.where in variation:
            _apply(made, leaf, variation[leaf.where])
    if "items" in body and "totalAmount" in body:
        made["totalAmount"] = money.of(
            body["totalAmount"]["value"] + worth(made) - worth(body), str(money.currency(body["totalAmount"]))
        )
    return made


def _apply(body: Json, leaf: Leaf, value: Any) -> None:
    parent: Any = body
    for step in leaf.path[:-1]:
        parent = parent[step]
    last: Any = leaf.path[-1]
    if value is None:
        del parent[last]
    elif leaf.kind == "time":
        parent[last] = respelt(parent[last], value)
    elif leaf.kind == "amount":
        parent[last] = {**parent[last], "value": value}
    elif leaf.kind == "lines":
        parent[last] = [*parent[last], *(copy.deepcopy(parent[last][0]) for _ in range(value - len(parent[last])))]
    elif leaf.kind == "intents":
        parent[last] = [*parent[last], *(f"pi_sandbox_{uuid.uuid4().hex}" for _ in range(value - len(parent[last])))]
    else:
        parent[last] = value


def respelt(text: str, spelling: Mapping[str, Any]) -> str:
    """The instant of *text*, to other milliseconds perhaps, spelt another way."""
    moment = datetime.fromisoformat(text)
    if spelling["milliseconds"] is not None:
        moment = moment.replace(microsecond=1000 * spelling["milliseconds"])
    offset = spelling["offset"]
    sign, hours, minutes = (1, 0, 0) if offset == "Z" else (int(f"{offset[0]}1"), int(offset[1:3]), int(offset[4:]))
    there = moment.astimezone(timezone(sign * timedelta(hours=hours, minutes=minutes)) if offset != "Z" else UTC)
    fraction = f"{there.microsecond:06d}0"
    digits = spelling["digits"] or (3 if there.microsecond else 0)
    return f"{there:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{fraction[:digits]}{offset}"


def worth(order: Mapping[str, Any]) -> int:
    """What the items of *order* come to, with its service charge and without its discounts."""
    items = sum(each["quantity"] * each["amountPerItem"]["value"] for each in order["items"])
    discounts = sum(each["amountTotal"]["value"] for each in order.get("discounts", ()))
    return int(items - discounts + (order.get("serviceChargeAmount") or {"value": 0})["value"])
