"""
What an EPOS owes the REST transport: credentials, bodies, addresses and headers.
"""

from __future__ import annotations

import re
import uuid

from collections.abc import Iterator
from urllib.parse import quote

from epos_conformance import Capability, Exchange, Finding, Inconclusive, Partner, Violation, answers, check, tracing
from epos_conformance._contracts import capabilities
from epos_conformance.rest import basic, encode


# Credentials

#: Bytes of a password that bcrypt looks at.
BCRYPT_READS = 72


def require_credentials(partner: Partner) -> str:
    """The credentials that the suite was given."""
    if partner.rest.auth is None:
        raise Inconclusive(
            "whether strangers are refused can't be seen without credentials: pass --partner-auth=USER:PASSWORD"
        )
    return partner.rest.auth


def stranger(partner: Partner, capability: Capability, authorization: str | None) -> Exchange:
    """
    Send a valid request with *authorization* instead of the user's credentials.

    Ids that something would be changed for don't exist: an EPOS that lets strangers in must not be harmed by us.
    """
    require_credentials(partner)
    params = partner.unknown(capability) if capability.changes else partner.request(capability)
    body = None
    if capability.request is not None:
        body = encode({
            name: value for name, value in params.items() if name not in {each.name for each in capability.ids}
        })
    return partner.send_to(capability, params, body, authorization=authorization)


def require_closed_door(exchange: Exchange, who: str) -> None:
    exchange.require_answer()  # some let those wait who knock with wrong passwords
    if exchange.status not in (401, 403):
        raise Violation(Finding(who, "status 401 or 403", exchange.seen))


@check("rest.refuses-missing-credentials")
def test_refuses_missing_credentials(partner: Partner, capability: Capability) -> None:
    """A request without credentials is refused."""
    require_closed_door(stranger(partner, capability, None), "without credentials")


@check("rest.refuses-a-wrong-password")
def test_refuses_a_wrong_password(partner: Partner, capability: Capability) -> None:
    """A request with a wrong password is refused."""
    user = (partner.rest.auth or "").partition(":")[0]
    exchange = stranger(partner, capability, basic(f"{user}:wrong-{uuid.uuid4().hex}"))
    # Not "password": it may be the password, and would be masked.
    require_closed_door(exchange, "with the right user name and a wrong secret")
    # Who knocks too often is locked out by some: it is one door, and once is enough.
    if capability.name == next(name for name in capabilities() if partner.offers(name)):
        for near, what in near_misses((partner.rest.auth or "").partition(":")[2]):
            require_closed_door(
                stranger(partner, capability, basic(f"{user}:{near}")), f"with the right user name and {what}"
            )


def near_misses(password: str) -> Iterator[tuple[str, str]]:
    """
    Passwords that a careless comparison takes for *password*, each with what it is.

    To a till that trims, blanks around it make no other one, nor do letters behind the 72nd byte to bcrypt.
    """
    found = [(password.swapcase(), "the secret in the other case"), ("", "no secret")]
    if len(password.encode()) < BCRYPT_READS:
        found += [
            (password + "x", "one letter behind the secret"),
            (password[:-1], "the secret without its last letter"),
        ]
    for near, what in found:
        if near.strip() != password.strip() and (near or what == "no secret"):
            yield near, what


@check("rest.refuses-a-wrong-username")
def test_refuses_a_wrong_username(partner: Partner, capability: Capability) -> None:
    """A request with a wrong user name is refused."""
    password = (partner.rest.auth or "").partition(":")[2]
    exchange = stranger(partner, capability, basic(f"nobody-{uuid.uuid4().hex[:8]}:{password}"))
    require_closed_door(exchange, "with a wrong user name")


@check("rest.refuses-another-scheme")
def test_refuses_another_scheme(partner: Partner, capability: Capability) -> None:
    """A request whose Authorization is not Basic is refused."""
    right = (partner.rest.authorization or "").removeprefix("Basic ")
    for token, what in ((uuid.uuid4().hex, "with a Bearer token"), (right, "with Bearer before the right credentials")):
        require_closed_door(stranger(partner, capability, f"Bearer {token}"), what)


