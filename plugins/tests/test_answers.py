"""
What a check demands of an answer: a violation is the EPOS's doing, and whatever may have other reasons is inconclusive.
"""

from __future__ import annotations

import json

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from starlette.responses import Response

from epos_conformance import _contracts, answers
from epos_conformance.exceptions import Inconclusive, Unanswered, Violation
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.verdict import Finding

from .place import Place, opened


SEARCH = _contracts.capabilities()["SearchOrders"]
READ = _contracts.capabilities()["GetOrderById"]
CREATE = _contracts.capabilities()["CreateOrder"]
PAY = _contracts.capabilities()["RecordOrderPaymentById"]
UPDATE = _contracts.capabilities()["UpdateParty"]


def answered(status: int, body: Any = b"", content_type: str | None = "application/json") -> Exchange:
    return Exchange(
        capability="SearchOrders",
        transport="rest",
        sent=Sent(method="POST", url="http://till/v1", headers=(), body=b"{}"),
        answer=Answer(
            status=status,
            headers=(("Content-Type", content_type),) if content_type else (),
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        ),
    )


def error(type: str, status: int = 400) -> Exchange:
    return answered(status, {"errorType": type, "debugMessage": "so it is"})


def inconclusive(exchange: Exchange, capability: _contracts.Capability) -> str:
    with pytest.raises(Inconclusive) as caught:
        answers.require_success(exchange, capability)
    return str(caught.value)


# A success is demanded


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_one(status: int) -> None:
    answers.require_success(answered(status, b""), CREATE)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("capability", [SEARCH, CREATE], ids=["reads", "changes"])
def test_an_overload_is_nobodys_fault(status: int, capability: _contracts.Capability) -> None:
    reason = inconclusive(answered(status, b"later"), capability)
    assert reason == f"the partner is overloaded: status {status}, later, after waiting as long as it asked"


@pytest.mark.parametrize("type", ["Conflict", "InvalidRequest", "NotFound"])
def test_a_till_may_refuse_to_change_for_reasons_of_its_business(type: str) -> None:
    reason = inconclusive(error(type, 409), CREATE)
    assert reason == (
        f"the partner refuses every CreateOrder that was tried: status 409, {type}: so it is; "
        "name tables and items that it knows under [data] in partner.toml"
    )


@pytest.mark.parametrize("type", ["Conflict", "InvalidRequest"])
def test_an_epos_may_know_only_payments_that_dojo_knows(type: str) -> None:
    assert "looks payment intents up at Dojo" in inconclusive(error(type), PAY)
    assert "looks payment intents up" not in inconclusive(error(type), UPDATE)


@pytest.mark.parametrize(
    ("exchange", "capability"),
    [
        (error("NotFound", 404), PAY),
        (error("NotFound", 404), UPDATE),
        (error("NotFound", 404), READ),
        (error("Conflict", 409), READ),
        (error("InvalidRequest"), SEARCH),
        (error("UnexpectedError", 500), CREATE),
        (error("Other"), CREATE),
        (answered(404, b"<h1>Not Found</h1>"), CREATE),
        (answered(500, b""), SEARCH),
    ],
    ids=lambda value: value.name if isinstance(value, _contracts.Capability) else str(value.status),
)
def test_denying_what_it_has_shown_refusing_to_read_and_crashing_are_violations(
    exchange: Exchange, capability: _contracts.Capability
) -> None:
    with pytest.raises(Violation) as caught:
        answers.require_success(exchange, capability)
    assert caught.value.findings == (Finding("the answer", "a success", exchange.seen),)


# The same is demanded


pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as found:
        yield found


def scripted(pattern: str) -> Callable[[str], Response | None]:
    """Refuses the searches whose places in *pattern* have a minus."""
    each = iter(pattern)
    return lambda _: Response(b'{"errorType": "InvalidRequest"}', 400) if next(each) == "-" else None


VARIED = {"headers": {"x-varied": "1"}}


@pytest.mark.parametrize(
    ("pattern", "usual"),
    [("+", 1), ("-++", 1), ("--++", 2)],
    ids=["at once", "at the second try", "where another request is carried out"],
)
def test_what_is_carried_out_in_the_end_is_the_same(place: Place, pattern: str, usual: int) -> None:
    place.instead = scripted(pattern)
    found = place.partner()
    answers.require_same(found, SEARCH, "with a header", VARIED, *[{}] * usual)
    varied = ["x-varied" in dict(each.sent.headers) for each in found.exchanges]
    assert varied == {"+": [True], "-++": [True, False, True], "--++": [True, False, False, True]}[pattern]


@pytest.mark.parametrize(("pattern", "usual"), [("-+-", 1), ("--+-", 2)])
def test_a_violation_shows_twice(place: Place, pattern: str, usual: int) -> None:
    place.instead = scripted(pattern)
    with pytest.raises(Violation) as caught:
        answers.require_same(place.partner(), SEARCH, "with a header", VARIED, *[{}] * usual)
    (finding,) = caught.value.findings
    assert (finding.where, finding.expected) == ("with a header", "a success, as otherwise")
    assert "InvalidRequest" in finding.seen


