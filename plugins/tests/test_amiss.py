"""
What is amiss in a walk is told of what was seen, and counts only where it shows each time while nothing moves.
"""

from __future__ import annotations

import itertools

from collections.abc import Iterator

import pytest

from epos_conformance import amiss
from epos_conformance.filters import WAITER
from epos_conformance.following import Row
from epos_conformance.verdict import Finding
from epos_conformance.walking import End, Page, Walk


def page(*ids: str, after: str | None = None, refusal: str | None = None) -> Page:
    rows: list[Row] = [{"id": each} for each in ids]
    return Page(cursor=None, rows=rows, sizes=(len(rows),), before=None, after=after, refusal=refusal)


def walk(*pages: str, limit: int | None = 2, end: End = End.LAST) -> Walk:
    """A walk of pages such as ``ab``, whose rows have a letter for an id."""
    return Walk(query={}, limit=limit, pages=[page(*each) for each in pages], end=end)


ALL = walk("abcdef", limit=100)


# Rows that come twice


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        (["ab", "cd"], []),
        (["ab", "bc"], [amiss.Repeat("b", 1, 2, True)]),
        (["ab", "cb"], [amiss.Repeat("b", 1, 2, False)]),
        (["ab", "cd", "ae"], [amiss.Repeat("a", 1, 3, False)]),
        (["aab"], [amiss.Repeat("a", 1, 1, False)]),
        (["a", "a", "a"], [amiss.Repeat("a", 1, 2, True), amiss.Repeat("a", 2, 3, True)]),
    ],
)
def test_rows_that_come_twice_are_told_with_their_places(pages: list[str], expected: list[amiss.Repeat]) -> None:
    assert amiss.repeats(walk(*pages)) == expected


def test_rows_that_share_an_id_are_not_said_to_come_twice() -> None:
    several = Walk(
        query={},
        limit=100,
        pages=[
            Page(
                cursor=None,
                rows=[{"id": "a", "name": "1"}, {"id": "a", "name": "2"}, {"id": "b"}, {"id": "b"}],
                sizes=(4,),
                before=None,
                after=None,
            )
        ],
    )
    assert amiss.ambiguous(several.rows) == {"a"}
    assert [each.where for each in amiss.repeated(several, several, several)] == ["page 1 of a walk with limit 100"]
    assert len(amiss.repeated_ids(several, several, several)) == 2


def test_a_row_that_comes_twice_is_told_with_the_likely_cause() -> None:
    (seam,) = amiss.repeated(walk("ab", "bc"), ALL, ALL)
    assert f"{seam}" == (
        "at page 2 of a walk with limit 2: expected rows that have not come yet, saw row b a second time, after page 1"
    )
    assert "instead of the one behind it" in f"{seam.hint}"
    (joined,) = amiss.repeated(walk("aab"), ALL, ALL)
    assert "joined" in f"{joined.hint}"
    (other,) = amiss.repeated(walk("ab", "cb"), ALL, ALL)
    assert other.hint is None


# Rows that never come


def test_rows_count_as_left_out_where_they_were_there_all_the_time() -> None:
    assert amiss.left_out(walk("ab", "cd", "ef"), ALL, ALL) == []
    (found,) = amiss.left_out(walk("ab", "ef"), ALL, ALL)
    assert f"{found}" == (
        "at a walk with limit 2: expected each of the 6 rows that a walk with limit 100 finds, "
        "saw 4 rows; missing: c, d"
    )
    assert "skipped" in f"{found.hint}"
    assert amiss.left_out(walk("ab", "ef"), ALL, walk("abef")) == []


def test_rows_behind_the_last_page_are_left_out_because_it_names_no_other() -> None:
    (found,) = amiss.left_out(walk("ab", "cd"), ALL, ALL)
    assert found.hint == "page 2 names no after, as if it were the last one"


def test_of_a_walk_that_was_cut_off_the_rows_up_to_there_are_due() -> None:
    assert amiss.left_out(walk("ab", "cd", end=End.CUT), ALL, ALL) == []
    (found,) = amiss.left_out(walk("ab", "d", end=End.CUT), ALL, ALL)
    assert "each of the 3 rows that a walk with limit 100 finds so far" in found.expected
    assert amiss.left_out(walk("db", end=End.CUT), ALL, ALL) == []
    assert amiss.left_out(walk("xy", end=End.CUT), ALL, ALL) == []
    assert amiss.left_out(walk("ab", "ab", end=End.CIRCLE), ALL, ALL) == []


