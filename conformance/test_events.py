"""
Dojo events: each is acknowledged, as often as it comes, and none that is new to an EPOS brings it down.

Events are about payment intents, and ours may be made up. A till that looks them up refuses all of them alike, which
is its right; one that refuses some and takes others has trouble with those.
"""

from __future__ import annotations

import datetime
import functools
import uuid

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from epos_conformance import Exchange, Finding, Inconclusive, Partner, Unanswered, Violation, answers, check
from epos_conformance.venue import instant


CREATED, UPDATED = "payment_intent.created", "payment_intent.status_updated"
MODES = ("Auto", "Manual")

#: What a payment intent went through before it got each status.
BEFORE: Mapping[str, tuple[str, ...]] = {
    "Created": (),
    "Authorized": ("Created",),
    "Captured": ("Created", "Authorized"),
    "Reversed": ("Created", "Authorized"),
    "Refunded": ("Created", "Captured"),
    "Canceled": ("Created",),
}

#: Statuses that hardly come with automatic capture: to refuse them there in good order is no fault.
OF_MANUAL = ("Authorized", "Reversed")

AT_LEAST_ONCE = "Dojo delivers an event at least once: the one that comes again needs no work"
RACED = "both find that it is new, and both store it"

Event = dict[str, Any]


def event(status: str, mode: str, intent: str, kind: str | None = None, **members: Any) -> Event:
    """
    An event of its own that *intent* has *status*, of the type that tells of it unless *kind* is given.
    """
    return {
        "id": str(uuid.uuid4()),
        "accountId": "acc_conformance",
        "event": kind or (CREATED if status == "Created" else UPDATED),
        "data": {"paymentIntentId": intent, "paymentStatus": status, "captureMode": mode},
        "createdAt": instant(datetime.datetime.now(datetime.UTC)),
        **members,
    }


def new_intent(partner: Partner) -> str:
    """A payment intent to tell of."""
    return partner.venue.intents.any(1, partner.venue.currency)


def send(partner: Partner, body: Event) -> Exchange:
    """Deliver *body*; hanging up on it is an answer, too."""
    return partner.dare(functools.partial(partner.call, "HandleEvent", body))


def tell(partner: Partner, status: str, mode: str, intent: str) -> Exchange:
    """Tell of everything that *intent* went through until it got *status*; what came of the last event."""
    for earlier in BEFORE[status]:
        send(partner, event(earlier, mode, intent))
    return send(partner, event(status, mode, intent))


def named(status: str, mode: str, kind: str | None = None) -> str:
    kind = kind or (CREATED if status == "Created" else UPDATED)
    return f"an event {kind} with paymentStatus {status} and captureMode {mode}"


# Acknowledged


def require_acknowledged(partner: Partner, status: str, mode: str) -> None:
    """
    Demand that an event that a payment intent has *status* is acknowledged, after those that came before it.

    Raises `Inconclusive` where the EPOS refuses all events of its type: it may know the payment intents of its orders
    alone, or look them up at Dojo.
    """
    exchange = tell(partner, status, mode, new_intent(partner))
    if exchange.succeeded:
        return
    if exchange.refused:
        exchange.require_answer()
        if mode == "Auto" and status in OF_MANUAL:
            partner.notes.append(f"{named(status, mode)} is refused: {exchange.seen}")
            return
        intent = paid_intent(partner)
        if intent is not None and tell(partner, status, mode, intent).succeeded:
            partner.notes.append("of payment intents that paid for an order alone")
            return
        if not any(tell(partner, *other, new_intent(partner)).succeeded for other in others(status, mode)):
            require_no_grudge(partner, status, mode)
            raise Inconclusive(
                f"the partner refuses every event of this type that was tried: {exchange.seen}; an EPOS that looks "
                "payment intents up can't find made-up ones (name some under [payment-intents] in partner.toml), "
                "nor knows one that looks accounts up ours"
            )
    raise Violation(Finding(named(status, mode), "an acknowledgement", exchange.seen))


def require_no_grudge(partner: Partner, status: str, mode: str) -> None:
    """
    Demand that an event that is acknowledged of a new payment intent is so of one whose creation was acknowledged.

    Whoever takes both can find intents like ours: what was told of it before is the only reason that is left.
    """
    if status == "Created" or not send(partner, event(status, mode, new_intent(partner))).succeeded:
        return
    intent = new_intent(partner)
    if send(partner, event("Created", mode, intent)).succeeded:
        for earlier in BEFORE[status][1:]:
            send(partner, event(earlier, mode, intent))
        exchange = send(partner, event(status, mode, intent))
        exchange.require_answer()
        what = f"{named(status, mode)}, of a payment intent whose creation was acknowledged"
        hint = "without that, it is acknowledged: events are told apart by their id, not by their payment intent"
        answers.violate(refusals(what, exchange), hint=hint)


