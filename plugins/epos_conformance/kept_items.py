"""
What became of the items of an order that was sent: where they are shown otherwise, as findings with a likely cause.

They may come back in another order, equal lines merged into one, and lines of several pieces split; so they are
compared by plu and per piece. Whatever the EPOS adds of its own in objects that were sent is its right.
"""

from __future__ import annotations

import unicodedata

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from epos_conformance import money
from epos_conformance.arithmetic import Parts
from epos_conformance.exchange import preview
from epos_conformance.kept import lines, pair, same, spoilt, told
from epos_conformance.verdict import Finding


Json = Mapping[str, Any]

#: A modifier or sub-item as it is compared: plu, name where known, amount, currency, what is on it, how many.
_Part = tuple[str, str, Any, Any, tuple[Any, ...], int]


def _by_plu(order: Json) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for each in lines(order.get("items")):
        found.setdefault(str(each.get("plu")), []).append(each)
    return found


def _count(line: Json) -> int | None:
    found = line.get("quantity")
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return found if type(found) is int else None


def _called(plu: str, among: Sequence[Json]) -> str:
    return f"$.items, plu {plu} ({among[0].get('name')})"


# Items


def items(sent: Json, shown: Json, known: Collection[str] = ()) -> Iterator[Finding]:
    """Items that are lost, added or renamed; names are compared for the plus that are *known* to have them."""
    wanted, found = _by_plu(sent), _by_plu(shown)
    if lost := [plu for plu in wanted if plu not in found]:
        yield Finding("$.items", f"{_named(wanted, lost)} among the items", f"only {_named(found, found) or 'none'}")
    if added := [plu for plu in found if plu not in wanted]:
        hint = "parts of an item seem to have become items" if set(added) <= _parts(sent) else None
        yield Finding("$.items", "only what was sent", f"{_named(found, added)} too", hint)
    for plu in [each for each in wanted if each in found and each in known]:
        name = wanted[plu][0]["name"]
        other = next((line.get("name") for line in found[plu] if not same(name, line.get("name"))), name)
        if not same(name, other):
            yield Finding(f"$.items, plu {plu}, name", repr(name), told(other), spoilt(name, other))


def _named(among: Mapping[str, Sequence[Json]], plus: Iterable[str]) -> str:
    return ", ".join(f"plu {plu} ({among[plu][0].get('name')})" for plu in plus)


def _parts(order: Json) -> set[str]:
    """The plus of all modifiers and sub-items."""
    found = set()
    todo = lines(order.get("items"))
    while todo:
        item = todo.pop()
        below = [*lines(item.get("modifiers")), *lines(item.get("subItems"))]
        found |= {str(each.get("plu")) for each in below}
        todo += below
    return found


def quantities(sent: Json, shown: Json) -> Iterator[Finding]:
    """Plus of which another number is shown; equal lines may be merged, and lines split."""
    found = _by_plu(shown)
    for plu, each in _by_plu(sent).items():
        if plu not in found:
            continue
        counts = [_count(line) for line in found[plu]]
        wanted = sum(_count(line) or 0 for line in each)
        if None in counts:
            yield Finding(
                f"{_called(plu, each)}, quantity", str(wanted), preview([line.get("quantity") for line in found[plu]])
            )
        elif (total := sum(count or 0 for count in counts)) != wanted:
            hint = None
            if len(each) > len(counts):
                hint = f"of {len(each)} lines with this plu, {len(counts)} is left"
            yield Finding(f"{_called(plu, each)}, quantity", str(wanted), str(total), hint)


def prices(sent: Json, shown: Json) -> Iterator[Finding]:
    """Plus with other prices."""
    found = _by_plu(shown)
    for plu, each in _by_plu(sent).items():
        wanted = [line.get("amountPerItem") for line in each]
        seen = [line.get("amountPerItem") for line in found.get(plu, ())]
        if seen and set(map(pair, seen)) != set(map(pair, wanted)):
            where = f"{_called(plu, each)}, amountPerItem"
            yield Finding(where, _amounts(wanted), _amounts(seen), _price_hint(each, set(map(money.value, seen))))


def _price_hint(sent: Sequence[Json], seen: set[int | None]) -> str | None:
    """How the lines *sent*, of one plu, may have come to be *seen* with other prices."""
    priced = [(line, money.value(line["amountPerItem"]) or 0) for line in sent]
    for guessed, hint in (
        ([price for _, price in priced], "the currency is another one"),
        (
            [price + _extra_cost(line) for line, price in priced],
            "the price seems to include modifiers or sub-items: amountPerItem is without them",
        ),
        ([price * (_count(line) or 0) for line, price in priced], "the price seems to be that of the whole line"),
    ):
        if seen <= set(guessed):
            return hint
    return None


def _amounts(amounts: Iterable[Any]) -> str:
    return ", ".join(dict.fromkeys(map(money.shown, amounts)))


def _extra_cost(line: Json) -> int:
    alone = Parts.of({"items": [{**line, "quantity": 1}]})
    return (alone.items if alone else 0) - (money.value(line.get("amountPerItem")) or 0)


# Modifiers and sub-items


def modifiers(sent: Json, shown: Json, known: Collection[str] = ()) -> Iterator[Finding]:
    """Items that have other modifiers."""
    yield from _adorned(sent, shown, "modifiers", partial(_modifiers, known=known))


