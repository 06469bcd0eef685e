"""
What a run leaves in its folder: the certificate whatever happens, everything else as far as it can be made.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os

from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _certificate
from epos_conformance._record import Access, Plan, Record
from epos_conformance._settings import Settings, SigningKey
from epos_conformance.report import allure_node, page, signing
from epos_conformance.report.folder import ALLURE, HISTORY, PAGE, PREVIOUS, Reports
from epos_conformance.report.reading import NAME
from epos_conformance.verdict import Outcome, Result

from .browsing import Browser
from .support import run_suite
from .test_certificate import BROKEN, KEPT, URL, of_rule


SHOWN = Settings(url=URL).shown()


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(**{"url": URL, "reports": folder, **more})


def certificate(folder: Path, *results: Result, deselected: int = 0, interrupted: bool = False) -> Any:
    record = Record(settings(folder), Plan({"rest": Access(URL, offered=("SearchOrders",))}, "leases"))
    record.results = {each.name: each for each in results}
    record.deselected = deselected
    return _certificate.build(record, interrupted=interrupted).document


def write(folder: Path, *results: Result, **more: Any) -> Reports:
    """A run that found *results*, to its end."""
    reports = Reports(folder)
    reports.write(certificate(folder, *results, **more), reports.previous(SHOWN, {}))
    return reports


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_certificate_and_page_are_written_and_said(tmp_path: Path) -> None:
    reports = write(tmp_path, of_rule(KEPT))
    assert read(tmp_path / NAME)["verdict"] == "conformant"
    assert (tmp_path / PAGE).stat().st_size > 1000
    assert reports.lines == [f"certificate: {tmp_path / NAME}", f"page: {tmp_path / PAGE}"]


def test_without_a_key_a_certificate_says_that_it_is_unsigned(tmp_path: Path) -> None:
    (tmp_path / signing.ENVELOPE).write_text("of an earlier run", "utf-8")
    write(tmp_path, of_rule(KEPT))
    assert read(tmp_path / NAME)["signature"] == {"state": "unsigned"}
    assert not (tmp_path / signing.ENVELOPE).exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("a template is broken")])
def test_a_page_that_fails_costs_no_more_than_itself(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(page, "write", fail)
    reports = write(tmp_path, of_rule(KEPT))
    assert read(tmp_path / NAME)["verdict"] == "conformant"
    (line,) = [each for each in reports.lines if each.startswith("page: ")]
    assert (error.args[-1]) in line
    assert "Traceback" not in line


def test_the_first_certificate_is_compared_with_nothing(tmp_path: Path) -> None:
    write(tmp_path, of_rule(KEPT))
    assert "changes" not in read(tmp_path / NAME)
    assert not (tmp_path / PREVIOUS).exists()


def test_a_certificate_says_what_differs_from_the_one_before(tmp_path: Path) -> None:
    write(tmp_path, of_rule(KEPT), of_rule(BROKEN, Outcome.CONFORMS))
    first = read(tmp_path / NAME)
    write(tmp_path, of_rule(KEPT), of_rule(BROKEN, Outcome.VIOLATES, message="at x: expected a, saw b"))
    changes = read(tmp_path / NAME)["changes"]
    assert (changes["since"]["finishedAt"], changes["worse"]) == (first["finishedAt"], True)
    assert [(each["id"], each["kind"]) for each in changes["checks"]] == [(BROKEN, "violated")]
    assert read(tmp_path / PREVIOUS) == first


def test_a_part_or_an_interrupted_run_is_no_measure_and_drives_none_away(tmp_path: Path) -> None:
    write(tmp_path, of_rule(KEPT))
    first = read(tmp_path / NAME)
    for more in ({"deselected": 3}, {"interrupted": True}):
        write(tmp_path, of_rule(KEPT), **more)
        assert read(tmp_path / NAME)["changes"]["since"]["finishedAt"] == first["finishedAt"]
        assert read(tmp_path / PREVIOUS) == first


def test_a_run_that_ended_early_is_no_measure_and_drives_none_away(tmp_path: Path) -> None:
    """``-x`` and a worker that dies interrupt nothing: what did not run is among the checks."""
    write(tmp_path, of_rule(KEPT))
    first = read(tmp_path / NAME)
    for _ in range(2):
        write(tmp_path, of_rule(KEPT), of_rule(BROKEN, Outcome.INCONCLUSIVE, cause="not-run", message="not run"))
        assert read(tmp_path / NAME)["changes"]["since"]["finishedAt"] == first["finishedAt"]
        assert read(tmp_path / PREVIOUS) == first


def test_a_read_only_run_is_a_measure_where_there_is_none_of_a_full_run(tmp_path: Path) -> None:
    def run(read_only: bool | list[bool]) -> tuple[dict[str, Any], Any]:
        document = certificate(tmp_path, of_rule(KEPT))
        document["settings"]["read-only"] = read_only
        reports = Reports(tmp_path)
        reports.write(document, reports.previous(document["settings"], {}))
        told = read(tmp_path / NAME)
        return told, told.get("changes", {}).get("since", {}).get("finishedAt")

    first, _ = run(True)
    second, since = run(True)
    assert since == first["finishedAt"]
    full, since = run(False)
    assert since == second["finishedAt"]
    for _ in range(2):
        _, since = run(True)
        assert since == full["finishedAt"]
        assert read(tmp_path / PREVIOUS) == full
    merged, since = run([True, False])
    assert since == full["finishedAt"]
    assert run(True)[1] == merged["finishedAt"]


def test_the_previous_certificate_keeps_its_envelope(tmp_path: Path) -> None:
    pem = key()
    reports = Reports(tmp_path, SigningKey(pem=pem, id=signing.key_id(pem)))
    envelopes = []
    for _ in range(3):
        reports.write(certificate(tmp_path, of_rule(KEPT)), None)
        envelopes.append((tmp_path / signing.ENVELOPE).read_bytes())
        kept = signing.beside(tmp_path / PREVIOUS)
        assert [kept.read_bytes()] == envelopes[-2:-1] if len(envelopes) > 1 else not kept.exists()
        (subject,) = statement(signing.beside(tmp_path / NAME))["subject"]
        assert subject["digest"]["sha256"] == digest(tmp_path / NAME)
    (subject,) = statement(signing.beside(tmp_path / PREVIOUS))["subject"]
    assert subject["digest"]["sha256"] == digest(tmp_path / PREVIOUS)

    write(tmp_path, of_rule(KEPT))
    write(tmp_path, of_rule(KEPT))  # unsigned, and so is the one before: an envelope would accuse it
    assert not list(tmp_path.glob("*.intoto.jsonl"))


def statement(envelope: Path) -> Any:
    return json.loads(base64.b64decode(read(envelope)["payload"]))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def key() -> str:
    """A private key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


