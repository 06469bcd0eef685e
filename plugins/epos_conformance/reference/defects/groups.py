"""
Capabilities that suffer the same mistakes, by name.
"""

from __future__ import annotations


SEARCHES = ("SearchOrders", "SearchTables", "SearchParties", "SearchReservations")

#: Those whose answer is an order, or holds some.
ORDER_ANSWERS = (
    "SearchOrders",
    "GetOrderById",
    "CreateOrder",
    "CancelOrderById",
    "RecordOrderPaymentById",
    "GetOrderBillById",
    "CreateOrderLock",
    "DeleteOrderLock",
)

PARTY_ANSWERS = ("CreateParty", "GetPartyById", "UpdateParty", "SearchParties")

RESERVATION_ANSWERS = ("CreateReservation", "GetReservationById", "UpdateReservation", "SearchReservations")

#: Everything that is asked of orders: where an order cannot be read, none of it comes out right.
ORDERS = (*(f"{name}.*" for name in ORDER_ANSWERS), "ExtendOrderLock.*")

PARTIES = (*(f"{name}.*" for name in PARTY_ANSWERS), "DeletePartyById.*")

RESERVATIONS = (*(f"{name}.*" for name in RESERVATION_ANSWERS), "DeleteReservationById.*")

#: Those that can be asked for something that does not exist.
BY_ID = (
    "GetOrderById",
    "CancelOrderById",
    "RecordOrderPaymentById",
    "GetOrderBillById",
    "CreateOrderLock",
    "ExtendOrderLock",
    "DeleteOrderLock",
    "GetPartyById",
    "UpdateParty",
    "DeletePartyById",
    "GetReservationById",
    "UpdateReservation",
    "DeleteReservationById",
)

#: Those that can be asked without a member that they require.
BY_BODY = (
    "CreateOrder",
    "RecordOrderPaymentById",
    "CreateOrderLock",
    "ExtendOrderLock",
    "CreateParty",
    "UpdateParty",
    "CreateReservation",
    "UpdateReservation",
    "HandleEvent",
)
