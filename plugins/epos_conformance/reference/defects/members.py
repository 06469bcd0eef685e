"""
Mistakes with members that are missing, of the wrong type or unknown, and with what a refused request leaves behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference import forms
from epos_conformance.reference.core import Call
from epos_conformance.reference.defects import shapes
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, conflict, invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json


class _Reshaping(ReferenceEpos):
    """
    An EPOS whose deserialiser has its way with the body before it is validated.
    """

    def read(self, capability: Capability, params: Mapping[str, Any], headers: Mapping[str, str]) -> Call:
        call = super().read(capability, params, headers)
        wanted = self.request_schema(capability)
        return replace(call, body=self.reshape(wanted, call.body)) if wanted else call

    def reshape(self, wanted: shapes.Schema, body: Any) -> Any:
        return body


#: What follows where bodies are not examined: bad ones are taken, and shown to whoever reads.
_UNEXAMINED = (
    "*.missing-members-are-refused",
    "*.answer-matches-schema",
    "*.scalars-are-not-coerced",
    "*.bad-requests-are-invalid-requests",
    "*.refused-requests-store-nothing",
    "*.refuses-a-m*",
    "*.errors-*",
    "*.error-status-fits-its-type",
    "RecordOrderPaymentById.refuses-*",
    "rest.refuses-an-*",
)


@defect("missing-is-zero", breaks=["*.missing-members-are-refused"], also=_UNEXAMINED)
class MissingIsZero(_Reshaping):
    """
    Members that were not sent are zero or empty, as the language initialises them.
    """

    def reshape(self, wanted: shapes.Schema, body: Any) -> Any:
        return shapes.reshaped(wanted, body, shapes.as_sent, fill=True)


@defect("missing-members-crash", breaks=["*.missing-members-are-refused"], also=_UNEXAMINED)
class MissingMembersCrash(ReferenceEpos):
    """
    Nobody looks whether the required members are there, until one of them is used.
    """

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        wanted = super().request_schema(capability)
        return shapes.changed(shapes.without_required, capability.name, wanted)


@defect(
    "currency-is-assumed",
    breaks=over("missing-members-are-refused", "CreateOrder", "RecordOrderPaymentById"),
    also=[*over("missing-members-are-refused", "CreateParty", "UpdateParty"), *_UNEXAMINED],
)
class CurrencyIsAssumed(_Reshaping):
    """
    An amount without a currency is taken for one in the venue's.
    """

    def reshape(self, wanted: shapes.Schema, body: Any) -> Any:
        return self.with_currency(body)

    def with_currency(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.with_currency(each) for each in value]
        if isinstance(value, dict):
            assumed = {"currencyCode": self.currency()} if "value" in value else {}
            return {**assumed, **{name: self.with_currency(each) for name, each in value.items()}}
        return value


@defect("types-go-unchecked", breaks=["*.wrong-types-are-refused"], also=_UNEXAMINED)
class TypesGoUnchecked(ReferenceEpos):
    """
    The members have to be there, whatever they are.
    """

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        wanted = super().request_schema(capability)
        return shapes.changed(shapes.without_types, capability.name, wanted)


@defect("wrong-types-crash", breaks=["*.wrong-types-are-refused"], also=_UNEXAMINED)
class WrongTypesCrash(ReferenceEpos):
    """
    A member of the wrong type fails in the deserialiser, whose exceptions nobody catches.
    """

    def validate(self, call: Call) -> None:
        wanted = self.request_schema(call.capability)
        for each in forms.faults_in(wanted, call.body) if wanted else ():
            if "is not of type" in each:
                raise TypeError(each)
        super().validate(call)


@defect(
    "searches-are-not-validated",
    breaks=over("wrong-types-are-refused", "SearchOrders", "SearchTables", "SearchParties", "SearchReservations"),
    also=["Search*"],
)
class SearchesAreNotValidated(ReferenceEpos):
    """
    Only what changes something is validated.
    """

    def validate(self, call: Call) -> None:
        if call.capability.changes:
            super().validate(call)


@defect("scalars-are-coerced", breaks=["*.scalars-are-not-coerced"], also=[*_UNEXAMINED, "*.wrong-types-are-refused"])
class ScalarsAreCoerced(_Reshaping):
    """
    A text does for a number, a number for a text and for a time.
    """

    def reshape(self, wanted: shapes.Schema, body: Any) -> Any:
        return shapes.reshaped(wanted, body, shapes.coerced)


@defect(
    "fractions-are-cut",
    breaks=over("scalars-are-not-coerced", "CreateOrder", "RecordOrderPaymentById"),
    also=[*_UNEXAMINED, "*.wrong-types-are-refused"],
)
class FractionsAreCut(_Reshaping):
    """
    A fraction of an integer is cut off.
    """

    def reshape(self, wanted: shapes.Schema, body: Any) -> Any:
        return shapes.reshaped(wanted, body, shapes.cut)


@defect(
    "true-is-one",
    breaks=over("scalars-are-not-coerced", "CreateOrder", "RecordOrderPaymentById"),
    also=_UNEXAMINED,
)
class TrueIsOne(_Reshaping):
    """
    In Python a truth value is an integer.
    """

    def reshape(self, wanted: shapes.Schema, body: Any) -> Any:
        return shapes.reshaped(wanted, body, shapes.counted)


@defect(
    "modifiers-are-in-the-tills-currency",
    breaks=["CreateOrder.missing-members-are-refused"],
    also=["CreateOrder.refused-requests-store-nothing"],
)
class ModifiersAreInTheTillsCurrency(_Reshaping):
    """
    Nobody asks what a modifier is paid in; that there is one of it, or more, is asked first.
    """

    def reshape(self, wanted: shapes.Schema, body: Any) -> Any:
        for item in _objects(body.get("items")):
            for line in (item, *_objects(item.get("subItems"))):
                for each in _objects(line.get("modifiers")):
                    if not each.get("quantity"):
                        raise invalid("there is none of a modifier")
                    if isinstance(price := each.get("amountPerModifier"), dict):
                        price.setdefault("currencyCode", self.currency())
        return body


def _objects(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


@defect(
    "bad-requests-are-conflicts",
    breaks=["*.bad-requests-are-invalid-requests"],
    also=["*.refuses-a-m*", "RecordOrderPaymentById.refuses-*"],
)
class BadRequestsAreConflicts(ReferenceEpos):
    """
    There is one exception for everything that is refused, and it is a Conflict.
    """

    def validate(self, call: Call) -> None:
        try:
            super().validate(call)
        except EposError as error:
            raise conflict(error.debug_message) from error


@defect(
    "bad-requests-are-unexpected",
    breaks=["*.missing-members-are-refused", "*.wrong-types-are-refused"],
    also=[
        "*.bad-requests-are-invalid-requests",
        "*.refuses-a-m*",
        "*.refuses-a-l*",
        "*.refuses-a-n*",
        "RecordOrderPaymentById.refuses-*",
        "*.scalars-are-not-coerced",
    ],
)
class BadRequestsAreUnexpected(ReferenceEpos):
    """
    Bad requests end in the handler for what nobody expected.
    """

    def validate(self, call: Call) -> None:
        try:
            super().validate(call)
        except EposError as error:
            raise EposError("UnexpectedError", error.debug_message) from error


@defect(
    "stores-before-validating",
    breaks=["*.refused-requests-store-nothing"],
    also=["RecordOrderPaymentById.records-nothing-*", "*.answer-matches-schema"],
)
class StoresBeforeValidating(ReferenceEpos):
    """
    A request is carried out first, as far as it goes, and then found to be bad.
    """

    def validate(self, call: Call) -> None:
        try:
            super().validate(call)
        except EposError:
            wanted = self.request_schema(call.capability)
            # Locks are of another make.
            if wanted is not None and call.capability.changes and call.capability.page != "order locks":
                body = shapes.reshaped(wanted, call.body, shapes.coerced, fill=True)
                with self.exclusively(), suppress(Exception):
                    self.perform(replace(call, body=body))
            raise


@defect("heads-of-orders-are-stored-first", breaks=["CreateOrder.refused-requests-store-nothing"])
class HeadsOfOrdersAreStoredFirst(ReferenceEpos):
    """
    The row of a new order is written before its lines are read: its total and its table, no texts.
    """

    def validate(self, call: Call) -> None:
        try:
            super().validate(call)
        except EposError:
            if call.capability.name == "CreateOrder":
                head = {name: call.body.get(name) for name in ("dojoOrderId", "totalAmount", "details")}
                with self.exclusively(), suppress(Exception):
                    super().validate(replace(call, body={**head, "items": [], "payments": []}))
                    self.store_order({**head, "items": [], "payments": []})
            raise


@defect("unknown-members-are-refused", breaks=["*.unknown-members-are-ignored"], also=["HandleEvent.survives-*"])
class UnknownMembersAreRefused(ReferenceEpos):
    """
    A member that the documentation of last year does not know is refused.
    """

    def request_schema(self, capability: Capability) -> Mapping[str, Any] | None:
        wanted = super().request_schema(capability)
        return shapes.changed(shapes.closed, capability.name, wanted)


@defect("unknown-members-crash", breaks=over("unknown-members-are-ignored", "CreateOrder"))
class UnknownMembersCrash(ReferenceEpos):
    """
    An order is made of all the members of the body, known or not.
    """

    def validate(self, call: Call) -> None:
        super().validate(call)
        if call.capability.name == "CreateOrder":
            wanted = call.capability.request or {}
            unknown = sorted(set(call.body) - set(wanted["properties"]))
            if unknown:
                raise TypeError(f"Order() got an unexpected keyword argument {unknown[0]!r}")
