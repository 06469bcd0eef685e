"""
The envelope beside a certificate, opened: who signed what, and whether it is as it was signed.
"""

from __future__ import annotations

import json

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from epos_conformance.report import signing
from epos_conformance.report.reading import BadReport


if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey


class Broken(Exception):
    """
    A file that is no envelope as the suite writes it; the text is a fact about it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """
    What an envelope amounts to.
    """

    #: As the envelope has it: it is proven where `good` is true.
    keyid: str
    #: Whether that key is among those that were given.
    known: bool
    #: Whether it signed this envelope.
    good: bool
    #: The statement, as it is written; believe it where `good` is true.
    statement: Any


def public_keys(paths: Iterable[Path]) -> list[SSlibKey]:
    """
    The public keys in the files at *paths*. Raises `BadReport`.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    found = []
    for path in paths:
        try:
            data = path.read_bytes()
            key = load_pem_public_key(data)
        except OSError as error:
            raise BadReport(f"can't read the public key {path}: {error.strerror}") from None
        except (ValueError, UnsupportedAlgorithm):
            if b"PRIVATE KEY-----" in data:
                raise BadReport(f"{path} is a private key: a signature is verified with the public one") from None
            raise BadReport(f"{path} is no public key in PEM") from None
        if not isinstance(key, Ed25519PublicKey):
            raise BadReport(f"{path} is no Ed25519 key")
        found.append(SSlibKey.from_crypto(key))
    return found


def opened(data: bytes, keys: Sequence[SSlibKey]) -> Seal:
    """
    The envelope whose file holds *data*, its signature verified with the one of *keys* that it names.

    Raises `Broken` for everything but an envelope written as `signing.line` writes it: whatever was put into it or
    laid out anew, somebody has handled it.
    """
    from securesystemslib.exceptions import VerificationError

    envelope = _envelope(data)
    ((keyid, _),) = envelope.signatures.items()
    known = [each for each in keys if each.keyid == keyid]
    try:
        good = bool(known and envelope.verify([*known[:1]], 1))
    except VerificationError:
        good = False
    try:
        statement = exact(envelope.payload)
    except ValueError as error:
        if good:
            raise Broken(f"what it holds is no statement: {error}") from None
        statement = None
    if good and envelope.payload_type != signing.PAYLOAD_TYPE:
        raise Broken(f"its payloadType is not {signing.PAYLOAD_TYPE}")
    return Seal(keyid=keyid, known=bool(known), good=good, statement=statement)


def _envelope(data: bytes) -> Envelope:
    from securesystemslib.dsse import Envelope

    if data.count(b"\n") > 1:
        raise Broken("it has more than one line")
    try:
        told = exact(data)
    except ValueError as error:
        raise Broken(f"it is not JSON: {error}") from None
    if not isinstance(told, dict) or {*told} != {"payload", "payloadType", "signatures"}:
        raise Broken("its members are not payload, payloadType and signatures")
    signatures = told["signatures"]
    if not (isinstance(told["payload"], str) and isinstance(told["payloadType"], str)):
        raise Broken("its payload or payloadType is no text")
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise Broken("it has not exactly one signature")
    signature = signatures[0]
    if not isinstance(signature, dict) or {*signature} != {"keyid", "sig"}:
        raise Broken("the members of its signature are not keyid and sig")
    if not all(isinstance(each, str) for each in signature.values()):
        raise Broken("its keyid or signature is no text")
    try:
        envelope = Envelope.from_dict(told)
        same = signing.line(envelope) == data
    except ValueError:
        raise Broken("its payload or signature is not base64") from None
    if not same:
        raise Broken("it is laid out in another way than it is written in")
    return envelope


def exact(data: bytes) -> Any:
    """
    The JSON in *data*, UTF-8, with one meaning only: no member twice, no number that isn't one. Raises `ValueError`.
    """
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_number, parse_float=_number
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same member twice")
    return found


def _number(text: str) -> float:
    found = float(text)
    if found in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")
