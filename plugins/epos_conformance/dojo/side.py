"""
Dojo's side, as one check sees it.
"""

from __future__ import annotations

import contextlib

from collections.abc import Callable, Collection

from epos_conformance import _contracts
from epos_conformance._settings import Settings
from epos_conformance.dojo import heard
from epos_conformance.dojo.access import DojoAccess
from epos_conformance.dojo.api import DojoApi
from epos_conformance.dojo.flows import Flow
from epos_conformance.dojo.heard import Heard
from epos_conformance.exceptions import Inconclusive, NotOffered, Unreachable
from epos_conformance.exchange import Exchange
from epos_conformance.partner import Partner
from epos_conformance.steps import Steps


class Dojo:
    """
    Dojo's API, for the length of one check; *partner_over* gives the partner over a transport, *tell* shows a line to
    whoever watches.
    """

    def __init__(
        self,
        access: DojoAccess,
        api: DojoApi,
        settings: Settings,
        offered: Collection[str],
        partner_over: Callable[[str], Partner],
        tell: Callable[[str], None],
    ) -> None:
        self.access = access
        #: Canonical names of what the partner offers over any transport.
        self.offered = offered
        self.api = api
        self.settings = settings
        self.tell = tell
        #: The conversation so far, with the partner too.
        self.exchanges: list[Exchange] = []
        self.notes: list[str] = []
        self.leftovers: list[str] = []
        self.steps = Steps()
        self._partner_over = partner_over
        self._partners: dict[str, Partner] = {}
        api.heard = self.exchanges.append

    def flow(self, case: str | None) -> Flow:
        """The flow of a check's *case*. Raises `Inconclusive` where there is none to run."""
        if case is None:
            if not self.settings.dojo or not self.settings.dojo.flows:
                raise NotOffered("not examined: --no-flows")
            raise Inconclusive(self.access.no_flows or "the EPOS tester tool lists no flows")
        return self.access.cases()[case]

    def partner(self, transport: str) -> Partner:
        """The partner over *transport*. Raises `Inconclusive` where it can't be asked."""
        if transport not in self._partners:
            if transport not in self.settings.transports:
                raise Inconclusive(f"the partner isn't examined over {transport}")
            found = self._partner_over(transport)
            found.exchanges = self.exchanges
            self._partners[transport] = found
            found.begin(alone=False)
        return self._partners[transport]

    def partners(self) -> list[Partner]:
        """The partner over each transport that it can be asked over."""
        found = []
        for each in self.settings.transports:
            with contextlib.suppress(Inconclusive):
                found.append(self.partner(each))
        return found

    def unreachable(self) -> str | None:
        """Why the partner can't be reached over any transport; None where it can, or it can't be told."""
        whys = []
        for each in self.partners():
            reads = [one for one in _contracts.capabilities().values() if not one.changes and not one.ids]
            asked = next((one.name for one in reads if each.offers(one.name)), None)
            if asked is None:
                return None
            try:
                each.call(asked)
            except Unreachable as error:
                whys.append(str(error))
                continue
            except Inconclusive:
                pass
            return None
        return "; ".join(dict.fromkeys(whys)) or "no transport is examined"

    def end(self) -> None:
        """Let go of the partner, and remove what was made there. Never raises."""
        for each in self._partners.values():
            each.end()
            self.leftovers += each.leftovers


class Events:
    """
    What the EPOS tells the sandbox.
    """

    #: Seconds in which an event has to arrive.
    LIMIT = 5.0

    def __init__(self, api: DojoApi) -> None:
        self._api = api
        self.url = api.account.url
        #: For what is shown of events.
        self.mask = api.mask

    def every(self) -> list[Heard]:
        """What arrived since the sandbox began."""
        return heard.since(self._api, 0)

    def mark(self) -> int:
        """Where the events that are still to come begin."""
        return heard.latest(self._api)

    def of(self, mark: int, type: str, member: str, id: str, limit: float = LIMIT) -> tuple[Heard | None, list[Heard]]:
        """The event of that *type* about that *id* after *mark*, once it is there, and all that came until then."""
        return heard.awaited(self._api, mark, limit, lambda each: each.tells_of(type, member, id))

    def any(self, mark: int, limit: float = LIMIT) -> bool:
        """Whether anything arrives after *mark*."""
        return bool(heard.awaited(self._api, mark, limit, lambda _: True)[1])
