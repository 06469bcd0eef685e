"""
Mistakes with the deposits of parties.
"""

from __future__ import annotations

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Booking, Json


#: What follows where a deposit is altered whenever it is written.
_WRITTEN = ("*.keeps-unusual-*", "UpdateParty.changes-the-deposit", "UpdateParty.answers-the-party-as-updated")


class _Deposits(ReferenceEpos):
    """
    An EPOS that does something with deposits.
    """

    def kept_of_party(self, body: Json) -> Json:
        given = super().kept_of_party(body)
        return {**given, "deposit": self.booked(given["deposit"])} if "deposit" in given else given

    def booked(self, deposit: Json) -> Json:
        return deposit


@defect(
    "deposit-of-one-intent",
    breaks=["CreateParty.keeps-the-deposit-intents", "UpdateParty.changes-the-deposit"],
    also=["*.keeps-unusual-*", "UpdateParty.answers-the-party-as-updated"],
)
class DepositOfOneIntent(_Deposits):
    """
    A deposit was made with one payment.
    """

    def booked(self, deposit: Json) -> Json:
        return {**deposit, "paymentIntentIds": deposit["paymentIntentIds"][:1]}


@defect("deposit-intents-are-cut", breaks=["CreateParty.keeps-the-deposit-intents"], also=_WRITTEN)
class DepositIntentsAreCut(_Deposits):
    """
    The id of a payment intent has at most 32 characters, as somebody remembers.
    """

    def booked(self, deposit: Json) -> Json:
        return {**deposit, "paymentIntentIds": [each[:32] for each in deposit["paymentIntentIds"]]}


@defect("deposit-intents-are-sorted", breaks=["CreateParty.keeps-the-order-of-deposit-intents"])
class DepositIntentsAreSorted(_Deposits):
    """
    The payment intents of a deposit are a sorted set.
    """

    def booked(self, deposit: Json) -> Json:
        return {**deposit, "paymentIntentIds": sorted(deposit["paymentIntentIds"])}


@defect(
    "deposit-is-a-penny-short",
    breaks=["CreateParty.keeps-the-deposit-amount", "UpdateParty.changes-the-deposit"],
    also=_WRITTEN,
)
class DepositIsAPennyShort(_Deposits):
    """
    A deposit is kept in pounds, and cut when it is turned into pence again.
    """

    def booked(self, deposit: Json) -> Json:
        amount = deposit["totalAmount"]
        return {**deposit, "totalAmount": {**amount, "value": int(amount["value"] / 100 * 100)}}


@defect(
    "deposit-is-what-is-owed",
    breaks=["CreateParty.keeps-the-deposit-amount"],
    also=["UpdateParty.changes-the-deposit", *_WRITTEN],
)
class DepositIsWhatIsOwed(_Deposits):
    """
    A deposit is the house's five pounds a payment.
    """

    def booked(self, deposit: Json) -> Json:
        amount = {**deposit["totalAmount"], "value": 500 * len(deposit["paymentIntentIds"])}
        return {**deposit, "totalAmount": amount}


@defect("deposit-is-not-described", breaks=["CreateParty.keeps-the-deposit-description"], also=_WRITTEN)
class DepositIsNotDescribed(_Deposits):
    """
    Nobody reads what a deposit is for.
    """

    def booked(self, deposit: Json) -> Json:
        return {name: each for name, each in deposit.items() if name != "description"}


@defect("deposits-go-with-the-guests", breaks=["UpdateParty.changes-the-deposit"])
class DepositsGoWithTheGuests(ReferenceEpos):
    """
    The deposit of a party that has left is in the books, and no longer with the party.
    """

    def present_party(self, party: Booking) -> Json:
        shown = super().present_party(party)
        return {name: each for name, each in shown.items() if name != "deposit" or "endTime" not in shown}
