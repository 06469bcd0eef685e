"""
Defects and variants: named ways for an EPOS to differ from the reference.

A *defect* breaks rules, as a partner's programmer would by mistake; a *variant* keeps them all and uses a freedom that
the contract leaves. Either is a subclass of `ReferenceEpos`, of `RestShell`, of `SocketShell` or of `DojoLink` that
replaces a method or two, declared where it stands:

    @defect("pays-twice", breaks=["RecordOrderPaymentById.replay-counts-once"])
    class PaysTwice(ReferenceEpos):
        \"""
        A payment intent that comes again is counted again.
        \"""

        def is_replay(self, order: Order, body: Json) -> bool:
            return False

Modules in ``defects/`` and ``variants/`` are found by being there.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from ssl import SSLContext
from types import MappingProxyType
from typing import Any, TypeVar

from epos_conformance.reference import times
from epos_conformance.reference.dojo import DojoLink
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.rest import RestShell
from epos_conformance.reference.sockets import KEY, RESELLER, SOFTWARE_HOUSE, SocketShell


Layer = type[ReferenceEpos] | type[RestShell] | type[SocketShell] | type[DojoLink]

LayerT = TypeVar("LayerT", bound=Layer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """
    A way to differ and conform.
    """

    name: str
    #: One sentence about this EPOS.
    summary: str
    #: What it replaces of the reference.
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect(Variant):
    """
    A way to break the contract.
    """

    #: The rules that are violated: an id, or ``*.rule`` for every capability that the rule applies to.
    breaks: tuple[str, ...]
    #: The rules that may be violated as a consequence: ids, or patterns of them as `fnmatch` has them.
    also: tuple[str, ...] = ()

    def explains(self, rule: str) -> bool:
        """Whether a violation of the *rule* of that id comes from this defect."""
        return any(fnmatchcase(rule, each) for each in (*self.breaks, *self.also))


class UnknownNameError(ValueError):
    """
    A defect or a variant that nobody declared.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(kind, name)
        near = difflib.get_close_matches(name, list(known), 1)
        hint = f"did you mean {near[0]}?" if near else f"`epos-reference {kind}s` lists them"
        self.message = f"there is no {kind} called {name!r}; {hint}"

    def __str__(self) -> str:
        return self.message


_DEFECTS: dict[str, Defect] = {}
_VARIANTS: dict[str, Variant] = {}


def defect(
    name: str, *, breaks: Iterable[str], also: Iterable[str] = (), layers: Iterable[Layer] = ()
) -> Callable[[LayerT], LayerT]:
    """
    Declares the class below as the defect *name*; *layers* are further classes that it takes.
    """

    def declare(layer: LayerT) -> LayerT:
        _declare(
            _DEFECTS,
            Defect(name=name, summary=_summary(layer), layers=(layer, *layers), breaks=tuple(breaks), also=tuple(also)),
        )
        return layer

    return declare


def variant(name: str, *, layers: Iterable[Layer] = ()) -> Callable[[LayerT], LayerT]:
    """
    Declares the class below as the variant *name*; *layers* are further classes that it takes.
    """

    def declare(layer: LayerT) -> LayerT:
        _declare(_VARIANTS, Variant(name=name, summary=_summary(layer), layers=(layer, *layers)))
        return layer

    return declare


FaultT = TypeVar("FaultT", bound=Variant)


def _declare(registry: dict[str, FaultT], fault: FaultT) -> None:
    if fault.name in _DEFECTS or fault.name in _VARIANTS:
        raise ValueError(f"{fault.name} is declared twice")
    registry[fault.name] = fault


def _summary(layer: Layer) -> str:
    text = inspect.cleandoc(layer.__doc__ or "").partition("\n\n")[0]
    return " ".join(text.split())


def over(rule: str, *names: str) -> tuple[str, ...]:
    """The ids of the per-capability *rule* for the capabilities of those *names*."""
    return tuple(f"{name}.{rule}" for name in names)


def defects() -> Mapping[str, Defect]:
    """Every defect by its name."""
    _load("defects")
    return MappingProxyType(_DEFECTS)


def variants() -> Mapping[str, Variant]:
    """Every variant by its name."""
    _load("variants")
    return MappingProxyType(_VARIANTS)


@cache
def _load(folder: str) -> None:
    package = importlib.import_module(f"epos_conformance.reference.{folder}")
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"{package.__name__}.{module}")


def build(
    defects: Iterable[str] = (),
    variants: Iterable[str] = (),
    *,
    auth: str = "dojo:reference",
    clock: Callable[[], datetime] = times.utc_now,
) -> tuple[ReferenceEpos, RestShell]:
    """
    The EPOS with those *defects* and *variants*, and the web application in front of it.

    Raises `UnknownNameError`. What is named earlier sees a call earlier; defects come before variants.
    """
    layers = _layers(defects, variants)
    epos: ReferenceEpos = _compose(ReferenceEpos, layers)(clock=clock)
    user, _, password = auth.partition(":")
    shell: RestShell = _compose(RestShell, layers)(epos, user=user, password=password)
    return epos, shell


def build_socket(
    epos: ReferenceEpos,
    defects: Iterable[str] = (),
    variants: Iterable[str] = (),
    *,
    url: str,
    key: str = KEY,
    software_house_id: str = SOFTWARE_HOUSE,
    reseller_id: str = RESELLER,
    ssl: SSLContext | None = None,
) -> SocketShell:
    """
    What dials out for *epos*, which `build` made with the same *defects* and *variants*.

    Raises `UnknownNameError`.
    """
    layers = _layers(defects, variants)
    shell: SocketShell = _compose(SocketShell, layers)(
        epos, url=url, key=key, software_house_id=software_house_id, reseller_id=reseller_id, ssl=ssl
    )
    return shell


def build_link(
    defects: Iterable[str] = (),
    variants: Iterable[str] = (),
    *,
    url: str,
    key: str = KEY,
    software_house_id: str = SOFTWARE_HOUSE,
    reseller_id: str = RESELLER,
) -> DojoLink:
    """
    What speaks to the Dojo API at *url*, with those *defects* and *variants*; an EPOS uses it as its ``dojo``.

    Raises `UnknownNameError`.
    """
    layers = _layers(defects, variants)
    link: DojoLink = _compose(DojoLink, layers)(
        url=url, key=key, software_house_id=software_house_id, reseller_id=reseller_id
    )
    return link


def _layers(defects: Iterable[str], variants: Iterable[str]) -> Iterable[Layer]:
    chosen = [*_choose("defect", defects), *_choose("variant", variants)]
    return dict.fromkeys(layer for each in chosen for layer in each.layers)


def _choose(kind: str, names: Iterable[str]) -> list[Variant]:
    known: Mapping[str, Variant] = defects() if kind == "defect" else variants()
    found = []
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known)
        found.append(known[name])
    return found


def _compose(base: Layer, layers: Iterable[Layer]) -> Any:
    bases = tuple(each for each in layers if issubclass(each, base))
    return type(base.__name__, (*bases, base), {}) if bases else base
