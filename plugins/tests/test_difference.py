"""
What differs between two certificates: which changes are told, and which of them make it worse.
"""

from __future__ import annotations

import copy
import json

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _certificate, _suite, schema
from epos_conformance.reference import launch
from epos_conformance.report import diff
from epos_conformance.report.changes import Changes
from epos_conformance.report.cli import main
from epos_conformance.report.difference import compare
from epos_conformance.report.excuses import READ_ONLY
from epos_conformance.report.reading import Document

from .support import run_suite


SCHEMA = _suite.read_json(_suite.REPORTS / "certificate.schema.json")

COUNTS = dict.fromkeys(("conforms", "violates", "not-offered", "inconclusive", "recommendations", "notes", "waived"), 0)

RULE = "SearchOrders.payable-only-narrows"

WAIVER = {"reason": "agreed", "until": "2026-12-31"}


def check(outcome: str, *, id: str = RULE, level: str = "must", transport: str = "rest", **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "capability": None if id.startswith("flows.") else id.partition(".")[0],
        "page": "orders",
        "transport": transport,
        "level": level,
        "basis": "documented",
        "sentence": "A search with payableOnly true answers only orders whose payable is true.",
        "outcome": outcome,
        "message": "" if outcome == "conforms" else "at $.data[0].payable: expected true, saw false",
        "source": ["rest-spec: POST /v1/orders/search"],
        "duration": 0.1,
        "exchanges": [],
        **more,
    }


def certificate(*checks: dict[str, Any], verdict: str = "conformant", **more: Any) -> Document:
    """A certificate of the EPOS at https://till.example with these *checks*."""
    found: Document = {
        "format": _certificate.FORMAT,
        "suite": {"name": _suite.NAME, "version": "1.0.0"},
        "partner": {
            "url": "https://till.example",
            "transports": ["rest", "ws"],
            "products": [],
            "capabilities": ["SearchOrders"],
            "offer": "claimed",
            "pos": {"name": "Till"},
        },
        "startedAt": "2026-11-01T10:00:00.000Z",
        "finishedAt": "2026-11-01T10:01:00.000Z",
        "verdict": verdict,
        "selection": {"complete": True, "deselected": 0, "interrupted": False},
        "counts": COUNTS,
        "settings": {"partner-url": "https://till.example", "partner-ws": None, "partner": None, "read-only": False},
        "products": [
            {
                "name": "pay-at-table",
                "title": "Pay at Table",
                "verdict": verdict,
                "missing": [],
                "capabilities": ["SearchOrders"],
            }
        ],
        "capabilities": [{"name": "SearchOrders", "page": "orders", "verdict": verdict, "counts": COUNTS}],
        "checks": list(checks),
        "waivers": [],
        "leftovers": [],
        "notes": [],
        "contract": {"sources": {}, "digests": {}},
        **more,
    }
    assert not schema.problems(SCHEMA, found)
    return found


PARTIAL = {"complete": False, "deselected": 7, "interrupted": False}
INTERRUPTED = {"complete": True, "deselected": 0, "interrupted": True}
DOJO: Callable[..., dict[str, Any]] = lambda *flows: {"url": "http://127.0.0.1", "sandbox": True, "flows": [*flows]}  # noqa: E731


def told(changes: Changes) -> list[tuple[str, str | None, str | None, bool]]:
    return [(str(each.kind), each.before, each.after, each.worse) for each in changes.checks]


# Single checks


@pytest.mark.parametrize(
    ("before", "after", "kind", "worse"),
    [
        ("conforms", "violates", "violated", True),
        ("inconclusive", "violates", "violated", True),
        ("not-offered", "violates", "violated", True),
        ("violates", "conforms", "fixed", False),
        ("inconclusive", "conforms", "examined", False),
        ("not-offered", "conforms", "examined", False),
        ("conforms", "inconclusive", "inconclusive", True),
        ("not-offered", "inconclusive", "inconclusive", True),
        ("violates", "inconclusive", "inconclusive", False),
        ("conforms", "not-offered", "gone", True),
        ("violates", "not-offered", "gone", False),
    ],
)
def test_a_must_that_ends_otherwise_is_told(before: str, after: str, kind: str, worse: bool) -> None:
    found = compare(certificate(check(before)), certificate(check(after)))

    assert told(found) == [(kind, before, after, worse)]
    assert found.worse is worse


