"""
One process's dealings with the partner over one transport: the connection, its health, the venue, and what was made.

Lives as long as the process; a check sees it through its own `Partner`.
"""

from __future__ import annotations

import contextlib

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from filelock import FileLock

from epos_conformance import _contracts
from epos_conformance._leases import Leases
from epos_conformance._settings import IntentSource, Settings
from epos_conformance.exceptions import Inconclusive, SessionLost, Unanswered, Unauthorized, Unreachable
from epos_conformance.exchange import Exchange
from epos_conformance.intents import Commanded, Intents, Supplied
from epos_conformance.transports import DOJO_HEADERS, Transport
from epos_conformance.venue import Venue


#: Calls in a row without any answer, after which the partner counts as gone.
_PATIENCE = 3
#: Sessions in a row that ended under a call: it costs one to find out what an EPOS can't bear.
_LOSSES = 8
#: Calls of one capability in a row that ran into the time limit, after which it isn't asked again.
_CAPABILITY_PATIENCE = 2


@dataclass(slots=True)
class Made:
    """
    Something that the suite made at the partner and has to remove again.
    """

    #: ``order``, ``party``, ``reservation``, ``lock``, ``payment``.
    kind: str
    ids: Mapping[str, str]
    #: The capability that removes it; None where nothing does.
    removed_by: str | None
    #: What was sent for it and what was answered, as JSON values.
    sent: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    answer: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.kind} " + ", ".join(f"{name} {value}" for name, value in self.ids.items())


@dataclass(slots=True)
class _Health:
    """What recent calls say about the partner's being there."""

    failures: int = 0
    losses: int = 0
    timeouts: dict[str, int] = field(default_factory=dict)
    #: Whether the credentials were good for anything yet.
    authorized: bool = False


