"""
When locks end: expiries that are none, expiries that lapse, and extensions.
"""

from __future__ import annotations

import datetime
import functools

from collections.abc import Callable
from typing import Any

from epos_conformance import Capability, Exchange, Finding, Inconclusive, Partner, Violation, answers, check
from epos_conformance.enforcing import enforced, excused
from epos_conformance.exchange import ERROR_TYPES, preview
from epos_conformance.following import Row
from epos_conformance.lapsing import OVERDUE, lapsing
from epos_conformance.locking import (
    LASTS,
    Lock,
    ask,
    extend,
    freed,
    hold,
    id_of,
    lasts,
    lockable,
    new_id,
    release,
    require_released,
    rival,
    until,
    usual,
)
from epos_conformance.venue import instant


#: An expiry of long ago, in seconds.
LONG_AGO = -900.0

# Expiries that are none


def tomorrow() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)


#: What an expiry may not be, and why; all would be in the future for software that makes sense of them. Not among them:
#: the 30th of February, which JavaScript takes for the 2nd of March.
MALFORMED: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("a word", lambda: "soon"),
    ("an empty text", lambda: ""),
    ("a date without a time", lambda: f"{tomorrow():%Y-%m-%d}"),
    ("a time without a date", lambda: "23:59:59Z"),
    ("seconds since 1970 as a number", lambda: int(tomorrow().timestamp())),
    ("seconds since 1970 as a text", lambda: str(int(tomorrow().timestamp()))),
    ("a month 13", lambda: f"{tomorrow():%Y}-13-01T12:00:00Z"),
    ("an hour 25", lambda: f"{tomorrow():%Y-%m-%d}T25:00:00Z"),
    ("a date as people write it", lambda: f"25/{tomorrow():%m/%Y %H:%M}"),
)


@check("*.refuses-a-missing-expiry")
def test_refuses_a_missing_expiry(partner: Partner, capability: Capability) -> None:
    """A lock without an expiry is refused with InvalidRequest."""
    require_invalid(partner, capability, [("no expiry", {}), ("null", {"expiry": None})])


@check("*.refuses-a-malformed-expiry")
def test_refuses_a_malformed_expiry(partner: Partner, capability: Capability) -> None:
    """A lock whose expiry is no date-time is refused with InvalidRequest."""
    require_invalid(partner, capability, [(what, {"expiry": make()}) for what, make in MALFORMED])


def require_invalid(partner: Partner, capability: Capability, bodies: list[tuple[str, dict[str, Any]]]) -> None:
    """
    Demand that each of *bodies* is refused as an InvalidRequest, where a valid one would be carried out.
    """
    held = hold(partner)
    creates = capability.name == "CreateOrderLock"
    order = freed(partner, held) if creates else held.order
    findings = []
    for what, body in bodies:
        params = {"orderId": id_of(order), "lockId": new_id() if creates else held.id, **body}
        exchange = partner.dare(functools.partial(partner.call, capability.name, params))
        if creates and exchange.error and exchange.error.type == "Conflict" and not rival(partner, order).succeeded:
            break  # the one before has locked the order, though it was refused: another rule's business
        findings += not_invalid(exchange, f"{what}: {preview(body, 60)}" if body else what)
        if exchange.succeeded and creates:
            require_released(partner, Lock(order, params["lockId"], exchange))
    answers.violate(findings)


def not_invalid(exchange: Exchange, what: str) -> list[Finding]:
    if findings := list(answers.require_refusal(exchange, what)):
        return findings
    error = exchange.error
    if error is None or error.type not in ERROR_TYPES or error.type == "InvalidRequest":
        return []  # that an error is an EPOSError is another rule's business
    return [Finding(what, "InvalidRequest", exchange.seen)]


# Expiries as they may be written

#: For `datetime.strftime`; seven digits and +00:00 are what .NET writes.
SPELLINGS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%f0Z", "%Y-%m-%dT%H:%M:%S.%f0+00:00", "%Y-%m-%dT%H:%M:%S+00:00")


@check("*.reads-an-expiry-of-any-precision")
def test_reads_an_expiry_of_any_precision(partner: Partner, capability: Capability) -> None:
    """An expiry may have no parts of a second or seven digits of them."""
    held = hold(partner)
    ask_for = functools.partial(lock_until if capability.name == "CreateOrderLock" else extend, partner, held)
    findings = []
    for turn, spelling in enumerate(SPELLINGS):
        # Each later than the one before, as an extension has to be.
        expiries = (usual(partner, 1.1 + 0.1 * turn + 0.03 * ahead) for ahead in range(3))
        odd, plain, again = (datetime.datetime.fromisoformat(each) for each in expiries)
        found = ask_for(f"{odd:{spelling}}")
        # Not for the time, if the same is granted as it is written usually.
        if not found.succeeded and ask_for(instant(plain)).succeeded and not ask_for(f"{again:{spelling}}").succeeded:
            where = f"an expiry written like {odd:{spelling}}"
            findings.append(Finding(where, "a success, as with milliseconds", found.seen))
    answers.violate(findings)


