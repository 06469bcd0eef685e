"""
The suite judged by EPOS systems whose faults are known: each defect is found under the rules that it breaks and under
no other, and no variant that conforms is accused of anything.

Every one really serves HTTP and really dials a WebSocket, and is judged by the real checks over every transport that it
differs on; in this process because there are so many.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import json
import os
import re
import socket
import threading
import zlib

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from websockets.asyncio.client import ClientConnection

from epos_conformance import _contracts, _rules
from epos_conformance.reference import faults, launch, sockets
from epos_conformance.reference.dojo import NotRegisteredError
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.rest import RestShell
from epos_conformance.sandbox import launch as sandbox

from .score import ACCUSED, FOUND, MISSED, UNACCUSED
from .support import SERVER


RecordProperty = Callable[[str, object], None]

#: Slow in itself: judged with limits and capabilities that fit.
SPECIAL: dict[str, list[str]] = {
    "every-answer-is-slow": ["--capabilities=ListAreas,GetOrderById", "--slow-after=0.5"],
    "bill-is-slow": ["--capabilities=GetOrderBillById,GetOrderById,SearchOrders", "--slow-after=0.5"],
    "bill-hangs": ["--capabilities=GetOrderBillById,GetOrderById,SearchOrders", "--fail-after=1", "--slow-after=0.5"],
    "unknown-statuses-hang": ["--capabilities=HandleEvent", "--fail-after=1", "--slow-after=0.5"],
    "everything-hangs": ["--fail-after=1", "--slow-after=0.5"],
    # What waits for a reply or for a session that never comes need not wait long.
    **{name: ["--fail-after=1", "--slow-after=0.5"] for name in faults.defects() if name.startswith("ws-")},
    # Pay at Table alone: the orders are the venue's.
    **{
        name: ["--capabilities=SearchOrders,GetOrderById,RecordOrderPaymentById"]
        for name in ("tables-pay-once", "begun-bills-are-closed", "tables-that-pay-leave-the-list")
    },
    "slow-but-fine": ["--capabilities=ListAreas,SearchTables"],
    "ws-slow-but-fine": ["--capabilities=ListAreas"],
    "ws-now-fast-now-slow": ["--capabilities=ListAreas,SearchTables"],
    "busy-now-and-then": ["--capabilities=ListAreas,GetOrderById,SearchOrders"],
    "ws-silent-on-what-it-lacks": [
        "--capabilities=ListAreas,GetOrderById,SearchOrders",
        "--fail-after=1",
        "--slow-after=1",
    ],
    "ws-what-it-lacks-ends-the-session": ["--capabilities=ListAreas,GetOrderById,SearchOrders"],
}

#: What these can't prove is theirs to prove: no test data, or payment intents that nobody can look up.
UNPROVEN = {
    "clock-ahead-of-a-proxy",
    "clock-behind-a-proxy",
    "empty-venue",
    "events-of-known-intents",
    "lean-orders",
    "extras-with-everything",
    "no-order-at-all",
    "nobody-waits",
    "nothing-but-dishes",
    "nothing-to-take-away",
    "one-order-no-creation",
    "one-room",
    "one-table-each",
    "prepaid-orders-are-refused",
    "short-locks-are-refused",
    "strict-till",
    "three-orders-no-creation",
    "tips-are-limited",
    "verifies-deposits",
    "verifies-intents",
    "waiters-are-kept-quiet",
    "ws-bad-line",
}

#: Those of them that prove all that a certificate takes: what is left are recommendations.
CERTIFIED = {"extras-with-everything", "nothing-but-dishes"}

#: Enough rounds and bodies for faults that are meant to be seen.
BRIEF = ("--race-rounds=4", "--depth=12", "--partner-ws-timeout=3")

#: A defect stays, however long it is waited for; variants are given the time that they are promised.
IMPATIENT = "--settle=0.3"

EVERY = ",".join(_contracts.capabilities())


def judge(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    transports: Sequence[str],
    defects: Sequence[str] = (),
    variants: Sequence[str] = (),
) -> dict[str, Any]:
    """The certificate of the reference EPOS with these *defects* and *variants*, over these *transports*."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    epos, app = faults.build(defects, variants)
    output, where, url = io.StringIO(), list[str](), ""
    with contextlib.ExitStack() as stack:
        if "rest" in transports:
            SERVER.app, url = app, SERVER.url
            if app.http != RestShell.http:  # reads the wire in a way of its own
                url = stack.enter_context(launch.in_thread(app)).url
            where += [f"--partner-url={url}", "--partner-auth=dojo:reference"]
        if at_dojo(defects, variants):
            where += linked(stack, epos, url, defects, variants)
        if "ws" in transports:
            port = free_port()
            stack.enter_context(sockets.in_thread(dialler(epos, port, defects, variants)))
            where += [f"--partner-ws={port}", f"--partner-api-key={sockets.KEY}"]
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.redirect_stderr(output))
        pytest.main([
            *("-q", "-p", "no:cacheprovider", "-p", "no:allure_pytest", "-p", "epos_conformance.plugin"),
            # It collects garbage several times at the end, which takes longer than the checks.
            *("-p", "no:unraisableexception", *where, *arguments),
        ])
    path = folder / "reports" / "certificate.json"
    assert path.exists(), output.getvalue()
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def at_dojo(defects: Sequence[str], variants: Sequence[str]) -> bool:
    """Whether any of them shows at Dojo alone."""
    chosen = [*(faults.defects()[each] for each in defects), *(faults.variants()[each] for each in variants)]
    return any(_shows_at_dojo(each) for each in chosen)


