"""
Checks: which rule a test function examines, and with which capabilities, cases and transports.

A check is declared once, by the id of its rule, and parametrised from the catalogue: a new contract file brings its
checks along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from epos_conformance import _contracts, _rules
from epos_conformance._contracts import Capability
from epos_conformance._rules import Rule
from epos_conformance.steps import Steps


if TYPE_CHECKING:
    from epos_conformance.exchange import Exchange


#: Beside the transports: what is examined at Dojo.
DOJO = "dojo"

Cases = Callable[[Capability], Iterable[str]]

#: Templates that a check examines.
_DECLARED: set[str] = set()


def check(
    id: str,
    *,
    cases: Cases | None = None,
    changes: bool | None = None,
    alone: bool = False,
    order: int = 0,
    anyway: bool = False,
    listed: bool = False,
) -> pytest.MarkDecorator:
    """
    Declare that a test function examines the rule *id*, which may be a template (``*.unknown-id-is-not-found``).

    *cases* names what it is examined for one at a time, given the capability. *changes* says whether the check may
    change something at the partner; by default it may where the capability does. *alone* keeps all others off the
    transport meanwhile. Checks of a lower *order* come first. *anyway*: also where the partner can't be asked anything.
    *listed*: a case for each flow that the EPOS tester tool lists.
    """
    if id not in _rules.by_template():
        raise ValueError(f"{id!r} is not in the rule catalogue (fixtures/rules)")
    if id in _DECLARED:
        raise ValueError(f"{id!r} already has a check")
    _DECLARED.add(id)
    return pytest.mark.check(id, cases=cases, changes=changes, alone=alone, order=order, anyway=anyway, listed=listed)


def forget() -> None:
    """Forget the declarations: the checks are about to be imported again (several runs in one process)."""
    _DECLARED.clear()


class Examined(Protocol):
    """
    What a check dealt with: the partner, or Dojo's side.
    """

    #: The conversation so far.
    exchanges: list[Exchange]
    notes: list[str]
    leftovers: list[str]
    steps: Steps


@dataclass(eq=False, slots=True)
class Examination:
    """
    One check to run: a rule, with what and over which transport.
    """

    rule: Rule
    capability: Capability | None
    case: str | None
    transport: str
    changes: bool
    alone: bool = False
    order: int = 0
    anyway: bool = False
    #: Bound when the check starts.
    partner: Examined | None = None

    @property
    def name(self) -> str:
        """As in `Result.name`: part of the node id, stable wherever the suite is installed."""
        return f"{self.transport}-{self.rule.id}" + (f"@{self.case}" if self.case else "")

    def __repr__(self) -> str:
        return self.name


def examinations(mark: pytest.Mark, transports: Iterable[str], flows: Iterable[str] = ()) -> Iterator[Examination]:
    """
    What the check declared by *mark* is run for; *flows* are the cases of one that is run for each flow.
    """
    given: Callable[..., Iterable[str]] | None = mark.kwargs["cases"]
    changes: bool | None = mark.kwargs["changes"]
    known = _contracts.capabilities()
    for rule in _rules.by_template()[mark.args[0]]:
        selected: list[Capability | None] = [known[rule.capability] if rule.capability else None]
        if rule.per:
            selected = [each for each in known.values() if rule.per in each.selectors]
        for transport in (DOJO,) if rule.transport == DOJO else transports:
            if rule.transport not in (None, transport):
                continue
            for capability in selected:
                cases: Iterable[str | None] = [capability.name] if rule.per and capability else [None]
                if given is not None and capability is not None:
                    cases = list(given(capability))
                elif mark.kwargs["listed"]:
                    cases = list(flows) or [None]
                for case in cases:
                    yield Examination(
                        rule=rule,
                        capability=capability,
                        case=case,
                        transport=transport,
                        changes=changes if changes is not None else bool(capability and capability.changes),
                        **{name: mark.kwargs[name] for name in ("alone", "order", "anyway")},
                    )


def parametrize(metafunc: pytest.Metafunc, transports: Iterable[str], flows: Iterable[str] = ()) -> None:
    """
    Give the check behind *metafunc* its parameters: ``partner`` or ``dojo`` always, ``capability`` and ``case`` where
    asked for.
    """
    mark = metafunc.definition.get_closest_marker("check")
    if mark is None:
        return
    names = [name for name in (*_BOUND, "capability", "case") if name in metafunc.fixturenames]
    found = []
    for each in examinations(mark, transports, flows):
        values: dict[str, Any] = {**dict.fromkeys(_BOUND, each), "capability": each.capability, "case": each.case}
        marks = [getattr(pytest.mark, str(each.rule.level)), getattr(pytest.mark, each.transport)]
        found.append(pytest.param(*(values[name] for name in names), id=each.name, marks=marks))
    metafunc.parametrize(names, found, indirect=[each for each in names if each in _BOUND])


#: The fixtures that a check's `Examination` is handed to.
_BOUND = ("partner", "dojo")


def examination_of(item: pytest.Item) -> Examination | None:
    """The examination that *item* is; None for a test that is no check."""
    callspec = getattr(item, "callspec", None)
    params = callspec.params if callspec else {}
    found = next((params[each] for each in _BOUND if each in params), None)
    return found if isinstance(found, Examination) else None
