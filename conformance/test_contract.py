"""
What every capability owes its page of the contract, whatever it is about.

Nothing here names a capability: what is sent comes from the contract files, and a new one is checked by being there.
"""

from __future__ import annotations

import functools
import itertools

from collections.abc import Iterable, Iterator

from epos_conformance import (
    BrokenAnswer,
    Capability,
    Exchange,
    Finding,
    Inconclusive,
    Partner,
    Unanswered,
    Unauthorized,
    Violation,
    answers,
    bodies,
    check,
    payoff,
    sampling,
    states,
    tracing,
)
from epos_conformance.bodies import Fault
from epos_conformance.exceptions import ProtocolBroken, SessionLost
from epos_conformance.exchange import ERROR_TYPES, EposError


#: Faults that are told of one capability and rule; a partner that takes anything would be asked hundreds of times.
MOST_FAULTS = 10


#: Orders, parties and reservations of different kinds that are read: a fault may be in some of them only.
MOST_ROWS = 16


def titles(capability: Capability) -> list[str]:
    return [each.title for each in capability.examples]


# Successes


@check("*.answer-matches-schema", cases=titles)
def test_answer_matches_schema(partner: Partner, capability: Capability, case: str) -> None:
    """A valid request is answered with a success that satisfies the response schema."""
    example = next(each for each in capability.examples if each.title == case)
    # An order that is paid off has members and values of its own. A story comes before anything is held.
    paid_off = capability.creates == "payment" and example is capability.examples[-1]
    told = payoff.settling_answers(partner) if paid_off else []
    try:
        try:
            exchange = partner.attempt(capability, example)
        except BrokenAnswer:
            # Hanging up between two requests is a server's right, and may cross with the second.
            exchange = partner.attempt(capability, example)
    except BrokenAnswer as error:
        # Of a session that is lost under every request, this one isn't the cause; what comes back may be.
        lost = isinstance(error, SessionLost) and not isinstance(error, ProtocolBroken)
        if lost and not sampling.others_are_answered(partner, capability):
            raise
        raise Violation(Finding("the answer", "a whole one", str(error))) from None
    except Unauthorized as error:
        if not error.elsewhere:
            raise
        raise Violation(Finding("the answer", "a success", str(error))) from None

    response = capability.response[partner.transport.name]
    answers.require_success(exchange, capability)
    for each in (exchange, *told):
        answers.violate(list(answers.schema_findings(each, response)))
    if "reads-by-id" in capability.selectors:
        (member,) = capability.ids
        for id in partner.venue.variety(member.kind, MOST_ROWS):
            if read := partner.read(capability, id):
                answers.require_success(read, capability)
                answers.violate(list(answers.schema_findings(read, response)))


@check("*.success-status-is-ok")
def test_success_status_is_ok(partner: Partner, capability: Capability) -> None:
    """A success has status 200."""
    exchange = answers.successful(partner, capability)

    if exchange.status != 200:
        raise Violation(Finding("status", "200", str(exchange.status)))


@check("*.optional-members-are-optional")
def test_optional_members_are_optional(partner: Partner, capability: Capability) -> None:
    """A request without its optional members is answered like one with them."""
    required = {name for name, needed in capability.members.items() if needed}
    if not capability.changes:
        # Nothing in a till's business can keep it from answering a query.
        answers.require_success(partner.attempt(capability, capability.examples[-1], only=required), capability)
        return

    left_out = ", ".join(sorted(set(capability.examples[-1].request) - required))
    answers.require_same(
        partner, capability, f"without {left_out}", {"only": required}, {}, example=capability.examples[-1]
    )


@check("*.headers-are-optional", cases=lambda _: ("none", "all"))
def test_headers_are_optional(partner: Partner, capability: Capability, case: str) -> None:
    """The four Dojo headers may be sent or left out."""
    every = partner.all_headers()
    # Where no waiter is known, one is made up, as the last thing that could make the difference.
    sent, others = (every, {}) if case == "all" else ({}, {"waiter-id": "1", **every})
    what = "with the four headers" if case == "all" else "without the four headers"
    # What fails for want of a waiter alone fails with the usual headers too.
    answers.require_same(partner, capability, what, {"headers": sent}, {}, {"headers": others})


