"""
The steps of the journeys as a run tells them of an EPOS that keeps every rule and enforces locks.
"""

from __future__ import annotations

from collections.abc import Mapping


#: By the ids of `journeys.JOURNEYS`; a line for each step.
STEPS: Mapping[str, str] = {
    "pay-at-table-without-locks": """
there is an order to pay
the payable orders are listed
all of them are payable
the order is among them
the order is opened
the list says the same of what it costs
the bill is printed
the payment is recorded
the order answered shows the payment
the order is read again
it lists the payment and what they come to
it is among the payable orders still
""",
    "pay-at-table-with-locks": """
there is an order to pay
the payable orders are listed
all of them are payable
the order is among them
the order is opened
the list says the same of what it costs
the bill is printed
the order is locked
the lock answers the order as it stands
the locked order can be read
the first payment is recorded
the order answered shows the first payment
the order is unlocked
the order is read again
it lists the payment and what they come to
another card machine locks it
the lock answers the order as it stands
the second payment is recorded
the order answered shows the second payment
the order is unlocked
the order is read again
it lists all payments and what they come to
""",
    "pay-at-table-with-lock-extension": """
there is an order to pay
the payable orders are listed
all of them are payable
the order is among them
the order is opened
the list says the same of what it costs
the bill is printed
the order is locked
the lock answers the order as it stands
the lock is extended
the first payment is recorded
the order answered shows the first payment
the lock is extended once more
the locked order can be read
the second payment is recorded
the order answered shows the second payment
the order is unlocked
the order is read again
it lists all payments and what they come to
another card machine locks it
the lock answers the order as it stands
the order is unlocked
""",
    "split-bill-with-tips": """
there is an order to share
the payable orders are listed
all of them are payable
the order is among them
the order is opened
the list says the same of what it costs
the bill is printed
the first guest's payment is recorded
the order answered shows the first guest's payment
the second guest's payment is recorded
the order answered shows the second guest's payment
the last guest's payment is recorded
the order answered shows the last guest's payment
the order is read again
it lists all payments and what they come to
""",
    "abandoned-payment": """
it is found out whether locks are enforced
there is an order to pay
the payable orders are listed
all of them are payable
the order is among them
the order is opened
the list says the same of what it costs
the order is locked for a moment
the card machine is given up, and the lock lapses
the order is among the payable ones
the order can be paid still
another card machine locks it
the payment is recorded
the order answered shows the payment
the order is unlocked
the order is read again
it lists the payment and what they come to
""",
    "qr-by-table": """
there is an order at a table
the tables are listed
the orders of the table are listed
all of them are of that table
the order is among them
the order is opened
the list says the same of what it costs
the bill is printed
the payment is recorded
the order answered shows the payment
the order is read again
it lists the payment and what they come to
the till is told that the payment was captured
the order is read after the event
the payment counts once
the orders of the table are listed again
all of them are of that table again
the order is among them again
""",
    "order-and-pay": """
the guest's order is taken
it is found among the till's orders
it is read
it is as it was ordered
the till is told that a payment was begun
the till is told that it was captured
the till is told so once more
it is read after the events
it is as it was, and paid once
the order stands
the order is canceled
it is read as a canceled order
""",
    "order-and-pay-later": """
the guest's order is taken
it is found among the till's orders
it is read
it is as it was ordered
the payable orders are listed
all of them are payable
the order is among them
the order is locked
the lock answers the order as it stands
the payment is recorded
the order answered shows the payment
the order is unlocked
the order is read again
it lists the payment and what they come to
the till is told that the payment was captured
the order is read after the event
the payment counts once
""",
    "bookings": """
the areas are listed
the tables are listed
a table is reserved
the reservation can be read
the reservation is as it was made
the table is taken then
the reservation is moved
the moved reservation can be read
the moved reservation is as it was changed
the table is taken on the new day, and free on the old one
the guests are seated
the party can be read
the party is as it was made
the table is taken now
the party moves to another table
the moved party can be read
the moved party is as it was changed
the new table is taken, and the old one free
the guest's order is taken
the party's order is read
it is the party's
the orders of the party are listed
they are of that party, all of them
its order is among them
the party leaves
it is read as one that has left
the table is free
their order is read after they have left
the party is deleted
the party is not found any more
no search shows the party
the reservation is deleted
the reservation is not found any more
no search shows the reservation
""",
}
