"""
An exchange is read the same whatever the partner answered, and shown without its secrets.
"""

from __future__ import annotations

import base64
import json
import shlex

from typing import Any

import pytest

from epos_conformance import _masking, exchange
from epos_conformance.exceptions import Unanswered
from epos_conformance.exchange import NOT_JSON, Answer, EposError, Exchange, Sent


PASSWORD = "s3cret/word"
BASIC = "Basic " + base64.b64encode(f"dojo:{PASSWORD}".encode()).decode()

HEADERS = (
    ("accept", "application/json"),
    ("waiter-id", "anna o'neill"),
    ("authorization", BASIC),
    ("Content-Length", "17"),
)


def answered(
    body: bytes | str | dict[str, Any] | list[Any] = b"",
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
    *,
    method: str = "POST",
    sent: bytes | None = b'{"note": "x"}',
    authenticated: bool = True,
) -> Exchange:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return Exchange(
        capability="SearchOrders",
        transport="rest",
        sent=Sent(
            method=method,
            url="https://till.example/v1/orders/search",
            headers=HEADERS,
            body=sent,
            authenticated=authenticated,
        ),
        answer=Answer(status=status, headers=headers, body=raw),
        duration=0.0123456789,
        mask=_masking.Masker(_masking.of_basic(f"dojo:{PASSWORD}")),
    )


def unanswered() -> Exchange:
    found = answered()
    found.answer, found.failure = None, Unanswered(f"no complete answer within 10 s ({PASSWORD})")
    return found


# Reading


def test_a_success_has_a_result_and_no_error() -> None:
    found = answered({"data": []})
    assert found.succeeded
    assert found.result == {"data": []}
    assert found.error is None
    assert not found.refused
    assert not found.crashed


