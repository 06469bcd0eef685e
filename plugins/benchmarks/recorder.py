"""
A pytest plugin that keeps every request of a run, for the benchmark to send again: ``-p benchmarks.recorder``.
"""

from __future__ import annotations

import os
import pickle

from pathlib import Path

import pytest

from epos_conformance.exchange import Exchange
from epos_conformance.rest import RestTransport


SENT: list[tuple[str, str, dict[str, str], bytes | None]] = []


def pytest_configure() -> None:
    send = RestTransport.send

    def recording(self: RestTransport, *arguments: object, **more: object) -> Exchange:
        exchange = send(self, *arguments, **more)  # type: ignore[arg-type]  # passed on as they came
        SENT.append((exchange.sent.method, exchange.sent.url, dict(exchange.sent.headers), exchange.sent.body))
        return exchange

    RestTransport.send = recording  # type: ignore[method-assign]  # the point of this plugin


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    Path(os.environ["BENCHMARK_REQUESTS"]).write_bytes(pickle.dumps(SENT))
