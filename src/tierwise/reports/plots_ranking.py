"""Plots of how well partners were ranked out of time: gain curve, Gini by past review, stability between retrains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.reports.plots_canvas import (
    CANDIDATE_NAMES,
    CANDIDATE_STYLES,
    DARK,
    POOLED,
    Plot,
    Words,
    day_ticks,
    drawn,
    legend_below,
    not_enough,
    percent,
    plain_axes,
)

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

Floats = NDArray[np.float64]
NO_REVIEW = "no past review has completed, so nothing could be tested out of time."
GAIN_COLUMNS = ("candidate", "partners_share", "value_share", "origins")
STABILITY_COLUMNS = ("origin", "earlier", "partners", "spearman", "low", "high")
_GRID = np.round(np.linspace(0, 1, 51), 4)
_GAIN_STYLES: dict[str, dict[str, Any]] = {
    "perfect": {"color": "#009E73", "linestyle": "-.", "marker": "v"},
    "model": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "persistence": {"color": "#555555", "linestyle": "--", "marker": "s"},
}
_GAIN_NAMES = {"perfect": "perfect ranking", "model": "model", "persistence": "persistence (last period)"}
_TOP = 0.1
_SHIFT = 0.09
_NORMAL_95 = 1.959964


def gain_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return what share of the value the best-ranked share of partners brought, mean over the past reviews.

    Partners with equal predictions share one straight piece of the curve, so the order of rows can never help. Only
    reviews count at which every candidate could be scored and something was sold.

    Args:
        predictions: The back-test's predictions: `origin, actual, persistence, model`.

    Returns:
        Columns `GAIN_COLUMNS`: for each candidate 51 points from 0 to 1; empty where no review can be scored.
    """
    known = predictions.assign(perfect=predictions["actual"])
    candidates = [name for name in _GAIN_STYLES if known[name].notna().any()]
    curves: dict[str, list[Floats]] = {name: [] for name in candidates}
    for _, group in known.groupby("origin"):
        if group[candidates].notna().all(axis=None) and group["actual"].sum() > 0:
            for name in candidates:
                curves[name].append(_gain(group["actual"].to_numpy(np.float64), group[name].to_numpy(np.float64)))
    rows = [
        (name, share, value, len(found))
        for name, found in curves.items()
        if found
        for share, value in zip(_GRID, np.mean(found, axis=0), strict=True)
    ]
    return pd.DataFrame(rows, columns=list(GAIN_COLUMNS))


def _gain(actual: Floats, score: Floats) -> Floats:
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True)) + 1
    value = np.cumsum(actual[order])[ends - 1] / actual.sum()
    return np.asarray(np.interp(_GRID, np.append(0, ends / len(actual)), np.append(0, value)))


def gain_plot(predictions: pd.DataFrame, target: str) -> Plot:
    """Draw the gain curve: model, persistence and the perfect ranking.

    Args:
        predictions: See `gain_table`.
        target: What is predicted, as people read it.
    """
    title, table = "Who brings the value: partners ranked by prediction", gain_table(predictions)
    if table.empty:
        return not_enough("gain-curve", title, NO_REVIEW, table)

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "share of partners, best predicted first (%)", "share of actual value (%)")
        for name, look in _GAIN_STYLES.items():
            own = table[table["candidate"] == name]
            if len(own):
                points = (100 * own["partners_share"], 100 * own["value_share"])
                axes.plot(*points, label=_GAIN_NAMES[name], markevery=5, markersize=5, **look)
        axes.plot([0, 100], [0, 100], color="#999999", linewidth=0.9, linestyle=(0, (1, 2)), label="no ranking")
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 102)
        legend_below(axes, 4)

    return drawn(Words("gain-curve", title, _gain_sentence(table, target)), table, draw)


def _gain_sentence(table: pd.DataFrame, target: str) -> str:
    at_top = table[table["partners_share"] == _TOP].set_index("candidate")["value_share"]
    said = [
        f"{_GAIN_NAMES[name]} {percent(at_top[name])}" for name in ("model", "persistence", "perfect") if name in at_top
    ]
    origins = int(table["origins"].iloc[0])
    return (
        f"Share of “{target}” over the horizon that the best-ranked tenth of partners brought: {', '.join(said)} "
        f"(mean of {origins} past review{'s' if origins > 1 else ''}, each predicted before it happened)."
    )


