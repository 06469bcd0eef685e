"""
Reaching the partner, once for the whole run: the reference EPOS is started, one that dials in is waited for, and what
is offered over each transport is found out.
"""

from __future__ import annotations

import contextlib
import math

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from epos_conformance import _offer, _offer_ws
from epos_conformance._dojo_reach import DojoReach
from epos_conformance._masking import Masker
from epos_conformance._offer import Offer
from epos_conformance._record import Access
from epos_conformance._settings import REFERENCE, Listen, Settings
from epos_conformance.exceptions import Unreachable
from epos_conformance.rest import RestTransport
from epos_conformance.transports import Transport
from epos_conformance.websocket.transport import WebSocketTransport


if TYPE_CHECKING:
    import pytest

    # Imported where there is a session: it takes a while.
    from epos_conformance.websocket.lines import Line
    from epos_conformance.websocket.station import Station


#: Seconds between two lines of the countdown where they can't be written over.
_TOLD_EVERY = 10


class Reach:
    """
    The controlling process's connections to the partner and to Dojo; *stack* closes them, *leases* is the folder of
    the run's leases.
    """

    def __init__(
        self, settings: Settings, stack: contextlib.ExitStack, leases: Path, reporter: pytest.TerminalReporter | None
    ) -> None:
        self.settings = settings
        self.dojo = DojoReach(settings, stack)
        self._leases = leases
        #: What the user might want to know.
        self.notes: list[str] = []
        self._stack = stack
        self._waiting = _Waiting(reporter)
        self._station: Station | None = None

    def find(self) -> dict[str, Access]:
        """
        Transport -> how the partner is reached over it, and what it offers there.
        """
        found = {name: Access("") for name in self.settings.transports}
        if "rest" in found:
            found["rest"] = Access(self.settings.url or "", self.settings.auth)
        if "ws" in found:
            found["ws"] = self._listen()
        self.dojo.open(self._leases, self.line(), found["ws"].url if "ws" in found else "")
        if self.settings.url == REFERENCE:
            self._start_reference(found)
        if "ws" in found and found["ws"].blocked is None:
            self._await_epos(found["ws"])
        self.dojo.register(found)
        self.notes += self.dojo.notes
        for name, access in found.items():
            if access.blocked is None:
                self._ask_what_is_offered(name, access)
            elif self.settings.capabilities is not None:
                access.offered = self.settings.capabilities
        return found

    def line(self) -> Line | None:
        """The line of this process to the session; None where there is none."""
        return self._station.line() if self._station else None

    def _listen(self) -> Access:
        assert self.settings.ws is not None
        from epos_conformance.websocket.station import Station

        station = Station(self.settings, self.settings.ws)
        try:
            self._station = self._stack.enter_context(station)
        except Unreachable as error:
            return Access(str(self.settings.ws), blocked=str(error))
        return Access(station.url, control=station.control)

    def _start_reference(self, found: Mapping[str, Access]) -> None:
        from epos_conformance.reference import launch

        dial = found["ws"].url if self._station else None
        key = {"key": self.settings.api_key} if self.settings.api_key else {}
        # A sandbox that was started elsewhere has no part in the session that ends here.
        elsewhere = self.settings.dojo is not None and not self.settings.dojo.sandbox
        over = "rest" if elsewhere else None
        running = self._stack.enter_context(launch.start(dial=dial, dojo_api=self.dojo.nearby, over=over, **key))
        found["rest"].url, found["rest"].auth = running.url, running.auth

    def _await_epos(self, access: Access) -> None:
        assert self._station is not None
        settings, listens = self.settings, isinstance(self.settings.ws, Listen)
        ours = settings.url == REFERENCE
        if listens and not ours:
            self._waiting.begin(_instructions(settings, access.url, self.dojo.url))

        def tell(left: float) -> None:
            if not ours:
                self._waiting.go_on(left, self._news())

        there = self._station.wait(settings.ws_timeout, tell)
        self._waiting.end()
        access.secrets = tuple(self._station.secrets)
        if not there:
            what = f"no EPOS dialled {access.url}" if listens else f"no session with {access.url}"
            why = f"; {self._waiting.last}" if self._waiting.last else ""
            access.blocked = f"{what} within {settings.ws_timeout:g} s{why}"

    def _news(self) -> list[str]:
        assert self._station is not None
        found = []
        while self._station.news:
            found.append(Masker([*self.settings.secrets, *self._station.secrets])(self._station.news.popleft()))
        return found

    def _ask_what_is_offered(self, name: str, access: Access) -> None:
        if self.settings.capabilities is None and (registered := tuple(self.dojo.registered(name))):
            access.offered, access.how_offered = registered, "registered"
            return
        transport = connect(self.settings, name, access, self.line())
        offer: Offer
        if isinstance(transport, WebSocketTransport):
            offer = _offer_ws.find_out(self.settings, transport)
        else:
            assert isinstance(transport, RestTransport)
            offer = _offer.find_out(self.settings, transport)
        transport.close()
        several = len(self.settings.transports) > 1
        self.notes += [f"over {name}: {each}" if several else each for each in offer.notes]
        access.offered, access.how_offered, access.blocked = offer.capabilities, offer.how, offer.blocked


def connect(settings: Settings, name: str, access: Access, line: Line | None = None) -> Transport:
    """
    The transport *name* for this process; *line* is that of the process that holds the session.
    """
    if name == "rest":
        return RestTransport(settings, access.url, access.auth)
    if line is None:
        from epos_conformance.websocket.lines import RemoteLine

        assert access.control is not None
        line = RemoteLine(*access.control)
    return WebSocketTransport(settings, access.url, line, access.secrets)


def _instructions(settings: Settings, url: str, dojo: str | None) -> list[str]:
    """What to configure at the EPOS: where to dial, and *dojo*, where Dojo's API is."""
    key = "<API key>" if settings.api_key is None else "<the key of --partner-api-key>"
    return [
        f"waiting for the EPOS, {settings.ws_timeout:g} s at most; it has to dial",
        f"    {url}",
        f"    Authorization: Basic {key}",
        f"    software-house-id: {settings.software_house_id or '<your id at Dojo>'}",
        *([f"    reseller-id: {settings.reseller_id}"] if settings.reseller_id else []),
        *([f"    Dojo's API: {dojo}"] if dojo and settings.dojo and settings.dojo.sandbox else []),
    ]


class _Waiting:
    """
    What is told while the EPOS is waited for.
    """

    def __init__(self, reporter: pytest.TerminalReporter | None) -> None:
        self._reporter = reporter
        self._told: int | None = None
        #: The latest news.
        self.last = ""

    def begin(self, lines: list[str]) -> None:
        for each in lines if self._reporter else ():
            self._write(each)

    def go_on(self, left: float, news: list[str]) -> None:
        """Tell the *news*, and every now and then that there are so many seconds *left*."""
        for each in news:
            self.last = each
            self._clear()
            self._write(each)
        seconds = math.ceil(left)
        if self._reporter is None or seconds == self._told:
            return
        if self._reporter.isatty:
            self._reporter.rewrite(f"{seconds:4d} s left ", erase=True)
            self._told = seconds
        elif seconds and (self._told is None or self._told - seconds >= _TOLD_EVERY):
            self._write(f"{seconds:4d} s left")
            self._told = seconds

    def end(self) -> None:
        self._clear()
        self._told = None

    def _clear(self) -> None:
        if self._reporter is not None and self._reporter.isatty and self._told is not None:
            self._reporter.rewrite("", erase=True)

    def _write(self, line: str) -> None:
        if self._reporter is not None:
            self._reporter.write_line(line)
            self._reporter.flush()
