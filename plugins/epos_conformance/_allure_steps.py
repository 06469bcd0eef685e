"""
The conversation of a check as Allure's steps: one for each exchange, beside those of its story.
"""

from __future__ import annotations

import uuid

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from epos_conformance.exchange import Exchange
from epos_conformance.report.allure_results import STATUSES
from epos_conformance.verdict import Outcome


#: Exchanges told of one check, and how many of them from its beginning; at fault is the last one, nearly always.
MOST = 60
_FIRST = 10

#: Of these, the last ones have what was said attached.
MOST_ATTACHED = 20

#: Characters of a step's name.
_LONGEST = 160

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


def conversation(exchanges: Sequence[Exchange], began: int, store: Store | None) -> list[dict[str, Any]]:
    """
    A step for each of *exchanges*, or for those of them that tell most where there are more than `MOST`.

    *began* is when the check began, in milliseconds since the epoch: each step begins where the one before it ended, as
    exchanges know how long they took. With *store* the last ones have the whole exchange attached.
    """
    left_out = range(_FIRST, len(exchanges) - (MOST - _FIRST)) if len(exchanges) > MOST else range(0)
    attached = len(exchanges) - MOST_ATTACHED
    found, clock = [], float(began)
    for number, each in enumerate(exchanges):
        start, clock = clock, clock + 1000 * each.duration
        if number in left_out:
            if number == left_out.start:
                name = f"{len(left_out)} exchanges more, which are not told here"
                found.append({"name": name, "status": "skipped", "start": round(start), "stop": round(start)})
            continue
        step = _exchanged(each)
        step.update(start=round(start), stop=round(clock))
        if store is not None and number >= attached:
            step["attachments"] = [_attached(each, store)]
        found.append(step)
    return found


def _exchanged(exchange: Exchange) -> dict[str, Any]:
    """What was asked and how it ended. Whether that was right the result says, which knows what was wanted."""
    name = " ".join(str(exchange).split())
    step: dict[str, Any] = {
        "name": name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}...",
        "status": "passed",
    }
    if exchange.answer is None:
        step.update(status="broken", statusDetails={"message": exchange.mask(str(exchange.failure))})
    return step


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
