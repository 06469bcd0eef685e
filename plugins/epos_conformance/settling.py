"""
Reads after writes: an EPOS may answer from a snapshot that follows a little later, so they are asked again for a while.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

T = TypeVar("T")

#: Seconds between the first two looks; doubled from look to look.
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


def settled(partner: Partner, look: Callable[[], T], agrees: Callable[[T], bool]) -> T:
    """
    What *look* sees as soon as it *agrees*, else what it sees when the settle time (``--settle``, seconds) is over.

    A partner that has written and reads at once is asked once. How long it took otherwise is among the check's notes.
    """
    found = look()
    if agrees(found):
        return found
    started, pause = time.monotonic(), _FIRST_PAUSE
    begun, end = started, started + partner.settings.settle
    # The last look begins after the settle time, however long the one before it took.
    while begun < end:
        time.sleep(max(0.0, min(pause, end - time.monotonic())))
        pause = min(2 * pause, _LONGEST_PAUSE)
        begun = time.monotonic()
        found = look()
        if agrees(found):
            partner.lag = max(partner.lag, time.monotonic() - started)
            partner.notes.append(f"settled after {partner.lag:.1f} s")
            return found
    return found


def unchanged(partner: Partner, look: Callable[[], T], agrees: Callable[[T], bool]) -> T:
    """
    What *look* sees where nothing was to change: as `settled`, but of a partner whose reads were seen to lag behind,
    only what is seen after the settle time counts.
    """
    if partner.lag:
        time.sleep(partner.settings.settle)
    return settled(partner, look, agrees)
