"""
A genuine certificate is told from every other: altered, signed by a stranger, or no certificate at all.
"""

from __future__ import annotations

import contextlib
import json

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from epos_conformance import _expected, _suite
from epos_conformance.reference import faults, launch
from epos_conformance.report import signing
from epos_conformance.report.cli import main
from epos_conformance.report.reading import BadReport
from epos_conformance.report.verifying import verified
from epos_conformance.verdict import Outcome

from .signed import (
    CHECKED,
    KEY,
    KEY_ID,
    KEYS,
    PEM,
    Document,
    conclude,
    entry,
    made,
    part,
    private,
    public,
    text,
    whole,
    written,
)
from .support import Run, run_suite
from .test_ws_dialling import Listening


Edit = Callable[[Document], object]


# Genuine


def test_a_signed_certificate_is_genuine(tmp_path: Path) -> None:
    found = verified(written(tmp_path, whole()), KEYS)
    assert found.genuine
    assert found.granted
    (line,) = found.lines()
    count = len(whole()["checks"])
    version = _suite.version()
    assert line == f"genuine: signed by key {KEY_ID}; conformant; {count} checks, all that version {version} asks"


def test_a_part_of_a_run_is_genuine_and_says_loudly_that_it_is_one(tmp_path: Path) -> None:
    found = verified(written(tmp_path, part()), KEYS)
    assert found.genuine
    assert not found.granted
    asked = len(_expected.names(["rest"]))
    assert f"A VERDICT ON {len(part()['checks'])} OF {asked} CHECKS: conformant" in text(found)


def test_an_interrupted_run_is_genuine_and_says_so(tmp_path: Path) -> None:
    document = whole()
    document["selection"]["interrupted"] = True
    entry(document).update(outcome="inconclusive", message="not run", cause="not-run", exchanges=[])
    conclude(document)
    found = verified(written(tmp_path, document), KEYS)
    assert found.genuine
    assert not found.granted
    assert "not-proven" in text(found)
    assert "THE RUN WAS INTERRUPTED" in text(found)


def test_a_run_that_was_not_to_change_anything_is_genuine_and_says_so(tmp_path: Path) -> None:
    message = "not examined: it may change something at the partner, and the run is --read-only"
    creations = [
        name
        for name, each in _expected.examinations(["rest"]).items()
        if each.capability and each.capability.name == "CreateOrder"
    ]
    spared: dict[str, Any] = {"outcome": Outcome.NOT_OFFERED, "message": message, "exchanges": []}
    document = made(offered=["CreateOrder"], change=dict.fromkeys(creations, spared), read_only=True)
    found = verified(written(tmp_path, document), KEYS)
    assert found.genuine
    assert text(found).endswith(f"; READ-ONLY, WITHOUT {len(creations)} CHECKS THAT MAY CHANGE SOMETHING")


NO_DEPTH = "not examined: unusual bodies are switched off (--depth=0)"
UNUSUAL = [each for each in _expected.names(["rest"]) if "-unusual-" in each or "survives-" in each]


def product_refused() -> Document:
    """Whose whole is granted, and a product that was asked for is not."""
    document = made(offered=["GetOrderById", "RecordOrderPaymentById", "SearchOrders"], products=("pay-at-table",))
    next(each for each in document["products"] if each["name"] == "pay-at-table")["verdict"] = "not-proven"
    return document


@pytest.mark.parametrize(
    ("document", "granted", "said"),
    [
        (made, True, ""),
        (lambda: made(offered=["GetOrderById", "RecordOrderPaymentById", "SearchOrders"], products=("pay-at-table",)),
         True, ""),
        (product_refused, False, ""),
        (lambda: {**made(), "selection": {"complete": True, "deselected": 0, "interrupted": True}}, False, "INTERRUPT"),
        (lambda: made(offered=()), False, ""),
        (lambda: made(only="ListAreas"), False, "A VERDICT ON"),
        (
            lambda: made(offered=["CreateOrder"], depth=0, change={
                each: {"outcome": Outcome.NOT_OFFERED, "message": NO_DEPTH, "exchanges": []}
                for each in UNUSUAL if each.partition("@")[2] == "CreateOrder" or "-CreateOrder." in each
            }),
            False,
            "CHECKS THAT WERE SWITCHED OFF",
        ),
        (
            lambda: made(offered=["CreateOrder"], read_only=True, change={
                f"rest-CreateOrder.answer-matches-schema@{case}": {
                    "outcome": Outcome.NOT_OFFERED,
                    "message": "not examined: it may change something at the partner, and the run is --read-only",
                    "exchanges": [],
                }
                for case in ("minimal",)
            }),
            False,
            "READ-ONLY",
        ),
    ],
)  # fmt: skip
def test_a_certificate_is_granted_for_all_that_is_offered(
    document: Callable[[], Document], granted: bool, said: str, tmp_path: Path
) -> None:
    found = verified(written(tmp_path, document()), KEYS)
    assert found.granted is granted
    if "product_refused" not in document.__name__:
        assert found.genuine, text(found)
    assert said in text(found)


