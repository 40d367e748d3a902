"""Training snapshots: metric rows of past quarter ends, each with what the partner then brought over the horizon."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd

from tierwise.config.calendar import last_closed_quarter_end, shift, shift_quarters
from tierwise.config.load import Workspace
from tierwise.config.model_spec import FeatureSet, ModelSpec, feature_set
from tierwise.engine import Engine, quoted
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.tier_loop import without_tier
from tierwise.metrics import compute

FEW_QUARTERS = 6
"""With fewer completed quarter ends than this, month ends are learned from as well."""


def model_features(workspace: Workspace, spec: ModelSpec | None = None) -> FeatureSet:
    """The columns that the models may use: the catalog's features and the attributes that are true as of a date.

    The partner's current tier is none of them, unless the model file asks for it.

    Args:
        workspace: The workspace.
        spec: The model file's settings; those that the workspace trains with by default.
    """
    potential = workspace.settings.potential
    attributes = tuple(workspace.attributes)
    found = feature_set(workspace.catalog.metrics, potential.metric, attributes, potential.comparable_by)
    asked = (spec or load_model_spec(workspace)).potential.tier_as_feature
    return found if asked else without_tier(found, workspace)


def archetype_features(workspace: Workspace) -> FeatureSet:
    """The columns that archetypes are found by: those the workspace names, or all that the models may use."""
    features, chosen = model_features(workspace), workspace.settings.archetypes
    metrics = tuple(metric for metric in features.metrics if not chosen.metrics or metric.name in chosen.metrics)
    attributes = features.attributes if chosen.attributes is None else chosen.attributes
    return replace(features, metrics=metrics, attributes=attributes)


def snapshot_days(workspace: Workspace, as_of: date, first_event: date) -> tuple[date, ...]:
    """The quarter ends whose label window has closed by the as-of date, oldest first; month ends where they are few.

    Args:
        workspace: Its potential settings say how many quarter ends at most, and how long the horizon is.
        as_of: The date a model is trained as of.
        first_event: The first date in the data; a quarter end before it has nothing to learn from.
    """
    settings = workspace.settings
    quarter = last_closed_quarter_end(as_of, settings.calendar)
    days: list[date] = []
    while quarter > first_event and len(days) < settings.potential.reviews:
        if label_until(workspace, quarter) <= as_of:
            days.append(quarter)
        quarter = shift_quarters(quarter, -1)
    if len(days) < min(FEW_QUARTERS, settings.potential.reviews):
        days = _month_ends(workspace, as_of, first_event)
    return tuple(reversed(days))


def _month_ends(workspace: Workspace, as_of: date, first_event: date) -> list[date]:
    """The month ends whose label window has closed, the latest first: more to learn from where quarters are few."""
    days: list[date] = []
    day = as_of if (as_of + timedelta(days=1)).day == 1 else as_of.replace(day=1) - timedelta(days=1)
    while day > first_event and len(days) < 3 * FEW_QUARTERS:
        if label_until(workspace, day) <= as_of:
            days.append(day)
        day = day.replace(day=1) - timedelta(days=1)
    return days


def label_until(workspace: Workspace, day: date) -> date:
    """The last day of the label window of a snapshot."""
    return shift(day, workspace.settings.potential.horizon, workspace.settings.calendar)


def first_event_date(engine: Engine, workspace: Workspace) -> date | None:
    """The first date on which anything is known to have happened; None without events."""
    tables = workspace.tables_of("events")
    if not tables:
        return None
    union = " UNION ALL ".join(f"SELECT min(date) AS day FROM {quoted(table)}" for table in tables)
    found = engine.rows(f"SELECT min(day) FROM ({union})")[0][0]
    return found if isinstance(found, date) else None


def build_snapshots(engine: Engine, workspace: Workspace, as_of: date) -> pd.DataFrame:
    """Compute the labelled snapshots of past quarter ends and the unlabelled one of the as-of date.

    The label of a snapshot is the target metric as of the end of its horizon; events that were known only later do
    not count, so a label never tells more than was known on that day.

    Returns:
        Metric rows of partners seen by each date, with `label`, `label_until` and `persistence`; sorted by date and
        partner.
    """
    first = first_event_date(engine, workspace)
    days = () if first is None else snapshot_days(workspace, as_of, first)
    ends = {day: label_until(workspace, day) for day in days}
    rows = compute(engine, workspace, sorted({*days, *ends.values(), as_of}))
    wanted = rows["as_of"].isin([pd.Timestamp(day) for day in (*days, as_of)])
    seen = rows[wanted & rows["first_seen"].notna()].reset_index(drop=True)
    return _with_labels(seen, rows, {**ends, as_of: label_until(workspace, as_of)}, workspace.settings.potential.metric)


def departed(engine: Engine, workspace: Workspace, as_of: date) -> frozenset[str]:
    """The partners that had left by a date, by the partner table's `left_on`; nobody where it has no such column."""
    table = workspace.partner_table
    if "left_on" not in workspace.table(table).columns:
        return frozenset()
    rows = engine.rows(f"SELECT partner_id FROM {quoted(table)} WHERE left_on <= DATE '{as_of.isoformat()}'")
    return frozenset(str(row[0]) for row in rows)


def _with_labels(seen: pd.DataFrame, rows: pd.DataFrame, ends: dict[date, date], target: str) -> pd.DataFrame:
    """Add to each snapshot the target at the end of its horizon; missing where that date was not computed."""
    until = {pd.Timestamp(day): pd.Timestamp(end) for day, end in ends.items()}
    labelled = seen.assign(label_until=seen["as_of"].map(until).astype("datetime64[us]"), persistence=seen[target])
    labels = rows[["as_of", "partner_id", target]].rename(columns={"as_of": "label_until", target: "label"})
    latest = labelled["as_of"].max()
    joined = labelled.merge(labels, on=["label_until", "partner_id"], how="left", validate="many_to_one")
    joined.loc[joined["as_of"] == latest, "label"] = float("nan")
    return joined
