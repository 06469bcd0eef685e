"""
The pytest plugin: its options, and what they switch on.

Loaded by every pytest run of the environment that it is installed in, so it imports little and does nothing until a
partner is named. Fixtures live in ``conformance/conftest.py``, where only the checks can see them.
"""

from __future__ import annotations

import os

import pytest

from epos_conformance._options import OPTIONS


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("EPOS conformance")
    for option in OPTIONS:
        if not option.shared:
            group.addoption(option.name, **option.declare())
    # These need no partner, and are nobody's settings.
    group.addoption(
        "--explain",
        dest="epos_explain",
        metavar="RULE",
        help="print what a rule asks, what keeps and what breaks it, and exit; a pattern lists the rules that it fits",
    )
    for what, which in (
        ("rules", "the rules, or those that -k and -m select checks of,"),
        ("capabilities", "all capabilities"),
    ):
        group.addoption(
            f"--list-{what}",
            dest=f"epos_list_{what}",
            nargs="?",
            const="text",
            choices=("text", "json"),
            help=f"print {which} and exit; as JSON with --list-{what}=json",
        )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    option = config.option
    if option.epos_explain is None and not (option.epos_list_rules or option.epos_list_capabilities):
        return None
    from epos_conformance import _answering

    return _answering.answer(
        option.epos_explain,
        option.epos_list_rules,
        option.epos_list_capabilities,
        keywords=option.keyword,
        marks=option.markexpr,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    named = (config.option.epos_partner_url, config.option.epos_partner_ws, config.option.epos_partner)
    if not (any(named) or os.environ.get("PARTNER_URL") or os.environ.get("PARTNER_WS")):
        return
    # Only now: the imports cost more than an idle plugin may.
    from epos_conformance import _setup

    _setup.switch_on(config)
