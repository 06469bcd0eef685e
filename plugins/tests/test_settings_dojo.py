"""
What may be asked of Dojo follows from the key, the options and the file; what makes no sense is said in one sentence.
"""

from __future__ import annotations

import json

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from epos_conformance._loading import load
from epos_conformance._options import OPTIONS
from epos_conformance._settings import DOJO_API, DojoSettings, Listen, Settings, production
from epos_conformance._values import BadSetting


URL = "http://till.example/dojo"
SANDBOX_KEY, PRODUCTION_KEY = "sk_sandbox_0123456789", "sk_prod_0123456789"

#: The options that are about Dojo.
OURS = (
    "dojo-api",
    "dojo-version",
    "flows",
    "no-flows",
    "flow-timeout",
    "register",
    "restore-registration",
    "allow-production",
    "allow-production-changes",
)


def settings(
    folder: Path, toml: str | None = None, environment: Mapping[str, str] | None = None, **options: Any
) -> Settings:
    """Settings of a run whose command line names the partner."""
    if toml is not None:
        (folder / "partner.toml").write_text(toml, encoding="utf-8")
    named = {f"epos_{name}": value for name, value in {"partner_url": URL, **options}.items()}
    found = load(named, environment or {}, folder)
    assert found is not None
    return found


def with_key(folder: Path, key: str = SANDBOX_KEY, /, **options: Any) -> Settings:
    """Settings of a run that could ask Dojo itself."""
    return settings(folder, partner_api_key=key, software_house_id="house", **options)


def refused(folder: Path, toml: str | None = None, /, **options: Any) -> str:
    with pytest.raises(BadSetting) as caught:
        settings(folder, toml, **options)
    return str(caught.value)


# Whether Dojo is asked at all


def test_without_a_key_dojo_is_not_asked(tmp_path: Path) -> None:
    assert settings(tmp_path).dojo is None


def test_a_key_and_an_id_alone_ask_dojo_without_insisting(tmp_path: Path) -> None:
    found = with_key(tmp_path)
    assert found.dojo == DojoSettings(url=DOJO_API, asked=False)
    assert not found.read_only


def test_a_key_that_is_no_key_of_dojos_is_for_the_handshake_alone(tmp_path: Path) -> None:
    assert with_key(tmp_path, "a-key-of-ours").dojo is None


def test_a_key_without_the_software_house_is_for_the_handshake_alone(tmp_path: Path) -> None:
    assert settings(tmp_path, partner_api_key=SANDBOX_KEY).dojo is None


def test_without_flows_a_key_alone_asks_nothing(tmp_path: Path) -> None:
    assert with_key(tmp_path, no_flows=True).dojo is None


@pytest.mark.parametrize("option", ["flows", "register"])
def test_who_wants_something_of_dojo_insists(tmp_path: Path, option: str) -> None:
    found = with_key(tmp_path, **{option: True}).dojo
    assert found is not None
    assert (found.url, found.asked) == (DOJO_API, True)


def test_what_nobody_sets_has_its_default(tmp_path: Path) -> None:
    found = with_key(tmp_path, flows=True).dojo
    assert found is not None
    assert (found.version, found.flows, found.flow_timeout) == ("2026-02-27", True, 120.0)
    assert not found.register
    assert not found.restore
    assert found.params == {}


# Where it is


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://api.dojo.tech", "https://api.dojo.tech"),
        ("https://api.dojo.tech/", "https://api.dojo.tech"),
        (" http://127.0.0.1:8900/dojo/ ", "http://127.0.0.1:8900/dojo"),
    ],
)
def test_dojo_is_where_it_is_named(tmp_path: Path, given: str, url: str) -> None:
    found = with_key(tmp_path, dojo_api=given)
    assert found.dojo is not None
    assert (found.dojo.url, found.dojo.sandbox, found.dojo.asked, str(found.dojo)) == (url, False, True, url)


@pytest.mark.parametrize(
    ("given", "listen", "text"),
    [
        ("sandbox", Listen("127.0.0.1", 0), "sandbox"),
        ("sandbox:", Listen("127.0.0.1", 0), "sandbox"),
        (" sandbox ", Listen("127.0.0.1", 0), "sandbox"),
        ("sandbox:8900", Listen("127.0.0.1", 8900), "sandbox:127.0.0.1:8900"),
        ("sandbox:localhost:8900", Listen("localhost", 8900), "sandbox:localhost:8900"),
        ("sandbox:[::1]:8900", Listen("::1", 8900), "sandbox:[::1]:8900"),
    ],
)
def test_the_built_in_sandbox_needs_neither_key_nor_id(tmp_path: Path, given: str, listen: Listen, text: str) -> None:
    found = settings(tmp_path, dojo_api=given).dojo
    assert found is not None
    assert (found.url, found.listen, found.sandbox, found.asked, str(found)) == (None, listen, True, True, text)


