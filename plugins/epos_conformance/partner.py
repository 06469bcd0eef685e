"""
The partner, as one check sees it: the seam behind which the transports are.

A check calls ``partner.call("SearchOrders", {...})`` and gets an `Exchange`. What it makes at the partner on the way is
removed when it ends, also when it fails.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from epos_conformance import _contracts, bodies, schema, supply
from epos_conformance._contracts import Capability, Example
from epos_conformance._session import Made, Session
from epos_conformance.belongings import ID_NAME, Belongings
from epos_conformance.exceptions import (
    Astray,
    BrokenAnswer,
    Inconclusive,
    NotOffered,
    Unanswered,
    Unreachable,
    Violation,
)
from epos_conformance.exchange import Exchange
from epos_conformance.following import Row
from epos_conformance.rest import RestTransport
from epos_conformance.steps import Steps
from epos_conformance.supply import Supply
from epos_conformance.transports import DOJO_HEADERS
from epos_conformance.venue import PLURALS, Venue
from epos_conformance.websocket.exchanges import RpcExchange
from epos_conformance.websocket.transport import WebSocketTransport


T = TypeVar("T")

#: How often refused set-up is tried with other tables, items and times before it is inconclusive.
MOST_ATTEMPTS = 4

_MAKER = {"order": "CreateOrder", "party": "CreateParty", "reservation": "CreateReservation", "lock": "CreateOrderLock"}


class Partner:
    """
    The partner under test, over one transport, for the length of one check.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.venue: Venue = session.venue
        self.settings = session.settings
        self.transport = session.transport
        #: The conversation so far.
        self.exchanges: list[Exchange] = []
        #: What is worth knowing about a rule that was found kept.
        self.notes: list[str] = []
        #: The steps of a check that is a story: ``with partner.steps.take("the payment is recorded", rule=…)``.
        self.steps = Steps()
        #: What could not be removed.
        self.leftovers: list[str] = []
        self._belongings = Belongings(session)
        self._leases = contextlib.ExitStack()
        self._held: set[str] = set()
        self._supply = Supply(self, session)
        #: The order of the venue that this check has to itself, and those it let go of.
        self._order: str | None = None
        self._refused: list[str] = []

    @property
    def rest(self) -> RestTransport:
        """The transport of a check that is about REST alone."""
        assert isinstance(self.transport, RestTransport)
        return self.transport

    @property
    def socket(self) -> WebSocketTransport:
        """The transport of a check that is about WebSocket alone."""
        assert isinstance(self.transport, WebSocketTransport)
        return self.transport

    @property
    def lag(self) -> float:
        """Seconds that reads were seen to lag behind writes, in this process."""
        return self._session.lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self._session.lag = seconds

    # Asking

    def offers(self, name: str) -> bool:
        """Whether the partner claims the capability *name*."""
        return name in self._session.offered

    def call(
        self, name: str, params: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Exchange:
        """
        Call a capability. *params* are its ids and business members; *headers* replace the usual Dojo ones.

        Raises `Inconclusive` where there is no answer. What a success made is removed when the check ends.
        """
        exchange = self._session.ask(name, params or {}, headers, log=self.exchanges)
        self._belongings.note(_contracts.capabilities()[name], params or {}, exchange)
        return exchange

    def send(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Exchange:
        """
        Send a raw HTTP request, over REST alone; see `RestTransport.send`.

        Raises as `call` does, but for credentials of the check's own (``authorization=``), whose refusal is an answer.
        """
        self._session.refuse_to_wait(more.get("capability"))
        exchange = self.rest.send(method, url, body, headers, **more)
        self.exchanges.append(exchange)
        if exchange.failure is not None or "authorization" not in more:
            self._session.watch(exchange)
        return exchange

    def send_to(self, capability: Capability, params: Mapping[str, Any], body: bytes | None, **more: Any) -> Exchange:
        """
        Send *body*, whatever it is, to the address of *capability*.
        """
        url = self.rest.address(capability, {each.name: str(params[each.name]) for each in capability.ids})
        exchange = self.send(capability.http_method, url, body, capability=capability.name, **more)
        self._belongings.note(capability, params, exchange)
        return exchange

    def dare(self, ask: Callable[[], Exchange]) -> Exchange:
        """
        What comes of a request that an EPOS may not be prepared for; if that is no answer, it has to show twice.

        Raises `Inconclusive` where a valid request gets no answer either.
        """
        try:
            return ask()
        except BrokenAnswer:
            pass  # hanging up may have crossed with the request
        try:
            return ask()
        except BrokenAnswer:
            broken = self.exchanges[-1]
        if name := broken.capability:
            # Raises where the partner hangs up on everything.
            self.attempt(_contracts.capabilities()[name], _contracts.capabilities()[name].examples[0])
        return broken

    def at_once(self, *asked: tuple[str, Mapping[str, Any]]) -> list[Exchange]:
        """
        Call several capabilities at the same instant, over connections of their own; the exchanges are in order.

        Raises `Unreachable` alone: a call that brings no answer is part of what there is to be seen.
        """
        known = _contracts.capabilities()
        orders = {str(params["orderId"]) for _, params in asked if "orderId" in params}
        opening = None
        if orders and self.offers("GetOrderById"):
            opening = (known["GetOrderById"], {"orderId": orders.pop()})
        self._session.refuse_to_wait(None)
        found = list(self.transport.at_once([(known[name], params) for name, params in asked], DOJO_HEADERS, opening))
        self.exchanges += found
        for (name, params), exchange in zip(asked, found, strict=True):
            with contextlib.suppress(Unanswered, BrokenAnswer, Astray):
                self._session.watch(exchange)
            self._belongings.note(known[name], params, exchange)
        return found

    def calls(self, *requests: RpcExchange, fragments: int = 1, astray: bool = False) -> list[RpcExchange]:
        """
        Send requests of `WebSocketTransport.request` back to back, over WebSocket alone, also to an EPOS that has left
        others unanswered.

        Raises `Unreachable`, and `Astray` where replies without the id are not what the check is about (*astray*); a
        call that brings no answer is part of what there is to be seen.
        """
        self._session.refuse_the_gone()
        found = self.socket.calls(requests, fragments=fragments)
        self.exchanges += found
        for each in found:
            if isinstance(each.failure, Unreachable) or (isinstance(each.failure, Astray) and not astray):
                raise each.failure
        return found

    def once(self, name: str, tell: Callable[[], T]) -> T:
        """
        What *tell* tells, told once in the whole run by whichever check asks first: a conversation that many rules are
        judged by, because it takes time, or orders that the venue has few of.

        Its exchanges count as those of every check that asks; `Inconclusive` and `Violation` are raised in each.
        """
        key = f"{self.transport.name} {name}"
        told = self._session.told

        def telling() -> tuple[Any, list[Exchange]]:
            start = len(self.exchanges)
            try:
                found: Any = tell()
            except (Inconclusive, NotOffered, Violation) as error:
                found = error
            exchanges = self.exchanges[start:]
            del self.exchanges[start:]
            return found, exchanges

        if key not in told:
            told[key] = self._session.leases.once(key, telling)
            for each in told[key][1]:
                each.mask = self.transport.mask
        found, exchanges = told[key]
        self.exchanges += exchanges
        if isinstance(found, Exception):
            raise found.with_traceback(None)
        return cast("T", found)

    # Test data

    def order(self, owed: int = 2) -> Row:
        """
        An order that this check alone pays on, with at least *owed* minor units to pay: our own where the partner lets
        us create them, else one of the venue's, as GetOrderById shows it.

        Each call gives another one. Raises `Inconclusive` where there is none.
        """
        return self._supply.order(owed)

    @property
    def first_payments(self) -> list[supply.First]:
        """What the venue's orders answered to the first payments of the run; none where orders are our own."""
        return self._supply.firsts

    @property
    def paid_orders(self) -> list[str]:
        """Orders of the venue that have taken a payment in this run, but for those that are paid off."""
        return self._supply.paid

    def was_listed(self, order_id: str) -> bool:
        """Whether a search has shown the order before anything was paid on it in this run."""
        first = next((each for each in self.first_payments if each.order_id == order_id), None)
        return first is not None and first.before is not None

    def owns(self, order_id: str) -> bool:
        """Whether the order is one that the suite made."""
        return order_id in self._belongings.orders()

    def spend(self, use: str) -> Row:
        """
        An order that may be paid off for *use*, one of `supply.USES`; of the venue's own, each use has some.

        Raises `Inconclusive`, saying how many orders are missing.
        """
        return self._supply.spend(use)

    def hold(self, key: str, *, wait: float = 0) -> bool:
        """
        Have *key* (an order, a table…) to this check alone until it ends; False where another one has it.
        """
        if key in self._held:
            return True
        lock = self._session.leases.take(key, wait=wait)
        if lock is None:
            return False
        self._held.add(key)
        self._leases.callback(lock.release)
        return True

    def free(self, wanted: Sequence[str]) -> Iterator[str]:
        """
        Those of *wanted* that this check gets to itself: what is free, or else the first one as soon as it is.
        """
        none = True
        for each in wanted:
            if self.hold(each):
                none = False
                yield each
        if none and wanted and self.hold(wanted[0], wait=supply.LEASE_WAIT):
            yield wanted[0]

    def intent(self, amount: int = 1, tip: int = 0) -> str:
        """The id of a payment intent for *amount* minor units and a *tip*, never used before."""
        return self.venue.intents.new(amount, self.venue.currency, tip)

    def request(self, capability: Capability, example: Example | None = None, attempt: int = 0) -> dict[str, Any]:
        """
        A valid request of *capability* for this partner: its ids and the members of *example*, the first by default.

        Raises `Inconclusive` naming the test data that is missing.
        """
        return {**self.ids(capability), **self.body(capability, example, attempt)}

    def body(self, capability: Capability, example: Example | None = None, attempt: int = 0) -> dict[str, Any]:
        """
        The members of a valid request without the ids: see `request`.
        """
        found: dict[str, Any] = self.venue.fill((example or capability.examples[0]).request, attempt)
        if capability.request is not None and (missing := schema.problems(capability.request, found)):
            raise Inconclusive(
                f"no test data for a valid {capability.name} request ({missing[0].where}: {missing[0].message}); "
                f"{self._known()}name some under [data] in partner.toml"
            )
        return found

    def _known(self) -> str:
        return "".join(f"{reason}; " for reason in self.venue.unknown.values())

    def ids(self, capability: Capability) -> dict[str, str]:
        """
        Existing ids for the path of *capability*, made where they have to be.
        """
        found: dict[str, str] = {}
        for each in capability.ids:
            if each.kind == "locked-order":
                found.update(self.lock().ids)
            elif each.name not in found:
                found[each.name] = self.existing(each.kind)
        return found

    def existing(self, kind: str) -> str:
        """
        The id of an existing thing: ``order`` to read, ``payable-order`` to change a little, ``own-order`` to destroy;
        ``party``, ``changeable-party``, ``own-party`` and reservations likewise.
        """
        use, _, thing = kind.rpartition("-")
        if use == "own":
            named = self.venue.known.cancelable_orders if thing == "order" else ()
            if named and not self.offers("CreateOrder"):
                return self._session.use_up(named, "data.cancelable-orders")
            return self.make(thing).ids[ID_NAME[thing]]
        if use == "payable":
            return self._payable_order()
        if use == "changeable":
            return self._pooled(thing)
        if seen := self.venue.ids(thing):
            return seen[0]
        return self._pooled(thing)

    def make(self, thing: str) -> Made:
        """
        Make an order, party or reservation of our own, removed when the check ends.

        Refusals are answered with other data, `MOST_ATTEMPTS` times. Raises `Inconclusive` with the partner's words.
        """
        maker = _MAKER[thing]
        if self.settings.read_only:
            raise Inconclusive(f"needs an own {thing}, which --read-only forbids; {self._hint(thing)}")
        if not self.offers(maker):
            raise Inconclusive(f"needs an own {thing}, but {maker} isn't offered; {self._hint(thing)}")
        capability = _contracts.capabilities()[maker]
        exchange = self.attempt(capability, capability.examples[-1])
        if made := self._belongings.made_by(capability, {}, exchange):
            if thing == "party":
                self.venue.hear_status(made.answer)
            return made
        currency = self.venue.currency_hint if thing == "order" else ""
        raise Inconclusive(
            f"needs an own {thing}, but {maker} was not carried out: {exchange.seen}; {self._hint(thing)}{currency}"
        )

    @staticmethod
    def _hint(thing: str) -> str:
        return f"name {PLURALS[thing]} under [data] in partner.toml"

    def settle_currency(self) -> None:
        """
        Where nothing tells the venue's currency, find out by an order of our own; asked once by each process.
        """
        pool = self._session.pool
        if "currency" in pool or not self.venue.guesses_currency or not self.offers("CreateOrder"):
            return
        pool["currency"] = "asked"
        with contextlib.suppress(Inconclusive):
            self.make("order")

    def attempt(
        self,
        capability: Capability,
        example: Example,
        *,
        only: Collection[str] | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """
        Call *capability* with *example*, with other test data again where the partner refuses what it was given.

        *only* names the members of the body to send, *extra* has members to add. Returns the first exchange that is no
        refusal, else the last one.
        """
        if capability.creates == "lock":
            # One at a time: an order that we hold ourselves can't be locked.
            self.leftovers += self._belongings.release_locks()
        kept = None if only is None else {*only, *(each.name for each in capability.ids)}
        for attempt in range(MOST_ATTEMPTS):
            params = self.request(capability, example, attempt)
            sent = {name: value for name, value in params.items() if kept is None or name in kept}
            exchange = self.call(capability.name, {**sent, **(extra or {})}, headers=headers)
            if capability.creates == "order":
                self.venue.hear_of_order(exchange)
            error = exchange.error
            if error is not None and error.type == "NotFound" and (named := self.venue.named(params.values())):
                raise Inconclusive(f"{named!r}, named in partner.toml, is not known to the EPOS: {exchange.seen}")
            if self._gone(capability, params, exchange):
                continue
            if error is None or not capability.changes or error.type not in ("Conflict", "InvalidRequest", "NotFound"):
                break
            self._other_order()
        return exchange

    def read(self, capability: Capability, id: str) -> Exchange | None:
        """
        Read what was seen under *id* by a capability that takes no other; None where it is gone in the meantime.
        """
        params = {capability.ids[0].name: id}
        exchange = self.call(capability.name, params)
        return None if self._gone(capability, params, exchange) else exchange

    def _gone(self, capability: Capability, params: Mapping[str, Any], exchange: Exchange) -> bool:
        if "reads-by-id" not in capability.selectors or exchange.succeeded or exchange.crashed:
            return False
        (member,) = capability.ids
        return self.venue.is_gone(member.kind, params[member.name])

    def unknown(self, capability: Capability) -> dict[str, Any]:
        """
        A valid request for ids that do not exist, written like those that do.
        """
        if "status" in capability.members and not self.venue.given_statuses:
            # One that the EPOS doesn't know might be refused before the id is looked at.
            with contextlib.suppress(Inconclusive):
                self.ids(capability)
        known = {each.name: self._known_ids(each.kind.rpartition("-")[2]) for each in capability.ids}
        ids = {name: bodies.unlike(found) for name, found in known.items()}
        return {**ids, **self.body(capability)}

    def _known_ids(self, thing: str) -> list[str]:
        return self.venue.ids(thing) if thing in ID_NAME else []

    def all_headers(self) -> dict[str, str]:
        """
        The four Dojo headers; the waiter only where one of the venue's is known.
        """
        waiter = self.venue.waiter_id
        return {**DOJO_HEADERS, **({"waiter-id": waiter} if waiter else {})}

    def lock(self) -> Made:
        """
        A lock of ours on a payable order, released when the check ends.
        """
        if not self.offers("CreateOrderLock"):
            raise Inconclusive("needs a locked order, but CreateOrderLock isn't offered")
        if held := self._belongings.lock():
            return held
        capability = _contracts.capabilities()["CreateOrderLock"]
        params = self.request(capability)
        exchange = self.call(capability.name, params)
        if not exchange.succeeded:
            raise Inconclusive(f"needs a locked order, but CreateOrderLock was not carried out: {exchange.seen}")
        made = self._belongings.made_by(capability, params, exchange)
        assert made is not None
        return made

    def _pooled(self, thing: str) -> str:
        pool, name = self._session.pool, ID_NAME[thing]
        if thing not in pool:
            named = getattr(self.venue.known, PLURALS[thing])
            if named and thing != "order":
                return str(named[0])
            try:
                made = self.make(thing)
            except Inconclusive as error:
                pool[thing] = str(error)
                raise
            self._belongings.hand_over(made)
            pool[thing] = made
        if isinstance(kept := pool[thing], str):
            raise Inconclusive(kept)
        return kept.ids[name]

    def _payable_order(self) -> str:
        """
        An order of our own where the partner can create them, else one of the venue's, ours alone for this check.
        """
        if not self.venue.known.orders and self.offers("CreateOrder"):
            with contextlib.suppress(Inconclusive):
                id = self._pooled("order")
                made = self._session.pool["order"]
                if isinstance(made, Made) and made.answer.get("payable") is not False:
                    return id
        if self._order is not None:
            return self._order
        # After a refusal, another one: a waiter may be editing the first.
        every = [each for each in self._supply.payable if not self._session.leases.noted(f"spent {each}")]
        candidates = [each for each in every if each not in self._refused] or every
        found = next(self.free(candidates), None)
        if found is None:
            raise Inconclusive(self._supply.none_free(candidates))
        self._order = found
        return found

    def _other_order(self) -> None:
        """Let go of the order that is held, so that the next attempt takes another, and never waits for our own."""
        if self._order is not None:
            self._refused.append(self._order)
            self._order = None
            self._let_go()

    def _let_go(self) -> None:
        self._leases.close()
        self._held.clear()
        self._supply = Supply(self, self._session)

    # Beginning and ending

    def begin(self, *, alone: bool) -> None:
        """
        Wait until the check may begin, with the partner to itself where it is to be *alone*.
        """
        self.transport.take_turn(alone=alone)

    def clean_up(self) -> None:
        """
        Remove what the check made, newest first, and end its leases. Never raises.
        """
        try:
            self.leftovers += self._belongings.remove()
        finally:
            self._order = None
            self._let_go()

    def end(self) -> None:
        """
        Clean up, and let other checks begin. Never raises.
        """
        self.clean_up()
        with contextlib.suppress(Unreachable):  # who holds the session is gone: so is the turn
            self.transport.end_turn()

    def forget(self, gone: Callable[[Made], bool]) -> None:
        """Keep nothing in mind of what is *gone* by itself: there is nothing to remove."""
        self._belongings.forget(gone)
