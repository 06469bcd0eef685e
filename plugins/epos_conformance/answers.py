"""
Judging an answer: what a check demands of an `Exchange`, and the `Violation` where it isn't so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from epos_conformance import schema
from epos_conformance._contracts import Capability, Example
from epos_conformance.exceptions import Inconclusive, Unauthorized, Violation
from epos_conformance.exchange import ERROR_TYPES, Exchange
from epos_conformance.intents import INTENTS_HINT
from epos_conformance.verdict import Finding


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

#: Schema of an EPOSError.
EPOS_ERROR = {"$ref": "urn:epos:common#/$defs/EPOSError"}


def require_success(exchange: Exchange, capability: Capability) -> None:
    """
    Demand that a valid request was carried out.

    A partner may refuse what is valid by schema for reasons of its own business: that is inconclusive, with its own
    words. Crashing is not refusing, and neither is denying what it has just shown.
    """
    if exchange.succeeded:
        return
    exchange.require_answer()
    error = exchange.error
    business = error is not None and error.type in ("Conflict", "InvalidRequest", "NotFound")
    denied = business and error is not None and error.type == "NotFound" and capability.ids
    if capability.changes and business and not denied:
        raise Inconclusive(
            f"the partner refuses every {capability.name} that was tried: {exchange.seen}{_hint(capability)}"
        )
    raise Violation(Finding("the answer", "a success", exchange.seen))


def _hint(capability: Capability) -> str:
    if capability.creates == "payment":
        return f"; {INTENTS_HINT}"
    if capability.creates is None:
        return ""
    return "; name tables and items that it knows under [data] in partner.toml"


def successful(partner: Partner, capability: Capability) -> Exchange:
    """
    A success of *capability*, without which there is nothing to examine or to compare with.
    """
    exchange = partner.attempt(capability, capability.examples[0])
    if not exchange.succeeded:
        raise Inconclusive(f"needs a {capability.name} that is carried out, but saw {exchange.seen}")
    return exchange


def require_same(
    partner: Partner,
    capability: Capability,
    what: str,
    varied: Mapping[str, Any],
    *usual: Mapping[str, Any],
    example: Example | None = None,
) -> None:
    """
    Demand that a request that is *varied* (*what* says how) is carried out, as one of the *usual* ones is.

    Both are what `Partner.attempt` takes. A till may refuse the one and take the other for reasons of its business:
    a violation has to show twice.
    """
    example = example or capability.examples[0]
    first = partner.attempt(capability, example, **varied)
    if first.succeeded:
        return
    refused = []
    for each in usual:
        plain = partner.attempt(capability, example, **each)
        if plain.succeeded:
            break
        refused.append(plain)
    else:
        raise Inconclusive(f"needs a {capability.name} that is carried out, but saw {refused[0].seen}")
    # What the usual request made may stand in the way of the other: a party at the only free table.
    partner.clean_up()
    again = partner.attempt(capability, example, **varied)
    if again.succeeded:
        return
    if capability.changes and again.error is not None and again.error.type == "Conflict":
        raise Inconclusive(f"{what}, the partner refuses for reasons of its business: {again.seen}")
    raise Violation(Finding(what, "a success, as otherwise", again.seen))


def schema_findings(exchange: Exchange, response: Any) -> Iterator[Finding]:
    """
    Where the body of a success breaks the schema *response*.
    """
    assert exchange.answer is not None
    if response is True:
        return
    if not isinstance(exchange.json, (dict, list)) and exchange.json is not None:
        if exchange.transport == "ws":
            # A frame has no content type, and this one was read: it is what is in it that is no object.
            yield Finding("$.result", "an object", exchange.seen)
            return
        kind = exchange.answer.header("content-type") or "no content type"
        yield Finding("the body", "JSON", f"{kind}: {exchange.seen}" if exchange.answer.body else "no body at all")
        return
    for problem in schema.problems(response, exchange.json):
        yield Finding(problem.where, problem.expected, problem.seen, problem.hint)


def require_refusal(exchange: Exchange, what: str) -> Iterator[Finding]:
    """
    Findings where a request that is wrong in form (*what* says how) was accepted, or crashed the partner.
    """
    if exchange.succeeded:
        yield Finding(what, "a refusal", f"it was accepted ({exchange.seen})")
    elif exchange.crashed:
        crash = "a server error" if exchange.answer else "the partner hung up"
        yield Finding(what, "a refusal", f"{crash} ({exchange.seen})")


def crash(partner: Partner, ask: Callable[[], Exchange]) -> Exchange | None:
    """
    What comes of an odd request, if that is a server error, and again; None where it is carried out or refused.

    Hanging up is no proof: a firewall may do so, or forbid it, before the partner has seen the request.
    """
    exchange = None
    for _ in range(2):
        try:
            exchange = partner.dare(ask)
        except Unauthorized:
            return None
        if exchange.answer is None or not exchange.crashed:
            return None
    return exchange


def error_problems(exchange: Exchange) -> list[schema.Problem]:
    """Where the JSON object of an error breaks the shape of an EPOSError."""
    return schema.problems(EPOS_ERROR, exchange.json) if isinstance(exchange.json, dict) else []


def is_not_found(exchange: Exchange) -> bool:
    """
    Whether the answer says that something does not exist; how well it says so is other rules' business.
    """
    error = exchange.error
    if error is None:
        return False
    return error.type == "NotFound" or (error.type not in ERROR_TYPES and exchange.status == 404)


def violate(findings: list[Finding], *, hint: str | None = None) -> None:
    """
    Raise `Violation` if there are any *findings*.
    """
    if findings:
        raise Violation(*findings, hint=hint)
