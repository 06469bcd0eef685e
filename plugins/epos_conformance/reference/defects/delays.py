"""
Mistakes that take time.
"""

from __future__ import annotations

import asyncio

from epos_conformance._contracts import Capability
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.rest import RestShell


#: Seconds that are noticed at a table, and still fit the limit.
NOTICEABLE = 2.5

#: Seconds that nobody waits.
FOREVER = 3600.0


@defect("every-answer-is-slow", breaks=["*.answers-promptly"], also=["*.grants-one-of-two-at-once", "*at-once*"])
class EveryAnswerIsSlow(RestShell):
    """
    Every answer takes a moment too long.
    """

    async def pause(self, capability: Capability) -> None:
        await asyncio.sleep(NOTICEABLE)


@defect("bill-is-slow", breaks=over("answers-promptly", "GetOrderBillById"))
class BillIsSlow(RestShell):
    """
    The bill is laid out anew each time.
    """

    async def pause(self, capability: Capability) -> None:
        if capability.name == "GetOrderBillById":
            await asyncio.sleep(NOTICEABLE)


@defect("bill-hangs", breaks=over("answers-within-the-limit", "GetOrderBillById"), also=["GetOrderBillById.*"])
class BillHangs(RestShell):
    """
    The bill waits for a printer that is switched off.
    """

    async def pause(self, capability: Capability) -> None:
        if capability.name == "GetOrderBillById":
            await asyncio.sleep(FOREVER)


@defect("everything-hangs", breaks=["*.answers-within-the-limit"], also=["*"])
class EverythingHangs(RestShell):
    """
    No call is ever answered: the till is closing the day.
    """

    async def pause(self, capability: Capability) -> None:
        await asyncio.sleep(FOREVER)
