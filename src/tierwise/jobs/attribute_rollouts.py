"""What declared roll-outs and events in one region did, quarter by quarter, for a fixed group of partners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from tierwise import pilots
from tierwise.config.attribution import RegionDeclaration, RolloutDeclaration
from tierwise.config.calendar import last_closed_quarter_end, quarter_end, shift_quarters
from tierwise.config.durations import Window
from tierwise.config.load import Workspace
from tierwise.config.pilot import OneRegionSettings, RolloutSettings
from tierwise.engine import Engine, quoted
from tierwise.jobs.attribute_pictures import exposure_picture, region_picture
from tierwise.jobs.attribute_rows import row_without
from tierwise.jobs.attribute_settings import Declared
from tierwise.metrics import compute
from tierwise.pilots.results import Result
from tierwise.reports.attribution_findings import Finding, Money

_QUARTERS_BEFORE = 12
_EXPOSURE = "exposure: "


@dataclass(frozen=True)
class Channel:
    """What a declared roll-out is read from.

    Attributes:
        engine: Holds the accepted tables.
        workspace: The workspace.
        declared: What is to be judged.
        as_of: Nothing later counts.
    """

    engine: Engine
    workspace: Workspace
    declared: Declared
    as_of: date

    def title(self, metric: str) -> str:
        """What people call a metric."""
        return self.workspace.catalog.metrics[metric].title or metric

    def ends(self, metric: str, since: date | None, start: date, until: date | None) -> list[date]:
        """The last days of the quarters compared: whole ones, from the first declared or possible to the last."""
        calendar = self.workspace.settings.calendar
        last = last_closed_quarter_end(min(until or self.as_of, self.as_of), calendar)
        earliest = shift_quarters(quarter_end(start, calendar), -_QUARTERS_BEFORE)
        first = (
            quarter_end(since, calendar)
            if since is not None
            else max(earliest, self._first_whole_quarter(metric, earliest))
        )
        found = []
        while first <= last:
            found.append(first)
            first = shift_quarters(first, 1)
        return found

    def _first_whole_quarter(self, metric: str, default: date) -> date:
        """The end of the quarter after the one in which the metric's table begins, which may not be there in full."""
        table = str(self.workspace.catalog.metrics[metric].from_)
        first = self.engine.rows(f"SELECT min(date) FROM {quoted(table)}")[0][0]
        if not isinstance(first, date):
            return default
        return shift_quarters(quarter_end(first, self.workspace.settings.calendar), 1)


def _by_quarter(channel: Channel, metric: str, ends: Sequence[date], also: str | None) -> pd.DataFrame:
    """The metric added up quarter by quarter, for partners that were there before the first: one row each per quarter.

    Returns:
        Metric rows with `outcome` and `period` (1 for the first quarter), and the metric `also` as the catalog has it.
    """
    before = shift_quarters(ends[0], -1)
    rows = compute(channel.engine, _quarterly(channel.workspace, metric), [before, *ends])
    there = rows[(rows["as_of"] == pd.Timestamp(before)) & rows["first_seen"].notna()]["partner_id"]
    period = {pd.Timestamp(day): number for number, day in enumerate(ends, start=1)}
    rows = rows[rows["partner_id"].isin(there) & rows["as_of"].isin(list(period))]
    rows = rows.assign(period=rows["as_of"].map(period), outcome=rows[metric])
    if also is not None and also != metric:
        figures = compute(channel.engine, channel.workspace, ends)[["as_of", "partner_id", also]]
        rows = rows.merge(figures, on=["as_of", "partner_id"], how="left")
    return rows.reset_index(drop=True)


def _quarterly(workspace: Workspace, name: str) -> Workspace:
    """The workspace with one metric alone, counted over one quarter."""
    metric = workspace.catalog.metrics[name].model_copy(
        update={"window": Window(kind="quarters", count=1), "offset": None}
    )
    return replace(workspace, catalog=workspace.catalog.model_copy(update={"metrics": {name: metric}}))


