"""
A handshake is judged where it arrives, and what is told of it afterwards holds no key.
"""

from __future__ import annotations

import base64
import json

from typing import Any

import pytest

from epos_conformance._masking import MASK
from epos_conformance.websocket import handshakes
from epos_conformance.websocket.handshakes import Expected, Handshake


KEY = "sk_sandbox_0a1b2c3d"

ALL = {handshakes.SCHEME, handshakes.KEY, handshakes.PREFIX, handshakes.SOFTWARE_HOUSE, handshakes.RESELLER}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def shake(
    authorization: str | None = f"Basic {KEY}", expected: Expected | None = None, path: str = "/epos", **headers: Any
) -> Handshake:
    """A handshake that is in order but for what is said."""
    given = {"Authorization": authorization, "software_house_id": "house", "reseller_id": "reseller", **headers}
    listed = [(name.replace("_", "-"), value) for name, value in given.items() if value is not None]
    return handshakes.read(path, listed, expected or Expected())


def told(found: Handshake) -> str:
    return json.dumps(found.to_json())


@pytest.mark.parametrize("expected", [Expected(), Expected(key=KEY, software_house_id="house", reseller_id="reseller")])
@pytest.mark.parametrize("authorization", [f"Basic {KEY}", f"basic {KEY}", f"BASIC   {KEY} ", f"Basic\t{KEY}"])
def test_a_good_handshake_has_no_faults(authorization: str, expected: Expected) -> None:
    found = shake(authorization, expected)
    assert found.faults == {}
    assert found.authentic is (None if expected.key is None else True)


def test_a_key_of_production_is_one_too() -> None:
    assert shake("Basic sk_prod_0a1b2c3d").faults == {}


def test_names_of_headers_are_in_any_case() -> None:
    listed = [("AUTHORIZATION", f"Basic {KEY}"), ("Software-House-Id", "h"), ("RESELLER-ID", "r")]
    assert handshakes.read("/epos", listed, Expected()).faults == {}


def test_who_says_nothing_breaks_every_rule() -> None:
    found = handshakes.read("/epos", [("Host", "x")], Expected())
    assert set(found.faults) == ALL
    assert found.faults[handshakes.SCHEME][2] == "no such header"
    assert "sends no headers of its own" in str(found.faults[handshakes.SCHEME][3])
    assert found.faults[handshakes.KEY][2] == "none"
    assert found.faults[handshakes.SOFTWARE_HOUSE][2] == "none"
    assert found.secrets == ()


# The scheme


@pytest.mark.parametrize(
    ("authorization", "seen"),
    [
        (KEY, "the key alone"),
        (f"Bearer {KEY}", f"'Bearer' and {MASK}"),
        (f"Basic: {KEY}", f"'Basic:' and {MASK}"),
        (f"ApiKey {KEY}", f"'ApiKey' and {MASK}"),
        (f"{KEY} and-more", f"{MASK!r} and {MASK}"),
    ],
)
@pytest.mark.parametrize("expected", [None, KEY])
def test_another_scheme_is_told_without_the_key(authorization: str, seen: str, expected: str | None) -> None:
    found = shake(authorization, Expected(key=expected))
    assert found.faults[handshakes.SCHEME][2] == seen
    assert KEY not in told(found)


@pytest.mark.parametrize("authorization", [KEY, f"Bearer {KEY}", f"Basic: {KEY}"])
def test_the_right_key_is_right_whatever_stands_before_it(authorization: str) -> None:
    found = shake(authorization, Expected(key=KEY))
    assert set(found.faults) == {handshakes.SCHEME}
    assert found.authentic is True


@pytest.mark.parametrize("authorization", ["Basic", "Basic ", "basic"])
def test_a_scheme_without_a_key_is_no_key(authorization: str) -> None:
    found = shake(authorization, Expected(key=KEY))
    assert set(found.faults) == {handshakes.KEY, handshakes.PREFIX}
    assert found.faults[handshakes.KEY][2] == "none"
    assert found.authentic is False
    # It would blank out the word everywhere.
    assert found.secrets == ()


# The key


@pytest.mark.parametrize("text", [KEY, f"{KEY}:", f"house:{KEY}", f":{KEY}"])
@pytest.mark.parametrize("expected", [None, KEY])
def test_a_key_in_base64_is_told_with_its_likely_cause(text: str, expected: str | None) -> None:
    found = shake(f"Basic {encoded(text)}", Expected(key=expected))
    assert set(found.faults) == {handshakes.KEY}
    _, wanted, seen, cause = found.faults[handshakes.KEY]
    assert wanted == "the key as it is"
    assert seen == f"{len(encoded(text))} characters of Base64 that stand for the key"
    assert "set the header by hand" in str(cause)
    assert found.authentic is (None if expected is None else True)
    assert KEY in found.secrets
    assert encoded(text) in found.secrets


def test_another_key_than_the_expected_one_is_told() -> None:
    found = shake("Basic sk_sandbox_another", Expected(key=KEY))
    assert set(found.faults) == {handshakes.KEY}
    assert found.faults[handshakes.KEY][2] == "another one"
    assert found.authentic is False
    assert "sk_sandbox_another" not in told(found)


