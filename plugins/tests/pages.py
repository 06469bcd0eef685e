"""
Certificates made by hand, and the page of one taken apart.
"""

from __future__ import annotations

import io

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

from epos_conformance import _certificate, _rules, _suite, schema
from epos_conformance.report import page


SCHEMA = _suite.read_json(_suite.REPORTS / "certificate.schema.json")

#: Elements without an end.
_VOID = frozenset({"meta", "input", "br", "wbr", "hr", "link", "img", "base"})

#: Elements whose texts don't run into each other.
_APART = frozenset({"td", "th", "dt", "dd", "li", "p", "caption"})


def exchange(
    capability: str = "SearchOrders",
    transport: str = "rest",
    *,
    status: int | None = 200,
    duration: float = 0.004,
    asked: str | None = None,
    answered: str = "",
    **more: Any,
) -> dict[str, Any]:
    """One call to a partner; *status* None where it was not answered."""
    request: dict[str, Any] = {"method": "POST", "url": f"http://till.example/v1/{capability}", "headers": []}
    if asked is not None:
        request["body"] = asked
    answer: dict[str, Any] | None = None
    if status is not None:
        answer = {"headers": [["content-type", "application/json"]], "body": answered}
        answer |= {"status": status} if transport == "rest" else {}
    told = {"capability": capability, "transport": transport, "request": request, "answer": answer}
    return {**told, "duration": duration, **more}


def check(
    id: str, outcome: str = "conforms", message: str = "", transport: str = "rest", **more: Any
) -> dict[str, Any]:
    """One check of the rule *id*, which is one of the catalogue."""
    rule = _rules.rules()[id]
    return {
        "id": id,
        "capability": rule.capability,
        "page": rule.page,
        "transport": transport,
        "level": str(rule.level),
        "basis": str(rule.basis),
        "sentence": rule.sentence,
        "outcome": outcome,
        "message": message,
        "source": list(rule.sources),
        "duration": 0.01,
        "exchanges": [],
        **more,
    }


