"""
Of a long conversation a reader is shown the exchange that a finding is about.
"""

from __future__ import annotations

import pytest

from epos_conformance._fault import at_fault
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.verdict import Finding


PAY, READ, DELETE = "RecordOrderPaymentById", "GetOrderById", "DeleteOrderLock"


def exchange(capability: str, request: str = "", answer: str = "{}", status: int = 200) -> Exchange:
    return Exchange(
        capability=capability,
        transport="rest",
        sent=Sent(method="POST", url="http://till", headers=(), body=request.encode()),
        answer=Answer(status=status, headers=(), body=answer.encode()),
    )


def paid(sent: float | str, kept: int = 0) -> Exchange:
    return exchange(PAY, f'{{"paidAmount":{{"value":{sent}}}}}', f'{{"paidAmount":{{"value": {kept}}}}}')


def refused(sent: float | str, words: str, status: int = 409) -> Exchange:
    return exchange(
        PAY, f'{{"paidAmount":{{"value":{sent}}}}}', f'{{"errorType":"Conflict","debugMessage":"{words}"}}', status
    )


@pytest.mark.parametrize(
    ("exchanges", "where", "expected", "seen", "number"),
    [
        ([paid(1)], "anywhere", "a", "b", 0),
        # Nothing tells them apart: it is how the conversation ended.
        ([paid(1), paid(2), paid(3)], "$.x", "a", "b", 2),
        # The payment of that amount, not the ones after it.
        ([paid(29, 28), paid(3, 3), exchange(READ)], f"{PAY}, $.payments.paidAmount", "29 (£0.29)", "28 (£0.28)", 0),
        ([paid(-1), paid(-100), paid(1.5)], "a payment of -1", "InvalidRequest", "a success", 0),
        ([paid(1.5), paid(1), paid(5)], "a payment of 1.5", "InvalidRequest", "a success", 0),
        # The capability that is named, though others came later; where it is named counts most.
        ([paid(1), exchange(READ), paid(2)], f"{READ} after the payments", "a", "b", 1),
        ([paid(1), exchange(READ)], PAY, f"as {READ} answers", "b", 0),
        # The status that is named.
        ([paid(1), exchange(PAY, status=500), paid(1)], "status", "a success", "status 500, a crash", 1),
        # The order that is named, in quotes or not.
        ([exchange(READ, "ord-1"), exchange(READ, "ord-2"), exchange(READ, "ord-3")], "of 'ord-2'", "a", "b", 1),
        ([exchange(READ, "ord-1"), exchange(READ, "ord-2"), exchange(READ, "ord-3")], "of ord-1", "a", "b", 0),
        # The words of the answer, as REST and WebSocket have them.
        (
            [refused(2, "order 'a' is paid"), refused(2, "order 'b' is paid"), exchange(READ)],
            f"{PAY}, the second",
            f"a success, for {READ} says so",
            "status 409, Conflict: order 'b' is paid",
            1,
        ),
        (
            [refused(2, "order 'a' is paid", 0), exchange(READ, status=0)],
            f"{PAY}, the second",
            f"a success, for {READ} says so",
            "Conflict: order 'a' is paid",
            0,
        ),
        # The search with that parameter.
        (
            [exchange("SearchOrders", '{"payableOnly": true}'), exchange("SearchOrders")],
            "payableOnly true",
            "a",
            "b",
            0,
        ),
        # What tidies up is at fault where it is named alone.
        ([paid(1), exchange(DELETE)], "the lock", "a", "b", 0),
        ([paid(1), exchange(DELETE)], f"{DELETE} of the lock", "a", "b", 1),
    ],
)
def test_the_last_that_agrees_best_is_at_fault(
    exchanges: list[Exchange], where: str, expected: str, seen: str, number: int
) -> None:
    assert at_fault(exchanges, Finding(where, expected, seen)) == number


def test_of_several_findings_the_first_is_about_the_first_that_agrees() -> None:
    alike = [exchange(READ), paid(1), paid(2), paid(3)]
    assert at_fault(alike, Finding(PAY, "a", "b"), first=True) == 1
    assert at_fault(alike, Finding(PAY, "a", "b")) == 3


def test_what_a_partner_says_is_no_pattern() -> None:
    assert at_fault([paid(1)], Finding("(((", "'[['", "status ((( '\\\\1'" * 1000)) == 0
