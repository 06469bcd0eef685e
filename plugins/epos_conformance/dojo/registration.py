"""
What is registered at Dojo for a partner: read, compared, put and put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epos_conformance import _contracts
from epos_conformance.dojo.api import DojoApi, require
from epos_conformance.exceptions import Inconclusive


INTEGRATIONS = "/epos/integrations"

#: The version that the guide has.
VERSION = "v1"

_MEMBERS = {"rest": "restIntegrations", "ws": "wsIntegrations"}

#: What capabilities are called in examples and advice of Dojo's, though the list of names has another.
ALSO_CALLED = {"GetOrder": "GetOrderById", "RecordPayment": "RecordOrderPaymentById"}


@dataclass(frozen=True, slots=True)
class Registered:
    """
    One capability as it is registered.
    """

    #: As registered.
    name: str
    version: str | None = None

    @property
    def canonical(self) -> str | None:
        """The name that it has in this suite; None for one that has no published contract."""
        return canonical(self.name)


@dataclass(frozen=True, slots=True)
class Registration:
    """
    What is registered over one transport.
    """

    transport: str
    capabilities: tuple[Registered, ...]
    #: Over REST: where Dojo calls.
    url: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names, in the order of the contracts; what has no contract is left out."""
        found = {each.canonical for each in self.capabilities}
        return tuple(name for name in _contracts.capabilities() if name in found)


def canonical(name: str) -> str | None:
    """The name in this suite of what Dojo calls *name*; None where it has no published contract."""
    return _contracts.names().get(name) or ALSO_CALLED.get(name)


def read(api: DojoApi) -> tuple[Registration, ...]:
    """
    Everything that is registered. Raises `Inconclusive`.
    """
    return parsed(require(api.get(INTEGRATIONS), "the registration"))


def parsed(document: Any) -> tuple[Registration, ...]:
    """
    The registrations in an answer of ``GET /epos/integrations``. Raises `Inconclusive` where it isn't one.
    """
    if not isinstance(document, dict):
        raise Inconclusive(f"the registration can't be read: Dojo answered {type(document).__name__}, not an object")
    found = []
    for transport, member in _MEMBERS.items():
        listed = document.get(member)
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, dict):
                url = each.get("url")
                found.append(
                    Registration(
                        transport, tuple(_capabilities(each.get("capabilities"))), url if isinstance(url, str) else None
                    )
                )
    return tuple(found)


def _capabilities(listed: Any) -> Iterable[Registered]:
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            version = each.get("version")
            yield Registered(each["name"], version if isinstance(version, str) else None)


def over(registrations: Iterable[Registration], transport: str) -> tuple[str, ...]:
    """Canonical names of what is registered over *transport*, in the order of the contracts."""
    found = {name for each in registrations if each.transport == transport for name in each.names}
    return tuple(name for name in _contracts.capabilities() if name in found)


def body(names: Iterable[str], url: str | None = None, auth: str | None = None) -> dict[str, Any]:
    """
    What registers *names*, the full list of canonical ones: over REST with *url* and ``user:password``.
    """
    known = _contracts.capabilities()
    found: dict[str, Any] = {
        "capabilities": [{"name": each, "version": VERSION} for name in names for each in known[name].registered]
    }
    if url is not None:
        user, _, password = (auth or ":").partition(":")
        found["url"] = url
        found["auth"] = {"authType": "basic", "basic": {"username": user, "password": password}}
    return found


def put(api: DojoApi, transport: str, body: Mapping[str, Any]) -> None:
    """
    Register *body* over *transport*. Raises `Inconclusive` where Dojo doesn't take it, `NotOffered` where it is
    forbidden.
    """
    require(api.put(f"{INTEGRATIONS}/{transport}", body), "the registration")


def difference(before: Iterable[str], after: Iterable[str]) -> str:
    """From one list of names to another in a few words: ``added A, B; removed C``, or ``nothing changed``."""
    old, new = list(before), list(after)
    added, removed = [each for each in new if each not in old], [each for each in old if each not in new]
    told = [f"{word} {', '.join(names)}" for word, names in (("added", added), ("removed", removed)) if names]
    return "; ".join(told) or "nothing changed"


def restoring(before: Sequence[Registration], transport: str, auth: str | None) -> dict[str, Any] | None:
    """
    What puts back what was registered *before* over *transport*; None where nothing was, for which Dojo has no call.

    Dojo doesn't tell passwords: *auth* is the partner's, as it is known here.
    """
    was = next((each for each in before if each.transport == transport and each.capabilities), None)
    if was is None:
        return None
    found = body((), was.url, auth)
    found["capabilities"] = [{"name": each.name, "version": each.version or VERSION} for each in was.capabilities]
    return found
