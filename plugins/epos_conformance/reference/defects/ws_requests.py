"""
Mistakes with what a request may hold, and with methods that there are not.
"""

from __future__ import annotations

from websockets.asyncio.client import ClientConnection

from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import invalid
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import NO_REQUEST, ProtocolFault, Request, SocketShell


_UNKNOWN = "ws.unknown-method-is-an-error"
_NOT_OFFERED = "ws.capability-not-offered-is-an-error"
_EMPTY = "ws.works-with-empty-headers"
_FULL = "ws.works-with-full-headers"
_EXTRA = "ws.ignores-unknown-members-of-a-request"
_NO_PARAMS = "ListAreas.works-without-params"

#: Where each request is one of that kind, none is answered.
_ANY = ["*"]

_ENVELOPE = {"id", "jsonrpc", "method", "params"}


# Methods


@defect("ws-silent-on-unknown-methods", breaks=[_UNKNOWN])
class SilentOnUnknownMethods(SocketShell):
    """
    A method that is not known is not answered: the switch has no default.
    """

    async def unknown_method(self, session: ClientConnection, request: Request) -> Json | None:
        return None


@defect("ws-unknown-method-ends-the-session", breaks=[_UNKNOWN], also=["ws.*"])
class UnknownMethodEndsTheSession(SocketShell):
    """
    A method that is not known ends the session: nobody catches the exception.
    """

    async def unknown_method(self, session: ClientConnection, request: Request) -> Json | None:
        await session.close(1011, "unhandled exception")
        return None


@defect("ws-unknown-methods-are-fine", breaks=[_UNKNOWN])
class UnknownMethodsAreFine(SocketShell):
    """
    A method that is not known is answered with an empty result.
    """

    async def unknown_method(self, session: ClientConnection, request: Request) -> Json | None:
        return self.envelope(request, {"result": {}})


class _NoBookings(ReferenceEpos):
    """
    Parties and reservations are not offered.
    """

    def offered(self) -> frozenset[str]:
        return frozenset(each for each in super().offered() if "Part" not in each and "Reservation" not in each)


@defect("ws-silent-on-what-it-lacks", breaks=[_NOT_OFFERED], layers=[_NoBookings], also=["*Part*", "*Reservation*"])
class SilentOnWhatItLacks(SocketShell):
    """
    A capability that is not offered is not answered; this EPOS has no parties and no reservations.
    """

    async def not_offered(self, session: ClientConnection, request: Request) -> Json | None:
        return None


@defect(
    "ws-what-it-lacks-ends-the-session",
    breaks=[_NOT_OFFERED],
    layers=[_NoBookings],
    also=["*Part*", "*Reservation*", "ws.*"],
)
class WhatItLacksEndsTheSession(SocketShell):
    """
    A capability that is not offered ends the session; this EPOS has no parties and no reservations.
    """

    async def not_offered(self, session: ClientConnection, request: Request) -> Json | None:
        await session.close(1008, "not offered")
        return None


# Headers


@defect("ws-headers-need-a-product", breaks=[_EMPTY], also=_ANY)
class HeadersNeedAProduct(SocketShell):
    """
    A request whose headers have no dojoRequestingProduct ends in an error of the till.
    """

    def headers_of(self, request: Request, params: Json) -> dict[str, str]:
        if "headers" in params:
            params["headers"]["dojoRequestingProduct"]
        return super().headers_of(request, params)


@defect("ws-empty-headers-are-refused", breaks=[_EMPTY], also=_ANY)
class EmptyHeadersAreRefused(SocketShell):
    """
    Headers without members are refused.
    """

    def headers_of(self, request: Request, params: Json) -> dict[str, str]:
        if params.get("headers") == {}:
            raise invalid("headers are missing")
        return super().headers_of(request, params)


@defect("ws-nobody-asks", breaks=[_EMPTY], also=_ANY)
class NobodyAsks(SocketShell):
    """
    A request whose headers name no product belongs to no part of the till, and is not answered.
    """

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        headers = request.params.get("headers") if isinstance(request.params, dict) else None
        if isinstance(headers, dict) and "dojoRequestingProduct" not in headers:
            return None
        return await super().reply(session, request)


