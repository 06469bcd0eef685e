"""
What the suite costs beside the bare exchanges, and what it costs where nobody asks for it: ``python -m benchmarks``.

Everything is measured in one go, in turns, so that a busy machine slows all of it alike. Medians are printed; nothing
is asserted.
"""

from __future__ import annotations

import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks import gateway
from epos_conformance.reference import launch


ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", "5"))
_HERE = Path(__file__).parents[1]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def pytest(folder: str, *arguments: str, **environment: str) -> str:
    """Run pytest in *folder* as a user would; what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PARTNER_", "PYTEST_"))}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(_HERE), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def replay(requests: list[tuple[str, str, dict[str, str], bytes | None]], url: str) -> None:
    """Send *requests* to *url*, one after another, by a plain client: the least that the exchanges can cost."""
    with httpx.Client() as client:
        for method, sent_to, headers, body in requests:
            address = url + "/" + sent_to.split("/", 3)[3]
            client.request(method, address, headers=headers, content=body).read()


def measure(work: Callable[[str], Any]) -> float:
    """Seconds that *work* takes with a reference EPOS of its own: it leaves things behind."""
    with launch.start() as running:
        httpx.get(f"{running.url}/v1/areas")  # the first exchange pays for the server's warm-up
        return seconds(lambda: work(running.url))


def main() -> None:
    loaded = ["-p", "epos_conformance.plugin"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        Path(folder, "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
        recorded = Path(folder, "requests.pickle")

        def suite(url: str, *more: str, **environment: str) -> str:
            target = [f"--partner-url={url}", "--partner-auth=dojo:reference"]
            return pytest(folder, *loaded, *target, *more, **environment)

        record = ["-p", "benchmarks.recorder"]
        output = ""
        with launch.start() as running:
            output = suite(running.url, *record, BENCHMARK_REQUESTS=str(recorded))
        requests = pickle.loads(recorded.read_bytes())  # noqa: S301 - written by ourselves a second ago
        checks = output.strip().splitlines()[-1]

        found: dict[str, list[float]] = {}
        without = ["-p", "no:epos_conformance.plugin"]
        for _ in range(ROUNDS):
            turns: dict[str, Callable[[], float]] = {
                "idle": lambda: seconds(lambda: pytest(folder, *loaded, "test_nothing.py")),
                "without": lambda: seconds(lambda: pytest(folder, *without, "test_nothing.py")),
                "start": lambda: seconds(lambda: pytest(folder, *loaded, "--version")),
                "suite": lambda: measure(suite),
                "bare": lambda: measure(lambda url: replay(requests, url)),
                "four": lambda: measure(lambda url: suite(url, "-n", "4")),
            }
            for name, work in turns.items():
                found.setdefault(name, []).append(work())
        calls = [gateway.rates() for _ in range(ROUNDS)]

    middle = {name: statistics.median(each) for name, each in found.items()}
    ratios = [
        (suite - start) / bare for suite, start, bare in zip(found["suite"], found["start"], found["bare"], strict=True)
    ]
    count = int(checks.split(" passed", maxsplit=1)[0].split()[-1])
    print(f"{checks}; {len(requests)} exchanges; medians of {ROUNDS} rounds")  # noqa: T201 - this is its output
    for text in (
        f"bare exchanges               {middle['bare']:7.3f} s  ({middle['bare'] / len(requests) * 1e3:.2f} ms each)",
        f"whole run                    {middle['suite']:7.3f} s",
        f"whole run, -n 4              {middle['four']:7.3f} s",
        f"interpreter and pytest       {middle['start']:7.3f} s",
        f"run less start, over bare    {statistics.median(ratios):7.2f} times",
        f"per check, less start        {(middle['suite'] - middle['start']) / count * 1e3:7.2f} ms",
        f"plain pytest, without plugin {middle['without']:7.3f} s",
        f"plain pytest, plugin idle    {middle['idle']:7.3f} s  (+{(middle['idle'] - middle['without']) * 1e3:.0f} ms)",
    ):
        print(text)  # noqa: T201 - likewise
    bare = statistics.median(each["bare"] for each in calls)
    print(f"bare calls over WebSocket    {bare:7.0f} a second")  # noqa: T201 - likewise
    for name in [name for name in calls[0] if name != "bare"]:
        rate = statistics.median(each[name] for each in calls)
        ratio = statistics.median(each["bare"] / each[name] for each in calls)
        what = f"gateway, {name}{'' if name == 'in process' else ' worker(s)'}"
        print(f"{what:<28} {rate:7.0f} a second, {ratio:.2f} times the time")  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
