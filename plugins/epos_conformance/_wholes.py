"""
What keeping a rule looks like that is about no capability: requests and answers of a transport, what the EPOS says to
Dojo, and what Dojo has of it.

Written by hand: ``>`` is what is sent to the EPOS (or, in a flow, to the tester tool), ``<`` what comes from it, and
the rest is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from epos_conformance import _stories
from epos_conformance._rules import Rule


_BODY = '{"payableOnly": true}'
_ERROR = '{"errorType": "%s", "debugMessage": "why", "traceId": "c0ffee"}'
_BASIC = "> Authorization: Basic dXNlcjpwYXNzd29yZA==     (user:password)"
_JSON = "> Content-Type: application/json"

_TURNED_AWAY = "< 401 Unauthorized     (or 403 Forbidden)"
_BAD_BODY = f"""< 400 Bad Request
< Content-Type: application/json
< {_ERROR % "InvalidRequest"}"""


def _searched(authorization: str | None, body: str = _BODY, answer: str = "") -> str:
    lines = ["> POST /v1/orders/search", authorization, _JSON, f"> {body}" if body else "> (an empty body)", answer]
    return "\n".join(each for each in lines if each)


def _refused(body: str) -> str:
    return f"> POST /v1/orders\n{_BASIC}\n{_JSON}\n> {body}\n{_BAD_BODY}"


_CUT_OFF = _refused('{"items": [')
_FOUND = '< 200 OK\n< Content-Type: application/json\n< {"data": [...]}'

_REST: Mapping[str, str] = {
    "refuses-missing-credentials": _searched(None, answer=_TURNED_AWAY),
    "refuses-a-wrong-password": _searched(
        "> Authorization: Basic dXNlcjp3cm9uZw==     (user:wrong)", answer=_TURNED_AWAY
    ),
    "refuses-a-wrong-username": _searched(
        "> Authorization: Basic d3Jvbmc6cGFzc3dvcmQ=     (wrong:password)", answer=_TURNED_AWAY
    ),
    "refuses-another-scheme": _searched("> Authorization: Bearer user:password", answer=_TURNED_AWAY),
    "strangers-change-nothing": """> POST /v1/orders/ord-1013/record-payment
