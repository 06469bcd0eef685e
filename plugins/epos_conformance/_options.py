"""
The options, once: what each is called on the command line, in the environment and in ``partner.toml``.

Read by every pytest run of the environment that the suite is installed in, so it imports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Option:
    """
    One setting. Its key in ``partner.toml`` is its name without the dashes.
    """

    name: str
    help: str
    metavar: str | None = None
    environment: str | None = None
    kind: Literal["text", "flag", "list", "seconds", "bytes", "count"] = "text"
    #: Declared by pytest itself: we give it one more meaning.
    shared: bool = False

    @property
    def key(self) -> str:
        return self.name.removeprefix("--")

    @property
    def dest(self) -> str:
        """Its attribute among pytest's options; prefixed so as to meet no other plugin's."""
        return self.key if self.shared else "epos_" + self.key.replace("-", "_")

    def declare(self) -> dict[str, Any]:
        """Its arguments for ``parser.addoption``."""
        found: dict[str, Any] = {"dest": self.dest, "help": self.help, "default": None}
        if self.kind == "flag":
            return {**found, "action": "store_true"}
        if self.environment:
            found["help"] += f" (environment: {self.environment})"
        return {**found, "metavar": self.metavar, "action": "append" if self.kind == "list" else "store"}


# Help texts: imperative or noun phrase, units said, no full stop; the default in brackets.
OPTIONS = (
    Option(
        "--partner-url",
        "REST base URL of the EPOS to check, ws(s):// URL of a session to dial, or 'reference' for the built-in EPOS",
        "URL",
        "PARTNER_URL",
    ),
    Option("--partner-auth", "credentials for REST Basic authentication", "USER:PASSWORD", "PARTNER_AUTH"),
    Option("--partner-ca", "PEM file of the certificate authorities to trust instead of the usual ones", "FILE"),
    Option(
        "--partner-ws",
        "where to listen for an EPOS that dials in, path /epos (127.0.0.1); or a ws(s):// URL to dial",
        "[HOST:]PORT",
        "PARTNER_WS",
    ),
    Option("--partner-ws-tls", "PEM files of the certificate and its key, for EPOS systems that dial wss", "CERT,KEY"),
    Option("--partner-ws-timeout", "seconds to wait for the EPOS to dial in (60)", "SECONDS", kind="seconds"),
    Option(
        "--partner-api-key", "API key that the EPOS dials with, or that is sent when dialling", "KEY", "DOJO_API_KEY"
    ),
    Option("--software-house-id", "its software-house-id, likewise", "ID", "SOFTWARE_HOUSE_ID"),
    Option("--reseller-id", "its reseller-id, likewise", "ID", "RESELLER_ID"),
    Option(
        "--dojo-api",
        "base URL of Dojo's API (https://api.dojo.tech), or 'sandbox' or 'sandbox:[HOST:]PORT' for the built-in one",
        "URL",
        "DOJO_API",
    ),
    Option("--dojo-version", "version header for Dojo's API (2026-02-27)", "YYYY-MM-DD"),
    Option("--flows", "run the flows of the EPOS tester tool; so it is where there is a key", kind="flag"),
    Option("--no-flows", "don't", kind="flag"),
    Option("--flow-timeout", "seconds after which a flow is given up (120)", "SECONDS", kind="seconds"),
    Option("--register", "register at Dojo what is claimed, before anything else", kind="flag"),
    Option("--restore-registration", "put back what was registered before, when the run has ended", kind="flag"),
    Option("--allow-production", "accept an sk_prod_ key, for checks that change nothing", kind="flag"),
    Option("--allow-production-changes", "with it, for all checks: real orders, real money", kind="flag"),
    Option(
        "--capabilities",
        "comma-separated names of the capabilities that the EPOS claims; legacy names are understood",
        "NAMES",
        "PARTNER_CAPABILITIES",
        "list",
    ),
    Option(
        "--product",
        "claim the capabilities of a product: pay-at-table, qr-pay, order-and-pay, bookings; repeatable",
        "NAME",
        kind="list",
    ),
    Option("--partner", "TOML file with settings, test data and waivers (./partner.toml)", "FILE"),
    Option("--read-only", "only run checks that change nothing at the partner", kind="flag"),
    Option("--strict", "let recommendations fail the run too", kind="flag", shared=True),
    Option("--slow-after", "seconds after which an answer is slow (2)", "SECONDS", kind="seconds"),
    Option("--fail-after", "seconds after which an answer is given up (10)", "SECONDS", kind="seconds"),
    Option("--settle", "seconds that a write may take to show up in reads (1)", "SECONDS", kind="seconds"),
    Option(
        "--race-rounds", "how often calls are released at the same instant to provoke a race (10)", "N", kind="count"
    ),
    Option(
        "--depth",
        "unusual but valid bodies tried for each capability that keeps one; 0 for none (30)",
        "N",
        kind="count",
    ),
    Option("--seed", "number that the unusual bodies and all random choices follow from", "N", kind="count"),
    Option("--max-reply", "bytes after which an answer is given up (10485760)", "BYTES", kind="bytes"),
    Option("--reports", "folder for the results (./reports)", "FOLDER"),
    Option(
        "--evidence",
        "whose exchanges are kept whole: 'failures' alone, or 'all' checks' (failures)",
        "LEVEL",
    ),
    Option("--allure-report", "make Allure's HTML of the results, too; needs Node.js", kind="flag"),
    Option(
        "--signing-key",
        "sign the certificate with this Ed25519 key: a PEM file, or in the environment the PEM text itself",
        "FILE",
        "EPOS_SIGNING_KEY",
    ),
)
