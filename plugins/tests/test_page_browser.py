"""
The certificate page as it is read: in a browser, on a phone, on paper, and with a partner that means harm.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from epos_conformance import schema
from epos_conformance.report import page
from epos_conformance.report.folder import PAGE

from . import pages
from .browsing import Browser
from .pages import call, check, document, mixed


PHONE = {"width": 390, "height": 844}
SMALL = {"width": 320, "height": 600}

#: What a partner may put wherever it puts a text.
HOSTILE = (
    "</style></title></pre><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover='alert(3)' {{ 7 * 7 }}"
    ' <svg onload=alert(4)> ]]> --> <a href="javascript:alert(5)">x</a>\x00\x1b[31m\u202egnp.exe\u2066\ud800 '
    + "W"
    * 3_000
)

#: Whether nothing in the page is wider than the page.
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"

#: Texts whose colour and ground are too close: ``[text, ratio]``.
FAINT = """() => {
  const part = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = numbers(colour).map(each => part(each / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const clear = colour => colour === 'transparent' || (numbers(colour)[3] ?? 1) === 0;
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || !element.checkVisibility() || element.closest('i, .skip')) continue;
    const colour = element.closest('svg') && element.namespaceURI.endsWith('svg') ? style.fill : style.color;
    let under = element;
    while (under && clear(getComputedStyle(under).backgroundColor)) under = under.parentElement;
    const ground = under ? getComputedStyle(under).backgroundColor : 'rgb(255, 255, 255)';
    const [one, two] = [light(colour), light(ground)].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) found.push([node.data.trim().slice(0, 40), ratio, colour, ground]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / PAGE
    page.write(mixed(), path, digest="ab" * 32)
    return path


def poisoned(value: Any, shape: Any) -> Any:
    """*value* with `HOSTILE` in the place of every text that its *shape* leaves to the partner, or to anybody."""
    shape = schema.resolve(shape, pages.SCHEMA)[0] if "$ref" in shape else shape
    if isinstance(value, dict):
        known, other = shape.get("properties", {}), shape.get("additionalProperties", {})
        return {
            key: poisoned(each, known.get(key, other if isinstance(other, dict) else {})) for key, each in value.items()
        }
    if isinstance(value, list):
        inner = shape.get("items", {})
        return [poisoned(each, inner if isinstance(inner, dict) else {}) for each in value]
    free = isinstance(value, str) and not {"enum", "const", "pattern", "format", "anyOf"} & shape.keys()
    return HOSTILE if free else value


@pytest.fixture(scope="module")
def harmful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = poisoned(mixed(), pages.SCHEMA)
    found["partner"]["pos"] |= {HOSTILE: HOSTILE}
    found["settings"][HOSTILE] = [HOSTILE, {HOSTILE: 1}]
    sources = found["contract"]["sources"]
    sources |= {"bad": {"title": "bad", "url": "javascript:alert(6)"}, HOSTILE: {"title": HOSTILE, "url": HOSTILE}}
    for each in found["checks"]:
        each["source"] += ["bad: place", "http: place"]
    sources["http"] = {"title": "web", "url": 'https://example.com/"onclick=alert(7)'}
    path = tmp_path_factory.mktemp("harm") / PAGE
    page.write(found, path, digest=HOSTILE)
    return path


def test_the_page_can_be_read_without_a_script(browser: Browser, whole: Path) -> None:
    with browser.page(whole, script=False) as shown:
        assert shown.title() == "Refused: Till & Table, EPOS Data API"
        assert shown.get_by_role("heading", level=1).inner_text() == "Certification report"
        assert shown.get_by_role("main").is_visible()
        assert shown.get_by_role("heading", name="Violated 1 rule").is_visible()


def test_nothing_that_a_partner_says_becomes_markup(browser: Browser, harmful: Path) -> None:
    with browser.page(harmful) as shown:
        assert shown.locator("script, img, iframe, object, embed, link, base, form").count() == 0
        assert shown.locator("[onerror], [onload], [onclick], [onmouseover]").count() == 0
        links = shown.eval_on_selector_all("a[href]", "all => all.map(each => each.getAttribute('href'))")
        # Of the page's own head and body alone: a text that ended one of them would have added others.
        assert shown.locator("body > *").evaluate_all("all => all.map(each => each.tagName)") == [
            "A",
            "HEADER",
            "MAIN",
            "FOOTER",
        ]
        text = shown.locator("body").inner_text()

    assert {each.partition(":")[0] for each in links if not each.startswith("#")} == {"https"}
    assert "<script>alert(1)</script>" in text
    assert "{{ 7 * 7 }}" in text
    assert "\\x00\\x1b[31m\\u202egnp.exe\\u2066" in text
    assert not {"\x00", "\x1b", "\u202e", "\u2066"} & {*text}


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["phone", "small"])
@pytest.mark.parametrize("kind", ["whole", "harmful"])
def test_a_phone_shows_it_without_scrolling_sideways(
    browser: Browser, size: dict[str, int], kind: str, request: pytest.FixtureRequest
) -> None:
    with browser.page(request.getfixturevalue(kind), viewport=size) as shown:
        shown.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")

        assert shown.evaluate(FITS)


def test_wide_tables_can_be_scrolled_with_the_keyboard(browser: Browser, whole: Path) -> None:
    with browser.page(whole, viewport=PHONE) as shown:
        regions = shown.locator(".scroll")

        assert regions.count() > 5
        assert shown.locator(".scroll:not([tabindex='0'][role=region])").count() == 0
        assert shown.locator(".scroll:not([aria-label], [aria-labelledby])").count() == 0


def test_tables_have_captions_and_heads(browser: Browser, whole: Path) -> None:
    with browser.page(whole) as shown:
        assert shown.locator("table").count() > 5
        assert shown.locator("table:not(:has(> caption))").count() == 0
        assert shown.locator("th:not([scope])").count() == 0
        assert shown.locator("tbody tr:not(:has(th[scope=row]))").count() == 0
        assert shown.locator("html").get_attribute("lang") == "en"
        assert [shown.locator(each).count() for each in ("header", "main", "footer")] == [1, 1, 1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("verdict", ["good", "advice", "bad", "open"])
def test_every_text_stands_out_from_its_ground(browser: Browser, tmp_path: Path, scheme: str, verdict: str) -> None:
    checks = mixed()["checks"]
    shown_kinds = {
        "good": ("conforms",),
        "advice": ("conforms", "should"),
        "bad": ("conforms", "violates", "inconclusive", "not-offered"),
        "open": ("conforms", "inconclusive", "not-offered"),
    }[verdict]
    kept = [each for each in checks if {each["outcome"], each["level"]} & {*shown_kinds}]
    page.write(document(kept, notes=["a note"]), tmp_path / PAGE)

    with browser.page(tmp_path / PAGE, color_scheme=scheme) as shown:
        shown.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
        assert shown.locator(f"body.{verdict}").count() == 1
        assert shown.evaluate(FAINT) == []


def test_what_has_the_focus_shows_it(browser: Browser, whole: Path) -> None:
    with browser.page(whole) as shown:
        shown.keyboard.press("Tab")
        assert shown.evaluate("document.activeElement.className") == "skip"
        shown.keyboard.press("Tab")
        assert shown.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert shown.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


def rows(shown: Any) -> set[str]:
    """The names of the rules that are to be seen in the matrix."""
    return {*texts(shown, ".matrix tbody th code")}


def texts(shown: Any, selector: str) -> list[str]:
    """The texts of what *selector* finds and can be seen."""
    found: list[str] = shown.eval_on_selector_all(
        selector, "all => all.filter(each => each.checkVisibility()).map(each => each.innerText)"
    )
    return found


@pytest.mark.parametrize(
    ("choices", "seen"),
    [
        (["show-B"], {"answer-matches-schema"}),
        (["show-R"], {"success-status-is-ok", "errors-carry-a-trace-id"}),
        (["show-W"], {"keeps-the-note"}),
        (["show-W", "over-rest"], set()),
        (["show-W", "over-ws"], {"keeps-the-note"}),
        (["show-U"], {"unknown-id-is-not-found", "success-status-is-ok"}),
        (["show-U", "over-ws"], {"unknown-id-is-not-found"}),
    ],
)
def test_the_matrix_is_filtered_without_a_script(
    browser: Browser, whole: Path, choices: list[str], seen: set[str]
) -> None:
    with browser.page(whole, script=False) as shown:
        everything = rows(shown)
        for each in choices:
            shown.locator(f"#{each}").check()

        assert rows(shown) == seen < everything


def test_a_filter_by_transport_leaves_the_columns_aligned(browser: Browser, whole: Path) -> None:
    with browser.page(whole) as shown:
        shown.locator("#over-ws").check()
        heads = texts(shown, "details:has(#page-1) .matrix thead tr:first-child th")
        cells = texts(shown, "details:has(#page-1) .matrix tbody tr:first-child :is(th, td)")

        assert heads[:2] == ["Rule", "Level"]
        assert len(heads) == len(cells)
        assert shown.evaluate(FITS)


def test_a_link_opens_what_it_leads_to(browser: Browser, whole: Path) -> None:
    with browser.page(whole) as shown:
        target = shown.locator("#waived-1")
        assert not target.is_visible()

        shown.locator(".matrix a[href='#waived-1']").click()

        assert target.is_visible()


def test_paper_has_everything(browser: Browser, whole: Path) -> None:
    with browser.page(whole) as shown:
        shown.locator("#show-B").check()
        shown.emulate_media(media="print")

        assert shown.locator("details:not([open])").count() > 5
        # A table in which all is kept is told by its head.
        folded = "details:not([open]) > :not(summary, .table:not(.X) > .scroll)"
        visible = shown.eval_on_selector_all(folded, "all => all.map(each => each.checkVisibility())")
        assert len(visible) > 5
        assert all(visible)
        assert shown.locator(".matrix tbody tr.K:not(.X)").count() > 1
        assert not shown.locator(".matrix tbody tr:not(.X)").filter(visible=True).count()
        assert {"keeps-the-note", "success-status-is-ok"} <= rows(shown)
        assert not shown.locator(".filter").first.is_visible()
        printed = shown.pdf(prefer_css_page_size=True, print_background=True)

    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") > 3


def test_words_are_whole_on_paper(browser: Browser, tmp_path: Path) -> None:
    broken = [
        check(f"{name}.answer-matches-schema", "violates", pages.FAULT, transport)
        for name in ("RecordOrderPaymentById", "SearchOrders")
        for transport in ("rest", "ws")
    ]
    page.write(document([*broken, check("ListAreas.answer-matches-schema")]), tmp_path / PAGE)

    # The width of A4 between its margins.
    with browser.page(tmp_path / PAGE, viewport={"width": 695, "height": 1000}) as shown:
        shown.emulate_media(media="print")
        lines = shown.eval_on_selector_all(
            "#capabilities .word",
            """all => all.map(each => {
              const range = document.createRange();
              range.selectNodeContents(each);
              return [each.innerText, new Set([...range.getClientRects()].map(one => one.top)).size];
            })""",
        )

    assert {"Conformant", "Not conformant"} <= {text for text, _ in lines}
    assert [text for text, number in lines if number > len(text.split())] == []


def test_a_phone_shows_times_as_a_table(browser: Browser, tmp_path: Path) -> None:
    calls = [pages.exchange(name, over) for name in ("RecordOrderPaymentById", "ListAreas") for over in ("rest", "ws")]
    page.write(document([check("SearchOrders.keeps-to-the-limit", exchanges=calls)]), tmp_path / PAGE)

    with browser.page(tmp_path / PAGE, viewport=PHONE) as shown:
        table = shown.locator("table.figures")

        assert not shown.locator(".chart").is_visible()
        assert table.is_visible()
        assert table.evaluate("each => each.scrollWidth <= each.parentElement.clientWidth")

    with browser.page(tmp_path / PAGE) as shown:
        assert shown.locator(".chart").is_visible()
        assert not shown.locator("table.figures").is_visible()


def test_paper_is_light_in_the_dark(browser: Browser, whole: Path) -> None:
    with browser.page(whole, color_scheme="dark") as shown:
        shown.emulate_media(media="print", color_scheme="dark")

        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert shown.evaluate(FAINT) == []


def test_a_replay_is_selected_by_a_click(browser: Browser, tmp_path: Path) -> None:
    broken = check("SearchOrders.answer-matches-schema", "violates", pages.FAULT, exchanges=[call("rest")])
    page.write(document([broken]), tmp_path / PAGE)

    with browser.page(tmp_path / PAGE) as shown:
        shown.locator(".replay").click()

        assert shown.evaluate("getSelection().toString().trim()") == "curl -i http://till.example"


def test_a_list_of_certificates_can_be_read(browser: Browser, tmp_path: Path) -> None:
    bad = poisoned(mixed(), pages.SCHEMA)
    page.index([(mixed(), "one/certificate.html"), (bad, "two/certificate.html")], tmp_path / "index.html")

    for size in (PHONE, {"width": 1200, "height": 800}):
        with browser.page(tmp_path / "index.html", viewport=size) as shown:
            assert shown.get_by_role("link").count() == 2
            assert shown.locator("script, img").count() == 0
            assert shown.evaluate(FITS)
            assert shown.evaluate(FAINT) == []
