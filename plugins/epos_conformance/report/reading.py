"""
Certificates as they are found on disk.
"""

from __future__ import annotations

import argparse
import json

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from epos_conformance import _certificate, _suite, schema


NAME = "certificate.json"

Document = dict[str, Any]

#: What a subcommand is declared with.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def take_folders(parser: argparse.ArgumentParser) -> None:
    """Have *parser* take folders of results."""
    parser.add_argument(
        "folders", type=Path, nargs="+", metavar="FOLDER", help="of results, or with such folders in it"
    )


class BadReport(Exception):
    """
    A folder or a file that is no report; the text is one sentence for the user.
    """


def read(path: Path) -> Document:
    """
    The certificate at *path*, or in that folder. Raises `BadReport`.
    """
    file = path / NAME if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadReport(f"can't read {file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadReport(f"{file} is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != _certificate.FORMAT:
        raise BadReport(f"{file} is no certificate of the format {_certificate.FORMAT}")
    if found := schema.problems(_suite.read_json(_suite.REPORTS / "certificate.schema.json"), document):
        raise BadReport(f"{file} is no certificate: at {found[0].where}: {found[0].message}")
    return document


def folders(paths: Iterable[Path]) -> list[Path]:
    """
    The folders with a certificate at *paths*, or in folders right below them. Raises `BadReport` where there is none.
    """
    found = []
    for path in paths:
        below = [path] if (path / NAME).is_file() else sorted(each.parent for each in path.glob(f"*/{NAME}"))
        if not below:
            raise BadReport(f"there is no {NAME} in {path}, nor in a folder below it")
        found += below
    return list(dict.fromkeys(found))


def partner(document: Document) -> tuple[str | None, ...]:
    """Who was checked: what the user named, as the addresses themselves may be new in each run."""
    settings = document["settings"]
    file = settings.get("partner")
    # Several may dial the same port, one after the other; and shards may run on different machines.
    named = Path(file).name if file else None
    return settings.get("partner-url"), settings.get("partner-ws"), document["partner"]["pos"].get("name"), named


def title(document: Document) -> str:
    """The partner, as people call it."""
    url, session, pos, file = partner(document)
    where = " and ".join(each for each in (url, session) if each)
    called = pos or (file.removesuffix(".toml") if file else None)
    return f"{called} ({where})" if called else where
