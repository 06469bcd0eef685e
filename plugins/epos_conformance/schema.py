"""
Whether a value satisfies a JSON Schema of the contracts, and where it does not.

jsonschema-rs decides, because a page of a hundred orders takes it a millisecond; jsonschema, three hundred times
slower, explains what was found wrong. A test holds them to the same verdicts.
"""

from __future__ import annotations

import difflib
import json

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    #: The same in two halves.
    expected: str = field(default="what the schema says", compare=False)
    seen: str = field(default="", compare=False)
    #: The likely cause, where it can be guessed.
    hint: str | None = field(default=None, compare=False)


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
    found = [_problem(each) for each in errors[:MOST_PROBLEMS]]
    # The two libraries disagree on this value: what the fast one says is all that is known.
    return found or [
        Problem(f"${each.instance_path}", each.message, seen=each.message)
        for each in _decider(_text(schema)).iter_errors(value)
    ]


def _problem(error: Any) -> Problem:
    """*error* of jsonschema as a problem; of shapes to choose from, the nearest miss."""
    sentence = _sentence(error)
    if error.validator == "anyOf" and error.context and not sentence.startswith("has none"):
        error = _nearest(error)
    expected = _EXPECTED.get(error.validator, lambda _: None)(error)
    seen = shorten(json.dumps(error.instance, ensure_ascii=False), 100) if expected else sentence
    if error.validator == "required":
        seen = "none"
    return Problem(error.json_path, sentence, expected or "what the schema says", seen, _guess(error))


_EXPECTED: Mapping[str, Callable[[Any], str | None]] = {
    "type": lambda error: f"{'an' if error.validator_value[0] in 'aio' else 'a'} {error.validator_value}",
    "required": lambda error: f"the member {error.message.split(' is a required')[0]}",
    "enum": lambda error: f"one of {', '.join(map(str, error.validator_value))}",
    "format": lambda error: f"a {error.validator_value}",
    "minimum": lambda error: f"at least {error.validator_value}",
    "maximum": lambda error: f"at most {error.validator_value}",
}


#: How like two spellings of one word are at least: Cancelled and Canceled are, Paid and Failed (0.6) are not.
_ALIKE = 0.8


def _guess(error: Any) -> str | None:
    """The likely cause of *error*: mistakes that programmers make."""
    value, kind = error.instance, error.validator
    if value is None and kind == "type":
        return "a member without a value is left out; null is no value of its type"
    if kind == "type" and error.validator_value == "integer" and isinstance(value, (str, float)):
        return "amounts are integers in minor units: 7.90 is 790" if error.json_path.endswith(".value") else None
    if kind == "format" and isinstance(value, str):
        return "a time is written as 2026-06-01T12:00:00.000Z, with its offset"
    if kind == "enum" and isinstance(value, str):
        known = [str(each).lower() for each in error.validator_value]
        near = difflib.get_close_matches(value.lower(), known, 1, _ALIKE)
        same = next((each for each in error.validator_value if near and str(each).lower() == near[0]), None)
        return f"it is spelt {same}" if same else None
    return None


def _sentence(error: Any) -> str:
    """jsonschema's own words, but for ``anyOf``, which it tells as "is not valid under any of the given schemas"."""
    if error.validator == "anyOf" and error.context:
        options = [each for each in error.validator_value if set(each) == {"required"}]
        if len(options) == len(error.validator_value):
            names = ", ".join(repr(name) for each in options for name in each["required"])
            return f"has none of the members {names}"
        deepest = _nearest(error)
        where = f"the nearest miss is at {deepest.json_path}"
        return f"fits none of the shapes allowed here; {where}: {shorten(deepest.message)}"
    return shorten(str(error.message))


def _nearest(error: Any) -> Any:
    """Of the shapes that an ``anyOf`` allows, the error that went deepest into one."""
    return max(error.context, key=lambda each: len(each.absolute_path))


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