def test_a_certificate_may_be_renamed_with_its_envelope(tmp_path: Path) -> None:
    path = written(tmp_path, part())
    path.rename(tmp_path / "till-4.json")
    (tmp_path / signing.ENVELOPE).rename(tmp_path / "till-4.intoto.jsonl")
    assert verified(tmp_path / "till-4.json", KEYS).genuine


def test_the_page_of_the_build_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"JENKINS_URL": "https://ci", "BUILD_NUMBER": "4", "BUILD_URL": "https://ci/4"}.items():
        monkeypatch.setenv(name, value)
    path = written(tmp_path, part())
    monkeypatch.undo()
    assert verified(path, KEYS).genuine


def test_any_of_several_keys_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, part())
    for name, key in (("theirs.pub", Ed25519PrivateKey.generate()), ("ours.pub", KEY)):
        (tmp_path / name).write_text(public(key), encoding="ascii")
    given = ["--public-key", str(tmp_path / "theirs.pub"), "--public-key", str(tmp_path / "ours.pub")]
    assert main(["verify", str(tmp_path), *given]) == 0
    assert capsys.readouterr().out.startswith(f"genuine: signed by key {KEY_ID}; ")
    assert main(["verify", str(tmp_path), *given[:2]]) == 1
    assert "unknown key" in capsys.readouterr().out


def test_a_verdict_that_grants_nothing_is_genuine_and_not_granted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = whole()
    entry(document).update(outcome="violates", message="at $: expected a, saw b")
    conclude(document)
    path = written(tmp_path, document)
    (tmp_path / "key.pub").write_text(public(KEY), encoding="ascii")
    verify = ["verify", str(path), "--public-key", str(tmp_path / "key.pub")]
    assert main(verify) == 0
    assert "not-conformant" in capsys.readouterr().out
    assert main([*verify, "--granted"]) == 1


def test_another_version_tells_who_signed_and_no_more(tmp_path: Path) -> None:
    document = part()
    document["suite"]["version"] = "99.0"
    found = verified(written(tmp_path, document), KEYS)
    assert not found.genuine
    assert found.faults == []
    assert found.lines() == [
        f"not verified: made by version 99.0 of the suite, and this is {_suite.version()}: verify it with that version",
        f"signed by key {KEY_ID}",
    ]


def test_an_unsigned_certificate_proves_nothing_and_may_be_consistent(tmp_path: Path) -> None:
    found = verified(written(tmp_path, whole(), None), KEYS)
    assert not found.genuine
    unsigned, consistent = found.lines()
    assert unsigned == "unsigned: nothing proves who made it"
    assert consistent.startswith("consistent in itself: conformant; ")


# Altered after it was signed


@pytest.mark.parametrize(
    "edit",
    [
        lambda it: it.update(verdict="not-conformant"),
        lambda it: entry(it, CHECKED).update(outcome="violates"),
        lambda it: entry(it, CHECKED).update(level="info"),
        lambda it: entry(it, CHECKED).update(message="all is well"),
        lambda it: it["contract"]["digests"].update({"rules/rest.toml": "0" * 64}),
        lambda it: it["suite"].update(version="0.0.1"),
        lambda it: it["checks"].pop(),
        lambda it: it["partner"].update(url="https://another.example"),
        lambda it: it.update(finishedAt="2020-01-01T00:00:00.000Z"),
        lambda it: it["notes"].append("very good"),
    ],
)
def test_nothing_can_be_changed_after_it_was_signed(edit: Edit, tmp_path: Path) -> None:
    document = whole()
    path = written(tmp_path, document)
    edit(document)
    path.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
    found = verified(path, KEYS)
    assert not found.genuine
    assert found.lines()[0].startswith("not genuine: certificate.json is not the file that was signed: its SHA-256 is ")
    assert found.lines()[-1] == f"signed by key {KEY_ID}"


