"""
The rule catalogue: everything the contract asks, read from ``fixtures/rules``.

A rule is one fact about a conforming EPOS. Written once as ``*.rule`` it holds for several capabilities and is
expanded here to one `Rule` for each of them, whose id never changes meaning.
"""

from __future__ import annotations

import re
import tomllib

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from epos_conformance import _contracts, _suite
from epos_conformance._contracts import Capability
from epos_conformance.verdict import Basis, Level


ID = re.compile(r"([A-Za-z][A-Za-z-]*)\.([a-z]+(-[a-z]+)*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One thing the contract asks.
    """

    id: str
    level: Level
    basis: Basis
    #: ``key: place``, the keys being those of ``fixtures/sources.toml``.
    sources: tuple[str, ...]
    #: What a conforming EPOS does, in one sentence.
    sentence: str
    #: The page of the documentation it belongs to.
    page: str
    #: The id as written, ``*.unknown-id-is-not-found``; the same as `id` where it holds for one capability only.
    template: str
    #: The capability it is about; None for rules of a transport as a whole.
    capability: str | None
    #: The only transport it holds on; None for both.
    transport: str | None
    #: The selector of the capabilities that it is examined with, each a case of its own.
    per: str | None


def _selected(selector: str | list[str]) -> Iterator[Capability]:
    for each in _contracts.capabilities().values():
        if each.name in selector if isinstance(selector, list) else selector in each.selectors:
            yield each


def _expand(page: str, defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[Rule]:
    prefix, _, rest = entry["id"].partition(".")
    selected = _selected(entry["applies-to"]) if prefix == "*" else [_contracts.capabilities().get(prefix)]
    for capability in selected:
        name = capability.name if capability else None
        yield Rule(
            id=f"{name}.{rest}" if prefix == "*" else entry["id"],
            level=Level(entry["level"]),
            basis=Basis(entry["basis"]),
            sources=tuple(entry["source"]),
            sentence=entry["sentence"].replace("{capability}", name or ""),
            page=capability.page if capability else page,
            template=entry["id"],
            capability=name,
            transport=entry.get("transport", defaults.get("transport")),
            per=entry.get("per"),
        )


@cache
def rules() -> Mapping[str, Rule]:
    """
    The whole catalogue by id, in the order of the files.

    Raises ValueError where two rules share an id or an id is not one.
    """
    found: dict[str, Rule] = {}
    for path in sorted((_suite.FIXTURES / "rules").glob("*.toml")):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        for entry in document["rule"]:
            for rule in _expand(document["page"], document, entry):
                if rule.id in found:
                    raise ValueError(f"{path.name}: rule id {rule.id!r} is already taken")
                if not ID.fullmatch(rule.id):
                    raise ValueError(f"{path.name}: {rule.id!r} is not a rule id; write Capability.kebab-case")
                found[rule.id] = rule
    return MappingProxyType(found)


@cache
def by_template() -> Mapping[str, tuple[Rule, ...]]:
    """The rules by the id they were written under."""
    found: dict[str, list[Rule]] = {}
    for rule in rules().values():
        found.setdefault(rule.template, []).append(rule)
    return MappingProxyType({template: tuple(each) for template, each in found.items()})


@cache
def sources() -> Mapping[str, Mapping[str, str]]:
    """Where the rules come from: key -> title and url."""
    return MappingProxyType(tomllib.loads((_suite.FIXTURES / "sources.toml").read_text(encoding="utf-8")))


def cite(source: str) -> str:
    """``rest-spec: POST /v1/orders`` as a reader wants it."""
    key, _, place = source.partition(": ")
    return f"{sources()[key]['title']}, {place}" if place else sources()[key]["title"]
