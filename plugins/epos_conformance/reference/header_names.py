"""
Header names as they were sent, which uvicorn lowers before an application sees them.
"""

from __future__ import annotations

from typing import Any

import h11

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol


_HEADER = b"x-header-names-as-sent"


class _Connection(h11.Connection):
    """
    A connection that adds to each request the names of its headers.
    """

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = b" ".join(name for name, _ in event.headers.raw_items())
            return h11.Request(
                method=event.method,
                target=event.target,
                headers=[*event.headers.raw_items(), (_HEADER, names)],
                http_version=event.http_version,
            )
        return event


class NamesAsSent(H11Protocol):
    """
    uvicorn's protocol over such a connection.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Connection(h11.SERVER, self.config.h11_max_incomplete_event_size or 65536)


def sent_names(request: Request) -> list[str]:
    """The names of the headers of *request*, spelt as they were; empty where the server does not tell."""
    return request.headers.get(_HEADER.decode(), "").split()
