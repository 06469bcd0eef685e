"""
A check is declared once, by a rule that exists, and is run for what its rule is about.
"""

from __future__ import annotations

import importlib
import inspect

from collections import Counter
from typing import Any

import pytest

from epos_conformance import _checks, _contracts, _rules, _suite
from epos_conformance._checks import Examination, check, examinations


SEARCHES = [name for name in _contracts.capabilities() if name.startswith("Search")]


@pytest.fixture(autouse=True)
def nothing_declared(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """What a test declares is gone after it, and the real checks before it."""
    monkeypatch.setattr(_checks, "_DECLARED", set())
    pytestconfig.addinivalue_line("markers", "check: as in a run")


def run(id: str, *transports: str, **options: Any) -> list[Examination]:
    """What the check of the rule *id* is run for."""
    return list(examinations(check(id, **options).mark, transports or ("rest",)))


def titles(capability: _contracts.Capability) -> list[str]:
    return [each.title for each in capability.examples]


# Declarations


@pytest.mark.parametrize(
    "id", ["rest.does-not-exist", "*.does-not-exist", "SearchOrders.answer-matches-schema", "", "rest"]
)
def test_a_check_of_no_rule_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="is not in the rule catalogue") as caught:
        check(id)
    assert str(caught.value) == f"{id!r} is not in the rule catalogue (fixtures/rules)"


def test_a_second_check_of_a_rule_is_refused() -> None:
    check("*.answer-matches-schema")
    check("rest.unknown-path-is-not-found")
    with pytest.raises(ValueError, match="already has a check") as caught:
        check("*.answer-matches-schema")
    assert str(caught.value) == "'*.answer-matches-schema' already has a check"


def test_declarations_can_be_forgotten() -> None:
    check("*.answer-matches-schema")
    _checks.forget()
    check("*.answer-matches-schema")


def test_a_declaration_is_a_mark_with_all_that_was_said() -> None:
    mark = check("*.answer-matches-schema", cases=titles, changes=True, alone=True, order=2).mark
    assert (mark.name, mark.args, mark.kwargs) == (
        "check",
        ("*.answer-matches-schema",),
        {"cases": titles, "changes": True, "alone": True, "order": 2, "anyway": False, "listed": False},
    )


# Examinations


def test_a_template_is_examined_with_each_capability_it_applies_to() -> None:
    found = run("*.success-status-is-ok")
    assert [each.capability and each.capability.name for each in found] == list(_contracts.capabilities())
    assert {each.case for each in found} == {None}
    assert found[0].name == repr(found[0]) == "rest-CancelOrderById.success-status-is-ok"
    assert all(each.rule.template == "*.success-status-is-ok" for each in found)


def test_a_template_with_a_selector_is_examined_with_what_it_selects() -> None:
    found = {each.capability.name for each in run("*.unknown-id-is-not-found") if each.capability}
    assert found == {name for name, each in _contracts.capabilities().items() if each.ids}


def test_cases_are_examined_one_at_a_time() -> None:
    found = [each for each in run("*.answer-matches-schema", cases=titles) if each.rule.capability == "CreateOrder"]
    assert [(each.case, each.name) for each in found] == [
        ("minimal", "rest-CreateOrder.answer-matches-schema@minimal"),
        ("full", "rest-CreateOrder.answer-matches-schema@full"),
    ]


def test_a_rule_of_the_transport_is_examined_with_each_capability_it_names() -> None:
    found = run("rest.refuses-missing-credentials")
    assert [each.case for each in found] == list(_contracts.capabilities())
    assert [each.capability and each.capability.name for each in found] == list(_contracts.capabilities())
    assert found[0].name == "rest-rest.refuses-missing-credentials@CancelOrderById"
    some = run("rest.refuses-an-empty-body")
    assert {each.case for each in some} == {n for n, c in _contracts.capabilities().items() if c.requires_members}


def test_a_rule_of_the_transport_as_a_whole_is_examined_once() -> None:
    (found,) = run("rest.unknown-path-is-not-found")
    assert (found.capability, found.case, found.changes) == (None, None, False)
    assert found.name == "rest-rest.unknown-path-is-not-found"


