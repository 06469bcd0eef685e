"""
The certificates that are merged: what is signed anew was looked at before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from epos_conformance import _suite
from epos_conformance._settings import SigningKey
from epos_conformance.report import reading
from epos_conformance.report.reading import BadReport, Document


if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey


#: Characters told of what is wrong.
_LONG = 300


class Shards:
    """
    Certificates to be merged, and signed with *key*, where there is one; of those that the keys in the files *trusted*
    signed, where there are any. Raises `BadReport` where a file holds no key.
    """

    def __init__(self, key: SigningKey | None = None, trusted: Sequence[Path] = ()) -> None:
        self.key = key
        self._signed_only = bool(trusted)
        self._keys = _public_keys(key, trusted)

    def read(self, folder: Path) -> Document:
        """
        The certificate in *folder*. Raises `BadReport` where it is altered or contradicts itself: the signature under
        the whole would cover it up.
        """
        # Costly to import.
        from epos_conformance.report import verifying

        file = folder / reading.NAME
        found = verifying.verified(file, self._keys)
        if found.faults:
            more = f" (and {len(found.faults) - 1} reasons more)" if len(found.faults) > 1 else ""
            raise BadReport(f"{file} is not genuine: {_plain(found.faults[0])}{more}")
        assert found.document is not None, "what can't be read is a fault"
        suite = found.document["suite"]
        if self.key is not None and found.rederived is None:
            raise BadReport(
                f"{file} was made by version {_plain(suite['version'])} of the suite, and this is {_suite.version()}: "
                "sign it with that version, which knows the checks"
            )
        if self._signed_only and (found.seal is None or not found.seal.good):
            raise BadReport(f"{file} is not signed by any of the public keys that were given")
        return found.document


def _public_keys(key: SigningKey | None, trusted: Sequence[Path]) -> list[SSlibKey]:
    """Those in the files *trusted*, and the one that belongs to *key*: shards are signed with the same, mostly."""
    if not trusted and key is None:
        return []
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import SSlibKey

    from epos_conformance.report import sealed

    found = sealed.public_keys(trusted)
    if key is not None:
        private = load_pem_private_key(key.pem.encode("ascii"), password=None)
        assert isinstance(private, Ed25519PrivateKey), "as it was read"
        found.append(SSlibKey.from_crypto(private.public_key()))
    return found


def _plain(text: str) -> str:
    """*text*, which may be the partner's, in one line that a terminal can be trusted with."""
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text[:_LONG])
    return shown if len(text) <= _LONG else f"{shown}…"