@pytest.mark.parametrize("where", ["sandbox:0.0.0.0:8900", "sandbox:[::]:8900", "sandbox:192.168.1.5:8900"])
def test_a_sandbox_that_others_can_reach_needs_a_key(tmp_path: Path, where: str) -> None:
    assert refused(tmp_path, dojo_api=where) == (
        f"dojo-api {where!r} can be reached from other machines: name the key that is to be asked for, as "
        "--partner-api-key or DOJO_API_KEY"
    )
    found = settings(tmp_path, dojo_api=where, partner_api_key=SANDBOX_KEY).dojo
    assert found is not None
    assert not found.listen.loopback


WANTED = "neither an http(s):// URL with a host nor 'sandbox' or 'sandbox:[HOST:]PORT'"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("api.dojo.tech", f"dojo-api 'api.dojo.tech' is {WANTED}"),
        ("ws://api.dojo.tech", f"dojo-api 'ws://api.dojo.tech' is {WANTED}"),
        ("https://", f"dojo-api 'https://' is {WANTED}"),
        ("SANDBOX", f"dojo-api 'SANDBOX' is {WANTED}"),
        ("sandboxes", f"dojo-api 'sandboxes' is {WANTED}"),
        ("sandbox:soon", f"dojo-api 'sandbox:soon' is {WANTED}"),
        ("sandbox:99999", f"dojo-api 'sandbox:99999' is {WANTED}"),
        ("sandbox:http://x", f"dojo-api 'sandbox:http://x' is {WANTED}"),
        ("http://dojo:port", "dojo-api 'http://dojo:port' is no URL: "),
        ("http://dojo/?a=b", "dojo-api 'http://dojo/?a=b' has a query or a fragment: give the base URL alone"),
    ],
)
def test_what_is_no_address_of_dojo_is_said(tmp_path: Path, given: str, sentence: str) -> None:
    assert refused(tmp_path, dojo_api=given, partner_api_key=SANDBOX_KEY, software_house_id="h").startswith(sentence)


def test_credentials_in_the_address_are_refused_without_being_repeated(tmp_path: Path) -> None:
    assert refused(tmp_path, dojo_api=f"https://key:{SANDBOX_KEY}@dojo.example") == (
        "dojo-api carries credentials: give the key as --partner-api-key or DOJO_API_KEY"
    )


# Options, environment, file


def test_an_option_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file, environment = 'dojo-api = "sandbox:1"', {"DOJO_API": "sandbox:2"}
    found = [
        settings(tmp_path, file, environment, dojo_api="sandbox:3").dojo,
        settings(tmp_path, file, environment).dojo,
        settings(tmp_path, file, {"DOJO_API": ""}).dojo,
    ]
    assert [each.listen.port for each in found if each] == [3, 2, 1]


def test_the_key_and_the_id_come_from_the_environment(tmp_path: Path) -> None:
    found = settings(tmp_path, None, {"DOJO_API_KEY": SANDBOX_KEY, "SOFTWARE_HOUSE_ID": "h", "RESELLER_ID": "r"})
    assert (found.api_key, found.software_house_id, found.reseller_id) == (SANDBOX_KEY, "h", "r")
    assert found.dojo is not None


def test_the_file_has_every_setting(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        f"""
        partner-api-key = "{SANDBOX_KEY}"
        software-house-id = "house"
        dojo-api = "https://dojo.example/"
        dojo-version = "2025-09-10"
        flows = true
        flow-timeout = 7.5
        register = true
        restore-registration = true

        [flow-params]
        orderId = "o-1"
        covers = 2
        tags = ["a"]
        table = {{ id = "t" }}
        """,
    )
    assert found.dojo == DojoSettings(
        url="https://dojo.example",
        version="2025-09-10",
        flow_timeout=7.5,
        register=True,
        restore=True,
        params={"orderId": "o-1", "covers": 2, "tags": ["a"], "table": {"id": "t"}},
    )


def test_the_file_may_leave_flows_out(tmp_path: Path) -> None:
    found = settings(tmp_path, 'dojo-api = "sandbox"\nno-flows = true').dojo
    assert found is not None
    assert not found.flows


