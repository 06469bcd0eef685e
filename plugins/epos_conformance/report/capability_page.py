"""
The page about one capability: what it is, its members, examples, errors, and every rule about it.
"""

from __future__ import annotations

from collections.abc import Iterator

from epos_conformance import _contracts, _samples
from epos_conformance._contracts import Capability
from epos_conformance.report import members
from epos_conformance.report.members import plain, table
from epos_conformance.report.rule_tables import cited, file_of, notes, rule_table, rules_of


#: What ids in paths are the ids of.
_IDS = {
    "order": "an order",
    "payable-order": "an order",
    "own-order": "an order",
    "locked-order": "an order that is locked",
    "lock": "the lock",
    "party": "a party",
    "changeable-party": "a party",
    "own-party": "a party",
    "reservation": "a reservation",
    "changeable-reservation": "a reservation",
    "own-reservation": "a reservation",
}

#: Each errorType with its HTTP status.
STATUSES = tuple(_samples.STATUSES.items())


def page(capability: Capability) -> list[str]:
    """The lines of the page about *capability*."""
    return [
        f"# {capability.name}",
        "",
        f"[What is asked](README.md) / {capability.page}",
        "",
        *table(["", ""], list(_facts(capability))),
        "",
        "On this page: [Request](#request), [Answer](#answer), [Examples](#examples), [Errors](#errors), "
        f"[What is asked of {capability.name}](#what-is-asked-of-{capability.name.lower()}), "
        "[What is asked of every such capability](#what-is-asked-of-every-such-capability)",
        "",
        *_request(capability),
        "",
        *_answer(capability),
        "",
        *_examples(capability),
        "",
        *_errors(capability),
        "",
        *_asked_of(capability),
    ]


def _facts(capability: Capability) -> Iterator[list[str]]:
    products = _contracts.products()
    yield ["REST", f"`{capability.http_method} {capability.path}`"]
    yield ["WebSocket", f"`{capability.ws_method}`"]
    yield ["Registered as", ", ".join(f"`{each}`" for each in capability.registered)]
    if capability.legacy:
        yield ["Older names", ", ".join(f"`{each}`" for each in capability.legacy)]
    yield ["Changes something", "yes" if capability.changes else "no"]
    needed = [f"{products[name]['title']} ({need})" for name, need in capability.products.items()]
    yield ["Products", ", ".join(needed) or "none needs it"]
    yield ["Sources", "; ".join(cited(each) for each in capability.sources)]


def _request(capability: Capability) -> Iterator[str]:
    yield from ("## Request", "")
    if capability.ids:
        rows = [[f"`{each.name}`", f"`{each.ws}`", f"text: the id of {_IDS[each.kind]}"] for each in capability.ids]
        yield from table(["In the path", "In `params`", "What it is"], rows)
        yield ""
    if capability.request is None:
        yield "There is no body." if capability.ids else "There is nothing to send: neither ids nor a body."
    else:
        yield from ("The body over REST; over WebSocket the same members are in `params`.", "")
        yield from members.told(capability.request, request=True)


def _answer(capability: Capability) -> Iterator[str]:
    yield from ("## Answer", "")
    rest, ws = capability.response["rest"], capability.response["ws"]
    if rest == ws:
        yield from members.told(rest)
    else:
        yield f"Over REST: {members.kind(rest)}."
        yield ""
        yield f"Over WebSocket: {members.kind(ws)}."


def _examples(capability: Capability) -> Iterator[str]:
    yield from ("## Examples", "")
    yield "Answers are those of the reference EPOS; long lists are cut."
    fullest = max(capability.examples, key=lambda each: len(str(each.request)))
    for each in capability.examples:
        sample = _samples.sample(capability.name, each.title)
        heading = each.title.capitalize()
        # One to be seen at once, the others for those who look.
        opened = " open" if each is fullest else ""
        yield from ("", f"<details{opened}>", f"<summary>{heading}, over REST</summary>", "")
        yield from _fenced("http", *sample.rest)
        yield from ("", "</details>", "", "<details>", f"<summary>{heading}, over WebSocket</summary>", "")
        yield from _fenced("json", *sample.ws)
        yield from ("", "</details>")


def _fenced(language: str, asked: str, answered: str) -> list[str]:
    return [f"```{language}", asked, "```", "", f"```{language}", answered, "```"]


def _errors(capability: Capability) -> Iterator[str]:
    yield from ("## Errors", "")
    rows = []
    for name, status in STATUSES:
        found = [each for each in rules_of(capability.name) if name in each.sentence and name != "UnexpectedError"]
        if found:
            told = "<br>".join(f"{plain(each.sentence)} ({each.level})" for each in found)
            rows.append([f"`{name}`", str(status), told])
    if rows:
        yield from table(["`errorType`", "HTTP status", "Where a rule asks for it"], rows)
    else:
        yield _no_rows(capability)
    yield from ("", "All error types and the form of an error: [Errors](README.md#errors).")


def _no_rows(capability: Capability) -> str:
    if not capability.ids and capability.request is None:
        return "There is nothing in a request that could be refused."
    refused = [each.id for each in rules_of(capability.name) if "refuse" in each.template]
    links = ", ".join(f"[{each}](#{each})" for each in refused)
    return f"Bad requests are refused, and no rule asks for a certain `errorType` for one of them: {links}."


def _asked_of(capability: Capability) -> Iterator[str]:
    rules = rules_of(capability.name)
    own = [each for each in rules if each.template == each.id]
    yield f"## What is asked of {capability.name}"
    if own:
        yield from ("", *rule_table(own))
    yield from ("", "## What is asked of every such capability", "")
    yield from rule_table([each for each in rules if each.template != each.id])
    yield from notes(rules)
    wholes = [("rest", "REST"), ("ws", "WebSocket")]
    links = " and ".join(f"[{title}]({file_of(prefix)})" for prefix, title in wholes)
    yield from ("", f"Beside these, what each transport owes whatever is asked: {links}.")
