"""
Whether an EPOS enforces locks. It may ignore ``lockId`` and ``expiry``, and then can break no rule about them.

Found out once in a run, and proven: a lock that is refused beside another is granted without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import Exchange
from epos_conformance.locking import (
    LASTS,
    Lock,
    ask,
    forget,
    granted_when_free,
    hold,
    new_id,
    release,
    require_offered,
    until,
)
from epos_conformance.partner import Partner


#: Seconds for which a lock is live in every time zone that its expiry may have been mistaken for.
BEYOND_TIME_ZONES = 25 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """
    What became of a second lock, asked for while the first was live.
    """

    second: Exchange
    #: Whether it was refused because of the first; None where it is refused without it, too.
    enforced: bool | None
    #: Whether only a lock for more than a day is enforced: its expiry is read wrongly.
    early: bool = False
    #: Whether the lockId makes a difference anywhere, where locks are enforced.
    tells_ids_apart: bool = False
    #: Seconds that a call took.
    pace: float


def enforcement(partner: Partner) -> Enforcement:
    """
    Whether this EPOS enforces locks, found out once in a run: call it before anything else is leased.

    Raises `Inconclusive` where it can't be told.
    """
    require_offered(partner, "CreateOrderLock")
    found = partner.once("locks", lambda: _find_out(partner))
    if found.enforced is None:
        raise Inconclusive(
            f"whether locks are enforced can't be told: a second lock is refused, and so it is on an order that nobody "
            f"has locked: {found.second.seen}"
        )
    return found


def enforced(partner: Partner, *, early: bool = False) -> Enforcement | None:
    """
    `enforcement`; None, with a note, where locks are not enforced and a rule about it can't be broken.

    Raises `Inconclusive` where locks lapse too early to show anything else, unless *early* says that this will do.
    """
    found = enforcement(partner)
    if found.early and not early:
        raise Inconclusive(f"needs a lock that is live for {LASTS:g} s, but it is enforced for days only")
    if found.enforced:
        return found
    partner.notes.append("locks are not enforced: a second one is granted while the first is live")
    return None


def excused(partner: Partner, found: Enforcement) -> bool:
    """Whether an EPOS locks orders and otherwise ignores lockId and expiry, as it may; with a note where it does."""
    if found.tells_ids_apart:
        return False
    partner.notes.append("an order is locked or not, and lockId makes no difference")
    return True


def _find_out(partner: Partner) -> Enforcement:
    try:
        return _tried(partner)
    finally:
        partner.clean_up()  # the check may need as many orders again


def _tried(partner: Partner) -> Enforcement:
    held, stranger = hold(partner), new_id()
    second = ask(partner, held.order, stranger)
    pace = max(held.granted.duration, second.duration)
    if second.succeeded:
        later = _second_to_a_long_one(partner, held, stranger)
        return Enforcement(second=later or second, enforced=later is not None, early=later is not None, pace=pace)
    apart = _tells_ids_apart(partner, held)
    return Enforcement(
        second=second,
        enforced=_is_granted_otherwise(partner, held, stranger) or None,
        tells_ids_apart=apart,
        pace=pace,
    )


def _tells_ids_apart(partner: Partner, held: Lock) -> bool:
    if ask(partner, held.order, held.id).succeeded:
        return True
    return partner.offers("DeleteOrderLock") and not release(partner, held.order, new_id()).succeeded


def _is_granted_otherwise(partner: Partner, held: Lock, stranger: str) -> bool:
    """Whether the lock that was refused is granted where none is in its way."""
    if partner.offers("DeleteOrderLock"):
        release(partner, held.order, held.id)
        if granted_when_free(partner, held.order, stranger).succeeded:
            return True
    try:
        other = partner.order()
    except Inconclusive:
        return False
    return ask(partner, other, stranger).succeeded


def _second_to_a_long_one(partner: Partner, held: Lock, stranger: str) -> Exchange | None:
    """
    The refusal of a second lock while the first is to last for more than a day; None where there is none.

    An EPOS that takes the expiry for a time of its own zone sees locks lapse as soon as they are granted.
    """
    if not partner.offers("DeleteOrderLock"):
        return None
    released = [release(partner, held.order, each) for each in (stranger, held.id)]
    if not any(each.succeeded for each in released):
        return None
    forget(partner, held.order)
    long = new_id()
    if not ask(partner, held.order, long, until(BEYOND_TIME_ZONES)).succeeded:
        return None
    second = ask(partner, held.order, stranger)
    if second.succeeded:
        release(partner, held.order, stranger)
    release(partner, held.order, long)
    free = granted_when_free(partner, held.order, stranger)
    release(partner, held.order, stranger)
    forget(partner, held.order)
    return second if free.succeeded and not second.succeeded else None