PORT = {"partner-url": None, "partner-ws": "0.0.0.0:8765"}
LOCAL = {"partner-url": "http://127.0.0.1:8080", "partner-ws": None}
OWN = {"partner-url": "https://till.example", "partner-ws": "0.0.0.0:8765"}
DIALLED = {"partner-url": None, "partner-ws": "wss://till.example/session"}


@pytest.mark.parametrize(
    ("addresses", "before", "now", "known"),
    [
        *((each, ("Till A", "a.toml"), ("Till A", "a.toml"), True) for each in (PORT, LOCAL, OWN, DIALLED)),
        *((each, ("Till A", None), ("Till B", None), False) for each in (PORT, LOCAL, OWN, DIALLED)),
        *((each, (None, "a.toml"), (None, "b.toml"), False) for each in (PORT, LOCAL, OWN, DIALLED)),
        # A port that tills dial, and this machine, are nobody's; of an address of its own a partner may get a name.
        *((each, (None, None), ("Till A", "a.toml"), False) for each in (PORT, LOCAL)),
        *((each, (None, None), ("Till A", "a.toml"), True) for each in (OWN, DIALLED)),
        *((each, ("Till A", "a.toml"), ("Till A", None), True) for each in (OWN, DIALLED)),
    ],
)
def test_the_measure_is_of_the_same_partner(
    tmp_path: Path, addresses: dict[str, Any], before: tuple[Any, Any], now: tuple[Any, Any], known: bool
) -> None:
    document = certificate(tmp_path, of_rule(KEPT))
    document["settings"] |= {**addresses, "partner": before[1] and f"/one/{before[1]}"}
    document["partner"]["pos"] = {"name": before[0]} if before[0] else {}
    Reports(tmp_path).write(document, None)

    settings = {**document["settings"], "partner": now[1] and f"/other/{now[1]}"}
    found = Reports(tmp_path).previous(settings, {"name": now[0]} if now[0] else {})
    assert (found is not None) is known


def test_the_certificate_of_another_partner_is_no_measure(tmp_path: Path) -> None:
    write(tmp_path, of_rule(KEPT))
    assert Reports(tmp_path).previous(SHOWN, {}) is not None
    assert Reports(tmp_path).previous(Settings(url="http://other.example").shown(), {}) is None


