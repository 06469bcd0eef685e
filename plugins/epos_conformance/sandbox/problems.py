"""
How Dojo says no: problem details (RFC 7807), with what is wrong by member and an id to ask about.
"""

from __future__ import annotations

import json
import uuid

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import Response


MEDIA_TYPE = "application/problem+json"

#: Where each status is described in RFC 9110.
_SECTIONS = {
    400: "15.5.1",
    401: "15.5.2",
    404: "15.5.5",
    405: "15.5.6",
    408: "15.5.9",
    413: "15.5.14",
    426: "15.5.22",
    500: "15.6.1",
    503: "15.6.4",
}


class Problem(Exception):
    """
    A request that is refused.

    *errors* has, by member or header, sentences on what is wrong there.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or {}
        self.headers = dict(headers or {})

    def to_json(self) -> dict[str, Any]:
        """``{type, title, status, detail?, errors?, traceId}``."""
        section = _SECTIONS.get(self.status)
        found: dict[str, Any] = {
            "type": f"https://www.rfc-editor.org/rfc/rfc9110#section-{section}" if section else "about:blank",
            "title": "The request is not valid." if self.errors else HTTPStatus(self.status).phrase,
            "status": self.status,
        }
        if self.detail is not None:
            found["detail"] = self.detail
        if self.errors:
            found["errors"] = {name: list(said) for name, said in self.errors.items()}
        return {**found, "traceId": uuid.uuid4().hex}

    def body(self) -> bytes:
        return json.dumps(self.to_json()).encode()

    def response(self) -> Response:
        return Response(self.body(), self.status, self.headers, MEDIA_TYPE)
