"""
The console script ``epos-report``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from collections.abc import Sequence
from pathlib import Path

from epos_conformance.report import allure, merging, reading, summary
from epos_conformance.report.reading import BadReport


#: Exit statuses, as those of pytest: granted, refused or not proven, usage.
_GRANTED, _REFUSED, _USAGE = 0, 1, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command; answers its exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        return _merge(options.folders, options.into) if options.command == "merge" else _summarize(options.folders)
    except BadReport as error:
        sys.stderr.write(f"epos-report: {error}\n")
    except OSError as error:
        sys.stderr.write(f"epos-report: {error.filename}: {error.strerror}\n")
    return _USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="epos-report", description="What is made of results when runs are over.")
    commands = parser.add_subparsers(dest="command", required=True)
    merge = commands.add_parser("merge", help="merge the results of several runs: shards, transports, partners")
    merge.add_argument("--into", type=Path, default=Path("merged"), metavar="FOLDER", help="(%(default)s)")
    summarize = commands.add_parser(
        "summary", help="print a summary in Markdown; exit 1 where a certificate is refused"
    )
    for each in (merge, summarize):
        each.add_argument(
            "folders", type=Path, nargs="+", metavar="FOLDER", help="of results, or with such folders in it"
        )
    return parser


def _merge(paths: Sequence[Path], into: Path) -> int:
    """
    One certificate for each partner, and the Allure results of all.

    Of a single partner the certificate lies in the folder itself, of several each in a folder of its own.
    """
    folders = reading.folders(paths)
    documents = {each: reading.read(each) for each in folders}
    partners = merging.by_partner(documents.values())
    for number, each in enumerate(partners, 1):
        folder = into if len(partners) == 1 else into / f"partner-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        document = merging.merged(each)
        text = json.dumps(document, ensure_ascii=False) + "\n"
        (folder / reading.NAME).write_text(text, encoding="utf-8", errors="backslashreplace")
        sys.stdout.write(f"{reading.title(document)}: {document['verdict']} ({folder / reading.NAME})\n")
    several = len(partners) > 1
    named = [(folder, reading.title(document) if several else None) for folder, document in documents.items()]
    count = allure.gather(named, into / allure.RESULTS)
    sys.stdout.write(f"Allure results: {count} in {into / allure.RESULTS}\n")
    return _GRANTED


def _summarize(paths: Sequence[Path]) -> int:
    documents = [reading.read(each) for each in reading.folders(paths)]
    text = summary.markdown(documents)
    sys.stdout.write(text)
    # Shown on the page of the job.
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(text)
    return _GRANTED if all(map(summary.granted, documents)) else _REFUSED
