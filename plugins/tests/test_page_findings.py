"""
How findings are taken apart, and which exchange is shown with them.
"""

from __future__ import annotations

import json

from typing import Any

import pytest

from epos_conformance.report.page import evidence, findings, order, reasons, words
from epos_conformance.report.page.findings import Fact, collect, occurrence

from . import pages
from .pages import call, check, document, exchange, parts


def test_a_message_is_taken_apart() -> None:
    message = (
        "step 3, 'the order is paid', breaks RecordOrderPaymentById.total-stays: The total stays.\n"
        "at $.totalAmount: expected 720, as before, saw 721\n"
        "at $.paidAmount: expected 1, saw 'x, saw y'\n"
        "likely cause: the tip is added"
    )
    found = occurrence(message, [check("journeys.pay-at-table-without-locks")])

    assert found.step == "step 3, 'the order is paid', breaks RecordOrderPaymentById.total-stays: The total stays."
    assert found.facts == [Fact("$.totalAmount", "720, as before", "721"), Fact("$.paidAmount", "1", "'x, saw y'")]
    assert found.causes == ["the tip is added"]
    assert found.remarks == []


def test_a_message_of_another_form_is_told_as_it_is() -> None:
    found = occurrence("nothing came back\n\nat all", [check("SearchOrders.keeps-to-the-limit")])

    assert (found.facts, found.step, found.remarks) == ([], None, ["nothing came back", "at all"])


def test_a_message_without_end_is_cut_with_a_note() -> None:
    message = "\n".join(f"at {number}: expected 1, saw {'x' * 5000}" for number in range(100))
    found = occurrence(message, [check("SearchOrders.keeps-to-the-limit")])

    assert len(found.facts) == 12
    assert all(len(each.seen) < 2_000 for each in found.facts)
    assert "characters more)" in found.facts[0].seen
    assert found.remarks == ["… (88 lines more, in certificate.json)"]


@pytest.mark.parametrize(
    ("outcome", "level", "waived", "kind"),
    [
        ("conforms", "must", True, "kept"),
        ("not-offered", "must", False, "left-out"),
        ("inconclusive", "must", True, "unproven"),
        ("inconclusive", "should", False, "unexamined"),
        ("violates", "must", False, "violated"),
        ("violates", "should", False, "recommended"),
        ("violates", "info", False, "noted"),
        ("violates", "must", True, "waived"),
        ("violates", "info", True, "waived"),
    ],
)
def test_a_check_counts_as_the_verdict_has_it(outcome: str, level: str, waived: bool, kind: str) -> None:
    found = check("SearchOrders.keeps-to-the-limit", outcome, level=level)
    if waived:
        found["waiver"] = {"reason": "r", "until": "2027-01-01"}

    assert words.kind(found) == kind


def test_reasons_that_differ_by_an_id_are_one() -> None:
    checks = [
        check(id, "inconclusive", f"saw {'status 409, ' * number}Conflict: order '{number}' is paid", cause="data")
        for number, id in enumerate(["GetOrderById.unknown-id-is-not-found", "SearchOrders.keeps-to-the-limit"])
    ]
    group = collect(document(checks)).groups["unproven"]

    assert [(each.text, each.number) for each in group.reasons] == [("Saw Conflict: order '0' is paid", 2)]


def test_what_would_help_is_told_once_for_reasons_of_one_cause() -> None:
    checks = [
        check("SearchOrders.keeps-to-the-limit", "inconclusive", reason, cause=cause, case=reason)
        for reason, cause in [("a", "data"), ("b", "unreachable"), ("c", "data")]
    ]
    found = collect(document(checks)).groups["unproven"].reasons

    assert [each.text for each in found] == ["A", "C", "B"]
    assert [each.help for each in found] == [reasons.HELP["data"], None, reasons.HELP["unreachable"]]


def test_what_is_violated_is_to_be_mended_before_what_follows_from_it() -> None:
    lacking = {"outcome": "inconclusive", "cause": "data"}
    found = parts([
        check("RecordOrderPaymentById.answer-matches-schema", "violates", "at x: expected a success, saw status 409"),
        check("RecordOrderPaymentById.counts-a-late-replay-once", message="none was recorded", **lacking),
        check("journeys.split-bill-with-tips", message="the partner refuses RecordOrderPaymentById", **lacking),
        check("SearchTables.answer-matches-schema", message="no table was found", **lacking),
    ]).text("unproven")

    assert "First mend what is violated in RecordOrderPaymentById: 2 of these 3 checks need the same, and" in found
    assert found.index("First mend") < found.index("Give the run what it lacks")