@pytest.mark.parametrize("outcome", ["conforms", "violates", "inconclusive", "not-offered"])
def test_what_ends_as_before_is_not_told(outcome: str) -> None:
    found = compare(certificate(check(outcome)), certificate(check(outcome)))

    assert not found.checks
    assert not found.worse


def test_what_was_never_examined_is_not_gone() -> None:
    assert not compare(certificate(check("inconclusive")), certificate(check("not-offered"))).checks


@pytest.mark.parametrize(
    ("level", "after", "worse"),
    [
        ("should", "violates", True),
        ("should", "inconclusive", False),
        ("should", "not-offered", False),
        ("info", "violates", False),
        ("info", "inconclusive", False),
    ],
)
def test_what_is_not_a_must_weighs_less(level: str, after: str, worse: bool) -> None:
    found = compare(certificate(check("conforms", level=level)), certificate(check(after, level=level)))

    assert len(found.checks) == 1
    assert found.worse is worse


def test_the_same_rule_over_another_transport_is_another_check() -> None:
    old = certificate(check("conforms"), check("violates", transport="ws"))
    new = certificate(check("violates"), check("conforms", transport="ws"))
    found = compare(old, new)

    assert [(each.transport, str(each.kind)) for each in found.checks] == [("rest", "violated"), ("ws", "fixed")]


# Waivers


def test_a_violation_that_is_waived_from_the_start_is_told_and_not_worse() -> None:
    found = compare(certificate(check("conforms")), certificate(check("violates", waiver=WAIVER)))
    assert told(found) == [("violated", "conforms", "waived", False)]


def test_a_waiver_for_a_violation_that_was_there_fixes_nothing() -> None:
    found = compare(certificate(check("violates")), certificate(check("violates", waiver=WAIVER)))
    assert not found.checks


def test_a_violation_whose_waiver_ended_is_newly_violated() -> None:
    found = compare(certificate(check("violates", waiver=WAIVER)), certificate(check("violates")))

    assert told(found) == [("violated", "waived", "violates", True)]
    assert found.checks[0].why == "it was waived until 2026-12-31"


def test_a_waived_violation_that_no_longer_occurs_is_fixed() -> None:
    found = compare(certificate(check("violates", waiver=WAIVER)), certificate(check("conforms")))
    assert told(found) == [("fixed", "waived", "conforms", False)]


# Another suite


def test_a_violation_of_a_level_that_was_raised_is_new() -> None:
    found = compare(certificate(check("violates", level="should")), certificate(check("violates")))

    assert told(found) == [("violated", "violates", "violates", True)]
    assert "was a should, and is a must" in found.checks[0].why
    assert not compare(certificate(check("violates")), certificate(check("violates", level="should"))).checks


def test_a_violation_of_a_rule_that_is_new_says_so() -> None:
    other = check("conforms", id="SearchOrders.keeps-to-the-limit")
    found = compare(certificate(other), certificate(other, check("violates")))

    assert told(found) == [("violated", None, "violates", True)]
    assert found.checks[0].why == "the rule is new in this version of the suite"


def test_a_rule_that_the_suite_withdrew_is_gone_and_not_worse() -> None:
    newer = certificate(suite={"name": _suite.NAME, "version": "2.0.0"})
    found = compare(certificate(check("conforms")), newer)

    assert told(found) == [("gone", "conforms", None, False)]
    assert found.checks[0].why == "this version of the suite has no such rule"
    assert found.remarks == ("The suite was 1.0.0 before and is 2.0.0 now.",)


def test_a_check_that_vanished_from_the_same_suite_is_worse() -> None:
    assert told(compare(certificate(check("conforms")), certificate())) == [("gone", "conforms", None, True)]


# Runs that were asked for less


def test_what_a_partial_run_left_out_is_not_gone() -> None:
    found = compare(certificate(check("conforms")), certificate(selection=PARTIAL))

    assert not found.checks
    assert not found.worse
    assert found.remarks == ("The newer run was partial: the 7 checks that it left out are not compared.",)


