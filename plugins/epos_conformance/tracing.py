"""
Whether a refused request left something behind: seen through the capability that shows what this one stores.

Every request carries a mark of its own, so that whatever else goes on at the partner is not taken for a trace.
"""

from __future__ import annotations

import itertools
import json
import uuid

from collections.abc import Iterator
from typing import Any

from epos_conformance import _contracts, bodies
from epos_conformance._contracts import Capability
from epos_conformance.bodies import Fault
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.partner import Partner
from epos_conformance.venue import rows_of
from epos_conformance.verdict import Finding


#: Enough faults to meet a member that is checked late, few enough to be quick.
_MOST_FAULTS = 6
#: A refused request would be among the newest rows or the oldest: how far a search is walked to find it.
_MOST_PAGES = 10

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
    before = _observe(partner, observer, ids)
    refused: dict[str, Fault] = {}
    accepted = 0
    for mark, fault in _marked_faults(partner, capability):
        if partner.call(capability.name, {**ids, **fault.body}).succeeded:
            accepted += 1  # another rule's business
        else:
            refused[mark] = fault
    after = _observe(partner, observer, ids)
    text = json.dumps(after, ensure_ascii=False)
    findings = [
        Finding(f"{fault}, refused", "nothing stored", f"{mark} is there in {observer.name}")
        for mark, fault in refused.items()
        if mark in text
    ]
    if not findings and not accepted and observer.ids and before != after:
        changed = ", ".join(name for name in {**before, **after} if before.get(name) != after.get(name))
        findings.append(Finding("after refusals", f"{observer.name} as before", f"{changed} changed"))
    return len(refused), findings


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
    for fault in faults[::-step][:_MOST_FAULTS]:
        mark = f"refused-{uuid.uuid4().hex[:16]}"
        yield mark, Fault(fault.where, fault.what, {**fault.body, **dict.fromkeys(capability.marks, mark)})


def _observe(partner: Partner, observer: Capability, ids: dict[str, str]) -> Any:
    """What *observer* shows: of one thing, its members; of a search, its rows."""
    if observer.ids:
        exchange = partner.call(observer.name, ids)
        if not isinstance(exchange.result, dict):
            raise Inconclusive(f"can't see what is stored: {exchange.seen}")
        return {name: value for name, value in exchange.result.items() if name not in _VOLATILE}
    rows, cursor = [], None
    for _ in range(_MOST_PAGES):
        exchange = partner.call(observer.name, {"cursor": {"after": cursor}} if cursor else {})
        if not exchange.succeeded:
            raise Inconclusive(f"can't see what is stored: {exchange.seen}")
        rows += rows_of(exchange.result)
        cursor = exchange.result.get("after") if isinstance(exchange.result, dict) else None
        if not isinstance(cursor, str) or not cursor:
            break
    return rows
