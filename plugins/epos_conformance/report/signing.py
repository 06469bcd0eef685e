"""
Who made a certificate: an in-toto statement about it, in a DSSE envelope signed with an Ed25519 key.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from epos_conformance import _certificate
from epos_conformance._console import say
from epos_conformance._files import whole
from epos_conformance._settings import SigningKey
from epos_conformance.report import allure_ci, reading
from epos_conformance.report.reading import BadReport, Commands, Document
from epos_conformance.verdict import Outcome, Result, Verdict


if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey


#: The file beside the certificate.
ENVELOPE = "certificate.intoto.jsonl"

#: Of the envelope, of the statement in it, and of what that states.
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"

#: Where the key is, or its text, if no option names it.
ENVIRONMENT = "EPOS_SIGNING_KEY"

_RESULTS = {Verdict.CONFORMANT: "PASSED", Verdict.WITH_RECOMMENDATIONS: "WARNED"}


def declare(commands: Commands) -> None:
    """Declare ``epos-report keygen`` and ``epos-report sign``."""
    keygen = commands.add_parser("keygen", help="make a key to sign certificates with")
    keygen.add_argument("file", type=Path, metavar="FILE", help="for the private key; the public one is FILE.pub")
    keygen.set_defaults(run=_keygen)
    sign = commands.add_parser("sign", help="sign a certificate that is there already")
    sign.add_argument("folder", type=Path, metavar="FOLDER", help="of results")
    sign.add_argument(
        "--signing-key", metavar="FILE", help=f"Ed25519, PEM; else ${ENVIRONMENT} has the key or the name of its file"
    )
    sign.set_defaults(run=_sign)


def _keygen(options: argparse.Namespace) -> int:
    """Write a pair of keys and print the id that signatures carry."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from securesystemslib.signer import CryptoSigner

    private: Path = options.file
    public = private.with_name(f"{private.name}.pub")
    if taken := next((each for each in (private, public) if os.path.lexists(each)), None):
        raise BadReport(f"{taken} is there already, and a key is never overwritten")
    key = Ed25519PrivateKey.generate()
    made = CryptoSigner(key)
    # Whoever reads it can sign: nobody else may, not even for a moment.
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(made.private_bytes)
    with public.open("xb") as file:
        file.write(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    say(f"private key: {private} (keep it to yourself)")
    say(f"public key: {public}")
    say(f"key id: {made.public_key.keyid}")
    return 0


def _sign(options: argparse.Namespace) -> int:
    """Sign the certificate of a folder, which says so from then on; none that was altered or contradicts itself."""
    from epos_conformance.report.verifying import trustworthy

    named = options.signing_key or os.environ.get(ENVIRONMENT)
    if not named:
        raise BadReport(f"no key to sign with: pass --signing-key=FILE or set {ENVIRONMENT}")
    try:
        found = key(named)
    except ValueError as error:
        raise BadReport(str(error)) from None
    folder: Path = options.folder
    certificate = folder / reading.NAME if folder.is_dir() else folder
    named_so = {**state(found.id), "envelope": beside(certificate).name}
    document, _ = trustworthy(certificate, [public_key(found.pem)])
    document["signature"] = named_so
    # Of an earlier certificate: whatever happens now, it is not about this one.
    beside(certificate).unlink(missing_ok=True)
    _certificate.write(document, certificate)
    envelope = sign(certificate, document, found.pem)
    say(f"signed by key {found.id}: {envelope}")
    _tell_page(document, certificate)
    return 0


def _tell_page(document: Document, certificate: Path) -> None:
    """Have the page beside *certificate*, where there is one, tell of the signature, too."""
    from epos_conformance.report import page
    from epos_conformance.report.folder import PAGE

    path = certificate.with_name(PAGE)
    if path.exists() and certificate.name == reading.NAME:
        page.write_for(certificate, document, path)
        say(f"page: {path}")


def key(named: str) -> SigningKey:
    """
    The private key in the file *named*, or in the PEM text itself. Raises `ValueError` with one sentence.
    """
    try:
        pem = named if "-----BEGIN" in named else Path(named).read_text(encoding="utf-8")
        return SigningKey(pem=pem, id=key_id(pem))
    except OSError as error:
        raise ValueError(f"can't read the signing key {named}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"signing-key: {error}") from None


def key_id(pem: str) -> str:
    """
    The id that signatures with the private key *pem* carry. Raises `ValueError` with one sentence.
    """
    return public_key(pem).keyid


def public_key(pem: str) -> SSlibKey:
    """
    What verifies the signatures of the private key *pem*. Raises `ValueError` with one sentence.
    """
    return _signer(pem).public_key


def state(key_id: str | None) -> dict[str, str]:
    """What a certificate says of its signature with the key of that id; with none it is unsigned."""
    return {"state": "signed", "keyid": key_id, "envelope": ENVELOPE} if key_id else {"state": "unsigned"}


def beside(certificate: Path) -> Path:
    """Where the envelope of *certificate* is: ``certificate.json`` has ``certificate.intoto.jsonl`` beside it."""
    return certificate.with_name(f"{certificate.stem}.intoto.jsonl")


def sign(certificate: Path, document: Document, pem: str) -> Path:
    """
    Sign the file *certificate*, which holds *document*, with the private key *pem*; where the envelope is.

    It is written whole, or not at all. Raises `ValueError` where the key is none.
    """
    from securesystemslib.dsse import Envelope

    signer = _signer(pem)
    stated = statement(document, hashlib.sha256(certificate.read_bytes()).hexdigest(), run_url(os.environ))
    envelope = Envelope(json.dumps(stated, separators=(",", ":")).encode("ascii"), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    path = beside(certificate)
    with whole(path) as file:
        file.write(line(envelope).decode("ascii"))
    return path


def line(envelope: Envelope) -> bytes:
    """*envelope* as a file has it: one line of JSON without blanks."""
    return json.dumps(envelope.to_dict(), separators=(",", ":")).encode("ascii") + b"\n"


def run_url(environ: Mapping[str, str]) -> str | None:
    """The page of the build that *environ* tells of; None where it tells of none."""
    return (allure_ci.executor(environ) or {}).get("buildUrl")


def statement(document: Document, digest: str, url: str | None = None) -> dict[str, Any]:
    """
    The in-toto statement that *document*, in a file of the SHA-256 *digest*, is signed with.

    A must that is violated or not proven is a failed test; whatever else is amiss with what was examined is a warning.
    Tests are named as in `Result.name`, those of what isn't offered not at all.
    """
    suite, verdict = document["suite"], Verdict(document["verdict"])
    version = {
        "name": suite["name"],
        "uri": f"pkg:pypi/{quote(suite['name'], safe='')}@{quote(suite['version'], safe='')}",
        "annotations": {"version": suite["version"]},
    }
    files = [{"name": name, "digest": {"sha256": each}} for name, each in document["contract"]["digests"].items()]
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for each in map(_certificate.result, document["checks"]):
        if (kind := _kind(each)) is not None:
            tests[kind].append(each.name)
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": reading.NAME, "digest": {"sha256": digest}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _RESULTS.get(verdict, "FAILED"),
            "configuration": [version, *files],
            **({} if url is None else {"url": url}),
            **tests,
        },
    }


def _kind(result: Result) -> str | None:
    if result.outcome is Outcome.NOT_OFFERED:
        return None
    if result.refuses or result.unproven:
        return "failedTests"
    return "passedTests" if result.outcome is Outcome.CONFORMS else "warnedTests"


def _signer(pem: str) -> CryptoSigner:
    """
    What signs with the private key *pem*, Ed25519 in PKCS #8. Raises `ValueError` with one sentence.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        data = pem.encode("ascii")
    except UnicodeEncodeError:
        raise ValueError("this is no key in PEM: it has characters beyond ASCII") from None
    if b"-----BEGIN" not in data:
        raise ValueError("this is no key in PEM: it has no BEGIN line")
    if b"PRIVATE KEY-----" not in data and b"PUBLIC KEY-----" in data:
        raise ValueError("this is a public key: a certificate is signed with the private one")
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError:
        raise ValueError("this key is encrypted: it has to be readable without a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("this is no private key in PEM that can be read") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("this is no Ed25519 key: make one with epos-report keygen")
    return CryptoSigner(key)
