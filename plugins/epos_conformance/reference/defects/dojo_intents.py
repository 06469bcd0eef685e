"""
Mistakes with looking payment intents up at Dojo.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.payments import PAY
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Order


@defect(
    "dojo-is-asked-and-not-heard",
    breaks=[*over("refuses-an-intent-dojo-does-not-know", PAY), *over("looks-the-intent-up", PAY)],
)
class DojoIsAskedAndNotHeard(ReferenceEpos):
    """
    A payment intent is looked up at Dojo, and nobody reads the status of the answer.
    """

    def check_intent(self, order: Order, intent_id: str) -> None:
        # Dojo is trusted to know what an intent looks like.
        super().check_intent(order, f"pi_{intent_id}")

    def check_at_dojo(self, call: Call) -> None:
        pass
