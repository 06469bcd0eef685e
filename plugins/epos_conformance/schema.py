"""
Whether a value satisfies a JSON Schema of the contracts, and where it does not.

jsonschema-rs decides, because a page of a hundred orders takes it a millisecond; jsonschema, three hundred times
slower, explains what was found wrong. A test holds them to the same verdicts.
"""

from __future__ import annotations

import json

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from epos_conformance import _suite


if TYPE_CHECKING:
    import jsonschema

#: A partner's reply with a thousand faults is told by its first few.
MOST_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One place where a value breaks its schema.
    """

    #: JSON path of the value, ``$.items[0].quantity``.
    where: str
    #: What is wrong there, in a sentence that shows what was seen.
    message: str


@cache
def _shapes() -> dict[str, Any]:
    paths = sorted((_suite.FIXTURES / "contracts" / "shapes").glob("*.json"))
    return {document["$id"]: document for document in map(_suite.read_json, paths)}


@cache
def _registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry(list(_shapes().items()))


@cache
def _decider(text: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(text), registry=_registry(), validate_formats=True)


@cache
def _explainer(text: str) -> jsonschema.Draft202012Validator:
    # Imported where a fault has to be explained: the import alone costs as much as starting the whole suite.
    import jsonschema
    import referencing

    registry: referencing.Registry[Any] = referencing.Registry().with_resources(
        (name, referencing.Resource.from_contents(document)) for name, document in _shapes().items()
    )
    return jsonschema.Draft202012Validator(
        json.loads(text),
        registry=registry,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


_TEXTS: dict[int, tuple[object, str]] = {}


def _text(schema: Mapping[str, Any] | bool) -> str:
    """*schema* as the key of the caches; the contracts hand in the same few objects again and again."""
    known = _TEXTS.get(id(schema))
    if known is None or known[0] is not schema:
        known = _TEXTS[id(schema)] = schema, json.dumps(schema)
    return known[1]


def is_valid(schema: Mapping[str, Any] | bool, value: Any) -> bool:
    """Whether *value* satisfies *schema*, ``date-time`` formats included."""
    try:
        return bool(_decider(_text(schema)).is_valid(value))
    except UnicodeEncodeError:  # half a surrogate pair: JSON can escape it, UTF-8 can't hold it
        return bool(_explainer(_text(schema)).is_valid(value))


def problems(schema: Mapping[str, Any] | bool, value: Any) -> list[Problem]:
    """
    What is wrong with *value*, most telling first, at most `MOST_PROBLEMS`.
    """
    if is_valid(schema, value):
        return []
    from jsonschema.exceptions import relevance

    errors = sorted(_explainer(_text(schema)).iter_errors(value), key=relevance, reverse=True)
    found = [Problem(each.json_path, _sentence(each)) for each in errors[:MOST_PROBLEMS]]
    # The two libraries disagree on this value: what the fast one says is all that is known.
    return found or [
        Problem(f"${each.instance_path}", each.message) for each in _decider(_text(schema)).iter_errors(value)
    ]


def _sentence(error: Any) -> str:
    """jsonschema's own words, but for ``anyOf``, which it tells as "is not valid under any of the given schemas"."""
    if error.validator == "anyOf" and error.context:
        options = [each for each in error.validator_value if set(each) == {"required"}]
        if len(options) == len(error.validator_value):
            names = ", ".join(repr(name) for each in options for name in each["required"])
            return f"has none of the members {names}"
        deepest = max(error.context, key=lambda each: len(each.absolute_path))
        where = f"the nearest miss is at {deepest.json_path}"
        return f"fits none of the shapes allowed here; {where}: {shorten(deepest.message)}"
    return shorten(str(error.message))


def shorten(text: str, most: int = 200) -> str:
    """*text*, its middle left out where it is longer than *most* characters."""
    if len(text) <= most:
        return text
    half = (most - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def resolve(
    schema: Mapping[str, Any], base: Mapping[str, Any] | None = None
) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """
    *schema* with its ``$ref`` followed, and the document that local references in it are relative to.
    """
    while (ref := schema.get("$ref")) is not None:
        name, _, pointer = ref.partition("#/$defs/")
        base = _shapes()[name] if name else base
        assert base is not None, f"{ref} is relative to nothing"
        schema = base["$defs"][pointer]
    return schema, base
