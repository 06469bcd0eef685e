"""
Mistakes with ids that do not exist.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse, Response

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import BY_ID
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Booking, Json, Lock, Order
from epos_conformance.reference.rest import RestShell


#: Rules of other pages that ask for NotFound too.
_GONE = (
    "DeletePartyById.cannot-be-*",
    "DeleteReservationById.cannot-be-*",
)


@defect("unknown-is-empty", breaks=["*.unknown-id-is-not-found"], also=[*_GONE, "*.errors-*", "*.error-status-*"])
class UnknownIsEmpty(ReferenceEpos):
    """
    What does not exist is answered with an empty object.
    """

    def perform(self, call: Call) -> Any:
        try:
            return super().perform(call)
        except EposError as error:
            if error.error_type != "NotFound":
                raise
            return {}


@defect("unknown-is-null", breaks=["*.unknown-id-is-not-found"], also=[*_GONE, "*.errors-*", "*.error-status-*"])
class UnknownIsNull(ReferenceEpos):
    """
    What does not exist is answered with null.
    """

    def perform(self, call: Call) -> Any:
        try:
            return super().perform(call)
        except EposError as error:
            if error.error_type != "NotFound":
                raise
            return None


@defect("unknown-crashes", breaks=["*.unknown-id-is-not-found"], also=_GONE)
class UnknownCrashes(ReferenceEpos):
    """
    Whatever is asked for is taken to exist.
    """

    def find_order(self, order_id: str) -> Order:
        return self.orders[order_id]

    def find_party(self, party_id: str) -> Booking:
        return self.parties[party_id]

    def find_reservation(self, reservation_id: str) -> Booking:
        return self.reservations[reservation_id]


@defect("unknown-is-invalid", breaks=["*.unknown-id-is-not-found"], also=_GONE)
class UnknownIsInvalid(ReferenceEpos):
    """
    What does not exist is an InvalidRequest.
    """

    def perform(self, call: Call) -> Any:
        try:
            return super().perform(call)
        except EposError as error:
            raise invalid(error.debug_message) if error.error_type == "NotFound" else error from error


@defect(
    "unknown-is-a-web-page",
    breaks=over("errors-are-epos-errors", *BY_ID),
    also=["*.unknown-id-is-not-found", *_GONE, "*.errors-*", "rest.answers-as-json", "rest.unknown-path-*"],
)
class UnknownIsAWebPage(RestShell):
    """
    What does not exist is answered with the framework's page for 404.
    """

    def failure(self, error: EposError, capability: Capability | None) -> Response:
        if error.error_type == "NotFound":
            return HTMLResponse("<!doctype html><title>404</title><h1>Not Found</h1>", 404)
        return super().failure(error, capability)


@defect(
    "unknown-order-is-opened",
    breaks=over(
        "unknown-id-is-not-found",
        "GetOrderById",
        "GetOrderBillById",
        "CancelOrderById",
    ),
    also=[
        *over("unknown-id-is-not-found", "RecordOrderPaymentById", "CreateOrderLock"),
        "*.errors-*",
        "Search*.walk-*",
    ],
)
class UnknownOrderIsOpened(ReferenceEpos):
    """
    An order that does not exist is opened, as the waiters' screen does it.
    """

    def find_order(self, order_id: str) -> Order:
        if order_id not in self.orders:
            nothing = {"value": 0, "currencyCode": self.currency()}
            order = self.store_order({
                "items": [],
                "totalAmount": nothing,
                "details": {"orderType": "DineIn", "dineIn": {}},
                "payments": [],
                "dojoOrderId": order_id,
            })
            del self.orders[order.id]
            order.id = order_id
            self.orders[order_id] = order
        return super().find_order(order_id)


@defect(
    "updates-create",
    breaks=over("unknown-id-is-not-found", "UpdateParty", "UpdateReservation"),
    also=[*_GONE, "UpdateParty.errors-*", "UpdateReservation.errors-*"],
)
class UpdatesCreate(ReferenceEpos):
    """
    A PUT of something that does not exist makes it.
    """

    def update_party(self, call: Call) -> Json:
        party_id = call.ids["partyId"]
        self.parties.setdefault(party_id, Booking(id=party_id, number=self.next_number(), given={}))
        return super().update_party(call)

    def update_reservation(self, call: Call) -> Json:
        reservation_id = call.ids["reservationId"]
        self.reservations.setdefault(reservation_id, Booking(id=reservation_id, number=self.next_number(), given={}))
        return super().update_reservation(call)


@defect(
    "deleting-the-unknown-succeeds",
    breaks=over("unknown-id-is-not-found", "DeletePartyById", "DeleteReservationById"),
    also=["DeletePartyById.errors-*", "DeleteReservationById.errors-*"],
)
class DeletingTheUnknownSucceeds(ReferenceEpos):
    """
    What does not exist counts as deleted.
    """

    def delete_party_by_id(self, call: Call) -> Json:
        self.parties.pop(call.ids["partyId"], None)
        return {}

    def delete_reservation_by_id(self, call: Call) -> Json:
        self.reservations.pop(call.ids["reservationId"], None)
        return {}


@defect(
    "locks-ask-for-no-order",
    breaks=over("unknown-id-is-not-found", "CreateOrderLock"),
    also=["CreateOrderLock.errors-*", "CancelOrderById.refuses-locks-afterwards"],
)
class LocksAskForNoOrder(ReferenceEpos):
    """
    The table of locks is kept without a look at the orders.
    """

    def create_order_lock(self, call: Call) -> Json:
        order_id = call.ids["orderId"]
        if order_id in self.orders:
            return super().create_order_lock(call)
        self.locks[order_id] = Lock(id=call.body["lockId"], expiry=self.now())
        return {"locked": True}


@defect("quotes-in-ids-crash", breaks=["*.unknown-id-is-not-found"])
class QuotesInIdsCrash(ReferenceEpos):
    """
    Ids are pasted into the query that looks for them.
    """

    def perform(self, call: Call) -> Any:
        if any("'" in each for each in call.ids.values()):
            raise RuntimeError("unterminated string literal")
        return super().perform(call)


@defect("quotes-in-filters-crash", breaks=["*.no-match-is-an-empty-page"])
class QuotesInFiltersCrash(ReferenceEpos):
    """
    What is searched for is pasted into the query.
    """

    def perform(self, call: Call) -> Any:
        wanted = {**call.body, **call.body.get("dineIn", {})}
        if any("'" in each for name, each in wanted.items() if name.endswith("Id") and isinstance(each, str)):
            raise RuntimeError("unterminated string literal")
        return super().perform(call)
