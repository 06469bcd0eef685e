"""
One capability that keeps what it is sent, a usual body that the partner takes, and what becomes of unusual ones.
"""

from __future__ import annotations

import time
import uuid

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from epos_conformance import echoes, money, strategies
from epos_conformance._contracts import Capability, Example
from epos_conformance.exceptions import BrokenAnswer
from epos_conformance.exchange import Exchange
from epos_conformance.settling import settled
from epos_conformance.strategies import Leaf, Variation
from epos_conformance.themes import Json


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: The problem that the partner crashes; others are ``rule $.where``.
CRASH = "crash"

#: How often a read that shows something else is given the time to settle before reads no longer count.
_PATIENCE = 3

#: Kind of thing -> the capability that reads one.
READERS = {"order": "GetOrderById", "party": "GetPartyById", "reservation": "GetReservationById"}


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
        self._reader = READERS[self._kind] if partner.offers(READERS[self._kind]) else None
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

    def usual(self, where: str) -> int | None:
        """The usual number of the leaf *where*; None for what is no number."""
        leaf = next(each for each in self.leaves if each.where == where)
        found = echoes.at(self.body, leaf.path)
        if leaf.kind == "lines":
            return len(found)
        return money.value(found) if leaf.kind == "amount" else found if leaf.kind in ("quantity", "count") else None

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
        if _is_crash(exchange):
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
            if not _is_crash(broken):
                return broken, sent
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
            read = self.partner.exchanges[-1]
        if _is_crash(read):
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


def _is_crash(exchange: Exchange) -> bool:
    """Whether the partner failed; an answer that is too large for us, as one to a large order may be, is no failure."""
    if isinstance(exchange.failure, BrokenAnswer):
        return exchange.failure.nothing_came
    return exchange.crashed
