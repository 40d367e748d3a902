"""One plot as files: a heading, a sentence that says what is seen, the picture as SVG and PNG, and its numbers.

The words stand in a strip of their own above the picture, so that no title runs over a curve. Text in an SVG is text,
a fifth of the bytes of drawn letters, and can be searched and read aloud. Nothing in the files depends on the day or
on chance.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

POOLED = "all"
WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 8.0, 4.4, 130
GREY, LIGHT, DARK = "#767676", "#e2e2e2", "#1a1a1a"
_LETTERS_A_LINE = 110
_TITLE_INCHES, _LINE_INCHES = 0.42, 0.19
# `$` is a currency in our texts, never a formula.
_SETTINGS: dict[str, Any] = {
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "svg.fonttype": "none",
}

# Told apart by marker and line as well as by colour, so that a print in grey still reads (Okabe and Ito's palette).
CANDIDATE_STYLES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "persistence": {"color": "#555555", "marker": "s", "linestyle": "--"},
        "run_rate": {"color": "#B26A8E", "marker": "D", "linestyle": "-."},
        "model": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
        "chosen": {"color": "#D55E00", "marker": "^", "linestyle": ":"},
    }
)
CANDIDATE_NAMES: Mapping[str, str] = MappingProxyType(
    {"persistence": "persistence (last period)", "run_rate": "run rate", "model": "model", "chosen": "chosen (in use)"}
)


@dataclass(frozen=True)
class Plot:
    """A drawn plot.

    Attributes:
        name: The stem of its files.
        title: What it is about.
        sentence: What it shows, in words made from its numbers.
        table: The numbers it was drawn from; empty where there is not enough evidence to draw.
        svg: The picture as SVG.
        png: The picture as PNG.
    """

    name: str
    title: str
    sentence: str
    table: pd.DataFrame
    svg: bytes
    png: bytes

    @property
    def inline(self) -> str:
        """The SVG element for a page, with its words for readers who cannot see it."""
        body = self.svg.decode("utf-8")
        words = escape(f"{self.title}. {self.sentence}", quote=True)
        opening = f'<svg role="img" aria-label="{words}" style="max-width:100%;height:auto" '
        return opening + body[body.index("<svg") + len("<svg ") :].strip()

    def files(self) -> dict[str, bytes]:
        """Return the pictures by file name."""
        return {f"{self.name}.svg": self.svg, f"{self.name}.png": self.png}


@dataclass(frozen=True)
class Words:
    """What stands above a picture.

    Attributes:
        name: The stem of the plot's files.
        title: What it is about.
        sentence: What it shows.
    """

    name: str
    title: str
    sentence: str


def drawn(
    words: Words,
    table: pd.DataFrame,
    draw: Callable[[SubFigure], None],
    height_inches: float = HEIGHT_INCHES,
) -> Plot:
    """Draw a plot.

    Args:
        words: What stands above the picture.
        table: The numbers that `draw` draws.
        draw: Draws into the part of the figure below the words.
        height_inches: The height of that part.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure as NewFigure

    lines = textwrap.wrap(words.sentence, _LETTERS_A_LINE)
    strip = _TITLE_INCHES + _LINE_INCHES * len(lines)
    settings: Any = {**_SETTINGS, "svg.hashsalt": words.name}
    with rc_context(settings):
        figure = NewFigure(figsize=(WIDTH_INCHES, strip + height_inches), dpi=DOTS_PER_INCH, layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=[strip, height_inches])
        head, body = parts
        top = 0.12 / strip
        head.text(0.012, 1 - top, words.title, fontsize=12.5, fontweight="bold", color=DARK, va="top")
        head.text(0.012, 1 - top - 0.27 / strip, "\n".join(lines), fontsize=9.5, color="#333333", va="top")
        draw(body)
        svg, png = _saved(figure)
    return Plot(words.name, words.title, words.sentence, table, svg, png)


def not_enough(name: str, title: str, why: str, table: pd.DataFrame) -> Plot:
    """Draw the place of a plot that there is not enough evidence for, with the reason in it."""

    def draw(body: SubFigure) -> None:
        body.text(0.5, 0.5, "not enough evidence", ha="center", va="center", fontsize=13, color=GREY)

    return drawn(Words(name, title, f"Not enough evidence: {why}"), table, draw, height_inches=1.2)


def plain_axes(body: SubFigure, x: str, y: str) -> Axes:
    """Add axes with names, a light grid and no box around."""
    axes = body.add_subplot()
    style(axes)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return axes


def style(axes: Axes) -> None:
    """Give axes the look of the house."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=LIGHT, linewidth=0.6)
    axes.set_axisbelow(True)


def legend_below(axes: Axes, columns: int) -> None:
    """Put the legend under the axes, where it covers nothing."""
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns, frameon=False)


def percent(share: float) -> str:
    """Say a share in per cent."""
    return f"{100 * share:.0f} %"


def day_ticks(axes: Axes, days: list[str], fits: int = 8) -> None:
    """Label the places 0, 1, 2, ... with days; slanted where more than `fits` would run into one another."""
    slanted = len(days) > fits
    axes.set_xticks(
        range(len(days)), days, rotation=40 if slanted else 0, ha="right" if slanted else "center", fontsize=8.5
    )
    axes.set_xlim(-0.5, len(days) - 0.5)


def _saved(figure: Figure) -> tuple[bytes, bytes]:
    """Write a figure without the date and version that matplotlib would write, so that equal plots are equal bytes."""
    svg, png = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        # A script that the font lacks is drawn as boxes; the words stand in the table and the page all the same.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", metadata={"Software": None})
    return svg.getvalue(), png.getvalue()
