"""
Reaching Dojo, once for the whole run: a sandbox is started, what is claimed is registered, and it is asked what is
registered and which flows there are.
"""

from __future__ import annotations

import contextlib

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from epos_conformance import _contracts
from epos_conformance._record import Access
from epos_conformance._settings import DOJO_API, REFERENCE, DojoSettings, Listen, Settings, production
from epos_conformance.dojo import flows, heard, registration
from epos_conformance.dojo.access import DEFAULT_KEY, DojoAccess
from epos_conformance.dojo.api import PATIENCE, Account, DojoApi
from epos_conformance.dojo.registration import Registration
from epos_conformance.exceptions import Inconclusive, NotOffered, Unanswered, Unauthorized, Unreachable


if TYPE_CHECKING:
    from epos_conformance.websocket.lines import Line


_SOFTWARE_HOUSE = "dojo-epos-conformance"

_NOT_ASKED = "not examined: there is no Dojo API in this run; pass --dojo-api=sandbox, or a key for Dojo's own"


class DojoReach:
    """
    The controlling process's dealings with Dojo; *stack* ends them.
    """

    def __init__(self, settings: Settings, stack: contextlib.ExitStack) -> None:
        self._settings = settings
        self._stack = stack
        #: None where there is none in this run; `why` then says why.
        self.access: DojoAccess | None = None
        self.why = _NOT_ASKED
        #: What the user might want to know.
        self.notes: list[str] = []
        self._before: tuple[Registration, ...] = ()
        self._registered: tuple[Registration, ...] = ()
        self._changed: dict[str, str | None] = {}

    @property
    def url(self) -> str | None:
        """Where Dojo is; None where there is none."""
        return self.access.account.url if self.access else None

    @property
    def nearby(self) -> str | None:
        """Where Dojo is, if it is a sandbox on this machine: the reference EPOS has no business with any other."""
        ours = self._settings.dojo is not None and self._settings.dojo.sandbox
        here = self.url is not None and Listen(urlsplit(self.url).hostname or "", 0).loopback
        return self.url if ours or here else None

    def open(self, leases: Path, line: Line | None, dialled: str) -> None:
        """
        Start the sandbox that was asked for, or take down where Dojo is. A sandbox shares the *leases* of the run, and
        the session that the EPOS holds at *dialled* (*line*).
        """
        settings, dojo = self._settings, self._settings.dojo
        if dojo is None:
            return
        account = Account(
            url=dojo.url or "",
            key=settings.api_key or DEFAULT_KEY,
            software_house_id=settings.software_house_id or _SOFTWARE_HOUSE,
            reseller_id=settings.reseller_id,
            version=dojo.version,
            changes=settings.production_changes or not production(settings.api_key),
        )
        self.access = DojoAccess(account, sandbox=dojo.sandbox)
        if dojo.sandbox:
            from epos_conformance.sandbox import launch

            where = dojo.listen
            try:
                running = self._stack.enter_context(
                    launch.start(
                        host=where.host,
                        port=where.port,
                        keys=(account.key,),
                        settings=settings,
                        leases=leases,
                        line=line,
                        line_url=dialled,
                    )
                )
            except OSError as error:
                self.access.blocked = f"the sandbox can't listen on {where} (--dojo-api): {error.strerror or error}"
                return
            account.url = running.url

    def register(self, reached: Mapping[str, Access]) -> None:
        """
        Register what is claimed where the user wants it, and ask what is registered and which flows there are.
        """
        dojo = self._settings.dojo
        if self.access is None or dojo is None or self.access.blocked is not None:
            return
        # A key alone is no wish to have Dojo there at any cost.
        api = DojoApi(self.access.account, patience=PATIENCE if dojo.asked else 0.0, secrets=self._settings.secrets)
        self._stack.callback(api.close)
        try:
            self._registered = self._before = registration.read(api)
            if dojo.register:
                self._put(api, reached)
                self._registered = registration.read(api)
        except Inconclusive as error:
            # Where nothing but this fails, the tester tool may be there all the same.
            if dojo.register or not dojo.asked or isinstance(error, (Unreachable, Unanswered, Unauthorized)):
                self._give_up(error, dojo)
            else:
                self.notes.append(str(error))
        if self.access is not None and self.access.blocked is None:
            self._look(api, dojo)

    def _give_up(self, error: Inconclusive, dojo: DojoSettings) -> None:
        assert self.access is not None
        if dojo.asked:
            self.access.blocked = str(error)
        else:
            self.access, self.why = None, f"not examined: {error}; pass --flows to insist"
            self.notes.append(f"Dojo isn't asked: {error}")

    def _look(self, api: DojoApi, dojo: DojoSettings) -> None:
        assert self.access is not None
        access = self.access
        if not access.sandbox and dojo.url != DOJO_API:
            access.sandbox = heard.is_sandbox(api)
        if not dojo.flows or self._settings.read_only:
            access.no_flows = "not examined: --no-flows" if not dojo.flows else "not examined: the run is --read-only"
            return
        found = flows.listed(api)
        access.flows, access.no_flows = found.flows, found.why

    def _put(self, api: DojoApi, reached: Mapping[str, Access]) -> None:
        settings = self._settings
        names = settings.capabilities
        if settings.url == REFERENCE and self.nearby is None:
            self.notes.append("nothing is registered: the reference EPOS is for a sandbox on this machine alone")
            return
        if names is None:
            if settings.url != REFERENCE:
                self.notes.append(
                    "nothing is registered: --register takes what is claimed with --capabilities or --product"
                )
                return
            names = tuple(_contracts.capabilities())
        for transport, access in reached.items():
            if access.blocked is not None:
                self.notes.append(f"nothing is registered over {transport}: {access.blocked}")
                continue
            rest = transport == "rest"
            body = registration.body(names, *((access.url, access.auth) if rest else ()))
            try:
                registration.put(api, transport, body)
            except NotOffered as error:
                self.notes.append(f"nothing is registered over {transport}: {error}")
                continue
            self._changed[transport] = access.auth if rest else None
            change = registration.difference(registration.over(self._before, transport), names)
            self.notes.append(f"registered over {transport}: {change}")

    def registered(self, transport: str) -> Sequence[str]:
        """Canonical names of what is registered over *transport*."""
        return registration.over(self._registered, transport)

    def restore(self) -> list[str]:
        """
        Put back what was registered before this run changed it, where the user wants it; what became of it.
        """
        dojo = self._settings.dojo
        if self.access is None or dojo is None or not dojo.restore:
            return []
        api, notes = DojoApi(self.access.account, secrets=self._settings.secrets), []
        for transport, auth in self._changed.items():
            body = registration.restoring(self._before, transport, auth)
            if body is None:
                notes.append(f"nothing was registered over {transport} before, and Dojo has no way to go back to that")
                continue
            try:
                registration.put(api, transport, body)
                notes.append(f"put back what was registered over {transport} before")
            except (Inconclusive, NotOffered) as error:
                notes.append(f"what was registered over {transport} before could not be put back: {error}")
        api.close()
        return notes


def events_of(access: DojoAccess | None, why: str) -> DojoApi:
    """
    The connection to a sandbox that tells what it was told. Raises `NotOffered` and `Inconclusive`.
    """
    if access is None:
        raise NotOffered(why)
    if access.blocked is not None:
        raise Unreachable(access.blocked)
    if not access.sandbox:
        raise Inconclusive(
            "Dojo doesn't tell which events it was sent: point the EPOS at the built-in one, --dojo-api=sandbox:PORT"
        )
    return DojoApi(access.account)