class Session:
    """
    The partner as this process knows it.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        offered: Iterable[str],
        leases: Leases,
        *,
        blocked: str | None = None,
        seed: int = 0,
        intents: Intents | None = None,
    ) -> None:
        self.settings = settings
        self.transport = transport
        self.offered = frozenset(offered)
        self.leases = leases
        #: Why nothing can be examined any more.
        self.blocked = blocked
        self._blocked_by: type[Inconclusive] = Unreachable
        self._health = _Health()
        self.venue = Venue(self.ask, self.offered, settings.data, seed, self._intents(settings.intents) or intents)
        #: What is made once and used by many checks: kind -> the thing, or why it couldn't be made.
        self.pool: dict[str, Made | str] = {}
        #: Taken out of the pool because a check left it unfit for others; removed at the end.
        self.spent: list[Made] = []
        self.leftovers: list[str] = []
        #: Seconds that reads were seen to lag behind writes.
        self.lag = 0.0
        #: What was told once for many checks: see `Partner.once`.
        self.told: dict[str, Any] = {}
        #: What was used up, held until the end so that no other process takes it.
        self._used: dict[str, FileLock] = {}

    def _intents(self, source: IntentSource) -> Intents | None:
        """Those that the user names; None where none are."""
        if source.ids:
            return Supplied(source.ids, self.use_up)
        return Commanded(source.command) if source.command else None

    def ask(
        self,
        name: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        log: list[Exchange] | None = None,
    ) -> Exchange:
        """
        Call the capability *name*, keep watch over the partner's health, and append the exchange to *log*.

        Raises `Unreachable`, `Unanswered` or `BrokenAnswer` where there is no answer, `Unauthorized` where the
        credentials are refused. An error that the partner answers is an `Exchange` like any other.
        """
        self.refuse_to_wait(name)
        exchange = self.transport.call(
            _contracts.capabilities()[name], params, DOJO_HEADERS if headers is None else headers
        )
        if log is not None:
            log.append(exchange)
        # With headers of a check's own, a refusal is an answer to them.
        if headers is None or exchange.status != 401:
            self.watch(exchange)
        return exchange

    def refuse_to_wait(self, name: str | None) -> None:
        """
        Raise at once where waiting again would teach nothing.
        """
        if self.blocked is not None:
            raise self._blocked_by(self.blocked)
        if name is not None and self._health.timeouts.get(name, 0) >= _CAPABILITY_PATIENCE:
            limit = self.settings.fail_after
            raise Unanswered(
                f"{name} wasn't answered within {limit:g} s {_CAPABILITY_PATIENCE} times in a row; not asked again"
            )

    def refuse_the_gone(self) -> None:
        """
        Raise at once where nobody is there any more; somebody who doesn't answer may be asked in another way.
        """
        if self.blocked is not None and issubclass(self._blocked_by, Unreachable):
            raise self._blocked_by(self.blocked)

    def watch(self, exchange: Exchange) -> None:
        """
        Take note of how *exchange* went; raise the reason where it brought no answer.
        """
        health, name = self._health, exchange.capability
        failure = exchange.failure
        if failure is None:
            health.failures = health.losses = 0
            if name is not None:
                health.timeouts.pop(name, None)
            if exchange.status == 401:
                raise self._unauthorized(exchange)
            if exchange.answer is not None and 300 <= exchange.status < 400:
                target = exchange.answer.header("location")
                raise Inconclusive(f"the partner redirects to {target}; not followed: check --partner-url")
            health.authorized = health.authorized or exchange.status < 400
            return
        if isinstance(failure, (Unreachable, Unanswered)):
            health.failures += 1
        if isinstance(failure, Unanswered) and name is not None:
            health.timeouts[name] = health.timeouts.get(name, 0) + 1
        if isinstance(failure, SessionLost):
            health.losses += 1
        if health.losses >= _LOSSES:
            self._blocked_by = Unreachable
            self.blocked = f"the EPOS has lost its session under {_LOSSES} calls in a row ({failure})"
        if health.failures >= _PATIENCE:
            self._blocked_by = type(failure)
            self.blocked = f"the partner has been unreachable for {_PATIENCE} calls in a row ({failure})"
        raise failure

    def _unauthorized(self, exchange: Exchange) -> Inconclusive:
        given = self.transport.auth
        if self._health.authorized:
            text = f"{exchange.capability} answers 401 to the credentials that the partner accepts elsewhere"
            return Unauthorized(text, elsewhere=True)
        hint = "check --partner-auth" if given else "pass --partner-auth=USER:PASSWORD"
        return Unauthorized(f"the partner refuses the credentials (status 401): {hint}")

    def remove(self, made: Made) -> str | None:
        """
        Remove *made* at the partner; say what is left where that fails.
        """
        if made.removed_by is None or made.removed_by not in self.offered:
            how = f"{made.removed_by} isn't offered" if made.removed_by else "nothing removes it"
            return f"{made} ({how})"
        try:
            exchange = self.ask(made.removed_by, made.ids)
        except Inconclusive as error:
            return f"{made} ({made.removed_by}: {error})"
        said = exchange.error
        # A lock that can't be found still locks: a partner may have taken its id for something else.
        gone = said is not None and said.type == "NotFound" and exchange.status in (0, 404)
        if said is None or (gone and made.kind != "lock"):
            return None
        return f"{made} ({made.removed_by} answered {exchange.seen})"

    def use_up(self, ids: Iterable[str], what: str, *, wait: float = 0) -> str:
        """
        One of *ids* that no process has used up yet; it is not given out again in this run.

        Where another check has it just now, it is waited for, *wait* seconds.
        """
        wanted = list(ids)
        for each in wanted:
            if each not in self._used and (lease := self.leases.take(each, wait=wait)):
                self._used[each] = lease
                return each
        raise Inconclusive(f"all {len(wanted)} of {what} are used up: name more in partner.toml")

    def close(self) -> list[str]:
        """
        Remove what the checks shared, hang up, and say what was left behind.
        """
        with contextlib.suppress(Unreachable):  # then nothing can be removed, which is told one by one
            self.transport.take_turn(alone=False)
        for made in (*self.pool.values(), *self.spent):
            if isinstance(made, Made) and (left := self.remove(made)):
                self.leftovers.append(left)
        self.pool.clear()
        # A check that is still being torn down finds nobody to ask.
        self.blocked = self.blocked or "the run has ended"
        self.transport.close()
        return self.leftovers
