"""
The matrix of capabilities and rules, and the chart of times.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance.report.page import matrix, timing, words
from epos_conformance.report.page.findings import collect

from .pages import check, document, exchange, mixed, parts


def tables(document: dict[str, Any]) -> dict[str, matrix.Table]:
    """Page -> table."""
    return {each.page: each for each in matrix.tables(document, collect(document).anchors)}


def test_there_is_a_table_for_each_page_and_each_whole() -> None:
    assert [*tables(mixed())] == ["orders", "journeys", "websocket"]


def test_columns_are_what_is_offered_over_each_transport() -> None:
    columns = tables(mixed())["orders"].columns

    assert [(each.capability, each.transport) for each in columns] == [
        ("CreateOrder", "rest"),
        ("CreateOrder", "ws"),
        ("GetOrderById", "rest"),
        ("GetOrderById", "ws"),
        ("SearchOrders", "rest"),
        ("SearchOrders", "ws"),
    ]


def test_a_cell_tells_the_worst_and_leads_to_it() -> None:
    table = tables(mixed())["orders"]
    row = next(each for each in table.rows if each.name == "answer-matches-schema")
    cells = dict(zip(((each.capability, each.transport) for each in table.columns), row.cells, strict=True))
    broken, both = cells["SearchOrders", "rest"], cells["SearchOrders", "ws"]

    assert broken is not None
    assert both is not None
    assert (broken.word, broken.anchor) == ("broken, 1 of 2", "violated-1")
    assert (both.word, both.anchor) == ("broken", "violated-1")
    assert cells["GetOrderById", "rest"] is None


def test_a_sentence_about_several_capabilities_names_none() -> None:
    several = [check("SearchOrders.answer-matches-schema"), check("GetOrderById.answer-matches-schema")]

    assert tables(document(several[:1]))["orders"].rows[0].sentence == (
        "A valid SearchOrders request is answered with a success that satisfies the response schema."
    )
    assert tables(document(several))["orders"].rows[0].sentence.startswith("A valid [capability] request")


def test_rows_are_in_the_order_of_the_catalogue() -> None:
    ids = ["SearchOrders.walks-each-row-once", "SearchOrders.answer-matches-schema", "SearchOrders.keeps-to-the-limit"]
    names = [each.name for each in tables(document([check(each) for each in ids]))["orders"].rows]

    assert names == ["answer-matches-schema", "keeps-to-the-limit", "walks-each-row-once"]


def test_rows_and_tables_carry_what_they_are_filtered_by() -> None:
    table = tables(mixed())["orders"]
    row = next(each for each in table.rows if each.name == "keeps-the-note")

    assert row.marks.split() == ["K", "K-rest", "W", "W-ws", "X", "X-ws", "in-rest", "in-ws"]
    assert {"B", "B-rest", "B-ws", "R", "U", "L"} <= {*table.marks.split()}


def test_a_table_tells_rules_from_checks() -> None:
    told = parts(mixed()["checks"]).text("matrix")
    table = tables(mixed())["orders"]

    assert (len(table.rows), table.number) == (6, 11)
    assert "Orders 6 rules, 11 checks: 2 broken" in told
    assert "1/2 so in one of two cases" in told


def test_a_table_counts_the_rows_that_paper_leaves_out() -> None:
    found = tables(mixed())

    assert {each.page: each.unprinted for each in found.values()} == {"orders": 1, "journeys": 1, "websocket": 1}
    text = parts(mixed()["checks"]).text("matrix")
    assert "1 rule is simply kept, or left out as not offered, and not printed." in text
    assert "Its only rule is simply kept" in text


def test_every_filter_has_its_style() -> None:
    from epos_conformance.report.page import TEMPLATES

    style = (TEMPLATES / "certificate.css").read_text(encoding="utf-8")
    template = (TEMPLATES / "matrix.html.j2").read_text(encoding="utf-8")

    for letter in {*matrix.FILTERS.values(), matrix.AMISS}:
        assert f'("{letter}", ' in template
        assert f"#show-{letter}:checked) :is(.table, .matrix tbody tr):not(.{letter})" in style
        for transport in ("rest", "ws"):
            assert f":not(.{letter}-{transport}, .{letter}-dojo)" in style


def test_a_rule_with_a_case_for_each_capability_is_one_row() -> None:
    checks = [
        check("rest.refuses-missing-credentials", case=name, capability=name)
        for name in ("SearchOrders", "GetOrderById", "CreateOrder")
    ]
    row = tables(document(checks))["rest"].rows[0]

    assert row.name == "rest.refuses-missing-credentials"
    assert [each and each.word for each in row.cells] == ["kept, 3 of 3"]


def test_a_page_of_which_nothing_is_offered_has_no_table() -> None:
    absent = check("CreateParty.answer-matches-schema", "not-offered", "CreateParty isn't claimed")
    assert set(tables(document([check("ListAreas.ids-are-unique"), absent]))) == {"areas"}


def test_cells_have_a_text_for_those_who_see_no_marks() -> None:
    text = parts(mixed()["checks"]).text("matrix")

    for word in ("broken, 1 of 2", *words.KINDS.values(), "no such rule"):
        assert word in text


# Times


def timed(*seconds: float, **more: Any) -> dict[str, Any]:
    calls = [exchange(duration=each) for each in seconds]
    return document([check("SearchOrders.keeps-to-the-limit", exchanges=calls)], **more)


def test_percentiles_are_those_of_all_answers() -> None:
    chart = timing.chart(timed(*(number / 1000 for number in range(1, 101))))

    assert chart is not None
    line = chart.lines[0]
    assert (line.capability, line.transport, line.number) == ("SearchOrders", "rest", 100)
    assert (line.p50, line.p95, line.most) == (0.05, 0.095, 0.1)


@pytest.mark.parametrize(("most", "state"), [(1.9, "within"), (2.5, "slow"), (10.5, "too slow")])
def test_times_are_held_against_the_limits_of_the_run(most: float, state: str) -> None:
    chart = timing.chart(timed(0.1, most))

    assert chart is not None
    assert chart.lines[0].state == state


def test_the_scale_is_logarithmic_and_holds_times_and_limits() -> None:
    chart = timing.chart(timed(0.001, 0.01, 0.1, 40.0))

    assert chart is not None
    steps = {round(later.x - earlier.x) for earlier, later in zip(chart.ticks, chart.ticks[1:], strict=False)}
    assert max(steps) - min(steps) <= 1
    assert chart.left < chart.lines[0].x50 < chart.slow.x < chart.fail.x < chart.lines[0].x_most < chart.width


def test_a_conversation_that_several_checks_judge_counts_once() -> None:
    calls = [exchange(duration=0.0123), exchange(duration=0.0456)]
    checks = [check(f"SearchOrders.{name}", exchanges=calls) for name in ("keeps-to-the-limit", "walks-each-row-once")]
    chart = timing.chart(document(checks))

    assert chart is not None
    assert chart.lines[0].number == 2


def test_calls_without_an_answer_are_told_and_not_timed() -> None:
    calls = [exchange(duration=0.0123), exchange(status=None, duration=10.0, failure="no answer")]
    found = document([check("SearchOrders.keeps-to-the-limit", exchanges=calls)])
    chart = timing.chart(found)

    assert chart is not None
    assert (chart.unanswered, chart.lines[0].number) == (1, 1)
    assert "1 call had no answer." in parts(found["checks"]).text("timing")


def test_a_run_that_asked_nothing_has_no_chart() -> None:
    assert timing.chart(document()) is None
    assert "timing" not in parts().ids


@pytest.mark.parametrize("limit", [[2.0, 3.0], "soon", None, 0, -1, True])
def test_limits_that_are_none_are_the_usual_ones(limit: Any) -> None:
    settings = {"partner-url": None, "partner-ws": None, "slow-after": limit}
    chart = timing.chart(timed(0.1, settings=settings))

    assert chart is not None
    assert chart.slow.text == "2 s"


def test_an_answer_in_no_time_at_all_can_be_drawn() -> None:
    chart = timing.chart(timed(0.0, 0.0))

    assert chart is not None
    assert chart.lines[0].x50 == chart.left
