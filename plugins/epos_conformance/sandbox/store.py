"""
What the sandbox keeps of each account: registrations, payment intents, runs of flows; and every event that arrived.

In memory, or in a JSON file that is written whole after each change. Safe to use from several threads.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import threading

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


FORMAT = "dojo-sandbox-state/1"

#: What is kept of each; the oldest go first.
MOST_EVENTS, MOST_INTENTS, MOST_RUNS = 10_000, 10_000, 1_000

Json = dict[str, Any]


class BrokenState(ValueError):
    """
    A state file that can't be used; the text is one sentence.
    """


@dataclass(slots=True)
class Account:
    """
    What belongs to one key, as JSON values.
    """

    #: ``{url, username, password, capabilities: [{name, version, updatedAt}], createdAt}``; None before the first.
    rest: Json | None = None
    #: The same without URL and credentials.
    ws: Json | None = None
    #: Payment intents by id.
    intents: dict[str, Json] = field(default_factory=dict)
    #: Results of flows by id.
    runs: dict[str, Json] = field(default_factory=dict)

    def registered(self, transport: str) -> list[str]:
        """The names that are registered for ``rest`` or ``ws``, as they were registered."""
        kept: Json | None = getattr(self, transport)
        return [each["name"] for each in kept["capabilities"]] if kept else []


class Store:
    """
    All accounts; kept in *file* where one is named.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.RLock()
        self._accounts: dict[str, Account] = {}
        #: ``{account, number, …}``, oldest first; those that nobody can be found for belong to None.
        self._events: deque[Json] = deque(maxlen=MOST_EVENTS)
        self._latest = 0
        if file is not None and file.exists():
            self._load(file)

    @contextlib.contextmanager
    def changing(self, account: str) -> Iterator[Account]:
        """
        The account, to be changed by the caller alone; kept when that is done, and not where it fails.
        """
        with self._lock:
            found = self._accounts.setdefault(account, Account())
            yield found
            _forget(found.intents, MOST_INTENTS)
            _forget(found.runs, MOST_RUNS)
            self._save()

    @contextlib.contextmanager
    def reading(self, account: str) -> Iterator[Account]:
        """The account as it is; the caller changes nothing."""
        with self._lock:
            yield self._accounts.get(account) or Account()

    def record(self, account: str | None, event: Json) -> int:
        """
        Keep an *event* that arrived; its number, the first of which is 1.
        """
        with self._lock:
            self._latest += 1
            self._events.append({"account": account, "number": self._latest, **event})
            self._save()
            return self._latest

    def events(self, account: str, after: int) -> list[Json]:
        """
        The events above the number *after* that are the account's, or may be.
        """
        with self._lock:
            return [
                {name: value for name, value in each.items() if name != "account"}
                for each in self._events
                if each["number"] > after and each["account"] in (account, None)
            ]

    @property
    def latest(self) -> int:
        """The number of the latest event of all; 0 before the first."""
        return self._latest

    # The file

    def _save(self) -> None:
        if self._file is None:
            return
        state = {
            "format": FORMAT,
            "latest": self._latest,
            "events": list(self._events),
            "accounts": {id: asdict(each) for id, each in self._accounts.items()},
        }
        new = self._file.with_name(f"{self._file.name}.new")
        # It has passwords: nobody else's business from its first moment on.
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
            json.dump(state, opened)
        new.replace(self._file)

    def save(self) -> None:
        """Write the file; raises `BrokenState` where it can't be."""
        try:
            with self._lock:
                self._save()
        except OSError as error:
            raise BrokenState(f"cannot write {self._file}: {error.strerror or error}") from None

    def _load(self, file: Path) -> None:
        try:
            state = json.loads(file.read_text(encoding="utf-8"))
            if state["format"] != FORMAT:
                raise BrokenState(f"{file} is of the format {str(state['format'])[:40]!r}, not {FORMAT!r}")
            self._accounts = {str(id): Account(**each) for id, each in state["accounts"].items()}
            self._events.extend(state["events"])
            self._latest = int(state["latest"])
            for account in self._accounts.values():
                for run in account.runs.values():
                    _abandon(run)
        except BrokenState:
            raise
        except OSError as error:
            raise BrokenState(f"cannot read {file}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BrokenState(f"{file} is no state of a sandbox: name another file, or remove it") from None


def _abandon(run: Json) -> None:
    """A flow that ran when the sandbox was ended has come to no result."""
    if run["status"] != "IN_PROGRESS":
        return
    run["status"], run["finishedAt"] = "FAILURE", instant()
    for step in run.get("steps", ()):
        if step["status"] == "IN_PROGRESS":
            step |= {"status": "FAILURE", "finishedAt": run["finishedAt"]}
            step["additionalInformation"] = ["the sandbox was ended while this ran: start the flow again"]


def _forget(kept: dict[str, Json], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]


def instant(moment: float | None = None) -> str:
    """*moment*, seconds since the epoch, or now, as Dojo writes it: UTC, to the millisecond."""
    found = (
        datetime.datetime.now(datetime.UTC) if moment is None else datetime.datetime.fromtimestamp(moment, datetime.UTC)
    )
    return found.strftime("%Y-%m-%dT%H:%M:%S.") + f"{found.microsecond // 1000:03d}Z"
