"""
Allure: results known by their rule, with the conversation attached, wherever the suite is installed.

allure-pytest writes them; what it takes from node ids and Python (identity, suites, status, parameters) is replaced
here by what the suite knows.
"""

from __future__ import annotations

import shutil

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import allure_commons
import allure_pytest.plugin
import pytest

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Label, Link, Parameter, Status, StatusDetails, TestStepResult
from allure_commons.types import AttachmentType, LabelType, LinkType
from allure_commons.utils import md5

from epos_conformance import _rules, _terminal
from epos_conformance._checks import Examination, examination_of
from epos_conformance.verdict import Level, Outcome, Result


if TYPE_CHECKING:
    from epos_conformance._run import ConformanceRun

SEVERITIES = {Level.MUST: "critical", Level.SHOULD: "minor", Level.INFO: "trivial"}

_STATUSES = {
    Outcome.CONFORMS: Status.PASSED,
    Outcome.VIOLATES: Status.FAILED,
    Outcome.INCONCLUSIVE: Status.BROKEN,
    Outcome.NOT_OFFERED: Status.SKIPPED,
}

#: Labels that say nothing about a partner.
_KEPT = frozenset({LabelType.HOST, LabelType.THREAD, LabelType.FRAMEWORK, LabelType.LANGUAGE})


def switch_on(config: pytest.Config, run: ConformanceRun) -> None:
    """
    Have results written to ``allure-results`` in the reports folder, unless the user named a place.
    """
    if getattr(config.option, "allure_report_dir", None) is None:
        folder = run.settings.reports / "allure-results"
        if not hasattr(config, "workerinput") and not config.option.collectonly:
            shutil.rmtree(folder, ignore_errors=True)
        config.option.allure_report_dir = None if config.option.collectonly else str(folder)
    adapter = _Adapter(run)
    config.pluginmanager.register(adapter, "epos_conformance.allure")
    hooks = allure_commons.plugin_manager
    hooks.register(adapter)
    # allure-pytest makes its writer when it is configured, after us, and offers no way to choose one.
    theirs, allure_pytest.plugin.AllureFileLogger = allure_pytest.plugin.AllureFileLogger, _Results
    config.add_cleanup(lambda: setattr(allure_pytest.plugin, "AllureFileLogger", theirs))
    config.add_cleanup(lambda: hooks.unregister(adapter))


class _Results(AllureFileLogger):
    """
    allure's writer without containers: they tell of pytest's fixtures, and each would be a file.
    """

    @allure_commons.hookimpl
    def report_container(self, container: Any) -> None:
        """Leave it out."""


class _Adapter:
    def __init__(self, run: ConformanceRun) -> None:
        self._results = run.record.results
        self._current: Examination | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._current = examination_of(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Attach the conversation while the partner is still at hand."""
        examination = examination_of(item)
        if examination is None or examination.partner is None:
            return
        exchanges = examination.partner.exchanges
        if not exchanges:
            return
        result = self._results.get(examination.name)
        hook = allure_commons.plugin_manager.hook.attach_data
        if result is not None and result.outcome is Outcome.CONFORMS:
            text = "\n\n\n".join(each.as_text(pretty=False) for each in exchanges)
            hook(body=text, name="exchanges", attachment_type=AttachmentType.TEXT, extension=None)
            return
        for each in exchanges:
            hook(body=each.as_text(), name=str(each)[:120], attachment_type=AttachmentType.TEXT, extension=None)

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        """Give allure's *result* the identity, place and status that the suite knows."""
        examination, self._current = self._current, None
        ours = self._results.get(examination.name) if examination else None
        if examination is None or ours is None:
            return
        rule = examination.rule
        identity = ours.id + (f"@{ours.case}" if ours.case else "")
        result.name = identity
        result.fullName = f"{examination.transport}: {identity}"
        result.testCaseId = md5(identity)
        result.historyId = md5(result.fullName)
        result.description = rule.sentence
        result.descriptionHtml = None
        result.titlePath = [rule.page, rule.capability or ours.capability or examination.transport]
        result.parameters = [Parameter(name="transport", value=examination.transport)]
        if ours.case:
            result.parameters.append(Parameter(name="case", value=ours.case))
        feature = ours.capability or examination.transport
        result.labels = [each for each in result.labels if each.name in _KEPT] + [
            Label(LabelType.EPIC, rule.page),
            Label(LabelType.FEATURE, feature),
            Label(LabelType.STORY, rule.id),
            Label(LabelType.SEVERITY, SEVERITIES[rule.level]),
            Label(LabelType.PARENT_SUITE, rule.page),
            Label(LabelType.SUITE, feature),
            Label(LabelType.SUB_SUITE, rule.id),
            Label("outcome", str(ours.outcome)),
            Label(LabelType.TAG, str(rule.level)),
            Label(LabelType.TAG, str(rule.basis)),
        ]
        result.links = [
            Link(LinkType.LINK, _rules.sources()[each.partition(": ")[0]]["url"], _rules.cite(each))
            for each in rule.sources
        ]
        result.steps += [_step(each) for each in ours.steps]
        _state(result, ours)


def _step(told: Mapping[str, Any]) -> Any:
    said = "\n".join(told.get("messages", ()))
    return TestStepResult(
        name=told["name"],
        status=_STATUSES[Outcome(told["outcome"])],
        statusDetails=StatusDetails(message=said) if said else None,
        start=round(1000 * told["started"]),
        stop=round(1000 * told["finished"]),
    )


def _state(result: Any, ours: Result) -> None:
    result.status = _STATUSES[ours.outcome]
    result.statusDetails = None
    if ours.outcome is not Outcome.CONFORMS:
        result.statusDetails = StatusDetails(message=ours.message, trace=_terminal.explain(ours))
    elif ours.message:
        result.statusDetails = StatusDetails(message=ours.message)
