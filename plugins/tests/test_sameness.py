"""
Two answers say the same where they mean the same.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance import sameness
from epos_conformance.sameness import Moment, differences


def gbp(value: float) -> dict[str, Any]:
    return {"value": value, "currencyCode": "GBP"}


ORDER: dict[str, Any] = {
    "id": "1",
    "status": "New",
    "payable": True,
    "createdAt": "2026-05-01T10:00:00.250Z",
    "totalAmount": gbp(700),
    "items": [
        {"plu": "1", "name": "Tea", "quantity": 1, "amountPerItem": gbp(200)},
        {"plu": "2", "name": "Pie", "quantity": 1, "amountPerItem": gbp(500), "modifiers": [{"plu": "3"}]},
    ],
    "details": {"orderType": "DineIn", "dineIn": {"tableId": "t-1"}},
}
TEA, PIE = ORDER["items"]


def where(other: dict[str, Any], **more: Any) -> list[str]:
    return [each.where for each in differences(ORDER, {**ORDER, **other}, **more)]


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"totalAmount": gbp(700.0)},
        {"items": [PIE, TEA]},
        {"items": [{**TEA, "modifiers": []}, PIE]},
        {"items": [{**TEA, "note": None}, PIE]},
        {"createdAt": "2026-05-01T12:00:00.250+02:00"},
        {"createdAt": "2026-05-01T10:00:00Z"},
        {"createdAt": "2026-05-01T10:00:00.2504Z"},
        {"discounts": []},
        {"note": "not told elsewhere"},
        {"details": {"orderType": "DineIn", "dineIn": {"tableId": "t-1", "waiterId": "w"}}},
        {"updatedAt": "2026-05-01T10:00:00Z"},
        {"ownMember": 7},
    ],
)
def test_what_means_the_same_is_no_difference(other: dict[str, Any]) -> None:
    assert where(other) == []
    assert where(other, needed=sameness.NEEDED) == []


@pytest.mark.parametrize(
    ("other", "place"),
    [
        ({"status": "Ready"}, "$.status"),
        ({"payable": 1}, "$.payable"),
        ({"totalAmount": gbp(701)}, "$.totalAmount.value"),
        ({"totalAmount": 700}, "$.totalAmount"),
        ({"createdAt": "2026-05-01T11:00:00Z"}, "$.createdAt"),
        ({"createdAt": "yesterday"}, "$.createdAt"),
        ({"details": {"orderType": "DineIn", "dineIn": {"tableId": "t-2"}}}, "$.details.dineIn.tableId"),
        ({"items": [TEA]}, "$.items"),
        ({"items": [TEA, {**PIE, "quantity": 2}]}, "$.items[1].quantity"),
    ],
)
def test_what_is_said_otherwise_is_a_difference(other: dict[str, Any], place: str) -> None:
    assert where(other) == [place]


def test_what_is_left_out_counts_only_where_it_is_needed() -> None:
    bare = {name: each for name, each in ORDER.items() if name in ("id", "details")}
    assert differences(ORDER, bare) == []
    lacking = differences(bare, ORDER, needed=sameness.NEEDED)
    assert [each.where for each in lacking] == ["$.items", "$.totalAmount", "$.payable"]
    assert lacking[2] == sameness.Difference("$.payable", None, True)
    plain = {**ORDER, "items": [TEA, {**PIE, "modifiers": []}]}
    assert [each.where for each in differences(ORDER, plain, needed=sameness.NEEDED)] == ["$.items[1].modifiers"]


def test_members_can_be_passed_over() -> None:
    assert where({"status": "Ready"}, but=("status",)) == []


@pytest.mark.parametrize(
    "text", [None, 7, "", "2026-05-01T10:00:00", "2026-13-01T10:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_names_no_instant_is_no_moment(text: Any) -> None:
    assert Moment.of(text) is None


def test_moments_are_as_precise_as_they_are_written() -> None:
    second, millisecond = Moment.of("2026-05-01t10:00:00z"), Moment.of("2026-05-01T12:00:00.999+02:00")
    assert second is not None
    assert millisecond is not None
    assert (second.digits, millisecond.digits) == (0, 3)
    assert millisecond.rounded(second) == second.rounded(millisecond)
    assert millisecond.rounded(millisecond) > second.instant