def gini_plot(scores: pd.DataFrame) -> Plot:
    """Draw the normalised Gini of every past review with its interval, beside the baselines.

    Args:
        scores: The back-test's scores: `origin, candidate, score, value, low, high`.
    """
    title = "Ranking of partners out of time, by past review"
    wanted = (scores["score"] == "gini") & scores["candidate"].isin(list(CANDIDATE_STYLES))
    gini = scores[wanted].sort_values(["origin", "candidate"], kind="stable", ignore_index=True)
    table = gini[gini["value"].notna()].reset_index(drop=True)
    own = table[table["origin"] != POOLED]
    if own.empty:
        return not_enough("gini-by-origin", title, NO_REVIEW, table)

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "as-of date of the review", "normalised Gini (1 = perfect ranking)")
        origins = sorted(own["origin"].unique())
        present = [name for name in CANDIDATE_STYLES if name in set(own["candidate"])]
        for place, candidate in enumerate(present):
            rows = own[own["candidate"] == candidate]
            shift = (place - (len(present) - 1) / 2) * _SHIFT
            x = [origins.index(origin) + shift for origin in rows["origin"]]
            spread = [(rows["value"] - rows["low"]).clip(lower=0), (rows["high"] - rows["value"]).clip(lower=0)]
            look = CANDIDATE_STYLES[candidate]
            axes.errorbar(x, rows["value"], yerr=spread, label=CANDIDATE_NAMES[candidate], capsize=3, **look)
        day_ticks(axes, origins)
        legend_below(axes, 4)

    return drawn(Words("gini-by-origin", title, _gini_sentence(table)), table, draw)


def _gini_sentence(table: pd.DataFrame) -> str:
    own = table[table["origin"] != POOLED].pivot(index="origin", columns="candidate", values="value")
    reviews = f"{len(own)} past review{'s' if len(own) > 1 else ''}"
    if "model" not in own or "persistence" not in own:
        return f"{reviews}; no model could be trained before them, so only the baselines are shown."
    both = own[["model", "persistence"]].dropna()
    better = int((both["model"] > both["persistence"]).sum())
    means = both.mean()
    return (
        f"The model ranked better than persistence in {better} of {len(both)} past reviews; "
        f"mean {means['model']:.3f} against {means['persistence']:.3f}. Bars: bootstrap intervals over partners."
    )


def stability_table(stability: pd.DataFrame) -> pd.DataFrame:
    """Add a 95 % interval to the rank correlation between successive retrains.

    By Fisher's transformation with the variance of Bonett & Wright, "Sample size requirements for estimating Pearson,
    Kendall and Spearman correlations", Psychometrika 65 (2000).

    Args:
        stability: The back-test's stability: `origin, earlier, partners, spearman`.
    """
    value = stability["spearman"].to_numpy(np.float64)
    partners = stability["partners"].to_numpy(np.float64)
    inside = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    spread = np.where(partners > 3, np.sqrt((1 + value**2 / 2) / np.maximum(partners - 3, 1)), np.nan)
    bounds = {"low": np.tanh(inside - _NORMAL_95 * spread), "high": np.tanh(inside + _NORMAL_95 * spread)}
    return stability.assign(**bounds)[list(STABILITY_COLUMNS)].reset_index(drop=True)


def stability_plot(stability: pd.DataFrame) -> Plot:
    """Draw how alike two successive retrains rank the same partners on the same day."""
    title, table = "Do retrains agree on the ranking?", stability_table(stability)
    shown = table[table["spearman"].notna()].reset_index(drop=True)
    if shown.empty:
        why = "two successive retrains with a model are needed to compare their rankings."
        return not_enough("rank-stability", title, why, table)

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "as-of date of the later retrain", "rank correlation with the retrain before")
        ends = (shown["spearman"] - shown["low"], shown["high"] - shown["spearman"])
        spread = [end.fillna(0).clip(lower=0) for end in ends]
        places = list(range(len(shown)))
        axes.errorbar(places, shown["spearman"], yerr=spread, color="#0072B2", marker="o", capsize=3)
        for place, value in zip(places, shown["spearman"], strict=True):
            axes.annotate(f"{value:.3f}", (place, value), (9, -12), textcoords="offset points", color=DARK)
        axes.set_ylim(min(0.0, float(shown["low"].fillna(shown["spearman"]).min())) - 0.02, 1.03)
        axes.axhline(1, color="#999999", linewidth=0.9, linestyle=(0, (1, 2)))
        day_ticks(axes, list(shown["origin"]))

    worst = shown.iloc[int(np.argmin(shown["spearman"]))]
    sentence = (
        f"The same partners on the same day, ranked by two retrains one after the other: the least alike are "
        f"{worst['earlier']} and {worst['origin']}, with a rank correlation of {worst['spearman']:.3f} over "
        f"{worst['partners']:,} partners (1 = the same order). Bars: 95 % intervals."
    )
    return drawn(Words("rank-stability", title, sentence), table, draw, height_inches=3.2)
