"""
The named steps of a check that is a story: a journey, or a flow of the EPOS tester tool.

Each is told in the report with its outcome and its times; the first wrong one ends the story and names the rule that
it breaks.
"""

from __future__ import annotations

import contextlib
import time

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from epos_conformance import _rules
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.verdict import Outcome


@dataclass(slots=True)
class Step:
    """
    One step and what came of it.
    """

    name: str
    #: Seconds since the epoch.
    started: float
    finished: float | None = None
    outcome: Outcome = Outcome.CONFORMS
    #: What was found, or what is worth knowing.
    messages: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """``{name, outcome, started, finished, messages?}``, times in seconds since the epoch."""
        found: dict[str, Any] = {
            "name": self.name,
            "outcome": str(self.outcome),
            "started": round(self.started, 3),
            "finished": round(self.finished if self.finished is not None else self.started, 3),
        }
        return {**found, "messages": self.messages} if self.messages else found


class Steps(list[Step]):
    """
    The steps of one check, in the order taken.
    """

    @contextlib.contextmanager
    def take(self, name: str, rule: str | None = None) -> Iterator[Step]:
        """
        One step. What ends it early is told with the step's name; a violation names the *rule* that it breaks, an id of
        the catalogue.
        """
        step = Step(name, time.time())
        self.append(step)
        try:
            yield step
        except Violation as error:
            step.outcome = Outcome.VIOLATES
            step.messages.append(str(error))
            breaks = f" breaks {rule}: {_rules.rules()[rule].sentence}" if rule else " went wrong"
            error.within = f"step {len(self)}, {name!r},{breaks}"
            raise
        except Inconclusive as error:
            step.outcome = Outcome.INCONCLUSIVE
            step.messages.append(str(error))
            error.args = (f"step {len(self)}, {name!r}: {error}",)
            raise
        except NotOffered as error:
            step.outcome = Outcome.NOT_OFFERED
            step.messages.append(str(error))
            raise
        except BaseException:
            step.outcome = Outcome.INCONCLUSIVE
            raise
        finally:
            step.finished = time.time()
