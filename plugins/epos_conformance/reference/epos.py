"""
The reference EPOS, whole.
"""

from __future__ import annotations

from epos_conformance.reference.bills import Bills
from epos_conformance.reference.events import Events
from epos_conformance.reference.parties import Parties
from epos_conformance.reference.payments import Payments
from epos_conformance.reference.reservations import Reservations
from epos_conformance.reference.tables import Tables


class ReferenceEpos(Payments, Bills, Tables, Parties, Reservations, Events):
    """
    A till system that keeps every rule of the contract, in memory.

    Transports call `answer`; a defect or a variant is a subclass that replaces one short method.
    """
