"""
The order in which broken rules are told: what a till programmer mends first comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from epos_conformance import _rules


Check = Mapping[str, Any]

#: A rule with its case, and the checks of it.
Broken = tuple[tuple[str, str | None], list[Check]]

#: Said above them: what `ordered` does.
TOLD = (
    "First what is refused although it is to succeed, and so keeps other rules from being examined; then what has a "
    "likely cause; then the rest. Among these payments come first, then orders, locks, tables and so on; a rule that "
    "several capabilities break is told of one after the other."
)

#: Pages of the documentation, in the order in which they are mended. A journey breaks by what it is made of.
_PAGES = (
    "orders",
    "order locks",
    "tables",
    "areas",
    "rest",
    "websocket",
    "registration",
    "reservations",
    "parties",
    "dojo events",
    "pos events",
    "journeys",
    "flows",
)

_CAUSE = "likely cause: "
_REFUSED = ": expected a success"


def ordered(rules: Iterable[Broken], blocked: Iterable[str | None] = ()) -> list[Broken]:
    """
    *rules* that are broken, as `TOLD` has it; *blocked* are the capabilities of what could not be examined.
    """
    found, without = [*rules], {*blocked}
    # What several capabilities break alike stands where the first of them stands.
    alike: dict[tuple[int, str], list[Check]] = {}
    for _, checks in found:
        alike.setdefault((_class(checks, without), _tail(checks[0])), []).append(checks[0])
    places = {
        key: (min(map(_area, same)), -len({each["capability"] for each in same}), min(map(_place, same)))
        for key, same in alike.items()
    }

    def rank(one: Broken) -> tuple[Any, ...]:
        key = _class(one[1], without), _tail(one[1][0])
        return key[0], places[key], key[1], _area(one[1][0]), _place(one[1][0])

    return sorted(found, key=rank)


def _class(checks: Sequence[Check], blocked: set[str | None]) -> int:
    if any(each["capability"] in blocked and _REFUSED in each["message"] for each in checks):
        return 0
    return 1 if any(line.startswith(_CAUSE) for each in checks for line in each["message"].split("\n")) else 2


def _area(check: Check) -> int:
    """The place of the page of *check*; payments are before all."""
    if check["capability"] and "Payment" in check["capability"]:
        return 0
    return 1 + (_PAGES.index(check["page"]) if check["page"] in _PAGES else len(_PAGES))


def _tail(check: Check) -> str:
    """What a rule is called without its capability: several capabilities break the same."""
    id: str = check["id"]
    return id.partition(".")[2] if check["capability"] and id.startswith(f"{check['capability']}.") else id


@cache
def _places() -> Mapping[str, int]:
    return {id: number for number, id in enumerate(_rules.rules())}


def _place(check: Check) -> int:
    """The place of the rule of *check* in the catalogue."""
    return _places().get(check["id"], len(_places()))
