"""
Races: what happens when requests arrive at the same instant, again and again until it would have shown.
"""

from __future__ import annotations

import time

from collections.abc import Iterator
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: Seconds after which a slow partner is let off the rest of the rounds, unless it would be hardly any.
MOST_SECONDS = 20.0
_LEAST_ROUNDS = 2


def rounds(partner: Partner) -> Iterator[int]:
    """
    Rounds of a race, from 1: ``--race-rounds`` of them, fewer where they take long. Their number is noted.
    """
    started, number = time.monotonic(), 0
    try:
        while number < partner.settings.race_rounds:
            if number >= _LEAST_ROUNDS and time.monotonic() - started > MOST_SECONDS:
                break
            number += 1
            yield number
    finally:
        partner.notes.append(f"{number} rounds")