@check("*.unknown-members-are-ignored")
def test_unknown_members_are_ignored(partner: Partner, capability: Capability) -> None:
    """A member that the contract does not know changes nothing."""
    extra = {"conformanceUnknown": {"a": [1]}}
    answers.require_same(partner, capability, "with the member conformanceUnknown", {"extra": extra}, {})
    if capability.page == "dojo events":
        # What an event is about is where Dojo adds most.
        data = {"data": {**partner.body(capability)["data"], **extra}}
        answers.require_same(partner, capability, "with the member conformanceUnknown in data", {"extra": data}, {})


# Time


@check("*.answers-within-the-limit")
def test_answers_within_the_limit(partner: Partner, capability: Capability) -> None:
    """The answer comes before the time limit."""
    limit = partner.settings.fail_after
    try:
        exchange = partner.attempt(capability, capability.examples[0])
    except Unanswered as error:
        raise Violation(Finding("the answer", f"one within {limit:g} s", str(error))) from None

    partner.notes.append(f"{exchange.duration:.3f} s")


@check("*.answers-promptly")
def test_answers_promptly(partner: Partner, capability: Capability) -> None:
    """The answer comes without a noticeable wait."""
    limit, took = partner.settings.slow_after, []
    # One slow answer of three may be chance.
    for _ in range(3):
        took.append(partner.attempt(capability, capability.examples[0]).duration)
        if took[-1] <= limit:
            partner.notes.append(f"{took[-1]:.3f} s")
            return

    seen = ", ".join(f"{each:.1f} s" for each in took)
    raise Violation(Finding("the answer", f"one within {limit:g} s", f"{len(took)} answers after {seen}"))


# Ids


@check("*.unknown-id-is-not-found")
def test_unknown_id_is_not_found(partner: Partner, capability: Capability) -> None:
    """An id that does not exist is NotFound."""
    exchange = partner.call(capability.name, partner.unknown(capability))
    if answers.is_not_found(exchange):
        answers.violate(quoted(partner, capability))
        return

    error = exchange.error
    if capability.creates == "payment" and error is not None and error.type == "Conflict":
        # An EPOS that looks payment intents up first has not come to the order.
        answers.require_success(partner.attempt(capability, capability.examples[0]), capability)
    where = ", ".join(each.name for each in capability.ids)
    raise Violation(Finding(f"an unknown {where}", "NotFound", exchange.seen))


def quoted(partner: Partner, capability: Capability) -> list[Finding]:
    """
    Findings where an unknown id with quotes crashes the partner; one that knows its ids by their look may refuse it.
    """
    params = partner.unknown(capability)
    odd = {each.name: f"{params[each.name]}{bodies.QUOTES}" for each in capability.ids}
    crashed = answers.crash(partner, functools.partial(partner.call, capability.name, {**params, **odd}))
    if crashed is None:
        return []
    where = ", ".join(f"{name} {id!r}" for name, id in odd.items())
    return [Finding(f"an unknown {where}", "NotFound", crashed.seen, "the id seems to be pasted into a query")]


# Refusals


@check("*.missing-members-are-refused")
def test_missing_members_are_refused(partner: Partner, capability: Capability) -> None:
    """A request that lacks a required member is refused."""
    require_refusals(partner, capability, bodies.missing)


@check("*.wrong-types-are-refused")
def test_wrong_types_are_refused(partner: Partner, capability: Capability) -> None:
    """A request with a member of a wrong type is refused."""
    require_refusals(partner, capability, bodies.wrong_types)


@check("*.scalars-are-not-coerced")
def test_scalars_are_not_coerced(partner: Partner, capability: Capability) -> None:
    """A text is not taken for a number, nor a number for a text."""
    require_refusals(partner, capability, bodies.coercible)


def require_refusals(partner: Partner, capability: Capability, faults: bodies.Maker) -> None:
    """
    Send each body that *faults* makes of a valid one, and demand that it is refused.
    """
    findings: list[Finding] = []
    for exchange, fault in sent(partner, capability, faults):
        findings += answers.require_refusal(exchange, str(fault))
        if len(findings) >= MOST_FAULTS:
            break
    answers.violate(findings)
    partner.notes.append(f"{len(partner.exchanges)} exchanges")


def sent(
    partner: Partner, capability: Capability, *makers: bodies.Maker, most: int | None = None
) -> Iterator[tuple[Exchange, Fault]]:
    """
    The exchanges of bodies with one fault each, *most* of each maker.
    """
    assert capability.request is not None
    params = partner.request(capability, capability.examples[-1])
    ids = {each.name: params.pop(each.name) for each in capability.ids}
    for maker in makers:
        for fault in itertools.islice(maker(capability.request, params), most):
            yield partner.dare(functools.partial(partner.call, capability.name, {**ids, **fault.body})), fault


