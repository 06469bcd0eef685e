"""
What a check may find missing besides its own capability: what it makes, observes or locks with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from types import MappingProxyType

from epos_conformance import _contracts
from epos_conformance._checks import Examination


#: Whose rows are made to be found.
_MAKERS = {"SearchOrders": "CreateOrder", "SearchParties": "CreateParty", "SearchReservations": "CreateReservation"}

#: Capability -> the rules, as they are declared, that are not examined where it isn't offered. A test reads the same
#: off the checks.
_WITHOUT = {
    "CancelOrderById": """
        RecordOrderPaymentById.records-nothing-on-a-canceled-order pos-events.tells-of-a-canceled-order
    """,
    "CreateOrder": """
        pos-events.tells-of-a-created-order
    """,
    "CreateOrderLock": """
        *.answers-while-the-order-is-locked *.leaves-the-rest-of-the-order
        *.reads-an-expiry-of-any-precision *.refuses-a-malformed-expiry
        *.refuses-a-missing-expiry CancelOrderById.refuses-locks-afterwards
        DeleteOrderLock.answers-the-latest-order DeleteOrderLock.keeps-the-lock-of-another
        DeleteOrderLock.leaves-other-orders-locked DeleteOrderLock.lets-a-new-lock-be-granted
        DeleteOrderLock.lets-payments-be-made-again ExtendOrderLock.extends-a-live-lock
        ExtendOrderLock.frees-the-order-after-the-new-expiry
        ExtendOrderLock.keeps-the-order-beyond-the-first-expiry ExtendOrderLock.lets-the-holder-pay-afterwards
        ExtendOrderLock.survives-a-delete-at-once RecordOrderPaymentById.records-nothing-under-another-lock
        RecordOrderPaymentById.refuses-the-lock-of-another RecordOrderPaymentById.split-payments-add-up
    """,
    "CreateParty": """
        CreateOrder.keeps-the-party pos-events.tells-of-a-created-party pos-events.tells-of-a-deleted-party
        pos-events.tells-of-an-updated-party
    """,
    "CreateReservation": """
        CreateOrder.keeps-the-reservation pos-events.tells-of-a-created-reservation
        pos-events.tells-of-a-deleted-reservation pos-events.tells-of-an-updated-reservation
    """,
    "DeleteOrderLock": """
        *.answers-while-the-order-is-locked *.refuses-a-malformed-expiry *.refuses-a-missing-expiry
        CreateOrderLock.a-refused-lock-holds-nothing CreateOrderLock.answers-the-latest-order
        CreateOrderLock.grants-one-of-two-at-once CreateOrderLock.lets-another-order-be-locked
        CreateOrderLock.lets-another-order-be-paid CreateOrderLock.reads-an-expiry-with-an-offset
        ExtendOrderLock.survives-a-delete-at-once
    """,
    "DeletePartyById": """
        pos-events.tells-of-a-deleted-party
    """,
    "DeleteReservationById": """
        pos-events.tells-of-a-deleted-reservation
    """,
    "GetOrderById": """
        *.leaves-the-rest-of-the-order CreateOrder.can-be-fetched GetOrderBillById.order-agrees-with-the-order
        RecordOrderPaymentById.answers-a-replay-at-once-with-success
        RecordOrderPaymentById.counts-a-replay-at-once-once
        RecordOrderPaymentById.keeps-both-of-two-payments-at-once RecordOrderPaymentById.payment-is-read-back
        RecordOrderPaymentById.records-nothing-for-a-bad-amount
        RecordOrderPaymentById.records-nothing-in-another-currency
        RecordOrderPaymentById.records-nothing-of-an-overpayment
        RecordOrderPaymentById.records-nothing-on-a-canceled-order
        RecordOrderPaymentById.records-nothing-on-a-fully-paid-order
        RecordOrderPaymentById.records-nothing-that-it-refuses
        RecordOrderPaymentById.records-one-of-two-full-payments-at-once
        RecordOrderPaymentById.split-payments-add-up SearchOrders.rows-agree-with-the-order
        SearchOrders.rows-can-be-fetched
    """,
    "GetPartyById": """
        CreateParty.can-be-fetched DeletePartyById.cannot-be-fetched-afterwards
        SearchParties.rows-agree-with-the-party SearchParties.rows-can-be-fetched
    """,
    "GetReservationById": """
        CreateReservation.can-be-fetched DeleteReservationById.cannot-be-fetched-afterwards
        SearchReservations.rows-agree-with-the-reservation SearchReservations.rows-can-be-fetched
    """,
    "ListAreas": """
        SearchTables.areas-are-listed
    """,
    "RecordOrderPaymentById": """
        *.leaves-the-rest-of-the-order CancelOrderById.refuses-payments-afterwards
        CreateOrderLock.answers-the-latest-order
        CreateOrderLock.lets-another-order-be-paid CreateOrderLock.lets-the-holder-pay
        CreateOrderLock.outlasts-a-payment CreateOrderLock.refuses-a-second-lock-with-conflict
        CreateOrderLock.refuses-a-second-lock-with-http-conflict DeleteOrderLock.answers-the-latest-order
        DeleteOrderLock.lets-a-new-lock-be-granted DeleteOrderLock.lets-payments-be-made-again
        ExtendOrderLock.lets-the-holder-pay-afterwards GetOrderBillById.follows-a-payment
        SearchOrders.follows-a-payment pos-events.tells-of-a-paid-order
    """,
    "SearchOrders": """
        CreateOrder.is-found-by-search
    """,
    "SearchParties": """
        CreateParty.fills-in-a-status CreateParty.is-found-by-search CreateParty.keeps-all-tables
        CreateParty.keeps-the-covers CreateParty.keeps-the-deposit-amount
        CreateParty.keeps-the-deposit-description CreateParty.keeps-the-deposit-intents
        CreateParty.keeps-the-expected-end-time CreateParty.keeps-the-guest-requests
        CreateParty.keeps-the-host-notes CreateParty.keeps-the-instant-of-an-offset-time
        CreateParty.keeps-the-name CreateParty.keeps-the-order-of-deposit-intents
        CreateParty.keeps-the-reservation CreateParty.keeps-the-start-time CreateParty.keeps-the-status
        CreateParty.stores-nothing-that-it-refuses
        DeletePartyById.cannot-be-fetched-afterwards DeletePartyById.drops-out-of-searches
        DeletePartyById.leaves-other-parties-alone GetPartyById.answers-the-party-asked-for
        GetPartyById.status-is-not-empty UpdateParty.changes-the-covers UpdateParty.changes-the-deposit
        UpdateParty.changes-nothing-that-it-refuses
        UpdateParty.changes-the-expected-end-time UpdateParty.changes-the-guest-requests
        UpdateParty.changes-the-host-notes UpdateParty.changes-the-name UpdateParty.changes-the-start-time
        UpdateParty.changes-the-status UpdateParty.changes-the-tables UpdateParty.drops-what-is-left-out
        UpdateParty.keeps-the-instant-of-an-offset-time UpdateParty.leaves-other-parties-alone
        UpdateParty.moves-the-party-in-searches UpdateParty.sets-the-end-time
    """,
    "SearchReservations": """
        CreateReservation.is-found-by-search CreateReservation.keeps-all-tables
        CreateReservation.keeps-the-covers CreateReservation.keeps-the-end-time
        CreateReservation.keeps-the-guest-requests CreateReservation.keeps-the-host-notes
        CreateReservation.keeps-the-instant-of-an-offset-time CreateReservation.keeps-the-name
        CreateReservation.keeps-the-start-time CreateReservation.stores-nothing-that-it-refuses
        DeleteReservationById.cannot-be-fetched-afterwards
        DeleteReservationById.drops-out-of-searches DeleteReservationById.leaves-other-reservations-alone
        GetReservationById.answers-the-reservation-asked-for
        UpdateReservation.changes-nothing-that-it-refuses UpdateReservation.changes-the-covers
        UpdateReservation.changes-the-end-time UpdateReservation.changes-the-guest-requests
        UpdateReservation.changes-the-host-notes UpdateReservation.changes-the-name
        UpdateReservation.changes-the-start-time UpdateReservation.changes-the-tables
        UpdateReservation.drops-what-is-left-out UpdateReservation.keeps-the-instant-of-an-offset-time
        UpdateReservation.leaves-other-reservations-alone UpdateReservation.moves-the-reservation-in-searches
    """,
    "UpdateParty": """
        DeletePartyById.cannot-be-updated-afterwards SearchParties.completed-only-false-hides-ended-parties
        SearchParties.completed-only-shows-ended-parties SearchParties.hides-ended-parties
        SearchParties.rows-agree-with-the-party pos-events.tells-of-an-updated-party
    """,
    "UpdateReservation": """
        DeleteReservationById.cannot-be-updated-afterwards SearchReservations.rows-agree-with-the-reservation
        pos-events.tells-of-an-updated-reservation
    """,
}


def needed(examination: Examination) -> Collection[str]:
    """The capabilities without which *examination* may be ``not-offered``, besides its own."""
    template, capability = examination.rule.template, examination.capability
    if template.startswith("*.new-rows-") and capability is not None:
        return {_MAKERS[capability.name]}
    if template == "*.refused-requests-store-nothing" and capability is not None:
        return {capability.observed_by} if capability.observed_by else ()
    if template == "rest.strangers-change-nothing" and capability is not None:
        return {capability.shown_by}
    return by_template().get(template, ())


@cache
def by_template() -> Mapping[str, Collection[str]]:
    """Rule, as it is declared -> what is needed, where that doesn't depend on the capability it is examined with."""
    found: dict[str, set[str]] = {}
    for name, templates in _WITHOUT.items():
        for each in templates.split():
            found.setdefault(each, set()).add(name)
    return MappingProxyType({
        template: [each for each in _contracts.capabilities() if each in names] for template, names in found.items()
    })
