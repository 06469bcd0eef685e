"""
How a check ends other than by finding the rule kept.

::

    Outcome
     +-- Violation            the EPOS breaks the rule                        -> violates
     +-- NotOffered           it does not claim what the rule is about        -> not-offered
     +-- Inconclusive         the rule could not be examined                  -> inconclusive
          +-- Unreachable     no connection, or none any more
          +-- Unanswered      connected, but no answer within the time limit
          +-- BrokenAnswer    an answer that breaks off, has no end or is not HTTP
          |    +-- SessionLost        the session ended before the answer came
          |         +-- ProtocolBroken    because of what the EPOS sent
          +-- Astray          an answer that carries the id of no request
          +-- Unauthorized    the partner refuses the credentials it was given

Anything else that escapes a check is a fault of the suite, which is inconclusive too.
The texts are whole: the terminal, the certificate and Allure show them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from epos_conformance.verdict import Finding


class Violation(AssertionError):
    """
    The EPOS breaks the rule that is being examined.

    An `AssertionError`, so that pytest and Allure call it a failure.
    """

    def __init__(self, *findings: Finding, hint: str | None = None) -> None:
        super().__init__(*findings)
        self.findings: Sequence[Finding] = findings
        #: The likely causes, each once, where they can be guessed.
        self.hints = tuple(dict.fromkeys(each for each in (hint, *(finding.hint for finding in findings)) if each))
        #: The step of a story that went wrong, and the rule that it breaks.
        self.within: str | None = None

    def __str__(self) -> str:
        step = [self.within] if self.within else []
        return "\n".join([*step, *map(str, self.findings), *(f"likely cause: {each}" for each in self.hints)])


class NotOffered(Exception):
    """
    The partner does not claim what the rule is about, or the user forbade examining it.
    """


class Inconclusive(Exception):
    """
    The rule could not be examined; the text says why, and what would help.
    """


class Unreachable(Inconclusive):
    """
    The partner could not be reached.
    """


class Unanswered(Inconclusive):
    """
    The partner took the request and did not answer it within the time limit.
    """


class BrokenAnswer(Inconclusive):
    """
    The partner's answer breaks off, has no end, or is not HTTP at all.
    """

    def __init__(self, message: str, *, nothing_came: bool = False) -> None:
        super().__init__(message)
        #: Whether the connection ended before the head of an answer.
        self.nothing_came = nothing_came


class SessionLost(BrokenAnswer):
    """
    The EPOS's session ended before the answer came.
    """


class ProtocolBroken(SessionLost):
    """
    The session was closed by the suite, because what the EPOS sent is no message, no text, or has no end.
    """


class Astray(Inconclusive):
    """
    The EPOS answered, but under an id that isn't the request's: what it says can be held against it in one way only.
    """


class Unauthorized(Inconclusive):
    """
    The partner refuses the credentials that the suite was given.
    """

    def __init__(self, message: str, *, elsewhere: bool = False) -> None:
        super().__init__(message)
        #: Whether it accepts them for something else: then the refusal is the capability's fault, not the user's.
        self.elsewhere = elsewhere
