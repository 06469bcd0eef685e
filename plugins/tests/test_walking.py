"""
Walks follow the cursors that a search names, as far as they lead, and never for ever.
"""

from __future__ import annotations

import json

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from epos_conformance import walking
from epos_conformance.exceptions import Inconclusive
from epos_conformance.exchange import Answer, Exchange, Sent
from epos_conformance.partner import Partner
from epos_conformance.walking import End


Answers = Callable[[Mapping[str, Any]], Any]


def exchange(answer: Any, status: int = 200) -> Exchange:
    return Exchange(
        capability="SearchOrders",
        transport="rest",
        sent=Sent(method="POST", url="https://till.example/v1/orders/search", headers=(), body=None),
        answer=Answer(status=status, headers=(), body=json.dumps(answer).encode()),
    )


class Till:
    """
    A partner whose search answers what a function of the cursor says, and which keeps what it was asked.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.asked: list[Mapping[str, Any]] = []

    def call(self, name: str, params: Mapping[str, Any]) -> Exchange:
        assert name == "SearchOrders"
        self.asked.append(params)
        found = self._answers(params.get("cursor", {}))
        return found if isinstance(found, Exchange) else exchange(found)


def till(answers: Answers) -> Any:
    return cast("Partner", Till(answers))


def page(*ids: str, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": each} for each in ids], **more}


def numbered(count: int, *, last: str | None = None) -> Answers:
    """Pages of *count* rows, cursors being the place of a row; behind the last one, *last* is named."""

    def answers(cursor: Mapping[str, Any]) -> Any:
        start = int(cursor.get("after") or 0)
        end = min(count, start + int(cursor.get("limit", 20)))
        ids = [f"r{each}" for each in range(start, end)]
        after = f"{end}" if end < count else last
        return page(*ids, **({} if after is None else {"after": after}))

    return answers


def walk(answers: Answers, limit: int | None = 2, **more: Any) -> walking.Walk:
    return walking.walk(till(answers), "SearchOrders", limit, **more)


# Ends


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, None])
def test_a_walk_ends_with_a_page_that_names_no_other(limit: int | None) -> None:
    found = walk(numbered(5), limit)
    assert found.keys == ["r0", "r1", "r2", "r3", "r4"]
    assert (found.end, found.is_whole) == (End.LAST, True)


def test_an_empty_cursor_is_none() -> None:
    assert walk(numbered(3, last="")).end is End.LAST


def test_an_empty_page_ends_a_walk_though_it_leads_on() -> None:
    found = walk(numbered(4, last="4"))
    assert found.end is End.EMPTY
    assert found.is_whole
    assert len(found.pages) == 3


def test_empty_pages_are_passed_as_long_as_they_name_new_cursors() -> None:
    answers = {"": page("a", after="1"), "1": page(after="2"), "2": page(after="3"), "3": page("b")}
    found = walk(lambda cursor: answers[cursor.get("after", "")])
    assert found.keys == ["a", "b"]
    assert found.end is End.LAST


def test_empty_pages_are_not_passed_for_ever() -> None:
    found = walk(lambda cursor: page(after=f"{int(cursor.get('after', 0)) + 1}"))
    assert (found.end, found.is_whole) == (End.CUT, False)
    assert len(found.pages) == 30


def test_a_page_that_leads_to_itself_is_a_circle() -> None:
    found = walk(lambda cursor: page("a", "b", after="again") if cursor else page())
    assert found.end is End.CIRCLE
    assert not found.is_whole
    assert len(found.pages) == 2


def test_pages_that_start_over_are_a_circle_whatever_their_cursors() -> None:
    found = walk(lambda cursor: page("a", "b", after=f"{int(cursor.get('after', 0)) + 1}"))
    assert found.end is End.CIRCLE
    assert len(found.pages) == 4


def test_one_row_that_was_shifted_is_no_circle() -> None:
    answers = {"": page("a", after="1"), "1": page("a", after="2"), "2": page("b")}
    assert walk(lambda cursor: answers[cursor.get("after", "")], 1).end is End.LAST


def test_a_cursor_that_stays_the_same_is_no_circle_as_long_as_rows_come() -> None:
    pages = iter([page("a", after="kept"), page("b", after="kept"), page("c")])
    found = walk(lambda _: next(pages), 1)
    assert found.keys == ["a", "b", "c"]
    assert found.end is End.LAST


def test_a_page_that_is_refused_ends_a_walk() -> None:
    refused = exchange({"errorType": "NotFound", "debugMessage": "gone"}, 404)
    found = walk(lambda cursor: refused if "after" in cursor else page("a", after="1"))
    assert found.end is End.REFUSED
    assert found.pages[-1].refusal == "status 404, NotFound: gone"


@pytest.mark.parametrize("answer", [exchange({"errorType": "InvalidRequest"}, 400), {"rows": []}, {"data": None}, "[]"])
def test_a_walk_without_a_first_page_does_not_begin(answer: Any) -> None:
    with pytest.raises(walking.Refused, match="a walk with limit 2 does not begin: status"):
        walk(lambda _: answer)


@pytest.mark.parametrize("status", [429, 503])
def test_an_overload_is_no_page(status: int) -> None:
    with pytest.raises(Inconclusive, match="the partner is overloaded"):
        walk(lambda _: exchange({}, status))


def test_a_walk_goes_no_further_than_it_is_meant_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert walk(numbered(50), most=3).keys == ["r0", "r1", "r2", "r3", "r4", "r5"]
    monkeypatch.setattr(walking, "MOST_ROWS", 4)
    found = walk(numbered(50), most=30)
    assert (len(found.rows), found.end, found.is_whole) == (4, End.CUT, False)


# Asking


def test_query_and_limit_go_with_every_cursor() -> None:
    partner = till(numbered(3))
    walking.walk(partner, "SearchOrders", 2, {"payableOnly": True})
    assert partner.asked == [
        {"payableOnly": True, "cursor": {"limit": 2}},
        {"payableOnly": True, "cursor": {"limit": 2, "after": "2"}},
    ]


def test_without_a_limit_the_first_page_is_asked_for_without_a_cursor() -> None:
    partner = till(numbered(25))
    walking.walk(partner, "SearchOrders", None)
    assert partner.asked == [{}, {"cursor": {"after": "20"}}]


def test_something_may_happen_between_two_pages() -> None:
    seen: list[int] = []
    walk(numbered(5), between=lambda so_far: seen.append(len(so_far.pages)))
    assert seen == [1, 2]


def test_a_till_that_takes_no_large_limit_is_asked_for_its_own_pages() -> None:
    small = numbered(30)
    refused = exchange({"errorType": "InvalidRequest"}, 400)
    partner = till(lambda cursor: refused if cursor.get("limit") == 100 else small(cursor))
    assert len(walking.whole(partner, "SearchOrders").rows) == 30
    with pytest.raises(walking.Refused):
        walking.whole(till(lambda _: refused), "SearchOrders")


def test_the_way_back_is_asked_for_with_before() -> None:
    partner = till(lambda _: page("a"))
    there = walking.page_of(exchange(page("b", before="x")))
    assert walking.back(partner, "SearchOrders", there, 1, {}) is not None
    assert walking.back(partner, "SearchOrders", there, None, {}) is not None
    assert partner.asked == [{"cursor": {"limit": 1, "before": "x"}}, {"cursor": {"before": "x"}}]
    assert walking.back(partner, "SearchOrders", walking.page_of(exchange(page("b"))), 1, {}) is None


def test_an_array_of_pages_is_read_as_one_answer() -> None:
    found = walking.page_of(exchange([page("a", "b", before="x", after="no"), page("c", before="no", after="y")]))
    assert found.keys == ["a", "b", "c"]
    assert (found.sizes, found.before, found.after) == ((2, 1), "x", "y")
    assert found.refusal is None
    assert walking.page_of(exchange([])).refusal is None


# Telling


def test_rows_are_told_by_their_ids_or_by_all_they_have() -> None:
    assert walking.key({"id": "a", "name": "x"}) == "a"
    assert walking.key({"name": "é"}) == walking.key({"name": "é"}) == '{"name": "é"}'
    assert walking.key({"id": 5}) == '{"id": 5}'


def test_walks_are_told_by_their_limit_and_what_was_searched_for() -> None:
    query = {"dineIn": {"tableId": "t 7"}, "payableOnly": True}
    assert f"{walking.Walk(query=query, limit=2)}" == "a walk with limit 2 and dineIn.tableId t 7, payableOnly true"
    assert f"{walking.Walk(query={}, limit=None)}" == "a walk without a limit"


def test_the_first_of_many_rows_are_listed() -> None:
    assert walking.listed([]) == "no rows"
    assert walking.listed(["a", "b" * 70]) == f"a, {'b' * 57}..."
    assert walking.listed("abcdefg") == "a, b, c, d, e and 2 more"


@pytest.mark.parametrize("total", [1, 2, 7, 12, 30, 31, 97, 250, 600])
def test_limits_are_small_fitting_and_the_tills_own(total: int) -> None:
    found = walking.limits(total)
    sizes = [each for each in found if each is not None]
    assert found[:3] == [1, 2, 3]
    assert found[-1] is None
    assert len(set(sizes)) == len(sizes) <= 6
    assert all(1 <= each <= 100 for each in sizes)
    assert total > 100 or total in sizes


def test_the_order_of_a_page_that_was_walked_back_to_is_free() -> None:
    assert walking.is_same(["a", "b"], ["b", "a"])
    assert not walking.is_same(["a", "b"], ["a", "b", "b"])
