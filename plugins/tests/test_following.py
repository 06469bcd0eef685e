"""
A search is followed to its end, whatever the EPOS makes of limits and cursors, and not for ever.
"""

from __future__ import annotations

import json

from collections.abc import Callable
from typing import Any

import pytest

from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.following import PAGE, pages


Query = dict[str, Any]


def answer(body: Any, status: int = 200) -> Exchange:
    sent = Sent(method="POST", url="http://till/v1/orders/search", headers=(), body=b"{}")
    return Exchange(
        capability="SearchOrders",
        transport="rest",
        sent=sent,
        answer=Answer(status=status, headers=(), body=json.dumps(body).encode()),
    )


def page(*ids: str, after: Any = None) -> Exchange:
    return answer({"data": [{"id": each} for each in ids], **({} if after is None else {"after": after})})


def following(answers: Callable[[Query], Exchange], most: int = 10) -> tuple[list[Query], list[Exchange]]:
    """What was asked, and what came."""
    asked: list[Query] = []

    def ask(query: Query) -> Exchange:
        asked.append(query)
        return answers(query)

    found = list(pages(ask, {"payableOnly": True}, most=most))
    return asked, found


def test_it_ends_where_no_cursor_leads_on() -> None:
    asked, found = following(lambda query: page("b") if "after" in query["cursor"] else page("a", after="next"))
    assert asked == [
        {"payableOnly": True, "cursor": {"limit": PAGE}},
        {"payableOnly": True, "cursor": {"limit": PAGE, "after": "next"}},
    ]
    assert [each.result["data"][0]["id"] for each in found] == ["a", "b"]


@pytest.mark.parametrize("after", ["", 5, {}])
def test_a_cursor_of_another_type_leads_nowhere(after: Any) -> None:
    assert len(following(lambda _: page("a", after=after))[1]) == 1


def test_an_epos_that_allows_less_is_asked_for_pages_of_its_own() -> None:
    def answers(query: Query) -> Exchange:
        cursor = query.get("cursor", {})
        if "limit" in cursor:
            return answer({"errorType": "InvalidRequest"}, 400)
        return page("b") if "after" in cursor else page("a", after="next")

    asked, found = following(answers)
    assert asked[1:] == [{"payableOnly": True}, {"payableOnly": True, "cursor": {"after": "next"}}]
    assert [each.succeeded for each in found] == [True, True]


def test_what_is_no_success_is_the_last() -> None:
    broken = answer({"errorType": "UnexpectedError"}, 500)
    asked, found = following(lambda query: broken if "after" in query["cursor"] else page("a", after="next"))
    assert len(asked) == 2
    assert [each.succeeded for each in found] == [True, False]


def test_a_first_page_that_is_refused_twice_is_shown() -> None:
    asked, found = following(lambda _: answer({"errorType": "InvalidRequest"}, 400))
    assert len(asked) == 2
    assert [each.status for each in found] == [400]


def test_a_cursor_that_comes_again_leads_on_while_rows_are_new() -> None:
    rows = iter(["a", "b", "c", "c", "d"])
    _, found = following(lambda _: page(next(rows), after="the search"))
    assert [each.result["data"][0]["id"] for each in found] == ["a", "b", "c"]


def test_it_is_not_followed_for_ever() -> None:
    numbers = iter(range(100))
    asked, _ = following(lambda _: page(str(number := next(numbers)), after=f"page {number}"), most=7)
    assert len(asked) == 7
