"""
Allure: results known by their rule, with the conversation in steps, wherever the suite is installed.

allure-pytest writes them; what it takes from node ids and Python (identity, suites, status, parameters) is replaced
here by what the suite knows. What is known at a run's end alone is in `report.allure_about`.
"""

from __future__ import annotations

import json
import shutil
import uuid

from pathlib import Path
from typing import TYPE_CHECKING, Any

import allure_commons
import allure_pytest.plugin
import attr
import pytest

from allure_commons.logger import AllureFileLogger
from allure_commons.types import LabelType

from epos_conformance import _allure_steps
from epos_conformance._checks import Examination, examination_of
from epos_conformance.exchange import Exchange
from epos_conformance.report import allure_results
from epos_conformance.report.folder import RESULTS
from epos_conformance.verdict import Outcome, Result


if TYPE_CHECKING:
    from epos_conformance._run import ConformanceRun

#: Labels that say nothing about a partner.
_KEPT = frozenset({LabelType.HOST, LabelType.THREAD, LabelType.FRAMEWORK, LabelType.LANGUAGE})


def switch_on(config: pytest.Config, run: ConformanceRun) -> None:
    """
    Have results written to ``allure-results`` in the reports folder, unless the user named a place.
    """
    if not hasattr(config.option, "allure_report_dir"):
        return  # allure-pytest is switched off
    if config.option.allure_report_dir is None:
        folder = run.settings.reports / RESULTS
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
    allure's writer without containers, which tell of pytest's fixtures, each in a file; for text of any kind, and
    three times as fast.
    """

    @allure_commons.hookimpl
    def report_container(self, container: Any) -> None:
        """Leave it out."""

    @allure_commons.hookimpl
    def report_result(self, result: Any) -> None:
        """Write *result*, unless it tells of a check that came to no end: that is told at the end of the run."""
        if result.uuid is None:
            return
        found = {name: value for name, value in vars(result).items() if value or value is False}
        text = json.dumps(found, ensure_ascii=False, default=_plain)
        self._write(f"{uuid.uuid4()}-result.json", text)

    @allure_commons.hookimpl
    def report_attached_data(self, body: str | bytes, file_name: str) -> None:
        """Write an attachment."""
        self._write(file_name, body)

    def _write(self, name: str, content: str | bytes) -> None:
        # Half a surrogate pair in a partner's words: UTF-8 can't hold it.
        data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
        path = Path(self._report_dir, name)
        # Whoever reads the folder meanwhile never sees half a file.
        unfinished = path.with_name(f"{name}.tmp")
        unfinished.write_bytes(data)
        unfinished.replace(path)


def _plain(value: Any) -> Any:
    return attr.asdict(value, filter=lambda _, member: member or member is False)


class _Adapter:
    def __init__(self, run: ConformanceRun) -> None:
        self._results = run.record.results
        self._all = run.settings.evidence == "all"
        self._current: Examination | None = None
        self._exchanges: list[Exchange] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._current, self._exchanges = examination_of(item), []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Keep the conversation of the check, not of what is removed after it."""
        examination = examination_of(item)
        if examination is not None and examination.partner is not None:
            self._exchanges = [*examination.partner.exchanges]

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        """Give allure's *result* the identity, place and status that the suite knows."""
        (examination, self._current), (exchanges, self._exchanges) = (self._current, None), (self._exchanges, [])
        if examination is None:
            return
        ours = self._results.get(examination.name)
        if ours is None:
            result.uuid = None
            return
        known = allure_results.described(ours)
        known["labels"] += [each for each in result.labels if each.name in _KEPT]
        known["steps"] = _steps(ours, exchanges, result.start)
        for name, value in known.items():
            setattr(result, name, value)
        result.descriptionHtml = None
        if self._all and exchanges and ours.outcome is Outcome.CONFORMS:
            result.attachments.append(_allure_steps.evidence(exchanges, _store))


def _steps(result: Result, exchanges: list[Exchange], began: int) -> list[dict[str, Any]]:
    store = _store if result.outcome is not Outcome.CONFORMS else None
    told = _allure_steps.story(result.steps)
    fault = _allure_steps.fault(exchanges, result.exchanges)
    said = _allure_steps.conversation(exchanges, began, store, fault)
    if not told or not said:
        return told or said
    # A story's steps are its own; what was said on the way is told beside them.
    whole = {
        "name": f"the conversation: {len(exchanges)} exchange{'s' if len(exchanges) > 1 else ''}",
        "status": "passed",
        "start": said[0]["start"],
        "stop": said[-1]["stop"],
        "steps": said,
    }
    return [*told, whole]


def _store(name: str, text: str) -> None:
    allure_commons.plugin_manager.hook.report_attached_data(body=text, file_name=name)
