"""
The usual body that unusual ones are made of: one that the partner takes, as rich as it takes it.
"""

from __future__ import annotations

import datetime

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from epos_conformance import _contracts, money
from epos_conformance._contracts import Capability, Example
from epos_conformance.exceptions import Inconclusive
from epos_conformance.themes import Json
from epos_conformance.trials import READERS, Subject
from epos_conformance.venue import instant


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: Bodies of each example that are tried.
_TRIES = 4

_MAKERS = {"party": "CreateParty", "reservation": "CreateReservation"}


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


def _versions(capability: Capability) -> Iterator[Example]:
    """Requests to try: everything, then nothing that has to do with people or money, then what is required."""
    full, least = capability.examples[-1], capability.examples[0]
    needed = {name for name, is_needed in capability.members.items() if is_needed}
    yield full
    plain = {name: each for name, each in full.request.items() if name in needed or not isinstance(each, Mapping)}
    if len(plain) < len(full.request):
        yield Example(full.title, plain)
    if least is not full:
        yield least


def _creation(partner: Partner, capability: Capability) -> Subject:
    refused = None
    for example in _versions(capability):
        for attempt in range(_TRIES):
            body = partner.body(capability, example, attempt)
            # Another process may want to seat a party there.
            held = all(partner.hold(f"table {each}") for each in body.get("tableIds", ()))
            if not held and attempt < _TRIES - 1:
                continue
            subject = Subject(partner, capability, example, {}, body)
            exchange = subject.take(body)
            if exchange.succeeded:
                return subject
            refused = refused or exchange
            if not exchange.refused:
                break
    assert refused is not None
    raise Inconclusive(f"needs a {capability.name} that is carried out, but saw {refused.seen}")


def _update(partner: Partner, capability: Capability) -> Subject:
    ids, known, ours = _updatable(partner, capability)
    refused = None
    for example in _versions(capability):
        for attempt in range(_TRIES):
            body = partner.body(capability, example, attempt)
            if not attempt:
                # Where and when it is, and how far, may be what can't be changed.
                body |= {name: known[name] for name in _STAYS if name in known and name in body}
            if "name" in body:
                # Another one than before, to see how soon it is read.
                body["name"] = "Conformance Guests"
            subject = Subject(partner, capability, example, ids, body)
            exchange = subject.take(body)
            if exchange.succeeded:
                subject.original = None if ours else {**body, **known}
                return subject
            refused = refused or exchange
            if not exchange.refused:
                break
    assert refused is not None
    raise Inconclusive(f"needs a {capability.name} that is carried out, but saw {refused.seen}")


_STAYS = ("tableIds", "startTime", "expectedEndTime", "endTime", "covers", "status")


def _updatable(partner: Partner, capability: Capability) -> tuple[dict[str, str], Mapping[str, Any], bool]:
    """The ids of something to update, what it is like by now, and whether it is ours."""
    (member,) = capability.ids
    kind = member.kind.rpartition("-")[2]
    maker = _contracts.capabilities()[_MAKERS[kind]]
    if partner.offers(maker.name):
        subject = _creation(partner, maker)
        exchange = partner.call(maker.name, subject.fresh(subject.body, {}))
        if not isinstance(exchange.result, dict) or not isinstance(exchange.result.get("id"), str):
            raise Inconclusive(f"needs an own {kind}, but saw {exchange.seen}")
        return {member.name: exchange.result["id"]}, {**exchange.result, **subject.body}, True
    # One of the venue's, to be changed a little, and back.
    ids = partner.ids(capability)
    read = partner.call(READERS[kind], ids) if partner.offers(READERS[kind]) else None
    if read is None or not isinstance(read.result, dict):
        raise Inconclusive(f"needs a {kind} to change, and to put back as it was, but none can be made or read")
    return ids, {name: read.result[name] for name in capability.members if name in read.result}, False


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