def _shows_at_dojo(fault: faults.Variant) -> bool:
    return fault.layers[0].__module__.rpartition(".")[2].startswith("dojo")


def linked(
    stack: contextlib.ExitStack, epos: ReferenceEpos, url: str, defects: Sequence[str], variants: Sequence[str]
) -> list[str]:
    """Link *epos*, which answers at *url*, to a sandbox, as `epos-reference --dojo-api` does; the options for it."""
    dojo = stack.enter_context(sandbox.start(keys=[sockets.KEY]))
    link = stack.enter_context(faults.build_link(defects, variants, url=dojo.url))
    epos.dojo = link
    with contextlib.suppress(NotRegisteredError):
        link.register(epos.offered(), "rest", url=url, auth="dojo:reference")
    stack.callback(setattr, epos, "dojo", None)
    return [
        f"--dojo-api={dojo.url}",
        f"--partner-api-key={sockets.KEY}",
        f"--software-house-id={link.software_house_id}",
    ]


def dialler(epos: ReferenceEpos, port: int, defects: Sequence[str], variants: Sequence[str]) -> sockets.SocketShell:
    """What dials the gateway at *port* for *epos*; impatient as long as there is none yet."""
    shell = faults.build_socket(epos, defects, variants, url=f"ws://127.0.0.1:{port}/epos")
    patient, opened, met = shell.wait_before_dialling, shell.opened, threading.Event()

    def meet(session: ClientConnection) -> None:
        met.set()
        opened(session)

    shell.opened = meet  # type: ignore[method-assign]
    shell.wait_before_dialling = lambda failures: patient(failures) if met.is_set() else 0.02  # type: ignore[method-assign]
    return shell


_PORTS = itertools.count()


