"""
Short locks that lapse, watched by the partner's clock, which may be minutes off ours.

Two locks run side by side, with the same expiry; one is extended. The first shows when that moment is, by the
partner's own clock, however little is known of it; the second has to be live then. All of it takes one wait.
"""

from __future__ import annotations

import contextlib
import datetime
import math
import time

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from epos_conformance.enforcing import Enforcement
from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import Exchange
from epos_conformance.following import Row
from epos_conformance.locking import Lock, ask, expect_two, extend, new_id, release, rival
from epos_conformance.partner import Partner
from epos_conformance.venue import instant


#: Seconds that short locks may last in all.
MOST_WAITED = 12.0

#: Seconds that a lock may be freed late: some clocks have no more than seconds, and some tills sweep.
PATIENCE = 3.0

#: Seconds between two looks.
PAUSE = 0.12

#: Seconds that a clock may be off; beyond, the time was not meant, or is of another zone.
MOST_OFF = 900.0

#: Why a lock may outlast its expiry.
OVERDUE = "the expiry is not looked at when the order is locked again, or it is taken for a time of another zone"

#: Seconds that may pass between an answer and our looking at the clock.
_SLACK = 0.05


class Clock:
    """
    The partner's clock, from what its answers say: so many seconds ahead of ours, at least and at most.
    """

    def __init__(self) -> None:
        self.low, self.high = -0.5, 0.5
        #: Whether an answer said what time it is, and whether it was the order that it spoke of.
        self.known = self.own = False

    def hear(self, exchange: Exchange) -> None:
        """Learn from *exchange*, which has ended just now."""
        received = time.time()
        sent = received - exchange.duration - _SLACK
        for said, resolution, own in _times(exchange):
            low, high = said - received, said + resolution - sent
            if max(abs(low), abs(high)) > MOST_OFF or (self.own and not own):
                continue
            if self.known and self.own == own and max(low, self.low) < min(high, self.high):
                low, high = max(low, self.low), min(high, self.high)
            self.low, self.high, self.known, self.own = low, high, True, own

    @property
    def width(self) -> float:
        return self.high - self.low

    def second_after(self, seconds: float) -> float:
        """
        The first whole second of the partner's that is at least so many *seconds* ahead; an EPOS may keep no parts.
        """
        return float(math.ceil(time.time() + self.high + seconds))

    def surely_not(self, moment: float) -> float:
        """The time by our clock until which the partner's *moment* has not come."""
        return moment - self.high

    def surely(self, moment: float) -> float:
        """The time by our clock from which it has."""
        return moment - self.low


def _times(exchange: Exchange) -> Iterator[tuple[float, float, bool]]:
    """The times *exchange* was answered at, by its own words: seconds, their resolution, whether an order has them."""
    date = exchange.answer.header("date") if exchange.answer else None
    if date is not None:
        with contextlib.suppress(ValueError, OverflowError):
            yield parsedate_to_datetime(date).timestamp(), 1.0, False
    if exchange.capability == "CreateOrder" and isinstance(exchange.result, dict):
        said = exchange.result.get("updatedAt") or exchange.result.get("createdAt")
        try:
            moment = datetime.datetime.fromisoformat(str(said))
        except ValueError:
            return
        if moment.tzinfo is not None:
            yield moment.timestamp(), 0.001 if moment.microsecond else 1.0, True


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """
    A short lock, and what a second one on the same order was answered.
    """

    expiry: str
    #: Asked for at once.
    held: Exchange
    #: Asked for until it was granted: the last time.
    after: Exchange
    #: Seconds from the expiry to the answer, as far as the partner's clock is known.
    late: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    How two short locks went, one of them extended.
    """

    plain: Lapse
    extended: Lapse | None = None
    #: A second lock on the extended order as soon as the plain one had lapsed.
    between: Exchange | None = None
    #: Whether it came before the extended expiry.
    telling: bool = False
    #: Why nothing was extended.
    why_not: str = ""
    #: Whether a lock that was not freed has lapsed, by whatever clock; None where that can't be told.
    overdue: bool | None = None


def lapsing(partner: Partner, found: Enforcement) -> Story:
    """
    The story, told once in a run: call it before anything else is leased.

    Raises `Inconclusive` where the partner grants no short locks, or takes too long.
    """
    return partner.once("lock expiry", lambda: _tell(partner, found))


def _tell(partner: Partner, found: Enforcement) -> Story:
    try:
        return _watched(partner, found.pace)
    finally:
        partner.clean_up()  # the check may need as many orders again


def _watched(partner: Partner, pace: float) -> Story:
    clock = Clock()
    expect_two(partner)
    order = order_heard(partner, clock)
    other, why_not = _second_order(partner, clock)
    first, second = _expiries(clock, pace)

    held, longer = short(partner, order, first), None
    if other is not None:
        try:
            longer = _extended(partner, short(partner, other, first), second)
        except Inconclusive as error:
            why_not = str(error)
    extended = _Watch(partner, longer.order) if longer is not None else None
    plain = _Watch(partner, held.order)
    plain.until_granted(clock.surely_not(second) - 2 * pace)

    between = extended.again() if extended and not extended.free else None
    now = time.time()
    telling = plain.free and now - plain.refused_at < second - first and now < clock.surely_not(second)
    if not plain.free:
        plain.until_granted(clock.surely(second) + PATIENCE)
    if extended and not extended.free:
        time.sleep(max(0.0, clock.surely(second) - time.time()))
        # As late as the plain one was, this one may be.
        extended.until_granted(clock.surely(second) + PATIENCE + max(0.0, plain.answered_at - clock.surely(first)))

    overdue = None
    if not plain.free:
        overdue = clock.own or is_overdue(partner, held, clock)
    elif extended and not extended.free:
        overdue = True
    return Story(
        plain=plain.lapse(first, clock),
        extended=extended.lapse(second, clock) if extended else None,
        between=between,
        telling=telling,
        why_not=why_not,
        overdue=overdue,
    )


def order_heard(partner: Partner, clock: Clock, owed: int = 1) -> Row:
    """An order of this check's own; *clock* hears what its answer says."""
    before = len(partner.exchanges)
    found = partner.order(owed)
    if len(partner.exchanges) > before:
        clock.hear(partner.exchanges[-1])
    return found