@defect("ws-waiters-are-numbers", breaks=[_FULL], also=_ANY)
class WaitersAreNumbers(SocketShell):
    """
    The waiterId of the headers is parsed as a number, and ends in an error of the till where it is none.
    """

    def headers_of(self, request: Request, params: Json) -> dict[str, str]:
        headers = super().headers_of(request, params)
        return {**headers, "waiterId": str(int(headers["waiterId"]))} if "waiterId" in headers else headers


@defect("ws-waiters-belong-to-devices", breaks=[_FULL], also=_ANY)
class WaitersBelongToDevices(SocketShell):
    """
    A waiter is looked up at the device that the headers name, and no card machine is in that list.
    """

    def headers_of(self, request: Request, params: Json) -> dict[str, str]:
        headers = super().headers_of(request, params)
        waiters: dict[str, dict[str, str]] = {}
        if "waiterId" in headers and "deviceId" in headers:
            headers["waiterId"] = waiters[headers["deviceId"]][headers["waiterId"]]
        return headers


@defect("ws-strict-headers", breaks=[_FULL], also=_ANY)
class StrictHeaders(SocketShell):
    """
    Headers are read into a class that has no waiterId, and what it does not have is refused.
    """

    def headers_of(self, request: Request, params: Json) -> dict[str, str]:
        headers = super().headers_of(request, params)
        if "waiterId" in headers:
            raise invalid("could not find member 'waiterId' on object of type 'Headers'")
        return headers


@defect("ws-waiters-have-to-sign-on", breaks=[_FULL], also=_ANY)
class WaitersHaveToSignOn(SocketShell):
    """
    A request of a waiter is put aside until the waiter signs on at the till.
    """

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        headers = request.params.get("headers") if isinstance(request.params, dict) else None
        if isinstance(headers, dict) and "waiterId" in headers:
            return None
        return await super().reply(session, request)


# Members


@defect("ws-strict-envelope", breaks=[_EXTRA])
class StrictEnvelope(SocketShell):
    """
    A request with a member that JSON-RPC does not have is refused.
    """

    def params_of(self, request: Request) -> Json:
        if set(request.document) - _ENVELOPE:
            raise ProtocolFault(NO_REQUEST, "unrecognized field")
        return super().params_of(request)


@defect("ws-strict-envelope-is-silent", breaks=[_EXTRA])
class StrictEnvelopeIsSilent(SocketShell):
    """
    A request with a member that JSON-RPC does not have is logged and forgotten.
    """

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        return None if set(request.document) - _ENVELOPE else await super().reply(session, request)


@defect("ws-strict-envelope-ends-the-session", breaks=[_EXTRA], also=["ws.*"])
class StrictEnvelopeEndsTheSession(SocketShell):
    """
    A request with a member that JSON-RPC does not have ends the session.
    """

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        if set(request.document) - _ENVELOPE:
            await session.close(1003, "unexpected message")
            return None
        return await super().reply(session, request)


@defect("ws-areas-need-params", breaks=[_NO_PARAMS])
class AreasNeedParams(SocketShell):
    """
    A request without params ends in an error of the till.
    """

    def params_of(self, request: Request) -> Json:
        found: Json = request.document["params"]
        return found


@defect("ws-no-params-is-no-request", breaks=[_NO_PARAMS])
class NoParamsIsNoRequest(SocketShell):
    """
    A request without params is taken for none.
    """

    def is_request(self, found: object) -> bool:
        return super().is_request(found) and isinstance(found, dict) and "params" in found


@defect("ws-no-params-is-a-notification", breaks=[_NO_PARAMS])
class NoParamsIsANotification(SocketShell):
    """
    A request without params is not answered.
    """

    async def reply(self, session: ClientConnection, request: Request) -> Json | None:
        return await super().reply(session, request) if "params" in request.document else None
