"""
Every defect breaks the rules it names, every variant keeps them all, and the catalogue is known.

A small oracle, written apart from the checks: it asks the application itself, without sockets, and knows for each rule
of the two pages about every capability and about REST how an answer would break it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import json
import time
import tomllib

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from epos_conformance import _suite, schema
from epos_conformance._contracts import Capability, capabilities
from epos_conformance.reference import faults, launch
from epos_conformance.reference.defects import delays
from epos_conformance.reference.faults import build
from epos_conformance.reference.records import Booking, Lock, Order
from epos_conformance.reference.rest import RestShell
from epos_conformance.reference.sockets import SocketShell


LOOP = asyncio.new_event_loop()
AUTH = "Basic " + base64.b64encode(b"dojo:reference").decode()
HEADERS = {"waiter-id": "w-anna", "dojo-requesting-product": "PayAtTable", "device-id": "d-1", "device-type": "Pax"}
SEARCHES = [each for each in capabilities() if each.startswith("Search")]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes
    seconds: float

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500

    @property
    def error_type(self) -> str | None:
        body = self.body
        return body.get("errorType") if isinstance(body, dict) and not self.ok else None


class Till:
    """
    An application, asked directly.
    """

    def __init__(self, defects: tuple[str, ...] = (), variants: tuple[str, ...] = ()) -> None:
        self.epos, self.app = build(defects, variants)
        self.unique = count(1)
        self.limit = 5.0

    def send(self, method: str, path: str, content: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        sent: list[Any] = []
        given = {"authorization": AUTH, "content-type": "application/json"} | (headers or {})
        scope = {
            "type": "http",
            "method": method,
            "path": httpx.URL("http://x" + path).path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
        }

        messages = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> Any:
            if not messages:
                await asyncio.Event().wait()
            return messages.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        started = time.perf_counter()
        with contextlib.suppress(TimeoutError):
            LOOP.run_until_complete(asyncio.wait_for(self.app(scope, receive, send), self.limit))
        if not sent:
            return Answer(0, {}, b"", self.limit)
        names = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        body = b"".join(each.get("body", b"") for each in sent[1:])
        return Answer(sent[0]["status"], names, body, time.perf_counter() - started)

    def call(self, name: str, body: Any, ids: dict[str, str], headers: dict[str, str] | None = None) -> Answer:
        capability = capabilities()[name]
        content = b"" if capability.request is None else json.dumps(body).encode()
        return self.send(capability.http_method, capability.url_path(ids), content, headers)

    # -- test data, from the core ---------------------------------------------------------------------------------

    def order(self) -> str:
        """A new order, put into the till past its own methods: they may be broken."""
        found = Order(
            id=self.epos.new_id("order"),
            number=self.epos.next_number(),
            given={
                "items": [],
                "details": {"orderType": "DineIn", "dineIn": {}},
                "totalAmount": {"value": 5013, "currencyCode": self.epos.currency()},
            },
            created=self.epos.now(),
            updated=self.epos.now(),
        )
        self.epos.orders[found.id] = found
        return found.id

    def booking(self, kind: str) -> str:
        """A new party or reservation, likewise."""
        start = self.epos.now().replace(microsecond=0)
        given = {"name": "Gauss", "covers": 1, "tableIds": ["tbl-1"], "status": "Seated", "startTime": start}
        if kind == "reservation":
            given["endTime"] = start + timedelta(hours=1)
            del given["status"]
        found = Booking(id=self.epos.new_id(kind), number=self.epos.next_number(), given=given)
        {"party": self.epos.parties, "reservation": self.epos.reservations}[kind][found.id] = found
        return found.id

    def lock(self, order_id: str) -> str:
        """A new lock, likewise."""
        found = Lock(id=f"lock-{next(self.unique)}", expiry=self.epos.now() + timedelta(minutes=1))
        self.epos.locks[order_id] = found
        return found.id

    def free_table(self) -> str:
        taken = {table for each in self.epos.parties.values() for table in each.given["tableIds"]}
        return next((each["id"] for each in self.epos.venue.tables if each["id"] not in taken), "tbl-any")

    def ids(self, capability: Capability) -> dict[str, str]:
        """Ids that *capability* answers to, new ones each time."""
        found: dict[str, str] = {}
        for each in capability.ids:
            kind = each.kind.rpartition("-")[2]
            if kind == "order":
                found[each.name] = self.order()
            elif kind == "lock":
                found[each.name] = self.lock(found["orderId"])
            else:
                found[each.name] = self.booking(kind)
        return found

    def tidy(self) -> None:
        """Clears the tables of those who came last."""
        for each in list(self.epos.parties)[12:]:
            del self.epos.parties[each]

    def fill(self, name: str, example: int) -> Any:
        """An example of the contract with its placeholders filled."""
        number = next(self.unique)
        now = self.epos.now()
        noon = now.replace(hour=13, minute=0, second=0, microsecond=0) + timedelta(days=10 + number % 40)
        items = [
            {
                "plu": "2001",
                "name": "Fish & Chips",
                "quantity": 2,
                "amountPerItem": {"value": 1795, "currencyCode": self.epos.currency()},
                "modifiers": [
                    {
                        "plu": "7002",
                        "name": "Oat Milk",
                        "quantity": 1,
                        "amountPerModifier": {"value": 50, "currencyCode": self.epos.currency()},
                    }
                ],
            }
        ]
        money = {"currencyCode": self.epos.currency()}
        tables = [each["id"] for each in self.epos.venue.tables]
        areas = [each["id"] for each in self.epos.venue.areas]
        values = {
            "{tableId}": self.free_table() if "Party" in name else tables[number % len(tables)] if tables else "any",
            "{areaId}": areas[0] if areas else "any",
            "{items}": items,
            "{itemsTotal}": {"value": 3690, **money},
            "{noAmount}": {"value": 0, **money},
            "{smallestAmount}": {"value": 1, **money},
            "{depositAmount}": {"value": 1000, **money},
            "{unique}": f"unique-{number}",
            "{paymentIntentId}": f"pi_real_{number}",
            "{someIntentId}": f"pi_real_{number}",
            "{taxLines}": [],
            "{displayName}": f"Guest {number}",
            "{now}": now.isoformat(),
            "{partyStart}": now.isoformat(),
            "{partyEnd}": (now + timedelta(minutes=90)).isoformat(),
            "{expiry}": (now + timedelta(minutes=1)).isoformat(),
            "{laterExpiry}": (now + timedelta(minutes=90)).isoformat(),
            "{bookingStart}": noon.isoformat(),
            "{bookingEnd}": (noon + timedelta(hours=1)).isoformat(),
            "{dayStart}": noon.replace(hour=0).isoformat(),
            "{dayEnd}": noon.replace(hour=23).isoformat(),
        }
        return _filled(capabilities()[name].examples[example].request, values)

    def state(self) -> Any:
        """Everything the till knows, to compare."""
        epos = self.epos
        return copy.deepcopy((
            {each.id: (each.given, each.payments, each.status) for each in epos.orders.values()},
            {name: (lock.id, lock.expiry) for name, lock in epos.locks.items()},
            {each.id: each.given for each in epos.parties.values()},
            {each.id: each.given for each in epos.reservations.values()},
            epos.events,
        ))


def _filled(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    return copy.deepcopy(values[value]) if isinstance(value, str) and value in values else value


# -- bodies that are wrong in one place ---------------------------------------------------------------------------


def missing(wanted: Any, value: Any, base: Any = None) -> Iterator[Any]:
    """*value* without one required member, wherever there is one."""
    wanted, base = schema.resolve(wanted, base)
    if isinstance(value, dict) and "properties" in wanted:
        for name in wanted.get("required", ()):
            yield {each: inner for each, inner in value.items() if each != name}
        for name, inner in value.items():
            for less in missing(wanted["properties"].get(name, {}), inner, base):
                yield {**value, name: less}
    elif isinstance(value, list) and value and "items" in wanted:
        for less in missing(wanted["items"], value[0], base):
            yield [less, *value[1:]]


def leaves(wanted: Any, value: Any, change: Callable[[Any], Iterator[Any]], base: Any = None) -> Iterator[Any]:
    """*value* with one member changed by *change*, which sees the member's type and value."""
    wanted, base = schema.resolve(wanted, base)
    if isinstance(value, dict) and "properties" in wanted:
        for name, inner in value.items():
            for other in leaves(wanted["properties"].get(name, {}), inner, change, base):
                yield {**value, name: other}
    elif isinstance(value, list) and value and "items" in wanted:
        for other in leaves(wanted["items"], value[0], change, base):
            yield [other, *value[1:]]
    else:
        yield from change(value)


