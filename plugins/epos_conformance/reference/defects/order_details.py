"""
Mistakes in what is kept of an order that Dojo creates: its texts, places and times.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.order_creation import Storing, without
from epos_conformance.reference.defects.order_keeps import UNUSUAL
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.times import parse_time


class _Seating(Storing):
    """
    A till that does something to the place of a new order.
    """

    def kept(self, body: Json) -> Json:
        if "dineIn" not in body["details"]:
            return body
        return {**body, "details": {**body["details"], "dineIn": self.seated(body["details"]["dineIn"])}}

    def seated(self, dine_in: Json) -> Json:
        return dine_in


# Texts


@defect("new-notes-are-cut", breaks=["CreateOrder.keeps-the-note"], also=UNUSUAL)
class NewNotesAreCut(Storing):
    """
    The column for the note of an order has 50 characters.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "note": body["note"][:50]} if "note" in body else body


@defect("new-notes-are-cut-at-255", breaks=["CreateOrder.keeps-the-note"], also=UNUSUAL)
class NewNotesAreCutAt255(Storing):
    """
    The column for the note of an order has 255 characters.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "note": body["note"][:255]} if "note" in body else body


@defect("new-notes-are-escaped", breaks=["CreateOrder.keeps-the-note"], also=UNUSUAL)
class NewNotesAreEscaped(Storing):
    """
    The note is escaped for HTML on its way in.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "note": body["note"].replace("&", "&amp;").replace("<", "&lt;")} if "note" in body else body


@defect("new-notes-lose-accents", breaks=["CreateOrder.keeps-the-note"], also=UNUSUAL)
class NewNotesLoseAccents(Storing):
    """
    The kitchen printer knows ASCII, and so does the note.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "note": body["note"].encode("ascii", "ignore").decode()} if "note" in body else body


@defect("new-references-are-numbers", breaks=["CreateOrder.keeps-the-reference"], also=UNUSUAL)
class NewReferencesAreNumbers(Storing):
    """
    A reference of digits is kept as a number.
    """

    def kept(self, body: Json) -> Json:
        reference = body.get("reference", "")
        return {**body, "reference": str(int(reference))} if reference.isdigit() else body


@defect("new-references-are-the-tills", breaks=["CreateOrder.keeps-the-reference"], also=UNUSUAL)
class NewReferencesAreTheTills(Storing):
    """
    Every order gets the next number of the till as its reference.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "reference": f"check {1000 + len(self.orders)}"}


@defect("new-names-are-capitals", breaks=["CreateOrder.keeps-the-display-name"], also=UNUSUAL)
class NewNamesAreCapitals(Storing):
    """
    The display name is written in capitals, as on the kitchen's screen.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "displayName": body["displayName"].upper()} if "displayName" in body else body


@defect("new-names-are-cut", breaks=["CreateOrder.keeps-the-display-name"], also=UNUSUAL)
class NewNamesAreCut(Storing):
    """
    The display name of an order has 20 characters.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "displayName": body["displayName"][:20]} if "displayName" in body else body


