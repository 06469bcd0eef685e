"""
What became of an order that was sent: where what is shown of it differs, as findings with a likely cause.

Items may come back in another order, equal lines merged into one, and lines of several pieces split; so they are
compared by plu and per piece. Whatever the EPOS adds of its own in objects that were sent is its right.
"""

from __future__ import annotations

import datetime

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from epos_conformance import money
from epos_conformance.arithmetic import Parts
from epos_conformance.exchange import preview
from epos_conformance.verdict import Finding


Json = Mapping[str, Any]

#: Findings where an order, as shown, differs from the body sent in one respect.
Comparison = Callable[[Json, Json], Iterator[Finding]]

#: A modifier or sub-item as it is compared: plu, name where known, amount, currency, what is on it, how many.
_Part = tuple[str, str, Any, Any, tuple[Any, ...], int]


def lines(value: Any) -> list[Json]:
    """The objects of the list *value*; nothing where it is none."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


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
    all_shown = ", ".join(f"{plu} ({each[0].get('name')})" for plu, each in found.items()) or "none"
    for plu, each in wanted.items():
        if plu not in found:
            yield Finding("$.items", f"plu {plu} ({each[0].get('name')}) among the items", f"the plus {all_shown}")
    for plu, each in found.items():
        if plu not in wanted:
            hint = "parts of an item seem to have become items" if plu in _parts(sent) else None
            yield Finding("$.items", "only what was sent", f"plu {plu} ({each[0].get('name')}) too", hint)
    for plu in [each for each in wanted if each in found and each in known]:
        name = wanted[plu][0]["name"]
        for each in found[plu]:
            if each.get("name") != name:
                where = f"$.items, plu {plu}, name"
                yield Finding(where, repr(name), repr(each.get("name")), _spoilt(name, each.get("name")))
                break


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
            yield Finding(f"{_called(plu, each)}, quantity", str(wanted), preview([line.get("quantity") for line in found[plu]]))
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
        if seen and set(map(_pair, seen)) != set(map(_pair, wanted)):
            with_extras = {(money.value(line["amountPerItem"]) or 0) + _extra_cost(line) for line in each}
            hint = None
            if all(money.value(amount) in with_extras for amount in seen):
                hint = "the price seems to include modifiers or sub-items: amountPerItem is without them"
            elif {_pair(amount)[0] for amount in seen} == {_pair(amount)[0] for amount in wanted}:
                hint = "the currency is another one"
            yield Finding(f"{_called(plu, each)}, amountPerItem", _amounts(wanted), _amounts(seen), hint)


def _pair(amount: Any) -> tuple[int | None, str | None]:
    return money.value(amount), money.currency(amount)


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
        name = str(line.get("name")) if plu in known else ""
        found[plu, name, *_pair(line.get(price)), on_it] += _count(line) or 0
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
            if plu in found and note not in others:
                where = f"{_called(plu, each)}{f', subItems, plu {below}' if below else ''}, note"
                seen = next((text for text in others if _spoilt(note, text)), others[0] if others else None)
                yield Finding(where, repr(note), "none" if seen is None else repr(seen), _spoilt(note, seen))


def _notes(every: Sequence[Json]) -> list[tuple[Any, str]]:
    """Notes of lines and of what is below them, with the plu of the latter."""
    found = [(line["note"], "") for line in every if isinstance(line.get("note"), str)]
    below = [each for line in every for each in lines(line.get("subItems"))]
    return found + [(each["note"], str(each.get("plu"))) for each in below if isinstance(each.get("note"), str)]


# Discounts, taxes, payments and sums


def discounts(sent: Json, shown: Json) -> Iterator[Finding]:
    """Discounts that are lost, changed or added."""
    yield from _listed("discounts", sent, shown)
    spare = len(lines(shown.get("discounts"))) - len(lines(sent.get("discounts")))
    if spare > 0 and sum(bool(money.value(each.get("amountTotal"))) for each in lines(shown["discounts"])) > len(
        lines(sent.get("discounts"))
    ):
        yield Finding("$.discounts", "only what was sent", preview([each.get("name") for each in shown["discounts"]]))


def tax_lines(sent: Json, shown: Json) -> Iterator[Finding]:
    """Tax lines that are lost or changed."""
    yield from _listed("taxLines", sent, shown)


def _listed(member: str, sent: Json, shown: Json) -> Iterator[Finding]:
    """Each object of a list has to be there, with the members that it was sent with."""
    left = lines(shown.get(member))
    number = len(left)
    missing: list[tuple[int, Json]] = []
    for index, each in enumerate(lines(sent.get(member))):
        if (same := next((other for other in left if not list(_changed(each, other))), None)) is not None:
            left.remove(same)
        else:
            missing.append((index, each))
    for index, each in missing:
        where = f"$.{member}[{index}]"
        likest = min(left, key=lambda other: len(list(_changed(each, other))), default=None)  # noqa: B023 - used at once
        if likest is None:
            yield Finding(where, preview(dict(each)), f"{number} of {len(lines(sent.get(member)))} left")
            continue
        left.remove(likest)
        for name in _changed(each, likest):
            was, now = each[name], likest.get(name)
            yield Finding(f"{where}.{name}", _shown(was), _shown(now), _spoilt(was, now))


def _changed(sent: Json, shown: Json) -> Iterator[str]:
    """The members of *sent* that *shown* has otherwise."""
    return (name for name, value in sent.items() if not _same(value, shown.get(name)))


def _same(sent: Any, shown: Any) -> bool:
    if isinstance(sent, Mapping) and "currencyCode" in sent:
        return _pair(sent) == _pair(shown)
    return bool(sent == shown and isinstance(sent, bool) == isinstance(shown, bool))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and "currencyCode" in value:
        return money.shown(value)
    return "none" if value is None else preview(value) if not isinstance(value, str) else repr(value)


def payments(sent: Json, shown: Json) -> Iterator[Finding]:
    """Payments that are lost or changed, and sums that are not theirs."""
    wanted = lines(sent.get("payments"))
    for each in wanted:
        intent = each["paymentIntentId"]
        found = [other for other in money.payments(shown) if other.get("paymentIntentId") == intent]
        if len(found) != 1:
            seen = "none" if not found else f"{len(found)} of them"
            yield Finding(f"$.payments, {intent}", "one payment with this paymentIntentId", seen)
            continue
        for name in ("paidAmount", "tipsAmount"):
            was, now = each.get(name), found[0].get(name)
            if money.value(was) in (None, 0) and money.value(now) in (None, 0):
                continue  # no tip, or one of nothing
            if not _same(was, now):
                where = f"$.payments, {intent}, {name}"
                yield Finding(where, money.shown(was), money.shown(now), _with_tip(each, now))
    if len(money.payments(shown)) > len(wanted):
        yield Finding("$.payments", f"{len(wanted)} payments", f"{len(money.payments(shown))}")
    for name in ("paidAmount", "tipsAmount"):
        total = money.summed(each.get(name) for each in wanted)
        if name in shown and money.value(shown[name]) != total:
            both = {**dict(sent), "paidAmount": sent["totalAmount"]}
            hint = _with_tip(_summed(wanted, both), shown[name]) if name == "paidAmount" else None
            code = money.currency(sent.get("totalAmount"))
            yield Finding(f"$.{name}", f"the sum of the payments, {money.shown(total, code)}", money.shown(shown[name]), hint)
