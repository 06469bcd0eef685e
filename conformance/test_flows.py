"""
The flows of the EPOS tester tool: Dojo itself calls the EPOS, as it is registered, and says how that went.
"""

from __future__ import annotations

import time

from collections.abc import Callable

from epos_conformance import Finding, Inconclusive, NotOffered, Violation, check
from epos_conformance.dojo import flows
from epos_conformance.dojo.filling import filled
from epos_conformance.dojo.flows import Flow, Ran
from epos_conformance.dojo.side import Dojo
from epos_conformance.steps import Step
from epos_conformance.verdict import Outcome


#: Seconds between two words on a flow that doesn't move.
TOLD_EVERY = 5.0

OUTCOMES = {
    flows.SUCCESS: Outcome.CONFORMS,
    flows.FAILURE: Outcome.VIOLATES,
    flows.TIMED_OUT: Outcome.VIOLATES,
    flows.IN_PROGRESS: Outcome.INCONCLUSIVE,
}


@check("flows.ends-in-success", listed=True, changes=True)
def test_flow_ends_in_success(dojo: Dojo, case: str | None) -> None:
    """Each flow, started with what it needs and followed to its end."""
    flow = dojo.flow(case)
    # All of them: the flow may use the session, too, and has its turn beside other checks.
    partners = dojo.partners()
    assert dojo.settings.dojo is not None
    params = filled(flow, dojo.settings.dojo.params, partners)
    limit = dojo.settings.dojo.flow_timeout
    ran = flows.follow(dojo.api, flows.start(dojo.api, flow, params), limit, teller(dojo, flow))
    dojo.steps += steps_of(ran)
    judge(dojo, flow, ran, limit)


def teller(dojo: Dojo, flow: Flow) -> Callable[[Ran], None]:
    """Tells whoever watches what becomes of *flow*: when it moves, and now and then when it doesn't."""
    began = time.monotonic()
    last, at = "", began

    def tell(ran: Ran) -> None:
        nonlocal last, at
        now = time.monotonic()
        # What ends at once is told by its outcome.
        if now - began > 1 and (ran.about != last or now - at > TOLD_EVERY):
            dojo.tell(f"{flow.name}: {ran.about} ({now - began:.0f} s)")
            last, at = ran.about, now

    return tell


def steps_of(ran: Ran) -> list[Step]:
    """The steps that the tool tells of, as the report has them."""
    return [
        Step(
            each.name,
            each.started,
            each.finished,
            OUTCOMES.get(each.status, Outcome.INCONCLUSIVE),
            [*([] if each.status == flows.SUCCESS else [each.status]), *each.advice],
        )
        for each in ran.steps
    ]


def judge(dojo: Dojo, flow: Flow, ran: Ran, limit: float) -> None:
    """Conclude from how *flow* ended."""
    if ran.status == flows.SUCCESS:
        dojo.notes.append(f"{ran.name or flow.name}: {len(ran.steps)} steps")
        return
    if ran.status == flows.IN_PROGRESS:
        raise Inconclusive(f"the flow {flow.name!r} did not end within {limit:g} s (--flow-timeout): {ran.about}")
    if (why := dojo.unreachable()) is not None:
        raise Inconclusive(
            f"the flow {flow.name!r} ended with {ran.status}; the EPOS can't be reached from here: {why}"
        )
    step = ran.wrong
    said = " ".join(step.advice) if step else ""
    # A sandbox of ours says so where the fault may be nobody's.
    if dojo.access.sandbox and said.startswith("not examined"):
        raise Inconclusive(f"the flow {flow.name!r}: {said}")
    missing = flows.unregistered(ran)
    if missing and not missing & {*dojo.offered}:
        raise NotOffered(f"{', '.join(sorted(missing))} isn't offered: the flow {flow.name!r} ended with {ran.status}")
    where = f"flow {flow.name!r}" + (f", step {step.name!r}" if step else "")
    hint = "it is offered but not registered: register it, with --register for instance" if missing else None
    seen = f"{ran.status}: {said}" if said else f"{ran.status}, without a word on why"
    raise Violation(Finding(where, "SUCCESS", seen), hint=hint)
