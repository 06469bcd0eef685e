"""
Mistakes in reading bodies, and in declaring them.
"""

from __future__ import annotations

import json

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from epos_conformance._contracts import Capability
from epos_conformance.reference.errors import invalid
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.rest import RestShell


_NOT_JSON = "rest.refuses-a-body-that-is-not-json"
_ARRAY = "rest.refuses-an-array-as-body"
_EMPTY = "rest.refuses-an-empty-body"
_QUERY = "rest.refuses-a-query-that-is-not-json"
_EMPTY_QUERY = "rest.survives-an-empty-query"


@defect(
    "bad-json-crashes",
    breaks=[_NOT_JSON, _EMPTY, _QUERY, _EMPTY_QUERY],
    also=["*.wrong-types-are-refused", "rest.answers-an-unreadable-body-with-an-epos-error"],
)
class BadJsonCrashes(RestShell):
    """
    Nobody catches what the JSON parser throws.
    """

    def parse(self, body: bytes, capability: Capability, request: Request) -> Json:
        try:
            found = json.loads(body)
        except ValueError as reason:
            raise RuntimeError("unhandled") from reason
        if not isinstance(found, dict):
            raise invalid("the body is not a JSON object")
        return found


@defect("bad-json-meets-the-framework", breaks=["rest.answers-an-unreadable-body-with-an-epos-error"])
class BadJsonMeetsTheFramework(RestShell):
    """
    The framework refuses what it can't parse, in words of its own, before any of our code runs.
    """

    async def call(self, request: Request, capability: Capability, ids: Mapping[str, str]) -> Response:
        try:
            json.loads(await request.body() or b"{}")
        except ValueError:
            return PlainTextResponse("Bad Request: could not parse JSON", 400)
        return await super().call(request, capability, ids)


@defect("empty-bodies-crash", breaks=[_EMPTY, _EMPTY_QUERY])
class EmptyBodiesCrash(RestShell):
    """
    A body of nothing becomes a null, which has no members.
    """

    def parse(self, body: bytes, capability: Capability, request: Request) -> Json:
        if not body:
            raise AttributeError("'NoneType' object has no attribute 'get'")
        return super().parse(body, capability, request)


@defect("empty-queries-crash", breaks=[_EMPTY_QUERY])
class EmptyQueriesCrash(RestShell):
    """
    A search without a body crashes.
    """

    def parse(self, body: bytes, capability: Capability, request: Request) -> Json:
        if not body and capability.name.startswith("Search"):
            raise EOFError("no content to map due to end-of-input")
        return super().parse(body, capability, request)


@defect("arrays-crash", breaks=[_ARRAY, _QUERY])
class ArraysCrash(RestShell):
    """
    A body is taken for an object, whatever it is.
    """

    def parse(self, body: bytes, capability: Capability, request: Request) -> Json:
        if body.lstrip().startswith(b"["):
            raise AttributeError("'list' object has no attribute 'get'")
        return super().parse(body, capability, request)


@defect("arrays-are-unpacked", breaks=[_ARRAY], also=[_QUERY])
class ArraysAreUnpacked(RestShell):
    """
    Of a list of requests the first is answered, and of an empty one it is not there.
    """

    def loads(self, body: bytes) -> Any:
        found = super().loads(body)
        if isinstance(found, list):
            # Not the IndexError that `parse` would take for bad JSON.
            return dict(enumerate(found))[0]
        return found


@defect("bad-queries-find-everything", breaks=[_QUERY])
class BadQueriesFindEverything(RestShell):
    """
    A search that cannot be read is one without filters.
    """

    def loads(self, body: bytes) -> Any:
        try:
            found = super().loads(body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@defect("answers-are-declared-as-text", breaks=["rest.answers-as-json"])
class AnswersAreDeclaredAsText(RestShell):
    """
    JSON is sent as text/html, the default of the language.
    """

    def json(self, value: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
        response = super().json(value, status, headers)
        response.headers["content-type"] = "text/html; charset=UTF-8"
        return response


@defect("answers-are-not-declared", breaks=["rest.answers-as-json"])
class AnswersAreNotDeclared(RestShell):
    """
    Answers carry no Content-Type.
    """

    def json(self, value: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
        response = super().json(value, status, headers)
        del response.headers["content-type"]
        return response


@defect("charset-is-refused", breaks=["rest.accepts-a-charset"])
class CharsetIsRefused(RestShell):
    """
    The Content-Type has to be application/json to the letter.
    """

    def parse(self, body: bytes, capability: Capability, request: Request) -> Json:
        if body and request.headers.get("content-type") != "application/json":
            raise invalid("only application/json is understood")
        return super().parse(body, capability, request)


@defect("charset-crashes", breaks=["rest.accepts-a-charset"])
class CharsetCrashes(RestShell):
    """
    The charset that a body declares is looked up in a table that has no entry for utf-8 in lower case.
    """

    def parse(self, body: bytes, capability: Capability, request: Request) -> Json:
        _, declared, charset = request.headers.get("content-type", "").partition("charset=")
        if declared:
            {"UTF-8": "utf_8", "ISO-8859-1": "latin_1"}[charset]
        return super().parse(body, capability, request)
