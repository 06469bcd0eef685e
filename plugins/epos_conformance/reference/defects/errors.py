"""
Mistakes in how an error is told.
"""

from __future__ import annotations

import re

from typing import Any

from starlette.responses import PlainTextResponse, Response

from epos_conformance._contracts import Capability
from epos_conformance.reference.defects.groups import BY_BODY, BY_ID
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.rest import RestShell


#: Rules that ask for an error of a certain type, everywhere.
_TYPED = (
    "*.unknown-id-is-not-found",
    "*.bad-requests-are-invalid-requests",
    "*.missing-members-are-refused",
    "*.wrong-types-are-refused",
    "*.scalars-are-not-coerced",
    "*.errors-*",
    "*.error-status-fits-its-type",
    "*.refuses-*",
    "*.cannot-be-*",
    "rest.*",
)


@defect("errors-say-error", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class ErrorsSayError(ReferenceEpos):
    """
    An error is an object with the member error.
    """

    def error_body(self, error: EposError) -> Any:
        return {"error": error.debug_message}


@defect("errors-are-plain-text", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class ErrorsArePlainText(RestShell):
    """
    An error is a line of text.
    """

    def failure(self, error: EposError, capability: Capability | None) -> Response:
        return PlainTextResponse(error.debug_message, self.error_status(error))


@defect("error-types-are-constants", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class ErrorTypesAreConstants(ReferenceEpos):
    """
    errorType is written NOT_FOUND, INVALID_REQUEST and so on.
    """

    def error_body(self, error: EposError) -> Any:
        constant = re.sub("(?<!^)(?=[A-Z])", "_", error.error_type).upper()
        return {**super().error_body(error), "errorType": constant}


@defect("error-types-are-our-own", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class ErrorTypesAreOurOwn(ReferenceEpos):
    """
    errorType is one of the till's own, finer ones.
    """

    def error_body(self, error: EposError) -> Any:
        return {**super().error_body(error), "errorType": f"Till{error.error_type}Exception"}


@defect(
    "conflicts-are-of-many-types",
    breaks=over("errors-are-epos-errors", "RecordOrderPaymentById"),
    also=["*.errors-are-epos-errors", "*.refuses-*", "CreateOrderLock.grants-one-of-two-at-once"],
)
class ConflictsAreOfManyTypes(ReferenceEpos):
    """
    What the state of an order forbids has an errorType of its own; bad requests and unknown ids have Dojo's.
    """

    def error_body(self, error: EposError) -> Any:
        kind = "OrderState" if error.error_type == "Conflict" else error.error_type
        return {**super().error_body(error), "errorType": kind}


@defect("locked-is-a-type", breaks=over("errors-are-epos-errors", "CreateOrderLock"), also=["*.refuses-*"])
class LockedIsAType(ReferenceEpos):
    """
    The errorType of a lock that is held already is Locked.
    """

    def error_body(self, error: EposError) -> Any:
        kind = "Locked" if error.debug_message.endswith("is locked") else error.error_type
        return {**super().error_body(error), "errorType": kind}


@defect("error-type-is-code", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class ErrorTypeIsCode(ReferenceEpos):
    """
    The type of an error is in a member called code.
    """

    def error_body(self, error: EposError) -> Any:
        return {"code": error.error_type, "debugMessage": error.debug_message}


@defect("errors-are-json-rpc", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class ErrorsAreJsonRpc(ReferenceEpos):
    """
    An error is what JSON-RPC calls one.
    """

    def error_body(self, error: EposError) -> Any:
        return {"code": -32000, "message": error.debug_message}


@defect("errors-are-problem-details", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class ErrorsAreProblemDetails(ReferenceEpos):
    """
    An error is a problem of RFC 7807, as the framework makes them.
    """

    def error_body(self, error: EposError) -> Any:
        return {"type": "about:blank", "title": error.error_type, "detail": error.debug_message}


@defect("errors-come-in-a-list", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class ErrorsComeInAList(ReferenceEpos):
    """
    Errors come as a list of them, because there may be several.
    """

    def error_body(self, error: EposError) -> Any:
        return [super().error_body(error)]


@defect("debug-message-is-a-list", breaks=["*.errors-are-epos-errors"], also=_TYPED)
class DebugMessageIsAList(ReferenceEpos):
    """
    debugMessage is the list of what the validator found.
    """

    def error_body(self, error: EposError) -> Any:
        return {**super().error_body(error), "debugMessage": error.debug_message.split("; ")}


@defect("errors-are-silent", breaks=["*.errors-carry-a-debug-message"])
class ErrorsAreSilent(ReferenceEpos):
    """
    An error tells its type and nothing more.
    """

    def error_body(self, error: EposError) -> Any:
        return {"errorType": error.error_type, "traceId": super().error_body(error)["traceId"]}


@defect("debug-message-is-empty", breaks=["*.errors-carry-a-debug-message"])
class DebugMessageIsEmpty(ReferenceEpos):
    """
    debugMessage is there and empty.
    """

    def error_body(self, error: EposError) -> Any:
        return {**super().error_body(error), "debugMessage": ""}


@defect("errors-leave-no-trace", breaks=["*.errors-carry-a-trace-id"])
class ErrorsLeaveNoTrace(ReferenceEpos):
    """
    Errors carry no traceId.
    """

    def error_body(self, error: EposError) -> Any:
        return {name: value for name, value in super().error_body(error).items() if name != "traceId"}


@defect("errors-have-status-ok", breaks=["*.error-status-fits-its-type"], also=_TYPED)
class ErrorsHaveStatusOk(RestShell):
    """
    The status is 200 whatever happens; the body tells the rest.
    """

    def error_status(self, error: EposError) -> int:
        return 200


@defect(
    "everything-is-bad-request",
    breaks=over("error-status-fits-its-type", *BY_ID),
    also=["*.refuses-a-second-lock-with-http-conflict"],
)
class EverythingIsBadRequest(RestShell):
    """
    Whatever is refused has status 400.
    """

    def error_status(self, error: EposError) -> int:
        return 400


@defect("bad-request-is-not-acceptable", breaks=over("error-status-fits-its-type", *BY_BODY))
class BadRequestIsNotAcceptable(RestShell):
    """
    An InvalidRequest has status 406, which is about something else.
    """

    def error_status(self, error: EposError) -> int:
        return 406 if error.error_type == "InvalidRequest" else super().error_status(error)


@defect(
    "errors-are-server-errors",
    breaks=["*.error-status-fits-its-type", "*.missing-members-are-refused", "*.wrong-types-are-refused"],
    also=_TYPED,
)
class ErrorsAreServerErrors(RestShell):
    """
    Every error has status 500.
    """

    def error_status(self, error: EposError) -> int:
        return 500


@defect(
    "not-found-is-no-content",
    breaks=["*.unknown-id-is-not-found"],
    also=["*.errors-*", "*.error-status-fits-its-type", "*.cannot-be-*", "rest.unknown-path-*"],
)
class NotFoundIsNoContent(RestShell):
    """
    What does not exist is answered with status 204 and no body.
    """

    def failure(self, error: EposError, capability: Capability | None) -> Response:
        return Response(status_code=204) if error.error_type == "NotFound" else super().failure(error, capability)
