"""Pictures of a pilot: drawn from the tables beside them, units on the axes, words that can be read, equal bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.reports.drawn_figures import figures, saved_figures, unreadable
from tests.reports.pilot_example import PilotStory, story
from tierwise.reports.pilot_plots import balance_plot, looks_plots, over_time_plots, pilot_plots, power_table
from tierwise.reports.pilot_plots_intervals import interval_plot
from tierwise.reports.plots_canvas import Plot, Words

__all__ = ["figures"]

NAMES = {
    "effects", "return", "looks-revenue_2q", "over-time-revenue_2q", "archetypes-revenue_2q-mdf",
    "archetypes-revenue_2q-rebate", "balance", "power-revenue_2q",
}  # fmt: skip
TABLE = pd.DataFrame(
    {
        "name": ["growth " * 12, "no upper end", "far out", "association"],
        "estimate": [10.0, 20.0, 5000.0, -30.0],
        "low": [-5.0, -10.0, -900.0, -60.0],
        "high": [25.0, np.nan, 90_000.0, -1.0],
        "kind": ["effect", "effect", "doubtful", "association"],
    }
)


@pytest.fixture(scope="module")
def told() -> PilotStory:
    return story()


@pytest.fixture(scope="module")
def drawn_once(told: PilotStory) -> dict[str, tuple[Plot, Figure]]:
    """Every picture of the story with its figure, drawn once for all tests that only look."""
    with pytest.MonkeyPatch.context() as patch:
        saved = saved_figures(patch)
        plots = pilot_plots(told)
    return {plot.name: (plot, figure) for plot, figure in zip(plots, saved, strict=True)}


def test_a_story_draws_every_picture(drawn_once: dict[str, tuple[Plot, Figure]]) -> None:
    assert set(drawn_once) == NAMES
    assert all(plot.png.startswith(b"\x89PNG\r\n\x1a\n") for plot, _ in drawn_once.values())


def test_the_same_table_gives_the_same_bytes(told: PilotStory, drawn_once: dict[str, tuple[Plot, Figure]]) -> None:
    again = (balance_plot(told), *looks_plots(told), *over_time_plots(told))
    assert all(plot.files() == drawn_once[plot.name][0].files() for plot in again)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_picture_can_be_read_has_units_and_words_for_those_who_cannot_see_it(
    drawn_once: dict[str, tuple[Plot, Figure]], name: str
) -> None:
    plot, figure = drawn_once[name]
    assert unreadable(figure) == []
    element = ElementTree.fromstring(plot.inline)
    assert element.attrib["role"] == "img"
    assert plot.sentence in element.attrib["aria-label"]
    axes = figure.axes[0]
    assert any(unit in axes.get_xlabel() + axes.get_ylabel() for unit in ("%", "USD", "standard deviations"))


def test_arms_differ_by_marker_and_line_and_not_by_colour_alone(told: PilotStory, figures: list[Figure]) -> None:
    list(over_time_plots(told))
    lines = [container.lines[0] for container in figures[0].axes[0].containers]
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == len(lines) == 2


def test_the_picture_over_time_is_drawn_from_its_table(told: PilotStory, figures: list[Figure]) -> None:
    (plot,) = over_time_plots(told)
    for container, arm in zip(figures[0].axes[0].containers, ("mdf", "rebate"), strict=True):
        own = plot.table[plot.table["arm"] == arm]
        line, _, (bars,) = container.lines
        assert list(line.get_ydata()) == pytest.approx(list(own["difference"]))
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        assert ends[:, 0] == pytest.approx(own["low"].to_numpy())
        assert ends[:, 1] == pytest.approx(own["high"].to_numpy())


def test_looks_stand_in_the_order_of_their_days_with_the_valid_intervals(told: PilotStory) -> None:
    (plot,) = looks_plots(told)
    days = plot.table["until"].drop_duplicates()
    assert list(days) == [pd.Timestamp(2025, 12, 31), pd.Timestamp(2026, 3, 31)]
    final = plot.table[(plot.table["until"] == days.iloc[-1]) & (plot.table["arm"] == "mdf")].iloc[0]
    row = told.row("revenue_2q", "mdf")
    assert row is not None
    assert (final["estimate"], final["low"], final["high"]) == (
        row["relative"],
        row["relative_low"],
        row["relative_high"],
    )


def test_a_pilot_without_looks_says_that_early_readings_decide_nothing() -> None:
    early = story(look=None, final=True)
    (plot,) = looks_plots(early)
    assert "not valid" in plot.sentence


def test_a_look_at_which_nothing_could_be_estimated_says_so(told: PilotStory) -> None:
    nothing = told.analysis.model_copy(update={"results": ()})
    (plot,) = looks_plots(replace(told, analysis=nothing, earlier=()))
    assert plot.sentence.startswith("Not enough evidence: ")


def test_the_love_plot_tells_the_largest_difference(told: PilotStory) -> None:
    table = told.balance.assign(standardised_difference=[0.03, -0.31])
    plot = balance_plot(replace(told, tables={**told.tables, "balance": table}))
    assert "0.31 standard deviations" in plot.sentence


def test_the_power_curve_goes_through_what_the_planner_promised(told: PilotStory) -> None:
    assert told.design is not None
    plan = told.design.plans[0]
    table = power_table(plan)
    curve = table[table["kind"] == "formula"]
    detectable = plan.rows[0].detectable_formula
    assert np.interp(detectable, curve["effect"], curve["power"]) == pytest.approx(plan.power, abs=0.005)
    assert np.interp(0.0, curve["effect"], curve["power"]) == pytest.approx(plan.alpha, abs=1e-9)
    simulated = table[table["kind"] == "simulated"]
    assert plan.rows[0].power_simulated in set(simulated["power"])


def test_a_planner_without_a_detectable_effect_has_no_curve(told: PilotStory) -> None:
    assert told.design is not None
    plan = told.design.plans[0]
    row = plan.rows[0].model_copy(update={"detectable_formula": None})
    assert power_table(plan.model_copy(update={"rows": (row,)})).empty


def test_intervals_without_an_end_and_far_ones_stay_on_the_axis(figures: list[Figure]) -> None:
    interval_plot(Words("x", "Title", "Sentence."), TABLE, "change, USD", "no change")
    axes = figures[0].axes[0]
    left, right = axes.get_xlim()
    assert right < 90_000
    arrows = [line for line in axes.get_lines() if line.get_marker() in ("<", ">")]
    assert {line.get_marker() for line in arrows} == {"<", ">"} or len(arrows) >= 2
    assert all(left <= float(x) <= right for line in arrows for x in line.get_xdata())
    assert unreadable(figures[0]) == []


def test_intervals_of_nothing_say_so() -> None:
    empty = TABLE.assign(estimate=np.nan)
    plot = interval_plot(Words("x", "Title", "Sentence."), empty, "change, USD", "no change")
    assert plot.sentence == "Not enough evidence: no estimate could be computed."


def test_the_kinds_of_estimates_differ_by_marker(figures: list[Figure]) -> None:
    interval_plot(Words("x", "Title", "Sentence."), TABLE, "change, USD", "no change")
    markers = {line.get_marker() for line in figures[0].axes[0].get_lines()} - {"<", ">", "None"}
    assert len(markers) == 3


@pytest.mark.parametrize("days", [3, 12])
def test_many_looks_keep_their_days_readable(told: PilotStory, figures: list[Figure], days: int) -> None:
    reads = [
        told.analysis.model_copy(update={"until": date(2025, 1 + place, 28), "final": False})
        for place in range(days - 1)
    ]
    list(looks_plots(replace(told, earlier=tuple(reads))))
    assert unreadable(figures[0]) == []
