"""
Mistakes with expiries that are none.
"""

from __future__ import annotations

import re

from datetime import UTC, datetime, timedelta
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import conflict, invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.times import parse_time, spell_time


MISSING = over("refuses-a-missing-expiry", "CreateOrderLock", "ExtendOrderLock")
MALFORMED = over("refuses-a-malformed-expiry", "CreateOrderLock", "ExtendOrderLock")

#: Generic rules about members of requests, which such an EPOS breaks as well.
FORMS = (
    "*OrderLock.missing-members-*",
    "*OrderLock.wrong-types-*",
    "*OrderLock.scalars-*",
    "*OrderLock.bad-requests-*",
    "*OrderLock.errors-*",
    "*OrderLock.refuses-a-m*-expiry",
)


class LooseExpiries(ReferenceEpos):
    """
    An expiry is what `expiry_of` makes of it.
    """

    def request_schema(self, capability: Capability) -> Any:
        found = super().request_schema(capability)
        if capability.page != "order locks" or found is None:
            return found
        required = [each for each in found["required"] if each != "expiry"]
        return {**found, "required": required, "properties": {**found["properties"], "expiry": {}}}

    def perform(self, call: Call) -> Any:
        if call.capability.name in ("CreateOrderLock", "ExtendOrderLock"):
            call.body["expiry"] = spell_time(self.expiry_of(call.body.get("expiry")))
        return super().perform(call)

    def expiry_of(self, given: Any) -> datetime:
        """The instant that the expiry *given* stands for."""
        if not isinstance(given, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d.*", given):
            raise invalid("expiry is no date-time")
        return parse_time(given)


@defect("missing-expiry-is-a-minute", breaks=MISSING, also=FORMS)
class MissingExpiryIsAMinute(LooseExpiries):
    """
    A lock without an expiry lasts for a minute.
    """

    def expiry_of(self, given: Any) -> datetime:
        return super().expiry_of(given) if given is not None else self.now() + timedelta(minutes=1)


@defect("missing-expiry-crashes", breaks=MISSING, also=FORMS)
class MissingExpiryCrashes(LooseExpiries):
    """
    The expiry of a lock is read without a look whether there is one.
    """

    def expiry_of(self, given: Any) -> datetime:
        return super().expiry_of(given[:] if isinstance(given, str) else given["$date"])


@defect("malformed-expiry-is-a-minute", breaks=MALFORMED, also=FORMS)
class MalformedExpiryIsAMinute(LooseExpiries):
    """
    An expiry that can't be read is replaced by the default.
    """

    def expiry_of(self, given: Any) -> datetime:
        try:
            return super().expiry_of(given)
        except Exception:
            if given is None:
                raise
            return self.now() + timedelta(minutes=1)


@defect("expiry-may-be-a-date", breaks=MALFORMED, also=FORMS)
class ExpiryMayBeADate(LooseExpiries):
    """
    A date is taken for its midnight, as the library does it.
    """

    def expiry_of(self, given: Any) -> datetime:
        if isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", given):
            return parse_time(f"{given}T00:00:00Z")
        return super().expiry_of(given)


@defect("expiry-may-be-seconds", breaks=MALFORMED, also=FORMS)
class ExpiryMayBeSeconds(LooseExpiries):
    """
    An expiry of digits is taken for seconds since 1970.
    """

    def expiry_of(self, given: Any) -> datetime:
        if str(given).isdigit():
            return datetime.fromtimestamp(int(given), UTC)
        return super().expiry_of(given)


@defect("impossible-expiry-crashes", breaks=MALFORMED, also=FORMS)
class ImpossibleExpiryCrashes(LooseExpiries):
    """
    The pattern of an expiry is checked, and not whether there is such a day.
    """

    def expiry_of(self, given: Any) -> datetime:
        if isinstance(given, str) and re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", given):
            return datetime.fromisoformat(given).astimezone(UTC)
        return super().expiry_of(given)


@defect("malformed-expiry-is-a-conflict", breaks=MALFORMED, also=[*FORMS, *MISSING])
class MalformedExpiryIsAConflict(LooseExpiries):
    """
    All that goes wrong with a lock is a conflict.
    """

    def expiry_of(self, given: Any) -> datetime:
        try:
            return super().expiry_of(given)
        except Exception as reason:
            raise conflict("the order can't be locked") from reason


# Expiries that are fine

SPELT = over("reads-an-expiry-of-any-precision", "CreateOrderLock", "ExtendOrderLock")


@defect("expiry-has-milliseconds", breaks=SPELT, also=["CreateOrderLock.reads-*"])
class ExpiryHasMilliseconds(LooseExpiries):
    """
    The format that expiries are read with has three digits after the point.
    """

    def expiry_of(self, given: Any) -> datetime:
        if isinstance(given, str) and not re.search(r":\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$", given):
            raise invalid(f"expiry {given!r} is not of the form yyyy-MM-ddTHH:mm:ss.fffK")
        return super().expiry_of(given)


@defect("expiry-of-seven-digits-crashes", breaks=SPELT)
class ExpiryOfSevenDigitsCrashes(LooseExpiries):
    """
    More than six digits for the parts of a second are too many for the library.
    """

    def expiry_of(self, given: Any) -> datetime:
        if re.search(r"\.\d{7,}", str(given)):
            raise ValueError(f"Invalid isoformat string: {given!r}")
        return super().expiry_of(given)
