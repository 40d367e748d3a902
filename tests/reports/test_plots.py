"""Plots: drawn from the tables beside them alone, axes named with units, words never clipped, the same bytes always."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.reports.drawn_figures import figures, unreadable
from tierwise.audit import DriftSettings, detect_drift
from tierwise.config.model_spec import Feature, FeatureSet
from tierwise.reports.plots import ArchetypeMap, BacktestFigures, Plot, plot_files, training_plots
from tierwise.reports.plots_archetypes import archetype_plot, look_of
from tierwise.reports.plots_calibration import calibration_plot, calibration_table, coverage_plot, coverage_table
from tierwise.reports.plots_canvas import CANDIDATE_STYLES, not_enough
from tierwise.reports.plots_drift import drift_plot, drift_table
from tierwise.reports.plots_ranking import gain_plot, gain_table, gini_plot, stability_plot, stability_table

__all__ = ["figures"]

NAMES = [
    "archetype-map", "calibration-by-decile", "gain-curve", "gini-by-origin", "interval-coverage", "rank-stability",
]  # fmt: skip
ORIGINS = ("2025-09-30", "2025-12-31")
GINI = {"persistence": 0.70, "run_rate": 0.71, "model": 0.82, "chosen": 0.80}
SCORES = pd.DataFrame(
    [
        (origin, candidate, score, value + shift, value - 0.05, value + 0.07, 40)
        for origin, shift in ((ORIGINS[1], 0.02), (ORIGINS[0], 0.0), ("all", 0.1))
        for candidate, value in GINI.items()
        for score in ("gini", "mae")
    ],
    columns=["origin", "candidate", "score", "value", "low", "high", "partners"],
)
CALIBRATION = pd.DataFrame(
    [
        (origin, candidate, decile, 10, 10.0**decile * factor, 10.0**decile * factor * 1.5)
        for origin, factor in zip(ORIGINS, (1.0, 3.0), strict=True)
        for candidate in ("persistence", "model", "chosen")
        for decile in range(1, 5)
    ],
    columns=["origin", "candidate", "decile", "partners", "predicted", "actual"],
)
WITH_ZEROS = CALIBRATION.assign(actual=CALIBRATION["actual"] * (CALIBRATION["decile"] > 1))
FAR_FROM_ZERO = WITH_ZEROS.assign(predicted=WITH_ZEROS["predicted"] * 700, actual=WITH_ZEROS["actual"] * 1e6)
COVERAGE = pd.DataFrame(
    [
        (ORIGINS[0], "model", 0, 100, 0.80, 0.8),
        (ORIGINS[0], "model", 1, 20, 0.60, 0.8),
        (ORIGINS[1], "model", 0, 400, 0.40, 0.8),
        (ORIGINS[1], "model", 1, 60, 0.85, 0.8),
        (ORIGINS[1], "cold_start", 0, 5, 1.0, 0.8),
    ],
    columns=["origin", "source", "band", "partners", "coverage", "nominal"],
)
STABILITY = pd.DataFrame([(ORIGINS[1], ORIGINS[0], 40, 0.9)], columns=["origin", "earlier", "partners", "spearman"])
PREDICTIONS = pd.DataFrame(
    [
        (origin, f"P{number}", float(number), float((number * 7) % 10), float(number) + (number % 3))
        for origin in ORIGINS
        for number in range(10)
    ],
    columns=["origin", "partner_id", "actual", "persistence", "model"],
)
FIGURES = BacktestFigures(SCORES, CALIBRATION, COVERAGE, STABILITY, PREDICTIONS, "Won revenue, last 4 quarters", "EUR")
NOTHING = replace(
    FIGURES, scores=SCORES.head(0), calibration=CALIBRATION.head(0), coverage=COVERAGE.head(0),
    stability=STABILITY.head(0), predictions=PREDICTIONS.head(0),
)  # fmt: skip
LONG = "High share of opportunities registered with the vendor, few people with a valid certificate of any kind"


def _map(archetypes: int, partners: int = 12) -> ArchetypeMap:
    rng = np.random.default_rng(5)
    rows = [
        ("partner", f"P{a}-{number}", f"A{a}", LONG, "outlier" if number == 0 else "named", 1, *rng.normal(a, 1, 2))
        for a in range(archetypes)
        for number in range(partners)
    ]
    # All centres at one height: the names must still not cover one another.
    rows += [("centre", None, f"A{a}", LONG, "tentative", partners, float(a), 0.0) for a in range(archetypes)]
    points = pd.DataFrame(
        rows, columns=["kind", "partner_id", "archetype_id", "archetype", "status", "partners", "x", "y"]
    )
    axes = pd.DataFrame(
        [("x", 0.41, "logins", 0.6), ("x", 0.41, "deals", -0.5), ("y", 0.22, "cases", 0.7)],
        columns=["axis", "explained", "feature", "loading"],
    )
    titles = {"logins": "Portal logins, last 4 quarters"}
    return ArchetypeMap(points, axes, archetypes * partners, 0.9, f"{archetypes} archetypes", titles)


def _no_archetypes() -> ArchetypeMap:
    points = _map(2).points.query("kind == 'partner'").assign(archetype_id=None, archetype=None)
    return replace(_map(0), points=points, nearest=float("nan"))


def _drift_tests(features: int = 20) -> tuple[pd.DataFrame, str]:
    rng = np.random.default_rng(3)
    columns = FeatureSet(tuple(Feature(f"m{n}", f"{LONG} {n}") for n in range(features)), "m0")
    before, after = (pd.DataFrame(rng.normal(size=(80, features)), columns=list(columns.names)) for _ in range(2))
    after["m3"] += 2.0
    ids = [f"P{number}" for number in range(80)]
    found = detect_drift(before.assign(partner_id=ids), after.assign(partner_id=ids), columns, 1, DriftSettings())
    return found.tests, found.sentence


DRIFT_TESTS, DRIFT_SENTENCE = _drift_tests()
DRAWINGS: dict[str, Callable[[], Plot]] = {
    "gain": lambda: gain_plot(PREDICTIONS, LONG),
    "gini": lambda: gini_plot(SCORES),
    "calibration": lambda: calibration_plot(CALIBRATION, "EUR"),
    "calibration with zeros": lambda: calibration_plot(WITH_ZEROS, "$"),
    "calibration far from zero": lambda: calibration_plot(FAR_FROM_ZERO, "USD"),
    "calibration of a narrow range": lambda: calibration_plot(CALIBRATION[CALIBRATION["decile"] == 2], "a $ and a $"),
    "coverage": lambda: coverage_plot(COVERAGE),
    "stability": lambda: stability_plot(STABILITY),
    "one archetype": lambda: archetype_plot(_map(1)),
    "eight archetypes": lambda: archetype_plot(_map(8)),
    "no archetypes": lambda: archetype_plot(_no_archetypes()),
    "drift": lambda: drift_plot(DRIFT_TESTS, DRIFT_SENTENCE),
    "nothing": lambda: gain_plot(PREDICTIONS.head(0), LONG),
}  # fmt: skip


def _axes(figure: Figure) -> Axes:
    return figure.axes[0]


def test_a_training_draws_each_plot_as_svg_and_png_the_same_bytes_every_time() -> None:
    first = training_plots(FIGURES, _map(3))
    second = training_plots(replace(FIGURES, scores=SCORES.copy()), _map(3))
    assert sorted(plot.name for plot in first) == NAMES
    files = plot_files(first)
    assert files == plot_files(second)
    assert sorted(files) == sorted(f"{name}.{kind}" for name in NAMES for kind in ("svg", "png"))
    for name, content in files.items():
        assert content.startswith(b"\x89PNG\r\n\x1a\n" if name.endswith("png") else b"<?xml")
        assert b"2026-" not in content[:600] or name.endswith("png")


def test_a_young_channel_gets_plots_that_say_why_they_are_empty() -> None:
    plots = training_plots(NOTHING, None)
    assert sorted(plot.name for plot in plots) == NAMES
    for plot in plots:
        assert plot.table.empty
        assert len(plot.table.columns) > 0
        assert plot.sentence.startswith("Not enough evidence: ")


@pytest.mark.parametrize("name", DRAWINGS)
def test_no_word_is_clipped_or_covered(name: str, figures: list[Figure]) -> None:
    DRAWINGS[name]()
    (figure,) = figures
    assert unreadable(figure) == []


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_plot_on_a_page_is_a_picture_with_words_for_those_who_cannot_see_it(name: str) -> None:
    plot = DRAWINGS[name]()
    element = ElementTree.fromstring(plot.inline)
    assert element.tag.endswith("svg")
    assert element.attrib["role"] == "img"
    assert plot.sentence in element.attrib["aria-label"]


def test_a_hostile_name_is_neither_a_formula_nor_markup() -> None:
    plot = gain_plot(PREDICTIONS, "$\\frac{$ <script>alert(1)</script> 収益")
    assert "<script" not in plot.inline
    assert "&lt;script" in plot.inline


def test_the_gain_curve_is_drawn_from_its_table(figures: list[Figure]) -> None:
    plot = gain_plot(PREDICTIONS, "Won revenue")
    axes = _axes(figures[0])
    assert axes.get_xlabel() == "share of partners, best predicted first (%)"
    assert axes.get_ylabel() == "share of actual value (%)"
    lines = {line.get_label(): line for line in axes.get_lines()}
    names = {"perfect": "perfect ranking", "model": "model", "persistence": "persistence (last period)"}
    assert set(plot.table["candidate"]) == set(names)
    for candidate, own in plot.table.groupby("candidate"):
        line = lines[names[str(candidate)]]
        assert list(line.get_xdata()) == pytest.approx(list(100 * own["partners_share"]))
        assert list(line.get_ydata()) == pytest.approx(list(100 * own["value_share"]))


def test_the_gain_curve_of_a_known_ranking() -> None:
    actual = [6.0, 3.0, 1.0, 0.0]
    frame = pd.DataFrame({"origin": ORIGINS[0], "actual": actual, "persistence": 1.0, "model": [4.0, 3.0, 2.0, 1.0]})
    table = gain_table(frame).pivot(index="partners_share", columns="candidate", values="value_share")
    assert table.loc[0.5, "model"] == pytest.approx(0.9)
    assert table.loc[0.5, "perfect"] == pytest.approx(0.9)
    assert table.loc[0.5, "persistence"] == pytest.approx(0.5)  # all equal: no ranking at all
    assert list(table.loc[1.0]) == pytest.approx([1, 1, 1])
    shuffled = gain_table(frame.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled, gain_table(frame))


def test_a_review_at_which_the_model_was_not_trained_counts_for_no_curve() -> None:
    partly = PREDICTIONS.assign(model=PREDICTIONS["model"].where(PREDICTIONS["origin"] == ORIGINS[1]))
    assert set(gain_table(partly)["origins"]) == {1}


def test_the_ginis_stand_over_their_origin_in_time_with_their_intervals(figures: list[Figure]) -> None:
    plot = gini_plot(SCORES)
    axes = _axes(figures[0])
    assert axes.get_xlabel() == "as-of date of the review"
    assert "1 = perfect" in axes.get_ylabel()
    assert [label.get_text() for label in axes.get_xticklabels()] == list(ORIGINS)
    drawn_values = []
    for container in axes.containers:
        line, _, (bars,) = container.lines
        assert [round(float(place)) for place in line.get_xdata()] == [0, 1]
        ends = [tuple(np.round(segment[:, 1], 9)) for segment in bars.get_segments()]
        drawn_values += [(round(y, 9), *end) for y, end in zip(line.get_ydata(), ends, strict=True)]
    own = plot.table[plot.table["origin"] != "all"]
    assert sorted(drawn_values) == sorted(
        (round(row.value, 9), round(row.low, 9), round(row.high, 9)) for row in own.itertuples()
    )
    assert "2 of 2 past reviews" in plot.sentence


def test_a_channel_without_a_model_shows_its_baselines() -> None:
    plot = gini_plot(SCORES[SCORES["candidate"] != "model"])
    assert "no model could be trained" in plot.sentence


def test_calibration_is_the_mean_over_partners_beside_the_diagonal(figures: list[Figure]) -> None:
    plot = calibration_plot(CALIBRATION, "EUR")
    axes = _axes(figures[0])
    lines = {line.get_label(): line for line in axes.get_lines()}
    own = plot.table[plot.table["candidate"] == "model"]
    assert lines["model"].get_xdata().tolist() == list(own["predicted"]) == pytest.approx([20, 200, 2000, 20_000])
    assert lines["model"].get_ydata().tolist() == list(own["actual"]) == pytest.approx([30, 300, 3000, 30_000])
    diagonal = lines["predicted = actual"]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == pytest.approx([20, 30_000])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert "EUR, log scale" in axes.get_xlabel()
    weighted = CALIBRATION.assign(partners=lambda table: np.where(table["origin"] == ORIGINS[1], 30, 10))
    assert calibration_table(weighted)["predicted"].iloc[0] == pytest.approx((10 * 10 + 30 * 30) / 40)


def test_a_zero_has_its_place_on_a_wide_scale_and_a_narrow_range_is_drawn_plainly(figures: list[Figure]) -> None:
    calibration_plot(WITH_ZEROS, "EUR")
    calibration_plot(CALIBRATION[CALIBRATION["decile"] == 2], "EUR")
    assert _axes(figures[0]).get_yscale() == "symlog"
    assert "0 beside it" in _axes(figures[0]).get_ylabel()
    assert _axes(figures[1]).get_yscale() == "linear"


def test_where_nothing_was_ever_sold_there_is_no_calibration_to_draw() -> None:
    plot = calibration_plot(CALIBRATION.assign(actual=0.0, predicted=0.0), "USD")
    assert "nothing was sold" in plot.sentence


def test_coverage_is_judged_by_its_interval_and_never_by_too_few() -> None:
    table = coverage_table(COVERAGE).set_index(["group", "origin"])
    assert table.loc[("smaller half", ORIGINS[0]), "verdict"] == "holds"
    assert table.loc[("smaller half", ORIGINS[1]), "verdict"] == "misses"
    assert table.loc[("larger half", ORIGINS[0]), "verdict"] == "unclear"
    assert table.loc[("newcomers", ORIGINS[1]), "verdict"] == "unclear"
    row = table.loc[("smaller half", ORIGINS[0])]
    # Wilson's interval of 80 of 100.
    assert (row["low"], row["high"]) == (pytest.approx(0.7111, abs=1e-4), pytest.approx(0.8666, abs=1e-4))
    assert (row["corridor_low"], row["corridor_high"]) == (0.75, 0.85)


def test_coverage_has_a_panel_per_size_and_draws_its_table(figures: list[Figure]) -> None:
    plot = coverage_plot(COVERAGE)
    panels = [axes for axes in figures[0].axes if axes.get_title()]
    assert [axes.get_title().partition(" (")[0] for axes in panels] == ["smaller half", "larger half", "newcomers"]
    for axes in panels:
        own = plot.table[plot.table["group"] == axes.get_title().partition(" (")[0]]
        places = [y for container in axes.containers for y in container.lines[0].get_ydata()]
        assert sorted(places) == pytest.approx(sorted(100 * own["coverage"]))
    assert "1 outside for sure" in plot.sentence


def test_stability_comes_with_an_interval_that_shrinks_with_partners(figures: list[Figure]) -> None:
    plot = stability_plot(STABILITY)
    line = _axes(figures[0]).containers[0].lines[0]
    assert list(line.get_ydata()) == list(plot.table["spearman"])
    few, many = (stability_table(STABILITY.assign(partners=partners)).iloc[0] for partners in (10, 1000))
    assert few["low"] < many["low"] < 0.9 < many["high"] < few["high"] < 1


def test_the_map_names_its_axes_and_how_much_they_explain(figures: list[Figure]) -> None:
    plot = archetype_plot(_map(3))
    axes = _axes(figures[0])
    assert "higher portal logins, last 4 quarters" in axes.get_xlabel()
    assert "lower deals" in axes.get_xlabel()
    assert "explains 41 % of the spread" in axes.get_xlabel()
    assert "explains 22 % of the spread" in axes.get_ylabel()
    centres = plot.table[plot.table["kind"] == "centre"]
    drawn_centres = {(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in axes.get_lines()}
    assert drawn_centres == set(zip(centres["x"], centres["y"], strict=True))
    points = np.vstack([np.asarray(group.get_offsets()) for group in axes.collections])
    partners = plot.table[plot.table["kind"] == "partner"]
    np.testing.assert_allclose(np.sort(points[:, 0]), np.sort(partners["x"]))


def test_archetypes_differ_by_shape_and_not_by_colour_alone() -> None:
    looks = look_of([f"A{number:02d}" for number in range(12)])
    assert len({look["marker"] for look in looks.values()}) == 12


def test_drift_draws_the_sizes_and_marks_what_is_beyond_chance(figures: list[Figure]) -> None:
    plot = drift_plot(DRIFT_TESTS, DRIFT_SENTENCE)
    bars = [patch for container in _axes(figures[0]).containers for patch in container.patches]
    by_place = {round(bar.get_y() + bar.get_height() / 2): bar for bar in bars}
    assert [by_place[place].get_width() for place in range(len(plot.table))] == pytest.approx(list(plot.table["psi"]))
    assert [bool(by_place[place].get_hatch()) for place in range(len(plot.table))] == list(plot.table["drifted"])
    assert plot.table["feature"].iloc[0] == "m3"
    assert "6 more are in the table" in plot.sentence
    pd.testing.assert_frame_equal(plot.table, drift_table(DRIFT_TESTS))


def test_candidates_differ_in_print_without_colour() -> None:
    assert len({(style["marker"], style["linestyle"]) for style in CANDIDATE_STYLES.values()}) == len(CANDIDATE_STYLES)


def test_an_empty_place_is_drawn_small() -> None:
    table = pd.DataFrame(columns=["a"])
    assert not_enough("x", "A title", "a reason.", table).sentence == "Not enough evidence: a reason."
