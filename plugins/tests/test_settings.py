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
from epos_conformance._options import OPTIONS, Option
from epos_conformance._settings import BadSetting, KnownData, Settings, Waiver, load


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
        ("till.example", "partner-url 'till.example' is neither http:// nor https:// with a host, nor 'reference'"),
        (
            "ftp://till.example",
            "partner-url 'ftp://till.example' is neither http:// nor https:// with a host, nor 'reference'",
        ),
        ("http://", "partner-url 'http://' is neither http:// nor https:// with a host, nor 'reference'"),
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
    shown = settings(tmp_path, capabilities=["SearchOrders"]).shown()
    assert set(shown) == {each.key for each in OPTIONS}
    assert shown["capabilities"] == ["SearchOrders"]
    assert json.loads(json.dumps(shown)) == shown


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
