"""
What the user asked for, as values: how it is read is in `_loading`.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from epos_conformance import _masking


REFERENCE = "reference"
SANDBOX = "sandbox"
DOJO_API = "https://api.dojo.tech"

#: How Dojo's keys begin.
PRODUCTION_KEY, SANDBOX_KEY = "sk_prod_", "sk_sandbox_"


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
class SigningKey:
    """
    What the certificate is signed with.
    """

    #: Ed25519, PKCS #8.
    pem: str = field(repr=False)
    #: How the envelope names it.
    id: str


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
    #: ``failures``, or ``all``: whose exchanges are kept whole.
    evidence: str = "failures"
    allure_report: bool = False
    signing_key: SigningKey | None = None
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
            "evidence": self.evidence,
            "allure-report": self.allure_report,
            "signing-key": self.signing_key.id if self.signing_key else None,
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
    return (key or "").startswith(PRODUCTION_KEY)
