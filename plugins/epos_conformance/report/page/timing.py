"""
How long the partner took to answer, by capability and transport: as figures, and as a chart on a logarithmic scale.
"""

from __future__ import annotations

import math

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance.report.page import words


#: Units of the chart: the names' column, the chart's width, one line, and what is above and below the lines.
_LABELS = 235
_WIDTH = 760
_LINE = 19
_TOP = 30
_BOTTOM = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    The answers to one capability over one transport; times in seconds.
    """

    capability: str
    transport: str
    number: int
    p50: float
    p95: float
    most: float
    #: In the units of the chart.
    y: float
    x50: float
    x95: float
    x_most: float
    #: Against the limits: ``within``, ``slow`` or ``too slow``.
    state: str
    first: bool

    @property
    def told(self) -> str:
        """The line in words."""
        return (
            f"{self.capability} over {words.transport(self.transport)}: half of {words.count(self.number, 'answer')} "
            f"within {words.seconds(self.p50)}, 95 % within {words.seconds(self.p95)}, all within "
            f"{words.seconds(self.most)}"
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """
    A time on the scale.
    """

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """
    Everything that is drawn, in units from the upper left.
    """

    lines: Sequence[Line]
    ticks: Sequence[Mark]
    slow: Mark
    fail: Mark
    #: Calls that were not answered at all.
    unanswered: int
    left: float = _LABELS
    width: float = _WIDTH
    top: float = _TOP

    @property
    def bottom(self) -> float:
        return self.top + _LINE * len(self.lines)

    @property
    def height(self) -> float:
        return self.bottom + _BOTTOM


def chart(document: Mapping[str, Any]) -> Chart | None:
    """
    The times of all answers in *document* that belong to a capability; None where there is none.
    """
    times, unanswered = _times(document)
    if not times:
        return None
    slow = words.number(document["settings"].get("slow-after"), 2.0)
    fail = words.number(document["settings"].get("fail-after"), 10.0)
    every = [each for found in times.values() for each in (min(found), max(found))]
    low = math.floor(math.log10(max(1e-5, min(every))))
    high = math.log10(max(1.6 * fail, 1.6 * slow, 1.2 * max(every)))

    def x(value: float) -> float:
        share = (math.log10(max(value, 10**low)) - low) / (high - low)
        return round(_LABELS + share * (_WIDTH - _LABELS - 12), 1)

    names = [each["name"] for each in document["capabilities"]]
    ordered = sorted(times, key=lambda each: (names.index(each[0]) if each[0] in names else len(names), *each))
    lines: list[Line] = []
    for number, (capability, transport) in enumerate(ordered):
        found = sorted(times[capability, transport])
        p50, p95, most = _at(found, 0.5), _at(found, 0.95), found[-1]
        lines.append(
            Line(
                capability=capability,
                transport=transport,
                number=len(found),
                p50=p50,
                p95=p95,
                most=most,
                y=_TOP + _LINE * number + _LINE / 2,
                x50=x(p50),
                x95=x(p95),
                x_most=x(most),
                state="too slow" if most > fail else "slow" if most > slow else "within",
                first=not lines or lines[-1].capability != capability,
            )
        )
    ticks = [Mark(x(10.0**each), words.seconds(10.0**each)) for each in range(low, math.floor(high) + 1)]
    return Chart(
        lines=lines,
        ticks=ticks,
        slow=Mark(x(slow), words.seconds(slow)),
        fail=Mark(x(fail), words.seconds(fail)),
        unanswered=unanswered,
    )


def _times(document: Mapping[str, Any]) -> tuple[dict[tuple[str, str], array[float]], int]:
    """(capability, transport) -> seconds of each answer; and how many calls have none."""
    found: dict[tuple[str, str], array[float]] = {}
    unanswered = 0
    # A conversation that many checks judge is told with each of them, and counts once.
    seen: set[int] = set()
    for each in _exchanges(document):
        told = hash((each["capability"], each["transport"], each["request"]["url"], each["duration"]))
        if told in seen:
            continue
        seen.add(told)
        if each["answer"] is None:
            unanswered += 1
        else:
            found.setdefault((each["capability"], each["transport"]), array("d")).append(each["duration"])
    return found, unanswered


def _exchanges(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for check in document["checks"]:
        for each in check["exchanges"]:
            if each["capability"] is not None and each["transport"] != "dojo":
                yield each


def _at(times: Sequence[float], share: float) -> float:
    """The time that *share* of sorted *times* doesn't exceed."""
    return times[max(0, math.ceil(share * len(times)) - 1)]