@pytest.mark.parametrize("more", [b" ", b"\n", b"{}", b"\0"])
def test_nothing_can_be_added_at_the_end(more: bytes, tmp_path: Path) -> None:
    path = written(tmp_path, part())
    path.write_bytes(path.read_bytes() + more)
    assert "not the file that was signed" in text(verified(path, KEYS))


def test_an_envelope_of_another_certificate_proves_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, part())
    envelope = (tmp_path / signing.ENVELOPE).read_bytes()
    written(tmp_path, whole())
    (tmp_path / signing.ENVELOPE).write_bytes(envelope)
    assert "not the file that was signed" in text(verified(path, KEYS))


def test_an_envelope_that_is_gone_is_missed(tmp_path: Path) -> None:
    path = written(tmp_path, part())
    (tmp_path / signing.ENVELOPE).unlink()
    found = verified(path, KEYS)
    assert found.lines()[0] == "not genuine: it says that it is signed, and there is no certificate.intoto.jsonl"
    assert "unsigned" in text(found)


def test_a_stranger_proves_nothing(tmp_path: Path) -> None:
    theirs = private(Ed25519PrivateKey.generate())
    found = verified(written(tmp_path, part(), theirs), KEYS)
    assert not found.genuine
    assert text(found).startswith(f"unknown key: it says that {signing.key_id(theirs)} signed it; keys given: {KEY_ID}")


def test_without_a_key_nothing_is_proven(tmp_path: Path) -> None:
    found = verified(written(tmp_path, part()), [])
    assert not found.genuine
    assert "pass --public-key=FILE" in text(found)


def test_a_stranger_who_names_our_key_in_the_certificate_is_found_out(tmp_path: Path) -> None:
    theirs = private(Ed25519PrivateKey.generate())
    path = written(tmp_path, part(), theirs)
    document = json.loads(path.read_text("utf-8"))
    document["signature"]["keyid"] = KEY_ID
    path.write_text(json.dumps(document) + "\n", encoding="utf-8")
    signing.sign(path, document, theirs)
    assert f"it says that it is signed by key {KEY_ID}, and the envelope names key" in text(verified(path, KEYS))


