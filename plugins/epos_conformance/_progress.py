"""
Where a run stands while it goes on: one line that is kept up to date in a terminal, a plain line now and then in a log.

It takes the place of pytest's letters. With ``-q`` there is neither, and with ``-v`` each check has a line of its own.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

import pytest

from epos_conformance._record import Record
from epos_conformance.verdict import Outcome


if TYPE_CHECKING:
    from rich.live import Live


#: Seconds between two plain lines; a log shows how long something took, and stays short.
EVERY = 15.0
#: Seconds after which a check that goes on is named.
LONG = 2.0


def fits(config: pytest.Config) -> bool:
    """Whether the user wants to be told: neither silence nor a line for each check."""
    return _verbosity(config) == 0 and not config.option.collectonly


class Progress:
    """
    Hooks of the controlling process. *now* tells seconds.
    """

    def __init__(
        self,
        record: Record,
        reporter: pytest.TerminalReporter,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record = record
        self._reporter = reporter
        self._now = now
        #: Node id -> since when.
        self._running: dict[str, float] = {}
        self._counted: dict[str, int] = {}
        self._seen: set[str] = set()
        self._live: Live | None = None
        self._out: TextIO | None = None
        self._over = threading.Event()
        self._ticker: threading.Thread | None = None
        # The files of the suite mean nothing to a partner.
        reporter.showfspath = False

    def line(self, width: int | None = None) -> str:
        """
        Where the run stands: ``523 of 1554 examined, 2 violated; waiting for … (12 s); 1031 to go``.

        In *width* characters, where that is given: what the run waits for is cut in its middle, and what can be worked
        out is left out.
        """
        whole, done = len(self._record.selected), len(self._seen)
        told = [f"{done} of {whole} examined" if whole else f"{done} examined"]
        told += [f"{self._counted[word]} {word}" for word in _WORDS if self._counted.get(word)]
        stands, name, seconds = ", ".join(told), *self._waiting()
        left = f"; {whole - done} to go" if whole > done else ""
        waiting = f"; waiting for {name} ({seconds:.0f} s)" if name else ""
        over = 0 if width is None else len(stands + waiting + left) - width
        if over > 0:
            over, left = over - len(left), ""
        if over > 0 and name:
            waiting = f"; waiting for {name[: max(0, len(name) - over - 3)]}... ({seconds:.0f} s)"
        return stands + waiting + left

    def _waiting(self) -> tuple[str, float]:
        """The check that goes on longest, where that is worth a word, and for how many seconds."""
        now = self._now()
        # Copied at once: hooks run in another thread than the one that shows the line.
        name, since = min(dict(self._running).items(), key=lambda each: each[1], default=("", now))
        if now - since < LONG:
            return "", 0.0
        return name.partition("[")[2].rstrip("]") or name, now - since

    def say(self, text: str) -> bool:
        """Show *text* above the line; False where there is no such line."""
        if self._live is None:
            return False
        self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        return True

    # Hooks

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Any:
        """Be there while checks run, and no longer."""
        try:
            return (yield)
        finally:
            self._end()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        # Not before: until now pytest-xdist tells of its workers.
        if self._out is None:
            self._begin()
        self._running[nodeid] = self._now()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._running.pop(nodeid, None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        entry = getattr(report, "epos_result", None)
        if entry is None or report.nodeid in self._seen:
            return
        self._seen.add(report.nodeid)
        word = _word(entry)
        self._counted[word] = self._counted.get(word, 0) + 1

    def _begin(self) -> None:
        # A copy of standard output: pytest captures what is written to it while a check runs.
        self._out = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace")
        if self._reporter.isatty and os.environ.get("TERM") != "dumb":
            # Costly to import, and of no use in a log.
            from rich.console import Console
            from rich.live import Live
            from rich.text import Text

            console = Console(file=self._out, force_terminal=True)
            self._live = Live(
                get_renderable=lambda: Text(self.line(console.width), no_wrap=True, overflow="ellipsis"),
                console=console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        else:
            self._ticker = threading.Thread(target=self._tick, args=(self._out,), name="progress", daemon=True)
            self._ticker.start()

    def _tick(self, out: TextIO) -> None:
        while not self._over.wait(EVERY):
            out.write(f"{self.line()}\n")
            out.flush()

    def _end(self) -> None:
        self._over.set()
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._ticker is not None:
            self._ticker.join()
        if self._out is not None:
            self._out.close()


#: What is counted, in the order of its weight.
_WORDS = ("violated", "not proven", "recommended", "waived")


def _word(entry: Any) -> str:
    """How a check that ended so is counted; nothing is said of those that are kept, noted or not offered."""
    if entry["outcome"] == Outcome.VIOLATES:
        if "waiver" in entry:
            return "waived"
        return {"must": "violated", "should": "recommended"}.get(entry["level"], "noted")
    return "not proven" if entry["outcome"] == Outcome.INCONCLUSIVE and entry["level"] == "must" else "kept"


def shown(status: tuple[str, str, str], config: pytest.Config) -> tuple[str, str, str]:
    """*status* as pytest counts and shows it: a word with ``-v``, and no letter ever, for the line stands for all."""
    return status if _verbosity(config) > 0 else (status[0], "", "")


def _verbosity(config: pytest.Config) -> int:
    return config.get_verbosity(pytest.Config.VERBOSITY_TEST_CASES)