def test_a_key_that_is_expected_may_look_like_base64() -> None:
    odd = encoded("just some text")
    found = shake(f"Basic {odd}", Expected(key=odd))
    assert set(found.faults) == {handshakes.PREFIX}
    assert found.authentic is True


@pytest.mark.parametrize("key", ["0a1b2c3d", KEY.upper(), "sk_test_0a1b2c3d"])
def test_a_key_without_a_known_prefix_is_told_by_its_length(key: str) -> None:
    found = shake(f"Basic {key}")
    assert set(found.faults) == {handshakes.PREFIX}
    assert found.faults[handshakes.PREFIX][2] == f"{len(key)} characters that begin otherwise"
    assert key not in told(found)


@pytest.mark.parametrize("key", [f'"{KEY}"', f"{KEY}:", f"dojo:{KEY}", f"{KEY},"])
def test_a_key_among_other_characters_is_not_the_key_as_it_is(key: str) -> None:
    found = shake(f"Basic {key}")
    assert found.faults[handshakes.KEY][2] == "the key among other characters"
    assert KEY not in told(found)


def test_ordinary_credentials_are_masked_by_what_is_secret_in_them() -> None:
    found = shake(f"Basic {encoded('dojo:pass-word')}", Expected(key=KEY))
    assert found.authentic is False
    assert "pass-word" in found.secrets
    # A user's name is none, and may be a word.
    assert "dojo" not in found.secrets


@pytest.mark.parametrize("authorization", ["Basic é", "Basic \udcff\udcfe", "Basic ====", "Basic " + "x" * 8_000])
def test_whatever_is_sent_can_be_told(authorization: str) -> None:
    found = shake(authorization, Expected(key=KEY))
    assert handshakes.PREFIX in found.faults
    assert found.authentic is False
    assert len(told(found)) < 10_000


# Who it is


@pytest.mark.parametrize(
    ("rule", "header"),
    [(handshakes.SOFTWARE_HOUSE, "software_house_id"), (handshakes.RESELLER, "reseller_id")],
)
@pytest.mark.parametrize(("value", "seen"), [(None, "none"), ("", "an empty one"), ("  ", "an empty one")])
def test_an_id_that_is_missing_is_told(rule: str, header: str, value: str | None, seen: str) -> None:
    given: dict[str, Any] = {header: value}
    found = shake(**given)
    assert set(found.faults) == {rule}
    assert found.faults[rule][1:] == ("a value", seen, None)


@pytest.mark.parametrize(
    ("rule", "header"),
    [(handshakes.SOFTWARE_HOUSE, "software_house_id"), (handshakes.RESELLER, "reseller_id")],
)
def test_another_id_than_the_expected_one_is_told(rule: str, header: str) -> None:
    expected = Expected(software_house_id="house", reseller_id="reseller")
    found = shake(expected=expected, **{header: "another"})
    assert set(found.faults) == {rule}
    assert found.faults[rule][2] == "another"
    assert found.faults[rule][1] in ("house", "reseller")


# Secrets


@pytest.mark.parametrize(
    "headers",
    [
        {"x_api_key": KEY},
        {"Cookie": f"session={KEY}; a=b"},
        {"reseller_id": KEY},
        {"software_house_id": f"house/{KEY}"},
    ],
)
def test_a_key_is_masked_wherever_it_is(headers: dict[str, str]) -> None:
    expected = Expected(software_house_id="h", reseller_id="r")
    found = shake("Basic sk_prod_something-else", expected, **headers)
    assert KEY not in told(found)
    assert KEY not in repr(found)
    assert "sk_prod_something-else" not in told(found)
    assert "software-house-id" in told(found)


def test_a_key_in_the_query_is_masked() -> None:
    found = shake(None, path=f"/epos?key={KEY}&a=1")
    assert found.path == f"/epos?key={MASK}&a=1"


def test_what_is_long_is_cut() -> None:
    found = shake(x_long="y" * 8_000, software_house_id="z" * 8_000, expected=Expected(software_house_id="h"))
    assert max(len(value) for _, value in found.headers) == 1_000
    assert len(found.faults[handshakes.SOFTWARE_HOUSE][2]) == 1_000


def test_the_nonce_of_a_handshake_is_nobodys_business() -> None:
    given: dict[str, Any] = {"Sec-WebSocket-Key": "bm9uY2U="}
    found = shake(**given)
    assert "bm9uY2U=" not in told(found)


def test_a_handshake_is_told_as_json() -> None:
    found = shake("Bearer x-y-z", software_house_id=None)
    found.refused = (401, "no")
    found.session = 3
    assert json.loads(told(found)) == {
        "path": "/epos",
        "headers": [["Authorization", f"Bearer {MASK}"], ["reseller-id", "reseller"]],
        "faults": {rule: list(fault) for rule, fault in found.faults.items()},
        "refused": [401, "no"],
        "session": 3,
    }
