"""
Settings come from options, environment, file and defaults, in that order; what makes no sense is said in one sentence.
"""

from __future__ import annotations

import base64
import datetime
import json

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _contracts
from epos_conformance._loading import load
from epos_conformance._options import OPTIONS, Option
from epos_conformance._settings import Dial, KnownData, Listen, Settings, Waiver
from epos_conformance._values import BadSetting


URL = "http://till.example/dojo"


def read(
    folder: Path, toml: str | None = None, environment: Mapping[str, str] | None = None, **options: Any
) -> Settings | None:
    """Settings as a run in *folder* gets them, with *toml* as its ``partner.toml``."""
    if toml is not None:
        (folder / "partner.toml").write_text(toml, encoding="utf-8")
    return load({f"epos_{name}": value for name, value in options.items()}, environment or {}, folder)


def settings(folder: Path, toml: str | None = None, **options: Any) -> Settings:
    """Settings of a run whose command line names the partner."""
    strict = {"strict": True} if options.pop("strict", False) else {}
    if toml is not None:
        (folder / "partner.toml").write_text(toml, encoding="utf-8")
    named = {f"epos_{name}": value for name, value in {"partner_url": URL, **options}.items()}
    found = load({**named, **strict}, {}, folder)
    assert found is not None
    return found


# Options


def test_an_option_is_called_the_same_everywhere() -> None:
    by_name = {each.name: each for each in OPTIONS}
    assert by_name["--partner-url"].key == "partner-url"
    assert by_name["--partner-url"].dest == "epos_partner_url"
    assert by_name["--strict"].dest == "strict"
    assert len(by_name) == len(OPTIONS)


def test_options_of_ours_meet_no_other_plugins() -> None:
    assert [each.name for each in OPTIONS if not each.dest.startswith("epos_")] == ["--strict"]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda each: each.key)
def test_help_is_a_phrase_with_its_environment_variable(option: Option) -> None:
    text = option.declare()["help"]
    assert not text.endswith(".")
    assert "%" not in text
    if option.environment and option.kind != "flag":
        assert text.endswith(f"(environment: {option.environment})")


def test_every_option_has_its_key_in_the_file() -> None:
    shape = json.loads((_contracts.CONTRACTS.parent / "partner.schema.json").read_text(encoding="utf-8"))
    # The file can't say where it is itself.
    assert {each.key for each in OPTIONS} - {"partner"} <= set(shape["properties"])


# Whether there is a partner at all


def test_without_a_partner_there_are_no_settings(tmp_path: Path) -> None:
    assert read(tmp_path) is None


def test_a_file_that_happens_to_lie_here_switches_nothing_on(tmp_path: Path) -> None:
    assert read(tmp_path, f'partner-url = "{URL}"') is None
    assert read(tmp_path, "this is no TOML") is None


def test_a_file_that_is_named_names_the_partner(tmp_path: Path) -> None:
    path = tmp_path / "till.toml"
    path.write_text(f'partner-url = "{URL}"', encoding="utf-8")
    found = read(tmp_path, partner=str(path))
    assert found is not None
    assert found.url == URL
    assert found.file == path


def test_a_file_without_partner_is_not_enough(tmp_path: Path) -> None:
    path = tmp_path / "till.toml"
    path.write_text("read-only = true", encoding="utf-8")
    with pytest.raises(BadSetting, match="no partner to check: pass --partner-url=URL"):
        read(tmp_path, partner=str(path))


# Precedence


def test_an_option_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = 'partner-url = "http://file"'
    environment = {"PARTNER_URL": "http://environment"}
    by_option = read(tmp_path, file, environment, partner_url="http://option")
    by_environment = read(tmp_path, file, environment)
    by_file = read(tmp_path, file, partner=str(tmp_path / "partner.toml"))
    assert [each.url for each in (by_option, by_environment, by_file) if each] == [
        "http://option",
        "http://environment",
        "http://file",
    ]


def test_an_empty_environment_variable_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, environment={"PARTNER_URL": ""}) is None
    found = read(tmp_path, 'partner-auth = "a:b"', {"PARTNER_AUTH": ""}, partner_url=URL)
    assert found is not None
    assert found.auth == "a:b"