def others(status: str, mode: str) -> list[tuple[str, str]]:
    """Events that whoever has trouble with that one alone acknowledges, of the same type where there are some."""
    found = [("Captured", "Auto"), ("Captured", "Manual"), ("Canceled", "Auto"), ("Authorized", "Manual")]
    if status == "Created":
        found.append(("Created", "Manual" if mode == "Auto" else "Auto"))
    return [each for each in found if each != (status, mode)]


def paid_intent(partner: Partner) -> str | None:
    """A payment intent that the EPOS knows, for it paid for an order of ours; None where that can't be had."""
    if not (partner.offers("CreateOrder") and partner.offers("RecordOrderPaymentById")):
        return None
    try:
        order, intent = partner.make("order"), partner.intent()
    except Inconclusive:
        return None
    amount = {"value": 1, "currencyCode": partner.venue.currency}
    payment = {**order.ids, "paymentIntentId": intent, "paidAmount": amount}
    return intent if partner.call("RecordOrderPaymentById", payment).succeeded else None


def require_status(partner: Partner, status: str) -> None:
    for mode in MODES:
        require_acknowledged(partner, status, mode)


def require_mode(partner: Partner, mode: str) -> None:
    for status in BEFORE:
        require_acknowledged(partner, status, mode)


@check("HandleEvent.accepts-payment-intent-created")
def test_accepts_payment_intent_created(partner: Partner) -> None:
    """A payment_intent.created event is acknowledged."""
    require_status(partner, "Created")


@check("HandleEvent.accepts-payment-intent-status-updated")
def test_accepts_payment_intent_status_updated(partner: Partner) -> None:
    """A payment_intent.status_updated event is acknowledged."""
    require_acknowledged(partner, "Captured", "Auto")
    require_acknowledged(partner, "Authorized", "Manual")


@check("HandleEvent.accepts-status-created")
def test_accepts_status_created(partner: Partner) -> None:
    """An event with paymentStatus Created is acknowledged."""
    require_status(partner, "Created")


@check("HandleEvent.accepts-status-authorized")
def test_accepts_status_authorized(partner: Partner) -> None:
    """An event with paymentStatus Authorized is acknowledged."""
    require_status(partner, "Authorized")


@check("HandleEvent.accepts-status-captured")
def test_accepts_status_captured(partner: Partner) -> None:
    """An event with paymentStatus Captured is acknowledged."""
    require_status(partner, "Captured")


@check("HandleEvent.accepts-status-reversed")
def test_accepts_status_reversed(partner: Partner) -> None:
    """An event with paymentStatus Reversed is acknowledged."""
    require_status(partner, "Reversed")


@check("HandleEvent.accepts-status-refunded")
def test_accepts_status_refunded(partner: Partner) -> None:
    """An event with paymentStatus Refunded is acknowledged."""
    require_status(partner, "Refunded")


@check("HandleEvent.accepts-status-canceled")
def test_accepts_status_canceled(partner: Partner) -> None:
    """An event with paymentStatus Canceled is acknowledged."""
    require_status(partner, "Canceled")


@check("HandleEvent.accepts-capture-mode-auto")
def test_accepts_capture_mode_auto(partner: Partner) -> None:
    """An event with captureMode Auto is acknowledged."""
    require_mode(partner, "Auto")


@check("HandleEvent.accepts-capture-mode-manual")
def test_accepts_capture_mode_manual(partner: Partner) -> None:
    """An event with captureMode Manual is acknowledged."""
    require_mode(partner, "Manual")


# Again, late, and in another order


def intents(partner: Partner) -> Callable[[], str]:
    """
    Where payment intents come from that the EPOS takes events of: made up, or else from orders that they pay for.

    Raises `Inconclusive` where it takes neither, which is other rules' business.
    """
    exchange = send(partner, event("Created", "Auto", new_intent(partner)))
    if exchange.succeeded:
        return lambda: new_intent(partner)
    paid = paid_intent(partner)
    if paid is not None and send(partner, event("Created", "Auto", paid)).succeeded:
        return lambda: paid_intent(partner) or paid
    raise Inconclusive(f"needs an event that is acknowledged, but saw {exchange.seen}")


def refusals(what: str, exchange: Exchange) -> list[Finding]:
    return [] if exchange.succeeded else [Finding(what, "an acknowledgement", exchange.seen)]


@check("HandleEvent.acknowledges-a-repeat")
def test_acknowledges_a_repeat(partner: Partner) -> None:
    """An event that comes again is acknowledged again."""
    intent = intents(partner)
    findings: list[Finding] = []
    for status, mode in (("Created", "Auto"), ("Captured", "Auto"), ("Authorized", "Manual")):
        body = event(status, mode, intent())
        if not send(partner, body).succeeded:
            continue  # whether it is acknowledged at all is another rule's business
        findings += refusals(f"{named(status, mode)}, a second time", send(partner, body))
        send(partner, event("Created", "Auto", intent()))
        findings += refusals(f"{named(status, mode)}, a third time, after another event", send(partner, body))
    answers.violate(findings, hint=AT_LEAST_ONCE)


