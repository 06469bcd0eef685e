"""
What an endpoint works with: the store, and the account whose request it is.
"""

from __future__ import annotations

from starlette.requests import Request

from epos_conformance.sandbox.store import Store


def context(request: Request) -> tuple[Store, str]:
    """The store, and the account of *request*, which has been let in."""
    return request.app.state.store, request.state.account
