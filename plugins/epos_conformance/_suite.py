"""
Where the checks and their data live: inside this package when installed from a wheel, beside it in a checkout.
"""

from __future__ import annotations

import json

from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any


NAME = "dojo-epos-conformance"

_PACKAGE = Path(__file__).parent
_HOME = _PACKAGE if (_PACKAGE / "conformance").is_dir() else _PACKAGE.parents[1]

CHECKS = _HOME / "conformance"
FIXTURES = _HOME / "fixtures"
REPORTS = _HOME / "reports"


@cache
def version() -> str:
    """The suite's version, as installed; ``0+checkout`` where it is not installed at all."""
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "0+checkout"


def read_json(path: Path) -> Any:
    """The JSON document at *path*, which belongs to the suite."""
    return json.loads(path.read_text(encoding="utf-8"))