def test_what_has_nothing_to_do_with_a_violation_is_not_put_down_to_it() -> None:
    found = parts([
        check("RecordOrderPaymentById.answer-matches-schema", "violates", "at x: expected a success, saw status 409"),
        check("SearchTables.answer-matches-schema", "inconclusive", "no table was found", cause="data"),
        check("RecordOrderPaymentById.headers-are-optional", "inconclusive", "no answer", cause="unreachable"),
    ]).text("unproven")

    assert "First mend" not in found


def test_every_check_that_is_not_kept_has_a_place() -> None:
    checks = [
        check("SearchOrders.keeps-to-the-limit", "inconclusive", f"reason number {number}", case=f"{number}")
        for number in range(200)
    ]
    found = collect(document(checks))

    assert found.anchors["SearchOrders.keeps-to-the-limit", "3", "rest"].startswith("unproven-")
    assert [*found.anchors.values()].count("unproven-others") == 140
    assert len(found.groups["unproven"].names) == 140


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//x", "/x", "x", "http:", "http://[", " "])
def test_a_source_that_is_no_web_address_is_no_link(url: str) -> None:
    assert findings.cite("k: a place", {"k": {"title": "T", "url": url}}) == {"text": "T, a place", "url": None}


def test_a_source_without_an_entry_is_told_as_it_is() -> None:
    assert findings.cite("k: a place", {}) == {"text": "k: a place", "url": None}


# The exchange that is shown


def test_the_last_exchange_is_shown_and_those_before_it_are_named() -> None:
    calls = [exchange(duration=number / 1000) for number in range(1, 13)]
    found = evidence.of(calls)

    assert found is not None
    assert (found.took, found.later, found.earlier) == ("12 ms", 0, 3)
    assert found.before[-1] == "POST http://till.example/v1/SearchOrders → status 200, 11 ms"


def test_of_a_long_conversation_the_exchange_at_fault_is_shown() -> None:
    calls = [
        exchange("RecordOrderPaymentById", asked='{"value": 2}', answered='{"value":2}'),
        exchange("RecordOrderPaymentById", asked='{"value": 29}', answered='{"value":28}', fault=True),
        exchange("RecordOrderPaymentById", asked='{"value": 3}', status=409),
        exchange("SearchOrders"),
    ]
    found = evidence.of(calls)

    assert found is not None
    assert '"value": 29' in found.request
    assert (len(found.before), found.later) == (1, 2)


def test_an_exchange_is_shown_once_and_referred_to_after_that() -> None:
    calls = [exchange(answered="the first", fault=True), exchange(answered="the second")]
    others = [exchange(answered="the first"), {**exchange(answered="the second"), "fault": True}]
    found = parts([
        check("SearchOrders.answer-matches-schema", "violates", pages.FAULT, exchanges=calls),
        check("SearchOrders.keeps-to-the-limit", "violates", pages.FAULT, exchanges=calls),
        check("SearchOrders.success-status-is-ok", "violates", "at x: expected a, saw b", exchanges=calls),
        check("SearchOrders.walks-each-row-once", "violates", pages.FAULT, exchanges=others),
    ])

    assert "the first" in found.text("exchange-1")
    assert "the second" in found.text("exchange-2")
    assert "exchange-3" not in found.ids
    assert found.links.count("#exchange-1") == 2
    assert "the one shown under SearchOrders.answer-matches-schema" in found.text("violated-2")
    assert "the one shown under SearchOrders.answer-matches-schema" in found.text("recommended-1")
    assert "the first" not in found.text("violated-2")


# The order in which they are told


def told(checks: list[dict[str, Any]]) -> list[str]:
    """The rules of *checks* that are violated, as the page tells of them."""
    return [each.check["id"] for each in collect(document(checks)).groups["violated"].told]