@defect("new-customer-is-a-name", breaks=["CreateOrder.keeps-the-customer"], also=UNUSUAL)
class NewCustomerIsAName(Storing):
    """
    Of the customer only the name is saved.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "customer": {"name": body["customer"].get("name", "")}} if "customer" in body else body


@defect("phone-numbers-are-numbers", breaks=["CreateOrder.keeps-the-customer"], also=UNUSUAL)
class PhoneNumbersAreNumbers(Storing):
    """
    The phone number of a customer loses its plus sign.
    """

    def kept(self, body: Json) -> Json:
        customer = body.get("customer", {})
        if "phoneNumber" not in customer:
            return body
        return {**body, "customer": {**customer, "phoneNumber": customer["phoneNumber"].lstrip("+0")}}


# Places and times


@defect(
    "everything-is-eaten-in",
    breaks=["CreateOrder.keeps-the-order-type"],
    also=["GetOrderById.dine-in-*", "CreateOrder.keeps-the-collection-details", *UNUSUAL],
)
class EverythingIsEatenIn(Storing):
    """
    The type of a new order is always DineIn.
    """

    def kept(self, body: Json) -> Json:
        return {**body, "details": {**body["details"], "orderType": "DineIn"}}


_TABLE = ("CreateOrder.is-found-by-search", "SearchOrders.*")


@defect("new-tables-are-lower-case", breaks=["CreateOrder.keeps-the-table"], also=[*_TABLE, *UNUSUAL])
class NewTablesAreLowerCase(_Seating):
    """
    The id of a new order's table is kept in small letters.
    """

    def seated(self, dine_in: Json) -> Json:
        return {**dine_in, "tableId": dine_in["tableId"].lower()} if "tableId" in dine_in else dine_in


@defect("new-orders-are-at-the-bar", breaks=["CreateOrder.keeps-the-table"], also=[*_TABLE, *UNUSUAL])
class NewOrdersAreAtTheBar(_Seating):
    """
    Orders of a garden table are handed out at the bar, and booked there.
    """

    def seated(self, dine_in: Json) -> Json:
        return {**dine_in, "tableId": "bar-1"} if dine_in.get("tableId", "").startswith("gdn") else dine_in


@defect(
    "waiter-is-taken-from-the-header",
    breaks=["CreateOrder.keeps-the-waiter"],
    also=["CreateOrder.is-found-by-search", *UNUSUAL],
)
class WaiterIsTakenFromTheHeader(ReferenceEpos):
    """
    An order belongs to whoever holds the terminal.
    """

    def create_order(self, call: Call) -> Json:
        waiter = call.headers.get("waiterId")
        dine_in = call.body["details"].get("dineIn")
        if waiter and dine_in is not None:
            dine_in["waiterId"] = waiter
        return super().create_order(call)


@defect("new-orders-have-no-waiter", breaks=["CreateOrder.keeps-the-waiter"], also=[*_TABLE, *UNUSUAL])
class NewOrdersHaveNoWaiter(_Seating):
    """
    The waiter of a new order is not saved.
    """

    def seated(self, dine_in: Json) -> Json:
        return without(dine_in, "waiterId")


@defect("new-orders-have-no-party", breaks=["CreateOrder.keeps-the-party"], also=UNUSUAL)
class NewOrdersHaveNoParty(_Seating):
    """
    The party of a new order is not saved.
    """

    def seated(self, dine_in: Json) -> Json:
        return without(dine_in, "partyId")


@defect("party-is-the-tables-first", breaks=["CreateOrder.keeps-the-party"], also=UNUSUAL)
class PartyIsTheTablesFirst(_Seating):
    """
    A new order belongs to the party that sat at its table first today.
    """

    def seated(self, dine_in: Json) -> Json:
        there = [each.id for each in self.parties.values() if dine_in.get("tableId") in each.given["tableIds"]]
        return {**dine_in, "partyId": there[0]} if there and "partyId" in dine_in else dine_in


@defect("new-orders-have-no-reservation", breaks=["CreateOrder.keeps-the-reservation"], also=UNUSUAL)
class NewOrdersHaveNoReservation(_Seating):
    """
    The reservation of a new order is not saved.
    """

    def seated(self, dine_in: Json) -> Json:
        return without(dine_in, "reservationId")


@defect(
    "reservation-is-the-party",
    breaks=["CreateOrder.keeps-the-reservation"],
    also=["CreateOrder.keeps-the-party", *UNUSUAL],
)
class ReservationIsTheParty(_Seating):
    """
    The reservation of a new order is saved as its party.
    """

    def seated(self, dine_in: Json) -> Json:
        if "reservationId" not in dine_in:
            return dine_in
        return {**without(dine_in, "reservationId"), "partyId": dine_in["reservationId"]}


class _Timing(Storing):
    """
    A till that does something to the times of a new order.
    """

    def kept(self, body: Json) -> Json:
        details: Any = {
            key: {name: self.time(text) if name in ("readyAt", "collectAt") else text for name, text in each.items()}
            if isinstance(each, dict)
            else each
            for key, each in body["details"].items()
        }
        return {**body, "details": details}

    def time(self, text: str) -> str:
        return text


_TIMES = ("CreateOrder.keeps-the-ready-time", "CreateOrder.keeps-the-collection-details")


@defect("new-times-are-local", breaks=_TIMES, also=UNUSUAL)
class NewTimesAreLocal(_Timing):
    """
    The times of new orders are shown as they are on the wall, and as if that were UTC.
    """

    def time(self, text: str) -> str:
        return self.spell_time(parse_time(text) + timedelta(hours=1))


@defect("new-times-are-today", breaks=_TIMES, also=UNUSUAL)
class NewTimesAreToday(_Timing):
    """
    Of the time of a new order only the hour is saved.
    """

    def time(self, text: str) -> str:
        now = self.now()
        return self.spell_time(parse_time(text).replace(year=now.year, month=now.month, day=now.day))


@defect("new-times-have-twelve-hours", breaks=_TIMES, also=UNUSUAL)
class NewTimesHaveTwelveHours(_Timing):
    """
    Times go through a format with twelve hours and no word for the afternoon.
    """

    def time(self, text: str) -> str:
        found = parse_time(text)
        return self.spell_time(found.replace(hour=found.hour % 12))


@defect("pre-orders-have-no-time", breaks=["CreateOrder.keeps-the-ready-time"], also=UNUSUAL)
class PreOrdersHaveNoTime(_Seating):
    """
    When a pre-order is to be ready is not saved.
    """

    def seated(self, dine_in: Json) -> Json:
        return without(dine_in, "readyAt")


@defect("asap-is-always-true", breaks=["CreateOrder.keeps-the-collection-details"], also=UNUSUAL)
class AsapIsAlwaysTrue(Storing):
    """
    Every order to collect is one for as soon as possible.
    """

    def kept(self, body: Json) -> Json:
        if "collection" not in body["details"]:
            return body
        return {**body, "details": {**body["details"], "collection": {"asap": True}}}
