"""One report, three renderings: a terminal's text, Markdown, and a page of HTML."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tierwise.reports.sections import Section, sections_html, sections_markdown, sections_text

SECTIONS = [
    Section("Rows", ("table", "rows"), (("deals", "1,200"), ("a|b & <i>", "7")), frozenset({1})),
    Section("Verdict", text=("It may be scored.", "1 < 2")),
    Section("Both", ("only",), (), text=("Nothing to list.",)),
]
VOID = {"meta"}


class Outline(HTMLParser):
    """Checks that every tag is closed in order, and collects the texts of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


def test_text_lines_up_numbers_on_the_right():
    assert sections_text("Report", SECTIONS).splitlines() == [
        "Report", "",
        "Rows:", "table       rows", "---------  -----", "deals      1,200", "a|b & <i>      7", "",
        "Verdict:", "It may be scored.", "1 < 2", "",
        "Both:", "Nothing to list.", "only", "----",
    ]  # fmt: skip


def test_markdown_escapes_the_bars_of_cells():
    lines = sections_markdown("Report", SECTIONS).splitlines()

    assert lines[0] == "# Report"
    assert "| a\\|b & <i> | 7 |" in lines
    assert [line for line in lines if line.startswith("## ")] == ["## Rows", "## Verdict", "## Both"]


def test_html_is_whole_and_escaped():
    page = sections_html("R & D", SECTIONS)
    outline = Outline()
    outline.feed(page)

    assert outline.open == []
    assert outline.cells == ["table", "rows", "deals", "1,200", "a|b & <i>", "7", "only"]
    assert "<title>R &amp; D</title>" in page
    assert "<p>1 &lt; 2</p>" in page


def test_html_sets_numbers_on_the_right():
    page = sections_html("Report", SECTIONS)

    assert '<td class="number">1,200</td>' in page
    assert '<th scope="col" class="number">rows</th>' in page
    assert "<td>deals</td>" in page


def test_the_interval_of_a_number_may_stand_below_it_and_long_texts_are_not_squeezed():
    rows = (("Gini", "0.779 (0.732–0.816)", "a" * 61), ("of <all> (x)", "-", "short"))
    page = sections_html("Report", [Section("Part", ("score", "value", "text"), rows, frozenset({1}))])

    assert '<td class="number range">0.779 <span>(0.732–0.816)</span></td>' in page
    assert f'<td class="long">{"a" * 61}</td>' in page
    assert '<td>of &lt;all&gt; (x)</td><td class="number">-</td><td>short</td>' in page


def test_what_stands_between_backticks_is_code_and_still_escaped():
    page = sections_html("Report", [Section("Part", text=("`<b>` is in use.",))])

    assert "<p><code>&lt;b&gt;</code> is in use.</p>" in page


@pytest.mark.parametrize("render", [sections_text, sections_markdown, sections_html])
def test_a_report_without_sections_is_its_title(render):
    assert "Report" in render("Report", [])
