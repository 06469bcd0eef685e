"""
What became of an order that was sent: where what is shown of it differs, as findings with a likely cause.

Of the items, see `epos_conformance.kept_items`. What the EPOS adds of its own to objects that were sent is its right.
"""

from __future__ import annotations

import datetime
import html
import unicodedata

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from epos_conformance import money
from epos_conformance.arithmetic import Parts
from epos_conformance.exchange import preview
from epos_conformance.verdict import Finding


Json = Mapping[str, Any]

#: Findings where an order, as shown, differs from the body sent in one respect.
Comparison = Callable[[Json, Json], Iterator[Finding]]


def lines(value: Any) -> list[Json]:
    """The objects of the list *value*; none where it is no list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def pair(amount: Any) -> tuple[int | None, str | None]:
    """*amount* as it is compared: an integer is one however it is spelt."""
    return money.value(amount), money.currency(amount)


def told(value: Any) -> str:
    """*value*, which may be Money, for findings."""
    if isinstance(value, Mapping) and "currencyCode" in value:
        return money.shown(value)
    if value is None:
        return "none"
    return repr(value) if isinstance(value, str) else preview(value)


def same(sent: Any, shown: Any) -> bool:
    """Whether *shown* is what was *sent*: texts to the letter, however Unicode composes it; amounts to the unit."""
    if isinstance(sent, Mapping) and "currencyCode" in sent:
        return pair(sent) == pair(shown)
    if isinstance(sent, str) and isinstance(shown, str):
        return unicodedata.normalize("NFC", sent) == unicodedata.normalize("NFC", shown)
    return bool(sent == shown) and isinstance(sent, bool) == isinstance(shown, bool)


def spoilt(sent: Any, shown: Any) -> str | None:
    """What seems to have happened to a text; None where it can't be guessed, or nothing did."""
    if not isinstance(sent, str) or not isinstance(shown, str) or not shown or sent == shown:
        return None
    for text, changed in (
        ("letter case seems to be changed", shown.casefold() == sent.casefold()),
        ("the text seems to be cut", sent.startswith(shown.rstrip("….").rstrip())),
        ("HTML seems to be escaped", html.unescape(shown) == sent),
        ("zeros seem to be taken off, as from a number", sent.lstrip("0") == shown),
        ("bytes of UTF-8 seem to be read as Latin-1", _mojibake(shown) == sent),
        ("characters beyond ASCII seem to be lost", _ascii(sent) == _ascii(shown)),
        ("spaces or signs seem to be lost", _letters(sent) == _letters(shown)),
    ):
        if changed:
            return text
    return None


def _ascii(text: str) -> str:
    return "".join(each for each in text if each.isascii() and each != "?")


