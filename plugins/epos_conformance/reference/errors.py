"""
How the reference EPOS says no.
"""

from __future__ import annotations

from typing import Literal


ErrorType = Literal["NotFound", "UnexpectedError", "InvalidRequest", "Conflict"]


class EposError(Exception):
    """
    A refusal that goes back to Dojo as an EPOSError.
    """

    def __init__(self, error_type: ErrorType, debug_message: str) -> None:
        super().__init__(error_type, debug_message)
        self.error_type = error_type
        self.debug_message = debug_message

    def __str__(self) -> str:
        return f"{self.error_type}: {self.debug_message}"


def not_found(what: str, name: str) -> EposError:
    """There is no *what* of that *name*."""
    return EposError("NotFound", f"there is no {what} {name!r}")


def invalid(why: str) -> EposError:
    """The request is malformed, whatever the state of the till."""
    return EposError("InvalidRequest", why)


def conflict(why: str) -> EposError:
    """The request is well formed, and the state of the till forbids it."""
    return EposError("Conflict", why)
