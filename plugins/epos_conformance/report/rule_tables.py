"""
Rules as tables in Markdown, and where each is told: what the pages about what is asked are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from epos_conformance import _asked, _explain, _rules
from epos_conformance._rules import Rule
from epos_conformance.report.members import plain, table
from epos_conformance.verdict import Level


#: Rules that are about no capability, by the beginning of their ids -> title and what it is, in a sentence.
WHOLES = {
    "rest": ("REST", "What an EPOS owes HTTP, whatever is asked: credentials, bodies that can't be read, paths."),
    "ws": (
        "WebSocket",
        "What an EPOS owes the session: the handshake, JSON-RPC, many requests at once, dialling again.",
    ),
    "registration": ("Registration", "What is registered at Dojo, and whether it agrees with the EPOS behind it."),
    "flows": ("Flows", "What Dojo's EPOS tester tool says when it runs its flows against the EPOS."),
    "pos-events": ("Events", "What the EPOS tells Dojo when an order, a party or a reservation changes."),
    "journeys": ("Journeys", "Whole stories of guests and card machines, over several capabilities."),
}

_TRANSPORTS = {None: "both", "rest": "REST", "ws": "WebSocket", "dojo": "Dojo"}

#: The file of all contradictions; the anchor of each is its id.
CONTRADICTIONS = "contradictions.md"

#: The heaviest first.
LEVELS = tuple(str(each) for each in Level)


def file_of(prefix: str) -> str:
    """The file about a whole, by how the ids of its rules begin."""
    return f"{WHOLES[prefix][0].lower()}.md"


def rules_of(prefix: str) -> list[Rule]:
    """The rules whose ids begin so: a capability's, or a whole's."""
    return [each for each in _rules.rules().values() if each.id.partition(".")[0] == prefix]


def page_of(rule: Rule) -> str:
    """The file that *rule* is told in; its anchor there is its id."""
    prefix = rule.id.partition(".")[0]
    return file_of(prefix) if prefix in WHOLES else f"{prefix}.md"


def cited(source: str) -> str:
    """``key: place`` with a link to what the key stands for."""
    key, _, place = source.partition(": ")
    return f"[{key}](README.md#{key}): {plain(place)}"


def rule_table(rules: Iterable[Rule]) -> list[str]:
    """*rules* as a table, the level that counts most first; within a level as the catalogue has them."""
    ranked = sorted(rules, key=lambda each: LEVELS.index(each.level))
    return table(
        ["Level", "Rule", "What a conforming EPOS does", "Over", "Basis and sources"],
        [
            [
                f"**{each.level}**" if each.level is Level.MUST else str(each.level),
                f'<a name="{each.id}"></a>`{each.id}`',
                plain(each.sentence) + (f"<br>{once}" if (once := _explain.once_for(each)) else ""),
                _TRANSPORTS[each.transport],
                f"*{each.basis}*<br>{'<br>'.join(cited(one) for one in each.sources)}",
            ]
            for each in ranked
        ],
    )


def notes(rules: Iterable[Rule]) -> Iterator[str]:
    """Where the sources contradict each other about any of *rules*."""
    every = list(rules)
    found = _asked.contradictions_of(*every)
    if found:
        yield from ("", "## Where the sources contradict each other", "")
        for each in found:
            ids = ", ".join(f"[{one.id}](#{one.id})" for one in every if each.concerns(one.id))
            yield f"* {plain(each.sentence)} **{plain(each.decision)}** ({ids}; [more]({CONTRADICTIONS}#{each.id}))"