def _second_order(partner: Partner, clock: Clock) -> tuple[Row | None, str]:
    if not partner.offers("ExtendOrderLock"):
        return None, "ExtendOrderLock isn't offered"
    try:
        return order_heard(partner, clock), ""
    except Inconclusive as error:
        return None, f"needs a second order: {error}"


def _expiries(clock: Clock, pace: float) -> tuple[float, float]:
    """When the locks lapse, by the partner's clock, with time for all that has to be asked before."""
    lead, gap = lead_of(pace), math.ceil(clock.width + 4 * pace + 2 * PAUSE)
    if lead + gap > MOST_WAITED:
        raise Inconclusive(f"a lock takes {pace:.1f} s to be answered: waiting for one to lapse takes too long")
    first = clock.second_after(lead)
    return first, first + gap


def lead_of(pace: float) -> float:
    """Seconds to ask for all that has to be asked while a short lock is live, where a call takes *pace*."""
    return 6 * pace + 0.3


def spelt(moment: float) -> str:
    """*moment*, in seconds since the epoch, as an expiry."""
    return instant(datetime.datetime.fromtimestamp(moment, datetime.UTC))


def short(partner: Partner, order: Row, expiry: float) -> Lock:
    """A lock on *order* until *expiry*; raises `Inconclusive` where it is refused."""
    id = new_id()
    exchange = ask(partner, order, id, spelt(expiry))
    if not exchange.succeeded:
        raise Inconclusive(f"needs a lock that lapses soon, but CreateOrderLock was not carried out: {exchange.seen}")
    return Lock(order, id, exchange)


def _extended(partner: Partner, held: Lock, expiry: float) -> Lock:
    exchange = extend(partner, held, spelt(expiry))
    if not exchange.succeeded:
        raise Inconclusive(f"the extension was not carried out: {exchange.seen}")
    return held


class _Watch:
    """
    An order that is asked for again and again, until it is free.
    """

    def __init__(self, partner: Partner, order: Row) -> None:
        self._partner = partner
        self._order = order
        #: When the last request that was refused was sent, and the last one answered, by our clock.
        self.refused_at = self.answered_at = 0.0
        self.held = self.again()

    @property
    def free(self) -> bool:
        return self.after.succeeded

    def again(self) -> Exchange:
        started = time.time()
        self.after = rival(self._partner, self._order)
        if not self.free:
            self.refused_at = started
        self.answered_at = time.time()
        return self.after

    def until_granted(self, deadline: float) -> None:
        while not self.free and time.time() + PAUSE < deadline:
            time.sleep(PAUSE)
            self.again()

    def lapse(self, expiry: float, clock: Clock) -> Lapse:
        late = self.answered_at - clock.surely(expiry)
        return Lapse(expiry=spelt(expiry), held=self.held, after=self.after, late=late)


def is_overdue(partner: Partner, held: Lock, clock: Clock) -> bool | None:
    """
    Whether a lock that was not freed has lapsed, though little is known of the partner's clock: either its clock is
    late, or it does not look at it.
    """
    if not partner.offers("DeleteOrderLock"):
        return None
    release(partner, held.order, held.id)
    past = new_id()
    # No clock is that late: where this locks, no clock is looked at.
    granted = ask(partner, held.order, past, spelt(time.time() + clock.low - MOST_OFF))
    if granted.succeeded:
        second = rival(partner, held.order)
        release(partner, held.order, past)
        return None if second.succeeded else True
    recent = new_id()
    again = ask(partner, held.order, recent, spelt(time.time() + clock.low - 2 * PATIENCE))
    if again.succeeded:
        release(partner, held.order, recent)
        return None
    # What it refuses as past is past by its clock, if it refuses nothing else.
    return rival(partner, held.order).succeeded or None
