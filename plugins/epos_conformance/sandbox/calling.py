"""
How a flow reaches the partner: over whatever transports are registered, at the addresses and with the credentials
that are registered.
"""

from __future__ import annotations

import contextlib
import random
import re
import tempfile

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from epos_conformance import _contracts
from epos_conformance._leases import Leases
from epos_conformance._session import Session
from epos_conformance._settings import KnownData, Settings
from epos_conformance.partner import Partner
from epos_conformance.rest import RestTransport
from epos_conformance.sandbox.intents import OwnIntents
from epos_conformance.sandbox.store import Json, Store
from epos_conformance.supply import PAYABLE
from epos_conformance.transports import Transport
from epos_conformance.websocket.transport import WebSocketTransport


if TYPE_CHECKING:
    from epos_conformance.websocket.lines import Line

#: Transport -> what people call it.
TRANSPORTS = {"rest": "REST", "ws": "WebSocket"}

#: Parameter of a flow -> the test data that it names.
DATA = {
    "orderId": "orders",
    "tableId": "tables",
    "areaId": "areas",
    "partyId": "parties",
    "reservationId": "reservations",
}

T = TypeVar("T")

_PLACE = re.compile(r"\{\w*\}")


class _Guest(WebSocketTransport):
    """
    A session that is used in the turn of whoever started the flow: a turn of its own might wait for that to end.
    """

    def take_turn(self, *, alone: bool) -> None:
        """There is nothing to wait for."""

    def end_turn(self) -> None:
        """There is nothing to give back."""


class _RunLeases(Leases):
    """
    Exclusive use is agreed on with other runs; what is found out once is found out in each run anew.

    Which orders may be paid is asked (*payable*), not tried: a flow that pays on one order has no business with others.
    """

    def __init__(self, shared: Path, own: Path) -> None:
        super().__init__(own)
        self._shared = shared
        self.payable: Callable[[], Any] | None = None

    def once(self, key: str, make: Callable[[], T]) -> T:
        asked = cast("Callable[[], T]", self.payable) if key == PAYABLE and self.payable else make
        return super().once(key, asked)

    def _path(self, key: str, suffix: str) -> Path:
        own = super()._path(key, suffix)
        return self._shared / own.name if suffix == "lock" else own


class Caller:
    """
    Dojo's side of the EPOS Data API, for the flows.

    *line* gives a line to the session of an account. *leases* are those of a run of the suite that goes on at the same
    time; without any, flows agree with each other alone.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        line: Callable[[str], Line],
        folder: Path,
        *,
        dial: str = "",
        leases: Leases | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._line = line
        self._folder = folder
        self._leases = leases
        #: What an EPOS dials.
        self.dial = dial

    def offered(self, account: str) -> dict[str, list[str]]:
        """The names that are registered over each transport, as they were registered."""
        with self._store.reading(account) as found:
            return {name: found.registered(name) for name in TRANSPORTS}

    @contextlib.contextmanager
    def partner(self, account: str, transport: str, params: Mapping[str, str]) -> Iterator[tuple[Partner, Session]]:
        """
        The partner over *transport*, where its registration is there; *params* name test data.
        """
        with self._store.reading(account) as found:
            kept = replace(found)
        settings = replace(self._settings, data=_data(self._settings.data, params), ws=None)
        connection: Transport
        if transport == "rest":
            assert kept.rest is not None
            connection = _over_rest(settings, kept.rest)
        else:
            connection = _Guest(settings, self.dial, self._line(account))
        with tempfile.TemporaryDirectory(dir=self._folder) as own:
            leases = _RunLeases(self._shared(account), Path(own))
            session = Session(
                settings,
                connection,
                canonical(kept.registered(transport)),
                self._leases or leases,
                seed=random.randrange(10_000),  # noqa: S311 - no secret
                intents=OwnIntents(self._store, account),
            )
            leases.payable = session.venue.payable_orders
            try:
                yield Partner(session), session
            finally:
                session.close()

    def _shared(self, account: str) -> Path:
        found = self._folder / account
        found.mkdir(exist_ok=True)
        return found


def canonical(names: list[str]) -> set[str]:
    """The capabilities behind registered *names*; names of nothing stand for nothing."""
    known = _contracts.names()
    return {known[each] for each in names if each in known}


def _data(known: KnownData, params: Mapping[str, str]) -> KnownData:
    named: dict[str, Any] = {DATA[name]: (value,) for name, value in params.items() if name in DATA}
    return replace(known, **named)


def _over_rest(settings: Settings, kept: Json) -> RestTransport:
    base, urls = addresses(kept["url"], canonical([each["name"] for each in kept["capabilities"]]))
    auth = f"{kept['username']}:{kept['password']}"
    # Templates that the user has for another address would lead there.
    return RestTransport(replace(settings, url=base, auth=auth, urls=urls), base, auth)


def addresses(url: str, offered: set[str]) -> tuple[str, dict[str, str]]:
    """
    The base URL that is registered with *url*, and the URLs of single capabilities where it is a template.

    A template that ends like a published path has its base before that; any other is for what takes just its ids, the
    capability that reads before others.
    """
    places = [each.strip("{}").lower() for each in _PLACE.findall(url)]
    if not places:
        return url.rstrip("/"), {}
    known = _contracts.capabilities()
    for each in known.values():
        end = _PLACE.sub("{}", each.path).lower()
        if each.ids and _PLACE.sub("{}", url).lower().endswith(end):
            parts = each.path.count("/")
            return url.rsplit("/", parts)[0], {}
    fitting = [known[name] for name in sorted(offered) if [each.name.lower() for each in known[name].ids] == places]
    fitting.sort(key=lambda each: (each.changes, each.http_method != "GET", len(each.path)))
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}", {fitting[0].name: url} if fitting else {}
