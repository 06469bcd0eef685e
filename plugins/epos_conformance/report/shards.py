"""
The certificates that are merged: what is signed anew was looked at before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from epos_conformance._settings import SigningKey
from epos_conformance.report import reading
from epos_conformance.report.reading import BadReport, Document


if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey


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
        document, seal = verifying.trustworthy(file, self._keys, to_sign=self.key is not None)
        if self._signed_only and (seal is None or not seal.good):
            raise BadReport(f"{file} is not signed by any of the public keys that were given")
        return document


def _public_keys(key: SigningKey | None, trusted: Sequence[Path]) -> list[SSlibKey]:
    """Those in the files *trusted*, and the one that belongs to *key*: shards are signed with the same, mostly."""
    from epos_conformance.report import sealed, signing

    # Costly to import, and mostly there are none.
    found = sealed.public_keys(trusted) if trusted else []
    return found if key is None else [*found, signing.public_key(key.pem)]