def test_a_file_that_is_not_allowed_production_may_say_so(tmp_path: Path) -> None:
    found = settings(tmp_path, f'partner-api-key = "{PRODUCTION_KEY}"\nallow-production = true')
    assert found.read_only


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("flow-timeout = 'soon'", "at $['flow-timeout']"),
        ("register = 'yes'", "at $.register"),
        ("flow-params = ['orderId']", "at $['flow-params']"),
        ("dojo-version = 2026-02-27", "has a date or time where none belongs"),
        ("[flow-params]\nday = 2026-02-27", "has a date or time where none belongs"),
    ],
)
def test_what_the_file_has_wrong_is_said_with_its_place(tmp_path: Path, toml: str, words: str) -> None:
    assert words in refused(tmp_path, toml)


# What makes no sense


@pytest.mark.parametrize("wanted", ["flows", "register", "dojo-api"])
@pytest.mark.parametrize("key", [None, "a-key-of-ours", "sk_sandbo"])
def test_dojo_needs_a_key_of_its_own(tmp_path: Path, wanted: str, key: str | None) -> None:
    given: dict[str, Any] = {wanted.replace("-", "_"): DOJO_API if wanted == "dojo-api" else True}
    said = refused(tmp_path, partner_api_key=key, software_house_id="h", **given)
    assert said == (
        f"{wanted} needs a key of Dojo's, which begins with sk_sandbox_ (or sk_prod_): name it as --partner-api-key or "
        "DOJO_API_KEY"
    )


@pytest.mark.parametrize("wanted", ["flows", "register", "dojo-api"])
def test_dojo_needs_the_software_house(tmp_path: Path, wanted: str) -> None:
    given: dict[str, Any] = {wanted.replace("-", "_"): DOJO_API if wanted == "dojo-api" else True}
    assert refused(tmp_path, partner_api_key=SANDBOX_KEY, **given) == (
        f"{wanted} needs your id at Dojo: name it as --software-house-id or SOFTWARE_HOUSE_ID"
    )


def test_flows_can_not_be_both_wanted_and_unwanted(tmp_path: Path) -> None:
    assert refused(tmp_path, flows=True, no_flows=True) == "flows and no-flows exclude each other"


@pytest.mark.parametrize(("option", "file", "expected"), [("flows", "no-flows", True), ("no_flows", "flows", False)])
def test_flows_on_the_command_line_go_before_the_file(tmp_path: Path, option: str, file: str, expected: bool) -> None:
    found = settings(tmp_path, f'dojo-api = "sandbox"\n{file} = true', None, **{option: True}).dojo
    assert found is not None
    assert found.flows is expected


@pytest.mark.parametrize("key", ["a-key-of-ours", "sk_sandbo"])
def test_the_sandbox_takes_keys_of_a_sandbox_alone(tmp_path: Path, key: str) -> None:
    assert refused(tmp_path, dojo_api="sandbox", partner_api_key=key) == (
        "the built-in sandbox takes keys that begin with sk_sandbox_: name one as --partner-api-key or DOJO_API_KEY, "
        "or none"
    )


def test_the_sandbox_takes_no_production_key(tmp_path: Path) -> None:
    said = refused(tmp_path, dojo_api="sandbox", partner_api_key=PRODUCTION_KEY, allow_production=True)
    assert said.startswith("the built-in sandbox takes keys that begin with sk_sandbox_")


@pytest.mark.parametrize(
    "given", ["today", "20260227", "2026-2-27", "27-02-2026", "2026-02-30", "2026-02-27T00:00", "2026-W09-5", " "]
)
def test_a_version_is_a_date(tmp_path: Path, given: str) -> None:
    assert refused(tmp_path, dojo_api="sandbox", dojo_version=given) == (
        f"dojo-version {given!r} is no date, write YYYY-MM-DD"
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("soon", "flow-timeout 'soon' is not a number"),
        ("0", "flow-timeout 0 is out of range: give a positive number"),
        ("-1", "flow-timeout -1 is out of range: give a positive number"),
        ("inf", "flow-timeout inf is out of range: give a positive number"),
        ("nan", "flow-timeout nan is out of range: give a positive number"),
    ],
)
def test_a_bound_is_a_number_of_seconds(tmp_path: Path, given: str, sentence: str) -> None:
    assert refused(tmp_path, dojo_api="sandbox", flow_timeout=given) == sentence


def test_nothing_is_put_back_that_was_not_changed(tmp_path: Path) -> None:
    assert refused(tmp_path, dojo_api="sandbox", restore_registration=True) == (
        "restore-registration means nothing without register"
    )


