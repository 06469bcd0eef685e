"""
Freedoms in what an answer looks like.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from starlette.responses import Response

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Booking, Json, Order
from epos_conformance.reference.rest import RestShell, Target


@variant("bad-request-is-422")
class BadRequestIs422(RestShell):
    """
    An InvalidRequest has status 422.
    """

    def error_status(self, error: EposError) -> int:
        return 422 if error.error_type == "InvalidRequest" else super().error_status(error)


@variant("strangers-are-forbidden")
class StrangersAreForbidden(RestShell):
    """
    Credentials that are missing or wrong have status 403.
    """

    def unauthorized(self) -> Response:
        response = super().unauthorized()
        response.status_code = 403
        return response


@variant("unknown-methods-are-not-found")
class UnknownMethodsAreNotFound(RestShell):
    """
    A method that a path does not have is answered like an unknown path.
    """

    def unroutable(self, target: Target) -> Response:
        return super().unroutable(Target(None, {}, ()))


@variant("without-trace-ids")
class WithoutTraceIds(ReferenceEpos):
    """
    Errors carry no traceId.
    """

    def error_body(self, error: EposError) -> Any:
        return {"errorType": error.error_type, "debugMessage": error.debug_message}


@variant("extra-members")
class ExtraMembers(ReferenceEpos):
    """
    Every object that may have them carries members of the till's own.
    """

    def perform(self, call: Call) -> Any:
        return _with_extras(super().perform(call))

    def error_body(self, error: EposError) -> Any:
        return {**super().error_body(error), "tillVersion": "9.4.1"}


def _with_extras(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_extras(each) for each in value]
    if isinstance(value, dict):
        # The two shapes that are closed: Customer and TaxLine.
        kept = {name: each if name in ("customer", "taxLines") else _with_extras(each) for name, each in value.items()}
        return {**kept, "tillExtras": {"colour": "teal", "count": 3, "none": None}}
    return value


@variant("offset-times")
class OffsetTimes(ReferenceEpos):
    """
    Times are written with the offset +00:00.
    """

    def spell_time(self, instant: datetime) -> str:
        return super().spell_time(instant).replace("Z", "+00:00")


@variant("summer-times")
class SummerTimes(ReferenceEpos):
    """
    Times are local ones, with their offset.
    """

    def spell_time(self, instant: datetime) -> str:
        return instant.astimezone(timezone(timedelta(hours=1))).isoformat(timespec="milliseconds")


@variant("whole-seconds")
class WholeSeconds(ReferenceEpos):
    """
    Orders are dated to the second, and no time is written more precisely than it is known.
    """

    def now(self) -> datetime:
        return super().now().replace(microsecond=0)

    def spell_time(self, instant: datetime) -> str:
        return super().spell_time(instant).replace(".000Z", "Z")


@variant("empty-lists")
class EmptyLists(ReferenceEpos):
    """
    Lists that nothing is on are sent empty.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        items = [{"modifiers": [], "subItems": [], **each} for each in shown["items"]]
        return {"discounts": [], "taxLines": [], **shown, "items": items}


@variant("lean-orders")
class LeanOrders(ReferenceEpos):
    """
    Orders leave out the dates, payments where there are none and tips where nobody tipped.
    """

    def present_order(self, order: Order) -> Json:
        shown = super().present_order(order)
        del shown["createdAt"], shown["updatedAt"]
        if not order.payments:
            del shown["payments"]
        if not self.tips_amount(order):
            del shown["tipsAmount"]
        return shown

    def present_payment(self, payment: Json) -> Json:
        return {name: value for name, value in payment.items() if name != "tipsAmount" or value["value"]}


@variant("extension-answers-nothing")
class ExtensionAnswersNothing(ReferenceEpos):
    """
    An extended lock is answered with an empty object.
    """

    def extended_answer(self, order: Order) -> Json:
        return {}


@variant("tables-in-pages")
class TablesInPages(RestShell):
    """
    SearchTables answers a list of one page, as the published schema has it over REST.
    """

    def success(self, capability: Capability, result: Any) -> Response:
        return super().success(capability, [result] if capability.name == "SearchTables" else result)


@variant("completed-shows-all")
class CompletedShowsAll(ReferenceEpos):
    """
    A search with completedOnly shows the parties that are still there too.
    """

    def is_wanted_party(self, party: Booking, wanted: Json) -> bool:
        if wanted.get("completedOnly") and "endTime" not in party.given:
            return super().is_wanted_party(party, {**wanted, "completedOnly": False})
        return super().is_wanted_party(party, wanted)


@variant("reservations-by-start")
class ReservationsByStart(ReferenceEpos):
    """
    A reservation is inside an interval when it starts in it.
    """

    def is_wanted_reservation(self, reservation: Booking, wanted: Json) -> bool:
        start = Booking(
            id=reservation.id,
            number=reservation.number,
            given={**reservation.given, "endTime": reservation.given["startTime"]},
        )
        return super().is_wanted_reservation(start, wanted)


@variant("oldest-first")
class OldestFirst(ReferenceEpos):
    """
    Searches answer what is oldest first.
    """

    def search_orders(self, call: Call) -> Json:
        rows = [(each.number, each) for each in self.orders.values() if self.is_wanted_order(each, call.body)]
        return self.page("orders", rows, call.body.get("cursor", {}), self.present_order)
