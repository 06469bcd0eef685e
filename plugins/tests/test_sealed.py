"""
An envelope is opened as it was written and signed, or not at all.
"""

from __future__ import annotations

import base64
import json

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from epos_conformance.report import sealed, signing
from epos_conformance.report.cli import main
from epos_conformance.report.reading import BadReport
from epos_conformance.report.verifying import verified

from .signed import (
    KEY,
    KEYS,
    PEM,
    part,
    public,
    text,
    written,
)


def payload(envelope: dict[str, Any], **members: Any) -> str:
    """The payload of *envelope* with other *members*."""
    told = {**json.loads(base64.b64decode(envelope["payload"])), **members}
    return base64.b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()


def forge(it: dict[str, Any]) -> None:
    """Sign anew with another key, under the id of ours."""
    theirs = Ed25519PrivateKey.generate()
    body = base64.b64decode(it["payload"])
    type = it["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(type), type, len(body), body)
    it["signatures"][0]["sig"] = base64.b64encode(theirs.sign(signed)).decode()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda it: it.update(payload=payload(it, subject=[])), "the signature is wrong"),
        (lambda it: it.update(payload=payload(it, predicate={"result": "PASSED"})), "the signature is wrong"),
        (lambda it: it.update(payload=base64.b64encode(b"no JSON").decode()), "the signature is wrong"),
        (lambda it: it.update(payload="%%%"), "not base64"),
        (lambda it: it.update(payload=it["payload"] + "="), "not base64"),
        (lambda it: it.update(payload=7), "no text"),
        (lambda it: it.update(payloadType="text/plain"), "the signature is wrong"),
        (lambda it: it.update(payloadType=None), "no text"),
        (lambda it: it["signatures"][0].update(keyid="0" * 64), "unknown key"),
        (lambda it: it["signatures"][0].update(sig="AAAA"), "the signature is wrong"),
        (lambda it: it["signatures"][0].update(sig=""), "the signature is wrong"),
        (lambda it: it["signatures"][0].update(sig="\ud800"), "not base64"),
        (lambda it: it["signatures"][0].update(sig=None), "no text"),
        (lambda it: it["signatures"][0].update(more=1), "not keyid and sig"),
        (lambda it: it["signatures"].append(it["signatures"][0]), "not exactly one signature"),
        (lambda it: it["signatures"].append({"keyid": "x", "sig": "AAAA"}), "not exactly one signature"),
        (lambda it: it["signatures"].clear(), "not exactly one signature"),
        (lambda it: it.update(signatures={}), "not exactly one signature"),
        (lambda it: it.update(signatures=[[]]), "not keyid and sig"),
        (lambda it: it.pop("signatures"), "not payload, payloadType and signatures"),
        (lambda it: it.update(more={}), "not payload, payloadType and signatures"),
        (forge, "the signature is wrong"),
    ],
)
def test_an_envelope_that_was_altered_is_refused(
    edit: Callable[[dict[str, Any]], object], said: str, tmp_path: Path
) -> None:
    path = written(tmp_path, part())
    file = tmp_path / signing.ENVELOPE
    envelope = json.loads(file.read_text("ascii"))
    edit(envelope)
    file.write_text(json.dumps(envelope, separators=(",", ":")) + "\n", encoding="ascii")
    found = verified(path, KEYS)
    assert not found.genuine
    assert said in text(found)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data + data, "more than one line"),
        (lambda data: data + b"\n", "more than one line"),
        (lambda data: data[:-1], "laid out"),
        (lambda data: data + b" ", "laid out"),
        (lambda data: b" " + data, "laid out"),
        (lambda data: data[:-200], "not JSON"),
        (lambda _: b"", "not JSON"),
        (lambda data: b"\xff" + data, "not JSON"),
        (lambda _: b"[" * 100_000, "nested too deeply"),
        (lambda _: b"[]", "not payload"),
        (lambda data: b'{"payload":"","payload":"",' + data[1:], "same member twice"),
        (lambda _: b'{"payload":' + b"9" * 10_000 + b"}", "not JSON"),
        (lambda data: data.replace(b"payloadType", b"payloadTyp\\u0065", 1), "laid out"),
    ],
)
def test_an_envelope_that_is_none_is_refused(change: Callable[[bytes], bytes], said: str, tmp_path: Path) -> None:
    path = written(tmp_path, part())
    file = tmp_path / signing.ENVELOPE
    file.write_bytes(change(file.read_bytes()))
    found = verified(path, KEYS)
    assert not found.genuine
    assert said in text(found)


# Keys


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no public key in PEM"),
        (PEM, "is a private key"),
        (public(KEY)[:50], "no public key in PEM"),
        (None, "can't read the public key"),
    ],
)
def test_a_public_key_that_is_none_is_one_line(
    content: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, part())
    if content is not None:
        (tmp_path / "key.pub").write_text(content, encoding="ascii")
    assert main(["verify", str(tmp_path), "--public-key", str(tmp_path / "key.pub")]) == 4
    assert said in capsys.readouterr().err


def test_a_public_key_of_another_kind_is_one_line(tmp_path: Path) -> None:
    other: Any = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pub").write_text(public(other), encoding="ascii")
    with pytest.raises(BadReport, match="no Ed25519 key"):
        sealed.public_keys([tmp_path / "key.pub"])
