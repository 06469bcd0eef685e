"""
The contracts agree with Dojo's published specifications, but where those contradict themselves or each other.

Schemas are compared structurally, keyword by keyword. Each difference is a line such as
``CreateParty rest request $.tableIds: minItems 1 here, minLength 1 published``, and has to be accounted for in
``fixtures/contradictions.toml``; a line there that no longer occurs fails too.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _contracts, _rules, _suite, schema
from epos_conformance._contracts import Capability
from epos_conformance.transports import DOJO_HEADERS


#: The specifications are Dojo's, not ours to hand on: they lie beside the checkout of those who have them.
SPECIFICATIONS = Path(__file__).parents[3] / "shared" / "spec"
REST = SPECIFICATIONS / "epos-data.openapi.json"
WS = SPECIFICATIONS / "epos-data.asyncapi.yml"

where_published = pytest.mark.skipif(
    not (REST.is_file() and WS.is_file()), reason="the published specifications are not beside this checkout"
)

#: A schema with its references resolved and its annotations dropped; empty where anything goes.
Bare = dict[str, Any]

#: A schema, and the document that local references in it are relative to -> the schema referred to, and its document.
Resolve = Callable[[Mapping[str, Any], Any], tuple[Mapping[str, Any], Any]]

ANNOTATIONS = frozenset({"title", "description", "default", "example", "examples", "readOnly", "deprecated"})
#: What JSON Schema 2020-12 has no format for: the contracts say it with bounds, or leave it out.
SIZES: Mapping[str, Mapping[str, int]] = {"int32": {}, "int64": {"minimum": -(2**63), "maximum": 2**63 - 1}}
#: Compared by descending into them.
NESTED = ("properties", "items", "required", "anyOf")


# Reading


def bare(found: Mapping[str, Any], resolve: Resolve, base: Any = None) -> Bare:
    """
    *found* as it constrains values: references resolved, ``allOf`` and wrappers of one schema merged in.
    """
    own = {name: value for name, value in found.items() if name != "$ref"}
    result: Bare = {}
    if "$ref" in found:
        target, its_base = resolve({"$ref": found["$ref"]}, base)
        result = bare(target, resolve, its_base)
    for name in ("allOf", "oneOf", "anyOf"):
        options = own.get(name, ())
        if name == "allOf" or len(options) == 1:
            own.pop(name, None)
            for option in options:
                _merge(result, bare(option, resolve, base))
    kept = {name: _bare_value(name, value, resolve, base) for name, value in own.items() if _counts(name, value)}
    _merge(result, {**SIZES.get(own.get("format", ""), {}), **kept})
    return result


def _counts(name: str, value: Any) -> bool:
    return name not in ANNOTATIONS and not name.startswith("x-") and not (name == "format" and value in SIZES)


def _bare_value(name: str, value: Any, resolve: Resolve, base: Any) -> Any:
    if name == "properties":
        return {member: bare(each, resolve, base) for member, each in value.items()}
    if name in ("anyOf", "oneOf"):
        return [bare(each, resolve, base) for each in value]
    if name in ("items", "if", "then"):
        return bare(value, resolve, base)
    return sorted(value) if name in ("required", "enum") else value


def _merge(into: Bare, more: Bare) -> None:
    for name, value in more.items():
        if name == "properties":
            into["properties"] = {**into.get("properties", {}), **value}
        elif name == "required":
            into["required"] = sorted({*into.get("required", ()), *value})
        else:
            into[name] = value


def ours(found: Any) -> Bare:
    """A schema of a contract file."""
    return {} if found is True else bare(found, schema.resolve)


@cache
def rest_document() -> Mapping[str, Any]:
    """The published OpenAPI description."""
    found: Mapping[str, Any] = json.loads(REST.read_text(encoding="utf-8"))
    return found


@cache
def ws_document() -> Mapping[str, Any]:
    """The published AsyncAPI description."""
    yaml = pytest.importorskip("yaml", reason="reading the AsyncAPI description needs PyYAML")
    found: Mapping[str, Any] = yaml.safe_load(WS.read_text(encoding="utf-8"))
    return found


def published(found: Mapping[str, Any], document: Mapping[str, Any]) -> Bare:
    """A schema of a published description."""

    def resolve(referring: Mapping[str, Any], _: Any) -> tuple[Mapping[str, Any], Any]:
        name = str(referring["$ref"]).removeprefix("#/components/schemas/")
        return document["components"]["schemas"][name], None

    return bare(found, resolve)


# Comparing


def differences(here: Bare, there: Bare, where: str = "$") -> Iterator[str]:
    """
    Every place where two schemas ask for different things.
    """
    yield from _keywords(here, there, where)
    here, there = _nearest(here, there), _nearest(there, here)
    for member in sorted({*here.get("required", ()), *there.get("required", ())}):
        if (member in here.get("required", ())) != (member in there.get("required", ())):
            needs = ("required", "optional") if member in here.get("required", ()) else ("optional", "required")
            yield f"{where}.{member}: {needs[0]} here, {needs[1]} published"
    mine, theirs = here.get("properties", {}), there.get("properties", {})
    for member in sorted({*mine, *theirs}):
        if member not in theirs:
            yield f"{where}.{member}: there here, not published"
        elif member not in mine:
            yield f"{where}.{member}: not here, published"
        else:
            yield from differences(mine[member], theirs[member], f"{where}.{member}")
    if "items" in here and "items" in there:
        yield from differences(here["items"], there["items"], f"{where}.*")


def _keywords(here: Bare, there: Bare, where: str) -> Iterator[str]:
    """One line for all keywords of a place that differ; none where they agree."""
    differing = [name for name in {**here, **there} if name not in NESTED and here.get(name) != there.get(name)]
    if ("items" in here) != ("items" in there) and here.get("type") == there.get("type"):
        differing.append("items")
    if _options(here) != _options(there):
        differing.append("anyOf")
    if differing:
        yield f"{where}: {_told(here, differing)} here, {_told(there, differing)} published"


def _options(found: Bare) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in found.get("anyOf", ()))


def _told(found: Bare, names: list[str]) -> str:
    said = [_keyword(name, found[name]) for name in sorted(names) if name in found]
    return " and ".join(said) or "nothing"


def _keyword(name: str, value: Any) -> str:
    if name == "anyOf":
        return f"anyOf {', '.join(_option(each) for each in value)}"
    if name in ("if", "then", "items"):
        return name
    return f"{name} {' '.join(map(str, value)) if isinstance(value, list) else value}"


def _option(found: Bare) -> str:
    return str(found.get("type") or " ".join(found.get("required", ())))


def _nearest(found: Bare, other: Bare) -> Bare:
    """The option of *found* that has the type of *other*, so that the comparison goes on below it."""
    kinds = [each for each in found.get("anyOf", ()) if "type" in each and each["type"] == other.get("type")]
    return kinds[0] if kinds and "type" not in found else found


# What is compared


def rest_differences(capability: Capability) -> Iterator[str]:
    operation = rest_document()["paths"].get(capability.path, {}).get(capability.http_method.lower())
    name = f"{capability.name} rest"
    if operation is None:
        yield f"{name}: {capability.http_method} {capability.path} here, nothing published"
        return
    body = operation.get("requestBody")
    if (body is None) != (capability.request is None):
        yield f"{name} request: {'no ' if capability.request is None else ''}body here, the contrary published"
    elif body is not None:
        sent = published(body["content"]["application/json"]["schema"], rest_document())
        yield from (f"{name} request {each}" for each in differences(ours(capability.request), sent))
    content = operation["responses"]["200"].get("content", {})
    answer = published(content["application/json"]["schema"], rest_document()) if content else {}
    yield from (f"{name} response {each}" for each in differences(ours(capability.response["rest"]), answer))


def ws_differences(capability: Capability) -> Iterator[str]:
    name = f"{capability.name} ws"
    channel = ws_document()["channels"].get(capability.ws_method)
    if channel is None:
        yield f"{name}: {capability.ws_method} here, nothing published"
        return
    # From the partner's side: Dojo's requests are what it subscribes to.
    envelope = published(channel["subscribe"]["message"]["payload"], ws_document())["properties"]
    sent = {"type": "object", **_without(envelope.get("params", {}), "headers")}
    yield from (f"{name} request {each}" for each in differences(_with_ids(capability), sent))
    answer = published(channel["publish"]["message"]["payload"], ws_document())["properties"].get("result", {})
    yield from (f"{name} response {each}" for each in differences(ours(capability.response["ws"]), answer))


def _without(found: Bare, member: str) -> Bare:
    """*found* without a member of its own; the ids of the transport are compared elsewhere, or not at all."""
    result = copy.deepcopy(found)
    result.get("properties", {}).pop(member, None)
    result["required"] = [each for each in result.get("required", ()) if each != member]
    return result


def _with_ids(capability: Capability) -> Bare:
    """What goes into ``params``: the body, and the ids that REST has in the path."""
    found: Bare = {"type": "object"}
    ids = [each.ws for each in capability.ids]
    _merge(found, {"properties": {each: {"type": "string"} for each in ids}, "required": ids})
    _merge(found, ours(capability.request or {}))
    return found


@cache
def every_difference() -> tuple[str, ...]:
    known = _contracts.capabilities().values()
    return tuple(line for each in known for line in (*rest_differences(each), *ws_differences(each)))


@cache
def contradictions() -> list[dict[str, Any]]:
    """What the published sources contradict themselves in, and what the suite makes of it."""
    path = _suite.FIXTURES / "contradictions.toml"
    found: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["contradiction"]
    return found


def patterns() -> list[str]:
    return [pattern for each in contradictions() for pattern in each["differs"]]


@where_published
def test_every_difference_from_the_specifications_is_a_known_contradiction() -> None:
    unknown = [line for line in every_difference() if not any(fnmatchcase(line, each) for each in patterns())]
    assert not unknown, "fixtures/contradictions.toml does not account for\n" + "\n".join(unknown)


@where_published
def test_every_known_contradiction_still_occurs() -> None:
    gone = [each for each in patterns() if not any(fnmatchcase(line, each) for line in every_difference())]
    assert not gone, "differs no longer, take it out of fixtures/contradictions.toml:\n" + "\n".join(gone)


@where_published
def test_no_difference_is_listed_twice() -> None:
    for line in every_difference():
        assert sum(fnmatchcase(line, each) for each in patterns()) <= 1, line


@where_published
def test_every_published_operation_has_a_contract() -> None:
    known = {(each.http_method, each.path) for each in _contracts.capabilities().values()}
    published_here = {
        (verb.upper(), path)
        for path, verbs in rest_document()["paths"].items()
        for verb in verbs
        if verb != "parameters"
    }
    assert published_here <= known


@where_published
def test_every_published_channel_has_a_contract() -> None:
    assert set(ws_document()["channels"]) == {each.ws_method for each in _contracts.capabilities().values()}


@where_published
def test_the_descriptions_name_the_capabilities_as_the_contracts_do() -> None:
    for each in _contracts.capabilities().values():
        # "Capbility", as one of them spells it.
        *_, said = re.split(r"Capa?bilit(?:y|ies):", ws_document()["channels"][each.ws_method]["description"])
        named = re.findall(r"[A-Z]\w+(?::[a-z_]+\.[a-z_]+)?", said)
        # Some are given by their older name.
        assert set(named) <= {*each.registered, *each.legacy}, each.name
        assert named, each.name


@where_published
@pytest.mark.parametrize("document", [rest_document, ws_document])
def test_errors_are_those_of_the_specifications(document: Callable[[], Mapping[str, Any]]) -> None:
    here = ours({"$ref": "urn:epos:common#/$defs/EPOSError"})
    assert not list(differences(here, published({"$ref": "#/components/schemas/EPOSError"}, document())))


@where_published
def test_the_headers_are_those_of_the_specifications() -> None:
    names = {
        each["name"].lower() for each in rest_document()["components"]["parameters"].values() if each["in"] == "header"
    }
    assert names == {*DOJO_HEADERS, "waiter-id"}


# What the two tests above rest on


def test_a_difference_is_told_with_its_place_and_both_sides() -> None:
    here = {"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "items": {"type": "string"}}}}
    there = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "number"}}, "b": {}}}
    assert list(differences(here, there)) == [
        "$.a: required here, optional published",
        "$.a.*: type string here, type number published",
        "$.b: not here, published",
    ]


def test_annotations_and_wrappers_make_no_difference() -> None:
    document = {"components": {"schemas": {"A": {"type": "integer", "format": "int64", "title": "A number"}}}}
    wrapped = {"oneOf": [{"$ref": "#/components/schemas/A"}], "description": "Of something", "x-order": 1}
    assert published(wrapped, document) == {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}


def test_members_that_are_called_like_annotations_are_compared() -> None:
    here: Bare = {"properties": {"title": {"type": "string"}, "description": {"type": "string"}}}
    assert list(differences(published(here, {}), published({"properties": {"title": {"type": "string"}}}, {}))) == [
        "$.description: there here, not published"
    ]


def test_alternatives_are_compared_as_a_whole() -> None:
    here = {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert list(differences(published(here, {}), {})) == ["$: anyOf a, b here, nothing published"]


# The list of contradictions


def test_contradictions_have_ids_of_their_own() -> None:
    ids = [each["id"] for each in contradictions()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", each) for each in ids)


def test_contradictions_say_what_is_contradictory_and_what_the_suite_does() -> None:
    for each in contradictions():
        assert set(each) == {"id", "sentence", "decision", "sources", "touches", "differs"}, each["id"]
        for text in (each["sentence"], each["decision"]):
            assert text.endswith("."), each["id"]
            assert not re.search(r"\b(should|must)\b", text), each["id"]


def test_contradictions_name_rules_that_exist() -> None:
    for each in contradictions():
        assert each["touches"], each["id"]
        for pattern in each["touches"]:
            assert any(fnmatchcase(id, pattern) for id in _rules.rules()), (each["id"], pattern)


def test_contradictions_name_known_sources() -> None:
    for each in contradictions():
        assert each["sources"], each["id"]
        for source in each["sources"]:
            key, _, place = source.partition(": ")
            assert key in _rules.sources(), each["id"]
            assert place, each["id"]