def sub_items(sent: Json, shown: Json, known: Collection[str] = ()) -> Iterator[Finding]:
    """Items that have other sub-items."""
    yield from _adorned(sent, shown, "subItems", partial(_sub_items, known=known))


def _modifiers(line: Json, known: Collection[str]) -> tuple[_Part, ...]:
    return _parted(((each, "amountPerModifier", ()) for each in lines(line.get("modifiers"))), known)


def _sub_items(line: Json, known: Collection[str]) -> tuple[_Part, ...]:
    below = ((each, "amountPerItem", _modifiers(each, known)) for each in lines(line.get("subItems")))
    return _parted(below, known)


def _parted(below: Iterable[tuple[Json, str, tuple[Any, ...]]], known: Collection[str]) -> tuple[_Part, ...]:
    """What is *below* an item (lines, where their price is, what is on them), equal ones counted together."""
    found: Counter[tuple[Any, ...]] = Counter()
    for line, price, on_it in below:
        plu = str(line.get("plu"))
        name = unicodedata.normalize("NFC", str(line.get("name"))) if plu in known else ""
        found[plu, name, *pair(line.get(price)), on_it] += _count(line) or 0
    return tuple(sorted(((*key, count) for key, count in found.items()), key=repr))


def _adorned(sent: Json, shown: Json, member: str, parts_of: Callable[[Json], tuple[_Part, ...]]) -> Iterator[Finding]:
    found = _by_plu(shown)
    for plu, each in _by_plu(sent).items():
        if plu not in found:
            continue  # that the item is lost is another rule's business
        wanted, seen = (_counted(every, parts_of) for every in (each, found[plu]))
        same_number = sum(wanted.values()) == sum(seen.values())
        # Where pieces are lost, it can't be seen which.
        if (wanted == seen) if same_number else (wanted.keys() == seen.keys()):
            continue
        telling = len(wanted) > 1 or len(seen) > 1
        yield Finding(
            f"{_called(plu, each)}, {member}",
            _told(wanted, telling),
            _told(seen, telling),
            _adorned_hint(each, wanted, seen),
        )


def _counted(every: Sequence[Json], parts_of: Callable[[Json], tuple[_Part, ...]]) -> Counter[tuple[_Part, ...]]:
    """How many pieces there are with the same parts."""
    found: Counter[tuple[_Part, ...]] = Counter()
    for line in every:
        found[parts_of(line)] += _count(line) or 0
    return found


def _told(pieces: Mapping[tuple[_Part, ...], int], with_numbers: bool) -> str:
    """``2 pieces with 1 x 7001 at 60 (£0.60); 1 piece with none``."""
    told = []
    for parts, number in pieces.items():
        what = ", ".join(map(_part, parts)) or "none"
        told.append(f"{number} piece{'s' if number != 1 else ''} with {what}" if with_numbers else what)
    return "; ".join(told)


def _part(part: _Part) -> str:
    plu, name, value, currency, on_it, number = part
    below = f" [{', '.join(map(_part, on_it))}]" if on_it else ""
    return f"{number} x {plu}{f' {name}' if name else ''} at {money.shown(value, currency)}{below}"


def _adorned_hint(
    sent: Sequence[Json], wanted: Mapping[tuple[_Part, ...], int], seen: Mapping[tuple[_Part, ...], int]
) -> str | None:
    was, now = ([part for parts in found for part in parts] for found in (wanted, seen))
    if was and not now:
        return "none of them is left"
    gone = [part for part in was if part[:1] not in [each[:1] for each in now]]
    if gone and not any(part[2] for part in gone):
        return "what costs nothing seems to be left out"
    if [part[:-1] for part in was] == [part[:-1] for part in now]:
        numbers = [(before[-1], after[-1]) for before, after in zip(was, now, strict=True)]
        if all(after == 1 for _, after in numbers):
            return "their quantities seem to be reset to 1"
        if all(any(after == before * (_count(line) or 0) for line in sent) for before, after in numbers):
            return "their quantities seem to be multiplied by the item's: they are per single item"
    return None


def item_notes(sent: Json, shown: Json) -> Iterator[Finding]:
    """Items and sub-items that have other notes."""
    found = _by_plu(shown)
    for plu, each in _by_plu(sent).items():
        for note, below in dict.fromkeys(_notes(each)):
            others = [text for text, sub in _notes(found.get(plu, ())) if sub == below]
            if plu in found and not any(same(note, other) for other in others):
                where = f"{_called(plu, each)}{f', subItems, plu {below}' if below else ''}, note"
                seen = next((text for text in others if spoilt(note, text)), others[0] if others else None)
                yield Finding(where, repr(note), told(seen), spoilt(note, seen))
    every = {note for each in _by_plu(sent).values() for note, _ in _notes(each)}
    for plu, each in _by_plu(sent).items():
        if not _notes(each) and (astray := [note for note, _ in _notes(found.get(plu, ())) if note in every]):
            yield Finding(f"{_called(plu, each)}, note", "none, as sent", told(astray[0]), "it is another item's")


def _notes(every: Sequence[Json]) -> list[tuple[Any, str]]:
    """Notes of lines and of what is below them, with the plu of the latter."""
    found = [(line["note"], "") for line in every if isinstance(line.get("note"), str)]
    below = [each for line in every for each in lines(line.get("subItems"))]
    return found + [(each["note"], str(each.get("plu"))) for each in below if isinstance(each.get("note"), str)]
