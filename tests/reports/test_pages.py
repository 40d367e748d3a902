"""What pages share: file names that are harmless and apart, texts cut to fit, charts with a text alternative."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.partner_example import PAGE
from tierwise.reports import charts
from tierwise.reports.charts import Mark
from tierwise.reports.pages import LONGEST_FILE_NAME, clip, count, file_name, percent
from tierwise.reports.partner_page import as_html

NASTY = ("../../etc/passwd", "a/b", "", ".", "con:", "P1\n", "x" * 300, "株式会社", "\ud800", "p1", "-rf")


@pytest.mark.parametrize("partner_id", NASTY)
def test_a_file_name_is_harmless(partner_id: str) -> None:
    name = file_name(partner_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
    assert not name.startswith("-")
    assert len(name) <= LONGEST_FILE_NAME
    assert len(PurePosixPath(name).parts) == 1


@given(st.lists(st.text(max_size=80), unique=True, max_size=20))
def test_no_two_partners_share_a_file_whatever_the_disk_folds(ids: list[str]) -> None:
    assert len({file_name(one).lower() for one in ids}) == len(ids)


@pytest.mark.parametrize("pair", [("P1", "p1"), ("a/b", "a-b"), ("x" * 100, "x" * 101)])
def test_likely_pairs_are_apart_as_well(pair: tuple[str, str]) -> None:
    assert file_name(pair[0]).lower() != file_name(pair[1]).lower()


def test_usual_ids_are_their_own_names() -> None:
    assert [file_name(one) for one in ("P0000280", "A-1_2")] == ["P0000280", "A-1_2"]


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("short", 10, "short"), ("one two three", 9, "one two…"), ("unbreakable", 6, "unbre…"), ("a, b c", 4, "a…"),
    ],
)  # fmt: skip
def test_texts_are_cut_at_words(text: str, most: int, shown: str) -> None:
    assert clip(text, most) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("USD 412 k", "USD\xa0412\xa0k"),
        ("grew × 1.62 to 34 %", "grew ×\xa01.62 to 34\xa0%"),
        ("in USD 4 of 9", "in USD\xa04 of 9"),
    ],
)
def test_figures_keep_their_units_on_one_line(text: str, shown: str) -> None:
    assert f"<dd>{shown}</dd>" in as_html(replace(PAGE, recommendation=PAGE.recommendation | {"rule": text}))


@given(st.text(max_size=400), st.integers(1, 200))
def test_a_cut_text_is_never_longer_than_asked(text: str, most: int) -> None:
    assert len(clip(text, most)) <= most


def test_counts_and_shares_read_well() -> None:
    assert [count(1, "partner"), count(1_200, "partner"), count(2, "criterion", "criteria")] == [
        "1 partner", "1,200 partners", "2 criteria",
    ]  # fmt: skip
    assert [percent(0.1234), percent(None), percent(float("nan"))] == ["12.3 %", "–", "–"]


FIGURES = st.none() | st.floats(-1e12, 1e12)
LABEL = "USD 1 <b>\"k\"</b> & 'more'"


def _parsed(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == LABEL
    return root


@given(FIGURES, st.lists(st.floats(-1e12, 1e12), max_size=3))
def test_a_scale_holds_every_mark_within_its_frame(value: float | None, marks: list[float]) -> None:
    svg = str(
        charts.scale(
            value, [Mark(mark, kind) for mark, kind in zip(marks, ("keep", "reach", "now"), strict=False)], LABEL
        )
    )
    if value is None and not marks:
        assert svg == ""
        return
    for element in _parsed(svg):
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(element.get(name, "0")) <= charts.WIDTH


@given(FIGURES, FIGURES, FIGURES, FIGURES)
def test_an_interval_is_drawn_where_there_is_a_figure(
    low: float | None, value: float | None, high: float | None, now: float | None
) -> None:
    svg = str(charts.interval(low, value, high, now, LABEL))
    assert (svg == "") == (value is None)
    if svg:
        assert (_parsed(svg).find("rect") is not None) == (low is not None and high is not None)


@given(st.floats(-5, 5), st.floats(0, 5))
def test_an_effect_points_to_its_side(value: float, largest: float) -> None:
    bar = _parsed(str(charts.effect(value, largest, LABEL))).find("rect")
    assert bar is not None
    assert bar.get("class") == ("raises" if value >= 0 else "lowers")
    start, width = float(bar.get("x", "")), float(bar.get("width", ""))
    assert 0 <= start <= start + width <= charts.WIDTH


def test_a_part_fills_its_outline_and_no_more() -> None:
    room, reached = list(_parsed(str(charts.part(12.0, 24.0, 24.0, LABEL))))
    assert float(reached.get("width", "")) == pytest.approx(float(room.get("width", "")) / 2)
    assert charts.part(None, 24.0, 24.0, LABEL) == charts.part(1.0, 2.0, 0.0, LABEL) == ""
    assert charts.share(None, LABEL) == charts.share(float("nan"), LABEL) == ""
    assert len(list(_parsed(str(charts.share(0.0, LABEL))))) == 2