def test_a_key_that_can_not_be_a_header_is_refused_without_being_repeated(tmp_path: Path) -> None:
    said = refused(tmp_path, partner_api_key="sk_sandbox_\N{SNOWMAN}", software_house_id="h")
    assert said == "partner-api-key can't be the value of a header: printable ASCII it has to be"


# Production

PROHIBITED = (
    "the key is one for production (sk_prod_): use a sandbox key, or pass --allow-production for checks that change "
    "nothing"
)


@pytest.mark.parametrize("key", [PRODUCTION_KEY, f" {PRODUCTION_KEY} "])
@pytest.mark.parametrize(
    "options", [{}, {"flows": True}, {"dojo_api": DOJO_API}, {"no_flows": True}, {"read_only": True}]
)
def test_a_production_key_is_refused_unless_allowed(tmp_path: Path, key: str, options: dict[str, Any]) -> None:
    assert refused(tmp_path, partner_api_key=key, software_house_id="h", **options) == PROHIBITED


def test_a_production_key_from_the_environment_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as caught:
        settings(tmp_path, None, {"DOJO_API_KEY": PRODUCTION_KEY})
    assert str(caught.value) == PROHIBITED


@pytest.mark.parametrize("key", [PRODUCTION_KEY, f" {PRODUCTION_KEY}"])
def test_production_that_is_allowed_is_only_read(tmp_path: Path, key: str) -> None:
    found = with_key(tmp_path, key, allow_production=True)
    assert found.read_only
    assert not found.production_changes
    assert found.dojo is not None
    assert found.shown()["allow-production"] is True


def test_production_that_is_allowed_twice_is_changed(tmp_path: Path) -> None:
    found = with_key(tmp_path, PRODUCTION_KEY, allow_production=True, allow_production_changes=True)
    assert not found.read_only
    assert found.production_changes


def test_who_wants_to_read_only_does_even_so(tmp_path: Path) -> None:
    options = {"allow_production": True, "allow_production_changes": True, "read_only": True}
    assert with_key(tmp_path, PRODUCTION_KEY, **options).read_only


def test_changes_need_leave_for_production(tmp_path: Path) -> None:
    for key in (SANDBOX_KEY, PRODUCTION_KEY):
        said = refused(tmp_path, partner_api_key=key, software_house_id="h", allow_production_changes=True)
        assert said in (PROHIBITED, "allow-production-changes means nothing without allow-production")


def test_leave_for_production_changes_nothing_for_a_sandbox_key(tmp_path: Path) -> None:
    found = with_key(tmp_path, allow_production=True)
    assert not found.read_only
    assert found.shown()["allow-production"] is False


@pytest.mark.parametrize(
    ("key", "expected"), [(None, False), ("", False), (SANDBOX_KEY, False), (PRODUCTION_KEY, True), ("sk_prod", False)]
)
def test_keys_for_real_money_are_known_by_their_beginning(key: str | None, expected: bool) -> None:
    assert production(key) is expected


# Shown


def test_every_setting_in_force_is_shown(tmp_path: Path) -> None:
    shown = with_key(tmp_path, flows=True, dojo_api="http://127.0.0.1:1").shown()
    # Whether flows are run is told once.
    assert set(shown) == {each.key for each in OPTIONS} - {"no-flows"}
    assert json.loads(json.dumps(shown)) == shown
    assert {name: shown[name] for name in OURS if name in shown} == {
        "dojo-api": "http://127.0.0.1:1",
        "dojo-version": "2026-02-27",
        "flows": True,
        "flow-timeout": 120.0,
        "register": False,
        "restore-registration": False,
        "allow-production": False,
        "allow-production-changes": False,
    }


def test_what_is_not_run_has_no_bound(tmp_path: Path) -> None:
    shown = settings(tmp_path, dojo_api="sandbox", no_flows=True, flow_timeout="3").shown()
    assert (shown["dojo-api"], shown["flows"], shown["flow-timeout"]) == ("sandbox", False, None)


def test_where_dojo_is_not_asked_that_is_shown(tmp_path: Path) -> None:
    assert settings(tmp_path).shown()["dojo-api"] is None


def test_the_key_is_in_no_representation(tmp_path: Path) -> None:
    found = with_key(tmp_path, flows=True)
    assert SANDBOX_KEY in found.secrets
    for text in (repr(found), str(found), json.dumps(found.shown())):
        assert SANDBOX_KEY not in text
    assert found.shown()["partner-api-key"] == "*****"


def test_every_option_about_dojo_is_known_here() -> None:
    assert set(OURS) <= {each.key for each in OPTIONS}
