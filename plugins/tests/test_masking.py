"""
Secrets are masked in every form they take on the way.
"""

from __future__ import annotations

import base64
import json

from urllib.parse import quote

import pytest

from epos_conformance import _masking
from epos_conformance._masking import MASK, Masker


SECRET = 'p"ä\\ss /1'


@pytest.mark.parametrize(
    "form",
    [SECRET, quote(SECRET), quote(SECRET, safe=""), json.dumps(SECRET)[1:-1], repr(SECRET)[1:-1]],
    ids=["plain", "in a path", "in a query", "in JSON", "in a representation"],
)
def test_a_secret_is_masked_in_each_of_its_forms(form: str) -> None:
    assert Masker([SECRET])(f"<{form}> and <{form}>") == f"<{MASK}> and <{MASK}>"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    assert Masker(["pass", "password"])("password, pass") == f"{MASK}, {MASK}"


@pytest.mark.parametrize("secret", ["", "a", "ab"])
def test_what_is_too_short_to_be_secret_is_left_alone(secret: str) -> None:
    assert Masker([secret])("a table by a window, abc") == "a table by a window, abc"


def test_other_text_stays_as_it_is() -> None:
    assert Masker(["secret"])("nothing of the kind") == "nothing of the kind"
    assert Masker()("nothing secret") == "nothing secret"


def test_the_password_is_secret_and_so_are_the_encoded_credentials() -> None:
    encoded = base64.b64encode(b"dojo:s3cret:x").decode()
    assert _masking.of_basic("dojo:s3cret:x") == ["s3cret:x", encoded]
    assert (
        Masker(_masking.of_basic("dojo:s3cret:x"))(f"dojo, s3cret:x, Basic {encoded}") == f"dojo, {MASK}, Basic {MASK}"
    )


def test_an_empty_password_is_no_secret() -> None:
    assert "" not in _masking.of_basic("dojo:")
