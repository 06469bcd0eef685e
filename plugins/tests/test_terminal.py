"""
A person reads how each check ended and what it all means: each reason once, and no more than a person reads.
"""

from __future__ import annotations

import io

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _certificate, _rules, _terminal
from epos_conformance._record import Access, Plan, Record
from epos_conformance._settings import Settings, Waiver
from epos_conformance.verdict import Level, Outcome, Result

from .support import lines
from .test_certificate import waiver
from .test_verdict import WAIVER, result


URL = "http://till.example"
KEPT = "SearchOrders.answer-matches-schema"

EXCHANGE = {
    "request": {"method": "GET", "url": f"{URL}/v1/areas"},
    "answer": {"status": 200, "body": '{"a":\n  1}'},
    "duration": 0.01234,
    "replay": f"curl -i {URL}/v1/areas",
}


def of_rule(id: str, outcome: Outcome = Outcome.CONFORMS, level: Level | None = None, **more: Any) -> Result:
    rule = _rules.rules()[id]
    defaults = {"id": id, "capability": rule.capability, "page": rule.page, "source": rule.sources}
    return result(outcome, level or rule.level, **{**defaults, **more})


def record(*results: Result, blocked: str | None = None, waivers: tuple[Waiver, ...] = ()) -> Record:
    settings = Settings(url=URL, auth="dojo:s3cret", reports=Path("reports"), waivers=waivers, strict=True)
    found = Record(settings, Plan({"rest": Access(URL, "dojo:s3cret", ("SearchOrders",), "probed", blocked)}, "leases"))
    found.results = {each.name: each for each in results}
    return found


