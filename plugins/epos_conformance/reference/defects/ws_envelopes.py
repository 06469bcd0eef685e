"""
Mistakes with what stands around a result or an error.
"""

from __future__ import annotations

from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.reference.errors import EposError
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import ProtocolFault, Request, SocketShell


_VERSION = "ws.reply-carries-the-json-rpc-version"
_NEITHER = "ws.reply-has-a-result-or-an-error"
_BOTH = "ws.reply-never-has-both-result-and-error"
_ERROR = "ws.error-is-an-epos-error"

#: A reply that cannot be made out answers nothing.
_UNREADABLE = ["*"]

#: An error that looks like a success is no refusal.
_NO_REFUSAL = ["*"]

#: What asks for an error of a certain type.
_TYPED = (
    "*.unknown-id-is-not-found",
    "*.bad-requests-are-invalid-requests",
    "*.missing-members-are-refused",
    "*.wrong-types-are-refused",
    "*.scalars-are-not-coerced",
    "*.errors-*",
    "*.refuses-*",
    "*.cannot-be-*",
    "ws.*",
)


# The version


@defect("ws-no-version", breaks=[_VERSION])
class NoVersion(SocketShell):
    """
    Replies have no jsonrpc.
    """

    def version(self) -> Json:
        return {}


@defect("ws-version-1", breaks=[_VERSION])
class Version1(SocketShell):
    """
    Replies are made by an old library: jsonrpc is "1.0".
    """

    def version(self) -> Json:
        return {"jsonrpc": "1.0"}


@defect("ws-version-is-a-number", breaks=[_VERSION])
class VersionIsANumber(SocketShell):
    """
    jsonrpc is the number 2.0.
    """

    def version(self) -> Json:
        return {"jsonrpc": 2.0}


@defect("ws-version-in-camel-case", breaks=[_VERSION])
class VersionInCamelCase(SocketShell):
    """
    The serialiser makes jsonRpc of the property's name.
    """

    def version(self) -> Json:
        return {"jsonRpc": "2.0"}


@defect("ws-errors-have-no-version", breaks=[_VERSION])
class ErrorsHaveNoVersion(SocketShell):
    """
    Errors are put together by hand, and jsonrpc was forgotten.
    """

    def failure(self, request: Request, error: EposError) -> Json | None:
        reply = super().failure(request, error)
        return reply and {name: value for name, value in reply.items() if name != "jsonrpc"}


# Result and error


@defect("ws-deletions-answer-nothing", breaks=[_NEITHER, "DeletePartyById.answer-matches-schema"], also=["Delete*"])
class DeletionsAnswerNothing(SocketShell):
    """
    The reply to a deletion has no result: there is nothing to tell, and null is left out.
    """

    def outcome(self, request: Request, capability: Capability, result: Any) -> Json:
        return {} if capability.name.startswith("Delete") else super().outcome(request, capability, result)


@defect(
    "ws-empty-results-are-left-out",
    breaks=[_NEITHER, "HandleEvent.answer-matches-schema"],
    also=["Delete*", "HandleEvent.*", "ListAreas.*"],
)
class EmptyResultsAreLeftOut(SocketShell):
    """
    The serialiser leaves out what is empty: an empty object has no result.
    """

    def outcome(self, request: Request, capability: Capability, result: Any) -> Json:
        return super().outcome(request, capability, result) if result else {}


@defect("ws-errors-are-blank", breaks=[_NEITHER], also=_NO_REFUSAL)
class ErrorsAreBlank(SocketShell):
    """
    A refusal has neither: it goes to the log.
    """

    def error_outcome(self, request: Request, error: Any) -> Json:
        return {}


@defect("ws-errors-beside-an-empty-result", breaks=[_BOTH], also=_NO_REFUSAL)
class ErrorsBesideAnEmptyResult(SocketShell):
    """
    Replies are objects of a class whose result is made with it: an error stands beside an empty result.
    """

    def error_outcome(self, request: Request, error: Any) -> Json:
        return {"result": {}, "error": error}


@defect("ws-results-beside-an-empty-error", breaks=[_BOTH], also=_UNREADABLE)
class ResultsBesideAnEmptyError(SocketShell):
    """
    A result stands beside an error without members.
    """

    def outcome(self, request: Request, capability: Capability, result: Any) -> Json:
        return {**super().outcome(request, capability, result), "error": {}}


@defect("ws-results-beside-the-error-none", breaks=[_BOTH], also=_UNREADABLE)
class ResultsBesideTheErrorNone(SocketShell):
    """
    A result stands beside an error of the type None, which is how the till says that there was none.
    """

    def outcome(self, request: Request, capability: Capability, result: Any) -> Json:
        return {**super().outcome(request, capability, result), "error": {"errorType": "None"}}


# Errors


@defect("ws-errors-are-code-and-message", breaks=[_ERROR], also=_TYPED)
class ErrorsAreCodeAndMessage(SocketShell):
    """
    Errors are those of JSON-RPC: a code and a message, and no errorType.
    """

    def error_body(self, error: EposError) -> Any:
        code = error.code if isinstance(error, ProtocolFault) else -32000
        return {"code": code, "message": error.debug_message}


@defect("ws-error-type-is-data", breaks=[_ERROR], also=_TYPED)
class ErrorTypeIsData(SocketShell):
    """
    The library has a code and a message, and puts the EPOSError into the member data.
    """

    def error_body(self, error: EposError) -> Any:
        return {"code": -32000, "message": error.debug_message, "data": super().error_body(error)}


@defect("ws-errors-are-texts", breaks=[_ERROR], also=_TYPED)
class ErrorsAreTexts(SocketShell):
    """
    An error is the text of the exception.
    """

    def error_body(self, error: EposError) -> Any:
        return str(error)


@defect("ws-error-type-is-a-number", breaks=[_ERROR], also=_TYPED)
class ErrorTypeIsANumber(SocketShell):
    """
    The serialiser writes the errorType as the number of its constant.
    """

    def error_body(self, error: EposError) -> Any:
        names = ("NotFound", "UnexpectedError", "InvalidRequest", "Conflict")
        return {**self.epos.error_body(error), "errorType": names.index(error.error_type)}


@defect("ws-errors-are-results", breaks=["ws.unknown-method-is-an-error"], also=_NO_REFUSAL)
class ErrorsAreResults(SocketShell):
    """
    An error is inside the result, where everything else is.
    """

    def error_outcome(self, request: Request, error: Any) -> Json:
        return {"result": {"error": error}}


# The method


@defect("ws-method-loses-its-version", breaks=["ws.echoes-the-method"])
class MethodLosesItsVersion(SocketShell):
    """
    The method of a reply is told without V1.
    """

    def method_of(self, request: Request) -> Json:
        return {"method": request.method.removesuffix("V1")}
