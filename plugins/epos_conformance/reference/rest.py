"""
The reference EPOS over HTTP: the part of a partner's web service that its programmers write.

An ASGI application, made of Starlette's requests and responses. It routes by itself, because a framework that decodes
the whole path first takes the slash inside an id for one between two segments.
"""

from __future__ import annotations

import binascii
import hmac
import json
import logging

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from epos_conformance._contracts import Capability, capabilities
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, invalid
from epos_conformance.reference.records import Json


log = logging.getLogger(__name__)

#: Dojo's headers, and what WebSocket calls them.
HEADERS = {
    "waiter-id": "waiterId",
    "dojo-requesting-product": "dojoRequestingProduct",
    "device-id": "deviceId",
    "device-type": "deviceType",
}

STATUSES = {"NotFound": 404, "InvalidRequest": 400, "Conflict": 409, "UnexpectedError": 500}


@dataclass(frozen=True, slots=True)
class Target:
    """
    What a request is addressed to.
    """

    #: None where the contract knows no such path, or no such method for it.
    capability: Capability | None
    #: Still percent-encoded.
    ids: Mapping[str, str]
    #: The methods the path is known with.
    methods: tuple[str, ...]


@cache
def routes() -> list[tuple[list[str], Capability]]:
    """The segments of every path; those with the most literal ones come first."""
    found = [(each.path.split("/"), each) for each in capabilities().values()]
    return sorted(found, key=lambda route: sum(part.startswith("{") for part in route[0]))


