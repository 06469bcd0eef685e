"""
Whose request it is: the key of the Authorization header, as it is and not in Base64, stands for an account.

Keys are kept nowhere: an account is known by a digest of its key.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import hmac
import re

from collections.abc import Iterable, Mapping

from epos_conformance.sandbox.problems import Problem


PREFIX = "sk_sandbox_"

#: Anything that looks like a key, to be masked.
KEYS = re.compile(r"sk_(?:sandbox|prod)_[\w.~+/=-]*")

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Keys:
    """
    The keys that are accepted: those *given*, or any sandbox key where none is.
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._given = tuple(given)

    def account(self, authorization: str | None) -> str:
        """
        The account that the Authorization header is for; raises `Problem` where it is for none.
        """
        scheme, key = parts(authorization)
        if not key or scheme.lower() != "basic":
            seen = "it is missing" if not authorization else "it has another scheme" if key else "it has no key"
            raise _unauthorized(f"the Authorization header is 'Basic', a space and the API key: {seen}")
        if self._is_known(key):
            return digest(key)
        if any(self._is_known(each) for each in _decoded(key)):
            raise _unauthorized("the API key is sent as it is: this one is encoded in Base64, as for user and password")
        if key.startswith("sk_prod_"):
            raise _unauthorized(f"this is a sandbox, and a production key is for Dojo alone: {PREFIX}... is taken here")
        if not key.startswith(PREFIX):
            raise _unauthorized(f"the API key does not begin with {PREFIX}")
        raise _unauthorized("the API key is not known")

    def spelt(self, authorization: str | None) -> str:
        """
        How the Authorization header is spelt: ``raw``, ``base64``, ``missing`` or ``other``.
        """
        scheme, key = parts(authorization)
        if not key:
            return "missing"
        if scheme.lower() != "basic":
            return "other"
        if self._is_known(key):
            return "raw"
        return "base64" if any(each.startswith(PREFIX) for each in _decoded(key)) else "other"

    def owner(self, authorization: str | None) -> str | None:
        """The account that the header is meant for, however it is spelt; None where nobody can tell."""
        _, key = parts(authorization)
        return next((digest(each) for each in (key, *_decoded(key)) if self._is_known(each)), None)

    def _is_known(self, key: str) -> bool:
        if not self._given:
            return key.startswith(PREFIX) and len(key) > len(PREFIX)
        wanted = key.encode("utf-8", "surrogateescape")
        return sum(hmac.compare_digest(each.encode(), wanted) for each in self._given) > 0


def require_headers(headers: Mapping[str, str], *, version: bool) -> None:
    """
    Demand Dojo's headers: who made the EPOS, and which *version* of the API is meant where that matters.

    Raises `Problem`.
    """
    errors = {}
    if not headers.get("software-house-id", "").strip():
        errors["software-house-id"] = ["The header is required."]
    given = headers.get("version")
    if given is None and version:
        errors["version"] = ["The header is required."]
    elif given is not None and not _is_date(given):
        errors["version"] = ["A version is a date: yyyy-mm-dd."]
    if errors:
        raise Problem(400, errors=errors)


def digest(key: str) -> str:
    """What the account of *key* is called."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def parts(authorization: str | None) -> tuple[str, str]:
    """Scheme and key of the header; each may be empty."""
    first, _, rest = (authorization or "").strip().partition(" ")
    return (first, rest.strip()) if rest else ("", first) if first.startswith("sk_") else (first, "")


def _decoded(key: str) -> list[str]:
    """What *key* may stand for in Base64: the key alone, or as user or password."""
    try:
        text = base64.b64decode(key, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return []
    user, _, password = text.partition(":")
    return [each for each in (text, user, password) if each]


def _is_date(text: str) -> bool:
    if not _VERSION.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _unauthorized(detail: str) -> Problem:
    return Problem(401, detail, headers={"www-authenticate": 'Basic realm="Dojo sandbox"'})
