"""
``pytest --list-rules`` and ``--list-capabilities``: what there is to examine, for people and for programs.

The text has one line for each, so that ``grep`` and ``head`` work on it. The JSON is stable: members may be added, none
is renamed or removed.

* rules: ``[{id, level, basis, sentence, page, capability, transport, sources, examined}]``; ``capability`` is null for
  rules of a whole (``rest``, ``journeys``), ``transport`` is null for both, ``sources`` are ``key: place`` with a key
  of ``fixtures/sources.toml``, ``examined`` is the check (``file::function``), null while there is none.
* capabilities: ``[{name, registered, legacy, page, rest, ws, changes, products, rules}]``; ``rest`` is verb and path,
  ``ws`` the method, ``products`` maps names to ``required`` or ``optional``, ``rules`` is how many there are about it.
"""

from __future__ import annotations

import json

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from epos_conformance import _asked, _contracts, _rules
from epos_conformance._contracts import Capability
from epos_conformance._rules import Rule


def rules(form: str = "text", wanted: Callable[[Rule], bool] = lambda _: True) -> str:
    """Every rule that is *wanted*: a line for each, or as JSON where *form* says so."""
    found = [each for each in _rules.rules().values() if wanted(each)]
    if form == "json":
        return json.dumps([_rule(each) for each in found], indent=2)
    return "\n".join(line(each) for each in found)


def line(rule: Rule) -> str:
    """*rule* in a line: level, id, sentence."""
    return f"{rule.level:6} {rule.id:62} {rule.sentence}"


def names(rule: Rule) -> Iterator[frozenset[str]]:
    """What pytest knows each check of *rule* by, for ``-k`` and, as far as they are marks, for ``-m``."""
    check = _asked.check_of(rule)
    function, file = (check.name, check.file.rpartition("/")[2]) if check else ("", "")
    cases = [f"@{each.name}" for each in _contracts.capabilities().values() if rule.per in each.selectors] or [""]
    for transport in (rule.transport,) if rule.transport else ("rest", "ws"):
        for case in cases:
            yield frozenset({str(rule.level), transport, "check", file, f"{function}[{transport}-{rule.id}{case}]"})


def _rule(rule: Rule) -> dict[str, Any]:
    check = _asked.check_of(rule)
    return {
        "id": rule.id,
        "level": str(rule.level),
        "basis": str(rule.basis),
        "sentence": rule.sentence,
        "page": rule.page,
        "capability": rule.capability,
        "transport": rule.transport,
        "sources": list(rule.sources),
        "examined": f"{check.file}::{check.name}" if check else None,
    }


def capabilities(form: str = "text") -> str:
    """Every capability: a line for each, or as JSON where *form* says so."""
    count = Counter(each.capability for each in _rules.rules().values())
    found = _contracts.capabilities().values()
    if form == "json":
        return json.dumps([_capability(each, count[each.name]) for each in found], indent=2)
    return "\n".join(
        f"{each.name:24} {each.http_method:6} {each.path:36} {each.ws_method:26} {_products(each)}".rstrip()
        for each in found
    )


def _capability(capability: Capability, count: int) -> dict[str, Any]:
    return {
        "name": capability.name,
        "registered": list(capability.registered),
        "legacy": list(capability.legacy),
        "page": capability.page,
        "rest": f"{capability.http_method} {capability.path}",
        "ws": capability.ws_method,
        "changes": capability.changes,
        "products": dict(capability.products),
        "rules": count,
    }


def _products(capability: Capability) -> str:
    """``pay-at-table, qr-pay (optional)``."""
    return ", ".join(
        name if need == "required" else f"{name} ({need})" for name, need in capability.products.items()
    )  # fmt: skip
