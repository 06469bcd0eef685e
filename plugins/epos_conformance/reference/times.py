"""
Instants, as the contract writes them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from epos_conformance.reference.errors import invalid


def utc_now() -> datetime:
    """The time of this machine's clock."""
    return datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """The instant that an RFC 3339 *text* names, in UTC and cut to the millisecond."""
    try:
        found = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as reason:
        # A leap second or a year before the calendar began: right by the letter of the schema.
        raise invalid(f"{text!r} is no time that this till can keep ({reason})") from reason
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def spell_time(instant: datetime) -> str:
    """*instant* as RFC 3339 with milliseconds and ``Z``."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
