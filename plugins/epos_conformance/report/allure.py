"""
Allure results of several runs in one folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil

from collections.abc import Sequence
from pathlib import Path

from epos_conformance.report.allure_about import FILES
from epos_conformance.report.folder import RESULTS


def gather(folders: Sequence[tuple[Path, str | None]], into: Path) -> int:
    """
    Copy the Allure results of *folders* to *into*, emptied before; the number of results.

    With a folder comes the partner's name where there are several: allure takes the same check of two partners for one
    that was tried again, unless it is told that they differ. What is about each run as a whole is left out:
    `allure_about.about` tells it of all of them.
    """
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    # By the names they are copied to: several runs tell the same of a check that none of them ran.
    results = set()
    for folder, partner in folders:
        for path in _files(folder):
            if partner is not None and path.name.endswith("-result.json"):
                (into / path.name).write_text(_of(path, partner), encoding="utf-8", errors="backslashreplace")
            else:
                shutil.copyfile(path, into / path.name)
            if path.name.endswith("-result.json"):
                results.add(path.name)
    return len(results)


def _files(folder: Path) -> list[Path]:
    """What there is to copy; half a file of a run that was killed is not."""
    return sorted(
        path
        for path in (folder / RESULTS).glob("*")
        if path.name not in FILES and path.suffix != ".tmp" and path.is_file() and not path.is_symlink()
    )


def _of(path: Path, partner: str) -> str:
    """The result at *path*, known as that of *partner*."""
    found = json.loads(path.read_text(encoding="utf-8"))
    for name in ("historyId", "testCaseId"):
        known = f"{partner} {found.get(name)}".encode("utf-8", "backslashreplace")
        found[name] = hashlib.md5(known, usedforsecurity=False).hexdigest()
    found["fullName"] = f"{partner}, {found.get('fullName')}"
    found.setdefault("parameters", []).append({"name": "partner", "value": partner})
    found["labels"] = [
        {"name": "parentSuite", "value": partner},
        *(each for each in found.get("labels", []) if each.get("name") != "parentSuite"),
        {"name": "partner", "value": partner},
    ]
    found["titlePath"] = [partner, *found.get("titlePath", [])]
    return json.dumps(found, ensure_ascii=False)
