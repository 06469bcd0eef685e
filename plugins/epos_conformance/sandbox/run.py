"""
One run of a flow: its steps as they are taken, and what they amount to.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from epos_conformance.exceptions import Inconclusive, NotOffered, Unanswered, Unauthorized, Unreachable, Violation
from epos_conformance.sandbox.store import Json, instant
from epos_conformance.steps import Step, Steps
from epos_conformance.verdict import Outcome


SUCCESS, FAILURE, TIMED_OUT, IN_PROGRESS = "SUCCESS", "FAILURE", "TIMED_OUT", "IN_PROGRESS"

#: How the information of a step begins that says nothing against the EPOS.
NOT_EXAMINED = "not examined"

#: Seconds after which a run has no more to say.
BOUND = 60.0

#: Lines of additional information in a step, and characters in a line.
_MOST_LINES, _LONGEST = 30, 1_000

Mask = Callable[[str], str]


class Overdue(Exception):
    """
    The run has been told to have timed out: no step is begun any more.
    """


class Unregistered(NotOffered):
    """
    Dojo has not been told of a capability: there is nobody to call.
    """


#: What leaves a check inconclusive, and says to Dojo that it can't work with what it was told.
_FAULTS = (Unregistered, Violation, Unanswered, Unauthorized)


@dataclass(slots=True)
class _More:
    """
    What there is to say of a step beside.
    """

    #: Kept alive: it is known by its identity.
    step: Step
    #: Why it went wrong.
    error: Exception | None = None
    lines: list[str] = field(default_factory=list)


class Run:
    """
    A flow on its way; everything may be asked from any thread.
    """

    def __init__(self, title: str, *, bound: float = BOUND) -> None:
        self.id = str(uuid.uuid4())
        self.title = title
        self.bound = bound
        self.started = time.time()
        #: Of the registration, and of each transport.
        self._parts: list[LiveSteps] = []
        self._lock = threading.Lock()
        self._result: Json | None = None

    def add(self, part: LiveSteps) -> None:
        """Show the steps of *part* from now on, after those that are there."""
        with self._lock:
            self._parts.append(part)

    def go_on(self) -> None:
        """Raises `Overdue` where the time is over."""
        if time.time() > self.started + self.bound:
            raise Overdue

    def fault(self, error: Exception) -> None:
        """The sandbox itself went wrong: that is a step of its own."""
        now = time.time()
        said = f"a fault of the sandbox, not of the EPOS: {type(error).__name__}: {error}"
        LiveSteps(self).append(Step("The sandbox runs the flow", now, now, Outcome.INCONCLUSIVE, [said]))

    def to_json(self) -> Json:
        """
        The result as the tester tool tells it; IN_PROGRESS until there is one, TIMED_OUT when the time is over.
        """
        with self._lock:
            if self._result is None:
                end = self.started + self.bound
                if time.time() <= end:
                    return self._shown(IN_PROGRESS, None)
                self._result = self._shown(TIMED_OUT, end)
            return self._result

    def finish(self) -> Json:
        """The flow has ended: what its steps amount to."""
        self.to_json()
        with self._lock:
            if self._result is None:
                found = self._shown(SUCCESS, time.time())
                statuses = {each["status"] for each in found["steps"]}
                found["status"] = next((each for each in (FAILURE, TIMED_OUT) if each in statuses), SUCCESS)
                self._result = found
            return self._result

    def _shown(self, status: str, finished: float | None) -> Json:
        found: Json = {
            "flowID": self.id,
            "flowName": self.title,
            "status": status,
            "startedAt": instant(self.started),
            "steps": [step for part in self._parts for step in part.to_json(finished)],
        }
        return found if finished is None else {**found, "finishedAt": instant(finished)}


class LiveSteps(Steps):
    """
    Steps that a run shows while they are taken; *suffix* is added to their names.

    *evidence* gives lines that help whoever reads of a step that went wrong; *mask* takes secrets out of what is said.
    Where the EPOS *dials*, nobody is to blame that there is no session: it may have one with somebody else.
    """

    def __init__(
        self,
        run: Run,
        suffix: str = "",
        evidence: Callable[[Exception], Sequence[str]] = lambda _: (),
        mask: Mask = str,
        *,
        dials: bool = False,
    ) -> None:
        super().__init__()
        self._faults = _FAULTS if dials else (*_FAULTS, Unreachable)
        self._run = run
        self._suffix = suffix
        self._evidence = evidence
        self._mask = mask
        #: A story that is told again takes steps back, and may put them in once more.
        self._more: dict[int, _More] = {}
        run.add(self)

    @property
    def failed(self) -> bool:
        """Whether one of them went wrong."""
        return any(each.outcome is not Outcome.CONFORMS for each in self)

    @contextlib.contextmanager
    def take(self, name: str, rule: str | None = None) -> Iterator[Step]:
        self._run.go_on()
        with self.always(name, rule) as step:
            yield step

    @contextlib.contextmanager
    def always(self, name: str, rule: str | None = None) -> Iterator[Step]:
        """A step that is taken even when the time is over: tidying up."""
        with super().take(f"{name}{self._suffix}", rule) as step:
            try:
                yield step
            except (Violation, Inconclusive, NotOffered) as error:
                self._more[id(step)] = _More(step, error, list(self._evidence(error)))
                raise

    def to_json(self, ended: float | None) -> list[Json]:
        """The steps as the tester tool tells them; *ended* is when the run has, where it has."""
        return [self._told(each, ended) for each in tuple(self)]

    def _told(self, step: Step, ended: float | None) -> Json:
        more = self._more.get(id(step)) or _More(step)
        late = isinstance(more.error, Unanswered)
        status = SUCCESS if step.outcome is Outcome.CONFORMS else TIMED_OUT if late else FAILURE
        said, finished = [*step.messages, *more.lines], step.finished
        if finished is None:
            status, finished = (IN_PROGRESS, None) if ended is None else (TIMED_OUT, ended)
            said += [] if ended is None else ["the flow has run out of time here"]
        found: Json = {"name": step.name, "status": status, "startedAt": instant(step.started)}
        if finished is not None:
            found["finishedAt"] = instant(finished)
        lines = [self._mask(line)[:_LONGEST] for each in said for line in each.splitlines() if line.strip()]
        if step.outcome is not Outcome.CONFORMS and not isinstance(more.error, self._faults):
            # A failure that may be nobody's fault.
            lines[:1] = [f"{NOT_EXAMINED}: {lines[0]}" if lines else NOT_EXAMINED]
        return {**found, "additionalInformation": lines[:_MOST_LINES]} if lines else found