@check("HandleEvent.acknowledges-a-repeat-at-once")
def test_acknowledges_a_repeat_at_once(partner: Partner) -> None:
    """An event that comes twice at the same instant is acknowledged twice."""
    intent = intents(partner)()
    rounds = partner.settings.race_rounds
    for number in range(1, rounds + 1):
        body = event("Created", "Auto", intent)
        for exchange in partner.at_once(("HandleEvent", body), ("HandleEvent", body)):
            if isinstance(exchange.failure, Unanswered):
                raise exchange.failure
            what = f"the same event twice at the same instant, round {number}"
            answers.violate(refusals(what, exchange), hint=RACED if exchange.crashed else AT_LEAST_ONCE)
    partner.notes.append(f"{rounds} rounds")


@check("HandleEvent.accepts-events-in-any-order")
def test_accepts_events_in_any_order(partner: Partner) -> None:
    """An event is acknowledged though the ones before it come later."""
    intent = intents(partner)()
    findings: list[Finding] = []
    for status in ("Refunded", "Captured", "Authorized", "Created"):
        exchange = send(partner, event(status, "Manual", intent))
        findings += refusals(f"{named(status, 'Manual')}, before those that come first", exchange)
    answers.violate(findings)


@check("HandleEvent.accepts-an-old-event")
def test_accepts_an_old_event(partner: Partner) -> None:
    """An event that was created days ago is acknowledged."""
    intent = intents(partner)()
    old = instant(datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=3))
    exchange = send(partner, event("Created", "Auto", intent, createdAt=old))
    answers.violate(refusals(f"an event with createdAt {old}", exchange))


# Unknown


def require_survival(partner: Partner, bodies: Iterable[tuple[str, Event]]) -> None:
    """
    Demand that none of these events brings the EPOS down: it is acknowledged or refused, in time.
    """
    findings = []
    for what, body in bodies:
        exchange = in_time(partner, what, body)
        error = exchange.error
        if exchange.crashed or (error is not None and error.type == "UnexpectedError"):
            findings.append(Finding(what, "an acknowledgement or a refusal", exchange.seen))
    answers.violate(findings, hint="Dojo may add to its events at any time: what is unknown can be ignored")


def in_time(partner: Partner, what: str, body: Event) -> Exchange:
    """
    What comes of *body*; raises `Violation` where that is silence twice, or brings silence over all that follows.
    """
    try:
        return send(partner, body)
    except Unanswered as reason:
        silent = str(reason)
    try:
        send(partner, event("Created", "Auto", new_intent(partner)))
    except Unanswered:
        seen = f"{silent}, nor of an event of the usual kind after it"
        raise Violation(Finding(what, "an acknowledgement or a refusal", seen)) from None
    try:
        return send(partner, body)
    except Unanswered:
        raise Violation(Finding(what, "an acknowledgement or a refusal", f"{silent}, twice")) from None


@check("HandleEvent.survives-an-unknown-status")
def test_survives_an_unknown_status(partner: Partner) -> None:
    """An event with an unknown paymentStatus does no harm."""
    intent = intents(partner)()
    require_survival(
        partner,
        (
            (f"paymentStatus {status!r} of {kind}", event(status, mode, intent, kind))
            for status in ("PartiallyRefunded", "captured", "Settled ✓")
            for kind, mode in ((UPDATED, "Auto"), (CREATED, "Manual"))
        ),
    )


@check("HandleEvent.survives-an-unknown-capture-mode")
def test_survives_an_unknown_capture_mode(partner: Partner) -> None:
    """An event with an unknown captureMode does no harm."""
    intent = intents(partner)()
    require_survival(
        partner,
        (
            (f"captureMode {mode!r} of {named(status, mode)}", event(status, mode, intent))
            for mode in ("Delayed", "auto")
            for status in ("Created", "Captured")
        ),
    )


@check("HandleEvent.survives-an-unknown-event-type")
def test_survives_an_unknown_event_type(partner: Partner) -> None:
    """An event of an unknown type does no harm, whatever it is about."""
    intent = intents(partner)()
    kinds = ("payment_intent.refunded", "payment_intent.", "terminal_session.status_updated", "reboot", "événement")
    bodies = [(f"event {kind!r}", event("Captured", "Auto", intent, kind)) for kind in kinds]
    other = {"terminalSessionId": "ts_conformance", "status": "SignatureVerificationRequired"}
    strange = event("Captured", "Auto", intent, "terminal_session.status_updated", data=other)
    require_survival(partner, [*bodies, ("an event 'terminal_session.status_updated' with data of its own", strange)])
