"""
What one check made at the partner, and its removal, also when the check fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from epos_conformance import money
from epos_conformance._contracts import Capability
from epos_conformance._session import Made, Session
from epos_conformance.exchange import Exchange


#: What is made and has an id of its own -> what requests call that.
ID_NAME = {"order": "orderId", "party": "partyId", "reservation": "reservationId"}


class Belongings:
    """
    Takes note of each call that made or removed something, and removes what is left, newest first.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._made: list[Made] = []

    def made_by(self, capability: Capability, params: Mapping[str, Any], exchange: Exchange) -> Made | None:
        """The `Made` that *exchange* stands for; the same object each time it is asked for."""
        kind = capability.creates
        if kind is None or not exchange.succeeded:
            return None
        ids: dict[str, str] = {}
        if kind in ID_NAME:
            result = exchange.result
            if not isinstance(result, dict) or not isinstance(result.get("id"), str):
                return None
            ids = {ID_NAME[kind]: result["id"]}
        elif kind == "lock":
            ids = {"orderId": params["orderId"], "lockId": str(params.get("lockId"))}
        elif kind == "payment":
            ids = {"orderId": params["orderId"], "paymentIntentId": str(params.get("paymentIntentId"))}
        known = next((each for each in self._made if each.ids == ids), None)
        return known or Made(kind, ids, capability.removed_by, dict(params), exchange.result)

    def note(self, capability: Capability, params: Mapping[str, Any], exchange: Exchange) -> None:
        """Take note of what *exchange* made, or removed."""
        made = self.made_by(capability, params, exchange)
        if made is not None and made not in self._made:
            if made.kind == "payment" and made.ids["orderId"] in self.orders():
                return  # goes with its order
            self._made.append(made)
            if made.kind == "payment" and isinstance(exchange.result, dict):
                # The next check that pays on this order has to see what this one did.
                self._session.leases.note(f"paid {made.ids['orderId']}", money.paid(exchange.result))
        elif exchange.succeeded and (gone := self._removed(capability, params)):
            self._made.remove(gone)

    def _removed(self, capability: Capability, params: Mapping[str, Any]) -> Made | None:
        ids = {each.name: params.get(each.name) for each in capability.ids}
        return next((each for each in self._made if each.removed_by == capability.name and each.ids == ids), None)

    def orders(self) -> set[str]:
        """Ids of the orders that this check made, or that the checks of this process share."""
        own = (*self._made, *(each for each in self._session.pool.values() if isinstance(each, Made)))
        return {each.ids["orderId"] for each in own if each.kind == "order"}

    def lock(self) -> Made | None:
        """The lock that is held, if one is."""
        return next((each for each in self._made if each.kind == "lock"), None)

    def hand_over(self, made: Made) -> None:
        """Others are to have *made*: it stays."""
        self._made.remove(made)

    def forget(self, gone: Callable[[Made], bool]) -> None:
        """Keep nothing in mind of what is *gone* by itself: there is nothing to remove."""
        self._made[:] = [each for each in self._made if not gone(each)]

    def release_locks(self) -> list[str]:
        """Delete all locks; what is left of them."""
        leftovers = []
        for made in [each for each in self._made if each.kind == "lock"]:
            self._made.remove(made)
            if left := self._session.remove(made):
                leftovers.append(left)
                self._retire_order(made.ids["orderId"])
        return leftovers

    def _retire_order(self, order_id: str) -> None:
        """An order that stays locked is of no use to later checks."""
        own = self._session.pool.get("order")
        if isinstance(own, Made) and own.ids["orderId"] == order_id:
            self._session.spent.append(own)
            del self._session.pool["order"]

    def remove(self) -> list[str]:
        """Remove everything, newest first, locks before all; what is left."""
        leftovers = self.release_locks()
        while self._made:
            if left := self._session.remove(self._made.pop()):
                leftovers.append(left)
        return leftovers