def of_wrong_type(value: Any) -> Iterator[Any]:
    if isinstance(value, str | int):
        yield {"wrong": ["type"]}


def coercible(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield "true"
    elif isinstance(value, int):
        yield str(value)
        yield value + 0.5
        yield True
    elif isinstance(value, str):
        yield 5


# -- how an answer breaks a rule ----------------------------------------------------------------------------------

UNKNOWN = "nobody-has-this-id"
#: Pasted into a query, it ends the text there.
QUOTED = f"{UNKNOWN}'"


def unknown_id(till: Till, name: str, id: str = UNKNOWN) -> Answer:
    capability = capabilities()[name]
    body = till.fill(name, 0) if capability.request else {}
    return till.call(name, body, {each.name: id for each in capability.ids})


def bad_bodies(till: Till, name: str, kind: str) -> Iterator[Answer]:
    capability = capabilities()[name]
    wanted = capability.request or {}
    bodies: Callable[[Any], Iterator[Any]] = {
        "missing": lambda full: missing(wanted, full),
        "types": lambda full: leaves(wanted, full, of_wrong_type),
        "scalars": lambda full: leaves(wanted, full, coercible),
    }[kind]
    ids = till.ids(capability)
    for body in bodies(till.fill(name, -1)):
        yield till.call(name, body, ids)


def refusals(till: Till, name: str) -> Iterator[Answer]:
    """An error of *name*, of each kind that can be had."""
    capability = capabilities()[name]
    if capability.ids:
        yield unknown_id(till, name)
    if capability.requires_members:
        yield till.call(name, {}, till.ids(capability))


def refusals_of_locked(till: Till, name: str) -> Iterator[Answer]:
    """The errors of *name* for an order that somebody else has locked."""
    if name in ("RecordOrderPaymentById", "CreateOrderLock"):
        ids = till.ids(capabilities()[name])
        till.lock(ids["orderId"])
        answer = till.call(name, till.fill(name, 0), ids)
        if not answer.ok:
            yield answer


def example(till: Till, name: str, place: int, headers: dict[str, str] | None = None) -> Answer:
    return till.call(name, till.fill(name, place), till.ids(capabilities()[name]), headers)


def refuses_more(till: Till, name: str) -> bool:
    bodies = [{**till.fill(name, -1), "zzz": {"a": 1}}]
    if name == "HandleEvent":
        event = till.fill(name, 0)
        bodies.append({**event, "data": {**event["data"], "zzz": {"a": 1}}})
    return not all(till.call(name, each, till.ids(capabilities()[name])).ok for each in bodies)


def is_answered_wrongly(till: Till, name: str) -> bool:
    capability = capabilities()[name]
    for place in range(len(capability.examples)):
        answer = example(till, name, place)
        if not answer.ok or not schema.is_valid(capability.response["rest"], answer.body):
            return True
    if name == "RecordOrderPaymentById":
        whole = {**till.fill(name, 0), "paidAmount": {"value": 5013, "currencyCode": till.epos.currency()}}
        answer = till.call(name, whole, till.ids(capability))
        return answer.ok and not schema.is_valid(capability.response["rest"], answer.body)
    return False


def stores_something(till: Till, name: str) -> bool:
    for kind in ("missing", "types"):
        bodies = bad_bodies(till, name, kind)
        before = None
        while True:
            answer = next(bodies, None)
            if answer is None:
                break
            after = till.state()
            if before is not None and answer.refused and after != before:
                return True
            before = after
    return False


def fits(answer: Answer) -> bool:
    fitting = {"NotFound": (404,), "InvalidRequest": (400, 422), "Conflict": (409,), "UnexpectedError": (500, 503)}
    body = answer.body
    return not isinstance(body, dict) or answer.status in fitting.get(str(body.get("errorType")), (answer.status,))


def is_epos_error(answer: Answer) -> bool:
    return schema.is_valid({"$ref": "urn:epos:common#/$defs/EPOSError"}, answer.body)


def lacks(answer: Answer, member: str) -> bool:
    return isinstance(answer.body, dict) and not answer.body.get(member)


EXTRAS = {"colour": "teal", "count": 3, "none": None}


def no_match(name: str, id: str = UNKNOWN) -> Any:
    """A search that finds nothing."""
    wanted = {"areaId" if name == "SearchTables" else "tableId": id}
    return {"dineIn": wanted} if name == "SearchOrders" else wanted


BROKEN: dict[str, Callable[[Till, str], bool]] = {
    "answer-matches-schema": is_answered_wrongly,
    "optional-members-are-optional": lambda till, name: not example(till, name, 0).ok,
    "headers-are-optional": lambda till, name: not (example(till, name, 0).ok and example(till, name, 0, HEADERS).ok),
    "success-status-is-ok": lambda till, name: example(till, name, 0).status not in (200, *range(300, 600)),
    "unknown-id-is-not-found": lambda till, name: (
        unknown_id(till, name).error_type != "NotFound" or unknown_id(till, name, QUOTED).status >= 500
    ),
    "missing-members-are-refused": lambda till, name: (
        not all(each.refused for each in bad_bodies(till, name, "missing"))
    ),
    "wrong-types-are-refused": lambda till, name: not all(each.refused for each in bad_bodies(till, name, "types")),
    "scalars-are-not-coerced": lambda till, name: any(each.ok for each in bad_bodies(till, name, "scalars")),
    "bad-requests-are-invalid-requests": lambda till, name: any(
        each.error_type != "InvalidRequest" for each in bad_bodies(till, name, "missing")
    ),
    "refused-requests-store-nothing": stores_something,
    "unknown-members-are-ignored": refuses_more,
    "errors-are-epos-errors": lambda till, name: (
        not all(map(is_epos_error, (*refusals(till, name), *refusals_of_locked(till, name))))
    ),
    "errors-carry-a-debug-message": lambda till, name: any(
        lacks(each, "debugMessage") for each in refusals(till, name)
    ),
    "errors-carry-a-trace-id": lambda till, name: any(lacks(each, "traceId") for each in refusals(till, name)),
    "error-status-fits-its-type": lambda till, name: not all(map(fits, refusals(till, name))),
    "answers-within-the-limit": lambda till, name: example(till, name, 0).status == 0,
    "answers-promptly": lambda till, name: example(till, name, 0).seconds > 0.03,
    "no-match-is-an-empty-page": lambda till, name: (
        till.call(name, no_match(name), {}).body
        not in ({"data": []}, [{"data": []}], {"data": [], "tillExtras": EXTRAS})
        or till.call(name, no_match(name, QUOTED), {}).status >= 500
    ),
}


def basic(user: str, password: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def lets_in(*authorizations: str) -> Callable[[Till], bool]:
    def broken(till: Till) -> bool:
        return any(
            till.call(name, till.fill(name, 0), till.ids(each), {"authorization": given}).status not in (401, 403)
            for name, each in capabilities().items()
            if name in till.epos.offered()
            for given in authorizations
        )

    return broken


def serves_strangers(till: Till) -> bool:
    names = [name for name, each in capabilities().items() if each.changes and name in till.epos.offered()]
    for name in names:
        each = capabilities()[name]
        if each.page in ("orders", "parties", "reservations"):
            ids, body, before = till.ids(each), till.fill(name, 0), till.state()
            refused = till.call(name, body, ids, {"authorization": basic("dojo", "wrong")}).status in (401, 403)
            if refused and till.state() != before:
                return True
    return False


def takes(content: bytes, selector: str) -> Callable[[Till], bool]:
    """Whether the body is not refused, by whatever *selector* selects; for searches a fair answer counts as well."""

    def broken(till: Till) -> bool:
        for name, each in capabilities().items():
            if selector in each.selectors and name in till.epos.offered():
                path = each.url_path(till.ids(each))
                if not till.send(each.http_method, path, content).refused:
                    return True
        return False

    return broken


def is_not_json(till: Till) -> bool:
    answers = [example(till, name, 0) for name in till.epos.offered()]
    answers += [unknown_id(till, "GetOrderById"), till.send("GET", "/v1/areas", headers={"authorization": ""})]
    return any(each.content and "json" not in each.headers.get("content-type", "") for each in answers)


def leaves_ids_encoded(till: Till) -> bool:
    found = {
        "GetOrderById": ("orderId", "T7/2 é"),
        "GetPartyById": ("partyId", "party 4/é"),
        "GetReservationById": ("reservationId", "res 4/é"),
    }
    known = {*till.epos.orders, *till.epos.parties, *till.epos.reservations}
    return any(
        value in known and not till.call(name, {}, {member: value}).ok
        for name, (member, value) in found.items()
        if name in till.epos.offered()
    )


REST: dict[str, Callable[[Till], bool]] = {
    "rest.refuses-missing-credentials": lets_in(""),
    "rest.refuses-a-wrong-password": lets_in(
        *(basic("dojo", each) for each in ("wrong", "REFERENCE", "ref", "references", ""))
    ),
    "rest.refuses-a-wrong-username": lets_in(basic("nobody", "reference")),
    "rest.refuses-another-scheme": lets_in(basic("dojo", "reference", "Bearer")),
    "rest.strangers-change-nothing": serves_strangers,
    "rest.refuses-a-body-that-is-not-json": takes(b"{not json", "requires-members"),
    "rest.answers-an-unreadable-body-with-an-epos-error": lambda till: any(
        not is_epos_error(till.send(each.http_method, each.url_path(till.ids(each)), b"{not json"))
        for each in map(capabilities().get, till.epos.offered())
        if each is not None and each.requires_members
    ),
    "rest.refuses-an-array-as-body": takes(b"[]", "requires-members"),
    "rest.refuses-an-empty-body": takes(b"", "requires-members"),
    "rest.refuses-a-query-that-is-not-json": lambda till: (
        takes(b"{not json", "optional-body")(till) or takes(b"[]", "optional-body")(till)
    ),
    "rest.survives-an-empty-query": lambda till: any(
        till.send("POST", capabilities()[name].path).status >= 500 for name in SEARCHES
    ),
    "rest.answers-as-json": is_not_json,
    "rest.accepts-a-charset": lambda till: (
        not example(till, "SearchOrders", 0, {"content-type": "application/json; charset=utf-8"}).ok
    ),
    "rest.percent-decodes-ids": leaves_ids_encoded,
    "rest.unknown-path-is-not-found": lambda till: till.send("GET", "/v1/nothing-here").status != 404,
    "rest.unknown-path-answers-an-epos-error": lambda till: not is_epos_error(till.send("GET", "/v1/nothing-here")),
    "rest.unknown-method-is-refused": lambda till: till.send("PUT", "/v1/orders/search").status not in (404, 405),
    "rest.unknown-method-answers-an-epos-error": lambda till: not is_epos_error(till.send("PUT", "/v1/orders/search")),
}

#: Told by what a connection sees; it has a test of its own.
ON_THE_WIRE = {"rest.accepts-header-names-in-any-case"}

#: Defects of the WebSocket side, which have an oracle of their own.
ON_THE_SOCKET = {
    name for name, each in faults.defects().items() if any(issubclass(layer, SocketShell) for layer in each.layers)
}


# -- the catalogue ------------------------------------------------------------------------------------------------


def catalogue() -> dict[str, list[str]]:
    """Every rule as written -> the ids that it comes to."""
    found = {}
    for path in (_suite.FIXTURES / "rules").glob("*.toml"):
        for rule in tomllib.loads(path.read_text(encoding="utf-8"))["rule"]:
            rest = rule["id"].removeprefix("*.")
            selector = rule.get("applies-to", ())
            found[rule["id"]] = [
                f"{name}.{rest}"
                for name, each in capabilities().items()
                if rule["id"].startswith("*.")
                and (selector in each.selectors if isinstance(selector, str) else name in selector)
            ] or [rule["id"]]
    return found


RULES = catalogue()
KNOWN = {each for ids in RULES.values() for each in ids} | set(RULES)


def pages(*names: str) -> set[str]:
    return {
        rule["id"]
        for name in names
        for rule in tomllib.loads((_suite.FIXTURES / "rules" / name).read_text(encoding="utf-8"))["rule"]
    }


def expanded(rule: str) -> list[str]:
    return RULES.get(rule, [rule])


def is_broken(till: Till, rule: str) -> bool:
    if rule in REST:
        return REST[rule](till)
    name, _, rest = rule.partition(".")
    return BROKEN[rest](till, name)


# -- tests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(faults.defects()))
def test_a_defect_names_rules_that_exist(name: str) -> None:
    """
    A defect breaks rules of the catalogue, says so in a sentence, and lists a rule once.
    """
    defect = faults.defects()[name]

    assert not [each for each in defect.breaks if each not in KNOWN]
    assert defect.breaks
    assert len(set(defect.breaks)) == len(defect.breaks)
    assert defect.summary.endswith(".")


def test_every_rule_has_a_defect() -> None:
    """
    Each rule about every capability and about REST is broken by a defect.
    """
    broken = {
        each for defect in faults.defects().values() for rule in defect.breaks for each in (rule, *expanded(rule))
    }
    unbroken = [rule for rule in pages("every_capability.toml", "rest.toml") if not broken & {rule, *expanded(rule)}]

    assert unbroken == []


@pytest.mark.parametrize("name", sorted(set(faults.defects()) - ON_THE_SOCKET))
def test_a_defect_breaks_what_it_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Each rule that a defect names is broken, in every capability that the rule applies to.

    The oracle knows the pages about every capability and about REST, and some of paging; what is said of behaviour is
    judged by the defect matrix alone.
    """
    monkeypatch.setattr(delays, "NOTICEABLE", 0.04)
    rules = [each for rule in faults.defects()[name].breaks for each in expanded(rule)]
    judged = [each for each in rules if each in REST or each.partition(".")[2] in BROKEN]
    kept = []
    for rule in judged:
        till = Till((name,))
        if rule.endswith("within-the-limit"):
            till.limit = 0.02
        if not is_broken(till, rule):
            kept.append(rule)

    assert kept == []
    general = {each for rule in pages("every_capability.toml", "rest.toml") for each in expanded(rule)}
    assert judged or set(rules) & general <= ON_THE_WIRE


#: What a variant need not keep: the rules that only inform, and times that it is about.
INFORMING = {"errors-carry-a-trace-id", "answers-promptly", "answers-within-the-limit"}

#: Costly, and about what no variant touches: validation, or the same examples over again.
DEEP = {
    "missing-members-are-refused",
    "wrong-types-are-refused",
    "scalars-are-not-coerced",
    "bad-requests-are-invalid-requests",
    "refused-requests-store-nothing",
    "optional-members-are-optional",
    "headers-are-optional",
    "errors-carry-a-debug-message",
}


def violations(variants: tuple[str, ...], skipped: set[str]) -> list[str]:
    till = Till((), variants)
    found = []
    for template in pages("every_capability.toml", "paging.toml"):
        for rule in expanded(template):
            name, _, rest = rule.partition(".")
            if rest in BROKEN and rest not in skipped and name in till.epos.offered():
                till.tidy()
                if is_broken(till, rule):
                    found.append(rule)
    whole = till.epos.offered() == set(capabilities())
    for rule, broken in REST.items():
        till.tidy()
        if (whole or rule.startswith("rest.refuses-")) and broken(till):
            found.append(rule)
    return found


def test_the_reference_breaks_nothing() -> None:
    """
    The reference itself keeps every rule that the oracle knows.
    """
    assert violations((), set()) == []


SLOW = {"slow-but-fine", "busy-now-and-then"}

COMPRESSED = {"gzipped-bodies"}


#: Modules of variants that refuse nothing for reasons of their business: others take more tact than the oracle has.
OBLIGING = {"answers", "behaviours", "venues", "wire"}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, variant in sorted(faults.variants().items())
        if name not in SLOW and variant.layers[0].__module__.rpartition(".")[2] in OBLIGING
    ],
)
def test_a_variant_breaks_nothing(name: str) -> None:
    """
    A variant keeps every rule that the oracle knows.
    """
    skipped = INFORMING | DEEP
    assert faults.variants()[name].summary.endswith(".")
    assert violations((name,), skipped) == []


def test_variants_combine() -> None:
    """
    Several variants at once conform as well.
    """
    assert (
        violations(("uuid-ids", "small-pages", "extra-members", "offset-times", "bad-request-is-422"), INFORMING | DEEP)
        == []
    )


def test_a_slow_variant_answers() -> None:
    """
    Waiting is all that the slow variants add: one answers late, the other puts off its twentieth request.
    """
    late = Till((), ("slow-but-fine",)).send("GET", "/v1/areas")
    till = Till((), ("busy-now-and-then",))
    answers = [till.send("GET", "/v1/areas") for _ in range(20)]

    assert late.ok
    assert late.seconds > 0.25
    assert [each.status for each in answers] == [200] * 19 + [429]
    assert answers[-1].headers["retry-after"] == "1"


def test_header_names_are_told_as_sent() -> None:
    """
    The defect about the spelling of Authorization lets in who spells it so, and nobody else.
    """
    for defects, accepted in (((), [200, 200, 200]), (("header-names-are-exact",), [200, 401, 200])):
        with launch.in_thread(build(defects)[1]) as running, httpx.Client() as client:
            statuses = [
                client.get(f"{running.url}/v1/areas", headers={name: AUTH}).status_code
                for name in ("Authorization", "AUTHORIZATION", "authorization")
            ]

            assert statuses == accepted


def test_a_name_has_one_meaning() -> None:
    """
    A name cannot be declared twice, nor be a defect and a variant.
    """
    with pytest.raises(ValueError, match="declared twice"):
        faults.variant("everybody-is-let-in")(RestShell)
    assert not set(faults.defects()) & set(faults.variants())


def test_unknown_names_are_refused() -> None:
    """
    A name that nobody declared is refused, with the one that may have been meant.
    """
    with pytest.raises(faults.UnknownNameError, match="did you mean totals-are-texts"):
        build(["totals-are-text"])
    with pytest.raises(faults.UnknownNameError, match="epos-reference variants"):
        build([], ["qqqqqq"])


def test_the_clock_is_injected() -> None:
    """
    What is built tells the time by the clock given.
    """
    epos, _ = build(clock=lambda: datetime(2027, 1, 2, tzinfo=UTC))

    assert epos.now().year == 2027


def test_a_defect_explains_its_consequences() -> None:
    """
    What a defect names and what follows from it is explained by it, and nothing else is.
    """
    defect = faults.defects()["unknown-is-empty"]

    assert defect.explains("GetOrderById.unknown-id-is-not-found")
    assert defect.explains("DeletePartyById.cannot-be-fetched-afterwards")
    assert not defect.explains("GetOrderById.answers-promptly")
