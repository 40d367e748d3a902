"""Training snapshots: one row per partner and past as-of date, with the value over the horizon as label.

Columns beside the metric rows: `label` (target over the horizon after `as_of`, missing while the window is open),
`label_until` (last day of that window), `persistence` (the target as of `as_of`), and, if known, `run_rate`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet
from tierwise.errors import Fault, InvalidInput
from tierwise.tables.varied import Rows

KEYS = ("as_of", "partner_id")
LABEL_COLUMNS = ("label", "label_until", "persistence")
Bools = NDArray[np.bool_]
_LEAST_TENURE_DAYS = 28.0


def check_columns(frame: Rows, features: FeatureSet, labelled: bool) -> None:
    """Refuse a frame that lacks a column that the models need.

    Raises:
        InvalidInput: With one fault per missing column.
    """
    needed = ["partner_id", "tenure_days", *features.names, *features.attributes, *features.comparable_by]
    needed += [*KEYS, *LABEL_COLUMNS] if labelled else [features.target]
    missing = [name for name in dict.fromkeys(needed) if name not in frame.columns]
    if missing:
        where = "snapshots" if labelled else "metric rows"
        raise InvalidInput([Fault(f"column {name!r} is missing", where) for name in missing])


def closed(snapshots: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the snapshots whose label window closes on or before `as_of` (the embargo), sorted by their keys.

    A negative label (refunds beyond sales) counts as 0: such a partner is worth nothing over the horizon.

    Raises:
        InvalidInput: If a label is infinite.
    """
    known = snapshots["label"].notna() & (snapshots["label_until"] <= as_of)
    rows = snapshots[known].sort_values(list(KEYS), kind="stable").reset_index(drop=True)
    endless = np.isinf(rows["label"].to_numpy(dtype=np.float64))
    if endless.any():
        keys = tuple(rows.loc[endless, "partner_id"].astype(str).head(3))
        raise InvalidInput(Fault("a label must be a finite amount", "snapshots.label", keys))
    return rows.assign(label=rows["label"].clip(lower=0))


def assert_embargo(training: pd.DataFrame, as_of: pd.Timestamp) -> None:
    """Stop if any training label window is still open on the test date: the model would see the future.

    Raises:
        AssertionError: Naming the latest offending window.
    """
    latest = training["label_until"].max()
    assert not latest > as_of, f"embargo broken: a training label runs until {latest}, the test date is {as_of}"


def has_events(rows: Rows, features: FeatureSet) -> Bools:
    """Tell which partners have any activity: a metric that grows with activity (direction up) above zero."""
    growing = [feature.name for feature in features.metrics if feature.direction == "up"]
    names = list(dict.fromkeys([features.target, *(growing or features.names)]))
    found = np.zeros(len(rows), dtype=bool)
    for name in names:
        if name in rows.columns:
            found |= rows[name].to_numpy(dtype=np.float64, na_value=np.nan) > 0
    return found


def is_newcomer(rows: Rows, features: FeatureSet, tenure_days: int) -> Bools:
    """Tell which partners are too new, or too silent, for a history-based model."""
    tenure = rows["tenure_days"].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(~(tenure >= tenure_days) | ~has_events(rows, features), dtype=bool)


def origins(rows: pd.DataFrame) -> list[pd.Timestamp]:
    """Return the distinct as-of dates, oldest first."""
    return [pd.Timestamp(value) for value in sorted(rows["as_of"].unique())]


def run_rate(rows: pd.DataFrame, target: str) -> NDArray[np.float64]:
    """Return the second baseline: the rate so far, carried on over the horizon.

    It is the column `run_rate` where the snapshots have one; otherwise persistence, for partners with a tenure below
    the horizon scaled up to it (from at least four weeks, so that one early order is not a career).
    """
    if "run_rate" in rows.columns:
        return np.asarray(np.clip(rows["run_rate"].fillna(0).to_numpy(dtype=np.float64), 0, None))
    horizon = (rows["label_until"] - rows["as_of"]).dt.days.to_numpy(dtype=np.float64)
    tenure = rows["tenure_days"].fillna(0).to_numpy(dtype=np.float64)
    return np.asarray(
        current_value(rows, target) * horizon / np.clip(tenure, np.minimum(_LEAST_TENURE_DAYS, horizon), horizon)
    )


def current_value(rows: Rows, target: str) -> NDArray[np.float64]:
    """Return persistence: the target as of the date, 0 where unknown or negative (a net of refunds sells nothing)."""
    column = rows["persistence"] if "persistence" in rows.columns else rows[target]
    return np.asarray(np.clip(column.fillna(0).to_numpy(dtype=np.float64), 0, None))