def document(checks: Sequence[dict[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """A certificate of *checks*, with the verdict that follows from them, as its schema has it."""
    transports = ["rest", "ws"]
    offered = sorted({each["capability"] for each in checks if each["capability"] and each["outcome"] != "not-offered"})
    results = [_certificate.result(each) for each in checks]
    found: dict[str, Any] = {
        "format": _certificate.FORMAT,
        "suite": {"name": "dojo-epos-conformance", "version": "1.2.3"},
        "partner": {
            "url": "http://till.example",
            "transports": transports,
            "products": [],
            "capabilities": offered,
            "offer": "claimed",
            "pos": {"name": "Till & Table", "minimum-version": "4.2"},
        },
        "startedAt": "2026-11-22T07:24:55.331Z",
        "finishedAt": "2026-11-22T07:25:33.444Z",
        "selection": {"complete": True, "deselected": 0, "interrupted": False},
        "settings": {"partner-url": "http://till.example", "partner-ws": None, "slow-after": 2.0, "fail-after": 10.0},
        **_certificate.concluded(results, dict.fromkeys(transports, offered)),
        "checks": list(checks),
        "waivers": [],
        "leftovers": [],
        "notes": [],
        "contract": {
            "sources": {key: dict(each) for key, each in _rules.sources().items()},
            "digests": {"rules/orders.toml": "ab" * 32},
        },
        **more,
    }
    assert schema.problems(SCHEMA, found) == []
    return found


def rendered(document: dict[str, Any], digest: str | None = None) -> str:
    """The page of *document*."""
    out = io.StringIO()
    page.render(document, out, digest=digest)
    return out.getvalue()


class Parts(HTMLParser):
    """
    The page by its parts: the text within each element that has an id, links, headings, and the names of all elements.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._texts: dict[str, list[str]] = {}
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._open: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()
        assert self._open == [], "every element ends"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.attributes |= found.keys()
        id = found.get("id")
        if id is not None:
            self.ids.append(id)
            self._texts[id] = []
        if tag == "a":
            self.links.append(found["href"] or "")
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1:]))
        if tag not in _VOID:
            self._open.append((tag, id))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        name, _ = self._open.pop()
        assert name == tag, f"<{name}> is ended by </{tag}>"
        if tag in _APART:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for _, id in self._open:
            if id is not None:
                self._texts[id].append(data)

    def text(self, id: str) -> str:
        """All that is within the element *id*, blanks collapsed."""
        return " ".join("".join(self._texts[id]).split())


def parts(checks: Sequence[dict[str, Any]] = (), **more: Any) -> Parts:
    """The page of a certificate of *checks*, taken apart."""
    return Parts(rendered(document(checks, **more)))


#: A fault of a till, seen at SearchOrders.
FAULT = "at $.data[0].status: expected a known status, saw Created\nlikely cause: an example of the specification"


def mixed() -> dict[str, Any]:
    """A certificate with something of every kind, over both transports."""
    found = [
        check("SearchOrders.answer-matches-schema", "violates", FAULT, case="full", exchanges=[call("rest")]),
        check("SearchOrders.answer-matches-schema", "violates", FAULT, "ws", case="full", exchanges=[call("ws")]),
        check("SearchOrders.answer-matches-schema", case="minimal"),
        check("SearchOrders.success-status-is-ok", "violates", "at the status: expected 200, saw 201"),
        check(
            "CreateOrder.keeps-the-note",
            "violates",
            "at $.note: expected 'a', saw 'b'",
            "ws",
            waiver={"reason": "Comes with release 4.3", "until": "2027-03-31"},
        ),
        check("CreateOrder.keeps-the-note"),
        check("GetOrderById.errors-carry-a-trace-id", "violates", "at an unknown id: expected a traceId, saw none"),
        check("GetOrderById.unknown-id-is-not-found", "inconclusive", "no order was found", cause="data"),
        check(
            "GetOrderById.unknown-id-is-not-found", "inconclusive", "no answer within 10 s", "ws", cause="unreachable"
        ),
        check("GetOrderById.success-status-is-ok", "inconclusive", "no order was found", cause="data"),
        check("CreateParty.answer-matches-schema", "not-offered", "CreateParty isn't claimed"),
        check("CreateOrder.unknown-members-are-ignored", "not-offered", "not examined: the run is --read-only"),
        check("journeys.pay-at-table-without-locks", steps=[step("there is an order to pay")]),
        check("ws.reply-carries-the-id", transport="ws"),
    ]
    return document(
        found,
        leftovers=["order ord-77"],
        notes=["the session ended twice"],
        waivers=[
            {"rule": "CreateOrder.keeps-the-note", "reason": "4.3", "until": "2027-03-31", "state": "used"},
            {"rule": "SearchOrders.is-fine", "reason": "old", "until": "2026-01-31", "state": "unknown"},
        ],
        changes={
            "since": {"finishedAt": "2026-11-21T07:25:00.000Z", "verdict": "conformant", "suite": "1.2.2"},
            "worse": True,
            "checks": [
                {
                    "id": "SearchOrders.answer-matches-schema",
                    "transport": "rest",
                    "level": "must",
                    "kind": "violated",
                    "before": "conforms",
                    "after": "violates",
                }
            ],
        },
    )


def call(transport: str) -> dict[str, Any]:
    """The exchange that shows `FAULT`."""
    body = '{"data":[{"id":"ord-1","status":"Created"}]}'
    replay = "curl -i http://till.example" if transport == "rest" else 'send {"id":"1"}'
    return exchange(transport=transport, asked='{"cursor":{"limit":5}}', answered=body, replay=replay)


def step(name: str, outcome: str = "conforms", **more: Any) -> dict[str, Any]:
    """One step of a story."""
    return {"name": name, "outcome": outcome, "started": 1.0, "finished": 2.0, **more}