def test_what_is_never_carried_out_shows_nothing(place: Place) -> None:
    place.instead = scripted("---")
    with pytest.raises(Inconclusive, match="needs a SearchOrders that is carried out, but saw status 400"):
        answers.require_same(place.partner(), SEARCH, "with a header", VARIED, {}, {})


def test_without_a_success_there_is_nothing_to_compare_with(place: Place) -> None:
    place.instead = scripted("+-")
    found = place.partner()
    assert answers.successful(found, SEARCH) is found.exchanges[0]
    with pytest.raises(Inconclusive, match="needs a SearchOrders that is carried out, but saw status 400"):
        answers.successful(found, SEARCH)


# Schemas


def test_a_body_is_held_to_its_schema_with_where_it_differs() -> None:
    wanted = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    assert list(answers.schema_findings(answered(200, {"a": 1}), wanted)) == []
    (finding,) = answers.schema_findings(answered(200, {"a": "1"}), wanted)
    assert finding.where == "$.a"
    assert (finding.expected, finding.seen) == ("an integer", '"1"')


def test_null_is_held_to_the_schema_too() -> None:
    (finding,) = answers.schema_findings(answered(200, b"null"), {"type": "object"})
    assert finding.where == "$"


@pytest.mark.parametrize("body", [b"", b"<html>", b'"text"', b"{"])
def test_what_is_no_json_object_or_list_is_told_as_such(body: bytes) -> None:
    (finding,) = answers.schema_findings(answered(200, body, "text/html"), {"type": "object"})
    assert (finding.where, finding.expected) == ("the body", "JSON")
    assert finding.seen.startswith("text/html: status 200, " if body else "no body at all")
    (finding,) = answers.schema_findings(answered(200, body, None), {"type": "object"})
    assert finding.seen.startswith("no content type: status 200, " if body else "no body at all")


def test_a_result_that_is_no_object_is_told_without_a_content_type_that_no_frame_has() -> None:
    exchange = replace(answered(200, b'"OK"', None), transport="ws")
    (finding,) = answers.schema_findings(exchange, {"type": "object"})
    assert (finding.where, finding.expected) == ("$.result", "an object")


@pytest.mark.parametrize("body", [b"", b"<html>", b"null"])
def test_where_anything_goes_anything_does(body: bytes) -> None:
    assert list(answers.schema_findings(answered(200, body), True)) == []


# Refusals


@pytest.mark.parametrize("exchange", [error("InvalidRequest"), error("NotFound", 404), answered(422), answered(503)])
def test_a_refusal_is_one_however_it_is_worded(exchange: Exchange) -> None:
    assert list(answers.require_refusal(exchange, "$.a missing")) == []


@pytest.mark.parametrize(
    ("exchange", "seen"),
    [
        (answered(200, {"id": "o"}), 'it was accepted (status 200, {"id": "o"})'),
        (error("UnexpectedError", 500), "a server error (status 500, UnexpectedError: so it is)"),
        (answered(502, b"<html>"), "a server error (status 502, <html>)"),
    ],
)
def test_accepting_and_crashing_are_none(exchange: Exchange, seen: str) -> None:
    (finding,) = answers.require_refusal(exchange, "$.a missing")
    assert finding == Finding("$.a missing", "a refusal", seen)


def test_no_answer_is_neither() -> None:
    exchange = answered(200)
    exchange.answer, exchange.failure = None, Unanswered("late")
    assert list(answers.require_refusal(exchange, "$.a missing")) == []


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (error("NotFound", 404), True),
        (error("NotFound", 200), True),
        (answered(404, b"<h1>Not Found</h1>"), True),
        (error("Missing", 404), True),
        (error("Conflict", 404), False),
        (error("InvalidRequest", 404), False),
        (error("InvalidRequest", 400), False),
        (answered(400), False),
        (answered(200, {"id": "o"}), False),
    ],
)
def test_not_found_is_understood_however_well_it_is_said(exchange: Exchange, expected: bool) -> None:
    assert answers.is_not_found(exchange) is expected


def test_an_error_is_held_to_its_shape() -> None:
    assert answers.error_problems(answered(400, {"errorType": "Conflict", "debugMessage": "x", "traceId": "t"})) == []
    assert answers.error_problems(answered(400, {"errorType": 7}))
    assert answers.error_problems(answered(400, b"<html>")) == []


def test_findings_violate_and_none_do_not() -> None:
    answers.violate([])
    findings = [Finding("a", "b", "c"), Finding("d", "e", "f")]
    with pytest.raises(Violation) as caught:
        answers.violate(findings, hint="a filter is missing")
    assert caught.value.findings == tuple(findings)
    assert str(caught.value).splitlines() == [
        "at a: expected b, saw c",
        "at d: expected e, saw f",
        "likely cause: a filter is missing",
    ]
