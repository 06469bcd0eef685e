"""
Of a long conversation a reader is shown the exchange that a finding is about.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance._fault import at_fault


PAY, READ = "RecordOrderPaymentById", "GetOrderById"


def exchange(capability: str, request: str = "", answer: str = "", status: int | None = 200) -> dict[str, Any]:
    told = None if status is None else {"status": status, "body": answer}
    return {
        "capability": capability,
        "request": {"method": "POST", "url": "http://till", "body": request},
        "answer": told,
    }


def paid(sent: int, kept: int, status: int = 200) -> dict[str, Any]:
    return exchange(PAY, f'{{"paidAmount":{{"value":{sent}}}}}', f'{{"paidAmount":{{"value": {kept}}}}}', status)


@pytest.mark.parametrize(
    ("exchanges", "where", "expected", "seen", "number"),
    [
        ([paid(1, 1)], "anywhere", "a", "b", 0),
        # Nothing tells them apart: it is how the conversation ended.
        ([paid(1, 1), paid(2, 2), paid(3, 3)], "$.x", "a", "b", 2),
        # The payment of that amount, not the ones after it.
        ([paid(29, 28), paid(3, 3), exchange(READ)], f"{PAY}, $.payments.paidAmount", "29 (£0.29)", "28 (£0.28)", 0),
        # The capability that is named, though others came later.
        ([paid(1, 1), exchange(READ), paid(2, 2)], f"{READ} after the payments", "a", "b", 1),
        # The status that is named.
        ([paid(1, 1), paid(1, 1, 500), paid(1, 1)], "status", "a success", "status 500, a crash", 1),
        # The order that is named.
        ([exchange(READ, "ord-1"), exchange(READ, "ord-2"), exchange(READ, "ord-3")], "of 'ord-2'", "a", "b", 1),
    ],
)
def test_the_last_that_agrees_best_is_at_fault(
    exchanges: list[dict[str, Any]], where: str, expected: str, seen: str, number: int
) -> None:
    assert at_fault(exchanges, where, expected, seen) == number


def test_what_a_partner_says_is_no_pattern() -> None:
    assert at_fault([paid(1, 1)], "(((", "'[['", "status ((( '\\\\1'" * 1000) == 0
