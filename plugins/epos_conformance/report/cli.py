"""
The console script ``epos-report``: what is made of results when runs are over, a subcommand for each.
"""

from __future__ import annotations

import argparse
import sys

from collections.abc import Sequence
from typing import NoReturn

from epos_conformance.report import allure_html, capabilities, diff, merging, page, signing, summary, verifying
from epos_conformance.report.reading import BadReport


#: Exit status of a command line or a file that makes no sense, as pytest's.
USAGE = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command; answers its exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except BadReport as error:
        sys.stderr.write(f"epos-report: {error}\n")
    except OSError as error:
        sys.stderr.write(f"epos-report: {error.filename}: {error.strerror}\n")
    else:
        return status
    return USAGE


class _Parser(argparse.ArgumentParser):
    """
    Ends by the status that a command line without sense has everywhere in the suite.
    """

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="epos-report", description="What is made of results when runs are over.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    # Each is told apart by its module; what is costly to import they import when they are run.
    for module in (merging, summary, page, allure_html, diff, capabilities, signing, verifying):
        module.declare(commands)
    return parser
