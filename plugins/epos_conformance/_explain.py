"""
``pytest --explain=RULE``: what a rule asks, what keeping and breaking it look like, and what to do about it.
"""

from __future__ import annotations

import datetime
import difflib
import textwrap

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from epos_conformance import _asked, _contracts, _lists, _rules, _samples, _scenes, _wholes
from epos_conformance._rules import Rule
from epos_conformance.verdict import Basis, Level


_WIDTH = 100

#: Ways to break a rule that are told.
_MOST = 8

_LEVELS = {
    Level.MUST: "breaking it refuses the certificate",
    Level.SHOULD: "breaking it is a recommendation",
    Level.INFO: "breaking it is held against nobody",
}

_BASES = {
    Basis.DOCUMENTED: "a published page says so",
    Basis.DERIVED: "no page says so, and the contract can't work well otherwise",
}

TRANSPORTS = {
    None: "REST and WebSocket",
    "rest": "REST alone",
    "ws": "WebSocket alone",
    "dojo": "Dojo's side: its API, or the sandbox in its place",
}

_ADDRESSES = {
    None: "--partner-url=URL --partner-auth=USER:PASSWORD",
    "rest": "--partner-url=URL --partner-auth=USER:PASSWORD",
    "ws": "--partner-ws=PORT",
    "dojo": "--partner-url=URL --partner-auth=USER:PASSWORD --dojo-api=sandbox",
}


class UnknownRule(Exception):
    """
    A rule that is not in the catalogue; the text is one sentence for the user.
    """


def explain(name: str) -> str:
    """
    The rule of that *name*, explained; where it fits several (``*.rule``, a pattern, the beginning of ids), their list.

    Raises `UnknownRule`.
    """
    found = matching(name)
    return told(found[0]) if len(found) == 1 else "\n".join(_lists.line(each) for each in found)


