"""
The main job, as users run it: pytest in a process of its own, against real servers, from folders of all kinds.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from epos_conformance import _contracts, _suite
from epos_conformance.reference import launch
from epos_conformance.reference.server import Running

from .support import INTERRUPTIBLE, Run, run_suite


REFERENCE = "--partner-url=reference"
SANDBOX = "--dojo-api=sandbox"
PAY_AT_TABLE = {"SearchOrders", "GetOrderById", "RecordOrderPaymentById"}


@pytest.fixture(scope="module")
def clean_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The suite against the reference EPOS and Dojo's sandbox, from an empty folder."""
    return run_suite(tmp_path_factory.mktemp("empty"), REFERENCE, SANDBOX, "--junitxml=junit.xml", "-v")


@pytest.fixture(scope="module")
def parallel_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same by two processes."""
    return run_suite(tmp_path_factory.mktemp("parallel"), REFERENCE, SANDBOX, "-n", "2")


def assert_kept(run: Run) -> None:
    """Every rule is kept wherever it holds, but for the one about what an EPOS lacks: this one lacks nothing."""
    assert {each["transport"] for each in run.checks("conforms")} == {"rest", "ws", "dojo"}
    others = [each for each in run.certificate["checks"] if each["outcome"] != "conforms"]
    assert [(each["id"], each["outcome"]) for each in others] == [
        ("ws.capability-not-offered-is-an-error", "not-offered")
    ]


@pytest.fixture(scope="module")
def broken() -> Iterator[Running]:
    """An EPOS that answers unknown ids, and wears no credentials."""
    with launch.start(defects=["unknown-is-empty", "everybody-is-let-in", "errors-leave-no-trace"]) as running:
        yield running


@pytest.fixture(scope="module")
def broken_run(broken: Running, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("broken")
    return run_suite(folder, f"--partner-url={broken.url}", f"--partner-auth={broken.auth}", "--junitxml=junit.xml")


def require_valid(run: Run) -> None:
    schema = _suite.read_json(_suite.REPORTS / "certificate.schema.json")
    jsonschema.Draft202012Validator(schema).validate(run.certificate)


def identities(run: Run) -> set[tuple[str, str, str, str]]:
    """What Allure knows each result by."""
    found = [
        json.loads(path.read_bytes()) for path in (run.folder / "reports" / "allure-results").glob("*-result.json")
    ]
    return {(each["name"], each["fullName"], each["historyId"], each["testCaseId"]) for each in found}


# A clean bill


def test_reference_keeps_every_rule(clean_run: Run) -> None:
    assert clean_run.status == 0, clean_run.output
    assert clean_run.certificate["verdict"] == "conformant"
    assert_kept(clean_run)
    assert {each["verdict"] for each in clean_run.certificate["capabilities"]} == {"conformant"}
    assert {each["verdict"] for each in clean_run.certificate["products"]} == {"conformant"}
    assert clean_run.certificate["leftovers"] == []
    assert "verdict: conformant" in clean_run.output


def test_reference_keeps_every_rule_in_parallel(clean_run: Run, parallel_run: Run) -> None:
    assert parallel_run.status == 0, parallel_run.output
    names = [
        {(each["id"], each.get("case")) for each in run.certificate["checks"]} for run in (clean_run, parallel_run)
    ]
    assert names[0] == names[1]
    assert_kept(parallel_run)
    assert parallel_run.certificate["leftovers"] == []


def test_every_check_exchanged_something(clean_run: Run) -> None:
    assert all(each["exchanges"] for each in clean_run.checks("conforms"))


def test_certificates_have_the_promised_form(clean_run: Run, parallel_run: Run, broken_run: Run) -> None:
    for run in (clean_run, parallel_run, broken_run):
        require_valid(run)


def test_allure_knows_results_by_their_rules_everywhere(clean_run: Run, parallel_run: Run) -> None:
    assert identities(clean_run) == identities(parallel_run)
    assert len(identities(clean_run)) == len(clean_run.certificate["checks"])
    files = [
        path.read_text("utf-8") for path in (clean_run.folder / "reports" / "allure-results").glob("*-result.json")
    ]
    result = next(
        each for text in files if (each := json.loads(text))["name"] == "GetOrderById.unknown-id-is-not-found over rest"
    )
    labels = {each["name"]: each["value"] for each in result["labels"]}
    assert (labels["epic"], labels["feature"], labels["story"], labels["severity"]) == (
        "orders",
        "GetOrderById",
        "GetOrderById.unknown-id-is-not-found",
        "critical",
    )
    assert result["parameters"] == [{"name": "transport", "value": "rest"}]
    assert result["links"]
    assert result["steps"]


# A broken EPOS


def test_violations_are_named_with_their_sentences_and_a_replay(broken_run: Run) -> None:
    assert broken_run.status == 1
    assert broken_run.certificate["verdict"] == "not-conformant"
    assert "GetOrderById.unknown-id-is-not-found" in broken_run.rules("violates", "must")
    assert "rest.refuses-missing-credentials" in broken_run.rules("violates", "must")
    assert "GetOrderById of an id that does not exist is answered with NotFound." in broken_run.output
    assert "replay: curl -i" in broken_run.output
    assert '-u "$PARTNER_AUTH"' in broken_run.output


def test_junit_tells_failures_errors_and_skips_apart(broken_run: Run, clean_run: Run) -> None:
    suite = ET.parse(broken_run.folder / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    violated = [each for each in broken_run.checks("violates") if each["level"] == "must"]
    inconclusive = [each for each in broken_run.checks("inconclusive") if each["level"] == "must"]
    assert int(suite.attrib["failures"]) == len(violated)
    assert int(suite.attrib["errors"]) == len(inconclusive)
    assert int(suite.attrib["skipped"]) == len(broken_run.certificate["checks"]) - len(violated) - len(
        inconclusive
    ) - len(broken_run.checks("conforms"))
    clean = ET.parse(clean_run.folder / "junit.xml").getroot().find("testsuite")
    assert clean is not None
    assert clean.attrib["failures"] == clean.attrib["errors"] == "0"
    assert clean.attrib["skipped"] == "1"


def test_notes_and_recommendations_fail_nothing(tmp_path: Path) -> None:
    with launch.start(defects=["errors-leave-no-trace", "created-is-created"]) as running:
        target = [f"--partner-url={running.url}", f"--partner-auth={running.auth}", "-k", "CreateParty"]
        run = run_suite(tmp_path, *target)
        strict = run_suite(tmp_path, *target, "--strict")

    assert run.status == 0, run.output
    assert run.certificate["verdict"] == "conformant-with-recommendations"
    assert "1 recommendations" in run.output.splitlines()[-1]
    assert strict.status == 1
    assert "1 failed" in strict.output.splitlines()[-1]


# Choosing


def test_a_partner_with_three_capabilities_is_judged_on_these(tmp_path: Path) -> None:
    with launch.start(variants=["pay-at-table-only"]) as running:
        run = run_suite(tmp_path, f"--partner-url={running.url}", f"--partner-auth={running.auth}")

    assert run.status == 0, run.output
    assert set(run.certificate["partner"]["capabilities"]) == PAY_AT_TABLE
    assert run.certificate["partner"]["offer"] == "probed"
    # Of the three, only what would be seen through others is not examined.
    unexamined = [each for each in run.checks("not-offered") if each["capability"] in PAY_AT_TABLE]
    assert all("isn't offered" in each["message"] for each in unexamined)
    assert len(run.checks("not-offered")) > len(unexamined)
    products = {each["name"]: each for each in run.certificate["products"]}
    assert products["pay-at-table"]["verdict"] == "conformant"
    assert products["qr-pay"]["verdict"] == "not-offered"
    assert products["qr-pay"]["missing"] == ["SearchTables"]
    assert "product QR Pay: not-offered; missing SearchTables" in run.output


def test_a_claimed_capability_that_is_not_there_is_found(tmp_path: Path) -> None:
    with launch.start(variants=["pay-at-table-only"]) as running:
        run = run_suite(
            tmp_path, f"--partner-url={running.url}", f"--partner-auth={running.auth}", "--capabilities=ListAreas"
        )

    assert run.status == 1
    assert "ListAreas.answer-matches-schema" in run.rules("violates")


def test_products_claim_their_capabilities(tmp_path: Path) -> None:
    run = run_suite(tmp_path, REFERENCE, "--product=pay-at-table", "-k", "answer-matches-schema")

    assert run.status == 0, run.output
    assert set(run.certificate["partner"]["capabilities"]) == PAY_AT_TABLE
    assert run.certificate["partner"]["offer"] == "claimed"


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "parallel"])
def test_keyword_and_level_select_checks(tmp_path: Path, workers: list[str]) -> None:
    run = run_suite(tmp_path, REFERENCE, "-k", "SearchOrders", "-m", "must", *workers)

    assert run.status == 0, run.output
    assert {each["capability"] for each in run.certificate["checks"]} == {"SearchOrders"}
    assert {each["level"] for each in run.certificate["checks"]} == {"must"}
    assert run.certificate["selection"]["complete"] is False
    assert "deselected: this is a verdict on the others alone" in run.output


def test_a_selection_of_nothing_proves_nothing(tmp_path: Path) -> None:
    run = run_suite(tmp_path, REFERENCE, "-k", "there_is_no_such_check")

    assert run.status == 1
    assert run.certificate["verdict"] == "not-proven"


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "parallel"])
def test_what_stays_behind_is_told_once(tmp_path: Path, workers: list[str]) -> None:
    with launch.start(variants=["three-orders-no-creation"]) as running:
        target = [f"--partner-url={running.url}", f"--partner-auth={running.auth}"]
        run = run_suite(tmp_path, *target, "-k", "RecordOrderPaymentById.answer", *workers)

    assert run.status == 0, run.output
    left = run.certificate["leftovers"]
    assert len(left) == len(set(left)) > 0
    assert all("payment" in each and "nothing removes it" in each for each in left)
    assert "left behind at the partner: payment" in run.output


def test_read_only_changes_nothing(tmp_path: Path) -> None:
    run = run_suite(tmp_path, REFERENCE, "--read-only")

    assert run.status == 0, run.output
    asked = {
        (each["transport"], call["capability"])
        for each in run.certificate["checks"]
        for call in each["exchanges"]
        if call["capability"]
    }
    assert {("rest", "SearchOrders"), ("ws", "SearchOrders")} <= asked
    changing = {name for name, each in _contracts.capabilities().items() if each.changes}
    assert not {name for _, name in asked} & changing


def test_collecting_asks_nobody(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--partner-url=http://127.0.0.1:9", "--collect-only", "-q")

    assert run.status == 0, run.output
    assert "rest-GetOrderById.unknown-id-is-not-found" in run.output
    assert not (tmp_path / "reports").exists()


# Settings


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--partner-url=ftp://till.example"], "neither an http(s):// nor"),
        (["--partner-url=https://user:secret-word@till.example"], "carries credentials"),
        ([REFERENCE, "--partner-auth=nobody"], "not USER:PASSWORD"),
        ([REFERENCE, "--capabilities=SearchOrder"], "did you mean 'SearchOrders'"),
        ([REFERENCE, "--capabilities=AddOrderItems"], "preview"),
        ([REFERENCE, "--product=pay-at-tabel"], "did you mean 'pay-at-table'"),
        ([REFERENCE, "--slow-after=soon"], "not a number"),
        ([REFERENCE, "--slow-after=20"], "nothing could be slow"),
        ([REFERENCE, "--partner=missing.toml"], "can't read missing.toml"),
        ([REFERENCE, "--partner=broken.toml"], "is not TOML"),
        ([REFERENCE, "--reports=pytest.ini"], "can't write results to"),
    ],
)
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "parallel"])
def test_a_setting_that_makes_no_sense_is_one_line(
    tmp_path: Path, arguments: list[str], words: str, workers: list[str]
) -> None:
    (tmp_path / "broken.toml").write_text("partner-url = \n", encoding="utf-8")
    run = run_suite(tmp_path, *arguments, *workers)

    assert run.status == 4, run.output
    told = [line for line in run.output.splitlines() if line.strip()]
    assert len(told) == 1, run.output
    assert words in told[0]
    assert "secret-word" not in run.output


def test_environment_and_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "partner.toml").write_text('capabilities = ["ListAreas"]\nslow-after = 3\n', encoding="utf-8")
    run = run_suite(tmp_path, "-m", "must", environment={"PARTNER_URL": "reference"})

    assert run.status == 0, run.output
    assert run.certificate["partner"]["capabilities"] == ["ListAreas"]
    assert run.certificate["settings"]["slow-after"] == 3


def test_waivers_are_honoured_and_told(tmp_path: Path) -> None:
    rule = "GetOrderById.unknown-id-is-not-found"
    (tmp_path / "partner.toml").write_text(
        f"""
        [[waivers]]
        rule = "{rule}"
        reason = "fixed in 4.2"
        until = 2999-12-31

        [[waivers]]
        rule = "GetOrderById.answers-promptly"
        reason = "was slow once"
        until = 2999-12-31

        [[waivers]]
        rule = "GetOrderById.errors-are-epos-errors"
        reason = "long ago"
        until = 2020-01-01

        [[waivers]]
        rule = "GetOrderById.there-is-no-such-rule"
        reason = "typing"
        until = 2999-12-31
        """,
        encoding="utf-8",
    )
    with launch.start(defects=["unknown-is-invalid"]) as running:
        target = [f"--partner-url={running.url}", f"--partner-auth={running.auth}"]
        run = run_suite(tmp_path, *target, "-k", "GetOrderById and not rest.")

    assert run.status == 0, run.output
    assert run.certificate["verdict"] == "conformant-with-recommendations"
    waived = next(each for each in run.checks("violates") if each["id"] == rule)
    assert waived["waiver"]["reason"] == "fixed in 4.2"
    assert [each["state"] for each in run.certificate["waivers"]] == ["used", "unused", "ended", "unknown"]
    for words in ("no longer needed", "its date has passed", "there is no such rule"):
        assert words in run.output


def test_rules_that_the_last_certificate_did_not_know_are_marked(tmp_path: Path, broken: Running) -> None:
    selected = [f"--partner-url={broken.url}", f"--partner-auth={broken.auth}", "--capabilities=ListAreas"]
    first = run_suite(tmp_path, *selected)
    document = first.certificate
    document["checks"] = [each for each in document["checks"] if each["id"] != "ListAreas.answers-promptly"]
    (tmp_path / "reports" / "certificate.json").write_text(json.dumps(document), encoding="utf-8")
    second = run_suite(tmp_path, *selected)

    assert not [each for each in document["checks"] if "new" in each]
    assert {each["id"] for each in second.certificate["checks"] if each.get("new")} == {"ListAreas.answers-promptly"}
    assert "new since the last certificate (1 rules): ListAreas.answers-promptly" in second.output
    require_valid(second)


def test_orders_named_for_it_are_canceled_once_each(tmp_path: Path) -> None:
    (tmp_path / "partner.toml").write_text(
        '[data]\ncancelable-orders = ["ord-1002", "ord-1003", "ord-1004"]\n', encoding="utf-8"
    )
    run = run_suite(
        tmp_path,
        REFERENCE,
        "--capabilities=CancelOrderById,SearchOrders",
        "-k",
        "CancelOrderById.answer or CancelOrderById.success or CancelOrderById.headers",
        "-n",
        "2",
    )

    sent = [call["request"] for each in run.certificate["checks"] for call in each["exchanges"]]
    canceled = [each["url"].rsplit("/", 1)[1] for each in sent if each["method"] == "DELETE"]
    assert sorted(canceled) == ["ord-1002", "ord-1003", "ord-1004"]
    assert "all 3 of data.cancelable-orders are used up" in run.output


def test_url_templates_replace_published_paths(tmp_path: Path) -> None:
    with launch.start() as running:
        (tmp_path / "partner.toml").write_text(
            f'[urls]\nGetOrderById = "{running.url}/v1/orders/{{orderID}}"\nListAreas = "/v1/areas?venue=1"\n',
            encoding="utf-8",
        )
        run = run_suite(
            tmp_path,
            f"--partner-url={running.url}",
            f"--partner-auth={running.auth}",
            "--capabilities=GetOrderById,ListAreas,SearchOrders",
            "-k",
            "answer-matches-schema",
        )

    assert run.status == 0, run.output
    sent = {call["request"]["url"] for each in run.checks("conforms") for call in each["exchanges"]}
    assert any(url.endswith("/v1/areas?venue=1") for url in sent)


# Other people's folders


def test_runs_in_a_partners_own_project(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\npython_files = spec_*.py\npython_functions = spec_*\ntestpaths = specs\n"
        "addopts = -W error --import-mode=importlib\nstrict = true\n",
        encoding="utf-8",
    )
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "spec_theirs.py").write_text("def spec_theirs():\n    pass\n", encoding="utf-8")

    ours = run_suite(tmp_path, REFERENCE, "-k", "ListAreas")
    parallel = run_suite(tmp_path, REFERENCE, "-k", "ListAreas", "-n", "2")
    theirs = run_suite(tmp_path)

    assert ours.status == parallel.status == 0, ours.output + parallel.output
    assert len(ours.certificate["checks"]) == len(parallel.certificate["checks"]) > 10
    assert theirs.status == 0, theirs.output
    assert "1 passed" in theirs.output
    assert "EPOS" not in theirs.output


def test_is_silent_where_nobody_asks(tmp_path: Path) -> None:
    run = run_suite(tmp_path)

    assert run.status == 5, run.output
    assert "no tests ran" in run.output
    assert not (tmp_path / "reports").exists()


def test_allure_may_be_switched_off(tmp_path: Path) -> None:
    run = run_suite(tmp_path, REFERENCE, "-p", "no:allure_pytest", "-k", "ListAreas")

    assert run.status == 0, run.output
    assert not (tmp_path / "reports" / "allure-results").exists()


# Ends


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "parallel"])
def test_an_interrupted_run_leaves_a_whole_certificate(tmp_path: Path, workers: list[str]) -> None:
    with launch.start(variants=["slow-but-fine"]) as running:
        (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        home = str(Path(_suite.__file__).parents[1])
        child = subprocess.Popen(
            [
                *(sys.executable, "-c", INTERRUPTIBLE, "-p", "no:cacheprovider", "-p", "epos_conformance.plugin"),
                *workers,
                *(
                    f"--partner-url={running.url}",
                    f"--partner-auth={running.auth}",
                    "--capabilities=ListAreas,SearchOrders",
                ),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        results = tmp_path / "reports" / "allure-results"
        deadline = time.monotonic() + 60
        while not list(results.glob("*-result.json")) and time.monotonic() < deadline:
            time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=60)

    run = Run(child.returncode, output, tmp_path, 0)
    assert run.status == 2, output
    require_valid(run)
    assert run.certificate["selection"]["interrupted"] is True
    assert run.certificate["verdict"] == "not-proven"
    assert any("interrupted" in each["message"] for each in run.checks("inconclusive"))
    assert len(run.certificate["checks"]) > 400


def test_no_secret_is_in_any_file_or_output(tmp_path: Path) -> None:
    password = 'ca"nary-Pä55/word+%'
    auth = f"dojo:{password}"
    (tmp_path / "partner.toml").write_text(f"partner-auth = {json.dumps(auth)}\n", encoding="utf-8")
    with launch.start(defects=["types-go-unchecked", "unknown-crashes"], auth=auth) as running:
        run = run_suite(
            tmp_path, f"--partner-url={running.url}", "-vv", "--junitxml=reports/junit.xml", "-l", "--tb=long"
        )
        (tmp_path / "wrong").mkdir()
        wrong = run_suite(
            tmp_path / "wrong", f"--partner-url={running.url}", f"--partner-auth=dojo:wrong-{password}", "-vv"
        )

    assert run.status == wrong.status == 1
    assert run.rules("violates")
    forms = ['ca"nary', 'ca\\"nary', "55/word", "55%2Fword", running.auth.encode("utf-8").hex()]
    forms += [base64.b64encode(each.encode()).decode() for each in (auth, f"dojo:wrong-{password}")]
    for text in (
        run.output,
        wrong.output,
        *(path.read_text("utf-8") for path in tmp_path.rglob("reports/**/*") if path.is_file()),
    ):
        for form in forms:
            assert form not in text
