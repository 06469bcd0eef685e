"""
The pages about what is asked: they are up to date, complete, and their links lead somewhere.
"""

from __future__ import annotations

import re

from functools import cache
from pathlib import Path

import pytest

from markdown_it import MarkdownIt

from epos_conformance import _asked, _contracts, _rules
from epos_conformance.report import capabilities, members
from epos_conformance.report.cli import main
from epos_conformance.report.rule_tables import WHOLES, page_of


@cache
def pages() -> dict[str, str]:
    return capabilities.pages()


@cache
def anchors(name: str) -> set[str]:
    """Where a link into the page *name* may lead: its headings as GitHub calls them, and its named places."""
    headings = re.findall(r"(?m)^#+ (.+)$", pages()[name])
    slugs = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
    assert len(slugs) == len(set(slugs)), f"{name} has two headings of one name"
    return {*slugs, *re.findall(r'<a name="([^"]+)">', pages()[name])}


@cache
def rendered(name: str) -> str:
    return str(MarkdownIt("commonmark").enable("table").render(pages()[name]))


for_each_page = pytest.mark.parametrize("name", list(capabilities.pages()))


def test_the_pages_of_the_checkout_are_up_to_date() -> None:
    """Where this fails: ``epos-report docs --into reports/capabilities``."""
    there = {path.name: path.read_text(encoding="utf-8") for path in capabilities.FOLDER.iterdir()}

    assert sorted(there) == sorted(pages())
    assert [name for name, text in pages().items() if there[name] != text] == []


def test_there_is_a_page_for_each_capability_and_each_whole() -> None:
    assert {f"{each}.md" for each in _contracts.capabilities()} <= set(pages())
    assert len(pages()) == len(_contracts.capabilities()) + len(WHOLES) + 3
    # Windows and macOS take names that differ in their case for one.
    assert len({each.lower() for each in pages()}) == len(pages())


def test_every_rule_is_told_on_its_page_and_nowhere_else() -> None:
    for rule in _rules.rules().values():
        (name,) = [name for name, text in pages().items() if f'<a name="{rule.id}"></a>' in text]
        assert name == page_of(rule)
        (line,) = [line for line in pages()[name].splitlines() if f'<a name="{rule.id}"></a>' in line]
        assert members.plain(rule.sentence) in line
        assert re.match(rf"\| (\*\*)?{rule.level}(\*\*)? \|", line)
        assert f"*{rule.basis}*" in line
        assert line.count("](README.md#") == len(rule.sources)


def test_every_capability_shows_how_it_is_called_and_who_needs_it() -> None:
    for each in _contracts.capabilities().values():
        text = pages()[f"{each.name}.md"]
        assert f"`{each.http_method} {each.path}`" in text
        assert f"`{each.ws_method}`" in text
        for name in (*each.registered, *each.legacy, *each.members, *(one.name for one in each.ids)):
            assert f"`{name}`" in text, (each.name, name)
        for product in each.products:
            assert _contracts.products()[product]["title"] in text
        assert text.count("<summary>") == 2 * len(each.examples)


def test_contradictions_are_told_on_the_pages_of_their_rules() -> None:
    for each in _asked.contradictions():
        for rule in _rules.rules().values():
            if each.concerns(rule.id):
                assert f"contradictions.md#{each.id}" in pages()[page_of(rule)], (each.id, rule.id)


@for_each_page
def test_links_lead_somewhere(name: str) -> None:
    found = re.findall(r"\]\(([^)]+)\)", pages()[name])
    assert found
    for link in found:
        if not link.startswith("https://"):
            page, _, anchor = link.partition("#")
            assert (page or name) in pages(), link
            assert not anchor or anchor in anchors(page or name), link


@for_each_page
def test_tables_are_tables_and_nothing_is_taken_for_markup(name: str) -> None:
    html = rendered(name)
    outside = re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.DOTALL)

    assert html.count("<table>") == len(re.findall(r"(?m)^\| ---", pages()[name]))
    # A row with a cell too many or too few is cut or filled by whoever renders it.
    for table in re.findall(r"(?:^\|.*\n)+", pages()[name], re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table[:200]
    assert "|" not in re.sub(r"<[^>]*>", "", outside)
    known = {
        "a", "br", "code", "details", "em", "h1", "h2", "h3", "li", "p", "pre", "strong", "summary", "table", "tbody",
        "td", "th", "thead", "tr", "ul",
    }  # fmt: skip
    assert set(re.findall(r"</?([a-z0-9]+)", html)) <= known


def test_the_pages_are_the_same_each_time() -> None:
    assert capabilities.pages() == pages()


def test_the_command_writes_the_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "--into", str(tmp_path / "new" / "folder")]) == 0

    assert f"{len(pages())} pages in " in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == set(pages())


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "minLength": 1}, "text, not empty"),
        ({"type": "string", "minLength": 1, "maxLength": 10}, "text, 1 to 10 characters"),
        ({"type": "string", "format": "date-time"}, "a date and time with its offset"),
        ({"type": "integer"}, "a whole number"),
        ({"type": "integer", "minimum": 1, "maximum": 100}, "a whole number, 1 to 100"),
        ({"type": "boolean"}, "`true` or `false`"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, "a list of text, at least 1 entry"),
        ({"enum": ["A", "B"]}, "one of `A`, `B`"),
        ({"$ref": "urn:epos:orders#/$defs/Order"}, "[Order](shapes.md#order)"),
        ({"type": "object", "additionalProperties": False}, "an empty object"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "an object of `a` (optional): text"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "text or a whole number"),
        (True, "anything, or nothing"),
    ],
    ids=str,
)
def test_a_schema_is_told_in_words(schema: members.Schema | bool, told: str) -> None:
    assert members.kind(schema) == told


def test_what_dojo_does_not_send_is_no_order_to_refuse_it() -> None:
    page = capabilities.pages()["CreateOrderLock.md"]
    assert "Dojo sends no other members." in page
    assert not [
        name
        for name, text in capabilities.pages().items()
        if "not allowed" in text.partition("## Answer")[0] and name != members.PAGE
    ]


def test_a_capability_without_errors_says_why() -> None:
    pages = capabilities.pages()
    assert "There is nothing in a request that could be refused." in pages["ListAreas.md"]
    assert "no rule asks for a certain `errorType` for one of them: [SearchTables." in pages["SearchTables.md"]
    assert not any("error of one type" in each for each in pages.values())
