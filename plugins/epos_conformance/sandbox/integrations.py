"""
Registration: which capabilities Dojo calls, and where. One registration per account and transport.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from epos_conformance.sandbox import requests
from epos_conformance.sandbox.context import context
from epos_conformance.sandbox.problems import Problem
from epos_conformance.sandbox.store import Account, Json, instant


async def everything(request: Request) -> Response:
    """``GET /epos/integrations``"""
    store, account = context(request)
    with store.reading(account) as found:
        return JSONResponse({
            "restIntegrations": _rest(found),
            "wsIntegrations": _ws(found),
            "dojoManagedIntegrations": [],
        })


async def rest(request: Request) -> Response:
    """``GET /epos/integrations/rest``"""
    store, account = context(request)
    with store.reading(account) as found:
        return JSONResponse(_rest(found))


async def ws(request: Request) -> Response:
    """``GET /epos/integrations/ws``"""
    store, account = context(request)
    with store.reading(account) as found:
        return JSONResponse(_ws(found))


async def dojo(_: Request) -> Response:
    """``GET /epos/integrations/dojo``: Dojo manages none here."""
    return JSONResponse([])


async def register_rest(request: Request) -> Response:
    """``PUT /epos/integrations/rest``: the list whole; an empty one changes nothing."""
    store, account = context(request)
    given = await requests.body(request, "rest-integration")
    if fault := _no_url(given["url"]):
        raise Problem(400, errors={"url": [fault]})
    with store.changing(account) as found:
        if given["capabilities"]:
            basic = given["auth"]["basic"]
            found.rest = {
                "url": given["url"],
                "username": basic["username"],
                "password": basic["password"],
                **_registered(found.rest, given["capabilities"]),
            }
        return JSONResponse(_rest(found))


async def register_ws(request: Request) -> Response:
    """``PUT /epos/integrations/ws``: the list whole; an empty one changes nothing."""
    store, account = context(request)
    given = await requests.body(request, "ws-integration")
    with store.changing(account) as found:
        if given["capabilities"]:
            found.ws = _registered(found.ws, given["capabilities"])
        return JSONResponse(_ws(found))


def _registered(before: Json | None, capabilities: list[dict[str, Any]]) -> Json:
    """The list as it is kept: what was there in the same version has not been updated."""
    now = instant()
    known = {(each["name"], each["version"]): each["updatedAt"] for each in before["capabilities"]} if before else {}
    last = {each["name"]: each["version"] for each in capabilities}
    return {
        "capabilities": [
            {"name": name, "version": version, "updatedAt": known.get((name, version), now)}
            for name, version in last.items()
        ],
        "createdAt": before["createdAt"] if before else now,
    }


def _rest(account: Account) -> list[Json]:
    kept = account.rest
    if kept is None:
        return []
    auth = {"authType": "basic", "basic": {"username": kept["username"]}}
    return [
        {
            "url": kept["url"],
            "capabilities": kept["capabilities"],
            "auth": auth,
            "createdAt": kept["createdAt"],
        }
    ]


def _ws(account: Account) -> list[Json]:
    return [account.ws] if account.ws is not None else []


def _no_url(text: str) -> str | None:
    """Why nothing can be called at *text*; None where it can."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"The URL can't be read: {error}."
    if parts.scheme.lower() not in ("http", "https") or not host:
        return "The URL begins with https:// (or http://, which is taken here alone) and a host."
    return None
