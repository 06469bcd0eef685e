"""
Freedoms with unusual bodies: what a till may refuse, and what it may tidy.
"""

from __future__ import annotations

import unicodedata

from typing import Any

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, conflict, invalid
from epos_conformance.reference.faults import variant
from epos_conformance.reference.records import Json, Order
from epos_conformance.reference.rest import RestShell


#: Texts of a body that the EPOS may tidy: everything but what guests ask for.
_TIDY = ("name", "hostNotes", "note", "reference", "displayName", "description")


@variant("tidies-texts")
class TidiesTexts(ReferenceEpos):
    """
    Names and notes lose blanks at their ends, and their accents are composed; what is empty then is left out.
    """

    def store_order(self, body: Json) -> Order:
        return super().store_order(_tidied(body))

    def kept_of_party(self, body: Json) -> Json:
        return super().kept_of_party(_tidied(body))

    def kept_of_reservation(self, body: Json) -> Json:
        # Its name is required.
        return super().kept_of_reservation({"name": "", **_tidied(body)})


def _tidied(value: Any) -> Any:
    if isinstance(value, list):
        return [_tidied(each) for each in value]
    if not isinstance(value, dict):
        return value
    found: Json = {}
    for name, each in value.items():
        if name in _TIDY and isinstance(each, str):
            tidy = unicodedata.normalize("NFC", each.strip())
            if tidy or "amountTotal" in value:
                found[name] = tidy
        else:
            found[name] = _tidied(each)
    return found


class _UnprocessableEntity(RestShell):
    """
    InvalidRequest is 422.
    """

    def error_status(self, error: EposError) -> int:
        return 422 if error.error_type == "InvalidRequest" else super().error_status(error)


@variant("refuses-long-texts", layers=[_UnprocessableEntity])
class RefusesLongTexts(ReferenceEpos):
    """
    Texts of more than 255 characters are refused with 422.
    """

    def validate(self, call: Call) -> None:
        super().validate(call)
        if any(len(each) > 255 for each in _texts(call.body)):
            raise invalid("a text has 255 characters at most")


@variant("refuses-emoji")
class RefusesEmoji(ReferenceEpos):
    """
    What the printers can't print is refused.
    """

    def validate(self, call: Call) -> None:
        super().validate(call)
        if any(max(each) > "\uffff" for each in _texts(call.body) if each):
            raise invalid("emoji can't be printed")


@variant("plain-texts-only")
class PlainTextsOnly(ReferenceEpos):
    """
    Nothing but letters, digits and a little punctuation is taken in texts, and none may be empty.
    """

    def validate(self, call: Call) -> None:
        super().validate(call)
        if call.capability.creates in ("order", "party", "reservation") or call.capability.name.startswith("Update"):
            for each in _texts(call.body):
                if (
                    not each.isascii()
                    or not each.isprintable()
                    or not each.strip()
                    or set(each) & set("<>&\\'\"%{}$`;|=")
                ):
                    raise invalid(f"{each!r} has characters that are not taken")


@variant("short-orders")
class ShortOrders(ReferenceEpos):
    """
    An order has twenty lines at most, and ninety-nine of a dish.
    """

    def check_new_order(self, body: Json) -> None:
        super().check_new_order(body)
        if len(body["items"]) > 20:
            raise conflict("an order has twenty lines at most")
        if any(each["quantity"] > 99 for each in body["items"]):
            raise invalid("no more than 99 of a dish are sold")


def _texts(value: Any) -> list[str]:
    """Every text inside *value* that is no id: those may be of any syntax."""
    if isinstance(value, dict):
        return [text for name, each in value.items() if not name.endswith(("Id", "Ids")) for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
