"""
JSON-RPC as Dojo speaks it: what a request looks like, and which request a frame answers.
"""

from __future__ import annotations

import json
import math

from collections.abc import Iterable, Mapping
from typing import Any

from epos_conformance._contracts import Capability
from epos_conformance.exchange import NOT_JSON, no_number


#: What Dojo's headers are called over REST -> in ``params.headers``.
HEADERS = {
    "waiter-id": "waiterId",
    "dojo-requesting-product": "dojoRequestingProduct",
    "device-id": "deviceId",
    "device-type": "deviceType",
}

VERSION = "2.0"


def params_of(capability: Capability, params: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """
    The ``params`` of a request: business members and ids under the names that they have here, and Dojo's headers.
    """
    names = {each.name: each.ws for each in capability.ids}
    found = {names.get(name, name): value for name, value in params.items()}
    return {**found, "headers": {HEADERS.get(name, name): value for name, value in headers.items()}}


def request(id: str, method: str, params: Mapping[str, Any] | None, **more: Any) -> str:
    """
    A request frame; without *params* it has none at all. *more* are members beside the usual ones.
    """
    message: dict[str, Any] = {"id": id, "method": method, "jsonrpc": VERSION, **more}
    return encode(message if params is None else {**message, "params": params})


def encode(message: Any) -> str:
    """*message* as JSON; half a surrogate pair, which no frame can hold as it is, is escaped."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(message, separators=(",", ":"))
    return text


def read(frame: str) -> Any:
    """The JSON value of *frame*; `NOT_JSON` where it has none."""
    try:
        return json.loads(frame, parse_constant=no_number)
    except (ValueError, RecursionError):
        return NOT_JSON


def is_reply(message: Any) -> bool:
    """Whether *message* is meant to answer something, well or badly: a request or notification of the EPOS isn't."""
    return isinstance(message, dict) and ("result" in message or "error" in message or "method" not in message)


def answered(id: Any, waiting: Iterable[str]) -> str | None:
    """
    Which of the ids *waiting* a reply with *id* is for: the same text, or what a careless program makes of it.
    """
    if not isinstance(id, (str, int, float)) or isinstance(id, bool):
        return None
    if isinstance(id, str) and id in waiting:
        return id
    meant = loosely(id)
    return next((each for each in waiting if loosely(each) == meant), None)


def loosely(id: str | float) -> str | float:
    """What *id* has in common with whatever a careless program makes of it."""
    text = str(id).strip().strip('"').casefold()
    try:
        number = float(text)
    except ValueError:
        return text
    return text if math.isnan(number) else number
