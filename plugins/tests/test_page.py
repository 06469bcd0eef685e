"""
The certificate page as a document: what it says, where it says it, and what it may never contain.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from epos_conformance.report import cli, page
from epos_conformance.report.folder import PAGE

from . import pages
from .pages import check, document, mixed, parts, rendered


WORKED = check("SearchOrders.keeps-to-the-limit")

BROKEN = check("SearchOrders.answer-matches-schema", "violates", pages.FAULT)

ADVISED = check("SearchOrders.success-status-is-ok", "violates", "at the status: expected 200, saw 201")

UNPROVEN = check("GetOrderById.unknown-id-is-not-found", "inconclusive", "no order was found", cause="data")

DOWN = check(
    "ListAreas.answer-matches-schema",
    "inconclusive",
    "the partner can't be examined: can't connect to http://till",
    cause="unreachable",
)

WAIVED = {**BROKEN, "waiver": {"reason": "agreed", "until": "2027-03-31"}}

PARTIAL = {"complete": False, "deselected": 41, "interrupted": False}

CUT_SHORT = {"complete": True, "deselected": 0, "interrupted": True}


@pytest.fixture(scope="module")
def whole() -> pages.Parts:
    return pages.Parts(rendered(mixed(), digest="ab" * 32))


def head(text: str) -> str:
    """The words of the page's head."""
    return " ".join(re.sub(r"<[^>]+>", " ", text.partition("<main>")[0].partition("<h1>")[2]).split())


@pytest.mark.parametrize(
    ("checks", "more", "says"),
    [
        ([WORKED], {}, "Certificate of conformance Till &amp; Table Granted Every rule that the contract insists on"),
        ([WORKED, ADVISED], {}, "Granted with recommendations"),
        ([WORKED, ADVISED], {}, "is kept; 1 recommendation stands open."),
        ([WORKED, WAIVED], {}, "is kept or waived; 1 waiver stands open."),
        ([WORKED, BROKEN], {}, "Certification report Till &amp; Table Refused 1 rule that the contract insists on is"),
        ([WORKED, UNPROVEN], {}, "Not proven Nothing that the contract insists on was seen to be broken, but 1 check"),
        ([], {}, "Not proven Nothing was examined"),
        ([DOWN], {}, "Not proven Nothing could be examined: can&#39;t connect to http://till. Examined over REST"),
        ([DOWN, {**DOWN, "message": "whatever"}], {}, "can&#39;t connect to http://till; whatever. Examined"),
        ([DOWN, WORKED], {}, "was seen to be broken, but 1 check that the certificate needs could not be made."),
        ([DOWN], {"selection": CUT_SHORT}, "was seen to be broken, but 1 check that the certificate needs could"),
        ([WORKED], {"selection": CUT_SHORT}, "Certification report Till &amp; Table Interrupted"),
        ([WORKED], {"selection": PARTIAL}, "Certification report Till &amp; Table Partial run"),
        ([WORKED], {"selection": PARTIAL}, "A verdict on 1 of 42 checks only"),
        ([WORKED, BROKEN], {"selection": PARTIAL}, "Refused"),
        ([WORKED], {"settings": {"partner-url": "reference"}}, "the reference EPOS of the suite, not a partner&#39;s"),
        ([WORKED, ADVISED], {"settings": {"strict": True}}, "The run was strict: recommendations fail it."),
    ],
)
def test_the_head_says_what_it_amounts_to(checks: list[Any], more: dict[str, Any], says: str) -> None:
    settings = {"partner-url": None, "partner-ws": None, **more.pop("settings", {})}

    assert says in head(rendered(document(checks, settings=settings, **more)))


def test_a_product_is_not_concluded_from_a_part_of_its_checks() -> None:
    checks = [check(f"{name}.answer-matches-schema") for name in PAY_AT_TABLE]

    assert "Pay at Table Conformant" in parts(checks).text("products")
    assert "Pay at Table Not concluded: partial run" in parts(checks, selection=PARTIAL).text("products")


PAY_AT_TABLE = ("SearchOrders", "GetOrderById", "RecordOrderPaymentById")


def test_a_product_names_what_it_lacks() -> None:
    told = parts([check("SearchOrders.answer-matches-schema")]).text("products")

    assert "Pay at Table Not offered missing GetOrderById, RecordOrderPaymentById" in told


def test_an_unsigned_certificate_says_so_and_a_signed_one_names_its_key() -> None:
    signature = {"state": "signed", "keyid": "fe" * 32, "envelope": "certificate.dsse.json"}

    assert "Unsigned : nothing shows who made it" in head(rendered(document([WORKED])))
    signed = head(rendered(document([WORKED], signature=signature)))
    assert f"Signed with the key {'fe' * 32} , in certificate.dsse.json" in signed