> Authorization: Basic dXNlcjp3cm9uZw==     (user:wrong)
> {"paymentIntentId": "pi_1", "paidAmount": {"value": 1, "currencyCode": "GBP"}}
< 401 Unauthorized     (or 403 Forbidden)
> GET /v1/orders/ord-1013     (with the right credentials)
< 200 OK
< {"id": "ord-1013", ..., "payments": []}""",
    "refuses-a-body-that-is-not-json": _CUT_OFF,
    "answers-an-unreadable-body-with-an-epos-error": _CUT_OFF,
    "refuses-an-array-as-body": _refused("[]"),
    "refuses-an-empty-body": _refused("(an empty body)"),
    "refuses-a-query-that-is-not-json": _searched(_BASIC, '{"payableOnly":', _BAD_BODY),
    "survives-an-empty-query": _searched(_BASIC, "", f"{_FOUND}\nor a refusal that is no server error:\n{_BAD_BODY}"),
    "answers-as-json": _searched(_BASIC, answer=_FOUND),
    "accepts-a-charset": _searched(_BASIC, answer=_FOUND).replace(_JSON, f"{_JSON}; charset=utf-8"),
    "accepts-header-names-in-any-case": _searched(_BASIC, answer=_FOUND)
    .replace("> Authorization", "> AUTHORIZATION")
    .replace("> Content-Type", "> CONTENT-TYPE"),
    "percent-decodes-ids": f"""> GET /v1/orders/ord%2D1013
{_BASIC}
< 200 OK
< {{"id": "ord-1013", ...}}""",
    "unknown-path-is-not-found": f"> GET /v1/no-such-thing\n{_BASIC}\n< 404 Not Found",
    "unknown-path-answers-an-epos-error": f"""> GET /v1/no-such-thing
{_BASIC}
< 404 Not Found
< Content-Type: application/json
< {_ERROR % "NotFound"}""",
    "unknown-method-is-refused": f"> PATCH /v1/orders\n{_BASIC}\n< 405 Method Not Allowed     (or 404 Not Found)",
    "unknown-method-answers-an-epos-error": f"""> PATCH /v1/orders
{_BASIC}
< 405 Method Not Allowed
< Content-Type: application/json
< {_ERROR % "InvalidRequest"}""",
}


def _frame(id: str = "1", method: str = "ListAreasV1", params: str = '{"headers": {}}', more: str = "") -> str:
    return f'> {{"id": "{id}", "method": "{method}", "jsonrpc": "2.0", "params": {params}{more}}}'


_AREAS = '"result": [{"id": "area-1", "name": "Main Room"}]'


def _reply(id: str = "1", what: str = _AREAS, method: str = "ListAreasV1") -> str:
    return f'< {{"id": "{id}", "jsonrpc": "2.0", "method": "{method}", {what}}}'


_REFUSED = f'"error": {_ERROR % "InvalidRequest"}'
_UNKNOWN = f'"error": {_ERROR % "NotFound"}'
_USUAL = f"{_frame()}\n{_reply()}"
_MANY = f"""{_frame("1")}
{_frame("2", "GetOrderByIdV1", '{"orderId": "ord-1013", "headers": {}}')}
{_frame("3", "GetOrderByIdV1", '{"orderId": "ord-1053", "headers": {}}')}
{_reply("3", '"result": {"id": "ord-1053", ...}', "GetOrderByIdV1")}
{_reply()}
{_reply("2", '"result": {"id": "ord-1013", ...}', "GetOrderByIdV1")}"""
_HANDSHAKE = """the EPOS dials:
< GET /epos
< Upgrade: websocket
< Authorization: Basic sk_sandbox_...     (the key as it is)
< software-house-id: my-software-house
< reseller-id: my-reseller
> 101 Switching Protocols"""


def _dials_again(end: str) -> str:
    return f"{_HANDSHAKE}\n{end}\nthe EPOS dials again, after a moment:\n< GET /epos     (as before)\n" + (
        "> 101 Switching Protocols"
    )


_WS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "authorization-names-the-basic-scheme",
            "authorization-carries-the-raw-key",
            "sends-the-software-house-id",
            "sends-the-reseller-id",
            "key-has-a-known-prefix",
        ),
        _HANDSHAKE,
    ),
    **dict.fromkeys(
        (
            "reply-carries-the-id",
            "reply-carries-the-json-rpc-version",
            "reply-has-a-result-or-an-error",
            "reply-never-has-both-result-and-error",
            "echoes-the-method",
            "answers-a-request-once",
            "works-with-empty-headers",
        ),
        _USUAL,
    ),
    "error-is-an-epos-error": f"""{_frame("1", "GetOrderByIdV1", '{"orderId": "nobody-has-this", "headers": {}}')}
{_reply(what=_UNKNOWN, method="GetOrderByIdV1")}""",
    "answers-every-request-in-flight": _MANY,
    "keeps-concurrent-replies-apart": _MANY,
    "unknown-method-is-an-error": f"{_frame(method='NoSuchThingV1')}\n{_reply(what=_UNKNOWN, method='NoSuchThingV1')}",
    "works-with-full-headers": f"""> {{"id": "1", "method": "ListAreasV1", "jsonrpc": "2.0", "params": {{"headers": {{
>   "waiterId": "w-1", "dojoRequestingProduct": "PayAtTable", "deviceId": "d-1", "deviceType": "PAX_A920"}}}}}}
{_reply()}""",
    "ignores-unknown-members-of-a-request": _frame(more=', "somethingNew": true') + f"\n{_reply()}",
    "takes-a-request-in-fragments": f"""> {{"id": "1", "method": "ListAr     (a frame, not the last one)
> easV1", "jsonrpc": "2.0", "params": {{"headers": {{}}}}}}     (the last one)
{_reply()}""",
    "takes-a-big-request": _frame(params='{"headers": {}, ... 100 kilobytes ...}') + f"\n{_reply()}",
    "capability-not-offered-is-an-error": f"""the EPOS does not offer GetOrderBillById:
{_frame("1", "GetOrderBillByIdV1", '{"orderId": "ord-1013", "headers": {}}')}
{_reply(what=_REFUSED, method="GetOrderBillByIdV1")}""",
    "keeps-the-session-open": f"{_USUAL}\nthe session stays, and the next request goes over it:\n"
    f"{_frame('2')}\n{_reply('2')}",
    "keeps-one-session-at-a-time": f"{_HANDSHAKE}\nas long as that session is there, the EPOS does not dial again",
    "redials-a-dropped-session": _dials_again("the connection breaks off, without a close frame"),
    "redials-after-going-away": _dials_again("> close 1001, going away"),
    "redials-after-a-restart-of-the-service": _dials_again("> close 1012, service restart"),
    "survives-a-frame-that-is-not-json": f'> {{"id":\nno answer, or an error; then, over the same session:\n{_USUAL}',
    "survives-json-that-is-not-a-request": f"> 42\nno answer, or an error; then, over the same session:\n{_USUAL}",
    "answers-a-ping": "> ping, with 4 bytes of data: e2 82 ac 21\n< pong, with the same: e2 82 ac 21",
}

_EVENT = """< POST /epos/events
< Authorization: Basic sk_sandbox_...     (the key as it is)
< software-house-id: my-software-house
< reseller-id: my-reseller
< version: 2026-02-27
< Content-Type: application/json
< {"eventType": "%s", "event": {"%s": "%s"}}
> 200 OK"""
_KINDS = {
    "order": ("OrderUpdated", "orderId", "ord-1013"),
    "party": ("PartyUpdated", "partyId", "par-1052"),
    "reservation": ("ReservationUpdated", "reservationId", "res-1052"),
}
#: What an event is told of -> the request that brings it about.
_CHANGES = {
    "created-order": "POST /v1/orders",
    "paid-order": "POST /v1/orders/ord-1013/record-payment",
    "canceled-order": "DELETE /v1/orders/ord-1013",
    "created-party": "POST /v1/parties",
    "updated-party": "PUT /v1/parties/par-1052",
    "deleted-party": "DELETE /v1/parties/par-1052",
    "created-reservation": "POST /v1/reservations",
    "updated-reservation": "PUT /v1/reservations/res-1052",
    "deleted-reservation": "DELETE /v1/reservations/res-1052",
}


def _event(rule: str) -> str:
    change = rule.removeprefix("tells-of-").partition("-")[2]
    name = change if change in _CHANGES else "paid-order"
    told = _EVENT % _KINDS[name.rpartition("-")[2]]
    if rule == "id-is-the-one-dojo-reads":
        told += '\n> GET /v1/orders/ord-1013\n< 200 OK\n< {"id": "ord-1013", ...}'
    return f"> {_CHANGES[name]}\n< 200 OK\nthen, from the EPOS to Dojo:\n{told}"


_REGISTERED = """< PUT /epos/integrations/rest
< Authorization: Basic sk_sandbox_...     (the key as it is)
< software-house-id: my-software-house
< Content-Type: application/json
< {"url": "https://till.example/dojo",
<  "auth": {"authType": "basic", "basic": {"username": "user", "password": "password"}},
<  "capabilities": [
%s]}
> 200 OK"""
_LOCKS = ("CreateOrderLock", "ExtendOrderLock", "DeleteOrderLock")
_NEEDED = ("SearchOrders", "GetOrderById", "RecordOrderPaymentById")


def _registration(rule: str) -> str:
    names = (*_NEEDED, *_LOCKS) if "lock" in rule else _NEEDED
    told = _REGISTERED % ",\n".join(f'<   {{"name": "{each}", "version": "v1"}}' for each in names)
    if rule == "can-be-retrieved":
        told += """
and later, with the same key and software-house-id:
< GET /epos/integrations
> 200 OK
> {"restIntegrations": [{"url": "https://till.example/dojo", "capabilities": [...]}]}"""
    elif rule == "registered-capabilities-answer":
        told += f"\nand each of them is answered, such as:\n{_searched(_BASIC, answer=_FOUND)}"
    elif rule == "url-is-base-or-template":
        told += '\nor, as a template: "url": "https://till.example/epos?order={orderId}"'
    return told


_FLOW = """the EPOS tester tool is told to run a flow:
> POST /epos-tester-tool/flows
> {"flow": "Get Order", "params": {}}
and asked until it has ended:
> GET /epos-tester-tool/flows/d172d20e-fcd1-4048-9a12-c61f8e717c26
< {"flowName": "Get Order", "status": "SUCCESS", "steps": [...]}"""


def shown(rule: Rule) -> Iterator[str]:
    """The lines that show how *rule*, which is about no capability, is kept."""
    prefix, _, name = rule.id.partition(".")
    yield from _SHOWN[prefix](name).splitlines()


def _journey(name: str) -> str:
    steps = _stories.STEPS[name].strip().splitlines()
    return "\n".join(["every step succeeds:", *(f"{number}. {each}" for number, each in enumerate(steps, 1))])


_SHOWN: Mapping[str, Any] = {
    "rest": _REST.__getitem__,
    "ws": _WS.__getitem__,
    "pos-events": _event,
    "registration": _registration,
    "flows": lambda _: _FLOW,
    "journeys": _journey,
}
