"""
The conversation of a check as Allure's steps: one for each exchange, beside those of its story.
"""

from __future__ import annotations

import re
import uuid

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from epos_conformance.exchange import Exchange
from epos_conformance.report.allure_results import STATUSES
from epos_conformance.verdict import Outcome


#: Exchanges told of one check, and how many of them from its beginning; the one at fault is told wherever it stands.
MOST = 60
_FIRST = 10

#: Of these, the last ones have what was said attached.
MOST_ATTACHED = 20

#: Characters of a step's name.
_LONGEST = 160

_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://", re.IGNORECASE)
_HOST = re.compile(r"^[a-z]+://[^/?#]*", re.IGNORECASE)

#: Stores an attachment: its file's name and its text.
Store = Callable[[str, str], None]


def story(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a story (see `Step.to_json`) as Allure has them; times there are in milliseconds."""
    return [_told(each) for each in steps]


def _told(step: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "name": step["name"],
        "status": STATUSES[Outcome(step["outcome"])],
        "start": round(1000 * step["started"]),
        "stop": round(1000 * step["finished"]),
    }
    if said := "\n".join(step.get("messages", ())):
        found["statusDetails"] = {"message": said}
    return found


def conversation(
    exchanges: Sequence[Exchange], began: int, store: Store | None, fault: int | None = None
) -> list[dict[str, Any]]:
    """
    A step for each of *exchanges*, or for those of them that tell most where there are more than `MOST`.

    *began* is when the check began, in milliseconds since the epoch: each step begins where the one before it ended, as
    exchanges know how long they took. With *store* the last ones have the whole exchange attached. *fault* is the
    number of the one that the finding is about: it is told and attached wherever it stands, and has failed.
    """
    left_out = range(_FIRST, len(exchanges) - (MOST - _FIRST)) if len(exchanges) > MOST else range(0)
    attached = len(exchanges) - MOST_ATTACHED
    found, clock, more = [], float(began), 0
    for number, each in enumerate(exchanges):
        start, clock = clock, clock + 1000 * each.duration
        if number in left_out and number != fault:
            more += 1
            if number + 1 in (left_out.stop, fault):
                name = (
                    f"{more} exchange{'s' if more > 1 else ''} more, which {'are' if more > 1 else 'is'} not told here"
                )
                found.append({"name": name, "status": "skipped", "start": round(start), "stop": round(start)})
                more = 0
            continue
        step = _exchanged(each, at_fault=number == fault)
        step.update(start=round(start), stop=round(clock))
        if store is not None and (number >= attached or number == fault):
            step["attachments"] = [_attached(each, store)]
        found.append(step)
    return found


def fault(exchanges: Sequence[Exchange], shown: Sequence[Mapping[str, Any]]) -> int | None:
    """
    The number of the one of *exchanges* that is marked as at fault among those *shown* in the certificate, which are
    some of them, one after the other; None where none is.
    """
    marked = next((number for number, each in enumerate(shown) if each.get("fault")), None)
    if marked is None:
        return None
    # By how long each took: what was asked may well be the same again and again.
    took, wanted = [round(each.duration, 6) for each in exchanges], [each["duration"] for each in shown]
    last = len(took) - len(wanted)
    return next((start + marked for start in range(last, -1, -1) if took[start : start + len(wanted)] == wanted), None)


def _exchanged(exchange: Exchange, *, at_fault: bool) -> dict[str, Any]:
    """
    What was asked and how it ended. Whether that was right the result says, which knows what was wanted, and whose
    finding is about the one *at_fault*.
    """
    name = f"{'at fault: ' if at_fault else ''}{_linkless(exchange)}"
    step: dict[str, Any] = {
        "name": name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}...",
        "status": "passed",
    }
    if exchange.answer is None:
        step.update(status="broken", statusDetails={"message": exchange.mask(str(exchange.failure))})
    if at_fault:
        step["status"] = "failed"
    return step


def _linkless(exchange: Exchange) -> str:
    """
    *exchange* in a line without schemes and the partner's host: Allure makes a link of an address, and a click on that
    of a DELETE would ask the partner.
    """
    address = exchange.mask(exchange.sent.url)
    told = str(exchange).replace(address, _HOST.sub("", address) or "/", 1)
    return " ".join(_SCHEME.sub("", told).split())


def _attached(exchange: Exchange, store: Store) -> dict[str, str]:
    return _stored("request and answer", exchange.as_text(), store)


def evidence(exchanges: Sequence[Exchange], store: Store) -> dict[str, str]:
    """
    The last of *exchanges* in one attachment: of a check that found nothing wrong, which few will ever read.

    A file for each, with its JSON set out in lines, would take a third of a run.
    """
    shown = exchanges[-MOST:]
    texts = [each.as_text(pretty=False) for each in shown]
    if len(shown) < len(exchanges):
        texts.insert(0, f"({len(exchanges) - len(shown)} exchanges before these are not told here)")
    return _stored("the conversation", "\n\n\n".join(texts), store)


def _stored(name: str, text: str, store: Store) -> dict[str, str]:
    source = f"{uuid.uuid4()}-attachment.txt"
    store(source, text)
    return {"name": name, "source": source, "type": "text/plain"}
