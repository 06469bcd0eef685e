"""
The options that print something and run no check.
"""

from __future__ import annotations

import sys

import pytest

from epos_conformance import _explain, _lists
from epos_conformance._console import say


def answer(rule: str | None, rules: str | None, capabilities: str | None) -> int:
    """
    Print what was asked for: *rule* explained, all *rules* or all *capabilities* in that form; the exit status.

    Raises `pytest.UsageError` for a rule that there is not.
    """
    try:
        if rule is not None:
            _say(_explain.explain(rule))
        if rules is not None:
            _say(_lists.rules(rules))
        if capabilities is not None:
            _say(_lists.capabilities(capabilities))
    except _explain.UnknownRule as error:
        raise pytest.UsageError(str(error)) from None
    return 0


def _say(text: str) -> None:
    # A terminal's encoding may have less than Unicode.
    encoding = sys.stdout.encoding or "utf-8"
    say(text.encode(encoding, "backslashreplace").decode(encoding))
