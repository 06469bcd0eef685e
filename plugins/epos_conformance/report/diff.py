"""
``epos-report diff``: what differs between two certificates, for the terminal, for a pull request and for programs.
"""

from __future__ import annotations

import argparse
import json
import re

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from epos_conformance._console import say
from epos_conformance.report import reading
from epos_conformance.report.changes import Change, Changes, Kind, VerdictChange
from epos_conformance.report.difference import compare
from epos_conformance.report.reading import Commands, Document, title


#: Changes told of one kind; all of them are in the JSON.
_MOST = 25
#: Characters told of what was seen.
_LONGEST = 300

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#&!~])")

_HEADINGS = {
    Kind.VIOLATED: "Newly violated",
    Kind.INCONCLUSIVE: "Newly inconclusive",
    Kind.GONE: "No longer examined",
    Kind.FIXED: "Fixed",
    Kind.EXAMINED: "Newly examined, and conforming",
}


def declare(commands: Commands) -> None:
    """Declare ``epos-report diff``."""
    parser = commands.add_parser(
        "diff",
        help="tell what differs between two certificates of one partner; exit 1 where something got worse",
        description="Tell what differs between two certificates of one partner. Exit status: 0, 1 where something got "
        "worse, 4 where one of them can't be read.",
    )
    parser.add_argument("old", type=Path, metavar="OLD", help="certificate.json, or the folder that it is in")
    parser.add_argument("new", type=Path, metavar="NEW", help="likewise")
    parser.add_argument("--format", choices=tuple(_FORMATS), default="text", help="what is printed (%(default)s)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write it as Markdown, too: for a pull request")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write it as JSON, too")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    old, new = reading.read(options.old), reading.read(options.new)
    changes = compare(old, new)
    for path, form in ((options.markdown, "markdown"), (options.json, "json")):
        if path is not None:
            path.write_text(_FORMATS[form](changes, new) + "\n", encoding="utf-8", errors="backslashreplace")
    say(_FORMATS[options.format](changes, new))
    return 1 if changes.worse else 0


def as_json(changes: Changes, new: Document) -> str:
    """
    The difference for programs: ``changes`` as in a certificate, each with whether it is worse and, where that is not
    the partner's doing, why; the newer run, verdicts and remarks.
    """
    told = {
        **changes.to_json(),
        "checks": [
            {**each.to_json(), "worse": each.worse, **({"why": each.why} if each.why else {})}
            for each in changes.checks
        ],
        "partner": title(new),
        **({"partners": list(changes.partners)} if changes.partners else {}),
        "until": dict(changes.until),
        "verdicts": [
            {"product": each.product, "before": each.before, "after": each.after, "worse": each.worse}
            for each in changes.verdicts
        ],
        "remarks": list(changes.remarks),
    }
    return json.dumps(told, indent=2)  # escaped: a terminal's encoding may have less than Unicode


def as_text(changes: Changes, new: Document) -> str:
    """The difference for a terminal."""
    lines = [f"{_printable(title(new))}: {_span(changes)}"]
    if changes.partners:
        before, now = map(_brief, changes.partners)
        lines.append(f"note: These may be two partners: {before} before, {now} now.")
    lines += [f"note: {_printable(each)}" for each in changes.remarks]
    lines += [f"{_printable(_subject(each))}: {each.before} before, {each.after} now" for each in changes.verdicts]
    for kind, heading in _HEADINGS.items():
        if found := changes.of(kind):
            lines += ["", f"{heading} ({len(found)})"]
            lines += _listed(found, _entry, "  ... and {} more")
    return "\n".join([*lines, "", conclusion(changes)])


def _entry(change: Change, over: str) -> Iterator[str]:
    mark = "-" if change.worse else "+" if change.kind in (Kind.FIXED, Kind.EXAMINED) else " "
    yield f"{mark} {change.level:6} {_name(change)} over {over}: {_states(change)}"
    if change.kind in (Kind.VIOLATED, Kind.INCONCLUSIVE):
        yield f"           {_printable(change.sentence)}"
        if seen := _brief(change.message):
            yield f"           {seen}"
    if change.why:
        yield f"           {change.why}"