def test_the_digest_given_is_told() -> None:
    assert "12" * 32 in head(rendered(document(), digest="12" * 32))
    assert "SHA-256 of certificate.json" not in rendered(document())


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("violated", "SearchOrders.answer-matches-schema (full)"),
        ("violated", "over REST and WebSocket"),
        ("violated", "Where $.data[0].status Expected a known status Seen Created"),
        ("violated", "Likely cause: an example of the specification"),
        ("violated", "curl -i http://till.example"),
        ("violated", '"status": "Created"'),
        ("violated", "Source: EPOS Data API (REST), OpenAPI description, responses"),
        ("recommended", "SearchOrders.success-status-is-ok"),
        ("waived", "Waived until 2027-03-31: Comes with release 4.3"),
        ("waived", "settings until a date; Dojo decides whether to accept that"),
        ("violated", "settings lifts that for a time, and Dojo decides whether to accept it"),
        ("differences", "most often a fault of one of the two front doors"),
        ("noted", "GetOrderById.errors-carry-a-trace-id"),
        ("unproven", "No order was found 1 check"),
        ("unproven", "No answer within 10 s 1 check"),
        ("unproven", "What would prove these: Run it again while the EPOS can be reached"),
        ("unproven", "What would prove these: Give the run what it lacks"),
        ("unexamined", "GetOrderById.success-status-is-ok over REST"),
        ("left-out", "The capability isn't offered 1 check CreateParty over REST"),
        ("left-out", "The run is --read-only 1 check"),
        ("differences", "CreateOrder.keeps-the-note broken over WebSocket; kept over REST"),
        ("changes", "SearchOrders.answer-matches-schema over REST must newly violated kept broken"),
        ("changes", "the certificate of 21 November 2026, 07:25 UTC (granted, suite 1.2.2). Something got worse."),
        ("leftovers", "order ord-77"),
        ("notes", "the session ended twice"),
        ("identity", "Minimum version 4.2"),
        ("identity", "REST http://till.example"),
        ("identity", "WebSocket the EPOS dials in at an address that the run chose"),
        ("identity", "Capabilities 3, claimed for this run: CreateOrder, GetOrderById, SearchOrders"),
        ("identity", "22 November 2026, 07:24 UTC"),
        ("conditions", "SearchOrders.is-fine old 2026-01-31 for nothing: there is no such rule"),
        ("conditions", "slow-after 2"),
        ("conditions", f"rules/orders.toml {'ab' * 32}"),
        ("checklist", "Pay at Table without order locking"),
        (
            "capabilities",
            "SearchOrders Not conformant Not conformant 1 kept, 1 broken, 1 recommended Not conformant 0 kept",
        ),
    ],
)
def test_each_thing_is_where_it_is_looked_for(whole: pages.Parts, section: str, says: str) -> None:
    assert says in whole.text(section)


@pytest.mark.parametrize(
    ("anchor", "says"),
    [
        ("violated", "Violated 1 rule"),
        ("recommended", "Recommended 1 rule"),
        ("waived", "Waived 1 rule"),
        ("noted", "Worth knowing 1 rule"),
        ("unproven", "Not proven 2 checks"),
        ("unexamined", "Could not be examined 1 check"),
        ("left-out", "Not offered, left out 2 checks"),
        ("differences", "Differences between transports 1 check"),
        ("changes", "Changes since the previous run 1 check"),
        ("waivers", "Waivers 2 waivers, 1 without effect"),
        ("leftovers", "Left behind at the partner 1 thing"),
        ("notes", "Notes on the run 1 note"),
    ],
)
def test_the_contents_count_each_kind_and_lead_there(whole: pages.Parts, anchor: str, says: str) -> None:
    assert says in whole.text("contents")
    assert f"#{anchor}" in whole.links


def test_the_contents_of_a_clean_run_lead_nowhere_in_vain() -> None:
    found = parts([WORKED])

    assert "Violated none" in found.text("contents")
    assert "no previous run" in found.text("contents")
    assert not {"#violated", "#notes", "#changes"} & {*found.links}
    assert {each[1:] for each in found.links if each.startswith("#")} <= {*found.ids}


def test_the_same_over_both_transports_is_told_once(whole: pages.Parts) -> None:
    assert whole.text("violated").count('Created" }') == 1
    assert "Seen over" not in whole.text("violated")


def test_what_differs_between_transports_is_told_of_each() -> None:
    found = parts([BROKEN, {**BROKEN, "transport": "ws", "message": "at $: expected a page, saw []"}])

    assert "Violated 1 rule, 2 checks" in found.text("violated")
    assert "Seen over REST" in found.text("violated")
    assert "Seen over WebSocket Where $ Expected a page Seen []" in found.text("violated")


def test_every_link_within_the_page_has_a_target(whole: pages.Parts) -> None:
    targets = {each[1:] for each in whole.links if each.startswith("#")}

    assert "violated-1" in targets
    assert targets <= {*whole.ids}


def test_ids_are_unique(whole: pages.Parts) -> None:
    assert len({*whole.ids}) == len(whole.ids)


def test_headings_go_down_a_level_at_a_time(whole: pages.Parts) -> None:
    assert whole.headings.count(1) == 1
    assert whole.headings[0] == 1
    assert all(later <= earlier + 1 for earlier, later in zip(whole.headings, whole.headings[1:], strict=False))