def test_what_a_partial_run_left_out_before_is_told_where_it_is_violated() -> None:
    old = certificate(selection=PARTIAL)
    assert not compare(old, certificate(check("conforms"))).checks
    assert not compare(old, certificate(check("inconclusive"))).checks
    assert told(compare(old, certificate(check("violates")))) == [("violated", None, "violates", True)]


def test_what_an_interruption_kept_from_running_is_not_compared() -> None:
    stopped = check("inconclusive", cause="not-run")
    new = certificate(stopped, selection=INTERRUPTED, verdict="not-proven")
    found = compare(certificate(check("conforms")), new)

    assert not found.checks
    assert found.worse  # by its verdict: the certificate is granted no more
    assert "interrupted" in found.remarks[0]


def test_what_a_run_that_ended_early_did_not_get_to_is_not_compared() -> None:
    """``-x`` and a worker that dies interrupt nothing, and leave nothing out."""
    cut = certificate(check("violates"), check("inconclusive", id="a.b", cause="not-run"), verdict="not-conformant")
    full = certificate(check("violates"), check("conforms", id="a.b"), verdict="not-conformant")
    for old, new, name in ((full, cut, "newer"), (cut, full, "older")):
        found = compare(old, new)
        assert not found.checks
        assert not found.worse
        assert found.remarks == (f"The {name} run ended early: the 1 checks that it did not get to are not compared.",)
    unproven = certificate(check("inconclusive", cause="not-run"), verdict="not-proven")
    assert compare(certificate(check("conforms")), unproven).worse  # by its verdict
    assert not compare(unproven, certificate(verdict="not-conformant")).worse  # its own is no measure

    worse = certificate(check("violates"), check("violates", id="a.b"), verdict="not-conformant")
    found = compare(cut, worse)
    assert told(found) == [("violated", None, "violates", True)]
    assert found.checks[0].why == ""  # the rule was known


def test_a_transport_that_one_run_did_without_is_not_gone() -> None:
    new = certificate(check("conforms"))
    new["partner"] = {**new["partner"], "transports": ["rest"]}
    found = compare(certificate(check("conforms"), check("conforms", transport="ws")), new)

    assert not found.checks
    assert "WebSocket" in found.remarks[0]


def test_what_a_transport_that_is_new_violates_is_told() -> None:
    old = certificate(check("conforms"))
    old["partner"] = {**old["partner"], "transports": ["rest"]}
    both = certificate(
        check("conforms"), check("violates", transport="ws"), check("conforms", id="a.b", transport="ws")
    )

    assert told(compare(old, both)) == [("violated", None, "violates", True)]


def spared(**more: Any) -> dict[str, Any]:
    """A check that was not examined as it may change something."""
    return check("not-offered", **more) | {"message": f"not examined: it may change something, and {READ_ONLY}"}


def test_what_read_only_forbids_is_neither_gone_nor_newly_examined() -> None:
    # Of no capability, and of one that isn't offered: the reason alone decides.
    for id in (RULE, "flows.ends-in-success", "CreateParty.keeps-the-covers"):
        full, reading = certificate(check("conforms", id=id)), certificate(spared(id=id))
        for old, new, name in ((full, reading, "newer"), (reading, full, "older")):
            found = compare(old, new)
            assert not found.checks
            assert not found.worse
            assert found.remarks == (
                f"The {name} run was read-only: what changes something at the partner is not compared.",
            )
        assert compare(reading, reading).remarks == ()


def test_what_is_gone_for_another_reason_is_worse_in_a_read_only_run_too() -> None:
    new = certificate(check("not-offered"), spared(id="a.b"))
    new["settings"] = {**new["settings"], "read-only": True}
    found = compare(certificate(check("conforms"), check("conforms", id="a.b")), new)

    assert told(found) == [("gone", "conforms", "not-offered", True)]


def test_what_is_violated_is_told_though_the_older_run_was_read_only() -> None:
    assert told(compare(certificate(spared()), certificate(check("violates")))) == [
        ("violated", "not-offered", "violates", True)
    ]