@pytest.mark.parametrize("member", ["predicateType", "_type", "subject", "result", "configuration", "passedTests"])
def test_a_statement_of_something_else_is_refused(member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the owner of the key: the signature is good, and what it is under is not what this suite states."""
    honest = signing.statement

    def other(*arguments: Any) -> dict[str, Any]:
        told = honest(*arguments)
        where = told if member in told else told["predicate"]
        where[member] = [{**each, "name": "x"} for each in where[member]] if member == "subject" else "WARNED"
        return told

    monkeypatch.setattr(signing, "statement", other)
    path = written(tmp_path, part())
    monkeypatch.undo()
    found = verified(path, KEYS)
    assert not found.genuine
    assert f"{member} is not what the certificate" in text(found)


def test_a_payload_of_another_type_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "PAYLOAD_TYPE", "application/json")
    path = written(tmp_path, part())
    monkeypatch.undo()
    assert "its payloadType is not application/vnd.in-toto+json" in text(verified(path, KEYS))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_certificate_or_envelope_can_be_another(data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    if not path.exists():
        written(tmp_path, part())
    file = data.draw(st.sampled_from([path, tmp_path / signing.ENVELOPE]))
    before = file.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    flip = data.draw(st.integers(1, 255))
    file.write_bytes(before[:at] + bytes([before[at] ^ flip]) + before[at + 1 :])
    try:
        found = verified(path, KEYS)
        assert not found.genuine
        assert found.lines()
    except BadReport:
        pass
    finally:
        file.write_bytes(before)


# Whatever it is given


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format": NaN}', "NaN is no number"),
        (b'{"format": 1e999}', "a number is too large"),
        (b'{"format": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b'{"a": 1, "a": 2}', "the same member twice"),
        (b"null", "is no certificate of the format"),
        (b'{"format": "dojo-epos-conformance/certificate/1"}', "is no certificate: at $"),
    ],
)
def test_what_is_no_certificate_is_one_line(
    data: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "certificate.json").write_bytes(data)
    assert main(["verify", str(tmp_path)]) == 4
    written = capsys.readouterr()
    assert written.out == ""
    assert said in written.err
    assert written.err.count("\n") == 1


def test_a_member_that_is_there_twice_is_refused_whatever_the_digest(tmp_path: Path) -> None:
    """Readers that take the first and those that take the last would see two certificates."""
    path = written(tmp_path, part())
    data = path.read_bytes()
    path.write_bytes(b'{"verdict": "not-conformant", ' + data[1:])
    signing.sign(path, part(), PEM)
    with pytest.raises(BadReport, match="the same member twice"):
        verified(path, KEYS)


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "nowhere")]) == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_words_of_the_partner_reach_no_terminal_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = part()
    hostile = "\x1b[2J\nGENUINE \ud800 \u202e" + "x" * 10_000
    document["checks"][0].update(outcome="not-offered", message=hostile)
    conclude(document)
    written(tmp_path, document)
    assert main(["verify", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "\\x1b[2J\\nGENUINE" in shown
    assert all(each.isprintable() or each == "\n" for each in shown)
    assert max(map(len, shown.splitlines())) < 400


NODES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**80), 2**80), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5), st.sampled_from(["rest", "9999-99-99", "\ud800", "0000-01-01T", [], {}, [{}], {"a": []}]),
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_certificate_is_refused_or_judged(data: st.DataObject, tmp_path: Path) -> None:
    document = part()
    node: Any = document
    while True:
        places = list(node) if isinstance(node, dict) else range(len(node))
        place = data.draw(st.sampled_from(list(places)))
        if isinstance(node[place], (dict, list)) and node[place] and data.draw(st.integers(0, 4)):
            node = node[place]
            continue
        node[place] = data.draw(NODES)
        break
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8", errors="backslashreplace")
    (tmp_path / signing.ENVELOPE).unlink(missing_ok=True)
    with contextlib.suppress(BadReport):
        assert verified(path, KEYS).lines()


# Real runs


def consistent(run: Run) -> list[str]:
    """What there is to say against the certificate of *run*; it is unsigned."""
    return verified(run.folder / "reports" / "certificate.json", []).faults


@pytest.mark.parametrize(
    "arguments",
    [
        ("--partner-url=reference", "-k", "ListAreas or keeps-concurrent or capability-not-offered"),
        ("--partner-url=reference", "--capabilities=ListAreas,SearchTables", "-k", "journeys or HandleEvent or areas"),
        ("--partner-url=reference", "--read-only", "-k", "SearchTables or CreateOrder or capability-not-offered"),
        ("--partner-url=reference", "--dojo-api=sandbox", "-k", "registration or ListAreas"),
        ("--partner-url=reference", "--dojo-api=sandbox", "--no-flows", "-k", "registration or flows"),
        ("--partner-url=reference", "--depth=0", "-k", "unusual and CreateParty"),
        ("--partner-url=reference", "-m", "rest", "-n", "2", "-k", "ListAreas"),
        ("--partner-url=http://127.0.0.1:9",),
        ("--partner-url=http://127.0.0.1:9", "--capabilities=ListAreas"),
        ("--partner-ws=127.0.0.1:0", "--partner-ws-timeout=0.5"),
    ],
    ids=["part", "claimed", "read-only", "dojo", "no-flows", "depth", "workers", "unreachable", "claims", "nobody"],
)
def test_the_certificate_of_any_run_is_consistent(arguments: tuple[str, ...], tmp_path: Path) -> None:
    run = run_suite(tmp_path, *arguments, "-q")
    assert run.certificate["checks"]
    assert consistent(run) == []


class Till(Listening):
    """
    The reference EPOS, where it is the suite that dials.
    """

    async def _talk(self, connection: ServerConnection) -> None:
        epos, _ = faults.build([], [])
        await faults.build_socket(epos, [], [], url="").attend(connection)  # type: ignore[arg-type] # either side's


def test_the_certificate_of_a_session_that_was_dialled_is_consistent(tmp_path: Path) -> None:
    with Till().open() as till:
        run = run_suite(tmp_path, f"--partner-url={till.url}", "-k", "ws. or ListAreas", "-q")
    assert run.certificate["partner"]["transports"] == ["ws"]
    assert len(run.checks("conforms")) > 20
    assert consistent(run) == []


def test_the_certificate_of_a_whole_run_is_genuine(tmp_path: Path) -> None:
    """Over REST, where an EPOS costs the least to examine."""
    _, shell = faults.build([], [])
    with launch.in_thread(shell) as running:
        run = run_suite(
            tmp_path,
            f"--partner-url={running.url}",
            f"--partner-auth={running.auth}",
            "--capabilities=ListAreas",
            "-q",
            environment={"EPOS_SIGNING_KEY": PEM},
        )
    found = verified(tmp_path / "reports" / "certificate.json", KEYS)
    assert found.genuine, run.output
    assert found.granted
    assert f"{len(_expected.names(['rest']))} checks, all that version" in text(found)