def matching(name: str) -> list[Rule]:
    """
    The rules that *name* fits: one of that id, those of that template, those that match or begin so.

    Raises `UnknownRule` where there is none.
    """
    known = _rules.rules()
    if name in known:
        return [known[name]]
    meant = name.lower()
    found = (
        list(_rules.by_template().get(name, ()))
        or [each for each in known.values() if fnmatchcase(each.id.lower(), meant)]
        or [each for each in known.values() if meant and each.id.lower().startswith(meant)]
    )
    if found:
        return found
    near = difflib.get_close_matches(name, list({**known, **_rules.by_template()}), 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "--list-rules lists them all"
    raise UnknownRule(f"there is no rule called {_short(name)}; {hint}")


def _short(name: str) -> str:
    return ascii(name if len(name) <= 80 else name[:77] + "...")


def told(rule: Rule) -> str:
    """*rule* in full, for a terminal."""
    lines = [
        rule.id,
        f"  {rule.level}: {_LEVELS[rule.level]}",
        f"  {rule.basis}: {_BASES[rule.basis]}",
        f"  page: {rule.page}; over {TRANSPORTS[rule.transport]}",
        "",
        *_wrapped(rule.sentence, "  "),
    ]
    for heading, found in _parts(rule):
        if part := list(found):
            lines += ["", heading, *part]
    return "\n".join(lines)


def _parts(rule: Rule) -> Iterator[tuple[str, Iterable[str]]]:
    yield "Sources", _sources(rule)
    yield "What is asked", _question(rule)
    yield "What keeping it looks like", _good(rule)
    yield "What breaks it", _bad(rule)
    yield "What is allowed all the same", (_item(each.summary) for each in _asked.freedoms_of(rule))
    yield "Where the sources contradict each other", _contradictions(rule)
    yield "To run this check alone", [f"  pytest {_ADDRESSES[rule.transport]} -k {rule.id}"]
    yield "To waive it for a while, in partner.toml", _waiver(rule)


def _sources(rule: Rule) -> Iterator[str]:
    for each in rule.sources:
        key, _, place = each.partition(": ")
        source = _rules.sources()[key]
        yield f"  {place}: {source['title']}" if place else f"  {source['title']}"
        yield f"    {source['url']}"


def _question(rule: Rule) -> Iterator[str]:
    check = _asked.check_of(rule)
    if check is None:
        yield "  nothing yet: its check is still to be written"
        return
    for number, each in enumerate(check.text.split("\n\n")):
        yield from ([""] if number else [])
        yield from _wrapped(each, "  ")
    if once := once_for(rule):
        yield from _wrapped(once, "  ")
    yield f"  {check.file}, line {check.line}: {check.name}"


def once_for(rule: Rule) -> str | None:
    """What *rule* is examined for one at a time, in a sentence; None where there is nothing to say."""
    check = _asked.check_of(rule)
    if check is not None and check.listed:
        return "Once for each flow that the EPOS tester tool lists."
    if rule.per == "every":
        return "Once for each capability that is offered."
    met = [each.name for each in _contracts.capabilities().values() if rule.per in each.selectors]
    return f"Once for each of these that is offered: {', '.join(met)}." if met else None


def _good(rule: Rule) -> Iterator[str]:
    """What is asked and answered where *rule* is kept; a journey's steps."""
    if rule.capability is None:
        for line in _wholes.shown(rule):
            yield f"    {line}" if line[:2] in ("> ", "< ") else f"  {line}"
        return
    capability = _contracts.capabilities()[rule.capability]
    told = _scenes.scene(rule)
    scene = told or (_samples.sample(capability.name, _samples.example_for(capability, rule).title),)
    if rule.transport != "ws":
        yield "  Over REST:"
        for each in scene:
            yield from _titled(each)
            asked, answered = each.rest
            yield from _shown(asked, ">")
            yield from _shown(answered, "<")
    if rule.transport != "rest":
        yield "  Over WebSocket, frames:"
        for each in scene:
            yield from _titled(each)
            asked, answered = each.ws
            yield from _shown(asked, ">")
            if each.error_type or rule.transport == "ws":
                yield from _shown(answered, "<")
            else:
                yield '    < {"id": "1", "jsonrpc": "2.0", "result": as above}'
    if any(each.cut for each in scene):
        yield "  Long lists are cut here."
    if told and any(each.error_type for each in told):
        yield "  Any debugMessage and traceId will do."


def _titled(sample: _samples.Sample) -> Iterator[str]:
    """What is special about a request, in a line above it."""
    if sample.what:
        yield f"   {sample.what}:"


def _shown(text: str, mark: str) -> Iterator[str]:
    yield from (f"    {mark} {line}".rstrip() for line in text.splitlines())


def _bad(rule: Rule) -> Iterator[str]:
    """Mistakes that programmers of tills make."""
    found = _asked.defects_of(rule)
    for each in found[:_MOST]:
        yield _item(each.summary)
    if len(found) > _MOST:
        yield f"  and {len(found) - _MOST} more"
    if found:
        command = "dial --url=URL" if rule.transport == "ws" else "serve"
        yield f"  The first of these to try: epos-reference {command} --defect={found[0].name}"


def _contradictions(rule: Rule) -> Iterator[str]:
    for each in _asked.contradictions_of(rule):
        yield _item(each.sentence)
        yield from _wrapped(f"Here: {each.decision}", "    ")


def _waiver(rule: Rule) -> Iterator[str]:
    if rule.level is Level.INFO:
        return
    until = datetime.date.today() + datetime.timedelta(days=90)
    yield "  [[waivers]]"
    yield f'  rule = "{rule.id}"'
    yield '  reason = "why, and what is agreed with Dojo"'
    yield f"  until = {until.isoformat()}"


def _item(text: str) -> str:
    return "\n".join(_wrapped(text, "  * ", "    "))


def _wrapped(text: str, first: str, others: str | None = None) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=first if others is None else others,
        break_long_words=False,
        break_on_hyphens=False,
    )
