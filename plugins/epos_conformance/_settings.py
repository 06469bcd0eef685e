"""
What the user asked for: options, environment, ``partner.toml`` and defaults, in that order, validated once.

A setting that makes no sense raises `BadSetting` with one sentence; the plugin turns it into exit status 4.
"""

from __future__ import annotations

import datetime
import difflib
import os
import re
import shlex
import tomllib

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from epos_conformance import _contracts, _masking, _suite, schema
from epos_conformance._options import OPTIONS


REFERENCE = "reference"
DEFAULT_FILE = "partner.toml"


class BadSetting(Exception):
    """
    A setting that can't be honoured; the text is one sentence for the user.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """
    A violation that the partner and Dojo know about.
    """

    rule: str
    reason: str
    #: The last day it counts.
    until: datetime.date

    def ended(self, today: datetime.date | None = None) -> bool:
        return self.until < (today or datetime.date.today())


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownData:
    """
    Test data that the partner names: ids that exist, items that are sold.
    """

    currency: str | None = None
    #: ``DineIn``, ``Collection``; whatever is tried, where none is named.
    order_types: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    cancelable_orders: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    waiters: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    reservations: tuple[str, ...] = ()
    #: ``{plu, name, amount}``, the amount in minor units.
    items: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentSource:
    """
    Where the ids of payment intents come from; where neither is named, they are made up.
    """

    ids: tuple[str, ...] = ()
    #: Prints one; in parts, as no shell is involved.
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything a run needs to know, secrets included: they are in `auth` alone, and in no representation.
    """

    #: The REST base URL without a slash at its end, or `REFERENCE`.
    url: str
    auth: str | None = field(default=None, repr=False)
    ca: Path | None = None
    #: Canonical names of what is claimed; None where the suite has to find out.
    capabilities: tuple[str, ...] | None = None
    products: tuple[str, ...] = ()
    read_only: bool = False
    strict: bool = False
    #: Seconds.
    slow_after: float = 2.0
    fail_after: float = 10.0
    settle: float = 1.0
    #: How often calls are released at the same instant.
    race_rounds: int = 10
    #: How many unusual bodies are tried for each capability.
    depth: int = 30
    seed: int = 0
    #: Bytes, unpacked.
    max_reply: int = 10 * 2**20
    reports: Path = Path("reports")
    #: Capability -> URL or path that replaces the published one.
    urls: Mapping[str, str] = field(default_factory=dict)
    data: KnownData = field(default_factory=KnownData)
    intents: IntentSource = IntentSource()
    waivers: tuple[Waiver, ...] = ()
    pos: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(_masking.of_basic(self.auth)) if self.auth else ()

    def shown(self) -> dict[str, Any]:
        """
        The settings in force, for the report header and the certificate: secrets masked, files by name.
        """
        return {
            "partner-url": self.url,
            "partner-auth": f"{self.auth.partition(':')[0]}:{_masking.MASK}" if self.auth else None,
            "partner-ca": str(self.ca) if self.ca else None,
            "capabilities": list(self.capabilities) if self.capabilities is not None else None,
            "product": list(self.products),
            "partner": str(self.file) if self.file else None,
            "read-only": self.read_only,
            "strict": self.strict,
            "slow-after": self.slow_after,
            "fail-after": self.fail_after,
            "settle": self.settle,
            "race-rounds": self.race_rounds,
            "depth": self.depth,
            "seed": self.seed,
            "max-reply": self.max_reply,
            "reports": str(self.reports),
        }


def load(
    options: Mapping[str, Any], environ: Mapping[str, str] = os.environ, folder: Path | None = None
) -> Settings | None:
    """
    The settings of a run, or None where no partner is named anywhere.

    *options* are pytest's by `Option.dest`; *folder* is where ``partner.toml`` is looked for, the current one by
    default.

    Raises `BadSetting`.
    """
    named = options.get("epos_partner")
    path = Path(named) if named else (folder or Path.cwd()) / DEFAULT_FILE
    # Without an option or a variable that names a partner, a partner.toml that happens to lie here switches nothing on.
    asked = options.get("epos_partner_url") or environ.get("PARTNER_URL") or named
    if not asked:
        return None
    document = _read(path) if named or path.is_file() else {}

    raw: dict[str, Any] = {}
    for option in OPTIONS:
        value = options.get(option.dest)
        if value is None and option.environment:
            value = environ.get(option.environment) or None
        raw[option.key] = document.get(option.key) if value is None else value
    if not raw["partner-url"]:
        raise BadSetting(
            "no partner to check: pass --partner-url=URL, set PARTNER_URL, or name partner-url in the file"
        )

    products = tuple(_one_of("product", each, _contracts.products()) for each in _split(raw["product"]))
    settings = Settings(
        url=_url(raw["partner-url"]),
        auth=_auth(raw["partner-auth"]),
        ca=_existing("partner-ca", raw["partner-ca"]),
        capabilities=_claimed(_split(raw["capabilities"]), products),
        products=products,
        read_only=bool(raw["read-only"]),
        strict=bool(raw["strict"]),
        slow_after=_number("slow-after", raw["slow-after"], 2.0),
        fail_after=_number("fail-after", raw["fail-after"], 10.0),
        settle=_number("settle", raw["settle"], 1.0, zero=True),
        race_rounds=_count("race-rounds", raw["race-rounds"], 10, least=1),
        depth=_count("depth", raw["depth"], 30),
        seed=_count("seed", raw["seed"], 0),
        max_reply=int(max(1, _number("max-reply", raw["max-reply"], 10 * 2**20))),
        reports=Path(raw["reports"] or "reports").absolute(),
        urls=_urls(document.get("urls", {})),
        data=_known(document.get("data", {})),
        intents=_intents(document.get("payment-intents", {})),
        waivers=tuple(_waiver(each) for each in document.get("waivers", ())),
        pos=document.get("pos", {}),
        file=path if document else None,
    )
    if settings.slow_after > settings.fail_after:
        times = f"slow-after ({settings.slow_after:g} s) is above fail-after ({settings.fail_after:g} s)"
        raise BadSetting(f"{times}: nothing could be slow")
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"can't read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} is not TOML: {error}") from None
    # TOML has dates, JSON Schema has not.
    for waiver in document.get("waivers", ()) if isinstance(document.get("waivers"), list) else ():
        if isinstance(waiver, dict) and isinstance(waiver.get("until"), datetime.date):
            waiver["until"] = waiver["until"].isoformat()[:10]
    shape = _suite.read_json(_suite.FIXTURES / "partner.schema.json")
    try:
        found = schema.problems(shape, document)
    except (TypeError, ValueError):  # dates elsewhere
        raise BadSetting(f"{path} has a date or time where none belongs") from None
    if found:
        known = [*shape["properties"], *shape["properties"]["data"]["properties"]]
        raise BadSetting(f"{path}: at {found[0].where}: {found[0].message}{_did_you_mean(found[0].message, known)}")
    return document


