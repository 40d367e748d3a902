"""Plots that a committee can read, as PNG bytes; every plot is drawn from a table that is stored beside it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POOLED = "all"
SIZE_INCHES = (7.2, 4.2)
DOTS_PER_INCH = 130
SIDE_BY_SIDE = (-0.06, 0.0, 0.06)

# Told apart by marker and line as well as by colour, so that a print in grey still reads (Okabe and Ito's palette).
STYLES: dict[str, dict[str, Any]] = {
    "persistence": {"color": "#555555", "marker": "s", "linestyle": "--"},
    "model": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "chosen": {"color": "#D55E00", "marker": "^", "linestyle": ":"},
}


def training_plots(scores: pd.DataFrame, calibration: pd.DataFrame, unit: str) -> dict[str, bytes]:
    """Draw the plots of a training.

    Args:
        scores: The back-test's scores: `origin, candidate, score, value, low, high`.
        calibration: The back-test's calibration: `origin, candidate, decile, predicted, actual`.
        unit: The unit of the target.

    Returns:
        PNG bytes by file name; none where no past review has completed, no calibration where nothing was sold.
    """
    if scores.empty or calibration.empty:
        return {}
    plots = {"gini-by-origin.png": _png(_gini_figure(scores))}
    if (calibration[["predicted", "actual"]] > 0).any(axis=None):  # nothing else fits on a log scale
        plots["calibration-by-decile.png"] = _png(_calibration_figure(calibration, unit))
    return plots


def _gini_figure(scores: pd.DataFrame) -> Figure:
    figure, axes = _figure()
    gini = scores[(scores["score"] == "gini") & (scores["origin"] != POOLED)]
    origins = sorted(gini["origin"].unique())
    for shift, (candidate, style) in zip(SIDE_BY_SIDE, STYLES.items(), strict=True):
        own = gini[gini["candidate"] == candidate].sort_values("origin")
        places = [origins.index(origin) + shift for origin in own["origin"]]
        spread = [own["value"] - own["low"], own["high"] - own["value"]]
        axes.errorbar(places, own["value"], yerr=spread, label=candidate, capsize=3, **style)
    axes.set_xticks(range(len(origins)), origins)
    axes.set_title("Ranking of partners out of time, by past review")
    axes.set_xlabel("as-of date of the review")
    axes.set_ylabel("normalised Gini (1 = perfect ranking)")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
    return figure


def _calibration_figure(calibration: pd.DataFrame, unit: str) -> Figure:
    from matplotlib.ticker import EngFormatter

    figure, axes = _figure()
    pooled = calibration.groupby(["candidate", "decile"], as_index=False)[["predicted", "actual"]].mean()
    for candidate in ("persistence", "model"):
        own = pooled[pooled["candidate"] == candidate]
        if len(own):
            axes.plot(own["predicted"], own["actual"], label=candidate, **STYLES[candidate])
    shown = pooled[["predicted", "actual"]].where(lambda values: values > 0)
    ends = [float(shown.min().min()), float(shown.max().max())]
    axes.plot(ends, ends, color="#999999", linewidth=1, label="predicted = actual")
    axes.set_xscale("log", nonpositive="mask")
    axes.set_yscale("log", nonpositive="mask")
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.yaxis.set_major_formatter(EngFormatter())
    axes.set_title("Predicted against actual, by tenth of partners")
    axes.set_xlabel(f"mean predicted over the horizon ({unit}, log scale)")
    axes.set_ylabel(f"mean actual over the horizon ({unit}, log scale)")
    axes.legend(frameon=False, loc="upper left")
    return figure


def _figure() -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    return figure, axes


def _png(figure: Figure) -> bytes:
    """Draw a figure; without the date and version that matplotlib would write, so that equal plots are equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
