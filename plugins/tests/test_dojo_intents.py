"""
Payment intents are created at Dojo where it creates them, and made up where it doesn't.
"""

from __future__ import annotations

import re

from collections.abc import Iterator

import jsonschema
import pytest

from starlette.responses import JSONResponse, Response

from epos_conformance.dojo.api import DojoApi
from epos_conformance.dojo.intents import DojoIntents

from . import fake_dojo
from .fake_dojo import INTENTS, FakeDojo, problem
from .test_dojo_registration import document, published, where_published


MADE_UP = re.compile(r"pi_sandbox_[A-Za-z]{22}|pi_sandbox_[A-Za-z0-9]{22}")


@pytest.fixture
def dojo(request: pytest.FixtureRequest) -> FakeDojo:
    return fake_dojo.put_up(request)


@pytest.fixture
def api(dojo: FakeDojo) -> Iterator[DojoApi]:
    yield from fake_dojo.connected(dojo.url, patience=0.0)


def test_an_intent_is_created_for_the_amount(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[f"POST {INTENTS}"] = JSONResponse({"id": "pi_sandbox_theirs"})
    assert DojoIntents(api, sandbox=False).new(1250, "EUR") == "pi_sandbox_theirs"
    assert dojo.asked[0].body == {
        "amount": {"value": 1250, "currencyCode": "EUR"},
        "reference": "EPOS conformance",
        "captureMode": "Auto",
    }


def test_a_sandbox_is_told_of_the_tip(dojo: FakeDojo, api: DojoApi) -> None:
    found = DojoIntents(api, sandbox=True)
    for tip in (100, 0, -5):
        found.new(1000, "GBP", tip)
    assert [each.body["metadata"] for each in dojo.asked] == [{"sandbox-tip": "100"}, {}, {}]
    assert {each.body["amount"]["value"] for each in dojo.asked} == {1000}


def test_dojo_itself_is_not_told_what_only_a_sandbox_knows(dojo: FakeDojo, api: DojoApi) -> None:
    found = DojoIntents(api, sandbox=False)
    found.new(1000, "GBP", 100)
    assert found.twin("pi_sandbox_Abc", 1000, "GBP") is None
    assert ["metadata" in each.body for each in dojo.asked] == [False]


@pytest.mark.parametrize("amount", [0, -1])
def test_what_nobody_pays_is_asked_for_as_little(dojo: FakeDojo, api: DojoApi, amount: int) -> None:
    DojoIntents(api, sandbox=False).new(amount, "GBP")
    assert dojo.asked[0].body["amount"]["value"] == 1


def test_a_twin_is_asked_for_by_its_id(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[f"POST {INTENTS}"] = lambda asked: JSONResponse({"id": asked.body["metadata"]["sandbox-id"]})
    assert DojoIntents(api, sandbox=True).twin("pi_sandbox_aBc1", 500, "GBP", 20) == "pi_sandbox_AbC1"
    assert dojo.asked[0].body["metadata"] == {"sandbox-id": "pi_sandbox_AbC1", "sandbox-tip": "20"}


@pytest.mark.parametrize(
    "answer",
    [
        problem(403, "Forbidden"),
        JSONResponse({"status": "Captured"}),
        JSONResponse({"id": 7}),
        JSONResponse(["pi_sandbox_x"]),
        Response("<html>"),
        Response(status_code=204),
    ],
)
def test_where_there_is_none_to_be_had_it_is_made_up(dojo: FakeDojo, api: DojoApi, answer: Response) -> None:
    dojo.instead[f"POST {INTENTS}"] = answer
    found = DojoIntents(api, sandbox=True)
    assert MADE_UP.fullmatch(found.new(100, "GBP"))
    assert found.twin("pi_sandbox_a", 100, "GBP") is None


def test_who_gives_none_is_not_asked_for_ever(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[f"POST {INTENTS}"] = problem(500, "Oops")
    found = DojoIntents(api, sandbox=False)
    assert len({found.new(100, "GBP") for _ in range(5)}) == 5
    assert len(dojo.asked) == 2


def test_one_failure_is_forgotten_after_a_success(dojo: FakeDojo, api: DojoApi) -> None:
    no, yes = problem(500, "Oops"), JSONResponse({"id": "pi_sandbox_theirs"})
    dojo.instead[f"POST {INTENTS}"] = [no, yes, no, yes]
    found = DojoIntents(api, sandbox=False)
    assert [found.new(1, "GBP") == "pi_sandbox_theirs" for _ in range(4)] == [False, True, False, True]


def test_one_to_speak_of_is_one_that_dojo_knows(dojo: FakeDojo, api: DojoApi) -> None:
    dojo.instead[f"POST {INTENTS}"] = JSONResponse({"id": "pi_sandbox_theirs"})
    assert DojoIntents(api, sandbox=False).any(1, "GBP") == "pi_sandbox_theirs"


def test_an_intent_is_never_asked_for_twice(dojo: FakeDojo) -> None:
    dojo.instead[f"POST {INTENTS}"] = problem(503, "Later")
    for api in fake_dojo.connected(dojo.url):
        assert MADE_UP.fullmatch(DojoIntents(api, sandbox=False).new(1, "GBP"))
    assert len(dojo.asked) == 1


@where_published
@pytest.mark.parametrize("sandbox", [True, False])
def test_what_is_asked_for_is_as_published(dojo: FakeDojo, api: DojoApi, sandbox: bool) -> None:
    found = DojoIntents(api, sandbox=sandbox)
    found.new(1000, "GBP", 100)
    found.new(0, "EUR")
    found.twin("pi_sandbox_a", 1, "GBP")
    for each in dojo.asked:
        jsonschema.validate(each.body, published("CreatePaymentIntentRequest"))


@where_published
def test_every_published_example_of_an_answer_is_read(dojo: FakeDojo, api: DojoApi) -> None:
    answers = document()["paths"][INTENTS]["post"]["responses"]["200"]["content"]["application/json"]["examples"]
    assert answers
    for each in answers.values():
        dojo.instead[f"POST {INTENTS}"] = JSONResponse(each["value"])
        assert DojoIntents(api, sandbox=False).new(1000, "GBP") == each["value"]["id"]