def test_each_transport_is_examined_unless_the_rule_is_of_one() -> None:
    found = run("*.success-status-is-ok", "rest", "ws")
    both = Counter(each.transport for each in run("*.answer-matches-schema", "rest", "ws"))
    only = {each.transport for each in run("rest.unknown-path-is-not-found", "rest", "ws")}
    assert both == {"rest": len(_contracts.capabilities()), "ws": len(_contracts.capabilities())}
    assert only == {"rest"}
    assert {each.transport for each in found} == {"rest"} | ({"ws"} if found[0].rule.transport is None else set())
    assert (
        list(examinations(pytest.mark.check("rest.unknown-path-is-not-found", cases=None, changes=None).mark, ["ws"]))
        == []
    )


@pytest.mark.parametrize("changes", [None, True, False])
def test_a_check_may_change_something_where_its_capability_does_unless_it_says(changes: bool | None) -> None:
    for each in run("*.success-status-is-ok", changes=changes):
        assert each.capability is not None
        assert each.changes is (each.capability.changes if changes is None else changes)


# The real checks


@pytest.fixture
def declared(nothing_declared: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, pytest.Mark]]:
    """The checks of the suite: name, function and declaration."""
    assert nothing_declared is None
    monkeypatch.syspath_prepend(_suite.CHECKS.parent)
    found = []
    for path in sorted(_suite.CHECKS.glob("test_*.py")):
        module = importlib.import_module(f"conformance.{path.stem}")
        for name, function in vars(module).items():
            marks = getattr(function, "pytestmark", [])
            found += [(name, function, mark) for mark in marks if mark.name == "check"]
    assert len(found) > 30
    return found


def test_no_two_checks_have_the_same_name(declared: list[tuple[str, Any, pytest.Mark]]) -> None:
    names = Counter(each.name for _, _, mark in declared for each in examinations(mark, ("rest", "ws")))
    assert len(names) > 400
    assert [name for name, number in names.items() if number > 1] == []


def test_no_name_has_what_a_node_id_can_not_carry(declared: list[tuple[str, Any, pytest.Mark]]) -> None:
    for _, _, mark in declared:
        for each in examinations(mark, ("rest",)):
            assert not set("[]") & set(each.name)
            assert each.name.isprintable()


def test_each_check_is_named_after_its_rule_and_asks_for_a_partner_or_for_dojo(
    declared: list[tuple[str, Any, pytest.Mark]],
) -> None:
    for name, function, mark in declared:
        # Two capabilities may have rules of one name, and their checks stand in one file.
        capability, _, rule = mark.args[0].partition(".")
        assert name.startswith("test_"), (name, capability)
        assert f"_{rule.replace('-', '_')}" in name
        assert {"partner", "dojo"} & {*inspect.signature(function).parameters}
        assert inspect.getdoc(function)


def test_who_asks_for_a_case_or_a_capability_gets_one(declared: list[tuple[str, Any, pytest.Mark]]) -> None:
    for name, function, mark in declared:
        wanted = inspect.signature(function).parameters
        for each in examinations(mark, ("rest",)):
            assert "capability" not in wanted or each.capability is not None, name
            # What the tester tool lists, nobody knows before the run.
            assert "case" not in wanted or each.case is not None or mark.kwargs["listed"], name


def test_what_dojo_lists_is_examined_at_dojo_alone() -> None:
    mark = check("flows.ends-in-success", listed=True, changes=True).mark
    found = list(examinations(mark, ("rest", "ws"), ["Get Order", "a_b 2"]))
    assert [each.name for each in found] == [
        "dojo-flows.ends-in-success@Get Order",
        "dojo-flows.ends-in-success@a_b 2",
    ]
    assert {(each.capability, each.transport, each.changes) for each in found} == {(None, "dojo", True)}


def test_where_no_flow_is_listed_one_check_says_so() -> None:
    (found,) = run("flows.ends-in-success", listed=True)
    assert (found.name, found.case) == ("dojo-flows.ends-in-success", None)


def test_what_is_about_dojo_is_examined_once_over_however_many_transports() -> None:
    assert [each.name for each in run("registration.url-is-https", "rest", "ws")] == ["dojo-registration.url-is-https"]


def test_what_is_no_check_has_no_examination(request: pytest.FixtureRequest) -> None:
    assert _checks.examination_of(request.node) is None


@pytest.mark.parametrize("partner", [1, "one"])
def test_another_suites_partner_is_no_examination(partner: object, request: pytest.FixtureRequest) -> None:
    assert partner
    assert _checks.examination_of(request.node) is None


def test_every_template_has_rules() -> None:
    assert all(_rules.by_template().values())
