"""
The bodies of requests: read within bounds, and compared with what they have to be.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from starlette.requests import Request

from epos_conformance import _suite, schema
from epos_conformance.exchange import no_number
from epos_conformance.sandbox.problems import Problem


#: Bytes of a body, and seconds for it to come.
MOST_BYTES = 2**20
MOST_SECONDS = 20.0

#: Bytes up to which all that is wrong with a body is told.
_HONEST = 64 * 1024

_REQUIRED = re.compile(r'"([^"]+)" is a required property')


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schemas = _suite.read_json(Path(__file__).with_name("requests.json"))
    return jsonschema_rs.Draft202012Validator(schemas[name])


async def raw(request: Request) -> bytes:
    """
    The body as it came; raises `Problem` where it is too long, or doesn't end.
    """
    parts, size = [], 0
    try:
        async with asyncio.timeout(MOST_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MOST_BYTES:
                    # The rest of it is not read: the connection is of no more use.
                    raise Problem(413, f"a body has at most {MOST_BYTES} bytes", headers={"connection": "close"})
                parts.append(chunk)
    except TimeoutError:
        raise Problem(
            408, f"the body did not come within {MOST_SECONDS:g} s", headers={"connection": "close"}
        ) from None
    return b"".join(parts)


def parsed(body: bytes) -> Any:
    """The JSON value of *body*; raises `Problem` where it is none."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=no_number)
    except UnicodeDecodeError:
        raise Problem(400, "the body is no UTF-8") from None
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, json.JSONDecodeError) else "a value of it is none of JSON's"
        raise Problem(400, f"the body is not JSON: {said}") from None


def check(name: str, value: Any, where: str = "", *, size: int = 0) -> None:
    """
    Demand that *value*, the member *where* of a body or all of it, is a *name* of ``requests.json``.

    Raises `Problem`, with sentences by member; with the first alone where the body's *size* is no honest one's.
    """
    errors: dict[str, list[str]] = {}
    most = 1 if size > _HONEST else schema.MOST_PROBLEMS
    try:
        # Not by `schema.problems`: it explains better, but takes seconds for a body with thousands of faults.
        for each in itertools.islice(_faults(_validator(name), value, most), most):
            member, said = _path(where, each.instance_path), schema.shorten(each.message)
            if missing := _REQUIRED.match(said):
                member, said = _path(member, [missing[1]]), "The member is required."
            errors.setdefault(member or "body", []).append(said)
    except UnicodeEncodeError:
        raise Problem(400, "the body has half a surrogate pair, which is no character") from None
    if errors:
        raise Problem(400, errors=errors)


def _faults(
    validator: jsonschema_rs.Draft202012Validator, value: Any, most: int
) -> Iterator[jsonschema_rs.ValidationError]:
    if most > 1:
        yield from validator.iter_errors(value)
        return
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        yield error


def _path(start: str, steps: Iterable[str | int]) -> str:
    """A place as ``capabilities[0].name``."""
    for each in steps:
        start += f"[{each}]" if isinstance(each, int) else f".{each}"
    return start.removeprefix(".")


async def body(request: Request, name: str) -> dict[str, Any]:
    """
    The body of *request*, which is a *name* of ``requests.json``.
    """
    found = parsed(sent := await raw(request))
    check(name, found, size=len(sent))
    assert isinstance(found, dict)
    return found
