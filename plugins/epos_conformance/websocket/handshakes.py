"""
What an EPOS says of itself when it dials: the headers of its handshake, judged where they arrive.

The key leaves this module nowhere: what is told of it is whether it is the right one, and how it is spelt.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from epos_conformance._masking import MASK, Masker


PREFIXES = ("sk_sandbox_", "sk_prod_")

#: A key, wherever it is.
_KEYS = re.compile(rf"(?:{'|'.join(PREFIXES)})[\w.~+/=-]+")

#: Words that may stand before a key; any other may be part of it.
_SCHEMES = frozenset({"basic", "bearer", "digest", "token", "key", "apikey", "api-key"})

#: How much of a header is kept, in characters.
_MOST_SHOWN = 1_000

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
    scheme, key = _parts(named.get("authorization", ""))
    secrets = set(_KEYS.findall(" ".join((path, *(value for _, value in given)))))
    faults: dict[str, tuple[str, str, str, str | None]] = {}
    if scheme.lower() != "basic":
        known = scheme.lower().rstrip(":") in _SCHEMES
        if scheme and not known:
            secrets.add(scheme)
        faults[SCHEME] = (
            "the Authorization header",
            "'Basic', a space and the API key",
            f"{scheme if known else MASK!r} and {MASK}" if scheme else "the key alone" if key else "no such header",
            None if scheme or key else "the client library sends no headers of its own with the handshake",
        )
    decoded = _decoded(key)
    is_a_key = decoded is not None and (decoded == expected.key or decoded.startswith(PREFIXES))
    raw = decoded if decoded is not None and is_a_key and key != expected.key else key
    secrets.update((key, raw, _password(key)))
    secrets.discard("")
    mask = Masker(secrets)
    if fault := _key_fault(key, decoded, expected.key):
        faults[KEY] = fault
    if not raw.startswith(PREFIXES):
        faults[PREFIX] = (
            "the API key",
            " or ".join(PREFIXES) + "...",
            f"{len(raw)} characters that begin otherwise",
            None,
        )
    _compare(faults, SOFTWARE_HOUSE, named, "software-house-id", expected.software_house_id, mask)
    _compare(faults, RESELLER, named, "reseller-id", expected.reseller_id, mask)
    return Handshake(
        path=mask(path)[:_MOST_SHOWN],
        headers=[(name, mask(value)[:_MOST_SHOWN]) for name, value in given if name.lower() != "sec-websocket-key"],
        faults=faults,
        authentic=None if expected.key is None else _is_one_of(expected.key, key, decoded or ""),
        secrets=tuple(sorted(secrets)),
    )


def _is_one_of(key: str, *given: str) -> bool:
    """Whether *key* is among those *given*; equally long in finding out, however wrong they are."""
    forms = [each.encode("utf-8", "surrogatepass") for each in (key, *given)]
    return sum(hmac.compare_digest(forms[0], each) for each in forms[1:]) > 0


def _parts(authorization: str) -> tuple[str, str]:
    """The scheme and what follows it, or what is there of the two."""
    first, *rest = authorization.split(None, 1) or [""]
    if rest:
        return first, rest[0].strip()
    return (first, "") if first.lower().rstrip(":") in _SCHEMES else ("", first)


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
    if any(each in key for each in PREFIXES) and not _KEYS.fullmatch(key):
        return where, wanted, "the key among other characters", None
    return None


def _decoded(key: str) -> str | None:
    """The key that *key* stands for in Base64, alone or as user or password; None where it is none."""
    text = _read(key)
    if text is None:
        return None
    user, _, password = text.partition(":")
    return password if password.startswith(PREFIXES) or not user else user


def _password(key: str) -> str:
    return (_read(key) or "").partition(":")[2]


def _read(key: str) -> str | None:
    try:
        text = base64.b64decode(key, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return text if text.isprintable() and not key.startswith(PREFIXES) else None


def _compare(
    faults: dict[str, tuple[str, str, str, str | None]],
    rule: str,
    headers: Mapping[str, str],
    name: str,
    expected: str | None,
    mask: Masker,
) -> None:
    seen = headers.get(name)
    if not seen:
        faults[rule] = (f"the {name} header", expected or "a value", "an empty one" if seen == "" else "none", None)
    elif expected is not None and seen != expected:
        faults[rule] = (f"the {name} header", expected, mask(seen)[:_MOST_SHOWN], None)
