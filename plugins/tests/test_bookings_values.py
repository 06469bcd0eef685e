"""
Members of parties and reservations are compared as the contract means them, and differences are told helpfully.
"""

from __future__ import annotations

import datetime

from typing import Any

import pytest

from epos_conformance.bookings import deposits, intervals, keeping, searching, wishes
from epos_conformance.bookings.kinds import RESERVATION
from epos_conformance.verdict import Finding

from .place import Place


TEN = datetime.datetime(2026, 6, 1, 10, 0, tzinfo=datetime.UTC)


# Comparing


@pytest.mark.parametrize(
    ("member", "sent", "found", "same"),
    [
        ("startTime", "2026-06-01T10:00:00.041Z", "2026-06-01T12:00:00.041+02:00", True),
        ("startTime", "2026-06-01T10:00:00.041Z", "2026-06-01t10:00:00.0410000z", True),
        ("startTime", "2026-06-01T10:00:00.041Z", "2026-06-01T10:00:00.040Z", False),
        ("startTime", "2026-06-01T10:00:00.041Z", "2026-06-01T10:00:00.041", False),
        ("endTime", "2026-06-01T10:00:00.041Z", "tomorrow", False),
        ("expectedEndTime", "2026-06-01T10:00:00.041Z", None, False),
        ("tableIds", ["a", "b"], ["b", "a"], True),
        ("tableIds", ["a", "b"], ["a"], False),
        ("tableIds", ["a", "b"], ["a", "b", "c"], False),
        ("tableIds", ["a"], "a", False),
        ("tableIds", ["a"], ["a", 7], False),
        ("covers", 2, 2.0, True),
        ("covers", 1, True, False),
        ("covers", 2, "2", False),
        ("name", "Zoe\u0301", "Zoé ", True),
        ("name", "Zoé", "ZOÉ", False),
        ("hostNotes", "one\ntwo", "one\r\ntwo\r\n", True),
        ("hostNotes", "one two", "one", False),
        ("guestRequests", " no nuts ", " no nuts ", True),
        ("guestRequests", " no nuts ", "no nuts", False),
        ("guestRequests", "no\nnuts", "no\r\nnuts", False),
        ("deposit.paymentIntentIds", ["a", "b"], ["b", "a"], True),
        ("deposit.paymentIntentIds", ["a", "b"], ["a", "b", "b"], False),
        ("deposit.paymentIntentIds", ["a"], None, False),
        ("deposit.totalAmount", {"value": 5, "currencyCode": "GBP"}, {"value": 5, "currencyCode": "EUR"}, False),
        ("deposit", {"paymentIntentIds": ["a"]}, {"paymentIntentIds": ["a"], "description": "more"}, True),
        ("deposit", {"paymentIntentIds": ["a"]}, None, False),
    ],
)
def test_members_are_the_same_where_they_mean_the_same(member: str, sent: Any, found: Any, same: bool) -> None:
    assert keeping.same(member, sent, found) is same


def test_what_differs_is_told_side_by_side() -> None:
    sent = {"name": "Zoé", "covers": 3, "deposit": {"totalAmount": {"value": 1999, "currencyCode": "GBP"}}}
    found = {"name": "Zo", "deposit": {"totalAmount": {"value": 1998, "currencyCode": "GBP"}}}
    members = ["name", "covers", "deposit.totalAmount", "hostNotes"]
    assert keeping.differences(sent, found, members, "GetPartyById") == [
        Finding("GetPartyById, $.name", '"Zoé"', '"Zo"', "the text seems to be cut"),
        Finding("GetPartyById, $.covers", "3", "nothing there"),
        Finding("GetPartyById, $.deposit.totalAmount", "1999 (£19.99)", "1998 (£19.98)"),
    ]
    assert [each.where for each in keeping.differences(sent, {"covers": 2}, members, "it", absent_is_fine=True)] == [
        "it, $.covers"
    ]


def test_what_was_not_sent_is_not_compared() -> None:
    assert keeping.differences({}, {"deposit": {"paymentIntentIds": ["a"]}}, ["deposit"], "it") == []


def test_long_texts_are_shown_with_both_ends() -> None:
    shown = keeping.shown("guestRequests", f"{'a' * 500}{'b' * 500}")
    assert shown.startswith('"aaa')
    assert shown.endswith('bbb" (1000 characters)')


