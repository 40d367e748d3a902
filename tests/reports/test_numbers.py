"""Figures in reports about models: digits, units and unknowns; and the two sections that tell what guards found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.reports.leaks import LEADING, TITLE, leaks_section
from tierwise.reports.numbers import SCORE_TITLES, UNKNOWN, number, share, spread
from tierwise.reports.sections import sections_html, sections_markdown, sections_text
from tierwise.reports.stability import HEADER, stability_section

MISSING = (None, float("nan"), pd.NA, np.float64("nan"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"), (0.0, "0"), (-3, "-3"), (1_234_567, "1,234,567"), (np.int64(1200), "1,200"), (999.94, "999.9"),
        (1000.4, "1,000"), (0.12345, "0.123"), (-9.8764, "-9.876"), (12.345, "12.3"), (True, "True"),
        ("model", "model"),
    ],
)  # fmt: skip
def test_whole_numbers_have_thousands_and_others_about_three_digits(value: object, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize("value", MISSING)
def test_an_unknown_figure_is_a_dash_in_every_form(value: object) -> None:
    assert number(value) == share(value) == spread(value, 1.0) == spread(0.0, value) == UNKNOWN


@pytest.mark.parametrize(("value", "shown"), [(0.0, "0%"), (0.805, "80%"), (1, "100%"), (np.float64(0.349), "35%")])
def test_a_share_is_shown_in_whole_per_cent(value: object, shown: str) -> None:
    assert share(value) == shown


@given(st.floats(-1e15, 1e15))
def test_a_figure_reads_back_as_what_it_was_to_a_thousandth(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=0.005, abs=0.0006)


def test_an_interval_is_both_ends_in_order() -> None:
    assert spread(-0.25, 1200.0) == "-0.250 to 1,200"


def test_every_score_has_its_own_title() -> None:
    assert len(set(SCORE_TITLES.values())) == len(SCORE_TITLES)


LEAK_COLUMNS = ["subject", "kind", "code", "share", "yardstick", "probability", "fired"]


def _leaks(rows: int, fired: tuple[int, ...] = ()) -> pd.DataFrame:
    listed = [(f"m{i}", "metric", "same_day", 0.5 - i / 100, 0.25, 0.75, i in fired) for i in range(rows)]
    return pd.DataFrame(listed, columns=LEAK_COLUMNS)


@pytest.mark.parametrize(
    ("alarm", "said"), [("fired", "ALARM"), ("quiet", "No column"), ("not_tested", "Nothing could be tested")]
)
def test_the_guards_answer_stands_before_their_figures(alarm: str, said: str) -> None:
    assert leaks_section(_leaks(2), alarm).text[0].startswith(said)
    alone = leaks_section(_leaks(0), alarm)
    assert (alone.title, alone.header, alone.rows, len(alone.text)) == (TITLE, (), (), 1)


def test_the_guards_figures_are_the_rows() -> None:
    section = leaks_section(_leaks(2, fired=(1,)), "fired")
    assert section.rows == (
        ("m0", "metric", "same_day", "50%", "25%", "0.750", "quiet"),
        ("m1", "metric", "same_day", "49%", "25%", "0.750", "ALARM"),
    )
    assert [section.header[place] for place in sorted(section.right)] == ["tells", "honest", "P"]


def test_an_alarm_far_down_the_table_is_shown_and_the_quiet_ones_there_are_not() -> None:
    rows = leaks_section(_leaks(LEADING + 8, fired=(LEADING + 5,)), "fired").rows
    assert [row[0] for row in rows] == [f"m{i}" for i in (*range(LEADING), LEADING + 5)]
    reordered = _leaks(LEADING + 8, fired=(LEADING + 5,)).set_index(pd.RangeIndex(900, 900 + LEADING + 8))
    assert leaks_section(reordered, "fired").rows == rows


def test_what_a_guard_could_not_measure_is_a_dash() -> None:
    leaks = _leaks(1).assign(share=np.nan, yardstick=np.nan, probability=np.nan)
    assert leaks_section(leaks, "quiet").rows[0][3:6] == (UNKNOWN,) * 3


def test_a_column_named_by_an_enemy_harms_neither_page_nor_table() -> None:
    leaks = _leaks(1).assign(subject="a|b\n<script>x</script>")
    section = leaks_section(leaks, "quiet")
    assert "<script>" not in sections_html("t", [section])
    lines = sections_markdown("t", [section]).splitlines()
    assert next(line for line in lines if "script" in line).startswith("| a\\|b <script>x</script> | metric |")


STABILITY = pd.DataFrame(
    [("rank agreement", 0.912345, "above 0.8", "two samples agree"), ("null share", np.nan, "0", "shuffled labels")],
    columns=list(HEADER),
)


def test_the_stability_report_shows_each_check_beside_what_is_expected() -> None:
    (section,) = stability_section(STABILITY)
    assert section.rows == (
        ("rank agreement", "0.912", "above 0.8", "two samples agree"),
        ("null share", "-", "0", "shuffled labels"),
    )
    assert "not what raising it would do" in section.text[0]


def test_the_stability_report_takes_its_columns_by_name_and_is_left_out_where_none_was_made() -> None:
    turned = STABILITY[list(reversed(HEADER))].assign(internal=1)
    assert stability_section(turned) == stability_section(STABILITY)
    assert stability_section(STABILITY.head(0)) == []


def test_a_section_reads_alike_on_every_surface() -> None:
    sections = [leaks_section(_leaks(1), "quiet"), *stability_section(STABILITY)]
    for render in (sections_text, sections_markdown, sections_html):
        page = render("Card", sections)
        assert page == render("Card", sections)
        assert all(found in page for found in ("50%", "0.912", "above 0.8", TITLE))
