"""
Mistakes with what may be left out, and with what may be there: members and headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.defects import shapes
from epos_conformance.reference.defects.groups import SEARCHES
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Booking, Json


@defect(
    "every-member-is-required",
    breaks=over("optional-members-are-optional", *SEARCHES, "CreateOrder"),
    also=["*"],
)
class EveryMemberIsRequired(ReferenceEpos):
    """
    No member of a request may be left out.
    """

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        return shapes.changed(shapes.all_required, capability.name, super().request_schema(capability))


@defect(
    "tip-is-required",
    breaks=over("optional-members-are-optional", "RecordOrderPaymentById"),
    also=["RecordOrderPaymentById.*", "CreateOrderLock.*", "ExtendOrderLock.*"],
)
class TipIsRequired(ReferenceEpos):
    """
    A payment without a tip crashes.
    """

    def payment_of(self, body: Json) -> Json:
        return {**super().payment_of(body), "tipsAmount": body["tipsAmount"]}


@defect(
    "searches-need-a-cursor",
    breaks=over("optional-members-are-optional", *SEARCHES),
    also=["Search*", "*.answers-*", "rest.survives-an-empty-query"],
)
class SearchesNeedACursor(ReferenceEpos):
    """
    A search without a cursor crashes.
    """

    def limit_of(self, cursor: Json) -> int:
        return int(cursor["limit"])


@defect(
    "party-needs-covers", breaks=over("optional-members-are-optional", "CreateParty", "UpdateParty"), also=["*Party*.*"]
)
class PartyNeedsCovers(ReferenceEpos):
    """
    A party that does not say how many it is of crashes.
    """

    def check_party(self, body: Json, party: Booking | None) -> None:
        if body["covers"] < 1:
            raise invalid("a party is of one at least")


@defect(
    "full-orders-crash", breaks=over("answer-matches-schema", "CreateOrder"), also=["CreateOrder.keeps-the-customer"]
)
class FullOrdersCrash(ReferenceEpos):
    """
    An order with a customer crashes unless the customer is one of the loyalty scheme's.
    """

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        if "customer" in body:
            body["customer"]["id"]


@defect(
    "deposit-needs-a-description",
    breaks=over("answer-matches-schema", "UpdateParty"),
    also=["CreateParty.*", "UpdateParty.*"],
)
class DepositNeedsADescription(ReferenceEpos):
    """
    A deposit that is not described crashes.
    """

    def kept_of_party(self, body: Json) -> Json:
        given = super().kept_of_party(body)
        if "deposit" in given:
            given["deposit"] = {**given["deposit"], "description": given["deposit"]["description"][:50]}
        return given


@defect("filters-come-together", breaks=over("answer-matches-schema", "SearchOrders"), also=["SearchOrders.*"])
class FiltersComeTogether(ReferenceEpos):
    """
    A search by table crashes where no waiter is named.
    """

    def search_orders(self, call: Call) -> Json:
        if "dineIn" in call.body:
            call.body["dineIn"]["waiterId"]
        return super().search_orders(call)


@defect(
    "payment-needs-a-waiter",
    breaks=over("answer-matches-schema", "RecordOrderPaymentById"),
    also=["RecordOrderPaymentById.*", "CreateOrderLock.*", "ExtendOrderLock.*", "DeleteOrderLock.*"],
)
class PaymentNeedsAWaiter(ReferenceEpos):
    """
    A payment without the header waiter-id crashes.
    """

    def check_headers(self, call: Call) -> None:
        if call.capability.name == "RecordOrderPaymentById":
            call.headers["waiterId"]


@defect(
    "payment-knows-two-waiters",
    breaks=over("headers-are-optional", "RecordOrderPaymentById"),
    also=["RecordOrderPaymentById.*"],
)
class PaymentKnowsTwoWaiters(ReferenceEpos):
    """
    A payment whose waiter-id is not in the list of last year crashes.
    """

    def check_headers(self, call: Call) -> None:
        if call.capability.name == "RecordOrderPaymentById" and "waiterId" in call.headers:
            {"1": "Anna", "2": "Ben"}[call.headers["waiterId"]]


@defect("headers-are-required", breaks=["*.headers-are-optional"], also=["*"])
class HeadersAreRequired(ReferenceEpos):
    """
    Every request has to name the terminal it comes from.
    """

    def check_headers(self, call: Call) -> None:
        if "deviceId" not in call.headers:
            raise invalid("the header device-id is missing")


@defect("waiters-are-numbers", breaks=["*.headers-are-optional"], also=["*"])
class WaitersAreNumbers(ReferenceEpos):
    """
    A waiter-id that is not a number crashes.
    """

    def check_headers(self, call: Call) -> None:
        int(call.headers.get("waiterId", "0"))
