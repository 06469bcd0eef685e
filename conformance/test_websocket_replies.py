"""
What comes back over WebSocket: the envelope of each reply, and which requests are answered at all.

Envelopes are judged at the end of a run, by all replies that it brought.
"""

from __future__ import annotations

import time
import uuid

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from epos_conformance import (
    Finding,
    Inconclusive,
    NotOffered,
    Partner,
    Violation,
    _contracts,
    check,
    sampling,
)
from epos_conformance._contracts import Capability
from epos_conformance.exchange import ERROR_TYPES, preview
from epos_conformance.transports import DOJO_HEADERS
from epos_conformance.websocket import envelopes, messages
from epos_conformance.websocket.evidence import DOUBLE
from epos_conformance.websocket.exchanges import RpcExchange


#: Ids that a program which takes them for something else than a text would change.
IDS = ("1701{}", "00042{}", "7{}e1", "Aa-Bb-Cc-{}", "true", "a/long:one.with_all~kinds=of+characters,@and#of{}digits!")

#: Requests in flight together.
FEW, MANY = 8, 64

#: Bytes of a request that is big, and not too big for anything.
BIG = 100_000

#: Seconds in which a second answer to a request shows up.
_DOUBLES = 1.0


# Envelopes


def require_envelopes(partner: Partner, rule: str) -> None:
    """
    All replies of this run keep *rule*; a few are asked for here, so that there are some.
    """
    for each in sampling.plain(partner):
        partner.calls(each, astray=True)
    malformed = partner.socket.evidence()["malformed"].get(rule, ())
    if malformed:
        wanted = envelopes.WANTED[rule]
        raise Violation(
            *(Finding(f"the reply to {method or 'a method'}", wanted, preview(seen, 300)) for method, seen in malformed)
        )
    if all(each.failure is not None for each in partner.exchanges):
        raise Inconclusive(f"no reply came to be judged: {partner.exchanges[-1].failure}")


@check("ws.reply-carries-the-id", alone=True, order=1)
def test_reply_carries_the_id(partner: Partner) -> None:
    """The reply has the request's id, whatever it looks like."""
    first, *_ = sampling.plain(partner)
    ids = [each.format(uuid.uuid4().int % 10**6) for each in IDS]
    replies = [partner.calls(sampling.again(partner, first, id=id), astray=True)[0] for id in ids]
    require_envelopes(partner, envelopes.ID)
    # To one of another form there was a reply.
    for id, reply in zip(ids, replies, strict=True):
        if reply.failure is not None:
            raise Violation(Finding(f"the request with the id {id!r}", "a reply that carries it", str(reply.failure)))


@check("ws.reply-carries-the-json-rpc-version", alone=True, order=1)
def test_reply_carries_the_json_rpc_version(partner: Partner) -> None:
    """The reply says which JSON-RPC it speaks."""
    require_envelopes(partner, envelopes.JSON_RPC)


@check("ws.reply-has-a-result-or-an-error", alone=True, order=1)
def test_reply_has_a_result_or_an_error(partner: Partner) -> None:
    """The reply has one of the two, for deletions as well."""
    require_envelopes(partner, envelopes.EITHER)


@check("ws.reply-never-has-both-result-and-error", alone=True, order=1)
def test_reply_never_has_both_result_and_error(partner: Partner) -> None:
    """The reply has not both."""
    require_envelopes(partner, envelopes.NOT_BOTH)


@check("ws.error-is-an-epos-error", alone=True, order=1)
def test_error_is_an_epos_error(partner: Partner) -> None:
    """An error has an errorType, and is where errors belong."""
    require_envelopes(partner, envelopes.ERROR)


@check("ws.echoes-the-method", alone=True, order=1)
def test_echoes_the_method(partner: Partner) -> None:
    """The reply names the method."""
    require_envelopes(partner, envelopes.METHOD)


# In flight together


@check("ws.answers-every-request-in-flight", alone=True, order=1)
def test_answers_every_request_in_flight(partner: Partner) -> None:
    """Many requests that are sent without waiting are all answered."""
    sampling.answering(partner)
    for count in (FEW, MANY):
        sampling.shown_twice(partial(require_answers, partner, count))


def require_answers(partner: Partner, count: int) -> None:
    """So many requests that are sent without waiting are all answered."""
    asked = [each for _ in range(count) for each in sampling.plain(partner)][:count]
    lost = [each for each in partner.calls(*asked) if each.failure is not None]
    if lost:
        seen = f"{count - len(lost)} were answered; {lost[0].sent.method}: {lost[0].failure}"
        raise Violation(Finding(f"{count} requests in flight", f"{count} answers", seen))


