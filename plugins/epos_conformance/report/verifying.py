"""
Whether a certificate is genuine: signed by a key that is trusted, unaltered since, and what its own facts amount to.
"""

from __future__ import annotations

import argparse
import hashlib

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from epos_conformance import _certificate, _suite, schema
from epos_conformance._console import say
from epos_conformance.report import reading, sealed, signing
from epos_conformance.report.reading import BadReport, Commands, Document
from epos_conformance.report.summary import granted


if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

    from epos_conformance.report.rederiving import Rederived


#: Reasons that are told one by one, and characters of each.
_MOST = 20
_LONG = 300


def declare(commands: Commands) -> None:
    """Declare ``epos-report verify``."""
    parser = commands.add_parser(
        "verify",
        help="tell a genuine certificate from an altered one",
        description="Exit status: 0 the certificate is genuine, 1 it is not or nobody can tell, 4 there is none.",
    )
    parser.add_argument("certificate", type=Path, metavar="FOLDER", help="of results, or a certificate in a file")
    parser.add_argument(
        "--public-key", type=Path, action="append", default=[], metavar="FILE", help="of who may sign; repeatable"
    )
    parser.add_argument(
        "--granted",
        action="store_true",
        help="exit 1 also where the certificate is refused or not proven, or something that was offered was left out",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    keys = sealed.public_keys(options.public_key)
    path: Path = options.certificate
    found = verified(path / reading.NAME if path.is_dir() else path, keys)
    for line in found.lines():
        say(_plain(line))
    return 0 if found.genuine and (found.granted or not options.granted) else 1


@dataclass(slots=True, kw_only=True)
class Verified:
    """
    What was found out about a certificate.
    """

    #: None where it can't be read, and a signature shows that it could be once.
    document: Document | None
    #: The envelope; None where there is none, or none that can be believed.
    seal: sealed.Seal | None = None
    unsigned: bool = False
    #: Ids of the keys that were given.
    trusted: Sequence[str] = ()
    #: What is wrong with it.
    faults: list[str] = field(default_factory=list)
    #: None where another version of the suite has to tell.
    rederived: Rederived | None = None

    @property
    def genuine(self) -> bool:
        """Whether it is signed by a key that is trusted, and all is as it had to be."""
        return not self.faults and self.rederived is not None and self.seal is not None and self.seal.good

    @property
    def granted(self) -> bool:
        """
        Whether its verdict, and that of each product that was asked for, grants the certificate, over all checks: none
        was left out, spared or switched off.
        """
        if self.rederived is None or self.document is None or self.document["selection"]["interrupted"]:
            return False
        found = self.rederived
        if (
            found.there < found.asked
            or found.spared
            or found.switched_off
            or not self.document["partner"]["capabilities"]
        ):
            return False
        asked = self.document["partner"]["products"]
        products = [each for each in self.document["products"] if each["name"] in asked]
        return granted(self.document) and all(map(granted, products))

    def lines(self) -> list[str]:
        """What is to be said, the worst first."""
        if self.genuine:
            assert self.seal is not None
            return [f"genuine: signed by key {self.seal.keyid}; {self._extent()}"]
        found = [f"not genuine: {each}" for each in self.faults[:_MOST]]
        if len(self.faults) > _MOST:
            found.append(f"not genuine: {len(self.faults) - _MOST} reasons more")
        if self.document is not None and self.rederived is None and not self._same_version:
            told = self.document["suite"]["version"]
            found.append(
                f"not verified: made by version {told} of the suite, and this is {_suite.version()}: verify it with "
                "that version"
            )
        if self.unsigned:
            found.append("unsigned: nothing proves who made it")
        elif self.seal is not None and self.seal.good:
            found.append(f"signed by key {self.seal.keyid}")
        elif self.seal is not None and not self.seal.known:
            given = ", ".join(self.trusted) or "none: pass --public-key=FILE"
            found.append(f"unknown key: it says that {self.seal.keyid} signed it; keys given: {given}")
        if self.rederived is not None and not self.faults:
            found.append(f"consistent in itself: {self._extent()}")
        return found

    @property
    def _same_version(self) -> bool:
        return self.document is not None and self.document["suite"] == {
            "name": _suite.NAME,
            "version": _suite.version(),
        }

    def _extent(self) -> str:
        """The verdict, and of how many checks it is one."""
        assert self.document is not None
        assert self.rederived is not None
        there, asked = self.rederived.there, self.rederived.asked
        more = "; THE RUN WAS INTERRUPTED" if self.document["selection"]["interrupted"] else ""
        if spared := self.rederived.spared:
            more += f"; READ-ONLY, WITHOUT {spared} CHECKS THAT MAY CHANGE SOMETHING"
        if off := self.rederived.switched_off:
            more += f"; WITHOUT {off} CHECKS THAT WERE SWITCHED OFF"
        if there < asked:
            return f"A VERDICT ON {there} OF {asked} CHECKS: {self.document['verdict']}{more}"
        version = self.document["suite"]["version"]
        return f"{self.document['verdict']}; {there} checks, all that version {version} asks{more}"


def verified(file: Path, keys: Sequence[SSlibKey]) -> Verified:
    """
    What there is to say of the certificate *file* and the envelope beside it, where *keys* are trusted.

    Raises `BadReport` where there is no certificate at all.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadReport(f"can't read {file}: {error.strerror}") from None
    found = Verified(document=None, trusted=[each.keyid for each in keys])
    digest = hashlib.sha256(data).hexdigest()
    _look_at_envelope(found, file, digest, keys)
    try:
        found.document = document = _read(file, data)
    except BadReport as error:
        if not found.faults:
            raise
        found.faults.append(str(error))
        return found
    _compare_signature(found, document, digest)
    if found._same_version:
        from epos_conformance.report.rederiving import rederive

        found.rederived = rederive(document)
        found.faults += found.rederived.faults
    return found


def trustworthy(
    file: Path, keys: Sequence[SSlibKey] = (), *, to_sign: bool = True
) -> tuple[Document, sealed.Seal | None]:
    """
    The certificate *file*, which somebody is about to sign or to merge, and what its envelope amounts to.

    Raises `BadReport` where it was altered or contradicts itself, and *to_sign* also where this version can't tell: a
    signature would cover it up. Where it is signed already, by one of *keys* that signature is verified, too.
    """
    found = verified(file, keys)
    if found.faults:
        more = f" (and {len(found.faults) - 1} reasons more)" if len(found.faults) > 1 else ""
        raise BadReport(f"{file} is not genuine: {_plain(found.faults[0])}{more}")
    assert found.document is not None, "what can't be read is a fault"
    if to_sign and found.rederived is None:
        told = found.document["suite"]["version"]
        raise BadReport(
            f"{file} was made by version {_plain(told)} of the suite, and this is {_suite.version()}: sign it with "
            "that version, which knows the checks"
        )
    return found.document, found.seal


def _look_at_envelope(found: Verified, file: Path, digest: str, keys: Sequence[SSlibKey]) -> None:
    """Open the envelope beside *file*, whose SHA-256 is *digest*, and see whether it is about that."""
    path = signing.beside(file)
    try:
        sealing = path.read_bytes()
    except FileNotFoundError:
        found.unsigned = True
        return
    except OSError as error:
        found.faults.append(f"the envelope can't be read: {error.strerror}")
        return
    try:
        found.seal = seal = sealed.opened(sealing, keys)
    except sealed.Broken as error:
        found.faults.append(f"{path.name} is no envelope that was signed so: {error}")
        return
    if seal.known and not seal.good:
        found.faults.append(f"{path.name} was altered, or key {seal.keyid} never signed it: the signature is wrong")
    elif _subject(seal.statement) != digest:
        found.faults.append(f"{file.name} is not the file that was signed: its SHA-256 is {digest}")


def _subject(statement: Any) -> str | None:
    """The SHA-256 of what *statement*, whatever it is, is about."""
    try:
        (subject,) = statement["subject"]
        return str(subject["digest"]["sha256"])
    except (LookupError, TypeError, ValueError):
        return None


def _compare_signature(found: Verified, document: Document, digest: str) -> None:
    """What the certificate says of its signature is so, and the statement is what it would be signed with now."""
    told = document.get("signature", {"state": "unsigned"})
    if found.unsigned:
        if told["state"] == "signed":
            found.faults.append(f"it says that it is signed, and there is no {told.get('envelope', 'envelope')}")
        return
    seal = found.seal
    if seal is None:
        return
    if (told["state"], told.get("keyid")) != ("signed", seal.keyid):
        said = f"signed by key {told.get('keyid')}" if told["state"] == "signed" else "unsigned"
        found.faults.append(f"it says that it is {said}, and the envelope names key {seal.keyid}")
    # Where it is about another file, all else would differ as well.
    if _subject(seal.statement) == digest:
        found.faults += _differences(seal.statement, signing.statement(document, digest))


def _differences(told: Any, ours: dict[str, Any]) -> list[str]:
    """Where the statement *told* is not *ours*, but for the address of the run, which nothing here proves."""
    predicate = told.get("predicate")
    if not isinstance(predicate, dict):
        return ["the statement has no predicate"]
    url = predicate.get("url", "")
    stated = {**told, "predicate": {name: each for name, each in predicate.items() if name != "url"}}
    faults = [] if isinstance(url, str) else ["the statement: predicate.url is no text"]
    for name in sorted(stated.keys() | ours.keys()):
        if name != "predicate" and stated.get(name) != ours.get(name):
            faults.append(f"the statement: {name} is not what the certificate is signed with")
    mine = ours["predicate"]
    for name in sorted(stated["predicate"].keys() | mine.keys()):
        if stated["predicate"].get(name) != mine.get(name):
            faults.append(f"the statement: predicate.{name} is not what the certificate says")
    return faults


def _read(file: Path, data: bytes) -> Document:
    try:
        document = sealed.exact(data)
    except ValueError as error:
        raise BadReport(f"{file} is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != _certificate.FORMAT:
        raise BadReport(f"{file} is no certificate of the format {_certificate.FORMAT}")
    try:
        wrong = schema.problems(_suite.read_json(_suite.REPORTS / "certificate.schema.json"), document)
    except (ValueError, OverflowError, RecursionError) as error:
        raise BadReport(f"{file} is no certificate: {error}") from None
    if wrong:
        raise BadReport(f"{file} is no certificate: at {wrong[0].where}: {wrong[0].message}")
    return document


def _plain(text: str) -> str:
    """*text*, which may be the partner's, in one line that a terminal can be trusted with."""
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    return shown if len(shown) <= _LONG else f"{shown[:_LONG]}…"