def test_rows_behind_a_page_that_is_refused_are_left_out() -> None:
    seen = Walk(query={}, limit=2, pages=[page("a"), page(refusal="status 500")], end=End.REFUSED)
    assert [each.seen for each in amiss.left_out(seen, ALL, ALL)] == ["status 500"]
    assert [each.seen for each in amiss.endless(seen, ALL, ALL)] == ["status 500"]


# Pages


def test_a_circle_has_no_end() -> None:
    (found,) = amiss.endless(walk("ab", "ab", end=End.CIRCLE), ALL, ALL)
    assert found.seen == "a, b again"
    assert all(amiss.endless(walk("ab", end=each), ALL, ALL) == [] for each in (End.LAST, End.EMPTY, End.CUT))


def test_pages_are_held_to_the_limit_each_for_itself() -> None:
    assert [each.seen for each in amiss.overfull(walk("ab", "cde"))] == ["3 rows"]
    assert amiss.overfull(walk("abc", limit=None)) == []
    halves = Page(cursor=None, rows=[{"id": "a"}, {"id": "b"}], sizes=(1, 1), before=None, after=None)
    assert amiss.too_long([halves], 1) == []


def test_an_empty_page_that_leads_on_is_told_with_its_cursor() -> None:
    seen = Walk(query={}, limit=2, pages=[page("a", after="1"), page(after="1")], end=End.EMPTY)
    assert [each.seen for each in amiss.left_open(seen)] == ["after '1'"]


# Filters


def served(*waiters: str | None) -> Page:
    rows: list[Row] = [
        {"id": f"t{place}", **({"waiterIds": [each]} if each else {})} for place, each in enumerate(waiters)
    ]
    return Page(cursor=None, rows=rows, sizes=(len(rows),), before=None, after=None)


def test_rows_of_later_pages_that_say_they_do_not_pass_are_told() -> None:
    seen = Walk(query={"waiterId": "w"}, limit=1, pages=[served("v"), served("w", None, "v")], end=End.LAST)
    (found,) = amiss.unfiltered(seen, WAITER.at("w"))
    assert found.where == "page 2 of a walk with limit 1 and waiterId w"
    assert found.seen == "row t2, which does not"


def test_rows_of_later_pages_that_one_large_page_does_not_show_are_told() -> None:
    assert [each.seen for each in amiss.strangers(walk("xa", "by"), ALL, ALL)] == ["row y"]
    assert amiss.strangers(walk("a", "b", "y"), ALL, walk("ay", limit=100)) == []
    assert amiss.strangers(walk("a", "y"), walk("ab", end=End.CUT), ALL) == []


# Persistence


def looks(*rows: str) -> Iterator[Walk]:
    """Walks with these rows, the last ones for ever."""
    return (walk(each, limit=100) for each in itertools.chain(rows, itertools.repeat(rows[-1])))


FOUND = Finding("here", "this", "that")


def persistent(faulty: list[bool], others: Iterator[Walk], growing: bool = False) -> tuple[list[Finding] | None, int]:
    """What persists of a fault that shows in some rounds, and how many there were."""
    rounds = iter(faulty)
    taken: list[Walk] = []

    def again() -> Walk:
        taken.append(ALL)
        return ALL

    found = amiss.persistent(lambda *_: [FOUND] if next(rounds) else [], again, lambda: next(others), growing=growing)
    return found, len(taken)


def test_what_shows_twice_while_nothing_moves_is_a_fault() -> None:
    assert persistent([True] * 5, looks("abc")) == ([FOUND], 2)


def test_what_does_not_show_again_is_none() -> None:
    assert persistent([False], looks("abc")) == ([], 1)
    assert persistent([True, False], looks("abc")) == ([], 2)


def test_what_shows_while_rows_change_their_places_has_to_show_more_often() -> None:
    assert persistent([True] * 5, looks("abc", "bac", "cab", "abc", "bca", "acb")) == ([FOUND], 3)


def test_what_shows_only_while_rows_come_and_go_cannot_be_told() -> None:
    assert persistent([True] * 5, looks("a", "ab", "abc", "bc", "c", "cd")) == (None, 5)


def test_where_rows_are_meant_to_appear_they_do_not_count_as_moving() -> None:
    assert persistent([True] * 5, looks("ab", "xab", "yxab"), growing=True) == ([FOUND], 2)
    assert persistent([True] * 5, looks("ab", "xa", "yx", "zy", "wz", "vw"), growing=True) == (None, 5)
