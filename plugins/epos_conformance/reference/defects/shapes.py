"""
What lenient deserialisers do to a body before anybody looks at it: a schema walked beside its value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from epos_conformance import schema
from epos_conformance.reference.times import spell_time


Schema = Mapping[str, Any]

#: What a member of a type is where nobody set it.
ZEROES: Mapping[str, Any] = {"string": "", "integer": 0, "boolean": False, "array": [], "object": {}}


def reshaped(
    wanted: Schema, value: Any, leaf: Callable[[Schema, Any], Any], *, fill: bool = False, base: Schema | None = None
) -> Any:
    """
    *value* with every scalar passed through *leaf*; *fill* gives members that are required and missing their zeroes.
    """
    wanted, base = schema.resolve(wanted, base)
    if isinstance(value, dict) and "properties" in wanted:
        members: Schema = wanted["properties"]
        missing = [name for name in wanted.get("required", ()) if name not in value] if fill else []
        value = {**value, **{name: zero(members[name], base) for name in missing}}
        return {
            name: reshaped(members[name], each, leaf, fill=fill, base=base) if name in members else each
            for name, each in value.items()
        }
    if isinstance(value, list) and "items" in wanted:
        return [reshaped(wanted["items"], each, leaf, fill=fill, base=base) for each in value]
    return leaf(wanted, value)


def zero(wanted: Schema, base: Schema | None) -> Any:
    """The value that Go or C# give a member which was not sent."""
    wanted, _ = schema.resolve(wanted, base)
    if wanted.get("format") == "date-time":
        return "0001-01-01T00:00:00Z"
    if "enum" in wanted:
        return wanted["enum"][0]
    return ZEROES[wanted.get("type", "object")]


def as_sent(_: Schema, value: Any) -> Any:
    return value


def coerced(wanted: Schema, value: Any) -> Any:
    """*value* as a scripting language would have it: any scalar does for any other."""
    kind = wanted.get("type")
    if kind == "string" and isinstance(value, bool | int | float):
        if wanted.get("format") == "date-time":
            return spell_time(datetime.fromtimestamp(value / 1000, UTC))
        return str(value)
    if kind == "integer" and isinstance(value, bool | str | float):
        try:
            return int(float(value))
        except ValueError:
            return value
    if kind == "boolean" and isinstance(value, str | int):
        return str(value).lower() in ("1", "true", "yes", "on")
    return value


def counted(wanted: Schema, value: Any) -> Any:
    """*value* as a number where it is a truth value, and a number belongs there."""
    return int(value) if wanted.get("type") == "integer" and isinstance(value, bool) else value


def cut(wanted: Schema, value: Any) -> Any:
    """*value* without its fraction where an integer belongs."""
    return int(value) if wanted.get("type") == "integer" and isinstance(value, float) else value


def without_required(wanted: Schema, base: Schema | None = None) -> Schema:
    """*wanted*, all its members optional."""
    wanted, base = schema.resolve(wanted, base)
    found = {name: each for name, each in wanted.items() if name not in ("required", "anyOf")}
    if "properties" in wanted:
        found["properties"] = {name: without_required(each, base) for name, each in wanted["properties"].items()}
    if "items" in wanted:
        found["items"] = without_required(wanted["items"], base)
    return found


def without_types(wanted: Schema, base: Schema | None = None) -> Schema:
    """*wanted*, asking for its members and not for their types."""
    wanted, base = schema.resolve(wanted, base)
    kept = ("required", "additionalProperties")
    found = {name: each for name, each in wanted.items() if name in kept}
    if "properties" in wanted:
        found["properties"] = {name: without_types(each, base) for name, each in wanted["properties"].items()}
    if "items" in wanted:
        found["items"] = without_types(wanted["items"], base)
    return found


def all_required(wanted: Schema) -> Schema:
    """*wanted*, each of its own members required."""
    wanted, _ = schema.resolve(wanted)
    return {**wanted, "required": list(wanted["properties"])}


def closed(wanted: Schema) -> Schema:
    """*wanted*, without room for members of tomorrow."""
    wanted, _ = schema.resolve(wanted)
    return {**wanted, "additionalProperties": False}


_CHANGED: dict[tuple[Any, str], Schema] = {}


def changed(change: Callable[[Schema], Schema], name: str, wanted: Schema | None) -> Schema | None:
    """*wanted* of the capability *name* with *change*: made once, because the validator knows schemas by identity."""
    if wanted is None:
        return None
    if (change, name) not in _CHANGED:
        _CHANGED[change, name] = change(wanted)
    return _CHANGED[change, name]
