"""
Capabilities by rules: a table for each page of the documentation, with a column for each transport.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from epos_conformance import _rules
from epos_conformance.report.page import words


#: What a reader can choose to see: kind -> the letter that marks its rows and tables.
FILTERS = {
    "violated": "B",
    "recommended": "R",
    "noted": "R",
    "waived": "W",
    "unproven": "U",
    "unexamined": "U",
    "left-out": "L",
    "kept": "K",
}

#: The letter of whatever is not simply kept, or left out.
AMISS = "X"

_RANK = {kind: rank for rank, kind in enumerate(words.KINDS)}

#: What belongs to no capability, in the order in which a reader asks for it.
_WHOLES = ("journeys", "flows", "registration", "rest", "websocket", "pos events")

#: Places that are no transport are told in the same columns.
_TRANSPORTS = ("rest", "ws", "dojo")


@dataclass(frozen=True, slots=True)
class Column:
    """
    A capability, or None for what belongs to none, over one transport.
    """

    capability: str | None
    transport: str


@dataclass(frozen=True, slots=True)
class Cell:
    """
    How the checks of one rule ended in one column.
    """

    #: A key of `words.KINDS`: the worst of them.
    kind: str
    #: ``2 of 3`` where several checks are told by one mark.
    of: str | None
    anchor: str | None
    transport: str

    @property
    def word(self) -> str:
        """The mark's meaning, for those who can't see it."""
        return words.KINDS[self.kind] + (f", {self.of}" if self.of else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    A rule, written once for all capabilities that it holds for.
    """

    name: str
    sentence: str
    level: str
    #: None where the rule does not hold.
    cells: Sequence[Cell | None]
    marks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """
    One page of the documentation.
    """

    page: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    #: Kind -> number of checks.
    counts: Mapping[str, int]
    marks: str

    @property
    def heads(self) -> list[tuple[str | None, list[str]]]:
        """The capabilities, each with its transports."""
        found: dict[str | None, list[str]] = {}
        for each in self.columns:
            found.setdefault(each.capability, []).append(each.transport)
        return [*found.items()]

    @property
    def transports(self) -> list[str]:
        return [*dict.fromkeys(each.transport for each in self.columns)]

    @property
    def number(self) -> int:
        """Checks."""
        return sum(self.counts.values())

    @property
    def unprinted(self) -> int:
        """Rows that paper leaves out: nothing is amiss with them."""
        return sum(AMISS not in each.marks.split() for each in self.rows)

    @property
    def clean(self) -> bool:
        """Whether there is nothing but what is kept or not offered."""
        return not set(self.counts) - {"kept", "left-out"}

    @property
    def told(self) -> str:
        """The counts in words."""
        return ", ".join(f"{self.counts[each]:,} {words.KINDS[each]}" for each in words.KINDS if self.counts.get(each))


@cache
def _order() -> Mapping[str, int]:
    """The place of each rule in the catalogue."""
    return {id: number for number, id in enumerate(_rules.rules())}


def tables(document: Mapping[str, Any], anchors: Mapping[Any, str]) -> Iterator[Table]:
    """
    The tables of *document*, one after the other; *anchors* say where each check is told of (`findings.Findings`).
    """
    by_page: dict[str, list[Mapping[str, Any]]] = {}
    for check in document["checks"]:
        by_page.setdefault(check["page"], []).append(check)
    offered = [each for each in document["capabilities"] if each["verdict"] != "not-offered"]
    pages = {each["page"] for each in document["capabilities"]}
    ordered = [*(each for each in by_page if each in pages), *(each for each in _WHOLES if each in by_page)]
    for page in [*ordered, *(each for each in by_page if each not in ordered)]:
        names = [each["name"] for each in offered if each["page"] == page] if page in pages else None
        found = _table(page, by_page[page], names, anchors)
        if found is not None:
            yield found


def _table(
    page: str, checks: Iterable[Mapping[str, Any]], names: Sequence[str] | None, anchors: Mapping[Any, str]
) -> Table | None:
    """The table of *page*, with columns for the capabilities *names*; None where none of them was examined."""
    rows: dict[str, dict[Column, list[Mapping[str, Any]]]] = {}
    for check in checks:
        if names is not None and check["capability"] not in names:
            continue
        column = Column(check["capability"] if names is not None else None, check["transport"])
        tail = check["id"].partition(".")[2] if names is not None else check["id"]
        rows.setdefault(tail, {}).setdefault(column, []).append(check)
    if not rows:
        return None
    seen = {each for row in rows.values() for each in row}
    columns = [
        found
        for name in (names if names is not None else [None])
        for transport in _TRANSPORTS
        if (found := Column(name, transport)) in seen
    ]
    told = [_row(name, row, columns, anchors) for name, row in rows.items()]
    places = {name: min(_place(each) for found in row.values() for each in found) for name, row in rows.items()}
    told.sort(key=lambda each: (places[each.name], each.name))
    counts = Counter(words.kind(each) for row in rows.values() for found in row.values() for each in found)
    marks = sorted({mark for each in told for mark in each.marks.split()})
    return Table(page=page, columns=columns, rows=told, counts=counts, marks=" ".join(marks))


def _place(check: Mapping[str, Any]) -> int:
    return _order().get(check["id"], len(_order()))


def _row(
    name: str,
    row: Mapping[Column, Sequence[Mapping[str, Any]]],
    columns: Sequence[Column],
    anchors: Mapping[Any, str],
) -> Row:
    sentences = {_sentence(each) for found in row.values() for each in found}
    one = next(iter(row.values()))[0]
    cells = [_cell(row[each], each.transport, anchors) if each in row else None for each in columns]
    marks = {mark for each in cells if each is not None for mark in _marks(each)}
    # A sentence that names its capability stands here for those of all.
    sentence = one["sentence"] if len({each["capability"] for found in row.values() for each in found}) == 1 else None
    return Row(
        name=name,
        sentence=words.clip(sentence or min(sentences), 600),
        level=one["level"],
        cells=cells,
        marks=" ".join(sorted(marks)),
    )


def _marks(cell: Cell) -> Iterator[str]:
    """What the style sheet filters by: the letter of its filter, alone and over its transport."""
    yield f"in-{cell.transport}"
    for letter in (FILTERS[cell.kind], *(AMISS if cell.kind not in ("kept", "left-out") else ())):
        yield letter
        yield f"{letter}-{cell.transport}"


def _sentence(check: Mapping[str, Any]) -> str:
    capability = check["capability"]
    text: str = check["sentence"]
    return text.replace(capability, "[capability]") if capability else text


def _cell(checks: Sequence[Mapping[str, Any]], transport: str, anchors: Mapping[Any, str]) -> Cell:
    worst = min(checks, key=lambda each: _RANK[words.kind(each)])
    kind = words.kind(worst)
    same = sum(words.kind(each) == kind for each in checks)
    return Cell(
        kind=kind,
        of=f"{same} of {len(checks)}" if len(checks) > 1 else None,
        anchor=anchors.get(words.key(worst)),
        transport=transport,
    )
