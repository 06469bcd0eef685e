"""
The session itself: that it stays, that there is one, and that the EPOS dials again when it is lost.

These checks disturb whoever else uses it, so they come last and alone.
"""

from __future__ import annotations

import time

from functools import partial
from typing import Any

from epos_conformance import Finding, NotOffered, Partner, Violation, check, sampling
from epos_conformance._settings import Dial
from epos_conformance.websocket.exchanges import RpcExchange


NOT_JSON = ("this is not JSON", '{"id": "conformance", "method": ', "")
NO_REQUESTS = ("[]", "42", "null", '"text"', "{}", '{"jsonrpc": "2.0", "id": "conformance"}', '[{"jsonrpc": "2.0"}]')

#: Seconds that a session has to last without anything to do.
IDLE = 2.0
#: How often it has to be lost: an EPOS may be started again while it is examined.
TIMES = 3
#: The close code of a connection that ended without one.
ABNORMAL = 1006
#: Seconds in which a second session shows up.
SECOND = 2.0


def require_still_open(partner: Partner, before: RpcExchange, what: str) -> None:
    """The session of *before* is open and answers."""
    session = sampling.session_of(partner, before)
    if session is not None and session["closed"] is not None:
        raise Violation(Finding(f"the session {what}", "open", sampling.how_closed(session)))
    (after,) = partner.calls(sampling.again(partner, before))
    if after.failure is not None:
        raise Violation(Finding(f"a request {what}", "an answer", str(after.failure)))
    if after.session != before.session:
        raise Violation(Finding(f"the session {what}", "the same one", "another one"))


@check("ws.keeps-the-session-open", alone=True)
def test_keeps_the_session_open(partner: Partner) -> None:
    """The session stays when all is answered and nothing is asked; in the whole run, it stayed."""
    for attempt in range(TIMES):
        before = sampling.answering(partner)
        partner.calls(*sampling.plain(partner))
        time.sleep(IDLE)
        try:
            require_still_open(partner, before, f"{IDLE:g} s after its requests were answered")
        except Violation:
            # A network that fails ends it without a word, too: once is nobody's fault.
            if attempt == TIMES - 1 or not broke_off(partner, before):
                raise
        else:
            break
    closed = [each for each in partner.socket.evidence()["sessions"] if hung_up(each)]
    if len(closed) >= TIMES:
        codes = ", ".join(str(each["code"]) for each in closed[:10])
        seen = f"the EPOS closed {len(closed)} of them (code {codes})"
        raise Violation(Finding("sessions of this run", "one that stays open", seen))


def hung_up(session: dict[str, Any]) -> bool:
    """Whether the EPOS closed the *session* of the evidence: with a close frame, which no failing network sends."""
    return session["closed"] is not None and not session["ours"] and session["code"] not in (None, ABNORMAL)


def broke_off(partner: Partner, before: RpcExchange) -> bool:
    """Whether the session of *before* ended without a close frame."""
    session = sampling.session_of(partner, before)
    return session is not None and session["code"] == ABNORMAL


@check("ws.answers-a-ping", alone=True, order=2)
def test_answers_a_ping(partner: Partner) -> None:
    """A ping brings its pong."""

    def ping() -> None:
        before = sampling.answering(partner)
        told = partner.socket.ping("conformance")
        if not told["answered"]:
            require_still_open(partner, before, "after a ping")
            raise Violation(Finding("a ping", "a pong with the same data", f"none within {told['took']:.1f} s"))
        require_still_open(partner, before, "after a ping")

    sampling.shown_twice(ping)


@check("ws.survives-a-frame-that-is-not-json", alone=True, order=2)
def test_survives_a_frame_that_is_not_json(partner: Partner) -> None:
    """What can't be read ends nothing."""
    sampling.shown_twice(partial(survive, partner, NOT_JSON))


@check("ws.survives-json-that-is-not-a-request", alone=True, order=2)
def test_survives_json_that_is_not_a_request(partner: Partner) -> None:
    """What is no request ends nothing."""
    sampling.shown_twice(partial(survive, partner, NO_REQUESTS))


def survive(partner: Partner, frames: tuple[str, ...]) -> None:
    before = sampling.answering(partner)
    for each in frames:
        partner.exchanges.append(partner.socket.send(each))
        require_still_open(partner, before, f"after the frame {each!r}")


@check("ws.redials-after-going-away", alone=True, order=3)
def test_redials_after_going_away(partner: Partner) -> None:
    """Code 1001: the service that the EPOS talked to has gone."""
    redial(partner, 1001, "code 1001, going away")


@check("ws.redials-after-a-restart-of-the-service", alone=True, order=3)
def test_redials_after_a_restart_of_the_service(partner: Partner) -> None:
    """Code 1012: it is being started again."""
    redial(partner, 1012, "code 1012, service restart")


@check("ws.redials-a-dropped-session", alone=True, order=3)
def test_redials_a_dropped_session(partner: Partner) -> None:
    """The connection breaks: a network that fails says nothing."""
    redial(partner, None, "the connection dropped")


def redial(partner: Partner, code: int | None, how: str) -> None:
    if isinstance(partner.settings.ws, Dial):
        raise NotOffered("not examined: the suite dials this EPOS, and dials again itself")
    before = sampling.answering(partner)
    last = partner.socket.end_sessions(code)
    limit = partner.settings.ws_timeout
    started = time.monotonic()
    if not partner.socket.await_session(last, limit):
        raise Violation(Finding(f"after {how}", "another session", f"none within {limit:g} s (--partner-ws-timeout)"))
    partner.notes.append(f"dialled again after {time.monotonic() - started:.1f} s")
    (after,) = partner.calls(sampling.again(partner, before))
    if after.failure is not None:
        raise Violation(Finding(f"the session dialled after {how}", "an answer", str(after.failure)))


@check("ws.keeps-one-session-at-a-time", alone=True, order=4)
def test_keeps_one_session_at_a_time(partner: Partner) -> None:
    """One session is held, from the first to the one after it was lost."""
    if isinstance(partner.settings.ws, Dial):
        raise NotOffered("not examined: the suite dials this EPOS, and dials once")
    sampling.answering(partner)
    # Errors as well: some dial again where something went wrong, and don't hang up.
    partner.calls(*sampling.plain(partner))
    time.sleep(SECOND)
    overlaps = partner.socket.evidence()["overlaps"]
    if overlaps:
        first, second = overlaps[0]
        seen = f"session {second} while session {first} was open and answered pings ({len(overlaps)} times in this run)"
        raise Violation(Finding("sessions at the same time", "one", seen))
