"""
Requests look like Dojo's; replies are matched however carelessly they are written, and judged however they look.
"""

from __future__ import annotations

import json

from typing import Any

import pytest

from epos_conformance import _contracts
from epos_conformance.exchange import NOT_JSON
from epos_conformance.transports import DOJO_HEADERS
from epos_conformance.websocket import envelopes, messages
from epos_conformance.websocket.evidence import (
    DOUBLE,
    LATE,
    MOST_KEPT,
    MOST_MALFORMED,
    MOST_SHOWN,
    UNASKED,
    UNMATCHED,
    UNREADABLE,
    Evidence,
)


CAPABILITIES = _contracts.capabilities()


# Requests


def test_a_request_has_the_members_of_json_rpc() -> None:
    text = messages.request("7", "ListAreasV1", {"headers": {}})
    assert json.loads(text) == {"id": "7", "method": "ListAreasV1", "jsonrpc": "2.0", "params": {"headers": {}}}


def test_a_request_may_lack_params_and_have_more() -> None:
    assert json.loads(messages.request("7", "M", None, extra=1)) == {
        "id": "7",
        "method": "M",
        "jsonrpc": "2.0",
        "extra": 1,
    }


def test_headers_of_dojo_are_params_under_their_names_here() -> None:
    found = messages.params_of(CAPABILITIES["ListAreas"], {}, {**DOJO_HEADERS, "waiter-id": "anna"})
    assert found == {
        "headers": {
            "waiterId": "anna",
            "dojoRequestingProduct": DOJO_HEADERS["dojo-requesting-product"],
            "deviceId": DOJO_HEADERS["device-id"],
            "deviceType": DOJO_HEADERS["device-type"],
        }
    }


@pytest.mark.parametrize("name", CAPABILITIES)
def test_ids_have_the_names_of_the_contract(name: str) -> None:
    capability = CAPABILITIES[name]
    given = {each.name: f"<{each.name}>" for each in capability.ids}
    found = messages.params_of(capability, {**given, "other": 1}, {})
    assert found == {**{each.ws: f"<{each.name}>" for each in capability.ids}, "other": 1, "headers": {}}


@pytest.mark.parametrize("value", ["é 漢", "\ud83d\ude00", "a\nb", "\ud800", "é\udfff", '"\\'])
def test_every_text_can_be_sent(value: str) -> None:
    text = messages.encode({"name": value})
    text.encode("utf-8")  # half a pair couldn't be
    assert json.loads(text) == {"name": json.loads(json.dumps(value))}


# Reading


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"id": Infinity}', "[" * 100_000, "9" * 5_000, "\ufeff{}"])
def test_what_is_no_json_is_not_json(text: str) -> None:
    assert messages.read(text) is NOT_JSON


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"id": 1, "result": None}, True),
        ({"id": 1, "error": {}}, True),
        ({"id": 1}, True),
        ({}, True),
        ({"id": 1, "method": "M", "result": 1}, True),
        ({"id": 1, "method": "M"}, False),
        ({"method": "M", "params": {}}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_reply_is_told_from_a_request(message: Any, expected: bool) -> None:
    assert messages.is_reply(message) is expected


# Matching

WAITING = ("1701", "00042", "7e3", "Aa-Bb-Cc", "true")


@pytest.mark.parametrize("id", WAITING)
def test_the_same_id_is_matched(id: str) -> None:
    assert messages.answered(id, WAITING) == id


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        (1701, "1701"),
        (1701.0, "1701"),
        (42, "00042"),
        ("42", "00042"),
        (7000, "7e3"),
        ("7000.0", "7e3"),
        ("AA-BB-CC", "Aa-Bb-Cc"),
        ("aa-bb-cc", "Aa-Bb-Cc"),
        (" Aa-Bb-Cc\n", "Aa-Bb-Cc"),
        ('"Aa-Bb-Cc"', "Aa-Bb-Cc"),
        ("TRUE", "true"),
    ],
)
def test_a_careless_id_is_matched(id: Any, expected: str) -> None:
    assert messages.answered(id, WAITING) == expected