def lock_until(partner: Partner, held: Lock, expiry: str) -> Exchange:
    """A lock in the place of *held*, or on another order where none can be released."""
    if not partner.offers("DeleteOrderLock"):
        return ask(partner, partner.order(), new_id(), expiry)
    release(partner, held.order, held.id)
    return ask(partner, held.order, held.id, expiry)


# Expiries that lapse


@check("CreateOrderLock.keeps-the-order-until-the-expiry")
def test_keeps_the_order_until_the_expiry(partner: Partner) -> None:
    """A lock that is not deleted lasts until its expiry."""
    found = enforced(partner, early=True)
    if found and found.early:
        raise Violation(
            Finding(
                f"a second lock while the first lasts for {LASTS:g} s",
                "a refusal, as while the first lasts for a day",
                "it is granted",
                hint="the expiry is taken for a time of another zone than its own",
            )
        )


@check("CreateOrderLock.reads-an-expiry-with-an-offset")
def test_reads_an_expiry_with_an_offset(partner: Partner) -> None:
    """An expiry that is written with an offset is the same instant as in UTC."""
    if not enforced(partner):
        return
    order = lockable(partner)
    findings = []
    soon = lasts(partner)
    for hours, seconds, when in ((-5, soon, f"in {soon:g} s"), (5, LONG_AGO, f"{-LONG_AGO:g} s ago")):
        zone = datetime.timezone(datetime.timedelta(hours=hours))
        plain, odd = (state(partner, order, until(seconds, zone=each)) for each in (datetime.UTC, zone))
        if plain != odd and state(partner, order, until(seconds)) == plain:
            where = f"a lock whose expiry was {when}, written like {until(seconds, zone=zone)}"
            findings.append(Finding(where, f"{plain}, as in UTC", odd))
    answers.violate(findings, hint="the expiry is compared as a text, or its offset is left out")


def state(partner: Partner, order: Row, expiry: str) -> str:
    """What becomes of *order* by a lock that ends at *expiry*."""
    id = new_id()
    if not ask(partner, order, id, expiry).succeeded:
        return "it is refused"
    if rival(partner, order).succeeded:
        return "the order is free"
    release(partner, order, id)
    return "the order is locked"


@check("CreateOrderLock.frees-the-order-after-the-expiry")
def test_frees_the_order_after_the_expiry(partner: Partner) -> None:
    """A new lock is granted once the expiry of the old one has lapsed."""
    if not (found := enforced(partner)):
        return
    story = lapsing(partner, found)
    plain = story.plain
    if plain.held.succeeded:
        raise Inconclusive(f"needs a short lock that is live, but a second one was granted before {plain.expiry}")
    if plain.after.succeeded:
        return
    if story.overdue is None:
        raise Inconclusive(f"the lock that ended at {plain.expiry} is live still, which the EPOS's clock may explain")
    if not excused(partner, found):
        where = f"a new lock {plain.late:.1f} s after the expiry of the old one, {plain.expiry}"
        raise Violation(Finding(where, "a success", plain.after.seen), hint=OVERDUE)


@check("ExtendOrderLock.keeps-the-order-beyond-the-first-expiry")
def test_keeps_the_order_beyond_the_first_expiry(partner: Partner) -> None:
    """A lock that was extended is live when one with the same first expiry has lapsed."""
    if not (found := enforced(partner)):
        return
    story = lapsing(partner, found)
    extended = story.extended
    if extended is None or story.plain.held.succeeded:
        raise Inconclusive(f"needs a short lock that is extended: {story.why_not or 'it was never live'}")
    expected = f"a refusal, as it was extended to {extended.expiry}"
    if extended.held.succeeded:
        where = f"a second lock, after the first was extended from {story.plain.expiry}"
        raise Violation(Finding(where, expected, "it is granted at once"))
    if story.between is None or not story.between.succeeded:
        return
    if not story.telling:
        raise Inconclusive("an extended lock has lapsed, but so late that it may have been at its new expiry")
    where = f"a second lock, after the first expiry {story.plain.expiry}"
    hint = "the new expiry is not kept where it is looked up"
    raise Violation(Finding(where, expected, "it is granted"), hint=hint)


@check("ExtendOrderLock.frees-the-order-after-the-new-expiry")
def test_frees_the_order_after_the_new_expiry(partner: Partner) -> None:
    """A new lock is granted once the extended expiry of the old one has lapsed."""
    if not (found := enforced(partner)):
        return
    story = lapsing(partner, found)
    extended = story.extended
    if extended is None or extended.held.succeeded or (story.between and story.between.succeeded):
        raise Inconclusive(f"needs a short lock that is extended: {story.why_not or 'it did not last so long'}")
    if extended.after.succeeded:
        return
    if story.overdue is None:
        raise Inconclusive(f"the lock extended to {extended.expiry} is live still, which the EPOS's clock may explain")
    if not excused(partner, found):
        where = f"a new lock {extended.late:.1f} s after the extended expiry of the old one, {extended.expiry}"
        raise Violation(Finding(where, "a success", extended.after.seen), hint=OVERDUE)
