"""
The flows of the EPOS tester tool: listed, started and followed to their end.

Their names and parameters come from the tool alone. Both published forms of its answers are understood: one flow or a
list of them, an id in quotes or without.
"""

from __future__ import annotations

import datetime
import re
import time

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from epos_conformance._contracts import names
from epos_conformance.dojo import registration
from epos_conformance.dojo.api import DojoApi, require
from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import preview


if TYPE_CHECKING:
    from tenacity import RetryCallState

FLOWS = "/epos-tester-tool/flows"

SUCCESS, FAILURE, TIMED_OUT, IN_PROGRESS = "SUCCESS", "FAILURE", "TIMED_OUT", "IN_PROGRESS"

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)

#: Of a step, or of the advice it gives.
_UNREGISTERED = re.compile(
    r"\bregister\b|\bunregistered\b|\b(?:has|have|is|are) (?:been )?registered\b"
    r"|(?:\b(?:not|never)|n't)\s+(?:\w+\s+){0,2}registered\b",
    re.IGNORECASE,
)

_WORD = re.compile(r"[A-Za-z]+(?::[a-z_.]+)?")


@dataclass(frozen=True, slots=True)
class Param:
    """
    A parameter of a flow.
    """

    name: str
    type: str = "string"
    required: bool = False
    description: str = ""
    default: Any = None


@dataclass(frozen=True, slots=True)
class Flow:
    """
    A flow as the tool lists it.
    """

    name: str
    params: tuple[Param, ...] = ()

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """The flow of a description: ``{name, params?: [{name, type, required, description, default?}]}``."""
        listed = told.get("params")
        params = (
            each
            for each in (listed if isinstance(listed, list) else ())
            if isinstance(each, dict) and isinstance(each.get("name"), str)
        )
        return cls(
            told["name"],
            tuple(
                Param(
                    name=each["name"],
                    type=str(each.get("type") or "string"),
                    required=str(each.get("required")).lower() == "true",
                    description=str(each.get("description") or ""),
                    default=each.get("default"),
                )
                for each in params
            ),
        )


@dataclass(frozen=True, slots=True)
class StepTold:
    """
    A step of a flow as the tool tells it; times in seconds since the epoch.
    """

    name: str
    status: str
    started: float
    finished: float
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ran:
    """
    What became of a flow.
    """

    id: str
    name: str
    status: str
    steps: tuple[StepTold, ...] = ()

    @property
    def wrong(self) -> StepTold | None:
        """The first step that failed or timed out; None where none did."""
        return next((each for each in self.steps if each.status in (FAILURE, TIMED_OUT)), None)

    @property
    def about(self) -> str:
        """Where it stands, in a few words."""
        last = self.steps[-1] if self.steps else None
        return f"{self.status}" + (f", step {len(self.steps)}: {last.name}" if last else "")


@dataclass(slots=True)
class Listed:
    """
    The flows of the tool, or why there are none to run.
    """

    flows: tuple[Flow, ...] = ()
    why: str | None = None


def listed(api: DojoApi) -> Listed:
    """
    What the tool lists. Never raises.
    """
    exchange = api.get(FLOWS)
    try:
        document = require(exchange, "the EPOS tester tool")
    except Inconclusive as error:
        return Listed(why=str(error))
    found = described(document)
    if not found:
        what = "lists no flows" if document in ([], {}) else f"answered {exchange.seen}, which lists no flow"
        return Listed(why=f"the EPOS tester tool {what}")
    return Listed(found)


def described(document: Any) -> tuple[Flow, ...]:
    """
    The flows in *document*, a list of descriptions, perhaps under ``flows``, or a single one; of several of one name,
    the first.
    """
    if isinstance(document, dict) and isinstance(document.get("flows"), list):
        document = document["flows"]
    every = document if isinstance(document, list) else [document]
    found: dict[str, Flow] = {}
    for each in every:
        if isinstance(each, dict) and isinstance(each.get("name"), str) and each["name"].strip():
            found.setdefault(each["name"], Flow.from_json(each))
    return tuple(found.values())


