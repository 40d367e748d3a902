"""Plain-text and Markdown tables: aligned, complete, and not to be broken by what stands in a cell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tierwise.reports.text_table import markdown_table, text_table

CELLS = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=9)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.tuples(
        st.lists(CELLS, min_size=columns, max_size=columns),
        st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=5),
    )
)


def test_texts_stand_left_and_numbers_right_under_a_rule() -> None:
    shown = text_table(("tier", "partners"), [("strategic", "1,200"), ("entry", 7)], right={1})
    assert shown.splitlines() == [
        "tier       partners",
        "---------  --------",
        "strategic     1,200",
        "entry             7",
    ]


def test_a_table_without_rows_is_its_header() -> None:
    assert text_table(("a", "bc"), []).splitlines() == ["a  bc", "-  --"]


@given(TABLES)
def test_every_column_starts_at_one_place_and_no_line_ends_in_blanks(table: tuple[list[str], list[list[str]]]) -> None:
    header, rows = table
    lines = text_table(header, rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert all(line == line.rstrip() for line in lines)
    start = 0
    for column in range(len(header)):
        cells = [header[column], *(row[column] for row in rows)]
        width = max(map(len, cells))
        shown = [line[start : start + width].rstrip() for line in (lines[0], *lines[2:])]
        assert shown == [cell.rstrip() for cell in cells]
        start += width + 2


def test_a_markdown_row_has_as_many_cells_as_the_header_whatever_stands_in_it() -> None:
    shown = markdown_table(("name", "value"), [("Smith | Sons", 1), ("a", "b|c")])
    assert shown.splitlines() == ["| name | value |", "| --- | --- |", "| Smith \\| Sons | 1 |", "| a | b\\|c |"]
