"""
From how a check function ended to a `Result`.
"""

from __future__ import annotations

import traceback

from typing import Any

from epos_conformance._checks import Examination, Examined
from epos_conformance._fault import at_fault
from epos_conformance._masking import Masker
from epos_conformance._settings import Waiver
from epos_conformance.exceptions import Inconclusive, NotOffered, Unanswered, Unauthorized, Unreachable, Violation
from epos_conformance.exchange import Exchange
from epos_conformance.verdict import Outcome, Result


#: How much of a conversation a violation shows.
_MOST_EXCHANGES = 20


def judge(
    examination: Examination,
    error: BaseException | None,
    duration: float,
    partner: Examined | None,
    waiver: Waiver | None,
    mask: Masker,
    *,
    whole: bool = False,
) -> Result:
    """
    The result of *examination*, whose check ended by *error*, or by returning where that is None.

    *whole*: the exchanges of a check that conforms are kept whole, too.
    """
    outcome, message, cause = _outcome(error, partner)
    exchanges = partner.exchanges if partner else []
    return Result(
        id=examination.rule.id,
        case=examination.case,
        capability=examination.capability.name if examination.capability else None,
        page=examination.rule.page,
        transport=examination.transport,
        level=examination.rule.level,
        basis=examination.rule.basis,
        sentence=examination.rule.sentence,
        source=examination.rule.sources,
        outcome=outcome,
        message=mask(message),
        cause=cause,
        duration=round(duration, 6),
        exchanges=_shown(exchanges, error, whole=whole or outcome in (Outcome.VIOLATES, Outcome.INCONCLUSIVE)),
        steps=_steps(partner, mask),
        waiver={"reason": waiver.reason, "until": waiver.until.isoformat()} if waiver else None,
    )


def _shown(exchanges: list[Exchange], error: BaseException | None, *, whole: bool) -> list[dict[str, Any]]:
    """
    *exchanges* for the certificate; of one that ended by *error* no more than can be read, marked where the fault is.
    """
    shown = [each.to_json(bodies=whole) for each in exchanges]
    if error is None or not shown:
        return shown
    last = len(shown) - 1
    if isinstance(error, Violation) and error.findings:
        last = at_fault(exchanges, error.findings[0], first=len(error.findings) > 1)
        shown[last]["fault"] = True
    # Up to the end, where that is not too far from the fault.
    end = len(shown) if len(shown) - last < _MOST_EXCHANGES else last + 1
    return shown[max(0, end - _MOST_EXCHANGES) : end]


def _steps(partner: Examined | None, mask: Masker) -> list[dict[str, object]]:
    told = [each.to_json() for each in (partner.steps if partner else ())]
    for each in told:
        if "messages" in each:
            each["messages"] = [mask(text) for text in each["messages"]]
        each["name"] = mask(each["name"])
    return told


def _outcome(error: BaseException | None, partner: Examined | None) -> tuple[Outcome, str, str | None]:
    if error is None:
        if partner is None or not partner.exchanges:
            return Outcome.INCONCLUSIVE, "the check asked the partner nothing", "suite"
        return Outcome.CONFORMS, "; ".join(partner.notes), None
    if isinstance(error, Violation):
        return Outcome.VIOLATES, str(error), None
    if isinstance(error, NotOffered):
        return Outcome.NOT_OFFERED, str(error), None
    if isinstance(error, Unauthorized):
        return Outcome.INCONCLUSIVE, str(error), "credentials"
    if isinstance(error, (Unreachable, Unanswered)):
        return Outcome.INCONCLUSIVE, str(error), "unreachable"
    if isinstance(error, Inconclusive):
        return Outcome.INCONCLUSIVE, str(error), "data"
    # The suite's own fault is never the partner's: it is told with where it happened.
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({where[0].filename.rsplit('/', 1)[-1]}:{where[0].lineno})" if where else ""
    return Outcome.INCONCLUSIVE, f"fault of the suite: {type(error).__name__}: {error}{place}", "suite"
