"""
Request bodies with exactly one fault, straight from a JSON Schema: each required member missing, each member of a
wrong type. A new capability gets its cases from its contract file alone.
"""

from __future__ import annotations

import copy
import random
import re
import uuid

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from epos_conformance import schema


#: Contracts are trees, but a schema that contains itself must not hang us.
_DEEPEST = 8


#: Marks a schema whose published form has no type: an EPOS that goes by that takes anything (`objects-without-a-type`
#: in ``contradictions.toml``).
UNTYPED = "x-untyped"


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A body that is valid but for one thing.
    """

    #: JSON path of the fault: ``$.items[0].quantity``.
    where: str
    #: What is wrong there: ``missing``, ``a text instead of an object``…
    what: str
    body: Any

    def __str__(self) -> str:
        return f"{self.where} {self.what}"


#: Makes faulty bodies of a request schema and a valid body.
Maker = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class _Node:
    """A value inside a body, and the schema it is held to."""

    path: tuple[str | int, ...]
    schema: Mapping[str, Any]
    base: Mapping[str, Any] | None
    #: The whole body, with this value in it.
    body: Any

    @property
    def value(self) -> Any:
        found = self.body
        for step in self.path:
            found = found[step]
        return found

    @property
    def where(self) -> str:
        return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)

    def replaced(self, value: Any) -> Any:
        """The body with *value* here."""
        body = copy.deepcopy(self.body)
        if not self.path:
            return value
        parent = body
        for step in self.path[:-1]:
            parent = parent[step]
        parent[self.path[-1]] = value
        return body

    def without(self, member: str) -> Any:
        """The body without *member* of this object."""
        body = copy.deepcopy(self.body)
        here = body
        for step in self.path:
            here = here[step]
        del here[member]
        return body


def type_of(found: Mapping[str, Any]) -> str | None:
    """The JSON type that a schema asks for; None where it leaves it open."""
    kind = found.get("type")
    if kind is None and ("properties" in found or "required" in found):
        return "object"
    return kind if isinstance(kind, str) else None


def _nodes(node: _Node) -> Iterator[_Node]:
    """*node* and everything in it; optional members that the body lacks are put in, one at a time."""
    found, base = schema.resolve(node.schema, node.base)
    node = _Node(node.path, found, base, node.body)
    yield node
    if len(node.path) >= _DEEPEST:
        return
    value = node.value
    if type_of(found) == "object" and isinstance(value, dict):
        for name, member in found.get("properties", {}).items():
            body = node.body
            if name not in value:
                body = node.replaced({**value, name: _fitting(sample(member, base), node.body)})
            yield from _nodes(_Node((*node.path, name), member, base, body))
    elif type_of(found) == "array" and isinstance(value, list) and isinstance(found.get("items"), Mapping):
        body = node.body if value else node.replaced([_fitting(sample(found["items"], base), node.body)])
        yield from _nodes(_Node((*node.path, 0), found["items"], base, body))


def _fitting(added: Any, body: Any) -> Any:
    """
    What is *added* to *body*, as it might be sent: in its currency, and one of something. What is wrong with it
    otherwise would be refused for that.
    """
    if isinstance(added, list):
        return [_fitting(each, body) for each in added]
    if not isinstance(added, dict):
        return added
    own = {"quantity": 1, "currencyCode": next(_members(body, "currencyCode"), None)}
    return {name: (name in own and own[name]) or _fitting(each, body) for name, each in added.items()}


def _members(value: Any, name: str) -> Iterator[Any]:
    """The values of the members of that *name* anywhere in *value*."""
    for each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if each[0] == name:
            yield each[1]
        yield from _members(each[1], name)


def sample(found: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> Any:
    """
    A plain value that satisfies a schema, its optional members left out.
    """
    found, base = schema.resolve(found, base)
    for choice in ("enum", "examples"):
        if choice in found:
            return found[choice][0]
    kind = type_of(found)
    if kind == "object":
        required = [*found.get("required", ()), *found.get("anyOf", [{}])[0].get("required", ())]
        return {name: sample(found["properties"][name], base) for name in required}
    if kind == "array":
        return [sample(found["items"], base)] * max(1, found.get("minItems", 0))
    if kind == "string":
        return "2026-06-01T12:00:00.000Z" if found.get("format") == "date-time" else "conformance"
    return {"integer": max(0, found.get("minimum", 0)), "number": 0, "boolean": False}.get(str(kind))


#: No framework turns these into what they stand for.
_WRONG: Mapping[str, tuple[str, Any]] = {
    "object": ("is a text instead of an object", "conformance"),
    "array": ("is a text instead of an array", "conformance"),
    "string": ("is an object instead of a text", {"not": "a text"}),
    "integer": ("is a word instead of an integer", "conformance"),
    "number": ("is a word instead of a number", "conformance"),
    "boolean": ("is a word instead of a boolean", "conformance"),
}

#: These some do: a text of digits becomes a number, a number a text or a time.
_COERCIBLE: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "string": (("is a number instead of a text", 12345),),
    "integer": (
        ("is a text of digits instead of an integer", "12"),
        ("is a fraction instead of an integer", 1.5),
        ("is true instead of an integer", True),
    ),
    "number": (("is a text of digits instead of a number", "12"),),
    "boolean": (("is the text 'true' instead of a boolean", "true"),),
}


def missing(request: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Fault]:
    """
    *body* without each member that *request* requires, at every depth; null counts as missing too.
    """
    for node in _nodes(_Node((), request, None, body)):
        if isinstance(node.value, dict):
            for name in node.schema.get("required", ()):
                yield Fault(f"{node.where}.{name}", "is missing", node.without(name))
                yield Fault(f"{node.where}.{name}", "is null", node.replaced({**node.value, name: None}))


def wrong_types(request: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Fault]:
    """
    *body* with a value of an unmistakably wrong type in each place that the published schemas give a type to.
    """
    for node in _nodes(_Node((), request, None, body)):
        if UNTYPED in node.schema:
            continue
        wrong = _WRONG.get(str(type_of(node.schema)))
        if wrong is not None and node.path:
            what, value = wrong
            yield Fault(node.where, what, node.replaced(value))


def coercible(request: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Fault]:
    """
    *body* with a scalar in each place that lenient software turns into the right type.
    """
    for node in _nodes(_Node((), request, None, body)):
        for what, value in _COERCIBLE.get(str(type_of(node.schema)), ()):
            yield Fault(node.where, what, node.replaced(value))


#: What ends a text in a query that it is pasted into, and stands for any text in a pattern.
QUOTES = "'\"%"


def unlike(known: Collection[str]) -> str:
    """
    An id that nothing has, written like the *known* ones: an EPOS with numbers for ids may not even look at a word.
    """
    model = next(iter(known), None)
    if model is None or re.fullmatch(r"[0-9a-fA-F-]{36}", model):
        return str(uuid.uuid4())
    while True:
        found = _scrambled(model)
        if found not in known:
            return found


def patterns(known: Iterable[str]) -> list[str]:
    """
    Ids that nothing has, and that one of the *known* ones is like where ``_`` and ``%`` stand for anything.
    """
    every = list(known)
    longest = max(every, key=len, default="")
    # Long enough that no character of it is all that is left where an EPOS drops what no id has.
    found = [f"{longest[:-1]}_", f"{longest[:-1]}%"] if len(longest) > 1 else []
    return [each for each in found if each not in every]


def _scrambled(model: str) -> str:
    chars = [random.choice(_class(each)) if _class(each) else each for each in model]  # noqa: S311 - no secret
    free = sum(bool(_class(each)) for each in model)
    last = next((_class(each) for each in reversed(model) if _class(each)), "0123456789")
    # Nine free places, so that no existing id is met by chance; a number must not start with 0.
    chars += random.choices(last, k=max(0, 9 - free))  # noqa: S311 - likewise
    return "9" + "".join(chars[1:]) if model.isdigit() else "".join(chars)


def _class(char: str) -> str:
    for each in ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        if char in each:
            return each
    return ""