def _did_you_mean(message: str, known: Iterable[str]) -> str:
    for word in message.split("'")[1::2]:
        if near := difflib.get_close_matches(word, list(known), 1):
            return "" if near[0] == word else f"; did you mean {near[0]!r}?"
    return ""


def _split(value: Any) -> list[str]:
    parts = [value] if isinstance(value, str) else value or []
    return [name.strip() for part in parts for name in part.split(",") if name.strip()]


def _one_of(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1)
    advice = f"; did you mean {near[0]!r}?" if near else f": choose from {', '.join(names)}"
    raise BadSetting(f"{name!r} is no {what}{advice}")


def _capability(name: str) -> str:
    if name in _contracts.PREVIEW:
        raise BadSetting(f"{name!r} is a preview without a published contract: it can't be checked yet")
    return _contracts.names()[_one_of("capability", name, _contracts.names())]


def _claimed(names: list[str], products: Iterable[str]) -> tuple[str, ...] | None:
    found = {_capability(name) for name in names}
    for product in products:
        found |= {each.name for each, need in _contracts.members_of(product) if need == "required"}
    # In the order of the contracts, whatever the order given.
    return tuple(name for name in _contracts.capabilities() if name in found) or None


def _url(value: str) -> str:
    if value == REFERENCE:
        return value
    try:
        parts = urlsplit(value.strip())
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        raise BadSetting(f"partner-url {value!r} is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSetting(f"partner-url {value!r} is neither http:// nor https:// with a host, nor 'reference'")
    if parts.username or parts.password:
        raise BadSetting("partner-url carries credentials: give them as --partner-auth=USER:PASSWORD or PARTNER_AUTH")
    if parts.query or parts.fragment:
        raise BadSetting(f"partner-url {value!r} has a query or a fragment: give the base URL alone")
    return value.strip().rstrip("/")


def _urls(templates: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for written, template in templates.items():
        name = _capability(written)
        if name in found:
            raise BadSetting(f"urls names {name} twice, once as {written!r}")
        wanted = {each.name.lower(): each.name for each in _contracts.capabilities()[name].ids}
        places = {place.lower() for place in re.findall(r"\{(\w*)\}", template)}
        if places != set(wanted):
            needs = " and ".join(f"{{{each}}}" for each in wanted.values()) or "no place for an id"
            raise BadSetting(f"the URL of {written} is {template!r}; it needs {needs}")
        found[name] = template
    return found


def _auth(value: str | None) -> str | None:
    if value is not None and (":" not in value or value.startswith(":")):
        raise BadSetting("partner-auth is not USER:PASSWORD")
    return value


def _existing(what: str, value: str | None) -> Path | None:
    if value is None:
        return None
    if not Path(value).is_file():
        raise BadSetting(f"{what}: there is no file {value!r}")
    return Path(value)


def _number(what: str, value: Any, default: float, *, zero: bool = False) -> float:
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


def _count(what: str, value: Any, default: int, *, least: int = 0) -> int:
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise BadSetting(f"{what} {value!r} is not a whole number") from None
    if number < least:
        raise BadSetting(f"{what} {number} is out of range: give at least {least}")
    return number


def _intents(named: Mapping[str, Any]) -> IntentSource:
    command = named.get("command", ())
    if isinstance(command, str):
        command = shlex.split(command)
    return IntentSource(ids=tuple(named.get("ids", ())), command=tuple(command))


def _known(data: Mapping[str, Any]) -> KnownData:
    values: dict[str, Any] = {
        key.replace("-", "_"): tuple(value) if isinstance(value, list) else value for key, value in data.items()
    }
    return KnownData(**values)


def _waiver(entry: Mapping[str, Any]) -> Waiver:
    try:
        until = datetime.date.fromisoformat(entry["until"])
    except ValueError:
        raise BadSetting(f"waiver of {entry['rule']}: {entry['until']!r} is no date, write YYYY-MM-DD") from None
    return Waiver(rule=entry["rule"], reason=entry["reason"], until=until)