def test_what_nobody_sets_has_its_default(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert (found.slow_after, found.fail_after, found.settle, found.max_reply) == (2.0, 10.0, 1.0, 10_485_760)
    assert found.capabilities is None
    assert found.auth is None
    assert found.file is None
    assert not found.read_only
    assert not found.strict
    assert found.reports == Path("reports").absolute()


def test_the_file_has_every_setting(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
        partner-auth = "dojo:s3cret"
        capabilities = ["SearchOrders", "GetOrderById"]
        product = ["bookings"]
        read-only = true
        strict = true
        slow-after = 1
        fail-after = 5.5
        settle = 0
        max-reply = 1000
        reports = "out"

        [pos]
        name = "Till"
        minimum-version = "7.2"

        [urls]
        GetOrderById = "https://till.example/order/{orderID}"

        [data]
        currency = "EUR"
        orders = ["o-1"]
        cancelable-orders = ["o-2"]
        tables = ["t-1"]
        items = [{ plu = "TEA", name = "Tea", amount = 250 }]
        """,
    )
    assert found.auth == "dojo:s3cret"
    assert found.products == ("bookings",)
    assert found.read_only
    assert found.strict
    assert (found.slow_after, found.fail_after, found.settle, found.max_reply) == (1.0, 5.5, 0.0, 1000)
    assert found.reports == Path("out").absolute()
    assert found.pos == {"name": "Till", "minimum-version": "7.2"}
    assert found.urls == {"GetOrderById": "https://till.example/order/{orderID}"}
    assert found.data == KnownData(
        currency="EUR",
        orders=("o-1",),
        cancelable_orders=("o-2",),
        tables=("t-1",),
        items=({"plu": "TEA", "name": "Tea", "amount": 250},),
    )


def test_flags_are_set_on_the_command_line(tmp_path: Path) -> None:
    found = settings(tmp_path, read_only=True, strict=True)
    assert found.read_only
    assert found.strict


# The partner's address


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("reference", "reference"),
        ("http://till.example", "http://till.example"),
        ("https://till.example:8443/dojo///", "https://till.example:8443/dojo"),
        (" http://[::1]:8080/ ", "http://[::1]:8080"),
    ],
)
def test_a_base_url_is_taken_without_its_last_slash(tmp_path: Path, given: str, url: str) -> None:
    assert settings(tmp_path, partner_url=given).url == url


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            "till.example",
            "partner-url 'till.example' is neither an http(s):// nor a ws(s):// URL with a host, nor 'reference'",
        ),
        (
            "ftp://till.example",
            "partner-url 'ftp://till.example' is neither an http(s):// nor a ws(s):// URL with a host, nor 'reference'",
        ),
        ("http://", "partner-url 'http://' is neither an http(s):// nor a ws(s):// URL with a host, nor 'reference'"),
        ("http://till:port", "partner-url 'http://till:port' is no URL: "),
        ("http://[::1", "partner-url 'http://[::1' is no URL: "),
        ("http://till/?a=b", "partner-url 'http://till/?a=b' has a query or a fragment: give the base URL alone"),
        ("http://till/#a", "partner-url 'http://till/#a' has a query or a fragment: give the base URL alone"),
    ],
)
def test_what_is_no_base_url_is_said(tmp_path: Path, given: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as error:
        settings(tmp_path, partner_url=given)
    assert str(error.value).startswith(sentence)


def test_credentials_in_the_url_are_refused_without_being_repeated(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as error:
        settings(tmp_path, partner_url="http://dojo:s3cret@till.example")
    assert str(error.value) == (
        "partner-url carries credentials: give them as --partner-auth=USER:PASSWORD or PARTNER_AUTH"
    )


# Credentials


@pytest.mark.parametrize("given", ["dojo:s3cret", "dojo:", "dojo:a:b"])
def test_credentials_are_user_and_password(tmp_path: Path, given: str) -> None:
    assert settings(tmp_path, partner_auth=given).auth == given


@pytest.mark.parametrize("given", ["s3cret", ":s3cret", ""])
def test_other_credentials_are_refused_without_being_repeated(tmp_path: Path, given: str) -> None:
    with pytest.raises(BadSetting) as error:
        settings(tmp_path, partner_auth=given)
    assert str(error.value) == "partner-auth is not USER:PASSWORD"


def test_secrets_are_in_no_representation(tmp_path: Path) -> None:
    found = settings(tmp_path, partner_auth="dojo:s3cret-word")
    encoded = base64.b64encode(b"dojo:s3cret-word").decode()
    assert found.secrets == ("s3cret-word", encoded)
    for text in (repr(found), str(found), json.dumps(found.shown())):
        assert "s3cret-word" not in text
        assert encoded not in text
    assert found.shown()["partner-auth"] == "dojo:*****"


def test_every_setting_in_force_is_shown(tmp_path: Path) -> None:
    shown = settings(tmp_path, capabilities=["SearchOrders"], dojo_api="sandbox").shown()
    # Whether flows are run is told once.
    assert set(shown) == {each.key for each in OPTIONS} - {"no-flows"}
    assert shown["capabilities"] == ["SearchOrders"]
    assert json.loads(json.dumps(shown)) == shown


# Sessions


def sessions(folder: Path, toml: str | None = None, **options: Any) -> Settings:
    """Settings of a run whose EPOS is reached by a session alone."""
    found = read(folder, toml, **options)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("given", "where", "text"),
    [
        ("9000", Listen("127.0.0.1", 9000), "127.0.0.1:9000"),
        (":9000", Listen("127.0.0.1", 9000), "127.0.0.1:9000"),
        (" 0 ", Listen("127.0.0.1", 0), "127.0.0.1:0"),
        ("localhost:65535", Listen("localhost", 65535), "localhost:65535"),
        ("127.0.0.2:1", Listen("127.0.0.2", 1), "127.0.0.2:1"),
        ("[::1]:9000", Listen("::1", 9000), "[::1]:9000"),
        ("::1:9000", Listen("::1", 9000), "[::1]:9000"),
        ("ws://till.example/", Dial("ws://till.example"), "ws://till.example"),
        ("WSS://till.example:8443/epos?a=b", Dial("WSS://till.example:8443/epos?a=b"), None),
    ],
)
def test_a_session_is_listened_for_or_dialled(
    tmp_path: Path, given: str, where: Listen | Dial, text: str | None
) -> None:
    found = sessions(tmp_path, partner_ws=given)
    assert found.ws == where
    assert found.url is None
    assert found.transports == ("ws",)
    assert found.shown()["partner-ws"] == str(found.ws) == (text or given)


def test_a_port_may_be_a_number_in_the_file(tmp_path: Path) -> None:
    found = sessions(tmp_path, "partner-ws = 9000", partner=str(tmp_path / "partner.toml"))
    assert found.ws == Listen("127.0.0.1", 9000)


@pytest.mark.parametrize("given", ["soon", "65536", "-1", "1e3", "9000x", "till.example", "till.example:", "²", ""])
def test_what_is_no_port_is_said(tmp_path: Path, given: str) -> None:
    with pytest.raises(BadSetting) as error:
        sessions(tmp_path, partner_ws=given, partner_url=URL)
    assert str(error.value) == f"partner-ws {given!r} is neither [HOST:]PORT nor a ws(s):// URL with a host"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("ws://", "partner-ws 'ws://' is neither [HOST:]PORT nor a ws(s):// URL with a host"),
        ("ws://till:port/", "partner-ws 'ws://till:port/' is no URL: "),
        ("ws://till/#a", "partner-ws 'ws://till/#a' has a query or a fragment: "),
        ("ws://key:sk_prod_x@till/", "partner-ws carries credentials: "),
    ],
)
def test_what_can_not_be_dialled_is_said(tmp_path: Path, given: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as error:
        sessions(tmp_path, partner_ws=given)
    assert str(error.value).startswith(sentence)
    assert "sk_prod_x" not in str(error.value)


@pytest.mark.parametrize("given", ["ws://till.example/epos", "wss://till.example/epos?venue=1"])
def test_the_url_may_be_that_of_a_session(tmp_path: Path, given: str) -> None:
    found = sessions(tmp_path, partner_url=given)
    assert (found.url, found.ws, found.transports) == (None, Dial(given), ("ws",))


def test_both_transports_may_be_named(tmp_path: Path) -> None:
    found = sessions(tmp_path, partner_url=URL, partner_ws="9000")
    assert (found.url, found.ws, found.transports) == (URL, Listen("127.0.0.1", 9000), ("rest", "ws"))


@pytest.mark.parametrize("second", ["9000", "ws://other.example/"])
def test_two_sessions_are_one_too_many(tmp_path: Path, second: str) -> None:
    with pytest.raises(BadSetting) as error:
        sessions(tmp_path, partner_url="ws://till.example/", partner_ws=second)
    assert str(error.value) == (
        f"there is one session to check, not two: partner-url 'ws://till.example/' and partner-ws {second!r}"
    )


def test_the_reference_is_examined_over_both(tmp_path: Path) -> None:
    found = settings(tmp_path, partner_url="reference")
    assert found.transports == ("rest", "ws")
    assert found.ws == Listen("127.0.0.1", 0)
    # Nobody asked for it, and the port is any.
    assert found.shown()["partner-ws"] is None
    assert settings(tmp_path, partner_url="reference", partner_ws="9000").ws == Listen("127.0.0.1", 9000)


def test_without_a_session_nothing_is_waited_for(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found.transports == ("rest",)
    assert found.shown()["partner-ws"] is None
    assert found.shown()["partner-ws-timeout"] is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "[::]", "till.local"])  # noqa: S104 - refused
def test_whoever_can_be_reached_from_elsewhere_needs_a_key(tmp_path: Path, host: str) -> None:
    with pytest.raises(BadSetting) as error:
        sessions(tmp_path, partner_ws=f"{host}:9000")
    assert str(error.value) == (
        f"partner-ws {host}:9000 can be reached from other machines: name the key that the EPOS has to dial with, as "
        "--partner-api-key or DOJO_API_KEY"
    )
    assert sessions(tmp_path, partner_ws=f"{host}:9000", partner_api_key="sk_sandbox_x").api_key == "sk_sandbox_x"


@pytest.mark.parametrize("given", ["9000", "localhost:9000", "127.8.9.1:9000", "[::1]:9000", "ws://till.example"])
def test_on_this_machine_and_where_the_suite_dials_no_key_is_needed(tmp_path: Path, given: str) -> None:
    assert sessions(tmp_path, partner_ws=given).api_key is None


# What a handshake carries


@pytest.mark.parametrize("name", ["partner_api_key", "software_house_id", "reseller_id"])
@pytest.mark.parametrize("given", ["", " ", "a\nb", "a\x00", "caf\xe9", "\ud800"])
def test_what_no_header_can_hold_is_refused_without_being_repeated(tmp_path: Path, name: str, given: str) -> None:
    with pytest.raises(BadSetting) as error:
        sessions(tmp_path, partner_ws="9000", **{name: given})
    told = str(error.value)
    assert told == f"{name.replace('_', '-')} can't be the value of a header: printable ASCII it has to be"


def test_what_a_handshake_carries_is_taken_without_blanks_around_it(tmp_path: Path) -> None:
    found = sessions(
        tmp_path, partner_ws="9000", partner_api_key=" sk_sandbox_x ", software_house_id=" a b ", reseller_id="r"
    )
    assert (found.api_key, found.software_house_id, found.reseller_id) == ("sk_sandbox_x", "a b", "r")


def test_the_key_is_a_secret(tmp_path: Path) -> None:
    found = sessions(tmp_path, partner_ws="9000", partner_api_key="sk_sandbox_hush")
    assert found.secrets == ("sk_sandbox_hush",)
    for text in (repr(found), json.dumps(found.shown())):
        assert "sk_sandbox_hush" not in text
    assert found.shown()["partner-api-key"] == "*****"
    both = sessions(tmp_path, partner_url=URL, partner_auth="dojo:s3cret-word", partner_api_key="sk_sandbox_hush")
    assert {"sk_sandbox_hush", "s3cret-word"} <= set(both.secrets)


@pytest.mark.parametrize(
    ("option", "variable", "key", "attribute"),
    [
        ("partner_api_key", "DOJO_API_KEY", "partner-api-key", "api_key"),
        ("software_house_id", "SOFTWARE_HOUSE_ID", "software-house-id", "software_house_id"),
        ("reseller_id", "RESELLER_ID", "reseller-id", "reseller_id"),
    ],
)
def test_what_a_handshake_carries_has_an_order_of_precedence(
    tmp_path: Path, option: str, variable: str, key: str, attribute: str
) -> None:
    assert {each.key: each.environment for each in OPTIONS}[key] == variable
    file = f'{key} = "of-the-file"'
    found = [
        read(tmp_path, file, {variable: "of-the-environment"}, partner_ws="9000", **{option: "of-the-option"}),
        read(tmp_path, file, {variable: "of-the-environment"}, partner_ws="9000"),
        read(tmp_path, file, {variable: ""}, partner_ws="9000"),
    ]
    assert [getattr(each, attribute) for each in found] == ["of-the-option", "of-the-environment", "of-the-file"]


def test_a_session_has_an_order_of_precedence(tmp_path: Path) -> None:
    file, environment = "partner-ws = 9003", {"PARTNER_WS": "9002"}
    found = [
        read(tmp_path, file, environment, partner_ws="9001"),
        read(tmp_path, file, environment),
        read(tmp_path, file, partner=str(tmp_path / "partner.toml")),
    ]
    assert [each.ws for each in found if each] == [Listen("127.0.0.1", port) for port in (9001, 9002, 9003)]
    # A file that happens to lie here switches nothing on.
    assert read(tmp_path, file) is None


# Certificates of our own


def test_a_certificate_and_its_key_are_a_pair(tmp_path: Path) -> None:
    files = [tmp_path / "c.pem", tmp_path / "k.pem"]
    for each in files:
        each.touch()
    found = sessions(tmp_path, partner_ws="9000", partner_ws_tls=f"{files[0]}, {files[1]}")
    assert found.ws_tls == (files[0], files[1])
    assert found.shown()["partner-ws-tls"] == f"{files[0]},{files[1]}"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{here}/c.pem", "partner-ws-tls takes two files, the certificate and its key, with a comma between them"),
        (
            "{here}/c.pem,{here}/c.pem,{here}/c.pem",
            "partner-ws-tls takes two files, the certificate and its key, with a comma between them",
        ),
        ("{here}/c.pem,{here}/none.pem", "partner-ws-tls: there is no file '{here}/none.pem'"),
        ("{here},{here}/c.pem", "partner-ws-tls: there is no file '{here}'"),
    ],
)
def test_what_is_no_pair_of_files_is_said(tmp_path: Path, given: str, sentence: str) -> None:
    (tmp_path / "c.pem").touch()
    with pytest.raises(BadSetting) as error:
        sessions(tmp_path, partner_ws="9000", partner_ws_tls=given.format(here=tmp_path))
    assert str(error.value) == sentence.format(here=tmp_path)


@pytest.mark.parametrize(("given", "expected"), [(None, 60.0), ("2.5", 2.5), ("600", 600.0)])
def test_an_epos_is_waited_for_so_many_seconds(tmp_path: Path, given: str | None, expected: float) -> None:
    more = {} if given is None else {"partner_ws_timeout": given}
    found = sessions(tmp_path, partner_ws="9000", **more)
    assert found.ws_timeout == found.shown()["partner-ws-timeout"] == expected


@pytest.mark.parametrize("given", ["0", "-1", "inf", "nan", "soon"])
def test_seconds_that_make_no_sense_are_said(tmp_path: Path, given: str) -> None:
    with pytest.raises(BadSetting, match=r"^partner-ws-timeout "):
        sessions(tmp_path, partner_ws="9000", partner_ws_timeout=given)


# What is claimed


@pytest.mark.parametrize(
    "given",
    [
        ["SearchOrders,GetOrderBillById"],
        ["SearchOrders", "GetOrderBill"],
        [" GetOrderBill , SearchOrders ,"],
        "GetOrderBill,SearchOrders",
    ],
)
def test_capabilities_are_claimed_by_any_of_their_names(tmp_path: Path, given: Any) -> None:
    assert settings(tmp_path, capabilities=given).capabilities == ("GetOrderBillById", "SearchOrders")


def test_an_event_claims_the_capability_that_handles_it(tmp_path: Path) -> None:
    found = settings(tmp_path, capabilities=["HandleEvent:payment_intent.created"])
    assert found.capabilities == ("HandleEvent",)


def test_a_product_claims_what_it_requires(tmp_path: Path) -> None:
    found = settings(tmp_path, product=["pay-at-table"], capabilities=["ListAreas"])
    assert found.capabilities == ("GetOrderById", "ListAreas", "RecordOrderPaymentById", "SearchOrders")
    assert found.products == ("pay-at-table",)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"capabilities": ["SearchOrder"]}, "'SearchOrder' is no capability; did you mean 'SearchOrders'?"),
        ({"capabilities": ["xyz"]}, "'xyz' is no capability: choose from CancelOrderById, "),
        (
            {"capabilities": ["SearchMenus"]},
            "'SearchMenus' is a preview without a published contract: it can't be checked yet",
        ),
        ({"product": ["pay-at-tabel"]}, "'pay-at-tabel' is no product; did you mean 'pay-at-table'?"),
        (
            {"product": ["xyz"]},
            "'xyz' is no product: choose from pay-at-table, qr-pay, order-and-pay, bookings",
        ),
    ],
)
def test_what_nobody_offers_can_not_be_claimed(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadSetting) as error:
        settings(tmp_path, **options)
    assert str(error.value).startswith(sentence)


# Numbers and files


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"slow_after": "soon"}, "slow-after 'soon' is not a number"),
        ({"fail_after": "0"}, "fail-after 0 is out of range: give a positive number"),
        ({"fail_after": "-1"}, "fail-after -1 is out of range: give a positive number"),
        ({"fail_after": "inf"}, "fail-after inf is out of range: give a positive number"),
        ({"fail_after": "nan"}, "fail-after nan is out of range: give a positive number"),
        ({"settle": "-0.5"}, "settle -0.5 is out of range: give a number of at least 0"),
        ({"max_reply": "0"}, "max-reply 0 is out of range: give a positive number"),
        (
            {"slow_after": "20"},
            "slow-after (20 s) is above fail-after (10 s): nothing could be slow",
        ),
        ({"partner_ca": "nowhere.pem"}, "partner-ca: there is no file 'nowhere.pem'"),
    ],
)
def test_a_value_that_makes_no_sense_is_said(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadSetting) as error:
        settings(tmp_path, **options)
    assert str(error.value) == sentence


def test_a_file_of_authorities_is_found(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.touch()
    assert settings(tmp_path, partner_ca=str(path)).ca == path


# The file


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("partner-url = ", " is not TOML: "),
        ('parter-auth = "a:b"', "'parter-auth' was unexpected); did you mean 'partner-auth'?"),
        ('[data]\ntable = ["1"]', "'table' was unexpected); did you mean 'tables'?"),
        ('[data]\ncurrency = "USD"', "at $.data.currency: 'USD' is not one of ['GBP', 'EUR']"),
        ("strict = 1", "at $.strict: 1 is not of type 'boolean'"),
        ('[urls]\nListAreas = "areas"', "at $.urls.ListAreas: 'areas' does not match "),
        ('[data]\nitems = [{ plu = "A" }]', "at $.data.items[0]: "),
        ("[data]\norders = [1]", "at $.data.orders[0]: 1 is not of type 'string'"),
        ('[[waivers]]\nrule = "a.b"\nreason = "c"', "at $.waivers[0]: 'until' is a required property"),
        ("strict = 2026-01-01", "has a date or time where none belongs"),
        ("reports = 12:00:00", "has a date or time where none belongs"),
    ],
)
def test_a_mistake_in_the_file_is_said_with_its_place(tmp_path: Path, toml: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as error:
        settings(tmp_path, toml)
    assert str(tmp_path / "partner.toml") in str(error.value)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_capability_in_the_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="'ListArea' is no capability; did you mean 'ListAreas'"):
        settings(tmp_path, '[urls]\nListArea = "/areas"')


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"can't read .*nowhere\.toml: No such file"):
        settings(tmp_path, partner=str(tmp_path / "nowhere.toml"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="can't read"):
        settings(tmp_path, partner=str(tmp_path))


def test_a_file_in_another_encoding_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "partner.toml").write_bytes(b'reports = "\xe4"')
    with pytest.raises(BadSetting, match="is not TOML"):
        settings(tmp_path)


# Waivers


@pytest.mark.parametrize("until", ["2027-03-31", '"2027-03-31"', "2027-03-31T10:00:00"])
def test_a_waiver_has_a_rule_a_reason_and_a_last_day(tmp_path: Path, until: str) -> None:
    found = settings(tmp_path, f'[[waivers]]\nrule = "rest.a-fact"\nreason = "Agreed"\nuntil = {until}')
    assert found.waivers == (Waiver(rule="rest.a-fact", reason="Agreed", until=datetime.date(2027, 3, 31)),)


def test_a_waiver_counts_on_its_last_day_and_no_longer() -> None:
    waiver = Waiver(rule="rest.a-fact", reason="Agreed", until=datetime.date(2027, 3, 31))
    assert not waiver.ended(datetime.date(2027, 3, 31))
    assert waiver.ended(datetime.date(2027, 4, 1))
    assert Waiver(rule="a.b", reason="c", until=datetime.date(2020, 1, 1)).ended()


@pytest.mark.parametrize("until", ["31.3.2027", "2027-02-30", "soon"])
def test_a_waiver_until_no_date_is_refused(tmp_path: Path, until: str) -> None:
    with pytest.raises(BadSetting) as error:
        settings(tmp_path, f'[[waivers]]\nrule = "rest.a-fact"\nreason = "Agreed"\nuntil = "{until}"')
    assert until in str(error.value)
    assert "\n" not in str(error.value)
