"""
What Allure is told of a run as a whole when it is over: categories, environment, executor, checks that never ran.
"""

from __future__ import annotations

import datetime
import json
import platform
import uuid

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from epos_conformance import _certificate
from epos_conformance.report import allure_ci, allure_results
from epos_conformance.report.allure_results import CATEGORIES, RECOMMENDED, VIOLATED, WAIVED
from epos_conformance.report.reading import Document, title


ENVIRONMENT, EXECUTOR, CATEGORY_FILE = "environment.properties", "executor.json", "categories.json"

#: What is about a run as a whole; of several folders each has its own.
FILES = (ENVIRONMENT, EXECUTOR, CATEGORY_FILE)

#: How files of results begin that no check wrote itself.
_NEVER_RUN = "never-run-"

#: Allure's head shows one, of whatever results there are.
_PERCENTAGE = (
    "checks that passed, of all: recommendations, waivers and what could not be examined count against it "
    "as violations do; the verdict says what they mean"
)

#: Characters of a value of the environment.
_MOST = 300


def about(folder: Path, documents: Document | Sequence[Document], environ: Mapping[str, str]) -> None:
    """
    Tell Allure's results in *folder* of the run, or the runs, that the certificates *documents* are of.

    The results are there already, but for those of checks that never ran: these are written from the certificate.
    *environ* is the environment of this process. Where *folder* isn't, nobody wanted results.
    """
    if not folder.is_dir():
        return
    every = [documents] if isinstance(documents, dict) else list(documents)
    _write(folder / CATEGORY_FILE, json.dumps(for_allure_2()))
    (folder / ENVIRONMENT).write_text(properties(environment(every)), encoding="ascii")
    if (executor := allure_ci.executor(environ)) is not None:
        _write(folder / EXECUTOR, json.dumps(executor))
    else:
        (folder / EXECUTOR).unlink(missing_ok=True)
    if not isinstance(documents, dict):
        return  # each run has told of them already
    for path in folder.glob(f"{_NEVER_RUN}*"):
        path.unlink()
    for each in documents["checks"]:
        if each.get("cause") == "not-run":
            found = never_run(each, documents)
            _write(folder / f"{_NEVER_RUN}{found['uuid']}-result.json", json.dumps(found))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def never_run(entry: Mapping[str, Any], document: Document) -> dict[str, Any]:
    """The result of a check that was selected and came to no end, from its *entry* in *document*."""
    found = allure_results.described(_certificate.result(entry))
    # The same in each of several runs against one partner: in one folder they are one.
    known = uuid.uuid5(uuid.NAMESPACE_OID, f"{title(document)} {found['fullName']}".encode("utf-8", "replace").decode())
    instant = round(1000 * datetime.datetime.fromisoformat(document["finishedAt"]).timestamp())
    return {"uuid": str(known), **found, "start": instant, "stop": instant}


def for_allure_2() -> list[dict[str, Any]]:
    """Allure 2 reads this from the results. Its expressions have to match the whole of a text, line breaks included."""
    return [
        {"name": name, "matchedStatuses": [status], "traceRegex": f"(?s){name}: .*"}
        for name, status in CATEGORIES.items()
    ]


def for_allure_3() -> list[dict[str, Any]]:
    """
    Allure 3 takes this from its configuration alone, and knows labels.

    What is wrong at a partner is grouped by capability, what could not be seen by its reason.
    """
    return [
        {
            "id": name.lower().replace(" ", "-"),
            "name": name,
            "matchers": [{"statuses": [status], "labels": {"category": f"^{name}$"}}],
            "groupBy": [{"label": "feature"}] if name in (VIOLATED, RECOMMENDED, WAIVED) else [],
            "groupByMessage": name not in (VIOLATED, RECOMMENDED, WAIVED),
            "expand": name == VIOLATED,
        }
        for name, status in CATEGORIES.items()
    ]


def environment(documents: Sequence[Document]) -> dict[str, str]:
    """
    Where and how it was examined, in the order to read it; where partners differ each has its own lines.
    """
    by_title: dict[str, list[dict[str, str]]] = {}
    for each in documents:
        by_title.setdefault(title(each), []).append(_facts(each))
    several = len(by_title) > 1
    found: dict[str, str] = {"Partner": ", ".join(by_title)} if several else {}
    lines = {name: {key: _joined(facts, key) for key in _names(facts)} for name, facts in by_title.items()}
    for key in _names(lines.values()):
        values = {name: each[key] for name, each in lines.items() if key in each}
        if not several or (len(values) == len(lines) and len({*values.values()}) == 1):
            found[key] = next(iter(values.values()))
        elif key != "Partner":
            found.update({f"{key} ({name})": value for name, value in values.items()})
    return found


def _names(facts: Iterable[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(key for each in facts for key in each))


def _joined(facts: Sequence[Mapping[str, str]], key: str) -> str:
    return "; ".join(dict.fromkeys(each[key] for each in facts if key in each))


def _facts(document: Document) -> dict[str, str]:
    partner, settings, selection = document["partner"], document["settings"], document["selection"]
    dojo = document.get("dojo", {})
    selected = "all" if selection["complete"] else f"{selection['deselected']} left out"
    found = {
        "Partner": title(document),
        "Verdict": document["verdict"],
        "Percentage": _PERCENTAGE,
        "Address": partner["url"],
        "POS": " ".join(filter(None, (partner["pos"].get("name"), partner["pos"].get("minimum-version")))),
        "Transports": ", ".join(partner["transports"]),
        "Products": ", ".join(partner["products"]),
        "Capabilities": f"{len(partner['capabilities'])}, {partner['offer']}",
        "Dojo": dojo.get("url", "not asked"),
        "Dojo not reached": dojo.get("blocked", ""),
        "Suite": f"{document['suite']['name']} {document['suite']['version']}",
        "Checks": f"{selected}, interrupted" if selection["interrupted"] else selected,
        # Of several runs: where all were.
        "Read-only": "yes" if settings.get("read-only") is True else "",
        "Strict": "yes" if settings.get("strict") else "",
        "Seed": str(settings.get("seed", "")),
        "Depth": str(settings.get("depth", "")),
        "Slow after": f"{settings['slow-after']} s" if settings.get("slow-after") else "",
        "Evidence": str(settings.get("evidence", "")),
        "Started": document["startedAt"],
        "Finished": document["finishedAt"],
        "Report made with": f"Python {platform.python_version()} on {platform.system()}",
    }
    return {name: value for name, value in found.items() if value}


def properties(values: Mapping[str, str]) -> str:
    """*values* in the form of Java's properties, ASCII alone, one line for each."""
    return "".join(f"{_escaped(name, key=True)}={_escaped(value)}\n" for name, value in values.items())


def _escaped(text: str, *, key: bool = False) -> str:
    shown = text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."
    special = "\\=:#! " if key else "\\"
    found = "".join(f"\\{each}" if each in special else each if " " <= each <= "~" else _code(each) for each in shown)
    # Space before a value would be taken for that around the equals sign.
    return f"\\{found}" if found.startswith(" ") else found


def _code(character: str) -> str:
    """As Java writes it: in units of UTF-16."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
