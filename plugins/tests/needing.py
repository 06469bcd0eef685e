"""
Which capabilities each check may find missing, besides its own: read off the code, from a check to whatever it calls.
"""

from __future__ import annotations

import ast
import re

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from epos_conformance import _contracts, _suite
from epos_conformance.bookings.kinds import PARTY, RESERVATION


#: Whose code is never part of a check, or refuses on behalf of whoever calls it.
_ELSEWHERE = {"sandbox", "reference", "report", "tests"}
_OPAQUE = {"Partner", "Session", "Journey", "require_offered", "require_maker"}

Name = tuple[str, str]


def needed() -> Mapping[str, set[str]]:
    """
    Template -> the capabilities that its check gives up without; what depends on the capability examined is left out.
    """
    found = {}
    for module, definitions in _modules().items():
        for name, node in definitions.items():
            for template in _templates(node) if module.startswith("conformance.") else ():
                if not template.startswith("journeys."):
                    found[template] = _of(template, (module, name))
    return {template: names for template, names in found.items() if names}


def _of(template: str, check: Name) -> set[str]:
    """What is missing wherever one gets to from *check*."""
    seen: set[Name] = set()
    left, found = [check], set()
    while left:
        module, name = left.pop()
        if (module, name) in seen or name in _OPAQUE:
            continue
        seen.add((module, name))
        node = _modules()[module][name]
        for text in _missing(node):
            found |= _named(text, template)
        left += _called(module, node)
    return found - {template.partition(".")[0]}


def _missing(node: ast.AST) -> Iterator[str]:
    """What is demanded in *node*, as it is written there."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and ast.unparse(each.func).endswith("require_offered"):
            yield from map(ast.unparse, each.args[1:])
        elif isinstance(each, ast.Raise) and each.exc is not None and "NotOffered(" in ast.unparse(each.exc):
            yield ast.unparse(each.exc)


def _named(text: str, template: str) -> set[str]:
    """The capabilities that *text* is about, in the check of *template*."""
    text = re.sub(r"\b(?:paying\.)?RECORD\b", "RecordOrderPaymentById", re.sub(r"\bREAD\b", "GetOrderById", text))
    kind = (
        RESERVATION if re.match(r"\w*Reservation|.*-reservation", template) and "CreateParty" not in template else PARTY
    )
    text = re.sub(r"MAKERS\[\w+\]", kind.create, text)
    if member := re.fullmatch(r"(?:own\.)?(?:kind|PARTY|RESERVATION)\.(\w+)", text):
        return {getattr(kind, member[1])}
    return {*re.findall(r"[A-Za-z]+", text)} & {*_contracts.capabilities()}


def _called(module: str, node: ast.AST) -> Iterator[Name]:
    """What *node* refers to."""
    own = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    own |= {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
    for each in ast.walk(node):
        found = None
        if isinstance(each, ast.Name) and each.id not in own:
            found = _resolved(module, each.id)
        elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id not in own:
            where = _imports()[module].get(each.value.id, ("", None))
            found = _resolved(where[0], each.attr) if where[1] is None else None
        if found is not None:
            yield found


def _resolved(module: str, name: str) -> Name | None:
    if module not in _modules():
        return None
    if name in _modules()[module]:
        return module, name
    where, what = _imports()[module].get(name, ("", None))
    return _resolved(where, what) if what is not None else None


def _templates(node: ast.AST) -> Iterator[str]:
    for each in getattr(node, "decorator_list", ()):
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "check":
            assert isinstance(each.args[0], ast.Constant)
            yield str(each.args[0].value)


@cache
def _trees() -> Mapping[str, ast.Module]:
    package = Path(_suite.__file__).parent
    paths = [each for each in package.rglob("*.py") if not _ELSEWHERE & {*each.relative_to(package).parts}]
    found = {_module(each.relative_to(package.parent)): each for each in paths}
    found |= {f"conformance.{each.stem}": each for each in _suite.CHECKS.glob("test_*.py")}
    return {name: _Heard().visit(ast.parse(path.read_text("utf-8"))) for name, path in found.items()}


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


class _Heard(ast.NodeTransformer):
    """Leaves out what is caught: a check that goes on without a capability is not done."""

    def visit_Try(self, node: ast.Try) -> ast.AST:
        for each in node.handlers:
            if "NotOffered" in ast.unparse(each.type or each) and not _raises(each.body):
                node.body = [ast.Pass()]
        return self.generic_visit(node)

    def visit_With(self, node: ast.With) -> ast.AST:
        if any(re.match(r"contextlib\.suppress\(.*NotOffered", ast.unparse(each)) for each in node.items):
            node.body = [ast.Pass()]
        return self.generic_visit(node)


def _raises(body: Iterable[ast.stmt]) -> bool:
    return any(isinstance(each, ast.Raise) for one in body for each in ast.walk(one))


@cache
def _modules() -> Mapping[str, Mapping[str, ast.AST]]:
    """Module -> what is defined at its top, by name."""
    found: dict[str, dict[str, ast.AST]] = {}
    for name, tree in _trees().items():
        found[name] = {}
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found[name][node.name] = node
            for each in getattr(node, "targets", [getattr(node, "target", None)]):
                if isinstance(each, ast.Name):
                    found[name][each.id] = node
    return found


@cache
def _imports() -> Mapping[str, Mapping[str, tuple[str, str | None]]]:
    """Module -> name -> where that is from: a module, and the name in it; None where it is a module itself."""
    found: dict[str, dict[str, tuple[str, str | None]]] = {}
    for name, tree in _trees().items():
        found[name] = {}
        for node in ast.walk(tree):
            for each in node.names if isinstance(node, ast.ImportFrom) and node.module else ():
                assert isinstance(node, ast.ImportFrom)
                inner = f"{node.module}.{each.name}"
                whole = inner in _trees()
                found[name][each.asname or each.name] = (inner, None) if whole else (str(node.module), each.name)
    return found
