"""
What guests and hosts write: texts and times that get lost, cut or mangled where a programmer wasn't careful.

Of each there is the most telling one first, then plainer ones for a till that fairly refuses what is long or unusual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from epos_conformance.venue import instant


if TYPE_CHECKING:
    from epos_conformance.partner import Partner


NAMES = (
    "Zoë Łukasiewicz-O'Brien & Søn (née D'Árcy), the choir of São João",
    "Zoë Łukasiewicz-O'Brien",
    "Maria Smith",
)
OTHER_NAMES = ("Ștefan Nguyễn, for “Müller & Sons” <office> of Orhan Pamuk Straße", "Jürgen Müller", "Peter Jones")

_COURSES = (
    "Nut allergy (hazelnut, almond, cashew), gluten intolerance, no crème fraîche; "
    "a high chair for Zoë 👶 & a ramp for grand-mère. "
)

LONG_REQUESTS = (
    f"{_COURSES * 8}If in doubt, ask: no “traces of” nuts — ever!\nThank you, Łukasz",
    f"{_COURSES * 2}Thank you, Łukasz",
    "Nut allergy; a window seat, please",
)

#: What is altered by whoever trims, unescapes, strips tags or joins lines.
ODD_REQUESTS = (
    "  no \"nuts\" & no <b>eggs</b>; 'R' us, C:\\new\\table 100% &amp; +1 %20\n\n\t- ñ ß 日本 🥜  ",
    "  no \"nuts\" & no <b>eggs</b>; 'R' us, 100% &amp; +1 %20  ",
    ' no "nuts" & no eggs, 100% ',
    "no nuts & no eggs",
)

#: For updates.
OTHER_REQUESTS = (
    f'{_COURSES * 5}Changed: now with an éclair <3 "for two" &\na candle 🕯 ',
    "Changed: vegetarian; two éclairs & a candle",
    "Vegetarian",
)
#: Short ones that loosely typed software takes for numbers, or for nothing.
SHORT_REQUESTS = ("0", "Vegan")

NOTES = (
    "VIP — seat by the window, “quiet” corner & champagne on ice (Bollinger '08).\n"
    f"{'Called ahead about the pram; knows the chef <Anaïs>; prefers Łódź over Żubrówka 🥂. ' * 6}End of notes.",
    "VIP — by the window & champagne on ice (Bollinger '08), <Anaïs> knows",
    "VIP, window seat",
)
OTHER_NOTES = (
    f"{'Moved from the terrace; it is raining cats & dogs; ask Chloé <bar>. ' * 5}\nSecond line: birthday cake 🎂",
    "Moved from the terrace & owes Chloé a drink",
    "Moved from the terrace",
)

#: Of each text a short one that fits any printer.
PLAIN = {"name": "Conformance Guest", "hostNotes": "Table by the stairs", "guestRequests": "No nuts, please"}

STATUSES = ("Waiting for the bill", "Partially arrived", "Ordered")
OTHER_STATUSES = ("Paying", "Ordered")
#: As the documentation names some, for a till that knows no others.
DOCUMENTED = ("Seated", "Paid", "partially arrived", "ordered", "paying", "paid")

DESCRIPTIONS = ("Sunday lunch — 4 covers à £5, “no-show” fee & café", "Sunday Lunch deposit - 4 covers", "Deposit")

#: Amounts that come out a penny short where they pass through floating point.
AMOUNTS = (1999, 115)


def texts(member: str, choices: Sequence[str]) -> list[dict[str, Any]]:
    """Choices of one *member* for `bookings.make` and `bookings.update`."""
    return [{member: each} for each in choices]


def moments(member: str, start: datetime, *minutes: int, second: int = 0, millisecond: int) -> list[Mapping[str, Any]]:
    """
    *member* so many *minutes* from *start*, to the millisecond.

    The last choices are whole minutes, for a till that takes no others.
    """
    whole = start.replace(second=0, microsecond=0)
    exact = timedelta(seconds=second, milliseconds=millisecond)
    found = [{member: instant(whole + timedelta(minutes=each) + exact)} for each in minutes]
    return [*found, *({member: instant(whole + timedelta(minutes=each))} for each in minutes)]


def spelled(moment: datetime, hours: float) -> str:
    """*moment* as a local time that is so many *hours* ahead of UTC, to the millisecond."""
    minutes = round(hours * 60)
    local = moment + timedelta(minutes=minutes)
    sign = "-" if minutes < 0 else "+"
    return f"{instant(local).removesuffix('Z')}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def known_statuses(partner: Partner) -> list[str]:
    """What the partner calls the statuses of parties, then what the documentation does: it may know no others."""
    return [*dict.fromkeys([*partner.venue.statuses, *DOCUMENTED])]
