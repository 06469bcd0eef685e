"""
Whoever watches a run knows where it stands: in a terminal at once, in a log now and then, and never unasked.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from epos_conformance._progress import Progress
from epos_conformance._record import Record
from epos_conformance._settings import Settings

from .support import CHECKOUT, run_suite


URL = "http://till.example"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def progress(*selected: str, clock: Clock | None = None) -> Progress:
    record = Record(Settings(url=URL), selected=set(selected))
    reporter: Any = SimpleNamespace(isatty=False, showfspath=True)
    return Progress(record, reporter, now=clock or Clock())


def ended(found: Progress, name: str, outcome: str = "conforms", level: str = "must", **more: Any) -> None:
    report: Any = SimpleNamespace(
        nodeid=f"test_x.py::test_y[{name}]", epos_result={"outcome": outcome, "level": level, **more}
    )
    found.pytest_runtest_logreport(report)
    found.pytest_runtest_logfinish(report.nodeid)


def test_what_was_found_is_counted_by_its_weight() -> None:
    found = progress(*"abcdefghij")
    ended(found, "a")
    ended(found, "b", "violates")
    ended(found, "c", "violates", "should")
    ended(found, "d", "violates", "info")
    ended(found, "e", "violates", waiver={"reason": "known", "until": "2027-01-01"})
    ended(found, "f", "inconclusive")
    ended(found, "g", "inconclusive", "should")
    ended(found, "h", "not-offered")
    ended(found, "i", "conforms", waiver={"reason": "known", "until": "2027-01-01"})
    assert found.line() == "9 of 10 examined, 1 violated, 1 not proven, 1 recommended, 1 waived; 1 to go"


def test_a_check_counts_once_however_often_it_is_reported() -> None:
    found = progress("a", "b")
    ended(found, "a", "violates")
    ended(found, "a", "violates")
    found.pytest_runtest_logreport(SimpleNamespace(nodeid="a"))  # type: ignore[arg-type]  # pytest's own, of a set-up
    assert found.line() == "1 of 2 examined, 1 violated; 1 to go"


def test_when_all_is_done_nothing_is_to_go() -> None:
    found = progress("a")
    ended(found, "a")
    assert found.line() == "1 of 1 examined"


def test_what_takes_long_is_named_and_the_longest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    found = progress("a", "b", clock=clock)
    monkeypatch.setattr(found, "_begin", lambda: None)
    found.pytest_runtest_logstart("test_x.py::test_y[rest-a]")
    clock.now += 1.9
    assert found.line() == "0 of 2 examined; 2 to go"
    found.pytest_runtest_logstart("test_x.py::test_y[rest-b]")
    clock.now += 2.1
    assert found.line() == "0 of 2 examined; waiting for rest-a (4 s); 2 to go"
    ended(found, "rest-a")
    assert found.line() == "1 of 2 examined; waiting for rest-b (2 s); 1 to go"


def test_in_a_narrow_terminal_what_is_waited_for_is_cut_and_never_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    found = progress("a", "b", clock=clock)
    monkeypatch.setattr(found, "_begin", lambda: None)
    found.pytest_runtest_logstart("test_x.py::test_y[rest-CreateOrderLock.frees-the-order]")
    clock.now += 12
    whole = found.line()
    assert found.line(len(whole)) == whole
    assert found.line(len(whole) - 1) == "0 of 2 examined; waiting for rest-CreateOrderLock.frees-the-order (12 s)"
    for width in (40, 50, 60):
        line = found.line(width)
        assert len(line) == width
        assert re.fullmatch(r"0 of 2 examined; waiting for [\w.-]*\.\.\. \(12 s\)", line), line


HURRY = "from epos_conformance import _progress\n_progress.EVERY = 0.02\n"


def hurried(folder: Path) -> dict[str, str]:
    """An environment in which ``-p hurry`` makes plain lines frequent."""
    (folder / "hurry.py").write_text(HURRY, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(CHECKOUT / "plugins")))}


@pytest.mark.parametrize(
    ("arguments", "told"), [([], True), (["-n2"], True), (["-q"], False), (["-v"], False), (["--collect-only"], False)]
)
def test_a_log_has_plain_lines_but_for_the_silent_and_the_verbose(
    arguments: list[str], told: bool, tmp_path: Path
) -> None:
    run = run_suite(
        tmp_path,
        "--partner-url=reference",
        "-k",
        "Areas and rest",
        "-p",
        "hurry",
        *arguments,
        environment=hurried(tmp_path),
    )
    assert run.status == 0, run.output
    assert bool(re.search(r"^\d+ of 21 examined; \d+ to go$", run.output, re.MULTILINE)) is told
    # Nothing is left of pytest's letters: neither beside the line, nor where silence was asked for.
    assert not re.search(r"^[.FErwi?-]{3,}", run.output, re.MULTILINE)
    assert "\x1b" not in run.output


def in_a_terminal(folder: Path, *arguments: str) -> str:
    """What a run writes to a terminal."""
    primary, secondary = pty.openpty()
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "plugins"), "TERM": "xterm-256color", "COLUMNS": "100"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "epos_conformance.plugin", *arguments]
    told = b""
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=secondary, stdout=secondary, stderr=secondary
    ) as run:
        os.close(secondary)
        try:
            while part := os.read(primary, 65536):
                told += part
        except OSError:
            pass  # so a terminal says on Linux that nobody writes to it any more
    os.close(primary)
    assert run.returncode == 0, told
    return told.decode()


@pytest.mark.parametrize("processes", [[], ["-n2"]])
def test_a_terminal_has_one_line_that_goes_in_the_end(processes: list[str], tmp_path: Path) -> None:
    told = in_a_terminal(tmp_path, "--partner-url=reference", "-k", "Lock and rest", *processes)
    (every,) = re.findall(r"(\d+) passed", told)
    stands = [int(done) for done in re.findall(rf"\r\x1b\[2K(\d+) of {every} examined", told)]
    assert len(stands) > 3, told
    assert stands == sorted(stands)
    assert re.search(rf"\d+ of {every} examined; \d+ to go", told), told
    # Cleared, and the cursor back, before the summary.
    assert re.search(r"\x1b\[\?25h\r\x1b\[1A\x1b\[2K[^\n]*\n[^\n]*EPOS conformance", told), told
