"""
Mistakes with paths, methods and the names of headers.
"""

from __future__ import annotations

from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from epos_conformance._contracts import Capability
from epos_conformance.reference.errors import invalid
from epos_conformance.reference.faults import defect
from epos_conformance.reference.header_names import NamesAsSent, sent_names
from epos_conformance.reference.records import Json
from epos_conformance.reference.rest import RestShell, Target


_PATH = "rest.unknown-path-is-not-found"
_PATH_ERROR = "rest.unknown-path-answers-an-epos-error"
_METHOD = "rest.unknown-method-is-refused"
_METHOD_ERROR = "rest.unknown-method-answers-an-epos-error"
_DECODE = "rest.percent-decodes-ids"

#: An id with reserved characters cannot be reached at all.
_UNREACHABLE = ("*.answer-matches-schema", "*.rows-can-be-fetched", "*.rows-agree-with-*", "GetOrderById.*")


@defect("ids-stay-encoded", breaks=[_DECODE], also=_UNREACHABLE)
class IdsStayEncoded(RestShell):
    """
    Ids are taken from the path as they stand there.
    """

    def decode(self, segment: str) -> str:
        return segment


@defect("slashes-split-ids", breaks=[_DECODE], also=_UNREACHABLE)
class SlashesSplitIds(RestShell):
    """
    The path is decoded before it is split, so that an id with a slash becomes two segments.
    """

    def path_of(self, request: Request) -> str:
        return str(request.scope["path"])

    def decode(self, segment: str) -> str:
        return segment


@defect("ids-are-latin-1", breaks=[_DECODE], also=_UNREACHABLE)
class IdsAreLatin1(RestShell):
    """
    Percent-encoded bytes are read in the code page of the till.
    """

    def decode(self, segment: str) -> str:
        return unquote_plus(segment, encoding="latin-1")


@defect("unknown-paths-show-the-app", breaks=[_PATH, _PATH_ERROR], also=["rest.answers-as-json"])
class UnknownPathsShowTheApp(RestShell):
    """
    An unknown path answers with the start page of the back office, for it to find its way.
    """

    def unroutable(self, target: Target) -> Response:
        if target.methods:
            return super().unroutable(target)
        return HTMLResponse('<!doctype html><div id="app"></div><script src="/main.js"></script>')


@defect("unknown-paths-are-plain", breaks=[_PATH_ERROR])
class UnknownPathsArePlain(RestShell):
    """
    An unknown path answers with the framework's 404.
    """

    def unroutable(self, target: Target) -> Response:
        return super().unroutable(target) if target.methods else PlainTextResponse("Not Found", 404)


@defect("unknown-paths-crash", breaks=[_PATH], also=[_PATH_ERROR])
class UnknownPathsCrash(RestShell):
    """
    An unknown path is a server error.
    """

    def unroutable(self, target: Target) -> Response:
        if target.methods:
            return super().unroutable(target)
        raise LookupError("no route matched")


@defect("unknown-methods-crash", breaks=[_METHOD], also=[_METHOD_ERROR])
class UnknownMethodsCrash(RestShell):
    """
    An unknown method is a server error.
    """

    def wrong_method(self, methods: tuple[str, ...]) -> Response:
        raise NotImplementedError("no handler for this method")


@defect("unknown-methods-are-plain", breaks=[_METHOD_ERROR])
class UnknownMethodsArePlain(RestShell):
    """
    An unknown method answers with the framework's 405.
    """

    def wrong_method(self, methods: tuple[str, ...]) -> Response:
        return PlainTextResponse("Method Not Allowed", 405, {"allow": ", ".join(methods)})


@defect("unknown-methods-read", breaks=[_METHOD], also=[_METHOD_ERROR])
class UnknownMethodsRead(RestShell):
    """
    A method that has no handler is handled like the path's first one.
    """

    def find(self, method: str, path: str) -> Target:
        target = super().find(method, path)
        return super().find(target.methods[0], path) if target.methods else target


@defect("unknown-methods-answer-nothing", breaks=[_METHOD, _METHOD_ERROR])
class UnknownMethodsAnswerNothing(RestShell):
    """
    An unknown method is answered with status 200 and nothing, as for a browser that asks before it calls.
    """

    def wrong_method(self, methods: tuple[str, ...]) -> Response:
        return Response(status_code=200)


@defect("header-names-are-exact", breaks=["rest.accepts-header-names-in-any-case"])
class HeaderNamesAreExact(RestShell):
    """
    The credentials are looked for under Authorization and authorization, spelt just so.
    """

    http = NamesAsSent

    def is_authorized(self, request: Request, target: Target) -> bool:
        names = sent_names(request)
        spelt_otherwise = "authorization" in request.headers and not {"Authorization", "authorization"} & {*names}
        return not spelt_otherwise and super().is_authorized(request, target)


@defect("content-type-is-spelt-exactly", breaks=["rest.accepts-header-names-in-any-case"])
class ContentTypeIsSpeltExactly(RestShell):
    """
    A body is read where content-type, spelt as every client is believed to, says that it is JSON.
    """

    http = NamesAsSent

    def parse(self, body: bytes, capability: Capability, request: Request) -> Json:
        if "CONTENT-TYPE" in sent_names(request):
            raise invalid("415: a body without a content-type")
        return super().parse(body, capability, request)