def rollout_finding(channel: Channel, rollout: RolloutDeclaration) -> Finding:
    """Estimate the effect of a benefit or incentive that started at different times (Callaway and Sant'Anna)."""
    metric = rollout.metric or channel.declared.outcome
    first = min(rollout.starts.values()) if rollout.starts else _default_start(channel)
    ends = channel.ends(metric, rollout.since, first, rollout.until)
    settings = RolloutSettings(
        outcome=metric,
        compare_with=rollout.compare_with,
        anticipation=rollout.anticipation,
        alpha=channel.declared.settings.alpha,
    )
    question = f"Did {rollout.title} change {_lower(channel.title(metric))}, counted by quarter?"
    unit = channel.workspace.catalog.metrics[metric].unit
    if len(ends) < 2:
        row = row_without("rollout", "no_pre_periods", metric, ("treated", settings.compare_with), settings.alpha)
        return Finding("rollout", rollout.title, question, (row,), unit)
    panel = _by_quarter(channel, metric, ends, rollout.gained_by)
    panel[metric] = panel["outcome"]
    panel["first_treated"] = _first_treated(panel, rollout, ends)
    panel, too_early = _without_too_early(panel, rollout.anticipation)
    rows = pilots.staggered(panel, settings)
    if rollout.gained_by is not None:
        rows = tuple(_by_themselves(row) for row in rows)
    notes = _rollout_notes(panel, rollout, ends, too_early)
    money = None
    if rollout.cost_per_partner is not None and unit == channel.workspace.settings.currency.program:
        money = Money(rollout.cost_per_partner, channel.declared.settings.margin, f"{rollout.title}, per quarter")
    return Finding("rollout", rollout.title, question, rows, unit, notes=notes, picture=_exposures(rows), money=money)


