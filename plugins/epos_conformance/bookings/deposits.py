"""
Deposits of parties: what guests paid before they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from epos_conformance.bookings.kinds import Members


if TYPE_CHECKING:
    from epos_conformance.partner import Partner


def deposit(partner: Partner, amount: int = 5000, count: int = 3, **more: str) -> Members:
    """A deposit of so many payment intents."""
    return {
        "totalAmount": {"value": amount, "currencyCode": partner.venue.currency},
        "paymentIntentIds": intents(partner)[:count],
        **more,
    }


def intents(partner: Partner) -> list[str]:
    """Ids of payment intents to speak of, sorted neither up nor down where there are three."""
    named = partner.settings.intents.ids[:3] or [partner.venue.intents.any(1, partner.venue.currency) for _ in range(3)]
    first, *others = sorted(set(named))
    return [*others, first]


def choices(partner: Partner, amount: int = 5000, *descriptions: str) -> list[Members]:
    """Deposits to try, the fullest first."""
    found = [deposit(partner, amount, description=each) for each in descriptions]
    return [{"deposit": each} for each in (*found, deposit(partner, amount), deposit(partner, amount, 1))]