@check("ws.keeps-concurrent-replies-apart", alone=True, order=1)
def test_keeps_concurrent_replies_apart(partner: Partner) -> None:
    """Under each id comes what was asked for under it."""
    asked = [*reads(partner), *sampling.plain(partner)]
    alone = [sampling.gist(partner.calls(sampling.again(partner, each))[0]) for each in asked]
    if len(asked) == 1:
        raise NotOffered("not examined: there is one thing only that this EPOS can be asked")
    if len({*alone}) < 2:
        raise Inconclusive("all that can be asked here has the same answer: name orders under [data] in partner.toml")
    for _ in range(3):
        together = partner.calls(*(sampling.again(partner, each) for each in asked))
        for request, expected, reply in zip(asked, alone, together, strict=True):
            if reply.failure is not None:
                continue  # a rule of its own
            seen = sampling.gist(reply)
            # What changed in the venue meanwhile is nobody's mistake.
            if seen != expected and sampling.gist(partner.calls(sampling.again(partner, request))[0]) != seen:
                where = f"{request.sent.method} among {len(asked)} requests in flight"
                raise Violation(Finding(where, expected, seen))


def reads(partner: Partner) -> list[RpcExchange]:
    """Requests for things that exist, several of each kind."""
    found = []
    for capability in _contracts.capabilities().values():
        if partner.offers(capability.name) and "reads-by-id" in capability.selectors:
            (member,) = capability.ids
            found += [
                sampling.request(partner, capability, {member.name: id}) for id in partner.venue.variety(member.kind, 6)
            ]
    return found


@check("ws.answers-a-request-once", alone=True, order=1)
def test_answers_a_request_once(partner: Partner) -> None:
    """No reply comes twice; in the whole run, none did."""
    sampling.answering(partner)
    partner.calls(*sampling.plain(partner))
    time.sleep(max(_DOUBLES, partner.settings.settle))
    doubles = [each for each in partner.socket.evidence()["strays"] if each["kind"] == DOUBLE]
    if doubles:
        seen = preview(doubles[-1]["frame"], 300)
        raise Violation(Finding(f"the request {doubles[-1]['id']}", "one reply", f"another one: {seen}"))


# Other requests


@check("ws.unknown-method-is-an-error", alone=True, order=1)
def test_unknown_method_is_an_error(partner: Partner) -> None:
    """A method that nobody knows is answered with an error, and the session goes on."""

    def ask() -> None:
        before = sampling.answering(partner)
        id, method = str(uuid.uuid4()), f"Conformance{uuid.uuid4().hex[:8]}V1"
        (reply,) = partner.calls(partner.socket.raw(id, method, messages.request(id, method, {"headers": {}})))
        require_error(partner, reply, before, f"the request {method}")

    sampling.shown_twice(ask)


def require_error(partner: Partner, reply: RpcExchange, before: RpcExchange, what: str) -> None:
    """*reply* is an error, and the session is still that of *before*."""
    if reply.succeeded:
        raise Violation(Finding(what, "an error", reply.seen))
    if reply.failure is not None:
        raise Violation(Finding(what, "an error", f"{reply.failure}; {session_since(partner, before)}"))
    if reply.error is not None and reply.error.type not in ERROR_TYPES:
        partner.notes.append(f"{what} is refused, but not with an EPOSError: {reply.seen}")
    after = sampling.answering(partner)
    if after.session != before.session:
        raise Violation(Finding(f"the session after {what}", "the same one", session_since(partner, before)))


def session_since(partner: Partner, before: RpcExchange) -> str:
    """What has become of the session of *before*."""
    session = sampling.session_of(partner, before)
    if session is None or session["closed"] is None:
        return "the session is still open"
    return f"the session was {sampling.how_closed(session)}"


@check("ws.capability-not-offered-is-an-error", alone=True, order=1)
def test_capability_not_offered_is_an_error(partner: Partner) -> None:
    """A capability that isn't offered is refused rather than left unanswered."""
    every = [each for name, each in _contracts.capabilities().items() if not partner.offers(name)]
    if partner.settings.read_only:
        every = [each for each in every if not each.changes]
    if not every:
        raise NotOffered("not examined: the partner offers every capability that could be asked for")
    before = sampling.answering(partner)
    # Deletions and the like of what isn't there: whoever implements them all the same has nothing to carry out.
    for each in sorted(every, key=lambda each: each.changes)[:3]:
        params = {member.name: f"conformance-{uuid.uuid4().hex[:12]}" for member in each.ids}
        request = sampling.request(partner, each, params)
        request.capability = None  # nothing of it is claimed: a JSON-RPC library may refuse it in its own words
        (reply,) = partner.calls(request)
        if reply.succeeded:
            partner.notes.append(f"{each.name} isn't claimed and was carried out")
            continue
        require_error(partner, reply, before, f"the request {each.ws_method}, which isn't offered")


@check("ws.works-with-empty-headers", alone=True, order=1)
def test_works_with_empty_headers(partner: Partner) -> None:
    """Nothing has to be in params.headers."""
    require_same(partner, "with an empty params.headers", {}, DOJO_HEADERS, partner.all_headers())


