"""
What every reply owes JSON-RPC, whatever was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from epos_conformance.exchange import ERROR_TYPES, is_error_object
from epos_conformance.websocket.messages import VERSION


ID = "ws.reply-carries-the-id"
JSON_RPC = "ws.reply-carries-the-json-rpc-version"
EITHER = "ws.reply-has-a-result-or-an-error"
NOT_BOTH = "ws.reply-never-has-both-result-and-error"
ERROR = "ws.error-is-an-epos-error"
METHOD = "ws.echoes-the-method"

#: Rule -> what a reply should have.
WANTED = {
    ID: "the id of the request, as the same text",
    JSON_RPC: f'"jsonrpc": "{VERSION}"',
    EITHER: "a result or an error",
    NOT_BOTH: "either a result or an error",
    ERROR: f"an error with an errorType, one of {', '.join(ERROR_TYPES)}",
    METHOD: "the method of the request",
}


def broken(id: str, method: str, reply: Mapping[str, Any]) -> Iterator[str]:
    """
    The rules that *reply*, to the request *id* of *method*, breaks.

    An error of null is no error: serialisers write down what there isn't. The errors of methods that Dojo never calls
    (*method* is empty) may be those of a JSON-RPC library.
    """
    if reply.get("id") != id:
        yield ID
    if reply.get("jsonrpc") != VERSION:
        yield JSON_RPC
    error, result = reply.get("error"), reply.get("result")
    if error is None and "result" not in reply:
        yield EITHER
    if error is not None and result is not None:
        yield NOT_BOTH
    if method and ((error is not None and not _is_epos_error(error)) or (error is None and is_error_object(result))):
        yield ERROR
    if method and reply.get("method") != method:
        yield METHOD


def _is_epos_error(error: Any) -> bool:
    return isinstance(error, dict) and error.get("errorType") in ERROR_TYPES