def test_a_flow_that_the_tester_tool_lists_no_more_is_not_the_partners_doing() -> None:
    flows = [
        check("conforms", id="flows.ends-in-success", case=name, transport="dojo") for name in ("Get Order", "Old")
    ]
    found = compare(certificate(*flows, dojo=DOJO("Get Order", "Old")), certificate(flows[0], dojo=DOJO("Get Order")))

    assert told(found) == [("gone", "conforms", None, False)]
    assert found.checks[0].why == "the tester tool lists this flow no more"


def test_a_run_without_dojo_has_lost_nothing() -> None:
    old = certificate(check("conforms", id="registration.is-there", transport="dojo"), dojo=DOJO())
    new = certificate(check("not-offered", id="registration.is-there", transport="dojo"))
    found = compare(old, new)

    assert not found.checks
    assert "Dojo's side" in found.remarks[0]


# Verdicts and partners


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("conformant", "not-conformant", True),
        ("conformant-with-recommendations", "not-proven", True),
        ("not-proven", "not-conformant", True),
        ("conformant", "conformant-with-recommendations", False),
        ("not-conformant", "not-proven", False),
        ("not-proven", "conformant", False),
    ],
)
def test_a_verdict_is_worse_where_the_certificate_is_further_away(before: str, after: str, worse: bool) -> None:
    found = compare(certificate(verdict=before), certificate(verdict=after))

    assert [each.product for each in found.verdicts] == [None, "Pay at Table"]
    assert found.worse is worse
    partial = compare(certificate(verdict=before), certificate(verdict=after, selection=PARTIAL))
    assert not partial.worse


def test_a_product_that_lacks_a_capability_now_is_worse() -> None:
    new = certificate()
    new["products"] = [{**new["products"][0], "verdict": "not-offered", "missing": ["GetOrderById"]}]
    found = compare(certificate(), new)

    assert found.worse
    assert not compare(new, certificate()).worse
    assert diff.conclusion(found) == "worse: see the verdicts"


def test_two_partners_are_compared_and_told() -> None:
    other = certificate(check("violates"))
    other["settings"] = {**other["settings"], "partner-url": "https://other.example"}
    found = compare(certificate(check("conforms")), other)

    assert found.worse
    assert found.partners == ("Till (https://till.example)", "Till (https://other.example)")
    for said in (diff.as_text(found, other), diff.as_markdown(found, other)):
        assert "These may be two partners" in said
    assert json.loads(diff.as_json(found, other))["partners"] == [*found.partners]


def test_a_partner_that_is_named_since_or_seen_over_one_transport_is_the_same() -> None:
    old, new = certificate(), certificate()
    old["partner"] = {**old["partner"], "pos": {}}
    assert compare(old, new).partners is None
    new["settings"] = {**new["settings"], "partner-url": None, "partner-ws": "0.0.0.0:8765"}
    assert compare(old, new).partners is not None
    assert compare(certificate(), new).partners is None  # the same name


# The forms


