"""
Amounts of money as the contract has them, read with care: an order is the partner's, and may say anything.

Values are integers in minor units (pence, cents); None stands for what is not there or is no amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


_SIGNS = {"GBP": "£", "EUR": "€"}


def value(amount: Any) -> int | None:
    """The minor units of *amount*; None where it is no Money. 12.0 is an integer, as it is in JSON Schema."""
    found = amount.get("value") if isinstance(amount, Mapping) else None
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return found if type(found) is int else None


def currency(amount: Any) -> str | None:
    """The currencyCode of *amount*; None where it is no Money."""
    found = amount.get("currencyCode") if isinstance(amount, Mapping) else None
    return found if isinstance(found, str) else None


def of(value: int, currency: str) -> dict[str, Any]:
    """*value* minor units as Money."""
    return {"value": value, "currencyCode": currency}


def shown(amount: Any, code: str | None = None) -> str:
    """*amount* (Money, or minor units of the currency *code*) for findings: ``1150 (£11.50)``."""
    minor = amount if type(amount) is int else value(amount)
    if minor is None:
        return "none" if amount is None else f"{amount!r}"
    code = code or currency(amount) or ""
    sign, whole = "-" if minor < 0 else "", f"{abs(minor) // 100}.{abs(minor) % 100:02d}"
    return f"{minor} ({sign}{_SIGNS[code]}{whole})" if code in _SIGNS else f"{minor} ({sign}{whole} {code})".strip()


def total(order: Mapping[str, Any]) -> int | None:
    """What *order* comes to, without tips."""
    return value(order.get("totalAmount"))


def paid(order: Mapping[str, Any]) -> int | None:
    """What is paid of *order*, without tips; where it doesn't say, what its payments come to."""
    said = value(order.get("paidAmount"))
    if said is None and "paidAmount" not in order:
        return summed(each.get("paidAmount") for each in payments(order))
    return said


def owed(order: Mapping[str, Any]) -> int | None:
    """What is left to pay of *order*; None where it doesn't say."""
    whole, part = total(order), paid(order)
    return None if whole is None or part is None else whole - part


def payments(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The payments of *order* that are objects."""
    found = order.get("payments")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def payment(order: Mapping[str, Any], intent: str) -> Mapping[str, Any] | None:
    """The first payment of *order* made with the payment intent *intent*."""
    return next((each for each in payments(order) if each.get("paymentIntentId") == intent), None)


def summed(amounts: Iterable[Any]) -> int | None:
    """The sum of *amounts*, 0 of none; None where one of them is no Money. What is absent counts nothing."""
    values = [value(each) for each in amounts if each is not None]
    return None if None in values else sum(each for each in values if each is not None)


def every(found: Any, where: str = "$") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every Money inside *found*, with its path."""
    if isinstance(found, Mapping):
        if "currencyCode" in found and "value" in found:
            yield where, found
        for name, each in found.items():
            yield from every(each, f"{where}.{name}")
    elif isinstance(found, list):
        for index, each in enumerate(found):
            yield from every(each, f"{where}[{index}]")