class RestShell:
    """
    Authentication, addresses, bodies and statuses; everything else is the EPOS's.
    """

    #: What uvicorn reads the wire with; see `header_names` for the other one.
    http: Any = "h11"

    def __init__(self, epos: ReferenceEpos, *, user: str = "dojo", password: str = "reference") -> None:  # noqa: S107 - told to everybody
        self.epos = epos
        self.user = user
        self.password = password

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self.respond(request)
        except ClientDisconnect:
            return
        response.headers["date"] = format_datetime(self.epos.now(), usegmt=True)
        await self.send(response, scope, receive, send)

    async def send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        """Puts *response* on the wire."""
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The response to *request*, whatever happens."""
        target = self.find(request.method, self.path_of(request))
        try:
            if not self.is_authorized(request, target):
                return self.unauthorized()
            if target.capability is None:
                return self.unroutable(target)
            return await self.call(request, target.capability, target.ids)
        except EposError as error:
            return self.failure(error, target.capability)
        except ClientDisconnect:
            raise
        except Exception as reason:
            log.exception("%s %s failed", request.method, request.url.path)
            return self.crash(reason, target.capability)

    async def call(self, request: Request, capability: Capability, ids: Mapping[str, str]) -> Response:
        """The response of *capability*."""
        params = self.parse(await request.body(), capability, request) if capability.request is not None else {}
        # The address wins over a member of the same name.
        params = {**params, **{name: self.decode(value) for name, value in ids.items()}}
        await self.pause(capability)
        result = await self.answer(capability, params, self.dojo_headers(request))
        return self.success(capability, result)

    async def answer(self, capability: Capability, params: Json, headers: Mapping[str, str]) -> Any:
        """What the EPOS answers; in a thread of its own where it may have to wait."""
        if self.epos.in_threads:
            return await run_in_threadpool(self.epos.answer, capability.name, params, headers)
        return self.epos.answer(capability.name, params, headers)

    async def pause(self, capability: Capability) -> None:
        """The work that *capability* takes elsewhere: none."""

    # -- addresses ------------------------------------------------------------------------------------------------

    def path_of(self, request: Request) -> str:
        """The path as it was sent, percent-encoding and all."""
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        return raw.decode("latin-1")

    def find(self, method: str, path: str) -> Target:
        """What *method* on *path* means."""
        segments = path.split("/")
        methods = []
        for parts, capability in routes():
            ids = self.match(parts, segments)
            if ids is None or capability.name not in self.epos.offered():
                continue
            if capability.http_method == method:
                return Target(capability, ids, ())
            methods.append(capability.http_method)
        return Target(None, {}, tuple(methods))

    def match(self, parts: list[str], segments: list[str]) -> Mapping[str, str] | None:
        """The ids in *segments*, or None where they are of another path than *parts*."""
        if len(parts) != len(segments):
            return None
        ids = {}
        for part, segment in zip(parts, segments, strict=True):
            if part.startswith("{") and segment:
                ids[part[1:-1]] = segment
            elif part != segment:
                return None
        return ids

    def decode(self, segment: str) -> str:
        """The id that a *segment* of the path stands for."""
        try:
            return unquote_to_bytes(segment).decode()
        except UnicodeDecodeError as reason:
            raise invalid(f"the id {segment!r} is not UTF-8") from reason

    # -- requests -------------------------------------------------------------------------------------------------

    def is_authorized(self, request: Request, target: Target) -> bool:
        """Whether *request* carries our credentials."""
        given = self.credentials(request.headers.get("authorization"))
        return given is not None and self.is_known(*given)

    def credentials(self, header: str | None) -> tuple[str, str] | None:
        """User name and password of a Basic *header*; None where there are none in it."""
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = b64decode(token.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        return (user, password) if colon else None

    def is_known(self, user: str, password: str) -> bool:
        """Whether those are our credentials; equally long in finding out, however wrong they are."""
        names = hmac.compare_digest(user.encode(), self.user.encode())
        return hmac.compare_digest(password.encode(), self.password.encode()) and names

    def parse(self, body: bytes, capability: Capability, request: Request) -> Json:
        """The members of *body*; nothing at all will do where nothing is required."""
        if not body.strip() and not capability.requires_members:
            return {}
        try:
            found = self.loads(body)
        except (ValueError, RecursionError) as reason:
            raise invalid(f"the body is not JSON: {reason}") from reason
        if not isinstance(found, dict):
            raise invalid("the body is not a JSON object")
        return found

    def loads(self, body: bytes) -> Any:
        """The JSON value of *body*; 5.0 is the integer it equals, and NaN is none."""
        return json.loads(body, parse_float=number, parse_constant=refused)

    def dojo_headers(self, request: Request) -> dict[str, str]:
        """Those of Dojo's headers that were sent."""
        headers = request.headers
        return {name: headers[header] for header, name in HEADERS.items() if header in headers}

    # -- responses ------------------------------------------------------------------------------------------------

    def success(self, capability: Capability, result: Any) -> Response:
        """The response to a call that went well; deletions have nothing to tell."""
        if self.has_no_content(capability):
            return Response(status_code=self.success_status(capability))
        return self.json(result, self.success_status(capability))

    def has_no_content(self, capability: Capability) -> bool:
        return capability.name in ("DeletePartyById", "DeleteReservationById")

    def success_status(self, capability: Capability) -> int:
        return 200

    def failure(self, error: EposError, capability: Capability | None) -> Response:
        """The response to a call that was refused."""
        return self.json(self.epos.error_body(error), self.error_status(error))

    def error_status(self, error: EposError) -> int:
        return STATUSES[error.error_type]

    def crash(self, reason: Exception, capability: Capability | None) -> Response:
        """The response to a call that an error of ours ended."""
        return self.failure(EposError("UnexpectedError", f"{type(reason).__name__} in the till"), capability)

    def unauthorized(self) -> Response:
        """The response to a request with credentials that are missing or wrong."""
        body = self.epos.error_body(invalid("the credentials are missing or wrong"))
        return self.json(body, 401, {"www-authenticate": 'Basic realm="EPOS", charset="UTF-8"'})

    def unroutable(self, target: Target) -> Response:
        """The response to a request that addresses nothing."""
        if target.methods:
            return self.wrong_method(target.methods)
        return self.json(self.epos.error_body(EposError("NotFound", "there is nothing at this path")), 404)

    def wrong_method(self, methods: tuple[str, ...]) -> Response:
        """The response to a method that a known path does not have."""
        body = self.epos.error_body(invalid(f"this path answers to {' and '.join(methods)}"))
        return self.json(body, 405, {"allow": ", ".join(methods)})

    def json(self, value: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """A response with a JSON body."""
        content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return Response(content, status, headers, "application/json")


def number(text: str) -> float | int:
    """What JSON spells *text*: 5.0 is the integer it equals."""
    value = float(text)
    return int(value) if value.is_integer() else value


def refused(text: str) -> Any:
    """Raises `ValueError`: NaN and the infinities are no JSON."""
    raise ValueError(f"{text} is not JSON")
