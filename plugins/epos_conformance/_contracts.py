"""
What each capability promises, read from ``fixtures/contracts``: one file per capability.

A `Capability` knows its names, its address on each transport, its JSON Schemas and example requests.
Nothing here talks to anybody.
"""

from __future__ import annotations

import re

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote

from epos_conformance import _suite


#: Registered names without a published contract: they are never tested.
PREVIEW = frozenset({"AddOrderItems", "CalculateOrder", "SubmitCalculatedOrder", "SearchMenus"})

CONTRACTS = _suite.FIXTURES / "contracts"

Transport = Literal["rest", "ws"]

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Example:
    """
    A request that is valid once its ``{placeholders}`` are filled with test data.
    """

    title: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdMember:
    """
    An id that REST carries in the path and WebSocket in ``params``.
    """

    name: str
    #: What it is the id of, and what may be done with it: ``order`` is any order, ``payable-order`` one that may be
    #: changed a little, ``own-order`` one that the suite made and may destroy.
    kind: str
    #: Its name in WebSocket ``params``, where that differs.
    ws: str


@dataclass(frozen=True, kw_only=True)
class Capability:
    """
    One capability of the EPOS Data API.
    """

    name: str
    registered: tuple[str, ...]
    legacy: tuple[str, ...]
    page: str
    http_method: str
    path: str
    ws_method: str
    #: Whether a successful call changes something at the partner.
    changes: bool
    ids: tuple[IdMember, ...]
    #: JSON Schema of the business members, without the ids of the path; None where there is no body.
    request: Mapping[str, Any] | None
    #: JSON Schema of a success, by transport. True where anything goes.
    response: Mapping[str, Any]
    examples: tuple[Example, ...]
    #: Product -> ``required`` or ``optional``.
    products: Mapping[str, str]
    #: What a success leaves behind (``order``, ``party``, ``payment``…), and the capability that removes it again.
    creates: str | None
    removed_by: str | None
    #: The capability that shows what this one stored, and the text members that can be recognised there.
    observed_by: str | None
    marks: tuple[str, ...]
    sources: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @cached_property
    def selectors(self) -> frozenset[str]:
        """
        The properties that rules of the form ``*.rule`` select capabilities by (``applies-to``).
        """
        found = {"every"}
        if self.ids:
            found.add("takes-id")
        if self.request is not None:
            found.add("takes-body")
            found.add("requires-members" if self.requires_members else "optional-body")
            if not all(self.members.values()):
                found.add("optional-members")
            if self.request.get("additionalProperties", True) is not False:
                found.add("open-body")
        if self.name.startswith("Search"):
            found.add("search")
        if self.observed_by is not None:
            found.add("observable")
        if self.observed_by is not None or any(each.kind.startswith("own-") for each in self.ids):
            found.add("traceable")
        if self.ids or self.requires_members:
            found.add("can-refuse")
        if self.ids and not self.changes:
            found.add("reads-by-id")
        return frozenset(found)

    @cached_property
    def shown_by(self) -> str:
        """The capability that shows what one that is ``traceable`` stores, or removes."""
        if self.observed_by is not None:
            return self.observed_by
        return next(
            each.name for each in capabilities().values() if each.http_method == "GET" and each.path == self.path
        )

    @cached_property
    def members(self) -> Mapping[str, bool]:
        """The members of the body at its top: name -> whether it is required."""
        from epos_conformance import schema

        found, _ = schema.resolve(self.request or {})
        required = found.get("required", ())
        return {name: name in required for name in found.get("properties", {})}

    @property
    def requires_members(self) -> bool:
        return any(self.members.values())

    def url_path(self, ids: Mapping[str, str], template: str | None = None) -> str:
        """
        The path with *ids* percent-encoded into it.

        *template* replaces the published path; its ``{orderID}`` and ``{orderId}`` are the same place.
        """
        by_name = {name.lower(): value for name, value in ids.items()}
        return _PLACE.sub(lambda place: quote(by_name[place[1].lower()], safe=""), template or self.path)


def _capability(document: Mapping[str, Any]) -> Capability:
    creates, observed = document.get("creates", {}), document.get("observed-by", {})
    return Capability(
        name=document["name"],
        registered=tuple(document["registered"]),
        legacy=tuple(document["legacy"]),
        page=document["page"],
        http_method=document["rest"]["method"],
        path=document["rest"]["path"],
        ws_method=document["ws"]["method"],
        changes=document["changes"],
        ids=tuple(
            IdMember(name=name, kind=each["kind"], ws=each.get("ws", name))
            for name, each in document.get("ids", {}).items()
        ),
        request=document.get("request"),
        response=document["response"],
        examples=tuple(Example(each["title"], each["request"]) for each in document["examples"]),
        products=document["products"],
        creates=creates.get("kind"),
        removed_by=creates.get("removed-by"),
        observed_by=observed.get("capability"),
        marks=tuple(observed.get("marks", ())),
        sources=tuple(document["sources"]),
        document=document,
    )


@cache
def capabilities() -> Mapping[str, Capability]:
    """
    Every published capability by its canonical name, in the order of the files.
    """
    # Not by the case of the first letter: Windows would read contract.schema.json as a contract.
    paths = sorted(path for path in CONTRACTS.glob("*.json") if not path.name.endswith(".schema.json"))
    found = (_capability(_suite.read_json(path)) for path in paths)
    return MappingProxyType({each.name: each for each in found})


@cache
def names() -> Mapping[str, str]:
    """
    Every name that a capability goes by (canonical, registered, legacy) -> its canonical name.
    """
    return MappingProxyType({
        name: each.name for each in capabilities().values() for name in (each.name, *each.registered, *each.legacy)
    })


@cache
def products() -> Mapping[str, Mapping[str, Any]]:
    """
    What Dojo sells on top of the capabilities, from ``fixtures/products.json``: id -> title, source, notes.
    """
    return MappingProxyType(_suite.read_json(_suite.FIXTURES / "products.json"))


def members_of(product: str) -> Iterator[tuple[Capability, str]]:
    """
    The capabilities of *product*, each with ``required`` or ``optional``.
    """
    for each in capabilities().values():
        if product in each.products:
            yield each, each.products[product]
