"""
The evidence in sentences: what is worth knowing is told, and nothing else.
"""

from __future__ import annotations

from epos_conformance.websocket.evidence import DOUBLE, UNASKED, UNMATCHED, Evidence
from epos_conformance.websocket.remarks import remarks


def told(evidence: Evidence) -> list[str]:
    return list(remarks(evidence.told()))


def test_of_a_quiet_session_there_is_nothing_to_tell() -> None:
    evidence = Evidence()
    evidence.opening("till")

    assert told(evidence) == []


def test_a_session_that_the_suite_ended_is_no_news() -> None:
    evidence = Evidence()
    session = evidence.opening("till")
    session.closed, session.code, session.ours = 1.0, 1001, True

    assert told(evidence) == []


def test_sessions_that_were_lost_are_counted_by_their_codes() -> None:
    evidence = Evidence()
    for code in (1006, 1006, 1000):
        session = evidence.opening("till")
        session.closed, session.code = 1.0, code
    evidence.opening("till")

    assert told(evidence) == ["3 of 4 sessions ended without the suite's doing (code 1006 2 times, code 1000)"]


def test_a_refused_handshake_is_told_with_its_reason() -> None:
    evidence = Evidence()
    evidence.handshakes.append({"refused": [401, "no key"]})
    evidence.handshakes.append({"refused": None})

    assert told(evidence) == ["1 handshakes were refused, the last one with status 401: no key"]


def test_frames_are_counted_by_what_is_odd_about_them() -> None:
    evidence = Evidence()
    evidence.ended("a", answered=True)
    evidence.stray(1, "first", None, UNASKED)
    evidence.stray(1, "second", None, UNASKED)
    evidence.stray(1, "again", "a", UNMATCHED)

    assert told(evidence) == [
        "frames that answered a request for the second time: 1, such as again",
        "frames that were requests or notifications of the EPOS: 2, such as second",
    ]
    assert evidence.counts[DOUBLE] == 1


def test_a_kind_whose_frames_are_forgotten_is_counted_all_the_same() -> None:
    evidence = Evidence()
    evidence.stray(1, "early", None, UNMATCHED)
    for _ in range(500):
        evidence.stray(1, "later", None, UNASKED)

    assert told(evidence)[0] == "frames that carried no id of ours: 1"
