"""
Whether a refused request left something behind: seen through the capability that shows what this one stores.

Every request carries a mark of its own, so that whatever else goes on at the partner is not taken for a trace.
"""

from __future__ import annotations

import itertools
import json
import random
import time
import uuid

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from epos_conformance import _contracts, bodies, following, money
from epos_conformance._contracts import Capability
from epos_conformance.bodies import Fault
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.exchange import preview
from epos_conformance.following import rows_of
from epos_conformance.partner import Partner
from epos_conformance.rest import encode
from epos_conformance.settling import settled, unchanged
from epos_conformance.verdict import Finding


#: Enough faults to meet a member that is checked late, few enough to be quick.
_MOST_FAULTS = 6
#: A refused request would be among the newest rows or the oldest: how far a search is walked to find it.
_MOST_PAGES = 10

#: What no order comes to: a total of them is a mark.
_TOTALS = range(100_000_001, 999_999_999)

#: What changes of itself.
_VOLATILE = frozenset({"updatedAt"})


def traces_of_refusals(partner: Partner, capability: Capability) -> tuple[int, list[Finding]]:
    """
    Send marked requests that are wrong in form; how many were refused, and findings where one left a trace.

    Raises `NotOffered` where nothing shows what *capability* stores.
    """
    assert capability.observed_by is not None
    if not partner.offers(capability.observed_by):
        raise NotOffered(f"only {capability.observed_by} shows what {capability.name} stores, and it isn't offered")
    observer = _contracts.capabilities()[capability.observed_by]
    ids = partner.ids(capability)
    refused, findings, changes = _round(partner, capability, observer, ids)
    if changes:
        # What was read first may have been about to change: a partner may answer from a snapshot. Have it show twice.
        time.sleep(partner.settings.settle)
        refused, findings, changes = _round(partner, capability, observer, ids, settle=partner.settings.settle)
    return refused, findings or changes


def traces_of_a_stranger(partner: Partner, capability: Capability, authorization: str) -> list[Finding]:
    """
    Send a valid request over REST with the *authorization* of a stranger; findings where it was carried out.

    Raises `NotOffered` where nothing shows that, and `Inconclusive` where the request wasn't refused.
    """
    name = capability.shown_by
    if not partner.offers(name):
        raise NotOffered(f"only {name} shows what {capability.name} stores, and it isn't offered")
    observer = _contracts.capabilities()[name]
    ids = partner.ids(capability)
    params, mark, trace = dict(ids), "", "it is gone, or canceled"
    if capability.creates == "payment":
        # Those that the user names are too few to spend on what is to be refused.
        mark = partner.venue.intents.unknown() if partner.settings.intents.ids else partner.intent()
    elif capability.marks:
        mark = f"stranger-{uuid.uuid4().hex[:16]}"
    if mark:
        example = capability.examples[0 if capability.creates == "payment" else -1]
        params |= {**partner.body(capability, example), **dict.fromkeys(capability.marks, mark)}
        trace = f"{mark} is there in {name}"

    def is_unchanged() -> bool:
        if mark:
            return mark not in json.dumps(_observe(partner, observer, ids), ensure_ascii=False)
        exchange = partner.call(name, ids)
        return isinstance(exchange.result, dict) and exchange.result.get("status") != "Canceled"

    if not mark and not settled(partner, is_unchanged, bool):
        raise Inconclusive(f"needs something that could be removed, but {name} doesn't show it")
    body = {each: value for each, value in params.items() if each not in ids}
    exchange = partner.send_to(capability, params, encode(body) if body else None, authorization=authorization)
    if exchange.succeeded or exchange.crashed:
        raise Inconclusive(f"with wrong credentials, {capability.name} is not refused: {exchange.seen}")
    if unchanged(partner, is_unchanged, bool):
        return []
    return [Finding(f"{capability.name} with wrong credentials, refused", "nothing changed", trace)]


def _round(
    partner: Partner, capability: Capability, observer: Capability, ids: Mapping[str, str], *, settle: float = 0
) -> tuple[int, list[Finding], list[Finding]]:
    """
    Send the faults; how many were refused, where their marks are found, and what changed without a mark: sums, say.

    The last only where one thing is observed, which is ours, and nothing was accepted. *settle* is waited for, in
    seconds, before the second look.
    """
    before = _observe(partner, observer, ids) if observer.ids else {}
    refused: dict[str, Fault] = {}
    faults = list(_marked_faults(partner, capability))
    for mark, fault in faults:
        if not partner.call(capability.name, {**ids, **fault.body}).succeeded:
            refused[mark] = fault  # what was accepted is another rule's business
    totals = {total: fault for fault in refused.values() if (total := _total(fault.body) or 0) in _TOTALS}
    time.sleep(settle)
    after = _observe(partner, observer, ids)
    text = json.dumps(after, ensure_ascii=False)
    findings = [
        Finding(f"{fault}, refused", "nothing stored", f"{mark} is there in {observer.name}")
        for mark, fault in refused.items()
        if mark in text
    ]
    findings += [
        Finding(f"{totals[total]}, refused", "nothing stored", f"an order of {total} is there in {observer.name}")
        for total in map(_total, after if isinstance(after, list) else ())
        if total in totals
    ]
    if not observer.ids or len(refused) < len(faults):
        return len(refused), findings, []
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    changes = [Finding(name, f"{preview(before.get(name))}, as before", preview(after.get(name))) for name in changed]
    return len(refused), findings, changes


def _marked_faults(partner: Partner, capability: Capability) -> Iterator[tuple[str, Fault]]:
    assert capability.request is not None
    body = partner.body(capability, capability.examples[-1])
    faults = [
        fault
        for fault in itertools.chain(*(make(capability.request, body) for make in (bodies.missing, bodies.wrong_types)))
        if not any(fault.where.startswith(f"$.{mark}") for mark in capability.marks)
    ]
    # Spread over the body: what is checked last is what a partner stores too early.
    step = max(1, len(faults) // _MOST_FAULTS)
    for number, fault in enumerate(faults[::-step][:_MOST_FAULTS]):
        # An EPOS may go by how Dojo writes the ids of its payment intents.
        mark = ("pi_" if "paymentIntentId" in capability.marks else "") + f"refused-{uuid.uuid4().hex[:16]}"
        marked = {**fault.body, **dict.fromkeys(capability.marks, mark)}
        # What is stored of the order may be its head alone, without texts. Half of the totals still are the items'.
        if number % 2 and _total(marked) is not None:
            total = random.choice(_TOTALS)  # noqa: S311 - no secret
            marked["totalAmount"] = {**marked["totalAmount"], "value": total}
        yield mark, Fault(fault.where, fault.what, marked)


def _total(order: Any) -> int | None:
    """What *order*, a body or a row, comes to."""
    return money.value(order.get("totalAmount")) if isinstance(order, Mapping) else None


def _observe(partner: Partner, observer: Capability, ids: Mapping[str, str]) -> Any:
    """What *observer* shows: of one thing, its members; of a search, its rows."""
    if observer.ids:
        exchange = partner.call(observer.name, ids)
        if not isinstance(exchange.result, dict):
            raise Inconclusive(f"can't see what is stored: {exchange.seen}")
        return {name: value for name, value in exchange.result.items() if name not in _VOLATILE}
    rows: list[Any] = []
    for exchange in following.pages(partial(partner.call, observer.name), {}, most=_MOST_PAGES):
        if not exchange.succeeded:
            raise Inconclusive(f"can't see what is stored: {exchange.seen}")
        rows += rows_of(exchange.result)
    return rows
