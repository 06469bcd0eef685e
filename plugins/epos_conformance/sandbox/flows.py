"""
The EPOS tester tool: flows are listed, started and looked after, and really call the partner that is registered.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from epos_conformance import _contracts
from epos_conformance._session import Session
from epos_conformance.exceptions import Inconclusive, NotOffered, Unauthorized, Unreachable, Violation
from epos_conformance.partner import Partner
from epos_conformance.sandbox import catalogue, requests
from epos_conformance.sandbox.calling import TRANSPORTS, Caller, canonical
from epos_conformance.sandbox.catalogue import Flow
from epos_conformance.sandbox.context import context
from epos_conformance.sandbox.problems import Problem
from epos_conformance.sandbox.run import BOUND, LiveSteps, Overdue, Run, Unregistered
from epos_conformance.sandbox.store import Store


#: Flows at the same time; more are put off.
MOST_RUNNING = 32


class Tool:
    """
    The flows that run, and those that have ended.
    """

    def __init__(self, store: Store, caller: Caller, say: Callable[[str], None], *, bound: float = BOUND) -> None:
        self._store = store
        self.caller = caller
        self._say = say
        self._bound = bound
        self._lock = threading.Lock()
        self._running: dict[str, tuple[str, Run, threading.Thread]] = {}

    def start(self, account: str, flow: Flow, params: dict[str, str]) -> str:
        """Start *flow*; the id of its run."""
        run = Run(flow.title, bound=self._bound)
        work = threading.Thread(target=self._work, args=(account, run, flow, params), name=flow.name, daemon=True)
        with self._lock:
            if len(self._running) >= MOST_RUNNING:
                raise Problem(
                    503, f"{MOST_RUNNING} flows are running: try again when one has ended", headers={"retry-after": "1"}
                )
            self._running[run.id] = account, run, work
        work.start()
        return run.id

    def result(self, account: str, id: str) -> dict[str, object] | None:
        """What became of the run *id*; None where the account has none of the kind."""
        with self._lock:
            owner, run, _ = self._running.get(id, (None, None, None))
        if run is not None and owner == account:
            return run.to_json()
        with self._store.reading(account) as kept:
            return kept.runs.get(id)

    def end(self, patience: float) -> None:
        """Wait a little for flows that are still at it: they are tidying up, perhaps."""
        until = time.monotonic() + patience
        with self._lock:
            left = [work for _, _, work in self._running.values()]
        for each in left:
            each.join(max(0.0, until - time.monotonic()))

    # In the thread of a run

    def _work(self, account: str, run: Run, flow: Flow, params: dict[str, str]) -> None:
        try:
            with self._store.changing(account) as kept:
                kept.runs[run.id] = run.to_json()
            with contextlib.suppress(Overdue):
                self._play(account, run, flow, params)
        except Exception as error:
            run.fault(error)
        finally:
            result = run.finish()
            with self._store.changing(account) as kept:
                kept.runs[run.id] = result
            with self._lock:
                del self._running[run.id]
            self._say(f"flow {flow.name!r} -> {result['status']} in {time.time() - run.started:.1f} s")

    def _play(self, account: str, run: Run, flow: Flow, params: dict[str, str]) -> None:
        offered = self.caller.offered(account)
        transports = [each for each in TRANSPORTS if set(flow.needs) <= canonical(offered[each])]
        with (
            contextlib.suppress(Unregistered),
            LiveSteps(run).take(f"Check whether {flow.subject} has been registered"),
        ):
            if not transports:
                raise Unregistered(_advice(flow, offered))
        for each in transports:
            suffix = f" over {TRANSPORTS[each]}" if len(transports) > 1 else ""
            with self.caller.partner(account, each, params) as (partner, session):
                steps = LiveSteps(run, suffix, self._evidence(partner), partner.transport.mask, dials=each == "ws")
                self._play_over(partner, session, steps, flow, partial(flow.play, partner, params, offered[each]))

    def _play_over(
        self, partner: Partner, session: Session, steps: LiveSteps, flow: Flow, play: Callable[[], None]
    ) -> None:
        partner.steps = steps
        try:
            play()
        except (Violation, Inconclusive, NotOffered) as error:
            if not steps.failed:
                _tell(steps, flow.name, error)
        finally:
            _tidy(partner, session, steps)

    def _evidence(self, partner: Partner) -> Callable[[Exception], list[str]]:
        """What helps whoever reads of a step that went wrong."""

        def told(error: Exception) -> list[str]:
            lines = [str(each) for each in partner.exchanges[-1:]]
            if isinstance(error, Unreachable) and partner.transport.name == "ws":
                lines.append(f"the EPOS dials {self.caller.dial} with its key and software-house-id")
            if isinstance(error, Unauthorized):
                lines.append("they are the username and the password that Dojo was given: PUT /epos/integrations/rest")
            return lines

        return told


def _tell(steps: LiveSteps, name: str, error: Exception) -> None:
    """A flow that ended between two steps ends in one of its own."""
    with contextlib.suppress(type(error)), steps.always(name):
        raise error


def _tidy(partner: Partner, session: Session, steps: LiveSteps) -> None:
    """Remove what the flow made; what is left behind is told, as an EPOS may have its reasons to keep it."""
    known = _contracts.capabilities()
    made = any(each.succeeded and each.capability and known[each.capability].creates for each in partner.exchanges)
    if not made:
        partner.end()
        session.close()
        return
    with steps.always("The flow removes what it made") as step:
        partner.end()
        step.messages += [f"left behind: {each}" for each in (*partner.leftovers, *session.close())]


def _advice(flow: Flow, offered: dict[str, list[str]]) -> str:
    lines = []
    missing = [each for each in flow.needs if not any(each in canonical(names) for names in offered.values())]
    what = ", ".join(missing or flow.needs)
    if missing:
        lines.append(
            f"{what} {'is' if len(missing) == 1 else 'are'} not registered, so Dojo never calls the EPOS for it."
        )
    else:
        lines.append(f"{what} are registered, but not all of them over one transport.")
    lines.append(
        "Register every capability that the EPOS has, as one list, with PUT /epos/integrations/rest or "
        "PUT /epos/integrations/ws; then start the flow again."
    )
    # By number: what reads this looks for the names of what is missing.
    so_far = ", ".join(f"{len(offered[name]) or 'nothing'} over {told}" for name, told in TRANSPORTS.items())
    lines.append(f"Registered so far: {so_far}.")
    known = {*_contracts.names(), *_contracts.PREVIEW}
    if unknown := [each for names in offered.values() for each in names if each not in known]:
        lines.append(f"No capability is called {' or '.join(dict.fromkeys(unknown))}.")
    return "\n".join(lines)


# The endpoints


async def listed(request: Request) -> Response:
    """
    ``GET /epos-tester-tool/flows``: those that the registration is good for, and "Get Order" in any case; all of them
    with ``?all=true``.
    """
    _, account = context(request)
    tool: Tool = request.app.state.tool
    offered = tool.caller.offered(account)
    every = request.query_params.get("all", "").lower() == "true"
    able = [canonical(each) for each in offered.values()]
    return JSONResponse([
        each.to_json()
        for each in catalogue.flows().values()
        if every or each.name == "Get Order" or any(set(each.needs) <= names for names in able)
    ])


async def start(request: Request) -> Response:
    """``POST /epos-tester-tool/flows``: answers the id of the run, a JSON string."""
    _, account = context(request)
    given = await requests.body(request, "flow")
    flow, params = catalogue.flows().get(given["flow"]), given.get("params") or {}
    if flow is None:
        told = "There is no such flow: GET /epos-tester-tool/flows lists those that there are."
        raise Problem(400, errors={"flow": [told]})
    known = [each.name for each in flow.params]
    errors = {f"params.{each.name}": ["The parameter is required."] for each in flow.params if each.required}
    errors = {name: told for name, told in errors.items() if not params.get(name.removeprefix("params."))}
    for name in params:
        if name not in known:
            errors[f"params.{name}"] = [f"The flow has no such parameter; it takes {', '.join(known) or 'none'}."]
    if errors:
        raise Problem(400, errors=errors)
    id = request.app.state.tool.start(account, flow, {name: value for name, value in params.items() if value})
    return Response(json.dumps(id).encode(), media_type="application/json")


async def result(request: Request) -> Response:
    """``GET /epos-tester-tool/flows/{id}``"""
    _, account = context(request)
    found = request.app.state.tool.result(account, request.path_params["id"].lower())
    if found is None:
        raise Problem(404, "there is no such run of a flow")
    return JSONResponse(found)
