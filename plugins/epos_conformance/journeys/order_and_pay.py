"""
Order and Pay: guests order with their phones, and pay at once or later.
"""

from __future__ import annotations

import itertools

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from epos_conformance import creating, kept, kept_items, order_versions
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.exchange import Exchange
from epos_conformance.intents import Intents
from epos_conformance.journeys.journey import Refused, asking, judged, refuses, remark, require_carried_out
from epos_conformance.journeys.machine import EVENT, LOCK, RELEASE, SHARE, CardMachine, captured
from epos_conformance.ordering import Json, Ordering, Version, times
from epos_conformance.paying import READ, RECORD
from epos_conformance.settling import settled
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

CREATE, CANCEL = "CreateOrder", "CancelOrderById"


class Guest(CardMachine):
    """
    A guest's phone, and the order that was sent with it.
    """

    def __init__(self, partner: Partner, *versions: Version) -> None:
        with asking(partner, "the guest's order is taken", CREATE):
            try:
                _, self.body, exchange = next(creating.taken(partner, iter(versions), most=1))
            except Inconclusive as error:
                require_crash_free(partner)
                raise Refused(str(error)) from None
        super().__init__(partner, {**exchange.result, "id": creating.id_of(exchange)})

    @property
    def intent(self) -> str | None:
        """The payment intent that the order came with, if it did."""
        paid = self.body["payments"]
        return str(paid[0]["paymentIntentId"]) if paid else None

    def finds_it_in_the_till(self) -> None:
        """It is there as it was ordered, to be read and to be searched for."""
        self.is_found("it is found among the till's orders", {})
        found = self.reads_it("it is read", self._is_kept)
        where = f"{READ} after {CREATE}"
        self._is_as_it_was_sent("it is as it was ordered", found, "CreateOrder.keeps-the-payments", where)

    def _is_kept(self, order: Mapping[str, Any]) -> bool:
        return not any(findings for _, findings in _kept(self.body, order))

    def _is_as_it_was_sent(self, step: str, order: Mapping[str, Any], rule_of_payments: str, where: str) -> None:
        found = {
            rule: [replace(each, where=f"{where}, {each.where}") for each in findings]
            for rule, findings in _kept(self.body, order)
        }
        found[rule_of_payments] = found.pop("CreateOrder.keeps-the-payments")
        judged(self.partner, step, *found.items())

    def is_paid(self) -> None:
        """Dojo tells what became of the payment: that it was made, that it was captured, and that once more."""
        intent = self.intent or self.partner.intent(_value(self.body["totalAmount"]))
        made, done = captured(self.partner, intent, "Created"), captured(self.partner, intent)
        for step, event, rule in (
            ("the till is told that a payment was begun", made, f"{EVENT}.accepts-status-created"),
            ("the till is told that it was captured", done, f"{EVENT}.accepts-status-captured"),
            ("the till is told so once more", done, f"{EVENT}.acknowledges-a-repeat"),
        ):
            with self.partner.steps.take(step, rule=rule):
                exchange = self.partner.call(EVENT, event)
                if event is made and refuses(exchange):
                    # A till may have asked for the other type of event alone.
                    self.partner.notes.append(f"the event {event['event']} is refused: {exchange.seen}")
                    continue
                if rule.endswith("repeat") and refuses(exchange):
                    raise Violation(Finding(step, "an acknowledgement, as of the first", exchange.seen))
                require_carried_out(exchange)
        if self.intent is not None:
            found = self.reads_it("it is read after the events", self._is_kept)
            where = f"{READ} after the events"
            self._is_as_it_was_sent("it is as it was, and paid once", found, f"{RECORD}.counts-a-replay-once", where)
        else:
            # What is made of a payment that it came without is the till's business.
            found = self.reads_it("it is read after the events")
        status = str(found.get("status"))
        lost = [Finding(f"{READ} after the events, $.status", "an order that is still to be served", status)]
        rule = f"{EVENT}.accepts-status-captured"
        judged(self.partner, "the order stands", (rule, lost if status in ("Canceled", "Failed") else []))

    def cancels_it(self) -> None:
        """It is canceled, where the till can do that; what becomes of it then is only recommended."""
        if not self.partner.offers(CANCEL):
            return
        with asking(self.partner, "the order is canceled", CANCEL):
            exchange = self.partner.call(CANCEL, {"orderId": self.id})
            if refuses(exchange):
                self.partner.notes.append(f"the order is not canceled: {exchange.seen}")
                return
            require_carried_out(exchange)
        with self.partner.steps.take("it is read as a canceled order", rule=f"{CANCEL}.stays-canceled-when-read"):
            exchange = settled(
                self.partner, lambda: self.partner.call(READ, {"orderId": self.id}), lambda each: not list(_open(each))
            )
            exchange.require_answer()
            remark(self.partner, list(_open(exchange)))


def require_crash_free(partner: Partner) -> None:
    """Raise `Violation` where the last answer was a server error."""
    last = partner.exchanges[-1]
    if last.crashed and last.answer:
        require_carried_out(last)


def _kept(body: Json, order: Mapping[str, Any]) -> Iterator[tuple[str, list[Finding]]]:
    """What *order* has otherwise than it was sent, rule by rule."""
    yield "CreateOrder.keeps-the-total", list(kept.total(body, dict(order)))
    yield "CreateOrder.keeps-the-quantities", list(kept_items.quantities(body, dict(order)))
    yield "CreateOrder.keeps-the-payments", list(kept.payments(body, dict(order)))


def _open(read: Exchange) -> Iterator[Finding]:
    """Where the order that was *read* doesn't look like one that is canceled."""
    where, order = f"{READ} after {CANCEL}", read.result
    if not isinstance(order, dict):
        yield Finding(where, "the canceled order", read.seen)
        return
    if order.get("status") != "Canceled":
        yield Finding(f"{where}, $.status", "Canceled", str(order.get("status")))
    if order.get("payable") is True:
        yield Finding(f"{where}, $.payable", "false", "true")


def _value(amount: Mapping[str, Any]) -> int:
    return int(amount["value"])


def _paid_for(book: Ordering) -> Version:
    """An order that comes with its payment."""
    body = book.body([times(book.dishes[0], 2)])
    amount = body["totalAmount"]
    intent = book.venue.intents.new(_value(amount), book.currency)
    return Version(
        title="an order that is paid for",
        body={**body, "payments": [{"paymentIntentId": intent, "paidAmount": amount}]},
        made_up=type(book.venue.intents) is Intents,
    )


def order_and_pay(partner: Partner) -> None:
    """The guest orders and pays at once, Dojo tells that the money has come, and the order is canceled in the end."""
    book = creating.book(partner)
    guest = Guest(partner, _paid_for(book), *order_versions.simple(book), *order_versions.simple(book))
    guest.finds_it_in_the_till()
    guest.is_paid()
    guest.cancels_it()


def order_and_pay_later(partner: Partner) -> None:
    """The guest orders now and pays after the meal, under a lock where the till has locks."""
    book = creating.book(partner)
    guest = Guest(partner, *itertools.chain(*(order_versions.simple(book) for _ in range(3))))
    if guest.order.get("payable") is False:
        raise NotOffered("orders made with CreateOrder are not payable: they are not paid for later")
    guest.finds_it_in_the_till()
    guest.finds_it_among_the_payable_orders()
    if partner.offers(LOCK) and partner.offers(RELEASE):
        guest.locks_it()
    guest.pays(*SHARE)
    if guest.lock is not None:
        guest.unlocks_it()
    guest.reads_it_back()
    guest.is_told_of_the_capture()
