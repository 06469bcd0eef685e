"""
Mistakes with the status of a success.
"""

from __future__ import annotations

from epos_conformance._contracts import Capability
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.rest import RestShell


@defect(
    "created-is-created",
    breaks=over("success-status-is-ok", "CreateOrder", "CreateOrderLock", "CreateParty", "CreateReservation"),
)
class CreatedIsCreated(RestShell):
    """
    What makes something answers 201.
    """

    def success_status(self, capability: Capability) -> int:
        return 201 if capability.name.startswith("Create") else 200


@defect("deleted-is-no-content", breaks=over("success-status-is-ok", "DeletePartyById", "DeleteReservationById"))
class DeletedIsNoContent(RestShell):
    """
    A deletion answers 204.
    """

    def success_status(self, capability: Capability) -> int:
        return 204 if self.has_no_content(capability) else 200


@defect("everything-is-accepted", breaks=["*.success-status-is-ok"])
class EverythingIsAccepted(RestShell):
    """
    Every success answers 202, from a queue that is worked off later.
    """

    def success_status(self, capability: Capability) -> int:
        return 202
