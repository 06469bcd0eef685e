"""
Freedoms in what is said to Dojo: they show where the EPOS has a link to it.
"""

from __future__ import annotations

from epos_conformance.reference.core import Call
from epos_conformance.reference.dojo import DojoLink
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Json


@variant("dojo-is-not-asked")
class DojoIsNotAsked(ReferenceEpos):
    """
    Payment intents are taken on trust, as long as they look like one.
    """

    def inquire(self, call: Call) -> Call:
        return call


@variant("dojo-hears-everything-twice")
class DojoHearsEverythingTwice(DojoLink):
    """
    Each change is told two times: at least once is what was asked for.
    """

    def tell(self, event_type: str, id: str) -> None:
        super().tell(event_type, id)
        super().tell(event_type, id)


@variant("dojo-hears-of-locks")
class DojoHearsOfLocks(ReferenceEpos):
    """
    An order that is locked or unlocked is told of as a changed one.
    """

    def create_order_lock(self, call: Call) -> Json:
        return self._told(call, super().create_order_lock(call))

    def extend_order_lock(self, call: Call) -> Json:
        return self._told(call, super().extend_order_lock(call))

    def delete_order_lock(self, call: Call) -> Json:
        return self._told(call, super().delete_order_lock(call))

    def _told(self, call: Call, answer: Json) -> Json:
        self.tell("OrderUpdated", self.find_order(call.ids["orderId"]))
        return answer


@variant("dojo-hears-late")
class DojoHearsLate(DojoLink):
    """
    Changes are collected, and told a second later.
    """

    def postponement(self) -> float:
        return 1.0


@variant("dojo-hears-no-reseller")
class DojoHearsNoReseller(DojoLink):
    """
    The till is sold by its maker: there is no reseller-id.
    """

    def headers(self) -> dict[str, str]:
        return {name: value for name, value in super().headers().items() if name != "reseller-id"}


@variant("dojo-knows-a-folder")
class DojoKnowsAFolder(DojoLink):
    """
    The registered address ends with a slash.
    """

    def registered_url(self, url: str) -> str:
        return f"{url}/"
