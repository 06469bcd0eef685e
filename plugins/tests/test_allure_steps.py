"""
A conversation as steps: what is told of each exchange, and how much of many.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from epos_conformance import _allure_steps
from epos_conformance._allure_steps import MOST, MOST_ATTACHED, conversation, evidence, fault, story
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.steps import Steps
from epos_conformance.websocket.exchanges import RpcExchange

from .test_exchange import PASSWORD, answered, unanswered


BEGAN = 1_800_000_000_000


def took(seconds: float, status: int = 200) -> Exchange:
    found = answered({"data": []}, status)
    found.duration = seconds
    return found


def test_each_exchange_is_a_step_that_begins_where_the_last_one_ended() -> None:
    steps = conversation([took(0.25), took(1.0), took(0.0005)], BEGAN, None)
    assert [(each["start"] - BEGAN, each["stop"] - BEGAN) for each in steps] == [(0, 250), (250, 1250), (1250, 1250)]
    assert steps[0] == {
        "name": "POST /v1/orders/search -> 200 in 0.250 s",
        "status": "passed",
        "start": BEGAN,
        "stop": BEGAN + 250,
    }


def test_how_it_ended_is_in_its_name() -> None:
    refused = answered({"errorType": "NotFound", "debugMessage": "no\nsuch order"}, 404)
    (step,) = conversation([refused], BEGAN, None)
    assert step["name"].endswith("-> 404 NotFound: no such order in 0.012 s")
    assert step["status"] == "passed"


def test_no_name_holds_an_address_that_would_be_a_link() -> None:
    (step,) = conversation(
        [answered({"errorType": "Conflict", "debugMessage": "see HTTPS://evil.example/x"}, 409)], 0, None
    )
    assert step["name"] == "POST /v1/orders/search -> 409 Conflict: see evil.example/x in 0.012 s"
    over_ws = RpcExchange(
        capability="ListAreas",
        transport="ws",
        sent=Sent(method="ListAreasV1", url="ws://127.0.0.1:8765/epos", headers=(), body=b"{}"),
        answer=Answer(status=0, headers=(), body=b'{"id": "1", "result": []}'),
    )
    (step,) = conversation([over_ws], 0, None)
    assert step["name"] == "ListAreasV1 over /epos, session 0 -> result in 0.000 s"
    bare = answered({})
    bare.sent = replace(bare.sent, url="https://till.example")
    (step,) = conversation([bare], 0, None)
    assert step["name"].startswith("POST / -> 200")


@pytest.mark.parametrize(
    ("at", "gaps"), [(0, [9940]), (10, [9939]), (500, [490, 9449]), (9949, [9939]), (9999, [9940])]
)
def test_the_exchange_at_fault_is_told_attached_and_failed_wherever_it_is(at: int, gaps: list[int]) -> None:
    stored: dict[str, str] = {}
    exchanges = [took(number / 1000) for number in range(10_000)]
    steps = conversation(exchanges, BEGAN, stored.__setitem__, fault=at)
    (failed,) = [each for each in steps if each["status"] == "failed"]
    assert failed["name"] == f"at fault: POST /v1/orders/search -> 200 in {at / 1000:.3f} s"
    assert f"< 200 in {at / 1000:.3f} s" in stored[failed["attachments"][0]["source"]]
    assert [int(each["name"].split()[0]) for each in steps if each["status"] == "skipped"] == gaps
    assert len([each for each in steps if each["status"] != "skipped"]) + sum(gaps) == len(exchanges)


def test_an_exchange_without_an_answer_can_be_at_fault() -> None:
    (step,) = conversation([unanswered()], BEGAN, None, fault=0)
    assert step["status"] == "failed"
    assert step["name"].startswith("at fault: POST /v1/")
    assert "no complete answer" in step["statusDetails"]["message"]


def test_what_the_certificate_marks_is_found_in_the_conversation() -> None:
    exchanges = [took(number) for number in (1, 2, 2, 3, 2, 2)]
    shown: list[dict[str, object]] = [each.to_json() for each in exchanges[1:4]]
    assert fault(exchanges, shown) is None
    shown[1]["fault"] = True
    assert fault(exchanges, shown) == 2
    # What tidied up after the check came later than its judgement, or is left out.
    assert fault(exchanges[:4], shown) == 2
    assert fault(exchanges[:2], shown) is None
    assert fault([], [{"fault": True, "duration": 1.0}]) is None


def test_no_answer_is_told_without_secrets() -> None:
    (step,) = conversation([unanswered()], BEGAN, None)
    assert step["status"] == "broken"
    assert step["statusDetails"] == {"message": "no complete answer within 10 s (*****)"}
    assert PASSWORD not in str(step)


def test_names_are_cut() -> None:
    (step,) = conversation([answered({"errorType": "x" * 100_000}, 500)], BEGAN, None)
    assert len(step["name"]) == 160
    assert step["name"].endswith("xxx...")


def test_what_was_said_is_attached_with_json_laid_out_and_secrets_masked() -> None:
    stored: dict[str, str] = {}
    (step,) = conversation([answered({"data": [1]})], BEGAN, stored.__setitem__)
    (attachment,) = step["attachments"]
    text = stored[attachment["source"]]
    assert attachment["source"].endswith("-attachment.txt")
    assert '{\n  "data": [\n    1\n  ]\n}' in text
    assert "> authorization: *****" in text
    assert PASSWORD not in text


def test_a_body_without_end_is_cut_with_a_note() -> None:
    stored: dict[str, str] = {}
    conversation([answered("x" * 1_000_000)], BEGAN, stored.__setitem__)
    (text,) = stored.values()
    assert len(text) < 25_000
    assert "(980000 characters more)" in text


@pytest.mark.parametrize(("count", "told"), [(0, 0), (MOST, MOST), (MOST + 1, MOST + 1), (1000, MOST + 1)])
def test_of_many_exchanges_the_first_and_the_last_are_told(count: int, told: int) -> None:
    stored: dict[str, str] = {}
    steps = conversation([took(number) for number in range(count)], BEGAN, stored.__setitem__)
    assert len(steps) == told
    assert len(stored) == min(count, MOST_ATTACHED)
    assert ["attachments" in each for each in steps[-MOST_ATTACHED:]] == [True] * min(count, MOST_ATTACHED)
    if count > MOST:
        many = "exchanges more, which are" if count > MOST + 1 else "exchange more, which is"
        assert steps[10]["name"] == f"{count - MOST} {many} not told here"
        assert steps[-1]["name"].endswith(f"in {count - 1}.000 s")
        assert steps[11]["start"] == BEGAN + 1000 * sum(range(count - 50))


def test_the_cap_leaves_room_for_what_is_attached() -> None:
    assert MOST - _allure_steps._FIRST >= MOST_ATTACHED


def test_evidence_of_what_is_kept_is_one_text() -> None:
    stored: dict[str, str] = {}
    attachment = evidence([took(number) for number in range(MOST + 5)], stored.__setitem__)
    text = stored.pop(attachment["source"])
    assert not stored
    assert text.startswith("(5 exchanges before these are not told here)\n\n\n> POST ")
    assert text.count("replay: curl") == MOST
    assert f"< 200 in {MOST + 4}.000 s" in text
    assert PASSWORD not in text


def test_a_story_tells_its_own_steps() -> None:
    steps = Steps()
    with steps.take("the table's order is found"):
        pass
    with steps.take("it is paid") as paid:
        paid.messages += ["in two parts", "with tips"]
    first, second = story([each.to_json() for each in steps])
    assert (first["name"], first["status"]) == ("the table's order is found", "passed")
    assert "statusDetails" not in first
    assert second["statusDetails"] == {"message": "in two parts\nwith tips"}
    assert abs(first["start"] - 1000 * steps[0].started) < 2
    assert first["stop"] >= first["start"]
