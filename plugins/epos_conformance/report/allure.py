"""
Allure results of several runs in one folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil

from pathlib import Path


RESULTS = "allure-results"


def gather(folders: list[tuple[Path, str | None]], into: Path) -> int:
    """
    Copy the Allure results of *folders* to *into*, emptied before; the number of results.

    With a folder comes the partner's name where there are several: allure takes the same check of two partners for one
    that was tried again, unless it is told that they differ.
    """
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    count = 0
    for folder, partner in folders:
        for path in sorted((folder / RESULTS).glob("*")):
            if partner is not None and path.name.endswith("-result.json"):
                (into / path.name).write_text(_of(path, partner), encoding="utf-8")
            elif path.is_file():
                shutil.copyfile(path, into / path.name)
            count += path.name.endswith("-result.json")
    return count


def _of(path: Path, partner: str) -> str:
    """The result at *path*, known as that of *partner*."""
    found = json.loads(path.read_text(encoding="utf-8"))
    for name in ("historyId", "testCaseId"):
        found[name] = hashlib.md5(f"{partner} {found.get(name)}".encode(), usedforsecurity=False).hexdigest()
    found["fullName"] = f"{partner}, {found.get('fullName')}"
    found.setdefault("parameters", []).append({"name": "partner", "value": partner})
    found["labels"] = [
        {"name": "parentSuite", "value": partner},
        *(each for each in found.get("labels", []) if each.get("name") != "parentSuite"),
        {"name": "partner", "value": partner},
    ]
    found["titlePath"] = [partner, *found.get("titlePath", [])]
    return json.dumps(found, ensure_ascii=False)
