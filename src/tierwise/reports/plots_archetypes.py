"""The map of archetypes: partners in the two directions in which they differ most, names beside the picture."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierwise.reports.plots_canvas import DARK, GREY, Plot, Words, drawn, not_enough, percent, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

COLUMNS = ("kind", "partner_id", "archetype_id", "archetype", "status", "partners", "x", "y")
_NAME, _TITLE = "archetype-map", "Archetypes: partners in the two directions in which they differ most"
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h")
# Okabe and Ito's palette without its yellow, which does not print.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555", "#8C510A")
_AXIS_LETTERS = 62
_LETTERS, _LABEL_SIZE, _LINE_INCHES = 34, 8.5, 0.155
_HEIGHT_INCHES, _PANEL_INCHES = 5.0, 4.0


@dataclass(frozen=True)
class ArchetypeMap:
    """What the map shows.

    Attributes:
        points: Columns `COLUMNS`; one row per partner, and per archetype one of kind `centre`.
        axes: `axis, explained, feature, loading`.
        partners: How many partners there are.
        nearest: The share of partners who on the map lie nearest to their own centre.
        why: What was found, or why there are no archetypes.
        titles: How people read the features' names.
    """

    points: pd.DataFrame
    axes: pd.DataFrame
    partners: int
    nearest: float
    why: str
    titles: Mapping[str, str]


def archetype_plot(shown: ArchetypeMap | None) -> Plot:
    """Draw the map; partners alone where no archetypes are supported; None where there is nothing to compare."""
    if shown is None:
        why = "too few partners, or nothing that varies between them."
        return not_enough(_NAME, _TITLE, why, pd.DataFrame(columns=list(COLUMNS)))

    def draw(body: SubFigure) -> None:
        picture, names = body.subplots(1, 2, width_ratios=[2.1, 1])
        style(picture)
        _partners(picture, shown.points)
        picture.set_xlabel(_axis_name(shown, "x"))
        picture.set_ylabel(_axis_name(shown, "y"))
        names.set_axis_off()
        _names(picture, names, shown.points)

    return drawn(Words(_NAME, _TITLE, _sentence(shown)), shown.points, draw, _HEIGHT_INCHES)


def look_of(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return marker and colour of each archetype; no two share both."""
    return {
        name: {"marker": _MARKERS[place % len(_MARKERS)], "color": _COLOURS[place % len(_COLOURS)]}
        for place, name in enumerate(sorted(ids))
    }


def _partners(axes: Axes, points: pd.DataFrame) -> None:
    partners = points[points["kind"] == "partner"]
    size = 22 if len(partners) <= 400 else 9
    looks = look_of(points["archetype_id"].dropna().unique().tolist())
    for name, look in looks.items():
        own = partners[partners["archetype_id"] == name]
        inside = own[own["status"] != "outlier"]
        axes.scatter(inside["x"], inside["y"], s=size, alpha=0.55, linewidths=0, **look)
        outside = own[own["status"] == "outlier"]
        axes.scatter(
            outside["x"], outside["y"], s=size, facecolors="none", edgecolors=look["color"], marker=look["marker"]
        )
    alone = partners[partners["archetype_id"].isna()]
    axes.scatter(alone["x"], alone["y"], s=size, alpha=0.55, linewidths=0, color=GREY, marker="o")


def _names(picture: Axes, names: Axes, points: pd.DataFrame) -> None:
    """Write each archetype's name beside the picture, level with its centre as far as none covers another."""
    from matplotlib.patches import ConnectionPatch

    centres = points[points["kind"] == "centre"].sort_values("y", ascending=False, kind="stable", ignore_index=True)
    if centres.empty:
        return
    looks = look_of(centres["archetype_id"].tolist())
    texts = [_label(row) for row in centres.itertuples()]
    heights = [(text.count("\n") + 1) * _LINE_INCHES / _PANEL_INCHES for text in texts]
    low, high = picture.get_ylim()
    tops = _tops(((centres["y"] - low) / (high - low)).tolist(), heights)
    places = centres[["archetype_id", "x", "y"]].itertuples(index=False, name=None)
    for (name, x, y), text, top, height in zip(places, texts, tops, heights, strict=True):
        picture.plot(x, y, markersize=13, markeredgecolor="white", markeredgewidth=1.6, zorder=5, **looks[name])
        middle = top - height / 2
        names.plot(0.03, middle, markersize=10, clip_on=False, **looks[name])
        names.text(0.09, middle, text, va="center", fontsize=_LABEL_SIZE, color=DARK, linespacing=1.1)
        line = ConnectionPatch((0.0, middle), (x, y), "data", "data", axesA=names, axesB=picture)
        line.set(color="#888888", linewidth=0.7, zorder=4, in_layout=False)
        names.add_artist(line)
    names.set_xlim(0, 1)
    names.set_ylim(0, 1)


def _label(row: object) -> str:
    name, status = getattr(row, "archetype", None), getattr(row, "status", "")
    shown = str(name) if not pd.isna(name) else f"{getattr(row, 'archetype_id', '')} (too unstable to name)"
    mark = " (tentative)" if status == "tentative" else ""
    return textwrap.fill(f"{shown}{mark}: {getattr(row, 'partners', 0):,}", _LETTERS, max_lines=4, placeholder=" …")


def _tops(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Place labels of given heights (top down) near where they are wanted, none over another, all inside 0 to 1.

    Where all of them together are higher than the picture they are spread evenly.
    """
    gap = max(0.0, min(0.03, (1 - sum(heights)) / max(len(heights), 1)))
    tops: list[float] = []
    limit = 1.0
    for middle, height in zip(wanted, heights, strict=True):
        limit = min(limit, float(middle) + height / 2)
        tops.append(limit)
        limit -= height + gap
    floor = 0.0
    for place in reversed(range(len(tops))):
        tops[place] = max(tops[place], floor + heights[place])
        floor = tops[place] + gap
    return tops


def _axis_name(shown: ArchetypeMap, axis: str) -> str:
    own = shown.axes[shown.axes["axis"] == axis]
    explained = percent(float(own["explained"].iloc[0])) if len(own) else "0 %"
    lines = [
        _axis_end(_title(shown, str(name)), float(value))
        for name, value in zip(own["feature"], own["loading"], strict=True)
    ]
    return ",\n".join(lines) + f" →\n(explains {explained} of the spread)"


def _axis_end(title: str, loading: float) -> str:
    return textwrap.shorten(f"{'higher' if loading > 0 else 'lower'} {title}", _AXIS_LETTERS, placeholder=" …")


def _title(shown: ArchetypeMap, feature: str) -> str:
    title = shown.titles.get(feature, feature)
    return title[:1].lower() + title[1:] if not title[:2].isupper() else title


def _sentence(shown: ArchetypeMap) -> str:
    drawn_partners = int((shown.points["kind"] == "partner").sum())
    sample = f" (a sample of {drawn_partners:,} is drawn)" if drawn_partners < shown.partners else ""
    first = shown.axes.drop_duplicates("axis")["explained"].sum()
    said = (
        f"{shown.why}. {shown.partners:,} partners{sample}; the two directions explain {percent(first)} of the spread"
    )
    if math.isnan(shown.nearest):
        return f"{said}."
    rest = "the others overlap here but differ in directions that a flat map cannot show"
    return (
        f"{said}, and {percent(shown.nearest)} of partners lie nearest to their own centre; {rest}. Hollow: outliers."
    )