@check("*.bad-requests-are-invalid-requests")
def test_bad_requests_are_invalid_requests(partner: Partner, capability: Capability) -> None:
    """What is refused for its form is an InvalidRequest."""
    refused, findings = 0, []
    for exchange, fault in sent(partner, capability, bodies.missing, bodies.wrong_types, most=6):
        error = exchange.error
        if exchange.refused and error is not None and error.type in ERROR_TYPES:
            refused += 1
            if error.type != "InvalidRequest":
                findings.append(Finding(str(fault), "InvalidRequest", exchange.seen))
    answers.violate(findings)
    if not refused:
        raise Inconclusive("nothing wrong in form was refused with an EPOSError")


@check("*.refused-requests-store-nothing")
def test_refused_requests_store_nothing(partner: Partner, capability: Capability) -> None:
    """What was refused for its form has changed nothing."""
    refused, findings = tracing.traces_of_refusals(partner, capability)
    answers.violate(findings, hint="the request is stored before it has been checked to its end")
    if not refused:
        raise Inconclusive("nothing wrong in form was refused")


# Errors


def errors(partner: Partner, capability: Capability) -> Iterable[tuple[str, Exchange]]:
    """
    Errors of *capability*, each with what provoked it: the ways in which a correct EPOS can be made to refuse.
    """
    found = []
    if capability.ids:
        found.append(("an unknown id", partner.call(capability.name, partner.unknown(capability))))
    if capability.requires_members:
        ids = partner.ids(capability)
        found.append(("a body without members", partner.call(capability.name, ids)))
        found += ((str(fault), exchange) for exchange, fault in sent(partner, capability, bodies.wrong_types, most=2))
    found = [(what, each) for what, each in found if not each.succeeded]
    if not found:
        raise Inconclusive("no error could be provoked: everything was accepted")
    return found


def typed_errors(partner: Partner, capability: Capability) -> list[tuple[str, EposError, int]]:
    """
    The errors that have one of the four errorTypes, with their status; of others nothing more can be said.
    """
    found = [
        (what, error, exchange.status)
        for what, exchange in errors(partner, capability)
        if (error := exchange.error) and error.type in ERROR_TYPES
    ]
    if not found:
        raise Inconclusive("none of the errors is an EPOSError")
    return found


@check("*.errors-are-epos-errors")
def test_errors_are_epos_errors(partner: Partner, capability: Capability) -> None:
    """An error is an EPOSError with one of the four errorTypes."""
    findings = []
    # First: a story that is told once in a run has to come before anything is held.
    of_states = states.refusals(partner, capability)
    for what, exchange in [*errors(partner, capability), *of_states]:
        if not isinstance(exchange.json, dict):
            findings.append(Finding(what, "an EPOSError as JSON object", exchange.seen))
        for problem in answers.error_problems(exchange):
            findings.append(Finding(f"{what}, {problem.where}", problem.expected, problem.seen, problem.hint))
    answers.violate(findings)


@check("*.errors-carry-a-debug-message")
def test_errors_carry_a_debug_message(partner: Partner, capability: Capability) -> None:
    """An error says in its debugMessage what was wrong."""
    findings = [
        Finding(what, "a debugMessage", "none" if error.debug_message is None else "an empty one")
        for what, error, _ in typed_errors(partner, capability)
        if error.debug_message is None or not str(error.debug_message).strip()
    ]
    answers.violate(findings)


@check("*.errors-carry-a-trace-id")
def test_errors_carry_a_trace_id(partner: Partner, capability: Capability) -> None:
    """An error carries a traceId."""
    findings = [
        Finding(what, "a traceId", "none") for what, error, _ in typed_errors(partner, capability) if not error.trace_id
    ]
    answers.violate(findings)


#: What each errorType is over HTTP; derived from the contract's prose and HTTP's own words.
FITTING = {"NotFound": (404,), "InvalidRequest": (400, 422), "Conflict": (409,), "UnexpectedError": range(500, 600)}


@check("*.error-status-fits-its-type")
def test_error_status_fits_its_type(partner: Partner, capability: Capability) -> None:
    """The HTTP status of an error fits its errorType."""
    findings = [
        Finding(what, f"a status that fits {error.type}: {_statuses(error.type)}", f"status {status}")
        for what, error, status in typed_errors(partner, capability)
        if status not in FITTING[error.type]
    ]
    answers.violate(findings)


def _statuses(kind: str) -> str:
    return "5xx" if kind == "UnexpectedError" else " or ".join(map(str, FITTING[kind]))
