"""
A pytest run that checks a partner: the hooks that are alive only then.

The controlling process finds out what is offered, gathers results and writes the certificate; each worker (or the
same process, without pytest-xdist) holds a `Session` and runs checks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import tempfile

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from epos_conformance import _certificate, _checks, _ci, _expected, _judge, _suite, _terminal, verdict
from epos_conformance._checks import Examination, examination_of
from epos_conformance._dojo_reach import events_of
from epos_conformance._leases import Leases
from epos_conformance._masking import Masker
from epos_conformance._progress import Progress, fits, shown
from epos_conformance._reach import Reach, connect
from epos_conformance._record import Access, Plan, Record
from epos_conformance._session import Session
from epos_conformance._settings import Settings
from epos_conformance.dojo.access import DojoAccess
from epos_conformance.dojo.api import DojoApi
from epos_conformance.dojo.intents import DojoIntents
from epos_conformance.dojo.side import Dojo, Events
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.intents import Intents
from epos_conformance.partner import Partner
from epos_conformance.report.folder import Reports
from epos_conformance.verdict import Outcome, Result


if TYPE_CHECKING:
    from epos_conformance.websocket.lines import Line


#: What the controlling process tells each worker.
_TOLD = "epos_conformance"


class ConformanceRun:
    """
    The hooks of one process of a run.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.record = Record(settings)
        self.certificate: _certificate.Certificate | None = None
        self.mask = Masker(settings.secrets)
        self._reports = Reports(settings.reports, settings.signing_key)
        #: None where nobody wants to be told how the run goes.
        self._progress: Progress | None = None
        #: Transport -> this process's dealings with the partner over it.
        self._sessions: dict[str, Session] = {}
        #: To the EPOS's session, in the process that holds it.
        self._line: Line | None = None
        self._reach: Reach | None = None
        #: This process's connections to Dojo: for checks, and for payment intents.
        self._dojo: DojoApi | None = None
        self._listening: DojoApi | None = None
        self._cleanup = contextlib.ExitStack()
        self._waivers = {each.rule: each for each in settings.waivers if not each.ended()}
        self._worker = hasattr(config, "workerinput")
        _checks.forget()
        if config.args_source is not config.ArgsSource.ARGS:
            config.args = [str(_suite.CHECKS)]
            # A partner's own configuration may collect by other names.
            config.addinivalue_line("python_files", "test_*.py")
            config.addinivalue_line("python_functions", "test")
        # Settings of the partner's own project must not change how our checks run.
        config.option.showlocals = False
        # Our own summary tells what pytest's lists of failures would, and groups it.
        if config.option.tbstyle == "auto":
            config.option.tbstyle = "no"
        if config.option.reportchars == "fE":
            config.option.reportchars = "N"

    # The whole run

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        if self._worker:
            self.record.plan = Plan.from_json(json.loads(self.config.workerinput[_TOLD]))  # type: ignore[attr-defined]
            self._learn(self.record.plan)
        elif not self.config.option.collectonly:
            self._watch()
            try:
                self.record.plan = self._prepare()
            except KeyboardInterrupt:
                # Before the session has begun pytest ends it without another word; a certificate tells of every run.
                blocked = "the run was interrupted before the partner was reached"
                where = {"rest": self.settings.url, "ws": self.settings.ws}
                access = {name: Access(str(where[name]), blocked=blocked) for name in self.settings.transports}
                self.record.plan = Plan(access, leases="")
                self._conclude(interrupted=True)
                raise

    def _watch(self) -> None:
        """Have the user told how the run goes."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and fits(self.config):
            self._progress = Progress(self.record, reporter)
            self.config.pluginmanager.register(self._progress, "epos_conformance.progress")

    def _prepare(self) -> Plan:
        folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="epos-conformance-"))
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        reach = self._reach = Reach(self.settings, self._cleanup, Path(folder), reporter)
        access = reach.find()
        self._line = reach.line()
        self.record.notes += reach.notes
        plan = Plan(access, folder, reach.dojo.access, reach.dojo.why)
        self._learn(plan)
        return plan

    def _learn(self, plan: Plan) -> None:
        """Mask what the EPOS told of itself, too."""
        told = [secret for each in plan.access.values() for secret in each.secrets]
        self.mask = Masker([*self.settings.secrets, *told])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist what holds for the whole run."""
        assert self.record.plan is not None
        node.workerinput[_TOLD] = json.dumps(dataclasses.asdict(self.record.plan))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker could not remove."""
        self.record.leftovers += getattr(node, "workeroutput", {}).get(_TOLD, [])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Learn from the workers what they are going to run."""
        self.record.selected = {each.partition("[")[2].rstrip("]") for each in ids if "[" in each}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.record.selected = {each.name for item in session.items if (each := examination_of(item))}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.INTERRUPTED and self._sessions:
            self._say("interrupted: removing what the checks made at the partner")
        for each in self._sessions.values():
            self.record.leftovers += [self.mask(left) for left in each.close()]
        if self._worker:
            self.config.workeroutput[_TOLD] = self.record.leftovers  # type: ignore[attr-defined]
            return
        if self.record.plan is None:
            return
        self._conclude(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
        ours = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
        if exitstatus in ours:
            session.exitstatus = self._status(exitstatus)

    def _conclude(self, *, interrupted: bool) -> None:
        """Write the certificate."""
        if self._line is not None:
            from epos_conformance.websocket.remarks import remarks

            self.record.remarks = [self.mask(each) for each in remarks(self._line.ask("evidence"))]
        if self._reach is not None:
            self.record.afterwards = self._reach.dojo.restore()
        self.record.deselected = self._left_out()
        previous = self._reports.previous(self.settings.shown(), self.settings.pos)
        if previous is not None:
            self.record.known = {each["id"] for each in previous["checks"]}
        self.certificate = _certificate.build(self.record, interrupted=interrupted)
        self._reports.write(self.certificate.document, previous)
        results: str | None = getattr(self.config.option, "allure_report_dir", None)
        if results:
            self._reports.tell_allure(Path(results), self.certificate.document)
            if self.settings.allure_report:
                self._reports.make_allure(Path(results), self._say)

    def _left_out(self) -> int:
        """How many checks belong to the run and were not selected: -k says so, or the files that were named."""
        plan = self.record.plan
        assert plan is not None
        flows = [each.name for each in plan.dojo.flows] if plan.dojo is not None else []
        return len(_expected.names(plan.access, flows) - self.record.selected - self.record.results.keys())

    def _status(self, exitstatus: int) -> pytest.ExitCode:
        """Granted or not: what pytest counted, and what it couldn't know."""
        assert self.certificate is not None
        granted = [verdict.Verdict.CONFORMANT]
        if not self.settings.strict:
            granted.append(verdict.Verdict.WITH_RECOMMENDATIONS)
        if self.certificate.verdict in granted and exitstatus == pytest.ExitCode.OK:
            return pytest.ExitCode.OK
        return pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self) -> None:
        self._cleanup.close()

    # Each check

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        plan = self.record.plan
        flows = plan.dojo.cases() if plan is not None and plan.dojo is not None else ()
        _checks.parametrize(metafunc, self.settings.transports, flows)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, obj: object) -> list[pytest.Item] | None:
        """Leave out a check of a transport that isn't examined: it has no parameters, and pytest would skip it."""
        mark = next((each for each in getattr(obj, "pytestmark", ()) if each.name == "check"), None)
        if mark is None or any(True for _ in _checks.examinations(mark, self.settings.transports)):
            return None
        return []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Checks that disturb others come last; those that tell why others will fail come first."""
        items.sort(key=lambda item: each.order if (each := examination_of(item)) else 0)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        if (examination := examination_of(item)) is not None:
            # So that -k takes rule ids and capabilities.
            item.extra_keyword_matches.update({examination.rule.id, examination.name})

    def partner(self, examination: Examination) -> Partner:
        """
        The partner for one check. Raises `NotOffered` or `Inconclusive` where the check can't be run at all.
        """
        assert self.record.plan is not None, "a partner is there in a run only"
        access, capability = self.record.plan.access[examination.transport], examination.capability
        known = access.blocked is None or self.settings.capabilities is not None
        if capability is not None and known and capability.name not in access.offered:
            raise NotOffered(f"{capability.name} isn't {'claimed' if access.how_offered == 'claimed' else 'offered'}")
        if access.blocked is not None and not examination.anyway:
            raise Inconclusive(access.blocked)
        if examination.changes and self.settings.read_only:
            raise NotOffered("not examined: it may change something at the partner, and the run is --read-only")
        partner = Partner(self._session(examination.transport, access))
        examination.partner = partner
        partner.begin(alone=examination.alone)
        return partner

    def dojo(self, examination: Examination) -> Dojo:
        """
        Dojo's side for one check. Raises `NotOffered` or `Inconclusive` where the check can't be run at all.
        """
        plan = self.record.plan
        assert plan is not None, "Dojo is there in a run only"
        if plan.dojo is None:
            raise NotOffered(plan.no_dojo)
        if examination.changes and self.settings.read_only:
            raise NotOffered("not examined: it may change something at the partner, and the run is --read-only")
        if plan.dojo.blocked is not None:
            raise Inconclusive(plan.dojo.blocked)
        if self._dojo is None:
            self._dojo = self._connected(DojoApi(plan.dojo.account, secrets=self.settings.secrets))
        found = Dojo(plan.dojo, self._dojo, self.settings, plan.offered, self._partner_over, self._say)
        examination.partner = found
        return found

    def _partner_over(self, name: str) -> Partner:
        assert self.record.plan is not None
        access = self.record.plan.access[name]
        if access.blocked is not None:
            raise Inconclusive(access.blocked)
        return Partner(self._session(name, access))

    def events(self) -> Events:
        """What the EPOS tells a sandbox. Raises `NotOffered` or `Inconclusive` where none tells it."""
        assert self.record.plan is not None
        if self._listening is None:
            self._listening = self._connected(events_of(self.record.plan.dojo, self.record.plan.no_dojo))
        return Events(self._listening)

    def _say(self, line: str) -> None:
        """Show *line* to whoever watches."""
        if self.config.option.verbose < 0:
            return
        if self._progress is not None and self._progress.say(self.mask(line)):
            return
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            # A worker's standard error is that of the process that started it.
            sys.stderr.write(f"{'' if self._worker else chr(10)}{self.mask(line)}\n")
            sys.stderr.flush()

    def _session(self, name: str, access: Access) -> Session:
        if name not in self._sessions:
            assert self.record.plan is not None
            self._sessions[name] = Session(
                self.settings,
                connect(self.settings, name, access, self._line),
                access.offered,
                Leases(Path(self.record.plan.leases)),
                intents=self._intents(self.record.plan.dojo),
                seed=self.settings.seed
                + 5 * int(getattr(self.config, "workerinput", {}).get("workerid", "gw0")[2:] or 0),
            )
        return self._sessions[name]

    def _intents(self, dojo: DojoAccess | None) -> Intents | None:
        """Where payment intents come from that Dojo knows; None where it isn't asked."""
        if dojo is None or dojo.blocked is not None or not dojo.account.changes:
            return None
        return DojoIntents(self._connected(DojoApi(dojo.account)), sandbox=dojo.sandbox)

    def _connected(self, api: DojoApi) -> DojoApi:
        """*api*, which hangs up when the run is over."""
        self._cleanup.callback(api.close)
        return api

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport | None:
        """
        Report a check by its result.

        In pytest's stead: for an exception it would format a traceback, which nobody reads and which costs as much as
        three exchanges.
        """
        examination = examination_of(item)
        error = call.excinfo.value if call.excinfo else None
        if examination is None or isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):
            return None
        partner = examination.partner
        if call.when == "teardown":
            report = pytest.TestReport.from_item_and_call(item, call)
            if partner is not None:
                report.epos_leftovers = [self.mask(each) for each in partner.leftovers]  # type: ignore[attr-defined]
            examination.partner = None
            return report
        raised, call.excinfo = call.excinfo, None
        report = pytest.TestReport.from_item_and_call(item, call)
        call.excinfo = raised
        if call.when == "call" or raised is not None:
            waiver, whole = self._waivers.get(examination.rule.id), self.settings.evidence == "all"
            result = _judge.judge(examination, error, call.duration, partner, waiver, self.mask, whole=whole)
            self.record.results[result.name] = result
            report.epos_result = _certificate.entry(result)  # type: ignore[attr-defined]
            self._tell(report, result, fault=raised if result.cause == "suite" else None)
        return report

    def _tell(self, report: pytest.TestReport, result: Result, fault: pytest.ExceptionInfo[Any] | None) -> None:
        """
        Make pytest's report say what the result says: its outcome, and a text that needs no traceback.
        """
        if result.outcome is Outcome.CONFORMS:
            report.outcome, report.longrepr = "passed", None
            return
        text = _terminal.explain(result)
        if fault is not None:
            text += "\n\n" + self.mask(str(fault.getrepr(style="short")))
        strict = self.settings.strict and result.recommends and not result.waived
        if result.refuses or result.unproven or strict:
            report.outcome, report.longrepr = "failed", text
            if result.outcome is Outcome.INCONCLUSIVE:
                # JUnit counts what fails before the test proper as an error, and only that.
                report.when = "setup"
        else:
            report.outcome = "skipped"
            path, line, _ = report.location
            report.longrepr = (path, line or 0, text)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._worker:
            return  # the controlling process hears the same
        if (entry := getattr(report, "epos_result", None)) is not None:
            result = _certificate.result(entry)
            self.record.results[result.name] = result
        self.record.leftovers += getattr(report, "epos_leftovers", ())

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        entry = getattr(report, "epos_result", None)
        if entry is None:
            return None
        status = _terminal.status(_certificate.result(entry), self.settings.strict)
        return shown(status, self.config)

    # Telling

    def pytest_report_header(self) -> list[str]:
        return _terminal.header(self.record)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.certificate is not None:
            _terminal.summarize(self.record, self.certificate, terminalreporter, self._reports.lines)
            _ci.tell(self.certificate.document, os.environ, terminalreporter.write_line)


def of(config: pytest.Config) -> ConformanceRun | None:
    """The run that *config* belongs to; None where no partner is checked."""
    found = config.pluginmanager.get_plugin("epos_conformance.run")
    return found if isinstance(found, ConformanceRun) else None
