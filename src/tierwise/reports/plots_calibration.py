"""Plots of whether predictions have the right level, and whether intervals hold what they promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from tierwise.reports.plots_canvas import (
    CANDIDATE_NAMES,
    CANDIDATE_STYLES,
    Plot,
    Words,
    day_ticks,
    drawn,
    legend_below,
    not_enough,
    percent,
    plain_axes,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

CALIBRATION_COLUMNS = ("candidate", "decile", "partners", "predicted", "actual")
COVERAGE_COLUMNS = (
    "origin", "group", "source", "partners", "inside", "coverage", "low", "high", "nominal", "corridor_low",
    "corridor_high", "verdict",
)  # fmt: skip
CORRIDOR = 0.05
_SHOWN = ("persistence", "model")
_LOG_FROM, _MOST_TICKS = 20.0, 8
_BAND_NAMES = {1: ("all sizes",), 2: ("smaller half", "larger half"), 3: ("smallest", "middle", "largest")}
_NEWCOMERS, _NOTHING = "newcomers", "predicted to have nothing"
_DAYS_A_PANEL = 4
_VERDICTS = {
    "holds": {"marker": "o", "color": "#0072B2", "label": "inside the corridor"},
    "unclear": {"marker": "D", "color": "#555555", "label": "outside, but too few partners to tell"},
    "misses": {"marker": "X", "color": "#D55E00", "label": "outside for sure"},
}


def calibration_table(calibration: pd.DataFrame) -> pd.DataFrame:
    """Return mean prediction and mean actual value per tenth of the prediction, over all past reviews.

    Args:
        calibration: The back-test's calibration: `origin, candidate, decile, partners, predicted, actual`.

    Returns:
        Columns `CALIBRATION_COLUMNS`, one row per candidate and tenth; each review counts by its partners.
    """
    shown = calibration[calibration["candidate"].isin(_SHOWN)]
    sums = shown.assign(**{name: shown[name] * shown["partners"] for name in ("predicted", "actual")})
    pooled = sums.groupby(["candidate", "decile"], as_index=False)[["partners", "predicted", "actual"]].sum()
    means = pooled[["predicted", "actual"]].div(pooled["partners"], axis=0)
    return pooled.assign(**means)[list(CALIBRATION_COLUMNS)]


def calibration_plot(calibration: pd.DataFrame, unit: str) -> Plot:
    """Draw predicted against actual by tenth of partners.

    Args:
        calibration: See `calibration_table`.
        unit: The unit of the target.
    """
    name, title = "calibration-by-decile", "Predicted against actual, by tenth of partners"
    table = calibration_table(calibration)
    if table.empty:
        return not_enough(name, title, "no past review has completed, so nothing could be tested out of time.", table)
    if not (table[["predicted", "actual"]] > 0).any(axis=None):
        return not_enough(name, title, "nothing was predicted and nothing was sold in the past reviews.", table)

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "", "")
        for candidate in _SHOWN:
            own = table[table["candidate"] == candidate]
            if len(own):
                look = {**CANDIDATE_STYLES[candidate], "linewidth": 1.2}
                axes.plot(own["predicted"], own["actual"], label=CANDIDATE_NAMES[candidate], **look)
        values = table[["predicted", "actual"]].to_numpy(np.float64)
        ends = [float(values.min()), float(values.max())]
        axes.plot(ends, ends, color="#999999", linewidth=1, linestyle=(0, (1, 2)), label="predicted = actual")
        said = _scale(axes, values)
        axes.set_xlabel(f"mean predicted over the horizon ({unit or 'no unit'}{said})")
        axes.set_ylabel(f"mean actual over the horizon\n({unit or 'no unit'}{said})")
        legend_below(axes, 3)

    return drawn(Words(name, title, _calibration_sentence(table)), table, draw)


def _scale(axes: Axes, values: np.ndarray) -> str:
    """Choose linear, log, or log with a place for zero; return how the axis says it."""
    from matplotlib.ticker import EngFormatter, FixedLocator, NullFormatter, NullLocator

    positive = values[values > 0]
    least, most = float(positive.min()), float(positive.max())
    wide, zeros = most / least >= _LOG_FROM, bool((values <= 0).any())
    for axis, set_scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
        if wide and zeros:
            set_scale("symlog", linthresh=10.0 ** _decades(least, most)[0], linscale=0.7)
            axis.set_major_locator(FixedLocator([0.0, *(10.0**decade for decade in _decades(least, most))]))
            axis.set_minor_locator(NullLocator())
        elif wide:
            set_scale("log")
        axis.set_major_formatter(EngFormatter(sep=" "))
        axis.set_minor_formatter(NullFormatter())
    if not wide:
        return ""
    return ", log scale from the least amount, 0 beside it" if zeros else ", log scale"


def _decades(least: float, most: float) -> list[int]:
    """The decades from below the least amount to the most; not so many that their labels run into one another."""
    first, last = int(np.floor(np.log10(least))), int(np.floor(np.log10(most)))
    return list(range(first, last + 1, 1 + (last - first) // _MOST_TICKS))


def _calibration_sentence(table: pd.DataFrame) -> str:
    candidate = "model" if "model" in set(table["candidate"]) else "persistence"
    own = table[table["candidate"] == candidate]
    predicted, actual = ((own[name] * own["partners"]).sum() for name in ("predicted", "actual"))
    total = f"{predicted / actual:.2f} of what came in all" if actual > 0 else "something where nothing came"
    known = own[own["actual"] > 0]
    ratios = known["predicted"] / known["actual"]
    spread = f"; by tenth between {ratios.min():.2f} and {ratios.max():.2f}" if len(ratios) else ""
    said = f"{CANDIDATE_NAMES[candidate].partition(' (')[0]} predicted {total}{spread}"
    return f"{said[0].upper()}{said[1:]}. Points above the dotted line brought more than predicted."


def coverage_table(coverage: pd.DataFrame) -> pd.DataFrame:
    """Return per past review and size group how often the interval held, with a 95 % Wilson interval and a verdict.

    Args:
        coverage: The back-test's coverage: `origin, source, band, partners, coverage, nominal`.

    Returns:
        Columns `COVERAGE_COLUMNS`; `verdict` is `holds` (inside nominal ± 5 points), `misses` (the interval lies
        outside the corridor altogether) or `unclear`.
    """
    return pd.DataFrame(
        [_coverage_row(row, _groups_of(coverage, row)) for row in coverage.itertuples()], columns=list(COVERAGE_COLUMNS)
    ).sort_values(["group", "origin", "source"], kind="stable", ignore_index=True)


def _groups_of(coverage: pd.DataFrame, row: object) -> int:
    """How many size bands the same source had at the same review."""
    same = (coverage["origin"] == getattr(row, "origin", "")) & (coverage["source"] == getattr(row, "source", ""))
    return int(coverage.loc[same, "band"].max()) + 1


def _coverage_row(row: object, bands: int) -> tuple[object, ...]:
    origin, source, band, partners, share, nominal = (
        getattr(row, name) for name in ("origin", "source", "band", "partners", "coverage", "nominal")
    )
    inside = round(share * partners)
    bounds = binomtest(inside, partners).proportion_ci(method="wilson")
    low, high = float(bounds.low), float(bounds.high)
    least, most = round(nominal - CORRIDOR, 6), round(nominal + CORRIDOR, 6)
    verdict = "holds" if least <= share <= most else "misses" if high < least or low > most else "unclear"
    group = _NEWCOMERS if source == "cold_start" else _band_name(int(band), bands)
    return origin, group, source, partners, inside, share, low, high, nominal, least, most, verdict


def _band_name(band: int, bands: int) -> str:
    if band < 0:
        return _NOTHING
    names = _BAND_NAMES.get(bands)
    return names[band] if names else f"size band {band + 1} of {bands}"


def coverage_plot(coverage: pd.DataFrame) -> Plot:
    """Draw interval coverage over time, one panel per size group, with the corridor that was promised."""
    name, title = "interval-coverage", "How often the interval held, by past review and size"
    if coverage.empty:
        why = "too few past reviews have completed to promise an interval and then test it."
        return not_enough(name, title, why, pd.DataFrame(columns=list(COVERAGE_COLUMNS)))
    table = coverage_table(coverage)
    groups = _ordered_groups(table)
    columns = min(len(groups), 2)
    rows = -(-len(groups) // columns)

    def draw(body: SubFigure) -> None:
        panels = list(body.subplots(rows, columns, sharey=True, squeeze=False).flat)
        for place, (axes, group) in enumerate(zip(panels, groups, strict=False)):
            _coverage_panel(axes, table[table["group"] == group], group, sorted(table["origin"].unique()))
            axes.set_xlabel("as-of date of the review" if place >= len(groups) - columns else "")
        for axes in panels[len(groups) :]:
            axes.set_axis_off()
        body.supylabel("actual value inside the interval (% of partners)", fontsize=9.5)
        _coverage_legend(body, table)

    return drawn(Words(name, title, _coverage_sentence(table)), table, draw, height_inches=2.3 * rows + 1.1)


def _ordered_groups(table: pd.DataFrame) -> list[str]:
    known = [*(name for names in _BAND_NAMES.values() for name in names), *sorted(set(table["group"])), _NEWCOMERS]
    last = (_NOTHING, _NEWCOMERS)
    order = [*(name for name in dict.fromkeys(known) if name not in last), *last]
    return [name for name in order if name in set(table["group"])]


def _coverage_panel(axes: Axes, own: pd.DataFrame, group: str, origins: list[str]) -> None:
    style(axes)
    nominal = 100 * float(own["nominal"].iloc[0])
    axes.axhspan(100 * own["corridor_low"].iloc[0], 100 * own["corridor_high"].iloc[0], color="#dcebf5", zorder=0)
    axes.axhline(nominal, color="#333333", linewidth=1, linestyle="--")
    for verdict, look in _VERDICTS.items():
        rows = own[own["verdict"] == verdict]
        places = [origins.index(origin) for origin in rows["origin"]]
        ends = (rows["coverage"] - rows["low"], rows["high"] - rows["coverage"])
        spread = [100 * end.clip(lower=0) for end in ends]  # rounding may put an interval's end past the share itself
        plain: dict[str, Any] = {key: look[key] for key in ("marker", "color")}
        axes.errorbar(places, 100 * rows["coverage"], yerr=spread, linestyle="none", capsize=3, markersize=7, **plain)
    least, most = own["partners"].min(), own["partners"].max()
    axes.set_title(f"{group} ({least:,}{f' to {most:,}' if most > least else ''} partners)", fontsize=9.5)
    day_ticks(axes, origins, fits=_DAYS_A_PANEL)
    axes.set_ylim(-4, 107)


def _coverage_legend(body: SubFigure, table: pd.DataFrame) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    nominal = float(table["nominal"].iloc[0])
    handles = [
        Line2D([], [], color="#333333", linestyle="--", label=f"promised {percent(nominal)}"),
        Patch(color="#dcebf5", label=f"corridor {percent(nominal - CORRIDOR)} to {percent(nominal + CORRIDOR)}"),
    ]
    for verdict, look in _VERDICTS.items():
        if verdict in set(table["verdict"]):
            handles.append(Line2D([], [], linestyle="none", **look))  # type: ignore[arg-type]
    body.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)


def _coverage_sentence(table: pd.DataFrame) -> str:
    counts = table["verdict"].value_counts()
    misses = table[table["verdict"] == "misses"]
    said = f"Of {len(table)} tests {counts.get('holds', 0)} lie inside the corridor, "
    said += f"{counts.get('unclear', 0)} outside with too few partners to tell, {len(misses)} outside for sure"
    if len(misses):
        worst = misses.iloc[int(np.argmax((misses["coverage"] - misses["nominal"]).abs()))]
        said += f"; farthest: {worst['group']}, {worst['origin']}, {percent(worst['coverage'])}"
    return f"{said}. Bars: 95 % binomial intervals."