@pytest.mark.parametrize(
    ("sent", "found", "hint"),
    [
        (" nuts ", "nuts", "blanks at the ends seem to be trimmed"),
        ("no nuts", "no", "the text seems to be cut"),
        ("no nuts", "no...", "the text seems to be cut"),
        ("No nuts", "NO NUTS", "upper and lower case seem to be changed"),
        ("<b> & c", "&lt;b&gt; &amp; c", "the text seems to be escaped for HTML"),
        ("a\nb", "a b", "line ends seem to be rewritten"),
        ("no <b>eggs</b>", "no eggs", "what looks like HTML seems to be removed"),
        ("Zoé 🥜", "Zo? ?", "characters outside ASCII seem to be lost"),
        ("Zoé", "ZoÃ©", "UTF-8 seems to be taken for another encoding"),
        ("nuts", "eggs", None),
        ("nuts", None, None),
        (["a", "b"], ["b"], "only 1 of 2 are kept"),
        ("2026-06-01T10:00:00.041Z", "2026-06-01T10:00:00Z", "the milliseconds seem to be dropped"),
        (
            "2026-06-01T10:00:00.041Z",
            "2026-06-01T10:00:00.41Z",
            "the milliseconds seem to be rounded, or written unpadded",
        ),
        ("2026-06-01T10:00:31.041Z", "2026-06-01T10:00:00Z", "the time seems to be cut to the minute"),
        ("2026-06-01T10:00:00+05:30", "2026-06-01T10:00:00Z", "the offset of the time seems to be dropped"),
        (
            "2026-06-01T10:00:00Z",
            "2026-06-01T09:00:00Z",
            "the time is off by -1 h: a local time seems to be taken for UTC",
        ),
        ("2026-06-01T10:00:00Z", "2026-06-03T09:10:00Z", None),
        ("2026-06-01T10:00:00Z", "soon", None),
    ],
)
def test_causes_are_guessed_where_they_can_be(sent: Any, found: Any, hint: str | None) -> None:
    assert keeping.hint(sent, found) == hint


# Values


def test_times_are_spelt_with_any_offset() -> None:
    assert wishes.spelled(TEN, 5.5) == "2026-06-01T15:30:00.000+05:30"
    assert wishes.spelled(TEN, -8) == "2026-06-01T02:00:00.000-08:00"
    assert keeping.instant(wishes.spelled(TEN, 5.5)) == keeping.instant(wishes.spelled(TEN, -8)) == TEN


def test_a_time_is_tried_exactly_and_then_as_a_whole_minute() -> None:
    assert wishes.moments("startTime", TEN, 7, 15, second=9, millisecond=41) == [
        {"startTime": "2026-06-01T10:07:09.041Z"},
        {"startTime": "2026-06-01T10:15:09.041Z"},
        {"startTime": "2026-06-01T10:07:00.000Z"},
        {"startTime": "2026-06-01T10:15:00.000Z"},
    ]


def test_texts_get_plainer_from_choice_to_choice() -> None:
    for choices in (wishes.LONG_REQUESTS, wishes.ODD_REQUESTS, wishes.OTHER_REQUESTS, wishes.NOTES, wishes.NAMES):
        assert sorted(choices, key=len, reverse=True) == list(choices)
    assert len(wishes.LONG_REQUESTS[0]) > 1024
    assert wishes.LONG_REQUESTS[-1].isascii()
    assert wishes.ODD_REQUESTS[-1].isascii()


def test_the_intents_of_a_deposit_are_in_no_order(place: Place) -> None:
    found = deposits.intents(place.partner())
    assert len(set(found)) == 3
    assert found not in (sorted(found), sorted(found, reverse=True))


def test_a_deposit_needs_no_more_intents_than_there_are(place: Place) -> None:
    assert deposits.deposit(place.partner(), 100, 1)["paymentIntentIds"] != []


def test_intervals_may_be_open_and_have_offsets() -> None:
    assert intervals.window(TEN, None) == {"fromTime": "2026-06-01T10:00:00.000Z"}
    assert intervals.window(TEN, TEN, 1, -1) == {
        "fromTime": "2026-06-01T11:00:00.000+01:00",
        "toTime": "2026-06-01T09:00:00.000-01:00",
    }


@pytest.mark.parametrize(
    ("starts", "ends", "outside"),
    [(0, 2, False), (-30, -26, True), (-30, -23, False), (26, 27, True), (23, 27, False)],
)
def test_only_what_lies_well_outside_is_outside(starts: int, ends: int, outside: bool) -> None:
    hour = datetime.timedelta(hours=1)
    row = {"startTime": wishes.spelled(TEN + starts * hour, 0), "endTime": wishes.spelled(TEN + ends * hour, 0)}
    assert intervals.is_outside(row, TEN, TEN + hour) is outside
    assert not intervals.is_outside({"startTime": "soon"}, TEN, TEN)


def test_rows_that_say_less_or_more_disagree() -> None:
    read = {"id": "1", "hostNotes": "here", "startTime": "2026-06-01T10:00:00Z"}
    row = {"id": "1", "hostNotes": "", "startTime": "2026-06-01T11:00:00+01:00", "guestRequests": "eggs"}
    found = searching.disagreements(RESERVATION, read, row, "the row")
    assert [str(each) for each in found] == [
        'at the row, $.hostNotes: expected "here", saw nothing there',
        'at the row, $.guestRequests: expected nothing there, as in GetReservationById, saw "eggs"',
    ]
