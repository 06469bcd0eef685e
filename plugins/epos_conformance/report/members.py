"""
Schemas of the contracts as tables in Markdown: what each member is, and whether it has to be there.
"""

from __future__ import annotations

import re

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from epos_conformance import _suite
from epos_conformance.schema import resolve


#: Where the shapes are that several capabilities share.
PAGE = "shapes.md"

Schema = Mapping[str, Any]

_MARKUP = re.compile(r"([\\`*_\[\]<>|])")

_INT64 = 2**63


def plain(text: str) -> str:
    """*text* without a meaning in Markdown or HTML."""
    return _MARKUP.sub(r"\\\1", text)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(each)} |" for each in (heads, ["---"] * len(heads), *rows)]


def shapes() -> Iterator[tuple[str, Mapping[str, Schema]]]:
    """The shapes that capabilities share: the title of each file, and the schemas in it by their names."""
    for path in sorted((_suite.FIXTURES / "contracts" / "shapes").glob("*.json")):
        document = _suite.read_json(path)
        yield document["title"], document["$defs"]


#: What is said of an object that has these members alone.
_CLOSED, _CLOSED_REQUEST = "Other members are not allowed.", "Dojo sends no other members."


def told(schema: Schema | bool, *, request: bool = False) -> list[str]:
    """
    *schema* as Markdown: a table of its members where it is an object with any, or a list of such, else a sentence.

    Of a *request* it tells what Dojo sends, not what an EPOS has to turn away.
    """
    if isinstance(schema, bool):
        return [f"{_capital(kind(schema))}."]
    shape, _ = resolve(schema.get("items", schema))
    if shape is not schema and shape.get("properties"):
        return [f"{_capital(kind(schema))}:", "", *told(shape, request=request)]
    if not schema.get("properties"):
        return [f"{_capital(kind(schema))}."]
    required = schema.get("required", ())
    rows = [
        [f"`{name}`", "yes" if name in required else "", kind(each)] for name, each in schema["properties"].items()
    ]  # fmt: skip
    lines = table(["Member", "Required", "What it is"], rows)
    remarks = [*_alternatives(schema)]
    if schema.get("additionalProperties") is False:
        remarks.append(_CLOSED_REQUEST if request else _CLOSED)
    return [*lines, "", " ".join(remarks)] if remarks else lines


def _alternatives(schema: Schema) -> Iterator[str]:
    choices = [each["required"][0] for each in schema.get("anyOf", ()) if each.keys() == {"required"}]
    if choices:
        yield f"At least one of {', '.join(f'`{each}`' for each in choices)} is there."


def kind(schema: Schema | bool) -> str:
    """What a value of *schema* is, in a few words of Markdown."""
    if isinstance(schema, bool):
        return "anything, or nothing"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}]({PAGE}#{name.lower()})"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{each}`" for each in schema["enum"])
    if "anyOf" in schema and not schema.get("properties"):
        return " or ".join(kind(each) for each in schema["anyOf"])
    if "then" in schema:
        names = ", ".join(f"`{each}`" for each in schema["if"]["required"])
        return f"an object; one with {names} is {_article(kind(schema['then']))}"
    return _KINDS.get(schema.get("type", ""), _anything)(schema)


def _text(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "a date and time with its offset"
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least == 1 and most is None:
        return "text, not empty"
    return "text" + _bounds(least, most, "character")


def _number(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    whole = "a whole number" if schema["type"] == "integer" else "a number"
    # What any 64 bits hold is not worth telling.
    if least == -_INT64:
        return whole
    return whole + (f", {least} to {most}" if least is not None and most is not None else "")


def _list(schema: Schema) -> str:
    of = kind(schema.get("items", True))
    return f"a list of {of}" + _bounds(schema.get("minItems"), schema.get("maxItems"), "entry")


def _object(schema: Schema) -> str:
    members = schema.get("properties", {})
    if not members:
        return "an empty object" if schema.get("additionalProperties") is False else "an object"
    required = schema.get("required", ())
    inside = (f"`{name}`{'' if name in required else ' (optional)'}: {kind(each)}" for name, each in members.items())
    return f"an object of {'; '.join(inside)}"


def _flag(_: Schema) -> str:
    return "`true` or `false`"


def _anything(_: Schema) -> str:
    return "anything"


_KINDS: Mapping[str, Callable[[Schema], str]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "array": _list,
    "object": _object,
    "boolean": _flag,
}


def _bounds(least: int | None, most: int | None, what: str) -> str:
    many = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    if least and most:
        return f", {least} to {most} {many}"
    if least:
        return f", at least {least} {what if least == 1 else many}"
    return f", at most {most} {many}" if most else ""


def _article(text: str) -> str:
    return f"an {text}" if text.lstrip("[")[:1] in "AEIO" else f"a {text}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].islower() else text