def free_port() -> int:
    """A port for a gateway that is still to be started, none of those that outgoing connections get."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    while True:
        port = 20_000 + worker * 1_000 + next(_PORTS) % 1_000
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def transports_of(fault: faults.Variant) -> tuple[str, ...]:
    """The transports that *fault* shows on: those whose front door it replaces; any, where it is in the till itself."""
    if _shows_at_dojo(fault):
        return ("rest",)  # one is enough to have it change something
    doors = {"rest": RestShell, "ws": sockets.SocketShell}
    found = tuple(name for name, door in doors.items() if any(issubclass(each, door) for each in fault.layers))
    return found or ("rest", "ws")


def chosen_of(fault: faults.Variant) -> tuple[str, ...]:
    """
    The transports that *fault* is judged over: what is in the till itself is in it for both, so that one will do, by
    turns. Time is what there is least of.
    """
    over = transports_of(fault)
    return over if WHOLE or BOTH else over[zlib.crc32(fault.name.encode()) % len(over) :][:1]


def violated(certificate: dict[str, Any], transport: str | None = None) -> set[str]:
    return {
        each["id"]
        for each in certificate["checks"]
        if each["outcome"] == "violates" and transport in (None, each["transport"])
    }


def examined() -> set[str]:
    """Templates of the rules that have a check."""
    pending = (Path(__file__).parents[2] / "conformance" / "pending.txt").read_text("utf-8").splitlines()
    return set(_rules.by_template()) - {line.strip() for line in pending}


@pytest.mark.parametrize("name", faults.defects())
@pytest.mark.usefixtures("server")
def test_defect_is_found_under_its_rules_and_no_other(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: RecordProperty
) -> None:
    defect = faults.defects()[name]
    due = {each for each in defect.breaks if _template(each) in examined()}
    if not due:
        pytest.skip("breaks only rules that have no check yet")
    special = SPECIAL.get(name, [])
    claimed = [] if any(each.startswith("--capabilities") for each in special) else [claim(due)]
    over = chosen_of(defect)
    certificate = judge(
        tmp_path, monkeypatch, *BRIEF, IMPATIENT, *claimed, *special, *select(due), transports=over, defects=[name]
    )
    missed = {
        (rule, transport)
        for rule in due
        for transport in (*over, "dojo")
        if _holds(rule, transport) and not _ids(rule) & violated(certificate, transport)
    }
    for rule in sorted(due):
        record_property(MISSED if rule in {each for each, _ in missed} else FOUND, [_template(rule), name])

    assert not missed
    # A journey goes wrong wherever one of its steps does.
    others = {each for each in violated(certificate) if not each.startswith("journeys.")}
    assert not {each for each in others if not defect.explains(each)}


#: Judge with the whole of the checks what is otherwise judged with those that it is about; it takes an hour.
WHOLE = os.environ.get("DEFECTS") == "whole"

#: Judge over both transports what shows on both.
BOTH = os.environ.get("DEFECTS") == "both"


def select(rules: set[str]) -> list[str]:
    """
    The arguments that run the checks of *rules*.

    What a defect does beside is seen where it is judged by all of them.
    """
    ids = {each for rule in rules for each in _ids(rule) if "*" not in each}
    files = {homes()[_template(each)] for each in rules}
    # To collect all the checks takes longer than to run a few.
    return [] if WHOLE else ["-c", "pytest.ini", "-k", " or ".join(sorted(ids)), *sorted(files)]


@functools.cache
def homes() -> dict[str, str]:
    """Template of a rule -> the file that its check stands in."""
    return {
        template: str(path)
        for path in (Path(__file__).parents[2] / "conformance").glob("test_*.py")
        for template in re.findall(r'@check\(\s*"([^"]+)"', path.read_text("utf-8"))
    }


#: What variants are about, by the module that they stand in; all others are judged by all checks.
ABOUT = {
    "bookings": "Party or Parties or Reservation or journeys.bookings",
    "dojo": "registration or flows or pos-events or RecordOrderPayment",
    "depth": "unusual or control-characters or answer-matches-schema",
    "events": "HandleEvent or journeys.qr or journeys.order",
    "locks": "Lock or lock or RecordOrderPayment",
    "ordering": "CreateOrder or GetOrder or journeys.order or journeys.bookings",
    "orders": "SearchOrders or GetOrder or CancelOrder or journeys",
    "paging": "Search",
    "payments": "RecordOrderPayment or GetOrder or Lock or journeys",
    "tables_areas": "SearchTables or ListAreas",
    "ws": "ws. or ListAreas or GetOrderById or CreateOrderLock.an",
}


#: Variants of how answers look, whatever they are about, are seen by these as well as by all.
FORM = ("answers", "wire")
TELLING = ("contract", "rest", "orders", "paging", "payments", "parties", "journeys")


def about(variant: faults.Variant) -> list[str]:
    """
    The options that run the checks that *variant* is about; of one that is about everything, those of musts.
    """
    if WHOLE:
        return []
    module = variant.layers[0].__module__.rpartition(".")[2]
    # Time is what there is least of: the later option counts.
    chosen = ["-k", ABOUT[module]] if module in ABOUT else ["-m", "must"]
    if module in FORM:
        checks = Path(__file__).parents[2] / "conformance"
        chosen += ["-c", "pytest.ini", *(str(checks / f"test_{each}.py") for each in TELLING)]
    return ["--race-rounds=2", "--depth=4", *chosen]


def claim(rules: set[str]) -> str:
    """
    The option that claims what *rules* are about: the pages of their capabilities, or everything.

    Claimed, because an EPOS that is broken enough looks as if it offered nothing.
    """
    known = _contracts.capabilities()
    prefixes = {each.partition(".")[0] for each in rules}
    if not prefixes <= set(known):
        return f"--capabilities={EVERY}"
    pages = {known[each].page for each in prefixes} | {"tables", "areas", "orders", "order locks"}
    return "--capabilities=" + ",".join(name for name, each in known.items() if each.page in pages)


def _holds(written: str, transport: str) -> bool:
    """Whether the rule is examined over *transport*."""
    holds = {_rules.rules()[each].transport for each in _ids(written) if "*" not in each}
    return transport in holds or (None in holds and transport != "dojo")


def _template(id: str) -> str:
    rule = _rules.rules().get(id)
    return rule.template if rule else id


def _ids(written: str) -> set[str]:
    return {rule.id for rule in _rules.by_template().get(written, ())} | {written}


@pytest.mark.parametrize("name", faults.variants())
@pytest.mark.usefixtures("server")
def test_variant_is_accused_of_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: RecordProperty
) -> None:
    variant = faults.variants()[name]
    chosen = [*BRIEF, *SPECIAL.get(name, []), *about(variant)]
    over = chosen_of(variant)
    certificate = judge(tmp_path, monkeypatch, *chosen, transports=over, variants=[name])
    accused = [each for each in certificate["checks"] if each["outcome"] == "violates" and each["level"] != "info"]
    record_property(ACCUSED if accused else UNACCUSED, name)

    assert not accused
    assert not [each for each in certificate["checks"] if each.get("cause") == "suite"]
    if name not in UNPROVEN - CERTIFIED:
        assert certificate["verdict"] == "conformant"
    # Over both transports at once a small venue may run short of what is only recommended.
    if name not in UNPROVEN and not BOTH:
        assert not [each for each in certificate["checks"] if each["outcome"] == "inconclusive"]


def test_every_rule_that_is_examined_has_a_defect() -> None:
    broken = {_template(id) for defect in faults.defects().values() for id in defect.breaks}

    assert examined() - broken == set()