def _default_start(channel: Channel) -> date:
    return shift_quarters(channel.as_of, -_QUARTERS_BEFORE // 2)


def _first_treated(panel: pd.DataFrame, rollout: RolloutDeclaration, ends: Sequence[date]) -> pd.Series[float]:
    """The first treated quarter of each row's partner; 0 where it never got it by then."""
    if rollout.by is not None:
        calendar = {
            value: float(next((n for n, end in enumerate(ends, start=1) if end >= start), 0))
            for value, start in rollout.starts.items()
        }
        at_first = panel[panel["period"] == 1].set_index("partner_id")[rollout.by]
        return panel["partner_id"].map(at_first).map(calendar).fillna(0.0)
    gained = panel[panel[str(rollout.gained_by)] >= rollout.gained_at]
    return panel["partner_id"].map(gained.groupby("partner_id")["period"].min()).fillna(0.0).astype(float)


def _without_too_early(panel: pd.DataFrame, anticipation: int) -> tuple[pd.DataFrame, int]:
    """Leave out partners that had it from the first quarter on, of whom nothing is known before; none if all had."""
    treated = panel["first_treated"] > 0
    early = treated & (panel["first_treated"] <= 1 + anticipation)
    if not early.any() or early.sum() == treated.sum():
        return panel, 0
    return panel[~early].reset_index(drop=True), int(panel.loc[early, "partner_id"].nunique())


def _by_themselves(row: Result) -> Result:
    """Who comes to a benefit by what it did would have moved otherwise too: an association, whatever the method."""
    return replace(row, grade="observational", assumptions=("no_unmeasured_confounding", *row.assumptions))


def _rollout_notes(
    panel: pd.DataFrame, rollout: RolloutDeclaration, ends: Sequence[date], too_early: int
) -> tuple[str, ...]:
    partners = panel.drop_duplicates("partner_id")
    got = int((partners["first_treated"] > 0).sum())
    notes = [
        f"{got:,} of {len(partners):,} partners that were there before {ends[0]} got it; {len(ends)} quarters are "
        f"compared, to {ends[-1]}."
    ]
    if too_early:
        notes.append(f"{too_early:,} partners had it from the first quarter on and are left out.")
    if rollout.by is not None:
        values = partners[rollout.by].nunique()
        notes.append(
            f"It started by {rollout.by}, of which there are {values}: what else happened in one of them looks like an "
            "effect, and the interval does not know of it."
        )
    else:
        notes.append(f"Partners came to it by what they did ({rollout.gained_by}), so it is graded an association.")
    return tuple(notes)


def _exposures(rows: Sequence[Result]) -> dict[str, pd.DataFrame]:
    shown: list[dict[str, float]] = [
        {
            "exposure": float(row.scope.removeprefix(_EXPOSURE)),
            "estimate": row.value.estimate,
            "low": np.nan if row.value.low is None else row.value.low,
            "high": np.nan if row.value.high is None else row.value.high,
        }
        for row in rows
        if row.scope.startswith(_EXPOSURE) and row.value is not None
    ]
    return exposure_picture(shown) if shown else {}


def region_finding(channel: Channel, region: RegionDeclaration) -> Finding:
    """Estimate what happened in one region, or a few, by synthetic difference in differences with placebos."""
    metric = region.metric or channel.declared.outcome
    ends = channel.ends(metric, region.since, region.starts, region.until)
    starts = next((number for number, end in enumerate(ends, start=1) if end >= region.starts), len(ends) + 1)
    question = f"Did {region.title} change {_lower(channel.title(metric))}, per partner and quarter?"
    unit = f"{channel.workspace.catalog.metrics[metric].unit} per partner and quarter"
    panel, left_out = _region_panel(channel, metric, region, ends)
    treated = tuple(value for value in region.treated if value in set(panel["region"]))
    settings = OneRegionSettings(
        outcome=metric,
        treated=treated or region.treated,
        starts=starts,
        alpha=channel.declared.settings.alpha,
        seed=channel.workspace.settings.seed,
    )
    notes = [f"{panel['region'].nunique()} values of {region.by} are compared over {len(ends)} quarters."]
    if left_out:
        notes.append(f"Left out with fewer than {region.least_partners} partners: {', '.join(left_out)}.")
    if not treated:
        arms = (", ".join(region.treated), "synthetic region")
        row = row_without("region", "no_history", metric, arms, settings.alpha)
        return Finding("region", region.title, question, (row,), unit, notes=tuple(notes))
    row = pilots.one_region(panel.rename(columns={"outcome": metric}), settings)
    least = row.diagnostics.get("least_p", 0.0)
    if least > settings.alpha:
        notes.append(f"With so few other regions p is never below {least:.3f}: no effect of any size would be shown.")
    is_treated = panel["region"].isin(treated).to_numpy()
    return Finding(
        "region", region.title, question, (row,), unit, notes=tuple(notes),
        picture=region_picture(panel, is_treated, starts) if starts <= len(ends) else {},
    )  # fmt: skip


def _region_panel(
    channel: Channel, metric: str, region: RegionDeclaration, ends: Sequence[date]
) -> tuple[pd.DataFrame, list[str]]:
    """The mean outcome per region and quarter of a fixed group of partners; regions with few of them are left out."""
    rows = _by_quarter(channel, metric, ends, None)
    at_first = rows[rows["period"] == 1].set_index("partner_id")[region.by]
    rows = rows.assign(region=rows["partner_id"].map(at_first))
    rows = rows[rows["region"].notna()]
    sizes = rows[rows["period"] == 1].groupby("region")["partner_id"].nunique()
    small = sorted(str(value) for value in sizes.index[sizes < region.least_partners])
    kept = rows[~rows["region"].isin(small)]
    panel = kept.groupby(["region", "period"], sort=True, as_index=False)["outcome"].mean()
    until = {number: pd.Timestamp(day) for number, day in enumerate(ends, start=1)}
    return panel.assign(until=panel["period"].map(until).astype("datetime64[us]")), small


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