@pytest.fixture
def told(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is written about a run."""

    def tell(found: Record, *, verbosity: int = 0, written: Sequence[str] = (), **members: Any) -> str:
        output = io.StringIO()
        certificate = _certificate.build(found, interrupted=False)
        certificate.document.update(members)
        with monkeypatch.context() as patch:
            patch.setattr(pytestconfig.option, "verbose", verbosity)
            reporter = pytest.TerminalReporter(pytestconfig, output)
            _terminal.summarize(found, certificate, reporter, written)
        return output.getvalue()

    return tell


# Each check


@pytest.mark.parametrize(
    ("each", "strict", "expected"),
    [
        (result(Outcome.CONFORMS), False, ("passed", ".", "CONFORMS")),
        (result(Outcome.NOT_OFFERED), False, ("not offered", "-", "NOT OFFERED")),
        (result(Outcome.INCONCLUSIVE), False, ("error", "E", "INCONCLUSIVE")),
        (result(Outcome.INCONCLUSIVE, Level.SHOULD), False, ("inconclusive", "?", "INCONCLUSIVE")),
        (result(Outcome.INCONCLUSIVE, Level.INFO), True, ("inconclusive", "?", "INCONCLUSIVE")),
        (result(Outcome.VIOLATES), False, ("failed", "F", "VIOLATES")),
        (result(Outcome.VIOLATES, Level.SHOULD), False, ("recommendations", "r", "RECOMMENDATION")),
        (result(Outcome.VIOLATES, Level.SHOULD), True, ("failed", "F", "VIOLATES")),
        (result(Outcome.VIOLATES, Level.INFO), False, ("notes", "i", "NOTE")),
        (result(Outcome.VIOLATES, Level.INFO), True, ("notes", "i", "NOTE")),
        (result(Outcome.VIOLATES, waiver=WAIVER), False, ("waived", "w", "WAIVED")),
        (result(Outcome.VIOLATES, waiver=WAIVER), True, ("waived", "w", "WAIVED")),
        (result(Outcome.VIOLATES, Level.SHOULD, waiver=WAIVER), True, ("waived", "w", "WAIVED")),
    ],
)
def test_one_word_says_how_a_check_ended(each: Result, strict: bool, expected: tuple[str, str, str]) -> None:
    assert _terminal.status(each, strict) == expected


def test_a_violation_is_explained_in_full() -> None:
    each = of_rule(
        KEPT,
        Outcome.VIOLATES,
        case="full",
        message="at $.a: expected x, saw y\nlikely cause: z",
        exchanges=[{**EXCHANGE, "replay": "curl first"}, EXCHANGE],
        waiver=WAIVER,
        sentence="It matches.",
    )
    sources = "; ".join(map(_rules.cite, _rules.rules()[KEPT].sources))
    assert _terminal.explain(each).splitlines() == [
        f"{KEPT} (full) over rest: violates, must, documented",
        "  It matches.",
        "  at $.a: expected x, saw y",
        "  likely cause: z",
        "  waived until 2027-01-01: agreed",
        f'  GET {URL}/v1/areas -> 200 {{"a": 1}} (0.012 s)',
        f"  replay: curl -i {URL}/v1/areas",
        f"  source: {sources}",
    ]


def test_what_there_is_not_is_left_out() -> None:
    told = _terminal.explain(of_rule(KEPT, exchanges=[EXCHANGE], message="0.1 s"))
    assert [line.split(":")[0].strip() for line in told.splitlines()] == [
        f"{KEPT} over rest",
        "Ids are kept.",
        "0.1 s",
        "source",
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, f'GET {URL}/v1/areas -> 200 {{"a": 1}} (0.012 s)'),
        ({"answer": {"status": 204}}, f"GET {URL}/v1/areas -> 204 (0.012 s)"),
        ({"answer": {"status": 200, "body": "x" * 160}}, f"GET {URL}/v1/areas -> 200 {'x' * 160} (0.012 s)"),
        ({"answer": {"status": 200, "body": "x" * 161}}, f"GET {URL}/v1/areas -> 200 {'x' * 160}... (0.012 s)"),
        ({"answer": None, "failure": "no complete answer"}, f"GET {URL}/v1/areas -> no complete answer"),
        ({"answer": None}, f"GET {URL}/v1/areas -> no answer"),
    ],
)
def test_an_exchange_is_one_line(changed: dict[str, Any], expected: str) -> None:
    assert _terminal.brief({**EXCHANGE, **changed}) == expected


# The head


def test_the_head_shows_the_settings_in_force_and_no_secret() -> None:
    found = record(blocked="nobody is there")
    found.notes.append("GetOrderById: unclear")
    first, offered, *rest = _terminal.header(found)
    assert f"partner-url={URL}" in first
    assert "partner-auth=dojo:*****" in first
    assert "strict=True" in first
    assert "slow-after=2," in first
    assert "read-only" not in first
    assert "partner-ca" not in first
    assert offered == "capabilities (probed): SearchOrders"
    assert rest == ["GetOrderById: unclear", "nobody is there"]


def test_without_a_plan_there_is_nothing_to_tell_of_it() -> None:
    assert len(_terminal.header(Record(Settings(url=URL)))) == 1


def test_nothing_offered_is_told_so() -> None:
    found = Record(Settings(url=URL), Plan({"rest": Access(URL, how_offered="probed")}, "leases"))
    assert _terminal.header(found)[1] == "capabilities (probed): none"


# The summary


def test_the_worst_comes_first(told: Any) -> None:
    text = told(
        record(
            of_rule("GetOrderById.answer-matches-schema", Outcome.INCONCLUSIVE, message="no orders"),
            of_rule("GetPartyById.answers-promptly", Outcome.INCONCLUSIVE, message="no parties"),
            of_rule("ListAreas.success-status-is-ok", Outcome.VIOLATES, message="at status: expected 200, saw 201"),
            of_rule("ListAreas.headers-are-optional", Outcome.VIOLATES, message="waived one", waiver=WAIVER),
            of_rule("ListAreas.answer-matches-schema", Outcome.VIOLATES, message="at $: expected a, saw b"),
            of_rule(KEPT),
        )
    )
    order = [
        "violated: List",
        "recommended: List",
        "waived: List",
        "not proven (1",
        "could not be examined (1",
        "verdict:",
    ]
    places = [text.index(each) for each in order]
    assert places == sorted(places)
    assert "not conformant: a rule that the contract insists on is broken" in text
    assert text.count("waived: ListAreas.headers-are-optional") == 1
    assert "recommended: ListAreas.headers-are-optional" not in text
    assert "Allure results" not in text


def test_a_reason_is_told_once_with_some_of_the_checks(told: Any) -> None:
    ids = [id for id in _rules.rules() if id.endswith(".answers-within-the-limit")][:9]
    text = told(
        record(
            *(of_rule(id, Outcome.INCONCLUSIVE, message="the partner is gone") for id in ids),
            *(of_rule(KEPT, Outcome.INCONCLUSIVE, case=case, message="no tables") for case in ("minimal", "full")),
            of_rule("ListAreas.answer-matches-schema", Outcome.INCONCLUSIVE, message="alone"),
        )
    )
    reasons = [line for line in text.splitlines() if line.startswith("not proven (")]
    assert reasons == [
        "not proven (9 checks): the partner is gone",
        "not proven (2 checks): no tables",
        "not proven (1 check): alone",
    ]
    (named,) = lines(text, ["and 3 more"])
    told_of = named.strip().removesuffix(" and 3 more").split(", ")
    assert len(told_of) == len(set(told_of)) == 6
    assert set(told_of) < set(ids)
    assert f"  {KEPT}" in text.splitlines()


def test_a_partner_that_breaks_everything_is_told_of_some(told: Any) -> None:
    ids = [id for id in _rules.rules() if id.endswith((".answers-within-the-limit", ".answer-matches-schema"))][:30]
    text = told(record(*(of_rule(id, Outcome.VIOLATES, message="at status: broken") for id in ids)))
    assert len(lines(text, ["violated: ", " over rest: violates"])) == 25
    (rest,) = lines(text, ["violated, 5 more: "])
    assert all(id in text for id in ids)
    assert len(rest.partition(": ")[2].split(", ")) == 5


def test_twenty_five_are_told_whole(told: Any) -> None:
    ids = [id for id in _rules.rules() if id.endswith((".answers-within-the-limit", ".answer-matches-schema"))][:25]
    text = told(record(*(of_rule(id, Outcome.VIOLATES, message="at status: broken") for id in ids)))
    assert len(lines(text, ["violated: "])) == 25
    assert "more:" not in text


def test_notes_are_for_those_who_ask(told: Any) -> None:
    found = record(of_rule(KEPT, Outcome.VIOLATES, Level.INFO, message="at x: y\nmore"))
    assert "noted:" not in told(found)
    assert f"noted: {KEPT}: at x: y" in told(found, verbosity=1).splitlines()


@pytest.mark.parametrize(
    ("outcome", "given", "words"),
    [
        (Outcome.CONFORMS, waiver(KEPT), "no longer needed"),
        (Outcome.VIOLATES, waiver(KEPT, -1), "over"),
        (Outcome.CONFORMS, waiver("SearchOrders.nonsense"), "for nothing"),
        (Outcome.INCONCLUSIVE, waiver(KEPT), "without effect"),
    ],
)
def test_a_waiver_that_does_nothing_is_told(told: Any, outcome: Outcome, given: Waiver, words: str) -> None:
    text = told(record(of_rule(KEPT, outcome, message="x"), waivers=(given,)))
    assert f"waiver of {given.rule} is {words}" in text


def test_a_waiver_that_is_used_is_not(told: Any) -> None:
    found = record(of_rule(KEPT, Outcome.VIOLATES, message="x", waiver=WAIVER), waivers=(waiver(KEPT),))
    assert "waiver of" not in told(found)


def test_the_rest_is_told_too(told: Any) -> None:
    found = record(of_rule(KEPT), of_rule("SearchOrders.answers-promptly", Outcome.VIOLATES, message="x"))
    found.leftovers.append("party p (gone)")
    found.known = {KEPT}
    text = told(found, written=["Allure results: reports/allure-results"])
    assert "left behind at the partner: party p (gone)" in text
    assert "new since the last certificate (1 rules): SearchOrders.answers-promptly" in text
    assert "  SearchOrders  conformant-with-recommendations: 1 kept, 1 recommended" in text.splitlines()
    assert "  not offered: CancelOrderById, " in text
    assert "  product Pay at Table: not-offered; missing GetOrderById, RecordOrderPaymentById" in text
    assert "verdict: conformant, with recommendations" in text
    assert "Allure results: reports/allure-results" in text
    assert (
        "checks: 1 kept, 1 broken (of these 1 recommendations, 0 notes, 0 waived), 0 inconclusive, 0 not offered"
        in text
    )


@pytest.mark.parametrize(
    ("before", "kinds", "deselected", "line"),
    [
        ("conformant", [], 0, "since 2026-11-21 07:08 UTC: nothing changed"),
        ("conformant", [], 3, "since 2026-11-21 07:08 UTC of what was examined: nothing changed"),
        ("not-proven", [], 0, "since 2026-11-21 07:08 UTC: not-proven before"),
        (
            "not-conformant",
            ["fixed", "gone", "fixed"],
            0,
            "since 2026-11-21 07:08 UTC: not-conformant before, 1 no longer examined, 2 fixed",
        ),
    ],
)
def test_what_changed_since_the_last_certificate_is_counted(
    before: str, kinds: list[str], deselected: int, line: str, told: Any
) -> None:
    found = record(of_rule(KEPT))
    found.deselected = deselected
    since = {"finishedAt": "2026-11-21T07:08:09.000Z", "verdict": before, "suite": "1"}
    changes = {"since": since, "worse": False, "checks": [{"kind": each} for each in kinds]}
    assert line in told(found, changes=changes).splitlines()


def test_of_a_part_of_the_checks_no_product_is_judged(told: Any) -> None:
    found = record(of_rule(KEPT))
    assert "deselected" not in told(found)
    found.deselected = 7
    text = told(found)
    assert "product" not in text
    assert "7 checks were deselected: this is a verdict on the others alone" in text


def test_nothing_examined_proves_nothing(told: Any) -> None:
    assert "verdict: not proven" in told(record())
    assert "verdict: conformant: every rule that was examined is kept" in told(record(of_rule(KEPT)))


# Two transports


def test_transports_stand_side_by_side_and_where_they_differ_is_told(told: Any) -> None:
    id = "GetOrderById.unknown-id-is-not-found"
    found = record(of_rule(id), of_rule(id, Outcome.VIOLATES, transport="ws"))
    offered = ("GetOrderById",)
    found.plan = Plan({"rest": Access(URL, offered=offered), "ws": Access("ws://till", offered=offered)}, "leases")
    text = told(found)
    assert f"differs between the transports: {id}: conforms over rest, violates over ws" in text
    assert "GetOrderById  not-conformant: rest 1 kept   ws 0 kept, 1 broken" in text


def test_of_one_transport_nothing_differs(told: Any) -> None:
    text = told(record(of_rule("SearchOrders.answer-matches-schema", Outcome.VIOLATES)))
    assert "differs" not in text
    assert "SearchOrders  not-conformant: 0 kept, 1 broken" in text


def test_what_happened_on_the_session_is_told(told: Any) -> None:
    found = record(of_rule("SearchOrders.answer-matches-schema"))
    found.remarks.append("1 of 2 sessions ended")
    assert "on the session: 1 of 2 sessions ended" in told(found)


def test_offers_that_differ_are_told_for_each_transport() -> None:
    found = record()
    found.plan = Plan(
        {
            "rest": Access(URL, offered=("ListAreas", "SearchOrders"), how_offered="probed"),
            "ws": Access("ws://till", offered=("ListAreas",), how_offered="probed"),
        },
        "leases",
    )
    assert _terminal.header(found)[1:] == [
        "capabilities over rest (probed): ListAreas, SearchOrders",
        "capabilities over ws (probed): ListAreas",
    ]


def test_who_could_not_be_reached_offers_nothing_that_is_known() -> None:
    found = record()
    found.plan = Plan({"ws": Access("ws://till", blocked="nobody dialled")}, "leases")
    assert _terminal.header(found)[1:] == ["nobody dialled"]


def test_what_nobody_answered_for_is_not_said_to_be_lacking(told: Any) -> None:
    down = of_rule(KEPT, Outcome.INCONCLUSIVE, message="nobody dialled")
    found = record(down)
    found.plan = Plan({"ws": Access("ws://till", blocked="nobody dialled")}, "leases")
    text = told(found)
    assert "  nobody knows which capabilities are offered" in text
    assert "  product Pay at Table: not-proven\n" in text
    assert "not offered: " not in text

    found = record(of_rule(KEPT))
    silent = Access("ws://till", blocked="nobody dialled")
    found.plan = Plan({"rest": Access(URL, offered=("SearchOrders",)), "ws": silent}, "leases")
    assert "  SearchOrders  conformant: rest 1 kept   ws not examined" in told(found).splitlines()