@pytest.mark.parametrize("id", [True, False, None, [], ["1701"], {"id": "1701"}, "", "1702", 1, "Aa-Bb-C"])
def test_another_id_is_not(id: Any) -> None:
    assert messages.answered(id, WAITING) is None


def test_an_exact_id_goes_before_a_careless_one() -> None:
    assert messages.answered("7", ["07", "7"]) == "7"
    assert messages.answered("07", ["7", "07"]) == "07"


@pytest.mark.parametrize("id", ["nan", "NaN", "inf", "-Infinity", "1e999"])
def test_ids_that_are_hardly_numbers_are_matched_too(id: str) -> None:
    assert messages.answered(id.upper(), ["x", id]) == id


# Envelopes


def reply(**more: Any) -> dict[str, Any]:
    found = {"id": "1", "jsonrpc": "2.0", "method": "M", "result": {}, **more}
    return {name: value for name, value in found.items() if value is not MISSING}


MISSING = object()
ERROR = {"errorType": "NotFound", "debugMessage": "none"}
OF_A_LIBRARY = {"code": -32601, "message": "Method not found"}


@pytest.mark.parametrize(
    "message",
    [
        reply(),
        reply(result=None),
        reply(result=[]),
        reply(error=None),
        reply(result=None, error=None),
        reply(result=MISSING, error=ERROR),
        reply(result=None, error=ERROR),
        reply(result=MISSING, error={**ERROR, **OF_A_LIBRARY}),
        reply(result={"id": "o-1", "errorType": "NotFound"}),
        reply(unknown=1),
    ],
)
def test_a_good_envelope_breaks_nothing(message: dict[str, Any]) -> None:
    assert list(envelopes.broken("1", "M", message)) == []


@pytest.mark.parametrize(
    ("message", "rules"),
    [
        (reply(id=1), {envelopes.ID}),
        (reply(id=MISSING), {envelopes.ID}),
        (reply(id=None), {envelopes.ID}),
        (reply(jsonrpc=MISSING), {envelopes.JSON_RPC}),
        (reply(jsonrpc=2.0), {envelopes.JSON_RPC}),
        (reply(jsonrpc="1.0"), {envelopes.JSON_RPC}),
        (reply(result=MISSING), {envelopes.EITHER}),
        (reply(result=MISSING, error=None), {envelopes.EITHER}),
        (reply(error=ERROR), {envelopes.NOT_BOTH}),
        (reply(error=OF_A_LIBRARY), {envelopes.NOT_BOTH, envelopes.ERROR}),
        (reply(result=MISSING, error=OF_A_LIBRARY), {envelopes.ERROR}),
        (reply(result=MISSING, error="NotFound"), {envelopes.ERROR}),
        (reply(result=MISSING, error={**ERROR, "errorType": "Gone"}), {envelopes.ERROR}),
        (reply(result=MISSING, error={**ERROR, "errorType": ["NotFound"]}), {envelopes.ERROR}),
        (reply(result=ERROR), {envelopes.ERROR}),
        (reply(method=MISSING), {envelopes.METHOD}),
        (reply(method="m"), {envelopes.METHOD}),
        ({}, {envelopes.ID, envelopes.JSON_RPC, envelopes.EITHER, envelopes.METHOD}),
    ],
)
def test_a_bad_envelope_breaks_its_rules(message: dict[str, Any], rules: set[str]) -> None:
    found = list(envelopes.broken("1", "M", message))
    assert set(found) == rules
    assert len(found) == len(rules)


def test_what_dojo_never_calls_may_be_answered_in_a_librarys_words() -> None:
    assert list(envelopes.broken("1", "", reply(result=MISSING, method=MISSING, error=OF_A_LIBRARY))) == []