@pytest.mark.parametrize(
    "broken",
    [b"", b"{", b"\xff\xfe\x00", b"null", b"5", b'"text"', b"[]", b"{}", b"[" * 200_000, b'{"format": 1}'],
    ids=lambda value: value[:40].decode("latin-1") or "empty",
)
def test_a_file_that_is_no_certificate_is_no_measure(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / NAME).write_bytes(broken)
    assert Reports(tmp_path).previous(SHOWN, {}) is None
    write(tmp_path, of_rule(KEPT))
    assert read(tmp_path / NAME)["verdict"] == "conformant"


@pytest.mark.parametrize("damage", ["checks", "settings", "selection"])
def test_a_certificate_without_a_member_is_no_measure(tmp_path: Path, damage: str) -> None:
    write(tmp_path, of_rule(KEPT))
    document = read(tmp_path / NAME)
    del document[damage]
    (tmp_path / NAME).write_text(json.dumps(document), "utf-8")
    assert Reports(tmp_path).previous(SHOWN, {}) is None


def test_a_folder_in_the_place_of_a_certificate_is_no_measure(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert Reports(tmp_path).previous(SHOWN, {}) is None


def test_an_empty_folder_and_one_command_give_everything(tmp_path: Path, browser: Browser) -> None:
    """A real run, as a till's programmer has it; what it leaves opens in a real browser, from files."""
    try:
        allure_node.generator(lambda _: None)
        made = ["--allure-report"]
    except allure_node.NoGenerator:
        made = []  # no Node.js or no registry: its own tests tell, and the rest is there all the same
    run = run_suite(tmp_path, "--partner-url=reference", "-k", "ListAreas and rest", *made)
    assert run.status == 0, run.output
    reports = tmp_path / "reports"
    names = (NAME, PAGE, "allure-results", *([ALLURE, HISTORY] if made else []))
    assert {*names} <= {each.name for each in reports.iterdir()}
    for name in {*names} - {HISTORY}:
        assert f": {reports / name}" in run.output
    assert "fault of the suite" not in run.output
    with browser.page(reports / PAGE, script=False) as shown:
        assert "reference" in shown.inner_text("body")
        assert shown.get_by_text("Partial run").count()
    if made:
        with browser.page(reports / ALLURE) as shown:
            shown.get_by_test_id("tree-section").first.wait_for()


def test_evidence_of_all_checks_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    bodies = {}
    for level in ("failures", "all"):
        run = run_suite(tmp_path, "--partner-url=reference", "-k", "ListAreas and rest", f"--evidence={level}")
        assert run.status == 0, run.output
        exchanges = [exchange for check in run.checks("conforms") for exchange in check["exchanges"]]
        bodies[level] = [each for each in exchanges if each["answer"] and "body" in each["answer"]]
    assert bodies["failures"] == []
    assert len(bodies["all"]) > 10
    assert any("area" in each["answer"]["body"].lower() for each in bodies["all"])


def test_a_signing_key_may_be_a_file_or_the_text_of_one(tmp_path: Path) -> None:
    pem = key()
    (tmp_path / "key.pem").write_text(pem, "utf-8")
    about = ("--partner-url=reference", "-k", "ListAreas.answer-matches and rest")
    ways: list[tuple[list[str], dict[str, str]]] = [(["--signing-key=key.pem"], {}), ([], {"EPOS_SIGNING_KEY": pem})]
    for options, environment in ways:
        run = run_suite(tmp_path, *about, *options, environment=environment)
        assert run.status == 0, run.output
        assert run.certificate["signature"] == {
            "state": "signed",
            "keyid": signing.key_id(pem),
            "envelope": signing.ENVELOPE,
        }
        assert (tmp_path / "reports" / signing.ENVELOPE).is_file()
        every = b"".join(each.read_bytes() for each in (tmp_path / "reports").rglob("*") if each.is_file())
        assert pem.splitlines()[1].encode() not in every
        assert pem.splitlines()[1] not in run.output


@pytest.mark.parametrize("key", ["none.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_signing_key_that_is_none_is_said_before_anything_is_asked(key: str, tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--partner-url=http://127.0.0.1:1", environment={"EPOS_SIGNING_KEY": key})
    assert run.status == 4
    assert len([each for each in run.output.splitlines() if each]) == 1, run.output
    assert os.linesep.join(run.output.split()).count("signing") >= 1
