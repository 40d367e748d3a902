"""The plots of a training, each with its numbers as a table; what cannot be drawn says why in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tierwise.reports.plots_archetypes import ArchetypeMap, archetype_plot
from tierwise.reports.plots_calibration import calibration_plot, coverage_plot
from tierwise.reports.plots_canvas import POOLED, Plot
from tierwise.reports.plots_ranking import gain_plot, gini_plot, stability_plot

__all__ = ["POOLED", "ArchetypeMap", "BacktestFigures", "Plot", "backtest_plots", "plot_files", "training_plots"]


@dataclass(frozen=True)
class BacktestFigures:
    """What the plots of a back-test are drawn from; the frames are those of `tierwise.potential.Backtest`.

    Attributes:
        scores: `origin, candidate, score, value, low, high, partners`.
        calibration: `origin, candidate, decile, partners, predicted, actual`.
        coverage: `origin, source, band, partners, coverage, nominal`.
        stability: `origin, earlier, partners, spearman`.
        predictions: `origin, partner_id, actual, persistence, model` and more.
        target: What is predicted, as people read it.
        unit: Its unit.
    """

    scores: pd.DataFrame
    calibration: pd.DataFrame
    coverage: pd.DataFrame
    stability: pd.DataFrame
    predictions: pd.DataFrame
    target: str
    unit: str


def backtest_plots(figures: BacktestFigures) -> tuple[Plot, ...]:
    """Draw the plots of a back-test, the most telling first."""
    return (
        gain_plot(figures.predictions, figures.target),
        gini_plot(figures.scores),
        calibration_plot(figures.calibration, figures.unit),
        coverage_plot(figures.coverage),
        stability_plot(figures.stability),
    )


def training_plots(figures: BacktestFigures, archetypes: ArchetypeMap | None) -> tuple[Plot, ...]:
    """Draw the plots of a training: those of its back-test, and the map of archetypes."""
    return (*backtest_plots(figures), archetype_plot(archetypes))


def plot_files(plots: Sequence[Plot]) -> dict[str, bytes]:
    """Return all pictures by file name."""
    return {name: content for plot in plots for name, content in plot.files().items()}
