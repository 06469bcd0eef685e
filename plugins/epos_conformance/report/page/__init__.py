"""
The certificate page: everything in ``certificate.json`` on one page for people, in one file, without script or network.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

from epos_conformance import _suite
from epos_conformance._console import say
from epos_conformance._files import whole
from epos_conformance.report import reading
from epos_conformance.report.folder import PAGE
from epos_conformance.report.reading import BadReport, Commands


if TYPE_CHECKING:
    from jinja2 import Environment


TEMPLATES = _suite.REPORTS / "page"

Document = Mapping[str, Any]

_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def declare(commands: Commands) -> None:
    """Declare ``epos-report page``."""
    parser = commands.add_parser("page", help="write the certificate page again, from certificate.json")
    parser.add_argument(
        "folders", type=Path, nargs="*", metavar="FOLDER", help="of results, or with such folders in it (reports)"
    )
    parser.add_argument("--into", type=Path, metavar="FILE", help=f"({PAGE} beside the certificate)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """A page beside each certificate."""
    folders = reading.folders(options.folders or [Path("reports")])
    if options.into is not None and len(folders) > 1:
        raise BadReport(f"--into is for one certificate, and there are {len(folders)}")
    for folder in folders:
        path: Path = options.into or folder / PAGE
        write_for(folder / reading.NAME, reading.read(folder), path)
        say(str(path))
    return 0


def render(document: Document, out: TextIO, *, digest: str | None = None) -> None:
    """
    Write the page of the certificate *document* to *out*, part by part.

    *digest* is the SHA-256 of the ``certificate.json`` that it is of, as hex digits.
    """
    from epos_conformance.report.page import view

    _stream("certificate.html.j2", view.of(document, digest), out)


def write(document: Document, path: Path, *, digest: str | None = None) -> None:
    """
    Write the page of the certificate *document* to *path*: whole, or not at all.
    """
    with whole(path) as out:
        render(document, out, digest=digest)


def write_for(certificate: Path, document: Document, path: Path) -> None:
    """
    Write the page of the file *certificate*, which holds *document*, to *path*, with the digest of that file on it.
    """
    write(document, path, digest=hashlib.sha256(certificate.read_bytes()).hexdigest())


def index(entries: Iterable[tuple[Document, str]], path: Path) -> None:
    """
    Write a page to *path* that lists certificates: each *document* with the path of its page, seen from there.
    """
    from epos_conformance.report.page import view

    listed = [view.summary(document, quote(where)) for document, where in entries]
    with whole(path) as out:
        _stream("index.html.j2", {"entries": listed, "suite": {"name": _suite.NAME, "version": _suite.version()}}, out)


def _stream(template: str, context: Mapping[str, Any], out: TextIO) -> None:
    for part in _buffered(_environment().get_template(template).generate({**context, **_style()})):
        out.write(part)


def _buffered(parts: Iterator[str], most: int = 500) -> Iterator[str]:
    """*parts*, a few hundred of them at a time: each is a word or two."""
    some: list[str] = []
    for each in parts:
        some.append(each)
        if len(some) == most:
            yield "".join(some)
            some.clear()
    yield "".join(some)


@cache
def _style() -> Mapping[str, Any]:
    """The style sheet, and the policy that allows it and nothing else."""
    from markupsafe import Markup

    text = (TEMPLATES / "certificate.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return {"style": Markup(text), "policy": policy}  # noqa: S704 - our own file


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    from epos_conformance.report.page import words

    def shown(value: Any) -> Any:
        """What is written of *value*, before it is escaped: nothing in it is unseen."""
        return value if isinstance(value, (Markup, int, float)) else words.visible(str(value))

    def humps(name: str) -> Markup:
        """*name* with places to break it: before capitals."""
        return Markup("<wbr>").join(escape(words.visible(each)) for each in _HUMPS.split(name))

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(
        humps=humps,
        clip=words.clip,
        when=words.when,
        seconds=words.seconds,
        transport=words.transport,
        over=words.over,
        listed=words.listed,
        setting=words.setting,
    )
    found.globals["count"] = words.count
    return found
