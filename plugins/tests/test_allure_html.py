"""
Allure's HTML in a real browser: made of results with everything in them, and closed to the network.
"""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import uuid

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from epos_conformance._allure_steps import conversation
from epos_conformance.report import allure_about, allure_html, allure_node, cli
from epos_conformance.report.allure_node import NoGenerator
from epos_conformance.report.allure_results import CATEGORIES, described
from epos_conformance.report.folder import ALLURE, HISTORY, RESULTS
from epos_conformance.report.reading import BadReport
from epos_conformance.verdict import Level, Outcome, Result

from .browsing import Browser
from .support import run_suite
from .test_allure_about import document
from .test_exchange import answered
from .test_verdict import WAIVER, result


MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(2)><b id=planted>bold</b>"

LINK = "javascript:alert(3) https://evil.example/?<img src=x onerror=alert(4)>"

BEGAN = 1_795_309_200_000


def write(folder: Path, told: Result, *, began: int = BEGAN, answer: Any = None) -> None:
    """A result in *folder*, as a run writes it."""

    def store(name: str, text: str) -> None:
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")

    known = str(uuid.uuid4())
    steps = conversation([answered(answer)] if answer is not None else [], began, store)
    whole = {"uuid": known, **described(told), "steps": steps, "start": began, "stop": began + 20}
    text = json.dumps(whole, ensure_ascii=False)
    (folder / f"{known}-result.json").write_text(text, encoding="utf-8", errors="backslashreplace")


def fill(folder: Path) -> None:
    """Results that end in every way, of a partner who means no good."""
    folder.mkdir(parents=True)

    def of(rule: str, outcome: Outcome, level: Level = Level.MUST, **more: Any) -> Result:
        capability, _, _ = rule.partition(".")
        return result(outcome, level, id=rule, capability=capability, source=["rest-spec: Order"], **more)

    hostile = f"at $.name: expected a text, saw {MARKUP}\n{LINK}\n\x1b[31mred\x1b[0m \x00\u202e \ud800"
    for transport in ("rest", "ws"):
        write(folder, of("SearchOrders.keeps-ids", Outcome.CONFORMS, transport=transport), answer={"data": []})
    write(
        folder,
        of("SearchOrders.finds-tables", Outcome.VIOLATES, message=hostile, case="minimal"),
        answer={"errorType": MARKUP, "debugMessage": LINK, "name": "Café"},
    )
    write(folder, of("ListAreas.is-sorted", Outcome.VIOLATES, Level.SHOULD, message="unsorted"), answer={})
    write(folder, of("ListAreas.has-names", Outcome.VIOLATES, message="nameless", waiver=WAIVER), answer={})
    write(folder, of("ListAreas.answers", Outcome.INCONCLUSIVE, message="connection refused", cause="unreachable"))
    write(folder, of("GetOrderById.answers", Outcome.INCONCLUSIVE, message="no order", cause="data"))
    write(folder, of("GetOrderById.crashes", Outcome.INCONCLUSIVE, message="KeyError", cause="suite"))
    write(folder, of("CreateParty.answers", Outcome.NOT_OFFERED, message="CreateParty isn't claimed"))
    # Tried twice: the earlier one failed.
    for began, outcome in ((BEGAN, Outcome.VIOLATES), (BEGAN + 60_000, Outcome.CONFORMS)):
        write(folder, of("ListAreas.settles", outcome, message="late"), began=began, answer={})
    hostile_pos = document(verdict="not-conformant")
    hostile_pos["partner"]["pos"] = {"name": MARKUP}
    allure_about.about(
        folder, hostile_pos, {"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW": MARKUP, "GITHUB_RUN_NUMBER": "3"}
    )