def test_every_rule_of_envelopes_has_its_words() -> None:
    assert set(envelopes.WANTED) == {
        envelopes.ID,
        envelopes.JSON_RPC,
        envelopes.EITHER,
        envelopes.NOT_BOTH,
        envelopes.ERROR,
        envelopes.METHOD,
    }


# Evidence


def test_a_reply_after_the_end_is_late_and_the_next_one_double() -> None:
    found = Evidence()
    found.ended("1", answered=False)
    for _ in range(2):
        found.stray(1, "...", "1", UNMATCHED)
    found.ended("2", answered=True)
    found.stray(1, "...", "2", UNMATCHED)
    assert [each.kind for each in found.strays] == [LATE, DOUBLE, DOUBLE]
    assert found.counts[LATE] == 1
    assert found.counts[DOUBLE] == 2
    assert found.counts[UNMATCHED] == 0


@pytest.mark.parametrize("id", ["Ab-7", "AB-7", " ab-7 "])
def test_an_id_that_has_ended_is_known_however_it_is_written(id: str) -> None:
    found = Evidence()
    found.ended("Ab-7", answered=True)
    assert found.was_sent(id) == "Ab-7"


@pytest.mark.parametrize("id", [None, True, [], {}, "Ab-8"])
def test_other_ids_are_not_known(id: Any) -> None:
    found = Evidence()
    found.ended("Ab-7", answered=True)
    found.ended("1", answered=True)
    assert found.was_sent(id) is None


def test_strays_are_counted_all_and_kept_in_part() -> None:
    found = Evidence()
    for number in range(MOST_KEPT + 100):
        found.stray(1, f"{number} " + "x" * 10 * MOST_SHOWN, None, UNASKED)
    assert found.counts[UNASKED] == MOST_KEPT + 100
    assert len(found.strays) == MOST_KEPT
    assert found.strays[-1].frame.startswith(f"{MOST_KEPT + 99} ")
    assert max(len(each.frame) for each in found.strays) == MOST_SHOWN


def test_ids_are_not_remembered_forever() -> None:
    found = Evidence()
    for number in range(6_000):
        found.ended(f"id {number}", answered=True)
    assert found.was_sent("id 0") is None
    assert found.was_sent("id 5999") == "id 5999"


def test_a_few_replies_are_kept_of_each_rule_that_is_broken() -> None:
    found = Evidence()
    for number in range(20):
        found.reply("1", "M", f"{number} " + "x" * 10 * MOST_SHOWN, {"id": "1", "result": {}, "method": "M"})
    found.reply("1", "M", "fine", reply())
    kept = found.malformed.pop(envelopes.JSON_RPC)
    assert [frame[:2] for _, frame in kept] == [f"{number} " for number in range(MOST_MALFORMED)]
    assert {len(frame) for _, frame in kept} == {MOST_SHOWN}
    assert found.malformed == {}


def test_sessions_are_numbered_from_one() -> None:
    found = Evidence()
    assert [found.opening("till:1").number for _ in range(3)] == [1, 2, 3]
    assert found.counts["sessions"] == 3


def test_all_of_it_can_be_told_as_json() -> None:
    found = Evidence()
    found.opening("till:1")
    found.ended("1", answered=True)
    found.stray(1, "\ud800", "1", UNREADABLE)
    found.reply("1", "M", "...", {})
    found.overlaps.append((1, 2))
    found.handshakes.append({"path": "/epos"})
    told = json.loads(json.dumps(found.told()))
    assert told == found.told()
    assert told["counts"] == {"sessions": 1, DOUBLE: 1}
    assert told["strays"][0]["kind"] == DOUBLE
    assert told["sessions"][0] | {"opened": 0} == {
        "number": 1,
        "peer": "till:1",
        "opened": 0,
        "closed": None,
        "code": None,
        "reason": "",
        "ours": False,
    }
    assert told["malformed"][envelopes.EITHER] == [["M", "..."]]
    assert told["overlaps"] == [[1, 2]]
    assert told["handshakes"] == [{"path": "/epos"}]
