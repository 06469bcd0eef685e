"""
``epos-report docs``: what will be asked, as Markdown to read before a run. A page for each capability, for each whole
(a transport, the journeys…), the shapes that they share, and the contradictions of the published sources.

Generated from contracts and rules; the pages in ``reports/capabilities`` are these.
"""

from __future__ import annotations

import argparse

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from epos_conformance import _asked, _contracts, _rules, _suite
from epos_conformance._console import say
from epos_conformance._contracts import Capability
from epos_conformance._rules import Rule
from epos_conformance.report import capability_page, members
from epos_conformance.report.capability_page import STATUSES
from epos_conformance.report.members import plain, table
from epos_conformance.report.reading import Commands
from epos_conformance.report.rule_tables import (
    CONTRADICTIONS,
    LEVELS,
    WHOLES,
    cited,
    file_of,
    notes,
    page_of,
    rule_table,
    rules_of,
)
from epos_conformance.verdict import Level
from epos_conformance.websocket.messages import HEADERS


def declare(commands: Commands) -> None:
    """Declare ``epos-report docs``."""
    parser = commands.add_parser("docs", help="write pages about what is asked, one for each capability")
    parser.add_argument("--into", type=Path, default=Path("capabilities"), metavar="FOLDER", help="(%(default)s)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    into: Path = options.into
    into.mkdir(parents=True, exist_ok=True)
    found = pages()
    for name, text in found.items():
        (into / name).write_text(text, encoding="utf-8", newline="\n")
    say(f"{len(found)} pages in {into}")
    return 0


def pages() -> dict[str, str]:
    """Every page by its file name."""
    found = {"README.md": _index()}
    found |= {f"{each.name}.md": capability_page.page(each) for each in _contracts.capabilities().values()}
    found |= {file_of(prefix): _whole(prefix) for prefix in WHOLES}
    found |= {members.PAGE: _shapes(), CONTRADICTIONS: _contradictions()}
    return {name: "\n".join(lines) + "\n" for name, lines in found.items()}


# The index


def _index() -> list[str]:
    return [
        "# What is asked",
        "",
        "Before a run: what the suite asks of an EPOS, capability by capability. These pages are generated from the "
        "contracts and the rule catalogue (`epos-report docs`), so they say what the checks of this version examine.",
        "",
        "* **must**: breaking it refuses the certificate",
        "* **should**: breaking it is a recommendation",
        "* **info**: worth knowing, held against nobody",
        "* *documented*: a published page says so; *derived*: none does, and the contract can't work well otherwise",
        "",
        "`pytest --explain=RULE` tells of one rule what keeps it, what breaks it and how to run its check alone.",
        "",
        "## Products",
        "",
        *table(
            ["Product", "Needs", "May have"],
            [
                [each["title"], _named(name, "required"), _named(name, "optional")]
                for name, each in _contracts.products().items()
            ],
        ),
        "",
        *(f"* {each['title']}: {plain(each['note'])}" for each in _contracts.products().values() if "note" in each),
        "",
        "## Capabilities",
        *_by_page(),
        "",
        "## Beside the capabilities",
        "",
        *table(
            ["Page", "What it is about", *LEVELS],
            [
                [f"[{title}]({file_of(prefix)})", plain(sentence), *_counted(rules_of(prefix))]
                for prefix, (title, sentence) in WHOLES.items()
            ],
        ),
        "",
        f"[Shapes]({members.PAGE}) are what several capabilities share: orders, parties, money, errors. "
        f"[Contradictions]({CONTRADICTIONS}) are the places where the published sources don't agree, and what the "
        "suite makes of each.",
        "",
        "## Headers",
        "",
        "Dojo may send these with any request; an EPOS answers with and without them.",
        "",
        *table(
            ["Over REST", "Over WebSocket"], [[f"`{name}`", f"`params.headers.{ws}`"] for name, ws in HEADERS.items()]
        ),
        "",
        "## Errors",
        "",
        "An error is an [EPOSError](shapes.md#eposerror) on both transports.",
        "",
        *table(
            ["`errorType`", "HTTP status"],
            [[f"`{name}`", f"{status}{', or 422' if status == 400 else ''}"] for name, status in STATUSES],
        ),
        "",
        "## Sources",
        "",
        *table(
            ["Key", "What it is"],
            [[f'<a name="{key}"></a>{key}', f"[{plain(each['title'])}]({each['url']})"] for key, each in _sources()],
        ),
    ]  # fmt: skip


def _sources() -> Iterable[tuple[str, dict[str, str]]]:
    return [(key, dict(each)) for key, each in _rules.sources().items()]


def _named(product: str, need: str) -> str:
    return ", ".join(f"[{each.name}]({each.name}.md)" for each, how in _contracts.members_of(product) if how == need)


def _counted(rules: Iterable[Rule]) -> list[str]:
    count = Counter(each.level for each in rules)
    return [str(count[each] or "") for each in Level]


def _by_page() -> Iterator[str]:
    found: dict[str, list[Capability]] = {}
    for each in _contracts.capabilities().values():
        found.setdefault(each.page, []).append(each)
    for page, capabilities in found.items():
        yield from ("", f"### {page.capitalize()}", "")
        yield from table(
            ["Capability", "REST", "WebSocket", "Changes something", *LEVELS],
            [
                [
                    f"[{each.name}]({each.name}.md)",
                    f"`{each.http_method} {each.path}`",
                    f"`{each.ws_method}`",
                    "yes" if each.changes else "no",
                    *_counted(rules_of(each.name)),
                ]
                for each in capabilities
            ],
        )


# The others


def _whole(prefix: str) -> list[str]:
    title, sentence = WHOLES[prefix]
    rules = rules_of(prefix)
    lines = [f"# {title}", "", "[What is asked](README.md) / beside the capabilities", "", plain(sentence), ""]
    if prefix in ("registration", "flows", "pos-events"):
        lines += [
            "This is examined at Dojo, with a key, or at the sandbox that comes with the suite (`--dojo-api=sandbox`).",
            "",
        ]
    if prefix == "journeys":
        lines += [*_stories(), ""]
    return [*lines, "## Rules", "", *rule_table(rules), *notes(rules)]


def _stories() -> list[str]:
    from epos_conformance.journeys import JOURNEYS

    products = _contracts.products()
    rows = [
        [
            f"[{plain(each.title)}](#journeys.{each.id})",
            products[each.product]["title"],
            ", ".join(f"[{name}]({name}.md)" for name in each.needs),
        ]
        for each in JOURNEYS.values()
    ]
    return [
        "Each is examined where its capabilities are offered. A step that goes wrong names the rule that it breaks.",
        "",
        *table(["Story", "Product", "Needs"], rows),
    ]


def _shapes() -> list[str]:
    lines = ["# Shapes", "", "[What is asked](README.md) / what several capabilities share"]
    for title, found in members.shapes():
        lines += ["", f"## {title}"]
        for name, each in found.items():
            lines += ["", f"### {name}", "", *members.told(each)]
    return lines


def _contradictions() -> list[str]:
    lines = [
        "# Contradictions",
        "",
        "[What is asked](README.md) / where the published sources contradict each other or themselves, and what the "
        "suite makes of it",
    ]
    for each in _asked.contradictions():
        rules = [rule for rule in _rules.rules().values() if each.concerns(rule.id)]
        lines += ["", f"## {each.id}", "", plain(each.sentence), "", f"**Here:** {plain(each.decision)}", ""]
        lines.append(f"* Sources: {'; '.join(cited(one) for one in each.sources)}")
        lines.append(f"* Rules: {', '.join(f'[{rule.id}]({page_of(rule)}#{rule.id})' for rule in rules)}")
    return lines


#: Where the pages of the checkout lie.
FOLDER = _suite.REPORTS / "capabilities"
