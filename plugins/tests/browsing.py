"""
A real browser: the Chromium of this machine, closed to the network, for reports that are read from files.
"""

from __future__ import annotations

import os
import shutil

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


#: Where the machine has one; Playwright's own download is not used.
CHROMIUM = os.environ.get("CHROMIUM") or next(
    (found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))),
    None,
)

_FLAGS = (
    "--no-sandbox",  # a container's root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Browser:
    """
    Opens pages, and keeps what went wrong on them.
    """

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    @contextmanager
    def page(self, path: Path, *, script: bool = True, **context: Any) -> Iterator[Any]:
        """
        The file at *path* in a page of its own (a ``playwright.sync_api.Page``), by *context* on a phone, say.

        Fails at the end where its console told of an error, where a script threw, or where it asked for anything
        but files.
        """
        within = self._browser.new_context(java_script_enabled=script, **context)
        page = within.new_page()
        page.set_default_timeout(120_000)  # milliseconds; other tests keep the machine busy
        amiss: list[str] = []

        def ask(request: Any) -> None:
            if not request.url.startswith(("file:", "data:", "blob:")):
                amiss.append(f"asked {request.url}")

        def say(message: Any) -> None:
            if message.type == "error":
                amiss.append(f"console: {message.text}")

        def fail(error: Any) -> None:
            amiss.append(f"script: {error}")

        def warn(dialog: Any) -> None:
            amiss.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("console", say)
        page.on("pageerror", fail)
        page.on("dialog", warn)
        page.on("request", ask)
        try:
            page.goto(path.resolve().as_uri())
            yield page
        finally:
            within.close()
        assert amiss == []


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser. Skips the test where the machine has none."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        try:
            yield Browser(running)
        finally:
            running.close()
