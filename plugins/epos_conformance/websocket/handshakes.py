"""
What an EPOS says of itself when it dials: the headers of its handshake, judged where they arrive.

The key leaves this module nowhere: what is told of it is whether it is the right one, and how it is spelt.
"""

from __future__ import annotations

import base64
import binascii

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from epos_conformance._masking import MASK, Masker


PREFIXES = ("sk_sandbox_", "sk_prod_")

#: Rules of the handshake.
SCHEME = "ws.authorization-names-the-basic-scheme"
KEY = "ws.authorization-carries-the-raw-key"
SOFTWARE_HOUSE = "ws.sends-the-software-house-id"
RESELLER = "ws.sends-the-reseller-id"
PREFIX = "ws.key-has-a-known-prefix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """
    What a handshake should carry; None for what the user didn't say.
    """

    key: str | None = field(default=None, repr=False)
    software_house_id: str | None = None
    reseller_id: str | None = None


@dataclass(slots=True)
class Handshake:
    """
    One handshake: its headers without the key, and what is wrong with them.
    """

    #: ``/epos``, with the query that came along.
    path: str
    headers: list[tuple[str, str]]
    #: Rule -> (where, expected, seen, likely cause or None).
    faults: dict[str, tuple[str, str, str, str | None]]
    #: Whether the key is the expected one, however it is spelt; None where none is expected.
    authentic: bool | None
    #: Secrets that it was told, for masking.
    secrets: tuple[str, ...] = field(repr=False)
    #: Why it was refused: HTTP status and a sentence.
    refused: tuple[int, str] | None = None
    #: The number of the session that it opened.
    session: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "headers": [list(each) for each in self.headers],
            "faults": {rule: list(fault) for rule, fault in self.faults.items()},
            "refused": list(self.refused) if self.refused else None,
            "session": self.session,
        }


def read(path: str, headers: Iterable[tuple[str, str]], expected: Expected) -> Handshake:
    """
    The handshake with these *headers*, compared with what was *expected*.
    """
    given = list(headers)
    named: Mapping[str, str] = {name.lower(): value.strip() for name, value in given}
    authorization = named.get("authorization", "")
    scheme, _, credentials = authorization.partition(" ")
    has_scheme = scheme.lower() == "basic" and bool(credentials.strip())
    key = credentials.strip() if has_scheme else authorization
    faults: dict[str, tuple[str, str, str, str | None]] = {}
    if not has_scheme:
        faults[SCHEME] = (
            "the Authorization header",
            "'Basic', a space and the API key",
            f"{scheme!r} and {MASK}" if credentials else "the key alone" if authorization else "no such header",
            None if authorization else "the client library sends no headers of its own with the handshake",
        )
    decoded = _decoded(key)
    raw = key if expected.key is None or decoded is None else key if key == expected.key else decoded
    if fault := _key_fault(key, decoded, expected.key):
        faults[KEY] = fault
    if not raw.startswith(PREFIXES):
        faults[PREFIX] = (
            "the API key",
            " or ".join(PREFIXES) + "...",
            f"{len(raw)} characters that begin otherwise",
            None,
        )
    _compare(faults, SOFTWARE_HOUSE, named, "software-house-id", expected.software_house_id)
    _compare(faults, RESELLER, named, "reseller-id", expected.reseller_id)
    secrets = tuple(dict.fromkeys(each for each in (key, raw) if each))
    mask = Masker(secrets)
    return Handshake(
        path=mask(path),
        headers=[(name, mask(value)) for name, value in given if name.lower() != "sec-websocket-key"],
        faults=faults,
        authentic=None if expected.key is None else expected.key in (key, decoded),
        secrets=secrets,
    )


def _key_fault(key: str, decoded: str | None, expected: str | None) -> tuple[str, str, str, str | None] | None:
    where, wanted = "the API key in the Authorization header", "the key as it is"
    if not key:
        return where, wanted, "none", None
    encoded = f"{len(key)} characters of Base64 that stand for the key"
    cause = "the client library's Basic authentication encodes it: set the header by hand"
    if expected is not None:
        if key == expected:
            return None
        if decoded == expected:
            return where, wanted, encoded, cause
        return where, "the key that the suite was given (--partner-api-key)", "another one", None
    if decoded is not None and decoded.startswith(PREFIXES):
        return where, wanted, encoded, cause
    return None


def _decoded(key: str) -> str | None:
    """The key that *key* stands for in Base64, alone or as user or password; None where it is none."""
    try:
        text = base64.b64decode(key, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    if not text.isprintable() or key.startswith(PREFIXES):
        return None
    user, _, password = text.partition(":")
    return password if password.startswith(PREFIXES) or not user else user


def _compare(
    faults: dict[str, tuple[str, str, str, str | None]],
    rule: str,
    headers: Mapping[str, str],
    name: str,
    expected: str | None,
) -> None:
    seen = headers.get(name)
    if not seen:
        faults[rule] = (f"the {name} header", expected or "a value", "an empty one" if seen == "" else "none", None)
    elif expected is not None and seen != expected:
        faults[rule] = (f"the {name} header", expected, seen, None)
