"""
Certificates are signed with in-toto's own formats: what is stated, with which key, and how the envelope reads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import subprocess
import sys

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_public_key,
)

from epos_conformance import _certificate, _contracts, _expected
from epos_conformance.report import signing
from epos_conformance.report.cli import main
from epos_conformance.verdict import Level, Outcome

from .signed import KEY, KEY_ID, PEM, Document, made, part, private, public, written
from .support import run_suite


def predicate(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = signing.statement(document, "0" * 64)["predicate"]
    return found


# Keys


def test_a_key_has_an_id_that_depends_on_nothing_else() -> None:
    assert signing.key_id(PEM + "\n") == KEY_ID
    assert len(KEY_ID) == 64
    assert signing.key_id(private(Ed25519PrivateKey.generate())) != KEY_ID


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        ("", "no BEGIN line"),
        ("hunter2", "no BEGIN line"),
        (PEM[:70], "no private key in PEM that can be read"),
        (PEM.replace("M", "É"), "beyond ASCII"),
        (PEM.replace("M", "\ud800"), "beyond ASCII"),
        (public(KEY), "a public key"),
        (KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode(), "encrypted"),
        (private(ec.generate_private_key(ec.SECP256R1())), "no Ed25519 key"),
    ],
)
def test_what_is_no_key_is_refused_in_one_sentence(pem: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        signing.key_id(pem)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_pair_of_keys_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "till.key"
    assert main(["keygen", str(file)]) == 0
    id = signing.key_id(file.read_text("ascii"))
    assert f"key id: {id}\n" in capsys.readouterr().out
    found = load_pem_public_key((tmp_path / "till.key.pub").read_bytes())
    assert isinstance(found, Ed25519PublicKey)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("taken", ["till.key", "till.key.pub"])
def test_a_key_is_never_overwritten(taken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / taken).write_text("precious", encoding="ascii")
    assert main(["keygen", str(tmp_path / "till.key")]) == 4
    assert "is there already" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text("ascii") == "precious"


def test_a_key_for_a_folder_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keygen", str(tmp_path / "nowhere" / "key")]) == 4
    assert capsys.readouterr().err.count("\n") == 1


# The envelope


def test_the_envelope_is_dsse_and_anybody_can_verify_it(tmp_path: Path) -> None:
    """As the specification of DSSE has it, and without the library that made it."""
    path = written(tmp_path, made(only="ListAreas"))
    data = (tmp_path / signing.ENVELOPE).read_bytes()
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    envelope = json.loads(data)
    assert {*envelope} == {"payload", "payloadType", "signatures"}
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    payload, type = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    ((keyid, sig),) = ((each["keyid"], each["sig"]) for each in envelope["signatures"])
    assert keyid == KEY_ID
    signed = b"DSSEv1 %d %b %d %b" % (len(type), type, len(payload), payload)
    KEY.public_key().verify(base64.b64decode(sig), signed)

    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert statement["subject"] == [{"name": "certificate.json", "digest": {"sha256": digest}}]


def test_the_statement_names_every_file_that_the_partner_was_held_to_and_the_suite() -> None:
    document = made(only="ListAreas")
    suite, *files = predicate(document)["configuration"]
    assert {each["name"]: each["digest"]["sha256"] for each in files} == document["contract"]["digests"]
    assert suite["name"] == "dojo-epos-conformance"
    assert suite["annotations"] == {"version": document["suite"]["version"]}
    assert suite["uri"].startswith("pkg:pypi/dojo-epos-conformance@")
    assert "+" not in suite["uri"]


def test_each_test_is_named_where_it_belongs() -> None:
    violated = {"outcome": Outcome.VIOLATES, "message": "at $: expected a, saw b"}
    unproven = {"outcome": Outcome.INCONCLUSIVE, "message": "no data", "cause": "data"}
    musts, shoulds = (
        [
            name
            for name, each in _expected.examinations(["rest"]).items()
            if each.rule.level is level and each.capability and each.capability.name == "SearchTables"
        ]
        for level in (Level.MUST, Level.SHOULD)
    )
    waiver = {"reason": "known", "until": "2999-01-01"}
    found = predicate(
        made(
            change={
                musts[0]: violated,
                musts[1]: unproven,
                musts[2]: {**violated, "waiver": waiver},
                shoulds[0]: violated,
                shoulds[1]: unproven,
            }
        )
    )
    assert found["result"] == "FAILED"
    assert {*found["failedTests"]} == {*musts[:2]}
    assert {*found["warnedTests"]} == {musts[2], *shoulds[:2]}
    assert musts[3] in found["passedTests"]
    assert "rest-ListAreas.answer-matches-schema@minimal" in found["passedTests"]
    assert not any(
        "CreateOrder." in each for kind in ("passedTests", "warnedTests", "failedTests") for each in found[kind]
    )


@pytest.mark.parametrize(
    ("verdict", "result"),
    [
        ("conformant", "PASSED"),
        ("conformant-with-recommendations", "WARNED"),
        ("not-conformant", "FAILED"),
        ("not-proven", "FAILED"),
    ],
)
def test_the_result_is_the_verdict(verdict: str, result: str) -> None:
    assert predicate({**made(only="ListAreas"), "verdict": verdict})["result"] == result


def test_the_page_of_the_build_is_told_where_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "till/tests",
        "GITHUB_RUN_ID": "17",
        "GITHUB_RUN_NUMBER": "3",
    }
    for name, value in github.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_RUN_ATTEMPT", raising=False)
    written(tmp_path, made(only="ListAreas"))
    envelope = json.loads((tmp_path / signing.ENVELOPE).read_text("ascii"))
    stated = json.loads(base64.b64decode(envelope["payload"]))
    assert stated["predicate"]["url"] == "https://github.com/till/tests/actions/runs/17"
    assert signing.run_url({}) is None


def test_words_of_the_partner_do_not_break_the_envelope(tmp_path: Path) -> None:
    document = made(only="ListAreas")
    document["notes"] = ["half a pair \ud800, a line\nand \x1b[31mred</script>"]
    written(tmp_path, document)
    assert (tmp_path / signing.ENVELOPE).read_bytes().isascii()


def test_an_envelope_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, made(only="ListAreas"))
    before = (tmp_path / signing.ENVELOPE).read_bytes()

    def full(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        signing.sign(path, json.loads(path.read_text("utf-8")), PEM)
    assert (tmp_path / signing.ENVELOPE).read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"certificate.json", signing.ENVELOPE}


# A certificate that is there already


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    """A folder with a certificate that nobody signed."""
    written(tmp_path, made(only="ListAreas"), None)
    return tmp_path


def test_a_certificate_that_is_there_is_signed_and_says_so(
    unsigned: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path_factory.mktemp("keys") / "key"
    key.write_text(PEM, encoding="ascii")
    assert main(["sign", str(unsigned), "--signing-key", str(key)]) == 0
    assert KEY_ID in capsys.readouterr().out
    document = json.loads((unsigned / "certificate.json").read_text("utf-8"))
    assert document["signature"] == {"state": "signed", "keyid": KEY_ID, "envelope": "certificate.intoto.jsonl"}
    assert {each.name for each in unsigned.iterdir()} == {"certificate.json", signing.ENVELOPE}


def test_the_page_of_a_certificate_that_is_signed_says_so(unsigned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPOS_SIGNING_KEY", PEM)
    (unsigned / "certificate.html").write_text("unsigned", encoding="utf-8")
    assert main(["sign", str(unsigned)]) == 0
    page = (unsigned / "certificate.html").read_text("utf-8")
    assert KEY_ID in page
    assert hashlib.sha256((unsigned / "certificate.json").read_bytes()).hexdigest() in page


def test_the_key_may_be_in_the_environment(
    unsigned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EPOS_SIGNING_KEY", PEM)
    assert main(["sign", str(unsigned)]) == 0
    assert (unsigned / signing.ENVELOPE).exists()
    assert "PRIVATE" not in capsys.readouterr().out


@pytest.mark.parametrize("key", [None, "nowhere.key", "certificate.json"])
def test_without_a_key_nothing_is_signed(
    key: str | None, unsigned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EPOS_SIGNING_KEY", raising=False)
    before = (unsigned / "certificate.json").read_bytes()
    more = [] if key is None else ["--signing-key", str(unsigned / key)]
    assert main(["sign", str(unsigned), *more]) == 4
    assert capsys.readouterr().err.count("\n") == 1
    assert (unsigned / "certificate.json").read_bytes() == before
    assert not (unsigned / signing.ENVELOPE).exists()


def test_what_is_no_certificate_is_not_signed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "certificate.json").write_text("{}", encoding="utf-8")
    assert main(["sign", str(tmp_path), "--signing-key", PEM]) == 4
    assert "no certificate" in capsys.readouterr().err


# A run


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda it: it["checks"][0].update(outcome="violates"), "and the checks amount to"),
        (lambda it: it["settings"].pop("depth"), "the settings leave out depth"),
        (lambda it: it.update(signature=signing.state(signing.key_id(PEM))), "it says that it is signed, and there is"),
        (lambda it: it["suite"].update(version="0.1"), "was made by version 0.1 of the suite"),
    ],
)
def test_what_was_altered_is_not_signed(
    edit: Callable[[Document], object], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = part()
    edit(document)
    path = tmp_path / "certificate.json"
    _certificate.write(document, path)
    before = path.read_bytes()
    assert main(["sign", str(tmp_path), "--signing-key", PEM]) == 4
    assert said in capsys.readouterr().err
    assert path.read_bytes() == before
    assert not (tmp_path / signing.ENVELOPE).exists()


def test_what_was_signed_and_altered_since_is_not_signed_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, part())
    assert main(["sign", str(tmp_path), "--signing-key", PEM]) == 0
    path.write_text(path.read_text("utf-8").replace("}", "} ", 1), encoding="utf-8")
    assert main(["sign", str(tmp_path), "--signing-key", PEM]) == 4
    assert "is not the file that was signed" in capsys.readouterr().err


def test_a_run_signs_its_certificate_and_the_next_one_without_a_key_is_unsigned(tmp_path: Path) -> None:
    arguments = "--partner-url=reference", "-q", "-m", "rest", "-k", "ListAreas"
    run = run_suite(tmp_path, *arguments, environment={"EPOS_SIGNING_KEY": PEM})
    assert run.status == 0, run.output
    (tmp_path / "key.pub").write_text(public(KEY), encoding="ascii")
    assert run.certificate["signature"]["keyid"] == KEY_ID
    verify = ["verify", str(tmp_path / "reports"), "--public-key", str(tmp_path / "key.pub")]
    assert main(verify) == 0
    assert PEM.splitlines()[1] not in run.output + (tmp_path / "reports" / "certificate.json").read_text("utf-8")

    run = run_suite(tmp_path, *arguments)
    assert run.certificate["signature"] == {"state": "unsigned"}
    assert not (tmp_path / "reports" / signing.ENVELOPE).exists()
    assert main(verify) == 1


def test_signing_costs_nothing_where_nothing_is_signed() -> None:
    code = (
        "import sys, epos_conformance.report.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([each for each in sys.modules if each.startswith(('securesystemslib', 'cryptography'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(_contracts.__file__).parents[1])},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
