"""
What a request and its answer look like on the wire: requests of the contracts, answers of the reference EPOS, which
keeps every rule. Always the same ones, as its clock stands still.
"""

from __future__ import annotations

import json
import re

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from epos_conformance import _contracts
from epos_conformance._contracts import Capability, Example
from epos_conformance._rules import Rule
from epos_conformance.exchange import is_error_object


if TYPE_CHECKING:
    from epos_conformance.reference.epos import ReferenceEpos


#: An evening on which the restaurant is open.
NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)

#: Rows shown of a page, and entries of any other list.
_ROWS, _ENTRIES = 1, 3

_WIDTH = 96

#: HTTP status of each errorType.
STATUSES = {"NotFound": 404, "InvalidRequest": 400, "Conflict": 409, "UnexpectedError": 500}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """
    One request, and an answer to it that conforms.
    """

    capability: Capability
    title: str
    #: The path and its ids -> values.
    path: str
    ids: Mapping[str, str]
    #: The business members.
    body: Mapping[str, Any]
    #: The result, or the EPOSError of a refusal.
    answer: Any
    #: Whether lists of the answer were cut for being shown.
    cut: bool
    #: What is wrong with the request, or special about it; empty where nothing is.
    what: str = ""

    @property
    def error_type(self) -> str | None:
        """The errorType of a refusal; None for a success."""
        return self.answer["errorType"] if is_error_object(self.answer) else None

    @property
    def rest(self) -> tuple[str, str]:
        """Request and answer over HTTP, as text."""
        lines = [f"{self.capability.http_method} {self.path}"]
        if self.capability.request is not None:
            lines += ["Content-Type: application/json", "", laid_out(self.body)]
        # HTTP has a body for what is something; over WebSocket there is always a result.
        status = HTTPStatus(STATUSES[self.error_type] if self.error_type else 200)
        answer = [f"{status} {status.phrase}"]
        if self.answer:
            answer += ["Content-Type: application/json", "", laid_out(self.answer)]
        return "\n".join(lines), "\n".join(answer)

    @property
    def ws(self) -> tuple[str, str]:
        """Request and reply over WebSocket, a frame each, as text."""
        names = {each.name: each.ws for each in self.capability.ids}
        params = {**{names[name]: value for name, value in self.ids.items()}, **self.body, "headers": {}}
        frame = {"id": "1", "method": self.capability.ws_method, "jsonrpc": "2.0", "params": params}
        member = "error" if self.error_type else "result"
        return laid_out(frame), laid_out({"id": "1", "jsonrpc": "2.0", member: self.answer})


def example_for(capability: Capability, rule: Rule) -> Example:
    """The example request that says most of what *rule* speaks of; of equals the fullest."""
    spoken = set(re.findall(r"\w+", f"{rule.sentence} {' '.join(rule.sources)}"))
    return max(
        capability.examples,
        key=lambda each: (
            len(spoken & set(re.findall(r'"(\w+)":', json.dumps(each.request)))),
            len(json.dumps(each.request)),
        ),
    )


@cache
def sample(name: str, title: str) -> Sample:
    """
    The example *title* of the capability *name*, asked at the reference EPOS.
    """
    capability = _contracts.capabilities()[name]
    epos = till()
    (example,) = (each for each in capability.examples if each.title == title)
    return asked(epos, capability, ids_for(epos, capability), filled(example.request), title)


def till() -> ReferenceEpos:
    """A reference EPOS whose clock stands still."""
    from epos_conformance.reference.epos import ReferenceEpos

    return ReferenceEpos(clock=lambda: NOW)


def asked(
    epos: ReferenceEpos, capability: Capability, ids: Mapping[str, str], body: Any, title: str = "", what: str = ""
) -> Sample:
    """What *epos* answers *capability* for *ids* and *body*, a refusal included; *what* is told of the request."""
    from epos_conformance.reference.errors import EposError

    try:
        answer = _cut(epos.answer(capability.name, {**body, **ids}))
    except EposError as error:
        told = {"errorType": error.error_type, "debugMessage": error.debug_message, "traceId": "c0ffee"}
        answer = told, False
    return Sample(
        capability=capability,
        title=title,
        path=capability.url_path(ids),
        ids=ids,
        body=body,
        answer=answer[0],
        cut=answer[1],
        what=what,
    )


