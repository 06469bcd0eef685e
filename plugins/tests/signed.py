"""
Certificates to sign, and a key to sign them with.
"""

from __future__ import annotations

import copy
import functools
import json

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from securesystemslib.signer import SSlibKey

from epos_conformance import _certificate, _expected
from epos_conformance._checks import Examination
from epos_conformance._record import Access, Plan, Record
from epos_conformance._settings import Listen, Settings
from epos_conformance.report import signing
from epos_conformance.report.verifying import Verified
from epos_conformance.verdict import Outcome, Result


#: A check that `made` has by default, and one of what is not offered there.
CHECKED = "rest-SearchTables.answer-matches-schema@minimal"
FOREIGN = "rest-CreateOrder.answer-matches-schema@minimal"

Document = dict[str, Any]

URL = "http://till.example"

NO_DOJO = "not examined: there is no Dojo API in this run; pass --dojo-api=sandbox, or a key for Dojo's own"

EXCHANGE = {
    "capability": None,
    "transport": "rest",
    "request": {"method": "GET", "url": "/v1/areas"},
    "answer": {"status": 200},
    "duration": 0.01,
}


def private(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = private(KEY)
KEY_ID = signing.key_id(PEM)
#: What somebody who trusts it verifies with.
KEYS = [SSlibKey.from_crypto(KEY.public_key())]


def made(
    transports: Iterable[str] = ("rest",),
    *,
    only: str = "",
    offered: Iterable[str] = ("ListAreas", "SearchTables"),
    change: Mapping[str, Mapping[str, Any]] | None = None,
    **settings: Any,
) -> Document:
    """
    The certificate of a run in which every check of what is *offered* conforms, but for the members that *change* has
    for a check of that name; with *only* of those that have it in their name, where not all were selected.
    """
    names = tuple(offered)
    reached: dict[str, dict[str, Any]] = {"rest": {"url": URL}, "ws": {"ws": Listen("127.0.0.1", 8765)}}
    for transport in transports:
        settings = {**reached[transport], **settings}
    plan = Plan({each: Access(URL, offered=names) for each in transports}, "", None, NO_DOJO)
    record = Record(Settings(**{"capabilities": names, **settings}), plan)
    examinations = _expected.examinations(transports)
    for name, each in examinations.items():
        if only in name:
            ended = {**_ended(each, names), **(change or {}).get(name, {})}
            record.results[name] = Result(
                id=each.rule.id,
                case=each.case,
                capability=each.capability.name if each.capability else None,
                page=each.rule.page,
                transport=each.transport,
                level=each.rule.level,
                basis=each.rule.basis,
                sentence=each.rule.sentence,
                source=each.rule.sources,
                **ended,
            )
    record.deselected = len(examinations) - len(record.results)
    document = {**_certificate.build(record, interrupted=False).document, "signature": signing.state(None)}
    found: Document = json.loads(json.dumps(document))
    return found


def _ended(examination: Examination, offered: Iterable[str]) -> dict[str, Any]:
    """How the check of *examination* ends at a partner without a fault."""
    capability = examination.capability
    if capability is not None and capability.name not in offered:
        return {"outcome": Outcome.NOT_OFFERED, "message": f"{capability.name} isn't claimed"}
    if examination.transport == "dojo":
        return {"outcome": Outcome.NOT_OFFERED, "message": NO_DOJO}
    return {"outcome": Outcome.CONFORMS, "exchanges": [EXCHANGE]}


def whole() -> Document:
    """The certificate of a whole run, for the caller alone."""
    return copy.deepcopy(_whole())


def part() -> Document:
    """The certificate of a few checks, for the caller alone: small, for those who look at many."""
    return copy.deepcopy(_part())


@functools.cache
def _whole() -> Document:
    return made()


@functools.cache
def _part() -> Document:
    return made(only="ListAreas.answer")


def written(folder: Path, document: Document, pem: str | None = PEM) -> Path:
    """*document* in a file of *folder*, signed with *pem*."""
    path = folder / "certificate.json"
    id = signing.key_id(pem) if pem is not None else None
    document["signature"] = signing.state(id)
    text = json.dumps(document, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    if pem is not None:
        signing.sign(path, document, pem)
    return path


def entry(document: Document, name: str = CHECKED) -> dict[str, Any]:
    """The check of that *name* in *document*."""
    found: dict[str, Any]
    (found,) = [each for each in document["checks"] if _certificate.result(each).name == name]
    return found


def text(found: Verified) -> str:
    return "\n".join(found.lines())


def conclude(document: Document) -> None:
    """Have *document* conclude what its checks amount to, as somebody would who knows the suite."""
    results = [_certificate.result(each) for each in document["checks"]]
    offers = {
        transport: [each["name"] for each in document["capabilities"] if transport in each["transports"]]
        for transport in document["partner"]["transports"]
    }
    document.update(json.loads(json.dumps(_certificate.concluded(results, offers))))