def test_the_changes_have_the_form_that_a_certificate_has_them_in() -> None:
    old = certificate(check("conforms"), check("violates", case="full"), check("conforms", transport="ws"))
    new = certificate(check("violates"), check("conforms", case="full"), check("inconclusive", transport="ws"))
    told = compare(old, new).to_json()

    assert not schema.problems(SCHEMA, {**new, "changes": told})
    assert [each["kind"] for each in told["checks"]] == ["violated", "inconclusive", "fixed"]  # the worse first
    assert told["checks"][2]["case"] == "full"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """An older and a newer certificate; the newer violates a must over both transports."""
    documents = (
        certificate(check("conforms"), check("conforms", transport="ws")),
        certificate(check("violates"), check("violates", transport="ws"), verdict="not-conformant"),
    )
    for name, document in zip(("old", "new"), documents, strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "certificate.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path / "old", tmp_path / "new"


def test_the_command_says_what_got_worse(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    old, new = map(str, folders)
    assert main(["diff", old, new]) == 1
    said = capsys.readouterr().out
    assert f"- must   {RULE} over rest and ws: conforms before, violates now" in said
    assert "Pay at Table: conformant before, not-conformant now" in said
    assert said.endswith("worse in 2 checks\n")

    assert main(["diff", new, old + "/certificate.json"]) == 0
    assert "nothing got worse (2 fixed)" in capsys.readouterr().out
    assert main(["diff", old, old]) == 0
    assert "nothing changed" in capsys.readouterr().out


def test_the_command_writes_markdown_and_json(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    old, new = folders
    page, data = old / "page.md", old / "data.json"
    files = ["--markdown", str(page), "--json", str(data)]
    assert main(["diff", str(old), str(new), "--format=json", *files]) == 1

    told = json.loads(data.read_text("utf-8"))
    assert told == json.loads(capsys.readouterr().out)
    assert told["worse"] is True
    assert [(each["kind"], each["worse"]) for each in told["checks"]] == [("violated", True)] * 2
    assert told["until"]["verdict"] == "not-conformant"
    assert [each["product"] for each in told["verdicts"]] == [None, "Pay at Table"]
    text = page.read_text("utf-8")
    assert text.startswith("### EPOS conformance: worse in 2 checks\n")
    assert f"* **must** `{RULE}` over rest and ws: conforms before, violates now" in text


def test_what_is_no_certificate_is_a_usage_error(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = folders
    (new / "certificate.json").write_text("{}", encoding="utf-8")
    assert main(["diff", str(old), str(new)]) == 4
    assert "is no certificate" in capsys.readouterr().err
    assert main(["diff", str(old), str(new / "nowhere")]) == 4


HOSTILE = (
    "<script>alert(1)</script> `code` ``` [a](http://evil) @everyone \x1b[31mred \u202e | \ud800\n# head" + "x" * 10**6
)


def test_a_partners_words_mean_nothing_in_markdown_or_to_a_terminal() -> None:
    new = certificate(check("violates", message=HOSTILE, case=HOSTILE))
    new["partner"] = copy.deepcopy(new["partner"])
    new["partner"]["pos"]["name"] = HOSTILE
    found = compare(certificate(), new)

    text = diff.as_text(found, new)
    assert all(line.isprintable() for line in text.splitlines())
    assert "\\x1b[31mred" in text
    page = diff.as_markdown(found, new)
    assert len(page) < 5000
    for line in page.splitlines():
        # Whatever is between backticks is shown as it is; nothing of the partner's stands outside of them.
        outside = "".join(line.split("`")[::2])
        assert line.count("`") % 2 == 0
        assert "script" not in outside
        assert "everyone" not in outside
        assert "evil" not in outside
    diff.as_json(found, new).encode("ascii")


def test_many_changes_are_told_by_the_first_and_a_number() -> None:
    many = [check("violates", id=f"a.{'b' * number}") for number in range(1, 101)]
    found = compare(certificate(), certificate(*many))

    assert diff.as_text(found, certificate()).count(" over rest") == 25
    assert "... and 75 more" in diff.as_text(found, certificate())
    assert "and 75 more" in diff.as_markdown(found, certificate())
    assert len(json.loads(diff.as_json(found, certificate()))["checks"]) == 100


def test_a_mistake_that_comes_into_a_till_is_found_by_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs as users start them: before and after a programmer joined two tables of a database."""
    for name, defects in (("before", []), ("after", ["areas-come-with-their-waiters"])):
        with launch.start(defects=defects) as epos:
            run_suite(
                tmp_path,
                f"--partner-url={epos.url}",
                f"--partner-auth={epos.auth}",
                "--capabilities=ListAreas",
                f"--reports={tmp_path / name}",
                "-q",
            )

    assert main(["diff", str(tmp_path / "before"), str(tmp_path / "after"), "--format=json"]) == 1
    told = json.loads(capsys.readouterr().out)
    worse = {each["id"] for each in told["checks"] if each["worse"]}
    assert "ListAreas.ids-are-unique" in worse
    assert {each["kind"] for each in told["checks"]} == {"violated"}
    assert told["verdicts"][0] == {"product": None, "before": "conformant", "after": "not-conformant", "worse": True}
    assert main(["diff", str(tmp_path / "after"), str(tmp_path / "before")]) == 0
    assert "fixed)" in capsys.readouterr().out
