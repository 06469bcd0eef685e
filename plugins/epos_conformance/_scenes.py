"""
What keeping a rule looks like where a good request and its answer don't show it: requests that are refused, and what
is asked before and after. The reference EPOS answers them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from epos_conformance import _contracts, _samples, bodies
from epos_conformance._contracts import Capability
from epos_conformance._rules import Rule
from epos_conformance._samples import Sample, money


_PAY, _LOCK, _READ = "RecordOrderPaymentById", "CreateOrderLock", "GetOrderById"
_UNKNOWN, _OTHER_LOCK = "nobody-has-this", "0b9d2c14-6a7e-4f38-8d51-3c2e9f7a6b05"
_INTENTS = ("pi_sandbox_4fQx8xXkzEKrmDVSbXm2Ag", "pi_sandbox_9hTr2mKpQe6LzVbWc3NsYd")


class _Stage:
    """A till, and what was asked of it so far."""

    def __init__(self, name: str) -> None:
        self.epos = _samples.till()
        self.capability = _contracts.capabilities()[name]
        self.ids = _samples.ids_for(self.epos, self.capability)
        self.shown: list[Sample] = []

    def ask(self, name: str, body: Mapping[str, Any], what: str = "", ids: Mapping[str, str] | None = None) -> Sample:
        """Ask *name*, and show it; *ids* are those of the capability that this is about unless others are given."""
        capability = _contracts.capabilities()[name]
        own = {each.name: (ids or self.ids)[each.name] for each in capability.ids}
        self.shown.append(_samples.asked(self.epos, capability, own, body, what=what))
        return self.shown[-1]

    def usual(self, name: str, what: str = "") -> Sample:
        """Ask *name* as its fullest example does."""
        return self.ask(name, _fullest(_contracts.capabilities()[name]), what)

    def owed(self) -> int:
        """What the order owes, in minor units."""
        order = self.epos.answer(_READ, {"orderId": self.ids["orderId"]})
        return int(order["totalAmount"]["value"] - order["paidAmount"]["value"])

    def pay(self, value: float, what: str = "", *, tip: float | None = None, second: bool = False, **more: Any) -> None:
        """Ask for a payment of *value* minor units; a *second* one has a payment intent of its own."""
        body = {"paymentIntentId": _INTENTS[second], "paidAmount": money(value), **more}
        self.ask(_PAY, body if tip is None else {**body, "tipsAmount": money(tip)}, what)

    def lock(self, what: str, *, second: bool = False, expiry: Any = _samples.VALUES["expiry"]) -> None:
        body = {"lockId": _OTHER_LOCK if second else _samples.VALUES["unique"], "expiry": expiry}
        self.ask(_LOCK, {name: value for name, value in body.items() if value is not None}, what)


def scene(rule: Rule) -> tuple[Sample, ...] | None:
    """
    The requests and answers that show *rule*, in their order; None where any good request does.
    """
    if rule.capability is None:
        return None
    make = _OWN.get(rule.id) or _EVERY.get(rule.template)
    if make is None:
        return None
    stage = _Stage(rule.capability)
    make(stage)
    return tuple(stage.shown)


def _fullest(capability: Capability) -> Any:
    return _samples.filled(max((each.request for each in capability.examples), key=lambda each: len(str(each))))


# Of every capability


def _unknown(stage: _Stage) -> None:
    first = stage.capability.ids[0].name
    stage.ask(
        stage.capability.name, _fullest(stage.capability), "an id that nothing has", {**stage.ids, first: _UNKNOWN}
    )


def _faulty(stage: _Stage, *makers: bodies.Maker) -> None:
    """The first fault that one of *makers* finds for the body."""
    capability = stage.capability
    for make in makers:
        for fault in make(capability.request or {}, _fullest(capability)):
            stage.ask(capability.name, fault.body, str(fault))
            return


def _error(stage: _Stage) -> None:
    if stage.capability.ids:
        _unknown(stage)
    else:
        _faulty(stage, bodies.missing, bodies.wrong_types)


def _changed(what: str, **members: Any) -> Callable[[_Stage], None]:
    """The fullest request with *members* as given; those that are None are left out."""

    def make(stage: _Stage) -> None:
        body = {**_fullest(stage.capability), **members}
        stage.ask(stage.capability.name, {name: each for name, each in body.items() if each is not None}, what)

    return make


_EVERY: Mapping[str, Callable[[_Stage], None]] = {
    "*.unknown-id-is-not-found": _unknown,
    "*.missing-members-are-refused": lambda stage: _faulty(stage, bodies.missing),
    "*.wrong-types-are-refused": lambda stage: _faulty(stage, bodies.wrong_types),
    "*.scalars-are-not-coerced": lambda stage: _faulty(stage, bodies.coercible, bodies.wrong_types),
    "*.bad-requests-are-invalid-requests": lambda stage: _faulty(stage, bodies.missing, bodies.wrong_types),
    "*.refused-requests-store-nothing": lambda stage: _faulty(stage, bodies.missing, bodies.wrong_types),
    "*.errors-are-epos-errors": _error,
    "*.errors-carry-a-debug-message": _error,
    "*.errors-carry-a-trace-id": _error,
    "*.error-status-fits-its-type": _error,
    "*.refuses-a-missing-expiry": _changed("no expiry", expiry=None),
    "*.refuses-a-malformed-expiry": _changed("an expiry that is no date-time", expiry="soon"),
    "*.refuses-both-cursors": _changed("both cursors", cursor={"before": "a", "after": "b", "limit": 10}),
    "*.refuses-a-limit-of-zero": _changed("a limit of 0", cursor={"limit": 0}),
    "*.refuses-a-negative-limit": _changed("a negative limit", cursor={"limit": -1}),
    "*.refuses-a-limit-over-a-hundred": _changed("a limit over 100", cursor={"limit": 101}),
}


# Of one


def _amount(value: Any, what: str, *, tip: bool = False, read: bool = False) -> Callable[[_Stage], None]:
    """A payment, or its tip, of *value*; with *read* the order is read afterwards."""

    def make(stage: _Stage) -> None:
        stage.pay(1000 if tip else value, what, tip=value if tip else None)
        if read:
            stage.usual(_READ, "the order is as it was")

    return make


def _currency(stage: _Stage) -> None:
    stage.pay(0, "a payment in a currency that is not the order's", paidAmount={"value": 1000, "currencyCode": "EUR"})


def _too_much(stage: _Stage, what: str, *, times: int = 1, more: int = 1) -> None:
    stage.pay(times * stage.owed() + more, what)


def _more_than_is_left(stage: _Stage) -> None:
    owed = stage.owed()
    stage.pay(owed - 1, "all but one minor unit is paid")
    stage.pay(2, "more than is left", second=True)


def _fully_paid(stage: _Stage) -> None:
    stage.pay(stage.owed(), "the order is paid")
    stage.pay(1, "another payment of it", second=True)


def _canceled(stage: _Stage, after: Callable[[_Stage], object]) -> None:
    stage.usual("CancelOrderById", "the order is canceled")
    after(stage)


def _locked(stage: _Stage) -> None:
    stage.lock("the order is locked")
    stage.pay(1000, "a payment under another lock", lockId=_OTHER_LOCK)


def _two_locks(stage: _Stage) -> None:
    stage.lock("the first lock")
    stage.lock("a second lock, while the first is live", second=True)


def _refused_lock(stage: _Stage) -> None:
    stage.lock("a lock that is refused for its expiry", expiry="soon")
    stage.lock("the next one is granted", second=True)


def _deleted(stage: _Stage, name: str, what: str) -> None:
    stage.usual(stage.capability.name, "it is deleted")
    stage.usual(name, what)


def _taken(stage: _Stage, name: str, what: str) -> None:
    from epos_conformance.reference.errors import conflict

    def refuse(body: Any, booking: Any) -> None:  # noqa: ARG001 - as the till asks
        raise conflict("the table is taken")

    # The reference seats anybody anywhere.
    for check in ("check_party", "check_reservation"):
        setattr(stage.epos, check, refuse)
    stage.usual(stage.capability.name, "the table is taken")
    stage.usual(name, what)


def _unknown_at_dojo(stage: _Stage) -> None:
    stage.epos.dojo = _Nobody()
    stage.pay(1000, "Dojo answers 404 for this payment intent")


class _Nobody:
    """Dojo, where nobody knows the payment intent."""

    def tell(self, event_type: str, id: str) -> None:
        """It is not told of anything here."""

    def find_intent(self, intent_id: str) -> dict[str, Any]:  # noqa: ARG002 - as the till asks
        """None is known."""
        return {}


def _then_read(make: Callable[[_Stage], object]) -> Callable[[_Stage], None]:
    def both(stage: _Stage) -> None:
        make(stage)
        stage.usual(_READ, "the order is as it was before what was refused")

    return both


_FAR_TOO_MUCH = partial(_too_much, what="far more than the total", times=10)
_ONE_TOO_MUCH = partial(_too_much, what="one minor unit more than is owed")
_LATE_PAYMENT = partial(_canceled, after=lambda stage: stage.pay(1000, "a payment of the canceled order"))

_OWN: Mapping[str, Callable[[_Stage], object]] = {
    f"{_PAY}.refuses-a-zero-amount": _amount(0, "an amount of 0"),
    f"{_PAY}.refuses-a-negative-amount": _amount(-1, "a negative amount"),
    f"{_PAY}.refuses-a-fractional-amount": _amount(10.5, "a fraction of a minor unit"),
    f"{_PAY}.refuses-a-stringly-amount": _amount("1000", "a text for the amount"),
    f"{_PAY}.refuses-a-negative-tip": _amount(-1, "a negative tip", tip=True),
    f"{_PAY}.refuses-a-fractional-tip": _amount(10.5, "a tip with a fraction of a minor unit", tip=True),
    f"{_PAY}.refuses-a-stringly-tip": _amount("100", "a text for the tip", tip=True),
    f"{_PAY}.records-nothing-that-it-refuses": _amount(-1, "a negative amount", read=True),
    f"{_PAY}.records-nothing-for-a-bad-amount": _amount(10.5, "a fraction of a minor unit", read=True),
    f"{_PAY}.refuses-another-currency": _currency,
    f"{_PAY}.records-nothing-in-another-currency": _then_read(_currency),
    f"{_PAY}.refuses-more-than-the-total": _FAR_TOO_MUCH,
    f"{_PAY}.refuses-one-unit-too-much": _ONE_TOO_MUCH,
    f"{_PAY}.refuses-more-than-is-left": _more_than_is_left,
    f"{_PAY}.records-nothing-of-an-overpayment": _then_read(_ONE_TOO_MUCH),
    f"{_PAY}.refuses-a-fully-paid-order": _fully_paid,
    f"{_PAY}.records-nothing-on-a-fully-paid-order": _then_read(_fully_paid),
    f"{_PAY}.records-nothing-on-a-canceled-order": _then_read(_LATE_PAYMENT),
    f"{_PAY}.refuses-the-lock-of-another": _locked,
    f"{_PAY}.records-nothing-under-another-lock": _then_read(_locked),
    f"{_PAY}.refuses-an-intent-dojo-does-not-know": _unknown_at_dojo,
    f"{_LOCK}.enforces-locks": _two_locks,
    f"{_LOCK}.refuses-a-second-lock-with-conflict": _two_locks,
    f"{_LOCK}.refuses-a-second-lock-with-http-conflict": _two_locks,
    f"{_LOCK}.keeps-the-order-until-the-expiry": _two_locks,
    f"{_LOCK}.a-refused-lock-holds-nothing": _refused_lock,
    "CancelOrderById.refuses-payments-afterwards": _LATE_PAYMENT,
    "CancelOrderById.refuses-locks-afterwards": partial(
        _canceled, after=lambda stage: stage.lock("a lock on the canceled order")
    ),
    **{
        f"Delete{kind}ById.{rule}": partial(_deleted, name=name, what=what)
        for kind, search in (("Party", "SearchParties"), ("Reservation", "SearchReservations"))
        for rule, name, what in (
            ("cannot-be-fetched-afterwards", f"Get{kind}ById", "it can't be read any more"),
            ("cannot-be-updated-afterwards", f"Update{kind}", "it can't be changed any more"),
            ("drops-out-of-searches", search, "no search shows it"),
        )
    },
    **{
        f"Create{kind}.stores-nothing-that-it-refuses": partial(_taken, name=search, what="no search shows it")
        for kind, search in (("Party", "SearchParties"), ("Reservation", "SearchReservations"))
    },
    **{
        f"Update{kind}.changes-nothing-that-it-refuses": partial(_taken, name=f"Get{kind}ById", what="it is as it was")
        for kind in ("Party", "Reservation")
    },
}
