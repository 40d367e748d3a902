"""The pictures of a pilot: balance, power, effects, looks, archetypes, the time before and after, and the return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from tierwise.reports.pilot_plots_intervals import interval_plot, money_tick
from tierwise.reports.pilot_story import ARCHETYPE, PilotStory, Row, money_row
from tierwise.reports.plots_canvas import (
    DARK,
    GREY,
    Plot,
    Words,
    day_ticks,
    drawn,
    legend_below,
    not_enough,
    plain_axes,
)
from tierwise.store.pilot_records import DesignRecord, PlanRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

# Arms are told apart by marker and line as well as by colour (Okabe and Ito's palette).
_STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    {"color": "#D55E00", "marker": "^", "linestyle": "--"},
    {"color": "#555555", "marker": "s", "linestyle": "-."},
    {"color": "#B26A8E", "marker": "D", "linestyle": ":"},
)
WORTH_A_LOOK = 0.1
_HEIGHT = 3.1
# With more days than this their labels would run into one another.
_MOST_DAYS = 8


def pilot_plots(story: PilotStory) -> tuple[Plot, ...]:
    """Draw every picture of a reading; what cannot be drawn says why in its place.

    Args:
        story: The reading.
    """
    found = [effects_plot(story)]
    if story.analysis.money:
        found.append(return_plot(story))
    if story.earlier or story.analysis.look is not None:
        found += list(looks_plots(story))
    found += list(over_time_plots(story))
    if any(True for _ in story.rows(archetypes=True)):
        found += list(archetype_plots(story))
    if len(story.balance):
        found.append(balance_plot(story))
    if story.design is not None:
        found += list(power_plots(story.design))
    return tuple(found)


def effects_plot(story: PilotStory) -> Plot:
    """Draw the relative effect of every arm on every outcome."""
    rows = [
        {
            "name": f"{story.pilot.outcome(row['metric']).title} ({row['role']}): {story.title_of(row['arm'])}",
            "estimate": row["relative"],
            "low": row["relative_low"],
            "high": row["relative_high"],
            "kind": "effect",
        }
        for row in story.rows()
    ]
    table = _numbers(rows)
    shown = int((table["low"] * table["high"] > 0).sum())
    sentence = f"{shown} of {len(table)} intervals leave out zero; no correction for many comparisons is drawn here."
    words = Words("effects", "Change against the control arm", sentence)
    return interval_plot(words, table, "change, % of the control arm", "no change", percent=True)


def return_plot(story: PilotStory) -> Plot:
    """Draw the return on cost of every arm with its interval."""
    found = [(money.arm, money_row(money, "return_on_cost")) for money in story.analysis.money]
    rows = [
        {
            "name": story.title_of(arm),
            "estimate": row["estimate"],
            "low": row["low"],
            "high": row["high"],
            "kind": "effect",
        }
        for arm, row in found
        if row is not None
    ]
    sentence = "Margin earned over cost, less one: above the line the money came back, below it did not."
    words = Words("return", "Return on cost", sentence)
    return interval_plot(words, _numbers(rows), "return on cost, %", "the money just came back", percent=True)


def archetype_plots(story: PilotStory) -> Iterator[Plot]:
    """Draw the effect on each archetype, one picture per primary outcome and arm."""
    for outcome in story.outcomes("primary"):
        for arm in story.arms:
            own = [row for row in story.rows(archetypes=True) if (row["metric"], row["arm"]) == (outcome.name, arm)]
            if not own:
                continue
            table = _numbers([_archetype_line(row) for row in own])
            equal = next((row["diagnostics"].get("p_equal") for row in own if "p_equal" in row["diagnostics"]), None)
            sentence = (
                "Too few archetypes to draw them towards a common mean."
                if equal is None
                else f"Drawn towards their common mean; that all are equal has p = {equal:.3f}."
            )
            words = Words(f"archetypes-{outcome.name}-{arm}", f"{outcome.title}: {story.title_of(arm)}", sentence)
            yield interval_plot(words, table, f"change, {outcome.unit} per partner", "no change")


def _archetype_line(row: Row) -> dict[str, Any]:
    partners = row["arm_units"] + row["control_units"]
    name = f"{row['scope'].removeprefix(ARCHETYPE)} ({partners:,} partners)"
    return {"name": name, "estimate": row["estimate"], "low": row["low"], "high": row["high"], "kind": "effect"}


def looks_plots(story: PilotStory) -> Iterator[Plot]:
    """Draw the relative effect with its interval over the looks, one picture per primary outcome."""
    for outcome in story.outcomes("primary"):
        rows = [
            {"until": pd.Timestamp(read.until), "arm": arm, "estimate": row["relative"], "low": row["relative_low"],
             "high": row["relative_high"]}
            for read in (*story.earlier, story.analysis)
            for arm in story.arms
            for row in [story.row(outcome.name, arm, read)]
            if row is not None and row["relative"] is not None
        ]  # fmt: skip
        name, title = f"looks-{outcome.name}", f"{outcome.title}, look by look"
        if not rows:
            yield not_enough(name, title, "no look gave an estimate.", pd.DataFrame())
            continue
        table = pd.DataFrame(rows).astype(dict.fromkeys(("estimate", "low", "high"), "float64"))
        sentence = (
            "Each interval is valid however often one looks (confidence sequence)."
            if story.analysis.look is not None
            else "The pilot plans no looks: intervals before the end are not valid for a decision."
        )
        yield drawn(Words(name, title, sentence), table, _looks_drawer(table, story), _HEIGHT)


def _looks_drawer(table: pd.DataFrame, story: PilotStory) -> Any:
    days = sorted(table["until"].unique())

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "last day that was read", "change, % of the control arm")
        for place, arm in enumerate(story.arms):
            own, look = table[table["arm"] == arm], _style(place)
            at = own["until"].map({day: number for number, day in enumerate(days)}) + 0.1 * place
            _bars(axes, at, own, look, story.title_of(arm), scale=100.0)
        axes.axhline(0.0, color=DARK, linewidth=1.0)
        day_ticks(axes, [f"{day:%Y-%m-%d}" for day in days])
        legend_below(axes, 3)

    return draw


def over_time_plots(story: PilotStory) -> Iterator[Plot]:
    """Draw the plain difference of means by period, before the start and after, one picture per outcome."""
    frame = story.tables.get("over_time", pd.DataFrame())
    if not len(frame):
        return
    for outcome in story.outcomes("primary"):
        table = frame[frame["outcome"] == outcome.name].reset_index(drop=True)
        if not len(table):
            continue
        sentence = (
            "Left of the dotted line the arms must not differ; right of it one sees whether an effect lasts or fades."
        )
        words = Words(f"over-time-{outcome.name}", f"{outcome.title} before and after the start", sentence)
        yield drawn(words, table, _over_time_drawer(table, story, outcome.unit), _HEIGHT)


def _over_time_drawer(table: pd.DataFrame, story: PilotStory, unit: str) -> Any:
    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, f"{_period(table)}; 1 is the first after the start", f"difference, {unit} per partner")
        for place, arm in enumerate(story.arms):
            own = table[table["arm"] == arm].rename(columns={"difference": "estimate"})
            _bars(axes, own["period"] + 0.12 * place, own, _style(place), story.title_of(arm))
        axes.axhline(0.0, color=DARK, linewidth=1.0)
        axes.axvline(0.5, color=DARK, linewidth=1.2, linestyle=":")
        axes.annotate("start", (0.5, 0.99), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8.5)
        ends = table.drop_duplicates("period").sort_values("period")
        days = zip(ends["period"], ends["until"], strict=True)
        has_room = len(ends) <= _MOST_DAYS
        labels = [f"{period:g}\n{until:%Y-%m-%d}" if has_room else f"{period:g}" for period, until in days]
        axes.set_xticks(ends["period"].to_list(), labels, fontsize=8.5)
        axes.yaxis.set_major_formatter(money_tick)
        legend_below(axes, 3)

    return draw


def _period(table: pd.DataFrame) -> str:
    """How long a period is, in days, and that its last day stands below where there is room."""
    lasts = int(((table["until"] - table["from"]).dt.days + 1).median())
    return f"period of {lasts} days" + (", by its last day" if table["period"].nunique() <= _MOST_DAYS else "")


def balance_plot(story: PilotStory) -> Plot:
    """Draw how alike the arms were before the start: standardised differences from the control (a love plot)."""
    table = story.balance.reset_index(drop=True)
    columns = list(dict.fromkeys(table["column"].astype(str)))
    largest = float(np.nanmax(np.abs(table["standardised_difference"]), initial=0.0))
    sentence = f"The largest difference is {largest:.2f} standard deviations; above {WORTH_A_LOOK} is worth a look."

    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "difference from the control arm, standard deviations", "")
        for place, arm in enumerate(story.arms):
            own, look = table[table["arm"] == arm], _style(place)
            at = [columns.index(name) + 0.14 * place for name in own["column"].astype(str)]
            axes.plot(
                own["standardised_difference"], at, linestyle="none", marker=look["marker"], color=look["color"],
                label=story.title_of(arm),
            )  # fmt: skip
        for edge in (-WORTH_A_LOOK, WORTH_A_LOOK):
            axes.axvline(edge, color=GREY, linewidth=1.0, linestyle="--")
        axes.axvline(0.0, color=DARK, linewidth=1.0)
        reach = max(0.25, largest * 1.15)
        axes.set_xlim(-reach, reach)
        axes.set_yticks(range(len(columns)), [name.replace("_", " ") for name in columns], fontsize=8.5)
        axes.set_ylim(len(columns) - 0.5, -0.5)
        legend_below(axes, 3)

    words = Words("balance", "How alike the arms were before the start", sentence)
    return drawn(words, table, draw, 1.3 + 0.3 * len(columns))


def power_plots(design: DesignRecord) -> Iterator[Plot]:
    """Draw the chance to show an effect by its size, one picture per primary metric."""
    for plan in design.plans:
        title = f"What the pilot can show: {design.pilot.outcome(plan.metric).title}"
        table = power_table(plan)
        if not len(table):
            yield not_enough(f"power-{plan.metric}", title, "the planner found no detectable effect.", table)
            continue
        sentence = plan.sentences[0] if plan.sentences else ""
        yield drawn(Words(f"power-{plan.metric}", title, sentence), table, _power_drawer(plan, table), _HEIGHT)


def power_table(plan: PlanRecord) -> pd.DataFrame:
    """The power by effect: the formula's curve, and the points that were simulated.

    The curve is that of a normal estimate which reaches the power asked for at the effect that the formula gives.

    Returns:
        `kind` (formula, simulated), `effect` (share of the control arm's value), `power`; empty where the planner has
        no detectable effect.
    """
    planned = plan.rows[0]
    detectable = planned.detectable_formula
    if detectable is None or not np.isfinite(detectable) or detectable <= 0:
        return pd.DataFrame(columns=["kind", "effect", "power"])
    critical = float(stats.norm.ppf(1 - plan.alpha / 2))
    slope = (critical + float(stats.norm.ppf(plan.power))) / detectable
    widest = 1.6 * max(detectable, plan.effect, planned.detectable_simulated or 0.0)
    effects = np.linspace(0.0, widest, 41)
    power = stats.norm.cdf(slope * effects - critical) + stats.norm.cdf(-slope * effects - critical)
    simulated = [
        (0.0, planned.false_positives),
        (plan.effect, planned.power_simulated),
        (planned.detectable_simulated, plan.power),
    ]
    points = [
        ("simulated", effect, chance) for effect, chance in simulated if effect is not None and chance is not None
    ]
    curve = [("formula", effect, chance) for effect, chance in zip(effects.tolist(), power.tolist(), strict=True)]
    return pd.DataFrame([*curve, *points], columns=["kind", "effect", "power"])


def _power_drawer(plan: PlanRecord, table: pd.DataFrame) -> Any:
    def draw(body: SubFigure) -> None:
        axes = plain_axes(body, "true change, % of the control arm", "chance to show it, %")
        curve, points = (table[table["kind"] == kind] for kind in ("formula", "simulated"))
        axes.plot(100 * curve["effect"], 100 * curve["power"], color="#0072B2", linewidth=2.0, label="by formula")
        axes.plot(
            100 * points["effect"], 100 * points["power"], linestyle="none", marker="^", color="#D55E00", markersize=8,
            label="simulated on the history",
        )  # fmt: skip
        axes.axvline(100 * plan.effect, color=DARK, linewidth=1.2, linestyle=":", label="change that matters")
        axes.axhline(100 * plan.power, color=GREY, linewidth=1.0, linestyle="--", label="power asked for")
        axes.set_ylim(0, 104)
        axes.set_xlim(left=0)
        legend_below(axes, 4)

    return draw


def _style(place: int) -> dict[str, Any]:
    return _STYLES[place % len(_STYLES)]


def _bars(
    axes: Axes, at: pd.Series[Any], own: pd.DataFrame, look: dict[str, Any], label: str, scale: float = 1.0
) -> None:
    """Draw estimates with intervals; an interval without an end is drawn as its dot alone."""
    reach = [(own["estimate"] - own["low"]).fillna(0.0) * scale, (own["high"] - own["estimate"]).fillna(0.0) * scale]
    axes.errorbar(at, own["estimate"] * scale, yerr=reach, label=label, markersize=6, linewidth=1.4, **look)


def _numbers(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["name", "estimate", "low", "high", "kind"])
    return table.astype(dict.fromkeys(("estimate", "low", "high"), "float64"))