def test_nothing_is_fetched_and_nothing_is_run(whole: pages.Parts) -> None:
    assert not {"script", "img", "link", "iframe", "object", "embed", "form", "base"} & whole.tags
    assert not {"style", "src", "srcset", "action", "ping"} & whole.attributes
    assert not {each for each in whole.attributes if each.startswith("on")}
    style = (page.TEMPLATES / "certificate.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|</", style)


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    text = rendered(document([WORKED]))
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'content="{policy.replace(chr(39), "&#39;")}"' in text


def test_only_a_bounded_number_of_findings_is_told_in_full() -> None:
    found = parts([{**BROKEN, "case": f"case {number}"} for number in range(700)])

    assert found.text("violated").count("Likely cause") == 100
    assert "And 600 others" in found.text("violated-others")
    assert "SearchOrders.answer-matches-schema (case 140) over REST" in found.text("violated-others")
    assert "and 200 more" in found.text("violated-others")


def test_a_page_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "reports" / PAGE
    page.write(document([WORKED]), path)
    before = path.read_text(encoding="utf-8")

    bad = document([WORKED])
    del bad["settings"]
    with pytest.raises(KeyError):
        page.write(bad, path)

    assert path.read_text(encoding="utf-8") == before
    assert before.rstrip().endswith("</html>")
    assert [each.name for each in path.parent.iterdir()] == [PAGE]
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o644


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    page.write(document([WORKED], notes=["half \ud800 a pair"]), tmp_path / PAGE)

    assert "half \\ud800 a pair" in (tmp_path / PAGE).read_text(encoding="utf-8")


# epos-report page


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "certificate.json").write_text(json.dumps(document([WORKED])), encoding="utf-8")
        return tmp_path / name

    return make


def test_the_command_writes_a_page_beside_each_certificate(
    folder: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = folder("one"), folder("two")

    assert cli.main(["page", str(one), str(two)]) == 0

    assert [each.name for each in (one, two) if (each / PAGE).is_file()] == ["one", "two"]
    digest = hashlib.sha256((one / "certificate.json").read_bytes()).hexdigest()
    assert digest in (one / PAGE).read_text(encoding="utf-8")
    assert str(one / PAGE) in capsys.readouterr().out


def test_the_command_takes_the_usual_folder(folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder("reports").parent)

    assert cli.main(["page", "--into", "elsewhere.html"]) == 0

    assert "Granted" in Path("elsewhere.html").read_text(encoding="utf-8")


def test_one_file_is_no_place_for_two_pages(
    folder: Callable[[str], Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["page", str(folder("one")), str(folder("two")), "--into", str(tmp_path / "x.html")]) == 4

    assert "--into is for one certificate, and there are 2" in capsys.readouterr().err


def test_a_list_of_certificates_leads_to_each(tmp_path: Path) -> None:
    entries = [(document([WORKED]), "partner-1/certificate.html"), (mixed(), "partner 2/javascript:x.html")]
    page.index(entries, tmp_path / "index.html")
    found = pages.Parts((tmp_path / "index.html").read_text(encoding="utf-8"))

    assert found.links == ["partner-1/certificate.html", "partner%202/javascript%3Ax.html"]
    assert "2 partners" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Refused" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_list_needs_no_checks(tmp_path: Path) -> None:
    page.index([({**mixed(), "checks": []}, "a.html")], tmp_path / "index.html")

    assert "4 kept, 2 broken, 1 recommended, 1 waived, 3 inconclusive" in (tmp_path / "index.html").read_text("utf-8")


def test_commands_that_write_no_page_load_nothing_for_it() -> None:
    loaded = "import sys; import epos_conformance.report.cli; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", loaded],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "epos_conformance.report.page" in run.stdout.split()
    assert not {"jinja2", "epos_conformance.report.page.view"} & {*run.stdout.split()}


# A fleet's night

_NIGHT = """
import io, json, resource, sys, time
from epos_conformance.report import page
document = json.load(open(sys.argv[1]))
document["checks"] = [
    {**each, "case": f"{number}-{each.get('case')}"} for number in range(20000 // len(document["checks"]) + 1)
    for each in document["checks"]
]
page.render({**document, "checks": document["checks"][:10]}, io.StringIO())
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
with open(sys.argv[2], "w", encoding="utf-8") as file:
    page.render(document, file)
took = time.process_time() - began
print(json.dumps([len(document["checks"]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, took]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
def test_twenty_thousand_checks_take_little_memory_time_and_room(tmp_path: Path) -> None:
    source, out = tmp_path / "certificate.json", tmp_path / PAGE
    source.write_text(json.dumps(mixed()), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", _NIGHT, str(source), str(out)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    number, kilobytes, seconds = json.loads(run.stdout)

    assert number >= 20_000
    assert kilobytes < 100_000
    assert seconds < 20
    assert out.stat().st_size < 3_000_000
