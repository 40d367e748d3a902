"""The pictures of an attribution: the jump at a threshold, an event study, a region beside others, all answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from tierwise.reports.attribution_findings import ANALYSES, Finding
from tierwise.reports.pilot_plots_intervals import interval_plot, money_tick
from tierwise.reports.plots_canvas import DARK, GREY, Plot, Words, drawn, legend_below, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

_BELOW, _ABOVE = "#555555", "#0072B2"
_HEIGHT = 3.1


def finding_plots(finding: Finding) -> tuple[Plot, ...]:
    """Draw what belongs to a finding; nothing where there are no figures to draw."""
    picture = finding.picture
    if len(picture.get("dots", ())):
        return (threshold_plot(finding),)
    if len(picture.get("exposures", ())):
        return (exposure_plot(finding),)
    return (region_plot(finding),) if len(picture.get("series", ())) else ()


def overview_plot(findings: Sequence[Finding]) -> Plot | None:
    """Draw all estimates of the commonest unit with their intervals; None where there is none."""
    rows = [
        {
            "name": f"{finding.subject} ({ANALYSES[finding.analysis].lower()})",
            "unit": finding.unit,
            "kind": "doubtful" if finding.status == "doubtful" else finding.main.claim,
            "estimate": finding.main.value.estimate,
            "low": finding.main.value.low,
            "high": finding.main.value.high,
        }
        for finding in findings
        if finding.main.value is not None
    ]
    if not rows:
        return None
    table = pd.DataFrame(rows).astype({"low": "float64", "high": "float64"})
    unit = str(table["unit"].mode().iloc[0])
    own = table[table["unit"] == unit].reset_index(drop=True)
    effects = int((own["kind"] == "effect").sum())
    sentence = f"{effects} of {len(own)} estimates may be called effects; an interval that holds zero shows nothing."
    return interval_plot(
        Words("attribution-overview", "Every estimate with its interval", sentence),
        own,
        f"{unit} per partner",
        "no change",
    )


def threshold_plot(finding: Finding) -> Plot:
    """Draw the outcome against the figure, on either side of the threshold."""
    dots, lines = finding.picture["dots"], finding.picture["lines"]
    cutoff = float(finding.picture["cutoff"]["cutoff"].iloc[0])

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, f"figure that decides ({finding.subject})", f"outcome, {finding.unit}")
        for side, color, marker, name in ((-1, _BELOW, "s", "below"), (1, _ABOVE, "o", "at or above")):
            own = dots[dots["side"] == side]
            reach = [own["mean"] - own["low"], own["high"] - own["mean"]]
            axes.errorbar(
                own["figure"], own["mean"], yerr=reach, fmt=marker, color=color, markersize=5, linewidth=1.0,
                label=f"{name} the threshold (mean of 10 or more partners, 95 % interval)",
            )  # fmt: skip
            if len(lines) and finding.main.value is not None:
                fit = lines[lines["side"] == side]
                axes.plot(fit["figure"], fit["value"], color=color, linewidth=2.2, linestyle="-" if side > 0 else "--")
        axes.axvline(cutoff, color=DARK, linewidth=1.2, linestyle=":")
        axes.annotate(
            "threshold", (cutoff, 0.99), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8.5
        )
        _short_numbers(axes)
        legend_below(axes, 1)

    lines_text = " Lines: the fit on either side." if finding.main.value is not None else ""
    words = Words(_name(finding), f"At the threshold of {finding.main.arm}", f"{finding.answer}{lines_text}")
    return drawn(words, dots, draw, _HEIGHT)


def exposure_plot(finding: Finding) -> Plot:
    """Draw the effects by quarters since the start; those before it should be near zero."""
    table = finding.picture["exposures"]

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "quarters since the start (below zero: before it)", f"effect, {finding.unit}")
        for after, color, marker, name in (
            (False, GREY, "s", "before the start: a check"),
            (True, _ABOVE, "o", "after"),
        ):
            own = table[(table["exposure"] >= 0) == after]
            reach = [own["estimate"] - own["low"], own["high"] - own["estimate"]]
            axes.errorbar(
                own["exposure"], own["estimate"], yerr=reach, fmt=marker, color=color, markersize=5, label=name
            )
        axes.axhline(0.0, color=DARK, linewidth=1.0)
        axes.axvline(-0.5, color=DARK, linewidth=1.2, linestyle=":")
        axes.yaxis.set_major_formatter(money_tick)
        legend_below(axes, 2)

    words = Words(_name(finding), f"Before and after the start: {finding.subject}", finding.answer)
    return drawn(words, table, draw, _HEIGHT)


def region_plot(finding: Finding) -> Plot:
    """Draw the treated regions beside the mean of the others, quarter by quarter."""
    table = finding.picture["series"]

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "quarter, by its last day", finding.unit)
        for name, color, look, marker in (("treated", _ABOVE, "-", "o"), ("others", _BELOW, "--", "s")):
            label = "treated regions" if name == "treated" else "mean of the other regions, not yet weighted"
            axes.plot(
                table["until"], table[name], color=color, linestyle=look, marker=marker, markersize=4, label=label
            )
        start = table.loc[table["after"], "until"].min()
        axes.axvline(start, color=DARK, linewidth=1.2, linestyle=":")
        axes.annotate(
            "first treated quarter",
            (start, 0.99),
            xycoords=("data", "axes fraction"),
            fontsize=8.5,
            va="bottom",
            ha="center",
        )
        axes.yaxis.set_major_formatter(money_tick)
        legend_below(axes, 2)

    words = Words(_name(finding), f"The region beside the others: {finding.subject}", finding.answer)
    return drawn(words, table, draw, _HEIGHT)


def _short_numbers(axes: Axes) -> None:
    axes.xaxis.set_major_formatter(money_tick)
    axes.yaxis.set_major_formatter(money_tick)


def _name(finding: Finding) -> str:
    plain = "".join(letter if letter.isalnum() else "-" for letter in finding.subject.lower()).strip("-")
    return f"{finding.analysis.replace('_', '-')}-{'-'.join(part for part in plain.split('-') if part)}"[:60]