def _mojibake(text: str) -> str | None:
    for encoding in ("latin-1", "cp1252"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return None


def _letters(text: str) -> str:
    return "".join(each for each in text if each.isalnum())


# Texts and places


def member(name: str) -> Comparison:
    """Compares the member *name* as a whole: note, reference, displayName, serviceChargeAmount."""

    def compare(sent: Json, shown: Json) -> Iterator[Finding]:
        was, now = sent.get(name), shown.get(name)
        if not same(was, now):
            yield Finding(f"$.{name}", told(was), told(now), spoilt(was, now))

    return compare


def customer(sent: Json, shown: Json) -> Iterator[Finding]:
    """The customer's name and addresses."""
    found = shown.get("customer")
    seen = found if isinstance(found, Mapping) else {}
    for name, was in sent["customer"].items():
        if not same(was, seen.get(name)):
            yield Finding(f"$.customer.{name}", told(was), told(seen.get(name)), spoilt(was, seen.get(name)))


def _inside(order: Json, *path: str) -> Any:
    found: Any = order
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def order_type(sent: Json, shown: Json) -> Iterator[Finding]:
    """DineIn or Collection."""
    was, now = sent["details"]["orderType"], _inside(shown, "details", "orderType")
    if was != now:
        yield Finding("$.details.orderType", told(was), told(now))


def dine_in(name: str, header: str | None = None) -> Comparison:
    """Compares details.dineIn's *name*; *header* is what the Dojo header said that it could be mistaken for."""

    def compare(sent: Json, shown: Json) -> Iterator[Finding]:
        was, now = sent["details"]["dineIn"].get(name), _inside(shown, "details", "dineIn", name)
        if was != now:
            hint = "it seems to be taken from the header" if header is not None and now == header else spoilt(was, now)
            yield Finding(f"$.details.dineIn.{name}", told(was), told(now), hint)

    return compare


def ready_time(sent: Json, shown: Json) -> Iterator[Finding]:
    """The instant of readyAt."""
    was, now = sent["details"]["dineIn"].get("readyAt"), _inside(shown, "details", "dineIn", "readyAt")
    yield from _instants("$.details.dineIn.readyAt", was, now)


def collection(sent: Json, shown: Json) -> Iterator[Finding]:
    """The instant of collectAt, and asap; where there is a time, asap is false whether it is said or not."""
    was, found = sent["details"]["collection"], _inside(shown, "details", "collection")
    if not isinstance(found, Mapping):
        yield Finding("$.details.collection", preview(dict(was)), told(found))
        return
    if was.get("asap", False) is not found.get("asap", False):
        yield Finding("$.details.collection.asap", told(was.get("asap")), told(found.get("asap")))
    if "collectAt" in was:
        yield from _instants("$.details.collection.collectAt", was["collectAt"], found.get("collectAt"))


def _instants(where: str, was: Any, now: Any) -> Iterator[Finding]:
    before, after = moment(was), moment(now)
    if before is None or before == after:
        return
    hint = None
    if after is not None:
        apart = abs((after - before).total_seconds())
        if 0 < apart <= _FARTHEST and apart % 1800 == 0:
            hint = f"{apart / 3600:g} h apart: a local time seems to be taken for UTC, or the other way round"
        elif apart % 86400 == 0:
            hint = "the date seems to be lost"
    yield Finding(where, f"the instant {was}", told(now), hint)


#: Seconds between the times of the most distant places.
_FARTHEST = 14 * 3600


def moment(text: Any) -> datetime.datetime | None:
    """The instant that *text* tells; None where it tells none."""
    try:
        found = datetime.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


# Discounts, taxes, payments and sums


def discounts(sent: Json, shown: Json) -> Iterator[Finding]:
    """Discounts that are lost, changed or added."""
    yield from _listed("discounts", sent, shown)
    found = [each for each in lines(shown.get("discounts")) if money.value(each.get("amountTotal"))]
    if len(found) > len(lines(sent.get("discounts"))):
        yield Finding("$.discounts", "only what was sent", preview([each.get("name") for each in found]))


def tax_lines(sent: Json, shown: Json) -> Iterator[Finding]:
    """Tax lines that are lost or changed."""
    yield from _listed("taxLines", sent, shown)


def _listed(name: str, sent: Json, shown: Json) -> Iterator[Finding]:
    """Each object of a list has to be there, with the members that it was sent with, in any order."""
    wanted, left = lines(sent.get(name)), lines(shown.get(name))
    number = len(left)
    missing: list[tuple[int, Json]] = []
    for index, each in enumerate(wanted):
        found = next((other for other in left if not _changed(each, other)), None)
        if found is None:
            missing.append((index, each))
        else:
            left.remove(found)
    for index, each in missing:
        if not left:
            yield Finding(f"$.{name}[{index}]", preview(dict(each)), f"{number} of {len(wanted)} left")
            continue
        ranked = [(len(_changed(each, other)), place) for place, other in enumerate(left)]
        likest = left.pop(min(ranked)[1])
        for changed in _changed(each, likest):
            was, now = each[changed], likest.get(changed)
            yield Finding(f"$.{name}[{index}].{changed}", told(was), told(now), spoilt(was, now))


def _changed(sent: Json, shown: Json) -> list[str]:
    """The members of *sent* that *shown* has otherwise."""
    return [name for name, value in sent.items() if not same(value, shown.get(name))]


def payments(sent: Json, shown: Json) -> Iterator[Finding]:
    """Payments that are lost, changed or added, and sums that are not theirs."""
    wanted, found = lines(sent.get("payments")), money.payments(shown)
    for each in wanted:
        intent = each["paymentIntentId"]
        same_intent = [other for other in found if other.get("paymentIntentId") == intent]
        if len(same_intent) != 1:
            seen = f"{len(same_intent)} of them among {len(found)} payments"
            yield Finding("$.payments", f"one payment with the paymentIntentId {intent}", seen)
            continue
        for name in ("paidAmount", "tipsAmount"):
            was, now = each.get(name), same_intent[0].get(name)
            # No tip and one of nothing are the same.
            if not same(was, now) and (money.value(was), money.value(now)) not in _NOTHING:
                yield Finding(f"$.payments, {intent}, {name}", told(was), told(now), _tip_inside([each], name, now))
    if len(found) > len(wanted):
        yield Finding("$.payments", f"{len(wanted)} payments, as sent", str(len(found)))
    code = money.currency(sent.get("totalAmount"))
    for name in ("paidAmount", "tipsAmount"):
        total = money.summed(each.get(name) for each in wanted)
        if name in shown and money.value(shown[name]) != total:
            expected = f"{money.shown(total, code)}, the sum of the payments"
            yield Finding(f"$.{name}", expected, told(shown[name]), _tip_inside(wanted, name, shown[name]))


_NOTHING = ((None, 0), (0, None))


def _tip_inside(paid: list[Json], name: str, seen: Any) -> str | None:
    amounts, tips = (money.summed(each.get(each_name) for each in paid) for each_name in ("paidAmount", "tipsAmount"))
    if name == "paidAmount" and amounts is not None and tips and money.value(seen) == amounts + tips:
        return f"the tip of {tips} seems to be included"
    return None


def total(sent: Json, shown: Json) -> Iterator[Finding]:
    """The total, which no EPOS has to reckon anew."""
    was, now = sent["totalAmount"], shown.get("totalAmount")
    if not same(was, now):
        yield Finding("$.totalAmount", told(was), told(now), _reckoned(sent, money.value(was), money.value(now)))


def _reckoned(sent: Json, was: int | None, now: int | None) -> str | None:
    """How *now* may have come about."""
    parts = Parts.of(sent)
    if was is None or now is None or parts is None or was == now:
        return None
    tips = money.summed(each.get("tipsAmount") for each in lines(sent.get("payments"))) or 0
    # What was left out, or counted in.
    for amount, what in (
        (parts.discounts, "the discounts"),
        (parts.charge, "the service charge"),
        (parts.taxes, "the taxes"),
        (tips, "the tips"),
        (parts.items - (_without(sent, "modifiers") or 0), "the modifiers"),
        (parts.items - (_without(sent, "subItems") or 0), "the sub-items"),
    ):
        if amount and abs(now - was) == abs(amount):
            return f"{what} of {amount} seem{'s' if what.endswith('charge') else ''} to be left out or counted twice"
    if abs(now - was) == 1:
        return "one unit seems to be lost in a fraction"
    return None


def _without(sent: Json, name: str) -> int | None:
    """What the items of *sent* come to without their *name*."""
    items = [_stripped(each, name) for each in lines(sent.get("items"))]
    parts = Parts.of({"items": items})
    return parts.items if parts else None


def _stripped(item: Json, name: str) -> Json:
    found = {key: value for key, value in item.items() if key != name}
    if "subItems" in found:
        found["subItems"] = [_stripped(each, name) for each in found["subItems"]]
    return found
