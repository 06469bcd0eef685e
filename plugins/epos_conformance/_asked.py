"""
What is known of a rule beside the catalogue: the check that examines it, the contradictions of the sources that it came
out of, EPOS systems that break it and EPOS systems that differ in the same place and don't.

Nothing here runs a check or imports pytest: checks are read as text.
"""

from __future__ import annotations

import ast
import inspect
import re
import tomllib

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from epos_conformance import _suite
from epos_conformance._rules import Rule


if TYPE_CHECKING:
    from epos_conformance.reference.faults import Defect, Variant

#: A method that more variants replace than this is about everything: they are related by their words, too.
_COMMON = 2
#: Letters that make two words the same: ``payment``, ``payments``.
_STEM = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    The test function that examines a rule.
    """

    name: str
    #: ``conformance/test_orders.py``.
    file: str
    line: int
    #: Its docstring: the first sentence is about a good EPOS, what follows says how it is examined.
    text: str
    #: Whether it runs once for each flow that the EPOS tester tool lists.
    listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """
    A place where the published sources contradict each other or themselves.
    """

    id: str
    sentence: str
    #: What the suite does about it.
    decision: str
    sources: tuple[str, ...]
    #: Ids of rules, or patterns of them as `fnmatch` has them.
    touches: tuple[str, ...]

    def concerns(self, rule: str) -> bool:
        """Whether the *rule* of that id came out of it."""
        return any(fnmatchcase(rule, each) for each in self.touches)


@cache
def checks() -> Mapping[str, Check]:
    """
    The checks by the rule that they are declared for, an id or a template (``*.unknown-id-is-not-found``).
    """
    found: dict[str, Check] = {}
    for path in sorted(_suite.CHECKS.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found.update((rule, _check(path, node, mark)) for rule, mark in _declared(node))
    return MappingProxyType(found)


def _declared(node: ast.FunctionDef) -> Iterator[tuple[str, ast.Call]]:
    for each in node.decorator_list:
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "check":
            (rule,) = each.args
            assert isinstance(rule, ast.Constant), "a check names its rule"
            yield str(rule.value), each


def _check(path: Path, node: ast.FunctionDef, mark: ast.Call) -> Check:
    return Check(
        name=node.name,
        file=f"{path.parent.name}/{path.name}",
        line=node.lineno,
        text=ast.get_docstring(node) or "",
        listed=any(each.arg == "listed" for each in mark.keywords),
    )


def check_of(rule: Rule) -> Check | None:
    """The check that examines *rule*; None where it is still to be written."""
    return checks().get(rule.template)


@cache
def contradictions() -> tuple[Contradiction, ...]:
    """Every known contradiction, in the order of the file."""
    document = tomllib.loads((_suite.FIXTURES / "contradictions.toml").read_text(encoding="utf-8"))
    return tuple(
        Contradiction(
            id=each["id"],
            sentence=each["sentence"],
            decision=each["decision"],
            sources=tuple(each["sources"]),
            touches=tuple(each["touches"]),
        )
        for each in document["contradiction"]
    )


def contradictions_of(*rules: Rule) -> list[Contradiction]:
    """The contradictions that any of *rules* came out of."""
    return [each for each in contradictions() if any(each.concerns(rule.id) for rule in rules)]


def defects_of(rule: Rule) -> list[Defect]:
    """The EPOS systems that break *rule*, each by a mistake of its own."""
    from epos_conformance.reference import faults

    return [each for each in faults.defects().values() if {rule.id, rule.template} & {*each.breaks}]


def freedoms_of(rule: Rule, most: int = 6) -> list[Variant]:
    """
    EPOS systems that keep *rule*, and differ from the reference where those that break it do: at most *most*.

    The same method of the till is replaced, so that they are about the same behaviour; the more telling come first.
    """
    from epos_conformance.reference import faults

    places = frozenset().union(*(_replaced(each) for each in defects_of(rule)))
    meant = _words(f"{rule.id} {rule.sentence}")
    ranked = []
    for number, each in enumerate(faults.variants().values()):
        shared = _replaced(each) & places
        alike = len(meant & _words(each.summary))
        rarest = min((_popular()[place] for place in shared), default=0)
        if shared and (alike or rarest <= _COMMON):
            ranked.append((-alike, rarest, number, each))
    return [each for *_, each in sorted(ranked, key=lambda entry: entry[:3])[:most]]


@cache
def _popular() -> Counter[tuple[str, str]]:
    """How many variants replace each method."""
    from epos_conformance.reference import faults

    return Counter(place for each in faults.variants().values() for place in _replaced(each))


@cache
def _replaced(fault: Variant) -> frozenset[tuple[str, str]]:
    """The methods of the reference that *fault* replaces: part of the till, and name."""
    from epos_conformance.reference.dojo import DojoLink
    from epos_conformance.reference.epos import ReferenceEpos
    from epos_conformance.reference.rest import RestShell
    from epos_conformance.reference.sockets import SocketShell

    parts = (ReferenceEpos, RestShell, SocketShell, DojoLink)
    found = set()
    for layer in fault.layers:
        base = next(each for each in parts if issubclass(layer, each))
        for each in layer.__mro__[: layer.__mro__.index(base)]:
            methods: Mapping[str, Any] = vars(each)
            found |= {(base.__name__, name) for name, value in methods.items() if inspect.isfunction(value)}
    return frozenset(found)


def _words(text: str) -> frozenset[str]:
    """The words of *text* that say something, shortened so that forms of one word are the same."""
    return frozenset(each[:_STEM] for each in re.findall(r"[a-z]{4,}", _SPLIT.sub(" ", text).lower())) - _EMPTY


_SPLIT = re.compile(r"(?<=[a-z])(?=[A-Z])")

#: Words that nearly every sentence has.
_EMPTY = frozenset(
    each[:_STEM]
    for each in re.findall(
        r"\w+",
        "answer answered called create dojo each every from have made make makes only order orders other party "
        "parties reservation reservations same search searches some table tables than that their them then there they "
        "till time times update what where which whose with",
    )
)