@check("rest.strangers-change-nothing")
def test_strangers_change_nothing(partner: Partner, capability: Capability) -> None:
    """A request that was refused for its credentials has changed nothing."""
    user = require_credentials(partner).partition(":")[0]
    wrong = f"{user}:wrong-{uuid.uuid4().hex}"

    traces = tracing.traces_of_a_stranger(partner, capability, basic(wrong))
    if traces and not capability.creates:
        # What was read may have changed by itself: a kitchen refuses orders. Have it show twice.
        traces = tracing.traces_of_a_stranger(partner, capability, basic(wrong))
    answers.violate(traces, hint="the request is carried out before its credentials are examined")


# Bodies

NOT_JSON = b'{"conformance": '


def dare(partner: Partner, capability: Capability, ids: dict[str, str], body: bytes) -> Exchange:
    """Send *body*, which no EPOS expects; hanging up on it is an answer, too."""
    return partner.dare(lambda: partner.send_to(capability, ids, body))


def require_refused(partner: Partner, capability: Capability, ids: dict[str, str], body: bytes, what: str) -> None:
    answers.violate(list(answers.require_refusal(dare(partner, capability, ids, body), what)))


@check("rest.refuses-a-body-that-is-not-json")
def test_refuses_a_body_that_is_not_json(partner: Partner, capability: Capability) -> None:
    """A body that is not JSON is refused."""
    require_refused(partner, capability, partner.ids(capability), NOT_JSON, "a body that is not JSON")


@check("rest.answers-an-unreadable-body-with-an-epos-error")
def test_answers_an_unreadable_body_with_an_epos_error(partner: Partner, capability: Capability) -> None:
    """The answer to a body that is not JSON is an EPOSError."""
    exchange = partner.send_to(capability, partner.ids(capability), NOT_JSON)
    if exchange.succeeded:
        raise Inconclusive(f"a body that is not JSON was accepted: {exchange.seen}")
    require_epos_error(exchange, "a body that is not JSON")


@check("rest.refuses-an-array-as-body")
def test_refuses_an_array_as_body(partner: Partner, capability: Capability) -> None:
    """A body that is an array is refused."""
    request = partner.request(capability)
    ids = {each.name: request.pop(each.name) for each in capability.ids}
    require_refused(partner, capability, ids, encode([request]), "an array around the body")


@check("rest.refuses-an-empty-body")
def test_refuses_an_empty_body(partner: Partner, capability: Capability) -> None:
    """An empty body is refused where members are required."""
    require_refused(partner, capability, partner.ids(capability), b"", "an empty body")


@check("rest.refuses-a-query-that-is-not-json")
def test_refuses_a_query_that_is_not_json(partner: Partner, capability: Capability) -> None:
    """A search whose body is not JSON, or is an array, is refused."""
    findings: list[Finding] = []
    for what, body in (("a body that is not JSON", b'{"cursor": '), ("an array as body", b"[]")):
        findings += answers.require_refusal(dare(partner, capability, {}, body), what)
    answers.violate(findings)


@check("rest.survives-an-empty-query")
def test_survives_an_empty_query(partner: Partner, capability: Capability) -> None:
    """A search with an empty body does not crash."""
    exchange = dare(partner, capability, {}, b"")
    if exchange.crashed:
        raise Violation(Finding("an empty body", "no server error", exchange.seen))


# Headers

_JSON = re.compile(r"application/([\w.-]+\+)?json\s*(;|$)", re.IGNORECASE)


@check("rest.answers-as-json")
def test_answers_as_json(partner: Partner, capability: Capability) -> None:
    """An answer with a body says that it is JSON."""
    exchange = answers.successful(partner, capability)
    assert exchange.answer is not None
    kind = exchange.answer.header("content-type") or ""
    if exchange.answer.body and not _JSON.match(kind):
        raise Violation(Finding("Content-Type", "application/json", kind or "none"))


def any_with_body(partner: Partner) -> Capability:
    """A capability that takes a body, a search by preference: it changes nothing."""
    offered = [each for each in capabilities().values() if partner.offers(each.name) and each.request is not None]
    if not offered:
        raise Inconclusive("needs a capability that takes a body, and none is offered")
    return min(offered, key=lambda each: each.changes)


