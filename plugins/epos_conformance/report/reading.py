"""
Certificates as they are found on disk.
"""

from __future__ import annotations

import argparse
import contextlib
import json

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from epos_conformance import _certificate, _suite, schema
from epos_conformance._settings import REFERENCE, Listen


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


#: Who was checked: the addresses of REST and of the session, the POS and the partner file, as far as they were named.
Partner = tuple[str | None, str | None, str | None, str | None]


def partner(document: Document) -> Partner:
    """Who was checked: what the user named, as the addresses themselves may be new in each run."""
    return named(document["settings"], document["partner"]["pos"])


def named(settings: Mapping[str, Any], pos: Mapping[str, str]) -> Partner:
    """The partner that *settings* (a certificate's) and its *pos* name."""
    file = _first(settings.get("partner"))
    # Several may dial the same port, one after the other; and shards may run on different machines.
    name = Path(file).name if file else None
    return _first(settings.get("partner-url")), _first(settings.get("partner-ws")), pos.get("name"), name


def _first(value: Any) -> str | None:
    """A setting, or the first of what several runs had."""
    if isinstance(value, list):
        value = next((each for each in value if each is not None), None)
    return None if value is None else str(value)


def same(one: Partner, other: Partner) -> bool:
    """
    Whether *one* is *other*, at the same addresses.

    Where the address is one of the partner's own, a POS or a file that is named for the first time makes it no other;
    a port that tills dial says nothing of who they are.
    """
    if one[:2] != other[:2]:
        return False
    alike = (a == b or (None in (a, b) and _own(one)) for a, b in zip(one[2:], other[2:], strict=True))
    return all(alike)


def _own(partner: Partner) -> bool:
    """Whether one of the addresses of *partner* is at a machine of its own."""
    for address in partner[:2]:
        with contextlib.suppress(ValueError):
            host = urlsplit(address or "").hostname
            if host and not Listen(host, 0).loopback:
                return True
    return False


Known = TypeVar("Known")


def grouped(documents: Mapping[Known, Document]) -> list[list[Known]]:
    """
    Which of *documents* are about the same partner, in their order.

    A partner that is named, as a POS or by its file, and that one run examined over REST and another over a session is
    one, unless the same name goes with several addresses.
    """
    partners = {each: partner(document) for each, document in documents.items()}
    by_name: dict[tuple[str | None, ...], set[Partner]] = {}
    for each in partners.values():
        by_name.setdefault(each[2:], set()).add(each)
    joined = {name for name, found in by_name.items() if any(name) and _joined(found)}
    groups: dict[tuple[str | None, ...], list[Known]] = {}
    for key, each in partners.items():
        groups.setdefault(each[2:] if each[2:] in joined else each, []).append(key)
    return list(groups.values())


def _joined(partners: Collection[Partner]) -> bool:
    """Whether *partners* of one name are one, each transport with at most one address."""
    rest, session = ({each[place] for each in partners} - {None} for place in (0, 1))
    # The suite's own EPOS is whatever it is started for.
    return len(rest) <= 1 and len(session) <= 1 and REFERENCE not in rest


def complete(document: Document) -> bool:
    """Whether every check of the run was selected, and ran."""
    selection = document["selection"]
    return bool(selection["complete"]) and not selection["interrupted"] and not any(map(not_run, document["checks"]))


def not_run(check: Mapping[str, Any]) -> bool:
    """Whether *check* was selected and its turn never came: the run ended before, or its process did."""
    return bool(check.get("cause") == "not-run")


def title(document: Document) -> str:
    """The partner, as people call it."""
    url, session, pos, file = partner(document)
    where = " and ".join(each for each in (url, session) if each)
    called = pos or (file.removesuffix(".toml") if file else None)
    return f"{called} ({where})" if called else where
