"""
Allure's own HTML of results, in one file that asks no network for anything: ``epos-report allure``.

The generator puts the analytics of its makers into every report, and has no switch for it: they are taken out, a
policy that allows no connection is put in, and where a trace is left the report is refused.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import os
import re
import sys
import tempfile

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from epos_conformance._console import say
from epos_conformance.report import allure, allure_about, allure_node, reading
from epos_conformance.report.allure_node import NoGenerator, Say
from epos_conformance.report.folder import ALLURE, HISTORY, RESULTS
from epos_conformance.report.reading import BadReport, Commands, Document


#: Runs that are remembered: a whole one adds two megabytes to the history, and five to the report.
_MOST_REMEMBERED = 10

#: What a report is called, and the lines of the environment that tell the verdicts, of each partner where there are
#: several.
NAME = "EPOS conformance"
_VERDICT = re.compile(r"Verdict(?:\\ \(.*\))?=([a-z; -]+)")

#: Scripts of the report itself, its data, and nothing from anywhere.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data: blob:; style-src 'unsafe-inline' data:; img-src data: blob:; "
    "font-src data:; media-src data: blob:; frame-src data: blob:; worker-src blob:; connect-src data: blob:; "
    "form-action 'none'; object-src 'none'"
)

#: Who counts visitors: whom the generator asks, and whom it may come to ask. Each has a dot or a bracket, which Base64
#: hasn't: in a hundred megabytes of that there are all words of six letters.
_TRACKERS = (
    b"googletagmanager.", b"google-analytics.", b"googletagservices.", b"doubleclick.net", b"gtag(", b"mc.yandex.",
    b"mixpanel.com", b"segment.io", b"segment.com", b"amplitude.com", b"hotjar.com", b"sentry.io", b"posthog.com",
    b"plausible.io", b"matomo.", b"clarity.ms", b"facebook.net", b"heap.io", b"cloudflareinsights.com", b"datadoghq.",
)  # fmt: skip

_SCRIPT = re.compile(rb"<script\b([^>]*)>(.*?)</script\s*>", re.IGNORECASE | re.DOTALL)
_SOURCE = re.compile(rb"""\bsrc\s*=\s*["']?\s*([^"'\s>]*)""", re.IGNORECASE)
_EMBEDDED = re.compile(rb"data:text/(?:javascript|css);base64,([A-Za-z0-9+/=]+)")
_FOREIGN = re.compile(
    rb"""<(?:script|link|img|iframe|frame|object|embed|source|video|audio|form)\b[^>]*?\b(?:src|href|data|action)\s*=\s*"""
    rb"""["']?\s*(?:[a-z]+:)?//""",
    re.IGNORECASE,
)

#: What the generator says only behind its program, which finds an empty report where it is asked to wait in between.
_AHEAD = "<script>window.allureReportData = {}; window.allureReportDataReady = false;</script>"

#: Where the report's own parts end and its data begins, which are texts in Base64.
_DATA = b"Promise.allSettled(["

#: Bytes of the part before the data, which is read at once, and of the others.
_MOST_BEFORE, _CHUNK = 16 * 2**20, 2**20


def declare(commands: Commands) -> None:
    """Declare ``epos-report allure``."""
    parser = commands.add_parser("allure", help="make Allure's HTML of the results of one run or several")
    parser.add_argument(
        "folders",
        type=Path,
        nargs="*",
        default=[Path("reports")],
        metavar="FOLDER",
        help="of results, or with such folders in it (reports)",
    )
    parser.add_argument("--into", type=Path, metavar="FILE", help=f"({ALLURE} in that folder; of several, in this one)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    folders = _found(options.folders)
    into: Path = options.into or (folders[0] / ALLURE if len(folders) == 1 else Path(ALLURE))
    into.parent.mkdir(parents=True, exist_ok=True)
    history = into.with_name(HISTORY)

    def tell(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    if len(folders) == 1:
        written = generate(folders[0] / RESULTS, into, history=history, say=tell)
    else:
        with tempfile.TemporaryDirectory(dir=into.parent, prefix=".allure-results-") as together:
            results = Path(together) / RESULTS
            _gather(folders, results)
            written = generate(results, into, history=history, say=tell)
    say(f"Allure report: {written}")
    return 0


def _found(paths: Sequence[Path]) -> list[Path]:
    """The folders with Allure's results at *paths*, or right below them. Raises `BadReport` where there are none."""
    found: list[Path] = []
    for path in paths:
        if path.name == RESULTS and path.is_dir():
            found.append(path.parent)
        elif (path / RESULTS).is_dir():
            found.append(path)
        else:
            below = sorted(each.parent for each in path.glob(f"*/{RESULTS}") if each.is_dir())
            if not below:
                raise BadReport(f"there is no {RESULTS} in {path}, nor in a folder below it")
            found += below
    return list(dict.fromkeys(found))


def _gather(folders: Sequence[Path], into: Path) -> None:
    """The results of *folders* in *into*, and what they are about, where their certificates are there to tell."""
    # Without their checks, which are in Allure's results: a fleet's night is more than fits into memory.
    documents: dict[Path, Document] = {
        each: {**reading.read(each), "checks": []} for each in folders if (each / reading.NAME).is_file()
    }
    groups = reading.grouped(documents)
    # One name for each, whatever its runs call it.
    titles = {each: reading.title(documents[group[0]]) for group in groups for each in group if len(groups) > 1}
    allure.gather([(each, titles.get(each)) for each in folders], into)
    if documents:
        allure_about.about(into, list(documents.values()), os.environ)


def generate(results: Path, into: Path, *, history: Path | None, say: Say) -> Path:
    """
    Make Allure's HTML of the folder *results*: one file, *into*, which is the answer.

    *history* is the file that remembers earlier runs, and is told of this one. *say* is told what takes a while. Raises
    `BadReport` with one sentence where it can't be made; *into* is then as it was.
    """
    if not any(results.glob("*-result.json")):
        raise BadReport(f"there are no results in {results}")
    node, script = allure_node.generator(say)
    say(f"Allure {allure_node.pinned()} is making {into.name}")
    if history is not None:
        _mend(history)
    with tempfile.TemporaryDirectory(dir=into.parent.resolve(), prefix=".allure-") as folder:
        output = Path(folder) / "report"
        config = Path(folder) / "allurerc.json"
        config.write_text(json.dumps(configuration(output, history, _name(results))), encoding="utf-8")
        done = allure_node.run(
            # From within the results: their path would be taken for a pattern.
            [node, *_heap(results), script, "generate", "--config", config, "--cwd", results.resolve(), "."],
            Path(folder),
            allure_node.GENERATES_WITHIN,
        )
        if done is None:
            raise NoGenerator(f"Allure took longer than {allure_node.GENERATES_WITHIN:g} s, and was ended")
        made = output / "index.html"
        if done.returncode or not made.is_file():
            raise NoGenerator(
                f"Allure {allure_node.pinned()} could not make its report: {_why(done.stdout, done.stderr)}"
            )
        closed = Path(folder) / "closed.html"
        with made.open("rb") as source, closed.open("wb") as target:
            close(source, target)
        closed.replace(into)
    return into


def _mend(history: Path) -> None:
    """Leave out of *history* what is no run, such as half a line of one that was killed: Allure would give up at it."""
    if not history.is_file():
        return
    mended = history.with_name(f".{history.name}.mended")
    with history.open("rb") as source, mended.open("wb") as target:
        for line in source:
            if _is_run(line):
                target.write(line.rstrip() + b"\n")
    if mended.stat().st_size == history.stat().st_size:
        mended.unlink()
    else:
        mended.replace(history)


def _is_run(line: bytes) -> bool:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("uuid"), str) and isinstance(found.get("testResults"), dict)


def _why(output: str, errors: str) -> str:
    said = f"{errors}\n{output}"
    if "too large" in said or "heap out of memory" in said or "Invalid string length" in said:
        return "these are more results than fit into one file; take fewer folders, or --evidence=failures"
    return next((line.strip()[:300] for line in said.splitlines() if line.strip()), "it doesn't say why")


def _heap(results: Path) -> list[str]:
    """Arguments of Node.js for much: by default it gives up at 2 or 4 GB, whatever the machine has."""
    size = sum(each.stat().st_size for each in os.scandir(results))
    return ["--max-old-space-size=8192"] if size > 200 * 2**20 else []


def _name(results: Path) -> str:
    """What the report is called: with the verdict, as Allure's percentage, which stands beside it, is another thing."""
    try:
        lines = (results / allure_about.ENVIRONMENT).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return NAME
    verdicts = [found[1] for each in lines if (found := _VERDICT.fullmatch(each))]
    return f"{NAME}: {'; '.join(dict.fromkeys(verdicts))}" if verdicts else NAME


def configuration(output: Path, history: Path | None, name: str = NAME) -> dict[str, Any]:
    """What the generator is told: in a file, as it takes categories from nowhere else."""
    found: dict[str, Any] = {
        "name": name,
        "output": str(output.resolve()),
        "categories": allure_about.for_allure_3(),
        "plugins": {
            "awesome": {
                "options": {
                    "singleFile": True,
                    "reportLanguage": "en",
                    # The partner where there are several.
                    "groupBy": ["partner", "epic", "feature", "story"],
                },
            },
            # Added by itself unless it is named: notes for programs, which have the certificate.
            "agent": {"enabled": False},
        },
    }
    if history is not None:
        found.update(historyPath=str(history.resolve()), historyLimit=_MOST_REMEMBERED)
    return found


def close(source: BinaryIO, target: BinaryIO) -> None:
    """
    Copy the generator's HTML from *source* to *target*, closed to the network and without analytics.

    Its program is told ahead that data will come, as a browser may well run it before it has read on. The data is
    copied in pieces, whatever its size. Raises `NoGenerator` where something in it might still ask.
    """
    begun = source.read(_MOST_BEFORE)
    before, mark, rest = begun.partition(_DATA)
    shell = _SCRIPT.sub(_without_analytics, before)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="referrer" content="no-referrer">'
    ahead = (meta + _AHEAD).encode()
    shell, heads = re.subn(rb"<head[^>]*>", lambda found: found[0] + ahead, shell, count=1)
    if not mark or not heads:
        raise NoGenerator("Allure's report has another form than it used to, and is not passed on")
    _refuse(shell)
    for embedded in _EMBEDDED.findall(shell):
        try:
            _refuse(base64.b64decode(embedded, validate=True), markup=False)
        except binascii.Error:
            raise NoGenerator("Allure's report has a part that can't be read, and is not passed on") from None
    target.write(shell + mark)
    # So that what lies across the end of a piece is seen, too.
    seen = b""
    while rest:
        for each in _telling(seen + rest):
            _refuse(each)
        target.write(rest)
        seen, rest = rest[-200:], source.read(_CHUNK)


def _telling(data: bytes) -> Iterator[bytes]:
    """The parts of *data* that are no Base64: to look through that takes longer than to make the report."""
    yield from (each for each in data.split(b'"') if b"." in each or b"(" in each)
    if (markup := data.find(b"<")) >= 0:
        yield data[markup:]


def _without_analytics(script: re.Match[bytes]) -> bytes:
    """A script, or nothing in its place where it is somebody else's or counts visitors."""
    address = _SOURCE.search(script[1])
    if address is not None:
        return script[0] if address[1].lower().startswith(b"data:") else b""
    return b"" if _tracker(script[2]) else script[0]


def _tracker(part: bytes) -> bytes | None:
    lower = part.lower()
    return next((each for each in _TRACKERS if each in lower), None)


def _refuse(part: bytes, *, markup: bool = True) -> None:
    """Raises `NoGenerator` where *part* names a tracker, or in its markup asks for anything from elsewhere."""
    found = _tracker(part)
    if found is None and markup and (foreign := _FOREIGN.search(part)):
        found = foreign[0]
    if found is not None:
        said = found.decode("ascii", "replace")[:80]
        raise NoGenerator(f"Allure's report would ask the network ({said!r}), and is not passed on")
