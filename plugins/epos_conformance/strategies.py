"""
Unusual but valid bodies, derived from the JSON Schema of a contract: what may vary in a body that the partner takes.

A strict till refuses dishes, prices, tables and ids that it does not know, so those stay. What varies is what guests
and hosts write, how times are spelt, amounts that nobody knows by heart, and numbers of things.
"""

from __future__ import annotations

import copy
import json
import re
import uuid

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from epos_conformance import money, schema, themes
from epos_conformance.themes import Choice, Json, Theme


if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

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


# Variations


def _varied(theme: Theme, found: Sequence[Leaf]) -> list[tuple[Leaf, Choice]]:
    """The leaves that *theme* varies, each with what it may become."""
    if theme.leaves_out:
        return [(leaf, themes.LEFT_OUT) for leaf in found if leaf.optional]
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
        if value is not themes.AS_IS:
            variation[leaf.where] = value[: leaf.most] if isinstance(value, str) else value
    return variation


def key(variation: Variation) -> str:
    """*variation* as text: the same for the same."""
    return json.dumps(variation, sort_keys=True)


# Making them smaller


#: What a reader takes for one: an entity, a tag, a letter with its accents, a flag, a person with a colour of skin.
_PART = re.compile(
    "&\\w+;|<\\w+>|%\\w|\\$?\\{\\w+\\}|\\\\u\\w{4}|--|\r\n|[\U0001f1e6-\U0001f1ff]{2}|.[\u0300-\u036f\U0001f3fb-\U0001f3ff]*",
    re.DOTALL,
)


#: Characters from which on it is the length of a text that matters.
_LONG = 60


def parts(text: str) -> list[str]:
    """*text* in the smallest parts that mean something."""
    return _PART.findall(text)


def size(variation: Variation) -> tuple[int, int, str]:
    """How unusual *variation* is: its members, how long or large they are, and the alphabet."""
    return len(variation), sum(map(_weight, variation.values())), key(variation)


def _weight(value: Any) -> int:
    if isinstance(value, dict):
        return sum(value[name] != plain for name, plain in themes.PLAIN_SPELLING.items())
    return len(value) if isinstance(value, str) else abs(value or 0)


def lessen(value: Any, usual: int | None, shows: Callable[[Any], bool]) -> None:
    """
    Ask what *shows* of values less unusual than *value*: how long a text has to be, which parts of a short one it
    takes, how far from the *usual* a number has to be, and what of the spelling of a time.
    """
    if isinstance(value, str) and len(value) > _LONG:
        _border(0, len(value), lambda length: shows(f"{value[: length - 1]}."))
    elif isinstance(value, str):
        left = parts(value)
        for place in reversed(range(len(left))):
            fewer = left[:place] + left[place + 1 :]
            if shows("".join(fewer)):
                left = fewer
    elif isinstance(value, dict):
        for name, plain in themes.PLAIN_SPELLING.items():
            if shows({**value, name: plain}):
                value = {**value, name: plain}
    elif isinstance(value, int) and usual is not None:
        _border(usual, value, shows)


def _border(fine: int, bad: int, shows: Callable[[int], bool]) -> None:
    """Ask for numbers between *fine* and *bad*, each in the middle of where the border has to be."""
    while abs(bad - fine) > 1:
        middle = (fine + bad) // 2
        if shows(middle):
            bad = middle
        else:
            fine = middle


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