def as_markdown(changes: Changes, new: Document) -> str:
    """
    The difference as a comment on a pull request. What may be the partner's stands in code spans, where nothing has a
    meaning: no markup, no link, no mention of anybody.
    """
    lines = [f"### EPOS conformance: {conclusion(changes)}", "", f"{_code(title(new))}, {_span(changes)}"]
    remarks = [_plain(each) for each in changes.remarks]
    if changes.partners:
        before, now = map(_code, changes.partners)
        remarks.insert(0, f"These may be two partners: {before} before, {now} now.")
    if remarks:
        lines += ["", *(f"* {each}" for each in remarks)]
    if changes.verdicts:
        lines += ["", "| Verdict | before | now |", "|---|---|---|"]
        lines += [f"| {_plain(_subject(each))} | {each.before} | **{each.after}** |" for each in changes.verdicts]
    for kind, heading in _HEADINGS.items():
        if found := changes.of(kind):
            told = _listed(found, _item, "* and {} more")
            # What got better is there for those who ask.
            hidden = not any(each.worse for each in found)
            opening = ["<details>", f"<summary>{heading} ({len(found)})</summary>", ""]
            lines += ["", *(opening if hidden else [f"#### {heading} ({len(found)})", ""]), *told]
            lines += ["", "</details>"] if hidden else []
    return "\n".join(lines)


def _item(change: Change, over: str) -> Iterator[str]:
    case = f" ({_code(change.case)})" if change.case else ""
    level = f"**{change.level}**" if change.worse else str(change.level)
    why = f" ({change.why})" if change.why else ""
    yield f"* {level} `{change.id}`{case} over {over}: {_states(change)}{why}"
    if change.kind in (Kind.VIOLATED, Kind.INCONCLUSIVE):
        yield f"  <br>{_plain(change.sentence)}" + (f"<br>{_code(change.message)}" if change.message else "")


def _listed(found: list[Change], told: Callable[[Change, str], Iterable[str]], more: str) -> list[str]:
    """
    The lines of *found*, told at most `_MOST` times: once where it is the same over several transports.
    """
    alike: dict[tuple[object, ...], list[Change]] = {}
    for each in found:
        alike.setdefault((each.id, each.case, each.level, each.before, each.after, each.why), []).append(each)
    groups = list(alike.values())
    lines = [line for each in groups[:_MOST] for line in told(each[0], " and ".join(one.transport for one in each))]
    return [*lines, more.format(len(groups) - _MOST)] if len(groups) > _MOST else lines


def conclusion(changes: Changes) -> str:
    """What it amounts to, in half a sentence."""
    counted = [f"{len(found)} {kind}" for kind in Kind if (found := changes.of(kind))]
    if changes.worse:
        # Of a verdict it may be that no check says why: a product that lacks a capability now.
        worse = sum(each.worse for each in changes.checks)
        return f"worse in {worse} check{'s' if worse != 1 else ''}" if worse else "worse: see the verdicts"
    return f"nothing got worse ({', '.join(counted)})" if counted else "nothing changed"


def _span(changes: Changes) -> str:
    return f"from {_instant(changes.since['finishedAt'])} to {_instant(changes.until['finishedAt'])}"


def _instant(text: str) -> str:
    """A moment of a certificate, to the minute."""
    return _printable(text)[:16].replace("T", " ") + " UTC"


def _subject(change: VerdictChange) -> str:
    return change.product or "the whole"


def _states(change: Change) -> str:
    return f"{change.before or 'not there'} before, {change.after or 'not there'} now"


def _name(change: Change) -> str:
    return f"{change.id} ({_printable(change.case)})" if change.case else change.id


def _brief(message: str) -> str:
    """The first line of *message*, no longer than a reader wants it."""
    first = _printable(message.partition("\n")[0])
    return first if len(first) <= _LONGEST else first[: _LONGEST - 3] + "..."


def _printable(text: str) -> str:
    """*text* without what a terminal obeys or a reader can't see: as escapes."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[: 4 * _LONGEST])


def _plain(text: str) -> str:
    """*text*, which is the suite's unless the file was tampered with, without a meaning in Markdown or HTML."""
    return _MARKUP.sub(r"\\\1", _brief(text)).replace("@", "@\u200b")


def _code(text: str) -> str:
    """*text* as a code span, which no text gets out of."""
    return f"`{_brief(text).replace('`', chr(0x2019)) or ' '}`"


_FORMATS: dict[str, Callable[[Changes, Document], str]] = {"text": as_text, "markdown": as_markdown, "json": as_json}