def quiet(line: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the second of two runs, in a folder whose name is a pattern; of another run half a line is left."""
    home = tmp_path_factory.mktemp("allure-html") / "nightly [b] {c,d} (1)"
    home.mkdir()
    (home / HISTORY).write_text('{"uuid": "1", "testRes', encoding="utf-8")
    results, into = home / RESULTS, home / ALLURE
    fill(results)
    into.write_text("an earlier one", encoding="utf-8")
    try:
        for _ in range(2):
            allure_html.generate(results, into, history=home / HISTORY, say=quiet)
    except NoGenerator as error:
        if "needs Node.js" in str(error) or "could not be installed" in str(error):
            pytest.skip(str(error))
        raise
    return into


def leaf(page: Any, name: str) -> Any:
    return page.get_by_test_id("tree-leaf-title").get_by_text(name)


def test_it_opens_from_a_file_with_its_tree(made: Path, browser: Browser) -> None:
    with browser.page(made) as page:
        page.get_by_test_id("tree-section").first.wait_for()
        sections = page.get_by_test_id("tree-section-title").all_inner_texts()
        assert sections[0] == "orders"
        at = sections.index("SearchOrders")
        assert {*sections[at + 1 : at + 3]} == {"SearchOrders.finds-tables", "SearchOrders.keeps-ids"}
        assert page.get_by_test_id("nav-tab-categories").inner_text().split() == ["Categories", "6"]
        assert page.get_by_test_id("metadata-item-key").all_inner_texts()[:3] == ["executor", "Partner", "Verdict"]
        # What is kept is there when asked for.
        kept = page.get_by_test_id("tree-section").filter(has_text="SearchOrders.keeps-ids")
        kept.click()
        leaf(page, "SearchOrders.keeps-ids over ws").wait_for()
        leaf(page, "SearchOrders.keeps-ids over rest").wait_for()


def test_it_waits_for_its_data(made: Path, tmp_path: Path, browser: Browser) -> None:
    """However long a browser takes between its program and the data: with other scripts, which have to be fetched."""
    slow, count = re.subn(
        "(?=<script async>)", '<script src="data:text/javascript,1"></script>' * 2_000, made.read_text("utf-8")
    )
    assert count == 1
    (tmp_path / "slow.html").write_text(slow, encoding="utf-8")
    with browser.page(tmp_path / "slow.html") as page:
        leaf(page, "SearchOrders.finds-tables@minimal over rest").wait_for()


def test_a_violation_shows_what_was_said(made: Path, browser: Browser) -> None:
    with browser.page(made) as page:
        leaf(page, "SearchOrders.finds-tables@minimal over rest").click()
        error = page.get_by_test_id("test-result-error-message").inner_text()
        assert "expected a text, saw </script><script>" in error
        assert "Category: Contract violated" in page.inner_text("body")
        assert page.get_by_test_id("test-result-meta-link").count() == 1
        step = page.get_by_test_id("test-result-step").first
        assert step.inner_text().splitlines()[1].startswith("POST /v1/orders/search")
        assert step.locator("a").count() == 0
        step.get_by_test_id("test-result-step-arrow-button").click()
        step.get_by_text("request and answer").click()
        text = step.get_by_test_id("code-attachment-content").inner_text()
        assert '"name": "Café"' in text
        assert "> authorization: *****" in text
        assert "replay: curl" in text


def test_categories_say_whose_turn_it_is(made: Path, browser: Browser) -> None:
    with browser.page(made) as page:
        page.get_by_test_id("nav-tab-categories").click()
        page.get_by_text("Contract violated", exact=True).wait_for()
        told = page.inner_text("body")
        for each in CATEGORIES:
            assert each in told
        assert "Product errors" not in told
        assert "Test errors" not in told


def test_what_a_partner_says_is_text_wherever_it_stands(made: Path, browser: Browser) -> None:
    """Dialogs and requests fail the page itself."""
    with browser.page(made) as page:
        names = ("SearchOrders.finds-tables@minimal over rest", "ListAreas.is-sorted over rest")
        for name in names:
            leaf(page, name).click()
            page.get_by_test_id("test-result-error-message").wait_for()
            for each in page.get_by_test_id("test-result-step-arrow-button").all():
                each.click()
            for each in page.get_by_text("request and answer").all():
                each.click()
            page.wait_for_timeout(200)
            assert page.locator("#planted").count() == 0
            assert page.locator("img[src=x]").count() == 0
            assert not [each for each in page.locator("a").all() if "javascript:" in (each.get_attribute("href") or "")]
            page.get_by_test_id("test-result-breadcrumb-button").first.click()
        page.get_by_text("Show more").first.click()
        assert page.locator("#planted").count() == 0


def test_a_check_that_was_tried_again_shows_it(made: Path, browser: Browser) -> None:
    with browser.page(made) as page:
        page.get_by_test_id("tree-section").filter(has_text="ListAreas.settles").click()
        leaf(page, "ListAreas.settles over rest").click()
        assert page.get_by_test_id("test-result-tab-retries").inner_text().split() == ["Retries", "1"]


def test_it_remembers_the_run_before(made: Path, browser: Browser) -> None:
    lines = (made.parent / HISTORY).read_text("utf-8").splitlines()
    assert len(lines) == 2
    with browser.page(made) as page:
        leaf(page, "ListAreas.is-sorted over rest").click()
        assert page.get_by_test_id("test-result-tab-history").inner_text().split() == ["History", "1"]


def test_no_analytics_are_left_and_no_connection_is_allowed(made: Path, browser: Browser) -> None:
    text = made.read_text("utf-8")
    assert "googletagmanager" not in text
    assert "gtag(" not in text
    assert text.index("Content-Security-Policy") < text.index("<script")
    complaints: list[str] = []

    def ask() -> None:
        with browser.page(made) as page:
            page.on("console", lambda told: complaints.append(told.text))
            page.evaluate("fetch('https://dojo.tech/').then(() => console.log('answered')).catch(() => 0)")

    with pytest.raises(AssertionError):
        ask()
    assert "answered" not in complaints
    assert any("Content Security Policy" in each for each in complaints)


def test_nothing_is_left_beside_it(made: Path) -> None:
    assert {path.name for path in made.parent.iterdir()} == {RESULTS, ALLURE, HISTORY}


# The command


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Instead of making reports: what would have been made."""
    calls: list[dict[str, Any]] = []

    def generate(results: Path, into: Path, *, history: Path | None, say: Callable[[str], None]) -> Path:
        found = [json.loads(path.read_text("utf-8")) for path in results.glob("*-result.json")]
        names = {path.name for path in results.iterdir()}
        calls.append({"into": into, "history": history, "names": names, "found": found})
        say("it takes a while")
        return into

    monkeypatch.setattr(allure_html, "generate", generate)
    return calls


def ran(folder: Path, name: str) -> Path:
    """A folder of a run of one check."""
    home = folder / name
    (home / RESULTS).mkdir(parents=True)
    write(home / RESULTS, result(Outcome.CONFORMS))
    return home


def test_the_command_takes_the_folder_of_the_last_run(
    tmp_path: Path, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(tmp_path, "reports")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["allure"]) == 0
    (call,) = told
    assert (call["into"], call["history"]) == (Path("reports/allure-report.html"), Path("reports/history.jsonl"))
    assert capsys.readouterr() == ("Allure report: reports/allure-report.html\n", "it takes a while\n")


def test_of_several_folders_it_makes_one_report(
    tmp_path: Path, told: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    ran(tmp_path, "nightly/a")
    ran(tmp_path, "nightly/b")
    into = tmp_path / "out" / "all.html"
    assert cli.main(["allure", str(tmp_path / "nightly"), f"--into={into}"]) == 0
    (call,) = told
    assert call["into"] == into
    # Of one partner, as far as anybody knows: tried again.
    assert len(call["found"]) == 2
    assert len({each["historyId"] for each in call["found"]}) == 1
    assert not list(into.parent.iterdir())
    assert capsys.readouterr().out == f"Allure report: {into}\n"


def test_results_themselves_may_be_named(tmp_path: Path, told: list[dict[str, Any]]) -> None:
    home = ran(tmp_path, "a")
    assert cli.main(["allure", str(home / RESULTS)]) == 0
    assert told[0]["into"] == home / ALLURE


def test_where_there_are_no_results_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["allure", str(tmp_path)]) == 4
    assert capsys.readouterr().err == (
        f"epos-report: there is no allure-results in {tmp_path}, nor in a folder below it\n"
    )
    (tmp_path / RESULTS).mkdir()
    with pytest.raises(BadReport, match=r"^there are no results in "):
        allure_html.generate(tmp_path / RESULTS, tmp_path / "x.html", history=None, say=quiet)


def test_certificates_tell_partners_apart(tmp_path: Path, told: list[dict[str, Any]]) -> None:
    run = run_suite(tmp_path, "--partner-url=reference", "-mrest", "-kListAreas.answer", "--reports=night/a")
    assert run.status == 0, run.output
    path = tmp_path / "night" / "b" / "certificate.json"
    shutil.copytree(tmp_path / "night" / "a", path.parent)
    for each in (path.parent / RESULTS).glob("*-result.json"):
        each.rename(each.with_name(f"{uuid.uuid4()}-result.json"))
    other = json.loads(path.read_text("utf-8"))
    other["partner"]["pos"] = {"name": "Another"}
    path.write_text(json.dumps(other), encoding="utf-8")
    assert cli.main(["allure", str(tmp_path / "night"), f"--into={tmp_path / 'x.html'}"]) == 0
    assert {each["titlePath"][0] for each in told[0]["found"]} == {"reference", "Another (reference)"}
    assert told[0]["names"] >= {"categories.json", "environment.properties"}


# Where it fails


@pytest.fixture
def generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Have a shell script make the reports; the folder of results."""

    def replace(script: str) -> Path:
        path = tmp_path / "cli.js"
        path.write_text(script, encoding="utf-8")
        monkeypatch.setattr(allure_node, "generator", lambda _: (Path("/bin/sh"), path))
        return ran(tmp_path, "reports") / RESULTS

    return replace


PAGE = """<!DOCTYPE html><html><head><title>x</title></head><body>
<script src="data:text/javascript;base64,{code}"></script>{more}
<script defer>
Promise.allSettled([d("widgets/a.json","eyJhIjoxfQ=="),{data}]).then(function(){{}})
</script></body></html>"""


def html(more: str = "", code: str = "let a = 1", data: str = "") -> bytes:
    return PAGE.format(code=base64.b64encode(code.encode()).decode(), more=more, data=data).encode()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'Error: no such plugin' >&2; exit 1", "Error: no such plugin"),
        ("exit 0", "it doesn't say why"),
        (
            "echo 'The report is too large to be generated in the single file mode!' >&2; exit 1",
            "these are more results than fit into one file; take fewer folders, or --evidence=failures",
        ),
    ],
)
def test_a_report_that_can_not_be_made_is_one_sentence(
    generator: Callable[[str], Path], tmp_path: Path, script: str, told: str
) -> None:
    results, into = generator(script), tmp_path / "x.html"
    into.write_text("an earlier one", encoding="utf-8")
    with pytest.raises(NoGenerator) as caught:
        allure_html.generate(results, into, history=None, say=quiet)
    assert str(caught.value) == f"Allure {allure_node.pinned()} could not make its report: {told}"
    assert into.read_text("utf-8") == "an earlier one"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".allure")]


def test_making_it_has_an_end(
    generator: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = generator("exec sleep 60")
    monkeypatch.setattr(allure_node, "GENERATES_WITHIN", 0.2)
    with pytest.raises(NoGenerator, match=r"^Allure took longer than 0\.2 s, and was ended$"):
        allure_html.generate(results, tmp_path / "x.html", history=None, say=quiet)


def closed(page: bytes) -> bytes:
    target = io.BytesIO()
    allure_html.close(io.BytesIO(page), target)
    return target.getvalue()


GOOGLE = (
    '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>'
    "<script>window.dataLayer = []; function gtag(){dataLayer.push(arguments);} gtag('js', 1);</script>"
)


def test_scripts_of_others_are_taken_out_and_the_rest_is_kept() -> None:
    found = closed(html(GOOGLE + "<script src='//other.example/x.js'></script><script>kept()</script>"))
    ahead = re.search(rb"<head>(<meta[^>]*><meta[^>]*><script>[^<]*</script>)", found)
    assert ahead is not None
    assert found.replace(ahead[1], b"") == html("<script>kept()</script>")
    assert b"default-src 'none'" in ahead[1]


@pytest.mark.parametrize(
    "page",
    [
        html(more="<img src=https://www.google-analytics.com/collect>"),
        html(more='<link rel="stylesheet" href="//fonts.example/x.css">'),
        html(more='<iframe src="https://somewhere.example"></iframe>'),
        html(code="fetch('https://www.googletagmanager.com/x')"),
        html(data='d("https://api.mixpanel.com","eA==")'),
        html(data='d("a","' + "A" * 3_000_000 + '"),d("x","y");</script><script src="https://x.example/a.js">'),
        html(data="gtag('js')"),
    ],
    ids=["pixel", "style", "frame", "in the code", "in the data", "after the data", "a call"],
)
def test_a_report_that_would_still_ask_is_refused(page: bytes) -> None:
    with pytest.raises(NoGenerator, match=r"would ask the network \(.*\), and is not passed on$"):
        closed(page)


@pytest.mark.parametrize("page", [b"", b"<html><head></head>no data</html>", html().replace(b"<head>", b"")])
def test_a_report_of_another_form_is_refused(page: bytes) -> None:
    with pytest.raises(NoGenerator, match=r"has another form than it used to, and is not passed on$"):
        closed(page)


def test_data_of_any_size_is_copied_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allure_html, "_MOST_BEFORE", 2_000)
    monkeypatch.setattr(allure_html, "_CHUNK", 100)
    page = html(data=",".join(f'd("data/{number}.json","{"QUJD" * 50}")' for number in range(100)))
    found = closed(page)
    assert found[found.index(b"</title>") :] == page[page.index(b"</title>") :]
    # Across the end of a piece.
    for offset in range(100):
        with pytest.raises(NoGenerator):
            closed(html(data='d("' + "a" * offset + '","' + "QUJD" * 600 + '","www.googletagmanager.com")'))


RUN = b'{"uuid":"1","testResults":{}}\n'


@pytest.mark.parametrize(
    ("left", "mended"),
    [
        (b"", b""),
        (RUN, RUN),
        (RUN * 3, RUN * 3),
        (RUN + b'{"uuid":"2","testRes', RUN),
        (RUN.strip(), RUN),
        (b"\xff\n[]\n{}\nnull\n" + RUN + b"[" * 100_000, RUN),
    ],
    ids=["empty", "one", "three", "half", "no end", "nonsense"],
)
def test_a_damaged_history_loses_what_is_damaged(tmp_path: Path, left: bytes, mended: bytes) -> None:
    history = tmp_path / "history.jsonl"
    history.write_bytes(left)
    allure_html._mend(history)
    assert history.read_bytes() == mended
    assert list(tmp_path.iterdir()) == [history]


def test_without_a_history_there_is_nothing_to_mend(tmp_path: Path) -> None:
    allure_html._mend(tmp_path / "history.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_it_is_told_what_to_make(tmp_path: Path) -> None:
    found = allure_html.configuration(tmp_path / "out", tmp_path / "history.jsonl")
    assert found["plugins"]["awesome"]["options"]["groupBy"] == ["partner", "epic", "feature", "story"]
    assert found["plugins"]["agent"] == {"enabled": False}
    assert found["historyLimit"] == 10
    assert "historyPath" not in allure_html.configuration(tmp_path, None)


def test_its_name_begins_with_the_verdict_that_a_percentage_is_not(tmp_path: Path) -> None:
    assert allure_html._name(tmp_path) == "EPOS conformance"
    (tmp_path / RESULTS).mkdir()
    one, other = document(), document(verdict="conformant")
    allure_about.about(tmp_path / RESULTS, one, {})
    assert allure_html._name(tmp_path / RESULTS) == "EPOS conformance: not-proven"
    # Of two partners, one of whom would like another verdict.
    other["partner"]["url"] = other["settings"]["partner-url"] = "https://x.example/)\nVerdict=conformant"
    allure_about.about(tmp_path / RESULTS, [one, other], {})
    assert allure_html._name(tmp_path / RESULTS) == "EPOS conformance: not-proven; conformant"
    assert allure_html.configuration(tmp_path, None, "EPOS conformance: not-proven")["name"].endswith("not-proven")
