"""Metrics of the catalog counted over a pilot's own days instead of their usual window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from tierwise.config.calendar import shift
from tierwise.config.catalog import Catalog, Metric
from tierwise.config.durations import Duration, Window
from tierwise.config.load import Workspace
from tierwise.config.pilot_checks import closure
from tierwise.engine import Engine
from tierwise.metrics import compute

KEY = "partner_id"


@dataclass(frozen=True)
class Stretch:
    """The days that are counted: `days` of them up to and including `until`, as known on `as_of`."""

    days: int
    until: date
    as_of: date


def only(workspace: Workspace, names: Iterable[str]) -> Workspace:
    """The workspace with no more metrics than some need; the others are then not computed."""
    kept = closure(names, workspace.catalog)
    return replace(workspace, catalog=Catalog(metrics={name: workspace.catalog.metrics[name] for name in kept}))


def count_over(engine: Engine, workspace: Workspace, names: Iterable[str], stretch: Stretch) -> pd.DataFrame:
    """Compute metrics over a stretch of days.

    A figure of events counts those of the stretch that are known by `as_of`; a state (certificates that are valid,
    whether a partner left) is that of the last day.

    Returns:
        One row per partner known: `partner_id`, `first_seen` and one column per metric, sorted by partner.
    """
    wanted = list(dict.fromkeys(names))
    counted = [name for name in wanted if _counts_events(name, workspace.catalog)]
    states = [name for name in wanted if name not in counted]
    frames = []
    for some, day, back in ((counted, stretch.as_of, (stretch.as_of - stretch.until).days), (states, stretch.until, 0)):
        if some:
            rows = compute(engine, _windowed(workspace, some, stretch.days, back), [day])
            frames.append(rows[[KEY, "first_seen", *some]])
    found = frames[0]
    if len(frames) == 2:
        found = found.merge(frames[1].drop(columns="first_seen"), on=KEY, how="left")
    return found[[KEY, "first_seen", *wanted]].sort_values(KEY, ignore_index=True)


def final_until(workspace: Workspace, names: Iterable[str], as_of: date, ends: date) -> date:
    """The last day whose figures are final on a day: the end, or earlier by the longest lag of the metrics."""
    metrics = [workspace.catalog.metrics[name] for name in closure(names, workspace.catalog)]
    calendar = workspace.settings.calendar
    days = [shift(as_of, metric.lag, calendar, times=-1) for metric in metrics if metric.lag is not None]
    return min([ends, as_of, *days])


def _windowed(workspace: Workspace, names: Iterable[str], days: int, back: int) -> Workspace:
    kept = closure(names, workspace.catalog)
    metrics = {name: _over_days(workspace.catalog.metrics[name], days, back) for name in kept}
    return replace(workspace, catalog=Catalog(metrics=metrics))


def _over_days(metric: Metric, days: int, back: int) -> Metric:
    if not _is_counted(metric):
        return metric
    window = Window(kind="days", count=days)
    return metric.model_copy(
        update={"window": window, "lag": None, "offset": Duration(count=back, unit="day") if back else None}
    )


def _is_counted(metric: Metric) -> bool:
    return metric.window is not None and metric.window.kind not in ("lifetime", "as_of")


def _counts_events(name: str, catalog: Catalog) -> bool:
    return any(_is_counted(catalog.metrics[each]) for each in closure([name], catalog))
