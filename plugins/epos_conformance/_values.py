"""
Single values of settings, as users write them: read and validated, each fault one sentence.
"""

from __future__ import annotations

import difflib

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from epos_conformance._settings import Dial, Listen


#: How a key is given.
KEY = "--partner-api-key or DOJO_API_KEY"


class BadSetting(Exception):
    """
    A setting that can't be honoured; the text is one sentence for the user.
    """


def split(value: Any) -> list[str]:
    parts = [value] if isinstance(value, str) else value or []
    return [name.strip() for part in parts for name in part.split(",") if name.strip()]


def one_of(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1)
    advice = f"; did you mean {near[0]!r}?" if near else f": choose from {', '.join(names)}"
    raise BadSetting(f"{name!r} is no {what}{advice}")


SESSIONS = ("ws:", "wss:")


def session(value: str, what: str = "partner-ws") -> Listen | Dial:
    if what == "partner-ws" and value.strip().lower().startswith(SESSIONS):
        return Dial(checked("partner-ws", value, ("ws", "wss")))
    host, _, port = value.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadSetting(f"{what} {value!r} is {WANTED[what]}")
    return Listen(host or "127.0.0.1", int(port))


def checked(what: str, value: str, schemes: tuple[str, str]) -> str:
    try:
        parts = urlsplit(value.strip())
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        raise BadSetting(f"{what} {value!r} is no URL: {error}") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise BadSetting(f"{what} {value!r} is {WANTED[what]}")
    if parts.username or parts.password:
        instead = f"the key as {KEY}" if what == "dojo-api" else "them as --partner-auth=USER:PASSWORD or PARTNER_AUTH"
        raise BadSetting(f"{what} carries credentials: give {instead}")
    if parts.fragment or (parts.query and "ws" not in schemes):
        raise BadSetting(f"{what} {value!r} has a query or a fragment: give the base URL alone")
    return value.strip().rstrip("/")


WANTED = {
    "partner-url": "neither an http(s):// nor a ws(s):// URL with a host, nor 'reference'",
    "partner-ws": "neither [HOST:]PORT nor a ws(s):// URL with a host",
    "dojo-api": "neither an http(s):// URL with a host nor 'sandbox' or 'sandbox:[HOST:]PORT'",
}


def header(what: str, value: str | None) -> str | None:
    if value is not None and not (value.isascii() and value.isprintable() and value.strip()):
        raise BadSetting(f"{what} can't be the value of a header: printable ASCII it has to be")
    return value.strip() if value else None


def pair(what: str, value: Any) -> tuple[Path, Path] | None:
    files = split(value)
    if not files:
        return None
    if len(files) != 2:
        raise BadSetting(f"{what} takes two files, the certificate and its key, with a comma between them")
    found = [existing(what, each) for each in files]
    assert found[0] is not None
    assert found[1] is not None
    return found[0], found[1]


def existing(what: str, value: str | None) -> Path | None:
    if value is None:
        return None
    if not Path(value).is_file():
        raise BadSetting(f"{what}: there is no file {value!r}")
    return Path(value)


def number(what: str, value: Any, default: float, *, zero: bool = False) -> float:
    if value is None:
        return default
    try:
        number = float(value)
    except ValueError:
        raise BadSetting(f"{what} {value!r} is not a number") from None
    if not (number > 0 or (zero and number == 0)) or number == float("inf"):
        raise BadSetting(
            f"{what} {value} is out of range: give a {'number of at least 0' if zero else 'positive number'}"
        )
    return number


def count(what: str, value: Any, default: int, *, least: int = 0) -> int:
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise BadSetting(f"{what} {value!r} is not a whole number") from None
    if number < least:
        raise BadSetting(f"{what} {number} is out of range: give at least {least}")
    return number