@check("ws.works-with-full-headers", alone=True, order=1)
def test_works_with_full_headers(partner: Partner) -> None:
    """Everything may be in params.headers."""
    every = partner.all_headers()
    if every == DOJO_HEADERS:
        partner.notes.append("without a waiterId: none is known")
    require_same(partner, "with full params.headers", every, DOJO_HEADERS, {})


def require_same(partner: Partner, what: str, headers: Mapping[str, str], *usual: Mapping[str, str]) -> None:
    """What is carried out with one of the *usual* headers is carried out with *headers*."""
    examined = False
    for capability in readings(partner):
        try:
            params = partner.request(capability)
        except Inconclusive:
            continue  # nothing of the kind is there to be read

        def ask(sent: Mapping[str, str], capability: Capability = capability, params: Any = params) -> RpcExchange:
            return partner.calls(partner.socket.request(capability, params, sent))[0]

        if ask(headers).succeeded:
            examined = True
        elif any(ask(each).succeeded for each in usual):
            again = ask(headers)  # a violation has to show twice
            if not again.succeeded:
                raise Violation(Finding(f"{capability.name} {what}", "a success, as otherwise", again.seen))
            examined = True
    if not examined:
        raise Inconclusive(f"needs a request that is carried out, but saw {partner.exchanges[-1].seen}")


def readings(partner: Partner) -> list[Capability]:
    """What the partner offers that changes nothing; where there is nothing of the kind, Dojo's events."""
    known = [each for name, each in _contracts.capabilities().items() if partner.offers(name)]
    found = [each for each in known if not each.changes] or [each for each in known if each.name == "HandleEvent"]
    if not found:
        raise Inconclusive("nothing is offered that can be asked without changing anything at the partner")
    return found


@check("ListAreas.works-without-params", alone=True, order=1)
def test_list_areas_works_without_params(partner: Partner, capability: Capability) -> None:
    """Where there is nothing to say, params may be missing."""
    (usual,) = partner.calls(sampling.request(partner, capability, {}))
    if not usual.succeeded:
        raise Inconclusive(f"needs a {capability.name} that is carried out, but saw {usual.seen}")
    id = str(uuid.uuid4())
    text = messages.request(id, capability.ws_method, None)
    require_answered(
        partner, partner.socket.raw(id, capability.ws_method, text, capability.name), "without params", usual
    )


@check("ws.ignores-unknown-members-of-a-request", alone=True, order=1)
def test_ignores_unknown_members_of_a_request(partner: Partner) -> None:
    """A member that JSON-RPC doesn't know makes no difference."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    more: dict[str, Any] = {"conformance": {"unknown": True}, "traceparent": trace}
    require_as_usual(
        partner, "with unknown members beside params", lambda usual: sampling.again(partner, usual, **more)
    )


@check("ws.takes-a-request-in-fragments", alone=True, order=1)
def test_takes_a_request_in_fragments(partner: Partner) -> None:
    """A message is a message, in however many frames it comes."""
    require_as_usual(partner, "in four fragments", partial(sampling.again, partner), fragments=4)


@check("ws.takes-a-big-request", alone=True, order=1)
def test_takes_a_big_request(partner: Partner) -> None:
    """Room between the members makes a request big, and changes nothing."""

    def grown(usual: RpcExchange) -> RpcExchange:
        request = sampling.again(partner, usual)
        text = (request.sent.body or b"").decode()
        return partner.socket.raw(request.id, request.sent.method, f"{{{' ' * BIG}{text[1:]}", request.capability)

    require_as_usual(partner, f"of {BIG} bytes", grown)


def require_as_usual(
    partner: Partner, what: str, varied: Callable[[RpcExchange], RpcExchange], *, fragments: int = 1
) -> None:
    """What is *varied* of a request that the partner has just answered is answered likewise."""

    def ask() -> None:
        usual = sampling.answering(partner)
        require_answered(partner, varied(usual), what, usual, fragments=fragments)

    sampling.shown_twice(ask)


def require_answered(
    partner: Partner, request: RpcExchange, what: str, usual: RpcExchange, *, fragments: int = 1
) -> None:
    """*request* is answered like the *usual* one."""
    # The usual one was answered under its id: an error without any is what becomes of a request that wasn't read whole.
    (reply,) = partner.calls(request, fragments=fragments, astray=True)
    where = f"{request.sent.method} {what}"
    if reply.failure is not None:
        raise Violation(Finding(where, "an answer", f"{reply.failure}; {session_since(partner, usual)}"))
    if reply.succeeded != usual.succeeded or (reply.error and usual.error and reply.error.type != usual.error.type):
        raise Violation(Finding(where, f"the usual answer ({usual.seen})", reply.seen))
