"""
What the documents say is so: options, settings, rules and commands that they name exist, and none is left out.
"""

from __future__ import annotations

import re

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _contracts, _loading, _options, _rules, _settings, _suite
from epos_conformance.reference import faults
from epos_conformance.report import cli
from epos_conformance.verdict import Outcome, Verdict

from .support import CHECKOUT


EXAMPLE = (_suite.FIXTURES / "partner.example.toml").read_text(encoding="utf-8")
README, CONTRIBUTING, CHANGELOG = (
    (CHECKOUT / f"{name}.md").read_text(encoding="utf-8") for name in ("README", "CONTRIBUTING", "CHANGELOG")
)
CI = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")


def load(folder: Path, text: str) -> _settings.Settings:
    path = folder / "partner.toml"
    path.write_text(text, encoding="utf-8")
    found = _loading.load({"epos_partner": str(path)}, {}, folder)
    assert found is not None
    return found


def switched_on(text: str) -> str:
    """*text* with the settings that stand in it as ``#name = value``."""
    return re.sub(r"(?m)^#(?=[a-z-]+ = )", "", text)


# partner.example.toml


def test_the_example_is_valid(tmp_path: Path) -> None:
    settings = load(tmp_path, EXAMPLE)

    assert settings.products == ("pay-at-table",)
    assert settings.capabilities is not None
    assert {"SearchOrders", "CreateOrderLock"} <= set(settings.capabilities)
    assert settings.urls["GetOrderById"] == "/orders/{orderID}"
    assert settings.data.orders == ("1042", "1043")


def test_the_example_is_valid_with_all_of_it_switched_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("till-ca.pem", "till.pem", "till-key.pem"):
        Path(name).touch()
    assert cli.main(["keygen", "signing-key.pem"]) == 0
    settings = load(tmp_path, switched_on(EXAMPLE))

    assert settings.auth == "dojo:a-password"
    assert settings.transports == ("rest", "ws")
    assert settings.strict
    assert settings.data.cancelable_orders == ("1050",)


def test_the_example_names_every_key() -> None:
    written = set(re.findall(r"(?m)^([a-z-]+) = ", switched_on(EXAMPLE)))
    written |= set(re.findall(r"(?m)^\[+([a-z.-]+)\]+$", EXAMPLE))
    assert set(keys(_suite.read_json(_suite.FIXTURES / "partner.schema.json"))) <= {
        *written,
        "items",  # written as [[data.items]]
    }


def keys(shape: Mapping[str, Any]) -> Iterator[str]:
    for name, each in shape.get("properties", {}).items():
        yield name
        yield from keys(each)
        yield from keys(each.get("items", {}))


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, EXAMPLE)
    default = _settings.Settings(url="")
    for name in ("slow_after", "fail_after", "settle", "race_rounds", "depth", "max_reply"):
        assert getattr(settings, name) == getattr(default, name), name


def test_the_example_waives_a_rule_that_exists(tmp_path: Path) -> None:
    for waiver in load(tmp_path, EXAMPLE).waivers:
        assert waiver.rule in _rules.rules()


def test_the_readme_shows_the_example_whole() -> None:
    assert f"```toml\n{EXAMPLE}```" in README


# README


@pytest.mark.parametrize("option", _options.OPTIONS, ids=lambda option: option.key)
def test_the_readme_tells_of_every_option(option: _options.Option) -> None:
    (row,) = [line for line in README.splitlines() if re.match(rf"\| `{option.name}[`=]", line)]
    assert option.environment is None or f"`{option.environment}`" in row


def test_the_readme_tells_of_no_other_option() -> None:
    ours = {option.name for option in _options.OPTIONS}
    rows = set(re.findall(r"(?m)^\| `(--[a-z-]+)", README))
    assert rows == ours


def test_the_readme_explains_every_word() -> None:
    for word in (*Outcome, *Verdict):
        assert f"`{word}`" in README, word


def test_the_readme_names_every_product() -> None:
    for name in _contracts.products():
        assert f"`{name}`" in README, name


def test_rules_defects_and_variants_in_the_documents_exist() -> None:
    for text in (README, CONTRIBUTING, CHANGELOG, EXAMPLE):
        for id in re.findall(r"\b([A-Z][A-Za-z]+\.[a-z]+(?:-[a-z]+)+|rest\.[a-z]+(?:-[a-z]+)+)\b", text):
            assert id in _rules.rules(), id
        for template in re.findall(r"`(\*\.[a-z]+(?:-[a-z]+)+)`", text):
            assert template in _rules.by_template(), template
        for name in re.findall(r"--defect[ =]([a-z-]+)", text):
            assert name in faults.defects(), name
        for name in re.findall(r"--variant[ =]([a-z-]+)", text):
            assert name in faults.variants(), name


def test_files_in_the_documents_exist() -> None:
    for text in (README, CONTRIBUTING):
        for name in re.findall(r"`((?:conformance|fixtures|plugins|\.ci)/[\w./-]*)`", text):
            assert (CHECKOUT / name).exists(), name


# Commands


def commands() -> list[str]:
    """The README's commands that set up an environment and run something in it."""
    prepare = "python3 -m venv .venv && . .venv/bin/activate && "
    return [line.removeprefix(prepare) for line in README.splitlines() if line.startswith(prepare)]


def test_the_readme_has_one_command_for_the_checks_and_one_for_the_tests() -> None:
    assert commands() == [
        "pip install . && pytest --partner-url=reference",
        'pip install ".[tests]" && pytest plugins/tests -n 4 --dist worksteal',
    ]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_readme_are_run_before_a_change_is_merged(command: str) -> None:
    assert f"step . '{command}'" in CI


def test_the_changelog_tells_of_this_version() -> None:
    version = re.search(r'(?m)^version = "(.+)"$', (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    assert version is not None
    assert re.search(rf"(?m)^## \[{re.escape(version[1])}\] - \d{{4}}-\d\d-\d\d$", CHANGELOG)


def test_the_changelog_names_the_checks_by_template() -> None:
    path = _suite.CHECKS / "pending.txt"  # gone once every rule has a check
    pending = path.read_text(encoding="utf-8").split() if path.exists() else []
    for template in _rules.by_template():
        if template not in pending and template.startswith("*."):
            assert f"`{template}`" in CHANGELOG, template


# CONTRIBUTING


def test_the_code_in_the_guide_is_that_of_the_suite() -> None:
    folders = (CHECKOUT / "conformance", CHECKOUT / "plugins" / "epos_conformance", CHECKOUT / "fixtures")
    written = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".py", ".toml")
    )
    blocks = re.findall(r"```(?:python|toml)\n(.*?)```", CONTRIBUTING, re.DOTALL)
    assert blocks
    for block in blocks:
        assert block in written, block
