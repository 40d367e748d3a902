"""Estimates with their intervals, one line each: of findings, archetypes, arms, and what money came back."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tierwise.reports.plots_canvas import DARK, Plot, Words, drawn, not_enough, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

_LETTERS = 34
_LINE_INCHES = 0.36
# How a line is drawn by what it may be called: told apart by marker as well as by colour.
_LOOKS: dict[str, dict[str, Any]] = {
    "effect": {"color": "#0072B2", "marker": "o", "label": "effect, with interval"},
    "doubtful": {"color": "#B26A8E", "marker": "X", "label": "fails its own check"},
    "association": {"color": "#767676", "marker": "D", "label": "association, no effect"},
    "description": {"color": "#767676", "marker": "s", "label": "description, no effect"},
}


def interval_plot(words: Words, table: pd.DataFrame, axis: str, zero: str, percent: bool = False) -> Plot:
    """Draw estimates with intervals, one under another.

    Args:
        words: What stands above the picture.
        table: `name`, `estimate`, `low`, `high` and `kind` (a key of the looks); an unknown end is drawn as an arrow.
        axis: What the axis shows, with its unit.
        zero: What the line at zero means.
        percent: Whether the values are shares, shown in per cent.
    """
    known = table[np.isfinite(table["estimate"].to_numpy(dtype=float))].reset_index(drop=True)
    if known.empty:
        return not_enough(words.name, words.title, "no estimate could be computed.", table)

    def draw(body: SubFigure) -> None:
        axes = body.add_subplot()
        style(axes)
        _lines(axes, known)
        axes.axvline(0.0, color=DARK, linewidth=1.0)
        axes.set_ylim(len(known) - 0.4, -0.6)
        axes.set_xlabel(f"{axis}; the line at zero: {zero}")
        axes.grid(axis="y", visible=False)
        names = [textwrap.fill(str(name), _LETTERS, max_lines=2, placeholder=" …") for name in known["name"]]
        axes.set_yticks(range(len(known)), names, fontsize=8.5, color=DARK)
        axes.xaxis.set_major_formatter(lambda value, _: _tick(value, percent))
        _legend(body, known)

    return drawn(words, table, draw, 1.3 + _LINE_INCHES * len(known))


def _lines(axes: Axes, known: pd.DataFrame) -> None:
    left, right = _limits(known)
    axes.set_xlim(left, right)
    numbers = known[["estimate", "low", "high"]].to_numpy(dtype=float)
    for place, (kind, (estimate, low, high)) in enumerate(zip(known["kind"], numbers, strict=True)):
        look = _LOOKS[str(kind)]
        ends = (left if np.isnan(low) else max(low, left), right if np.isnan(high) else min(high, right))
        axes.plot(ends, [place, place], color=look["color"], linewidth=2.2, solid_capstyle="butt")
        for end, edge, marker in ((low, left, "<"), (high, right, ">")):
            if not left <= end <= right:
                axes.plot([edge], [place], marker=marker, color=look["color"], markersize=7, clip_on=False)
        axes.plot(
            [estimate], [place], marker=look["marker"], color="white", markeredgecolor=look["color"],
            markersize=8, markeredgewidth=2.0, linestyle="none",
        )  # fmt: skip


def _limits(known: pd.DataFrame) -> tuple[float, float]:
    """The axis holds zero, every estimate, and ends up to eight times as far out as the typical one."""
    ends = known[["low", "high"]].to_numpy(dtype=float)
    values = np.append(known["estimate"].to_numpy(dtype=float), 0.0)
    finite = ends[np.isfinite(ends)]
    typical = float(np.median(np.abs(finite))) if len(finite) else float(np.abs(values).max()) or 1.0
    shown = np.concatenate([finite[np.abs(finite) <= 8 * typical], values])
    low, high = float(shown.min()), float(shown.max())
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _tick(value: float, percent: bool) -> str:
    if percent:
        return f"{100 * value:,.0f} %".replace("-", "\N{MINUS SIGN}")
    size = abs(value)
    unit, name = next(((u, n) for u, n in ((1e9, " bn"), (1e6, " m"), (1e3, " k")) if size >= u), (1.0, ""))
    return f"{value / unit:,.4g}{name}".replace("-", "\N{MINUS SIGN}")


def _legend(body: SubFigure, known: pd.DataFrame) -> None:
    from matplotlib.lines import Line2D

    kinds = [kind for kind in _LOOKS if kind in set(known["kind"])]
    if len(kinds) == 1:
        return
    handles = [
        Line2D([], [], color=_LOOKS[kind]["color"], marker=_LOOKS[kind]["marker"], markerfacecolor="white",
               linewidth=2.2, label=_LOOKS[kind]["label"])
        for kind in kinds
    ]  # fmt: skip
    body.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)


def money_tick(value: float, _: object = None) -> str:
    """Write a number of an axis short: `12 k`, `1.5 m`."""
    return _tick(value, percent=False)