@check("rest.accepts-a-charset", changes=False)
def test_accepts_a_charset(partner: Partner) -> None:
    """A body with a charset in its Content-Type is read like one without."""
    headers = {"content-type": "application/json; charset=utf-8"}
    answers.require_same(partner, any_with_body(partner), "with a charset", {"headers": headers}, {})


@check("rest.accepts-header-names-in-any-case", changes=False)
def test_accepts_header_names_in_any_case(partner: Partner) -> None:
    """Header names in capitals are recognised."""
    headers = {"CONTENT-TYPE": "application/json", "ACCEPT": "application/json"}
    if partner.rest.authorization is not None:
        headers["AUTHORIZATION"] = partner.rest.authorization
    answers.require_same(partner, any_with_body(partner), "with header names in capitals", {"headers": headers}, {})


# Addresses


@check("rest.percent-decodes-ids")
def test_percent_decodes_ids(partner: Partner, capability: Capability) -> None:
    """An id that is percent-encoded in the path is decoded."""
    (member,) = capability.ids
    known = partner.venue.ids(member.kind) or [partner.existing(member.kind)]
    # Ids that can't be sent otherwise tell more than a letter that needn't be encoded.
    id = next((each for each in known if quote(each, safe="") != each), known[0])
    path = capability.path.replace(f"{{{member.name}}}", encoded(id))
    exchange = partner.send(capability.http_method, partner.rest.url + path, capability=capability.name)
    if exchange.succeeded:
        return

    plain = partner.read(capability, known[0])
    if plain is None or not plain.succeeded or partner.venue.is_gone(member.kind, id):
        raise Inconclusive(f"needs an id that exists, but saw {plain.seen if plain else 'that it is gone'}")
    if quote(id, safe="") == id:
        # A letter needn't be encoded: whoever has none but plain ids will never be asked to decode one.
        raise Inconclusive(f"no id with reserved characters was seen; {id!r} sent as {encoded(id)} is not decoded")
    raise Violation(Finding(f"{member.name} {id!r} sent as {encoded(id)}", "a success", exchange.seen))


def encoded(id: str) -> str:
    """*id* with everything encoded that may be, and one letter more where nothing has to be."""
    found = quote(id, safe="")
    return found if found != id else f"%{ord(id[0]):02X}{id[1:]}"


def unknown_path(partner: Partner) -> Exchange:
    return partner.send("GET", f"{partner.rest.url}/v1/conformance-{uuid.uuid4().hex[:8]}")


def unknown_method(partner: Partner) -> Exchange:
    """A method that no capability has, at an address that one of the offered ones has."""
    offered = [each for each in capabilities().values() if partner.offers(each.name)]
    known = min(offered, key=lambda each: len(each.ids))
    ids = {each.name: f"conformance-{uuid.uuid4().hex[:8]}" for each in known.ids}
    return partner.send("PATCH", partner.rest.address(known, ids), b"{}")


@check("rest.unknown-path-is-not-found")
def test_unknown_path_is_not_found(partner: Partner) -> None:
    """An unknown path has status 404."""
    require_status(unknown_path(partner), "an unknown path", 404, 405)


@check("rest.unknown-path-answers-an-epos-error")
def test_unknown_path_answers_an_epos_error(partner: Partner) -> None:
    """The answer to an unknown path is an EPOSError."""
    require_epos_error(unknown_path(partner), "an unknown path")


@check("rest.unknown-method-is-refused")
def test_unknown_method_is_refused(partner: Partner) -> None:
    """An unknown method has status 405 or 404."""
    require_status(unknown_method(partner), "PATCH where the contract has no PATCH", 405, 404, 501)


@check("rest.unknown-method-answers-an-epos-error")
def test_unknown_method_answers_an_epos_error(partner: Partner) -> None:
    """The answer to an unknown method is an EPOSError."""
    require_epos_error(unknown_method(partner), "PATCH where the contract has no PATCH")


def require_status(exchange: Exchange, what: str, *fitting: int) -> None:
    if exchange.status not in fitting:
        raise Violation(Finding(what, f"status {fitting[0]}", exchange.seen))


def require_epos_error(exchange: Exchange, what: str) -> None:
    if not isinstance(exchange.json, dict) or answers.error_problems(exchange):
        raise Violation(Finding(what, "an EPOSError", exchange.seen))
