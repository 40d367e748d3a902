"""Plots: drawn from the tables alone, named axes with units, the same bytes every time."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tierwise.reports.plots import STYLES, training_plots

NAMES = ["calibration-by-decile.png", "gini-by-origin.png"]
ORIGINS = ("2025-09-30", "2025-12-31")
GINI = {"persistence": 0.70, "model": 0.82, "chosen": 0.80}
SCORES = pd.DataFrame(
    [
        (origin, candidate, score, value + shift, value - 0.05, value + 0.07)
        for origin, shift in ((ORIGINS[1], 0.02), (ORIGINS[0], 0.0), ("all", 0.9))
        for candidate, value in GINI.items()
        for score in ("gini", "mae")
    ],
    columns=["origin", "candidate", "score", "value", "low", "high"],
)
CALIBRATION = pd.DataFrame(
    [
        (origin, candidate, decile, 10.0**decile * factor, 10.0**decile * factor * 1.5)
        for origin, factor in zip(ORIGINS, (1.0, 3.0), strict=True)
        for candidate in ("persistence", "model", "chosen")
        for decile in range(1, 5)
    ],
    columns=["origin", "candidate", "decile", "predicted", "actual"],
)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """The axes of the figures that are saved, in the order of saving."""
    axes: list[Axes] = []
    save = Figure.savefig

    def saving(figure: Figure, *args: object, **options: object) -> None:
        axes.append(figure.axes[0])
        save(figure, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", saving)
    return axes


def test_equal_tables_give_equal_bytes() -> None:
    first = training_plots(SCORES, CALIBRATION, "USD")
    second = training_plots(SCORES.copy(), CALIBRATION.copy(), "USD")
    assert sorted(first) == NAMES
    assert first == second
    assert all(content.startswith(b"\x89PNG\r\n\x1a\n") for content in first.values())


@pytest.mark.parametrize(("scores", "calibration"), [(SCORES.head(0), CALIBRATION), (SCORES, CALIBRATION.head(0))])
def test_nothing_is_drawn_without_a_past_review(scores: pd.DataFrame, calibration: pd.DataFrame) -> None:
    assert training_plots(scores, calibration, "USD") == {}


def test_axes_are_named_with_their_units_and_lines_are_in_a_legend(drawn: list[Axes]) -> None:
    training_plots(SCORES, CALIBRATION, "EUR")
    gini, calibration = drawn
    assert gini.get_xlabel() == "as-of date of the review"
    assert "1 = perfect" in gini.get_ylabel()
    assert "EUR" in calibration.get_xlabel()
    assert "EUR" in calibration.get_ylabel()
    assert all(axes.get_title() for axes in drawn)
    legends = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in drawn]
    assert sorted(legends[0]) == sorted(STYLES)
    assert legends[1] == ["persistence", "model", "predicted = actual"]


def test_the_ginis_stand_over_their_origin_in_time_with_their_intervals(drawn: list[Axes]) -> None:
    training_plots(SCORES, CALIBRATION, "USD")
    axes = drawn[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(ORIGINS)
    for container in axes.containers:
        line, _, (bars,) = container.lines
        value = GINI[container.get_label()]
        assert [round(float(place)) for place in line.get_xdata()] == [0, 1]
        assert list(line.get_ydata()) == pytest.approx([value, value + 0.02])
        assert [list(segment[:, 1]) for segment in bars.get_segments()] == [
            pytest.approx([value - 0.05, value + 0.07])
        ] * 2


def test_calibration_is_the_mean_over_origins_beside_the_diagonal(drawn: list[Axes]) -> None:
    training_plots(SCORES, CALIBRATION, "USD")
    axes = drawn[1]
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert lines["model"].get_xdata().tolist() == pytest.approx([20, 200, 2000, 20_000])
    assert lines["model"].get_ydata().tolist() == pytest.approx([30, 300, 3000, 30_000])
    diagonal = lines["predicted = actual"]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == pytest.approx([20, 30_000])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_model_that_could_never_be_trained_leaves_persistence_alone(drawn: list[Axes]) -> None:
    alone = [frame[frame["candidate"] != "model"] for frame in (SCORES, CALIBRATION)]
    training_plots(*alone, "USD")
    assert [text.get_text() for text in drawn[1].get_legend().get_texts()] == ["persistence", "predicted = actual"]


def test_where_nothing_was_ever_sold_there_is_no_calibration_to_draw() -> None:
    nothing = CALIBRATION.assign(actual=0.0, predicted=0.0)
    assert list(training_plots(SCORES, nothing, "USD")) == ["gini-by-origin.png"]


def test_candidates_differ_in_print_without_colour() -> None:
    assert len({(style["marker"], style["linestyle"]) for style in STYLES.values()}) == len(STYLES)
