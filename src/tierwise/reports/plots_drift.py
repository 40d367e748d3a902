"""The plot of drift: how far each feature moved between the training and the rows to be scored."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tierwise.reports.plots_canvas import DARK, Plot, Words, drawn, not_enough, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

COLUMNS = ("feature", "title", "kind", "test", "statistic", "p_adjusted", "psi", "size", "drifted")
_NAME, _TITLE = "drift", "Drift: partners to be scored beside those the model learned from"
_MOST_BARS, _LETTERS = 14, 46
_LARGE = 0.25
_MARKS: dict[float, dict[str, Any]] = {
    0.1: {"color": "#444444", "linewidth": 1.0, "linestyle": "--", "label": "moderate from .1"},
    _LARGE: {"color": "#444444", "linewidth": 1.2, "linestyle": ":", "label": "large from .25"},
}
_SHOWN = {"color": "#D55E00", "edgecolor": "#7A3600", "hatch": "//", "label": "drift is shown"}
_NOT_SHOWN = {"color": "#c9c9c9", "edgecolor": "#8a8a8a", "label": "not beyond chance"}
_KINDS = {"value": "", "missing": ", whether it is known", "level": ", its levels"}


def drift_table(tests: pd.DataFrame) -> pd.DataFrame:
    """Return the tests that are drawn: those of single features, what is shown first, then the largest.

    Args:
        tests: The tests of `tierwise.audit.Drift`.
    """
    single = tests[(tests["kind"] != "together") & (tests["outcome"] == "tested")]
    ordered = single.sort_values(["drifted", "psi", "feature"], ascending=[False, False, True], kind="stable")
    return ordered[list(COLUMNS)].head(_MOST_BARS).reset_index(drop=True)


def drift_plot(tests: pd.DataFrame, sentence: str) -> Plot:
    """Draw the size of every feature's change, and which are beyond chance.

    Args:
        tests: The tests of `tierwise.audit.Drift`.
        sentence: What was found.
    """
    table = drift_table(tests)
    if table.empty:
        return not_enough(_NAME, _TITLE, sentence.removeprefix("Not enough evidence: "), table)

    def draw(body: SubFigure) -> None:
        axes = body.add_subplot()
        style(axes)
        _bars(axes, table)
        for mark, look in _MARKS.items():
            axes.axvline(mark, **look)
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.set_xlim(0, max(_LARGE * 1.45, float(table["psi"].max()) * 1.08))
        axes.set_xlabel("size of the change (population stability index without its bias; 0 = none)")
        _legend(body, table)

    more = int(((tests["kind"] != "together") & (tests["outcome"] == "tested")).sum()) - len(table)
    rest = f" Drawn are the {len(table)} largest; {more} more are in the table of all tests." if more else ""
    return drawn(Words(_NAME, _TITLE, f"{sentence}{rest}"), table, draw, height_inches=1.4 + 0.32 * len(table))


def _bars(axes: Axes, table: pd.DataFrame) -> None:
    places = np.arange(len(table))
    for shown, look in ((True, _SHOWN), (False, _NOT_SHOWN)):
        own = (table["drifted"] == shown).to_numpy()
        plain = {key: value for key, value in look.items() if key != "label"}
        axes.barh(places[own], table.loc[own, "psi"], height=0.62, linewidth=0.8, **plain)  # type: ignore[arg-type]
    names = [
        textwrap.fill(f"{title}{_KINDS[kind]}", _LETTERS, max_lines=2, placeholder=" …")
        for title, kind in _named(table)
    ]
    axes.set_yticks(places, names, fontsize=8.5, color=DARK)
    axes.grid(axis="y", visible=False)


def _named(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(table["title"].astype(str), table["kind"].astype(str), strict=True))


def _legend(body: SubFigure, table: pd.DataFrame) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    drifted = set(table["drifted"].astype(bool))
    looks = [look for shown, look in ((True, _SHOWN), (False, _NOT_SHOWN)) if shown in drifted]
    marks = [Line2D([], [], **look) for look in _MARKS.values()]
    handles = [
        Patch(facecolor=look["color"], edgecolor=look["edgecolor"], hatch=look.get("hatch"), label=look["label"])
        for look in looks
    ]
    body.legend(handles=[*handles, *marks], loc="outside lower center", ncols=4, frameon=False)