def ids_for(epos: ReferenceEpos, capability: Capability) -> dict[str, str]:
    """Ids of what *epos* has, or is made to have, in the places of the path."""
    found: dict[str, str] = {}
    for each in capability.ids:
        kind = each.kind.rpartition("-")[2]
        if each.kind == "lock":
            found[each.name] = VALUES["unique"]
        elif each.kind.startswith("own-"):
            (maker,) = (one for one in _contracts.capabilities().values() if one.creates == kind)
            found[each.name] = epos.answer(maker.name, filled(maker.examples[0].request))["id"]
        else:
            kept: Mapping[str, Mapping[str, Any]] = {"order": epos.orders, "party": epos.parties}
            found[each.name] = _plainest(kept.get(kind, epos.reservations), epos)
        if each.kind == "locked-order":
            lock = {
                "orderId": found[each.name],
                **filled(_contracts.capabilities()["CreateOrderLock"].examples[-1].request),
            }
            epos.answer("CreateOrderLock", {**lock, "lockId": VALUES["unique"]})
    return found


def _plainest(kept: Mapping[str, Any], epos: ReferenceEpos) -> str:
    """The id of what takes the fewest words, of orders of one that can be paid at a table."""
    if kept is not epos.orders:
        return min(kept)
    told = [(each, epos.answer("GetOrderById", {"orderId": each})) for each in kept]
    able = [order for _, order in told if order["payable"] and "dineIn" in order["details"]]
    return str(min(able, key=lambda order: (len(json.dumps(order)), order["id"]))["id"])


def money(value: Any) -> dict[str, Any]:
    """An amount in minor units."""
    return {"value": value, "currencyCode": "GBP"}


def _after(**more: float) -> str:
    return (NOW + timedelta(**more)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


_TEA: dict[str, Any] = {"plu": "4002", "name": "Pot of Tea", "amountPerItem": money(325), "quantity": 2}

#: What stands for the placeholders of the contracts' examples.
VALUES: Mapping[str, Any] = {
    "unique": "6f1c2a7e-3b0d-4a52-9f0e-8d7c5b1a2e90",
    "paymentIntentId": "pi_sandbox_4fQx8xXkzEKrmDVSbXm2Ag",
    "someIntentId": "pi_sandbox_4fQx8xXkzEKrmDVSbXm2Ag",
    "displayName": "Table 4",
    "tableId": "tbl-4",
    "areaId": "area-1",
    "items": [_TEA],
    "itemsTotal": money(650),
    "taxLines": [],
    "smallestAmount": money(1),
    "noAmount": money(0),
    "depositAmount": money(1000),
    "now": _after(),
    "expiry": _after(seconds=105),
    "laterExpiry": _after(seconds=115),
    "seated": "Seated",
    "partyStatus": "Ordered",
    "partyStart": _after(),
    "partyEnd": _after(minutes=90),
    "bookingStart": _after(days=3),
    "bookingEnd": _after(days=3, hours=1.5),
    "dayStart": _after(days=2, hours=12),
    "dayEnd": _after(days=3, hours=12),
}

PLACEHOLDERS = frozenset(VALUES)


def filled(template: Any) -> Any:
    """*template* with its placeholders filled; empty lists in their stead are left out."""
    if isinstance(template, str):
        return VALUES.get(template[1:-1], template) if template[:1] == "{" else template
    if isinstance(template, Mapping):
        return {name: value for name, each in template.items() if (value := filled(each)) != [] or each == []}
    return [filled(each) for each in template] if isinstance(template, list) else template


def _cut(value: Any, most: int = _ENTRIES) -> tuple[Any, bool]:
    """*value* with long lists cut, and whether any was."""
    if isinstance(value, Mapping):
        found = {name: _cut(each, _ROWS if name == "data" else _ENTRIES) for name, each in value.items()}
        return {name: each for name, (each, _) in found.items()}, any(cut for _, cut in found.values())
    if isinstance(value, list):
        rows = [_cut(each) for each in value[:most]]
        return [each for each, _ in rows], len(value) > most or any(cut for _, cut in rows)
    return value, False


def laid_out(value: Any, indent: int = 0, taken: int = 0) -> str:
    """
    *value* as JSON, in one line where it fits beside *indent* blanks and *taken* characters.
    """
    text = json.dumps(value, ensure_ascii=False)
    if len(text) + indent + taken <= _WIDTH or not isinstance(value, (Mapping, list)) or not value:
        return text
    if isinstance(value, Mapping):
        named, ends = [(f"{json.dumps(name)}: ", each) for name, each in value.items()], "{}"
    else:
        named, ends = [("", each) for each in value], "[]"
    lines = [f"{' ' * (indent + 2)}{name}{laid_out(each, indent + 2, len(name))}" for name, each in named]
    return "\n".join([ends[0], ",\n".join(lines), " " * indent + ends[1]])
