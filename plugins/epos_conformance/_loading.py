"""
From options, environment and ``partner.toml``, in that order, to `Settings`: read once, validated once.

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
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from epos_conformance import _contracts, _suite, _values, schema
from epos_conformance._options import OPTIONS
from epos_conformance._settings import (
    DOJO_API,
    PRODUCTION_KEY,
    REFERENCE,
    SANDBOX,
    SANDBOX_KEY,
    Dial,
    DojoSettings,
    IntentSource,
    KnownData,
    Listen,
    Settings,
    SigningKey,
    Waiver,
    production,
)
from epos_conformance._values import BadSetting


DEFAULT_FILE = "partner.toml"

#: Whose exchanges are kept whole.
EVIDENCE = ("failures", "all")


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

    products = tuple(_values.one_of("product", each, _contracts.products()) for each in _values.split(raw["product"]))
    settings = Settings(
        url=url,
        auth=_auth(raw["partner-auth"]),
        ca=_values.existing("partner-ca", raw["partner-ca"]),
        ws=ws,
        ws_tls=_values.pair("partner-ws-tls", raw["partner-ws-tls"]),
        ws_timeout=_values.number("partner-ws-timeout", raw["partner-ws-timeout"], 60.0),
        api_key=_values.header("partner-api-key", raw["partner-api-key"]),
        software_house_id=_values.header("software-house-id", raw["software-house-id"]),
        reseller_id=_values.header("reseller-id", raw["reseller-id"]),
        dojo=_dojo(raw, document.get("flow-params", {})),
        production_changes=bool(raw["allow-production-changes"]),
        capabilities=_claimed(_values.split(raw["capabilities"]), products),
        products=products,
        read_only=bool(raw["read-only"])
        or (production((raw["partner-api-key"] or "").strip()) and not raw["allow-production-changes"]),
        strict=bool(raw["strict"]),
        slow_after=_values.number("slow-after", raw["slow-after"], 2.0),
        fail_after=_values.number("fail-after", raw["fail-after"], 10.0),
        settle=_values.number("settle", raw["settle"], 1.0, zero=True),
        race_rounds=_values.count("race-rounds", raw["race-rounds"], 10, least=1),
        depth=_values.count("depth", raw["depth"], 30),
        seed=_values.count("seed", raw["seed"], 0),
        max_reply=int(max(1, _values.number("max-reply", raw["max-reply"], 10 * 2**20))),
        reports=Path(raw["reports"] or "reports").absolute(),
        evidence=_values.one_of("evidence", raw["evidence"] or "failures", EVIDENCE),
        allure_report=bool(raw["allure-report"]),
        signing_key=_signing_key(raw["signing-key"]),
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


def _signing_key(named: str | None) -> SigningKey | None:
    """The key in the file *named*, or in the text itself, as an environment variable has it."""
    if not named:
        return None
    # Costly to import, and rarely needed.
    from epos_conformance.report import signing

    try:
        return signing.key(named)
    except ValueError as error:
        raise BadSetting(str(error)) from None


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


def _capability(name: str) -> str:
    if name in _contracts.PREVIEW:
        raise BadSetting(f"{name!r} is a preview without a published contract: it can't be checked yet")
    return _contracts.names()[_values.one_of("capability", name, _contracts.names())]


def _claimed(names: list[str], products: Iterable[str]) -> tuple[str, ...] | None:
    found = {_capability(name) for name in names}
    for product in products:
        found |= {each.name for each, need in _contracts.members_of(product) if need == "required"}
    # In the order of the contracts, whatever the order given.
    return tuple(name for name in _contracts.capabilities() if name in found) or None


def _partner(url: str | None, ws: Any) -> tuple[str | None, Listen | Dial | None]:
    """Where REST is, and how there comes to be a session."""
    session = None if ws is None else _values.session(str(ws))
    if url is None:
        return None, session
    if url == REFERENCE:
        return url, session or Listen("127.0.0.1", 0)
    if url.strip().lower().startswith(_values.SESSIONS):
        if session is not None:
            raise BadSetting(f"there is one session to check, not two: partner-url {url!r} and partner-ws {ws!r}")
        return None, _values.session(url)
    return _values.checked("partner-url", url, ("http", "https")), session


def _dojo(raw: Mapping[str, Any], params: Mapping[str, Any]) -> DojoSettings | None:
    """What is to be asked of Dojo; None where nothing is."""
    key, named, said = _values.header("partner-api-key", raw["partner-api-key"]), raw["dojo-api"], _values.KEY
    _require_sense(raw, key)
    known = (key or "").startswith((PRODUCTION_KEY, SANDBOX_KEY))
    wanted = next((name for name in ("dojo-api", "flows", "register") if raw[name]), None)
    if wanted is None and (not known or raw["no-flows"]):
        return None
    url, listen = _dojo_api(named or DOJO_API)
    # A sandbox that is served on this machine takes ours.
    local = url is not None and Listen(urlsplit(url).hostname or "", 0).loopback
    if url is not None and wanted is not None:
        if not known and not (local and key is None):
            raise BadSetting(
                f"{wanted} needs a key of Dojo's, which begins with sk_sandbox_ (or sk_prod_): name it as {said}"
            )
        if not raw["software-house-id"] and not local:
            raise BadSetting(f"{wanted} needs your id at Dojo: name it as --software-house-id or SOFTWARE_HOUSE_ID")
    if url is None and key and not key.startswith(SANDBOX_KEY):
        raise BadSetting(f"the built-in sandbox takes keys that begin with sk_sandbox_: name one as {said}, or none")
    if url is None and not key and not listen.loopback:
        raise BadSetting(
            f"dojo-api {named!r} can be reached from other machines: name the key that is to be asked for, as {said}"
        )
    if url is not None and not raw["software-house-id"] and not local:
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
        flow_timeout=_values.number("flow-timeout", raw["flow-timeout"], 120.0),
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
        return _values.checked("dojo-api", value, ("http", "https")), Listen("127.0.0.1", 0)
    try:
        found = _values.session(where or "0", what="dojo-api")
    except BadSetting:
        raise BadSetting(f"dojo-api {value!r} is {_values.WANTED['dojo-api']}") from None
    assert isinstance(found, Listen)
    return None, found


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