def test_rules_are_told_in_the_order_in_which_they_are_mended() -> None:
    checks = [
        check("CreateOrder.errors-are-epos-errors", "violates", "at x: expected a, saw b"),
        check("CreateOrder.keeps-the-note", "violates", "at x: expected a, saw b", level="must"),
        check("GetOrderById.answer-matches-schema", "violates", "at x: expected a, saw b\nlikely cause: a text is cut"),
        check("RecordOrderPaymentById.answer-matches-schema", "violates", "at x: expected a success, saw status 409"),
        check("RecordOrderPaymentById.errors-are-epos-errors", "violates", "at x: expected a, saw b"),
        check("RecordOrderPaymentById.keeps-the-paid-amount", "violates", "at x: expected 29, saw 28\nlikely cause: c"),
        check("RecordOrderPaymentById.counts-a-late-replay-once", "inconclusive", "none was recorded", cause="data"),
        check("SearchTables.answer-matches-schema", "violates", "at x: expected a success, saw status 500"),
    ]

    assert told(checks) == [
        "RecordOrderPaymentById.answer-matches-schema",
        "RecordOrderPaymentById.keeps-the-paid-amount",
        "GetOrderById.answer-matches-schema",
        "RecordOrderPaymentById.errors-are-epos-errors",
        "CreateOrder.errors-are-epos-errors",
        "CreateOrder.keeps-the-note",
        "SearchTables.answer-matches-schema",
    ]


def test_the_order_is_said_where_there_is_one() -> None:
    broken = [check(f"{name}.answer-matches-schema", "violates", pages.FAULT) for name in ("SearchOrders", "ListAreas")]

    assert order.TOLD in parts(broken).text("violated")
    assert order.TOLD not in parts(broken[:1]).text("violated")


def test_rules_that_the_catalogue_does_not_know_come_last() -> None:
    known = check("SearchOrders.answer-matches-schema", "violates", "at x: expected a, saw b")
    other = {**known, "id": "Unheard.of", "capability": None, "page": "elsewhere"}

    assert told([other, known]) == ["SearchOrders.answer-matches-schema", "Unheard.of"]


def test_bodies_are_set_out_in_lines() -> None:
    found = evidence.of([call("rest")])

    assert found is not None
    assert found.request.endswith('{\n  "cursor": {\n    "limit": 5\n  }\n}')
    assert found.answer.startswith("status 200\ncontent-type: application/json\n\n{\n")


def test_a_body_without_end_is_cut_with_a_note() -> None:
    body = json.dumps([{"id": f"ord-{number}", "note": 'x\\"y{'} for number in range(500)])
    whole, cut = evidence.pretty(body), evidence.pretty(f"{body[:20_000]}\n... (9000 characters more)")

    for shown in (whole, cut):
        assert shown.startswith('[\n  {\n    "id": "ord-0",\n    "note": "x')
        assert "characters more, in certificate.json)" in shown
        assert shown.count("\n") <= 81
        assert len(shown) < 4_100


@pytest.mark.parametrize("body", ["", "plain text", "[" * 100_000, '{"a":' * 50_000, '"' * 100_000, "9" * 10_000])
def test_a_body_of_any_kind_can_be_shown(body: str) -> None:
    assert len(evidence.pretty(body)) < 90 * 120


def test_a_call_without_an_answer_says_why() -> None:
    found = evidence.of([exchange(status=None, failure="no answer within 10 s")])

    assert found is not None
    assert found.answer == "no answer within 10 s"
    assert found.replay is None


def test_a_check_that_exchanged_nothing_shows_nothing() -> None:
    assert evidence.of([]) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcode, 日本, 👩‍🍳\n\ttabbed", "plain, ünïcode, 日本, 👩‍🍳\n\ttabbed"),
        ("a\x00b\x1b[31m", "a\\x00b\\x1b[31m"),
        ("abc\u202ecba", "abc\\u202ecba"),
        ("\u2066\u200b\ufeff", "\\u2066\\u200b\\ufeff"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_has_no_shape_is_shown_by_its_number(text: str, shown: str) -> None:
    assert words.visible(text) == shown


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0000123, "0.0123 ms"),
        (0.00322, "3.22 ms"),
        (0.999, "999 ms"),
        (2.0, "2 s"),
        (12.345, "12.3 s"),
        (3600, "3,600 s"),
    ],
)
def test_times_are_told_with_three_digits(value: float, told: str) -> None:
    assert words.seconds(value) == told


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_an_instant_that_is_none_stays_as_it_is(text: str) -> None:
    assert words.when(text) == text
