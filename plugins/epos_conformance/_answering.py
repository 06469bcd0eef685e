"""
The options that print something and run no check.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from epos_conformance import _explain, _lists
from epos_conformance._console import say
from epos_conformance._rules import Rule


def answer(
    rule: str | None, rules: str | None, capabilities: str | None, *, keywords: str = "", marks: str = ""
) -> int:
    """
    Print what was asked for: *rule* explained, *rules* or all *capabilities* in that form; the exit status.

    Of the rules those are listed that ``-k`` *keywords* and ``-m`` *marks* select a check of.

    Raises `pytest.UsageError` for a rule that there is not, and for an expression that is none.
    """
    try:
        if rule is not None:
            _say(_explain.explain(rule))
        if rules is not None:
            _say(_lists.rules(rules, _selected(keywords, marks)))
        if capabilities is not None:
            _say(_lists.capabilities(capabilities))
    except _explain.UnknownRule as error:
        raise pytest.UsageError(str(error)) from None
    return 0


def _selected(keywords: str, marks: str) -> Callable[[Rule], bool]:
    """Whether a rule has a check that pytest selects by these; empty ones select everything."""
    if not keywords.strip() and not marks.strip():
        return lambda _: True
    # pytest's own, so that it means the same; it offers no public way to it.
    from _pytest.mark import _parse_expression

    keyword = _parse_expression(keywords, "Wrong expression passed to '-k'") if keywords.strip() else None
    mark = _parse_expression(marks, "Wrong expression passed to '-m'") if marks.strip() else None

    def wanted(rule: Rule) -> bool:
        return any(
            (keyword is None or keyword.evaluate(_Within(each))) and (mark is None or mark.evaluate(_Among(each)))
            for each in _lists.names(rule)
        )

    return wanted


class _Among:
    """Whether a name is one of these, as ``-m`` has it."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def __call__(self, name: str, /, **arguments: str | int | bool | None) -> bool:
        # No mark of a check that can be asked for has arguments.
        return name in self._names and not arguments


class _Within(_Among):
    """Whether it is a part of one of these in any case, as ``-k`` has it."""

    def __call__(self, name: str, /, **arguments: str | int | bool | None) -> bool:
        if arguments:
            raise pytest.UsageError("Keyword expressions do not support call parameters.")
        return any(name.lower() in each.lower() for each in self._names)


def _say(text: str) -> None:
    if text:
        say(text)