def start(api: DojoApi, flow: Flow, params: Mapping[str, Any]) -> str:
    """
    Start *flow*; its id. Raises `Inconclusive` where the tool doesn't start it or says no id.
    """
    exchange = api.post(FLOWS, {"flow": flow.name, "params": dict(params)})
    document = require(exchange, f"the flow {flow.name!r}")
    if isinstance(document, dict):
        document = next((each for name, each in document.items() if name.lower() in ("flowid", "id")), None)
    text = (
        document
        if isinstance(document, str)
        else (exchange.answer.body if exchange.answer else b"").decode("utf-8", "replace")
    )
    id = text.strip().strip("\"'")
    if not _UUID.fullmatch(id):
        raise Inconclusive(
            f"the EPOS tester tool started {flow.name!r} without telling its id: it answered {exchange.seen}"
        )
    return id


def follow(api: DojoApi, id: str, limit: float, tell: Callable[[Ran], None]) -> Ran:
    """
    The result of the flow *id*, once it has ended, or as it stands after *limit* seconds; *tell* is told each look.

    Raises `Inconclusive` where the tool doesn't know it any more.
    """

    def look() -> Ran:
        found = read(require(api.get(FLOWS + "/{}", id), f"the result of the flow {id}"), id)
        tell(found)
        return found

    # As in `api`: a run without Dojo has no use for the import.
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

    backoff = wait_exponential(multiplier=0.05, max=5)

    def wait(state: RetryCallState) -> float:
        # The last look is at the bound, not as long before it as a pause takes.
        return max(0.0, min(backoff(state), limit - (state.seconds_since_start or 0.0)))

    waiting = Retrying(
        retry=retry_if_result(lambda ran: ran.status == IN_PROGRESS), wait=wait, stop=stop_after_delay(limit)
    )
    try:
        return waiting(look)
    except RetryError as error:
        found: Ran = error.last_attempt.result()
        return found


def read(document: Any, id: str) -> Ran:
    """
    *document*, a flow's result. Raises `Inconclusive` where it has no status.
    """
    status = str(document.get("status")).upper() if isinstance(document, dict) else None
    if status not in (SUCCESS, FAILURE, TIMED_OUT, IN_PROGRESS):
        raise Inconclusive(f"the EPOS tester tool tells no status of the flow {id}: {preview(document)}")
    steps = document.get("steps")
    return Ran(
        id,
        str(document.get("flowName") or ""),
        status,
        tuple(_step(each) for each in (steps if isinstance(steps, list) else ()) if isinstance(each, dict)),
    )


def _step(told: Mapping[str, Any]) -> StepTold:
    said = told.get("additionalInformation")
    advice = tuple(str(each) for each in (said if isinstance(said, list) else [said]) if each)
    started = _instant(told.get("startedAt")) or time.time()
    return StepTold(
        str(told.get("name") or "a step without a name"),
        str(told.get("status") or "").upper() or "no status",
        started,
        max(started, _instant(told.get("finishedAt")) or started),
        advice,
    )


def _instant(value: Any) -> float | None:
    """Seconds since the epoch; None where it is no time, or the year 1 that stands for none."""
    try:
        return max(0.0, datetime.datetime.fromisoformat(value).timestamp()) or None
    except (TypeError, ValueError, OverflowError):
        return None


def unregistered(ran: Ran) -> set[str]:
    """
    Canonical names of the capabilities that *ran* failed for as they aren't registered; none where it failed otherwise.
    """
    step = ran.wrong
    if step is None or not _UNREGISTERED.search(text := " ".join([step.name, *step.advice])):
        return set()
    return set(mentioned([step.name])) or set(mentioned([text]))


def mentioned(texts: Iterable[str]) -> list[str]:
    """Canonical names of the capabilities that *texts* speak of."""
    known = {**names(), **registration.ALSO_CALLED}
    # With what ends a sentence: an event's name has full stops of its own.
    words = (word.rstrip(".") for text in texts for word in _WORD.findall(text))
    return [known[word] for word in words if word in known]
