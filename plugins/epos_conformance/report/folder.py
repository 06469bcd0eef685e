"""
A folder of reports: the certificate first, then everything that is made of it.
"""

from __future__ import annotations

import contextlib
import os
import traceback

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from epos_conformance import _certificate
from epos_conformance._settings import SigningKey
from epos_conformance.report import reading
from epos_conformance.report.reading import NAME, Document, Partner


PAGE = "certificate.html"
#: The partner's last complete certificate before this one; its envelope, where it has one, is beside it.
PREVIOUS = "previous.json"
RESULTS = "allure-results"
ALLURE = "allure-report.html"
#: Of Allure's reports, a line for each run.
HISTORY = "history.jsonl"


class Reports:
    """
    What is written to the folder at *path*; certificates are signed with *key*, where there is one.
    """

    def __init__(self, path: Path, key: SigningKey | None = None) -> None:
        self._path = path
        self._key = key
        #: What was written, and what could not be, for the end of the output.
        self.lines: list[str] = []

    def previous(self, settings: Mapping[str, Any], pos: Mapping[str, str]) -> Document | None:
        """
        The last complete certificate of the partner that *settings* and *pos* (a certificate's) name; None where there
        is none. One of a read-only run is no measure where there is one of a full run.
        """
        about = reading.named(settings, pos)
        found = [each for name in (NAME, PREVIOUS) if (each := _complete(self._path / name, about)) is not None]
        return min(found, key=_read_only, default=None)

    def write(self, document: Document, previous: Document | None) -> None:
        """
        Write *document* as the certificate, its envelope and its page; what differs from *previous* is added to it.

        Raises OSError where the certificate can't be written; whatever else fails costs no more than itself.
        """
        from epos_conformance.report import difference, signing

        certificate, key = self._path / NAME, self._key
        document["signature"] = signing.state(key.id if key else None)
        if previous is not None:
            document["changes"] = difference.compare(previous, document).to_json()
        self._keep(reading.partner(document))
        _certificate.write(document, certificate)
        self.lines.append(f"certificate: {certificate}")
        # Of an earlier certificate: it would only accuse this one.
        (self._path / signing.ENVELOPE).unlink(missing_ok=True)
        if key is not None:
            self._make("signed", lambda: signing.sign(certificate, document, key.pem))
        self._make("page", lambda: self._page(document, certificate))

    def _keep(self, about: Partner) -> None:
        """Keep the certificate that is there as the previous one, with its envelope, where it is a measure."""
        from epos_conformance.report import signing

        certificate, previous = self._path / NAME, self._path / PREVIOUS
        last = _complete(certificate, about)
        if last is None:
            return
        if _read_only(last) and (kept := _complete(previous, about)) is not None and not _read_only(kept):
            return
        envelope = signing.beside(previous)
        # Of the one that goes: it would accuse the one that comes.
        envelope.unlink(missing_ok=True)
        certificate.replace(previous)
        with contextlib.suppress(FileNotFoundError):
            signing.beside(certificate).replace(envelope)

    def tell_allure(self, results: Path, documents: Document | Sequence[Document]) -> None:
        """Complete Allure's *results* by what *documents*, the certificates of their runs, say of these as a whole."""

        def tell() -> Path:
            from epos_conformance.report import allure_about

            allure_about.about(results, documents, os.environ)
            return results

        self._make("Allure results", tell)

    def make_allure(self, results: Path, say: Callable[[str], None]) -> None:
        """Have Allure make its own report of *results*; *say* tells of what takes a while."""

        def make() -> Path:
            from epos_conformance.report import allure_html

            return allure_html.generate(results, self._path / ALLURE, history=self._path / HISTORY, say=say)

        self._make("Allure report", make)

    def _page(self, document: Document, certificate: Path) -> Path:
        from epos_conformance.report import page

        path = self._path / PAGE
        page.write_for(certificate, document, path)
        return path

    def _make(self, what: str, make: Callable[[], Path]) -> None:
        """Have something made; the certificate is there already, whatever goes wrong."""
        try:
            self.lines.append(f"{what}: {make()}")
        except reading.BadReport as error:
            self.lines.append(f"{what}: {error}")
        except OSError as error:
            self.lines.append(f"{what}: could not be written: {error.strerror or error}")
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            self.lines.append(f"{what}: fault of the suite: {type(error).__name__}: {error} ({place})")


def _complete(path: Path, about: Partner) -> Document | None:
    """The certificate at *path*, where it is a whole one of the partner *about*."""
    try:
        found = reading.read(path) if path.is_file() else None
    except reading.BadReport:
        return None  # not ours: nothing to compare with
    if found is None or not reading.same(reading.partner(found), about):
        return None
    return found if reading.complete(found) else None


def _read_only(document: Document) -> bool:
    """Whether nothing that changes something was examined; of merged runs, in none of them."""
    return document["settings"].get("read-only") is True