@pytest.mark.parametrize("status", [201, 202, 204, 299])
def test_any_status_of_success_is_one(status: int) -> None:
    assert answered({"data": []}, status).succeeded


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff\xfe", b"[" * 200_000, b"1" * 10_000, "nul"])
def test_what_is_not_json_is_told_from_null(body: bytes | str) -> None:
    found = answered(body)
    assert found.json is NOT_JSON
    assert found.result is NOT_JSON
    assert not NOT_JSON
    assert repr(NOT_JSON) == "not JSON"


def test_null_is_json() -> None:
    assert answered("null").json is None


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert answered(b"\xef\xbb\xbf{}").result == {}


def test_an_error_is_read_as_far_as_it_is_one() -> None:
    found = answered({"errorType": "NotFound", "debugMessage": "no order 7", "traceId": "t-1"}, 404)
    assert found.error == EposError("NotFound", "no order 7", "t-1")
    assert str(found.error) == "NotFound: no order 7"
    assert found.result is NOT_JSON
    assert found.refused
    assert not found.crashed


@pytest.mark.parametrize("body", ["<h1>Not Found</h1>", [], {"message": "gone"}, b""])
def test_an_error_without_error_type_is_an_error_all_the_same(body: Any) -> None:
    found = answered(body, 404)
    assert found.error is not None
    assert found.error.type is None
    assert str(found.error) == "an error without errorType"


def test_an_error_with_the_status_of_a_success_is_an_error() -> None:
    found = answered({"errorType": "Conflict"}, 200)
    assert not found.succeeded
    assert found.error == EposError("Conflict")
    assert found.result is NOT_JSON


def test_an_order_with_a_member_called_error_type_is_an_order() -> None:
    assert answered({"id": "o-1", "errorType": None}, 200).succeeded


@pytest.mark.parametrize(
    ("status", "body", "crashed"),
    [
        (500, b"", True),
        (502, b"<html>", True),
        (400, {"errorType": "UnexpectedError"}, False),
        (200, {"errorType": "UnexpectedError"}, False),
        (503, b"", False),
        (429, b"", False),
        (400, {"errorType": "InvalidRequest"}, False),
        (418, b"", False),
    ],
)
def test_a_server_error_is_told_from_a_refusal(status: int, body: Any, crashed: bool) -> None:
    found = answered(body, status)
    assert found.crashed is crashed
    assert found.refused is not crashed


def test_no_answer_is_neither_success_nor_error() -> None:
    found = unanswered()
    assert found.status == 0
    assert found.json is NOT_JSON
    assert found.result is NOT_JSON
    assert found.error is None
    assert not any((found.succeeded, found.refused, found.crashed))


def test_headers_are_found_in_any_case() -> None:
    answer = answered().answer
    assert answer is not None
    assert answer.header("content-type") == "application/json"
    assert answer.header("retry-after") is None


# Showing


def test_one_line_says_what_was_asked_and_how_it_ended() -> None:
    asked = "POST https://till.example/v1/orders/search"
    assert str(answered({})) == f"{asked} -> 200 in 0.012 s"
    refused = answered({"errorType": "NotFound", "debugMessage": f"not {PASSWORD}"}, 404)
    assert str(refused) == f"{asked} -> 404 NotFound: not ***** in 0.012 s"
    assert str(unanswered()) == f"{asked} -> no complete answer within 10 s (*****)"


def test_the_whole_conversation_is_shown() -> None:
    found = answered({"data": []}, headers=(("Content-Type", "application/json"), ("Set-Cookie", "session=abc")))
    found.notes.append("answered 429, tried again after 1 s")
    lines = found.as_text().splitlines()
    assert lines[0] == "> POST https://till.example/v1/orders/search"
    assert "> waiter-id: anna o'neill" in lines
    assert "> authorization: *****" in lines
    assert '  "note": "x"' in lines
    assert "< 200 in 0.012 s" in lines
    assert "< Set-Cookie: *****" in lines
    assert '  "data": []' in lines
    assert "(answered 429, tried again after 1 s)" in lines
    assert lines[-1].startswith("replay: curl ")


def test_a_missing_answer_is_shown_with_its_reason() -> None:
    assert "< no answer: no complete answer within 10 s (*****)" in unanswered().as_text()


@pytest.mark.parametrize("form", [PASSWORD, "s3cret%2Fword", BASIC.removeprefix("Basic ")])
def test_no_secret_is_shown_wherever_the_partner_repeats_it(form: str) -> None:
    found = answered({"echo": form, "errorType": "NotFound", "debugMessage": form}, 404, (("X-Echo", form),))
    found.notes.append(form)
    for text in (str(found), found.as_text(), found.curl(), json.dumps(found.to_json())):
        assert form not in text


def test_a_shell_sends_the_request_again_with_the_credentials_of_its_environment() -> None:
    words = shlex.split(answered().curl())
    assert words[:4] == ["curl", "-i", "-X", "POST"]
    assert words[4] == "https://till.example/v1/orders/search"
    assert words[words.index("-u") + 1] == "$PARTNER_AUTH"
    assert words[words.index("waiter-id: anna o'neill") - 1] == "-H"
    assert words[-2:] == ["--data-raw", '{"note": "x"}']
    assert not any("Content-Length" in word for word in words)


def test_other_credentials_are_masked_in_a_replay() -> None:
    text = answered(authenticated=False).curl()
    assert "PARTNER_AUTH" not in text
    assert "authorization: *****" in text


def test_a_request_without_body_is_replayed_without() -> None:
    text = answered(method="GET", sent=None).curl()
    assert "--data-raw" not in text
    assert "-X" not in shlex.split(text)


def test_bytes_that_are_no_text_are_shown() -> None:
    assert r"\xff" in answered(b"\xff\x00").as_text()


def test_a_long_body_is_cut() -> None:
    text = answered({"text": "x" * 100_000}).as_text()
    assert len(text) < 2 * exchange.MOST_SHOWN
    assert "characters more)" in text


@pytest.mark.parametrize(
    ("text", "expected"), [("abc", "abc"), ("a" * 10, "a" * 10), ("a" * 11, f"{'a' * 10}\n... (1 characters more)")]
)
def test_a_cut_says_how_much_is_missing(text: str, expected: str) -> None:
    assert exchange.cut(text, 10) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("ü", "ü"), ({"a": "ü"}, '{"a": "ü"}'), ("x" * 12, "xxxxxxx..."), (None, "null")]
)
def test_a_preview_is_one_short_line(value: Any, expected: str) -> None:
    assert exchange.preview(value, 10) == expected


# For machines


def test_machines_get_the_conversation_as_data() -> None:
    found = answered({"data": []}, headers=(("Content-Type", "application/json"), ("Set-Cookie", "a=b")))
    found.notes.append("a note")
    assert found.to_json() == {
        "capability": "SearchOrders",
        "transport": "rest",
        "request": {
            "method": "POST",
            "url": "https://till.example/v1/orders/search",
            "headers": [[name, "*****" if name == "authorization" else value] for name, value in HEADERS],
            "body": '{"note": "x"}',
        },
        "answer": {
            "status": 200,
            "headers": [["Content-Type", "application/json"], ["Set-Cookie", "*****"]],
            "body": '{"data": []}',
        },
        "duration": 0.012346,
        "notes": ["a note"],
        "replay": found.curl(),
    }


def test_a_clean_run_keeps_what_tells_the_calls_apart() -> None:
    assert answered({"data": []}).to_json(bodies=False) == {
        "capability": "SearchOrders",
        "transport": "rest",
        "request": {"method": "POST", "url": "https://till.example/v1/orders/search"},
        "answer": {"status": 200},
        "duration": 0.012346,
    }


def test_without_an_answer_machines_get_the_reason() -> None:
    found = unanswered().to_json()
    assert found["answer"] is None
    assert found["failure"] == "no complete answer within 10 s (*****)"
