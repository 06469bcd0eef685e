"""
What the user asked for: options, environment, ``partner.toml`` and defaults, in that order, validated once.

A setting that makes no sense raises `BadSetting` with one sentence; the plugin turns it into exit status 4.
"""

from __future__ import annotations

import contextlib
import datetime
import difflib
import ipaddress
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
SANDBOX = "sandbox"
DOJO_API = "https://api.dojo.tech"

#: Where a key is named.
_KEY = "--partner-api-key or DOJO_API_KEY"

#: How Dojo's keys begin.
_PRODUCTION, _SANDBOX_KEY = "sk_prod_", "sk_sandbox_"
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


@dataclass(frozen=True, slots=True)
class Listen:
    """
    Where an EPOS dials in; port 0 is any free one.
    """

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can get there."""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Dial:
    """
    Where an EPOS listens for a session.
    """

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class DojoSettings:
    """
    Dojo's side of a run: its API, and what may be done there.
    """

    #: Base URL without a slash at its end; None where the run starts a sandbox of its own.
    url: str | None = None
    #: Where that sandbox listens.
    listen: Listen = Listen("127.0.0.1", 0)
    #: Whether the user named it, rather than a key alone.
    asked: bool = True
    version: str = "2026-02-27"
    flows: bool = True
    #: Seconds.
    flow_timeout: float = 120.0
    register: bool = False
    restore: bool = False
    #: Values for the parameters of flows, by name.
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sandbox(self) -> bool:
        """Whether the run starts one."""
        return self.url is None

    def __str__(self) -> str:
        return self.url or (f"sandbox:{self.listen}" if self.listen.port else SANDBOX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything a run needs to know, secrets included: they are in `auth` and `api_key`, and in no representation.
    """

    #: The REST base URL without a slash at its end, or `REFERENCE`; None where the partner is reached otherwise.
    url: str | None = None
    auth: str | None = field(default=None, repr=False)
    ca: Path | None = None
    #: How there comes to be a session; None where none is asked for.
    ws: Listen | Dial | None = None
    #: Certificate and key.
    ws_tls: tuple[Path, Path] | None = None
    #: Seconds.
    ws_timeout: float = 60.0
    api_key: str | None = field(default=None, repr=False)
    software_house_id: str | None = None
    reseller_id: str | None = None
    #: None where Dojo isn't asked anything.
    dojo: DojoSettings | None = None
    #: Whether a production key may be used for more than reading.
    production_changes: bool = False
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
        key = (self.api_key,) if self.api_key else ()
        return (*_masking.of_basic(self.auth), *key) if self.auth else key

    @property
    def transports(self) -> tuple[str, ...]:
        """What the checks are run over."""
        return tuple(name for name, where in (("rest", self.url), ("ws", self.ws)) if where is not None)

    def shown(self) -> dict[str, Any]:
        """
        The settings in force, for the report header and the certificate: secrets masked, files by name.
        """
        return {
            "partner-url": self.url,
            "partner-auth": f"{self.auth.partition(':')[0]}:{_masking.MASK}" if self.auth else None,
            "partner-ca": str(self.ca) if self.ca else None,
            "partner-ws": str(self.ws) if self.ws and self.url != REFERENCE else None,
            "partner-ws-tls": ",".join(map(str, self.ws_tls)) if self.ws_tls else None,
            "partner-ws-timeout": self.ws_timeout if self.ws else None,
            "partner-api-key": _masking.MASK if self.api_key else None,
            "software-house-id": self.software_house_id,
            "reseller-id": self.reseller_id,
            **(self._dojo_shown(self.dojo) if self.dojo else {"dojo-api": None}),
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

    def _dojo_shown(self, dojo: DojoSettings) -> dict[str, Any]:
        return {
            "dojo-api": str(dojo),
            "dojo-version": dojo.version,
            "flows": dojo.flows,
            "flow-timeout": dojo.flow_timeout if dojo.flows else None,
            "register": dojo.register,
            "restore-registration": dojo.restore,
            "allow-production": production(self.api_key),
            "allow-production-changes": self.production_changes,
        }


def production(key: str | None) -> bool:
    """Whether *key* is one for real money."""
    return (key or "").startswith(_PRODUCTION)


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
    given = (options.get("epos_partner_url"), options.get("epos_partner_ws"), named)
    if not (any(given) or environ.get("PARTNER_URL") or environ.get("PARTNER_WS")):
        return None
    document = _read(path) if named or path.is_file() else {}

    raw: dict[str, Any] = {}
    for option in OPTIONS:
        value = options.get(option.dest)
        if value is None and option.environment:
            value = environ.get(option.environment) or None
        raw[option.key] = document.get(option.key) if value is None else value
    if options.get("epos_flows") and options.get("epos_no_flows"):
        raise BadSetting("flows and no-flows exclude each other")
    if options.get("epos_flows"):
        raw["no-flows"] = None  # of the file
    if not (raw["partner-url"] or raw["partner-ws"]):
        raise BadSetting(
            "no partner to check: pass --partner-url=URL or --partner-ws=PORT, set PARTNER_URL or PARTNER_WS, or name "
            "partner-url or partner-ws in the file"
        )
    url, ws = _partner(raw["partner-url"], raw["partner-ws"])

    products = tuple(_one_of("product", each, _contracts.products()) for each in _split(raw["product"]))
    settings = Settings(
        url=url,
        auth=_auth(raw["partner-auth"]),
        ca=_existing("partner-ca", raw["partner-ca"]),
        ws=ws,
        ws_tls=_pair("partner-ws-tls", raw["partner-ws-tls"]),
        ws_timeout=_number("partner-ws-timeout", raw["partner-ws-timeout"], 60.0),
        api_key=_header("partner-api-key", raw["partner-api-key"]),
        software_house_id=_header("software-house-id", raw["software-house-id"]),
        reseller_id=_header("reseller-id", raw["reseller-id"]),
        dojo=_dojo(raw, document.get("flow-params", {})),
        production_changes=bool(raw["allow-production-changes"]),
        capabilities=_claimed(_split(raw["capabilities"]), products),
        products=products,
        read_only=bool(raw["read-only"])
        or (production((raw["partner-api-key"] or "").strip()) and not raw["allow-production-changes"]),
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
    if isinstance(ws, Listen) and not ws.loopback and not settings.api_key:
        raise BadSetting(
            f"partner-ws {ws} can be reached from other machines: name the key that the EPOS has to dial with, as "
            "--partner-api-key or DOJO_API_KEY"
        )
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


def _partner(url: str | None, ws: Any) -> tuple[str | None, Listen | Dial | None]:
    """Where REST is, and how there comes to be a session."""
    session = None if ws is None else _session(str(ws))
    if url is None:
        return None, session
    if url == REFERENCE:
        return url, session or Listen("127.0.0.1", 0)
    if url.strip().lower().startswith(_SESSIONS):
        if session is not None:
            raise BadSetting(f"there is one session to check, not two: partner-url {url!r} and partner-ws {ws!r}")
        return None, _session(url)
    return _checked("partner-url", url, ("http", "https")), session


_SESSIONS = ("ws:", "wss:")


def _session(value: str, what: str = "partner-ws") -> Listen | Dial:
    if what == "partner-ws" and value.strip().lower().startswith(_SESSIONS):
        return Dial(_checked("partner-ws", value, ("ws", "wss")))
    host, _, port = value.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadSetting(f"{what} {value!r} is {_WANTED[what]}")
    return Listen(host or "127.0.0.1", int(port))


def _checked(what: str, value: str, schemes: tuple[str, str]) -> str:
    try:
        parts = urlsplit(value.strip())
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        raise BadSetting(f"{what} {value!r} is no URL: {error}") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise BadSetting(f"{what} {value!r} is {_WANTED[what]}")
    if parts.username or parts.password:
        instead = f"the key as {_KEY}" if what == "dojo-api" else "them as --partner-auth=USER:PASSWORD or PARTNER_AUTH"
        raise BadSetting(f"{what} carries credentials: give {instead}")
    if parts.fragment or (parts.query and "ws" not in schemes):
        raise BadSetting(f"{what} {value!r} has a query or a fragment: give the base URL alone")
    return value.strip().rstrip("/")


_WANTED = {
    "partner-url": "neither an http(s):// nor a ws(s):// URL with a host, nor 'reference'",
    "partner-ws": "neither [HOST:]PORT nor a ws(s):// URL with a host",
    "dojo-api": "neither an http(s):// URL with a host nor 'sandbox' or 'sandbox:[HOST:]PORT'",
}


def _dojo(raw: Mapping[str, Any], params: Mapping[str, Any]) -> DojoSettings | None:
    """What is to be asked of Dojo; None where nothing is."""
    key, named, said = _header("partner-api-key", raw["partner-api-key"]), raw["dojo-api"], _KEY
    _require_sense(raw, key)
    known = (key or "").startswith((_PRODUCTION, _SANDBOX_KEY))
    wanted = next((name for name in ("dojo-api", "flows", "register") if raw[name]), None)
    if wanted is None and (not known or raw["no-flows"]):
        return None
    url, listen = _dojo_api(named or DOJO_API)
    if url is not None and wanted is not None:
        if not known:
            raise BadSetting(
                f"{wanted} needs a key of Dojo's, which begins with sk_sandbox_ (or sk_prod_): name it as {said}"
            )
        if not raw["software-house-id"]:
            raise BadSetting(f"{wanted} needs your id at Dojo: name it as --software-house-id or SOFTWARE_HOUSE_ID")
    if url is None and key and not key.startswith(_SANDBOX_KEY):
        raise BadSetting(f"the built-in sandbox takes keys that begin with sk_sandbox_: name one as {said}, or none")
    if url is None and not key and not listen.loopback:
        raise BadSetting(
            f"dojo-api {named!r} can be reached from other machines: name the key that is to be asked for, as {said}"
        )
    if url is not None and not raw["software-house-id"]:
        return None  # the key is for the handshake alone
    version = str(raw["dojo-version"] or DojoSettings().version)
    try:
        datetime.datetime.strptime(version, "%Y-%m-%d")
        if len(version) != len("YYYY-MM-DD"):
            raise ValueError
    except ValueError:
        raise BadSetting(f"dojo-version {version!r} is no date, write YYYY-MM-DD") from None
    return DojoSettings(
        url=url,
        listen=listen,
        asked=wanted is not None,
        version=version,
        flows=not raw["no-flows"],
        flow_timeout=_number("flow-timeout", raw["flow-timeout"], 120.0),
        register=bool(raw["register"]),
        restore=bool(raw["restore-registration"]),
        params=dict(params),
    )


def _require_sense(raw: Mapping[str, Any], key: str | None) -> None:
    """Raise `BadSetting` for what contradicts itself, or may cost money."""
    if production(key) and not raw["allow-production"]:
        raise BadSetting(
            "the key is one for production (sk_prod_): use a sandbox key, or pass --allow-production for checks that "
            "change nothing"
        )
    if raw["allow-production-changes"] and not raw["allow-production"]:
        raise BadSetting("allow-production-changes means nothing without allow-production")
    if raw["restore-registration"] and not raw["register"]:
        raise BadSetting("restore-registration means nothing without register")


def _dojo_api(value: str) -> tuple[str | None, Listen]:
    """A base URL, or where the built-in sandbox listens."""
    name, _, where = value.strip().partition(":")
    if name != SANDBOX:
        return _checked("dojo-api", value, ("http", "https")), Listen("127.0.0.1", 0)
    try:
        found = _session(where or "0", what="dojo-api")
    except BadSetting:
        raise BadSetting(f"dojo-api {value!r} is {_WANTED['dojo-api']}") from None
    assert isinstance(found, Listen)
    return None, found


def _header(what: str, value: str | None) -> str | None:
    if value is not None and not (value.isascii() and value.isprintable() and value.strip()):
        raise BadSetting(f"{what} can't be the value of a header: printable ASCII it has to be")
    return value.strip() if value else None


def _pair(what: str, value: Any) -> tuple[Path, Path] | None:
    files = _split(value)
    if not files:
        return None
    if len(files) != 2:
        raise BadSetting(f"{what} takes two files, the certificate and its key, with a comma between them")
    found = [_existing(what, each) for each in files]
    assert found[0] is not None
    assert found[1] is not None
    return found[0], found[1]


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
