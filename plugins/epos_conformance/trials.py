"""
One capability that keeps what it is sent, a usual body that the partner takes, and what becomes of unusual ones.
"""

from __future__ import annotations

import datetime
import time
import uuid

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from epos_conformance import echoes, money, strategies
from epos_conformance._contracts import Capability, Example
from epos_conformance.exceptions import BrokenAnswer, Inconclusive
from epos_conformance.exchange import Exchange
from epos_conformance.settling import settled
from epos_conformance.strategies import Json, Leaf, Variation
from epos_conformance.venue import instant


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: The problem that the partner crashes; others are ``rule $.where``.
CRASH = "crash"

#: How often a read that shows something else is given the time to settle before reads no longer count.
_PATIENCE = 3

#: Usual bodies of each example that are tried.
_TRIES = 4

#: Kind of thing -> the capability that reads one.
_READERS = {"order": "GetOrderById", "party": "GetPartyById", "reservation": "GetReservationById"}
_MAKERS = {"party": "CreateParty", "reservation": "CreateReservation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    Something that is wrong with what became of a body.
    """

    where: str
    expected: str
    seen: str
    hint: str | None = None
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of one body.
    """

    #: Whether the partner says that it was carried out.
    accepted: bool
    #: What is wrong, by what it is.
    problems: Mapping[str, Problem] = field(default_factory=dict)


class Subject:
    """
    A capability of a partner, with a *body* that it takes; *ids* are those of what is updated.
    """

    def __init__(
        self,
        partner: Partner,
        capability: Capability,
        example: Example,
        ids: Mapping[str, str],
        body: Mapping[str, Any],
    ) -> None:
        assert capability.request is not None
        self.partner = partner
        self.capability = capability
        self.ids = dict(ids)
        self.body = body
        self._fresh = [name for name, each in example.request.items() if each == "{unique}"]
        self._kind = capability.creates or capability.ids[0].kind.rpartition("-")[2]
        self._reader = _READERS[self._kind] if partner.offers(_READERS[self._kind]) else None
        #: What may vary, and what follows.
        self.leaves = strategies.leaves(capability.request, body)
        #: Those that come back of a usual body, in the answer and in a read.
        self._answered: list[Leaf] = []
        self._readable: list[Leaf] = []
        #: What was sent for each leaf so far: a stale read shows that.
        self._told: dict[str, set[str]] = {}
        #: Whether what was written is read at once.
        self._immediate = False
        self._patience = _PATIENCE
        #: What to put back in the end.
        self.original: Mapping[str, Any] | None = None
        #: Seconds that a body takes with everything that belongs to it.
        self.seconds = 0.0

    @property
    def removable(self) -> bool:
        """Whether what a body makes can be removed again."""
        made = self.capability.creates
        return made is None or (
            self.capability.removed_by is not None and self.partner.offers(self.capability.removed_by)
        )

    @property
    def shown(self) -> frozenset[str]:
        """The rules about what is kept that something is shown of."""
        return frozenset(filter(None, map(echoes.rule_of, (*self._answered, *self._readable))))

    def amount(self, leaf: Leaf) -> int | None:
        """The usual number of *leaf*; None for what is not counted."""
        found = echoes.at(self.body, leaf.path)
        if leaf.kind == "lines":
            return len(found)
        return found if leaf.kind in ("quantity", "count") else None

    def fresh(self, body: Mapping[str, Any], variation: Variation) -> Json:
        """*body*, with new ids of ours."""
        new = {name: str(uuid.uuid4()) for name in self._fresh if name in body and f"$.{name}" not in variation}
        return {**body, **new}

    # The usual body

    def take(self, body: Mapping[str, Any]) -> Exchange:
        """Send the usual *body*; if it is carried out, learn what comes back of it."""
        assert self.capability.request is not None
        started = time.monotonic()
        sent = self.fresh(body, {})
        exchange = self.partner.call(self.capability.name, {**self.ids, **sent})
        if not exchange.succeeded:
            return exchange
        self.body, self.leaves = body, strategies.leaves(self.capability.request, body)
        self._answered = [leaf for leaf in self.leaves if echoes.comes_back(leaf, sent, exchange.result)]
        ids = self._ids_of(exchange)
        if self._reader and ids:
            looks = len(self.partner.exchanges)
            read = settled(
                self.partner,
                lambda: self._look(str(self._reader), ids),
                lambda each: all(echoes.comes_back(leaf, sent, each.result) for leaf in self._answered),
            )
            self._immediate = len(self.partner.exchanges) == looks + 1
            self._readable = [leaf for leaf in self.leaves if echoes.comes_back(leaf, sent, read.result)]
        self._clear(ids)
        self.seconds = time.monotonic() - started
        return exchange

    def _ids_of(self, exchange: Exchange) -> Mapping[str, str]:
        """The ids of what *exchange* made or changed; none where it doesn't tell."""
        if self.ids:
            return self.ids
        result = exchange.result
        id = result.get("id") if isinstance(result, Mapping) else None
        return {f"{self._kind}Id": id} if isinstance(id, str) and id else {}

    def _clear(self, ids: Mapping[str, str]) -> None:
        """Remove what a body made, so that the next finds its table free."""
        if self.capability.creates and self.removable and ids:
            self.partner.call(str(self.capability.removed_by), ids)

    def restore(self) -> None:
        """Put back what was not ours."""
        if self.original is not None:
            self.partner.call(self.capability.name, {**self.ids, **self.original})

    # Unusual bodies

    def send(self, variation: Variation, *, careful: bool = False) -> Outcome:
        """
        Send the body that varies so, read it back and clear up. Raises `Inconclusive` where there is no answer.

        What is read otherwise than sent is read again, until it may have settled, if the partner was seen to be slow
        about that, or always if we are to be *careful*.
        """
        varied = strategies.applied(self.body, self.leaves, variation)
        exchange, sent = self._ask(varied, variation)
        if exchange.crashed:
            return Outcome(False, {CRASH: self._crash(exchange, variation, sent, self.capability.name)})
        if not exchange.succeeded:
            return Outcome(False)
        problems: dict[str, Problem] = {}
        ids = self._ids_of(exchange)
        if self.capability.creates:
            step = f"the answer to {self.capability.name}"
            for leaf in self._altered(self._answered, sent, exchange):
                problems |= self._alteration(leaf, variation, sent, step, exchange)
        try:
            problems = {**self._read_back(ids, variation, sent, exchange, careful=careful), **problems}
        finally:
            self._clear(ids)
        for leaf in self.leaves:
            self._told.setdefault(leaf.where, {echoes.told(leaf, self.body)}).add(echoes.told(leaf, sent))
        return Outcome(True, problems)

    def _ask(self, varied: Mapping[str, Any], variation: Variation) -> tuple[Exchange, Json]:
        """The exchange of a body, with what was sent; hanging up has to show twice, and not with the usual body."""
        for _ in range(2):
            sent = self.fresh(varied, variation)
            try:
                return self.partner.call(self.capability.name, {**self.ids, **sent}), sent
            except BrokenAnswer:
                broken = self.partner.exchanges[-1]
        usual = self.partner.call(self.capability.name, {**self.ids, **self.fresh(self.body, {})})
        self._clear(self._ids_of(usual) if usual.succeeded else {})
        return broken, sent

    def _read_back(
        self,
        ids: Mapping[str, str],
        variation: Variation,
        sent: Mapping[str, Any],
        exchange: Exchange,
        *,
        careful: bool,
    ) -> dict[str, Problem]:
        """What is wrong with what is read of *sent*, which *exchange* stored."""
        reader = self._reader
        if reader is None or not ids or not self._readable:
            return {}
        step = f"{reader} after {self.capability.name}"
        try:
            read = self._look(reader, ids)
        except BrokenAnswer:
            return {CRASH: self._crash(self.partner.exchanges[-1], variation, sent, step, exchange)}
        if read.crashed:
            return {CRASH: self._crash(read, variation, sent, step, exchange)}

        altered = self._altered(self._readable, sent, read)
        counting = [leaf for leaf in altered if self._is_told_twice(leaf, exchange, read)]
        if len(counting) < len(altered) and self._immediate and not careful:
            counting = altered
        elif len(counting) < len(altered) and (self._patience or careful):
            read = settled(
                self.partner,
                lambda: self._look(reader, ids),
                lambda each: not self._altered(self._readable, sent, each),
            )
            counting = self._altered(self._readable, sent, read)
            self._patience -= bool(counting and not careful)
        found: dict[str, Problem] = {}
        for leaf in counting if read.succeeded else ():
            found |= self._alteration(leaf, variation, sent, step, exchange, read)
        return found

    def _look(self, reader: str, ids: Mapping[str, str]) -> Exchange:
        try:
            return self.partner.call(reader, ids)
        except BrokenAnswer:
            return self.partner.call(reader, ids)  # hanging up may have crossed with the request

    @staticmethod
    def _altered(leaves: Sequence[Leaf], sent: Any, exchange: Exchange) -> list[Leaf]:
        return [leaf for leaf in leaves if not echoes.comes_back(leaf, sent, exchange.result)]

    def _is_told_twice(self, leaf: Leaf, exchange: Exchange, read: Exchange) -> bool:
        """
        Whether *leaf* is read as the answer to the write told it too, and not as it was before: that is no snapshot.
        """
        told = echoes.told(leaf, read.result)
        return told == echoes.told(leaf, exchange.result) and not (
            self.ids and told in self._told.get(leaf.where, {echoes.told(leaf, self.body)})
        )

    # Problems

    def _crash(
        self, exchange: Exchange, variation: Variation, sent: Mapping[str, Any], step: str, *before: Exchange
    ) -> Problem:
        after = "" if step == self.capability.name else step.partition(" ")[0]
        return Problem(
            where=f"{step} {self._described(variation, sent)}",
            expected="an answer in good order" if after else "it carried out, or refused in good order",
            seen=exchange.seen if exchange.answer else f"the partner hung up ({exchange.seen})",
            exchanges=(*before, exchange),
        )

    def _alteration(
        self, leaf: Leaf, variation: Variation, sent: Mapping[str, Any], step: str, *exchanges: Exchange
    ) -> dict[str, Problem]:
        rule = echoes.rule_of(leaf)
        # How many there are of something is told by its lines; by their quantity where that alone is unusual.
        counted = {each.kind for each in self.leaves if each.where in variation} & {"quantity", "lines"}
        if rule is None or leaf.kind == ("lines" if counted == {"quantity"} else "quantity"):
            return {}
        found = exchanges[-1].result
        others = "" if set(variation) == {leaf.where} else f", sent {self._described(variation, sent)}"
        problem = Problem(
            where=f"{step}, {leaf.where}",
            expected=echoes.told(leaf, sent),
            seen=f"{echoes.told(leaf, found)}{others}",
            hint=echoes.hint(leaf, sent, found),
            exchanges=exchanges,
        )
        return {f"{rule} {leaf.where}": problem}

    def _described(self, variation: Variation, sent: Mapping[str, Any]) -> str:
        """How *sent* differs from the usual body."""
        told = [
            f"{leaf.where} {echoes.told(leaf, sent)}" for leaf in self.leaves if variation.get(leaf.where) is not None
        ]
        without = [name for name, value in variation.items() if value is None]
        parts = [f"with {' and '.join(told)}"] if told else []
        return ", ".join([*parts, f"without {' and '.join(without)}"] if without else parts)


# The usual body


def prepare(partner: Partner, capability: Capability) -> Subject:
    """
    *capability* with a body that the partner takes, as rich as it takes it.

    Raises `Inconclusive` with the partner's words where it takes none.
    """
    subject = _creation(partner, capability) if capability.creates else _update(partner, capability)
    for enriched in _enriched(capability, subject.body):
        if subject.take(enriched).succeeded:
            return subject
    # All at once is too much: one after the other.
    for enrich in _EXTRAS.get(capability.name, ()):
        if (richer := enrich(subject.body)) is not None:
            subject.take(richer)
    return subject


def _creation(partner: Partner, capability: Capability) -> Subject:
    for example in (capability.examples[-1], *capability.examples[:-1][:1]):
        for attempt in range(_TRIES):
            body = partner.body(capability, example, attempt)
            tables = body.get("tableIds", ())
            # Another process may want to seat a party there.
            if attempt < _TRIES - 1 and not all([partner.hold(f"table {each}") for each in tables]):
                continue
            subject = Subject(partner, capability, example, {}, body)
            exchange = subject.take(body)
            if exchange.succeeded:
                return subject
            if exchange.crashed:
                break
    raise Inconclusive(f"needs a {capability.name} that is carried out, but saw {exchange.seen}")


def _update(partner: Partner, capability: Capability) -> Subject:
    kind = capability.ids[0].kind.rpartition("-")[2]
    example = capability.examples[-1]
    if partner.offers(_MAKERS[kind]):
        made = partner.make(kind)
        ids, known, original = dict(made.ids), made.sent, None
    else:
        # One of the venue's, to be changed a little, and back.
        ids = partner.ids(capability)
        read = partner.call(_READERS[kind], ids) if partner.offers(_READERS[kind]) else None
        if read is None or not isinstance(read.result, dict):
            raise Inconclusive(f"needs a {kind} to change, and to put back as it was, but none can be made or read")
        known = original = {name: read.result[name] for name in capability.members if name in read.result}
    # Another name than before, to see how soon it is read.
    body = {**partner.body(capability, example), "name": "Conformance Guests"}
    # Where and when it is may be what can't be changed.
    stays = {name: known[name] for name in ("tableIds", "startTime", "expectedEndTime", "endTime") if name in known}
    usual = {**body, **{name: value for name, value in stays.items() if name in body}}
    for attempt in range(_TRIES):
        subject = Subject(partner, capability, example, ids, usual if not attempt else body)
        exchange = subject.take(subject.body)
        if exchange.succeeded:
            subject.original = {**subject.body, **original} if original is not None else None
            return subject
        body = {**partner.body(capability, example, attempt), "name": "Conformance Guests"}
    raise Inconclusive(f"needs a {capability.name} that is carried out, but saw {exchange.seen}")


def _enriched(capability: Capability, body: Mapping[str, Any]) -> Iterator[Json]:
    """*body* with everything that may be added to it, if there is anything."""
    richer: Json | None = None
    for enrich in _EXTRAS.get(capability.name, ()):
        richer = enrich(richer or body) or richer
    if richer is not None:
        yield richer


def _with_item_note(order: Mapping[str, Any]) -> Json:
    first, *others = order["items"]
    return {**order, "items": [{**first, "note": "Well done"}, *others]}


def _with_discount(order: Mapping[str, Any]) -> Json:
    total = order["totalAmount"]
    less = money.of(1, total["currencyCode"])
    return {
        **order,
        "discounts": [{"name": "Conformance discount", "amountTotal": less}],
        "totalAmount": {**total, "value": total["value"] - 1},
    }


def _with_ready_time(order: Mapping[str, Any]) -> Json | None:
    details = order["details"]
    if "dineIn" not in details:
        return None
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2)
    return {**order, "details": {**details, "dineIn": {**details["dineIn"], "readyAt": instant(soon)}}}


def _with_description(party: Mapping[str, Any]) -> Json | None:
    deposit = party.get("deposit")
    return {**party, "deposit": {**deposit, "description": "Deposit"}} if deposit else None


#: Members that no example has, because a till may have its reasons to refuse them.
_EXTRAS: Mapping[str, tuple[Callable[[Mapping[str, Any]], Json | None], ...]] = {
    "CreateOrder": (_with_item_note, _with_discount, _with_ready_time),
    "UpdateParty": (_with_description,),
}
