"""
The nightly run of several partners, as a shell does it and as the steps of the workflow do.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from .support import CHECKOUT


WORKFLOW = CHECKOUT / ".ci" / "nightly.yml"

#: One partner that is fine, and one that is down.
PARTNERS = {
    "one": 'partner-url = "reference"\ndojo-api = "sandbox"\ncapabilities = ["ListAreas"]\n',
    "two": 'partner-url = "http://127.0.0.1:9"\ncapabilities = ["ListAreas"]\n',
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with partners, and the commands of the suite as scripts."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "partners").mkdir()
    for name, text in PARTNERS.items():
        (tmp_path / "partners" / f"{name}.toml").write_text(text, encoding="utf-8")
    commands = {
        "pytest": "pytest -p epos_conformance.plugin -p no:cacheprovider -k ListAreas.ids",
        "epos-report": "epos_conformance.report",
        "pip": "platform",
    }
    (tmp_path / "bin").mkdir()
    for name, module in commands.items():
        script = tmp_path / "bin" / name
        script.write_text(
            f'#!/bin/sh\nPYTHONPATH="{CHECKOUT / "plugins"}" exec "{sys.executable}" -m {module} "$@"\n',
            encoding="utf-8",
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def shell(place: Path, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PARTNER_", "PYTEST_"))}
    path = f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=place,
        env={**clean, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_script_checks_every_partner_and_keeps_history(place: Path) -> None:
    done = shell(
        place, ["bash", str(CHECKOUT / ".ci" / "nightly")], ONE_PARTNER_AUTH="dojo:one", EPOS_OPTIONS="-p no:randomly"
    )

    assert done.returncode == 1, done.stderr  # one of them is down
    assert "| one (reference) | **conformant** |" in done.stdout
    assert "**not-proven**" in done.stdout
    history = sorted(each.name.partition("-one")[0] for each in (place / "results" / "history").glob("*-one.json"))
    assert len(history) == 1
    shown = json.loads((place / "results" / "one" / "certificate.json").read_text("utf-8"))["settings"]
    assert shown["partner-auth"] == "dojo:*****"


def test_the_script_says_where_there_is_nobody(place: Path) -> None:
    done = shell(place, ["bash", str(CHECKOUT / ".ci" / "nightly"), "nobody"])

    assert done.returncode == 1
    assert "there is no partner in nobody" in done.stderr


def steps(job: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"][job]["steps"]
    return found


def script(job: str, wanted: str) -> str:
    """The command of the step of *job* that has *wanted* in it."""
    return next(str(each["run"]) for each in steps(job) if wanted in each.get("run", ""))


def test_the_steps_of_the_workflow_do_what_they_say(place: Path) -> None:
    """As GitHub runs them: bash, ending at the first failure."""
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    output = place / "output"
    done = shell(place, [*bash, script("partners", "GITHUB_OUTPUT")], GITHUB_OUTPUT=str(output))
    assert done.returncode == 0, done.stderr
    assert output.read_text("utf-8") == 'names=["one", "two"]\n'

    for name in PARTNERS:
        done = shell(place, [*bash, script("check", "pytest").replace("-n 4", "-n 0")], PARTNER=name)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (place / "reports" / "one" / "junit.xml").exists()

    # Without Allure's generator: fetching it is its own tests' part.
    merge = script("report", "epos-report merge").replace(" --allure-report", "")
    assert shell(place, [*bash, merge]).returncode == 0
    page = place / "page.md"
    done = shell(place, [*bash, script("report", "summary")], GITHUB_STEP_SUMMARY=str(page))
    assert done.returncode == 1  # one of them is down
    assert "| one (reference) | **conformant** |" in page.read_text("utf-8")


def test_the_workflow_takes_secrets_from_the_environment_alone() -> None:
    """What a matrix or a secret holds is never part of a command."""
    jobs = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]
    commands = [each["run"] for job in jobs.values() for each in job["steps"] if "run" in each]

    assert not [each for each in commands if "${{" in each]
